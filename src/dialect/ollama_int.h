/* SPDX-License-Identifier: MIT */
/*
 * dialect/ollama_int - what the files of Ollama's dialect share. Only dialect/ includes this.
 *
 * Source:   shared/providers/local.md section 5; Ollama's public API
 * Shape:    request in ollama_request.c and ollama_messages.c, answers in ollama_stream.c
 * Units:    none
 * Limits:   those of dialect.h
 * Memory:   see dialect.h
 * Threads:  see dialect.h
 * Errors:   see the functions
 */
#ifndef GW_DIALECT_OLLAMA_INT_H
#define GW_DIALECT_OLLAMA_INT_H

#include "dialect/dialect.h"

/* The functions of the table; see dialect.h for each. */
GW_MUST_USE enum gw_err gw_ollama_decode(const struct gw_inbound *in, enum gw_task task,
                                         struct gw_arena *arena, struct gw_llm_request *request,
                                         struct gw_error *error);
/* Makes the chat request out of /api/chat or /api/generate. */
GW_MUST_USE enum gw_err gw_ollama_to_chat(const struct gw_inbound *in,
                                          const struct gw_llm_request *request,
                                          struct gw_notes *notes, yyjson_doc **chat);
/* Makes the embeddings request out of /api/embed or /api/embeddings. */
GW_MUST_USE enum gw_err gw_ollama_to_embeddings(const struct gw_inbound *in,
                                                const struct gw_llm_request *request,
                                                struct gw_notes *notes, yyjson_doc **openai);

/*
 * Adds the messages of |root| (/api/chat) to |messages|.
 *
 * Errors: GW_ERR_INVALID (through |notes|), GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_ollama_add_messages(yyjson_mut_doc *doc, yyjson_mut_val *messages,
                                               yyjson_val *root, struct gw_notes *notes);

/* Sets |message|'s content to |text| and |images| (base64 each; may be NULL). Errors:
 * GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_ollama_set_content(yyjson_mut_doc *doc, yyjson_mut_val *message,
                                              struct gw_str text, yyjson_val *images);

/* The answers' side of the table. */
struct gw_encoder *gw_ollama_encoder_create(const struct gw_encoder_opts *opts);
/* One line of JSON per event that says something. */
void gw_ollama_encode(struct gw_encoder *encoder, const struct gw_event *event, struct gw_buf *out);
/* Frees; NULL-safe. */
void gw_ollama_encoder_destroy(struct gw_encoder *encoder);
/* The plain answer. */
void gw_ollama_write_answer(const struct gw_encoder_opts *opts, const struct gw_answer *answer,
                            struct gw_buf *out);
/* The embeddings. */
void gw_ollama_write_embeddings(const struct gw_encoder_opts *opts, yyjson_val *openai,
                                struct gw_buf *out);
/* {"error":"text"} */
void gw_ollama_write_error(const struct gw_error *error, struct gw_str request_id,
                           struct gw_buf *out);
/* The same as a line of the stream. */
void gw_ollama_write_error_event(const struct gw_error *error, struct gw_str request_id,
                                 struct gw_buf *out);

#endif
