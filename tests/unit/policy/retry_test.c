/* SPDX-License-Identifier: MIT */
/* policy/retry, policy/allowance - decisions after failures, and how much extra load they make. */
#include "policy/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NOW 7000000u

static struct gw_rng rng;
static struct gw_allowance allowance;
static struct gw_retry_policy policy;
static struct gw_retry_state request;
static const uint32_t general[] = {1, 2, 0};
static const uint32_t larger[] = {5};
static const struct gw_fallbacks fallbacks = {.general = {general, 3},
                                              .context_window = {larger, 1}};
static const struct gw_error broken = {
    .class = GW_ERROR_UPSTREAM, .is_retryable = true, .can_fallback = true};

static int setup(void **state)
{
    (void)state;
    gw_rng_init_fixed(&rng, 1);
    gw_allowance_init(&allowance);
    policy = (struct gw_retry_policy){0};
    gw_retry_policy_bound(&policy);
    request = (struct gw_retry_state){0};
    gw_retry_begin(&request, &policy, &allowance, 0, NOW);
    return 0;
}

static struct gw_retry_decision decide(const struct gw_error *error, struct gw_retry_facts facts)
{
    facts.now_ms = facts.now_ms == 0 ? NOW : facts.now_ms;
    return gw_retry_decide(&request, &policy, &allowance, &rng, error, &facts);
}

static void test_untried_ones_come_first_and_at_once(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) { /* more than max_retries: nobody fails while one is left */
        struct gw_retry_decision next =
            decide(&broken, (struct gw_retry_facts){.has_untried = true});
        assert_int_equal(next.verdict, GW_RETRY_AGAIN);
        assert_int_equal(next.delay_ms, 0);
        assert_false(next.forget_tried);
    }
}

static void test_pauses_then_gives_up(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct gw_retry_decision next = decide(&broken, (struct gw_retry_facts){0});
        assert_int_equal(next.verdict, GW_RETRY_AGAIN);
        assert_in_range(next.delay_ms, 1, 500u << i);
        assert_true(next.forget_tried);
    }
    assert_int_equal(decide(&broken, (struct gw_retry_facts){0}).verdict, GW_RETRY_GIVE_UP);
    /* Once paused, untried ones do not prolong it for ever. */
    assert_int_equal(decide(&broken, (struct gw_retry_facts){.has_untried = true}).verdict,
                     GW_RETRY_GIVE_UP);
}

static void test_falls_back_without_loops(void **state)
{
    (void)state;
    struct gw_error final = {.class = GW_ERROR_UPSTREAM, .can_fallback = true};
    struct gw_retry_facts facts = {.fallbacks = &fallbacks};
    assert_int_equal(decide(&final, facts).group, 1);
    assert_int_equal(decide(&final, facts).group, 2);
    assert_int_equal(decide(&final, facts).verdict, GW_RETRY_GIVE_UP); /* 0 was the first */
    assert_int_equal(request.group_count, 3);
}

static void test_a_long_wait_falls_back(void **state)
{
    (void)state;
    struct gw_error limited = {
        .class = GW_ERROR_LIMIT, .is_retryable = true, .can_fallback = true, .retry_after_s = 10};
    struct gw_retry_facts facts = {.fallbacks = &fallbacks};
    assert_int_equal(decide(&limited, facts).verdict, GW_RETRY_FALLBACK);
    struct gw_retry_decision next = decide(&limited, (struct gw_retry_facts){0});
    assert_int_equal(next.verdict, GW_RETRY_AGAIN); /* no fallback: Retry-After is honoured */
    assert_in_range(next.delay_ms, 10000, 10250);
    limited.retry_after_s = UINT64_MAX;
    assert_true(decide(&limited, (struct gw_retry_facts){0}).verdict != GW_RETRY_FALLBACK);
    limited.retry_after_s = 3600;
    assert_int_equal(decide(&limited, (struct gw_retry_facts){0}).verdict, GW_RETRY_GIVE_UP);
}

static void test_nobody_could_be_asked(void **state)
{
    (void)state;
    struct gw_retry_facts facts = {.is_refused_here = true, .fallbacks = &fallbacks};
    assert_int_equal(decide(&broken, facts).verdict, GW_RETRY_FALLBACK);
}

static void test_kinds_have_their_own_lists(void **state)
{
    (void)state;
    struct gw_error error = {.class = GW_ERROR_CLIENT, .code = GW_STR("context_length_exceeded")};
    struct gw_retry_facts facts = {.has_untried = true, .fallbacks = &fallbacks};
    struct gw_retry_decision next = decide(&error, facts);
    assert_int_equal(next.verdict, GW_RETRY_FALLBACK);
    assert_int_equal(next.group, 5);
    error.code = GW_STR("content_filter");
    assert_int_equal(decide(&error, facts).verdict, GW_RETRY_GIVE_UP);
    error.code = GW_STR("invalid_value");
    assert_int_equal(decide(&error, facts).verdict, GW_RETRY_GIVE_UP);
}

static void test_credentials_move_but_do_not_wait(void **state)
{
    (void)state;
    struct gw_error refused = {
        .class = GW_ERROR_UPSTREAM, .is_credential = true, .can_fallback = true};
    struct gw_retry_facts facts = {.has_untried = true, .fallbacks = &fallbacks};
    assert_int_equal(decide(&refused, facts).verdict, GW_RETRY_AGAIN);
    facts.has_untried = false;
    assert_int_equal(decide(&refused, facts).verdict, GW_RETRY_FALLBACK);
}

static void test_switches_and_deadline(void **state)
{
    (void)state;
    struct gw_retry_facts facts = {.fallbacks = &fallbacks, .has_untried = true};
    policy.deadline_ms = 1000;
    facts.now_ms = NOW + 1000;
    assert_int_equal(decide(&broken, facts).verdict, GW_RETRY_GIVE_UP);
    facts.now_ms = NOW - 5; /* the clock jumped back */
    assert_int_equal(decide(&broken, facts).verdict, GW_RETRY_AGAIN);
    policy.deadline_ms = 0;
    policy.max_retries = 0;
    request.retries = 0;
    assert_int_equal(decide(&broken, facts).verdict, GW_RETRY_FALLBACK);
    request.is_fallback_off = true;
    assert_int_equal(decide(&broken, facts).verdict, GW_RETRY_GIVE_UP);
    policy.max_retries = 3;
    assert_int_equal(decide(&broken, facts).verdict, GW_RETRY_AGAIN);
    request.is_off = true;
    assert_int_equal(decide(&broken, facts).verdict, GW_RETRY_GIVE_UP);
}

static const struct gw_error refused_content = {
    .class = GW_ERROR_CLIENT, .upstream_status = 400, .code = GW_STR_INIT("content_filter")};

static void test_failures_have_kinds(void **state)
{
    (void)state;
    static const struct {
        struct gw_error error;
        enum gw_failure_kind kind;
    } cases[] = {
        {{.class = GW_ERROR_NONE, .upstream_status = 200}, GW_FAILURE_OTHER},
        {{.class = GW_ERROR_CANCELLED}, GW_FAILURE_OTHER},
        {{.class = GW_ERROR_CLIENT, .upstream_status = 422}, GW_FAILURE_BAD_REQUEST},
        {{.class = GW_ERROR_CLIENT}, GW_FAILURE_OTHER}, /* our own refusal */
        {{.class = GW_ERROR_UPSTREAM, .upstream_status = 403, .is_credential = true},
         GW_FAILURE_AUTHENTICATION},
        {{.class = GW_ERROR_UPSTREAM, .upstream_status = 404}, GW_FAILURE_NOT_FOUND},
        {{.class = GW_ERROR_TIMEOUT, .is_retryable = true}, GW_FAILURE_TIMEOUT},
        {{.class = GW_ERROR_UPSTREAM, .upstream_status = 408, .is_retryable = true},
         GW_FAILURE_TIMEOUT},
        {{.class = GW_ERROR_LIMIT, .upstream_status = 429, .is_retryable = true},
         GW_FAILURE_RATE_LIMIT},
        {{.class = GW_ERROR_UPSTREAM, .upstream_status = 429}, GW_FAILURE_OTHER}, /* no money */
        {{.class = GW_ERROR_UPSTREAM, .is_retryable = true}, GW_FAILURE_SERVER},  /* it broke off */
        {{.class = GW_ERROR_UPSTREAM, .upstream_status = 500, .is_retryable = true},
         GW_FAILURE_SERVER},
        {{.class = GW_ERROR_UPSTREAM, .upstream_status = 500}, GW_FAILURE_OTHER},
        {{.class = GW_ERROR_UPSTREAM, .upstream_status = 503, .is_retryable = true},
         GW_FAILURE_UNAVAILABLE},
        {{.class = GW_ERROR_OVERLOADED, .upstream_status = 498, .is_retryable = true},
         GW_FAILURE_UNAVAILABLE},
        {{.class = GW_ERROR_OVERLOADED, .is_retryable = true}, GW_FAILURE_OTHER}, /* nobody left */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (gw_failure_kind_of(&cases[i].error) != cases[i].kind) {
            fail_msg("case %zu", i);
        }
    }
    assert_int_equal(gw_failure_kind_of(&refused_content), GW_FAILURE_CONTENT_POLICY);
}

static void test_a_kind_has_its_own_number(void **state)
{
    (void)state;
    struct gw_retry_facts facts = {.has_untried = true, .fallbacks = &fallbacks};
    policy.retries_of[GW_FAILURE_SERVER] = 1; /* none, not even elsewhere */
    policy.retries_of[GW_FAILURE_TIMEOUT] = 1 + 5;
    assert_int_equal(decide(&broken, facts).verdict, GW_RETRY_FALLBACK);
    struct gw_error slow = {.class = GW_ERROR_TIMEOUT, .is_retryable = true};
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(decide(&slow, (struct gw_retry_facts){0}).verdict, GW_RETRY_AGAIN);
    }
    assert_int_equal(decide(&slow, (struct gw_retry_facts){0}).verdict, GW_RETRY_GIVE_UP);
    /* That nobody can be asked is no failure of theirs. */
    request.retries = 0;
    facts = (struct gw_retry_facts){.is_refused_here = true, .wait_ms = 1};
    assert_int_equal(decide(&broken, facts).verdict, GW_RETRY_AGAIN);
}

/* Who has mistakes repeated gets that, and no fallback that is not for them. */
static void test_what_is_final_may_have_a_number(void **state)
{
    (void)state;
    struct gw_error wrong = {.class = GW_ERROR_CLIENT, .upstream_status = 400};
    struct gw_retry_facts facts = {.fallbacks = &fallbacks};
    policy.retries_of[GW_FAILURE_BAD_REQUEST] = 1 + 1;
    policy.retries_of[GW_FAILURE_CONTENT_POLICY] = 1 + 2;
    policy.patience_ms = 1;
    assert_int_equal(decide(&wrong, facts).verdict, GW_RETRY_AGAIN);
    assert_int_equal(decide(&wrong, facts).verdict, GW_RETRY_GIVE_UP);
    assert_int_equal(decide(&refused_content, facts).verdict, GW_RETRY_AGAIN);
    assert_int_equal(decide(&refused_content, facts).verdict, GW_RETRY_GIVE_UP);
    request.retries = 0;
    struct gw_fallbacks lax = {.general = {general, 3}, .content_policy = {larger, 1}};
    facts.fallbacks = &lax; /* what is for it goes first */
    assert_int_equal(decide(&refused_content, facts).group, 5);
    wrong.code = GW_STR("context_length_exceeded"); /* it does not get shorter */
    assert_int_equal(decide(&wrong, facts).verdict, GW_RETRY_GIVE_UP);
}

static void test_moving_is_a_retry(void **state)
{
    (void)state;
    assert_true(gw_retry_can_move(&request, &policy, GW_FAILURE_TIMEOUT, NOW));
    request.retries = 3; /* more than retries, as long as nobody was asked twice */
    assert_true(gw_retry_can_move(&request, &policy, GW_FAILURE_TIMEOUT, NOW));
    request.has_paused = true;
    assert_false(gw_retry_can_move(&request, &policy, GW_FAILURE_TIMEOUT, NOW));
    request.retries = 0;
    policy.deadline_ms = 1000;
    assert_true(gw_retry_can_move(&request, &policy, GW_FAILURE_TIMEOUT, NOW + 999));
    assert_false(gw_retry_can_move(&request, &policy, GW_FAILURE_TIMEOUT, NOW + 1000));
    request.is_off = true;
    assert_false(gw_retry_can_move(&request, &policy, GW_FAILURE_TIMEOUT, NOW));
    request.is_off = false;
    policy.max_retries = 0;
    assert_false(gw_retry_can_move(&request, &policy, GW_FAILURE_TIMEOUT, NOW));
    policy.retries_of[GW_FAILURE_TIMEOUT] = 1 + 1;
    assert_true(gw_retry_can_move(&request, &policy, GW_FAILURE_TIMEOUT, NOW));
}

/* Everything fails for an hour: the extra load stays at a fifth. */
static void test_the_budget_holds(void **state)
{
    (void)state;
    unsigned extra = 0;
    for (unsigned i = 0; i < 100000; i++) {
        struct gw_retry_state one = {0};
        struct gw_retry_facts facts = {.now_ms = NOW};
        gw_retry_begin(&one, &policy, &allowance, 0, NOW);
        while (gw_retry_decide(&one, &policy, &allowance, &rng, &broken, &facts).verdict ==
               GW_RETRY_AGAIN) {
            extra++;
        }
    }
    assert_in_range(extra, 19900, 20000 + GW_ALLOWANCE_START + 1);
}

static void test_moves_are_paid_later(void **state)
{
    (void)state;
    for (int i = 0; i < 5000; i++) {
        gw_allowance_take(&allowance);
    }
    assert_false(gw_allowance_try_take(&allowance));
    for (int i = 0; i < 5000; i++) {
        gw_allowance_add(&allowance, 20);
    }
    assert_false(gw_allowance_try_take(&allowance)); /* the debt was a thousand */
    for (int i = 0; i < 100000; i++) {
        gw_allowance_add(&allowance, 1000);
    }
    unsigned left = 0;
    while (gw_allowance_try_take(&allowance)) {
        left++;
    }
    assert_in_range(left, GW_ALLOWANCE_MAX, GW_ALLOWANCE_MAX + 1);
}

static void test_pauses_are_bounded_and_even(void **state)
{
    (void)state;
    uint64_t sum = 0;
    for (int i = 0; i < 10000; i++) {
        sum += gw_retry_pause_ms(&policy, 1, &rng);
    }
    assert_in_range(sum / 10000, 480, 520); /* full jitter of 1 s */
    policy.factor_pct = UINT32_MAX;
    policy.base_ms = UINT64_MAX;
    policy.cap_ms = UINT64_MAX - 1;
    assert_true(gw_retry_pause_ms(&policy, UINT32_MAX, &rng) > 0);
    policy = (struct gw_retry_policy){0};
    gw_retry_policy_bound(&policy);
    assert_in_range(gw_retry_pause_ms(&policy, UINT32_MAX, &rng), 1, 30000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_untried_ones_come_first_and_at_once, setup),
        cmocka_unit_test_setup(test_pauses_then_gives_up, setup),
        cmocka_unit_test_setup(test_falls_back_without_loops, setup),
        cmocka_unit_test_setup(test_a_long_wait_falls_back, setup),
        cmocka_unit_test_setup(test_nobody_could_be_asked, setup),
        cmocka_unit_test_setup(test_kinds_have_their_own_lists, setup),
        cmocka_unit_test_setup(test_credentials_move_but_do_not_wait, setup),
        cmocka_unit_test_setup(test_switches_and_deadline, setup),
        cmocka_unit_test_setup(test_moving_is_a_retry, setup),
        cmocka_unit_test_setup(test_failures_have_kinds, setup),
        cmocka_unit_test_setup(test_a_kind_has_its_own_number, setup),
        cmocka_unit_test_setup(test_what_is_final_may_have_a_number, setup),
        cmocka_unit_test_setup(test_the_budget_holds, setup),
        cmocka_unit_test_setup(test_moves_are_paid_later, setup),
        cmocka_unit_test_setup(test_pauses_are_bounded_and_even, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
