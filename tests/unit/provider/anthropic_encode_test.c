/* SPDX-License-Identifier: MIT */
/* provider/anthropic_encode - neutral requests and the exact bytes that Anthropic gets. */
#include "provider/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/secret.h"
#include "llm/token_slot.h"
#include "json/scan.h"
#include "json/value.h"

#define BODY_BYTES (1u << 20)

struct run {
    struct gw_arena arena;
    struct gw_error error;
    struct gw_notes notes;
    struct gw_deployment deployment;
    struct gw_llm_request request;
    struct gw_provider_input in;
    struct gw_provider_call call;
    struct gw_json_splice splice;
    enum gw_err err;
};

static void begin(struct run *run, const char *model)
{
    memset(run, 0, sizeof(*run));
    gw_arena_init(&run->arena, NULL, 0, 4096, BODY_BYTES);
    gw_notes_init(&run->notes, &run->arena, false, &run->error);
    run->request.dialect = GW_DIALECT_OPENAI;
    run->request.task = GW_TASK_CHAT;
    run->in = (struct gw_provider_input){.deployment = &run->deployment,
                                         .upstream_model = gw_str_from_c(model),
                                         .request = &run->request,
                                         .arena = &run->arena,
                                         .notes = &run->notes};
    gw_buf_init(&run->call.body, BODY_BYTES);
}

static void encode(struct run *run, const struct gw_provider_api *api, const char *chat)
{
    yyjson_doc *doc = yyjson_read(chat, strlen(chat), 0);
    assert_non_null(doc);
    run->err = api->encode(&run->in, yyjson_doc_get_root(doc), &run->call);
    yyjson_doc_free(doc);
}

static void finish(struct run *run)
{
    gw_buf_fini(&run->call.body);
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

/* Encodes for |model| and compares the body. */
static void expect(const char *model, const char *chat, const char *body)
{
    struct run run;
    begin(&run, model);
    encode(&run, &gw_api_anthropic, chat);
    assert_int_equal(run.err, GW_OK);
    assert_text(gw_buf_str(&run.call.body), body);
    finish(&run);
}

/* The same, and the note about |param|. */
static void expect_note(const char *model, const char *chat, const char *body,
                        enum gw_note_kind kind, const char *param)
{
    struct run run;
    begin(&run, model);
    encode(&run, &gw_api_anthropic, chat);
    assert_int_equal(run.err, GW_OK);
    assert_text(gw_buf_str(&run.call.body), body);
    assert_true(has_note(&run, kind, param));
    finish(&run);
}

#define OLD     "claude-sonnet-4-5"
#define OLD_TOP "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":64000,"
#define HI      "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]"
#define HI_SENT                                                                                    \
    "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Hi\"}]}]}"

static void a_plain_question(void **state)
{
    (void)state;
    struct run run;
    begin(&run, "claude-haiku-5-5");
    run.deployment.base_path = GW_STR("");
    run.request.is_stream = true;
    encode(&run, &gw_api_anthropic, "{\"model\":\"x\",\"max_tokens\":64," HI ",\"stream\":true}");
    assert_int_equal(run.err, GW_OK);
    assert_text(gw_buf_str(&run.call.body),
                "{\"model\":\"claude-haiku-5-5\",\"max_tokens\":64,\"stream\":true," HI_SENT);
    assert_text(run.call.method, "POST");
    assert_text(run.call.target, "/v1/messages");
    assert_int_equal(run.call.field_count, 2);
    assert_text(run.call.fields[0].name, "content-type");
    assert_text(run.call.fields[0].value, "application/json");
    assert_text(run.call.fields[1].name, "anthropic-version");
    assert_text(run.call.fields[1].value, "2023-06-01");
    assert_int_equal(run.notes.count, 0);
    finish(&run);
}

static void a_base_with_the_version(void **state)
{
    (void)state;
    struct run run;
    begin(&run, OLD);
    run.deployment.base_path = GW_STR("/proxy/v1");
    encode(&run, &gw_api_anthropic, "{" HI "}");
    assert_text(run.call.target, "/proxy/v1/messages");
    finish(&run);
}

static void system_messages_and_turns(void **state)
{
    (void)state;
    expect(OLD,
           "{\"max_completion_tokens\":5,\"messages\":["
           "{\"role\":\"system\",\"content\":\"A\"},"
           "{\"role\":\"developer\",\"content\":[{\"type\":\"text\",\"text\":\"B\","
           "\"cache_control\":{\"type\":\"ephemeral\"}}]},"
           "{\"role\":\"user\",\"content\":\"1\"},{\"role\":\"user\",\"content\":\"\"},"
           "{\"role\":\"user\",\"content\":\"2\"},"
           "{\"role\":\"assistant\",\"content\":\"3\"},"
           "{\"role\":\"user\",\"content\":\"4\",\"cache_control\":{\"type\":\"ephemeral\","
           "\"ttl\":\"1h\"}}]}",
           "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":5,"
           "\"system\":[{\"type\":\"text\",\"text\":\"A\"},{\"type\":\"text\",\"text\":\"B\","
           "\"cache_control\":{\"type\":\"ephemeral\"}}],"
           "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"1\"},"
           "{\"type\":\"text\",\"text\":\"2\"}]},"
           "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"3\"}]},"
           "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"4\","
           "\"cache_control\":{\"type\":\"ephemeral\",\"ttl\":\"1h\"}}]}]}");
}

static void system_in_the_middle(void **state)
{
    (void)state;
    static const char chat[] =
        "{\"max_tokens\":5,\"messages\":[{\"role\":\"user\",\"content\":\"1\"},"
        "{\"role\":\"system\",\"content\":\"S\"}]}";
    expect_note(
        OLD, chat,
        "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":5,\"messages\":[{\"role\":\"user\","
        "\"content\":[{\"type\":\"text\",\"text\":\"1\"},{\"type\":\"text\",\"text\":\"S\"}]}"
        "]}",
        GW_NOTE_CHANGED, "messages[].role");
    expect("claude-opus-4-8", chat,
           "{\"model\":\"claude-opus-4-8\",\"max_tokens\":5,\"messages\":[{\"role\":\"user\","
           "\"content\":[{\"type\":\"text\",\"text\":\"1\"}]},{\"role\":\"system\",\"content\":["
           "{\"type\":\"text\",\"text\":\"S\"}]}]}");
}

#define TOOL                                                                                       \
    "{\"type\":\"function\",\"function\":{\"name\":\"get_time\",\"description\":\"now\","          \
    "\"parameters\":{\"type\":\"object\",\"properties\":{\"tz\":{\"type\":\"string\"}}}}}"
#define TOOL_SENT                                                                                  \
    "{\"name\":\"get_time\",\"description\":\"now\",\"input_schema\":{\"type\":\"object\","        \
    "\"properties\":{\"tz\":{\"type\":\"string\"}}}}"

static void tools_and_choices(void **state)
{
    (void)state;
    expect(OLD, "{\"tools\":[" TOOL "]," HI "}", OLD_TOP "\"tools\":[" TOOL_SENT "]," HI_SENT);
    expect(OLD, "{\"tools\":[" TOOL "],\"tool_choice\":\"required\"," HI "}",
           OLD_TOP "\"tools\":[" TOOL_SENT "],\"tool_choice\":{\"type\":\"any\"}," HI_SENT);
    expect(OLD,
           "{\"tools\":[" TOOL "],\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":"
           "\"get_time\"}},\"parallel_tool_calls\":false," HI "}",
           OLD_TOP "\"tools\":[" TOOL_SENT
                   "],\"tool_choice\":{\"type\":\"tool\",\"name\":\"get_time\","
                   "\"disable_parallel_tool_use\":true}," HI_SENT);
    expect(OLD, "{\"tools\":[" TOOL "],\"tool_choice\":\"none\"," HI "}",
           OLD_TOP "\"tools\":[" TOOL_SENT "],\"tool_choice\":{\"type\":\"none\"}," HI_SENT);
    expect(OLD, "{\"tools\":[" TOOL "],\"parallel_tool_calls\":false," HI "}",
           OLD_TOP
           "\"tools\":[" TOOL_SENT
           "],\"tool_choice\":{\"type\":\"auto\",\"disable_parallel_tool_use\":true}," HI_SENT);
    expect(OLD, "{\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]," HI "}",
           OLD_TOP "\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\","
                   "\"properties\":{}}}]," HI_SENT);
    /* Anthropic's own travel as they are. */
    expect(
        OLD,
        "{\"tools\":[{\"type\":\"web_search_20250305\",\"name\":\"web_search\",\"max_uses\":3}]," HI
        "}",
        OLD_TOP "\"tools\":[{\"type\":\"web_search_20250305\",\"name\":\"web_search\","
                "\"max_uses\":3}]," HI_SENT);
}

static void forced_tools_weaken(void **state)
{
    (void)state;
    expect_note("claude-opus-5-5",
                "{\"max_tokens\":9,\"tools\":[" TOOL "],\"tool_choice\":\"required\"," HI "}",
                "{\"model\":\"claude-opus-5-5\",\"max_tokens\":9,\"tools\":[" TOOL_SENT
                "],\"tool_choice\":{\"type\":\"auto\"}," HI_SENT,
                GW_NOTE_CHANGED, "tool_choice");
    expect("claude-opus-4-8",
           "{\"max_tokens\":9,\"tools\":[" TOOL "],\"tool_choice\":\"required\"," HI "}",
           "{\"model\":\"claude-opus-4-8\",\"max_tokens\":9,\"tools\":[" TOOL_SENT
           "],\"tool_choice\":{\"type\":\"any\"}," HI_SENT);
}

static void calls_and_results(void **state)
{
    (void)state;
    expect(OLD,
           "{\"max_tokens\":5,\"messages\":[{\"role\":\"user\",\"content\":\"?\"},"
           "{\"role\":\"assistant\",\"content\":\"Let me see\",\"tool_calls\":["
           "{\"id\":\"call_1\",\"type\":\"function\",\"function\":{\"name\":\"a\",\"arguments\":"
           "\"{\\\"x\\\": 1}\"}},"
           "{\"id\":\"call_2\",\"type\":\"function\",\"function\":{\"name\":\"b\",\"arguments\":"
           "\"\"}},"
           "{\"id\":\"call.3\",\"type\":\"function\",\"function\":{\"name\":\"c\",\"arguments\":"
           "\"{oops\"}}]},"
           "{\"role\":\"tool\",\"tool_call_id\":\"call_1\",\"content\":\"one\"},"
           "{\"role\":\"tool\",\"tool_call_id\":\"call_2\",\"is_error\":true,\"content\":["
           "{\"type\":\"text\",\"text\":\"two\"},{\"type\":\"image_url\",\"image_url\":{\"url\":"
           "\"data:image/png;base64,QUJD\"}}]},"
           "{\"role\":\"tool\",\"tool_call_id\":\"call.3\",\"content\":\"\"},"
           "{\"role\":\"user\",\"content\":\"and?\"}]}",
           "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":5,\"messages\":["
           "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"?\"}]},"
           "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"Let me see\"},"
           "{\"type\":\"tool_use\",\"id\":\"call_1\",\"name\":\"a\",\"input\":{\"x\": 1}},"
           "{\"type\":\"tool_use\",\"id\":\"call_2\",\"name\":\"b\",\"input\":{}},"
           "{\"type\":\"tool_use\",\"id\":\"call_3_1f1a906f\",\"name\":\"c\",\"input\":"
           "{\"INVALID_JSON\":\"{oops\"}}]},"
           "{\"role\":\"user\",\"content\":["
           "{\"type\":\"tool_result\",\"tool_use_id\":\"call_1\",\"content\":[{\"type\":\"text\","
           "\"text\":\"one\"}]},"
           "{\"type\":\"tool_result\",\"tool_use_id\":\"call_2\",\"content\":[{\"type\":\"text\","
           "\"text\":\"two\"},{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":"
           "\"image/png\",\"data\":\"QUJD\"}}],\"is_error\":true},"
           "{\"type\":\"tool_result\",\"tool_use_id\":\"call_3_1f1a906f\",\"content\":[]},"
           "{\"type\":\"text\",\"text\":\"and?\"}]}]}");
}

static void images_and_files(void **state)
{
    (void)state;
    expect(OLD,
           "{\"max_tokens\":5,\"messages\":[{\"role\":\"user\",\"content\":["
           "{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://e.org/a.png\",\"detail\":"
           "\"low\"}},"
           "{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:image/jpg;base64,QUJD\"}},"
           "{\"type\":\"file\",\"file\":{\"filename\":\"a.pdf\",\"file_data\":"
           "\"data:application/pdf;base64,JVBE\"}},"
           "{\"type\":\"file\",\"file\":{\"filename\":\"a.txt\",\"file_data\":"
           "\"data:text/plain;base64,aGkK\"}},"
           "{\"type\":\"file\",\"file\":{\"file_id\":\"file_011C\"},\"cache_control\":{\"type\":"
           "\"ephemeral\"}}]}]}",
           "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":5,\"messages\":[{\"role\":\"user\","
           "\"content\":["
           "{\"type\":\"image\",\"source\":{\"type\":\"url\",\"url\":\"https://e.org/a.png\"}},"
           "{\"type\":\"image\",\"source\":{\"type\":\"base64\",\"media_type\":\"image/jpeg\","
           "\"data\":\"QUJD\"}},"
           "{\"type\":\"document\",\"source\":{\"type\":\"base64\",\"media_type\":"
           "\"application/pdf\",\"data\":\"JVBE\"},\"title\":\"a.pdf\"},"
           "{\"type\":\"document\",\"source\":{\"type\":\"text\",\"media_type\":\"text/plain\","
           "\"data\":\"hi\\n\"},\"title\":\"a.txt\"},"
           "{\"type\":\"document\",\"source\":{\"type\":\"file\",\"file_id\":\"file_011C\"},"
           "\"cache_control\":{\"type\":\"ephemeral\"}}]}]}");
}

static void the_answers_form(void **state)
{
    (void)state;
    static const char chat[] =
        "{\"max_tokens\":5,\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":"
        "\"x\",\"schema\":{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\","
        "\"minimum\":1}},\"required\":[\"a\"]}}}," HI "}";
    expect_note(
        OLD, chat,
        "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":5,\"output_config\":{\"format\":{"
        "\"type\":\"json_schema\",\"schema\":{\"type\":\"object\",\"properties\":{\"a\":{"
        "\"type\":\"integer\"}},\"required\":[\"a\"],\"additionalProperties\":false}}}," HI_SENT,
        GW_NOTE_CHANGED, "response_format.json_schema");
    expect_note("claude-sonnet-4-5", "{\"response_format\":{\"type\":\"json_object\"}," HI "}",
                OLD_TOP
                "\"system\":[{\"type\":\"text\",\"text\":\"Answer with one valid JSON object "
                "and nothing else, without a code fence.\"}]," HI_SENT,
                GW_NOTE_CHANGED, "response_format");
}

static void thinking_by_model(void **state)
{
    (void)state;
    static const char high[] = "{\"max_tokens\":50000,\"reasoning_effort\":\"high\"," HI "}";
    static const char none[] = "{\"max_tokens\":50000,\"reasoning_effort\":\"none\"," HI "}";
    expect(OLD, high,
           "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":50000,\"thinking\":{\"type\":"
           "\"enabled\",\"budget_tokens\":16384}," HI_SENT);
    expect("claude-opus-4-6", high,
           "{\"model\":\"claude-opus-4-6\",\"max_tokens\":50000,\"thinking\":{\"type\":"
           "\"adaptive\"},\"output_config\":{\"effort\":\"high\"}," HI_SENT);
    expect("claude-opus-5-5", high,
           "{\"model\":\"claude-opus-5-5\",\"max_tokens\":50000,\"thinking\":{\"type\":"
           "\"adaptive\",\"display\":\"summarized\"},\"output_config\":{\"effort\":\"high\"}"
           "," HI_SENT);
    expect(OLD, none, "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":50000," HI_SENT);
    expect("claude-opus-5", none,
           "{\"model\":\"claude-opus-5\",\"max_tokens\":50000,\"thinking\":{\"type\":"
           "\"disabled\"}," HI_SENT);
    expect("claude-sonnet-5-5", none,
           "{\"model\":\"claude-sonnet-5-5\",\"max_tokens\":50000,\"thinking\":{\"type\":"
           "\"between_tools\"}," HI_SENT);
    expect_note("claude-fable-5-1", none,
                "{\"model\":\"claude-fable-5-1\",\"max_tokens\":50000,\"output_config\":{"
                "\"effort\":\"low\"}," HI_SENT,
                GW_NOTE_CHANGED, "reasoning_effort");
    expect_note("claude-opus-4-6", "{\"max_tokens\":50000,\"reasoning_effort\":\"xhigh\"," HI "}",
                "{\"model\":\"claude-opus-4-6\",\"max_tokens\":50000,\"thinking\":{\"type\":"
                "\"adaptive\"},\"output_config\":{\"effort\":\"high\"}," HI_SENT,
                GW_NOTE_CHANGED, "reasoning_effort");
    /* A budget does not fit below the limit on output. */
    expect_note(OLD, "{\"max_tokens\":1000,\"reasoning_effort\":\"high\"," HI "}",
                "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":1000," HI_SENT, GW_NOTE_DROPPED,
                "reasoning_effort");
    /* A client's own words, for a model that has others. */
    expect_note(
        "claude-opus-5-5",
        "{\"max_tokens\":50000,\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":4000}," HI "}",
        "{\"model\":\"claude-opus-5-5\",\"max_tokens\":50000,\"thinking\":{\"type\":"
        "\"adaptive\"},\"output_config\":{\"effort\":\"medium\"}," HI_SENT,
        GW_NOTE_CHANGED, "thinking");
}

static void sampling_and_stop(void **state)
{
    (void)state;
    expect_note(OLD,
                "{\"max_tokens\":5,\"temperature\":1.5,\"stop\":[\"END\",\" \"],\"user\":\"u1\"," HI
                "}",
                "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":5,\"temperature\":1,"
                "\"stop_sequences\":[\"END\"],\"metadata\":{\"user_id\":\"u1\"}," HI_SENT,
                GW_NOTE_CHANGED, "temperature");
    expect_note(OLD, "{\"max_tokens\":5,\"temperature\":0.5,\"top_p\":0.9,\"top_k\":4," HI "}",
                "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":5,\"temperature\":0.5,\"top_k\":"
                "4," HI_SENT,
                GW_NOTE_DROPPED, "top_p");
    expect_note("claude-opus-5", "{\"max_tokens\":5,\"temperature\":0.5,\"stop\":\"x\"," HI "}",
                "{\"model\":\"claude-opus-5\",\"max_tokens\":5,\"stop_sequences\":[\"x\"]," HI_SENT,
                GW_NOTE_DROPPED, "temperature");
    expect("claude-opus-5", "{\"max_tokens\":5,\"temperature\":1," HI "}",
           "{\"model\":\"claude-opus-5\",\"max_tokens\":5," HI_SENT);
    expect_note(OLD, "{\"max_tokens\":5,\"seed\":7," HI "}",
                "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":5," HI_SENT, GW_NOTE_DROPPED,
                "seed");
    expect_note(OLD, "{\"max_tokens\":999999," HI "}", OLD_TOP HI_SENT, GW_NOTE_CHANGED,
                "max_tokens");
}

static void the_version_knows_no_sampling(void **state)
{
    (void)state;
    static const char chat[] = "{\"max_tokens\":5,\"temperature\":1,\"top_k\":4," HI "}";
    static const struct gw_extra_header header = {GW_STR_INIT("anthropic-version"),
                                                  GW_STR_INIT("2026-10-21")};
    const struct gw_header field = {.name = GW_STR("anthropic-version"),
                                    .value = GW_STR("2026-10-21")};
    for (unsigned i = 0; i < 2; i++) {
        struct run run;
        begin(&run, OLD);
        run.deployment.extra_headers = &header;
        run.deployment.extra_header_count = i == 0;
        run.in.client_fields = &field;
        run.in.client_field_count = i == 1;
        encode(&run, &gw_api_anthropic, chat);
        assert_text(gw_buf_str(&run.call.body),
                    "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":5," HI_SENT);
        assert_true(has_note(&run, GW_NOTE_DROPPED, "temperature"));
        finish(&run);
        begin(&run, OLD); /* Vertex AI's own version stays */
        run.in.client_fields = &field;
        run.in.client_field_count = 1;
        encode(&run, &gw_api_vertex_claude, chat);
        assert_false(has_note(&run, GW_NOTE_DROPPED, "temperature"));
        finish(&run);
    }
}

static void what_cannot_be_said(void **state)
{
    (void)state;
    static const struct {
        const char *chat;
        const char *param;
    } cases[] = {
        {"{\"n\":2," HI "}", "n"},
        {"{\"logprobs\":true," HI "}", "logprobs"},
        {"{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\"}]}]}",
         "messages[].content[]"},
        {"{\"tools\":[{\"type\":\"file_search\"}]," HI "}", "tools[].type"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct run run;
        begin(&run, OLD);
        encode(&run, &gw_api_anthropic, cases[i].chat);
        assert_int_equal(run.err, GW_ERR_INVALID);
        assert_int_equal(run.error.status, 400);
        assert_text(run.error.param, cases[i].param);
        finish(&run);
        begin(&run, OLD);
        run.notes.drops_params = true;
        encode(&run, &gw_api_anthropic, cases[i].chat);
        assert_int_equal(run.err, GW_OK);
        assert_true(has_note(&run, GW_NOTE_DROPPED, cases[i].param));
        finish(&run);
    }
}

#define BLOCKS                                                                                     \
    "{\"type\":\"thinking\",\"thinking\":\"Let me\\n\\\"see\\\" \xc3\xa9\",\"signature\":"         \
    "\"EqQB/+aa==\"},{\"type\":\"redacted_thinking\",\"data\":\"Emw\"}"

static void thinking_blocks_come_back(void **state)
{
    (void)state;
    expect("claude-opus-4-6",
           "{\"max_tokens\":5,\"messages\":[{\"role\":\"user\",\"content\":\"?\"},"
           "{\"role\":\"assistant\",\"content\":\"T\",\"reasoning_content\":\"Let me\","
           "\"thinking_blocks\":[" BLOCKS ",{\"type\":\"thinking\",\"thinking\":\"foreign\","
           "\"signature\":\"\"}],\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\",\"function\":"
           "{\"name\":\"f\",\"arguments\":\"{}\"}}]},"
           "{\"role\":\"tool\",\"tool_call_id\":\"a\",\"content\":\"r\"}]}",
           "{\"model\":\"claude-opus-4-6\",\"max_tokens\":5,\"messages\":[{\"role\":\"user\","
           "\"content\":[{\"type\":\"text\",\"text\":\"?\"}]},"
           "{\"role\":\"assistant\",\"content\":[" BLOCKS ",{\"type\":\"text\",\"text\":\"T\"},"
           "{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"f\",\"input\":{}}]},"
           "{\"role\":\"user\",\"content\":[{\"type\":\"tool_result\",\"tool_use_id\":\"a\","
           "\"content\":[{\"type\":\"text\",\"text\":\"r\"}]}]}]}");
}

/* Turn n+1 begins with turn n's messages. */
static void a_longer_conversation_begins_alike(void **state)
{
    (void)state;
    static const char *const turns[] = {
        "{\"role\":\"user\",\"content\":\"one\"}",
        "{\"role\":\"assistant\",\"content\":null,\"thinking_blocks\":[" BLOCKS "],\"tool_calls\":"
        "[{\"id\":\"a:1\",\"type\":\"function\",\"function\":{\"name\":\"get_time\",\"arguments\":"
        "\"{\\\"tz\\\":\\\"UTC\\\"}\"}}]}",
        "{\"role\":\"tool\",\"tool_call_id\":\"a:1\",\"content\":\"noon\"}",
        "{\"role\":\"assistant\",\"content\":\"It is noon.\"}",
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"thanks\"}]}",
    };
    char before[8192] = "";
    size_t common = 0;
    for (size_t count = 1; count <= GW_ARRAY_LEN(turns); count++) {
        struct run run;
        struct gw_buf chat;
        gw_buf_init(&chat, BODY_BYTES);
        (void)gw_buf_append(&chat, GW_STR("{\"max_tokens\":5,\"tools\":[" TOOL "],\"messages\":["
                                          "{\"role\":\"system\",\"content\":\"S\"}"));
        for (size_t i = 0; i < count; i++) {
            (void)gw_buf_appendf(&chat, ",%s", turns[i]);
        }
        (void)gw_buf_append(&chat, GW_STR("]}\0"));
        assert_int_equal(chat.err, GW_OK);
        begin(&run, "claude-opus-4-6");
        encode(&run, &gw_api_anthropic, chat.ptr);
        gw_buf_fini(&chat);
        assert_int_equal(run.err, GW_OK);
        struct gw_str body = gw_buf_str(&run.call.body);
        assert_true(body.len > common && memcmp(body.ptr, before, common) == 0);
        common = body.len - strlen("]}"); /* what closes the list and the body */
        memcpy(before, body.ptr, common);
        finish(&run);
    }
}

static void custom_tools_and_odd_names(void **state)
{
    (void)state;
    struct run run;
    begin(&run, OLD);
    encode(&run, &gw_api_anthropic,
           "{\"max_tokens\":5,\"tools\":[{\"type\":\"custom\",\"custom\":{\"name\":\"apply\","
           "\"description\":\"d\"}}]," HI "}");
    assert_int_equal(run.err, GW_OK);
    assert_text(gw_buf_str(&run.call.body),
                "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":5,\"tools\":[{\"name\":\"apply\","
                "\"description\":\"d\",\"input_schema\":{\"type\":\"object\",\"properties\":{"
                "\"input\":{\"type\":\"string\"}},\"required\":[\"input\"]}}]," HI_SENT);
    assert_non_null(run.call.memory);
    finish(&run);
}

static void betas_travel_on(void **state)
{
    (void)state;
    struct run run;
    struct gw_header field = {.name = GW_STR("anthropic-beta"), .value = GW_STR("a,b")};
    begin(&run, OLD);
    run.in.client_fields = &field;
    run.in.client_field_count = 1;
    encode(&run, &gw_api_anthropic, "{" HI "}");
    assert_int_equal(run.call.field_count, 3);
    assert_text(run.call.fields[2].value, "a,b");
    finish(&run);
    begin(&run, OLD);
    encode(&run, &gw_api_anthropic, "{\"anthropic_beta\":[\"x\",\"bad value\",\"y\"]," HI "}");
    assert_int_equal(run.call.field_count, 3);
    assert_text(run.call.fields[2].name, "anthropic-beta");
    assert_text(run.call.fields[2].value, "x,y");
    finish(&run);
}

/* ---- Vertex AI ---- */

static void claude_on_vertex(void **state)
{
    (void)state;
    struct run run;
    begin(&run, "claude-haiku-5-5");
    run.deployment.cloud_project = GW_STR("demo");
    run.deployment.region = GW_STR("global");
    encode(&run, &gw_api_vertex_claude, "{\"max_tokens\":64," HI "}");
    assert_int_equal(run.err, GW_OK);
    assert_text(run.call.target, "/v1/projects/demo/locations/global/publishers/anthropic/models/"
                                 "claude-haiku-5-5:rawPredict");
    assert_text(gw_buf_str(&run.call.body),
                "{\"anthropic_version\":\"vertex-2023-10-16\",\"max_tokens\":64," HI_SENT);
    finish(&run);
    begin(&run, "claude-haiku-5-5");
    encode(&run, &gw_api_vertex_claude,
           "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\",\"image_url\":{"
           "\"url\":\"https://e.org/a.png\"}}]}]}");
    assert_int_equal(run.err, GW_ERR_INVALID);
    finish(&run);
}

static void patch_with(struct run *run, const struct gw_provider_api *api, const char *body,
                       const char *expected)
{
    char sent[1024];
    size_t len = 0;
    struct gw_str runs[GW_JSON_MAX_RUNS];
    struct gw_json_member model = {0};
    run->request.dialect = GW_DIALECT_ANTHROPIC;
    if (gw_json_find(gw_str_from_c(body), GW_STR("model"), &model)) {
        run->request.model_value = model.value;
    }
    run->err = api->patch(&run->in, GW_STR("/v1/messages"), GW_STR("beta=true"),
                          gw_str_from_c(body), &run->splice, &run->call);
    assert_int_equal(run->err, GW_OK);
    size_t count = gw_json_splice_runs(&run->splice, runs);
    for (size_t i = 0; i < count; i++) {
        memcpy(sent + len, runs[i].ptr, runs[i].len);
        len += runs[i].len;
    }
    assert_text(gw_str(sent, len), expected);
}

static void a_verbatim_body(void **state)
{
    (void)state;
    struct run run;
    begin(&run, "claude-opus-5-5");
    patch_with(&run, &gw_api_anthropic, "{ \"model\" : \"best\", \"max_tokens\":9,\"x\":1.50 }",
               "{ \"model\" : \"claude-opus-5-5\", \"max_tokens\":9,\"x\":1.50 }");
    assert_text(run.call.target, "/v1/messages?beta=true");
    finish(&run);
    begin(&run, "claude-opus-5-5");
    run.deployment.limit_max_tokens = 5;
    run.request.max_output_tokens = 9;
    patch_with(&run, &gw_api_anthropic, "{\"model\":\"claude-opus-5-5\",\"max_tokens\":9}",
               "{\"model\":\"claude-opus-5-5\",\"max_tokens\":5}");
    assert_true(has_note(&run, GW_NOTE_CHANGED, "max_tokens"));
    finish(&run);
    begin(&run, "claude-opus-5-5");
    run.deployment.default_max_tokens = 7;
    patch_with(&run, &gw_api_anthropic, "{\"model\":\"claude-opus-5-5\"}",
               "{\"model\":\"claude-opus-5-5\",\"max_tokens\":7}");
    finish(&run);
}

static void configured_members(void **state)
{
    (void)state;
    struct run run;
    static const struct gw_str extra = GW_STR_INIT("\"x\":{\"y\":1},\"z\":2");
    begin(&run, OLD);
    run.deployment.extra_body = extra;
    encode(&run, &gw_api_anthropic, "{\"max_tokens\":5," HI "}");
    assert_int_equal(run.err, GW_OK);
    assert_text(gw_buf_str(&run.call.body), "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":5,"
                                            "\"x\":{\"y\":1},\"z\":2," HI_SENT);
    finish(&run);
    begin(&run, OLD);
    run.deployment.extra_body = extra;
    run.deployment.default_max_tokens = 7;
    patch_with(&run, &gw_api_anthropic, "{\"model\":\"m\"}",
               "{\"model\":\"claude-sonnet-4-5\",\"max_tokens\":7,\"x\":{\"y\":1},\"z\":2}");
    finish(&run);
    begin(&run, OLD);
    run.deployment.extra_body = extra;
    patch_with(&run, &gw_api_vertex_claude, "{\"model\":\"m\"}",
               "{\"anthropic_version\":\"vertex-2023-10-16\",\"x\":{\"y\":1},\"z\":2}");
    finish(&run);
    begin(&run, OLD);
    run.deployment.extra_body = extra;
    run.request.task = GW_TASK_TOKEN_COUNT;
    patch_with(&run, &gw_api_anthropic, "{\"model\":\"m\"}", "{\"model\":\"claude-sonnet-4-5\"}");
    finish(&run);
}

static void a_verbatim_body_on_vertex(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        const char *expected;
    } cases[] = {
        {"{\"model\":\"m\",\"max_tokens\":1}",
         "{\"anthropic_version\":\"vertex-2023-10-16\",\"max_tokens\":1}"},
        {"{\"max_tokens\":1, \"mod\\u0065l\" : \"m\" }",
         "{\"max_tokens\":1, \"anthropic_version\":\"vertex-2023-10-16\" }"},
        {"{\"model\":\"m\",\"anthropic_version\":\"x\"}",
         "{\"anthropic_version\":\"vertex-2023-10-16\"}"},
        {"{\"anthropic_version\":\"x\",\"model\":\"m\"}",
         "{\"anthropic_version\":\"vertex-2023-10-16\"}"},
        {"{\"max_tokens\":1}", "{\"max_tokens\":1,\"anthropic_version\":\"vertex-2023-10-16\"}"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct run run;
        begin(&run, "claude-opus-5-5");
        run.deployment.cloud_project = GW_STR("p");
        run.deployment.region = GW_STR("us-east5");
        run.request.is_stream = true;
        patch_with(&run, &gw_api_vertex_claude, cases[i].body, cases[i].expected);
        assert_text(run.call.target,
                    "/v1/projects/p/locations/us-east5/publishers/anthropic/models/"
                    "claude-opus-5-5:streamRawPredict");
        finish(&run);
    }
    struct run run;
    begin(&run, "claude-opus-5-5");
    run.request.task = GW_TASK_TOKEN_COUNT;
    run.deployment.cloud_project = GW_STR("p");
    patch_with(&run, &gw_api_vertex_claude, "{\"model\":\"m\"}",
               "{\"model\":\"claude-opus-5-5\",\"anthropic_version\":\"vertex-2023-10-16\"}");
    assert_text(run.call.target, "/v1/projects/p/locations/global/publishers/anthropic/models/"
                                 "count-tokens:rawPredict");
    finish(&run);
}

/* ---- credentials ---- */

static void credentials(void **state)
{
    (void)state;
    static const struct {
        const char *key;
        const char *name;
        const char *value;
    } cases[] = {
        {"sk-ant-api03-x", "x-api-key", "sk-ant-api03-x"},
        {"sk-ant-oat01-x", "authorization", "Bearer sk-ant-oat01-x"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct run run;
        begin(&run, OLD);
        struct gw_secret *secret = gw_secret_create(gw_str_from_c(cases[i].key));
        struct gw_authorize_input in = {
            .deployment = &run.deployment, .credential = secret, .arena = &run.arena};
        assert_int_equal(gw_api_anthropic.authorize(&in, &run.call), GW_OK);
        assert_int_equal(run.call.field_count, 1);
        assert_text(run.call.fields[0].name, cases[i].name);
        assert_text(run.call.fields[0].value, cases[i].value);
        gw_secret_destroy(&secret);
        finish(&run);
    }
    struct run run;
    begin(&run, OLD);
    run.deployment.token = gw_token_slot_create();
    struct gw_authorize_input in = {.deployment = &run.deployment, .arena = &run.arena};
    assert_int_equal(gw_api_vertex_claude.authorize(&in, &run.call), GW_ERR_NOT_FOUND);
    struct gw_token token = {.access = GW_STR("ya29.x")};
    assert_int_equal(gw_token_slot_set(run.deployment.token, &token, 0), GW_OK);
    assert_int_equal(gw_api_vertex_claude.authorize(&in, &run.call), GW_OK);
    assert_text(run.call.fields[0].value, "Bearer ya29.x");
    gw_token_slot_destroy(&run.deployment.token);
    finish(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_question),
        cmocka_unit_test(a_base_with_the_version),
        cmocka_unit_test(system_messages_and_turns),
        cmocka_unit_test(system_in_the_middle),
        cmocka_unit_test(tools_and_choices),
        cmocka_unit_test(forced_tools_weaken),
        cmocka_unit_test(calls_and_results),
        cmocka_unit_test(images_and_files),
        cmocka_unit_test(the_answers_form),
        cmocka_unit_test(thinking_by_model),
        cmocka_unit_test(sampling_and_stop),
        cmocka_unit_test(the_version_knows_no_sampling),
        cmocka_unit_test(what_cannot_be_said),
        cmocka_unit_test(thinking_blocks_come_back),
        cmocka_unit_test(a_longer_conversation_begins_alike),
        cmocka_unit_test(custom_tools_and_odd_names),
        cmocka_unit_test(betas_travel_on),
        cmocka_unit_test(claude_on_vertex),
        cmocka_unit_test(a_verbatim_body),
        cmocka_unit_test(configured_members),
        cmocka_unit_test(a_verbatim_body_on_vertex),
        cmocka_unit_test(credentials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
