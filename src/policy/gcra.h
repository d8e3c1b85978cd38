/* SPDX-License-Identifier: MIT */
/*
 * policy/gcra - a token bucket in one atomic word.
 *
 * Source:   ITU-T I.371, generic cell rate algorithm, in its virtual-scheduling form: the word is
 *           the time at which the bucket is full again.
 * Shape:    take before, correct afterwards when the true amount is known.
 * Units:    nanoseconds of a monotonic clock; amounts are requests or tokens
 * Limits:   rate.limit 1 .. 2^63 per period; a period below an hour or so. An amount above the
 *           limit takes the whole bucket: it could never be served otherwise.
 * Memory:   the caller's; zeroed is a full bucket.
 * Threads:  any
 * Errors:   none. Nothing wraps: amounts and times are bounded before they are added; a clock that
 *           jumps back costs one period at most.
 */
#ifndef GW_POLICY_GCRA_H
#define GW_POLICY_GCRA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define GW_GCRA_MINUTE_NS UINT64_C(60000000000)

struct gw_gcra {
    _Atomic uint64_t full_at_ns;
};

/* The bucket holds |limit| and refills within |period_ns|. */
struct gw_gcra_rate {
    uint64_t limit; /* 0: no limit */
    uint64_t period_ns;
};

/* So much a minute. */
static inline struct gw_gcra_rate gw_gcra_per_minute(uint64_t limit)
{
    return (struct gw_gcra_rate){.limit = limit, .period_ns = GW_GCRA_MINUTE_NS};
}

/* Nanoseconds until |amount| can be taken; 0: now. Takes nothing. */
uint64_t gw_gcra_wait_ns(const struct gw_gcra *gcra, struct gw_gcra_rate rate, uint64_t amount,
                         uint64_t now_ns);

/* Takes |amount|, or nothing and returns false. */
bool gw_gcra_try_take(struct gw_gcra *gcra, struct gw_gcra_rate rate, uint64_t amount,
                      uint64_t now_ns);

/* |amount| more was used than taken: takes it even if the bucket has not as much; its debt is
 * bounded by one bucket. */
void gw_gcra_charge(struct gw_gcra *gcra, struct gw_gcra_rate rate, uint64_t amount,
                    uint64_t now_ns);

/* |amount| less was used than taken: puts it back, no higher than full. */
void gw_gcra_give_back(struct gw_gcra *gcra, struct gw_gcra_rate rate, uint64_t amount,
                       uint64_t now_ns);

/* What can be taken now; rate.limit when full, UINT64_MAX without a limit. */
uint64_t gw_gcra_remaining(const struct gw_gcra *gcra, struct gw_gcra_rate rate, uint64_t now_ns);

#endif
