/* SPDX-License-Identifier: MIT */
/*
 * policy/breaker - a circuit breaker that all workers share without a lock.
 *
 * Source:   policy/breaker_word for the states; reference/compat.md 2.2, 6.10.
 * Shape:    begin before a call, end after it. A failure rate over a window and runs of slow calls
 *           open it, too.
 * Units:    milliseconds of a monotonic clock
 * Limits:   as in policy/breaker_word
 * Memory:   the caller's; zeroed is closed.
 * Threads:  any. The state is one word changed by compare and swap. The window's counts are
 *           relaxed: two workers that turn it over at once may lose a call, which a rate does not
 *           mind.
 * Errors:   none
 */
#ifndef GW_POLICY_BREAKER_H
#define GW_POLICY_BREAKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "policy/breaker_word.h"

struct gw_breaker {
    _Atomic uint64_t word;
    _Atomic uint64_t window; /* number of this half (24 bits), calls (20), failures (20) */
    _Atomic uint64_t window_before;
    _Atomic uint32_t slow_run;
    _Atomic uint32_t openings_total;
};

/* Would gw_breaker_begin() let a call through? Changes nothing. */
bool gw_breaker_can_begin(const struct gw_breaker *breaker,
                          const struct gw_breaker_options *options, uint64_t now_ms);

/* Lets a call through, or not. After true gw_breaker_end() must follow with that |ticket|. */
bool gw_breaker_begin(struct gw_breaker *breaker, const struct gw_breaker_options *options,
                      uint64_t now_ms, struct gw_breaker_ticket *ticket);

/* The call ended; |duration_ms| is what is compared with options->slow_ms. */
void gw_breaker_end(struct gw_breaker *breaker, const struct gw_breaker_options *options,
                    struct gw_breaker_ticket ticket, enum gw_breaker_outcome outcome,
                    uint64_t duration_ms, uint64_t now_ms);

/* The state now; an open one whose cooldown is over reads half open. */
enum gw_breaker_phase gw_breaker_phase(const struct gw_breaker *breaker,
                                       const struct gw_breaker_options *options, uint64_t now_ms);

/* How long until a call may begin; 0 when one may now. */
uint64_t gw_breaker_wait_ms(const struct gw_breaker *breaker,
                            const struct gw_breaker_options *options, uint64_t now_ms);

/* Closes it and forgets all counts, for operators. */
void gw_breaker_reset(struct gw_breaker *breaker);

/* "closed", "open", "half_open". */
const char *gw_breaker_phase_name(enum gw_breaker_phase phase);

#endif
