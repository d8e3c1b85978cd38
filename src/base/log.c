/* SPDX-License-Identifier: MIT */
/* base/log - line formatting and the non-blocking sinks. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"

#define LINE_MAX_BYTES                                                                             \
    4096 /* a pipe writes up to PIPE_BUF (4096) bytes in one piece, so lines of threads do not mix \
          */

static _Atomic int current_level = GW_LOG_INFO;

static const char *const level_names[] = {[GW_LOG_ERROR] = "error",
                                          [GW_LOG_WARN] = "warn",
                                          [GW_LOG_INFO] = "info",
                                          [GW_LOG_DEBUG] = "debug"};

enum gw_err gw_log_level_parse(struct gw_str name, enum gw_log_level *level)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(level_names); i++) {
        if (gw_str_eq_nocase(name, gw_str_from_c(level_names[i]))) {
            *level = (enum gw_log_level)i;
            return GW_OK;
        }
    }
    if (gw_str_eq_nocase(name, GW_STR("warning"))) {
        *level = GW_LOG_WARN;
        return GW_OK;
    }
    return GW_ERR_INVALID;
}

void gw_log_set_level(enum gw_log_level level)
{
    atomic_store_explicit(&current_level, (int)level, memory_order_relaxed);
}

bool gw_log_is_on(enum gw_log_level level)
{
    return (int)level <= atomic_load_explicit(&current_level, memory_order_relaxed);
}

void gw_log_line(enum gw_log_level level, const char *component, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    char time_text[GW_CLOCK_RFC3339_BYTES];
    gw_clock_format_rfc3339(gw_clock_wall_ms(), time_text);
    int head = snprintf(line, sizeof(line), "%s %s %s: ", time_text, level_names[level], component);
    size_t len = head < 0 ? 0 : (size_t)head;
    if (len > sizeof(line) / 2) { /* names of components are short; this keeps the sum in bounds */
        len = sizeof(line) / 2;
    }
    va_list args;
    va_start(args, format);
    int body = vsnprintf(line + len, sizeof(line) - len - 1, format, args);
    va_end(args);
    len += body < 0 ? 0 : (size_t)body;
    if (len > sizeof(line) - 2) {
        len = sizeof(line) - 2;
    }
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f) {
            line[i] = '?';
        }
    }
    line[len++] = '\n';
    ssize_t written = write(STDERR_FILENO, line, len);
    (void)written; /* nowhere left to complain to */
}

struct gw_log_sink {
    char *path; /* NULL for standard output */
    bool is_socket;
    pthread_mutex_t lock;
    /* lock held */
    int fd;
    struct gw_buf waiting; /* what the reader has not taken yet, behind the first |taken| bytes */
    size_t taken;
    bool line_is_cut; /* the last byte written was no LF and the rest of that line was dropped */
    /* any thread */
    _Atomic uint64_t dropped_lines;
    _Atomic bool is_behind;
};

/* Standard output as a descriptor of its own that never blocks. */
static int open_stdout(bool *is_socket)
{
    struct stat info;
    *is_socket = false;
    if (fstat(STDOUT_FILENO, &info) == -1) {
        return -1;
    }
    if (S_ISSOCK(info.st_mode)) { /* systemd's journal; written with MSG_DONTWAIT */
        *is_socket = true;
        return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    }
    if (S_ISREG(info.st_mode)) { /* shares the shell's offset, so that "> file" keeps the order */
        return fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    }
    int fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    return fd != -1 ? fd : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
}

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0640);
}

enum gw_err gw_log_sink_create(const char *path, struct gw_log_sink **out)
{
    bool is_socket = false;
    bool is_stdout = strcmp(path, "-") == 0;
    int fd = is_stdout ? open_stdout(&is_socket) : open_file(path);
    if (fd == -1) {
        return errno == ENOENT ? GW_ERR_NOT_FOUND : GW_ERR_IO;
    }
    struct gw_log_sink *sink = gw_zalloc(sizeof(*sink));
    sink->path = is_stdout ? NULL : gw_strndup(path, strlen(path));
    sink->is_socket = is_socket;
    sink->fd = fd;
    pthread_mutex_init(&sink->lock, NULL);
    gw_buf_init(&sink->waiting, GW_LOG_SINK_MAX_BYTES);
    *out = sink;
    return GW_OK;
}

/* Writes as much as goes without waiting; returns how much went. */
static size_t write_now_locked(struct gw_log_sink *sink, struct gw_str bytes)
{
    size_t done = 0;
    while (done < bytes.len) {
        const char *at = bytes.ptr + done;
        size_t left = bytes.len - done;
        ssize_t n = sink->is_socket ? send(sink->fd, at, left, MSG_DONTWAIT | MSG_NOSIGNAL)
                                    : write(sink->fd, at, left);
        if (n == -1 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        done += (size_t)n;
    }
    return done;
}

static void count_dropped(struct gw_log_sink *sink, struct gw_str lines)
{
    uint64_t count = 0;
    for (size_t i = 0; i < lines.len; i++) {
        count += lines.ptr[i] == '\n';
    }
    atomic_fetch_add_explicit(&sink->dropped_lines, count, memory_order_relaxed);
}

static void write_waiting_locked(struct gw_log_sink *sink)
{
    sink->taken += write_now_locked(sink, gw_str_skip(gw_buf_str(&sink->waiting), sink->taken));
    /* Moving the rest down only when it is the smaller half keeps a slow reader from costing a copy
     * of all per write. */
    if (sink->taken > sink->waiting.len / 2) {
        gw_buf_consume(&sink->waiting, sink->taken);
        sink->taken = 0;
    }
}

/* Keeps |rest| for later; what does not fit is dropped, the older lines stay. */
static enum gw_err keep_locked(struct gw_log_sink *sink, struct gw_str rest)
{
    if (rest.len > sink->waiting.max_bytes - sink->waiting.len) {
        gw_buf_consume(&sink->waiting, sink->taken);
        sink->taken = 0;
    }
    enum gw_err err = gw_buf_append(&sink->waiting, rest);
    sink->waiting.err = GW_OK; /* a refused append leaves the buffer as good as before */
    return err;
}

void gw_log_sink_write(struct gw_log_sink *sink, struct gw_str lines)
{
    pthread_mutex_lock(&sink->lock);
    if (sink->line_is_cut && sink->waiting.len == 0) {
        sink->line_is_cut = keep_locked(sink, GW_STR("\n")) != GW_OK;
    }
    write_waiting_locked(sink);
    size_t done = 0;
    if (sink->waiting.len == 0 && !sink->line_is_cut) {
        done = write_now_locked(sink, lines);
    }
    if (done < lines.len && keep_locked(sink, gw_str_skip(lines, done)) != GW_OK) {
        sink->line_is_cut = sink->line_is_cut || (done > 0 && lines.ptr[done - 1] != '\n');
        count_dropped(sink, gw_str_skip(lines, done));
    }
    atomic_store_explicit(&sink->is_behind, sink->waiting.len > 0 || sink->line_is_cut,
                          memory_order_relaxed);
    pthread_mutex_unlock(&sink->lock);
}

void gw_log_sink_reopen(struct gw_log_sink *sink)
{
    if (sink->path == NULL) {
        return;
    }
    int fd = open_file(sink->path);
    if (fd == -1) {
        gw_log_error("log", "cannot reopen %s: %s; the old file stays in use", sink->path,
                     strerror(errno));
        return;
    }
    pthread_mutex_lock(&sink->lock);
    int old = sink->fd;
    sink->fd = fd;
    pthread_mutex_unlock(&sink->lock);
    close(old);
}

bool gw_log_sink_is_behind(const struct gw_log_sink *sink)
{
    return atomic_load_explicit(&sink->is_behind, memory_order_relaxed);
}

uint64_t gw_log_sink_dropped(const struct gw_log_sink *sink)
{
    return atomic_load_explicit(&sink->dropped_lines, memory_order_relaxed);
}

void gw_log_sink_destroy(struct gw_log_sink **sink)
{
    struct gw_log_sink *old = *sink;
    if (old == NULL) {
        return;
    }
    pthread_mutex_lock(&old->lock);
    write_waiting_locked(old);
    pthread_mutex_unlock(&old->lock);
    close(old->fd);
    pthread_mutex_destroy(&old->lock);
    gw_buf_fini(&old->waiting);
    gw_free(old->path);
    gw_free(old);
    *sink = NULL;
}
