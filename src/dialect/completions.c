/* SPDX-License-Identifier: MIT */
/*
 * dialect/completions - the legacy /v1/completions over chat models: a prompt becomes one message
 * of the user, what the model says becomes "text". Reasoning and tool calls have no place in this
 * shape and are left out of the answer; nothing asks for them.
 */
#include "base/alloc.h"
#include "dialect/dialect.h"
#include "dialect/openai.h"
#include "dialect/openai_int.h"
#include "json/value.h"

#define HEAD_MAX_BYTES (64u * 1024) /* the ids are bounded, the client's model name too */

/* ---- the request ---- */

static enum gw_err decode(const struct gw_inbound *in, enum gw_task task, struct gw_arena *arena,
                          struct gw_llm_request *request, struct gw_error *error)
{
    enum gw_err err = gw_openai_decode(in->body, task, arena, request, error);
    request->dialect = GW_DIALECT_COMPLETIONS;
    return err;
}

/* The one prompt: a text, or a list of one; ptr NULL otherwise. */
static struct gw_str find_prompt(yyjson_val *root)
{
    yyjson_val *prompt = gw_json_get(root, "prompt");
    if (yyjson_arr_size(prompt) == 1) {
        prompt = yyjson_arr_get_first(prompt);
    }
    return gw_json_text(prompt);
}

/* What a chat model cannot do. */
static enum gw_err check_members(yyjson_val *root, struct gw_notes *notes)
{
    enum gw_err err = GW_OK;
    if (gw_json_get(root, "suffix") != NULL) {
        err = gw_notes_refuse(notes, GW_STR("suffix"),
                              GW_STR("This model chats; it cannot write what stands before a "
                                     "suffix."));
    }
    if (err == GW_OK && gw_json_get_true(root, "echo")) {
        err = gw_notes_refuse(notes, GW_STR("echo"),
                              GW_STR("The prompt cannot be repeated in front of the answer."));
    }
    if (gw_json_get_u64(root, "best_of", 1) > 1) {
        gw_notes_add(notes, GW_NOTE_DROPPED, GW_STR("best_of"),
                     GW_STR("not sent: chat models write one answer."));
    }
    if (gw_json_get(root, "logprobs") != NULL) {
        gw_notes_add(notes, GW_NOTE_DROPPED, GW_STR("logprobs"),
                     GW_STR("not sent: chat models count them in another shape."));
    }
    return err;
}

static bool make_chat(yyjson_mut_doc *doc, yyjson_val *root, struct gw_str prompt)
{
    static const char *const copied[] = {
        "model", "max_tokens",       "temperature",       "top_p", "n",         "stop",
        "seed",  "presence_penalty", "frequency_penalty", "user",  "logit_bias"};
    yyjson_mut_val *chat = yyjson_mut_obj(doc);
    yyjson_mut_val *messages = yyjson_mut_arr(doc);
    yyjson_mut_val *message = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, chat);
    bool is_made = yyjson_mut_obj_add_val(doc, chat, "messages", messages) &&
                   yyjson_mut_arr_append(messages, message) &&
                   yyjson_mut_obj_add_str(doc, message, "role", "user") &&
                   gw_json_add_text(doc, message, "content", prompt);
    for (size_t i = 0; i < GW_ARRAY_LEN(copied) && is_made; i++) {
        is_made = gw_json_add_copy(doc, chat, copied[i], gw_json_get(root, copied[i]));
    }
    return is_made;
}

static enum gw_err translate(yyjson_val *root, struct gw_notes *notes, yyjson_doc **chat)
{
    struct gw_str prompt = find_prompt(root);
    if (prompt.ptr == NULL) {
        return gw_notes_invalid(notes, GW_STR("prompt"),
                                GW_STR("'prompt' must be one text: this model chats, and lists of "
                                       "prompts or tokens cannot be sent to it."));
    }
    enum gw_err err = check_members(root, notes);
    if (err != GW_OK) {
        return err;
    }
    gw_notes_add(notes, GW_NOTE_CHANGED, GW_STR("prompt"),
                 GW_STR("sent as a message of the user: this model chats."));
    yyjson_mut_doc *doc = yyjson_mut_doc_new(&gw_json_allocator);
    if (doc != NULL && make_chat(doc, root, prompt)) {
        *chat = yyjson_mut_doc_imut_copy(doc, &gw_json_allocator);
    }
    yyjson_mut_doc_free(doc);
    return *chat != NULL ? GW_OK : GW_ERR_NOMEM;
}

static enum gw_err to_chat(const struct gw_inbound *in, const struct gw_llm_request *request,
                           struct gw_notes *notes, yyjson_doc **chat)
{
    (void)request;
    yyjson_doc *body = NULL;
    yyjson_doc *made = NULL;
    enum gw_err err = gw_openai_read_body(in->body, notes, &body);
    if (err == GW_OK) {
        err = translate(yyjson_doc_get_root(body), notes, &made);
        yyjson_doc_free(body);
    }
    if (err == GW_OK) {
        *chat = made;
    }
    return err;
}

/* ---- the stream ---- */

struct gw_encoder {
    struct gw_encoder_opts opts;
    struct gw_buf head; /* "data: {...,"choices":[" */
    struct gw_usage usage;
    enum gw_finish finish;
    bool is_finish_told;
    bool is_complete;
};

static struct gw_openai_identity identity_of(const struct gw_event_start *start)
{
    return (struct gw_openai_identity){.prefix = GW_STR("cmpl-"),
                                       .object = GW_STR("text_completion"),
                                       .id = start->id,
                                       .model = start->model,
                                       .created_s = start->created_s};
}

static void make_head(struct gw_encoder *encoder, const struct gw_event_start *start)
{
    struct gw_openai_identity identity = identity_of(start);
    gw_buf_reset(&encoder->head);
    (void)gw_buf_append(&encoder->head, GW_STR("data: {"));
    gw_openai_write_identity(&encoder->opts, &identity, &encoder->head);
    (void)gw_buf_append(&encoder->head, GW_STR(",\"choices\":["));
}

static struct gw_encoder *encoder_create(const struct gw_encoder_opts *opts)
{
    struct gw_encoder *encoder = gw_try_alloc(sizeof(*encoder));
    if (encoder != NULL) {
        *encoder = (struct gw_encoder){.opts = *opts};
        gw_buf_init(&encoder->head, HEAD_MAX_BYTES);
        make_head(encoder, &(struct gw_event_start){0});
    }
    return encoder;
}

static void encoder_destroy(struct gw_encoder *encoder)
{
    if (encoder != NULL) {
        gw_buf_fini(&encoder->head);
        gw_free(encoder);
    }
}

static void write_head(const struct gw_encoder *encoder, struct gw_buf *out)
{
    if (encoder->head.err != GW_OK && out->err == GW_OK) {
        out->err = encoder->head.err;
    }
    (void)gw_buf_append(out, gw_buf_str(&encoder->head));
}

static bool tells_usage(const struct gw_encoder *encoder)
{
    return encoder->opts.request != NULL && encoder->opts.request->wants_usage;
}

/* |finish| is JSON: null or a text with quotes. */
static void write_chunk(const struct gw_encoder *encoder, struct gw_str text, struct gw_str finish,
                        struct gw_buf *out)
{
    write_head(encoder, out);
    (void)gw_buf_append(out, GW_STR("{\"text\":\""));
    (void)gw_buf_append_json(out, text);
    (void)gw_buf_append(out, GW_STR("\",\"index\":0,\"logprobs\":null,\"finish_reason\":"));
    (void)gw_buf_append(out, finish);
    (void)gw_buf_append(out, tells_usage(encoder) ? GW_STR("}],\"usage\":null}\n\n")
                                                  : GW_STR("}]}\n\n"));
}

/* This shape has no tool calls, so the answer just ends. */
static struct gw_str finish_json(enum gw_finish finish)
{
    if (finish == GW_FINISH_LENGTH) {
        return GW_STR("\"length\"");
    }
    return finish == GW_FINISH_CONTENT_FILTER ? GW_STR("\"content_filter\"") : GW_STR("\"stop\"");
}

static void write_finish(struct gw_encoder *encoder, struct gw_buf *out)
{
    if (!encoder->is_finish_told) {
        encoder->is_finish_told = true;
        write_chunk(encoder, gw_str(NULL, 0), finish_json(encoder->finish), out);
    }
}

static void write_end(struct gw_encoder *encoder, struct gw_buf *out)
{
    write_finish(encoder, out);
    if (tells_usage(encoder) && encoder->usage.is_known) {
        write_head(encoder, out);
        (void)gw_buf_append(out, GW_STR("]"));
        gw_openai_write_usage(&encoder->usage, out);
        (void)gw_buf_append(out, GW_STR("}\n\n"));
    }
    (void)gw_buf_append(out, GW_STR("data: [DONE]\n\n"));
    encoder->is_complete = true;
}

static void encode(struct gw_encoder *encoder, const struct gw_event *event, struct gw_buf *out)
{
    if (encoder->is_complete) {
        return;
    }
    switch (event->type) {
    case GW_EVENT_START:
        make_head(encoder, &event->start);
        break;
    case GW_EVENT_TEXT:
    case GW_EVENT_REFUSAL:
        write_chunk(encoder, event->text, GW_STR("null"), out);
        break;
    case GW_EVENT_FINISH:
        encoder->finish = event->finish.reason;
        write_finish(encoder, out);
        break;
    case GW_EVENT_USAGE:
        encoder->usage = event->usage;
        break;
    case GW_EVENT_ERROR:
        gw_openai_write_error_event(event->error, out);
        encoder->is_complete = true;
        break;
    case GW_EVENT_PING:
        (void)gw_buf_append(out, GW_STR(": ping\n\n"));
        break;
    case GW_EVENT_END:
        write_end(encoder, out);
        break;
    case GW_EVENT_REASONING:
    case GW_EVENT_REASONING_SIGNATURE:
    case GW_EVENT_REASONING_REDACTED:
    case GW_EVENT_MEDIA:
    case GW_EVENT_ANNOTATION:
    case GW_EVENT_TOOL_BEGIN:
    case GW_EVENT_TOOL_ARGUMENTS:
    case GW_EVENT_TOOL_END:
    case GW_EVENT_TYPE_COUNT:
        break;
    }
}

/* ---- the plain answer ---- */

static void write_answer(const struct gw_encoder_opts *opts, const struct gw_answer *answer,
                         struct gw_buf *out)
{
    struct gw_event_start start = {.id = gw_buf_str(&answer->id),
                                   .model = gw_buf_str(&answer->model),
                                   .created_s = answer->created_s};
    struct gw_openai_identity identity = identity_of(&start);
    (void)gw_buf_append(out, GW_STR("{"));
    gw_openai_write_identity(opts, &identity, out);
    (void)gw_buf_append(out, GW_STR(",\"choices\":[{\"text\":\""));
    for (size_t i = 0; i < answer->part_count; i++) {
        enum gw_answer_part_type type = answer->parts[i].type;
        if (type == GW_PART_TEXT || type == GW_PART_REFUSAL) {
            (void)gw_buf_append_json(out, gw_buf_str(&answer->parts[i].text));
        }
    }
    (void)gw_buf_append(out, GW_STR("\",\"index\":0,\"logprobs\":null,\"finish_reason\":"));
    (void)gw_buf_append(out, finish_json(answer->finish));
    (void)gw_buf_append(out, GW_STR("}]"));
    if (answer->usage.is_known) {
        gw_openai_write_usage(&answer->usage, out);
    }
    (void)gw_buf_append(out, GW_STR("}"));
}

static void write_error(const struct gw_error *error, struct gw_str request_id, struct gw_buf *out)
{
    (void)request_id;
    gw_openai_write_error(error, out);
}

static void write_error_event(const struct gw_error *error, struct gw_str request_id,
                              struct gw_buf *out)
{
    (void)request_id;
    gw_openai_write_error_event(error, out);
}

const struct gw_dialect gw_dialect_completions = {
    .id = GW_DIALECT_COMPLETIONS,
    .name = GW_STR_INIT("completions"),
    .decode = decode,
    .to_chat = to_chat,
    .stream_type = GW_STR_INIT("text/event-stream; charset=utf-8"),
    .encoder_create = encoder_create,
    .encode = encode,
    .encoder_destroy = encoder_destroy,
    .write_answer = write_answer,
    .write_error = write_error,
    .write_error_event = write_error_event,
};
