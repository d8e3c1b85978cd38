/* SPDX-License-Identifier: MIT */
/*
 * llm/chat - the neutral chat request: OpenAI's chat-completions JSON as an immutable yyjson
 * document, with fixed names for what other vendors have and OpenAI has not.
 *
 * Source:   shared/providers/openai.md section 2; the extension names are those that clients of
 *           LiteLLM and Google's compatibility layer already send.
 * Shape:    every dialect's to_chat() gives it, every provider's encode() takes it. Who makes it
 *           writes members in a fixed order and one message after the other, so that a longer
 *           conversation gives the same bytes plus more. Beyond OpenAI's own members:
 *
 *   messages[]  assistant: "reasoning_content" string: the reasoning's text.
 *               "thinking_blocks" array: the blocks as Anthropic has them, verbatim and in order:
 *               {"type":"thinking","thinking","signature"}, {"type":"redacted_thinking","data"}.
 *               "reasoning_items" array: OpenAI's reasoning items, verbatim.
 *               "tool_calls"[]."extra_content"."google"."thought_signature" string.
 *               "prefix" true, of the last message: the answer goes on from its end.
 *   messages[]  tool: "is_error" true: the tool failed. "name": the function's, where known.
 *               "content" may be an array of parts, images among them.
 *   any part, tool or message: "cache_control" {"type":"ephemeral","ttl"?}.
 *   part        {"type":"file","file":{"file_data" data URL | "file_id" | "file_url","filename"}}.
 *               {"type":"video_url"...} and unknown parts are kept as they came.
 *   top         "thinking" object: Anthropic's, verbatim. "reasoning_effort" none | minimal | low |
 *               medium | high | xhigh | max. "top_k" number. "safety_settings" array: Gemini's.
 *               "anthropic_beta" array of strings. "service_tier", "metadata", "user" as OpenAI's.
 *               "stop" string or array of strings.
 *               Members whose name begins with '_' are a dialect's own notes for the way back
 *               (what an answer echoes); no encode() reads or sends them.
 *   tools[]     {"type":"function","function":{...,"strict"?},"cache_control"?},
 *               {"type":"custom","custom":{"name","description"?,"format"?}}; any other type is a
 *               server-side tool of its vendor, verbatim.
 * Units:    none
 * Limits:   GW_JSON_MAX_DEPTH levels
 * Memory:   see the functions
 * Threads:  any, once made
 * Errors:   see the functions
 */
#ifndef GW_LLM_CHAT_H
#define GW_LLM_CHAT_H

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/str.h"

enum gw_role {
    GW_ROLE_SYSTEM, /* developer too */
    GW_ROLE_USER,
    GW_ROLE_ASSISTANT,
    GW_ROLE_TOOL,
    GW_ROLE_OTHER,
};

/* The message's role; "function" counts as tool. */
enum gw_role gw_chat_role(yyjson_val *message);

/* max_completion_tokens, else max_tokens; 0 when neither is a positive number. */
uint64_t gw_chat_max_tokens(yyjson_val *chat);

/* Part number |index| of |content|: text is one part. Walk from 0 until false. */
struct gw_chat_part {
    struct gw_str type; /* "text", "image_url", ...; a plain string is "text" */
    struct gw_str text; /* of a text part; ptr NULL otherwise */
    yyjson_val *value;  /* the part's object; NULL for a plain string */
};

/* A walk over message content: a string, an array of parts, or nothing. */
struct gw_chat_parts {
    yyjson_val *content;
    yyjson_arr_iter iter;
    bool is_text_pending;
};

/* Begins a walk over |content|, which may be NULL. */
struct gw_chat_parts gw_chat_parts_of(yyjson_val *content);

/* The next part, or false behind the last. */
bool gw_chat_parts_next(struct gw_chat_parts *parts, struct gw_chat_part *part);

/* A data URL's parts: "data:image/png;base64,AAAA". */
struct gw_data_url {
    struct gw_str mime_type;
    struct gw_str base64;
};

/* Splits a base64 data URL; false when |url| is none. */
bool gw_data_url_split(struct gw_str url, struct gw_data_url *out);

/* The image's URL of an image_url part: a string or {"url"}; ptr NULL when there is none. */
struct gw_str gw_chat_image_url(yyjson_val *part);

#endif
