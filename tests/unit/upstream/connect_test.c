/* SPDX-License-Identifier: MIT */
/* How a connection comes to stand, or fails to: names, addresses in turn, limits, Unix sockets,
 * TLS, ALPN. */
#include <fcntl.h>
#include <netdb.h>

#include "upstream_fixture.h"

#include "../net/cert_maker.h"
#include "net/resolver_int.h"

/* ---- a name service of our own ---- */

struct fake_name {
    const char *name;
    int failure;
    const char *addresses[4];
};

static const struct fake_name fake_names[] = {
    {.name = "one.test", .addresses = {"127.0.0.1"}},
    {.name = "second.test", .addresses = {"127.0.0.2", "127.0.0.1"}},
    {.name = "third.test", .addresses = {"127.0.0.2", "::1", "127.0.0.1"}},
    {.name = "closed.test", .addresses = {"127.0.0.2", "127.0.0.3"}},
    {.name = "stalled.test", .addresses = {"127.0.0.9", "127.0.0.1"}},
    {.name = "silent.test", .addresses = {"127.0.0.9"}},
    {.name = "gone.test", .failure = UV_EAI_NONAME},
    {.name = "tls.test", .addresses = {"127.0.0.1"}},
    {.name = "other.test", .addresses = {"127.0.0.1"}},
};

struct fake_lookup {
    struct gw_deferred deferred;
    uv_getaddrinfo_t *request;
    uv_getaddrinfo_cb on_done;
    const struct fake_name *name;
    bool is_used;
};

#define MAX_LOOKUPS 16

static struct fake_lookup fake_lookups[MAX_LOOKUPS];
static struct gw_loop *fake_loop;
static unsigned fake_lookup_count;

static struct addrinfo *make_answer(const struct fake_name *name)
{
    struct addrinfo *list = NULL;
    for (size_t i = GW_ARRAY_LEN(name->addresses); i > 0; i--) {
        if (name->addresses[i - 1] == NULL) {
            continue;
        }
        struct gw_address address;
        assert_int_equal(
            gw_address_from_literal(gw_str_from_c(name->addresses[i - 1]), 0, &address), GW_OK);
        struct addrinfo *node = calloc(1, sizeof(*node) + sizeof(address.u));
        node->ai_family = address.u.any.sa_family;
        node->ai_addrlen = address.len;
        node->ai_addr = (struct sockaddr *)(void *)(node + 1);
        memcpy(node->ai_addr, &address.u, sizeof(address.u));
        node->ai_next = list;
        list = node;
    }
    return list;
}

static void fake_free(struct addrinfo *answer)
{
    while (answer != NULL) {
        struct addrinfo *next = answer->ai_next;
        free(answer);
        answer = next;
    }
}

static void fake_answer(struct gw_deferred *deferred)
{
    struct fake_lookup *lookup = GW_CONTAINER_OF(deferred, struct fake_lookup, deferred);
    lookup->is_used = false;
    struct addrinfo *list = lookup->name->failure == 0 ? make_answer(lookup->name) : NULL;
    lookup->on_done(lookup->request, lookup->name->failure, list);
}

/* "held.test" is answered by the test, or never. */
static int fake_start(uv_loop_t *loop, uv_getaddrinfo_t *request, uv_getaddrinfo_cb on_done,
                      const char *host, const char *service, const struct addrinfo *hints)
{
    (void)loop;
    (void)service;
    (void)hints;
    fake_lookup_count++;
    struct fake_lookup *lookup = fake_lookups;
    while (lookup->is_used) {
        lookup++;
    }
    *lookup = (struct fake_lookup){.request = request, .on_done = on_done, .is_used = true};
    gw_deferred_init(&lookup->deferred, fake_answer);
    if (strcmp(host, "held.test") == 0) {
        lookup->name = &fake_names[0];
        return 0;
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(fake_names); i++) {
        if (strcmp(fake_names[i].name, host) == 0) {
            lookup->name = &fake_names[i];
            gw_loop_defer(fake_loop, &lookup->deferred);
            return 0;
        }
    }
    fail_msg("nobody expects a look-up of %s", host);
    return UV_EAI_FAIL;
}

static const struct gw_resolver_system fake_system = {
    .start = fake_start,
    .free_answer = fake_free,
};

static void release_held(void)
{
    for (size_t i = 0; i < MAX_LOOKUPS; i++) {
        if (fake_lookups[i].is_used) {
            gw_loop_defer(fake_loop, &fake_lookups[i].deferred);
        }
    }
}

/* ---- the world with names ---- */

static char name_key[128];

static void use_name(struct world *world, const char *name)
{
    (void)snprintf(name_key, sizeof(name_key), "http://%s:%u", name, world->origin.port);
    world->origin.key = gw_str_from_c(name_key);
    world->origin.host = gw_str_from_c(name);
    world_make_pool(world);
}

static void begin(struct world *world)
{
    world_init(world);
    world->serve = serve_answer;
    world->answer = ANSWER_OK;
    fake_loop = world->loop;
    fake_lookup_count = 0;
    memset(fake_lookups, 0, sizeof(fake_lookups));
    gw_resolver_set_system(world->upstream->resolver, &fake_system);
}

static void do_ok(struct world *world)
{
    struct client client;
    client_init(&client, world);
    client_do(&client);
    assert_ended(&client, 200, "hello");
    client_fini(&client);
    world_run(world, all_idle, NULL);
}

/* |address|: what the last attempt went to; NULL: it did not come to one. */
static void do_fail(struct world *world, enum gw_exchange_phase phase, enum gw_err err,
                    const char *name, const char *address)
{
    struct client client;
    client_init(&client, world);
    client_do(&client);
    assert_failed(&client, phase, err);
    assert_false(client.is_stale);
    assert_int_equal(client.responses, 0);
    char want[GW_PEER_TEXT_BYTES];
    unsigned port = world->origin.port;
    if (address == NULL) {
        (void)snprintf(want, sizeof(want), "%s:%u", name, port);
    } else {
        (void)snprintf(want, sizeof(want), "%s:%u (%s:%u)", name, port, address, port);
    }
    assert_string_equal(client.peer, want);
    client_fini(&client);
    world_run(world, none_open, NULL);
}

static void test_names(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    use_name(&world, "one.test");
    do_ok(&world);
    use_name(&world, "gone.test");
    do_fail(&world, GW_PHASE_RESOLVE, GW_ERR_DNS, "gone.test", NULL);
    use_name(&world, "one.test");
    do_ok(&world);
    assert_int_equal(fake_lookup_count, 2);
    world_fini(&world);
}

static void test_addresses_in_turn(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    use_name(&world, "second.test");
    do_ok(&world);
    use_name(&world, "third.test");
    do_ok(&world);
    use_name(&world, "closed.test");
    do_fail(&world, GW_PHASE_CONNECT, GW_ERR_REFUSED, "closed.test", "127.0.0.3");
    const struct gw_upstream_counters *counters = gw_upstream_counters(world.upstream);
    assert_int_equal(counter(&counters->connect_failures_total), 1);
    assert_int_equal(counter(&counters->connects_total), 3);
    world_fini(&world);
}

static void test_refused_literal(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    use_name(&world, "127.0.0.2");
    do_fail(&world, GW_PHASE_CONNECT, GW_ERR_REFUSED, "127.0.0.2", NULL);
    world_fini(&world);
}

/* A listener that answers nobody: its queue is full. */
struct stalled {
    int listener;
    int fillers[8];
};

static void stall(struct stalled *stalled, uint16_t port)
{
    struct gw_address address;
    assert_int_equal(gw_address_from_literal(GW_STR("127.0.0.9"), port, &address), GW_OK);
    stalled->listener = socket(AF_INET, SOCK_STREAM, 0);
    const int on = 1;
    (void)setsockopt(stalled->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    assert_int_equal(bind(stalled->listener, &address.u.any, address.len), 0);
    assert_int_equal(listen(stalled->listener, 0), 0);
    for (size_t i = 0; i < GW_ARRAY_LEN(stalled->fillers); i++) {
        stalled->fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(stalled->fillers[i], &address.u.any, address.len);
    }
}

static void unstall(struct stalled *stalled)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(stalled->fillers); i++) {
        (void)close(stalled->fillers[i]);
    }
    (void)close(stalled->listener);
}

static void test_share_of_the_limit(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    struct stalled stalled;
    stall(&stalled, world.origin.port);
    use_name(&world, "stalled.test");
    struct client client;
    client_init(&client, &world);
    struct gw_exchange_request request = make_request(&world);
    request.timeouts.connect_ms = 800; /* the first of two addresses may use half of it */
    uint64_t before_ms = gw_loop_now_ms(world.loop);
    client_start_with(&client, &request);
    client_run(&client);
    assert_ended(&client, 200, "hello");
    assert_true(gw_loop_now_ms(world.loop) - before_ms >= 400);
    client_fini(&client);
    use_name(&world, "silent.test");
    client_init(&client, &world);
    request.pool = world.pool;
    request.timeouts.connect_ms = 80;
    client_start_with(&client, &request);
    client_run(&client);
    assert_failed(&client, GW_PHASE_CONNECT, GW_ERR_TIMEOUT);
    assert_int_equal(client.timeout_ms, 80);
    client_fini(&client);
    unstall(&stalled);
    world_fini(&world);
}

static void test_slow_name_service(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    use_name(&world, "held.test");
    struct client client;
    client_init(&client, &world);
    struct gw_exchange_request request = make_request(&world);
    request.timeouts.connect_ms = 50;
    client_start_with(&client, &request);
    client_run(&client);
    assert_failed(&client, GW_PHASE_RESOLVE, GW_ERR_TIMEOUT);
    assert_int_equal(client.timeout_ms, 50);
    client_fini(&client);
    /* The total limit ends it as well; so does cancelling. */
    client_init(&client, &world);
    request.timeouts.connect_ms = LONG_LIMIT_MS;
    request.timeouts.total_ms = 30;
    client_start_with(&client, &request);
    client_run(&client);
    assert_failed(&client, GW_PHASE_RESOLVE, GW_ERR_TIMEOUT);
    assert_int_equal(client.timeout_ms, 30);
    client_fini(&client);
    client_init(&client, &world);
    client_start(&client);
    world_settle(&world);
    client_fini(&client);
    world_settle(&world);
    assert_int_equal(counter(&gw_upstream_counters(world.upstream)->open), 0);
    release_held();
    world_settle(&world);
    do_ok(&world);
    world_fini(&world);
}

/* ---- Unix sockets ---- */

static void test_unix_socket(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    gw_listener_destroy(&world.listener);
    char dir[] = "/tmp/gw-upstream-XXXXXX";
    assert_non_null(mkdtemp(dir));
    char path[64];
    (void)snprintf(path, sizeof(path), "%s/s", dir);
    struct gw_address address;
    assert_int_equal(gw_address_from_unix(gw_str_from_c(path), &address), GW_OK);
    int fd = -1;
    assert_int_equal(gw_listener_open_fd(&address, &fd, &world.address), GW_OK);
    assert_int_equal(gw_listener_create(world.loop, fd, world_on_accept, &world, &world.listener),
                     GW_OK);
    world.origin.unix_path = gw_str_from_c(path);
    world.origin.key = GW_STR("unix");
    world.origin.proxy_host = GW_STR("127.0.0.2"); /* means nothing here */
    world.origin.proxy_port = 1;
    world_make_pool(&world);
    do_ok(&world);
    do_ok(&world);
    assert_int_equal(world.peer_count, 1);
    gw_listener_destroy(&world.listener);
    (void)unlink(path);
    struct client client;
    client_init(&client, &world);
    struct gw_exchange_request request = make_request(&world);
    request.fresh_connection = true;
    client_start_with(&client, &request);
    client_run(&client);
    assert_int_equal(client.phase, GW_PHASE_CONNECT);
    /* ENOENT; some sandboxes' kernels say ECONNREFUSED. */
    assert_true(client.err == GW_ERR_NOT_FOUND || client.err == GW_ERR_REFUSED);
    char want[128];
    (void)snprintf(want, sizeof(want), "unix:%s", path);
    assert_string_equal(client.peer, want);
    client_fini(&client);
    char long_path[200];
    memset(long_path, 'x', sizeof(long_path));
    world.origin.unix_path = gw_str(long_path, sizeof(long_path));
    world.origin.key = GW_STR("unix-long");
    world_make_pool(&world);
    client_init(&client, &world);
    client_do(&client);
    assert_failed(&client, GW_PHASE_RESOLVE, GW_ERR_TOO_LARGE);
    client_fini(&client);
    (void)rmdir(dir);
    world_fini(&world);
}

/* ---- TLS ---- */

static struct cert_maker maker;
static struct cert_files good_cert;
static struct cert_files old_cert;

static int make_certs(void **state)
{
    (void)state;
    maker_init(&maker);
    good_cert = maker_make(&maker, &(struct cert_wish){
                                       .name = "good",
                                       .cn = "tls.test",
                                       .san = "DNS:tls.test,IP:127.0.0.1",
                                   });
    old_cert = maker_make(&maker, &(struct cert_wish){
                                      .name = "old",
                                      .cn = "tls.test",
                                      .san = "DNS:tls.test",
                                      .begins_s = -7200,
                                      .ends_s = -3600,
                                  });
    return 0;
}

static int drop_certs(void **state)
{
    (void)state;
    maker_fini(&maker);
    return 0;
}

static void use_server_cert(struct world *world, const struct cert_files *files)
{
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 1024, 1024 * 1024);
    struct gw_str message;
    const struct gw_tls_server_opts opts = {.cert_file = files->cert, .key_file = files->key};
    gw_tls_server_release(&world->server_tls);
    assert_int_equal(gw_tls_server_create(&opts, &arena, &world->server_tls, &message), GW_OK);
    gw_arena_fini(&arena);
}

/* The pool keeps its own reference; the caller's goes at once. */
static void use_tls(struct world *world, const char *name, enum gw_http2_mode http2,
                    const char *ca_file)
{
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 1024, 1024 * 1024);
    struct gw_str message;
    struct gw_tls_client *tls = NULL;
    const struct gw_tls_client_opts opts = {.ca_file = ca_file};
    assert_int_equal(gw_tls_client_create(&opts, &arena, &tls, &message), GW_OK);
    gw_arena_fini(&arena);
    world->origin.is_tls = true;
    world->origin.http2 = http2;
    world->origin.tls = tls;
    use_name(world, name);
    gw_tls_client_release(&tls);
    world->origin.tls = world->pool->origin.tls;
}

static void test_tls(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    use_server_cert(&world, &good_cert);
    use_tls(&world, "tls.test", GW_HTTP2_OFF, maker.ca_file);
    do_ok(&world);
    do_ok(&world);
    assert_int_equal(world.peer_count, 1);
    assert_false(gw_stream_is_h2(world.peers[0].stream));
    /* A second connection resumes the session of the first. */
    struct client client;
    client_init(&client, &world);
    struct gw_exchange_request request = make_request(&world);
    request.fresh_connection = true;
    client_start_with(&client, &request);
    client_run(&client);
    assert_ended(&client, 200, "hello");
    assert_int_equal(world.peer_count, 2);
    assert_false(gw_stream_is_resumed(world.peers[0].stream));
    assert_true(gw_stream_is_resumed(world.peers[1].stream));
    client_fini(&client);
    world_fini(&world);
}

static void test_tls_by_address(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    use_server_cert(&world, &good_cert);
    use_tls(&world, "127.0.0.1", GW_HTTP2_OFF, maker.ca_file);
    do_ok(&world);
    world_fini(&world);
}

static void test_tls_not_trusted(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    use_server_cert(&world, &good_cert);
    use_tls(&world, "other.test", GW_HTTP2_OFF, maker.ca_file);
    do_fail(&world, GW_PHASE_TLS, GW_ERR_TLS, "other.test", "127.0.0.1");
    use_tls(&world, "tls.test", GW_HTTP2_OFF, NULL); /* the system's authorities */
    do_fail(&world, GW_PHASE_TLS, GW_ERR_TLS, "tls.test", "127.0.0.1");
    use_server_cert(&world, &old_cert);
    use_tls(&world, "tls.test", GW_HTTP2_OFF, maker.ca_file);
    do_fail(&world, GW_PHASE_TLS, GW_ERR_TLS, "tls.test", "127.0.0.1");
    assert_int_equal(world.requests, 0);
    world_fini(&world);
}

static void answer_plainly(struct peer *peer)
{
    if (peer->requests == 0) {
        peer->requests++;
        peer_send(peer, "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    }
}

static void test_tls_peer_speaks_plain(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    world.at_read = answer_plainly;
    use_tls(&world, "tls.test", GW_HTTP2_AUTO, maker.ca_file);
    do_fail(&world, GW_PHASE_TLS, GW_ERR_TLS, "tls.test", "127.0.0.1");
    world_fini(&world);
}

static void stay_silent(struct peer *peer)
{
    (void)peer;
}

static void close_now(struct peer *peer)
{
    peer_close(peer);
}

static void reset_now(struct peer *peer)
{
    peer_reset(peer);
}

static void test_tls_handshake_cut(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    use_tls(&world, "tls.test", GW_HTTP2_AUTO, maker.ca_file);
    void (*const ways[])(struct peer *) = {stay_silent, close_now, reset_now};
    const enum gw_err errs[] = {GW_ERR_TIMEOUT, GW_ERR_TLS, GW_ERR_RESET};
    for (size_t i = 0; i < GW_ARRAY_LEN(ways); i++) {
        world.at_read = ways[i];
        struct client client;
        client_init(&client, &world);
        struct gw_exchange_request request = make_request(&world);
        request.timeouts.tls_ms = i == 0 ? 60 : LONG_LIMIT_MS;
        client_start_with(&client, &request);
        client_run(&client);
        assert_int_equal(client.errors, 1);
        assert_int_equal(client.phase, GW_PHASE_TLS);
        if (i == 1) { /* a FIN in a handshake may be told as either */
            assert_true(client.err == GW_ERR_TLS || client.err == GW_ERR_EOF ||
                        client.err == GW_ERR_RESET);
        } else {
            assert_failed(&client, GW_PHASE_TLS, errs[i]);
        }
        assert_int_equal(client.timeout_ms, i == 0 ? 60 : 0);
        client_fini(&client);
        world_run(&world, none_open, NULL);
    }
    world_fini(&world);
}

static void test_tls_total_limit(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    world.at_read = stay_silent;
    use_tls(&world, "tls.test", GW_HTTP2_AUTO, maker.ca_file);
    struct client client;
    client_init(&client, &world);
    struct gw_exchange_request request = make_request(&world);
    request.timeouts.total_ms = 50;
    client_start_with(&client, &request);
    client_run(&client);
    assert_failed(&client, GW_PHASE_TLS, GW_ERR_TIMEOUT);
    assert_int_equal(client.timeout_ms, 50);
    client_fini(&client);
    world_fini(&world);
}

/* A body that ends with the connection must end with close_notify, or it may have been cut. */
static void serve_cut(struct peer *peer, struct gw_str request)
{
    (void)request;
    peer_send(peer, "HTTP/1.1 200 OK\r\n\r\nhel");
    peer_reset(peer);
}

static void serve_until_close(struct peer *peer, struct gw_str request)
{
    (void)request;
    peer_send(peer, "HTTP/1.1 200 OK\r\n\r\nhello");
    peer_close(peer);
}

static void test_tls_cut_body(void **state)
{
    (void)state;
    struct world world;
    begin(&world);
    use_server_cert(&world, &good_cert);
    use_tls(&world, "tls.test", GW_HTTP2_OFF, maker.ca_file);
    world.serve = serve_until_close;
    struct client client;
    client_init(&client, &world);
    client_do(&client);
    assert_ended(&client, 200, "hello");
    client_fini(&client);
    world.serve = serve_cut;
    client_init(&client, &world);
    client_do(&client);
    assert_int_equal(client.errors, 1);
    assert_int_equal(client.err, GW_ERR_RESET);
    client_fini(&client);
    world_fini(&world);
}

/* Records that come behind the response in the same segment meet no new exchange. */
static void serve_two_records(struct peer *peer, struct gw_str request)
{
    (void)request;
    peer_send(peer, ANSWER_OK);
    peer_send(peer, "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil");
}

static struct client *next_client;

static void start_next(struct client *client)
{
    (void)client;
    client_start(next_client);
}

static void test_tls_stray_record(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct world world;
        begin(&world);
        use_server_cert(&world, &good_cert);
        use_tls(&world, "tls.test", GW_HTTP2_OFF, maker.ca_file);
        world.serve = serve_two_records;
        struct client first;
        struct client second;
        client_init(&first, &world);
        client_init(&second, &world);
        next_client = &second;
        first.at_end = start_next;
        client_start(&first);
        world_run(&world, client_is_over, &second);
        assert_ended(&first, 200, "hello");
        assert_ended(&second, 200, "hello");
        assert_int_equal(world.peer_count, 2);
        client_fini(&first);
        client_fini(&second);
        world_fini(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_addresses_in_turn),
        cmocka_unit_test(test_refused_literal),
        cmocka_unit_test(test_share_of_the_limit),
        cmocka_unit_test(test_slow_name_service),
        cmocka_unit_test(test_unix_socket),
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_tls_by_address),
        cmocka_unit_test(test_tls_not_trusted),
        cmocka_unit_test(test_tls_peer_speaks_plain),
        cmocka_unit_test(test_tls_handshake_cut),
        cmocka_unit_test(test_tls_total_limit),
        cmocka_unit_test(test_tls_cut_body),
        cmocka_unit_test(test_tls_stray_record),
    };
    return cmocka_run_group_tests(tests, make_certs, drop_certs);
}
