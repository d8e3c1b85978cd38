/* SPDX-License-Identifier: MIT */
/* core/route - from the model's name to a deployment. */
#include "core/core_int.h"
#include "provider/provider.h"

#define DEFAULT_PROVIDER "openai" /* whose surface the pass-through routes are */

static enum gw_step refuse_unknown_model(struct gw_request *request)
{
    struct gw_str close[GW_CATALOG_CLOSE_NAMES];
    size_t count =
        gw_catalog_close_names(request->conf->snapshot->catalog, request->llm.model, close);
    struct gw_buf text;
    gw_buf_init(&text, 4096);
    (void)gw_buf_appendf(&text, "The model '" GW_STR_FMT "' does not exist on this gateway.",
                         GW_STR_ARG(request->llm.model));
    for (size_t i = 0; i < count; i++) {
        (void)gw_buf_appendf(&text, "%s'" GW_STR_FMT "'",
                             i == 0          ? " Did you mean "
                             : i + 1 < count ? ", "
                                             : " or ",
                             GW_STR_ARG(close[i]));
    }
    (void)gw_buf_append(&text,
                        count > 0 ? GW_STR("?") : GW_STR(" GET /v1/models lists those that do."));
    struct gw_error error = {
        .class = GW_ERROR_CLIENT,
        .status = 404,
        .code = GW_STR("model_not_found"),
        .param = GW_STR("model"),
        .message = gw_arena_printf(&request->arena, GW_STR_FMT, GW_STR_ARG(gw_buf_str(&text)))};
    gw_buf_fini(&text);
    return gw_request_fail(request, &error);
}

static enum gw_step refuse_pass(struct gw_request *request)
{
    struct gw_error error = {
        .class = GW_ERROR_CLIENT,
        .status = 404,
        .code = GW_STR("provider_not_configured"),
        .message = gw_arena_printf(
            &request->arena,
            GW_STR_FMT " is passed through to the provider '" DEFAULT_PROVIDER
                       "', and none is configured. Set OPENAI_API_KEY or add an '" DEFAULT_PROVIDER
                       "/...' model.",
            GW_STR_ARG(gw_quoted(request->path)))};
    return gw_request_fail(request, &error);
}

/* What names no model goes to the deployments of one provider. */
struct gw_router_set gw_route_left_out(const struct gw_request *request)
{
    struct gw_router_set others = {0};
    for (size_t i = 0; request->llm.model.len == 0 && i < request->group->deployment_count; i++) {
        if (!gw_str_eq(request->group->deployments[i]->provider_name, GW_STR(DEFAULT_PROVIDER))) {
            gw_router_set_add(&others, i);
        }
    }
    return others;
}

/* A body that is gone cannot be sent again, and what the provider did with an upload or a batch
 * nobody here knows. */
static bool can_repeat(const struct gw_request *request)
{
    enum gw_http_method method = request->pair->head->method;
    return !request->is_streamed_up &&
           (request->route.kind == GW_ROUTE_JSON || request->route.kind == GW_ROUTE_FORM ||
            method == GW_METHOD_GET || method == GW_METHOD_HEAD);
}

/* From the name to the group: once per request. */
enum gw_step gw_route_resolve(struct gw_request *request)
{
    const struct gw_catalog *catalog = request->conf->snapshot->catalog;
    gw_steer_auto(request);
    request->group_model = request->llm.model;
    if (request->llm.model.len ==
        0) { /* pass-through, or a task whose provider has a default model */
        request->group = gw_catalog_first_of(catalog, GW_STR(DEFAULT_PROVIDER));
        if (request->group == NULL) {
            return refuse_pass(request);
        }
        request->ask.tried = gw_route_left_out(request);
    } else {
        request->group = gw_catalog_find(catalog, request->llm.model, &request->suffix);
        if (request->group == NULL || request->group->deployment_count == 0) {
            request->group = NULL;
            return refuse_unknown_model(request);
        }
    }
    request->asked_group = request->group;
    struct gw_group_state *state = request->conf->groups[request->group->index];
    struct gw_allowance unused;
    gw_allowance_init(&unused);
    if (!request->is_dry_run) {
        enum gw_strategy strategy = gw_conf_strategy(request->conf, request->group);
        atomic_fetch_add_explicit(&state->requests_total[strategy], 1, memory_order_relaxed);
    }
    request->retry_policy = &request->group->routing->retry;
    gw_retry_begin(&request->retry, request->retry_policy,
                   request->is_dry_run ? &unused : &state->retries, (uint32_t)request->group->index,
                   gw_loop_now_ms(request->core->loop));
    request->retry.is_off = !can_repeat(request);
    request->retry.is_fallback_off = request->llm.model.len == 0;
    return gw_steer(request);
}

enum gw_step gw_state_route(struct gw_request *request)
{
    if (request->asked_group == NULL) {
        enum gw_step step = gw_route_resolve(request);
        if (step != GW_STEP_GO || request->state != GW_REQUEST_ROUTE) {
            return step;
        }
    }
    switch (gw_line_is_ahead(request) ? GW_ERR_NOT_FOUND : gw_attempt_pick(request)) {
    case GW_OK:
        gw_line_leave(request, true);
        gw_request_set_state(request, GW_REQUEST_EXCHANGE);
        return GW_STEP_GO;
    case GW_ERR_NOT_FOUND:
        return gw_request_nobody(request);
    case GW_ERR_TOO_LARGE:
        return refuse_unknown_model(request);
    default:
        return gw_respond_no_memory(request);
    }
}
