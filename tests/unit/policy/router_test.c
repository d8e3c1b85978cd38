/* SPDX-License-Identifier: MIT */
/* policy/router - filter, choice and end over a simulated group, with a clock that is a number. */
#include "policy/router.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "policy/affinity.h"

#define MEMBERS 100

struct fixture {
    struct gw_deployment_registry *registry;
    struct gw_breaker_options breaker;
    struct gw_router_member members[MEMBERS];
    struct gw_credential_state *keys[2]; /* of member 0 */
    struct gw_router *router;
    uint64_t now_ms;
};

static void make_router(struct fixture *fixture, size_t count, enum gw_strategy strategy)
{
    struct gw_router_group group = {
        .members = fixture->members, .count = count, .strategy = strategy};
    gw_router_destroy(&fixture->router);
    fixture->router = gw_router_create(&group, 1, 99);
}

static int setup(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.registry = gw_deployment_registry_create(), .now_ms = 1000000};
    gw_breaker_options_bound(&fixture.breaker);
    for (size_t i = 0; i < MEMBERS; i++) {
        char id[16];
        int len = snprintf(id, sizeof(id), "d%zu", i);
        fixture.members[i] = (struct gw_router_member){
            .state = gw_deployment_state_acquire(fixture.registry, gw_str(id, (size_t)len)),
            .breaker = &fixture.breaker};
    }
    fixture.keys[0] = gw_credential_state_acquire(fixture.registry, GW_STR("d0"), 1);
    fixture.keys[1] = gw_credential_state_acquire(fixture.registry, GW_STR("d0"), 2);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    gw_router_destroy(&fixture->router);
    for (size_t i = 0; i < MEMBERS; i++) {
        gw_deployment_state_release(fixture->registry, &fixture->members[i].state);
    }
    gw_credential_state_release(fixture->registry, &fixture->keys[0]);
    gw_credential_state_release(fixture->registry, &fixture->keys[1]);
    gw_deployment_registry_destroy(&fixture->registry);
    return 0;
}

static struct gw_router_report report_of(enum gw_router_outcome outcome)
{
    return (struct gw_router_report){
        .outcome = outcome, .first_byte_us = 100000, .tokens = 10, .was_sent = true};
}

/* Picks and ends at once; the member, or -1. */
static int one(struct fixture *fixture, const struct gw_router_ask *given,
               enum gw_router_outcome outcome)
{
    struct gw_router_choice choice;
    struct gw_router_ask ask = given != NULL ? *given : (struct gw_router_ask){0};
    ask.now_ms = fixture->now_ms;
    if (!gw_router_pick(fixture->router, 0, &ask, &choice)) {
        return -1;
    }
    struct gw_router_report report = report_of(outcome);
    (void)gw_router_end(fixture->router, 0, &choice, &report, fixture->now_ms);
    return (int)choice.member;
}

static struct gw_router_reason reason_of(struct fixture *fixture, size_t member)
{
    struct gw_router_ask ask = {.now_ms = fixture->now_ms};
    return gw_router_explain(fixture->router, 0, member, &ask);
}

static void test_states_outlive_a_reload(void **state)
{
    struct fixture *fixture = *state;
    struct gw_deployment_state *again =
        gw_deployment_state_acquire(fixture->registry, GW_STR("d3"));
    assert_ptr_equal(again, fixture->members[3].state);
    assert_int_equal((uintptr_t)again % 64, 0);
    gw_deployment_state_release(fixture->registry, &again);
    assert_null(again);
    struct gw_credential_state *key =
        gw_credential_state_acquire(fixture->registry, GW_STR("d0"), 2);
    assert_ptr_equal(key, fixture->keys[1]);
    gw_credential_state_release(fixture->registry, &key);
}

static void test_the_filter_says_why(void **state)
{
    struct fixture *fixture = *state;
    fixture->members[0].region = GW_STR("eu");
    fixture->members[1].tags = 5;
    fixture->members[2].max_input_tokens = 10;
    fixture->members[2].limits.max_parallel = 1;
    make_router(fixture, 4, GW_STRATEGY_ROUND_ROBIN);
    struct gw_router_ask ask = {.now_ms = fixture->now_ms, .region = GW_STR("EU")};
    assert_int_equal(one(fixture, &ask, GW_ROUTER_SUCCEEDED), 0);
    assert_int_equal(gw_router_explain(fixture->router, 0, 1, &ask).skip, GW_ROUTER_SKIP_REGION);
    ask = (struct gw_router_ask){.tags = 4};
    assert_int_equal(one(fixture, &ask, GW_ROUTER_SUCCEEDED), 1);
    assert_int_equal(gw_router_explain(fixture->router, 0, 0, &ask).skip, GW_ROUTER_SKIP_TAGS);
    ask = (struct gw_router_ask){.input_tokens = 11};
    assert_int_equal(gw_router_explain(fixture->router, 0, 2, &ask).skip, GW_ROUTER_SKIP_CONTEXT);
    ask = (struct gw_router_ask){0};
    gw_router_set_add(&ask.tried, 0);
    gw_router_set_add(&ask.tried, 1);
    gw_router_set_add(&ask.tried, 3);
    struct gw_router_choice choice;
    assert_true(gw_router_pick(fixture->router, 0, &ask, &choice));
    assert_int_equal(choice.member, 2);
    struct gw_router_reason reason = reason_of(fixture, 2);
    assert_int_equal(reason.skip, GW_ROUTER_SKIP_LIMIT);
    assert_int_equal(reason.limit, GW_LIMIT_PARALLEL);
    assert_string_equal(gw_router_reason_text(&reason), gw_limit_text(GW_LIMIT_PARALLEL));
    assert_false(gw_router_pick(fixture->router, 0, &ask, &choice));
    assert_int_equal(gw_router_explain(fixture->router, 0, 3, &ask).skip, GW_ROUTER_SKIP_TRIED);
    fixture->members[2].state->limits.in_flight = 0;
}

/* Three deployments, one dead: after five failures nobody is sent there, and it comes back. */
static void test_a_dead_deployment_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    unsigned to_dead = 0;
    make_router(fixture, 3, GW_STRATEGY_ROUND_ROBIN);
    for (int i = 0; i < 300; i++) {
        struct gw_router_choice choice;
        struct gw_router_ask ask = {.now_ms = ++fixture->now_ms};
        assert_true(gw_router_pick(fixture->router, 0, &ask, &choice));
        bool is_dead = choice.member == 1;
        to_dead += is_dead;
        struct gw_router_report report =
            report_of(is_dead ? GW_ROUTER_FAILED : GW_ROUTER_SUCCEEDED);
        struct gw_router_news news =
            gw_router_end(fixture->router, 0, &choice, &report, fixture->now_ms);
        assert_int_equal(news.breaker_opened, is_dead && to_dead == 5);
    }
    assert_int_equal(to_dead, 5);
    assert_int_equal(reason_of(fixture, 1).skip, GW_ROUTER_SKIP_BREAKER);
    assert_true(gw_health_points(&fixture->members[1].state->health) < 60000);
    fixture->now_ms += 30000;
    unsigned back = 0;
    for (int i = 0; i < 30; i++) {
        back += one(fixture, NULL, GW_ROUTER_SUCCEEDED) == 1;
    }
    assert_in_range(back, 9, 11);
    assert_int_equal(
        gw_breaker_phase(&fixture->members[1].state->breaker, &fixture->breaker, fixture->now_ms),
        GW_BREAKER_CLOSED);
}

static bool fails(struct fixture *fixture, enum gw_router_outcome outcome,
                  enum gw_failure_kind kind)
{
    struct gw_router_choice choice;
    struct gw_router_ask ask = {.now_ms = ++fixture->now_ms};
    struct gw_router_report report = report_of(outcome);
    report.kind = kind;
    assert_true(gw_router_pick(fixture->router, 0, &ask, &choice));
    return gw_router_end(fixture->router, 0, &choice, &report, fixture->now_ms).breaker_opened;
}

/* The failures in a row are counted together; the kind of the last says whether they are too many.
 */
static void test_kinds_of_failures_have_their_own_thresholds(void **state)
{
    struct fixture *fixture = *state;
    struct gw_breaker *breaker = &fixture->members[0].state->breaker;
    fixture->breaker.threshold_of[GW_FAILURE_TIMEOUT] = 2;
    fixture->breaker.threshold_of[GW_FAILURE_SERVER] = GW_BREAKER_NEVER;
    fixture->breaker.threshold_of[GW_FAILURE_BAD_REQUEST] = 3;
    gw_breaker_options_bound(&fixture->breaker);
    make_router(fixture, 1, GW_STRATEGY_PRIORITY);
    for (int i = 0; i < 300; i++) {
        assert_false(fails(fixture, GW_ROUTER_FAILED, GW_FAILURE_SERVER));
    }
    assert_false(fails(fixture, GW_ROUTER_TIMED_OUT, GW_FAILURE_TIMEOUT));
    assert_true(fails(fixture, GW_ROUTER_TIMED_OUT, GW_FAILURE_TIMEOUT));
    gw_breaker_reset(breaker);
    assert_false(fails(fixture, GW_ROUTER_NEUTRAL, GW_FAILURE_BAD_REQUEST));
    assert_false(fails(fixture, GW_ROUTER_NEUTRAL, GW_FAILURE_NOT_FOUND)); /* does not count */
    assert_false(fails(fixture, GW_ROUTER_NEUTRAL, GW_FAILURE_BAD_REQUEST));
    assert_false(fails(fixture, GW_ROUTER_SUCCEEDED, GW_FAILURE_OTHER));
    assert_false(fails(fixture, GW_ROUTER_NEUTRAL, GW_FAILURE_BAD_REQUEST));
    assert_false(fails(fixture, GW_ROUTER_NEUTRAL, GW_FAILURE_BAD_REQUEST));
    assert_true(fails(fixture, GW_ROUTER_NEUTRAL, GW_FAILURE_BAD_REQUEST));
    gw_breaker_reset(breaker);
    for (int i = 0; i < 4; i++) {
        assert_false(fails(fixture, GW_ROUTER_FAILED, GW_FAILURE_UNAVAILABLE));
    }
    assert_true(fails(fixture, GW_ROUTER_FAILED, GW_FAILURE_UNAVAILABLE)); /* as all without one */
}

static void test_all_down_tells_when(void **state)
{
    struct fixture *fixture = *state;
    make_router(fixture, 2, GW_STRATEGY_PRIORITY);
    for (int i = 0; i < 10; i++) {
        assert_true(one(fixture, NULL, GW_ROUTER_TIMED_OUT) >= 0);
    }
    assert_int_equal(one(fixture, NULL, GW_ROUTER_SUCCEEDED), -1);
    struct gw_router_ask ask = {.now_ms = fixture->now_ms + 10000};
    assert_int_equal(gw_router_wait_ms(fixture->router, 0, &ask), 20000);
}

static void test_429_rests_the_key_and_401_takes_it_out(void **state)
{
    struct fixture *fixture = *state;
    fixture->members[0].pool = (struct gw_credential_pool){.states = fixture->keys, .count = 2};
    make_router(fixture, 1, GW_STRATEGY_PRIORITY);
    struct gw_router_ask ask = {.now_ms = fixture->now_ms};
    struct gw_router_choice choice;
    assert_true(gw_router_pick(fixture->router, 0, &ask, &choice));
    size_t limited = choice.credential;
    struct gw_router_report report = report_of(GW_ROUTER_LIMITED);
    report.retry_after_ms = 7000;
    (void)gw_router_end(fixture->router, 0, &choice, &report, fixture->now_ms);
    for (int i = 0; i < 10; i++) { /* the deployment goes on with the other key */
        assert_true(gw_router_pick(fixture->router, 0, &ask, &choice));
        assert_int_not_equal(choice.credential, limited);
        report = report_of(GW_ROUTER_SUCCEEDED);
        (void)gw_router_end(fixture->router, 0, &choice, &report, fixture->now_ms);
    }
    assert_true(gw_router_pick(fixture->router, 0, &ask, &choice));
    report = report_of(GW_ROUTER_REFUSED);
    struct gw_router_news news =
        gw_router_end(fixture->router, 0, &choice, &report, fixture->now_ms);
    assert_true(news.credential_alarm);
    assert_false(gw_router_pick(fixture->router, 0, &ask, &choice));
    struct gw_router_reason reason = reason_of(fixture, 0);
    assert_int_equal(reason.skip, GW_ROUTER_SKIP_CREDENTIAL);
    assert_int_equal(reason.wait_ms, 7000);
    assert_int_equal(fixture->members[0].state->limits.in_flight, 0);
    assert_int_equal(fixture->keys[0]->limits.in_flight + fixture->keys[1]->limits.in_flight, 0);
    /* A key that was tried by this request is left out, too. */
    uint64_t tried_keys[1] = {UINT64_C(1) << limited};
    ask.now_ms += 7000;
    assert_true(gw_router_pick(fixture->router, 0, &ask, &choice));
    report = report_of(GW_ROUTER_NEUTRAL);
    (void)gw_router_end(fixture->router, 0, &choice, &report, ask.now_ms);
    ask.tried_credentials = tried_keys;
    assert_false(gw_router_pick(fixture->router, 0, &ask, &choice));
}

static void test_an_overloaded_one_gets_less(void **state)
{
    struct fixture *fixture = *state;
    struct gw_concurrency_options options = {.is_on = true, .initial = 5, .min = 2};
    struct gw_router_ask ask = {.now_ms = fixture->now_ms};
    struct gw_router_choice choices[8];
    gw_concurrency_options_bound(&options);
    fixture->members[0].concurrency = &options;
    make_router(fixture, 1, GW_STRATEGY_PRIORITY);
    for (int i = 0; i < 5; i++) {
        assert_true(gw_router_pick(fixture->router, 0, &ask, &choices[i]));
    }
    assert_false(gw_router_pick(fixture->router, 0, &ask, &choices[5]));
    assert_int_equal(reason_of(fixture, 0).skip, GW_ROUTER_SKIP_LOAD);
    struct gw_router_report report = report_of(GW_ROUTER_FAILED);
    for (int i = 0; i < 4; i++) {
        (void)gw_router_end(fixture->router, 0, &choices[i], &report, fixture->now_ms);
    }
    report = report_of(GW_ROUTER_NEUTRAL);
    report.first_byte_us = 0;
    (void)gw_router_end(fixture->router, 0, &choices[4], &report, fixture->now_ms);
    for (int i = 0; i < 3; i++) {
        assert_true(gw_router_pick(fixture->router, 0, &ask, &choices[i]));
    }
    assert_false(gw_router_pick(fixture->router, 0, &ask, &choices[3]));
}

static void test_errors_and_what_they_mean(void **state)
{
    (void)state;
    struct gw_error error = {.class = GW_ERROR_UPSTREAM, .is_retryable = true};
    assert_int_equal(gw_router_outcome_of(&error), GW_ROUTER_FAILED);
    error.is_credential = true;
    assert_int_equal(gw_router_outcome_of(&error), GW_ROUTER_REFUSED);
    error = (struct gw_error){.class = GW_ERROR_LIMIT, .is_retryable = true};
    assert_int_equal(gw_router_outcome_of(&error), GW_ROUTER_LIMITED);
    error = (struct gw_error){.class = GW_ERROR_CLIENT};
    assert_int_equal(gw_router_outcome_of(&error), GW_ROUTER_NEUTRAL);
    error = (struct gw_error){.class = GW_ERROR_TIMEOUT};
    assert_int_equal(gw_router_outcome_of(&error), GW_ROUTER_TIMED_OUT);
}

static void test_affinity_stays_and_gives_way(void **state)
{
    struct fixture *fixture = *state;
    make_router(fixture, 5, GW_STRATEGY_ROUND_ROBIN);
    struct gw_router_ask ask = {.affinity = gw_affinity_key(GW_STR("alice"))};
    int owner = one(fixture, &ask, GW_ROUTER_SUCCEEDED);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(one(fixture, &ask, GW_ROUTER_SUCCEEDED), owner);
    }
    fixture->members[owner].state->limits.in_flight = 50; /* overrun: others help */
    unsigned kept = 0;
    for (int i = 0; i < 50; i++) {
        kept += one(fixture, &ask, GW_ROUTER_SUCCEEDED) == owner;
    }
    assert_true(kept <= 11);
    fixture->members[owner].state->limits.in_flight = 0;
    for (int i = 0; i < 5; i++) { /* down: one other owner */
        struct gw_router_choice choice;
        ask.now_ms = fixture->now_ms;
        assert_true(gw_router_pick(fixture->router, 0, &ask, &choice));
        struct gw_router_report report = report_of(GW_ROUTER_FAILED);
        (void)gw_router_end(fixture->router, 0, &choice, &report, fixture->now_ms);
    }
    int heir = one(fixture, &ask, GW_ROUTER_SUCCEEDED);
    assert_int_not_equal(heir, owner);
    assert_int_equal(one(fixture, &ask, GW_ROUTER_SUCCEEDED), heir);
}

static void test_rendezvous_shares_by_weight(void **state)
{
    (void)state;
    static const uint32_t weights[] = {1, 1, 2};
    unsigned hits[3] = {0};
    unsigned moved = 0;
    for (uint64_t key = 1; key <= 40000; key++) {
        uint64_t hash = key * UINT64_C(0x9e3779b97f4a7c15);
        size_t best = 0;
        size_t best_of_two = 0;
        for (size_t i = 1; i < 3; i++) {
            if (gw_affinity_score(hash, i, weights[i]) >
                gw_affinity_score(hash, best, weights[best])) {
                best = i;
            }
            if (i < 2) {
                best_of_two = best;
            }
        }
        hits[best]++;
        moved += best != 2 && best != best_of_two; /* who leaves takes only its own keys */
    }
    assert_in_range(hits[0], 9500, 10500);
    assert_in_range(hits[1], 9500, 10500);
    assert_in_range(hits[2], 19300, 20700);
    assert_int_equal(moved, 0);
    static const uint32_t canary[] = {95, 5};
    unsigned canaries = 0;
    for (uint64_t key = 1; key <= 10000; key++) {
        size_t variant = gw_affinity_split(key, 7, canary, 2);
        canaries += variant == 1;
        assert_int_equal(gw_affinity_split(key, 7, canary, 2), variant);
    }
    assert_in_range(canaries, 400, 600);
}

/* Two workers share the states. What one does the other learns in time, and nobody is turned away
 * before all have been looked at. */
static void test_other_workers_are_noticed(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < 3; i++) {
        fixture->members[i].limits.max_parallel = 1;
    }
    make_router(fixture, 3, GW_STRATEGY_LEAST_BUSY);
    struct gw_router_group group = {
        .members = fixture->members, .count = 3, .strategy = GW_STRATEGY_LEAST_BUSY};
    struct gw_router *other = gw_router_create(&group, 1, 7);
    struct gw_router_ask ask = {.now_ms = fixture->now_ms};
    struct gw_router_report report = report_of(GW_ROUTER_SUCCEEDED);
    struct gw_router_choice choices[3];
    struct gw_router_choice mine;
    assert_true(one(fixture, NULL, GW_ROUTER_SUCCEEDED) >= 0); /* has looked: all are free */
    assert_true(gw_router_pick(other, 0, &ask, &choices[0]));
    assert_true(gw_router_pick(other, 0, &ask, &choices[1]));
    assert_true(gw_router_pick(fixture->router, 0, &ask, &mine)); /* finds the third */
    assert_false(gw_router_pick(other, 0, &ask, &choices[2]));
    assert_false(gw_router_pick(fixture->router, 0, &ask, &choices[2]));
    (void)gw_router_end(other, 0, &choices[1], &report, ask.now_ms); /* mine has not seen it */
    assert_true(gw_router_pick(fixture->router, 0, &ask, &choices[2]));
    assert_int_equal(choices[2].member, choices[1].member);
    (void)gw_router_end(fixture->router, 0, &choices[2], &report, ask.now_ms);
    (void)gw_router_end(fixture->router, 0, &mine, &report, ask.now_ms);
    (void)gw_router_end(other, 0, &choices[0], &report, ask.now_ms);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(fixture->members[i].state->limits.in_flight, 0);
    }
    gw_router_destroy(&other);
}

/* What another worker learned of a latency counts after GW_ROUTER_LOOK_MS, also when the clock
 * jumps back. */
static void test_a_look_gets_old(void **state)
{
    struct fixture *fixture = *state;
    make_router(fixture, 2, GW_STRATEGY_USAGE_BASED);
    fixture->members[0].limits.rpm = fixture->members[1].limits.rpm = 100;
    make_router(fixture, 2, GW_STRATEGY_USAGE_BASED);
    (void)one(fixture, NULL, GW_ROUTER_SUCCEEDED);
    for (int i = 0; i < 20; i++) {
        assert_true(gw_limits_begin(&fixture->members[0].state->limits, &fixture->members[0].limits,
                                    1, fixture->now_ms) == GW_LIMIT_NONE);
    }
    fixture->now_ms += GW_ROUTER_LOOK_MS;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(one(fixture, NULL, GW_ROUTER_SUCCEEDED), 1);
    }
    for (int i = 0; i < 40; i++) {
        assert_true(gw_limits_begin(&fixture->members[1].state->limits, &fixture->members[1].limits,
                                    1, fixture->now_ms) == GW_LIMIT_NONE);
    }
    fixture->now_ms--;
    assert_int_equal(one(fixture, NULL, GW_ROUTER_SUCCEEDED), 0);
    fixture->members[0].state->limits.in_flight = 0;
    fixture->members[1].state->limits.in_flight = 0;
}

/* Each strategy among many, some of them down or tried: only those that can serve are chosen, and
 * another strategy counts at once. */
static void test_only_who_can_is_chosen(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < 20; i++) {
        fixture->members[i].tags = i % 2;
        fixture->members[i].max_input_tokens = i < 10 ? 1000 : 0;
        fixture->members[i].input_pusd = 1000 * (i % 3);
        fixture->members[i].quality = (uint32_t)i;
    }
    make_router(fixture, 20, GW_STRATEGY_PRIORITY);
    for (unsigned s = 0; s < GW_STRATEGY_COUNT; s++) {
        gw_router_set_strategy(fixture->router, 0, (enum gw_strategy)s);
        struct gw_router_ask ask = {.tags = 1, .input_tokens = 2000};
        for (int i = 0; i < 4; i++) { /* 11, 13, 15, 17, 19 fit */
            int member = one(fixture, &ask, GW_ROUTER_SUCCEEDED);
            assert_true(member > 10 && member % 2 == 1);
            assert_false(gw_router_set_has(&ask.tried, (size_t)member));
            gw_router_set_add(&ask.tried, (size_t)member);
        }
        assert_true(one(fixture, &ask, GW_ROUTER_SUCCEEDED) > 10);
    }
    gw_router_set_strategy(fixture->router, 0, GW_STRATEGY_BEST_QUALITY);
    assert_int_equal(one(fixture, NULL, GW_ROUTER_SUCCEEDED), 19);
    gw_router_set_strategy(fixture->router, 0, GW_STRATEGY_LEAST_COST);
    struct gw_router_ask huge = {.input_tokens = UINT64_MAX, .output_tokens = UINT64_MAX};
    assert_true(one(fixture, &huge, GW_ROUTER_SUCCEEDED) >= 10);
    struct gw_router_ask cheap = {.input_tokens = 900};
    assert_int_equal(one(fixture, &cheap, GW_ROUTER_SUCCEEDED) % 3, 0);
}

/* Down by its probes: others serve while there are any; alone it is better than nobody. */
static void test_probes_put_others_first(void **state)
{
    struct fixture *fixture = *state;
    struct gw_probe_options options = {.is_on = true};
    gw_probe_options_bound(&options);
    for (size_t i = 0; i < 2; i++) {
        fixture->members[i].probe = &options;
    }
    fixture->members[0].priority = 9;
    make_router(fixture, 2, GW_STRATEGY_PRIORITY);
    assert_int_equal(one(fixture, NULL, GW_ROUTER_SUCCEEDED), 0);
    for (int i = 0; i < 3; i++) {
        (void)gw_probe_end(&fixture->members[0].state->probe, &options, GW_PROBE_TIMED_OUT,
                           fixture->now_ms);
    }
    fixture->now_ms += GW_ROUTER_LOOK_MS;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(one(fixture, NULL, GW_ROUTER_SUCCEEDED), 1);
    }
    struct gw_router_ask ask = {.now_ms = fixture->now_ms};
    struct gw_router_choice choice;
    size_t member = 9;
    assert_true(gw_router_preview(fixture->router, 0, &ask, &member));
    assert_int_equal(member, 1);
    gw_router_set_add(&ask.tried, 1);
    assert_true(gw_router_preview(fixture->router, 0, &ask, &member));
    assert_int_equal(member, 0);
    for (int i = 0; i < 2; i++) { /* two successes bring it back */
        assert_true(gw_router_pick(fixture->router, 0, &ask, &choice));
        assert_int_equal(choice.member, 0);
        struct gw_router_report report = report_of(GW_ROUTER_SUCCEEDED);
        struct gw_router_news news =
            gw_router_end(fixture->router, 0, &choice, &report, fixture->now_ms);
        assert_int_equal(news.came_up, i == 1);
    }
    assert_int_equal(one(fixture, NULL, GW_ROUTER_SUCCEEDED), 0);
}

/* All strategies, with breakers and limits: nothing leaks, whatever the outcomes. */
static void test_nothing_leaks(void **state)
{
    struct fixture *fixture = *state;
    struct gw_rng rng;
    gw_rng_init_fixed(&rng, 5);
    for (size_t i = 0; i < 10; i++) {
        fixture->members[i].limits =
            (struct gw_limit_options){.rpm = 600, .tpm = 100000, .max_parallel = 3};
    }
    for (unsigned s = 0; s < GW_STRATEGY_COUNT; s++) {
        struct gw_router_choice open[16];
        size_t open_count = 0;
        make_router(fixture, 10, (enum gw_strategy)s);
        for (int i = 0; i < 5000; i++) {
            struct gw_router_ask ask = {.now_ms = fixture->now_ms += 20, .input_tokens = 100};
            if (open_count < 16 && gw_router_pick(fixture->router, 0, &ask, &open[open_count])) {
                open_count++;
            }
            if (open_count > 0 && (open_count == 16 || gw_rng_below(&rng, 2) == 0)) {
                struct gw_router_report report =
                    report_of((enum gw_router_outcome)gw_rng_below(&rng, 6));
                (void)gw_router_end(fixture->router, 0, &open[--open_count], &report,
                                    fixture->now_ms);
            }
        }
        while (open_count > 0) {
            struct gw_router_report report = report_of(GW_ROUTER_NEUTRAL);
            (void)gw_router_end(fixture->router, 0, &open[--open_count], &report, fixture->now_ms);
        }
        for (size_t i = 0; i < 10; i++) {
            assert_int_equal(fixture->members[i].state->limits.in_flight, 0);
        }
    }
}

static void test_what_it_costs(void **state)
{
    struct fixture *fixture = *state;
    for (unsigned s = 0; s < GW_STRATEGY_COUNT; s++) {
        make_router(fixture, MEMBERS, (enum gw_strategy)s);
        uint64_t ns = UINT64_MAX;
        for (int i = 0; i < 50; i++) {
            uint64_t begun = gw_clock_mono_ns();
            for (int n = 0; n < 200; n++) {
                (void)one(fixture, NULL, GW_ROUTER_SUCCEEDED);
            }
            uint64_t each = (gw_clock_mono_ns() - begun) / 200;
            ns = each < ns ? each : ns;
        }
        print_message("%-14s %llu ns for pick and end among %d\n",
                      gw_strategy_name((enum gw_strategy)s).ptr, (unsigned long long)ns, MEMBERS);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_states_outlive_a_reload),
        TEST(test_the_filter_says_why),
        TEST(test_a_dead_deployment_is_left_alone),
        TEST(test_kinds_of_failures_have_their_own_thresholds),
        TEST(test_all_down_tells_when),
        TEST(test_429_rests_the_key_and_401_takes_it_out),
        TEST(test_an_overloaded_one_gets_less),
        TEST(test_errors_and_what_they_mean),
        TEST(test_affinity_stays_and_gives_way),
        TEST(test_rendezvous_shares_by_weight),
        TEST(test_other_workers_are_noticed),
        TEST(test_a_look_gets_old),
        TEST(test_only_who_can_is_chosen),
        TEST(test_probes_put_others_first),
        TEST(test_nothing_leaks),
        TEST(test_what_it_costs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
