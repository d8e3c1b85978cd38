/* SPDX-License-Identifier: MIT */
/*
 * dialect/openai_stream - events to chat.completion.chunk events.
 *
 * The hot path of translated streaming: all that is the same in every chunk is made once, at START;
 * a piece of text is three appends and one pass of escaping into the caller's buffer.
 */
#include "dialect/openai_stream.h"

#include "base/alloc.h"
#include "dialect/openai.h"
#include "dialect/openai_int.h"

#define HEAD_MAX_BYTES (64u * 1024) /* the ids are bounded, the client's model name too */
/* Text that a signature belongs to; far above what models think between two signatures. What is
 * longer keeps its deltas and loses the block, which no vendor would take back cut. */
#define REASONING_MAX_BYTES (16u * 1024 * 1024)
#define TOOLS_MAX           4096 /* one byte each; vendors take 128 tools */

#define TAIL_PLAIN "},\"logprobs\":null,\"finish_reason\":null}]}\n\n"
#define TAIL_USAGE "},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n"

/* What is known of a tool call. */
enum {
    TOOL_CUSTOM = 1,
    TOOL_HAS_ARGUMENTS = 2,
};

struct gw_encoder {
    struct gw_encoder_opts opts;
    struct gw_buf head; /* "data: {...,"choices":[{"index":0,"delta":{" */
    size_t head_before_choices;
    struct gw_str tail;      /* of a chunk that has neither logprobs nor a finish reason */
    struct gw_buf reasoning; /* since the last signature */
    struct gw_buf tools;     /* flags of each call */
    unsigned image_count;
    struct gw_usage usage;
    enum gw_finish finish;
    bool is_finish_told;
    bool is_complete;
};

struct gw_encoder *gw_openai_encoder_create(const struct gw_encoder_opts *opts)
{
    struct gw_encoder *encoder = gw_try_alloc(sizeof(*encoder));
    if (encoder == NULL) {
        return NULL;
    }
    *encoder = (struct gw_encoder){.opts = *opts};
    bool tells_usage = opts->request != NULL && opts->request->wants_usage;
    encoder->tail = tells_usage ? GW_STR(TAIL_USAGE) : GW_STR(TAIL_PLAIN);
    gw_buf_init(&encoder->head, HEAD_MAX_BYTES);
    gw_buf_init(&encoder->reasoning, REASONING_MAX_BYTES);
    gw_buf_init(&encoder->tools, TOOLS_MAX);
    return encoder;
}

void gw_openai_encoder_destroy(struct gw_encoder *encoder)
{
    if (encoder != NULL) {
        gw_buf_fini(&encoder->head);
        gw_buf_fini(&encoder->reasoning);
        gw_buf_fini(&encoder->tools);
        gw_free(encoder);
    }
}

static bool tells_usage(const struct gw_encoder *encoder)
{
    return encoder->opts.request != NULL && encoder->opts.request->wants_usage;
}

/* ---- one chunk ---- */

static void begin(const struct gw_encoder *encoder, struct gw_buf *out)
{
    if (encoder->head.err != GW_OK && out->err == GW_OK) {
        out->err = encoder->head.err;
    }
    (void)gw_buf_append(out, gw_buf_str(&encoder->head));
}

static void end(const struct gw_encoder *encoder, struct gw_buf *out)
{
    (void)gw_buf_append(out, encoder->tail);
}

/* A delta that is one string; |before| is its name with the quote that opens the value. */
static void write_text(const struct gw_encoder *encoder, struct gw_str before, struct gw_str text,
                       struct gw_buf *out)
{
    begin(encoder, out);
    (void)gw_buf_append(out, before);
    (void)gw_buf_append_json(out, text);
    (void)gw_buf_append_byte(out, '"');
    end(encoder, out);
}

static void write_content(const struct gw_encoder *encoder, const struct gw_event *event,
                          struct gw_buf *out)
{
    if (event->logprobs.len == 0) {
        write_text(encoder, GW_STR("\"content\":\""), event->text, out);
        return;
    }
    begin(encoder, out);
    (void)gw_buf_append(out, GW_STR("\"content\":\""));
    (void)gw_buf_append_json(out, event->text);
    (void)gw_buf_append(out, GW_STR("\"},\"logprobs\":{\"content\":"));
    (void)gw_buf_append(out, event->logprobs);
    (void)gw_buf_append(out, GW_STR(",\"refusal\":null},\"finish_reason\":null}]"));
    (void)gw_buf_append(out,
                        tells_usage(encoder) ? GW_STR(",\"usage\":null}\n\n") : GW_STR("}\n\n"));
}

/* ---- the beginning ---- */

static void make_head(struct gw_encoder *encoder, const struct gw_event_start *start)
{
    struct gw_openai_identity identity = {.prefix = GW_STR("chatcmpl-"),
                                          .object = GW_STR("chat.completion.chunk"),
                                          .id = start->id,
                                          .model = start->model,
                                          .created_s = start->created_s};
    gw_buf_reset(&encoder->head);
    (void)gw_buf_append(&encoder->head, GW_STR("data: {"));
    gw_openai_write_identity(&encoder->opts, &identity, &encoder->head);
    (void)gw_buf_append(&encoder->head, GW_STR(",\"choices\":["));
    encoder->head_before_choices = encoder->head.len;
    (void)gw_buf_append(&encoder->head, GW_STR("{\"index\":0,\"delta\":{"));
}

static void write_start(struct gw_encoder *encoder, const struct gw_event_start *start,
                        struct gw_buf *out)
{
    make_head(encoder, start);
    begin(encoder, out);
    (void)gw_buf_append(out, GW_STR("\"role\":\"assistant\",\"content\":\"\",\"refusal\":null"));
    end(encoder, out);
}

/* ---- reasoning ---- */

static void write_reasoning(struct gw_encoder *encoder, struct gw_str text, struct gw_buf *out)
{
    (void)gw_buf_append(&encoder->reasoning, text); /* sticky: see REASONING_MAX_BYTES */
    write_text(encoder, GW_STR("\"reasoning_content\":\""), text, out);
}

/* The signed block whole, so that a client only has to keep the delta's element. */
static void write_signature(struct gw_encoder *encoder, const struct gw_event_signature *signature,
                            struct gw_buf *out)
{
    bool is_whole = encoder->reasoning.err == GW_OK;
    struct gw_str text = gw_buf_str(&encoder->reasoning);
    if (is_whole && signature->signer == GW_SIGNER_OPENAI) {
        begin(encoder, out);
        (void)gw_buf_append(out, GW_STR("\"reasoning_items\":["));
        gw_openai_write_reasoning_item(signature->id, text, signature->value, out);
        (void)gw_buf_append(out, GW_STR("]"));
        end(encoder, out);
    } else if (is_whole && signature->signer == GW_SIGNER_GOOGLE) {
        begin(encoder, out);
        (void)gw_buf_append(out, GW_STR("\"content\":\"\""));
        gw_openai_write_google_signature(signature->value, out);
        end(encoder, out);
    } else if (is_whole) {
        begin(encoder, out);
        (void)gw_buf_append(out, GW_STR("\"thinking_blocks\":["));
        gw_openai_write_thinking(text, signature->value, out);
        (void)gw_buf_append(out, GW_STR("]"));
        end(encoder, out);
    }
    gw_buf_reset(&encoder->reasoning);
}

static void write_redacted(struct gw_encoder *encoder, const struct gw_event_signature *signature,
                           struct gw_buf *out)
{
    begin(encoder, out);
    if (signature->signer == GW_SIGNER_OPENAI) {
        (void)gw_buf_append(out, GW_STR("\"reasoning_items\":["));
        gw_openai_write_reasoning_item(signature->id, gw_str(NULL, 0), signature->value, out);
    } else {
        (void)gw_buf_append(out, GW_STR("\"thinking_blocks\":["));
        gw_openai_write_redacted(signature->value, out);
    }
    (void)gw_buf_append(out, GW_STR("]"));
    end(encoder, out);
}

/* ---- tools ---- */

static unsigned char tool_flags(const struct gw_encoder *encoder, unsigned index)
{
    return index < encoder->tools.len ? (unsigned char)encoder->tools.ptr[index] : 0;
}

static void write_tool_begin(struct gw_encoder *encoder, const struct gw_event_tool *tool,
                             struct gw_buf *out)
{
    (void)gw_buf_append_byte(&encoder->tools, tool->is_custom ? TOOL_CUSTOM : 0);
    begin(encoder, out);
    (void)gw_buf_append(out, GW_STR("\"tool_calls\":[{\"index\":"));
    (void)gw_buf_append_u64(out, tool->index);
    (void)gw_buf_append(out, GW_STR(",\"id\":"));
    gw_openai_write_tool_id(&encoder->opts, tool->id, tool->index, out);
    (void)gw_buf_append(out, tool->is_custom
                                 ? GW_STR(",\"type\":\"custom\",\"custom\":{\"name\":\"")
                                 : GW_STR(",\"type\":\"function\",\"function\":{\"name\":\""));
    (void)gw_buf_append_json(out, tool->name);
    (void)gw_buf_append(out, tool->is_custom ? GW_STR("\",\"input\":\"\"}")
                                             : GW_STR("\",\"arguments\":\"\"}"));
    gw_openai_write_google_signature(tool->thought_signature, out);
    (void)gw_buf_append(out, GW_STR("}]"));
    end(encoder, out);
}

static void write_arguments(struct gw_encoder *encoder, const struct gw_event_arguments *arguments,
                            struct gw_buf *out)
{
    unsigned index = arguments->index;
    bool is_custom = (tool_flags(encoder, index) & TOOL_CUSTOM) != 0;
    if (index < encoder->tools.len) {
        encoder->tools.ptr[index] |= TOOL_HAS_ARGUMENTS;
    }
    begin(encoder, out);
    (void)gw_buf_append(out, GW_STR("\"tool_calls\":[{\"index\":"));
    (void)gw_buf_append_u64(out, index);
    (void)gw_buf_append(out, is_custom ? GW_STR(",\"custom\":{\"input\":\"")
                                       : GW_STR(",\"function\":{\"arguments\":\""));
    (void)gw_buf_append_json(out, arguments->text);
    (void)gw_buf_append(out, GW_STR("\"}}]"));
    end(encoder, out);
}

/* Clients parse a function's arguments, and an empty text is no JSON. */
static void write_tool_end(struct gw_encoder *encoder, unsigned index, struct gw_buf *out)
{
    if (index < encoder->tools.len && tool_flags(encoder, index) == 0) {
        struct gw_event_arguments none = {.index = index, .text = GW_STR("{}")};
        write_arguments(encoder, &none, out);
    }
}

/* ---- other output ---- */

static void write_media(struct gw_encoder *encoder, const struct gw_event_media *media,
                        struct gw_buf *out)
{
    begin(encoder, out);
    if (gw_openai_is_audio(media->mime_type)) {
        (void)gw_buf_append(out, GW_STR("\"audio\":{\"id\":\"audio_"));
        (void)gw_buf_append_json(out, encoder->opts.request_id);
        (void)gw_buf_append(out, GW_STR("\",\"data\":\""));
        (void)gw_buf_append_json(out, media->base64);
        (void)gw_buf_append(out, GW_STR("\",\"transcript\":\""));
        (void)gw_buf_append_json(out, media->transcript);
        (void)gw_buf_append(out, GW_STR("\"}"));
    } else {
        (void)gw_buf_append(out, GW_STR("\"images\":["));
        gw_openai_write_image(media->mime_type, media->base64, encoder->image_count++, out);
        (void)gw_buf_append(out, GW_STR("]"));
    }
    end(encoder, out);
}

static void write_annotation(const struct gw_encoder *encoder, struct gw_str annotation,
                             struct gw_buf *out)
{
    begin(encoder, out);
    (void)gw_buf_append(out, GW_STR("\"annotations\":["));
    (void)gw_buf_append(out, annotation);
    (void)gw_buf_append(out, GW_STR("]"));
    end(encoder, out);
}

/* ---- the end ---- */

static void write_finish(struct gw_encoder *encoder, struct gw_buf *out)
{
    for (unsigned i = 0; i < encoder->tools.len; i++) {
        write_tool_end(encoder, i, out);
    }
    begin(encoder, out);
    (void)gw_buf_append(out, GW_STR("},\"logprobs\":null,\"finish_reason\":\""));
    (void)gw_buf_append(out, gw_openai_finish_text(encoder->finish, encoder->tools.len > 0));
    (void)gw_buf_append(out, tells_usage(encoder) ? GW_STR("\"}],\"usage\":null}\n\n")
                                                  : GW_STR("\"}]}\n\n"));
    encoder->is_finish_told = true;
}

static void write_end(struct gw_encoder *encoder, struct gw_buf *out)
{
    if (!encoder->is_finish_told) {
        write_finish(encoder, out);
    }
    if (tells_usage(encoder) && encoder->usage.is_known) {
        (void)gw_buf_append(out, gw_str(encoder->head.ptr, encoder->head_before_choices));
        (void)gw_buf_append(out, GW_STR("]"));
        gw_openai_write_usage(&encoder->usage, out);
        (void)gw_buf_append(out, GW_STR("}\n\n"));
    }
    (void)gw_buf_append(out, GW_STR("data: [DONE]\n\n"));
    encoder->is_complete = true;
}

void gw_openai_encode(struct gw_encoder *encoder, const struct gw_event *event, struct gw_buf *out)
{
    if (encoder->is_complete) {
        return;
    }
    /* A decoder that skipped START still gets a valid stream. */
    if (encoder->head.len == 0 && event->type != GW_EVENT_START && event->type != GW_EVENT_ERROR &&
        event->type != GW_EVENT_PING) {
        write_start(encoder, &(struct gw_event_start){0}, out);
    }
    switch (event->type) {
    case GW_EVENT_START:
        write_start(encoder, &event->start, out);
        break;
    case GW_EVENT_TEXT:
        write_content(encoder, event, out);
        break;
    case GW_EVENT_REASONING:
        write_reasoning(encoder, event->text, out);
        break;
    case GW_EVENT_REASONING_SIGNATURE:
        write_signature(encoder, &event->signature, out);
        break;
    case GW_EVENT_REASONING_REDACTED:
        write_redacted(encoder, &event->signature, out);
        break;
    case GW_EVENT_REFUSAL:
        write_text(encoder, GW_STR("\"refusal\":\""), event->text, out);
        break;
    case GW_EVENT_MEDIA:
        write_media(encoder, &event->media, out);
        break;
    case GW_EVENT_ANNOTATION:
        write_annotation(encoder, event->annotation, out);
        break;
    case GW_EVENT_TOOL_BEGIN:
        write_tool_begin(encoder, &event->tool, out);
        break;
    case GW_EVENT_TOOL_ARGUMENTS:
        write_arguments(encoder, &event->arguments, out);
        break;
    case GW_EVENT_TOOL_END:
        write_tool_end(encoder, event->index, out);
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
    case GW_EVENT_TYPE_COUNT:
        break;
    }
}
