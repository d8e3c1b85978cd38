/* SPDX-License-Identifier: MIT */
/*
 * llm/answer - a complete answer, gathered from events: what a client that did not ask for a
 * stream gets.
 *
 * Source:   llm/event.h
 * Shape:    parts in the order the model made them; adjacent text (and reasoning up to its
 *           signature) is one part, tool calls are one part each, in order of their index.
 * Units:    bytes, tokens
 * Limits:   GW_ANSWER_MAX_BYTES in all, GW_ANSWER_MAX_PARTS parts: far above what models write
 *           (128 k tokens are half a megabyte), images included.
 * Memory:   owns copies; views end with the next gw_answer_add() and with fini.
 * Threads:  not shared
 * Errors:   GW_ERR_TOO_LARGE, GW_ERR_NOMEM, GW_ERR_INVALID (events out of order)
 */
#ifndef GW_LLM_ANSWER_H
#define GW_LLM_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "llm/event.h"

#define GW_ANSWER_MAX_BYTES (64u * 1024 * 1024)
#define GW_ANSWER_MAX_PARTS 4096

enum gw_answer_part_type {
    GW_PART_TEXT,
    GW_PART_REASONING,
    GW_PART_REDACTED, /* reasoning that only its signer can read */
    GW_PART_REFUSAL,
    GW_PART_MEDIA,
    GW_PART_ANNOTATION,
    GW_PART_TOOL,
};

struct gw_answer_part {
    enum gw_answer_part_type type;
    struct gw_buf text;      /* text, reasoning, refusal, base64, annotation JSON, or arguments;
                                REDACTED: the opaque block */
    struct gw_buf logprobs;  /* TEXT: elements of the array, comma-separated, or empty */
    struct gw_buf signature; /* REASONING, TOOL (thought signature), or empty */
    struct gw_buf id;        /* TOOL: the provider's id; REASONING: the item's; MEDIA: transcript */
    struct gw_buf name;      /* TOOL: function; MEDIA: MIME type */
    enum gw_signer signer;
    bool is_custom; /* TOOL */
    bool is_closed; /* nothing more is added */
};

struct gw_answer {
    struct gw_answer_part *parts;
    size_t part_count;
    size_t part_capacity;
    size_t byte_count;
    struct gw_buf id;
    struct gw_buf model;
    uint64_t created_s;
    enum gw_finish finish;
    struct gw_buf stop_sequence;
    struct gw_usage usage;
    bool is_ended; /* END was seen */
};

/* Makes an empty answer. */
void gw_answer_init(struct gw_answer *answer);

/* Frees all parts. */
void gw_answer_fini(struct gw_answer *answer);

/* Takes the next event; PING is ignored, ERROR is the caller's business and refused. */
GW_MUST_USE enum gw_err gw_answer_add(struct gw_answer *answer, const struct gw_event *event);

/* Gives the answer as events again, END included. Errors: what |on_event| returned. */
GW_MUST_USE enum gw_err gw_answer_replay(const struct gw_answer *answer, gw_on_event_fn *on_event,
                                         void *user);

#endif
