/* SPDX-License-Identifier: MIT */
/*
 * core/routes - from method and path to what a request asks for.
 *
 * Source:   shared/providers/openai.md sections 1 and 9; inbound.md A1, B1;
 *           shared/reference/compat.md section 9 (entry points clients expect).
 * Shape:    two tables. OpenAI's surface is served under /v1, /openai/v1, without a prefix, and
 *           under /openai/deployments/{model}; other dialects under their own paths, Anthropic's
 *           also behind /anthropic.
 * Units:    none
 * Limits:   none
 * Memory:   views into the path, static texts
 * Threads:  any
 * Errors:   unknown paths and wrong methods are results, not errors
 */
#ifndef GW_CORE_ROUTES_H
#define GW_CORE_ROUTES_H

#include "base/str.h"
#include "http/message.h"
#include "llm/request.h"

/* What a route needs before it can be served. */
enum gw_route_kind {
    GW_ROUTE_UNKNOWN,      /* no such path: 404 */
    GW_ROUTE_WRONG_METHOD, /* the path exists for other methods: 405, |allow| lists them */
    GW_ROUTE_LOCAL,        /* answered here: see local */
    GW_ROUTE_JSON,         /* a JSON body whose "model" decides where it goes */
    GW_ROUTE_FORM,         /* a multipart form whose "model" decides where it goes */
    GW_ROUTE_PASS,         /* goes to the provider as it is, body streamed */
    GW_ROUTE_INSPECT,      /* tells about routing: see inspect */
};

/* What is told about routing, core/inspect.h. */
enum gw_inspect {
    GW_INSPECT_NONE,
    GW_INSPECT_STATS,
    GW_INSPECT_STATS_RESET,
    GW_INSPECT_CONFIG,
    GW_INSPECT_STRATEGY, /* sets it */
    GW_INSPECT_BREAKERS,
    GW_INSPECT_HEALTH_STATS,
    GW_INSPECT_HEALTH_MODELS,
    GW_INSPECT_ANALYZE,
    GW_INSPECT_DECISION,
    GW_INSPECT_EXPLAIN,
    GW_INSPECT_DEPLOYMENTS,
    GW_INSPECT_MODEL_STATS,
};

enum gw_route_local {
    GW_LOCAL_NONE,
    GW_LOCAL_INDEX,
    GW_LOCAL_HEALTH,
    GW_LOCAL_READY,
    GW_LOCAL_LIVE,
    GW_LOCAL_MODELS,
    GW_LOCAL_MODEL,
    GW_LOCAL_VERSION, /* Ollama's */
    GW_LOCAL_SHOW,    /* Ollama's: what one model can do; its name is in the body */
};

struct gw_route {
    enum gw_route_kind kind;
    enum gw_route_local local;
    enum gw_dialect_id dialect; /* also of unknown paths: errors are told in its shape */
    enum gw_task task;
    struct gw_str path;       /* as it goes upstream: OpenAI's behind the prefix
                                 ("/chat/completions"), others' whole ("/v1/messages",
                                 "/v1beta/models/m:generateContent") */
    struct gw_str path_model; /* model named by the path (Azure style, or /models/{id}); still
                                 percent-encoded; else empty */
    struct gw_str allow;      /* WRONG_METHOD: value of the Allow field */
    enum gw_inspect inspect;  /* of GW_ROUTE_INSPECT */
    bool is_enveloped;        /* answers and errors in VelocityLLM's shape (compat.md 6.5) */
    bool is_open;             /* served without a key: health and index */
    bool needs_model;         /* JSON, FORM: a request without a model is an error */
};

/* Finds the route; never fails. */
struct gw_route gw_route_find(enum gw_http_method method, struct gw_str path);

#endif
