/* SPDX-License-Identifier: MIT */
/*
 * json/scan_value - skips one value with everything inside it. No recursion: whether an open level
 * is an object or an array is one bit, so that nesting costs a peer 32 bytes of our stack whatever
 * he sends.
 */
#include <stdint.h>
#include <string.h>

#include "base/compiler.h"
#include "json/scan.h"
#include "json/scan_int.h"

static const struct gw_json_reason value_wanted = {"expected a value",
                                                   "the text ends where a value is expected"};
static const struct gw_json_reason value_trailing_comma = {
    "expected a value, a comma must not stand before ']' or '}'", ""};
static const struct gw_json_reason value_single_quote = {
    "expected a value, strings need double quotes", ""};
static const struct gw_json_reason value_nan = {"expected a value, JSON has no NaN and no Infinity",
                                                ""};
static const struct gw_json_reason value_comment = {"expected a value, JSON has no comments", ""};
static const struct gw_json_reason value_python = {
    "expected a value, JSON writes true, false and null", ""};
static const struct gw_json_reason literal_wrong = {"expected true, false or null",
                                                    "the text ends inside true, false or null"};
static const struct gw_json_reason key_wanted = {"expected a member name in double quotes",
                                                 "the text ends where a member name is expected"};
static const struct gw_json_reason key_trailing_comma = {
    "expected a member name, a comma must not stand before '}'", ""};
static const struct gw_json_reason colon_wanted = {"expected ':'",
                                                   "the text ends where ':' is expected"};
static const struct gw_json_reason comma_or_brace = {
    "expected ',' or '}'", "the text ends inside an object, ',' or '}' is expected"};
static const struct gw_json_reason comma_or_bracket = {
    "expected ',' or ']'", "the text ends inside an array, ',' or ']' is expected"};
static const struct gw_json_reason too_deep = {"nested too deeply", ""};

/* The levels open around the value in work; bit n set when level n is an object. */
struct levels {
    uint64_t is_object[GW_JSON_MAX_DEPTH / 64];
    unsigned depth;
};

static inline void push(struct levels *levels, bool is_object)
{
    uint64_t bit = (uint64_t)1 << (levels->depth % 64);
    uint64_t *word = &levels->is_object[levels->depth / 64];
    *word = is_object ? *word | bit : *word & ~bit;
    levels->depth++;
}

static inline bool in_object(const struct levels *levels)
{
    unsigned level = levels->depth - 1;
    return (levels->is_object[level / 64] >> (level % 64) & 1) != 0;
}

/* Does a comma stand before |at|, blanks aside? */
GW_COLD static bool is_behind_comma(const struct gw_json_scanner *scanner, const unsigned char *at)
{
    while (at > scanner->begin && memchr(" \n\r\t", at[-1], 4) != NULL) {
        at--;
    }
    return at > scanner->begin && at[-1] == ',';
}

/* Why no value begins at |at|, in words that help. */
GW_COLD static const struct gw_json_reason *why_no_value(const struct gw_json_scanner *scanner,
                                                         const unsigned char *at)
{
    if (at == scanner->end) {
        return &value_wanted;
    }
    switch (*at) {
    case ']':
    case '}':
        return is_behind_comma(scanner, at) ? &value_trailing_comma : &value_wanted;
    case '\'':
        return &value_single_quote;
    case 'N':
        if (scanner->end - at >= 4 && memcmp(at, "None", 4) == 0) {
            return &value_python;
        }
        return &value_nan;
    case 'I':
        return &value_nan;
    case 'T':
    case 'F':
        return &value_python;
    case '/':
    case '#':
        return &value_comment;
    default:
        return &value_wanted;
    }
}

static const unsigned char *skip_literal(struct gw_json_scanner *scanner, const unsigned char *at)
{
    const char *literal = *at == 't' ? "true" : *at == 'f' ? "false" : "null";
    for (; *literal != '\0'; literal++, at++) {
        if (at == scanner->end || *at != (unsigned char)*literal) {
            return gw_json_fail(scanner, at, &literal_wrong);
        }
    }
    return at;
}

/* Skips a value that is neither object nor array. */
static inline const unsigned char *skip_scalar(struct gw_json_scanner *scanner,
                                               const unsigned char *at)
{
    if (at < scanner->end) {
        switch (*at) {
        case '"':
            return gw_json_skip_string(scanner, at + 1, NULL);
        case 't':
        case 'f':
        case 'n':
            return skip_literal(scanner, at);
        default:
            if (*at == '-' || (*at >= '0' && *at <= '9')) {
                return gw_json_skip_number(scanner, at);
            }
        }
    }
    return gw_json_fail(scanner, at, why_no_value(scanner, at));
}

const unsigned char *gw_json_skip_key(struct gw_json_scanner *scanner, const unsigned char *at,
                                      struct gw_str *key, bool *has_escapes)
{
    if (at == scanner->end || *at != '"') {
        bool trailing = at < scanner->end && *at == '}' && is_behind_comma(scanner, at);
        return gw_json_fail(scanner, at, trailing ? &key_trailing_comma : &key_wanted);
    }
    const unsigned char *name = at + 1;
    at = gw_json_skip_string(scanner, name, has_escapes);
    if (at == NULL) {
        return NULL;
    }
    if (key != NULL) {
        *key = gw_str((const char *)name, (size_t)(at - name) - 1);
    }
    at = gw_json_skip_blanks(scanner, at);
    if (at == scanner->end || *at != ':') {
        return gw_json_fail(scanner, at, &colon_wanted);
    }
    return gw_json_skip_blanks(scanner, at + 1);
}

const unsigned char *gw_json_skip_separator(struct gw_json_scanner *scanner,
                                            const unsigned char *at, bool is_object, bool *closed)
{
    at = gw_json_skip_blanks(scanner, at);
    if (at < scanner->end) {
        if (*at == ',') {
            *closed = false;
            return gw_json_skip_blanks(scanner, at + 1);
        }
        if (*at == (is_object ? '}' : ']')) {
            *closed = true;
            return at + 1;
        }
    }
    return gw_json_fail(scanner, at, is_object ? &comma_or_brace : &comma_or_bracket);
}

const unsigned char *gw_json_enter(struct gw_json_scanner *scanner, const unsigned char *at,
                                   unsigned depth, bool *closed)
{
    if (depth >= GW_JSON_MAX_DEPTH) {
        (void)gw_json_fail(scanner, at, &too_deep);
        scanner->err = GW_ERR_TOO_DEEP;
        return NULL;
    }
    unsigned char closing = *at == '{' ? '}' : ']';
    at = gw_json_skip_blanks(scanner, at + 1);
    *closed = at < scanner->end && *at == closing;
    return *closed ? at + 1 : at;
}

/* Behind a value inside |levels|: goes to where the next value begins, or to the end of the
 * outermost one (depth is the floor). */
static const unsigned char *to_next_value(struct gw_json_scanner *scanner, const unsigned char *at,
                                          struct levels *levels, unsigned floor)
{
    while (levels->depth > floor) {
        bool is_object = in_object(levels);
        bool closed = false;
        at = gw_json_skip_separator(scanner, at, is_object, &closed);
        if (at == NULL) {
            return NULL;
        }
        if (!closed) {
            return is_object ? gw_json_skip_key(scanner, at, NULL, NULL) : at;
        }
        levels->depth--;
    }
    return at;
}

const unsigned char *gw_json_skip_value(struct gw_json_scanner *scanner, const unsigned char *at,
                                        unsigned depth)
{
    struct levels levels;
    levels.depth = depth;
    do {
        if (at < scanner->end && (*at == '{' || *at == '[')) {
            bool is_object = *at == '{';
            bool closed = false;
            at = gw_json_enter(scanner, at, levels.depth, &closed);
            if (at == NULL) {
                return NULL;
            }
            if (!closed) {
                push(&levels, is_object);
                at = is_object ? gw_json_skip_key(scanner, at, NULL, NULL) : at;
                continue;
            }
        } else {
            at = skip_scalar(scanner, at);
        }
        if (at != NULL) {
            at = to_next_value(scanner, at, &levels, depth);
        }
    } while (at != NULL && levels.depth > depth);
    return at;
}
