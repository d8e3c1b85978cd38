/* SPDX-License-Identifier: MIT */
/*
 * llm/custom_tools - tools whose input is free text (OpenAI's "custom" tools: a patch, a program),
 * for models that only know functions with JSON arguments.
 *
 * Source:   shared/providers/inbound.md section C2
 * Shape:    such a tool is shown as a function with one member "input", its calls in the
 *           conversation as {"input":...}; what the model then calls is unwrapped. A grammar cannot
 *           be enforced any more: it becomes part of the description.
 * Units:    none
 * Limits:   those of the documents
 * Memory:   see the functions
 * Threads:  any
 * Errors:   see the functions
 *
 * An encode() for an API without custom tools calls gw_custom_tools_lower() first; an encoder that
 * sees a call of a tool that the client declared as custom unwraps its arguments. So neither knows
 * of the other.
 */
#ifndef GW_LLM_CUSTOM_TOOLS_H
#define GW_LLM_CUSTOM_TOOLS_H

#include <stdbool.h>
#include <yyjson.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

/* Does the neutral request |chat| (NULL allowed) declare |name| as a custom tool? */
bool gw_is_custom_tool(yyjson_val *chat, struct gw_str name);

/* Does |chat| declare or call any custom tool? */
bool gw_has_custom_tools(yyjson_val *chat);

/*
 * |chat| with functions in place of its custom tools, calls and choice included; all other members
 * are copied as they are, in their order. The caller frees *lowered by yyjson_doc_free().
 * Deterministic. Errors: GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_custom_tools_lower(yyjson_val *chat, yyjson_doc **lowered);

/* Appends the free text that a wrapped call's |arguments| stand for: their "input", or all of them
 * where the model did not keep to the shape. Failures stick in |out|. */
void gw_custom_tool_input(struct gw_str arguments, struct gw_buf *out);

#endif
