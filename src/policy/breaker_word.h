/* SPDX-License-Identifier: MIT */
/*
 * policy/breaker_word - the circuit breaker's states and transitions, as functions over one word.
 *
 * Source:   Nygard, "Release It!", the circuit breaker; reference/compat.md 2.2 and 6.10.
 * Shape:    begin and end are pure: the old word and the time in, the next word out. policy/breaker
 *           swaps them in atomically; the tests walk through every order of several workers.
 *
 *      failures >= threshold, or tripped            until has come
 *   CLOSED ------------------------------> OPEN -------------------> HALF_OPEN
 *      ^                                     ^                           |  |
 *      |                                     +------- a probe failed ----+  |
 *      +----------------------- enough probes succeeded --------------------+
 *
 * Units:    milliseconds of a monotonic clock, kept modulo 2^36 (795 days; compared within half of
 *           that, which no cooldown comes near)
 * Limits:   thresholds 1..255, probes and successes 1..15, cooldowns below 24 h: gw_breaker_options
 *           are brought into these bounds by gw_breaker_options_bound().
 * Memory:   none
 * Threads:  any: no state
 * Errors:   none
 */
#ifndef GW_POLICY_BREAKER_WORD_H
#define GW_POLICY_BREAKER_WORD_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/failure_kind.h"

/* Failures of a kind that never open a breaker. */
#define GW_BREAKER_NEVER 256

/* The states; the numbers are what the metric circuit_breaker_state shows. */
enum gw_breaker_phase {
    GW_BREAKER_CLOSED = 0,
    GW_BREAKER_OPEN = 1,
    GW_BREAKER_HALF_OPEN = 2,
};

/* Zero means the default in brackets, but for the members where 0 means off. */
struct gw_breaker_options {
    bool is_off;                /* everything passes, nothing is counted; no key rests either */
    unsigned failure_threshold; /* failures in a row that open it [5] */
    unsigned failure_rate_pct;  /* of the calls in the window that opens it; 0: off */
    unsigned rate_min_calls;    /* in the window, before the rate says anything [20] */
    uint64_t window_ms;         /* [30 s] */
    uint64_t cooldown_ms;       /* how long it stays open the first time [30 s] */
    uint64_t cooldown_max_ms;   /* the time doubles with each repeat up to this [5 min] */
    unsigned probes;            /* calls let through in half-open [3] */
    unsigned successes;         /* of them that close it [2] */
    uint64_t slow_ms;           /* a successful call that took longer is slow; 0: off */
    unsigned slow_threshold;    /* slow calls in a row that open it [3] */
    /* By kind of failure: what counts instead of failure_threshold, up to 255, also of kinds that
     * do not count by themselves; or GW_BREAKER_NEVER. 0: there is none. */
    uint16_t threshold_of[GW_FAILURE_KIND_COUNT];
};

/* How a call ended, as far as the breaker cares. */
enum gw_breaker_outcome {
    GW_BREAKER_NOTHING, /* cancelled, or the client's own mistake: says nothing */
    GW_BREAKER_SUCCESS,
    GW_BREAKER_FAILURE,
};

/* Given at begin, handed back at end: a call that began before a transition does not count after
 * it. */
struct gw_breaker_ticket {
    uint32_t generation;
};

/* The word taken apart. */
struct gw_breaker_view {
    enum gw_breaker_phase phase;
    unsigned failures;  /* CLOSED: in a row */
    unsigned running;   /* HALF_OPEN: probes on their way */
    unsigned succeeded; /* HALF_OPEN: probes that did */
    unsigned repeats;   /* openings that are not forgotten yet */
    unsigned generation;
    uint64_t until_ms; /* OPEN: end of the cooldown. HALF_OPEN: when lost probes are given up.
                          CLOSED: when the repeats are forgotten. Modulo 2^36. */
};

/* Fills in the defaults and brings every member into its bounds. */
void gw_breaker_options_bound(struct gw_breaker_options *options);

/* Takes |word| apart. */
struct gw_breaker_view gw_breaker_word_view(uint64_t word);

/*
 * May a call begin? *next and *ticket are set when it may; *next may equal |word|. |options| are
 * bounded, here and below.
 */
bool gw_breaker_word_begin(uint64_t word, const struct gw_breaker_options *options, uint64_t now_ms,
                           uint64_t *next, struct gw_breaker_ticket *ticket);

/* The word after the call with |ticket| ended. Calls of an older generation change nothing. */
uint64_t gw_breaker_word_end(uint64_t word, const struct gw_breaker_options *options,
                             struct gw_breaker_ticket ticket, enum gw_breaker_outcome outcome,
                             uint64_t now_ms);

/* The word opened, whatever the counts say. */
uint64_t gw_breaker_word_trip(uint64_t word, const struct gw_breaker_options *options,
                              uint64_t now_ms);

/* The word closed with nothing counted; calls on their way belong to an older generation. */
uint64_t gw_breaker_word_reset(uint64_t word);

/* How long until a call may begin; 0 when one may now. */
uint64_t gw_breaker_word_wait_ms(uint64_t word, const struct gw_breaker_options *options,
                                 uint64_t now_ms);

#endif
