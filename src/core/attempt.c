/* SPDX-License-Identifier: MIT */
/* core/attempt - who serves the next exchange, and what its end tells the router. */
#include "base/clock.h"
#include "base/log.h"
#include "core/core_int.h"

/* Before anything is known of an answer: twice the question, and no more than models write without
 * being told to (compat.md 5.3). */
#define BYTES_PER_TOKEN     4
#define OUTPUT_TOKENS_MIN   100u
#define OUTPUT_TOKENS_MAX   2000u
#define OUTPUT_PER_INPUT    2u
#define TIMED_ONE_IN        16
#define TOKENS_BELIEVED_MAX (1u << 30) /* of a client's max_tokens */

void gw_attempt_estimate(struct gw_request *request)
{
    uint64_t input = request->received_bytes / BYTES_PER_TOKEN;
    uint64_t output = request->llm.max_output_tokens;
    if (output == 0) {
        output = OUTPUT_PER_INPUT * input;
        output = output < OUTPUT_TOKENS_MIN ? OUTPUT_TOKENS_MIN : output;
        output = output > OUTPUT_TOKENS_MAX ? OUTPUT_TOKENS_MAX : output;
    }
    request->ask.input_tokens = input;
    request->ask.output_tokens = output < TOKENS_BELIEVED_MAX ? output : TOKENS_BELIEVED_MAX;
}

void gw_attempt_ask_now(struct gw_request *request)
{
    if (request->ask.output_tokens == 0) {
        gw_attempt_estimate(request);
    }
    request->ask.now_ms = gw_loop_now_ms(request->core->loop);
}

/* What the vendor calls the model. */
static enum gw_err name_upstream(struct gw_request *request, struct gw_attempt *attempt)
{
    char name[2 * GW_MODEL_NAME_MAX];
    enum gw_err err = gw_deployment_model(attempt->deployment, request->suffix, name, sizeof(name),
                                          &attempt->upstream_model);
    if (err == GW_OK && attempt->upstream_model.ptr == name) {
        attempt->upstream_model = gw_arena_try_dup(&request->arena, attempt->upstream_model);
        err = attempt->upstream_model.ptr == NULL ? GW_ERR_NOMEM : GW_OK;
    }
    if (err == GW_OK && attempt->upstream_model.len == 0) {
        attempt->upstream_model = request->group_model;
    }
    return err;
}

enum gw_err gw_attempt_assume(struct gw_request *request, const struct gw_router_choice *choice)
{
    struct gw_attempt *attempt = request->attempt;
    gw_translation_destroy(&attempt->translation);
    *attempt = (struct gw_attempt){.request = request,
                                   .deployment = request->group->deployments[choice->member],
                                   .group = request->group->index,
                                   .choice = *choice};
    return name_upstream(request, attempt);
}

/* One pick in TIMED_ONE_IN, by the nanosecond its request began in, is timed for the statistics. */
static bool pick(struct gw_request *request, struct gw_router_choice *choice)
{
    struct gw_router *router = request->conf->router;
    size_t group = request->group->index;
    if (request->begun_at_ns % TIMED_ONE_IN != 0) {
        return gw_router_pick(router, group, &request->ask, choice);
    }
    struct gw_group_state *state = request->conf->groups[group];
    uint64_t begun_at_ns = gw_clock_mono_ns();
    bool has_picked = gw_router_pick(router, group, &request->ask, choice);
    atomic_fetch_add_explicit(&state->pick_ns_total, gw_clock_mono_ns() - begun_at_ns,
                              memory_order_relaxed);
    atomic_fetch_add_explicit(&state->picks_timed, 1, memory_order_relaxed);
    return has_picked;
}

enum gw_err gw_attempt_pick(struct gw_request *request)
{
    struct gw_attempt *attempt = request->attempt;
    const struct gw_model_group *group = request->group;
    struct gw_router_choice choice;
    gw_attempt_ask_now(request);
    gw_conf_follow_strategy(request->conf, group);
    if (!pick(request, &choice)) {
        return GW_ERR_NOT_FOUND;
    }
    enum gw_err err = gw_attempt_assume(request, &choice);
    attempt->is_picked = true;
    if (err != GW_OK) { /* given back at once: not every caller settles this attempt */
        gw_attempt_end(attempt, &(struct gw_error){.class = GW_ERROR_CANCELLED});
    }
    return err;
}

bool gw_attempt_is_possible(const struct gw_request *request, const struct gw_router_ask *ask)
{
    for (size_t i = 0; i < request->group->deployment_count; i++) {
        struct gw_router_reason reason =
            gw_router_explain(request->conf->router, request->group->index, i, ask);
        if (reason.skip == GW_ROUTER_SKIP_NONE) {
            return true;
        }
    }
    return false;
}

static uint64_t first_byte_us(const struct gw_exchange_timings *timings)
{
    return timings->first_byte_at_ns > timings->started_at_ns
               ? (timings->first_byte_at_ns - timings->started_at_ns) / 1000
               : 0;
}

static void tell(const struct gw_attempt *attempt, const struct gw_router_news *news)
{
    const struct gw_deployment *deployment = attempt->deployment;
    if (news->breaker_opened) {
        gw_log_warn("core",
                    "deployment '" GW_STR_FMT "': its circuit breaker opened after failures",
                    GW_STR_ARG(deployment->id));
    }
    if (news->came_up) {
        gw_log_info("core", "deployment '" GW_STR_FMT "': answers requests again",
                    GW_STR_ARG(deployment->id));
    }
    if (news->credential_alarm) {
        gw_log_error("core",
                     "deployment '" GW_STR_FMT
                     "': the provider refuses key %zu of %zu; it is left out for a while",
                     GW_STR_ARG(deployment->id), attempt->choice.credential + 1,
                     deployment->key_count);
    }
    if (news->credential_alarm_over) {
        gw_log_info("core", "deployment '" GW_STR_FMT "': the provider accepts key %zu again",
                    GW_STR_ARG(deployment->id), attempt->choice.credential + 1);
    }
}

void gw_attempt_end(struct gw_attempt *attempt, const struct gw_error *error)
{
    struct gw_request *request = attempt->request;
    if (!attempt->is_picked) {
        return;
    }
    attempt->is_picked = false;
    const struct gw_usage *usage = &request->facts.usage;
    struct gw_router_report report = {
        .outcome = gw_router_outcome_of(error),
        .kind = gw_failure_kind_of(error),
        .first_byte_us = first_byte_us(&attempt->timings),
        .tokens = usage->is_known ? usage->input_tokens + usage->output_tokens : 0,
        .retry_after_ms =
            error->retry_after_s < UINT64_MAX / 1000 ? error->retry_after_s * 1000 : 0,
        .headers = attempt->upstream_status != 0 ? &attempt->rate : NULL,
        .was_sent = attempt->timings.sent_at_ns != 0 || attempt->upstream_status != 0,
    };
    struct gw_router_news news =
        gw_router_end(request->conf->router, attempt->group, &attempt->choice, &report,
                      gw_loop_now_ms(request->core->loop));
    tell(attempt, &news);
    gw_line_wake(request->core, request->conf);
}

void gw_attempt_cancel(struct gw_attempt *attempt)
{
    if (attempt->exchange != NULL) { /* what was sent the provider counts, however it ends */
        attempt->timings = *gw_exchange_timings(attempt->exchange);
    }
    gw_exchange_cancel(&attempt->exchange);
    gw_demo_cancel(&attempt->demo);
}
