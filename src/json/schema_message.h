/* SPDX-License-Identifier: MIT */
/*
 * json/schema_message - turns a failure into words for the person who wrote the value. Only json/
 * includes this.
 *
 * Source:   none
 * Shape:    "expected a number between 1 and 65535, found "abc"".
 * Units:    none
 * Limits:   GW_SCHEMA_MESSAGE_BYTES per text.
 * Memory:   texts live in the arena of the check.
 * Threads:  not shared
 * Errors:   a text that does not fit the arena becomes a short static one.
 */
#ifndef GW_JSON_SCHEMA_MESSAGE_H
#define GW_JSON_SCHEMA_MESSAGE_H

#include "base/buf.h"
#include "base/compiler.h"
#include "json/schema_check.h"

#define GW_SCHEMA_MESSAGE_BYTES 8192 /* some hundred names of members */

/* Puts an error into the report, if there is one, whatever the mode of the check is. */
void gw_schema_add_error(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                         const char *keyword, struct gw_str message, struct gw_str expected);

/* Tells that |keyword| failed at the value of |frame|, with a text. Returns false, for the caller
 * to pass on. */
GW_PRINTF(4, 5)
bool gw_schema_tell(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                    const char *keyword, const char *format, ...);

/* Tells that something else was expected: "expected X, found Y"; X is what the schema of |frame|
 * describes. */
bool gw_schema_tell_expected(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                             const char *keyword);

/* The same, X being the description of the branches of anyOf or oneOf. */
bool gw_schema_tell_branches(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                             const char *keyword, const struct gw_schema_nodes *branches);

/* Tells that the name of the member at |place| is not allowed. */
bool gw_schema_tell_name(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                         const struct gw_schema_place *place, yyjson_val *key);

/* Tells that the member at |place| is not known; the error carries the known names. */
bool gw_schema_tell_unknown(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                            const char *keyword, const struct gw_schema_place *place,
                            yyjson_val *value);

#endif
