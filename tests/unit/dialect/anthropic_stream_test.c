/* SPDX-License-Identifier: MIT */
/* dialect/anthropic - answers: the exact sequence of a stream, complete messages, errors. */
#include "dialect/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define OUT_BYTES (1u << 20)

#define START_OF(input, cached, output)                                                            \
    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_req-1\","   \
    "\"type\":\"message\",\"role\":\"assistant\",\"model\":\"best\",\"content\":[],"               \
    "\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":" input               \
    ",\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":" cached                       \
    ",\"output_tokens\":" output "}}}\n\n"                                                         \
    "event: ping\ndata: {\"type\":\"ping\"}\n\n"
#define START START_OF("0", "0", "0")
#define BLOCK(index, block)                                                                        \
    "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":" index         \
    ",\"content_block\":" block "}\n\n"
#define DELTA(index, delta)                                                                        \
    "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":" index         \
    ",\"delta\":" delta "}\n\n"
#define STOP(index)                                                                                \
    "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":" index "}\n\n"
#define END(reason, input, cached, output)                                                         \
    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":" reason   \
    "},\"usage\":{\"input_tokens\":" input ",\"cache_creation_input_tokens\":0,"                   \
    "\"cache_read_input_tokens\":" cached ",\"output_tokens\":" output "}}\n\n"                    \
    "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
#define TEXT_BLOCK     "{\"type\":\"text\",\"text\":\"\"}"
#define THINKING_BLOCK "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}"
#define TOOL_BLOCK(id, name)                                                                       \
    "{\"type\":\"tool_use\",\"id\":\"" id "\",\"name\":\"" name "\",\"input\":{}}"
#define TEXT(text)      "{\"type\":\"text_delta\",\"text\":\"" text "\"}"
#define THINKING(text)  "{\"type\":\"thinking_delta\",\"thinking\":\"" text "\"}"
#define SIGNATURE(text) "{\"type\":\"signature_delta\",\"signature\":\"" text "\"}"
#define INPUT(text)     "{\"type\":\"input_json_delta\",\"partial_json\":\"" text "\"}"

static const struct gw_llm_request plain_request = {.dialect = GW_DIALECT_ANTHROPIC};
static const struct gw_encoder_opts opts = {.model = GW_STR_INIT("best"),
                                            .request_id = GW_STR_INIT("req-1"),
                                            .created_s = 1,
                                            .request = &plain_request};

static void encode_all(const struct gw_encoder_opts *with, const struct gw_event *events,
                       size_t count, const char *expected)
{
    struct gw_buf out;
    struct gw_encoder *encoder = gw_dialect_anthropic.encoder_create(with);
    assert_non_null(encoder);
    gw_buf_init(&out, OUT_BYTES);
    for (size_t i = 0; i < count; i++) {
        gw_dialect_anthropic.encode(encoder, &events[i], &out);
    }
    assert_int_equal(out.err, GW_OK);
    assert_int_equal(gw_buf_append_byte(&out, '\0'), GW_OK);
    assert_string_equal(out.ptr, expected);
    gw_buf_fini(&out);
    gw_dialect_anthropic.encoder_destroy(encoder);
}

static void write_whole(const struct gw_event *events, size_t count, const char *expected)
{
    struct gw_buf out;
    struct gw_answer answer;
    gw_answer_init(&answer);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(gw_answer_add(&answer, &events[i]), GW_OK);
    }
    gw_buf_init(&out, OUT_BYTES);
    gw_dialect_anthropic.write_answer(&opts, &answer, &out);
    assert_int_equal(gw_buf_append_byte(&out, '\0'), GW_OK);
    assert_string_equal(out.ptr, expected);
    gw_buf_fini(&out);
    gw_answer_fini(&answer);
}

#define EV_START                                                                                   \
    {                                                                                              \
        .type = GW_EVENT_START, .start = {.id = GW_STR_INIT("chatcmpl-9") }                        \
    }
#define EV_TEXT(of)                                                                                \
    {                                                                                              \
        .type = GW_EVENT_TEXT, .text = GW_STR_INIT(of)                                             \
    }
#define EV_REASONING(of)                                                                           \
    {                                                                                              \
        .type = GW_EVENT_REASONING, .text = GW_STR_INIT(of)                                        \
    }
#define EV_SIGNATURE(of, by)                                                                       \
    {                                                                                              \
        .type = GW_EVENT_REASONING_SIGNATURE, .signature = {                                       \
            .value = GW_STR_INIT(of),                                                              \
            .id = GW_STR_INIT("rs_1"),                                                             \
            .signer = (by)                                                                         \
        }                                                                                          \
    }
#define EV_REDACTED(of)                                                                            \
    {                                                                                              \
        .type = GW_EVENT_REASONING_REDACTED, .signature = {                                        \
            .value = GW_STR_INIT(of),                                                              \
            .signer = GW_SIGNER_ANTHROPIC                                                          \
        }                                                                                          \
    }
#define EV_TOOL(at, of, called)                                                                    \
    {                                                                                              \
        .type = GW_EVENT_TOOL_BEGIN, .tool = {                                                     \
            .index = (at),                                                                         \
            .id = GW_STR_INIT(of),                                                                 \
            .name = GW_STR_INIT(called)                                                            \
        }                                                                                          \
    }
#define EV_INPUT(at, of)                                                                           \
    {                                                                                              \
        .type = GW_EVENT_TOOL_ARGUMENTS, .arguments = {.index = (at), .text = GW_STR_INIT(of) }    \
    }
#define EV_TOOL_END(at)                                                                            \
    {                                                                                              \
        .type = GW_EVENT_TOOL_END, .index = (at)                                                   \
    }
#define EV_FINISH(why)                                                                             \
    {                                                                                              \
        .type = GW_EVENT_FINISH, .finish = {.reason = (why) }                                      \
    }
#define EV_USAGE                                                                                   \
    {                                                                                              \
        .type = GW_EVENT_USAGE, .usage = {                                                         \
            .input_tokens = 12,                                                                    \
            .cached_tokens = 5,                                                                    \
            .output_tokens = 7,                                                                    \
            .is_known = true                                                                       \
        }                                                                                          \
    }
#define EV_END                                                                                     \
    {                                                                                              \
        .type = GW_EVENT_END                                                                       \
    }
#define RUN(events, expected)   encode_all(&opts, events, GW_ARRAY_LEN(events), expected)
#define WHOLE(events, expected) write_whole(events, GW_ARRAY_LEN(events), expected)
#define MESSAGE(content, reason)                                                                   \
    "{\"id\":\"msg_req-1\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"best\","        \
    "\"content\":[" content "],\"stop_reason\":" reason ",\"usage\":{\"input_tokens\":7,"          \
    "\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":5,\"output_tokens\":7}}"
#define END_TURN "\"end_turn\",\"stop_sequence\":null"
#define TOOL_USE "\"tool_use\",\"stop_sequence\":null"

static void plain_text(void **state)
{
    (void)state;
    static const struct gw_event events[] = {
        EV_START, EV_TEXT("Hel"), EV_TEXT("lo\n\"\xc3\xa9\""), EV_FINISH(GW_FINISH_STOP),
        EV_USAGE, EV_END};
    RUN(events, START BLOCK("0", TEXT_BLOCK) DELTA("0", TEXT("Hel")) DELTA(
                    "0", TEXT("lo\\n\\\"\xc3\xa9\\\"")) STOP("0") END(END_TURN, "7", "5", "7"));
    WHOLE(events, MESSAGE("{\"type\":\"text\",\"text\":\"Hello\\n\\\"\xc3\xa9\\\"\"}", END_TURN));
}

static void early_usage_goes_into_the_start(void **state)
{
    (void)state;
    static const struct gw_event events[] = {
        EV_START, EV_USAGE, {.type = GW_EVENT_PING}, {.type = GW_EVENT_PING}, EV_END};
    RUN(events, START_OF("7", "5", "7") "event: ping\ndata: {\"type\":\"ping\"}\n\n" END(
                    END_TURN, "7", "5", "7"));
}

static void an_empty_answer(void **state)
{
    (void)state;
    static const struct gw_event events[] = {EV_START, EV_FINISH(GW_FINISH_CONTENT_FILTER), EV_END};
    RUN(events, START END("\"refusal\",\"stop_sequence\":null", "0", "0", "0"));
}

static void thinking_then_text(void **state)
{
    (void)state;
    static const struct gw_event events[] = {
        EV_START,           EV_REASONING("a"),
        EV_REASONING("b"),  EV_SIGNATURE("SIG==", GW_SIGNER_ANTHROPIC),
        EV_REDACTED("RED"), EV_REASONING("c"),
        EV_TEXT("T"),       EV_FINISH(GW_FINISH_STOP),
        EV_USAGE,           EV_END};
    RUN(events, START BLOCK("0", THINKING_BLOCK) DELTA("0", THINKING("a")) DELTA("0", THINKING("b"))
                    DELTA("0", SIGNATURE("SIG==")) STOP("0")
                        BLOCK("1", "{\"type\":\"redacted_thinking\",\"data\":\"RED\"}") STOP("1")
                            BLOCK("2", THINKING_BLOCK) DELTA("2", THINKING("c"))
                                DELTA("2", SIGNATURE("")) STOP("2") BLOCK("3", TEXT_BLOCK)
                                    DELTA("3", TEXT("T")) STOP("3") END(END_TURN, "7", "5", "7"));
    WHOLE(events, MESSAGE("{\"type\":\"thinking\",\"thinking\":\"ab\",\"signature\":\"SIG==\"},"
                          "{\"type\":\"redacted_thinking\",\"data\":\"RED\"},"
                          "{\"type\":\"thinking\",\"thinking\":\"c\",\"signature\":\"\"},"
                          "{\"type\":\"text\",\"text\":\"T\"}",
                          END_TURN));
}

static void hidden_thinking(void **state)
{
    (void)state;
    static const struct gw_llm_request hides = {.hides_reasoning = true};
    struct gw_encoder_opts with = opts;
    with.request = &hides;
    static const struct gw_event events[] = {EV_START, EV_REASONING("a"),
                                             EV_SIGNATURE("S", GW_SIGNER_ANTHROPIC), EV_END};
    encode_all(&with, events, GW_ARRAY_LEN(events),
               START BLOCK("0", THINKING_BLOCK) DELTA("0", SIGNATURE("S")) STOP("0")
                   END(END_TURN, "0", "0", "0"));
}

static void other_vendors_signatures(void **state)
{
    (void)state;
    static const struct gw_event events[] = {EV_START,
                                             EV_REASONING("a"),
                                             EV_SIGNATURE("ENC", GW_SIGNER_OPENAI),
                                             {.type = GW_EVENT_TOOL_BEGIN,
                                              .tool = {.id = GW_STR_INIT("c1"),
                                                       .name = GW_STR_INIT("f"),
                                                       .thought_signature = GW_STR_INIT("GS")}},
                                             EV_TOOL_END(0),
                                             EV_END};
    RUN(events,
        START BLOCK("0", THINKING_BLOCK) DELTA("0", THINKING("a"))
            DELTA("0", SIGNATURE("gatewire.openai.rs_1.ENC")) STOP("0")
                BLOCK("1", "{\"type\":\"redacted_thinking\",\"data\":\"gatewire.google.GS\"}")
                    STOP("1") BLOCK("2", TOOL_BLOCK("c1", "f")) STOP("2")
                        END(TOOL_USE, "0", "0", "0"));
}

static void one_tool(void **state)
{
    (void)state;
    static const struct gw_event events[] = {EV_START,
                                             EV_TEXT("T"),
                                             EV_TOOL(0, "call_1", "get_time"),
                                             EV_INPUT(0, ""),
                                             EV_INPUT(0, "{\"tz\""),
                                             EV_INPUT(0, ":1}"),
                                             EV_TOOL_END(0),
                                             EV_FINISH(GW_FINISH_TOOL_CALLS),
                                             EV_USAGE,
                                             EV_END};
    RUN(events, START BLOCK("0", TEXT_BLOCK) DELTA("0", TEXT("T")) STOP("0")
                    BLOCK("1", TOOL_BLOCK("call_1", "get_time")) DELTA("1", INPUT("{\\\"tz\\\""))
                        DELTA("1", INPUT(":1}")) STOP("1") END(TOOL_USE, "7", "5", "7"));
    WHOLE(events, MESSAGE("{\"type\":\"text\",\"text\":\"T\"},{\"type\":\"tool_use\",\"id\":"
                          "\"call_1\",\"name\":\"get_time\",\"input\":{\"tz\":1}}",
                          TOOL_USE));
}

/* Blocks stand one behind the other however the calls come. */
static void interleaved_tools(void **state)
{
    (void)state;
    static const struct gw_event events[] = {EV_START,
                                             EV_TOOL(0, "a:b", "f"),
                                             EV_INPUT(0, "{"),
                                             EV_TOOL(1, "", "g"),
                                             EV_INPUT(1, "[1"),
                                             EV_TEXT("late"),
                                             EV_INPUT(0, "}"),
                                             EV_INPUT(1, "]"),
                                             EV_TOOL_END(1),
                                             EV_TOOL_END(0),
                                             EV_FINISH(GW_FINISH_TOOL_CALLS),
                                             EV_USAGE,
                                             EV_END};
    RUN(events,
        START BLOCK("0", TOOL_BLOCK("a_b_3041a608", "f")) DELTA("0", INPUT("{"))
            DELTA("0", INPUT("}")) STOP("0") BLOCK("1", TOOL_BLOCK("toolu_req-1_1", "g"))
                DELTA("1", INPUT("[1")) DELTA("1", INPUT("]")) STOP("1") BLOCK("2", TEXT_BLOCK)
                    DELTA("2", TEXT("late")) STOP("2") END(TOOL_USE, "7", "5", "7"));
    WHOLE(events,
          MESSAGE("{\"type\":\"tool_use\",\"id\":\"a_b_3041a608\",\"name\":\"f\",\"input\":{}},"
                  "{\"type\":\"tool_use\",\"id\":\"toolu_req-1_1\",\"name\":\"g\",\"input\":"
                  "{\"INVALID_JSON\":\"[1]\"}},{\"type\":\"text\",\"text\":\"late\"}",
                  TOOL_USE));
}

/* Calls that nobody ends are ended by the finish. */
static void unended_tools(void **state)
{
    (void)state;
    static const struct gw_event events[] = {EV_START,
                                             EV_TOOL(0, "a", "f"),
                                             EV_TOOL(1, "b", "g"),
                                             EV_INPUT(1, "{}"),
                                             EV_FINISH(GW_FINISH_TOOL_CALLS),
                                             EV_END};
    RUN(events, START BLOCK("0", TOOL_BLOCK("a", "f")) STOP("0") BLOCK("1", TOOL_BLOCK("b", "g"))
                    DELTA("1", INPUT("{}")) STOP("1") END(TOOL_USE, "0", "0", "0"));
}

static void citations_and_media(void **state)
{
    (void)state;
    static const struct gw_event events[] = {
        EV_START,
        EV_TEXT("T"),
        {.type = GW_EVENT_ANNOTATION,
         .annotation = GW_STR_INIT("{\"type\":\"url_citation\",\"url_citation\":{\"url\":"
                                   "\"https://e.org\",\"title\":\"E\"}}")},
        {.type = GW_EVENT_MEDIA,
         .media = {.mime_type = GW_STR_INIT("image/png"), .base64 = GW_STR_INIT("QUJD")}},
        {.type = GW_EVENT_MEDIA,
         .media = {.mime_type = GW_STR_INIT("image/png"), .base64 = GW_STR_INIT("REVG")}},
        EV_FINISH(GW_FINISH_LENGTH),
        EV_USAGE,
        EV_END};
    RUN(events,
        START BLOCK("0", TEXT_BLOCK) DELTA("0", TEXT("T")) DELTA(
            "0", "{\"type\":\"citations_delta\",\"citation\":{\"type\":"
                 "\"web_search_result_location\",\"url\":\"https://e.org\",\"title\":\"E\","
                 "\"cited_text\":\"\",\"encrypted_index\":\"\"}}")
            DELTA("0", TEXT("[The model made something of type image/png, which this API cannot "
                            "carry.]")) STOP("0")
                END("\"max_tokens\",\"stop_sequence\":null", "7", "5", "7"));
    WHOLE(events,
          MESSAGE("{\"type\":\"text\",\"text\":\"T\",\"citations\":[{\"type\":"
                  "\"web_search_result_location\",\"url\":\"https://e.org\",\"title\":\"E\","
                  "\"cited_text\":\"\",\"encrypted_index\":\"\"}]},{\"type\":\"text\",\"text\":"
                  "\"[The model made something of type image/png, which this API cannot carry.]\"}",
                  "\"max_tokens\",\"stop_sequence\":null"));
}

static void a_stop_sequence(void **state)
{
    (void)state;
    static const struct gw_event events[] = {
        EV_START,
        {.type = GW_EVENT_FINISH,
         .finish = {.reason = GW_FINISH_STOP, .stop_sequence = GW_STR_INIT("END")}},
        EV_END};
    RUN(events, START END("\"stop_sequence\",\"stop_sequence\":\"END\"", "0", "0", "0"));
}

static void an_anthropic_id_is_kept(void **state)
{
    (void)state;
    static const struct gw_event events[] = {
        {.type = GW_EVENT_START, .start = {.id = GW_STR_INIT("msg_01A")}}, EV_USAGE, EV_END};
    struct gw_answer answer;
    struct gw_buf out;
    gw_answer_init(&answer);
    for (size_t i = 0; i < GW_ARRAY_LEN(events); i++) {
        assert_int_equal(gw_answer_add(&answer, &events[i]), GW_OK);
    }
    gw_buf_init(&out, OUT_BYTES);
    gw_dialect_anthropic.write_answer(&opts, &answer, &out);
    assert_true(gw_str_has_prefix(gw_buf_str(&out), GW_STR("{\"id\":\"msg_01A\",")));
    gw_buf_fini(&out);
    gw_answer_fini(&answer);
}

/* ---- errors ---- */

static void errors(void **state)
{
    (void)state;
    static const struct {
        struct gw_error error;
        unsigned status;
        const char *body;
    } cases[] = {
        {{.class = GW_ERROR_CLIENT, .status = 400, .message = GW_STR_INIT("bad")},
         400,
         "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"bad\"},"
         "\"request_id\":\"r\"}"},
        {{.class = GW_ERROR_OVERLOADED, .status = 503, .message = GW_STR_INIT("Overloaded")},
         529,
         "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":"
         "\"Overloaded\"},\"request_id\":\"r\"}"},
        {{.class = GW_ERROR_LIMIT, .status = 429, .message = GW_STR_INIT("slow")},
         429,
         "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\",\"message\":\"slow\"},"
         "\"request_id\":\"r\"}"},
        {{.class = GW_ERROR_UPSTREAM, .status = 502, .message = GW_STR_INIT("x")},
         502,
         "{\"type\":\"error\",\"error\":{\"type\":\"api_error\",\"message\":\"x\"},"
         "\"request_id\":\"r\"}"},
        {{.class = GW_ERROR_CLIENT,
          .status = 400,
          .code = GW_STR_INIT("context_length_exceeded"),
          .message = GW_STR_INIT("This model's maximum context length is 128000 tokens. However, "
                                 "your messages resulted in 150123 tokens.")},
         400,
         "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":"
         "\"prompt is too long: 150123 tokens > 128000 maximum\"},\"request_id\":\"r\"}"},
        {{.class = GW_ERROR_CLIENT,
          .status = 400,
          .code = GW_STR_INIT("context_length_exceeded"),
          .message = GW_STR_INIT("too many")},
         400,
         "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":"
         "\"prompt is too long: too many\"},\"request_id\":\"r\"}"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_buf out;
        gw_buf_init(&out, OUT_BYTES);
        assert_int_equal(gw_dialect_anthropic.error_status(&cases[i].error), cases[i].status);
        gw_dialect_anthropic.write_error(&cases[i].error, GW_STR("r"), &out);
        assert_int_equal(gw_buf_append_byte(&out, '\0'), GW_OK);
        assert_string_equal(out.ptr, cases[i].body);
        gw_buf_fini(&out);
    }
}

static void an_error_ends_the_stream(void **state)
{
    (void)state;
    static const struct gw_error error = {
        .class = GW_ERROR_OVERLOADED, .status = 503, .message = GW_STR_INIT("Overloaded")};
    static const struct gw_event events[] = {
        EV_START, EV_TEXT("T"), {.type = GW_EVENT_ERROR, .error = &error}, EV_END};
    RUN(events,
        START BLOCK("0", TEXT_BLOCK) DELTA(
            "0",
            TEXT("T")) "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":"
                       "\"overloaded_error\",\"message\":\"Overloaded\"},\"request_id\":\"req-1\"}"
                       "\n\n");
}

static void a_token_count(void **state)
{
    (void)state;
    struct gw_buf out;
    gw_buf_init(&out, OUT_BYTES);
    gw_dialect_anthropic.write_token_count(42, &out);
    assert_true(gw_str_eq(gw_buf_str(&out), GW_STR("{\"input_tokens\":42}")));
    gw_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text),      cmocka_unit_test(early_usage_goes_into_the_start),
        cmocka_unit_test(an_empty_answer), cmocka_unit_test(thinking_then_text),
        cmocka_unit_test(hidden_thinking), cmocka_unit_test(other_vendors_signatures),
        cmocka_unit_test(one_tool),        cmocka_unit_test(interleaved_tools),
        cmocka_unit_test(unended_tools),   cmocka_unit_test(citations_and_media),
        cmocka_unit_test(a_stop_sequence), cmocka_unit_test(an_anthropic_id_is_kept),
        cmocka_unit_test(errors),          cmocka_unit_test(an_error_ends_the_stream),
        cmocka_unit_test(a_token_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
