/* SPDX-License-Identifier: MIT */
/* Each allocation that may fail fails once: an exchange then ends well or fails as it should,
 * nothing leaks, and the next exchange works. */
#include "h2_server.h"

/* More than any scenario below makes. */
#define MOST_ALLOCATIONS 400

static const char payload[] = "0123456789abcdefghij";

struct outcome {
    unsigned ended;
    unsigned failed;
    unsigned refused; /* gw_exchange_start() said no */
};

/* Two exchanges, the second with a streamed body. */
static void run_pair(struct world *world, struct outcome *outcome)
{
    struct client clients[2];
    for (unsigned i = 0; i < 2; i++) {
        client_init(&clients[i], world);
        struct gw_exchange_request request = make_request(world);
        const struct gw_str run = GW_STR("body");
        request.method = GW_STR("POST");
        if (i == 0) {
            request.body_runs = &run;
            request.body_run_count = 1;
        } else {
            request.is_streamed = true;
            request.content_length = GW_LENGTH_UNKNOWN;
        }
        if (gw_exchange_start(&request, &client_events, &clients[i], &clients[i].exchange) !=
            GW_OK) {
            assert_null(clients[i].exchange);
            outcome->refused++;
            continue;
        }
        if (i == 1) {
            enum gw_err err = gw_exchange_write(clients[i].exchange, gw_str_from_c(payload));
            if (err == GW_OK) {
                err = gw_exchange_end_body(clients[i].exchange);
            }
            if (err != GW_OK) {
                assert_int_equal(err, GW_ERR_NOMEM);
                gw_exchange_cancel(&clients[i].exchange);
                outcome->refused++;
                continue;
            }
        }
        client_run(&clients[i]);
        outcome->ended += clients[i].ends;
        outcome->failed += clients[i].errors;
    }
    for (unsigned i = 0; i < 2; i++) {
        client_fini(&clients[i]);
    }
}

typedef void world_begin_fn(struct world *world);

/* The server's allocations fail too; that is a connection that breaks. */
static void fail_each(world_begin_fn *begin, void (*end)(struct world *world))
{
    bool was_hurt = false;
    for (unsigned nth = 1; nth <= MOST_ALLOCATIONS; nth++) {
        struct world world;
        begin(&world);
        struct outcome outcome = {0};
        gw_alloc_fail_at(nth);
        run_pair(&world, &outcome);
        gw_alloc_fail_at(0);
        assert_int_equal(outcome.ended + outcome.failed + outcome.refused, 2);
        was_hurt = was_hurt || outcome.failed + outcome.refused > 0;
        /* Whatever happened: now it works. */
        struct client client;
        client_init(&client, &world);
        struct gw_exchange_request request = make_request(&world);
        request.fresh_connection = true;
        client_start_with(&client, &request);
        client_run(&client);
        assert_ended(&client, 200, "hello");
        client_fini(&client);
        world_run(&world, all_idle, NULL);
        end(&world);
    }
    assert_true(was_hurt);
}

static void begin_h1(struct world *world)
{
    world_init(world);
    world->forgives = true;
    world->serve = serve_answer;
    world->answer = ANSWER_OK;
}

static void test_h1(void **state)
{
    (void)state;
    fail_each(begin_h1, world_fini);
}

static void begin_h2(struct world *world)
{
    h2_world_init(world, &world_default_opts);
    world->forgives = true;
}

static void test_h2(void **state)
{
    (void)state;
    fail_each(begin_h2, h2_world_fini);
}

static void serve_by_proxy(struct peer *peer, struct gw_str request)
{
    peer_send(peer, gw_str_has_prefix(request, GW_STR("CONNECT "))
                        ? "HTTP/1.1 200 Connection established\r\n\r\n"
                        : ANSWER_OK);
}

static void begin_proxy(struct world *world)
{
    begin_h1(world);
    world->serve = serve_by_proxy;
    world->origin.proxy_host = world->origin.host;
    world->origin.proxy_port = world->origin.port;
    world->origin.key = GW_STR("by-proxy");
    world_make_pool(world);
}

static void test_proxy(void **state)
{
    (void)state;
    fail_each(begin_proxy, world_fini);
}

/* A large response while paused is queued: that queue may find no memory. */
static void test_h2_paused(void **state)
{
    (void)state;
    static char answer[200000];
    unsigned failed = 0;
    for (unsigned nth = 1; nth <= MOST_ALLOCATIONS; nth++) {
        struct world world;
        begin_h2(&world);
        h2_script.on_request = NULL;
        struct client client;
        client_init(&client, &world);
        client_start(&client);
        world_settle(&world);
        gw_exchange_pause(client.exchange, true);
        struct h2_server *server = h2_server(&world, 0);
        gw_alloc_fail_at(nth);
        h2_answer(server->streams[0], "200", answer, sizeof(answer));
        assert_true(client.exchange != NULL || client.errors == 1);
        (void)world_try_run(&world, client_is_over, &client, 20);
        gw_alloc_fail_at(0);
        if (client.exchange != NULL) {
            gw_exchange_pause(client.exchange, false);
        }
        client_run(&client);
        failed += client.errors;
        client_fini(&client);
        h2_world_fini(&world);
        if (client.errors == 0 && nth > 100) {
            break;
        }
    }
    assert_true(failed > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_h1),
        cmocka_unit_test(test_h2),
        cmocka_unit_test(test_proxy),
        cmocka_unit_test(test_h2_paused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
