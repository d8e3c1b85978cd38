/* SPDX-License-Identifier: MIT */
/* policy/router - filter, choose, take; and what the end of an exchange means. */
#include "policy/router.h"

#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "policy/affinity.h"

#define RELAXED       memory_order_relaxed
#define PUSD_PER_NUSD 1000u
/* A sticky choice may have this much more in flight than the average, and two more: beyond that the
 * cache is not worth the wait. */
#define STICKY_LOAD_PCT 150u
#define STICKY_SPARE    2u

struct group {
    struct gw_router_member *members;
    size_t count;
    enum gw_strategy strategy;
    struct gw_strategy_memory memory;
};

struct gw_router {
    struct gw_rng rng;
    struct group *groups;
    size_t group_count;
    struct gw_candidate candidates[GW_ROUTER_MAX]; /* of the current pick */
};

struct gw_router *gw_router_create(const struct gw_router_group *groups, size_t group_count,
                                   uint64_t seed)
{
    struct gw_router *router = gw_zalloc(sizeof(*router));
    if (seed == 0) {
        gw_rng_init(&router->rng);
    } else {
        gw_rng_init_fixed(&router->rng, seed);
    }
    router->groups = gw_zalloc(sizeof(*router->groups) * (group_count + 1));
    router->group_count = group_count;
    for (size_t i = 0; i < group_count; i++) {
        struct group *group = &router->groups[i];
        GW_ASSERT(groups[i].count <= GW_ROUTER_MAX);
        *group = (struct group){.count = groups[i].count,
                                .strategy = groups[i].strategy,
                                .memory = {.rng = &router->rng}};
        group->members = gw_zalloc(sizeof(*group->members) * (group->count + 1));
        for (size_t m = 0; m < group->count; m++) {
            group->members[m] = groups[i].members[m];
            group->members[m].weight += group->members[m].weight == 0;
        }
        /* Workers that begin together must not go round in step. */
        group->memory.turn = gw_rng_below(&router->rng, 1u << 16);
    }
    return router;
}

void gw_router_destroy(struct gw_router **router)
{
    if (*router == NULL) {
        return;
    }
    for (size_t i = 0; i < (*router)->group_count; i++) {
        gw_free((*router)->groups[i].members);
    }
    gw_free((*router)->groups);
    gw_free(*router);
    *router = NULL;
}

void gw_router_set_strategy(struct gw_router *router, size_t group, enum gw_strategy strategy)
{
    GW_ASSERT(group < router->group_count);
    router->groups[group].strategy = strategy;
}

/* ---- the filter ---- */

static uint64_t tokens_of(const struct gw_router_ask *ask)
{
    uint64_t sum = ask->input_tokens + ask->output_tokens;
    return sum >= ask->input_tokens ? sum : UINT64_MAX;
}

static uint64_t tried_keys(const struct gw_router_ask *ask, size_t member)
{
    return ask->tried_credentials != NULL ? ask->tried_credentials[member] : 0;
}

/* What does not change while the request waits. */
static enum gw_router_skip check_fit(const struct gw_router_member *member, size_t index,
                                     const struct gw_router_ask *ask)
{
    if (gw_router_set_has(&ask->tried, index)) {
        return GW_ROUTER_SKIP_TRIED;
    }
    if ((member->tags & ask->tags) != ask->tags) {
        return GW_ROUTER_SKIP_TAGS;
    }
    if (ask->region.len > 0 && !gw_str_eq_nocase(ask->region, member->region)) {
        return GW_ROUTER_SKIP_REGION;
    }
    if (member->max_input_tokens > 0 && ask->input_tokens > member->max_input_tokens) {
        return GW_ROUTER_SKIP_CONTEXT;
    }
    return GW_ROUTER_SKIP_NONE;
}

static struct gw_router_reason check(const struct gw_router_member *member, size_t index,
                                     const struct gw_router_ask *ask, size_t *credential)
{
    const struct gw_deployment_state *state = member->state;
    struct gw_router_reason reason = {.skip = check_fit(member, index, ask)};
    if (reason.skip != GW_ROUTER_SKIP_NONE) {
        return reason;
    }
    if (!gw_breaker_can_begin(&state->breaker, member->breaker, ask->now_ms)) {
        reason.skip = GW_ROUTER_SKIP_BREAKER;
        reason.wait_ms = gw_breaker_wait_ms(&state->breaker, member->breaker, ask->now_ms);
        return reason;
    }
    if (member->concurrency != NULL &&
        atomic_load_explicit(&state->limits.in_flight, RELAXED) >=
            gw_concurrency_limit(&state->concurrency, member->concurrency)) {
        reason.skip = GW_ROUTER_SKIP_LOAD;
        return reason;
    }
    reason.limit = gw_limits_check(&state->limits, &member->limits, tokens_of(ask), ask->now_ms,
                                   &reason.wait_ms);
    if (reason.limit != GW_LIMIT_NONE) {
        reason.skip = GW_ROUTER_SKIP_LIMIT;
        return reason;
    }
    reason.credential =
        gw_credentials_pick(&member->pool, tried_keys(ask, index),
                            atomic_load_explicit(&state->credential_turn, RELAXED), tokens_of(ask),
                            ask->now_ms, credential, &reason.wait_ms);
    if (reason.credential != GW_CREDENTIAL_FOUND) {
        reason.skip = GW_ROUTER_SKIP_CREDENTIAL;
    }
    return reason;
}

/* ---- candidates ---- */

static uint64_t cost_nusd(const struct gw_router_member *member, const struct gw_router_ask *ask)
{
    uint64_t input = 0;
    uint64_t output = 0;
    uint64_t sum = 0;
    if (__builtin_mul_overflow(member->input_pusd, ask->input_tokens, &input) ||
        __builtin_mul_overflow(member->output_pusd, ask->output_tokens, &output) ||
        __builtin_add_overflow(input, output, &sum)) {
        return UINT64_MAX / PUSD_PER_NUSD;
    }
    return sum / PUSD_PER_NUSD;
}

static void fill(struct gw_candidate *candidate, const struct gw_router_member *member,
                 size_t index, const struct gw_router_ask *ask)
{
    const struct gw_deployment_state *state = member->state;
    *candidate = (struct gw_candidate){
        .cost_nusd = cost_nusd(member, ask),
        .index = (uint32_t)index,
        .weight = member->weight,
        .priority = member->priority,
        .in_flight = atomic_load_explicit(&state->limits.in_flight, RELAXED),
        .latency_us = gw_health_latency_us(&state->health, ask->now_ms),
        .room_permille = gw_limits_room_permille(&state->limits, &member->limits, ask->now_ms),
        .quality = member->quality,
        .health = gw_health_points(&state->health) / (GW_HEALTH_FULL / 1000),
    };
}

static size_t collect(struct gw_router *router, const struct group *group,
                      const struct gw_router_ask *ask)
{
    size_t count = 0;
    size_t credential = 0;
    for (size_t i = 0; i < group->count; i++) {
        const struct gw_router_member *member = &group->members[i];
        if (check(member, i, ask, &credential).skip == GW_ROUTER_SKIP_NONE) {
            fill(&router->candidates[count++], member, i, ask);
        }
    }
    return count;
}

/* The deployment |affinity| belongs to, if it is not busier than the others; else |count|. */
static size_t pick_sticky(const struct gw_candidate *candidates, size_t count, uint64_t affinity)
{
    size_t best = count;
    uint64_t best_score = 0;
    uint64_t in_flight = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t score = gw_affinity_score(affinity, candidates[i].index, candidates[i].weight);
        in_flight += candidates[i].in_flight;
        if (best == count || score > best_score) {
            best = i;
            best_score = score;
        }
    }
    uint64_t bound = in_flight * STICKY_LOAD_PCT / (100 * count) + STICKY_SPARE;
    return candidates[best].in_flight <= bound ? best : count;
}

static size_t choose(struct gw_router *router, struct group *group, const struct gw_router_ask *ask,
                     size_t count)
{
    size_t at = count;
    if (ask->affinity != 0) {
        at = pick_sticky(router->candidates, count, ask->affinity);
    }
    return at < count ? at
                      : gw_strategy_pick(group->strategy, &group->memory, ask->complexity,
                                         router->candidates, count);
}

/* ---- taking ---- */

/* Takes the key, the deployment's limits and the breaker's leave, or nothing: another worker may
 * have been faster since the check. */
static bool take(const struct gw_router_member *member, const struct gw_router_ask *ask,
                 struct gw_router_choice *choice)
{
    struct gw_deployment_state *state = member->state;
    uint64_t turn = atomic_fetch_add_explicit(&state->credential_turn, 1, RELAXED);
    uint64_t tokens = tokens_of(ask);
    if (gw_credentials_pick(&member->pool, tried_keys(ask, choice->member), turn, tokens,
                            ask->now_ms, &choice->credential, NULL) != GW_CREDENTIAL_FOUND) {
        return false;
    }
    if (gw_limits_begin(&state->limits, &member->limits, tokens, ask->now_ms) != GW_LIMIT_NONE) {
        return false;
    }
    struct gw_limits *key_limits =
        member->pool.count > 0 ? &member->pool.states[choice->credential]->limits : NULL;
    bool has_key = key_limits == NULL || gw_limits_begin(key_limits, &member->pool.limits, tokens,
                                                         ask->now_ms) == GW_LIMIT_NONE;
    if (has_key &&
        gw_breaker_begin(&state->breaker, member->breaker, ask->now_ms, &choice->ticket)) {
        choice->tokens = tokens;
        choice->begun_at_ms = ask->now_ms;
        return true;
    }
    if (has_key && key_limits != NULL) {
        gw_limits_end(key_limits, &member->pool.limits, tokens, 0, false, ask->now_ms);
    }
    gw_limits_end(&state->limits, &member->limits, tokens, 0, false, ask->now_ms);
    return false;
}

bool gw_router_pick(struct gw_router *router, size_t group_index, const struct gw_router_ask *ask,
                    struct gw_router_choice *choice)
{
    GW_ASSERT(group_index < router->group_count);
    struct group *group = &router->groups[group_index];
    size_t count = collect(router, group, ask);
    while (count > 0) {
        size_t at = choose(router, group, ask, count);
        *choice = (struct gw_router_choice){.member = router->candidates[at].index};
        if (take(&group->members[choice->member], ask, choice)) {
            return true;
        }
        router->candidates[at] = router->candidates[--count];
    }
    return false;
}

/* ---- the end ---- */

enum gw_router_outcome gw_router_outcome_of(const struct gw_error *error)
{
    if (error->is_credential) {
        return GW_ROUTER_REFUSED;
    }
    switch (error->class) {
    case GW_ERROR_NONE:
        return GW_ROUTER_SUCCEEDED;
    case GW_ERROR_LIMIT:
    case GW_ERROR_BUDGET:
        return GW_ROUTER_LIMITED;
    case GW_ERROR_TIMEOUT:
        return GW_ROUTER_TIMED_OUT;
    case GW_ERROR_UPSTREAM:
    case GW_ERROR_OVERLOADED:
        /* A model that the provider does not know says nothing about its health. */
        return error->is_retryable ? GW_ROUTER_FAILED : GW_ROUTER_NEUTRAL;
    case GW_ERROR_CLIENT:
    case GW_ERROR_AUTH:
    case GW_ERROR_POLICY:
    case GW_ERROR_INTERNAL:
    case GW_ERROR_CANCELLED:
    case GW_ERROR_CLASS_COUNT:
        break;
    }
    return GW_ROUTER_NEUTRAL;
}

static enum gw_breaker_outcome breaker_outcome(enum gw_router_outcome outcome)
{
    switch (outcome) {
    case GW_ROUTER_SUCCEEDED:
        return GW_BREAKER_SUCCESS;
    case GW_ROUTER_FAILED:
    case GW_ROUTER_TIMED_OUT:
        return GW_BREAKER_FAILURE;
    case GW_ROUTER_LIMITED:
    case GW_ROUTER_REFUSED:
    case GW_ROUTER_NEUTRAL:
        break;
    }
    return GW_BREAKER_NOTHING;
}

static void note_health(struct gw_deployment_state *state, const struct gw_router_report *report,
                        uint64_t duration_ms, uint64_t now_ms)
{
    atomic_fetch_add_explicit(&state->exchanges_total, 1, RELAXED);
    if (report->outcome == GW_ROUTER_SUCCEEDED) {
        uint64_t waited_ms = report->first_byte_us > 0 ? report->first_byte_us / 1000 : duration_ms;
        gw_health_note(&state->health,
                       waited_ms > GW_HEALTH_SLOW_MS ? GW_HEALTH_SLOW : GW_HEALTH_FAST);
        if (report->first_byte_us > 0) {
            gw_health_note_latency(&state->health, report->first_byte_us, now_ms);
            gw_quantile_add(&state->first_byte, report->first_byte_us);
        }
    } else if (report->outcome == GW_ROUTER_FAILED) {
        atomic_fetch_add_explicit(&state->failures_total, 1, RELAXED);
        gw_health_note(&state->health, GW_HEALTH_FAILURE);
    } else if (report->outcome == GW_ROUTER_TIMED_OUT) {
        atomic_fetch_add_explicit(&state->timeouts_total, 1, RELAXED);
        gw_health_note(&state->health, GW_HEALTH_TIMEOUT);
    }
}

static void note_load(const struct gw_router_member *member, const struct gw_router_report *report)
{
    bool is_overloaded =
        report->outcome == GW_ROUTER_FAILED || report->outcome == GW_ROUTER_TIMED_OUT;
    if (member->concurrency != NULL && (is_overloaded || report->first_byte_us > 0)) {
        uint32_t in_flight = atomic_load_explicit(&member->state->limits.in_flight, RELAXED);
        gw_concurrency_note(&member->state->concurrency, member->concurrency, report->first_byte_us,
                            in_flight + 1, is_overloaded);
    }
}

static void note_credential(struct gw_credential_state *key, const struct gw_router_report *report,
                            struct gw_router_news *news, uint64_t now_ms)
{
    if (report->headers != NULL) {
        gw_limits_learn(&key->limits, report->headers, now_ms);
    }
    if (report->outcome == GW_ROUTER_LIMITED) {
        uint64_t wait_ms = report->retry_after_ms;
        if (wait_ms == 0 && report->headers != NULL) {
            wait_ms = report->headers->retry_after_ms;
        }
        gw_credential_rest(key, wait_ms, now_ms);
    } else if (report->outcome == GW_ROUTER_REFUSED) {
        news->credential_alarm = gw_credential_refuse(key, now_ms);
    } else if (report->outcome == GW_ROUTER_SUCCEEDED) {
        news->credential_alarm_over = gw_credential_accept(key);
    }
}

struct gw_router_news gw_router_end(struct gw_router *router, size_t group_index,
                                    const struct gw_router_choice *choice,
                                    const struct gw_router_report *report, uint64_t now_ms)
{
    GW_ASSERT(group_index < router->group_count);
    GW_ASSERT(choice->member < router->groups[group_index].count);
    const struct gw_router_member *member = &router->groups[group_index].members[choice->member];
    struct gw_deployment_state *state = member->state;
    struct gw_router_news news = {0};
    uint64_t used = report->tokens > 0 ? report->tokens : choice->tokens;
    uint64_t duration_ms = now_ms > choice->begun_at_ms ? now_ms - choice->begun_at_ms : 0;
    uint64_t first_ms = report->first_byte_us > 0 ? report->first_byte_us / 1000 : duration_ms;
    uint32_t openings = atomic_load_explicit(&state->breaker.openings_total, RELAXED);
    gw_limits_end(&state->limits, &member->limits, choice->tokens, used, report->was_sent, now_ms);
    gw_breaker_end(&state->breaker, member->breaker, choice->ticket,
                   breaker_outcome(report->outcome), first_ms, now_ms);
    news.breaker_opened = atomic_load_explicit(&state->breaker.openings_total, RELAXED) != openings;
    note_health(state, report, duration_ms, now_ms);
    note_load(member, report);
    if (member->pool.count > 0) {
        struct gw_credential_state *key = member->pool.states[choice->credential];
        gw_limits_end(&key->limits, &member->pool.limits, choice->tokens, used, report->was_sent,
                      now_ms);
        note_credential(key, report, &news, now_ms);
    } else if (report->headers != NULL) {
        gw_limits_learn(&state->limits, report->headers, now_ms);
    }
    return news;
}

/* ---- explaining ---- */

struct gw_router_reason gw_router_explain(const struct gw_router *router, size_t group_index,
                                          size_t member, const struct gw_router_ask *ask)
{
    size_t credential = 0;
    GW_ASSERT(group_index < router->group_count);
    const struct group *group = &router->groups[group_index];
    GW_ASSERT(member < group->count);
    return check(&group->members[member], member, ask, &credential);
}

uint64_t gw_router_wait_ms(const struct gw_router *router, size_t group_index,
                           const struct gw_router_ask *ask)
{
    uint64_t soonest = UINT64_MAX;
    GW_ASSERT(group_index < router->group_count);
    for (size_t i = 0; i < router->groups[group_index].count; i++) {
        struct gw_router_reason reason = gw_router_explain(router, group_index, i, ask);
        if (reason.skip == GW_ROUTER_SKIP_NONE) {
            return 0;
        }
        if (reason.wait_ms > 0 && reason.wait_ms < soonest) {
            soonest = reason.wait_ms;
        }
    }
    return soonest == UINT64_MAX ? 0 : soonest;
}

const char *gw_router_reason_text(const struct gw_router_reason *reason)
{
    static const char *const texts[] = {
#define XX(id, text) [GW_ROUTER_SKIP_##id] = text,
        GW_ROUTER_SKIP_MAP(XX)
#undef XX
    };
    if (reason->skip == GW_ROUTER_SKIP_LIMIT) {
        return gw_limit_text(reason->limit);
    }
    if (reason->skip == GW_ROUTER_SKIP_CREDENTIAL) {
        return gw_credential_verdict_text(reason->credential);
    }
    GW_ASSERT((unsigned)reason->skip < GW_ROUTER_SKIP_COUNT);
    return texts[reason->skip];
}
