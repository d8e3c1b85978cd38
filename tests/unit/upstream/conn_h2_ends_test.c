/* SPDX-License-Identifier: MIT */
/* How HTTP/2 streams and connections end: resets, cancelling, GOAWAY, peers that break, PING,
 * limits. */
#include "h2_server.h"

/* ---- how streams end ---- */

static uint32_t reset_code;
static bool reset_in_body;

static void reset_stream(struct h2_stream *stream)
{
    if (reset_in_body) {
        stream->hold_end = true;
        h2_answer(stream, "200", "part", 4);
    }
    h2_reset(stream, reset_code);
}

struct reset_case {
    uint32_t code;
    bool in_body;
    enum gw_err err;
    bool is_stale;
};

static void test_stream_resets(void **state)
{
    (void)state;
    const struct reset_case rows[] = {
        {NGHTTP2_REFUSED_STREAM, false, GW_ERR_REFUSED, true},
        {NGHTTP2_INTERNAL_ERROR, false, GW_ERR_RESET, false},
        {NGHTTP2_NO_ERROR, false, GW_ERR_RESET, false},
        {NGHTTP2_CANCEL, true, GW_ERR_RESET, false},
        {NGHTTP2_PROTOCOL_ERROR, true, GW_ERR_PROTOCOL, false},
    };
    struct world world;
    h2_world_init(&world, &world_default_opts);
    for (size_t i = 0; i < GW_ARRAY_LEN(rows); i++) {
        h2_script.on_request = reset_stream;
        reset_code = rows[i].code;
        reset_in_body = rows[i].in_body;
        struct client client;
        client_init(&client, &world);
        client_do(&client);
        assert_int_equal(client.errors, 1);
        assert_int_equal(client.err, rows[i].err);
        assert_int_equal(client.is_stale, rows[i].is_stale);
        client_fini(&client);
        world_run(&world, all_idle, NULL);
    }
    /* The connection is as good as before. */
    h2_script.on_request = h2_answer_ok;
    run_many(&world, 3);
    assert_int_equal(world.peer_count, 1);
    h2_world_fini(&world);
}

static void answer_early(struct h2_stream *stream)
{
    h2_answer(stream, "413", "no!!", 4);
}

static bool stream_is_closed(struct world *world, void *arg)
{
    (void)arg;
    return world->peer_count > 0 && h2_server(world, 0)->stream_count > 0 &&
           h2_server(world, 0)->streams[0]->is_closed;
}

/* Answered before the body is complete: delivered, the rest of the body is given up. */
static void test_early_response(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    h2_script.on_head = answer_early;
    struct client client;
    client_init(&client, &world);
    struct gw_exchange_request request = make_request(&world);
    request.method = GW_STR("POST");
    request.is_streamed = true;
    request.content_length = 1000000;
    client_start_with(&client, &request);
    assert_int_equal(gw_exchange_write(client.exchange, GW_STR("begin")), GW_OK);
    client_run(&client);
    assert_ended(&client, 413, "no!!");
    client_fini(&client);
    world_run(&world, stream_is_closed, NULL);
    assert_int_equal(h2_server(&world, 0)->streams[0]->close_code, NGHTTP2_CANCEL);
    h2_script.on_head = NULL;
    run_many(&world, 1);
    assert_int_equal(world.peer_count, 1);
    h2_world_fini(&world);
}

static void answer_interim(struct h2_stream *stream)
{
    const nghttp2_nv interim[] = {h2_field(":status", "103"), h2_field("link", "x")};
    (void)nghttp2_submit_headers(stream->server->session, NGHTTP2_FLAG_NONE, stream->id, NULL,
                                 interim, 2, NULL);
    h2_answer_ok(stream);
}

static void test_interim_response(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    h2_script.on_request = answer_interim;
    struct client client;
    client_init(&client, &world);
    client_do(&client);
    assert_ended(&client, 200, "hello");
    assert_string_equal(client.fields.ptr, "x-by: h2\n");
    client_fini(&client);
    h2_world_fini(&world);
}

static void answer_huge_head(struct h2_stream *stream)
{
    static char value[30000];
    memset(value, 'v', sizeof(value) - 1);
    const nghttp2_nv fields[] = {h2_field(":status", "200"), h2_field("a", value),
                                 h2_field("b", value), h2_field("c", value)};
    (void)nghttp2_submit_response(stream->server->session, stream->id, fields, 4, NULL);
    h2_flush(stream->server);
}

static void test_huge_head(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    h2_script.on_request = answer_huge_head;
    struct client client;
    client_init(&client, &world);
    client_do(&client);
    assert_failed(&client, GW_PHASE_HEAD, GW_ERR_TOO_LARGE);
    client_fini(&client);
    h2_script.on_request = h2_answer_ok;
    run_many(&world, 2);
    assert_int_equal(world.peer_count, 1);
    h2_world_fini(&world);
}

static void answer_many_fields(struct h2_stream *stream)
{
    nghttp2_nv fields[300];
    fields[0] = h2_field(":status", "200");
    for (size_t i = 1; i < GW_ARRAY_LEN(fields); i++) {
        fields[i] = h2_field("x", "y");
    }
    (void)nghttp2_submit_response(stream->server->session, stream->id, fields, GW_ARRAY_LEN(fields),
                                  NULL);
    h2_flush(stream->server);
}

static void test_too_many_fields(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    h2_script.on_request = answer_many_fields;
    struct client client;
    client_init(&client, &world);
    client_do(&client);
    assert_failed(&client, GW_PHASE_HEAD, GW_ERR_TOO_LARGE);
    client_fini(&client);
    h2_world_fini(&world);
}

/* The body is shorter than announced: nghttp2 resets the stream. */
static void answer_short(struct h2_stream *stream)
{
    stream->answer = "hel";
    stream->answer_len = 3;
    const nghttp2_nv fields[] = {h2_field(":status", "200"), h2_field("content-length", "5")};
    const nghttp2_data_provider provider = {.source = {.ptr = stream},
                                            .read_callback = h2_read_answer};
    (void)nghttp2_submit_response(stream->server->session, stream->id, fields, 2, &provider);
    h2_flush(stream->server);
}

static void test_wrong_length(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    h2_script.on_request = answer_short;
    struct client client;
    client_init(&client, &world);
    client_do(&client);
    assert_failed(&client, GW_PHASE_BODY, GW_ERR_PROTOCOL);
    assert_int_equal(client.content_length, 5);
    client_fini(&client);
    h2_world_fini(&world);
}

/* ---- cancelling ---- */

static void cancel_now(struct client *client)
{
    gw_exchange_cancel(&client->exchange);
}

static void test_cancel(void **state)
{
    (void)state;
    for (int where = 0; where < 4; where++) {
        struct world world;
        h2_world_init(&world, &world_default_opts);
        big = make_pattern(BIG);
        h2_script.on_request = where == 3 ? hold : answer_big;
        struct client client;
        client_init(&client, &world);
        if (where == 0) {
            client.at_response = cancel_now;
        } else if (where == 1) {
            client.at_body = cancel_now;
        }
        client_start(&client);
        if (where == 2) { /* before a byte has left */
            gw_exchange_cancel(&client.exchange);
        } else if (where == 3) {
            unsigned one = 1;
            world_run(&world, has_requests, &one);
            gw_exchange_cancel(&client.exchange);
            world_run(&world, stream_is_closed, NULL);
            assert_int_equal(h2_server(&world, 0)->streams[0]->close_code, NGHTTP2_CANCEL);
        } else {
            world_run(&world, stream_is_closed, NULL);
        }
        assert_int_equal(client.bodies, where == 1);
        assert_int_equal(client.ends + client.errors, 0);
        client_fini(&client);
        world_settle(&world);
        h2_script.on_request = h2_answer_ok;
        run_many(&world, 5);
        assert_int_equal(world.peer_count, 1);
        h2_world_fini(&world);
        free(big);
    }
}

static void test_cancel_before_submit_is_flushed(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    run_many(&world, 1);
    struct client client;
    client_init(&client, &world);
    client_start(&client);
    assert_true(client.exchange->stream_id > 0);
    client_fini(&client); /* HEADERS wait in the session's queue still */
    world_run(&world, all_idle, NULL);
    world_settle(&world);
    assert_int_equal(world.requests, 1);
    run_many(&world, 3);
    assert_int_equal(world.peer_count, 1);
    h2_world_fini(&world);
}

static struct client *victim;

static void cancel_victim(struct client *client)
{
    (void)client;
    gw_exchange_cancel(&victim->exchange);
}

static void test_cancel_another(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    for (int where = 0; where < 3; where++) {
        struct client a;
        struct client b;
        client_init(&a, &world);
        client_init(&b, &world);
        void (**const hooks[])(struct client *) = {&a.at_response, &a.at_body, &a.at_end};
        *hooks[where] = cancel_victim;
        victim = &b;
        client_start(&a);
        client_start(&b);
        client_run(&a);
        world_settle(&world);
        assert_ended(&a, 200, "hello");
        assert_int_equal(b.errors + b.ends, 0);
        client_fini(&a);
        client_fini(&b);
        world_run(&world, all_idle, NULL);
    }
    h2_world_fini(&world);
}

static struct client *next_client;

static void start_next(struct client *client)
{
    (void)client;
    client_start(next_client);
}

static void test_start_inside_events(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    for (int where = 0; where < 3; where++) {
        struct client a;
        struct client b;
        client_init(&a, &world);
        client_init(&b, &world);
        void (**const hooks[])(struct client *) = {&a.at_response, &a.at_body, &a.at_end};
        *hooks[where] = start_next;
        next_client = &b;
        client_start(&a);
        world_run(&world, client_is_over, &b);
        client_run(&a);
        assert_ended(&a, 200, "hello");
        assert_ended(&b, 200, "hello");
        client_fini(&a);
        client_fini(&b);
        world_run(&world, all_idle, NULL);
    }
    assert_int_equal(world.peer_count, 1);
    h2_world_fini(&world);
}

static void drop_pool(struct client *client)
{
    gw_pool_release(&client->world->pool);
}

static void test_release_inside_events(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    struct client client;
    client_init(&client, &world);
    client.at_body = drop_pool;
    client_do(&client);
    assert_ended(&client, 200, "hello");
    client_fini(&client);
    world_run(&world, none_open, NULL);
    h2_world_fini(&world);
}

/* ---- how connections end ---- */

static void test_goaway(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    run_many(&world, 1); /* so that the settings are known and the next three go out together */
    h2_script.on_request = hold;
    struct client clients[3];
    for (unsigned i = 0; i < 3; i++) {
        client_init(&clients[i], &world);
        client_start(&clients[i]);
    }
    unsigned four = 4;
    world_run(&world, has_requests, &four);
    struct h2_server *server = h2_server(&world, 0);
    (void)nghttp2_submit_goaway(server->session, NGHTTP2_FLAG_NONE, server->streams[1]->id,
                                NGHTTP2_NO_ERROR, NULL, 0);
    h2_flush(server);
    for (unsigned i = 1; i < 3; i++) {
        client_run(&clients[i]);
        assert_failed(&clients[i], GW_PHASE_FIRST_BYTE, GW_ERR_REFUSED);
        assert_true(clients[i].is_stale);
    }
    assert_int_equal(clients[0].errors, 0);
    /* New ones go elsewhere; the first ends well on the old connection, which then goes. */
    h2_script.on_request = h2_answer_ok;
    struct client another;
    client_init(&another, &world);
    client_do(&another);
    assert_ended(&another, 200, "hello");
    client_fini(&another);
    assert_int_equal(world.peer_count, 2);
    h2_answer_ok(server->streams[1]);
    client_run(&clients[0]);
    assert_ended(&clients[0], 200, "hello");
    for (unsigned i = 0; i < 3; i++) {
        client_fini(&clients[i]);
    }
    world_run(&world, all_idle, NULL);
    assert_int_equal(counter(&gw_upstream_counters(world.upstream)->open), 1);
    h2_world_fini(&world);
}

static void test_goaway_while_idle(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    run_many(&world, 2);
    struct h2_server *server = h2_server(&world, 0);
    (void)nghttp2_submit_goaway(server->session, NGHTTP2_FLAG_NONE, 3, NGHTTP2_NO_ERROR, NULL, 0);
    h2_flush(server);
    world_run(&world, none_open, NULL);
    run_many(&world, 2);
    assert_int_equal(world.peer_count, 2);
    h2_world_fini(&world);
}

/* A request that waits in the session when GOAWAY comes was never sent. */
static void test_goaway_before_it_left(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    run_many(&world, 1);
    struct h2_server *server = h2_server(&world, 0);
    (void)nghttp2_submit_goaway(server->session, NGHTTP2_FLAG_NONE, 1, NGHTTP2_NO_ERROR, NULL, 0);
    h2_flush(server);
    struct client client;
    client_init(&client, &world);
    client_start(&client);
    client_run(&client);
    if (client.errors > 0) {
        assert_true(client.is_stale);
    } else {
        assert_int_equal(world.peer_count, 2);
    }
    client_fini(&client);
    h2_world_fini(&world);
}

static void close_peer(struct h2_stream *stream)
{
    peer_close(stream->server->peer);
}

static void reset_peer(struct h2_stream *stream)
{
    peer_reset(stream->server->peer);
}

static void test_connection_lost(void **state)
{
    (void)state;
    void (*const ways[])(struct h2_stream *) = {close_peer, reset_peer};
    for (size_t i = 0; i < GW_ARRAY_LEN(ways); i++) {
        struct world world;
        h2_world_init(&world, &world_default_opts);
        h2_script.on_request = ways[i];
        struct client client;
        client_init(&client, &world);
        client_do(&client);
        assert_int_equal(client.errors, 1);
        assert_false(client.is_stale); /* a new connection */
        client_fini(&client);
        h2_script.on_request = h2_answer_ok;
        run_many(&world, 1);
        h2_script.on_request = ways[i];
        struct client pair[2];
        client_init(&pair[0], &world);
        client_init(&pair[1], &world);
        client_start(&pair[0]);
        client_start(&pair[1]);
        for (unsigned k = 0; k < 2; k++) {
            client_run(&pair[k]);
            assert_failed(&pair[k], GW_PHASE_FIRST_BYTE, i == 0 ? GW_ERR_EOF : GW_ERR_RESET);
            assert_true(pair[k].is_stale);
            client_fini(&pair[k]);
        }
        world_run(&world, none_open, NULL);
        h2_world_fini(&world);
    }
}

static void answer_part_and_close(struct h2_stream *stream)
{
    stream->hold_end = true;
    h2_answer(stream, "200", "part", 4);
}

static void test_connection_lost_in_body(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    h2_script.on_request = answer_part_and_close;
    struct client client;
    client_init(&client, &world);
    client_start(&client);
    world_run(&world, has_body, &client);
    peer_close(&world.peers[0]);
    client_run(&client);
    assert_failed(&client, GW_PHASE_BODY, GW_ERR_EOF);
    assert_int_equal(client.body.len, 4);
    client_fini(&client);
    h2_world_fini(&world);
}

/* ---- peers that do not speak HTTP/2 ---- */

static void speak_h1(struct peer *peer)
{
    if (peer->requests == 0) {
        peer->requests++;
        peer_send(peer, "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    }
}

static void test_peer_speaks_h1(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    world.at_accept = NULL;
    world.at_read = speak_h1;
    struct client client;
    client_init(&client, &world);
    client_do(&client);
    assert_int_equal(client.errors, 1);
    assert_int_equal(client.err, GW_ERR_PROTOCOL);
    assert_false(client.is_stale);
    assert_non_null(strstr(client.detail, "SETTINGS"));
    client_fini(&client);
    world_run(&world, none_open, NULL);
    h2_world_fini(&world);
}

static void send_garbage(struct peer *peer)
{
    if (peer->requests == 0) {
        peer->requests++;
        /* Settings, then a frame of 16 MiB of an unknown type on a stream of the server's. */
        peer_send_bytes(peer, gw_str("\0\0\0\4\0\0\0\0\0"
                                     "\xff\xff\xff\0\0\0\0\0\2garbage",
                                     25));
    }
}

static void test_garbage_frames(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    world.at_accept = NULL;
    world.at_read = send_garbage;
    struct client client;
    client_init(&client, &world);
    client_do(&client);
    assert_int_equal(client.errors, 1);
    assert_int_equal(client.err, GW_ERR_PROTOCOL);
    client_fini(&client);
    world_run(&world, none_open, NULL);
    h2_world_fini(&world);
}

/* ---- liveness and limits ---- */

static void test_no_settings(void **state)
{
    (void)state;
    struct world world;
    struct gw_upstream_opts opts = world_default_opts;
    opts.ping_timeout_ms = 60;
    h2_world_init(&world, &opts);
    h2_script.no_settings = true;
    struct client clients[2];
    for (unsigned i = 0; i < 2; i++) {
        client_init(&clients[i], &world);
        client_start(&clients[i]);
    }
    for (unsigned i = 0; i < 2; i++) {
        client_run(&clients[i]);
        assert_int_equal(clients[i].err, GW_ERR_TIMEOUT);
        assert_int_equal(clients[i].timeout_ms, 60);
        client_fini(&clients[i]);
    }
    assert_int_equal(world.peer_count, 1);
    h2_world_fini(&world);
}

static void test_ping(void **state)
{
    (void)state;
    struct world world;
    struct gw_upstream_opts opts = world_default_opts;
    opts.ping_after_ms = 40;
    opts.ping_timeout_ms = 400; /* a stall of this process must not look like the peer's */
    h2_world_init(&world, &opts);
    h2_script.on_request = hold;
    struct client client;
    client_init(&client, &world);
    client_start(&client);
    unsigned one = 1;
    world_run(&world, has_requests, &one);
    /* Answered pings keep it alive, as long as it takes. */
    assert_false(world_try_run(&world, client_is_over, &client, 200));
    struct h2_server *server = h2_server(&world, 0);
    assert_true(server->pings >= 2);
    /* The peer falls silent. */
    gw_stream_set_reading(world.peers[0].stream, false);
    client_run(&client);
    assert_failed(&client, GW_PHASE_FIRST_BYTE, GW_ERR_TIMEOUT);
    assert_int_equal(client.timeout_ms, 400);
    assert_string_equal(client.detail, "a PING was not answered");
    client_fini(&client);
    world_run(&world, none_open, NULL);
    h2_world_fini(&world);
}

static void test_ping_while_idle(void **state)
{
    (void)state;
    struct world world;
    struct gw_upstream_opts opts = world_default_opts;
    opts.ping_after_ms = 30;
    opts.ping_timeout_ms = 400;
    h2_world_init(&world, &opts);
    run_many(&world, 1);
    assert_false(world_try_run(&world, none_open, NULL, 120));
    assert_true(h2_server(&world, 0)->pings >= 1);
    gw_stream_set_reading(world.peers[0].stream, false);
    world_run(&world, none_open, NULL);
    h2_world_fini(&world);
}

static void test_idle_timeout(void **state)
{
    (void)state;
    struct world world;
    struct gw_upstream_opts opts = world_default_opts;
    opts.idle_timeout_ms = 60;
    h2_world_init(&world, &opts);
    run_many(&world, 3);
    uint64_t since_ms = gw_loop_now_ms(world.loop);
    world_run(&world, none_open, NULL);
    assert_true(gw_loop_now_ms(world.loop) - since_ms >= 55);
    h2_world_fini(&world);
}

static void test_limits(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    for (int i = 0; i < 3; i++) {
        h2_script.on_request = i == 1 ? answer_part_and_close : hold;
        struct client client;
        client_init(&client, &world);
        struct gw_exchange_request request = make_request(&world);
        if (i == 0) {
            request.timeouts.first_byte_ms = 51;
        } else if (i == 1) {
            request.timeouts.idle_ms = 152;
        } else {
            request.timeouts.total_ms = 253;
        }
        client_start_with(&client, &request);
        client_run(&client);
        assert_failed(&client, i == 1 ? GW_PHASE_BODY : GW_PHASE_FIRST_BYTE, GW_ERR_TIMEOUT);
        assert_int_equal(client.timeout_ms, 51 + 101 * i);
        client_fini(&client);
        world_run(&world, all_idle, NULL);
    }
    h2_script.on_request = h2_answer_ok;
    run_many(&world, 2);
    assert_int_equal(world.peer_count, 1); /* the streams were reset, nothing else */
    h2_world_fini(&world);
}

/* The peer opens no window: the request stands. */
static void test_limit_while_sending(void **state)
{
    (void)state;
    struct world world;
    h2_world_init(&world, &world_default_opts);
    h2_script.no_window_updates = true;
    big = make_pattern(BIG);
    const struct gw_str run = gw_str(big, BIG);
    struct client client;
    client_init(&client, &world);
    struct gw_exchange_request request = make_request(&world);
    request.method = GW_STR("POST");
    request.body_runs = &run;
    request.body_run_count = 1;
    request.timeouts.idle_ms = 60;
    client_start_with(&client, &request);
    client_run(&client);
    assert_failed(&client, GW_PHASE_SEND, GW_ERR_TIMEOUT);
    client_fini(&client);
    h2_world_fini(&world);
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stream_resets),
        cmocka_unit_test(test_early_response),
        cmocka_unit_test(test_interim_response),
        cmocka_unit_test(test_huge_head),
        cmocka_unit_test(test_too_many_fields),
        cmocka_unit_test(test_wrong_length),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_cancel_before_submit_is_flushed),
        cmocka_unit_test(test_cancel_another),
        cmocka_unit_test(test_start_inside_events),
        cmocka_unit_test(test_release_inside_events),
        cmocka_unit_test(test_goaway),
        cmocka_unit_test(test_goaway_while_idle),
        cmocka_unit_test(test_goaway_before_it_left),
        cmocka_unit_test(test_connection_lost),
        cmocka_unit_test(test_connection_lost_in_body),
        cmocka_unit_test(test_peer_speaks_h1),
        cmocka_unit_test(test_garbage_frames),
        cmocka_unit_test(test_no_settings),
        cmocka_unit_test(test_ping),
        cmocka_unit_test(test_ping_while_idle),
        cmocka_unit_test(test_idle_timeout),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_limit_while_sending),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
