/* SPDX-License-Identifier: MIT */
/* dialect/responses_dialect - the table of OpenAI's Responses API, and what of it is two lines. */
#include "dialect/dialect.h"

#include "dialect/openai.h"
#include "dialect/responses.h"
#include "dialect/responses_chat.h"
#include "dialect/responses_int.h"
#include "json/write.h"

static enum gw_err decode(const struct gw_inbound *in, enum gw_task task, struct gw_arena *arena,
                          struct gw_llm_request *request, struct gw_error *error)
{
    enum gw_err err = gw_openai_decode(in->body, task, arena, request, error);
    request->dialect = GW_DIALECT_RESPONSES;
    return err;
}

static void write_error(const struct gw_error *error, struct gw_str request_id, struct gw_buf *out)
{
    (void)request_id; /* OpenAI has it in a field of the head only */
    gw_openai_write_error(error, out);
}

/* The stream was the provider's own, so its ids and numbers are not known here: what the clients
 * look at is the type, the code and the message. */
static void write_error_event(const struct gw_error *error, struct gw_str request_id,
                              struct gw_buf *out)
{
    const struct gw_encoder_opts opts = {.model = GW_STR(""), .request_id = request_id};
    struct gw_encoder *encoder = gw_responses_encoder_create(&opts);
    if (encoder == NULL) {
        out->err = out->err != GW_OK ? out->err : GW_ERR_NOMEM;
        return;
    }
    gw_responses_make_object(encoder, 0);
    if (gw_responses_begin_event(encoder, GW_STR("response.failed"), out)) {
        gw_json_write_key(GW_STR("response"), out);
        gw_responses_write_object(encoder, GW_RESPONSE_FAILED, error, out);
        gw_responses_end_event(encoder, out);
    }
    gw_responses_encoder_destroy(encoder);
}

const struct gw_dialect gw_dialect_responses = {
    .id = GW_DIALECT_RESPONSES,
    .name = GW_STR_INIT("responses"),
    .decode = decode,
    .to_chat = gw_responses_to_chat,
    .stream_type = GW_STR_INIT("text/event-stream; charset=utf-8"),
    .encoder_create = gw_responses_encoder_create,
    .encode = gw_responses_encode,
    .encoder_destroy = gw_responses_encoder_destroy,
    .write_answer = gw_responses_write_answer,
    .write_error = write_error,
    .write_error_event = write_error_event,
};
