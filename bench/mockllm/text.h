/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/text - endless made up words, the same at every run.
 *
 * Source:   none.
 * Shape:    plain ASCII without quotes or backslashes, so it needs no escaping in JSON.
 * Units:    bytes.
 * Limits:   none.
 * Memory:   static.
 * Threads:  read only.
 * Errors:   none.
 */
#ifndef MOCKLLM_TEXT_H
#define MOCKLLM_TEXT_H

#include <stdint.h>

#include "common/mem.h"

/* Appends bytes [from, from + len) of the endless text. */
void mock_text_range(struct bench_buf *out, uint64_t from, uint64_t len);

/* Appends part |i| of |bytes| bytes of text cut into |chunks| parts of nearly equal size. */
void mock_text_chunk(struct bench_buf *out, uint64_t bytes, uint64_t chunks, uint64_t i);

#endif
