/* SPDX-License-Identifier: MIT */
/* Converse's answers and streams as events, at every split; its failures; its credential. */
#include "event_trace.h"

#include "llm/token_slot.h"
#include "provider/bedrock_int.h"
#include "tests/unit/http/event_stream_frame.h"

#define STREAM_BYTES (1u << 16)

static const struct gw_tool_name names[] = {
    {.client = GW_STR_INIT("ns.f"), .sent = GW_STR_INIT("ns_f")},
    {.client = GW_STR_INIT("apply_patch"), .sent = GW_STR_INIT("apply_patch"), .is_custom = true},
};

static struct gw_bedrock_memory memory_of(const char *schema_tool)
{
    static struct gw_tool_name entries[GW_ARRAY_LEN(names)];
    memcpy(entries, names, sizeof(names));
    return (struct gw_bedrock_memory){.names = {.entries = entries, .count = GW_ARRAY_LEN(names)},
                                      .schema_tool = gw_str_from_c(schema_tool),
                                      .is_claude = true};
}

static struct gw_decoder_opts opts_of(enum gw_decoder_mode mode,
                                      const struct gw_bedrock_memory *memory)
{
    return (struct gw_decoder_opts){.mode = mode,
                                    .upstream_request_id = GW_STR("req-1"),
                                    .upstream_model = GW_STR("m"),
                                    .memory = memory};
}

#define START "start id=req-1 model=m created=0\n"

/* ---- streams ---- */

struct frame {
    const char *type; /* "!" in front: an exception */
    const char *payload;
};

static void make_stream(const struct frame *frames, size_t count, struct gw_buf *out)
{
    gw_buf_init(out, STREAM_BYTES);
    for (size_t i = 0; i < count; i++) {
        bool is_exception = frames[i].type[0] == '!';
        frame_add(out, is_exception ? GW_STR(":exception-type") : GW_STR(":event-type"),
                  gw_str_from_c(frames[i].type + (is_exception ? 1 : 0)),
                  gw_str_from_c(frames[i].payload));
    }
}

static void check_frames(const struct frame *frames, size_t count,
                         const struct gw_bedrock_memory *memory, enum gw_err err,
                         const char *expected)
{
    struct gw_buf stream;
    make_stream(frames, count, &stream);
    trace_all_bytes(&gw_api_bedrock, opts_of(GW_DECODE_STREAM, memory), gw_buf_str(&stream), err,
                    expected);
    gw_buf_fini(&stream);
}

#define CHECK_STREAM(memory, err, expected, ...)                                                   \
    do {                                                                                           \
        const struct frame frames[] = {__VA_ARGS__};                                               \
        check_frames(frames, GW_ARRAY_LEN(frames), memory, err, expected);                         \
    } while (0)

#define DELTA(n, d) "{\"contentBlockIndex\":" #n ",\"delta\":{" d "},\"p\":\"abc\"}"
#define STOP(n)     "{\"contentBlockIndex\":" #n ",\"p\":\"ab\"}"
#define TOOL(n, id, name)                                                                          \
    "{\"contentBlockIndex\":" #n ",\"start\":{\"toolUse\":{\"toolUseId\":\"" id                    \
    "\",\"name\":\"" name "\"}}}"
#define METADATA                                                                                   \
    "{\"usage\":{\"inputTokens\":9,\"outputTokens\":2,\"totalTokens\":11,"                         \
    "\"cacheReadInputTokens\":3,\"cacheWriteInputTokens\":4},\"metrics\":{\"latencyMs\":512}}"
#define USAGE "usage in=16 cached=3 written=4 out=2 reasoning=0\n"

static void test_text_stream(void **state)
{
    (void)state;
    CHECK_STREAM(NULL, GW_OK,
                 START "text text=Hi\ntext text= \xc3\xa4\nfinish stop\n" USAGE "end\n",
                 {"messageStart", "{\"role\":\"assistant\",\"p\":\"x\"}"},
                 {"contentBlockDelta", DELTA(0, "\"text\":\"Hi\"")},
                 {"contentBlockDelta", DELTA(0, "\"text\":\"\"")},
                 {"contentBlockDelta", DELTA(0, "\"text\":\" \xc3\xa4\"")},
                 {"contentBlockStop", STOP(0)}, {"messageStop", "{\"stopReason\":\"end_turn\"}"},
                 {"somethingNew", "{}"}, {"metadata", METADATA});
    /* Without metadata it is complete; without messageStop it is not. */
    CHECK_STREAM(NULL, GW_OK, START "text text=Hi\nfinish length\nend\n",
                 {"messageStart", "{\"role\":\"assistant\"}"},
                 {"contentBlockDelta", DELTA(0, "\"text\":\"Hi\"")},
                 {"messageStop", "{\"stopReason\":\"max_tokens\"}"});
    /* Nothing counts behind the end but the usage. */
    CHECK_STREAM(NULL, GW_OK, START "finish stop\n" USAGE "end\n", {"messageStart", "{}"},
                 {"messageStop", "{\"stopReason\":\"end_turn\"}"},
                 {"contentBlockDelta", DELTA(0, "\"text\":\"Hi\"")},
                 {"messageStop", "{\"stopReason\":\"max_tokens\"}"}, {"metadata", METADATA});
    CHECK_STREAM(NULL, GW_ERR_EOF, START "text text=Hi\n",
                 {"messageStart", "{\"role\":\"assistant\"}"},
                 {"contentBlockDelta", DELTA(0, "\"text\":\"Hi\"")});
    trace_all_bytes(&gw_api_bedrock, opts_of(GW_DECODE_STREAM, NULL), gw_str(NULL, 0), GW_ERR_EOF,
                    "");
}

static void test_tool_stream(void **state)
{
    (void)state;
    struct gw_bedrock_memory memory = memory_of("");
    CHECK_STREAM(
        &memory, GW_OK,
        START "text text=On it\n"
              "tool_begin 0 id=a name=ns.f\n"
              "tool_arguments 0 text={\\\"x\\\":\n"
              "tool_begin 1 id=b name=g\n"
              "tool_arguments 0 text=1}\n"
              "tool_end 0\n"
              "tool_arguments 1 text={}\n"
              "tool_end 1\n"
              "tool_begin 2 id=c name=apply_patch custom\n"
              "tool_arguments 2 text=*** x\n"
              "tool_end 2\n"
              "finish tool_calls\n" USAGE "end\n",
        {"messageStart", "{}"}, {"contentBlockDelta", DELTA(0, "\"text\":\"On it\"")},
        {"contentBlockStop", STOP(0)}, {"contentBlockStart", TOOL(1, "a", "ns_f")},
        {"contentBlockDelta", DELTA(1, "\"toolUse\":{\"input\":\"\"}")},
        {"contentBlockDelta", DELTA(1, "\"toolUse\":{\"input\":\"{\\\"x\\\":\"}")},
        {"contentBlockStart", TOOL(2, "b", "g")},
        {"contentBlockDelta", DELTA(1, "\"toolUse\":{\"input\":\"1}\"}")},
        {"contentBlockStop", STOP(1)}, {"contentBlockStop", STOP(2)},
        {"contentBlockStart", TOOL(3, "c", "apply_patch")},
        {"contentBlockDelta", DELTA(3, "\"toolUse\":{\"input\":\"{\\\"inp\"}")},
        {"contentBlockDelta", DELTA(3, "\"toolUse\":{\"input\":\"ut\\\":\\\"*** x\\\"}\"}")},
        {"messageStop", "{\"stopReason\":\"tool_use\"}"}, {"metadata", METADATA});
}

static void test_schema_tool_stream(void **state)
{
    (void)state;
    struct gw_bedrock_memory memory = memory_of("structured_answer");
    CHECK_STREAM(&memory, GW_OK, START "text text={\\\"a\\\":\ntext text=1}\nfinish stop\nend\n",
                 {"messageStart", "{}"}, {"contentBlockStart", TOOL(0, "a", "structured_answer")},
                 {"contentBlockDelta", DELTA(0, "\"toolUse\":{\"input\":\"{\\\"a\\\":\"}")},
                 {"contentBlockDelta", DELTA(0, "\"toolUse\":{\"input\":\"1}\"}")},
                 {"contentBlockStop", STOP(0)}, {"messageStop", "{\"stopReason\":\"tool_use\"}"});
}

static void test_reasoning_stream(void **state)
{
    (void)state;
    struct gw_bedrock_memory memory = memory_of("");
    CHECK_STREAM(
        &memory, GW_OK,
        START "reasoning text=Let\nreasoning text= me\n"
              "reasoning_signature signer=1 value=c2ln\n"
              "reasoning_redacted signer=1 value=ZGF0YQ==\n"
              "text text=Hi\n"
              "annotation json={\\\"type\\\":\\\"url_citation\\\",\\\"url_citation\\\":{"
              "\\\"url\\\":\\\"https://x.example\\\",\\\"title\\\":\\\"T\\\"}}\n"
              "finish content_filter\nend\n",
        {"messageStart", "{}"},
        {"contentBlockDelta", DELTA(0, "\"reasoningContent\":{\"text\":\"Let\"}")},
        {"contentBlockDelta", DELTA(0, "\"reasoningContent\":{\"text\":\" me\"}")},
        {"contentBlockDelta", DELTA(0, "\"reasoningContent\":{\"signature\":\"c2\"}")},
        {"contentBlockDelta", DELTA(0, "\"reasoningContent\":{\"signature\":\"ln\"}")},
        {"contentBlockStop", STOP(0)},
        {"contentBlockDelta", DELTA(1, "\"reasoningContent\":{\"redactedContent\":\"ZGF0YQ==\"}")},
        {"contentBlockStop", STOP(1)}, {"contentBlockDelta", DELTA(2, "\"text\":\"Hi\"")},
        {"contentBlockDelta",
         DELTA(2, "\"citation\":{\"title\":\"T\",\"location\":{\"web\":{\"url\":"
                  "\"https://x.example\"}}}")},
        {"contentBlockDelta", DELTA(2, "\"citation\":{\"location\":{\"documentChar\":{}}}")},
        {"contentBlockStop", STOP(2)},
        {"messageStop", "{\"stopReason\":\"guardrail_intervened\"}"});
}

static void test_exceptions(void **state)
{
    (void)state;
    CHECK_STREAM(NULL, GW_OK,
                 "error limit 429 retry=1 fallback=1 code=rate_limit_exceeded "
                 "message=Too many requests\nend\n",
                 {"!throttlingException", "{\"message\":\"Too many requests\"}"},
                 {"contentBlockDelta", DELTA(0, "\"text\":\"Hi\"")});
    CHECK_STREAM(NULL, GW_OK,
                 START "text text=Hi\nerror upstream 502 retry=1 fallback=1 "
                       "code=modelStreamErrorException message=Boom\nend\n",
                 {"messageStart", "{}"}, {"contentBlockDelta", DELTA(0, "\"text\":\"Hi\"")},
                 {"!modelStreamErrorException",
                  "{\"originalMessage\":\"Boom\",\"originalStatusCode\":500}"});
    CHECK_STREAM(NULL, GW_OK,
                 "error overloaded 503 retry=1 fallback=1 code=serviceUnavailableException "
                 "message=The model stopped with an error in mid-answer.\nend\n",
                 {"!serviceUnavailableException", "{}"});
    /* A frame of the kind "error" has no payload. */
    struct gw_buf headers;
    struct gw_buf stream;
    gw_buf_init(&headers, STREAM_BYTES);
    gw_buf_init(&stream, STREAM_BYTES);
    frame_header(&headers, GW_STR(":message-type"), GW_STR("error"));
    frame_header(&headers, GW_STR(":error-code"), GW_STR("InternalFailure"));
    frame_header(&headers, GW_STR(":error-message"), GW_STR("Broken"));
    frame_raw(&stream, gw_buf_str(&headers), gw_str("", 0));
    trace_all_bytes(&gw_api_bedrock, opts_of(GW_DECODE_STREAM, NULL), gw_buf_str(&stream), GW_OK,
                    "error upstream 500 retry=1 fallback=1 code=InternalFailure message=Broken\n"
                    "end\n");
    gw_buf_fini(&headers);
    gw_buf_fini(&stream);
}

static void test_broken_streams(void **state)
{
    (void)state;
    CHECK_STREAM(NULL, GW_ERR_PROTOCOL, START, {"messageStart", "{}"},
                 {"contentBlockDelta", "{\"contentBlockIndex\":0,"});
    CHECK_STREAM(NULL, GW_ERR_PROTOCOL, START, {"messageStart", "{}"},
                 {"contentBlockDelta", DELTA(0, "\"toolUse\":{\"input\":\"{}\"}")});
    CHECK_STREAM(NULL, GW_ERR_PROTOCOL, START "tool_begin 0 id=a name=f\n", {"messageStart", "{}"},
                 {"contentBlockStart", TOOL(0, "a", "f")},
                 {"contentBlockStart", TOOL(0, "b", "f")});
    struct gw_buf stream;
    const struct frame frames[] = {{"messageStart", "{}"},
                                   {"messageStop", "{\"stopReason\":\"end_turn\"}"}};
    make_stream(frames, 2, &stream);
    for (size_t len = 1; len < stream.len; len++) {
        struct trace trace;
        trace_run(&trace, &gw_api_bedrock, opts_of(GW_DECODE_STREAM, NULL), gw_str(stream.ptr, len),
                  0, 0);
        assert_int_equal(trace.err, GW_ERR_EOF);
        trace_fini(&trace);
    }
    stream.ptr[stream.len - 1] ^= 1;
    trace_all_bytes(&gw_api_bedrock, opts_of(GW_DECODE_STREAM, NULL), gw_buf_str(&stream),
                    GW_ERR_PROTOCOL, START);
    gw_buf_fini(&stream);
}

/* ---- plain answers ---- */

static void check_plain(const char *text, const struct gw_bedrock_memory *memory, enum gw_err err,
                        const char *expected)
{
    trace_all(&gw_api_bedrock, opts_of(GW_DECODE_PLAIN, memory), text, err, expected);
}

static void test_plain(void **state)
{
    (void)state;
    struct gw_bedrock_memory memory = memory_of("");
    /* bedrock.md section 3. */
    check_plain(
        "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{\"text\":\"Hi\"}]}},"
        "\"stopReason\":\"end_turn\",\n \"usage\":{\"inputTokens\":9,\"outputTokens\":2,"
        "\"totalTokens\":11,\"cacheReadInputTokens\":0,\"cacheWriteInputTokens\":0},"
        "\"metrics\":{\"latencyMs\":512}}",
        NULL, GW_OK,
        START "text text=Hi\nfinish stop\nusage in=9 cached=0 written=0 out=2 reasoning=0\n"
              "end\n");
    check_plain(
        "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[{"
        "\"reasoningContent\":{\"reasoningText\":{\"text\":\"Hm\",\"signature\":\"c2ln\"}}},"
        "{\"reasoningContent\":{\"redactedContent\":\"ZGF0\"}},{\"text\":\"\"},"
        "{\"toolUse\":{\"toolUseId\":\"a\",\"name\":\"ns_f\",\"input\":{\"x\": 1}}},"
        "{\"toolUse\":{\"toolUseId\":\"b\",\"name\":\"apply_patch\",\"input\":{\"input\":"
        "\"p\"}}},{\"toolUse\":{\"toolUseId\":\"c\",\"name\":\"s\",\"input\":{},\"type\":"
        "\"server_tool_use\"}}]}},\"stopReason\":\"tool_use\",\"usage\":{\"inputTokens\":1,"
        "\"outputTokens\":2}}",
        &memory, GW_OK,
        START "reasoning text=Hm\nreasoning_signature signer=1 value=c2ln\n"
              "reasoning_redacted signer=1 value=ZGF0\n"
              "tool_begin 0 id=a name=ns.f\ntool_arguments 0 text={\\\"x\\\":1}\ntool_end 0\n"
              "tool_begin 1 id=b name=apply_patch custom\ntool_arguments 1 text=p\n"
              "tool_end 1\nfinish tool_calls\n"
              "usage in=1 cached=0 written=0 out=2 reasoning=0\nend\n");
    check_plain("{\"output\":{\"message\":{\"content\":[]}},\"stopReason\":\"content_filtered\"}",
                NULL, GW_OK, START "finish content_filter\nend\n");
    check_plain(
        "{\"output\":{\"message\":{\"content\":[{\"citationsContent\":{\"content\":[{\"text\""
        ":\"a\"},{\"text\":\"b\"}],\"citations\":[{\"location\":{\"web\":{\"url\":\"u\"}}}]}}"
        ",{\"image\":{\"format\":\"png\",\"source\":{\"bytes\":\"iVBO\"}}}]}},\"stopReason\":"
        "\"model_context_window_exceeded\"}",
        NULL, GW_OK,
        START "text text=a\ntext text=b\nannotation json={\\\"type\\\":\\\"url_citation\\\","
              "\\\"url_citation\\\":{\\\"url\\\":\\\"u\\\"}}\n"
              "media type=image/png base64=iVBO\nfinish length\nend\n");
    struct gw_bedrock_memory schema = memory_of("structured_answer");
    check_plain("{\"output\":{\"message\":{\"content\":[{\"toolUse\":{\"toolUseId\":\"a\",\"name\":"
                "\"structured_answer\",\"input\":{\"a\":[1]}}}]}},\"stopReason\":\"tool_use\"}",
                &schema, GW_OK, START "text text={\\\"a\\\":[1]}\nfinish stop\nend\n");
    check_plain("{\"output\":", NULL, GW_ERR_PROTOCOL, "");
    check_plain("[]", NULL, GW_ERR_PROTOCOL, "");
    check_plain("", NULL, GW_ERR_PROTOCOL, "");
}

/* ---- errors ---- */

static void check_error(unsigned status, const char *type, const char *body, const char *expected)
{
    struct gw_arena arena;
    struct gw_error error;
    struct gw_buf text;
    const struct gw_header header = {.name = GW_STR("x-amzn-errortype"),
                                     .value = gw_str_from_c(type)};
    gw_arena_init(&arena, NULL, 0, 4096, 65536);
    gw_buf_init(&text, 65536);
    gw_api_bedrock.read_error(status, &header, type != NULL ? 1 : 0, gw_str_from_c(body), &arena,
                              &error);
    assert_int_equal(error.upstream_status, status);
    bool is_refused = gw_str_eq(error.code, GW_STR("upstream_credential_refused"));
    assert_int_equal(error.is_credential, is_refused);
    trace_error(&text, &error);
    (void)gw_buf_append_byte(&text, '\0');
    assert_string_equal(text.ptr, expected);
    gw_buf_fini(&text);
    gw_arena_fini(&arena);
}

static void test_errors(void **state)
{
    (void)state;
    check_error(429, "ThrottlingException:http://internal.amazon.com/coral/",
                "{\"message\":\"Too many tokens\"}",
                " limit 429 retry=1 fallback=1 code=rate_limit_exceeded message=Too many tokens");
    check_error(400, "ValidationException", "{\"message\":\"Bad\"}",
                " client 400 retry=0 fallback=0 code=invalid_request_error message=Bad");
    check_error(400, "ValidationException",
                "{\"message\":\"Input is too long for requested model.\"}",
                " client 400 retry=0 fallback=1 code=context_length_exceeded message=Input is too "
                "long for requested model.");
    check_error(400, NULL,
                "{\"__type\":\"com.amazon.coral.validate#ValidationException\",\"Message\":"
                "\"The provided model identifier is invalid.\"}",
                " client 400 retry=0 fallback=1 code=model_not_found message=The provided model "
                "identifier is invalid.");
    check_error(400, "ServiceQuotaExceededException", "{\"message\":\"q\"}",
                " limit 400 retry=0 fallback=1 message=q");
    check_error(404, "ResourceNotFoundException", "{\"message\":\"no\"}",
                " upstream 404 retry=0 fallback=1 code=model_not_found message=no");
    check_error(408, "ModelTimeoutException", "{\"message\":\"slow\"}",
                " timeout 408 retry=1 fallback=1 message=slow");
    check_error(424, "ModelErrorException", "{\"message\":\"oops\"}",
                " upstream 502 retry=1 fallback=1 message=oops");
    check_error(503, "ServiceUnavailableException", "{\"message\":\"busy\"}",
                " overloaded 503 retry=1 fallback=1 message=busy");
    check_error(500, NULL, "<html>", " upstream 500 retry=1 fallback=1");
    check_error(
        403, "AccessDeniedException", "{\"message\":\"You don't have access\"}",
        " upstream 502 retry=0 fallback=1 code=upstream_credential_refused message=AWS does "
        "not let the gateway's credential use this model. This is not about your own key; "
        "tell who runs the gateway.");
    check_error(403, "ExpiredTokenException", "{\"message\":\"expired\"}",
                " upstream 502 retry=0 fallback=1 code=upstream_credential_refused message=AWS "
                "refused the gateway's credential. This is not about your own key; tell who runs "
                "the gateway.");
    check_error(
        403, "InvalidSignatureException",
        "{\"message\":\"Signature expired: 20261121T101112Z is now earlier than "
        "20261121T101612Z\"}",
        " upstream 502 retry=0 fallback=1 code=upstream_clock_skew message=The clock of the "
        "gateway's host differs from AWS's by more than five minutes, so AWS refuses its "
        "signatures. Whoever runs the gateway must set the clock (NTP).");
    check_error(
        403, "InvalidSignatureException",
        "{\"message\":\"The request signature we calculated does not match\"}",
        " upstream 502 retry=0 fallback=1 code=upstream_credential_refused message=AWS "
        "refused the gateway's signature: its secret key is wrong, or the clock of its host "
        "is. This is not about your own key; tell who runs the gateway.");
}

/* ---- the credential ---- */

/* bedrock.md section 6, through the table. */
static void test_authorize_signs(void **state)
{
    (void)state;
    struct gw_arena arena;
    struct gw_provider_call call = {
        .method = GW_STR("POST"),
        .target = GW_STR("/model/anthropic.claude-haiku-4-5-20251001-v1%3A0/converse-stream")};
    const struct gw_str body =
        GW_STR("{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"Hi\"}]}]}");
    struct gw_token_slot *slot = gw_token_slot_create();
    const struct gw_deployment deployment = {.token = slot};
    gw_arena_init(&arena, NULL, 0, 4096, 65536);
    assert_true(gw_provider_call_add(&call, GW_HEADER_CONTENT_TYPE, GW_STR("content-type"),
                                     GW_STR("application/json")));
    assert_true(gw_provider_call_add(&call, GW_HEADER_ACCEPT, GW_STR("accept"),
                                     GW_STR("application/vnd.amazon.eventstream")));
    const struct gw_authorize_input in = {
        .deployment = &deployment,
        .host = GW_STR("bedrock-runtime.us-east-1.amazonaws.com"),
        .body_runs = &body,
        .body_run_count = 1,
        .now_ms = 1795255872000u,
        .arena = &arena,
    };
    assert_int_equal(gw_api_bedrock.authorize(&in, &call), GW_ERR_NOT_FOUND);
    const struct gw_token token = {
        .access = GW_STR("AKIDEXAMPLE"),
        .secret = GW_STR("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        .session = GW_STR("FwoGEXAMPLETOKEN"),
    };
    assert_int_equal(gw_token_slot_set(slot, &token, in.now_ms), GW_OK);
    assert_int_equal(gw_api_bedrock.authorize(&in, &call), GW_OK);
    gw_token_slot_destroy(&slot);
    assert_int_equal(call.field_count, 5);
    assert_true(gw_str_eq(call.fields[2].value, GW_STR("20261121T101112Z")));
    assert_true(gw_str_has_suffix(
        call.fields[3].value,
        GW_STR("c137bc3863bf42025950df602a8a98d508787b4cb0d5520b255528df3fd158c7")));
    assert_true(gw_str_eq(call.fields[4].value, GW_STR("FwoGEXAMPLETOKEN")));
    gw_arena_fini(&arena);
}

static void test_authorize_with_a_key(void **state)
{
    (void)state;
    struct gw_arena arena;
    struct gw_provider_call call = {0};
    struct gw_secret *secret = gw_secret_create(GW_STR("bedrock-api-key-1"));
    struct gw_deployment deployment = {0};
    struct gw_authorize_input in = {.deployment = &deployment, .arena = &arena};
    gw_arena_init(&arena, NULL, 0, 4096, 65536);
    assert_int_equal(gw_api_bedrock.authorize(&in, &call), GW_ERR_NOT_FOUND);
    in.credential = secret;
    assert_int_equal(gw_api_bedrock.authorize(&in, &call), GW_OK);
    assert_int_equal(call.field_count, 1);
    assert_int_equal(call.fields[0].id, GW_HEADER_AUTHORIZATION);
    assert_true(gw_str_eq(call.fields[0].value, GW_STR("Bearer bedrock-api-key-1")));
    gw_arena_fini(&arena);
    gw_secret_destroy(&secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_stream),
        cmocka_unit_test(test_tool_stream),
        cmocka_unit_test(test_schema_tool_stream),
        cmocka_unit_test(test_reasoning_stream),
        cmocka_unit_test(test_exceptions),
        cmocka_unit_test(test_broken_streams),
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_authorize_signs),
        cmocka_unit_test(test_authorize_with_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
