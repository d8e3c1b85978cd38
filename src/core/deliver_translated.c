/* SPDX-License-Identifier: MIT */
/* core/deliver_translated - the provider's answer through the neutral model to the client. Nothing
 * goes out before the first event with output, so that a stream that fails at its start can still
 * be answered by another deployment. */
#include "core/core_int.h"

#define TRANSLATED_FIELDS 4 /* beside the common ones */

static void add(struct gw_header *fields, size_t *count, enum gw_header_id id, struct gw_str name,
                struct gw_str value)
{
    fields[(*count)++] = (struct gw_header){.id = id, .name = name, .value = value};
}

/* The answer is ours: of the provider's fields only its request id means anything here. */
static enum gw_err make_fields(struct gw_request *request, const struct gw_response_head *head)
{
    struct gw_header *fields = gw_arena_try_alloc(
        &request->arena, (GW_COMMON_FIELDS + TRANSLATED_FIELDS) * sizeof(*fields));
    if (fields == NULL) {
        return GW_ERR_NOMEM;
    }
    bool is_stream = gw_translation_is_stream(request->attempt->translation);
    bool is_events = is_stream && !request->llm.is_json_array;
    size_t count = gw_fields_common(request, fields);
    add(fields, &count, GW_HEADER_CONTENT_TYPE, gw_header_name(GW_HEADER_CONTENT_TYPE),
        is_events ? request->dialect->stream_type : GW_STR("application/json"));
    if (is_stream) {
        add(fields, &count, GW_HEADER_OTHER, GW_STR("cache-control"), GW_STR("no-cache"));
    }
    struct gw_str warning = gw_translation_warning(request->attempt->translation);
    if (warning.len > 0) {
        add(fields, &count, GW_HEADER_OTHER, GW_STR("x-gatewire-warning"), warning);
    }
    struct gw_str id = gw_headers_get(head->headers, head->header_count, GW_HEADER_X_REQUEST_ID);
    if (id.len > 0) {
        id = gw_arena_try_dup(&request->arena, id);
        add(fields, &count, GW_HEADER_OTHER, GW_STR("x-upstream-request-id"), id);
    }
    request->response_fields = fields;
    request->response_field_count = count;
    return GW_OK;
}

/* Moving the deadline with every piece costs one store. */
static void watch_silence(struct gw_request *request)
{
    if (gw_translation_is_stream(request->attempt->translation)) {
        gw_request_wait(request, GW_REQUEST_WAIT_SILENCE, GW_REQUEST_SILENCE_MS);
    }
}

void gw_deliver_translated_on_response(struct gw_request *request,
                                       const struct gw_response_head *head)
{
    struct gw_str type = gw_headers_get(head->headers, head->header_count, GW_HEADER_CONTENT_TYPE);
    struct gw_str id = gw_headers_get(head->headers, head->header_count, GW_HEADER_X_REQUEST_ID);
    type = gw_arena_try_dup(&request->arena, type);
    id = gw_arena_try_dup(&request->arena, id);
    enum gw_err err = request->has_begun ? GW_OK : make_fields(request, head);
    if (err == GW_OK) {
        gw_continue_watch(request);
        err = gw_translation_begin(request->attempt->translation, type, id);
    }
    if (err != GW_OK) {
        gw_deliver_fail_here(request, err);
        return;
    }
    watch_silence(request);
}

/* Gives the client what is ready. False when the request is gone. */
static bool flush(struct gw_request *request)
{
    struct gw_str output = gw_translation_output(request->attempt->translation);
    if (request->stored != NULL) { /* before the client can ask for it */
        gw_stored_keep(request);
    }
    if (output.len == 0) {
        return true;
    }
    if (!request->has_begun && !gw_translation_is_stream(request->attempt->translation)) {
        request->response_length = output.len;
    }
    enum gw_err err = gw_deliver_write(request, output);
    gw_translation_taken(request->attempt->translation);
    if (err != GW_OK) {
        gw_deliver_fail_here(request, err);
        return false;
    }
    watch_silence(request);
    return true;
}

void gw_deliver_translated_on_silence(struct gw_request *request)
{
    /* With bytes still waiting for it, the client is the slow one. */
    if (!request->has_begun) {
        gw_continue_watch_beginning(request);
    }
    if (!request->has_begun || gw_downstream_can_write(request->pair)) {
        gw_translation_ping(request->attempt->translation);
    }
    if (flush(request)) {
        watch_silence(request);
    }
}

/* What the provider's failure in the middle of its answer means for the client. */
static struct gw_error explain(struct gw_request *request, enum gw_err err)
{
    if (err == GW_ERR_CANCELLED) {
        struct gw_error error = *gw_translation_error(request->attempt->translation);
        error.upstream_status = request->attempt->upstream_status;
        return error;
    }
    struct gw_error error = {.class = GW_ERROR_UPSTREAM,
                             .status = 502,
                             .upstream_status = request->attempt->upstream_status,
                             .is_retryable = true,
                             .can_fallback = true,
                             .code = GW_STR("upstream_error")};
    error.message =
        err == GW_ERR_EOF
            ? GW_STR("The provider ended its answer before it was complete.")
            : gw_arena_printf(&request->arena, "The provider's answer could not be read: %s.",
                              gw_err_text(err));
    return error;
}

static void fail(struct gw_request *request, enum gw_err err)
{
    struct gw_error error = explain(request, err);
    if (request->has_begun) {
        gw_deliver_translated_on_failure(request, &error);
    } else {
        gw_attempt_cancel(request->attempt);
        gw_request_attempt_failed(request, &error);
    }
}

void gw_deliver_translated_on_body(struct gw_request *request, struct gw_str bytes)
{
    enum gw_err err = gw_translation_feed(request->attempt->translation, bytes);
    /* What came before the failure still counts, when the client sees an answer already. */
    if (err != GW_OK && !request->has_begun) {
        fail(request, err);
    } else if (flush(request) && err != GW_OK) {
        fail(request, err);
    }
}

void gw_deliver_translated_on_end(struct gw_request *request)
{
    enum gw_err err = gw_translation_end(request->attempt->translation);
    if (err != GW_OK) {
        if (!request->has_begun || flush(request)) {
            fail(request, err);
        }
        return;
    }
    if (flush(request)) {
        gw_deliver_finish(request);
    }
}

void gw_deliver_translated_on_failure(struct gw_request *request, const struct gw_error *error)
{
    request->error = *error;
    if (request->facts.is_ended) { /* the client has all; how the provider closes is no matter */
        request->error = (struct gw_error){0};
        gw_deliver_finish(request);
        return;
    }
    gw_attempt_cancel(request->attempt);
    if (gw_continue_can(request, error)) {
        gw_request_attempt_failed(request, error);
        return;
    }
    if (!gw_translation_is_stream(request->attempt->translation)) {
        gw_deliver_cut(request);
        return;
    }
    gw_translation_fail(request->attempt->translation, error);
    if (flush(request)) {
        gw_deliver_finish(request);
    }
}
