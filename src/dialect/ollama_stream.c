/* SPDX-License-Identifier: MIT */
/*
 * dialect/ollama_stream - events to lines of JSON, and the plain answer, which is the same line
 * with everything in it.
 *
 * Durations are left out: this layer has no clock, and clients take them as optional.
 */
#include "base/alloc.h"
#include "dialect/ollama.h"
#include "dialect/ollama_int.h"
#include "dialect/openai_int.h"
#include "json/value.h"

#define HEAD_MAX_BYTES (64u * 1024) /* the client's model name and a date */

struct gw_encoder {
    struct gw_encoder_opts opts;
    struct gw_buf head; /* {"model":..,"created_at":.. */
    bool is_generate;
    struct gw_answer calls; /* tool calls are whole here */
    struct gw_usage usage;
    enum gw_finish finish;
    bool is_complete;
};

static bool is_generate(const struct gw_encoder_opts *opts)
{
    return opts->request != NULL && opts->request->task == GW_TASK_COMPLETION;
}

static void write_head(const struct gw_encoder_opts *opts, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("{\"model\":"));
    gw_json_write_text(opts->model, out);
    (void)gw_buf_append(out, GW_STR(",\"created_at\":"));
    gw_ollama_write_time(opts->created_s, out);
}

struct gw_encoder *gw_ollama_encoder_create(const struct gw_encoder_opts *opts)
{
    struct gw_encoder *encoder = gw_try_alloc(sizeof(*encoder));
    if (encoder != NULL) {
        *encoder = (struct gw_encoder){.opts = *opts, .is_generate = is_generate(opts)};
        gw_buf_init(&encoder->head, HEAD_MAX_BYTES);
        gw_answer_init(&encoder->calls);
        write_head(opts, &encoder->head);
    }
    return encoder;
}

void gw_ollama_encoder_destroy(struct gw_encoder *encoder)
{
    if (encoder != NULL) {
        gw_buf_fini(&encoder->head);
        gw_answer_fini(&encoder->calls);
        gw_free(encoder);
    }
}

/* ---- pieces ---- */

static void stick(struct gw_buf *out, enum gw_err err)
{
    if (err != GW_OK && out->err == GW_OK) {
        out->err = err;
    }
}

static void begin(const struct gw_encoder *encoder, struct gw_buf *out)
{
    stick(out, encoder->head.err);
    (void)gw_buf_append(out, gw_buf_str(&encoder->head));
}

/* The member that holds the text, up to and with its opening quote. */
static struct gw_str text_begin(bool generates)
{
    return generates ? GW_STR(",\"response\":\"")
                     : GW_STR(",\"message\":{\"role\":\"assistant\",\"content\":\"");
}

static struct gw_str message_end(bool generates)
{
    return generates ? GW_STR("") : GW_STR("}");
}

/* A model's arguments, or {} when they are no object. */
static void write_arguments(struct gw_str text, struct gw_buf *out)
{
    struct gw_json_reader reader;
    yyjson_val *root = NULL;
    gw_json_reader_init(&reader, GW_ANSWER_MAX_BYTES);
    enum gw_err err = text.len > 0 ? gw_json_read(&reader, text, &root) : GW_ERR_INVALID;
    if (err == GW_OK && yyjson_is_obj(root)) {
        gw_json_write(root, out);
    } else {
        (void)gw_buf_append(out, GW_STR("{}"));
    }
    if (err == GW_ERR_NOMEM) {
        stick(out, err);
    }
    gw_json_reader_fini(&reader);
}

/* ,"tool_calls":[...] when there are any. */
static void write_calls(const struct gw_encoder_opts *opts, const struct gw_answer *answer,
                        struct gw_buf *out)
{
    unsigned index = 0;
    for (size_t i = 0; i < answer->part_count; i++) {
        const struct gw_answer_part *part = &answer->parts[i];
        if (part->type != GW_PART_TOOL) {
            continue;
        }
        (void)gw_buf_append(out,
                            index == 0 ? GW_STR(",\"tool_calls\":[{\"id\":") : GW_STR(",{\"id\":"));
        gw_openai_write_tool_id(opts, gw_buf_str(&part->id), index, out);
        (void)gw_buf_append(out, GW_STR(",\"function\":{\"index\":"));
        (void)gw_buf_append_u64(out, index++);
        (void)gw_buf_append(out, GW_STR(",\"name\":"));
        gw_json_write_text(gw_buf_str(&part->name), out);
        (void)gw_buf_append(out, GW_STR(",\"arguments\":"));
        write_arguments(gw_buf_str(&part->text), out);
        (void)gw_buf_append(out, GW_STR("}}"));
    }
    (void)gw_buf_append(out, index > 0 ? GW_STR("]") : GW_STR(""));
}

static void write_count(struct gw_str name, uint64_t count, struct gw_buf *out)
{
    (void)gw_buf_append(out, name);
    (void)gw_buf_append_u64(out, count);
}

/* What only the last line has. */
static void write_end(enum gw_finish finish, const struct gw_usage *usage, struct gw_buf *out)
{
    struct gw_str reason = GW_STR("stop");
    if (finish == GW_FINISH_LENGTH || finish == GW_FINISH_CONTENT_FILTER) {
        reason = gw_finish_name(finish);
    }
    (void)gw_buf_append(out, GW_STR(",\"done\":true,\"done_reason\":\""));
    (void)gw_buf_append(out, reason);
    (void)gw_buf_append(out, GW_STR("\""));
    if (usage->is_known) {
        write_count(GW_STR(",\"prompt_eval_count\":"), usage->input_tokens, out);
        write_count(GW_STR(",\"eval_count\":"), usage->output_tokens, out);
    }
    (void)gw_buf_append(out, GW_STR("}\n"));
}

/* ---- the stream ---- */

static void write_text(const struct gw_encoder *encoder, const struct gw_event *event,
                       struct gw_buf *out)
{
    begin(encoder, out);
    (void)gw_buf_append(out, text_begin(encoder->is_generate));
    (void)gw_buf_append_json(out, event->text);
    (void)gw_buf_append(out, GW_STR("\""));
    (void)gw_buf_append(out, message_end(encoder->is_generate));
    if (event->type == GW_EVENT_TEXT && event->logprobs.len > 0) {
        (void)gw_buf_append(out, GW_STR(",\"logprobs\":"));
        (void)gw_buf_append(out, event->logprobs);
    }
    (void)gw_buf_append(out, GW_STR(",\"done\":false}\n"));
}

static void write_thinking(const struct gw_encoder *encoder, struct gw_str text, struct gw_buf *out)
{
    begin(encoder, out);
    (void)gw_buf_append(out, text_begin(encoder->is_generate));
    (void)gw_buf_append(out, GW_STR("\",\"thinking\":\""));
    (void)gw_buf_append_json(out, text);
    (void)gw_buf_append(out, GW_STR("\""));
    (void)gw_buf_append(out, message_end(encoder->is_generate));
    (void)gw_buf_append(out, GW_STR(",\"done\":false}\n"));
}

static void write_image(const struct gw_encoder *encoder, const struct gw_event_media *media,
                        struct gw_buf *out)
{
    if (encoder->is_generate || gw_openai_is_audio(media->mime_type)) {
        return; /* this API has no place for it */
    }
    begin(encoder, out);
    (void)gw_buf_append(out, text_begin(false));
    (void)gw_buf_append(out, GW_STR("\",\"images\":[\""));
    (void)gw_buf_append_json(out, media->base64);
    (void)gw_buf_append(out, GW_STR("\"]},\"done\":false}\n"));
}

static void write_last(struct gw_encoder *encoder, struct gw_buf *out)
{
    if (encoder->calls.part_count > 0 && !encoder->is_generate) {
        begin(encoder, out);
        (void)gw_buf_append(out, text_begin(false));
        (void)gw_buf_append(out, GW_STR("\""));
        write_calls(&encoder->opts, &encoder->calls, out);
        (void)gw_buf_append(out, GW_STR("},\"done\":false}\n"));
    }
    begin(encoder, out);
    (void)gw_buf_append(out, text_begin(encoder->is_generate));
    (void)gw_buf_append(out, GW_STR("\""));
    (void)gw_buf_append(out, message_end(encoder->is_generate));
    write_end(encoder->finish, &encoder->usage, out);
    encoder->is_complete = true;
}

/* What ends a line for Python's splitlines(), by which the ollama client cuts the stream; JSON
 * leaves these as they are. */
static const struct {
    struct gw_str bytes;
    struct gw_str escape;
} separators[] = {
    {GW_STR_INIT("\xc2\x85"), GW_STR_INIT("\\u0085")},
    {GW_STR_INIT("\xe2\x80\xa8"), GW_STR_INIT("\\u2028")},
    {GW_STR_INIT("\xe2\x80\xa9"), GW_STR_INIT("\\u2029")},
};

/* The first separator of |text|, *which of them; text.len without one. */
static size_t find_separator(struct gw_str text, size_t *which)
{
    size_t first = text.len;
    for (size_t i = 0; i < GW_ARRAY_LEN(separators); i++) {
        size_t at = gw_str_find(text, separators[i].bytes);
        if (at < first) {
            first = at;
            *which = i;
        }
    }
    return first;
}

/* Escapes the separators in what stands behind |from|; they can only be inside strings. */
static void escape_separators(struct gw_buf *out, size_t from)
{
    size_t which = 0;
    struct gw_str fresh = gw_str_skip(gw_buf_str(out), from);
    if (out->err != GW_OK || find_separator(fresh, &which) == fresh.len) {
        return;
    }
    struct gw_buf copy;
    gw_buf_init(&copy, out->max_bytes);
    stick(out, gw_buf_append(&copy, fresh));
    out->len = from;
    struct gw_str rest = gw_buf_str(&copy);
    while (rest.len > 0) {
        size_t at = find_separator(rest, &which);
        (void)gw_buf_append(out, gw_str(rest.ptr, at));
        if (at < rest.len) {
            (void)gw_buf_append(out, separators[which].escape);
            at += separators[which].bytes.len;
        }
        rest = gw_str_skip(rest, at);
    }
    gw_buf_fini(&copy);
}

static void encode_event(struct gw_encoder *encoder, const struct gw_event *event,
                         struct gw_buf *out)
{
    switch (event->type) {
    case GW_EVENT_TEXT:
    case GW_EVENT_REFUSAL:
        write_text(encoder, event, out);
        break;
    case GW_EVENT_REASONING:
        write_thinking(encoder, event->text, out);
        break;
    case GW_EVENT_MEDIA:
        write_image(encoder, &event->media, out);
        break;
    case GW_EVENT_TOOL_BEGIN:
    case GW_EVENT_TOOL_ARGUMENTS:
    case GW_EVENT_TOOL_END:
        stick(out, gw_answer_add(&encoder->calls, event));
        break;
    case GW_EVENT_FINISH:
        encoder->finish = event->finish.reason;
        break;
    case GW_EVENT_USAGE:
        encoder->usage = event->usage;
        break;
    case GW_EVENT_ERROR:
        gw_ollama_write_error_event(event->error, encoder->opts.request_id, out);
        encoder->is_complete = true;
        break;
    case GW_EVENT_END:
        write_last(encoder, out);
        break;
    case GW_EVENT_START:
    case GW_EVENT_PING: /* an empty line would be read as an object */
    case GW_EVENT_REASONING_SIGNATURE:
    case GW_EVENT_REASONING_REDACTED:
    case GW_EVENT_ANNOTATION:
    case GW_EVENT_TYPE_COUNT:
        break;
    }
}

void gw_ollama_encode(struct gw_encoder *encoder, const struct gw_event *event, struct gw_buf *out)
{
    size_t from = out->len;
    if (!encoder->is_complete) {
        encode_event(encoder, event, out);
        escape_separators(out, from);
    }
}

/* ---- the plain answer ---- */

static bool has_part(const struct gw_answer *answer, enum gw_answer_part_type type)
{
    for (size_t i = 0; i < answer->part_count; i++) {
        if (answer->parts[i].type == type) {
            return true;
        }
    }
    return false;
}

/* The texts of one type, or of two, in their order. */
static void write_joined(const struct gw_answer *answer, enum gw_answer_part_type type,
                         enum gw_answer_part_type other, struct gw_buf *out)
{
    for (size_t i = 0; i < answer->part_count; i++) {
        if (answer->parts[i].type == type || answer->parts[i].type == other) {
            (void)gw_buf_append_json(out, gw_buf_str(&answer->parts[i].text));
        }
    }
    (void)gw_buf_append(out, GW_STR("\""));
}

static void write_images(const struct gw_answer *answer, struct gw_buf *out)
{
    unsigned count = 0;
    for (size_t i = 0; i < answer->part_count; i++) {
        const struct gw_answer_part *part = &answer->parts[i];
        if (part->type == GW_PART_MEDIA && !gw_openai_is_audio(gw_buf_str(&part->name))) {
            (void)gw_buf_append(out, count++ == 0 ? GW_STR(",\"images\":[\"") : GW_STR(",\""));
            (void)gw_buf_append_json(out, gw_buf_str(&part->text));
            (void)gw_buf_append(out, GW_STR("\""));
        }
    }
    (void)gw_buf_append(out, count > 0 ? GW_STR("]") : GW_STR(""));
}

void gw_ollama_write_answer(const struct gw_encoder_opts *opts, const struct gw_answer *answer,
                            struct gw_buf *out)
{
    bool generates = is_generate(opts);
    write_head(opts, out);
    (void)gw_buf_append(out, text_begin(generates));
    write_joined(answer, GW_PART_TEXT, GW_PART_REFUSAL, out);
    if (has_part(answer, GW_PART_REASONING)) {
        (void)gw_buf_append(out, GW_STR(",\"thinking\":\""));
        write_joined(answer, GW_PART_REASONING, GW_PART_REASONING, out);
    }
    if (!generates) {
        write_images(answer, out);
        write_calls(opts, answer, out);
    }
    (void)gw_buf_append(out, message_end(generates));
    write_end(answer->finish, &answer->usage, out);
}

void gw_ollama_write_embeddings(const struct gw_encoder_opts *opts, yyjson_val *openai,
                                struct gw_buf *out)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *element = NULL;
    yyjson_val *data = gw_json_get(openai, "data");
    (void)gw_buf_append(out, GW_STR("{\"model\":"));
    gw_json_write_text(opts->model, out);
    (void)gw_buf_append(out, GW_STR(",\"embeddings\":["));
    yyjson_arr_foreach(data, index, max, element)
    {
        (void)gw_buf_append(out, index > 0 ? GW_STR(",") : GW_STR(""));
        gw_json_write(gw_json_get(element, "embedding"), out);
    }
    (void)gw_buf_append(out, GW_STR("]"));
    /* /api/embeddings, the older of the two, reads this one. */
    if (yyjson_is_str(gw_json_get(opts->chat, "input")) && yyjson_arr_size(data) == 1) {
        (void)gw_buf_append(out, GW_STR(",\"embedding\":"));
        gw_json_write(gw_json_get(yyjson_arr_get_first(data), "embedding"), out);
    }
    uint64_t tokens = gw_json_get_u64(gw_json_get(openai, "usage"), "prompt_tokens", 0);
    write_count(GW_STR(",\"prompt_eval_count\":"), tokens, out);
    (void)gw_buf_append(out, GW_STR("}"));
}

void gw_ollama_write_error(const struct gw_error *error, struct gw_str request_id,
                           struct gw_buf *out)
{
    (void)request_id;
    (void)gw_buf_append(out, GW_STR("{\"error\":"));
    gw_json_write_text(error->message, out);
    (void)gw_buf_append(out, GW_STR("}"));
}

void gw_ollama_write_error_event(const struct gw_error *error, struct gw_str request_id,
                                 struct gw_buf *out)
{
    gw_ollama_write_error(error, request_id, out);
    (void)gw_buf_append(out, GW_STR("\n"));
}
