/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/cohere - Cohere's v2 API: chat, embed, rerank, models.
 *
 * Source:   providers/cohere.md; cohere-openapi.yaml.
 * Shape:    cohere.c has headers, errors, embed, rerank and models; cohere_chat.c checks, reads and
 *           answers a chat.
 * Units:    none.
 * Limits:   COHERE_MAX_TEXTS.
 * Memory:   as router.h says.
 * Threads:  as router.h says.
 * Errors:   {"id","message"}.
 */
#ifndef MOCKLLM_COHERE_H
#define MOCKLLM_COHERE_H

#include "mockllm/router.h"
#include "mockllm/vendor.h"

/* Texts of one request to embed. */
#define COHERE_MAX_TEXTS 96

mock_handler_fn mock_cohere_chat;   /* POST /v2/chat */
mock_handler_fn mock_cohere_embed;  /* POST /v2/embed */
mock_handler_fn mock_cohere_rerank; /* POST /v2/rerank */
mock_handler_fn mock_cohere_models; /* GET /v1/models */

/* Adds Cohere's response headers. */
void mock_cohere_headers(struct mock_exchange *exchange);

/* Answers with Cohere's error object. */
void mock_cohere_fail(struct mock_exchange *exchange, const struct mock_failure *failure);

/* Appends the end of a stream that fails. */
void mock_cohere_mid_error(const struct mock_exchange *exchange, struct bench_buf *out);

/* Checks the key. Returns false after answering. */
bool mock_cohere_authorize(struct mock_exchange *exchange);

#endif
