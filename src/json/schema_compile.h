/* SPDX-License-Identifier: MIT */
/*
 * json/schema_compile - what the files that compile a schema share. Only json/ includes this.
 *
 * Source:   JSON Schema 2020-12 core, sections 8 and 9.
 * Shape:    documents are copied and walked (schema_compile.c), each keyword is read by its row of
 *           a table (schema_keywords.c), references are noted on the way and resolved at the end
 *           (schema_refs.c).
 * Units:    none
 * Limits:   GW_JSON_MAX_DEPTH levels of subschemas, GW_SCHEMA_MAX_BYTES of memory.
 * Memory:   the compiler itself lives on the stack of gw_schema_create(); its tables are in the
 *           schema's arena.
 * Threads:  not shared
 * Errors:   GW_ERR_INVALID, GW_ERR_TOO_DEEP, GW_ERR_NOMEM; the first one stays, with its text.
 */
#ifndef GW_JSON_SCHEMA_COMPILE_H
#define GW_JSON_SCHEMA_COMPILE_H

#include "base/compiler.h"
#include "json/schema.h"
#include "json/schema_node.h"

enum gw_schema_vocabulary {
    GW_SCHEMA_CORE = 1,
    GW_SCHEMA_APPLICATOR = 2,
    GW_SCHEMA_UNEVALUATED = 4,
    GW_SCHEMA_VALIDATION = 8,
    GW_SCHEMA_ANNOTATION = 16, /* meta-data, content, format-annotation */
    GW_SCHEMA_FORMAT_ASSERTION = 32,
};

/* A name that a reference can lead to: a resource's URI, or that with '#' and an anchor. */
struct gw_schema_target {
    struct gw_str uri;
    uint64_t hash;
    struct gw_schema_resource *resource;
    struct gw_schema_node *node;
    bool is_dynamic;
    struct gw_schema_target *next; /* in the bucket */
};

#define GW_SCHEMA_TARGET_BUCKETS                                                                   \
    1024 /* $id and $anchor are rare: one level is enough for any schema seen */

/* A reference not yet resolved. */
struct gw_schema_pending {
    struct gw_schema_node *node;
    struct gw_str reference;
    bool is_dynamic;
    struct gw_schema_pending *next;
};

struct gw_schema_compiler {
    struct gw_schema *schema;
    const struct gw_schema_opts *opts;
    struct gw_schema_target *targets[GW_SCHEMA_TARGET_BUCKETS];
    struct gw_schema_pending *pending;
    struct gw_arena *message_arena;
    struct gw_str message;
    enum gw_err err; /* the first failure */
    /* of the subschema being read */
    struct gw_schema_copy *copy;
    struct gw_schema_resource *resource;
    unsigned depth;
};

/* Notes a failure at |where|, unless there is one already; returns NULL for the caller to pass on.
 */
GW_PRINTF(3, 4)
void *gw_schema_refuse(struct gw_schema_compiler *compiler, struct gw_str where, const char *format,
                       ...);

/* Memory of the schema, cleared; NULL with the failure noted when there is none. */
void *gw_schema_new(struct gw_schema_compiler *compiler, size_t size);

/* |where| with one more step, escaped as JSON Pointer wants it. */
struct gw_str gw_schema_step(struct gw_schema_compiler *compiler, struct gw_str where,
                             struct gw_str name);

/* The same with a position in a list. */
struct gw_str gw_schema_step_index(struct gw_schema_compiler *compiler, struct gw_str where,
                                   size_t index);

/* Compiles the subschema |value| of the current document and resource; NULL with the failure noted.
 */
struct gw_schema_node *gw_schema_compile_value(struct gw_schema_compiler *compiler,
                                               yyjson_val *value, struct gw_str where);

/* Copies a document and compiles it as a resource at |uri| (and at its own $id); NULL with the
 * failure noted. */
struct gw_schema_resource *gw_schema_add_document(struct gw_schema_compiler *compiler,
                                                  struct gw_str uri, yyjson_val *root);

/* Reads one keyword of |node|; unknown ones are left alone. */
void gw_schema_read_keyword(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                            struct gw_str name, yyjson_val *value);

/* Makes |uri| (with '#' and |anchor| unless that is empty) a target. */
void gw_schema_add_target(struct gw_schema_compiler *compiler, struct gw_schema_resource *resource,
                          struct gw_str uri, struct gw_str anchor, struct gw_schema_node *node,
                          bool is_dynamic);

/* The target of that name, or NULL. */
struct gw_schema_target *gw_schema_find_target(const struct gw_schema_compiler *compiler,
                                               struct gw_str uri, struct gw_str anchor);

/* Notes a reference of |node| to be resolved when all is read. */
void gw_schema_add_pending(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                           struct gw_str reference, bool is_dynamic);

/* Resolves the noted references, and those that are met on the way. */
void gw_schema_resolve_pending(struct gw_schema_compiler *compiler);

/* The vocabularies that the meta-schema |uri| names; 0 with the failure noted when it is not known.
 */
unsigned gw_schema_vocabularies_of(struct gw_schema_compiler *compiler, struct gw_str uri,
                                   struct gw_str where);

/* The text of the draft's own meta-schema at |uri|; empty when it is none. */
struct gw_str gw_schema_meta_text(struct gw_str uri);

#endif
