/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/embedding - unit vectors that depend on nothing but the input.
 *
 * Source:   none.
 * Shape:    the same input has the same vector at every vendor.
 * Units:    none.
 * Limits:   MOCK_MAX_DIMENSIONS.
 * Memory:   the caller's.
 * Threads:  no state but a buffer of each thread.
 * Errors:   none.
 */
#ifndef MOCKLLM_EMBEDDING_H
#define MOCKLLM_EMBEDDING_H

#include <yyjson.h>

#include "common/mem.h"

/* More than any vendor's largest. */
#define MOCK_MAX_DIMENSIONS 4096u

/* Fills |vector| with |count| numbers. */
void mock_embedding_make(yyjson_val *input, float *vector, size_t count);

/* Appends the vector as a JSON array. */
void mock_embedding_write(struct bench_buf *out, yyjson_val *input, size_t count);

#endif
