/* SPDX-License-Identifier: MIT */
/* Date formats at the edges of months, years and the epoch; the monotonic clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

static void test_formats(void **state)
{
    (void)state;
    static const struct {
        uint64_t wall_ms;
        const char *rfc3339;
        const char *http;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT"},
        {784111777000, "1994-11-06T08:49:37.000Z", "Sun, 06 Nov 1994 08:49:37 GMT"},
        {951782400001, "2000-02-29T00:00:00.001Z", "Tue, 29 Feb 2000 00:00:00 GMT"},
        {1798761599999, "2026-12-31T23:59:59.999Z", "Thu, 31 Dec 2026 23:59:59 GMT"},
        {4107542400000, "2100-03-01T00:00:00.000Z", "Mon, 01 Mar 2100 00:00:00 GMT"},
        {253402300799999, "9999-12-31T23:59:59.999Z", "Fri, 31 Dec 9999 23:59:59 GMT"},
    };
    struct gw_clock_text cache = {0};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char rfc3339[GW_CLOCK_RFC3339_BYTES];
        char http[GW_CLOCK_HTTP_DATE_BYTES];
        gw_clock_format_rfc3339(cases[i].wall_ms, rfc3339);
        gw_clock_format_http_date(cases[i].wall_ms, http);
        assert_string_equal(rfc3339, cases[i].rfc3339);
        assert_string_equal(gw_clock_rfc3339(&cache, cases[i].wall_ms).ptr, cases[i].rfc3339);
        assert_string_equal(http, cases[i].http);
    }
    assert_string_equal(gw_clock_rfc3339(&cache, 253402300799007).ptr, "9999-12-31T23:59:59.007Z");
}

static void test_clocks_go_forward(void **state)
{
    (void)state;
    uint64_t before = gw_clock_mono_ns();
    for (int i = 0; i < 1000; i++) {
        uint64_t now = gw_clock_mono_ns();
        assert_true(now >= before);
        before = now;
    }
    assert_true(gw_clock_wall_ms() > 1700000000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_clocks_go_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
