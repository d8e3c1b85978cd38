/* SPDX-License-Identifier: MIT */
/*
 * main/watch - notices that a file changed.
 *
 * Source:   none
 * Shape:    gw_watch_look() before the file is read, gw_watch_start() when the loop runs: a change
 *           between the two is noticed, too.
 * Units:    milliseconds
 * Limits:   a stat() per GW_WATCH_INTERVAL_MS; sees files replaced by rename and Kubernetes'
 *           symlinks, which inotify on a file does not
 * Memory:   the watch holds a copy of the path
 * Threads:  its loop's thread
 * Errors:   a file that is not there (any more) is no change, nor is one that is empty: whoever
 *           writes a file in place cuts it first
 */
#ifndef GW_MAIN_WATCH_H
#define GW_MAIN_WATCH_H

#include <sys/stat.h>

#include "base/str.h"
#include "loop/loop.h"

#define GW_WATCH_INTERVAL_MS 1000

struct gw_watch {
    char *path; /* NULL: nothing is watched */
    struct stat seen;
    struct gw_timer timer;
    struct gw_loop *loop;
    void (*on_change)(void *user);
    void *user;
};

/* Notes what |path| is like now. */
void gw_watch_look(struct gw_watch *watch, const char *path);

/* Calls |on_change| on |loop| from now on; nothing when gw_watch_look() was not called. */
void gw_watch_start(struct gw_watch *watch, struct gw_loop *loop, void (*on_change)(void *user),
                    void *user);

/* Ends it; safe on one that was never started. */
void gw_watch_stop(struct gw_watch *watch);

#endif
