/* SPDX-License-Identifier: MIT */
/*
 * llm/usage - what a request consumed.
 *
 * Source:   shared/providers/openai.md section 5: input includes cached, output includes reasoning.
 * Shape:    plain value
 * Units:    tokens
 * Limits:   none
 * Memory:   none
 * Threads:  any
 * Errors:   none
 */
#ifndef GW_LLM_USAGE_H
#define GW_LLM_USAGE_H

#include <stdbool.h>
#include <stdint.h>

struct gw_usage {
    uint64_t input_tokens; /* all of them, cached ones too */
    uint64_t cached_tokens;
    uint64_t cache_write_tokens;
    uint64_t output_tokens; /* all of them, reasoning ones too */
    uint64_t reasoning_tokens;
    bool is_known;     /* false: nothing was reported or estimated yet */
    bool is_estimated; /* the provider reported nothing; see policy/token_estimate.h */
};

#endif
