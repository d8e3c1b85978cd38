/* SPDX-License-Identifier: MIT */
/*
 * json/value - small helpers over yyjson: reading documents with bounded memory, getting typed
 * members, writing values.
 *
 * Source:   yyjson 0.10 API; RFC 8259
 * Shape:    a reader keeps one document at a time; its memory is reused from document to document,
 *           so that reading a stream's events allocates nothing.
 * Units:    bytes
 * Limits:   GW_JSON_MAX_DEPTH levels (a deeper document is refused: those who walk it recurse);
 *           texts of at most |max_bytes|.
 * Memory:   values are valid until the reader's next read or fini.
 * Threads:  not shared
 * Errors:   see the functions.
 */
#ifndef GW_JSON_VALUE_H
#define GW_JSON_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

/* yyjson's memory from base/alloc.h (the try_ functions): for documents made by hand. */
extern const yyjson_alc gw_json_allocator;

struct gw_json_reader {
    char *pool; /* for small documents */
    size_t pool_size;
    yyjson_doc *doc; /* the current one */
    size_t max_bytes;
};

/* Makes a reader that allocates nothing yet. */
void gw_json_reader_init(struct gw_json_reader *reader, size_t max_bytes);

/* Frees everything; values end. */
void gw_json_reader_fini(struct gw_json_reader *reader);

/*
 * Reads |text|; *root is its value. |text| itself need not outlive the call.
 *
 * Errors: GW_ERR_INVALID (not JSON, not UTF-8, too deep), GW_ERR_TOO_LARGE, GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_json_read(struct gw_json_reader *reader, struct gw_str text,
                                     yyjson_val **root);

/* Is no value nested deeper than |max_depth| (a scalar has depth 0)? */
bool gw_json_is_depth_below(yyjson_val *value, unsigned max_depth);

/* A string's text; ptr is NULL when |value| is NULL or no string. May hold NUL bytes. */
static inline struct gw_str gw_json_text(yyjson_val *value)
{
    const char *text = yyjson_get_str(value);
    return gw_str(text, text != NULL ? yyjson_get_len(value) : 0);
}

/* Member |key| of |object|, or NULL; |object| may be NULL or anything. A member that is JSON null
 * counts as absent: clients write null for "not set". */
yyjson_val *gw_json_get(yyjson_val *object, const char *key);

/* The member as text; ptr is NULL when it is absent or no string. */
static inline struct gw_str gw_json_get_text(yyjson_val *object, const char *key)
{
    return gw_json_text(gw_json_get(object, key));
}

/* The member as a count; |otherwise| when it is absent, negative, or no integer (3.0 is one). */
uint64_t gw_json_get_u64(yyjson_val *object, const char *key, uint64_t otherwise);

/* Is the member true? */
static inline bool gw_json_get_true(yyjson_val *object, const char *key)
{
    return yyjson_is_true(gw_json_get(object, key));
}

/* Does the string equal |text|? False for NULL and for what is no string. */
bool gw_json_is(yyjson_val *value, struct gw_str text);

/* Appends |value| as compact JSON; failures stick in |out|. Deterministic: members keep their
 * order, numbers their value in the shortest form. */
void gw_json_write(yyjson_val *value, struct gw_buf *out);

/* The same of a document that was made by hand. */
void gw_json_write_mut(const yyjson_mut_doc *doc, struct gw_buf *out);

/* Appends |text| as a JSON string with its quotes; failures stick in |out|. */
void gw_json_write_text(struct gw_str text, struct gw_buf *out);

/* A string value in |doc| with a copy of |text| (empty when ptr is NULL). NULL when there is no
 * memory, which yyjson's own functions pass on. */
yyjson_mut_val *gw_json_make_text(yyjson_mut_doc *doc, struct gw_str text);

/* Adds member |key| (static text) with a copy of |text|; false when there is no memory. */
bool gw_json_add_text(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key,
                      struct gw_str text);

/* Adds member |key| (static text) with a deep copy of |value|; nothing when |value| is NULL; false
 * when there is no memory. */
bool gw_json_add_copy(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key,
                      yyjson_val *value);

/*
 * Adds member |key| (static text) whose value is the JSON in |text|, verbatim, when |text| is a
 * JSON object; else {} (a model's arguments that are no object). False when there is no memory.
 * *is_valid tells which; it may be NULL.
 */
bool gw_json_add_object_text(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key,
                             struct gw_str text, bool *is_valid);

#endif
