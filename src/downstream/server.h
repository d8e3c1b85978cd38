/* SPDX-License-Identifier: MIT */
/*
 * downstream/server - the connections accepted by one loop: HTTP/1.x and HTTP/2, plain or TLS.
 *
 * Source:   RFC 9112, RFC 9113 (prior knowledge: section 3.3; ALPN: section 3.2)
 * Shape:    gw_server_accept() takes a descriptor; the server finds out the protocol (ALPN, or the
 *           HTTP/2 preface in the first bytes), parses, and calls on_request.
 * Units:    in the names
 * Limits:   all in struct gw_server_limits, with the reason beside each default in
 *           config/schema.json
 * Memory:   an idle HTTP/1.1 connection holds its object and no buffer.
 * Threads:  its loop's thread only; counters may be read from anywhere.
 * Errors:   malformed requests are answered here (400, 408, 431, 505, ...) in the shape that
 *           on_error_body gives, and counted.
 */
#ifndef GW_DOWNSTREAM_SERVER_H
#define GW_DOWNSTREAM_SERVER_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "downstream/downstream.h"
#include "loop/loop.h"
#include "net/address.h"
#include "net/tls.h"

struct gw_server_limits {
    size_t max_header_bytes;
    size_t max_connections;
    uint64_t header_timeout_ms;
    uint64_t body_timeout_ms;
    uint64_t write_timeout_ms;
    uint64_t idle_timeout_ms;
};

/* Written on the server's thread (relaxed), read by the metrics export. */
struct gw_server_counters {
    _Atomic uint64_t accepted_total;
    _Atomic uint64_t open;          /* connections now */
    _Atomic uint64_t refused_total; /* over max_connections */
    _Atomic uint64_t protocol_errors_total;
    _Atomic uint64_t timeouts_total;   /* slow header, body or reader */
    _Atomic uint64_t tls_errors_total; /* failed handshakes */
    _Atomic uint64_t received_bytes_total;
    _Atomic uint64_t sent_bytes_total;
};

struct gw_server;

struct gw_server_opts {
    struct gw_loop *loop; /* required */
    struct gw_server_limits limits;
    /*
     * Required. A request's head is complete. The handler sets pair->events and pair->user before
     * it returns, and may answer at once.
     */
    void (*on_request)(void *user, struct gw_downstream *pair);
    /*
     * Required. Writes the JSON body of an error that the connection answers itself (status and
     * text are given), in the shape that this listener's clients expect.
     */
    void (*on_error_body)(void *user, unsigned status, const char *what, struct gw_buf *body);
    /* May be NULL. A connection ended (used to un-pause listeners below max_connections). */
    void (*on_connection_closed)(void *user);
    void *user;
};

/* Makes a server without connections. */
struct gw_server *gw_server_create(const struct gw_server_opts *opts);

/* Takes an accepted descriptor; closes it at once (503 is not sent) when max_connections are open.
 * |tls| may be NULL; the server takes its own reference where it needs one. */
void gw_server_accept(struct gw_server *server, int fd, const struct gw_address *peer,
                      struct gw_tls_server *tls);

/* New limits (reload) for connections and requests that begin from now on. */
void gw_server_set_limits(struct gw_server *server, const struct gw_server_limits *limits);

/* Drain: idle connections close (those that served less than half a second ago wait for one more
 * request until then), others after their current response ("connection: close", GOAWAY). */
void gw_server_drain(struct gw_server *server);

/* Connections now; after gw_server_drain() the server is done when this is 0. */
size_t gw_server_connection_count(const struct gw_server *server);

/* The counters; valid as long as the server. */
const struct gw_server_counters *gw_server_counters(const struct gw_server *server);

/*
 * Cuts what is left and frees; pairs that are under way get on_abort(GW_ERR_CANCELLED) first.
 * on_connection_closed is not called. Not from inside a callback of this server. NULL-safe, clears
 * the pointer.
 */
void gw_server_destroy(struct gw_server **server);

#endif
