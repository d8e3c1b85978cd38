/* SPDX-License-Identifier: MIT */
/* core/plan - what is sent to a provider: the client's own bytes where it speaks the client's
 * dialect, a translation where it does not. */
#include "base/clock.h"
#include "core/core_int.h"
#include "llm/notes.h"
#include "provider/forward.h"
#include "json/splice.h"

struct gw_inbound gw_request_inbound(const struct gw_request *request)
{
    const struct gw_request_head *head = request->pair->head;
    return (struct gw_inbound){.path = request->route.path,
                               .query = request->query,
                               .body = gw_buf_str(&request->body),
                               .headers = head->headers,
                               .header_count = head->header_count};
}

/* Is the answer read on its way? Then no content coding may hide it. */
static bool is_read(enum gw_task task)
{
    return task != GW_TASK_PASS && task != GW_TASK_SPEECH;
}

/* ---- body ---- */

static enum gw_err plan_runs(struct gw_request *request, const struct gw_json_splice *splice,
                             struct gw_exchange_request *exchange)
{
    struct gw_str *runs = gw_arena_try_alloc(&request->arena, GW_JSON_MAX_RUNS * sizeof(*runs));
    if (runs == NULL) {
        return GW_ERR_NOMEM;
    }
    exchange->body_run_count = gw_json_splice_runs(splice, runs);
    exchange->body_runs = runs;
    return GW_OK;
}

/* The client's bytes with what must change patched in. */
static enum gw_err plan_verbatim(struct gw_request *request, struct gw_provider_call *call,
                                 struct gw_exchange_request *exchange, struct gw_notes *notes)
{
    const struct gw_request_head *head = request->pair->head;
    struct gw_str body = gw_buf_str(&request->body);
    struct gw_json_splice splice;
    struct gw_provider_input input = {.deployment = request->attempt->deployment,
                                      .upstream_model = request->attempt->upstream_model,
                                      .request = &request->llm,
                                      .client_fields = head->headers,
                                      .client_field_count = head->header_count,
                                      .arena = &request->arena,
                                      .notes = notes};
    gw_json_splice_init(&splice, body);
    enum gw_err err = request->attempt->api->patch(&input, request->route.path, request->query,
                                                   body, &splice, call);
    request->attempt->usage_injected = call->usage_injected;
    exchange->method = head->method_text;
    if (err != GW_OK || request->is_streamed_up) {
        return err;
    }
    return plan_runs(request, &splice, exchange);
}

enum gw_err gw_plan_make_translation(struct gw_request *request)
{
    if (request->attempt->translation != NULL) {
        return GW_OK;
    }
    struct gw_translation_opts opts = {
        .dialect = request->dialect,
        .request = &request->llm,
        .encoder = {.model = request->llm.model,
                    .request_id = gw_stored_id(request),
                    .created_s = request->started_wall_ms / 1000},
        .arena = &request->arena,
        .facts = &request->facts,
        .recovery = &request->recovery,
    };
    request->attempt->translation = gw_translation_create(&opts);
    return request->attempt->translation != NULL ? GW_OK : GW_ERR_NOMEM;
}

enum gw_err gw_plan_translation(struct gw_request *request, const struct gw_provider_api *api,
                                struct gw_provider_call **call, struct gw_error *error)
{
    struct gw_inbound in = gw_request_inbound(request);
    bool is_stored = request->llm.task == GW_TASK_RESPONSE && request->llm.is_stored;
    enum gw_err err = is_stored ? gw_stored_prepare(request) : GW_OK;
    if (err == GW_OK) {
        err = gw_plan_make_translation(request);
    }
    if (err == GW_OK) {
        err =
            gw_translation_encode(request->attempt->translation, api, request->attempt->deployment,
                                  request->attempt->upstream_model, &in, error);
    }
    *call = err == GW_OK ? gw_translation_call(request->attempt->translation) : NULL;
    return err;
}

static enum gw_err plan_translated(struct gw_request *request, struct gw_provider_call **call,
                                   struct gw_exchange_request *exchange, struct gw_error *error)
{
    struct gw_str *run = gw_arena_try_alloc(&request->arena, sizeof(*run));
    if (run == NULL) {
        return GW_ERR_NOMEM;
    }
    enum gw_err err = gw_plan_translation(request, request->attempt->api, call, error);
    if (err != GW_OK) {
        return err;
    }
    *run = gw_buf_str(&(*call)->body);
    exchange->method = (*call)->method;
    exchange->body_runs = run;
    exchange->body_run_count = 1;
    return GW_OK;
}

/* ---- all of it ---- */

enum gw_err gw_plan_unsigned(struct gw_request *request, struct gw_exchange_request *exchange,
                             struct gw_provider_call **call, struct gw_notes *notes)
{
    struct gw_error *error = notes->error;
    bool is_verbatim =
        !gw_continue_is_on(request) &&
        (request->route.kind != GW_ROUTE_JSON ||
         request->attempt->api->speaks(request->attempt->deployment, request->llm.dialect,
                                       request->llm.task, request->attempt->upstream_model));
    request->attempt->is_verbatim = is_verbatim;
    request->attempt->delivery = is_verbatim ? GW_DELIVERY_RELAY : GW_DELIVERY_TRANSLATED;
    return is_verbatim ? plan_verbatim(request, *call, exchange, notes)
                       : plan_translated(request, call, exchange, error);
}

enum gw_err gw_plan_fields(struct gw_request *request, const struct gw_provider_call *call,
                           struct gw_exchange_request *exchange)
{
    struct gw_forward_opts fields = {.client =
                                         request->attempt->is_verbatim ? request->pair->head : NULL,
                                     .deployment = request->attempt->deployment,
                                     .call = call,
                                     .request_id = request->id,
                                     .wants_identity = is_read(request->llm.task)};
    return gw_forward_fields(&fields, &request->arena, &exchange->headers, &exchange->header_count);
}

enum gw_err gw_plan_exchange(struct gw_request *request, struct gw_exchange_request *exchange,
                             struct gw_error *error)
{
    struct gw_provider_call verbatim = {.method = GW_STR("")};
    struct gw_provider_call *call = &verbatim;
    struct gw_notes notes;
    gw_notes_init(&notes, &request->arena, request->attempt->deployment->drops_params, error);
    enum gw_err err = gw_plan_unsigned(request, exchange, &call, &notes);
    if (err != GW_OK) {
        return err;
    }
    struct gw_authorize_input authorize = {
        .deployment = request->attempt->deployment,
        .credential = gw_attempt_credential(request->attempt),
        .host = request->attempt->deployment->origin->host_header,
        .body_runs = exchange->body_runs,
        .body_run_count = exchange->body_run_count,
        .now_ms = gw_clock_wall_ms(),
        .arena = &request->arena,
    };
    err = request->attempt->api->authorize(&authorize, call);
    if (err == GW_OK) {
        exchange->target = call->target;
        err = gw_plan_fields(request, call, exchange);
    }
    return err;
}
