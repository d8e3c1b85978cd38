/* SPDX-License-Identifier: MIT */
/*
 * policy/deployment_state - what is known of a deployment, its keys and its group while it runs,
 * shared by all workers and kept over reloads.
 *
 * Source:   DESIGN section 7: deployment health and breakers are shared atomics of the process.
 * Shape:    a registry by the deployment's id, within it by the credential's fingerprint, and by
 *           the group's name; workers hold references for the snapshot they work with. What no
 * snapshot refers to any more is forgotten.
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
#include "policy/allowance.h"
#include "policy/breaker.h"
#include "policy/concurrency.h"
#include "policy/credentials.h"
#include "policy/health.h"
#include "policy/limits.h"
#include "policy/probe.h"
#include "policy/quantile.h"
#include "policy/strategy.h"

struct gw_deployment_registry; /* opaque */

/* What is known of a model group. */
struct gw_group_state {
    struct gw_allowance retries;
    struct gw_allowance hedges;
    _Atomic uint32_t strategy; /* set at run time: enum gw_strategy + 1; 0: the configuration's */
    /* Counted as requests come and go. */
    _Atomic uint64_t requests_total[GW_STRATEGY_COUNT]; /* by the strategy in force */
    _Atomic uint64_t retries_total;   /* exchanges after a failed one, in the same group */
    _Atomic uint64_t fallbacks_total; /* requests that went on to another group */
    _Atomic uint64_t hedges_total;
    _Atomic uint64_t failures_total; /* requests that this group was the last for */
    _Atomic uint64_t picks_timed;    /* one pick in 16 is timed */
    _Atomic uint64_t pick_ns_total;  /* of those */
    /* What the counters were when the statistics were reset: metrics never go back. */
    struct {
        _Atomic uint64_t requests[GW_STRATEGY_COUNT];
        _Atomic uint64_t retries;
        _Atomic uint64_t fallbacks;
        _Atomic uint64_t hedges;
        _Atomic uint64_t failures;
        _Atomic uint64_t picks_timed;
        _Atomic uint64_t pick_ns;
        _Atomic uint64_t openings; /* of its deployments' breakers */
    } at_reset;
};

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
    struct gw_probe probe; /* read only where there are probes */
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

/* The state of the model group |name|, made when it is new. One reference more. */
struct gw_group_state *gw_group_state_acquire(struct gw_deployment_registry *registry,
                                              struct gw_str name);

/* One reference less; NULL-safe, clears the pointer. */
void gw_group_state_release(struct gw_deployment_registry *registry, struct gw_group_state **state);

/* One reference less; NULL-safe, clears the pointer. */
void gw_deployment_state_release(struct gw_deployment_registry *registry,
                                 struct gw_deployment_state **state);

/* One reference less; NULL-safe, clears the pointer. */
void gw_credential_state_release(struct gw_deployment_registry *registry,
                                 struct gw_credential_state **state);

#endif
