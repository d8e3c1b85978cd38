/* SPDX-License-Identifier: MIT */
/* core/local - what the gateway tells about itself: index, health, models. */
#include "base/assert.h"
#include "base/clock.h"
#include "core/core_int.h"
#include "dialect/ollama.h"
#include "gw_version.h"
#include "http/url.h"

/* A list of some 50,000 models, with all that can be known of each. */
#define LOCAL_BODY_MAX_BYTES (32u * 1024 * 1024)

static void write_index(struct gw_request *request, struct gw_buf *out)
{
    (void)request;
    (void)gw_buf_append(
        out,
        GW_STR("{\"name\":\"gatewire\",\"version\":\"" GW_VERSION "\","
               "\"message\":\"LLM gateway. Point your client's base_url here.\",\"endpoints\":{"
               "\"chat\":\"/v1/chat/completions\",\"completions\":\"/v1/completions\","
               "\"responses\":\"/v1/responses\",\"embeddings\":\"/v1/embeddings\","
               "\"messages\":\"/v1/messages\",\"gemini\":\"/v1beta/models\","
               "\"ollama\":\"/api/chat\",\"models\":\"/v1/models\","
               "\"health\":\"/health\",\"ready\":\"/ready\","
               "\"live\":\"/live\"}}"));
}

static void write_health(struct gw_request *request, struct gw_buf *out)
{
    uint64_t uptime_s = (gw_clock_wall_ms() - request->core->started_wall_ms) / 1000;
    (void)gw_buf_appendf(out,
                         "{\"status\":\"ok\",\"version\":\"" GW_VERSION
                         "\",\"uptime_seconds\":%llu,\"draining\":%s}",
                         (unsigned long long)uptime_s,
                         request->core->is_draining ? "true" : "false");
}

static enum gw_step refuse_unknown(struct gw_request *request, struct gw_str name)
{
    struct gw_error error = {
        .class = GW_ERROR_CLIENT,
        .status = 404,
        .code = GW_STR("model_not_found"),
        .param = GW_STR("model"),
        .message = gw_arena_printf(&request->arena, "The model '" GW_STR_FMT "' does not exist.",
                                   GW_STR_ARG(gw_quoted(name)))};
    return gw_request_fail(request, &error);
}

static enum gw_step answer(struct gw_request *request, unsigned status,
                           void (*write)(struct gw_request *request, struct gw_buf *out))
{
    struct gw_buf body;
    gw_buf_init(&body, LOCAL_BODY_MAX_BYTES);
    write(request, &body);
    gw_respond_json(request, body.err == GW_OK ? status : 500, gw_buf_str(&body), NULL, 0);
    gw_buf_fini(&body);
    gw_request_set_state(request, GW_REQUEST_SETTLE);
    return GW_STEP_GO;
}

static enum gw_step answer_model(struct gw_request *request)
{
    struct gw_str suffix;
    request->group = gw_catalog_find(request->conf->snapshot->catalog, request->llm.model, &suffix);
    if (request->group == NULL) {
        return refuse_unknown(request, request->llm.model);
    }
    return answer(request, 200, gw_models_write_one);
}

static enum gw_step answer_path_model(struct gw_request *request)
{
    struct gw_str written = request->route.path_model;
    char *name = gw_arena_try_alloc(&request->arena, written.len);
    size_t len = 0;
    if (name == NULL || gw_url_decode(written, name, written.len, &len) != GW_OK ||
        len > GW_MODEL_NAME_MAX) {
        return refuse_unknown(request, written);
    }
    request->llm.model = gw_str(name, len);
    return answer_model(request);
}

static void write_ready(struct gw_request *request, struct gw_buf *out)
{
    (void)gw_buf_append(
        out, request->core->is_draining
                 ? GW_STR("{\"status\":\"not_ready\",\"error\":\"the gateway is draining\"}")
                 : GW_STR("{\"status\":\"ready\"}"));
}

static void write_live(struct gw_request *request, struct gw_buf *out)
{
    (void)request;
    (void)gw_buf_append(out, GW_STR("{\"status\":\"ok\"}"));
}

static void write_version(struct gw_request *request, struct gw_buf *out)
{
    (void)request;
    gw_ollama_write_version(out);
}

enum gw_step gw_local_answer(struct gw_request *request)
{
    switch (request->route.local) {
    case GW_LOCAL_INDEX:
        return answer(request, 200, write_index);
    case GW_LOCAL_HEALTH:
        return answer(request, 200, write_health);
    case GW_LOCAL_READY:
        return answer(request, request->core->is_draining ? 503 : 200, write_ready);
    case GW_LOCAL_LIVE:
        return answer(request, 200, write_live);
    case GW_LOCAL_MODELS:
        return answer(request, 200, gw_models_write_all);
    case GW_LOCAL_MODEL:
        return answer_path_model(request);
    case GW_LOCAL_SHOW:
        return answer_model(request);
    case GW_LOCAL_VERSION:
        return answer(request, 200, write_version);
    case GW_LOCAL_NONE:
        break;
    }
    GW_UNREACHABLE("a local route has an answer");
}
