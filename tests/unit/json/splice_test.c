/* SPDX-License-Identifier: MIT */
/* What was not edited stays byte for byte; what was edited stands where it belongs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "json/scan.h"
#include "json/splice.h"

/* Joins the runs and compares; also checks the length, the number of runs, and that unedited runs
 * are the original's bytes. */
static void assert_result(const struct gw_json_splice *splice, const char *expected)
{
    struct gw_str runs[GW_JSON_MAX_RUNS];
    size_t count = gw_json_splice_runs(splice, runs);
    assert_true(count <= GW_JSON_MAX_RUNS);
    char joined[1024];
    size_t len = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(runs[i].len > 0);
        assert_true(len + runs[i].len < sizeof(joined));
        memcpy(joined + len, runs[i].ptr, runs[i].len);
        len += runs[i].len;
    }
    joined[len] = '\0';
    assert_string_equal(joined, expected);
    assert_int_equal(gw_json_splice_len(splice), len);
}

static struct gw_str value_of(struct gw_str text, const char *path)
{
    struct gw_json_member member;
    assert_true(gw_json_find(text, gw_str_from_c(path), &member));
    return member.value;
}

static void test_no_edit_is_the_original(void **state)
{
    (void)state;
    struct gw_json_splice splice;
    struct gw_str runs[GW_JSON_MAX_RUNS];
    struct gw_str text = GW_STR("{ \"a\" : 1.0 }");
    gw_json_splice_init(&splice, text);
    assert_int_equal(gw_json_splice_runs(&splice, runs), 1);
    assert_ptr_equal(runs[0].ptr, text.ptr);
    assert_result(&splice, "{ \"a\" : 1.0 }");
    gw_json_splice_init(&splice, gw_str(NULL, 0));
    assert_int_equal(gw_json_splice_runs(&splice, runs), 0);
    assert_int_equal(gw_json_splice_len(&splice), 0);
}

static void test_replace_keeps_every_other_byte(void **state)
{
    (void)state;
    struct gw_str text =
        GW_STR("{ \"model\" :\t\"gpt\\u002d4o\",\r\n\"t\": 1.50E+0, \"x\":\"\\/\" }\n");
    struct gw_json_splice splice;
    gw_json_splice_init(&splice, text);
    assert_int_equal(
        gw_json_splice_replace(&splice, value_of(text, "model"), GW_STR("\"gpt-4o-mini\"")), GW_OK);
    assert_result(&splice, "{ \"model\" :\t\"gpt-4o-mini\",\r\n\"t\": 1.50E+0, \"x\":\"\\/\" }\n");
}

static void test_edits_in_any_order(void **state)
{
    (void)state;
    struct gw_str text = GW_STR("{\"a\":1,\"b\":2,\"c\":{\"d\":3}}");
    static const char *const paths[] = {"a", "b", "c.d"};
    static const unsigned char orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                              {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    static const struct gw_str values[] = {GW_STR_INIT("\"A\""), GW_STR_INIT("null"),
                                           GW_STR_INIT("[]")};
    for (size_t i = 0; i < GW_ARRAY_LEN(orders); i++) {
        struct gw_json_splice splice;
        gw_json_splice_init(&splice, text);
        for (size_t k = 0; k < 3; k++) {
            size_t which = orders[i][k];
            assert_int_equal(
                gw_json_splice_replace(&splice, value_of(text, paths[which]), values[which]),
                GW_OK);
        }
        assert_int_equal(gw_json_splice_add_member(&splice, text, GW_STR(",\"e\":4")), GW_OK);
        assert_int_equal(
            gw_json_splice_add_member(&splice, value_of(text, "c"), GW_STR(",\"f\":5")), GW_OK);
        assert_result(&splice, "{\"a\":\"A\",\"b\":null,\"c\":{\"d\":[],\"f\":5},\"e\":4}");
    }
}

static void test_add_member(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *one;
        const char *two;
    } cases[] = {
        {"{}", "{\"k\":1}", "{\"k\":1,\"l\":2}"},
        {" { \n } ", " {\"k\":1 \n } ", " {\"k\":1,\"l\":2 \n } "},
        {"{\"a\":0}", "{\"a\":0,\"k\":1}", "{\"a\":0,\"k\":1,\"l\":2}"},
        {"{\n  \"a\": 0\n}\n", "{\n  \"a\": 0,\"k\":1\n}\n", "{\n  \"a\": 0,\"k\":1,\"l\":2\n}\n"},
        {"{\"a\":{}}", "{\"a\":{},\"k\":1}", "{\"a\":{},\"k\":1,\"l\":2}"},
        {"{\"a\":\"}\"}", "{\"a\":\"}\",\"k\":1}", "{\"a\":\"}\",\"k\":1,\"l\":2}"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_str text = gw_str_from_c(cases[i].text);
        struct gw_json_splice splice;
        gw_json_splice_init(&splice, text);
        assert_int_equal(gw_json_splice_add_member(&splice, text, GW_STR(",\"k\":1")), GW_OK);
        assert_result(&splice, cases[i].one);
        assert_int_equal(gw_json_splice_add_member(&splice, text, GW_STR(",\"l\":2")), GW_OK);
        assert_result(&splice, cases[i].two);
    }
}

static void test_add_member_beside_replacements(void **state)
{
    (void)state;
    struct gw_str text = GW_STR("{\"stream_options\":{},\"m\":\"x\"}");
    struct gw_json_splice splice;
    gw_json_splice_init(&splice, text);
    assert_int_equal(gw_json_splice_add_member(&splice, text, GW_STR(",\"n\":1")), GW_OK);
    assert_int_equal(gw_json_splice_replace(&splice, value_of(text, "m"), GW_STR("\"longer\"")),
                     GW_OK);
    assert_int_equal(gw_json_splice_add_member(&splice, value_of(text, "stream_options"),
                                               GW_STR(",\"include_usage\":true")),
                     GW_OK);
    assert_result(&splice,
                  "{\"stream_options\":{\"include_usage\":true},\"m\":\"longer\",\"n\":1}");
}

static void test_empty_replacement_removes(void **state)
{
    (void)state;
    struct gw_str text = GW_STR("abcdef");
    struct gw_json_splice splice;
    gw_json_splice_init(&splice, text);
    assert_int_equal(gw_json_splice_replace(&splice, gw_str(text.ptr, 2), GW_STR("")), GW_OK);
    assert_int_equal(gw_json_splice_replace(&splice, gw_str(text.ptr + 4, 2), GW_STR("")), GW_OK);
    assert_int_equal(gw_json_splice_replace(&splice, gw_str(text.ptr + 2, 0), GW_STR("<")), GW_OK);
    assert_int_equal(gw_json_splice_replace(&splice, gw_str(text.ptr + 4, 0), GW_STR(">")), GW_OK);
    assert_result(&splice, "<cd>");
}

static void test_overlaps_are_refused(void **state)
{
    (void)state;
    struct gw_str text = GW_STR("{\"a\":{\"b\":1},\"c\":2}");
    struct gw_str a = value_of(text, "a");
    struct gw_str b = value_of(text, "a.b");
    struct gw_json_splice splice;
    gw_json_splice_init(&splice, text);
    assert_int_equal(gw_json_splice_replace(&splice, a, GW_STR("0")), GW_OK);
    assert_int_equal(gw_json_splice_replace(&splice, a, GW_STR("0")), GW_ERR_INVALID);
    assert_int_equal(gw_json_splice_replace(&splice, b, GW_STR("0")), GW_ERR_INVALID);
    assert_int_equal(gw_json_splice_add_member(&splice, a, GW_STR(",\"x\":1")), GW_ERR_INVALID);
    assert_int_equal(gw_json_splice_replace(&splice, text, GW_STR("0")), GW_ERR_INVALID);
    assert_result(&splice, "{\"a\":0,\"c\":2}");
    gw_json_splice_init(&splice, text);
    assert_int_equal(gw_json_splice_replace(&splice, b, GW_STR("0")), GW_OK);
    assert_int_equal(gw_json_splice_replace(&splice, a, GW_STR("0")), GW_ERR_INVALID);
    assert_result(&splice, "{\"a\":{\"b\":0},\"c\":2}");
}

static void test_foreign_spans_are_refused(void **state)
{
    (void)state;
    static const char bytes[] = "##{\"a\":1}##";
    struct gw_str text = gw_str(bytes + 2, 7);
    struct gw_json_splice splice;
    gw_json_splice_init(&splice, text);
    struct gw_str replacement = GW_STR("0");
    assert_int_equal(gw_json_splice_replace(&splice, gw_str(bytes + 1, 2), replacement),
                     GW_ERR_INVALID);
    assert_int_equal(gw_json_splice_replace(&splice, gw_str(bytes + 8, 2), replacement),
                     GW_ERR_INVALID);
    assert_int_equal(gw_json_splice_replace(&splice, gw_str(bytes + 10, 0), replacement),
                     GW_ERR_INVALID);
    assert_int_equal(gw_json_splice_replace(&splice, gw_str(bytes + 2, SIZE_MAX), replacement),
                     GW_ERR_INVALID);
    assert_int_equal(gw_json_splice_add_member(&splice, GW_STR("{}"), GW_STR(",\"x\":1")),
                     GW_ERR_INVALID);
    assert_int_equal(gw_json_splice_add_member(&splice, GW_STR("[]"), GW_STR(",\"x\":1")),
                     GW_ERR_INVALID);
    assert_int_equal(gw_json_splice_add_member(&splice, GW_STR(""), GW_STR(",\"x\":1")),
                     GW_ERR_INVALID);
    assert_int_equal(splice.count, 0);
}

static void test_limit_of_edits(void **state)
{
    (void)state;
    char bytes[2 * GW_JSON_MAX_EDITS + 2];
    memset(bytes, '.', sizeof(bytes));
    struct gw_json_splice splice;
    gw_json_splice_init(&splice, gw_str(bytes, sizeof(bytes)));
    for (size_t i = 0; i < GW_JSON_MAX_EDITS; i++) {
        assert_int_equal(
            gw_json_splice_replace(&splice, gw_str(bytes + 2 * i + 1, 1), GW_STR("xy")), GW_OK);
    }
    assert_int_equal(gw_json_splice_replace(&splice, gw_str(bytes, 1), GW_STR("z")),
                     GW_ERR_TOO_LARGE);
    struct gw_str runs[GW_JSON_MAX_RUNS];
    assert_int_equal(gw_json_splice_runs(&splice, runs), GW_JSON_MAX_RUNS);
    assert_result(&splice, ".xy.xy.xy.xy.xy.xy.xy.xy..");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_edit_is_the_original),
        cmocka_unit_test(test_replace_keeps_every_other_byte),
        cmocka_unit_test(test_edits_in_any_order),
        cmocka_unit_test(test_add_member),
        cmocka_unit_test(test_add_member_beside_replacements),
        cmocka_unit_test(test_empty_replacement_removes),
        cmocka_unit_test(test_overlaps_are_refused),
        cmocka_unit_test(test_foreign_spans_are_refused),
        cmocka_unit_test(test_limit_of_edits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
