/* SPDX-License-Identifier: MIT */
/*
 * json/write - writes JSON text piece by piece, in the order of the calls.
 *
 * Source:   RFC 8259
 * Shape:    the writer appends '{', '}', '[' and ']' itself; these functions set the commas, which
 *           they know from the last byte written: behind '{' and '[' stands none.
 * Units:    none
 * Limits:   those of |out|
 * Memory:   none of its own
 * Threads:  any
 * Errors:   failures stick in |out|.
 */
#ifndef GW_JSON_WRITE_H
#define GW_JSON_WRITE_H

#include "base/buf.h"
#include "base/str.h"

/* Begins the next element of the array that is open: a comma where one is needed. */
void gw_json_write_next(struct gw_buf *out);

/* Begins the member |key| (a plain name that needs no escapes) of the object that is open; its
 * value follows. */
void gw_json_write_key(struct gw_str key, struct gw_buf *out);

/* The member |key| with the string |text|. */
void gw_json_write_member(struct gw_str key, struct gw_str text, struct gw_buf *out);

/* The same; nothing at all when |text| is empty. */
void gw_json_write_optional(struct gw_str key, struct gw_str text, struct gw_buf *out);

/* The member |key| with JSON that is there already. */
void gw_json_write_raw(struct gw_str key, struct gw_str json, struct gw_buf *out);

/* The member |key| with a number. */
void gw_json_write_count(struct gw_str key, uint64_t value, struct gw_buf *out);

#endif
