/* SPDX-License-Identifier: MIT */
/* config/build_probe: who is probed, how, by which model, and what is said of what makes no sense.
 */
#include "policy/routing.h"

#include "load_fixture.h"

static const char *const keys[] = {"OPENAI_API_KEY=sk-env", "OPENROUTER_API_KEY=sk-or", NULL};

#define MODELS                                                                                     \
    "model_list:\n"                                                                                \
    "- {model_name: a, litellm_params: {model: openai/gpt-4o}}\n"                                  \
    "- {model_name: b, litellm_params: {model: openai/gpt-4o-mini}}\n"

static const struct gw_probe_options *of(const char *model, size_t index)
{
    return &deployment_of(model, index)->routing->probe;
}

/* The model by which |model|'s deployment number |index| is probed. */
static struct gw_str asked(const char *model, size_t index)
{
    struct gw_str suffix = {0};
    const struct gw_model_group *group =
        gw_catalog_find(snapshot->catalog, gw_str_from_c(model), &suffix);
    assert_non_null(group);
    return gw_routing_probe_model(group, group->deployments[index]);
}

static void nobody_is_probed_unless_asked_for(void **state)
{
    (void)state;
    assert_good(MODELS, keys, 0);
    assert_false(of("a", 0)->is_on);
    assert_int_equal(asked("a", 0).len, 0);
    assert_good("router: {health_check: false}\n" MODELS, keys, 0);
    assert_false(of("a", 0)->is_on);
    assert_good(
        "general_settings: {background_health_checks: false, health_check_interval: 60}\n" MODELS,
        keys, 0);
    assert_false(of("a", 0)->is_on);
    assert_good("router:\n  health_check_interval: 30s\n" MODELS, keys, 1);
    assert_finding(false, 2, "router.health_check_interval", "nothing is probed");
    assert_good("general_settings:\n  health_check_interval: 300\n" MODELS, keys, 1);
    assert_finding(false, 2, "general_settings.health_check_interval", "nothing is probed");
}

static void the_defaults_are_those_of_the_policy(void **state)
{
    (void)state;
    struct gw_probe_options options = {0};
    gw_probe_options_bound(&options);
    static const char *const files[] = {
        "router: {health_check: true}\n" MODELS,
        "router: {health_check: {}}\n" MODELS,
        "router: {health_check: {enabled: yes}}\n" MODELS,
        "general_settings: {background_health_checks: true}\n" MODELS,
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(files); i++) {
        assert_good(files[i], keys, 0);
        assert_true(of("b", 0)->is_on);
        assert_int_equal(of("b", 0)->interval_ms, options.interval_ms);
        assert_int_equal(of("b", 0)->timeout_ms, options.timeout_ms);
        assert_int_equal(of("b", 0)->failures, options.failures);
        assert_int_equal(of("b", 0)->successes, options.successes);
        assert_text(asked("b", 0), "gpt-4o-mini");
    }
}

static void the_nearest_place_counts(void **state)
{
    (void)state;
    assert_good("router:\n"
                "  health_check: {interval: 1m, timeout: 10s, failures: 4, successes: 5}\n"
                "model_groups:\n"
                "  b: {health_check: {interval: 2m}}\n"
                "  c: {health_check: off}\n"
                "model_list:\n"
                "- {model_name: a, litellm_params: {model: openai/gpt-4o}}\n"
                "- {model_name: a, litellm_params: {model: openai/gpt-4o, health_check: false}}\n"
                "- model_name: a\n"
                "  litellm_params: {model: openai/gpt-4o}\n"
                "  model_info: {disable_background_health_check: true}\n"
                "- model_name: b\n"
                "  litellm_params: {model: openai/gpt-4o, health_check: {failures: 9}}\n"
                "  model_info: {health_check_timeout: 20, health_check_model: openai/gpt-4o-mini}\n"
                "- {model_name: c, litellm_params: {model: openai/gpt-4o}}\n",
                keys, 0);
    assert_true(of("a", 0)->is_on);
    assert_int_equal(of("a", 0)->interval_ms, 60000);
    assert_int_equal(of("a", 0)->timeout_ms, 10000);
    assert_int_equal(of("a", 0)->failures, 4);
    assert_int_equal(of("a", 0)->successes, 5);
    assert_false(of("a", 1)->is_on);
    assert_false(of("a", 2)->is_on);
    assert_int_equal(of("b", 0)->interval_ms, 120000);
    assert_int_equal(of("b", 0)->timeout_ms, 20000);
    assert_int_equal(of("b", 0)->failures, 9);
    assert_text(asked("b", 0), "gpt-4o-mini");
    assert_false(of("c", 0)->is_on);
}

static void litellms_seconds_are_read(void **state)
{
    (void)state;
    assert_good(
        "general_settings: {background_health_checks: True, health_check_interval: 300}\n" MODELS,
        keys, 0);
    assert_true(of("a", 0)->is_on);
    assert_int_equal(of("a", 0)->interval_ms, 300000);
}

static void patterns_need_a_model(void **state)
{
    (void)state;
    assert_good("router: {health_check: true}\n"
                "model_list:\n"
                "- {model_name: openai/*, litellm_params: {model: openai/*}}\n"
                "- model_name: or/*\n"
                "  litellm_params: {model: openrouter/*}\n"
                "  model_info: {health_check_model: anthropic/claude-haiku}\n"
                "- {model_name: gatewire/demo, litellm_params: {model: gatewire/demo}}\n",
                keys, 1);
    assert_finding(false, 3, "model_list[0]", "model_info.health_check_model");
    assert_int_equal(asked("openai/x", 0).len, 0);
    assert_text(asked("or/x", 0), "anthropic/claude-haiku");
    assert_int_equal(asked("gatewire/demo", 0).len, 0); /* answers in the process */
}

static void a_timeout_has_room_in_the_interval(void **state)
{
    (void)state;
    assert_good("router: {health_check: {interval: 4s}}\n" MODELS, keys, 0);
    assert_int_equal(of("a", 0)->timeout_ms, 2000);
    assert_good("router:\n  health_check:\n    interval: 10s\n    timeout: 6s\n" MODELS, keys, 1);
    assert_finding(false, 4, "router.health_check.timeout", "5000ms are used");
    assert_good("router: {health_check: true}\n"
                "model_list:\n"
                "- model_name: a\n"
                "  litellm_params: {model: openai/gpt-4o}\n"
                "  model_info:\n"
                "    health_check_timeout: 60\n",
                keys, 1);
    assert_finding(false, 6, "model_list[0].model_info.health_check_timeout", "15000ms are used");
    assert_int_equal(of("a", 0)->timeout_ms, 15000);
}

static void wrong_settings_are_named(void **state)
{
    (void)state;
    assert_bad("router:\n  health_check: {interval: 100ms}\n" MODELS, keys, 2,
               "router.health_check.interval", "from 1000ms to 86400s");
    assert_bad("router:\n  health_check: {failures: 0}\n" MODELS, keys, 2,
               "router.health_check.failures", "1 to 63");
    assert_bad("router:\n  health_check: {successes: 64}\n" MODELS, keys, 2,
               "router.health_check.successes", "1 to 63");
    assert_bad("general_settings:\n  background_health_checks: maybe\n" MODELS, keys, 2,
               "general_settings.background_health_checks", "true or false");
    assert_bad("model_list:\n"
               "- model_name: a\n"
               "  litellm_params: {model: openai/gpt-4o}\n"
               "  model_info:\n"
               "    health_check_model: openai/*\n",
               keys, 5, "model_list[0].model_info.health_check_model", "without '*'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(nobody_is_probed_unless_asked_for, fixture_teardown),
        cmocka_unit_test_teardown(the_defaults_are_those_of_the_policy, fixture_teardown),
        cmocka_unit_test_teardown(the_nearest_place_counts, fixture_teardown),
        cmocka_unit_test_teardown(litellms_seconds_are_read, fixture_teardown),
        cmocka_unit_test_teardown(patterns_need_a_model, fixture_teardown),
        cmocka_unit_test_teardown(a_timeout_has_room_in_the_interval, fixture_teardown),
        cmocka_unit_test_teardown(wrong_settings_are_named, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
