/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/multipart - reads multipart/form-data bodies.
 *
 * Source:   RFC 7578, RFC 2046 section 5.1.
 * Shape:    one part after the other, borrowed from the body.
 * Units:    bytes.
 * Limits:   none; nothing is copied.
 * Memory:   slices into the request.
 * Threads:  no state.
 * Errors:   a body that is not well formed ends early, without an error: the handler misses a part.
 */
#ifndef MOCKLLM_MULTIPART_H
#define MOCKLLM_MULTIPART_H

#include <stdbool.h>

#include "common/mem.h"

struct mock_part {
    struct bench_str name;
    struct bench_str filename; /* ptr NULL: a field, not a file */
    struct bench_str body;
};

struct mock_request;

/* Finds the part called |name| of a multipart request. false when there is none. */
bool mock_multipart_find(const struct mock_request *request, struct bench_str name,
                         struct mock_part *out);

/* Returns the value of field |name|, ptr NULL when there is none. */
struct bench_str mock_multipart_field(const struct mock_request *request, struct bench_str name);

/* Tells whether the request says that it is multipart/form-data. */
bool mock_multipart_is(const struct mock_request *request);

#endif
