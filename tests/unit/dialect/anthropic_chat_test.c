/* SPDX-License-Identifier: MIT */
/* dialect/anthropic - Messages requests: the envelope, the neutral request, and what goes to
 * Anthropic again. */
#include "dialect/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "provider/api.h"
#include "json/value.h"

#define BODY_BYTES (1u << 20)

struct run {
    struct gw_arena arena;
    struct gw_error error;
    struct gw_notes notes;
    struct gw_llm_request request;
    struct gw_inbound in;
    yyjson_doc *chat;
    struct gw_buf text;
    enum gw_err err;
};

static void begin(struct run *run, const char *body)
{
    memset(run, 0, sizeof(*run));
    gw_arena_init(&run->arena, NULL, 0, 4096, BODY_BYTES);
    gw_notes_init(&run->notes, &run->arena, false, &run->error);
    gw_buf_init(&run->text, BODY_BYTES);
    run->in = (struct gw_inbound){.path = GW_STR("/v1/messages"), .body = gw_str_from_c(body)};
}

static void decode(struct run *run, const char *body, enum gw_task task)
{
    begin(run, body);
    run->err = gw_dialect_anthropic.decode(&run->in, task, &run->arena, &run->request, &run->error);
}

static void translate(struct run *run, const char *body)
{
    decode(run, body, GW_TASK_CHAT);
    assert_int_equal(run->err, GW_OK);
    run->err = gw_dialect_anthropic.to_chat(&run->in, &run->request, &run->notes, &run->chat);
    if (run->err == GW_OK) {
        gw_json_write(yyjson_doc_get_root(run->chat), &run->text);
    }
}

static void finish(struct run *run)
{
    yyjson_doc_free(run->chat);
    gw_buf_fini(&run->text);
    gw_arena_fini(&run->arena);
}

static void assert_text(struct gw_str text, const char *expected)
{
    char copy[8192];
    assert_true(text.len < sizeof(copy));
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    assert_string_equal(copy, expected);
}

static bool has_note(const struct run *run, enum gw_note_kind kind, const char *param)
{
    for (size_t i = 0; i < run->notes.count; i++) {
        if (run->notes.entries[i].kind == kind &&
            gw_str_eq(run->notes.entries[i].param, gw_str_from_c(param))) {
            return true;
        }
    }
    return false;
}

static void expect(const char *body, const char *chat)
{
    struct run run;
    translate(&run, body);
    assert_int_equal(run.err, GW_OK);
    assert_text(gw_buf_str(&run.text), chat);
    finish(&run);
}

/* ---- the envelope ---- */

static void the_envelope(void **state)
{
    (void)state;
    struct run run;
    decode(&run,
           "{\"mod\\u0065l\":\"claude-x\",\"stream\":true,\"max_tokens\":12,"
           "\"thinking\":{\"type\":\"adaptive\",\"display\":\"omitted\"},\"messages\":[]}",
           GW_TASK_CHAT);
    assert_int_equal(run.err, GW_OK);
    assert_int_equal(run.request.dialect, GW_DIALECT_ANTHROPIC);
    assert_int_equal(run.request.task, GW_TASK_CHAT);
    assert_text(run.request.model, "claude-x");
    assert_text(run.request.model_value, "\"claude-x\"");
    assert_true(run.request.is_stream);
    assert_true(run.request.hides_reasoning);
    assert_int_equal(run.request.max_output_tokens, 12);
    finish(&run);
    decode(&run, "{\"model\":\"m\",\"messages\":[]}", GW_TASK_TOKEN_COUNT);
    assert_int_equal(run.request.task, GW_TASK_TOKEN_COUNT);
    assert_false(run.request.is_stream);
    finish(&run);
}

static void bad_envelopes(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *param;
        const char *message;
    } cases[] = {
        {"", "", "The request body is empty; expected a JSON object."},
        {"[]", "", "The request body must be a JSON object."},
        {"{\"model\":1}", "model", "model: Input should be a string"},
        {"{\"stream\":\"true\"}", "stream", "stream: Input should be a boolean"},
        {"{\"messages\":{}}", "messages", "messages: Input should be an array"},
        {"{\"model\":\"a\",\"mod\\u0065l\":\"b\"}", "model",
         "model: stands twice in the request body; send it once"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct run run;
        decode(&run, cases[i].body, GW_TASK_CHAT);
        assert_int_equal(run.err, GW_ERR_INVALID);
        assert_int_equal(run.error.status, 400);
        assert_int_equal(run.error.class, GW_ERROR_CLIENT);
        assert_text(run.error.param, cases[i].param);
        assert_text(run.error.message, cases[i].message);
        finish(&run);
    }
    struct run run;
    decode(&run, "{\"model\":", GW_TASK_CHAT);
    assert_int_equal(run.err, GW_ERR_INVALID);
    assert_int_equal(run.error.status, 400);
    finish(&run);
}

/* ---- the neutral request ---- */

static void a_plain_question(void **state)
{
    (void)state;
    expect(
        "{\"model\":\"m\",\"max_tokens\":5,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],"
        "\"temperature\":0.5,\"top_p\":0.9,\"top_k\":3,\"stop_sequences\":[\"END\"],"
        "\"metadata\":{\"user_id\":\"u\"},\"service_tier\":\"standard_only\",\"stream\":true}",
        "{\"model\":\"m\",\"max_completion_tokens\":5,\"temperature\":0.5,\"top_p\":0.9,"
        "\"top_k\":3,\"stop\":[\"END\"],\"user\":\"u\",\"service_tier\":\"default\","
        "\"stream\":true,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}");
}

static void system_and_turns(void **state)
{
    (void)state;
    expect(
        "{\"system\":\"S\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\","
        "\"text\":\"1\"}]},{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":"
        "\"2\"}]},{\"role\":\"system\",\"content\":\"\"},{\"role\":\"system\",\"content\":\"L\"},"
        "{\"role\":\"user\",\"content\":\"3\"}]}",
        "{\"messages\":[{\"role\":\"system\",\"content\":\"S\"},{\"role\":\"user\",\"content\":"
        "\"1\"},{\"role\":\"assistant\",\"content\":\"2\"},{\"role\":\"system\",\"content\":"
        "\"L\"},{\"role\":\"user\",\"content\":\"3\"}]}");
    /* The billing block changes with each request; cache_control stays. */
    expect(
        "{\"system\":[{\"type\":\"text\",\"text\":\"x-anthropic-billing-header: cc_version=1;\"},"
        "{\"type\":\"text\",\"text\":\"A\"},{\"type\":\"text\",\"text\":\"B\","
        "\"cache_control\":{\"type\":\"ephemeral\",\"ttl\":\"1h\"}}],"
        "\"messages\":[{\"role\":\"user\",\"content\":\"1\"}]}",
        "{\"messages\":[{\"role\":\"system\",\"content\":[{\"type\":\"text\",\"text\":\"A\"},"
        "{\"type\":\"text\",\"text\":\"B\",\"cache_control\":{\"type\":\"ephemeral\",\"ttl\":"
        "\"1h\"}}]},{\"role\":\"user\",\"content\":\"1\"}]}");
    expect("{\"system\":[{\"type\":\"text\",\"text\":\"x-anthropic-billing-header: a\"}],"
           "\"messages\":[{\"role\":\"user\",\"content\":\"1\"}]}",
           "{\"messages\":[{\"role\":\"user\",\"content\":\"1\"}]}");
}

static void tools_and_results(void **state)
{
    (void)state;
    expect(
        "{\"tools\":[{\"name\":\"f\",\"description\":\"d\",\"input_schema\":{\"type\":\"object\"},"
        "\"strict\":true,\"eager_input_streaming\":true,\"cache_control\":{\"type\":"
        "\"ephemeral\"}},{\"type\":\"web_search_20250305\",\"name\":\"web_search\"}],"
        "\"tool_choice\":{\"type\":\"tool\",\"name\":\"f\",\"disable_parallel_tool_use\":true},"
        "\"messages\":[{\"role\":\"user\",\"content\":\"?\"},{\"role\":\"assistant\",\"content\":["
        "{\"type\":\"text\",\"text\":\"T\"},"
        "{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"f\",\"input\":{\"x\":\"\\\"\"}},"
        "{\"type\":\"tool_use\",\"id\":\"b\",\"name\":\"f\",\"input\":{}}]},"
        "{\"role\":\"user\",\"content\":["
        "{\"type\":\"tool_result\",\"tool_use_id\":\"a\",\"content\":\"one\"},"
        "{\"type\":\"text\",\"text\":\"also\"},"
        "{\"type\":\"tool_result\",\"tool_use_id\":\"b\",\"is_error\":true,\"content\":["
        "{\"type\":\"text\",\"text\":\"two\"},{\"type\":\"image\",\"source\":{\"type\":"
        "\"base64\",\"media_type\":\"image/png\",\"data\":\"QUJD\"}}]}]}]}",
        "{\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":\"d\","
        "\"parameters\":{\"type\":\"object\"},\"strict\":true},\"cache_control\":{\"type\":"
        "\"ephemeral\"}},{\"type\":\"web_search_20250305\",\"name\":\"web_search\"}],"
        "\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":\"f\"}},"
        "\"parallel_tool_calls\":false,"
        "\"messages\":[{\"role\":\"user\",\"content\":\"?\"},"
        "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"T\"}],\"tool_calls\":["
        "{\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
        "\"{\\\"x\\\":\\\"\\\\\\\"\\\"}\"}},"
        "{\"id\":\"b\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":"
        "\"{}\"}}]},"
        "{\"role\":\"tool\",\"tool_call_id\":\"a\",\"content\":\"one\"},"
        "{\"role\":\"tool\",\"tool_call_id\":\"b\",\"content\":[{\"type\":\"text\",\"text\":"
        "\"two\"},{\"type\":\"image_url\",\"image_url\":{\"url\":"
        "\"data:image/png;base64,QUJD\"}}],\"is_error\":true},"
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"also\"}]}]}");
}

static void images_and_documents(void **state)
{
    (void)state;
    expect("{\"messages\":[{\"role\":\"user\",\"content\":["
           "{\"type\":\"image\",\"source\":{\"type\":\"url\",\"url\":\"https://e.org/a.png\"}},"
           "{\"type\":\"document\",\"source\":{\"type\":\"base64\",\"media_type\":"
           "\"application/pdf\",\"data\":\"JVBE\"},\"title\":\"a.pdf\"},"
           "{\"type\":\"document\",\"source\":{\"type\":\"text\",\"media_type\":\"text/plain\","
           "\"data\":\"hello\"},\"title\":\"T\"},"
           "{\"type\":\"search_result\",\"source\":\"https://e.org\",\"title\":\"R\",\"content\":["
           "{\"type\":\"text\",\"text\":\"x\"},{\"type\":\"text\",\"text\":\"y\"}]}]}]}",
           "{\"messages\":[{\"role\":\"user\",\"content\":["
           "{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://e.org/a.png\"}},"
           "{\"type\":\"file\",\"file\":{\"filename\":\"a.pdf\",\"file_data\":"
           "\"data:application/pdf;base64,JVBE\"}},"
           "{\"type\":\"text\",\"text\":\"T\\nhello\"},"
           "{\"type\":\"text\",\"text\":\"R\\nhttps://e.org\\nx\\ny\"}]}]}");
}

static void effort_and_form(void **state)
{
    (void)state;
    expect("{\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":4000},\"output_config\":{"
           "\"format\":{\"type\":\"json_schema\",\"schema\":{\"type\":\"object\"}}},"
           "\"messages\":[{\"role\":\"user\",\"content\":\"1\"}]}",
           "{\"reasoning_effort\":\"medium\",\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":"
           "4000},\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":"
           "\"output\",\"schema\":{\"type\":\"object\"},\"strict\":true}},"
           "\"messages\":[{\"role\":\"user\",\"content\":\"1\"}]}");
    expect("{\"thinking\":{\"type\":\"adaptive\"},\"output_config\":{\"effort\":\"max\"},"
           "\"messages\":[{\"role\":\"user\",\"content\":\"1\"}]}",
           "{\"reasoning_effort\":\"max\",\"thinking\":{\"type\":\"adaptive\"},"
           "\"messages\":[{\"role\":\"user\",\"content\":\"1\"}]}");
    expect("{\"thinking\":{\"type\":\"disabled\"},\"messages\":[{\"role\":\"user\",\"content\":"
           "\"1\"}]}",
           "{\"reasoning_effort\":\"none\",\"thinking\":{\"type\":\"disabled\"},"
           "\"messages\":[{\"role\":\"user\",\"content\":\"1\"}]}");
}

static void other_vendors_signatures_come_back(void **state)
{
    (void)state;
    expect("{\"messages\":[{\"role\":\"user\",\"content\":\"1\"},{\"role\":\"assistant\","
           "\"content\":["
           "{\"type\":\"thinking\",\"thinking\":\"nobody's\",\"signature\":\"\"},"
           "{\"type\":\"thinking\",\"thinking\":\"theirs\",\"signature\":"
           "\"gatewire.openai.rs_1.ENC\"},"
           "{\"type\":\"redacted_thinking\",\"data\":\"gatewire.google.SIG\"},"
           "{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"f\",\"input\":{}}]}]}",
           "{\"messages\":[{\"role\":\"user\",\"content\":\"1\"},{\"role\":\"assistant\","
           "\"content\":null,\"reasoning_content\":\"nobody's\\n\\ntheirs\",\"reasoning_items\":["
           "{\"type\":\"reasoning\",\"id\":\"rs_1\",\"summary\":[{\"type\":\"summary_text\","
           "\"text\":\"theirs\"}],\"encrypted_content\":\"ENC\"}],\"tool_calls\":[{\"id\":\"a\","
           "\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"},"
           "\"extra_content\":{\"google\":{\"thought_signature\":\"SIG\"}}}]}]}");
}

static void what_is_dropped_is_told(void **state)
{
    (void)state;
    struct run run;
    translate(&run,
              "{\"context_management\":{},\"messages\":[{\"role\":\"user\",\"content\":\"1\"},"
              "{\"role\":\"assistant\",\"content\":[{\"type\":\"server_tool_use\",\"id\":"
              "\"s\",\"name\":\"web_search\",\"input\":{}},{\"type\":\"text\",\"text\":\"T\"}"
              "]}]}");
    assert_int_equal(run.err, GW_OK);
    assert_true(has_note(&run, GW_NOTE_DROPPED, "context_management"));
    assert_true(has_note(&run, GW_NOTE_DROPPED, "messages[].content[].type"));
    finish(&run);
    translate(&run, "{\"new_one\":{},\"speed\":null,\"tools\":[{\"name\":\"f\",\"input_schema\":{},"
                    "\"defer_loading\":true,\"strict\":true},{\"type\":\"web_search_20250305\","
                    "\"name\":\"web_search\",\"max_uses\":1}],\"messages\":[{\"role\":\"user\","
                    "\"content\":\"1\"},{\"role\":\"assistant\",\"content\":[{\"type\":"
                    "\"server_tool_use\",\"id\":\"s\",\"name\":\"web_search\",\"input\":{}}]}]}");
    assert_int_equal(run.err, GW_OK);
    assert_true(has_note(&run, GW_NOTE_DROPPED, "new_one"));
    assert_true(has_note(&run, GW_NOTE_DROPPED, "tools[].defer_loading"));
    assert_true(has_note(&run, GW_NOTE_DROPPED, "messages[].content[].type"));
    assert_int_equal(run.notes.count, 3);
    finish(&run);
    static const char *const wrong[] = {
        "{\"messages\":[]}",
        "{\"messages\":[{\"role\":\"tool\",\"content\":\"x\"}]}",
        "{\"messages\":[{\"role\":\"user\"}]}",
        "{\"mcp_servers\":[{}],\"messages\":[{\"role\":\"user\",\"content\":\"1\"}]}",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"\\ud800\"}]}",
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(wrong); i++) {
        translate(&run, wrong[i]);
        assert_int_equal(run.err, GW_ERR_INVALID);
        assert_int_equal(run.error.status, 400);
        finish(&run);
    }
}

static void betas_and_long_users(void **state)
{
    (void)state;
    struct run run;
    struct gw_header fields[] = {
        {.name = GW_STR("anthropic-beta"), .value = GW_STR("a, b")},
        {.name = GW_STR("anthropic-beta"), .value = GW_STR("c")},
    };
    decode(&run,
           "{\"metadata\":{\"user_id\":\"{\\\"device\\\":\\\"0123456789012345678901234567890123456"
           "789012345678901234567890123456789\\\"}\"},\"messages\":[{\"role\":\"user\",\"content\":"
           "\"1\"}]}",
           GW_TASK_CHAT);
    run.in.headers = fields;
    run.in.header_count = 2;
    assert_int_equal(gw_dialect_anthropic.to_chat(&run.in, &run.request, &run.notes, &run.chat),
                     GW_OK);
    yyjson_val *root = yyjson_doc_get_root(run.chat);
    gw_json_write(gw_json_get(root, "anthropic_beta"), &run.text);
    assert_text(gw_buf_str(&run.text), "[\"a\",\"b\",\"c\"]");
    assert_int_equal(gw_json_get_text(root, "user").len, 21); /* a sum of it */
    finish(&run);
}

/* ---- to Anthropic again ---- */

#define BLOCKS                                                                                     \
    "{\"type\":\"thinking\",\"thinking\":\"Let me\\n\\\"see\\\" \xc3\xa9\",\"signature\":"         \
    "\"EqQB/+aa==\"},{\"type\":\"redacted_thinking\",\"data\":\"Emw\"}"
#define CONVERSATION                                                                               \
    "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"?\","             \
    "\"cache_control\":{\"type\":\"ephemeral\"}}]},"                                               \
    "{\"role\":\"assistant\",\"content\":[" BLOCKS ",{\"type\":\"text\",\"text\":\"T\"},"          \
    "{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":\"f\",\"input\":{\"a\":[1,2.5]}}]},"       \
    "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"toolu_1\","       \
    "\"content\":[{\"type\":\"text\",\"text\":\"r\"}],\"is_error\":true},{\"type\":\"text\","      \
    "\"text\":\"and?\"}]}]"

/* A body in normal form comes out as it went in, thinking blocks byte for byte. */
static void thinking_survives(void **state)
{
    (void)state;
    struct run run;
    struct gw_deployment deployment = {.id = GW_STR("d")};
    struct gw_provider_call call = {0};
    translate(&run,
              "{\"model\":\"claude-opus-4-6\",\"max_tokens\":50,\"thinking\":{\"type\":"
              "\"adaptive\"},\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":"
              "\"object\"}}],\"system\":[{\"type\":\"text\",\"text\":\"S\"}]," CONVERSATION "}");
    assert_int_equal(run.err, GW_OK);
    struct gw_provider_input in = {.deployment = &deployment,
                                   .upstream_model = GW_STR("claude-opus-4-6"),
                                   .request = &run.request,
                                   .arena = &run.arena,
                                   .notes = &run.notes};
    gw_buf_init(&call.body, BODY_BYTES);
    assert_int_equal(gw_api_anthropic.encode(&in, yyjson_doc_get_root(run.chat), &call), GW_OK);
    assert_text(gw_buf_str(&call.body),
                "{\"model\":\"claude-opus-4-6\",\"max_tokens\":50,\"thinking\":{\"type\":"
                "\"adaptive\"},\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}],"
                "\"system\":[{\"type\":\"text\",\"text\":\"S\"}]," CONVERSATION "}");
    gw_buf_fini(&call.body);
    finish(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_envelope),
        cmocka_unit_test(bad_envelopes),
        cmocka_unit_test(a_plain_question),
        cmocka_unit_test(system_and_turns),
        cmocka_unit_test(tools_and_results),
        cmocka_unit_test(images_and_documents),
        cmocka_unit_test(effort_and_form),
        cmocka_unit_test(other_vendors_signatures_come_back),
        cmocka_unit_test(what_is_dropped_is_told),
        cmocka_unit_test(betas_and_long_users),
        cmocka_unit_test(thinking_survives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
