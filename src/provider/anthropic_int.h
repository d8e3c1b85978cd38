/* SPDX-License-Identifier: MIT */
/*
 * provider/anthropic_int - what the files of the Messages API share: the model's abilities, the
 * state of one encoding, and the reading of answers and errors.
 *
 * Source:   shared/providers/anthropic.md, vertex.md section 4
 * Shape:    encoders append JSON text to the call's body in a fixed order, the messages last, so
 *           that a longer conversation gives the same bytes plus more.
 * Units:    tokens where named
 * Limits:   GW_JSON_MAX_DEPTH (the neutral request was read with it), else see api.h
 * Memory:   notes' and targets' texts in the input's arena
 * Threads:  any
 * Errors:   see the functions; those that return void leave failures in the buffer.
 */
#ifndef GW_PROVIDER_ANTHROPIC_INT_H
#define GW_PROVIDER_ANTHROPIC_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "llm/chat.h"
#include "llm/error.h"
#include "provider/api.h"

/* ---- models (anthropic.md section 3) ---- */

/* What "thinking" a model takes. */
enum gw_anthropic_thinking {
    GW_ANTHROPIC_THINKS_NEVER,
    GW_ANTHROPIC_THINKS_BY_BUDGET, /* enabled with budget_tokens */
    GW_ANTHROPIC_THINKS_EITHER,    /* adaptive, or by budget */
    GW_ANTHROPIC_THINKS_ON_DEMAND, /* adaptive, off unless asked for */
    GW_ANTHROPIC_THINKS_ADAPTIVE,  /* adaptive, on unless disabled */
    GW_ANTHROPIC_THINKS_BETWEEN,   /* adaptive or between_tools */
    GW_ANTHROPIC_THINKS_ALWAYS,
};

/* When a tool may be forced. */
enum gw_anthropic_forcing {
    GW_ANTHROPIC_FORCES_NEVER,
    GW_ANTHROPIC_FORCES_UNTHINKING, /* only with thinking off */
    GW_ANTHROPIC_FORCES_ALWAYS,
};

/* Levels of effort, in order. */
enum gw_anthropic_effort {
    GW_ANTHROPIC_EFFORT_UNSET,
    GW_ANTHROPIC_EFFORT_NONE,
    GW_ANTHROPIC_EFFORT_LOW,
    GW_ANTHROPIC_EFFORT_MEDIUM,
    GW_ANTHROPIC_EFFORT_HIGH,
    GW_ANTHROPIC_EFFORT_XHIGH,
    GW_ANTHROPIC_EFFORT_MAX,
};

struct gw_anthropic_model {
    enum gw_anthropic_thinking thinking;
    enum gw_anthropic_forcing forcing;
    unsigned efforts;           /* a bit per enum gw_anthropic_effort; 0: has no such setting */
    bool samples;               /* takes temperature, top_p, top_k */
    bool samples_both;          /* temperature and top_p together */
    bool has_schemas;           /* output_config.format, strict tools */
    bool takes_system_messages; /* in the middle of a conversation */
    bool hides_thinking;        /* its text comes only when display asks for it */
    uint64_t max_output_tokens;
};

/* What the name tells; a name we do not know is taken for a present model. */
const struct gw_anthropic_model *gw_anthropic_model_of(struct gw_str name);

/* ---- encoding ---- */

struct gw_anthropic_encoding {
    const struct gw_provider_input *in;
    yyjson_val *chat;
    const struct gw_anthropic_model *model;
    bool is_vertex;
    bool is_thinking;    /* thinking is on, as sent */
    uint64_t max_tokens; /* as sent */
    struct gw_notes *notes;
    struct gw_buf *out;
};

/* A tool whose name or kind the API has not. */
struct gw_anthropic_tool {
    struct gw_str name; /* the client's */
    struct gw_str sent;
    bool is_custom; /* its input is free text, sent as {"input":text} */
};

/* What the decoder must know of the request. */
struct gw_anthropic_memory {
    struct gw_anthropic_tool *tools; /* those only that are sent changed */
    size_t tool_count;
};

/* Writes "thinking" and "output_config", and sets is_thinking. Errors: GW_ERR_INVALID (through
 * notes). */
GW_MUST_USE enum gw_err gw_anthropic_write_thinking(struct gw_anthropic_encoding *e);

/* Writes the schema of an answer or a strict tool as the API takes it; what it does not know is
 * noted. */
void gw_anthropic_write_schema(struct gw_anthropic_encoding *e, yyjson_val *schema);

/* Writes "tools" and "tool_choice". Errors: GW_ERR_INVALID (through notes). */
GW_MUST_USE enum gw_err gw_anthropic_write_tools(struct gw_anthropic_encoding *e);

/* The tools that are sent changed, for the decoder; *memory is NULL when there are none. Errors:
 * GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_anthropic_remember(struct gw_anthropic_encoding *e,
                                              struct gw_anthropic_memory **memory);

/* Writes "system". */
void gw_anthropic_write_system(struct gw_anthropic_encoding *e);

/* Writes "messages". Errors: GW_ERR_INVALID (through notes). */
GW_MUST_USE enum gw_err gw_anthropic_write_messages(struct gw_anthropic_encoding *e);

/* How a part that is no text is sent. */
enum gw_anthropic_media {
    GW_ANTHROPIC_MEDIA_NONE, /* not at all */
    GW_ANTHROPIC_MEDIA_IMAGE,
    GW_ANTHROPIC_MEDIA_IMAGE_URL,
    GW_ANTHROPIC_MEDIA_PDF,
    GW_ANTHROPIC_MEDIA_TEXT,
    GW_ANTHROPIC_MEDIA_FILE_URL,
    GW_ANTHROPIC_MEDIA_FILE_ID,
    GW_ANTHROPIC_MEDIA_NATIVE, /* a block of the API's own, as it is */
};

/* Finds how |part| can be sent. NONE with GW_OK: the deployment drops it. Errors: GW_ERR_INVALID
 * (through notes). */
GW_MUST_USE enum gw_err gw_anthropic_check_media(struct gw_anthropic_encoding *e,
                                                 const struct gw_chat_part *part,
                                                 enum gw_anthropic_media *media);

/* Writes its block without the brace that closes it. */
void gw_anthropic_write_media(struct gw_anthropic_encoding *e, const struct gw_chat_part *part,
                              enum gw_anthropic_media media);

/* An id as the API takes it: letters, digits, '_' and '-'; others are replaced, and a sum keeps
 * different ids different. Appends without quotes. */
void gw_anthropic_append_id(struct gw_str id, struct gw_buf *out);

/* The same for a tool's name, which has at most 64 bytes. */
void gw_anthropic_append_name(struct gw_str name, struct gw_buf *out);

/* Is the name sent as it is? */
bool gw_anthropic_is_name(struct gw_str name);

/*
 * The verbatim way: takes thinking blocks out of |body| that only other vendors can read, sealed by
 * dialect/anthropic_write.c or without a signature. Plans nothing where there are none. Errors:
 * GW_ERR_NOMEM, GW_ERR_TOO_LARGE.
 */
GW_MUST_USE enum gw_err gw_anthropic_drop_foreign(const struct gw_provider_input *in,
                                                  struct gw_str body,
                                                  struct gw_json_splice *splice);

#define GW_VERTEX_CLAUDE_VERSION "vertex-2023-10-16"

/* Fills in |call|'s body and memory. Errors: as encode() in provider/api.h. */
GW_MUST_USE enum gw_err gw_anthropic_encode(const struct gw_provider_input *in, yyjson_val *chat,
                                            bool is_vertex, struct gw_provider_call *call);

/* ---- members of struct gw_provider_api; see provider/api.h ---- */

/* decoder_create() */
struct gw_decoder *gw_anthropic_decoder_create(const struct gw_decoder_opts *opts);

/* feed() */
GW_MUST_USE enum gw_err gw_anthropic_feed(struct gw_decoder *decoder, struct gw_str bytes);

/* end() */
GW_MUST_USE enum gw_err gw_anthropic_end(struct gw_decoder *decoder);

/* decoder_destroy() */
void gw_anthropic_decoder_destroy(struct gw_decoder *decoder);

/* read_error() */
void gw_anthropic_read_error(unsigned status, const struct gw_header *headers, size_t header_count,
                             struct gw_str body, struct gw_arena *arena, struct gw_error *error);

/* Explains the error event |root| of a stream. Texts are views into the document. */
void gw_anthropic_explain_event(yyjson_val *root, struct gw_error *error);

#endif
