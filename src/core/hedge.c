/* SPDX-License-Identifier: MIT */
/* core/hedge - a second exchange when the first takes unusually long: the first to answer wins, the
 * other is cancelled. */
#include "policy/hedge.h"

#include "base/log.h"
#include "core/core_int.h"

static struct gw_attempt *spare_of(struct gw_request *request)
{
    return request->attempt == &request->attempts[0] ? &request->attempts[1]
                                                     : &request->attempts[0];
}

/* The current deployment is asked already. */
static struct gw_router_ask ask_for_other(const struct gw_request *request)
{
    struct gw_router_ask ask = request->ask;
    gw_router_set_add(&ask.tried, request->attempt->choice.member);
    ask.affinity = 0;
    return ask;
}

static bool has_other(const struct gw_request *request)
{
    struct gw_router_ask ask = ask_for_other(request);
    return gw_attempt_is_possible(request, &ask);
}

void gw_hedge_plan(struct gw_request *request)
{
    const struct gw_hedge_policy *policy = &request->group->routing->hedge;
    if (!policy->is_on || request->exchange_count > 1) {
        return;
    }
    struct gw_group_state *group = request->conf->groups[request->group->index];
    const struct gw_deployment_state *state =
        request->conf->members[request->group->index][request->attempt->choice.member];
    struct gw_hedge_facts facts = {
        .task = request->llm.task,
        .is_stored = gw_request_is_kept(request),
        .is_streamed_up = request->is_streamed_up,
        .has_other = has_other(request),
    };
    gw_hedge_note_request(policy, &group->hedges);
    uint64_t delay_ms = gw_hedge_delay_ms(policy, &facts, &state->first_byte);
    if (delay_ms > 0) {
        gw_request_wait(request, GW_REQUEST_WAIT_HEDGE, delay_ms);
    }
}

/* The second exchange cannot be made: the first goes on alone. */
static void stay(struct gw_request *request, struct gw_attempt *first)
{
    gw_attempt_end(request->attempt, &(struct gw_error){.class = GW_ERROR_CANCELLED});
    request->attempt = first;
}

void gw_hedge_start(struct gw_request *request)
{
    struct gw_group_state *group = request->conf->groups[request->group->index];
    struct gw_attempt *first = request->attempt;
    gw_attempt_ask_now(request);
    struct gw_router_ask ask = request->ask;
    struct gw_error error = {0};
    bool is_planned = false;
    if (!has_other(request) || !gw_hedge_may_start(&group->hedges)) {
        return;
    }
    request->ask = ask_for_other(request);
    request->attempt = spare_of(request);
    enum gw_err err = gw_attempt_pick(request);
    request->ask = ask;
    if (err != GW_OK) {
        stay(request, first);
        return;
    }
    request->attempt->api =
        gw_api_for(request->attempt->deployment, request->attempt->upstream_model, &request->llm);
    err = request->attempt->api != NULL ? gw_exchange_begin(request, false, &error, &is_planned)
                                        : GW_ERR_INVALID;
    if (err != GW_OK) {
        gw_log_debug("core", "request " GW_STR_FMT ": no second exchange: %s",
                     GW_STR_ARG(request->id), gw_err_text(err));
        stay(request, first);
        return;
    }
    atomic_fetch_add_explicit(&group->hedges_total, 1, memory_order_relaxed);
    request->exchange_count++;
    request->rival = first;
}

/* Makes the other of the two the current one, and the only one. */
static void go_on_without(struct gw_attempt *loser)
{
    struct gw_request *request = loser->request;
    request->attempt = loser == request->attempt ? request->rival : request->attempt;
    request->rival = NULL;
    gw_attempt_cancel(loser);
}

bool gw_hedge_on_response(struct gw_attempt *attempt, const struct gw_response_head *head)
{
    struct gw_request *request = attempt->request;
    if (request->wait == GW_REQUEST_WAIT_HEDGE) {
        gw_request_stop_waiting(request);
    }
    if (request->rival == NULL) {
        return true;
    }
    if (head->status < 400) {
        struct gw_attempt *loser = attempt == request->attempt ? request->rival : request->attempt;
        go_on_without(loser);
        gw_attempt_end(loser, &(struct gw_error){.class = GW_ERROR_CANCELLED});
        return true;
    }
    struct gw_error error = {.upstream_status = head->status};
    gw_provider_explain_status(head->status, head->headers, head->header_count, &error);
    error.message = gw_arena_printf(&request->arena, "answered with status %u", head->status);
    (void)gw_hedge_on_failure(attempt, &error);
    return false;
}

bool gw_hedge_on_failure(struct gw_attempt *attempt, const struct gw_error *error)
{
    struct gw_request *request = attempt->request;
    if (request->rival == NULL) {
        if (request->wait == GW_REQUEST_WAIT_HEDGE) {
            gw_request_stop_waiting(request);
        }
        return false;
    }
    go_on_without(attempt);
    gw_attempt_failed(attempt, error);
    return true;
}
