/* SPDX-License-Identifier: MIT */
/*
 * dialect/gemini_stream - events as streamed GenerateContentResponse objects: server-sent events
 * with CRLF, or one JSON array piece by piece (inbound.md B3).
 *
 * Clients expect calls whole, so their arguments are gathered; all else goes on as it comes. What
 * is the same in each chunk is made once, at START.
 */
#include "base/alloc.h"
#include "dialect/gemini_int.h"
#include "json/write.h"

#define TAIL_MAX_BYTES (64u * 1024) /* ids are bounded, the client's model name too */

struct open_call {
    struct gw_buf id;
    struct gw_buf name;
    struct gw_buf signature;
    struct gw_buf arguments;
    bool is_custom;
    bool is_written;
};

struct gw_encoder {
    struct gw_encoder_opts opts;
    bool is_array;
    bool is_begun;
    bool is_complete;
    struct gw_buf names; /* ,"modelVersion":...,"responseId":...} */
    struct gw_buf tail;  /* of a chunk that is not the last: behind its parts */
    struct open_call *calls;
    size_t call_count;
    size_t call_capacity;
    struct gw_buf citations;
    enum gw_finish finish;
    struct gw_usage usage;
};

struct gw_encoder *gw_to_gemini_encoder_create(const struct gw_encoder_opts *opts)
{
    struct gw_encoder *encoder = gw_try_alloc(sizeof(*encoder));
    if (encoder == NULL) {
        return NULL;
    }
    *encoder = (struct gw_encoder){.opts = *opts};
    encoder->is_array = opts->request != NULL && opts->request->is_json_array;
    gw_buf_init(&encoder->names, TAIL_MAX_BYTES);
    gw_buf_init(&encoder->tail, TAIL_MAX_BYTES);
    gw_buf_init(&encoder->citations, GW_ANSWER_MAX_BYTES);
    return encoder;
}

static void free_call(struct open_call *call)
{
    gw_buf_fini(&call->id);
    gw_buf_fini(&call->name);
    gw_buf_fini(&call->signature);
    gw_buf_fini(&call->arguments);
}

void gw_to_gemini_encoder_destroy(struct gw_encoder *encoder)
{
    if (encoder == NULL) {
        return;
    }
    for (size_t i = 0; i < encoder->call_count; i++) {
        free_call(&encoder->calls[i]);
    }
    gw_free(encoder->calls);
    gw_buf_fini(&encoder->names);
    gw_buf_fini(&encoder->tail);
    gw_buf_fini(&encoder->citations);
    gw_free(encoder);
}

static void fail(struct gw_buf *out, enum gw_err err)
{
    if (out->err == GW_OK) {
        out->err = err;
    }
}

/* ---- chunks ---- */

static void make_names(struct gw_encoder *encoder, struct gw_str id)
{
    struct gw_buf *names = &encoder->names;
    gw_buf_reset(names);
    gw_json_write_raw(GW_STR("modelVersion"), GW_STR(""), names);
    (void)gw_buf_append_byte(names, '"');
    (void)gw_buf_append_json(names, encoder->opts.model);
    (void)gw_buf_append(names, GW_STR("\",\"responseId\":\""));
    (void)gw_buf_append_json(names, id.len > 0 ? id : encoder->opts.request_id);
    (void)gw_buf_append(names, GW_STR("\"}"));
    gw_buf_reset(&encoder->tail);
    (void)gw_buf_append(&encoder->tail, GW_STR("],\"role\":\"model\"},\"index\":0}],"));
    (void)gw_buf_append(&encoder->tail, gw_buf_str(names));
    (void)gw_buf_append(&encoder->tail, encoder->is_array ? GW_STR("") : GW_STR("\r\n\r\n"));
}

/* What stands in front of a chunk's object. */
static void begin_object(struct gw_encoder *encoder, struct gw_buf *out)
{
    if (encoder->is_array) {
        (void)gw_buf_append(out, encoder->is_begun ? GW_STR(",\r\n") : GW_STR("["));
    } else {
        (void)gw_buf_append(out, GW_STR("data: "));
    }
    encoder->is_begun = true;
}

static void begin_chunk(struct gw_encoder *encoder, struct gw_buf *out)
{
    if (encoder->names.len == 0) { /* no START came */
        make_names(encoder, gw_str(NULL, 0));
    }
    begin_object(encoder, out);
    (void)gw_buf_append(out, GW_STR("{\"candidates\":[{\"content\":{\"parts\":["));
}

static void end_chunk(struct gw_encoder *encoder, struct gw_buf *out)
{
    if (encoder->tail.err != GW_OK) {
        fail(out, encoder->tail.err);
    }
    (void)gw_buf_append(out, gw_buf_str(&encoder->tail));
}

static void write_text(struct gw_encoder *encoder, const struct gw_event *event, bool is_thought,
                       struct gw_buf *out)
{
    if (event->text.len == 0 && event->logprobs.len == 0) {
        return;
    }
    begin_chunk(encoder, out);
    gw_to_gemini_text(event->text, is_thought, out);
    if (event->logprobs.len == 0) {
        end_chunk(encoder, out);
        return;
    }
    (void)gw_buf_append(out, GW_STR("],\"role\":\"model\"},\"index\":0"));
    gw_to_gemini_logprobs(event->logprobs, out);
    (void)gw_buf_append(out, GW_STR("}],"));
    (void)gw_buf_append(out, gw_buf_str(&encoder->names));
    (void)gw_buf_append(out, encoder->is_array ? GW_STR("") : GW_STR("\r\n\r\n"));
}

static void write_signature(struct gw_encoder *encoder, const struct gw_event_signature *signature,
                            struct gw_buf *out)
{
    if (signature->signer == GW_SIGNER_GOOGLE) { /* another vendor's means nothing here */
        begin_chunk(encoder, out);
        gw_to_gemini_signature(signature->value, out);
        end_chunk(encoder, out);
    }
}

/* ---- calls ---- */

static struct open_call *add_call(struct gw_encoder *encoder)
{
    if (encoder->call_count == GW_ANSWER_MAX_PARTS) {
        return NULL;
    }
    if (encoder->call_count == encoder->call_capacity) {
        size_t capacity = encoder->call_capacity == 0 ? 4 : 2 * encoder->call_capacity;
        struct open_call *calls = gw_try_realloc(encoder->calls, capacity * sizeof(*calls));
        if (calls == NULL) {
            return NULL;
        }
        encoder->calls = calls;
        encoder->call_capacity = capacity;
    }
    struct open_call *call = &encoder->calls[encoder->call_count++];
    *call = (struct open_call){0};
    gw_buf_init(&call->id, GW_ANSWER_MAX_BYTES);
    gw_buf_init(&call->name, GW_ANSWER_MAX_BYTES);
    gw_buf_init(&call->signature, GW_ANSWER_MAX_BYTES);
    gw_buf_init(&call->arguments, GW_ANSWER_MAX_BYTES);
    return call;
}

static void begin_call(struct gw_encoder *encoder, const struct gw_event_tool *tool,
                       struct gw_buf *out)
{
    struct open_call *call = tool->index == encoder->call_count ? add_call(encoder) : NULL;
    if (call == NULL) {
        fail(out, tool->index == encoder->call_count ? GW_ERR_NOMEM : GW_ERR_INVALID);
        return;
    }
    call->is_custom = tool->is_custom;
    (void)gw_buf_append(&call->id, tool->id);
    (void)gw_buf_append(&call->name, tool->name);
    (void)gw_buf_append(&call->signature, tool->thought_signature);
    if (call->id.err != GW_OK || call->name.err != GW_OK || call->signature.err != GW_OK) {
        fail(out, GW_ERR_NOMEM);
    }
}

static void add_arguments(struct gw_encoder *encoder, const struct gw_event_arguments *arguments,
                          struct gw_buf *out)
{
    if (arguments->index >= encoder->call_count || encoder->calls[arguments->index].is_written) {
        fail(out, GW_ERR_INVALID);
        return;
    }
    enum gw_err err = gw_buf_append(&encoder->calls[arguments->index].arguments, arguments->text);
    if (err != GW_OK) {
        fail(out, err);
    }
}

static void write_call(struct gw_encoder *encoder, size_t index, struct gw_buf *out)
{
    if (index >= encoder->call_count || encoder->calls[index].is_written) {
        return;
    }
    struct open_call *open = &encoder->calls[index];
    struct gw_gemini_call call = {.id = gw_buf_str(&open->id),
                                  .name = gw_buf_str(&open->name),
                                  .arguments = gw_buf_str(&open->arguments),
                                  .signature = gw_buf_str(&open->signature),
                                  .is_custom = open->is_custom};
    begin_chunk(encoder, out);
    gw_to_gemini_call(&call, out);
    end_chunk(encoder, out);
    open->is_written = true;
    free_call(open);
}

/* ---- the ends ---- */

static void write_last(struct gw_encoder *encoder, struct gw_buf *out)
{
    for (size_t i = 0; i < encoder->call_count; i++) {
        write_call(encoder, i, out);
    }
    begin_chunk(encoder, out);
    (void)gw_buf_append(out, GW_STR("{\"text\":\"\"}],\"role\":\"model\"},\"finishReason\":\""));
    (void)gw_buf_append(out, gw_to_gemini_finish(encoder->finish));
    (void)gw_buf_append(out, GW_STR("\",\"index\":0"));
    if (encoder->citations.len > 0) {
        (void)gw_buf_append(out, GW_STR(",\"groundingMetadata\":{\"groundingChunks\":["));
        (void)gw_buf_append(out, gw_buf_str(&encoder->citations));
        (void)gw_buf_append(out, GW_STR("]}"));
    }
    (void)gw_buf_append(out, GW_STR("}]"));
    gw_to_gemini_usage(&encoder->usage, out);
    (void)gw_buf_append_byte(out, ',');
    (void)gw_buf_append(out, gw_buf_str(&encoder->names));
    (void)gw_buf_append(out, encoder->is_array ? GW_STR("]") : GW_STR("\r\n\r\n"));
    encoder->is_complete = true;
}

static void write_failure(struct gw_encoder *encoder, const struct gw_error *error,
                          struct gw_buf *out)
{
    begin_object(encoder, out);
    gw_to_gemini_error(error, out);
    (void)gw_buf_append(out, encoder->is_array ? GW_STR("]") : GW_STR("\r\n\r\n"));
    encoder->is_complete = true;
}

static void write_media(struct gw_encoder *encoder, const struct gw_event_media *media,
                        struct gw_buf *out)
{
    begin_chunk(encoder, out);
    gw_to_gemini_media(media->mime_type, media->base64, out);
    end_chunk(encoder, out);
}

static void encode_output(struct gw_encoder *encoder, const struct gw_event *event,
                          struct gw_buf *out)
{
    bool hides = encoder->opts.request != NULL && encoder->opts.request->hides_reasoning;
    switch (event->type) {
    case GW_EVENT_TEXT:
    case GW_EVENT_REFUSAL:
        write_text(encoder, event, false, out);
        break;
    case GW_EVENT_REASONING:
        if (!hides) {
            write_text(encoder, event, true, out);
        }
        break;
    case GW_EVENT_REASONING_SIGNATURE:
        write_signature(encoder, &event->signature, out);
        break;
    case GW_EVENT_MEDIA:
        write_media(encoder, &event->media, out);
        break;
    case GW_EVENT_ANNOTATION:
        gw_to_gemini_citation(event->annotation, &encoder->citations);
        break;
    case GW_EVENT_TOOL_BEGIN:
        begin_call(encoder, &event->tool, out);
        break;
    case GW_EVENT_TOOL_ARGUMENTS:
        add_arguments(encoder, &event->arguments, out);
        break;
    default: /* REDACTED is its vendor's only; the frame's events are gw_to_gemini_encode()'s */
        break;
    }
}

void gw_to_gemini_encode(struct gw_encoder *encoder, const struct gw_event *event,
                         struct gw_buf *out)
{
    if (encoder->is_complete) {
        return;
    }
    switch (event->type) {
    case GW_EVENT_START:
        make_names(encoder, event->start.id);
        break;
    case GW_EVENT_TOOL_END:
        write_call(encoder, event->index, out);
        break;
    case GW_EVENT_FINISH:
        encoder->finish = event->finish.reason;
        break;
    case GW_EVENT_USAGE:
        encoder->usage = event->usage;
        break;
    case GW_EVENT_ERROR:
        write_failure(encoder, event->error, out);
        break;
    case GW_EVENT_END:
        write_last(encoder, out);
        break;
    default:
        encode_output(encoder, event, out);
        break;
    }
}
