/* SPDX-License-Identifier: MIT */
/* json/scan_token - strings, numbers and literals: where they end and what may be wrong inside. */
#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"
#include "base/plain_run.h"
#include "json/scan_int.h"

#define EVERY_BYTE(value) (0x0101010101010101u * (value))

static const struct gw_json_reason in_string = {"", "the text ends inside a string"};
static const struct gw_json_reason control_character = {
    "control character in a string, it must be escaped (\\n, \\t, \\u0000)",
    "the text ends inside a string"};
static const struct gw_json_reason bad_escape = {
    "unknown escape, known are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX",
    "the text ends inside an escape"};
static const struct gw_json_reason bad_hex = {"expected a hexadecimal digit of a \\u escape",
                                              "the text ends inside an escape"};
static const struct gw_json_reason not_utf8 = {"not UTF-8", "the text ends inside a character"};
static const struct gw_json_reason digit_wanted = {"expected a digit",
                                                   "the text ends where a digit is expected"};
static const struct gw_json_reason leading_zero = {"a number must not begin with 0", ""};

const unsigned char *gw_json_fail(struct gw_json_scanner *scanner, const unsigned char *wrong,
                                  const struct gw_json_reason *reason)
{
    scanner->wrong = wrong;
    scanner->reason = reason;
    scanner->err = GW_ERR_INVALID;
    return NULL;
}

int gw_json_hex_digit(unsigned char byte)
{
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    unsigned char lower = byte | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static inline uint64_t load_word(const unsigned char *at)
{
    uint64_t word = 0;
    memcpy(&word, at, sizeof(word));
    return le64toh(word);
}

const unsigned char *gw_json_skip_blank_run(const struct gw_json_scanner *scanner,
                                            const unsigned char *at)
{
    const unsigned char *end = scanner->end;
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) {
        at++;
        /* Indentation. */
        while (end - at >= 8 && load_word(at) == EVERY_BYTE(' ')) {
            at += 8;
        }
    }
    return at;
}

static inline bool is_continuation(unsigned char byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Skips one character of two to four bytes. Fails at the byte that cannot follow. */
static const unsigned char *skip_utf8(struct gw_json_scanner *scanner, const unsigned char *at)
{
    unsigned char first = at[0];
    if (first < 0xc2 || first > 0xf4) {
        return gw_json_fail(scanner, at, &not_utf8);
    }
    /* The second byte's range keeps out overlong forms, surrogates and what is beyond U+10FFFF. */
    unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    const unsigned char *behind = at + (first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4);
    at++;
    if (at == scanner->end || *at < low || *at > high) {
        return gw_json_fail(scanner, at, &not_utf8);
    }
    for (at++; at < behind; at++) {
        if (at == scanner->end || !is_continuation(*at)) {
            return gw_json_fail(scanner, at, &not_utf8);
        }
    }
    return at;
}

/*
 * Skips characters of three bytes that begin with e1 to ec, ee or ef, as most of the world's
 * scripts do: no second byte is wrong there that is a continuation.
 */
static inline const unsigned char *skip_three_byte_run(const unsigned char *at,
                                                       const unsigned char *end)
{
    while (end - at >= 3 && at[0] >= 0xe1 && at[0] <= 0xef && at[0] != 0xed &&
           is_continuation(at[1]) && is_continuation(at[2])) {
        at += 3;
    }
    return at;
}

/* |at| is the backslash. A lone surrogate is let through: the grammar allows it. */
static const unsigned char *skip_escape(struct gw_json_scanner *scanner, const unsigned char *at)
{
    at++;
    if (at == scanner->end) {
        return gw_json_fail(scanner, at, &bad_escape);
    }
    switch (*at) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return at + 1;
    case 'u':
        at++;
        for (int i = 0; i < 4; i++, at++) {
            if (at == scanner->end || gw_json_hex_digit(*at) < 0) {
                return gw_json_fail(scanner, at, &bad_hex);
            }
        }
        return at;
    default:
        return gw_json_fail(scanner, at, &bad_escape);
    }
}

const unsigned char *gw_json_skip_string(struct gw_json_scanner *scanner, const unsigned char *at,
                                         bool *has_escapes)
{
    bool escapes = false;
    while (at != NULL) {
        at = gw_plain_run_skip(at, scanner->end);
        if (at == scanner->end) {
            return gw_json_fail(scanner, at, &in_string);
        }
        if (*at == '"') {
            if (has_escapes != NULL) {
                *has_escapes = escapes;
            }
            return at + 1;
        }
        if (*at == '\\') {
            escapes = true;
            at = skip_escape(scanner, at);
        } else if (*at < 0x20) {
            return gw_json_fail(scanner, at, &control_character);
        } else {
            /* Text in another script: most likely more of it follows. */
            do {
                const unsigned char *run = skip_three_byte_run(at, scanner->end);
                at = run > at ? run : skip_utf8(scanner, at);
            } while (at != NULL && at < scanner->end && *at >= 0x80);
        }
    }
    return NULL;
}

static inline bool is_digit(const struct gw_json_scanner *scanner, const unsigned char *at)
{
    return at < scanner->end && *at >= '0' && *at <= '9';
}

static const unsigned char *skip_digits(struct gw_json_scanner *scanner, const unsigned char *at)
{
    if (!is_digit(scanner, at)) {
        return gw_json_fail(scanner, at, &digit_wanted);
    }
    while (is_digit(scanner, at)) {
        at++;
    }
    return at;
}

const unsigned char *gw_json_skip_number(struct gw_json_scanner *scanner, const unsigned char *at)
{
    if (*at == '-') {
        at++;
    }
    if (at < scanner->end && *at == '0') {
        at++;
        if (is_digit(scanner, at)) {
            return gw_json_fail(scanner, at - 1, &leading_zero);
        }
    } else {
        at = skip_digits(scanner, at);
    }
    if (at != NULL && at < scanner->end && *at == '.') {
        at = skip_digits(scanner, at + 1);
    }
    if (at != NULL && at < scanner->end && (*at | 0x20) == 'e') {
        at++;
        if (at < scanner->end && (*at == '+' || *at == '-')) {
            at++;
        }
        at = skip_digits(scanner, at);
    }
    return at;
}
