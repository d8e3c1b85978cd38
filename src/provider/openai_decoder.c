/* SPDX-License-Identifier: MIT */
/* provider/openai_decoder - the frame: events of a stream or one document, where it begins, where
 * it ends. */
#include "provider/openai_decoder.h"

#include "base/alloc.h"
#include "provider/openai_decoder_int.h"
#include "provider/openai_error.h"

#define STOP_SEQUENCE_BYTES (64u * 1024) /* clients' own texts; some words as a rule */

struct gw_decoder *gw_openai_decoder_create(const struct gw_decoder_opts *opts)
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
    gw_buf_init(&decoder->stop_sequence, STOP_SEQUENCE_BYTES);
    return decoder;
}

void gw_openai_decoder_destroy(struct gw_decoder *decoder)
{
    if (decoder != NULL) {
        gw_openai_free_calls(decoder);
        gw_sse_fini(&decoder->sse);
        gw_json_reader_fini(&decoder->reader);
        gw_buf_fini(&decoder->body);
        gw_buf_fini(&decoder->scratch);
        gw_buf_fini(&decoder->stop_sequence);
        gw_free(decoder);
    }
}

enum gw_err gw_openai_give(struct gw_decoder *decoder, const struct gw_event *event)
{
    return decoder->opts.on_event(decoder->opts.user, event);
}

/* ---- beginning and end ---- */

/* Ollama counts to 999 and begins again. */
static bool is_unique(struct gw_str id)
{
    struct gw_str prefix = GW_STR("chatcmpl-");
    uint64_t number = 0;
    return !gw_str_has_prefix(id, prefix) || id.len > prefix.len + 3 ||
           gw_parse_u64(gw_str_skip(id, prefix.len), &number) != GW_OK;
}

static enum gw_err start(struct gw_decoder *decoder, yyjson_val *root)
{
    if (decoder->is_started) {
        return GW_OK;
    }
    struct gw_str id = gw_json_get_text(root, "id");
    struct gw_event event = {.type = GW_EVENT_START,
                             .start = {.id = is_unique(id) ? id : gw_str(NULL, 0),
                                       .model = gw_json_get_text(root, "model"),
                                       .created_s = gw_json_get_u64(root, "created", 0)}};
    decoder->is_started = true;
    return gw_openai_give(decoder, &event);
}

static enum gw_err give_error(struct gw_decoder *decoder, const struct gw_error *error)
{
    decoder->is_ended = true;
    enum gw_err err =
        gw_openai_give(decoder, &(struct gw_event){.type = GW_EVENT_ERROR, .error = error});
    return err == GW_OK ? gw_openai_give(decoder, &(struct gw_event){.type = GW_EVENT_END}) : err;
}

/* A finish reason that is a failure: DeepSeek has no room, Mistral's or vLLM's model broke off. */
static enum gw_err give_failure(struct gw_decoder *decoder)
{
    struct gw_error error = {.class = GW_ERROR_UPSTREAM,
                             .status = 503,
                             .upstream_status = 200,
                             .is_retryable = true,
                             .can_fallback = true,
                             .code = GW_STR("upstream_error"),
                             .message =
                                 GW_STR("The provider stopped before the answer was complete.")};
    return give_error(decoder, &error);
}

static enum gw_err finish(struct gw_decoder *decoder)
{
    if (decoder->has_refused_finish) {
        return give_failure(decoder);
    }
    enum gw_err err = gw_openai_end_calls(decoder);
    enum gw_finish reason = decoder->finish;
    /* A named tool_choice ends with "stop" at some; the calls decide. */
    if (decoder->call_count > 0 && (reason == GW_FINISH_STOP || reason == GW_FINISH_UNKNOWN)) {
        reason = GW_FINISH_TOOL_CALLS;
    }
    struct gw_event event = {
        .type = GW_EVENT_FINISH,
        .finish = {.reason = reason, .stop_sequence = gw_buf_str(&decoder->stop_sequence)}};
    err = err == GW_OK ? gw_openai_give(decoder, &event) : err;
    if (err == GW_OK && decoder->usage.is_known) {
        event = (struct gw_event){.type = GW_EVENT_USAGE, .usage = decoder->usage};
        err = gw_openai_give(decoder, &event);
    }
    decoder->is_ended = true;
    return err == GW_OK ? gw_openai_give(decoder, &(struct gw_event){.type = GW_EVENT_END}) : err;
}

/* ---- one document ---- */

static void read_finish(struct gw_decoder *decoder, yyjson_val *choice)
{
    static const struct {
        struct gw_str text;
        enum gw_finish finish;
    } reasons[] = {
        {GW_STR_INIT("stop"), GW_FINISH_STOP},
        {GW_STR_INIT("length"), GW_FINISH_LENGTH},
        {GW_STR_INIT("tool_calls"), GW_FINISH_TOOL_CALLS},
        {GW_STR_INIT("content_filter"), GW_FINISH_CONTENT_FILTER},
        {GW_STR_INIT("function_call"), GW_FINISH_TOOL_CALLS},
        {GW_STR_INIT("model_length"), GW_FINISH_LENGTH},
        {GW_STR_INIT("max_tokens"), GW_FINISH_LENGTH},
        {GW_STR_INIT("eos"), GW_FINISH_STOP},
    };
    struct gw_str text = gw_json_get_text(choice, "finish_reason");
    if (text.len == 0) {
        return;
    }
    decoder->has_finish = true;
    decoder->has_refused_finish = gw_str_eq(text, GW_STR("error")) ||
                                  gw_str_eq(text, GW_STR("abort")) ||
                                  gw_str_eq(text, GW_STR("insufficient_system_resource"));
    decoder->finish = GW_FINISH_UNKNOWN;
    for (size_t i = 0; i < GW_ARRAY_LEN(reasons); i++) {
        if (gw_str_eq(text, reasons[i].text)) {
            decoder->finish = reasons[i].finish;
        }
    }
    struct gw_str stop = gw_json_get_text(choice, "stop_reason"); /* vLLM; else a number */
    if (stop.len == 0) {
        stop = gw_json_get_text(choice, "matched_stop"); /* SGLang */
    }
    gw_buf_reset(&decoder->stop_sequence);
    (void)gw_buf_append(&decoder->stop_sequence, stop); /* told only where it fits */
}

/* llama.cpp without usage. */
static struct gw_usage read_timings(yyjson_val *timings)
{
    struct gw_usage usage = {0};
    usage.is_known = gw_json_get(timings, "prompt_n") != NULL;
    usage.cached_tokens = gw_json_get_u64(timings, "cache_n", 0);
    usage.input_tokens = gw_json_get_u64(timings, "prompt_n", 0) + usage.cached_tokens;
    usage.output_tokens = gw_json_get_u64(timings, "predicted_n", 0);
    return usage;
}

/* What of a chunk matters, found in one pass: most have none but "choices". NULL: absent or null.
 */
struct document {
    yyjson_val *root;
    yyjson_val *choices;
    yyjson_val *usage;
    yyjson_val *x_groq;
    yyjson_val *timings;
    yyjson_val *error;
};

static struct document find_members(yyjson_val *root)
{
    struct document document = {.root = root};
    const struct {
        struct gw_str name;
        yyjson_val **place;
    } wanted[] = {
        {GW_STR("choices"), &document.choices}, {GW_STR("usage"), &document.usage},
        {GW_STR("x_groq"), &document.x_groq},   {GW_STR("timings"), &document.timings},
        {GW_STR("error"), &document.error},
    };
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    yyjson_obj_foreach(root, index, max, key, value)
    {
        struct gw_str name = gw_json_text(key);
        for (size_t i = 0; i < GW_ARRAY_LEN(wanted) && !yyjson_is_null(value); i++) {
            if (name.len == wanted[i].name.len && gw_str_eq(name, wanted[i].name)) {
                *wanted[i].place = value;
            }
        }
    }
    return document;
}

static void read_usage(struct gw_decoder *decoder, const struct document *document)
{
    yyjson_val *object = document->usage;
    if (object == NULL) {
        object = gw_json_get(document->x_groq, "usage");
    }
    struct gw_usage usage = {0};
    if (object != NULL) {
        usage = gw_openai_read_usage(object);
    }
    if (!usage.is_known && !decoder->usage.is_known && document->timings != NULL) {
        usage = read_timings(document->timings);
    }
    if (usage.is_known) {
        decoder->usage = usage;
    }
}

/* The first choice: index 0, or the only one. */
static yyjson_val *find_choice(yyjson_val *choices)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *choice = NULL;
    yyjson_arr_foreach(choices, index, max, choice)
    {
        if (gw_json_get_u64(choice, "index", 0) == 0) {
            return choice;
        }
    }
    return NULL;
}

static enum gw_err read_choice(struct gw_decoder *decoder, yyjson_val *root, yyjson_val *choice)
{
    bool is_whole = decoder->opts.mode == GW_DECODE_PLAIN;
    yyjson_val *message = gw_json_get(choice, is_whole ? "message" : "delta");
    yyjson_val *logprobs = gw_json_get(gw_json_get(choice, "logprobs"), "content");
    enum gw_err err = start(decoder, root);
    if (err == GW_OK && yyjson_is_obj(message)) {
        err = gw_openai_read_message(decoder, message, logprobs, is_whole);
    }
    read_finish(decoder, choice);
    return err;
}

static enum gw_err read_document(struct gw_decoder *decoder, yyjson_val *root,
                                 struct gw_str event_type)
{
    struct document document = find_members(root);
    if (document.error != NULL || gw_str_eq(event_type, GW_STR("error"))) {
        struct gw_error error = {0};
        gw_openai_explain_event(root, &error);
        return give_error(decoder, &error);
    }
    read_usage(decoder, &document);
    yyjson_val *choice = find_choice(document.choices);
    return choice != NULL ? read_choice(decoder, root, choice) : GW_OK;
}

/* ---- streams ---- */

static enum gw_err on_data(struct gw_decoder *decoder, const struct gw_sse_event *event,
                           bool is_last)
{
    yyjson_val *root = NULL;
    if (gw_str_has_prefix(event->data, GW_STR("[DONE]"))) {
        return decoder->is_started ? finish(decoder) : GW_OK;
    }
    if (gw_str_trim(event->data).len == 0) {
        return GW_OK;
    }
    enum gw_err err = gw_json_read(&decoder->reader, event->data, &root);
    if (err == GW_ERR_INVALID) {
        return is_last ? GW_OK : GW_ERR_PROTOCOL; /* half an event is no event */
    }
    return err == GW_OK ? read_document(decoder, root, event->type) : err;
}

/* Ollama writes an error as a bare line of JSON, older llama.cpp as a field "error". */
static enum gw_err on_other(struct gw_decoder *decoder, struct gw_str line)
{
    yyjson_val *root = NULL;
    struct gw_str field = GW_STR("error:");
    bool is_field = gw_str_has_prefix(line, field);
    if (!is_field && (line.len == 0 || line.ptr[0] != '{')) {
        return GW_OK;
    }
    enum gw_err err =
        gw_json_read(&decoder->reader, is_field ? gw_str_skip(line, field.len) : line, &root);
    if (err != GW_OK) {
        return err == GW_ERR_INVALID && !is_field ? GW_OK : GW_ERR_PROTOCOL;
    }
    return is_field || gw_json_get(root, "error") != NULL
               ? read_document(decoder, root, GW_STR("error"))
               : GW_OK;
}

static enum gw_err take_event(struct gw_decoder *decoder, const struct gw_sse_event *event,
                              bool is_last)
{
    if (decoder->is_ended) {
        return GW_OK;
    }
    if (event->data.ptr != NULL) {
        return on_data(decoder, event, is_last);
    }
    return on_other(decoder, event->other);
}

static enum gw_err on_event(void *user, const struct gw_sse_event *event)
{
    return take_event(user, event, false);
}

static enum gw_err on_last_event(void *user, const struct gw_sse_event *event)
{
    return take_event(user, event, true);
}

enum gw_err gw_openai_decoder_feed(struct gw_decoder *decoder, struct gw_str bytes)
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
    struct gw_str body = gw_str_trim(gw_buf_str(&decoder->body)); /* DeepSeek: empty lines first */
    if (body.len == 0) {
        return GW_ERR_EOF;
    }
    enum gw_err err = gw_json_read(&decoder->reader, body, &root);
    if (err != GW_OK) {
        return err == GW_ERR_INVALID ? GW_ERR_PROTOCOL : err;
    }
    err = read_document(decoder, root, gw_str(NULL, 0));
    if (err != GW_OK || decoder->is_ended) {
        return err;
    }
    return decoder->is_started ? finish(decoder) : GW_ERR_PROTOCOL;
}

static enum gw_err end_stream(struct gw_decoder *decoder)
{
    enum gw_err err = gw_sse_finish(&decoder->sse, on_last_event, decoder);
    if (err != GW_OK || decoder->is_ended) {
        return err;
    }
    return decoder->has_finish ? finish(decoder) : GW_ERR_EOF;
}

enum gw_err gw_openai_decoder_end(struct gw_decoder *decoder)
{
    if (decoder->err == GW_OK && !decoder->is_ended) {
        decoder->err =
            decoder->opts.mode == GW_DECODE_PLAIN ? end_plain(decoder) : end_stream(decoder);
    }
    return decoder->err;
}
