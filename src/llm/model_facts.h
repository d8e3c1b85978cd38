/* SPDX-License-Identifier: MIT */
/*
 * llm/model_facts - what is known of models: context window, longest output, abilities, prices.
 *
 * Source:   model_facts.json beside this file, turned into a table when the program is built; the
 *           configuration's model_info goes before.
 * Shape:    looked up by provider and upstream model. A name that goes on with a date or a version
 *           behind a known one ("gpt-4o-2024-08-06", "claude-sonnet-4-5@20250929") is that model;
 *           of several the longest counts.
 * Units:    prices in nano-USD per million tokens
 * Limits:   none
 * Memory:   values; the table is static.
 * Threads:  any (immutable)
 * Errors:   none: what is not known is marked so.
 */
#ifndef GW_LLM_MODEL_FACTS_H
#define GW_LLM_MODEL_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

struct gw_deployment; /* llm/catalog.h */

#define GW_PRICE_UNKNOWN (-1)

/* XX(id, name): inputs beside text, kind, and what the API offers. */
#define GW_ABILITY_MAP(XX)                                                                         \
    XX(IMAGE, image)                                                                               \
    XX(AUDIO, audio)                                                                               \
    XX(VIDEO, video)                                                                               \
    XX(PDF, pdf)                                                                                   \
    XX(EMBEDDING, embedding) /* gives vectors, not text */                                         \
    XX(TOOLS, tools)                                                                               \
    XX(REASONING, reasoning)                                                                       \
    XX(CACHE, cache) /* cached input is cheaper */

enum gw_ability {
#define XX(id, name) GW_ABILITY_##id,
    GW_ABILITY_MAP(XX)
#undef XX
        GW_ABILITY_COUNT,
};

/* Each a price, or GW_PRICE_UNKNOWN. */
struct gw_model_prices {
    int64_t input;
    int64_t output; /* reasoning included */
    int64_t cached_input;
    int64_t cache_write;
    int64_t cache_write_1h; /* kept for an hour instead of minutes */
};

struct gw_model_facts {
    uint64_t context_tokens;    /* 0: not known */
    uint64_t max_output_tokens; /* 0: not known */
    uint32_t abilities;         /* 1 << enum gw_ability */
    struct gw_model_prices prices;
    uint64_t long_input_tokens; /* longer inputs cost |long_prices|; 0: there is no such limit */
    struct gw_model_prices long_prices;
    uint64_t next_from_s; /* |next_prices| count from then on (since 1970); 0: no change known */
    struct gw_model_prices next_prices;
};

/* Facts of which nothing is known. */
void gw_model_facts_clear(struct gw_model_facts *facts);

/*
 * Looks |model| of |provider| up in the table; |region| tells regional prices from global ones and
 * may be empty. False, and cleared facts, when nothing is known of it.
 */
bool gw_model_facts_find(struct gw_str provider, struct gw_str region, struct gw_str model,
                         struct gw_model_facts *facts);

/*
 * The facts of |model| on |deployment|: what its model_info says, and for the rest the table's.
 * False when nothing is known.
 */
bool gw_model_facts_of(const struct gw_deployment *deployment, struct gw_str model,
                       struct gw_model_facts *facts);

/* Provider and name of number |index| of the table's models; false behind the last. */
bool gw_model_facts_at(size_t index, struct gw_str *provider, struct gw_str *model);

/* The prices of a request with |input_tokens| (cached ones too) at |now_s|. */
const struct gw_model_prices *gw_model_facts_prices(const struct gw_model_facts *facts,
                                                    uint64_t input_tokens, uint64_t now_s);

/* "image"; NULL behind the last. */
const char *gw_ability_name(enum gw_ability ability);

/*
 * Reads a decimal number of USD per token, as "0.000003" or "3e-06", exactly: no floating point. A
 * rest below one nano-USD per million tokens is rounded.
 *
 * Errors: GW_ERR_INVALID (no number, negative), GW_ERR_TOO_LARGE (a dollar per token or more).
 */
GW_MUST_USE enum gw_err gw_price_parse_per_token(struct gw_str text, int64_t *price);

/* What the configuration says of a deployment's model. */
struct gw_model_info {
    struct gw_str base_model; /* look this name up instead of the model's; or empty */
    /* Zero, or GW_PRICE_UNKNOWN in prices: not said. */
    uint64_t context_tokens;
    uint64_t max_output_tokens;
    struct gw_model_prices prices;
    uint32_t abilities;   /* that it has */
    uint32_t inabilities; /* that it has not */
};

#endif
