/* SPDX-License-Identifier: MIT */
/*
 * json/schema - validator for JSON Schema draft 2020-12.
 *
 * Source:   https://json-schema.org/draft/2020-12 core and validation, read 2026-11.
 * Shape:    a schema document is compiled once; then any number of yyjson documents are checked
 *           against it, all errors at once.
 * Units:    none
 * Limits:   GW_SCHEMA_MAX_ERRORS errors are reported, the rest counted; schemas and instances nest
 *           at most GW_JSON_MAX_DEPTH; regular expressions run under PCRE2's match limit, so no
 *           pattern and text can hang the caller.
 * Memory:   the compiled schema owns copies of what it needs; error texts live in the arena given
 *           to the check.
 * Threads:  a compiled schema is immutable: any number of threads may check with it.
 * Errors:   see the functions.
 *
 * Two keywords steer the messages: "writeOnly": true keeps a value (and what is below it) out of
 * them, "x-expected": "a port number" says in the author's words what is wanted.
 *
 * $ref to other documents is resolved only among the documents given at compile time: nothing is
 * ever fetched.
 */
#ifndef GW_JSON_SCHEMA_H
#define GW_JSON_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <yyjson.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

#define GW_SCHEMA_MAX_ERRORS 100 /* more than a person reads; bounds the memory of a report */

struct gw_schema;

/* One document that $ref may point at by its URI. */
struct gw_schema_document {
    struct gw_str uri;
    yyjson_val *root; /* must outlive gw_schema_create() only */
};

struct gw_schema_opts {
    struct gw_str base_uri; /* of the root schema; may be empty */
    const struct gw_schema_document
        *documents; /* may be NULL; the draft's own meta-schemas need not be given */
    size_t document_count;
    bool assert_format; /* check "format"; without it the keyword is an annotation, as the draft's
                           default says */
};

/* One violation. Views live in the arena of the check. */
struct gw_schema_error {
    struct gw_str instance_path; /* JSON Pointer to the value that is wrong, "" is the root */
    struct gw_str
        keyword; /* the keyword that failed: "type", "required", "additionalProperties", ... */
    struct gw_str message;  /* for people: what was expected and what was found */
    struct gw_str expected; /* for "did you mean": the known names, joined by ", ", where that makes
                               sense; else empty */
    const yyjson_val *instance; /* the value that is wrong */
};

struct gw_schema_report {
    struct gw_schema_error errors[GW_SCHEMA_MAX_ERRORS];
    size_t count;       /* in errors[] */
    size_t total_count; /* including those that did not fit */
};

/*
 * Compiles |root| into *out; |opts| may be NULL. On failure *message (in |arena|) says what is
 * wrong with the schema and where, and *out is not touched. Neither |root| nor the documents are
 * needed afterwards.
 *
 * Errors: GW_ERR_INVALID (no valid schema, a $ref that leads nowhere, a pattern that is no regular
 * expression, another draft), GW_ERR_TOO_DEEP, GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_schema_create(yyjson_val *root, const struct gw_schema_opts *opts,
                                         struct gw_arena *arena, struct gw_schema **out,
                                         struct gw_str *message);

/* Frees; NULL-safe, clears the pointer. */
void gw_schema_destroy(struct gw_schema **schema);

/*
 * Checks |instance|, which was read without YYJSON_READ_NUMBER_AS_RAW and its kin. Returns true
 * when it is valid. |report| may be NULL when only the verdict is wanted (faster: stops at the
 * first error), and then |arena| may be; else the report is filled anew and its texts live in
 * |arena|. A limit that is reached (depth, work, memory) makes the verdict false and is an error of
 * the report with an empty keyword.
 */
bool gw_schema_check(const struct gw_schema *schema, yyjson_val *instance, struct gw_arena *arena,
                     struct gw_schema_report *report);

#endif
