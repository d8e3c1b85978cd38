/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/message - a received request and a planned answer, free of any protocol.
 *
 * Source:   RFC 9110 (fields, methods).
 * Shape:    a request is complete before it is answered; an answer is a script of pieces, each
 *           sent at its own time; a repeated piece is a template, so a stream of any length costs
 *           one small buffer.
 * Units:    bytes.
 * Limits:   MOCK_MAX_HEAD_BYTES and MOCK_MAX_HEADERS for what a peer sends.
 * Memory:   both own their bytes and keep small allocations between uses.
 * Threads:  belong to one exchange.
 * Errors:   false when a limit is reached.
 */
#ifndef MOCKLLM_MESSAGE_H
#define MOCKLLM_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/mem.h"

/* Four times what gatewire accepts, so that the mock never is the one to refuse. */
#define MOCK_MAX_HEAD_BYTES (256u * 1024u)
#define MOCK_MAX_HEADERS    1024u

/* Name-value pairs in the order they came, letters as sent. */
struct mock_headers {
    struct bench_buf bytes;
    struct mock_header_at {
        uint32_t name_at, name_len, value_at, value_len;
    } * items;
    size_t count;
    size_t cap;
};

struct mock_request {
    char method[24];
    struct bench_buf target; /* as sent */
    size_t path_len;         /* of target, up to '?' */
    unsigned version;        /* 10, 11 or 20 */
    struct mock_headers headers;
    struct bench_buf body;
};

enum mock_piece_kind {
    MOCK_PIECE_HEAD,    /* sent as soon as it may */
    MOCK_PIECE_CONTENT, /* paced, and counted by faults */
    MOCK_PIECE_TAIL,    /* sent with the piece before it; left out by no-done */
};

enum mock_slot_kind {
    MOCK_SLOT_TEXT, /* the text of this chunk */
    MOCK_SLOT_SEQ,  /* a number counting up with the chunks */
};

/* A part of an answer; with slots it is a template, written |repeat| times. */
struct mock_piece {
    size_t at, len; /* in the script's bytes */
    uint64_t repeat;
    uint64_t seq; /* what MOCK_SLOT_SEQ starts with */
    enum mock_piece_kind kind;
    unsigned slot_count;
    struct {
        size_t at; /* in the piece */
        enum mock_slot_kind kind;
        uint64_t plus; /* added to the number */
    } slots[3];
};

struct mock_script {
    struct bench_buf bytes;
    struct mock_piece *pieces;
    size_t count;
    size_t cap;
};

struct mock_answer {
    unsigned status;
    bool streamed;               /* chunked and paced; otherwise one body of known length */
    struct mock_headers headers; /* all but length and framing */
    struct mock_script script;
    uint64_t text_bytes;  /* of the whole generated text, for MOCK_SLOT_TEXT */
    uint64_t text_chunks; /* it is cut into */
    bool stamp;
};

/* Adds a pair. false above the limits. */
bool mock_headers_add(struct mock_headers *headers, struct bench_str name, struct bench_str value);

/* Returns the name of pair |i|. */
struct bench_str mock_headers_name(const struct mock_headers *headers, size_t i);

/* Returns the value of pair |i|. */
struct bench_str mock_headers_value(const struct mock_headers *headers, size_t i);

/* Returns the value of the first pair called |name|, letters compared without case, or ptr NULL. */
struct bench_str mock_headers_find(const struct mock_headers *headers, struct bench_str name);

/* Forgets the content, keeps small allocations. */
void mock_request_clear(struct mock_request *request);

/* Frees what |request| owns. */
void mock_request_fini(struct mock_request *request);

/* Returns the path without the query. */
struct bench_str mock_request_path(const struct mock_request *request);

/* Forgets the content, keeps small allocations. */
void mock_answer_clear(struct mock_answer *answer);

/* Frees what |answer| owns. */
void mock_answer_fini(struct mock_answer *answer);

/* Opens a piece; write its bytes to script.bytes, then close it. */
void mock_piece_begin(struct mock_answer *answer, enum mock_piece_kind kind);

/* Marks the current place of the open piece as a slot. */
void mock_piece_slot(struct mock_answer *answer, enum mock_slot_kind kind);

/* The same for a number that is |plus| larger than MOCK_SLOT_SEQ. */
void mock_piece_slot_plus(struct mock_answer *answer, uint64_t plus);

/* Closes the open piece; it is sent |repeat| times, MOCK_SLOT_SEQ starting with |seq|. */
void mock_piece_end(struct mock_answer *answer, uint64_t repeat, uint64_t seq);

/* Appends the |round|-th copy of |piece| to |out|. */
void mock_piece_write(const struct mock_answer *answer, const struct mock_piece *piece,
                      uint64_t round, struct bench_buf *out);

/* Sums the bytes of all pieces; templates count as they stand. */
uint64_t mock_answer_bytes(const struct mock_answer *answer);

#endif
