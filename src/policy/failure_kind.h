/* SPDX-License-Identifier: MIT */
/*
 * policy/failure_kind - what kind of failure an error is, for those who want another number of
 * retries, or of failures before the circuit breaker opens, for some kinds.
 *
 * Source:   LiteLLM's RetryPolicy and AllowedFailsPolicy (docs.litellm.ai/docs/proxy/
 *           config_settings and its tests, read 2026-11-21; the newest releases have NotFoundError
 *           and ServiceUnavailableError); reference/compat.md section 9.
 * Shape:    pure: an error in, its kind out.
 * Units:    none
 * Limits:   none
 * Memory:   none
 * Threads:  any
 * Errors:   none
 */
#ifndef GW_POLICY_FAILURE_KIND_H
#define GW_POLICY_FAILURE_KIND_H

#include "llm/error.h"

/* XX(identifier, our name, LiteLLM's). OTHER is whatever nobody can have a number for. */
#define GW_FAILURE_KIND_MAP(XX)                                                                    \
    XX(OTHER, "", "")                                                                              \
    XX(BAD_REQUEST, "bad_request", "BadRequestError")                                              \
    XX(AUTHENTICATION, "authentication", "AuthenticationError")                                    \
    XX(NOT_FOUND, "not_found", "NotFoundError")                                                    \
    XX(TIMEOUT, "timeout", "TimeoutError")                                                         \
    XX(RATE_LIMIT, "rate_limit", "RateLimitError")                                                 \
    XX(CONTENT_POLICY, "content_policy", "ContentPolicyViolationError")                            \
    XX(SERVER, "server", "InternalServerError")                                                    \
    XX(UNAVAILABLE, "unavailable", "ServiceUnavailableError")

enum gw_failure_kind {
#define XX(id, own, theirs) GW_FAILURE_##id,
    GW_FAILURE_KIND_MAP(XX)
#undef XX
        GW_FAILURE_KIND_COUNT
};

/* The kind of |error|, which is an exchange's; OTHER for success, and for what is no provider's
 * failure. */
enum gw_failure_kind gw_failure_kind_of(const struct gw_error *error);

#endif
