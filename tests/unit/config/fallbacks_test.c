/* SPDX-License-Identifier: MIT */
/* config/build_fallbacks, own_groups, fallback_circles: which models follow, and what is wrong. */
#include "policy/routing.h"

#include "load_fixture.h"

#define FOUR_MODELS                                                                                \
    "model_list:\n"                                                                                \
    "- {model_name: a, litellm_params: {model: gatewire/demo}}\n"                                  \
    "- {model_name: b, litellm_params: {model: gatewire/demo}}\n"                                  \
    "- {model_name: c, litellm_params: {model: gatewire/demo}}\n"                                  \
    "- {model_name: d, litellm_params: {model: gatewire/demo}}\n"

static const struct gw_group_routing *routing_of(const char *model)
{
    struct gw_str suffix = {0};
    const struct gw_model_group *group =
        gw_catalog_find(snapshot->catalog, gw_str_from_c(model), &suffix);
    assert_non_null(group);
    return group->routing;
}

/* |names|: separated by spaces. */
static void assert_names(const struct gw_name_list *list, const char *names)
{
    struct gw_str rest = gw_str_from_c(names);
    struct gw_str name = {0};
    size_t count = 0;
    while (names[0] != '\0' && gw_str_split(&rest, ' ', &name)) {
        if (count == list->count || !gw_str_eq(list->names[count], name)) {
            fail_msg("\"%.*s\" is not in its place of %zu", GW_STR_ARG(name), list->count);
        }
        count++;
    }
    assert_int_equal(list->count, count);
}

static void litellms_lists_are_understood(void **state)
{
    (void)state;
    static const char *const sections[] = {"router_settings", "litellm_settings", "router"};
    for (size_t i = 0; i < GW_ARRAY_LEN(sections); i++) {
        char yaml[1024];
        (void)snprintf(yaml, sizeof(yaml),
                       "%s:\n"
                       "  fallbacks: [{a: [b, c]}, {b: [{model: d}]}]\n"
                       "  context_window_fallbacks:\n"
                       "  - a: [c]\n"
                       "  - b: [d]\n"
                       "  content_policy_fallbacks: [{a: d}]\n"
                       "  default_fallbacks: [d, c]\n" FOUR_MODELS,
                       sections[i]);
        assert_good(yaml, NULL, 0);
        assert_names(&routing_of("a")->fallbacks, "b c");
        assert_names(&routing_of("b")->fallbacks, "d");
        assert_names(&routing_of("c")->fallbacks, "d"); /* the default ones, without itself */
        assert_names(&routing_of("d")->fallbacks, "c");
        assert_names(&routing_of("gatewire/demo")->fallbacks, "d c");
        assert_names(&routing_of("a")->context_window_fallbacks, "c");
        assert_names(&routing_of("c")->context_window_fallbacks, "");
        assert_names(&routing_of("a")->content_policy_fallbacks, "d");
        assert_false(routing_of("c")->uses_presets);
    }
}

static void maps_are_understood(void **state)
{
    (void)state;
    assert_good("router:\n"
                "  fallbacks: {a: [b], '*': c}\n"
                "  context_window_fallbacks: {'*': [b, c]}\n"
                "model_groups:\n"
                "  b: {fallbacks: [c, d, c], content_policy_fallbacks: a}\n"
                "  d: {fallbacks: []}\n" FOUR_MODELS,
                NULL, 0);
    assert_names(&routing_of("a")->fallbacks, "b");
    assert_names(&routing_of("b")->fallbacks, "c d");
    assert_names(&routing_of("c")->fallbacks, "");
    assert_names(&routing_of("d")->fallbacks, ""); /* wants none */
    assert_names(&routing_of("gatewire/demo")->fallbacks, "c");
    assert_names(&routing_of("b")->content_policy_fallbacks, "a");
    assert_names(&routing_of("b")->context_window_fallbacks, "c");
    assert_false(routing_of("d")->uses_presets);
    assert_good("router: {model_fallbacks: {a: [b]}}\n" FOUR_MODELS, NULL, 0);
    assert_names(&routing_of("a")->fallbacks, "b");
    assert_true(routing_of("b")->uses_presets); /* nothing is configured for it */
}

static void failover_can_be_off(void **state)
{
    (void)state;
    assert_good("failover: off\nrouter: {fallbacks: {a: [b]}, context_window_fallbacks: {a: [b]}}\n"
                "model_groups: {c: {failover: on, fallbacks: [d]}}\n" FOUR_MODELS,
                NULL, 0);
    assert_names(&routing_of("a")->fallbacks, "");
    assert_names(&routing_of("a")->context_window_fallbacks, "");
    assert_false(routing_of("b")->uses_presets);
    assert_names(&routing_of("c")->fallbacks, "d");
}

static void patterns_models_get_groups_of_their_own(void **state)
{
    (void)state;
    static const char *const keys[] = {"OPENAI_API_KEY=k", "ANTHROPIC_API_KEY=l", NULL};
    assert_good("router: {fallbacks: {gpt-4o: [gpt-4o-mini, claude-sonnet-4-5]}}\n"
                "model_groups: {gpt-4.1: {strategy: random}}\n",
                keys, 0);
    assert_names(&routing_of("gpt-4o")->fallbacks, "gpt-4o-mini claude-sonnet-4-5");
    assert_upstream("gpt-4o", "openai", "gpt-4o");
    assert_upstream("gpt-4o-mini", "openai", "gpt-4o-mini");
    assert_upstream("claude-sonnet-4-5", "anthropic", "claude-sonnet-4-5");
    assert_upstream("gpt-5", "openai", "gpt-5");
    assert_int_equal(routing_of("gpt-4.1")->strategy, GW_STRATEGY_RANDOM);
    assert_int_equal(routing_of("gpt-5")->strategy, GW_STRATEGY_PRIORITY);
    assert_ptr_not_equal(routing_of("gpt-4o"), routing_of("gpt-4o-mini"));
    assert_names(&routing_of("gpt-5")->fallbacks, "");
    assert_true(routing_of("gpt-5")->uses_presets);
}

static void aliases_of_patterns_models_are_told(void **state)
{
    (void)state;
    static const char *const keys[] = {"OPENAI_API_KEY=k", NULL};
    assert_int_equal(
        load("model_list: [{model_name: 'gpt-*', litellm_params: {model: 'openai/gpt-*'}}]\n"
             "model_aliases: {fast: gpt-4o-mini}\n"
             "model_groups:\n"
             "  fast: {max_retries: 1}\n",
             keys),
        GW_OK);
    assert_finding(false, 4, "model_groups.fast", "is an alias of a model that the pattern");
}

static void names_of_nobody_are_errors(void **state)
{
    (void)state;
    assert_bad("router:\n  fallbacks: {a: [bb]}\n" FOUR_MODELS, NULL, 2, "router.fallbacks.a[0]",
               "no model \"bb\" is configured");
    assert_bad("router_settings:\n  fallbacks:\n  - a:\n    - gatewire/dmo\n" FOUR_MODELS, NULL, 4,
               "router_settings.fallbacks[0].a[0]", "did you mean \"gatewire/demo\"");
    assert_bad("litellm_settings:\n  default_fallbacks: [x]\n" FOUR_MODELS, NULL, 2,
               "litellm_settings.default_fallbacks[0]", "no model \"x\"");
    assert_bad("router:\n  content_policy_fallbacks: [{a: [x]}]\n" FOUR_MODELS, NULL, 2,
               "router.content_policy_fallbacks[0].a[0]", "no model \"x\"");
    assert_bad("router:\n  fallbacks: {a: [a]}\n" FOUR_MODELS, NULL, 2, "router.fallbacks.a[0]",
               "its own fallback");
    assert_bad("router:\n  fallbacks: {a: [5]}\n" FOUR_MODELS, NULL, 2, "router.fallbacks.a[0]",
               "the name of a model");
    assert_bad("router:\n  fallbacks: a\n" FOUR_MODELS, NULL, 2, "router.fallbacks",
               "a map or a list");
    assert_bad("router:\n  fallbacks: [a]\n" FOUR_MODELS, NULL, 2, "router.fallbacks[0]",
               "model: [models]");
}

/* A model that waits for its key is no mistake. */
static void models_that_were_left_out_are_warnings(void **state)
{
    (void)state;
    assert_int_equal(
        load("router:\n  fallbacks: {a: [left, b]}\nmodel_list:\n"
             "- {model_name: a, litellm_params: {model: gatewire/demo}}\n"
             "- {model_name: b, litellm_params: {model: gatewire/demo}}\n"
             "- {model_name: left, litellm_params: {model: openai/x, api_key: '${NONE}'}}\n",
             NULL),
        GW_OK);
    assert_finding(false, 2, "router.fallbacks.a[0]", "no model \"left\" is configured");
    assert_names(&routing_of("a")->fallbacks, "b");
    /* Without a model_list, what the environment has no key for. */
    assert_int_equal(load("router:\n  default_fallbacks: [gpt-4o]\n", NULL), GW_OK);
    assert_finding(false, 2, "router.default_fallbacks[0]", "no model \"gpt-4o\"");
}

static void rules_for_nobody_and_second_lists_are_told(void **state)
{
    (void)state;
    assert_int_equal(load("router:\n"
                          "  fallbacks: {zz: [a], a: [b]}\n"
                          "router_settings:\n"
                          "  fallbacks: [{a: [c]}]\n"
                          "  default_fallbacks: [b]\n"
                          "litellm_settings:\n"
                          "  default_fallbacks: [c]\n" FOUR_MODELS,
                          NULL),
                     GW_OK);
    assert_finding(false, 2, "router.fallbacks.zz", "these fallbacks are for nobody");
    assert_finding(false, 4, "router_settings.fallbacks[0].a", "in line 2 already");
    assert_finding(false, 7, "litellm_settings.default_fallbacks", "in line 5 already");
    assert_int_equal(report.count, 3);
    assert_names(&routing_of("a")->fallbacks, "b");
    assert_names(&routing_of("c")->fallbacks, "b");
}

static void too_many_names_are_refused(void **state)
{
    (void)state;
    char yaml[2048] = "router:\n  default_fallbacks:\n";
    for (int i = 0; i < 17; i++) {
        size_t len = strlen(yaml);
        (void)snprintf(yaml + len, sizeof(yaml) - len, "  - m%d\n", i);
    }
    size_t len = strlen(yaml);
    (void)snprintf(yaml + len, sizeof(yaml) - len, "model_list:\n");
    for (int i = 0; i < 17; i++) {
        len = strlen(yaml);
        (void)snprintf(yaml + len, sizeof(yaml) - len,
                       "- {model_name: m%d, model: gatewire/demo}\n", i);
    }
    assert_bad(yaml, NULL, 19, "router.default_fallbacks[16]", "more than 16 fallbacks");
}

static void circles_are_named(void **state)
{
    (void)state;
    assert_int_equal(load("router:\n"
                          "  fallbacks:\n"
                          "    a: [b]\n"
                          "    b: [c, d]\n"
                          "    c: [a]\n"
                          "    d: [d2]\n" FOUR_MODELS
                          "- {model_name: d2, litellm_params: {model: gatewire/demo}}\n"
                          "- {model_name: e, litellm_params: {model: gatewire/demo}}\n"
                          "- {model_name: f, litellm_params: {model: gatewire/demo}}\n"
                          "model_groups:\n"
                          "  e: {fallbacks: [f]}\n"
                          "  f: {fallbacks: [e]}\n",
                          NULL),
                     GW_OK);
    assert_finding(false, 3, "router.fallbacks.a", "a -> b -> c -> a");
    assert_finding(false, 16, "model_groups.e.fallbacks", "e -> f -> e");
    assert_int_equal(report.count, 2);
    /* Lists of all lead everywhere; nobody means a circle. */
    assert_good("router: {default_fallbacks: [a, b]}\n" FOUR_MODELS, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(litellms_lists_are_understood, fixture_teardown),
        cmocka_unit_test_teardown(maps_are_understood, fixture_teardown),
        cmocka_unit_test_teardown(failover_can_be_off, fixture_teardown),
        cmocka_unit_test_teardown(patterns_models_get_groups_of_their_own, fixture_teardown),
        cmocka_unit_test_teardown(aliases_of_patterns_models_are_told, fixture_teardown),
        cmocka_unit_test_teardown(names_of_nobody_are_errors, fixture_teardown),
        cmocka_unit_test_teardown(models_that_were_left_out_are_warnings, fixture_teardown),
        cmocka_unit_test_teardown(rules_for_nobody_and_second_lists_are_told, fixture_teardown),
        cmocka_unit_test_teardown(too_many_names_are_refused, fixture_teardown),
        cmocka_unit_test_teardown(circles_are_named, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
