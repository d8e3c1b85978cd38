/* SPDX-License-Identifier: MIT */
/* policy/limits, policy/credentials, policy/health, policy/quantile - what a deployment's state is
 * made of. */
#include "policy/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"
#include "policy/credentials.h"
#include "policy/health.h"
#include "policy/quantile.h"

#define NOW 5000000u

static void test_configured_limits(void **state)
{
    (void)state;
    struct gw_limits limits = {0};
    struct gw_limit_options options = {.rpm = 3, .tpm = 1000, .max_parallel = 2};
    uint64_t wait = 0;
    assert_int_equal(gw_limits_begin(&limits, &options, 100, NOW), GW_LIMIT_NONE);
    assert_int_equal(gw_limits_begin(&limits, &options, 100, NOW), GW_LIMIT_NONE);
    assert_int_equal(gw_limits_begin(&limits, &options, 100, NOW), GW_LIMIT_PARALLEL);
    gw_limits_end(&limits, &options, 100, 850, true, NOW); /* it was more than guessed */
    assert_int_equal(gw_limits_check(&limits, &options, 100, NOW, &wait), GW_LIMIT_TOKENS);
    assert_int_equal(wait, 3000);
    gw_limits_end(&limits, &options, 100, 0, false, NOW); /* never sent: all back */
    assert_int_equal(limits.in_flight, 0);
    assert_int_equal(gw_limits_begin(&limits, &options, 100, NOW), GW_LIMIT_NONE);
    gw_limits_end(&limits, &options, 100, 0, true, NOW);
    assert_int_equal(gw_limits_begin(&limits, &options, 1, NOW), GW_LIMIT_NONE);
    assert_int_equal(gw_limits_check(&limits, &options, 1, NOW, &wait), GW_LIMIT_REQUESTS);
    assert_int_equal(wait, 20000);
    assert_int_equal(gw_limits_room_permille(&limits, &options, NOW), 0);
}

static void test_no_limits(void **state)
{
    (void)state;
    struct gw_limits limits = {0};
    struct gw_limit_options options = {0};
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(gw_limits_begin(&limits, &options, UINT64_MAX, NOW), GW_LIMIT_NONE);
    }
    assert_int_equal(gw_limits_room_permille(&limits, &options, NOW), 1000);
}

static struct gw_rate_headers told(uint64_t requests, uint64_t tokens, uint64_t reset_ms)
{
    return (struct gw_rate_headers){
        .requests = {.has_remaining = true, .remaining = requests, .reset_ms = reset_ms},
        .tokens = {.has_remaining = true, .remaining = tokens, .reset_ms = reset_ms}};
}

static void test_what_the_provider_told(void **state)
{
    (void)state;
    struct gw_limits limits = {0};
    struct gw_limit_options options = {0};
    uint64_t wait = 0;
    struct gw_rate_headers headers = told(2, 500, 10000);
    gw_limits_learn(&limits, &headers, NOW);
    assert_int_equal(gw_limits_check(&limits, &options, 501, NOW, &wait), GW_LIMIT_LEARNED_TOKENS);
    assert_int_equal(wait, 10000);
    assert_int_equal(gw_limits_begin(&limits, &options, 10, NOW), GW_LIMIT_NONE);
    assert_int_equal(gw_limits_begin(&limits, &options, 10, NOW), GW_LIMIT_NONE);
    assert_int_equal(gw_limits_begin(&limits, &options, 10, NOW), GW_LIMIT_LEARNED_REQUESTS);
    assert_int_equal(gw_limits_check(&limits, &options, 10, NOW + 10000, NULL), GW_LIMIT_NONE);
    /* A day's window counts for a minute. */
    headers = told(0, UINT64_MAX, GW_RATE_HEADERS_MAX_MS);
    gw_limits_learn(&limits, &headers, NOW);
    assert_int_equal(gw_limits_check(&limits, &options, 1, NOW, &wait), GW_LIMIT_LEARNED_REQUESTS);
    assert_int_equal(wait, GW_LIMITS_LEARNED_MAX_MS);
    /* A clock that jumps frees it. */
    assert_int_equal(gw_limits_check(&limits, &options, 1, 5, NULL), GW_LIMIT_NONE);
    headers = told(0, 0, 0); /* nothing left until nobody knows when: no rest */
    gw_limits_learn(&limits, &headers, NOW + 100000);
    assert_int_equal(gw_limits_check(&limits, &options, 1, NOW + 100000, NULL), GW_LIMIT_NONE);
}

static void test_what_is_left(void **state)
{
    (void)state;
    struct gw_limits limits = {0};
    struct gw_limit_options options = {.rpm = 3, .tpm = 1000, .max_parallel = 2};
    struct gw_limit_options none = {0};
    struct gw_rate_headers headers = told(7, 500, 30000);
    struct gw_limits_left left = gw_limits_left(&limits, &none, NOW);
    assert_int_equal(left.requests, UINT64_MAX);
    assert_int_equal(left.tokens, UINT64_MAX);
    assert_int_equal(left.parallel, UINT64_MAX);
    assert_int_equal(left.learned_requests, UINT64_MAX);
    assert_int_equal(left.learned_tokens, UINT64_MAX);
    gw_limits_learn(&limits, &headers, NOW);
    assert_int_equal(gw_limits_begin(&limits, &options, 100, NOW), GW_LIMIT_NONE);
    left = gw_limits_left(&limits, &options, NOW);
    assert_int_equal(left.requests, 2);
    assert_int_equal(left.tokens, 900);
    assert_int_equal(left.parallel, 1);
    assert_int_equal(left.learned_requests, 6);
    assert_int_equal(left.learned_tokens, 400);
    /* What the provider said is old, and the buckets are full again. */
    left = gw_limits_left(&limits, &options, NOW + 61000);
    assert_int_equal(left.requests, 3);
    assert_int_equal(left.tokens, 1000);
    assert_int_equal(left.learned_requests, UINT64_MAX);
    options.max_parallel = 1;
    limits.in_flight = 5; /* the limit was lowered by a reload */
    assert_int_equal(gw_limits_left(&limits, &options, NOW).parallel, 0);
}

static void test_credentials_take_turns_and_rest(void **state)
{
    (void)state;
    struct gw_credential_state keys[3] = {0};
    struct gw_credential_state *states[] = {&keys[0], &keys[1], &keys[2]};
    struct gw_credential_pool pool = {.states = states, .count = 3};
    size_t index = 9;
    uint64_t wait = 0;
    for (uint64_t turn = 0; turn < 6; turn++) {
        assert_int_equal(gw_credentials_pick(&pool, 0, turn, 1, NOW, &index, NULL),
                         GW_CREDENTIAL_FOUND);
        assert_int_equal(index, turn % 3);
    }
    gw_credential_rest(&keys[0], 5000, NOW);
    gw_credential_rest(&keys[0], 1000, NOW); /* the longer rest stays */
    gw_credential_rest(&keys[1], 0, NOW);
    assert_int_equal(gw_credentials_pick(&pool, 0, 0, 1, NOW, &index, NULL), GW_CREDENTIAL_FOUND);
    assert_int_equal(index, 2);
    assert_int_equal(gw_credentials_pick(&pool, 1u << 2, 0, 1, NOW, &index, &wait),
                     GW_CREDENTIAL_RESTING);
    assert_int_equal(wait, 5000);
    assert_true(gw_credential_refuse(&keys[2], NOW));
    assert_true(gw_credential_is_refused(&keys[2]));
    assert_int_equal(gw_credentials_pick(&pool, 3, 0, 1, NOW, &index, &wait),
                     GW_CREDENTIAL_REFUSED);
    assert_int_equal(gw_credentials_pick(&pool, 7, 0, 1, NOW, &index, &wait), GW_CREDENTIAL_TRIED);
    assert_int_equal(gw_credentials_pick(&pool, 0, 0, 1, NOW + 5000, &index, NULL),
                     GW_CREDENTIAL_FOUND);
    /* Refused again and again it is looked at every ten minutes; accepted, the alarm ends. */
    for (int i = 0; i < 40; i++) {
        assert_false(gw_credential_refuse(&keys[2], NOW));
    }
    assert_int_equal(gw_credentials_pick(&pool, 3, 2, 1, NOW, &index, &wait),
                     GW_CREDENTIAL_REFUSED);
    assert_int_equal(wait, GW_CREDENTIALS_REFUSED_MAX_MS);
    assert_true(gw_credential_accept(&keys[2]));
    assert_false(gw_credential_accept(&keys[2]));
    assert_int_equal(gw_credentials_pick(&pool, 3, 2, 1, NOW, &index, NULL), GW_CREDENTIAL_FOUND);
    gw_credential_rest(&keys[2], UINT64_MAX, NOW);
    assert_int_equal(gw_credentials_pick(&pool, 3, 2, 1, NOW, &index, &wait),
                     GW_CREDENTIAL_RESTING);
    assert_int_equal(wait, GW_CREDENTIALS_REST_MAX_MS);
}

/* That keys are refused is told when all of them are: else waiting helps. */
static void test_refused_among_others(void **state)
{
    (void)state;
    struct gw_credential_state keys[2] = {0};
    struct gw_credential_state *states[] = {&keys[0], &keys[1]};
    struct gw_credential_pool pool = {.states = states, .count = 2};
    size_t index = 9;
    uint64_t wait = 0;
    assert_true(gw_credential_refuse(&keys[0], NOW));
    gw_credential_rest(&keys[1], 2 * GW_CREDENTIALS_REFUSED_MS, NOW);
    for (uint64_t turn = 0; turn < 2; turn++) {
        assert_int_equal(gw_credentials_pick(&pool, 0, turn, 1, NOW, &index, &wait),
                         GW_CREDENTIAL_RESTING);
        assert_int_equal(wait, GW_CREDENTIALS_REFUSED_MS); /* the first that is tried again */
    }
    assert_true(gw_credential_refuse(&keys[1], NOW));
    assert_int_equal(gw_credentials_pick(&pool, 0, 0, 1, NOW, &index, &wait),
                     GW_CREDENTIAL_REFUSED);
}

static void test_no_credentials(void **state)
{
    (void)state;
    struct gw_credential_pool pool = {0};
    size_t index = 9;
    assert_int_equal(gw_credentials_pick(&pool, 0, 5, 1, NOW, &index, NULL), GW_CREDENTIAL_FOUND);
    assert_int_equal(index, 0);
    assert_int_equal(gw_credentials_pick(&pool, 1, 5, 1, NOW, &index, NULL), GW_CREDENTIAL_TRIED);
}

static void test_health_follows_the_constants(void **state)
{
    (void)state;
    struct gw_health health = {0};
    assert_int_equal(gw_health_points(&health), 100000);
    gw_health_note(&health, GW_HEALTH_FAILURE);
    assert_int_equal(gw_health_points(&health), 90000);
    gw_health_note(&health, GW_HEALTH_SLOW);
    assert_int_equal(gw_health_points(&health), 85500);
    gw_health_note(&health, GW_HEALTH_TIMEOUT);
    assert_int_equal(gw_health_points(&health), 42750);
    gw_health_note(&health, GW_HEALTH_FAST);
    assert_int_equal(gw_health_points(&health), 43250);
    for (int i = 0; i < 100; i++) {
        gw_health_note(&health, GW_HEALTH_TIMEOUT);
    }
    assert_int_equal(gw_health_points(&health), 0);
    uint32_t sick = gw_health_score(&health, 0, NOW);
    for (int i = 0; i < 250; i++) {
        gw_health_note(&health, GW_HEALTH_FAST);
    }
    assert_int_equal(gw_health_points(&health), 100000);
    assert_int_equal(sick, 0);
    struct gw_health fresh = {0};
    assert_int_equal(gw_health_score(&fresh, 0, NOW), 100000);
    assert_int_equal(gw_health_score(&fresh, 10, NOW), 85000);
    gw_health_note_latency(&fresh, 5000000, NOW);
    assert_int_equal(gw_health_score(&fresh, 0, NOW), 80000);
}

static void test_latency_average(void **state)
{
    (void)state;
    struct gw_health health = {0};
    assert_int_equal(gw_health_latency_us(&health, NOW), 0);
    gw_health_note_latency(&health, 800000, NOW);
    assert_int_equal(gw_health_latency_us(&health, NOW), 800000);
    gw_health_note_latency(&health, 1600000, NOW);
    assert_int_equal(gw_health_latency_us(&health, NOW), 900000);
    assert_int_equal(gw_health_latency_us(&health, NOW + GW_HEALTH_STALE_MS + 1), 0);
    gw_health_note_latency(&health, 100, NOW + GW_HEALTH_STALE_MS + 1);
    assert_int_equal(gw_health_latency_us(&health, NOW + GW_HEALTH_STALE_MS + 1), 100);
    gw_health_note_latency(&health, UINT64_MAX, 5);
    gw_health_note_latency(&health, 0, 5);
    assert_true(gw_health_latency_us(&health, 5) > 0);
}

static void test_quantiles(void **state)
{
    (void)state;
    struct gw_quantile quantile = {0};
    struct gw_rng rng;
    gw_rng_init_fixed(&rng, 3);
    for (int i = 0; i < 19; i++) {
        gw_quantile_add(&quantile, 1000);
    }
    assert_int_equal(gw_quantile_p95_us(&quantile), 0);
    for (int i = 0; i < 20000; i++) { /* uniform up to a second: the p95 is 950 ms */
        gw_quantile_add(&quantile, gw_rng_below(&rng, 1000000));
    }
    assert_in_range(gw_quantile_p95_us(&quantile), 930000, 1190000);
    assert_in_range(gw_quantile_read(&quantile, 50), 480000, 640000);
    for (int i = 0; i < 20000; i++) { /* it got ten times as fast, and that is learned */
        gw_quantile_add(&quantile, gw_rng_below(&rng, 100000));
    }
    assert_in_range(gw_quantile_p95_us(&quantile), 93000, 119000);
    gw_quantile_add(&quantile, 0);
    gw_quantile_add(&quantile, UINT64_MAX);
}

/* Every value lies in the bucket whose end is the least one above it. */
static void test_quantile_buckets_never_say_less(void **state)
{
    (void)state;
    for (uint64_t us = 100; us < UINT64_C(1000000000); us += us / 7) {
        struct gw_quantile quantile = {0};
        for (int i = 0; i < 20; i++) {
            gw_quantile_add(&quantile, us);
        }
        uint64_t read = gw_quantile_read(&quantile, 95);
        assert_true(read >= us);
        assert_true(read <= us + us / 5 + 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_configured_limits),
        cmocka_unit_test(test_no_limits),
        cmocka_unit_test(test_what_the_provider_told),
        cmocka_unit_test(test_what_is_left),
        cmocka_unit_test(test_credentials_take_turns_and_rest),
        cmocka_unit_test(test_refused_among_others),
        cmocka_unit_test(test_no_credentials),
        cmocka_unit_test(test_health_follows_the_constants),
        cmocka_unit_test(test_latency_average),
        cmocka_unit_test(test_quantiles),
        cmocka_unit_test(test_quantile_buckets_never_say_less),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
