/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/tokens - the endpoints that hand out credentials, and whether a token is theirs.
 *
 * Source:   providers/vertex.md section 2, azure.md section 2, bedrock.md section 6; RFC 7523; the
 *           metadata services of Google, Azure and AWS.
 * Shape:    any key of knobs.h may stand in the query of a token's address, so a test sets faults
 *           and lifetimes there: /token?token_lifetime=2&status=500&times=1. Tokens tell when they
 *           end; nothing is stored. /mock/stats counts the requests of each path.
 * Units:    token_lifetime in seconds.
 * Limits:   none.
 * Memory:   none kept.
 * Threads:  no state.
 * Errors:   those of each service.
 */
#ifndef MOCKLLM_TOKENS_H
#define MOCKLLM_TOKENS_H

#include "mockllm/router.h"
#include "mockllm/vendor.h"

mock_handler_fn mock_tokens_google;          /* POST /token */
mock_handler_fn mock_tokens_google_metadata; /* GET /computeMetadata/v1/... */
mock_handler_fn mock_tokens_entra;           /* POST /{tenant}/oauth2/v2.0/token */
mock_handler_fn mock_tokens_azure_metadata;  /* GET /metadata/identity/oauth2/token */
mock_handler_fn mock_tokens_sts;             /* POST / */
mock_handler_fn mock_tokens_imds_session;    /* PUT /latest/api/token */
mock_handler_fn mock_tokens_imds_role;       /* GET /latest/meta-data/iam/security-credentials/ */
mock_handler_fn mock_tokens_imds;            /* GET /latest/meta-data/.../{role} */
mock_handler_fn mock_tokens_container;       /* GET /v2/credentials/{} */

/* Tells whether |path| is one of these endpoints. */
bool mock_tokens_is(const struct mock_exchange *exchange, struct bench_str path);

/* Reads the keys in the query into the knobs. */
void mock_tokens_read_query(struct mock_exchange *exchange);

/* Adds no headers. */
void mock_tokens_headers(struct mock_exchange *exchange);

/* Answers with an OAuth error. */
void mock_tokens_fail(struct mock_exchange *exchange, const struct mock_failure *failure);

/* Lets everybody in: each endpoint checks for itself. */
bool mock_tokens_authorize(struct mock_exchange *exchange);

/*
 * Tells whether |token| may be used for |kind|: one the mock issued must be of that kind and not
 * have ended; others are fine unless x-mock-issued asks for issued ones.
 */
bool mock_tokens_check(const struct mock_exchange *exchange, const char *kind,
                       struct bench_str token);

#endif
