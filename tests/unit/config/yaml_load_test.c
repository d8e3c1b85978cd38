/* SPDX-License-Identifier: MIT */
/* config/yaml_load and yaml_scalar: what YAML means, where it was written, and what is refused. */
#include "config/yaml_int.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/alloc.h"

static struct gw_arena arena;
static struct gw_config_report report;

static int setup(void **state)
{
    (void)state;
    gw_arena_init(&arena, NULL, 0, 4096, 512u << 20);
    gw_report_init(&report);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    gw_arena_fini(&arena);
    gw_config_report_fini(&report);
    return 0;
}

static const struct gw_yaml_node *parse(const char *text)
{
    const struct gw_yaml_node *root = NULL;
    assert_int_equal(
        gw_yaml_parse(gw_str_from_c(text), GW_STR("test.yaml"), 0, &arena, &report, &root), GW_OK);
    assert_int_equal(report.error_count, 0);
    return root;
}

/* The text must be refused with an error in |line| that contains |words|. */
static void assert_refused(const char *text, unsigned line, const char *words)
{
    const struct gw_yaml_node *root = NULL;
    gw_config_report_fini(&report);
    gw_report_init(&report);
    assert_int_not_equal(
        gw_yaml_parse(gw_str_from_c(text), GW_STR("test.yaml"), 0, &arena, &report, &root), GW_OK);
    assert_null(root);
    assert_true(report.error_count >= 1);
    const struct gw_config_issue *issue = &report.issues[0];
    if (issue->line != line ||
        gw_str_find(issue->message, gw_str_from_c(words)) == issue->message.len) {
        fail_msg("line %u (expected %u): %.*s (expected: %s)", issue->line, line,
                 GW_STR_ARG(issue->message), words);
    }
    assert_true(gw_str_eq(issue->file, GW_STR("test.yaml")));
}

static const struct gw_yaml_node *get(const struct gw_yaml_node *map, const char *key)
{
    const struct gw_yaml_node *node = gw_yaml_get(map, gw_str_from_c(key));
    if (node == NULL) {
        fail_msg("no key %s", key);
    }
    return node;
}

static void assert_text(const struct gw_yaml_node *node, const char *text)
{
    assert_non_null(node);
    assert_int_equal(node->kind, GW_YAML_SCALAR);
    assert_string_equal(node->text.ptr, text);
}

static void nodes_know_their_lines(void **state)
{
    (void)state;
    const struct gw_yaml_node *root = parse("# comment\n"
                                            "server:\n"
                                            "  port: 8080\n"
                                            "\n"
                                            "list:\n"
                                            "- a\n"
                                            "- {b: 1,\n"
                                            "   c: 2}\n");
    assert_int_equal(get(root, "server")->line, 3);
    assert_int_equal(get(get(root, "server"), "port")->line, 3);
    const struct gw_yaml_node *list = get(root, "list");
    assert_int_equal(list->count, 2);
    assert_int_equal(list->first->value->line, 6);
    assert_int_equal(get(list->first->next->value, "b")->line, 7);
    assert_int_equal(get(list->first->next->value, "c")->line, 8);
}

static void quoted_text_is_told_from_plain(void **state)
{
    (void)state;
    const struct gw_yaml_node *root =
        parse("a: 1\nb: '1'\nc: \"1\"\nd: !!str 1\ne: |\n  1\nf: !!int 1\n");
    assert_int_equal(get(root, "a")->type, GW_YAML_TYPE_AUTO);
    assert_int_equal(get(root, "b")->type, GW_YAML_TYPE_TEXT);
    assert_int_equal(get(root, "c")->type, GW_YAML_TYPE_TEXT);
    assert_int_equal(get(root, "d")->type, GW_YAML_TYPE_TEXT);
    assert_int_equal(get(root, "e")->type, GW_YAML_TYPE_TEXT);
    assert_int_equal(get(root, "f")->type, GW_YAML_TYPE_AUTO);
}

static void nothing_is_an_empty_map(void **state)
{
    (void)state;
    static const char *const texts[] = {"",  "\n",     "# only this\n", "---\n",
                                        "~", "null\n", "---\n...\n"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const struct gw_yaml_node *root = parse(texts[i]);
        assert_int_equal(root->kind, GW_YAML_MAP);
        assert_int_equal(root->count, 0);
    }
}

static void anchors_and_merge_keys_are_resolved(void **state)
{
    (void)state;
    const struct gw_yaml_node *root = parse("base: &base\n"
                                            "  api_key: k\n"
                                            "  rpm: 10\n"
                                            "more: &more {rpm: 20, tpm: 30}\n"
                                            "one:\n"
                                            "  <<: *base\n"
                                            "  rpm: 5\n"
                                            "two:\n"
                                            "  <<: [*base, *more]\n"
                                            "text: '<<'\n"
                                            "same: *base\n");
    const struct gw_yaml_node *one = get(root, "one");
    assert_int_equal(one->count, 2);
    assert_text(get(one, "rpm"), "5");
    assert_text(get(one, "api_key"), "k");
    const struct gw_yaml_node *two = get(root, "two");
    assert_int_equal(two->count, 3);
    assert_text(get(two, "rpm"), "10");
    assert_text(get(two, "tpm"), "30");
    assert_ptr_equal(get(root, "same"), get(root, "base"));
    assert_int_equal(get(root, "base")->count, 2);
}

static void duplicate_keys_are_refused_with_both_lines(void **state)
{
    (void)state;
    assert_refused("a: 1\nb: 2\na: 3\n", 3, "the first is in line 1");
    assert_refused("x:\n  k: 1\n  k: 2\n  k: 3\n", 3, "\"k\" is here a second time");
    assert_int_equal(report.error_count, 2); /* all at once */
    assert_refused("base: &b {k: 1}\nx:\n  k: 1\n  <<: *b\n  k: 2\n", 5, "line 3");
    assert_refused("a: 1\n'a': 2\n", 2, "line 1");
}

static void mistakes_are_named_with_their_line(void **state)
{
    (void)state;
    assert_refused("a:\n\tb: 1\n", 2, "a tab indents this line");
    assert_refused("a: {k: ${X}}\n", 1, "needs quotes");
    assert_refused("a: 'open\nb: 1\n", 3, "begun in line 1");
    assert_refused("a: [1, 2\nb: 3\n", 2, "not YAML");
    assert_refused("a: 1\n---\nb: 2\n", 2, "second document");
    assert_refused("- a\n- b\n", 1, "key: value");
    assert_refused("just text\n", 1, "key: value");
    assert_refused("a: *nowhere\n", 1, "*nowhere");
    assert_refused("a: &x [*x]\n", 1, "stands inside of it");
    assert_refused("? [a, b]\n: 1\n", 1, "a key must be a word");
    assert_refused("a: !!python/object:os.system x\n", 1, "means nothing here");
    assert_refused("a: !custom {b: 1}\n", 1, "means nothing here");
    assert_refused("a: \"x\\0y\"\n", 1, "NUL");
    assert_refused("a: 1\nb: \xff\xfe\n", 2, "not a text file");
    assert_refused("a:\n  <<: 5\n", 2, "<< takes a map");
}

static void deep_and_multiplying_files_are_refused(void **state)
{
    (void)state;
    char deep[200];
    memset(deep, '[', sizeof(deep));
    deep[sizeof(deep) - 1] = '\0';
    memcpy(deep, "a: ", 3);
    assert_refused(deep, 1, "nested deeper");

    static char text[200000];
    size_t len = (size_t)snprintf(text, sizeof(text), "m0: &m0 {");
    for (unsigned i = 0; i < 2000; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "k%u: 1, ", i);
    }
    len += (size_t)snprintf(text + len, sizeof(text) - len, "}\nlist:\n");
    for (unsigned i = 0; i < 600; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "- <<: *m0\n");
    }
    assert_refused(text, 498 + 2, "more than 1000000 values");
}

static void a_file_that_is_too_large_is_refused(void **state)
{
    (void)state;
    size_t size = GW_YAML_MAX_BYTES + 1;
    char *text = gw_alloc(size);
    memset(text, '\n', size);
    const struct gw_yaml_node *root = NULL;
    assert_int_equal(gw_yaml_parse(gw_str(text, size), GW_STR("f"), 0, &arena, &report, &root),
                     GW_ERR_TOO_LARGE);
    assert_int_equal(report.error_count, 1);
    gw_free(text);
}

static void every_prefix_of_a_file_ends_well(void **state)
{
    (void)state;
    static const char text[] = "a: &x {b: [1, 'two', \"thr\\u00e9e\"], <<: {c: 4}}\n"
                               "d:\n  - *x\n  - |\n    text\n  - ? k\n    : v\n";
    for (size_t len = 0; len < sizeof(text); len++) {
        char *copy = gw_strndup(text, len); /* so that a read behind the end is seen */
        const struct gw_yaml_node *root = NULL;
        struct gw_config_report own;
        gw_report_init(&own);
        enum gw_err err = gw_yaml_parse(gw_str(copy, len), GW_STR("f"), 0, &arena, &own, &root);
        assert_int_equal(err == GW_OK, own.error_count == 0);
        gw_config_report_fini(&own);
        gw_free(copy);
    }
}

static void no_memory_is_reported(void **state)
{
    (void)state;
    static const char text[] = "a: &x {b: [1, 2], c: 3}\nd: {<<: *x, e: 4}\n";
    for (uint64_t nth = 1;; nth++) {
        struct gw_arena tight;
        struct gw_config_report own;
        gw_arena_init(&tight, NULL, 0, 128, 1u << 20);
        gw_report_init(&own);
        const struct gw_yaml_node *root = NULL;
        gw_alloc_fail_at(nth);
        enum gw_err err = gw_yaml_parse(GW_STR(text), GW_STR("f"), 0, &tight, &own, &root);
        gw_alloc_fail_at(0);
        gw_config_report_fini(&own);
        gw_arena_fini(&tight);
        if (err == GW_OK) {
            assert_true(nth > 3);
            return;
        }
        assert_int_equal(err, GW_ERR_NOMEM);
    }
}

static void scalars_mean_what_pyyaml_takes_them_for(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum gw_yaml_scalar_kind kind;
        int64_t number; /* thousandths for reals */
    } cases[] = {
        {"", GW_YAML_IS_NULL, 0},           {"~", GW_YAML_IS_NULL, 0},
        {"null", GW_YAML_IS_NULL, 0},       {"NULL", GW_YAML_IS_NULL, 0},
        {"nUll", GW_YAML_IS_TEXT, 0},       {"true", GW_YAML_IS_BOOL, 1},
        {"Yes", GW_YAML_IS_BOOL, 1},        {"ON", GW_YAML_IS_BOOL, 1},
        {"off", GW_YAML_IS_BOOL, 0},        {"No", GW_YAML_IS_BOOL, 0},
        {"y", GW_YAML_IS_TEXT, 0},          {"yEs", GW_YAML_IS_TEXT, 0},
        {"0", GW_YAML_IS_UINT, 0},          {"8080", GW_YAML_IS_UINT, 8080},
        {"+7", GW_YAML_IS_UINT, 7},         {"1_000", GW_YAML_IS_UINT, 1000},
        {"0x1F", GW_YAML_IS_UINT, 31},      {"0b101", GW_YAML_IS_UINT, 5},
        {"010", GW_YAML_IS_UINT, 8},        {"0o10", GW_YAML_IS_UINT, 8},
        {"08", GW_YAML_IS_TEXT, 0},         {"-5", GW_YAML_IS_SINT, -5},
        {"1.5", GW_YAML_IS_REAL, 1500},     {".5", GW_YAML_IS_REAL, 500},
        {"-2.", GW_YAML_IS_REAL, -2000},    {"1e3", GW_YAML_IS_REAL, 1000000},
        {"5E-1", GW_YAML_IS_REAL, 500},     {"1.2.3", GW_YAML_IS_TEXT, 0},
        {"127.0.0.1", GW_YAML_IS_TEXT, 0},  {"-", GW_YAML_IS_TEXT, 0},
        {"+", GW_YAML_IS_TEXT, 0},          {".", GW_YAML_IS_TEXT, 0},
        {"_", GW_YAML_IS_TEXT, 0},          {"0x", GW_YAML_IS_TEXT, 0},
        {"12:30", GW_YAML_IS_TEXT, 0},      {"30s", GW_YAML_IS_TEXT, 0},
        {"1e", GW_YAML_IS_TEXT, 0},         {"e5", GW_YAML_IS_TEXT, 0},
        {".inf", GW_YAML_IS_TEXT, 0},       {".nan", GW_YAML_IS_TEXT, 0},
        {"1e999", GW_YAML_IS_TEXT, 0},      {"gpt-4", GW_YAML_IS_TEXT, 0},
        {"2024-01-01", GW_YAML_IS_TEXT, 0}, {"0xfg", GW_YAML_IS_TEXT, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct gw_yaml_scalar scalar = gw_yaml_resolve(gw_str_from_c(cases[i].text));
        int64_t number = 0;
        if (scalar.kind == GW_YAML_IS_BOOL) {
            number = scalar.boolean ? 1 : 0;
        } else if (scalar.kind == GW_YAML_IS_UINT) {
            number = (int64_t)scalar.uint;
        } else if (scalar.kind == GW_YAML_IS_SINT) {
            number = scalar.sint;
        } else if (scalar.kind == GW_YAML_IS_REAL) {
            number = (int64_t)(scalar.real * 1000);
        }
        if (scalar.kind != cases[i].kind || number != cases[i].number) {
            fail_msg("\"%s\" is kind %d number %lld", cases[i].text, (int)scalar.kind,
                     (long long)number);
        }
    }
    assert_int_equal(gw_yaml_resolve(GW_STR("18446744073709551615")).kind, GW_YAML_IS_UINT);
    assert_int_equal(gw_yaml_resolve(GW_STR("18446744073709551616")).kind, GW_YAML_IS_REAL);
    assert_int_equal(gw_yaml_resolve(GW_STR("-9223372036854775809")).kind, GW_YAML_IS_REAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nodes_know_their_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(quoted_text_is_told_from_plain, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_an_empty_map, setup, teardown),
        cmocka_unit_test_setup_teardown(anchors_and_merge_keys_are_resolved, setup, teardown),
        cmocka_unit_test_setup_teardown(duplicate_keys_are_refused_with_both_lines, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(mistakes_are_named_with_their_line, setup, teardown),
        cmocka_unit_test_setup_teardown(deep_and_multiplying_files_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_that_is_too_large_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(every_prefix_of_a_file_ends_well, setup, teardown),
        cmocka_unit_test_setup_teardown(no_memory_is_reported, setup, teardown),
        cmocka_unit_test(scalars_mean_what_pyyaml_takes_them_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
