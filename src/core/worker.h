/* SPDX-License-Identifier: MIT */
/*
 * core/worker - a thread with its loop, its listening sockets and its core.
 *
 * Source:   DESIGN section 4
 * Shape:    the control thread creates workers and sends them messages; a worker tells by its
 *           on_stopped when it is done.
 * Units:    milliseconds
 * Limits:   none
 * Memory:   a worker owns its sockets from create on.
 * Threads:  functions here are called on the control thread.
 * Errors:   see the functions
 */
#ifndef GW_CORE_WORKER_H
#define GW_CORE_WORKER_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/err.h"
#include "config/snapshot.h"
#include "core/core.h"

struct gw_worker;

struct gw_worker_opts {
    struct gw_snapshot *snapshot;               /* required; acquired, not taken over */
    struct gw_token_estimates *estimates;       /* required */
    struct gw_response_store *responses;        /* or NULL */
    struct gw_deployment_registry *deployments; /* required */
    const int *listen_fds;                      /* the worker's from now on */
    size_t listen_fd_count;
    /* Run on the worker's thread. */
    gw_on_settled_fn *on_settled;    /* required */
    void (*on_turn_end)(void *user); /* once per turn of its loop; may be NULL */
    void *user;
    /* Posted to |control| when the worker has nothing left to do after gw_worker_drain(). */
    struct gw_loop *control;
    void (*on_drained)(void *control_user);
    void *control_user;
};

/* Starts the thread, which serves at once. Errors: GW_ERR_IO (no thread, or no descriptors). */
GW_MUST_USE enum gw_err gw_worker_create(const struct gw_worker_opts *opts, struct gw_worker **out);

/* The worker takes over |snapshot| (acquired) between two callbacks. */
void gw_worker_adopt(struct gw_worker *worker, struct gw_snapshot *snapshot);

/* Stops to accept, lets what runs finish; then on_drained. */
void gw_worker_drain(struct gw_worker *worker);

/* Cuts what is left, joins the thread, frees; NULL-safe, clears the pointer. */
void gw_worker_destroy(struct gw_worker **worker);

/* What it counts; any thread, as long as the worker lives. */
const struct gw_core *gw_worker_core(const struct gw_worker *worker);

#endif
