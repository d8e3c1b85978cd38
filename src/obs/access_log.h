/* SPDX-License-Identifier: MIT */
/*
 * obs/access_log - one JSON line per finished request.
 *
 * Source:   names follow OpenTelemetry's gen_ai.* where it has one.
 * Shape:    one object per worker gathers the lines of a loop turn; the turn's end hands them to
 *           the sink in one write.
 * Units:    in the names
 * Limits:   a line is bounded by its parts: path and model at most 64 KiB by the header limit,
 *           texts cut
 * Memory:   owns its buffer
 * Threads:  its worker's thread; the sink is shared
 * Errors:   none: lines that do not fit are dropped and counted by the sink
 */
#ifndef GW_OBS_ACCESS_LOG_H
#define GW_OBS_ACCESS_LOG_H

#include "base/log.h"
#include "core/record.h"
#include "obs/access_log_rest.h"

struct gw_access_log;

/* Makes one over |sink| (NULL: nothing is written), which must outlive it. |rest| (may be NULL) is
 * told when the sink could not write all. */
struct gw_access_log *gw_access_log_create(struct gw_log_sink *sink,
                                           struct gw_access_log_rest *rest);

/* Writes what waits and frees; NULL-safe, clears the pointer. */
void gw_access_log_destroy(struct gw_access_log **log);

/* Adds the line of |record|. */
void gw_access_log_add(struct gw_access_log *log, const struct gw_request_record *record);

/* Hands the lines to the sink; at the end of a loop turn. */
void gw_access_log_flush(struct gw_access_log *log);

#endif
