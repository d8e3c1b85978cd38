/* SPDX-License-Identifier: MIT */
/*
 * dialect/responses_stream - event sequences: the page's own, what Codex and the SDKs need, and
 * each event against OpenAI's published schema ($GW_SHARED/data/openai-openapi.json).
 */
#include "dialect/responses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "json/schema.h"
#include "json/value.h"

#define TEXT(t)                                                                                    \
    {                                                                                              \
        .type = GW_EVENT_TEXT, .text = GW_STR_INIT(t)                                              \
    }
#define REASONING(t)                                                                               \
    {                                                                                              \
        .type = GW_EVENT_REASONING, .text = GW_STR_INIT(t)                                         \
    }
#define REFUSAL(t)                                                                                 \
    {                                                                                              \
        .type = GW_EVENT_REFUSAL, .text = GW_STR_INIT(t)                                           \
    }
#define START                                                                                      \
    {                                                                                              \
        .type = GW_EVENT_START, .start = {.created_s = 7 }                                         \
    }
#define END                                                                                        \
    {                                                                                              \
        .type = GW_EVENT_END                                                                       \
    }
#define FINISH(why)                                                                                \
    {                                                                                              \
        .type = GW_EVENT_FINISH, .finish = {.reason = GW_FINISH_##why }                            \
    }
#define USAGE(in, out, reasoning)                                                                  \
    {                                                                                              \
        .type = GW_EVENT_USAGE, .usage = {                                                         \
            .input_tokens = (in),                                                                  \
            .output_tokens = (out),                                                                \
            .reasoning_tokens = (reasoning),                                                       \
            .is_known = true                                                                       \
        }                                                                                          \
    }
#define BEGIN(n, i, f)                                                                             \
    {                                                                                              \
        .type = GW_EVENT_TOOL_BEGIN, .tool = {                                                     \
            .index = (n),                                                                          \
            .id = GW_STR_INIT(i),                                                                  \
            .name = GW_STR_INIT(f)                                                                 \
        }                                                                                          \
    }
#define ARGUMENTS(n, t)                                                                            \
    {                                                                                              \
        .type = GW_EVENT_TOOL_ARGUMENTS, .arguments = {.index = (n), .text = GW_STR_INIT(t) }      \
    }
#define TOOL_END(n)                                                                                \
    {                                                                                              \
        .type = GW_EVENT_TOOL_END, .index = (n)                                                    \
    }

struct run {
    struct gw_buf out;
    struct gw_buf result;
    struct gw_buf plain; /* the same as a plain answer */
};

static void run_init(struct run *run)
{
    gw_buf_init(&run->out, 1 << 24);
    gw_buf_init(&run->result, 1 << 24);
    gw_buf_init(&run->plain, 1 << 24);
}

static void run_fini(struct run *run)
{
    gw_buf_fini(&run->out);
    gw_buf_fini(&run->result);
    gw_buf_fini(&run->plain);
}

static void run_events(struct run *run, const char *chat, const struct gw_event *events,
                       size_t count)
{
    const struct gw_dialect *dialect = &gw_dialect_responses;
    yyjson_doc *doc = yyjson_read(chat, strlen(chat), 0);
    struct gw_encoder_opts opts = {.model = GW_STR("m"),
                                   .request_id = GW_STR("req_1"),
                                   .created_s = 1795255872,
                                   .chat = yyjson_doc_get_root(doc)};
    struct gw_encoder *encoder = dialect->encoder_create(&opts);
    struct gw_answer answer;
    struct gw_str result;
    bool has_error = false;
    assert_non_null(encoder);
    assert_non_null(doc);
    run_init(run);
    gw_answer_init(&answer);
    for (size_t i = 0; i < count; i++) {
        dialect->encode(encoder, &events[i], &run->out);
        has_error = has_error || events[i].type == GW_EVENT_ERROR;
        if (!has_error) {
            assert_int_equal(gw_answer_add(&answer, &events[i]), GW_OK);
        }
    }
    assert_int_equal(run->out.err, GW_OK);
    assert_true(gw_responses_result(encoder, &result));
    (void)gw_buf_append(&run->result, result);
    if (!has_error) {
        dialect->write_answer(&opts, &answer, &run->plain);
        assert_int_equal(run->plain.err, GW_OK);
    }
    (void)gw_buf_append_byte(&run->out, '\0');
    (void)gw_buf_append_byte(&run->result, '\0');
    (void)gw_buf_append_byte(&run->plain, '\0');
    gw_answer_fini(&answer);
    dialect->encoder_destroy(encoder);
    yyjson_doc_free(doc);
}

/* The stream without "event:" lines, sequence numbers (checked) and the response objects. */
static char *shorten(const struct run *run)
{
    static char text[1 << 16];
    size_t len = 0;
    uint64_t sequence = 0;
    char *copy = gw_strndup(run->out.ptr, strlen(run->out.ptr));
    char *rest = copy;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        if (strncmp(line, "data: ", 6) != 0) {
            continue;
        }
        char *number = strstr(line, ",\"sequence_number\":");
        assert_non_null(number);
        char expected_number[64];
        (void)snprintf(expected_number, sizeof(expected_number), ",\"sequence_number\":%llu}",
                       (unsigned long long)sequence++);
        assert_string_equal(number, expected_number);
        *number = '\0';
        char *response = strstr(line, ",\"response\":{");
        if (response != NULL) {
            *response = '\0';
        }
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\n",
                                line + strlen("data: {\"type\":"));
    }
    gw_free(copy);
    return text;
}

/* inbound.md C3: reasoning, text and one tool. */
static void test_page_example(void **state)
{
    static const struct gw_event events[] = {
        START,
        REASONING("fu"),
        REASONING("ll"),
        TEXT("Hi"),
        BEGIN(0, "call_1", "shell"),
        ARGUMENTS(0, "{\"cmd\":"),
        ARGUMENTS(0, "1}"),
        TOOL_END(0),
        FINISH(TOOL_CALLS),
        USAGE(9, 5, 2),
        END,
    };
    static const char expected[] =
        "\"response.created\"\n"
        "\"response.in_progress\"\n"
        "\"response.output_item.added\",\"output_index\":0,\"item\":{\"id\":\"rs_1_0\",\"type\":"
        "\"reasoning\",\"summary\":[]}\n"
        "\"response.reasoning_summary_part.added\",\"item_id\":\"rs_1_0\",\"output_index\":0,"
        "\"summary_index\":0,\"part\":{\"type\":\"summary_text\",\"text\":\"\"}\n"
        "\"response.reasoning_summary_text.delta\",\"item_id\":\"rs_1_0\",\"output_index\":0,"
        "\"summary_index\":0,\"delta\":\"fu\"\n"
        "\"response.reasoning_summary_text.delta\",\"item_id\":\"rs_1_0\",\"output_index\":0,"
        "\"summary_index\":0,\"delta\":\"ll\"\n"
        "\"response.reasoning_summary_text.done\",\"item_id\":\"rs_1_0\",\"output_index\":0,"
        "\"summary_index\":0,\"text\":\"full\"\n"
        "\"response.reasoning_summary_part.done\",\"item_id\":\"rs_1_0\",\"output_index\":0,"
        "\"summary_index\":0,\"part\":{\"type\":\"summary_text\",\"text\":\"full\"}\n"
        "\"response.output_item.done\",\"output_index\":0,\"item\":{\"id\":\"rs_1_0\",\"type\":"
        "\"reasoning\",\"summary\":[{\"type\":\"summary_text\",\"text\":\"full\"}],"
        "\"encrypted_content\":null}\n"
        "\"response.output_item.added\",\"output_index\":1,\"item\":{\"id\":\"msg_1_1\",\"type\":"
        "\"message\",\"status\":\"in_progress\",\"role\":\"assistant\",\"content\":[]}\n"
        "\"response.content_part.added\",\"item_id\":\"msg_1_1\",\"output_index\":1,"
        "\"content_index\":0,\"part\":{\"type\":\"output_text\",\"text\":\"\",\"annotations\":[],"
        "\"logprobs\":[]}\n"
        "\"response.output_text.delta\",\"item_id\":\"msg_1_1\",\"output_index\":1,"
        "\"content_index\":0,\"delta\":\"Hi\",\"logprobs\":[]\n"
        "\"response.output_text.done\",\"item_id\":\"msg_1_1\",\"output_index\":1,"
        "\"content_index\":0,\"text\":\"Hi\",\"logprobs\":[]\n"
        "\"response.content_part.done\",\"item_id\":\"msg_1_1\",\"output_index\":1,"
        "\"content_index\":0,\"part\":{\"type\":\"output_text\",\"text\":\"Hi\",\"annotations\":[],"
        "\"logprobs\":[]}\n"
        "\"response.output_item.done\",\"output_index\":1,\"item\":{\"id\":\"msg_1_1\",\"type\":"
        "\"message\",\"status\":\"completed\",\"role\":\"assistant\",\"content\":[{\"type\":"
        "\"output_text\",\"text\":\"Hi\",\"annotations\":[],\"logprobs\":[]}]}\n"
        "\"response.output_item.added\",\"output_index\":2,\"item\":{\"id\":\"fc_1_2\",\"type\":"
        "\"function_call\",\"status\":\"in_progress\",\"call_id\":\"call_1\",\"name\":\"shell\","
        "\"arguments\":\"\"}\n"
        "\"response.function_call_arguments.delta\",\"item_id\":\"fc_1_2\",\"output_index\":2,"
        "\"delta\":\"{\\\"cmd\\\":\"\n"
        "\"response.function_call_arguments.delta\",\"item_id\":\"fc_1_2\",\"output_index\":2,"
        "\"delta\":\"1}\"\n"
        "\"response.function_call_arguments.done\",\"item_id\":\"fc_1_2\",\"output_index\":2,"
        "\"name\":\"shell\",\"arguments\":\"{\\\"cmd\\\":1}\"\n"
        "\"response.output_item.done\",\"output_index\":2,\"item\":{\"id\":\"fc_1_2\",\"type\":"
        "\"function_call\",\"status\":\"completed\",\"call_id\":\"call_1\",\"name\":\"shell\","
        "\"arguments\":\"{\\\"cmd\\\":1}\"}\n"
        "\"response.completed\"\n";
    struct run run;
    (void)state;
    run_events(&run, "{}", events, GW_ARRAY_LEN(events));
    assert_string_equal(shorten(&run), expected);
    assert_string_equal(run.plain.ptr, run.result.ptr);
    assert_string_equal(
        run.result.ptr,
        "{\"id\":\"resp_1\",\"object\":\"response\",\"created_at\":1795255872,\"status\":"
        "\"completed\",\"background\":false,\"error\":null,\"incomplete_details\":null,\"output\":["
        "{\"id\":\"rs_1_0\",\"type\":\"reasoning\",\"summary\":[{\"type\":\"summary_text\","
        "\"text\":"
        "\"full\"}],\"encrypted_content\":null},{\"id\":\"msg_1_1\",\"type\":\"message\","
        "\"status\":"
        "\"completed\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":"
        "\"Hi\","
        "\"annotations\":[],\"logprobs\":[]}]},{\"id\":\"fc_1_2\",\"type\":\"function_call\","
        "\"status\":\"completed\",\"call_id\":\"call_1\",\"name\":\"shell\",\"arguments\":"
        "\"{\\\"cmd\\\":1}\"}],\"model\":\"m\",\"instructions\":null,\"max_output_tokens\":null,"
        "\"max_tool_calls\":null,\"parallel_tool_calls\":true,\"previous_response_id\":null,"
        "\"prompt_cache_key\":null,\"reasoning\":{\"effort\":null,\"summary\":null},"
        "\"safety_identifier\":null,\"store\":true,\"temperature\":1.0,\"tool_choice\":\"auto\","
        "\"top_logprobs\":0,\"top_p\":1.0,\"truncation\":\"disabled\",\"metadata\":{},\"text\":{"
        "\"format\":{\"type\":\"text\"}},\"tools\":[],\"usage\":{\"input_tokens\":9,"
        "\"input_tokens_details\":{\"cached_tokens\":0,\"cache_write_tokens\":0},\"output_tokens\":"
        "5,"
        "\"output_tokens_details\":{\"reasoning_tokens\":2},\"total_tokens\":14}}");
    run_fini(&run);
}

/* A request's members come back; a function's missing ones are named. */
static void test_echo(void **state)
{
    static const struct gw_event events[] = {START, TEXT("x"), END};
    struct run run;
    (void)state;
    run_events(
        &run,
        "{\"_echo\":{\"instructions\":\"I\",\"temperature\":0.25,\"store\":false,\"tools\":[{"
        "\"type\":\"function\",\"name\":\"f\"}],\"text\":{\"verbosity\":\"low\"},"
        "\"metadata\":{\"a\":\"b\"},\"previous_response_id\":\"resp_0\"}}",
        events, GW_ARRAY_LEN(events));
    assert_non_null(strstr(run.result.ptr, "\"instructions\":\"I\""));
    assert_non_null(strstr(run.result.ptr, "\"temperature\":0.25"));
    assert_non_null(strstr(run.result.ptr, "\"store\":false"));
    assert_non_null(strstr(run.result.ptr, "\"tools\":[{\"type\":\"function\",\"name\":\"f\","
                                           "\"strict\":false,\"parameters\":null}]"));
    assert_non_null(
        strstr(run.result.ptr, "\"text\":{\"format\":{\"type\":\"text\"},\"verbosity\":\"low\"}"));
    assert_non_null(strstr(run.result.ptr, "\"previous_response_id\":\"resp_0\""));
    assert_null(strstr(run.result.ptr, "\"usage\""));
    run_fini(&run);
}

static const char custom_chat[] =
    "{\"tools\":[{\"type\":\"custom\",\"custom\":{\"name\":\"apply_patch\"}},{\"type\":"
    "\"function\","
    "\"function\":{\"name\":\"crm__get\"}}],\"_namespaces\":{\"crm__get\":{\"namespace\":\"crm\","
    "\"name\":\"get\"}}}";

/* A provider without custom tools was shown a function: its arguments become the input again. */
static void test_wrapped_custom_tool(void **state)
{
    static const struct gw_event events[] = {
        START,
        BEGIN(0, "c0", "apply_patch"),
        ARGUMENTS(0, "{\"inp"),
        ARGUMENTS(0, "ut\":\"*** \\\"A\\\"\\n\"}"),
        BEGIN(1, "", "crm__get"),
        FINISH(TOOL_CALLS),
        END,
    };
    static const char expected[] =
        "\"response.created\"\n"
        "\"response.in_progress\"\n"
        "\"response.output_item.added\",\"output_index\":0,\"item\":{\"id\":\"ctc_1_0\",\"type\":"
        "\"custom_tool_call\",\"status\":\"in_progress\",\"call_id\":\"c0\",\"name\":"
        "\"apply_patch\",\"input\":\"\"}\n"
        "\"response.custom_tool_call_input.delta\",\"item_id\":\"ctc_1_0\",\"output_index\":0,"
        "\"delta\":\"*** \\\"A\\\"\\n\"\n"
        "\"response.custom_tool_call_input.done\",\"item_id\":\"ctc_1_0\",\"output_index\":0,"
        "\"input\":\"*** \\\"A\\\"\\n\"\n"
        "\"response.output_item.done\",\"output_index\":0,\"item\":{\"id\":\"ctc_1_0\",\"type\":"
        "\"custom_tool_call\",\"status\":\"completed\",\"call_id\":\"c0\",\"name\":\"apply_patch\","
        "\"input\":\"*** \\\"A\\\"\\n\"}\n"
        "\"response.output_item.added\",\"output_index\":1,\"item\":{\"id\":\"fc_1_1\",\"type\":"
        "\"function_call\",\"status\":\"in_progress\",\"call_id\":\"call_req_1_1\",\"name\":"
        "\"get\","
        "\"namespace\":\"crm\",\"arguments\":\"\"}\n"
        "\"response.function_call_arguments.delta\",\"item_id\":\"fc_1_1\",\"output_index\":1,"
        "\"delta\":\"{}\"\n"
        "\"response.function_call_arguments.done\",\"item_id\":\"fc_1_1\",\"output_index\":1,"
        "\"name\":\"get\",\"arguments\":\"{}\"\n"
        "\"response.output_item.done\",\"output_index\":1,\"item\":{\"id\":\"fc_1_1\",\"type\":"
        "\"function_call\",\"status\":\"completed\",\"call_id\":\"call_req_1_1\",\"name\":\"get\","
        "\"namespace\":\"crm\",\"arguments\":\"{}\"}\n"
        "\"response.completed\"\n";
    struct run run;
    (void)state;
    run_events(&run, custom_chat, events, GW_ARRAY_LEN(events));
    assert_string_equal(shorten(&run), expected);
    assert_string_equal(run.plain.ptr, run.result.ptr);
    run_fini(&run);
}

static void test_native_custom_tool(void **state)
{
    static const struct gw_event events[] = {
        START,
        {.type = GW_EVENT_TOOL_BEGIN,
         .tool = {.id = GW_STR_INIT("c0"), .name = GW_STR_INIT("apply_patch"), .is_custom = true}},
        ARGUMENTS(0, "{\"input\":"),
        ARGUMENTS(0, "1}"),
        END,
    };
    struct run run;
    (void)state;
    run_events(&run, custom_chat, events, GW_ARRAY_LEN(events));
    assert_non_null(strstr(run.result.ptr, "\"input\":\"{\\\"input\\\":1}\""));
    assert_string_equal(run.plain.ptr, run.result.ptr);
    run_fini(&run);
}

/* Calls whose arguments come mixed are open beside each other; nothing is held back or lost. */
static void test_interleaved_calls(void **state)
{
    static const struct gw_event events[] = {
        START,
        BEGIN(0, "a", "f"),
        ARGUMENTS(0, "{\"x\":"),
        BEGIN(1, "b", "g"),
        ARGUMENTS(1, "{}"),
        ARGUMENTS(0, "1}"),
        FINISH(TOOL_CALLS),
        END,
    };
    struct run run;
    (void)state;
    run_events(&run, "{}", events, GW_ARRAY_LEN(events));
    assert_non_null(strstr(run.result.ptr, "\"call_id\":\"a\",\"name\":\"f\",\"arguments\":"
                                           "\"{\\\"x\\\":1}\"},{\"id\":\"fc_1_1\""));
    assert_non_null(
        strstr(run.result.ptr, "\"call_id\":\"b\",\"name\":\"g\",\"arguments\":\"{}\"}]"));
    run_fini(&run);
}

static void test_signatures(void **state)
{
    static const struct gw_event events[] = {
        START,
        REASONING("So"),
        {.type = GW_EVENT_REASONING_SIGNATURE,
         .signature = {.value = GW_STR_INIT("SIG"), .signer = GW_SIGNER_ANTHROPIC}},
        {.type = GW_EVENT_REASONING_REDACTED,
         .signature = {.value = GW_STR_INIT("XYZ"), .signer = GW_SIGNER_ANTHROPIC}},
        REASONING("go"),
        {.type = GW_EVENT_TOOL_BEGIN,
         .tool = {.id = GW_STR_INIT("c"),
                  .name = GW_STR_INIT("f"),
                  .thought_signature = GW_STR_INIT("GS")}},
        END,
    };
    struct run run;
    (void)state;
    run_events(&run, "{}", events, GW_ARRAY_LEN(events));
    assert_non_null(strstr(run.result.ptr, "\"text\":\"So\"}],\"encrypted_content\":"
                                           "\"gatewire.thinking.SIG\"}"));
    assert_non_null(
        strstr(run.result.ptr, "\"summary\":[],\"encrypted_content\":\"gatewire.redacted.XYZ\"}"));
    assert_non_null(
        strstr(run.result.ptr, "\"text\":\"go\"}],\"encrypted_content\":\"gatewire.google.GS\"}"));
    assert_string_equal(run.plain.ptr, run.result.ptr);
    run_fini(&run);
}

static void test_refusal_and_incomplete(void **state)
{
    static const struct gw_event refusal[] = {START, TEXT("a"), REFUSAL("No."), FINISH(STOP), END};
    static const struct gw_event cut[] = {START, TEXT("a"), FINISH(LENGTH), END};
    static const struct gw_event filtered[] = {START, TEXT("a"), FINISH(CONTENT_FILTER), END};
    struct run run;
    (void)state;
    run_events(&run, "{}", refusal, GW_ARRAY_LEN(refusal));
    assert_non_null(strstr(run.result.ptr, "\"logprobs\":[]},{\"type\":\"refusal\",\"refusal\":"
                                           "\"No.\"}]}]"));
    assert_non_null(strstr(run.out.ptr, "event: response.refusal.done\n"));
    run_fini(&run);
    run_events(&run, "{}", cut, GW_ARRAY_LEN(cut));
    assert_non_null(strstr(run.out.ptr, "event: response.incomplete\n"));
    assert_null(strstr(run.out.ptr, "event: response.completed\n"));
    assert_non_null(strstr(run.result.ptr, "\"status\":\"incomplete\",\"background\":false,"
                                           "\"error\":null,\"incomplete_details\":{\"reason\":"
                                           "\"max_output_tokens\"}"));
    run_fini(&run);
    run_events(&run, "{}", filtered, GW_ARRAY_LEN(filtered));
    assert_non_null(strstr(run.result.ptr, "{\"reason\":\"content_filter\"}"));
    run_fini(&run);
}

static void test_failure(void **state)
{
    static const struct gw_error error = {.class = GW_ERROR_LIMIT,
                                          .status = 429,
                                          .retry_after_s = 2,
                                          .message = GW_STR_INIT("Too fast.")};
    const struct gw_event events[] = {
        START, TEXT("a"), {.type = GW_EVENT_ERROR, .error = &error}, TEXT("b"), END};
    struct run run;
    struct gw_buf out;
    (void)state;
    run_events(&run, "{}", events, GW_ARRAY_LEN(events));
    assert_non_null(strstr(run.out.ptr, "event: response.failed\n"));
    assert_non_null(strstr(run.result.ptr,
                           "\"status\":\"failed\",\"background\":false,\"error\":{\"code\":"
                           "\"rate_limit_exceeded\",\"message\":\"Too fast. Please try again in "
                           "2s.\"}"));
    assert_null(strstr(run.out.ptr, "\"delta\":\"b\""));
    assert_null(strstr(run.out.ptr, "response.completed"));
    run_fini(&run);
    gw_buf_init(&out, 1 << 16);
    gw_dialect_responses.write_error_event(&error, GW_STR("req_2"), &out);
    (void)gw_buf_append_byte(&out, '\0');
    assert_int_equal(strncmp(out.ptr,
                             "event: response.failed\ndata: {\"type\":\"response.failed\","
                             "\"response\":{\"id\":\"resp_2\"",
                             70),
                     0);
    gw_buf_fini(&out);
}

/* ---- every event against OpenAI's schemas ---- */

static const char schema_chat[] =
    "{\"_echo\":{\"instructions\":\"I\",\"temperature\":0.5,\"tools\":[{\"type\":\"function\","
    "\"name\":\"f\",\"parameters\":{\"type\":\"object\"}},{\"type\":\"custom\",\"name\":"
    "\"apply_patch\"}],\"tool_choice\":{\"type\":\"function\",\"name\":\"f\"},\"reasoning\":{"
    "\"effort\":\"high\"},\"text\":{\"format\":{\"type\":\"json_object\"}}},\"tools\":[{\"type\":"
    "\"custom\",\"custom\":{\"name\":\"apply_patch\"}}]}";

static const struct gw_error upstream_error = {
    .class = GW_ERROR_UPSTREAM, .status = 502, .message = GW_STR_INIT("It broke.")};

static const struct gw_event everything[] = {
    START,
    REASONING("So"),
    {.type = GW_EVENT_REASONING_SIGNATURE,
     .signature = {.value = GW_STR_INIT("S"), .signer = GW_SIGNER_ANTHROPIC}},
    {.type = GW_EVENT_TEXT,
     .text = GW_STR_INIT("Hi"),
     .logprobs = GW_STR_INIT("[{\"token\":\"Hi\",\"logprob\":-0.5,\"bytes\":[72,105],"
                             "\"top_logprobs\":[]}]")},
    {.type = GW_EVENT_ANNOTATION,
     .annotation = GW_STR_INIT(
         "{\"type\":\"url_citation\",\"url_citation\":{\"start_index\":0,\"end_index\":2,"
         "\"url\":\"https://a\",\"title\":\"A\"}}")},
    REFUSAL("No."),
    {.type = GW_EVENT_PING},
    {.type = GW_EVENT_MEDIA,
     .media = {.mime_type = GW_STR_INIT("image/png"), .base64 = GW_STR_INIT("AAAA")}},
    BEGIN(0, "c0", "f"),
    ARGUMENTS(0, "{\"a\":1}"),
    BEGIN(1, "c1", "apply_patch"),
    ARGUMENTS(1, "{\"input\":\"x\"}"),
    TOOL_END(1),
    FINISH(LENGTH),
    USAGE(1, 2, 0),
    END,
};

static const struct gw_event completed[] = {START, TEXT("a"), FINISH(STOP), USAGE(1, 1, 0), END};
static const struct gw_event failed[] = {
    START, TEXT("a"), {.type = GW_EVENT_ERROR, .error = &upstream_error}};

struct judge {
    yyjson_doc *openapi;
    struct gw_arena arena;
    const char *names[64];
    struct gw_schema *schemas[64];
    size_t count;
};

/* The name of the schema of events of that type. */
static const char *name_of(const struct judge *judge, const char *type)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    yyjson_val *schemas = yyjson_doc_ptr_get(judge->openapi, "/components/schemas");
    yyjson_obj_foreach(schemas, index, max, key, value)
    {
        yyjson_val *only = yyjson_ptr_get(value, "/properties/type/enum/0");
        if (yyjson_ptr_get(value, "/properties/sequence_number") != NULL &&
            yyjson_equals_str(only, type)) {
            return yyjson_get_str(key);
        }
    }
    fail_msg("no schema for events of type %s", type);
    return NULL;
}

static const struct gw_schema *schema_of(struct judge *judge, const char *type)
{
    const char *name = name_of(judge, type);
    char root[256];
    struct gw_str message = {0};
    for (size_t i = 0; i < judge->count; i++) {
        if (judge->names[i] == name) {
            return judge->schemas[i];
        }
    }
    (void)snprintf(root, sizeof(root), "{\"$ref\":\"file:///api.json#/components/schemas/%s\"}",
                   name);
    yyjson_doc *doc = yyjson_read(root, strlen(root), 0);
    struct gw_schema_document document = {.uri = GW_STR("file:///api.json"),
                                          .root = yyjson_doc_get_root(judge->openapi)};
    struct gw_schema_opts opts = {.documents = &document, .document_count = 1};
    if (gw_schema_create(yyjson_doc_get_root(doc), &opts, &judge->arena,
                         &judge->schemas[judge->count], &message) != GW_OK) {
        fail_msg("%s: %.*s", name, (int)message.len, message.ptr);
    }
    judge->names[judge->count] = name;
    yyjson_doc_free(doc);
    return judge->schemas[judge->count++];
}

static void judge_event(struct judge *judge, const char *line)
{
    static struct gw_schema_report report;
    yyjson_doc *doc = yyjson_read(line, strlen(line), 0);
    assert_non_null(doc);
    yyjson_val *root = yyjson_doc_get_root(doc);
    const char *type = yyjson_get_str(yyjson_obj_get(root, "type"));
    if (!gw_schema_check(schema_of(judge, type), root, &judge->arena, &report)) {
        fail_msg("%s: %.*s %.*s", type, (int)report.errors[0].instance_path.len,
                 report.errors[0].instance_path.ptr, (int)report.errors[0].message.len,
                 report.errors[0].message.ptr);
    }
    yyjson_doc_free(doc);
}

static void judge_stream(struct judge *judge, const struct gw_event *events, size_t count)
{
    struct run run;
    unsigned lines = 0;
    run_events(&run, schema_chat, events, count);
    char *rest = run.out.ptr;
    for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
        if (strncmp(line, "data: ", 6) == 0) {
            judge_event(judge, line + 6);
            lines++;
        }
    }
    assert_true(lines > 5);
    run_fini(&run);
}

static void test_schemas(void **state)
{
    struct judge judge = {0};
    char path[1024];
    const char *shared = getenv("GW_SHARED");
    (void)state;
    (void)snprintf(path, sizeof(path), "%s/data/openai-openapi.json",
                   shared != NULL ? shared : ".");
    judge.openapi = yyjson_read_file(path, 0, NULL, NULL);
    if (judge.openapi == NULL) {
        print_message("skipped: %s is not there\n", path);
        skip();
    }
    gw_arena_init(&judge.arena, NULL, 0, 1 << 16, 1 << 26);
    judge_stream(&judge, everything, GW_ARRAY_LEN(everything));
    judge_stream(&judge, completed, GW_ARRAY_LEN(completed));
    judge_stream(&judge, failed, GW_ARRAY_LEN(failed));
    for (size_t i = 0; i < judge.count; i++) {
        gw_schema_destroy(&judge.schemas[i]);
    }
    gw_arena_fini(&judge.arena);
    yyjson_doc_free(judge.openapi);
}

/* Each allocation that fails ends the answer, never in half of one that looks whole. */
static void test_no_memory(void **state)
{
    const struct gw_dialect *dialect = &gw_dialect_responses;
    (void)state;
    for (uint64_t nth = 1; nth < 60; nth++) {
        struct gw_encoder_opts opts = {.model = GW_STR("m"), .request_id = GW_STR("req_1")};
        struct gw_buf out;
        struct gw_str result;
        gw_buf_init(&out, 1 << 20);
        gw_alloc_fail_at(nth);
        struct gw_encoder *encoder = dialect->encoder_create(&opts);
        for (size_t i = 0; encoder != NULL && i < GW_ARRAY_LEN(everything); i++) {
            dialect->encode(encoder, &everything[i], &out);
        }
        gw_alloc_fail_at(0);
        assert_true(encoder == NULL || out.err == GW_ERR_NOMEM ||
                    gw_responses_result(encoder, &result));
        dialect->encoder_destroy(encoder);
        gw_buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page_example),
        cmocka_unit_test(test_echo),
        cmocka_unit_test(test_wrapped_custom_tool),
        cmocka_unit_test(test_native_custom_tool),
        cmocka_unit_test(test_interleaved_calls),
        cmocka_unit_test(test_signatures),
        cmocka_unit_test(test_refusal_and_incomplete),
        cmocka_unit_test(test_failure),
        cmocka_unit_test(test_schemas),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
