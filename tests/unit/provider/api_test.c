/* SPDX-License-Identifier: MIT */
/* provider/api: what a status says, Retry-After in all its forms, and full field lists. */
#include "provider/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void test_statuses(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        unsigned for_client;
        bool is_retryable;
        bool can_fallback;
        bool is_credential;
    } cases[] = {
        {400, 400, false, false, false}, {401, 502, false, true, true},
        {402, 402, false, true, false},  {403, 502, false, true, true},
        {404, 404, false, true, false},  {408, 408, true, true, false},
        {409, 409, true, true, false},   {422, 422, false, false, false},
        {429, 429, true, true, false},   {500, 500, true, true, false},
        {503, 503, true, true, false},   {529, 529, true, true, false},
        {302, 502, false, false, false},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_error error;
        gw_provider_explain_status(cases[i].status, NULL, 0, &error);
        assert_int_equal(error.status, cases[i].for_client);
        assert_int_equal(error.upstream_status, cases[i].status);
        assert_int_equal(error.is_retryable, cases[i].is_retryable);
        assert_int_equal(error.can_fallback, cases[i].can_fallback);
        assert_int_equal(error.is_credential, cases[i].is_credential);
        assert_int_equal(error.retry_after_s, 0);
    }
}

static uint64_t retry_after(const char *after, const char *after_ms, const char *date)
{
    struct gw_header fields[3];
    size_t count = 0;
    struct gw_error error;
    if (after != NULL) {
        fields[count++] = (struct gw_header){.id = GW_HEADER_RETRY_AFTER,
                                             .name = GW_STR("retry-after"),
                                             .value = gw_str_from_c(after)};
    }
    if (after_ms != NULL) {
        fields[count++] = (struct gw_header){.id = GW_HEADER_OTHER,
                                             .name = GW_STR("retry-after-ms"),
                                             .value = gw_str_from_c(after_ms)};
    }
    if (date != NULL) {
        fields[count++] = (struct gw_header){
            .id = GW_HEADER_DATE, .name = GW_STR("date"), .value = gw_str_from_c(date)};
    }
    gw_provider_explain_status(429, fields, count, &error);
    return error.retry_after_s;
}

static void test_retry_after(void **state)
{
    (void)state;
    assert_int_equal(retry_after("7", NULL, NULL), 7);
    assert_int_equal(retry_after("0", NULL, NULL), 0);
    assert_int_equal(retry_after("2.1", NULL, NULL), 3);
    assert_int_equal(retry_after("7", "1200", NULL), 2);
    assert_int_equal(retry_after("99999999999", NULL, NULL), 7u * 24 * 3600);
    assert_int_equal(retry_after("soon", NULL, NULL), 0);
    assert_int_equal(retry_after("-5", NULL, NULL), 0);
    assert_int_equal(retry_after("nan", NULL, NULL), 0);
    assert_int_equal(retry_after("7 seconds", NULL, NULL), 0);
    assert_int_equal(
        retry_after("Sun, 06 Nov 1994 08:49:40 GMT", NULL, "Sun, 06 Nov 1994 08:49:37 GMT"), 3);
    assert_int_equal(retry_after("Sun, 06 Nov 1994 08:49:40 GMT", NULL, NULL), 0);
    assert_int_equal(
        retry_after("Sun, 06 Nov 1994 08:49:30 GMT", NULL, "Sun, 06 Nov 1994 08:49:37 GMT"), 0);
}

static void test_field_lists_are_bounded(void **state)
{
    (void)state;
    struct gw_provider_call call = {0};
    for (size_t i = 0; i < GW_PROVIDER_MAX_FIELDS; i++) {
        assert_true(gw_provider_call_add(&call, GW_HEADER_OTHER, GW_STR("a"), GW_STR("b")));
    }
    assert_false(gw_provider_call_add(&call, GW_HEADER_OTHER, GW_STR("a"), GW_STR("b")));
    assert_int_equal(call.field_count, GW_PROVIDER_MAX_FIELDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_field_lists_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
