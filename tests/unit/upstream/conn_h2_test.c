/* SPDX-License-Identifier: MIT */
/* Many exchanges over one HTTP/2 connection: sharing, limits of the peer, windows, what ends a
 * stream and what ends the connection. */
#include "h2_server.h"

#include "../net/cert_maker.h"

/* ---- plain sailing ---- */

static void test_one(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    const struct gw_header headers[] = {
        {GW_STR("content-type"), GW_STR("application/json"), GW_HEADER_CONTENT_TYPE},
        {GW_STR("authorization"), GW_STR("Bearer k"), GW_HEADER_AUTHORIZATION},
    };
    const struct gw_str runs[] = {GW_STR("{\"a\":"), GW_STR(""), GW_STR("1}")};
    for (int i = 0; i < 2; i++) {
        struct client client;
        client_init(&client, &world);
        struct gw_exchange_request request = make_request(&world);
        request.method = GW_STR("POST");
        request.target = GW_STR("/v1/x?y=1");
        request.headers = headers;
        request.header_count = GW_ARRAY_LEN(headers);
        request.body_runs = runs;
        request.body_run_count = GW_ARRAY_LEN(runs);
        client_start_with(&client, &request);
        client_run(&client);
        assert_ended(&client, 200, "hello");
        assert_int_equal(client.timings.is_reused, i == 1);
        assert_true(client.timings.sent_at_ns > 0);
        assert_string_equal(client.fields.ptr, "x-by: h2\n");
        client_fini(&client);
        world_run(&world, all_idle, NULL);
        const struct h2_stream *stream = h2_server(&world, 0)->streams[i];
        char want[512];
        (void)snprintf(want, sizeof(want),
                       ":method: POST\n:scheme: http\n:authority: %s\n:path: /v1/x?y=1\n"
                       "content-type: application/json\nauthorization: Bearer k\n"
                       "content-length: 7\n",
                       world.host_header);
        assert_string_equal(stream->head.ptr, want);
        assert_int_equal(stream->body.len, 7);
        assert_memory_equal(stream->body.ptr, "{\"a\":1}", 7);
    }
    assert_int_equal(world.peer_count, 1);
    assert_int_equal(counter(&gw_upstream_counters(world.upstream)->reused_total), 1);
    h2_world_fini(&world);
}

static void answer_nothing(struct h2_stream *stream)
{
    h2_answer(stream, "200", "", 0);
}

static void test_without_bodies(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    h2_script.on_request = answer_nothing;
    struct client client;
    client_init(&client, &world);
    struct gw_exchange_request request = make_request(&world);
    request.method = GW_STR("HEAD");
    client_start_with(&client, &request);
    client_run(&client);
    assert_int_equal(client.ends, 1);
    assert_int_equal(client.status, 200);
    client_fini(&client);
    h2_world_fini(&world);
}

/* ---- many at once ---- */

static void test_many_share_one(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    run_many(&world, 50);
    assert_int_equal(world.peer_count, 1);
    assert_int_equal(world.requests, 50);
    run_many(&world, GW_H2_MAX_STREAMS);
    assert_int_equal(world.peer_count, 1);
    assert_true(h2_server(&world, 0)->most_open > 50);
    h2_world_fini(&world);
}

static void test_limit_of_the_peer(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    h2_script.max_streams = 3;
    run_many(&world, 10);
    assert_int_equal(world.requests, 10);
    assert_true(world.peer_count >= 4);
    for (unsigned i = 0; i < world.peer_count; i++) {
        assert_true(h2_server(&world, i)->most_open <= 3);
    }
    unsigned before = world.peer_count;
    run_many(&world, 9); /* now the limit is known, and idle connections are there */
    assert_int_equal(world.peer_count, before);
    h2_world_fini(&world);
}

/* One connection is full: the next exchange gets another one, at once. */
static void test_full_connection(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    h2_script.max_streams = 2;
    h2_script.on_request = hold;
    struct client clients[5];
    for (unsigned i = 0; i < 5; i++) {
        client_init(&clients[i], &world);
        client_start(&clients[i]);
        unsigned want = i + 1;
        world_run(&world, has_requests, &want);
    }
    assert_int_equal(world.peer_count, 3);
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned k = 0; k < h2_server(&world, i)->stream_count; k++) {
            h2_answer_ok(h2_server(&world, i)->streams[k]);
        }
    }
    for (unsigned i = 0; i < 5; i++) {
        client_run(&clients[i]);
        assert_ended(&clients[i], 200, "hello");
        client_fini(&clients[i]);
    }
    h2_world_fini(&world);
}

static void test_peer_takes_none(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    h2_script.on_request = hold;
    struct client client;
    client_init(&client, &world);
    client_start(&client);
    unsigned one = 1;
    world_run(&world, has_requests, &one);
    struct h2_server *server = h2_server(&world, 0);
    const nghttp2_settings_entry none = {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0};
    assert_int_equal(nghttp2_submit_settings(server->session, NGHTTP2_FLAG_NONE, &none, 1), 0);
    h2_answer_ok(server->streams[0]);
    client_run(&client);
    assert_ended(&client, 200, "hello");
    client_fini(&client);
    world_run(&world, none_open, NULL); /* of no more use */
    h2_world_fini(&world);
}

/* ---- large bodies, windows ---- */

static void check_pattern(struct gw_str text, size_t len)
{
    assert_int_equal(text.len, len);
    for (size_t i = 0; i < len; i++) {
        if (text.ptr[i] != (char)('A' + i % 26)) {
            fail_msg("byte %zu is wrong", i);
        }
    }
}

static void test_large_response(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    big = make_pattern(BIG);
    h2_script.on_request = answer_big;
    struct client clients[3];
    for (unsigned i = 0; i < 3; i++) {
        client_init(&clients[i], &world);
        client_start(&clients[i]);
    }
    for (unsigned i = 0; i < 3; i++) {
        client_run(&clients[i]);
        assert_int_equal(clients[i].ends, 1);
        check_pattern(gw_buf_str(&clients[i].body), BIG);
        client_fini(&clients[i]);
    }
    assert_int_equal(world.peer_count, 1);
    h2_world_fini(&world);
    free(big);
}

static void test_large_request(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    big = make_pattern(BIG);
    const struct gw_str runs[] = {gw_str(big, 1), gw_str(big + 1, 100000),
                                  gw_str(big + 100001, BIG - 100001)};
    struct client client;
    client_init(&client, &world);
    struct gw_exchange_request request = make_request(&world);
    request.method = GW_STR("POST");
    request.body_runs = runs;
    request.body_run_count = 3;
    client_start_with(&client, &request);
    client_run(&client);
    assert_ended(&client, 200, "hello");
    check_pattern(gw_buf_str(&h2_server(&world, 0)->streams[0]->body), BIG);
    client_fini(&client);
    h2_world_fini(&world);
    free(big);
}

struct upload {
    struct client client;
    size_t written;
    size_t most_waiting;
    bool is_ended;
};

static void upload_more(struct client *client)
{
    struct upload *upload = GW_CONTAINER_OF(client, struct upload, client);
    while (upload->written < BIG && gw_exchange_can_write(client->exchange)) {
        size_t left = BIG - upload->written;
        size_t len = left < 26 * 1000 ? left : 26 * 1000;
        assert_int_equal(gw_exchange_write(client->exchange, gw_str(big, len)), GW_OK);
        upload->written += len;
        size_t waiting = gw_chunkq_len(&client->exchange->queue);
        upload->most_waiting = waiting > upload->most_waiting ? waiting : upload->most_waiting;
    }
    if (upload->written == BIG && !upload->is_ended) {
        upload->is_ended = true;
        assert_int_equal(gw_exchange_end_body(client->exchange), GW_OK);
    }
}

static void test_streamed_request(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    big = make_pattern(BIG);
    for (int i = 0; i < 2; i++) {
        struct upload upload = {0};
        client_init(&upload.client, &world);
        upload.client.at_writable = upload_more;
        struct gw_exchange_request request = make_request(&world);
        request.method = GW_STR("POST");
        request.is_streamed = true;
        request.content_length = i == 0 ? GW_LENGTH_UNKNOWN : BIG;
        client_start_with(&upload.client, &request);
        upload_more(&upload.client);
        client_run(&upload.client);
        assert_ended(&upload.client, 200, "hello");
        assert_true(upload.client.writables > 0);
        assert_true(upload.most_waiting < GW_UPSTREAM_HIGH_WATER + 26 * 1000);
        const struct h2_stream *stream = h2_server(&world, 0)->streams[i];
        check_pattern(gw_buf_str(&stream->body), BIG);
        assert_true((strstr(stream->head.ptr, "content-length") == NULL) == (i == 0));
        assert_null(strstr(stream->head.ptr, "transfer-encoding"));
        client_fini(&upload.client);
        world_run(&world, all_idle, NULL);
    }
    /* Small ones, piece by piece, the end apart or together with the last bytes, or nothing. */
    for (unsigned pieces = 0; pieces < 3; pieces++) {
        struct client client;
        client_init(&client, &world);
        struct gw_exchange_request request = make_request(&world);
        request.method = GW_STR("POST");
        request.is_streamed = true;
        request.content_length = GW_LENGTH_UNKNOWN;
        client_start_with(&client, &request);
        for (unsigned k = 0; k < pieces; k++) {
            assert_int_equal(gw_exchange_write(client.exchange, GW_STR("A")), GW_OK);
            if (k == 0) {
                world_settle(&world);
            }
        }
        assert_int_equal(gw_exchange_end_body(client.exchange), GW_OK);
        client_run(&client);
        assert_ended(&client, 200, "hello");
        assert_int_equal(h2_server(&world, 0)->streams[2 + pieces]->body.len, pieces);
        client_fini(&client);
    }
    assert_int_equal(world.peer_count, 1);
    h2_world_fini(&world);
    free(big);
}

static void pause_now(struct client *client)
{
    client->at_body = NULL;
    gw_exchange_pause(client->exchange, true);
}

/* A paused exchange holds no more than its window, and stops nobody else. */
static void test_pause(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    big = make_pattern(BIG);
    h2_script.on_request = answer_big;
    struct client slow;
    client_init(&slow, &world);
    slow.at_body = pause_now;
    client_start(&slow);
    world_run(&world, has_body, &slow);
    assert_true(slow.exchange->phase_at_ms == GW_NEVER_MS); /* the limit rests */
    assert_false(world_try_run(&world, client_is_over, &slow, 100));
    size_t held = gw_chunkq_len(&slow.exchange->arrived);
    assert_int_equal(slow.bodies, 1);
    assert_true(held > 0 && held <= 256u * 1024);
    struct client quick;
    client_init(&quick, &world);
    client_start(&quick);
    client_run(&quick);
    assert_int_equal(quick.ends, 1);
    check_pattern(gw_buf_str(&quick.body), BIG);
    client_fini(&quick);
    assert_int_equal(world.peer_count, 1);
    gw_exchange_pause(slow.exchange, false);
    assert_int_equal(slow.bodies, 1); /* not from inside the call */
    client_run(&slow);
    assert_int_equal(slow.ends, 1);
    check_pattern(gw_buf_str(&slow.body), BIG);
    client_fini(&slow);
    h2_world_fini(&world);
    free(big);
}

static void pause_each(struct client *client)
{
    gw_exchange_pause(client->exchange, true);
}

/* The whole response arrives while paused; the end waits behind the bytes. */
static void test_end_while_paused(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    struct client client;
    client_init(&client, &world);
    client.at_response = pause_each;
    client_start(&client);
    assert_false(world_try_run(&world, client_is_over, &client, 50));
    assert_int_equal(client.responses, 1);
    assert_int_equal(client.bodies, 0);
    gw_exchange_pause(client.exchange, false);
    gw_exchange_pause(client.exchange, true); /* thought better of it */
    assert_false(world_try_run(&world, client_is_over, &client, 30));
    assert_int_equal(client.bodies, 0);
    gw_exchange_pause(client.exchange, false);
    client_run(&client);
    assert_ended(&client, 200, "hello");
    client_fini(&client);
    /* And cancelled in that state. */
    client_init(&client, &world);
    client.at_response = pause_each;
    client_start(&client);
    assert_false(world_try_run(&world, client_is_over, &client, 50));
    client_fini(&client);
    world_run(&world, all_idle, NULL);
    assert_int_equal(world.peer_count, 1);
    h2_world_fini(&world);
}

/* ---- ALPN ---- */

static void make_tls(struct world *world, struct cert_maker *maker, struct gw_tls_client **tls)
{
    maker_init(maker);
    struct cert_files files =
        maker_make(maker, &(struct cert_wish){.name = "leaf", .cn = "x", .san = "IP:127.0.0.1"});
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 1024, 1024 * 1024);
    struct gw_str message;
    const struct gw_tls_server_opts server_opts = {.cert_file = files.cert, .key_file = files.key};
    assert_int_equal(gw_tls_server_create(&server_opts, &arena, &world->server_tls, &message),
                     GW_OK);
    const struct gw_tls_client_opts client_opts = {.ca_file = maker->ca_file};
    assert_int_equal(gw_tls_client_create(&client_opts, &arena, tls, &message), GW_OK);
    gw_arena_fini(&arena);
    world->origin.is_tls = true;
    world->origin.tls = *tls;
}

static void test_alpn_chooses_h2(void **state)
{
    (void)state;
    struct world world;
    struct cert_maker maker;
    struct gw_tls_client *tls = NULL;
    h2_world_init(&world, &world_default_opts);
    make_tls(&world, &maker, &tls);
    world.origin.http2 = GW_HTTP2_AUTO;
    world.origin.key = GW_STR("auto");
    world_make_pool(&world);
    run_many(&world, 1);
    assert_true(gw_stream_is_h2(world.peers[0].stream));
    assert_non_null(strstr(h2_server(&world, 0)->streams[0]->head.ptr, ":scheme: https\n"));
    run_many(&world, 20);
    assert_int_equal(world.peer_count, 1);
    /* The first connection is gone; we remember that the origin speaks HTTP/2: many share the
     * next one while it connects. */
    peer_close(&world.peers[0]);
    world_run(&world, none_open, NULL);
    run_many(&world, 20);
    assert_int_equal(world.peer_count, 2);
    gw_tls_client_release(&tls);
    h2_world_fini(&world);
    maker_fini(&maker);
}

/* Several waited for an HTTP/2 connection, and the origin speaks HTTP/1 now. */
static void test_alpn_changes_its_mind(void **state)
{
    (void)state;
    struct world world;
    struct cert_maker maker;
    struct gw_tls_client *tls = NULL;
    h2_world_init(&world, &world_default_opts);
    make_tls(&world, &maker, &tls);
    world.origin.http2 = GW_HTTP2_AUTO;
    world.origin.key = GW_STR("auto");
    world_make_pool(&world);
    world.pool->expects_h2 = true;
    gw_tls_server_release(&world.server_tls); /* no TLS, so no ALPN: a plain world will do */
    world.origin.is_tls = false;
    world.origin.tls = NULL;
    world.origin.key = GW_STR("plain");
    world_make_pool(&world);
    world.pool->expects_h2 = true;
    world.at_accept = NULL;
    world.at_read = NULL;
    world.serve = serve_answer;
    world.answer = ANSWER_OK;
    run_many(&world, 10);
    assert_int_equal(world.requests, 10);
    assert_false(world.pool->expects_h2);
    gw_tls_client_release(&tls);
    h2_world_fini(&world);
    maker_fini(&maker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),
        cmocka_unit_test(test_without_bodies),
        cmocka_unit_test(test_many_share_one),
        cmocka_unit_test(test_limit_of_the_peer),
        cmocka_unit_test(test_full_connection),
        cmocka_unit_test(test_peer_takes_none),
        cmocka_unit_test(test_large_response),
        cmocka_unit_test(test_large_request),
        cmocka_unit_test(test_streamed_request),
        cmocka_unit_test(test_pause),
        cmocka_unit_test(test_end_while_paused),
        cmocka_unit_test(test_alpn_chooses_h2),
        cmocka_unit_test(test_alpn_changes_its_mind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
