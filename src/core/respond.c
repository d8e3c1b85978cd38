/* SPDX-License-Identifier: MIT */
/* core/respond - answers that are made here: JSON, errors, CORS preflight. */
#include "core/core_int.h"

#define ERROR_BODY_MAX_BYTES                                                                       \
    (64u * 1024) /* a message quotes at most a path and a model name, both bounded */
#define RESPOND_FIELDS_MAX (GW_COMMON_FIELDS + 6)

static void send_answer(struct gw_request *request, const struct gw_downstream_response *response,
                        struct gw_str body)
{
    enum gw_err err = gw_downstream_begin(request->pair, response);
    if (err == GW_OK && body.len > 0) {
        err = gw_downstream_write(request->pair, body);
    }
    request->status = response->status;
    request->has_begun = true;
    request->sent_bytes = body.len;
    if (err == GW_OK) {
        gw_downstream_end(request->pair);
    } else {
        gw_downstream_abort(request->pair);
    }
    request->pair = NULL;
}

void gw_respond_json(struct gw_request *request, unsigned status, struct gw_str body,
                     const struct gw_header *extra, size_t extra_count)
{
    struct gw_header fields[RESPOND_FIELDS_MAX];
    size_t count = gw_fields_common(request, fields);
    fields[count++] = (struct gw_header){.name = gw_header_name(GW_HEADER_CONTENT_TYPE),
                                         .value = GW_STR("application/json"),
                                         .id = GW_HEADER_CONTENT_TYPE};
    for (size_t i = 0; i < extra_count && count < RESPOND_FIELDS_MAX; i++) {
        fields[count++] = extra[i];
    }
    struct gw_downstream_response response = {
        .status = status, .headers = fields, .header_count = count, .content_length = body.len};
    send_answer(request, &response, body);
}

void gw_respond_error(struct gw_request *request)
{
    const struct gw_error *error = &request->error;
    struct gw_header extra[3];
    size_t count = 0;
    if (error->status == 401) {
        extra[count++] = (struct gw_header){.name = GW_STR("www-authenticate"),
                                            .value = GW_STR("Bearer realm=\"gatewire\"")};
    }
    if (request->route.kind == GW_ROUTE_WRONG_METHOD) {
        extra[count++] = (struct gw_header){.name = GW_STR("allow"), .value = request->route.allow};
    }
    if (error->retry_after_s > 0) {
        extra[count++] =
            (struct gw_header){.name = gw_header_name(GW_HEADER_RETRY_AFTER),
                               .value = gw_arena_printf(&request->arena, "%llu",
                                                        (unsigned long long)error->retry_after_s),
                               .id = GW_HEADER_RETRY_AFTER};
    }
    struct gw_buf body;
    gw_buf_init(&body, ERROR_BODY_MAX_BYTES);
    const struct gw_dialect *dialect =
        request->dialect != NULL ? request->dialect : gw_dialect_of(GW_DIALECT_OPENAI);
    unsigned status = error->status;
    if (request->route.is_enveloped) {
        gw_inspect_write_error(error, &body);
    } else {
        dialect->write_error(error, request->id, &body);
        status = dialect->error_status != NULL ? dialect->error_status(error) : status;
    }
    gw_respond_json(request, status, gw_buf_str(&body), extra, count);
    gw_buf_fini(&body);
}

enum gw_step gw_respond_no_memory(struct gw_request *request)
{
    struct gw_error error = {
        .class = GW_ERROR_OVERLOADED,
        .status = 503,
        .retry_after_s = 1,
        .message = GW_STR("The gateway has no memory for this request at the moment.")};
    return gw_request_fail(request, &error);
}

void gw_respond_options(struct gw_request *request)
{
    const struct gw_request_head *head = request->pair->head;
    struct gw_str wanted =
        gw_headers_get(head->headers, head->header_count, GW_HEADER_ACCESS_CONTROL_REQUEST_HEADERS);
    struct gw_header fields[RESPOND_FIELDS_MAX];
    size_t count = gw_fields_common(request, fields);
    if (count > 1) { /* the origin is allowed */
        fields[count++] =
            (struct gw_header){.name = GW_STR("access-control-allow-methods"),
                               .value = GW_STR("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")};
        fields[count++] = (struct gw_header){
            .name = GW_STR("access-control-allow-headers"),
            .value = wanted.len > 0 ? wanted : GW_STR("authorization, content-type")};
        fields[count++] =
            (struct gw_header){.name = GW_STR("access-control-max-age"), .value = GW_STR("86400")};
    }
    fields[count++] = (struct gw_header){
        .name = GW_STR("allow"), .value = GW_STR("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")};
    struct gw_downstream_response response = {
        .status = 204, .headers = fields, .header_count = count};
    send_answer(request, &response, gw_str(NULL, 0));
}

enum gw_step gw_respond_invalid(struct gw_request *request, struct gw_str param,
                                struct gw_str message)
{
    struct gw_error error = {.class = GW_ERROR_CLIENT,
                             .status = 400,
                             .code = GW_STR("invalid_value"),
                             .param = param,
                             .message = message};
    return gw_request_fail(request, &error);
}
