/* SPDX-License-Identifier: MIT */
/* core/plan - what is sent to a provider: the client's own bytes where it speaks the client's
 * dialect, a translation where it does not. */
#include "base/clock.h"
#include "core/core_int.h"
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

/* ---- fields ---- */

/* Where a request came from is nobody's business upstream; what browsers send for CORS means
 * nothing there. */
static bool is_dropped_id(enum gw_header_id id)
{
    switch (id) {
    case GW_HEADER_HOST:
    case GW_HEADER_CONTENT_LENGTH:
    case GW_HEADER_EXPECT:
    case GW_HEADER_FORWARDED:
    case GW_HEADER_VIA:
    case GW_HEADER_X_FORWARDED_FOR:
    case GW_HEADER_X_FORWARDED_HOST:
    case GW_HEADER_X_FORWARDED_PROTO:
    case GW_HEADER_ORIGIN:
    case GW_HEADER_ACCESS_CONTROL_REQUEST_HEADERS:
    case GW_HEADER_ACCESS_CONTROL_REQUEST_METHOD:
    case GW_HEADER_X_REQUEST_ID:
        return true;
    default:
        return gw_header_is_hop_by_hop(id) || gw_header_is_credential(id);
    }
}

static bool is_ours(struct gw_str name)
{
    return name.ptr[0] == 'x' &&
           (gw_str_has_prefix(name, GW_STR("x-gatewire-")) ||
            gw_str_has_prefix(name, GW_STR("x-litellm-")) || gw_str_eq(name, GW_STR("x-real-ip")));
}

/* Is the answer read on its way? Then no content coding may hide it. */
static bool is_read(enum gw_task task)
{
    return task != GW_TASK_PASS && task != GW_TASK_SPEECH;
}

static bool is_forwarded(const struct gw_request *request, const struct gw_header *field)
{
    if (is_dropped_id(field->id) ||
        (field->id == GW_HEADER_ACCEPT_ENCODING && is_read(request->llm.task))) {
        return false;
    }
    return field->name.len > 0 && !is_ours(field->name);
}

/* Is the client's field put by the API or the deployment instead? */
static bool is_replaced(const struct gw_header *field, const struct gw_deployment *deployment,
                        const struct gw_provider_call *call)
{
    for (size_t i = 0; i < call->field_count; i++) {
        if (gw_str_eq(field->name, call->fields[i].name)) {
            return true;
        }
    }
    for (size_t i = 0; i < deployment->extra_header_count; i++) {
        if (gw_str_eq(field->name, deployment->extra_headers[i].name)) {
            return true;
        }
    }
    return false;
}

static size_t copy_client_fields(const struct gw_request *request,
                                 const struct gw_provider_call *call, struct gw_header *fields)
{
    const struct gw_request_head *head = request->pair->head;
    /* Fields that a Connection field names belong to the connection as well. */
    bool has_options = gw_headers_have_options(head->headers, head->header_count);
    size_t count = 0;
    for (size_t i = 0; i < head->header_count; i++) {
        const struct gw_header *field = &head->headers[i];
        bool is_option =
            has_options && gw_headers_is_option(head->headers, head->header_count, field->name);
        if (!is_option && is_forwarded(request, field) &&
            !is_replaced(field, request->deployment, call)) {
            fields[count++] = *field;
        }
    }
    return count;
}

/* The client's fields (verbatim only), the API's, the deployment's own. */
static enum gw_err plan_fields(struct gw_request *request, const struct gw_provider_call *call,
                               bool is_verbatim, struct gw_exchange_request *exchange)
{
    const struct gw_deployment *deployment = request->deployment;
    size_t most =
        request->pair->head->header_count + call->field_count + 1 + deployment->extra_header_count;
    struct gw_header *fields = gw_arena_try_alloc(&request->arena, most * sizeof(*fields));
    if (fields == NULL) {
        return GW_ERR_NOMEM;
    }
    size_t count = is_verbatim ? copy_client_fields(request, call, fields) : 0;
    for (size_t i = 0; i < call->field_count; i++) {
        fields[count++] = call->fields[i];
    }
    fields[count++] = (struct gw_header){.name = gw_header_name(GW_HEADER_X_REQUEST_ID),
                                         .value = request->id,
                                         .id = GW_HEADER_X_REQUEST_ID};
    for (size_t i = 0; i < deployment->extra_header_count; i++) {
        fields[count++] = (struct gw_header){.name = deployment->extra_headers[i].name,
                                             .value = deployment->extra_headers[i].value};
    }
    exchange->headers = fields;
    exchange->header_count = count;
    return GW_OK;
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
                                 struct gw_exchange_request *exchange, struct gw_error *error)
{
    const struct gw_request_head *head = request->pair->head;
    struct gw_str body = gw_buf_str(&request->body);
    struct gw_json_splice splice;
    struct gw_notes notes;
    gw_notes_init(&notes, &request->arena, request->deployment->drops_params, error);
    struct gw_provider_input input = {.deployment = request->deployment,
                                      .upstream_model = request->upstream_model,
                                      .request = &request->llm,
                                      .client_fields = head->headers,
                                      .client_field_count = head->header_count,
                                      .arena = &request->arena,
                                      .notes = &notes};
    gw_json_splice_init(&splice, body);
    enum gw_err err =
        request->api->patch(&input, request->route.path, request->query, body, &splice, call);
    request->usage_injected = call->usage_injected;
    exchange->method = head->method_text;
    if (err != GW_OK || request->is_streamed_up) {
        return err;
    }
    return plan_runs(request, &splice, exchange);
}

static enum gw_err make_translation(struct gw_request *request)
{
    if (request->translation != NULL) {
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
    };
    request->translation = gw_translation_create(&opts);
    return request->translation != NULL ? GW_OK : GW_ERR_NOMEM;
}

enum gw_err gw_plan_translation(struct gw_request *request, const struct gw_provider_api *api,
                                struct gw_provider_call **call, struct gw_error *error)
{
    struct gw_inbound in = gw_request_inbound(request);
    bool is_stored = request->llm.task == GW_TASK_RESPONSE && request->llm.is_stored;
    enum gw_err err = is_stored ? gw_stored_prepare(request) : GW_OK;
    if (err == GW_OK) {
        err = make_translation(request);
    }
    if (err == GW_OK) {
        err = gw_translation_encode(request->translation, api, request->deployment,
                                    request->upstream_model, &in, error);
    }
    *call = err == GW_OK ? gw_translation_call(request->translation) : NULL;
    return err;
}

static enum gw_err plan_translated(struct gw_request *request, struct gw_provider_call **call,
                                   struct gw_exchange_request *exchange, struct gw_error *error)
{
    struct gw_str *run = gw_arena_try_alloc(&request->arena, sizeof(*run));
    if (run == NULL) {
        return GW_ERR_NOMEM;
    }
    enum gw_err err = gw_plan_translation(request, request->api, call, error);
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

enum gw_err gw_plan_exchange(struct gw_request *request, struct gw_exchange_request *exchange,
                             struct gw_error *error)
{
    struct gw_provider_call verbatim = {.method = GW_STR("")};
    struct gw_provider_call *call = &verbatim;
    bool is_verbatim = request->route.kind != GW_ROUTE_JSON ||
                       request->api->speaks(request->deployment, request->llm.dialect,
                                            request->llm.task, request->upstream_model);
    request->delivery = is_verbatim ? GW_DELIVERY_RELAY : GW_DELIVERY_TRANSLATED;
    enum gw_err err = is_verbatim ? plan_verbatim(request, call, exchange, error)
                                  : plan_translated(request, &call, exchange, error);
    if (err != GW_OK) {
        return err;
    }
    struct gw_authorize_input authorize = {
        .deployment = request->deployment,
        .host = request->deployment->origin->host_header,
        .body_runs = exchange->body_runs,
        .body_run_count = exchange->body_run_count,
        .now_ms = gw_clock_wall_ms(),
        .arena = &request->arena,
    };
    err = request->api->authorize(&authorize, call);
    if (err == GW_OK) {
        exchange->target = call->target;
        err = plan_fields(request, call, is_verbatim, exchange);
    }
    return err;
}
