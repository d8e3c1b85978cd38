/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/anthropic - Anthropic's API: messages, counting, models.
 *
 * Source:   providers/anthropic.md; the types of anthropic-sdk-python 0.121.
 * Shape:    anthropic.c has headers, errors and models; anthropic_check.c refuses what the API
 *           refuses; anthropic_messages.c reads a request; anthropic_plain.c and
 *           anthropic_stream.c write the answer. Vertex and Bedrock use the same, without the
 *           model in the body.
 * Units:    none.
 * Limits:   none.
 * Memory:   as router.h says.
 * Threads:  as router.h says.
 * Errors:   {"type":"error","error":{"type","message"},"request_id"}.
 */
#ifndef MOCKLLM_ANTHROPIC_H
#define MOCKLLM_ANTHROPIC_H

#include "mockllm/plan.h"
#include "mockllm/router.h"
#include "mockllm/vendor.h"

mock_handler_fn mock_anthropic_messages; /* POST /v1/messages */
mock_handler_fn mock_anthropic_count;    /* POST /v1/messages/count_tokens */
mock_handler_fn mock_anthropic_models;   /* GET /v1/models */
mock_handler_fn mock_anthropic_model;    /* GET /v1/models/{} */

/* How a message's reasoning is shown. */
enum mock_thinking {
    MOCK_THINKING_OFF,
    MOCK_THINKING_SHOWN,
    MOCK_THINKING_OMITTED, /* a signature, but no text */
};

struct mock_message {
    struct mock_exchange *exchange;
    enum mock_thinking thinking;
    bool redacted;
    bool refused;
    struct mock_plan plan;
};

/* Adds Anthropic's response headers. */
void mock_anthropic_headers(struct mock_exchange *exchange);

/* Answers with Anthropic's error object. */
void mock_anthropic_fail(struct mock_exchange *exchange, const struct mock_failure *failure);

/* Appends the event of an error in mid-stream. */
void mock_anthropic_mid_error(const struct mock_exchange *exchange, struct bench_buf *out);

/* Checks key and version. Returns false after answering. */
bool mock_anthropic_authorize(struct mock_exchange *exchange);

/* Checks a request as the API does. Returns false after answering. */
bool mock_anthropic_check(struct mock_exchange *exchange, yyjson_val *root, bool counting);

/* Appends the signature of |text| as the request's model makes it. */
void mock_anthropic_sign(const struct mock_exchange *exchange, struct bench_buf *out,
                         struct bench_str kind, struct bench_str text);

/* Tells whether |signature| over |text| is one the request's model takes. */
bool mock_anthropic_signed(const struct mock_exchange *exchange, struct bench_str signature,
                           struct bench_str kind, struct bench_str text);

/* Answers a checked request; |streamed| tells how. */
void mock_anthropic_answer(struct mock_exchange *exchange, yyjson_val *root, bool streamed);

/* Appends the message; |started|: as message_start has it, without content. */
void mock_anthropic_write_message(const struct mock_message *message, struct bench_buf *out,
                                  bool started);

/* Appends the data of a redacted block. */
void mock_anthropic_write_redacted(const struct mock_message *message, struct bench_buf *out);

/* Appends the text of a thinking block, not yet escaped. */
void mock_anthropic_thinking_text(const struct mock_message *message, struct bench_buf *out);

/* Appends "stop_reason":... and "stop_sequence":... and what belongs to them. */
void mock_anthropic_write_stop(const struct mock_message *message, struct bench_buf *out);

/* Appends the usage object; |output| is what output_tokens says. */
void mock_anthropic_write_usage(const struct mock_message *message, struct bench_buf *out,
                                uint64_t output);

/* Writes the stream's script. */
void mock_anthropic_stream(struct mock_message *message);

#endif
