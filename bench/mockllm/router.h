/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/router - from method and path to the function that builds the answer.
 *
 * Source:   the paths of OpenAI's OpenAPI document.
 * Shape:    /v1/x, /x, /openai/v1/x and /openai/deployments/{name}/x are the same.
 * Units:    none.
 * Limits:   MOCK_MAX_ROUTES.
 * Memory:   a handler writes to exchange->answer and keeps no pointer into the request.
 * Threads:  handlers run on any worker; what they share has its own lock.
 * Errors:   unknown paths, methods and broken requests get OpenAI's error object.
 */
#ifndef MOCKLLM_ROUTER_H
#define MOCKLLM_ROUTER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/mem.h"

struct mock_exchange;

/* Builds the answer to a request; |ids| are the parts of the path the pattern left open. */
typedef void mock_handler_fn(struct mock_exchange *exchange, const struct bench_str *ids);

/* Builds the answer to exchange->request. |knobs_known|: the model name held no unknown key. */
void mock_router_route(struct mock_exchange *exchange, bool knobs_known);

/* Returns the path of route |index|, for the statistics; methods of one path share it. */
const char *mock_router_label(size_t index);

#endif
