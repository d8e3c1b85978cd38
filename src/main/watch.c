/* SPDX-License-Identifier: MIT */
/* main/watch - a stat() now and then. */
#include "main/watch.h"

#include <string.h>

#include "base/alloc.h"

void gw_watch_look(struct gw_watch *watch, const char *path)
{
    gw_free(watch->path);
    watch->path = gw_strndup(path, strlen(path));
    if (stat(path, &watch->seen) != 0) {
        watch->seen = (struct stat){0};
    }
}

static void set_timer(struct gw_watch *watch)
{
    gw_timer_set_at(&watch->timer, gw_loop_now_ms(watch->loop) + GW_WATCH_INTERVAL_MS);
}

static void on_timer(struct gw_timer *timer)
{
    struct gw_watch *watch = GW_CONTAINER_OF(timer, struct gw_watch, timer);
    struct stat now;
    set_timer(watch);
    if (stat(watch->path, &now) != 0 || now.st_size == 0) {
        return; /* somebody is about to write it: an empty file would be a configuration, too */
    }
    bool is_changed = now.st_mtim.tv_sec != watch->seen.st_mtim.tv_sec ||
                      now.st_mtim.tv_nsec != watch->seen.st_mtim.tv_nsec ||
                      now.st_size != watch->seen.st_size || now.st_ino != watch->seen.st_ino;
    watch->seen = now;
    if (is_changed) {
        watch->on_change(watch->user);
    }
}

void gw_watch_start(struct gw_watch *watch, struct gw_loop *loop, void (*on_change)(void *user),
                    void *user)
{
    if (watch->path == NULL) {
        return;
    }
    watch->loop = loop;
    watch->on_change = on_change;
    watch->user = user;
    gw_timer_init(&watch->timer, loop, on_timer);
    set_timer(watch);
}

void gw_watch_stop(struct gw_watch *watch)
{
    if (watch->on_change != NULL) {
        gw_timer_clear(&watch->timer);
    }
    gw_free(watch->path);
    *watch = (struct gw_watch){0};
}
