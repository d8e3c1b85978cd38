/* SPDX-License-Identifier: MIT */
/* core/receive - the request's body: kept whole where its content decides where it goes, passed on
 * as it comes where it does not. */
#include "core/core_int.h"

static enum gw_step refuse_size(struct gw_request *request)
{
    struct gw_error error = {
        .class = GW_ERROR_CLIENT,
        .status = 413,
        .code = GW_STR("request_too_large"),
        .message = gw_arena_printf(
            &request->arena,
            "The request body is larger than the limit of %llu bytes (server.max_body_size).",
            (unsigned long long)request->conf->snapshot->downstream.max_body_bytes)};
    return gw_request_fail(request, &error);
}

enum gw_step gw_state_receive(struct gw_request *request)
{
    const struct gw_request_head *head = request->pair->head;
    uint64_t limit = request->conf->snapshot->downstream.max_body_bytes;
    bool is_announced = head->content_length != GW_LENGTH_UNKNOWN;
    if (is_announced && head->content_length > limit) {
        return refuse_size(request);
    }
    if (!head->has_body) {
        request->is_body_complete = true;
        gw_request_set_state(request, GW_REQUEST_DECODE);
        return GW_STEP_GO;
    }
    if (request->route.kind == GW_ROUTE_PASS &&
        !(is_announced && head->content_length <= GW_REQUEST_KEEP_BYTES)) {
        request->is_streamed_up = true;
        gw_request_set_state(request, GW_REQUEST_DECODE);
        return GW_STEP_GO;
    }
    /* One allocation for the common sizes; a client that announces much and sends nothing gets no
     * more than this. */
    if (is_announced && head->content_length <= GW_REQUEST_KEEP_BYTES) {
        (void)gw_buf_reserve(&request->body, (size_t)head->content_length);
    }
    gw_downstream_read_body(request->pair, true);
    return GW_STEP_WAIT;
}

static void keep_body(struct gw_request *request, struct gw_str bytes)
{
    enum gw_err err = gw_buf_append(&request->body, bytes);
    if (err == GW_OK) {
        return;
    }
    if (err == GW_ERR_TOO_LARGE) {
        (void)refuse_size(request);
    } else {
        (void)gw_respond_no_memory(request);
    }
    gw_request_run(request);
}

/* The body cannot go on to the provider. */
static void fail_upload(struct gw_request *request, enum gw_err err)
{
    if (err == GW_ERR_NOMEM) {
        (void)gw_respond_no_memory(request);
    } else {
        struct gw_error error = {
            .class = GW_ERROR_INTERNAL,
            .status = 500,
            .message = gw_arena_printf(
                &request->arena, "The request body could not be forwarded: %s.", gw_err_text(err))};
        (void)gw_request_fail(request, &error);
    }
    gw_request_run(request);
}

static void stream_body(struct gw_request *request, struct gw_str bytes)
{
    if (request->received_bytes > request->conf->snapshot->downstream.max_body_bytes) {
        (void)refuse_size(request);
        gw_request_run(request);
        return;
    }
    enum gw_err err = gw_exchange_write(request->attempt->exchange, bytes);
    if (err != GW_OK) {
        fail_upload(request, err);
        return;
    }
    if (!gw_exchange_can_write(request->attempt->exchange)) {
        gw_downstream_read_body(request->pair, false);
    }
}

static void on_body(void *user, struct gw_str bytes)
{
    struct gw_request *request = user;
    request->received_bytes += bytes.len;
    if (request->state == GW_REQUEST_RECEIVE) {
        keep_body(request, bytes);
    } else if (request->attempt->exchange != NULL && request->is_streamed_up) {
        stream_body(request, bytes);
    }
}

static void on_body_end(void *user)
{
    struct gw_request *request = user;
    request->is_body_complete = true;
    if (request->state == GW_REQUEST_RECEIVE) {
        gw_request_set_state(request, GW_REQUEST_DECODE);
        gw_request_run(request);
    } else if (request->attempt->exchange != NULL && request->is_streamed_up) {
        enum gw_err err = gw_exchange_end_body(request->attempt->exchange);
        if (err != GW_OK) {
            fail_upload(request, err);
        }
    }
}

static void on_writable(void *user)
{
    gw_request_pause_exchange(user, false);
}

static void on_abort(void *user, enum gw_err err)
{
    struct gw_request *request = user;
    request->pair = NULL;
    gw_request_cancel_exchange(request);
    /* Clients leave behind a stream's last event, before its provider has closed it: no failure. */
    if (!(request->has_begun && request->facts.is_ended)) {
        request->error = (struct gw_error){
            .class = GW_ERROR_CANCELLED,
            .message = gw_arena_printf(&request->arena, "the client's connection ended: %s",
                                       gw_err_text(err))};
    }
    gw_request_set_state(request, GW_REQUEST_SETTLE);
    gw_request_run(request);
}

const struct gw_downstream_events gw_request_downstream_events = {
    .on_body = on_body,
    .on_body_end = on_body_end,
    .on_writable = on_writable,
    .on_abort = on_abort,
};
