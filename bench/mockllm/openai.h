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
#include "mockllm/vendor.h"

/* Adds OpenAI's response headers. */
void mock_openai_headers(struct mock_exchange *exchange);

/* Answers with OpenAI's error object. */
void mock_openai_fail(struct mock_exchange *exchange, const struct mock_failure *failure);

/* Appends the event of an error in mid-stream. */
void mock_openai_mid_error(const struct mock_exchange *exchange, struct bench_buf *out);

/* Checks the key when --api-key is set. Returns false after answering. */
bool mock_openai_authorize(struct mock_exchange *exchange);

mock_handler_fn mock_openai_chat;        /* POST /chat/completions */
mock_handler_fn mock_openai_embeddings;  /* POST /embeddings */
mock_handler_fn mock_openai_responses;   /* POST /responses */
mock_handler_fn mock_openai_completions; /* POST /completions */
mock_handler_fn mock_openai_models;      /* GET /models */
mock_handler_fn mock_openai_moderations; /* POST /moderations */
mock_handler_fn mock_openai_speech;      /* POST /audio/speech */
mock_handler_fn
    mock_openai_transcription;           /* POST /audio/transcriptions, POST /audio/translations */
mock_handler_fn mock_openai_images;      /* POST /images/generations */
mock_handler_fn mock_openai_image_edits; /* POST /images/edits, POST /images/variations */
mock_handler_fn mock_openai_response_tokens;    /* POST /responses/input_tokens */
mock_handler_fn mock_openai_response_cancel;    /* POST /responses/{}/cancel */
mock_handler_fn mock_openai_response_items;     /* GET /responses/{}/input_items */
mock_handler_fn mock_openai_response_get;       /* GET /responses/{} */
mock_handler_fn mock_openai_response_delete;    /* DELETE /responses/{} */
mock_handler_fn mock_openai_file_create;        /* POST /files */
mock_handler_fn mock_openai_file_list;          /* GET /files */
mock_handler_fn mock_openai_file_content;       /* GET /files/{}/content */
mock_handler_fn mock_openai_file_get;           /* GET /files/{} */
mock_handler_fn mock_openai_file_delete;        /* DELETE /files/{} */
mock_handler_fn mock_openai_upload_create;      /* POST /uploads */
mock_handler_fn mock_openai_upload_part;        /* POST /uploads/{}/parts */
mock_handler_fn mock_openai_upload_complete;    /* POST /uploads/{}/complete */
mock_handler_fn mock_openai_upload_cancel;      /* POST /uploads/{}/cancel */
mock_handler_fn mock_openai_batch_create;       /* POST /batches */
mock_handler_fn mock_openai_batch_list;         /* GET /batches */
mock_handler_fn mock_openai_batch_cancel;       /* POST /batches/{}/cancel */
mock_handler_fn mock_openai_batch_get;          /* GET /batches/{} */
mock_handler_fn mock_openai_tuning_create;      /* POST /fine_tuning/jobs */
mock_handler_fn mock_openai_tuning_list;        /* GET /fine_tuning/jobs */
mock_handler_fn mock_openai_tuning_cancel;      /* POST /fine_tuning/jobs/{}/cancel */
mock_handler_fn mock_openai_tuning_events;      /* GET /fine_tuning/jobs/{}/events */
mock_handler_fn mock_openai_tuning_get;         /* GET /fine_tuning/jobs/{} */
mock_handler_fn mock_openai_vector_create;      /* POST /vector_stores */
mock_handler_fn mock_openai_vector_list;        /* GET /vector_stores */
mock_handler_fn mock_openai_vector_search;      /* POST /vector_stores/{}/search */
mock_handler_fn mock_openai_vector_file_create; /* POST /vector_stores/{}/files */
mock_handler_fn mock_openai_vector_file_list;   /* GET /vector_stores/{}/files */
mock_handler_fn mock_openai_vector_file_get;    /* GET /vector_stores/{}/files/{} */
mock_handler_fn mock_openai_vector_file_delete; /* DELETE /vector_stores/{}/files/{} */
mock_handler_fn mock_openai_vector_get;         /* GET /vector_stores/{} */
mock_handler_fn mock_openai_vector_modify;      /* POST /vector_stores/{} */
mock_handler_fn mock_openai_vector_delete;      /* DELETE /vector_stores/{} */
mock_handler_fn mock_openai_assistant_create;   /* POST /assistants */
mock_handler_fn mock_openai_assistant_list;     /* GET /assistants */
mock_handler_fn mock_openai_assistant_get;      /* GET /assistants/{} */
mock_handler_fn mock_openai_assistant_modify;   /* POST /assistants/{} */
mock_handler_fn mock_openai_assistant_delete;   /* DELETE /assistants/{} */
mock_handler_fn mock_openai_message_create;     /* POST /threads/{}/messages */
mock_handler_fn mock_openai_message_list;       /* GET /threads/{}/messages */
mock_handler_fn mock_openai_message_get;        /* GET /threads/{}/messages/{} */
mock_handler_fn mock_openai_run_create;         /* POST /threads/{}/runs */
mock_handler_fn mock_openai_run_list;           /* GET /threads/{}/runs */
mock_handler_fn mock_openai_run_get;            /* GET /threads/{}/runs/{} */
mock_handler_fn mock_openai_thread_create;      /* POST /threads */
mock_handler_fn mock_openai_thread_get;         /* GET /threads/{} */
mock_handler_fn mock_openai_thread_modify;      /* POST /threads/{} */
mock_handler_fn mock_openai_thread_delete;      /* DELETE /threads/{} */
mock_handler_fn mock_openai_model;              /* GET /models/{} */

#endif
