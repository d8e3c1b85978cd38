/* SPDX-License-Identifier: MIT */
/* json/scan_decode - from a scanned value's bytes to text and whole numbers. */
#include <stdint.h>
#include <string.h>

#include "json/scan.h"
#include "json/scan_int.h"

#define NO_CODE_POINT UINT32_MAX

static uint32_t hex4(const unsigned char *at)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) {
        value = value << 4 | (uint32_t)gw_json_hex_digit(at[i]);
    }
    return value;
}

/* Reads \uXXXX, or a pair of them; |*at| is behind the first 'u' of an escape whose form was
 * checked. */
static uint32_t take_code_point(const unsigned char **at, const unsigned char *end)
{
    uint32_t first = hex4(*at);
    *at += 4;
    if (first < 0xd800 || first > 0xdfff) {
        return first;
    }
    if (first > 0xdbff || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u') {
        return NO_CODE_POINT;
    }
    uint32_t second = hex4(*at + 2);
    if (second < 0xdc00 || second > 0xdfff) {
        return NO_CODE_POINT;
    }
    *at += 6;
    return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

static size_t encode_utf8(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

static char plain_escape(unsigned char letter)
{
    switch (letter) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default: /* the quote, the backslash, the slash stand for themselves */
        return (char)letter;
    }
}

/* Decodes the run at the front of |*at|: one escape, or all bytes up to the next. Returns its bytes
 * in |piece|. */
static bool take_piece(const unsigned char **at, const unsigned char *end, char scratch[4],
                       struct gw_str *piece)
{
    if (**at != '\\') {
        const char *from = (const char *)*at;
        size_t len = gw_str_find_byte(gw_str(from, (size_t)(end - *at)), '\\');
        *piece = gw_str(from, len);
        *at += len;
        return true;
    }
    unsigned char letter = (*at)[1];
    *at += 2;
    if (letter != 'u') {
        scratch[0] = plain_escape(letter);
        *piece = gw_str(scratch, 1);
        return true;
    }
    uint32_t code = take_code_point(at, end);
    if (code == NO_CODE_POINT) {
        return false;
    }
    *piece = gw_str(scratch, encode_utf8(code, scratch));
    return true;
}

enum gw_err gw_json_decode_string(struct gw_str value, char *out, size_t size, size_t *len)
{
    struct gw_json_scanner scanner = gw_json_scanner_of(value);
    if (value.len < 2 || *scanner.begin != '"' ||
        gw_json_skip_string(&scanner, scanner.begin + 1, NULL) != scanner.end) {
        return GW_ERR_INVALID;
    }
    const unsigned char *at = scanner.begin + 1;
    const unsigned char *end = scanner.end - 1;
    size_t done = 0;
    while (at < end) {
        char scratch[4];
        struct gw_str piece;
        if (!take_piece(&at, end, scratch, &piece)) {
            return GW_ERR_INVALID;
        }
        if (piece.len > size - done) {
            return GW_ERR_TOO_LARGE;
        }
        memcpy(out + done, piece.ptr, piece.len);
        done += piece.len;
    }
    *len = done;
    return GW_OK;
}

bool gw_json_key_is(const struct gw_json_member *member, struct gw_str name)
{
    if (!member->key_has_escapes) {
        return gw_str_eq(member->key, name);
    }
    const unsigned char *at = (const unsigned char *)member->key.ptr;
    const unsigned char *end = at + member->key.len;
    while (at < end) {
        char scratch[4];
        struct gw_str piece;
        if (!take_piece(&at, end, scratch, &piece) || !gw_str_has_prefix(name, piece)) {
            return false;
        }
        name = gw_str_skip(name, piece.len);
    }
    return name.len == 0;
}

/* A number as digits (leading and trailing zeros left out) times a power of ten. */
struct decimal {
    uint64_t digits;
    bool digits_overflow;
    int64_t exponent;
};

static void add_digit(struct decimal *decimal, unsigned char digit)
{
    if (__builtin_mul_overflow(decimal->digits, 10, &decimal->digits) ||
        __builtin_add_overflow(decimal->digits, (uint64_t)(digit - '0'), &decimal->digits)) {
        decimal->digits_overflow = true;
    }
}

/* Far above what any text's length can make up for, far below what overflows. */
#define EXPONENT_CAP ((int64_t)1 << 60)

static int64_t take_exponent(const unsigned char *at, const unsigned char *end)
{
    int64_t value = 0;
    bool negative = *at == '-';
    if (*at == '-' || *at == '+') {
        at++;
    }
    for (; at < end; at++) {
        value = value < EXPONENT_CAP / 16 ? value * 10 + (*at - '0') : EXPONENT_CAP / 2;
    }
    return negative ? -value : value;
}

/* Takes a number apart; its form was checked, its sign is dropped. Zeros are added only once a
 * digit follows them. */
static struct decimal take_apart(const unsigned char *at, const unsigned char *end)
{
    struct decimal decimal = {0};
    bool in_fraction = false;
    int64_t zeros = 0;
    at += *at == '-' ? 1 : 0;
    for (; at < end && (*at | 0x20) != 'e'; at++) {
        if (*at == '.') {
            in_fraction = true;
            continue;
        }
        decimal.exponent -= in_fraction ? 1 : 0;
        if (*at == '0') {
            zeros++;
            continue;
        }
        for (; zeros > 0 && !decimal.digits_overflow && decimal.digits > 0; zeros--) {
            add_digit(&decimal, '0');
        }
        zeros = 0;
        add_digit(&decimal, *at);
    }
    decimal.exponent += zeros;
    if (at < end) {
        decimal.exponent += take_exponent(at + 1, end);
    }
    return decimal;
}

enum gw_err gw_json_decode_u64(struct gw_str value, uint64_t *number)
{
    struct gw_json_scanner scanner = gw_json_scanner_of(value);
    const unsigned char *at = scanner.begin;
    if (value.len == 0 || (*at != '-' && (*at < '0' || *at > '9')) ||
        gw_json_skip_number(&scanner, at) != scanner.end) {
        return GW_ERR_INVALID;
    }
    struct decimal decimal = take_apart(at, scanner.end);
    if (decimal.digits == 0 && !decimal.digits_overflow) {
        *number = 0;
        return GW_OK;
    }
    if (*at == '-' || decimal.exponent < 0) {
        return GW_ERR_INVALID;
    }
    if (decimal.digits_overflow) {
        return GW_ERR_OVERFLOW;
    }
    uint64_t result = decimal.digits;
    for (int64_t i = 0; i < decimal.exponent; i++) {
        if (__builtin_mul_overflow(result, 10, &result)) {
            return GW_ERR_OVERFLOW;
        }
    }
    *number = result;
    return GW_OK;
}
