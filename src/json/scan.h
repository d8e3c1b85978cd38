/* SPDX-License-Identifier: MIT */
/*
 * json/scan - validates a JSON text in one pass without building anything, and tells where the
 * members of its top-level object (or of any object inside it, scanned again) stand in the caller's
 * own bytes.
 *
 * Source:   RFC 8259; RFC 3629 for UTF-8.
 * Shape:    in: one complete text. out: the spans of keys and values, in order, pointing into that
 *           text.
 * Units:    bytes, offsets from the start of the text.
 * Limits:   nesting at most GW_JSON_MAX_DEPTH.
 * Memory:   allocates nothing.
 * Threads:  any
 * Errors:   GW_ERR_INVALID (not JSON, or not UTF-8), GW_ERR_TOO_DEEP; struct gw_json_error says
 *           where and what.
 *
 * The fast path needs five members of a body of any size and must forward the body's bytes as they
 * came. A document tree costs 16 bytes a value and loses the offsets; this costs one pass. Where
 * values are needed as a tree we use yyjson.
 */
#ifndef GW_JSON_SCAN_H
#define GW_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

/* Tool schemas nest some 20 deep; Python's own parser gives up near 1,000. A bit per level is all
 * that is kept. */
#define GW_JSON_MAX_DEPTH 256

enum gw_json_type {
    GW_JSON_NULL,
    GW_JSON_BOOL,
    GW_JSON_NUMBER,
    GW_JSON_STRING,
    GW_JSON_ARRAY,
    GW_JSON_OBJECT,
};

/* One member of an object: views into the scanned text. */
struct gw_json_member {
    struct gw_str key; /* without the quotes, escapes as written */
    bool key_has_escapes;
    struct gw_str
        value; /* the whole value as written: a string with its quotes, an object with its braces */
    enum gw_json_type type;
};

struct gw_json_error {
    size_t offset;    /* of the byte that is wrong */
    unsigned line;    /* from 1 */
    unsigned column;  /* from 1, in bytes */
    const char *what; /* static text: "expected ',' or '}'" */
};

/*
 * Called for each member of the top-level object, in order. Returns GW_OK to go on; any other value
 * ends the scan and is what the scan returns.
 */
typedef enum gw_err gw_json_on_member_fn(void *user, const struct gw_json_member *member);

/*
 * Validates the whole of |text| (blanks around it are allowed) and reports the members of the
 * top-level object; a text whose top level is no object is validated and reports none. Members are
 * reported while the scan is under way: what was learnt from them counts only when GW_OK is
 * returned. A name that stands twice is reported twice; readers differ in which one they take, so a
 * caller that decides by a member refuses the second. *type gets the type of the top-level value;
 * |type|, |on_member| and |error| may be NULL. *error is written only when the text is what is
 * wrong, not when |on_member| ended the scan.
 *
 * Lone surrogates in escapes ("\ud800") pass: the grammar allows them, and some clients send them.
 *
 * Errors: GW_ERR_INVALID, GW_ERR_TOO_DEEP, or what on_member returned.
 */
GW_MUST_USE enum gw_err gw_json_scan(struct gw_str text, gw_json_on_member_fn *on_member,
                                     void *user, enum gw_json_type *type,
                                     struct gw_json_error *error);

/* Is |name| the member's name? Escapes are decoded: a name written "mod\u0065l" is "model". */
bool gw_json_key_is(const struct gw_json_member *member, struct gw_str name);

/*
 * Finds one member by path ("usage", or "stream_options.include_usage") in |text|, which must be
 * valid JSON (the value of a member found before is). The first one wins where a name stands twice.
 * Returns false when there is none.
 */
bool gw_json_find(struct gw_str text, struct gw_str path, struct gw_json_member *member);

/*
 * The value at the front of |text|, whatever stands behind it: *value is its span. Returns false
 * when no valid value stands there.
 */
bool gw_json_first_value(struct gw_str text, struct gw_str *value);

/*
 * Calls |on_element| for each element of |array|, which must be a valid JSON array; member->key is
 * empty.
 *
 * Errors: GW_ERR_INVALID (no array, or not valid after all), GW_ERR_TOO_DEEP, or what on_element
 * returned.
 */
GW_MUST_USE enum gw_err gw_json_each(struct gw_str array, gw_json_on_member_fn *on_element,
                                     void *user);

/*
 * Decodes a string value (with its quotes) into |out|, at most |size| bytes, no NUL added. *len
 * gets their number. |out| is undefined on failure. The decoded text is never longer than the
 * value, so value.len bytes are always enough.
 *
 * Errors: GW_ERR_INVALID (no string, or a lone surrogate), GW_ERR_TOO_LARGE.
 */
GW_MUST_USE enum gw_err gw_json_decode_string(struct gw_str value, char *out, size_t size,
                                              size_t *len);

/*
 * Reads a value that is a non-negative whole number in any form ("12", "12.0", "1e3", "-0"),
 * exactly.
 *
 * Errors: GW_ERR_INVALID (no number, negative, has a fraction), GW_ERR_OVERFLOW.
 */
GW_MUST_USE enum gw_err gw_json_decode_u64(struct gw_str value, uint64_t *number);

#endif
