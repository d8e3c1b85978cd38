/* SPDX-License-Identifier: MIT */
/*
 * bench/loadgen/usage - CPU time and memory of the processes under test.
 *
 * Source:   proc(5): /proc/PID/task/TID/schedstat (time on CPU in ns), /proc/PID/status (VmRSS).
 * Shape:    sums over all threads of all given processes; read by loadgen itself, so that the
 *           readings fall exactly on the ends of the measured time.
 * Units:    ns, bytes.
 * Limits:   the time of threads that ended is lost; the proxies measured here keep theirs.
 * Memory:   none.
 * Threads:  no state.
 * Errors:   a process that is gone counts 0.
 */
#ifndef LOADGEN_USAGE_H
#define LOADGEN_USAGE_H

#include <stddef.h>
#include <stdint.h>

struct load_usage {
    uint64_t cpu_ns;
    uint64_t rss_bytes;
};

/* Reads the sums of |count| processes. */
struct load_usage load_usage_read(const int *pids, size_t count);

#endif
