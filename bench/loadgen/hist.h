/* SPDX-License-Identifier: MIT */
/*
 * bench/loadgen/hist - a histogram of times with a bounded relative error.
 *
 * Source:   the log-linear layout of HdrHistogram, written anew.
 * Shape:    values below 2^HIST_SUB_BITS are exact; above, buckets are 1/128 of their value wide.
 * Units:    whatever is put in; loadgen uses microseconds.
 * Limits:   values above 2^40 count as 2^40 (12 days in microseconds).
 * Memory:   fixed, inside the struct.
 * Threads:  belongs to one thread.
 * Errors:   none.
 */
#ifndef LOADGEN_HIST_H
#define LOADGEN_HIST_H

#include <stdint.h>

#define HIST_SUB_BITS 7
#define HIST_MAX_BITS 40
#define HIST_BUCKETS  ((HIST_MAX_BITS - HIST_SUB_BITS + 2) << HIST_SUB_BITS)

struct load_hist {
    uint64_t count;
    uint64_t sum;
    uint64_t max;
    uint32_t buckets[HIST_BUCKETS];
};

/* Adds one value. */
void load_hist_add(struct load_hist *hist, uint64_t value);

/* Returns the value that |per_mille| of 1000 values do not exceed; 0 when there are none. */
uint64_t load_hist_quantile(const struct load_hist *hist, unsigned per_mille);

#endif
