/* SPDX-License-Identifier: MIT */
/*
 * net/stream - state, poll interest and plain bytes; TLS bytes are in stream_tls.c.
 *
 * One wake-up:  libuv -> on_poll -> connect | handshake | read once, then write -> deferred work
 *
 * Each change of what uv_poll watches costs two system calls (libuv takes the descriptor out of
 * epoll and puts it in again), so the interest in reading is dropped only when bytes come that
 * nobody wants: an owner that switches off and on again between two wake-ups pays nothing.
 */
#include "net/stream.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "net/stream_int.h"

/*
 * Idle upstream connections are probed so that a firewall which forgot them is noticed before a
 * request is lost on them: after a minute, and given up 30 s later.
 */
#define KEEPALIVE_IDLE_S     60
#define KEEPALIVE_INTERVAL_S 10
#define KEEPALIVE_PROBES     3

/* ---- interest ---- */

static void on_poll(uv_poll_t *poll, int status, int events);

static int wanted_interest(const struct gw_stream *stream)
{
    int write = stream->want_writable || stream->want_flush ? UV_WRITABLE : 0;
    switch ((enum gw_stream_state)stream->state) {
    case GW_STREAM_CONNECTING:
        return UV_WRITABLE;
    case GW_STREAM_HANDSHAKING:
        return stream->want_flush ? UV_WRITABLE : UV_READABLE;
    case GW_STREAM_OPEN:
        if (stream->reading) {
            return UV_READABLE | write;
        }
        return (stream->peer_finished ? 0 : UV_DISCONNECT) | write;
    case GW_STREAM_ENDED:
    case GW_STREAM_CLOSED:
        break;
    }
    return 0;
}

void gw_stream_update_interest(struct gw_stream *stream)
{
    int want = wanted_interest(stream);
    if (want == stream->interest || stream->state == GW_STREAM_CLOSED) {
        return;
    }
    stream->interest = (uint8_t)want;
    /* Neither can fail: the descriptor is ours and the flags are valid. */
    if (want == 0) {
        (void)uv_poll_stop(&stream->poll);
    } else {
        (void)uv_poll_start(&stream->poll, want, on_poll);
    }
}

/* ---- ends ---- */

void gw_stream_end(struct gw_stream *stream, enum gw_err err, struct gw_str detail)
{
    stream->state = GW_STREAM_ENDED;
    gw_stream_update_interest(stream);
    stream->events->on_end(stream->user, err, detail);
}

void gw_stream_end_errno(struct gw_stream *stream, int error)
{
    gw_stream_end(stream, gw_err_from_errno(error),
                  gw_str_from_c(uv_strerror(uv_translate_sys_error(error))));
}

static int socket_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof(error);
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1 ? errno : error;
}

/* The end that the socket tells of; a broken one has no error left when a write has fetched it. */
static void end_by_socket(struct gw_stream *stream, bool is_broken)
{
    int error = socket_error(stream->fd);
    if (error == 0 && is_broken) {
        error = ECONNRESET;
    }
    if (error != 0) {
        gw_stream_end_errno(stream, error);
    } else {
        gw_stream_end(stream, GW_ERR_EOF, GW_STR("the peer closed the connection"));
    }
}

/* Reading is off and the peer has finished or is gone. What it sent before must not be lost, so the
 * end waits until the owner has read it. */
static void check_peer(struct gw_stream *stream, bool is_broken)
{
    int unread = 0;
    if (ioctl(stream->fd, FIONREAD, &unread) == 0 && unread > 0) {
        stream->peer_finished = true;
    } else {
        end_by_socket(stream, is_broken);
    }
}

/* ---- wake-ups ---- */

static void read_plain(struct gw_stream *stream)
{
    char *buffer = gw_loop_read_buffer(stream->loop);
    ssize_t n = recv(stream->fd, buffer, GW_LOOP_READ_BYTES, 0);
    if (n > 0) {
        stream->events->on_read(stream->user, gw_str(buffer, (size_t)n));
    } else if (n == 0) {
        gw_stream_end(stream, GW_ERR_EOF, GW_STR("the peer closed the connection"));
    } else if (errno != EAGAIN && errno != EINTR) {
        gw_stream_end_errno(stream, errno);
    }
}

static void on_readable(struct gw_stream *stream, int events, bool is_broken)
{
    if (stream->reading) {
        if (stream->tls != NULL) {
            gw_stream_tls_read(stream);
        } else {
            read_plain(stream);
        }
    } else if (is_broken && stream->is_accepted) {
        end_by_socket(stream,
                      true); /* nobody is left who could be answered, whatever waits to be read */
    } else if ((events & UV_DISCONNECT) != 0 && !stream->peer_finished) {
        if (stream->tls != NULL) {
            gw_stream_tls_check_peer(stream);
        } else {
            check_peer(stream, is_broken);
        }
    }
}

static void on_open_io(struct gw_stream *stream, int events, bool is_broken)
{
    if ((events & (UV_READABLE | UV_DISCONNECT)) != 0) {
        on_readable(stream, events, is_broken);
    }
    if ((events & UV_WRITABLE) != 0 && gw_stream_is_open(stream) && stream->want_flush) {
        gw_stream_tls_flush(stream);
    }
    if ((events & UV_WRITABLE) != 0 && gw_stream_is_open(stream) && stream->want_writable) {
        stream->want_writable = false;
        stream->events->on_writable(stream->user);
    }
}

static void on_connected(struct gw_stream *stream)
{
    int error = socket_error(stream->fd);
    if (error != 0) {
        gw_stream_end_errno(stream, error);
        return;
    }
    stream->state = GW_STREAM_OPEN;
    stream->events->on_open(stream->user);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct gw_stream *stream = GW_CONTAINER_OF(poll, struct gw_stream, poll);
    struct gw_loop *loop = stream->loop;
    bool is_broken = status < 0;
    if (is_broken) {
        /* EPOLLERR: libuv has stopped the poll. Reading tells what happened, behind what the peer
         * sent before. */
        stream->interest = 0;
        events = UV_READABLE | UV_WRITABLE | UV_DISCONNECT;
    }
    switch ((enum gw_stream_state)stream->state) {
    case GW_STREAM_CONNECTING:
        on_connected(stream);
        break;
    case GW_STREAM_HANDSHAKING:
        gw_stream_tls_handshake(stream);
        break;
    case GW_STREAM_OPEN:
        on_open_io(stream, events, is_broken);
        break;
    case GW_STREAM_ENDED:
    case GW_STREAM_CLOSED:
        break;
    }
    gw_stream_update_interest(stream);
    gw_loop_run_deferred(loop);
}

static void on_deferred(struct gw_deferred *deferred)
{
    struct gw_stream *stream = GW_CONTAINER_OF(deferred, struct gw_stream, deferred);
    if (stream->open_due) {
        stream->open_due = false;
        stream->events->on_open(stream->user);
    }
    if (stream->handshake_due && stream->state == GW_STREAM_HANDSHAKING) {
        stream->handshake_due = false;
        gw_stream_tls_handshake(stream);
    }
    if (stream->read_due && gw_stream_is_open(stream)) {
        stream->read_due = false;
        if (stream->reading) {
            gw_stream_tls_read_held(stream);
        }
    }
    gw_stream_update_interest(stream);
}

/* ---- making ---- */

/* Owns |fd| from now on, also when this fails. */
static enum gw_err create(struct gw_loop *loop, int fd, const struct gw_stream_events *events,
                          void *user, struct gw_stream **out)
{
    struct gw_stream *stream = gw_try_alloc(sizeof(*stream));
    if (stream == NULL) {
        (void)close(fd);
        return GW_ERR_NOMEM;
    }
    *stream = (struct gw_stream){.loop = loop, .events = events, .user = user, .fd = fd};
    if (uv_poll_init(gw_loop_uv(loop), &stream->poll, fd) != 0) {
        (void)close(fd);
        gw_free(stream);
        return GW_ERR_IO;
    }
    gw_deferred_init(&stream->deferred, on_deferred);
    *out = stream;
    return GW_OK;
}

enum gw_err gw_stream_accept(struct gw_loop *loop, int fd, struct gw_tls_server *tls,
                             const struct gw_stream_events *events, void *user,
                             struct gw_stream **out)
{
    struct gw_stream *stream = NULL;
    enum gw_err err = create(loop, fd, events, user, &stream);
    if (err != GW_OK) {
        return err;
    }
    stream->is_accepted = true;
    if (tls != NULL) {
        stream->state = GW_STREAM_HANDSHAKING;
        err = gw_stream_tls_accept(stream, tls);
        if (err != GW_OK) {
            gw_stream_close(&stream);
            return err;
        }
        gw_stream_update_interest(stream);
    } else {
        stream->state = GW_STREAM_OPEN;
        stream->open_due = true;
        gw_loop_defer(loop, &stream->deferred);
    }
    *out = stream;
    return GW_OK;
}

static int open_socket(int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1 || family == AF_UNIX) {
        return fd;
    }
    /* Best effort: a connection without them works too. */
    const int on = 1;
    const int idle_s = KEEPALIVE_IDLE_S;
    const int interval_s = KEEPALIVE_INTERVAL_S;
    const int probes = KEEPALIVE_PROBES;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof(idle_s));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof(interval_s));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
    return fd;
}

enum gw_err gw_stream_connect(struct gw_loop *loop, const struct gw_stream_connect_opts *opts,
                              const struct gw_stream_events *events, void *user,
                              struct gw_stream **out)
{
    int fd = open_socket(opts->address->u.any.sa_family);
    if (fd == -1) {
        return GW_ERR_IO;
    }
    bool is_connected = connect(fd, &opts->address->u.any, opts->address->len) == 0;
    if (!is_connected && errno != EINPROGRESS) {
        /* EAGAIN comes from Unix sockets only: the listener's queue is full. */
        enum gw_err err = errno == EAGAIN ? GW_ERR_REFUSED : gw_err_from_errno(errno);
        (void)close(fd);
        return err;
    }
    struct gw_stream *stream = NULL;
    enum gw_err err = create(loop, fd, events, user, &stream);
    if (err != GW_OK) {
        return err;
    }
    stream->state = GW_STREAM_CONNECTING;
    if (is_connected) {
        stream->state = GW_STREAM_OPEN;
        stream->open_due = true;
        gw_loop_defer(loop, &stream->deferred);
    } else {
        gw_stream_update_interest(stream);
    }
    *out = stream;
    return GW_OK;
}

/* ---- use ---- */

bool gw_stream_is_h2(const struct gw_stream *stream)
{
    return stream->is_h2;
}

bool gw_stream_is_tls(const struct gw_stream *stream)
{
    return stream->tls != NULL;
}

void gw_stream_set_reading(struct gw_stream *stream, bool on)
{
    stream->reading = on;
    if (!on || !gw_stream_is_open(stream)) {
        return;
    }
    if (stream->tls != NULL && gw_stream_tls_holds_bytes(stream)) {
        stream->read_due = true;
        gw_loop_defer(stream->loop, &stream->deferred);
    }
    if ((stream->interest & UV_READABLE) == 0) {
        gw_stream_update_interest(stream);
    }
}

static enum gw_err writev_plain(struct gw_stream *stream, const struct iovec *iov, int count,
                                size_t *sent)
{
    size_t total = 0;
    for (int i = 0; i < count; i++) {
        total += iov[i].iov_len;
    }
    if (total == 0) {
        *sent = 0;
        return GW_OK;
    }
    /* Not writev(): a broken connection must not raise SIGPIPE. One piece saves the kernel a
     * message header. */
    const struct msghdr message = {
        .msg_iov = (struct iovec *)(uintptr_t)iov,
        .msg_iovlen = (size_t)(count < IOV_MAX ? count : IOV_MAX), /* the rest comes with AGAIN */
    };
    ssize_t n = count == 1 ? send(stream->fd, iov[0].iov_base, iov[0].iov_len, MSG_NOSIGNAL)
                           : sendmsg(stream->fd, &message, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        *sent = 0;
        return gw_err_from_errno(errno);
    }
    *sent = n < 0 ? 0 : (size_t)n;
    return *sent == total ? GW_OK : GW_ERR_AGAIN;
}

enum gw_err gw_stream_writev(struct gw_stream *stream, const struct iovec *iov, int count,
                             size_t *sent)
{
    GW_ASSERT(stream->state == GW_STREAM_OPEN || stream->state == GW_STREAM_ENDED);
    enum gw_err err = stream->tls != NULL ? gw_stream_tls_writev(stream, iov, count, sent)
                                          : writev_plain(stream, iov, count, sent);
    stream->want_writable = err == GW_ERR_AGAIN;
    if (stream->want_writable && (stream->interest & UV_WRITABLE) == 0) {
        gw_stream_update_interest(stream);
    }
    return err;
}

void gw_stream_shutdown_write(struct gw_stream *stream)
{
    /* Also after on_end: the answer to a peer that has finished is finished too. */
    if (!gw_stream_is_open(stream) && stream->state != GW_STREAM_ENDED) {
        return;
    }
    if (stream->tls != NULL) {
        gw_stream_tls_shutdown_write(stream);
        gw_stream_update_interest(stream);
    } else {
        (void)shutdown(stream->fd, SHUT_WR);
    }
}

/* ---- closing ---- */

static void on_closed(uv_handle_t *handle)
{
    gw_free(GW_CONTAINER_OF(handle, struct gw_stream, poll));
}

static void close_stream(struct gw_stream *stream, bool is_cut)
{
    gw_stream_tls_free(stream, is_cut);
    stream->state = GW_STREAM_CLOSED;
    gw_deferred_cancel(&stream->deferred);
    uv_close((uv_handle_t *)&stream->poll, on_closed);
    (void)close(stream->fd);
}

void gw_stream_close(struct gw_stream **stream)
{
    struct gw_stream *old = *stream;
    if (old != NULL) {
        *stream = NULL;
        close_stream(old, false);
    }
}

void gw_stream_reset(struct gw_stream **stream)
{
    struct gw_stream *old = *stream;
    if (old != NULL) {
        *stream = NULL;
        const struct linger none = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(old->fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
        close_stream(old, true);
    }
}
