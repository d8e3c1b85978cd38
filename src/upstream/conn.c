/* SPDX-License-Identifier: MIT */
/*
 * upstream/conn - the life of one connection: its states, its place in the pool, its events.
 *
 *   NEW -> RESOLVING -> CONNECTING -> [PROXYING] -> [HANDSHAKING] -+-> BUSY -> RETURNING -> IDLE ->
 * BUSY ...
 *                                                                  +-> SHARED <-> BUSY, IDLE
 * (HTTP/2) any -> CLOSED; the memory goes at the end of the callback
 *
 * An HTTP/1 connection whose exchange is over is RETURNING until the callback has ended: bytes of
 * the same read, or of the same TLS record, then meet no new exchange but close it.
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "upstream/upstream_int.h"

static void on_after(struct gw_deferred *deferred);
static void on_timer(struct gw_timer *timer);

static struct gw_list *list_of(struct gw_pool *pool, enum gw_upconn_state state)
{
    switch (state) {
#define XX(id, list)                                                                               \
    case GW_UPCONN_##id:                                                                           \
        return &pool->list;
        GW_UPCONN_STATE_MAP(XX)
#undef XX
    }
    GW_UNREACHABLE("state of a connection");
}

void gw_upconn_set_state(struct gw_upconn *conn, enum gw_upconn_state state)
{
    struct gw_pool *pool = conn->pool;
    enum gw_upconn_state old = (enum gw_upconn_state)conn->state;
    if (old == state) {
        return;
    }
    GW_ASSERT(old != GW_UPCONN_CLOSED);
    struct gw_upstream_counters *counters = &pool->upstream->counters;
    if (old == GW_UPCONN_IDLE) {
        pool->idle_count--;
        gw_upstream_count(&counters->idle, UINT64_MAX);
    }
    if (state == GW_UPCONN_IDLE) {
        pool->idle_count++;
        gw_upstream_count(&counters->idle, 1);
    }
    if (state == GW_UPCONN_CLOSED) {
        conn->closed_in = conn->state;
        gw_upstream_count(&counters->open, UINT64_MAX);
    }
    conn->state = (uint8_t)state;
    gw_list_unlink(&conn->node);
    gw_list_prepend(list_of(pool, state), &conn->node);
}

struct gw_upconn *gw_upconn_try_create(struct gw_pool *pool, const struct gw_exchange *exchange)
{
    struct gw_upstream *upstream = pool->upstream;
    struct gw_upconn *conn = gw_free_list_try_take(&upstream->free_conns, sizeof(*conn));
    if (conn == NULL) {
        return NULL;
    }
    conn->connecting = gw_connecting_try_create(exchange);
    if (conn->connecting == NULL) {
        gw_free_list_give(&upstream->free_conns, conn);
        return NULL;
    }
    conn->pool = pool;
    conn->state = GW_UPCONN_NEW;
    gw_list_init(&conn->exchanges);
    gw_list_init(&conn->node);
    gw_list_prepend(&pool->connecting, &conn->node);
    gw_timer_init(&conn->timer, upstream->loop, on_timer);
    gw_deferred_init(&conn->after, on_after);
    gw_loop_defer(upstream->loop, &conn->after);
    pool->conn_count++;
    gw_upstream_count(&upstream->counters.open, 1);
    gw_upstream_count(&upstream->counters.connects_total, 1);
    return conn;
}

static void free_conn(struct gw_upconn *conn)
{
    struct gw_pool *pool = conn->pool;
    GW_ASSERT(conn->state == GW_UPCONN_CLOSED && gw_list_is_empty(&conn->exchanges));
    gw_h1_parser_destroy(&conn->parser);
    gw_uph2_destroy(&conn->h2);
    gw_list_unlink(&conn->node);
    pool->conn_count--;
    gw_free_list_give(&pool->upstream->free_conns, conn);
    gw_pool_free_if_unused(pool);
}

/* ---- exchanges on it ---- */

void gw_upconn_attach(struct gw_upconn *conn, struct gw_exchange *exchange)
{
    gw_list_append(&conn->exchanges, &exchange->node);
    exchange->conn = conn;
    conn->exchange_count++;
}

void gw_upconn_detach(struct gw_exchange *exchange)
{
    GW_ASSERT(exchange->conn != NULL);
    gw_list_unlink(&exchange->node);
    exchange->conn->exchange_count--;
    exchange->conn = NULL;
}

enum gw_err gw_upconn_begin(struct gw_upconn *conn, struct gw_exchange *exchange)
{
    exchange->timings.is_reused = conn->was_used;
    exchange->timings.connected_at_ns = conn->was_used ? 0 : conn->connected_at_ns;
    enum gw_err err = GW_OK;
    if (conn->h2 != NULL) {
        err = gw_uph2_begin(conn, exchange);
    } else {
        gw_upconn_set_state(conn, GW_UPCONN_BUSY);
        gw_uph1_begin(conn, exchange);
    }
    if (err != GW_OK) {
        gw_upconn_detach(exchange);
        gw_uph2_update(conn); /* HTTP/1 does not fail here */
        return err;
    }
    gw_upstream_count(&exchange->upstream->counters.reused_total, conn->was_used ? 1 : 0);
    conn->was_used = true;
    return GW_OK;
}

void gw_upconn_leave(struct gw_exchange *exchange)
{
    struct gw_upconn *conn = exchange->conn;
    if (conn == NULL) {
        gw_list_unlink(&exchange->node);
        return;
    }
    gw_upconn_detach(exchange);
    if (conn->state == GW_UPCONN_CLOSED) {
        return;
    }
    if (!gw_upconn_is_usable(conn)) {
        if (conn->exchange_count == 0) {
            gw_upconn_close(conn);
        }
        return;
    }
    if (conn->h2 != NULL) {
        gw_uph2_leave(conn, exchange);
        return;
    }
    if (!gw_uph1_reset(conn, exchange)) {
        gw_upconn_close(conn);
        return;
    }
    gw_upconn_set_state(conn, GW_UPCONN_RETURNING);
    gw_loop_defer(conn->pool->upstream->loop, &conn->after);
}

void gw_upconn_park(struct gw_upconn *conn)
{
    struct gw_pool *pool = conn->pool;
    struct gw_upstream *upstream = pool->upstream;
    if (pool->owner_count == 0 || upstream->max_idle_per_origin == 0) {
        gw_upconn_close(conn);
        return;
    }
    gw_upconn_set_state(conn, GW_UPCONN_IDLE);
    conn->idle_until_ms = gw_loop_now_ms(upstream->loop) + upstream->idle_timeout_ms;
    if (conn->h2 == NULL || !gw_timer_is_set(&conn->timer) ||
        conn->idle_until_ms < conn->timer.at_ms) {
        gw_timer_set_at(&conn->timer, conn->idle_until_ms);
    }
    gw_pool_trim(pool);
}

/* Exchanges that waited for an HTTP/2 connection which turned out to be none. */
static void redispatch_all(struct gw_list *list)
{
    struct gw_exchange *exchange = NULL;
    while ((exchange = GW_LIST_FIRST(list, struct gw_exchange, node)) != NULL) {
        gw_list_unlink(&exchange->node);
        gw_exchange_redispatch(exchange);
    }
}

void gw_upconn_on_usable(struct gw_upconn *conn, bool is_h2)
{
    gw_connecting_destroy(&conn->connecting);
    gw_timer_clear(&conn->timer);
    conn->connected_at_ns = gw_clock_mono_ns();
    conn->pool->expects_h2 = is_h2;
    struct gw_exchange *first = GW_LIST_FIRST(&conn->exchanges, struct gw_exchange, node);
    GW_ASSERT(first != NULL);
    if (is_h2 && gw_uph2_init(conn) != GW_OK) {
        gw_upconn_fail(conn, GW_ERR_NOMEM, GW_STR(""), 0);
        return;
    }
    struct gw_list others;
    gw_list_init(&others);
    if (!is_h2) {
        gw_uph1_init(conn);
        struct gw_exchange *last = NULL;
        while ((last = GW_LIST_LAST(&conn->exchanges, struct gw_exchange, node)) != first) {
            GW_ASSERT(last != NULL);
            gw_upconn_detach(last);
            gw_list_prepend(&others, &last->node);
        }
    }
    gw_stream_set_reading(conn->stream, true);
    /* Further exchanges of an HTTP/2 connection begin when the peer has told how many it takes. */
    enum gw_err err = gw_upconn_begin(conn, first);
    if (err != GW_OK) {
        gw_upconn_attach(conn, first);
        gw_upconn_fail(conn, err, GW_STR(""), 0);
    }
    redispatch_all(&others);
}

/* ---- the end ---- */

void gw_upconn_close(struct gw_upconn *conn)
{
    if (conn->state == GW_UPCONN_CLOSED) {
        return;
    }
    gw_upconn_set_state(conn, GW_UPCONN_CLOSED);
    gw_timer_clear(&conn->timer);
    gw_connecting_destroy(&conn->connecting);
    gw_stream_close(&conn->stream);
    gw_loop_defer(conn->pool->upstream->loop, &conn->after);
}

void gw_upconn_fail(struct gw_upconn *conn, enum gw_err err, struct gw_str detail,
                    uint64_t timeout_ms)
{
    if (!gw_upconn_is_usable(conn)) {
        gw_upstream_count(&conn->pool->upstream->counters.connect_failures_total, 1);
    }
    gw_upconn_close(conn);
    const struct gw_cause cause = {
        .err = err,
        .is_connection_lost = err == GW_ERR_EOF || err == GW_ERR_RESET || err == GW_ERR_IO,
        .timeout_ms = timeout_ms,
        .detail = detail,
    };
    struct gw_exchange *exchange = NULL;
    while ((exchange = GW_LIST_FIRST(&conn->exchanges, struct gw_exchange, node)) != NULL) {
        gw_exchange_fail(exchange, &cause);
    }
}

void gw_upconn_fail_late(struct gw_upconn *conn, enum gw_err err)
{
    conn->has_late_failure = true;
    conn->late_err = (int8_t)err;
    gw_loop_defer(conn->pool->upstream->loop, &conn->after);
}

/* ---- events ---- */

static void on_after(struct gw_deferred *deferred)
{
    struct gw_upconn *conn = GW_CONTAINER_OF(deferred, struct gw_upconn, after);
    if (conn->state == GW_UPCONN_CLOSED) {
        free_conn(conn);
    } else if (conn->has_late_failure) {
        gw_upconn_fail(conn, (enum gw_err)conn->late_err, GW_STR(""), 0);
    } else if (conn->state == GW_UPCONN_NEW) {
        gw_connect_start(conn);
    } else if (conn->state == GW_UPCONN_RETURNING) {
        gw_upconn_park(conn);
    } else if (conn->h2 != NULL) {
        gw_uph2_flush(conn);
    }
}

static void on_timer(struct gw_timer *timer)
{
    struct gw_upconn *conn = GW_CONTAINER_OF(timer, struct gw_upconn, timer);
    if (!gw_upconn_is_usable(conn)) {
        gw_connect_on_timer(conn);
        return;
    }
    /* The idle limit of an HTTP/1 connection is left standing while it is busy. */
    uint64_t now_ms = gw_loop_now_ms(conn->pool->upstream->loop);
    if (conn->state == GW_UPCONN_IDLE && now_ms >= conn->idle_until_ms) {
        gw_upconn_close(conn);
    } else if (conn->h2 != NULL) {
        gw_uph2_on_timer(conn);
    } else if (conn->state == GW_UPCONN_IDLE) {
        gw_timer_set_at(&conn->timer, conn->idle_until_ms);
    }
}

static void on_open(void *user)
{
    gw_connect_on_open(user);
}

static void on_read(void *user, struct gw_str bytes)
{
    struct gw_upconn *conn = user;
    gw_upstream_count(&conn->pool->upstream->counters.received_bytes_total, bytes.len);
    if (conn->h2 != NULL) {
        gw_uph2_on_read(conn, bytes);
    } else if (conn->state == GW_UPCONN_BUSY) {
        gw_uph1_on_read(conn, bytes);
    } else if (conn->state == GW_UPCONN_PROXYING) {
        gw_proxy_on_read(conn, bytes);
    } else { /* nobody asked for these bytes */
        gw_upconn_close(conn);
    }
}

static void on_writable(void *user)
{
    struct gw_upconn *conn = user;
    if (conn->h2 != NULL) {
        gw_uph2_flush(conn);
    } else if (conn->state == GW_UPCONN_BUSY) {
        gw_uph1_on_writable(conn);
    } else if (conn->state == GW_UPCONN_PROXYING) {
        gw_proxy_on_writable(conn);
    }
}

static void on_end(void *user, enum gw_err err, struct gw_str detail)
{
    struct gw_upconn *conn = user;
    if (!gw_upconn_is_usable(conn)) {
        gw_connect_on_end(conn, err, detail);
    } else if (conn->h2 != NULL) {
        gw_uph2_on_end(conn, err, detail);
    } else if (conn->state == GW_UPCONN_BUSY) {
        gw_uph1_on_end(conn, err, detail);
    } else {
        gw_upconn_close(conn);
    }
}

const struct gw_stream_events gw_upconn_stream_events = {
    .on_open = on_open,
    .on_read = on_read,
    .on_writable = on_writable,
    .on_end = on_end,
};
