/* SPDX-License-Identifier: MIT */
/*
 * downstream/downstream - one request-response pair with a client, the same whether it came by
 * HTTP/1.1 or HTTP/2.
 *
 * Source:   RFC 9110, 9112, 9113
 * Shape:    the connection calls the server's on_request when a head is complete; the handler
 *           attaches its events and answers with the calls below, in any order of body and response
 *           (a response may begin before the body ended).
 * Units:    bytes
 * Limits:   DESIGN section 5: when more than GW_DOWNSTREAM_HIGH_WATER bytes wait for the client,
 *           can_write is false until fewer than GW_DOWNSTREAM_LOW_WATER do. Nothing but the
 *           handler's own discipline stops it from writing more.
 * Memory:   written bytes are sent or copied before the call returns. The head lives until the pair
 *           ends.
 * Threads:  its loop's thread only
 * Errors:   the client's end comes as on_abort.
 *
 * The pair ends exactly once: when the handler calls gw_downstream_end() or gw_downstream_abort(),
 * or when the connection calls on_abort. After that neither side touches it; the connection
 * finishes or recycles itself.
 */
#ifndef GW_DOWNSTREAM_DOWNSTREAM_H
#define GW_DOWNSTREAM_DOWNSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "http/message.h"
#include "loop/loop.h"
#include "net/address.h"

#define GW_DOWNSTREAM_HIGH_WATER (256u * 1024)
#define GW_DOWNSTREAM_LOW_WATER  (64u * 1024)

struct gw_downstream;

struct gw_downstream_events {
    /* Bytes of the request's body, after gw_downstream_read_body(true). */
    void (*on_body)(void *user, struct gw_str bytes);
    /* The body is complete (also called, once reading is on, when there is none). */
    void (*on_body_end)(void *user);
    /* Few enough bytes wait again; called once after gw_downstream_can_write() was seen false. */
    void (*on_writable)(void *user);
    /*
     * The client is gone or broke the protocol: GW_ERR_EOF, GW_ERR_RESET, GW_ERR_TIMEOUT (sent no
     * body or took no answer for too long), GW_ERR_PROTOCOL, GW_ERR_TLS. When the fault is
     * answerable and no response has begun, the connection has answered itself (400, 408).
     */
    void (*on_abort)(void *user, enum gw_err err);
};

struct gw_downstream_response {
    unsigned status;
    const struct gw_header *headers; /* neither framing nor hop-by-hop fields; "date" and "server"
                                        are added when missing */
    size_t header_count;
    uint64_t content_length; /* GW_LENGTH_UNKNOWN: chunked, or DATA frames; HTTP/1.0 gets a closing
                                connection */
    bool close;              /* HTTP/1.x: close the connection after this response */
};

/* The table a kind of connection implements; use the functions below. */
struct gw_downstream_ops {
    void (*read_body)(struct gw_downstream *pair, bool on);
    enum gw_err (*begin)(struct gw_downstream *pair, const struct gw_downstream_response *response);
    enum gw_err (*write)(struct gw_downstream *pair, struct gw_str bytes);
    bool (*can_write)(struct gw_downstream *pair);
    void (*end)(struct gw_downstream *pair);
    void (*abort)(struct gw_downstream *pair);
};

/* First member of the connection's own stream object. Read-only for the handler, but for events and
 * user. */
struct gw_downstream {
    const struct gw_downstream_ops *ops;
    struct gw_loop *loop;
    const struct gw_request_head *head; /* valid until the pair ends */
    const struct gw_address *peer;
    bool is_tls;
    uint64_t begun_at_ns; /* monotonic: first byte of the head */
    /* Set by on_request before it returns. */
    const struct gw_downstream_events *events;
    void *user;
};

/*
 * Lets body bytes come (on) or stops them (off: back-pressure; what a client sends then waits in
 * its socket). Off at first. The first "on" sends 100 (Continue) where the client waits for it.
 * Callbacks come later, never from inside this call.
 */
static inline void gw_downstream_read_body(struct gw_downstream *pair, bool on)
{
    pair->ops->read_body(pair, on);
}

/*
 * Queues status and fields; once per pair. Goes out with the first bytes, or at the end of the
 * current callback.
 *
 * Errors: GW_ERR_NOMEM (the handler aborts then).
 */
GW_MUST_USE static inline enum gw_err
gw_downstream_begin(struct gw_downstream *pair, const struct gw_downstream_response *response)
{
    return pair->ops->begin(pair, response);
}

/*
 * Queues bytes of the body (copied); written when the current callback ends. Dropped for HEAD
 * requests.
 *
 * Errors: GW_ERR_NOMEM (the handler aborts then).
 */
GW_MUST_USE static inline enum gw_err gw_downstream_write(struct gw_downstream *pair,
                                                          struct gw_str bytes)
{
    return pair->ops->write(pair, bytes);
}

/* May the handler write more? When false, on_writable follows. */
static inline bool gw_downstream_can_write(struct gw_downstream *pair)
{
    return pair->ops->can_write(pair);
}

/* The response is complete. The pair ends here for the handler; the connection sends what waits and
 * goes on. */
static inline void gw_downstream_end(struct gw_downstream *pair)
{
    pair->ops->end(pair);
}

/* The response cannot be completed: HTTP/2 resets the stream, HTTP/1 sends what waits and cuts the
 * connection, so that a client sees a truncated answer as such. The pair ends here. */
static inline void gw_downstream_abort(struct gw_downstream *pair)
{
    pair->ops->abort(pair);
}

#endif
