/* SPDX-License-Identifier: MIT */
/* Client connections: connect, read, write, time out, connect again. */
#include "loadgen/conn.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>

#include "common/net.h"

/* Connections from one source address: the default ephemeral range holds 28,232 ports. */
#define CONNS_PER_SOURCE 25000u

/* Wait before the next attempt after a failed connect: a server that is down costs no CPU. */
#define RECONNECT_US 50000u

/* How often a connection looks for a call that takes too long. */
#define CHECK_US 500000u

#define READ_BYTES (256u * 1024u)

static bench_on_ready_fn on_ready;
static bench_on_timer_fn on_timer;
static bench_on_deferred_fn on_reopen;

static int connect_socket(const struct load_conn *conn)
{
    const struct load_config *config = &conn->run->config;
    char source[16];
    if (config->unix_path != NULL) {
        return bench_net_connect_unix(config->unix_path);
    }
    if (config->connections <= CONNS_PER_SOURCE) {
        return bench_net_connect(config->host, config->port, NULL);
    }
    snprintf(source, sizeof(source), "127.0.0.%u",
             (unsigned)(2 + conn->index / CONNS_PER_SOURCE) & 255u);
    return bench_net_connect(config->host, config->port, source);
}

static void open_socket(struct load_conn *conn)
{
    conn->connected = false;
    conn->watch = (struct bench_watch){.fd = connect_socket(conn), .on_ready = on_ready};
    if (conn->watch.fd == -1 ||
        !bench_stream_init(&conn->stream, conn->watch.fd, conn->run->config.tls, false)) {
        load_count_error(conn->run, LOAD_ERROR_CONNECT);
        bench_loop_close(&conn->run->loop, &conn->watch);
        bench_timer_arm(&conn->run->loop, &conn->timer, conn->run->loop.now_us + RECONNECT_US);
        return;
    }
    conn->run->totals.connects++;
    bench_loop_watch(&conn->run->loop, &conn->watch, EPOLLIN | EPOLLOUT);
    bench_timer_arm(&conn->run->loop, &conn->timer, conn->run->loop.now_us + CHECK_US);
}

struct load_conn *load_conn_create(struct load_run *run, uint64_t index)
{
    struct load_conn *conn = bench_alloc(sizeof(*conn));
    conn->run = run;
    conn->index = index;
    conn->proto = run->config.http2 ? &load_h2 : &load_h1;
    conn->timer.on_timer = on_timer;
    conn->reopen.run = on_reopen;
    conn->calls_left = run->config.repeat * run->config.calls_per_connection;
    open_socket(conn);
    return conn;
}

static void close_socket(struct load_conn *conn, enum load_error error)
{
    if (conn->watch.fd == -1) {
        return;
    }
    if (conn->session != NULL) {
        conn->proto->stop(conn, error);
        conn->session = NULL;
    }
    bench_stream_fini(&conn->stream, true);
    bench_loop_close(&conn->run->loop, &conn->watch);
    bench_timer_disarm(&conn->run->loop, &conn->timer);
    bench_buf_clear(&conn->out, 16384);
}

void load_conn_destroy(struct load_conn *conn)
{
    close_socket(conn, LOAD_ERROR_CLOSED);
    bench_timer_disarm(&conn->run->loop, &conn->timer);
    bench_buf_fini(&conn->out);
    bench_free(conn);
}

static void mark_finished(struct load_conn *conn)
{
    if (!conn->finished) {
        conn->finished = true;
        conn->run->slots_left--;
    }
}

void load_conn_finish(struct load_conn *conn)
{
    mark_finished(conn);
    /* Not at once: the caller may be inside the protocol's own code. */
    bench_loop_defer(&conn->run->loop, &conn->reopen);
}

bool load_conn_take_call(struct load_conn *conn)
{
    if (conn->run->stopping) {
        return false;
    }
    if (conn->run->config.streamed) {
        if (conn->calls_left == 0) {
            return false;
        }
        conn->calls_left--;
    }
    return true;
}

void load_conn_give_back_call(struct load_conn *conn)
{
    if (conn->run->config.streamed) {
        conn->calls_left++;
    }
}

/* Runs at the end of the loop turn: closes a finished connection, opens a broken one again. */
static void on_reopen(struct bench_deferred *deferred)
{
    struct load_conn *conn = BENCH_CONTAINER_OF(deferred, struct load_conn, reopen);
    close_socket(conn, LOAD_ERROR_CLOSED);
    if (conn->run->stopping) {
        mark_finished(conn);
    }
    if (!conn->finished) {
        open_socket(conn);
    }
}

static void connect_failed(struct load_conn *conn)
{
    load_count_error(conn->run, LOAD_ERROR_CONNECT);
    close_socket(conn, LOAD_ERROR_CONNECT);
    bench_timer_arm(&conn->run->loop, &conn->timer, conn->run->loop.now_us + RECONNECT_US);
}

void load_conn_renew(struct load_conn *conn)
{
    if (conn->calls_left == 0 && conn->run->config.streamed) {
        load_conn_finish(conn);
    } else {
        bench_loop_defer(&conn->run->loop, &conn->reopen);
    }
}

static void broken(struct load_conn *conn, enum load_error error)
{
    close_socket(conn, error);
    load_conn_renew(conn);
}

static void on_timer(struct bench_timer *timer)
{
    struct load_conn *conn = BENCH_CONTAINER_OF(timer, struct load_conn, timer);
    if (conn->watch.fd == -1) {
        bench_loop_defer(&conn->run->loop, &conn->reopen);
        return;
    }
    uint64_t now_us = conn->run->loop.now_us;
    uint64_t oldest_us = conn->session == NULL ? 0 : conn->proto->oldest_us(conn);
    if (oldest_us != 0 && oldest_us + conn->run->config.timeout_us < now_us) {
        broken(conn, LOAD_ERROR_TIMEOUT);
        return;
    }
    bench_timer_arm(&conn->run->loop, &conn->timer, now_us + CHECK_US);
}

static void watch_for(struct load_conn *conn, bool writing)
{
    bench_loop_rewatch(&conn->run->loop, &conn->watch,
                       EPOLLIN | (writing ? (uint32_t)EPOLLOUT : 0u));
}

void load_conn_flush(struct load_conn *conn)
{
    if (!conn->connected) {
        return;
    }
    if (conn->proto->fill != NULL) {
        conn->proto->fill(conn);
    }
    while (conn->out.len > 0) {
        struct bench_str bytes = bench_buf_view(&conn->out);
        size_t sent = 0;
        enum bench_io io = bench_stream_write(&conn->stream, bytes.ptr, bytes.len, &sent);
        if (io == BENCH_IO_AGAIN) {
            watch_for(conn, conn->stream.wants_write);
            return;
        }
        if (io != BENCH_IO_OK) {
            broken(conn, LOAD_ERROR_CLOSED);
            return;
        }
        bench_buf_drop(&conn->out, sent);
        if (conn->out.len == 0 && conn->proto->fill != NULL) {
            conn->proto->fill(conn);
        }
    }
    watch_for(conn, false);
}

static void read_some(struct load_conn *conn)
{
    static char buf[READ_BYTES];
    for (;;) {
        size_t got = 0;
        enum bench_io io = bench_stream_read(&conn->stream, buf, sizeof(buf), &got);
        if (io == BENCH_IO_AGAIN) {
            return;
        }
        if (io != BENCH_IO_OK) {
            broken(conn, LOAD_ERROR_CLOSED);
            return;
        }
        conn->run->totals.bytes += got;
        if (!conn->proto->on_bytes(conn, (struct bench_str){.ptr = buf, .len = got})) {
            broken(conn, LOAD_ERROR_PROTOCOL);
            return;
        }
        if (conn->watch.fd == -1 ||
            (got < sizeof(buf) && !bench_stream_has_pending(&conn->stream))) {
            return;
        }
    }
}

static void on_ready(struct bench_watch *watch, uint32_t events)
{
    struct load_conn *conn = BENCH_CONTAINER_OF(watch, struct load_conn, watch);
    if (!conn->connected) {
        if (bench_net_connect_error(watch->fd) != 0) {
            connect_failed(conn);
            return;
        }
        conn->connected = true;
        conn->proto->start(conn);
        load_conn_flush(conn);
    } else if ((events & EPOLLOUT) != 0) {
        load_conn_flush(conn);
    }
    if (watch->fd != -1 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
        read_some(conn);
    }
    if (watch->fd != -1 && conn->out.len > 0) {
        load_conn_flush(conn); /* a TLS handshake moved on */
    }
}
