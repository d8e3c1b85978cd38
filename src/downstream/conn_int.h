/* SPDX-License-Identifier: MIT */
/*
 * downstream/conn_int - what HTTP/1 and HTTP/2 connections share: stream, state, timer, the queue
 * of bytes to send, and the work at the end of a callback. Private to this folder.
 *
 * Source:   none
 * Shape:    conn.c gets the stream's events, finds out the protocol and hands on to one struct
 *           gw_conn_proto. Whatever is written goes to |out| and leaves when the current callback
 *           ends (gw_conn_wake), so that all pieces of an answer share one system call.
 * Units:    in the names
 * Limits:   the owner of the bytes watches |out|
 * Memory:   a connection is freed only from its own deferred work, never under a caller's feet:
 *           after gw_conn_cut() its memory is good until the current callback has returned.
 * Threads:  its loop's thread only
 * Errors:   gw_conn_cut() ends a connection with the reason that its pairs are told
 */
#ifndef GW_DOWNSTREAM_CONN_INT_H
#define GW_DOWNSTREAM_CONN_INT_H

#include "base/chunkq.h"
#include "downstream/server_int.h"
#include "net/stream.h"

/*
 * A connection ends while the client may still be sending: what comes is read and thrown away, or
 * an RST would take the answer from a client that sends all before it reads. This long without a
 * byte, or this long in total, as nginx does by lingering_timeout and lingering_time.
 */
#define GW_CONN_LINGER_MS       2000
#define GW_CONN_LINGER_TOTAL_MS 30000

/* What is left of a request's body when its answer is complete: less than this is read and thrown
 * away, so that the connection can be used again. */
#define GW_CONN_REST_BYTES (256u * 1024)
#define GW_CONN_REST_MS    2000

#define GW_CONN_NEVER UINT64_MAX

/*
 *  OPENING -> DETECT -> IDLE <-> HEAD -> SERVING -> REST -> IDLE ...
 *                        any of these -> CLOSING -> LINGER -> CLOSED
 */
enum gw_conn_state {
    GW_CONN_OPENING, /* TLS handshake, or not yet told open */
    GW_CONN_DETECT,  /* open; the first bytes will tell the protocol */
    GW_CONN_IDLE,    /* between requests */
    GW_CONN_HEAD,    /* HTTP/1: a part of a head is here */
    GW_CONN_SERVING, /* HTTP/1: a pair is open, or its head waits; HTTP/2: at least one stream is */
    GW_CONN_REST,    /* HTTP/1: answered; the rest of the request's body is being thrown away */
    GW_CONN_CLOSING, /* what waits is being sent, then it ends */
    GW_CONN_LINGER,  /* our side is shut; waiting for the client's end */
    GW_CONN_CLOSED,  /* gone but for its memory */
};

/* How CLOSING ends. */
enum gw_conn_ending {
    GW_CONN_END_CLOSE,
    GW_CONN_END_LINGER, /* the client may still be sending */
    GW_CONN_END_RESET,  /* the end of the body is the end of the connection, and it is not complete
                         */
};

struct gw_conn;
struct gw_h1_conn;
struct gw_h2_conn;

struct gw_conn_proto {
    const char *name;
    /* Bytes came (states IDLE to REST). */
    void (*receive)(struct gw_conn *conn, struct gw_str bytes);
    /* The current callback ends: send, and do what was put off. */
    void (*settle)(struct gw_conn *conn);
    /* When the protocol's own waiting is over; GW_CONN_NEVER when it waits for nothing. */
    uint64_t (*deadline_ms)(const struct gw_conn *conn);
    /* That time, or the state's, has come. */
    void (*expire)(struct gw_conn *conn);
    /* The server drains. */
    void (*drain)(struct gw_conn *conn);
    /* The connection is gone: tells the open pairs. */
    void (*abort_pairs)(struct gw_conn *conn, enum gw_err err);
    /* Frees the protocol's part. */
    void (*fini)(struct gw_conn *conn);
};

struct gw_conn {
    struct gw_server *server;
    struct gw_stream *stream;          /* NULL when closed */
    const struct gw_conn_proto *proto; /* NULL until detected */
    union {
        struct gw_h1_conn *h1;
        struct gw_h2_conn *h2;
    } u;
    struct gw_list node; /* in the server's list */
    struct gw_timer timer;
    struct gw_deferred deferred;
    struct gw_chunkq out;
    uint64_t state_since_ms;
    uint64_t write_progress_ms;  /* while bytes wait: when the last one went, or the wait began */
    uint64_t linger_progress_ms; /* GW_CONN_LINGER: when the last byte came */
    enum gw_conn_state state;
    enum gw_conn_ending ending;
    enum gw_err failed; /* a write failed: cut at the end of the callback */
    uint8_t preface_seen;
    bool write_blocked;
    bool is_reading;
    bool has_served; /* at least one request */
    struct gw_address peer;
};

/* ---- conn.c ---- */

/* Takes a descriptor over; NULL when the stream cannot be made. */
struct gw_conn *gw_conn_create(struct gw_server *server, int fd, const struct gw_address *peer,
                               struct gw_tls_server *tls);

/* The only writer of |state|; asserts that the step is one of the drawing above. */
void gw_conn_set_state(struct gw_conn *conn, enum gw_conn_state state);

/* Have the connection settle (send, deliver, free) when the current callback ends. */
void gw_conn_wake(struct gw_conn *conn);

/* Sends what waits, as far as it goes. A failure is kept in |failed|. */
void gw_conn_flush(struct gw_conn *conn);

/*
 * Sends [what waits][|iov|] at once when nothing is blocked, and queues what did not go; for pieces
 * so large that copying them costs more than a system call.
 *
 * Errors: GW_ERR_NOMEM (some of it may have been sent: the connection must be cut).
 */
GW_MUST_USE enum gw_err gw_conn_write_through(struct gw_conn *conn, const struct iovec *iov,
                                              int count);

/* Reads on or off; does nothing when it is so already. */
void gw_conn_set_reading(struct gw_conn *conn, bool on);

/* Sends what waits, then ends; no pair may be open. */
void gw_conn_close(struct gw_conn *conn, enum gw_conn_ending ending);

/* Ends now; open pairs are told |err|. Does nothing when closed already. */
void gw_conn_cut(struct gw_conn *conn, enum gw_err err);

/* Sets the timer to what the connection waits for now. */
void gw_conn_arm(struct gw_conn *conn);

/* Frees a closed connection. */
void gw_conn_free(struct gw_conn *conn);

/* The loop's time. */
static inline uint64_t gw_conn_now_ms(const struct gw_conn *conn)
{
    return gw_loop_now_ms(conn->server->opts.loop);
}

/* |bytes| for a system call that only reads them. */
static inline struct iovec gw_iovec(struct gw_str bytes)
{
    /* By way of a number: writev() wants a pointer that is not const. */
    return (struct iovec){.iov_base = (void *)(uintptr_t)bytes.ptr, .iov_len = bytes.len};
}

/* ---- conn_h1.c, conn_h2.c ---- */

/* Makes the connection an HTTP/1 connection in state IDLE. */
void gw_h1_start(struct gw_conn *conn);

/* Makes the connection an HTTP/2 connection in state IDLE. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_h2_start(struct gw_conn *conn);

/* Frees what all HTTP/2 sessions share. */
void gw_h2_fini_server(struct gw_server *server);

#endif
