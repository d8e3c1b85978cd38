/* SPDX-License-Identifier: MIT */
/*
 * downstream/conn_h2_stream - the life of an HTTP/2 stream, and the request's body.
 *
 *   DATA in: window -> on_body, or |in| while the handler does not read -> window given back
 *
 * A stream has two ends: its pair (the handler) and its HTTP/2 stream (nghttp2). It is buried when
 * both are over.
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "downstream/conn_h2_int.h"

/* ---- life ---- */

void gw_h2_stream_open(struct gw_h2_stream *stream, int32_t id)
{
    struct gw_h2_conn *h2 = stream->h2;
    struct gw_conn *conn = h2->conn;
    struct gw_chunk_pool *chunks = gw_loop_chunks(conn->server->opts.loop);
    stream->id = id;
    stream->pair.ops = &gw_h2_pair_ops;
    stream->pair.loop = conn->server->opts.loop;
    stream->pair.head = &stream->head;
    stream->pair.peer = &conn->peer;
    stream->pair.is_tls = gw_stream_is_tls(conn->stream);
    stream->request_complete = !stream->head.has_body;
    gw_chunkq_init(&stream->in, chunks);
    gw_chunkq_init(&stream->out, chunks);
    gw_list_init(&stream->node);
    gw_list_init(&stream->in_node);
    gw_list_init(&stream->out_node);
    gw_list_append(&h2->streams, &stream->node);
    conn->has_served = true;
    if (conn->state == GW_CONN_IDLE) {
        gw_conn_set_state(conn, GW_CONN_SERVING);
    }
    /* Can only fail for a stream that does not exist. */
    (void)nghttp2_session_set_stream_user_data(h2->session, id, stream);
}

void gw_h2_stream_request(struct gw_h2_stream *stream)
{
    struct gw_server *server = stream->h2->conn->server;
    stream->pair_open = true;
    server->opts.on_request(server->opts.user, &stream->pair);
    GW_ASSERT(!stream->pair_open || stream->pair.events != NULL);
}

void gw_h2_stream_bury(struct gw_h2_stream *stream)
{
    struct gw_h2_conn *h2 = stream->h2;
    gw_list_unlink(&stream->in_node);
    gw_list_unlink(&stream->out_node);
    gw_list_unlink(&stream->node);
    gw_list_append(&h2->dead, &stream->node);
    gw_conn_wake(h2->conn);
    if (gw_list_is_empty(&h2->streams) && h2->conn->state == GW_CONN_SERVING) {
        gw_conn_set_state(h2->conn, GW_CONN_IDLE);
    }
}

void gw_h2_stream_free(struct gw_h2_stream *stream)
{
    gw_list_unlink(&stream->node);
    gw_chunkq_clear(&stream->in);
    gw_chunkq_clear(&stream->out);
    gw_free(stream);
}

static void bury_if_over(struct gw_h2_stream *stream)
{
    if (!stream->pair_open && stream->is_closed) {
        gw_h2_stream_bury(stream);
    }
}

void gw_h2_stream_reset(struct gw_h2_stream *stream, uint32_t error_code)
{
    if (!stream->is_closed && !gw_h2_is_conn_closed(stream) &&
        nghttp2_submit_rst_stream(stream->h2->session, NGHTTP2_FLAG_NONE, stream->id, error_code) !=
            0) {
        stream->h2->conn->failed = GW_ERR_NOMEM;
    }
    gw_conn_wake(stream->h2->conn);
}

/* What was received and not read is taken off the connection's window for good. */
static void forget_body(struct gw_h2_stream *stream)
{
    size_t held = gw_chunkq_len(&stream->in);
    if (held > 0 && !stream->is_delivering && !gw_h2_is_conn_closed(stream)) {
        (void)nghttp2_session_consume_connection(stream->h2->session, held);
        gw_chunkq_clear(&stream->in);
    }
}

void gw_h2_stream_closed(struct gw_h2_stream *stream, uint32_t error_code)
{
    stream->is_closed = true;
    gw_list_unlink(&stream->in_node);
    gw_list_unlink(&stream->out_node);
    if (error_code != NGHTTP2_NO_ERROR && !stream->aborted) {
        gw_h2_count_glitch(stream->h2);
    }
    /* An answer without a body may close the stream before the handler has said "end". */
    bool is_answered = stream->is_bodiless && error_code == NGHTTP2_NO_ERROR;
    if (stream->pair_open && !is_answered) {
        stream->pair_open = false;
        stream->pair.events->on_abort(stream->pair.user, GW_ERR_RESET);
    }
    if (!stream->pair_open) {
        forget_body(stream);
    }
    bury_if_over(stream);
}

void gw_h2_stream_leave_pair(struct gw_h2_stream *stream)
{
    stream->pair_open = false;
    stream->was_full = false;
    forget_body(stream);
    gw_list_unlink(&stream->in_node);
    if (!stream->request_complete && !stream->is_closed) {
        stream->in_progress_ms = gw_conn_now_ms(stream->h2->conn);
        gw_list_append(&stream->h2->rests, &stream->in_node);
    }
    bury_if_over(stream);
}

/* ---- the request's body ---- */

/* Joins or leaves the list of those whose client has to send; behind the others. */
static void wait_for_body(struct gw_h2_stream *stream)
{
    gw_list_unlink(&stream->in_node);
    if (stream->pair_open && stream->is_reading && !stream->request_complete &&
        !stream->is_closed) {
        stream->in_progress_ms = gw_conn_now_ms(stream->h2->conn);
        gw_list_append(&stream->h2->body_waits, &stream->in_node);
    }
}

static void send_continue(struct gw_h2_stream *stream)
{
    if (stream->continue_sent || stream->begun || stream->body_seen || stream->request_complete ||
        !stream->head.expects_continue || stream->is_closed || gw_h2_is_conn_closed(stream)) {
        return;
    }
    stream->continue_sent = true;
    static const char status[] = ":status";
    static const char value[] = "100";
    const nghttp2_nv field = {
        .name = (uint8_t *)(uintptr_t)status,
        .value = (uint8_t *)(uintptr_t)value,
        .namelen = sizeof(status) - 1,
        .valuelen = sizeof(value) - 1,
    };
    if (nghttp2_submit_headers(stream->h2->session, NGHTTP2_FLAG_NONE, stream->id, NULL, &field, 1,
                               NULL) != 0) {
        stream->h2->conn->failed = GW_ERR_NOMEM;
    }
}

void gw_h2_stream_read_body(struct gw_downstream *pair, bool on)
{
    struct gw_h2_stream *stream = gw_h2_stream_of(pair);
    if (stream->is_reading == on) {
        return;
    }
    stream->is_reading = on;
    wait_for_body(stream);
    if (on) {
        send_continue(stream);
        stream->h2->deliver_due = true;
    }
    gw_conn_wake(stream->h2->conn);
}

/* The handler has |size| bytes: the client may send as many more. */
static void give_window(struct gw_h2_stream *stream, size_t size)
{
    if (gw_h2_is_conn_closed(stream)) {
        return;
    }
    nghttp2_session *session = stream->h2->session;
    int result = stream->is_closed ? nghttp2_session_consume_connection(session, size)
                                   : nghttp2_session_consume(session, stream->id, size);
    if (result == NGHTTP2_ERR_NOMEM) {
        stream->h2->conn->failed = GW_ERR_NOMEM;
    }
}

enum gw_err gw_h2_stream_body(struct gw_h2_stream *stream, struct gw_str bytes)
{
    stream->body_seen = true;
    if (!stream->pair_open) {
        /* Thrown away. The stream's own window is not given back: that bounds what is sent in
         * vain. */
        (void)nghttp2_session_consume_connection(stream->h2->session, bytes.len);
        return GW_OK;
    }
    if (stream->is_reading && gw_chunkq_len(&stream->in) == 0) {
        wait_for_body(stream);
        stream->pair.events->on_body(stream->pair.user, bytes);
        give_window(stream, bytes.len);
        return GW_OK;
    }
    return gw_chunkq_append(&stream->in, bytes);
}

void gw_h2_stream_complete(struct gw_h2_stream *stream)
{
    stream->request_complete = true;
    gw_list_unlink(&stream->in_node);
    if (gw_h2_stream_has_to_deliver(stream)) {
        gw_h2_stream_deliver(stream);
    }
}

bool gw_h2_stream_has_to_deliver(const struct gw_h2_stream *stream)
{
    return stream->pair_open && stream->is_reading &&
           (gw_chunkq_len(&stream->in) > 0 || (stream->request_complete && !stream->end_told));
}

void gw_h2_stream_deliver(struct gw_h2_stream *stream)
{
    stream->is_delivering = true; /* the handler sees bytes that lie in the queue */
    while (stream->pair_open && stream->is_reading && gw_chunkq_len(&stream->in) > 0) {
        struct iovec head;
        (void)gw_chunkq_peek(&stream->in, &head, 1);
        stream->pair.events->on_body(stream->pair.user, gw_str(head.iov_base, head.iov_len));
        gw_chunkq_consume(&stream->in, head.iov_len);
        give_window(stream, head.iov_len);
    }
    stream->is_delivering = false;
    if (stream->pair_open && stream->is_reading && stream->request_complete && !stream->end_told) {
        stream->end_told = true;
        stream->pair.events->on_body_end(stream->pair.user);
    }
    if (!stream->pair_open) {
        forget_body(stream);
    }
}
