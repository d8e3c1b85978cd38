/* SPDX-License-Identifier: MIT */
/*
 * policy/credentials - the keys of one deployment: which one goes next, and which ones rest.
 *
 * Source:   reference/compat.md 2.1 (35), 3.2 (rest after a failure), 6.10 (a retry after 429 takes
 *           another key).
 * Shape:    keys take turns. A 429 rests its key until Retry-After or reset; a 401 takes it out and
 *           sets an alarm, and one request after ten minutes finds out whether it was repaired.
 * Units:    milliseconds of a monotonic clock
 * Limits:   GW_CREDENTIALS_MAX keys of a deployment
 * Memory:   the states belong to policy/deployment_state, which keeps them over reloads.
 * Threads:  any: atomic words
 * Errors:   none
 */
#ifndef GW_POLICY_CREDENTIALS_H
#define GW_POLICY_CREDENTIALS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/limits.h"

#define GW_CREDENTIALS_MAX 64 /* a set of them is a word */
#define GW_CREDENTIALS_REST_MS                                                                     \
    5000u /* after a 429 that does not say for how long: LiteLLM rests as long */
#define GW_CREDENTIALS_REST_MAX_MS    3600000u /* longer waits are quotas: look again each hour */
#define GW_CREDENTIALS_REFUSED_MS     60000u
#define GW_CREDENTIALS_REFUSED_MAX_MS 600000u

struct gw_credential_state {
    struct gw_limits limits;
    _Atomic uint64_t rest_until_ms; /* 0: does not rest */
    _Atomic uint32_t refusals;      /* in a row; above 0 is the alarm */
    _Atomic uint32_t rests_total;
};

/* A deployment's keys as the configuration has them. */
struct gw_credential_pool {
    struct gw_credential_state *const *states;
    size_t count;                   /* 0: the deployment needs no key */
    struct gw_limit_options limits; /* of each key */
};

/* Why none was found. XX(identifier, text for people) */
#define GW_CREDENTIAL_VERDICT_MAP(XX)                                                              \
    XX(FOUND, "has a credential")                                                                  \
    XX(REFUSED, "its provider refuses the gateway's credential")                                   \
    XX(RESTING, "its credentials rest after 429 answers")                                          \
    XX(LIMITED, "its credentials have used up their limits")                                       \
    XX(TRIED, "each of its credentials has been tried")

enum gw_credential_verdict {
#define XX(id, text) GW_CREDENTIAL_##id,
    GW_CREDENTIAL_VERDICT_MAP(XX)
#undef XX
        GW_CREDENTIAL_VERDICT_COUNT
};

/* The text of a verdict; static. */
const char *gw_credential_verdict_text(enum gw_credential_verdict verdict);

/*
 * The next key in turn that may be used for about |tokens|, not counting those in |tried| (a bit
 * each). |turn| is any number that moves on by one from request to request. Takes nothing.
 * *wait_ms (may be NULL) is when the first of the others may be tried again; REFUSED is told when
 * all of them are.
 */
enum gw_credential_verdict gw_credentials_pick(const struct gw_credential_pool *pool,
                                               uint64_t tried, uint64_t turn, uint64_t tokens,
                                               uint64_t now_ms, size_t *index, uint64_t *wait_ms);

/* The provider answered 429 to this key. |wait_ms| is what it said, 0 when it did not. */
void gw_credential_rest(struct gw_credential_state *state, uint64_t wait_ms, uint64_t now_ms);

/* The provider refused this key. True the first time in a row: raise the alarm. */
bool gw_credential_refuse(struct gw_credential_state *state, uint64_t now_ms);

/* The provider accepted this key. True when that ends an alarm. */
bool gw_credential_accept(struct gw_credential_state *state);

/* How long the key is left out; 0: it is not. */
uint64_t gw_credential_rest_ms(const struct gw_credential_state *state, uint64_t now_ms);

/* Does the alarm stand? */
bool gw_credential_is_refused(const struct gw_credential_state *state);

#endif
