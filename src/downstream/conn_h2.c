/* SPDX-License-Identifier: MIT */
/*
 * downstream/conn_h2 - the nghttp2 session of a connection: making it, pumping
 * frames out of it, time, GOAWAY.
 *
 *   receive -> nghttp2_session_mem_recv -> conn_h2_frames.c -> streams -> handlers
 *   settle: deliver; nghttp2_session_mem_send -> |out| -> writev; on_writable; close when done
 *
 * nghttp2's functions that submit may be called from everywhere, those that receive, send or delete
 * only from outside its callbacks: that is why frames leave in settle.
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/log.h"
#include "downstream/conn_h2_int.h"

/* ---- frames out ---- */

static void fail(struct gw_h2_conn *h2, ssize_t error)
{
    gw_log_debug("downstream", "HTTP/2: %s", nghttp2_strerror((int)error));
    if (error == NGHTTP2_ERR_NOMEM || error == NGHTTP2_ERR_CALLBACK_FAILURE) {
        h2->conn->failed = GW_ERR_NOMEM;
        return;
    }
    gw_counter_add(&h2->conn->server->counters.protocol_errors_total, 1);
    h2->conn->proto->abort_pairs(h2->conn, GW_ERR_PROTOCOL);
    gw_conn_close(h2->conn, GW_CONN_END_LINGER);
}

/* Makes frames while the socket takes them. */
static void pump(struct gw_h2_conn *h2)
{
    struct gw_conn *conn = h2->conn;
    bool has_more = true;
    while (has_more && !conn->write_blocked && conn->failed == GW_OK &&
           conn->state < GW_CONN_CLOSING) {
        while (gw_chunkq_len(&conn->out) < GW_H2_OUT_BYTES) {
            const uint8_t *bytes = NULL;
            ssize_t len = nghttp2_session_mem_send(h2->session, &bytes);
            if (len < 0) {
                fail(h2, len);
                return;
            }
            if (len == 0) {
                break;
            }
            if (gw_chunkq_append(&conn->out, gw_str((const char *)bytes, (size_t)len)) != GW_OK) {
                conn->failed = GW_ERR_NOMEM;
                return;
            }
        }
        has_more = gw_chunkq_len(&conn->out) >= GW_H2_OUT_BYTES;
        gw_conn_flush(conn);
    }
}

/* ---- the end of a callback ---- */

static void deliver_all(struct gw_h2_conn *h2)
{
    while (h2->deliver_due) {
        h2->deliver_due = false;
        GW_LIST_FOREACH(&h2->streams, node)
        {
            struct gw_h2_stream *stream = GW_CONTAINER_OF(node, struct gw_h2_stream, node);
            if (gw_h2_stream_has_to_deliver(stream)) {
                gw_h2_stream_deliver(stream);
                /* The handler may have ended any other stream: begin anew. */
                h2->deliver_due = true;
                break;
            }
        }
    }
}

static void tell_writable(struct gw_h2_conn *h2)
{
    while (h2->writable_due) {
        h2->writable_due = false;
        GW_LIST_FOREACH(&h2->streams, node)
        {
            struct gw_h2_stream *stream = GW_CONTAINER_OF(node, struct gw_h2_stream, node);
            if (stream->pair_open && stream->was_full &&
                gw_chunkq_len(&stream->out) < GW_DOWNSTREAM_LOW_WATER) {
                stream->was_full = false;
                stream->pair.events->on_writable(stream->pair.user);
                h2->writable_due = true;
                break;
            }
        }
    }
}

static void free_dead(struct gw_h2_conn *h2)
{
    struct gw_h2_stream *stream = NULL;
    while ((stream = GW_LIST_FIRST(&h2->dead, struct gw_h2_stream, node)) != NULL) {
        gw_h2_stream_free(stream);
    }
}

/* Nothing to say and nothing to hear any more (GOAWAY was sent or received, no stream is open). */
static void close_if_over(struct gw_h2_conn *h2)
{
    bool is_between_goaways = h2->notice_sent && !h2->goaway_sent;
    if (h2->conn->state < GW_CONN_CLOSING && !is_between_goaways &&
        nghttp2_session_want_read(h2->session) == 0 &&
        nghttp2_session_want_write(h2->session) == 0) {
        h2->conn->proto->abort_pairs(h2->conn, GW_ERR_PROTOCOL);
        gw_conn_close(h2->conn, GW_CONN_END_LINGER);
    }
}

static void h2_settle(struct gw_conn *conn)
{
    struct gw_h2_conn *h2 = conn->u.h2;
    deliver_all(h2);
    gw_conn_flush(conn);
    pump(h2);
    tell_writable(h2);
    close_if_over(h2);
    free_dead(h2);
    if (conn->state < GW_CONN_CLOSING) {
        bool is_flooded = conn->write_blocked &&
                          nghttp2_session_get_outbound_queue_size(h2->session) > GW_H2_MAX_OUTBOUND;
        gw_conn_set_reading(conn, !is_flooded);
    }
}

/* ---- time ---- */

static uint64_t min_ms(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The first of those that wait for the client to send (body_waits or rests), and its time. */
static struct gw_h2_stream *first_in(const struct gw_list *waits, uint64_t limit_ms,
                                     uint64_t *at_ms)
{
    struct gw_h2_stream *stream = GW_LIST_FIRST(waits, struct gw_h2_stream, in_node);
    *at_ms = stream == NULL ? GW_CONN_NEVER : stream->in_progress_ms + limit_ms;
    return stream;
}

/* The first of those that wait for the client to take bytes, and its time. */
static struct gw_h2_stream *first_out(const struct gw_h2_conn *h2, uint64_t *at_ms)
{
    struct gw_h2_stream *stream = GW_LIST_FIRST(&h2->write_waits, struct gw_h2_stream, out_node);
    uint64_t limit_ms = h2->conn->server->limits.write_timeout_ms;
    *at_ms = stream == NULL ? GW_CONN_NEVER : stream->out_progress_ms + limit_ms;
    return stream;
}

static uint64_t h2_deadline_ms(const struct gw_conn *conn)
{
    const struct gw_h2_conn *h2 = conn->u.h2;
    if (conn->state >= GW_CONN_CLOSING) {
        return GW_CONN_NEVER;
    }
    uint64_t body_at_ms = 0;
    uint64_t rest_at_ms = 0;
    uint64_t write_at_ms = 0;
    (void)first_in(&h2->body_waits, conn->server->limits.body_timeout_ms, &body_at_ms);
    (void)first_in(&h2->rests, GW_CONN_REST_MS, &rest_at_ms);
    (void)first_out(h2, &write_at_ms);
    uint64_t goaway_at_ms = h2->goaway_at_ms == 0 ? GW_CONN_NEVER : h2->goaway_at_ms;
    return min_ms(min_ms(body_at_ms, rest_at_ms), min_ms(write_at_ms, goaway_at_ms));
}

/* Ends the first stream that ran out of time; false when there is none. */
static bool expire_one(struct gw_h2_conn *h2, uint64_t now_ms)
{
    struct gw_server *server = h2->conn->server;
    uint64_t at_ms = 0;
    struct gw_h2_stream *stream = first_in(&h2->body_waits, server->limits.body_timeout_ms, &at_ms);
    if (stream != NULL && at_ms <= now_ms) {
        gw_counter_add(&server->counters.timeouts_total, 1);
        gw_h2_stream_expire(stream, 408, "The body of the request did not arrive in time.");
        return true;
    }
    stream = first_out(h2, &at_ms);
    if (stream != NULL && at_ms <= now_ms) {
        gw_counter_add(&server->counters.timeouts_total, 1);
        gw_list_unlink(&stream->out_node);
        gw_h2_stream_expire(stream, 408, "The answer was not read in time.");
        return true;
    }
    stream = first_in(&h2->rests, GW_CONN_REST_MS, &at_ms);
    if (stream != NULL && at_ms <= now_ms) {
        gw_list_unlink(&stream->in_node);
        /* RFC 9113 section 8.1: the answer is complete, the rest of the request is not wanted. */
        (void)nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, stream->id,
                                        NGHTTP2_NO_ERROR);
        return true;
    }
    return false;
}

void gw_h2_send_goaway(struct gw_h2_conn *h2)
{
    if (h2->goaway_sent) {
        return;
    }
    h2->goaway_sent = true;
    h2->goaway_at_ms = 0;
    int32_t last = nghttp2_session_get_last_proc_stream_id(h2->session);
    (void)nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, NULL, 0);
    gw_conn_wake(h2->conn);
}

static void h2_drain(struct gw_conn *conn)
{
    struct gw_h2_conn *h2 = conn->u.h2;
    if (h2->notice_sent) {
        return;
    }
    h2->notice_sent = true;
    h2->goaway_at_ms = gw_conn_now_ms(conn) + GW_H2_GOAWAY_MS;
    if (nghttp2_submit_shutdown_notice(h2->session) != 0) {
        conn->failed = GW_ERR_NOMEM;
    }
    gw_conn_wake(conn);
}

static void h2_expire(struct gw_conn *conn)
{
    struct gw_h2_conn *h2 = conn->u.h2;
    uint64_t now_ms = gw_conn_now_ms(conn);
    while (conn->state < GW_CONN_CLOSING && expire_one(h2, now_ms)) {
    }
    if (h2->goaway_at_ms != 0 && now_ms >= h2->goaway_at_ms) {
        gw_h2_send_goaway(h2);
    } else if (conn->state == GW_CONN_IDLE && h2->goaway_sent) {
        gw_conn_close(conn, GW_CONN_END_LINGER);
    } else if (conn->state == GW_CONN_IDLE) {
        conn->state_since_ms = now_ms; /* its last round trip */
        h2_drain(conn);
    }
}

/* ---- the table ---- */

static void h2_receive(struct gw_conn *conn, struct gw_str bytes)
{
    struct gw_h2_conn *h2 = conn->u.h2;
    ssize_t used = nghttp2_session_mem_recv(h2->session, (const uint8_t *)bytes.ptr, bytes.len);
    if (used < 0 && conn->state < GW_CONN_CLOSING) {
        fail(h2, used);
    }
}

static void h2_abort_pairs(struct gw_conn *conn, enum gw_err err)
{
    struct gw_h2_conn *h2 = conn->u.h2;
    struct gw_h2_stream *stream = NULL;
    while ((stream = GW_LIST_FIRST(&h2->streams, struct gw_h2_stream, node)) != NULL) {
        gw_h2_stream_bury(stream);
        if (stream->pair_open) {
            stream->pair_open = false;
            stream->pair.events->on_abort(stream->pair.user, err);
        }
    }
}

static void h2_fini(struct gw_conn *conn)
{
    struct gw_h2_conn *h2 = conn->u.h2;
    gw_h2_head_drop(h2);
    nghttp2_session_del(h2->session);
    free_dead(h2);
    gw_free(h2);
}

static const struct gw_conn_proto h2_proto = {
    .name = "HTTP/2",
    .receive = h2_receive,
    .settle = h2_settle,
    .deadline_ms = h2_deadline_ms,
    .expire = h2_expire,
    .drain = h2_drain,
    .abort_pairs = h2_abort_pairs,
    .fini = h2_fini,
};

/* ---- making ---- */

/* Callbacks and options are the same for all sessions of a server. */
static enum gw_err prepare_server(struct gw_server *server)
{
    if (server->h2_callbacks != NULL) {
        return GW_OK;
    }
    if (nghttp2_session_callbacks_new(&server->h2_callbacks) != 0) {
        return GW_ERR_NOMEM;
    }
    if (nghttp2_option_new(&server->h2_option) != 0) {
        gw_h2_fini_server(server);
        return GW_ERR_NOMEM;
    }
    gw_h2_set_callbacks(server->h2_callbacks);
    nghttp2_option_set_no_auto_window_update(server->h2_option, 1);
    return GW_OK;
}

void gw_h2_fini_server(struct gw_server *server)
{
    gw_h2_head_destroy(&server->h2_spare_head);
    nghttp2_session_callbacks_del(server->h2_callbacks);
    nghttp2_option_del(server->h2_option);
    server->h2_callbacks = NULL;
    server->h2_option = NULL;
}

static int submit_settings(struct gw_h2_conn *h2)
{
    const struct gw_server_limits *limits = &h2->conn->server->limits;
    uint32_t list_bytes =
        limits->max_header_bytes < UINT32_MAX ? (uint32_t)limits->max_header_bytes : UINT32_MAX;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, GW_H2_MAX_STREAMS},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, GW_H2_STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, list_bytes},
    };
    int result =
        nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings, GW_ARRAY_LEN(settings));
    if (result != 0) {
        return result;
    }
    return nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0,
                                                 GW_H2_CONN_WINDOW);
}

enum gw_err gw_h2_start(struct gw_conn *conn)
{
    struct gw_h2_conn *h2 = gw_try_alloc(sizeof(*h2));
    if (h2 == NULL || prepare_server(conn->server) != GW_OK) {
        gw_free(h2);
        return GW_ERR_NOMEM;
    }
    *h2 = (struct gw_h2_conn){
        .conn = conn, .glitch_tokens = GW_H2_GLITCH_BURST, .last_id = -1, .gap_from_id = 1};
    h2->glitch_at_ms = gw_conn_now_ms(conn);
    gw_list_init(&h2->streams);
    gw_list_init(&h2->dead);
    gw_list_init(&h2->body_waits);
    gw_list_init(&h2->write_waits);
    gw_list_init(&h2->rests);
    if (nghttp2_session_server_new2(&h2->session, conn->server->h2_callbacks, h2,
                                    conn->server->h2_option) != 0) {
        gw_free(h2);
        return GW_ERR_NOMEM;
    }
    conn->u.h2 = h2;
    conn->proto = &h2_proto;
    gw_conn_set_state(conn, GW_CONN_IDLE);
    if (submit_settings(h2) != 0) {
        conn->failed = GW_ERR_NOMEM;
    }
    if (conn->server->is_draining) {
        h2_drain(conn);
    }
    return GW_OK;
}
