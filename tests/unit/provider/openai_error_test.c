/* SPDX-License-Identifier: MIT */
/* provider/openai_error - what refusals mean, vendor by vendor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "provider/api.h"

/* |expected|: class, status, retry, fallback, code, message. */
static void check(unsigned status, const char *body, const char *expected)
{
    struct gw_arena arena;
    struct gw_error error = {0};
    char text[512];
    gw_arena_init(&arena, NULL, 0, 4096, 1 << 20);
    gw_api_openai.read_error(status, NULL, 0, gw_str_from_c(body), &arena, &error);
    (void)snprintf(text, sizeof(text), "%s %u %d %d [" GW_STR_FMT "] " GW_STR_FMT,
                   gw_error_class_name(error.class).ptr, error.status, error.is_retryable,
                   error.can_fallback, GW_STR_ARG(error.code), GW_STR_ARG(error.message));
    assert_string_equal(text, expected);
    assert_int_equal(error.upstream_status, status);
    assert_int_equal(error.is_credential, strncmp(text, "upstream 502 0 1", 16) == 0);
    gw_arena_fini(&arena);
}

#define OPENAI(message, type, code)                                                                \
    "{\"error\":{\"message\":\"" message "\",\"type\":\"" type "\",\"param\":null,\"code\":" code  \
    "}}"
/* The words are the core's: it knows the deployment. */
#define REFUSED "upstream 502 0 1 [upstream_credential_refused] "

static void test_openai(void **state)
{
    (void)state;
    check(400, OPENAI("bad x", "invalid_request_error", "null"), "client 400 0 0 [] bad x");
    check(400, OPENAI("long", "invalid_request_error", "\"context_length_exceeded\""),
          "client 400 0 1 [context_length_exceeded] long");
    check(400, OPENAI("no", "invalid_request_error", "\"content_policy_violation\""),
          "client 400 0 0 [content_filter] no");
    check(
        401,
        OPENAI("Incorrect API key provided: sk-1", "invalid_request_error", "\"invalid_api_key\""),
        REFUSED);
    check(404, OPENAI("gone", "invalid_request_error", "\"model_not_found\""),
          "upstream 404 0 1 [model_not_found] gone");
    check(429, OPENAI("slow", "requests", "\"rate_limit_exceeded\""),
          "limit 429 1 1 [rate_limit_exceeded] slow");
    check(429, OPENAI("pay", "insufficient_quota", "\"insufficient_quota\""),
          "upstream 429 0 1 [insufficient_quota] pay");
    check(500, OPENAI("oops", "server_error", "null"), "upstream 500 1 1 [] oops");
    check(503, OPENAI("busy", "server_error", "\"slow_down\""),
          "overloaded 503 1 1 [slow_down] busy");
    check(413, OPENAI("big", "tokens", "\"rate_limit_exceeded\""),
          "client 413 0 1 [rate_limit_exceeded] big");
}

static void test_vendors(void **state)
{
    (void)state;
    /* Mistral */
    check(400,
          "{\"object\":\"error\",\"message\":\"order\",\"type\":\"invalid_request_message_order\","
          "\"param\":null,\"code\":\"3230\",\"raw_status_code\":400}",
          "client 400 0 0 [] order");
    check(422, "{\"detail\":[{\"loc\":[\"body\",\"messages\"],\"msg\":\"extra\",\"type\":\"t\"}]}",
          "client 422 0 0 [] extra");
    check(401, "{\"detail\":\"Unauthorized\"}", REFUSED);
    check(429, "{\"message\":\"Requests rate limit exceeded\"}",
          "limit 429 1 1 [rate_limit_exceeded] Requests rate limit exceeded");
    /* xAI: a wrong key is a 400 */
    check(400, "{\"code\":\"invalid-argument\",\"error\":\"Incorrect API key provided.\"}",
          REFUSED);
    check(403, "{\"code\":\"x\",\"error\":\"Content violates usage guidelines.\"}",
          "client 400 0 0 [content_filter] Content violates usage guidelines.");
    /* Groq */
    check(400, OPENAI("Failed to call a function.", "invalid_request_error", "\"tool_use_failed\""),
          "upstream 400 1 1 [tool_use_failed] Failed to call a function.");
    check(498, OPENAI("full", "flex", "\"capacity_exceeded\""),
          "overloaded 503 1 1 [capacity_exceeded] full");
    /* vLLM: the code is a number */
    check(400,
          "{\"error\":{\"message\":\"This model's maximum context length is 9 tokens.\",\"type\":"
          "\"BadRequestError\",\"param\":null,\"code\":400}}",
          "client 400 0 1 [context_length_exceeded] This model's maximum context length is 9 "
          "tokens.");
    /* llama.cpp, Ollama */
    check(400,
          "{\"error\":{\"code\":400,\"message\":\"m\",\"type\":\"exceed_context_size_error\"}}",
          "client 400 0 1 [context_length_exceeded] m");
    check(503,
          "{\"error\":{\"code\":503,\"message\":\"Loading model\",\"type\":"
          "\"unavailable_error\"}}",
          "overloaded 503 1 1 [] Loading model");
    check(404, "{\"error\":{\"message\":\"model 'x' not found\",\"type\":\"not_found_error\"}}",
          "upstream 404 0 1 [model_not_found] model 'x' not found");
    check(402, OPENAI("Insufficient Balance", "unknown_error", "\"invalid_request_error\""),
          "upstream 402 0 1 [upstream_billing_error] Insufficient Balance");
}

static void test_azure(void **state)
{
    (void)state;
    check(400,
          "{\"error\":{\"message\":\"filtered\",\"type\":null,\"param\":\"prompt\",\"code\":"
          "\"content_filter\",\"status\":400,\"innererror\":{\"code\":"
          "\"ResponsibleAIPolicyViolation\"}}}",
          "client 400 0 0 [content_filter] filtered");
    check(404, "{\"error\":{\"code\":\"DeploymentNotFound\",\"message\":\"none\"}}",
          "upstream 404 0 1 [model_not_found] none");
    check(401, "{\"statusCode\":401,\"message\":\"Unauthorized. Access token is missing\"}",
          REFUSED);
    struct gw_arena arena;
    struct gw_error error = {0};
    gw_arena_init(&arena, NULL, 0, 4096, 1 << 20);
    gw_api_azure.read_error(429, NULL, 0,
                            GW_STR("{\"error\":{\"code\":\"429\",\"message\":\"Limit. Please retry "
                                   "after 33 seconds. Bye\"}}"),
                            &arena, &error);
    assert_int_equal(error.retry_after_s, 33);
    assert_int_equal(error.class, GW_ERROR_LIMIT);
    gw_arena_fini(&arena);
}

static void test_what_cannot_be_read(void **state)
{
    (void)state;
    check(502, "<html>Bad Gateway</html>", "upstream 502 1 1 [] ");
    check(400, "", "client 400 0 0 [] ");
    check(500, "[]", "upstream 500 1 1 [] ");
    check(500, "{\"error\":[1]}", "upstream 500 1 1 [] ");
}

static void test_advice(void **state)
{
    (void)state;
    struct gw_arena arena;
    struct gw_error error = {0};
    const struct gw_header never[] = {
        {.name = GW_STR_INIT("x-should-retry"), .value = GW_STR_INIT("false")}};
    gw_arena_init(&arena, NULL, 0, 4096, 1 << 20);
    gw_api_openai.read_error(500, never, 1, GW_STR("{}"), &arena, &error);
    assert_false(error.is_retryable);
    gw_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_openai), cmocka_unit_test(test_vendors),
        cmocka_unit_test(test_azure),  cmocka_unit_test(test_what_cannot_be_read),
        cmocka_unit_test(test_advice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
