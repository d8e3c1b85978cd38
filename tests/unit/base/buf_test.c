/* SPDX-License-Identifier: MIT */
/* Growth up to the maximum, the sticky failure, and JSON text that no input can break. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <yyjson.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/rng.h"

static void assert_content(const struct gw_buf *buf, const char *expected)
{
    if (!gw_str_eq(gw_buf_str(buf), gw_str_from_c(expected))) {
        fail_msg("\"%.*s\" is not \"%s\"", (int)buf->len, buf->ptr, expected);
    }
}

static void test_appends(void **state)
{
    (void)state;
    struct gw_buf buf;
    gw_buf_init(&buf, 1000);
    assert_int_equal(gw_buf_append(&buf, gw_str(NULL, 0)), GW_OK);
    assert_null(buf.ptr);

    gw_buf_append(&buf, GW_STR("abc"));
    gw_buf_append_byte(&buf, '-');
    gw_buf_append_u64(&buf, 0);
    gw_buf_append_u64(&buf, UINT64_MAX);
    gw_buf_appendf(&buf, "/%s%d", "x", -5);
    gw_buf_appendf(&buf, "%s", "");
    assert_content(&buf, "abc-018446744073709551615/x-5");
    gw_buf_consume(&buf, 0);
    gw_buf_consume(&buf, 4);
    assert_content(&buf, "018446744073709551615/x-5");
    gw_buf_consume(&buf, buf.len);
    assert_content(&buf, "");
    gw_buf_fini(&buf);
    assert_null(buf.ptr);
    gw_buf_append(&buf, GW_STR("again"));
    assert_content(&buf, "again");
    gw_buf_fini(&buf);
}

static void test_grows_to_the_maximum_and_not_beyond(void **state)
{
    (void)state;
    static const size_t maxima[] = {1, 2, 255, 256, 257, 1000, 4096, 5000};
    for (size_t i = 0; i < GW_ARRAY_LEN(maxima); i++) {
        struct gw_buf buf;
        gw_buf_init(&buf, maxima[i]);
        for (size_t k = 0; k < maxima[i]; k++) {
            assert_int_equal(gw_buf_append_byte(&buf, (char)('a' + k % 26)), GW_OK);
        }
        assert_int_equal(buf.len, maxima[i]);
        assert_true(buf.capacity <= maxima[i]);
        assert_int_equal(gw_buf_append_byte(&buf, 'x'), GW_ERR_TOO_LARGE);
        for (size_t k = 0; k < maxima[i]; k++) {
            assert_int_equal(buf.ptr[k], (char)('a' + k % 26));
        }
        gw_buf_fini(&buf);
    }
}

static void test_failure_is_sticky_and_writes_nothing(void **state)
{
    (void)state;
    struct gw_buf buf;
    gw_buf_init(&buf, 4);
    gw_buf_append(&buf, GW_STR("abc"));
    assert_int_equal(gw_buf_append(&buf, GW_STR("de")), GW_ERR_TOO_LARGE);
    assert_int_equal(gw_buf_append(&buf, GW_STR("d")), GW_ERR_TOO_LARGE);
    assert_int_equal(gw_buf_append_u64(&buf, 1), GW_ERR_TOO_LARGE);
    assert_int_equal(gw_buf_appendf(&buf, "d"), GW_ERR_TOO_LARGE);
    assert_int_equal(gw_buf_append_json(&buf, GW_STR("d")), GW_ERR_TOO_LARGE);
    assert_int_equal(gw_buf_reserve(&buf, 1), GW_ERR_TOO_LARGE);
    assert_content(&buf, "abc");
    gw_buf_reset(&buf);
    assert_int_equal(gw_buf_append(&buf, GW_STR("wxyz")), GW_OK);
    assert_content(&buf, "wxyz");
    gw_buf_fini(&buf);
}

static void test_sizes_near_the_end_of_size_t(void **state)
{
    (void)state;
    struct gw_buf buf;
    gw_buf_init(&buf, SIZE_MAX);
    gw_buf_append(&buf, GW_STR("abc"));
    /* Nobody has that memory; what matters is that the computation of the capacity ends and does
     * not wrap. */
    assert_int_equal(gw_buf_reserve(&buf, SIZE_MAX), GW_ERR_TOO_LARGE);
    gw_buf_reset(&buf);
    gw_alloc_fail_at(1);
    assert_int_equal(gw_buf_reserve(&buf, SIZE_MAX / 2 + 10), GW_ERR_NOMEM);
    gw_alloc_fail_at(0);
    gw_buf_fini(&buf);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    struct gw_buf buf;
    gw_buf_init(&buf, 10000);
    gw_buf_append(&buf, GW_STR("abc"));
    gw_alloc_fail_at(1);
    char large[2000] = {0};
    assert_int_equal(gw_buf_append(&buf, gw_str(large, sizeof(large))), GW_ERR_NOMEM);
    gw_alloc_fail_at(0);
    assert_content(&buf, "abc");
    assert_int_equal(gw_buf_append(&buf, GW_STR("d")), GW_ERR_NOMEM);
    gw_buf_reset(&buf);
    assert_int_equal(gw_buf_append(&buf, gw_str(large, sizeof(large))), GW_OK);
    gw_buf_fini(&buf);
}

static void test_reserve_and_commit(void **state)
{
    (void)state;
    struct gw_buf buf;
    gw_buf_init(&buf, 10000);
    assert_int_equal(gw_buf_reserve(&buf, 3000), GW_OK);
    memset(gw_buf_tail(&buf), 'a', 3000);
    gw_buf_commit(&buf, 2999);
    assert_int_equal(buf.len, 2999);
    gw_buf_append_byte(&buf, 'b');
    assert_int_equal(buf.ptr[2998], 'a');
    assert_int_equal(buf.ptr[2999], 'b');
    gw_buf_fini(&buf);
}

static void test_json_escapes(void **state)
{
    (void)state;
    static const struct {
        struct gw_str text;
        const char *json;
    } cases[] = {
        {GW_STR_INIT("plain"), "plain"},
        {GW_STR_INIT(""), ""},
        {GW_STR_INIT("\"\\/"), "\\\"\\\\/"},
        {GW_STR_INIT("\n\r\t\b\f"), "\\n\\r\\t\\u0008\\u000c"},
        {GW_STR_INIT("\0\x1f\x7f"), "\\u0000\\u001f\x7f"},
        {GW_STR_INIT("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
         "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {GW_STR_INIT("a\x80"
                     "b"),
         "a\xef\xbf\xbd"
         "b"},
        {GW_STR_INIT("\xc3"), "\xef\xbf\xbd"},
        {GW_STR_INIT("\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd"},
        {GW_STR_INIT("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd"},
        {GW_STR_INIT("\xed\xa0\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {GW_STR_INIT("\xf4\x90\x80\x80"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {GW_STR_INIT("\xff\""), "\xef\xbf\xbd\\\""},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_buf buf;
        gw_buf_init(&buf, 1000);
        assert_int_equal(gw_buf_append_json(&buf, cases[i].text), GW_OK);
        assert_content(&buf, cases[i].json);
        gw_buf_fini(&buf);
    }
}

static void test_json_of_random_bytes_is_json(void **state)
{
    (void)state;
    struct gw_rng rng;
    gw_rng_init_fixed(&rng, 3);
    struct gw_buf buf;
    gw_buf_init(&buf, 10000);
    for (int round = 0; round < 2000; round++) {
        char bytes[40];
        size_t len = gw_rng_below(&rng, sizeof(bytes));
        for (size_t i = 0; i < len; i++) {
            bytes[i] = (char)gw_rng_below(&rng, 256);
        }
        gw_buf_reset(&buf);
        gw_buf_append_byte(&buf, '"');
        gw_buf_append_json(&buf, gw_str(bytes, len));
        gw_buf_append_byte(&buf, '"');
        yyjson_doc *doc = yyjson_read(buf.ptr, buf.len, 0);
        assert_non_null(doc);
        yyjson_doc_free(doc);
    }
    gw_buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appends),
        cmocka_unit_test(test_grows_to_the_maximum_and_not_beyond),
        cmocka_unit_test(test_failure_is_sticky_and_writes_nothing),
        cmocka_unit_test(test_sizes_near_the_end_of_size_t),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_reserve_and_commit),
        cmocka_unit_test(test_json_escapes),
        cmocka_unit_test(test_json_of_random_bytes_is_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
