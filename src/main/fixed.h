/* SPDX-License-Identifier: MIT */
/*
 * main/fixed - the settings that a running process keeps whatever a reload brings: listeners, the
 * upstream client's knobs, the access log's place.
 *
 * Source:   none
 * Shape:    remembered at the start; each reload is compared with what runs, not with the reload
 *           before it, so that a change is told until it is in force or taken back.
 * Units:    none
 * Limits:   none
 * Memory:   texts are copies in the arena given
 * Threads:  the control thread
 * Errors:   GW_ERR_NOMEM
 */
#ifndef GW_MAIN_FIXED_H
#define GW_MAIN_FIXED_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "config/snapshot.h"

struct gw_fixed_settings {
    struct gw_listen_settings listen;
    struct gw_upstream_settings upstream;
    struct gw_str access_log;
};

/* Keeps what |snapshot| says, which the process starts with, in *out; texts are copied into
 * |arena|. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_fixed_remember(const struct gw_snapshot *snapshot,
                                          struct gw_arena *arena, struct gw_fixed_settings *out);

/* Writes the names of those that |fresh| wants otherwise, "server.port, upstream.dns_refresh", to
 * |names|; returns whether there are any. */
bool gw_fixed_write_changes(const struct gw_fixed_settings *running,
                            const struct gw_snapshot *fresh, struct gw_buf *names);

#endif
