/* SPDX-License-Identifier: MIT */
/*
 * upstream/upstream - one loop's HTTP client: connection pools per origin and the exchanges that
 * run over them.
 *
 * Source:   RFC 9110, 9112, 9113; RFC 9110 section 9.3.6 (CONNECT)
 * Shape:    an exchange is one request sent and one response received. It starts at once on an idle
 *           pooled connection, else on a new one: resolve, connect (addresses in turn), proxy
 *           CONNECT, TLS, ALPN.
 * Units:    in the names
 * Limits:   a response head of at most GW_UPSTREAM_MAX_HEADER_BYTES; idle connections per origin as
 *           set; connections per origin have no limit here; bytes that wait to be sent are bounded
 *           by the request body's owner; bytes of a paused HTTP/2 response by its stream's window.
 * Memory:   an exchange copies what it cannot send at once of its head; body runs are borrowed
 *           until they are sent, or the exchange ends.
 * Threads:  its loop's thread only
 * Errors:   one on_error with a struct gw_exchange_failure; see there.
 *
 * An idle pooled connection keeps read interest on: a close or stray bytes from the server take it
 * out of the pool before it is leased (the liveness check, without a system call per request). The
 * race that remains shows as failure.is_stale: no byte of the response came on a reused connection;
 * whether to send again is the caller's decision, never made here.
 */
#ifndef GW_UPSTREAM_UPSTREAM_H
#define GW_UPSTREAM_UPSTREAM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "http/message.h"
#include "llm/catalog.h"
#include "loop/loop.h"
#include "upstream/origin.h"

/* As much as we accept from clients; vendors send 2 to 4 KiB. */
#define GW_UPSTREAM_MAX_HEADER_BYTES (64u * 1024)
/* A streamed upload pauses its source above this. */
#define GW_UPSTREAM_HIGH_WATER (256u * 1024)
#define GW_UPSTREAM_LOW_WATER  (64u * 1024)

struct gw_upstream;
struct gw_pool; /* connections of one origin */
struct gw_exchange;

/* Written on the loop's thread (relaxed), read by the metrics export. */
struct gw_upstream_counters {
    _Atomic uint64_t connects_total;
    _Atomic uint64_t connect_failures_total;
    _Atomic uint64_t reused_total; /* exchanges that found an idle connection */
    _Atomic uint64_t open;         /* connections now */
    _Atomic uint64_t idle;         /* of them, waiting in a pool */
    _Atomic uint64_t received_bytes_total;
    _Atomic uint64_t sent_bytes_total;
};

struct gw_upstream_opts {
    struct gw_loop *loop; /* required */
    size_t max_idle_per_origin;
    uint64_t idle_timeout_ms;
    uint64_t dns_refresh_ms;
    /* An HTTP/2 connection on which nothing came for ping_after_ms is asked by a PING, and dead
     * when it does not answer within ping_timeout_ms. 0: 30 s and 15 s, as Go's documentation of
     * its ReadIdleTimeout and PingTimeout suggests. */
    uint64_t ping_after_ms;
    uint64_t ping_timeout_ms;
};

/* Makes a client without connections. */
struct gw_upstream *gw_upstream_create(const struct gw_upstream_opts *opts);

/* Cuts all connections and frees; running exchanges must have been cancelled; NULL-safe, clears the
 * pointer. */
void gw_upstream_destroy(struct gw_upstream **upstream);

/* The counters; valid as long as the client. */
const struct gw_upstream_counters *gw_upstream_counters(const struct gw_upstream *upstream);

/*
 * The pool of connections to |origin|, made when there is none with the same key. The pool copies
 * what it needs and holds its own reference to the TLS context. Pools are ref-counted:
 * gw_pool_release() when the snapshot that named the origin is gone; a pool without owners closes
 * its idle connections and lives until its last exchange ends.
 */
struct gw_pool *gw_upstream_pool(struct gw_upstream *upstream, const struct gw_origin *origin);

/* One owner less; NULL-safe, clears the pointer. */
void gw_pool_release(struct gw_pool **pool);

/* Where in its life an exchange failed. */
enum gw_exchange_phase {
    GW_PHASE_RESOLVE,
    GW_PHASE_CONNECT,
    GW_PHASE_PROXY, /* CONNECT through a proxy */
    GW_PHASE_TLS,
    GW_PHASE_SEND,       /* the request is not sent completely */
    GW_PHASE_FIRST_BYTE, /* sent; nothing of the response came */
    GW_PHASE_HEAD,       /* in the response's head */
    GW_PHASE_BODY,       /* in the response's body */
};

/* The phase's name for messages: "resolve", "connect", "proxy", "TLS handshake", "send", "first
 * byte", "response head", "response body". */
const char *gw_exchange_phase_text(enum gw_exchange_phase phase);

/* Views are valid until on_error returns. */
struct gw_exchange_failure {
    enum gw_exchange_phase phase;
    enum gw_err err;      /* GW_ERR_TIMEOUT, GW_ERR_REFUSED, GW_ERR_RESET, GW_ERR_EOF, GW_ERR_DNS,
                             GW_ERR_TLS, GW_ERR_PROTOCOL, GW_ERR_TOO_LARGE, ... */
    bool is_stale;        /* nothing of it was answered, and it may be sent again: a reused
                             connection died before the first response byte, or HTTP/2 said that
                             the request was not processed (REFUSED_STREAM, GOAWAY) */
    uint64_t timeout_ms;  /* with GW_ERR_TIMEOUT: which limit was hit */
    struct gw_str peer;   /* "api.openai.com:443 (1.2.3.4:443)", as far as it got */
    struct gw_str detail; /* for people: what the system, OpenSSL or the parser said */
};

struct gw_exchange_timings {
    uint64_t started_at_ns;
    uint64_t connected_at_ns;  /* 0 on a reused connection */
    uint64_t sent_at_ns;       /* request completely written */
    uint64_t first_byte_at_ns; /* 0 until it came */
    bool is_reused;
};

struct gw_exchange_events {
    /* Status and fields; valid until return. Once, before on_body. */
    void (*on_response)(void *user, const struct gw_response_head *head);
    /* Bytes of the response's body, framing removed; valid until return. While paused, what one
     * read brought (GW_LOOP_READ_BYTES at most) may still come. */
    void (*on_body)(void *user, struct gw_str bytes);
    /* The response is complete; the exchange is over, *exchange is invalid after return (timings
     * may be read inside). A streamed request body that is not complete yet is given up. */
    void (*on_end)(void *user);
    /* It failed; the exchange is over, *exchange is invalid after return. */
    void (*on_error)(void *user, const struct gw_exchange_failure *failure);
    /* Streamed upload: fewer than GW_UPSTREAM_LOW_WATER bytes wait again. May be NULL when the body
     * is given as runs. */
    void (*on_writable)(void *user);
};

struct gw_exchange_request {
    struct gw_pool *pool;            /* required */
    struct gw_str method;            /* required */
    struct gw_str target;            /* required: path and query */
    const struct gw_header *headers; /* Host, Content-Length, Expect and hop-by-hop fields among
                                        them are left out: those are this client's business */
    size_t header_count;
    /* The body: runs that are sent one after the other (borrowed until they are sent,
     * timings.sent_at_ns tells, or the exchange ends) ... */
    const struct gw_str *body_runs;
    size_t body_run_count;
    /* ... or, with is_streamed, what gw_exchange_write() brings. */
    bool is_streamed;
    uint64_t
        content_length; /* is_streamed only: announced length, or GW_LENGTH_UNKNOWN for chunked */
    /* connect_ms bounds resolving and connecting together, then again the proxy's CONNECT;
     * first_byte_ms runs from the sent request to the response's complete head; idle_ms between two
     * parts of the body, and while a request does not get on; total_ms over all. stream_total_ms is
     * not read: who expects a stream puts it into total_ms. 0: no such limit. */
    struct gw_upstream_timeouts timeouts;
    bool fresh_connection; /* do not use a pooled one (after is_stale) */
};

/*
 * Starts an exchange. No event is called before this returns. Copies method, target and headers;
 * the array of runs is borrowed like the runs themselves.
 *
 * Errors: GW_ERR_NOMEM, GW_ERR_TOO_LARGE (head), GW_ERR_INVALID (a CR, LF or NUL in the head).
 */
GW_MUST_USE enum gw_err gw_exchange_start(const struct gw_exchange_request *request,
                                          const struct gw_exchange_events *events, void *user,
                                          struct gw_exchange **out);

/*
 * Streamed upload: sends (or queues) bytes. All of them are taken, also above the high-water mark.
 *
 * Errors: GW_ERR_NOMEM, GW_ERR_OVERFLOW (more than the announced length); the caller then cancels.
 */
GW_MUST_USE enum gw_err gw_exchange_write(struct gw_exchange *exchange, struct gw_str bytes);

/* Streamed upload: the body is complete. Errors: GW_ERR_NOMEM, GW_ERR_INVALID (fewer bytes than
 * announced); the caller then cancels. */
GW_MUST_USE enum gw_err gw_exchange_end_body(struct gw_exchange *exchange);

/* Streamed upload: may more be written? When false, on_writable follows. */
bool gw_exchange_can_write(const struct gw_exchange *exchange);

/* Stops (true) or resumes reading the response: back-pressure towards the provider. The idle
 * timeout rests while paused. */
void gw_exchange_pause(struct gw_exchange *exchange, bool paused);

/* What is known so far; for logs and metrics. Valid as long as the exchange. */
const struct gw_exchange_timings *gw_exchange_timings(const struct gw_exchange *exchange);

/* Ends it without an event: HTTP/1 closes the connection, HTTP/2 resets the stream; NULL-safe,
 * clears the pointer. */
void gw_exchange_cancel(struct gw_exchange **exchange);

#endif
