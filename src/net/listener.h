/* SPDX-License-Identifier: MIT */
/*
 * net/listener - a listening socket on a loop.
 *
 * Source:   socket(7) SO_REUSEPORT, accept4(2)
 * Shape:    opening (a descriptor, any thread) and listening (on a loop) are two steps, so that
 *           sockets can be opened before the threads start, and be handed to a new process.
 * Units:    none
 * Limits:   accepts at most GW_LISTENER_ACCEPT_BATCH connections per wake-up, so that one busy port
 *           does not starve the loop.
 * Memory:   owns the descriptor.
 * Threads:  its loop's thread only
 * Errors:   see the functions; running out of descriptors pauses accepting for 100 ms with one
 *           warning a minute.
 */
#ifndef GW_NET_LISTENER_H
#define GW_NET_LISTENER_H

#include "base/compiler.h"
#include "base/err.h"
#include "loop/loop.h"
#include "net/address.h"

#define GW_LISTENER_ACCEPT_BATCH 64

struct gw_listener;

/* |fd| is non-blocking and the callee's from now on. */
typedef void gw_listener_on_accept_fn(void *user, int fd, const struct gw_address *peer);

/*
 * Opens a listening socket on |address| with SO_REUSEPORT; *bound gets the address with the real
 * port. "::" takes IPv4 too. A Unix socket's stale file is removed only when nobody listens on it;
 * several loops share one by dup(2), as SO_REUSEPORT does not exist there.
 *
 * Errors: GW_ERR_EXISTS (in use by a socket without SO_REUSEPORT, or of another user),
 * GW_ERR_UNREACHABLE (no such address here), GW_ERR_IO (errno tells).
 */
GW_MUST_USE enum gw_err gw_listener_open_fd(const struct gw_address *address, int *fd,
                                            struct gw_address *bound);

/* Starts to accept on |fd|, which is the listener's from now on. Errors: GW_ERR_IO. */
GW_MUST_USE enum gw_err gw_listener_create(struct gw_loop *loop, int fd,
                                           gw_listener_on_accept_fn *on_accept, void *user,
                                           struct gw_listener **out);

/* Stops to accept for now (too many connections), or goes on. */
void gw_listener_set_paused(struct gw_listener *listener, bool paused);

/* Stops, closes the descriptor and frees; NULL-safe, clears the pointer. No callback follows. */
void gw_listener_destroy(struct gw_listener **listener);

#endif
