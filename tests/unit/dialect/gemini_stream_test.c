/* SPDX-License-Identifier: MIT */
/* dialect/gemini - events as Gemini's clients get them: streamed in both forms, and whole. */
#include "dialect/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "json/value.h"

#define NAMES "\"modelVersion\":\"m\",\"responseId\":\"id1\"}"
#define CHUNK(part)                                                                                \
    "{\"candidates\":[{\"content\":{\"parts\":[" part "],\"role\":\"model\"},\"index\":0}]," NAMES
#define LAST(reason, rest)                                                                         \
    "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"},"              \
    "\"finishReason\":\"" reason "\",\"index\":0" rest NAMES
#define USAGE                                                                                      \
    "}],\"usageMetadata\":{\"promptTokenCount\":10,\"candidatesTokenCount\":5,"                    \
    "\"thoughtsTokenCount\":2,\"cachedContentTokenCount\":4,\"totalTokenCount\":17},"

static const struct gw_usage usage = {.input_tokens = 10,
                                      .cached_tokens = 4,
                                      .output_tokens = 7,
                                      .reasoning_tokens = 2,
                                      .is_known = true};

static const struct gw_error failure = {.class = GW_ERROR_OVERLOADED,
                                        .status = 503,
                                        .retry_after_s = 5,
                                        .message = GW_STR_INIT("Busy.")};

#define START                                                                                      \
    {                                                                                              \
        .type = GW_EVENT_START, .start.id = GW_STR_INIT("id1")                                     \
    }
#define TEXT(x)                                                                                    \
    {                                                                                              \
        .type = GW_EVENT_TEXT, .text = GW_STR_INIT(x)                                              \
    }
#define FINISH(x)                                                                                  \
    {                                                                                              \
        .type = GW_EVENT_FINISH, .finish.reason = GW_FINISH_##x                                    \
    }
#define END                                                                                        \
    {                                                                                              \
        .type = GW_EVENT_END                                                                       \
    }
#define ARGUMENTS(i, x)                                                                            \
    {                                                                                              \
        .type = GW_EVENT_TOOL_ARGUMENTS, .arguments = {.index = (i), .text = GW_STR_INIT(x) }      \
    }

static void encode(const struct gw_llm_request *request, const struct gw_event *events,
                   size_t count, const char *expected)
{
    struct gw_encoder_opts opts = {
        .model = GW_STR("m"), .request_id = GW_STR("req"), .request = request};
    struct gw_encoder *encoder = gw_dialect_gemini.encoder_create(&opts);
    struct gw_buf out;
    gw_buf_init(&out, 1 << 20);
    assert_non_null(encoder);
    for (size_t i = 0; i < count; i++) {
        gw_dialect_gemini.encode(encoder, &events[i], &out);
    }
    assert_int_equal(out.err, GW_OK);
    (void)gw_buf_append_byte(&out, '\0');
    assert_string_equal(out.ptr, expected);
    gw_dialect_gemini.encoder_destroy(encoder);
    gw_buf_fini(&out);
}

static void answer(const struct gw_llm_request *request, const struct gw_event *events,
                   size_t count, const char *expected)
{
    struct gw_encoder_opts opts = {
        .model = GW_STR("m"), .request_id = GW_STR("req"), .request = request};
    struct gw_answer whole;
    struct gw_buf out;
    gw_answer_init(&whole);
    gw_buf_init(&out, 1 << 20);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(gw_answer_add(&whole, &events[i]), GW_OK);
    }
    gw_dialect_gemini.write_answer(&opts, &whole, &out);
    assert_int_equal(out.err, GW_OK);
    (void)gw_buf_append_byte(&out, '\0');
    assert_string_equal(out.ptr, expected);
    gw_answer_fini(&whole);
    gw_buf_fini(&out);
}

static void test_text(void **state)
{
    (void)state;
    const struct gw_event events[] = {
        START, TEXT("a\"\n"), TEXT("b"), FINISH(STOP), {.type = GW_EVENT_USAGE, .usage = usage},
        END};
    struct gw_llm_request request = {.is_stream = true};
    encode(&request, events, GW_ARRAY_LEN(events),
           "data: " CHUNK("{\"text\":\"a\\\"\\n\"}") "\r\n\r\n"
                                                     "data: " CHUNK(
                                                         "{\"text\":\"b\"}") "\r\n\r\n"
                                                                             "data: " LAST(
                                                                                 "STOP",
                                                                                 USAGE) "\r\n\r\n");
    answer(&request, events, GW_ARRAY_LEN(events),
           "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\\\"\\nb\"}],\"role\":"
           "\"model\"},\"finishReason\":\"STOP\",\"index\":0" USAGE NAMES);
    request.is_json_array = true;
    encode(&request, events, GW_ARRAY_LEN(events),
           "[" CHUNK("{\"text\":\"a\\\"\\n\"}") ",\r\n" CHUNK("{\"text\":\"b\"}") ",\r\n" LAST(
               "STOP", USAGE) "]");
}

static void test_tools(void **state)
{
    (void)state;
    const struct gw_event events[] = {
        START,
        {.type = GW_EVENT_TOOL_BEGIN,
         .tool = {.index = 0, .id = GW_STR_INIT("c1"), .name = GW_STR_INIT("f")}},
        {.type = GW_EVENT_TOOL_BEGIN,
         .tool = {.index = 1, .name = GW_STR_INIT("g"), .thought_signature = GW_STR_INIT("c2ln")}},
        ARGUMENTS(1, "{\"b\""),
        ARGUMENTS(0, "{\"a\":"),
        ARGUMENTS(0, " 1}"),
        {.type = GW_EVENT_TOOL_END, .index = 0},
        ARGUMENTS(1, ":2}"),
        FINISH(TOOL_CALLS),
        END};
#define CALL_F "{\"functionCall\":{\"id\":\"c1\",\"name\":\"f\",\"args\":{\"a\": 1}}}"
#define CALL_G                                                                                     \
    "{\"functionCall\":{\"name\":\"g\",\"args\":{\"b\":2}},\"thoughtSignature\":\"c2ln\"}"
    encode(NULL, events, GW_ARRAY_LEN(events),
           "data: " CHUNK(CALL_F) "\r\n\r\ndata: " CHUNK(CALL_G) "\r\n\r\n"
                                                                 "data: " LAST("STOP",
                                                                               "}],") "\r\n\r\n");
    answer(NULL, events, GW_ARRAY_LEN(events),
           "{\"candidates\":[{\"content\":{\"parts\":[" CALL_F "," CALL_G "],\"role\":\"model\"},"
           "\"finishReason\":\"STOP\",\"index\":0}]," NAMES);
}

static void test_bad_arguments(void **state)
{
    (void)state;
    const struct gw_event events[] = {
        START,
        {.type = GW_EVENT_TOOL_BEGIN, .tool = {.name = GW_STR_INIT("f")}},
        ARGUMENTS(0, "{\"a\":"),
        {.type = GW_EVENT_TOOL_END, .index = 0},
        {.type = GW_EVENT_TOOL_BEGIN,
         .tool = {.index = 1, .name = GW_STR_INIT("p"), .is_custom = true}},
        ARGUMENTS(1, "x\n"),
        FINISH(LENGTH),
        END};
#define EMPTY_F  "{\"functionCall\":{\"name\":\"f\",\"args\":{}}}"
#define CUSTOM_P "{\"functionCall\":{\"name\":\"p\",\"args\":{\"input\":\"x\\n\"}}}"
#define CUT      LAST("MAX_TOKENS", "}],")
    encode(NULL, events, GW_ARRAY_LEN(events),
           "data: " CHUNK(EMPTY_F) "\r\n\r\n"
                                   "data: " CHUNK(CUSTOM_P) "\r\n\r\ndata: " CUT "\r\n\r\n");
}

static void test_reasoning(void **state)
{
    (void)state;
    const struct gw_event events[] = {
        START,
        {.type = GW_EVENT_REASONING, .text = GW_STR_INIT("hm")},
        {.type = GW_EVENT_REASONING_SIGNATURE,
         .signature = {.value = GW_STR_INIT("s"), .signer = GW_SIGNER_ANTHROPIC}},
        TEXT("x"),
        {.type = GW_EVENT_REASONING_SIGNATURE,
         .signature = {.value = GW_STR_INIT("c2ln"), .signer = GW_SIGNER_GOOGLE}},
        FINISH(CONTENT_FILTER),
        END};
#define THOUGHT   "{\"text\":\"hm\",\"thought\":true}"
#define SIGNATURE "{\"text\":\"\",\"thoughtSignature\":\"c2ln\"}"
    struct gw_llm_request request = {0};
    encode(&request, events, GW_ARRAY_LEN(events),
           "data: " CHUNK(THOUGHT) "\r\n\r\ndata: " CHUNK(
               "{\"text\":\"x\"}") "\r\n\r\n"
                                   "data: " CHUNK(SIGNATURE) "\r\n\r\ndata: " LAST(
                                       "SAFETY", "}],") "\r\n\r\n");
    answer(&request, events, GW_ARRAY_LEN(events),
           "{\"candidates\":[{\"content\":{\"parts\":[" THOUGHT ",{\"text\":\"x\"}," SIGNATURE
           "],\"role\":\"model\"},\"finishReason\":\"SAFETY\",\"index\":0}]," NAMES);
    request.hides_reasoning = true;
    encode(&request, events, GW_ARRAY_LEN(events),
           "data: " CHUNK("{\"text\":\"x\"}") "\r\n\r\ndata: " CHUNK(
               SIGNATURE) "\r\n\r\n"
                          "data: " LAST("SAFETY", "}],") "\r\n\r\n");
}

#define LOGPROBS                                                                                   \
    "[{\"token\":\"x\",\"logprob\":-0.5,\"bytes\":[120],\"top_logprobs\":[{\"token\":\"y\","       \
    "\"logprob\":-1}]}]"
#define RESULT                                                                                     \
    ",\"logprobsResult\":{\"chosenCandidates\":[{\"token\":\"x\",\"logProbability\":-0.5}],"       \
    "\"topCandidates\":[{\"candidates\":[{\"token\":\"y\",\"logProbability\":-1}]}]}"
#define GROUNDING                                                                                  \
    ",\"groundingMetadata\":{\"groundingChunks\":[{\"web\":{\"uri\":\"https://a\",\"title\":"      \
    "\"A\"}}]}}],"

static void test_extras(void **state)
{
    (void)state;
    const struct gw_event events[] = {
        START,
        {.type = GW_EVENT_TEXT, .text = GW_STR_INIT("x"), .logprobs = GW_STR_INIT(LOGPROBS)},
        {.type = GW_EVENT_MEDIA,
         .media = {.mime_type = GW_STR_INIT("image/png"), .base64 = GW_STR_INIT("iVBO")}},
        {.type = GW_EVENT_ANNOTATION,
         .annotation = GW_STR_INIT("{\"type\":\"url_citation\",\"url_citation\":{\"url\":"
                                   "\"https://a\",\"title\":\"A\"}}")},
        {.type = GW_EVENT_PING},
        END};
#define MEDIA "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"iVBO\"}}"
    encode(NULL, events, GW_ARRAY_LEN(events),
           "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"x\"}],\"role\":\"model\"},"
           "\"index\":0" RESULT "}]," NAMES "\r\n\r\n"
           "data: " CHUNK(MEDIA) "\r\n\r\ndata: " LAST("STOP", GROUNDING) "\r\n\r\n");
    answer(NULL, events, GW_ARRAY_LEN(events),
           "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"x\"}," MEDIA "],\"role\":"
           "\"model\"},\"finishReason\":\"STOP\",\"index\":0" RESULT GROUNDING NAMES);
}

#define ERROR                                                                                      \
    "{\"error\":{\"code\":503,\"message\":\"Busy.\",\"status\":\"UNAVAILABLE\",\"details\":[{"     \
    "\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"5s\"}]}}"

static void test_error(void **state)
{
    (void)state;
    const struct gw_event events[] = {
        START, TEXT("a"), {.type = GW_EVENT_ERROR, .error = &failure}, END};
    struct gw_llm_request request = {.is_json_array = true};
    encode(NULL, events, GW_ARRAY_LEN(events),
           "data: " CHUNK("{\"text\":\"a\"}") "\r\n\r\ndata: " ERROR "\r\n\r\n");
    encode(&request, events, GW_ARRAY_LEN(events), "[" CHUNK("{\"text\":\"a\"}") ",\r\n" ERROR "]");
    encode(&request, &events[2], 1, "[" ERROR "]");
    struct gw_buf out;
    gw_buf_init(&out, 4096);
    gw_dialect_gemini.write_error_event(&failure, GW_STR("req"), &out);
    assert_true(gw_str_eq(gw_buf_str(&out), GW_STR("data: " ERROR "\r\n\r\n")));
    gw_buf_reset(&out);
    struct gw_error wrong = {.status = 400,
                             .code = GW_STR("invalid_type"),
                             .param = GW_STR("contents"),
                             .message = GW_STR("No.")};
    gw_dialect_gemini.write_error(&wrong, GW_STR("req"), &out);
    assert_true(gw_str_eq(
        gw_buf_str(&out),
        GW_STR("{\"error\":{\"code\":400,\"message\":\"No.\",\"status\":\"INVALID_ARGUMENT\","
               "\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":"
               "\"invalid_type\",\"domain\":\"gatewire\"},{\"@type\":"
               "\"type.googleapis.com/google.rpc.BadRequest\",\"fieldViolations\":[{\"field\":"
               "\"contents\",\"description\":\"No.\"}]}]}}")));
    gw_buf_fini(&out);
}

static void test_status_names(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        const char *name;
    } names[] = {{401, "UNAUTHENTICATED"},    {403, "PERMISSION_DENIED"}, {404, "NOT_FOUND"},
                 {429, "RESOURCE_EXHAUSTED"}, {500, "INTERNAL"},          {502, "UNAVAILABLE"},
                 {504, "DEADLINE_EXCEEDED"},  {413, "INVALID_ARGUMENT"}};
    for (size_t i = 0; i < GW_ARRAY_LEN(names); i++) {
        struct gw_error error = {.status = names[i].status, .message = GW_STR("x")};
        struct gw_buf out;
        gw_buf_init(&out, 4096);
        gw_dialect_gemini.write_error(&error, GW_STR(""), &out);
        assert_true(gw_str_find(gw_buf_str(&out), gw_str_from_c(names[i].name)) < out.len);
        gw_buf_fini(&out);
    }
}

static void embed(bool is_batch, const char *expected)
{
    struct gw_llm_request request = {.is_batch = is_batch};
    struct gw_encoder_opts opts = {.request = &request};
    struct gw_json_reader reader;
    struct gw_buf out;
    yyjson_val *root = NULL;
    gw_buf_init(&out, 4096);
    gw_json_reader_init(&reader, 4096);
    assert_int_equal(
        gw_json_read(&reader, GW_STR("{\"data\":[{\"embedding\":[0.5,1]},{\"embedding\":[2]}]}"),
                     &root),
        GW_OK);
    gw_dialect_gemini.write_embeddings(&opts, root, &out);
    assert_true(gw_str_eq(gw_buf_str(&out), gw_str_from_c(expected)));
    gw_json_reader_fini(&reader);
    gw_buf_fini(&out);
}

static void test_embeddings_and_count(void **state)
{
    (void)state;
    embed(false, "{\"embedding\":{\"values\":[0.5,1]}}");
    embed(true, "{\"embeddings\":[{\"values\":[0.5,1]},{\"values\":[2]}]}");
    struct gw_buf out;
    gw_buf_init(&out, 4096);
    gw_dialect_gemini.write_token_count(31, &out);
    assert_true(gw_str_eq(gw_buf_str(&out), GW_STR("{\"totalTokens\":31}")));
    gw_buf_fini(&out);
}

/* Events that no decoder may give end the stream with a failure, not with a crash. */
static void test_disorder(void **state)
{
    (void)state;
    const struct gw_event events[] = {ARGUMENTS(3, "x"),
                                      {.type = GW_EVENT_TOOL_BEGIN, .tool = {.index = 7}},
                                      {.type = GW_EVENT_TOOL_END, .index = 9}};
    for (size_t i = 0; i < GW_ARRAY_LEN(events); i++) {
        struct gw_encoder_opts opts = {.model = GW_STR("m")};
        struct gw_encoder *encoder = gw_dialect_gemini.encoder_create(&opts);
        struct gw_buf out;
        gw_buf_init(&out, 4096);
        gw_dialect_gemini.encode(encoder, &events[i], &out);
        assert_int_equal(out.len, 0);
        gw_dialect_gemini.encoder_destroy(encoder);
        gw_buf_fini(&out);
    }
    gw_dialect_gemini.encoder_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),          cmocka_unit_test(test_tools),
        cmocka_unit_test(test_bad_arguments), cmocka_unit_test(test_reasoning),
        cmocka_unit_test(test_extras),        cmocka_unit_test(test_error),
        cmocka_unit_test(test_status_names),  cmocka_unit_test(test_embeddings_and_count),
        cmocka_unit_test(test_disorder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
