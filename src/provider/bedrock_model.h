/* SPDX-License-Identifier: MIT */
/*
 * provider/bedrock_model - what the models on Bedrock can do, read from their names.
 *
 * Source:   shared/providers/bedrock.md section 2, anthropic.md section 3
 * Shape:    a model id ("us.anthropic.claude-sonnet-4-5-20250929-v1:0") or an ARN becomes a value.
 *           A name that tells nothing (an application inference profile) is a model of which
 *           nothing special is known.
 * Units:    Claude's version times ten: 45 is 4.5
 * Limits:   none
 * Memory:   allocates nothing; views of the name
 * Threads:  any
 * Errors:   none
 */
#ifndef GW_PROVIDER_BEDROCK_MODEL_H
#define GW_PROVIDER_BEDROCK_MODEL_H

#include <stdbool.h>

#include "base/str.h"

enum gw_bedrock_family {
    GW_BEDROCK_OTHER,
    GW_BEDROCK_CLAUDE,
    GW_BEDROCK_NOVA,
    GW_BEDROCK_NOVA2,
    GW_BEDROCK_GPT_OSS,
    GW_BEDROCK_LLAMA,
    GW_BEDROCK_MISTRAL,
    GW_BEDROCK_COHERE,
    GW_BEDROCK_TITAN,
    GW_BEDROCK_DEEPSEEK_R1,
};

/* How a Claude model is told to think. */
enum gw_bedrock_thinking {
    GW_BEDROCK_THINKS_NOT,
    GW_BEDROCK_THINKS_BUDGET,   /* enabled, with a number of tokens */
    GW_BEDROCK_THINKS_ADAPTIVE, /* adaptive, with an effort */
};

/* How a JSON schema is brought to the model. */
enum gw_bedrock_schema {
    GW_BEDROCK_SCHEMA_NATIVE, /* outputConfig.textFormat */
    GW_BEDROCK_SCHEMA_TOOL,   /* as the one tool it must call */
    GW_BEDROCK_SCHEMA_PROMPT, /* in the system prompt */
};

struct gw_bedrock_model {
    struct gw_str id; /* as the path wants it, not escaped */
    enum gw_bedrock_family family;
    enum gw_bedrock_thinking thinking;
    enum gw_bedrock_schema schema;
    bool thinks_always;     /* cannot be told not to */
    bool thinks_by_default; /* unless told not to */
    bool stays_brief;       /* "between_tools" is the least it can think */
    bool has_xhigh;
    bool omits_thoughts;     /* unless asked to show them */
    bool refuses_sampling;   /* temperature, top_p, top_k */
    bool takes_one_sampling; /* temperature or top_p, not both */
    bool refuses_forced;     /* a forced tool call, always */
    bool caches;             /* takes cachePoint blocks */
    bool caches_tools;       /* among the tools too */
    bool has_result_status;
};

/* Reads |name|: a model id or ARN, with "converse/" or a region and a slash in front if need be. */
struct gw_bedrock_model gw_bedrock_model_of(struct gw_str name);

#endif
