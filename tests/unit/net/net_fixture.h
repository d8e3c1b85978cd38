/* SPDX-License-Identifier: MIT */
/*
 * net_fixture - two ends of a connection over a real loopback socket, both on one loop, that note
 * what happens to them.
 *
 * A test sets hooks on the ends, starts something and runs the loop until a condition over both
 * ends holds; nothing sleeps.
 */
#ifndef GW_TESTS_NET_FIXTURE_H
#define GW_TESTS_NET_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "net/listener.h"
#include "net/stream.h"

#define FIXTURE_WAIT_MS   20000 /* a test that takes as long has failed */
#define FIXTURE_MAX_BYTES (64u * 1024 * 1024)

struct net;

struct end {
    struct net *net;
    const char *name;
    struct gw_stream *stream; /* NULL once closed */
    /* what was seen */
    struct gw_buf received;
    unsigned opens;
    unsigned reads;
    unsigned writables;
    unsigned ends;
    enum gw_err err;
    char detail[600];
    bool was_h2;
    bool was_resumed;
    /* what is still to be written */
    const char *out;
    size_t out_len;
    size_t out_at;
    enum gw_err write_err;
    /* hooks; NULL: only take notes. Reading goes on at open unless |stay_paused|. */
    void (*at_open)(struct end *end);
    void (*at_read)(struct end *end);
    void (*at_writable)(struct end *end);
    void (*at_end)(struct end *end);
    bool stay_paused;
};

struct net {
    struct gw_loop *loop;
    struct gw_listener *listener;
    struct gw_address address;
    struct gw_tls_server *server_tls;     /* NULL: plain */
    struct gw_stream_tls_opts client_tls; /* .tls NULL: plain */
    struct end client;
    struct end server;
    unsigned accepts;
    bool (*until)(struct net *net);
    bool done;
};

static inline void end_check(struct end *end)
{
    struct net *net = end->net;
    net->done = net->until != NULL && net->until(net);
}

/* Writes what is left of out. */
static inline void end_push(struct end *end)
{
    while (end->stream != NULL && end->out_at < end->out_len) {
        struct iovec iov[3];
        size_t left = end->out_len - end->out_at;
        size_t third = left / 3;
        /* Three uneven pieces: gathering is part of what is tested. */
        const size_t sizes[3] = {third, 0, left - third};
        size_t at = end->out_at;
        for (int i = 0; i < 3; i++) {
            iov[i] =
                (struct iovec){.iov_base = (void *)(uintptr_t)(end->out + at), .iov_len = sizes[i]};
            at += sizes[i];
        }
        size_t sent = 0;
        enum gw_err err = gw_stream_writev(end->stream, iov, 3, &sent);
        end->out_at += sent;
        end->write_err = err;
        if (err != GW_OK) {
            return;
        }
        assert_int_equal(sent, left);
    }
}

static inline void end_write(struct end *end, const char *bytes, size_t len)
{
    end->out = bytes;
    end->out_len = len;
    end->out_at = 0;
    end_push(end);
}

static inline void end_on_open(void *user)
{
    struct end *end = user;
    const struct gw_stream_tls_opts *tls = &end->net->client_tls;
    if (end == &end->net->client && tls->tls != NULL && !gw_stream_is_tls(end->stream)) {
        assert_int_equal(gw_stream_start_tls(end->stream, tls), GW_OK);
        assert_true(gw_stream_is_tls(end->stream));
        return;
    }
    end->opens++;
    end->was_h2 = gw_stream_is_h2(end->stream);
    end->was_resumed = gw_stream_is_resumed(end->stream);
    if (!end->stay_paused) {
        gw_stream_set_reading(end->stream, true);
    }
    if (end->at_open != NULL) {
        end->at_open(end);
    }
    end_check(end);
}

static inline void end_on_read(void *user, struct gw_str bytes)
{
    struct end *end = user;
    assert_true(bytes.len > 0);
    assert_int_equal(end->ends, 0);
    end->reads++;
    assert_int_equal(gw_buf_append(&end->received, bytes), GW_OK);
    if (end->at_read != NULL) {
        end->at_read(end);
    }
    end_check(end);
}

static inline void end_on_writable(void *user)
{
    struct end *end = user;
    end->writables++;
    end_push(end);
    if (end->at_writable != NULL) {
        end->at_writable(end);
    }
    end_check(end);
}

static inline void end_on_end(void *user, enum gw_err err, struct gw_str detail)
{
    struct end *end = user;
    end->ends++;
    end->err = err;
    assert_true(detail.len > 0);
    (void)snprintf(end->detail, sizeof(end->detail), GW_STR_FMT, GW_STR_ARG(detail));
    if (end->at_end != NULL) {
        end->at_end(end);
    }
    end_check(end);
}

static const struct gw_stream_events end_events = {
    .on_open = end_on_open,
    .on_read = end_on_read,
    .on_writable = end_on_writable,
    .on_end = end_on_end,
};

static inline void fixture_on_accept(void *user, int fd, const struct gw_address *peer)
{
    struct net *net = user;
    net->accepts++;
    assert_true(gw_address_is_loopback(peer));
    assert_null(net->server.stream);
    assert_int_equal(gw_stream_accept(net->loop, fd, net->server_tls, &end_events, &net->server,
                                      &net->server.stream),
                     GW_OK);
}

static inline void end_init(struct end *end, struct net *net, const char *name)
{
    *end = (struct end){.net = net, .name = name};
    gw_buf_init(&end->received, FIXTURE_MAX_BYTES);
}

/* Forgets what an end saw, to use it for the next connection. */
static inline void end_again(struct end *end)
{
    gw_stream_close(&end->stream);
    gw_buf_fini(&end->received);
    end_init(end, end->net, end->name);
}

/* A loop and a listener on |address|. */
static inline void net_init_at(struct net *net, const struct gw_address *address)
{
    *net = (struct net){0};
    end_init(&net->client, net, "client");
    end_init(&net->server, net, "server");
    assert_int_equal(gw_loop_create(&net->loop), GW_OK);
    int fd = -1;
    assert_int_equal(gw_listener_open_fd(address, &fd, &net->address), GW_OK);
    assert_int_equal(gw_listener_create(net->loop, fd, fixture_on_accept, net, &net->listener),
                     GW_OK);
}

/* The same on 127.0.0.1 and a free port. */
static inline void net_init(struct net *net)
{
    struct gw_address address;
    assert_int_equal(gw_address_from_literal(GW_STR("127.0.0.1"), 0, &address), GW_OK);
    net_init_at(net, &address);
}

static inline void net_fini(struct net *net)
{
    gw_stream_close(&net->client.stream);
    gw_stream_close(&net->server.stream);
    gw_listener_destroy(&net->listener);
    gw_loop_destroy(&net->loop);
    gw_buf_fini(&net->client.received);
    gw_buf_fini(&net->server.received);
}

static inline void net_connect(struct net *net)
{
    const struct gw_stream_connect_opts opts = {.address = &net->address};
    assert_int_equal(
        gw_stream_connect(net->loop, &opts, &end_events, &net->client, &net->client.stream), GW_OK);
    assert_int_equal(net->client.opens, 0);
}

/* Runs the loop until |until| holds; fails when it does not come to that. */
static inline void net_run(struct net *net, bool (*until)(struct net *net))
{
    net->until = until;
    net->done = until(net);
    gw_loop_run_deferred(net->loop); /* what the test itself queued, outside any callback */
    gw_loop_run_until(net->loop, &net->done, FIXTURE_WAIT_MS);
    if (!net->done) {
        fail_msg("client: opens %u reads %u bytes %zu writables %u ends %u (%s, %s); "
                 "server: opens %u reads %u bytes %zu writables %u ends %u (%s, %s)",
                 net->client.opens, net->client.reads, net->client.received.len,
                 net->client.writables, net->client.ends, gw_err_name(net->client.err),
                 net->client.detail, net->server.opens, net->server.reads, net->server.received.len,
                 net->server.writables, net->server.ends, gw_err_name(net->server.err),
                 net->server.detail);
    }
    net->until = NULL;
}

/* Runs a few turns in which nothing is expected to happen any more. */
static inline void net_settle(struct net *net)
{
    for (int i = 0; i < 5; i++) {
        (void)uv_run(gw_loop_uv(net->loop), UV_RUN_NOWAIT);
        gw_loop_run_deferred(net->loop);
    }
}

/* ---- conditions ---- */

static inline bool both_open(struct net *net)
{
    return net->client.opens > 0 && net->server.opens > 0;
}

static inline bool client_ended(struct net *net)
{
    return net->client.ends > 0;
}

static inline bool server_ended(struct net *net)
{
    return net->server.ends > 0;
}

static inline bool both_ended(struct net *net)
{
    return client_ended(net) && server_ended(net);
}

static inline bool server_received_all(struct net *net)
{
    return net->server.received.len >= net->client.out_len;
}

static inline bool client_received_all(struct net *net)
{
    return net->client.received.len >= net->server.out_len;
}

static inline bool both_received_all(struct net *net)
{
    return server_received_all(net) && client_received_all(net);
}

/* ---- bytes ---- */

/* |len| bytes that do not repeat soon; free() them. */
static inline char *make_bytes(size_t len, uint64_t seed)
{
    char *bytes = gw_alloc(len + 1);
    for (size_t i = 0; i < len; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (char)(seed >> 56);
    }
    bytes[len] = '\0';
    return bytes;
}

static inline void assert_received(const struct end *end, const char *bytes, size_t len)
{
    assert_int_equal(end->received.len, len);
    assert_memory_equal(end->received.ptr, bytes, len);
}

#endif
