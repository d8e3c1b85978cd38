/* SPDX-License-Identifier: MIT */
/*
 * provider/anthropic_decode_int - what the decoder's files share: the frame (anthropic_decode.c)
 * and the content blocks (anthropic_blocks.c).
 *
 * Source:   shared/providers/anthropic.md sections 4 and 5
 * Shape:    each function gives events through the decoder
 * Units:    tokens
 * Limits:   GW_PROVIDER_MAX_EVENT_BYTES, GW_PROVIDER_MAX_ANSWER_BYTES
 * Memory:   the decoder owns all of it
 * Threads:  its exchange's thread only
 * Errors:   what on_event returned, GW_ERR_NOMEM, GW_ERR_TOO_LARGE
 */
#ifndef GW_PROVIDER_ANTHROPIC_DECODE_INT_H
#define GW_PROVIDER_ANTHROPIC_DECODE_INT_H

#include "http/sse.h"
#include "provider/anthropic_int.h"
#include "json/value.h"

enum gw_anthropic_block {
    GW_ANTHROPIC_BLOCK_NONE, /* none is open, or one that we do not know */
    GW_ANTHROPIC_BLOCK_TEXT,
    GW_ANTHROPIC_BLOCK_THINKING,
    GW_ANTHROPIC_BLOCK_TOOL,
};

struct gw_decoder {
    struct gw_decoder_opts opts;
    struct gw_sse sse;
    struct gw_json_reader reader;
    struct gw_json_reader input_reader; /* of a custom tool's input: the other one is in use */
    struct gw_buf body;                 /* PLAIN: the answer so far */
    struct gw_buf scratch;              /* JSON made for one event */
    struct gw_buf signature;            /* of the open thinking block */
    struct gw_buf input;                /* of the open tool block, when it is a custom tool's */
    struct gw_buf id;                   /* the message's */
    struct gw_buf stop_sequence;
    enum gw_anthropic_block block;
    uint64_t block_index; /* the wire's */
    unsigned tool_count;
    bool is_custom;        /* the open tool is one */
    bool has_input;        /* the open tool had some */
    bool is_started;       /* message_start was seen */
    bool has_finish;       /* a stop reason was seen */
    bool is_ended;         /* END was given: what follows is not read */
    uint64_t input_tokens; /* as the wire counts: without the cached ones */
    struct gw_usage usage;
    enum gw_finish finish;
    enum gw_err err;
};

/* Gives one event. */
GW_MUST_USE enum gw_err gw_anthropic_give(struct gw_decoder *decoder, const struct gw_event *event);

/* Begins the block |block|, an element of "content" or the start of one: what it holds already is
 * given. */
GW_MUST_USE enum gw_err gw_anthropic_begin_block(struct gw_decoder *decoder, uint64_t index,
                                                 yyjson_val *block);

/* Goes on with the open block. */
GW_MUST_USE enum gw_err gw_anthropic_take_delta(struct gw_decoder *decoder, yyjson_val *delta);

/* Ends the open block, if any. */
GW_MUST_USE enum gw_err gw_anthropic_end_block(struct gw_decoder *decoder);

#endif
