/* SPDX-License-Identifier: MIT */
/* core/mirror - a copy of a request goes to another model; nobody sees its answer. It lives on its
 * own: the request may be over before it. */
#include "base/alloc.h"
#include "base/log.h"
#include "core/core_int.h"
#include "policy/affinity.h"

#define PERMILLE 1000u
/* Of one worker, under way: a mirror that stands still must not take the gateway's memory and
 * descriptors with it. Ten seconds of a hundred copies per second, which is a busy mirror. */
#define COPIES_MAX 1000u
/* Of their bodies together. */
#define COPIES_MAX_BYTES (64u * 1024 * 1024)

struct mirror {
    struct gw_list node; /* in core->mirrors */
    struct gw_core *core;
    struct gw_conf *conf;
    struct gw_exchange *exchange;
    size_t group;
    struct gw_router_choice choice;
    struct gw_buf body; /* its own: the request's is gone before it is sent */
    struct gw_str run;
    struct gw_deferred release;
    unsigned status;
};

static void on_release(struct gw_deferred *release)
{
    struct mirror *mirror = GW_CONTAINER_OF(release, struct mirror, release);
    gw_buf_fini(&mirror->body);
    gw_conf_release(&mirror->conf);
    gw_free(mirror);
}

/* |was_sent|: its provider counts it. */
static void finish(struct mirror *mirror, enum gw_router_outcome outcome, bool was_sent)
{
    struct gw_core *core = mirror->core;
    struct gw_router_report report = {.outcome = outcome, .was_sent = was_sent};
    (void)gw_router_end(mirror->conf->router, mirror->group, &mirror->choice, &report,
                        gw_loop_now_ms(core->loop));
    gw_line_wake(core, mirror->conf);
    core->mirror_count--;
    core->mirror_bytes -= mirror->body.len;
    gw_list_unlink(&mirror->node);
    gw_loop_defer(mirror->core->loop, &mirror->release);
}

static bool was_sent(const struct mirror *mirror)
{
    return gw_exchange_timings(mirror->exchange)->sent_at_ns != 0;
}

static void on_response(void *user, const struct gw_response_head *head)
{
    struct mirror *mirror = user;
    mirror->status = head->status;
}

static void on_body(void *user, struct gw_str bytes)
{
    (void)user;
    (void)bytes;
}

static void on_end(void *user)
{
    struct mirror *mirror = user;
    finish(mirror, mirror->status >= 500 ? GW_ROUTER_FAILED : GW_ROUTER_NEUTRAL, true);
}

static void on_error(void *user, const struct gw_exchange_failure *failure)
{
    struct mirror *mirror = user;
    gw_log_debug("core", "a mirrored request failed during %s",
                 gw_exchange_phase_text(failure->phase));
    finish(mirror, GW_ROUTER_FAILED, was_sent(mirror));
}

static const struct gw_exchange_events mirror_events = {
    .on_response = on_response, .on_body = on_body, .on_end = on_end, .on_error = on_error};

/* The body that was planned, as one piece of the mirror's own. */
static enum gw_err keep_body(struct mirror *mirror, struct gw_exchange_request *exchange)
{
    enum gw_err err = GW_OK;
    for (size_t i = 0; i < exchange->body_run_count && err == GW_OK; i++) {
        err = gw_buf_append(&mirror->body, exchange->body_runs[i]);
    }
    mirror->core->mirror_bytes += mirror->body.len;
    mirror->run = gw_buf_str(&mirror->body);
    exchange->body_runs = &mirror->run;
    exchange->body_run_count = mirror->run.len > 0 ? 1 : 0;
    return err;
}

/* With the mirror's deployment as the current attempt: what is sent, and on its way. */
static enum gw_err send_copy(struct gw_request *request, struct mirror *mirror)
{
    struct gw_attempt *attempt = request->attempt;
    struct gw_error error = {0};
    attempt->api = gw_api_for(attempt->deployment, attempt->upstream_model, &request->llm);
    if (attempt->api == NULL) {
        return GW_ERR_INVALID;
    }
    struct gw_exchange_request exchange = gw_exchange_prepare(request, false);
    enum gw_err err = gw_plan_exchange(request, &exchange, &error);
    err = err == GW_OK ? keep_body(mirror, &exchange) : err;
    return err == GW_OK ? gw_exchange_start(&exchange, &mirror_events, mirror, &mirror->exchange)
                        : err;
}

/* Is this request among those that are copied? Uploads and stored responses never are. */
static bool is_mirrored(const struct gw_request *request)
{
    const struct gw_mirror_policy *policy = &request->group->routing->mirror;
    if (policy->model.len == 0 || request->route.kind != GW_ROUTE_JSON ||
        gw_request_is_kept(request)) {
        return false;
    }
    return request->ask.affinity != 0
               ? gw_affinity_is_mirrored(request->ask.affinity, policy->permille)
               : gw_rng_below(gw_loop_rng(request->core->loop), PERMILLE) < policy->permille;
}

static void start(struct gw_request *request)
{
    struct mirror *mirror = gw_try_alloc(sizeof(*mirror));
    if (mirror == NULL) {
        return;
    }
    *mirror = (struct mirror){.core = request->core,
                              .conf = gw_conf_acquire(request->conf),
                              .group = request->group->index};
    gw_buf_init(&mirror->body, request->conf->snapshot->downstream.max_body_bytes * 2);
    gw_deferred_init(&mirror->release, on_release);
    gw_list_init(&mirror->node);
    gw_list_append(&request->core->mirrors, &mirror->node);
    request->core->mirror_count++;
    mirror->choice = request->attempt->choice;
    request->attempt->is_picked = false; /* its end is the mirror's to tell */
    enum gw_err err = send_copy(request, mirror);
    if (err != GW_OK) {
        gw_log_debug("core", "request " GW_STR_FMT " is not mirrored: %s", GW_STR_ARG(request->id),
                     gw_err_text(err));
        finish(mirror, GW_ROUTER_NEUTRAL, false);
    }
}

static bool has_room(const struct gw_request *request)
{
    const struct gw_core *core = request->core;
    return core->mirror_count < COPIES_MAX &&
           core->mirror_bytes + request->body.len <= COPIES_MAX_BYTES;
}

void gw_mirror_request(struct gw_request *request)
{
    struct gw_str suffix = {0};
    if (request->exchange_count > 1 || !is_mirrored(request) || !has_room(request)) {
        return;
    }
    const struct gw_model_group *target = gw_catalog_find(
        request->conf->snapshot->catalog, request->group->routing->mirror.model, &suffix);
    if (target == NULL || target->deployment_count == 0) {
        return;
    }
    /* The planning functions look at the current attempt and group. */
    struct gw_attempt *attempt = request->attempt;
    const struct gw_model_group *group = request->group;
    struct gw_str group_model = request->group_model;
    struct gw_str group_suffix = request->suffix;
    struct gw_attempt shadow = {.request = request};
    request->attempt = &shadow;
    request->group_model = group->routing->mirror.model;
    request->group = target;
    request->suffix = suffix;
    struct gw_router_ask ask = request->ask;
    request->ask.tried = (struct gw_router_set){0};
    if (gw_attempt_pick(request) == GW_OK) {
        start(request);
    }
    gw_translation_destroy(&shadow.translation);
    request->ask = ask;
    request->attempt = attempt;
    request->group = group;
    request->group_model = group_model;
    request->suffix = group_suffix;
}

void gw_mirror_cancel_all(struct gw_core *core)
{
    GW_LIST_FOREACH(&core->mirrors, node)
    {
        struct mirror *mirror = GW_CONTAINER_OF(node, struct mirror, node);
        bool is_counted = was_sent(mirror);
        gw_exchange_cancel(&mirror->exchange);
        finish(mirror, GW_ROUTER_NEUTRAL, is_counted);
    }
}
