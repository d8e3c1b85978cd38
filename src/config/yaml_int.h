/* SPDX-License-Identifier: MIT */
/*
 * config/yaml_int - a YAML file as a tree whose nodes know their lines.
 *
 * Source:   YAML 1.1 as libyaml parses it and as PyYAML's safe_load understands it, because that is
 *           what LiteLLM's users have written their files for; YAML 1.2's number forms besides.
 * Shape:    one document; anchors and merge keys ("<<") are resolved: a node may have several
 *           parents, never itself below it.
 * Units:    lines from 1
 * Limits:   GW_YAML_MAX_BYTES of text; GW_YAML_MAX_NODES nodes, counting what merge keys and
 *           aliases repeat, so that a short file cannot become a large one ("billion laughs");
 *           GW_YAML_MAX_DEPTH levels.
 * Memory:   everything in the caller's arena; texts are copies.
 * Threads:  not shared
 * Errors:   in the report, with lines.
 */
#ifndef GW_CONFIG_YAML_INT_H
#define GW_CONFIG_YAML_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "config/report_int.h"

#define GW_YAML_MAX_BYTES (16u << 20) /* tens of thousands of models */
#define GW_YAML_MAX_NODES 1000000u
#define GW_YAML_MAX_DEPTH 64 /* LiteLLM's deepest settings nest 7 deep */

enum gw_yaml_kind {
    GW_YAML_SCALAR,
    GW_YAML_LIST,
    GW_YAML_MAP,
};

/* The type that a tag asks for, or that is to be found out. */
enum gw_yaml_type {
    GW_YAML_TYPE_AUTO, /* plain: the text decides */
    GW_YAML_TYPE_TEXT, /* quoted, or "!!str" */
};

struct gw_yaml_entry {
    const struct gw_yaml_node *key; /* a scalar; NULL in lists */
    const struct gw_yaml_node *value;
    struct gw_yaml_entry *next;
};

struct gw_yaml_node {
    enum gw_yaml_kind kind;
    enum gw_yaml_type type;
    unsigned line;
    unsigned file;      /* number of the file, given by the caller */
    struct gw_str text; /* of a scalar, with a NUL behind it */
    struct gw_yaml_entry *first;
    size_t count; /* of entries */
};

/*
 * Parses |text|. |file_name| and |file| say where findings and nodes come from. An empty document
 * gives an empty map. What can be told in one go (syntax, or all duplicate keys) is in the report.
 *
 * Errors: GW_ERR_INVALID (see the report), GW_ERR_TOO_LARGE, GW_ERR_NOMEM; each is in the report.
 */
GW_MUST_USE enum gw_err gw_yaml_parse(struct gw_str text, struct gw_str file_name, unsigned file,
                                      struct gw_arena *arena, struct gw_config_report *report,
                                      const struct gw_yaml_node **root);

/* The value under |key| in a map, or NULL; for the few keys that are read before interpolation. */
const struct gw_yaml_node *gw_yaml_get(const struct gw_yaml_node *map, struct gw_str key);

enum gw_yaml_scalar_kind {
    GW_YAML_IS_NULL,
    GW_YAML_IS_BOOL,
    GW_YAML_IS_UINT,
    GW_YAML_IS_SINT, /* negative */
    GW_YAML_IS_REAL,
    GW_YAML_IS_TEXT,
};

struct gw_yaml_scalar {
    enum gw_yaml_scalar_kind kind;
    bool boolean;
    uint64_t uint;
    int64_t sint;
    double real;
};

/* What the plain text of a scalar means. */
struct gw_yaml_scalar gw_yaml_resolve(struct gw_str text);

#endif
