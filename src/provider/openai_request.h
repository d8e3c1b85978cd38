/* SPDX-License-Identifier: MIT */
/*
 * provider/openai_request - what is sent to a provider that speaks OpenAI's API: target, and the
 * client's body with only what must change patched in.
 *
 * Source:   shared/providers/openai.md sections 1, 2 and 10
 * Shape:    pure functions over the request's arena
 * Units:    bytes
 * Limits:   the client's target and body are bounded already.
 * Memory:   results live in the arena or are views into the client's request and the deployment.
 * Threads:  any
 * Errors:   see the functions.
 */
#ifndef GW_PROVIDER_OPENAI_REQUEST_H
#define GW_PROVIDER_OPENAI_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "llm/catalog.h"
#include "llm/request.h"
#include "json/splice.h"

/* "/v1" + "/chat/completions" + "?query"; the query without Azure's api-version. ptr is NULL when
 * the arena is full. */
struct gw_str gw_openai_target(const struct gw_deployment *deployment, struct gw_str path,
                               struct gw_str query, struct gw_arena *arena);

/*
 * Plans the patches of |body|: the upstream's model name, and stream_options.include_usage for a
 * streamed chat or completion whose client did not ask for it (then *usage_injected becomes true).
 * Everything else stays byte for byte.
 *
 * Errors: GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_openai_patch(const struct gw_llm_request *request, struct gw_str body,
                                        struct gw_str upstream_model, struct gw_arena *arena,
                                        struct gw_json_splice *splice, bool *usage_injected);

/*
 * Takes the member with |value| (a view into the body of |splice|; ptr NULL: nothing is done) out,
 * with a comma beside it that no other edit took: what a vendor refuses, and what is meant for us.
 * The member's key is written without escapes that hold a quote.
 *
 * Errors: GW_ERR_TOO_LARGE, GW_ERR_INVALID (it overlaps another edit).
 */
GW_MUST_USE enum gw_err gw_openai_drop_member(struct gw_str value, struct gw_json_splice *splice);

#endif
