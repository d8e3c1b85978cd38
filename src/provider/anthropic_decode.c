/* SPDX-License-Identifier: MIT */
/* provider/anthropic_decode - the frame of an answer: one message, or the events that build one
 * (anthropic.md sections 4 and 5). */
#include "provider/anthropic_decode_int.h"

#include "base/alloc.h"

#define SMALL_TEXT_BYTES                                                                           \
    (64u * 1024) /* ids have some 30 bytes, stop sequences are the client's                        \
                  */

struct gw_decoder *gw_anthropic_decoder_create(const struct gw_decoder_opts *opts)
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
    gw_json_reader_init(&decoder->input_reader, GW_PROVIDER_MAX_ANSWER_BYTES);
    gw_buf_init(&decoder->body, GW_PROVIDER_MAX_ANSWER_BYTES);
    gw_buf_init(&decoder->scratch, GW_PROVIDER_MAX_ANSWER_BYTES);
    gw_buf_init(&decoder->signature, GW_PROVIDER_MAX_EVENT_BYTES);
    gw_buf_init(&decoder->input, GW_PROVIDER_MAX_EVENT_BYTES);
    gw_buf_init(&decoder->id, SMALL_TEXT_BYTES);
    gw_buf_init(&decoder->stop_sequence, SMALL_TEXT_BYTES);
    return decoder;
}

void gw_anthropic_decoder_destroy(struct gw_decoder *decoder)
{
    if (decoder != NULL) {
        gw_sse_fini(&decoder->sse);
        gw_json_reader_fini(&decoder->reader);
        gw_json_reader_fini(&decoder->input_reader);
        gw_buf_fini(&decoder->body);
        gw_buf_fini(&decoder->scratch);
        gw_buf_fini(&decoder->signature);
        gw_buf_fini(&decoder->input);
        gw_buf_fini(&decoder->id);
        gw_buf_fini(&decoder->stop_sequence);
        gw_free(decoder);
    }
}

/* ---- usage and finish ---- */

/* Cumulative: what an event tells replaces what was told before. */
static void read_usage(struct gw_decoder *decoder, yyjson_val *object)
{
    struct gw_usage *usage = &decoder->usage;
    if (!yyjson_is_obj(object)) {
        return;
    }
    decoder->input_tokens = gw_json_get_u64(object, "input_tokens", decoder->input_tokens);
    usage->cached_tokens = gw_json_get_u64(object, "cache_read_input_tokens", usage->cached_tokens);
    usage->cache_write_tokens =
        gw_json_get_u64(object, "cache_creation_input_tokens", usage->cache_write_tokens);
    usage->output_tokens = gw_json_get_u64(object, "output_tokens", usage->output_tokens);
    usage->reasoning_tokens = gw_json_get_u64(gw_json_get(object, "output_tokens_details"),
                                              "thinking_tokens", usage->reasoning_tokens);
    usage->input_tokens = decoder->input_tokens + usage->cached_tokens + usage->cache_write_tokens;
    usage->is_known = true;
}

static void read_stop(struct gw_decoder *decoder, yyjson_val *from)
{
    static const struct {
        struct gw_str text;
        enum gw_finish finish;
    } reasons[] = {
        {GW_STR_INIT("end_turn"), GW_FINISH_STOP},
        {GW_STR_INIT("stop_sequence"), GW_FINISH_STOP},
        {GW_STR_INIT("pause_turn"), GW_FINISH_STOP},
        {GW_STR_INIT("compaction"), GW_FINISH_STOP},
        {GW_STR_INIT("max_tokens"), GW_FINISH_LENGTH},
        {GW_STR_INIT("model_context_window_exceeded"), GW_FINISH_LENGTH},
        {GW_STR_INIT("tool_use"), GW_FINISH_TOOL_CALLS},
        {GW_STR_INIT("refusal"), GW_FINISH_CONTENT_FILTER},
    };
    struct gw_str text = gw_json_get_text(from, "stop_reason");
    struct gw_str sequence = gw_json_get_text(from, "stop_sequence");
    if (text.len > 0) {
        decoder->has_finish = true;
        decoder->finish = GW_FINISH_UNKNOWN;
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(reasons); i++) {
        if (gw_str_eq(text, reasons[i].text)) {
            decoder->finish = reasons[i].finish;
        }
    }
    if (sequence.len > 0) {
        gw_buf_reset(&decoder->stop_sequence);
        (void)gw_buf_append(&decoder->stop_sequence, sequence); /* told only where it fits */
    }
}

static enum gw_err give_usage(struct gw_decoder *decoder)
{
    struct gw_event event = {.type = GW_EVENT_USAGE, .usage = decoder->usage};
    return decoder->usage.is_known ? gw_anthropic_give(decoder, &event) : GW_OK;
}

static enum gw_err finish(struct gw_decoder *decoder)
{
    struct gw_event event = {.type = GW_EVENT_FINISH,
                             .finish = {.reason = decoder->finish,
                                        .stop_sequence = gw_buf_str(&decoder->stop_sequence)}};
    enum gw_err err = gw_anthropic_end_block(decoder);
    err = err == GW_OK ? gw_anthropic_give(decoder, &event) : err;
    err = err == GW_OK ? give_usage(decoder) : err;
    decoder->is_ended = true;
    return err == GW_OK ? gw_anthropic_give(decoder, &(struct gw_event){.type = GW_EVENT_END})
                        : err;
}

static enum gw_err give_error(struct gw_decoder *decoder, yyjson_val *root)
{
    struct gw_error error = {0};
    gw_anthropic_explain_event(root, &error);
    decoder->is_ended = true;
    enum gw_err err =
        gw_anthropic_give(decoder, &(struct gw_event){.type = GW_EVENT_ERROR, .error = &error});
    return err == GW_OK ? gw_anthropic_give(decoder, &(struct gw_event){.type = GW_EVENT_END})
                        : err;
}

/* ---- a message ---- */

static enum gw_err start(struct gw_decoder *decoder, yyjson_val *message)
{
    struct gw_str id = gw_json_get_text(message, "id");
    if (decoder->is_started) { /* a second one is harmless only when it is the same */
        return gw_str_eq(gw_buf_str(&decoder->id), id) ? GW_OK : GW_ERR_PROTOCOL;
    }
    decoder->is_started = true;
    (void)gw_buf_append(&decoder->id, id);
    read_usage(decoder, gw_json_get(message, "usage"));
    struct gw_event event = {
        .type = GW_EVENT_START,
        .start = {.id = gw_buf_str(&decoder->id), .model = gw_json_get_text(message, "model")}};
    return gw_anthropic_give(decoder, &event);
}

static enum gw_err read_content(struct gw_decoder *decoder, yyjson_val *message)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *block = NULL;
    enum gw_err err = GW_OK;
    yyjson_arr_foreach(gw_json_get(message, "content"), index, max, block)
    {
        err = err == GW_OK ? gw_anthropic_begin_block(decoder, index, block) : err;
        err = err == GW_OK ? gw_anthropic_end_block(decoder) : err;
    }
    return err;
}

static enum gw_err read_message(struct gw_decoder *decoder, yyjson_val *root)
{
    if (gw_json_get(root, "error") != NULL) {
        return give_error(decoder, root);
    }
    if (!yyjson_is_arr(gw_json_get(root, "content"))) {
        return GW_ERR_PROTOCOL;
    }
    enum gw_err err = start(decoder, root);
    err = err == GW_OK ? read_content(decoder, root) : err;
    read_stop(decoder, root);
    return err == GW_OK ? finish(decoder) : err;
}

/* ---- a stream ---- */

/* The client pays for the input even of a stream that breaks off, so it is told early. */
static enum gw_err on_message_start(struct gw_decoder *decoder, yyjson_val *root)
{
    bool is_first = !decoder->is_started;
    yyjson_val *message = gw_json_get(root, "message");
    enum gw_err err = start(decoder, message);
    err = err == GW_OK && is_first ? give_usage(decoder) : err;
    return err == GW_OK && is_first ? read_content(decoder, message) : err;
}

static enum gw_err on_block_start(struct gw_decoder *decoder, yyjson_val *root)
{
    return gw_anthropic_begin_block(decoder, gw_json_get_u64(root, "index", 0),
                                    gw_json_get(root, "content_block"));
}

static enum gw_err on_block_delta(struct gw_decoder *decoder, yyjson_val *root)
{
    bool is_open = gw_json_get_u64(root, "index", decoder->block_index) == decoder->block_index;
    return is_open ? gw_anthropic_take_delta(decoder, gw_json_get(root, "delta")) : GW_OK;
}

static enum gw_err on_block_stop(struct gw_decoder *decoder, yyjson_val *root)
{
    bool is_open = gw_json_get_u64(root, "index", decoder->block_index) == decoder->block_index;
    return is_open ? gw_anthropic_end_block(decoder) : GW_OK;
}

static enum gw_err on_message_delta(struct gw_decoder *decoder, yyjson_val *root)
{
    read_stop(decoder, gw_json_get(root, "delta"));
    read_usage(decoder, gw_json_get(root, "usage"));
    return GW_OK;
}

static enum gw_err on_message_stop(struct gw_decoder *decoder, yyjson_val *root)
{
    (void)root;
    return decoder->is_started ? finish(decoder) : GW_ERR_PROTOCOL;
}

static enum gw_err on_ping(struct gw_decoder *decoder, yyjson_val *root)
{
    (void)root;
    return gw_anthropic_give(decoder, &(struct gw_event){.type = GW_EVENT_PING});
}

static enum gw_err take_document(struct gw_decoder *decoder, struct gw_str event_type,
                                 yyjson_val *root)
{
    static const struct {
        struct gw_str type;
        enum gw_err (*take)(struct gw_decoder *decoder, yyjson_val *root);
    } takers[] = {
        {GW_STR_INIT("content_block_delta"), on_block_delta},
        {GW_STR_INIT("content_block_start"), on_block_start},
        {GW_STR_INIT("content_block_stop"), on_block_stop},
        {GW_STR_INIT("message_start"), on_message_start},
        {GW_STR_INIT("message_delta"), on_message_delta},
        {GW_STR_INIT("message_stop"), on_message_stop},
        {GW_STR_INIT("ping"), on_ping},
        {GW_STR_INIT("error"), give_error},
    };
    struct gw_str type = gw_json_get_text(root, "type");
    if (type.len == 0) {
        type = gw_json_get(root, "error") != NULL ? GW_STR("error") : event_type;
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(takers); i++) {
        if (gw_str_eq(type, takers[i].type)) {
            return takers[i].take(decoder, root);
        }
    }
    return GW_OK;
}

static enum gw_err take_event(struct gw_decoder *decoder, const struct gw_sse_event *event,
                              bool is_last)
{
    yyjson_val *root = NULL;
    if (decoder->is_ended || gw_str_trim(event->data).len == 0) {
        return GW_OK;
    }
    enum gw_err err = gw_json_read(&decoder->reader, event->data, &root);
    if (err == GW_ERR_INVALID) {
        return is_last ? GW_OK : GW_ERR_PROTOCOL; /* half an event is no event */
    }
    return err == GW_OK ? take_document(decoder, event->type, root) : err;
}

static enum gw_err on_event(void *user, const struct gw_sse_event *event)
{
    return take_event(user, event, false);
}

static enum gw_err on_last_event(void *user, const struct gw_sse_event *event)
{
    return take_event(user, event, true);
}

/* ---- the decoder ---- */

enum gw_err gw_anthropic_feed(struct gw_decoder *decoder, struct gw_str bytes)
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
    struct gw_str body = gw_buf_str(&decoder->body);
    if (gw_str_trim(body).len == 0) {
        return GW_ERR_EOF;
    }
    enum gw_err err = gw_json_read(&decoder->reader, body, &root);
    if (err != GW_OK) {
        return err == GW_ERR_INVALID ? GW_ERR_PROTOCOL : err;
    }
    return read_message(decoder, root);
}

static enum gw_err end_stream(struct gw_decoder *decoder)
{
    enum gw_err err = gw_sse_finish(&decoder->sse, on_last_event, decoder);
    if (err != GW_OK || decoder->is_ended) {
        return err;
    }
    return decoder->has_finish && decoder->is_started ? finish(decoder) : GW_ERR_EOF;
}

enum gw_err gw_anthropic_end(struct gw_decoder *decoder)
{
    if (decoder->err == GW_OK && !decoder->is_ended) {
        decoder->err =
            decoder->opts.mode == GW_DECODE_PLAIN ? end_plain(decoder) : end_stream(decoder);
    }
    return decoder->err;
}
