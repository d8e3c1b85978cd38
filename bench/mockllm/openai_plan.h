/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/openai_plan - what OpenAI's APIs add to a plan: their tools, their usage.
 *
 * Source:   providers/openai.md section 2 (tools, tool_choice), section 5 (usage).
 * Shape:    the same for chat, legacy completions and responses.
 * Units:    tokens.
 * Limits:   none.
 * Memory:   an ask borrows the request's document.
 * Threads:  none.
 * Errors:   none.
 */
#ifndef MOCKLLM_OPENAI_PLAN_H
#define MOCKLLM_OPENAI_PLAN_H

#include "mockllm/plan.h"

/* Reads "tools" and "tool_choice" of |root| into |ask|. */
void mock_openai_read_tools(struct mock_plan_ask *ask, yyjson_val *root);

/* Appends chat's usage object. */
void mock_plan_write_usage(const struct mock_plan *plan, struct bench_buf *out);

#endif
