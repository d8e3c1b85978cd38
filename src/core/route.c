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

/* Weighted turns: the serial runs through the sum of the weights. */
static const struct gw_deployment *pick(struct gw_core *core, const struct gw_model_group *group)
{
    if (group->deployment_count == 1) {
        return group->deployments[0];
    }
    uint64_t total = 0;
    for (size_t i = 0; i < group->deployment_count; i++) {
        total += group->deployments[i]->weight;
    }
    uint64_t turn = core->pick_serial++ % total;
    size_t at = 0;
    while (turn >= group->deployments[at]->weight) {
        turn -= group->deployments[at]->weight;
        at++;
    }
    return group->deployments[at];
}

/* What the vendor calls the model; GW_ERR_TOO_LARGE when a pattern makes it longer than any name
 * is. */
static enum gw_err name_upstream(struct gw_request *request, struct gw_str suffix)
{
    char name[2 * GW_MODEL_NAME_MAX];
    enum gw_err err = gw_deployment_model(request->deployment, suffix, name, sizeof(name),
                                          &request->upstream_model);
    if (err == GW_OK && request->upstream_model.ptr == name) {
        request->upstream_model = gw_arena_try_dup(&request->arena, request->upstream_model);
    }
    if (err == GW_OK && request->upstream_model.len == 0) {
        request->upstream_model = request->llm.model;
    }
    return err;
}

enum gw_step gw_state_route(struct gw_request *request)
{
    const struct gw_catalog *catalog = request->conf->snapshot->catalog;
    struct gw_str suffix = {0};
    if (request->llm.model.len ==
        0) { /* pass-through, or a task whose provider has a default model */
        request->deployment = gw_catalog_first_of(catalog, GW_STR(DEFAULT_PROVIDER));
        if (request->deployment == NULL) {
            return refuse_pass(request);
        }
    } else {
        request->group = gw_catalog_find(catalog, request->llm.model, &suffix);
        if (request->group == NULL || request->group->deployment_count == 0) {
            return refuse_unknown_model(request);
        }
        request->deployment = pick(request->core, request->group);
        if (name_upstream(request, suffix) != GW_OK) {
            return refuse_unknown_model(request);
        }
    }
    gw_request_set_state(request, GW_REQUEST_EXCHANGE);
    return GW_STEP_GO;
}
