/* SPDX-License-Identifier: MIT */
/* Patterns of ECMA-262 that match and that do not, and those that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "json/schema_regex.h"

struct match_case {
    const char *pattern;
    const char *matching; /* NULL: none */
    const char *other;    /* NULL: none */
};

static enum gw_schema_match match(const char *pattern, const char *text)
{
    struct gw_schema_regex *regex = NULL;
    struct gw_schema_matcher *matcher = NULL;
    const char *why = NULL;
    if (gw_schema_regex_create(gw_str_from_c(pattern), &regex, &why) != GW_OK) {
        fail_msg("%s: %s", pattern, why);
    }
    enum gw_schema_match result =
        gw_schema_regex_match(regex, gw_str_from_c(text), GW_SCHEMA_HARD, &matcher);
    gw_schema_matcher_destroy(&matcher);
    gw_schema_regex_destroy(&regex);
    return result;
}

static void test_matches(void **state)
{
    (void)state;
    static const struct match_case cases[] = {
        {"", "", NULL},
        {"^$", "", "a"},
        {"a.c", "xabcx", "a\nc"},
        {"a.c",
         "a\xe2\x82\xac"
         "c",
         "a\xe2\x80\xa8"
         "c"},
        {"^a$", "a", "a\n"},
        {"^[a-z0-9_.-]+$", "a-b_c.9", "a b"},
        {"^[\\w-.]+$", "a-b.c", "a,b"},
        {"^[.-\\w]+$", "a-b.c", "a,b"},
        {"^[\\s-x]+$", "\t-x", "w"},
        {"[^]", "\n", ""},
        {"[]", NULL, "a"},
        {"^[[:alpha:]]$", "a]", "bb"},
        {"^[\\]a]$", "]", "b"},
        {"^[\\b]$", "\b", "b"},
        {"\\bfoo\\b", "a foo b", "afoob"},
        {"^\\d{3}$", "123", "12"},
        {"^a{2,}$", "aaa", "a"},
        {"^a{2,3}?$", "aa", "aaaa"},
        {"^a{,2}$", "a{,2}", "aa"},
        {"^{a}$", "{a}", "a"},
        {"^a{1$", "a{1", "a"},
        {"^(?:a|b)+?$", "abab", "c"},
        {"^(a)(b)\\2\\1$", "abba", "abab"},
        {"^(?<x>a+)-\\k<x>$", "aa-aa", "aa-a"},
        {"a(?=b)", "ab", "ac"},
        {"a(?!b)", "ac", "ab"},
        {"(?<=a)b", "ab", "cb"},
        {"(?<!a)b", "cb", "ab"},
        {"^\\x41\\u0042\\u{43}\\u{1F600}$", "ABC\xf0\x9f\x98\x80", "ABC"},
        {"^\\ud83d\\ude00$", "\xf0\x9f\x98\x80", "x"},
        {"^\\cJ\\0?$", "\n", "J"},
        {"^\\t\\n\\v\\f\\r$", "\t\n\v\f\r", "tnvfr"},
        {"^\\s$", "\xc2\xa0", "x"},
        {"^\\S$", "x", "\xe2\x80\x83"},
        {"^\\p{L}\\p{Letter}\\p{Lu}$", "aaA", "aaa"},
        {"^\\P{Letter}$", "1", "a"},
        {"^\\p{Script=Greek}\\p{sc=Greek}\\p{scx=Greek}$", "\xcf\x80\xcf\x80\xcf\x80", "aaa"},
        {"^\\p{gc=Nd}[\\p{General_Category=Decimal_Number}_]$", "1_", "a_"},
        {"^\\/\\.\\*\\-\\_\\@$", "/.*-_@", "a"},
        {"^sk-[A-Za-z0-9]{20,}$", "sk-abcdefghij0123456789", "sk-abc"},
        {"]", "]", "["},
        {"#x y", "a#x y", "axy"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        if (cases[i].matching != NULL &&
            match(cases[i].pattern, cases[i].matching) != GW_SCHEMA_MATCH_YES) {
            fail_msg("%s does not match %s", cases[i].pattern, cases[i].matching);
        }
        if (cases[i].other != NULL &&
            match(cases[i].pattern, cases[i].other) != GW_SCHEMA_MATCH_NO) {
            fail_msg("%s matches %s", cases[i].pattern, cases[i].other);
        }
        assert_true(gw_schema_regex_is_valid(gw_str_from_c(cases[i].pattern)));
    }
}

/* Nothing that only PCRE2 knows gets through, least of all what starts with a verb. */
static void test_what_is_no_pattern(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "(*UTF)a",
        "(*LIMIT_MATCH=1000000000)a",
        "(?R)",
        "(?1)",
        "(?i)a",
        "(?i:a)",
        "(?>a)",
        "(?|a)",
        "(?#x)",
        "(?P<x>a)",
        "(?P=x)",
        "(?'x'a)",
        "(?<>a)",
        "(?<x",
        "(?<a)(*ACCEPT)>b)",
        "a++",
        "a*+",
        "a?+",
        "a**",
        "a{2}{3}",
        "a{2}+",
        "*a",
        "+",
        "?",
        "{2}",
        "a|*",
        "^*",
        "(*",
        "(+a)",
        "(",
        ")",
        "a)",
        "(a",
        "[a",
        "[",
        "[z-a]",
        "\\",
        "\\Z",
        "\\A",
        "\\a",
        "\\e",
        "\\Q.*\\E",
        "\\R",
        "\\X",
        "\\C",
        "\\K",
        "\\G",
        "\\h",
        "\\N",
        "\\u12",
        "\\u{110000}",
        "\\u{}",
        "\\u{12",
        "\\ud83d",
        "\\ude00",
        "\\ud83d\\u0041",
        "\\x4",
        "\\xg0",
        "\\c1",
        "\\c",
        "\\p",
        "\\pL",
        "\\p{L",
        "\\p{}",
        "\\p{Nope}",
        "\\p{x=y}",
        "\\p{^L}",
        "\\k",
        "\\k<>",
        "\\k<x>",
        "\\1",
        "(a)\\2",
        "\\01",
        "[\\B]",
        "[\\k<x>]",
        "\\g{1}",
        "a{3,2}",
        "a{99999}",
        "(?<x>a)(?<x>b)",
        "\xff",
        "[\xc3]",
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_schema_regex *regex = NULL;
        const char *why = NULL;
        if (gw_schema_regex_create(gw_str_from_c(cases[i]), &regex, &why) != GW_ERR_INVALID) {
            fail_msg("%s was taken", cases[i]);
        }
        assert_non_null(why);
        assert_null(regex);
        assert_false(gw_schema_regex_is_valid(gw_str_from_c(cases[i])));
    }
}

static void test_limits(void **state)
{
    (void)state;
    static char longest[GW_SCHEMA_PATTERN_MAX_BYTES + 1];
    struct gw_schema_regex *regex = NULL;
    const char *why = NULL;
    memset(longest, 'a', sizeof(longest));
    assert_int_equal(gw_schema_regex_create(gw_str(longest, sizeof(longest)), &regex, &why),
                     GW_ERR_INVALID);
    assert_string_equal(why, "too long");
    assert_int_equal(gw_schema_regex_create(gw_str(longest, sizeof(longest) - 1), &regex, &why),
                     GW_OK);
    gw_schema_regex_destroy(&regex);
    /* Many groups in each other: PCRE2's own limit of nesting. */
    memset(longest, '(', sizeof(longest));
    assert_int_equal(gw_schema_regex_create(gw_str(longest, 2000), &regex, &why), GW_ERR_INVALID);
    assert_int_equal(match("^(a|aa)+$", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"),
                     GW_SCHEMA_MATCH_TOO_HARD);
    /* A long text alone is no reason to give up. */
    static char text[1 << 20];
    memset(text, 'a', sizeof(text) - 1);
    assert_int_equal(match("^[a-z]+$", text), GW_SCHEMA_MATCH_YES);
    assert_int_equal(match("^a.*b$", text), GW_SCHEMA_MATCH_NO);
    struct gw_schema_matcher *matcher = NULL;
    assert_int_equal(gw_schema_regex_create(GW_STR("^a.*b$"), &regex, &why), GW_OK);
    assert_int_equal(gw_schema_regex_match(regex, gw_str_from_c(text), GW_SCHEMA_EASY, &matcher),
                     GW_SCHEMA_MATCH_NO);
    gw_schema_regex_destroy(&regex);
    assert_int_equal(gw_schema_regex_create(GW_STR("a"), &regex, &why), GW_OK);
    assert_int_equal(gw_schema_regex_match(regex, gw_str(NULL, 0), GW_SCHEMA_HARD, &matcher),
                     GW_SCHEMA_MATCH_NO);
    assert_int_equal(gw_schema_regex_match(regex, GW_STR("\xff"), GW_SCHEMA_HARD, &matcher),
                     GW_SCHEMA_MATCH_TOO_HARD);
    gw_schema_matcher_destroy(&matcher);
    gw_schema_regex_destroy(&regex);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    bool succeeded = false;
    for (uint64_t nth = 1; nth < 50 && !succeeded; nth++) {
        struct gw_schema_regex *regex = NULL;
        struct gw_schema_matcher *matcher = NULL;
        const char *why = NULL;
        gw_alloc_fail_at(nth);
        enum gw_err err = gw_schema_regex_create(GW_STR("^a+$"), &regex, &why);
        enum gw_schema_match result = GW_SCHEMA_MATCH_TOO_HARD;
        if (err == GW_OK) {
            result = gw_schema_regex_match(regex, GW_STR("aaa"), GW_SCHEMA_HARD, &matcher);
        }
        gw_alloc_fail_at(0);
        assert_true(err == GW_OK || err == GW_ERR_NOMEM);
        succeeded = err == GW_OK && result == GW_SCHEMA_MATCH_YES;
        assert_true(err != GW_OK || result != GW_SCHEMA_MATCH_NO);
        gw_schema_matcher_destroy(&matcher);
        gw_schema_regex_destroy(&regex);
    }
    assert_true(succeeded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_what_is_no_pattern),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
