/* SPDX-License-Identifier: MIT */
/* core/receive - an upload that cannot be forwarded is answered while nothing was. */
#include "core/core.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "config/load_int.h"

#define TURN_MS    2
#define MOST_TURNS 5000 /* ten seconds */

struct world {
    struct gw_loop *loop;
    struct gw_core *core;
    struct gw_token_estimates *estimates;
    struct gw_deployment_registry *deployments;
    int listener; /* the provider, which reads nothing unless it is told to */
    int provider;
    int client;
    unsigned settled;
    unsigned status;
    enum gw_error_class class;
};

static void on_settled(void *user, const struct gw_request_record *record)
{
    struct world *world = user;
    world->settled++;
    world->status = record->status;
    world->class = record->error.class;
}

static void turn(struct world *world)
{
    bool done = false;
    gw_loop_run_until(world->loop, &done, TURN_MS);
}

static struct gw_snapshot *load(unsigned port)
{
    char yaml[256];
    static const char *const none[] = {NULL};
    struct gw_config_report report;
    struct gw_snapshot *snapshot = NULL;
    snprintf(yaml, sizeof(yaml),
             "model_list: [{model_name: a, litellm_params: {model: openai/a, "
             "api_key: k, api_base: \"http://127.0.0.1:%u/v1\"}}]\n",
             port);
    const struct gw_config_input input = {
        .text = gw_str_from_c(yaml), .path = GW_STR("t.yaml"), .environment = none};
    assert_int_equal(gw_config_load_text(&input, &snapshot, &report), GW_OK);
    gw_config_report_fini(&report);
    return snapshot;
}

static unsigned listen_anywhere(int *fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    *fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_true(*fd != -1);
    assert_int_equal(bind(*fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(*fd, 4), 0);
    assert_int_equal(getsockname(*fd, (struct sockaddr *)&address, &len), 0);
    return ntohs(address.sin_port);
}

static int setup(void **state)
{
    static struct world world;
    int ends[2];
    world = (struct world){.provider = -1};
    unsigned port = listen_anywhere(&world.listener);
    assert_int_equal(gw_loop_create(&world.loop), GW_OK);
    world.estimates = gw_token_estimates_create();
    world.deployments = gw_deployment_registry_create();
    struct gw_core_opts opts = {.loop = world.loop,
                                .snapshot = load(port),
                                .estimates = world.estimates,
                                .deployments = world.deployments,
                                .on_settled = on_settled,
                                .user = &world};
    world.core = gw_core_create(&opts);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
    world.client = ends[0];
    struct gw_address peer = {.u.any.sa_family = AF_UNIX, .len = sizeof(sa_family_t)};
    gw_core_accept(world.core, ends[1], &peer);
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    gw_alloc_fail_at(0);
    close(world->client);
    gw_core_destroy(&world->core);
    turn(world);
    gw_loop_destroy(&world->loop);
    gw_deployment_registry_destroy(&world->deployments);
    gw_token_estimates_destroy(&world->estimates);
    close(world->listener);
    if (world->provider != -1) {
        close(world->provider);
    }
    return 0;
}

static void begin_upload(struct world *world, const char *fields)
{
    char head[256];
    int len = snprintf(head, sizeof(head), "POST /v1/files HTTP/1.1\r\nHost: localhost\r\n%s\r\n",
                       fields);
    assert_int_equal(send(world->client, head, (size_t)len, MSG_NOSIGNAL), len);
    for (unsigned i = 0; i < MOST_TURNS && world->provider == -1; i++) {
        turn(world);
        world->provider = accept4(world->listener, NULL, NULL, SOCK_NONBLOCK);
    }
    char byte = 0;
    ssize_t n = -1;
    for (unsigned i = 0; i < MOST_TURNS && n == -1; i++) {
        turn(world);
        n = recv(world->provider, &byte, 1, 0);
    }
    assert_int_equal(n, 1); /* the request's head is under way */
}

/* Sends until the gateway says something; returns what. */
static size_t upload(struct world *world, char *answer, size_t size)
{
    static const char piece[16384];
    ssize_t n = -1;
    for (unsigned i = 0; i < MOST_TURNS && n == -1; i++) {
        (void)!send(world->client, piece, sizeof(piece), MSG_NOSIGNAL);
        turn(world);
        n = recv(world->client, answer, size - 1, 0);
    }
    assert_true(n >= 0);
    answer[n] = '\0';
    return (size_t)n;
}

/* The provider is slow, so pieces must be kept, and there is no memory for that. */
static void test_no_memory_for_a_piece(void **state)
{
    struct world *world = *state;
    char answer[4096];
    begin_upload(world, "Content-Length: 90000000\r\n");
    gw_alloc_fail_at(1);
    assert_true(upload(world, answer, sizeof(answer)) > 0);
    assert_memory_equal(answer, "HTTP/1.1 503 ", 13);
    assert_non_null(strstr(answer, "retry-after: 1\r\n"));
    assert_non_null(strstr(answer, "no memory"));
    assert_int_equal(world->settled, 1);
    assert_int_equal(world->status, 503);
    assert_int_equal(world->class, GW_ERROR_OVERLOADED);
}

/* The provider's answer has begun: only a cut can tell that it will not be complete. */
static void test_no_memory_behind_an_answer(void **state)
{
    struct world *world = *state;
    char answer[4096];
    const char early[] = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nearly";
    begin_upload(world, "Content-Length: 90000000\r\n");
    assert_int_equal(send(world->provider, early, sizeof(early) - 1, 0), sizeof(early) - 1);
    ssize_t n = -1;
    for (unsigned i = 0; i < MOST_TURNS && n == -1; i++) {
        turn(world);
        n = recv(world->client, answer, sizeof(answer), 0);
    }
    assert_true(n > 13);
    assert_memory_equal(answer, "HTTP/1.1 200 ", 13);
    gw_alloc_fail_at(1);
    static const char piece[16384];
    for (unsigned i = 0; i < MOST_TURNS && world->settled == 0; i++) {
        (void)!send(world->client, piece, sizeof(piece), MSG_NOSIGNAL);
        turn(world);
    }
    assert_int_equal(world->settled, 1);
    assert_int_equal(world->status, 200);
    assert_int_equal(world->class, GW_ERROR_OVERLOADED);
}

#define IN_WORLD(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(test_no_memory_for_a_piece),
        IN_WORLD(test_no_memory_behind_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
