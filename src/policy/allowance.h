/* SPDX-License-Identifier: MIT */
/*
 * policy/allowance - how much load beyond what clients asked for may go to providers.
 *
 * Source:   the retry budgets of Finagle and linkerd: a share of the requests, not a number of
 *           attempts, so that retries cannot become a storm.
 * Shape:    each request puts a share in, each extra exchange (retry, hedge) takes one out.
 * Units:    thousandths of an exchange
 * Limits:   GW_ALLOWANCE_MAX exchanges are kept for bad times
 * Memory:   the caller's; gw_allowance_init() first.
 * Threads:  any: one atomic number
 * Errors:   none
 */
#ifndef GW_POLICY_ALLOWANCE_H
#define GW_POLICY_ALLOWANCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define GW_ALLOWANCE_MAX   1000 /* with 20 %, what 5,000 requests put in */
#define GW_ALLOWANCE_START 50   /* so that the first failure after a start can be retried */

struct gw_allowance {
    _Atomic int64_t milli;
};

/* Begins with GW_ALLOWANCE_START exchanges. */
void gw_allowance_init(struct gw_allowance *allowance);

/* A request came; |pct| of an exchange more is allowed. */
void gw_allowance_add(struct gw_allowance *allowance, unsigned pct);

/* Takes one exchange out, or nothing and returns false. */
bool gw_allowance_try_take(struct gw_allowance *allowance);

/* Takes one out even if there is none: a move to a healthy deployment is not refused, but what
 * follows pays for it. The debt is bounded by GW_ALLOWANCE_MAX. */
void gw_allowance_take(struct gw_allowance *allowance);

#endif
