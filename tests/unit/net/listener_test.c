/* SPDX-License-Identifier: MIT */
/* net/listener - opening, accepting, pausing, running out of descriptors, handing over. */
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/log.h"

#define WAIT_MS 20000
#define FDS_MAX 256

struct fixture {
    struct gw_loop *loop;
    struct gw_listener *listener;
    struct gw_address address;
    int fds[FDS_MAX]; /* accepted */
    size_t fd_count;
    int clients[FDS_MAX];
    size_t client_count;
    size_t wanted;
    bool done;
    bool destroy_in_callback;
    bool pause_in_callback;
    char peer[GW_ADDRESS_TEXT_BYTES];
};

static void on_accept(void *user, int fd, const struct gw_address *peer)
{
    struct fixture *fixture = user;
    assert_true(fixture->fd_count < FDS_MAX);
    fixture->fds[fixture->fd_count++] = fd;
    gw_address_format_host(peer, fixture->peer);
    if (fixture->destroy_in_callback) {
        gw_listener_destroy(&fixture->listener);
    }
    if (fixture->pause_in_callback) {
        gw_listener_set_paused(fixture->listener, true);
    }
    fixture->done = fixture->fd_count >= fixture->wanted;
}

static struct gw_address literal(const char *text, uint16_t port)
{
    struct gw_address address;
    assert_int_equal(gw_address_from_literal(gw_str_from_c(text), port, &address), GW_OK);
    return address;
}

static void listen_at(struct fixture *fixture, const struct gw_address *address)
{
    int fd = -1;
    assert_int_equal(gw_listener_open_fd(address, &fd, &fixture->address), GW_OK);
    assert_int_equal(gw_listener_create(fixture->loop, fd, on_accept, fixture, &fixture->listener),
                     GW_OK);
}

static int make(void **state)
{
    struct fixture *fixture = gw_zalloc(sizeof(*fixture));
    assert_int_equal(gw_loop_create(&fixture->loop), GW_OK);
    *state = fixture;
    return 0;
}

static int drop(void **state)
{
    struct fixture *fixture = *state;
    gw_listener_destroy(&fixture->listener);
    gw_loop_destroy(&fixture->loop);
    for (size_t i = 0; i < fixture->fd_count; i++) {
        (void)close(fixture->fds[i]);
    }
    for (size_t i = 0; i < fixture->client_count; i++) {
        (void)close(fixture->clients[i]);
    }
    gw_free(fixture);
    return 0;
}

static void connect_clients(struct fixture *fixture, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int fd = socket(fixture->address.u.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        assert_int_equal(connect(fd, &fixture->address.u.any, fixture->address.len), 0);
        fixture->clients[fixture->client_count++] = fd;
    }
}

static void run_until_accepted(struct fixture *fixture, size_t count)
{
    fixture->wanted = count;
    fixture->done = fixture->fd_count >= count;
    gw_loop_run_until(fixture->loop, &fixture->done, WAIT_MS);
    assert_int_equal(fixture->fd_count, count);
}

static void settle(struct fixture *fixture)
{
    for (int i = 0; i < 5; i++) {
        (void)uv_run(gw_loop_uv(fixture->loop), UV_RUN_NOWAIT);
    }
}

static void accepts_on_a_free_port(void **state)
{
    struct fixture *fixture = *state;
    struct gw_address address = literal("127.0.0.1", 0);
    listen_at(fixture, &address);
    assert_int_not_equal(gw_address_port(&fixture->address), 0);
    assert_true(gw_address_is_loopback(&fixture->address));
    connect_clients(fixture, 1);
    run_until_accepted(fixture, 1);
    assert_string_equal(fixture->peer, "127.0.0.1");
    int flags = fcntl(fixture->fds[0], F_GETFL);
    assert_true((flags & O_NONBLOCK) != 0);
    flags = fcntl(fixture->fds[0], F_GETFD);
    assert_true((flags & FD_CLOEXEC) != 0);
}

/* More than a batch: the rest comes with the next wake-ups. */
static void accepts_more_than_a_batch(void **state)
{
    struct fixture *fixture = *state;
    struct gw_address address = literal("127.0.0.1", 0);
    listen_at(fixture, &address);
    connect_clients(fixture, GW_LISTENER_ACCEPT_BATCH + 20);
    run_until_accepted(fixture, GW_LISTENER_ACCEPT_BATCH + 20);
}

static void takes_ipv4_on_the_ipv6_wildcard(void **state)
{
    struct fixture *fixture = *state;
    struct gw_address address = literal("::", 0);
    int fd = -1;
    enum gw_err err = gw_listener_open_fd(&address, &fd, &fixture->address);
    if (err == GW_ERR_UNREACHABLE) {
        skip(); /* a system without IPv6 */
    }
    assert_int_equal(err, GW_OK);
    assert_int_equal(gw_listener_create(fixture->loop, fd, on_accept, fixture, &fixture->listener),
                     GW_OK);
    fixture->address = literal("127.0.0.1", gw_address_port(&fixture->address));
    connect_clients(fixture, 1);
    run_until_accepted(fixture, 1);
    assert_string_equal(fixture->peer, "127.0.0.1"); /* and not ::ffff:127.0.0.1 */
}

static void shares_a_port_with_itself_only(void **state)
{
    struct fixture *fixture = *state;
    struct gw_address address = literal("127.0.0.1", 0);
    listen_at(fixture, &address);
    int second = -1;
    struct gw_address bound;
    assert_int_equal(gw_listener_open_fd(&fixture->address, &second, &bound), GW_OK);
    assert_int_equal(gw_address_port(&bound), gw_address_port(&fixture->address));
    (void)close(second);

    /* Somebody else's socket has no SO_REUSEPORT. */
    int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(other, &address.u.any, address.len), 0);
    assert_int_equal(listen(other, 1), 0);
    bound.len = sizeof(bound.u);
    assert_int_equal(getsockname(other, &bound.u.any, &bound.len), 0);
    second = -1;
    assert_int_equal(gw_listener_open_fd(&bound, &second, &bound), GW_ERR_EXISTS);
    assert_int_equal(errno, EADDRINUSE);
    assert_int_equal(second, -1);
    (void)close(other);
}

static void refuses_a_foreign_address(void **state)
{
    (void)state;
    struct gw_address address = literal("192.0.2.1", 0); /* TEST-NET-1: nobody's */
    struct gw_address bound;
    int fd = -1;
    assert_int_equal(gw_listener_open_fd(&address, &fd, &bound), GW_ERR_UNREACHABLE);
    assert_int_equal(fd, -1);
}

static void pauses_and_goes_on(void **state)
{
    struct fixture *fixture = *state;
    struct gw_address address = literal("127.0.0.1", 0);
    listen_at(fixture, &address);
    gw_listener_set_paused(fixture->listener, true);
    gw_listener_set_paused(fixture->listener, true);
    connect_clients(fixture, 3);
    settle(fixture);
    assert_int_equal(fixture->fd_count, 0);
    fixture->pause_in_callback = true;
    gw_listener_set_paused(fixture->listener, false);
    run_until_accepted(fixture, 1);
    settle(fixture);
    assert_int_equal(fixture->fd_count, 1); /* paused inside the callback */
    fixture->pause_in_callback = false;
    gw_listener_set_paused(fixture->listener, false);
    run_until_accepted(fixture, 3);
}

static void may_go_inside_its_callback(void **state)
{
    struct fixture *fixture = *state;
    struct gw_address address = literal("127.0.0.1", 0);
    listen_at(fixture, &address);
    connect_clients(fixture, 3);
    fixture->destroy_in_callback = true;
    run_until_accepted(fixture, 1);
    assert_null(fixture->listener);
    settle(fixture);
    assert_int_equal(fixture->fd_count, 1);
    gw_listener_destroy(&fixture->listener); /* NULL-safe */
}

static void waits_when_descriptors_run_out(void **state)
{
    struct fixture *fixture = *state;
    struct gw_address address = literal("127.0.0.1", 0);
    listen_at(fixture, &address);
    connect_clients(fixture, 1);
    /* The next descriptor would be over the limit. */
    int next = dup(0);
    assert_true(next > 0);
    struct rlimit old;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    struct rlimit low = {.rlim_cur = (rlim_t)next, .rlim_max = old.rlim_max};
    (void)close(next);
    gw_log_set_level(GW_LOG_ERROR);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    settle(fixture);
    assert_int_equal(fixture->fd_count, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    /* One more client: valgrind, which plays the limit itself, throws the first one away. */
    connect_clients(fixture, 1);
    uint64_t before_ms = gw_loop_now_ms(fixture->loop);
    fixture->wanted = 1;
    gw_loop_run_until(fixture->loop, &fixture->done, WAIT_MS);
    assert_true(fixture->fd_count >= 1);
    assert_true(gw_loop_now_ms(fixture->loop) - before_ms <= 1000);
    gw_log_set_level(GW_LOG_INFO);
}

static void hands_its_descriptor_over(void **state)
{
    struct fixture *fixture = *state;
    struct gw_address address = literal("127.0.0.1", 0);
    int fd = -1;
    assert_int_equal(gw_listener_open_fd(&address, &fd, &fixture->address), GW_OK);
    int second = dup(fd); /* as a new process would get it */
    assert_int_equal(gw_listener_create(fixture->loop, fd, on_accept, fixture, &fixture->listener),
                     GW_OK);
    connect_clients(fixture, 1); /* waits in the queue that both share */
    gw_listener_destroy(&fixture->listener);
    settle(fixture);
    assert_int_equal(fixture->fd_count, 0);
    assert_int_equal(
        gw_listener_create(fixture->loop, second, on_accept, fixture, &fixture->listener), GW_OK);
    assert_true((fcntl(second, F_GETFD) & FD_CLOEXEC) != 0);
    run_until_accepted(fixture, 1);
}

static void refuses_what_cannot_be_polled(void **state)
{
    struct fixture *fixture = *state;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(gw_listener_create(fixture->loop, fd, on_accept, fixture, &fixture->listener),
                     GW_ERR_IO);
    assert_null(fixture->listener);
    assert_int_equal(fcntl(fd, F_GETFD), -1); /* closed all the same */
}

static void replaces_a_stale_unix_socket_only(void **state)
{
    struct fixture *fixture = *state;
    char dir[] = "/tmp/gw-listener-XXXXXX";
    char path[64];
    struct gw_address address;
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/socket", dir);
    assert_int_equal(gw_address_from_unix(gw_str_from_c(path), &address), GW_OK);
    listen_at(fixture, &address);
    connect_clients(fixture, 1);
    run_until_accepted(fixture, 1);
    assert_string_equal(fixture->peer, "unix:");
    /* Somebody listens, which is found out by connecting: hands off. */
    int fd = -1;
    struct gw_address bound;
    assert_int_equal(gw_listener_open_fd(&address, &fd, &bound), GW_ERR_EXISTS);
    connect_clients(fixture, 1);
    run_until_accepted(fixture, 3);
    /* The file of a process that died. */
    gw_listener_destroy(&fixture->listener);
    listen_at(fixture, &address);
    connect_clients(fixture, 1);
    run_until_accepted(fixture, 4);
    gw_listener_destroy(&fixture->listener);
    /* Somebody who is too busy to accept is there all the same. */
    assert_int_equal(unlink(path), 0);
    int busy = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(busy, &address.u.any, address.len), 0);
    assert_int_equal(listen(busy, 0), 0);
    int rc = 0;
    while (rc == 0) {
        int client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        rc = connect(client, &address.u.any, address.len);
        fixture->clients[fixture->client_count++] = client;
    }
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(gw_listener_open_fd(&address, &fd, &bound), GW_ERR_EXISTS);
    assert_int_equal(access(path, F_OK), 0);
    (void)close(busy);
    /* A file that is no socket. */
    assert_int_equal(unlink(path), 0);
    int plain = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(plain >= 0);
    assert_int_equal(gw_listener_open_fd(&address, &fd, &bound), GW_ERR_EXISTS);
    assert_int_equal(access(path, F_OK), 0);
    (void)close(plain);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
    /* A folder that does not exist. */
    assert_int_equal(gw_listener_open_fd(&address, &fd, &bound), GW_ERR_IO);
    assert_int_equal(errno, ENOENT);
    assert_int_equal(fd, -1);
}

#define WITH_LOOP(test) cmocka_unit_test_setup_teardown(test, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LOOP(accepts_on_a_free_port),
        WITH_LOOP(accepts_more_than_a_batch),
        WITH_LOOP(takes_ipv4_on_the_ipv6_wildcard),
        WITH_LOOP(shares_a_port_with_itself_only),
        WITH_LOOP(refuses_a_foreign_address),
        WITH_LOOP(pauses_and_goes_on),
        WITH_LOOP(may_go_inside_its_callback),
        WITH_LOOP(waits_when_descriptors_run_out),
        WITH_LOOP(hands_its_descriptor_over),
        WITH_LOOP(refuses_what_cannot_be_polled),
        WITH_LOOP(replaces_a_stale_unix_socket_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
