/* SPDX-License-Identifier: MIT */
/*
 * upstream/conn_h2 - many exchanges over one HTTP/2 connection, by nghttp2.
 *
 * Receiving: bytes -> nghttp2 -> its callbacks below -> the users' events. Sending: whoever submits
 * something asks for a flush at the end of the callback, so that the frames of all exchanges that
 * began in it leave with one system call.
 *
 * Until the peer's SETTINGS came, one exchange runs and the others wait: then we know how many the
 * peer takes, and those above it get another connection instead of a place in a queue.
 *
 * Windows: a stream's window opens as its bytes are consumed by its user, so a paused exchange
 * holds at most STREAM_WINDOW_BYTES. The connection's window opens on receipt: one paused exchange
 * must not stop the others.
 */
#include <stdio.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "upstream/h2_int.h"

/* DESIGN section 5: this much may wait for a slow client. */
#define STREAM_WINDOW_BYTES (256 * 1024)
/* What all streams together may send us within one round trip. */
#define CONN_WINDOW_BYTES (1024 * 1024)
/* nghttp2 is asked for more when less than this waits for the socket. */
#define OUT_HIGH_WATER (64u * 1024)
#define MAX_IOV        16
#define DETAIL_BYTES   128

struct gw_uph2 {
    nghttp2_session *session;
    struct gw_chunkq out;     /* frames that wait for the socket */
    struct gw_uph2_head head; /* of the response whose HEADERS are being received */
    uint64_t heard_at_ms;     /* when the last bytes came */
    uint64_t asked_at_ms;     /* when a PING was sent that is not answered; 0: none */
    uint32_t stream_count;    /* open, with those that have no exchange any more */
    uint32_t exchange_count;  /* exchanges that have a stream */
    uint32_t max_streams;
    bool has_settings;         /* of the peer */
    bool is_going_away;        /* GOAWAY came, or stream identifiers are used up */
    bool is_receiving;         /* inside nghttp2: nothing may be written now */
    char detail[DETAIL_BYTES]; /* what nghttp2 said last */
};

static void request_flush(struct gw_upconn *conn)
{
    gw_loop_defer(conn->pool->upstream->loop, &conn->after);
}

static struct gw_exchange *exchange_of(const struct gw_upconn *conn, int32_t stream_id)
{
    return nghttp2_session_get_stream_user_data(conn->h2->session, stream_id);
}

/* ---- place in the pool ---- */

static bool has_room(const struct gw_upconn *conn)
{
    const struct gw_uph2 *h2 = conn->h2;
    uint32_t waiting = conn->exchange_count - h2->exchange_count;
    return !h2->is_going_away && h2->stream_count + waiting < h2->max_streams;
}

void gw_uph2_update(struct gw_upconn *conn)
{
    const struct gw_uph2 *h2 = conn->h2;
    if (conn->state == GW_UPCONN_CLOSED) {
        return;
    }
    if (conn->exchange_count > 0) {
        gw_upconn_set_state(conn, has_room(conn) ? GW_UPCONN_SHARED : GW_UPCONN_BUSY);
    } else if (h2->is_going_away || h2->max_streams == 0) {
        gw_upconn_close(conn);
    } else if (conn->state != GW_UPCONN_IDLE) {
        gw_upconn_park(conn);
    }
}

/* ---- sending ---- */

/* Fills |buf| from the runs of the body. */
static size_t read_runs(struct gw_exchange *exchange, uint8_t *buf, size_t size)
{
    size_t done = 0;
    while (exchange->run_index < exchange->run_count && done < size) {
        struct gw_str left = gw_str_skip(exchange->runs[exchange->run_index], exchange->run_sent);
        size_t part = left.len < size - done ? left.len : size - done;
        if (part > 0) {
            memcpy(buf + done, left.ptr, part);
        }
        done += part;
        exchange->run_sent += part;
        if (part == left.len) {
            exchange->run_index++;
            exchange->run_sent = 0;
        }
    }
    return done;
}

static ssize_t on_read_body(nghttp2_session *session, int32_t stream_id, uint8_t *buf, size_t size,
                            uint32_t *flags, nghttp2_data_source *source, void *user)
{
    (void)session;
    (void)source;
    struct gw_exchange *exchange = exchange_of(user, stream_id);
    if (exchange == NULL) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* it has left; the stream is being reset */
    }
    size_t done = 0;
    bool is_end = false;
    if (exchange->is_streamed) {
        done = gw_chunkq_read(&exchange->queue, buf, size);
        is_end = exchange->is_body_ended && gw_chunkq_len(&exchange->queue) == 0;
        if (exchange->wants_writable) {
            gw_loop_defer(exchange->upstream->loop, &exchange->after);
        }
    } else {
        done = read_runs(exchange, buf, size);
        is_end = exchange->run_index == exchange->run_count;
    }
    if (is_end) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    } else if (done == 0) {
        return NGHTTP2_ERR_DEFERRED;
    }
    gw_exchange_touch(exchange);
    return (ssize_t)done;
}

static bool has_body(const struct gw_exchange *exchange)
{
    if (exchange->is_streamed) {
        return !exchange->is_body_ended || gw_chunkq_len(&exchange->queue) > 0;
    }
    for (uint32_t i = 0; i < exchange->run_count; i++) {
        if (exchange->runs[i].len > 0) {
            return true;
        }
    }
    return false;
}

static enum gw_err submit(struct gw_upconn *conn, struct gw_exchange *exchange)
{
    struct gw_uph2 *h2 = conn->h2;
    nghttp2_nv fields[GW_H2_MAX_REQUEST_FIELDS];
    size_t count = gw_uph2_request_fields(gw_str(exchange->head, exchange->head_len),
                                          conn->pool->origin.is_tls, fields);
    const nghttp2_data_provider body = {.read_callback = on_read_body};
    int32_t id = NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE;
    if (nghttp2_session_check_request_allowed(h2->session) != 0) {
        id = nghttp2_submit_request(h2->session, NULL, fields, count,
                                    has_body(exchange) ? &body : NULL, exchange);
    }
    if (id == NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE) {
        h2->is_going_away = true;
        return GW_ERR_AGAIN;
    }
    if (id < 0) {
        return GW_ERR_NOMEM;
    }
    exchange->stream_id = id;
    h2->stream_count++;
    h2->exchange_count++;
    gw_exchange_drop_head(exchange);
    gw_exchange_set_state(exchange, GW_EXCHANGE_SENDING);
    request_flush(conn);
    return GW_OK;
}

enum gw_err gw_uph2_begin(struct gw_upconn *conn, struct gw_exchange *exchange)
{
    enum gw_err err = GW_OK;
    if (conn->h2->has_settings || !conn->was_used) {
        err = submit(conn, exchange);
    }
    gw_uph2_update(conn);
    return err;
}

void gw_uph2_send_more(struct gw_upconn *conn, struct gw_exchange *exchange)
{
    /* Fails when the stream does not wait for bytes; it takes them by itself then. */
    (void)nghttp2_session_resume_data(conn->h2->session, exchange->stream_id);
    request_flush(conn);
}

/* Takes frames from nghttp2 until enough wait for the socket. */
static enum gw_err collect(struct gw_uph2 *h2)
{
    while (gw_chunkq_len(&h2->out) < OUT_HIGH_WATER) {
        const uint8_t *bytes = NULL;
        ssize_t len = nghttp2_session_mem_send(h2->session, &bytes);
        if (len < 0) {
            return len == NGHTTP2_ERR_NOMEM ? GW_ERR_NOMEM : GW_ERR_PROTOCOL;
        }
        if (len == 0) {
            return GW_OK;
        }
        enum gw_err err = gw_chunkq_append(&h2->out, gw_str((const char *)bytes, (size_t)len));
        if (err != GW_OK) {
            return err;
        }
    }
    return GW_OK;
}

static enum gw_err write_out(struct gw_upconn *conn)
{
    struct gw_chunkq *out = &conn->h2->out;
    while (gw_chunkq_len(out) > 0) {
        struct iovec iov[MAX_IOV];
        int count = gw_chunkq_peek(out, iov, MAX_IOV);
        size_t sent = 0;
        enum gw_err err = gw_stream_writev(conn->stream, iov, count, &sent);
        gw_chunkq_consume(out, sent);
        gw_upstream_count(&conn->pool->upstream->counters.sent_bytes_total, sent);
        if (err != GW_OK) {
            return err;
        }
    }
    return GW_OK;
}

/* nghttp2 gave the connection up, or both sides are done with it. */
static void check_over(struct gw_upconn *conn)
{
    struct gw_uph2 *h2 = conn->h2;
    if (nghttp2_session_want_read(h2->session) != 0 ||
        nghttp2_session_want_write(h2->session) != 0) {
        return;
    }
    gw_upconn_fail(conn, GW_ERR_PROTOCOL, gw_str_from_c(h2->detail), 0);
}

void gw_uph2_flush(struct gw_upconn *conn)
{
    struct gw_uph2 *h2 = conn->h2;
    if (h2->is_receiving) {
        return; /* follows in gw_uph2_on_read() */
    }
    for (;;) {
        enum gw_err err = collect(h2);
        if (conn->state == GW_UPCONN_CLOSED) {
            return; /* a user's callback did that */
        }
        if (err == GW_OK && gw_chunkq_len(&h2->out) == 0) {
            break;
        }
        if (err == GW_OK) {
            err = write_out(conn);
        }
        if (err == GW_ERR_AGAIN) {
            return;
        }
        if (err != GW_OK) {
            gw_upconn_fail(conn, err, GW_STR(""), 0);
            return;
        }
    }
    check_over(conn);
}

/* ---- exchanges that leave ---- */

void gw_uph2_leave(struct gw_upconn *conn, struct gw_exchange *exchange)
{
    struct gw_uph2 *h2 = conn->h2;
    if (exchange->stream_id != 0) {
        h2->exchange_count--;
        if (!exchange->is_stream_closed) {
            /* Both fail only without memory; a stream that lives on finds no exchange. */
            (void)nghttp2_session_set_stream_user_data(h2->session, exchange->stream_id, NULL);
            if (!exchange->is_response_ended || !exchange->is_sent) {
                (void)nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, exchange->stream_id,
                                                NGHTTP2_CANCEL);
            }
            request_flush(conn);
        }
    }
    gw_uph2_update(conn);
}

static void fail(struct gw_exchange *exchange, const struct gw_cause *cause)
{
    exchange->is_stream_closed = true;
    gw_exchange_fail(exchange, cause);
}

/* ---- the peer's settings ---- */

static struct gw_exchange *find_waiting(const struct gw_upconn *conn)
{
    GW_LIST_FOREACH(&conn->exchanges, node)
    {
        struct gw_exchange *exchange = GW_CONTAINER_OF(node, struct gw_exchange, node);
        if (exchange->stream_id == 0) {
            return exchange;
        }
    }
    return NULL;
}

/* Begins the exchanges that waited for the settings; those above the peer's limit move on. */
static void begin_waiting(struct gw_upconn *conn)
{
    struct gw_uph2 *h2 = conn->h2;
    struct gw_exchange *exchange = NULL;
    while (conn->state != GW_UPCONN_CLOSED && (exchange = find_waiting(conn)) != NULL) {
        enum gw_err err = GW_ERR_AGAIN;
        if (h2->stream_count < h2->max_streams && !h2->is_going_away) {
            exchange->timings.is_reused = true;
            err = submit(conn, exchange);
        }
        if (err == GW_ERR_AGAIN) {
            gw_upconn_detach(exchange);
            gw_uph2_update(conn);
            gw_exchange_redispatch(exchange);
        } else if (err != GW_OK) {
            const struct gw_cause cause = {.err = err};
            gw_exchange_fail(exchange, &cause);
        }
    }
    gw_uph2_update(conn);
}

/* Sets the timer to the next thing to be looked at: PING, its answer, the end of idleness. */
static void arm_timer(struct gw_upconn *conn)
{
    const struct gw_uph2 *h2 = conn->h2;
    const struct gw_upstream *upstream = conn->pool->upstream;
    uint64_t next_ms = h2->asked_at_ms != 0 ? h2->asked_at_ms + upstream->ping_timeout_ms
                                            : h2->heard_at_ms + upstream->ping_after_ms;
    if (conn->state == GW_UPCONN_IDLE && conn->idle_until_ms < next_ms) {
        next_ms = conn->idle_until_ms;
    }
    gw_timer_set_at(&conn->timer, next_ms);
}

static void on_settings(struct gw_upconn *conn)
{
    struct gw_uph2 *h2 = conn->h2;
    uint32_t max =
        nghttp2_session_get_remote_settings(h2->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    h2->max_streams = max < GW_H2_MAX_STREAMS ? max : GW_H2_MAX_STREAMS;
    conn->pool->h2_max_streams = h2->max_streams > 0 ? h2->max_streams : 1;
    h2->has_settings = true;
    arm_timer(conn);
    begin_waiting(conn);
}

/* ---- receiving: nghttp2's callbacks ---- */

/* A user may have closed the connection: nghttp2 then stops at once. */
static int after_user(const struct gw_upconn *conn)
{
    return conn->state == GW_UPCONN_CLOSED ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)session;
    struct gw_upconn *conn = user;
    gw_uph2_head_fini(&conn->h2->head);
    struct gw_exchange *exchange = exchange_of(conn, frame->hd.stream_id);
    if (exchange != NULL) {
        gw_exchange_on_bytes(exchange);
    }
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    (void)session;
    (void)flags;
    struct gw_upconn *conn = user;
    struct gw_exchange *exchange = exchange_of(conn, frame->hd.stream_id);
    if (exchange == NULL) {
        return 0;
    }
    enum gw_err err = gw_uph2_head_add(&conn->h2->head, gw_str((const char *)name, name_len),
                                       gw_str((const char *)value, value_len));
    if (err != GW_OK) {
        const struct gw_cause cause = {.err = err};
        gw_exchange_fail(exchange, &cause);
    }
    return after_user(conn);
}

/* END_STREAM came: the response is complete, once its paused bytes are delivered. */
static void on_end_stream(struct gw_exchange *exchange)
{
    exchange->is_response_ended = true;
    if (gw_chunkq_len(&exchange->arrived) == 0) {
        gw_exchange_end(exchange);
    }
}

static void on_headers(struct gw_upconn *conn, struct gw_exchange *exchange)
{
    struct gw_uph2_head *head = &conn->h2->head;
    /* Interim responses and trailers are read over. */
    if (exchange->state < GW_EXCHANGE_BODY && head->status >= 200) {
        const struct gw_response_head response = gw_uph2_head_response(head);
        gw_exchange_deliver_head(exchange, &response);
    }
    gw_uph2_head_fini(head);
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)session;
    struct gw_upconn *conn = user;
    struct gw_uph2 *h2 = conn->h2;
    switch (frame->hd.type) {
    case NGHTTP2_SETTINGS:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) == 0) {
            on_settings(conn);
        }
        return after_user(conn);
    case NGHTTP2_GOAWAY:
        h2->is_going_away = true;
        gw_uph2_update(conn);
        return after_user(conn);
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
        break;
    default:
        return 0;
    }
    struct gw_exchange *exchange = exchange_of(conn, frame->hd.stream_id);
    if (exchange != NULL && frame->hd.type == NGHTTP2_HEADERS) {
        on_headers(conn, exchange);
    }
    if (exchange != NULL && exchange->state != GW_EXCHANGE_OVER &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
        on_end_stream(exchange);
    }
    return after_user(conn);
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *data,
                   size_t len, void *user)
{
    (void)flags;
    struct gw_upconn *conn = user;
    struct gw_exchange *exchange = exchange_of(conn, stream_id);
    struct gw_str bytes = gw_str((const char *)data, len);
    if (nghttp2_session_consume_connection(session, len) != 0) {
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (exchange == NULL) {
        return 0;
    }
    if (exchange->is_paused || gw_chunkq_len(&exchange->arrived) > 0) {
        if (gw_chunkq_append(&exchange->arrived, bytes) != GW_OK) {
            const struct gw_cause cause = {.err = GW_ERR_NOMEM};
            gw_exchange_fail(exchange, &cause);
        }
        return after_user(conn);
    }
    gw_exchange_touch(exchange);
    exchange->events->on_body(exchange->user, bytes);
    if (exchange->state != GW_EXCHANGE_OVER) {
        (void)nghttp2_session_consume_stream(session, stream_id, len);
    }
    return after_user(conn);
}

void gw_uph2_resume(struct gw_upconn *conn, struct gw_exchange *exchange)
{
    struct gw_chunkq *arrived = &exchange->arrived;
    while (!exchange->is_paused && gw_chunkq_len(arrived) > 0) {
        struct iovec piece;
        (void)gw_chunkq_peek(arrived, &piece, 1);
        exchange->events->on_body(exchange->user, gw_str(piece.iov_base, piece.iov_len));
        gw_chunkq_consume(arrived, piece.iov_len);
        if (exchange->state == GW_EXCHANGE_OVER) {
            return;
        }
        if (!exchange->is_stream_closed) {
            (void)nghttp2_session_consume_stream(conn->h2->session, exchange->stream_id,
                                                 piece.iov_len);
        }
    }
    request_flush(conn);
    if (!exchange->is_paused && exchange->is_response_ended) {
        gw_exchange_end(exchange);
    }
}

/* Why a stream ended without its response being complete. */
static void fail_closed_stream(struct gw_upconn *conn, struct gw_exchange *exchange, uint32_t code)
{
    char detail[DETAIL_BYTES];
    const struct gw_uph2 *h2 = conn->h2;
    bool is_broken = code == NGHTTP2_PROTOCOL_ERROR && h2->detail[0] != '\0';
    int len = is_broken ? snprintf(detail, sizeof(detail), "%s", h2->detail)
                        : snprintf(detail, sizeof(detail), "the stream was reset: %s",
                                   nghttp2_http2_strerror(code));
    const struct gw_cause cause = {
        .err = code == NGHTTP2_REFUSED_STREAM   ? GW_ERR_REFUSED
               : code == NGHTTP2_PROTOCOL_ERROR ? GW_ERR_PROTOCOL
                                                : GW_ERR_RESET,
        .is_unprocessed = code == NGHTTP2_REFUSED_STREAM,
        .detail = gw_str(detail, (size_t)len < sizeof(detail) ? (size_t)len : sizeof(detail) - 1),
    };
    fail(exchange, &cause);
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t code, void *user)
{
    (void)session;
    struct gw_upconn *conn = user;
    struct gw_exchange *exchange = exchange_of(conn, stream_id);
    conn->h2->stream_count--;
    if (exchange == NULL) {
        gw_uph2_update(conn);
    } else if (exchange->is_response_ended) {
        exchange->is_stream_closed = true; /* it still has bytes to deliver */
    } else {
        fail_closed_stream(conn, exchange, code);
    }
    return after_user(conn);
}

/* ---- sending: nghttp2's callbacks ---- */

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)session;
    if ((frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
        struct gw_exchange *exchange = exchange_of(user, frame->hd.stream_id);
        if (exchange != NULL) {
            gw_exchange_on_sent(exchange);
        }
    }
    return 0;
}

/* A request that never left: GOAWAY was faster. Its stream closes behind this. */
static int on_frame_not_send(nghttp2_session *session, const nghttp2_frame *frame, int lib_error,
                             void *user)
{
    struct gw_exchange *exchange = NULL;
    if (frame->hd.type == NGHTTP2_HEADERS) {
        exchange = exchange_of(user, frame->hd.stream_id);
    }
    if (exchange != NULL) {
        (void)nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, NULL);
        const struct gw_cause cause = {
            .err = GW_ERR_REFUSED,
            .is_unprocessed = true,
            .detail = gw_str_from_c(nghttp2_strerror(lib_error)),
        };
        fail(exchange, &cause);
    }
    return after_user(user);
}

static int on_error(nghttp2_session *session, int lib_error, const char *text, size_t len,
                    void *user)
{
    (void)session;
    (void)lib_error;
    struct gw_upconn *conn = user;
    (void)snprintf(conn->h2->detail, sizeof(conn->h2->detail), "%.*s", (int)len, text);
    return 0;
}

/* ---- session ---- */

static void *mem_alloc(size_t size, void *user)
{
    (void)user;
    return gw_try_alloc(size);
}

static void *mem_calloc(size_t count, size_t size, void *user)
{
    (void)user;
    size_t total = 0;
    if (__builtin_mul_overflow(count, size, &total)) {
        return NULL;
    }
    void *block = gw_try_alloc(total);
    return block == NULL ? NULL : memset(block, 0, total);
}

static void *mem_realloc(void *block, size_t size, void *user)
{
    (void)user;
    return gw_try_realloc(block, size);
}

static void mem_free(void *block, void *user)
{
    (void)user;
    gw_free(block);
}

static enum gw_err create_session(struct gw_upconn *conn)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    int failed = nghttp2_session_callbacks_new(&callbacks);
    failed |= nghttp2_option_new(&option);
    if (failed == 0) {
        nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
        nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
        nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_frame_not_send);
        nghttp2_session_callbacks_set_error_callback2(callbacks, on_error);
        nghttp2_option_set_no_auto_window_update(option, 1);
        nghttp2_mem mem = {NULL, mem_alloc, mem_free, mem_calloc, mem_realloc};
        failed = nghttp2_session_client_new3(&conn->h2->session, callbacks, conn, option, &mem);
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return failed == 0 ? GW_OK : GW_ERR_NOMEM;
}

enum gw_err gw_uph2_init(struct gw_upconn *conn)
{
    struct gw_upstream *upstream = conn->pool->upstream;
    struct gw_uph2 *h2 = gw_try_alloc(sizeof(*h2));
    if (h2 == NULL) {
        return GW_ERR_NOMEM;
    }
    *h2 = (struct gw_uph2){
        .heard_at_ms = gw_loop_now_ms(upstream->loop),
        .max_streams = GW_H2_MAX_STREAMS,
    };
    gw_chunkq_init(&h2->out, gw_loop_chunks(upstream->loop));
    gw_uph2_head_init(&h2->head);
    conn->h2 = h2;
    enum gw_err err = create_session(conn);
    if (err != GW_OK) {
        return err;
    }
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW_BYTES},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, GW_UPSTREAM_MAX_HEADER_BYTES},
    };
    if (nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings, GW_ARRAY_LEN(settings)) !=
            0 ||
        nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0,
                                              CONN_WINDOW_BYTES) != 0) {
        return GW_ERR_NOMEM;
    }
    gw_timer_set_at(&conn->timer, h2->heard_at_ms + upstream->ping_timeout_ms);
    return GW_OK;
}

void gw_uph2_destroy(struct gw_uph2 **h2)
{
    struct gw_uph2 *old = *h2;
    if (old == NULL) {
        return;
    }
    nghttp2_session_del(old->session);
    gw_chunkq_clear(&old->out);
    gw_uph2_head_fini(&old->head);
    gw_free(old);
    *h2 = NULL;
}

/* ---- events of stream and timer ---- */

void gw_uph2_on_read(struct gw_upconn *conn, struct gw_str bytes)
{
    struct gw_uph2 *h2 = conn->h2;
    h2->heard_at_ms = gw_loop_now_ms(conn->pool->upstream->loop);
    if (h2->asked_at_ms != 0) {
        h2->asked_at_ms = 0;
        arm_timer(conn);
    }
    h2->is_receiving = true;
    ssize_t rv = nghttp2_session_mem_recv(h2->session, (const uint8_t *)bytes.ptr, bytes.len);
    h2->is_receiving = false;
    if (conn->state == GW_UPCONN_CLOSED) {
        return;
    }
    if (rv < 0) {
        const char *detail = h2->detail[0] != '\0' ? h2->detail : nghttp2_strerror((int)rv);
        gw_upconn_fail(conn, rv == NGHTTP2_ERR_NOMEM ? GW_ERR_NOMEM : GW_ERR_PROTOCOL,
                       gw_str_from_c(detail), 0);
        return;
    }
    gw_uph2_flush(conn);
}

void gw_uph2_on_end(struct gw_upconn *conn, enum gw_err err, struct gw_str detail)
{
    gw_upconn_fail(conn, err, detail, 0);
}

void gw_uph2_on_timer(struct gw_upconn *conn)
{
    struct gw_uph2 *h2 = conn->h2;
    const struct gw_upstream *upstream = conn->pool->upstream;
    uint64_t now_ms = gw_loop_now_ms(upstream->loop);
    if (!h2->has_settings) {
        gw_upconn_fail(conn, GW_ERR_TIMEOUT, GW_STR("no HTTP/2 SETTINGS came"),
                       upstream->ping_timeout_ms);
        return;
    }
    if (h2->asked_at_ms != 0 && now_ms >= h2->asked_at_ms + upstream->ping_timeout_ms) {
        gw_upconn_fail(conn, GW_ERR_TIMEOUT, GW_STR("a PING was not answered"),
                       upstream->ping_timeout_ms);
        return;
    }
    if (h2->asked_at_ms == 0 && now_ms >= h2->heard_at_ms + upstream->ping_after_ms) {
        (void)nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, NULL);
        h2->asked_at_ms = now_ms;
        request_flush(conn);
    }
    arm_timer(conn);
}
