/* SPDX-License-Identifier: MIT */
/* core/exchange - one attempt: what is sent, and what its failure means. The only place that sends
 * again. */
#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/core_int.h"
#include "provider/provider.h"

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

/* What could not be planned: the translation says why, or it is our own failure. */
static enum gw_step fail_plan(struct gw_request *request, enum gw_err err, struct gw_error *error)
{
    if (error->class != GW_ERROR_NONE) {
        return gw_request_again(request, error);
    }
    if (err != GW_ERR_NOT_FOUND) {
        return fail_here(request, err);
    }
    *error = (struct gw_error){
        .class = GW_ERROR_UPSTREAM,
        .status = 503,
        .retry_after_s = 1,
        .is_credential = true,
        .can_fallback = true,
        .code = GW_STR("upstream_credential_missing"),
        .message = gw_arena_printf(&request->arena,
                                   "The gateway has no access token for the deployment '" GW_STR_FMT
                                   "' yet. Try again in a second; the gateway's log says why when "
                                   "it goes on.",
                                   GW_STR_ARG(gw_quoted(request->attempt->deployment->id)))};
    return gw_request_again(request, error);
}

/* The demo speaks OpenAI's chat completions; other dialects are translated for it, too. */
static enum gw_step start_demo(struct gw_request *request)
{
    struct gw_llm_request asked = request->llm;
    struct gw_str body = gw_buf_str(&request->body);
    struct gw_error error = {0};
    struct gw_provider_call *call = NULL;
    enum gw_err err = GW_OK;
    if (asked.dialect != GW_DIALECT_OPENAI && asked.task != GW_TASK_EMBEDDING) {
        err = gw_plan_translation(request, &gw_api_openai, &call, &error);
        asked = (struct gw_llm_request){.dialect = GW_DIALECT_OPENAI,
                                        .task = GW_TASK_CHAT,
                                        .is_stream = asked.is_stream,
                                        .wants_usage = true};
        body = err == GW_OK ? gw_buf_str(&call->body) : body;
        request->attempt->delivery = GW_DELIVERY_TRANSLATED;
    }
    if (err != GW_OK) {
        return fail_plan(request, err, &error);
    }
    /* The demo always tells its usage, as if it was asked. */
    request->attempt->usage_injected = call == NULL && !request->llm.wants_usage;
    if (gw_demo_start(request->core->loop, &asked, body, &exchange_events, request->attempt,
                      &request->attempt->demo) == GW_OK) {
        return GW_STEP_WAIT;
    }
    error = (struct gw_error){.class = GW_ERROR_CLIENT,
                              .status = 400,
                              .param = GW_STR("model"),
                              .code = GW_STR("unsupported_model"),
                              .message = GW_STR("The built-in model gatewire/demo answers chat "
                                                "requests only; use another model here.")};
    return gw_request_fail(request, &error);
}

struct gw_exchange_request gw_exchange_prepare(const struct gw_request *request, bool is_fresh)
{
    const struct gw_deployment *deployment = request->attempt->deployment;
    struct gw_exchange_request exchange = {
        .pool = request->conf->pools[deployment->origin_index],
        .is_streamed = request->is_streamed_up,
        .content_length = request->pair->head->content_length,
        .timeouts = deployment->timeouts,
        /* A streamed body cannot be sent twice, so it does not go over a connection that may be
           dead. */
        .fresh_connection = is_fresh || request->is_streamed_up,
    };
    if (request->llm.is_stream) {
        exchange.timeouts.total_ms = deployment->timeouts.stream_total_ms;
        exchange.timeouts.first_byte_ms = deployment->timeouts.stream_first_byte_ms;
    }
    return exchange;
}

enum gw_err gw_exchange_begin(struct gw_request *request, bool is_fresh, struct gw_error *error,
                              bool *is_planned)
{
    struct gw_attempt *attempt = request->attempt;
    struct gw_exchange_request exchange = gw_exchange_prepare(request, is_fresh);
    enum gw_err err = gw_plan_exchange(request, &exchange, error);
    *is_planned = err == GW_OK;
    return err == GW_OK
               ? gw_exchange_start(&exchange, &exchange_events, attempt, &attempt->exchange)
               : err;
}

static enum gw_step start_exchange(struct gw_request *request, bool is_fresh)
{
    struct gw_error error = {0};
    bool is_planned = false;
    enum gw_err err = gw_exchange_begin(request, is_fresh, &error, &is_planned);
    if (err != GW_OK) {
        return is_planned ? fail_start(request, err) : fail_plan(request, err, &error);
    }
    if (request->is_streamed_up) {
        gw_downstream_read_body(request->pair, true);
    } else {
        gw_hedge_plan(request);
        gw_mirror_request(request);
    }
    return GW_STEP_WAIT;
}

/* Clients that count before they ask get our estimate where the provider has no count of its own.
 */
static enum gw_step answer_token_count(struct gw_request *request)
{
    struct gw_buf body;
    uint64_t tokens = gw_token_estimates_guess(
        request->core->estimates, request->attempt->upstream_model, request->received_bytes);
    gw_buf_init(&body, GW_REQUEST_KEEP_BYTES);
    request->dialect->write_token_count(tokens, &body);
    gw_respond_json(request, 200, gw_buf_str(&body), NULL, 0);
    gw_buf_fini(&body);
    gw_request_set_state(request, GW_REQUEST_SETTLE);
    return GW_STEP_GO;
}

static bool counts_tokens_here(const struct gw_request *request)
{
    return request->llm.task == GW_TASK_TOKEN_COUNT &&
           (request->attempt->api == NULL ||
            !request->attempt->api->speaks(request->attempt->deployment, request->llm.dialect,
                                           request->llm.task, request->attempt->upstream_model));
}

static enum gw_step begin_attempt(struct gw_request *request, bool fresh)
{
    request->exchange_count++;
    gw_deliver_reset(request);
    request->attempt->api =
        gw_api_for(request->attempt->deployment, request->attempt->upstream_model, &request->llm);
    if (counts_tokens_here(request)) {
        return answer_token_count(request);
    }
    if (request->attempt->api == NULL) {
        return start_demo(request);
    }
    return start_exchange(request, fresh);
}

enum gw_step gw_state_exchange(struct gw_request *request)
{
    return begin_attempt(request, request->attempt->was_stale);
}

void gw_request_cancel_exchange(struct gw_request *request)
{
    gw_attempt_cancel(request->attempt);
    if (request->rival != NULL) {
        gw_attempt_cancel(request->rival);
    }
}

void gw_request_pause_exchange(struct gw_request *request, bool paused)
{
    if (request->attempt->exchange != NULL) {
        gw_exchange_pause(request->attempt->exchange, paused);
    } else if (request->attempt->demo != NULL) {
        gw_demo_pause(request->attempt->demo, paused);
    }
}

void gw_request_release_body(struct gw_request *request)
{
    if (request->attempt->exchange == NULL ||
        gw_exchange_timings(request->attempt->exchange)->sent_at_ns != 0) {
        gw_buf_fini(&request->body);
    }
}

/* ---- what the attempt tells ---- */

static void learn_limits(struct gw_attempt *attempt, const struct gw_response_head *head)
{
    gw_rate_headers_start(&attempt->rate, gw_clock_wall_ms());
    for (size_t i = 0; i < head->header_count; i++) {
        gw_rate_headers_add(&attempt->rate, head->headers[i].name, head->headers[i].value);
    }
}

static void on_response(void *user, const struct gw_response_head *head)
{
    struct gw_attempt *attempt = user;
    struct gw_request *request = attempt->request;
    if (attempt->exchange != NULL) {
        attempt->timings = *gw_exchange_timings(attempt->exchange);
        learn_limits(attempt, head);
    }
    attempt->upstream_status = head->status;
    gw_counter_add(
        &request->core->counters->upstream_statuses_total[head->status / 100 % GW_STATUS_CLASSES],
        1);
    if (!gw_hedge_on_response(attempt, head)) {
        return;
    }
    gw_request_set_state(request, GW_REQUEST_DELIVER);
    if (head->status >= 400 && attempt->api != NULL) {
        attempt->delivery = GW_DELIVERY_WITHHELD;
        gw_withhold_on_response(request, head);
    } else if (attempt->delivery == GW_DELIVERY_TRANSLATED) {
        gw_deliver_translated_on_response(request, head);
    } else {
        gw_deliver_on_response(request, head);
    }
}

static void on_body(void *user, struct gw_str bytes)
{
    struct gw_request *request = ((struct gw_attempt *)user)->request;
    if (request->attempt->delivery == GW_DELIVERY_WITHHELD) {
        gw_withhold_on_body(request, bytes);
    } else if (request->attempt->delivery == GW_DELIVERY_TRANSLATED) {
        gw_deliver_translated_on_body(request, bytes);
    } else {
        gw_deliver_on_body(request, bytes);
    }
}

static void on_end(void *user)
{
    struct gw_request *request = ((struct gw_attempt *)user)->request;
    request->attempt->exchange = NULL;
    request->attempt->demo = NULL;
    if (request->attempt->delivery == GW_DELIVERY_WITHHELD) {
        gw_withhold_on_end(request);
    } else if (request->attempt->delivery == GW_DELIVERY_TRANSLATED) {
        gw_deliver_translated_on_end(request);
    } else {
        gw_deliver_on_end(request);
    }
}

static void on_writable(void *user)
{
    struct gw_request *request = ((struct gw_attempt *)user)->request;
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
                             .upstream_status = request->attempt->upstream_status,
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

/* A pooled connection may have been closed by the other side before it saw the request. */
static bool must_send_again(const struct gw_attempt *attempt,
                            const struct gw_exchange_failure *failure)
{
    return failure->is_stale && attempt->request->state == GW_REQUEST_EXCHANGE &&
           !attempt->was_stale && !attempt->request->is_streamed_up &&
           attempt->request->rival == NULL;
}

static void on_error(void *user, const struct gw_exchange_failure *failure)
{
    struct gw_attempt *attempt = user;
    struct gw_request *request = attempt->request;
    if (attempt->exchange != NULL) {
        attempt->timings = *gw_exchange_timings(attempt->exchange);
    }
    attempt->exchange = NULL;
    attempt->demo = NULL;
    gw_counter_add(&request->core->counters->upstream_failures_total[failure->phase], 1);
    if (must_send_again(attempt, failure)) {
        attempt->was_stale = true;
        gw_counter_add(&request->core->counters->stale_retries_total, 1);
        gw_request_set_state(request, GW_REQUEST_EXCHANGE);
        gw_request_run(request);
        return;
    }
    if (request->state == GW_REQUEST_DELIVER &&
        request->attempt->delivery == GW_DELIVERY_WITHHELD) {
        gw_withhold_on_end(request); /* it was an error before it broke off */
        return;
    }
    struct gw_error error = explain_failure(request, failure);
    if (gw_hedge_on_failure(attempt, &error)) {
        return;
    }
    if (!request->has_begun) {
        gw_request_attempt_failed(request, &error);
    } else if (request->attempt->delivery == GW_DELIVERY_TRANSLATED) {
        gw_deliver_translated_on_failure(request, &error);
    } else {
        gw_deliver_on_failure(request, &error);
    }
}

static const struct gw_exchange_events exchange_events = {
    .on_response = on_response,
    .on_body = on_body,
    .on_end = on_end,
    .on_error = on_error,
    .on_writable = on_writable,
};
