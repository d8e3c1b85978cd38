/* SPDX-License-Identifier: MIT */
/* policy/health - the constants of the adaptive engine, in integers. */
#include "policy/health.h"

#include <stdbool.h>

#include "base/assert.h"

#define RELAXED memory_order_relaxed
/* 1 % of almost nothing is nothing: a success is worth half a point at least, so that two hundred
 * of them make any deployment healthy again. */
#define SUCCESS_MIN    500u
#define SHARE_ONE      65536u
#define SHARE_SHIFT    5u /* the last 32 results or so decide */
#define LATENCY_SHIFT  3u
#define LATENCY_MAX_US 10000000u /* compat: 10 s scores 0 */
#define LOAD_HALF      10u       /* compat: 10 in flight score one half */

static uint32_t after(uint32_t points, enum gw_health_event event)
{
    uint32_t gain = points / 100 > SUCCESS_MIN ? points / 100 : SUCCESS_MIN;
    switch (event) {
    case GW_HEALTH_FAST:
        return points + gain < GW_HEALTH_FULL ? points + gain : GW_HEALTH_FULL;
    case GW_HEALTH_SLOW:
        return points - points / 20;
    case GW_HEALTH_FAILURE:
        return points - points / 10;
    case GW_HEALTH_TIMEOUT:
        return points / 2;
    }
    GW_UNREACHABLE("health event");
}

void gw_health_note(struct gw_health *health, enum gw_health_event event)
{
    uint32_t lost = atomic_load_explicit(&health->lost, RELAXED);
    uint32_t share = atomic_load_explicit(&health->failing, RELAXED);
    bool is_bad = event == GW_HEALTH_FAILURE || event == GW_HEALTH_TIMEOUT;
    uint32_t next_lost = GW_HEALTH_FULL - after(GW_HEALTH_FULL - lost, event);
    uint32_t next_share = share - (share >> SHARE_SHIFT) + (is_bad ? SHARE_ONE >> SHARE_SHIFT : 0);
    /* A healthy deployment that answers fast changes nothing: no store, no cache line taken. */
    if (next_lost != lost) {
        atomic_store_explicit(&health->lost, next_lost, RELAXED);
    }
    if (next_share != share) {
        atomic_store_explicit(&health->failing, next_share, RELAXED);
    }
}

void gw_health_note_latency(struct gw_health *health, uint64_t first_byte_us, uint64_t now_ms)
{
    uint64_t word = atomic_load_explicit(&health->latency, RELAXED);
    uint64_t sample = first_byte_us < UINT32_MAX ? first_byte_us : UINT32_MAX;
    uint64_t average = word >> 32;
    sample = sample > 0 ? sample : 1;
    if (average == 0 || gw_health_latency_us(health, now_ms) == 0) {
        average = sample; /* the first, or the first after a long time */
    } else {
        average = average - (average >> LATENCY_SHIFT) + (sample >> LATENCY_SHIFT);
        average = average > 0 ? average : 1;
    }
    atomic_store_explicit(&health->latency, (average << 32) | (now_ms & UINT32_MAX), RELAXED);
}

uint32_t gw_health_points(const struct gw_health *health)
{
    return GW_HEALTH_FULL - atomic_load_explicit(&health->lost, RELAXED);
}

uint32_t gw_health_latency_us(const struct gw_health *health, uint64_t now_ms)
{
    uint64_t word = atomic_load_explicit(&health->latency, RELAXED);
    uint32_t age_ms = (uint32_t)now_ms - (uint32_t)word;
    return age_ms <= GW_HEALTH_STALE_MS ? (uint32_t)(word >> 32) : 0;
}

uint32_t gw_health_score(const struct gw_health *health, uint32_t in_flight, uint64_t now_ms)
{
    uint64_t latency_us = gw_health_latency_us(health, now_ms);
    uint64_t share = atomic_load_explicit(&health->failing, RELAXED);
    uint64_t load = 1000u * LOAD_HALF / (LOAD_HALF + (uint64_t)in_flight);
    uint64_t latency = latency_us < LATENCY_MAX_US ? 1000 - latency_us * 1000 / LATENCY_MAX_US : 0;
    uint64_t success = share < SHARE_ONE ? 1000 - share * 1000 / SHARE_ONE : 0;
    uint64_t weighed = (3 * load + 4 * latency + 3 * success) / 10;
    return (uint32_t)(gw_health_points(health) * weighed / 1000);
}
