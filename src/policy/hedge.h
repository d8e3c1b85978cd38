/* SPDX-License-Identifier: MIT */
/*
 * policy/hedge - when a second exchange may start because the first one takes unusually long.
 *
 * Source:   Dean and Barroso, "The Tail at Scale": a second request after the 95th percentile.
 * Shape:    asked once when an exchange starts; the core sets a timer, and asks for the allowance
 *           when it fires. The first to answer wins, the other is cancelled.
 * Units:    milliseconds, microseconds
 * Limits:   never before GW_HEDGE_MIN_MS: below that the timer costs more than it saves
 * Memory:   none
 * Threads:  any: the quantile and the allowance are atomic.
 * Errors:   none
 */
#ifndef GW_POLICY_HEDGE_H
#define GW_POLICY_HEDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "llm/request.h"
#include "policy/allowance.h"
#include "policy/quantile.h"

#define GW_HEDGE_MIN_MS 10u

struct gw_hedge_policy {
    bool is_on;            /* opt-in per group */
    unsigned budget_pct;   /* of the requests, for the group's own allowance; 0 counts as 5 */
    uint64_t delay_ms;     /* fixed; 0: the p95 of the time to the first byte */
    uint64_t max_delay_ms; /* 0: none */
};

/* What forbids a second exchange. */
struct gw_hedge_facts {
    enum gw_task task;
    bool is_stored;      /* the provider keeps the answer: "store": true, background, a thread */
    bool is_streamed_up; /* the body is gone once it was sent */
    bool has_other;      /* another deployment could serve */
};

/* Milliseconds after which a second exchange may start; 0: never. */
uint64_t gw_hedge_delay_ms(const struct gw_hedge_policy *policy, const struct gw_hedge_facts *facts,
                           const struct gw_quantile *first_byte);

/* Each request of a hedging group puts its share in. */
void gw_hedge_note_request(const struct gw_hedge_policy *policy, struct gw_allowance *allowance);

/* The timer fired: true when the allowance has one exchange left, which is taken. */
bool gw_hedge_may_start(struct gw_allowance *allowance);

#endif
