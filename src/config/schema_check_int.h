/* SPDX-License-Identifier: MIT */
/*
 * config/schema_check_int - the document against the published schema.
 *
 * Source:   schema.json; JSON Schema draft 2020-12. Two keywords of our own, which other readers
 *           ignore: "x-gatewire": "later" marks what is accepted and not used by this version, and
 *           "strict" maps whose unknown keys are errors; "x-expected" says in people's words what a
 *           value should be.
 * Shape:    a walk over document and schema side by side finds what each value is meant to be,
 *           unknown keys, and keys for later versions; the validator then says which values do not
 *           fit.
 * Units:    none
 * Limits:   GW_SCHEMA_MAX_ERRORS of the validator are told at once.
 * Memory:   scratch only
 * Threads:  not shared
 * Errors:   in the report.
 */
#ifndef GW_CONFIG_SCHEMA_CHECK_INT_H
#define GW_CONFIG_SCHEMA_CHECK_INT_H

#include "config/settings_int.h"

/* The schema as a document. NULL without memory; the caller frees it. */
GW_MUST_USE yyjson_doc *gw_config_schema_document(void);

enum gw_config_use {
    GW_CONFIG_USED,
    GW_CONFIG_LATER,
    GW_CONFIG_UNKNOWN,
    GW_CONFIG_REFUSED, /* unknown, where that is an error */
};

/* Called for each key of the document: |key| and |value| of it, and what the schema says. Below
 * LATER and unknown keys nothing is visited. |known| is the schema of the key, for LATER. */
typedef enum gw_err gw_config_visit_fn(void *user, enum gw_config_use use, yyjson_val *key,
                                       yyjson_val *value, yyjson_val *known);

struct gw_config_walk {
    yyjson_val *schema; /* the root */
    gw_config_visit_fn *visit;
    void *user;
    /* May be NULL. One per value of the document: the schema that describes it. */
    yyjson_val **described_by;
    const struct gw_config_document *document;
};

/* Walks over the whole document. Errors: what |visit| returns. */
GW_MUST_USE enum gw_err gw_config_walk(const struct gw_config_walk *walk);

/* What |schema| wants, in words ("a duration such as ..."); empty when it does not say. */
struct gw_str gw_config_expected(const struct gw_config_walk *walk, yyjson_val *schema);

/* The name among those that |schema| knows that is nearest to |key|, or an empty view. |path| is
 * where the unknown key stands: the map. */
struct gw_str gw_config_nearest_key(const struct gw_config_walk *walk, yyjson_val *schema,
                                    struct gw_str key);

/* Checks everything that building has not: unknown keys, keys for later versions, values that are
 * of no use to this version, variables that are not set. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_config_check(const struct gw_config_context *context);

#endif
