/* SPDX-License-Identifier: MIT */
/*
 * http/h1_int - the parser's object, shared by its two halves: h1_head.c collects and judges heads,
 * h1.c counts bodies and calls the events.
 *
 * Source:   none
 * Shape:    see http/h1.h
 * Units:    bytes
 * Limits:   sizes are 32 bits wide: a head is at most GW_H1_HEAD_CEILING.
 * Memory:   |block| holds the head's text and, behind it, struct gw_h1_parsed.
 * Threads:  its loop's thread only
 * Errors:   see http/h1.h
 */
#ifndef GW_HTTP_H1_INT_H
#define GW_HTTP_H1_INT_H

#include <llhttp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/h1.h"

/* What max_header_bytes is capped to; keeps the offsets in 32 bits. */
#define GW_H1_HEAD_CEILING (16u * 1024 * 1024)
/* The longest name that may not stand in a trailer is "transfer-encoding". */
#define GW_H1_TRAILER_NAME_BYTES 20

enum gw_h1_state {
    GW_H1_HEAD,      /* before or in a head */
    GW_H1_LENGTH,    /* in a body of known length */
    GW_H1_CHUNKED,   /* in a chunked body or its trailers */
    GW_H1_UNTIL_EOF, /* in a response that ends with the connection */
    GW_H1_COMPLETE,  /* waits for gw_h1_parser_next() */
};

/* What a head says, with its fields; lies behind the head's text in one block. */
struct gw_h1_parsed {
    union {
        struct gw_request_head request;
        struct gw_response_head response;
    } head;
    struct gw_header fields[];
};

struct gw_h1_parser {
    llhttp_t llhttp;
    const struct gw_h1_events *events;
    void *user;
    char *block; /* NULL between messages */
    struct gw_h1_parsed *parsed;
    uint64_t body_left;  /* GW_H1_LENGTH */
    const char *run_end; /* GW_H1_CHUNKED, in a feed: end of the last run of body */
    struct gw_h1_failure failure;
    enum gw_err err; /* sticky */
    uint32_t max_header_bytes;
    uint32_t head_len;      /* bytes of the head in |block| */
    uint32_t head_capacity; /* room for them while the head comes in parts */
    uint32_t scanned;       /* of the head: searched for line ends */
    uint32_t line_at;       /* of the head: where the current line begins */
    uint32_t line_count;    /* whole lines seen: start line and fields */
    uint32_t method_len;    /* of the request line */
    uint32_t target_len;
    uint32_t framing_bytes; /* GW_H1_CHUNKED: since the last run of body */
    uint16_t field_count;
    uint16_t status; /* of the status line */
    uint8_t kind;    /* enum gw_h1_kind */
    uint8_t state;   /* enum gw_h1_state */
    uint8_t version; /* enum gw_http_version */
    uint8_t blank_bytes;
    uint8_t interim_count;
    bool expects_no_body;
    uint8_t trailer_name_len;
    char trailer_name[GW_H1_TRAILER_NAME_BYTES];
};

/* How the body behind a head is delimited. */
struct gw_h1_framing {
    enum gw_h1_state state; /* GW_H1_COMPLETE: there is none */
    uint64_t length;        /* GW_H1_LENGTH */
    bool is_interim;        /* a 1xx response: the real head follows */
};

/* Notes what is wrong with the message; returns the code that goes with it. */
enum gw_err gw_h1_refuse(struct gw_h1_parser *parser, unsigned status, const char *what);

/* Notes why llhttp stopped; returns GW_ERR_PROTOCOL. */
enum gw_err gw_h1_refuse_llhttp(struct gw_h1_parser *parser, llhttp_errno_t reason);

/*
 * Takes bytes of a head; *complete tells that its last byte was among them.
 *
 * Errors: GW_ERR_PROTOCOL, GW_ERR_TOO_LARGE, GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_h1_head_take(struct gw_h1_parser *parser, struct gw_str bytes,
                                        size_t *used, bool *complete);

/*
 * Parses a complete head into parser->parsed and decides on the body.
 *
 * Errors: GW_ERR_PROTOCOL.
 */
GW_MUST_USE enum gw_err gw_h1_head_parse(struct gw_h1_parser *parser,
                                         struct gw_h1_framing *framing);

/* Frees the head and makes ready for another one. */
void gw_h1_head_drop(struct gw_h1_parser *parser);

/* llhttp's callbacks for a field of a head. */
int gw_h1_head_on_name(struct gw_h1_parser *parser, const char *at, size_t len);
int gw_h1_head_on_value(struct gw_h1_parser *parser, const char *at, size_t len);

#endif
