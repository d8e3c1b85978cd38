/* SPDX-License-Identifier: MIT */
/* policy/strategy - names, and the distribution of each strategy over many picks. */
#include "policy/strategy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

#define MANY 100

static struct gw_rng rng;
static struct gw_strategy_memory memory;
static struct gw_candidate all[MANY];
static unsigned hits[MANY];

static int setup(void **state)
{
    (void)state;
    gw_rng_init_fixed(&rng, 11);
    memset(hits, 0, sizeof(hits));
    memory = (struct gw_strategy_memory){.rng = &rng};
    for (uint32_t i = 0; i < MANY; i++) {
        all[i] = (struct gw_candidate){
            .index = i, .weight = 1, .room_permille = 1000, .health = 1000, .latency_us = 100000};
    }
    return 0;
}

static void run(enum gw_strategy strategy, enum gw_complexity complexity, size_t count,
                unsigned picks)
{
    for (unsigned i = 0; i < picks; i++) {
        hits[all[gw_strategy_pick(strategy, &memory, complexity, all, count)].index]++;
    }
}

static void test_names(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum gw_strategy strategy;
    } rows[] = {
        {"round-robin", GW_STRATEGY_ROUND_ROBIN},
        {"Round_Robin", GW_STRATEGY_ROUND_ROBIN},
        {" least-busy ", GW_STRATEGY_LEAST_BUSY},
        {"least-latency", GW_STRATEGY_LATENCY_BASED},
        {"simple-shuffle", GW_STRATEGY_RANDOM},
        {"smart", GW_STRATEGY_SMART},
        {"usage-based-routing-v2", GW_STRATEGY_USAGE_BASED},
        {"weighted-round-robin", GW_STRATEGY_WEIGHTED},
    };
    enum gw_strategy found;
    for (size_t i = 0; i < GW_ARRAY_LEN(rows); i++) {
        assert_int_equal(gw_strategy_parse(gw_str_from_c(rows[i].name), &found), GW_OK);
        assert_int_equal(found, rows[i].strategy);
    }
    for (unsigned i = 0; i < GW_STRATEGY_COUNT; i++) {
        struct gw_str name = gw_strategy_name((enum gw_strategy)i);
        assert_int_equal(gw_strategy_parse(name, &found), GW_OK);
        assert_int_equal(found, i);
    }
    assert_int_equal(gw_strategy_parse(GW_STR("fastest"), &found), GW_ERR_NOT_FOUND);
    assert_int_equal(gw_strategy_parse(GW_STR(""), &found), GW_ERR_NOT_FOUND);
}

static void test_round_robin_is_even(void **state)
{
    (void)state;
    run(GW_STRATEGY_ROUND_ROBIN, GW_COMPLEXITY_LOW, 7, 700);
    for (int i = 0; i < 7; i++) {
        assert_int_equal(hits[i], 100);
    }
}

static void test_weighted_is_even_and_smooth(void **state)
{
    (void)state;
    static const uint32_t weights[] = {5, 1, 1};
    for (int i = 0; i < 3; i++) {
        all[i].weight = weights[i];
    }
    run(GW_STRATEGY_WEIGHTED, GW_COMPLEXITY_LOW, 3, 7000);
    assert_in_range(hits[0], 4995, 5005);
    assert_in_range(hits[1], 995, 1005);
    /* The light ones are spread: a random choice has runs of 20 here. */
    unsigned in_a_row = 0;
    for (int i = 0; i < 700; i++) {
        bool is_first = gw_strategy_pick(GW_STRATEGY_WEIGHTED, &memory, 0, all, 3) == 0;
        in_a_row = is_first ? in_a_row + 1 : 0;
        assert_true(in_a_row <= 6);
    }
}

static void test_random_follows_the_weights(void **state)
{
    (void)state;
    all[0].weight = 3;
    run(GW_STRATEGY_RANDOM, GW_COMPLEXITY_LOW, 2, 100000);
    assert_in_range(hits[0], 75000 - 700, 75000 + 700); /* five standard deviations */
}

static void test_priority(void **state)
{
    (void)state;
    all[1].priority = all[3].priority = 9;
    all[0].priority = -5;
    all[1].weight = 2;
    run(GW_STRATEGY_PRIORITY, GW_COMPLEXITY_LOW, 5, 300);
    assert_in_range(hits[1], 198, 202);
    assert_int_equal(hits[1] + hits[3], 300);
    all[0].priority = INT32_MIN;
    all[1].priority = all[3].priority = all[2].priority = INT32_MAX;
    run(GW_STRATEGY_PRIORITY, GW_COMPLEXITY_LOW, 5, 100);
    assert_int_equal(hits[0] + hits[4], 0);
}

static void test_least_busy_levels_out(void **state)
{
    (void)state;
    all[2].weight = 3;
    for (int i = 0; i < 600; i++) { /* nothing ends: in flight is what was picked */
        all[gw_strategy_pick(GW_STRATEGY_LEAST_BUSY, &memory, 0, all, 4)].in_flight++;
    }
    assert_in_range(all[0].in_flight, 99, 101);
    assert_in_range(all[2].in_flight, 299, 301);
}

static void test_latency_prefers_the_fast_and_explores(void **state)
{
    (void)state;
    all[0].latency_us = 100000;
    all[1].latency_us = 105000; /* as good */
    all[2].latency_us = 300000;
    all[3].latency_us = 900000;
    run(GW_STRATEGY_LATENCY_BASED, GW_COMPLEXITY_LOW, 4, 100000);
    assert_in_range(hits[0], 48000, 51000);
    assert_in_range(hits[1], 48000, 51000);
    assert_in_range(hits[2], 400, 600); /* 2 % explore, over four */
    assert_in_range(hits[3], 400, 600);
    all[3].latency_us = 0; /* unknown and idle: now */
    hits[3] = 0;
    run(GW_STRATEGY_LATENCY_BASED, GW_COMPLEXITY_LOW, 4, 100);
    assert_true(hits[3] > 90);
    all[3].in_flight = 1; /* until it answers */
    hits[3] = 0;
    run(GW_STRATEGY_LATENCY_BASED, GW_COMPLEXITY_LOW, 4, 100);
    assert_true(hits[3] < 10);
}

static void test_usage_cost_and_quality(void **state)
{
    (void)state;
    all[0].room_permille = 10;
    all[1].room_permille = 700;
    all[2].room_permille = 699;
    run(GW_STRATEGY_USAGE_BASED, GW_COMPLEXITY_LOW, 3, 10);
    assert_int_equal(hits[1], 10);
    all[0].cost_nusd = 5;
    all[1].cost_nusd = 7;
    all[2].cost_nusd = 5;
    run(GW_STRATEGY_LEAST_COST, GW_COMPLEXITY_LOW, 3, 10);
    assert_int_equal(hits[0], 5);
    assert_int_equal(hits[2], 5);
    all[1].quality = 980;
    all[2].quality = 1000;
    run(GW_STRATEGY_BEST_QUALITY, GW_COMPLEXITY_LOW, 3, 10);
    assert_int_equal(hits[2], 15);
}

static void test_smart_follows_the_complexity(void **state)
{
    (void)state;
    all[0] = (struct gw_candidate){.index = 0,
                                   .weight = 1,
                                   .cost_nusd = 9000000,
                                   .quality = 1000,
                                   .latency_us = 1500000,
                                   .health = 1000};
    all[1] = (struct gw_candidate){.index = 1,
                                   .weight = 1,
                                   .cost_nusd = 50000,
                                   .quality = 600,
                                   .latency_us = 400000,
                                   .health = 1000};
    assert_int_equal(gw_strategy_pick(GW_STRATEGY_SMART, &memory, GW_COMPLEXITY_LOW, all, 2), 1);
    assert_int_equal(gw_strategy_pick(GW_STRATEGY_SMART, &memory, GW_COMPLEXITY_MEDIUM, all, 2), 1);
    all[1].quality = 300;
    assert_int_equal(gw_strategy_pick(GW_STRATEGY_SMART, &memory, GW_COMPLEXITY_HIGH, all, 2), 0);
    all[0].health = 100; /* a sick one is not smart */
    assert_int_equal(gw_strategy_pick(GW_STRATEGY_SMART, &memory, GW_COMPLEXITY_HIGH, all, 2), 1);
    assert_int_equal(gw_strategy_smart_score(&all[1], GW_COMPLEXITY_LOW),
                     1000 * 700 + 888 * 150 + 300 * 150);
}

/* A candidate that comes and goes (a breaker) neither starves the others nor is flooded after. */
static void test_weights_stay_fair_when_one_leaves_and_returns(void **state)
{
    (void)state;
    run(GW_STRATEGY_WEIGHTED, GW_COMPLEXITY_LOW, 3, 300);
    run(GW_STRATEGY_WEIGHTED, GW_COMPLEXITY_LOW, 2, 1000);
    memset(hits, 0, sizeof(hits));
    run(GW_STRATEGY_WEIGHTED, GW_COMPLEXITY_LOW, 3, 30);
    for (int i = 0; i < 3; i++) {
        assert_in_range(hits[i], 9, 11);
    }
}

static void test_what_a_pick_costs(void **state)
{
    (void)state;
    for (unsigned s = 0; s < GW_STRATEGY_COUNT; s++) {
        uint64_t ns = UINT64_MAX; /* the best of many: others use this machine, too */
        for (int i = 0; i < 100; i++) {
            uint64_t begun = gw_clock_mono_ns();
            run((enum gw_strategy)s, GW_COMPLEXITY_MEDIUM, MANY, 500);
            uint64_t each = (gw_clock_mono_ns() - begun) / 500;
            ns = each < ns ? each : ns;
        }
        print_message("%-14s %llu ns a pick of %d\n", gw_strategy_name((enum gw_strategy)s).ptr,
                      (unsigned long long)ns, MANY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_names, setup),
        cmocka_unit_test_setup(test_round_robin_is_even, setup),
        cmocka_unit_test_setup(test_weighted_is_even_and_smooth, setup),
        cmocka_unit_test_setup(test_random_follows_the_weights, setup),
        cmocka_unit_test_setup(test_priority, setup),
        cmocka_unit_test_setup(test_least_busy_levels_out, setup),
        cmocka_unit_test_setup(test_latency_prefers_the_fast_and_explores, setup),
        cmocka_unit_test_setup(test_usage_cost_and_quality, setup),
        cmocka_unit_test_setup(test_smart_follows_the_complexity, setup),
        cmocka_unit_test_setup(test_weights_stay_fair_when_one_leaves_and_returns, setup),
        cmocka_unit_test_setup(test_what_a_pick_costs, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
