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
    (void)gw_probe_end(&probe, &options, false);
    (void)gw_probe_end(&probe, &options, false);
    (void)gw_probe_end(&probe, &options, false);
    assert_false(gw_probe_is_down(&probe, &options));
    assert_int_equal(gw_probe_note_traffic(&probe, &options, 1, 0), GW_PROBE_NO_NEWS);
}

static void test_down_and_up(void **state)
{
    (void)state;
    assert_int_equal(gw_probe_end(&probe, &options, false), GW_PROBE_NO_NEWS);
    assert_int_equal(gw_probe_end(&probe, &options, false), GW_PROBE_NO_NEWS);
    assert_int_equal(gw_probe_end(&probe, &options, true), GW_PROBE_NO_NEWS); /* from the start */
    assert_int_equal(gw_probe_end(&probe, &options, false), GW_PROBE_NO_NEWS);
    assert_int_equal(gw_probe_end(&probe, &options, false), GW_PROBE_NO_NEWS);
    assert_false(gw_probe_is_down(&probe, &options));
    assert_int_equal(gw_probe_end(&probe, &options, false), GW_PROBE_WENT_DOWN);
    assert_true(gw_probe_is_down(&probe, &options));
    assert_int_equal(gw_probe_end(&probe, &options, false), GW_PROBE_NO_NEWS);
    assert_int_equal(gw_probe_end(&probe, &options, true), GW_PROBE_NO_NEWS);
    assert_int_equal(gw_probe_end(&probe, &options, false), GW_PROBE_NO_NEWS);
    assert_int_equal(gw_probe_end(&probe, &options, true), GW_PROBE_NO_NEWS);
    assert_int_equal(gw_probe_end(&probe, &options, true), GW_PROBE_CAME_UP);
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
        (void)gw_probe_end(&probe, &options, false);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
