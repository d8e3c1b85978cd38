/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/quirks - vendors that are like OpenAI but not quite: Mistral, DeepSeek, xAI.
 *
 * Source:   providers/mistral-deepseek-xai.md.
 * Shape:    POST /mistral/v1/chat/completions, /deepseek[/v1]/..., /xai/v1/...; all other routes of
 *           theirs are OpenAI's. quirks.c has errors and credentials, quirks_check.c what they
 *           refuse, quirks_chat.c what they answer.
 * Units:    none.
 * Limits:   none.
 * Memory:   as router.h says.
 * Threads:  as router.h says.
 * Errors:   each vendor's own shape.
 */
#ifndef MOCKLLM_QUIRKS_H
#define MOCKLLM_QUIRKS_H

#include <yyjson.h>

#include "mockllm/plan.h"
#include "mockllm/vendor.h"

/* Adds the headers of their answers. */
void mock_quirks_headers(struct mock_exchange *exchange);

/* Answers with Mistral's error object. */
void mock_mistral_fail(struct mock_exchange *exchange, const struct mock_failure *failure);

/* Answers with DeepSeek's error object. */
void mock_deepseek_fail(struct mock_exchange *exchange, const struct mock_failure *failure);

/* Answers with xAI's error object. */
void mock_xai_fail(struct mock_exchange *exchange, const struct mock_failure *failure);

/* Checks the key; a wrong one is a 400 at xAI. Returns false after answering. */
bool mock_quirks_authorize(struct mock_exchange *exchange);

/* Tells whether the request is for one of them. */
bool mock_quirks_has(const struct mock_exchange *exchange);

/* Checks a chat request as the vendor does. Returns false after answering. */
bool mock_quirks_check(struct mock_exchange *exchange, yyjson_val *root);

/* Answers a checked chat request. */
void mock_quirks_answer(struct mock_exchange *exchange, const struct mock_plan *plan,
                        bool streamed);

#endif
