/* SPDX-License-Identifier: MIT */
/*
 * policy/quantile - a streaming estimate of latency quantiles that forgets.
 *
 * Source:   a histogram with logarithmic buckets, halved when full, so that old samples fade.
 * Shape:    add samples; a chosen quantile is recomputed now and then and read for the price of a
 *           load.
 * Units:    microseconds
 * Limits:   100 us to 27 min in steps of a quarter octave: estimates are at most 19 % too high,
 *           never too low within that range
 * Memory:   the caller's, 0.4 KB; zeroed has no samples.
 * Threads:  any: relaxed counts; two workers that halve at once may forget a little more.
 * Errors:   none
 */
#ifndef GW_POLICY_QUANTILE_H
#define GW_POLICY_QUANTILE_H

#include <stdatomic.h>
#include <stdint.h>

#define GW_QUANTILE_BUCKETS     96
#define GW_QUANTILE_MIN_SAMPLES 20 /* below that a p95 is the largest one seen */

struct gw_quantile {
    _Atomic uint32_t counts[GW_QUANTILE_BUCKETS];
    _Atomic uint32_t total;
    _Atomic uint32_t p95_us; /* 0: not yet known */
};

/* One sample. */
void gw_quantile_add(struct gw_quantile *quantile, uint64_t us);

/* Any quantile, by a walk over the buckets; 0 with fewer than GW_QUANTILE_MIN_SAMPLES samples. */
uint64_t gw_quantile_read(const struct gw_quantile *quantile, unsigned percent);

/* The 95th percentile as of some samples ago; 0 when it is not yet known. */
static inline uint64_t gw_quantile_p95_us(const struct gw_quantile *quantile)
{
    return atomic_load_explicit(&quantile->p95_us, memory_order_relaxed);
}

#endif
