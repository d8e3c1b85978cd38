/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_target - what every fuzzer has: the entry that libFuzzer, or replay_main.c, calls.
 *
 * Source:   https://llvm.org/docs/LibFuzzer.html
 * Shape:    one input per call.
 * Units:    bytes
 * Limits:   none
 * Memory:   the input is borrowed for the call; its block has exactly |size| bytes.
 * Threads:  one
 * Errors:   a broken promise aborts.
 */
#ifndef GW_FUZZ_TARGET_H
#define GW_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Feeds one input to the code under test; always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A promise of the code under test; stays on in every build. */
#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #condition);        \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

#endif
