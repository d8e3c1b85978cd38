/* SPDX-License-Identifier: MIT */
/*
 * bench/common/mem - allocation, byte slices and growable buffers for mockllm and loadgen.
 *
 * Source:   none; kept apart from src/base on purpose, so that a mistake there cannot hide here.
 * Shape:    bench_str borrows bytes, bench_buf owns them; unread bytes are [head, head + len).
 * Units:    sizes in bytes.
 * Limits:   none here; callers bound what a peer can make them store.
 * Memory:   running out of memory ends the program: these are tools, not a service.
 * Threads:  values belong to one thread; the functions keep no state.
 * Errors:   none.
 */
#ifndef BENCH_COMMON_MEM_H
#define BENCH_COMMON_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_CONTAINER_OF(ptr, type, member)                                                      \
    ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#define BENCH_STR(lit)   ((struct bench_str){.ptr = (lit), .len = sizeof(lit) - 1})
#define BENCH_STR_FMT    "%.*s"
#define BENCH_STR_ARG(s) (int)(s).len, (s).ptr

/* Borrowed bytes, not NUL-terminated. */
struct bench_str {
    const char *ptr;
    size_t len;
};

/* Owned bytes; zero-initialised is empty. */
struct bench_buf {
    char *ptr;   /* start of the allocation */
    size_t head; /* first unread byte */
    size_t len;  /* unread bytes */
    size_t cap;  /* size of the allocation */
};

/* Returns |size| zeroed bytes; ends the program when there are none. Free with bench_free(). */
void *bench_alloc(size_t size);

/* Resizes |ptr| (may be NULL) to |size|; ends the program when it cannot. */
void *bench_realloc(void *ptr, size_t size);

/* Frees |ptr|; NULL-safe. */
void bench_free(void *ptr);

/* Returns a slice over the NUL-terminated |text|, which must outlive it. */
struct bench_str bench_str_from(const char *text);

/* Returns the |len| bytes of |s| from |from|, cut to what |s| has. */
struct bench_str bench_str_cut(struct bench_str s, size_t from, size_t len);

/* Tells whether both slices hold the same bytes. */
bool bench_str_eq(struct bench_str a, struct bench_str b);

/* Tells whether both slices are equal, letters compared without case (ASCII). */
bool bench_str_ieq(struct bench_str a, struct bench_str b);

/* Tells whether |s| begins with |prefix|. */
bool bench_str_starts(struct bench_str s, struct bench_str prefix);

/* Returns the index of |c| in |s|, or |s|.len. */
size_t bench_str_find(struct bench_str s, char c);

/* Reads a whole decimal number into *out; false (and *out untouched) on anything else. */
bool bench_str_u64(struct bench_str s, uint64_t *out);

/* Makes room for |extra| more bytes and returns where they go; commit them with bench_buf_grow().
 */
char *bench_buf_room(struct bench_buf *buf, size_t extra);

/* Adds |n| bytes that were written where bench_buf_room() pointed. */
void bench_buf_grow(struct bench_buf *buf, size_t n);

/* Appends |n| bytes at |ptr|. */
void bench_buf_add(struct bench_buf *buf, const void *ptr, size_t n);

/* Appends a slice. */
void bench_buf_str(struct bench_buf *buf, struct bench_str s);

/* Appends |n| in decimal. */
void bench_buf_u64(struct bench_buf *buf, uint64_t n);

/* Appends |n| in lower-case hexadecimal, at least |width| digits. */
void bench_buf_hex(struct bench_buf *buf, uint64_t n, unsigned width);

/* Appends |s| as a JSON string with its quotes. |s| must be UTF-8. */
void bench_buf_json(struct bench_buf *buf, struct bench_str s);

/* Appends base64 of |n| bytes at |ptr|. */
void bench_buf_base64(struct bench_buf *buf, const void *ptr, size_t n);

/* Appends formatted text; for cold paths. */
void bench_buf_printf(struct bench_buf *buf, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Drops the first |n| unread bytes (at most len). */
void bench_buf_drop(struct bench_buf *buf, size_t n);

/* Forgets the content, keeps the allocation; frees it when it is above |keep| bytes. */
void bench_buf_clear(struct bench_buf *buf, size_t keep);

/* Returns the unread bytes, valid until the buffer changes. */
struct bench_str bench_buf_view(const struct bench_buf *buf);

/* Frees the allocation; the buffer is empty and usable afterwards. */
void bench_buf_fini(struct bench_buf *buf);

#define BENCH_LIT(buf, lit) bench_buf_add((buf), (lit), sizeof(lit) - 1)

#endif
