/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/bedrock - AWS Bedrock: Converse, and Claude's own bodies by InvokeModel.
 *
 * Source:   providers/bedrock.md; botocore's bedrock-runtime model 2023-09-30; smithy's
 *           amazon-eventstream.
 * Shape:    bedrock.c has headers, errors and credentials; bedrock_check.c refuses what the API
 *           refuses; bedrock_converse.c reads and answers; bedrock_invoke.c wraps Anthropic's
 *           answers; bedrock_frame.c writes the frames of an event stream.
 * Units:    none.
 * Limits:   none.
 * Memory:   as router.h says.
 * Threads:  as router.h says.
 * Errors:   {"message"} with the type in x-amzn-errortype; in a stream an exception frame.
 */
#ifndef MOCKLLM_BEDROCK_H
#define MOCKLLM_BEDROCK_H

#include <yyjson.h>

#include "mockllm/router.h"
#include "mockllm/vendor.h"

mock_handler_fn mock_bedrock_converse; /* POST /converse, /converse-stream */
mock_handler_fn mock_bedrock_invoke;   /* POST /invoke, /invoke-with-response-stream */
mock_handler_fn mock_bedrock_count;    /* POST /count-tokens */

/* Adds the headers AWS' answers have. */
void mock_bedrock_headers(struct mock_exchange *exchange);

/* Answers with AWS' error. */
void mock_bedrock_fail(struct mock_exchange *exchange, const struct mock_failure *failure);

/* Appends the exception frame that ends a stream. */
void mock_bedrock_mid_error(const struct mock_exchange *exchange, struct bench_buf *out);

/* Checks signature or key. Returns false after answering. */
bool mock_bedrock_authorize(struct mock_exchange *exchange);

/* Checks a Converse request as the API does. Returns false after answering. */
bool mock_bedrock_check(struct mock_exchange *exchange, yyjson_val *root);

/* Appends a frame with |payload|: an event, or (|exception|) an exception of type |name|. */
void mock_bedrock_frame(struct bench_buf *out, const char *name, bool exception,
                        struct bench_str payload);

/* Appends ,"p":"..." as padding: as many letters as the |n|-th frame has. */
void mock_bedrock_pad(struct bench_buf *out, uint64_t n);

#endif
