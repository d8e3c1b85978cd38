/* SPDX-License-Identifier: MIT */
/*
 * json/splice - changes a few places of a JSON text and leaves every other byte as it is.
 *
 * Source:   none
 * Shape:    a list of edits over the original bytes; the result is the list of runs (original,
 *           replacement, original, ...), which an HTTP client can send without copying the
 *           original.
 * Units:    bytes
 * Limits:   at most GW_JSON_MAX_EDITS edits.
 * Memory:   allocates nothing; replacements are borrowed and must live as long as the splice.
 * Threads:  any
 * Errors:   GW_ERR_TOO_LARGE (more edits than that), GW_ERR_INVALID (edits overlap).
 *
 * Vendors' prompt caches match on bytes: key order, spacing, number and escape forms stay as the
 * client sent them.
 */
#ifndef GW_JSON_SPLICE_H
#define GW_JSON_SPLICE_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

#define GW_JSON_MAX_EDITS                                                                          \
    8 /* model, stream_options, and what later policies patch; each costs two runs */
#define GW_JSON_MAX_RUNS (2 * GW_JSON_MAX_EDITS + 1)

struct gw_json_edit {
    size_t offset;             /* in the original */
    size_t removed;            /* bytes taken out there; 0 inserts */
    struct gw_str replacement; /* bytes put in there */
};

struct gw_json_splice {
    struct gw_str original;
    struct gw_json_edit edits[GW_JSON_MAX_EDITS]; /* in order of offset */
    size_t count;
};

/* Begins with no edit: the result is |original| itself. */
void gw_json_splice_init(struct gw_json_splice *splice, struct gw_str original);

/*
 * Replaces |span|, a view into the original (for instance the value of a scanned member), by
 * |replacement|.
 *
 * Errors: GW_ERR_TOO_LARGE, GW_ERR_INVALID.
 */
GW_MUST_USE enum gw_err gw_json_splice_replace(struct gw_json_splice *splice, struct gw_str span,
                                               struct gw_str replacement);

/*
 * Adds a member behind the last one of |object|, a view of a whole object into the original (from
 * '{' to '}', blanks around allowed). |comma_member| is the member with a comma in front:
 * ",\"key\":value"; the comma is left away where the object was empty. Members added to one object
 * stand in the order of the calls. Whether the object has such a member already is the caller's
 * business.
 *
 * Errors: GW_ERR_TOO_LARGE, GW_ERR_INVALID.
 */
GW_MUST_USE enum gw_err gw_json_splice_add_member(struct gw_json_splice *splice,
                                                  struct gw_str object, struct gw_str comma_member);

/* The result as runs in order, at most GW_JSON_MAX_RUNS; returns how many. Empty runs are left out.
 */
size_t gw_json_splice_runs(const struct gw_json_splice *splice,
                           struct gw_str runs[GW_JSON_MAX_RUNS]);

/* Length of the result. */
size_t gw_json_splice_len(const struct gw_json_splice *splice);

#endif
