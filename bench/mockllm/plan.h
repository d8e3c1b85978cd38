/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/plan - what the model "says", before it is put into an API's shape.
 *
 * Source:   providers/openai.md section 2 (tools, response_format), section 5 (finish reasons).
 * Shape:    text, a refusal, JSON or tool calls, decided from the request and the knobs; the same
 *           plan serves the APIs of all vendors, each of which reads its own ask.
 * Units:    tokens are counted as chunks of output.
 * Limits:   PLAN_MAX_TOOL_CALLS; a fixed text is cut into at most as many chunks as it has bytes.
 * Memory:   a plan owns its text, an ask its list of tools; names borrow the request's document
 *           while it is routed.
 * Threads:  none.
 * Errors:   none.
 */
#ifndef MOCKLLM_PLAN_H
#define MOCKLLM_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include <yyjson.h>

#include "common/mem.h"
#include "mockllm/answer.h"

/* OpenAI allows 128 tools in a request. */
#define PLAN_MAX_TOOL_CALLS 128

enum mock_plan_kind {
    MOCK_PLAN_GENERATED, /* made up text of |text_bytes| bytes */
    MOCK_PLAN_FIXED,     /* the text in |text|: echo, JSON, knob */
    MOCK_PLAN_REFUSAL,   /* the refusal in |text| */
    MOCK_PLAN_TOOLS,
};

struct mock_tool_call {
    struct bench_str name;
    struct bench_str name_space; /* of Responses' tools; ptr NULL: none */
    bool custom;                 /* free text input instead of JSON arguments */
    struct bench_buf input;      /* arguments or input */
};

struct mock_plan {
    enum mock_plan_kind kind;
    uint64_t text_bytes; /* of a generated text */
    uint64_t chunks;     /* the text is streamed in */
    struct bench_buf text;
    struct mock_tool_call *calls;
    size_t call_count;
    struct bench_str finish;   /* chat's finish_reason */
    struct bench_str stopped;  /* the stop sequence that ended the text, ptr NULL: none did */
    uint64_t reasoning_chunks; /* of made up reasoning before the text or the calls */
    struct mock_usage usage;
};

/* A tool of the request that may be called. */
struct mock_tool {
    struct bench_str name;
    struct bench_str name_space;
    yyjson_val *schema; /* of its arguments, or NULL */
    bool custom;
};

/* What a request asks for, read from any API's spelling. Begin it zeroed. */
struct mock_plan_ask {
    struct mock_tool *tools; /* filled by mock_ask_tool() */
    size_t tool_count;
    struct bench_str named;    /* the one tool to call, ptr NULL: any */
    bool must_call;            /* a tool has to be called */
    bool no_call;              /* none may be called */
    bool named_stops;          /* a call asked for by name ends with "stop", as in OpenAI's chat */
    yyjson_val *schema;        /* of the structured output, or NULL */
    bool json;                 /* any JSON object */
    bool one_tool;             /* no parallel calls */
    bool tool_answered;        /* the conversation ends with a tool's result */
    uint64_t max_tokens;       /* 0: no limit */
    struct bench_str echo;     /* the last user text */
    struct bench_str stop_seq; /* the first stop sequence */
};

struct mock_exchange;

/* Adds a tool to |ask|. */
void mock_ask_tool(struct mock_plan_ask *ask, struct mock_tool tool);

/* Makes a plan; end it with mock_plan_fini(). Frees the tools of |ask|. */
void mock_plan_make(struct mock_plan *plan, const struct mock_exchange *exchange,
                    struct mock_plan_ask *ask);

/* Frees what |plan| owns. */
void mock_plan_fini(struct mock_plan *plan);

/* Tells whether |plan| ends with |finish|. */
bool mock_plan_ends(const struct mock_plan *plan, const char *finish);

/* Appends part |i| of the made up reasoning; part 0 of 1 is all of it. */
void mock_plan_reasoning(const struct mock_plan *plan, struct bench_buf *out, uint64_t parts,
                         uint64_t i);

/* Appends the whole text, not yet escaped. */
void mock_plan_text(const struct mock_plan *plan, struct bench_buf *out);

/* Appends part |i| of |plan|->chunks as a JSON string. */
void mock_plan_write_chunk(const struct mock_plan *plan, struct bench_buf *out, uint64_t i);

/* Appends the whole text as a JSON string. */
void mock_plan_write_text(const struct mock_plan *plan, struct bench_buf *out);

/* Returns part |i| of |plan|->chunks of a fixed text, cut between characters. */
struct bench_str mock_plan_chunk(const struct mock_plan *plan, uint64_t i);

/* Returns part |i| of |parts| of |text|, cut between UTF-8 characters. */
struct bench_str mock_plan_cut(struct bench_str text, uint64_t parts, uint64_t i);

#endif
