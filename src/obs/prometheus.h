/* SPDX-License-Identifier: MIT */
/*
 * obs/prometheus - the metrics as Prometheus text, summed over the workers.
 *
 * Source:   Prometheus text exposition format 0.0.4
 * Shape:    one call writes the whole page.
 * Units:    seconds and bytes, as Prometheus names want them
 * Limits:   about 20 KiB: label values come from bounded sets
 * Memory:   the caller's buffer
 * Threads:  any: reads relaxed atomics
 * Errors:   stick in the buffer
 */
#ifndef GW_OBS_PROMETHEUS_H
#define GW_OBS_PROMETHEUS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/core.h"

/* What is not counted by the workers. */
struct gw_process_metrics {
    uint64_t started_wall_ms;
    uint64_t reloads_total;
    uint64_t reload_failures_total;
    uint64_t log_lines_dropped_total;
    uint64_t token_refreshes_total;
    uint64_t token_refresh_failures_total;
    bool is_open_mode;
};

/* Appends all metrics of |count| cores. */
void gw_prometheus_write(const struct gw_core *const *cores, size_t count,
                         const struct gw_process_metrics *process, struct gw_buf *out);

#endif
