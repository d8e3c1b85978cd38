/* SPDX-License-Identifier: MIT */
/*
 * policy/retry - the one decision after a failed exchange: the same group again, another group, or
 * give up.
 *
 * Source:   DESIGN section 5; reference/compat.md 3.2, 6.10, 6.14, 5a; shared/providers/openai.md
 *           section 8.
 * Shape:    pure: what has been done so far, the error and the time in; what to do next out. Called
 *           only while no byte of an answer has gone to the client.
 *
 *   context_length_exceeded -> the group's context_window_fallbacks, or give up
 *   content filter          -> the group's content_policy_fallbacks, or give up
 *   retryable               -> an untried deployment or key at once; else the same after a pause
 *   its kind has a number   -> so many retries, also of what is final otherwise
 *   else, or used up        -> the group's fallbacks, else the default ones
 *
 * Units:    milliseconds of a monotonic clock
 * Limits:   GW_RETRY_GROUPS_MAX groups per request: the loop guard
 * Memory:   the state is the request's; lists belong to the snapshot.
 * Threads:  a state is its request's; the allowance is shared and atomic.
 * Errors:   none
 */
#ifndef GW_POLICY_RETRY_H
#define GW_POLICY_RETRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "llm/error.h"
#include "policy/allowance.h"
#include "policy/failure_kind.h"

#define GW_RETRY_GROUPS_MAX 8 /* LiteLLM's max_fallbacks is 5 */

/* Zero means the default in brackets; the _is_set members tell 0 from "not set". */
struct gw_retry_policy {
    unsigned max_retries; /* in one group after its first exchange, MAX_RETRIES [3] */
    bool max_retries_is_set;
    /* By kind of failure, one more than the number that counts instead; 0: there is none. */
    uint8_t retries_of[GW_FAILURE_KIND_COUNT];
    unsigned max_fallbacks; /* [5] */
    uint64_t base_ms;       /* of the first pause [500] */
    uint64_t cap_ms;        /* of any pause [30 s] */
    unsigned factor_pct;    /* of one pause to the next [200] */
    uint64_t deadline_ms;   /* for all exchanges of a request together; 0: none */
    unsigned budget_pct;    /* extra exchanges per request [20] */
    uint64_t patience_ms; /* a pause above that is not waited for when there is a fallback [2 s] */
};

/* Groups in the order to try, by numbers that are only compared here. */
struct gw_fallback_list {
    const uint32_t *groups;
    size_t count;
};

/* A group's lists, resolved by policy/fallback. */
struct gw_fallbacks {
    struct gw_fallback_list general; /* the group's own, else the default ones, else presets */
    struct gw_fallback_list context_window;
    struct gw_fallback_list content_policy;
};

/* A request's way so far. */
struct gw_retry_state {
    uint64_t begun_at_ms;
    unsigned retries; /* in the current group */
    bool has_paused;  /* in the current group: its deployments are asked again */
    unsigned group_count;
    uint32_t groups[GW_RETRY_GROUPS_MAX]; /* visited, the current one last */
    bool is_off;                          /* the client wants neither retries nor fallbacks */
    bool is_fallback_off;
};

/* What the core knows at the moment of the failure. */
struct gw_retry_facts {
    uint64_t now_ms;
    bool has_untried;     /* another deployment, or another key, of the group could serve now */
    bool is_refused_here; /* no deployment of the group could be picked: nothing was sent */
    uint64_t wait_ms;     /* until one of the group could serve (gw_router_wait_ms); 0: unknown */
    const struct gw_fallbacks *fallbacks; /* the requested group's; or the client's own list */
};

enum gw_retry_verdict {
    GW_RETRY_AGAIN,    /* the same group, after delay_ms */
    GW_RETRY_FALLBACK, /* group |group|, at once */
    GW_RETRY_GIVE_UP,
};

struct gw_retry_decision {
    enum gw_retry_verdict verdict;
    uint64_t delay_ms;
    uint32_t group;
    bool forget_tried; /* every deployment was tried: all may be tried again */
    const char *why;   /* for log and explain; static */
};

/* Fills in the defaults. */
void gw_retry_policy_bound(struct gw_retry_policy *policy);

/* A request begins in |group|. */
void gw_retry_begin(struct gw_retry_state *state, const struct gw_retry_policy *policy,
                    struct gw_allowance *allowance, uint32_t group, uint64_t now_ms);

/* Decides, and notes the decision in |state|. |policy| is bounded. */
struct gw_retry_decision gw_retry_decide(struct gw_retry_state *state,
                                         const struct gw_retry_policy *policy,
                                         struct gw_allowance *allowance, struct gw_rng *rng,
                                         const struct gw_error *error,
                                         const struct gw_retry_facts *facts);

/* Would a failure of |kind| that can be retried move the request to a deployment that it has not
 * tried? For those who give up an exchange only then. */
bool gw_retry_can_move(const struct gw_retry_state *state, const struct gw_retry_policy *policy,
                       enum gw_failure_kind kind, uint64_t now_ms);

/* Full jitter: anything between 1 ms and min(cap, base * factor^retries). */
uint64_t gw_retry_pause_ms(const struct gw_retry_policy *policy, unsigned retries,
                           struct gw_rng *rng);

#endif
