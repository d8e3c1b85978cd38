/* SPDX-License-Identifier: MIT */
/*
 * policy/token_estimate - how many tokens a text is, where the provider does not say.
 *
 * Source:   measured: bytes per token learned per model from answers that did report usage.
 * Shape:    a fixed table of models; each answer with usage moves its model's ratio, each answer
 *           without asks for it.
 * Units:    bytes, tokens; ratios in 1/1024 byte per token
 * Limits:   GW_TOKEN_ESTIMATE_MODELS models; later ones share the default of 4 bytes a token.
 * Memory:   one table per process
 * Threads:  any: relaxed atomics; two workers that learn at once may lose one sample, which an
 *           average does not mind.
 * Errors:   none
 */
#ifndef GW_POLICY_TOKEN_ESTIMATE_H
#define GW_POLICY_TOKEN_ESTIMATE_H

#include <stdint.h>

#include "base/str.h"

#define GW_TOKEN_ESTIMATE_MODELS                                                                   \
    1024 /* names come from the configuration's upstream models; 16 KiB */

struct gw_token_estimates;

/* A table that knows nothing yet. */
struct gw_token_estimates *gw_token_estimates_create(void);

/* Frees; NULL-safe, clears the pointer. */
void gw_token_estimates_destroy(struct gw_token_estimates **estimates);

/* |bytes| of |model| were |tokens| tokens. Samples of fewer than 16 tokens tell nothing and are
 * left out. */
void gw_token_estimates_learn(struct gw_token_estimates *estimates, struct gw_str model,
                              uint64_t bytes, uint64_t tokens);

/* About how many tokens |bytes| of |model| are; at least 1 when there are any bytes. */
uint64_t gw_token_estimates_guess(const struct gw_token_estimates *estimates, struct gw_str model,
                                  uint64_t bytes);

#endif
