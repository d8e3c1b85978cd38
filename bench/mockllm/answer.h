/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/answer - what all handlers need to build an answer.
 *
 * Source:   OpenAI's response headers and error object (providers/openai.md, sections 8 and 10).
 * Shape:    begin (status, type), write the body or its pieces, end.
 * Units:    none.
 * Limits:   none.
 * Memory:   everything goes into exchange->answer.
 * Threads:  the exchange's.
 * Errors:   an error is an answer, too.
 */
#ifndef MOCKLLM_ANSWER_H
#define MOCKLLM_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include <yyjson.h>

#include "common/mem.h"

struct mock_exchange;

struct mock_usage {
    uint64_t prompt;     /* with what was read from and written to a cache */
    uint64_t completion; /* with reasoning */
    uint64_t cached, cache_write, reasoning;
};

/* Starts a plain answer and returns where its body goes; finish with mock_answer_end(). */
struct bench_buf *mock_answer_begin(struct mock_exchange *exchange, unsigned status,
                                    struct bench_str content_type);

/* Starts a 200 JSON answer. */
struct bench_buf *mock_answer_json(struct mock_exchange *exchange);

/* Closes the one piece of a plain answer. */
void mock_answer_end(struct mock_exchange *exchange);

/* Starts an event stream; add pieces with mock_piece_begin(). */
struct bench_buf *mock_answer_stream(struct mock_exchange *exchange);

/* Starts a stream of another kind. */
struct bench_buf *mock_answer_stream_as(struct mock_exchange *exchange,
                                        struct bench_str content_type);

/* Adds a response header. */
void mock_answer_header(struct mock_exchange *exchange, struct bench_str name,
                        struct bench_str value);

/* Adds a response header with a number. */
void mock_answer_number_header(struct mock_exchange *exchange, struct bench_str name, uint64_t n);

/* Adds a response header with the id of the request. */
void mock_answer_id_header(struct mock_exchange *exchange, struct bench_str name);

/* Answers with OpenAI's error object; |param| and |code| may have ptr NULL, which makes them null.
 */
void mock_answer_error(struct mock_exchange *exchange, unsigned status, struct bench_str type,
                       struct bench_str code, struct bench_str param, struct bench_str message);

/* Answers 400 invalid_request_error about |param|. */
void mock_answer_invalid(struct mock_exchange *exchange, const char *param, const char *message);

/* Answers with knobs.status and the vendor's error that belongs to it. */
void mock_answer_status(struct mock_exchange *exchange);

/* Works out the usage to report; |completion| is what the answer really has. */
struct mock_usage mock_answer_usage(const struct mock_exchange *exchange, uint64_t completion);

/* Returns the Unix time, as in "created". */
uint64_t mock_answer_created(void);

/* Appends an id: |prefix| and 24 characters that are different for each request and |sub|. */
void mock_answer_id(struct bench_buf *out, const struct mock_exchange *exchange,
                    struct bench_str prefix, unsigned sub);

/* Returns the request's JSON object, or NULL when the body is none. */
yyjson_val *mock_answer_root(const struct mock_exchange *exchange);

/* Returns a string as a slice, ptr NULL when |value| is none. */
struct bench_str mock_json_text(yyjson_val *value);

/* Returns a string member as a slice, ptr NULL when it is absent or no string. */
struct bench_str mock_json_str(yyjson_val *object, const char *name);

/* Returns a whole number member, |missing| when it is absent or none. */
uint64_t mock_json_u64(yyjson_val *object, const char *name, uint64_t missing);

/* Tells whether a member is true. */
bool mock_json_true(yyjson_val *object, const char *name);

#endif
