/* SPDX-License-Identifier: MIT */
/*
 * base/chunkq - a queue of bytes waiting to be written, made of fixed-size chunks from a per-thread
 * pool.
 *
 * Source:   none
 * Shape:    append at the tail, read as iovecs and consume at the head. An empty queue holds no
 *           chunk.
 * Units:    bytes
 * Limits:   the queue itself has none: its owner compares gw_chunkq_len() with its limit and stops
 *           the producer.
 * Memory:   chunks come from and return to the pool; the pool keeps at most GW_CHUNK_POOL_KEEP of
 *           them for reuse.
 * Threads:  a pool and its queues belong to one thread.
 * Errors:   GW_ERR_NOMEM.
 */
#ifndef GW_BASE_CHUNKQ_H
#define GW_BASE_CHUNKQ_H

#include <stddef.h>
#include <sys/uio.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

/* One TLS record's payload is at most 16 KiB; half of that keeps 5,000 slow streams at 40 MB. */
#define GW_CHUNK_BYTES 8192
/* 2 MiB per thread stay for reuse, the rest goes back to the heap. */
#define GW_CHUNK_POOL_KEEP 256

struct gw_chunk;

struct gw_chunk_pool {
    struct gw_chunk *free_chunks;
    size_t free_count;
};

struct gw_chunkq {
    struct gw_chunk_pool *pool;
    struct gw_chunk *first;
    struct gw_chunk *last;
    size_t len;
};

/* Makes an empty pool. */
void gw_chunk_pool_init(struct gw_chunk_pool *pool);

/* Frees the kept chunks; all queues of the pool must be empty. */
void gw_chunk_pool_fini(struct gw_chunk_pool *pool);

/* Makes an empty queue over |pool|, which must outlive it. */
void gw_chunkq_init(struct gw_chunkq *queue, struct gw_chunk_pool *pool);

/* Gives all chunks back; the queue is empty afterwards. */
void gw_chunkq_clear(struct gw_chunkq *queue);

/* Bytes waiting. */
static inline size_t gw_chunkq_len(const struct gw_chunkq *queue)
{
    return queue->len;
}

/*
 * Copies |bytes| to the tail; all of them or, on failure, none.
 *
 * Errors: GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_chunkq_append(struct gw_chunkq *queue, struct gw_str bytes);

/* Fills up to |max| iovecs with the head of the queue; returns how many. Valid until the next call
 * on the queue. */
int gw_chunkq_peek(const struct gw_chunkq *queue, struct iovec *iov, int max);

/* Drops |count| bytes from the head; |count| is at most gw_chunkq_len(). */
void gw_chunkq_consume(struct gw_chunkq *queue, size_t count);

/* Copies up to |size| bytes from the head to |out| and drops them; returns how many. */
size_t gw_chunkq_read(struct gw_chunkq *queue, void *out, size_t size);

#endif
