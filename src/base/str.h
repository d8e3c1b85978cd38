/* SPDX-License-Identifier: MIT */
/*
 * base/str - a borrowed run of bytes, and the parsers of numbers, durations and sizes that exist
 * once.
 *
 * Source:   Aumasson and Bernstein, "SipHash: a fast short-input PRF" (gw_str_hash); else none.
 * Shape:    struct gw_str is passed by value, is never owned and never NUL-terminated.
 * Units:    lengths in bytes; durations in milliseconds; sizes in bytes (k, m, g are 1024-based).
 * Limits:   numbers are refused on overflow, never wrapped.
 * Memory:   allocates nothing.
 * Threads:  any
 * Errors:   GW_ERR_INVALID (not of that form), GW_ERR_OVERFLOW (of that form, but too large).
 */
#ifndef GW_BASE_STR_H
#define GW_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"
#include "base/err.h"

struct gw_str {
    const char *ptr;
    size_t len;
};

/* A literal as a gw_str. */
#define GW_STR(literal) ((struct gw_str){.ptr = (literal), .len = sizeof(literal) - 1})
/* The same for static initialisers, where a compound literal is not constant. */
#define GW_STR_INIT(literal)                                                                       \
    {                                                                                              \
        .ptr = (literal), .len = sizeof(literal) - 1                                               \
    }
#define GW_STR_FMT      "%.*s"
#define GW_STR_ARG(str) (int)(str).len, (str).ptr

/* A view of |len| bytes at |ptr|. */
static inline struct gw_str gw_str(const char *ptr, size_t len)
{
    return (struct gw_str){.ptr = ptr, .len = len};
}

/* A view of a C string; NULL gives the empty view. */
static inline struct gw_str gw_str_from_c(const char *text)
{
    return (struct gw_str){.ptr = text, .len = text == NULL ? 0 : strlen(text)};
}

/* Same bytes? */
static inline bool gw_str_eq(struct gw_str a, struct gw_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Same bytes, A-Z and a-z alike? */
bool gw_str_eq_nocase(struct gw_str a, struct gw_str b);

/* Does |text| begin with |prefix|? */
static inline bool gw_str_has_prefix(struct gw_str text, struct gw_str prefix)
{
    return text.len >= prefix.len &&
           (prefix.len == 0 || memcmp(text.ptr, prefix.ptr, prefix.len) == 0);
}

/* Does |text| begin with |prefix|, ASCII letters in any case? */
static inline bool gw_str_has_prefix_nocase(struct gw_str text, struct gw_str prefix)
{
    return text.len >= prefix.len && gw_str_eq_nocase(gw_str(text.ptr, prefix.len), prefix);
}

/* Does |text| end with |suffix|? */
bool gw_str_has_suffix(struct gw_str text, struct gw_str suffix);

/* |text| without its first |count| bytes; the empty view when it has no more. */
static inline struct gw_str gw_str_skip(struct gw_str text, size_t count)
{
    size_t n = count < text.len ? count : text.len;
    /* NULL + 0 is undefined in C, and the empty view is NULL. */
    return n == 0 ? text : gw_str(text.ptr + n, text.len - n);
}

/* Position of the first |byte|, or text.len when there is none. */
static inline size_t gw_str_find_byte(struct gw_str text, char byte)
{
    const char *hit = text.len > 0 ? memchr(text.ptr, byte, text.len) : NULL;
    return hit == NULL ? text.len : (size_t)(hit - text.ptr);
}

/* Position of the first |needle|, or text.len when there is none. */
size_t gw_str_find(struct gw_str text, struct gw_str needle);

/* |text| without spaces, tabs, CR and LF at both ends. */
struct gw_str gw_str_trim(struct gw_str text);

/*
 * Cuts the part before the first |separator| off *rest into *part and moves *rest behind it;
 * without a separator *part is all that is left. Returns false when *rest is used up (its ptr is
 * NULL then).
 */
bool gw_str_split(struct gw_str *rest, char separator, struct gw_str *part);

/*
 * Decimal digits only, the whole of |text|.
 *
 * Errors: GW_ERR_INVALID, GW_ERR_OVERFLOW.
 */
GW_MUST_USE enum gw_err gw_parse_u64(struct gw_str text, uint64_t *value);

/*
 * A duration: a number with an optional fraction and a unit of ms, s, m, h or d ("30s", "1.5m",
 * "250ms"), several in a row as Go writes them ("1m30s"); a number alone is seconds.
 *
 * Errors: GW_ERR_INVALID, GW_ERR_OVERFLOW.
 */
GW_MUST_USE enum gw_err gw_parse_duration_ms(struct gw_str text, uint64_t *ms);

/*
 * A size: digits with an optional unit of k, m, g (also kb, kib, ...; any case), 1024-based; a
 * number alone is bytes.
 *
 * Errors: GW_ERR_INVALID, GW_ERR_OVERFLOW.
 */
GW_MUST_USE enum gw_err gw_parse_size(struct gw_str text, uint64_t *bytes);

/* 64-bit hash of |text|, keyed once per process so that a peer cannot choose collisions. */
uint64_t gw_str_hash(struct gw_str text);

/* Number of edits (insert, delete, replace, swap) between two names, at most |limit| + 1; for "did
 * you mean". */
unsigned gw_str_distance(struct gw_str a, struct gw_str b, unsigned limit);

#endif
