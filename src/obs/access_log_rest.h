/* SPDX-License-Identifier: MIT */
/*
 * obs/access_log_rest - what a slow reader of the access log has left over, written without
 * waiting for the next request.
 *
 * Source:   none
 * Shape:    a worker that leaves something in the sink tells so; a timer on one other loop then
 *           tries again until the sink is empty. While it is, nothing runs.
 * Units:    in the names
 * Limits:   none: the sink bounds what it keeps
 * Memory:   the caller's, which must outlive loop and workers
 * Threads:  init, fini and the timer on the loop's thread; tell from any
 * Errors:   none
 */
#ifndef GW_OBS_ACCESS_LOG_REST_H
#define GW_OBS_ACCESS_LOG_REST_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/log.h"
#include "loop/loop.h"

struct gw_access_log_rest {
    struct gw_message message;
    struct gw_timer timer;
    struct gw_loop *loop;
    struct gw_log_sink *sink;
    _Atomic bool is_known; /* the message is on its way, or the timer is set */
};

/* Makes ready to empty |sink| on |loop|. */
void gw_access_log_rest_init(struct gw_access_log_rest *rest, struct gw_loop *loop,
                             struct gw_log_sink *sink);

/* Stops; before the loop is destroyed, and when nobody tells any more. */
void gw_access_log_rest_fini(struct gw_access_log_rest *rest);

/* Looks whether something is left in the sink, and sees to it. */
void gw_access_log_rest_tell(struct gw_access_log_rest *rest);

#endif
