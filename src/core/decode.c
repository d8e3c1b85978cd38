/* SPDX-License-Identifier: MIT */
/* core/decode - from the body to the envelope. */
#include "base/assert.h"
#include "core/core_int.h"
#include "http/multipart.h"
#include "http/url.h"

/* The model that the path names (Azure style), decoded; it wins over the body's. */
static enum gw_err take_path_model(struct gw_request *request)
{
    struct gw_str written = request->route.path_model;
    if (written.len == 0) {
        return GW_OK;
    }
    char *name = gw_arena_try_alloc(&request->arena, written.len);
    size_t len = 0;
    if (name == NULL || gw_url_decode(written, name, written.len, &len) != GW_OK ||
        len > GW_MODEL_NAME_MAX) {
        return GW_ERR_INVALID;
    }
    request->llm.model = gw_str(name, len);
    return GW_OK;
}

static void decode_form(struct gw_request *request)
{
    const struct gw_request_head *head = request->pair->head;
    struct gw_str type = gw_headers_get(head->headers, head->header_count, GW_HEADER_CONTENT_TYPE);
    struct gw_str value;
    request->llm = (struct gw_llm_request){.task = request->route.task};
    if (gw_multipart_find(type, gw_buf_str(&request->body), GW_STR("model"), &value) == GW_OK &&
        value.len <= GW_MODEL_NAME_MAX) {
        request->llm.model = gw_arena_try_dup(
            &request->arena, value); /* the body goes before the record is written */
        request->llm.model_form_value = value;
    }
}

static enum gw_step refuse_model(struct gw_request *request)
{
    struct gw_error error = {
        .class = GW_ERROR_CLIENT,
        .status = 400,
        .code = GW_STR("missing_required_parameter"),
        .param = GW_STR("model"),
        .message =
            GW_STR("You must provide a model parameter. GET /v1/models lists what is served.")};
    return gw_request_fail(request, &error);
}

enum gw_step gw_state_decode(struct gw_request *request)
{
    enum gw_step step = GW_STEP_GO;
    struct gw_error error = {0};
    struct gw_inbound in = gw_request_inbound(request);
    switch (request->route.kind) {
    case GW_ROUTE_JSON:
        if (request->dialect->decode(&in, request->route.task, &request->arena, &request->llm,
                                     &error) != GW_OK) {
            return gw_request_fail(request, &error);
        }
        request->llm.dialect = request->route.dialect;
        break;
    case GW_ROUTE_FORM:
        decode_form(request);
        break;
    case GW_ROUTE_PASS:
        request->llm = (struct gw_llm_request){.task = GW_TASK_PASS};
        if (gw_stored_answer(request, &step)) {
            return step;
        }
        break;
    case GW_ROUTE_INSPECT:
        return gw_inspect_answer(request);
    case GW_ROUTE_UNKNOWN:
    case GW_ROUTE_WRONG_METHOD:
    case GW_ROUTE_LOCAL:
        GW_UNREACHABLE("answered before");
    }
    if (request->route.kind != GW_ROUTE_PASS && take_path_model(request) != GW_OK) {
        return refuse_model(request);
    }
    if (request->llm.task == GW_TASK_RESPONSE && request->route.task == GW_TASK_CHAT) {
        request->route.path = GW_STR("/responses");
        request->route.dialect = GW_DIALECT_RESPONSES;
        request->llm.dialect = GW_DIALECT_RESPONSES;
        request->dialect = gw_dialect_of(GW_DIALECT_RESPONSES);
    }
    if (request->route.needs_model && request->llm.model.len == 0 &&
        !(request->route.kind == GW_ROUTE_JSON && gw_steer_has_auto(request))) {
        return refuse_model(request);
    }
    if (request->route.local != GW_LOCAL_NONE) {
        return gw_local_answer(request);
    }
    if (request->llm.previous_response_id.len > 0 && gw_stored_join(request, &error) != GW_OK) {
        return error.class != GW_ERROR_NONE ? gw_request_fail(request, &error)
                                            : gw_respond_no_memory(request);
    }
    gw_request_set_state(request, GW_REQUEST_ROUTE);
    return GW_STEP_GO;
}
