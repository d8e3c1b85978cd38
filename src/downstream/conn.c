/* SPDX-License-Identifier: MIT */
/*
 * downstream/conn - a connection's life around its protocol.
 *
 *   stream callback -> detect -> proto->receive -> handler ... -> queue -> [deferred] settle, flush
 *
 * One timer per connection; what it means follows the state, see gw_conn_arm().
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/log.h"
#include "downstream/conn_int.h"

/* 256 KB of chunks: as much as GW_DOWNSTREAM_HIGH_WATER lets wait goes in one call. */
#define FLUSH_IOVECS 32

/* RFC 9113 section 3.4. */
static const char h2_preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
#define H2_PREFACE_BYTES (sizeof(h2_preface) - 1)

/* ---- state ---- */

#define TO(state) (1u << (state))
#define TO_END    (TO(GW_CONN_CLOSING) | TO(GW_CONN_CLOSED))

static const unsigned allowed_next[] = {
    [GW_CONN_OPENING] = TO(GW_CONN_DETECT) | TO(GW_CONN_CLOSED),
    [GW_CONN_DETECT] = TO(GW_CONN_IDLE) | TO(GW_CONN_CLOSED),
    [GW_CONN_IDLE] = TO(GW_CONN_HEAD) | TO(GW_CONN_SERVING) | TO_END,
    [GW_CONN_HEAD] = TO(GW_CONN_IDLE) | TO(GW_CONN_SERVING) | TO_END,
    [GW_CONN_SERVING] = TO(GW_CONN_IDLE) | TO(GW_CONN_REST) | TO_END,
    [GW_CONN_REST] = TO(GW_CONN_IDLE) | TO_END,
    [GW_CONN_CLOSING] = TO(GW_CONN_LINGER) | TO(GW_CONN_CLOSED),
    [GW_CONN_LINGER] = TO(GW_CONN_CLOSED),
    [GW_CONN_CLOSED] = 0,
};

void gw_conn_set_state(struct gw_conn *conn, enum gw_conn_state state)
{
    GW_ASSERT((allowed_next[conn->state] & TO(state)) != 0);
    conn->state = state;
    conn->state_since_ms = gw_conn_now_ms(conn);
}

/* ---- time ---- */

/* When the state alone is over, or GW_CONN_NEVER. */
static uint64_t state_deadline_ms(const struct gw_conn *conn)
{
    const struct gw_server_limits *limits = &conn->server->limits;
    switch (conn->state) {
    case GW_CONN_OPENING:
    case GW_CONN_DETECT:
    case GW_CONN_HEAD:
        return conn->state_since_ms + limits->header_timeout_ms;
    case GW_CONN_IDLE:
        if (conn->write_blocked) {
            return GW_CONN_NEVER; /* not idle: an answer is still going out */
        }
        if (conn->server->is_draining && conn->has_served) {
            return conn->state_since_ms + GW_SERVER_DRAIN_IDLE_MS;
        }
        return conn->state_since_ms + limits->idle_timeout_ms;
    case GW_CONN_REST:
        return conn->state_since_ms + GW_CONN_REST_MS;
    case GW_CONN_LINGER: {
        uint64_t end_at_ms = conn->state_since_ms + GW_CONN_LINGER_TOTAL_MS;
        uint64_t idle_at_ms = conn->linger_progress_ms + GW_CONN_LINGER_MS;
        return idle_at_ms < end_at_ms ? idle_at_ms : end_at_ms;
    }
    case GW_CONN_SERVING:
    case GW_CONN_CLOSING:
    case GW_CONN_CLOSED:
        break;
    }
    return GW_CONN_NEVER;
}

static bool is_write_stalled(const struct gw_conn *conn, uint64_t now_ms)
{
    return conn->write_blocked &&
           now_ms >= conn->write_progress_ms + conn->server->limits.write_timeout_ms;
}

static uint64_t deadline_ms(const struct gw_conn *conn)
{
    uint64_t at_ms = state_deadline_ms(conn);
    if (conn->write_blocked) {
        uint64_t write_at_ms = conn->write_progress_ms + conn->server->limits.write_timeout_ms;
        at_ms = write_at_ms < at_ms ? write_at_ms : at_ms;
    }
    if (conn->proto != NULL) {
        uint64_t proto_at_ms = conn->proto->deadline_ms(conn);
        at_ms = proto_at_ms < at_ms ? proto_at_ms : at_ms;
    }
    return at_ms;
}

void gw_conn_arm(struct gw_conn *conn)
{
    uint64_t at_ms = deadline_ms(conn);
    if (at_ms == GW_CONN_NEVER && !gw_timer_is_set(&conn->timer)) {
        return;
    }
    /* A set timer is only told a later time, never taken out: no heap work per request. */
    gw_timer_set_at(&conn->timer, at_ms);
}

static void on_timer(struct gw_timer *timer)
{
    struct gw_conn *conn = GW_CONTAINER_OF(timer, struct gw_conn, timer);
    uint64_t now_ms = gw_conn_now_ms(conn);
    if (now_ms < deadline_ms(conn)) {
        gw_conn_arm(conn);
        return;
    }
    if (is_write_stalled(conn, now_ms)) {
        gw_counter_add(&conn->server->counters.timeouts_total, 1);
        /* The client's window is full of what it does not read; a FIN would wait behind that. */
        gw_stream_reset(&conn->stream);
        gw_conn_cut(conn, GW_ERR_TIMEOUT);
        return;
    }
    switch (conn->state) {
    case GW_CONN_OPENING:
    case GW_CONN_DETECT:
        gw_counter_add(&conn->server->counters.timeouts_total, 1);
        gw_conn_cut(conn, GW_ERR_TIMEOUT);
        return;
    case GW_CONN_LINGER:
        gw_conn_cut(conn, GW_ERR_TIMEOUT);
        return;
    case GW_CONN_IDLE:
    case GW_CONN_HEAD:
    case GW_CONN_SERVING:
    case GW_CONN_REST:
    case GW_CONN_CLOSING:
        conn->proto->expire(conn);
        gw_conn_wake(conn);
        return;
    case GW_CONN_CLOSED:
        break;
    }
    GW_UNREACHABLE("a closed connection has no timer");
}

/* ---- sending ---- */

/* One writev and its bookkeeping. */
static enum gw_err send_now(struct gw_conn *conn, const struct iovec *iov, int count, size_t *sent)
{
    enum gw_err err = gw_stream_writev(conn->stream, iov, count, sent);
    gw_counter_add(&conn->server->counters.sent_bytes_total, *sent);
    if (err == GW_ERR_AGAIN) {
        conn->write_blocked = true;
        if (*sent > 0 || conn->write_progress_ms == 0) {
            conn->write_progress_ms = gw_conn_now_ms(conn);
        }
    } else if (err != GW_OK) {
        conn->failed = err;
    }
    return err;
}

void gw_conn_flush(struct gw_conn *conn)
{
    while (gw_chunkq_len(&conn->out) > 0 && !conn->write_blocked && conn->failed == GW_OK &&
           conn->stream != NULL) {
        struct iovec iov[FLUSH_IOVECS];
        int count = gw_chunkq_peek(&conn->out, iov, FLUSH_IOVECS);
        size_t sent = 0;
        (void)send_now(conn, iov, count, &sent);
        gw_chunkq_consume(&conn->out, sent);
    }
    if (!conn->write_blocked) {
        conn->write_progress_ms = 0;
    }
}

enum gw_err gw_conn_write_through(struct gw_conn *conn, const struct iovec *iov, int count)
{
    struct iovec all[FLUSH_IOVECS];
    int queued = gw_chunkq_peek(&conn->out, all, FLUSH_IOVECS - count);
    size_t waiting = gw_chunkq_len(&conn->out);
    size_t peeked = 0;
    for (int i = 0; i < queued; i++) {
        peeked += all[i].iov_len;
    }
    size_t sent = 0;
    if (!conn->write_blocked && conn->failed == GW_OK && conn->stream != NULL &&
        peeked == waiting) {
        memcpy(all + queued, iov, (size_t)count * sizeof(*iov));
        (void)send_now(conn, all, queued + count, &sent);
    }
    size_t of_queue = sent < waiting ? sent : waiting;
    gw_chunkq_consume(&conn->out, of_queue);
    sent -= of_queue;
    for (int i = 0; i < count; i++) {
        size_t gone = sent < iov[i].iov_len ? sent : iov[i].iov_len;
        sent -= gone;
        struct gw_str rest = gw_str_skip(gw_str(iov[i].iov_base, iov[i].iov_len), gone);
        if (rest.len > 0 && gw_chunkq_append(&conn->out, rest) != GW_OK) {
            return GW_ERR_NOMEM;
        }
    }
    return GW_OK;
}

/* ---- the end ---- */

void gw_conn_set_reading(struct gw_conn *conn, bool on)
{
    if (conn->is_reading != on && conn->stream != NULL) {
        conn->is_reading = on;
        gw_stream_set_reading(conn->stream, on);
    }
}

void gw_conn_close(struct gw_conn *conn, enum gw_conn_ending ending)
{
    if (conn->state == GW_CONN_CLOSED || conn->state == GW_CONN_CLOSING ||
        conn->state == GW_CONN_LINGER) {
        return;
    }
    gw_conn_set_state(conn, GW_CONN_CLOSING);
    conn->ending = ending;
    gw_conn_set_reading(conn, false);
    gw_conn_wake(conn);
}

void gw_conn_cut(struct gw_conn *conn, enum gw_err err)
{
    if (conn->state == GW_CONN_CLOSED) {
        return;
    }
    gw_conn_set_state(conn, GW_CONN_CLOSED);
    gw_timer_clear(&conn->timer);
    gw_stream_close(&conn->stream);
    gw_chunkq_clear(&conn->out);
    gw_conn_wake(conn);
    if (conn->proto != NULL) {
        conn->proto->abort_pairs(conn, err);
    }
}

/* All is sent. */
static void finish_closing(struct gw_conn *conn)
{
    switch (conn->ending) {
    case GW_CONN_END_CLOSE:
        gw_conn_cut(conn, GW_ERR_CANCELLED);
        return;
    case GW_CONN_END_RESET:
        gw_stream_reset(&conn->stream);
        gw_conn_cut(conn, GW_ERR_CANCELLED);
        return;
    case GW_CONN_END_LINGER:
        gw_conn_set_state(conn, GW_CONN_LINGER);
        conn->linger_progress_ms = conn->state_since_ms;
        gw_stream_shutdown_write(conn->stream);
        gw_conn_set_reading(conn, true);
        return;
    }
}

void gw_conn_wake(struct gw_conn *conn)
{
    gw_loop_defer(conn->server->opts.loop, &conn->deferred);
}

void gw_conn_free(struct gw_conn *conn)
{
    GW_ASSERT(conn->state == GW_CONN_CLOSED);
    struct gw_server *server = conn->server;
    gw_deferred_cancel(&conn->deferred);
    gw_list_unlink(&conn->node);
    server->conn_count--;
    atomic_store_explicit(&server->counters.open, server->conn_count, memory_order_relaxed);
    if (conn->proto != NULL) {
        conn->proto->fini(conn);
    }
    gw_free(conn);
}

/* The current callback is over: nobody below us on the stack knows this connection. */
static void on_settle(struct gw_deferred *deferred)
{
    struct gw_conn *conn = GW_CONTAINER_OF(deferred, struct gw_conn, deferred);
    if (conn->state != GW_CONN_CLOSED && conn->failed == GW_OK) {
        if (conn->state < GW_CONN_CLOSING && conn->proto != NULL) {
            conn->proto->settle(conn);
        }
        if (conn->state == GW_CONN_CLOSING) {
            gw_conn_flush(conn);
        }
        if (conn->state == GW_CONN_CLOSING && gw_chunkq_len(&conn->out) == 0) {
            finish_closing(conn);
        }
    }
    if (conn->failed != GW_OK) {
        gw_conn_cut(conn, conn->failed);
    }
    if (conn->state == GW_CONN_CLOSED) {
        struct gw_server *server = conn->server;
        gw_conn_free(conn);
        if (server->opts.on_connection_closed != NULL) {
            server->opts.on_connection_closed(server->opts.user);
        }
        return;
    }
    gw_conn_arm(conn);
}

/* ---- the stream's events ---- */

static void start_h2(struct gw_conn *conn)
{
    if (gw_h2_start(conn) != GW_OK) {
        gw_conn_cut(conn, GW_ERR_NOMEM);
    }
}

static void on_open(void *user)
{
    struct gw_conn *conn = user;
    gw_conn_set_state(conn, GW_CONN_DETECT);
    gw_conn_set_reading(conn, true);
    if (gw_stream_is_h2(conn->stream)) {
        start_h2(conn);
    }
    gw_conn_wake(conn);
}

/* Tells the protocol by the first bytes, which may come one by one. */
static void detect(struct gw_conn *conn, struct gw_str bytes)
{
    size_t seen = conn->preface_seen;
    size_t left = H2_PREFACE_BYTES - seen;
    size_t part = bytes.len < left ? bytes.len : left;
    bool matches = memcmp(h2_preface + seen, bytes.ptr, part) == 0;
    if (matches && part < left) {
        conn->preface_seen = (uint8_t)(seen + part);
        return;
    }
    if (matches) {
        start_h2(conn);
    } else {
        gw_h1_start(conn);
    }
    /* What was held back is known to be the preface's beginning. */
    if (seen > 0 && conn->state < GW_CONN_CLOSING) {
        conn->proto->receive(conn, gw_str(h2_preface, seen));
    }
    if (conn->state < GW_CONN_CLOSING) {
        conn->proto->receive(conn, bytes);
    }
}

static void on_read(void *user, struct gw_str bytes)
{
    struct gw_conn *conn = user;
    gw_counter_add(&conn->server->counters.received_bytes_total, bytes.len);
    if (conn->state == GW_CONN_DETECT) {
        detect(conn, bytes);
    } else if (conn->state < GW_CONN_CLOSING) {
        conn->proto->receive(conn, bytes);
    } else {
        conn->linger_progress_ms = gw_conn_now_ms(conn);
    }
    gw_conn_wake(conn);
}

static void on_writable(void *user)
{
    struct gw_conn *conn = user;
    conn->write_blocked = false;
    gw_conn_wake(conn);
}

static void on_end(void *user, enum gw_err err, struct gw_str detail)
{
    struct gw_conn *conn = user;
    if (err == GW_ERR_TLS) {
        gw_counter_add(&conn->server->counters.tls_errors_total, 1);
        gw_log_debug("downstream", "TLS: " GW_STR_FMT, GW_STR_ARG(detail));
    }
    gw_conn_cut(conn, err);
}

static const struct gw_stream_events stream_events = {
    .on_open = on_open,
    .on_read = on_read,
    .on_writable = on_writable,
    .on_end = on_end,
};

struct gw_conn *gw_conn_create(struct gw_server *server, int fd, const struct gw_address *peer,
                               struct gw_tls_server *tls)
{
    struct gw_loop *loop = server->opts.loop;
    struct gw_conn *conn = gw_zalloc(sizeof(*conn));
    conn->server = server;
    conn->peer = *peer;
    conn->state = GW_CONN_OPENING;
    conn->state_since_ms = gw_loop_now_ms(loop);
    gw_chunkq_init(&conn->out, gw_loop_chunks(loop));
    gw_timer_init(&conn->timer, loop, on_timer);
    gw_deferred_init(&conn->deferred, on_settle);
    if (gw_stream_accept(loop, fd, tls, &stream_events, conn, &conn->stream) != GW_OK) {
        gw_free(conn);
        return NULL;
    }
    gw_list_append(&server->conns, &conn->node);
    server->conn_count++;
    atomic_store_explicit(&server->counters.open, server->conn_count, memory_order_relaxed);
    gw_conn_arm(conn);
    return conn;
}
