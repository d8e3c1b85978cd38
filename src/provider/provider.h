/* SPDX-License-Identifier: MIT */
/*
 * provider/provider - what gatewire knows of a vendor's API: the table of rows that configuration
 * and routing read.
 *
 * Source:   shared/providers pages; each row names its vendor's page.
 * Shape:    static const rows; adding a vendor that speaks OpenAI's dialect is one row in
 *           registry.c.
 * Units:    none
 * Limits:   none
 * Memory:   static
 * Threads:  any (immutable)
 * Errors:   none
 */
#ifndef GW_PROVIDER_PROVIDER_H
#define GW_PROVIDER_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Which API a vendor speaks, and with it how it is addressed and logged in to. */
enum gw_provider_kind {
    GW_PROVIDER_OPENAI, /* OpenAI's HTTP API under base_url */
    GW_PROVIDER_AZURE,  /* OpenAI's, with deployments, versions and Entra tokens */
    GW_PROVIDER_ANTHROPIC,
    GW_PROVIDER_GEMINI,
    GW_PROVIDER_VERTEX,  /* Gemini and Claude in a Google Cloud project; host by location */
    GW_PROVIDER_BEDROCK, /* host by region; SigV4 or a bearer key */
    GW_PROVIDER_COHERE,
    GW_PROVIDER_BUILTIN, /* answers inside the process: gatewire/demo */
};

struct gw_provider {
    struct gw_str name; /* "openai", as in "openai/gpt-..." */
    enum gw_provider_kind kind;
    /* Empty: api_base must be configured, or follows from region or location. */
    struct gw_str default_base_url;
    struct gw_str key_env; /* "OPENAI_API_KEY"; empty: none. _1, _2, ... and the plural _KEYS follow
                              from it */
    struct gw_str base_url_env;       /* "OPENAI_BASE_URL"; empty: none. OPENAI_API_BASE follows */
    const char *base_url_env_aliases; /* other names, separated by spaces; or NULL */
    /* The codec writes this itself ("/v1"): left out where api_base ends with it, because the
     * vendor's SDKs or other gateways want it there. Empty: nothing is. */
    struct gw_str own_path;
    /* Ends of host names under which keys of the environment may be used, beside the default's;
     * NULL-terminated list or NULL. */
    const char *const *own_hosts;
    bool needs_key;      /* calling without a credential cannot work */
    uint16_t local_port; /* not 0: a local server of this kind is looked for on 127.0.0.1 at start
                            without configuration */
    struct gw_str key_env_alias; /* another name of key_env that users of other gateways have set */
    uint16_t local_port_alias;   /* a second port that local servers of this kind use */
    /* Bare model names that belong to this vendor ("gpt-", "o3"); NULL-terminated list or NULL. */
    const char *const *model_prefixes;
    /* The same for models of others that this vendor serves too: used without a configuration,
     * where the environment turns on nobody else for them. */
    const char *const *shared_prefixes;
};

/* The row of that name or of one of its aliases ("together_ai"), or NULL. */
const struct gw_provider *gw_provider_find(struct gw_str name);

/* Row number |index|, or NULL behind the last. */
const struct gw_provider *gw_provider_at(size_t index);

/* The vendor whose known prefixes |model| begins with, or NULL. */
const struct gw_provider *gw_provider_of_model(struct gw_str model);

#endif
