/* SPDX-License-Identifier: MIT */
/* provider/responses - the bridge for chat clients: exact bodies, exact events, which models. */
#include "provider/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "provider/responses_foreign.h"
#include "provider/responses_rule.h"
#include "json/value.h"

/* ---- requests ---- */

struct fixture {
    struct gw_arena arena;
    struct gw_deployment deployment;
    struct gw_llm_request request;
    struct gw_error error;
    struct gw_notes notes;
    struct gw_provider_call call;
};

static int setup(void **state)
{
    static struct fixture f;
    f = (struct fixture){
        .deployment = {.provider_name = GW_STR("openai"), .base_path = GW_STR("/v1")}};
    gw_arena_init(&f.arena, NULL, 0, 4096, 1 << 20);
    gw_buf_init(&f.call.body, 1 << 20);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    gw_buf_fini(&f->call.body);
    gw_arena_fini(&f->arena);
    return 0;
}

static enum gw_err encode(struct fixture *f, const char *model, const char *chat)
{
    yyjson_doc *doc = yyjson_read(chat, strlen(chat), 0);
    struct gw_provider_input in = {.deployment = &f->deployment,
                                   .upstream_model = gw_str_from_c(model),
                                   .request = &f->request,
                                   .arena = &f->arena,
                                   .notes = &f->notes};
    assert_non_null(doc);
    gw_notes_init(&f->notes, &f->arena, f->deployment.drops_params, &f->error);
    gw_buf_reset(&f->call.body);
    f->call = (struct gw_provider_call){.body = f->call.body};
    enum gw_err err = gw_api_responses.encode(&in, yyjson_doc_get_root(doc), &f->call);
    (void)gw_buf_append_byte(&f->call.body, '\0');
    yyjson_doc_free(doc);
    return err;
}

#define SOL  "{\"model\":\"gpt-5.6-sol\",\"input\":["
#define TAIL ",\"include\":[\"reasoning.encrypted_content\"],\"store\":false}"

static const struct {
    const char *name;
    const char *chat;
    const char *body;
} goldens[] = {
    {"plain", "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}",
     SOL "{\"role\":\"user\",\"content\":\"Hi\"}]" TAIL},
    {"system, temperature and few tokens",
     "{\"messages\":[{\"role\":\"system\",\"content\":\"S\"},{\"role\":\"user\",\"content\":\"Hi\"}"
     "],"
     "\"temperature\":0.5,\"max_tokens\":5}",
     SOL "{\"role\":\"developer\",\"content\":\"S\"},{\"role\":\"user\",\"content\":\"Hi\"}],"
         "\"max_output_tokens\":16" TAIL},
    {"a call and its result, reasoning before it, a forced tool",
     "{\"messages\":[{\"role\":\"user\",\"content\":\"W?\"},{\"role\":\"assistant\",\"content\":"
     "\"Let "
     "me see.\",\"reasoning_content\":\"x\",\"reasoning_items\":[{\"type\":\"reasoning\",\"id\":"
     "\"rs_1\",\"summary\":[],\"encrypted_content\":\"E\"}],\"tool_calls\":[{\"id\":\"c1\","
     "\"type\":"
     "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"}},{\"id\":\"c2\","
     "\"type\":\"custom\",\"custom\":{\"name\":\"p\",\"input\":\"raw\"}}]},{\"role\":\"tool\","
     "\"tool_call_id\":\"c1\",\"content\":\"sunny\"},{\"role\":\"tool\",\"tool_call_id\":\"c2\","
     "\"content\":\"no\",\"is_error\":true}],\"tools\":[{\"type\":\"function\",\"function\":{"
     "\"name\":"
     "\"f\",\"description\":\"d\",\"parameters\":{\"type\":\"object\"}}},{\"type\":\"custom\","
     "\"custom\":{\"name\":\"p\",\"format\":{\"type\":\"grammar\",\"grammar\":{\"syntax\":\"lark\","
     "\"definition\":\"s\"}}}}],\"tool_choice\":{\"type\":\"function\",\"function\":{\"name\":"
     "\"f\"}},"
     "\"parallel_tool_calls\":true,\"reasoning_effort\":\"high\"}",
     SOL
     "{\"role\":\"user\",\"content\":\"W?\"},{\"type\":\"reasoning\",\"id\":\"rs_1\",\"summary\":[]"
     ","
     "\"encrypted_content\":\"E\"},{\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\","
     "\"text\":\"Let me see.\"}]},{\"type\":\"function_call\",\"call_id\":\"c1\",\"name\":\"f\","
     "\"arguments\":\"{\\\"a\\\":1}\"},{\"type\":\"custom_tool_call\",\"call_id\":\"c2\",\"name\":"
     "\"p\",\"input\":\"raw\"},{\"type\":\"function_call_output\",\"call_id\":\"c1\",\"output\":"
     "\"sunny\"},{\"type\":\"custom_tool_call_output\",\"call_id\":\"c2\",\"output\":\"Error: "
     "no\"}],\"tools\":[{\"type\":\"function\",\"name\":\"f\",\"description\":\"d\",\"parameters\":"
     "{"
     "\"type\":\"object\"},\"strict\":false},{\"type\":\"custom\",\"name\":\"p\",\"format\":{"
     "\"type\":\"grammar\",\"syntax\":\"lark\",\"definition\":\"s\"}}],\"tool_choice\":{\"type\":"
     "\"function\",\"name\":\"f\"},\"parallel_tool_calls\":true,\"reasoning\":{\"effort\":"
     "\"high\"}" TAIL},
    {"parts, a schema, a refusal",
     "{\"messages\":[{\"role\":\"assistant\",\"content\":null,\"refusal\":\"No.\"},{\"role\":"
     "\"user\","
     "\"content\":[{\"type\":\"text\",\"text\":\"A\"},{\"type\":\"image_url\",\"image_url\":{"
     "\"url\":"
     "\"https://a/b\",\"detail\":\"low\"}},{\"type\":\"image_url\",\"image_url\":{\"url\":"
     "\"data:image/png;base64,AA==\"}},{\"type\":\"file\",\"file\":{\"filename\":\"a.pdf\","
     "\"file_data\":\"data:application/pdf;base64,AA==\"}}]}],\"response_format\":{\"type\":"
     "\"json_schema\",\"json_schema\":{\"name\":\"n\",\"schema\":{\"type\":\"object\"},\"strict\":"
     "true}},\"verbosity\":\"low\"}",
     SOL
     "{\"role\":\"assistant\",\"content\":[{\"type\":\"refusal\",\"refusal\":\"No.\"}]},{\"role\":"
     "\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"A\"},{\"type\":\"input_image\","
     "\"image_url\":\"https://a/b\",\"detail\":\"low\"},{\"type\":\"input_image\",\"image_url\":"
     "\"data:image/"
     "png;base64,AA==\"},{\"type\":\"input_file\",\"filename\":\"a.pdf\",\"file_data\":"
     "\"data:application/pdf;base64,AA==\"}]}],\"text\":{\"format\":{\"type\":\"json_schema\","
     "\"name\":\"n\",\"schema\":{\"type\":\"object\"},\"strict\":true},\"verbosity\":"
     "\"low\"}" TAIL},
    {"a failed result in parts",
     "{\"messages\":[{\"role\":\"tool\",\"tool_call_id\":\"c\",\"is_error\":true,\"content\":[{"
     "\"type\":\"text\",\"text\":\"x\"}]}]}",
     SOL
     "{\"type\":\"function_call_output\",\"call_id\":\"c\",\"output\":[{\"type\":\"input_text\","
     "\"text\":\"Error:\"},{\"type\":\"input_text\",\"text\":\"x\"}]}]" TAIL},
    {"thinking of Anthropic's clients, allowed tools",
     "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"thinking\":{\"type\":\"enabled\","
     "\"budget_tokens\":4096},\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}],"
     "\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"auto\",\"tools\":[{"
     "\"type\":\"function\",\"function\":{\"name\":\"f\"}}]}},\"metadata\":{\"a\":\"b\"}}",
     SOL
     "{\"role\":\"user\",\"content\":\"x\"}],\"tools\":[{\"type\":\"function\",\"name\":\"f\","
     "\"parameters\":{\"type\":\"object\",\"properties\":{}},\"strict\":false}],\"tool_choice\":{"
     "\"type\":\"allowed_tools\",\"mode\":\"auto\",\"tools\":[{\"type\":\"function\",\"name\":"
     "\"f\"}]},\"reasoning\":{\"effort\":\"medium\",\"summary\":\"auto\"},\"metadata\":{\"a\":"
     "\"b\"}" TAIL},
};

static void test_goldens(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < GW_ARRAY_LEN(goldens); i++) {
        assert_int_equal(encode(f, "gpt-5.6-sol", goldens[i].chat), GW_OK);
        if (strcmp(f->call.body.ptr, goldens[i].body) != 0) {
            print_error("%s\n", goldens[i].name);
        }
        assert_string_equal(f->call.body.ptr, goldens[i].body);
        assert_true(gw_str_eq(f->call.target, GW_STR("/v1/responses")));
    }
}

static void test_sampling_and_stream(void **state)
{
    struct fixture *f = *state;
    f->request.is_stream = true;
    f->deployment.limit_max_tokens = 100;
    f->deployment.extra_body = GW_STR("\"x\":1");
    assert_int_equal(
        encode(f, "gpt-5.6-sol",
               "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"temperature\":"
               "0.5,\"reasoning_effort\":\"none\",\"logprobs\":true,\"top_logprobs\":2,"
               "\"max_completion_tokens\":500}"),
        GW_OK);
    assert_string_equal(
        f->call.body.ptr,
        SOL "{\"role\":\"user\",\"content\":\"x\"}],\"reasoning\":{\"effort\":\"none\"},"
            "\"max_output_tokens\":100,\"temperature\":0.5,\"top_logprobs\":2,\"include\":["
            "\"reasoning.encrypted_content\",\"message.output_text.logprobs\"],\"store\":false,"
            "\"stream\":true,\"x\":1}");
    assert_int_equal(f->notes.count, 1); /* the tokens */
    f->deployment.extra_body = GW_STR("");
    assert_int_equal(encode(f, "gpt-6-astra",
                            "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"top_p\":0.5,"
                            "\"reasoning_effort\":\"none\",\"seed\":1}"),
                     GW_OK);
    assert_non_null(strstr(f->call.body.ptr, "\"reasoning\":{\"effort\":\"low\"}"));
    assert_null(strstr(f->call.body.ptr, "top_p"));
    assert_int_equal(f->notes.count, 3);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *chat;
        const char *param;
    } cases[] = {
        {"{\"messages\":[],\"n\":2}", "n"},
        {"{\"messages\":[],\"stop\":[\"a\"]}", "stop"},
        {"{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\"}]}]}",
         "messages[].content[].type=input_audio"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        f->deployment.drops_params = false;
        assert_int_equal(encode(f, "gpt-5.6-sol", cases[i].chat), GW_ERR_INVALID);
        assert_true(gw_str_eq(f->error.param, gw_str_from_c(cases[i].param)));
        f->deployment.drops_params = true;
        assert_int_equal(encode(f, "gpt-5.6-sol", cases[i].chat), GW_OK);
    }
}

static void test_long_call_ids(void **state)
{
    struct fixture *f = *state;
    char chat[1024];
    char id[81] = {0};
    memset(id, 'i', 80);
    (void)snprintf(
        chat, sizeof(chat),
        "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"%s\",\"function\":"
        "{\"name\":\"f\",\"arguments\":\"\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"%s\","
        "\"content\":\"x\"}]}",
        id, id);
    assert_int_equal(encode(f, "gpt-5.6-sol", chat), GW_OK);
    char *first = strstr(f->call.body.ptr, "\"call_id\":\"") + strlen("\"call_id\":\"");
    char *second = strstr(first, "\"call_id\":\"") + strlen("\"call_id\":\"");
    assert_int_equal(strcspn(first, "\""), 64);
    assert_memory_equal(first, second, 65);
    assert_non_null(strstr(f->call.body.ptr, "\"arguments\":\"{}\""));
}

/* A longer conversation begins with the same bytes. */
static void test_prefix(void **state)
{
    struct fixture *f = *state;
    static const char first[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"A\"}]}";
    static const char second[] = "{\"messages\":[{\"role\":\"user\",\"content\":\"A\"},{\"role\":"
                                 "\"assistant\",\"content\":\"B\"},{\"role\":\"user\",\"content\":"
                                 "\"C\"}]}";
    char earlier[256];
    assert_int_equal(encode(f, "gpt-5.6-sol", first), GW_OK);
    size_t len = (size_t)(strstr(f->call.body.ptr, "],\"include\"") - f->call.body.ptr);
    memcpy(earlier, f->call.body.ptr, len);
    assert_int_equal(encode(f, "gpt-5.6-sol", second), GW_OK);
    assert_memory_equal(f->call.body.ptr, earlier, len);
}

static void test_foreign_reasoning(void **state)
{
    static const struct {
        const char *body;
        const char *sent;
    } cases[] = {
        {"{\"input\":[{\"a\": 1.0},{\"type\":\"reasoning\",\"encrypted_content\":"
         "\"gatewire.thinking.X\"}, {\"type\":\"reasoning\",\"encrypted_content\":\"gAAA\"}]}",
         "{\"input\":[{\"a\": 1.0},{\"type\":\"reasoning\",\"encrypted_content\":\"gAAA\"}]}"},
        {"{\"input\":[{\"content\": \"gatewire.thinking.\"} ]}",
         "{\"input\":[{\"content\": \"gatewire.thinking.\"} ]}"},
        {"{\"input\":\"gatewire.x\"}", "{\"input\":\"gatewire.x\"}"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_str runs[GW_JSON_MAX_RUNS];
        struct gw_json_splice splice;
        struct gw_buf sent;
        struct gw_str body = gw_str_from_c(cases[i].body);
        gw_json_splice_init(&splice, body);
        assert_int_equal(gw_responses_drop_foreign(&f->arena, body, &splice), GW_OK);
        gw_buf_init(&sent, 1024);
        size_t count = gw_json_splice_runs(&splice, runs);
        for (size_t k = 0; k < count; k++) {
            (void)gw_buf_append(&sent, runs[k]);
        }
        (void)gw_buf_append_byte(&sent, '\0');
        assert_string_equal(sent.ptr, cases[i].sent);
        gw_buf_fini(&sent);
    }
}

static void test_rule(void **state)
{
    static const struct {
        const char *model;
        bool has_tools;
        const char *effort;
        bool chat;      /* for a client of chat completions */
        bool anthropic; /* for one of Anthropic's */
    } cases[] = {
        {"gpt-4o", true, NULL, false, false},
        {"gpt-5-mini", true, NULL, false, false},
        {"gpt-5.4", true, NULL, false, true},
        {"gpt-5.4", true, "\"high\"", true, true},
        {"gpt-5.6-sol", false, NULL, false, true},
        {"gpt-5.6-sol", true, NULL, true, true},
        {"gpt-5.6-sol", true, "null", true, true},
        {"gpt-5.6-sol", true, "\"none\"", false, true},
        {"openai/gpt-6-astra", true, NULL, true, true},
        {"gpt-5-pro", false, NULL, true, true},
        {"gpt-5.1-codex", false, NULL, true, true},
        {"codex-mini-latest", false, NULL, true, true},
        {"o3-pro", false, NULL, true, true},
        {"o3", true, NULL, false, false},
        {"gpt-5.4-chat", true, NULL, false, false},
    };
    (void)state;
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_llm_request request = {.task = GW_TASK_CHAT,
                                         .dialect = GW_DIALECT_OPENAI,
                                         .has_tools = cases[i].has_tools,
                                         .reasoning_effort = gw_str_from_c(cases[i].effort)};
        struct gw_str model = gw_str_from_c(cases[i].model);
        assert_int_equal(gw_openai_needs_responses(model, &request), cases[i].chat);
        request.dialect = GW_DIALECT_ANTHROPIC;
        assert_int_equal(gw_openai_needs_responses(model, &request), cases[i].anthropic);
        request.dialect = GW_DIALECT_RESPONSES;
        request.task = GW_TASK_RESPONSE;
        assert_false(gw_openai_needs_responses(model, &request));
        request.task = GW_TASK_EMBEDDING;
        assert_false(gw_openai_needs_responses(model, &request));
    }
}

/* ---- answers ---- */

static gw_on_event_fn write_event;
static enum gw_err write_event(void *user, const struct gw_event *event)
{
    struct gw_buf *out = user;
    static const char *const names[] = {
#define XX(id, name) name,
        GW_EVENT_MAP(XX)
#undef XX
    };
    (void)gw_buf_appendf(out, "%s", names[event->type]);
    switch (event->type) {
    case GW_EVENT_START:
        (void)gw_buf_appendf(out, " %.*s %.*s %llu", GW_STR_ARG(event->start.id),
                             GW_STR_ARG(event->start.model),
                             (unsigned long long)event->start.created_s);
        break;
    case GW_EVENT_TEXT:
    case GW_EVENT_REASONING:
    case GW_EVENT_REFUSAL:
        (void)gw_buf_appendf(out, " %.*s", GW_STR_ARG(event->text));
        if (event->logprobs.len > 0) {
            (void)gw_buf_appendf(out, " %.*s", GW_STR_ARG(event->logprobs));
        }
        break;
    case GW_EVENT_REASONING_SIGNATURE:
        (void)gw_buf_appendf(out, " %.*s %.*s", GW_STR_ARG(event->signature.id),
                             GW_STR_ARG(event->signature.value));
        break;
    case GW_EVENT_ANNOTATION:
        (void)gw_buf_appendf(out, " %.*s", GW_STR_ARG(event->annotation));
        break;
    case GW_EVENT_MEDIA:
        (void)gw_buf_appendf(out, " %.*s %.*s", GW_STR_ARG(event->media.mime_type),
                             GW_STR_ARG(event->media.base64));
        break;
    case GW_EVENT_TOOL_BEGIN:
        (void)gw_buf_appendf(out, " %u %.*s %.*s%s", event->tool.index, GW_STR_ARG(event->tool.id),
                             GW_STR_ARG(event->tool.name), event->tool.is_custom ? " custom" : "");
        break;
    case GW_EVENT_TOOL_ARGUMENTS:
        (void)gw_buf_appendf(out, " %u %.*s", event->arguments.index,
                             GW_STR_ARG(event->arguments.text));
        break;
    case GW_EVENT_TOOL_END:
        (void)gw_buf_appendf(out, " %u", event->index);
        break;
    case GW_EVENT_FINISH:
        (void)gw_buf_appendf(out, " %.*s", GW_STR_ARG(gw_finish_name(event->finish.reason)));
        break;
    case GW_EVENT_USAGE:
        (void)gw_buf_appendf(out, " %llu %llu %llu %llu",
                             (unsigned long long)event->usage.input_tokens,
                             (unsigned long long)event->usage.cached_tokens,
                             (unsigned long long)event->usage.output_tokens,
                             (unsigned long long)event->usage.reasoning_tokens);
        break;
    case GW_EVENT_ERROR:
        (void)gw_buf_appendf(out, " %u %.*s %.*s", event->error->status,
                             GW_STR_ARG(event->error->code), GW_STR_ARG(event->error->message));
        break;
    case GW_EVENT_REASONING_REDACTED:
    case GW_EVENT_PING:
    case GW_EVENT_END:
    case GW_EVENT_TYPE_COUNT:
        break;
    }
    (void)gw_buf_append_byte(out, '\n');
    return out->err;
}

/* Decodes |text| in parts: the first of |first| bytes, the others of |step|. */
static enum gw_err decode(const char *text, enum gw_decoder_mode mode, size_t first, size_t step,
                          struct gw_buf *out)
{
    struct gw_decoder_opts opts = {.mode = mode,
                                   .content_type = mode == GW_DECODE_PLAIN
                                                       ? GW_STR("application/json")
                                                       : GW_STR("text/event-stream"),
                                   .on_event = write_event,
                                   .user = out};
    struct gw_decoder *decoder = gw_api_responses.decoder_create(&opts);
    struct gw_str rest = gw_str_from_c(text);
    enum gw_err err = GW_OK;
    size_t part = first;
    assert_non_null(decoder);
    while (rest.len > 0 && err == GW_OK) {
        part = part > 0 && part < rest.len ? part : rest.len;
        err = gw_api_responses.feed(decoder, gw_str(rest.ptr, part));
        rest = gw_str_skip(rest, part);
        part = step;
    }
    err = err == GW_OK ? gw_api_responses.end(decoder) : err;
    (void)gw_buf_append_byte(out, '\0');
    gw_api_responses.decoder_destroy(decoder);
    return err;
}

static void assert_decoded(const char *text, enum gw_decoder_mode mode, const char *events)
{
    struct gw_buf out;
    gw_buf_init(&out, 1 << 20);
    assert_int_equal(decode(text, mode, 0, 0, &out), GW_OK);
    assert_string_equal(out.ptr, events);
    gw_buf_reset(&out);
    assert_int_equal(decode(text, mode, 1, 1, &out), GW_OK);
    assert_string_equal(out.ptr, events);
    for (size_t split = 1; split < strlen(text); split++) {
        gw_buf_reset(&out);
        assert_int_equal(decode(text, mode, split, 0, &out), GW_OK);
        assert_string_equal(out.ptr, events);
    }
    gw_buf_fini(&out);
}

#define EV(json) "event: x\ndata: " json "\n\n"
#define CREATED                                                                                    \
    EV("{\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\",\"model\":\"gpt-5.6-sol\"," \
       "\"created_at\":7,\"status\":\"in_progress\",\"output\":[]},\"sequence_number\":0}")
#define STARTED "start resp_1 gpt-5.6-sol 7\n"
#define USED                                                                                       \
    "\"usage\":{\"input_tokens\":9,\"input_tokens_details\":{\"cached_tokens\":4},"                \
    "\"output_tokens\":5,\"output_tokens_details\":{\"reasoning_tokens\":2},\"total_tokens\":14}"

static const char stream[] = CREATED EV("{\"type\":\"response.in_progress\",\"response\":{}}") EV(
    "{\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"id\":\"rs_1\","
    "\"type\":"
    "\"reasoning\",\"summary\":[]}}") EV("{\"type\":\"response.reasoning_summary_part.added\","
                                         "\"output_index\":0,\"summary_index\":0}")
    EV("{\"type\":\"response.reasoning_summary_text.delta\",\"delta\":\"One\",\"output_index\":0}")
        EV("{\"type\":\"response.reasoning_summary_text.done\",\"text\":\"One\",\"output_index\":"
           "0}") EV("{\"type\":\"response.reasoning_summary_part.added\",\"output_index\":0,"
                    "\"summary_index\":1}") EV("{\"type\":\"response.reasoning_summary_text."
                                               "delta\",\"delta\":\"Two\",\"output_index\":0}")
            EV("{\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":{\"id\":\"rs_"
               "1\","
               "\"type\":"
               "\"reasoning\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"One\"}],"
               "\"encrypted_content\":\"ENC\"}}") EV("{\"type\":\"response.output_item.added\","
                                                     "\"output_index\":1,\"item\":{\"id\":\"msg_"
                                                     "1\","
                                                     "\"type\":\"message\",\"content\":[]}}")
                EV("{\"type\":\"response.content_part.added\",\"output_index\":1}") EV(
                    "{\"type\":\"response.output_text.delta\",\"item_id\":\"msg_1\",\"output_"
                    "index\":1,"
                    "\"content_index\":0,\"delta\":\"H\\u00e4\",\"logprobs\":[],\"sequence_"
                    "number\":4}") EV("{\"type\":\"response.output_text.delta\",\"output_index\":1,"
                                      "\"delta\":\"!\","
                                      "\"logprobs\":[{"
                                      "\"token\":\"!\",\"logprob\":-1}]}")
                    EV("{\"type\":\"response.output_text."
                       "annotation.added\",\"annotation\":{"
                       "\"type\":\"url_citation\","
                       "\"url\":\"u\",\"title\":\"t\"}}") EV("{\"type\":\"response.output_item."
                                                             "done\",\"output_index\":1,\"item\":{"
                                                             "\"type\":\"message\","
                                                             "\"content\":[{\"type\":\"output_"
                                                             "text\",\"text\":\"again\"}]}}")
                        EV("{\"type\":\"response.web_search_call.searching\",\"output_index\":"
                           "2}")
                            EV("{\"type\":\"response.output_item.added\",\"output_index\":3,"
                               "\"item\":{\"id\":\"fc_1\",\"type\":"
                               "\"function_call\",\"call_id\":\"c1\",\"name\":\"f\",\"arguments\":"
                               "\"\"}}") EV("{\"type\":\"response.function_call_arguments.delta\","
                                            "\"output_index\":3,\"delta\":\"{\\\"a\"}")
                                EV("{\"type\":\"response.function_call_arguments.delta\",\"output_"
                                   "index\":3,\"delta\":\"\\\":1}\"}")
                                    EV("{\"type\":\"response.output_item.done\",\"output_index\":3,"
                                       "\"item\":{\"type\":"
                                       "\"function_call\",\"call_id\":\"c1\",\"name\":\"f\","
                                       "\"arguments\":\"{\\\"a\\\":1}\"}}")
                                        EV("{\"type\":\"response.output_item.done\",\"output_"
                                           "index\":4,\"item\":{\"type\":"
                                           "\"custom_tool_call\",\"call_id\":\"c2\",\"name\":\"p\","
                                           "\"input\":\"raw\"}}")
                                            EV("{\"type\":\"response.completed\",\"response\":{"
                                               "\"id\":\"resp_1\",\"status\":\"completed\","
                                               "\"error\":null,\"incomplete_details\":null,"
                                               "\"output\":[{\"type\":\"message\"}]," USED "}}")
                                                EV("{\"type\":\"response.output_text.delta\","
                                                   "\"delta\":\"late\"}");

static const char streamed[] = STARTED
    "reasoning One\nreasoning \n\n\nreasoning Two\nreasoning_signature rs_1 ENC\ntext H\xc3\xa4\n"
    "text ! [{\"token\":\"!\",\"logprob\":-1}]\n"
    "annotation {\"type\":\"url_citation\",\"url_citation\":{\"url\":\"u\",\"title\":\"t\"}}\n"
    "tool_begin 0 c1 f\ntool_arguments 0 {\"a\ntool_arguments 0 \":1}\ntool_end 0\n"
    "tool_begin 1 c2 p custom\ntool_arguments 1 raw\ntool_end 1\nfinish tool_calls\n"
    "usage 9 4 5 2\nend\n";

static void test_stream(void **state)
{
    (void)state;
    assert_decoded(stream, GW_DECODE_STREAM, streamed);
}

static void test_stream_ends(void **state)
{
    (void)state;
    assert_decoded(CREATED EV("{\"type\":\"response.refusal.delta\",\"delta\":\"No.\"}") EV(
                       "{\"type\":\"response.incomplete\",\"response\":{\"status\":"
                       "\"incomplete\",\"incomplete_details\":{\"reason\":\"max_output_tokens\"},"
                       "\"output\":[]}}"),
                   GW_DECODE_STREAM, STARTED "refusal No.\nfinish length\nend\n");
    assert_decoded(CREATED EV("{\"type\":\"response.incomplete\",\"response\":{"
                              "\"incomplete_details\":{\"reason\":\"content_filter\"},"
                              "\"output\":[]}}"),
                   GW_DECODE_STREAM, STARTED "finish content_filter\nend\n");
    assert_decoded(
        CREATED EV("{\"type\":\"response.failed\",\"response\":{\"status\":\"failed\","
                   "\"error\":{\"code\":\"rate_limit_exceeded\",\"message\":\"Slow.\"}}}"),
        GW_DECODE_STREAM, STARTED "error 429 rate_limit_exceeded Slow.\nend\n");
    assert_decoded(EV("{\"type\":\"error\",\"code\":\"server_error\",\"message\":\"Broken.\"}"),
                   GW_DECODE_STREAM, "error 502 server_error Broken.\nend\n");
    /* Nothing but the end tells the output. */
    assert_decoded(
        CREATED EV("{\"type\":\"response.completed\",\"response\":{\"output\":[{\"type\":"
                   "\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"Hi\"}]}]"
                   "}}"),
        GW_DECODE_STREAM, STARTED "text Hi\nfinish stop\nend\n");
}

static void test_plain(void **state)
{
    (void)state;
    assert_decoded(
        "{\"id\":\"resp_1\",\"object\":\"response\",\"created_at\":7,\"model\":\"gpt-5.6-sol\","
        "\"status\":\"completed\",\"error\":null,\"incomplete_details\":null,\"output\":[{\"type\":"
        "\"reasoning\",\"id\":\"rs_1\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"One\"},{"
        "\"type\":\"summary_text\",\"text\":\"Two\"}],\"encrypted_content\":\"ENC\"},{\"type\":"
        "\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"Hi\",\"annotations\":[{"
        "\"type\":"
        "\"url_citation\",\"url\":\"u\"}]},{\"type\":\"refusal\",\"refusal\":\"No.\"}]},{\"type\":"
        "\"function_call\",\"call_id\":\"c1\",\"name\":\"f\",\"arguments\":\"{}\"},{\"type\":"
        "\"image_generation_call\",\"result\":\"AAAA\",\"output_format\":\"webp\"}]," USED "}",
        GW_DECODE_PLAIN,
        STARTED "reasoning One\nreasoning \n\n\nreasoning Two\nreasoning_signature rs_1 ENC\n"
                "text Hi\nannotation {\"type\":\"url_citation\",\"url_citation\":{\"url\":\"u\"}}\n"
                "refusal No.\ntool_begin 0 c1 f\ntool_arguments 0 {}\ntool_end 0\n"
                "media image/webp AAAA\nfinish tool_calls\nusage 9 4 5 2\nend\n");
    assert_decoded(
        "{\"status\":\"failed\",\"error\":{\"code\":\"server_error\",\"message\":\"B\"}}",
        GW_DECODE_PLAIN, "error 502 server_error B\nend\n");
}

static void test_broken_answers(void **state)
{
    static const struct {
        const char *text;
        enum gw_decoder_mode mode;
        enum gw_err err;
    } cases[] = {
        {CREATED, GW_DECODE_STREAM, GW_ERR_EOF},
        {"", GW_DECODE_STREAM, GW_ERR_EOF},
        {"data: {\"type\":\n\n", GW_DECODE_STREAM, GW_ERR_PROTOCOL},
        {CREATED "data: {\"type\":\"resp", GW_DECODE_STREAM, GW_ERR_EOF},
        {"", GW_DECODE_PLAIN, GW_ERR_EOF},
        {"{\"id\":", GW_DECODE_PLAIN, GW_ERR_PROTOCOL},
        {"{\"id\":\"x\"}", GW_DECODE_PLAIN, GW_ERR_PROTOCOL},
    };
    (void)state;
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_buf out;
        gw_buf_init(&out, 1 << 16);
        assert_int_equal(decode(cases[i].text, cases[i].mode, 0, 0, &out), cases[i].err);
        gw_buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_goldens, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sampling_and_stream, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_call_ids, setup, teardown),
        cmocka_unit_test_setup_teardown(test_prefix, setup, teardown),
        cmocka_unit_test_setup_teardown(test_foreign_reasoning, setup, teardown),
        cmocka_unit_test(test_rule),
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_stream_ends),
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_broken_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
