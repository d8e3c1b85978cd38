/* SPDX-License-Identifier: MIT */
/*
 * provider/cohere_int - what the parts of Cohere's API share.
 *
 * Source:   shared/providers/cohere.md
 * Shape:    cohere_request.c writes the request, with the conversation from cohere_messages.c;
 *           cohere_answer.c reads answers; cohere_embed.c has the embeddings; cohere.c is the
 * table, the credential and the errors.
 * Units:    none
 * Limits:   none of its own
 * Memory:   the request's arena and the call's body
 * Threads:  not shared
 * Errors:   those of the functions of provider/api.h
 */
#ifndef GW_PROVIDER_COHERE_INT_H
#define GW_PROVIDER_COHERE_INT_H

#include <stdbool.h>
#include <yyjson.h>

#include "base/buf.h"
#include "llm/chat.h"
#include "provider/api.h"
#include "provider/tool_names.h"

/* One request on its way. */
struct gw_cohere_encoder {
    const struct gw_provider_input *in;
    yyjson_val *chat;
    struct gw_buf *out;
    struct gw_tool_names names;
    bool can_reason;
};

/* Notes for the client: see llm/notes.h. */
static inline void gw_cohere_note(const struct gw_cohere_encoder *encoder, enum gw_note_kind kind,
                                  struct gw_str param, struct gw_str text)
{
    gw_notes_add(encoder->in->notes, kind, param, text);
}

/* Appends "messages". Errors: GW_ERR_INVALID (through notes). */
GW_MUST_USE enum gw_err gw_cohere_write_messages(struct gw_cohere_encoder *encoder);

/* provider/api.h: encode(). */
enum gw_err gw_cohere_encode(const struct gw_provider_input *in, yyjson_val *chat,
                             struct gw_provider_call *call);

/* Fills in method, target (|path| behind the deployment's base path) and fields. Errors:
 * GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_cohere_finish_call(const struct gw_provider_input *in,
                                              struct gw_str path, struct gw_str accept,
                                              struct gw_provider_call *call);

/* provider/api.h: encode_embeddings(), decode_embeddings(). */
enum gw_err gw_cohere_encode_embeddings(const struct gw_provider_input *in, yyjson_val *openai,
                                        struct gw_provider_call *call);
enum gw_err gw_cohere_decode_embeddings(struct gw_str body, struct gw_str model,
                                        struct gw_usage *usage, struct gw_buf *openai);

/* provider/api.h: the decoder; its memory is a struct gw_tool_names. */
struct gw_decoder *gw_cohere_decoder_create(const struct gw_decoder_opts *opts);
enum gw_err gw_cohere_feed(struct gw_decoder *decoder, struct gw_str bytes);
enum gw_err gw_cohere_end(struct gw_decoder *decoder);
void gw_cohere_decoder_destroy(struct gw_decoder *decoder);

#endif
