/* SPDX-License-Identifier: MIT */
/* net/listener - accept4(2) in batches behind a uv_poll_t. */
#include "net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/log.h"

/*
 * Connections that are complete but not accepted. The kernel lowers it to net.core.somaxconn (4096
 * by default); less than that loses clients when thousands come back at once after a restart.
 */
#define BACKLOG 4096
/* Without descriptors accept would fail again at once; connections that end free some. */
#define PAUSE_MS 100
/* One warning a minute tells enough. */
#define WARN_EVERY_MS 60000

struct gw_listener {
    uv_poll_t poll;
    struct gw_loop *loop;
    gw_listener_on_accept_fn *on_accept;
    void *user;
    struct gw_timer resume; /* set while descriptors are short */
    uint64_t warned_at_ms;
    int fd;
    bool is_polling;
    bool is_paused; /* by the owner */
    bool is_closed;
};

/* ---- opening ---- */

/* Is somebody there? Only a refused connection proves that a socket file is a leftover. */
static bool is_stale_socket(const struct gw_address *address)
{
    struct stat st;
    if (lstat(address->u.path.sun_path, &st) != 0 || !S_ISSOCK(st.st_mode)) {
        return false;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1) {
        return false;
    }
    bool refused = connect(fd, &address->u.any, address->len) == -1 && errno == ECONNREFUSED;
    (void)close(fd);
    return refused;
}

static int bind_address(int fd, const struct gw_address *address)
{
    int rc = bind(fd, &address->u.any, address->len);
    if (rc == -1 && errno == EADDRINUSE && address->u.any.sa_family == AF_UNIX) {
        if (is_stale_socket(address) && unlink(address->u.path.sun_path) == 0) {
            return bind(fd, &address->u.any, address->len);
        }
        errno = EADDRINUSE;
    }
    return rc;
}

/* Options that accepted sockets inherit are set here once instead of on each of them. */
static int set_options(int fd, int family)
{
    const int on = 1;
    if (family == AF_UNIX) {
        return 0;
    }
    if (family == AF_INET6) {
        /* "::" means all interfaces, IPv4 included, whatever the system's default is. */
        const int off = 0;
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    }
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == -1 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == -1 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == -1 ||
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) == -1) {
        return -1;
    }
    return 0;
}

enum gw_err gw_listener_open_fd(const struct gw_address *address, int *fd, struct gw_address *bound)
{
    enum gw_err err = GW_OK;
    int family = address->u.any.sa_family;
    int opened = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (opened == -1) {
        return errno == EAFNOSUPPORT ? GW_ERR_UNREACHABLE : GW_ERR_IO;
    }
    struct gw_address real = {.len = sizeof(real.u)};
    if (set_options(opened, family) == -1 || bind_address(opened, address) == -1 ||
        listen(opened, BACKLOG) == -1 || getsockname(opened, &real.u.any, &real.len) == -1) {
        int error = errno;
        err = gw_err_from_errno(error);
        if (err != GW_ERR_EXISTS && err != GW_ERR_UNREACHABLE) {
            err = GW_ERR_IO;
        }
        (void)close(opened);
        errno = error;
        return err;
    }
    *fd = opened;
    *bound = real;
    return GW_OK;
}

/* ---- accepting ---- */

static void on_poll(uv_poll_t *poll, int status, int events);

static void update_polling(struct gw_listener *listener)
{
    bool want = !listener->is_paused && !gw_timer_is_set(&listener->resume);
    if (want == listener->is_polling) {
        return;
    }
    listener->is_polling = want;
    if (want) {
        (void)uv_poll_start(&listener->poll, UV_READABLE, on_poll);
    } else {
        (void)uv_poll_stop(&listener->poll);
    }
}

static void on_resume(struct gw_timer *timer)
{
    update_polling(GW_CONTAINER_OF(timer, struct gw_listener, resume));
}

static void pause_for_want(struct gw_listener *listener, int error)
{
    uint64_t now_ms = gw_loop_now_ms(listener->loop);
    if (listener->warned_at_ms == 0 || now_ms - listener->warned_at_ms >= WARN_EVERY_MS) {
        listener->warned_at_ms = now_ms;
        gw_log_warn("listener",
                    "cannot accept connections: %s; trying again every %d ms "
                    "(raise the limit of open files)",
                    uv_strerror(uv_translate_sys_error(error)), PAUSE_MS);
    }
    gw_timer_set_at(&listener->resume, now_ms + PAUSE_MS);
}

/* Is the accept queue used up, or accepting pointless for now? Else one connection failed alone. */
static bool must_stop_accepting(struct gw_listener *listener, int error)
{
    switch (error) {
    case EAGAIN:
        return true;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        pause_for_want(listener, error);
        return true;
    default:
        /* accept(2) reports errors of the new connection itself (ECONNABORTED, ENETDOWN, EPROTO,
         * ...). */
        return false;
    }
}

static void accept_batch(struct gw_listener *listener)
{
    for (int i = 0; i < GW_LISTENER_ACCEPT_BATCH; i++) {
        struct gw_address peer = {.len = sizeof(peer.u)};
        int fd = accept4(listener->fd, &peer.u.any, &peer.len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd == -1) {
            if (must_stop_accepting(listener, errno)) {
                return;
            }
            continue;
        }
        gw_address_unmap(&peer);
        listener->on_accept(listener->user, fd, &peer);
        if (listener->is_closed || listener->is_paused) {
            return;
        }
    }
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    (void)events;
    struct gw_listener *listener = GW_CONTAINER_OF(poll, struct gw_listener, poll);
    struct gw_loop *loop = listener->loop;
    if (status < 0) {
        listener->is_polling = false; /* libuv stops a poll that reports an error */
    }
    accept_batch(listener);
    if (!listener->is_closed) {
        update_polling(listener);
    }
    gw_loop_run_deferred(loop);
}

/* ---- life ---- */

enum gw_err gw_listener_create(struct gw_loop *loop, int fd, gw_listener_on_accept_fn *on_accept,
                               void *user, struct gw_listener **out)
{
    /* A socket that was handed over may lack the flags; libuv sets O_NONBLOCK itself. */
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    struct gw_listener *listener = gw_zalloc(sizeof(*listener));
    if (uv_poll_init(gw_loop_uv(loop), &listener->poll, fd) != 0) {
        (void)close(fd);
        gw_free(listener);
        return GW_ERR_IO;
    }
    listener->loop = loop;
    listener->on_accept = on_accept;
    listener->user = user;
    listener->fd = fd;
    gw_timer_init(&listener->resume, loop, on_resume);
    update_polling(listener);
    *out = listener;
    return GW_OK;
}

void gw_listener_set_paused(struct gw_listener *listener, bool paused)
{
    listener->is_paused = paused;
    update_polling(listener);
}

static void on_closed(uv_handle_t *handle)
{
    gw_free(GW_CONTAINER_OF(handle, struct gw_listener, poll));
}

void gw_listener_destroy(struct gw_listener **listener)
{
    struct gw_listener *old = *listener;
    if (old == NULL) {
        return;
    }
    *listener = NULL;
    old->is_closed = true;
    gw_timer_clear(&old->resume);
    uv_close((uv_handle_t *)&old->poll, on_closed);
    (void)close(old->fd);
}
