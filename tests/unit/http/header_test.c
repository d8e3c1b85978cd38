/* SPDX-License-Identifier: MIT */
/* Names and their ids, classes of bytes against their definition, lists, methods and reasons. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/chars_int.h"
#include "http/header.h"
#include "http/message.h"

static void test_every_known_name_is_found(void **state)
{
    (void)state;
    for (unsigned id = 1; id < GW_HEADER_COUNT; id++) {
        struct gw_str name = gw_header_name((enum gw_header_id)id);
        assert_true(name.len > 0);
        if (gw_header_lookup(name) != (enum gw_header_id)id) {
            fail_msg("gw_header_lookup() does not know \"" GW_STR_FMT "\"", GW_STR_ARG(name));
        }
    }
    assert_int_equal(gw_header_name(GW_HEADER_OTHER).len, 0);
}

static void test_nothing_else_is_found(void **state)
{
    (void)state;
    const char *const others[] = {
        "",         "x",       "hose",         "Host", "x-api-kez", "x-api",
        "hostname", "accepts", "content-typf", "tf",   "via-via",   "x-stainless-runtime-version"};
    for (size_t i = 0; i < GW_ARRAY_LEN(others); i++) {
        assert_int_equal(gw_header_lookup(gw_str_from_c(others[i])), GW_HEADER_OTHER);
    }
    /* One byte changed in every known name, at every place. */
    for (unsigned id = 1; id < GW_HEADER_COUNT; id++) {
        struct gw_str name = gw_header_name((enum gw_header_id)id);
        char changed[64];
        memcpy(changed, name.ptr, name.len);
        for (size_t i = 0; i < name.len; i++) {
            changed[i] = '~';
            assert_int_equal(gw_header_lookup(gw_str(changed, name.len)), GW_HEADER_OTHER);
            changed[i] = name.ptr[i];
        }
    }
}

static void test_flags(void **state)
{
    (void)state;
    assert_true(gw_header_is_hop_by_hop(GW_HEADER_CONNECTION));
    assert_true(gw_header_is_hop_by_hop(GW_HEADER_TRANSFER_ENCODING));
    assert_false(gw_header_is_hop_by_hop(GW_HEADER_CONTENT_LENGTH));
    assert_false(gw_header_is_hop_by_hop(GW_HEADER_OTHER));
    assert_true(gw_header_is_credential(GW_HEADER_AUTHORIZATION));
    assert_true(gw_header_is_credential(GW_HEADER_COOKIE));
    assert_false(gw_header_is_credential(GW_HEADER_OTHER));
}

static void test_get_gives_the_first(void **state)
{
    (void)state;
    const struct gw_header headers[] = {
        {GW_STR_INIT("a"), GW_STR_INIT("1"), GW_HEADER_OTHER},
        {GW_STR_INIT("host"), GW_STR_INIT("2"), GW_HEADER_HOST},
        {GW_STR_INIT("host"), GW_STR_INIT("3"), GW_HEADER_HOST},
    };
    assert_true(gw_str_eq(gw_headers_get(headers, 3, GW_HEADER_HOST), GW_STR("2")));
    assert_null(gw_headers_get(headers, 3, GW_HEADER_DATE).ptr);
    assert_null(gw_headers_get(NULL, 0, GW_HEADER_DATE).ptr);
}

static void test_has_token(void **state)
{
    (void)state;
    const struct gw_str close = GW_STR("close");
    assert_true(gw_header_has_token(GW_STR("close"), close));
    assert_true(gw_header_has_token(GW_STR("Close"), close));
    assert_true(gw_header_has_token(GW_STR("a,\tCLOSE ,b"), close));
    assert_true(gw_header_has_token(GW_STR(",,close,"), close));
    assert_false(gw_header_has_token(GW_STR("closed"), close));
    assert_false(gw_header_has_token(GW_STR("close x"), close));
    assert_false(gw_header_has_token(GW_STR("a;close"), close));
    assert_false(gw_header_has_token(GW_STR(""), close));
    assert_false(gw_header_has_token(gw_str(NULL, 0), close));
}

static void test_connection_options(void **state)
{
    (void)state;
    const struct gw_header headers[] = {
        {GW_STR_INIT("connection"), GW_STR_INIT("Keep-Alive, close ,"), GW_HEADER_CONNECTION},
        {GW_STR_INIT("x"), GW_STR_INIT("x-other"), GW_HEADER_OTHER},
        {GW_STR_INIT("connection"), GW_STR_INIT(""), GW_HEADER_CONNECTION},
        {GW_STR_INIT("connection"), GW_STR_INIT("close, X-Hop"), GW_HEADER_CONNECTION},
    };
    assert_false(gw_headers_have_options(headers, 0));
    assert_false(gw_headers_have_options(headers, 3));
    assert_true(gw_headers_have_options(headers, 4));
    assert_true(gw_headers_is_option(headers, 4, GW_STR("x-hop")));
    assert_true(gw_headers_is_option(headers, 4, GW_STR("close")));
    assert_false(gw_headers_is_option(headers, 4, GW_STR("x-other")));
    assert_false(gw_headers_is_option(headers, 4, GW_STR("x")));
    assert_false(gw_headers_is_option(headers, 3, GW_STR("x-hop")));
}

static bool is_one_of(unsigned char c, const char *set)
{
    return c != 0 && strchr(set, c) != NULL;
}

static bool is_alnum(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The table of http/chars.c, derived again from the grammars. */
static void test_classes_of_bytes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 256; i++) {
        unsigned char c = (unsigned char)i;
        char byte = (char)c;
        bool visible = c > 0x20 && c < 0x7f;
        bool unreserved = is_alnum(c) || is_one_of(c, "-._~");
        assert_int_equal(gw_char_is(byte, GW_CHAR_TOKEN),
                         is_alnum(c) || is_one_of(c, "!#$%&'*+-.^_`|~"));
        assert_int_equal(gw_char_is(byte, GW_CHAR_VALUE), c == '\t' || (c >= 0x20 && c != 0x7f));
        assert_int_equal(gw_char_is(byte, GW_CHAR_HOST),
                         unreserved || is_one_of(c, "!$&'()*+;=:[]%"));
        assert_int_equal(gw_char_is(byte, GW_CHAR_QUERY), visible && !is_one_of(c, "\"#<>\\"));
        assert_int_equal(gw_char_is(byte, GW_CHAR_HEX),
                         (c >= '0' && c <= '9') || is_one_of(c, "abcdefABCDEF"));
        assert_int_equal(gw_char_is(byte, GW_CHAR_USER),
                         unreserved || is_one_of(c, "!$&'()*+,;=:%"));
    }
}

static void test_names_and_values(void **state)
{
    (void)state;
    assert_true(gw_header_name_is_valid(GW_STR("X-Api_Key")));
    assert_false(gw_header_name_is_valid(GW_STR("")));
    assert_false(gw_header_name_is_valid(GW_STR("a b")));
    assert_false(gw_header_name_is_valid(GW_STR("a:")));
    assert_false(gw_header_name_is_valid(GW_STR(":path")));
    assert_true(gw_header_value_is_valid(GW_STR("")));
    assert_true(gw_header_value_is_valid(GW_STR("a\tb \xc3\xa4")));
    assert_false(gw_header_value_is_valid(GW_STR("a\r\nb")));
    assert_false(gw_header_value_is_valid(GW_STR("a\0")));
}

static void test_methods(void **state)
{
    (void)state;
    for (unsigned i = GW_METHOD_GET; i <= GW_METHOD_TRACE; i++) {
        struct gw_str text = gw_method_text((enum gw_http_method)i);
        assert_true(text.len > 0);
        assert_int_equal(gw_method_from_text(text), i);
    }
    assert_int_equal(gw_method_from_text(GW_STR("get")), GW_METHOD_OTHER);
    assert_int_equal(gw_method_from_text(GW_STR("")), GW_METHOD_OTHER);
    assert_int_equal(gw_method_from_text(GW_STR("GETS")), GW_METHOD_OTHER);
    assert_int_equal(gw_method_text(GW_METHOD_OTHER).len, 0);
}

static void test_reasons(void **state)
{
    (void)state;
    assert_true(gw_str_eq(gw_status_reason(200), GW_STR("OK")));
    assert_true(gw_str_eq(gw_status_reason(429), GW_STR("Too Many Requests")));
    assert_true(gw_str_eq(gw_status_reason(299), GW_STR("Unknown")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_known_name_is_found),
        cmocka_unit_test(test_nothing_else_is_found),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_get_gives_the_first),
        cmocka_unit_test(test_has_token),
        cmocka_unit_test(test_connection_options),
        cmocka_unit_test(test_classes_of_bytes),
        cmocka_unit_test(test_names_and_values),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_reasons),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
