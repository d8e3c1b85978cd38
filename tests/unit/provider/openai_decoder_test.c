/* SPDX-License-Identifier: MIT */
/* provider/openai_decoder - the vendors' pages as traces, at every split. */
#include "event_trace.h"

#include "provider/openai_decoder.h"

#define HEAD                 "\"id\":\"chatcmpl-X1y2\",\"created\":1795255872"
#define CHUNK(model, choice) "data: {" HEAD ",\"model\":\"" model "\",\"choices\":[" choice "]}\n\n"
#define DELTA(delta)         "{\"index\":0,\"delta\":{" delta "},\"finish_reason\":null}"
#define FINISH(cause)        "{\"index\":0,\"delta\":{},\"finish_reason\":\"" cause "\"}"
#define DONE                 "data: [DONE]\n\n"
#define START                "start id=chatcmpl-X1y2 model=m created=1795255872\n"

static const struct gw_decoder_opts stream = {.mode = GW_DECODE_STREAM};
static const struct gw_decoder_opts plain = {.mode = GW_DECODE_PLAIN};

static void check_stream(const char *text, const char *expected)
{
    trace_all(&gw_api_openai, stream, text, GW_OK, expected);
}

/* shared/providers/openai.md section 6, literally. */
static void test_page_stream(void **state)
{
    (void)state;
#define PAGE                                                                                       \
    "data: {\"id\":\"chatcmpl-X1\",\"object\":\"chat.completion.chunk\",\"created\":1795255872,"   \
    "\"model\":\"gpt-4.1-nano\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_a\","
    check_stream(
        PAGE "\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\","
             "\"refusal\":null},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null,"
             "\"obfuscation\":\"Qx1\"}\n\n" PAGE
             "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Hi\"},\"logprobs\":null,"
             "\"finish_reason\":null}],\"usage\":null,\"obfuscation\":\"p9\"}\n\n" PAGE
             "\"choices\":[{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}]"
             ",\"usage\":null,\"obfuscation\":\"z\"}\n\n" PAGE
             "\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":1,"
             "\"total_tokens\":10,\"prompt_tokens_details\":{\"cached_tokens\":0,"
             "\"audio_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":0,"
             "\"audio_tokens\":0,\"accepted_prediction_tokens\":0,"
             "\"rejected_prediction_tokens\":0}},\"obfuscation\":\"\"}\n\n" DONE,
        "start id=chatcmpl-X1 model=gpt-4.1-nano created=1795255872\n"
        "text text=Hi\n"
        "finish stop\n"
        "usage in=9 cached=0 written=0 out=1 reasoning=0\n"
        "end\n");
}

static void test_tools(void **state)
{
    (void)state;
    check_stream(
        CHUNK("m", DELTA("\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"index\":0,"
                         "\"id\":\"call_a\",\"type\":\"function\",\"function\":{\"name\":\"f\","
                         "\"arguments\":\"\"}}],\"refusal\":null"))
            CHUNK("m", DELTA("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
                             "\"{\\\"a\\\"\"}}]"))
                CHUNK("m", DELTA("\"tool_calls\":[{\"index\":1,\"id\":\"call_b\",\"function\":{"
                                 "\"name\":\"g\",\"arguments\":\"\"}}]"))
                    CHUNK("m",
                          DELTA("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
                                "\":1}\"}},{\"index\":1,\"function\":{\"arguments\":\"{}\"}}]"))
                        CHUNK("m", FINISH("tool_calls")) DONE,
        START "tool_begin 0 id=call_a name=f\n"
              "tool_arguments 0 text={\\\"a\\\"\n"
              "tool_begin 1 id=call_b name=g\n"
              "tool_arguments 0 text=:1}\n"
              "tool_arguments 1 text={}\n"
              "tool_end 0\n"
              "tool_end 1\n"
              "finish tool_calls\n"
              "end\n");
}

/* Every call has index 0 and comes whole, as an object, without a type; a head is repeated. */
static void test_odd_tools(void **state)
{
    (void)state;
    check_stream(
        CHUNK("m", DELTA("\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\","
                         "\"arguments\":{\"x\":1}}},{\"index\":0,\"id\":\"b\",\"function\":{"
                         "\"name\":\"f\",\"arguments\":\"{\\\"x\\\":\"}}]"))
            CHUNK("m", DELTA("\"tool_calls\":[{\"index\":0,\"id\":\"b\",\"function\":{\"name\":"
                             "\"f\",\"arguments\":\"2}\"}}]"))
                CHUNK("m", DELTA("\"tool_calls\":[{\"function\":{\"name\":\"g\"}}]"))
                    CHUNK("m", FINISH("stop")) DONE,
        START "tool_begin 0 id=a name=f\n"
              "tool_arguments 0 text={\\\"x\\\":1}\n"
              "tool_begin 1 id=b name=f\n"
              "tool_arguments 1 text={\\\"x\\\":\n"
              "tool_arguments 1 text=2}\n"
              "tool_begin 2 name=g\n"
              "tool_end 0\ntool_end 1\ntool_end 2\n"
              "finish tool_calls\n"
              "end\n");
}

static void test_custom_tools(void **state)
{
    (void)state;
    const struct gw_str names[] = {GW_STR("patch")};
    const struct gw_openai_memory memory = {.custom_tools = names, .custom_tool_count = 1};
    struct gw_decoder_opts opts = stream;
    opts.memory = &memory;
    trace_all(
        &gw_api_openai, opts,
        CHUNK("m", DELTA("\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":"
                         "\"patch\",\"arguments\":\"{\\\"input\\\":\"}}]"))
            CHUNK("m", DELTA("\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":"
                             "\"\\\"*** Begin\\\"}\"}}]"))
                CHUNK("m", DELTA("\"tool_calls\":[{\"index\":1,\"id\":\"c\",\"type\":"
                                 "\"custom\",\"custom\":{\"name\":\"own\",\"input\":\"x\"}}]"))
                    CHUNK("m", FINISH("tool_calls")) DONE,
        GW_OK,
        START "tool_begin 0 id=a name=patch custom\n"
              "tool_begin 1 id=c name=own custom\n"
              "tool_arguments 1 text=x\n"
              "tool_arguments 0 text=*** Begin\n"
              "tool_end 0\ntool_end 1\n"
              "finish tool_calls\n"
              "end\n");
}

/* groq.md section 4: usage with the finish chunk; reasoning under its other name. */
static void test_page_groq(void **state)
{
    (void)state;
    check_stream(
        CHUNK("m", DELTA("\"role\":\"assistant\",\"content\":null"))
            CHUNK("m", DELTA("\"reasoning\":\"Think\",\"channel\":\"analysis\"")) CHUNK(
                "m", DELTA("\"content\":\"Hi\"")) "data: {" HEAD
                                                  ",\"model\":\"m\",\"choices\":[{\"index\":0,"
                                                  "\"delta\":{},\"finish_reason\":\"stop\"}],"
                                                  "\"x_groq\":{\"id\":\"req_01\",\"usage\":{"
                                                  "\"prompt_tokens\":70,\"completion_tokens\":12,"
                                                  "\"total_tokens\":82}}}\n\n" DONE,
        START "reasoning text=Think\n"
              "text text=Hi\n"
              "finish stop\n"
              "usage in=70 cached=0 written=0 out=12 reasoning=0\n"
              "end\n");
}

/* mistral-deepseek-xai.md: content as a list; nulls; keep-alives; cache by its own name. */
static void test_mistral_and_deepseek(void **state)
{
    (void)state;
    check_stream(
        CHUNK("m", DELTA("\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":"
                         "\"text\",\"text\":\"Hm\"}]},{\"type\":\"text\",\"text\":\"A\"}]"))
            CHUNK("m", FINISH("model_length")) DONE,
        START "reasoning text=Hm\n"
              "text text=A\n"
              "finish length\n"
              "end\n");
    check_stream(
        ": keep-alive\n\n" CHUNK("m", DELTA("\"content\":null,\"reasoning_content\":\"R\"")) CHUNK(
            "m",
            DELTA(
                "\"content\":\"A\",\"reasoning_content\":null")) "data: {" HEAD
                                                                 ",\"model\":\"m\",\"choices\":[{"
                                                                 "\"index\":0,\"delta\":{"
                                                                 "\"content\":\"\"},"
                                                                 "\"finish_reason\":\"stop\"}],"
                                                                 "\"usage\":{\"prompt_tokens\":5,"
                                                                 "\"completion_tokens\":"
                                                                 "3,\"prompt_cache_hit_tokens\":4,"
                                                                 "\"completion_tokens_details\":{"
                                                                 "\"reasoning_tokens\":2}}}"
                                                                 "\n\n" DONE,
        START "reasoning text=R\n"
              "text text=A\n"
              "finish stop\n"
              "usage in=5 cached=4 written=0 out=3 reasoning=2\n"
              "end\n");
}

/* C3: prompt 12, completion 1, reasoning 290, total 303. */
static void test_xai_usage(void **state)
{
    (void)state;
    check_stream(
        CHUNK("m", DELTA("\"role\":\"assistant\",\"content\":\"A\"")) CHUNK(
            "m", FINISH("stop")) "data: {" HEAD
                                 ",\"model\":\"m\",\"choices\":[],\"usage\":{\"prompt_tokens\":12,"
                                 "\"completion_tokens\":1,\"total_tokens\":303,\"completion_tokens_"
                                 "details\":{"
                                 "\"reasoning_tokens\":290}}}\n\n" DONE,
        START "text text=A\n"
              "finish stop\n"
              "usage in=12 cached=0 written=0 out=291 reasoning=290\n"
              "end\n");
}

/* azure.md section 5: an empty first event, a verdict behind the finish reason, no delta. */
static void test_azure(void **state)
{
    (void)state;
    check_stream(
        "data: {\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\",\"object\":\"\","
        "\"prompt_filter_results\":[{\"prompt_index\":0}]}\n\n"
        "data: {\"choices\":[{\"content_filter_results\":{},\"delta\":{\"content\":\"\","
        "\"refusal\":null,\"role\":\"assistant\"},\"finish_reason\":null,\"index\":0,"
        "\"logprobs\":null}],\"created\":1795255872,\"id\":\"chatcmpl-Z1zz\",\"model\":\"m\"}\n\n"
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\",\"index\":0}],\"id\":"
        "\"chatcmpl-Z1zz\"}\n\n"
        "data: {\"id\":\"\",\"choices\":[{\"index\":0,\"finish_reason\":\"content_filter\","
        "\"content_filter_offsets\":{\"check_offset\":1}}]}\n\n" DONE,
        "start id=chatcmpl-Z1zz model=m created=1795255872\n"
        "finish content_filter\n"
        "end\n");
}

static void test_extensions(void **state)
{
    (void)state;
    check_stream(
        CHUNK("m", DELTA("\"reasoning_content\":\"T\""))
            CHUNK("m", DELTA("\"thinking_blocks\":[{\"type\":\"thinking\",\"thinking\":\"T\","
                             "\"signature\":\"s1\"},{\"type\":\"redacted_thinking\",\"data\":\"d\"}"
                             "]"))
                CHUNK("m", DELTA("\"images\":[{\"type\":\"image_url\",\"image_url\":{\"url\":"
                                 "\"data:image/png;base64,AAAA\"}}],\"annotations\":[{\"type\":"
                                 "\"url_citation\",\"url_citation\":{\"url\":\"u\"}}]"))
                    CHUNK("m", DELTA("\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{"
                                     "\"name\":\"f\",\"arguments\":\"{}\"},\"extra_content\":{"
                                     "\"google\":{\"thought_signature\":\"g\"}}}]"))
                        CHUNK("m", FINISH("tool_calls")) DONE,
        START "reasoning text=T\n"
              "reasoning_signature signer=1 value=s1\n"
              "reasoning_redacted signer=1 value=d\n"
              "media type=image/png base64=AAAA\n"
              "annotation json={\\\"type\\\":\\\"url_citation\\\",\\\"url_citation\\\":{"
              "\\\"url\\\":\\\"u\\\"}}\n"
              "tool_begin 0 id=a name=f signature=g\n"
              "tool_arguments 0 text={}\n"
              "tool_end 0\n"
              "finish tool_calls\n"
              "end\n");
}

static void test_logprobs_and_refusal(void **state)
{
    (void)state;
    check_stream(CHUNK("m", "{\"index\":0,\"delta\":{\"content\":\"A\"},\"logprobs\":{\"content\":["
                            "{\"token\":\"A\",\"logprob\":-0.5,\"bytes\":[65],\"top_logprobs\":[]}"
                            "],\"refusal\":null},\"finish_reason\":null}")
                     CHUNK("m", DELTA("\"refusal\":\"No.\""))
                         CHUNK("m", "{\"index\":1,\"delta\":{\"content\":\"other\"}}")
                             CHUNK("m", FINISH("stop")) DONE,
                 START "text text=A logprobs=[{\\\"token\\\":\\\"A\\\",\\\"logprob\\\":-0.5,"
                       "\\\"bytes\\\":[65],\\\"top_logprobs\\\":[]}]\n"
                       "refusal text=No.\n"
                       "finish stop\n"
                       "end\n");
}

/* ---- ends ---- */

static void test_ends(void **state)
{
    (void)state;
    const char *open = CHUNK("m", DELTA("\"content\":\"A\""));
    const char *finished = CHUNK("m", DELTA("\"content\":\"A\"")) CHUNK("m", FINISH("length"));
    const char *cut = CHUNK("m", DELTA("\"content\":\"A\"")) "data: {\"id\":\"chatcm";
    const char *loose = CHUNK("m", DELTA("\"content\":\"A\"")) "data: [DONE] ";
    const char *crlf =
        "data: {\"choices\":[{\"delta\":{\"content\":\"A\"}}]}\r\n\r\ndata: [DONE]\r";
    trace_all(&gw_api_openai, stream, open, GW_ERR_EOF, START "text text=A\n");
    trace_all(&gw_api_openai, stream, cut, GW_ERR_EOF, START "text text=A\n");
    trace_all(&gw_api_openai, stream, "", GW_ERR_EOF, "");
    trace_all(&gw_api_openai, stream, DONE, GW_ERR_EOF, "");
    trace_all(&gw_api_openai, stream, ": ping\n\n", GW_ERR_EOF, "");
    check_stream(finished, START "text text=A\nfinish length\nend\n");
    check_stream(loose, START "text text=A\nfinish \nend\n");
    check_stream(crlf, "start created=0\ntext text=A\nfinish \nend\n");
    trace_all(&gw_api_openai, stream, "data: {oops}\n\n" DONE, GW_ERR_PROTOCOL, "");
}

/* ---- errors inside a stream ---- */

static void test_errors(void **state)
{
    (void)state;
    check_stream(CHUNK("m", DELTA("\"content\":\"A\"")) "data: "
                                                        "{\"error\":{\"message\":\"boom\",\"type\":"
                                                        "\"server_error\",\"param\":null,"
                                                        "\"code\":null}}\n\n" DONE,
                 START "text text=A\n"
                       "error upstream 502 retry=1 fallback=1 message=boom\n"
                       "end\n");
    check_stream("event: error\ndata: {\"error\":{\"message\":\"Failed to call a function.\","
                 "\"type\":\"invalid_request_error\",\"code\":\"tool_use_failed\","
                 "\"status_code\":400}}\n\n",
                 "error upstream 400 retry=1 fallback=1 code=tool_use_failed "
                 "message=Failed to call a function.\nend\n");
    check_stream("error: {\"code\":500,\"message\":\"old\",\"type\":\"server_error\"}\n\n" DONE,
                 "error upstream 500 retry=1 fallback=1 message=old\nend\n");
    check_stream("{\"error\":\"llama runner died\"}\n",
                 "error upstream 502 retry=1 fallback=1 message=llama runner died\nend\n");
    check_stream(
        "data: {\"error\":{\"code\":\"content_filter\",\"message\":\"cut\",\"status\":400}}"
        "\n\n",
        "error client 400 retry=0 fallback=0 code=content_filter message=cut\nend\n");
    check_stream(CHUNK("m", DELTA("\"content\":\"A\""))
                     CHUNK("m", FINISH("insufficient_system_resource")) DONE,
                 START "text text=A\n"
                       "error upstream 503 retry=1 fallback=1 code=upstream_error message=The "
                       "provider stopped before the answer was complete.\nend\n");
}

/* ---- plain ---- */

static void test_plain(void **state)
{
    (void)state;
    trace_all(
        &gw_api_openai, plain,
        "\n\n{\"id\":\"chatcmpl-X1y2\",\"object\":\"chat.completion\",\"created\":1795255872,"
        "\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":"
        "\"Hi\",\"refusal\":null,\"annotations\":[],\"reasoning_content\":\"Hm\",\"tool_calls\":[{"
        "\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},"
        "\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":9,"
        "\"completion_tokens\":1,\"total_tokens\":10,\"prompt_tokens_details\":{\"cached_tokens\":8"
        ",\"audio_tokens\":0,\"cache_write_tokens\":1},\"completion_tokens_details\":{"
        "\"reasoning_tokens\":0}}}",
        GW_OK,
        START "reasoning text=Hm\n"
              "text text=Hi\n"
              "tool_begin 0 id=a name=f\n"
              "tool_arguments 0 text={}\n"
              "tool_end 0\n"
              "finish tool_calls\n"
              "usage in=9 cached=8 written=1 out=1 reasoning=0\n"
              "end\n");
    trace_all(&gw_api_openai, plain, "{\"error\":{\"message\":\"no\",\"code\":429}}", GW_OK,
              "error limit 429 retry=1 fallback=1 code=rate_limit_exceeded message=no\nend\n");
    trace_all(&gw_api_openai, plain, "", GW_ERR_EOF, "");
    trace_all(&gw_api_openai, plain, "<html>", GW_ERR_PROTOCOL, "");
    trace_all(&gw_api_openai, plain, "{\"object\":\"list\"}", GW_ERR_PROTOCOL, "");
    struct gw_decoder_opts opts = stream;
    opts.content_type = GW_STR("application/json; charset=utf-8");
    trace_all(&gw_api_openai, opts,
              "{\"choices\":[{\"message\":{\"content\":\"Hi\"},\"finish_reason\":\"stop\"}]}",
              GW_OK, "start created=0\ntext text=Hi\nfinish stop\nend\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page_stream), cmocka_unit_test(test_tools),
        cmocka_unit_test(test_odd_tools),   cmocka_unit_test(test_custom_tools),
        cmocka_unit_test(test_page_groq),   cmocka_unit_test(test_mistral_and_deepseek),
        cmocka_unit_test(test_xai_usage),   cmocka_unit_test(test_azure),
        cmocka_unit_test(test_extensions),  cmocka_unit_test(test_logprobs_and_refusal),
        cmocka_unit_test(test_ends),        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_plain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
