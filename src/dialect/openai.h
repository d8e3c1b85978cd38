/* SPDX-License-Identifier: MIT */
/*
 * dialect/openai - decodes the envelope of OpenAI-shaped JSON requests and writes errors in
 * OpenAI's shape.
 *
 * Source:   shared/providers/openai.md sections 2, 6, 8 and 9 (openai-openapi 2.3.0).
 * Shape:    the body is validated once and stays as it is; the envelope's spans point into it.
 * Units:    bytes
 * Limits:   JSON nested at most GW_JSON_MAX_DEPTH; a model name of at most GW_MODEL_NAME_MAX bytes.
 * Memory:   decoded texts live in the arena, error texts too.
 * Threads:  any
 * Errors:   see the functions.
 */
#ifndef GW_DIALECT_OPENAI_H
#define GW_DIALECT_OPENAI_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "llm/error.h"
#include "llm/request.h"

/*
 * Decodes |body|, the JSON of a request for |task|. A body in Responses shape ("input" and no
 * "messages") sent as GW_TASK_CHAT is recognised: request->task becomes GW_TASK_RESPONSE. A missing
 * model is no error here: the path may name it.
 *
 * Errors: GW_ERR_INVALID with *error filled in (class client, status 400): not JSON, not UTF-8,
 * nested too deeply, no object, a member of the wrong type, or a member that we act on standing
 * twice (the provider might act on the other one).
 */
GW_MUST_USE enum gw_err gw_openai_decode(struct gw_str body, enum gw_task task,
                                         struct gw_arena *arena, struct gw_llm_request *request,
                                         struct gw_error *error);

/* Appends {"error":{"message","type","param","code"}}; the type follows from class and status.
 * Failures stick in |out|. */
void gw_openai_write_error(const struct gw_error *error, struct gw_buf *out);

/* Appends the same as the event that ends a broken stream: "data: {...}" and a blank line. Failures
 * stick in |out|. */
void gw_openai_write_error_event(const struct gw_error *error, struct gw_buf *out);

#endif
