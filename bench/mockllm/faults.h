/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/faults - whether a fault applies to a request, and the faulty bytes themselves.
 *
 * Source:   none.
 * Shape:    decisions and bytes; exchange.c carries them out.
 * Units:    none.
 * Limits:   MOCK_FAULT_COUNTERS different model-and-key pairs are counted; beyond, faults apply.
 * Memory:   static.
 * Threads:  the counters are shared by all workers, under a lock.
 * Errors:   none.
 */
#ifndef MOCKLLM_FAULTS_H
#define MOCKLLM_FAULTS_H

#include <stdbool.h>

#include "mockllm/knobs.h"

/* More than any test names; keeps the table a fixed array. */
#define MOCK_FAULT_COUNTERS 4096

/*
 * Decides by times and every whether fault and status apply to this request, and takes them out of
 * |knobs| when not. Counts the request. |model| and knobs->key name the counter.
 */
void mock_faults_gate(struct mock_knobs *knobs, struct bench_str model);

/* Forgets all counts. */
void mock_faults_reset(void);

/* Tells whether |fault| happens inside the body, after knobs->after chunks or half a plain body. */
bool mock_fault_is_mid(enum mock_fault fault);

/* Returns bytes no HTTP parser accepts. */
struct bench_str mock_fault_garbage(void);

/* Returns bytes inside an event stream that are no event a client can read. */
struct bench_str mock_fault_garbage_sse(void);

/* Returns an invalid chunk header with some bytes behind. */
struct bench_str mock_fault_bad_chunk(void);

#endif
