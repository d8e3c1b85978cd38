/* SPDX-License-Identifier: MIT */
/*
 * upstream_fixture - a client (what is tested) and scripted servers on real loopback sockets, all
 * on one loop.
 *
 * A test says what the server does with a complete request, starts exchanges and runs the loop
 * until a condition holds. Nothing sleeps: the condition is looked at in each turn of the loop.
 */
#ifndef GW_TESTS_UPSTREAM_FIXTURE_H
#define GW_TESTS_UPSTREAM_FIXTURE_H

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
#include "upstream/upstream.h"
#include "upstream/upstream_int.h"

#define WAIT_MS       20000 /* a test that takes as long has failed */
#define MAX_PEERS     64
#define MAX_BODY      (16u * 1024 * 1024)
#define LONG_LIMIT_MS 15000 /* a limit that must not be hit */

struct world;
struct peer;

/* One connection, seen from the server. */
struct peer {
    struct world *world;
    struct gw_stream *stream; /* NULL once closed */
    struct gw_buf in;         /* what came and is not yet a complete request */
    struct gw_chunkq out;
    unsigned requests;
    bool finish_when_sent; /* FIN behind the last byte of |out| */
    bool has_ended;        /* the client closed */
    enum gw_err err;
    void *own; /* of a test's own server */
};

/* A complete request: head and body. Valid until return. */
typedef void serve_fn(struct peer *peer, struct gw_str request);

struct world {
    struct gw_loop *loop;
    struct gw_upstream *upstream;
    struct gw_listener *listener;
    struct gw_address address;
    struct gw_tls_server *server_tls;
    struct gw_origin origin;
    char key[64];
    char host_header[64];
    struct gw_pool *pool;
    struct peer peers[MAX_PEERS];
    unsigned peer_count;
    unsigned requests;
    char last_request[8192];
    /* the script */
    serve_fn *serve;                  /* NULL: requests are not looked at */
    void (*at_accept)(struct peer *); /* the connection (with TLS, its handshake) stands */
    void (*at_read)(struct peer *);   /* raw bytes are in peer->in; instead of |serve| */
    void (*at_end)(struct peer *);
    const char *answer; /* for scripts that take their text from here */
    bool forgives;      /* memory fails on purpose: a server that gets none closes */
    /* the condition */
    bool (*until)(struct world *world, void *arg);
    void *until_arg;
    bool done;
};

/* ---- the server's side ---- */

static inline void peer_flush(struct peer *peer)
{
    while (peer->stream != NULL && gw_chunkq_len(&peer->out) > 0) {
        struct iovec iov[16];
        int count = gw_chunkq_peek(&peer->out, iov, 16);
        size_t sent = 0;
        enum gw_err err = gw_stream_writev(peer->stream, iov, count, &sent);
        gw_chunkq_consume(&peer->out, sent);
        if (err != GW_OK) {
            return;
        }
    }
    if (peer->stream != NULL && peer->finish_when_sent) {
        peer->finish_when_sent = false;
        gw_stream_shutdown_write(peer->stream);
    }
}

static inline void peer_send_bytes(struct peer *peer, struct gw_str bytes)
{
    if (gw_chunkq_append(&peer->out, bytes) != GW_OK) {
        assert_true(peer->world->forgives);
        gw_stream_close(&peer->stream);
        return;
    }
    peer_flush(peer);
}

static inline void peer_send(struct peer *peer, const char *text)
{
    peer_send_bytes(peer, gw_str_from_c(text));
}

static inline void peer_close(struct peer *peer)
{
    gw_stream_close(&peer->stream);
}

static inline void peer_reset(struct peer *peer)
{
    gw_stream_reset(&peer->stream);
}

static inline size_t head_length(struct gw_str text)
{
    size_t at = gw_str_find(text, GW_STR("\r\n\r\n"));
    return at == text.len ? 0 : at + 4;
}

/* The length of the first complete request in |text|, or 0. */
static inline size_t request_length(struct gw_str text)
{
    size_t head = head_length(text);
    if (head == 0) {
        return 0;
    }
    struct gw_str fields = gw_str(text.ptr, head);
    size_t at = gw_str_find(fields, GW_STR("\r\ncontent-length: "));
    if (at < fields.len) {
        struct gw_str rest = gw_str_skip(fields, at + 18);
        uint64_t length = 0;
        assert_int_equal(gw_parse_u64(gw_str(rest.ptr, gw_str_find_byte(rest, '\r')), &length),
                         GW_OK);
        return text.len >= head + length ? head + (size_t)length : 0;
    }
    if (gw_str_find(fields, GW_STR("\r\ntransfer-encoding: chunked\r\n")) < fields.len) {
        struct gw_str body = gw_str_skip(text, head);
        size_t end = gw_str_find(body, GW_STR("0\r\n\r\n"));
        return end < body.len ? head + end + 5 : 0;
    }
    return head;
}

static inline void peer_serve(struct peer *peer)
{
    size_t len = 0;
    while (peer->stream != NULL && (len = request_length(gw_buf_str(&peer->in))) > 0) {
        struct world *world = peer->world;
        char *copy = malloc(len + 1);
        memcpy(copy, peer->in.ptr, len);
        copy[len] = '\0';
        gw_buf_consume(&peer->in, len);
        peer->requests++;
        world->requests++;
        (void)snprintf(world->last_request, sizeof(world->last_request), "%s", copy);
        world->serve(peer, gw_str(copy, len));
        free(copy);
    }
}

static inline void peer_on_open(void *user)
{
    struct peer *peer = user;
    gw_stream_set_reading(peer->stream, true);
    if (peer->world->at_accept != NULL) {
        peer->world->at_accept(peer);
    }
}

static inline void peer_on_read(void *user, struct gw_str bytes)
{
    struct peer *peer = user;
    if (gw_buf_append(&peer->in, bytes) != GW_OK) {
        assert_true(peer->world->forgives);
        gw_stream_close(&peer->stream);
        return;
    }
    if (peer->world->at_read != NULL) {
        peer->world->at_read(peer);
    } else if (peer->world->serve != NULL) {
        peer_serve(peer);
    }
}

static inline void peer_on_writable(void *user)
{
    peer_flush(user);
}

static inline void peer_on_end(void *user, enum gw_err err, struct gw_str detail)
{
    struct peer *peer = user;
    (void)detail;
    peer->has_ended = true;
    peer->err = err;
    if (peer->world->at_end != NULL) {
        peer->world->at_end(peer);
    }
    gw_stream_close(&peer->stream);
}

static const struct gw_stream_events peer_events = {
    .on_open = peer_on_open,
    .on_read = peer_on_read,
    .on_writable = peer_on_writable,
    .on_end = peer_on_end,
};

static inline void world_on_accept(void *user, int fd, const struct gw_address *address)
{
    struct world *world = user;
    (void)address;
    assert_true(world->peer_count < MAX_PEERS);
    struct peer *peer = &world->peers[world->peer_count++];
    *peer = (struct peer){.world = world};
    gw_buf_init(&peer->in, MAX_BODY);
    gw_chunkq_init(&peer->out, gw_loop_chunks(world->loop));
    if (gw_stream_accept(world->loop, fd, world->server_tls, &peer_events, peer, &peer->stream) !=
        GW_OK) {
        assert_true(world->forgives);
    }
}

/* ---- the world ---- */

static inline void world_on_turn(void *user)
{
    struct world *world = user;
    if (!world->done && world->until != NULL && world->until(world, world->until_arg)) {
        world->done = true;
        uv_stop(gw_loop_uv(world->loop));
    }
}

/* Runs the loop until |until| holds; false when it does not come to that within |max_ms|. */
static inline bool world_try_run(struct world *world, bool (*until)(struct world *, void *),
                                 void *arg, uint64_t max_ms)
{
    world->until = until;
    world->until_arg = arg;
    world->done = false;
    gw_loop_run_until(world->loop, &world->done, max_ms);
    world->until = NULL;
    return world->done;
}

static inline void world_run(struct world *world, bool (*until)(struct world *, void *), void *arg)
{
    if (!world_try_run(world, until, arg, WAIT_MS)) {
        fail_msg("it did not come to that: %u connections, %u requests, last request: %s",
                 world->peer_count, world->requests, world->last_request);
    }
}

/* Runs turns in which nothing is expected to happen any more. */
static inline void world_settle(struct world *world)
{
    for (int i = 0; i < 10; i++) {
        (void)uv_run(gw_loop_uv(world->loop), UV_RUN_NOWAIT);
        gw_loop_run_deferred(world->loop);
    }
}

static inline void world_make_pool(struct world *world)
{
    gw_pool_release(&world->pool);
    world->pool = gw_upstream_pool(world->upstream, &world->origin);
}

static const struct gw_upstream_opts world_default_opts = {
    .max_idle_per_origin = 8,
    .idle_timeout_ms = LONG_LIMIT_MS,
    .dns_refresh_ms = 60000,
};

static inline void world_init_with(struct world *world, const struct gw_upstream_opts *opts)
{
    *world = (struct world){0};
    assert_int_equal(gw_loop_create(&world->loop), GW_OK);
    gw_loop_set_turn_end(world->loop, world_on_turn, world);
    struct gw_address address;
    assert_int_equal(gw_address_from_literal(GW_STR("127.0.0.1"), 0, &address), GW_OK);
    int fd = -1;
    assert_int_equal(gw_listener_open_fd(&address, &fd, &world->address), GW_OK);
    assert_int_equal(gw_listener_create(world->loop, fd, world_on_accept, world, &world->listener),
                     GW_OK);
    struct gw_upstream_opts full = *opts;
    full.loop = world->loop;
    world->upstream = gw_upstream_create(&full);
    uint16_t port = gw_address_port(&world->address);
    (void)snprintf(world->key, sizeof(world->key), "http://127.0.0.1:%u", port);
    (void)snprintf(world->host_header, sizeof(world->host_header), "127.0.0.1:%u", port);
    world->origin = (struct gw_origin){
        .key = gw_str_from_c(world->key),
        .host = GW_STR("127.0.0.1"),
        .port = port,
        .host_header = gw_str_from_c(world->host_header),
    };
    world->pool = gw_upstream_pool(world->upstream, &world->origin);
}

static inline void world_init(struct world *world)
{
    world_init_with(world, &world_default_opts);
}

static inline uint64_t counter(const _Atomic uint64_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

static inline void world_fini(struct world *world)
{
    gw_pool_release(&world->pool);
    const struct gw_upstream_counters *counters = gw_upstream_counters(world->upstream);
    world_settle(world);
    assert_int_equal(counter(&counters->idle), 0);
    assert_int_equal(counter(&counters->open), 0);
    gw_upstream_destroy(&world->upstream);
    assert_null(world->upstream);
    for (unsigned i = 0; i < world->peer_count; i++) {
        gw_stream_close(&world->peers[i].stream);
        gw_chunkq_clear(&world->peers[i].out);
        gw_buf_fini(&world->peers[i].in);
    }
    gw_listener_destroy(&world->listener);
    gw_tls_server_release(&world->server_tls);
    gw_loop_destroy(&world->loop);
}

/* ---- the client's side ---- */

struct client {
    struct world *world;
    struct gw_exchange *exchange; /* NULL once over */
    /* what was seen */
    unsigned responses;
    unsigned bodies;
    unsigned ends;
    unsigned errors;
    unsigned writables;
    unsigned status;
    uint64_t content_length;
    struct gw_buf fields; /* "name: value" lines */
    struct gw_buf body;
    struct gw_exchange_timings timings; /* at the end */
    enum gw_exchange_phase phase;
    enum gw_err err;
    bool is_stale;
    uint64_t timeout_ms;
    char peer[GW_PEER_TEXT_BYTES];
    char detail[400];
    /* hooks */
    void (*at_response)(struct client *client);
    void (*at_body)(struct client *client);
    void (*at_end)(struct client *client);
    void (*at_error)(struct client *client);
    void (*at_writable)(struct client *client);
};

static inline void client_on_response(void *user, const struct gw_response_head *head)
{
    struct client *client = user;
    client->responses++;
    client->status = head->status;
    client->content_length = head->content_length;
    for (size_t i = 0; i < head->header_count; i++) {
        (void)gw_buf_appendf(&client->fields, GW_STR_FMT ": " GW_STR_FMT "\n",
                             GW_STR_ARG(head->headers[i].name), GW_STR_ARG(head->headers[i].value));
    }
    if (client->at_response != NULL) {
        client->at_response(client);
    }
}

static inline void client_on_body(void *user, struct gw_str bytes)
{
    struct client *client = user;
    assert_int_equal(client->responses, 1);
    assert_true(bytes.len > 0);
    client->bodies++;
    if (gw_buf_append(&client->body, bytes) != GW_OK) {
        assert_true(client->world->forgives);
    }
    if (client->at_body != NULL) {
        client->at_body(client);
    }
}

static inline void client_on_end(void *user)
{
    struct client *client = user;
    assert_int_equal(client->responses, 1);
    assert_int_equal(client->ends + client->errors, 0);
    client->ends++;
    client->timings = *gw_exchange_timings(client->exchange);
    client->exchange = NULL;
    if (client->at_end != NULL) {
        client->at_end(client);
    }
}

static inline void client_on_error(void *user, const struct gw_exchange_failure *failure)
{
    struct client *client = user;
    assert_int_equal(client->ends + client->errors, 0);
    client->errors++;
    client->timings = *gw_exchange_timings(client->exchange);
    client->exchange = NULL;
    client->phase = failure->phase;
    client->err = failure->err;
    client->is_stale = failure->is_stale;
    client->timeout_ms = failure->timeout_ms;
    assert_true(failure->detail.len > 0);
    assert_true(failure->peer.len > 0);
    (void)snprintf(client->peer, sizeof(client->peer), GW_STR_FMT, GW_STR_ARG(failure->peer));
    (void)snprintf(client->detail, sizeof(client->detail), GW_STR_FMT, GW_STR_ARG(failure->detail));
    if (client->at_error != NULL) {
        client->at_error(client);
    }
}

static inline void client_on_writable(void *user)
{
    struct client *client = user;
    client->writables++;
    if (client->at_writable != NULL) {
        client->at_writable(client);
    }
}

static const struct gw_exchange_events client_events = {
    .on_response = client_on_response,
    .on_body = client_on_body,
    .on_end = client_on_end,
    .on_error = client_on_error,
    .on_writable = client_on_writable,
};

static inline void client_init(struct client *client, struct world *world)
{
    *client = (struct client){.world = world};
    gw_buf_init(&client->fields, MAX_BODY);
    gw_buf_init(&client->body, MAX_BODY);
}

static inline void client_fini(struct client *client)
{
    gw_exchange_cancel(&client->exchange);
    gw_buf_fini(&client->fields);
    gw_buf_fini(&client->body);
}

/* A GET of "/" with limits that are not hit. */
static inline struct gw_exchange_request make_request(struct world *world)
{
    return (struct gw_exchange_request){
        .pool = world->pool,
        .method = GW_STR("GET"),
        .target = GW_STR("/"),
        .timeouts =
            {
                .connect_ms = LONG_LIMIT_MS,
                .tls_ms = LONG_LIMIT_MS,
                .first_byte_ms = LONG_LIMIT_MS,
                .idle_ms = LONG_LIMIT_MS,
                .total_ms = 2 * LONG_LIMIT_MS,
            },
    };
}

static inline void client_start_with(struct client *client,
                                     const struct gw_exchange_request *request)
{
    assert_int_equal(gw_exchange_start(request, &client_events, client, &client->exchange), GW_OK);
    assert_int_equal(client->responses + client->errors + client->ends, 0);
}

static inline void client_start(struct client *client)
{
    const struct gw_exchange_request request = make_request(client->world);
    client_start_with(client, &request);
}

/* ---- conditions ---- */

static inline bool client_is_over(struct world *world, void *arg)
{
    const struct client *client = arg;
    (void)world;
    return client->ends + client->errors > 0;
}

static inline bool all_idle(struct world *world, void *arg)
{
    (void)arg;
    const struct gw_upstream_counters *counters = gw_upstream_counters(world->upstream);
    return counter(&counters->open) == counter(&counters->idle);
}

static inline bool none_open(struct world *world, void *arg)
{
    (void)arg;
    return counter(&gw_upstream_counters(world->upstream)->open) == 0;
}

/* Has a part of the body come? */
static inline bool has_body(struct world *world, void *arg)
{
    (void)world;
    return ((struct client *)arg)->bodies > 0;
}

static inline void client_run(struct client *client)
{
    world_run(client->world, client_is_over, client);
}

/* Starts, runs to the end; the client's notes tell the rest. */
static inline void client_do(struct client *client)
{
    client_start(client);
    client_run(client);
}

static inline void assert_ended(const struct client *client, unsigned status, const char *body)
{
    if (client->errors > 0) {
        fail_msg("failed in %s: %s, %s, peer %s", gw_exchange_phase_text(client->phase),
                 gw_err_name(client->err), client->detail, client->peer);
    }
    assert_int_equal(client->ends, 1);
    assert_int_equal(client->status, status);
    assert_int_equal(client->body.len, strlen(body));
    assert_memory_equal(client->body.len > 0 ? client->body.ptr : "", body, client->body.len);
}

static inline void assert_failed(const struct client *client, enum gw_exchange_phase phase,
                                 enum gw_err err)
{
    assert_int_equal(client->ends, 0);
    assert_int_equal(client->errors, 1);
    if (client->phase != phase || client->err != err) {
        fail_msg("failed in %s: %s, %s; expected %s: %s", gw_exchange_phase_text(client->phase),
                 gw_err_name(client->err), client->detail, gw_exchange_phase_text(phase),
                 gw_err_name(err));
    }
}

/* Answers with world->answer. */
static inline void serve_answer(struct peer *peer, struct gw_str request)
{
    (void)request;
    peer_send(peer, peer->world->answer);
}

/* A status line that anything may follow. */
#define OK_HEAD   "HTTP/1.1 200 OK\r\n"
#define ANSWER_OK "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello"

#endif
