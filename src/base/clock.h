/* SPDX-License-Identifier: MIT */
/*
 * base/clock - the two clocks, read in one place.
 *
 * Source:   clock_gettime(2)
 * Shape:    monotonic for deadlines and durations, wall for what people and peers read.
 * Units:    in the names
 * Limits:   none
 * Memory:   none
 * Threads:  any
 * Errors:   none
 *
 * Code on a loop reads gw_loop_now_ms() where a millisecond is enough: it costs no call.
 */
#ifndef GW_BASE_CLOCK_H
#define GW_BASE_CLOCK_H

#include <stdint.h>

#include "base/str.h"

/* Monotonic time in nanoseconds since some fixed point. */
uint64_t gw_clock_mono_ns(void);

/* Wall-clock time in milliseconds since 1970-01-01 UTC. */
uint64_t gw_clock_wall_ms(void);

#define GW_CLOCK_RFC3339_BYTES 25 /* "2026-11-21T05:30:00.123Z" and the NUL */

/* Writes |wall_ms| as RFC 3339 in UTC with milliseconds, NUL-terminated. */
void gw_clock_format_rfc3339(uint64_t wall_ms, char out[GW_CLOCK_RFC3339_BYTES]);

/* A time's text, which lines written in a row share but for the milliseconds; zero at first. */
struct gw_clock_text {
    uint64_t second;
    char text[GW_CLOCK_RFC3339_BYTES];
};

/* |wall_ms| as gw_clock_format_rfc3339() writes it, in *cache: breaking a time down costs as much
 * as the rest of a log line. Valid until the next call. */
struct gw_str gw_clock_rfc3339(struct gw_clock_text *cache, uint64_t wall_ms);

#define GW_CLOCK_HTTP_DATE_BYTES 30 /* "Sat, 21 Nov 2026 05:30:00 GMT" and the NUL */

/* Writes |wall_ms| as an HTTP date (RFC 9110 section 5.6.7), NUL-terminated. */
void gw_clock_format_http_date(uint64_t wall_ms, char out[GW_CLOCK_HTTP_DATE_BYTES]);

#endif
