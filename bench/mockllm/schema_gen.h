/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/schema_gen - an instance of a JSON Schema, for structured output and tool calls.
 *
 * Source:   JSON Schema 2020-12, the part OpenAI's structured output accepts.
 * Shape:    types, const, enum, anyOf/oneOf (first branch), allOf of objects, local $ref,
 *           bounds of numbers, lengths and items, the usual string formats. Not: pattern, not, if.
 * Units:    none.
 * Limits:   GEN_MAX_DEPTH levels and GEN_MAX_STEPS schemas; below GEN_LEAN_DEPTH only what is
 *           required is written.
 * Memory:   appends to the given buffer.
 * Threads:  no state.
 * Errors:   none; what a schema forbids everywhere becomes null.
 */
#ifndef MOCKLLM_SCHEMA_GEN_H
#define MOCKLLM_SCHEMA_GEN_H

#include <yyjson.h>

#include "common/mem.h"

/* Appends an instance of |schema| (NULL: an empty object) as compact JSON. */
void mock_schema_instance(struct bench_buf *out, yyjson_val *schema);

#endif
