/* SPDX-License-Identifier: MIT */
/* provider/anthropic_decode - answers of Anthropic's API as events: whole, byte by byte, at every
 * split; errors; and back through the dialect's own encoder. */
#include "provider/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "dialect/dialect.h"
#include "provider/anthropic_int.h"

#define TRACE_BYTES (4u << 20)

/* Events as text; neighbouring pieces of one text are one line, for splits change them not. */
struct trace {
    struct gw_buf text;
    struct gw_encoder *encoder; /* gets each event too; or NULL */
    struct gw_buf encoded;
};

static void trace_usage(struct gw_buf *out, const struct gw_usage *usage)
{
    (void)gw_buf_appendf(
        out, "USAGE in=%llu cached=%llu written=%llu out=%llu reasoning=%llu\n",
        (unsigned long long)usage->input_tokens, (unsigned long long)usage->cached_tokens,
        (unsigned long long)usage->cache_write_tokens, (unsigned long long)usage->output_tokens,
        (unsigned long long)usage->reasoning_tokens);
}

static void trace_event(struct gw_buf *out, const struct gw_event *event)
{
    switch (event->type) {
    case GW_EVENT_START:
        (void)gw_buf_appendf(out, "START %.*s %.*s\n", GW_STR_ARG(event->start.id),
                             GW_STR_ARG(event->start.model));
        break;
    case GW_EVENT_TEXT:
        (void)gw_buf_appendf(out, "TEXT %.*s\n", GW_STR_ARG(event->text));
        break;
    case GW_EVENT_REASONING:
        (void)gw_buf_appendf(out, "REASONING %.*s\n", GW_STR_ARG(event->text));
        break;
    case GW_EVENT_REASONING_SIGNATURE:
        (void)gw_buf_appendf(out, "SIGNATURE %d %.*s\n", (int)event->signature.signer,
                             GW_STR_ARG(event->signature.value));
        break;
    case GW_EVENT_REASONING_REDACTED:
        (void)gw_buf_appendf(out, "REDACTED %d %.*s\n", (int)event->signature.signer,
                             GW_STR_ARG(event->signature.value));
        break;
    case GW_EVENT_ANNOTATION:
        (void)gw_buf_appendf(out, "ANNOTATION %.*s\n", GW_STR_ARG(event->annotation));
        break;
    case GW_EVENT_TOOL_BEGIN:
        (void)gw_buf_appendf(out, "TOOL %u %.*s %.*s%s\n", event->tool.index,
                             GW_STR_ARG(event->tool.id), GW_STR_ARG(event->tool.name),
                             event->tool.is_custom ? " custom" : "");
        break;
    case GW_EVENT_TOOL_ARGUMENTS:
        (void)gw_buf_appendf(out, "ARGUMENTS %u %.*s\n", event->arguments.index,
                             GW_STR_ARG(event->arguments.text));
        break;
    case GW_EVENT_TOOL_END:
        (void)gw_buf_appendf(out, "TOOL_END %u\n", event->index);
        break;
    case GW_EVENT_FINISH:
        (void)gw_buf_appendf(out, "FINISH %.*s %.*s\n",
                             GW_STR_ARG(gw_finish_name(event->finish.reason)),
                             GW_STR_ARG(event->finish.stop_sequence));
        break;
    case GW_EVENT_USAGE:
        trace_usage(out, &event->usage);
        break;
    case GW_EVENT_ERROR:
        (void)gw_buf_appendf(out, "ERROR %u %s%s %.*s\n", event->error->status,
                             event->error->is_retryable ? "retry " : "",
                             event->error->can_fallback ? "fallback" : "",
                             GW_STR_ARG(event->error->message));
        break;
    case GW_EVENT_PING:
        (void)gw_buf_append(out, GW_STR("PING\n"));
        break;
    case GW_EVENT_END:
        (void)gw_buf_append(out, GW_STR("END\n"));
        break;
    case GW_EVENT_REFUSAL:
    case GW_EVENT_MEDIA:
    case GW_EVENT_TYPE_COUNT:
        fail();
    }
}

static enum gw_err on_event(void *user, const struct gw_event *event)
{
    struct trace *trace = user;
    trace_event(&trace->text, event);
    if (trace->encoder != NULL) {
        gw_dialect_anthropic.encode(trace->encoder, event, &trace->encoded);
    }
    return GW_OK;
}

/* Runs |text|, cut at |first| and then every |step| bytes; appends the outcome. */
static void run(struct trace *trace, const struct gw_decoder_opts *with, struct gw_str text,
                size_t first, size_t step)
{
    struct gw_decoder_opts opts = *with;
    opts.on_event = on_event;
    opts.user = trace;
    gw_buf_init(&trace->text, TRACE_BYTES);
    struct gw_decoder *decoder = gw_api_anthropic.decoder_create(&opts);
    assert_non_null(decoder);
    enum gw_err err = GW_OK;
    size_t part = first;
    while (text.len > 0 && err == GW_OK) {
        part = part > 0 && part < text.len ? part : text.len;
        err = gw_api_anthropic.feed(decoder, gw_str(text.ptr, part));
        text = gw_str_skip(text, part);
        part = step;
    }
    err = err == GW_OK ? gw_api_anthropic.end(decoder) : err;
    if (err != GW_OK) {
        (void)gw_buf_appendf(&trace->text, "failed: %s\n", gw_err_name(err));
    }
    (void)gw_buf_append_byte(&trace->text, '\0');
    gw_api_anthropic.decoder_destroy(decoder);
}

static void expect_with(const struct gw_decoder_opts *opts, const char *text, const char *expected)
{
    struct trace trace = {0};
    struct gw_str whole = gw_str_from_c(text);
    run(&trace, opts, whole, 0, 0);
    assert_string_equal(trace.text.ptr, expected);
    gw_buf_fini(&trace.text);
    run(&trace, opts, whole, 1, 1);
    assert_string_equal(trace.text.ptr, expected);
    gw_buf_fini(&trace.text);
    for (size_t at = 1; at < whole.len; at++) {
        run(&trace, opts, whole, at, 0);
        assert_string_equal(trace.text.ptr, expected);
        gw_buf_fini(&trace.text);
    }
}

static const struct gw_decoder_opts streamed = {.mode = GW_DECODE_STREAM};
static const struct gw_decoder_opts plain = {.mode = GW_DECODE_PLAIN};

/* The example of anthropic.md section 5, padding and all. */
#define PAGE_STREAM                                                                                \
    "event: message_start\n"                                                                       \
    "data: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_01A\",\"type\":\"message\","      \
    "\"role\":\"assistant\",\"model\":\"claude-haiku-5-5\",\"content\":[],\"stop_reason\":null,"   \
    "\"stop_sequence\":null,\"usage\":{\"input_tokens\":400,\"cache_creation_input_tokens\":0,"    \
    "\"cache_read_input_tokens\":0,\"output_tokens\":1}}        }\n"                               \
    "\n"                                                                                           \
    "event: content_block_start\n"                                                                 \
    "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\","    \
    "\"text\":\"\"}   }\n"                                                                         \
    "\n"                                                                                           \
    "event: ping\n"                                                                                \
    "data: {\"type\": \"ping\"}\n"                                                                 \
    "\n"                                                                                           \
    "event: content_block_delta\n"                                                                 \
    "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\","      \
    "\"text\":\"Hi\"}}\n"                                                                          \
    "\n"                                                                                           \
    "event: content_block_stop\n"                                                                  \
    "data: {\"type\":\"content_block_stop\",\"index\":0}\n"                                        \
    "\n"                                                                                           \
    "event: content_block_start\n"                                                                 \
    "data: {\"type\":\"content_block_start\",\"index\":1,\"content_block\":{\"type\":"             \
    "\"tool_use\",\"id\":\"toolu_01B\",\"name\":\"get_time\",\"input\":{}}}\n"                     \
    "\n"                                                                                           \
    "event: content_block_delta\n"                                                                 \
    "data: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":"                     \
    "\"input_json_delta\",\"partial_json\":\"\"}}\n"                                               \
    "\n"                                                                                           \
    "event: content_block_delta\n"                                                                 \
    "data: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":"                     \
    "\"input_json_delta\",\"partial_json\":\"{\\\"tz\\\": \\\"UTC\\\"}\"}}\n"                      \
    "\n"                                                                                           \
    "event: content_block_stop\n"                                                                  \
    "data: {\"type\":\"content_block_stop\",\"index\":1}\n"                                        \
    "\n"                                                                                           \
    "event: message_delta\n"                                                                       \
    "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\","                   \
    "\"stop_sequence\":null},\"usage\":{\"output_tokens\":42}}\n"                                  \
    "\n"                                                                                           \
    "event: message_stop\n"                                                                        \
    "data: {\"type\":\"message_stop\"}\n"                                                          \
    "\n"

static void the_pages_stream(void **state)
{
    (void)state;
    expect_with(&streamed, PAGE_STREAM,
                "START msg_01A claude-haiku-5-5\n"
                "USAGE in=400 cached=0 written=0 out=1 reasoning=0\n"
                "PING\n"
                "TEXT Hi\n"
                "TOOL 0 toolu_01B get_time\n"
                "ARGUMENTS 0 {\"tz\": \"UTC\"}\n"
                "TOOL_END 0\n"
                "FINISH tool_calls \n"
                "USAGE in=400 cached=0 written=0 out=42 reasoning=0\n"
                "END\n");
}

static void the_pages_message(void **state)
{
    (void)state;
    expect_with(&plain,
                "{\"id\":\"msg_01A\",\"type\":\"message\",\"role\":\"assistant\",\"model\":"
                "\"claude-sonnet-5-5\",\"content\":[{\"type\":\"text\",\"text\":\"Hi\"}],"
                "\"stop_reason\":\"end_turn\",\"stop_sequence\":null,"
                "\"usage\":{\"input_tokens\":9,\"cache_creation_input_tokens\":0,"
                "\"cache_read_input_tokens\":0,\"cache_creation\":{\"ephemeral_5m_input_tokens\":0,"
                "\"ephemeral_1h_input_tokens\":0},\"output_tokens\":4,\"service_tier\":"
                "\"standard\"}}",
                "START msg_01A claude-sonnet-5-5\n"
                "TEXT Hi\n"
                "FINISH stop \n"
                "USAGE in=9 cached=0 written=0 out=4 reasoning=0\n"
                "END\n");
}

#define DATA(json) "data: " json "\n\n"
#define BEGIN      DATA("{\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"c\"}}")
#define BLOCK(json)                                                                                \
    DATA("{\"type\":\"content_block_start\",\"index\":0,\"content_block\":" json "}")
#define DELTA(json) DATA("{\"type\":\"content_block_delta\",\"index\":0,\"delta\":" json "}")
#define STOP        DATA("{\"type\":\"content_block_stop\",\"index\":0}")
#define REASON(why) DATA("{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"" why "\"}}")
#define DONE        DATA("{\"type\":\"message_stop\"}")

static void thinking_with_signature(void **state)
{
    (void)state;
    expect_with(&streamed,
                BEGIN BLOCK("{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}")
                    DELTA("{\"type\":\"thinking_delta\",\"thinking\":\"a\\n\xc3\xa9\"}")
                        DELTA("{\"type\":\"signature_delta\",\"signature\":\"Eq/+\"}")
                            DELTA("{\"type\":\"signature_delta\",\"signature\":\"aa==\"}")
                                STOP BLOCK("{\"type\":\"redacted_thinking\",\"data\":\"RED\"}")
                                    STOP REASON("end_turn") DONE,
                "START m c\nREASONING a\n\xc3\xa9\nSIGNATURE 1 Eq/+aa==\nREDACTED 1 RED\n"
                "FINISH stop \nEND\n");
    expect_with(&plain,
                "{\"id\":\"m\",\"model\":\"c\",\"content\":[{\"type\":\"thinking\",\"thinking\":"
                "\"a\",\"signature\":\"S\"},{\"type\":\"redacted_thinking\",\"data\":\"RED\"},"
                "{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{\"a\":1}},"
                "{\"type\":\"tool_use\",\"id\":\"u\",\"name\":\"g\",\"input\":{}}],"
                "\"stop_reason\":\"tool_use\",\"usage\":{\"input_tokens\":1,"
                "\"cache_creation_input_tokens\":2,\"cache_read_input_tokens\":4,"
                "\"output_tokens\":8,\"output_tokens_details\":{\"thinking_tokens\":3}}}",
                "START m c\nREASONING a\nSIGNATURE 1 S\nREDACTED 1 RED\n"
                "TOOL 0 t f\nARGUMENTS 0 {\"a\":1}\nTOOL_END 0\n"
                "TOOL 1 u g\nARGUMENTS 1 {}\nTOOL_END 1\n"
                "FINISH tool_calls \nUSAGE in=7 cached=4 written=2 out=8 reasoning=3\nEND\n");
}

static void tools_without_input(void **state)
{
    (void)state;
    expect_with(&streamed,
                BEGIN BLOCK("{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"f\",\"input\":{}}")
                    STOP BLOCK("{\"type\":\"tool_use\",\"id\":\"u\",\"name\":\"g\",\"input\":{}}")
                        DELTA("{\"type\":\"input_json_delta\",\"partial_json\":\"{}\"}")
                            STOP REASON("tool_use") DONE,
                "START m c\nTOOL 0 t f\nARGUMENTS 0 {}\nTOOL_END 0\n"
                "TOOL 1 u g\nARGUMENTS 1 {}\nTOOL_END 1\nFINISH tool_calls \nEND\n");
}

static void what_we_do_not_know(void **state)
{
    (void)state;
    expect_with(
        &streamed,
        ": comment\n\n" BEGIN DATA("{\"type\":\"news\",\"x\":1}")
            BLOCK("{\"type\":\"server_tool_use\",\"id\":\"s\",\"name\":\"web_search\",\"input\":"
                  "{}}") DELTA("{\"type\":\"input_json_delta\",\"partial_json\":\"{}\"}")
                STOP BLOCK("{\"type\":\"web_search_tool_result\",\"content\":[]}")
                    STOP BLOCK("{\"type\":\"text\",\"text\":\"\"}")
                        DELTA("{\"type\":\"text_delta\",\"text\":\"A\"}")
                            DELTA("{\"type\":\"odd_delta\",\"text\":\"B\"}")
                                DELTA("{\"type\":\"citations_delta\",\"citation\":{\"type\":"
                                      "\"web_search_result_location\",\"url\":\"https://e.org\","
                                      "\"title\":\"E\"}}")
                                    DELTA("{\"type\":\"citations_delta\",\"citation\":{\"type\":"
                                          "\"char_location\"}}") STOP REASON("odd_reason") DONE,
        "START m c\nTEXT A\nANNOTATION {\"type\":\"url_citation\",\"url_citation\":{\"url\":"
        "\"https://e.org\",\"title\":\"E\"}}\nFINISH  \nEND\n");
}

static void reasons(void **state)
{
    (void)state;
    static const struct {
        const char *stream;
        const char *finish;
    } cases[] = {
        {BEGIN REASON("end_turn") DONE, "FINISH stop \n"},
        {BEGIN REASON("pause_turn") DONE, "FINISH stop \n"},
        {BEGIN REASON("max_tokens") DONE, "FINISH length \n"},
        {BEGIN REASON("model_context_window_exceeded") DONE, "FINISH length \n"},
        {BEGIN REASON("refusal") DONE, "FINISH content_filter \n"},
        {BEGIN DATA("{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"stop_sequence\","
                    "\"stop_sequence\":\"END\"}}") DONE,
         "FINISH stop END\n"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        char expected[128];
        (void)snprintf(expected, sizeof(expected), "START m c\n%sEND\n", cases[i].finish);
        expect_with(&streamed, cases[i].stream, expected);
    }
}

static void ends(void **state)
{
    (void)state;
    /* Without message_stop, but with a reason: complete. */
    expect_with(&streamed, BEGIN REASON("end_turn"), "START m c\nFINISH stop \nEND\n");
    expect_with(&streamed, BEGIN BLOCK("{\"type\":\"text\",\"text\":\"x\"}"),
                "START m c\nTEXT x\nfailed: EOF\n");
    expect_with(&streamed, BEGIN "data: {\"type\":\"message_de", "START m c\nfailed: EOF\n");
    expect_with(&streamed, "", "failed: EOF\n");
    expect_with(&plain, " ", "failed: EOF\n");
    expect_with(&plain, "{\"id\":", "failed: PROTOCOL\n");
    expect_with(&plain, "{\"id\":\"x\"}", "failed: PROTOCOL\n");
    expect_with(&streamed, BEGIN DATA("nonsense"), "START m c\nfailed: PROTOCOL\n");
    expect_with(&streamed,
                BEGIN DATA("{\"type\":\"message_start\",\"message\":{\"id\":\"other\"}}"),
                "START m c\nfailed: PROTOCOL\n");
    /* What follows the end is not read. */
    expect_with(&streamed, BEGIN REASON("end_turn") DONE DATA("nonsense"),
                "START m c\nFINISH stop \nEND\n");
    /* One document where a stream was asked for. */
    struct gw_decoder_opts opts = streamed;
    opts.content_type = GW_STR("application/json; charset=utf-8");
    expect_with(&opts, "{\"id\":\"m\",\"model\":\"c\",\"content\":[],\"stop_reason\":\"end_turn\"}",
                "START m c\nFINISH stop \nEND\n");
}

static void errors_in_the_middle(void **state)
{
    (void)state;
    expect_with(&streamed,
                BEGIN "event: error\n" DATA("{\"type\":\"error\",\"error\":{\"type\":"
                                            "\"overloaded_error\",\"message\":\"Overloaded\"}}"),
                "START m c\nERROR 503 retry fallback Overloaded\nEND\n");
    expect_with(&streamed,
                "event: error\n" DATA("{\"type\":\"error\",\"error\":{\"type\":\"api_error\","
                                      "\"message\":\"Internal\"}}"),
                "ERROR 502 retry fallback Internal\nEND\n");
    expect_with(&streamed,
                BEGIN DATA("{\"error\":{\"code\":429,\"message\":\"Quota\",\"status\":"
                           "\"RESOURCE_EXHAUSTED\"}}"),
                "START m c\nERROR 429 retry fallback Quota\nEND\n");
}

static void changed_tools_are_turned_back(void **state)
{
    (void)state;
    struct gw_anthropic_tool tools[] = {
        {.name = GW_STR("apply"), .sent = GW_STR("apply"), .is_custom = true},
        {.name = GW_STR("ns.f"), .sent = GW_STR("ns_f_1")},
    };
    struct gw_anthropic_memory memory = {.tools = tools, .tool_count = GW_ARRAY_LEN(tools)};
    struct gw_decoder_opts opts = streamed;
    opts.memory = &memory;
    expect_with(&opts,
                BEGIN BLOCK("{\"type\":\"tool_use\",\"id\":\"t\",\"name\":\"apply\",\"input\":{}}")
                    DELTA("{\"type\":\"input_json_delta\",\"partial_json\":\"{\\\"input\\\":"
                          "\\\"a\"}")
                        DELTA("{\"type\":\"input_json_delta\",\"partial_json\":\"\\\\nb\\\"}\"}")
                            STOP BLOCK("{\"type\":\"tool_use\",\"id\":\"u\",\"name\":\"ns_f_1\","
                                       "\"input\":{}}")
                                DELTA("{\"type\":\"input_json_delta\",\"partial_json\":\"{}\"}")
                                    STOP REASON("tool_use") DONE,
                "START m c\nTOOL 0 t apply custom\nARGUMENTS 0 a\nb\nTOOL_END 0\n"
                "TOOL 1 u ns.f\nARGUMENTS 1 {}\nTOOL_END 1\nFINISH tool_calls \nEND\n");
}

/* ---- back through the encoder of Anthropic's dialect ---- */

static void round_trip(void **state)
{
    (void)state;
    static const struct gw_llm_request request = {.dialect = GW_DIALECT_ANTHROPIC};
    struct gw_encoder_opts opts = {.request_id = GW_STR("r"), .request = &request};
    struct trace first = {.encoder = gw_dialect_anthropic.encoder_create(&opts)};
    struct trace second = {0};
    gw_buf_init(&first.encoded, TRACE_BYTES);
    run(&first, &streamed, GW_STR(PAGE_STREAM), 0, 0);
    run(&second, &streamed, gw_buf_str(&first.encoded), 0, 0);
    /* Our ping comes right behind the start, the vendor's usage is in it. */
    assert_string_equal(second.text.ptr, "START msg_01A claude-haiku-5-5\n"
                                         "USAGE in=400 cached=0 written=0 out=1 reasoning=0\n"
                                         "PING\n"
                                         "TEXT Hi\n"
                                         "TOOL 0 toolu_01B get_time\n"
                                         "ARGUMENTS 0 {\"tz\": \"UTC\"}\n"
                                         "TOOL_END 0\n"
                                         "FINISH tool_calls \n"
                                         "USAGE in=400 cached=0 written=0 out=42 reasoning=0\n"
                                         "END\n");
    gw_dialect_anthropic.encoder_destroy(first.encoder);
    gw_buf_fini(&first.encoded);
    gw_buf_fini(&first.text);
    gw_buf_fini(&second.text);
}

/* ---- refusals ---- */

static void refusals(void **state)
{
    (void)state;
    static const struct gw_header hint = {
        .id = GW_HEADER_RETRY_AFTER, .name = GW_STR_INIT("retry-after"), .value = GW_STR_INIT("7")};
    static const struct {
        unsigned status;
        bool has_hint;
        const char *body;
        unsigned client_status;
        enum gw_error_class class;
        bool is_retryable;
        bool can_fallback;
        const char *code;
    } cases[] = {
        {400, false,
         "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"prompt "
         "is "
         "too long: 210000 tokens > 200000 maximum\"}}",
         400, GW_ERROR_CLIENT, false, true, "context_length_exceeded"},
        {400, false,
         "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"x\"}}",
         400, GW_ERROR_CLIENT, false, false, "invalid_request_error"},
        {400, false,
         "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"Your "
         "credit balance is too low\"}}",
         402, GW_ERROR_UPSTREAM, false, true, "upstream_billing_error"},
        {401, false, "{\"type\":\"error\",\"error\":{\"type\":\"authentication_error\"}}", 502,
         GW_ERROR_UPSTREAM, false, true, "upstream_credential_refused"},
        {403, false,
         "{\"error\":{\"code\":403,\"message\":\"m\",\"status\":\"PERMISSION_DENIED\"}}", 502,
         GW_ERROR_UPSTREAM, false, true, "upstream_credential_refused"},
        {404, false, "{\"type\":\"error\",\"error\":{\"type\":\"not_found_error\"}}", 404,
         GW_ERROR_UPSTREAM, false, true, "model_not_found"},
        {413, false, "<html>", 413, GW_ERROR_CLIENT, false, false, "request_too_large"},
        {429, true, "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\"}}", 429,
         GW_ERROR_LIMIT, true, true, "rate_limit_exceeded"},
        {429, false, "{\"type\":\"error\",\"error\":{\"type\":\"rate_limit_error\"}}", 429,
         GW_ERROR_LIMIT, false, true, "rate_limit_exceeded"},
        {429, false, "{\"error\":{\"code\":429,\"status\":\"RESOURCE_EXHAUSTED\"}}", 429,
         GW_ERROR_LIMIT, true, true, "rate_limit_exceeded"},
        {500, false, "{\"type\":\"error\",\"error\":{\"type\":\"api_error\"}}", 500,
         GW_ERROR_UPSTREAM, true, true, ""},
        {529, false, "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}", 503,
         GW_ERROR_OVERLOADED, true, true, "overloaded"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_arena arena;
        struct gw_error error;
        gw_arena_init(&arena, NULL, 0, 4096, TRACE_BYTES);
        gw_api_anthropic.read_error(cases[i].status, &hint, cases[i].has_hint ? 1 : 0,
                                    gw_str_from_c(cases[i].body), &arena, &error);
        assert_int_equal(error.status, cases[i].client_status);
        assert_int_equal(error.upstream_status, cases[i].status);
        assert_int_equal(error.class, cases[i].class);
        assert_int_equal(error.is_retryable, cases[i].is_retryable);
        assert_int_equal(error.can_fallback, cases[i].can_fallback);
        assert_int_equal(error.retry_after_s, cases[i].has_hint ? 7 : 0);
        assert_true(gw_str_eq(error.code, gw_str_from_c(cases[i].code)));
        gw_arena_fini(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pages_stream),
        cmocka_unit_test(the_pages_message),
        cmocka_unit_test(thinking_with_signature),
        cmocka_unit_test(tools_without_input),
        cmocka_unit_test(what_we_do_not_know),
        cmocka_unit_test(reasons),
        cmocka_unit_test(ends),
        cmocka_unit_test(errors_in_the_middle),
        cmocka_unit_test(changed_tools_are_turned_back),
        cmocka_unit_test(round_trip),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
