/* SPDX-License-Identifier: MIT */
/*
 * policy/health - a deployment's health, 0 to 100, and its average time to the first byte.
 *
 * Source:   reference/compat.md 2.2, "Adaptive engine constants".
 * Shape:    each ended exchange moves the health; the score weighs it with load, latency and
 *           failures.
 * Units:    health in thousandths of a point (0..100000); microseconds; milliseconds of a monotonic
 *           clock
 * Limits:   latencies up to 71 min
 * Memory:   the caller's; zeroed is full health and no latency known.
 * Threads:  any: relaxed; of two results at the same moment one may be lost.
 * Errors:   none
 */
#ifndef GW_POLICY_HEALTH_H
#define GW_POLICY_HEALTH_H

#include <stdatomic.h>
#include <stdint.h>

#define GW_HEALTH_FULL     100000u
#define GW_HEALTH_SLOW_MS  2000u  /* compat: slower successes cost health */
#define GW_HEALTH_STALE_MS 60000u /* a latency that old says nothing about now */

/* What an exchange says about the deployment's health. */
enum gw_health_event {
    GW_HEALTH_FAST,
    GW_HEALTH_SLOW,
    GW_HEALTH_FAILURE,
    GW_HEALTH_TIMEOUT,
};

struct gw_health {
    _Atomic uint32_t lost;    /* 100000 - health, so that zeroed is healthy */
    _Atomic uint32_t failing; /* decaying share of failures, 0..65536 */
    _Atomic uint64_t latency; /* average in us (32 bits), when it was moved in ms (32 bits) */
};

/* Moves the health. */
void gw_health_note(struct gw_health *health, enum gw_health_event event);

/* Moves the average time to the first byte by an eighth of the difference. */
void gw_health_note_latency(struct gw_health *health, uint64_t first_byte_us, uint64_t now_ms);

/* 0..100000 */
uint32_t gw_health_points(const struct gw_health *health);

/* The average time to the first byte; 0: unknown, or too old. */
uint32_t gw_health_latency_us(const struct gw_health *health, uint64_t now_ms);

/* The score of 0..100000: health x (0.3 load + 0.4 latency + 0.3 success). */
uint32_t gw_health_score(const struct gw_health *health, uint32_t in_flight, uint64_t now_ms);

#endif
