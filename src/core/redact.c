/* SPDX-License-Identifier: MIT */
/* core/redact - see the header. */
#include "core/redact.h"

#define HIDDEN "***"
/* As much of a key as a text may quote: shorter pieces are in the beginnings that all keys of a
 * vendor share ("sk-"), and in ordinary words. */
#define SHARED_BYTES 6
/* Keys and ids have some 20 bytes and more; a word of prose that long has no digit. */
#define TOKEN_BYTES 20

/* What keys are made of: base64 in both alphabets, and the marks of vendors. */
static bool is_word_byte(char c)
{
    unsigned char lower = (unsigned char)c | 0x20;
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
           gw_str_find_byte(GW_STR("-_.*+/=:~"), c) < sizeof("-_.*+/=:~") - 1;
}

static bool has_digit(struct gw_str word)
{
    for (size_t i = 0; i < word.len; i++) {
        if (word.ptr[i] >= '0' && word.ptr[i] <= '9') {
            return true;
        }
    }
    return false;
}

/* Does |word| hold SHARED_BYTES of |secret| in a row, or all of a shorter one? */
static bool shares(struct gw_str word, struct gw_str secret)
{
    size_t size = secret.len < SHARED_BYTES ? secret.len : SHARED_BYTES;
    for (size_t i = 0; size > 0 && i + size <= secret.len; i++) {
        if (gw_str_find(word, gw_str(secret.ptr + i, size)) < word.len) {
            return true;
        }
    }
    return false;
}

static bool may_be_key(struct gw_str word, struct gw_str secret)
{
    bool is_address = gw_str_find(word, GW_STR("://")) < word.len;
    return gw_str_find_byte(word, '*') < word.len || shares(word, secret) ||
           (word.len >= TOKEN_BYTES && has_digit(word) && !is_address);
}

struct gw_str gw_redact(struct gw_arena *arena, struct gw_str text, bool is_cut,
                        const struct gw_secret *secret)
{
    struct gw_str key = gw_secret_reveal(secret);
    /* A word of one byte may be hidden too: the result is longer than the text, at most so. */
    char *out = gw_arena_try_alloc(arena, text.len * (sizeof(HIDDEN) - 1) + 1);
    size_t len = 0;
    if (out == NULL) {
        return GW_STR("");
    }
    for (size_t at = 0; at < text.len;) {
        size_t end = at;
        while (end < text.len && is_word_byte(text.ptr[end])) {
            end++;
        }
        struct gw_str word = gw_str(text.ptr + at, end - at);
        if (word.len > 0 && ((is_cut && end == text.len) || may_be_key(word, key))) {
            word = GW_STR(HIDDEN);
        }
        if (word.len > 0) {
            memcpy(out + len, word.ptr, word.len);
            len += word.len;
        }
        if (end < text.len) {
            out[len++] = text.ptr[end++];
        }
        at = end;
    }
    return gw_str(out, len);
}
