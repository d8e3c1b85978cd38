/* SPDX-License-Identifier: MIT */
/*
 * provider/openai_decoder - answers of chat completions, plain or streamed, to events: for all
 * vendors that speak OpenAI's API, with what they do differently.
 *
 * Source:   shared/providers/openai.md sections 5, 6 and 8; mistral-deepseek-xai.md A3, B3, C3;
 *           groq.md sections 3 and 4; azure.md section 5; local.md sections 3 and 4.
 * Shape:    as provider/api.h wants a decoder. Of several choices the first is read: encode() asks
 *           for one. FINISH, USAGE and END come when the stream's end is seen, because some vendors
 *           tell usage or a content filter's verdict behind the finish reason.
 * Units:    tokens
 * Limits:   GW_PROVIDER_MAX_EVENT_BYTES, GW_PROVIDER_MAX_ANSWER_BYTES, GW_OPENAI_MAX_CALLS
 * Memory:   one event's document at a time, whose memory is reused
 * Threads:  its exchange's thread only
 * Errors:   sticky; see the functions.
 */
#ifndef GW_PROVIDER_OPENAI_DECODER_H
#define GW_PROVIDER_OPENAI_DECODER_H

#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "llm/usage.h"
#include "provider/api.h"

#define GW_OPENAI_MAX_CALLS 1024 /* tool calls in one answer; vendors take 128 tools */

/* What encode() leaves for the decoder; in the request's arena. */
struct gw_openai_memory {
    /* Custom tools that the vendor was shown as functions with one member "input". */
    const struct gw_str *custom_tools;
    size_t custom_tool_count;
    struct gw_str audio_type; /* MIME type of the sound that was asked for, or empty */
};

/* A decoder of one answer; NULL when there is no memory. |opts|->memory is a struct
 * gw_openai_memory or NULL. */
struct gw_decoder *gw_openai_decoder_create(const struct gw_decoder_opts *opts);

/* The next bytes. Errors: GW_ERR_PROTOCOL, GW_ERR_TOO_LARGE, GW_ERR_NOMEM, or what on_event
 * returned. */
GW_MUST_USE enum gw_err gw_openai_decoder_feed(struct gw_decoder *decoder, struct gw_str bytes);

/* The answer is complete. Errors: as feed; GW_ERR_EOF. */
GW_MUST_USE enum gw_err gw_openai_decoder_end(struct gw_decoder *decoder);

/* Frees; NULL-safe. */
void gw_openai_decoder_destroy(struct gw_decoder *decoder);

/* Reads a usage object; |usage| is not known when it has no counts. */
struct gw_usage gw_openai_read_usage(yyjson_val *object);

#endif
