/* SPDX-License-Identifier: MIT */
/* obs/access_log_rest - see the header. */
#include "obs/access_log_rest.h"

/* Soon enough for somebody who watches; a reader that stands still costs ten system calls a
 * second. */
#define AGAIN_MS 100

/* Is something left that nobody sees to yet? Then it is the caller's. */
static bool take_over(struct gw_access_log_rest *rest)
{
    return gw_log_sink_is_behind(rest->sink) &&
           !atomic_exchange_explicit(&rest->is_known, true, memory_order_acq_rel);
}

static void try_later(struct gw_access_log_rest *rest)
{
    gw_timer_set_at(&rest->timer, gw_loop_now_ms(rest->loop) + AGAIN_MS);
}

static void on_timer(struct gw_timer *timer)
{
    struct gw_access_log_rest *rest = GW_CONTAINER_OF(timer, struct gw_access_log_rest, timer);
    /* Before the attempt: who leaves something behind it must be able to tell. */
    atomic_store_explicit(&rest->is_known, false, memory_order_release);
    gw_log_sink_write(rest->sink, GW_STR(""));
    if (take_over(rest)) {
        try_later(rest);
    }
}

static void on_message(struct gw_message *message)
{
    struct gw_access_log_rest *rest = GW_CONTAINER_OF(message, struct gw_access_log_rest, message);
    if (rest->sink != NULL) {
        try_later(rest);
    }
}

void gw_access_log_rest_init(struct gw_access_log_rest *rest, struct gw_loop *loop,
                             struct gw_log_sink *sink)
{
    *rest = (struct gw_access_log_rest){.message.receive = on_message, .loop = loop, .sink = sink};
    gw_timer_init(&rest->timer, loop, on_timer);
}

void gw_access_log_rest_fini(struct gw_access_log_rest *rest)
{
    if (rest->loop != NULL) {
        gw_timer_clear(&rest->timer);
    }
    rest->sink = NULL;
}

void gw_access_log_rest_tell(struct gw_access_log_rest *rest)
{
    if (take_over(rest)) {
        gw_loop_post(rest->loop, &rest->message);
    }
}
