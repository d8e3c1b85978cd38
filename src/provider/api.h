/* SPDX-License-Identifier: MIT */
/*
 * provider/api - what a vendor's HTTP API is to the core: a table of functions per API. Several
 * vendors may share one (all that speak OpenAI's), one vendor may have several (Bedrock, Vertex).
 *
 * Source:   shared/providers pages
 * Shape:    encode() or patch() makes what is sent; authorize() adds the credential when all else
 *           is final; a decoder turns the answer into events; read_error() explains a failure. No
 *           function does I/O or looks at a clock: the time is given.
 * Units:    in the names
 * Limits:   an event of a stream: GW_PROVIDER_MAX_EVENT_BYTES; a plain answer:
 *           GW_PROVIDER_MAX_ANSWER_BYTES.
 * Memory:   in |arena| or as each function says
 * Threads:  any; a decoder belongs to its exchange
 * Errors:   see the members
 */
#ifndef GW_PROVIDER_API_H
#define GW_PROVIDER_API_H

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
#include "llm/catalog.h"
#include "llm/error.h"
#include "llm/event.h"
#include "llm/notes.h"
#include "llm/request.h"
#include "json/splice.h"

#define GW_PROVIDER_MAX_EVENT_BYTES  (16u * 1024 * 1024) /* an image of some megabytes in base64 */
#define GW_PROVIDER_MAX_ANSWER_BYTES (64u * 1024 * 1024)
#define GW_PROVIDER_MAX_FIELDS       16           /* of an API's own, credential included */
#define GW_PROVIDER_ERROR_BYTES      (64u * 1024) /* of an error's body are read */

/* What is to be sent, before the credential. */
struct gw_provider_call {
    struct gw_str method;                            /* "POST" */
    struct gw_str target;                            /* path and query, in the arena */
    struct gw_header fields[GW_PROVIDER_MAX_FIELDS]; /* the API's own: Content-Type, Accept,
                                                        versions; values live in the arena */
    size_t field_count;
    struct gw_buf body;  /* encode() fills it; the caller made it and frees it */
    bool usage_injected; /* patch() asked for usage that the client did not ask for: its event is
                            hidden */
    /* What the decoder must know of the request (renamed tools); in the arena, or NULL. */
    void *memory;
};

struct gw_provider_input {
    const struct gw_deployment *deployment;
    struct gw_str upstream_model;
    const struct gw_llm_request *request;
    /* The client's own fields, of which a few may travel on (anthropic-beta). */
    const struct gw_header *client_fields;
    size_t client_field_count;
    struct gw_arena *arena;
    struct gw_notes *notes;
};

/* What the credential is put on. */
struct gw_authorize_input {
    const struct gw_deployment *deployment;
    const struct gw_secret *credential; /* the key that was chosen; NULL: none */
    struct gw_str host; /* as the Host field will be: "bedrock-runtime.us-east-1.amazonaws.com" */
    const struct gw_str *body_runs; /* the final body */
    size_t body_run_count;
    uint64_t now_ms; /* since 1970 */
    struct gw_arena *arena;
};

enum gw_decoder_mode {
    GW_DECODE_PLAIN,
    GW_DECODE_STREAM,
};

struct gw_decoder_opts {
    enum gw_decoder_mode mode;
    struct gw_str content_type;        /* of the answer */
    struct gw_str upstream_request_id; /* or empty */
    struct gw_str upstream_model;
    const void *memory; /* of the call */
    gw_on_event_fn *on_event;
    void *user;
};

struct gw_decoder; /* each API's own */

struct gw_provider_api {
    struct gw_str name; /* for tests and explain: "openai", "anthropic", "bedrock-converse", ... */

    /* Can a request of this dialect and task travel verbatim (patch()), to this deployment? */
    bool (*speaks)(const struct gw_deployment *deployment, enum gw_dialect_id dialect,
                   enum gw_task task, struct gw_str upstream_model);

    /*
     * The verbatim way: target, own fields and the splices over the client's body. The client's
     * other fields are forwarded by the core. Errors: GW_ERR_NOMEM, GW_ERR_INVALID (through
     * notes).
     */
    GW_MUST_USE enum gw_err (*patch)(const struct gw_provider_input *in, struct gw_str path,
                                     struct gw_str query, struct gw_str body,
                                     struct gw_json_splice *splice, struct gw_provider_call *call);

    /*
     * The translated way: |chat| is the neutral request (llm/chat.h). Deterministic, and a longer
     * conversation's bytes begin with the shorter one's as far as its last message. Errors:
     * GW_ERR_NOMEM, GW_ERR_TOO_LARGE, GW_ERR_INVALID (through notes).
     */
    GW_MUST_USE enum gw_err (*encode)(const struct gw_provider_input *in, yyjson_val *chat,
                                      struct gw_provider_call *call);

    /* The same for an embeddings request in OpenAI's shape, and its answer |body| back into
     * OpenAI's shape. Both NULL where the vendor has none. Errors: as encode(); GW_ERR_PROTOCOL
     * (the answer is none). */
    GW_MUST_USE enum gw_err (*encode_embeddings)(const struct gw_provider_input *in,
                                                 yyjson_val *openai, struct gw_provider_call *call);
    GW_MUST_USE enum gw_err (*decode_embeddings)(struct gw_str body, struct gw_str model,
                                                 struct gw_usage *usage, struct gw_buf *openai);

    /*
     * Adds the credential: fields (secrets in the arena, which is wiped), or signs all that
     * |call| holds. Errors: GW_ERR_NOMEM, GW_ERR_NOT_FOUND (no token yet).
     */
    GW_MUST_USE enum gw_err (*authorize)(const struct gw_authorize_input *in,
                                         struct gw_provider_call *call);

    /* A decoder of one answer with status 2xx; NULL when there is no memory. |opts| is copied. */
    struct gw_decoder *(*decoder_create)(const struct gw_decoder_opts *opts);
    /* The next bytes, any split. Errors: GW_ERR_PROTOCOL (not what the API answers),
     * GW_ERR_TOO_LARGE, GW_ERR_NOMEM, or what on_event returned; sticky. */
    GW_MUST_USE enum gw_err (*feed)(struct gw_decoder *decoder, struct gw_str bytes);
    /* The answer is complete; gives END when it has its end. Errors: as feed; GW_ERR_EOF (it ended
     * before its end). */
    GW_MUST_USE enum gw_err (*end)(struct gw_decoder *decoder);
    /* Frees; NULL-safe. */
    void (*decoder_destroy)(struct gw_decoder *decoder);

    /*
     * Explains an answer with another status: class, status for the client, code, message (the
     * vendor's own text; of a refused credential of ours in detail, for the log only),
     * retryable, fallback, retry-after. |body| holds its first
     * GW_PROVIDER_ERROR_BYTES. Never fails: what it cannot read it explains by the status.
     */
    void (*read_error)(unsigned status, const struct gw_header *headers, size_t header_count,
                       struct gw_str body, struct gw_arena *arena, struct gw_error *error);
};

extern const struct gw_provider_api gw_api_openai;    /* chat completions, and all like it */
extern const struct gw_provider_api gw_api_responses; /* OpenAI's models that only do Responses */
extern const struct gw_provider_api gw_api_azure;
extern const struct gw_provider_api gw_api_anthropic;
extern const struct gw_provider_api gw_api_gemini;
extern const struct gw_provider_api gw_api_vertex_gemini;
extern const struct gw_provider_api gw_api_vertex_claude;
extern const struct gw_provider_api gw_api_bedrock; /* Converse */
extern const struct gw_provider_api gw_api_cohere;

/* The API that serves |request| on the deployment: by its provider, and by model where one vendor
 * has several. NULL for providers inside the process. */
const struct gw_provider_api *gw_api_for(const struct gw_deployment *deployment,
                                         struct gw_str upstream_model,
                                         const struct gw_llm_request *request);

/* Appends a field to the call; false when GW_PROVIDER_MAX_FIELDS are there. */
bool gw_provider_call_add(struct gw_provider_call *call, enum gw_header_id id, struct gw_str name,
                          struct gw_str value);

/*
 * What a status means where the body tells nothing more: the table that all APIs begin with.
 * 401, 403: our credential (class upstream, status 502 for the client). 408, 409, 429, 5xx:
 * retryable. 404: fallback. Retry-After and retry-after-ms are read.
 */
void gw_provider_explain_status(unsigned status, const struct gw_header *headers,
                                size_t header_count, struct gw_error *error);

#endif
