/* SPDX-License-Identifier: MIT */
/*
 * base/plain_run - how far a text goes on without anything that JSON strings treat specially.
 *
 * Source:   RFC 8259 section 7
 * Shape:    printable ASCII but the quote and the backslash is plain; 16 bytes a step where SSE2
 *           is, else 8.
 * Units:    bytes
 * Limits:   none
 * Memory:   none
 * Threads:  any
 * Errors:   none
 */
#ifndef GW_BASE_PLAIN_RUN_H
#define GW_BASE_PLAIN_RUN_H

#ifdef __SSE2__
#    include <emmintrin.h>
#endif
#include <endian.h>
#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
/*
 * Bit n is set when byte n of the 16 at |at| ends a run. As signed bytes, control characters and
 * the bytes of longer characters are both below the space.
 */
static inline unsigned gw_plain_run_ends_16(const unsigned char *at)
{
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i special = _mm_cmplt_epi8(bytes, _mm_set1_epi8(' '));
    special = _mm_or_si128(special, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')));
    special = _mm_or_si128(special, _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
    return (unsigned)_mm_movemask_epi8(special);
}
#endif

/*
 * The high bit of each byte of |word| that ends a run. A borrow of the subtractions may set bits
 * above such a byte, so only the lowest one set is exact.
 */
static inline uint64_t gw_plain_run_ends_8(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u;
    uint64_t quote = (word ^ ones * '"') - ones;
    uint64_t backslash = (word ^ ones * '\\') - ones;
    uint64_t control = word - ones * 0x20;
    return (quote | backslash | control | word) & ones * 0x80;
}

/* The first byte from |at| on that is not plain, or |end|. */
static inline const unsigned char *gw_plain_run_skip(const unsigned char *at,
                                                     const unsigned char *end)
{
#ifdef __SSE2__
    while (end - at >= 16) {
        unsigned ends = gw_plain_run_ends_16(at);
        if (ends != 0) {
            return at + __builtin_ctz(ends);
        }
        at += 16;
    }
#endif
    while (end - at >= 8) {
        uint64_t word = 0;
        memcpy(&word, at, sizeof(word));
        uint64_t ends = gw_plain_run_ends_8(le64toh(word));
        if (ends != 0) {
            return at + (__builtin_ctzll(ends) >> 3);
        }
        at += 8;
    }
    while (at < end && *at >= 0x20 && *at < 0x80 && *at != '"' && *at != '\\') {
        at++;
    }
    return at;
}

#endif
