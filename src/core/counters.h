/* SPDX-License-Identifier: MIT */
/*
 * core/counters - what one worker counts about requests.
 *
 * Source:   none
 * Shape:    one writer (the worker's thread), any reader; the export sums over workers.
 * Units:    in the names
 * Limits:   fixed arrays: label values come from bounded sets
 * Memory:   about 6 KiB a worker
 * Threads:  see Shape
 * Errors:   none
 */
#ifndef GW_CORE_COUNTERS_H
#define GW_CORE_COUNTERS_H

#include <stdatomic.h>
#include <stdint.h>

#include "llm/error.h"
#include "llm/request.h"
#include "upstream/upstream.h"

#define GW_STATUS_CLASSES                                                                          \
    6 /* [n] counts status n00..n99; [0] requests whose client left before any status */

/* Upper bounds in milliseconds; a last bucket counts all above. Answers take from 1 ms (errors) to
 * minutes (reasoning). */
#define GW_LATENCY_BOUNDS_MS                                                                       \
    {                                                                                              \
        1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 120000, 300000  \
    }
#define GW_LATENCY_BUCKETS 18 /* the bounds above and the last one */

struct gw_histogram {
    _Atomic uint64_t buckets[GW_LATENCY_BUCKETS]; /* not cumulative */
    _Atomic uint64_t sum_us;
};

struct gw_counters {
    _Atomic uint64_t in_flight;
    _Atomic uint64_t requests_total[GW_TASK_COUNT][GW_STATUS_CLASSES];
    _Atomic uint64_t errors_total[GW_ERROR_CLASS_COUNT];
    _Atomic uint64_t upstream_failures_total[GW_PHASE_BODY + 1]; /* by phase */
    _Atomic uint64_t upstream_statuses_total[GW_STATUS_CLASSES];
    _Atomic uint64_t stale_retries_total;
    _Atomic uint64_t slow_streams_total;      /* that were moved */
    _Atomic uint64_t stream_recoveries_total; /* exchanges that continued a broken stream */
    _Atomic uint64_t input_tokens_total;
    _Atomic uint64_t cached_tokens_total;
    _Atomic uint64_t output_tokens_total;
    _Atomic uint64_t estimated_usages_total; /* requests whose tokens were estimated */
    _Atomic uint64_t request_bytes_total;    /* of bodies */
    _Atomic uint64_t response_bytes_total;
    struct gw_histogram duration[GW_TASK_COUNT];
    struct gw_histogram first_chunk[GW_TASK_COUNT];
};

/* Adds on the owning thread; plain load and store, no locked instruction. */
static inline void gw_counter_add(_Atomic uint64_t *counter, uint64_t amount)
{
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + amount, memory_order_relaxed);
}

/* Takes away on the owning thread; for gauges. */
static inline void gw_counter_sub(_Atomic uint64_t *counter, uint64_t amount)
{
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value - amount, memory_order_relaxed);
}

/* Reads from any thread. */
static inline uint64_t gw_counter_get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* Counts one duration, on the owning thread. */
void gw_histogram_add(struct gw_histogram *histogram, uint64_t duration_us);

/* Upper bound of bucket |index| in milliseconds; 0 for the last, which has none. */
uint64_t gw_histogram_bound_ms(unsigned index);

#endif
