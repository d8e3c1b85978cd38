/* SPDX-License-Identifier: MIT */
/* policy/router - choose, take; and what the end of an exchange means. */
#include "policy/router.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "policy/affinity.h"
#include "policy/router_int.h"

#define RELAXED memory_order_relaxed
/* A sticky choice may have this much more in flight than the average, and two more: beyond that the
 * cache is not worth the wait. */
#define STICKY_LOAD_PCT 150u
#define STICKY_SPARE    2u

struct gw_router {
    struct gw_rng rng;
    struct gw_router_team *teams;
    size_t team_count;
    struct gw_least table; /* of a pick that the board does not fit */
    _Alignas(8) char room[GW_LEAST_BYTES_MAX];
};

static void team_init(struct gw_router_team *team, const struct gw_router_group *group,
                      struct gw_rng *rng)
{
    GW_ASSERT(group->count <= GW_ROUTER_MAX);
    *team = (struct gw_router_team){
        .count = group->count,
        .strategy = group->strategy,
        /* Workers that begin together must not go round in step. */
        .memory = {.rng = rng, .turn = gw_rng_below(rng, 1u << 16)},
    };
    team->members = gw_zalloc(sizeof(*team->members) * (team->count + 1));
    for (size_t i = 0; i < team->count; i++) {
        team->members[i] = group->members[i];
        team->members[i].weight += team->members[i].weight == 0;
    }
    gw_router_board_init(team);
}

struct gw_router *gw_router_create(const struct gw_router_group *groups, size_t group_count,
                                   uint64_t seed)
{
    struct gw_router *router = gw_zalloc(sizeof(*router));
    if (seed == 0) {
        gw_rng_init(&router->rng);
    } else {
        gw_rng_init_fixed(&router->rng, seed);
    }
    router->teams = gw_zalloc(sizeof(*router->teams) * (group_count + 1));
    router->team_count = group_count;
    gw_least_init(&router->table, GW_ROUTER_MAX, router->room);
    for (size_t i = 0; i < group_count; i++) {
        team_init(&router->teams[i], &groups[i], &router->rng);
    }
    return router;
}

void gw_router_destroy(struct gw_router **router)
{
    if (*router == NULL) {
        return;
    }
    for (size_t i = 0; i < (*router)->team_count; i++) {
        gw_router_board_fini(&(*router)->teams[i]);
        gw_free((*router)->teams[i].members);
    }
    gw_free((*router)->teams);
    gw_free(*router);
    *router = NULL;
}

static struct gw_router_team *team_of(const struct gw_router *router, size_t group)
{
    GW_ASSERT(group < router->team_count);
    return &router->teams[group];
}

void gw_router_set_strategy(struct gw_router *router, size_t group, enum gw_strategy strategy)
{
    struct gw_router_team *team = team_of(router, group);
    team->strategy = strategy;
    team->board.is_known = false; /* it has only what the old one reads */
}

/* ---- choosing ---- */

/* The deployment |affinity| belongs to, if it is not busier than the others; else |count|. */
static size_t pick_sticky(const struct gw_router_team *team, const struct gw_least *table,
                          uint64_t affinity)
{
    const struct gw_candidate *candidates = team->board.candidates;
    size_t best = team->count;
    uint64_t best_score = 0;
    uint64_t in_flight = 0;
    uint64_t present = 0;
    for (size_t i = 0; i < team->count; i++) {
        if (table->keys[i] == GW_LEAST_ABSENT) {
            continue;
        }
        /* Where all weigh the same the score's hash is enough: the order is the same. */
        uint64_t score = team->is_even ? gw_affinity_hash(affinity, team->board.marks[i])
                                       : gw_affinity_score(affinity, i, candidates[i].weight);
        in_flight += candidates[i].in_flight;
        present++;
        if (best == team->count || score > best_score) {
            best = i;
            best_score = score;
        }
    }
    const struct gw_limits *limits = &team->members[best].state->limits;
    uint64_t bound = in_flight * STICKY_LOAD_PCT / (100 * present) + STICKY_SPARE;
    return atomic_load_explicit(&limits->in_flight, RELAXED) <= bound ? best : team->count;
}

/* One of those that are present in |table|: there is one. */
static size_t choose(struct gw_router_team *team, const struct gw_router_ask *ask,
                     struct gw_least *table)
{
    size_t sticky = team->count;
    if (ask->affinity != 0) {
        sticky = pick_sticky(team, table, ask->affinity);
    }
    if (sticky < team->count) {
        return sticky;
    }
    gw_router_board_fill_costs(team, ask, table);
    return gw_strategy_choose(team->strategy, &team->memory, table);
}

/* ---- taking ---- */

/* A key that may be used, and whose turn it is. */
static bool take_key(const struct gw_router_member *member, const struct gw_router_ask *ask,
                     struct gw_router_choice *choice)
{
    uint64_t turn = 0;
    if (member->pool.count > 1) {
        turn = atomic_fetch_add_explicit(&member->state->credential_turn, 1, RELAXED);
    }
    return gw_credentials_pick(&member->pool, gw_router_tried_keys(ask, choice->member), turn,
                               choice->tokens, ask->now_ms, &choice->credential,
                               NULL) == GW_CREDENTIAL_FOUND;
}

/* Takes the key, the deployment's limits and the breaker's leave, or nothing: another worker may
 * have been faster since the check. */
static bool take(const struct gw_router_team *team, size_t index, const struct gw_router_ask *ask,
                 struct gw_router_choice *choice)
{
    const struct gw_router_member *member = &team->members[index];
    struct gw_deployment_state *state = member->state;
    uint64_t tokens = gw_router_tokens_of(ask);
    *choice =
        (struct gw_router_choice){.member = index, .tokens = tokens, .begun_at_ms = ask->now_ms};
    if (gw_router_is_loaded(member) || !take_key(member, ask, choice) ||
        gw_limits_begin(&state->limits, &member->limits, tokens, ask->now_ms) != GW_LIMIT_NONE) {
        return false;
    }
    struct gw_limits *key_limits =
        member->pool.count > 0 ? &member->pool.states[choice->credential]->limits : NULL;
    bool has_key = key_limits == NULL || gw_limits_begin(key_limits, &member->pool.limits, tokens,
                                                         ask->now_ms) == GW_LIMIT_NONE;
    if (has_key &&
        gw_breaker_begin(&state->breaker, member->breaker, ask->now_ms, &choice->ticket)) {
        return true;
    }
    if (has_key && key_limits != NULL) {
        gw_limits_end(key_limits, &member->pool.limits, tokens, 0, false, ask->now_ms);
    }
    gw_limits_end(&state->limits, &member->limits, tokens, 0, false, ask->now_ms);
    return false;
}

/* Do all members fit, as far as that does not change while the request waits? */
static bool fits_all(const struct gw_router_team *team, const struct gw_router_ask *ask)
{
    uint64_t tried = 0;
    for (size_t i = 0; i < GW_ARRAY_LEN(ask->tried.words); i++) {
        tried |= ask->tried.words[i];
    }
    return tried == 0 && (ask->tags & ~team->common_tags) == 0 && ask->region.len == 0 &&
           ask->input_tokens <= team->input_tokens_max;
}

/* The board without those that do not fit. */
static struct gw_least *copy_fitting(struct gw_router *router, const struct gw_router_team *team,
                                     const struct gw_router_ask *ask)
{
    struct gw_least *table = &router->table;
    gw_least_copy(table, &team->board.table);
    for (size_t i = 0; i < team->count; i++) {
        if (gw_router_check_fit(&team->members[i], i, ask) != GW_ROUTER_SKIP_NONE) {
            gw_least_set(table, i, GW_LEAST_ABSENT, 0);
        }
    }
    return table;
}

/* Choices from the board, as long as it can tell why one did not work out: it knows who could serve
 * the smallest request, and this one may be larger. */
static bool pick_from_board(struct gw_router *router, struct gw_router_team *team,
                            const struct gw_router_ask *ask, struct gw_router_choice *choice)
{
    gw_router_board_look(team, ask->now_ms);
    struct gw_least *table =
        fits_all(team, ask) ? &team->board.table : copy_fitting(router, team, ask);
    while (gw_least_key(table) != GW_LEAST_ABSENT) {
        size_t member = choose(team, ask, table);
        if (take(team, member, ask, choice)) {
            gw_router_board_move(team, member, ask->now_ms);
            return true;
        }
        gw_router_board_look_at(team, member, ask->now_ms);
        if (team->board.table.keys[member] != GW_LEAST_ABSENT) {
            return false;
        }
        gw_least_set(table, member, GW_LEAST_ABSENT, 0);
    }
    return false;
}

/* Those that could serve: of the ones that are down by their probes, or of the others. */
static struct gw_least *look_at_all(struct gw_router *router, struct gw_router_team *team,
                                    const struct gw_router_ask *ask, bool is_down)
{
    struct gw_least *table = &router->table;
    gw_least_init(table, team->count, router->room);
    for (size_t i = 0; i < team->count; i++) {
        if (gw_router_is_down(&team->members[i]) == is_down &&
            gw_router_check(&team->members[i], i, ask).skip == GW_ROUTER_SKIP_NONE) {
            gw_router_board_fill(team, i, ask->now_ms, table);
        }
    }
    return table;
}

/* Looks at everyone: the board had nobody, or someone who could not serve after all. */
static bool pick_from_all(struct gw_router *router, struct gw_router_team *team,
                          const struct gw_router_ask *ask, bool is_down,
                          struct gw_router_choice *choice)
{
    struct gw_least *table = look_at_all(router, team, ask, is_down);
    while (gw_least_key(table) != GW_LEAST_ABSENT) {
        size_t member = choose(team, ask, table);
        bool has_taken = take(team, member, ask, choice);
        gw_router_board_look_at(team, member, ask->now_ms);
        if (has_taken) {
            return true;
        }
        gw_least_set(table, member, GW_LEAST_ABSENT, 0);
    }
    return false;
}

bool gw_router_pick(struct gw_router *router, size_t group, const struct gw_router_ask *ask,
                    struct gw_router_choice *choice)
{
    struct gw_router_team *team = team_of(router, group);
    if (team->count == 1) { /* nothing to choose: taking it says whether it can serve */
        return gw_router_check_fit(&team->members[0], 0, ask) == GW_ROUTER_SKIP_NONE &&
               take(team, 0, ask, choice);
    }
    return pick_from_board(router, team, ask, choice) ||
           pick_from_all(router, team, ask, false, choice) ||
           pick_from_all(router, team, ask, true, choice);
}

bool gw_router_preview(struct gw_router *router, size_t group, const struct gw_router_ask *ask,
                       size_t *member)
{
    struct gw_router_team *team = team_of(router, group);
    struct gw_strategy_memory memory = team->memory;
    struct gw_rng rng = router->rng;
    struct gw_least *table = look_at_all(router, team, ask, false);
    if (gw_least_key(table) == GW_LEAST_ABSENT) {
        table = look_at_all(router, team, ask, true);
    }
    bool is_found = gw_least_key(table) != GW_LEAST_ABSENT;
    if (is_found) {
        *member = choose(team, ask, table);
    }
    team->memory = memory;
    router->rng = rng;
    return is_found;
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

/* A kind of failure with a threshold of its own counts up to that. */
static void end_breaker(const struct gw_router_member *member,
                        const struct gw_router_choice *choice,
                        const struct gw_router_report *report, uint64_t duration_ms,
                        uint64_t now_ms)
{
    struct gw_breaker *breaker = &member->state->breaker;
    unsigned threshold = member->breaker->threshold_of[report->kind];
    if (threshold == 0) {
        gw_breaker_end(breaker, member->breaker, choice->ticket, breaker_outcome(report->outcome),
                       duration_ms, now_ms);
        return;
    }
    struct gw_breaker_options own = *member->breaker;
    own.failure_threshold = threshold;
    gw_breaker_end(breaker, &own, choice->ticket,
                   threshold == GW_BREAKER_NEVER ? GW_BREAKER_NOTHING : GW_BREAKER_FAILURE,
                   duration_ms, now_ms);
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

/* Where nothing is to be left out for its failures, the keys go on as well. */
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

struct gw_router_news gw_router_end(struct gw_router *router, size_t group,
                                    const struct gw_router_choice *choice,
                                    const struct gw_router_report *report, uint64_t now_ms)
{
    struct gw_router_team *team = team_of(router, group);
    GW_ASSERT(choice->member < team->count);
    const struct gw_router_member *member = &team->members[choice->member];
    struct gw_deployment_state *state = member->state;
    struct gw_router_news news = {0};
    uint64_t used = report->tokens > 0 ? report->tokens : choice->tokens;
    uint64_t duration_ms = now_ms > choice->begun_at_ms ? now_ms - choice->begun_at_ms : 0;
    uint64_t first_ms = report->first_byte_us > 0 ? report->first_byte_us / 1000 : duration_ms;
    uint32_t openings = atomic_load_explicit(&state->breaker.openings_total, RELAXED);
    gw_limits_end(&state->limits, &member->limits, choice->tokens, used, report->was_sent, now_ms);
    end_breaker(member, choice, report, first_ms, now_ms);
    news.breaker_opened = atomic_load_explicit(&state->breaker.openings_total, RELAXED) != openings;
    note_health(state, report, duration_ms, now_ms);
    note_load(member, report);
    if (member->probe != NULL && report->outcome == GW_ROUTER_SUCCEEDED) {
        uint64_t random = gw_rng_next(&router->rng);
        news.came_up =
            gw_probe_note_traffic(&state->probe, member->probe, now_ms, random) == GW_PROBE_CAME_UP;
    }
    if (member->pool.count > 0) {
        struct gw_credential_state *key = member->pool.states[choice->credential];
        gw_limits_end(&key->limits, &member->pool.limits, choice->tokens, used, report->was_sent,
                      now_ms);
        if (!member->breaker->is_off) {
            note_credential(key, report, &news, now_ms);
        }
    } else if (report->headers != NULL && !member->breaker->is_off) {
        gw_limits_learn(&state->limits, report->headers, now_ms);
    }
    if (team->count > 1 && report->outcome == GW_ROUTER_SUCCEEDED) {
        gw_router_board_move(team, choice->member, now_ms);
    } else if (team->count > 1) {
        gw_router_board_look_at(team, choice->member, now_ms);
    }
    return news;
}

/* ---- explaining ---- */

struct gw_router_reason gw_router_explain(const struct gw_router *router, size_t group,
                                          size_t member, const struct gw_router_ask *ask)
{
    const struct gw_router_team *team = team_of(router, group);
    GW_ASSERT(member < team->count);
    return gw_router_check(&team->members[member], member, ask);
}

uint64_t gw_router_wait_ms(const struct gw_router *router, size_t group,
                           const struct gw_router_ask *ask)
{
    uint64_t soonest = UINT64_MAX;
    for (size_t i = 0; i < team_of(router, group)->count; i++) {
        struct gw_router_reason reason = gw_router_explain(router, group, i, ask);
        if (reason.skip == GW_ROUTER_SKIP_NONE) {
            return 0;
        }
        if (reason.wait_ms > 0 && reason.wait_ms < soonest) {
            soonest = reason.wait_ms;
        }
    }
    return soonest == UINT64_MAX ? 0 : soonest;
}
