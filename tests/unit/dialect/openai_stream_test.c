/* SPDX-License-Identifier: MIT */
/* dialect/openai_stream and openai_answer - exact bytes for streams and for plain answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "dialect/dialect.h"
#include "llm/answer.h"
#include "json/value.h"

#define HEAD                                                                                       \
    "data: {\"id\":\"msg_1\",\"object\":\"chat.completion.chunk\",\"created\":7,\"model\":\"m\","
#define CHUNK(delta)                                                                               \
    HEAD "\"choices\":[{\"index\":0,\"delta\":{" delta                                             \
         "},\"logprobs\":null,\"finish_reason\":null}]}\n\n"
#define ROLE CHUNK("\"role\":\"assistant\",\"content\":\"\",\"refusal\":null")
#define FINISH(cause)                                                                              \
    HEAD "\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"" cause     \
         "\"}]}\n\n"
#define DONE "data: [DONE]\n\n"

static const struct gw_event start_event = {
    .type = GW_EVENT_START,
    .start = {.id = GW_STR_INIT("msg_1"), .model = GW_STR_INIT("upstream-m")}};
static const struct gw_event end_event = {.type = GW_EVENT_END};

static struct gw_event text_event(enum gw_event_type type, const char *text)
{
    return (struct gw_event){.type = type, .text = gw_str_from_c(text)};
}

static struct gw_event finish_event(enum gw_finish reason)
{
    return (struct gw_event){.type = GW_EVENT_FINISH, .finish = {.reason = reason}};
}

static const struct gw_event usage_event = {.type = GW_EVENT_USAGE,
                                            .usage = {.input_tokens = 9,
                                                      .cached_tokens = 4,
                                                      .cache_write_tokens = 2,
                                                      .output_tokens = 5,
                                                      .reasoning_tokens = 3,
                                                      .is_known = true}};

#define USAGE                                                                                      \
    "\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":5,\"total_tokens\":14,"                  \
    "\"prompt_tokens_details\":{\"cached_tokens\":4,\"audio_tokens\":0,\"cache_write_tokens\":2}," \
    "\"completion_tokens_details\":{\"reasoning_tokens\":3,\"audio_tokens\":0,"                    \
    "\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}"

static void check_stream(bool wants_usage, const struct gw_event *events, size_t count,
                         const char *expected)
{
    struct gw_llm_request request = {.is_stream = true, .wants_usage = wants_usage};
    struct gw_encoder_opts opts = {
        .model = GW_STR("m"), .request_id = GW_STR("req_9"), .created_s = 7, .request = &request};
    struct gw_buf out;
    gw_buf_init(&out, 1 << 20);
    struct gw_encoder *encoder = gw_dialect_openai.encoder_create(&opts);
    assert_non_null(encoder);
    for (size_t i = 0; i < count; i++) {
        gw_dialect_openai.encode(encoder, &events[i], &out);
    }
    gw_dialect_openai.encoder_destroy(encoder);
    (void)gw_buf_append_byte(&out, '\0');
    assert_int_equal(out.err, GW_OK);
    assert_string_equal(out.ptr, expected);
    gw_buf_fini(&out);
}

static void check_answer(const struct gw_event *events, size_t count, const char *expected)
{
    struct gw_encoder_opts opts = {
        .model = GW_STR("m"), .request_id = GW_STR("req_9"), .created_s = 7};
    struct gw_answer answer;
    struct gw_buf out;
    gw_buf_init(&out, 1 << 20);
    gw_answer_init(&answer);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(gw_answer_add(&answer, &events[i]), GW_OK);
    }
    gw_dialect_openai.write_answer(&opts, &answer, &out);
    (void)gw_buf_append_byte(&out, '\0');
    assert_string_equal(out.ptr, expected);
    gw_answer_fini(&answer);
    gw_buf_fini(&out);
}

static void test_text(void **state)
{
    (void)state;
    const struct gw_event events[] = {start_event,
                                      text_event(GW_EVENT_TEXT, "H\"i\n\xf0\x9f\x98\x80"),
                                      {.type = GW_EVENT_PING},
                                      finish_event(GW_FINISH_LENGTH),
                                      usage_event,
                                      end_event,
                                      end_event};
    check_stream(
        false, events, GW_ARRAY_LEN(events),
        ROLE CHUNK("\"content\":\"H\\\"i\\n\xf0\x9f\x98\x80\"") ": ping\n\n" FINISH("length") DONE);
    check_answer(events, GW_ARRAY_LEN(events) - 1,
                 "{\"id\":\"msg_1\",\"object\":\"chat.completion\",\"created\":7,\"model\":\"m\","
                 "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
                 "\"H\\\"i\\n\xf0\x9f\x98\x80\",\"refusal\":null,\"annotations\":[]},\"logprobs\":"
                 "null,\"finish_reason\":\"length\"}]," USAGE "}");
}

static void test_usage(void **state)
{
    (void)state;
    const struct gw_event events[] = {start_event, text_event(GW_EVENT_TEXT, "Hi"), usage_event,
                                      end_event};
#define WITH(delta, cause)                                                                         \
    HEAD "\"choices\":[{\"index\":0,\"delta\":{" delta                                             \
         "},\"logprobs\":null,\"finish_reason\":" cause "}],\"usage\":null}\n\n"
    check_stream(true, events, GW_ARRAY_LEN(events),
                 WITH("\"role\":\"assistant\",\"content\":\"\",\"refusal\":null", "null")
                     WITH("\"content\":\"Hi\"", "null") WITH("", "\"stop\"") HEAD
                 "\"choices\":[]," USAGE "}\n\n" DONE);
}

static void test_tools(void **state)
{
    (void)state;
    const struct gw_event events[] = {
        start_event,
        {.type = GW_EVENT_TOOL_BEGIN,
         .tool = {.index = 0,
                  .id = GW_STR("call_a"),
                  .name = GW_STR("f"),
                  .thought_signature = GW_STR("sig")}},
        {.type = GW_EVENT_TOOL_ARGUMENTS, .arguments = {.index = 0, .text = GW_STR("{\"a\"")}},
        {.type = GW_EVENT_TOOL_BEGIN, .tool = {.index = 1, .name = GW_STR("g")}},
        {.type = GW_EVENT_TOOL_ARGUMENTS, .arguments = {.index = 0, .text = GW_STR(":1}")}},
        {.type = GW_EVENT_TOOL_BEGIN,
         .tool = {.index = 2, .id = GW_STR("c"), .name = GW_STR("p"), .is_custom = true}},
        {.type = GW_EVENT_TOOL_ARGUMENTS, .arguments = {.index = 2, .text = GW_STR("x")}},
        finish_event(GW_FINISH_UNKNOWN),
        end_event};
    check_stream(
        false, events, GW_ARRAY_LEN(events),
        ROLE CHUNK("\"tool_calls\":[{\"index\":0,\"id\":\"call_a\",\"type\":\"function\","
                   "\"function\":{\"name\":\"f\",\"arguments\":\"\"},\"extra_content\":{\"google\":"
                   "{\"thought_signature\":\"sig\"}}}]")
            CHUNK("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"{\\\"a\\\"\"}}]")
                CHUNK("\"tool_calls\":[{\"index\":1,\"id\":\"call_req_9_1\",\"type\":\"function\","
                      "\"function\":{\"name\":\"g\",\"arguments\":\"\"}}]")
                    CHUNK("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\":1}\"}}]")
                        CHUNK("\"tool_calls\":[{\"index\":2,\"id\":\"c\",\"type\":\"custom\","
                              "\"custom\":{\"name\":\"p\",\"input\":\"\"}}]")
                            CHUNK("\"tool_calls\":[{\"index\":2,\"custom\":{\"input\":\"x\"}}]")
                                CHUNK("\"tool_calls\":[{\"index\":1,\"function\":{\"arguments\":"
                                      "\"{}\"}}]") FINISH("tool_calls") DONE);
    check_answer(
        events, GW_ARRAY_LEN(events),
        "{\"id\":\"msg_1\",\"object\":\"chat.completion\",\"created\":7,\"model\":\"m\","
        "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":null,"
        "\"refusal\":null,\"annotations\":[],\"tool_calls\":[{\"id\":\"call_a\",\"type\":"
        "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"a\\\":1}\"},"
        "\"extra_content\":{\"google\":{\"thought_signature\":\"sig\"}}},{\"id\":"
        "\"call_req_9_1\",\"type\":\"function\",\"function\":{\"name\":\"g\",\"arguments\":"
        "\"{}\"}},{\"id\":\"c\",\"type\":\"custom\",\"custom\":{\"name\":\"p\",\"input\":"
        "\"x\"}}]},\"logprobs\":null,\"finish_reason\":\"tool_calls\"}]}");
}

static void test_reasoning(void **state)
{
    (void)state;
    const struct gw_event events[] = {
        start_event,
        text_event(GW_EVENT_REASONING, "Let "),
        text_event(GW_EVENT_REASONING, "me"),
        {.type = GW_EVENT_REASONING_SIGNATURE,
         .signature = {.value = GW_STR("s1"), .signer = GW_SIGNER_ANTHROPIC}},
        {.type = GW_EVENT_REASONING_REDACTED,
         .signature = {.value = GW_STR("d"), .signer = GW_SIGNER_ANTHROPIC}},
        text_event(GW_EVENT_REASONING, "more"),
        {.type = GW_EVENT_REASONING_SIGNATURE,
         .signature = {.value = GW_STR("enc"), .id = GW_STR("rs_1"), .signer = GW_SIGNER_OPENAI}},
        text_event(GW_EVENT_TEXT, "Hi"),
        finish_event(GW_FINISH_STOP),
        end_event};
#define BLOCK    "{\"type\":\"thinking\",\"thinking\":\"Let me\",\"signature\":\"s1\"}"
#define REDACTED "{\"type\":\"redacted_thinking\",\"data\":\"d\"}"
#define ITEM                                                                                       \
    "{\"type\":\"reasoning\",\"id\":\"rs_1\",\"summary\":[{\"type\":\"summary_text\",\"text\":"    \
    "\"more\"}],\"encrypted_content\":\"enc\"}"
    check_stream(
        false, events, GW_ARRAY_LEN(events),
        ROLE CHUNK("\"reasoning_content\":\"Let \"") CHUNK("\"reasoning_content\":\"me\"")
            CHUNK("\"thinking_blocks\":[" BLOCK "]") CHUNK("\"thinking_blocks\":[" REDACTED "]")
                CHUNK("\"reasoning_content\":\"more\"") CHUNK("\"reasoning_items\":[" ITEM "]")
                    CHUNK("\"content\":\"Hi\"") FINISH("stop") DONE);
    check_answer(events, GW_ARRAY_LEN(events),
                 "{\"id\":\"msg_1\",\"object\":\"chat.completion\",\"created\":7,\"model\":\"m\","
                 "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"Hi\","
                 "\"refusal\":null,\"reasoning_content\":\"Let memore\",\"thinking_blocks\":[" BLOCK
                 "," REDACTED "],\"reasoning_items\":[" ITEM "],\"annotations\":[]},\"logprobs\":"
                 "null,\"finish_reason\":\"stop\"}]}");
}

static void test_other_output(void **state)
{
    (void)state;
#define PROB "{\"token\":\"A\",\"logprob\":-0.5,\"bytes\":[65],\"top_logprobs\":[]}"
    const struct gw_event events[] = {
        start_event,
        {.type = GW_EVENT_TEXT, .text = GW_STR("A"), .logprobs = GW_STR("[" PROB "]")},
        {.type = GW_EVENT_ANNOTATION, .annotation = GW_STR("{\"type\":\"url_citation\"}")},
        {.type = GW_EVENT_MEDIA,
         .media = {.mime_type = GW_STR("image/png"), .base64 = GW_STR("AAAA")}},
        {.type = GW_EVENT_MEDIA,
         .media = {.mime_type = GW_STR("audio/wav"),
                   .base64 = GW_STR("BBBB"),
                   .transcript = GW_STR("b")}},
        text_event(GW_EVENT_REFUSAL, "No."),
        finish_event(GW_FINISH_CONTENT_FILTER),
        end_event};
    check_stream(
        false, events, GW_ARRAY_LEN(events),
        ROLE HEAD
        "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"A\"},\"logprobs\":{"
        "\"content\":[" PROB "],\"refusal\":null},\"finish_reason\":null}]}\n\n" CHUNK(
            "\"annotations\":[{\"type\":\"url_citation\"}]")
            CHUNK("\"images\":[{\"type\":\"image_url\",\"index\":0,\"image_url\":{\"url\":"
                  "\"data:image/png;base64,AAAA\"}}]")
                CHUNK("\"audio\":{\"id\":\"audio_req_9\",\"data\":\"BBBB\",\"transcript\":\"b\"}")
                    CHUNK("\"refusal\":\"No.\"") FINISH("content_filter") DONE);
    check_answer(events, GW_ARRAY_LEN(events),
                 "{\"id\":\"msg_1\",\"object\":\"chat.completion\",\"created\":7,\"model\":\"m\","
                 "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"A\","
                 "\"refusal\":\"No.\",\"annotations\":[{\"type\":\"url_citation\"}],\"images\":[{"
                 "\"type\":\"image_url\",\"index\":0,\"image_url\":{\"url\":"
                 "\"data:image/png;base64,AAAA\"}}],\"audio\":{\"id\":\"audio_req_9\","
                 "\"expires_at\":7,\"data\":\"BBBB\",\"transcript\":\"b\"}},\"logprobs\":{"
                 "\"content\":[" PROB
                 "],\"refusal\":null},\"finish_reason\":\"content_filter\"}]}");
}

static void test_error(void **state)
{
    (void)state;
    const struct gw_error error = {
        .class = GW_ERROR_UPSTREAM, .status = 503, .message = GW_STR("busy")};
    const struct gw_event events[] = {
        start_event, {.type = GW_EVENT_ERROR, .error = &error}, end_event};
    check_stream(false, events, GW_ARRAY_LEN(events),
                 ROLE "data: {\"error\":{\"message\":\"busy\",\"type\":\"server_error\",\"param\":"
                      "null,\"code\":null}}\n\n");
}

static void test_ids_of_our_own(void **state)
{
    (void)state;
    const struct gw_event events[] = {text_event(GW_EVENT_TEXT, "A"), end_event};
#define OWN                                                                                        \
    "data: {\"id\":\"chatcmpl-req_9\",\"object\":\"chat.completion.chunk\",\"created\":7,"         \
    "\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{"
#define TAIL "},\"logprobs\":null,\"finish_reason\":null}]}\n\n"
    check_stream(false, events, GW_ARRAY_LEN(events),
                 OWN "\"role\":\"assistant\",\"content\":\"\",\"refusal\":null" TAIL OWN
                     "\"content\":\"A\"" TAIL OWN
                     "},\"logprobs\":null,\"finish_reason\":\"stop\"}]}\n\n" DONE);
}

static void check_embeddings(const char *asked, const char *answer, const char *expected)
{
    yyjson_doc *request = yyjson_read(asked, strlen(asked), 0);
    yyjson_doc *openai = yyjson_read(answer, strlen(answer), 0);
    struct gw_encoder_opts opts = {.chat = yyjson_doc_get_root(request)};
    struct gw_buf out;
    gw_buf_init(&out, 1 << 20);
    gw_dialect_openai.write_embeddings(&opts, yyjson_doc_get_root(openai), &out);
    (void)gw_buf_append_byte(&out, '\0');
    assert_string_equal(out.ptr, expected);
    gw_buf_fini(&out);
    yyjson_doc_free(request);
    yyjson_doc_free(openai);
}

static void test_embeddings(void **state)
{
    (void)state;
    const char *answer = "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":0,"
                         "\"embedding\":[1.0,-2]}],\"model\":\"m\"}";
    check_embeddings("{}", answer,
                     "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":0,"
                     "\"embedding\":[1.0,-2]}],\"model\":\"m\"}");
    /* 1.0 is 00 00 80 3f, -2.0 is 00 00 00 c0. */
    check_embeddings("{\"encoding_format\":\"base64\"}", answer,
                     "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":0,"
                     "\"embedding\":\"AACAPwAAAMA=\"}],\"model\":\"m\"}");
}

static void check_to_chat(const char *body, enum gw_err expected)
{
    char room[4096];
    struct gw_arena arena;
    struct gw_error error = {0};
    struct gw_notes notes;
    struct gw_llm_request request = {0};
    struct gw_inbound in = {.body = gw_str_from_c(body)};
    yyjson_doc *chat = NULL;
    gw_arena_init(&arena, room, sizeof(room), 4096, 65536);
    gw_notes_init(&notes, &arena, false, &error);
    assert_int_equal(gw_dialect_openai.to_chat(&in, &request, &notes, &chat), expected);
    assert_int_equal(error.status, expected == GW_OK ? 0 : 400);
    assert_true((chat != NULL) == (expected == GW_OK));
    yyjson_doc_free(chat);
    gw_arena_fini(&arena);
}

static void test_to_chat(void **state)
{
    (void)state;
    check_to_chat("{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}", GW_OK);
    check_to_chat("{\"messages\":[]}", GW_ERR_INVALID);
    check_to_chat("{}", GW_ERR_INVALID);
    check_to_chat("[]", GW_ERR_INVALID);
    check_to_chat("{\"messages\":[{\"role\":\"user\",\"content\":\"\\ud800\"}]}", GW_ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),           cmocka_unit_test(test_usage),
        cmocka_unit_test(test_tools),          cmocka_unit_test(test_reasoning),
        cmocka_unit_test(test_other_output),   cmocka_unit_test(test_error),
        cmocka_unit_test(test_ids_of_our_own), cmocka_unit_test(test_embeddings),
        cmocka_unit_test(test_to_chat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
