/* SPDX-License-Identifier: MIT */
/* provider/gemini - neutral requests as exact upstream bytes, and targets and credentials. */
#include "gemini_fixture.h"

#include "base/secret.h"
#include "llm/token_slot.h"
#include "provider/vertex.h"

#define FLASH   "gemini-3.8-flash"
#define USER(x) "{\"role\":\"user\",\"content\":" x "}"
#define CHAT(x) "{\"model\":\"m\",\"messages\":[" x "]}"
#define WITH(x) "{" x ",\"messages\":[" USER("\"Hi\"") "]}"
#define HI      "\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Hi\"}]}]"
#define TOOL(n) "{\"type\":\"function\",\"function\":{\"name\":\"" n "\"}}"
#define DECL(n) "\"tools\":[{\"functionDeclarations\":[{\"name\":\"" n "\"}]}]"
#define BEGIN(f)                                                                                   \
    struct gemini_fixture f;                                                                       \
    fixture_init(&f, &gw_api_gemini)

static void test_plain(void **state)
{
    (void)state;
    BEGIN(f);
    ENCODES(&f, FLASH, CHAT(USER("\"Hi\"")), "{" HI "}");
    assert_string_equal(f.call.target.ptr, "/v1beta/models/gemini-3.8-flash:generateContent");
    assert_true(gw_str_eq(f.call.method, GW_STR("POST")));
    assert_int_equal(f.call.field_count, 1);
    f.request.is_stream = true;
    ENCODES(&f, "models/" FLASH, CHAT(USER("\"Hi\"")), "{" HI "}");
    assert_string_equal(f.call.target.ptr,
                        "/v1beta/models/gemini-3.8-flash:streamGenerateContent?alt=sse");
    fixture_fini(&f);
}

static void test_system_and_turns(void **state)
{
    (void)state;
    BEGIN(f);
    ENCODES(
        &f, FLASH,
        CHAT("{\"role\":\"system\",\"content\":\"Be brief.\"},"
             "{\"role\":\"developer\",\"content\":[{\"type\":\"text\",\"text\":\"Now.\"}]}," USER(
                 "\"Hi\"") ",{\"role\":\"assistant\",\"content\":\"Yo\"},"
                           "{\"role\":\"system\",\"content\":\"Later.\"}," USER("\"Bye\"")),
        "{\"systemInstruction\":{\"parts\":[{\"text\":\"Be brief.\"},{\"text\":\"Now.\"}]},"
        "\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Hi\"}]},"
        "{\"role\":\"model\",\"parts\":[{\"text\":\"Yo\"}]},"
        "{\"role\":\"user\",\"parts\":[{\"text\":\"Later.\"},{\"text\":\"Bye\"}]}]}");
    assert_true(fixture_note(&f, "messages[].role", GW_NOTE_CHANGED).len > 0);
    ENCODES(&f, "gemma-3-27b-it", CHAT("{\"role\":\"system\",\"content\":\"S\"}," USER("\"Hi\"")),
            "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"S\"},{\"text\":\"Hi\"}]}]}");
    ENCODES(&f, FLASH, CHAT("{\"role\":\"system\",\"content\":\"S\"}"),
            "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"S\"}]}]}");
    fixture_fini(&f);
}

static void test_tools(void **state)
{
    (void)state;
    BEGIN(f);
    ENCODES(&f, FLASH,
            WITH("\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"get_weather\","
                 "\"description\":\"d\",\"parameters\":{\"type\":\"object\",\"properties\":{"
                 "\"city\":{\"type\":\"string\"}},\"required\":[\"city\"],"
                 "\"additionalProperties\":false}}},"
                 "{\"type\":\"function\",\"function\":{\"name\":\"now\",\"parameters\":{"
                 "\"type\":\"object\",\"properties\":{}}}},{\"googleSearch\":{}}]"),
            "{\"tools\":[{\"functionDeclarations\":[{\"name\":\"get_weather\",\"description\":"
            "\"d\",\"parametersJsonSchema\":{\"type\":\"object\",\"properties\":{\"city\":{"
            "\"type\":\"string\"}},\"required\":[\"city\"],\"additionalProperties\":false}},"
            "{\"name\":\"now\"}]},{\"googleSearch\":{}}]," HI "}");
    fixture_fini(&f);
}

static void check_choice(const char *choice, const char *config)
{
    BEGIN(f);
    char chat[512];
    char expected[512];
    snprintf(chat, sizeof(chat), WITH("\"tools\":[" TOOL("f") "],\"tool_choice\":%s"), choice);
    snprintf(expected, sizeof(expected),
             "{" DECL("f") ",\"toolConfig\":{\"functionCallingConfig\":{\"mode\":%s}}," HI "}",
             config);
    ENCODES(&f, FLASH, chat, expected);
    fixture_fini(&f);
}

static void test_tool_choice(void **state)
{
    (void)state;
    check_choice("\"auto\"", "\"AUTO\"");
    check_choice("\"none\"", "\"NONE\"");
    check_choice("\"required\"", "\"ANY\"");
    check_choice(TOOL("f"), "\"ANY\",\"allowedFunctionNames\":[\"f\"]");
    check_choice("{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"required\","
                 "\"tools\":[" TOOL("f") "]}}",
                 "\"ANY\",\"allowedFunctionNames\":[\"f\"]");
    check_choice("{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"auto\","
                 "\"tools\":[" TOOL("f") "," TOOL("g") "]}}",
                 "\"VALIDATED\",\"allowedFunctionNames\":[\"f\",\"g\"]");
    BEGIN(f);
    ENCODES(&f, FLASH,
            WITH("\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"strict\":true}}"
                 "],\"parallel_tool_calls\":false"),
            "{" DECL("f") ",\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"VALIDATED\"}}," HI
                          "}");
    assert_true(fixture_note(&f, "parallel_tool_calls", GW_NOTE_DROPPED).len > 0);
    fixture_fini(&f);
}

#define CALLS                                                                                      \
    "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":["                                    \
    "{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":"             \
    "\"{\\\"a\\\":1}\"},\"extra_content\":{\"google\":{\"thought_signature\":\"c2ln\"}}},"         \
    "{\"id\":\"c2\",\"type\":\"function\",\"function\":{\"name\":\"g\",\"arguments\":\"\"}}]}"

static void test_tool_results(void **state)
{
    (void)state;
    BEGIN(f);
    /* in the order of the calls, in one content */
    ENCODES(
        &f, FLASH,
        CHAT(USER("\"Hi\"") "," CALLS
                            ",{\"role\":\"tool\",\"tool_call_id\":\"c2\",\"content\":\"plain\"},"
                            "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"{\\\"t\\\": "
                            "20}\"}"),
        "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Hi\"}]},"
        "{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"id\":\"c1\",\"name\":\"f\","
        "\"args\":{\"a\":1}},\"thoughtSignature\":\"c2ln\"},"
        "{\"functionCall\":{\"id\":\"c2\",\"name\":\"g\",\"args\":{}}}]},"
        "{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"id\":\"c1\",\"name\":\"f\","
        "\"response\":{\"t\": 20}}},{\"functionResponse\":{\"id\":\"c2\",\"name\":\"g\","
        "\"response\":{\"output\":\"plain\"}}}]}]}");
    fixture_fini(&f);
    fixture_init(&f, &gw_api_vertex_gemini);
    f.deployment.base_path = GW_STR("");
    /* no ids on Vertex; a call without a signature gets the sentinel; failures say so */
    ENCODES(&f, FLASH,
            CHAT("{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\","
                 "\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},"
                 "{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"is_error\":true,\"content\":["
                 "{\"type\":\"text\",\"text\":\"no\"},{\"type\":\"image_url\",\"image_url\":{"
                 "\"url\":\"data:image/png;base64,iVBO\"}}]}"),
            "{\"contents\":[{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"name\":\"f\","
            "\"args\":{}},\"thoughtSignature\":\"skip_thought_signature_validator\"}]},"
            "{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"name\":\"f\",\"response\":{"
            "\"error\":\"no\"}}},{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"iVBO\"}}"
            "]}]}");
    fixture_fini(&f);
}

static void test_tool_results_odd(void **state)
{
    (void)state;
    BEGIN(f);
    /* an older turn's call, a 2.5 model: no sentinel */
    ENCODES(
        &f, "gemini-2.5-pro",
        CHAT("{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c1\",\"function\":{\"name\":"
             "\"f\",\"arguments\":\"no json\"}}]}," USER(
                 "\"x\"") ",{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c2\",\"function\":{"
                          "\"name\":"
                          "\"g\"}}]},{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"\"}"),
        "{\"contents\":[{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"id\":\"c1\","
        "\"name\":\"f\",\"args\":{}}}]},{\"role\":\"user\",\"parts\":[{\"text\":\"x\"}]},"
        "{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"id\":\"c2\",\"name\":\"g\","
        "\"args\":{}}}]},{\"role\":\"user\",\"parts\":[{\"functionResponse\":{\"id\":\"c1\","
        "\"name\":\"f\",\"response\":{\"output\":\"\"}}}]}]}");
    assert_true(
        fixture_note(&f, "messages[].tool_calls[].function.arguments", GW_NOTE_CHANGED).len > 0);
    assert_int_equal(fixture_encode(&f, FLASH,
                                    CHAT("{\"role\":\"tool\",\"tool_call_id\":\"x\",\"content\":"
                                         "\"\"}")),
                     GW_ERR_INVALID);
    assert_int_equal(f.error.status, 400);
    fixture_fini(&f);
}

static void test_custom_tools(void **state)
{
    (void)state;
    BEGIN(f);
    ENCODES(
        &f, FLASH,
        "{\"tools\":[{\"type\":\"custom\",\"custom\":{\"name\":\"patch\"}}],\"messages\":[" USER(
            "\"Hi\"") ",{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c1\",\"type\":"
                      "\"custom\",\"custom\":{\"name\":\"patch\",\"input\":\"a\\nb\"}}]}]}",
        "{\"tools\":[{\"functionDeclarations\":[{\"name\":\"patch\",\"parametersJsonSchema\":{"
        "\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\"}},\"required\":["
        "\"input\"]}}]}],\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Hi\"}]},"
        "{\"role\":\"model\",\"parts\":[{\"functionCall\":{\"id\":\"c1\",\"name\":\"patch\","
        "\"args\":{\"input\":\"a\\nb\"}},\"thoughtSignature\":"
        "\"skip_thought_signature_validator\"}]}]}");
    (void)fixture_decode(&f, GW_DECODE_PLAIN,
                         GW_STR("{\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{"
                                "\"name\":\"patch\",\"args\":{\"input\":\"x\"}}}]},"
                                "\"finishReason\":\"STOP\"}]}"),
                         0, 0);
    assert_string_equal(fixture_text(&f.trace),
                        "start  \ntool_begin 0c  patch \ntool_arguments 0 x\ntool_end 0\n"
                        "finish tool_calls\nend\n");
    fixture_fini(&f);
}

#define PART(x) CHAT(USER("[" x "]"))
#define AS(x)   "{\"contents\":[{\"role\":\"user\",\"parts\":[" x "]}]}"

static void test_media(void **state)
{
    (void)state;
    BEGIN(f);
    ENCODES(&f, FLASH,
            PART("{\"type\":\"text\",\"text\":\"What?\"},{\"type\":\"image_url\",\"image_url\":{"
                 "\"url\":\"data:image/png;base64,iVBO\"}}"),
            AS("{\"text\":\"What?\"},{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":"
               "\"iVBO\"}}"));
    ENCODES(&f, FLASH,
            PART("{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://a.b/c.PNG?x=1\","
                 "\"detail\":\"low\"}}"),
            AS("{\"fileData\":{\"mimeType\":\"image/png\",\"fileUri\":"
               "\"https://a.b/c.PNG?x=1\"}}"));
    assert_true(fixture_note(&f, "messages[].content[].image_url.detail", GW_NOTE_DROPPED).len > 0);
    ENCODES(&f, FLASH,
            PART("{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"UklG\",\"format\":\"wav\"}"
                 "}"),
            AS("{\"inlineData\":{\"mimeType\":\"audio/wav\",\"data\":\"UklG\"}}"));
    ENCODES(&f, FLASH,
            PART("{\"type\":\"file\",\"file\":{\"filename\":\"a.pdf\",\"file_data\":"
                 "\"data:application/pdf;base64,JVBE\"}}"),
            AS("{\"inlineData\":{\"mimeType\":\"application/pdf\",\"data\":\"JVBE\"}}"));
    ENCODES(&f, FLASH, PART("{\"type\":\"file\",\"file\":{\"file_url\":\"gs://b/o.mp4\"}}"),
            AS("{\"fileData\":{\"mimeType\":\"video/mp4\",\"fileUri\":\"gs://b/o.mp4\"}}"));
    assert_int_equal(
        fixture_encode(&f, FLASH, PART("{\"type\":\"file\",\"file\":{\"file_id\":\"file-1\"}}")),
        GW_ERR_INVALID);
    assert_true(gw_str_eq(f.error.code, GW_STR("unsupported_parameter")));
    f.deployment.drops_params = true;
    assert_int_equal(
        fixture_encode(&f, FLASH, PART("{\"type\":\"file\",\"file\":{\"file_id\":\"file-1\"}}")),
        GW_ERR_INVALID); /* nothing is left */
    ENCODES(&f, FLASH, PART("{\"type\":\"odd\"},{\"type\":\"text\",\"text\":\"x\"}"),
            AS("{\"text\":\"x\"}"));
    fixture_fini(&f);
}

static void test_config(void **state)
{
    (void)state;
    BEGIN(f);
    ENCODES(&f, "gemini-3-flash-preview",
            WITH("\"temperature\":0.5,\"top_p\":1,\"top_k\":40,\"seed\":7,"
                 "\"max_completion_tokens\":100,\"stop\":[\"a\",\"b\"],\"presence_penalty\":1,"
                 "\"frequency_penalty\":-1.5,\"logprobs\":true,\"top_logprobs\":3,\"n\":1,"
                 "\"user\":\"u\",\"metadata\":{\"k\":\"v\"},\"safety_settings\":[{\"category\":"
                 "\"HARM_CATEGORY_HARASSMENT\",\"threshold\":\"OFF\"}]"),
            "{\"safetySettings\":[{\"category\":\"HARM_CATEGORY_HARASSMENT\",\"threshold\":"
            "\"OFF\"}],\"generationConfig\":{\"temperature\":0.5,\"topP\":1,\"topK\":40,"
            "\"seed\":7,\"maxOutputTokens\":100,\"stopSequences\":[\"a\",\"b\"],"
            "\"presencePenalty\":1,\"frequencyPenalty\":-1.5,\"responseLogprobs\":true,"
            "\"logprobs\":3}," HI "}");
    assert_true(fixture_note(&f, "user", GW_NOTE_DROPPED).len > 0);
    assert_true(fixture_note(&f, "metadata", GW_NOTE_DROPPED).len > 0);
    ENCODES(&f, "gemini-4-argon", WITH("\"presence_penalty\":1"), "{" HI "}");
    assert_true(fixture_note(&f, "presence_penalty", GW_NOTE_DROPPED).len > 0);
    f.deployment.limit_max_tokens = 50;
    ENCODES(&f, FLASH, WITH("\"max_tokens\":100"),
            "{\"generationConfig\":{\"maxOutputTokens\":50}," HI "}");
    assert_true(fixture_note(&f, "max_tokens", GW_NOTE_CHANGED).len > 0);
    assert_int_equal(fixture_encode(&f, FLASH, WITH("\"n\":2")), GW_ERR_INVALID);
    assert_int_equal(
        fixture_encode(&f, FLASH, WITH("\"stop\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\"]")),
        GW_ERR_INVALID);
    fixture_fini(&f);
}

static void test_response_format(void **state)
{
    (void)state;
    BEGIN(f);
    ENCODES(&f, FLASH, WITH("\"response_format\":{\"type\":\"json_object\"}"),
            "{\"generationConfig\":{\"responseMimeType\":\"application/json\"}," HI "}");
    ENCODES(&f, FLASH,
            WITH("\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"n\","
                 "\"strict\":true,\"schema\":{\"$schema\":\"x\",\"type\":\"object\","
                 "\"properties\":{\"pattern\":{\"type\":\"string\",\"pattern\":\"a\"},"
                 "\"k\":{\"const\":\"c\"}},\"additionalProperties\":false,\"required\":[\"k\"]}}}"),
            "{\"generationConfig\":{\"responseMimeType\":\"application/json\","
            "\"responseJsonSchema\":{\"type\":\"object\",\"properties\":{\"pattern\":{\"type\":"
            "\"string\"},\"k\":{\"enum\":[\"c\"]}},\"additionalProperties\":false,\"required\":["
            "\"k\"]}}," HI "}");
    assert_true(fixture_note(&f, "response_format.json_schema.schema", GW_NOTE_DROPPED).len > 0);
    assert_int_equal(fixture_encode(&f, "gemini-2.5-flash",
                                    WITH("\"tools\":[" TOOL("f") "],\"response_format\":{"
                                                                 "\"type\":\"json_object\"}")),
                     GW_ERR_INVALID);
    fixture_fini(&f);
}

static void check_effort(const char *model, const char *effort, const char *config, bool changed)
{
    BEGIN(f);
    char chat[256];
    char expected[256];
    snprintf(chat, sizeof(chat), WITH("\"reasoning_effort\":\"%s\""), effort);
    snprintf(expected, sizeof(expected), "{\"generationConfig\":{\"thinkingConfig\":{%s}}," HI "}",
             config);
    ENCODES(&f, model, chat, expected);
    assert_int_equal(fixture_note(&f, "reasoning_effort", GW_NOTE_CHANGED).len > 0, changed);
    fixture_fini(&f);
}

/* gemini.md section 3, row by row */
static void test_reasoning(void **state)
{
    (void)state;
#define THOUGHTS  ",\"includeThoughts\":true"
#define LEVEL(x)  "\"thinkingLevel\":\"" x "\""
#define BUDGET(x) "\"thinkingBudget\":" x
    check_effort("gemini-2.5-flash", "none", BUDGET("0"), false);
    check_effort("gemini-2.5-flash", "medium", BUDGET("8192") THOUGHTS, false);
    check_effort("gemini-2.5-flash-lite", "high", BUDGET("24576") THOUGHTS, false);
    check_effort("gemini-2.5-pro", "none", BUDGET("128"), true);
    check_effort("gemini-2.5-pro", "max", BUDGET("32768") THOUGHTS, false);
    check_effort("gemini-3-pro-preview", "none", LEVEL("low"), true);
    check_effort("gemini-3-pro-preview", "medium", LEVEL("high") THOUGHTS, true);
    check_effort("gemini-3.1-pro-preview", "medium", LEVEL("medium") THOUGHTS, false);
    check_effort("gemini-3-flash-preview", "minimal", LEVEL("minimal") THOUGHTS, false);
    check_effort("gemini-3-flash-preview", "none", LEVEL("minimal"), true);
    check_effort("gemini-3.1-flash-lite", "minimal", LEVEL("minimal") THOUGHTS, false);
    check_effort("gemini-3.8-flash", "minimal", LEVEL("low") THOUGHTS, true);
    check_effort("gemini-4-argon", "xhigh", LEVEL("high") THOUGHTS, true);
    check_effort("gemini-4-carbon", "low", LEVEL("low") THOUGHTS, false);
    check_effort("gemini-4-neon", "max", LEVEL("xhigh") THOUGHTS, true);
    check_effort("gemini-4-hydrogen", "xhigh", LEVEL("xhigh") THOUGHTS, false);
    BEGIN(f);
    ENCODES(&f, "gemini-2.0-flash", WITH("\"reasoning_effort\":\"high\""), "{" HI "}");
    assert_true(fixture_note(&f, "reasoning_effort", GW_NOTE_DROPPED).len > 0);
    ENCODES(&f, "gemini-2.5-flash",
            WITH("\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":2000}"),
            "{\"generationConfig\":{\"thinkingConfig\":{\"thinkingBudget\":2000,"
            "\"includeThoughts\":true}}," HI "}");
    ENCODES(&f, "gemini-3.8-flash",
            WITH("\"thinking\":{\"type\":\"enabled\",\"budget_tokens\":2000}"),
            "{\"generationConfig\":{\"thinkingConfig\":{\"thinkingLevel\":\"medium\","
            "\"includeThoughts\":true}}," HI "}");
    ENCODES(&f, "gemini-3.8-flash", WITH("\"thinking\":{\"type\":\"adaptive\"}"),
            "{\"generationConfig\":{\"thinkingConfig\":{\"includeThoughts\":true}}," HI "}");
    fixture_fini(&f);
}

/* A conversation that grows message by message: each body goes on where the last one's contents
 * ended. */
static void test_prefix(void **state)
{
    (void)state;
    static const char *const turns[] = {
        USER("\"Hi\""),
        CALLS ",{\"role\":\"tool\",\"tool_call_id\":\"c1\",\"content\":\"1\"}"
              ",{\"role\":\"tool\",\"tool_call_id\":\"c2\",\"content\":\"2\"}",
        "{\"role\":\"assistant\",\"content\":\"Yo\",\"extra_content\":{\"google\":{"
        "\"thought_signature\":\"c2ln\"}}}," USER("[{\"type\":\"text\",\"text\":\"a\"}]"),
        "{\"role\":\"assistant\",\"content\":\"b\"}," USER("\"c\""),
    };
    BEGIN(f);
    struct gw_buf chat;
    struct gw_buf last;
    gw_buf_init(&chat, FIXTURE_BYTES);
    gw_buf_init(&last, FIXTURE_BYTES);
    (void)gw_buf_append(&chat, GW_STR("{\"temperature\":1,\"tools\":[" TOOL(
                                   "f") "],\"messages\":["
                                        "{\"role\":\"system\",\"content\":\"S\"}"));
    for (size_t i = 0; i < GW_ARRAY_LEN(turns); i++) {
        (void)gw_buf_appendf(&chat, ",%s", turns[i]);
        size_t len = chat.len;
        (void)gw_buf_append(&chat, GW_STR("]}"));
        assert_int_equal(fixture_encode(&f, FLASH, fixture_text(&chat)), GW_OK);
        chat.len = len;
        struct gw_str body = gw_buf_str(&f.call.body);
        assert_true(gw_str_has_suffix(body, GW_STR("]}]}")));
        assert_true(gw_str_has_prefix(body, gw_buf_str(&last)));
        gw_buf_reset(&last);
        body.len -= strlen("]}]}");
        (void)gw_buf_append(&last, body);
    }
    gw_buf_fini(&chat);
    gw_buf_fini(&last);
    fixture_fini(&f);
}

static void test_vertex(void **state)
{
    (void)state;
    BEGIN(f);
    f.api = &gw_api_vertex_gemini;
    f.deployment.base_path = GW_STR("/v1");
    f.deployment.cloud_project = GW_STR("demo");
    f.deployment.region = GW_STR("us-east5");
    ENCODES(&f, "google/" FLASH, WITH("\"metadata\":{\"team\":\"a-1\",\"No\":\"x\"}"),
            "{\"labels\":{\"team\":\"a-1\"}," HI "}");
    assert_string_equal(f.call.target.ptr,
                        "/v1/projects/demo/locations/us-east5/publishers/google/models/"
                        "gemini-3.8-flash:generateContent");
    f.deployment.cloud_project = GW_STR("");
    f.request.is_stream = true;
    ENCODES(&f, FLASH, CHAT(USER("\"Hi\"")), "{" HI "}");
    assert_string_equal(
        f.call.target.ptr,
        "/v1/publishers/google/models/gemini-3.8-flash:streamGenerateContent?alt=sse");
    fixture_fini(&f);
    char buf[GW_VERTEX_URL_BYTES];
    struct gw_str url;
    assert_true(gw_vertex_base_url(GW_STR("global"), buf, sizeof(buf), &url));
    assert_true(gw_str_eq(url, GW_STR("https://aiplatform.googleapis.com/v1")));
    assert_true(gw_vertex_base_url(GW_STR("us-east5"), buf, sizeof(buf), &url));
    assert_true(gw_str_eq(url, GW_STR("https://us-east5-aiplatform.googleapis.com/v1")));
    assert_true(gw_vertex_base_url(GW_STR("eu"), buf, sizeof(buf), &url));
    assert_true(gw_str_eq(url, GW_STR("https://aiplatform.eu.rep.googleapis.com/v1")));
    assert_false(gw_vertex_base_url(GW_STR("evil.com/"), buf, sizeof(buf), &url));
    assert_false(gw_vertex_base_url(GW_STR("us-east5"), buf, 20, &url));
}

static void check_patch(struct gemini_fixture *f, const char *query, const char *body,
                        const char *target, const char *expected)
{
    struct gw_provider_input in = fixture_input(f, "up");
    struct gw_json_splice splice;
    struct gw_str runs[GW_JSON_MAX_RUNS];
    gw_notes_init(&f->notes, &f->arena, false, &f->error);
    assert_int_equal(f->api->patch(&in, GW_STR("/v1beta/models/x:y"), gw_str_from_c(query),
                                   gw_str_from_c(body), &splice, &f->call),
                     GW_OK);
    assert_string_equal(f->call.target.ptr, target);
    size_t count = gw_json_splice_runs(&splice, runs);
    gw_buf_reset(&f->trace);
    for (size_t i = 0; i < count; i++) {
        (void)gw_buf_append(&f->trace, runs[i]);
    }
    assert_string_equal(fixture_text(&f->trace), expected);
}

static void test_patch(void **state)
{
    (void)state;
    BEGIN(f);
    const char *odd = " {\"contents\" :[ {\"parts\":[{\"text\":\"\\u0041\"}] } ]}";
    f.request.dialect = GW_DIALECT_GEMINI;
    f.request.is_stream = true;
    check_patch(&f, "alt=sse&key=secret", odd, "/v1beta/models/up:streamGenerateContent?alt=sse",
                odd);
    check_patch(&f, "k%65y=secret&&access_token=x&prettyPrint=false&%zz=1", odd,
                "/v1beta/models/up:streamGenerateContent?prettyPrint=false", odd);
    f.request.is_stream = false;
    check_patch(&f, "key=secret", odd, "/v1beta/models/up:generateContent", odd);
    f.deployment.limit_max_tokens = 9;
    check_patch(&f, "", "{\"contents\":[]}", "/v1beta/models/up:generateContent",
                "{\"contents\":[],\"generationConfig\":{\"maxOutputTokens\":9}}");
    check_patch(&f, "", "{\"generation_config\":{}}", "/v1beta/models/up:generateContent",
                "{\"generation_config\":{\"maxOutputTokens\":9}}");
    f.request.max_output_tokens = 10;
    check_patch(&f, "", "{\"generationConfig\":{\"maxOutputTokens\": 10}}",
                "/v1beta/models/up:generateContent",
                "{\"generationConfig\":{\"maxOutputTokens\": 9}}");
    f.deployment.limit_max_tokens = 0;
    f.request.max_output_tokens = 0;
    f.deployment.default_max_tokens = 5;
    f.deployment.extra_body = GW_STR("\"x\":1");
    check_patch(&f, "", "{\"contents\":[]}", "/v1beta/models/up:generateContent",
                "{\"contents\":[],\"generationConfig\":{\"maxOutputTokens\":5},\"x\":1}");
    ENCODES(&f, FLASH, CHAT(USER("\"Hi\"")),
            "{\"x\":1,\"generationConfig\":{\"maxOutputTokens\":5}," HI "}");
    f.request.task = GW_TASK_TOKEN_COUNT;
    check_patch(&f, "", "{\"generateContentRequest\":{\"model\":\"models/x\",\"contents\":[]}}",
                "/v1beta/models/up:countTokens",
                "{\"generateContentRequest\":{\"model\":\"models/up\",\"contents\":[]}}");
    f.request.task = GW_TASK_EMBEDDING;
    check_patch(&f, "", "{\"model\":\"models/x\",\"content\":{}}", "/v1beta/models/up:embedContent",
                "{\"model\":\"models/up\",\"content\":{}}");
    f.request.is_batch = true;
    check_patch(&f, "",
                "{\"requests\":[{\"model\":\"models/x\",\"content\":{}},{\"content\":{},"
                "\"mod\\u0065l\":\"models/y\"} ]}",
                "/v1beta/models/up:batchEmbedContents",
                "{\"requests\":[{\"model\":\"models/up\",\"content\":{}},{\"content\":{},"
                "\"mod\\u0065l\":\"models/up\"} ]}");
    fixture_fini(&f);
}

static void test_strange_names(void **state)
{
    (void)state;
    BEGIN(f);
    ENCODES(&f, "a/../b:c?d#e", CHAT(USER("\"Hi\"")), "{" HI "}");
    assert_string_equal(f.call.target.ptr, "/v1beta/models/a%2F..%2Fb%3Ac%3Fd%23e:generateContent");
    fixture_fini(&f);
}

static void test_count(void **state)
{
    (void)state;
    BEGIN(f);
    f.request.task = GW_TASK_TOKEN_COUNT;
    ENCODES(&f, FLASH, CHAT(USER("\"Hi\"")),
            "{\"generateContentRequest\":{\"model\":\"models/gemini-3.8-flash\"," HI "}}");
    assert_string_equal(f.call.target.ptr, "/v1beta/models/gemini-3.8-flash:countTokens");
    fixture_fini(&f);
}

static void test_embeddings(void **state)
{
    (void)state;
    BEGIN(f);
    f.request.task = GW_TASK_EMBEDDING;
    ENCODES(&f, "gemini-embedding-001",
            "{\"model\":\"m\",\"input\":[\"a\",\"b\"],\"dimensions\":256,\"user\":\"u\"}",
            "{\"requests\":[{\"model\":\"models/gemini-embedding-001\",\"content\":{\"parts\":[{"
            "\"text\":\"a\"}]},\"outputDimensionality\":256},{\"model\":"
            "\"models/gemini-embedding-001\",\"content\":{\"parts\":[{\"text\":\"b\"}]},"
            "\"outputDimensionality\":256}]}");
    assert_string_equal(f.call.target.ptr,
                        "/v1beta/models/gemini-embedding-001:batchEmbedContents");
    assert_int_equal(fixture_encode(&f, "m", "{\"input\":[1,2]}"), GW_ERR_INVALID);
    assert_int_equal(fixture_encode(&f, "m", "{\"input\":[]}"), GW_ERR_INVALID);
    f.api = &gw_api_vertex_gemini;
    ENCODES(&f, "text-embedding-005", "{\"input\":\"a\",\"dimensions\":8}",
            "{\"instances\":[{\"content\":\"a\"}],\"parameters\":{\"outputDimensionality\":8}}");
    ENCODES(&f, "gemini-embedding-2-preview", "{\"input\":\"a\"}",
            "{\"content\":{\"parts\":[{\"text\":\"a\"}]}}");
    struct gw_usage usage;
    gw_buf_reset(&f.trace);
    assert_int_equal(
        f.api->decode_embeddings(
            GW_STR("{\"predictions\":[{\"embeddings\":{\"values\":[0.5,-1],\"statistics\":{"
                   "\"token_count\":3}}},{\"embeddings\":{\"values\":[],\"statistics\":{"
                   "\"token_count\":4}}}]}"),
            GW_STR("m"), &usage, &f.trace),
        GW_OK);
    assert_string_equal(fixture_text(&f.trace),
                        "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"index\":0,"
                        "\"embedding\":[0.5,-1]},{\"object\":\"embedding\",\"index\":1,"
                        "\"embedding\":[]}],\"model\":\"m\",\"usage\":{\"prompt_tokens\":7,"
                        "\"total_tokens\":7}}");
    assert_true(usage.is_known && usage.input_tokens == 7);
    gw_buf_reset(&f.trace);
    assert_int_equal(f.api->decode_embeddings(GW_STR("{\"embedding\":{\"values\":[1]}}"),
                                              GW_STR("m"), &usage, &f.trace),
                     GW_OK);
    assert_false(usage.is_known);
    gw_buf_reset(&f.trace);
    assert_int_equal(f.api->decode_embeddings(GW_STR("{}"), GW_STR("m"), &usage, &f.trace),
                     GW_ERR_PROTOCOL);
    fixture_fini(&f);
}

static struct gw_str credential(struct gemini_fixture *f, const struct gw_secret *secret,
                                enum gw_header_id id)
{
    struct gw_authorize_input in = {
        .deployment = &f->deployment, .credential = secret, .arena = &f->arena};
    f->call.field_count = 0;
    assert_int_equal(f->api->authorize(&in, &f->call), GW_OK);
    return gw_headers_get(f->call.fields, f->call.field_count, id);
}

static void test_authorize(void **state)
{
    (void)state;
    BEGIN(f);
    struct gw_secret *secret = gw_secret_create(GW_STR("AIza"));
    assert_true(gw_str_eq(credential(&f, secret, GW_HEADER_X_GOOG_API_KEY), GW_STR("AIza")));
    f.api = &gw_api_vertex_gemini;
    assert_true(gw_str_eq(credential(&f, secret, GW_HEADER_X_GOOG_API_KEY), GW_STR("AIza")));
    f.deployment.cloud_project = GW_STR("p");
    assert_true(gw_str_eq(credential(&f, secret, GW_HEADER_AUTHORIZATION), GW_STR("Bearer AIza")));
    struct gw_token_slot *slot = gw_token_slot_create();
    struct gw_token token = {.access = GW_STR("ya29.x")};
    f.deployment.token = slot;
    struct gw_authorize_input in = {.deployment = &f.deployment, .arena = &f.arena};
    assert_int_equal(f.api->authorize(&in, &f.call), GW_ERR_NOT_FOUND);
    assert_int_equal(gw_token_slot_set(slot, &token, 0), GW_OK);
    assert_true(
        gw_str_eq(credential(&f, secret, GW_HEADER_AUTHORIZATION), GW_STR("Bearer ya29.x")));
    gw_token_slot_destroy(&slot);
    gw_secret_destroy(&secret);
    fixture_fini(&f);
}

static void test_speaks(void **state)
{
    (void)state;
    const struct gw_str m = GW_STR("m");
    assert_true(gw_api_gemini.speaks(NULL, GW_DIALECT_GEMINI, GW_TASK_EMBEDDING, m));
    assert_true(gw_api_gemini.speaks(NULL, GW_DIALECT_GEMINI, GW_TASK_CHAT, m));
    assert_false(gw_api_gemini.speaks(NULL, GW_DIALECT_OPENAI, GW_TASK_CHAT, m));
    assert_true(gw_api_vertex_gemini.speaks(NULL, GW_DIALECT_GEMINI, GW_TASK_TOKEN_COUNT, m));
    assert_false(gw_api_vertex_gemini.speaks(NULL, GW_DIALECT_GEMINI, GW_TASK_EMBEDDING, m));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),         cmocka_unit_test(test_system_and_turns),
        cmocka_unit_test(test_tools),         cmocka_unit_test(test_tool_choice),
        cmocka_unit_test(test_tool_results),  cmocka_unit_test(test_tool_results_odd),
        cmocka_unit_test(test_custom_tools),  cmocka_unit_test(test_media),
        cmocka_unit_test(test_config),        cmocka_unit_test(test_response_format),
        cmocka_unit_test(test_reasoning),     cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_vertex),        cmocka_unit_test(test_patch),
        cmocka_unit_test(test_strange_names), cmocka_unit_test(test_count),
        cmocka_unit_test(test_embeddings),    cmocka_unit_test(test_authorize),
        cmocka_unit_test(test_speaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
