/* SPDX-License-Identifier: MIT */
/* policy/credentials - turns over what does not rest. */
#include "policy/credentials.h"

#include "base/assert.h"

#define RELAXED memory_order_relaxed

const char *gw_credential_verdict_text(enum gw_credential_verdict verdict)
{
    static const char *const texts[] = {
#define XX(id, text) [GW_CREDENTIAL_##id] = text,
        GW_CREDENTIAL_VERDICT_MAP(XX)
#undef XX
    };
    GW_ASSERT((unsigned)verdict < GW_CREDENTIAL_VERDICT_COUNT);
    return texts[verdict];
}

/* What is left of the rest; a clock that jumped back does not prolong it. */
uint64_t gw_credential_rest_ms(const struct gw_credential_state *state, uint64_t now_ms)
{
    uint64_t until_ms = atomic_load_explicit(&state->rest_until_ms, RELAXED);
    uint64_t left = until_ms > now_ms ? until_ms - now_ms : 0;
    return left <= GW_CREDENTIALS_REST_MAX_MS ? left : 0;
}

bool gw_credential_is_refused(const struct gw_credential_state *state)
{
    return atomic_load_explicit(&state->refusals, RELAXED) > 0;
}

static enum gw_credential_verdict check_one(const struct gw_credential_pool *pool, size_t index,
                                            uint64_t tokens, uint64_t now_ms, uint64_t *wait_ms)
{
    const struct gw_credential_state *state = pool->states[index];
    *wait_ms = gw_credential_rest_ms(state, now_ms);
    if (*wait_ms > 0) {
        return gw_credential_is_refused(state) ? GW_CREDENTIAL_REFUSED : GW_CREDENTIAL_RESTING;
    }
    enum gw_limit limit = gw_limits_check(&state->limits, &pool->limits, tokens, now_ms, wait_ms);
    return limit == GW_LIMIT_NONE ? GW_CREDENTIAL_FOUND : GW_CREDENTIAL_LIMITED;
}

enum gw_credential_verdict gw_credentials_pick(const struct gw_credential_pool *pool,
                                               uint64_t tried, uint64_t turn, uint64_t tokens,
                                               uint64_t now_ms, size_t *index, uint64_t *wait_ms)
{
    enum gw_credential_verdict worst = GW_CREDENTIAL_TRIED;
    uint64_t soonest = UINT64_MAX;
    uint64_t told = UINT64_MAX; /* the wait that |worst| is about */
    GW_ASSERT(pool->count <= GW_CREDENTIALS_MAX);
    *index = 0;
    if (pool->count == 0) {
        return (tried & 1) == 0 ? GW_CREDENTIAL_FOUND : GW_CREDENTIAL_TRIED;
    }
    for (size_t i = 0; i < pool->count; i++) {
        size_t at = (size_t)((turn + i) % pool->count);
        uint64_t wait = 0;
        if ((tried >> at & 1) != 0) {
            continue;
        }
        enum gw_credential_verdict verdict = check_one(pool, at, tokens, now_ms, &wait);
        if (verdict == GW_CREDENTIAL_FOUND) {
            *index = at;
            return verdict;
        }
        /* The reason that ends first is the one to tell; that keys are refused when all are. */
        bool is_better =
            verdict != GW_CREDENTIAL_REFUSED && (worst == GW_CREDENTIAL_REFUSED || wait < told);
        if (worst == GW_CREDENTIAL_TRIED || is_better) {
            worst = verdict;
            told = wait;
        }
        soonest = wait < soonest ? wait : soonest;
    }
    if (wait_ms != NULL) {
        *wait_ms = soonest == UINT64_MAX ? 0 : soonest;
    }
    return worst;
}

void gw_credential_rest(struct gw_credential_state *state, uint64_t wait_ms, uint64_t now_ms)
{
    wait_ms = wait_ms == 0 ? GW_CREDENTIALS_REST_MS : wait_ms;
    wait_ms = wait_ms < GW_CREDENTIALS_REST_MAX_MS ? wait_ms : GW_CREDENTIALS_REST_MAX_MS;
    uint64_t until_ms = now_ms + wait_ms;
    if (until_ms > atomic_load_explicit(&state->rest_until_ms, RELAXED) ||
        gw_credential_rest_ms(state, now_ms) == 0) {
        atomic_store_explicit(&state->rest_until_ms, until_ms, RELAXED);
    }
    atomic_fetch_add_explicit(&state->rests_total, 1, RELAXED);
}

bool gw_credential_refuse(struct gw_credential_state *state, uint64_t now_ms)
{
    uint32_t before = atomic_fetch_add_explicit(&state->refusals, 1, RELAXED);
    uint64_t wait_ms = GW_CREDENTIALS_REFUSED_MS;
    for (uint32_t i = 0; i < before && wait_ms < GW_CREDENTIALS_REFUSED_MAX_MS; i++) {
        wait_ms *= 2;
    }
    wait_ms = wait_ms < GW_CREDENTIALS_REFUSED_MAX_MS ? wait_ms : GW_CREDENTIALS_REFUSED_MAX_MS;
    atomic_store_explicit(&state->rest_until_ms, now_ms + wait_ms, RELAXED);
    return before == 0;
}

bool gw_credential_accept(struct gw_credential_state *state)
{
    if (atomic_load_explicit(&state->refusals, RELAXED) == 0) {
        return false;
    }
    atomic_store_explicit(&state->rest_until_ms, 0, RELAXED);
    return atomic_exchange_explicit(&state->refusals, 0, RELAXED) > 0;
}
