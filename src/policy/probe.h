/* SPDX-License-Identifier: MIT */
/*
 * policy/probe - when to ask a deployment whether it lives, and what its answers mean.
 *
 * Source:   reference/compat.md 1.2 "Resilience defaults" (every 30 s, 5 s each, three failures,
 *           two successes).
 * Shape:    one schedule for all workers: who finds a probe due takes it. Traffic that is served is
 *           the better probe and puts the next one off. Whoever is down by its probes gets requests
 *           only where nobody else can serve.
 * Units:    milliseconds of a monotonic clock
 * Limits:   intervals up to a day; 1..63 failures or successes
 * Memory:   the caller's, one word; zeroed is up and due within an interval.
 * Threads:  any: compare and swap
 * Errors:   none. A clock that jumped back makes a probe due at once; probes that were never ended
 *           are forgotten when the next one is due.
 */
#ifndef GW_POLICY_PROBE_H
#define GW_POLICY_PROBE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Zero means the default in brackets. */
struct gw_probe_options {
    bool is_on;
    uint64_t interval_ms; /* [30 s] give or take a tenth */
    uint64_t timeout_ms;  /* [5 s] at most half of the interval: two never run at once */
    unsigned failures;    /* in a row that take it down [3] */
    unsigned successes;   /* in a row that bring it up again [2] */
};

struct gw_probe {
    _Atomic uint64_t word;
};

/* What a probe changed. */
enum gw_probe_news {
    GW_PROBE_NO_NEWS,
    GW_PROBE_WENT_DOWN,
    GW_PROBE_CAME_UP,
};

/* Fills in the defaults and brings every member into its bounds; |options| are bounded below. */
void gw_probe_options_bound(struct gw_probe_options *options);

/* How long until a probe is due; 0: now. UINT64_MAX when off. */
uint64_t gw_probe_due_in_ms(const struct gw_probe *probe, const struct gw_probe_options *options,
                            uint64_t now_ms);

/* Takes the probe that is due and sets the time of the next one; |random| is any number. False when
 * none is due, or another worker was faster. After true gw_probe_end() should follow. */
bool gw_probe_try_begin(struct gw_probe *probe, const struct gw_probe_options *options,
                        uint64_t now_ms, uint64_t random);

/* The probe is over. A deployment that answers at all, be it with 401, 404 or 429, is alive:
 * failures are those to connect, to answer in time, and 5xx. */
enum gw_probe_news gw_probe_end(struct gw_probe *probe, const struct gw_probe_options *options,
                                bool is_alive);

/* An exchange succeeded: counts as a probe that did, and puts the next one off. */
enum gw_probe_news gw_probe_note_traffic(struct gw_probe *probe,
                                         const struct gw_probe_options *options, uint64_t now_ms,
                                         uint64_t random);

/* Is the deployment down by its probes? */
bool gw_probe_is_down(const struct gw_probe *probe, const struct gw_probe_options *options);

#endif
