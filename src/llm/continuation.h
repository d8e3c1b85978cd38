/* SPDX-License-Identifier: MIT */
/*
 * llm/continuation - the request that lets another deployment go on with an answer whose stream
 * broke in the middle of its text.
 *
 * Source:   shared/providers/anthropic.md section 2 (prefill), mistral-deepseek-xai.md A2 and B1
 *           ("prefix"; DeepSeek's is a beta with a path of its own), vLLM's and llama.cpp's servers
 *           (continue_final_message, a final assistant message), Amazon's guide for Nova 1.
 * Shape:    the conversation with what the client has already at its end, as an assistant's message
 *           with "prefix": true. An encode() that has a name for it writes that; to the others it
 * is a last message. Only text can be gone on with: where a tool's call or reasoning was on its way
 * the caller does not ask.
 * Units:    tokens
 * Limits:   those of the documents
 * Memory:   see the functions
 * Threads:  any
 * Errors:   see the functions
 */
#ifndef GW_LLM_CONTINUATION_H
#define GW_LLM_CONTINUATION_H

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

/* Who would go on. */
struct gw_continuation_target {
    struct gw_str provider;  /* its name: "anthropic", "mistral", ... */
    struct gw_str base_path; /* of the deployment's endpoint */
    struct gw_str model;     /* as the provider calls it */
};

/* Can |target| go on with an answer to |chat|? False also where it is not known to. */
bool gw_continuation_is_possible(const struct gw_continuation_target *target, yyjson_val *chat);

/* Does |target| repeat what it was given before it goes on? For gw_continuation_join_init(). */
bool gw_continuation_repeats(const struct gw_continuation_target *target);

/* |delivered| without the white space at its end, with which a prefix must not end. */
struct gw_str gw_continuation_prefix(struct gw_str delivered);

/*
 * |chat| with |delivered| at its end, and a limit of tokens that is smaller by |delivered_tokens|
 * (about). All other members are copied as they are, in their order. The caller frees *continued by
 * yyjson_doc_free(). Deterministic. For a |chat| for which gw_continuation_is_possible().
 *
 * Errors: GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_continuation_make(yyjson_val *chat, struct gw_str delivered,
                                             uint64_t delivered_tokens, yyjson_doc **continued);

#endif
