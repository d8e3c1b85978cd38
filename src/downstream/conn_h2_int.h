/* SPDX-License-Identifier: MIT */
/*
 * downstream/conn_h2_int - an HTTP/2 connection: an nghttp2 session and one object per stream.
 * Private to this folder.
 *
 * Source:   RFC 9113; nghttp2's programmers' guide
 * Shape:    conn_h2.c owns the session, conn_h2_frames.c has nghttp2's callbacks, conn_h2_head.c
 *           makes a stream of a header block, conn_h2_stream.c gives the request's body to the
 *           handler, conn_h2_response.c writes the answer.
 * Units:    in the names
 * Limits:   beside each number
 * Memory:   a stream's object, its fields and their text are one block. It is freed at the end of
 *           the callback in which both its pair and its HTTP/2 stream have ended.
 * Threads:  its loop's thread only
 * Errors:   see the functions
 */
#ifndef GW_DOWNSTREAM_CONN_H2_INT_H
#define GW_DOWNSTREAM_CONN_H2_INT_H

#include "base/assert.h"
#include "downstream/conn_int.h"

/* RFC 9113 section 6.5.2 wants at least 100, which is also what SDKs keep open at once; nginx and
 * Envoy's guide for edge proxies say 100 to 128. */
#define GW_H2_MAX_STREAMS 128

/* A body that nobody reads yet: at most this much of a stream, and of all streams of a connection,
 * waits in our memory. Prompts with images are some hundred KB. */
#define GW_H2_STREAM_WINDOW (256 * 1024)
#define GW_H2_CONN_WINDOW   (1024 * 1024)

/* Frames made ahead of the socket. More would only delay what is urgent (RST_STREAM, PING). */
#define GW_H2_OUT_BYTES (64u * 1024)

/* As GW_H1_MAX_HEADERS. */
#define GW_H2_MAX_FIELDS 200

/* Frames that nghttp2 keeps for a peer that does not read; beyond, we do not read either. */
#define GW_H2_MAX_OUTBOUND 1000

/*
 * Frames that cost us work and bring the peer nothing, and streams that are reset: a flood of them
 * is an attack (CVE-2019-9511 and its sisters, CVE-2023-44487, CVE-2025-8671). A client that gives
 * up 100 requests a second, or 1,000 at once, is still served.
 */
#define GW_H2_GLITCH_BURST 1000
#define GW_H2_GLITCH_RATE  100

/* Between the two GOAWAYs of a drain: a round trip, for streams that are on their way. */
#define GW_H2_GOAWAY_MS 1000

struct gw_h2_stream;

struct gw_h2_conn {
    struct gw_conn *conn;
    nghttp2_session *session;
    struct gw_list streams; /* whose pair or whose HTTP/2 stream is open */
    struct gw_list dead;    /* to be freed at the end of the callback */
    /* In the order in which they run out of time: */
    struct gw_list body_waits;  /* the handler reads, the body is not complete */
    struct gw_list write_waits; /* bytes of the answer wait */
    struct gw_list rests;       /* answered, but the client still sends */
    struct gw_h2_head *head;    /* the header block that is arriving */
    uint64_t goaway_at_ms;      /* when the second GOAWAY is due; 0: not draining */
    uint64_t glitch_at_ms;
    uint32_t glitch_tokens;
    int32_t last_id;     /* of the streams the client opened */
    int32_t gap_from_id; /* the last run of identifiers that it jumped over; 1..0: none */
    int32_t gap_to_id;
    bool deliver_due;  /* a stream may have body bytes or an end to deliver */
    bool writable_due; /* a stream may owe on_writable */
    bool notice_sent;
    bool goaway_sent;
};

struct gw_h2_stream {
    struct gw_downstream pair; /* first member */
    struct gw_h2_conn *h2;
    struct gw_list node;     /* streams or dead */
    struct gw_list in_node;  /* body_waits or rests */
    struct gw_list out_node; /* write_waits */
    uint64_t in_progress_ms;
    uint64_t out_progress_ms;
    struct gw_chunkq in;  /* the body while the handler does not read; not yet given back to the
                             client's window */
    struct gw_chunkq out; /* the answer's body, until it becomes DATA frames */
    uint64_t announced_bytes;
    uint64_t written_bytes;
    int32_t id;
    bool pair_open;
    bool is_closed; /* for nghttp2 */
    bool is_reading;
    bool request_complete;
    bool is_delivering;
    bool end_told;
    bool body_seen; /* a byte of the body came */
    bool continue_sent;
    bool begun;
    bool is_bodiless; /* the answer's HEADERS ended the stream on our side */
    bool is_drop;     /* HEAD: the body written is dropped */
    bool ended;       /* the handler is done writing */
    bool aborted;     /* RST_STREAM when |out| is empty */
    bool is_deferred; /* nghttp2 has to be told when there are bytes again */
    bool was_full;
    struct gw_request_head head;
    struct gw_header fields[];
};

/* ---- conn_h2.c ---- */

/* The second half of a drain. */
void gw_h2_send_goaway(struct gw_h2_conn *h2);

/* ---- conn_h2_frames.c ---- */

/* Enters all callbacks. */
void gw_h2_set_callbacks(nghttp2_session_callbacks *callbacks);

/* Counts a glitch; ends the session when there were too many. */
void gw_h2_count_glitch(struct gw_h2_conn *h2);

/* ---- conn_h2_head.c ---- */

/* A header block begins. */
void gw_h2_head_begin(struct gw_h2_conn *h2);

/* Takes one field of it. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_h2_head_add(struct gw_h2_conn *h2, struct gw_str name,
                                       struct gw_str value);

enum gw_h2_verdict {
    GW_H2_HEAD_GOOD,
    GW_H2_HEAD_TOO_LARGE,       /* 431 */
    GW_H2_HEAD_BAD_EXPECTATION, /* 417 */
    GW_H2_HEAD_MALFORMED,       /* a stream error */
};

/*
 * Makes a stream of the block, also of one that will be refused (all but GW_H2_HEAD_MALFORMED).
 * |has_body|: the HEADERS frame did not end the stream.
 *
 * Errors: GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_h2_head_finish(struct gw_h2_conn *h2, bool has_body,
                                          struct gw_h2_stream **stream,
                                          enum gw_h2_verdict *verdict);

/* The block is over; NULL-safe. */
void gw_h2_head_drop(struct gw_h2_conn *h2);

/* Frees a head. */
void gw_h2_head_destroy(struct gw_h2_head **head);

/* ---- conn_h2_stream.c ---- */

/* The stream of an open pair. */
static inline struct gw_h2_stream *gw_h2_stream_of(struct gw_downstream *pair)
{
    struct gw_h2_stream *stream = GW_CONTAINER_OF(pair, struct gw_h2_stream, pair);
    GW_ASSERT(stream->pair_open);
    return stream;
}

/* Is the session no longer to be talked to? */
static inline bool gw_h2_is_conn_closed(const struct gw_h2_stream *stream)
{
    return stream->h2->conn->state >= GW_CONN_CLOSING;
}

/* Puts a new stream to work: pair->ops and so on, the list, nghttp2's pointer. */
void gw_h2_stream_open(struct gw_h2_stream *stream, int32_t id);

/* Tells the server's handler. */
void gw_h2_stream_request(struct gw_h2_stream *stream);

/* Bytes of the body came. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_h2_stream_body(struct gw_h2_stream *stream, struct gw_str bytes);

/* The client has sent all. */
void gw_h2_stream_complete(struct gw_h2_stream *stream);

/* nghttp2 is done with the stream. */
void gw_h2_stream_closed(struct gw_h2_stream *stream, uint32_t error_code);

/* Gives the handler what was held back, and the end when it is due. */
void gw_h2_stream_deliver(struct gw_h2_stream *stream);

/* Is there something that gw_h2_stream_deliver() would deliver? */
bool gw_h2_stream_has_to_deliver(const struct gw_h2_stream *stream);

/* Takes the stream from its lists, to be freed at the end of the callback. */
void gw_h2_stream_bury(struct gw_h2_stream *stream);

/* Frees its memory. */
void gw_h2_stream_free(struct gw_h2_stream *stream);

/* The pair is over for the handler; what waits is still sent. */
void gw_h2_stream_leave_pair(struct gw_h2_stream *stream);

/* RST_STREAM; nghttp2 then tells gw_h2_stream_closed(). */
void gw_h2_stream_reset(struct gw_h2_stream *stream, uint32_t error_code);

/* The pair's read_body. */
void gw_h2_stream_read_body(struct gw_downstream *pair, bool on);

/* ---- conn_h2_response.c ---- */

/* The table of an HTTP/2 pair. */
extern const struct gw_downstream_ops gw_h2_pair_ops;

/* Bytes of |out| have become DATA. */
void gw_h2_stream_sent(struct gw_h2_stream *stream);

/* Answers an error by ourselves; no response may have begun, no pair may be open. */
void gw_h2_stream_answer_error(struct gw_h2_stream *stream, unsigned status, const char *what);

/* Out of time: answers |status| where that is still possible, else resets; the pair is told
 * GW_ERR_TIMEOUT. */
void gw_h2_stream_expire(struct gw_h2_stream *stream, unsigned status, const char *what);

#endif
