/* SPDX-License-Identifier: MIT */
/*
 * core/inspect_int - what the pages about routing share.
 *
 * Source:   reference/compat.md 1.2 (VelocityLLM's router paths), 2.2 (PLLM's models/stats)
 * Shape:    a page writes its data into a buffer; core/inspect reads the body before it and puts
 *           the envelope around it. Deployments are walked in the order of the configuration.
 * Units:    milliseconds of a monotonic clock
 * Limits:   a page's length follows the configuration's; bodies are bounded by the listener.
 * Memory:   none of its own
 * Threads:  its worker's thread; what is read are the atomics that all workers share.
 * Errors:   see the functions.
 */
#ifndef GW_CORE_INSPECT_INT_H
#define GW_CORE_INSPECT_INT_H

#include <yyjson.h>

#include "core/core_int.h"
#include "json/value.h"
#include "json/write.h"

/* One request for a page. */
struct gw_inspection {
    struct gw_request *request;
    const struct gw_conf *conf;
    uint64_t now_ms;
    yyjson_val *body;        /* of POST and PUT, an object; else NULL */
    struct gw_error refusal; /* set before GW_ERR_INVALID is returned */
};

/* Writes a page's data. Errors: GW_ERR_INVALID (refused), GW_ERR_NOMEM; others stick in |out|. */
typedef enum gw_err gw_inspect_fn(struct gw_inspection *inspection, struct gw_buf *out);

/* Refuses with |status|; returns GW_ERR_INVALID. |message| lives in the request's arena. */
GW_MUST_USE enum gw_err gw_inspect_refuse(struct gw_inspection *inspection, unsigned status,
                                          struct gw_str param, struct gw_str message);

/* Appends true or false as the member |key|; failures stick in |out|. */
static inline void gw_inspect_write_bool(struct gw_str key, bool value, struct gw_buf *out)
{
    gw_json_write_raw(key, value ? GW_STR("true") : GW_STR("false"), out);
}

/* ---- inspect_deployment.c ---- */

enum gw_inspect_status {
    GW_INSPECT_HEALTHY,
    GW_INSPECT_DEGRADED,  /* serves, but fails or is slow at times */
    GW_INSPECT_UNHEALTHY, /* its breaker is open, its probes fail, or it has no usable key */
};

/* One deployment as it stands. */
struct gw_inspect_deployment {
    const struct gw_deployment *deployment;
    const struct gw_model_group *group;
    struct gw_deployment_state *state;
    struct gw_credential_state *const *keys;
    enum gw_inspect_status status;
    enum gw_breaker_phase phase;
    uint64_t breaker_wait_ms; /* until it is tried again; 0: it may be now */
    uint32_t health;          /* 0..100 */
    uint32_t score;           /* 0..100: health weighed with load, latency and failures */
    uint32_t in_flight;
    uint32_t latency_us; /* average to the first byte; 0: unknown, or old */
    size_t resting;      /* keys */
    size_t refused;      /* keys */
    bool is_probed;
    bool is_down; /* by its probes */
};

/* Where a walk over all deployments stands; zeroed but for |conf| and |now_ms| at the beginning. */
struct gw_inspect_walk {
    const struct gw_conf *conf;
    uint64_t now_ms;
    size_t group;
    size_t member;
    size_t key;
};

/* The next deployment; false behind the last. */
bool gw_inspect_next(struct gw_inspect_walk *walk, struct gw_inspect_deployment *found);

/* "healthy", "degraded", "unhealthy". */
struct gw_str gw_inspect_status_name(enum gw_inspect_status status);

/* Appends |us| in milliseconds as the member |key|, null for 0; failures stick in |out|. */
void gw_inspect_write_latency(struct gw_str key, uint64_t us, struct gw_buf *out);

/* Appends how its probes stand as the members of an object; failures stick in |out|. */
void gw_inspect_write_probe(const struct gw_inspect_deployment *found, uint64_t now_ms,
                            struct gw_buf *out);

/* Appends all of it as an object; failures stick in |out|. */
void gw_inspect_write_deployment(const struct gw_inspect_deployment *found, uint64_t now_ms,
                                 struct gw_buf *out);

/* ---- the pages ---- */

/* inspect_router.c */
gw_inspect_fn gw_inspect_stats;
gw_inspect_fn gw_inspect_stats_reset;
gw_inspect_fn gw_inspect_config;
gw_inspect_fn gw_inspect_strategy;
/* inspect_breakers.c */
gw_inspect_fn gw_inspect_breakers;
gw_inspect_fn gw_inspect_model_stats;
/* inspect_prompt.c */
gw_inspect_fn gw_inspect_analyze;
gw_inspect_fn gw_inspect_decision;
/* inspect_explain.c */
gw_inspect_fn gw_inspect_explain;
/* inspect_health.c */
gw_inspect_fn gw_inspect_health_stats;
gw_inspect_fn gw_inspect_health_models;
gw_inspect_fn gw_inspect_deployments;

#endif
