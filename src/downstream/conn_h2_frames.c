/* SPDX-License-Identifier: MIT */
/* downstream/conn_h2_frames - what nghttp2 tells of the frames that come and asks for those that
 * go. */
#include "base/alloc.h"
#include "base/log.h"
#include "downstream/conn_h2_int.h"

static struct gw_h2_stream *find_stream(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

/* What nghttp2 is told after a handler ran: go on, or stop because the connection is gone. */
static int go_on(const struct gw_h2_conn *h2)
{
    return h2->conn->state < GW_CONN_CLOSING && h2->conn->failed == GW_OK
               ? 0
               : NGHTTP2_ERR_CALLBACK_FAILURE;
}

void gw_h2_count_glitch(struct gw_h2_conn *h2)
{
    uint64_t now_ms = gw_conn_now_ms(h2->conn);
    uint64_t fresh = (now_ms - h2->glitch_at_ms) * GW_H2_GLITCH_RATE / 1000;
    if (fresh > 0) {
        h2->glitch_at_ms = now_ms;
        uint64_t tokens = h2->glitch_tokens + fresh;
        h2->glitch_tokens = tokens < GW_H2_GLITCH_BURST ? (uint32_t)tokens : GW_H2_GLITCH_BURST;
    }
    if (h2->glitch_tokens > 0) {
        h2->glitch_tokens--;
        return;
    }
    if (h2->conn->state < GW_CONN_CLOSING) {
        gw_log_debug("downstream", "HTTP/2: too many resets or empty frames, closing");
        (void)nghttp2_session_terminate_session(h2->session, NGHTTP2_ENHANCE_YOUR_CALM);
    }
}

/* ---- frames in ---- */

/*
 * Stream identifiers only grow (RFC 9113 section 5.1.1). nghttp2 takes HEADERS with a smaller one
 * for a late trailer and ignores them; one that the client has jumped over was never opened, so
 * that is no trailer.
 */
static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *head, void *user)
{
    struct gw_h2_conn *h2 = user;
    if (head->type != NGHTTP2_HEADERS || head->stream_id % 2 == 0) {
        return 0;
    }
    if (head->stream_id > h2->last_id) {
        if (head->stream_id > h2->last_id + 2) {
            h2->gap_from_id = h2->last_id + 1;
            h2->gap_to_id = head->stream_id - 1;
        }
        h2->last_id = head->stream_id;
    } else if (head->stream_id >= h2->gap_from_id && head->stream_id <= h2->gap_to_id) {
        (void)nghttp2_session_terminate_session(session, NGHTTP2_PROTOCOL_ERROR);
    }
    return 0;
}

static bool is_request_head(const nghttp2_frame *frame)
{
    return frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)session;
    struct gw_h2_conn *h2 = user;
    if (is_request_head(frame)) {
        gw_h2_head_begin(h2);
    }
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    (void)session;
    (void)flags;
    struct gw_h2_conn *h2 = user;
    if (!is_request_head(frame)) {
        return 0; /* trailers are checked and dropped */
    }
    enum gw_err err = gw_h2_head_add(h2, gw_str((const char *)name, name_len),
                                     gw_str((const char *)value, value_len));
    return err == GW_OK ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* nghttp2 would leave the field out; a request that is not what was sent is worse than none. */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame,
                             const uint8_t *name, size_t name_len, const uint8_t *value,
                             size_t value_len, uint8_t flags, void *user)
{
    (void)session;
    (void)frame;
    (void)name;
    (void)name_len;
    (void)value;
    (void)value_len;
    (void)flags;
    (void)user;
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int start_request(struct gw_h2_conn *h2, const nghttp2_frame *frame)
{
    bool has_body = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0;
    struct gw_h2_stream *stream = NULL;
    enum gw_h2_verdict verdict = GW_H2_HEAD_GOOD;
    enum gw_err err = gw_h2_head_finish(h2, has_body, &stream, &verdict);
    gw_h2_head_drop(h2);
    if (err != GW_OK) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (verdict == GW_H2_HEAD_MALFORMED) {
        gw_free(stream);
        gw_counter_add(&h2->conn->server->counters.protocol_errors_total, 1);
        gw_h2_count_glitch(h2);
        int result = nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                               NGHTTP2_PROTOCOL_ERROR);
        return result == 0 ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    gw_h2_stream_open(stream, frame->hd.stream_id);
    if (verdict == GW_H2_HEAD_TOO_LARGE) {
        gw_h2_stream_answer_error(stream, 431, "The header of the request is too large.");
    } else if (verdict == GW_H2_HEAD_BAD_EXPECTATION) {
        gw_h2_stream_answer_error(stream, 417, "The only expectation supported is 100-continue.");
    } else {
        gw_h2_stream_request(stream);
    }
    return go_on(h2);
}

/* Frames that an honest client sends now and then, and an attacker by the thousand. */
static bool is_glitch(const nghttp2_frame *frame)
{
    switch (frame->hd.type) {
    case NGHTTP2_DATA:
        return frame->hd.length == 0 && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0;
    case NGHTTP2_SETTINGS:
        return (frame->hd.flags & NGHTTP2_FLAG_ACK) == 0;
    case NGHTTP2_PRIORITY:
        return true;
    default:
        return false; /* PING is bounded by what nghttp2 keeps unsent, RST_STREAM in closed() */
    }
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct gw_h2_conn *h2 = user;
    if (is_glitch(frame)) {
        gw_h2_count_glitch(h2);
    }
    if (is_request_head(frame)) {
        return start_request(h2, frame);
    }
    bool is_ping_ack = frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
    if (is_ping_ack && h2->notice_sent) {
        gw_h2_send_goaway(h2); /* a round trip after the notice: no stream can be under way */
        return 0;
    }
    bool ends_stream = (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) &&
                       (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    struct gw_h2_stream *stream = ends_stream ? find_stream(session, frame->hd.stream_id) : NULL;
    if (stream != NULL) {
        gw_h2_stream_complete(stream);
    }
    return go_on(h2);
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                         size_t len, void *user)
{
    (void)flags;
    struct gw_h2_conn *h2 = user;
    struct gw_h2_stream *stream = find_stream(session, id);
    if (stream == NULL) {
        (void)nghttp2_session_consume_connection(session, len);
        return 0;
    }
    if (gw_h2_stream_body(stream, gw_str((const char *)bytes, len)) != GW_OK) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    return go_on(h2);
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error_code, void *user)
{
    (void)user;
    struct gw_h2_stream *stream = find_stream(session, id);
    if (stream != NULL) {
        (void)nghttp2_session_set_stream_user_data(session, id, NULL);
        gw_h2_stream_closed(stream, error_code);
    }
    return 0;
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error,
                            void *user)
{
    (void)session;
    (void)frame;
    (void)error;
    struct gw_h2_conn *h2 = user;
    gw_counter_add(&h2->conn->server->counters.protocol_errors_total, 1);
    gw_h2_count_glitch(h2);
    return 0;
}

/* ---- frames out ---- */

/* A DATA frame: its head from nghttp2, its payload from the stream's queue. */
static int on_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
                        size_t length, nghttp2_data_source *source, void *user)
{
    (void)session;
    (void)frame; /* no padding: its length is always 0 */
    struct gw_h2_conn *h2 = user;
    struct gw_h2_stream *stream = source->ptr;
    struct gw_chunkq *out = &h2->conn->out;
    if (gw_chunkq_len(out) >= GW_H2_OUT_BYTES) {
        return NGHTTP2_ERR_WOULDBLOCK;
    }
    enum gw_err err = gw_chunkq_append(out, gw_str((const char *)head, 9));
    while (length > 0 && err == GW_OK) {
        struct iovec piece;
        (void)gw_chunkq_peek(&stream->out, &piece, 1);
        size_t part = piece.iov_len < length ? piece.iov_len : length;
        err = gw_chunkq_append(out, gw_str(piece.iov_base, part));
        gw_chunkq_consume(&stream->out, part);
        length -= part;
    }
    if (err != GW_OK) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    gw_h2_stream_sent(stream);
    return 0;
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct gw_h2_conn *h2 = user;
    if (frame->hd.type != NGHTTP2_GOAWAY) {
        return 0;
    }
    if (frame->goaway.error_code != NGHTTP2_NO_ERROR) {
        gw_counter_add(&h2->conn->server->counters.protocol_errors_total, 1);
    } else if (h2->notice_sent && !h2->goaway_sent) {
        /* Not before now: nghttp2 lets PING overtake, and the answer has to say that the client
         * has seen the notice. */
        (void)nghttp2_submit_ping(session, NGHTTP2_FLAG_NONE, NULL);
    }
    return 0;
}

void gw_h2_set_callbacks(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
    nghttp2_session_callbacks_set_send_data_callback(callbacks, on_send_data);
}
