/* SPDX-License-Identifier: MIT */
/*
 * fuzz_downstream - a client's bytes against a whole connection, HTTP/1 or HTTP/2: protocol
 * detection, pairs, bodies, answers. The first byte chooses how the bytes are split, the second
 * what the handler does; the rest is what the client sends.
 */
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/log.h"
#include "downstream/server.h"
#include "fuzz_target.h"

struct answer {
    struct gw_downstream *pair;
    unsigned mode;
};

enum {
    MODE_READ = 1,    /* reads the body */
    MODE_AT_ONCE = 2, /* answers before the body */
    MODE_UNKNOWN = 4, /* of unknown length */
    MODE_PAUSE = 8,   /* stops reading in each callback; a later turn goes on */
    MODE_LARGE = 16,  /* more than the socket takes */
    MODE_ABORT = 32,  /* aborts instead of ending */
};

static struct gw_loop *loop;
static unsigned mode;
static size_t open_pairs;
static struct answer *paused;
static char large[300000];

static void forget(struct answer *answer)
{
    open_pairs--;
    if (paused == answer) {
        paused = NULL;
    }
    gw_free(answer);
}

static void give(struct answer *answer)
{
    struct gw_downstream *pair = answer->pair;
    const struct gw_header field = {.name = GW_STR("x-test"), .value = GW_STR("value")};
    struct gw_str body = gw_str(large, (mode & MODE_LARGE) != 0 ? sizeof(large) : 5);
    const struct gw_downstream_response response = {
        .status = 200,
        .headers = &field,
        .header_count = 1,
        .content_length = (mode & MODE_UNKNOWN) != 0 ? GW_LENGTH_UNKNOWN : body.len,
    };
    forget(answer);
    if (gw_downstream_begin(pair, &response) != GW_OK || gw_downstream_write(pair, body) != GW_OK ||
        (mode & MODE_ABORT) != 0) {
        gw_downstream_abort(pair);
        return;
    }
    (void)gw_downstream_can_write(pair);
    gw_downstream_end(pair);
}

static void on_body(void *user, struct gw_str bytes)
{
    struct answer *answer = user;
    GW_ASSERT(bytes.len > 0);
    if ((mode & MODE_PAUSE) != 0) {
        gw_downstream_read_body(answer->pair, false);
        paused = answer;
    }
}

static void on_body_end(void *user)
{
    give(user);
}

static void on_writable(void *user)
{
    (void)user;
}

static void on_abort(void *user, enum gw_err err)
{
    GW_ASSERT(err != GW_OK);
    forget(user);
}

static const struct gw_downstream_events events = {
    .on_body = on_body,
    .on_body_end = on_body_end,
    .on_writable = on_writable,
    .on_abort = on_abort,
};

static void on_request(void *user, struct gw_downstream *pair)
{
    (void)user;
    struct answer *answer = gw_zalloc(sizeof(*answer));
    open_pairs++;
    answer->pair = pair;
    pair->events = &events;
    pair->user = answer;
    if ((mode & MODE_AT_ONCE) != 0) {
        give(answer);
    } else if ((mode & MODE_READ) != 0) {
        gw_downstream_read_body(pair, true);
    }
}

static void on_error_body(void *user, unsigned status, const char *what, struct gw_buf *body)
{
    (void)user;
    (void)gw_buf_appendf(body, "%u %s", status, what);
}

/* A few turns; the client takes what has come. */
static void turn(int fd)
{
    static char sink[65536];
    for (int i = 0; i < 3; i++) {
        uv_run(gw_loop_uv(loop), UV_RUN_NOWAIT);
        gw_loop_run_deferred(loop);
        (void)!recv(fd, sink, sizeof(sink), MSG_DONTWAIT);
        if (paused != NULL) {
            struct answer *answer = paused;
            paused = NULL;
            gw_downstream_read_body(answer->pair, true);
        }
    }
}

static void feed(int fd, const uint8_t *bytes, size_t size, size_t step)
{
    while (size > 0) {
        size_t part = size < step ? size : step;
        ssize_t n = send(fd, bytes, part, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n <= 0) {
            return;
        }
        bytes += n;
        size -= (size_t)n;
        turn(fd);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    int fds[2];
    if (size < 2 || size > 20000 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) != 0) {
        return 0;
    }
    if (loop == NULL && gw_loop_create(&loop) != GW_OK) {
        return 0;
    }
    gw_log_set_level(GW_LOG_ERROR);
    size_t step = bytes[0] == 0 ? SIZE_MAX : (size_t)bytes[0] * 16;
    mode = bytes[1];
    struct gw_server *server = gw_server_create(&(struct gw_server_opts){
        .loop = loop,
        .limits = {.max_header_bytes = 2000,
                   .max_connections = 1,
                   .header_timeout_ms = 1000,
                   .body_timeout_ms = 1000,
                   .write_timeout_ms = 1000,
                   .idle_timeout_ms = 1000},
        .on_request = on_request,
        .on_error_body = on_error_body,
    });
    const struct gw_address peer = {.len = sizeof(sa_family_t), .u.any.sa_family = AF_UNIX};
    gw_server_accept(server, fds[1], &peer, NULL);
    turn(fds[0]);
    feed(fds[0], bytes + 2, size - 2, step);
    gw_server_destroy(&server);
    GW_ASSERT(open_pairs == 0);
    (void)close(fds[0]);
    turn(-1);
    return 0;
}
