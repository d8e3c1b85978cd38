/* SPDX-License-Identifier: MIT */
/*
 * provider/responses_int - what the files of the Responses API share: the request
 * (responses_encode.c, responses_input.c, responses_tools.c), the answer (responses_decoder.c,
 * responses_events.c).
 *
 * Source:   shared/providers/openai.md sections 4 and 7; inbound.md section C5
 * Shape:    encode() writes text in a fixed order: model, input, then the rest.
 * Units:    tokens
 * Limits:   GW_RESPONSES_MAX_CALLS
 * Memory:   see the functions
 * Threads:  its exchange's thread only
 * Errors:   see the functions
 */
#ifndef GW_PROVIDER_RESPONSES_INT_H
#define GW_PROVIDER_RESPONSES_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "http/sse.h"
#include "provider/api.h"
#include "provider/openai_quirks.h"
#include "json/value.h"

/* ---- the request ---- */

struct gw_responses_encoding {
    const struct gw_provider_input *in;
    struct gw_notes *notes;
    struct gw_openai_model model;
    yyjson_val *chat;
    struct gw_buf *out;
};

/* Writes the body. Errors: GW_ERR_INVALID (through notes), and what stuck in the buffer. */
GW_MUST_USE enum gw_err gw_responses_encode_body(const struct gw_provider_input *in,
                                                 yyjson_val *chat, struct gw_buf *out);

/* Writes the elements of "input". Errors: GW_ERR_INVALID (through notes). */
GW_MUST_USE enum gw_err gw_responses_encode_input(struct gw_responses_encoding *encoding);

/* Writes "tools", "tool_choice" and "parallel_tool_calls" as members. */
void gw_responses_encode_tools(struct gw_responses_encoding *encoding);

/* ---- the answer ---- */

#define GW_RESPONSES_MAX_CALLS 1024 /* tool calls in one answer; vendors take 128 tools */

/* A call that was begun; our own index is its place in the list. */
struct gw_responses_call {
    uint64_t output_index;
    bool has_arguments;
    bool is_ended;
};

struct gw_decoder {
    struct gw_decoder_opts opts;
    struct gw_sse sse;
    struct gw_json_reader reader;
    struct gw_buf body;    /* PLAIN: the answer so far */
    struct gw_buf scratch; /* JSON made for one event */
    struct gw_responses_call *calls;
    size_t call_count;
    size_t call_capacity;
    bool has_reasoning; /* some text of the open reasoning item came */
    bool has_output;
    bool is_started;
    bool is_ended; /* END or ERROR was given: what follows is not read */
    enum gw_err err;
};

/* Gives one event. */
GW_MUST_USE enum gw_err gw_responses_give(struct gw_decoder *decoder, const struct gw_event *event);

/* Gives what an event of the stream says; |root| is its data. */
GW_MUST_USE enum gw_err gw_responses_read_event(struct gw_decoder *decoder, yyjson_val *root);

/* Gives a whole response object: all of its output, and its end. */
GW_MUST_USE enum gw_err gw_responses_read_response(struct gw_decoder *decoder,
                                                   yyjson_val *response);

#endif
