/* SPDX-License-Identifier: MIT */
/*
 * json/schema_uri - URI references resolved against a base, for $id and $ref. Only json/ includes
 * this.
 *
 * Source:   RFC 3986 sections 5.2 and 5.3, appendix B.
 * Shape:    text in, text out.
 * Units:    bytes
 * Limits:   none of its own; a reference is as long as the schema that holds it.
 * Memory:   results live in the arena given.
 * Threads:  any
 * Errors:   an empty view with a NULL pointer when the arena is full.
 */
#ifndef GW_JSON_SCHEMA_URI_H
#define GW_JSON_SCHEMA_URI_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/str.h"

/* Parts of a reference. What is absent has a NULL pointer; the path is never absent. */
struct gw_schema_uri {
    struct gw_str scheme;
    struct gw_str authority;
    struct gw_str path;
    struct gw_str query;
    struct gw_str fragment;
};

/* Cuts a reference into its parts; every text has some. */
struct gw_schema_uri gw_schema_uri_split(struct gw_str reference);

/* |reference| seen from |base|, without its fragment. ptr is NULL when the arena is full. */
struct gw_str gw_schema_uri_resolve(struct gw_arena *arena, struct gw_str base,
                                    struct gw_str reference);

/* Decodes %XX. ptr is NULL when the arena is full; what is no escape stays as it is. */
struct gw_str gw_schema_uri_unescape(struct gw_arena *arena, struct gw_str text);

#endif
