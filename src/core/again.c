/* SPDX-License-Identifier: MIT */
/* core/again - after a failure that the client has not seen: another deployment, a pause, another
 * group, or the error that tells of all. The only place that decides about another attempt. */
#include "base/assert.h"
#include "core/core_int.h"
#include "core/redact.h"

#define WHY_BYTES     200 /* of one attempt's story in the message of all */
#define MESSAGE_BYTES 4096
#define MS_PER_S      1000

static struct gw_group_state *state_of(const struct gw_request *request)
{
    return request->conf->groups[request->group->index];
}

/* Short, in whole characters; a provider's own words without what may be a key in them. */
static struct gw_str why_of(const struct gw_attempt *attempt, const struct gw_error *error)
{
    struct gw_str why = error->message;
    bool is_cut = why.len > WHY_BYTES;
    why.len = is_cut ? WHY_BYTES : why.len;
    while (is_cut && why.len > 0 && ((unsigned char)why.ptr[why.len] & 0xc0) == 0x80) {
        why.len--;
    }
    return error->upstream_status == 0
               ? why
               : gw_redact(&attempt->request->arena, why, is_cut, gw_attempt_credential(attempt));
}

static void note_tried(struct gw_request *request, struct gw_str deployment, struct gw_str why)
{
    if (request->tried_count < GW_REQUEST_TRIED_MAX) {
        request->tried[request->tried_count] =
            (struct gw_tried){.deployment = deployment, .why = why};
    }
    request->tried_count++;
}

/* A key that rests or is refused is left out by the router itself, so that the deployment's other
 * keys are asked. */
static bool has_other_keys(const struct gw_attempt *attempt, const struct gw_error *error)
{
    enum gw_router_outcome outcome = gw_router_outcome_of(error);
    return attempt->deployment->key_count > 1 &&
           (outcome == GW_ROUTER_LIMITED || outcome == GW_ROUTER_REFUSED);
}

/* When one of the group could serve, whoever was tried. */
static uint64_t wait_ms(const struct gw_request *request)
{
    struct gw_router_ask ask = request->ask;
    ask.tried = gw_route_left_out(request);
    return gw_router_wait_ms(request->conf->router, request->group->index, &ask);
}

/* ---- the timer ---- */

static void on_timer(struct gw_timer *timer)
{
    struct gw_request *request = GW_CONTAINER_OF(timer, struct gw_request, timer);
    enum gw_request_wait wait = request->wait;
    request->wait = GW_REQUEST_WAIT_NONE;
    if (wait == GW_REQUEST_WAIT_HOLD) {
        gw_deliver_release(request);
    } else if (wait == GW_REQUEST_WAIT_SILENCE) {
        gw_deliver_translated_on_silence(request);
    } else if (wait == GW_REQUEST_WAIT_HEDGE) {
        gw_hedge_start(request);
    } else if (wait == GW_REQUEST_WAIT_LINE) {
        gw_line_look(request);
    } else {
        gw_request_run(request);
    }
}

void gw_request_wait(struct gw_request *request, enum gw_request_wait wait, uint64_t delay_ms)
{
    if (request->timer.on_expire == NULL) {
        gw_timer_init(&request->timer, request->core->loop, on_timer);
    }
    request->wait = wait;
    gw_timer_set_at(&request->timer, gw_loop_now_ms(request->core->loop) + delay_ms);
}

void gw_request_stop_waiting(struct gw_request *request)
{
    if (request->wait != GW_REQUEST_WAIT_NONE) {
        request->wait = GW_REQUEST_WAIT_NONE;
        gw_timer_clear(&request->timer);
    }
}

/* ---- the error that tells of all ---- */

static struct gw_error tell_of_all(struct gw_request *request, const struct gw_error *last)
{
    struct gw_error error = *last;
    struct gw_buf text;
    gw_buf_init(&text, MESSAGE_BYTES);
    (void)gw_buf_appendf(&text, "No deployment could answer for the model '" GW_STR_FMT "'.",
                         GW_STR_ARG(gw_quoted(request->llm.model)));
    unsigned shown =
        request->tried_count < GW_REQUEST_TRIED_MAX ? request->tried_count : GW_REQUEST_TRIED_MAX;
    for (unsigned i = 0; i < shown; i++) {
        (void)gw_buf_appendf(&text, " (%u) '" GW_STR_FMT "': " GW_STR_FMT, i + 1,
                             GW_STR_ARG(gw_quoted(request->tried[i].deployment)),
                             GW_STR_ARG(request->tried[i].why));
    }
    if (shown < request->tried_count) {
        (void)gw_buf_appendf(&text, " And %u more.", request->tried_count - shown);
    }
    if (last->is_credential) {
        (void)gw_buf_append(&text,
                            GW_STR(" The key of this request is not the reason: whoever runs "
                                   "the gateway must look at the api_key of these."));
    }
    struct gw_str message = gw_arena_try_dup(&request->arena, gw_buf_str(&text));
    gw_buf_fini(&text);
    if (message.ptr != NULL) {
        error.message = message;
    }
    return error;
}

/* ---- deciding ---- */

/* Why each deployment that was not asked could not be. */
static void note_skipped(struct gw_request *request)
{
    for (size_t i = 0; i < request->group->deployment_count; i++) {
        struct gw_router_reason reason =
            gw_router_explain(request->conf->router, request->group->index, i, &request->ask);
        if (reason.skip != GW_ROUTER_SKIP_NONE && reason.skip != GW_ROUTER_SKIP_TRIED) {
            note_tried(request, request->group->deployments[i]->id,
                       gw_str_from_c(gw_router_reason_text(&reason)));
        }
    }
}

static enum gw_step give_up(struct gw_request *request, const struct gw_error *error,
                            bool is_refused_here)
{
    if (request->asked_group != NULL) {
        atomic_fetch_add_explicit(&state_of(request)->failures_total, 1, memory_order_relaxed);
    }
    if (is_refused_here) {
        note_skipped(request);
    }
    if (is_refused_here || (request->tried_count > 1 && error->class != GW_ERROR_CLIENT)) {
        struct gw_error all = tell_of_all(request, error);
        return gw_request_fail(request, &all);
    }
    request->error = *error;
    if (!gw_withhold_release(request)) {
        return gw_request_fail(request, error);
    }
    gw_request_cancel_exchange(request);
    gw_request_set_state(request, GW_REQUEST_SETTLE);
    return GW_STEP_GO;
}

static enum gw_step carry_out(struct gw_request *request, const struct gw_retry_decision *decision)
{
    struct gw_group_state *state = state_of(request);
    gw_request_cancel_exchange(request);
    gw_deliver_reset(request);
    gw_request_set_state(request, GW_REQUEST_ROUTE);
    if (decision->forget_tried) {
        request->ask.tried = gw_route_left_out(request);
    }
    if (decision->verdict == GW_RETRY_FALLBACK) {
        atomic_fetch_add_explicit(&state->fallbacks_total, 1, memory_order_relaxed);
        gw_chain_enter(request, decision->group);
        return GW_STEP_GO;
    }
    atomic_fetch_add_explicit(&state->retries_total, 1, memory_order_relaxed);
    if (decision->delay_ms == 0) {
        return GW_STEP_GO;
    }
    gw_request_wait(request, GW_REQUEST_WAIT_RETRY, decision->delay_ms);
    return GW_STEP_WAIT;
}

/* Who is told of a limit learns when the first of the group is asked again, whatever the provider
 * that was asked last said, or did not. */
static struct gw_error with_wait(const struct gw_error *error, uint64_t wait_ms)
{
    struct gw_error told = *error;
    if (error->class == GW_ERROR_LIMIT && wait_ms > 0) {
        told.retry_after_s = (wait_ms + MS_PER_S - 1) / MS_PER_S;
    }
    return told;
}

static enum gw_step decide(struct gw_request *request, const struct gw_error *error,
                           bool is_refused_here)
{
    if (request->asked_group == NULL || request->has_begun) {
        return give_up(request, error, is_refused_here);
    }
    struct gw_retry_facts facts = {.now_ms = gw_loop_now_ms(request->core->loop),
                                   .has_untried = !is_refused_here &&
                                                  gw_attempt_is_possible(request, &request->ask),
                                   .is_refused_here = is_refused_here,
                                   .wait_ms = wait_ms(request)};
    if (gw_chain_find(request, &facts.fallbacks) != GW_OK) {
        return gw_respond_no_memory(request);
    }
    struct gw_retry_decision decision =
        gw_retry_decide(&request->retry, request->retry_policy, &state_of(request)->retries,
                        gw_loop_rng(request->core->loop), error, &facts);
    if (decision.verdict != GW_RETRY_GIVE_UP) {
        return carry_out(request, &decision);
    }
    struct gw_error told = with_wait(error, facts.wait_ms);
    return give_up(request, &told, is_refused_here);
}

void gw_attempt_failed(struct gw_attempt *attempt, const struct gw_error *error)
{
    struct gw_request *request = attempt->request;
    note_tried(request, attempt->deployment->id, why_of(attempt, error));
    if (!has_other_keys(attempt, error)) {
        gw_router_set_add(&request->ask.tried, attempt->choice.member);
    }
    gw_attempt_end(attempt, error);
}

enum gw_step gw_request_again(struct gw_request *request, const struct gw_error *error)
{
    gw_attempt_failed(request->attempt, error);
    gw_attempt_ask_now(request); /* the pick was long ago */
    if (request->has_begun && request->recovery != NULL) {
        return gw_continue(request, error);
    }
    return decide(request, error, false);
}

void gw_request_attempt_failed(struct gw_request *request, const struct gw_error *error)
{
    if (gw_request_again(request, error) == GW_STEP_GO) {
        gw_request_run(request);
    }
}

/* What waiting does not change. */
static bool is_lasting(enum gw_router_skip skip)
{
    return skip == GW_ROUTER_SKIP_TAGS || skip == GW_ROUTER_SKIP_REGION ||
           skip == GW_ROUTER_SKIP_CONTEXT;
}

/* Why nobody of the group fits the request at all; SKIP_NONE when somebody does. */
static enum gw_router_skip why_nobody_fits(const struct gw_request *request)
{
    enum gw_router_skip skip = GW_ROUTER_SKIP_NONE;
    for (size_t i = 0; i < request->group->deployment_count; i++) {
        skip =
            gw_router_explain(request->conf->router, request->group->index, i, &request->ask).skip;
        if (!is_lasting(skip)) {
            return GW_ROUTER_SKIP_NONE;
        }
    }
    return skip;
}

static enum gw_step refuse_misfit(struct gw_request *request, enum gw_router_skip skip)
{
    bool is_context = skip == GW_ROUTER_SKIP_CONTEXT;
    struct gw_error error = {
        .class = GW_ERROR_CLIENT,
        .status = 400,
        .can_fallback = true,
        .code = is_context ? GW_STR("context_length_exceeded") : GW_STR("no_matching_deployment"),
        .message = is_context ? GW_STR("the request is longer than the model's context")
                              : GW_STR("no deployment has what the request asks for")};
    return decide(request, &error, true);
}

/* Does nobody serve because the providers refuse our keys? No wait of the client's mends that. */
static bool are_keys_refused(const struct gw_request *request)
{
    bool has_refused = false;
    for (size_t i = 0; i < request->group->deployment_count; i++) {
        struct gw_router_reason reason =
            gw_router_explain(request->conf->router, request->group->index, i, &request->ask);
        bool is_refused =
            reason.skip == GW_ROUTER_SKIP_CREDENTIAL && reason.credential == GW_CREDENTIAL_REFUSED;
        if (!is_refused && !is_lasting(reason.skip) && reason.skip != GW_ROUTER_SKIP_TRIED) {
            return false;
        }
        has_refused = has_refused || is_refused;
    }
    return has_refused;
}

/* As the first request was told that met the refusal. */
static enum gw_step refuse_keys(struct gw_request *request)
{
    struct gw_error error = {.class = GW_ERROR_UPSTREAM,
                             .status = 502,
                             .is_credential = true,
                             .can_fallback = true,
                             .code = GW_STR("upstream_credential_refused"),
                             .message = GW_STR("the provider refuses the gateway's credential")};
    return decide(request, &error, true);
}

enum gw_step gw_request_nobody(struct gw_request *request)
{
    gw_attempt_ask_now(request); /* who goes behind others has not picked */
    uint64_t wait = wait_ms(request);
    enum gw_router_skip skip = why_nobody_fits(request);
    if (skip != GW_ROUTER_SKIP_NONE) {
        return refuse_misfit(request, skip);
    }
    if (gw_line_enter(request, wait)) {
        return GW_STEP_WAIT;
    }
    if (are_keys_refused(request)) {
        return refuse_keys(request);
    }
    /* Who wants requests to wait longer than for a moment makes a line for them. */
    bool is_soon = wait > 0 && wait <= request->retry_policy->patience_ms && !request->has_waited;
    wait = gw_line_retry_after_ms(request, wait);
    struct gw_error error = {.class = GW_ERROR_OVERLOADED,
                             .status = 503,
                             .retry_after_s = (wait + MS_PER_S - 1) / MS_PER_S,
                             .is_retryable = is_soon,
                             .can_fallback = true,
                             .code = GW_STR("no_deployment_available"),
                             .message = GW_STR("no deployment can serve at the moment")};
    return decide(request, &error, true);
}
