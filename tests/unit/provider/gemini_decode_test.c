/* SPDX-License-Identifier: MIT */
/* provider/gemini_decode - answers of generateContent as events, at every split. */
#include "gemini_fixture.h"

#include "provider/gemini_int.h"

/* gemini.md section 5, literally */
#define PLAIN                                                                                      \
    "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hi\"}],\"role\":\"model\"},"            \
    "\"finishReason\":\"STOP\",\"index\":0}],\n"                                                   \
    " \"usageMetadata\":{\"promptTokenCount\":4,\"candidatesTokenCount\":1,"                       \
    "\"thoughtsTokenCount\":20,\"totalTokenCount\":25,"                                            \
    "\"promptTokensDetails\":[{\"modality\":\"TEXT\",\"tokenCount\":4}]},\n"                       \
    " \"modelVersion\":\"gemini-3.8-flash\",\"responseId\":\"abc123\"}\n"

/* gemini.md section 6, literally */
#define STREAM_1                                                                                   \
    "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"Hel\"}],\"role\": "           \
    "\"model\"},\"index\": 0}],\"usageMetadata\": {\"promptTokenCount\": "                         \
    "4,\"candidatesTokenCount\": 1,\"totalTokenCount\": 5},\"modelVersion\": "                     \
    "\"gemini-3.8-flash\",\"responseId\": \"abc123\"}\r\n\r\n"
#define STREAM_2                                                                                   \
    "data: {\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"lo\"}],\"role\": "            \
    "\"model\"},\"finishReason\": \"STOP\",\"index\": 0}],\"usageMetadata\": "                     \
    "{\"promptTokenCount\": 4,\"candidatesTokenCount\": 2,\"totalTokenCount\": "                   \
    "6},\"modelVersion\": \"gemini-3.8-flash\",\"responseId\": \"abc123\"}\r\n\r\n"

#define START     "start abc123 gemini-3.8-flash\n"
#define CHUNK(x)  "data: {\"candidates\":[{" x ",\"index\":0}]}\r\n\r\n"
#define PARTS(x)  "\"content\":{\"parts\":[" x "],\"role\":\"model\"}"
#define FINISH(x) "\"finishReason\":\"" x "\""
#define CALL(name, args)                                                                           \
    "{\"functionCall\":{\"name\":\"" name "\",\"args\":" args "},\"thoughtSignature\":\"c2ln\"}"

static void stream(const char *text, const char *expected)
{
    check_decode(&gw_api_gemini, GW_DECODE_STREAM, text, expected, NULL);
}

static void plain(const char *text, const char *expected)
{
    check_decode(&gw_api_gemini, GW_DECODE_PLAIN, text, expected, NULL);
}

static void test_plain(void **state)
{
    (void)state;
    plain(PLAIN, START "text Hi\nfinish stop\n"
                       "usage in 4 cached 0 out 21 reasoning 20\nend\n");
}

static void test_stream(void **state)
{
    (void)state;
    stream(STREAM_1 STREAM_2, START "text Hel\ntext lo\nfinish stop\n"
                                    "usage in 4 cached 0 out 2 reasoning 0\nend\n");
}

static void test_json_array(void **state)
{
    (void)state;
    stream("[{\"candidates\": [{\"content\": {\"parts\": [{\"text\": \"a}]\\\"{\"}]}}],\n"
           "\"responseId\":\"abc123\",\"modelVersion\":\"gemini-3.8-flash\"}\n,\r\n"
           "{\"candidates\":[{\"finishReason\":\"MAX_TOKENS\"}]}]\n",
           START "text a}]\\\"{\nfinish length\nend\n");
    stream("[]", "EOF\n");
    stream("[1]", "PROTOCOL\n");
    stream("[{\"candidates\":[{\"finishReason\":\"STOP\"}]}] x", "start  \nPROTOCOL\n");
    stream("[{\"error\":{\"code\":503,\"message\":\"busy\",\"status\":\"UNAVAILABLE\"}}]",
           "error 503/503 retryable fallback retry 0  busy\n");
}

static void test_tools(void **state)
{
    (void)state;
    stream(CHUNK(PARTS(
               CALL("get_weather", "{\"city\":\"Paris\",\"n\":1.5}") ","
                                                                     "{\"functionCall\":{\"id\":"
                                                                     "\"f2\",\"name\":\"now\"}}"))
               CHUNK(PARTS("{\"text\":\"\"}") "," FINISH("STOP")),
           "start  \n"
           "tool_begin 0  get_weather c2ln\n"
           "tool_arguments 0 {\\\"city\\\":\\\"Paris\\\",\\\"n\\\":1.5}\ntool_end 0\n"
           "tool_begin 1 f2 now \ntool_arguments 1 {}\ntool_end 1\n"
           "finish tool_calls\nend\n");
}

static void test_custom_tool(void **state)
{
    (void)state;
    struct gw_str names[] = {GW_STR_INIT("patch")};
    struct gw_gemini_memory memory = {.custom_tools = names, .custom_tool_count = 1};
    check_decode(&gw_api_gemini, GW_DECODE_STREAM,
                 CHUNK(PARTS(CALL("patch", "{\"input\":\"a\\nb\"}")) "," FINISH("STOP")),
                 "start  \ntool_begin 0c  patch c2ln\ntool_arguments 0 a\\nb\ntool_end 0\n"
                 "finish tool_calls\nend\n",
                 &memory);
}

static void test_thoughts(void **state)
{
    (void)state;
    stream(
        CHUNK(PARTS("{\"text\":\"hm\",\"thought\":true}")) CHUNK(PARTS(
            "{\"text\":\"x\"},{\"text\":\"\",\"thoughtSignature\":\"c2ln\"}") "," FINISH("STOP")),
        "start  \nreasoning hm\ntext x\nreasoning_signature c2ln\nfinish stop\nend\n");
}

static void test_unicode(void **state)
{
    (void)state;
    stream(
        CHUNK(PARTS("{\"text\":\"Gr\xc3\xbc\xc3\x9f \\ud83d\\ude00 \xf0\x9f\x98\x80\"}") "," FINISH(
            "STOP")),
        "start  \ntext Gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80 \xf0\x9f\x98\x80\n"
        "finish stop\nend\n");
}

static void test_finish_reasons(void **state)
{
    (void)state;
    plain("{\"candidates\":[{\"content\":{},\"finishReason\":\"MAX_TOKENS\"}],"
          "\"usageMetadata\":{\"promptTokenCount\":4,\"thoughtsTokenCount\":64,"
          "\"cachedContentTokenCount\":3,\"toolUsePromptTokenCount\":2}}",
          "start  \nfinish length\nusage in 6 cached 3 out 64 reasoning 64\nend\n");
    plain("{\"candidates\":[{" PARTS("{\"text\":\"x\"}") ",\"finishReason\":2}]}",
          "start  \ntext x\nfinish length\nend\n");
    plain("{\"candidates\":[{\"finishReason\":3}]}", "start  \nfinish content_filter\nend\n");
    plain("{\"candidates\":[{" PARTS("{\"text\":\"x\"}") ",\"finishReason\":99}]}",
          "start  \ntext x\nfinish stop\nend\n");
    plain("{\"candidates\":[{\"finishReason\":\"IMAGE_SAFETY\"}]}",
          "start  \nfinish content_filter\nend\n");
    plain("{\"promptFeedback\":{\"blockReason\":\"PROHIBITED_CONTENT\"},"
          "\"usageMetadata\":{\"promptTokenCount\":9}}",
          "start  \nfinish content_filter\nusage in 9 cached 0 out 0 reasoning 0\nend\n");
    plain("{\"candidates\":[{\"finishReason\":\"MALFORMED_FUNCTION_CALL\"}]}",
          "start  \nerror 502/0 retryable fallback retry 0 empty_answer "
          "The model gave no answer (MALFORMED_FUNCTION_CALL).\n");
    plain("{\"candidates\":[{" PARTS("{\"text\":\"x\"}") "," FINISH("NEW_ONE") "}]}",
          "start  \ntext x\nfinish stop\nend\n");
}

static void test_mid_stream_error(void **state)
{
    (void)state;
    const char *expected = START "text Hel\n"
                                 "error 503/503 retryable fallback retry 0  overloaded\n";
    /* pretty-printed, without "data:" */
    stream(STREAM_1 "{\n  \"error\": {\n    \"code\": 503,\n    \"message\": \"overloaded\",\n"
                    "    \"status\": \"UNAVAILABLE\"\n  }\n}\n",
           expected);
    stream(STREAM_1 "[{\r\n  \"error\": {\r\n    \"code\": 503,\r\n\r\n    \"message\": "
                    "\"overloaded\"\r\n  }\r\n}]\r\n\r\n",
           expected);
    stream(STREAM_1 "data: {\"error\":{\"code\":503,\"message\":\"overloaded\"}}\r\n\r\n" STREAM_2,
           expected);
    /* directly behind the data */
    stream("data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hel\"}]}}],"
           "\"modelVersion\":\"gemini-3.8-flash\",\"responseId\":\"abc123\"}\n"
           "{\"error\":{\"code\":503,\"message\":\"overloaded\"}}\n\n",
           expected);
}

static void test_broken(void **state)
{
    (void)state;
    plain("", "PROTOCOL\n");
    plain("{}", "start  \nPROTOCOL\n");
    plain("[1]", "PROTOCOL\n");
    plain("{\"candidates\":", "PROTOCOL\n");
    stream("", "EOF\n");
    stream(STREAM_1, START "text Hel\nEOF\n");
    stream(STREAM_1 "data: {\"candi", START "text Hel\nEOF\n");
    stream(STREAM_1 "data: {\"candi\r\n\r\n" STREAM_2, START "text Hel\nPROTOCOL\n");
    stream(STREAM_1 "{\"error\": {", START "text Hel\nEOF\n");
    stream("<html>\n\n", "EOF\n");
}

static void test_media_and_code(void **state)
{
    (void)state;
#define IMAGE  "{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"iVBO\"}}"
#define CODE   "{\"executableCode\":{\"language\":\"PYTHON\",\"code\":\"print(1)\"}}"
#define OUTPUT "{\"codeExecutionResult\":{\"outcome\":\"OUTCOME_OK\",\"output\":\"1\"}}"
    stream(CHUNK(PARTS(IMAGE "," CODE "," OUTPUT) "," FINISH("STOP")),
           "start  \nmedia image/png iVBO\ntext \\n```python\\nprint(1)\\n```\\n\n"
           "text \\n```\\n1\\n```\\n\nfinish stop\nend\n");
}

static void test_logprobs_and_citations(void **state)
{
    (void)state;
    stream(CHUNK(PARTS("{\"text\":\"x\"}") ",\"logprobsResult\":{\"chosenCandidates\":[{"
                                           "\"token\":\"x\",\"logProbability\":-0.5}],"
                                           "\"topCandidates\":[{\"candidates\":[{\"token\":\"y\","
                                           "\"logProbability\":-1}]}]}")
               CHUNK("\"groundingMetadata\":{\"groundingChunks\":[{\"web\":{\"uri\":\"https://a\","
                     "\"title\":\"A\"}}]}," FINISH("STOP")),
           "start  \n"
           "text x [{\\\"token\\\":\\\"x\\\",\\\"logprob\\\":-0.5,\\\"bytes\\\":[120],"
           "\\\"top_logprobs\\\":[{\\\"token\\\":\\\"y\\\",\\\"logprob\\\":-1,"
           "\\\"bytes\\\":[121]}]}]\n"
           "annotation {\\\"type\\\":\\\"url_citation\\\",\\\"url_citation\\\":{"
           "\\\"start_index\\\":0,\\\"end_index\\\":0,\\\"url\\\":\\\"https://a\\\","
           "\\\"title\\\":\\\"A\\\"}}\nfinish stop\nend\n");
}

static void test_token_count(void **state)
{
    (void)state;
    plain("{\"totalTokens\":31}",
          "start  \nfinish stop\nusage in 31 cached 0 out 0 reasoning 0\nend\n");
}

static void test_other_candidates(void **state)
{
    (void)state;
    plain("{\"candidates\":[{" PARTS("{\"text\":\"a\"}") "," FINISH("STOP") ",\"index\":0},{" PARTS(
              "{\"text\":\"b\"}") "," FINISH("STOP") ",\"index\":1}"
                                                     "]}",
          "start  \ntext a\nfinish stop\nend\n");
}

static enum gw_err refuse_all(void *user, const struct gw_event *event)
{
    (void)user;
    (void)event;
    return GW_ERR_CANCELLED;
}

static void test_sticky(void **state)
{
    (void)state;
    struct gw_decoder_opts opts = {.mode = GW_DECODE_STREAM, .on_event = refuse_all};
    struct gw_decoder *decoder = gw_api_gemini.decoder_create(&opts);
    assert_int_equal(gw_api_gemini.feed(decoder, GW_STR(STREAM_1)), GW_ERR_CANCELLED);
    assert_int_equal(gw_api_gemini.feed(decoder, GW_STR(STREAM_2)), GW_ERR_CANCELLED);
    assert_int_equal(gw_api_gemini.end(decoder), GW_ERR_CANCELLED);
    gw_api_gemini.decoder_destroy(decoder);
    gw_api_gemini.decoder_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_json_array),
        cmocka_unit_test(test_tools),
        cmocka_unit_test(test_custom_tool),
        cmocka_unit_test(test_thoughts),
        cmocka_unit_test(test_unicode),
        cmocka_unit_test(test_finish_reasons),
        cmocka_unit_test(test_mid_stream_error),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_media_and_code),
        cmocka_unit_test(test_logprobs_and_citations),
        cmocka_unit_test(test_token_count),
        cmocka_unit_test(test_other_candidates),
        cmocka_unit_test(test_sticky),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
