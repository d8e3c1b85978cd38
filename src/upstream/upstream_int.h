/* SPDX-License-Identifier: MIT */
/*
 * upstream/upstream_int - what the files of this folder share: the four objects and who calls whom.
 *
 * Source:   none
 * Shape:    client -> pools -> connections -> exchanges. A connection's state decides which list of
 *           its pool it is in; only gw_upconn_set_state() writes it. An exchange's state says how
 *           far its request and response got; only gw_exchange_set_state() writes it.
 * Units:    in the names
 * Limits:   see upstream.h
 * Memory:   connections and exchanges come from free lists of the client. One that is over stays
 *           until the end of the loop's callback, so that nobody up the stack meets freed memory.
 * Threads:  the loop's thread only
 * Errors:   see the functions
 *
 * upstream.c   client, free lists, counters        conn_h1.c       one exchange at a time
 * pool.c       which connection an exchange gets   conn_h2.c       many at a time
 * conn.c       life and events of a connection     request_head.c  what we send first
 * connect.c    makes it usable                     h2_head.c       the same in HTTP/2's form
 * proxy.c      by a proxy                          exchange.c      state and timer of an exchange
 *                                                  failure.c       texts
 */
#ifndef GW_UPSTREAM_UPSTREAM_INT_H
#define GW_UPSTREAM_UPSTREAM_INT_H

#include <netinet/in.h>

#include "base/buf.h"
#include "base/list.h"
#include "http/h1.h"
#include "net/resolver.h"
#include "net/stream.h"
#include "net/tls_session.h"
#include "upstream/upstream.h"

/* A deadline that never comes. */
#define GW_NEVER_MS UINT64_MAX

/* Fields of a head we send: as much as we accept (64 KiB) and as much again for what providers add.
 */
#define GW_UPSTREAM_MAX_REQUEST_HEAD_BYTES (128u * 1024)

/* Objects kept for reuse, of each kind: a burst of 5,000 streams ends with 1.5 MB kept. */
#define GW_UPSTREAM_KEEP_OBJECTS 4096

/* Streams we open on a connection whose peer did not say how many it takes (RFC 9113 section 6.5.2
 * recommends servers to take at least this many), and at most on one that takes more: a lost
 * connection should not fail more exchanges than that. */
#define GW_H2_MAX_STREAMS 100

struct gw_upconn;
struct gw_connecting; /* connect.c: what a connection needs only until it is usable */
struct gw_uph2;       /* conn_h2.c: session of an HTTP/2 connection */

/* ---- client (upstream.c) ---- */

struct gw_free_list {
    void *first;
    size_t count;
};

struct gw_upstream {
    struct gw_loop *loop;
    struct gw_resolver *resolver;
    size_t max_idle_per_origin;
    uint64_t idle_timeout_ms;
    uint64_t ping_after_ms;
    uint64_t ping_timeout_ms;
    struct gw_list pools;
    struct gw_list ended; /* exchanges that are over, until the end of the callback */
    struct gw_free_list free_conns;
    struct gw_free_list free_exchanges;
    struct gw_buf head; /* where request heads are written; its content ends with the next one */
    struct gw_upstream_counters counters;
};

/* Adds to a counter that this thread alone writes. */
static inline void gw_upstream_count(_Atomic uint64_t *counter, uint64_t delta)
{
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + delta, memory_order_relaxed);
}

/* A cleared object of |size| bytes from |list| or the heap. Errors: NULL without memory. */
GW_MUST_USE void *gw_free_list_try_take(struct gw_free_list *list, size_t size);

/* Gives an object back. */
void gw_free_list_give(struct gw_free_list *list, void *object);

/* ---- pool (pool.c) ---- */

struct gw_pool {
    struct gw_list node; /* in the client */
    struct gw_upstream *upstream;
    struct gw_origin origin; /* views into |strings| */
    char *strings;
    uint64_t key_hash;
    unsigned owner_count;
    struct gw_tls_session_store *sessions;
    /* By state of the connection; see gw_upconn_state. */
    struct gw_list connecting;
    struct gw_list shared;
    struct gw_list idle; /* newest first */
    struct gw_list busy;
    struct gw_list closed;
    size_t idle_count;
    size_t conn_count;       /* of all five lists */
    uint32_t h2_max_streams; /* what the peer said last */
    bool expects_h2;         /* the next connection will speak HTTP/2, as far as we know */
};

/* Frees |pool| when it has neither owners nor connections. */
void gw_pool_free_if_unused(struct gw_pool *pool);

/* Closes all connections and frees, whatever the owners. */
void gw_pool_destroy(struct gw_pool *pool);

/*
 * Gives |exchange| a connection: a shared or idle one unless |fresh|, one that connects and will
 * take several, or a new one. No event is called.
 *
 * Errors: GW_ERR_NOMEM; the exchange is then on no connection.
 */
GW_MUST_USE enum gw_err gw_pool_dispatch(struct gw_pool *pool, struct gw_exchange *exchange,
                                         bool fresh);

/* Keeps the number of idle connections within its limit: the one idle longest goes. */
void gw_pool_trim(struct gw_pool *pool);

/* ---- connection (conn.c, connect.c, proxy.c) ---- */

/* XX(identifier, list of the pool) in the order of a connection's life. */
#define GW_UPCONN_STATE_MAP(XX)                                                                    \
    XX(NEW, connecting)                                                                            \
    XX(RESOLVING, connecting)                                                                      \
    XX(CONNECTING, connecting)                                                                     \
    XX(PROXYING, connecting)                                                                       \
    XX(HANDSHAKING, connecting)                                                                    \
    XX(SHARED, shared)  /* HTTP/2 that takes one more exchange */                                  \
    XX(BUSY, busy)      /* takes none: HTTP/1 with one, HTTP/2 at its limit or going away */       \
    XX(RETURNING, busy) /* HTTP/1 whose exchange is over; idle at the end of the callback */       \
    XX(IDLE, idle)                                                                                 \
    XX(CLOSED, closed)

enum gw_upconn_state {
#define XX(id, list) GW_UPCONN_##id,
    GW_UPCONN_STATE_MAP(XX)
#undef XX
};

/* The remote IP address; a struct gw_address has room for a path and is four times as large. */
union gw_peer {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* What each read touches stands in the first 64 bytes. */
struct gw_upconn {
    struct gw_list exchanges; /* on it, oldest first */
    struct gw_pool *pool;
    struct gw_stream *stream;    /* NULL before connecting and after closing */
    struct gw_h1_parser *parser; /* HTTP/1 */
    struct gw_uph2 *h2;          /* HTTP/2 */
    uint8_t state;               /* enum gw_upconn_state */
    uint8_t closed_in;           /* the state before CLOSED */
    bool was_used;               /* an exchange began on it before */
    /* HTTP/1, about the message in work */
    bool is_complete;  /* the parser has seen its end */
    bool may_stay;     /* the response allows to use the connection again */
    bool write_failed; /* the request cannot be sent further; a response may still be there */
    /* a failure found where events may not be called: told at the end of the callback */
    bool has_late_failure;
    int8_t late_err;
    uint32_t exchange_count;
    struct gw_list node;              /* in the list of its state */
    struct gw_deferred after;         /* what the end of the callback brings; see on_after() */
    struct gw_timer timer;            /* of the step of connecting; idle; PING */
    struct gw_connecting *connecting; /* NULL once usable */
    uint64_t idle_until_ms;
    uint64_t connected_at_ns;
    union gw_peer peer; /* sa_family AF_UNSPEC: not known yet, or a Unix socket */
};

/* What the stream of every connection calls; its user is the connection. */
extern const struct gw_stream_events gw_upconn_stream_events;

/* Makes a connection in state NEW that begins to connect at the end of the callback, with the
 * limits of |exchange|. Errors: NULL without memory. */
GW_MUST_USE struct gw_upconn *gw_upconn_try_create(struct gw_pool *pool,
                                                   const struct gw_exchange *exchange);

/* Moves |conn| to a state, and with it to that state's list. */
void gw_upconn_set_state(struct gw_upconn *conn, enum gw_upconn_state state);

/* Is it made, proxied and handshaken? */
static inline bool gw_upconn_is_usable(const struct gw_upconn *conn)
{
    return conn->state >= GW_UPCONN_SHARED && conn->state < GW_UPCONN_CLOSED;
}

/* Puts |exchange| on |conn|. */
void gw_upconn_attach(struct gw_upconn *conn, struct gw_exchange *exchange);

/* Takes |exchange| off its connection and does nothing else. */
void gw_upconn_detach(struct gw_exchange *exchange);

/*
 * Begins |exchange|, which is on |conn|, on its protocol. Calls no event.
 *
 * Errors: GW_ERR_NOMEM, GW_ERR_AGAIN (this connection takes no more); the exchange is off it then.
 */
GW_MUST_USE enum gw_err gw_upconn_begin(struct gw_upconn *conn, struct gw_exchange *exchange);

/* |exchange| leaves its connection for good, which is then parked, closed or goes on with others.
 */
void gw_upconn_leave(struct gw_exchange *exchange);

/* Closes at once; exchanges still on it are left to the caller. Calling it again changes nothing.
 */
void gw_upconn_close(struct gw_upconn *conn);

/* Closes, and fails every exchange on it. |timeout_ms| counts with GW_ERR_TIMEOUT. */
void gw_upconn_fail(struct gw_upconn *conn, enum gw_err err, struct gw_str detail,
                    uint64_t timeout_ms);

/* The same at the end of the callback, for functions that may not call events. */
void gw_upconn_fail_late(struct gw_upconn *conn, enum gw_err err);

/* It is usable: gives the exchanges that waited for it to its protocol. */
void gw_upconn_on_usable(struct gw_upconn *conn, bool is_h2);

/* Has no exchange (any more): waits for the next, or is closed when nobody would want it. */
void gw_upconn_park(struct gw_upconn *conn);

/* Begins to resolve and connect. Errors end in gw_upconn_fail(). */
void gw_connect_start(struct gw_upconn *conn);

/* A new struct gw_connecting with the limits of |exchange|. Errors: NULL without memory. */
GW_MUST_USE struct gw_connecting *gw_connecting_try_create(const struct gw_exchange *exchange);

/* Frees, ends a look-up; NULL-safe, clears the pointer. */
void gw_connecting_destroy(struct gw_connecting **connecting);

/* Events of the stream and the timer while connecting. */
void gw_connect_on_open(struct gw_upconn *conn);
void gw_connect_on_end(struct gw_upconn *conn, enum gw_err err, struct gw_str detail);
void gw_connect_on_timer(struct gw_upconn *conn);

/* The tunnel (or the direct connection) stands: TLS, or usable at once. */
void gw_connect_on_tunnel(struct gw_upconn *conn);

/* What proxy.c keeps in struct gw_connecting. */
struct gw_proxy {
    struct gw_buf out; /* the CONNECT request */
    size_t sent;
    struct gw_h1_parser *parser;
    unsigned status;
};

/* The proxy part of a connection that is in state PROXYING. */
struct gw_proxy *gw_connecting_proxy(struct gw_upconn *conn);

/* Sends CONNECT. Errors end in gw_upconn_fail(). */
void gw_proxy_start(struct gw_upconn *conn);

/* Events of the stream while the proxy is asked. */
void gw_proxy_on_read(struct gw_upconn *conn, struct gw_str bytes);
void gw_proxy_on_writable(struct gw_upconn *conn);

/* Frees what gw_proxy_start() made. */
void gw_proxy_fini(struct gw_proxy *proxy);

/* ---- HTTP/1 (conn_h1.c) ---- */

/* Makes the parser. */
void gw_uph1_init(struct gw_upconn *conn);

/* Takes the exchange and sends as much of its request as goes now. Calls no event. */
void gw_uph1_begin(struct gw_upconn *conn, struct gw_exchange *exchange);

/* Sends or queues bytes of a streamed body. Calls no event. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_uph1_write(struct gw_upconn *conn, struct gw_exchange *exchange,
                                      struct gw_str bytes);

/* The streamed body is complete. Calls no event. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_uph1_end_body(struct gw_upconn *conn, struct gw_exchange *exchange);

/* The exchange has left: makes ready for the next one. Returns false when there can be none. */
bool gw_uph1_reset(struct gw_upconn *conn, const struct gw_exchange *exchange);

/* Events of the stream. */
void gw_uph1_on_read(struct gw_upconn *conn, struct gw_str bytes);
void gw_uph1_on_writable(struct gw_upconn *conn);
void gw_uph1_on_end(struct gw_upconn *conn, enum gw_err err, struct gw_str detail);

/* ---- HTTP/2 (conn_h2.c, response_head.c) ---- */

/* Makes the session and queues our settings. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_uph2_init(struct gw_upconn *conn);

/* Frees the session; NULL-safe, clears the pointer. */
void gw_uph2_destroy(struct gw_uph2 **h2);

/* Moves it to where the number of its exchanges puts it; closes it when it is of no more use. */
void gw_uph2_update(struct gw_upconn *conn);

/*
 * Submits the request of |exchange|, which is on |conn|. Bytes leave at the end of the callback.
 *
 * Errors: GW_ERR_NOMEM, GW_ERR_AGAIN (this connection takes no more; take another).
 */
GW_MUST_USE enum gw_err gw_uph2_begin(struct gw_upconn *conn, struct gw_exchange *exchange);

/* More of a streamed body is there. */
void gw_uph2_send_more(struct gw_upconn *conn, struct gw_exchange *exchange);

/* |exchange| has left: resets its stream, if that has not ended. */
void gw_uph2_leave(struct gw_upconn *conn, struct gw_exchange *exchange);

/* Delivers what came for |exchange| while it was paused. */
void gw_uph2_resume(struct gw_upconn *conn, struct gw_exchange *exchange);

/* Writes what the session has to send. Errors end in gw_upconn_fail(). */
void gw_uph2_flush(struct gw_upconn *conn);

/* Events of the stream and the timer. */
void gw_uph2_on_read(struct gw_upconn *conn, struct gw_str bytes);
void gw_uph2_on_end(struct gw_upconn *conn, enum gw_err err, struct gw_str detail);
void gw_uph2_on_timer(struct gw_upconn *conn);

/* ---- exchange (exchange.c, request_head.c) ---- */

/* Lines of a request's head: clients may send GW_H1_MAX_HEADERS fields, providers add a handful. */
#define GW_REQUEST_MAX_LINES (GW_H1_MAX_HEADERS + 50)

enum gw_exchange_state {
    GW_EXCHANGE_CONNECTING, /* its connection is not usable yet */
    GW_EXCHANGE_SENDING,
    GW_EXCHANGE_WAITING, /* sent; nothing of the response came */
    GW_EXCHANGE_HEAD,    /* a first byte came */
    GW_EXCHANGE_BODY,    /* the head was delivered */
    GW_EXCHANGE_OVER,
};

/* What each chunk touches stands in the first 128 bytes. */
struct gw_exchange {
    struct gw_upconn *conn; /* NULL when over */
    const struct gw_exchange_events *events;
    void *user;
    struct gw_upstream *upstream;
    uint64_t phase_at_ms;
    uint64_t total_at_ms;
    uint32_t idle_ms; /* the limits as given; 0: none */
    uint32_t first_byte_ms;
    uint8_t state; /* enum gw_exchange_state */
    bool is_paused;
    bool is_sent;          /* the request is complete on its way */
    bool is_bodyless;      /* HEAD: the response has no body */
    bool is_streamed;      /* the request's body comes by gw_exchange_write() */
    bool is_chunked;       /* streamed, length not announced */
    bool is_body_ended;    /* streamed: no more will be written */
    bool wants_writable;   /* can_write() said no since on_writable */
    struct gw_timer timer; /* the earlier of phase_at_ms and total_at_ms */
    struct gw_list node;   /* on its connection; then among the client's ended ones */
    struct gw_deferred after;
    struct gw_pool *pool; /* valid until over */
    uint32_t connect_ms;
    uint32_t tls_ms;
    uint32_t total_ms;
    uint32_t run_count;
    uint32_t run_index; /* first run that is not sent completely */
    uint32_t head_len;
    uint32_t head_sent;
    int32_t stream_id;      /* HTTP/2; 0: not begun */
    char *head;             /* HTTP/1 form; NULL once sent */
    bool head_is_borrowed;  /* |head| is in the client's scratch buffer */
    bool is_response_ended; /* HTTP/2: END_STREAM came */
    bool is_stream_closed;  /* HTTP/2: the stream is gone, or goes by itself */
    const struct gw_str *runs;
    size_t run_sent;          /* of that run */
    uint64_t body_left;       /* streamed with a length: bytes that were not yet written */
    struct gw_chunkq queue;   /* streamed: bytes that wait, with their framing */
    struct gw_chunkq arrived; /* HTTP/2: of the response, while paused */
    struct gw_exchange_timings timings;
};

/* Moves |exchange| to a state and arms its timer for it. */
void gw_exchange_set_state(struct gw_exchange *exchange, enum gw_exchange_state state);

/* Something of request or response got on: pushes the idle limit back. */
void gw_exchange_touch(struct gw_exchange *exchange);

/* The head has left: frees it. */
void gw_exchange_drop_head(struct gw_exchange *exchange);

/* The request is complete on its way: frees what was held for sending. */
void gw_exchange_on_sent(struct gw_exchange *exchange);

/* Bytes of the response came. */
void gw_exchange_on_bytes(struct gw_exchange *exchange);

/* Delivers the head. The caller looks at the state again afterwards: the user may have cancelled.
 */
void gw_exchange_deliver_head(struct gw_exchange *exchange, const struct gw_response_head *head);

/* Tells the user of a streamed body that he may go on, if he waits for it. */
void gw_exchange_tell_writable(struct gw_exchange *exchange);

/* It leaves its connection and is over: on_end. */
void gw_exchange_end(struct gw_exchange *exchange);

/* Why an exchange fails. */
struct gw_cause {
    enum gw_err err;
    bool is_unprocessed; /* the peer promised that it did nothing */
    bool is_connection_lost;
    uint64_t timeout_ms;
    struct gw_str detail;
};

/* It leaves its connection and is over: on_error. */
void gw_exchange_fail(struct gw_exchange *exchange, const struct gw_cause *cause);

/* Gives it a (new) connection where events may be called: what goes wrong is told by on_error. */
void gw_exchange_redispatch(struct gw_exchange *exchange);

/* Makes the head that stands in the client's scratch buffer the exchange's own. Errors:
 * GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_exchange_own_head(struct gw_exchange *exchange);

/*
 * Writes the request's head in its HTTP/1 form to the client's scratch buffer.
 *
 * Errors: GW_ERR_NOMEM, GW_ERR_TOO_LARGE, GW_ERR_INVALID (CR, LF or NUL inside).
 */
GW_MUST_USE enum gw_err gw_request_head_write(struct gw_buf *out,
                                              const struct gw_exchange_request *request);

/* ---- texts (failure.c) ---- */

/* Room for two host names of 253 bytes, each with its port and an address. */
#define GW_PEER_TEXT_BYTES 640

/* Writes whom |exchange| talks to, as far as that is known, NUL-terminated. */
struct gw_str gw_exchange_format_peer(const struct gw_exchange *exchange,
                                      char out[GW_PEER_TEXT_BYTES]);

/* The phase in which |exchange| is. */
enum gw_exchange_phase gw_exchange_phase(const struct gw_exchange *exchange);

/* What to say when nobody said anything. */
struct gw_str gw_failure_default_detail(enum gw_exchange_phase phase, enum gw_err err);

#endif
