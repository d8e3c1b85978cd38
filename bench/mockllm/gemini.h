/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/gemini - Google's generateContent, on its own API and on Vertex; Claude on Vertex.
 *
 * Source:   providers/gemini.md and vertex.md; googleapis generativelanguage/v1beta and
 *           aiplatform/v1 protos.
 * Shape:    gemini.c has headers, errors, credentials and models; gemini_check.c refuses what the
 *           API refuses; gemini_generate.c reads a request and writes the answer;
 *           gemini_embed.c counts and embeds. Members are taken in camelCase and in snake_case.
 * Units:    none.
 * Limits:   GEMINI_MAX_CANDIDATES.
 * Memory:   as router.h says.
 * Threads:  as router.h says.
 * Errors:   google.rpc.Status in {"error":...}; in an array where the stream is one.
 */
#ifndef MOCKLLM_GEMINI_H
#define MOCKLLM_GEMINI_H

#include <yyjson.h>

#include "mockllm/router.h"
#include "mockllm/vendor.h"

/* Google's maximum of candidateCount. */
#define GEMINI_MAX_CANDIDATES 8

mock_handler_fn mock_gemini_generate;    /* POST :generateContent */
mock_handler_fn mock_gemini_stream;      /* POST :streamGenerateContent */
mock_handler_fn mock_gemini_count;       /* POST :countTokens */
mock_handler_fn mock_gemini_embed;       /* POST :embedContent */
mock_handler_fn mock_gemini_embed_batch; /* POST :batchEmbedContents */
mock_handler_fn mock_vertex_predict;     /* POST :predict, embeddings on Vertex */
mock_handler_fn mock_gemini_models;      /* GET /models */
mock_handler_fn mock_gemini_model;       /* GET /models/{} */
mock_handler_fn mock_vertex_claude;      /* POST :rawPredict, :streamRawPredict */

/* Adds the headers Google's answers have. */
void mock_gemini_headers(struct mock_exchange *exchange);

/* Answers with Google's error object. */
void mock_gemini_fail(struct mock_exchange *exchange, const struct mock_failure *failure);

/* Answers as Vertex does for Claude: its front end in Google's shape, the rest in Anthropic's. */
void mock_vertex_claude_fail(struct mock_exchange *exchange, const struct mock_failure *failure);

/* Appends the error that ends a stream. */
void mock_gemini_mid_error(const struct mock_exchange *exchange, struct bench_buf *out);

/* Checks the API key. Returns false after answering. */
bool mock_gemini_authorize(struct mock_exchange *exchange);

/* Checks the bearer token. Returns false after answering. */
bool mock_vertex_authorize(struct mock_exchange *exchange);

/* Returns member |name| of |object|, written as given or in snake_case. */
yyjson_val *mock_gemini_get(yyjson_val *object, const char *name);

/* Returns the mode of a functionCallingConfig by its name; ptr NULL when there is none. */
struct bench_str mock_gemini_mode(yyjson_val *config);

/* Tells whether enums are asked for as numbers, as by clients made from protocol buffers. */
bool mock_gemini_wants_numbers(const struct mock_exchange *exchange);

/* Tells whether the stream is one JSON array instead of events. */
bool mock_gemini_is_array(const struct mock_exchange *exchange);

/* Tells whether the model is of generation |least| or newer. */
bool mock_gemini_is(const struct mock_exchange *exchange, unsigned least);

/* Checks a request as the API does. Returns false after answering. */
bool mock_gemini_check(struct mock_exchange *exchange, yyjson_val *root);

#endif
