/* SPDX-License-Identifier: MIT */
/* dialect/responses_stream - events to the typed events of Responses, and to a plain response. */
#include "base/alloc.h"
#include "dialect/openai.h"
#include "dialect/responses.h"
#include "dialect/responses_int.h"
#include "llm/custom_tools.h"
#include "json/value.h"
#include "json/write.h"

#define ECHO_MAX_BYTES (64u * 1024 * 1024) /* the client's own tools and instructions */

struct gw_encoder *gw_responses_encoder_create(const struct gw_encoder_opts *opts)
{
    struct gw_encoder *encoder = gw_try_alloc(sizeof(*encoder));
    if (encoder == NULL) {
        return NULL;
    }
    *encoder = (struct gw_encoder){.opts = *opts};
    gw_buf_init(&encoder->head, ECHO_MAX_BYTES);
    gw_buf_init(&encoder->echo, ECHO_MAX_BYTES);
    gw_buf_init(&encoder->result, ECHO_MAX_BYTES + 2u * GW_ANSWER_MAX_BYTES);
    return encoder;
}

void gw_responses_encoder_destroy(struct gw_encoder *encoder)
{
    if (encoder == NULL) {
        return;
    }
    for (size_t i = 0; i < encoder->item_count; i++) {
        struct gw_responses_item *item = &encoder->items[i];
        gw_buf_fini(&item->id);
        gw_buf_fini(&item->text);
        gw_buf_fini(&item->parts);
        gw_buf_fini(&item->notes);
        gw_buf_fini(&item->logprobs);
        gw_buf_fini(&item->call_id);
        gw_buf_fini(&item->name);
        gw_buf_fini(&item->name_space);
        gw_buf_fini(&item->done);
    }
    gw_free(encoder->items);
    gw_buf_fini(&encoder->head);
    gw_buf_fini(&encoder->echo);
    gw_buf_fini(&encoder->result);
    gw_free(encoder);
}

/* ---- the beginning ---- */

static void begin(struct gw_encoder *encoder, uint64_t created_s, struct gw_buf *out)
{
    static const struct gw_str types[] = {GW_STR_INIT("response.created"),
                                          GW_STR_INIT("response.in_progress")};
    uint64_t since = encoder->opts.created_s;
    encoder->is_begun = true;
    gw_responses_make_object(encoder, since != 0 ? since : created_s);
    for (size_t i = 0; i < GW_ARRAY_LEN(types); i++) {
        if (gw_responses_begin_event(encoder, types[i], out)) {
            gw_json_write_key(GW_STR("response"), out);
            gw_responses_write_object(encoder, GW_RESPONSE_IN_PROGRESS, NULL, out);
            gw_responses_end_event(encoder, out);
        }
    }
}

/* ---- output ---- */

static void add_text(struct gw_encoder *encoder, const struct gw_event *event, struct gw_buf *out)
{
    struct gw_responses_item *item = gw_responses_open(encoder, GW_ITEM_MESSAGE, out);
    if (item != NULL) {
        gw_responses_open_part(
            encoder, item,
            event->type == GW_EVENT_REFUSAL ? GW_ITEM_PART_REFUSAL : GW_ITEM_PART_TEXT, out);
        gw_responses_delta(encoder, item, event->text, event->logprobs, out);
    }
}

static void add_reasoning(struct gw_encoder *encoder, struct gw_str text, struct gw_buf *out)
{
    struct gw_responses_item *item = gw_responses_open(encoder, GW_ITEM_REASONING, out);
    if (item != NULL) {
        gw_responses_open_part(encoder, item, GW_ITEM_PART_TEXT, out);
        gw_responses_delta(encoder, item, text, gw_str(NULL, 0), out);
    }
}

/* Ends the reasoning item, a new one where none is open, with |value| behind the seal. */
static void seal_reasoning(struct gw_encoder *encoder, enum gw_responses_seal seal,
                           struct gw_str value, struct gw_buf *out)
{
    struct gw_buf encrypted;
    struct gw_responses_item *item = gw_responses_open(encoder, GW_ITEM_REASONING, out);
    if (item == NULL) {
        return;
    }
    gw_buf_init(&encrypted, 2u * GW_ANSWER_MAX_BYTES);
    if (value.len > 0) {
        (void)gw_buf_append(&encrypted, gw_responses_seal_prefix(seal));
        (void)gw_buf_append(&encrypted, value);
    }
    gw_responses_close(encoder, item, gw_buf_str(&encrypted), out);
    encoder->err = encoder->err != GW_OK ? encoder->err : encrypted.err;
    gw_buf_fini(&encrypted);
}

static void add_signature(struct gw_encoder *encoder, const struct gw_event *event,
                          struct gw_buf *out)
{
    const struct gw_event_signature *sign = &event->signature;
    bool is_redacted = event->type == GW_EVENT_REASONING_REDACTED;
    switch (sign->signer) {
    case GW_SIGNER_OPENAI:
        seal_reasoning(encoder, GW_SEAL_NONE, sign->value, out);
        break;
    case GW_SIGNER_ANTHROPIC:
        seal_reasoning(encoder, is_redacted ? GW_SEAL_REDACTED : GW_SEAL_THINKING, sign->value,
                       out);
        break;
    case GW_SIGNER_GOOGLE: /* of a text: Google wants only those of calls back */
    case GW_SIGNER_NONE:
        break;
    }
}

/* {"type":"url_citation","url_citation":{...}} has its members beside the type here. */
static void write_annotation(struct gw_str annotation, struct gw_buf *out)
{
    struct gw_json_reader reader;
    yyjson_val *root = NULL;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    gw_json_reader_init(&reader, annotation.len);
    if (gw_json_read(&reader, annotation, &root) == GW_OK) {
        yyjson_val *inner = gw_json_get(root, yyjson_get_str(gw_json_get(root, "type")));
        (void)gw_buf_append_byte(out, '{');
        gw_json_write_member(GW_STR("type"), gw_json_get_text(root, "type"), out);
        yyjson_obj_foreach(yyjson_is_obj(inner) ? inner : root, index, max, key, value)
        {
            if (!gw_json_is(key, GW_STR("type"))) {
                gw_json_write_key(gw_json_text(key), out);
                gw_json_write(value, out);
            }
        }
        (void)gw_buf_append_byte(out, '}');
    }
    gw_json_reader_fini(&reader);
}

static void add_annotation(struct gw_encoder *encoder, struct gw_str annotation, struct gw_buf *out)
{
    struct gw_responses_item *item = gw_responses_open(encoder, GW_ITEM_MESSAGE, out);
    if (item == NULL) {
        return;
    }
    gw_responses_open_part(encoder, item, GW_ITEM_PART_TEXT, out);
    size_t before = item->notes.len;
    gw_json_write_next(&item->notes);
    size_t at = item->notes.len;
    write_annotation(annotation, &item->notes);
    if (item->notes.len == at) { /* it was no JSON */
        item->notes.len = before;
        return;
    }
    if (gw_responses_begin_item_event(encoder, item,
                                      GW_STR("response.output_text.annotation.added"), out)) {
        gw_json_write_count(GW_STR("content_index"), item->part_count - 1, out);
        gw_json_write_count(GW_STR("annotation_index"), item->note_count, out);
        gw_json_write_raw(GW_STR("annotation"), gw_str_skip(gw_buf_str(&item->notes), at), out);
        gw_responses_end_event(encoder, out);
    }
    item->note_count++;
}

static void add_media(struct gw_encoder *encoder, const struct gw_event_media *media,
                      struct gw_buf *out)
{
    if (!gw_str_has_prefix(media->mime_type, GW_STR("image/"))) {
        /* Responses has no sound: its words at least. */
        if (media->transcript.len > 0) {
            struct gw_event event = {.type = GW_EVENT_TEXT, .text = media->transcript};
            add_text(encoder, &event, out);
        }
        return;
    }
    struct gw_responses_item *item = gw_responses_open(encoder, GW_ITEM_IMAGE, out);
    if (item == NULL) {
        return;
    }
    if (item->text.len == 0) {
        gw_responses_announce(encoder, item, out);
    }
    (void)gw_buf_append(&item->text, media->base64);
}

/* ---- tools ---- */

/* The name as the client declared it. */
static void name_call(struct gw_encoder *encoder, struct gw_responses_item *item,
                      struct gw_str name)
{
    yyjson_val *spaces = gw_json_get(encoder->opts.chat, "_namespaces");
    yyjson_val *own = yyjson_obj_getn(spaces, name.ptr != NULL ? name.ptr : "", name.len);
    (void)gw_buf_append(&item->name, own != NULL ? gw_json_get_text(own, "name") : name);
    (void)gw_buf_append(&item->name_space, gw_json_get_text(own, "namespace"));
}

static void begin_tool(struct gw_encoder *encoder, const struct gw_event_tool *tool,
                       struct gw_buf *out)
{
    bool is_wrapped = !tool->is_custom && gw_is_custom_tool(encoder->opts.chat, tool->name);
    if (tool->thought_signature.len > 0) {
        seal_reasoning(encoder, GW_SEAL_GOOGLE, tool->thought_signature, out);
    }
    struct gw_responses_item *item = gw_responses_open(
        encoder, tool->is_custom || is_wrapped ? GW_ITEM_CUSTOM : GW_ITEM_FUNCTION, out);
    if (item == NULL) {
        return;
    }
    item->is_wrapped = is_wrapped;
    item->tool_index = tool->index;
    if (tool->id.len > 0) {
        (void)gw_buf_append(&item->call_id, tool->id);
    } else {
        (void)gw_buf_append(&item->call_id, GW_STR("call_"));
        (void)gw_buf_append(&item->call_id, encoder->opts.request_id);
        (void)gw_buf_append_byte(&item->call_id, '_');
        (void)gw_buf_append_u64(&item->call_id, tool->index);
    }
    name_call(encoder, item, tool->name);
    gw_responses_announce(encoder, item, out);
}

static struct gw_responses_item *find_tool(const struct gw_encoder *encoder, unsigned index)
{
    for (size_t i = encoder->item_count; i > 0; i--) {
        struct gw_responses_item *item = &encoder->items[i - 1];
        bool is_call = item->type == GW_ITEM_FUNCTION || item->type == GW_ITEM_CUSTOM;
        if (is_call && item->tool_index == index) {
            return item->is_done ? NULL : item;
        }
    }
    return NULL;
}

static void add_arguments(struct gw_encoder *encoder, const struct gw_event_arguments *arguments,
                          struct gw_buf *out)
{
    struct gw_responses_item *item = find_tool(encoder, arguments->index);
    if (item != NULL) {
        gw_responses_delta(encoder, item, arguments->text, gw_str(NULL, 0), out);
    }
}

static void end_tool(struct gw_encoder *encoder, unsigned index, struct gw_buf *out)
{
    struct gw_responses_item *item = find_tool(encoder, index);
    if (item != NULL) {
        gw_responses_close(encoder, item, gw_str(NULL, 0), out);
    }
}

/* ---- the end ---- */

static void tell_result(struct gw_encoder *encoder, enum gw_responses_status status,
                        const struct gw_error *error, struct gw_buf *out)
{
    struct gw_str type = status == GW_RESPONSE_FAILED       ? GW_STR("response.failed")
                         : status == GW_RESPONSE_INCOMPLETE ? GW_STR("response.incomplete")
                                                            : GW_STR("response.completed");
    gw_responses_write_object(encoder, status, error, &encoder->result);
    encoder->err = encoder->err != GW_OK ? encoder->err : encoder->result.err;
    if (gw_responses_begin_event(encoder, type, out)) {
        gw_json_write_raw(GW_STR("response"), gw_buf_str(&encoder->result), out);
        gw_responses_end_event(encoder, out);
    }
    encoder->is_complete = true;
}

static void end(struct gw_encoder *encoder, struct gw_buf *out)
{
    bool is_cut =
        encoder->finish == GW_FINISH_LENGTH || encoder->finish == GW_FINISH_CONTENT_FILTER;
    for (size_t i = 0; i < encoder->item_count; i++) {
        if (!encoder->items[i].is_done) {
            gw_responses_close(encoder, &encoder->items[i], gw_str(NULL, 0), out);
        }
    }
    tell_result(encoder, is_cut ? GW_RESPONSE_INCOMPLETE : GW_RESPONSE_COMPLETED, NULL, out);
}

static void take(struct gw_encoder *encoder, const struct gw_event *event, struct gw_buf *out)
{
    switch (event->type) {
    case GW_EVENT_TEXT:
    case GW_EVENT_REFUSAL:
        add_text(encoder, event, out);
        break;
    case GW_EVENT_REASONING:
        add_reasoning(encoder, event->text, out);
        break;
    case GW_EVENT_REASONING_SIGNATURE:
    case GW_EVENT_REASONING_REDACTED:
        add_signature(encoder, event, out);
        break;
    case GW_EVENT_MEDIA:
        add_media(encoder, &event->media, out);
        break;
    case GW_EVENT_ANNOTATION:
        add_annotation(encoder, event->annotation, out);
        break;
    case GW_EVENT_TOOL_BEGIN:
        begin_tool(encoder, &event->tool, out);
        break;
    case GW_EVENT_TOOL_ARGUMENTS:
        add_arguments(encoder, &event->arguments, out);
        break;
    case GW_EVENT_TOOL_END:
        end_tool(encoder, event->index, out);
        break;
    case GW_EVENT_FINISH:
        encoder->finish = event->finish.reason;
        break;
    case GW_EVENT_USAGE:
        encoder->usage = event->usage;
        break;
    case GW_EVENT_ERROR:
        tell_result(encoder, GW_RESPONSE_FAILED, event->error, out);
        break;
    case GW_EVENT_END:
        end(encoder, out);
        break;
    case GW_EVENT_START:
    case GW_EVENT_PING:
    case GW_EVENT_TYPE_COUNT:
        break;
    }
}

void gw_responses_encode(struct gw_encoder *encoder, const struct gw_event *event,
                         struct gw_buf *out)
{
    if (encoder->is_complete) {
        return;
    }
    if (event->type == GW_EVENT_PING) {
        (void)gw_buf_append(out, encoder->is_plain ? GW_STR("") : GW_STR(": ping\n\n"));
        return;
    }
    if (!encoder->is_begun) {
        begin(encoder, event->type == GW_EVENT_START ? event->start.created_s : 0, out);
    }
    take(encoder, event, out);
    if (encoder->err != GW_OK && out->err == GW_OK) {
        out->err = encoder->err;
    }
}

bool gw_responses_result(const struct gw_encoder *encoder, struct gw_str *response)
{
    *response = gw_buf_str(&encoder->result);
    return encoder->is_complete && encoder->err == GW_OK;
}

/* ---- a plain answer ---- */

struct replay {
    struct gw_encoder *encoder;
    struct gw_buf *out;
};

static gw_on_event_fn on_event;
static enum gw_err on_event(void *user, const struct gw_event *event)
{
    const struct replay *replay = user;
    gw_responses_encode(replay->encoder, event, replay->out);
    return replay->out->err;
}

void gw_responses_write_answer(const struct gw_encoder_opts *opts, const struct gw_answer *answer,
                               struct gw_buf *out)
{
    struct replay replay = {.encoder = gw_responses_encoder_create(opts), .out = out};
    struct gw_str response;
    if (replay.encoder == NULL) {
        out->err = out->err != GW_OK ? out->err : GW_ERR_NOMEM;
        return;
    }
    replay.encoder->is_plain = true;
    enum gw_err err = gw_answer_replay(answer, on_event, &replay);
    if (err == GW_OK && gw_responses_result(replay.encoder, &response)) {
        (void)gw_buf_append(out, response);
    } else if (out->err == GW_OK) {
        out->err = err != GW_OK ? err : GW_ERR_INVALID;
    }
    gw_responses_encoder_destroy(replay.encoder);
}
