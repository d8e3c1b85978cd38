/* SPDX-License-Identifier: MIT */
/* main/handover - uv_spawn with inherited sockets and a ready pipe. */
#include "main/handover.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/str.h"
#include "main/listen.h"

extern char **environ;

struct gw_handover {
    struct gw_handover_opts opts;
    uv_process_t process;
    uv_pipe_t ready;
    unsigned open_handles;
    bool is_done; /* one of the two callbacks was called */
    bool is_closed;
    char byte;
};

static void on_handle_closed(uv_handle_t *handle)
{
    struct gw_handover *handover = handle->data;
    handover->open_handles--;
    if (handover->open_handles == 0) {
        gw_free(handover);
    }
}

static void fail(struct gw_handover *handover)
{
    if (!handover->is_done && !handover->is_closed) {
        handover->is_done = true;
        handover->opts.on_failed(handover->opts.user);
    }
}

static void on_exit_of_successor(uv_process_t *process, int64_t status, int signal)
{
    struct gw_handover *handover = process->data;
    gw_log_error("handover", "the new process ended with status %d, signal %d", (int)status,
                 signal);
    fail(handover);
}

static void on_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct gw_handover *handover = handle->data;
    *buf = uv_buf_init(&handover->byte, 1);
}

static void on_ready_byte(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf)
{
    (void)buf;
    struct gw_handover *handover = stream->data;
    uv_read_stop(stream);
    if (nread > 0 && !handover->is_done && !handover->is_closed) {
        handover->is_done = true;
        handover->opts.on_ready(handover->opts.user, handover->process.pid);
    } else {
        fail(handover);
    }
}

/* The environment with the two variables that a successor reads; NULL-terminated, freed by the
 * caller, the first two entries too. */
static char **make_environment(const struct gw_handover_opts *opts)
{
    size_t count = 0;
    while (environ[count] != NULL) {
        count++;
    }
    char **env = gw_zalloc((count + 3) * sizeof(char *));
    char text[4096];
    int len = snprintf(text, sizeof(text), "%s=%s", GW_LISTEN_ENV, opts->sockets);
    env[0] = gw_strndup(text, (size_t)len);
    len = snprintf(text, sizeof(text), "%s=%zu", GW_HANDOVER_ENV, 3 + opts->fd_count);
    env[1] = gw_strndup(text, (size_t)len);
    memcpy(env + 2, environ, count * sizeof(char *));
    return env;
}

static int spawn(struct gw_handover *handover)
{
    const struct gw_handover_opts *opts = &handover->opts;
    size_t count = 3 + opts->fd_count + 1;
    uv_stdio_container_t *stdio = gw_zalloc(count * sizeof(*stdio));
    for (int i = 0; i < 3; i++) {
        stdio[i].flags = UV_INHERIT_FD;
        stdio[i].data.fd = i;
    }
    for (size_t i = 0; i < opts->fd_count; i++) {
        stdio[3 + i].flags = UV_INHERIT_FD;
        stdio[3 + i].data.fd = opts->fds[i];
    }
    stdio[count - 1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
    stdio[count - 1].data.stream = (uv_stream_t *)&handover->ready;
    char **env = make_environment(opts);
    uv_process_options_t options = {
        .exit_cb = on_exit_of_successor,
        .file = opts->argv[0],
        .args = opts->argv,
        .env = env,
        .stdio_count = (int)count,
        .stdio = stdio,
    };
    int result = uv_spawn(gw_loop_uv(opts->loop), &handover->process, &options);
    gw_free(env[0]);
    gw_free(env[1]);
    gw_free(env);
    gw_free(stdio);
    return result;
}

enum gw_err gw_handover_start(const struct gw_handover_opts *opts, struct gw_handover **out)
{
    struct gw_handover *handover = gw_zalloc(sizeof(*handover));
    handover->opts = *opts;
    uv_pipe_init(gw_loop_uv(opts->loop), &handover->ready, 0);
    handover->ready.data = handover;
    handover->process.data = handover;
    handover->open_handles = 2;
    int result = spawn(handover);
    if (result != 0) {
        gw_log_error("handover", "cannot start %s: %s", opts->argv[0], uv_strerror(result));
        gw_handover_close(&handover);
        return GW_ERR_IO;
    }
    uv_read_start((uv_stream_t *)&handover->ready, on_buffer, on_ready_byte);
    *out = handover;
    return GW_OK;
}

void gw_handover_close(struct gw_handover **handover)
{
    struct gw_handover *old = *handover;
    if (old == NULL) {
        return;
    }
    old->is_closed = true;
    uv_close((uv_handle_t *)&old->ready, on_handle_closed);
    uv_close((uv_handle_t *)&old->process, on_handle_closed);
    *handover = NULL;
}

void gw_handover_tell_ready(void)
{
    const char *text = getenv(GW_HANDOVER_ENV);
    uint64_t fd = 0;
    if (text == NULL || gw_parse_u64(gw_str_from_c(text), &fd) != GW_OK || fd < 3 || fd > 65535) {
        return;
    }
    unsetenv(GW_HANDOVER_ENV);
    ssize_t written = write((int)fd, "1", 1);
    if (written != 1) {
        gw_log_warn("handover", "cannot tell the old process that this one serves: %s",
                    strerror(errno));
    }
    close((int)fd);
}
