/* SPDX-License-Identifier: MIT */
/*
 * provider/openai_quirks - how vendors that speak OpenAI's API differ from it, one row each; for
 * requests that are translated. What an OpenAI client sends travels as it is.
 *
 * Source:   shared/providers/openai.md sections 2 and 3; mistral-deepseek-xai.md A2, B2, C2;
 *           groq.md section 2; local.md section 2; azure.md section 3. Together, Fireworks,
 *           OpenRouter, Perplexity: the pages that registry.c names.
 * Shape:    static const rows, found by the provider's name
 * Units:    none
 * Limits:   none
 * Memory:   static
 * Threads:  any
 * Errors:   none
 */
#ifndef GW_PROVIDER_OPENAI_QUIRKS_H
#define GW_PROVIDER_OPENAI_QUIRKS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* Members of a request that are copied as they are, or not at all. XX(identifier, name) */
#define GW_OPENAI_MEMBER_MAP(XX)                                                                   \
    XX(TEMPERATURE, "temperature")                                                                 \
    XX(TOP_P, "top_p")                                                                             \
    XX(TOP_K, "top_k")                                                                             \
    XX(PRESENCE_PENALTY, "presence_penalty")                                                       \
    XX(FREQUENCY_PENALTY, "frequency_penalty")                                                     \
    XX(LOGIT_BIAS, "logit_bias")                                                                   \
    XX(LOGPROBS, "logprobs")                                                                       \
    XX(TOP_LOGPROBS, "top_logprobs")                                                               \
    XX(STOP, "stop")                                                                               \
    XX(SEED, "seed")                                                                               \
    XX(USER, "user")                                                                               \
    XX(METADATA, "metadata")                                                                       \
    XX(STORE, "store")                                                                             \
    XX(SERVICE_TIER, "service_tier")                                                               \
    XX(PREDICTION, "prediction")                                                                   \
    XX(MODALITIES, "modalities")                                                                   \
    XX(AUDIO, "audio")                                                                             \
    XX(VERBOSITY, "verbosity")                                                                     \
    XX(WEB_SEARCH_OPTIONS, "web_search_options")                                                   \
    XX(SAFETY_IDENTIFIER, "safety_identifier")                                                     \
    XX(MODERATION, "moderation")                                                                   \
    XX(PROMPT_CACHE_KEY, "prompt_cache_key")                                                       \
    XX(PROMPT_CACHE_RETENTION, "prompt_cache_retention")                                           \
    XX(PROMPT_CACHE_OPTIONS, "prompt_cache_options")

enum gw_openai_member {
#define XX(id, name) GW_OPENAI_##id,
    GW_OPENAI_MEMBER_MAP(XX)
#undef XX
        GW_OPENAI_MEMBER_COUNT
};

/* The member's name; static. */
struct gw_str gw_openai_member_name(enum gw_openai_member member);

/* What a vendor makes of reasoning_effort. */
enum gw_openai_effort {
    GW_EFFORT_PASS,     /* as it is */
    GW_EFFORT_BY_MODEL, /* OpenAI: gw_openai_model_of() knows */
    GW_EFFORT_THREE,    /* low, medium, high */
    GW_EFFORT_MISTRAL,  /* none, high */
    GW_EFFORT_DEEPSEEK, /* a "thinking" object beside low, high, max */
    GW_EFFORT_GROQ,     /* by model */
    GW_EFFORT_XAI,      /* by model */
    GW_EFFORT_OLLAMA,   /* none, low, medium, high, max */
};

/* How a vendor is asked to go on with a last message that is the assistant's ("prefix": true). */
enum gw_openai_prefix {
    GW_PREFIX_NONE,  /* not at all */
    GW_PREFIX_LAST,  /* it is the last one: that is enough */
    GW_PREFIX_MARK,  /* Mistral, DeepSeek: by that same member */
    GW_PREFIX_FLAGS, /* vLLM: by two members of the request */
};

struct gw_openai_quirks {
    struct gw_str provider;
    uint64_t drops;           /* bit per enum gw_openai_member that the vendor refuses or ignores */
    struct gw_str max_tokens; /* what the member is called */
    struct gw_str reasoning;  /* what an assistant's earlier reasoning is called; empty: none */
    struct gw_str seed;       /* another name of "seed", or empty */
    struct gw_str user;       /* another name of "user", or empty */
    enum gw_openai_effort effort;
    enum gw_openai_prefix prefix;
    bool wants_reasoning;     /* DeepSeek refuses calls that come back without their reasoning */
    bool has_developer;       /* role "developer", and parts in system messages */
    bool has_custom_tools;    /* and allowed_tools */
    bool wants_open_schemas;  /* xAI: no "additionalProperties":false in tools */
    bool has_no_tools;        /* Perplexity */
    bool has_no_tool_choice;  /* Ollama ignores it */
    bool has_no_schema;       /* DeepSeek: JSON, but not by a schema */
    bool has_no_stream_usage; /* tells usage unasked, or refuses to be asked */
    bool has_files;           /* parts of type "file" */
    bool has_no_audio;        /* parts of type "input_audio" */
    bool has_no_remote_image; /* Ollama: data URLs only */
    bool is_mistral;      /* tool ids of nine characters, strict order of roles, other part types */
    bool has_responses;   /* serves /responses too */
    bool has_completions; /* serves /completions too */
};

/* The row of that vendor; the most careful one for those that have none. */
const struct gw_openai_quirks *gw_openai_quirks_of(struct gw_str provider);

/* What a model of OpenAI's accepts. */
struct gw_openai_model {
    bool is_reasoning;     /* thinks unless told otherwise, or always */
    bool has_none;         /* takes effort "none" */
    bool has_minimal;      /* takes "minimal" */
    bool has_xhigh;        /* takes "xhigh" */
    bool is_none_default;  /* thinks only when an effort is given */
    bool has_fixed_effort; /* takes no effort but its own */
};

/* By the model's name, with or without a vendor's prefix. */
struct gw_openai_model gw_openai_model_of(struct gw_str model);

#endif
