/* SPDX-License-Identifier: MIT */
/*
 * main/handover - replaces the running process by a new one (a new binary, new listener settings)
 * without losing a connection.
 *
 * Source:   uv_spawn; the idea is nginx's on-the-fly upgrade
 * Shape:    the new process inherits the listening sockets, so that no connection that waits in
 *           them is lost; when it serves it writes one byte to a pipe, and only then the old one
 *           drains. If it ends before, the old one goes on as if nothing had been.
 * Units:    none
 * Limits:   one successor at a time
 * Memory:   owns its libuv handles
 * Threads:  the control thread
 * Errors:   logged; the old process stays in charge
 */
#ifndef GW_MAIN_HANDOVER_H
#define GW_MAIN_HANDOVER_H

#include "base/compiler.h"
#include "base/err.h"
#include "loop/loop.h"

#define GW_HANDOVER_ENV "GATEWIRE_READY_FD"

struct gw_handover;

struct gw_handover_opts {
    struct gw_loop *loop;
    char **argv;    /* of this process; argv[0] is looked up again, so that a new binary is found */
    const int *fds; /* to inherit: they become 3, 4, ... in the new process */
    size_t fd_count;
    const char *sockets;                   /* value of GATEWIRE_SOCKETS, naming those numbers */
    void (*on_ready)(void *user, int pid); /* the successor serves */
    void (*on_failed)(void *user);         /* it ended before */
    void *user;
};

/* Starts the successor. Errors: GW_ERR_IO (cannot be started; logged). */
GW_MUST_USE enum gw_err gw_handover_start(const struct gw_handover_opts *opts,
                                          struct gw_handover **out);

/* Closes the handles (the successor goes on); NULL-safe, clears the pointer. */
void gw_handover_close(struct gw_handover **handover);

/* In a successor: tells the old process that this one serves. Does nothing in a process that has
 * none. */
void gw_handover_tell_ready(void);

#endif
