/* SPDX-License-Identifier: MIT */
/*
 * json/keys - finds members by name, at any depth, in a text that is only looked at in passing.
 *
 * Source:   RFC 8259, read leniently: nothing is validated.
 * Shape:    in: one complete text. out: each member whose value is a string (its whole span) or
 *           something else (from its first byte on).
 * Units:    bytes
 * Limits:   none: one pass, no nesting is tracked
 * Memory:   allocates nothing
 * Threads:  any
 * Errors:   none: what is no JSON reports fewer members, or none
 *
 * For answers that are forwarded anyway: validating them with json/scan took 5,800 of the 9,500
 * instructions that a streamed chunk of 313 bytes cost outside the kernel; this takes about 1,000
 * (callgrind, 4,000 chunks). Decisions about requests are never made on it.
 */
#ifndef GW_JSON_KEYS_H
#define GW_JSON_KEYS_H

#include "base/str.h"

/*
 * |key| is the name without its quotes, escapes as written. |value| is a string with its quotes,
 * or, where another value stands, all of the text from its first byte on. Both are views into the
 * text.
 */
typedef void gw_json_on_key_fn(void *user, struct gw_str key, struct gw_str value);

/* Reports the members of |text| in order. */
void gw_json_keys(struct gw_str text, gw_json_on_key_fn *on_key, void *user);

#endif
