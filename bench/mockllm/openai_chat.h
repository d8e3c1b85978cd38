/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/openai_chat - what the plain and the streamed form of a chat answer share.
 *
 * Source:   providers/openai.md sections 5 and 6; CreateChatCompletionResponse and
 *           CreateChatCompletionStreamResponse of OpenAI's OpenAPI document.
 * Shape:    openai_chat.c reads the request; openai_chat_plain.c and openai_chat_stream.c write.
 * Units:    none.
 * Limits:   CHAT_MAX_N choices, as OpenAI.
 * Memory:   borrows the request's document.
 * Threads:  none.
 * Errors:   none.
 */
#ifndef MOCKLLM_OPENAI_CHAT_H
#define MOCKLLM_OPENAI_CHAT_H

#include "mockllm/openai_plan.h"

/* OpenAI's maximum of n. */
#define CHAT_MAX_N 128

struct mock_chat {
    struct mock_exchange *exchange;
    struct bench_str model;
    uint64_t created;
    uint64_t n;
    bool logprobs;
    uint64_t top_logprobs;
    bool include_usage;
    bool obfuscate;
    struct mock_plan plan;
};

/* Writes the whole answer. */
void mock_chat_plain(struct mock_chat *chat);

/* Writes the stream's script. */
void mock_chat_stream(struct mock_chat *chat);

/* Appends one entry of a logprobs list for |token|. */
void mock_chat_write_logprob(const struct mock_chat *chat, struct bench_buf *out,
                             struct bench_str token);

#endif
