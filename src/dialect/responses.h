/* SPDX-License-Identifier: MIT */
/*
 * dialect/responses - what the core needs of OpenAI's Responses dialect beside its table: the
 * conversation that a previous response stands for, and the pages of a stored one.
 *
 * Source:   shared/providers/inbound.md sections C1 and C2; openai-openapi 2.3.0
 * Shape:    policy/response_store.h keeps what these functions give and take:
 *
 *             before to_chat()      request->previous_response_id is not empty and the provider
 *                                   does not keep responses itself:
 *                                   gw_response_store_history() -> items
 *                                   gw_responses_join(body, items) -> the body for to_chat()
 *             after the answer      request->is_stored: gw_responses_result(encoder) or what
 *                                   write_answer() gave is |response|,
 *                                   gw_responses_input(body) the |input|:
 *                                   gw_response_store_put()
 *             GET  /{id}            gw_response_store_get() is the body of the answer
 *             DELETE /{id}          gw_response_store_delete(), gw_responses_write_deleted()
 *             GET  /{id}/input_items  gw_response_store_inputs(), gw_responses_write_items()
 *             POST /{id}/cancel     gw_response_store_get(); 400: nothing runs in the background
 *
 * Units:    bytes
 * Limits:   see the functions
 * Memory:   results are appended to |out| or are views of what was given.
 * Threads:  any
 * Errors:   see the functions
 */
#ifndef GW_DIALECT_RESPONSES_H
#define GW_DIALECT_RESPONSES_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "dialect/dialect.h"

/* An answer as write_answer() of the table gives it. */
void gw_responses_write_answer(const struct gw_encoder_opts *opts, const struct gw_answer *answer,
                               struct gw_buf *out);

/* The final response object of an encoder of this dialect, valid until it is destroyed; false
 * before END or ERROR. */
bool gw_responses_result(const struct gw_encoder *encoder, struct gw_str *response);

/*
 * The items of |body|'s "input" as the elements of an array, without its brackets: a string is one
 * message. Appended to |out|; |body| was decoded. Errors: GW_ERR_INVALID (no input), GW_ERR_NOMEM,
 * GW_ERR_TOO_LARGE.
 */
GW_MUST_USE enum gw_err gw_responses_input(struct gw_str body, struct gw_buf *out);

/*
 * |body| with |items| (elements as above) in front of its own input and without
 * "previous_response_id"; all else byte for byte. Errors: as gw_responses_input().
 */
GW_MUST_USE enum gw_err gw_responses_join(struct gw_str body, struct gw_str items,
                                          struct gw_buf *out);

/*
 * Appends the page of |items| that |query| ("limit", "order", "after") asks for, in the shape of a
 * list of input items. Items without an id get one made of |response_id| and their place. Errors:
 * GW_ERR_INVALID (the query), GW_ERR_NOMEM, GW_ERR_TOO_LARGE.
 */
GW_MUST_USE enum gw_err gw_responses_write_items(struct gw_str items, struct gw_str response_id,
                                                 struct gw_str query, struct gw_buf *out);

/* Appends the answer to a deletion. */
void gw_responses_write_deleted(struct gw_str response_id, struct gw_buf *out);

#endif
