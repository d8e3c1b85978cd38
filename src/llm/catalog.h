/* SPDX-License-Identifier: MIT */
/*
 * llm/catalog - which model names clients may ask for and which deployments serve each of them.
 *
 * Source:   DESIGN "Words": model group, deployment, credential.
 * Shape:    built once by the configuration, then immutable. Names match exactly first, then by
 *           pattern ("openai/" + "*"; the longest pattern wins).
 * Units:    in the names
 * Limits:   none of its own; the configuration file's size bounds it.
 * Memory:   everything lives in the arena given at create (the snapshot's), secrets and origins
 *           with the snapshot too.
 * Threads:  any, once built
 * Errors:   see the functions.
 */
#ifndef GW_LLM_CATALOG_H
#define GW_LLM_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/secret.h"
#include "base/str.h"

struct gw_provider;           /* provider/provider.h */
struct gw_origin;             /* upstream/origin.h */
struct gw_token_slot;         /* llm/token_slot.h */
struct gw_model_info;         /* llm/model_facts.h */
struct gw_deployment_routing; /* policy/routing.h */
struct gw_group_routing;      /* policy/routing.h */

/* Zero means "no limit of this kind" in total_ms only; the others always have a value. */
struct gw_upstream_timeouts {
    uint64_t connect_ms;
    uint64_t tls_ms;
    uint64_t first_byte_ms;
    uint64_t stream_first_byte_ms; /* first_byte_ms for streamed answers */
    uint64_t idle_ms;              /* between chunks */
    uint64_t total_ms;
    uint64_t stream_total_ms; /* total_ms for streamed answers */
};

struct gw_extra_header {
    struct gw_str name; /* lower case */
    struct gw_str value;
};

/* One of a deployment's keys. */
struct gw_deployment_key {
    const struct gw_secret *secret;
    uint64_t fingerprint; /* hash of the secret: what is known of a key outlives a reload */
};

struct gw_deployment {
    struct gw_str id; /* unique and stable over reloads when its settings are the same */
    const struct gw_provider *provider;
    struct gw_str provider_name; /* of |provider| */
    /* Empty: the name the client sent, without the part that the group's pattern matched before
     * '*'. A '*' in it stands for what the pattern's '*' matched. gw_deployment_model() knows. */
    struct gw_str upstream_model;
    const struct gw_origin *origin; /* NULL for built-in providers, which answer in the process */
    size_t origin_index;            /* of |origin| in the snapshot's list */
    struct gw_str base_path;        /* of api_base, without a trailing slash: "/v1" */
    const struct gw_deployment_key *keys; /* they take turns; count 0: no key is sent */
    size_t key_count;
    struct gw_str organization;  /* OpenAI-Organization, or empty */
    struct gw_str project;       /* OpenAI-Project, or empty */
    struct gw_str api_version;   /* for vendors that want one, or empty */
    struct gw_str region;        /* AWS region, Google location; or empty */
    struct gw_str cloud_project; /* Google Cloud's, or empty */
    struct gw_token_slot *token; /* instead of |keys|: changes while we run; or NULL */
    struct gw_str extra_body; /* JSON members to add, "\"a\":1,\"b\":2" without braces; or empty */
    uint64_t default_max_tokens; /* where the client sets none and the vendor wants one; 0: none */
    uint64_t limit_max_tokens;   /* clients get no more; 0: no limit */
    bool drops_params; /* drop what the vendor cannot do instead of refusing the request */
    const struct gw_extra_header *extra_headers;
    size_t extra_header_count;
    struct gw_upstream_timeouts timeouts;
    uint64_t weight;                        /* at least 1 */
    const struct gw_model_info *model_info; /* what the configuration knows of the model; or NULL */
    const struct gw_deployment_routing *routing;
};

struct gw_model_group {
    struct gw_str
        name; /* as clients ask for it; ends with '*' for a pattern, "*" alone matches all */
    const struct gw_deployment **deployments;
    size_t deployment_count;
    uint64_t created_at_s; /* for /v1/models */
    size_t index;          /* as gw_catalog_group() counts */
    const struct gw_group_routing *routing;
};

struct gw_catalog;

/*
 * The name of |deployment|'s model as its vendor wants it, when gw_catalog_find() gave |suffix|.
 * A view of the deployment's own text or of |suffix| where that will do, else written to |buf| of
 * |size| bytes.
 *
 * Errors: GW_ERR_TOO_LARGE (it does not fit in |size|; 2 * GW_MODEL_NAME_MAX always suffices for
 * upstream models of at most GW_MODEL_NAME_MAX bytes, which the configuration checks).
 */
GW_MUST_USE enum gw_err gw_deployment_model(const struct gw_deployment *deployment,
                                            struct gw_str suffix, char *buf, size_t size,
                                            struct gw_str *model);

/* Key number |index| of |deployment|; NULL when it has none. */
static inline const struct gw_secret *gw_deployment_secret(const struct gw_deployment *deployment,
                                                           size_t index)
{
    return index < deployment->key_count ? deployment->keys[index].secret : NULL;
}

/* An empty catalog in |arena|, or NULL when the arena is full. */
GW_MUST_USE struct gw_catalog *gw_catalog_create(struct gw_arena *arena);

/*
 * Adds |deployment| (already in the arena) to the group |group_name|, which is made when it does
 * not exist.
 *
 * Errors: GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_catalog_add(struct gw_catalog *catalog, struct gw_str group_name,
                                       const struct gw_deployment *deployment);

/*
 * Makes |alias| another name of |group_name|, which is a group's name or one that a pattern
 * matches.
 *
 * Errors: GW_ERR_NOT_FOUND (no such group, or a pattern itself), GW_ERR_EXISTS (the alias is
 * taken), GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_catalog_add_alias(struct gw_catalog *catalog, struct gw_str alias,
                                             struct gw_str group_name);

/* Sets the routing of group number |index|, which every group has when the configuration is
 * complete. */
void gw_catalog_set_routing(struct gw_catalog *catalog, size_t index,
                            const struct gw_group_routing *routing);

/* Sets created_at_s of every group; the last step of the configuration. */
void gw_catalog_set_created_at(struct gw_catalog *catalog, uint64_t created_at_s);

/*
 * The group that serves |model|, or NULL. *suffix gets what the '*' of a pattern matched (for a
 * group without a pattern the whole name, so that a deployment without an upstream model is sent
 * the name the client used). Names longer than GW_MODEL_NAME_MAX match nothing.
 */
const struct gw_model_group *gw_catalog_find(const struct gw_catalog *catalog, struct gw_str model,
                                             struct gw_str *suffix);

/* Longest model name accepted; vendors' longest (Bedrock inference-profile ARNs) stay below 256. */
#define GW_MODEL_NAME_MAX 512

/* Groups in the order of the configuration. */
size_t gw_catalog_group_count(const struct gw_catalog *catalog);

/* Group number |index|, which is below gw_catalog_group_count(). */
const struct gw_model_group *gw_catalog_group(const struct gw_catalog *catalog, size_t index);

#define GW_CATALOG_CLOSE_NAMES 3

/* Up to GW_CATALOG_CLOSE_NAMES names like |model|, best first; returns how many. */
size_t gw_catalog_close_names(const struct gw_catalog *catalog, struct gw_str model,
                              struct gw_str names[GW_CATALOG_CLOSE_NAMES]);

/* The first group with a deployment of provider |provider_name|, or NULL; pass-through requests
 * without a model go to those of them. */
const struct gw_model_group *gw_catalog_first_of(const struct gw_catalog *catalog,
                                                 struct gw_str provider_name);

#endif
