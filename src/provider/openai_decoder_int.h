/* SPDX-License-Identifier: MIT */
/*
 * provider/openai_decoder_int - what the files of the decoder share: the stream's frame
 * (openai_decoder.c), a message or delta (openai_message.c), its tool calls (openai_calls.c).
 *
 * Source:   see openai_decoder.h
 * Shape:    each function gives events through the decoder
 * Units:    none
 * Limits:   see openai_decoder.h
 * Memory:   the decoder owns all of it
 * Threads:  its exchange's thread only
 * Errors:   what on_event returned, GW_ERR_NOMEM, GW_ERR_TOO_LARGE
 */
#ifndef GW_PROVIDER_OPENAI_DECODER_INT_H
#define GW_PROVIDER_OPENAI_DECODER_INT_H

#include <stdbool.h>

#include "base/buf.h"
#include "http/sse.h"
#include "provider/openai_decoder.h"
#include "json/value.h"

/* A tool call as the vendor numbers it; our own index is its place in the list. */
struct gw_openai_call {
    uint64_t wire_index;
    uint64_t id_hash;        /* 0: no id yet */
    unsigned index;          /* in the events, from TOOL_BEGIN on */
    bool is_begun;           /* TOOL_BEGIN was given */
    bool is_wrapped;         /* a custom tool that was shown as a function */
    struct gw_buf arguments; /* of a wrapped one, until it is complete */
    struct gw_buf id;        /* that came before the name */
};

struct gw_decoder {
    struct gw_decoder_opts opts;
    struct gw_sse sse;
    struct gw_json_reader reader;
    struct gw_buf body;    /* PLAIN: the answer so far */
    struct gw_buf scratch; /* JSON made for one event */
    struct gw_openai_call *calls;
    size_t call_count;
    unsigned begun_count; /* of them, those with a TOOL_BEGIN: events count these */
    size_t call_capacity;
    struct gw_usage usage;
    enum gw_finish finish;
    struct gw_buf stop_sequence;
    bool has_finish;
    bool has_refused_finish; /* the vendor says that its model failed */
    bool is_started;
    bool is_ended; /* END or ERROR was given: what follows is not read */
    enum gw_err err;
};

/* Gives one event. */
GW_MUST_USE enum gw_err gw_openai_give(struct gw_decoder *decoder, const struct gw_event *event);

/* Gives what a choice's "message" (|is_whole|) or "delta" holds; |logprobs| is the choice's array,
 * or NULL. */
GW_MUST_USE enum gw_err gw_openai_read_message(struct gw_decoder *decoder, yyjson_val *message,
                                               yyjson_val *logprobs, bool is_whole);

/* Gives the calls or pieces of calls in |list|. */
GW_MUST_USE enum gw_err gw_openai_read_calls(struct gw_decoder *decoder, yyjson_val *list);

/* Gives a call in the shape before tools: {"name","arguments"}. */
GW_MUST_USE enum gw_err gw_openai_read_function_call(struct gw_decoder *decoder,
                                                     yyjson_val *function);

/* Ends all calls. */
GW_MUST_USE enum gw_err gw_openai_end_calls(struct gw_decoder *decoder);

/* Frees the list of calls. */
void gw_openai_free_calls(struct gw_decoder *decoder);

#endif
