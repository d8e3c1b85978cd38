/* SPDX-License-Identifier: MIT */
/* base/buf - growth by doubling, capped. */
#include "base/buf.h"

#include <stdio.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/plain_run.h"

#define FIRST_CAPACITY 256 /* most of what is built here (error bodies, log lines) fits */

void gw_buf_init(struct gw_buf *buf, size_t max_bytes)
{
    *buf = (struct gw_buf){.max_bytes = max_bytes};
}

void gw_buf_fini(struct gw_buf *buf)
{
    gw_free(buf->ptr);
    gw_buf_init(buf, buf->max_bytes);
}

void gw_buf_reset(struct gw_buf *buf)
{
    buf->len = 0;
    buf->err = GW_OK;
}

static enum gw_err fail(struct gw_buf *buf, enum gw_err err)
{
    buf->err = err;
    return err;
}

enum gw_err gw_buf_reserve(struct gw_buf *buf, size_t size)
{
    if (buf->err != GW_OK) {
        return buf->err;
    }
    if (size <= buf->capacity - buf->len) {
        return GW_OK;
    }
    if (size > buf->max_bytes - buf->len) {
        return fail(buf, GW_ERR_TOO_LARGE);
    }
    size_t want = buf->len + size;
    size_t capacity = buf->capacity > 0 ? buf->capacity : FIRST_CAPACITY;
    while (capacity < want && capacity <= buf->max_bytes / 2) {
        capacity *= 2;
    }
    if (capacity < want || capacity > buf->max_bytes) {
        capacity = buf->max_bytes;
    }
    char *block = gw_try_realloc(buf->ptr, capacity);
    if (block == NULL) {
        return fail(buf, GW_ERR_NOMEM);
    }
    buf->ptr = block;
    buf->capacity = capacity;
    return GW_OK;
}

enum gw_err gw_buf_append_byte(struct gw_buf *buf, char byte)
{
    return gw_buf_append(buf, gw_str(&byte, 1));
}

enum gw_err gw_buf_append_u64(struct gw_buf *buf, uint64_t value)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    return gw_buf_append(buf, gw_str(digits + at, sizeof(digits) - at));
}

enum gw_err gw_buf_appendf(struct gw_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int need = vsnprintf(NULL, 0, format, args);
    va_end(args);
    GW_ASSERT(need >= 0);
    size_t len = (size_t)need;
    enum gw_err err =
        gw_buf_reserve(buf, len + 1); /* vsnprintf() writes a NUL that is not counted */
    if (err != GW_OK) {
        return err;
    }
    va_start(args, format);
    vsnprintf(gw_buf_tail(buf), len + 1, format, args);
    va_end(args);
    buf->len += len;
    return GW_OK;
}

/* How long the UTF-8 character is that begins with |first|; 0 when none does. */
static size_t utf8_len_by_first(unsigned char first)
{
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xc2 || first > 0xf4) {
        return 0;
    }
    if (first < 0xe0) {
        return 2;
    }
    return first < 0xf0 ? 3 : 4;
}

/* Length of the valid UTF-8 character at the front of |text|, which is not empty, or 0. */
static size_t utf8_char_len(struct gw_str text)
{
    const unsigned char *p = (const unsigned char *)text.ptr;
    size_t len = utf8_len_by_first(p[0]);
    if (len == 0 || len > text.len) {
        return 0;
    }
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool surrogate = p[0] == 0xed && p[1] > 0x9f;
    bool beyond = p[0] == 0xf4 && p[1] > 0x8f;
    return overlong || surrogate || beyond ? 0 : len;
}

static enum gw_err append_json_special(struct gw_buf *buf, unsigned char c)
{
    switch (c) {
    case '"':
        return gw_buf_append(buf, GW_STR("\\\""));
    case '\\':
        return gw_buf_append(buf, GW_STR("\\\\"));
    case '\n':
        return gw_buf_append(buf, GW_STR("\\n"));
    case '\r':
        return gw_buf_append(buf, GW_STR("\\r"));
    case '\t':
        return gw_buf_append(buf, GW_STR("\\t"));
    default:
        return gw_buf_appendf(buf, "\\u%04x", c);
    }
}

/* How many bytes at the front of |text| may stand in a JSON string as they are. */
static size_t plain_run(struct gw_str text)
{
    const unsigned char *begin = (const unsigned char *)text.ptr;
    const unsigned char *end = begin + text.len;
    const unsigned char *at = begin;
    while (at < end) {
        at = gw_plain_run_skip(at, end);
        /* Behind plain bytes only a whole character of UTF-8 goes on; the escapes are the caller's.
         */
        size_t char_len = at < end && *at >= 0x80
                              ? utf8_char_len(gw_str((const char *)at, (size_t)(end - at)))
                              : 0;
        if (char_len == 0) {
            break;
        }
        at += char_len;
    }
    return (size_t)(at - begin);
}

enum gw_err gw_buf_append_json(struct gw_buf *buf, struct gw_str text)
{
    while (text.len > 0) {
        size_t plain = plain_run(text);
        (void)gw_buf_append(buf, gw_str(text.ptr, plain));
        text = gw_str_skip(text, plain);
        if (text.len > 0) {
            unsigned char c = (unsigned char)text.ptr[0];
            (void)(c < 0x80 ? append_json_special(buf, c)
                            : gw_buf_append(buf, GW_STR("\xef\xbf\xbd")));
            text = gw_str_skip(text, 1);
        }
    }
    return buf->err;
}

void gw_buf_consume(struct gw_buf *buf, size_t count)
{
    GW_ASSERT(count <= buf->len);
    if (count > 0 && count < buf->len) {
        memmove(buf->ptr, buf->ptr + count, buf->len - count);
    }
    buf->len -= count;
}
