/* SPDX-License-Identifier: MIT */
/*
 * admin/admin - the HTTP servers of the control thread: the admin listener and the metrics
 * listener.
 *
 * Source:   none
 * Shape:    two small sites over downstream/server; what they show comes from the functions in the
 *           options.
 * Units:    none
 * Limits:   requests without a body; 256 connections
 * Memory:   owns its servers and listeners
 * Threads:  the control loop's thread
 * Errors:   see the functions
 */
#ifndef GW_ADMIN_ADMIN_H
#define GW_ADMIN_ADMIN_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "config/snapshot.h"
#include "loop/loop.h"

struct gw_admin;

struct gw_admin_opts {
    struct gw_loop *loop; /* required */
    int admin_fd;         /* -1: none; the admin's from now on */
    int metrics_fd;       /* -1: none; the same */
    /* The configuration in force, for its keys; valid during the call. */
    const struct gw_snapshot *(*snapshot)(void *user);
    /* Serving, and not draining? */
    bool (*is_ready)(void *user);
    /* Writes the Prometheus page. */
    void (*write_metrics)(void *user, struct gw_buf *out);
    /* Writes the status as a JSON object. */
    void (*write_status)(void *user, struct gw_buf *out);
    /* Reloads the configuration; writes what was found as a JSON object; returns whether it was
     * taken over. */
    bool (*reload)(void *user, struct gw_buf *out);
    void *user;
};

/* Starts to serve. Errors: GW_ERR_IO. */
GW_MUST_USE enum gw_err gw_admin_create(const struct gw_admin_opts *opts, struct gw_admin **out);

/* Cuts what is left and frees; NULL-safe, clears the pointer. */
void gw_admin_destroy(struct gw_admin **admin);

#endif
