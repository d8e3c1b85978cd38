/* SPDX-License-Identifier: MIT */
/* Allocation that cannot fail, slices and growable buffers. */
#include "common/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die_out_of_memory(size_t size)
{
    fprintf(stderr, "out of memory asking for %zu bytes\n", size);
    abort();
}

void *bench_alloc(size_t size)
{
    void *ptr = calloc(1, size == 0 ? 1 : size);
    if (ptr == NULL) {
        die_out_of_memory(size);
    }
    return ptr;
}

void *bench_realloc(void *ptr, size_t size)
{
    void *bigger = realloc(ptr, size == 0 ? 1 : size);
    if (bigger == NULL) {
        die_out_of_memory(size);
    }
    return bigger;
}

void bench_free(void *ptr)
{
    free(ptr);
}

struct bench_str bench_str_from(const char *text)
{
    return (struct bench_str){.ptr = text, .len = strlen(text)};
}

struct bench_str bench_str_cut(struct bench_str s, size_t from, size_t len)
{
    if (from > s.len) {
        from = s.len;
    }
    if (len > s.len - from) {
        len = s.len - from;
    }
    /* Nothing may be added to a null pointer, not even 0. */
    return (struct bench_str){.ptr = s.ptr == NULL ? NULL : s.ptr + from, .len = len};
}

bool bench_str_eq(struct bench_str a, struct bench_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool bench_str_ieq(struct bench_str a, struct bench_str b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.ptr[i]) != lower(b.ptr[i])) {
            return false;
        }
    }
    return true;
}

bool bench_str_starts(struct bench_str s, struct bench_str prefix)
{
    return s.len >= prefix.len && memcmp(s.ptr, prefix.ptr, prefix.len) == 0;
}

size_t bench_str_find(struct bench_str s, char c)
{
    const char *hit = s.len == 0 ? NULL : memchr(s.ptr, c, s.len);
    return hit == NULL ? s.len : (size_t)(hit - s.ptr);
}

bool bench_str_u64(struct bench_str s, uint64_t *out)
{
    uint64_t n = 0;
    if (s.len == 0 || s.len > 19) { /* 19 digits always fit */
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9') {
            return false;
        }
        n = n * 10 + (uint64_t)(s.ptr[i] - '0');
    }
    *out = n;
    return true;
}

char *bench_buf_room(struct bench_buf *buf, size_t extra)
{
    if (buf->cap - buf->head - buf->len >= extra) {
        return buf->ptr + buf->head + buf->len;
    }
    if (buf->head > 0) {
        memmove(buf->ptr, buf->ptr + buf->head, buf->len);
        buf->head = 0;
    }
    if (buf->cap - buf->len < extra) {
        size_t cap = buf->cap == 0 ? 256 : buf->cap;
        while (cap - buf->len < extra) {
            cap *= 2;
        }
        buf->ptr = bench_realloc(buf->ptr, cap);
        buf->cap = cap;
    }
    return buf->ptr + buf->len;
}

void bench_buf_grow(struct bench_buf *buf, size_t n)
{
    buf->len += n;
}

void bench_buf_add(struct bench_buf *buf, const void *ptr, size_t n)
{
    if (n > 0) {
        memcpy(bench_buf_room(buf, n), ptr, n);
        buf->len += n;
    }
}

void bench_buf_str(struct bench_buf *buf, struct bench_str s)
{
    bench_buf_add(buf, s.ptr, s.len);
}

void bench_buf_u64(struct bench_buf *buf, uint64_t n)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    bench_buf_add(buf, digits + at, sizeof(digits) - at);
}

void bench_buf_hex(struct bench_buf *buf, uint64_t n, unsigned width)
{
    char digits[16];
    size_t at = sizeof(digits);
    do {
        digits[--at] = "0123456789abcdef"[n & 15];
        n >>= 4;
    } while (n > 0 || (at > 0 && sizeof(digits) - at < width));
    bench_buf_add(buf, digits + at, sizeof(digits) - at);
}

void bench_buf_json(struct bench_buf *buf, struct bench_str s)
{
    BENCH_LIT(buf, "\"");
    size_t from = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        bench_buf_add(buf, s.ptr + from, i - from);
        from = i + 1;
        if (c == '"' || c == '\\') {
            char pair[2] = {'\\', (char)c};
            bench_buf_add(buf, pair, 2);
        } else if (c == '\n') {
            BENCH_LIT(buf, "\\n");
        } else {
            BENCH_LIT(buf, "\\u");
            bench_buf_hex(buf, c, 4);
        }
    }
    bench_buf_add(buf, s.ptr + from, s.len - from);
    BENCH_LIT(buf, "\"");
}

void bench_buf_base64(struct bench_buf *buf, const void *ptr, size_t n)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = ptr;
    char *out = bench_buf_room(buf, (n + 2) / 3 * 4);
    for (size_t i = 0; i < n; i += 3) {
        uint32_t bits = (uint32_t)in[i] << 16;
        bits |= i + 1 < n ? (uint32_t)in[i + 1] << 8 : 0;
        bits |= i + 2 < n ? in[i + 2] : 0;
        out[0] = alphabet[bits >> 18];
        out[1] = alphabet[(bits >> 12) & 63];
        out[2] = i + 1 < n ? alphabet[(bits >> 6) & 63] : '=';
        out[3] = i + 2 < n ? alphabet[bits & 63] : '=';
        out += 4;
    }
    bench_buf_grow(buf, (n + 2) / 3 * 4);
}

void bench_buf_printf(struct bench_buf *buf, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int need = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (need <= 0) {
        return;
    }
    char *room = bench_buf_room(buf, (size_t)need + 1);
    va_start(args, fmt);
    vsnprintf(room, (size_t)need + 1, fmt, args);
    va_end(args);
    bench_buf_grow(buf, (size_t)need);
}

void bench_buf_drop(struct bench_buf *buf, size_t n)
{
    if (n >= buf->len) {
        buf->head = 0;
        buf->len = 0;
        return;
    }
    buf->head += n;
    buf->len -= n;
}

void bench_buf_clear(struct bench_buf *buf, size_t keep)
{
    buf->head = 0;
    buf->len = 0;
    if (buf->cap > keep) {
        bench_buf_fini(buf);
    }
}

struct bench_str bench_buf_view(const struct bench_buf *buf)
{
    return (struct bench_str){.ptr = buf->len == 0 ? "" : buf->ptr + buf->head, .len = buf->len};
}

void bench_buf_fini(struct bench_buf *buf)
{
    bench_free(buf->ptr);
    *buf = (struct bench_buf){0};
}
