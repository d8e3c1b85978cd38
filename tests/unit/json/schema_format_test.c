/* SPDX-License-Identifier: MIT */
/* Corners of the formats that the published suite does not look into. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "json/schema_format.h"

struct format_case {
    const char *format;
    const char *text;
    bool is_valid;
};

static void test_corners(void **state)
{
    (void)state;
    static const struct format_case cases[] = {
        {"email", "\"a\\\"b\"@c", true},
        {"email", "\"a\\\\\"@c", true},
        {"email", "\"a\\\"@c", false},
        {"email", "\"a\"b\"@c", false},
        {"email", "\"a\nb\"@c", false},
        {"email", "\"\"@c", true},
        {"email", "a@[1.2.3.4", false},
        {"email", "a@[]", false},
        {"email", "a@[IPv6:1]", false},
        {"email", "a\xc3\xa9@c", false},
        {"email", "0123456789012345678901234567890123456789012345678901234567890123@c", true},
        {"email", "01234567890123456789012345678901234567890123456789012345678901234@c", false},
        {"hostname", "xn--", false},
        {"hostname", "xn--a", true},
        {"hostname", "xn--abc-", false},
        {"hostname", "xn--99999999", false},
        {"hostname", "xn--zzzzzzzzzzzzzzzz", true},
        {"hostname", "XN--9N2BP8Q", true},
        {"hostname", "a..b", false},
        {"uri", "http://[v1.a:b]/", true},
        {"uri", "http://[v.a]/", false},
        {"uri", "http://[vg.a]/", false},
        {"uri", "http://[v1.]/", false},
        {"uri", "http://[v1]/", false},
        {"uri", "http://[v1.%41]/", false},
        {"uri", "http://[::1", false},
        {"uri", "http://[::1]x/", false},
        {"uri", "http://[::1]:/", true},
        {"uri", "http://a:80b/", false},
        {"uri", "http://a^b@c/", false},
        {"uri", "http://a b/", false},
        {"uri", "x:", true},
        {"uri", "x://", true},
        {"uri", "x:a?b#c", true},
        {"uri", "x:a?b#c^", false},
        {"uri", "x:a?^", false},
        {"uri", "1x:a", false},
        {"date-time", "2026-11-21 05:30:00Z", false},
        {"date-time", "2026-11-21T05:30:00.Z", false},
        {"date-time", "2026-11-21T05:30:00+1:00", false},
        {"date-time", "2026-11-21T05:30:00+01-00", false},
        {"date-time", "2026-11-21T05:30", false},
        {"date-time", "2026-11-21T", false},
        {"date-time", "2026-11-2", false},
        {"date-time", "2026-1", false},
        {"date-time", "202", false},
        {"time", "05:30:00+", false},
        {"time", "0530:00Z", false},
        {"duration", "P1W2D", false},
        {"duration", "PT1S1S", false},
        {"duration", "P1DT", false},
        {"duration", "P1D1D", false},
        {"duration", "PD", false},
        {"uuid", "", false},
        {"ipv4", "1.2.3.4\n", false},
        {"ipv6", "::ffff:1.2.3.4", true},
        {"ipv6", "0000:0000:0000:0000:0000:0000:0000:00000", false},
        {"relative-json-pointer", "1/~", false},
        {"relative-json-pointer", "9999999999999999999999", true},
        {"regex", "", true},
        {"regex", "(", false},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        const struct gw_schema_format *format =
            gw_schema_format_find(gw_str_from_c(cases[i].format));
        assert_non_null(format);
        if (format->is_valid(gw_str_from_c(cases[i].text)) != cases[i].is_valid) {
            fail_msg("%s: %s", cases[i].format, cases[i].text);
        }
        assert_true(strlen(format->expected) > 0);
    }
}

/* Each beginning of a valid text is looked at in a block of its own size: nothing may be read
 * behind it. */
static void test_every_truncation(void **state)
{
    (void)state;
    static const struct format_case cases[] = {
        {"date-time", "2026-11-21T05:30:00.5+01:00", true},
        {"duration", "P1Y2M3DT4H5M6S", true},
        {"email", "\"a\\b\"@[IPv6:::1]", true},
        {"hostname", "a-b.xn--9n2bp8q", true},
        {"uri", "http://u:p@[v1.a]:80/%41/b?c%42#d%43", true},
        {"uri-reference", "//h/%41", true},
        {"uuid", "2eb8aa08-aa98-11ea-b4aa-73b441d16380", true},
        {"json-pointer", "/a~0/b~1", true},
        {"relative-json-pointer", "10/a~0", true},
        {"regex", "^(?<n>a|[^\\d\\x41\\u0042\\u{43}-]+?)\\k<n>{2,3}\\p{L}\\cA$", true},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        const struct gw_schema_format *format =
            gw_schema_format_find(gw_str_from_c(cases[i].format));
        struct gw_str text = gw_str_from_c(cases[i].text);
        assert_non_null(format);
        assert_true(format->is_valid(text));
        for (size_t len = 0; len < text.len; len++) {
            char *exact = test_malloc(len > 0 ? len : 1);
            memcpy(exact, text.ptr, len);
            (void)format->is_valid(gw_str(exact, len));
            test_free(exact);
        }
        (void)format->is_valid(gw_str(NULL, 0));
    }
}

static void test_unknown_formats(void **state)
{
    (void)state;
    static const char *const names[] = {"", "idn-email", "iri", "uri-template", "URI", "url"};
    for (size_t i = 0; i < GW_ARRAY_LEN(names); i++) {
        assert_null(gw_schema_format_find(gw_str_from_c(names[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_corners),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_unknown_formats),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
