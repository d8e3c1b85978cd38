/* SPDX-License-Identifier: MIT */
/* core/slow - streams below their group's floor move to another deployment, as long as the client
 * has not got much of them and somebody else can go on. */
#include "core/core_int.h"

static const struct gw_slow_stream_policy *policy_of(const struct gw_request *request)
{
    return &request->group->routing->slow_stream;
}

static void look_again(struct gw_request *request)
{
    struct gw_recovery *recovery = request->recovery;
    uint64_t at_ms = gw_slow_stream_look_at_ms(&recovery->slow, policy_of(request));
    if (at_ms != UINT64_MAX) {
        gw_timer_set_at(&recovery->slow_timer, at_ms);
    }
}

static void move(struct gw_request *request)
{
    struct gw_error error = {.class = GW_ERROR_TIMEOUT,
                             .status = 504,
                             .upstream_status = request->attempt->upstream_status,
                             .is_retryable = true,
                             .can_fallback = true,
                             .code = GW_STR("upstream_too_slow"),
                             .message = GW_STR("The provider's stream was slower than slow_stream "
                                               "allows.")};
    if (!gw_continue_can_move(request)) {
        look_again(request);
        return;
    }
    gw_counter_add(&request->core->counters->slow_streams_total, 1);
    gw_request_cancel_exchange(request);
    gw_request_attempt_failed(request, &error);
}

static void on_timer(struct gw_timer *timer)
{
    struct gw_recovery *recovery = GW_CONTAINER_OF(timer, struct gw_recovery, slow_timer);
    struct gw_request *request = recovery->request;
    uint64_t now_ms = gw_loop_now_ms(request->core->loop);
    bool is_paused = request->has_begun && !gw_downstream_can_write(request->pair);
    if (recovery->was_paused || is_paused) {
        recovery->was_paused = is_paused;
        gw_slow_stream_resume(&recovery->slow, now_ms);
        look_again(request);
    } else if (gw_slow_stream_is_slow(&recovery->slow, policy_of(request), now_ms)) {
        move(request);
    } else {
        look_again(request);
    }
}

void gw_slow_guard(struct gw_request *request)
{
    struct gw_recovery *recovery = request->recovery;
    if (policy_of(request)->floor_tokens_per_s == 0 || recovery->count > 0) {
        return;
    }
    recovery->request = request;
    gw_timer_init(&recovery->slow_timer, request->core->loop, on_timer);
    gw_slow_stream_begin(&recovery->slow, gw_loop_now_ms(request->core->loop));
    recovery->is_guarded = true;
    look_again(request);
}

void gw_slow_stop(struct gw_request *request)
{
    struct gw_recovery *recovery = request->recovery;
    if (recovery != NULL && recovery->is_guarded) {
        recovery->is_guarded = false;
        gw_timer_clear(&recovery->slow_timer);
    }
}
