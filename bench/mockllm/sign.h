/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/sign - the opaque strings vendors put beside reasoning, and whether one is theirs.
 *
 * Source:   none; clients must send them back unchanged, what is inside is the vendor's business.
 * Shape:    base64 of a salt and an HMAC over |realm| and |text|; nothing is stored, so a signature
 *           outlives the mock.
 * Units:    none.
 * Limits:   none.
 * Memory:   none kept.
 * Threads:  no state.
 * Errors:   none.
 */
#ifndef MOCKLLM_SIGN_H
#define MOCKLLM_SIGN_H

#include <stdbool.h>

#include "common/mem.h"

/* Appends a signature over |text|; |realm| keeps the kinds of signatures apart. */
void mock_sign(struct bench_buf *out, struct bench_str realm, struct bench_str text);

/* Tells whether |signature| is one that mock_sign() made for the same realm and text. */
bool mock_sign_check(struct bench_str signature, struct bench_str realm, struct bench_str text);

/* The same for clients that keep bytes: either alphabet of base64, padded or not. */
bool mock_sign_check_bytes(struct bench_str signature, struct bench_str realm,
                           struct bench_str text);

#endif
