/* SPDX-License-Identifier: MIT */
/* Exact numbers, equality whatever the form, and values in messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "json/schema_value.h"

static yyjson_doc *read_text(const char *text)
{
    yyjson_doc *doc = yyjson_read(text, strlen(text), 0);
    if (doc == NULL) {
        fail_msg("not JSON: %s", text);
    }
    return doc;
}

static struct gw_schema_number number_of(const char *text)
{
    struct gw_schema_number number = {0};
    yyjson_doc *doc = read_text(text);
    assert_true(gw_schema_number_of(yyjson_doc_get_root(doc), &number));
    yyjson_doc_free(doc);
    return number;
}

static void test_numbers_are_read_exactly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t digits;
        int exponent;
        bool is_negative;
    } cases[] = {
        {"0", 0, 0, false},
        {"-0", 0, 0, false},
        {"-0.0", 0, 0, false},
        {"1", 1, 0, false},
        {"-1200", 12, 2, true},
        {"0.1", 1, -1, false},
        {"-0.07", 7, -2, true},
        {"1.0", 1, 0, false},
        {"19.99", 1999, -2, false},
        {"1e300", 1, 300, false},
        {"2.5e-7", 25, -8, false},
        {"5e-324", 494065645841247, -338, false},
        {"18446744073709551615", UINT64_MAX, 0, false},
        {"-9223372036854775808", 9223372036854775808u, 0, true},
        {"9007199254740993", 9007199254740993, 0, false},
        {"123456789.123456", 123456789123456, -6, false},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_schema_number number = number_of(cases[i].text);
        assert_true(number.digits == cases[i].digits);
        assert_int_equal(number.exponent, cases[i].exponent);
        assert_int_equal(number.is_negative, cases[i].is_negative);
    }
}

static void test_comparison(void **state)
{
    (void)state;
    /* In rising order. */
    static const char *const numbers[] = {
        "-1e308",
        "-18446744073709551616",
        "-9223372036854775808",
        "-9223372036854775807",
        "-100",
        "-99.99",
        "-0.1",
        "-1e-300",
        "0",
        "1e-300",
        "0.1",
        "0.10000000000000002",
        "0.2",
        "1",
        "1.0000000000000002",
        "2",
        "10",
        "99.99",
        "100",
        "9007199254740992",
        "9007199254740993",
        "9223372036854775807",
        "18446744073709551614",
        "18446744073709551615",
        "18446744073709551616",
        "1e300",
        "1.5e300",
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(numbers); i++) {
        for (size_t k = 0; k < GW_ARRAY_LEN(numbers); k++) {
            struct gw_schema_number a = number_of(numbers[i]);
            struct gw_schema_number b = number_of(numbers[k]);
            int expected = (i > k) - (i < k);
            if (gw_schema_number_compare(&a, &b) != expected) {
                fail_msg("%s and %s", numbers[i], numbers[k]);
            }
        }
    }
}

static void test_multiples(void **state)
{
    (void)state;
    static const struct {
        const char *number;
        const char *of;
        bool is_multiple;
    } cases[] = {
        {"0", "7", true},
        {"0.0", "0.1", true},
        {"10", "5", true},
        {"10", "3", false},
        {"-10", "5", true},
        {"1.1", "0.1", true},
        {"0.3", "0.1", true},
        {"19.99", "0.01", true},
        {"19.999", "0.01", false},
        {"0.0075", "0.0001", true},
        {"0.00751", "0.0001", false},
        {"4.35", "0.01", true},
        {"1e308", "0.5", true},
        {"1e308", "0.123456789", false},
        {"1e-300", "1e-301", true},
        {"1e-301", "1e-300", false},
        {"18446744073709551615", "5", true},
        {"18446744073709551615", "18446744073709551615", true},
        {"18446744073709551614", "18446744073709551615", false},
        {"9007199254740993", "2", false},
        {"1.5", "1", false},
        {"1", "1.5", false},
        {"3", "1.5", true},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_schema_number a = number_of(cases[i].number);
        struct gw_schema_number b = number_of(cases[i].of);
        if (gw_schema_number_is_multiple(&a, &b) != cases[i].is_multiple) {
            fail_msg("%s of %s", cases[i].number, cases[i].of);
        }
    }
}

/* Random products of whole numbers and decimals: n times a step is a multiple of it, n times and a
 * bit is not. */
static void test_random_multiples(void **state)
{
    (void)state;
    struct gw_rng rng;
    gw_rng_init_fixed(&rng, 9);
    for (int round = 0; round < 20000; round++) {
        uint64_t step = 1 + gw_rng_below(&rng, 100000);
        uint64_t count = gw_rng_below(&rng, 100000);
        int places = (int)gw_rng_below(&rng, 6);
        char text[64];
        snprintf(text, sizeof(text), "%llue-%d", (unsigned long long)step, places);
        struct gw_schema_number of = number_of(text);
        snprintf(text, sizeof(text), "%llue-%d", (unsigned long long)(step * count), places);
        struct gw_schema_number product = number_of(text);
        assert_true(gw_schema_number_is_multiple(&product, &of));
        if (step > 1) {
            snprintf(text, sizeof(text), "%llue-%d", (unsigned long long)(step * count + 1),
                     places);
            struct gw_schema_number more = number_of(text);
            assert_false(gw_schema_number_is_multiple(&more, &of));
        }
    }
}

static void test_equality_and_hash(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        const char *b;
        bool is_equal;
    } cases[] = {
        {"1", "1.0", true},
        {"-0.0", "0", true},
        {"1e2", "100", true},
        {"9007199254740993", "9007199254740992.0", false},
        {"1", "true", false},
        {"0", "false", false},
        {"null", "null", true},
        {"null", "0", false},
        {"true", "false", false},
        {"\"a\"", "\"a\"", true},
        {"\"a\"", "\"\\u0061\"", true},
        {"\"a\"", "\"b\"", false},
        {"[]", "{}", false},
        {"[1,2]", "[1.0,2]", true},
        {"[1,2]", "[2,1]", false},
        {"[1,2]", "[1,2,3]", false},
        {"[[],[[]]]", "[[],[[]]]", true},
        {"{\"a\":1,\"b\":[2]}", "{\"b\":[2.0],\"a\":1}", true},
        {"{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}", false},
        {"{\"a\":1,\"b\":2}", "{\"a\":1}", false},
        {"{\"a\":1,\"b\":2}", "{\"a\":2,\"b\":1}", false},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_schema_allowance allowance = {.steps = 1000};
        yyjson_doc *a = read_text(cases[i].a);
        yyjson_doc *b = read_text(cases[i].b);
        yyjson_val *x = yyjson_doc_get_root(a);
        yyjson_val *y = yyjson_doc_get_root(b);
        if (gw_schema_equal(x, y, &allowance) != cases[i].is_equal ||
            gw_schema_equal(y, x, &allowance) != cases[i].is_equal) {
            fail_msg("%s and %s", cases[i].a, cases[i].b);
        }
        assert_int_equal(gw_schema_hash(x, &allowance) == gw_schema_hash(y, &allowance),
                         cases[i].is_equal);
        assert_true(allowance.steps > 0);
        yyjson_doc_free(a);
        yyjson_doc_free(b);
    }
}

static void test_allowance(void **state)
{
    (void)state;
    yyjson_doc *doc = read_text("[1,2,3,4,5,6,7,8,9,10]");
    yyjson_val *root = yyjson_doc_get_root(doc);
    struct gw_schema_allowance allowance = {.steps = 11};
    assert_true(gw_schema_equal(root, root, &allowance));
    assert_true(allowance.steps == 0);
    assert_false(gw_schema_equal(root, root, &allowance));
    assert_true(allowance.steps < 0);
    assert_false(gw_schema_charge(&allowance, 0));
    allowance.steps = 5;
    assert_false(gw_schema_charge(&allowance, SIZE_MAX));
    assert_true(allowance.steps == -1);
    yyjson_doc_free(doc);
}

static void test_values_in_messages(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"0", "0"},
        {"-12", "-12"},
        {"1.50", "1.5"},
        {"0.007", "0.007"},
        {"-0.5", "-0.5"},
        {"123.456", "123.456"},
        {"1200", "1200"},
        {"1e20", "100000000000000000000"},
        {"1e21", "1e21"},
        {"1.5e300", "15e299"},
        {"1e-20", "0.00000000000000000001"},
        {"1e-21", "1e-21"},
        {"true", "true"},
        {"null", "null"},
        {"[]", "an empty list"},
        {"[1]", "a list"},
        {"{}", "an empty object"},
        {"{\"a\":1}", "an object"},
        {"\"a\\\"b\\n\"", "\"a\\\"b\\n\""},
        {"\"0123456789012345678901234567890123456789\"",
         "\"0123456789012345678901234567890123456789\""},
        {"\"012345678901234567890123456789012345678\xc3\xa9\"",
         "\"012345678901234567890123456789012345678...\""},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_buf out;
        gw_buf_init(&out, 1000);
        yyjson_doc *doc = read_text(cases[i][0]);
        gw_schema_append_value(&out, yyjson_doc_get_root(doc));
        if (!gw_str_eq(gw_buf_str(&out), gw_str_from_c(cases[i][1]))) {
            fail_msg("%s gives %.*s", cases[i][0], (int)out.len, out.ptr);
        }
        yyjson_doc_free(doc);
        gw_buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_are_read_exactly),
        cmocka_unit_test(test_comparison),
        cmocka_unit_test(test_multiples),
        cmocka_unit_test(test_random_multiples),
        cmocka_unit_test(test_equality_and_hash),
        cmocka_unit_test(test_allowance),
        cmocka_unit_test(test_values_in_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
