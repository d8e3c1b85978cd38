/* SPDX-License-Identifier: MIT */
/*
 * dialect/anthropic_stream - events to the events of a Messages stream (inbound.md A5).
 *
 * Clients take one content block at a time. Blocks stand in a queue in the order they began: what
 * belongs to the first goes out at once, what belongs to a later one waits in it until all before
 * it have ended. Only a tool call keeps its block open when something else begins.
 *
 *   TOOL_BEGIN 0, ARGUMENTS 0, TOOL_BEGIN 1, ARGUMENTS 1, ARGUMENTS 0, TOOL_END 0 ...
 *   out at once  ^^^^^^^^^^^                              ^^^^^^^^^^^
 *   waits                      ^^^^^^^^^^^^^^^^^^^^^^^^^^              until here
 */
#include "base/alloc.h"
#include "dialect/anthropic_int.h"
#include "json/write.h"

#define SMALL_TEXT_BYTES (64u * 1024) /* ids, the model's name, the stop sequence */

#define EVENT(type) "event: " type "\ndata: {\"type\":\"" type "\""

enum kind {
    KIND_TEXT,
    KIND_THINKING,
    KIND_REDACTED,
    KIND_TOOL,
};

struct block {
    enum kind kind;
    unsigned tool;  /* index of the call */
    unsigned index; /* on the wire */
    bool is_ended;
    struct gw_buf waiting; /* while it is not the first */
};

struct gw_encoder {
    struct gw_encoder_opts opts;
    struct block *blocks;
    size_t first;
    size_t count; /* |first| included */
    size_t capacity;
    size_t waiting_bytes;
    struct gw_buf *out; /* of the call that is under way */
    struct gw_buf id;
    struct gw_buf model;
    struct gw_buf stop_sequence;
    struct gw_usage usage;
    enum gw_finish finish;
    unsigned next_index;
    bool has_tools;
    bool is_started; /* message_start is out */
    bool in_medium;  /* the last event was a piece of one */
    bool is_complete;
};

struct gw_encoder *gw_messages_encoder_create(const struct gw_encoder_opts *opts)
{
    struct gw_encoder *encoder = gw_try_alloc(sizeof(*encoder));
    if (encoder == NULL) {
        return NULL;
    }
    *encoder = (struct gw_encoder){.opts = *opts};
    gw_buf_init(&encoder->id, SMALL_TEXT_BYTES);
    gw_buf_init(&encoder->model, SMALL_TEXT_BYTES);
    gw_buf_init(&encoder->stop_sequence, SMALL_TEXT_BYTES);
    return encoder;
}

void gw_messages_encoder_destroy(struct gw_encoder *encoder)
{
    if (encoder == NULL) {
        return;
    }
    for (size_t i = encoder->first; i < encoder->count; i++) {
        gw_buf_fini(&encoder->blocks[i].waiting);
    }
    gw_free(encoder->blocks);
    gw_buf_fini(&encoder->id);
    gw_buf_fini(&encoder->model);
    gw_buf_fini(&encoder->stop_sequence);
    gw_free(encoder);
}

static void fail(struct gw_encoder *encoder, enum gw_err err)
{
    encoder->out->err = encoder->out->err != GW_OK ? encoder->out->err : err;
}

/* ---- the beginning ---- */

static void start(struct gw_encoder *encoder)
{
    struct gw_buf *out = encoder->out;
    struct gw_str model = encoder->opts.model;
    if (encoder->is_started) {
        return;
    }
    encoder->is_started = true;
    (void)gw_buf_append(out, GW_STR(EVENT("message_start") ",\"message\":{\"id\":"));
    gw_messages_write_id(&encoder->opts, gw_buf_str(&encoder->id), out);
    (void)gw_buf_append(out, GW_STR(",\"type\":\"message\",\"role\":\"assistant\""));
    gw_json_write_member(GW_STR("model"), model.len > 0 ? model : gw_buf_str(&encoder->model), out);
    (void)gw_buf_append(out, GW_STR(",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,"
                                    "\"usage\":"));
    gw_messages_write_usage(&encoder->usage, out);
    (void)gw_buf_append(out, GW_STR("}}\n\n" EVENT("ping") "}\n\n"));
}

static void keep_start(struct gw_encoder *encoder, const struct gw_event_start *event)
{
    gw_buf_reset(&encoder->id);
    gw_buf_reset(&encoder->model);
    (void)gw_buf_append(&encoder->id, event->id); /* one that does not fit is replaced by ours */
    (void)gw_buf_append(&encoder->model, event->model);
}

/* ---- the queue ---- */

static struct block *last_block(const struct gw_encoder *encoder)
{
    return encoder->count > encoder->first ? &encoder->blocks[encoder->count - 1] : NULL;
}

/* Where the block's bytes go. */
static struct gw_buf *target(const struct gw_encoder *encoder, struct block *block)
{
    return block == &encoder->blocks[encoder->first] ? encoder->out : &block->waiting;
}

/* Counts what was written behind |before| into a block that waits. */
static void account(struct gw_encoder *encoder, const struct gw_buf *written, size_t before)
{
    if (written == encoder->out) {
        return;
    }
    encoder->waiting_bytes += written->len - before;
    if (written->err != GW_OK || encoder->waiting_bytes > GW_ANSWER_MAX_BYTES) {
        fail(encoder, written->err != GW_OK ? written->err : GW_ERR_TOO_LARGE);
    }
}

/* Takes ended blocks off the front; the next one's bytes go out. */
static void advance(struct gw_encoder *encoder)
{
    while (encoder->first < encoder->count && encoder->blocks[encoder->first].is_ended) {
        gw_buf_fini(&encoder->blocks[encoder->first].waiting);
        encoder->first++;
        if (encoder->first == encoder->count) {
            encoder->first = 0;
            encoder->count = 0;
            return;
        }
        struct block *front = &encoder->blocks[encoder->first];
        (void)gw_buf_append(encoder->out, gw_buf_str(&front->waiting));
        encoder->waiting_bytes -= front->waiting.len;
        gw_buf_reset(&front->waiting);
    }
}

static bool grow(struct gw_encoder *encoder)
{
    if (encoder->count < encoder->capacity) {
        return true;
    }
    size_t capacity = encoder->capacity == 0 ? 8 : encoder->capacity * 2;
    struct block *blocks = NULL;
    if (encoder->count < GW_ANSWER_MAX_PARTS) {
        blocks = gw_try_realloc(encoder->blocks, capacity * sizeof(*blocks));
    }
    if (blocks == NULL) {
        fail(encoder, encoder->count < GW_ANSWER_MAX_PARTS ? GW_ERR_NOMEM : GW_ERR_TOO_LARGE);
        return false;
    }
    encoder->blocks = blocks;
    encoder->capacity = capacity;
    return true;
}

/* ---- blocks ---- */

static void write_index(struct gw_buf *out, struct gw_str head, unsigned index)
{
    (void)gw_buf_append(out, head);
    (void)gw_buf_append_u64(out, index);
}

static struct gw_buf *begin_delta(struct gw_encoder *encoder, struct block *block,
                                  struct gw_str member)
{
    struct gw_buf *out = target(encoder, block);
    write_index(out, GW_STR(EVENT("content_block_delta") ",\"index\":"), block->index);
    (void)gw_buf_append(out, member);
    return out;
}

/* A delta of one text; |member| is all of it before the text. */
static void write_delta(struct gw_encoder *encoder, struct block *block, struct gw_str member,
                        struct gw_str text)
{
    size_t before = target(encoder, block)->len;
    struct gw_buf *out = begin_delta(encoder, block, member);
    (void)gw_buf_append_json(out, text);
    (void)gw_buf_append(out, GW_STR("\"}}\n\n"));
    account(encoder, out, before);
}

static void write_signature(struct gw_encoder *encoder, struct block *block,
                            const struct gw_event_signature *signature)
{
    size_t before = target(encoder, block)->len;
    struct gw_buf *out = begin_delta(
        encoder, block, GW_STR(",\"delta\":{\"type\":\"signature_delta\",\"signature\":\""));
    gw_messages_write_seal(signature, out);
    (void)gw_buf_append(out, GW_STR("\"}}\n\n"));
    account(encoder, out, before);
}

static void end_block(struct gw_encoder *encoder, struct block *block)
{
    if (block == NULL || block->is_ended) {
        return;
    }
    struct gw_buf *out = target(encoder, block);
    size_t before = out->len;
    write_index(out, GW_STR(EVENT("content_block_stop") ",\"index\":"), block->index);
    (void)gw_buf_append(out, GW_STR("}\n\n"));
    account(encoder, out, before);
    block->is_ended = true;
}

/* Thinking that nobody signed ends with an empty signature. */
static void end_text_or_thinking(struct gw_encoder *encoder)
{
    struct block *last = last_block(encoder);
    if (last == NULL || last->is_ended || last->kind == KIND_TOOL) {
        return;
    }
    if (last->kind == KIND_THINKING) {
        write_signature(encoder, last, &(struct gw_event_signature){.signer = GW_SIGNER_NONE});
    }
    end_block(encoder, last);
    advance(encoder);
}

/* Begins a block at the queue's end; the caller writes its "content_block" with the brace that
 * closes it. NULL when there is no room. */
static struct block *begin_block(struct gw_encoder *encoder, enum kind kind)
{
    end_text_or_thinking(encoder);
    if (!grow(encoder)) {
        return NULL;
    }
    struct block *block = &encoder->blocks[encoder->count++];
    *block = (struct block){.kind = kind, .index = encoder->next_index++};
    gw_buf_init(&block->waiting, GW_ANSWER_MAX_BYTES);
    write_index(target(encoder, block), GW_STR(EVENT("content_block_start") ",\"index\":"),
                block->index);
    return block;
}

/* The open block of that kind at the queue's end, or a new one; NULL when there is no room. */
static struct block *open_block(struct gw_encoder *encoder, enum kind kind)
{
    struct block *last = last_block(encoder);
    if (last != NULL && last->kind == kind && !last->is_ended) {
        return last;
    }
    struct block *block = begin_block(encoder, kind);
    if (block != NULL) {
        (void)gw_buf_append(
            target(encoder, block),
            kind == KIND_TEXT
                ? GW_STR(",\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n")
                : GW_STR(",\"content_block\":{\"type\":\"thinking\",\"thinking\":\"\","
                         "\"signature\":\"\"}}\n\n"));
    }
    return block;
}

/* ---- output ---- */

static void write_text(struct gw_encoder *encoder, struct gw_str text)
{
    struct block *block = text.len > 0 ? open_block(encoder, KIND_TEXT) : NULL;
    if (block != NULL) {
        write_delta(encoder, block, GW_STR(",\"delta\":{\"type\":\"text_delta\",\"text\":\""),
                    text);
    }
}

static void write_reasoning(struct gw_encoder *encoder, struct gw_str text)
{
    const struct gw_llm_request *request = encoder->opts.request;
    bool is_hidden = request != NULL && request->hides_reasoning;
    struct block *block = text.len > 0 && !is_hidden ? open_block(encoder, KIND_THINKING) : NULL;
    if (block != NULL) {
        write_delta(encoder, block,
                    GW_STR(",\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\""), text);
    }
}

static void write_signed(struct gw_encoder *encoder, const struct gw_event_signature *signature)
{
    struct block *block = open_block(encoder, KIND_THINKING);
    if (block != NULL) {
        write_signature(encoder, block, signature);
        end_block(encoder, block);
        advance(encoder);
    }
}

static void write_redacted(struct gw_encoder *encoder, const struct gw_event_signature *signature)
{
    struct block *block = begin_block(encoder, KIND_REDACTED);
    if (block == NULL) {
        return;
    }
    struct gw_buf *out = target(encoder, block);
    size_t before = out->len;
    (void)gw_buf_append(out,
                        GW_STR(",\"content_block\":{\"type\":\"redacted_thinking\",\"data\":\""));
    gw_messages_write_seal(signature, out);
    (void)gw_buf_append(out, GW_STR("\"}}\n\n"));
    account(encoder, out, before);
    end_block(encoder, block);
    advance(encoder);
}

static void write_annotation(struct gw_encoder *encoder, struct gw_str annotation)
{
    struct block *last = last_block(encoder);
    struct gw_buf citation;
    if (last == NULL || last->kind != KIND_TEXT || last->is_ended) {
        return; /* a citation belongs to a text */
    }
    gw_buf_init(&citation, GW_ANSWER_MAX_BYTES);
    if (gw_messages_write_citation(annotation, &citation)) {
        size_t before = target(encoder, last)->len;
        struct gw_buf *out = begin_delta(
            encoder, last, GW_STR(",\"delta\":{\"type\":\"citations_delta\",\"citation\":"));
        (void)gw_buf_append(out, gw_buf_str(&citation));
        (void)gw_buf_append(out, GW_STR("}}\n\n"));
        account(encoder, out, before);
        fail(encoder, citation.err);
    }
    gw_buf_fini(&citation);
}

/* In words, once for all pieces; of audio the transcript as it comes. */
static void write_media(struct gw_encoder *encoder, const struct gw_event_media *media)
{
    struct gw_buf words;
    if (media->transcript.len > 0) {
        write_text(encoder, media->transcript);
        return;
    }
    if (encoder->in_medium || gw_str_has_prefix(media->mime_type, GW_STR("audio/"))) {
        return;
    }
    gw_buf_init(&words, SMALL_TEXT_BYTES);
    gw_messages_write_medium(media->mime_type, media->transcript, &words);
    fail(encoder, words.err);
    write_text(encoder, gw_buf_str(&words));
    gw_buf_fini(&words);
}

/* ---- tools ---- */

static struct block *find_tool(const struct gw_encoder *encoder, unsigned tool)
{
    for (size_t i = encoder->first; i < encoder->count; i++) {
        struct block *block = &encoder->blocks[i];
        if (block->kind == KIND_TOOL && block->tool == tool && !block->is_ended) {
            return block;
        }
    }
    return NULL;
}

static void begin_tool(struct gw_encoder *encoder, const struct gw_event_tool *tool)
{
    if (tool->thought_signature.len > 0) { /* goes before its call, and comes back so */
        write_redacted(encoder, &(struct gw_event_signature){.value = tool->thought_signature,
                                                             .signer = GW_SIGNER_GOOGLE});
    }
    struct block *block = begin_block(encoder, KIND_TOOL);
    if (block == NULL) {
        return;
    }
    struct gw_buf *out = target(encoder, block);
    size_t before = out->len;
    block->tool = tool->index;
    encoder->has_tools = true;
    (void)gw_buf_append(out, GW_STR(",\"content_block\":{\"type\":\"tool_use\",\"id\":"));
    gw_messages_write_tool_id(&encoder->opts, tool->id, tool->index, out);
    gw_json_write_member(GW_STR("name"), tool->name, out);
    (void)gw_buf_append(out, GW_STR(",\"input\":{}}}\n\n"));
    account(encoder, out, before);
}

static void write_arguments(struct gw_encoder *encoder, const struct gw_event_arguments *arguments)
{
    struct block *block = arguments->text.len > 0 ? find_tool(encoder, arguments->index) : NULL;
    if (block != NULL) {
        write_delta(encoder, block,
                    GW_STR(",\"delta\":{\"type\":\"input_json_delta\",\"partial_json\":\""),
                    arguments->text);
    }
}

static void end_tool(struct gw_encoder *encoder, unsigned tool)
{
    end_block(encoder, find_tool(encoder, tool));
    advance(encoder);
}

/* ---- the end ---- */

static void end_all(struct gw_encoder *encoder)
{
    end_text_or_thinking(encoder);
    for (size_t i = encoder->first; i < encoder->count; i++) {
        end_block(encoder, &encoder->blocks[i]);
    }
    advance(encoder);
}

static void write_end(struct gw_encoder *encoder)
{
    struct gw_buf *out = encoder->out;
    end_all(encoder);
    (void)gw_buf_append(out, GW_STR(EVENT("message_delta") ",\"delta\":{"));
    gw_messages_write_stop(encoder->finish, gw_buf_str(&encoder->stop_sequence), encoder->has_tools,
                           out);
    (void)gw_buf_append(out, GW_STR("},\"usage\":"));
    gw_messages_write_usage(&encoder->usage, out);
    (void)gw_buf_append(out, GW_STR("}\n\n" EVENT("message_stop") "}\n\n"));
    encoder->is_complete = true;
}

static void keep_finish(struct gw_encoder *encoder, const struct gw_event_finish *finish)
{
    end_all(encoder);
    encoder->finish = finish->reason;
    gw_buf_reset(&encoder->stop_sequence);
    (void)gw_buf_append(&encoder->stop_sequence, finish->stop_sequence); /* told where it fits */
}

/* Does the event wait for more before message_start? Usage that comes at once belongs into it. */
static bool is_before_start(const struct gw_event *event)
{
    return event->type == GW_EVENT_START || event->type == GW_EVENT_USAGE ||
           event->type == GW_EVENT_ERROR;
}

static void encode(struct gw_encoder *encoder, const struct gw_event *event)
{
    switch (event->type) {
    case GW_EVENT_START:
        keep_start(encoder, &event->start);
        break;
    case GW_EVENT_TEXT:
    case GW_EVENT_REFUSAL:
        write_text(encoder, event->text);
        break;
    case GW_EVENT_REASONING:
        write_reasoning(encoder, event->text);
        break;
    case GW_EVENT_REASONING_SIGNATURE:
        write_signed(encoder, &event->signature);
        break;
    case GW_EVENT_REASONING_REDACTED:
        write_redacted(encoder, &event->signature);
        break;
    case GW_EVENT_MEDIA:
        write_media(encoder, &event->media);
        break;
    case GW_EVENT_ANNOTATION:
        write_annotation(encoder, event->annotation);
        break;
    case GW_EVENT_TOOL_BEGIN:
        begin_tool(encoder, &event->tool);
        break;
    case GW_EVENT_TOOL_ARGUMENTS:
        write_arguments(encoder, &event->arguments);
        break;
    case GW_EVENT_TOOL_END:
        end_tool(encoder, event->index);
        break;
    case GW_EVENT_FINISH:
        keep_finish(encoder, &event->finish);
        break;
    case GW_EVENT_USAGE:
        encoder->usage = event->usage;
        break;
    case GW_EVENT_ERROR:
        gw_messages_write_error_event(event->error, encoder->opts.request_id, encoder->out);
        encoder->is_complete = true;
        break;
    case GW_EVENT_PING:
        (void)gw_buf_append(encoder->out, GW_STR(EVENT("ping") "}\n\n"));
        break;
    case GW_EVENT_END:
        write_end(encoder);
        break;
    case GW_EVENT_TYPE_COUNT:
        break;
    }
}

void gw_messages_encode(struct gw_encoder *encoder, const struct gw_event *event,
                        struct gw_buf *out)
{
    if (encoder->is_complete) {
        return;
    }
    encoder->out = out;
    bool was_started = encoder->is_started;
    if (!is_before_start(event)) {
        start(encoder);
    }
    /* The one that comes with message_start is enough. */
    if (event->type != GW_EVENT_PING || was_started) {
        encode(encoder, event);
    }
    encoder->in_medium = event->type == GW_EVENT_MEDIA;
    encoder->out = NULL;
}
