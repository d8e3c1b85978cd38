/* SPDX-License-Identifier: MIT */
/* policy/retry - what the error allows, then what time and allowance allow. */
#include "policy/retry.h"

#include "base/assert.h"

#define MOVES_MAX 16u /* deployments of one group that one request may try in its first round */

/* What kind of failure it is decides which list of fallbacks counts. */
enum kind {
    KIND_GENERAL,
    KIND_CONTEXT,
    KIND_POLICY,
};

static uint64_t or_default(uint64_t value, uint64_t otherwise)
{
    return value > 0 ? value : otherwise;
}

void gw_retry_policy_bound(struct gw_retry_policy *policy)
{
    if (!policy->max_retries_is_set) {
        policy->max_retries = 3;
    }
    policy->max_retries_is_set = true;
    policy->max_fallbacks = (unsigned)or_default(policy->max_fallbacks, 5);
    policy->base_ms = or_default(policy->base_ms, 500);
    policy->cap_ms = or_default(policy->cap_ms, 30000);
    policy->factor_pct = (unsigned)or_default(policy->factor_pct, 200);
    policy->budget_pct = (unsigned)or_default(policy->budget_pct, 20);
    policy->patience_ms = or_default(policy->patience_ms, 2000);
}

void gw_retry_begin(struct gw_retry_state *state, const struct gw_retry_policy *policy,
                    struct gw_allowance *allowance, uint32_t group, uint64_t now_ms)
{
    state->begun_at_ms = now_ms;
    state->retries = 0;
    state->group_count = 1;
    state->groups[0] = group;
    gw_allowance_add(allowance, policy->budget_pct);
}

uint64_t gw_retry_pause_ms(const struct gw_retry_policy *policy, unsigned retries,
                           struct gw_rng *rng)
{
    uint64_t bound = policy->base_ms < policy->cap_ms ? policy->base_ms : policy->cap_ms;
    for (unsigned i = 0; i < retries && bound < policy->cap_ms; i++) {
        uint64_t next = 0;
        if (__builtin_mul_overflow(bound, (uint64_t)policy->factor_pct, &next)) {
            return 1 + gw_rng_below(rng, policy->cap_ms);
        }
        next /= 100;
        if (next <= bound) { /* a factor of 1 or below */
            break;
        }
        bound = next < policy->cap_ms ? next : policy->cap_ms;
    }
    return 1 + gw_rng_below(rng, bound);
}

static enum kind kind_of(const struct gw_error *error)
{
    if (gw_str_eq(error->code, GW_STR("context_length_exceeded"))) {
        return KIND_CONTEXT;
    }
    return gw_failure_kind_of(error) == GW_FAILURE_CONTENT_POLICY ? KIND_POLICY : KIND_GENERAL;
}

/* ---- time ---- */

static bool is_in_time(const struct gw_retry_state *state, const struct gw_retry_policy *policy,
                       uint64_t now_ms, uint64_t delay_ms)
{
    uint64_t spent = now_ms > state->begun_at_ms ? now_ms - state->begun_at_ms : 0;
    return policy->deadline_ms == 0 ||
           (spent < policy->deadline_ms && delay_ms < policy->deadline_ms - spent);
}

/* ---- fallbacks ---- */

static bool was_visited(const struct gw_retry_state *state, uint32_t group)
{
    for (unsigned i = 0; i < state->group_count; i++) {
        if (state->groups[i] == group) {
            return true;
        }
    }
    return false;
}

static const struct gw_fallback_list *list_for(const struct gw_retry_facts *facts, enum kind kind)
{
    if (facts->fallbacks == NULL) {
        return NULL;
    }
    return kind == KIND_CONTEXT  ? &facts->fallbacks->context_window
           : kind == KIND_POLICY ? &facts->fallbacks->content_policy
                                 : &facts->fallbacks->general;
}

/* The next group, if there is one this request has not been to. */
static bool find_fallback(const struct gw_retry_state *state, const struct gw_retry_policy *policy,
                          const struct gw_retry_facts *facts, enum kind kind, uint32_t *group)
{
    const struct gw_fallback_list *list = list_for(facts, kind);
    if (list == NULL || state->is_off || state->is_fallback_off ||
        state->group_count > policy->max_fallbacks || state->group_count == GW_RETRY_GROUPS_MAX ||
        !is_in_time(state, policy, facts->now_ms, 0)) {
        return false;
    }
    for (size_t i = 0; i < list->count; i++) {
        if (!was_visited(state, list->groups[i])) {
            *group = list->groups[i];
            return true;
        }
    }
    return false;
}

/* The same of the general ones. What only the client can mend, and what has lists of its own, is
 * not theirs, however often it was retried. */
static bool find_general(const struct gw_retry_state *state, const struct gw_retry_policy *policy,
                         const struct gw_error *error, const struct gw_retry_facts *facts,
                         uint32_t *group)
{
    return kind_of(error) == KIND_GENERAL && (error->can_fallback || facts->is_refused_here) &&
           find_fallback(state, policy, facts, KIND_GENERAL, group);
}

static struct gw_retry_decision fall_back(struct gw_retry_state *state,
                                          struct gw_allowance *allowance, uint32_t group,
                                          const char *why)
{
    gw_allowance_take(allowance);
    state->groups[state->group_count++] = group;
    state->retries = 0;
    state->has_paused = false;
    return (struct gw_retry_decision){
        .verdict = GW_RETRY_FALLBACK, .group = group, .forget_tried = true, .why = why};
}

/* ---- the same group ---- */

/* The pause before the same deployments are asked again: theirs if they named one. */
static uint64_t pause_for(const struct gw_retry_state *state, const struct gw_retry_policy *policy,
                          const struct gw_error *error, const struct gw_retry_facts *facts,
                          struct gw_rng *rng)
{
    uint64_t pause = gw_retry_pause_ms(policy, state->retries, rng);
    uint64_t told = error->retry_after_s < UINT64_MAX / 1000 ? error->retry_after_s * 1000 : 0;
    told = facts->wait_ms > 0 ? facts->wait_ms : told;
    if (told == 0) {
        return pause;
    }
    /* A little later than told, and not all at once. */
    return told + pause / 4;
}

static struct gw_retry_decision again(struct gw_retry_state *state, uint64_t delay_ms,
                                      bool forget_tried, const char *why)
{
    state->retries++;
    state->has_paused = state->has_paused || forget_tried;
    return (struct gw_retry_decision){.verdict = GW_RETRY_AGAIN,
                                      .delay_ms = delay_ms,
                                      .group = state->groups[state->group_count - 1],
                                      .forget_tried = forget_tried,
                                      .why = why};
}

static struct gw_retry_decision give_up(const char *why)
{
    return (struct gw_retry_decision){.verdict = GW_RETRY_GIVE_UP, .why = why};
}

/* Waits for the same deployments, or falls back, or gives up. */
static struct gw_retry_decision decide_pause(struct gw_retry_state *state,
                                             const struct gw_retry_policy *policy,
                                             struct gw_allowance *allowance, struct gw_rng *rng,
                                             const struct gw_error *error,
                                             const struct gw_retry_facts *facts)
{
    uint32_t group = 0;
    bool has_fallback = find_general(state, policy, error, facts, &group);
    uint64_t pause = pause_for(state, policy, error, facts, rng);
    if (has_fallback && (pause > policy->patience_ms || facts->is_refused_here)) {
        return fall_back(state, allowance, group, "no deployment of the group can serve soon");
    }
    if (pause > policy->cap_ms || !is_in_time(state, policy, facts->now_ms, pause)) {
        return has_fallback ? fall_back(state, allowance, group, "the wait would be too long")
                            : give_up("the wait would be too long");
    }
    if (!facts->is_refused_here && !gw_allowance_try_take(allowance)) {
        return has_fallback ? fall_back(state, allowance, group, "the retry budget is used up")
                            : give_up("the retry budget is used up");
    }
    return again(state, pause, true, "the same deployments after a pause");
}

/* How often this failure may be retried: 0 when it must not be at all. */
static unsigned retries_for(const struct gw_retry_policy *policy, const struct gw_error *error,
                            const struct gw_retry_facts *facts)
{
    unsigned own = facts->is_refused_here ? 0 : policy->retries_of[gw_failure_kind_of(error)];
    if (own > 0) { /* who has a mistake repeated has a reason */
        return own - 1;
    }
    return error->is_retryable || error->is_credential ? policy->max_retries : 0;
}

/* No request fails while a healthy deployment was not asked, whatever their number. */
static bool has_moves(const struct gw_retry_state *state, unsigned max_retries)
{
    return max_retries > 0 &&
           (state->retries < max_retries || (!state->has_paused && state->retries < MOVES_MAX));
}

bool gw_retry_can_move(const struct gw_retry_state *state, const struct gw_retry_policy *policy,
                       enum gw_failure_kind kind, uint64_t now_ms)
{
    unsigned own = policy->retries_of[kind];
    return !state->is_off && has_moves(state, own > 0 ? own - 1 : policy->max_retries) &&
           is_in_time(state, policy, now_ms, 0);
}

struct gw_retry_decision gw_retry_decide(struct gw_retry_state *state,
                                         const struct gw_retry_policy *policy,
                                         struct gw_allowance *allowance, struct gw_rng *rng,
                                         const struct gw_error *error,
                                         const struct gw_retry_facts *facts)
{
    enum kind kind = kind_of(error);
    uint32_t group = 0;
    GW_ASSERT(state->group_count > 0);
    if (state->is_off) {
        return give_up("the request asked for no retries");
    }
    unsigned max_retries = kind == KIND_CONTEXT ? 0 : retries_for(policy, error, facts);
    if (kind != KIND_GENERAL && find_fallback(state, policy, facts, kind, &group)) {
        return fall_back(state, allowance, group,
                         kind == KIND_CONTEXT ? "a model with a longer context"
                                              : "a model with another content policy");
    }
    if (kind != KIND_GENERAL && max_retries == 0) { /* the same model gives the same answer */
        return give_up("no fallback for this kind of refusal");
    }
    bool has_retries = state->retries < max_retries;
    bool may_move = facts->has_untried && has_moves(state, max_retries);
    if ((has_retries || may_move) && !is_in_time(state, policy, facts->now_ms, 0)) {
        return give_up("the deadline has passed");
    }
    if (may_move) { /* moves load, adds little: paid, never refused */
        gw_allowance_take(allowance);
        return again(state, 0, false, "another deployment or key of the group");
    }
    /* A key that was refused is refused again. */
    if (has_retries && !error->is_credential) {
        return decide_pause(state, policy, allowance, rng, error, facts);
    }
    if (find_general(state, policy, error, facts, &group)) {
        return fall_back(state, allowance, group, "the group has failed");
    }
    return give_up(max_retries > 0 || error->is_retryable ? "no retry is left"
                                                          : "the failure is final");
}
