/* SPDX-License-Identifier: MIT */
/* policy/probe - schedules, states and races, with a clock that is a number. */
#include "policy/probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"

static struct gw_probe probe;
static struct gw_probe_options options;

static int setup(void **state)
{
    (void)state;
    probe = (struct gw_probe){0};
    options = (struct gw_probe_options){.is_on = true};
    gw_probe_options_bound(&options);
    return 0;
}

static enum gw_probe_news end(enum gw_probe_outcome outcome)
{
    return gw_probe_end(&probe, &options, outcome, 1000);
}

static void test_defaults_and_bounds(void **state)
{
    (void)state;
    assert_int_equal(options.interval_ms, 30000);
    assert_int_equal(options.timeout_ms, 5000);
    assert_int_equal(options.failures, 3);
    assert_int_equal(options.successes, 2);
    options = (struct gw_probe_options){.interval_ms = UINT64_MAX,
                                        .timeout_ms = UINT64_MAX,
                                        .failures = UINT32_MAX,
                                        .successes = UINT32_MAX};
    gw_probe_options_bound(&options);
    assert_int_equal(options.interval_ms, 24 * 3600 * 1000);
    assert_int_equal(options.timeout_ms, options.interval_ms / 2);
    assert_int_equal(options.failures, 63);
    assert_int_equal(options.successes, 63);
    options = (struct gw_probe_options){.interval_ms = 1};
    gw_probe_options_bound(&options);
    assert_int_equal(options.interval_ms, 1000);
    assert_int_equal(options.timeout_ms, 500);
}

/* Four workers look each 100 ms for an hour: one probe each 27 to 33 s, never two. */
static void test_one_at_a_time(void **state)
{
    struct gw_rng rng;
    uint64_t last_ms = 0;
    unsigned count = 0;
    (void)state;
    gw_rng_init_fixed(&rng, 8);
    for (uint64_t now_ms = 1000; now_ms < 3601000; now_ms += 100) {
        for (int worker = 0; worker < 4; worker++) {
            uint64_t due_ms = gw_probe_due_in_ms(&probe, &options, now_ms);
            if (gw_probe_try_begin(&probe, &options, now_ms, gw_rng_next(&rng))) {
                assert_int_equal(due_ms, 0);
                assert_in_range(now_ms - last_ms, last_ms == 0 ? 0 : 27000, 33100);
                last_ms = now_ms;
                count++;
            }
        }
    }
    assert_in_range(count, 115, 125);
}

static void test_off(void **state)
{
    (void)state;
    options.is_on = false;
    assert_int_equal(gw_probe_due_in_ms(&probe, &options, 1), UINT64_MAX);
    assert_false(gw_probe_try_begin(&probe, &options, 1, 0));
    (void)end(GW_PROBE_FAILED);
    (void)end(GW_PROBE_FAILED);
    (void)end(GW_PROBE_FAILED);
    assert_false(gw_probe_is_down(&probe, &options));
    assert_int_equal(gw_probe_note_traffic(&probe, &options, 1, 0), GW_PROBE_NO_NEWS);
}

static void test_down_and_up(void **state)
{
    (void)state;
    assert_int_equal(end(GW_PROBE_FAILED), GW_PROBE_NO_NEWS);
    assert_int_equal(end(GW_PROBE_FAILED), GW_PROBE_NO_NEWS);
    assert_int_equal(end(GW_PROBE_OK), GW_PROBE_NO_NEWS); /* from the start */
    assert_int_equal(end(GW_PROBE_FAILED), GW_PROBE_NO_NEWS);
    assert_int_equal(end(GW_PROBE_FAILED), GW_PROBE_NO_NEWS);
    assert_false(gw_probe_is_down(&probe, &options));
    assert_int_equal(end(GW_PROBE_FAILED), GW_PROBE_WENT_DOWN);
    assert_true(gw_probe_is_down(&probe, &options));
    assert_int_equal(end(GW_PROBE_FAILED), GW_PROBE_NO_NEWS);
    assert_int_equal(end(GW_PROBE_OK), GW_PROBE_NO_NEWS);
    assert_int_equal(end(GW_PROBE_FAILED), GW_PROBE_NO_NEWS);
    assert_int_equal(end(GW_PROBE_OK), GW_PROBE_NO_NEWS);
    assert_int_equal(end(GW_PROBE_OK), GW_PROBE_CAME_UP);
    assert_false(gw_probe_is_down(&probe, &options));
}

static void test_traffic_is_the_better_probe(void **state)
{
    (void)state;
    uint64_t now_ms = 50000;
    assert_false(gw_probe_try_begin(&probe, &options, now_ms, 7000)); /* begins the schedule */
    assert_int_equal(gw_probe_due_in_ms(&probe, &options, now_ms), 7000);
    for (int i = 0; i < 1000; i++) { /* busy: nothing is ever due */
        now_ms += 100;
        assert_int_equal(gw_probe_note_traffic(&probe, &options, now_ms, 100), GW_PROBE_NO_NEWS);
        assert_false(gw_probe_try_begin(&probe, &options, now_ms, 100));
    }
    assert_in_range(gw_probe_due_in_ms(&probe, &options, now_ms), 26000, 30000);
    /* Nearly fresh: no write to the word that all read. */
    uint64_t before = probe.word;
    (void)gw_probe_note_traffic(&probe, &options, now_ms, 0);
    assert_int_equal(probe.word, before);
    for (int i = 0; i < 3; i++) {
        (void)end(GW_PROBE_FAILED);
    }
    assert_int_equal(gw_probe_note_traffic(&probe, &options, now_ms, 0), GW_PROBE_NO_NEWS);
    assert_int_equal(gw_probe_note_traffic(&probe, &options, now_ms, 0), GW_PROBE_CAME_UP);
}

static void test_jumps_of_the_clock(void **state)
{
    (void)state;
    uint64_t now_ms = UINT64_C(1) << 47;
    assert_false(gw_probe_try_begin(&probe, &options, now_ms, 0));
    assert_true(gw_probe_try_begin(&probe, &options, now_ms, 0));
    assert_false(gw_probe_try_begin(&probe, &options, now_ms, 0));
    assert_true(gw_probe_try_begin(&probe, &options, now_ms - 90000, 0)); /* back */
    assert_true(gw_probe_try_begin(&probe, &options, now_ms + 1000000000, 0));
    /* Over the end of 48 bits, and of 64. */
    assert_true(gw_probe_try_begin(&probe, &options, (UINT64_C(1) << 48) - 1, 0));
    assert_int_equal(gw_probe_due_in_ms(&probe, &options, (UINT64_C(1) << 48) + 6999), 20000);
    assert_true(gw_probe_try_begin(&probe, &options, UINT64_MAX - 90000, 0));
    assert_int_equal(gw_probe_due_in_ms(&probe, &options, UINT64_MAX - 90000), 27000);
    assert_false(gw_probe_is_down(&probe, &options));
}

static void test_outcomes(void **state)
{
    (void)state;
    static const struct {
        unsigned status;
        enum gw_probe_outcome outcome;
        bool is_alive;
    } cases[] = {
        {200, GW_PROBE_OK, true},       {299, GW_PROBE_OK, true},
        {101, GW_PROBE_REJECTED, true}, {302, GW_PROBE_REJECTED, true},
        {400, GW_PROBE_REJECTED, true}, {401, GW_PROBE_REFUSED, true},
        {403, GW_PROBE_REFUSED, true},  {404, GW_PROBE_REJECTED, true},
        {429, GW_PROBE_LIMITED, true},  {500, GW_PROBE_FAILED, false},
        {529, GW_PROBE_FAILED, false},  {599, GW_PROBE_FAILED, false},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        assert_int_equal(gw_probe_outcome_of(cases[i].status), cases[i].outcome);
        assert_int_equal(gw_probe_is_alive(cases[i].outcome), cases[i].is_alive);
    }
    assert_false(gw_probe_is_alive(GW_PROBE_TIMED_OUT));
    assert_false(gw_probe_is_alive(GW_PROBE_BROKEN));
    assert_true(gw_str_eq(gw_probe_outcome_name(GW_PROBE_BROKEN), GW_STR("connection_failed")));
}

static void test_the_last_one_is_remembered(void **state)
{
    (void)state;
    uint64_t ago_ms = 1;
    assert_int_equal(gw_probe_last(&probe, 5000, &ago_ms), GW_PROBE_NONE);
    (void)gw_probe_end(&probe, &options, GW_PROBE_LIMITED, 6000);
    (void)gw_probe_end(&probe, &options, GW_PROBE_BROKEN, 7000);
    assert_int_equal(gw_probe_last(&probe, 7250, &ago_ms), GW_PROBE_BROKEN);
    assert_int_equal(ago_ms, 250);
    assert_int_equal(gw_probe_last(&probe, 6999, &ago_ms), GW_PROBE_BROKEN); /* jumped back */
    assert_int_equal(ago_ms, 0);
    assert_int_equal(probe.outcomes_total[GW_PROBE_LIMITED], 1);
    assert_int_equal(probe.outcomes_total[GW_PROBE_BROKEN], 1);
    assert_int_equal(probe.outcomes_total[GW_PROBE_OK], 0);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_defaults_and_bounds),
        TEST(test_one_at_a_time),
        TEST(test_off),
        TEST(test_down_and_up),
        TEST(test_traffic_is_the_better_probe),
        TEST(test_jumps_of_the_clock),
        TEST(test_outcomes),
        TEST(test_the_last_one_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
