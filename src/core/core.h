/* SPDX-License-Identifier: MIT */
/*
 * core/core - one worker's gateway: takes requests from its server, sends exchanges to its
 * upstream, and runs the state machine between.
 *
 * Source:   DESIGN sections 4 and 5
 * Shape:    one per worker loop; driven by its callbacks.
 * Units:    none
 * Limits:   the snapshot's
 * Memory:   owns server, upstream client and the configuration in force.
 * Threads:  its loop's thread, but for the counters, which any thread may read.
 * Errors:   none
 */
#ifndef GW_CORE_CORE_H
#define GW_CORE_CORE_H

#include <stdbool.h>

#include "config/snapshot.h"
#include "core/counters.h"
#include "core/record.h"
#include "downstream/server.h"
#include "loop/loop.h"
#include "policy/deployment_state.h"
#include "policy/response_store.h"
#include "policy/token_estimate.h"
#include "upstream/upstream.h"

struct gw_core;

struct gw_core_opts {
    struct gw_loop *loop;                 /* required */
    struct gw_snapshot *snapshot;         /* required; the reference becomes the core's */
    struct gw_token_estimates *estimates; /* required; shared by all workers, outlives them */
    /* Shared likewise; NULL: no responses are kept. */
    struct gw_response_store *responses;
    struct gw_deployment_registry *deployments; /* required; likewise */
    gw_on_settled_fn *on_settled;               /* required */
    /* May be NULL: fewer than max_connections are open again. */
    void (*on_connection_closed)(void *user);
    void *user;
};

/* Makes a core that serves what gw_core_accept() brings. */
struct gw_core *gw_core_create(const struct gw_core_opts *opts);

/* Cuts what is left and frees; NULL-safe, clears the pointer. */
void gw_core_destroy(struct gw_core **core);

/* Serves a new connection (non-blocking descriptor, the core's from now on). */
void gw_core_accept(struct gw_core *core, int fd, const struct gw_address *peer);

/* Takes over a new snapshot (its reference becomes the core's) for requests that begin from now on.
 */
void gw_core_adopt(struct gw_core *core, struct gw_snapshot *snapshot);

/* From now on: /ready answers 503, connections close after their current response, nothing new is
 * expected. */
void gw_core_drain(struct gw_core *core);

/* Is nothing left to finish? */
bool gw_core_is_idle(const struct gw_core *core);

/* Are fewer than max_connections open? */
bool gw_core_has_room(const struct gw_core *core);

/* What was counted; any thread, as long as the core lives. */
const struct gw_counters *gw_core_counters(const struct gw_core *core);
const struct gw_server_counters *gw_core_server_counters(const struct gw_core *core);
const struct gw_upstream_counters *gw_core_upstream_counters(const struct gw_core *core);

#endif
