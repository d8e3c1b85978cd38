/* SPDX-License-Identifier: MIT */
/*
 * config/login_int - clouds: where their APIs are and who we are there. Region, project and version
 * of Azure, Bedrock and Vertex AI deployments, and the token source of those without a key.
 *
 * Source:   shared/providers: azure.md, bedrock.md, vertex.md; LiteLLM's parameters and variables
 * Shape:    each value is looked for in the entry of model_list (when there is one), then in the
 *           environment.
 * Units:    none
 * Limits:   GW_TOKEN_SPEC_MAX_BYTES per token source
 * Memory:   the results are in the snapshot.
 * Threads:  not shared
 * Errors:   in the report.
 */
#ifndef GW_CONFIG_LOGIN_INT_H
#define GW_CONFIG_LOGIN_INT_H

#include "config/model_entry_int.h"
#include "control/token_spec.h"

/* Who asks. */
struct gw_login_ask {
    struct gw_config_build *build;
    const struct gw_provider *provider;
    const struct gw_model_entry *entry; /* NULL: the environment alone */
};

/* Where a deployment is. */
struct gw_cloud {
    struct gw_str region;      /* AWS region, Google location; or empty */
    struct gw_str project;     /* Google Cloud's; or empty */
    struct gw_str api_version; /* or empty */
    struct gw_str base_url;    /* that follows from the region; or empty */
};

struct gw_login_text {
    struct gw_str text; /* empty: nowhere */
    bool is_own;        /* the entry says so, not the environment */
};

/*
 * The value under one of |names| in the entry, or in one of the variables |env|; either may be "".
 *
 * Errors: GW_ERR_INVALID (reported), GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_login_read(const struct gw_login_ask *ask, const char *names,
                                      const char *env, struct gw_login_text *value);

/*
 * Region, project, version and address for |ask|. |model| loses what stands before the model's own
 * name ("converse/", "us-east-1/").
 *
 * Errors: as gw_login_read().
 */
GW_MUST_USE enum gw_err gw_build_cloud(const struct gw_login_ask *ask, struct gw_str *model,
                                       struct gw_cloud *cloud);

/* What the |address| of an API says about its version: Azure's that ends with /openai/v1. */
void gw_cloud_use_base(struct gw_cloud *cloud, const struct gw_provider *provider,
                       struct gw_str address);

/* Which parameters count: the entry's own go before a key of the environment, others behind it. */
enum gw_login_origin {
    GW_LOGIN_OWN,
    GW_LOGIN_ENVIRONMENT,
};

/*
 * The slot that the deployment's token will be in, when there is a login of that origin; else NULL.
 *
 * Errors: as gw_login_read().
 */
GW_MUST_USE enum gw_err gw_build_token(const struct gw_login_ask *ask, const struct gw_cloud *cloud,
                                       enum gw_login_origin origin, struct gw_token_slot **slot);

/* Reads a Google credentials file or text for its "project_id"; empty without one. Errors:
 * GW_ERR_INVALID (no such file, or not JSON), GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_login_google_project(const struct gw_login_ask *ask,
                                                struct gw_str credentials, struct gw_str *project);

/* The entry's or the environment's Google credentials: a path, or JSON; empty: none. Errors: as
 * gw_login_read(). */
GW_MUST_USE enum gw_err gw_login_google_credentials(const struct gw_login_ask *ask,
                                                    struct gw_login_text *credentials);

/* The source that |spec| describes, in the snapshot's care. Errors: GW_ERR_INVALID (reported),
 * GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_login_acquire(const struct gw_login_ask *ask, struct gw_token_spec *spec,
                                         struct gw_token_slot **slot);

/* AWS's part of gw_build_token(). */
GW_MUST_USE enum gw_err gw_login_aws(const struct gw_login_ask *ask, const struct gw_cloud *cloud,
                                     enum gw_login_origin origin, struct gw_token_slot **slot);

#endif
