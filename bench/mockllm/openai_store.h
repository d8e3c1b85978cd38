/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/openai_store - the objects clients make: files, batches, vector stores, ...
 *
 * Source:   none.
 * Shape:    an object is its JSON text, and for files their bytes; it may belong to a parent.
 * Units:    bytes.
 * Limits:   MOCK_STORE_MAX_BYTES and MOCK_STORE_MAX_ITEMS; the oldest objects make room.
 * Memory:   everything is copied in and out.
 * Threads:  one store for all workers, under a lock that is held inside each call only.
 * Errors:   false: there is no such object, or it does not fit.
 */
#ifndef MOCKLLM_OPENAI_STORE_H
#define MOCKLLM_OPENAI_STORE_H

#include <stdbool.h>

#include <yyjson.h>

#include "common/mem.h"

/* Enough for tests with a large upload; a mock must not eat a machine. */
#define MOCK_STORE_MAX_BYTES (512u * 1024u * 1024u)
#define MOCK_STORE_MAX_ITEMS 4096u

enum mock_store_kind {
    MOCK_STORE_FILE,
    MOCK_STORE_BATCH,
    MOCK_STORE_TUNING_JOB,
    MOCK_STORE_VECTOR_STORE,
    MOCK_STORE_VECTOR_FILE,
    MOCK_STORE_ASSISTANT,
    MOCK_STORE_THREAD,
    MOCK_STORE_MESSAGE,
    MOCK_STORE_RUN,
    MOCK_STORE_RESPONSE,
    MOCK_STORE_UPLOAD,
};

/* Stores an object; |parent| and |content| may be empty. false: larger than the whole store. */
bool mock_store_put(enum mock_store_kind kind, struct bench_str id, struct bench_str parent,
                    struct bench_str json, struct bench_str content);

/* Appends an object's JSON. */
bool mock_store_get(enum mock_store_kind kind, struct bench_str id, struct bench_buf *out);

/* Appends an object's bytes. */
bool mock_store_content(enum mock_store_kind kind, struct bench_str id, struct bench_buf *out);

/* Removes an object. */
bool mock_store_delete(enum mock_store_kind kind, struct bench_str id);

/* Sets an object's status: the first member called "status" of its JSON, which holds a string. */
bool mock_store_set_status(enum mock_store_kind kind, struct bench_str id, struct bench_str status);

/* Overwrites those members of an object that |changes| has, too. */
bool mock_store_merge(enum mock_store_kind kind, struct bench_str id, yyjson_val *changes);

/* Appends {"object":"list","data":[...]} of all objects with this parent, the newest first. */
void mock_store_list(enum mock_store_kind kind, struct bench_str parent, struct bench_buf *out);

#endif
