/* SPDX-License-Identifier: MIT */
/*
 * dialect/openai_stream - the encoder of streamed chat completions.
 *
 * Source:   shared/providers/openai.md section 6; the extension members are those of llm/chat.h.
 * Shape:    in: events in the order of llm/event.h. out: server-sent events. Reasoning comes as
 *           delta.reasoning_content; a signed block comes once more, whole, as an element of
 *           delta.thinking_blocks (Anthropic), delta.reasoning_items (OpenAI) or as extra_content
 *           (Google), so that a client which keeps it can send it back.
 * Units:    none
 * Limits:   4096 tool calls are known apart; reasoning beyond 16 MiB is not repeated as a block.
 * Memory:   the head of all chunks, the reasoning since the last signature, one byte a tool call
 * Threads:  its request's thread only
 * Errors:   failures stick in |out|.
 */
#ifndef GW_DIALECT_OPENAI_STREAM_H
#define GW_DIALECT_OPENAI_STREAM_H

#include "base/buf.h"
#include "dialect/dialect.h"
#include "llm/event.h"

/* An encoder for one stream; NULL when there is no memory. */
struct gw_encoder *gw_openai_encoder_create(const struct gw_encoder_opts *opts);

/* Appends what |event| becomes. */
void gw_openai_encode(struct gw_encoder *encoder, const struct gw_event *event, struct gw_buf *out);

/* Frees; NULL-safe. */
void gw_openai_encoder_destroy(struct gw_encoder *encoder);

#endif
