/* SPDX-License-Identifier: MIT */
/*
 * A connection:  epoll -> read -> (first bytes decide) h1 or h2 -> exchange
 *                exchange -> h1 or h2 -> out -> write, now or when the socket is ready again.
 */
#include "mockllm/conn.h"

#include <string.h>
#include <sys/epoll.h>

#include "common/net.h"
#include "mockllm/h1.h"
#include "mockllm/h2.h"
#include "mockllm/stats.h"
#include "mockllm/worker.h"

static const char PREFACE[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/* What an idle connection may keep of a large answer. */
#define KEEP_OUT_BYTES (16u * 1024u)

/* Reads per wake-up, so that one upload does not starve the others. */
#define READS_PER_TURN 4

static bench_on_ready_fn on_ready;
static bench_on_timer_fn on_trickle;
static bench_on_timer_fn on_close_due;
static bench_on_deferred_fn on_release;

void mock_conn_open(struct mock_worker *worker, int fd, SSL_CTX *tls)
{
    struct mock_conn *conn = bench_alloc(sizeof(*conn));
    conn->worker = worker;
    conn->watch = (struct bench_watch){.fd = fd, .on_ready = on_ready};
    conn->trickle_timer.on_timer = on_trickle;
    conn->close_timer.on_timer = on_close_due;
    conn->release.run = on_release;
    mock_stats_count_accept(worker->stats);
    bench_loop_watch(&worker->loop, &conn->watch, EPOLLIN | EPOLLRDHUP);
    if (!bench_stream_init(&conn->stream, fd, tls, true)) {
        mock_conn_close(conn, true);
    }
}

static void on_release(struct bench_deferred *deferred)
{
    struct mock_conn *conn = BENCH_CONTAINER_OF(deferred, struct mock_conn, release);
    if (conn->proto != NULL) {
        conn->proto->on_release(conn);
    }
    bench_buf_fini(&conn->first);
    bench_buf_fini(&conn->out);
    bench_free(conn);
}

static void end(struct mock_conn *conn, bool reset, bool by_peer)
{
    if (conn->watch.fd == -1) {
        return;
    }
    bench_stream_fini(&conn->stream, !reset && !by_peer);
    if (reset) {
        bench_net_reset_on_close(conn->watch.fd);
    }
    bench_loop_close(&conn->worker->loop, &conn->watch);
    bench_timer_disarm(&conn->worker->loop, &conn->trickle_timer);
    bench_timer_disarm(&conn->worker->loop, &conn->close_timer);
    mock_stats_count_close(conn->worker->stats);
    if (conn->proto != NULL) {
        conn->proto->on_closed(conn, by_peer);
    }
    bench_loop_defer(&conn->worker->loop, &conn->release);
}

void mock_conn_close(struct mock_conn *conn, bool reset)
{
    end(conn, reset, false);
}

void mock_conn_close_when_sent(struct mock_conn *conn)
{
    conn->close_when_sent = true;
    mock_conn_flush(conn);
}

void mock_conn_close_later(struct mock_conn *conn, uint64_t after_us)
{
    bench_timer_arm(&conn->worker->loop, &conn->close_timer, conn->worker->loop.now_us + after_us);
}

void mock_conn_trickle(struct mock_conn *conn, uint64_t gap_us)
{
    conn->trickle_us = gap_us;
}

bool mock_conn_is_full(const struct mock_conn *conn)
{
    return conn->out.len >= MOCK_OUT_HIGH;
}

bool mock_conn_is_closed(const struct mock_conn *conn)
{
    return conn->watch.fd == -1;
}

static void update_interest(struct mock_conn *conn)
{
    uint32_t events = EPOLLRDHUP;
    events |= conn->read_paused ? 0u : (uint32_t)EPOLLIN;
    events |= conn->write_blocked ? (uint32_t)EPOLLOUT : 0u;
    bench_loop_rewatch(&conn->worker->loop, &conn->watch, events);
}

void mock_conn_pause_read(struct mock_conn *conn, bool paused)
{
    conn->read_paused = paused;
    update_interest(conn);
}

static void on_sent_all(struct mock_conn *conn)
{
    bench_buf_clear(&conn->out, KEEP_OUT_BYTES);
    if (conn->close_when_sent) {
        end(conn, false, false);
    } else if (conn->proto != NULL) {
        conn->proto->on_drained(conn);
    }
}

void mock_conn_flush(struct mock_conn *conn)
{
    if (mock_conn_is_closed(conn) || conn->write_blocked) {
        return;
    }
    bool had_bytes = conn->out.len > 0;
    while (conn->out.len > 0) {
        struct bench_str bytes = bench_buf_view(&conn->out);
        size_t sent = 0;
        if (conn->trickle_us > 0) {
            if (conn->trickle_timer.slot > 0) {
                return; /* the next byte is not due */
            }
            bytes.len = 1;
        }
        enum bench_io io = bench_stream_write(&conn->stream, bytes.ptr, bytes.len, &sent);
        if (io == BENCH_IO_AGAIN) {
            conn->write_blocked = true;
            update_interest(conn);
            return;
        }
        if (io != BENCH_IO_OK) {
            end(conn, false, true);
            return;
        }
        mock_stats_count_sent(conn->worker->stats, sent);
        bench_buf_drop(&conn->out, sent);
        if (conn->trickle_us > 0 && conn->out.len > 0) {
            bench_timer_arm(&conn->worker->loop, &conn->trickle_timer,
                            conn->worker->loop.now_us + conn->trickle_us);
            return;
        }
    }
    if (had_bytes || conn->close_when_sent) {
        on_sent_all(conn);
    }
}

static void on_trickle(struct bench_timer *timer)
{
    mock_conn_flush(BENCH_CONTAINER_OF(timer, struct mock_conn, trickle_timer));
}

static void on_close_due(struct bench_timer *timer)
{
    end(BENCH_CONTAINER_OF(timer, struct mock_conn, close_timer), false, false);
}

/* Returns false while the bytes so far may still become an HTTP/2 preface. */
static bool choose_proto(struct mock_conn *conn)
{
    size_t preface_len = sizeof(PREFACE) - 1;
    size_t n = conn->first.len < preface_len ? conn->first.len : preface_len;
    bool same = memcmp(conn->first.ptr + conn->first.head, PREFACE, n) == 0;
    if (bench_stream_is_h2(&conn->stream) || (same && n == preface_len)) {
        mock_h2_start(conn);
        return true;
    }
    if (same) {
        return false;
    }
    mock_h1_start(conn);
    return true;
}

static void take_bytes(struct mock_conn *conn, struct bench_str bytes)
{
    mock_stats_count_received(conn->worker->stats, bytes.len);
    if (conn->proto != NULL) {
        conn->proto->on_bytes(conn, bytes);
        return;
    }
    bench_buf_str(&conn->first, bytes);
    if (choose_proto(conn)) {
        if (!mock_conn_is_closed(conn)) {
            conn->proto->on_bytes(conn, bench_buf_view(&conn->first));
        }
        bench_buf_fini(&conn->first);
    }
}

static void read_some(struct mock_conn *conn)
{
    for (int i = 0; i < READS_PER_TURN && !conn->read_paused; i++) {
        size_t got = 0;
        enum bench_io io =
            bench_stream_read(&conn->stream, conn->worker->read_buf, MOCK_READ_BYTES, &got);
        if (io == BENCH_IO_AGAIN) {
            if (conn->stream.wants_write) {
                conn->write_blocked = true;
                update_interest(conn);
            }
            return;
        }
        if (io != BENCH_IO_OK) {
            end(conn, false, true);
            return;
        }
        take_bytes(conn, (struct bench_str){.ptr = conn->worker->read_buf, .len = got});
        if (mock_conn_is_closed(conn)) {
            return;
        }
        if (got < MOCK_READ_BYTES && !bench_stream_has_pending(&conn->stream)) {
            return;
        }
    }
}

static void on_ready(struct bench_watch *watch, uint32_t events)
{
    struct mock_conn *conn = BENCH_CONTAINER_OF(watch, struct mock_conn, watch);
    if ((events & EPOLLOUT) != 0) {
        conn->write_blocked = false;
        update_interest(conn);
        mock_conn_flush(conn);
    }
    if (mock_conn_is_closed(conn)) {
        return;
    }
    bool gone = (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP)) != 0;
    if (conn->read_paused) {
        if (gone) {
            end(conn, false, true);
        }
        return;
    }
    read_some(conn);
}
