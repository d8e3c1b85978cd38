/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/conn - an accepted connection: bytes in, bytes out, and who understands them.
 *
 * Source:   RFC 9113 section 3.4 (the preface that tells HTTP/2), RFC 7301 (ALPN).
 * Shape:    bytes go to one protocol (h1 or h2), chosen by ALPN or by the first bytes.
 * Units:    bytes, microseconds.
 * Limits:   out holds at most MOCK_OUT_HIGH plus one piece: producers ask mock_conn_is_full().
 * Memory:   a connection owns its buffers; it is freed at the end of the loop turn it closes in.
 * Threads:  belongs to its worker.
 * Errors:   none; a broken connection tells its protocol by on_closed and goes away.
 */
#ifndef MOCKLLM_CONN_H
#define MOCKLLM_CONN_H

#include <stdbool.h>

#include "common/loop.h"
#include "common/mem.h"
#include "common/tls.h"

/* Unsent bytes above which nothing more is produced: a reader this slow must not cost memory. */
#define MOCK_OUT_HIGH (64u * 1024u)

struct mock_conn;
struct mock_worker;

struct mock_proto {
    const char *name;
    /* Takes received bytes; may close the connection. */
    void (*on_bytes)(struct mock_conn *conn, struct bench_str bytes);
    /* Everything written so far has left. */
    void (*on_drained)(struct mock_conn *conn);
    /* The connection is gone, |by_peer| or by ourselves; called once. */
    void (*on_closed)(struct mock_conn *conn, bool by_peer);
    /* Frees conn->session, at the end of the loop turn. */
    void (*on_release)(struct mock_conn *conn);
};

struct mock_conn {
    struct mock_worker *worker;
    struct bench_watch watch;
    struct bench_stream stream;
    struct bench_timer trickle_timer;
    struct bench_timer close_timer;
    struct bench_deferred release;
    struct bench_buf first; /* bytes before the protocol is known */
    struct bench_buf out;
    const struct mock_proto *proto; /* NULL until known */
    void *session;                  /* the protocol's */
    uint64_t trickle_us;            /* 0: whole writes; else the gap between single bytes */
    bool close_when_sent;
    bool read_paused;
    bool write_blocked;
};

/* Takes over the accepted |fd|. */
void mock_conn_open(struct mock_worker *worker, int fd, SSL_CTX *tls);

/* Sends what is in out as far as the socket takes it; the rest follows by itself. */
void mock_conn_flush(struct mock_conn *conn);

/* Ends the connection now: with a reset, or normally (unsent bytes are lost). */
void mock_conn_close(struct mock_conn *conn, bool reset);

/* Ends the connection normally once out is sent. */
void mock_conn_close_when_sent(struct mock_conn *conn);

/* Ends the connection |after_us| from now, whatever happens on it until then. */
void mock_conn_close_later(struct mock_conn *conn, uint64_t after_us);

/* From now on sends one byte per write, |gap_us| apart; 0: whole writes again. */
void mock_conn_trickle(struct mock_conn *conn, uint64_t gap_us);

/* Stops or resumes reading. */
void mock_conn_pause_read(struct mock_conn *conn, bool paused);

/* Tells whether so much waits to be sent that nothing should be added. */
bool mock_conn_is_full(const struct mock_conn *conn);

/* Tells whether the connection is closed and only waits for its release. */
bool mock_conn_is_closed(const struct mock_conn *conn);

#endif
