/* SPDX-License-Identifier: MIT */
/*
 * dialect/responses_chat - a request of OpenAI's Responses API as the neutral one.
 *
 * Source:   shared/providers/inbound.md section C2
 * Shape:    see llm/chat.h. Consecutive calls of one turn, with the text before them, become one
 *           assistant's message. Custom tools stay custom; tools of a namespace get flat names.
 *           Developer and system messages both become "system": servers of open models know no
 *           other, and OpenAI takes one of the two but not both.
 * Units:    none
 * Limits:   the body is bounded by its listener
 * Memory:   as dialect.h says
 * Threads:  any
 * Errors:   see the function
 */
#ifndef GW_DIALECT_RESPONSES_CHAT_H
#define GW_DIALECT_RESPONSES_CHAT_H

#include <yyjson.h>

#include "base/compiler.h"
#include "base/err.h"
#include "dialect/dialect.h"

/* to_chat() of the dialect's table. Errors: GW_ERR_INVALID (told through |notes|), GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_responses_to_chat(const struct gw_inbound *in,
                                             const struct gw_llm_request *request,
                                             struct gw_notes *notes, yyjson_doc **neutral);

#endif
