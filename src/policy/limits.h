/* SPDX-License-Identifier: MIT */
/*
 * policy/limits - what one deployment or one credential may still be asked: configured limits, and
 * what its provider told about its own.
 *
 * Source:   reference/compat.md 5a (rpm, tpm, max_parallel_requests); policy/rate_headers.
 * Shape:    check looks, begin takes, end gives the place back and corrects the tokens, learn
 *           remembers what the provider said.
 * Units:    milliseconds of a monotonic clock; requests, tokens
 * Limits:   a provider's "nothing left" counts for GW_LIMITS_LEARNED_MAX_MS at most: buckets that
 *           refill all the time have something again by then, and one refused request a minute
 *           finds out about the others.
 * Memory:   the caller's; zeroed knows nothing and has nothing in flight.
 * Threads:  any: atomic words. Two workers may both pass a check before either has begun; begin
 *           decides.
 * Errors:   none
 */
#ifndef GW_POLICY_LIMITS_H
#define GW_POLICY_LIMITS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "policy/gcra.h"
#include "policy/rate_headers.h"

#define GW_LIMITS_LEARNED_MAX_MS 60000u

/* Zero is no limit. */
struct gw_limit_options {
    uint64_t rpm;
    uint64_t tpm;
    uint32_t max_parallel;
};

struct gw_limits {
    struct gw_gcra requests;
    struct gw_gcra tokens;
    _Atomic uint64_t learned_requests; /* remaining (24 bits), until when in ms (40 bits) */
    _Atomic uint64_t learned_tokens;
    _Atomic uint32_t in_flight;
};

/* Why not. XX(identifier, text for people) */
#define GW_LIMIT_MAP(XX)                                                                           \
    XX(NONE, "within its limits")                                                                  \
    XX(REQUESTS, "its requests per minute are used up")                                            \
    XX(TOKENS, "its tokens per minute are used up")                                                \
    XX(PARALLEL, "it has as many requests in flight as it may")                                    \
    XX(LEARNED_REQUESTS, "its provider said that no requests are left")                            \
    XX(LEARNED_TOKENS, "its provider said that too few tokens are left")

enum gw_limit {
#define XX(id, text) GW_LIMIT_##id,
    GW_LIMIT_MAP(XX)
#undef XX
        GW_LIMIT_COUNT
};

/* The text of a limit; static. */
const char *gw_limit_text(enum gw_limit limit);

/*
 * May a request of about |tokens| begin? GW_LIMIT_NONE, or the limit that forbids it with *wait_ms
 * (may be NULL) until it would not; 0 when that depends on others' ends.
 */
enum gw_limit gw_limits_check(const struct gw_limits *limits,
                              const struct gw_limit_options *options, uint64_t tokens,
                              uint64_t now_ms, uint64_t *wait_ms);

/* The same, and takes it. After GW_LIMIT_NONE gw_limits_end() must follow. */
enum gw_limit gw_limits_begin(struct gw_limits *limits, const struct gw_limit_options *options,
                              uint64_t tokens, uint64_t now_ms);

/* The request that took |estimated| tokens ended and used |used|. A request that never reached the
 * provider gives everything back: |was_sent| is false. */
void gw_limits_end(struct gw_limits *limits, const struct gw_limit_options *options,
                   uint64_t estimated, uint64_t used, bool was_sent, uint64_t now_ms);

/* Remembers what an answer's fields said. */
void gw_limits_learn(struct gw_limits *limits, const struct gw_rate_headers *headers,
                     uint64_t now_ms);

/* What is left, UINT64_MAX where there is no limit or nothing is known; for those who explain. */
struct gw_limits_left {
    uint64_t requests; /* of rpm */
    uint64_t tokens;   /* of tpm */
    uint64_t parallel;
    uint64_t learned_requests; /* as the provider said, less what was asked since */
    uint64_t learned_tokens;
};

/* Counts what is left. */
struct gw_limits_left gw_limits_left(const struct gw_limits *limits,
                                     const struct gw_limit_options *options, uint64_t now_ms);

/* How much is left of the tightest limit, in thousandths; 1000 when there is none. */
uint32_t gw_limits_room_permille(const struct gw_limits *limits,
                                 const struct gw_limit_options *options, uint64_t now_ms);

#endif
