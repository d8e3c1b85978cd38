/* SPDX-License-Identifier: MIT */
/* dialect/openai - the envelope, and errors in OpenAI's shape. */
#include "dialect/openai.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct gw_arena arena;
    struct gw_llm_request request;
    struct gw_error error;
};

static int setup(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){0};
    gw_arena_init(&fixture.arena, NULL, 0, 4096, 1 << 20);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    gw_arena_fini(&fixture->arena);
    return 0;
}

static enum gw_err decode(struct fixture *fixture, const char *body, enum gw_task task)
{
    return gw_openai_decode(gw_str_from_c(body), task, &fixture->arena, &fixture->request,
                            &fixture->error);
}

static void assert_str(struct gw_str actual, const char *expected)
{
    assert_int_equal(actual.len, strlen(expected));
    assert_memory_equal(actual.ptr, expected, actual.len);
}

static void test_envelope(void **state)
{
    struct fixture *f = *state;
    const char *body =
        "{\"stream\":true, \"model\" : \"gpt\\u002d4o\",\"messages\":[],\"max_tokens\":77,"
        "\"stream_options\":{\"include_usage\":true}}";
    assert_int_equal(decode(f, body, GW_TASK_CHAT), GW_OK);
    assert_str(f->request.model, "gpt-4o");
    assert_str(f->request.model_value, "\"gpt\\u002d4o\"");
    assert_true(f->request.model_value.ptr > body &&
                f->request.model_value.ptr < body + strlen(body));
    assert_true(f->request.is_stream);
    assert_true(f->request.wants_usage);
    assert_int_equal(f->request.max_output_tokens, 77);
    assert_int_equal(f->request.task, GW_TASK_CHAT);
}

static void test_absent_and_null_members(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(
        decode(f, "{\"model\":null,\"stream\":null,\"stream_options\":null}", GW_TASK_CHAT), GW_OK);
    assert_int_equal(f->request.model.len, 0);
    assert_false(f->request.is_stream);
    assert_false(f->request.wants_usage);
    assert_str(f->request.stream_options, "null");
    assert_int_equal(decode(f, "{}", GW_TASK_CHAT), GW_OK);
    assert_null(f->request.stream_options.ptr);
}

static void test_responses_shape_is_recognised(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(decode(f, "{\"model\":\"m\",\"input\":\"hi\"}", GW_TASK_CHAT), GW_OK);
    assert_int_equal(f->request.task, GW_TASK_RESPONSE);
    assert_int_equal(decode(f, "{\"model\":\"m\",\"input\":\"hi\",\"messages\":[]}", GW_TASK_CHAT),
                     GW_OK);
    assert_int_equal(f->request.task, GW_TASK_CHAT);
    assert_int_equal(decode(f, "{\"model\":\"m\",\"input\":\"hi\"}", GW_TASK_EMBEDDING), GW_OK);
    assert_int_equal(f->request.task, GW_TASK_EMBEDDING);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *body;
        const char *param;
        const char *part; /* of the message */
    } cases[] = {
        {"", "", "empty"},
        {" \n", "", "empty"},
        {"{\"model\":\"a\"", "", "byte 12"},
        {"[]", "", "an array"},
        {"{\"model\":5}", "model", "expected a string, but got a number"},
        {"{\"model\":\"a\",\"model\":\"a\"}", "model", "twice"},
        {"{\"stream\":true,\"\\u0073tream\":false}", "stream", "twice"},
        {"{\"stream\":\"true\"}", "stream", "a boolean"},
        {"{\"messages\":{}}", "messages", "an array"},
        {"{\"messages\":null}", "messages", "an array"},
        {"{\"stream_options\":{\"include_usage\":1}}", "stream_options.include_usage",
         "one boolean"},
        {"{\"stream_options\":{\"include_usage\":true,\"include_usage\":false}}",
         "stream_options.include_usage", "one boolean"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        assert_int_equal(decode(f, cases[i].body, GW_TASK_CHAT), GW_ERR_INVALID);
        assert_int_equal(f->error.status, 400);
        assert_int_equal(f->error.class, GW_ERROR_CLIENT);
        assert_str(f->error.param, cases[i].param);
        assert_true(gw_str_find(f->error.message, gw_str_from_c(cases[i].part)) <
                    f->error.message.len);
    }
}

static void test_a_model_name_has_a_limit(void **state)
{
    struct fixture *f = *state;
    char body[2000];
    memset(body, 'x', sizeof(body));
    memcpy(body, "{\"model\":\"", 10);
    memcpy(body + sizeof(body) - 3, "\"}", 3);
    assert_int_equal(decode(f, body, GW_TASK_CHAT), GW_ERR_INVALID);
    assert_str(f->error.param, "model");
}

static void test_a_full_arena_is_told(void **state)
{
    struct fixture *f = *state;
    gw_arena_fini(&f->arena);
    gw_arena_init(&f->arena, NULL, 0, 16, 0);
    assert_int_equal(decode(f, "{\"model\":\"abc\"}", GW_TASK_CHAT), GW_ERR_INVALID);
    assert_true(f->error.message.len > 0);
}

static void assert_error(unsigned status, const char *code, const char *expected)
{
    struct gw_error error = {.status = status,
                             .code = gw_str_from_c(code),
                             .message = GW_STR("a \"quoted\"\nline \xff")};
    struct gw_buf out;
    gw_buf_init(&out, 4096);
    gw_openai_write_error(&error, &out);
    assert_str(gw_buf_str(&out), expected);
    gw_buf_fini(&out);
}

static void test_errors_are_written_in_openai_shape(void **state)
{
    (void)state;
    assert_error(404, "model_not_found",
                 "{\"error\":{\"message\":\"a \\\"quoted\\\"\\nline "
                 "\xef\xbf\xbd\",\"type\":\"invalid_request_error\","
                 "\"param\":null,\"code\":\"model_not_found\"}}");
    assert_error(502, "",
                 "{\"error\":{\"message\":\"a \\\"quoted\\\"\\nline "
                 "\xef\xbf\xbd\",\"type\":\"server_error\","
                 "\"param\":null,\"code\":null}}");
    assert_error(429, "",
                 "{\"error\":{\"message\":\"a \\\"quoted\\\"\\nline "
                 "\xef\xbf\xbd\",\"type\":\"rate_limit_error\","
                 "\"param\":null,\"code\":null}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_envelope, setup, teardown),
        cmocka_unit_test_setup_teardown(test_absent_and_null_members, setup, teardown),
        cmocka_unit_test_setup_teardown(test_responses_shape_is_recognised, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_model_name_has_a_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_full_arena_is_told, setup, teardown),
        cmocka_unit_test(test_errors_are_written_in_openai_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
