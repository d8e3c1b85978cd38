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
 * Memory:   the caller's; zeroed is up and due within an interval.
 * Threads:  any: compare and swap
 * Errors:   none. A clock that jumped back makes a probe due at once; probes that were never ended
 *           are forgotten when the next one is due.
 */
#ifndef GW_POLICY_PROBE_H
#define GW_POLICY_PROBE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* Zero means the default in brackets. */
struct gw_probe_options {
    bool is_on;
    uint64_t interval_ms; /* [30 s] give or take a tenth */
    uint64_t timeout_ms;  /* [5 s] at most half of the interval: two never run at once */
    unsigned failures;    /* in a row that take it down [3] */
    unsigned successes;   /* in a row that bring it up again [2] */
};

/*
 * How a probe ended. XX(identifier, name). A deployment that answers at all, be it with 401, 404 or
 * 429, is alive: failures are those from FAILED on.
 */
#define GW_PROBE_OUTCOME_MAP(XX)                                                                   \
    XX(NONE, "none") /* there was none yet */                                                      \
    XX(OK, "ok")                                                                                   \
    XX(LIMITED, "rate_limited") /* 429 */                                                          \
    XX(REFUSED, "unauthorized") /* 401, 403 */                                                     \
    XX(REJECTED, "rejected")    /* what else is neither 2xx nor 5xx */                             \
    XX(FAILED, "server_error")  /* 5xx */                                                          \
    XX(TIMED_OUT, "timeout")                                                                       \
    XX(BROKEN, "connection_failed") /* refused, cut, no such host, TLS, not HTTP */

enum gw_probe_outcome {
#define XX(id, name) GW_PROBE_##id,
    GW_PROBE_OUTCOME_MAP(XX)
#undef XX
        GW_PROBE_OUTCOME_COUNT
};

struct gw_probe {
    _Atomic uint64_t word; /* private, as is the next */
    _Atomic uint64_t last;
    _Atomic uint64_t outcomes_total[GW_PROBE_OUTCOME_COUNT];
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

/* The probe is over: counts it, and says what it changed. */
enum gw_probe_news gw_probe_end(struct gw_probe *probe, const struct gw_probe_options *options,
                                enum gw_probe_outcome outcome, uint64_t now_ms);

/* How the last probe ended, and how long ago; GW_PROBE_NONE before the first. */
enum gw_probe_outcome gw_probe_last(const struct gw_probe *probe, uint64_t now_ms,
                                    uint64_t *ago_ms);

/* What an answer with |status| means. */
enum gw_probe_outcome gw_probe_outcome_of(unsigned status);

/* Does it answer? */
bool gw_probe_is_alive(enum gw_probe_outcome outcome);

/* The outcome's name for pages and metrics; static. */
struct gw_str gw_probe_outcome_name(enum gw_probe_outcome outcome);

/* An exchange succeeded: counts as a probe that did, and puts the next one off. */
enum gw_probe_news gw_probe_note_traffic(struct gw_probe *probe,
                                         const struct gw_probe_options *options, uint64_t now_ms,
                                         uint64_t random);

/* Is the deployment down by its probes? */
bool gw_probe_is_down(const struct gw_probe *probe, const struct gw_probe_options *options);

#endif
