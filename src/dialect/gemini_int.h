/* SPDX-License-Identifier: MIT */
/*
 * dialect/gemini_int - what the files of Gemini's dialect share. Only dialect/ includes this.
 *
 * Source:   shared/providers/inbound.md B1 to B3; gemini.md sections 1, 5 to 7
 * Shape:    gw_from_gemini_...() read what clients send, gw_to_gemini_...() write what they get.
 *           Clients write members in camelCase or snake_case, enumerations in any case.
 * Units:    tokens, seconds
 * Limits:   GW_JSON_MAX_DEPTH levels
 * Memory:   see the functions
 * Threads:  any
 * Errors:   see the functions; those that return void leave failures in |out|.
 */
#ifndef GW_DIALECT_GEMINI_INT_H
#define GW_DIALECT_GEMINI_INT_H

#include <stdbool.h>
#include <yyjson.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "dialect/dialect.h"
#include "llm/notes.h"

/* ---- reading ---- */

/* One request on its way to the neutral form, which is written as text. */
struct gw_gemini_reading {
    const struct gw_llm_request *request;
    struct gw_notes *notes;
    struct gw_buf *out;
};

/* Member |camel| ("inlineData") of |object|, also where it is written "inline_data"; or NULL. */
yyjson_val *gw_from_gemini_get(yyjson_val *object, const char *camel);

/* The same as text; ptr is NULL when it is absent or no string. */
struct gw_str gw_from_gemini_text(yyjson_val *object, const char *camel);

/*
 * The name of an enum's |value|: itself, or names[value] where it is a number, as clients made from
 * Google's protocol buffers send it (google-api-core); ptr is NULL when it is neither.
 */
struct gw_str gw_from_gemini_enum(yyjson_val *value, const struct gw_str *names, size_t count);

/* "messages" from systemInstruction and contents. Errors: GW_ERR_INVALID (through notes),
 * GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_from_gemini_messages(struct gw_gemini_reading *r, yyjson_val *root);

/* "tools" and "tool_choice". */
void gw_from_gemini_tools(struct gw_gemini_reading *r, yyjson_val *root);

/* What generationConfig becomes. Errors: GW_ERR_INVALID (through notes). */
GW_MUST_USE enum gw_err gw_from_gemini_config(struct gw_gemini_reading *r, yyjson_val *config);

/* A schema in Google's OpenAPI subset as JSON Schema. */
void gw_from_gemini_schema(yyjson_val *schema, struct gw_buf *out);

/* A part with inlineData or fileData as a part of the neutral request; false when it is none. */
bool gw_from_gemini_media(struct gw_gemini_reading *r, yyjson_val *part);

/* to_chat(), to_embeddings() and write_embeddings(); see dialect/dialect.h. */
GW_MUST_USE enum gw_err gw_from_gemini_chat(const struct gw_inbound *in,
                                            const struct gw_llm_request *request,
                                            struct gw_notes *notes, yyjson_doc **chat);
GW_MUST_USE enum gw_err gw_from_gemini_embeddings(const struct gw_inbound *in,
                                                  const struct gw_llm_request *request,
                                                  struct gw_notes *notes, yyjson_doc **openai);
void gw_to_gemini_embeddings(const struct gw_encoder_opts *opts, yyjson_val *openai,
                             struct gw_buf *out);

/* Makes a document of its own of |text|. Errors: GW_ERR_NOMEM, or what stuck in |text|. */
GW_MUST_USE enum gw_err gw_from_gemini_finish(const struct gw_buf *text, yyjson_doc **doc);

/* ---- writing ---- */

/* {"text":...}, with "thought":true where |is_thought|. */
void gw_to_gemini_text(struct gw_str text, bool is_thought, struct gw_buf *out);

/* The empty text that carries Google's signature. */
void gw_to_gemini_signature(struct gw_str signature, struct gw_buf *out);

struct gw_gemini_call {
    struct gw_str id;
    struct gw_str name;
    struct gw_str arguments; /* JSON text, or a custom tool's input */
    struct gw_str signature;
    bool is_custom;
};

/* {"functionCall":{...}}; arguments that are no JSON object become an empty one. */
void gw_to_gemini_call(const struct gw_gemini_call *call, struct gw_buf *out);

/* {"inlineData":{...}} */
void gw_to_gemini_media(struct gw_str mime_type, struct gw_str base64, struct gw_buf *out);

/* An element of groundingChunks of an OpenAI annotation; nothing when it cites no address. */
void gw_to_gemini_citation(struct gw_str annotation, struct gw_buf *out);

/* The member "logprobsResult" of OpenAI's logprobs.content array; nothing when it is none. */
void gw_to_gemini_logprobs(struct gw_str content, struct gw_buf *out);

/* "usageMetadata"; nothing when nothing is known. */
void gw_to_gemini_usage(const struct gw_usage *usage, struct gw_buf *out);

/* "STOP", "MAX_TOKENS" or "SAFETY". */
struct gw_str gw_to_gemini_finish(enum gw_finish finish);

/* write_answer() and the stream encoder; see dialect/dialect.h. */
void gw_to_gemini_answer(const struct gw_encoder_opts *opts, const struct gw_answer *answer,
                         struct gw_buf *out);
struct gw_encoder *gw_to_gemini_encoder_create(const struct gw_encoder_opts *opts);
void gw_to_gemini_encode(struct gw_encoder *encoder, const struct gw_event *event,
                         struct gw_buf *out);
void gw_to_gemini_encoder_destroy(struct gw_encoder *encoder);

/* {"error":{...}} */
void gw_to_gemini_error(const struct gw_error *error, struct gw_buf *out);

#endif
