/* SPDX-License-Identifier: MIT */
/*
 * policy/routing - how requests are routed, as the configuration says it: per deployment, per model
 * group, and for all of them.
 *
 * Source:   DESIGN section 5; reference/compat.md 5.3, 6.10 to 6.14, 5a.
 * Shape:    values; a group and a deployment of the catalog point at theirs. Names of models are
 *           looked up when they are needed, so a pattern's models can be named, too.
 * Units:    in the names
 * Limits:   GW_ROUTING_TAGS_MAX tags in a configuration; GW_ROUTING_NAMES_MAX names in a list
 * Memory:   the snapshot's
 * Threads:  any: immutable
 * Errors:   none
 */
#ifndef GW_POLICY_ROUTING_H
#define GW_POLICY_ROUTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "llm/catalog.h"
#include "policy/breaker_word.h"
#include "policy/complexity.h"
#include "policy/concurrency.h"
#include "policy/fallback.h"
#include "policy/hedge.h"
#include "policy/limits.h"
#include "policy/probe.h"
#include "policy/retry.h"
#include "policy/strategy.h"

#define GW_ROUTING_TAGS_MAX  64 /* a set of them is a word */
#define GW_ROUTING_NAMES_MAX 16 /* no request visits more than GW_RETRY_GROUPS_MAX groups */

/* Of a deployment; gw_deployment.routing. */
struct gw_deployment_routing {
    struct gw_limit_options limits;            /* of all its keys together */
    struct gw_limit_options key_limits;        /* of each of its keys */
    struct gw_breaker_options breaker;         /* bounded */
    struct gw_concurrency_options concurrency; /* bounded; is_on false: no adaptive limit */
    struct gw_probe_options probe;             /* bounded; is_on false: not probed */
    struct gw_str probe_model; /* what its vendor is asked for; empty: its own model */
    uint64_t tags;             /* bits as in gw_routing.tags */
    int32_t priority;          /* higher ones first */
    uint32_t quality;          /* 0..1000; 0: unknown */
    bool is_local;             /* runs on the gateway's own machines, for FAILOVER_MODE */
};

/* The model by which |group|'s |deployment| is probed; empty: it is not, because nobody wants that,
 * it answers in the process, or it has no single model ("openai/" + "*"). */
static inline struct gw_str gw_routing_probe_model(const struct gw_model_group *group,
                                                   const struct gw_deployment *deployment)
{
    const struct gw_deployment_routing *routing = deployment->routing;
    if (!routing->probe.is_on || deployment->origin == NULL) {
        return gw_str(NULL, 0);
    }
    if (routing->probe_model.len > 0) {
        return routing->probe_model;
    }
    struct gw_str model =
        deployment->upstream_model.len > 0 ? deployment->upstream_model : group->name;
    return gw_str_find_byte(model, '*') < model.len ? gw_str(NULL, 0) : model;
}

/* Models by name, in the order to try. */
struct gw_name_list {
    const struct gw_str *names;
    size_t count;
};

/* By what the choice of a deployment sticks. */
enum gw_affinity_by {
    GW_AFFINITY_NONE,
    GW_AFFINITY_USER,   /* "user" of the body, else the key */
    GW_AFFINITY_KEY,    /* who asked */
    GW_AFFINITY_PREFIX, /* the beginning of the conversation: the provider's prompt cache is hit */
};

/* Waiting while every deployment of a group is at a limit. */
struct gw_queue_policy {
    uint32_t max_waiting; /* requests of a worker; 0: nobody waits */
    uint64_t timeout_ms;
};

/* A copy of some requests goes to another model, whose answers are thrown away. */
struct gw_mirror_policy {
    struct gw_str model; /* empty: no mirror */
    uint32_t permille;   /* of the requests, by their affinity or at random */
};

/* A stream that is slower than the floor, before much has been delivered, is moved or hedged. */
struct gw_slow_stream_policy {
    uint32_t floor_tokens_per_s;   /* 0: off */
    uint64_t grace_ms;             /* of the stream before it is measured */
    uint64_t max_delivered_tokens; /* with more on the client's screen it stays where it is */
};

/* Of a model group; gw_model_group.routing. */
struct gw_group_routing {
    enum gw_strategy strategy;
    struct gw_retry_policy retry; /* bounded */
    struct gw_hedge_policy hedge;
    struct gw_name_list fallbacks; /* its own, else the default ones */
    struct gw_name_list context_window_fallbacks;
    struct gw_name_list content_policy_fallbacks;
    bool uses_presets; /* nothing is configured: chains between vendors, as far as they exist */
    enum gw_affinity_by affinity;
    struct gw_queue_policy queue;
    struct gw_mirror_policy mirror;
    struct gw_slow_stream_policy slow_stream;
    bool recovers_streams; /* a text stream that breaks is continued by another deployment */
};

/* For all groups; gw_snapshot.routing. */
struct gw_routing {
    enum gw_failover_mode failover_mode;
    struct gw_name_list tags; /* number of a name: its bit */
    bool filters_tags;        /* else |tags| is empty */
    /* Model "auto", or none: the model for each complexity; empty: the first group. */
    struct gw_str tiers[GW_COMPLEXITY_HIGH + 1];
    const struct gw_complexity_override *overrides;
    size_t override_count;
    bool checks_context; /* leave out deployments whose context is shorter than the request */
};

#endif
