/* SPDX-License-Identifier: MIT */
/*
 * policy/deployment_state - what is known of a deployment while it runs, shared by all workers and
 * kept over reloads.
 *
 * Source:   DESIGN section 7: deployment health and breakers are shared atomics of the process.
 * Shape:    a registry by the deployment's id, and within it by the credential's fingerprint;
 *           snapshots hold references. What no snapshot refers to any more is forgotten.
 * Units:    milliseconds of a monotonic clock, microseconds
 * Limits:   none of its own; the configuration bounds the number of deployments.
 * Memory:   a state is about 1 KB; the last release frees it.
 * Threads:  acquire and release take the registry's lock (load and reload only); everything else is
 *           atomic.
 * Errors:   none
 */
#ifndef GW_POLICY_DEPLOYMENT_STATE_H
#define GW_POLICY_DEPLOYMENT_STATE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "policy/breaker.h"
#include "policy/concurrency.h"
#include "policy/credentials.h"
#include "policy/health.h"
#include "policy/limits.h"
#include "policy/quantile.h"

struct gw_deployment_registry; /* opaque */

struct gw_deployment_state {
    /* What each pick reads. */
    _Alignas(64) struct gw_breaker breaker;
    struct gw_limits limits;
    struct gw_health health;
    struct gw_concurrency concurrency;
    _Atomic uint64_t credential_turn;
    /* Counted at the end of exchanges. */
    _Atomic uint64_t exchanges_total;
    _Atomic uint64_t failures_total;
    _Atomic uint64_t timeouts_total;
    struct gw_quantile first_byte;
};

/* A registry without deployments; one for the process. */
struct gw_deployment_registry *gw_deployment_registry_create(void);

/* Frees it; all states have been released. NULL-safe, clears the pointer. */
void gw_deployment_registry_destroy(struct gw_deployment_registry **registry);

/* The state of deployment |id|, made when it is new. One reference more. */
struct gw_deployment_state *gw_deployment_state_acquire(struct gw_deployment_registry *registry,
                                                        struct gw_str id);

/* The state of the credential with |fingerprint| at deployment |id|. A fingerprint is a hash of the
 * secret: a key that was replaced starts afresh. One reference more. */
struct gw_credential_state *gw_credential_state_acquire(struct gw_deployment_registry *registry,
                                                        struct gw_str id, uint64_t fingerprint);

/* One reference less; NULL-safe, clears the pointer. */
void gw_deployment_state_release(struct gw_deployment_registry *registry,
                                 struct gw_deployment_state **state);

/* One reference less; NULL-safe, clears the pointer. */
void gw_credential_state_release(struct gw_deployment_registry *registry,
                                 struct gw_credential_state **state);

#endif
