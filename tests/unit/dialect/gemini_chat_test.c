/* SPDX-License-Identifier: MIT */
/* dialect/gemini - requests of Gemini's clients as exact neutral requests. */
#include "dialect/dialect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "json/value.h"

#define ARENA_BYTES (1u << 20)
#define PATH        "/v1beta/models/gemini-3.8-flash:generateContent"
#define HEAD        "{\"model\":\"gemini-3.8-flash\""
#define HI          "\"contents\":[{\"parts\":[{\"text\":\"Hi\"}],\"role\":\"user\"}]"
#define SAYS_HI     "\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}"

struct fixture {
    struct gw_arena arena;
    struct gw_error error;
    struct gw_notes notes;
    struct gw_llm_request request;
    struct gw_buf text;
};

static void begin(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    gw_arena_init(&f->arena, NULL, 0, 4096, ARENA_BYTES);
    gw_notes_init(&f->notes, &f->arena, false, &f->error);
    gw_buf_init(&f->text, ARENA_BYTES);
}

static void end(struct fixture *f)
{
    gw_buf_fini(&f->text);
    gw_arena_fini(&f->arena);
}

static enum gw_err decode(struct fixture *f, const char *path, const char *query, const char *body)
{
    struct gw_inbound in = {
        .path = gw_str_from_c(path), .query = gw_str_from_c(query), .body = gw_str_from_c(body)};
    return gw_dialect_gemini.decode(&in, GW_TASK_CHAT, &f->arena, &f->request, &f->error);
}

/* The neutral request's text in f->text. */
static enum gw_err translate(struct fixture *f, const char *path, const char *body)
{
    struct gw_inbound in = {.path = gw_str_from_c(path), .body = gw_str_from_c(body)};
    yyjson_doc *doc = NULL;
    assert_int_equal(decode(f, path, "", body), GW_OK);
    f->notes.count = 0;
    enum gw_err err = f->request.task == GW_TASK_EMBEDDING
                          ? gw_dialect_gemini.to_embeddings(&in, &f->request, &f->notes, &doc)
                          : gw_dialect_gemini.to_chat(&in, &f->request, &f->notes, &doc);
    gw_buf_reset(&f->text);
    if (err == GW_OK) {
        gw_json_write(yyjson_doc_get_root(doc), &f->text);
    }
    (void)gw_buf_append_byte(&f->text, '\0');
    yyjson_doc_free(doc);
    return err;
}

static void check(const char *body, const char *expected)
{
    struct fixture f;
    begin(&f);
    assert_int_equal(translate(&f, PATH, body), GW_OK);
    assert_string_equal(f.text.ptr, expected);
    end(&f);
}

static void check_note(const char *body, const char *param, enum gw_note_kind kind)
{
    struct fixture f;
    bool is_found = false;
    begin(&f);
    (void)translate(&f, PATH, body);
    for (size_t i = 0; i < f.notes.count; i++) {
        is_found = is_found || (f.notes.entries[i].kind == kind &&
                                gw_str_eq(f.notes.entries[i].param, gw_str_from_c(param)));
    }
    assert_true(is_found);
    end(&f);
}

static void test_plain(void **state)
{
    (void)state;
    check("{" HI "}", HEAD "," SAYS_HI);
    check("{\"contents\":{\"parts\":[{\"text\":\"Hi\"}]}}", HEAD "," SAYS_HI);
    check("{\"contents\":\"Hi\"}", HEAD "," SAYS_HI);
    check("{\"contents\":[{\"role\":\"USER\",\"parts\":[{\"text\":\"Hi\"}]}]}", HEAD "," SAYS_HI);
}

static void test_system_and_turns(void **state)
{
    (void)state;
    const char *expected = HEAD ",\"messages\":[{\"role\":\"system\",\"content\":\"S\"},"
                                "{\"role\":\"user\",\"content\":\"Hi\"}]}";
    check("{\"systemInstruction\":{\"parts\":[{\"text\":\"S\"}]}," HI "}", expected);
    check("{\"system_instruction\":{\"parts\":{\"text\":\"S\"}}," HI "}", expected);
    check("{\"systemInstruction\":\"S\"," HI "}", expected);
    check("{\"systemInstruction\":{\"parts\":[{\"text\":\"a\"},{\"text\":\"b\"}]},\"contents\":["
          "{\"role\":\"user\",\"parts\":[{\"text\":\"1\"},{\"text\":\"2\"}]},"
          "{\"role\":\"model\",\"parts\":[{\"text\":\"hm\",\"thought\":true},{\"text\":\"x\"},"
          "{\"text\":\"y\",\"thoughtSignature\":\"c2ln\"}]},"
          "{\"role\":\"model\",\"parts\":[]},"
          "{\"role\":\"user\",\"parts\":[{\"text\":\"3\"}]}]}",
          HEAD ",\"messages\":[{\"role\":\"system\",\"content\":[{\"type\":\"text\",\"text\":"
               "\"a\"},{\"type\":\"text\",\"text\":\"b\"}]},{\"role\":\"user\",\"content\":["
               "{\"type\":\"text\",\"text\":\"1\"},{\"type\":\"text\",\"text\":\"2\"}]},"
               "{\"role\":\"assistant\",\"content\":\"xy\",\"reasoning_content\":\"hm\","
               "\"extra_content\":{\"google\":{\"thought_signature\":\"c2ln\"}}},"
               "{\"role\":\"user\",\"content\":\"3\"}]}");
}

static void test_tools(void **state)
{
    (void)state;
    check("{\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\",\"description\":\"d\","
          "\"parameters\":{\"type\":\"OBJECT\",\"properties\":{\"type\":{\"type\":\"STRING\","
          "\"nullable\":true,\"enum\":[\"a\"]},\"n\":{\"type\":\"ARRAY\",\"items\":{\"type\":"
          "\"INTEGER\"},\"minItems\":\"2\",\"any_of\":[{\"type\":\"NUMBER\"}]}},\"required\":["
          "\"n\"],\"propertyOrdering\":[\"n\"]}}]},{\"function_declarations\":[{\"name\":\"g\","
          "\"parameters_json_schema\":{\"type\":\"object\"}}],\"googleSearch\":{}}],"
          "\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"any\"}}," HI "}",
          HEAD ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\",\"description\":"
               "\"d\",\"parameters\":{\"type\":\"object\",\"properties\":{\"type\":{\"type\":["
               "\"string\",\"null\"],\"enum\":[\"a\",null]},\"n\":{\"type\":\"array\",\"items\":{"
               "\"type\":\"integer\"},\"minItems\":2,\"anyOf\":[{\"type\":\"number\"}]}},"
               "\"required\":[\"n\"]}}},{\"type\":\"function\",\"function\":{\"name\":\"g\","
               "\"parameters\":{\"type\":\"object\"}}},{\"type\":\"googleSearch\","
               "\"googleSearch\":{}}],\"tool_choice\":\"required\"," SAYS_HI);
}

/* Enums as clients made from protocol buffers send them. */
static void test_numbers(void **state)
{
    (void)state;
    check("{\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\",\"parameters\":{\"type\":6,"
          "\"properties\":{\"a\":{\"type\":5,\"nullable\":true,\"items\":{\"type\":3}},\"b\":{"
          "\"type\":0},\"c\":{\"type\":99}}}}]}],\"toolConfig\":{\"functionCallingConfig\":{"
          "\"mode\":2}},\"generationConfig\":{\"responseModalities\":[1,3]}," HI "}",
          HEAD ",\"modalities\":[\"text\",\"audio\"],\"tools\":[{\"type\":\"function\","
               "\"function\":{\"name\":\"f\",\"parameters\":{\"type\":\"object\",\"properties\":{"
               "\"a\":{\"type\":[\"array\",\"null\"],\"items\":{\"type\":\"integer\"}},\"b\":{},"
               "\"c\":{\"type\":99}}}}}],\"tool_choice\":\"required\"," SAYS_HI);
}

static void check_choice(const char *config, const char *choice)
{
    char body[512];
    char expected[512];
    snprintf(body, sizeof(body),
             "{\"tools\":[{\"functionDeclarations\":[{\"name\":\"f\"}]}],\"tool_config\":{"
             "\"function_calling_config\":%s}," HI "}",
             config);
    snprintf(expected, sizeof(expected),
             HEAD ",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}],"
                  "\"tool_choice\":%s," SAYS_HI,
             choice);
    check(body, expected);
}

static void test_tool_choice(void **state)
{
    (void)state;
    check_choice("{\"mode\":\"AUTO\"}", "\"auto\"");
    check_choice("{\"mode\":\"VALIDATED\"}", "\"auto\"");
    check_choice("{\"mode\":\"NONE\"}", "\"none\"");
    check_choice("{\"mode\":\"ANY\",\"allowedFunctionNames\":[\"f\"]}",
                 "{\"type\":\"function\",\"function\":{\"name\":\"f\"}}");
    check_choice("{\"mode\":\"ANY\",\"allowed_function_names\":[\"f\",\"g\"]}",
                 "{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":\"required\",\"tools\":["
                 "{\"type\":\"function\",\"function\":{\"name\":\"f\"}},"
                 "{\"type\":\"function\",\"function\":{\"name\":\"g\"}}]}}");
    check("{\"toolConfig\":{\"functionCallingConfig\":{\"mode\":\"ANY\"}}," HI "}",
          HEAD "," SAYS_HI);
}

#define CALL(id, name) "{\"functionCall\":{" id "\"name\":\"" name "\",\"args\":{\"a\": 1}}}"
#define RESULT(id, name, response)                                                                 \
    "{\"functionResponse\":{" id "\"name\":\"" name "\",\"response\":" response "}}"
#define CALLED(id, name)                                                                           \
    "{\"id\":\"" id "\",\"type\":\"function\",\"function\":{\"name\":\"" name                      \
    "\",\"arguments\":\"{\\\"a\\\":1}\"}}"

static void test_results(void **state)
{
    (void)state;
    /* no ids: by name, in order */
    check(
        "{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"Hi\"}]},"
        "{\"role\":\"model\",\"parts\":[" CALL("", "f") "," CALL("", "g") "," CALL(
            "", "f") "]},"
                     "{\"role\":\"function\",\"parts\":[" RESULT("", "f", "{\"r\":1}") "," RESULT(
                         "", "f",
                         "{\"r\":2}") "," RESULT("", "g",
                                                 "{\"error\":\"no\"}") ",{\"text\":\"go on\"}]}]}",
        HEAD
        ",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"},"
        "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[" CALLED(
            "call_1_0",
            "f") "," CALLED("call_1_1",
                            "g") "," CALLED("call_1_2",
                                            "f") "]},"
                                                 "{\"role\":\"tool\",\"tool_call_id\":\"call_1_0\","
                                                 "\"name\":\"f\",\"content\":"
                                                 "\"{\\\"r\\\":1}\"},"
                                                 "{\"role\":\"tool\",\"tool_call_id\":\"call_1_2\","
                                                 "\"name\":\"f\",\"content\":"
                                                 "\"{\\\"r\\\":2}\"},"
                                                 "{\"role\":\"tool\",\"tool_call_id\":\"call_1_1\","
                                                 "\"name\":\"g\",\"is_error\":true,"
                                                 "\"content\":\"{\\\"error\\\":\\\"no\\\"}\"},"
                                                 "{\"role\":\"user\",\"content\":\"go on\"}]}");
    /* by id */
    check("{\"contents\":[{\"role\":\"model\",\"parts\":[" CALL("\"id\":\"x\",", "f") "," CALL(
              "\"id\":\"y\",", "f") "]},{\"role\":\"user\",\"parts\":[" RESULT("\"id\":\"y\",", "f",
                                                                               "{}") "]}]}",
          HEAD ",\"messages\":[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[" CALLED(
              "x", "f") "," CALLED("y", "f") "]},{\"role\":\"tool\",\"tool_call_id\":\"y\","
                                             "\"name\":\"f\",\"content\":\"{}\"}]}");
    struct fixture f;
    begin(&f);
    assert_int_equal(
        translate(&f, PATH, "{\"contents\":[{\"parts\":[" RESULT("", "f", "{}") "]}]}"),
        GW_ERR_INVALID);
    assert_int_equal(f.error.status, 400);
    end(&f);
}

#define PARTS(x)   "{\"contents\":[{\"parts\":[" x "]}]}"
#define CONTENT(x) HEAD ",\"messages\":[{\"role\":\"user\",\"content\":[" x "]}]}"

static void test_media(void **state)
{
    (void)state;
    check(PARTS("{\"text\":\"?\"},{\"inline_data\":{\"mime_type\":\"image/png\",\"data\":"
                "\"-_8\"}}"),
          CONTENT("{\"type\":\"text\",\"text\":\"?\"},{\"type\":\"image_url\",\"image_url\":{"
                  "\"url\":\"data:image/png;base64,+/8=\"}}"));
    check(PARTS("{\"inlineData\":{\"mimeType\":\"audio/mpeg\",\"data\":\"SUQz\"}}"),
          CONTENT("{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"SUQz\",\"format\":"
                  "\"mp3\"}}"));
    check(PARTS("{\"inlineData\":{\"mimeType\":\"application/pdf\",\"data\":\"JVBE\","
                "\"displayName\":\"a.pdf\"}}"),
          CONTENT("{\"type\":\"file\",\"file\":{\"filename\":\"a.pdf\",\"file_data\":"
                  "\"data:application/pdf;base64,JVBE\"}}"));
    check(PARTS("{\"fileData\":{\"mimeType\":\"image/jpeg\",\"fileUri\":\"https://a/b\"}},"
                "{\"file_data\":{\"mime_type\":\"video/mp4\",\"file_uri\":\"gs://a/b\"}}"),
          CONTENT("{\"type\":\"image_url\",\"image_url\":{\"url\":\"https://a/b\"}},"
                  "{\"type\":\"file\",\"file\":{\"file_url\":\"gs://a/b\"}}"));
    check_note(PARTS("{\"videoMetadata\":{}}"), "contents[].parts[]", GW_NOTE_REFUSED);
}

static void test_config(void **state)
{
    (void)state;
    check(
        "{\"generationConfig\":{\"temperature\":0.5,\"topP\":1,\"top_k\":40,"
        "\"maxOutputTokens\":100,\"stopSequences\":[\"a\"],\"seed\":7,\"candidateCount\":1,"
        "\"presencePenalty\":1,\"frequency_penalty\":-1,\"responseLogprobs\":true,\"logprobs\":3,"
        "\"thinkingConfig\":{\"thinkingBudget\":2000},\"responseModalities\":[\"TEXT\",\"IMAGE\"]"
        "},\"safetySettings\":[{\"category\":\"X\"}]," HI "}",
        HEAD
        ",\"temperature\":0.5,\"top_p\":1,\"top_k\":40,\"max_completion_tokens\":100,"
        "\"seed\":7,\"presence_penalty\":1,\"frequency_penalty\":-1,\"top_logprobs\":3,"
        "\"logprobs\":true,\"stop\":[\"a\"],\"reasoning_effort\":\"medium\","
        "\"modalities\":[\"text\",\"image\"],\"safety_settings\":[{\"category\":\"X\"}]," SAYS_HI);
    check("{\"generation_config\":{\"thinking_config\":{\"thinking_level\":\"HIGH\"}}," HI "}",
          HEAD ",\"reasoning_effort\":\"high\"," SAYS_HI);
    check("{\"generationConfig\":{\"thinkingConfig\":{\"thinkingBudget\":0}}," HI "}",
          HEAD ",\"reasoning_effort\":\"none\"," SAYS_HI);
    check("{\"generationConfig\":{\"thinkingConfig\":{\"thinkingBudget\":-1}}," HI "}",
          HEAD "," SAYS_HI);
    check_note("{\"generationConfig\":{\"mediaResolution\":\"X\"}," HI "}",
               "generationConfig.mediaResolution", GW_NOTE_DROPPED);
    check_note("{\"labels\":{\"a\":\"b\"}," HI "}", "labels", GW_NOTE_DROPPED);
    check_note("{\"cachedContent\":\"cachedContents/1\"," HI "}", "cachedContent", GW_NOTE_REFUSED);
    check_note("{\"contents\":[]}", "contents", GW_NOTE_REFUSED);
}

static void test_response_format(void **state)
{
    (void)state;
    check("{\"generationConfig\":{\"responseMimeType\":\"application/json\"}," HI "}",
          HEAD ",\"response_format\":{\"type\":\"json_object\"}," SAYS_HI);
    check("{\"generationConfig\":{\"responseMimeType\":\"application/json\",\"responseSchema\":{"
          "\"type\":\"STRING\"}}," HI "}",
          HEAD ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":"
               "\"response\",\"schema\":{\"type\":\"string\"}}}," SAYS_HI);
    check("{\"generationConfig\":{\"responseMimeType\":\"application/json\","
          "\"response_json_schema\":{\"type\":\"object\",\"const\":1}}," HI "}",
          HEAD ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":"
               "\"response\",\"schema\":{\"type\":\"object\",\"const\":1}}}," SAYS_HI);
    check_note("{\"generationConfig\":{\"responseMimeType\":\"text/x.enum\"}," HI "}",
               "generationConfig.responseMimeType", GW_NOTE_REFUSED);
}

static void test_envelope(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_int_equal(decode(&f, "/v1beta/models/a%2Fb:streamGenerateContent", "alt=sse",
                            "{\"generationConfig\":{\"maxOutputTokens\":9}}"),
                     GW_OK);
    assert_true(gw_str_eq(f.request.model, GW_STR("a/b")));
    assert_true(f.request.is_stream && !f.request.is_json_array && f.request.wants_usage);
    assert_true(f.request.hides_reasoning);
    assert_int_equal(f.request.max_output_tokens, 9);
    assert_int_equal(decode(&f, "/v1/models/m:streamGenerateContent", "key=x",
                            "{\"generation_config\":{\"thinking_config\":{\"include_thoughts\":"
                            "true}}}"),
                     GW_OK);
    assert_true(f.request.is_stream && f.request.is_json_array && !f.request.hides_reasoning);
    assert_int_equal(decode(&f,
                            "/v1beta1/projects/p/locations/global/publishers/google/models/m:"
                            "countTokens",
                            "", "{}"),
                     GW_OK);
    assert_int_equal(f.request.task, GW_TASK_TOKEN_COUNT);
    assert_true(gw_str_eq(f.request.model, GW_STR("m")));
    assert_int_equal(decode(&f, "/v1beta/models/x/y:z:batchEmbedContents", "", "{}"), GW_OK);
    assert_true(gw_str_eq(f.request.model, GW_STR("x/y:z")) && f.request.is_batch);
    assert_int_equal(f.request.task, GW_TASK_EMBEDDING);
    static const char *const wrong[][2] = {
        {"/v1beta/models/m:generateContent", "[1]"},
        {"/v1beta/models/m:generateContent", "{"},
        {"/v1beta/models/m:generateContent", " "},
        {"/v1beta/models/m:generateContent",
         "{\"generationConfig\":{},\"generation_config\":{\"maxOutputTokens\":1}}"},
        {"/v1beta/models/m:predict", "{}"},
        {"/v1beta/models/:generateContent", "{}"},
        {"/v1beta/models/m", "{}"},
        {"/v1beta/models/%zz:generateContent", "{}"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(wrong); i++) {
        assert_int_equal(decode(&f, wrong[i][0], "", wrong[i][1]), GW_ERR_INVALID);
        assert_true(f.error.status == 400 || f.error.status == 404);
        assert_true(f.error.message.len > 0);
    }
    end(&f);
}

static void test_embeddings(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_int_equal(translate(&f, "/v1beta/models/e:embedContent",
                               "{\"model\":\"models/e\",\"content\":{\"parts\":[{\"text\":\"a\"},{"
                               "\"text\":\"b\"}]},\"outputDimensionality\":8,\"taskType\":\"X\"}"),
                     GW_OK);
    assert_string_equal(f.text.ptr, "{\"model\":\"e\",\"input\":\"ab\",\"dimensions\":8}");
    assert_int_equal(f.notes.count, 1);
    assert_int_equal(translate(&f, "/v1beta/models/e:batchEmbedContents",
                               "{\"requests\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]}},{"
                               "\"content\":{\"parts\":[{\"text\":\"b\"}]}}]}"),
                     GW_OK);
    assert_string_equal(f.text.ptr, "{\"model\":\"e\",\"input\":[\"a\",\"b\"]}");
    assert_int_equal(translate(&f, "/v1beta/models/e:embedContent", "{}"), GW_ERR_INVALID);
    end(&f);
}

static void test_token_count(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_int_equal(translate(&f, "/v1beta/models/m:countTokens",
                               "{\"generateContentRequest\":{\"model\":\"models/m\"," HI "}}"),
                     GW_OK);
    assert_string_equal(f.text.ptr, "{\"model\":\"m\"," SAYS_HI);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),           cmocka_unit_test(test_system_and_turns),
        cmocka_unit_test(test_tools),           cmocka_unit_test(test_tool_choice),
        cmocka_unit_test(test_numbers),         cmocka_unit_test(test_results),
        cmocka_unit_test(test_media),           cmocka_unit_test(test_config),
        cmocka_unit_test(test_response_format), cmocka_unit_test(test_envelope),
        cmocka_unit_test(test_embeddings),      cmocka_unit_test(test_token_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
