/* SPDX-License-Identifier: MIT */
/* core/withhold - answers that are errors: read before anybody sees them, because another attempt
 * may still succeed, and because some are not the client's business. */
#include "base/alloc.h"
#include "core/core_int.h"
#include "core/redact.h"
#include "llm/token_slot.h"
#include "json/scan.h"

/* What the log tells of a provider's message. */
#define DETAIL_BYTES 256

struct gw_withheld {
    struct gw_header *headers; /* copies in the arena */
    size_t header_count;
    struct gw_buf body;
    bool is_cut; /* the body was longer than what is kept */
};

static enum gw_err copy_fields(struct gw_request *request, struct gw_withheld *withheld,
                               const struct gw_response_head *head)
{
    struct gw_arena *arena = &request->arena;
    withheld->headers =
        gw_arena_try_alloc(arena, (head->header_count + 1) * sizeof(struct gw_header));
    if (withheld->headers == NULL) {
        return GW_ERR_NOMEM;
    }
    for (size_t i = 0; i < head->header_count; i++) {
        struct gw_header *copy = &withheld->headers[i];
        *copy = head->headers[i];
        copy->name = gw_arena_try_dup(arena, copy->name);
        copy->value = gw_arena_try_dup(arena, copy->value);
        if (copy->name.ptr == NULL || copy->value.ptr == NULL) {
            return GW_ERR_NOMEM;
        }
    }
    withheld->header_count = head->header_count;
    return GW_OK;
}

void gw_withhold_on_response(struct gw_request *request, const struct gw_response_head *head)
{
    gw_withheld_destroy(&request->withheld);
    struct gw_withheld *withheld = gw_try_alloc(sizeof(*withheld));
    enum gw_err err = withheld != NULL ? GW_OK : GW_ERR_NOMEM;
    if (err == GW_OK) {
        *withheld = (struct gw_withheld){0};
        gw_buf_init(&withheld->body, GW_PROVIDER_ERROR_BYTES);
        request->withheld = withheld;
        err = copy_fields(request, withheld, head);
    }
    if (err == GW_OK) {
        err = gw_fields_forward(request, head, &request->response_fields,
                                &request->response_field_count);
    }
    if (err != GW_OK) {
        gw_deliver_fail_here(request, err);
    }
}

/* The vendor's words as far as they may be logged. */
static struct gw_str loggable(struct gw_request *request, struct gw_str message)
{
    bool is_cut = message.len > DETAIL_BYTES;
    message.len = is_cut ? DETAIL_BYTES : message.len;
    return gw_redact(&request->arena, message, is_cut, gw_attempt_credential(request->attempt));
}

static struct gw_str credential_message(struct gw_request *request)
{
    const struct gw_deployment *deployment = request->attempt->deployment;
    const char *what = "does not permit this with the gateway's credential";
    if (deployment->key_count == 0 && deployment->token == NULL) {
        what = "wants a credential, and the gateway has none";
    } else if (request->attempt->upstream_status != 403) {
        what = "does not accept the gateway's credential";
    }
    return gw_arena_printf(
        &request->arena,
        "The provider '" GW_STR_FMT "' %s for the deployment '" GW_STR_FMT
        "' (it answered %u). The key of this request is not the reason: whoever runs the "
        "gateway must look at the deployment's api_key.",
        GW_STR_ARG(deployment->provider_name), what, GW_STR_ARG(gw_quoted(deployment->id)),
        request->attempt->upstream_status);
}

/* From the kept answer to the error object. */
static struct gw_error explain(struct gw_request *request)
{
    struct gw_withheld *withheld = request->withheld;
    struct gw_error error = {0};
    request->attempt->api->read_error(request->attempt->upstream_status, withheld->headers,
                                      withheld->header_count, gw_buf_str(&withheld->body),
                                      &request->arena, &error);
    error.detail = loggable(request, error.detail.len > 0 ? error.detail : error.message);
    if (error.is_credential) {
        error.message = credential_message(request);
    } else if (error.message.len == 0) {
        error.message = gw_arena_printf(&request->arena,
                                        "The provider '" GW_STR_FMT "' answered with status %u.",
                                        GW_STR_ARG(request->attempt->deployment->provider_name),
                                        request->attempt->upstream_status);
    }
    return error;
}

void gw_withhold_on_end(struct gw_request *request)
{
    struct gw_error error = explain(request);
    if (error.is_credential && request->attempt->deployment->token != NULL) {
        gw_token_slot_mark_refused(request->attempt->deployment->token);
    }
    gw_request_attempt_failed(request, &error);
}

void gw_withhold_on_body(struct gw_request *request, struct gw_str bytes)
{
    struct gw_withheld *withheld = request->withheld;
    size_t room = GW_PROVIDER_ERROR_BYTES - withheld->body.len;
    enum gw_err err =
        gw_buf_append(&withheld->body, gw_str(bytes.ptr, bytes.len < room ? bytes.len : room));
    if (err != GW_OK) {
        gw_deliver_fail_here(request, err);
    } else if (bytes.len > room) {
        /* A page of HTML from a proxy on the way. The connection is worth less than its end. */
        withheld->is_cut = true;
        gw_attempt_cancel(request->attempt);
        gw_withhold_on_end(request);
    }
}

/* Google's front end refuses requests to Claude before Anthropic's layer sees them, in a shape that
 * Anthropic's clients do not read. */
static bool is_other_shape(const struct gw_request *request)
{
    struct gw_str body = gw_buf_str(&request->withheld->body);
    struct gw_json_member type = {0};
    return request->llm.dialect == GW_DIALECT_ANTHROPIC &&
           (gw_json_scan(body, NULL, NULL, NULL, NULL) != GW_OK ||
            !gw_json_find(body, GW_STR("type"), &type));
}

/* A provider that did not say when to come back: the router knows when it is asked again. */
static enum gw_err add_retry_after(struct gw_request *request)
{
    size_t count = request->response_field_count;
    const struct gw_header *old = request->response_fields;
    if (request->error.retry_after_s == 0 ||
        gw_headers_get(old, count, GW_HEADER_RETRY_AFTER).len > 0) {
        return GW_OK;
    }
    struct gw_header *fields = gw_arena_try_alloc(&request->arena, (count + 1) * sizeof(*fields));
    struct gw_str value =
        gw_arena_printf(&request->arena, "%llu", (unsigned long long)request->error.retry_after_s);
    if (fields == NULL || value.ptr == NULL) {
        return GW_ERR_NOMEM;
    }
    memcpy(fields, old, count * sizeof(*fields));
    fields[count] = (struct gw_header){
        .id = GW_HEADER_RETRY_AFTER, .name = gw_header_name(GW_HEADER_RETRY_AFTER), .value = value};
    request->response_fields = fields;
    request->response_field_count = count + 1;
    return GW_OK;
}

bool gw_withhold_release(struct gw_request *request)
{
    struct gw_withheld *withheld = request->withheld;
    if (withheld == NULL || withheld->is_cut || !request->attempt->is_verbatim ||
        request->error.is_credential || is_other_shape(request)) {
        return false;
    }
    bool is_head = request->pair->head->method == GW_METHOD_HEAD;
    request->response_length = is_head ? GW_LENGTH_UNKNOWN : withheld->body.len;
    enum gw_err err = add_retry_after(request);
    err = err == GW_OK ? gw_deliver_begin(request) : err;
    if (err == GW_OK && withheld->body.len > 0) {
        err = gw_deliver_write(request, gw_buf_str(&withheld->body));
    }
    request->error.message = request->error.detail; /* the client has the whole */
    if (err == GW_OK) {
        gw_downstream_end(request->pair);
    } else {
        gw_downstream_abort(request->pair);
    }
    request->pair = NULL;
    return true;
}

void gw_withheld_destroy(struct gw_withheld **withheld)
{
    if (*withheld != NULL) {
        gw_buf_fini(&(*withheld)->body);
        gw_free(*withheld);
        *withheld = NULL;
    }
}
