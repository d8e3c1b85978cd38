/* SPDX-License-Identifier: MIT */
/* provider/responses_decoder - the frame of an answer, and the table of the API. */
#include "base/alloc.h"
#include "provider/openai_api_int.h"
#include "provider/openai_error.h"
#include "provider/openai_request.h"
#include "provider/responses_int.h"

/* ---- requests ---- */

static bool speaks(const struct gw_deployment *deployment, enum gw_dialect_id dialect,
                   enum gw_task task, struct gw_str upstream_model)
{
    (void)deployment;
    (void)upstream_model;
    return task == GW_TASK_RESPONSE &&
           (dialect == GW_DIALECT_RESPONSES || dialect == GW_DIALECT_OPENAI);
}

static enum gw_err patch(const struct gw_provider_input *in, struct gw_str path,
                         struct gw_str query, struct gw_str body, struct gw_json_splice *splice,
                         struct gw_provider_call *call)
{
    call->method = GW_STR("POST");
    call->target = gw_openai_target(in->deployment, path, query, in->arena);
    return call->target.ptr == NULL ? GW_ERR_NOMEM : gw_openai_plan_patch(in, body, splice, call);
}

static enum gw_err encode(const struct gw_provider_input *in, yyjson_val *chat,
                          struct gw_provider_call *call)
{
    call->method = GW_STR("POST");
    call->target =
        gw_openai_target(in->deployment, GW_STR("/responses"), gw_str(NULL, 0), in->arena);
    enum gw_err err = call->target.ptr == NULL ? GW_ERR_NOMEM : gw_openai_add_fields(in, call);
    return err == GW_OK ? gw_responses_encode_body(in, chat, &call->body) : err;
}

static enum gw_err authorize(const struct gw_authorize_input *in, struct gw_provider_call *call)
{
    return gw_api_openai.authorize(in, call);
}

/* ---- answers ---- */

static struct gw_decoder *decoder_create(const struct gw_decoder_opts *opts)
{
    struct gw_decoder *decoder = gw_try_alloc(sizeof(*decoder));
    if (decoder == NULL) {
        return NULL;
    }
    *decoder = (struct gw_decoder){.opts = *opts};
    /* Some servers answer a stream's request with one document. */
    if (gw_str_has_prefix_nocase(opts->content_type, GW_STR("application/json"))) {
        decoder->opts.mode = GW_DECODE_PLAIN;
    }
    gw_sse_init(&decoder->sse, GW_PROVIDER_MAX_EVENT_BYTES);
    gw_json_reader_init(&decoder->reader, GW_PROVIDER_MAX_ANSWER_BYTES);
    gw_buf_init(&decoder->body, GW_PROVIDER_MAX_ANSWER_BYTES);
    gw_buf_init(&decoder->scratch, GW_PROVIDER_MAX_ANSWER_BYTES);
    return decoder;
}

static void decoder_destroy(struct gw_decoder *decoder)
{
    if (decoder != NULL) {
        gw_sse_fini(&decoder->sse);
        gw_json_reader_fini(&decoder->reader);
        gw_buf_fini(&decoder->body);
        gw_buf_fini(&decoder->scratch);
        gw_free(decoder->calls);
        gw_free(decoder);
    }
}

enum gw_err gw_responses_give(struct gw_decoder *decoder, const struct gw_event *event)
{
    return decoder->opts.on_event(decoder->opts.user, event);
}

static enum gw_err take(struct gw_decoder *decoder, const struct gw_sse_event *event, bool is_last)
{
    yyjson_val *root = NULL;
    if (decoder->is_ended || gw_str_trim(event->data).len == 0 ||
        gw_str_has_prefix(event->data, GW_STR("[DONE]"))) {
        return GW_OK;
    }
    enum gw_err err = gw_json_read(&decoder->reader, event->data, &root);
    if (err == GW_ERR_INVALID) {
        return is_last ? GW_OK : GW_ERR_PROTOCOL; /* half an event is no event */
    }
    return err == GW_OK ? gw_responses_read_event(decoder, root) : err;
}

static gw_sse_on_event_fn on_event;
static enum gw_err on_event(void *user, const struct gw_sse_event *event)
{
    return take(user, event, false);
}

static gw_sse_on_event_fn on_last_event;
static enum gw_err on_last_event(void *user, const struct gw_sse_event *event)
{
    return take(user, event, true);
}

static enum gw_err feed(struct gw_decoder *decoder, struct gw_str bytes)
{
    if (decoder->err == GW_OK && !decoder->is_ended) {
        decoder->err = decoder->opts.mode == GW_DECODE_PLAIN
                           ? gw_buf_append(&decoder->body, bytes)
                           : gw_sse_feed(&decoder->sse, bytes, on_event, decoder);
    }
    return decoder->err;
}

static enum gw_err end_plain(struct gw_decoder *decoder)
{
    yyjson_val *root = NULL;
    struct gw_str body = gw_str_trim(gw_buf_str(&decoder->body));
    if (body.len == 0) {
        return GW_ERR_EOF;
    }
    enum gw_err err = gw_json_read(&decoder->reader, body, &root);
    if (err != GW_OK) {
        return err == GW_ERR_INVALID ? GW_ERR_PROTOCOL : err;
    }
    return gw_responses_read_response(decoder, root);
}

static enum gw_err end_stream(struct gw_decoder *decoder)
{
    enum gw_err err = gw_sse_finish(&decoder->sse, on_last_event, decoder);
    return err != GW_OK || decoder->is_ended ? err : GW_ERR_EOF;
}

static enum gw_err end(struct gw_decoder *decoder)
{
    if (decoder->err == GW_OK && !decoder->is_ended) {
        decoder->err =
            decoder->opts.mode == GW_DECODE_PLAIN ? end_plain(decoder) : end_stream(decoder);
    }
    return decoder->err;
}

const struct gw_provider_api gw_api_responses = {
    .name = GW_STR_INIT("responses"),
    .speaks = speaks,
    .patch = patch,
    .encode = encode,
    .authorize = authorize,
    .decoder_create = decoder_create,
    .feed = feed,
    .end = end,
    .decoder_destroy = decoder_destroy,
    .read_error = gw_openai_read_error,
};
