/* SPDX-License-Identifier: MIT */
/*
 * bench/loadgen/load - a run: what is asked for, what is counted, and the calls that are made.
 *
 * Source:   none.
 * Shape:    run.c starts connections; conn.c moves bytes; h1.c and h2.c turn them into calls;
 *           call.c checks every answer and counts it.
 * Units:    microseconds, bytes.
 * Limits:   a run ends at its deadline whatever happens.
 * Memory:   a call keeps at most LOAD_MAX_EVENT bytes of an unfinished event.
 * Threads:  one loop, one thread.
 * Errors:   each kind is counted; a call that fails for two reasons counts once.
 */
#ifndef LOADGEN_LOAD_H
#define LOADGEN_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "common/loop.h"
#include "common/mem.h"
#include "loadgen/hist.h"
#include "loadgen/usage.h"

/* An event larger than this is a broken stream. */
#define LOAD_MAX_EVENT (1024u * 1024u)

/* Processes whose CPU time is measured: a master and its workers. */
#define LOAD_MAX_WATCHED 16

/* F(id, name) */
#define LOAD_ERRORS(F)                                                                             \
    F(CONNECT, "connect")   /* no connection */                                                    \
    F(CLOSED, "closed")     /* ended or reset before the answer was complete */                    \
    F(PROTOCOL, "protocol") /* not HTTP, or not an event stream */                                 \
    F(STATUS, "status")     /* not 200 */                                                          \
    F(LENGTH, "length")     /* not the bytes expected */                                           \
    F(CONTENT, "content")   /* not the text of the other answers */                                \
    F(CHUNKS, "chunks")     /* not the number of chunks expected */                                \
    F(NO_DONE, "no_done")   /* the stream ended without [DONE] */                                  \
    F(TIMEOUT, "timeout")   /* no answer in time */

enum load_error {
#define F(id, name) LOAD_ERROR_##id,
    LOAD_ERRORS(F)
#undef F
        LOAD_ERROR_COUNT
};

struct load_config {
    const char *host;
    uint16_t port;
    const char *unix_path; /* instead of host and port */
    SSL_CTX *tls;          /* NULL: plain */
    bool http2;
    struct bench_str path;
    struct bench_str authority;
    struct bench_str body;
    struct bench_buf headers; /* extra ones: "name: value\r\n" */
    bool streamed;
    uint64_t connections;
    uint64_t calls_per_connection; /* at the same time; 1 with HTTP/1.1 */
    uint64_t repeat;               /* streamed: calls of each slot */
    uint64_t warmup_us;
    uint64_t duration_us;
    uint64_t ramp_us;
    uint64_t settle_us;     /* streamed: from the end of the ramp to the steady part */
    uint64_t steady_us;     /* streamed: length of the steady part */
    uint64_t deadline_us;   /* of the whole run */
    uint64_t timeout_us;    /* of one call */
    uint64_t expect_bytes;  /* plain: of a body; 0: as the first answer */
    uint64_t expect_chunks; /* streamed */
    int watched[LOAD_MAX_WATCHED];
    size_t watched_count;
};

struct load_totals {
    uint64_t calls; /* in the measured time, errors not included */
    uint64_t all_calls;
    uint64_t errors[LOAD_ERROR_COUNT]; /* always, not only in the measured time */
    uint64_t chunks;
    uint64_t bytes; /* received */
    uint64_t connects;
    struct load_hist latency; /* whole call */
    struct load_hist first;   /* until the first content */
    struct load_hist transit; /* of a stamped chunk, from the mock's write to our read */
    struct load_hist gap;     /* between two chunks of a stream */
};

/* A moment of the run: what the watched processes had used and what had come until then. */
struct load_mark {
    uint64_t at_us;
    uint64_t chunks;
    struct load_usage usage;
};

struct load_run {
    struct bench_loop loop;
    struct load_config config;
    struct load_totals totals;
    struct load_mark from, to;     /* the measured time */
    struct load_mark held, steady; /* streamed: a part of it in which all streams run */
    bool measuring;
    bool stopping; /* no new calls */
    uint64_t open_calls;
    uint64_t most_open;  /* at the same time */
    uint64_t slots_left; /* connections that are not finished */
    uint64_t next_connection;
    uint64_t seen_bytes; /* of the first answer */
    uint64_t seen_hash;  /* of the first stream's text */
    uint64_t began_us;
    struct bench_timer ramp_timer;
    struct bench_timer phase_timer;
    struct bench_timer end_timer;
    struct load_conn **conns;
};

/* One request and its answer. Embedded in the protocol's slot. */
struct load_call {
    struct load_run *run;
    bool open;
    uint64_t began_us;
    uint64_t last_us; /* last chunk */
    uint64_t chunks;
    uint64_t body_bytes;
    uint64_t hash;
    unsigned status;
    bool done_seen;
    bool bad_event;
    struct bench_buf event; /* unfinished one */
};

/* Starts the clock of |call|. */
void load_call_begin(struct load_call *call, struct load_run *run);

/* Takes body bytes as they come. */
void load_call_body(struct load_call *call, struct bench_str bytes);

/* The answer is complete: checks and counts it. */
void load_call_end(struct load_call *call);

/* The call failed; counts nothing when it is not open. */
void load_call_fail(struct load_call *call, enum load_error error);

/* The call was never looked at: as if it had not begun. */
void load_call_withdraw(struct load_call *call);

/* Counts an error that belongs to no call. */
void load_count_error(struct load_run *run, enum load_error error);

/* Does the whole run. */
void load_run(struct load_run *run);

/* Prints the result as JSON. */
void load_report(const struct load_run *run);

#endif
