/* SPDX-License-Identifier: MIT */
/* Log-linear buckets. */
#include "loadgen/hist.h"

#include <stddef.h>

static size_t bucket_of(uint64_t value)
{
    if (value >> HIST_MAX_BITS != 0) {
        value = (UINT64_C(1) << HIST_MAX_BITS) - 1;
    }
    if (value < (1u << HIST_SUB_BITS)) {
        return (size_t)value;
    }
    unsigned bits = 64u - (unsigned)__builtin_clzll(value);
    unsigned shift = bits - HIST_SUB_BITS - 1;
    return ((size_t)(shift + 1) << HIST_SUB_BITS) +
           (size_t)((value >> shift) - (1u << HIST_SUB_BITS));
}

/* Returns the largest value of a bucket: quantiles are never reported too small. */
static uint64_t bucket_end(size_t bucket)
{
    if (bucket < (1u << HIST_SUB_BITS)) {
        return bucket;
    }
    unsigned shift = (unsigned)(bucket >> HIST_SUB_BITS) - 1;
    uint64_t low = (UINT64_C(1) << HIST_SUB_BITS) + (bucket & ((1u << HIST_SUB_BITS) - 1));
    return ((low + 1) << shift) - 1;
}

void load_hist_add(struct load_hist *hist, uint64_t value)
{
    hist->count++;
    hist->sum += value;
    hist->max = value > hist->max ? value : hist->max;
    hist->buckets[bucket_of(value)]++;
}

uint64_t load_hist_quantile(const struct load_hist *hist, unsigned per_mille)
{
    uint64_t wanted = (hist->count * per_mille + 999) / 1000;
    uint64_t seen = 0;
    for (size_t i = 0; i < HIST_BUCKETS && hist->count > 0; i++) {
        seen += hist->buckets[i];
        if (seen >= wanted && seen > 0) {
            uint64_t end = bucket_end(i);
            return end < hist->max ? end : hist->max;
        }
    }
    return 0;
}
