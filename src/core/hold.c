/* SPDX-License-Identifier: MIT */
/* core/hold - the beginning of a verbatim answer is held back until there is something of it that
 * matters, so that an answer that fails before can still come from another deployment. */
#include "core/core_int.h"
#include "core/redact.h"

/* ---- what an error at a stream's beginning says ---- */

struct reading {
    struct gw_request *request;
    struct gw_error error;
};

static enum gw_err on_event(void *user, const struct gw_event *event)
{
    struct reading *reading = user;
    if (event->type == GW_EVENT_ERROR && reading->error.class == GW_ERROR_NONE) {
        struct gw_arena *arena = &reading->request->arena;
        reading->error = *event->error;
        reading->error.code = gw_arena_try_dup(arena, event->error->code);
        reading->error.param = gw_arena_try_dup(arena, event->error->param);
        reading->error.message = gw_arena_try_dup(arena, event->error->message);
        reading->error.detail = gw_str(NULL, 0);
    }
    return GW_OK;
}

/* The API's own decoder knows best. */
static void decode(struct reading *reading, struct gw_str bytes)
{
    const struct gw_attempt *attempt = reading->request->attempt;
    struct gw_decoder_opts opts = {.mode = GW_DECODE_STREAM,
                                   .content_type = GW_STR("text/event-stream"),
                                   .upstream_model = attempt->upstream_model,
                                   .on_event = on_event,
                                   .user = reading};
    struct gw_decoder *decoder = attempt->api->decoder_create(&opts);
    if (decoder == NULL) {
        return;
    }
    enum gw_err err = attempt->api->feed(decoder, gw_buf_str(&reading->request->held));
    err = err == GW_OK ? attempt->api->feed(decoder, bytes) : err;
    (void)err; /* what it could not read is told in general below */
    attempt->api->decoder_destroy(decoder);
}

/* The provider's stream begins with an error: the attempt has failed. */
static struct gw_error read_error(struct gw_request *request, struct gw_str bytes)
{
    struct reading reading = {.request = request};
    decode(&reading, bytes);
    struct gw_error error = reading.error;
    if (error.class == GW_ERROR_NONE) {
        error = (struct gw_error){.class = GW_ERROR_UPSTREAM,
                                  .status = 502,
                                  .is_retryable = true,
                                  .can_fallback = true,
                                  .code = GW_STR("upstream_error"),
                                  .message = gw_str_from_c(request->facts.error_text)};
    }
    error.upstream_status = request->attempt->upstream_status;
    error.message =
        gw_redact(&request->arena, error.message, false, gw_attempt_credential(request->attempt));
    return error;
}

/* ---- holding ---- */

/* Bytes that nobody reads, and a stream that is one array. */
static bool passes_at_once(const struct gw_request *request)
{
    return request->llm.is_json_array ||
           (request->attempt->delivery == GW_DELIVERY_TEE && request->tee.mode == GW_TEE_RAW);
}

static bool must_hold(const struct gw_request *request, struct gw_str bytes)
{
    const struct gw_answer_facts *facts = &request->facts;
    size_t len = request->held.len + bytes.len;
    if (len > GW_REQUEST_HELD_BYTES) {
        return false;
    }
    if (!gw_deliver_is_event_stream(request)) {
        return len < request->response_length && !passes_at_once(request);
    }
    return gw_request_makes_text(request) && facts->output_bytes == 0 && !facts->is_finished;
}

/* The provider's error ends an answer that another deployment may continue. */
static bool must_withhold_error(const struct gw_request *request)
{
    return request->facts.has_error && request->recovery != NULL &&
           gw_recovery_is_possible(request->recovery);
}

enum gw_err gw_hold_release(struct gw_request *request)
{
    enum gw_err err = gw_deliver_begin(request);
    if (err == GW_OK && request->held.len > 0) {
        err = gw_deliver_write(request, gw_buf_str(&request->held));
    }
    gw_buf_fini(&request->held);
    return err;
}

static enum gw_err refuse_empty(struct gw_request *request, struct gw_str body)
{
    request->error = gw_answer_explain_empty(request, body);
    return GW_ERR_CANCELLED;
}

enum gw_err gw_hold_end(struct gw_request *request)
{
    struct gw_str body = gw_buf_str(&request->held);
    bool is_plain = !gw_deliver_is_event_stream(request);
    return is_plain && gw_answer_is_empty(request, body) ? refuse_empty(request, body)
                                                         : gw_hold_release(request);
}

/* With |bytes| there is enough to begin. A plain answer that is complete is looked at as a whole.
 */
static enum gw_err begin_with(struct gw_request *request, struct gw_str bytes)
{
    bool is_whole = request->held.len + bytes.len == request->response_length &&
                    request->response_length <= GW_REQUEST_HELD_BYTES &&
                    !gw_deliver_is_event_stream(request);
    enum gw_err err = GW_OK;
    if (is_whole && request->held.len > 0) {
        err = gw_buf_append(&request->held, bytes);
        return err == GW_OK ? gw_hold_end(request) : err;
    }
    if (is_whole && gw_answer_is_empty(request, bytes)) {
        return refuse_empty(request, bytes);
    }
    err = gw_hold_release(request);
    return err == GW_OK ? gw_deliver_write(request, bytes) : err;
}

enum gw_err gw_hold_forward(struct gw_request *request, struct gw_str bytes)
{
    if (request->recovery != NULL && !request->facts.has_error) {
        gw_recovery_read(request->recovery, bytes);
    }
    if (request->has_begun && must_withhold_error(request)) {
        request->error = read_error(request, bytes);
        return GW_ERR_CANCELLED;
    }
    if (request->has_begun) {
        return gw_deliver_write(request, bytes);
    }
    if (gw_deliver_is_event_stream(request) && gw_request_makes_text(request) &&
        request->facts.has_error && request->facts.output_bytes == 0 &&
        request->attempt->api != NULL) {
        request->error = read_error(request, bytes);
        return GW_ERR_CANCELLED;
    }
    if (!must_hold(request, bytes)) {
        return begin_with(request, bytes);
    }
    if (request->wait == GW_REQUEST_WAIT_NONE && gw_deliver_is_event_stream(request)) {
        gw_request_wait(request, GW_REQUEST_WAIT_HOLD, GW_REQUEST_HELD_MS);
    }
    return gw_buf_append(&request->held, bytes);
}
