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

enum gw_provider_kind {
    GW_PROVIDER_OPENAI,  /* speaks OpenAI's HTTP API under base_url */
    GW_PROVIDER_BUILTIN, /* answers inside the process: gatewire/demo */
};

struct gw_provider {
    struct gw_str name; /* "openai", as in "openai/gpt-..." */
    enum gw_provider_kind kind;
    struct gw_str default_base_url; /* empty: api_base must be configured */
    struct gw_str key_env; /* "OPENAI_API_KEY"; empty: none. _1, _2, ... and the plural _KEYS follow
                              from it */
    struct gw_str base_url_env; /* "OPENAI_BASE_URL"; empty: none */
    bool needs_key;             /* calling without a credential cannot work */
    uint16_t local_port; /* not 0: a local server of this kind is looked for on 127.0.0.1 at start
                            without configuration */
    struct gw_str key_env_alias; /* another name of key_env that users of other gateways have set */
    uint16_t local_port_alias;   /* a second port that local servers of this kind use */
    /* Bare model names that belong to this vendor ("gpt-", "o3"); NULL-terminated list or NULL. */
    const char *const *model_prefixes;
};

/* The row of that name or of one of its aliases ("together_ai"), or NULL. */
const struct gw_provider *gw_provider_find(struct gw_str name);

/* Row number |index|, or NULL behind the last. */
const struct gw_provider *gw_provider_at(size_t index);

/*
 * The variable that holds a key of a vendor whose own API this version does not speak, number
 * |index|, with the vendor's name; false behind the last. For telling the user why his key is not
 * used.
 */
bool gw_provider_unserved_at(size_t index, struct gw_str *name, struct gw_str *key_env);

/* The vendor whose known prefixes |model| begins with, or NULL. */
const struct gw_provider *gw_provider_of_model(struct gw_str model);

#endif
