/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/openai - the handlers of OpenAI's API, one file per part of it.
 *
 * Source:   OpenAI's OpenAPI document 2.3.0; providers/openai.md.
 * Shape:    each handler reads exchange->doc or the raw body and builds exchange->answer.
 * Units:    none.
 * Limits:   openai_store.h bounds what is stored.
 * Memory:   as router.h says.
 * Threads:  as router.h says.
 * Errors:   OpenAI's error object.
 */
#ifndef MOCKLLM_OPENAI_H
#define MOCKLLM_OPENAI_H

#include "mockllm/router.h"

mock_handler_fn mock_openai_chat;        /* POST /chat/completions */
mock_handler_fn mock_openai_completions; /* POST /completions */
mock_handler_fn mock_openai_embeddings;  /* POST /embeddings */
mock_handler_fn mock_openai_models;      /* GET /models */
mock_handler_fn mock_openai_model;       /* GET /models/{} */

#endif
