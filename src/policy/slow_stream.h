/* SPDX-License-Identifier: MIT */
/*
 * policy/slow_stream - notices a stream that is slower than its group's floor while it can still be
 * moved.
 *
 * Source:   none; gw_slow_stream_policy says what is configured.
 * Shape:    begin at the first event of the answer, feed what the provider delivers, look when
 *           gw_slow_stream_look_at_ms() says. The pace is that of the last one to two grace
 *           periods, so that a fast beginning does not hide a stream that came to a halt. What is
 *           received is measured, not what the client takes: while reading rests because the client
 *           is slow nothing is looked at, and measuring begins anew after.
 * Units:    tokens, bytes of text, milliseconds of a monotonic clock
 * Limits:   none: sums saturate
 * Memory:   the caller's
 * Threads:  its stream's
 * Errors:   none. A look that comes a grace period too late, or a clock that jumped, says more
 *           about this process than about the provider: measuring begins anew.
 */
#ifndef GW_POLICY_SLOW_STREAM_H
#define GW_POLICY_SLOW_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/routing.h"

#define GW_SLOW_STREAM_BYTES_PER_TOKEN 4u   /* where nobody counts tokens; so of English text */
#define GW_SLOW_STREAM_GRACE_MIN_MS    100u /* a shorter time measures packets, not a pace */

/* Private. */
struct gw_slow_stream {
    uint64_t tokens; /* of the whole stream */
    uint64_t bytes;  /* that are no whole token yet */
    /* The pace is measured from |before| on; |since| takes its place a grace period later. */
    uint64_t before_ms;
    uint64_t before_tokens;
    uint64_t since_ms;
    uint64_t since_tokens;
};

/* The answer begins. */
void gw_slow_stream_begin(struct gw_slow_stream *stream, uint64_t now_ms);

/* |tokens| more have come. */
void gw_slow_stream_feed(struct gw_slow_stream *stream, uint64_t tokens);

/* |bytes| of text more have come, reasoning included: it is not seen by everyone, but it is a pace.
 */
void gw_slow_stream_feed_bytes(struct gw_slow_stream *stream, uint64_t bytes);

/* Reading goes on after a rest: what was measured before does not count. */
void gw_slow_stream_resume(struct gw_slow_stream *stream, uint64_t now_ms);

/* When to look next; UINT64_MAX: never again (the guard is off, or too much has been delivered). */
uint64_t gw_slow_stream_look_at_ms(const struct gw_slow_stream *stream,
                                   const struct gw_slow_stream_policy *policy);

/* Looks: is the stream too slow, and can it be moved yet? */
bool gw_slow_stream_is_slow(struct gw_slow_stream *stream,
                            const struct gw_slow_stream_policy *policy, uint64_t now_ms);

#endif
