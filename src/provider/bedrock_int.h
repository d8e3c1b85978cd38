/* SPDX-License-Identifier: MIT */
/*
 * provider/bedrock_int - what the parts of Bedrock's Converse API share.
 *
 * Source:   shared/providers/bedrock.md
 * Shape:    bedrock_request.c plans and writes the request, with the messages from
 *           bedrock_messages.c, their blocks from bedrock_content.c, the tools from
 *           bedrock_tools.c and what one model family knows from bedrock_fields.c; bedrock_answer.c
 * reads answers, bedrock_error.c failures, bedrock_embed.c has the embeddings; bedrock.c is the
 * table and the credential.
 * Units:    none
 * Limits:   GW_BEDROCK_MAX_CACHE_POINTS
 * Memory:   the request's arena and the call's body
 * Threads:  not shared
 * Errors:   those of the functions of provider/api.h
 */
#ifndef GW_PROVIDER_BEDROCK_INT_H
#define GW_PROVIDER_BEDROCK_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <yyjson.h>

#include "base/buf.h"
#include "llm/chat.h"
#include "provider/api.h"
#include "provider/bedrock_model.h"
#include "provider/tool_names.h"

#define GW_BEDROCK_MAX_CACHE_POINTS 4 /* bedrock.md section 2; a request with more is refused */

/* What the decoder must know of the request. */
struct gw_bedrock_memory {
    struct gw_tool_names names;
    struct gw_str schema_tool; /* calls of it are the answer's text; or empty */
    bool is_claude;            /* signatures of its reasoning are Anthropic's */
};

enum gw_bedrock_choice {
    GW_BEDROCK_CHOICE_UNSET,
    GW_BEDROCK_CHOICE_AUTO,
    GW_BEDROCK_CHOICE_ANY,
    GW_BEDROCK_CHOICE_ONE,
};

/* One request on its way. */
struct gw_bedrock_encoder {
    const struct gw_provider_input *in;
    yyjson_val *chat;
    struct gw_buf *out;
    struct gw_bedrock_model model;
    struct gw_tool_names names;

    /* the plan */
    bool has_tool_blocks; /* in the history: then tools must be sent */
    bool sends_tools;
    enum gw_bedrock_choice choice;
    struct gw_str chosen; /* the client's name, with CHOICE_ONE */
    yyjson_val *allowed;  /* the tools that may be called, or NULL: all */
    yyjson_val *schema;   /* the answer's, or NULL */
    bool uses_schema_tool;
    struct gw_str hint;  /* appended to the system prompt, or empty */
    uint64_t max_tokens; /* 0: not limited */
    bool is_thinking;

    /* while messages are written */
    enum gw_role open_role; /* GW_ROLE_OTHER: none is open */
    bool open_has_text;
    bool open_has_document;
    unsigned document_count;
    unsigned cache_point_count;
};

/* Notes for the client: see llm/notes.h. */
static inline void gw_bedrock_note(const struct gw_bedrock_encoder *encoder, enum gw_note_kind kind,
                                   struct gw_str param, struct gw_str text)
{
    gw_notes_add(encoder->in->notes, kind, param, text);
}

/* Has |text| anything but blanks? Bedrock refuses blocks without. */
bool gw_bedrock_has_text(struct gw_str text);

/* Appends a block that marks what stands in front of it for the prompt cache, when |owner| (a part,
 * message or tool) has "cache_control" and the model caches. */
void gw_bedrock_write_cache_point(struct gw_bedrock_encoder *encoder, yyjson_val *owner,
                                  bool is_tool);

/* Appends the block |part| becomes, if any, to the array that is open; *is_written tells.
 * |in_result|: the array is a tool result's. Errors: GW_ERR_INVALID (through notes). */
GW_MUST_USE enum gw_err gw_bedrock_write_part(struct gw_bedrock_encoder *encoder,
                                              const struct gw_chat_part *part, bool in_result,
                                              bool *is_written);

/* Appends "messages" and "system". Errors: GW_ERR_INVALID (through notes). */
GW_MUST_USE enum gw_err gw_bedrock_write_messages(struct gw_bedrock_encoder *encoder);

/* The id of a tool call as Bedrock takes it: the same for a call and its result. */
struct gw_str gw_bedrock_tool_id(struct gw_str id, struct gw_arena *arena);

/* Reads tools, tool_choice and response_format into the plan. Errors: GW_ERR_INVALID (through
 * notes). */
GW_MUST_USE enum gw_err gw_bedrock_plan_tools(struct gw_bedrock_encoder *encoder);

/* Appends "toolConfig", if there is to be one. */
void gw_bedrock_write_tools(struct gw_bedrock_encoder *encoder);

/* Appends how the model is to reason to |fields|, and says so in the plan; before the tools are
 * planned. */
void gw_bedrock_write_reasoning(struct gw_bedrock_encoder *encoder, struct gw_buf *fields);

/* Appends all else that only the model's family knows to |fields|; when all is planned. */
void gw_bedrock_write_fields(struct gw_bedrock_encoder *encoder, struct gw_buf *fields);

/* The name of the tool that stands for a schema. */
struct gw_str gw_bedrock_schema_tool(void);

/* The schema of response_format and what belongs to it: {"name","description","schema","strict"}.
 */
yyjson_val *gw_bedrock_json_schema(yyjson_val *chat);

/* provider/api.h: encode(). */
enum gw_err gw_bedrock_encode(const struct gw_provider_input *in, yyjson_val *chat,
                              struct gw_provider_call *call);

/* "/model/" and the model as one segment, and |operation|, behind the deployment's base path. ptr
 * is NULL when there is no memory. */
struct gw_str gw_bedrock_target(const struct gw_provider_input *in, struct gw_str model_id,
                                struct gw_str operation);

/* provider/api.h: encode_embeddings(), decode_embeddings(). */
enum gw_err gw_bedrock_encode_embeddings(const struct gw_provider_input *in, yyjson_val *openai,
                                         struct gw_provider_call *call);
enum gw_err gw_bedrock_decode_embeddings(struct gw_str body, struct gw_str model,
                                         struct gw_usage *usage, struct gw_buf *openai);

/* provider/api.h: the decoder. */
struct gw_decoder *gw_bedrock_decoder_create(const struct gw_decoder_opts *opts);
enum gw_err gw_bedrock_feed(struct gw_decoder *decoder, struct gw_str bytes);
enum gw_err gw_bedrock_end(struct gw_decoder *decoder);
void gw_bedrock_decoder_destroy(struct gw_decoder *decoder);

/* provider/api.h: read_error(). */
void gw_bedrock_read_error(unsigned status, const struct gw_header *headers, size_t header_count,
                           struct gw_str body, struct gw_arena *arena, struct gw_error *error);

/* Explains an exception in the middle of a stream by its type ("throttlingException"); |message| is
 * the vendor's. Views of both. */
void gw_bedrock_explain_exception(struct gw_str type, struct gw_str message,
                                  struct gw_error *error);

#endif
