/* SPDX-License-Identifier: MIT */
/*
 * config/model_entry_int - one entry of model_list while it becomes deployments.
 *
 * Source:   LiteLLM's model_list; compat.md 2.2 for "params" and "provider".
 * Shape:    a view of the maps in which the entry's settings stand.
 * Units:    none
 * Limits:   none
 * Memory:   views of the document
 * Threads:  not shared
 * Errors:   in the report.
 */
#ifndef GW_CONFIG_MODEL_ENTRY_INT_H
#define GW_CONFIG_MODEL_ENTRY_INT_H

#include "config/build_int.h"

#define GW_MODEL_ENTRY_MAPS 5

/* The deployments that entries have become. */
struct gw_made_deployments {
    struct gw_deployment **items;
    size_t count;
    size_t capacity;
};

struct gw_model_entry {
    struct gw_config_build *build;
    struct gw_made_deployments *made;
    yyjson_val *value;   /* the entry */
    struct gw_str group; /* its model_name */
    size_t ordinal;      /* among the entries of that name, from 1 */
    yyjson_val
        *maps[GW_MODEL_ENTRY_MAPS]; /* where its settings are looked for, in turn; may be NULL */
};

/* The first value under any of |names| (separated by spaces), or NULL. */
yyjson_val *gw_model_entry_find(const struct gw_model_entry *entry, const char *names);

/*
 * Reads the value under one of |names|; is_set is false when there is none.
 *
 * Errors: GW_ERR_INVALID (reported), GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_model_entry_read(const struct gw_model_entry *entry, const char *names,
                                            const struct gw_setting_row *row,
                                            struct gw_setting_value *value);

/* Reads a text; empty when there is none, or when a map stands there ("provider" can be both).
 * Errors: as gw_model_entry_read(). */
GW_MUST_USE enum gw_err gw_model_entry_text(const struct gw_model_entry *entry, const char *names,
                                            struct gw_str *text);

/* Adds the entry's deployments to the catalog, or reports why not. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_build_model(const struct gw_model_entry *entry);

/* Puts a deployment of the entry into the catalog and the list. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_model_entry_add(const struct gw_model_entry *entry,
                                           struct gw_deployment *deployment);

/*
 * Time-outs, weight, header fields, members of the body and limits of the entry.
 *
 * Errors: GW_ERR_INVALID (reported), GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_model_entry_params(const struct gw_model_entry *entry,
                                              struct gw_deployment *deployment);

/* What the entry's model_info says, when it says anything. Errors: as above. */
GW_MUST_USE enum gw_err gw_model_entry_info(const struct gw_model_entry *entry,
                                            struct gw_deployment *deployment);

/* Other names for groups: router_settings.model_group_alias, model_aliases. Errors: GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_build_aliases(struct gw_config_build *build);

/* Adds copies of all deployments that serve |model| to |group|; |value| is blamed when there are
 * none. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_build_copies(struct gw_config_build *build, struct gw_str model,
                                        struct gw_str group, yyjson_val *value);

#endif
