/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/stats - what the mock saw: counters, the last requests, aborted answers.
 *
 * Source:   none.
 * Shape:    one set per worker, added up when somebody asks; requests to /mock/... are not seen.
 * Units:    bytes, ms.
 * Limits:   the last MOCK_KEPT_REQUESTS requests and aborts of each worker are kept; of a body at
 *           most MOCK_KEPT_BODY_BYTES (its hash and size are right beyond that).
 * Memory:   kept bodies are copies.
 * Threads:  counters are atomics, kept requests are under a lock that the worker hardly ever
 *           finds taken.
 * Errors:   none.
 */
#ifndef MOCKLLM_STATS_H
#define MOCKLLM_STATS_H

#include <stddef.h>
#include <stdint.h>

#include "common/mem.h"

/* Enough to look at a test's retries and fallbacks; at most 16 x 8 MB a worker. */
#define MOCK_KEPT_REQUESTS 16

/* Covers tests that compare large bodies byte for byte. */
#define MOCK_KEPT_BODY_BYTES (8u * 1024u * 1024u)

/* Routes that are counted apart; mock_router_label() names them. */
#define MOCK_MAX_ROUTES 128

struct mock_exchange;
struct mock_stats;

/* Makes the stats of |workers| workers. They live as long as the process. */
void mock_stats_create(unsigned workers);

/* Returns the stats of worker |index|. */
struct mock_stats *mock_stats_of(unsigned index);

/* Counts an accepted connection. */
void mock_stats_count_accept(struct mock_stats *stats);

/* Counts a connection's end. */
void mock_stats_count_close(struct mock_stats *stats);

/* Counts bytes that left. */
void mock_stats_count_sent(struct mock_stats *stats, size_t bytes);

/* Counts bytes that came. */
void mock_stats_count_received(struct mock_stats *stats, size_t bytes);

/* Counts a request for |route| and keeps a copy of it. */
void mock_stats_request(struct mock_stats *stats, const struct mock_exchange *exchange,
                        size_t route);

/* Notes that the client went away before the answer was complete. */
void mock_stats_abort(struct mock_stats *stats, const struct mock_exchange *exchange);

/* Forgets everything but the open connections. */
void mock_stats_reset(void);

/* Writes the counters of all workers as JSON. */
void mock_stats_write(struct bench_buf *out);

/* Writes the last |n| kept requests of all workers as a JSON array, the newest first. */
void mock_stats_write_requests(struct bench_buf *out, size_t n);

/* Writes the newest kept request as a JSON object, null when there is none. */
void mock_stats_write_last(struct bench_buf *out);

/* Writes the raw body of the newest kept request. */
void mock_stats_write_last_body(struct bench_buf *out);

#endif
