/* SPDX-License-Identifier: MIT */
/*
 * provider/tool_names - the names of a request's tools as a vendor takes them, and the way back.
 *
 * Source:   shared/providers: bedrock.md section 2 ([a-zA-Z0-9_-], 64 bytes), cohere.md section 2
 *           ([A-Za-z0-9_], no digit first).
 * Shape:    read once from the neutral request: its tools first, then the calls of its history. A
 *           name that fits stays as it is; in others each byte that does not fit becomes '_', and
 *           where that gives a name that is taken, a checksum is added. The same tools give the
 *           same names, however long the conversation grows.
 * Units:    bytes
 * Limits:   GW_TOOL_NAMES_MAX names: vendors stop at 128 to 1,024, and each is compared with each.
 * Memory:   the arena's; names that fit are views into the request's document, so a decoder that
 *           outlives it needs gw_tool_names_keep().
 * Threads:  not shared while it is read; then any
 * Errors:   GW_ERR_NOMEM, GW_ERR_INVALID (through notes)
 */
#ifndef GW_PROVIDER_TOOL_NAMES_H
#define GW_PROVIDER_TOOL_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <yyjson.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "llm/notes.h"

#define GW_TOOL_NAMES_MAX 1024

struct gw_tool_rule {
    bool takes_dash;
    bool takes_digit_first;
    size_t max_bytes;
};

struct gw_tool_name {
    struct gw_str client;
    struct gw_str sent;
    bool is_custom; /* its input is free text; it is sent as a function of one string, "input" */
};

struct gw_tool_names {
    struct gw_tool_name *entries;
    size_t count;
    size_t capacity;
};

/*
 * Reads the names of |chat|. Names that changed are noted as mapped.
 *
 * Errors: GW_ERR_NOMEM, GW_ERR_INVALID (too many; through |notes|).
 */
GW_MUST_USE enum gw_err gw_tool_names_read(struct gw_tool_names *names, yyjson_val *chat,
                                           const struct gw_tool_rule *rule, struct gw_notes *notes);

/* Copies all names to the arena, so that they outlive the document. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_tool_names_keep(struct gw_tool_names *names, struct gw_arena *arena);

/* The name as it is sent; |client| itself when it was not in the request. */
struct gw_str gw_tool_names_sent(const struct gw_tool_names *names, struct gw_str client);

/* The entry whose name is sent as |sent|, or NULL. |names| may be NULL. */
const struct gw_tool_name *gw_tool_names_of(const struct gw_tool_names *names, struct gw_str sent);

/* The object that describes a tool or a call of one: its "function", or its "custom" (then
 * *is_custom becomes true); NULL for any other type. */
yyjson_val *gw_tool_function(yyjson_val *tool, bool *is_custom);

#endif
