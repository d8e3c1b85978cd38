/* SPDX-License-Identifier: MIT */
/* policy/concurrency - the gradient in integers. */
#include "policy/concurrency.h"

#define RELAXED    memory_order_relaxed
#define ONE        1000u /* thousandths of an exchange */
#define LONG_SHIFT 6u    /* the long average follows over some 64 answers */
#define SMOOTHING  5u    /* the limit moves by a fifth of what the gradient says */
#define LIMIT_MAX  100000u

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    value = value == 0 ? otherwise : value;
    return value < LIMIT_MAX ? value : LIMIT_MAX;
}

void gw_concurrency_options_bound(struct gw_concurrency_options *options)
{
    options->min = or_default(options->min, 4);
    options->max = or_default(options->max, 1000);
    options->max = options->max < options->min ? options->min : options->max;
    options->initial = or_default(options->initial, 20);
    options->initial = options->initial < options->min ? options->min : options->initial;
    options->initial = options->initial < options->max ? options->initial : options->max;
    options->tolerance_pct = or_default(options->tolerance_pct, 150);
}

static uint32_t limit_milli(const struct gw_concurrency *concurrency,
                            const struct gw_concurrency_options *options)
{
    uint32_t milli = atomic_load_explicit(&concurrency->limit_milli, RELAXED);
    return milli == 0 ? options->initial * ONE : milli;
}

uint32_t gw_concurrency_limit(const struct gw_concurrency *concurrency,
                              const struct gw_concurrency_options *options)
{
    return options->is_on ? limit_milli(concurrency, options) / ONE : UINT32_MAX;
}

static uint64_t square_root(uint64_t value)
{
    uint64_t root = 0;
    for (uint64_t bit = UINT64_C(1) << 31; bit > 0; bit >>= 1) {
        if ((root + bit) * (root + bit) <= value) {
            root += bit;
        }
    }
    return root;
}

static uint64_t note_long(struct gw_concurrency *concurrency, uint64_t us)
{
    uint64_t average = atomic_load_explicit(&concurrency->long_us, RELAXED);
    if (average == 0) {
        average = us;
    } else {
        /* What is far below is the truth without load: the average comes down at once by half. */
        average = us * 2 < average ? (average + us) / 2
                                   : average - (average >> LONG_SHIFT) + (us >> LONG_SHIFT);
    }
    average = average > 0 ? average : 1;
    atomic_store_explicit(&concurrency->long_us, (uint32_t)average, RELAXED);
    return average;
}

void gw_concurrency_note(struct gw_concurrency *concurrency,
                         const struct gw_concurrency_options *options, uint64_t first_byte_us,
                         uint32_t in_flight, bool is_overloaded)
{
    uint64_t limit = limit_milli(concurrency, options);
    uint64_t next = limit;
    if (!options->is_on) {
        return;
    }
    if (is_overloaded) {
        next = limit - limit / 10;
    } else {
        uint64_t us = first_byte_us > 0 ? first_byte_us : 1;
        us = us < UINT32_MAX ? us : UINT32_MAX;
        uint64_t average = note_long(concurrency, us);
        uint64_t gradient = average * options->tolerance_pct * 10 / us; /* in thousandths */
        gradient = gradient < 500 ? 500 : gradient > 1000 ? 1000 : gradient;
        uint64_t wanted = limit * gradient / 1000 + square_root(limit / ONE) * ONE;
        if (wanted > limit && (uint64_t)in_flight * 2 * ONE < limit) {
            return; /* it grows only while it is used */
        }
        next = (limit * (SMOOTHING - 1) + wanted) / SMOOTHING;
    }
    uint64_t min = (uint64_t)options->min * ONE;
    uint64_t max = (uint64_t)options->max * ONE;
    next = next < min ? min : next > max ? max : next;
    atomic_store_explicit(&concurrency->limit_milli, (uint32_t)next, RELAXED);
}
