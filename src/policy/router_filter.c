/* SPDX-License-Identifier: MIT */
/* policy/router_filter - who could serve a request, and why not. */
#include "base/assert.h"
#include "policy/router_int.h"

#define RELAXED memory_order_relaxed

uint64_t gw_router_tokens_of(const struct gw_router_ask *ask)
{
    uint64_t sum = ask->input_tokens + ask->output_tokens;
    return sum >= ask->input_tokens ? sum : UINT64_MAX;
}

uint64_t gw_router_tried_keys(const struct gw_router_ask *ask, size_t member)
{
    return ask->tried_credentials != NULL ? ask->tried_credentials[member] : 0;
}

enum gw_router_skip gw_router_check_fit(const struct gw_router_member *member, size_t index,
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

bool gw_router_is_down(const struct gw_router_member *member)
{
    return member->probe != NULL && gw_probe_is_down(&member->state->probe, member->probe);
}

bool gw_router_is_loaded(const struct gw_router_member *member)
{
    const struct gw_deployment_state *state = member->state;
    return member->concurrency != NULL &&
           atomic_load_explicit(&state->limits.in_flight, RELAXED) >=
               gw_concurrency_limit(&state->concurrency, member->concurrency);
}

struct gw_router_reason gw_router_check(const struct gw_router_member *member, size_t index,
                                        const struct gw_router_ask *ask)
{
    size_t credential = 0;
    const struct gw_deployment_state *state = member->state;
    struct gw_router_reason reason = {.skip = gw_router_check_fit(member, index, ask)};
    if (reason.skip != GW_ROUTER_SKIP_NONE) {
        return reason;
    }
    if (!gw_breaker_can_begin(&state->breaker, member->breaker, ask->now_ms)) {
        reason.skip = GW_ROUTER_SKIP_BREAKER;
        reason.wait_ms = gw_breaker_wait_ms(&state->breaker, member->breaker, ask->now_ms);
        return reason;
    }
    if (gw_router_is_loaded(member)) {
        reason.skip = GW_ROUTER_SKIP_LOAD;
        return reason;
    }
    reason.limit = gw_limits_check(&state->limits, &member->limits, gw_router_tokens_of(ask),
                                   ask->now_ms, &reason.wait_ms);
    if (reason.limit != GW_LIMIT_NONE) {
        reason.skip = GW_ROUTER_SKIP_LIMIT;
        return reason;
    }
    reason.credential =
        gw_credentials_pick(&member->pool, gw_router_tried_keys(ask, index),
                            atomic_load_explicit(&state->credential_turn, RELAXED),
                            gw_router_tokens_of(ask), ask->now_ms, &credential, &reason.wait_ms);
    if (reason.credential != GW_CREDENTIAL_FOUND) {
        reason.skip = GW_ROUTER_SKIP_CREDENTIAL;
    }
    return reason;
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
