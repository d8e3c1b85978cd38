/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/exchange - one request and its answer, sent in time and with its faults.
 *
 * Source:   none.
 * Shape:    begin -> route (builds the answer) -> wait -> head -> pieces, paced -> end.
 *           The protocol under it is a sink: a table of functions.
 * Units:    microseconds on the loop's clock.
 * Limits:   a sink that is full is asked again by mock_exchange_resume().
 * Memory:   embedded in the protocol's own object; buffers are reused between requests.
 * Threads:  belongs to its worker.
 * Errors:   none; whatever goes wrong on purpose is ordered by the knobs.
 */
#ifndef MOCKLLM_EXCHANGE_H
#define MOCKLLM_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include <yyjson.h>

#include "common/loop.h"
#include "mockllm/knobs.h"
#include "mockllm/message.h"
#include "mockllm/vendor.h"

struct mock_exchange;
struct mock_worker;

enum mock_framing {
    MOCK_FRAMING_LENGTH,
    MOCK_FRAMING_CHUNKED,
    MOCK_FRAMING_NONE, /* the body ends with the connection */
    MOCK_FRAMING_BOTH, /* content-length and transfer-encoding: a smuggling attempt */
};

struct mock_head {
    enum mock_framing framing;
    uint64_t length; /* what content-length says */
    bool close;
};

struct mock_sink {
    /* Sends an interim answer, 100 or 103. */
    void (*interim)(struct mock_exchange *exchange, unsigned status);
    /* Sends status and headers of exchange->answer. */
    void (*head)(struct mock_exchange *exchange, const struct mock_head *head);
    /* Sends a part of the body. */
    void (*body)(struct mock_exchange *exchange, struct bench_str bytes);
    /* Sends bytes as they are, around the protocol. */
    void (*raw)(struct mock_exchange *exchange, struct bench_str bytes);
    /* Announces a chunk of |announced| bytes and sends only |bytes| of it. */
    void (*torn)(struct mock_exchange *exchange, struct bench_str bytes, uint64_t announced);
    /* Pushes what was sent to the network. The exchange may be gone afterwards. */
    void (*flush)(struct mock_exchange *exchange);
    /* The answer is complete. The exchange may be reused or gone afterwards. */
    void (*end)(struct mock_exchange *exchange);
    /* Breaks off: with a reset, or (|reset| false) by closing. The exchange is gone afterwards. */
    void (*abort)(struct mock_exchange *exchange, bool reset);
    /* Tells whether nothing should be added for now. */
    bool (*is_full)(struct mock_exchange *exchange);
};

enum mock_stage {
    MOCK_STAGE_IDLE,
    MOCK_STAGE_LATENCY, /* the timer runs until the head is due */
    MOCK_STAGE_BODY,    /* pieces go out */
    MOCK_STAGE_ABORT,   /* the timer runs until the connection breaks off */
    MOCK_STAGE_STALLED, /* nothing happens, perhaps for ever */
};

struct mock_exchange {
    struct mock_worker *worker;
    const struct mock_sink *sink;
    struct mock_request request;
    struct mock_knobs knobs;
    struct mock_answer answer;
    enum mock_vendor vendor;
    struct bench_str path;  /* within the vendor's API; borrows the request's target */
    struct bench_buf model; /* of the request, empty when it names none */
    struct bench_buf scene; /* the orders in the last user message */
    yyjson_doc *doc;        /* the request's JSON while it is routed, else NULL */
    enum mock_stage stage;
    struct bench_timer timer;
    uint64_t began_us;
    uint64_t body_us; /* when the first piece was due */
    size_t piece;     /* next one of the script */
    uint64_t round;   /* next copy of it */
    uint64_t sent_chunks;
    uint64_t id;
    bool fault_done;   /* a fault that goes on with the answer happened already */
    bool abort_resets; /* what MOCK_STAGE_ABORT does */
    bool running;      /* inside run(): a resume from a flush must not enter it twice */
};

/* Prepares |exchange|. */
void mock_exchange_init(struct mock_exchange *exchange, struct mock_worker *worker,
                        const struct mock_sink *sink);

/* Frees what it owns; a running answer is dropped. */
void mock_exchange_fini(struct mock_exchange *exchange);

/* Answers exchange->request, which is complete. May end, reuse or free the exchange. */
void mock_exchange_begin(struct mock_exchange *exchange);

/* Goes on after the sink was full. */
void mock_exchange_resume(struct mock_exchange *exchange);

/* The peer is gone: records the abort when an answer was under way, and stops it. */
void mock_exchange_gone(struct mock_exchange *exchange);

/* Ready for the next request. */
void mock_exchange_clear(struct mock_exchange *exchange);

/* Reads the knobs that the headers alone decide, for what happens before the body is there. */
struct mock_knobs mock_exchange_early_knobs(const struct mock_exchange *exchange);

#endif
