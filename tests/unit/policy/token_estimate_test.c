/* SPDX-License-Identifier: MIT */
/* policy/token_estimate - learning and guessing. */
#include "policy/token_estimate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static int setup(void **state)
{
    *state = gw_token_estimates_create();
    return 0;
}

static int teardown(void **state)
{
    struct gw_token_estimates *estimates = *state;
    gw_token_estimates_destroy(&estimates);
    return 0;
}

static void test_unknown_models_get_the_default(void **state)
{
    assert_int_equal(gw_token_estimates_guess(*state, GW_STR("m"), 400), 100);
    assert_int_equal(gw_token_estimates_guess(*state, GW_STR("m"), 0), 0);
    assert_int_equal(gw_token_estimates_guess(*state, GW_STR("m"), 1), 1);
}

static void test_a_model_is_learned_alone(void **state)
{
    gw_token_estimates_learn(*state, GW_STR("dense"), 2000, 1000);
    assert_int_equal(gw_token_estimates_guess(*state, GW_STR("dense"), 400), 200);
    assert_int_equal(gw_token_estimates_guess(*state, GW_STR("other"), 400), 100);
}

static void test_the_average_follows(void **state)
{
    gw_token_estimates_learn(*state, GW_STR("m"), 4000, 1000);
    for (int i = 0; i < 200; i++) {
        gw_token_estimates_learn(*state, GW_STR("m"), 2000, 1000);
    }
    uint64_t guess = gw_token_estimates_guess(*state, GW_STR("m"), 2000);
    assert_in_range(guess, 990, 1010);
}

static void test_small_and_absurd_samples_do_no_harm(void **state)
{
    gw_token_estimates_learn(*state, GW_STR("m"), 4000, 0);
    gw_token_estimates_learn(*state, GW_STR("m"), 4000, 15);
    assert_int_equal(gw_token_estimates_guess(*state, GW_STR("m"), 400), 100);
    gw_token_estimates_learn(*state, GW_STR("m"), UINT64_MAX, 16);
    gw_token_estimates_learn(*state, GW_STR("m"), UINT64_MAX / 2048, 16);
    assert_in_range(gw_token_estimates_guess(*state, GW_STR("m"), 6400), 100, 1600);
    (void)gw_token_estimates_guess(*state, GW_STR("m"), UINT64_MAX);
}

static void test_a_full_table_still_answers(void **state)
{
    char name[32];
    for (unsigned i = 0; i < 3 * GW_TOKEN_ESTIMATE_MODELS; i++) {
        int len = snprintf(name, sizeof(name), "model-%u", i);
        gw_token_estimates_learn(*state, gw_str(name, (size_t)len), 2000, 1000);
        assert_in_range(gw_token_estimates_guess(*state, gw_str(name, (size_t)len), 400), 100, 200);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_unknown_models_get_the_default, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_model_is_learned_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_average_follows, setup, teardown),
        cmocka_unit_test_setup_teardown(test_small_and_absurd_samples_do_no_harm, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_full_table_still_answers, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
