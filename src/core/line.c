/* SPDX-License-Identifier: MIT */
/* core/line - requests that wait while every deployment of their group is at a limit. */
#include "core/core_int.h"

/* Another worker's exchange may end without this one being told. */
#define LOOK_AGAIN_MS 100u
/* Of those who wait, looked at for one that ended: the first may want what only others can serve.
 */
#define WAKE_MAX 8u

static struct gw_queue *queue_of(const struct gw_request *request)
{
    return &request->conf->queues[request->group->index];
}

bool gw_line_is_ahead(const struct gw_request *request)
{
    return queue_of(request)->count > 0 && !request->place.is_waiting && !request->has_waited;
}

/* Waiting helps against limits, not against failures. */
static bool is_worth_it(const struct gw_request *request)
{
    for (size_t i = 0; i < request->group->deployment_count; i++) {
        struct gw_router_reason reason =
            gw_router_explain(request->conf->router, request->group->index, i, &request->ask);
        if (reason.skip == GW_ROUTER_SKIP_LIMIT || reason.skip == GW_ROUTER_SKIP_LOAD ||
            (reason.skip == GW_ROUTER_SKIP_CREDENTIAL &&
             reason.credential != GW_CREDENTIAL_REFUSED)) {
            return true;
        }
    }
    return gw_line_is_ahead(request);
}

static void set_timer(struct gw_request *request, uint64_t wait_ms, uint64_t now_ms)
{
    uint64_t left_ms = request->place.deadline_ms - now_ms;
    uint64_t delay_ms = wait_ms > 0 ? wait_ms : LOOK_AGAIN_MS;
    gw_request_wait(request, GW_REQUEST_WAIT_LINE, delay_ms < left_ms ? delay_ms : left_ms);
}

bool gw_line_enter(struct gw_request *request, uint64_t wait_ms)
{
    struct gw_queue *queue = queue_of(request);
    uint64_t now_ms = gw_loop_now_ms(request->core->loop);
    if (request->place.is_waiting && now_ms < request->place.deadline_ms) {
        set_timer(request, wait_ms, now_ms);
        return true;
    }
    if (request->place.is_waiting || request->has_waited || !is_worth_it(request)) {
        gw_line_leave(request, false);
        return false;
    }
    request->has_waited = true;
    if (!gw_queue_put(queue, &request->place, request->priority, now_ms + queue->policy.timeout_ms,
                      now_ms)) {
        return false;
    }
    request->conf->waiting_count++;
    set_timer(request, wait_ms, now_ms);
    return true;
}

void gw_line_leave(struct gw_request *request, bool is_served)
{
    if (!request->place.is_waiting) {
        return;
    }
    gw_request_stop_waiting(request);
    request->conf->waiting_count--;
    if (is_served) {
        gw_queue_serve(queue_of(request), &request->place, gw_loop_now_ms(request->core->loop));
    } else {
        gw_queue_remove(queue_of(request), &request->place);
    }
}

static struct gw_request *owner_of(struct gw_queue_entry *entry)
{
    return GW_CONTAINER_OF(entry, struct gw_request, place);
}

static void try_again(struct gw_request *request)
{
    gw_request_stop_waiting(request);
    gw_request_run(request);
}

/* All timers of a line run out at about the same time, in no order. Who cannot be served at the
 * front does not stop this one: it may want what only others can do. */
void gw_line_look(struct gw_request *request)
{
    struct gw_queue *queue = queue_of(request);
    bool has_room = true;
    while (has_room && request->place.is_waiting) {
        struct gw_queue_entry *first = gw_queue_first(queue);
        if (first == &request->place) {
            break;
        }
        try_again(owner_of(first));
        has_room = !first->is_waiting; /* its memory stays until the end of this callback */
    }
    gw_request_run(request);
}

uint64_t gw_line_retry_after_ms(const struct gw_request *request, uint64_t wait_ms)
{
    return gw_queue_retry_after_ms(queue_of(request), request->priority, wait_ms,
                                   gw_loop_now_ms(request->core->loop));
}

/* ---- waking ---- */

static void wake_group(struct gw_queue *queue)
{
    struct gw_queue_entry *entry = gw_queue_first(queue);
    for (unsigned i = 0; i < WAKE_MAX && entry != NULL; i++) {
        struct gw_request *request = owner_of(entry);
        entry = gw_queue_next(queue, entry);
        try_again(request);
    }
}

static void on_wake(struct gw_deferred *wake)
{
    struct gw_conf *conf = gw_conf_acquire(GW_CONTAINER_OF(wake, struct gw_conf, wake));
    size_t count = gw_catalog_group_count(conf->snapshot->catalog);
    for (size_t i = 0; i < count && conf->waiting_count > 0; i++) {
        wake_group(&conf->queues[i]);
    }
    gw_conf_release(&conf);
}

void gw_line_wake(struct gw_core *core, struct gw_conf *conf)
{
    if (conf->waiting_count == 0) {
        return;
    }
    if (conf->wake.run == NULL) {
        gw_deferred_init(&conf->wake, on_wake);
    }
    gw_loop_defer(core->loop, &conf->wake);
}
