/* SPDX-License-Identifier: MIT */
/*
 * upstream/conn_h1 - one exchange at a time over an HTTP/1 connection.
 *
 * Head and body leave with one system call straight from where they are; what comes back goes from
 * the loop's read buffer through the parser to the user. The connection may serve another exchange
 * only when the request is sent completely, the response is parsed to its end, and not one byte
 * came behind it.
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "upstream/upstream_int.h"

/* Head and spliced body are up to six pieces; a queue of 256 KiB is 32 chunks: two calls. */
#define MAX_IOV 16

static struct gw_exchange *exchange_of(const struct gw_upconn *conn)
{
    struct gw_exchange *exchange = GW_LIST_FIRST(&conn->exchanges, struct gw_exchange, node);
    GW_ASSERT(exchange != NULL);
    return exchange;
}

/* ---- the parser's events ---- */

/* The user may have cancelled in his callback: the connection is closed then. */
static enum gw_err after_user(const struct gw_upconn *conn)
{
    return conn->state == GW_UPCONN_CLOSED ? GW_ERR_CANCELLED : GW_OK;
}

static enum gw_err on_response(void *user, const struct gw_response_head *head)
{
    struct gw_upconn *conn = user;
    conn->may_stay = head->keep_alive;
    gw_exchange_deliver_head(exchange_of(conn), head);
    gw_h1_parser_release_head(conn->parser);
    return after_user(conn);
}

static enum gw_err on_body(void *user, struct gw_str bytes)
{
    struct gw_upconn *conn = user;
    const struct gw_exchange *exchange = exchange_of(conn);
    exchange->events->on_body(exchange->user, bytes);
    return after_user(conn);
}

static enum gw_err on_complete(void *user)
{
    struct gw_upconn *conn = user;
    conn->is_complete = true;
    return GW_OK;
}

static const struct gw_h1_events parser_events = {
    .on_response = on_response,
    .on_body = on_body,
    .on_complete = on_complete,
};

void gw_uph1_init(struct gw_upconn *conn)
{
    const struct gw_h1_opts opts = {
        .kind = GW_H1_RESPONSES,
        .max_header_bytes = GW_UPSTREAM_MAX_HEADER_BYTES,
        .events = &parser_events,
        .user = conn,
    };
    conn->parser = gw_h1_parser_create(&opts);
}

/* ---- sending ---- */

static int gather(const struct gw_exchange *exchange, struct iovec iov[MAX_IOV])
{
    int count = 0;
    if (exchange->head != NULL) {
        iov[count++] = (struct iovec){
            .iov_base = exchange->head + exchange->head_sent,
            .iov_len = exchange->head_len - exchange->head_sent,
        };
    }
    if (exchange->is_streamed) {
        return count + gw_chunkq_peek(&exchange->queue, iov + count, MAX_IOV - count);
    }
    size_t skip = exchange->run_sent;
    for (uint32_t i = exchange->run_index; i < exchange->run_count && count < MAX_IOV; i++) {
        struct gw_str run = gw_str_skip(exchange->runs[i], skip);
        skip = 0;
        if (run.len > 0) {
            iov[count++] = (struct iovec){
                .iov_base = (void *)(uintptr_t)run.ptr, /* writev only reads */
                .iov_len = run.len,
            };
        }
    }
    return count;
}

/* Notes that |sent| more bytes of head and body have left. */
static void advance(struct gw_exchange *exchange, size_t sent)
{
    if (exchange->head != NULL) {
        size_t left = exchange->head_len - exchange->head_sent;
        size_t part = sent < left ? sent : left;
        exchange->head_sent += (uint32_t)part;
        sent -= part;
        if (exchange->head_sent == exchange->head_len) {
            gw_exchange_drop_head(exchange);
        }
    }
    if (exchange->is_streamed) {
        gw_chunkq_consume(&exchange->queue, sent);
        return;
    }
    while (exchange->run_index < exchange->run_count) {
        size_t left = exchange->runs[exchange->run_index].len - exchange->run_sent;
        if (sent < left) {
            exchange->run_sent += sent;
            return;
        }
        sent -= left;
        exchange->run_index++;
        exchange->run_sent = 0;
    }
}

static bool is_request_complete(const struct gw_exchange *exchange)
{
    if (exchange->head != NULL) {
        return false;
    }
    if (exchange->is_streamed) {
        return exchange->is_body_ended && gw_chunkq_len(&exchange->queue) == 0;
    }
    return exchange->run_index == exchange->run_count;
}

/*
 * A plain connection may still hold a response that explains why the peer stopped reading, so its
 * end is waited for. A TLS session is of no use after a failed write.
 */
static void on_write_failed(struct gw_upconn *conn, enum gw_err err)
{
    conn->write_failed = true;
    if (gw_stream_is_tls(conn->stream)) {
        gw_upconn_fail_late(conn, err);
    }
}

static enum gw_err write_pieces(struct gw_upconn *conn, const struct iovec *iov, int count,
                                size_t *sent)
{
    enum gw_err err = gw_stream_writev(conn->stream, iov, count, sent);
    gw_upstream_count(&conn->pool->upstream->counters.sent_bytes_total, *sent);
    if (err != GW_OK && err != GW_ERR_AGAIN) {
        on_write_failed(conn, err);
    }
    return err;
}

static void send_waiting(struct gw_upconn *conn, struct gw_exchange *exchange)
{
    if (conn->write_failed || exchange->is_sent) {
        return;
    }
    struct iovec iov[MAX_IOV];
    int count = 0;
    while ((count = gather(exchange, iov)) > 0) {
        size_t sent = 0;
        enum gw_err err = write_pieces(conn, iov, count, &sent);
        advance(exchange, sent);
        if (err != GW_OK) {
            if (sent > 0) {
                gw_exchange_touch(exchange);
            }
            return;
        }
    }
    if (is_request_complete(exchange)) {
        gw_exchange_on_sent(exchange);
    }
}

/* Appends |bytes| as one chunk. */
static enum gw_err queue_chunk(struct gw_chunkq *queue, struct gw_str bytes)
{
    char head[GW_H1_CHUNK_HEAD_BYTES];
    size_t head_len = gw_h1_format_chunk_head(bytes.len, head);
    enum gw_err err = gw_chunkq_append(queue, gw_str(head, head_len));
    if (err == GW_OK) {
        err = gw_chunkq_append(queue, bytes);
    }
    if (err == GW_OK) {
        err = gw_chunkq_append(queue, GW_STR("\r\n"));
    }
    return err;
}

/* The body's bytes that were written before the protocol was known get their framing. */
static enum gw_err frame_early_bytes(struct gw_exchange *exchange)
{
    struct gw_chunkq raw = exchange->queue;
    gw_chunkq_init(&exchange->queue, raw.pool);
    enum gw_err err = GW_OK;
    while (err == GW_OK && gw_chunkq_len(&raw) > 0) {
        struct iovec piece;
        (void)gw_chunkq_peek(&raw, &piece, 1);
        err = queue_chunk(&exchange->queue, gw_str(piece.iov_base, piece.iov_len));
        gw_chunkq_consume(&raw, piece.iov_len);
    }
    if (err == GW_OK && exchange->is_body_ended) {
        err = gw_chunkq_append(&exchange->queue, GW_STR("0\r\n\r\n"));
    }
    gw_chunkq_clear(&raw);
    return err;
}

void gw_uph1_begin(struct gw_upconn *conn, struct gw_exchange *exchange)
{
    conn->is_complete = false;
    conn->may_stay = false;
    if (exchange->is_bodyless) {
        gw_h1_parser_expect_no_body(conn->parser);
    }
    if (exchange->is_paused) {
        gw_stream_set_reading(conn->stream, false);
    }
    if (exchange->is_chunked && frame_early_bytes(exchange) != GW_OK) {
        gw_upconn_fail_late(conn, GW_ERR_NOMEM);
        return;
    }
    send_waiting(conn, exchange);
    if (!exchange->is_sent) {
        gw_exchange_set_state(exchange, GW_EXCHANGE_SENDING);
    }
}

/* Queues what of |iov| did not leave with the first |sent| bytes. */
static enum gw_err queue_rest(struct gw_exchange *exchange, const struct iovec *iov, int count,
                              size_t sent)
{
    enum gw_err err = GW_OK;
    for (int i = 0; i < count && err == GW_OK; i++) {
        struct gw_str piece = gw_str(iov[i].iov_base, iov[i].iov_len);
        size_t part = sent < piece.len ? sent : piece.len;
        sent -= part;
        err = gw_chunkq_append(&exchange->queue, gw_str_skip(piece, part));
    }
    return err;
}

/* Bytes leave at once when none wait before them. */
static enum gw_err write_or_queue(struct gw_upconn *conn, struct gw_exchange *exchange,
                                  const struct iovec *iov, int count)
{
    size_t sent = 0;
    if (conn->write_failed) {
        return GW_OK; /* nobody takes them; the connection's end tells */
    }
    if (exchange->head == NULL && gw_chunkq_len(&exchange->queue) == 0) {
        enum gw_err err = write_pieces(conn, iov, count, &sent);
        if (err != GW_ERR_AGAIN) {
            return GW_OK;
        }
    }
    return queue_rest(exchange, iov, count, sent);
}

enum gw_err gw_uph1_write(struct gw_upconn *conn, struct gw_exchange *exchange, struct gw_str bytes)
{
    char head[GW_H1_CHUNK_HEAD_BYTES];
    char tail[] = "\r\n";
    struct iovec iov[3] = {
        {.iov_base = head, .iov_len = 0},
        {.iov_base = (void *)(uintptr_t)bytes.ptr, .iov_len = bytes.len},
        {.iov_base = tail, .iov_len = 0},
    };
    if (exchange->is_chunked) {
        iov[0].iov_len = gw_h1_format_chunk_head(bytes.len, head);
        iov[2].iov_len = 2;
    }
    return write_or_queue(conn, exchange, iov, GW_ARRAY_LEN(iov));
}

enum gw_err gw_uph1_end_body(struct gw_upconn *conn, struct gw_exchange *exchange)
{
    if (exchange->is_chunked) {
        char last[] = "0\r\n\r\n";
        struct iovec iov = {.iov_base = last, .iov_len = sizeof(last) - 1};
        enum gw_err err = write_or_queue(conn, exchange, &iov, 1);
        if (err != GW_OK) {
            return err;
        }
    }
    if (!conn->write_failed && is_request_complete(exchange)) {
        gw_exchange_on_sent(exchange);
    }
    return GW_OK;
}

void gw_uph1_on_writable(struct gw_upconn *conn)
{
    struct gw_exchange *exchange = exchange_of(conn);
    send_waiting(conn, exchange);
    gw_exchange_tell_writable(exchange);
}

/* ---- receiving ---- */

bool gw_uph1_reset(struct gw_upconn *conn, const struct gw_exchange *exchange)
{
    if (!conn->is_complete || !conn->may_stay || !exchange->is_sent || conn->write_failed) {
        return false;
    }
    gw_h1_parser_next(conn->parser);
    gw_stream_set_reading(conn->stream, true);
    return true;
}

void gw_uph1_on_read(struct gw_upconn *conn, struct gw_str bytes)
{
    struct gw_exchange *exchange = exchange_of(conn);
    gw_exchange_on_bytes(exchange);
    size_t used = 0;
    enum gw_err err = gw_h1_parser_feed(conn->parser, bytes, &used);
    if (conn->state == GW_UPCONN_CLOSED) {
        return;
    }
    if (err != GW_OK) {
        gw_upconn_fail(conn, err, gw_str_from_c(gw_h1_parser_failure(conn->parser).what), 0);
    } else if (conn->is_complete) {
        conn->may_stay = conn->may_stay && used == bytes.len;
        gw_exchange_end(exchange);
    } else {
        gw_exchange_touch(exchange);
    }
}

void gw_uph1_on_end(struct gw_upconn *conn, enum gw_err err, struct gw_str detail)
{
    if (err == GW_ERR_EOF && gw_h1_parser_finish(conn->parser) == GW_OK && conn->is_complete) {
        conn->may_stay = false;
        gw_exchange_end(exchange_of(conn));
        return;
    }
    gw_upconn_fail(conn, err, detail, 0);
}
