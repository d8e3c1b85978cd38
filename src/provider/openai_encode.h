/* SPDX-License-Identifier: MIT */
/*
 * provider/openai_encode - the neutral request as a chat-completions request of the vendor.
 *
 * Source:   shared/providers/openai.md section 2; provider/openai_quirks.h
 * Shape:    {"model","messages",...}: messages come early and one after the other, so that a longer
 *           conversation's bytes begin with the shorter one's.
 * Units:    tokens
 * Limits:   the call's body has its own
 * Memory:   in the request's arena; the body is the caller's buffer
 * Threads:  any
 * Errors:   see the functions
 */
#ifndef GW_PROVIDER_OPENAI_ENCODE_H
#define GW_PROVIDER_OPENAI_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <yyjson.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "provider/api.h"
#include "provider/openai_decoder.h"
#include "provider/openai_quirks.h"

/* One request being written. */
struct gw_openai_encoding {
    const struct gw_provider_input *in;
    const struct gw_openai_quirks *quirks;
    struct gw_openai_model model;
    yyjson_val *chat;
    struct gw_buf *out;
    struct gw_str *custom_tools; /* in the arena */
    size_t custom_tool_count;
    bool has_tools; /* some were written */
};

/*
 * Writes the body into |call|->body and leaves the decoder's memory in |call|; target and fields
 * are the caller's business. |has_model| is false where the path names the model.
 *
 * Errors: GW_ERR_NOMEM, GW_ERR_TOO_LARGE, GW_ERR_INVALID (through notes).
 */
GW_MUST_USE enum gw_err gw_openai_encode_body(const struct gw_provider_input *in, yyjson_val *chat,
                                              bool has_model, struct gw_provider_call *call);

/* Appends "messages":[...]. Errors: GW_ERR_INVALID (through notes), GW_ERR_NOMEM; what does not fit
 * sticks in the buffer. */
GW_MUST_USE enum gw_err gw_openai_encode_messages(struct gw_openai_encoding *encoding);

/* Appends ,"tools", ,"tool_choice" and ,"parallel_tool_calls" as far as they are there. Errors: as
 * gw_openai_encode_messages(). */
GW_MUST_USE enum gw_err gw_openai_encode_tools(struct gw_openai_encoding *encoding);

/* Appends what is asked of reasoning; returns whether the model will think. */
bool gw_openai_encode_effort(struct gw_openai_encoding *encoding);

#endif
