/* SPDX-License-Identifier: MIT */
/*
 * downstream/conn_h1_int - an HTTP/1 connection: one pair at a time, pipelined requests wait.
 * Private to this folder.
 *
 * Source:   RFC 9112
 * Shape:    conn_h1.c parses and decides what comes next, conn_h1_body.c gives the request's body
 *           to the handler, conn_h1_response.c writes the answer.
 * Units:    in the names
 * Limits:   |unread| stops the reading at max_header_bytes, |body| holds at most one read
 * Memory:   the pair is part of the connection and serves one request after the other
 * Threads:  its loop's thread only
 * Errors:   see the functions
 */
#ifndef GW_DOWNSTREAM_CONN_H1_INT_H
#define GW_DOWNSTREAM_CONN_H1_INT_H

#include "downstream/conn_int.h"
#include "http/h1.h"

enum gw_h1_answer_framing {
    GW_H1_FRAMING_NONE, /* HEAD, 204, 304: a body is dropped */
    GW_H1_FRAMING_LENGTH,
    GW_H1_FRAMING_CHUNKED,
    GW_H1_FRAMING_UNTIL_CLOSE, /* HTTP/1.0 and a length nobody knows */
};

struct gw_h1_conn {
    struct gw_downstream pair; /* first member */
    struct gw_conn *conn;
    struct gw_h1_parser *parser;
    struct gw_chunkq body;   /* parsed bytes of the body that came while the handler did not read */
    struct gw_chunkq unread; /* bytes behind the current request, not parsed yet */
    uint64_t announced_bytes;
    uint64_t written_bytes;
    uint64_t body_bytes;       /* of the request's body, parsed so far */
    uint64_t rest_from_bytes;  /* what body_bytes was when the answer was complete */
    uint64_t body_progress_ms; /* when body bytes last came, or reading was switched on */
    enum gw_h1_answer_framing framing;
    bool pair_open;
    bool is_reading;       /* the handler wants body bytes */
    bool request_complete; /* the parser has seen its end */
    bool end_told;         /* on_body_end was called */
    bool begun;            /* the head of the answer is queued */
    bool keep_alive;
    bool continue_sent;
    bool was_full; /* can_write said no; on_writable is owed */
};

/* Is a part of the request's body still to come? */
static inline bool gw_h1_body_is_missing(const struct gw_h1_conn *h1)
{
    return h1->pair.head != NULL && h1->pair.head->has_body && !h1->request_complete;
}

/* ---- conn_h1_body.c ---- */

/* The pair's read_body. */
void gw_h1_read_body(struct gw_downstream *pair, bool on);

/* Bytes of the body were parsed. Errors: GW_ERR_NOMEM, GW_ERR_CANCELLED (the connection closes). */
GW_MUST_USE enum gw_err gw_h1_take_body(struct gw_h1_conn *h1, struct gw_str bytes);

/* Gives the handler what was held back, and the end when it is due. */
void gw_h1_deliver(struct gw_h1_conn *h1);

/* ---- conn_h1_response.c ---- */

/* The table of an HTTP/1 pair. */
extern const struct gw_downstream_ops gw_h1_pair_ops;

/* Answers an error by ourselves and closes; no response may have begun. */
void gw_h1_answer_error(struct gw_h1_conn *h1, unsigned status, const char *what);

/*
 * The client broke the rules or ran out of time: answers |status| where that is still possible,
 * closes, and tells the open pair |err|.
 */
void gw_h1_give_up(struct gw_h1_conn *h1, unsigned status, const char *what, enum gw_err err);

#endif
