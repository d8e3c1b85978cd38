/* SPDX-License-Identifier: MIT */
/* core/exchange - one attempt: what is sent, and what its failure means. The only place that sends
 * again. */
#include "base/assert.h"
#include "base/log.h"
#include "core/core_int.h"
#include "provider/openai_request.h"
#include "provider/provider.h"
#include "json/splice.h"

/* A refusal is a sentence, or a page of HTML from a proxy on the way. What is longer is not read to
 * its end: the connection is worth less than that. */
#define WITHHELD_MAX_BYTES (64u * 1024)

static const struct gw_exchange_events exchange_events;

/* Our own part of the work failed, and nothing has left. */
static enum gw_step fail_here(struct gw_request *request, enum gw_err err)
{
    if (err == GW_ERR_NOMEM) {
        return gw_respond_no_memory(request);
    }
    gw_log_error("core", "request " GW_STR_FMT ": cannot be made ready for its provider: %s",
                 GW_STR_ARG(request->id), gw_err_text(err));
    struct gw_error error = {
        .class = GW_ERROR_INTERNAL,
        .status = 500,
        .message =
            gw_arena_printf(&request->arena, "The request to the provider could not be made: %s.",
                            gw_err_text(err))};
    return gw_request_fail(request, &error);
}

/* What the configuration adds to a head was checked when it was loaded, so a head that cannot be
 * sent has its reason in the client's fields or target. */
static enum gw_step fail_start(struct gw_request *request, enum gw_err err)
{
    struct gw_error error = {.class = GW_ERROR_CLIENT, .code = GW_STR("invalid_header")};
    if (err == GW_ERR_TOO_LARGE) {
        error.status = 431;
        error.message = GW_STR("The request's header fields and target, with those that the "
                               "gateway adds, are more than it sends to a provider. Send fewer or "
                               "shorter ones.");
    } else if (err == GW_ERR_INVALID) {
        error.status = 400;
        error.message = GW_STR("The request's header fields or target hold a byte that cannot be "
                               "sent to a provider: CR, LF or NUL.");
    } else {
        return fail_here(request, err);
    }
    return gw_request_fail(request, &error);
}

static enum gw_step start_demo(struct gw_request *request)
{
    request->usage_injected =
        !request->llm.wants_usage; /* the demo always tells, as if it was asked */
    if (gw_demo_start(request->core->loop, &request->llm, gw_buf_str(&request->body),
                      &exchange_events, request, &request->demo) == GW_OK) {
        return GW_STEP_WAIT;
    }
    struct gw_error error = {.class = GW_ERROR_CLIENT,
                             .status = 400,
                             .param = GW_STR("model"),
                             .code = GW_STR("unsupported_model"),
                             .message = GW_STR("The built-in model gatewire/demo answers chat "
                                               "completions only; use another model here.")};
    return gw_request_fail(request, &error);
}

/* Is the answer read on its way? Then no content coding may hide it. */
static bool is_read(enum gw_task task)
{
    return task != GW_TASK_PASS && task != GW_TASK_SPEECH;
}

/* The patched body as runs over the client's bytes; they live in the arena. */
static enum gw_err plan_body(struct gw_request *request, struct gw_exchange_request *out)
{
    struct gw_str body = gw_buf_str(&request->body);
    struct gw_json_splice splice;
    enum gw_err err = GW_OK;
    struct gw_str form_model = request->llm.model_form_value;
    gw_json_splice_init(&splice, body);
    if (request->route.kind == GW_ROUTE_JSON) {
        err = gw_openai_patch(&request->llm, body, request->upstream_model, &request->arena,
                              &splice, &request->usage_injected);
    } else if (form_model.ptr != NULL && !gw_str_eq(form_model, request->upstream_model)) {
        err = gw_json_splice_replace(&splice, form_model, request->upstream_model);
    }
    struct gw_str *runs = gw_arena_try_alloc(&request->arena, GW_JSON_MAX_RUNS * sizeof(*runs));
    if (err != GW_OK || runs == NULL) {
        return runs == NULL ? GW_ERR_NOMEM : err;
    }
    out->body_run_count = gw_json_splice_runs(&splice, runs);
    out->body_runs = runs;
    return GW_OK;
}

static enum gw_step start_exchange(struct gw_request *request, bool fresh)
{
    const struct gw_deployment *deployment = request->deployment;
    const struct gw_request_head *head = request->pair->head;
    struct gw_openai_fields_opts fields = {.client = head,
                                           .deployment = deployment,
                                           .request_id = request->id,
                                           .wants_identity = is_read(request->llm.task)};
    struct gw_exchange_request exchange = {
        .pool = request->conf->pools[deployment->origin_index],
        .method = head->method_text,
        .target =
            gw_openai_target(deployment, request->route.path, request->query, &request->arena),
        .is_streamed = request->is_streamed_up,
        .content_length = head->content_length,
        .timeouts = deployment->timeouts,
        /* A streamed body cannot be sent twice, so it does not go over a connection that may be
           dead. */
        .fresh_connection = fresh || request->is_streamed_up,
    };
    if (request->llm.is_stream) {
        exchange.timeouts.total_ms = deployment->timeouts.stream_total_ms;
        exchange.timeouts.first_byte_ms = deployment->timeouts.stream_first_byte_ms;
    }
    enum gw_err err =
        gw_openai_fields(&fields, &request->arena, &exchange.headers, &exchange.header_count);
    if (err == GW_OK && !request->is_streamed_up) {
        err = plan_body(request, &exchange);
    }
    if (err != GW_OK || exchange.target.ptr == NULL) {
        return fail_here(request, err != GW_OK ? err : GW_ERR_NOMEM);
    }
    err = gw_exchange_start(&exchange, &exchange_events, request, &request->exchange);
    if (err != GW_OK) {
        return fail_start(request, err);
    }
    if (request->is_streamed_up) {
        gw_downstream_read_body(request->pair, true);
    }
    return GW_STEP_WAIT;
}

static enum gw_step begin_attempt(struct gw_request *request, bool fresh)
{
    request->exchange_count++;
    if (request->deployment->provider->kind == GW_PROVIDER_BUILTIN) {
        return start_demo(request);
    }
    return start_exchange(request, fresh);
}

enum gw_step gw_state_exchange(struct gw_request *request)
{
    return begin_attempt(request, request->exchange_count > 0);
}

void gw_request_cancel_exchange(struct gw_request *request)
{
    gw_exchange_cancel(&request->exchange);
    gw_demo_cancel(&request->demo);
}

void gw_request_pause_exchange(struct gw_request *request, bool paused)
{
    if (request->exchange != NULL) {
        gw_exchange_pause(request->exchange, paused);
    } else if (request->demo != NULL) {
        gw_demo_pause(request->demo, paused);
    }
}

void gw_request_release_body(struct gw_request *request)
{
    if (request->exchange == NULL || gw_exchange_timings(request->exchange)->sent_at_ns != 0) {
        gw_buf_fini(&request->body);
    }
}

/* ---- a provider that refuses our credential ---- */

/* Clients hold a key of the gateway's, and would take a 401 for a word about that one. */
static bool refuses_credential(unsigned status)
{
    return status == 401 || status == 403;
}

static struct gw_error explain_refusal(struct gw_request *request)
{
    const struct gw_deployment *deployment = request->deployment;
    const char *what = "does not permit this with the gateway's credential";
    if (deployment->credential == NULL) {
        what = "wants a credential, and the gateway has none";
    } else if (request->upstream_status == 401) {
        what = "does not accept the gateway's credential";
    }
    return (struct gw_error){
        .class = GW_ERROR_UPSTREAM,
        .status = 502,
        .code = GW_STR("upstream_credential_refused"),
        .upstream_status = request->upstream_status,
        .can_fallback = true, /* the same deployment would say the same again */
        .message = gw_arena_printf(
            &request->arena,
            "The provider '" GW_STR_FMT "' %s for the deployment '" GW_STR_FMT
            "' (it answered %u). The key of this request is not the reason: whoever runs the "
            "gateway must look at the deployment's api_key.",
            GW_STR_ARG(deployment->provider_name), what, GW_STR_ARG(gw_quoted(deployment->id)),
            request->upstream_status),
        .detail = gw_deliver_upstream_text(request)};
}

static void finish_refusal(struct gw_request *request)
{
    struct gw_error error = explain_refusal(request);
    (void)gw_request_fail(request, &error);
    gw_request_run(request);
}

static void read_refusal(struct gw_request *request, struct gw_str bytes)
{
    request->withheld_bytes += bytes.len;
    if (request->withheld_bytes > WITHHELD_MAX_BYTES ||
        gw_openai_tee_feed(&request->tee, bytes) != GW_OK) {
        finish_refusal(request);
    }
}

/* ---- what the attempt tells ---- */

static void on_response(void *user, const struct gw_response_head *head)
{
    struct gw_request *request = user;
    if (request->exchange != NULL) {
        request->timings = *gw_exchange_timings(request->exchange);
    }
    request->upstream_status = head->status;
    gw_counter_add(
        &request->core->counters->upstream_statuses_total[head->status / 100 % GW_STATUS_CLASSES],
        1);
    gw_request_release_body(request);
    gw_request_set_state(request, GW_REQUEST_DELIVER);
    if (refuses_credential(head->status)) {
        gw_deliver_withhold(request, head);
    } else {
        gw_deliver_on_response(request, head);
    }
}

static void on_body(void *user, struct gw_str bytes)
{
    struct gw_request *request = user;
    if (request->is_withheld) {
        read_refusal(request, bytes);
    } else {
        gw_deliver_on_body(request, bytes);
    }
}

static void on_end(void *user)
{
    struct gw_request *request = user;
    request->exchange = NULL;
    request->demo = NULL;
    if (request->is_withheld) {
        gw_err_ignore(gw_openai_tee_end(&request->tee)); /* a text that cannot be read is none */
        finish_refusal(request);
    } else {
        gw_deliver_on_end(request);
    }
}

static void on_writable(void *user)
{
    struct gw_request *request = user;
    if (request->pair != NULL && !request->is_body_complete) {
        gw_downstream_read_body(request->pair, true);
    }
}

/* From what went wrong on the wire to what the client is told. */
static struct gw_error explain_failure(struct gw_request *request,
                                       const struct gw_exchange_failure *failure)
{
    struct gw_arena *arena = &request->arena;
    bool is_timeout = failure->err == GW_ERR_TIMEOUT;
    struct gw_error error = {.class = is_timeout ? GW_ERROR_TIMEOUT : GW_ERROR_UPSTREAM,
                             .status = is_timeout ? 504 : 502,
                             .code =
                                 is_timeout ? GW_STR("upstream_timeout") : GW_STR("upstream_error"),
                             .upstream_status = request->upstream_status,
                             .is_retryable = true,
                             .can_fallback = true};
    const char *phase = gw_exchange_phase_text(failure->phase);
    if (is_timeout) {
        error.message = gw_arena_printf(
            arena,
            "The provider " GW_STR_FMT " did not answer in time: %s took longer than %llu ms.",
            GW_STR_ARG(failure->peer), phase, (unsigned long long)failure->timeout_ms);
    } else {
        error.message = gw_arena_printf(
            arena,
            "The exchange with the provider " GW_STR_FMT " failed during %s: " GW_STR_FMT ".",
            GW_STR_ARG(failure->peer), phase, GW_STR_ARG(failure->detail));
    }
    return error;
}

static void on_error(void *user, const struct gw_exchange_failure *failure)
{
    struct gw_request *request = user;
    request->exchange = NULL;
    gw_counter_add(&request->core->counters->upstream_failures_total[failure->phase], 1);
    if (failure->is_stale && request->state == GW_REQUEST_EXCHANGE &&
        request->exchange_count == 1 && !request->is_streamed_up) {
        gw_counter_add(&request->core->counters->stale_retries_total, 1);
        gw_request_set_state(request, GW_REQUEST_EXCHANGE);
        gw_request_run(request);
        return;
    }
    if (request->is_withheld) {
        finish_refusal(request);
        return;
    }
    struct gw_error error = explain_failure(request, failure);
    if (request->has_begun) {
        gw_deliver_on_failure(request, &error);
        return;
    }
    (void)gw_request_fail(request, &error);
    gw_request_run(request);
}

static const struct gw_exchange_events exchange_events = {
    .on_response = on_response,
    .on_body = on_body,
    .on_end = on_end,
    .on_error = on_error,
    .on_writable = on_writable,
};
