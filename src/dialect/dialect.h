/* SPDX-License-Identifier: MIT */
/*
 * dialect/dialect - what a client speaks: a table of functions per dialect, found by the route.
 *
 * Source:   shared/providers/inbound.md and the vendors' pages
 * Shape:    decode() reads the envelope that routing needs and leaves the body alone; to_chat()
 *           makes the neutral request, only when the provider does not speak the dialect itself;
 *           an encoder turns events into the dialect's stream, write_answer() an answer into its
 *           JSON, write_error() an error into its shape. No function does I/O or looks at a clock.
 * Units:    in the names
 * Limits:   GW_JSON_MAX_DEPTH; the body is bounded by its listener
 * Memory:   in |arena| or as each function says
 * Threads:  any; an encoder belongs to its request
 * Errors:   see the members
 */
#ifndef GW_DIALECT_DIALECT_H
#define GW_DIALECT_DIALECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "http/message.h"
#include "llm/answer.h"
#include "llm/error.h"
#include "llm/event.h"
#include "llm/notes.h"
#include "llm/request.h"

/* A request as it came, whole. All views outlive the request's decoding and encoding. */
struct gw_inbound {
    struct gw_str path;  /* behind the dialect's prefix: "/chat/completions", "/v1/messages" */
    struct gw_str query; /* without '?' */
    struct gw_str body;
    const struct gw_header *headers;
    size_t header_count;
};

/* What an encoder and an answer need to know beside the events. Views outlive the encoder. */
struct gw_encoder_opts {
    struct gw_str model;      /* as the client asked for it */
    struct gw_str request_id; /* ours; ids that the provider does not give are made of it, so that
                                 they are unique and an answer can be found in the log */
    uint64_t created_s;       /* when the request began */
    const struct gw_llm_request *request;
    /* The neutral request, for dialects that echo parts of it (Responses); may be NULL. */
    yyjson_val *chat;
};

struct gw_encoder; /* each dialect's own */

struct gw_dialect {
    enum gw_dialect_id id;
    struct gw_str name; /* for logs and metrics: "openai", "anthropic", ... */

    /*
     * Reads model, stream flag and what else routing needs. Errors: GW_ERR_INVALID with *error
     * filled in (class client, status 400).
     */
    GW_MUST_USE enum gw_err (*decode)(const struct gw_inbound *in, enum gw_task task,
                                      struct gw_arena *arena, struct gw_llm_request *request,
                                      struct gw_error *error);

    /*
     * Makes the neutral chat request (llm/chat.h); the caller frees *chat by yyjson_doc_free().
     * Only after decode(), for a GW_TASK_CHAT-like task. Deterministic. Errors: GW_ERR_INVALID
     * (told through |notes|), GW_ERR_NOMEM.
     */
    GW_MUST_USE enum gw_err (*to_chat)(const struct gw_inbound *in,
                                       const struct gw_llm_request *request, struct gw_notes *notes,
                                       yyjson_doc **chat);

    /*
     * The embeddings request in OpenAI's shape, and its OpenAI-shaped answer |openai| in the
     * dialect's. Both NULL where the dialect has none. Errors as to_chat(); the answer's failures
     * stick in |out|.
     */
    GW_MUST_USE enum gw_err (*to_embeddings)(const struct gw_inbound *in,
                                             const struct gw_llm_request *request,
                                             struct gw_notes *notes, yyjson_doc **openai);
    void (*write_embeddings)(const struct gw_encoder_opts *opts, yyjson_val *openai,
                             struct gw_buf *out);

    /* Content-Type of a streamed answer. */
    struct gw_str stream_type;

    /* An encoder for one stream; NULL when there is no memory. |opts| is copied. */
    struct gw_encoder *(*encoder_create)(const struct gw_encoder_opts *opts);
    /* Appends what |event| becomes, which may be nothing. After ERROR or END the stream is
     * complete. Failures stick in |out|. */
    void (*encode)(struct gw_encoder *encoder, const struct gw_event *event, struct gw_buf *out);
    /* Frees; NULL-safe. */
    void (*encoder_destroy)(struct gw_encoder *encoder);

    /* Appends a complete answer's JSON; failures stick in |out|. */
    void (*write_answer)(const struct gw_encoder_opts *opts, const struct gw_answer *answer,
                         struct gw_buf *out);

    /* Appends the answer to a count-tokens request; NULL where the dialect has none. */
    void (*write_token_count)(uint64_t input_tokens, struct gw_buf *out);

    /* Appends an error answer's body; failures stick in |out|. */
    void (*write_error)(const struct gw_error *error, struct gw_str request_id, struct gw_buf *out);
    /* Appends the error as the event that ends a stream whose bytes came from the provider as they
     * were (no encoder); failures stick in |out|. */
    void (*write_error_event)(const struct gw_error *error, struct gw_str request_id,
                              struct gw_buf *out);
    /* The status this dialect's clients expect for the error (Anthropic's 529); NULL: as it is. */
    unsigned (*error_status)(const struct gw_error *error);
};

extern const struct gw_dialect gw_dialect_openai;      /* chat completions, embeddings, ... */
extern const struct gw_dialect gw_dialect_completions; /* legacy /v1/completions */
extern const struct gw_dialect gw_dialect_responses;
extern const struct gw_dialect gw_dialect_anthropic;
extern const struct gw_dialect gw_dialect_gemini;
extern const struct gw_dialect gw_dialect_ollama;

/* The dialect's table. */
const struct gw_dialect *gw_dialect_of(enum gw_dialect_id id);

#endif
