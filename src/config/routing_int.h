/* SPDX-License-Identifier: MIT */
/*
 * config/routing_int - what the configuration says about routing, on its way to policy/routing.h.
 *
 * Source:   reference/compat.md 5.3, 6.10 to 6.14, 5a.
 * Shape:    a scope is where a setting may stand: the entry of a deployment, then model_groups of
 *           its group, then router.* (and what else the table of settings says).
 * Units:    as the table of settings
 * Limits:   none of its own
 * Memory:   scopes are views; what they fill is the snapshot's.
 * Threads:  not shared
 * Errors:   what is wrong with a value is reported and the default taken; a scope remembers when
 *           there was no memory.
 */
#ifndef GW_CONFIG_ROUTING_INT_H
#define GW_CONFIG_ROUTING_INT_H

#include "config/model_entry_int.h"
#include "policy/routing.h"

#define GW_ROUTING_SCOPE_MAPS (GW_MODEL_ENTRY_MAPS + 1)

struct gw_routing_scope {
    struct gw_config_build *build;
    yyjson_val *maps[GW_ROUTING_SCOPE_MAPS]; /* looked into in turn; may be NULL */
    enum gw_err err;                         /* GW_OK or GW_ERR_NOMEM */
    bool tells_all; /* what is wrong with a setting for all is told by one scope only */
};

/* The scope of group |name|'s own settings. */
struct gw_routing_scope gw_routing_group_scope(struct gw_config_build *build, struct gw_str name);

/* |found| as |row| has it; not set when it is NULL, or wrong, which is reported. */
struct gw_setting_value gw_routing_read(struct gw_routing_scope *scope, yyjson_val *found,
                                        const struct gw_setting_row *row);

/* The setting as the nearest map says, else as router.* or the environment do. */
struct gw_setting_value gw_routing_value(struct gw_routing_scope *scope, enum gw_setting_id id);

/* Its number. */
uint64_t gw_routing_number(struct gw_routing_scope *scope, enum gw_setting_id id);

/* May |scope| complain of |value| of setting |id|? */
bool gw_routing_tells(const struct gw_routing_scope *scope, enum gw_setting_id id,
                      const struct gw_setting_value *value);

/* Is the section |name| ("hedge") on? By |id|, its .enabled; without one because it is written at
 * all. */
bool gw_routing_is_on(struct gw_routing_scope *scope, const char *name, enum gw_setting_id id);

/* Fills |deployment|'s routing: |entry| is NULL for deployments of the environment. Needs its
 * origin and provider. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_build_deployment_routing(struct gw_config_build *build,
                                                    struct gw_str group,
                                                    const struct gw_model_entry *entry,
                                                    struct gw_deployment *deployment);

/* Does |deployment| run on machines of ours? By its address alone: loopback, private and link-local
 * addresses, Unix sockets, names without a dot or below .local, .localhost, .internal, .lan. */
bool gw_is_local_deployment(const struct gw_deployment *deployment);

/* Breaker and adaptive limit as the scope says. */
void gw_build_breaker(struct gw_routing_scope *scope, struct gw_breaker_options *breaker);
void gw_build_concurrency(struct gw_routing_scope *scope,
                          struct gw_concurrency_options *concurrency);

/* Whether |group|'s |deployment| is probed, how often, and by which model; |entry| may be NULL. */
void gw_build_probe(struct gw_routing_scope *scope, struct gw_str group,
                    const struct gw_model_entry *entry, const struct gw_deployment *deployment,
                    struct gw_deployment_routing *routing);

/* Warns of an interval of probes that nobody wants; when all deployments are there. */
void gw_check_probes(const struct gw_config_build *build);

/* The numbers for kinds of errors: retries in |group|, whose scope it is, and what opens a breaker.
 */
void gw_build_retries_by_error(struct gw_routing_scope *scope, struct gw_str group,
                               struct gw_retry_policy *retry);
void gw_build_breaker_by_error(struct gw_routing_scope *scope, struct gw_breaker_options *breaker);

/* Groups of their own for models that a pattern serves and that have settings of their own. Before
 * everything else: it adds to the catalog. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_build_own_groups(struct gw_config_build *build);

/* All but the lists of models of group |group|; |wish| is what its entries say. Errors:
 * GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_build_group_routing(struct gw_config_build *build,
                                               const struct gw_model_group *group,
                                               const struct gw_group_wish *wish,
                                               struct gw_group_routing *routing);

/* The lists of fallbacks; |routings| has one per group. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_build_fallbacks(struct gw_config_build *build,
                                           struct gw_group_routing **routings);

/* Warns of groups that are their own fallbacks; |routings| and |blamed| (values, may be NULL) have
 * one per group. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_check_circles(struct gw_config_build *build,
                                         struct gw_group_routing *const *routings,
                                         yyjson_val *const *blamed);

/* Tiers and rules of model "auto". Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_build_auto(struct gw_config_build *build, struct gw_routing *routing);

/* Reports at |setting| that nobody serves |model|: a warning for one that was left out (or that the
 * environment has no key for), an error for any other. */
void gw_routing_complain_model(struct gw_config_build *build,
                               const struct gw_setting_value *setting, struct gw_str model);

/* A bit for the tag |name|; 0 when there are too many, reported at |value|. */
uint64_t gw_routing_tag(struct gw_config_build *build, yyjson_val *value, struct gw_str name,
                        enum gw_err *err);

/* Remembers what an entry says about its group. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_routing_note_entry(const struct gw_model_entry *entry);

#endif
