/* SPDX-License-Identifier: MIT */
/*
 * llm/event - one item of the neutral stream that a provider's decoder gives and a dialect's
 * encoder takes.
 *
 * Source:   DESIGN section 6
 * Shape:    START, then output in the order the model made it, then FINISH and USAGE in any order
 *           (either may be missing: a provider that tells none), then END. ERROR may come at any
 *           time instead; nothing but END follows it. PING anywhere. A plain (not streamed) answer
 *           gives the same events, each output in one piece.
 *
 *             START (TEXT | REASONING | REASONING_SIGNATURE | REASONING_REDACTED | REFUSAL | MEDIA
 *                    | ANNOTATION | TOOL_BEGIN TOOL_ARGUMENTS* TOOL_END)* FINISH USAGE END
 *
 *           Tool calls may interleave (TOOL_ARGUMENTS name their call by index, counted from 0 in
 *           order of TOOL_BEGIN); TOOL_END may be missing before FINISH.
 * Units:    tokens, seconds
 * Limits:   none of its own
 * Memory:   slices borrow the decoder's memory and end when the callback returns.
 * Threads:  its exchange's thread only
 * Errors:   none
 */
#ifndef GW_LLM_EVENT_H
#define GW_LLM_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "llm/error.h"
#include "llm/usage.h"

/* XX(identifier, name) */
#define GW_EVENT_MAP(XX)                                                                           \
    XX(START, "start")                                                                             \
    XX(TEXT, "text")                                                                               \
    XX(REASONING, "reasoning")                                                                     \
    XX(REASONING_SIGNATURE, "reasoning_signature")                                                 \
    XX(REASONING_REDACTED, "reasoning_redacted")                                                   \
    XX(REFUSAL, "refusal")                                                                         \
    XX(MEDIA, "media")                                                                             \
    XX(ANNOTATION, "annotation")                                                                   \
    XX(TOOL_BEGIN, "tool_begin")                                                                   \
    XX(TOOL_ARGUMENTS, "tool_arguments")                                                           \
    XX(TOOL_END, "tool_end")                                                                       \
    XX(FINISH, "finish")                                                                           \
    XX(USAGE, "usage")                                                                             \
    XX(ERROR, "error")                                                                             \
    XX(PING, "ping")                                                                               \
    XX(END, "end")

enum gw_event_type {
#define XX(id, name) GW_EVENT_##id,
    GW_EVENT_MAP(XX)
#undef XX
        GW_EVENT_TYPE_COUNT
};

/* Why the model stopped. XX(identifier, OpenAI's name) */
#define GW_FINISH_MAP(XX)                                                                          \
    XX(UNKNOWN, "")                                                                                \
    XX(STOP, "stop")                                                                               \
    XX(LENGTH, "length")                                                                           \
    XX(TOOL_CALLS, "tool_calls")                                                                   \
    XX(CONTENT_FILTER, "content_filter")

enum gw_finish {
#define XX(id, name) GW_FINISH_##id,
    GW_FINISH_MAP(XX)
#undef XX
        GW_FINISH_COUNT
};

/* OpenAI's name of the reason, which logs use too; static; empty for UNKNOWN. */
struct gw_str gw_finish_name(enum gw_finish finish);

/* Which vendor can read a signature or a redacted block again; others must not be sent it. */
enum gw_signer {
    GW_SIGNER_NONE,
    GW_SIGNER_ANTHROPIC, /* also on Bedrock and Vertex */
    GW_SIGNER_GOOGLE,
    GW_SIGNER_OPENAI, /* encrypted_content of reasoning items */
};

struct gw_event_start {
    struct gw_str id;    /* the provider's, or empty */
    struct gw_str model; /* as the provider calls it, or empty */
    uint64_t created_s;  /* 0: not told */
};

struct gw_event_signature {
    struct gw_str value; /* SIGNATURE: of the reasoning since the last one, whose block it ends.
                            REDACTED: the opaque block itself. */
    struct gw_str id;    /* of the reasoning item where the vendor has one (OpenAI), or empty */
    enum gw_signer signer;
};

struct gw_event_media {
    struct gw_str mime_type;
    struct gw_str base64;     /* a piece or the whole */
    struct gw_str transcript; /* of audio, or empty */
};

struct gw_event_tool {
    unsigned index;
    struct gw_str id; /* empty: the provider has none; the encoder makes one */
    struct gw_str name;
    bool is_custom;                  /* its input is free text, not JSON */
    struct gw_str thought_signature; /* Google's, bound to this call; or empty */
};

struct gw_event_arguments {
    unsigned index;
    struct gw_str text; /* a piece of the arguments' JSON text (or of a custom tool's input) */
};

struct gw_event_finish {
    enum gw_finish reason;
    struct gw_str stop_sequence; /* the one that matched, where the provider tells; or empty */
};

struct gw_event {
    enum gw_event_type type;
    union {
        struct gw_event_start start;
        struct gw_str text;                  /* TEXT, REASONING, REFUSAL: decoded UTF-8, not JSON */
        struct gw_event_signature signature; /* REASONING_SIGNATURE, REASONING_REDACTED */
        struct gw_event_media media;
        struct gw_str annotation;  /* JSON object in OpenAI's shape (url_citation and others) */
        struct gw_event_tool tool; /* TOOL_BEGIN */
        struct gw_event_arguments arguments; /* TOOL_ARGUMENTS */
        unsigned index;                      /* TOOL_END */
        struct gw_event_finish finish;
        struct gw_usage usage; /* cumulative: the last one counts */
        const struct gw_error *error;
    };
    struct gw_str logprobs; /* TEXT: JSON array in OpenAI's logprobs.content shape, or empty */
};

/* Does the event bring something the client must see, so that no other deployment can answer any
 * more? */
bool gw_event_is_output(const struct gw_event *event);

/* Returns GW_OK to go on; any other value stops the decoder, which returns it. */
typedef enum gw_err gw_on_event_fn(void *user, const struct gw_event *event);

#endif
