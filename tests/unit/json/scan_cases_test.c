/* SPDX-License-Identifier: MIT */
/*
 * What is JSON and what is not: the families of cases that JSON parsing suites use, each checked
 * against the scanner, and the clear ones against yyjson too, so that a case that is itself wrong
 * is noticed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <yyjson.h>

#include "json/scan.h"

#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

/* Valid by the grammar. */
static const struct gw_str valid[] = {
    /* structure */
    TEXT("{}"),
    TEXT("[]"),
    TEXT("[[]]"),
    TEXT("[[],{},[]]"),
    TEXT("{\"a\":{}}"),
    TEXT("{\"a\":[],\"b\":[{}]}"),
    TEXT("{\"a\":1,\"a\":2}"),
    TEXT("{\"\":0}"),
    TEXT("{\"a\":null,\"b\":true,\"c\":false}"),
    TEXT("[1,null,\"2\",[3],{\"4\":5}]"),
    TEXT("[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]"),
    /* lonely values */
    TEXT("0"),
    TEXT("-0"),
    TEXT("42"),
    TEXT("-1.5e-3"),
    TEXT("\"text\""),
    TEXT("\"\""),
    TEXT("true"),
    TEXT("false"),
    TEXT("null"),
    /* blanks */
    TEXT(" {}"),
    TEXT("{} "),
    TEXT("\t\n\r {\t\n\r \"a\"\t\n\r :\t\n\r 1\t\n\r }\t\n\r "),
    TEXT(" [ ] "),
    TEXT("[\n1\n,\n2\n]"),
    TEXT("\n\n\n1"),
    TEXT("{                                    \"a\"                      :                 1}"),
    TEXT("[1\n        \t        ,        2]"),
    /* numbers */
    TEXT("[0,-0,1,-1,10,1234567890]"),
    TEXT("[0.0,-0.0,0.1,1.25,100.001]"),
    TEXT("[0e1,0E1,0e+1,0E-1,1e10,1E+10,1e-10,1.5e5]"),
    TEXT("[0e0]"),
    TEXT("[123456789012345678901234567890]"),
    TEXT("[-9223372036854775808,18446744073709551615]"),
    TEXT("[1e999,-1e999,1e-999]"),
    TEXT("[0.123456789012345678901234567890]"),
    TEXT("[1e00000000000000000000001]"),
    /* strings */
    TEXT("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"),
    TEXT("[\"\\u0000\\u0061\\u00e9\\uABCD\\uabcd\\uFFFF\"]"),
    TEXT("[\"\\uD83D\\uDE00\"]"),
    TEXT("[\"\\u0022\\u005c\"]"),
    TEXT("[\"\\\\u0041\"]"),
    TEXT("[\"\\\\\"]"),
    TEXT("[\"\\\\\\\"\"]"),
    TEXT("[\"/*no comment*/ // nor this #\"]"),
    TEXT("[\"'\"]"),
    TEXT("[\"{[,:]}\"]"),
    TEXT("[\"\x7f\"]"),
    TEXT("[\"\xc2\x80\"]"),
    TEXT("[\"\xdf\xbf\"]"),
    TEXT("[\"\xe0\xa0\x80\"]"),
    TEXT("[\"\xed\x9f\xbf\"]"),
    TEXT("[\"\xee\x80\x80\"]"),
    TEXT("[\"\xef\xbb\xbf\"]"),
    TEXT("[\"\xef\xbf\xbf\"]"),
    TEXT("[\"\xf0\x90\x80\x80\"]"),
    TEXT("[\"\xf4\x8f\xbf\xbf\"]"),
    TEXT("[\"\xf0\x9f\x98\x80 \xe2\x82\xac \xc3\xa9 plain\"]"),
    TEXT("[\"\xe2\x80\xa8\xe2\x80\xa9\"]"),
    TEXT("{\"\xe4\xbb\x8a\xe5\xa4\xa9\":\"\xe5\xa4\xa9\xe6\xb0\x94\"}"),
    TEXT("{\"\\u006dodel\":1}"),
};

/* Not JSON. */
static const struct gw_str invalid[] = {
    /* nothing */
    TEXT(""),
    TEXT(" "),
    TEXT("\n\t"),
    /* structure */
    TEXT("["),
    TEXT("]"),
    TEXT("{"),
    TEXT("}"),
    TEXT("[[]"),
    TEXT("[]]"),
    TEXT("{}}"),
    TEXT("[}"),
    TEXT("{]"),
    TEXT("[{]}"),
    TEXT("[1"),
    TEXT("[1,"),
    TEXT("[1,]"),
    TEXT("[,1]"),
    TEXT("[,]"),
    TEXT("[1,,2]"),
    TEXT("[1 2]"),
    TEXT("[1:2]"),
    TEXT("[\"a\" \"b\"]"),
    TEXT("[1;2]"),
    TEXT("[(1)]"),
    TEXT("{\"a\"}"),
    TEXT("{\"a\":}"),
    TEXT("{\"a\":1"),
    TEXT("{\"a\":1,"),
    TEXT("{\"a\":1,}"),
    TEXT("{,\"a\":1}"),
    TEXT("{,}"),
    TEXT("{:1}"),
    TEXT("{\"a\" 1}"),
    TEXT("{\"a\",1}"),
    TEXT("{\"a\"::1}"),
    TEXT("{\"a\":1 \"b\":2}"),
    TEXT("{\"a\":1,,\"b\":2}"),
    TEXT("{\"a\":1;\"b\":2}"),
    TEXT("{a:1}"),
    TEXT("{'a':1}"),
    TEXT("{1:1}"),
    TEXT("{null:1}"),
    TEXT("{[]:1}"),
    TEXT("{\"a\":1:2}"),
    TEXT("{\"a\":\"b\"]"),
    TEXT("{}{}"),
    TEXT("{} x"),
    TEXT("1 2"),
    TEXT("1,2"),
    TEXT("\"a\" \"b\""),
    TEXT("null null"),
    TEXT("[],"),
    /* literals */
    TEXT("t"),
    TEXT("tru"),
    TEXT("truE"),
    TEXT("True"),
    TEXT("TRUE"),
    TEXT("truee"),
    TEXT("true1"),
    TEXT("fals"),
    TEXT("nul"),
    TEXT("nullx"),
    TEXT("None"),
    TEXT("undefined"),
    TEXT("NaN"),
    TEXT("-NaN"),
    TEXT("Infinity"),
    TEXT("-Infinity"),
    TEXT("[nan]"),
    TEXT("[inf]"),
    /* numbers */
    TEXT("-"),
    TEXT("+1"),
    TEXT("+"),
    TEXT("--1"),
    TEXT("- 1"),
    TEXT("01"),
    TEXT("-01"),
    TEXT("00"),
    TEXT("1."),
    TEXT(".1"),
    TEXT("-.1"),
    TEXT("1.e1"),
    TEXT("1..2"),
    TEXT("1.2.3"),
    TEXT("1e"),
    TEXT("1e+"),
    TEXT("1E-"),
    TEXT("1e1.5"),
    TEXT("1ee1"),
    TEXT("1e+-1"),
    TEXT("1 000"),
    TEXT("1_000"),
    TEXT("1,000"),
    TEXT("0x10"),
    TEXT("0b1"),
    TEXT("1a"),
    TEXT("1e1a"),
    TEXT("[1.]"),
    TEXT("[-]"),
    TEXT("\xef\xbc\x91"),
    /* strings */
    TEXT("\""),
    TEXT("\"a"),
    TEXT("\"a\\"),
    TEXT("\"a\\\""),
    TEXT("a"),
    TEXT("'a'"),
    TEXT("`a`"),
    TEXT("[\"a]"),
    TEXT("[a\"]"),
    TEXT("\"\\x41\""),
    TEXT("\"\\a\""),
    TEXT("\"\\0\""),
    TEXT("\"\\'\""),
    TEXT("\"\\ \""),
    TEXT("\"\\U0041\""),
    TEXT("\"\\u\""),
    TEXT("\"\\u0\""),
    TEXT("\"\\u00\""),
    TEXT("\"\\u004\""),
    TEXT("\"\\u004g\""),
    TEXT("\"\\u00/1\""),
    TEXT("\"\\u 041\""),
    TEXT("\"\\u+041\""),
    TEXT("\"\\\xc3\xa9\""),
    TEXT("\"\n\""),
    TEXT("\"\t\""),
    TEXT("\"\r\""),
    TEXT("\"\x1f\""),
    TEXT("\"a\0b\""),
    TEXT("\"a line\nand another\""),
    TEXT("{\"a\nb\":1}"),
    TEXT("\"a\\\nb\""),
    /* UTF-8 */
    TEXT("\"\x80\""),
    TEXT("\"\xbf\""),
    TEXT("\"\xc0\x80\""),
    TEXT("\"\xc1\xbf\""),
    TEXT("\"\xc2\""),
    TEXT("\"\xc2 \""),
    TEXT("\"\xe0\x80\x80\""),
    TEXT("\"\xe0\x9f\xbf\""),
    TEXT("\"\xe1\x80\""),
    TEXT("\"\xe2\x82"),
    TEXT("\"\xe2\x28\xa1\""),
    TEXT("\"\xe2\x82\x28\""),
    TEXT("\"\xed\xa0\x80\""),
    TEXT("\"\xed\xbf\xbf\""),
    TEXT("\"\xed\xa0\xbd\xed\xb8\x80\""),
    TEXT("\"\xf0\x80\x80\x80\""),
    TEXT("\"\xf0\x8f\xbf\xbf\""),
    TEXT("\"\xf0\x9f\x98\""),
    TEXT("\"\xf0\x9f\x98x\""),
    TEXT("\"\xf0\x28\x8c\xbc\""),
    TEXT("\"\xf4\x90\x80\x80\""),
    TEXT("\"\xf5\x80\x80\x80\""),
    TEXT("\"\xf8\x88\x80\x80\x80\""),
    TEXT("\"\xfe\""),
    TEXT("\"\xff\""),
    TEXT("\"\xe9\""),
    TEXT("{\"\xff\":1}"),
    TEXT("[\xff]"),
    TEXT("\xff"),
    /* blanks and other encodings */
    TEXT("\xef\xbb\xbf{}"),
    TEXT("\xff\xfe{\0}\0"),
    TEXT("\0{\0}"),
    TEXT("{\0}"),
    TEXT("{}\0"),
    TEXT("[1\f]"),
    TEXT("[1\v]"),
    TEXT("\xc2\xa0[]"),
    TEXT("[\xe2\x81\xa0]"),
    TEXT("[1\b]"),
    /* comments */
    TEXT("/**/[]"),
    TEXT("[1/**/]"),
    TEXT("[1]//"),
    TEXT("# x\n1"),
    TEXT("{\"a\":/*x*/1}"),
};

/* The grammar allows them, parsers differ: we let them through, yyjson does not. */
static const struct gw_str lone_surrogates[] = {
    TEXT("\"\\ud800\""),
    TEXT("\"\\udc00\""),
    TEXT("\"\\udfff\\ud800\""),
    TEXT("\"\\ud83d\\u0041\""),
    TEXT("\"\\ud83d\\ud83d\\ude00\""),
    TEXT("\"\\ud83dx\""),
    TEXT("{\"\\ud800\":1}"),
};

static bool is_valid_for_yyjson(struct gw_str text)
{
    yyjson_doc *doc = yyjson_read(text.ptr, text.len, YYJSON_READ_NUMBER_AS_RAW);
    bool valid_there = doc != NULL;
    yyjson_doc_free(doc);
    return valid_there;
}

/* The bytes in a block of exactly their size, so that sanitizers see a read beyond them. */
static struct gw_str exact_copy(struct gw_str text)
{
    char *copy = malloc(text.len > 0 ? text.len : 1);
    assert_non_null(copy);
    if (text.len > 0) {
        memcpy(copy, text.ptr, text.len);
    }
    return gw_str(copy, text.len);
}

static gw_json_on_member_fn count_member;
static enum gw_err count_member(void *user, const struct gw_json_member *member)
{
    size_t *count = user;
    (*count)++;
    assert_non_null(member->value.ptr);
    return GW_OK;
}

/* The verdict with and without a callback, which take different ways; they must agree. */
static enum gw_err verdict(struct gw_str text, struct gw_json_error *error)
{
    struct gw_str copy = exact_copy(text);
    size_t count = 0;
    enum gw_err with = gw_json_scan(copy, count_member, &count, NULL, error);
    struct gw_json_error other = {0};
    enum gw_err without = gw_json_scan(copy, NULL, NULL, NULL, &other);
    assert_int_equal(with, without);
    if (with != GW_OK) {
        assert_int_equal(error->offset, other.offset);
        assert_string_equal(error->what, other.what);
        assert_true(error->what[0] != '\0');
        assert_true(error->offset <= text.len);
    }
    free((void *)(uintptr_t)copy.ptr);
    return with;
}

static void test_valid(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_ARRAY_LEN(valid); i++) {
        struct gw_json_error error = {0};
        enum gw_err err = verdict(valid[i], &error);
        if (err != GW_OK) {
            fail_msg("case %zu (%.*s): %s at %zu", i, (int)valid[i].len, valid[i].ptr, error.what,
                     error.offset);
        }
        assert_true(is_valid_for_yyjson(valid[i]));
    }
}

static void test_invalid(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_ARRAY_LEN(invalid); i++) {
        struct gw_json_error error = {0};
        if (verdict(invalid[i], &error) != GW_ERR_INVALID) {
            fail_msg("case %zu passed: %.*s", i, (int)invalid[i].len, invalid[i].ptr);
        }
        assert_false(is_valid_for_yyjson(invalid[i]));
    }
}

static void test_lone_surrogates_pass(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_ARRAY_LEN(lone_surrogates); i++) {
        struct gw_json_error error = {0};
        assert_int_equal(verdict(lone_surrogates[i], &error), GW_OK);
        assert_false(is_valid_for_yyjson(lone_surrogates[i]));
    }
}

/* Every beginning of a valid object or array is incomplete, and says so at its end. */
static void test_every_truncation(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_ARRAY_LEN(valid); i++) {
        struct gw_str text = valid[i];
        while (text.len > 0 && strchr(" \t\r\n", text.ptr[text.len - 1]) != NULL) {
            text.len--;
        }
        if (text.ptr[text.len - 1] != '}' && text.ptr[text.len - 1] != ']') {
            continue;
        }
        for (size_t len = 0; len < text.len; len++) {
            struct gw_json_error error = {0};
            assert_int_equal(verdict(gw_str(text.ptr, len), &error), GW_ERR_INVALID);
            assert_int_equal(error.offset, len);
        }
    }
}

/* One wrong byte put at every place of a long plain string is found there, whatever its place in a
 * machine word. */
static void test_every_alignment_of_a_wrong_byte(void **state)
{
    (void)state;
    static const char wrong[] = {'\n', '\0', '\x1f', '\x80', '\xff', '\xc0'};
    char text[64];
    for (size_t w = 0; w < sizeof(wrong); w++) {
        for (size_t at = 1; at < sizeof(text) - 1; at++) {
            memset(text, '~', sizeof(text));
            text[0] = '"';
            text[sizeof(text) - 1] = '"';
            text[at] = wrong[w];
            struct gw_json_error error = {0};
            assert_int_equal(verdict(gw_str(text, sizeof(text)), &error), GW_ERR_INVALID);
            assert_int_equal(error.offset, at);
        }
    }
}

/* The closing quote is found at every length, with each neighbour of the special bytes around it.
 */
static void test_every_length_of_a_string(void **state)
{
    (void)state;
    static const char fillers[] = {' ', '!', '#', '[', ']', '\x7f', '~'};
    char text[64];
    for (size_t f = 0; f < sizeof(fillers); f++) {
        for (size_t len = 2; len <= sizeof(text); len++) {
            memset(text, fillers[f], len);
            text[0] = '"';
            text[len - 1] = '"';
            struct gw_json_error error = {0};
            assert_int_equal(verdict(gw_str(text, len), &error), GW_OK);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),
        cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_lone_surrogates_pass),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_every_alignment_of_a_wrong_byte),
        cmocka_unit_test(test_every_length_of_a_string),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
