/* SPDX-License-Identifier: MIT */
/* A server behind a real TCP listener, plain and with TLS; the protocol is chosen by ALPN. */
#include "harness.h"

#include <stdio.h>

#include "../net/cert_maker.h"
#include "base/alloc.h"
#include "net/listener.h"
#include "net/stream.h"

struct tcp_client {
    struct gw_stream *stream;
    struct gw_tls_client *tls; /* NULL: plain */
    bool offer_h2;
    bool is_started;
    bool is_open;
    bool has_ended;
    enum gw_err err;
    struct gw_str request;
    struct gw_buf received;
};

static struct gw_test test;
static struct cert_maker maker;
static struct gw_tls_server *server_tls;
static struct gw_listener *listener;
static struct gw_address address;

/* GET, https, authority "a", path "/plain", behind preface and empty SETTINGS. */
static const char h2_request[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                                 "\0\0\0\4\0\0\0\0\0"
                                 "\0\0\x0d\1\5\0\0\0\1\x82\x87\1\1a\4\6/plain";

static void on_accept(void *user, int fd, const struct gw_address *peer)
{
    gw_server_accept(test.server, fd, peer, user);
}

static void on_open(void *user)
{
    struct tcp_client *client = user;
    if (client->tls != NULL && !client->is_started) {
        client->is_started = true;
        const struct gw_stream_tls_opts opts = {
            .tls = client->tls,
            .server_name = GW_STR("localhost"),
            .offer_h2 = client->offer_h2,
        };
        assert_int_equal(gw_stream_start_tls(client->stream, &opts), GW_OK);
        return;
    }
    client->is_open = true;
    gw_stream_set_reading(client->stream, true);
    const struct iovec iov = {.iov_base = (void *)(uintptr_t)client->request.ptr,
                              .iov_len = client->request.len};
    size_t sent = 0;
    assert_int_equal(gw_stream_writev(client->stream, &iov, 1, &sent), GW_OK);
}

static void on_read(void *user, struct gw_str bytes)
{
    struct tcp_client *client = user;
    (void)gw_buf_append(&client->received, bytes);
}

static void on_writable(void *user)
{
    (void)user;
}

static void on_end(void *user, enum gw_err err, struct gw_str detail)
{
    struct tcp_client *client = user;
    (void)detail;
    client->has_ended = true;
    client->err = err;
}

static const struct gw_stream_events client_events = {
    .on_open = on_open,
    .on_read = on_read,
    .on_writable = on_writable,
    .on_end = on_end,
};

static void start(struct tcp_client *client)
{
    gw_buf_init(&client->received, 1024 * 1024);
    const struct gw_stream_connect_opts opts = {.address = &address};
    assert_int_equal(gw_stream_connect(test.loop, &opts, &client_events, client, &client->stream),
                     GW_OK);
}

static void finish(struct tcp_client *client)
{
    gw_stream_close(&client->stream);
    gw_buf_fini(&client->received);
    gw_tls_client_release(&client->tls);
}

static bool has_hello(void *user)
{
    struct tcp_client *client = user;
    struct gw_str all = gw_buf_str(&client->received);
    return client->has_ended || (all.len > 0 && gw_str_find(all, GW_STR("hello")) < all.len);
}

static bool has_ended(void *user)
{
    struct tcp_client *client = user;
    return client->has_ended;
}

static struct gw_tls_client *make_tls(void)
{
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 1024, 65536);
    struct gw_tls_client *tls = NULL;
    struct gw_str message;
    const struct gw_tls_client_opts opts = {.ca_file = maker.ca_file};
    assert_int_equal(gw_tls_client_create(&opts, &arena, &tls, &message), GW_OK);
    gw_arena_fini(&arena);
    return tls;
}

static int setup(void **state)
{
    (void)state;
    struct gw_server_limits limits = gw_test_limits();
    gw_test_init(&test, &limits);
    maker_init(&maker);
    struct cert_files files = maker_make(
        &maker, &(struct cert_wish){.name = "leaf", .cn = "localhost", .san = "DNS:localhost"});
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 1024, 65536);
    struct gw_str message;
    const struct gw_tls_server_opts opts = {.cert_file = files.cert, .key_file = files.key};
    assert_int_equal(gw_tls_server_create(&opts, &arena, &server_tls, &message), GW_OK);
    gw_arena_fini(&arena);
    return 0;
}

static void listen_with(struct gw_tls_server *tls)
{
    struct gw_address any;
    assert_int_equal(gw_address_from_literal(GW_STR("127.0.0.1"), 0, &any), GW_OK);
    int fd = -1;
    assert_int_equal(gw_listener_open_fd(&any, &fd, &address), GW_OK);
    assert_int_equal(gw_listener_create(test.loop, fd, on_accept, tls, &listener), GW_OK);
}

static int teardown(void **state)
{
    (void)state;
    gw_listener_destroy(&listener);
    gw_tls_server_release(&server_tls);
    gw_test_fini(&test);
    maker_fini(&maker);
    return 0;
}

static void test_h1_by_alpn(void **state)
{
    (void)state;
    listen_with(server_tls);
    struct tcp_client client = {.tls = make_tls(),
                                .request = GW_STR("GET /plain HTTP/1.1\r\nHost: a\r\n\r\n")};
    start(&client);
    gw_test_wait(&test, has_hello, &client);
    assert_false(client.has_ended);
    assert_true(gw_str_has_prefix(gw_buf_str(&client.received), GW_STR("HTTP/1.1 200 OK\r\n")));
    finish(&client);
    gw_test_wait_closed(&test);
}

static void test_h2_by_alpn(void **state)
{
    (void)state;
    listen_with(server_tls);
    struct tcp_client client = {
        .tls = make_tls(), .offer_h2 = true, .request = gw_str(h2_request, sizeof(h2_request) - 1)};
    start(&client);
    gw_test_wait(&test, has_hello, &client);
    assert_false(client.has_ended);
    assert_true(gw_stream_is_h2(client.stream));
    assert_int_equal(test.pair_count, 1);
    assert_true(test.pairs[0].is_tls);
    finish(&client);
    gw_test_wait_closed(&test);
}

static void test_h2_agreed_but_not_spoken(void **state)
{
    (void)state;
    listen_with(server_tls);
    struct tcp_client client = {.tls = make_tls(),
                                .offer_h2 = true,
                                .request = GW_STR("GET /plain HTTP/1.1\r\nHost: a\r\n\r\n")};
    start(&client);
    gw_test_wait(&test, has_ended, &client);
    assert_int_equal(test.pair_count, 0);
    finish(&client);
    gw_test_wait_closed(&test);
}

static void test_big_answer_over_tls(void **state)
{
    (void)state;
    listen_with(server_tls);
    struct tcp_client client = {
        .tls = make_tls(),
        .request = GW_STR("GET /big HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")};
    start(&client);
    gw_test_wait(&test, has_ended, &client);
    assert_int_equal(client.err, GW_ERR_EOF); /* close_notify came: nothing was cut off */
    size_t at = gw_str_find(gw_buf_str(&client.received), GW_STR("\r\n\r\n")) + 4;
    assert_int_equal(client.received.len - at, 1000000);
    for (size_t i = 0; i < 1000000; i++) {
        assert_true(client.received.ptr[at + i] == (char)('a' + (1000000 - i) % 26));
    }
    finish(&client);
    gw_test_wait_closed(&test);
}

static void test_no_tls_where_tls_is_wanted(void **state)
{
    (void)state;
    listen_with(server_tls);
    struct tcp_client client = {.request = GW_STR("GET /plain HTTP/1.1\r\nHost: a\r\n\r\n")};
    start(&client);
    gw_test_wait(&test, has_ended, &client);
    finish(&client);
    gw_test_wait_closed(&test);
    assert_int_equal(atomic_load(&gw_server_counters(test.server)->tls_errors_total), 1);
}

static void test_plain_tcp(void **state)
{
    (void)state;
    listen_with(NULL);
    struct tcp_client h1 = {.request = GW_STR("GET /plain HTTP/1.1\r\nHost: a\r\n\r\n")};
    struct tcp_client h2 = {.request = gw_str(h2_request, sizeof(h2_request) - 1)};
    start(&h1);
    start(&h2);
    gw_test_wait(&test, has_hello, &h1);
    gw_test_wait(&test, has_hello, &h2);
    assert_false(h1.has_ended || h2.has_ended);
    finish(&h1);
    finish(&h2);
    gw_test_wait_closed(&test);
}

/* An HTTP/1.0 answer of unknown length that is not complete must not look complete. */
static void test_cut_until_close(void **state)
{
    (void)state;
    listen_with(NULL);
    struct tcp_client client = {.request = GW_STR("GET /cut HTTP/1.0\r\n\r\n")};
    start(&client);
    gw_test_wait(&test, has_ended, &client);
    assert_int_equal(client.err, GW_ERR_RESET);
    finish(&client);
    gw_test_wait_closed(&test);
}

static bool is_aborted(void *user)
{
    struct gw_test_pair *pair = user;
    return pair->aborts > 0;
}

/* The handler does not read, so bytes wait in our socket; the client's reset is noticed all the
 * same. */
static void test_reset_behind_bytes_nobody_reads(void **state)
{
    (void)state;
    listen_with(NULL);
    char *body = gw_zalloc(300000);
    struct tcp_client client = {
        .request = GW_STR("POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n")};
    start(&client);
    gw_test_wait_pairs(&test, 1);
    const struct iovec iov = {.iov_base = body, .iov_len = 300000};
    size_t sent = 0;
    (void)!gw_stream_writev(client.stream, &iov, 1, &sent);
    gw_free(body);
    gw_test_settle(&test);
    gw_stream_reset(&client.stream);
    gw_test_wait(&test, is_aborted, &test.pairs[0]);
    assert_int_equal(test.pairs[0].abort_err, GW_ERR_RESET);
    finish(&client);
    gw_test_wait_closed(&test);
}

#define SERVED(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(test_h1_by_alpn),
        SERVED(test_h2_by_alpn),
        SERVED(test_h2_agreed_but_not_spoken),
        SERVED(test_big_answer_over_tls),
        SERVED(test_no_tls_where_tls_is_wanted),
        SERVED(test_plain_tcp),
        SERVED(test_cut_until_close),
        SERVED(test_reset_behind_bytes_nobody_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
