/* SPDX-License-Identifier: MIT */
/* config/environment, dotenv and interpolate: where values come from and how they are put in. */
#include "config/environment_int.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "config/interpolate_int.h"

static const char *const process[] = {
    "SET=value",   "EMPTY=",          "OTHER=o",    "P_KEY=main", "P_KEY_10=ten",
    "P_KEY_2=two", "P_KEY_EAST=east", "P_KEYS=a,b", "SETX=no",    NULL,
};

static struct gw_arena arena;
static struct gw_config_report report;
static struct gw_environment env;

static int setup(void **state)
{
    (void)state;
    gw_arena_init(&arena, NULL, 0, 4096, 64u << 20);
    gw_report_init(&report);
    gw_environment_init(&env, &arena, process);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    gw_arena_fini(&arena);
    gw_config_report_fini(&report);
    return 0;
}

static void assert_var(const char *name, const char *expected)
{
    struct gw_str value = {0};
    bool is_set = gw_environment_get(&env, gw_str_from_c(name), &value);
    if (expected == NULL) {
        assert_false(is_set);
        return;
    }
    assert_true(is_set);
    if (!gw_str_eq(value, gw_str_from_c(expected))) {
        fail_msg("%s is \"%.*s\", expected \"%s\"", name, GW_STR_ARG(value), expected);
    }
}

static void assert_resolved(const char *text, const char *expected)
{
    struct gw_interpolation result;
    enum gw_err err =
        gw_interpolate(gw_str_from_c(text), gw_environment_lookup, &env, &arena, &result);
    if (err != GW_OK || !gw_str_eq(result.text, gw_str_from_c(expected))) {
        fail_msg("\"%s\" gives %s \"%.*s\", expected \"%s\"", text, gw_err_name(err),
                 GW_STR_ARG(result.text), expected);
    }
    assert_int_equal(result.changed, strcmp(text, expected) != 0);
}

static void assert_missing(const char *text, const char *name)
{
    struct gw_interpolation result;
    assert_int_equal(
        gw_interpolate(gw_str_from_c(text), gw_environment_lookup, &env, &arena, &result),
        GW_ERR_NOT_FOUND);
    assert_true(gw_str_eq(result.missing, gw_str_from_c(name)));
    assert_true(gw_str_eq(result.text, gw_str_from_c(text)));
}

static void references_are_resolved(void **state)
{
    (void)state;
    assert_resolved("${SET}", "value");
    assert_resolved("a${SET}b${OTHER}", "avaluebo");
    assert_resolved("os.environ/SET", "value");
    assert_resolved("${NONE:-default}", "default");
    assert_resolved("${EMPTY:-default}", "default");
    assert_resolved("${SET:-default}", "value");
    assert_resolved("${EMPTY}", "");
    assert_resolved("os.environ/EMPTY", "");
    assert_resolved("${NONE:-}", "");
    assert_resolved("${NONE:-${SET}}", "value");
    assert_resolved("${NONE:-${NONE2:-x}y}z", "xyz");
    assert_resolved("$${SET}", "${SET}");
    assert_resolved("${NONE:-http://h:1/a}", "http://h:1/a");
}

static void what_is_no_reference_stays(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "plain",
        "$5",
        "$",
        "${",
        "${SET",
        "${}",
        "${a b}",
        "${1A}",
        "$SET",
        "a$b$",
        "${SET:+x}",
        "os.environ/",
        "x os.environ/SET",
        "os.environ/SET x",
        "${SET?}",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_resolved(texts[i], texts[i]);
    }
}

static void missing_variables_are_named(void **state)
{
    (void)state;
    assert_missing("${NONE}", "NONE");
    assert_missing("os.environ/NONE", "NONE");
    assert_missing("${SET}${NONE}${NONE2}", "NONE");
    assert_missing("${NONE:-${NONE2}}", "NONE2");
}

static void references_are_bounded(void **state)
{
    (void)state;
    struct gw_interpolation result;
    assert_int_equal(gw_interpolate(GW_STR("${N:-${N:-${N:-${N:-${N:-${N:-x}}}}}}"),
                                    gw_environment_lookup, &env, &arena, &result),
                     GW_ERR_TOO_DEEP);
    size_t size = GW_INTERPOLATE_MAX_BYTES;
    char *large = gw_alloc(size + 8);
    memset(large, 'x', size);
    memcpy(large + size, "${SET}", 6);
    assert_int_equal(
        gw_interpolate(gw_str(large, size + 6), gw_environment_lookup, &env, &arena, &result),
        GW_ERR_TOO_LARGE);
    gw_free(large);
}

static void dotenv_lines_are_read(void **state)
{
    (void)state;
    static const char text[] = "\xef\xbb\xbf# comment\n"
                               "A=1\r\n"
                               "export B = two words  # comment\n"
                               "C='as ${SET} \\n stands' # c\n"
                               "D=\"line\\n${SET} \\\"q\\\" \\${SET}\"\n"
                               "E=\"two\n"
                               "lines\"\n"
                               "F=no#comment\n"
                               "G=\n"
                               "\n"
                               "  H=${A}-${E:-x}\n"
                               "I=${NOWHERE}\n"
                               "this is no line\n"
                               "J='unclosed\n"
                               "A=2\n"
                               "SET=overridden?\n"
                               "K=last";
    assert_int_equal(gw_environment_add_dotenv(&env, GW_STR(text), GW_STR(".env"), &report), GW_OK);
    assert_var("A", "2");
    assert_var("B", "two words");
    assert_var("C", "as ${SET} \\n stands");
    assert_var("D", "line\nvalue \"q\" ${SET}");
    assert_var("E", "two\nlines");
    assert_var("F", "no#comment");
    assert_var("G", "");
    assert_var("H", "1-two\nlines");
    assert_var("I", "");
    assert_var("J", NULL);
    assert_var("K", "last");
    assert_var("SET", "value"); /* the process's own value stays */
    assert_int_equal(report.error_count, 0);
    assert_int_equal(report.count, 3);
    assert_int_equal(report.issues[0].line, 12);
    assert_int_equal(report.issues[1].line, 13);
    assert_int_equal(report.issues[2].line, 14);
}

static void every_prefix_of_a_dotenv_ends_well(void **state)
{
    (void)state;
    static const char text[] = "export A=\"x\\\n${SET} \"\nB='y'\nC=z # c\n=\n\"\0=\n";
    for (size_t len = 0; len < sizeof(text); len++) {
        char *copy = gw_strndup(text, len);
        assert_int_equal(
            gw_environment_add_dotenv(&env, gw_str(copy, len), GW_STR(".env"), &report), GW_OK);
        gw_free(copy);
    }
}

static void the_file_wins_over_the_process_over_dotenv(void **state)
{
    (void)state;
    assert_int_equal(gw_environment_override(&env, GW_STR("OTHER"), GW_STR("file")), GW_OK);
    assert_int_equal(gw_environment_add_dotenv(&env, GW_STR("OTHER=dot\nNEW=dot\nSET=dot"),
                                               GW_STR(".env"), &report),
                     GW_OK);
    assert_var("OTHER", "file");
    assert_var("SET", "value");
    assert_var("NEW", "dot");
    assert_var("NONE", NULL);
    assert_var("", NULL);
    assert_var("SE", NULL);
    struct gw_str name = {0};
    struct gw_str value = {0};
    assert_true(gw_environment_get_first(&env, "NONE EMPTY NEW SET", &name, &value));
    assert_true(gw_str_eq(name, GW_STR("NEW")));
    assert_false(gw_environment_get_first(&env, "NONE EMPTY", &name, &value));
}

static void names_with_a_prefix_are_listed_in_order(void **state)
{
    (void)state;
    assert_int_equal(gw_environment_override(&env, GW_STR("P_KEY_2"), GW_STR("file")), GW_OK);
    assert_int_equal(
        gw_environment_add_dotenv(&env, GW_STR("P_KEY_3=x\nP_KEY_10=y"), GW_STR(".env"), &report),
        GW_OK);
    struct gw_variable_list list;
    assert_int_equal(gw_environment_with_prefix(&env, GW_STR("P_KEY_"), &arena, &list), GW_OK);
    static const char *const expected[][2] = {
        {"P_KEY_2", "file"}, {"P_KEY_3", "x"}, {"P_KEY_10", "ten"}, {"P_KEY_EAST", "east"}};
    assert_int_equal(list.count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_true(gw_str_eq(list.items[i].name, gw_str_from_c(expected[i][0])));
        assert_true(gw_str_eq(list.items[i].value, gw_str_from_c(expected[i][1])));
    }
    assert_int_equal(gw_environment_with_prefix(&env, GW_STR("NONE_"), &arena, &list), GW_OK);
    assert_int_equal(list.count, 0);
}

static void no_memory_is_reported(void **state)
{
    (void)state;
    for (uint64_t nth = 1;; nth++) {
        struct gw_arena tight;
        struct gw_environment own;
        gw_arena_init(&tight, NULL, 0, 16, 1u << 20);
        gw_environment_init(&own, &tight, process);
        gw_alloc_fail_at(nth);
        struct gw_variable_list list;
        enum gw_err err = gw_environment_add_dotenv(&own, GW_STR("A=\"${SET}x\"\nB=${OTHER}\n"),
                                                    GW_STR(".env"), &report);
        if (err == GW_OK) {
            err = gw_environment_override(&own, GW_STR("X"), GW_STR("y"));
        }
        if (err == GW_OK) {
            err = gw_environment_with_prefix(&own, GW_STR("P_KEY_"), &tight, &list);
        }
        gw_alloc_fail_at(0);
        gw_arena_fini(&tight);
        if (err == GW_OK) {
            assert_true(nth > 5);
            return;
        }
        assert_int_equal(err, GW_ERR_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(references_are_resolved, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_reference_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(missing_variables_are_named, setup, teardown),
        cmocka_unit_test_setup_teardown(references_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(dotenv_lines_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(every_prefix_of_a_dotenv_ends_well, setup, teardown),
        cmocka_unit_test_setup_teardown(the_file_wins_over_the_process_over_dotenv, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(names_with_a_prefix_are_listed_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(no_memory_is_reported, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
