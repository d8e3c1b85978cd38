/* SPDX-License-Identifier: MIT */
/*
 * llm/error - the one object that says why a request failed.
 *
 * Source:   DESIGN section 6
 * Shape:    filled in where a failure is understood; the client's answer, the retry decision, the
 *           log line and the metric all read it.
 * Units:    seconds where named
 * Limits:   none
 * Memory:   texts live in the request's arena or are static.
 * Threads:  its request's thread only
 * Errors:   none
 */
#ifndef GW_LLM_ERROR_H
#define GW_LLM_ERROR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define GW_ERROR_CLASS_MAP(XX)                                                                     \
    XX(NONE, "none")                                                                               \
    XX(CLIENT, "client")                                                                           \
    XX(AUTH, "auth")                                                                               \
    XX(LIMIT, "limit")                                                                             \
    XX(BUDGET, "budget")                                                                           \
    XX(POLICY, "policy")                                                                           \
    XX(UPSTREAM, "upstream")                                                                       \
    XX(TIMEOUT, "timeout")                                                                         \
    XX(OVERLOADED, "overloaded")                                                                   \
    XX(INTERNAL, "internal")                                                                       \
    XX(CANCELLED, "cancelled")

enum gw_error_class {
#define XX(id, name) GW_ERROR_##id,
    GW_ERROR_CLASS_MAP(XX)
#undef XX
        GW_ERROR_CLASS_COUNT
};

struct gw_error {
    enum gw_error_class class;
    unsigned status;          /* for the client */
    unsigned upstream_status; /* 0: none was received */
    bool is_retryable;        /* the same group may be tried again */
    bool can_fallback;        /* another group may be tried */
    bool is_credential;       /* the provider refused the gateway's own credential */
    uint64_t retry_after_s;   /* 0: nothing to tell */
    struct gw_str code;       /* "model_not_found", or empty (null for the client) */
    struct gw_str param;      /* the member of the body that is wrong, or empty */
    struct gw_str message; /* for people: what happened, with which limit or peer, and what to do;
                              no secret */
    struct gw_str detail;  /* for the operator's eyes, who reads it in the log; no secret either */
};

/* The class's name for logs and metrics; static. */
struct gw_str gw_error_class_name(enum gw_error_class class);

#endif
