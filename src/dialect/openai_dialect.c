/* SPDX-License-Identifier: MIT */
/* dialect/openai_dialect - the table of OpenAI's chat completions, and what of it is two lines. */
#include "dialect/dialect.h"

#include "dialect/openai.h"
#include "dialect/openai_answer.h"
#include "dialect/openai_int.h"
#include "dialect/openai_stream.h"
#include "json/value.h"

static enum gw_err decode(const struct gw_inbound *in, enum gw_task task, struct gw_arena *arena,
                          struct gw_llm_request *request, struct gw_error *error)
{
    return gw_openai_decode(in->body, task, arena, request, error);
}

static enum gw_err to_chat(const struct gw_inbound *in, const struct gw_llm_request *request,
                           struct gw_notes *notes, yyjson_doc **chat)
{
    (void)request;
    yyjson_doc *doc = NULL;
    enum gw_err err = gw_openai_read_body(in->body, notes, &doc);
    if (err != GW_OK) {
        return err;
    }
    yyjson_val *messages = gw_json_get(yyjson_doc_get_root(doc), "messages");
    if (!yyjson_is_arr(messages) || yyjson_arr_size(messages) == 0) {
        yyjson_doc_free(doc);
        return gw_notes_invalid(notes, GW_STR("messages"),
                                GW_STR("'messages' must be an array with at least one message."));
    }
    *chat = doc;
    return GW_OK;
}

static enum gw_err to_embeddings(const struct gw_inbound *in, const struct gw_llm_request *request,
                                 struct gw_notes *notes, yyjson_doc **openai)
{
    (void)request;
    yyjson_doc *doc = NULL;
    enum gw_err err = gw_openai_read_body(in->body, notes, &doc);
    if (err != GW_OK) {
        return err;
    }
    if (gw_json_get(yyjson_doc_get_root(doc), "input") == NULL) {
        yyjson_doc_free(doc);
        return gw_notes_invalid(notes, GW_STR("input"), GW_STR("'input' is missing."));
    }
    *openai = doc;
    return GW_OK;
}

static void write_error(const struct gw_error *error, struct gw_str request_id, struct gw_buf *out)
{
    (void)request_id; /* OpenAI has it in a field of the head only */
    gw_openai_write_error(error, out);
}

static void write_error_event(const struct gw_error *error, struct gw_str request_id,
                              struct gw_buf *out)
{
    (void)request_id;
    gw_openai_write_error_event(error, out);
}

const struct gw_dialect gw_dialect_openai = {
    .id = GW_DIALECT_OPENAI,
    .name = GW_STR_INIT("openai"),
    .decode = decode,
    .to_chat = to_chat,
    .to_embeddings = to_embeddings,
    .write_embeddings = gw_openai_write_embeddings,
    .stream_type = GW_STR_INIT("text/event-stream; charset=utf-8"),
    .encoder_create = gw_openai_encoder_create,
    .encode = gw_openai_encode,
    .encoder_destroy = gw_openai_encoder_destroy,
    .write_answer = gw_openai_write_answer,
    .write_error = write_error,
    .write_error_event = write_error_event,
};
