/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/openai_responses - what the plain and the streamed form of a response share.
 *
 * Source:   Response and ResponseStreamEvent of OpenAI's OpenAPI document; providers/openai.md
 *           sections 4 and 7.
 * Shape:    output items in this order: a reasoning item when knobs.reasoning asks for one, then
 *           a message or the tool calls.
 * Units:    none.
 * Limits:   those of plan.h.
 * Memory:   borrows the request's document.
 * Threads:  none.
 * Errors:   none.
 */
#ifndef MOCKLLM_OPENAI_RESPONSES_H
#define MOCKLLM_OPENAI_RESPONSES_H

#include "mockllm/openai_plan.h"

struct mock_response {
    struct mock_exchange *exchange;
    yyjson_val *root;
    uint64_t created;
    struct mock_plan plan;
};

enum mock_response_state {
    MOCK_RESPONSE_IN_PROGRESS,
    MOCK_RESPONSE_DONE,
};

/* Appends the response object. */
void mock_response_write(const struct mock_response *response, struct bench_buf *out,
                         enum mock_response_state state);

/* Returns how many output items there are. */
size_t mock_response_items(const struct mock_response *response);

/* Appends output item |index|, empty as when it is added, or complete. */
void mock_response_write_item(const struct mock_response *response, struct bench_buf *out,
                              size_t index, enum mock_response_state state);

/* Tells whether item |index| is the reasoning item. */
bool mock_response_is_reasoning(const struct mock_response *response, size_t index);

/* Returns the tool call that is item |index|. */
const struct mock_tool_call *mock_response_call(const struct mock_response *response, size_t index);

/* Appends the id of item |index| with its quotes. */
void mock_response_write_item_id(const struct mock_response *response, struct bench_buf *out,
                                 size_t index);

/* Appends the message's content part, empty or complete. */
void mock_response_write_part(const struct mock_response *response, struct bench_buf *out,
                              enum mock_response_state state);

/* Appends the whole text as a JSON string. */
void mock_response_write_text(const struct mock_response *response, struct bench_buf *out);

/* Writes the event stream's script. */
void mock_response_stream(struct mock_response *response);

#endif
