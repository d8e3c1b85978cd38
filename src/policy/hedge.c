/* SPDX-License-Identifier: MIT */
/* policy/hedge - what may be asked twice, and how long the first one is waited for. */
#include "policy/hedge.h"

#define DEFAULT_PCT 5u

/* Asking twice must change nothing at the provider and cost no more than a second answer. */
static bool is_repeatable(const struct gw_hedge_facts *facts)
{
    bool is_plain = facts->task == GW_TASK_CHAT || facts->task == GW_TASK_COMPLETION ||
                    facts->task == GW_TASK_RESPONSE || facts->task == GW_TASK_EMBEDDING ||
                    facts->task == GW_TASK_MODERATION || facts->task == GW_TASK_TOKEN_COUNT;
    return is_plain && !facts->is_stored && !facts->is_streamed_up;
}

uint64_t gw_hedge_delay_ms(const struct gw_hedge_policy *policy, const struct gw_hedge_facts *facts,
                           const struct gw_quantile *first_byte)
{
    if (!policy->is_on || !facts->has_other || !is_repeatable(facts)) {
        return 0;
    }
    uint64_t p95_us = gw_quantile_p95_us(first_byte);
    uint64_t delay_ms = policy->delay_ms > 0 ? policy->delay_ms : p95_us / 1000;
    if (policy->delay_ms == 0 && p95_us == 0) {
        return 0; /* not yet known: a guess would double the load of a cold start */
    }
    if (policy->max_delay_ms > 0 && delay_ms > policy->max_delay_ms) {
        delay_ms = policy->max_delay_ms;
    }
    return delay_ms > GW_HEDGE_MIN_MS ? delay_ms : GW_HEDGE_MIN_MS;
}

void gw_hedge_note_request(const struct gw_hedge_policy *policy, struct gw_allowance *allowance)
{
    if (policy->is_on) {
        gw_allowance_add(allowance, policy->budget_pct > 0 ? policy->budget_pct : DEFAULT_PCT);
    }
}

bool gw_hedge_may_start(struct gw_allowance *allowance)
{
    return gw_allowance_try_take(allowance);
}
