/* SPDX-License-Identifier: MIT */
/*
 * bench/loadgen/conn - one client connection, and the protocol that makes calls on it.
 *
 * Source:   none.
 * Shape:    open -> (TLS) -> calls, one after the other in each slot -> done, or reconnect.
 * Units:    microseconds.
 * Limits:   a call that takes longer than config.timeout_us ends its connection.
 * Memory:   a connection lives as long as the run; its protocol session as long as its socket.
 * Threads:  the run's.
 * Errors:   every call that was open when the connection broke is counted as failed.
 */
#ifndef LOADGEN_CONN_H
#define LOADGEN_CONN_H

#include <stdbool.h>

#include "common/loop.h"
#include "common/mem.h"
#include "common/tls.h"
#include "loadgen/load.h"

struct load_conn;

struct load_proto {
    /* Prepares conn->session on a fresh socket and makes the first calls. */
    void (*start)(struct load_conn *conn);
    /* Takes received bytes. Returns false when the connection is of no more use. */
    bool (*on_bytes)(struct load_conn *conn, struct bench_str bytes);
    /* Fails the open calls with |error| and frees conn->session. */
    void (*stop)(struct load_conn *conn, enum load_error error);
    /* Returns when the oldest open call began, 0 when none is open. */
    uint64_t (*oldest_us)(struct load_conn *conn);
    /* Fills conn->out before it is sent, for protocols that queue elsewhere. May be NULL. */
    void (*fill)(struct load_conn *conn);
};

struct load_conn {
    struct load_run *run;
    uint64_t index;
    const struct load_proto *proto;
    void *session;
    struct bench_watch watch;
    struct bench_stream stream;
    struct bench_timer timer; /* timeouts */
    struct bench_deferred reopen;
    struct bench_buf out;
    uint64_t calls_left; /* streamed: still to be made on this connection, by all slots */
    bool connected;
    bool finished;
};

/* HTTP/1.1: one call at a time. */
extern const struct load_proto load_h1;

/* HTTP/2: config.calls_per_connection calls at a time. */
extern const struct load_proto load_h2;

/* Makes connection |index| and opens it. */
struct load_conn *load_conn_create(struct load_run *run, uint64_t index);

/* Closes and frees |conn|; open calls are counted as closed. */
void load_conn_destroy(struct load_conn *conn);

/* Sends what is in out. */
void load_conn_flush(struct load_conn *conn);

/* Tells whether another call should be made on |conn|, and counts it as made. */
bool load_conn_take_call(struct load_conn *conn);

/* A call that was taken was not made after all. */
void load_conn_give_back_call(struct load_conn *conn);

/* The peer takes no more calls on this connection and none is open: goes on with a fresh one. */
void load_conn_renew(struct load_conn *conn);

/* All calls are made and answered: closes for good. */
void load_conn_finish(struct load_conn *conn);

#endif
