/* SPDX-License-Identifier: MIT */
/* base/chunkq - a singly linked run of chunks with a read and a write position. */
#include "base/chunkq.h"

#include "base/alloc.h"
#include "base/assert.h"

struct gw_chunk {
    struct gw_chunk *next;
    size_t begin; /* first byte not yet consumed */
    size_t end;   /* first free byte */
    char bytes[GW_CHUNK_BYTES];
};

void gw_chunk_pool_init(struct gw_chunk_pool *pool)
{
    *pool = (struct gw_chunk_pool){0};
}

void gw_chunk_pool_fini(struct gw_chunk_pool *pool)
{
    while (pool->free_chunks != NULL) {
        struct gw_chunk *chunk = pool->free_chunks;
        pool->free_chunks = chunk->next;
        gw_free(chunk);
    }
    pool->free_count = 0;
}

static struct gw_chunk *take_chunk(struct gw_chunk_pool *pool)
{
    struct gw_chunk *chunk = pool->free_chunks;
    if (chunk != NULL) {
        pool->free_chunks = chunk->next;
        pool->free_count--;
    } else {
        chunk = gw_try_alloc(sizeof(*chunk));
    }
    if (chunk != NULL) {
        chunk->next = NULL;
        chunk->begin = 0;
        chunk->end = 0;
    }
    return chunk;
}

static void give_chunk(struct gw_chunk_pool *pool, struct gw_chunk *chunk)
{
    if (pool->free_count >= GW_CHUNK_POOL_KEEP) {
        gw_free(chunk);
        return;
    }
    chunk->next = pool->free_chunks;
    pool->free_chunks = chunk;
    pool->free_count++;
}

void gw_chunkq_init(struct gw_chunkq *queue, struct gw_chunk_pool *pool)
{
    *queue = (struct gw_chunkq){.pool = pool};
}

void gw_chunkq_clear(struct gw_chunkq *queue)
{
    gw_chunkq_consume(queue, queue->len);
}

/* Links enough empty chunks behind the last one to hold |size| more bytes; none on failure. */
static enum gw_err add_room(struct gw_chunkq *queue, size_t size, struct gw_chunk **first_new)
{
    struct gw_chunk *head = NULL;
    struct gw_chunk **link = &head;
    size_t room = queue->last == NULL ? 0 : GW_CHUNK_BYTES - queue->last->end;
    while (room < size) {
        struct gw_chunk *chunk = take_chunk(queue->pool);
        if (chunk == NULL) {
            while (head != NULL) {
                struct gw_chunk *next = head->next;
                give_chunk(queue->pool, head);
                head = next;
            }
            return GW_ERR_NOMEM;
        }
        *link = chunk;
        link = &chunk->next;
        room += GW_CHUNK_BYTES;
    }
    *first_new = head;
    return GW_OK;
}

enum gw_err gw_chunkq_append(struct gw_chunkq *queue, struct gw_str bytes)
{
    struct gw_chunk *fresh = NULL;
    enum gw_err err = add_room(queue, bytes.len, &fresh);
    if (err != GW_OK) {
        return err;
    }
    struct gw_chunk *chunk = queue->last != NULL ? queue->last : fresh;
    if (queue->last != NULL) {
        queue->last->next = fresh;
    } else {
        queue->first = fresh;
    }
    queue->len += bytes.len;
    while (bytes.len > 0) {
        if (chunk->end == GW_CHUNK_BYTES) {
            chunk = chunk->next;
        }
        size_t room = GW_CHUNK_BYTES - chunk->end;
        size_t part = bytes.len < room ? bytes.len : room;
        memcpy(chunk->bytes + chunk->end, bytes.ptr, part);
        chunk->end += part;
        bytes = gw_str_skip(bytes, part);
    }
    if (chunk != NULL) {
        queue->last = chunk->next != NULL ? chunk->next : chunk;
    }
    return GW_OK;
}

int gw_chunkq_peek(const struct gw_chunkq *queue, struct iovec *iov, int max)
{
    int count = 0;
    for (struct gw_chunk *chunk = queue->first; chunk != NULL && count < max; chunk = chunk->next) {
        if (chunk->end > chunk->begin) {
            iov[count++] = (struct iovec){.iov_base = chunk->bytes + chunk->begin,
                                          .iov_len = chunk->end - chunk->begin};
        }
    }
    return count;
}

void gw_chunkq_consume(struct gw_chunkq *queue, size_t count)
{
    GW_ASSERT(count <= queue->len);
    queue->len -= count;
    while (queue->first != NULL) {
        struct gw_chunk *chunk = queue->first;
        size_t held = chunk->end - chunk->begin;
        size_t part = count < held ? count : held;
        chunk->begin += part;
        count -= part;
        if (chunk->begin < chunk->end) {
            return;
        }
        queue->first = chunk->next;
        if (queue->first == NULL) {
            queue->last = NULL;
        }
        give_chunk(queue->pool, chunk);
    }
}

size_t gw_chunkq_read(struct gw_chunkq *queue, void *out, size_t size)
{
    size_t done = 0;
    while (done < size && queue->len > 0) {
        struct iovec head = {0};
        (void)gw_chunkq_peek(queue, &head, 1);
        size_t part = head.iov_len < size - done ? head.iov_len : size - done;
        memcpy((char *)out + done, head.iov_base, part);
        gw_chunkq_consume(queue, part);
        done += part;
    }
    return done;
}
