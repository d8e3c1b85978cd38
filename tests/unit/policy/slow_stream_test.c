/* SPDX-License-Identifier: MIT */
/* policy/slow_stream - streams of all kinds against a clock that is a number. */
#include "policy/slow_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define BEGIN_MS UINT64_C(1000000)

static const struct gw_slow_stream_policy policy = {
    .floor_tokens_per_s = 10, .grace_ms = 2000, .max_delivered_tokens = 200};

/* A stream of |per_s| tokens a second from the beginning on, looked at when it says; when it is
 * found slow, or 0. */
static uint64_t found_slow_at_ms(const struct gw_slow_stream_policy *given, uint64_t per_s,
                                 uint64_t halt_after_ms)
{
    struct gw_slow_stream stream;
    gw_slow_stream_begin(&stream, BEGIN_MS);
    uint64_t fed = 0;
    for (uint64_t ms = 1; ms <= 60000; ms++) {
        uint64_t due = (ms < halt_after_ms ? ms : halt_after_ms) * per_s / 1000;
        gw_slow_stream_feed(&stream, due - fed);
        fed = due;
        if (gw_slow_stream_look_at_ms(&stream, given) <= BEGIN_MS + ms &&
            gw_slow_stream_is_slow(&stream, given, BEGIN_MS + ms)) {
            return ms;
        }
    }
    return 0;
}

static void test_the_floor(void **state)
{
    (void)state;
    assert_int_equal(found_slow_at_ms(&policy, 9, UINT64_MAX), 2000);
    assert_int_equal(found_slow_at_ms(&policy, 0, UINT64_MAX), 2000);
    assert_int_equal(found_slow_at_ms(&policy, 10, UINT64_MAX), 0);
    assert_int_equal(found_slow_at_ms(&policy, 100, UINT64_MAX), 0);
    struct gw_slow_stream_policy off = policy;
    off.floor_tokens_per_s = 0;
    assert_int_equal(found_slow_at_ms(&off, 0, UINT64_MAX), 0);
}

/* 30 tokens a second, then nothing: noticed within two grace periods or so, not after 60 s. */
static void test_a_halt_after_a_fast_beginning(void **state)
{
    (void)state;
    uint64_t ms = found_slow_at_ms(&policy, 30, 3000);
    assert_in_range(ms, 5000, 7000);
    assert_int_equal(found_slow_at_ms(&policy, 100, 2500), 0); /* more than 200 are on the screen */
}

static void test_too_much_delivered(void **state)
{
    struct gw_slow_stream stream;
    (void)state;
    gw_slow_stream_begin(&stream, BEGIN_MS);
    gw_slow_stream_feed(&stream, 200);
    assert_int_equal(gw_slow_stream_look_at_ms(&stream, &policy), BEGIN_MS + 2000);
    gw_slow_stream_feed(&stream, 1);
    assert_int_equal(gw_slow_stream_look_at_ms(&stream, &policy), UINT64_MAX);
    assert_false(gw_slow_stream_is_slow(&stream, &policy, BEGIN_MS + 60000));
}

static void test_bytes(void **state)
{
    struct gw_slow_stream stream;
    (void)state;
    gw_slow_stream_begin(&stream, BEGIN_MS);
    for (int i = 0; i < 79; i++) {
        gw_slow_stream_feed_bytes(&stream, 1);
    }
    assert_int_equal(stream.tokens, 19); /* 20 are wanted in two seconds */
    struct gw_slow_stream other = stream;
    assert_true(gw_slow_stream_is_slow(&stream, &policy, BEGIN_MS + 2000));
    gw_slow_stream_feed_bytes(&other, 1);
    assert_false(gw_slow_stream_is_slow(&other, &policy, BEGIN_MS + 2000));
}

/* A client that takes nothing for a minute is not the provider's fault. */
static void test_a_rest_does_not_count(void **state)
{
    struct gw_slow_stream stream;
    (void)state;
    gw_slow_stream_begin(&stream, BEGIN_MS);
    gw_slow_stream_feed(&stream, 50);
    gw_slow_stream_resume(&stream, BEGIN_MS + 60000);
    assert_int_equal(gw_slow_stream_look_at_ms(&stream, &policy), BEGIN_MS + 62000);
    gw_slow_stream_feed(&stream, 20);
    assert_false(gw_slow_stream_is_slow(&stream, &policy, BEGIN_MS + 62000));
    assert_true(gw_slow_stream_is_slow(&stream, &policy, BEGIN_MS + 64000));
}

static void test_jumps_of_the_clock(void **state)
{
    struct gw_slow_stream stream;
    (void)state;
    gw_slow_stream_begin(&stream, BEGIN_MS);
    assert_false(gw_slow_stream_is_slow(&stream, &policy, BEGIN_MS - 5000)); /* back */
    assert_int_equal(gw_slow_stream_look_at_ms(&stream, &policy), BEGIN_MS - 3000);
    assert_true(gw_slow_stream_is_slow(&stream, &policy, BEGIN_MS - 3000));
    gw_slow_stream_begin(&stream, BEGIN_MS);
    assert_false(gw_slow_stream_is_slow(&stream, &policy, BEGIN_MS + 4001)); /* or asleep */
    assert_false(gw_slow_stream_is_slow(&stream, &policy, UINT64_MAX));
    assert_int_equal(gw_slow_stream_look_at_ms(&stream, &policy), UINT64_MAX); /* no overflow */
    gw_slow_stream_begin(&stream, BEGIN_MS);
    assert_true(gw_slow_stream_is_slow(&stream, &policy, BEGIN_MS + 4000));
}

static void test_extremes(void **state)
{
    struct gw_slow_stream stream;
    struct gw_slow_stream_policy most = {
        .floor_tokens_per_s = 1000, .grace_ms = UINT64_MAX, .max_delivered_tokens = UINT64_MAX};
    (void)state;
    gw_slow_stream_begin(&stream, 0);
    gw_slow_stream_feed(&stream, UINT64_MAX);
    gw_slow_stream_feed(&stream, UINT64_MAX);
    gw_slow_stream_feed_bytes(&stream, UINT64_MAX);
    gw_slow_stream_feed_bytes(&stream, UINT64_MAX);
    assert_int_equal(stream.tokens, UINT64_MAX);
    assert_false(gw_slow_stream_is_slow(&stream, &most, UINT64_MAX)); /* 1000 a second */
    gw_slow_stream_begin(&stream, 0);
    gw_slow_stream_feed(&stream, UINT64_MAX - 1);
    assert_true(gw_slow_stream_is_slow(&stream, &most, UINT64_MAX));
    most.floor_tokens_per_s = UINT32_MAX;
    gw_slow_stream_begin(&stream, 0);
    assert_true(gw_slow_stream_is_slow(&stream, &most, UINT64_MAX));
    /* No grace is one of a tenth of a second. */
    most.grace_ms = 0;
    gw_slow_stream_begin(&stream, BEGIN_MS);
    assert_int_equal(gw_slow_stream_look_at_ms(&stream, &most),
                     BEGIN_MS + GW_SLOW_STREAM_GRACE_MIN_MS);
    assert_false(gw_slow_stream_is_slow(&stream, &most, BEGIN_MS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_floor),
        cmocka_unit_test(test_a_halt_after_a_fast_beginning),
        cmocka_unit_test(test_too_much_delivered),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_a_rest_does_not_count),
        cmocka_unit_test(test_jumps_of_the_clock),
        cmocka_unit_test(test_extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
