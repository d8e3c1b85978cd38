/* SPDX-License-Identifier: MIT */
/* dialect/ollama - requests, lines of JSON, and what clients ask about models. */
#include "dialect/ollama.h"
#include "translated_test.h"

static void test_chat(void **state)
{
    (void)state;
    check_chat(
        &gw_dialect_ollama, "/api/chat",
        "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"S\"},{\"role\":\"user\","
        "\"content\":\"What?\",\"images\":[\"iVBORw0KGgoAAA\",\"/9j/AA\"]}],\"format\":\"json\","
        "\"options\":{\"temperature\":0.5,\"num_predict\":7,\"stop\":[\"x\"],\"seed\":1,"
        "\"top_k\":4,\"num_ctx\":8192},\"think\":\"high\",\"keep_alive\":\"5m\"}",
        "{\"messages\":[{\"role\":\"system\",\"content\":\"S\"},{\"role\":\"user\",\"content\":[{"
        "\"type\":\"text\",\"text\":\"What?\"},{\"type\":\"image_url\",\"image_url\":{\"url\":"
        "\"data:image/png;base64,iVBORw0KGgoAAA\"}},{\"type\":\"image_url\",\"image_url\":{"
        "\"url\":\"data:image/jpeg;base64,/9j/AA\"}}]}],\"response_format\":{\"type\":"
        "\"json_object\"},\"temperature\":0.5,\"top_k\":4,\"seed\":1,\"stop\":[\"x\"],"
        "\"max_tokens\":7,\"reasoning_effort\":\"high\"}",
        "options.num_ctx: dropped");
}

#define CALL(id, name, arguments)                                                                  \
    "{\"id\":\"" id "\",\"type\":\"function\",\"function\":{\"name\":\"" name                      \
    "\",\"arguments\":\"" arguments "\"}}"
#define GIVEN(name, arguments) "{\"function\":{\"name\":\"" name "\",\"arguments\":" arguments "}}"

static void test_tools(void **state)
{
    (void)state;
    check_chat(
        &gw_dialect_ollama, "/api/chat",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"Q\"},{\"role\":\"assistant\",\"content\":"
        "\"\",\"thinking\":\"T\",\"tool_calls\":[" GIVEN("f", "{\"a\":1}") "," GIVEN(
            "g",
            "{}") "]},{\"role\":\"tool\",\"content\":\"2\",\"tool_name\":\"g\"},{\"role\":\"tool\","
                  "\"content\":\"1\"}],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":"
                  "\"f\"}}],"
                  "\"format\":{\"type\":\"object\"},\"think\":false}",
        "{\"messages\":[{\"role\":\"user\",\"content\":\"Q\"},{\"role\":\"assistant\",\"content\":"
        "\"\",\"reasoning_content\":\"T\",\"tool_calls\":[" CALL(
            "call_0", "f",
            "{\\\"a\\\":1}") "," CALL("call_1", "g",
                                      "{}") "]},{\"role\":\"tool\","
                                            "\"content\":\"2\",\"tool_call_id\":\"call_1\","
                                            "\"name\":\"g\"},{\"role\":\"tool\","
                                            "\"content\":\"1\",\"tool_call_id\":\"call_0\","
                                            "\"name\":\"f\"}],\"tools\":[{\"type\":"
                                            "\"function\",\"function\":{\"name\":\"f\"}}],"
                                            "\"response_format\":{\"type\":"
                                            "\"json_schema\",\"json_schema\":{\"name\":\"answer\","
                                            "\"schema\":{\"type\":\"object\"}}},"
                                            "\"reasoning_effort\":\"none\"}",
        "");
    check_chat(&gw_dialect_ollama, "/api/chat",
               "{\"messages\":[{\"role\":\"tool\",\"content\":\"2\"}]}", NULL, "");
    check_chat(&gw_dialect_ollama, "/api/chat", "{\"messages\":[]}", NULL, "");
}

static void test_generate(void **state)
{
    (void)state;
    check_chat(&gw_dialect_ollama, "/api/generate",
               "{\"prompt\":\"P\",\"system\":\"S\",\"images\":[\"R0lGODxx\"],\"context\":[1]}",
               "{\"messages\":[{\"role\":\"system\",\"content\":\"S\"},{\"role\":\"user\","
               "\"content\":[{\"type\":\"text\",\"text\":\"P\"},{\"type\":\"image_url\","
               "\"image_url\":{\"url\":\"data:image/gif;base64,R0lGODxx\"}}]}]}",
               "context: dropped");
    check_chat(&gw_dialect_ollama, "/api/generate", "{\"prompt\":\"P\",\"suffix\":\"S\"}", NULL,
               "");
    check_chat(&gw_dialect_ollama, "/api/generate", "{}", NULL, "");
}

static void check_stream_flag(const char *body, bool expected, uint64_t tokens)
{
    struct gw_arena arena;
    struct gw_error error;
    struct gw_llm_request request;
    struct gw_inbound in = {.path = GW_STR("/api/generate"), .body = gw_str_from_c(body)};
    gw_arena_init(&arena, NULL, 0, 4096, 1 << 20);
    assert_int_equal(gw_dialect_ollama.decode(&in, GW_TASK_CHAT, &arena, &request, &error), GW_OK);
    assert_int_equal(request.is_stream, expected);
    assert_int_equal(request.max_output_tokens, tokens);
    assert_int_equal(request.task, GW_TASK_COMPLETION);
    gw_arena_fini(&arena);
}

static void test_stream_is_the_default(void **state)
{
    (void)state;
    check_stream_flag("{}", true, 0);
    check_stream_flag("{\"stream\":null}", true, 0);
    check_stream_flag("{\"stream\":true,\"options\":{\"num_predict\":-1}}", true, 0);
    check_stream_flag("{\"stream\":false,\"options\":{\"num_predict\":9}}", false, 9);
}

#define HEAD "{\"model\":\"m\",\"created_at\":\"2026-11-21T10:11:12Z\","
#define SAID(content)                                                                              \
    HEAD "\"message\":{\"role\":\"assistant\",\"content\":\"" content "},\"done\":false}\n"
#define COUNTS ",\"prompt_eval_count\":11,\"eval_count\":2}\n"

static const struct gw_event usage = {
    .type = GW_EVENT_USAGE, .usage = {.input_tokens = 11, .output_tokens = 2, .is_known = true}};

static void test_answers(void **state)
{
    (void)state;
    const struct gw_event events[] = {
        {.type = GW_EVENT_START, .start = {.id = GW_STR("x1")}},
        {.type = GW_EVENT_REASONING, .text = GW_STR("hm")},
        {.type = GW_EVENT_TEXT, .text = GW_STR("Hi")},
        {.type = GW_EVENT_PING},
        {.type = GW_EVENT_TOOL_BEGIN, .tool = {.index = 0, .name = GW_STR("f")}},
        {.type = GW_EVENT_TOOL_ARGUMENTS, .arguments = {.index = 0, .text = GW_STR("{\"a\"")}},
        {.type = GW_EVENT_TOOL_ARGUMENTS, .arguments = {.index = 0, .text = GW_STR(": 1}")}},
        {.type = GW_EVENT_TOOL_END, .index = 0},
        {.type = GW_EVENT_FINISH, .finish = {.reason = GW_FINISH_TOOL_CALLS}},
        usage,
        {.type = GW_EVENT_END}};
#define TOOL_CALLS                                                                                 \
    "\"tool_calls\":[{\"id\":\"call_req_9_0\",\"function\":{\"index\":0,\"name\":\"f\","           \
    "\"arguments\":{\"a\":1}}}]"
    check_events(
        &gw_dialect_ollama, GW_TASK_CHAT, events, GW_ARRAY_LEN(events),
        SAID("\",\"thinking\":\"hm\"") SAID("Hi\"") SAID("\"," TOOL_CALLS) HEAD
        "\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,"
        "\"done_reason\":\"stop\"" COUNTS,
        HEAD
        "\"message\":{\"role\":\"assistant\",\"content\":\"Hi\",\"thinking\":\"hm\"," TOOL_CALLS
        "},\"done\":true,\"done_reason\":\"stop\"" COUNTS);
}

static void test_generated(void **state)
{
    (void)state;
    const struct gw_event events[] = {
        {.type = GW_EVENT_START},
        {.type = GW_EVENT_TEXT, .text = GW_STR("Hi")},
        {.type = GW_EVENT_FINISH, .finish = {.reason = GW_FINISH_LENGTH}},
        usage,
        {.type = GW_EVENT_END}};
    check_events(&gw_dialect_ollama, GW_TASK_COMPLETION, events, GW_ARRAY_LEN(events),
                 HEAD "\"response\":\"Hi\",\"done\":false}\n" HEAD
                      "\"response\":\"\",\"done\":true,\"done_reason\":\"length\"" COUNTS,
                 HEAD "\"response\":\"Hi\",\"done\":true,\"done_reason\":\"length\"" COUNTS);
}

static void test_error(void **state)
{
    (void)state;
    const struct gw_error error = {.status = 400, .message = GW_STR("no \"x\"")};
    const struct gw_event events[] = {{.type = GW_EVENT_ERROR, .error = &error},
                                      {.type = GW_EVENT_END}};
    check_events(&gw_dialect_ollama, GW_TASK_CHAT, events, GW_ARRAY_LEN(events),
                 "{\"error\":\"no \\\"x\\\"\"}\n", NULL);
}

static void test_embeddings(void **state)
{
    (void)state;
    const char *answer = "{\"data\":[{\"index\":0,\"embedding\":[1,2]}],\"usage\":{"
                         "\"prompt_tokens\":3}}";
    yyjson_doc *asked = yyjson_read("{\"input\":\"a\"}", 13, 0);
    yyjson_doc *openai = yyjson_read(answer, strlen(answer), 0);
    struct gw_encoder_opts opts = {.model = GW_STR("m"), .chat = yyjson_doc_get_root(asked)};
    struct gw_buf out;
    gw_buf_init(&out, 4096);
    gw_dialect_ollama.write_embeddings(&opts, yyjson_doc_get_root(openai), &out);
    (void)gw_buf_append_byte(&out, '\0');
    assert_string_equal(out.ptr, "{\"model\":\"m\",\"embeddings\":[[1,2]],\"embedding\":[1,2],"
                                 "\"prompt_eval_count\":3}");
    gw_buf_fini(&out);
    yyjson_doc_free(asked);
    yyjson_doc_free(openai);
}

static void test_models(void **state)
{
    (void)state;
    const struct gw_ollama_model model = {
        .name = GW_STR("a"), .context_length = 9, .has_tools = true};
    struct gw_buf out;
    gw_buf_init(&out, 8192);
    gw_ollama_write_tag(GW_STR("b/c"), CREATED_S, &out);
    yyjson_doc *doc = yyjson_read(out.ptr, out.len, 0);
    assert_string_equal(yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(doc), "name")), "b/c");
    yyjson_doc_free(doc);
    gw_buf_reset(&out);
    gw_ollama_write_show(&model, CREATED_S, &out);
    doc = yyjson_read(out.ptr, out.len, 0);
    yyjson_val *root = yyjson_doc_get_root(doc);
    assert_int_equal(yyjson_arr_size(yyjson_obj_get(root, "capabilities")), 2);
    assert_int_equal(yyjson_get_uint(yyjson_obj_get(yyjson_obj_get(root, "model_info"),
                                                    "gatewire.context_length")),
                     9);
    yyjson_doc_free(doc);
    gw_buf_reset(&out);
    gw_ollama_write_version(&out);
    assert_memory_equal(out.ptr, "{\"version\":\"", 12);
    gw_buf_fini(&out);
}

static void test_separators_are_escaped_in_streams(void **state)
{
    (void)state;
    struct gw_llm_request request = {.is_stream = true};
    struct gw_encoder_opts opts = {
        .model = GW_STR("m"), .request_id = GW_STR("r"), .request = &request};
    struct gw_event event = {.type = GW_EVENT_TEXT,
                             .text = GW_STR("a\xe2\x80\xa8"
                                            "b\xc2\x85\xe2\x80\xa9"
                                            "\xe2\x80\xa6")};
    struct gw_buf out;
    gw_buf_init(&out, 1000);
    struct gw_encoder *encoder = gw_dialect_ollama.encoder_create(&opts);
    gw_dialect_ollama.encode(encoder, &event, &out);
    struct gw_str expected = GW_STR("\"content\":\"a\\u2028b\\u0085\\u2029\xe2\x80\xa6\"");
    assert_true(gw_str_find(gw_buf_str(&out), expected) < out.len);
    gw_dialect_ollama.encoder_destroy(encoder);
    gw_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chat),
        cmocka_unit_test(test_tools),
        cmocka_unit_test(test_generate),
        cmocka_unit_test(test_stream_is_the_default),
        cmocka_unit_test(test_separators_are_escaped_in_streams),
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_generated),
        cmocka_unit_test(test_error),
        cmocka_unit_test(test_embeddings),
        cmocka_unit_test(test_models),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
