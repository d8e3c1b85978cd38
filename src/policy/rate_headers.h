/* SPDX-License-Identifier: MIT */
/*
 * policy/rate_headers - what a provider's answer says about its rate limits, in any vendor's
 * notation.
 *
 * Source:   shared/providers: openai.md section 8 (Go durations), anthropic.md (RFC 3339), azure.md
 *           section 6 (whole seconds), groq.md section 5, cohere.md (epoch),
 *           mistral-deepseek-xai.md A4; RFC 9110 section 10.2.3 (Retry-After); the IETF draft's
 *           ratelimit-remaining and ratelimit-reset.
 * Shape:    start, then every field of the answer, then read the struct. Several limits of one
 *           kind (Anthropic has four of tokens): the tightest counts.
 * Units:    milliseconds from the answer on
 * Limits:   waits up to 7 days; longer ones count as 7 days
 * Memory:   the caller's; nothing is kept of the fields.
 * Threads:  not shared
 * Errors:   none: what cannot be read, and any wait of zero or below, is as if it was not there.
 */
#ifndef GW_POLICY_RATE_HEADERS_H
#define GW_POLICY_RATE_HEADERS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define GW_RATE_HEADERS_MAX_MS (UINT64_C(7) * 24 * 3600 * 1000)

/* One kind of limit as the provider sees it. */
struct gw_rate_report {
    bool has_remaining;
    uint64_t remaining;
    uint64_t limit;    /* 0: not told */
    uint64_t reset_ms; /* until it is full again; 0: not told */
};

struct gw_rate_headers {
    struct gw_rate_report requests;
    struct gw_rate_report tokens;
    uint64_t retry_after_ms; /* 0: not told */
    bool must_not_retry;     /* x-should-retry: false */

    uint64_t wall_ms; /* private: to turn dates into waits */
};

/* Nothing is known; |wall_ms| is the wall clock, or the answer's own Date. */
void gw_rate_headers_start(struct gw_rate_headers *headers, uint64_t wall_ms);

/* One field; |name| in lower case, as a struct gw_header's is. Costs a few comparisons for names
 * that are none of ours. */
void gw_rate_headers_add(struct gw_rate_headers *headers, struct gw_str name, struct gw_str value);

/* A wait in any notation: "6m0s", "12ms", "7.66s", "60", "2026-11-21T10:00:00Z", seconds or
 * milliseconds since 1970, an HTTP date. 0 when it is none, or over. */
uint64_t gw_rate_headers_parse_wait(struct gw_str text, uint64_t wall_ms);

#endif
