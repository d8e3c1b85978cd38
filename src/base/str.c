/* SPDX-License-Identifier: MIT */
/* base/str - comparisons, searches and the number parsers. */
#include "base/str.h"

#include "base/rng.h"

static unsigned char lower(char c)
{
    unsigned char u = (unsigned char)c;
    return u >= 'A' && u <= 'Z' ? (unsigned char)(u | 0x20) : u;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool gw_str_eq_nocase(struct gw_str a, struct gw_str b)
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

bool gw_str_has_suffix(struct gw_str text, struct gw_str suffix)
{
    return text.len >= suffix.len && gw_str_eq(gw_str_skip(text, text.len - suffix.len), suffix);
}

size_t gw_str_find(struct gw_str text, struct gw_str needle)
{
    if (needle.len == 0) {
        return 0;
    }
    const char *hit = text.len > 0 ? memmem(text.ptr, text.len, needle.ptr, needle.len) : NULL;
    return hit == NULL ? text.len : (size_t)(hit - text.ptr);
}

struct gw_str gw_str_trim(struct gw_str text)
{
    while (text.len > 0 && is_blank(text.ptr[0])) {
        text = gw_str_skip(text, 1);
    }
    while (text.len > 0 && is_blank(text.ptr[text.len - 1])) {
        text.len--;
    }
    return text;
}

bool gw_str_split(struct gw_str *rest, char separator, struct gw_str *part)
{
    if (rest->ptr == NULL) {
        return false;
    }
    size_t at = gw_str_find_byte(*rest, separator);
    *part = gw_str(rest->ptr, at);
    *rest = at < rest->len ? gw_str_skip(*rest, at + 1) : gw_str(NULL, 0);
    return true;
}

/* Reads digits from the front of *text. */
static enum gw_err take_digits(struct gw_str *text, uint64_t *value)
{
    uint64_t sum = 0;
    size_t count = 0;
    for (; count < text->len && is_digit(text->ptr[count]); count++) {
        uint64_t digit = (uint64_t)(text->ptr[count] - '0');
        if (__builtin_mul_overflow(sum, 10, &sum) || __builtin_add_overflow(sum, digit, &sum)) {
            return GW_ERR_OVERFLOW;
        }
    }
    *text = gw_str_skip(*text, count);
    *value = sum;
    return count > 0 ? GW_OK : GW_ERR_INVALID;
}

enum gw_err gw_parse_u64(struct gw_str text, uint64_t *value)
{
    uint64_t result = 0;
    enum gw_err err = take_digits(&text, &result);
    if (err != GW_OK) {
        return err;
    }
    if (text.len > 0) {
        return GW_ERR_INVALID;
    }
    *value = result;
    return GW_OK;
}

struct unit {
    struct gw_str name;
    uint64_t factor;
};

/* The unit at the front of *text; an empty text counts as |fallback|. 0 when there is no such unit.
 */
static uint64_t take_unit(struct gw_str *text, const struct unit *units, size_t count,
                          uint64_t fallback)
{
    if (text->len == 0) {
        return fallback;
    }
    for (size_t i = 0; i < count; i++) {
        struct gw_str name = units[i].name;
        if (text->len >= name.len && gw_str_eq_nocase(gw_str(text->ptr, name.len), name)) {
            *text = gw_str_skip(*text, name.len);
            return units[i].factor;
        }
    }
    return 0;
}

/* Reads ".5" as thousandths, rounding down; *text begins behind the point. */
static enum gw_err take_thousandths(struct gw_str *text, uint64_t *thousandths)
{
    uint64_t value = 0;
    uint64_t weight = 100;
    if (text->len == 0 || !is_digit(text->ptr[0])) {
        return GW_ERR_INVALID;
    }
    while (text->len > 0 && is_digit(text->ptr[0])) {
        value += weight * (uint64_t)(text->ptr[0] - '0');
        weight /= 10;
        *text = gw_str_skip(*text, 1);
    }
    *thousandths = value;
    return GW_OK;
}

static enum gw_err take_duration_part(struct gw_str *text, uint64_t *ms)
{
    /* "ms" stands before "m" so that the longer name wins. */
    static const struct unit units[] = {
        {GW_STR_INIT("ms"), 1},      {GW_STR_INIT("s"), 1000},     {GW_STR_INIT("m"), 60000},
        {GW_STR_INIT("h"), 3600000}, {GW_STR_INIT("d"), 86400000},
    };
    uint64_t whole = 0;
    uint64_t thousandths = 0;
    enum gw_err err = take_digits(text, &whole);
    if (err == GW_OK && text->len > 0 && text->ptr[0] == '.') {
        *text = gw_str_skip(*text, 1);
        err = take_thousandths(text, &thousandths);
    }
    if (err != GW_OK) {
        return err;
    }
    uint64_t factor = take_unit(text, units, GW_ARRAY_LEN(units), 1000);
    if (factor == 0) {
        return GW_ERR_INVALID;
    }
    if (__builtin_mul_overflow(whole, factor, &whole) ||
        __builtin_add_overflow(whole, thousandths * factor / 1000, &whole)) {
        return GW_ERR_OVERFLOW;
    }
    *ms = whole;
    return GW_OK;
}

enum gw_err gw_parse_duration_ms(struct gw_str text, uint64_t *ms)
{
    uint64_t total = 0;
    do {
        uint64_t part = 0;
        enum gw_err err = take_duration_part(&text, &part);
        if (err != GW_OK) {
            return err;
        }
        if (__builtin_add_overflow(total, part, &total)) {
            return GW_ERR_OVERFLOW;
        }
    } while (text.len > 0);
    *ms = total;
    return GW_OK;
}

enum gw_err gw_parse_size(struct gw_str text, uint64_t *bytes)
{
    static const struct unit units[] = {
        {GW_STR_INIT("kib"), 1024},       {GW_STR_INIT("kb"), 1024},
        {GW_STR_INIT("k"), 1024},         {GW_STR_INIT("mib"), 1048576},
        {GW_STR_INIT("mb"), 1048576},     {GW_STR_INIT("m"), 1048576},
        {GW_STR_INIT("gib"), 1073741824}, {GW_STR_INIT("gb"), 1073741824},
        {GW_STR_INIT("g"), 1073741824},   {GW_STR_INIT("b"), 1},
    };
    uint64_t value = 0;
    enum gw_err err = take_digits(&text, &value);
    if (err != GW_OK) {
        return err;
    }
    uint64_t factor = take_unit(&text, units, GW_ARRAY_LEN(units), 1);
    if (factor == 0 || text.len > 0) {
        return GW_ERR_INVALID;
    }
    if (__builtin_mul_overflow(value, factor, &value)) {
        return GW_ERR_OVERFLOW;
    }
    *bytes = value;
    return GW_OK;
}

/*
 * SipHash-1-3. FNV over a random start would be shorter, but strings of one length that collide
 * under one start collide under every 256th, so a peer could flood a table without knowing ours.
 */
struct sip {
    uint64_t v[4];
};

static uint64_t rotate_left(uint64_t value, unsigned bits)
{
    return (value << bits) | (value >> (64 - bits));
}

static void sip_round(struct sip *sip)
{
    uint64_t *v = sip->v;
    v[0] += v[1];
    v[1] = rotate_left(v[1], 13) ^ v[0];
    v[0] = rotate_left(v[0], 32);
    v[2] += v[3];
    v[3] = rotate_left(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotate_left(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotate_left(v[1], 17) ^ v[2];
    v[2] = rotate_left(v[2], 32);
}

static void sip_word(struct sip *sip, uint64_t word)
{
    sip->v[3] ^= word;
    sip_round(sip);
    sip->v[0] ^= word;
}

uint64_t gw_str_hash(struct gw_str text)
{
    /* One random word is the key's first half, a mix of it the second: 64 bits are enough against
     * somebody who never sees a hash. */
    uint64_t k0 = gw_rng_process_seed();
    uint64_t k1 = rotate_left(k0, 29) * 0x9e3779b97f4a7c15u;
    struct sip sip = {{k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u,
                       k1 ^ 0x7465646279746573u}};
    size_t at = 0;
    for (; text.len - at >= 8; at += 8) {
        uint64_t word = 0;
        memcpy(&word, text.ptr + at, 8);
        sip_word(&sip, word);
    }
    uint64_t last = (uint64_t)text.len << 56;
    for (unsigned shift = 0; at < text.len; at++, shift += 8) {
        last |= (uint64_t)(unsigned char)text.ptr[at] << shift;
    }
    sip_word(&sip, last);
    sip.v[2] ^= 0xff;
    sip_round(&sip);
    sip_round(&sip);
    sip_round(&sip);
    return sip.v[0] ^ sip.v[1] ^ sip.v[2] ^ sip.v[3];
}

#define DISTANCE_MAX_LEN 64 /* longer names are no typing mistakes of each other worth telling */

unsigned gw_str_distance(struct gw_str a, struct gw_str b, unsigned limit)
{
    unsigned rows[3][DISTANCE_MAX_LEN + 1];
    if (a.len > DISTANCE_MAX_LEN || b.len > DISTANCE_MAX_LEN) {
        return limit + 1;
    }
    for (size_t j = 0; j <= b.len; j++) {
        rows[0][j] = (unsigned)j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *above = rows[(i - 1) % 3];
        const unsigned *above2 = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.len; j++) {
            unsigned best = above[j - 1] + (a.ptr[i - 1] == b.ptr[j - 1] ? 0 : 1);
            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1] &&
                above2[j - 2] + 1 < best) {
                best = above2[j - 2] + 1;
            }
            row[j] = best;
        }
    }
    unsigned distance = rows[a.len % 3][b.len];
    return distance <= limit ? distance : limit + 1;
}
