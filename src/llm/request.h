/* SPDX-License-Identifier: MIT */
/*
 * llm/request - the typed envelope of what a client asked, over the body's own bytes.
 *
 * Source:   DESIGN section 6
 * Shape:    filled in by a dialect's decoder; spans point into the body, so that single values can
 *           be patched and all else stays as sent.
 * Units:    bytes, tokens
 * Limits:   none of its own
 * Memory:   views into the request's body and arena
 * Threads:  its request's thread only
 * Errors:   none
 */
#ifndef GW_LLM_REQUEST_H
#define GW_LLM_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* What is asked for, whatever dialect asks. XX(identifier, name) */
#define GW_TASK_MAP(XX)                                                                            \
    XX(CHAT, "chat")                                                                               \
    XX(COMPLETION, "completion")                                                                   \
    XX(RESPONSE, "response")                                                                       \
    XX(EMBEDDING, "embedding")                                                                     \
    XX(MODERATION, "moderation")                                                                   \
    XX(IMAGE, "image")                                                                             \
    XX(SPEECH, "speech")                                                                           \
    XX(TRANSCRIPTION, "transcription")                                                             \
    XX(TOKEN_COUNT, "token_count")                                                                 \
    XX(PASS, "pass_through")                                                                       \
    XX(LOCAL, "local")

enum gw_task {
#define XX(id, name) GW_TASK_##id,
    GW_TASK_MAP(XX)
#undef XX
        GW_TASK_COUNT
};

/* The task's name for logs and metrics; static. */
struct gw_str gw_task_name(enum gw_task task);

/* What a client speaks. XX(identifier, name) */
#define GW_DIALECT_MAP(XX)                                                                         \
    XX(OPENAI, "openai")                                                                           \
    XX(COMPLETIONS, "completions")                                                                 \
    XX(RESPONSES, "responses")                                                                     \
    XX(ANTHROPIC, "anthropic")                                                                     \
    XX(GEMINI, "gemini")                                                                           \
    XX(OLLAMA, "ollama")

enum gw_dialect_id {
#define XX(id, name) GW_DIALECT_##id,
    GW_DIALECT_MAP(XX)
#undef XX
        GW_DIALECT_COUNT
};

struct gw_llm_request {
    enum gw_dialect_id dialect;
    enum gw_task task;
    struct gw_str model;       /* decoded name; empty when the request names none */
    struct gw_str model_value; /* as written in the body, quotes included, or null; ptr NULL when
                                  it came from elsewhere (path, form) or is the gateway's choice */
    struct gw_str
        model_form_value; /* as it stands in a multipart form; ptr NULL when it is no form */
    bool is_stream;
    bool is_json_array;   /* a stream as one JSON array piece by piece (Gemini without alt=sse) */
    bool wants_usage;     /* the client itself asked for usage in the stream */
    bool is_batch;        /* embeddings: a list was sent, a list is the answer (Gemini has both) */
    bool hides_reasoning; /* the client wants no text of the model's reasoning */
    struct gw_str stream_options; /* value as written; ptr NULL when absent */
    struct gw_str include_usage;  /* value inside stream_options; ptr NULL when absent */
    uint64_t max_output_tokens;   /* 0: not limited by the client */
    struct gw_str user;      /* who it is for, as written in the body, quotes included; or empty */
    struct gw_str fallbacks; /* LiteLLM's list of models that follow, as written; ptr NULL: none */
    /* What decides whether a model can do it in OpenAI's chat completions at all. */
    bool has_tools;                 /* OpenAI's shapes: "tools" is there and not empty */
    struct gw_str reasoning_effort; /* OpenAI's chat: the value as written; ptr NULL when absent */
    /* OpenAI's Responses only. */
    struct gw_str previous_response_id; /* decoded; empty: the conversation begins here */
    bool is_stored;     /* the client may ask for the answer again ("store" is not false) */
    bool is_background; /* the client does not wait for the answer */
};

#endif
