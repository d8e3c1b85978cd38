/* SPDX-License-Identifier: MIT */
/*
 * upstream/exchange - one request and its response: state, timer, what the caller asks for.
 *
 *   CONNECTING -> SENDING -> WAITING -> HEAD -> BODY -> OVER      (a response may begin while
 * SENDING)
 *
 * One timer holds the earlier of the phase's limit and the total one. Each chunk moves it later,
 * which is a store (loop/loop.h).
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "upstream/upstream_int.h"

/* ---- state and timer ---- */

/* The limit of the phase; 0: none. */
static uint32_t phase_limit_ms(const struct gw_exchange *exchange)
{
    switch ((enum gw_exchange_state)exchange->state) {
    case GW_EXCHANGE_SENDING:
    case GW_EXCHANGE_BODY:
        return exchange->idle_ms;
    case GW_EXCHANGE_WAITING:
    case GW_EXCHANGE_HEAD:
        return exchange->first_byte_ms;
    case GW_EXCHANGE_CONNECTING: /* the connection's timer */
    case GW_EXCHANGE_OVER:
        break;
    }
    return 0;
}

static void arm(struct gw_exchange *exchange)
{
    uint64_t at_ms = exchange->phase_at_ms < exchange->total_at_ms ? exchange->phase_at_ms
                                                                   : exchange->total_at_ms;
    if (at_ms == GW_NEVER_MS) {
        gw_timer_clear(&exchange->timer);
    } else {
        gw_timer_set_at(&exchange->timer, at_ms);
    }
}

/* Lets the limit of the phase run from now. */
static void restart_phase(struct gw_exchange *exchange)
{
    uint32_t limit_ms = phase_limit_ms(exchange);
    bool rests = limit_ms == 0 || (exchange->is_paused && exchange->is_sent);
    exchange->phase_at_ms =
        rests ? GW_NEVER_MS : gw_loop_now_ms(exchange->upstream->loop) + limit_ms;
    arm(exchange);
}

void gw_exchange_set_state(struct gw_exchange *exchange, enum gw_exchange_state state)
{
    GW_ASSERT(state >= exchange->state && exchange->state != GW_EXCHANGE_OVER);
    bool first_byte_runs = exchange->state == GW_EXCHANGE_WAITING && state == GW_EXCHANGE_HEAD;
    exchange->state = (uint8_t)state;
    if (state == GW_EXCHANGE_OVER) {
        gw_timer_clear(&exchange->timer);
    } else if (!first_byte_runs) {
        restart_phase(exchange);
    }
}

void gw_exchange_touch(struct gw_exchange *exchange)
{
    if (exchange->state == GW_EXCHANGE_SENDING || exchange->state == GW_EXCHANGE_BODY) {
        restart_phase(exchange);
    }
}

/* Does the peer owe us nothing because the body's source has brought nothing? */
static bool waits_for_source(const struct gw_exchange *exchange)
{
    return exchange->state == GW_EXCHANGE_SENDING && exchange->is_streamed &&
           !exchange->is_body_ended && exchange->head == NULL &&
           gw_chunkq_len(&exchange->queue) == 0;
}

static void on_timer(struct gw_timer *timer)
{
    struct gw_exchange *exchange = GW_CONTAINER_OF(timer, struct gw_exchange, timer);
    uint64_t now_ms = gw_loop_now_ms(exchange->upstream->loop);
    struct gw_cause cause = {.err = GW_ERR_TIMEOUT};
    if (now_ms >= exchange->total_at_ms) {
        cause.timeout_ms = exchange->total_ms;
        cause.detail = GW_STR("the limit for the whole exchange");
    } else if (waits_for_source(exchange)) {
        restart_phase(exchange);
        return;
    } else {
        cause.timeout_ms = phase_limit_ms(exchange);
    }
    gw_exchange_fail(exchange, &cause);
}

/* ---- what its connection tells ---- */

void gw_exchange_drop_head(struct gw_exchange *exchange)
{
    if (!exchange->head_is_borrowed) {
        gw_free(exchange->head);
    }
    exchange->head = NULL;
    exchange->head_is_borrowed = false;
}

void gw_exchange_on_sent(struct gw_exchange *exchange)
{
    if (exchange->is_sent) {
        return;
    }
    exchange->is_sent = true;
    exchange->timings.sent_at_ns = gw_clock_mono_ns();
    exchange->runs = NULL; /* the caller may end them now */
    exchange->run_count = 0;
    exchange->run_index = 0;
    if (exchange->state < GW_EXCHANGE_WAITING) {
        gw_exchange_set_state(exchange, GW_EXCHANGE_WAITING);
    }
}

void gw_exchange_on_bytes(struct gw_exchange *exchange)
{
    if (exchange->state < GW_EXCHANGE_HEAD) {
        exchange->timings.first_byte_at_ns = gw_clock_mono_ns();
        gw_exchange_set_state(exchange, GW_EXCHANGE_HEAD);
    }
}

void gw_exchange_deliver_head(struct gw_exchange *exchange, const struct gw_response_head *head)
{
    gw_exchange_set_state(exchange, GW_EXCHANGE_BODY);
    exchange->events->on_response(exchange->user, head);
}

void gw_exchange_tell_writable(struct gw_exchange *exchange)
{
    if (exchange->wants_writable && exchange->state != GW_EXCHANGE_OVER &&
        gw_chunkq_len(&exchange->queue) < GW_UPSTREAM_LOW_WATER) {
        exchange->wants_writable = false;
        exchange->events->on_writable(exchange->user);
    }
}

/* ---- the end ---- */

static void free_exchange(struct gw_exchange *exchange)
{
    gw_list_unlink(&exchange->node);
    gw_exchange_drop_head(exchange);
    gw_chunkq_clear(&exchange->queue);
    gw_chunkq_clear(&exchange->arrived);
    gw_free_list_give(&exchange->upstream->free_exchanges, exchange);
}

static void on_after(struct gw_deferred *deferred)
{
    struct gw_exchange *exchange = GW_CONTAINER_OF(deferred, struct gw_exchange, after);
    if (exchange->state == GW_EXCHANGE_OVER) {
        free_exchange(exchange);
        return;
    }
    gw_exchange_tell_writable(exchange);
    if (exchange->state != GW_EXCHANGE_OVER && exchange->conn->h2 != NULL) {
        gw_uph2_resume(exchange->conn, exchange);
    }
}

/* Leaves the connection; the memory stays until the end of the callback. */
static void end_quietly(struct gw_exchange *exchange)
{
    gw_exchange_set_state(exchange, GW_EXCHANGE_OVER);
    gw_upconn_leave(exchange);
    gw_list_append(&exchange->upstream->ended, &exchange->node);
    gw_loop_defer(exchange->upstream->loop, &exchange->after);
}

void gw_exchange_end(struct gw_exchange *exchange)
{
    end_quietly(exchange);
    exchange->events->on_end(exchange->user);
}

/* May it be sent again because nothing of it was answered? */
static bool is_stale(const struct gw_exchange *exchange, const struct gw_cause *cause)
{
    if (cause->is_unprocessed) {
        return true;
    }
    bool is_unanswered =
        exchange->state == GW_EXCHANGE_SENDING || exchange->state == GW_EXCHANGE_WAITING;
    return exchange->timings.is_reused && is_unanswered && cause->is_connection_lost;
}

void gw_exchange_fail(struct gw_exchange *exchange, const struct gw_cause *cause)
{
    char peer[GW_PEER_TEXT_BYTES];
    struct gw_exchange_failure failure = {
        .phase = gw_exchange_phase(exchange),
        .err = cause->err,
        .is_stale = is_stale(exchange, cause),
        .timeout_ms = cause->timeout_ms,
        .peer = gw_exchange_format_peer(exchange, peer),
        .detail = cause->detail,
    };
    if (failure.detail.len == 0) {
        failure.detail = gw_failure_default_detail(failure.phase, failure.err);
    }
    end_quietly(exchange);
    exchange->events->on_error(exchange->user, &failure);
}

void gw_exchange_cancel(struct gw_exchange **exchange)
{
    struct gw_exchange *old = *exchange;
    if (old != NULL) {
        *exchange = NULL;
        end_quietly(old);
    }
}

/* ---- the start ---- */

static uint32_t limit_ms(uint64_t ms)
{
    return ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX; /* 49 days are no limit either */
}

enum gw_err gw_exchange_own_head(struct gw_exchange *exchange)
{
    if (!exchange->head_is_borrowed) {
        return GW_OK;
    }
    /* What has left already is not needed again: who sends again does so from his own data. */
    uint32_t left = exchange->head_len - exchange->head_sent;
    char *copy = gw_try_alloc(left);
    if (copy == NULL) {
        return GW_ERR_NOMEM;
    }
    memcpy(copy, exchange->head + exchange->head_sent, left);
    exchange->head = copy;
    exchange->head_len = left;
    exchange->head_sent = 0;
    exchange->head_is_borrowed = false;
    return GW_OK;
}

static void init_exchange(struct gw_exchange *exchange, const struct gw_exchange_request *request)
{
    struct gw_pool *pool = request->pool;
    struct gw_upstream *upstream = pool->upstream;
    const struct gw_upstream_timeouts *timeouts = &request->timeouts;
    exchange->upstream = upstream;
    exchange->pool = pool;
    exchange->connect_ms = limit_ms(timeouts->connect_ms);
    exchange->tls_ms = limit_ms(timeouts->tls_ms);
    exchange->first_byte_ms = limit_ms(timeouts->first_byte_ms);
    exchange->idle_ms = limit_ms(timeouts->idle_ms);
    exchange->total_ms = limit_ms(timeouts->total_ms);
    exchange->phase_at_ms = GW_NEVER_MS;
    exchange->total_at_ms =
        timeouts->total_ms == 0 ? GW_NEVER_MS : gw_loop_now_ms(upstream->loop) + exchange->total_ms;
    exchange->is_streamed = request->is_streamed;
    exchange->is_chunked = request->is_streamed && request->content_length == GW_LENGTH_UNKNOWN;
    exchange->body_left = request->content_length;
    exchange->is_bodyless = gw_str_eq(request->method, GW_STR("HEAD"));
    exchange->head = upstream->head.ptr;
    exchange->head_len = (uint32_t)upstream->head.len;
    exchange->head_is_borrowed = true;
    if (!request->is_streamed) {
        exchange->runs = request->body_runs;
        exchange->run_count = (uint32_t)request->body_run_count;
    }
    gw_list_init(&exchange->node);
    gw_timer_init(&exchange->timer, upstream->loop, on_timer);
    gw_deferred_init(&exchange->after, on_after);
    gw_chunkq_init(&exchange->queue, gw_loop_chunks(upstream->loop));
    gw_chunkq_init(&exchange->arrived, gw_loop_chunks(upstream->loop));
    exchange->timings.started_at_ns = gw_clock_mono_ns();
}

enum gw_err gw_exchange_start(const struct gw_exchange_request *request,
                              const struct gw_exchange_events *events, void *user,
                              struct gw_exchange **out)
{
    struct gw_upstream *upstream = request->pool->upstream;
    enum gw_err err = gw_request_head_write(&upstream->head, request);
    if (err != GW_OK) {
        return err;
    }
    struct gw_exchange *exchange =
        gw_free_list_try_take(&upstream->free_exchanges, sizeof(*exchange));
    if (exchange == NULL) {
        return GW_ERR_NOMEM;
    }
    init_exchange(exchange, request);
    exchange->events = events;
    exchange->user = user;
    err = gw_pool_dispatch(request->pool, exchange, request->fresh_connection);
    if (err == GW_OK) {
        err = gw_exchange_own_head(exchange);
    }
    if (err != GW_OK) {
        gw_exchange_cancel(&exchange);
        return err;
    }
    if (exchange->state == GW_EXCHANGE_CONNECTING) {
        arm(exchange);
    }
    *out = exchange;
    return GW_OK;
}

void gw_exchange_redispatch(struct gw_exchange *exchange)
{
    enum gw_err err = gw_pool_dispatch(exchange->pool, exchange, false);
    if (err != GW_OK) {
        const struct gw_cause cause = {.err = err};
        gw_exchange_fail(exchange, &cause);
    }
}

/* ---- what its owner asks for ---- */

/* Has its HTTP/1 connection taken it? */
static bool is_on_h1(const struct gw_exchange *exchange)
{
    return exchange->state != GW_EXCHANGE_CONNECTING && exchange->conn->h2 == NULL;
}

enum gw_err gw_exchange_write(struct gw_exchange *exchange, struct gw_str bytes)
{
    GW_ASSERT(exchange->is_streamed && !exchange->is_body_ended);
    if (bytes.len == 0) {
        return GW_OK;
    }
    if (!exchange->is_chunked) {
        if (bytes.len > exchange->body_left) {
            return GW_ERR_OVERFLOW;
        }
        exchange->body_left -= bytes.len;
    }
    bool was_empty = gw_chunkq_len(&exchange->queue) == 0;
    enum gw_err err = is_on_h1(exchange) ? gw_uph1_write(exchange->conn, exchange, bytes)
                                         : gw_chunkq_append(&exchange->queue, bytes);
    if (err != GW_OK) {
        return err;
    }
    if (was_empty) {
        gw_exchange_touch(exchange);
    }
    if (gw_chunkq_len(&exchange->queue) >= GW_UPSTREAM_HIGH_WATER) {
        exchange->wants_writable = true;
    }
    if (exchange->stream_id != 0) {
        gw_uph2_send_more(exchange->conn, exchange);
    }
    return GW_OK;
}

enum gw_err gw_exchange_end_body(struct gw_exchange *exchange)
{
    GW_ASSERT(exchange->is_streamed && !exchange->is_body_ended);
    if (!exchange->is_chunked && exchange->body_left > 0) {
        return GW_ERR_INVALID;
    }
    exchange->is_body_ended = true;
    if (is_on_h1(exchange)) {
        return gw_uph1_end_body(exchange->conn, exchange);
    }
    if (exchange->stream_id != 0) {
        gw_uph2_send_more(exchange->conn, exchange);
    }
    return GW_OK;
}

bool gw_exchange_can_write(const struct gw_exchange *exchange)
{
    return !exchange->wants_writable;
}

void gw_exchange_pause(struct gw_exchange *exchange, bool paused)
{
    if (exchange->is_paused == paused) {
        return;
    }
    exchange->is_paused = paused;
    if (exchange->state == GW_EXCHANGE_CONNECTING) {
        return; /* the connection looks when it begins */
    }
    restart_phase(exchange);
    if (exchange->conn->h2 == NULL) {
        gw_stream_set_reading(exchange->conn->stream, !paused);
    } else if (!paused) {
        gw_loop_defer(exchange->upstream->loop, &exchange->after);
    }
}

const struct gw_exchange_timings *gw_exchange_timings(const struct gw_exchange *exchange)
{
    return &exchange->timings;
}
