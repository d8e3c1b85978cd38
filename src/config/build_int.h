/* SPDX-License-Identifier: MIT */
/*
 * config/build_int - from settings and document to the parts of a snapshot.
 *
 * Source:   none
 * Shape:    each function fills one part; what is wrong with the configuration goes into the report
 *           and does not stop the others, so that all errors are told at once.
 * Units:    none
 * Limits:   GW_CONFIG_MAX_ORIGINS
 * Memory:   everything that lasts is the snapshot's; the builder's own is in its scratch arena.
 * Threads:  not shared
 * Errors:   GW_ERR_NOMEM only; the rest is in the report.
 */
#ifndef GW_CONFIG_BUILD_INT_H
#define GW_CONFIG_BUILD_INT_H

#include "config/settings_int.h"
#include "config/snapshot_int.h"
#include "control/token_book.h"
#include "http/url.h"
#include "provider/provider.h"

/* Each has a pool per worker. */
#define GW_CONFIG_MAX_ORIGINS 10000

/* What an entry of model_list says about its group. */
struct gw_group_wish {
    struct gw_str group;
    struct gw_setting_value retries;
    struct gw_setting_value mirror; /* LiteLLM's silent_model */
};

struct gw_config_build {
    struct gw_config_context context;
    struct gw_settings settings;
    struct gw_snapshot *snapshot;
    struct gw_token_book *tokens; /* NULL: nobody refreshes tokens */
    bool probe_local;
    uint64_t created_at_s;
    struct gw_group_wish *wishes;
    size_t wish_count;
    size_t wish_capacity;
    struct gw_str *tags; /* the snapshot's; GW_ROUTING_TAGS_MAX of them */
    size_t tag_count;
    bool has_deployment; /* one was built: what is wrong for all was told */
    bool has_probes;     /* one of them is to be probed */
};

/* The values of |build| by the names in the table. */
static inline const struct gw_setting_value *gw_build_setting(const struct gw_config_build *build,
                                                              enum gw_setting_id id)
{
    return &build->settings.values[id];
}

/* Listeners, limits and time-outs of clients, TLS, logging. Needs access to be built. */
GW_MUST_USE enum gw_err gw_build_server(struct gw_config_build *build);

/* The keys that open the gateway, or open mode. */
GW_MUST_USE enum gw_err gw_build_access(struct gw_config_build *build);

/* Catalog and origins from model_list and what belongs to it, or from what the environment offers.
 */
GW_MUST_USE enum gw_err gw_build_models(struct gw_config_build *build);

/* Groups of the providers that the environment has keys for, and of local servers. */
GW_MUST_USE enum gw_err gw_build_zero_config(struct gw_config_build *build);

/* How an origin is reached, before it is one of the snapshot's. */
struct gw_origin_wish {
    struct gw_url url;
    struct gw_str ca_file;
    bool insecure;
    enum gw_http2_mode http2;
    struct gw_str proxy; /* an URL; empty: as the environment says; "off": none */
    /* For complaints; whichever is set: */
    yyjson_val *value;
    struct gw_str source;
};

/*
 * The snapshot's origin for |wish|, made when there is none yet.
 *
 * Errors: GW_ERR_INVALID (reported), GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_build_origin(struct gw_config_build *build,
                                        const struct gw_origin_wish *wish,
                                        const struct gw_origin **origin, size_t *index);

/* What upstream.* says about how origins are reached. */
struct gw_origin_wish gw_build_origin_defaults(const struct gw_config_build *build);

/* Reads "auto", "off" or "prior" (or true and false). False when it is none of them. */
bool gw_http2_mode_parse(const struct gw_setting_value *value, enum gw_http2_mode *mode);

/* What |value| says for gw_origin_wish.proxy. */
struct gw_str gw_proxy_text(const struct gw_setting_value *value);

/* Must connections to |host| go without a proxy, by the list of NO_PROXY or because it is this
 * machine? */
bool gw_proxy_is_bypassed(struct gw_str no_proxy, struct gw_str host, uint16_t port);

/* The keys that the environment has for one provider, without doubles. */
struct gw_key_pool {
    struct gw_variable *items;
    size_t count;
};

/* NAME, then the list in NAME + "S", then NAME_<anything>, for key_env and its alias. Errors:
 * GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_build_key_pool(const struct gw_config_build *build,
                                          const struct gw_provider *provider,
                                          struct gw_key_pool *pool);

/* Gives |deployment| the keys of |pool|. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_build_keys(struct gw_config_build *build, const struct gw_key_pool *pool,
                                      struct gw_deployment *deployment);

/* The address of |provider|'s API: from the environment (*source says from which variable) or its
 * usual one, or empty. */
struct gw_str gw_build_base_url(const struct gw_config_build *build,
                                const struct gw_provider *provider, struct gw_str *source);

/* Splits an address of an API into *wish's url and the base path in the snapshot (no slash at its
 * end; for local servers the usual one when it has none). False when it is none: reported. */
GW_MUST_USE enum gw_err gw_build_endpoint(struct gw_config_build *build, struct gw_str text,
                                          const struct gw_provider *provider,
                                          struct gw_origin_wish *wish, struct gw_str *base_path);

/* The time-outs of upstream.*. */
struct gw_upstream_timeouts gw_build_timeouts(const struct gw_config_build *build);

/* A deployment in the snapshot with the defaults set and the id "group#ordinal". NULL without
 * memory. */
GW_MUST_USE struct gw_deployment *gw_build_deployment(struct gw_config_build *build,
                                                      struct gw_str group, size_t ordinal);

/* How each group is routed, and all of them; when the catalog is complete. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_build_routing(struct gw_config_build *build);

/* Can |text| be the value of a header field? */
bool gw_is_header_value(struct gw_str text);

/* Which of |ports| on 127.0.0.1 somebody listens on; waits at most |timeout_ms| in all. */
void gw_probe_local_ports(const uint16_t *ports, bool *is_open, size_t count, int timeout_ms);

#endif
