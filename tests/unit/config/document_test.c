/* SPDX-License-Identifier: MIT */
/* config/document: types, positions and paths of values, and variables that are not set. */
#include "config/document_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/alloc.h"

static const char *const process[] = {"KEY=secret", "PORT=8080", NULL};

static struct gw_arena arena;
static struct gw_config_report report;
static struct gw_environment env;
static struct gw_config_document document;

static int setup(void **state)
{
    (void)state;
    gw_arena_init(&arena, NULL, 0, 4096, 512u << 20);
    gw_report_init(&report);
    gw_environment_init(&env, &arena, process);
    document = (struct gw_config_document){.files = {GW_STR("f.yaml")}, .file_count = 1};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    gw_config_document_fini(&document);
    gw_arena_fini(&arena);
    gw_config_report_fini(&report);
    return 0;
}

static enum gw_err load(const char *text)
{
    const struct gw_yaml_node *root = NULL;
    assert_int_equal(
        gw_yaml_parse(gw_str_from_c(text), GW_STR("f.yaml"), 0, &arena, &report, &root), GW_OK);
    return gw_config_document_init(&document, root, &env, &arena);
}

static void assert_place(yyjson_val *value, unsigned line, const char *path)
{
    assert_non_null(value);
    struct gw_config_place place = gw_config_place_of(&document, value, &arena);
    if (place.line != line || !gw_str_eq(place.key_path, gw_str_from_c(path))) {
        fail_msg("%.*s in line %u, expected %s in line %u", GW_STR_ARG(place.key_path), place.line,
                 path, line);
    }
    assert_true(gw_str_eq(place.file, GW_STR("f.yaml")));
}

static void values_have_types_places_and_ranges(void **state)
{
    (void)state;
    assert_int_equal(load("server:\n"
                          "  port: 8080\n"
                          "  host: '0'\n"
                          "  tls: {cert_file: a}\n"
                          "  nothing:\n"
                          "list:\n"
                          "  - x: 1\n"
                          "  - [yes, -3, 1.5, ~]\n"
                          "last: ''\n"),
                     GW_OK);
    yyjson_val *root = yyjson_doc_get_root(document.json);
    assert_int_equal(gw_config_index(&document, root), 0);
    assert_int_equal(gw_config_index_end(&document, root), document.count);
    assert_place(root, 1, "");
    assert_int_equal(yyjson_get_uint(gw_config_get(&document, "server.port")), 8080);
    assert_place(gw_config_get(&document, "server.port"), 2, "server.port");
    assert_true(yyjson_is_str(gw_config_get(&document, "server.host")));
    assert_place(gw_config_get(&document, "server.tls.cert_file"), 4, "server.tls.cert_file");
    assert_null(gw_config_get(&document, "server.nothing"));
    assert_null(gw_config_get(&document, "server.port.deeper"));
    assert_null(gw_config_get(&document, "nowhere.at.all"));
    yyjson_val *list = gw_config_get(&document, "list");
    yyjson_val *second = yyjson_arr_get(list, 1);
    assert_place(yyjson_arr_get(list, 0), 7, "list[0]");
    assert_place(gw_config_member(yyjson_arr_get(list, 0), "x"), 7, "list[0].x");
    assert_place(yyjson_arr_get(second, 2), 8, "list[1][2]");
    assert_true(yyjson_is_true(yyjson_arr_get(second, 0)));
    assert_int_equal(yyjson_get_sint(yyjson_arr_get(second, 1)), -3);
    assert_true(yyjson_is_null(yyjson_arr_get(second, 3)));
    assert_int_equal(gw_config_index_end(&document, second),
                     gw_config_index(&document, second) + 5);
    assert_int_equal(gw_config_index_end(&document, list),
                     gw_config_index(&document, gw_config_get(&document, "last")) - 1);
    assert_place(gw_config_get(&document, "last"), 9, "last");
    assert_null(gw_config_member(NULL, "x"));
}

static void what_comes_from_variables_is_text(void **state)
{
    (void)state;
    assert_int_equal(load("a: ${PORT}\nb: '${KEY}'\nc: os.environ/KEY\nd: 'x'\n"), GW_OK);
    yyjson_val *a = gw_config_get(&document, "a");
    assert_string_equal(yyjson_get_str(a), "8080");
    assert_string_equal(yyjson_get_str(gw_config_get(&document, "b")), "secret");
    assert_string_equal(yyjson_get_str(gw_config_get(&document, "c")), "secret");
    assert_true(document.positions[gw_config_index(&document, a)].is_interpolated);
    assert_false(document.positions[gw_config_index(&document, gw_config_get(&document, "d"))]
                     .is_interpolated);
    assert_int_equal(document.unresolved_count, 0);
}

static void unresolved_variables_are_kept_with_their_place(void **state)
{
    (void)state;
    assert_int_equal(load("a: ok\nb: {c: '${NONE}', d: os.environ/NONE2}\n"), GW_OK);
    assert_int_equal(document.unresolved_count, 2);
    assert_true(gw_str_eq(document.unresolved[0].name, GW_STR("NONE")));
    assert_int_equal(document.unresolved[0].index,
                     gw_config_index(&document, gw_config_get(&document, "b.c")));
    assert_int_equal(document.unresolved[1].index,
                     gw_config_index(&document, gw_config_get(&document, "b.d")));
}

static void aliases_repeat_with_the_place_of_their_anchor(void **state)
{
    (void)state;
    assert_int_equal(load("a: &x\n  k: 1\nb:\n  <<: *x\n  l: 2\nc: [*x, *x]\n"), GW_OK);
    yyjson_val *c = gw_config_get(&document, "c");
    assert_place(gw_config_member(yyjson_arr_get(c, 1), "k"), 2, "c[1].k");
    assert_place(gw_config_get(&document, "b.k"), 2, "b.k");
    assert_place(gw_config_get(&document, "b.l"), 5, "b.l");
}

static void aliases_of_aliases_cannot_multiply_without_end(void **state)
{
    (void)state;
    char text[4096];
    size_t len = (size_t)snprintf(text, sizeof(text), "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 9; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "a%d: &a%d [", i, i);
        for (int j = 0; j < 10; j++) {
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s*a%d", j > 0 ? ", " : "",
                                    i - 1);
        }
        len += (size_t)snprintf(text + len, sizeof(text) - len, "]\n");
    }
    assert_int_equal(load(text), GW_ERR_TOO_LARGE);
}

static void aliases_cannot_nest_without_end(void **state)
{
    (void)state;
    char text[8192];
    size_t len = (size_t)snprintf(text, sizeof(text), "a0: &a0 x\n");
    for (int i = 1; i < 100; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "a%d: &a%d [*a%d]\n", i, i, i - 1);
    }
    assert_int_equal(load(text), GW_ERR_TOO_DEEP);
}

static void no_memory_is_reported(void **state)
{
    (void)state;
    const struct gw_yaml_node *root = NULL;
    assert_int_equal(gw_yaml_parse(GW_STR("a: ${KEY}\nb: [1, 2, \"${NONE}\"]\n"), GW_STR("f.yaml"),
                                   0, &arena, &report, &root),
                     GW_OK);
    for (uint64_t nth = 1;; nth++) {
        struct gw_config_document own = {.files = {GW_STR("f.yaml")}, .file_count = 1};
        gw_alloc_fail_at(nth);
        enum gw_err err = gw_config_document_init(&own, root, &env, &arena);
        gw_alloc_fail_at(0);
        gw_config_document_fini(&own);
        if (err == GW_OK) {
            assert_true(nth > 4);
            return;
        }
        assert_int_equal(err, GW_ERR_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_have_types_places_and_ranges, setup, teardown),
        cmocka_unit_test_setup_teardown(what_comes_from_variables_is_text, setup, teardown),
        cmocka_unit_test_setup_teardown(unresolved_variables_are_kept_with_their_place, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(aliases_repeat_with_the_place_of_their_anchor, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(aliases_of_aliases_cannot_multiply_without_end, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(aliases_cannot_nest_without_end, setup, teardown),
        cmocka_unit_test_setup_teardown(no_memory_is_reported, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
