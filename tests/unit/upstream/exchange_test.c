/* SPDX-License-Identifier: MIT */
/* The life of an exchange: staleness, cancelling wherever one likes, pausing, limits. */
#include "upstream_fixture.h"

/* ---- staleness ---- */

static void serve_then_close(struct peer *peer, struct gw_str request)
{
    (void)request;
    if (peer->requests == 1) {
        peer_send(peer, ANSWER_OK);
    } else {
        peer_close(peer);
    }
}

static void serve_then_reset(struct peer *peer, struct gw_str request)
{
    (void)request;
    if (peer->requests == 1) {
        peer_send(peer, ANSWER_OK);
    } else {
        peer_reset(peer);
    }
}

static void test_stale(void **state)
{
    (void)state;
    serve_fn *const ways[] = {serve_then_close, serve_then_reset};
    for (size_t i = 0; i < GW_ARRAY_LEN(ways); i++) {
        struct world world;
        world_init(&world);
        world.serve = ways[i];
        struct client client;
        client_init(&client, &world);
        client_do(&client);
        assert_ended(&client, 200, "hello");
        client_fini(&client);
        world_run(&world, all_idle, NULL);
        client_init(&client, &world);
        client_do(&client);
        assert_failed(&client, GW_PHASE_FIRST_BYTE, i == 0 ? GW_ERR_EOF : GW_ERR_RESET);
        assert_true(client.is_stale);
        assert_true(client.timings.is_reused);
        client_fini(&client);
        /* What the caller does then: once more on a fresh connection. */
        client_init(&client, &world);
        struct gw_exchange_request request = make_request(&world);
        request.fresh_connection = true;
        client_start_with(&client, &request);
        client_run(&client);
        assert_ended(&client, 200, "hello");
        assert_false(client.timings.is_reused);
        client_fini(&client);
        assert_int_equal(world.peer_count, 2);
        world_fini(&world);
    }
}

/* The server closed, and we send before the loop has looked: the write itself fails or the end
 * follows; both are stale. */
static void test_stale_before_the_loop_knows(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    world.serve = serve_answer;
    world.answer = ANSWER_OK;
    struct client client;
    client_init(&client, &world);
    client_do(&client);
    client_fini(&client);
    world_run(&world, all_idle, NULL);
    peer_reset(&world.peers[0]);
    client_init(&client, &world);
    client_do(&client);
    assert_int_equal(client.errors, 1);
    assert_true(client.is_stale);
    client_fini(&client);
    world_fini(&world);
}

static void test_fresh_connection_leaves_idle_ones(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    world.serve = serve_answer;
    world.answer = ANSWER_OK;
    for (unsigned i = 1; i <= 2; i++) {
        struct client client;
        client_init(&client, &world);
        struct gw_exchange_request request = make_request(&world);
        request.fresh_connection = true;
        client_start_with(&client, &request);
        client_run(&client);
        assert_ended(&client, 200, "hello");
        client_fini(&client);
        world_run(&world, all_idle, NULL);
        assert_int_equal(world.peer_count, i);
        assert_int_equal(counter(&gw_upstream_counters(world.upstream)->idle), i);
    }
    world_fini(&world);
}

/* ---- cancelling inside events ---- */

static void cancel_now(struct client *client)
{
    gw_exchange_cancel(&client->exchange);
    assert_null(client->exchange);
}

static bool peer_has_seen_end(struct world *world, void *arg)
{
    (void)arg;
    return world->peer_count > 0 && world->peers[0].has_ended;
}

static void test_cancel_inside_events(void **state)
{
    (void)state;
    for (int where = 0; where < 2; where++) {
        struct world world;
        world_init(&world);
        world.serve = serve_answer;
        world.answer = OK_HEAD "transfer-encoding: chunked\r\n\r\n"
                               "3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n" ANSWER_OK;
        struct client client;
        client_init(&client, &world);
        if (where == 0) {
            client.at_response = cancel_now;
        } else {
            client.at_body = cancel_now;
        }
        client_start(&client);
        world_run(&world, peer_has_seen_end, NULL);
        assert_int_equal(client.responses, 1);
        assert_int_equal(client.bodies, where);
        assert_int_equal(client.ends + client.errors, 0);
        client_fini(&client);
        assert_int_equal(counter(&gw_upstream_counters(world.upstream)->open), 0);
        world_fini(&world);
    }
}

static struct client *victim;

static void cancel_victim(struct client *client)
{
    (void)client;
    gw_exchange_cancel(&victim->exchange);
}

/* Any exchange may be cancelled inside another one's events. */
static void test_cancel_another(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    world.serve = serve_answer;
    world.answer = ANSWER_OK;
    for (int where = 0; where < 4; where++) {
        struct client a;
        struct client b;
        client_init(&a, &world);
        client_init(&b, &world);
        void (**const hooks[])(struct client *) = {&a.at_response, &a.at_body, &a.at_end,
                                                   &a.at_error};
        *hooks[where] = cancel_victim;
        victim = &b;
        struct gw_exchange_request request = make_request(&world);
        if (where == 3) {
            world.answer = "garbage";
            request.fresh_connection = true;
        }
        client_start_with(&a, &request);
        client_start_with(&b, &request);
        client_run(&a);
        world_settle(&world);
        assert_null(b.exchange);
        client_fini(&a);
        client_fini(&b);
    }
    world_fini(&world);
}

static void start_again(struct client *client)
{
    struct client *next = client->world->until_arg;
    if (next->responses == 0 && next->exchange == NULL && next != client) {
        client_start(next);
    }
}

/* A new exchange inside on_end gets another connection or waits for none: it simply works. */
static void test_start_inside_end(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    world.serve = serve_answer;
    world.answer = ANSWER_OK;
    for (int i = 0; i < 3; i++) {
        struct client first;
        struct client second;
        client_init(&first, &world);
        client_init(&second, &world);
        first.at_end = start_again;
        client_start(&first);
        world_run(&world, client_is_over, &second);
        assert_ended(&first, 200, "hello");
        assert_ended(&second, 200, "hello");
        client_fini(&first);
        client_fini(&second);
        world_run(&world, all_idle, NULL);
    }
    assert_true(world.peer_count <= 2);
    world_fini(&world);
}

static void test_cancel_at_each_stage(void **state)
{
    (void)state;
    /* at once; while connecting; while waiting for the response */
    for (int stage = 0; stage < 3; stage++) {
        struct world world;
        world_init(&world);
        struct client client;
        client_init(&client, &world);
        client_start(&client);
        if (stage == 1) {
            (void)uv_run(gw_loop_uv(world.loop), UV_RUN_NOWAIT);
        } else if (stage == 2) {
            for (int i = 0; i < 100 && client.exchange->state != GW_EXCHANGE_WAITING; i++) {
                (void)uv_run(gw_loop_uv(world.loop), UV_RUN_NOWAIT);
            }
            assert_int_equal(client.exchange->state, GW_EXCHANGE_WAITING);
        }
        gw_exchange_cancel(&client.exchange);
        world_settle(&world);
        assert_int_equal(counter(&gw_upstream_counters(world.upstream)->open), 0);
        client_fini(&client);
        world_fini(&world);
    }
}

/* ---- pausing ---- */

static struct gw_str big_answer(size_t body_len)
{
    char head[128];
    int head_len = snprintf(head, sizeof(head), OK_HEAD "content-length: %zu\r\n\r\n", body_len);
    char *text = malloc((size_t)head_len + body_len);
    memcpy(text, head, (size_t)head_len);
    for (size_t i = 0; i < body_len; i++) {
        text[(size_t)head_len + i] = (char)('A' + i % 26);
    }
    return gw_str(text, (size_t)head_len + body_len);
}

static struct gw_str big;

static void serve_big(struct peer *peer, struct gw_str request)
{
    (void)request;
    peer_send_bytes(peer, big);
}

static void serve_big_and_close(struct peer *peer, struct gw_str request)
{
    (void)request;
    peer->finish_when_sent = true;
    peer_send_bytes(peer, big);
}

static void pause_now(struct client *client)
{
    client->at_body = NULL;
    gw_exchange_pause(client->exchange, true);
}

static void check_big(const struct client *client, size_t len)
{
    assert_int_equal(client->ends, 1);
    assert_int_equal(client->body.len, len);
    for (size_t i = 0; i < len; i++) {
        if (client->body.ptr[i] != (char)('A' + i % 26)) {
            fail_msg("byte %zu is wrong", i);
        }
    }
}

static void test_pause(void **state)
{
    (void)state;
    const size_t len = 8u * 1024 * 1024;
    serve_fn *const ways[] = {serve_big, serve_big_and_close};
    for (size_t i = 0; i < GW_ARRAY_LEN(ways); i++) {
        struct world world;
        world_init(&world);
        world.serve = ways[i];
        big = big_answer(len);
        struct client client;
        client_init(&client, &world);
        client.at_body = pause_now;
        client_start(&client);
        world_run(&world, has_body, &client);
        size_t before = client.body.len;
        assert_true(client.exchange->phase_at_ms == GW_NEVER_MS); /* the limit rests */
        assert_false(world_try_run(&world, client_is_over, &client, 50));
        assert_true(client.body.len <= before + GW_LOOP_READ_BYTES);
        assert_true(client.body.len < len);
        gw_exchange_pause(client.exchange, false);
        assert_true(client.exchange->phase_at_ms < GW_NEVER_MS);
        client_run(&client);
        check_big(&client, len);
        client_fini(&client);
        world_run(&world, i == 0 ? all_idle : none_open, NULL);
        world_fini(&world);
        free((void *)(uintptr_t)big.ptr);
    }
}

/* Paused before the response came: it waits in the socket, whatever the limits. */
static void test_pause_before_the_response(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    world.serve = serve_answer;
    world.answer = ANSWER_OK;
    struct client client;
    client_init(&client, &world);
    client_start(&client);
    gw_exchange_pause(client.exchange, true);
    gw_exchange_pause(client.exchange, true);
    assert_false(world_try_run(&world, client_is_over, &client, 50));
    assert_int_equal(client.exchange->state, GW_EXCHANGE_WAITING);
    assert_true(client.exchange->phase_at_ms == GW_NEVER_MS);
    assert_int_equal(client.responses, 0);
    gw_exchange_pause(client.exchange, false);
    client_run(&client);
    assert_ended(&client, 200, "hello");
    client_fini(&client);
    world_run(&world, all_idle, NULL);
    world_fini(&world);
}

/* The peer is gone while we do not read: noticed, and what it sent before is not lost. */
static void test_reset_while_paused(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    world.serve = serve_answer;
    world.answer = OK_HEAD "content-length: 100\r\n\r\npart";
    struct client client;
    client_init(&client, &world);
    client.at_body = pause_now;
    client_start(&client);
    world_run(&world, has_body, &client);
    peer_reset(&world.peers[0]);
    client_run(&client);
    assert_failed(&client, GW_PHASE_BODY, GW_ERR_RESET);
    assert_int_equal(client.body.len, 4);
    client_fini(&client);
    world_fini(&world);
}

/* ---- limits ---- */

static void test_huge_heads(void **state)
{
    (void)state;
    struct gw_buf text;
    gw_buf_init(&text, MAX_BODY);
    (void)gw_buf_append(&text, GW_STR(OK_HEAD "x-big: "));
    while (text.len < GW_UPSTREAM_MAX_HEADER_BYTES + 10) {
        (void)gw_buf_append(&text, GW_STR("0123456789abcdef"));
    }
    (void)gw_buf_append(&text, GW_STR("\r\ncontent-length: 0\r\n\r\n"));
    (void)gw_buf_append_byte(&text, '\0');
    struct world world;
    world_init(&world);
    world.serve = serve_answer;
    world.answer = text.ptr;
    struct client client;
    client_init(&client, &world);
    client_do(&client);
    assert_failed(&client, GW_PHASE_HEAD, GW_ERR_TOO_LARGE);
    client_fini(&client);
    /* A head that never ends is bounded too. */
    text.ptr[GW_UPSTREAM_MAX_HEADER_BYTES + 5] = '\0';
    client_init(&client, &world);
    client_do(&client);
    assert_failed(&client, GW_PHASE_HEAD, GW_ERR_TOO_LARGE);
    client_fini(&client);
    world_fini(&world);
    gw_buf_fini(&text);
}

struct limit_case {
    const char *answer; /* what comes before the silence; NULL: nothing is read either */
    enum gw_exchange_phase phase;
    bool is_total;
};

static void serve_slowly(struct peer *peer, struct gw_str request)
{
    (void)request;
    peer_send(peer, peer->world->answer);
}

static void test_limits(void **state)
{
    (void)state;
    const struct limit_case rows[] = {
        {"", GW_PHASE_FIRST_BYTE, false},
        {"HTTP/1.1 200 O", GW_PHASE_HEAD, false},
        {OK_HEAD "content-length: 9\r\n\r\nabc", GW_PHASE_BODY, false},
        {"", GW_PHASE_FIRST_BYTE, true},
        {"HTTP/1.1 200 O", GW_PHASE_HEAD, true},
        {OK_HEAD "content-length: 9\r\n\r\nabc", GW_PHASE_BODY, true},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(rows); i++) {
        struct world world;
        world_init(&world);
        world.serve = serve_slowly;
        world.answer = rows[i].answer;
        struct client client;
        client_init(&client, &world);
        struct gw_exchange_request request = make_request(&world);
        if (rows[i].is_total) {
            request.timeouts.total_ms = 53;
        } else if (rows[i].phase == GW_PHASE_BODY) {
            request.timeouts.idle_ms = 51;
            request.timeouts.first_byte_ms = 20000;
        } else {
            request.timeouts.first_byte_ms = 252; /* so long that the part of a head has come */
        }
        client_start_with(&client, &request);
        client_run(&client);
        /* On a slow machine the total limit may be hit in an earlier phase. */
        assert_failed(&client, rows[i].is_total ? client.phase : rows[i].phase, GW_ERR_TIMEOUT);
        assert_false(client.is_stale);
        assert_int_equal(client.timeout_ms, rows[i].is_total                 ? 53
                                            : rows[i].phase == GW_PHASE_BODY ? 51
                                                                             : 252);
        client_fini(&client);
        world_run(&world, none_open, NULL);
        world_fini(&world);
    }
}

/* A peer that does not read: the request stands. */
static void stop_reading(struct peer *peer)
{
    gw_stream_set_reading(peer->stream, false);
}

static void test_limit_while_sending(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    world.at_accept = stop_reading;
    const size_t len = 32u * 1024 * 1024;
    char *body = calloc(1, len);
    const struct gw_str run = gw_str(body, len);
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
    assert_int_equal(client.timeout_ms, 60);
    client_fini(&client);
    world_fini(&world);
    free(body);
}

/* A slow source is not the peer's fault. */
static void test_no_limit_on_the_source(void **state)
{
    (void)state;
    struct world world;
    world_init(&world);
    world.serve = serve_answer;
    world.answer = ANSWER_OK;
    struct client client;
    client_init(&client, &world);
    struct gw_exchange_request request = make_request(&world);
    request.method = GW_STR("POST");
    request.is_streamed = true;
    request.content_length = 2;
    request.timeouts.idle_ms = 20;
    request.timeouts.first_byte_ms = 0;
    client_start_with(&client, &request);
    assert_false(world_try_run(&world, client_is_over, &client, 90));
    assert_int_equal(gw_exchange_write(client.exchange, GW_STR("ab")), GW_OK);
    assert_int_equal(gw_exchange_end_body(client.exchange), GW_OK);
    client_run(&client);
    assert_ended(&client, 200, "hello");
    client_fini(&client);
    world_run(&world, all_idle, NULL);
    world_fini(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stale),
        cmocka_unit_test(test_stale_before_the_loop_knows),
        cmocka_unit_test(test_fresh_connection_leaves_idle_ones),
        cmocka_unit_test(test_cancel_inside_events),
        cmocka_unit_test(test_cancel_another),
        cmocka_unit_test(test_start_inside_end),
        cmocka_unit_test(test_cancel_at_each_stage),
        cmocka_unit_test(test_pause),
        cmocka_unit_test(test_pause_before_the_response),
        cmocka_unit_test(test_reset_while_paused),
        cmocka_unit_test(test_huge_heads),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_limit_while_sending),
        cmocka_unit_test(test_no_limit_on_the_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
