/* SPDX-License-Identifier: MIT */
/*
 * http/h1 - HTTP/1.x: parser of requests and responses (over llhttp), writer of heads and chunks.
 * No I/O, no clock.
 *
 * Source:   RFC 9110, RFC 9112; llhttp 9 in its strict mode.
 * Shape:    in: any split of the bytes, with the same outcome. out: on_head once per message,
 *           on_body with views into the fed bytes, on_complete. The parser stops after on_complete
 *           of a message (pipelining is the connection's affair) and says how much it took.
 * Units:    bytes
 * Limits:   max_header_bytes over request line or status line and all fields, line ends included;
 *           GW_H1_MAX_HEADERS fields; GW_H1_MAX_FRAMING_BYTES between two runs of a chunked body
 *           and in its trailers; GW_H1_MAX_BLANK_BYTES before a request; GW_H1_MAX_INTERIM interim
 *           responses.
 * Memory:   the parser owns the head in one block, from its first byte until gw_h1_parser_next() or
 *           gw_h1_parser_release_head(); an idle parser holds none.
 * Threads:  its loop's thread only
 * Errors:   sticky, all of them are fatal for the connection.
 *
 * Refused, because they are what request smuggling is made of: Content-Length twice or with other
 * than digits, Content-Length together with Transfer-Encoding, any Transfer-Encoding but one
 * "chunked", Transfer-Encoding in HTTP/1.0, bare LF and bare CR, folded fields, blanks between name
 * and colon, bad chunk sizes, control bytes in names and values, more than one Host, none in
 * HTTP/1.1, targets with blanks, fragments or bytes that must be escaped, framing fields in
 * trailers, other versions than 1.0 and 1.1.
 */
#ifndef GW_HTTP_H1_H
#define GW_HTTP_H1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "http/message.h"

/* Apache allows 100, nginx only counts bytes; browsers and SDKs send 10 to 30. Bounds the table of
 * fields (8 KiB). */
#define GW_H1_MAX_HEADERS 200
/* A chunk-size line is 3 to 18 bytes, with the signatures some clients add to it about 100;
 * trailers are a checksum or two. More is somebody who wants us to read for nothing
 * (CVE-2024-22019). */
#define GW_H1_MAX_FRAMING_BYTES 4096
/* RFC 9112 section 2.2 asks to skip at least one empty line before a request; old clients send one
 * too many after a POST. */
#define GW_H1_MAX_BLANK_BYTES 4
/* 100 and a few 103 are normal, 102 comes every so many seconds while a server works; without a
 * bound a server could hold an exchange for ever below its total timeout. */
#define GW_H1_MAX_INTERIM 32

struct gw_h1_parser;

enum gw_h1_kind {
    GW_H1_REQUESTS,
    GW_H1_RESPONSES,
};

/* All return GW_OK to go on; any other value stops the feed and is what the feed returns. They must
 * not call back into the parser, but for gw_h1_parser_release_head() and the questions at the end
 * of this part. */
struct gw_h1_events {
    /* One of the two, by kind. The head is valid until gw_h1_parser_next() or
     * gw_h1_parser_release_head(). Interim responses (1xx) are swallowed. */
    enum gw_err (*on_request)(void *user, const struct gw_request_head *head);
    enum gw_err (*on_response)(void *user, const struct gw_response_head *head);
    /* Bytes of the body, without chunk framing; a view into the fed bytes; never empty. */
    enum gw_err (*on_body)(void *user, struct gw_str bytes);
    /* The message is complete (trailers are parsed, checked and dropped). */
    enum gw_err (*on_complete)(void *user);
};

struct gw_h1_opts {
    enum gw_h1_kind kind;
    size_t max_header_bytes; /* required, > 0 */
    const struct gw_h1_events *events;
    void *user;
};

/* What was wrong with a message, in a form to answer the client with or to log. */
struct gw_h1_failure {
    unsigned status;  /* 400, 431, 501 (a method or Transfer-Encoding we do not know), 505; 502 for
                         responses */
    const char *what; /* static text */
};

/* Makes a parser; end it with gw_h1_parser_destroy(). Aborts when there is no memory (fixed size).
 */
struct gw_h1_parser *gw_h1_parser_create(const struct gw_h1_opts *opts);

/* Frees; NULL-safe, clears the pointer. */
void gw_h1_parser_destroy(struct gw_h1_parser **parser);

/*
 * Feeds bytes. *used tells how many were taken: all of them, or up to the end of the message
 * (on_complete was called), or up to about the error. The caller keeps the rest and feeds it after
 * gw_h1_parser_next(); fed before that, nothing is taken.
 *
 * Errors: GW_ERR_PROTOCOL, GW_ERR_TOO_LARGE (header; see gw_h1_parser_failure()), GW_ERR_NOMEM, or
 * what an event returned.
 */
GW_MUST_USE enum gw_err gw_h1_parser_feed(struct gw_h1_parser *parser, struct gw_str bytes,
                                          size_t *used);

/*
 * The peer closed. GW_OK: between messages, or a response whose body ends with the connection
 * (on_complete was called).
 *
 * Errors: GW_ERR_EOF (in the middle of a message), or what on_complete returned.
 */
GW_MUST_USE enum gw_err gw_h1_parser_finish(struct gw_h1_parser *parser);

/* The next response answers a HEAD request or a CONNECT (2xx): no body follows its head whatever it
 * announces. Holds for one response, interim ones not counted. Responses only. */
void gw_h1_parser_expect_no_body(struct gw_h1_parser *parser);

/* Gives the bytes of the head back before the message ends; its views end here. For long streams
 * whose owner has read what it needs. */
void gw_h1_parser_release_head(struct gw_h1_parser *parser);

/* Makes ready for the next message after on_complete; releases the bytes of the last head. */
void gw_h1_parser_next(struct gw_h1_parser *parser);

/* Has the current message begun (any byte of it was fed), and not ended? */
bool gw_h1_parser_is_mid_message(const struct gw_h1_parser *parser);

/* After GW_ERR_PROTOCOL or GW_ERR_TOO_LARGE: what to tell. */
struct gw_h1_failure gw_h1_parser_failure(const struct gw_h1_parser *parser);

/* ---- writing ---- */

/*
 * Appends "HTTP/1.1 200 OK" and CRLF. Fields follow with gw_h1_write_field(), then
 * gw_h1_write_end_of_head(). Errors stick in |out| (base/buf.h).
 */
void gw_h1_write_status(struct gw_buf *out, unsigned status);

/* Appends "POST /path HTTP/1.1" and CRLF; |target| is what gw_url_* let through: no blanks, no
 * control bytes. */
void gw_h1_write_request(struct gw_buf *out, struct gw_str method, struct gw_str target);

/* Appends one field; the caller made sure that name and value are valid (gw_header_*_is_valid()).
 */
void gw_h1_write_field(struct gw_buf *out, struct gw_str name, struct gw_str value);

/* Appends the blank line. */
void gw_h1_write_end_of_head(struct gw_buf *out);

#define GW_H1_CHUNK_HEAD_BYTES 18 /* 16 hex digits and CRLF */

/* Writes the line before a chunk of |size| > 0 bytes to |out|; returns its length. Behind the chunk
 * goes CRLF. */
size_t gw_h1_format_chunk_head(uint64_t size, char out[GW_H1_CHUNK_HEAD_BYTES]);

#endif
