/* SPDX-License-Identifier: MIT */
/*
 * core/conf - a snapshot as one worker uses it: with the connection pools of its origins, and with
 * a router over its model groups.
 *
 * Source:   DESIGN section 4 (snapshots)
 * Shape:    made when a worker adopts a snapshot; each request holds a reference, so it finishes on
 *           what it began with.
 * Units:    none
 * Limits:   none
 * Memory:   the last release gives pools, states and the snapshot back.
 * Threads:  the worker's thread: the count is a plain number, so that requests of several workers
 *           do not share a cache line.
 * Errors:   none
 */
#ifndef GW_CORE_CONF_H
#define GW_CORE_CONF_H

#include <stddef.h>

#include "config/snapshot.h"
#include "loop/loop.h"
#include "policy/deployment_state.h"
#include "policy/queue.h"
#include "policy/router.h"
#include "policy/routing.h"
#include "upstream/upstream.h"

/* A deployment that is probed. */
struct gw_probed {
    const struct gw_deployment *deployment;
    struct gw_deployment_state *state;
    struct gw_credential_state *const *keys; /* of the deployment */
    struct gw_str model;                     /* that it is asked for, as its vendor calls it */
};

struct gw_conf {
    struct gw_snapshot *snapshot;
    struct gw_pool **pools; /* by gw_deployment.origin_index */
    size_t pool_count;
    struct gw_router *router;              /* its groups: gw_model_group.index, its members: the
                                              group's deployments in their order */
    struct gw_group_state **groups;        /* by gw_model_group.index */
    uint32_t *strategies;                  /* likewise: the group state's word as the router has
                                              it */
    struct gw_deployment_state ***members; /* by group and member */
    struct gw_deployment_registry *registry;
    struct gw_credential_state **credentials; /* of all deployments, one after the other */
    size_t credential_count;
    struct gw_probed *probed; /* NULL: nobody is */
    size_t probed_count;
    struct gw_queue *queues; /* by gw_model_group.index: who waits for a deployment */
    size_t waiting_count;    /* in all of them */
    struct gw_deferred wake; /* core/line's: a deployment has room again */
    size_t refs;
};

/* Makes one with one reference; |snapshot|'s reference becomes its own, |registry| outlives it. */
struct gw_conf *gw_conf_create(struct gw_snapshot *snapshot, struct gw_upstream *upstream,
                               struct gw_deployment_registry *registry);

/* One more owner. */
struct gw_conf *gw_conf_acquire(struct gw_conf *conf);

/* The strategy of |group|: the one set at run time, else the configuration's. */
enum gw_strategy gw_conf_strategy(const struct gw_conf *conf, const struct gw_model_group *group);

/* Before a pick in |group|: a strategy that was set at run time reaches each worker by this. */
void gw_conf_follow_strategy(struct gw_conf *conf, const struct gw_model_group *group);

/* One owner less; NULL-safe, clears the pointer. */
void gw_conf_release(struct gw_conf **conf);

#endif
