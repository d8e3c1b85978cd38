/* SPDX-License-Identifier: MIT */
/* policy/quantile - the buckets. */
#include "policy/quantile.h"

#define RELAXED      memory_order_relaxed
#define BASE_US      100u
#define STEPS        4u    /* per octave */
#define SAMPLES_MAX  2048u /* then all counts are halved: the last thousands decide */
#define REFRESH_MASK 15u   /* the p95 is recomputed at every 16th sample */

/* 2^(i/4) in 1/1024. */
static const uint32_t fractions[STEPS] = {1024, 1218, 1448, 1722};

static unsigned bucket_of(uint64_t us)
{
    uint64_t ratio = us / BASE_US;
    if (ratio == 0) {
        return 0;
    }
    unsigned octave = 63u - (unsigned)__builtin_clzll(ratio);
    if (octave >= GW_QUANTILE_BUCKETS / STEPS) {
        return GW_QUANTILE_BUCKETS - 1;
    }
    uint64_t mantissa = (us * 1024 / BASE_US) >> octave;
    unsigned step = 0;
    while (step + 1 < STEPS && mantissa >= fractions[step + 1]) {
        step++;
    }
    return octave * STEPS + step;
}

/* Where the bucket ends: an estimate that is too high hedges too late, one that is too low too
 * often. */
static uint64_t bucket_end_us(unsigned bucket)
{
    unsigned next = bucket + 1;
    return ((uint64_t)BASE_US << (next / STEPS)) * fractions[next % STEPS] / 1024;
}

static void halve(struct gw_quantile *quantile)
{
    uint32_t total = 0;
    for (unsigned i = 0; i < GW_QUANTILE_BUCKETS; i++) {
        uint32_t count = atomic_load_explicit(&quantile->counts[i], RELAXED) / 2;
        atomic_store_explicit(&quantile->counts[i], count, RELAXED);
        total += count;
    }
    atomic_store_explicit(&quantile->total, total, RELAXED);
}

uint64_t gw_quantile_read(const struct gw_quantile *quantile, unsigned percent)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < GW_QUANTILE_BUCKETS; i++) {
        total += atomic_load_explicit(&quantile->counts[i], RELAXED);
    }
    uint64_t wanted = (total * percent + 99) / 100;
    uint64_t seen = 0;
    if (total < GW_QUANTILE_MIN_SAMPLES) {
        return 0;
    }
    for (unsigned i = 0; i < GW_QUANTILE_BUCKETS; i++) {
        seen += atomic_load_explicit(&quantile->counts[i], RELAXED);
        if (seen >= wanted) {
            return bucket_end_us(i);
        }
    }
    return bucket_end_us(GW_QUANTILE_BUCKETS - 1);
}

void gw_quantile_add(struct gw_quantile *quantile, uint64_t us)
{
    atomic_fetch_add_explicit(&quantile->counts[bucket_of(us)], 1, RELAXED);
    uint32_t total = atomic_fetch_add_explicit(&quantile->total, 1, RELAXED) + 1;
    if ((total & REFRESH_MASK) == 0 || total == GW_QUANTILE_MIN_SAMPLES) {
        uint64_t p95 = gw_quantile_read(quantile, 95);
        atomic_store_explicit(&quantile->p95_us, p95 < UINT32_MAX ? (uint32_t)p95 : UINT32_MAX,
                              RELAXED);
    }
    if (total >= SAMPLES_MAX) {
        halve(quantile);
    }
}
