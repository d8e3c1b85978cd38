/* SPDX-License-Identifier: MIT */
/*
 * HTTP/2:  bytes -> nghttp2 -> stream.exchange.request -> (END_STREAM) -> exchange
 *          exchange -> stream.out -> nghttp2, as its windows allow -> conn.out
 */
#include "mockllm/h2.h"

#include <nghttp2/nghttp2.h>

#include <string.h>

#include "mockllm/conn.h"
#include "mockllm/exchange.h"
#include "mockllm/faults.h"
#include "mockllm/stats.h"
#include "mockllm/worker.h"

/* Receive windows: large, so that uploads do not wait for the mock. */
#define STREAM_WINDOW     (1 << 20)
#define CONNECTION_WINDOW (16 << 20)

/* Header pairs of an answer, including the filler. */
#define MAX_NV (MOCK_MAX_HEADERS + 4)

struct h2 {
    struct mock_conn *conn;
    nghttp2_session *session;
    struct stream *streams; /* all that live */
    bool flushing;
};

struct stream {
    struct h2 *h2;
    struct stream *next, *prev;
    int32_t id;
    struct mock_exchange exchange;
    struct bench_buf out;        /* body bytes nghttp2 has not taken */
    struct bench_deferred later; /* goes on after being full, or frees the closed stream */
    bool was_full;
    bool ended;    /* nothing follows what is in out */
    bool deferred; /* nghttp2 waits for nghttp2_session_resume_data() */
    bool closed;
};

static struct stream *of_exchange(struct mock_exchange *exchange)
{
    return BENCH_CONTAINER_OF(exchange, struct stream, exchange);
}

/* ---- sending ---- */

/* Takes frames from nghttp2 until out is full. Returns whether there were any. */
static bool fill_out(struct h2 *h2)
{
    bool any = false;
    while (!mock_conn_is_closed(h2->conn) && !mock_conn_is_full(h2->conn)) {
        const uint8_t *bytes = NULL;
        ssize_t n = nghttp2_session_mem_send(h2->session, &bytes);
        if (n <= 0) {
            break;
        }
        bench_buf_add(&h2->conn->out, bytes, (size_t)n);
        any = true;
    }
    return any;
}

static void flush(struct h2 *h2)
{
    if (h2->flushing) {
        return; /* the outer call takes what was added */
    }
    h2->flushing = true;
    do {
        fill_out(h2);
        mock_conn_flush(h2->conn);
    } while (!mock_conn_is_closed(h2->conn) && h2->conn->out.len == 0 &&
             nghttp2_session_want_write(h2->session) && fill_out(h2));
    h2->flushing = false;
    if (!mock_conn_is_closed(h2->conn) && !nghttp2_session_want_read(h2->session) &&
        !nghttp2_session_want_write(h2->session)) {
        mock_conn_close_when_sent(h2->conn);
    }
}

static ssize_t take_body(nghttp2_session *session, int32_t id, uint8_t *to, size_t cap,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    (void)session;
    (void)id;
    (void)user;
    struct stream *stream = source->ptr;
    size_t n = stream->out.len < cap ? stream->out.len : cap;
    if (n == 0 && !stream->ended) {
        stream->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    memcpy(to, bench_buf_view(&stream->out).ptr, n);
    bench_buf_drop(&stream->out, n);
    if (stream->was_full && stream->out.len < MOCK_OUT_HIGH / 2) {
        stream->was_full = false;
        bench_loop_defer(&stream->h2->conn->worker->loop, &stream->later);
    }
    if (stream->ended && stream->out.len == 0) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return (ssize_t)n;
}

static void wake(struct stream *stream)
{
    if (stream->deferred && !stream->closed) {
        stream->deferred = false;
        (void)nghttp2_session_resume_data(stream->h2->session, stream->id);
    }
}

static nghttp2_nv make_nv(struct bench_str name, struct bench_str value)
{
    union {
        const char *in;
        uint8_t *out;
    } n = {.in = name.ptr}, v = {.in = value.ptr}; /* nghttp2 copies, its type is not const */
    return (nghttp2_nv){
        .name = n.out, .value = v.out, .namelen = name.len, .valuelen = value.len, .flags = 0};
}

static void sink_interim(struct mock_exchange *exchange, unsigned status)
{
    struct stream *stream = of_exchange(exchange);
    nghttp2_nv nv =
        make_nv(BENCH_STR(":status"), status == 103 ? BENCH_STR("103") : BENCH_STR("100"));
    (void)nghttp2_submit_headers(stream->h2->session, NGHTTP2_FLAG_NONE, stream->id, NULL, &nv, 1,
                                 NULL);
}

static void sink_head(struct mock_exchange *exchange, const struct mock_head *head)
{
    struct stream *stream = of_exchange(exchange);
    const struct mock_headers *headers = &exchange->answer.headers;
    nghttp2_nv nv[MAX_NV];
    size_t count = 0;
    struct bench_buf digits = {0};
    bench_buf_u64(&digits, exchange->answer.status);
    bench_buf_u64(&digits, head->length);
    struct bench_str numbers = bench_buf_view(&digits);
    nv[count++] = make_nv(BENCH_STR(":status"), bench_str_cut(numbers, 0, 3));
    for (size_t i = 0; i < headers->count; i++) {
        nv[count++] = make_nv(mock_headers_name(headers, i), mock_headers_value(headers, i));
    }
    if (head->framing == MOCK_FRAMING_LENGTH || head->framing == MOCK_FRAMING_BOTH) {
        nv[count++] = make_nv(BENCH_STR("content-length"), bench_str_cut(numbers, 3, numbers.len));
    }
    if (strcmp(exchange->request.method, "HEAD") == 0) {
        stream->ended = true;
    }
    nghttp2_data_provider provider = {.source.ptr = stream, .read_callback = take_body};
    (void)nghttp2_submit_response(stream->h2->session, stream->id, nv, count, &provider);
    bench_buf_fini(&digits);
    mock_conn_trickle(stream->h2->conn, exchange->knobs.trickle);
}

static void sink_body(struct mock_exchange *exchange, struct bench_str bytes)
{
    struct stream *stream = of_exchange(exchange);
    if (stream->ended) {
        return;
    }
    bench_buf_str(&stream->out, bytes);
    wake(stream);
}

static void sink_torn(struct mock_exchange *exchange, struct bench_str bytes, uint64_t announced)
{
    (void)announced; /* HTTP/2 announces no chunks: half an event is all there is */
    sink_body(exchange, bytes);
}

static void sink_raw(struct mock_exchange *exchange, struct bench_str bytes)
{
    struct stream *stream = of_exchange(exchange);
    flush(stream->h2);
    bench_buf_str(&stream->h2->conn->out, bytes);
}

static void sink_flush(struct mock_exchange *exchange)
{
    flush(of_exchange(exchange)->h2);
}

static void sink_end(struct mock_exchange *exchange)
{
    struct stream *stream = of_exchange(exchange);
    stream->ended = true;
    wake(stream);
    if (exchange->knobs.close > 0) {
        (void)nghttp2_submit_goaway(stream->h2->session, NGHTTP2_FLAG_NONE, stream->id,
                                    NGHTTP2_NO_ERROR, NULL, 0);
    }
    if (exchange->knobs.stale > 0) {
        mock_conn_close_later(stream->h2->conn, exchange->knobs.stale * 1000u);
    }
    flush(stream->h2);
}

static void sink_abort(struct mock_exchange *exchange, bool reset)
{
    struct stream *stream = of_exchange(exchange);
    if (!reset) {
        mock_conn_close(stream->h2->conn, false);
        return;
    }
    (void)nghttp2_submit_rst_stream(stream->h2->session, NGHTTP2_FLAG_NONE, stream->id,
                                    NGHTTP2_INTERNAL_ERROR);
    flush(stream->h2);
}

static bool sink_is_full(struct mock_exchange *exchange)
{
    struct stream *stream = of_exchange(exchange);
    stream->was_full = stream->out.len >= MOCK_OUT_HIGH;
    return stream->was_full;
}

/* ---- receiving ---- */

static void on_later(struct bench_deferred *deferred)
{
    struct stream *stream = BENCH_CONTAINER_OF(deferred, struct stream, later);
    if (!stream->closed) {
        mock_exchange_resume(&stream->exchange);
        return;
    }
    mock_exchange_fini(&stream->exchange);
    bench_buf_fini(&stream->out);
    bench_free(stream);
}

static void end_stream(struct stream *stream, bool aborted)
{
    stream->closed = true;
    if (aborted && stream->exchange.stage == MOCK_STAGE_IDLE && stream->out.len > 0) {
        mock_stats_abort(stream->h2->conn->worker->stats, &stream->exchange);
    }
    mock_exchange_gone(&stream->exchange);
    if (stream->prev != NULL) {
        stream->prev->next = stream->next;
    } else {
        stream->h2->streams = stream->next;
    }
    if (stream->next != NULL) {
        stream->next->prev = stream->prev;
    }
    bench_loop_defer(&stream->h2->conn->worker->loop, &stream->later);
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    static const struct mock_sink sink = {
        .interim = sink_interim,
        .head = sink_head,
        .body = sink_body,
        .raw = sink_raw,
        .torn = sink_torn,
        .flush = sink_flush,
        .end = sink_end,
        .abort = sink_abort,
        .is_full = sink_is_full,
    };
    struct h2 *h2 = user;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0;
    }
    struct stream *stream = bench_alloc(sizeof(*stream));
    stream->h2 = h2;
    stream->id = frame->hd.stream_id;
    stream->later.run = on_later;
    stream->next = h2->streams;
    if (h2->streams != NULL) {
        h2->streams->prev = stream;
    }
    h2->streams = stream;
    mock_exchange_init(&stream->exchange, h2->conn->worker, &sink);
    stream->exchange.request.version = 20;
    nghttp2_session_set_stream_user_data(session, stream->id, stream);
    return 0;
}

static void take_pseudo(struct stream *stream, struct bench_str name, struct bench_str value)
{
    struct mock_request *request = &stream->exchange.request;
    if (bench_str_eq(name, BENCH_STR(":method"))) {
        size_t n =
            value.len < sizeof(request->method) - 1 ? value.len : sizeof(request->method) - 1;
        memcpy(request->method, value.ptr, n);
        request->method[n] = '\0';
    } else if (bench_str_eq(name, BENCH_STR(":path"))) {
        bench_buf_str(&request->target, value);
        request->path_len = bench_str_find(value, '?');
    }
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    (void)flags;
    (void)user;
    struct stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    struct bench_str n = {.ptr = (const char *)name, .len = name_len};
    struct bench_str v = {.ptr = (const char *)value, .len = value_len};
    if (stream == NULL || frame->hd.type != NGHTTP2_HEADERS) {
        return 0;
    }
    if (n.len > 0 && n.ptr[0] == ':') {
        take_pseudo(stream, n, v);
    }
    return mock_headers_add(&stream->exchange.request.headers, n, v)
               ? 0
               : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                   size_t len, void *user)
{
    (void)flags;
    struct h2 *h2 = user;
    struct stream *stream = nghttp2_session_get_stream_user_data(session, id);
    if (stream == NULL) {
        return 0;
    }
    struct bench_buf *body = &stream->exchange.request.body;
    if (body->len + len > h2->conn->worker->config->max_body_bytes) {
        (void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_ENHANCE_YOUR_CALM);
        return 0;
    }
    bench_buf_add(body, bytes, len);
    if (mock_exchange_early_knobs(&stream->exchange).fault == MOCK_FAULT_NO_READ) {
        mock_conn_pause_read(h2->conn, true);
    }
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)user;
    bool carries_request = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    struct stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (stream != NULL && carries_request && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
        mock_exchange_begin(&stream->exchange);
    }
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *user)
{
    (void)user;
    struct stream *stream = nghttp2_session_get_stream_user_data(session, id);
    if (stream != NULL) {
        end_stream(stream, error != NGHTTP2_NO_ERROR);
    }
    return 0;
}

static void on_bytes(struct mock_conn *conn, struct bench_str bytes)
{
    struct h2 *h2 = conn->session;
    h2->flushing = true; /* answers made while parsing go out together below */
    ssize_t n = nghttp2_session_mem_recv(h2->session, (const uint8_t *)bytes.ptr, bytes.len);
    h2->flushing = false;
    if (n < 0) {
        (void)nghttp2_session_terminate_session(h2->session, NGHTTP2_PROTOCOL_ERROR);
    }
    flush(h2);
}

static void on_drained(struct mock_conn *conn)
{
    struct h2 *h2 = conn->session;
    if (!h2->flushing && nghttp2_session_want_write(h2->session)) {
        flush(h2);
    }
}

static void on_closed(struct mock_conn *conn, bool by_peer)
{
    struct h2 *h2 = conn->session;
    while (h2->streams != NULL) {
        struct stream *stream = h2->streams;
        nghttp2_session_set_stream_user_data(h2->session, stream->id, NULL);
        end_stream(stream, by_peer);
    }
}

static void on_release(struct mock_conn *conn)
{
    struct h2 *h2 = conn->session;
    nghttp2_session_del(h2->session);
    bench_free(h2);
}

static nghttp2_session *make_session(struct h2 *h2)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_session *session = NULL;
    if (nghttp2_session_callbacks_new(&callbacks) != 0) {
        return NULL;
    }
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    if (nghttp2_session_server_new(&session, callbacks, h2) != 0) {
        session = NULL;
    }
    nghttp2_session_callbacks_del(callbacks);
    return session;
}

void mock_h2_start(struct mock_conn *conn)
{
    static const struct mock_proto proto = {
        .name = "h2",
        .on_bytes = on_bytes,
        .on_drained = on_drained,
        .on_closed = on_closed,
        .on_release = on_release,
    };
    struct h2 *h2 = bench_alloc(sizeof(*h2));
    h2->conn = conn;
    h2->session = make_session(h2);
    if (h2->session == NULL) {
        bench_free(h2);
        mock_conn_close(conn, true);
        return;
    }
    conn->session = h2;
    conn->proto = &proto;
    nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, conn->worker->config->h2_max_streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
    };
    (void)nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings, 2);
    (void)nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0,
                                                CONNECTION_WINDOW);
}
