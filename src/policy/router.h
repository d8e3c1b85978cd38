/* SPDX-License-Identifier: MIT */
/*
 * policy/router - from a model group to the deployment and credential that serve an exchange.
 *
 * Source:   DESIGN sections 5 and 7; reference/compat.md 2.2, 6.10 to 6.14.
 * Shape:    filter (tried already, tags, region, breaker, limits, credentials), then the group's
 *           strategy, then take it; the end of the exchange tells its state what happened. Nothing
 *           is waited for and no clock is read. A worker sees its own changes at once and those of
 *           others within GW_ROUTER_LOOK_MS; what is taken is checked on the spot, and nobody is
 *           turned away before all have been looked at. Who is down by its probes is taken only
 *           where nobody else can serve.
 *
 *   gw_router_pick() -> exchange -> gw_router_end() -> policy/retry -> gw_router_pick() ...
 *
 * Units:    milliseconds of a monotonic clock, microseconds, nano-USD
 * Limits:   GW_ROUTER_MAX deployments in a group
 * Memory:   a router copies the arrays it is given; what they point at (texts, states) outlives it.
 * Threads:  one router per worker and snapshot; the states behind it are shared and atomic.
 * Errors:   none: a pick that finds nothing says why for each deployment.
 */
#ifndef GW_POLICY_ROUTER_H
#define GW_POLICY_ROUTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "base/str.h"
#include "llm/error.h"
#include "policy/breaker.h"
#include "policy/credentials.h"
#include "policy/deployment_state.h"
#include "policy/limits.h"
#include "policy/strategy.h"

/* Deployments of one group: a set of them is four words. */
#define GW_ROUTER_MAX GW_LEAST_MAX
/* So late a worker may see what others did to a deployment. */
#define GW_ROUTER_LOOK_MS 10

/* A set of a group's deployments. */
struct gw_router_set {
    uint64_t words[GW_ROUTER_MAX / 64];
};

/* One deployment as a group has it. */
struct gw_router_member {
    struct gw_deployment_state *state; /* required */
    struct gw_credential_pool pool;    /* count 0: no key, or one that is no business of ours */
    struct gw_limit_options limits;
    const struct gw_breaker_options *breaker;         /* required, bounded; may be shared */
    const struct gw_concurrency_options *concurrency; /* bounded; NULL: no adaptive limit */
    const struct gw_probe_options *probe;             /* bounded; NULL: not probed */
    struct gw_str region;
    uint64_t tags;       /* a bit per tag the configuration knows */
    uint64_t input_pusd; /* per token */
    uint64_t output_pusd;
    uint64_t max_input_tokens; /* 0: unknown */
    uint32_t weight;           /* 0 counts as 1 */
    int32_t priority;
    uint32_t quality; /* 0..1000; 0: unknown */
};

struct gw_router; /* opaque */

/* A model group for gw_router_create(). */
struct gw_router_group {
    const struct gw_router_member *members;
    size_t count; /* at most GW_ROUTER_MAX */
    enum gw_strategy strategy;
};

/* What is wanted. Zeroed but for now_ms is a plain request. */
struct gw_router_ask {
    uint64_t now_ms;
    uint64_t input_tokens;  /* about */
    uint64_t output_tokens; /* about, at most */
    enum gw_complexity complexity;
    struct gw_str region; /* empty: any */
    uint64_t tags;        /* the deployment must have all of them */
    uint64_t affinity;    /* policy/affinity's key: the same one gets the same deployment while it
                             can serve; 0: none */
    struct gw_router_set tried;        /* leave these out */
    const uint64_t *tried_credentials; /* by member, a bit per key; NULL: none */
};

/* What was chosen; handed back at the end. */
struct gw_router_choice {
    size_t member;
    size_t credential; /* of the member's pool */
    uint64_t tokens;   /* private, as is the rest */
    uint64_t begun_at_ms;
    struct gw_breaker_ticket ticket;
};

/* Why a deployment was not chosen. XX(identifier, text for people) */
#define GW_ROUTER_SKIP_MAP(XX)                                                                     \
    XX(NONE, "can serve")                                                                          \
    XX(TRIED, "was tried already")                                                                 \
    XX(TAGS, "lacks a tag the request asks for")                                                   \
    XX(REGION, "is in another region")                                                             \
    XX(CONTEXT, "the request is longer than its context")                                          \
    XX(BREAKER, "its circuit breaker is open after failures")                                      \
    XX(LOAD, "has as many requests in flight as it can take without getting slower")               \
    XX(LIMIT, "has reached a limit")                                                               \
    XX(CREDENTIAL, "has no usable credential")

enum gw_router_skip {
#define XX(id, text) GW_ROUTER_SKIP_##id,
    GW_ROUTER_SKIP_MAP(XX)
#undef XX
        GW_ROUTER_SKIP_COUNT
};

/* One deployment's case. */
struct gw_router_reason {
    enum gw_router_skip skip;
    enum gw_limit limit;                   /* of SKIP_LIMIT */
    enum gw_credential_verdict credential; /* of SKIP_CREDENTIAL */
    uint64_t wait_ms;                      /* until it could serve; 0: unknown */
};

/* How an exchange ended. */
enum gw_router_outcome {
    GW_ROUTER_SUCCEEDED,
    GW_ROUTER_FAILED, /* 5xx, overloaded, a connection that broke */
    GW_ROUTER_TIMED_OUT,
    GW_ROUTER_LIMITED, /* 429: the credential's, not the deployment's fault */
    GW_ROUTER_REFUSED, /* 401, 403: the credential's, too */
    GW_ROUTER_NEUTRAL, /* cancelled, or the client's mistake: says nothing */
};

/* What the end of an exchange tells. */
struct gw_router_report {
    enum gw_router_outcome outcome;
    enum gw_failure_kind kind; /* of a failure */
    uint64_t first_byte_us;    /* 0: there was none */
    uint64_t tokens;           /* used; 0: unknown, the estimate stands */
    uint64_t retry_after_ms;
    const struct gw_rate_headers *headers; /* NULL: none */
    bool was_sent;                         /* the request reached the provider */
};

/* What else the end of an exchange brought about. */
struct gw_router_news {
    bool breaker_opened;
    bool credential_alarm; /* its provider refused a credential that worked before */
    bool credential_alarm_over;
    bool came_up; /* was down by its probes, and is no more */
};

/* A router over |groups|; |seed| 0 seeds from the system. */
struct gw_router *gw_router_create(const struct gw_router_group *groups, size_t group_count,
                                   uint64_t seed);

/* Frees it; NULL-safe, clears the pointer. Requests that still hold a choice end it before. */
void gw_router_destroy(struct gw_router **router);

/* Another strategy for |group| from the next pick on. */
void gw_router_set_strategy(struct gw_router *router, size_t group, enum gw_strategy strategy);

/* Chooses and takes. True: gw_router_end() must follow. False: nobody can serve;
 * gw_router_explain() says why. */
bool gw_router_pick(struct gw_router *router, size_t group, const struct gw_router_ask *ask,
                    struct gw_router_choice *choice);

/* The exchange is over. */
struct gw_router_news gw_router_end(struct gw_router *router, size_t group,
                                    const struct gw_router_choice *choice,
                                    const struct gw_router_report *report, uint64_t now_ms);

/* Could |member| serve? Changes nothing. */
struct gw_router_reason gw_router_explain(const struct gw_router *router, size_t group,
                                          size_t member, const struct gw_router_ask *ask);

/* Whom a pick would choose now, as *member; false: nobody. Takes nothing, and the next pick chooses
 * as if it had not been asked. */
bool gw_router_preview(struct gw_router *router, size_t group, const struct gw_router_ask *ask,
                       size_t *member);

/* How long until the first of the group's deployments could serve; 0: one can now, or unknown. An
 * honest Retry-After. */
uint64_t gw_router_wait_ms(const struct gw_router *router, size_t group,
                           const struct gw_router_ask *ask);

/* What an error of an exchange means for its deployment. */
enum gw_router_outcome gw_router_outcome_of(const struct gw_error *error);

/* The text of a reason: "its requests per minute are used up"; static. */
const char *gw_router_reason_text(const struct gw_router_reason *reason);

/* Puts |member| into |set|. */
static inline void gw_router_set_add(struct gw_router_set *set, size_t member)
{
    set->words[member / 64] |= UINT64_C(1) << member % 64;
}

/* Is |member| in |set|? */
static inline bool gw_router_set_has(const struct gw_router_set *set, size_t member)
{
    return (set->words[member / 64] >> member % 64 & 1) != 0;
}

#endif
