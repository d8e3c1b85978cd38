/* SPDX-License-Identifier: MIT */
/* Comparisons, searches, and the parsers with their limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

static void assert_text(struct gw_str actual, const char *expected)
{
    if (!gw_str_eq(actual, gw_str_from_c(expected))) {
        fail_msg("\"%.*s\" is not \"%s\"", (int)actual.len, actual.ptr, expected);
    }
}

static void test_equality(void **state)
{
    (void)state;
    assert_true(gw_str_eq(GW_STR("a\0b"), gw_str("a\0b", 3)));
    assert_false(gw_str_eq(GW_STR("a\0b"), GW_STR("a\0c")));
    assert_false(gw_str_eq(GW_STR("a"), GW_STR("ab")));
    assert_true(gw_str_eq(gw_str(NULL, 0), GW_STR("")));
    assert_true(gw_str_eq_nocase(GW_STR("Content-Type"), GW_STR("cONTENT-tYPE")));
    assert_false(gw_str_eq_nocase(GW_STR("@"), GW_STR("`")));
    assert_false(gw_str_eq_nocase(GW_STR("["), GW_STR("{")));
    assert_false(gw_str_eq_nocase(GW_STR("\xc3\x84"), GW_STR("\xc3\xa4")));
    assert_true(gw_str_eq_nocase(gw_str(NULL, 0), GW_STR("")));
    assert_int_equal(gw_str_from_c(NULL).len, 0);
}

static void test_prefix_and_suffix(void **state)
{
    (void)state;
    assert_true(gw_str_has_prefix(GW_STR("Bearer x"), GW_STR("Bearer ")));
    assert_false(gw_str_has_prefix(GW_STR("Bear"), GW_STR("Bearer ")));
    assert_true(gw_str_has_prefix(gw_str(NULL, 0), gw_str(NULL, 0)));
    assert_true(gw_str_has_suffix(GW_STR("a.json"), GW_STR(".json")));
    assert_true(gw_str_has_suffix(GW_STR("a"), GW_STR("")));
    assert_false(gw_str_has_suffix(GW_STR("json"), GW_STR(".json")));
}

static void test_skip_and_find(void **state)
{
    (void)state;
    assert_text(gw_str_skip(GW_STR("abc"), 1), "bc");
    assert_text(gw_str_skip(GW_STR("abc"), 3), "");
    assert_text(gw_str_skip(GW_STR("abc"), SIZE_MAX), "");
    assert_null(gw_str_skip(gw_str(NULL, 0), 5).ptr);
    assert_int_equal(gw_str_find_byte(GW_STR("abcb"), 'b'), 1);
    assert_int_equal(gw_str_find_byte(GW_STR("abc"), 'x'), 3);
    assert_int_equal(gw_str_find_byte(gw_str(NULL, 0), 'x'), 0);
    assert_int_equal(gw_str_find(GW_STR("xababc"), GW_STR("abc")), 3);
    assert_int_equal(gw_str_find(GW_STR("ab"), GW_STR("abc")), 2);
    assert_int_equal(gw_str_find(GW_STR("ab"), GW_STR("")), 0);
    assert_int_equal(gw_str_find(gw_str(NULL, 0), GW_STR("a")), 0);
}

static void test_trim(void **state)
{
    (void)state;
    assert_text(gw_str_trim(GW_STR(" \t\r\na b\n ")), "a b");
    assert_text(gw_str_trim(GW_STR(" \n")), "");
    assert_text(gw_str_trim(GW_STR("a")), "a");
    assert_text(gw_str_trim(gw_str(NULL, 0)), "");
    assert_text(gw_str_trim(GW_STR("\va\f")), "\va\f");
}

static void test_split(void **state)
{
    (void)state;
    struct gw_str rest = GW_STR("a,,b,");
    struct gw_str part;
    static const char *const expected[] = {"a", "", "b", ""};
    for (size_t i = 0; i < GW_ARRAY_LEN(expected); i++) {
        assert_true(gw_str_split(&rest, ',', &part));
        assert_text(part, expected[i]);
    }
    assert_false(gw_str_split(&rest, ',', &part));
    rest = GW_STR("");
    assert_true(gw_str_split(&rest, ',', &part));
    assert_text(part, "");
    assert_false(gw_str_split(&rest, ',', &part));
}

struct parse_case {
    const char *text;
    enum gw_err err;
    uint64_t value;
};

typedef enum gw_err parse_fn(struct gw_str text, uint64_t *value);

static void run_parse_cases(parse_fn *parse, const struct parse_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value = 4711;
        enum gw_err err = parse(gw_str_from_c(cases[i].text), &value);
        if (err != cases[i].err) {
            fail_msg("\"%s\": %s", cases[i].text, gw_err_name(err));
        }
        assert_true(value == (err == GW_OK ? cases[i].value : 4711));
    }
}

static void test_parse_u64(void **state)
{
    (void)state;
    static const struct parse_case cases[] = {
        {"0", GW_OK, 0},
        {"007", GW_OK, 7},
        {"18446744073709551615", GW_OK, UINT64_MAX},
        {"18446744073709551616", GW_ERR_OVERFLOW, 0},
        {"18446744073709551620", GW_ERR_OVERFLOW, 0},
        {"99999999999999999999999", GW_ERR_OVERFLOW, 0},
        {"", GW_ERR_INVALID, 0},
        {" 1", GW_ERR_INVALID, 0},
        {"1 ", GW_ERR_INVALID, 0},
        {"+1", GW_ERR_INVALID, 0},
        {"-1", GW_ERR_INVALID, 0},
        {"1.0", GW_ERR_INVALID, 0},
        {"0x1", GW_ERR_INVALID, 0},
        {"a", GW_ERR_INVALID, 0},
    };
    run_parse_cases(gw_parse_u64, cases, GW_ARRAY_LEN(cases));
    uint64_t value = 0;
    assert_int_equal(gw_parse_u64(gw_str(NULL, 0), &value), GW_ERR_INVALID);
}

static void test_parse_duration(void **state)
{
    (void)state;
    static const struct parse_case cases[] = {
        {"30", GW_OK, 30000},
        {"0", GW_OK, 0},
        {"30s", GW_OK, 30000},
        {"30S", GW_OK, 30000},
        {"250ms", GW_OK, 250},
        {"1.5s", GW_OK, 1500},
        {"1.5", GW_OK, 1500},
        {"1.5m", GW_OK, 90000},
        {"0.001s", GW_OK, 1},
        {"0.0009s", GW_OK, 0},
        {"2h", GW_OK, 7200000},
        {"1d", GW_OK, 86400000},
        {"1m30s", GW_OK, 90000},
        {"1h2m3s4ms", GW_OK, 3723004},
        {"18446744073709551615ms", GW_OK, UINT64_MAX},
        {"18446744073709551616ms", GW_ERR_OVERFLOW, 0},
        {"18446744073709551615s", GW_ERR_OVERFLOW, 0},
        {"213503982335d", GW_ERR_OVERFLOW, 0},
        {"18446744073709551615ms1ms", GW_ERR_OVERFLOW, 0},
        {"", GW_ERR_INVALID, 0},
        {"s", GW_ERR_INVALID, 0},
        {"1.s", GW_ERR_INVALID, 0},
        {".5s", GW_ERR_INVALID, 0},
        {"-1s", GW_ERR_INVALID, 0},
        {"1 s", GW_ERR_INVALID, 0},
        {"1w", GW_ERR_INVALID, 0},
        {"1m30x", GW_ERR_INVALID, 0},
    };
    run_parse_cases(gw_parse_duration_ms, cases, GW_ARRAY_LEN(cases));
}

static void test_parse_size(void **state)
{
    (void)state;
    static const struct parse_case cases[] = {
        {"0", GW_OK, 0},
        {"100", GW_OK, 100},
        {"100b", GW_OK, 100},
        {"1k", GW_OK, 1024},
        {"1KB", GW_OK, 1024},
        {"1KiB", GW_OK, 1024},
        {"100M", GW_OK, 104857600},
        {"100mb", GW_OK, 104857600},
        {"2g", GW_OK, 2147483648u},
        {"2GiB", GW_OK, 2147483648u},
        {"17179869183g", GW_OK, 18446744072635809792u},
        {"17179869184g", GW_ERR_OVERFLOW, 0},
        {"18446744073709551615k", GW_ERR_OVERFLOW, 0},
        {"18446744073709551616", GW_ERR_OVERFLOW, 0},
        {"", GW_ERR_INVALID, 0},
        {"k", GW_ERR_INVALID, 0},
        {"1t", GW_ERR_INVALID, 0},
        {"1kk", GW_ERR_INVALID, 0},
        {"1 k", GW_ERR_INVALID, 0},
        {"1.5k", GW_ERR_INVALID, 0},
        {"-1", GW_ERR_INVALID, 0},
    };
    run_parse_cases(gw_parse_size, cases, GW_ARRAY_LEN(cases));
}

static void test_hash(void **state)
{
    (void)state;
    uint64_t seen[300];
    char text[300];
    memset(text, 'a', sizeof(text));
    for (size_t len = 0; len < GW_ARRAY_LEN(seen); len++) {
        seen[len] = gw_str_hash(gw_str(text, len));
        assert_true(seen[len] == gw_str_hash(gw_str(text, len)));
        for (size_t k = 0; k < len; k++) {
            assert_true(seen[k] != seen[len]);
        }
    }
    /* Every bit of the input changes the hash, wherever it stands in a word. */
    for (size_t bit = 0; bit < 8 * 20; bit++) {
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        assert_true(gw_str_hash(gw_str(text, 20)) != seen[20]);
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
    }
    /* The low bits, which tables use, are spread: no bucket of 64 takes more than a few times its
     * share of 6,400. */
    unsigned buckets[64] = {0};
    for (unsigned i = 0; i < 6400; i++) {
        memcpy(text, &i, sizeof(i));
        buckets[gw_str_hash(gw_str(text, sizeof(i))) % 64]++;
    }
    for (size_t i = 0; i < 64; i++) {
        assert_true(buckets[i] > 30 && buckets[i] < 200);
    }
}

static void test_distance(void **state)
{
    (void)state;
    assert_int_equal(gw_str_distance(GW_STR("model"), GW_STR("model"), 3), 0);
    assert_int_equal(gw_str_distance(GW_STR("modle"), GW_STR("model"), 3), 1);
    assert_int_equal(gw_str_distance(GW_STR("mdel"), GW_STR("model"), 3), 1);
    assert_int_equal(gw_str_distance(GW_STR("moddel"), GW_STR("model"), 3), 1);
    assert_int_equal(gw_str_distance(GW_STR("modal"), GW_STR("model"), 3), 1);
    assert_int_equal(gw_str_distance(GW_STR("kitten"), GW_STR("sitting"), 5), 3);
    assert_int_equal(gw_str_distance(GW_STR("kitten"), GW_STR("sitting"), 2), 3);
    assert_int_equal(gw_str_distance(GW_STR(""), GW_STR("abc"), 5), 3);
    assert_int_equal(gw_str_distance(GW_STR("abc"), GW_STR(""), 5), 3);
    assert_int_equal(gw_str_distance(GW_STR(""), GW_STR(""), 5), 0);
    char longer[65];
    memset(longer, 'a', sizeof(longer));
    assert_int_equal(gw_str_distance(gw_str(longer, 64), gw_str(longer, 64), 3), 0);
    assert_int_equal(gw_str_distance(gw_str(longer, 65), gw_str(longer, 65), 3), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equality),       cmocka_unit_test(test_prefix_and_suffix),
        cmocka_unit_test(test_skip_and_find),  cmocka_unit_test(test_trim),
        cmocka_unit_test(test_split),          cmocka_unit_test(test_parse_u64),
        cmocka_unit_test(test_parse_duration), cmocka_unit_test(test_parse_size),
        cmocka_unit_test(test_hash),           cmocka_unit_test(test_distance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
