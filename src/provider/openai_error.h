/* SPDX-License-Identifier: MIT */
/*
 * provider/openai_error - what a refusal of an OpenAI-like vendor means.
 *
 * Source:   shared/providers/openai.md section 8; mistral-deepseek-xai.md A4, B4, C4; groq.md
 *           section 5; azure.md section 6; local.md section 6.
 * Shape:    the status says most, the body's code, type and wording the rest.
 * Units:    seconds
 * Limits:   GW_OPENAI_ERROR_TEXT_BYTES of the vendor's text
 * Memory:   see the functions
 * Threads:  any
 * Errors:   none: what cannot be read is explained by the status alone
 */
#ifndef GW_PROVIDER_OPENAI_ERROR_H
#define GW_PROVIDER_OPENAI_ERROR_H

#include <stddef.h>
#include <yyjson.h>

#include "base/arena.h"
#include "base/str.h"
#include "http/header.h"
#include "llm/error.h"

#define GW_OPENAI_ERROR_TEXT_BYTES 4096 /* some vendors put the whole request into their text */

/* As provider/api.h wants read_error(); texts live in |arena|. */
void gw_openai_read_error(unsigned status, const struct gw_header *headers, size_t header_count,
                          struct gw_str body, struct gw_arena *arena, struct gw_error *error);

/*
 * Explains an error object that came inside an answer: |root| is the whole event,
 * {"error":{...}} or like it. Texts are views into the document.
 */
void gw_openai_explain_event(yyjson_val *root, struct gw_error *error);

#endif
