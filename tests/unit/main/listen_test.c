/* SPDX-License-Identifier: MIT */
/* main/listen - sockets that a process inherits: which are taken, which are closed, and what a bad
 * list does. */
#include "main/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/listener.h"

static struct gw_arena arena;
static struct gw_listen_set set;
static struct gw_str message;
static struct gw_listen_settings settings;

static int setup(void **state)
{
    (void)state;
    gw_arena_init(&arena, NULL, 0, 1024, 65536);
    settings = (struct gw_listen_settings){
        .workers = 1, .host = GW_STR("127.0.0.1"), .admin_enabled = true, .metrics_enabled = true};
    unsetenv(GW_LISTEN_ENV);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    gw_listen_close(&set);
    gw_arena_fini(&arena);
    return 0;
}

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) != -1 || errno != EBADF;
}

static bool closes_on_exec(int fd)
{
    return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

/* A listening socket on 127.0.0.1 as a predecessor hands it on: any port, or *port. */
static int predecessor_socket(uint16_t *port)
{
    struct gw_address wanted;
    struct gw_address bound;
    int fd = -1;
    assert_int_equal(gw_address_from_literal(GW_STR("127.0.0.1"), *port, &wanted), GW_OK);
    assert_int_equal(gw_listener_open_fd(&wanted, &fd, &bound), GW_OK);
    assert_int_equal(fcntl(fd, F_SETFD, 0), 0);
    *port = gw_address_port(&bound);
    return fd;
}

static void listen_with(const char *inherited)
{
    assert_int_equal(setenv(GW_LISTEN_ENV, inherited, 1), 0);
    assert_int_equal(gw_listen_open(&settings, &arena, &set, &message), GW_OK);
    assert_null(getenv(GW_LISTEN_ENV)); /* not for the next process */
}

static void test_without_any(void **state)
{
    (void)state;
    settings.workers = 3;
    assert_int_equal(gw_listen_open(&settings, &arena, &set, &message), GW_OK);
    assert_int_equal(set.api_count, 3);
    assert_true(gw_address_port(&set.api_address) != 0);
    for (size_t i = 0; i < 3; i++) {
        struct gw_address bound = {.len = sizeof(bound.u)};
        assert_int_equal(getsockname(set.api[i], &bound.u.any, &bound.len), 0);
        assert_int_equal(gw_address_port(&bound), gw_address_port(&set.api_address));
    }
    assert_true(set.admin != -1 && set.metrics != -1);
}

static void test_sockets_that_fit_are_taken(void **state)
{
    (void)state;
    uint16_t api = 0;
    uint16_t admin = 0;
    uint16_t metrics = 0;
    int fds[] = {predecessor_socket(&api), predecessor_socket(&api), predecessor_socket(&admin),
                 predecessor_socket(&metrics)};
    char text[64];
    snprintf(text, sizeof(text), "api=%d,%d;admin=%d;metrics=%d", fds[0], fds[1], fds[2], fds[3]);
    settings.workers = 2;
    settings.api_port = api;
    settings.admin_port = admin;
    settings.metrics_port = metrics;
    listen_with(text);
    assert_int_equal(set.api_count, 2);
    assert_int_equal(set.api[0], fds[0]);
    assert_int_equal(set.api[1], fds[1]);
    assert_int_equal(set.admin, fds[2]);
    assert_int_equal(set.metrics, fds[3]);
    assert_int_equal(gw_address_port(&set.api_address), api);
    assert_int_equal(gw_address_port(&set.admin_address), admin);
    assert_int_equal(gw_address_port(&set.metrics_address), metrics);
    for (size_t i = 0; i < 4; i++) {
        assert_true(closes_on_exec(fds[i]));
    }
}

static void test_any_port_takes_the_one_that_came(void **state)
{
    (void)state;
    uint16_t port = 0;
    int fd = predecessor_socket(&port);
    char text[32];
    snprintf(text, sizeof(text), "api=%d", fd);
    settings.workers = 2;
    listen_with(text);
    assert_int_equal(set.api_count, 2); /* the second is new, on the same port */
    assert_int_equal(set.api[0], fd);
    assert_int_equal(gw_address_port(&set.api_address), port);
}

static void test_fewer_workers_keep_all(void **state)
{
    (void)state;
    uint16_t port = 0;
    int fds[] = {predecessor_socket(&port), predecessor_socket(&port), predecessor_socket(&port)};
    char text[64];
    snprintf(text, sizeof(text), "api=%d,%d,%d", fds[0], fds[1], fds[2]);
    settings.api_port = port;
    listen_with(text);
    assert_int_equal(set.api_count, 3); /* connections may wait in each of them */
}

static void test_sockets_that_do_not_fit_are_closed(void **state)
{
    (void)state;
    uint16_t ports[] = {0, 0, 0};
    int fds[] = {predecessor_socket(&ports[0]), predecessor_socket(&ports[1]),
                 predecessor_socket(&ports[2])};
    uint16_t wanted = 0;
    int probe = predecessor_socket(&wanted);
    close(probe); /* a port that is free now */
    char text[64];
    snprintf(text, sizeof(text), "api=%d;admin=%d;metrics=%d", fds[0], fds[1], fds[2]);
    settings.api_port = wanted;
    settings.admin_port = ports[0]; /* free again once the API's socket is closed */
    settings.metrics_enabled = false;
    listen_with(text);
    assert_int_equal(set.api_count, 1);
    assert_int_equal(gw_address_port(&set.api_address), wanted);
    assert_int_equal(gw_address_port(&set.admin_address), ports[0]);
    assert_int_equal(set.metrics, -1);
    assert_false(is_open(fds[2]));
}

static void test_what_is_no_socket_is_closed(void **state)
{
    (void)state;
    int pipe_fds[2];
    assert_int_equal(pipe(pipe_fds), 0);
    char text[64];
    snprintf(text, sizeof(text), "admin=%d", pipe_fds[0]);
    listen_with(text);
    assert_int_equal(set.api_count, 1);
    struct gw_address bound = {.len = sizeof(bound.u)};
    assert_int_equal(getsockname(set.admin, &bound.u.any, &bound.len), 0);
    close(pipe_fds[1]);
}

static void test_bad_lists_are_as_none(void **state)
{
    (void)state;
    static const char *const lists[] = {
        "",          ";",         "=",          "api",         "api=",
        "api=,",     "api=0,1,2", "api=-1",     "api=x",       "api=3x",
        "api=65536", "api= 700",  "other=700",  "api=;admin=", "admin=99999999999999999999",
        "API=700",   "api=0x2bc", "metrics=,,", ";;;=;api==",  "api=700;admin=701;metrics=702",
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(lists); i++) {
        listen_with(lists[i]);
        assert_int_equal(set.api_count, 1);
        assert_true(set.admin != -1 && set.metrics != -1);
        assert_true(is_open(0) && is_open(1) && is_open(2));
        gw_listen_close(&set);
    }
}

static void test_a_long_list_is_cut(void **state)
{
    (void)state;
    char text[8192] = "api=1000";
    size_t len = strlen(text);
    for (int i = 1; i < GW_LISTEN_MAX_API + 50; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, ",%d", 1000 + i);
    }
    listen_with(text); /* none of them is open */
    assert_int_equal(set.api_count, 1);
}

static void test_a_port_in_use(void **state)
{
    (void)state;
    uint16_t taken = 0;
    uint16_t api = 0;
    int other = predecessor_socket(&taken);
    int fd = predecessor_socket(&api);
    uint16_t metrics = 0;
    int metrics_fd = predecessor_socket(&metrics);
    char text[64];
    snprintf(text, sizeof(text), "api=%d;metrics=%d", fd, metrics_fd);
    assert_int_equal(setenv(GW_LISTEN_ENV, text, 1), 0);
    settings.api_port = api;
    settings.admin_port = taken;
    settings.metrics_port = metrics;
    assert_int_equal(gw_listen_open(&settings, &arena, &set, &message), GW_ERR_EXISTS);
    assert_true(gw_str_find(message, GW_STR("admin port")) < message.len);
    assert_true(gw_str_find(message, GW_STR("another process")) < message.len);
    assert_int_equal(set.api_count, 0);
    assert_false(is_open(fd));
    assert_false(is_open(metrics_fd)); /* also what was not looked at yet */
    close(other);
}

static void test_a_host_that_is_no_address(void **state)
{
    (void)state;
    uint16_t port = 0;
    int fd = predecessor_socket(&port);
    char text[32];
    snprintf(text, sizeof(text), "api=%d", fd);
    assert_int_equal(setenv(GW_LISTEN_ENV, text, 1), 0);
    settings.host = GW_STR("gateway.example");
    assert_int_equal(gw_listen_open(&settings, &arena, &set, &message), GW_ERR_INVALID);
    assert_true(gw_str_find(message, GW_STR("no IP address")) < message.len);
    assert_false(is_open(fd));
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_without_any),
        TEST(test_sockets_that_fit_are_taken),
        TEST(test_any_port_takes_the_one_that_came),
        TEST(test_fewer_workers_keep_all),
        TEST(test_sockets_that_do_not_fit_are_closed),
        TEST(test_what_is_no_socket_is_closed),
        TEST(test_bad_lists_are_as_none),
        TEST(test_a_long_list_is_cut),
        TEST(test_a_port_in_use),
        TEST(test_a_host_that_is_no_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
