/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/openai_objects - the answers all stored objects have in common.
 *
 * Source:   OpenAI's OpenAPI document: list, retrieve, delete and not-found forms.
 * Shape:    a handler makes an object's JSON and hands it over; the rest is the same for all.
 * Units:    none.
 * Limits:   those of openai_store.h.
 * Memory:   copies.
 * Threads:  as openai_store.h.
 * Errors:   404 with OpenAI's error object.
 */
#ifndef MOCKLLM_OPENAI_OBJECTS_H
#define MOCKLLM_OPENAI_OBJECTS_H

#include "mockllm/openai_store.h"

struct mock_exchange;

/* Stores the object and answers with it. */
void mock_object_create(struct mock_exchange *exchange, enum mock_store_kind kind,
                        struct bench_str id, struct bench_str parent, struct bench_str json);

/* Answers with the object, or 404. */
void mock_object_answer(struct mock_exchange *exchange, enum mock_store_kind kind,
                        struct bench_str id);

/* Answers with the list of objects that belong to |parent|. */
void mock_object_list(struct mock_exchange *exchange, enum mock_store_kind kind,
                      struct bench_str parent);

/* Deletes the object; |type| is the "object" member of the answer. */
void mock_object_delete(struct mock_exchange *exchange, enum mock_store_kind kind,
                        struct bench_str id, struct bench_str type);

/* Sets the object's status and answers with it, or 404. */
void mock_object_set_status(struct mock_exchange *exchange, enum mock_store_kind kind,
                            struct bench_str id, struct bench_str status);

/* Takes over what the request changes and answers with the object, or 404. */
void mock_object_modify(struct mock_exchange *exchange, enum mock_store_kind kind,
                        struct bench_str id);

/* Answers 404 about |id|. */
void mock_object_not_found(struct mock_exchange *exchange, struct bench_str id);

/* Appends a member of the request's JSON as it came, or |missing| when it has none. */
void mock_object_copy(struct bench_buf *out, const struct mock_exchange *exchange, const char *name,
                      struct bench_str missing);

#endif
