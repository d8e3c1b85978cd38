/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/aws_sign - whether a request is signed with AWS Signature Version 4.
 *
 * Source:   AWS "Create a signed API request"; providers/bedrock.md section 6.
 * Shape:    the canonical request is made anew from the bytes that came. Credentials are those of
 *           --aws-secret, or ones the mock handed out itself (mock_aws_make_credentials()), whose
 *           secret and end follow from their names, so nothing is stored.
 * Units:    seconds.
 * Limits:   AWS_MAX_SKEW.
 * Memory:   none kept.
 * Threads:  no state.
 * Errors:   the kind of error and its message, for the service to answer with.
 */
#ifndef MOCKLLM_AWS_SIGN_H
#define MOCKLLM_AWS_SIGN_H

#include <stdbool.h>
#include <stdint.h>

#include "common/mem.h"

/* AWS takes a clock that is off by five minutes. */
#define AWS_MAX_SKEW 300

struct mock_exchange;

struct mock_aws_refusal {
    const char *type; /* of the exception */
    char message[512];
};

/* Checks the signature for |service|. Returns false with *refusal filled. */
bool mock_aws_check(const struct mock_exchange *exchange, const char *service,
                    struct mock_aws_refusal *refusal);

/* The mock's clock, as x-mock-clock_ahead sets it, in seconds since 1970. */
int64_t mock_aws_now(const struct mock_exchange *exchange);

/* Appends the time |at| as 20261121T101112Z (|basic|) or 2026-11-21T10:11:12Z. */
void mock_aws_write_time(struct bench_buf *out, int64_t at, bool basic);

/* Appends an access key id, its secret and a session token that ends at |end|. */
void mock_aws_make_credentials(const struct mock_exchange *exchange, int64_t end,
                               struct bench_buf *id, struct bench_buf *secret,
                               struct bench_buf *token);

#endif
