/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/openai_plan - what the model "says", before it is put into an API's shape.
 *
 * Source:   providers/openai.md section 2 (tools, response_format), section 5 (finish reasons).
 * Shape:    text, a refusal, JSON or tool calls, decided from the request and the knobs; the same
 *           plan serves chat, legacy completions and responses.
 * Units:    tokens are counted as chunks of output.
 * Limits:   PLAN_MAX_TOOL_CALLS; a fixed text is cut into at most as many chunks as it has bytes.
 * Memory:   a plan owns its text; names borrow the request's document while it is routed.
 * Threads:  none.
 * Errors:   none.
 */
#ifndef MOCKLLM_OPENAI_PLAN_H
#define MOCKLLM_OPENAI_PLAN_H

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
    bool custom;            /* free text input instead of JSON arguments */
    struct bench_buf input; /* arguments or input */
};

struct mock_plan {
    enum mock_plan_kind kind;
    uint64_t text_bytes; /* of a generated text */
    uint64_t chunks;     /* the text is streamed in */
    struct bench_buf text;
    struct mock_tool_call *calls;
    size_t call_count;
    struct bench_str finish; /* chat's finish_reason */
    struct mock_usage usage;
};

/* What a request asks for, in either API's spelling. */
struct mock_plan_ask {
    yyjson_val *tools;
    yyjson_val *tool_choice;
    yyjson_val *schema;    /* of the structured output, or NULL */
    bool json;             /* any JSON object */
    bool one_tool;         /* parallel_tool_calls is false */
    bool tool_answered;    /* the conversation ends with a tool's result */
    uint64_t max_tokens;   /* 0: no limit */
    struct bench_str echo; /* the last user text */
};

struct mock_exchange;

/* Makes a plan; end it with mock_plan_fini(). */
void mock_plan_make(struct mock_plan *plan, const struct mock_exchange *exchange,
                    const struct mock_plan_ask *ask);

/* Frees what |plan| owns. */
void mock_plan_fini(struct mock_plan *plan);

/* Appends the whole text, not yet escaped. */
void mock_plan_text(const struct mock_plan *plan, struct bench_buf *out);

/* Returns part |i| of |plan|->chunks of a fixed text, cut between characters. */
struct bench_str mock_plan_chunk(const struct mock_plan *plan, uint64_t i);

/* Returns part |i| of |parts| of |text|, cut between UTF-8 characters. */
struct bench_str mock_plan_cut(struct bench_str text, uint64_t parts, uint64_t i);

/* Appends chat's usage object. */
void mock_plan_write_usage(const struct mock_plan *plan, struct bench_buf *out);

#endif
