/* SPDX-License-Identifier: MIT */
/* policy/rate_headers - every vendor's notation. */
#include "policy/rate_headers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define WALL_MS UINT64_C(1795255200000) /* 2026-11-21T10:00:00Z */

static struct gw_rate_headers read_fields(const char *const *fields, size_t count)
{
    struct gw_rate_headers headers;
    gw_rate_headers_start(&headers, WALL_MS);
    for (size_t i = 0; i + 1 < count; i += 2) {
        gw_rate_headers_add(&headers, gw_str_from_c(fields[i]), gw_str_from_c(fields[i + 1]));
    }
    return headers;
}

#define READ(fields) read_fields(fields, GW_ARRAY_LEN(fields))

static void test_waits(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t ms;
    } rows[] = {
        {"6m0s", 360000},
        {"12ms", 12},
        {"1s", 1000},
        {"7.66s", 7660},
        {"2m59.56s", 179560},
        {"1h0m0s", 3600000},
        {"850\xc2\xb5s", 1},
        {"850us", 1},
        {"60", 60000},
        {" 60 ", 60000},
        {"0.5", 500},
        {"0", 0},
        {"-1", 0},
        {"-5s", 0},
        {"", 0},
        {"soon", 0},
        {"12x", 0},
        {"2026-11-21T10:00:40Z", 40000},
        {"2026-11-21T10:00:40.500Z", 40000},
        {"2026-11-21T11:00:40+01:00", 40000},
        {"2026-11-21T04:30:40-05:30", 40000},
        {"2026-11-21T09:59:59Z", 0},
        {"2026-11-21T10:00:40", 0},
        {"2026-11-21T10:00:40+1:00", 0},
        {"2026-11-21", 0},
        {"Sat, 21 Nov 2026 10:01:00 GMT", 60000},
        {"Sat, 21 Nov 2026 10:01:00 GMT!", 0},
        {"1795255230", 30000},
        {"1795255230500", 30500},
        {"1795255199", 0},
        {"99999999", GW_RATE_HEADERS_MAX_MS},
        {"99999999999999999999999", GW_RATE_HEADERS_MAX_MS},
        {"99999999999999999999h", GW_RATE_HEADERS_MAX_MS},
        {"9999-12-31T23:59:59Z", GW_RATE_HEADERS_MAX_MS},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(rows); i++) {
        uint64_t ms = gw_rate_headers_parse_wait(gw_str_from_c(rows[i].text), WALL_MS);
        if (ms != rows[i].ms) {
            fail_msg("\"%s\": %llu ms, not %llu", rows[i].text, (unsigned long long)ms,
                     (unsigned long long)rows[i].ms);
        }
    }
}

static void test_openai_and_groq(void **state)
{
    (void)state;
    static const char *const fields[] = {
        "content-type",
        "application/json",
        "x-ratelimit-limit-requests",
        "500",
        "x-ratelimit-limit-tokens",
        "30000",
        "x-ratelimit-remaining-requests",
        "499",
        "x-ratelimit-remaining-tokens",
        "29990",
        "x-ratelimit-reset-requests",
        "120ms",
        "x-ratelimit-reset-tokens",
        "6m0s",
    };
    struct gw_rate_headers headers = READ(fields);
    assert_true(headers.requests.has_remaining);
    assert_int_equal(headers.requests.limit, 500);
    assert_int_equal(headers.requests.remaining, 499);
    assert_int_equal(headers.requests.reset_ms, 120);
    assert_int_equal(headers.tokens.limit, 30000);
    assert_int_equal(headers.tokens.remaining, 29990);
    assert_int_equal(headers.tokens.reset_ms, 360000);
    assert_int_equal(headers.retry_after_ms, 0);
}

static void test_anthropic_takes_the_tightest(void **state)
{
    (void)state;
    static const char *const fields[] = {
        "anthropic-ratelimit-requests-limit",
        "50",
        "anthropic-ratelimit-requests-remaining",
        "0",
        "anthropic-ratelimit-requests-reset",
        "2026-11-21T10:00:12Z",
        "anthropic-ratelimit-input-tokens-limit",
        "40000",
        "anthropic-ratelimit-input-tokens-remaining",
        "39000",
        "anthropic-ratelimit-output-tokens-limit",
        "8000",
        "anthropic-ratelimit-output-tokens-remaining",
        "10",
        "anthropic-ratelimit-output-tokens-reset",
        "2026-11-21T10:00:30Z",
        "retry-after",
        "13",
    };
    struct gw_rate_headers headers = READ(fields);
    assert_int_equal(headers.requests.remaining, 0);
    assert_int_equal(headers.requests.reset_ms, 12000);
    assert_int_equal(headers.tokens.remaining, 10);
    assert_int_equal(headers.tokens.limit, 8000);
    assert_int_equal(headers.tokens.reset_ms, 30000);
    assert_int_equal(headers.retry_after_ms, 13000);
}

static void test_azure(void **state)
{
    (void)state;
    static const char *const fields[] = {
        "retry-after",
        "3",
        "retry-after-ms",
        "2150",
        "x-ratelimit-reset-requests",
        "10",
        "x-ratelimit-remaining-requests",
        "-1",
        "x-ratelimit-reset-tokens",
        "0",
        "x-ratelimit-remaining-tokens",
        "77",
    };
    struct gw_rate_headers headers = READ(fields);
    assert_int_equal(headers.retry_after_ms, 2150);
    assert_false(headers.requests.has_remaining);
    assert_int_equal(headers.requests.reset_ms, 10000);
    assert_int_equal(headers.tokens.remaining, 77);
    assert_int_equal(headers.tokens.reset_ms, 0);
    static const char *const reversed[] = {"retry-after-ms", "2150", "retry-after", "3"};
    assert_int_equal(READ(reversed).retry_after_ms, 2150);
}

static void test_others(void **state)
{
    (void)state;
    static const char *const fields[] = {
        "x-ratelimit-reset",
        "1795255260",
        "x-ratelimit-remaining",
        "4",
        "x-ratelimitbysize-remaining-minute",
        "99999999999999999999",
        "x-should-retry",
        "false",
        "x-request-id",
        "abc",
        "ratelimit",
        "1",
    };
    struct gw_rate_headers headers = READ(fields);
    assert_int_equal(headers.requests.reset_ms, 60000);
    assert_int_equal(headers.requests.remaining, 4);
    assert_true(headers.tokens.remaining == UINT64_MAX);
    assert_true(headers.must_not_retry);
    static const char *const date[] = {"retry-after", "Sat, 21 Nov 2026 10:00:05 GMT"};
    assert_int_equal(READ(date).retry_after_ms, 5000);
    static const char *const broken[] = {
        "retry-after-ms", "x", "retry-after", "in a minute", "x-ratelimit-remaining-requests", ""};
    assert_int_equal(READ(broken).retry_after_ms, 0);
    assert_false(READ(broken).requests.has_remaining);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waits),
        cmocka_unit_test(test_openai_and_groq),
        cmocka_unit_test(test_anthropic_takes_the_tightest),
        cmocka_unit_test(test_azure),
        cmocka_unit_test(test_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
