/* SPDX-License-Identifier: MIT */
/* policy/hedge, policy/concurrency, policy/fallback - simulated providers and preset chains. */
#include "policy/hedge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "policy/concurrency.h"
#include "policy/fallback.h"

static const struct gw_hedge_facts plain = {.task = GW_TASK_CHAT, .has_other = true};

static void test_what_is_never_hedged(void **state)
{
    (void)state;
    struct gw_quantile quantile = {0};
    struct gw_hedge_policy policy = {.is_on = true, .delay_ms = 300};
    struct gw_hedge_facts facts = plain;
    assert_int_equal(gw_hedge_delay_ms(&policy, &facts, &quantile), 300);
    facts.is_stored = true;
    assert_int_equal(gw_hedge_delay_ms(&policy, &facts, &quantile), 0);
    facts = plain;
    facts.has_other = false;
    assert_int_equal(gw_hedge_delay_ms(&policy, &facts, &quantile), 0);
    facts = plain;
    facts.task = GW_TASK_IMAGE;
    assert_int_equal(gw_hedge_delay_ms(&policy, &facts, &quantile), 0);
    facts = plain;
    facts.is_streamed_up = true;
    assert_int_equal(gw_hedge_delay_ms(&policy, &facts, &quantile), 0);
    policy.delay_ms = 0; /* the p95, which nobody knows yet */
    assert_int_equal(gw_hedge_delay_ms(&policy, &plain, &quantile), 0);
    policy.is_on = false;
    assert_int_equal(gw_hedge_delay_ms(&policy, &plain, &quantile), 0);
}

/* One answer in twenty takes 5 s instead of 100 to 200 ms: the tail goes, for 5 % more. */
static void test_hedging_cuts_the_tail(void **state)
{
    (void)state;
    struct gw_rng rng;
    struct gw_quantile quantile = {0};
    struct gw_allowance allowance;
    struct gw_hedge_policy policy = {.is_on = true, .budget_pct = 6};
    unsigned slow = 0;
    unsigned hedges = 0;
    gw_rng_init_fixed(&rng, 17);
    gw_allowance_init(&allowance);
    for (int i = 0; i < 20000; i++) {
        uint64_t first = gw_rng_below(&rng, 25) == 0 ? 5000 : 100 + gw_rng_below(&rng, 100);
        uint64_t second = gw_rng_below(&rng, 25) == 0 ? 5000 : 100 + gw_rng_below(&rng, 100);
        uint64_t delay = gw_hedge_delay_ms(&policy, &plain, &quantile);
        uint64_t took = first;
        gw_hedge_note_request(&policy, &allowance);
        if (delay > 0 && first > delay && gw_hedge_may_start(&allowance)) {
            hedges++;
            took = first < delay + second ? first : delay + second;
        }
        slow += took >= 1000;
        gw_quantile_add(&quantile, first * 1000);
    }
    assert_in_range(hedges, 500, 20000 * 6 / 100 + GW_ALLOWANCE_START + 1);
    assert_true(slow < 150); /* without: 800 */
}

/* A provider that serves 30 at once in 100 ms and gets slower in proportion beyond. */
static void test_concurrency_finds_the_knee(void **state)
{
    (void)state;
    struct gw_concurrency concurrency = {0};
    struct gw_concurrency_options options = {.is_on = true};
    gw_concurrency_options_bound(&options);
    assert_int_equal(gw_concurrency_limit(&concurrency, &options), 20);
    for (int i = 0; i < 400; i++) {
        uint32_t in_flight = gw_concurrency_limit(&concurrency, &options);
        uint64_t us = in_flight <= 30 ? 100000 : 100000u * (uint64_t)in_flight / 30;
        gw_concurrency_note(&concurrency, &options, us, in_flight, false);
    }
    uint32_t limit = gw_concurrency_limit(&concurrency, &options);
    assert_in_range(limit, 30, 1000);
    for (int i = 0; i < 100; i++) {
        gw_concurrency_note(&concurrency, &options, 0, limit, true);
    }
    assert_int_equal(gw_concurrency_limit(&concurrency, &options), options.min);
    for (int i = 0; i < 100; i++) { /* nobody needs more: it does not grow */
        gw_concurrency_note(&concurrency, &options, 1000, 1, false);
    }
    assert_int_equal(gw_concurrency_limit(&concurrency, &options), options.min);
    gw_concurrency_note(&concurrency, &options, UINT64_MAX, UINT32_MAX, false);
    gw_concurrency_note(&concurrency, &options, 0, UINT32_MAX, false);
    options.is_on = false;
    assert_true(gw_concurrency_limit(&concurrency, &options) == UINT32_MAX);
}

static void test_presets(void **state)
{
    (void)state;
    struct gw_str chain[GW_FALLBACK_CHAIN_MAX];
    assert_int_equal(gw_fallback_preset(GW_STR("openai/gpt-4o-mini-2024-07-18"), chain), 2);
    assert_string_equal(chain[0].ptr, "claude-haiku-4-5");
    assert_int_equal(gw_fallback_preset(GW_STR("gpt-4o"), chain), 2);
    assert_string_equal(chain[1].ptr, "gemini-2.5-pro");
    assert_int_equal(gw_fallback_preset(GW_STR("claude-sonnet-4-5-20250929"), chain), 2);
    assert_string_equal(chain[0].ptr, "gpt-4o");
    assert_int_equal(gw_fallback_preset(GW_STR("gpt-4.1"), chain), 0);
    assert_int_equal(gw_fallback_preset(GW_STR(""), chain), 0);
}

static void test_modes(void **state)
{
    (void)state;
    enum gw_failover_mode mode = GW_FAILOVER_CLOUD_FIRST;
    assert_int_equal(gw_failover_mode_parse(GW_STR("LOCAL_ONLY"), &mode), GW_OK);
    assert_true(gw_failover_mode_allows(mode, true));
    assert_false(gw_failover_mode_allows(mode, false));
    assert_int_equal(gw_failover_mode_parse(GW_STR("local-first"), &mode), GW_OK);
    assert_true(gw_failover_mode_prefers(mode, true, false));
    assert_false(gw_failover_mode_prefers(mode, false, true));
    assert_false(gw_failover_mode_prefers(mode, true, true));
    assert_true(gw_failover_mode_prefers(GW_FAILOVER_CLOUD_FIRST, false, true));
    assert_int_equal(gw_failover_mode_parse(GW_STR("moon"), &mode), GW_ERR_NOT_FOUND);
}

static void test_circles(void **state)
{
    (void)state;
    static const uint32_t to_one[] = {1, 2};
    static const uint32_t to_two[] = {2};
    static const uint32_t to_zero[] = {0};
    const uint32_t *straight[] = {to_one, to_two, NULL};
    static const size_t straight_counts[] = {2, 1, 0};
    const uint32_t *round[] = {to_one, to_two, to_zero};
    static const size_t round_counts[] = {2, 1, 1};
    uint32_t back_to = 9;
    assert_false(gw_fallback_has_circle(straight, straight_counts, 3, &back_to));
    assert_true(gw_fallback_has_circle(round, round_counts, 3, &back_to));
    assert_int_equal(back_to, 0);
    assert_true(gw_fallback_has_circle(&round[2], &round_counts[2], 1, &back_to)); /* itself */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_never_hedged),
        cmocka_unit_test(test_hedging_cuts_the_tail),
        cmocka_unit_test(test_concurrency_finds_the_knee),
        cmocka_unit_test(test_presets),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_circles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
