/* SPDX-License-Identifier: MIT */
/*
 * dialect/openai_int - what the writers of OpenAI-shaped answers share. Only dialect/ includes
 * this.
 *
 * Source:   shared/providers/openai.md sections 5 and 6
 * Shape:    pure writers; failures stick in |out|
 * Units:    tokens, seconds since 1970
 * Limits:   none of their own
 * Memory:   none
 * Threads:  any
 * Errors:   in |out|
 */
#ifndef GW_DIALECT_OPENAI_INT_H
#define GW_DIALECT_OPENAI_INT_H

#include <stdbool.h>
#include <yyjson.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "dialect/dialect.h"
#include "llm/event.h"
#include "llm/notes.h"
#include "llm/usage.h"

#define GW_OPENAI_ID_BYTES                                                                         \
    128 /* longer ids of providers are replaced by ours; theirs have some 50 */

/* Who an answer says it is. */
struct gw_openai_identity {
    struct gw_str prefix; /* of ids that we make: "chatcmpl-" */
    struct gw_str object; /* "chat.completion.chunk" */
    struct gw_str id;     /* the provider's, or empty */
    struct gw_str model;  /* the provider's name, where the client's is not known */
    uint64_t created_s;   /* 0: when the request began */
};

/* Appends "id", "object", "created" and "model", without braces. */
void gw_openai_write_identity(const struct gw_encoder_opts *opts,
                              const struct gw_openai_identity *identity, struct gw_buf *out);

/* Appends ,"usage":{...} with both details. */
void gw_openai_write_usage(const struct gw_usage *usage, struct gw_buf *out);

/* Appends the id of tool call |index|: the provider's, else one made of the request's. */
void gw_openai_write_tool_id(const struct gw_encoder_opts *opts, struct gw_str id, unsigned index,
                             struct gw_buf *out);

/* Appends ,"extra_content":{"google":{"thought_signature":...}}, or nothing without one. */
void gw_openai_write_google_signature(struct gw_str signature, struct gw_buf *out);

/* Appends {"type":"thinking",...} as Anthropic has it. */
void gw_openai_write_thinking(struct gw_str text, struct gw_str signature, struct gw_buf *out);

/* Appends {"type":"redacted_thinking","data":...}. */
void gw_openai_write_redacted(struct gw_str opaque, struct gw_buf *out);

/* Appends OpenAI's reasoning item with the summary |text| (may be empty). */
void gw_openai_write_reasoning_item(struct gw_str id, struct gw_str text, struct gw_str encrypted,
                                    struct gw_buf *out);

/* Appends {"type":"image_url",...} with a data URL; |index| counts the answer's images. */
void gw_openai_write_image(struct gw_str mime_type, struct gw_str base64, unsigned index,
                           struct gw_buf *out);

/* Is it a sound? Else it is written as an image. */
bool gw_openai_is_audio(struct gw_str mime_type);

/* The reason as clients expect it: one that the provider did not tell becomes "tool_calls" or
 * "stop". */
struct gw_str gw_openai_finish_text(enum gw_finish finish, bool has_tools);

/*
 * Reads the body as a document of its own.
 *
 * Errors: GW_ERR_INVALID (told through |notes|), GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_openai_read_body(struct gw_str body, struct gw_notes *notes,
                                            yyjson_doc **doc);

#endif
