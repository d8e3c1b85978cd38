/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/vendor - which vendor's API a request is for, and what all its answers share.
 *
 * Source:   the paths and hosts in providers/<vendor>.md.
 * Shape:    a first path part /anthropic, /gemini, /vertex, /bedrock, /azure, /cohere, /mistral,
 *           /deepseek or /xai names the vendor; without one the path itself tells, and OpenAI is
 *           what remains.
 * Units:    none.
 * Limits:   none.
 * Memory:   exchange->path borrows the request's target.
 * Threads:  none.
 * Errors:   an error is an answer in the vendor's shape.
 */
#ifndef MOCKLLM_VENDOR_H
#define MOCKLLM_VENDOR_H

#include <stdbool.h>

#include "common/mem.h"

struct mock_exchange;

enum mock_vendor {
    MOCK_VENDOR_OPENAI,
    MOCK_VENDOR_ANTHROPIC,
    MOCK_VENDOR_GEMINI,
    MOCK_VENDOR_VERTEX,        /* Gemini there */
    MOCK_VENDOR_VERTEX_CLAUDE, /* named /vertex, too */
    MOCK_VENDOR_BEDROCK,
    MOCK_VENDOR_AZURE,
    MOCK_VENDOR_COHERE,
    MOCK_VENDOR_MISTRAL,
    MOCK_VENDOR_DEEPSEEK,
    MOCK_VENDOR_XAI,
    MOCK_VENDOR_TOKENS, /* what hands out credentials */
    MOCK_VENDOR_COUNT,
};

/* An error to answer with; empty type, code and message: what the vendor says for the status. */
struct mock_failure {
    unsigned status;
    struct bench_str type, code, message;
    uint64_t retry_after; /* seconds, 0: what the vendor does by default */
};

struct mock_vendor_api {
    const char *prefix;      /* first part of a path that names the vendor, NULL: none */
    enum mock_vendor routes; /* the vendor whose routes it has */
    /* Adds the headers all its answers have. */
    void (*headers)(struct mock_exchange *exchange);
    /* Answers with an error. */
    void (*fail)(struct mock_exchange *exchange, const struct mock_failure *failure);
    /* Appends what a stream says when it fails, whole. */
    void (*mid_error)(const struct mock_exchange *exchange, struct bench_buf *out);
    /* Checks the credentials. Returns false after answering. */
    bool (*authorize)(struct mock_exchange *exchange);
};

/* Sets exchange->vendor and exchange->path, and exchange->model when the path names it. */
void mock_vendor_detect(struct mock_exchange *exchange);

/* Returns the API of exchange->vendor. */
const struct mock_vendor_api *mock_vendor_of(const struct mock_exchange *exchange);

/* Answers with an error in the vendor's shape. */
void mock_vendor_fail(struct mock_exchange *exchange, unsigned status, const char *message);

/* The same, the message made by printf rules. */
void mock_vendor_failf(struct mock_exchange *exchange, unsigned status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Returns the token of "Authorization: Bearer", ptr NULL when there is none. */
struct bench_str mock_vendor_bearer(const struct mock_exchange *exchange);

/* Returns header |name|, ptr NULL when it is absent. */
struct bench_str mock_vendor_header(const struct mock_exchange *exchange, const char *name);

/* Tells whether |key| is given and is the one of --api-key, if that is set. */
bool mock_vendor_key_fits(const struct mock_exchange *exchange, struct bench_str key);

/* Returns parameter |name| of the query, as sent, ptr NULL when it is absent. */
struct bench_str mock_vendor_query(const struct mock_exchange *exchange, const char *name);

/* Appends field |name| of a form, decoded. */
void mock_vendor_form(struct bench_str form, const char *name, struct bench_buf *out);

#endif
