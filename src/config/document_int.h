/* SPDX-License-Identifier: MIT */
/*
 * config/document_int - the configuration as one JSON document whose values know where they were
 * written.
 *
 * Source:   none
 * Shape:    YAML tree in, immutable yyjson document out, with one position per value. Immutable
 *           documents keep their values in one array in the order of the text, so a value's number
 *           is its distance from the root, and what is below a value is the range behind it.
 * Units:    lines from 1
 * Limits:   GW_YAML_MAX_NODES values, counting what aliases repeat.
 * Memory:   the document owns its own; zeroed when freed, because keys stand in it.
 * Threads:  immutable after it is made
 * Errors:   see the functions.
 */
#ifndef GW_CONFIG_DOCUMENT_INT_H
#define GW_CONFIG_DOCUMENT_INT_H

#include <yyjson.h>

#include "config/environment_int.h"
#include "config/yaml_int.h"

struct gw_config_position {
    uint32_t line;
    uint16_t file;        /* number in gw_config_document.files */
    bool is_interpolated; /* its text came from a variable: never shown */
};

/* A value with a variable that is not set. */
struct gw_config_unresolved {
    size_t index;        /* of the value */
    struct gw_str name;  /* of the variable; empty: */
    const char *problem; /* what else is wrong with the reference */
};

#define GW_CONFIG_MAX_FILES 17 /* the file and 16 it includes */

struct gw_config_document {
    yyjson_doc *json;
    struct gw_config_position *positions;
    size_t count;
    struct gw_config_unresolved *unresolved;
    size_t unresolved_count;
    struct gw_str files[GW_CONFIG_MAX_FILES];
    size_t file_count;
};

/*
 * Makes the document of |root|. References to variables are resolved with |env| (NULL: they stay as
 * written); those that cannot be are kept in |unresolved| for whoever knows what depends on them.
 * |arena| must outlive the document. |document| has |files| set already; end it with
 * gw_config_document_fini().
 *
 * Errors: GW_ERR_TOO_LARGE (too many values after expanding aliases), GW_ERR_TOO_DEEP (the same),
 * GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_config_document_init(struct gw_config_document *document,
                                                const struct gw_yaml_node *root,
                                                struct gw_environment *env, struct gw_arena *arena);

/* Zeroes and frees the document; NULL-safe for its parts. */
void gw_config_document_fini(struct gw_config_document *document);

/* The number of a value of this document. */
size_t gw_config_index(const struct gw_config_document *document, yyjson_val *value);

/* The number behind the last value below |value|. */
size_t gw_config_index_end(const struct gw_config_document *document, yyjson_val *value);

/* Where |value| was written, with the path to it ("model_list[2].litellm_params.api_base"), which
 * is in |arena|. */
struct gw_config_place gw_config_place_of(const struct gw_config_document *document,
                                          yyjson_val *value, struct gw_arena *arena);

/* The first unresolved reference in |value| or below it, or NULL. */
const struct gw_config_unresolved *
gw_config_find_unresolved(const struct gw_config_document *document, yyjson_val *value);

/* The value at |path| ("server.tls.cert_file"; no list indexes), or NULL. Nulls count as absent:
 * that is what an empty "key:" means. */
yyjson_val *gw_config_get(const struct gw_config_document *document, const char *path);

/* The member |name| of |object| (NULL allowed), or NULL; nulls count as absent. */
yyjson_val *gw_config_member(yyjson_val *object, const char *name);

/* The text of a string value; empty for anything else. */
static inline struct gw_str gw_config_text(yyjson_val *value)
{
    return yyjson_is_str(value) ? gw_str(yyjson_get_str(value), yyjson_get_len(value))
                                : gw_str(NULL, 0);
}

/* Allocator for yyjson documents that hold secrets: through base/alloc, zeroed when freed. */
extern const yyjson_alc gw_config_json_allocator;

#endif
