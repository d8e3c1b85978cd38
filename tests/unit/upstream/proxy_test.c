/* SPDX-License-Identifier: MIT */
/* CONNECT through a proxy: the tunnel, and every way in which a proxy can refuse or break it. */
#include "upstream_fixture.h"

#include "../net/cert_maker.h"

/* ---- one peer is proxy and, behind its answer, the origin ---- */

static char connect_request[1024];
static const char *connect_answer;

static void serve_proxy(struct peer *peer, struct gw_str request)
{
    if (peer->requests == 1) {
        (void)snprintf(connect_request, sizeof(connect_request), GW_STR_FMT, GW_STR_ARG(request));
        peer_send(peer, connect_answer);
    } else {
        peer_send(peer, ANSWER_OK);
    }
}

static void begin(struct world *world)
{
    world_init(world);
    world->serve = serve_proxy;
    connect_answer = "HTTP/1.1 200 Connection established\r\n\r\n";
    world->origin.proxy_host = GW_STR("127.0.0.1");
    world->origin.proxy_port = world->origin.port;
    world->origin.host = GW_STR("api.vendor.test"); /* the proxy resolves it, not we */
    world->origin.port = 443;
    world->origin.host_header = GW_STR("api.vendor.test");
    world->origin.proxy_authorization = GW_STR("Basic dTpw");
    world->origin.key = GW_STR("by-proxy");
    world_make_pool(world);
}

static void test_tunnel(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    for (int i = 0; i < 2; i++) {
        struct client client;
        client_init(&client, &world);
        client_do(&client);
        assert_ended(&client, 200, "hello");
        assert_string_equal(connect_request, "CONNECT api.vendor.test:443 HTTP/1.1\r\n"
                                             "host: api.vendor.test:443\r\n"
                                             "proxy-authorization: Basic dTpw\r\n\r\n");
        /* The proxy's password goes to the proxy only. */
        assert_string_equal(world.last_request, "GET / HTTP/1.1\r\nhost: api.vendor.test\r\n\r\n");
        client_fini(&client);
        world_run(&world, all_idle, NULL);
    }
    assert_int_equal(world.peer_count, 1); /* the tunnel is used again */
    assert_int_equal(world.requests, 3);
    world_fini(&world);
}

static void test_ipv6_origin_without_password(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    world.origin.host = GW_STR("::1");
    world.origin.proxy_authorization = GW_STR("");
    world.origin.key = GW_STR("v6");
    world_make_pool(&world);
    connect_answer = "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.0 200 OK\r\nvia: x\r\n\r\n";
    struct client client;
    client_init(&client, &world);
    client_do(&client);
    assert_ended(&client, 200, "hello");
    assert_string_equal(connect_request, "CONNECT [::1]:443 HTTP/1.1\r\nhost: [::1]:443\r\n\r\n");
    client_fini(&client);
    world_fini(&world);
}

struct refusal {
    const char *answer;
    bool closes;
    enum gw_err err;
    const char *detail; /* begins with */
};

static bool refusal_closes;

static void serve_refusal(struct peer *peer, struct gw_str request)
{
    (void)request;
    peer_send(peer, connect_answer);
    if (refusal_closes) {
        peer_close(peer);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    const struct refusal rows[] = {
        {"HTTP/1.1 407 Proxy Authentication Required\r\nproxy-authenticate: Basic\r\n"
         "content-length: 4\r\n\r\nno!!",
         false, GW_ERR_REFUSED,
         "the proxy answered CONNECT with 407 Proxy Authentication Required; check the user"},
        {"HTTP/1.1 403 Forbidden\r\n\r\n", true, GW_ERR_REFUSED,
         "the proxy answered CONNECT with 403 Forbidden"},
        {"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n", true, GW_ERR_REFUSED,
         "the proxy answered CONNECT with 502 Bad Gateway"},
        {"HTTP/1.1 302 Found\r\nlocation: /\r\n\r\n", false, GW_ERR_REFUSED,
         "the proxy answered CONNECT with 302 Found"},
        {"SSH-2.0-OpenSSH_9.2\r\n", false, GW_ERR_PROTOCOL, ""},
        {"", true, GW_ERR_EOF, "the peer closed the connection"},
        {"HTTP/1.1 200 O", true, GW_ERR_EOF, "the peer closed the connection"},
        {"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", false,
         GW_ERR_PROTOCOL, "the proxy sent more than its answer"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(rows); i++) {
        struct world world;
        begin(&world);
        world.serve = serve_refusal;
        connect_answer = rows[i].answer;
        refusal_closes = rows[i].closes;
        struct client client;
        client_init(&client, &world);
        client_do(&client);
        assert_failed(&client, GW_PHASE_PROXY, rows[i].err);
        assert_false(client.is_stale);
        char want[128];
        (void)snprintf(want, sizeof(want), "api.vendor.test:443 by proxy 127.0.0.1:%u",
                       world.origin.proxy_port);
        assert_string_equal(client.peer, want);
        if (strncmp(client.detail, rows[i].detail, strlen(rows[i].detail)) != 0) {
            fail_msg("%s", client.detail);
        }
        assert_null(strstr(client.detail, "dTpw"));
        client_fini(&client);
        world_run(&world, none_open, NULL);
        assert_int_equal(counter(&gw_upstream_counters(world.upstream)->connect_failures_total), 1);
        world_fini(&world);
    }
}

static void test_huge_answer(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    char *answer = malloc(40000);
    (void)snprintf(answer, 40000, "HTTP/1.1 200 OK\r\nx: %038000d\r\n\r\n", 1);
    connect_answer = answer;
    struct client client;
    client_init(&client, &world);
    client_do(&client);
    assert_failed(&client, GW_PHASE_PROXY, GW_ERR_TOO_LARGE);
    client_fini(&client);
    free(answer);
    world_fini(&world);
}

static void test_limits_and_cancel(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    connect_answer = "HTTP/1.1 200";
    struct client client;
    client_init(&client, &world);
    struct gw_exchange_request request = make_request(&world);
    request.timeouts.connect_ms = 60;
    client_start_with(&client, &request);
    client_run(&client);
    assert_failed(&client, GW_PHASE_PROXY, GW_ERR_TIMEOUT);
    assert_int_equal(client.timeout_ms, 60);
    assert_string_equal(client.detail, "the proxy did not answer in time");
    client_fini(&client);
    client_init(&client, &world);
    client_start(&client);
    assert_false(world_try_run(&world, client_is_over, &client, 30));
    client_fini(&client);
    world_settle(&world);
    assert_int_equal(counter(&gw_upstream_counters(world.upstream)->open), 0);
    world_fini(&world);
}

static void test_proxy_refuses_the_connection(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    world.origin.proxy_host = GW_STR("127.0.0.2");
    world.origin.key = GW_STR("nobody");
    world_make_pool(&world);
    struct client client;
    client_init(&client, &world);
    client_do(&client);
    assert_failed(&client, GW_PHASE_CONNECT, GW_ERR_REFUSED);
    client_fini(&client);
    world_fini(&world);
}

static void test_names_too_long_for_the_message(void **state)
{
    (void)state;
    static char name[2000];
    memset(name, 'n', sizeof(name));
    struct world world;
    begin(&world);
    world.origin.host = gw_str(name, sizeof(name));
    world.origin.key = GW_STR("long");
    connect_answer = "HTTP/1.1 403 Forbidden\r\n\r\n";
    for (int i = 0; i < 2; i++) {
        world_make_pool(&world);
        struct client client;
        client_init(&client, &world);
        client_do(&client);
        assert_failed(&client, i == 0 ? GW_PHASE_PROXY : GW_PHASE_RESOLVE,
                      i == 0 ? GW_ERR_REFUSED : GW_ERR_TOO_LARGE);
        assert_true(strlen(client.peer) < GW_PEER_TEXT_BYTES);
        assert_non_null(strstr(client.peer, " by proxy "));
        client_fini(&client);
        world.origin.proxy_host = gw_str(name, sizeof(name));
        world.origin.key = GW_STR("longer");
    }
    world_fini(&world);
}

static void test_password_with_a_line_break(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    world.origin.proxy_authorization = GW_STR("Basic a\r\nx-evil: 1");
    world.origin.key = GW_STR("evil");
    world_make_pool(&world);
    struct client client;
    client_init(&client, &world);
    client_do(&client);
    assert_failed(&client, GW_PHASE_PROXY, GW_ERR_INVALID);
    assert_int_equal(world.requests, 0);
    client_fini(&client);
    world_fini(&world);
}

/* ---- TLS inside the tunnel: the proxy passes bytes to a second world, which is the origin ---- */

struct tunnel {
    struct peer *peer;        /* of the proxy */
    struct gw_stream *stream; /* to the origin */
    struct gw_chunkq out;
};

static struct tunnel tunnel;
static struct gw_address origin_address;

static void tunnel_flush(void)
{
    while (tunnel.stream != NULL && gw_chunkq_len(&tunnel.out) > 0) {
        struct iovec iov[8];
        int count = gw_chunkq_peek(&tunnel.out, iov, 8);
        size_t sent = 0;
        enum gw_err err = gw_stream_writev(tunnel.stream, iov, count, &sent);
        gw_chunkq_consume(&tunnel.out, sent);
        if (err != GW_OK) {
            return;
        }
    }
}

static void tunnel_on_open(void *user)
{
    (void)user;
    gw_stream_set_reading(tunnel.stream, true);
    peer_send(tunnel.peer, connect_answer);
}

static void tunnel_on_read(void *user, struct gw_str bytes)
{
    (void)user;
    peer_send_bytes(tunnel.peer, bytes);
}

static void tunnel_on_writable(void *user)
{
    (void)user;
    tunnel_flush();
}

static void tunnel_on_end(void *user, enum gw_err err, struct gw_str detail)
{
    (void)user;
    (void)err;
    (void)detail;
    gw_stream_close(&tunnel.stream);
    peer_close(tunnel.peer);
}

static const struct gw_stream_events tunnel_events = {
    .on_open = tunnel_on_open,
    .on_read = tunnel_on_read,
    .on_writable = tunnel_on_writable,
    .on_end = tunnel_on_end,
};

static void pass_on(struct peer *peer)
{
    if (peer->requests == 0) {
        size_t len = head_length(gw_buf_str(&peer->in));
        if (len == 0) {
            return;
        }
        peer->requests++;
        gw_buf_consume(&peer->in, len);
        assert_int_equal(peer->in.len, 0);
        tunnel = (struct tunnel){.peer = peer};
        gw_chunkq_init(&tunnel.out, gw_loop_chunks(peer->world->loop));
        const struct gw_stream_connect_opts opts = {.address = &origin_address};
        assert_int_equal(
            gw_stream_connect(peer->world->loop, &opts, &tunnel_events, NULL, &tunnel.stream),
            GW_OK);
        return;
    }
    assert_int_equal(gw_chunkq_append(&tunnel.out, gw_buf_str(&peer->in)), GW_OK);
    gw_buf_reset(&peer->in);
    tunnel_flush();
}

struct origin_side {
    struct world *world;
    struct gw_listener *listener;
    struct peer peer;
};

static void origin_on_accept(void *user, int fd, const struct gw_address *address)
{
    struct origin_side *side = user;
    (void)address;
    struct peer *peer = &side->peer;
    assert_int_equal(gw_stream_accept(side->world->loop, fd, side->world->server_tls, &peer_events,
                                      peer, &peer->stream),
                     GW_OK);
}

static void test_tls_inside(void **state)
{
    (void)state;
    struct cert_maker maker;
    maker_init(&maker);
    struct cert_files files = maker_make(&maker, &(struct cert_wish){
                                                     .name = "leaf",
                                                     .cn = "x",
                                                     .san = "DNS:api.vendor.test",
                                                 });
    struct world world;
    begin(&world);
    world.at_read = pass_on;
    /* The origin's peer serves requests, the proxy's passes bytes on: two worlds on one loop. */
    struct world origin = {.loop = world.loop, .serve = serve_answer, .answer = ANSWER_OK};
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 1024, 1024 * 1024);
    struct gw_str message;
    const struct gw_tls_server_opts server_opts = {.cert_file = files.cert, .key_file = files.key};
    assert_int_equal(gw_tls_server_create(&server_opts, &arena, &origin.server_tls, &message),
                     GW_OK);
    const struct gw_tls_client_opts client_opts = {.ca_file = maker.ca_file};
    struct gw_tls_client *tls = NULL;
    assert_int_equal(gw_tls_client_create(&client_opts, &arena, &tls, &message), GW_OK);
    gw_arena_fini(&arena);
    struct origin_side side = {.world = &origin};
    side.peer = (struct peer){.world = &origin};
    gw_buf_init(&side.peer.in, MAX_BODY);
    gw_chunkq_init(&side.peer.out, gw_loop_chunks(world.loop));
    int fd = -1;
    struct gw_address any;
    assert_int_equal(gw_address_from_literal(GW_STR("127.0.0.1"), 0, &any), GW_OK);
    assert_int_equal(gw_listener_open_fd(&any, &fd, &origin_address), GW_OK);
    assert_int_equal(gw_listener_create(world.loop, fd, origin_on_accept, &side, &side.listener),
                     GW_OK);

    world.origin.is_tls = true;
    world.origin.http2 = GW_HTTP2_OFF;
    world.origin.tls = tls;
    world.origin.key = GW_STR("https-by-proxy");
    world_make_pool(&world);
    struct client client;
    client_init(&client, &world);
    client_do(&client);
    assert_ended(&client, 200, "hello");
    assert_string_equal(origin.last_request, "GET / HTTP/1.1\r\nhost: api.vendor.test\r\n\r\n");
    client_fini(&client);
    world_run(&world, all_idle, NULL);

    gw_stream_close(&tunnel.stream);
    gw_chunkq_clear(&tunnel.out);
    gw_stream_close(&side.peer.stream);
    gw_buf_fini(&side.peer.in);
    gw_listener_destroy(&side.listener);
    gw_tls_server_release(&origin.server_tls);
    gw_tls_client_release(&tls);
    world_fini(&world);
    maker_fini(&maker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tunnel),
        cmocka_unit_test(test_ipv6_origin_without_password),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_huge_answer),
        cmocka_unit_test(test_limits_and_cancel),
        cmocka_unit_test(test_proxy_refuses_the_connection),
        cmocka_unit_test(test_names_too_long_for_the_message),
        cmocka_unit_test(test_password_with_a_line_break),
        cmocka_unit_test(test_tls_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
