/* SPDX-License-Identifier: MIT */
/* core/counters - the histogram. */
#include "core/counters.h"

#include "base/compiler.h"

static const uint32_t bounds_ms[] = GW_LATENCY_BOUNDS_MS;

_Static_assert(GW_ARRAY_LEN(bounds_ms) + 1 == GW_LATENCY_BUCKETS, "one bucket more than bounds");

void gw_histogram_add(struct gw_histogram *histogram, uint64_t duration_us)
{
    unsigned bucket = 0;
    while (bucket < GW_ARRAY_LEN(bounds_ms) && duration_us > (uint64_t)bounds_ms[bucket] * 1000) {
        bucket++;
    }
    gw_counter_add(&histogram->buckets[bucket], 1);
    gw_counter_add(&histogram->sum_us, duration_us);
}

uint64_t gw_histogram_bound_ms(unsigned index)
{
    return index < GW_ARRAY_LEN(bounds_ms) ? bounds_ms[index] : 0;
}
