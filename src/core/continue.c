/* SPDX-License-Identifier: MIT */
/*
 * core/continue - a stream that breaks off behind its first byte goes on from another deployment:
 *
 *   failure -> may it go on? -> who can? -> EXCHANGE, translated, with what the client has as the
 *   beginning of the answer -> its events go into the stream that the client is reading
 *
 * A stream of which the client has nothing but signs of life begins anew instead.
 */
#include "base/log.h"
#include "core/core_int.h"
#include "llm/continuation.h"

/* ---- taking notes ---- */

static bool is_wanted(const struct gw_request *request)
{
    const struct gw_group_routing *routing =
        request->group != NULL ? request->group->routing : NULL;
    return routing != NULL &&
           (routing->recovers_streams || routing->slow_stream.floor_tokens_per_s > 0);
}

/* Verbatim answers in these dialects can go on in the gateway's own words: whatever stands in their
 * events beside the text is known from the first one. */
static bool can_resume(const struct gw_request *request)
{
    return request->llm.task == GW_TASK_CHAT && request->attempt->api != NULL &&
           (request->llm.dialect == GW_DIALECT_OPENAI ||
            request->llm.dialect == GW_DIALECT_ANTHROPIC);
}

static void read_along(struct gw_request *request)
{
    struct gw_decoder_opts opts = {.mode = GW_DECODE_STREAM,
                                   .content_type = GW_STR("text/event-stream"),
                                   .upstream_model = request->attempt->upstream_model};
    gw_recovery_read_along(request->recovery, request->attempt->api, &opts);
}

void gw_continue_watch(struct gw_request *request)
{
    bool is_verbatim = request->attempt->delivery != GW_DELIVERY_TRANSLATED;
    if (gw_continue_is_on(request) || !request->llm.is_stream || !is_wanted(request) ||
        request->route.kind != GW_ROUTE_JSON || (is_verbatim && !can_resume(request))) {
        return;
    }
    if (request->recovery == NULL) {
        request->recovery = gw_recovery_create(true);
    }
    if (request->recovery != NULL && is_verbatim) {
        read_along(request);
    }
    if (request->recovery != NULL) {
        gw_slow_guard(request);
    }
}

void gw_continue_watch_beginning(struct gw_request *request)
{
    if (request->recovery == NULL) {
        request->recovery = gw_recovery_create(false);
        if (request->recovery != NULL) {
            request->recovery->has_start = gw_translation_has_start(request->attempt->translation);
        }
    }
}

/* ---- may it go on? ---- */

static bool is_in_time(const struct gw_request *request)
{
    uint64_t deadline_ms = request->asked_group->routing->retry.deadline_ms;
    return deadline_ms == 0 ||
           gw_loop_now_ms(request->core->loop) < request->retry.begun_at_ms + deadline_ms;
}

/* A group may want only its slow streams to be moved. */
static bool is_group_willing(const struct gw_request *request)
{
    const struct gw_recovery *recovery = request->recovery;
    return recovery->is_moved || !recovery->has_output || gw_continue_is_on(request) ||
           (request->group != NULL && request->group->routing->recovers_streams);
}

bool gw_continue_can(struct gw_request *request, const struct gw_error *error)
{
    return request->recovery != NULL && request->has_begun && request->pair != NULL &&
           request->asked_group != NULL && !request->retry.is_off &&
           (error->is_retryable || error->can_fallback || gw_continue_is_on(request)) &&
           gw_recovery_is_possible(request->recovery) && is_group_willing(request) &&
           is_in_time(request);
}

/* The neutral request, when it is one that can be continued. */
static bool find_chat(struct gw_request *request, yyjson_val **chat)
{
    struct gw_inbound in = gw_request_inbound(request);
    struct gw_error error = {0};
    return gw_plan_make_translation(request) == GW_OK &&
           gw_translation_chat(request->attempt->translation, &in, chat, &error) == GW_OK &&
           gw_recovery_allows(*chat);
}

/* The encoder, where the client got the provider's own bytes so far. */
static bool has_stream(struct gw_request *request)
{
    struct gw_translation *translation = request->attempt->translation;
    return gw_translation_has_stream(translation) || gw_translation_resume(translation) == GW_OK;
}

/* ---- who can go on ---- */

static struct gw_continuation_target target_of(const struct gw_deployment *deployment,
                                               struct gw_str model)
{
    return (struct gw_continuation_target){
        .provider = deployment->provider_name, .base_path = deployment->base_path, .model = model};
}

static bool can_serve(const struct gw_request *request, const struct gw_deployment *deployment,
                      yyjson_val *chat)
{
    char name[2 * GW_MODEL_NAME_MAX];
    struct gw_str model;
    if (gw_deployment_model(deployment, request->suffix, name, sizeof(name), &model) != GW_OK) {
        return false;
    }
    model = model.len > 0 ? model : request->group_model;
    struct gw_continuation_target target = target_of(deployment, model);
    return gw_api_for(deployment, model, &request->llm) != NULL &&
           (request->recovery->text.len == 0 || gw_continuation_is_possible(&target, chat));
}

/* One of the group's deployments that can go on becomes the current attempt. */
static bool pick_in_group(struct gw_request *request, yyjson_val *chat)
{
    const struct gw_model_group *group = request->group;
    for (size_t i = 0; i < group->deployment_count; i++) {
        if (!can_serve(request, group->deployments[i], chat)) {
            gw_router_set_add(&request->ask.tried, i);
        }
    }
    return gw_attempt_pick(request) == GW_OK;
}

/* Somebody of the group who could take over at once. */
static bool has_taker(struct gw_request *request, yyjson_val *chat)
{
    const struct gw_model_group *group = request->group;
    for (size_t i = 0; i < group->deployment_count; i++) {
        struct gw_router_reason reason =
            gw_router_explain(request->conf->router, group->index, i, &request->ask);
        if (i != request->attempt->choice.member && reason.skip == GW_ROUTER_SKIP_NONE &&
            can_serve(request, group->deployments[i], chat)) {
            return true;
        }
    }
    return false;
}

bool gw_continue_can_move(struct gw_request *request)
{
    struct gw_recovery *recovery = request->recovery;
    yyjson_val *chat = NULL;
    gw_attempt_ask_now(request);
    bool is_possible = !request->retry.is_off && !recovery->is_off &&
                       gw_recovery_is_possible(recovery) && is_in_time(request) &&
                       find_chat(request, &chat) && has_taker(request, chat);
    if (!is_possible) {
        return false;
    }
    if (!request->has_begun) { /* an ordinary retry, if there is one left */
        return gw_retry_can_move(&request->retry, request->retry_policy, GW_FAILURE_TIMEOUT,
                                 request->ask.now_ms);
    }
    recovery->is_moved =
        gw_allowance_try_take(&request->conf->groups[request->asked_group->index]->retries);
    return recovery->is_moved;
}

static bool is_visited(const struct gw_retry_state *retry, uint32_t group)
{
    for (unsigned i = 0; i < retry->group_count; i++) {
        if (retry->groups[i] == group) {
            return true;
        }
    }
    return false;
}

static bool pick_in_fallbacks(struct gw_request *request, yyjson_val *chat)
{
    const struct gw_fallbacks *fallbacks = NULL;
    struct gw_retry_state *retry = &request->retry;
    if (retry->is_fallback_off || gw_chain_find(request, &fallbacks) != GW_OK) {
        return false;
    }
    for (size_t i = 0; fallbacks != NULL && i < fallbacks->general.count; i++) {
        uint32_t group = fallbacks->general.groups[i];
        if (is_visited(retry, group) || retry->group_count == GW_RETRY_GROUPS_MAX) {
            continue;
        }
        retry->groups[retry->group_count++] = group;
        gw_chain_enter(request, group);
        if (pick_in_group(request, chat)) {
            return true;
        }
    }
    return false;
}

/* The translation, which holds the client's stream, goes over to the next attempt. */
static bool pick(struct gw_request *request, yyjson_val *chat)
{
    struct gw_attempt *attempt = request->attempt;
    struct gw_translation *translation = attempt->translation;
    attempt->translation = NULL;
    bool is_picked = pick_in_group(request, chat) || pick_in_fallbacks(request, chat);
    attempt->translation = translation;
    return is_picked;
}

/* ---- going on ---- */

/* What the broken exchange used, as far as anybody can know. */
static struct gw_usage used(const struct gw_request *request)
{
    struct gw_usage usage = request->facts.usage;
    const struct gw_token_estimates *estimates = request->core->estimates;
    struct gw_str model = request->attempt->upstream_model;
    if (request->attempt->upstream_status / 100 != 2) {
        return (struct gw_usage){0};
    }
    if (usage.input_tokens == 0) {
        usage.input_tokens = gw_token_estimates_guess(
            estimates, model, request->received_bytes + request->history_bytes);
    }
    if (usage.output_tokens == 0) {
        usage.output_tokens =
            gw_token_estimates_guess(estimates, model, request->facts.output_bytes);
    }
    usage.is_known = true;
    usage.is_estimated = true; /* its last word on it never came */
    return usage;
}

/* The client is told what broke. */
static enum gw_step give_up(struct gw_request *request, const struct gw_error *error)
{
    request->recovery->is_off = true;
    if (request->attempt->translation != NULL &&
        gw_translation_has_stream(request->attempt->translation)) {
        gw_deliver_translated_on_failure(request, error);
    } else {
        gw_deliver_on_failure(request, error);
    }
    return GW_STEP_OVER;
}

/* A stream that is moved has paid already. */
static bool has_allowance(struct gw_request *request)
{
    return request->recovery->is_moved ||
           gw_allowance_try_take(&request->conf->groups[request->asked_group->index]->retries);
}

enum gw_step gw_continue(struct gw_request *request, const struct gw_error *error)
{
    struct gw_usage usage = used(request);
    yyjson_val *chat = NULL;
    struct gw_str broken = request->attempt->deployment->id;
    if (!gw_continue_can(request, error) || !find_chat(request, &chat) || !has_stream(request) ||
        !has_allowance(request) || !pick(request, chat)) {
        return give_up(request, error);
    }
    struct gw_continuation_target target =
        target_of(request->attempt->deployment, request->attempt->upstream_model);
    gw_recovery_continue(request->recovery, &usage, gw_continuation_repeats(&target));
    gw_counter_add(&request->core->counters->stream_recoveries_total, 1);
    gw_log_info("core",
                "request " GW_STR_FMT ": the stream of '" GW_STR_FMT
                "' broke off behind %zu bytes of text; '" GW_STR_FMT "' goes on",
                GW_STR_ARG(request->id), GW_STR_ARG(broken), request->recovery->text.len,
                GW_STR_ARG(request->attempt->deployment->id));
    request->error = (struct gw_error){0};
    gw_request_set_state(request, GW_REQUEST_EXCHANGE);
    return GW_STEP_GO;
}

bool gw_continue_tell(struct gw_request *request, const struct gw_error *error)
{
    struct gw_translation *translation = request->attempt->translation;
    if (!gw_continue_is_on(request) || translation == NULL ||
        !gw_translation_has_stream(translation)) {
        return false;
    }
    gw_translation_fail(translation, error);
    struct gw_str output = gw_translation_output(translation);
    if (output.len == 0 || gw_downstream_write(request->pair, output) != GW_OK) {
        return false;
    }
    request->sent_bytes += output.len;
    gw_downstream_end(request->pair);
    return true;
}
