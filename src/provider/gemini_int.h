/* SPDX-License-Identifier: MIT */
/*
 * provider/gemini_int - what the files of the Gemini API share: the model's family, the state of
 * one encoding, and the reading of answers.
 *
 * Source:   shared/providers/gemini.md, vertex.md sections 1, 3, 5 and 6
 * Shape:    encoders append JSON text to the call's body, in a fixed order, the conversation last,
 *           so that a longer conversation gives the same bytes plus more.
 * Units:    tokens where named
 * Limits:   GW_JSON_MAX_DEPTH (the neutral request was read with it), else see api.h
 * Memory:   notes' and targets' texts in the input's arena
 * Threads:  any
 * Errors:   see the functions; those that return void leave failures in |out|.
 */
#ifndef GW_PROVIDER_GEMINI_INT_H
#define GW_PROVIDER_GEMINI_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <yyjson.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "llm/error.h"
#include "llm/event.h"
#include "llm/usage.h"
#include "provider/api.h"

/* ---- models ---- */

enum gw_gemini_line {
    GW_GEMINI_OTHER,
    GW_GEMINI_FLASH,
    GW_GEMINI_FLASH_LITE,
    GW_GEMINI_PRO,
    GW_GEMINI_DEEP, /* 4 Neon, 4 Hydrogen: they know xhigh */
};

#define GW_GEMINI_2_5 205u
#define GW_GEMINI_3   300u
#define GW_GEMINI_3_1 301u
#define GW_GEMINI_3_7 307u
#define GW_GEMINI_4   400u

struct gw_gemini_model {
    unsigned version; /* major times 100 plus minor: 205 is 2.5; 0 when the name tells none */
    enum gw_gemini_line line;
    bool can_think;
    bool is_gemma; /* has no system instruction */
};

/* |name| without "models/" and "google/", which clients write in front of it. */
struct gw_str gw_gemini_model_name(struct gw_str name);

/* What the name tells. */
struct gw_gemini_model gw_gemini_model_of(struct gw_str name);

/* ---- encoding ---- */

struct gw_gemini_encoding {
    const struct gw_provider_input *in;
    yyjson_val *chat;
    struct gw_gemini_model model;
    bool is_vertex;
    struct gw_notes *notes;
    struct gw_buf *out;
};

/* What the decoder must know of the request. */
struct gw_gemini_memory {
    const struct gw_str *custom_tools; /* whose input is free text */
    size_t custom_tool_count;
};

/* "tools", "toolConfig". Errors: GW_ERR_INVALID (through notes). */
GW_MUST_USE enum gw_err gw_gemini_write_tools(struct gw_gemini_encoding *e);

/* The custom tools among the request's, for the decoder; NULL when there is no memory. */
struct gw_gemini_memory *gw_gemini_remember(struct gw_gemini_encoding *e);

/* "generationConfig". Errors: GW_ERR_INVALID (through notes). */
GW_MUST_USE enum gw_err gw_gemini_write_config(struct gw_gemini_encoding *e);

/* The "thinkingConfig" of it, where one is asked for. */
void gw_gemini_write_thinking(struct gw_gemini_encoding *e);

/* "systemInstruction". */
void gw_gemini_write_system(struct gw_gemini_encoding *e);

/* "contents". Errors: GW_ERR_INVALID (through notes). */
GW_MUST_USE enum gw_err gw_gemini_write_contents(struct gw_gemini_encoding *e);

/* One part of a user's message that is no text: image, audio, file, video. Errors: GW_ERR_INVALID
 * (through notes). */
GW_MUST_USE enum gw_err gw_gemini_write_media(struct gw_gemini_encoding *e, yyjson_val *part);

/* The part {"text":...}, nothing for an empty text. */
void gw_gemini_write_text_part(struct gw_str text, struct gw_buf *out);

/* An answer's schema with only what the API knows; what it does not know is noted. */
void gw_gemini_write_schema(struct gw_gemini_encoding *e, yyjson_val *schema);

/* ---- targets ---- */

/*
 * Path and query of |method| ("generateContent") on the deployment's model; ptr is NULL when the
 * arena is full. |query| is the client's, of which credentials are left out.
 */
struct gw_str gw_gemini_target(const struct gw_provider_input *in, bool is_vertex,
                               struct gw_str method, struct gw_str query);

/* The common start of a call: POST, target, Content-Type. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_gemini_begin_call(const struct gw_provider_input *in, bool is_vertex,
                                             struct gw_str method, struct gw_str query,
                                             struct gw_provider_call *call);

/* Plans what a verbatim body still needs: the model's name where it stands in the body, the limit
 * on output. Errors: GW_ERR_NOMEM, GW_ERR_TOO_LARGE, GW_ERR_INVALID (through notes). */
GW_MUST_USE enum gw_err gw_gemini_patch_body(const struct gw_provider_input *in, bool is_vertex,
                                             struct gw_str body, struct gw_json_splice *splice);

/* ---- answers ---- */

enum gw_gemini_split_state {
    GW_GEMINI_SPLIT_BEFORE,
    GW_GEMINI_SPLIT_BETWEEN,
    GW_GEMINI_SPLIT_INSIDE,
    GW_GEMINI_SPLIT_DONE,
};

/* Cuts a stream that is one JSON array (or one object) into its objects, whatever the split. */
struct gw_gemini_split {
    enum gw_gemini_split_state state;
    struct gw_buf part; /* of an object that is not complete yet */
    unsigned depth;
    bool in_string;
    bool after_escape;
    bool is_array;
};

/* Called for each object; what it returns but GW_OK ends the feed. */
typedef enum gw_err gw_gemini_on_object_fn(void *user, struct gw_str json);

/* Makes ready; an object has at most |max_bytes|. End with gw_gemini_split_fini(). */
void gw_gemini_split_init(struct gw_gemini_split *split, size_t max_bytes);

/* Frees what is kept. */
void gw_gemini_split_fini(struct gw_gemini_split *split);

/* Takes the next bytes. Errors: GW_ERR_PROTOCOL (no such stream), GW_ERR_TOO_LARGE, GW_ERR_NOMEM,
 * or what |on_object| returned. */
GW_MUST_USE enum gw_err gw_gemini_split_feed(struct gw_gemini_split *split, struct gw_str bytes,
                                             gw_gemini_on_object_fn *on_object, void *user);

/* Reads usageMetadata. */
void gw_gemini_read_usage(yyjson_val *metadata, struct gw_usage *usage);

/* What the error object |value| ({"code","message","status","details"}) means; |status| is HTTP's
 * and already explained in *error. Texts are static or views into |value|. */
void gw_gemini_explain_error(yyjson_val *value, unsigned status, struct gw_error *error);

/* The error object of a body: {"error":{...}} or the same in an array; NULL when there is none. */
yyjson_val *gw_gemini_find_error(yyjson_val *root);

/* Logprobs of a candidate as elements of OpenAI's array, brackets included. */
void gw_gemini_write_logprobs(yyjson_val *result, struct gw_buf *out);

/* The members of struct gw_provider_api that gemini_decode.c, gemini_error.c and gemini_embed.c
 * implement; see provider/api.h. */
struct gw_decoder *gw_gemini_decoder_create(const struct gw_decoder_opts *opts);
GW_MUST_USE enum gw_err gw_gemini_feed(struct gw_decoder *decoder, struct gw_str bytes);
GW_MUST_USE enum gw_err gw_gemini_end(struct gw_decoder *decoder);
void gw_gemini_decoder_destroy(struct gw_decoder *decoder);
void gw_gemini_read_error(unsigned status, const struct gw_header *headers, size_t header_count,
                          struct gw_str body, struct gw_arena *arena, struct gw_error *error);
GW_MUST_USE enum gw_err gw_gemini_encode_embeddings(const struct gw_provider_input *in,
                                                    yyjson_val *openai,
                                                    struct gw_provider_call *call);
GW_MUST_USE enum gw_err gw_vertex_encode_embeddings(const struct gw_provider_input *in,
                                                    yyjson_val *openai,
                                                    struct gw_provider_call *call);
GW_MUST_USE enum gw_err gw_gemini_decode_embeddings(struct gw_str body, struct gw_str model,
                                                    struct gw_usage *usage, struct gw_buf *openai);

#endif
