/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/azure - what Azure OpenAI does differently from OpenAI.
 *
 * Source:   providers/azure.md; the AzureOpenAI client of openai-python.
 * Shape:    the handlers are OpenAI's; this is the address, the credentials, the errors and the
 *           results of the content filter in chat.
 * Units:    none.
 * Limits:   none.
 * Memory:   none kept.
 * Threads:  no state.
 * Errors:   {"error":{"code":"429","message"}}: the code is the status as text, without a type.
 */
#ifndef MOCKLLM_AZURE_H
#define MOCKLLM_AZURE_H

#include "mockllm/vendor.h"

/* Adds Azure's response headers. */
void mock_azure_headers(struct mock_exchange *exchange);

/* Answers with Azure's error object. */
void mock_azure_fail(struct mock_exchange *exchange, const struct mock_failure *failure);

/* Checks key and api-version. Returns false after answering. */
bool mock_azure_authorize(struct mock_exchange *exchange);

/* Answers 400: the content filter blocked the prompt. */
void mock_azure_blocked(struct mock_exchange *exchange);

/* Takes the name of the deployment out of a classic path. */
struct bench_str mock_azure_deployment(struct bench_str path);

/* Appends "prompt_filter_results":[...]. */
void mock_azure_write_prompt_results(struct bench_buf *out);

/* Appends "content_filter_results":{...}; |filtered|: something was found. */
void mock_azure_write_results(struct bench_buf *out, bool filtered);

#endif
