/* SPDX-License-Identifier: MIT */
/* llm/catalog: exact names, patterns, aliases, close names, and no memory. */
#include "llm/catalog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/alloc.h"

static struct gw_arena arena;
static struct gw_catalog *catalog;

static int setup(void **state)
{
    (void)state;
    gw_arena_init(&arena, NULL, 0, 4096, 64u << 20);
    catalog = gw_catalog_create(&arena);
    return catalog == NULL ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    gw_arena_fini(&arena);
    return 0;
}

static void assert_str(struct gw_str actual, const char *expected)
{
    assert_int_equal(actual.len, strlen(expected));
    assert_memory_equal(actual.ptr, expected, actual.len);
}

static const struct gw_deployment *add(const char *group, const char *provider, const char *model)
{
    struct gw_deployment *deployment = gw_arena_try_alloc(&arena, sizeof(*deployment));
    assert_non_null(deployment);
    *deployment = (struct gw_deployment){
        .provider_name = gw_str_from_c(provider),
        .upstream_model = gw_str_from_c(model),
    };
    assert_int_equal(gw_catalog_add(catalog, gw_str_from_c(group), deployment), GW_OK);
    return deployment;
}

static void assert_model(const char *asked, const char *group, const char *upstream)
{
    struct gw_str suffix = {0};
    const struct gw_model_group *found = gw_catalog_find(catalog, gw_str_from_c(asked), &suffix);
    assert_non_null(found);
    assert_str(found->name, group);
    char buf[2 * GW_MODEL_NAME_MAX];
    struct gw_str model = {0};
    assert_int_equal(gw_deployment_model(found->deployments[0], suffix, buf, sizeof(buf), &model),
                     GW_OK);
    assert_str(model, upstream);
}

static void assert_unknown(const char *asked)
{
    struct gw_str suffix = {0};
    assert_null(gw_catalog_find(catalog, gw_str_from_c(asked), &suffix));
}

static void an_empty_catalog_finds_nothing(void **state)
{
    (void)state;
    assert_unknown("");
    assert_unknown("gpt-4o");
    struct gw_str names[GW_CATALOG_CLOSE_NAMES];
    assert_int_equal(gw_catalog_close_names(catalog, GW_STR("x"), names), 0);
    assert_int_equal(gw_catalog_group_count(catalog), 0);
    assert_null(gw_catalog_first_of(catalog, GW_STR("openai")));
}

static void deployments_of_one_name_share_a_group_in_order(void **state)
{
    (void)state;
    const struct gw_deployment *first = add("gpt-4o", "openai", "gpt-4o");
    add("other", "groq", "llama");
    const struct gw_deployment *second = add("gpt-4o", "openrouter", "openai/gpt-4o");
    assert_int_equal(gw_catalog_group_count(catalog), 2);
    const struct gw_model_group *group = gw_catalog_group(catalog, 0);
    assert_int_equal(group->deployment_count, 2);
    assert_ptr_equal(group->deployments[0], first);
    assert_ptr_equal(group->deployments[1], second);
    assert_ptr_equal(gw_catalog_first_of(catalog, GW_STR("openrouter")), group);
    assert_null(gw_catalog_first_of(catalog, GW_STR("mistral")));
}

static void the_longest_pattern_wins_and_exact_names_win_over_it(void **state)
{
    (void)state;
    add("*", "openai", "");
    add("openai/*", "openai", "");
    add("gpt-*", "openai", "gpt-*");
    add("openai/gpt-*", "openai", "openai/gpt-*");
    add("openai/gpt-4o", "openai", "exact");
    assert_model("anything", "*", "anything");
    assert_model("openai/o3", "openai/*", "o3");
    assert_model("gpt-5", "gpt-*", "gpt-5");
    assert_model("openai/gpt-5", "openai/gpt-*", "openai/gpt-5");
    assert_model("openai/gpt-4o", "openai/gpt-4o", "exact");
    assert_model("openai/", "*", "openai/"); /* nothing left for the star of "openai/" */
    assert_model("openai/*", "openai/*", "*");
}

static void an_exact_group_without_model_sends_the_name_asked_for(void **state)
{
    (void)state;
    add("llama3", "ollama", "");
    assert_model("llama3", "llama3", "llama3");
}

static void the_star_of_a_template_can_stand_anywhere(void **state)
{
    (void)state;
    add("my/*", "openai", "ft:*:acme");
    assert_model("my/gpt", "my/*", "ft:gpt:acme");
    struct gw_str suffix = {0};
    const struct gw_model_group *group = gw_catalog_find(catalog, GW_STR("my/gpt"), &suffix);
    char buf[10];
    struct gw_str model = {0};
    assert_int_equal(gw_deployment_model(group->deployments[0], suffix, buf, 10, &model),
                     GW_ERR_TOO_LARGE);
    assert_int_equal(gw_deployment_model(group->deployments[0], GW_STR("g"), buf, 10, &model),
                     GW_OK);
    assert_str(model, "ft:g:acme");
}

static void aliases_lead_to_groups_and_to_names_under_patterns(void **state)
{
    (void)state;
    add("gpt-4o", "openai", "gpt-4o-2024-08-06");
    add("openai/*", "openai", "");
    assert_int_equal(gw_catalog_add_alias(catalog, GW_STR("best"), GW_STR("gpt-4o")), GW_OK);
    assert_int_equal(gw_catalog_add_alias(catalog, GW_STR("o"), GW_STR("openai/o3")), GW_OK);
    assert_int_equal(gw_catalog_add_alias(catalog, GW_STR("alias2"), GW_STR("o")), GW_OK);
    assert_model("best", "gpt-4o", "gpt-4o-2024-08-06");
    assert_model("o", "openai/*", "o3");
    assert_model("alias2", "openai/*", "o3");
    assert_int_equal(gw_catalog_add_alias(catalog, GW_STR("x"), GW_STR("nowhere")),
                     GW_ERR_NOT_FOUND);
    assert_int_equal(gw_catalog_add_alias(catalog, GW_STR("x"), GW_STR("openai/*")),
                     GW_ERR_NOT_FOUND);
    assert_int_equal(gw_catalog_add_alias(catalog, GW_STR("gpt-4o"), GW_STR("o")), GW_ERR_EXISTS);
    assert_int_equal(gw_catalog_add_alias(catalog, GW_STR("best"), GW_STR("o")), GW_ERR_EXISTS);
    assert_int_equal(gw_catalog_group_count(catalog), 2);
}

static void names_beyond_the_limit_match_nothing(void **state)
{
    (void)state;
    add("*", "openai", "");
    char name[GW_MODEL_NAME_MAX + 2];
    memset(name, 'a', sizeof(name));
    name[GW_MODEL_NAME_MAX] = '\0';
    struct gw_str suffix = {0};
    assert_non_null(gw_catalog_find(catalog, gw_str(name, GW_MODEL_NAME_MAX), &suffix));
    assert_null(gw_catalog_find(catalog, gw_str(name, GW_MODEL_NAME_MAX + 1), &suffix));
}

static void close_names_come_best_first(void **state)
{
    (void)state;
    add("claude-sonnet", "x", "");
    add("gpt-4.1", "x", "");
    add("gpt-4o-mini", "x", "");
    add("gpt-4o", "x", "");
    assert_int_equal(gw_catalog_add_alias(catalog, GW_STR("gpt-4p"), GW_STR("gpt-4o")), GW_OK);
    struct gw_str names[GW_CATALOG_CLOSE_NAMES];
    assert_int_equal(gw_catalog_close_names(catalog, GW_STR("gtp-4o"), names), 2);
    assert_str(names[0], "gpt-4o");
    assert_str(names[1], "gpt-4p");
    assert_int_equal(gw_catalog_close_names(catalog, GW_STR("gpt-4"), names), 3);
    assert_int_equal(gw_catalog_close_names(catalog, GW_STR("claude-sonnt"), names), 1);
    assert_str(names[0], "claude-sonnet");
    assert_int_equal(gw_catalog_close_names(catalog, GW_STR("zzzzzzzzzz"), names), 0);
}

static void many_groups_are_all_found(void **state)
{
    (void)state;
    char name[32];
    for (unsigned i = 0; i < 3000; i++) {
        (void)snprintf(name, sizeof(name), "m%u%s", i, i % 3 == 0 ? "/*" : "");
        struct gw_deployment *deployment = gw_arena_try_alloc(&arena, sizeof(*deployment));
        *deployment = (struct gw_deployment){.weight = i + 1};
        assert_int_equal(gw_catalog_add(catalog, gw_str_from_c(name), deployment), GW_OK);
    }
    assert_int_equal(gw_catalog_group_count(catalog), 3000);
    for (unsigned i = 0; i < 3000; i++) {
        (void)snprintf(name, sizeof(name), "m%u%s", i, i % 3 == 0 ? "/x" : "");
        struct gw_str suffix = {0};
        const struct gw_model_group *group = gw_catalog_find(catalog, gw_str_from_c(name), &suffix);
        assert_non_null(group);
        assert_int_equal(group->deployments[0]->weight, i + 1);
        assert_ptr_equal(gw_catalog_group(catalog, i), group);
    }
    gw_catalog_set_created_at(catalog, 17);
    assert_int_equal(gw_catalog_group(catalog, 2999)->created_at_s, 17);
}

/* Every allocation fails once; each call says so and what was there before still works. */
static void no_memory_is_reported(void **state)
{
    (void)state;
    struct gw_deployment deployment = {.upstream_model = GW_STR("m")};
    for (uint64_t nth = 1;; nth++) {
        struct gw_arena tight;
        gw_arena_init(&tight, NULL, 0, 64, 1u << 20);
        gw_alloc_fail_at(nth);
        struct gw_catalog *small = gw_catalog_create(&tight);
        enum gw_err err = small == NULL ? GW_ERR_NOMEM : GW_OK;
        char name[] = "group-0";
        for (unsigned i = 0; i < 9 && err == GW_OK; i++) {
            name[6] = (char)('0' + i);
            err = gw_catalog_add(small, gw_str(name, 7), &deployment);
        }
        if (err == GW_OK) {
            err = gw_catalog_add(small, GW_STR("p/*"), &deployment);
        }
        if (err == GW_OK) {
            err = gw_catalog_add_alias(small, GW_STR("alias"), GW_STR("group-1"));
        }
        gw_alloc_fail_at(0);
        if (small != NULL && gw_catalog_group_count(small) > 0) {
            struct gw_str suffix = {0};
            assert_non_null(gw_catalog_find(small, GW_STR("group-0"), &suffix));
        }
        gw_arena_fini(&tight);
        if (err == GW_OK) {
            assert_true(nth > 10);
            return;
        }
        assert_int_equal(err, GW_ERR_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_catalog_finds_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(deployments_of_one_name_share_a_group_in_order, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_longest_pattern_wins_and_exact_names_win_over_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(an_exact_group_without_model_sends_the_name_asked_for,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(the_star_of_a_template_can_stand_anywhere, setup, teardown),
        cmocka_unit_test_setup_teardown(aliases_lead_to_groups_and_to_names_under_patterns, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(names_beyond_the_limit_match_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(close_names_come_best_first, setup, teardown),
        cmocka_unit_test_setup_teardown(many_groups_are_all_found, setup, teardown),
        cmocka_unit_test_setup_teardown(no_memory_is_reported, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
