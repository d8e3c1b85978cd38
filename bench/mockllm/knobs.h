/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/knobs - what an answer looks like and what goes wrong with it.
 *
 * Source:   none; the list below is the definition, --help prints it.
 * Shape:    the same keys as command line flags (--retry-after 3), in model names
 *           (mock-status=429-retry_after=3) and in request headers (x-mock-retry-after: 3);
 *           headers win over the model name, the model name over the flags.
 * Units:    in each key's help.
 * Limits:   numbers up to 10^12, so that sums and microseconds fit 64 bits.
 * Memory:   text values borrow what they were read from.
 * Threads:  values; no state.
 * Errors:   false: the key is not known or its value is not of its kind.
 */
#ifndef MOCKLLM_KNOBS_H
#define MOCKLLM_KNOBS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/mem.h"

/* F(enumerator, name, help) */
#define MOCK_FAULTS(F)                                                                             \
    F(NONE, "none", "answer properly")                                                             \
    F(RESET, "reset", "reset the connection instead of answering")                                 \
    F(RESET_AFTER_HEADERS, "reset-after-headers", "send the response head, then reset")            \
    F(RESET_AFTER_CHUNKS, "reset-after-chunks", "reset after AFTER chunks (plain: half a body)")   \
    F(CLOSE_EARLY, "close-early",                                                                  \
      "close after AFTER chunks without terminator (plain: half of content-length)")               \
    F(STALL, "stall", "read the request and never answer (for STALL ms)")                          \
    F(STALL_MID, "stall-mid", "stop after AFTER chunks (plain: half a body) for STALL ms")         \
    F(HALF_CHUNK, "half-chunk", "send half of the next chunk, then do THEN")                       \
    F(GARBAGE, "garbage", "send bytes that are not HTTP, then close")                              \
    F(GARBAGE_SSE, "garbage-sse", "put bytes that are not an event after AFTER chunks, go on")     \
    F(SHORT_LENGTH, "short-length", "content-length 10 bytes smaller than the body sent")          \
    F(ERROR_MID, "error-mid-stream", "an error object after AFTER chunks, then the end")           \
    F(EMPTY_STREAM, "empty-stream", "head of a stream (plain: an answer) with an empty body")      \
    F(NO_DONE, "no-done", "end the stream without [DONE] or its last event")                       \
    F(CLOSE_DELIMITED, "close-delimited",                                                          \
      "no length, no chunks: the body ends with the connection")                                   \
    F(BAD_CHUNK, "bad-chunk", "an invalid chunk size after AFTER chunks, then close")              \
    F(TWO_LENGTHS, "two-lengths", "content-length and transfer-encoding together")                 \
    F(NO_READ, "no-read", "do not read the request body (header or flag only)")

/* F(field, default, help): numbers */
#define MOCK_NUMBERS(F)                                                                            \
    F(latency, 0, "ms before the response head")                                                   \
    F(first, 0, "ms between the head and the first byte of the body")                              \
    F(tps, 0, "chunks per second of a stream; 0: at once")                                         \
    F(chunks, 8, "content chunks of a stream")                                                     \
    F(size, 0, "bytes of answer text; 0: 6 for each chunk")                                        \
    F(echo, 0, "1: answer with the text of the last user message")                                 \
    F(stamp, 0, "1: each chunk begins with @<monotonic us, 16 digits>@")                           \
    F(prompt_tokens, 0, "reported usage; 0: request bytes / 4")                                    \
    F(completion_tokens, 0, "reported usage; 0: chunks, or size / 4")                              \
    F(cached_tokens, 0, "reported cached part of the prompt tokens")                               \
    F(cache_write_tokens, 0, "reported part of the prompt tokens that went into the cache")        \
    F(reasoning_tokens, 0, "reported reasoning part of the completion tokens")                     \
    F(usage, 1, "0: report no usage, even when asked")                                             \
    F(tools, 0, "number of tool calls to make when the request has tools")                         \
    F(refusal, 0, "1: refuse (message.refusal instead of content)")                                \
    F(reasoning, 0, "chunks of reasoning_content before the content")                              \
    F(redacted, 0, "1: the reasoning is redacted, where a vendor does that")                       \
    F(filter, 0, "1: a content filter cuts the answer; 2: it blocks the prompt")                   \
    F(empty, 0, "1: no text at all")                                                               \
    F(unicode, 0, "1: a text with everything that is hard to pass on")                             \
    F(digest, 0, "1: answer with size and SHA-256 of the request's body")                          \
    F(stop, 0, "1: the answer ends at the request's first stop sequence")                          \
    F(token_lifetime, 3600, "s the credentials live that the mock hands out")                      \
    F(issued, 0, "1: take only bearer tokens the mock handed out")                                 \
    F(clock_ahead, 0, "s the mock's clock is ahead, for signatures and tokens")                    \
    F(status, 0, "answer with this status and an error object")                                    \
    F(retry_after, 0, "retry-after in s; with status 429 alone: 1")                                \
    F(bare, 0, "1: a 429 of OpenAI's API does not say when to come again")                         \
    F(after, 2, "chunks sent before a fault in mid-stream")                                        \
    F(stall, 0, "ms a stall lasts before the answer goes on; 0: for ever")                         \
    F(gap, 20, "ms between the last good bytes and a reset or close")                              \
    F(times, 0, "apply fault and status only to the first N requests of this model and key")       \
    F(every, 0, "apply fault and status only to every Nth request of this model and key")          \
    F(headers, 0, "bytes of extra response headers")                                               \
    F(trickle, 0, "us between bytes: the whole answer goes one byte per write")                    \
    F(interim, 0, "number of 100 Continue answers sent before the real one")                       \
    F(hints, 0, "number of 103 Early Hints answers sent before the real one")                      \
    F(close, 0, "1: connection: close")                                                            \
    F(stale, 0, "N: close the kept-alive connection N ms after the answer, unannounced")

/* F(field, default, help): texts */
#define MOCK_TEXTS(F)                                                                              \
    F(text, "", "the answer's text, instead of made up words")                                     \
    F(finish, "", "finish reason instead of stop: length, content_filter, ...")                    \
    F(tool, "", "name of the tool to call; default the first ones")                                \
    F(then, "close", "after half a chunk: close, reset or stall")                                  \
    F(key, "", "separates the counters of times and every")                                        \
    F(error_type, "", "type of the error object, by default as OpenAI for the status")             \
    F(error_code, "", "code of the error object, by default as OpenAI for the status")             \
    F(error_message, "", "message of the error object")

enum mock_fault {
#define F(id, name, help) MOCK_FAULT_##id,
    MOCK_FAULTS(F)
#undef F
};

struct mock_knobs {
    enum mock_fault fault;
#define F(field, def, help) uint64_t field;
    MOCK_NUMBERS(F)
#undef F
#define F(field, def, help) struct bench_str field;
    MOCK_TEXTS(F)
#undef F
};

/* Returns the defaults. */
struct mock_knobs mock_knobs_default(void);

/* Sets one key; '-' and '_' are the same in |name|. false: unknown key or bad value. */
bool mock_knobs_set(struct mock_knobs *knobs, struct bench_str name, struct bench_str value);

/*
 * Sets the keys of a model name like mock-latency=50-tps=20-fault=stall-mid. Names that do not
 * begin with "mock-" or hold no '=' set nothing. Returns false at the first unknown key.
 */
bool mock_knobs_from_model(struct mock_knobs *knobs, struct bench_str model);

/* Sets the keys of a query like latency=50&fault=stall-mid. Returns false at the first unknown key,
 * with those before it set. */
bool mock_knobs_from_query(struct mock_knobs *knobs, struct bench_str query);

/* Prints all keys and faults. */
void mock_knobs_help(FILE *to);

#endif
