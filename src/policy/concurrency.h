/* SPDX-License-Identifier: MIT */
/*
 * policy/concurrency - how many exchanges a deployment takes at once before it only gets slower.
 *
 * Source:   Netflix's concurrency-limits, the gradient of latency; TCP Vegas.
 * Shape:    each answer moves the limit: up while latency stays near its long average, down when it
 *           grows, down by a tenth when the provider says it is overloaded.
 * Units:    microseconds to the first byte; the limit in exchanges
 * Limits:   between min and max of the options
 * Memory:   the caller's; zeroed begins at options.initial.
 * Threads:  any: relaxed; of two samples at the same moment one may be lost.
 * Errors:   none
 */
#ifndef GW_POLICY_CONCURRENCY_H
#define GW_POLICY_CONCURRENCY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Zero means the default in brackets. */
struct gw_concurrency_options {
    bool is_on;
    uint32_t initial;       /* [20] */
    uint32_t min;           /* [4] */
    uint32_t max;           /* [1000] */
    uint32_t tolerance_pct; /* latency above the long average that is no sign of load [150] */
};

struct gw_concurrency {
    _Atomic uint32_t limit_milli; /* 0: not begun */
    _Atomic uint32_t long_us;     /* the long average */
};

/* Fills in the defaults. */
void gw_concurrency_options_bound(struct gw_concurrency_options *options);

/* The limit now; UINT32_MAX when off. Compare with the exchanges in flight. */
uint32_t gw_concurrency_limit(const struct gw_concurrency *concurrency,
                              const struct gw_concurrency_options *options);

/* An answer began after |first_byte_us| while |in_flight| exchanges ran. |is_overloaded|: the
 * provider refused for load, or did not answer in time. */
void gw_concurrency_note(struct gw_concurrency *concurrency,
                         const struct gw_concurrency_options *options, uint64_t first_byte_us,
                         uint32_t in_flight, bool is_overloaded);

#endif
