/* SPDX-License-Identifier: MIT */
/*
 * downstream/conn_h1 - HTTP/1: from bytes to pairs, and from one request to the next.
 *
 *   receive -> parser -> on_request -> handler            state HEAD, then SERVING
 *                     -> on_body, on_complete -> handler
 *   end() ------------------------------------------->    state REST
 *   settle: flush, deliver, then REST -> IDLE -> the next request that waits in |unread|
 */
#include "downstream/conn_h1_int.h"

#include "base/alloc.h"
#include "base/assert.h"

/* ---- the parser's events ---- */

/* What the parser is told after a handler ran: go on, or stop because the connection closes. */
static enum gw_err go_on(const struct gw_h1_conn *h1)
{
    return h1->conn->state < GW_CONN_CLOSING ? GW_OK : GW_ERR_CANCELLED;
}

static bool has_other_expectation(const struct gw_request_head *head)
{
    struct gw_str value = gw_headers_get(head->headers, head->header_count, GW_HEADER_EXPECT);
    return value.ptr != NULL && head->version != GW_HTTP_1_0 &&
           !gw_str_eq_nocase(value, GW_STR("100-continue"));
}

static enum gw_err on_request(void *user, const struct gw_request_head *head)
{
    struct gw_h1_conn *h1 = user;
    struct gw_server *server = h1->conn->server;
    gw_conn_set_state(h1->conn, GW_CONN_SERVING);
    h1->conn->has_served = true;
    h1->pair.head = head;
    h1->pair.events = NULL;
    if (has_other_expectation(head)) {
        gw_h1_answer_error(h1, 417, "The only expectation supported is 100-continue.");
        return GW_ERR_CANCELLED;
    }
    h1->pair_open = true;
    h1->body_progress_ms = gw_conn_now_ms(h1->conn);
    server->opts.on_request(server->opts.user, &h1->pair);
    GW_ASSERT(!h1->pair_open || h1->pair.events != NULL);
    return go_on(h1);
}

static enum gw_err on_body(void *user, struct gw_str bytes)
{
    return gw_h1_take_body(user, bytes);
}

static enum gw_err on_complete(void *user)
{
    struct gw_h1_conn *h1 = user;
    h1->request_complete = true;
    gw_h1_deliver(h1);
    return go_on(h1);
}

static const struct gw_h1_events parser_events = {
    .on_request = on_request,
    .on_body = on_body,
    .on_complete = on_complete,
};

/* ---- from one request to the next ---- */

/* Ready for the next head. */
static void next_request(struct gw_h1_conn *h1)
{
    gw_h1_parser_next(h1->parser);
    gw_chunkq_clear(&h1->body);
    h1->pair.head = NULL;
    h1->written_bytes = 0;
    h1->body_bytes = 0;
    h1->is_reading = false;
    h1->request_complete = false;
    h1->end_told = false;
    h1->begun = false;
    h1->continue_sent = false;
    h1->was_full = false;
    gw_conn_set_state(h1->conn, GW_CONN_IDLE);
}

/* The answer is complete: goes on to the next request or closes, as soon as the request allows. */
static void leave_rest(struct gw_h1_conn *h1)
{
    struct gw_conn *conn = h1->conn;
    if (conn->state != GW_CONN_REST) {
        return;
    }
    if (h1->body_bytes - h1->rest_from_bytes > GW_CONN_REST_BYTES) {
        h1->keep_alive = false;
    }
    if (!h1->keep_alive) {
        /* A client that said "close" itself sends nothing more; any other may be about to. */
        bool is_silent =
            h1->request_complete && !h1->pair.head->keep_alive && gw_chunkq_len(&h1->unread) == 0;
        gw_conn_close(conn, is_silent ? GW_CONN_END_CLOSE : GW_CONN_END_LINGER);
    } else if (h1->request_complete) {
        next_request(h1);
    }
}

/* May more bytes be parsed now? */
static bool can_parse(const struct gw_h1_conn *h1)
{
    switch (h1->conn->state) {
    case GW_CONN_IDLE:
        /* Answers to pipelined requests that the client does not read must not pile up. */
        return gw_chunkq_len(&h1->conn->out) < GW_DOWNSTREAM_LOW_WATER;
    case GW_CONN_HEAD:
        return true;
    case GW_CONN_SERVING:
        return !h1->request_complete && h1->is_reading;
    case GW_CONN_REST:
        return !h1->request_complete;
    case GW_CONN_OPENING:
    case GW_CONN_DETECT:
    case GW_CONN_CLOSING:
    case GW_CONN_LINGER:
    case GW_CONN_CLOSED:
        break;
    }
    return false;
}

static void fail(struct gw_h1_conn *h1, enum gw_err err)
{
    if (err == GW_ERR_CANCELLED) {
        return; /* our own wish: the connection is closing already */
    }
    if (err == GW_ERR_NOMEM) {
        gw_conn_cut(h1->conn, err);
        return;
    }
    gw_counter_add(&h1->conn->server->counters.protocol_errors_total, 1);
    struct gw_h1_failure failure = gw_h1_parser_failure(h1->parser);
    gw_h1_give_up(h1, failure.status, failure.what, GW_ERR_PROTOCOL);
}

/* Parses as far as it may; returns what is left. */
static struct gw_str consume(struct gw_h1_conn *h1, struct gw_str bytes)
{
    struct gw_conn *conn = h1->conn;
    while (bytes.len > 0 && can_parse(h1)) {
        if (conn->state == GW_CONN_IDLE) {
            gw_conn_set_state(conn, GW_CONN_HEAD);
            h1->pair.begun_at_ns = gw_clock_mono_ns();
        }
        size_t used = 0;
        enum gw_err err = gw_h1_parser_feed(h1->parser, bytes, &used);
        bytes = gw_str_skip(bytes, used);
        if (err != GW_OK) {
            fail(h1, err);
            break;
        }
        if (conn->state == GW_CONN_HEAD && !gw_h1_parser_is_mid_message(h1->parser)) {
            gw_conn_set_state(conn, GW_CONN_IDLE); /* nothing but an empty line between requests */
        }
        leave_rest(h1);
    }
    return bytes;
}

/* Parses what waited while a request was under way. */
static void consume_unread(struct gw_h1_conn *h1)
{
    while (gw_chunkq_len(&h1->unread) > 0 && can_parse(h1)) {
        struct iovec head;
        (void)gw_chunkq_peek(&h1->unread, &head, 1);
        struct gw_str rest = consume(h1, gw_str(head.iov_base, head.iov_len));
        gw_chunkq_consume(&h1->unread, head.iov_len - rest.len);
    }
}

/* ---- the table ---- */

static void h1_receive(struct gw_conn *conn, struct gw_str bytes)
{
    struct gw_h1_conn *h1 = conn->u.h1;
    if (gw_chunkq_len(&h1->unread) == 0) {
        bytes = consume(h1, bytes);
    }
    if (bytes.len > 0 && conn->state < GW_CONN_CLOSING &&
        gw_chunkq_append(&h1->unread, bytes) != GW_OK) {
        gw_conn_cut(conn, GW_ERR_NOMEM);
    }
}

static void tell_writable(struct gw_h1_conn *h1)
{
    if (h1->pair_open && h1->was_full && gw_chunkq_len(&h1->conn->out) < GW_DOWNSTREAM_LOW_WATER) {
        h1->was_full = false;
        h1->pair.events->on_writable(h1->pair.user);
    }
}

/* Reading stays on while a request is served, so that the client's end is noticed at once and no
 * system call switches it. */
static bool wants_bytes(const struct gw_h1_conn *h1)
{
    if (h1->conn->state == GW_CONN_SERVING && !h1->request_complete) {
        return h1->is_reading;
    }
    return gw_chunkq_len(&h1->unread) < h1->conn->server->limits.max_header_bytes;
}

static void h1_settle(struct gw_conn *conn)
{
    struct gw_h1_conn *h1 = conn->u.h1;
    gw_conn_flush(conn);
    if (conn->failed != GW_OK) {
        return;
    }
    gw_h1_deliver(h1);
    tell_writable(h1);
    leave_rest(h1);
    consume_unread(h1);
    if (conn->state < GW_CONN_CLOSING) {
        gw_conn_set_reading(conn, wants_bytes(h1));
    }
}

static uint64_t h1_deadline_ms(const struct gw_conn *conn)
{
    const struct gw_h1_conn *h1 = conn->u.h1;
    if (conn->state == GW_CONN_SERVING && h1->is_reading && gw_h1_body_is_missing(h1)) {
        return h1->body_progress_ms + conn->server->limits.body_timeout_ms;
    }
    return GW_CONN_NEVER;
}

static void h1_expire(struct gw_conn *conn)
{
    struct gw_h1_conn *h1 = conn->u.h1;
    if (conn->state == GW_CONN_IDLE) {
        gw_conn_close(conn, GW_CONN_END_CLOSE);
        return;
    }
    if (conn->state == GW_CONN_REST) {
        gw_conn_close(conn, GW_CONN_END_LINGER);
        return;
    }
    gw_counter_add(&conn->server->counters.timeouts_total, 1);
    const char *what = conn->state == GW_CONN_HEAD
                           ? "The head of the request did not arrive in time."
                           : "The body of the request did not arrive in time.";
    gw_h1_give_up(h1, 408, what, GW_ERR_TIMEOUT);
}

/* Nothing to do at once: begin() says "connection: close", and idle ones end by their deadline. */
static void h1_drain(struct gw_conn *conn)
{
    (void)conn;
}

static void h1_abort_pairs(struct gw_conn *conn, enum gw_err err)
{
    struct gw_h1_conn *h1 = conn->u.h1;
    if (h1->pair_open) {
        h1->pair_open = false;
        h1->pair.events->on_abort(h1->pair.user, err);
    }
}

static void h1_fini(struct gw_conn *conn)
{
    struct gw_h1_conn *h1 = conn->u.h1;
    gw_h1_parser_destroy(&h1->parser);
    gw_chunkq_clear(&h1->body);
    gw_chunkq_clear(&h1->unread);
    gw_free(h1);
}

static const struct gw_conn_proto h1_proto = {
    .name = "HTTP/1",
    .receive = h1_receive,
    .settle = h1_settle,
    .deadline_ms = h1_deadline_ms,
    .expire = h1_expire,
    .drain = h1_drain,
    .abort_pairs = h1_abort_pairs,
    .fini = h1_fini,
};

void gw_h1_start(struct gw_conn *conn)
{
    struct gw_loop *loop = conn->server->opts.loop;
    struct gw_h1_conn *h1 = gw_zalloc(sizeof(*h1));
    h1->conn = conn;
    h1->pair.ops = &gw_h1_pair_ops;
    h1->pair.loop = loop;
    h1->pair.peer = &conn->peer;
    h1->pair.is_tls = gw_stream_is_tls(conn->stream);
    h1->parser = gw_h1_parser_create(&(struct gw_h1_opts){
        .kind = GW_H1_REQUESTS,
        .max_header_bytes = conn->server->limits.max_header_bytes,
        .events = &parser_events,
        .user = h1,
    });
    gw_chunkq_init(&h1->body, gw_loop_chunks(loop));
    gw_chunkq_init(&h1->unread, gw_loop_chunks(loop));
    conn->u.h1 = h1;
    conn->proto = &h1_proto;
    gw_conn_set_state(conn, GW_CONN_IDLE);
}
