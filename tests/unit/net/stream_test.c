/* SPDX-License-Identifier: MIT */
/*
 * net/stream - everything a stream promises whatever carries it: each test runs over TCP, over a
 * Unix socket, and over TLS 1.2 and 1.3.
 */
#include "net_fixture.h"

#include "cert_maker.h"
#include "net/stream_int.h"
#include "net/tls_int.h"

#define BIG_BYTES  (6u * 1024 * 1024)
#define SOME_BYTES (512u * 1024)

static struct cert_maker maker;
static struct cert_files identity;

/* ---- set-up ---- */

static int make_net(void **state)
{
    struct net *net = gw_zalloc(sizeof(*net));
    net_init(net);
    *state = net;
    return 0;
}

static int drop_net(void **state)
{
    struct net *net = *state;
    if (net->address.u.any.sa_family == AF_UNIX) {
        (void)unlink(net->address.u.path.sun_path);
    }
    net_fini(net);
    gw_tls_server_release(&net->server_tls);
    gw_tls_client_release(&net->client_tls.tls);
    gw_free(net);
    return 0;
}

static int make_unix_net(void **state)
{
    struct net *net = gw_zalloc(sizeof(*net));
    char path[CERT_PATH_BYTES];
    struct gw_address address;
    (void)snprintf(path, sizeof(path), "%s/socket", maker.dir);
    assert_int_equal(gw_address_from_unix(gw_str_from_c(path), &address), GW_OK);
    net_init_at(net, &address);
    *state = net;
    return 0;
}

static int make_tls_net(void **state, int version)
{
    char memory[2048];
    struct gw_arena arena;
    struct gw_str message;
    gw_arena_init(&arena, memory, sizeof(memory), 1024, 1024);
    (void)make_net(state);
    struct net *net = *state;
    assert_int_equal(gw_tls_server_create(&(struct gw_tls_server_opts){.cert_file = identity.cert,
                                                                       .key_file = identity.key},
                                          &arena, &net->server_tls, &message),
                     GW_OK);
    assert_int_equal(gw_tls_client_create(&(struct gw_tls_client_opts){.ca_file = maker.ca_file},
                                          &arena, &net->client_tls.tls, &message),
                     GW_OK);
    SSL_CTX_set_max_proto_version(gw_tls_server_ctx(net->server_tls), version);
    net->client_tls.server_name = GW_STR("127.0.0.1");
    gw_arena_fini(&arena);
    return 0;
}

static int make_tls12_net(void **state)
{
    return make_tls_net(state, TLS1_2_VERSION);
}

static int make_tls13_net(void **state)
{
    return make_tls_net(state, TLS1_3_VERSION);
}

static struct net *open_both(void **state)
{
    struct net *net = *state;
    net_connect(net);
    net_run(net, both_open);
    return net;
}

/* ---- opening and ending ---- */

static void opens_and_exchanges(void **state)
{
    struct net *net = open_both(state);
    assert_int_equal(net->client.opens, 1);
    assert_int_equal(net->server.opens, 1);
    assert_int_equal(gw_stream_is_tls(net->server.stream), net->server_tls != NULL);
    end_write(&net->client, "ping", 4);
    end_write(&net->server, "a longer pong", 13);
    net_run(net, both_received_all);
    assert_received(&net->server, "ping", 4);
    assert_received(&net->client, "a longer pong", 13);
}

static void tells_a_close_as_the_end(void **state)
{
    struct net *net = open_both(state);
    end_write(&net->client, "last words", 10);
    gw_stream_close(&net->client.stream);
    assert_null(net->client.stream);
    net_run(net, server_ended);
    assert_received(&net->server, "last words", 10);
    assert_int_equal(net->server.err, GW_ERR_EOF);
    net_settle(net);
    assert_int_equal(net->server.ends, 1);
    assert_int_equal(net->client.ends, 0);
}

static void tells_a_reset(void **state)
{
    struct net *net = open_both(state);
    gw_stream_reset(&net->client.stream);
    assert_null(net->client.stream);
    net_run(net, server_ended);
    /* A Unix socket knows no reset. */
    bool is_unix = net->address.u.any.sa_family == AF_UNIX;
    assert_int_equal(net->server.err, is_unix ? GW_ERR_EOF : GW_ERR_RESET);
}

static void writes_after_a_reset_fail(void **state)
{
    struct net *net = open_both(state);
    net->server.stay_paused = true;
    gw_stream_set_reading(net->server.stream, false);
    gw_stream_reset(&net->client.stream);
    net_run(net, server_ended);
    end_write(&net->server, "hello", 5);
    assert_int_equal(net->server.write_err, GW_ERR_RESET);
    assert_int_equal(net->server.out_at, 0);
}

static void answer_and_close(struct end *end)
{
    end_write(end, "answer", 6);
    gw_stream_shutdown_write(end->stream);
}

static void writes_on_after_the_peers_end(void **state)
{
    struct net *net = open_both(state);
    net->server.at_end = answer_and_close;
    end_write(&net->client, "question", 8);
    gw_stream_shutdown_write(net->client.stream);
    net_run(net, both_ended);
    assert_received(&net->server, "question", 8);
    assert_int_equal(net->server.err, GW_ERR_EOF);
    assert_int_equal(net->server.write_err, GW_OK);
    assert_received(&net->client, "answer", 6);
}

static bool client_saw_answer(struct net *net)
{
    return net->client.received.len == 6;
}

static void answer_in_two_turns(struct end *end)
{
    if (end->received.len == 8) {
        end_write(end, "answer", 6);
    }
}

static void reads_on_after_its_own_end(void **state)
{
    struct net *net = open_both(state);
    /* The server reads the question only after the client has finished writing. */
    gw_stream_set_reading(net->server.stream, false);
    net->server.at_read = answer_in_two_turns;
    end_write(&net->client, "question", 8);
    gw_stream_shutdown_write(net->client.stream);
    net_settle(net);
    assert_int_equal(net->server.reads, 0);
    gw_stream_set_reading(net->server.stream, true);
    net_run(net, client_saw_answer);
    assert_received(&net->client, "answer", 6);
}

/* ---- bulk ---- */

/* Every write stops half-way. (A small receive buffer would only make TCP wait for its timers.) */
static void shrink_buffers(const struct gw_stream *stream)
{
    const int bytes = 4096;
    assert_int_equal(setsockopt(stream->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)), 0);
}

static void moves_much_both_ways(void **state, bool shrink)
{
    struct net *net = open_both(state);
    size_t size = shrink ? SOME_BYTES : BIG_BYTES;
    char *up = make_bytes(size, 1);
    char *down = make_bytes(size + 17, 2);
    if (shrink) {
        shrink_buffers(net->client.stream);
        shrink_buffers(net->server.stream);
    }
    end_write(&net->client, up, size);
    end_write(&net->server, down, size + 17);
    assert_int_equal(net->client.write_err, GW_ERR_AGAIN);
    net_run(net, both_received_all);
    assert_true(net->client.writables > 0);
    assert_received(&net->server, up, size);
    assert_received(&net->client, down, size + 17);
    gw_free(up);
    gw_free(down);
}

static void moves_much_with_large_buffers(void **state)
{
    moves_much_both_ways(state, false);
}

static void moves_much_with_tiny_buffers(void **state)
{
    moves_much_both_ways(state, true);
}

static void offers_more_after_would_block(void **state)
{
    struct net *net = open_both(state);
    char *bytes = make_bytes(SOME_BYTES, 3);
    struct end *client = &net->client;
    shrink_buffers(client->stream);
    gw_stream_set_reading(net->server.stream, false);
    /* Fill the socket, then offer the same bytes with more behind them, in other pieces. */
    client->out = bytes;
    client->out_len = 5000;
    while (client->write_err == GW_OK && client->out_len < SOME_BYTES) {
        end_push(client);
        client->out_len += 5000;
    }
    assert_int_equal(client->write_err, GW_ERR_AGAIN);
    client->out_len = SOME_BYTES;
    end_push(client);
    assert_int_equal(client->write_err, GW_ERR_AGAIN);
    gw_stream_set_reading(net->server.stream, true);
    net_run(net, server_received_all);
    assert_received(&net->server, bytes, SOME_BYTES);
    gw_free(bytes);
}

static void takes_more_pieces_than_one_system_call(void **state)
{
    struct net *net = open_both(state);
    struct iovec iov[3000];
    char *bytes = make_bytes(3000, 9);
    size_t at = 0;
    for (size_t i = 0; i < 3000; i++) {
        iov[i] = (struct iovec){.iov_base = bytes + i, .iov_len = 1};
    }
    net->client.out_len = 3000; /* what server_received_all() waits for */
    while (at < 3000) {
        size_t sent = 0;
        enum gw_err err = gw_stream_writev(net->client.stream, iov + at, (int)(3000 - at), &sent);
        assert_true(err == GW_OK || err == GW_ERR_AGAIN);
        assert_true(sent > 0);
        at += sent;
        assert_int_equal(err, at == 3000 ? GW_OK : GW_ERR_AGAIN);
    }
    net->client.out_at = net->client.out_len;
    net_run(net, server_received_all);
    assert_received(&net->server, bytes, 3000);
    gw_free(bytes);
}

static void writes_nothing_at_no_cost(void **state)
{
    struct net *net = open_both(state);
    size_t sent = 77;
    assert_int_equal(gw_stream_writev(net->client.stream, NULL, 0, &sent), GW_OK);
    assert_int_equal(sent, 0);
    const struct iovec none[2] = {{0}, {0}};
    sent = 77;
    assert_int_equal(gw_stream_writev(net->client.stream, none, 2, &sent), GW_OK);
    assert_int_equal(sent, 0);
}

/* ---- reading off ---- */

static void delivers_nothing_while_reading_is_off(void **state)
{
    struct net *net = *state;
    net->server.stay_paused = true;
    net = open_both(state);
    char *bytes = make_bytes(BIG_BYTES, 4);
    end_write(&net->client, bytes, BIG_BYTES);
    assert_int_equal(net->client.write_err, GW_ERR_AGAIN);
    net_settle(net);
    assert_int_equal(net->server.reads, 0);
    assert_int_equal(net->server.ends, 0);
    gw_stream_set_reading(net->server.stream, true);
    assert_int_equal(net->server.reads, 0); /* never from inside the call */
    net_run(net, server_received_all);
    assert_received(&net->server, bytes, BIG_BYTES);
    gw_free(bytes);
}

static void switch_off_once(struct end *end)
{
    gw_stream_set_reading(end->stream, false);
}

static bool server_read_once(struct net *net)
{
    return net->server.reads > 0;
}

static void stops_at_once_inside_on_read(void **state)
{
    struct net *net = open_both(state);
    char *bytes = make_bytes(1024 * 1024, 5);
    net->server.at_read = switch_off_once;
    end_write(&net->client, bytes, 1024 * 1024);
    unsigned rounds = 0;
    while (net->server.received.len < 1024 * 1024) {
        unsigned before = net->server.reads;
        net->server.reads = 0;
        net_run(net, server_read_once);
        net_settle(net);
        assert_int_equal(net->server.reads, 1);
        net->server.reads += before;
        gw_stream_set_reading(net->server.stream, true);
        rounds++;
    }
    assert_true(rounds > 4);
    assert_received(&net->server, bytes, 1024 * 1024);
    gw_free(bytes);
}

static void flip(struct end *end)
{
    gw_stream_set_reading(end->stream, false);
    gw_stream_set_reading(end->stream, true);
}

static void costs_no_system_call_to_flip(void **state)
{
    struct net *net = open_both(state);
    net->server.at_read = flip;
    char *bytes = make_bytes(200000, 6);
    uint8_t interest = net->server.stream->interest;
    assert_int_equal(interest, UV_READABLE);
    gw_stream_set_reading(net->server.stream, false);
    assert_int_equal(net->server.stream->interest, interest);
    gw_stream_set_reading(net->server.stream, true);
    assert_int_equal(net->server.stream->interest, interest);
    end_write(&net->client, bytes, 200000);
    net_run(net, server_received_all);
    assert_int_equal(net->server.stream->interest, interest);
    gw_free(bytes);
}

static void notices_a_close_while_reading_is_off(void **state)
{
    struct net *net = open_both(state);
    gw_stream_set_reading(net->server.stream, false);
    gw_stream_close(&net->client.stream);
    net_run(net, server_ended);
    assert_int_equal(net->server.err, GW_ERR_EOF);
    net_settle(net);
    assert_int_equal(net->server.ends, 1);
}

static void notices_a_reset_while_reading_is_off(void **state)
{
    struct net *net = open_both(state);
    gw_stream_set_reading(net->server.stream, false);
    net_settle(net);
    gw_stream_reset(&net->client.stream);
    net_run(net, server_ended);
    bool is_unix = net->address.u.any.sa_family == AF_UNIX;
    assert_int_equal(net->server.err, is_unix ? GW_ERR_EOF : GW_ERR_RESET);
}

/* What |from| sent before its end waits until |to| wants to read it. */
static void keeps_bytes_before_the_end(struct net *net, struct end *from, struct end *to,
                                       void (*end)(struct gw_stream **stream))
{
    gw_stream_set_reading(to->stream, false);
    end_write(from, "unread", 6);
    end(&from->stream);
    net_settle(net);
    assert_int_equal(to->ends, 0);
    /* Nothing may spin meanwhile: the loop has nothing left but its listener. */
    assert_int_equal(to->stream->interest, 0);
    gw_stream_set_reading(to->stream, true);
    net_run(net, to == &net->server ? server_ended : client_ended);
    assert_received(to, "unread", 6);
}

static void keeps_bytes_before_a_close(void **state)
{
    struct net *net = open_both(state);
    keeps_bytes_before_the_end(net, &net->client, &net->server, gw_stream_close);
    assert_int_equal(net->server.err, GW_ERR_EOF);
}

static void connector_keeps_bytes_before_a_close(void **state)
{
    struct net *net = open_both(state);
    keeps_bytes_before_the_end(net, &net->server, &net->client, gw_stream_close);
    assert_int_equal(net->client.err, GW_ERR_EOF);
}

/* An answer that a server sent before it reset the connection may be complete. */
static void connector_keeps_bytes_before_a_reset(void **state)
{
    struct net *net = open_both(state);
    keeps_bytes_before_the_end(net, &net->server, &net->client, gw_stream_reset);
}

/* A client that is gone wants no answer to what it sent. */
static void acceptor_notices_a_reset_behind_bytes(void **state)
{
    struct net *net = open_both(state);
    if (net->address.u.any.sa_family == AF_UNIX) { /* which knows no reset */
        keeps_bytes_before_the_end(net, &net->client, &net->server, gw_stream_reset);
        return;
    }
    gw_stream_set_reading(net->server.stream, false);
    end_write(&net->client, "unread", 6);
    net_settle(net);
    gw_stream_reset(&net->client.stream);
    net_run(net, server_ended);
    assert_int_equal(net->server.err, GW_ERR_RESET);
    assert_int_equal(net->server.received.len, 0);
    net_settle(net);
    assert_int_equal(net->server.ends, 1);
}

/* ---- the owner closes inside ---- */

static void close_it(struct end *end)
{
    gw_stream_close(&end->stream);
}

static void reset_it(struct end *end)
{
    gw_stream_reset(&end->stream);
}

static void closes_inside_on_open(void **state)
{
    struct net *net = *state;
    net->server.at_open = close_it;
    net_connect(net);
    net_run(net, client_ended);
    assert_int_equal(net->server.opens, 1);
    net_settle(net);
    assert_int_equal(net->server.reads + net->server.ends, 0);
}

static bool client_opened(struct net *net)
{
    return net->client.opens > 0;
}

static void connector_closes_inside_on_open(void **state)
{
    struct net *net = *state;
    net->client.at_open = reset_it;
    net_connect(net);
    net_run(net, client_opened);
    net_settle(net);
    assert_int_equal(net->client.reads + net->client.ends, 0);
}

static void closes_inside_on_read(void **state)
{
    struct net *net = open_both(state);
    char *bytes = make_bytes(BIG_BYTES, 7);
    net->server.at_read = close_it;
    end_write(&net->client, bytes, BIG_BYTES);
    net_run(net, client_ended);
    assert_int_equal(net->server.reads, 1);
    assert_int_equal(net->server.ends, 0);
    gw_free(bytes);
}

static void closes_inside_on_writable(void **state)
{
    struct net *net = open_both(state);
    char *bytes = make_bytes(BIG_BYTES, 8);
    net->client.at_writable = close_it;
    end_write(&net->client, bytes, BIG_BYTES);
    assert_int_equal(net->client.write_err, GW_ERR_AGAIN);
    net_run(net, server_ended);
    assert_int_equal(net->client.writables, 1);
    assert_int_equal(net->client.ends, 0);
    gw_free(bytes);
}

static void closes_inside_on_end(void **state)
{
    struct net *net = open_both(state);
    net->server.at_end = close_it;
    gw_stream_close(&net->client.stream);
    net_run(net, server_ended);
    assert_null(net->server.stream);
    net_settle(net);
    assert_int_equal(net->server.ends, 1);
}

static void closes_before_anything(void **state)
{
    struct net *net = *state;
    net_connect(net);
    gw_stream_close(&net->client.stream);
    gw_stream_close(&net->client.stream); /* NULL-safe */
    gw_stream_reset(&net->client.stream);
    net_settle(net);
    assert_int_equal(net->client.opens + net->client.ends, 0);
}

/* ---- no memory ---- */

static void reports_no_memory_at_connect(void **state)
{
    struct net *net = *state;
    const struct gw_stream_connect_opts opts = {.address = &net->address};
    struct gw_stream *stream = NULL;
    gw_alloc_fail_at(1);
    assert_int_equal(gw_stream_connect(net->loop, &opts, &end_events, &net->client, &stream),
                     GW_ERR_NOMEM);
    gw_alloc_fail_at(0);
    assert_null(stream);
}

static void reports_no_memory_at_accept(void **state)
{
    struct net *net = *state;
    for (uint64_t nth = 1; nth <= (net->server_tls != NULL ? 2u : 1u); nth++) {
        int pair[2];
        struct gw_stream *stream = NULL;
        char byte = 0;
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        gw_alloc_fail_at(nth);
        assert_int_equal(gw_stream_accept(net->loop, pair[0], net->server_tls, &end_events,
                                          &net->server, &stream),
                         GW_ERR_NOMEM);
        gw_alloc_fail_at(0);
        assert_null(stream);
        /* The descriptor was closed with it. */
        assert_int_equal(recv(pair[1], &byte, 1, MSG_DONTWAIT), 0);
        (void)close(pair[1]);
        net_settle(net);
    }
}

static void is_small(void **state)
{
    (void)state;
    print_message("sizeof(struct gw_stream) = %zu\n", sizeof(struct gw_stream));
    assert_true(sizeof(struct gw_stream) < 300);
}

/* ---- what only plain streams show ---- */

static void tells_a_refusal(void **state)
{
    struct net *net = *state;
    gw_listener_destroy(&net->listener);
    const struct gw_stream_connect_opts opts = {.address = &net->address};
    enum gw_err err =
        gw_stream_connect(net->loop, &opts, &end_events, &net->client, &net->client.stream);
    if (err == GW_OK) {
        net_run(net, client_ended);
        err = net->client.err;
        assert_int_equal(net->client.opens, 0);
    }
    assert_int_equal(err, GW_ERR_REFUSED);
}

static void tells_an_address_that_no_route_leads_to(void **state)
{
    struct net *net = *state;
    struct gw_address address;
    /* TCP knows no broadcast. */
    assert_int_equal(gw_address_from_literal(GW_STR("127.255.255.255"), 9, &address), GW_OK);
    const struct gw_stream_connect_opts opts = {.address = &address};
    struct gw_stream *stream = NULL;
    assert_int_equal(gw_stream_connect(net->loop, &opts, &end_events, &net->client, &stream),
                     GW_ERR_UNREACHABLE);
    assert_null(stream);
}

static void sets_options_of_upstream_sockets(void **state)
{
    struct net *net = open_both(state);
    const struct gw_stream *both[2] = {net->client.stream, net->server.stream};
    for (int i = 0; i < 2; i++) {
        int value = 0;
        socklen_t len = sizeof(value);
        assert_int_equal(getsockopt(both[i]->fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &value, &len),
                         0);
        assert_int_equal(value, 1);
        value = 0;
        assert_int_equal(getsockopt(both[i]->fd, SOL_SOCKET, SO_KEEPALIVE, &value, &len), 0);
        assert_int_equal(value, 1);
    }
}

static int set_up(void **state)
{
    (void)state;
    maker_init(&maker);
    identity = maker_make(
        &maker, &(struct cert_wish){.name = "server", .cn = "server", .san = "IP:127.0.0.1"});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    maker_fini(&maker);
    return 0;
}

#define ON_EVERYTHING(test)                                                                        \
    {#test " (TCP)", test, make_net, drop_net, NULL},                                              \
        {#test " (Unix)", test, make_unix_net, drop_net, NULL},                                    \
        {#test " (TLS 1.2)", test, make_tls12_net, drop_net, NULL},                                \
    {                                                                                              \
#        test " (TLS 1.3)", test, make_tls13_net, drop_net, NULL                                   \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EVERYTHING(opens_and_exchanges),
        ON_EVERYTHING(tells_a_close_as_the_end),
        ON_EVERYTHING(tells_a_reset),
        ON_EVERYTHING(writes_after_a_reset_fail),
        ON_EVERYTHING(writes_on_after_the_peers_end),
        ON_EVERYTHING(reads_on_after_its_own_end),
        ON_EVERYTHING(moves_much_with_large_buffers),
        ON_EVERYTHING(moves_much_with_tiny_buffers),
        ON_EVERYTHING(offers_more_after_would_block),
        ON_EVERYTHING(takes_more_pieces_than_one_system_call),
        ON_EVERYTHING(writes_nothing_at_no_cost),
        ON_EVERYTHING(delivers_nothing_while_reading_is_off),
        ON_EVERYTHING(stops_at_once_inside_on_read),
        ON_EVERYTHING(costs_no_system_call_to_flip),
        ON_EVERYTHING(notices_a_close_while_reading_is_off),
        ON_EVERYTHING(notices_a_reset_while_reading_is_off),
        ON_EVERYTHING(keeps_bytes_before_a_close),
        ON_EVERYTHING(connector_keeps_bytes_before_a_close),
        ON_EVERYTHING(connector_keeps_bytes_before_a_reset),
        ON_EVERYTHING(acceptor_notices_a_reset_behind_bytes),
        ON_EVERYTHING(closes_inside_on_open),
        ON_EVERYTHING(connector_closes_inside_on_open),
        ON_EVERYTHING(closes_inside_on_read),
        ON_EVERYTHING(closes_inside_on_writable),
        ON_EVERYTHING(closes_inside_on_end),
        ON_EVERYTHING(closes_before_anything),
        ON_EVERYTHING(reports_no_memory_at_connect),
        ON_EVERYTHING(reports_no_memory_at_accept),
        {"tells_a_refusal (TCP)", tells_a_refusal, make_net, drop_net, NULL},
        {"tells_a_refusal (Unix)", tells_a_refusal, make_unix_net, drop_net, NULL},
        cmocka_unit_test_setup_teardown(tells_an_address_that_no_route_leads_to, make_net,
                                        drop_net),
        cmocka_unit_test_setup_teardown(sets_options_of_upstream_sockets, make_net, drop_net),
        cmocka_unit_test(is_small),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
