/* SPDX-License-Identifier: MIT */
/* core/deliver - the provider's answer on its way to the client: bytes unchanged, read by the tee
 * as they pass. */
#include "base/assert.h"
#include "core/core_int.h"
#include "core/redact.h"

/* DELIVER is left by the events below. */
enum gw_step gw_state_deliver(struct gw_request *request)
{
    (void)request;
    GW_UNREACHABLE("entered from on_response only");
}

void gw_deliver_reset(struct gw_request *request)
{
    gw_openai_tee_fini(&request->tee);
    gw_relay_fini(&request->relay);
    gw_withheld_destroy(&request->withheld);
    gw_buf_fini(&request->held);
    gw_request_stop_waiting(request);
    request->facts = (struct gw_answer_facts){0};
    request->error = (struct gw_error){0}; /* the next one is judged by its own */
    if (gw_continue_is_on(request)) {      /* the client waits all the same */
        gw_request_wait(request, GW_REQUEST_WAIT_SILENCE, GW_REQUEST_SILENCE_MS);
    } else if (request->recovery != NULL) {
        gw_recovery_forget(request->recovery);
    }
    gw_slow_stop(request);
    request->attempt->delivery = GW_DELIVERY_NONE;
    request->attempt->usage_injected = false;
}

static bool is_type(const struct gw_response_head *head, struct gw_str wanted)
{
    struct gw_str type = gw_headers_get(head->headers, head->header_count, GW_HEADER_CONTENT_TYPE);
    return gw_str_has_prefix_nocase(type, wanted);
}

static bool is_coded(const struct gw_response_head *head)
{
    struct gw_str coding =
        gw_headers_get(head->headers, head->header_count, GW_HEADER_CONTENT_ENCODING);
    return coding.len > 0 && !gw_str_eq_nocase(coding, GW_STR("identity"));
}

static enum gw_tee_mode choose_tee(const struct gw_request *request,
                                   const struct gw_response_head *head)
{
    if (request->route.kind == GW_ROUTE_PASS || request->pair->head->method == GW_METHOD_HEAD ||
        is_coded(head)) {
        return GW_TEE_RAW;
    }
    if (is_type(head, GW_STR("text/event-stream"))) {
        return GW_TEE_STREAM;
    }
    return is_type(head, GW_STR("application/json")) ? GW_TEE_PLAIN : GW_TEE_RAW;
}

/* The record is written. */
static void settle(struct gw_request *request)
{
    gw_request_set_state(request, GW_REQUEST_SETTLE);
    gw_request_run(request);
}

void gw_deliver_finish(struct gw_request *request)
{
    gw_downstream_end(request->pair);
    request->pair = NULL;
    settle(request);
}

void gw_deliver_cut(struct gw_request *request)
{
    gw_request_cancel_exchange(request);
    gw_downstream_abort(request->pair);
    request->pair = NULL;
    settle(request);
}

void gw_deliver_fail_here(struct gw_request *request, enum gw_err err)
{
    struct gw_error error = {.class = GW_ERROR_INTERNAL,
                             .status = 502,
                             .code = GW_STR("upstream_error"),
                             .message = gw_arena_printf(&request->arena,
                                                        "The answer could not be forwarded: %s.",
                                                        gw_err_text(err))};
    (void)gw_request_fail(request, &error);
    gw_request_run(request);
}

enum gw_err gw_deliver_begin(struct gw_request *request)
{
    struct gw_downstream_response response = {.status = request->attempt->upstream_status,
                                              .headers = request->response_fields,
                                              .header_count = request->response_field_count,
                                              .content_length = request->response_length};
    request->has_begun = true;
    gw_request_stop_waiting(request);
    if (request->recovery == NULL) {
        gw_request_release_body(request);
    }
    request->status = request->attempt->upstream_status;
    return gw_downstream_begin(request->pair, &response);
}

enum gw_err gw_deliver_write(struct gw_request *request, struct gw_str bytes)
{
    enum gw_err err = request->has_begun ? GW_OK : gw_deliver_begin(request);
    if (err == GW_OK) {
        err = gw_downstream_write(request->pair, bytes);
    }
    request->sent_bytes += bytes.len;
    if (err == GW_OK && !gw_downstream_can_write(request->pair)) {
        gw_request_pause_exchange(request, true);
        if (request->recovery != NULL) {
            request->recovery->was_paused = true;
        }
    }
    return err;
}

static enum gw_err on_forward(void *user, struct gw_str bytes)
{
    return gw_hold_forward(user, bytes);
}

/* OpenAI's shapes have a reader that costs less than a decoder. */
static bool has_openai_shape(const struct gw_request *request)
{
    return request->llm.dialect == GW_DIALECT_OPENAI ||
           request->llm.dialect == GW_DIALECT_COMPLETIONS ||
           request->llm.dialect == GW_DIALECT_RESPONSES;
}

static void make_relay(struct gw_request *request, const struct gw_response_head *head)
{
    struct gw_relay_opts opts = {
        .api = request->attempt->api,
        .mode = request->llm.is_stream ? GW_DECODE_STREAM : GW_DECODE_PLAIN,
        .content_type = gw_headers_get(head->headers, head->header_count, GW_HEADER_CONTENT_TYPE),
        .upstream_model = request->attempt->upstream_model,
        .facts = &request->facts,
        .forward = on_forward,
        .user = request,
    };
    gw_relay_init(&request->relay, &opts);
    request->attempt->delivery = GW_DELIVERY_RELAY;
}

void gw_deliver_on_response(struct gw_request *request, const struct gw_response_head *head)
{
    enum gw_tee_mode mode = choose_tee(request, head);
    if (mode == GW_TEE_RAW || has_openai_shape(request)) {
        gw_openai_tee_init(&request->tee, mode, request->attempt->usage_injected, &request->facts,
                           on_forward, request);
        request->attempt->delivery = GW_DELIVERY_TEE;
    } else {
        make_relay(request, head);
    }
    /* A stream loses its usage event where only we asked for it, so its length is not the
     * provider's. */
    request->response_length = mode == GW_TEE_STREAM ? GW_LENGTH_UNKNOWN : head->content_length;
    enum gw_err err =
        gw_fields_forward(request, head, &request->response_fields, &request->response_field_count);
    /* What must not be empty begins with its first byte. */
    bool may_begin = mode == GW_TEE_RAW && !gw_answer_is_empty(request, gw_str(NULL, 0));
    if (err == GW_OK && may_begin) {
        err = gw_deliver_begin(request);
    } else if (err == GW_OK && mode != GW_TEE_RAW && is_type(head, GW_STR("text/event-stream"))) {
        gw_continue_watch(request);
    }
    if (err != GW_OK) {
        gw_deliver_fail_here(request, err);
    }
}

/* The answer told an error, or is one, which the client has not seen: request->error. */
static void fail_by_event(struct gw_request *request)
{
    struct gw_error error = request->error;
    if (request->has_begun) {
        request->facts.is_ended = false; /* the error ended it, and the client has not got that */
        gw_deliver_on_failure(request, &error);
    } else {
        gw_request_attempt_failed(request, &error);
    }
}

void gw_deliver_on_body(struct gw_request *request, struct gw_str bytes)
{
    enum gw_err err = request->attempt->delivery == GW_DELIVERY_TEE
                          ? gw_openai_tee_feed(&request->tee, bytes)
                          : gw_relay_feed(&request->relay, bytes);
    if (err == GW_ERR_CANCELLED) {
        gw_request_cancel_exchange(request);
        fail_by_event(request);
    } else if (err != GW_OK) {
        gw_deliver_fail_here(request, err);
    }
}

void gw_deliver_release(struct gw_request *request)
{
    enum gw_err err = gw_hold_release(request);
    if (err != GW_OK) {
        gw_deliver_fail_here(request, err);
    }
}

/* An error that came inside a stream: the client has it; the log gets its text without keys. */
static void keep_upstream_error(struct gw_request *request)
{
    struct gw_str text = gw_str_from_c(request->facts.error_text);
    bool is_cut = text.len == sizeof(request->facts.error_text) - 1;
    if (!request->facts.has_error) {
        return;
    }
    request->error =
        (struct gw_error){.class = GW_ERROR_UPSTREAM,
                          .status = request->attempt->upstream_status,
                          .upstream_status = request->attempt->upstream_status,
                          .message = gw_redact(&request->arena, text, is_cut,
                                               gw_attempt_credential(request->attempt))};
}

bool gw_deliver_is_event_stream(const struct gw_request *request)
{
    return request->attempt->delivery == GW_DELIVERY_TEE ? request->tee.mode == GW_TEE_STREAM
                                                         : request->relay.is_events;
}

static void end_early(struct gw_request *request)
{
    struct gw_error error = {
        .class = GW_ERROR_UPSTREAM,
        .status = 502,
        .upstream_status = request->attempt->upstream_status,
        .is_retryable = true,
        .can_fallback = true,
        .code = GW_STR("upstream_error"),
        .message = GW_STR("The provider ended the stream before the answer was complete.")};
    if (request->has_begun) {
        gw_deliver_on_failure(request, &error);
    } else {
        gw_request_attempt_failed(request, &error);
    }
}

void gw_deliver_on_end(struct gw_request *request)
{
    enum gw_err err = request->attempt->delivery == GW_DELIVERY_TEE
                          ? gw_openai_tee_end(&request->tee)
                          : gw_relay_end(&request->relay);
    if (err == GW_ERR_EOF && gw_request_makes_text(request)) {
        end_early(request);
        return;
    }
    err = err == GW_ERR_EOF ? GW_OK : err;
    if (err == GW_OK && !request->has_begun) {
        err = gw_hold_end(request);
    }
    if (err == GW_ERR_CANCELLED) {
        fail_by_event(request);
        return;
    }
    if (err != GW_OK) {
        gw_deliver_fail_here(request, err);
        return;
    }
    keep_upstream_error(request);
    gw_deliver_finish(request);
}

void gw_deliver_on_failure(struct gw_request *request, const struct gw_error *error)
{
    if (request->facts.is_ended) {
        /* The client has all there is; how the provider closes its connection is no matter. */
        gw_deliver_finish(request);
        return;
    }
    if (gw_continue_can(request, error)) {
        gw_request_attempt_failed(request, error);
        return;
    }
    request->error = *error;
    if (!gw_deliver_is_event_stream(request)) {
        gw_deliver_cut(request);
        return;
    }
    struct gw_buf event;
    gw_buf_init(&event, GW_REQUEST_KEEP_BYTES);
    request->dialect->write_error_event(error, request->id, &event);
    enum gw_err err =
        event.err != GW_OK ? event.err : gw_downstream_write(request->pair, gw_buf_str(&event));
    request->sent_bytes += event.len;
    gw_buf_fini(&event);
    if (err != GW_OK) {
        gw_deliver_cut(request);
        return;
    }
    gw_deliver_finish(request);
}
