/* SPDX-License-Identifier: MIT */
/*
 * dialect/anthropic_int - what the files of Anthropic's Messages dialect share: the neutral request
 * on its way in (anthropic_chat.c, anthropic_turns.c), the answer on its way out
 * (anthropic_stream.c, anthropic_answer.c, anthropic_write.c). Only dialect/ includes this.
 *
 * Source:   shared/providers/inbound.md part A; anthropic.md sections 2 to 6
 * Shape:    reasoning that another vendor signed travels through the client as a signature of ours,
 *           "gatewire.<vendor>.<...>", and is that vendor's again when it comes back.
 * Units:    tokens
 * Limits:   none of their own
 * Memory:   see the functions
 * Threads:  any
 * Errors:   see the functions; those that return void leave failures in |out|.
 */
#ifndef GW_DIALECT_ANTHROPIC_INT_H
#define GW_DIALECT_ANTHROPIC_INT_H

#include <stdbool.h>
#include <yyjson.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "dialect/dialect.h"
#include "llm/answer.h"
#include "llm/event.h"
#include "llm/notes.h"

/* ---- the way in ---- */

/* A neutral request while it is written. */
struct gw_messages_chat {
    struct gw_notes *notes;
    struct gw_buf *out;
};

/* Writes "messages" out of "system" and "messages". Errors: GW_ERR_INVALID (through notes). */
GW_MUST_USE enum gw_err gw_messages_write_turns(struct gw_messages_chat *chat, yyjson_val *root);

/* Writes "tools", "tool_choice" and "parallel_tool_calls". */
void gw_messages_write_tools(struct gw_messages_chat *chat, yyjson_val *root);

/* As struct gw_dialect wants it. */
GW_MUST_USE enum gw_err gw_messages_to_chat(const struct gw_inbound *in,
                                            const struct gw_llm_request *request,
                                            struct gw_notes *notes, yyjson_doc **chat);

/* ---- seals ---- */

/* What a signature is, when it comes back. */
struct gw_messages_seal {
    enum gw_signer signer; /* NONE: it is empty; ANTHROPIC: no seal of ours */
    struct gw_str value;
    struct gw_str id; /* of OpenAI's reasoning item, or empty */
};

/* Reads a signature or the data of a redacted block. */
struct gw_messages_seal gw_messages_open_seal(struct gw_str text);

/* Appends the text of a signature for JSON, without quotes. */
void gw_messages_write_seal(const struct gw_event_signature *signature, struct gw_buf *out);

/* ---- the way out ---- */

/* Appends the id of the message with its quotes: the provider's when it is Anthropic's, else made
 * of the request's. */
void gw_messages_write_id(const struct gw_encoder_opts *opts, struct gw_str id, struct gw_buf *out);

/* Appends the id of tool call |index| with its quotes, fit for "^[a-zA-Z0-9_-]+$". */
void gw_messages_write_tool_id(const struct gw_encoder_opts *opts, struct gw_str id, unsigned index,
                               struct gw_buf *out);

/* Appends the usage object. */
void gw_messages_write_usage(const struct gw_usage *usage, struct gw_buf *out);

/* Appends "stop_reason" and "stop_sequence" as members. */
void gw_messages_write_stop(enum gw_finish finish, struct gw_str stop_sequence, bool has_tools,
                            struct gw_buf *out);

/* Appends a citation out of OpenAI's url_citation; false when it is something else. */
bool gw_messages_write_citation(struct gw_str annotation, struct gw_buf *out);

/* Appends words for a medium that this API cannot carry, escaped for JSON, without quotes. */
void gw_messages_write_medium(struct gw_str mime_type, struct gw_str transcript,
                              struct gw_buf *out);

/* ---- members of struct gw_dialect; see dialect/dialect.h ---- */

/* encoder_create() */
struct gw_encoder *gw_messages_encoder_create(const struct gw_encoder_opts *opts);

/* encode() */
void gw_messages_encode(struct gw_encoder *encoder, const struct gw_event *event,
                        struct gw_buf *out);

/* encoder_destroy() */
void gw_messages_encoder_destroy(struct gw_encoder *encoder);

/* write_answer() */
void gw_messages_write_answer(const struct gw_encoder_opts *opts, const struct gw_answer *answer,
                              struct gw_buf *out);

/* write_error() */
void gw_messages_write_error(const struct gw_error *error, struct gw_str request_id,
                             struct gw_buf *out);

/* write_error_event() */
void gw_messages_write_error_event(const struct gw_error *error, struct gw_str request_id,
                                   struct gw_buf *out);

/* error_status() */
unsigned gw_messages_error_status(const struct gw_error *error);

#endif
