/* SPDX-License-Identifier: MIT */
/*
 * base/buf - owned, growable bytes with a maximum.
 *
 * Source:   none
 * Shape:    text and bodies that are built piece by piece. After a failed append the buffer is
 *           sticky: every further append fails the same way, so a builder checks once, at the end.
 * Units:    bytes
 * Limits:   opts at init; nothing grows beyond max_bytes.
 * Memory:   the buffer owns its block; gw_buf_fini() frees it. Views from gw_buf_str() end with the
 *           next append.
 * Threads:  not shared
 * Errors:   GW_ERR_TOO_LARGE (over max_bytes), GW_ERR_NOMEM.
 */
#ifndef GW_BASE_BUF_H
#define GW_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

struct gw_buf {
    char *ptr;
    size_t len;
    size_t capacity;
    size_t max_bytes;
    enum gw_err err; /* the first failure, sticky until reset */
};

/* Makes an empty buffer that will never hold more than |max_bytes|; allocates nothing yet. */
void gw_buf_init(struct gw_buf *buf, size_t max_bytes);

/* Frees the block; the buffer is as after gw_buf_init(). */
void gw_buf_fini(struct gw_buf *buf);

/* Forgets content and failure, keeps the block. */
void gw_buf_reset(struct gw_buf *buf);

/* The content so far. */
static inline struct gw_str gw_buf_str(const struct gw_buf *buf)
{
    return gw_str(buf->ptr, buf->len);
}

/*
 * Makes room for |size| more bytes; what gw_buf_tail() points at may then be written and counted
 * with gw_buf_commit().
 *
 * Errors: GW_ERR_TOO_LARGE, GW_ERR_NOMEM.
 */
enum gw_err gw_buf_reserve(struct gw_buf *buf, size_t size);

/* Where reserved room begins; only after a reservation of at least one byte. */
static inline char *gw_buf_tail(struct gw_buf *buf)
{
    return buf->ptr + buf->len;
}

/* Counts |size| bytes of reserved room as content. */
static inline void gw_buf_commit(struct gw_buf *buf, size_t size)
{
    buf->len += size;
}

/* Appends bytes, which must not be the buffer's own. Errors: GW_ERR_TOO_LARGE, GW_ERR_NOMEM. */
static inline enum gw_err gw_buf_append(struct gw_buf *buf, struct gw_str bytes)
{
    /* A head or a log line is some 50 appends: the check for room is inline, growing is not. */
    if (bytes.len > buf->capacity - buf->len || buf->err != GW_OK) {
        enum gw_err err = gw_buf_reserve(buf, bytes.len);
        if (err != GW_OK) {
            return err;
        }
    }
    if (bytes.len > 0) {
        memcpy(buf->ptr + buf->len, bytes.ptr, bytes.len);
        buf->len += bytes.len;
    }
    return GW_OK;
}

/* Appends one byte. Errors: as gw_buf_append(). */
enum gw_err gw_buf_append_byte(struct gw_buf *buf, char byte);

/* Appends a number in decimal. Errors: as gw_buf_append(). */
enum gw_err gw_buf_append_u64(struct gw_buf *buf, uint64_t value);

/* Appends printf-formatted text. Errors: as gw_buf_append(). */
GW_PRINTF(2, 3) enum gw_err gw_buf_appendf(struct gw_buf *buf, const char *format, ...);

/*
 * Appends |text| as the inside of a JSON string (without the quotes). Bytes that are not UTF-8
 * become U+FFFD, so that what comes from a peer cannot break a log line or an error body.
 *
 * Errors: as gw_buf_append().
 */
enum gw_err gw_buf_append_json(struct gw_buf *buf, struct gw_str text);

/* Drops the first |count| bytes, moving the rest to the front. */
void gw_buf_consume(struct gw_buf *buf, size_t count);

#endif
