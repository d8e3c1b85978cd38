/* SPDX-License-Identifier: MIT */
/* policy/gcra - against a reference bucket, with absurd numbers, jumping clocks and threads. */
#include "policy/gcra.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "base/rng.h"

#define SECOND UINT64_C(1000000000)
#define MINUTE GW_GCRA_MINUTE_NS

static void test_a_bucket(void **state)
{
    (void)state;
    struct gw_gcra gcra = {0};
    struct gw_gcra_rate rate = gw_gcra_per_minute(60);
    uint64_t now = 1000 * SECOND;
    for (int i = 0; i < 60; i++) {
        assert_true(gw_gcra_try_take(&gcra, rate, 1, now));
    }
    assert_false(gw_gcra_try_take(&gcra, rate, 1, now));
    assert_int_equal(gw_gcra_wait_ns(&gcra, rate, 1, now), SECOND);
    assert_int_equal(gw_gcra_wait_ns(&gcra, rate, 5, now), 5 * SECOND);
    assert_int_equal(gw_gcra_remaining(&gcra, rate, now + 10 * SECOND), 10);
    assert_false(gw_gcra_try_take(&gcra, rate, 11, now + 10 * SECOND));
    assert_true(gw_gcra_try_take(&gcra, rate, 10, now + 10 * SECOND));
    assert_int_equal(gw_gcra_remaining(&gcra, rate, now + 3600 * SECOND), 60);
}

static void test_corrections(void **state)
{
    (void)state;
    struct gw_gcra gcra = {0};
    struct gw_gcra_rate rate = gw_gcra_per_minute(600);
    uint64_t now = 1000 * SECOND;
    assert_true(gw_gcra_try_take(&gcra, rate, 100, now));
    gw_gcra_give_back(&gcra, rate, 40, now);
    assert_int_equal(gw_gcra_remaining(&gcra, rate, now), 540);
    gw_gcra_give_back(&gcra, rate, 10000, now);
    assert_int_equal(gw_gcra_remaining(&gcra, rate, now), 600);
    gw_gcra_charge(&gcra, rate, 590, now);
    gw_gcra_charge(&gcra, rate, 60, now);
    assert_int_equal(gw_gcra_remaining(&gcra, rate, now), 0);
    assert_int_equal(gw_gcra_wait_ns(&gcra, rate, 10, now), 6 * SECOND);
    for (int i = 0; i < 100; i++) {
        gw_gcra_charge(&gcra, rate, UINT64_MAX, now);
    }
    assert_int_equal(gw_gcra_wait_ns(&gcra, rate, 600, now), 2 * MINUTE);
}

static void test_more_than_the_bucket_holds_waits_for_a_full_one(void **state)
{
    (void)state;
    struct gw_gcra gcra = {0};
    struct gw_gcra_rate rate = gw_gcra_per_minute(100);
    assert_true(gw_gcra_try_take(&gcra, rate, 5000, MINUTE));
    assert_false(gw_gcra_try_take(&gcra, rate, 1, MINUTE));
    assert_false(gw_gcra_try_take(&gcra, rate, 5000, 2 * MINUTE - 1));
    assert_true(gw_gcra_try_take(&gcra, rate, 5000, 2 * MINUTE));
}

static void test_no_limit(void **state)
{
    (void)state;
    struct gw_gcra gcra = {0};
    struct gw_gcra_rate rate = gw_gcra_per_minute(0);
    assert_true(gw_gcra_try_take(&gcra, rate, UINT64_MAX, 5));
    gw_gcra_charge(&gcra, rate, 5, 5);
    gw_gcra_give_back(&gcra, rate, 5, 5);
    assert_int_equal(gw_gcra_wait_ns(&gcra, rate, 5, 5), 0);
    assert_int_equal(gw_gcra_remaining(&gcra, rate, 5), UINT64_MAX);
}

/* The reference: a level in nanoseconds' worth, in wide arithmetic, refilled at each step. */
static void test_against_a_reference(void **state)
{
    (void)state;
    static const uint64_t limits[] = {1, 7, 60, 1000, 30000000, UINT64_C(1) << 40};
    for (size_t l = 0; l < GW_ARRAY_LEN(limits); l++) {
        struct gw_rng rng;
        gw_rng_init_fixed(&rng, 42 + l);
        struct gw_gcra gcra = {0};
        struct gw_gcra_rate rate = gw_gcra_per_minute(limits[l]);
        uint64_t now = 5 * MINUTE;
        uint64_t level = MINUTE; /* full */
        for (int i = 0; i < 20000; i++) {
            uint64_t step = gw_rng_below(&rng, MINUTE / 10);
            uint64_t amount = 1 + gw_rng_below(&rng, limits[l] < 10 ? 3 : limits[l] / 4);
            now += step;
            level = level + step < MINUTE ? level + step : MINUTE;
            __extension__ unsigned __int128 wide = (unsigned __int128)amount * MINUTE / limits[l];
            uint64_t cost = wide > MINUTE ? MINUTE : wide < 1 ? 1 : (uint64_t)wide;
            bool expected = cost <= level;
            assert_int_equal(gw_gcra_wait_ns(&gcra, rate, amount, now) == 0, expected);
            assert_int_equal(gw_gcra_try_take(&gcra, rate, amount, now), expected);
            level -= expected ? cost : 0;
        }
    }
}

/* Over any stretch no more passes than a bucket and what flowed in. */
static void test_never_more_than_promised(void **state)
{
    (void)state;
    struct gw_rng rng;
    gw_rng_init_fixed(&rng, 7);
    struct gw_gcra gcra = {0};
    struct gw_gcra_rate rate = gw_gcra_per_minute(1000);
    uint64_t taken = 0;
    uint64_t now = MINUTE;
    for (int i = 0; i < 100000; i++) {
        now += gw_rng_below(&rng, 10 * SECOND / 1000);
        taken += gw_gcra_try_take(&gcra, rate, 1, now);
    }
    uint64_t promised = 1000 + (now - MINUTE) * 1000 / MINUTE + 1;
    assert_true(taken <= promised);
    assert_true(taken >= promised - 2);
}

static void test_absurd_numbers_and_clock_jumps(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {0,         1, 59, MINUTE, UINT64_C(1) << 62, UINT64_MAX - 1,
                                       UINT64_MAX};
    for (size_t limit = 1; limit < 7; limit++) {
        for (size_t first = 0; first < 7; first++) {
            for (size_t then = 0; then < 7; then++) {
                struct gw_gcra gcra = {0};
                struct gw_gcra_rate rate = gw_gcra_per_minute(numbers[limit]);
                (void)gw_gcra_try_take(&gcra, rate, numbers[then], numbers[first]);
                gw_gcra_charge(&gcra, rate, numbers[first], numbers[first]);
                /* Wherever the clock went: two periods at most, then it flows again. */
                uint64_t wait = gw_gcra_wait_ns(&gcra, rate, 1, numbers[then]);
                assert_true(wait <= 2 * MINUTE);
                assert_true(gw_gcra_remaining(&gcra, rate, numbers[then]) <= numbers[limit]);
                gw_gcra_give_back(&gcra, rate, numbers[then], numbers[then]);
            }
        }
    }
}

static void test_the_clock_jumps_back(void **state)
{
    (void)state;
    struct gw_gcra gcra = {0};
    struct gw_gcra_rate rate = gw_gcra_per_minute(60);
    assert_true(gw_gcra_try_take(&gcra, rate, 10, 1000 * MINUTE));
    assert_true(gw_gcra_wait_ns(&gcra, rate, 1, 1 * MINUTE) <= MINUTE);
    assert_true(gw_gcra_try_take(&gcra, rate, 1, 2 * MINUTE) ||
                gw_gcra_wait_ns(&gcra, rate, 1, 2 * MINUTE) <= MINUTE);
}

struct share {
    struct gw_gcra gcra;
    _Atomic uint64_t taken;
};

static void *take_all(void *user)
{
    struct share *share = user;
    for (int i = 0; i < 50000; i++) {
        share->taken += gw_gcra_try_take(&share->gcra, gw_gcra_per_minute(30000), 1, MINUTE);
    }
    return NULL;
}

static void test_threads_take_each_token_once(void **state)
{
    (void)state;
    struct share share = {0};
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, take_all, &share), 0);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(share.taken, 30000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_bucket),
        cmocka_unit_test(test_corrections),
        cmocka_unit_test(test_more_than_the_bucket_holds_waits_for_a_full_one),
        cmocka_unit_test(test_no_limit),
        cmocka_unit_test(test_against_a_reference),
        cmocka_unit_test(test_never_more_than_promised),
        cmocka_unit_test(test_absurd_numbers_and_clock_jumps),
        cmocka_unit_test(test_the_clock_jumps_back),
        cmocka_unit_test(test_threads_take_each_token_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
