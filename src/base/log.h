/* SPDX-License-Identifier: MIT */
/*
 * base/log - the operator's log (text, standard error) and the sinks that log lines are written to.
 *
 * Source:   none
 * Shape:    gw_log_warn("upstream", "...") writes one line "TIME warn upstream: text". Control
 *           characters in the text become '?'. A sink takes ready lines (the access log uses one)
 *           and never makes its caller wait.
 * Units:    bytes
 * Limits:   a line of the operator's log is cut at 4 KiB; a sink holds at most
 *           GW_LOG_SINK_MAX_BYTES for a slow reader, then drops whole lines and counts them.
 * Memory:   a sink owns its buffer.
 * Threads:  any; a sink takes a lock for the time of one copy or one non-blocking write.
 * Errors:   none: a log that cannot be written does not stop the gateway.
 *
 * Levels: error = somebody must act; warn = degraded, we cope; info = life cycle; debug. No secret
 * ever goes in.
 */
#ifndef GW_BASE_LOG_H
#define GW_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

enum gw_log_level {
    GW_LOG_ERROR,
    GW_LOG_WARN,
    GW_LOG_INFO,
    GW_LOG_DEBUG,
};

/* Reads a level's name ("error", "warn", "warning", "info", "debug"), any case. Errors:
 * GW_ERR_INVALID. */
GW_MUST_USE enum gw_err gw_log_level_parse(struct gw_str name, enum gw_log_level *level);

/* Lines above this level are not written. The default is info. */
void gw_log_set_level(enum gw_log_level level);

/* Would a line of this level be written? */
bool gw_log_is_on(enum gw_log_level level);

/* Writes one line; use the macros below, which do not evaluate their arguments when the level is
 * off. */
GW_PRINTF(3, 4)
void gw_log_line(enum gw_log_level level, const char *component, const char *format, ...);

#define GW_LOG_IF(level, ...)                                                                      \
    do {                                                                                           \
        if (gw_log_is_on(level)) {                                                                 \
            gw_log_line((level), __VA_ARGS__);                                                     \
        }                                                                                          \
    } while (0)
#define gw_log_error(...) GW_LOG_IF(GW_LOG_ERROR, __VA_ARGS__)
#define gw_log_warn(...)  GW_LOG_IF(GW_LOG_WARN, __VA_ARGS__)
#define gw_log_info(...)  GW_LOG_IF(GW_LOG_INFO, __VA_ARGS__)
#define gw_log_debug(...) GW_LOG_IF(GW_LOG_DEBUG, __VA_ARGS__)

/* Two seconds of access log at 10,000 requests/s of 400 bytes. */
#define GW_LOG_SINK_MAX_BYTES (8u * 1024 * 1024)

struct gw_log_sink; /* opaque */

/*
 * Opens a sink on |path| (appended to, created with mode 0640), or on standard output for "-".
 * Pipes and terminals are opened anew, so that making them non-blocking does not touch the caller's
 * descriptor.
 *
 * Errors: GW_ERR_IO, GW_ERR_NOT_FOUND.
 */
GW_MUST_USE enum gw_err gw_log_sink_create(const char *path, struct gw_log_sink **out);

/* Writes what is left as far as that goes without waiting, closes, frees; NULL-safe, clears the
 * pointer. */
void gw_log_sink_destroy(struct gw_log_sink **sink);

/*
 * Takes |lines| (whole lines, each ending with LF): writes them now, keeps them when the reader is
 * slow, and drops them when too much is kept already. Kept lines are tried again with each call;
 * empty |lines| only do that.
 */
void gw_log_sink_write(struct gw_log_sink *sink, struct gw_str lines);

/* Closes and opens the file again, after log rotation; a sink on standard output is left as it is.
 */
void gw_log_sink_reopen(struct gw_log_sink *sink);

/* Does something wait in the sink that its reader has not taken yet? Any thread. */
bool gw_log_sink_is_behind(const struct gw_log_sink *sink);

/* Lines dropped so far because the reader was slow. */
uint64_t gw_log_sink_dropped(const struct gw_log_sink *sink);

#endif
