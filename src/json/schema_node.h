/* SPDX-License-Identifier: MIT */
/*
 * json/schema_node - the compiled form of a schema: one node per subschema, references are
 * pointers. Only json/ includes this.
 *
 * Source:   JSON Schema 2020-12 core and validation.
 * Shape:    filled by schema_compile.c and schema_keywords.c, linked by schema_refs.c, read-only
 *           afterwards.
 * Units:    none
 * Limits:   GW_SCHEMA_MAX_BYTES for all nodes of one schema.
 * Memory:   nodes, lists and names made at compile time live in the schema's arena; texts and
 *           values are views into the schema's own copies of the documents.
 * Threads:  immutable once compiled: any.
 * Errors:   none
 */
#ifndef GW_JSON_SCHEMA_NODE_H
#define GW_JSON_SCHEMA_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <yyjson.h>

#include "base/arena.h"
#include "base/str.h"
#include "json/schema_format.h"
#include "json/schema_regex.h"
#include "json/schema_value.h"

/* The published description of OpenAI's API, a large one, compiles to some 20 MB. */
#define GW_SCHEMA_MAX_BYTES (64u * 1024 * 1024)

enum gw_schema_kind {
    GW_SCHEMA_ANYTHING, /* true */
    GW_SCHEMA_NOTHING,  /* false */
    GW_SCHEMA_KEYWORDS, /* an object */
};

/* Bits of |types|. An integer is a number without a fraction, so that bit is one of its own. */
enum gw_schema_type {
    GW_SCHEMA_NULL = 1,
    GW_SCHEMA_BOOLEAN = 2,
    GW_SCHEMA_INTEGER = 4,
    GW_SCHEMA_NUMBER = 8,
    GW_SCHEMA_STRING = 16,
    GW_SCHEMA_ARRAY = 32,
    GW_SCHEMA_OBJECT = 64,
};

struct gw_schema_node;

struct gw_schema_nodes {
    const struct gw_schema_node **items;
    size_t count;
};

/* A name with what belongs to it. */
struct gw_schema_named {
    struct gw_str name;
    const struct gw_schema_node *node;
};

/* Sorted by name. */
struct gw_schema_map {
    struct gw_schema_named *items;
    size_t count;
};

struct gw_schema_pattern {
    struct gw_schema_regex *regex; /* owned; freed through the schema's list */
    struct gw_str text;
    const struct gw_schema_node *node; /* NULL for "pattern" */
    struct gw_schema_pattern *next;    /* of all patterns of the schema */
};

struct gw_schema_patterns {
    struct gw_schema_pattern **items;
    size_t count;
};

struct gw_schema_names {
    struct gw_str *items;
    size_t count;
};

/* dependentRequired: when |name| is there, |needed| must be. */
struct gw_schema_dependency {
    struct gw_str name;
    struct gw_schema_names needed;
};

struct gw_schema_dependencies {
    struct gw_schema_dependency *items;
    size_t count;
};

struct gw_schema_limit {
    bool is_set;
    struct gw_schema_number value;
};

struct gw_schema_size {
    bool is_set;
    size_t value;
};

/* A place that $dynamicRef may lead to. */
struct gw_schema_dynamic_anchor {
    struct gw_str name;
    const struct gw_schema_node *node;
    struct gw_schema_dynamic_anchor *next;
};

/* A document, or a subschema with an $id: what relative references in it are relative to. */
struct gw_schema_resource {
    struct gw_str uri; /* absolute where the schema says so; no fragment */
    const struct gw_schema_node *root;
    struct gw_schema_copy *copy; /* the document that it is, or is part of */
    yyjson_val *value;           /* where it begins there */
    unsigned vocabularies;       /* bits of enum gw_schema_vocabulary */
    struct gw_schema_dynamic_anchor *dynamic_anchors;
};

struct gw_schema_node {
    enum gw_schema_kind kind;
    struct gw_schema_resource *resource;
    struct gw_str where; /* its place in its document, "#/properties/a" */
    bool hides_value;    /* "writeOnly": the value is a secret, messages do not show it */
    bool has_unevaluated;
    struct gw_str expected; /* "x-expected": what messages say is wanted; NULL: they describe it */

    const struct gw_schema_node *ref;
    const struct gw_schema_node
        *dynamic_ref;           /* where it leads when the dynamic scope says nothing */
    struct gw_str dynamic_name; /* NULL: $dynamicRef is a plain reference */
    struct gw_schema_nodes all_of;
    struct gw_schema_nodes any_of;
    struct gw_schema_nodes one_of;
    const struct gw_schema_node *not_schema;
    const struct gw_schema_node *if_schema;
    const struct gw_schema_node *then_schema;
    const struct gw_schema_node *else_schema;

    struct gw_schema_map properties;
    struct gw_schema_patterns pattern_properties;
    const struct gw_schema_node *additional_properties;
    const struct gw_schema_node *unevaluated_properties;
    const struct gw_schema_node *property_names;
    struct gw_schema_map dependent_schemas;
    struct gw_schema_dependencies dependent_required;
    struct gw_schema_names required;
    struct gw_schema_size min_properties;
    struct gw_schema_size max_properties;

    struct gw_schema_nodes prefix_items;
    const struct gw_schema_node *items;
    const struct gw_schema_node *unevaluated_items;
    const struct gw_schema_node *contains;
    struct gw_schema_size min_contains;
    struct gw_schema_size max_contains;
    struct gw_schema_size min_items;
    struct gw_schema_size max_items;
    bool unique_items;

    unsigned types; /* bits of enum gw_schema_type; 0 when not restricted */
    yyjson_val *enum_values;
    yyjson_val *const_value;
    struct gw_schema_limit minimum;
    struct gw_schema_limit maximum;
    struct gw_schema_limit exclusive_minimum;
    struct gw_schema_limit exclusive_maximum;
    struct gw_schema_limit multiple_of;
    struct gw_schema_size min_length;
    struct gw_schema_size max_length;
    const struct gw_schema_pattern *pattern;
    const struct gw_schema_format *format;
};

/* A document of the schema: the root, or one that a $ref led to. */
struct gw_schema_copy {
    yyjson_doc *doc;
    const struct gw_schema_node *
        *nodes; /* by position of the value in the document; NULL where no schema stands */
    size_t value_count;
    struct gw_schema_copy *next;
};

struct gw_schema {
    struct gw_arena arena;
    const struct gw_schema_node *root;
    struct gw_schema_copy *copies;
    struct gw_schema_pattern *patterns;
};

/* The node of |name|, or NULL. */
const struct gw_schema_node *gw_schema_map_find(const struct gw_schema_map *map,
                                                struct gw_str name);

#endif
