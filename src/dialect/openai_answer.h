/* SPDX-License-Identifier: MIT */
/*
 * dialect/openai_answer - a complete answer as chat.completion, and embeddings.
 *
 * Source:   shared/providers/openai.md sections 5 and 9
 * Shape:    pure writers; the extension members are those of openai_stream.h, in the message.
 * Units:    none
 * Limits:   those of llm/answer.h
 * Memory:   none
 * Threads:  any
 * Errors:   stick in |out|.
 */
#ifndef GW_DIALECT_OPENAI_ANSWER_H
#define GW_DIALECT_OPENAI_ANSWER_H

#include <yyjson.h>

#include "base/buf.h"
#include "dialect/dialect.h"
#include "llm/answer.h"

/* Appends {"id",...,"choices":[...],"usage":{...}}. */
void gw_openai_write_answer(const struct gw_encoder_opts *opts, const struct gw_answer *answer,
                            struct gw_buf *out);

/* Appends an embeddings answer in OpenAI's shape; numbers become base64 where the request, which is
 * |opts|->chat here, asked for it: the SDK for Node decodes without looking. */
void gw_openai_write_embeddings(const struct gw_encoder_opts *opts, yyjson_val *openai,
                                struct gw_buf *out);

#endif
