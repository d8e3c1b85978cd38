/* SPDX-License-Identifier: MIT */
/* Which connection an exchange gets, how long idle ones stay, and who owns a pool. */
#include "upstream_fixture.h"

static void begin_with(struct world *world, const struct gw_upstream_opts *opts)
{
    world_init_with(world, opts);
    world->serve = serve_answer;
    world->answer = ANSWER_OK;
}

static const struct gw_upstream_counters *counters_of(const struct world *world)
{
    return gw_upstream_counters(world->upstream);
}

/* |count| exchanges at once, so as many connections. */
static void do_many(struct world *world, unsigned count)
{
    struct client clients[16];
    for (unsigned i = 0; i < count; i++) {
        client_init(&clients[i], world);
        client_start(&clients[i]);
    }
    for (unsigned i = 0; i < count; i++) {
        client_run(&clients[i]);
        assert_ended(&clients[i], 200, "hello");
        client_fini(&clients[i]);
    }
    world_run(world, all_idle, NULL);
}

static void test_limit_of_idle(void **state)
{
    (void)state;
    struct world world;
    begin_with(&world, &(struct gw_upstream_opts){.max_idle_per_origin = 3,
                                                  .idle_timeout_ms = LONG_LIMIT_MS});
    do_many(&world, 7);
    assert_int_equal(world.peer_count, 7);
    assert_int_equal(counter(&counters_of(&world)->idle), 3);
    assert_int_equal(counter(&counters_of(&world)->open), 3);
    do_many(&world, 3);
    assert_int_equal(world.peer_count, 7);
    assert_int_equal(counter(&counters_of(&world)->reused_total), 3);
    world_fini(&world);
}

static void test_none_idle(void **state)
{
    (void)state;
    struct world world;
    begin_with(&world, &(struct gw_upstream_opts){.max_idle_per_origin = 0,
                                                  .idle_timeout_ms = LONG_LIMIT_MS});
    do_many(&world, 2);
    do_many(&world, 1);
    assert_int_equal(world.peer_count, 3);
    assert_int_equal(counter(&counters_of(&world)->open), 0);
    world_fini(&world);
}

static void test_newest_first(void **state)
{
    (void)state;
    struct world world;
    begin_with(&world, &world_default_opts);
    do_many(&world, 4);
    unsigned last = 0; /* the connection that was given back last serves the next one, again */
    for (int i = 0; i < 6; i++) {
        unsigned before[4];
        for (unsigned k = 0; k < 4; k++) {
            before[k] = world.peers[k].requests;
        }
        do_many(&world, 1);
        for (unsigned k = 0; k < 4; k++) {
            if (world.peers[k].requests != before[k]) {
                assert_true(i == 0 || k == last);
                last = k;
            }
        }
    }
    assert_int_equal(world.peers[last].requests, 7);
    world_fini(&world);
}

static bool is_idle_zero(struct world *world, void *arg)
{
    (void)arg;
    return counter(&counters_of(world)->idle) == 0;
}

static void test_idle_timeout(void **state)
{
    (void)state;
    struct world world;
    begin_with(&world,
               &(struct gw_upstream_opts){.max_idle_per_origin = 8, .idle_timeout_ms = 500});
    do_many(&world, 2);
    uint64_t idle_since_ms = gw_loop_now_ms(world.loop);
    assert_int_equal(counter(&counters_of(&world)->idle), 2);
    /* Used in between: the limit begins anew. */
    do_many(&world, 2);
    world_run(&world, is_idle_zero, NULL);
    assert_true(gw_loop_now_ms(world.loop) - idle_since_ms >= 500);
    assert_int_equal(counter(&counters_of(&world)->open), 0);
    assert_int_equal(world.peer_count, 2);
    world_fini(&world);
}

static void test_closed_while_idle(void **state)
{
    (void)state;
    struct world world;
    begin_with(&world, &world_default_opts);
    do_many(&world, 3);
    peer_close(&world.peers[0]);
    peer_reset(&world.peers[1]);
    peer_send(&world.peers[2], "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\n");
    world_run(&world, is_idle_zero, NULL);
    assert_int_equal(counter(&counters_of(&world)->open), 0);
    do_many(&world, 1);
    assert_int_equal(world.peer_count, 4);
    world_fini(&world);
}

static void test_same_key_same_pool(void **state)
{
    (void)state;
    struct world world;
    begin_with(&world, &world_default_opts);
    do_many(&world, 2);
    /* A reload: the new snapshot asks for its origins, then the old one lets go. */
    struct gw_pool *again = gw_upstream_pool(world.upstream, &world.origin);
    assert_ptr_equal(again, world.pool);
    gw_pool_release(&again);
    assert_null(again);
    assert_int_equal(counter(&counters_of(&world)->idle), 2);
    struct gw_origin other = world.origin;
    other.key = GW_STR("another");
    struct gw_pool *second = gw_upstream_pool(world.upstream, &other);
    assert_ptr_not_equal(second, world.pool);
    gw_pool_release(&second);
    do_many(&world, 2);
    assert_int_equal(world.peer_count, 2);
    world_fini(&world);
}

static void test_pool_copies_its_origin(void **state)
{
    (void)state;
    struct world world;
    begin_with(&world, &world_default_opts);
    memset(world.key, '?', sizeof(world.key));
    memset(world.host_header, '?', sizeof(world.host_header));
    world.origin = (struct gw_origin){0};
    do_many(&world, 1);
    assert_null(strchr(world.last_request, '?'));
    world_fini(&world);
}

static bool is_waiting(struct world *world, void *arg)
{
    (void)world;
    const struct client *client = arg;
    return client->exchange != NULL && client->exchange->state == GW_EXCHANGE_WAITING;
}

static void test_release_while_exchanges_run(void **state)
{
    (void)state;
    struct world world;
    begin_with(&world, &world_default_opts);
    do_many(&world, 2);
    world.serve = NULL; /* nobody answers for now */
    struct client client;
    client_init(&client, &world);
    client_start(&client);
    world_run(&world, is_waiting, &client);
    assert_int_equal(counter(&counters_of(&world)->idle), 1);
    gw_pool_release(&world.pool);
    assert_int_equal(counter(&counters_of(&world)->idle), 0);
    assert_int_equal(counter(&counters_of(&world)->open), 1);
    assert_true(gw_upstream_pool(world.upstream, &world.origin) != NULL); /* it is still there */
    world.pool = gw_upstream_pool(world.upstream, &world.origin);
    struct gw_pool *both = world.pool;
    gw_pool_release(&both);
    gw_pool_release(&world.pool);
    for (unsigned i = 0; i < world.peer_count; i++) {
        if (world.peers[i].stream != NULL) {
            peer_send(&world.peers[i], ANSWER_OK);
        }
    }
    client_run(&client);
    assert_ended(&client, 200, "hello");
    world_run(&world, none_open, NULL); /* nobody owns the pool: it is not kept */
    client_fini(&client);
    world_fini(&world);
}

static void release_pool(struct client *client)
{
    gw_pool_release(&client->world->pool);
}

static void test_release_inside_events(void **state)
{
    (void)state;
    for (int where = 0; where < 3; where++) {
        struct world world;
        begin_with(&world, &world_default_opts);
        struct client client;
        client_init(&client, &world);
        void (**const hooks[])(struct client *) = {&client.at_response, &client.at_body,
                                                   &client.at_end};
        *hooks[where] = release_pool;
        client_start(&client);
        client_run(&client);
        assert_ended(&client, 200, "hello");
        world_run(&world, none_open, NULL);
        client_fini(&client);
        world_fini(&world);
    }
}

/* Destroying the client right behind the end of an exchange, before any turn of the loop. */
static void destroy_rest(struct client *client)
{
    client->world->done = true;
    uv_stop(gw_loop_uv(client->world->loop));
}

static void test_destroy_with_ends_under_way(void **state)
{
    (void)state;
    struct world world;
    begin_with(&world, &world_default_opts);
    struct client client;
    client_init(&client, &world);
    client.at_end = destroy_rest;
    client_start(&client);
    struct client cancelled;
    client_init(&cancelled, &world);
    client_start(&cancelled);
    client_run(&client);
    client_fini(&cancelled);
    client_fini(&client);
    gw_pool_release(&world.pool);
    gw_upstream_destroy(&world.upstream);
    gw_upstream_destroy(&world.upstream);
    struct gw_upstream_opts opts = {.loop = world.loop};
    world.upstream = gw_upstream_create(&opts);
    world_fini(&world);
}

static void test_sizes(void **state)
{
    (void)state;
    print_message("  exchange %zu bytes, connection %zu bytes\n", sizeof(struct gw_exchange),
                  sizeof(struct gw_upconn));
    /* 5,000 streams hold 5,000 of each. */
    assert_true(sizeof(struct gw_exchange) <= 384);
    assert_true(sizeof(struct gw_upconn) <= 256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limit_of_idle),
        cmocka_unit_test(test_none_idle),
        cmocka_unit_test(test_newest_first),
        cmocka_unit_test(test_idle_timeout),
        cmocka_unit_test(test_closed_while_idle),
        cmocka_unit_test(test_same_key_same_pool),
        cmocka_unit_test(test_pool_copies_its_origin),
        cmocka_unit_test(test_release_while_exchanges_run),
        cmocka_unit_test(test_release_inside_events),
        cmocka_unit_test(test_destroy_with_ends_under_way),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
