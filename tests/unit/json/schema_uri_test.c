/* SPDX-License-Identifier: MIT */
/* The examples of RFC 3986 section 5.4, and what schemas use: urn:, empty bases, escapes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "json/schema_uri.h"

static void assert_resolves(struct gw_arena *arena, const char *base, const char *reference,
                            const char *expected)
{
    struct gw_str result =
        gw_schema_uri_resolve(arena, gw_str_from_c(base), gw_str_from_c(reference));
    if (!gw_str_eq(result, gw_str_from_c(expected))) {
        fail_msg("%s + %s: \"%.*s\" is not \"%s\"", base, reference, (int)result.len, result.ptr,
                 expected);
    }
}

/* The fragment is always left out; the RFC's examples are adjusted for that. */
static void test_examples_of_the_rfc(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"g:h", "g:h"},
        {"g", "http://a/b/c/g"},
        {"./g", "http://a/b/c/g"},
        {"g/", "http://a/b/c/g/"},
        {"/g", "http://a/g"},
        {"//g", "http://g"},
        {"?y", "http://a/b/c/d;p?y"},
        {"g?y", "http://a/b/c/g?y"},
        {"#s", "http://a/b/c/d;p?q"},
        {"g#s", "http://a/b/c/g"},
        {"g?y#s", "http://a/b/c/g?y"},
        {";x", "http://a/b/c/;x"},
        {"g;x", "http://a/b/c/g;x"},
        {"g;x?y#s", "http://a/b/c/g;x?y"},
        {"", "http://a/b/c/d;p?q"},
        {".", "http://a/b/c/"},
        {"./", "http://a/b/c/"},
        {"..", "http://a/b/"},
        {"../", "http://a/b/"},
        {"../g", "http://a/b/g"},
        {"../..", "http://a/"},
        {"../../", "http://a/"},
        {"../../g", "http://a/g"},
        {"../../../g", "http://a/g"},
        {"../../../../g", "http://a/g"},
        {"/./g", "http://a/g"},
        {"/../g", "http://a/g"},
        {"g.", "http://a/b/c/g."},
        {".g", "http://a/b/c/.g"},
        {"g..", "http://a/b/c/g.."},
        {"..g", "http://a/b/c/..g"},
        {"./../g", "http://a/b/g"},
        {"./g/.", "http://a/b/c/g/"},
        {"g/./h", "http://a/b/c/g/h"},
        {"g/../h", "http://a/b/c/h"},
        {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
        {"g;x=1/../y", "http://a/b/c/y"},
        {"g?y/./x", "http://a/b/c/g?y/./x"},
        {"g?y/../x", "http://a/b/c/g?y/../x"},
        {"http:g", "http:g"},
    };
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 4096, 1 << 20);
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        assert_resolves(&arena, "http://a/b/c/d;p?q", cases[i][0], cases[i][1]);
    }
    gw_arena_fini(&arena);
}

static void test_bases_of_schemas(void **state)
{
    (void)state;
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 4096, 1 << 20);
    assert_resolves(&arena, "", "", "");
    assert_resolves(&arena, "", "#a", "");
    assert_resolves(&arena, "", "a.json", "a.json");
    assert_resolves(&arena, "", "./a.json", "a.json");
    assert_resolves(&arena, "", "../a.json", "a.json");
    assert_resolves(&arena, "", "/a.json", "/a.json");
    assert_resolves(&arena, "folder/a.json", "b.json#/x", "folder/b.json");
    assert_resolves(&arena, "https://example.com", "a.json", "https://example.com/a.json");
    assert_resolves(&arena, "https://example.com?q", "#x", "https://example.com?q");
    assert_resolves(&arena, "urn:uuid:1", "#x", "urn:uuid:1");
    assert_resolves(&arena, "https://a/b", "urn:uuid:1#x", "urn:uuid:1");
    assert_resolves(&arena, "file:///a/b", "c", "file:///a/c");
    assert_resolves(&arena, "https://a/b", "c:d", "c:d");
    assert_resolves(&arena, "https://a/b", "1:d", "https://a/1:d");
    struct gw_str nothing = gw_schema_uri_resolve(&arena, gw_str(NULL, 0), gw_str(NULL, 0));
    assert_int_equal(nothing.len, 0);
    assert_non_null(nothing.ptr);
    gw_arena_fini(&arena);
}

static void test_limits(void **state)
{
    (void)state;
    static char longest[70000];
    struct gw_arena arena;
    memset(longest, 'a', sizeof(longest));
    gw_arena_init(&arena, NULL, 0, 4096, 1 << 20);
    struct gw_str result =
        gw_schema_uri_resolve(&arena, GW_STR("http://a/b"), gw_str(longest, sizeof(longest)));
    assert_null(result.ptr);
    gw_arena_fini(&arena);
    gw_arena_init(&arena, NULL, 0, 16, 16);
    assert_null(gw_schema_uri_resolve(&arena, GW_STR("http://a/b"), GW_STR("cdefghijklmn")).ptr);
    assert_null(gw_schema_uri_unescape(&arena, GW_STR("cdefghijklmnopqrstuvwxyz")).ptr);
    gw_arena_fini(&arena);
}

static void test_parts(void **state)
{
    (void)state;
    struct gw_schema_uri uri = gw_schema_uri_split(GW_STR("http://u@h:1/p/q?x?y#f#g"));
    assert_true(gw_str_eq(uri.scheme, GW_STR("http")));
    assert_true(gw_str_eq(uri.authority, GW_STR("u@h:1")));
    assert_true(gw_str_eq(uri.path, GW_STR("/p/q")));
    assert_true(gw_str_eq(uri.query, GW_STR("x?y")));
    assert_true(gw_str_eq(uri.fragment, GW_STR("f#g")));
    uri = gw_schema_uri_split(GW_STR("a/b:c"));
    assert_null(uri.scheme.ptr);
    assert_null(uri.authority.ptr);
    assert_null(uri.query.ptr);
    assert_null(uri.fragment.ptr);
    assert_true(gw_str_eq(uri.path, GW_STR("a/b:c")));
}

static void test_unescape(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},       {"abc", "abc"},   {"%41%4a", "AJ"},   {"a%25b", "a%b"},
        {"%", "%"},     {"%4", "%4"},     {"%zz%41", "%zzA"}, {"%c3%a9", "\xc3\xa9"},
        {"%7E0", "~0"}, {"100%", "100%"},
    };
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 4096, 1 << 20);
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_str result = gw_schema_uri_unescape(&arena, gw_str_from_c(cases[i][0]));
        assert_true(gw_str_eq(result, gw_str_from_c(cases[i][1])));
    }
    gw_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_examples_of_the_rfc),
        cmocka_unit_test(test_bases_of_schemas),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_unescape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
