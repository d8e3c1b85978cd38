/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/worker - what one thread owns: loop, listeners, scratch memory, counters.
 *
 * Source:   none.
 * Shape:    --threads N makes N workers, each with its own listening sockets (SO_REUSEPORT).
 * Units:    none.
 * Limits:   MOCK_MAX_LISTENERS.
 * Memory:   scratch buffers live as long as the worker and are valid until the next callback.
 * Threads:  a worker belongs to its thread, except its stats, which have their own rules.
 * Errors:   none.
 */
#ifndef MOCKLLM_WORKER_H
#define MOCKLLM_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "common/loop.h"
#include "common/mem.h"
#include "mockllm/knobs.h"

/* One plain, one TLS, one Unix socket. */
#define MOCK_MAX_LISTENERS 3

struct mock_stats;
struct mock_worker;

struct mock_config {
    struct mock_knobs knobs;     /* of the flags; control.h has those in force */
    struct bench_str api_key;    /* empty: any or none */
    struct bench_str aws_secret; /* of all access keys, empty: signatures are not compared */
    EVP_PKEY *jwt_key;           /* checks the signatures of POST /token, NULL: nobody does */
    const char *const *models;
    size_t model_count;
    uint64_t max_body_bytes;
    uint32_t h2_max_streams;
};

struct mock_listener {
    struct bench_watch watch;
    struct mock_worker *worker;
    SSL_CTX *tls; /* NULL: plain */
};

struct mock_worker {
    unsigned index;
    struct bench_loop loop;
    const struct mock_config *config;
    struct mock_stats *stats;
    struct mock_listener listeners[MOCK_MAX_LISTENERS];
    size_t listener_count;
    char *read_buf;         /* MOCK_READ_BYTES */
    char *json_pool;        /* MOCK_JSON_POOL_BYTES, for the request being routed */
    struct bench_buf piece; /* one piece on its way into a protocol */
    uint64_t next_id;       /* makes ids unique within the worker */
};

/* One read: a whole burst of uploads or of pipelined requests. */
#define MOCK_READ_BYTES (256u * 1024u)

/* Requests up to about 50 KB are parsed without an allocation. */
#define MOCK_JSON_POOL_BYTES (1024u * 1024u)

/* Prepares |worker|; |stats| must outlive it. */
void mock_worker_init(struct mock_worker *worker, unsigned index, const struct mock_config *config,
                      struct mock_stats *stats);

/* Adds the listening socket |fd|, which may be shared with other workers. */
void mock_worker_listen(struct mock_worker *worker, int fd, SSL_CTX *tls);

/* Serves for ever. */
void mock_worker_run(struct mock_worker *worker);

/* Returns a number no other request of this process has. */
uint64_t mock_worker_id(struct mock_worker *worker);

#endif
