/* SPDX-License-Identifier: MIT */
/* provider/cohere_answer - Cohere's answers and server-sent events, as events. */
#include <stdio.h>

#include "base/alloc.h"
#include "http/sse.h"
#include "provider/cohere_int.h"
#include "json/value.h"
#include "json/write.h"

struct gw_decoder {
    struct gw_decoder_opts opts;
    const struct gw_tool_names *names; /* may be NULL */
    struct gw_sse sse;
    struct gw_buf body; /* plain */
    struct gw_json_reader reader;
    struct gw_json_reader input_reader; /* of a custom tool's input */
    struct gw_buf held;                 /* a custom tool's input until it is whole; an annotation */
    unsigned tool_count;
    bool in_tool; /* the last call is open: calls come one after the other */
    bool has_arguments;
    bool is_custom;
    bool is_started;
    bool has_output;
    bool is_finished;
    bool has_failed;
    bool is_ended;
    enum gw_err err;
};

/* ---- giving events ---- */

static enum gw_err give(struct gw_decoder *decoder, const struct gw_event *event)
{
    return decoder->opts.on_event(decoder->opts.user, event);
}

static enum gw_err give_start(struct gw_decoder *decoder, struct gw_str id)
{
    if (decoder->is_started) {
        return GW_OK;
    }
    decoder->is_started = true;
    return give(decoder,
                &(struct gw_event){.type = GW_EVENT_START,
                                   .start = {.id = id, .model = decoder->opts.upstream_model}});
}

static enum gw_err give_text(struct gw_decoder *decoder, enum gw_event_type type,
                             struct gw_str text)
{
    if (text.len == 0) {
        return GW_OK;
    }
    decoder->has_output = true;
    return give(decoder, &(struct gw_event){.type = type, .text = text});
}

/* ---- tool calls ---- */

static enum gw_err give_arguments(struct gw_decoder *decoder, struct gw_str text)
{
    return give(decoder,
                &(struct gw_event){.type = GW_EVENT_TOOL_ARGUMENTS,
                                   .arguments = {.index = decoder->tool_count - 1, .text = text}});
}

static enum gw_err add_arguments(struct gw_decoder *decoder, struct gw_str text)
{
    if (!decoder->in_tool) {
        return GW_ERR_PROTOCOL;
    }
    /* No arguments are written "null" or not at all. */
    if (text.len == 0 || (!decoder->has_arguments && gw_str_eq(text, GW_STR("null")))) {
        return GW_OK;
    }
    decoder->has_arguments = true;
    return decoder->is_custom ? gw_buf_append(&decoder->held, text) : give_arguments(decoder, text);
}

/* A custom tool's input is inside {"input":text}; what is no such object is given as it is. */
static enum gw_err give_custom_input(struct gw_decoder *decoder)
{
    yyjson_val *root = NULL;
    struct gw_str whole = gw_buf_str(&decoder->held);
    enum gw_err err = gw_json_read(&decoder->input_reader, whole, &root);
    if (err == GW_ERR_NOMEM) {
        return err;
    }
    struct gw_str input = gw_json_get_text(root, "input");
    return give_arguments(decoder, input.ptr != NULL ? input : whole);
}

static enum gw_err end_tool(struct gw_decoder *decoder)
{
    enum gw_err err = GW_OK;
    if (!decoder->in_tool) {
        return GW_OK;
    }
    decoder->in_tool = false;
    if (decoder->is_custom) {
        err = give_custom_input(decoder);
        gw_buf_reset(&decoder->held);
    } else if (!decoder->has_arguments) {
        err = give_arguments(decoder, GW_STR("{}"));
    }
    if (err != GW_OK) {
        return err;
    }
    return give(decoder,
                &(struct gw_event){.type = GW_EVENT_TOOL_END, .index = decoder->tool_count - 1});
}

static enum gw_err begin_tool(struct gw_decoder *decoder, yyjson_val *call)
{
    yyjson_val *function = gw_json_get(call, "function");
    struct gw_str sent = gw_json_get_text(function, "name");
    const struct gw_tool_name *name = gw_tool_names_of(decoder->names, sent);
    enum gw_err err = end_tool(decoder);
    if (err != GW_OK) {
        return err;
    }
    decoder->in_tool = true;
    decoder->has_output = true;
    decoder->has_arguments = false;
    decoder->is_custom = name != NULL && name->is_custom;
    decoder->tool_count++;
    err = give(decoder, &(struct gw_event){.type = GW_EVENT_TOOL_BEGIN,
                                           .tool = {.index = decoder->tool_count - 1,
                                                    .id = gw_json_get_text(call, "id"),
                                                    .name = name != NULL ? name->client : sent,
                                                    .is_custom = decoder->is_custom}});
    return err == GW_OK ? add_arguments(decoder, gw_json_get_text(function, "arguments")) : err;
}

/* ---- citations ---- */

/* The URL of a source, where it is a document from the web. */
static struct gw_str find_url(yyjson_val *citation, struct gw_str *title)
{
    size_t i;
    size_t count;
    yyjson_val *source;
    yyjson_arr_foreach(gw_json_get(citation, "sources"), i, count, source)
    {
        yyjson_val *document = gw_json_get(source, "document");
        struct gw_str url = gw_json_get_text(document, "url");
        if (url.len > 0) {
            *title = gw_json_get_text(document, "title");
            return url;
        }
    }
    return gw_str(NULL, 0);
}

/* A citation of a page as OpenAI's annotation; other sources have no equal there. */
static enum gw_err give_citation(struct gw_decoder *decoder, yyjson_val *citation)
{
    struct gw_str title = {0};
    struct gw_str url = find_url(citation, &title);
    if (url.len == 0) {
        return GW_OK;
    }
    struct gw_buf out;
    gw_buf_init(&out, GW_PROVIDER_MAX_EVENT_BYTES);
    (void)gw_buf_append(&out, GW_STR("{\"type\":\"url_citation\",\"url_citation\":{"));
    gw_json_write_member(GW_STR("url"), url, &out);
    gw_json_write_optional(GW_STR("title"), title, &out);
    gw_json_write_count(GW_STR("start_index"), gw_json_get_u64(citation, "start", 0), &out);
    gw_json_write_count(GW_STR("end_index"), gw_json_get_u64(citation, "end", 0), &out);
    (void)gw_buf_append(&out, GW_STR("}}"));
    enum gw_err err = out.err;
    if (err == GW_OK) {
        err = give(decoder,
                   &(struct gw_event){.type = GW_EVENT_ANNOTATION, .annotation = gw_buf_str(&out)});
    }
    gw_buf_fini(&out);
    return err;
}

/* ---- the end of an answer ---- */

static enum gw_err give_error(struct gw_decoder *decoder, unsigned status, struct gw_str message)
{
    const struct gw_error error = {
        .class = status == 504 ? GW_ERROR_TIMEOUT : GW_ERROR_UPSTREAM,
        .status = status,
        .is_retryable = true,
        .can_fallback = true,
        .message = message.len > 0 ? message : GW_STR("Cohere stopped with an error."),
    };
    decoder->has_failed = true;
    return give(decoder, &(struct gw_event){.type = GW_EVENT_ERROR, .error = &error});
}

static enum gw_finish finish_of(struct gw_str reason)
{
    static const struct {
        struct gw_str name;
        enum gw_finish finish;
    } reasons[] = {
        {GW_STR_INIT("COMPLETE"), GW_FINISH_STOP},
        {GW_STR_INIT("STOP_SEQUENCE"), GW_FINISH_STOP},
        {GW_STR_INIT("MAX_TOKENS"), GW_FINISH_LENGTH},
        {GW_STR_INIT("TOOL_CALL"), GW_FINISH_TOOL_CALLS},
        {GW_STR_INIT("ERROR_TOXIC"), GW_FINISH_CONTENT_FILTER},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(reasons); i++) {
        if (gw_str_eq(reason, reasons[i].name)) {
            return reasons[i].finish;
        }
    }
    return GW_FINISH_UNKNOWN;
}

static enum gw_err give_usage(struct gw_decoder *decoder, yyjson_val *usage)
{
    yyjson_val *tokens = gw_json_get(usage, "tokens");
    tokens = tokens != NULL ? tokens : gw_json_get(usage, "billed_units");
    if (tokens == NULL) {
        return GW_OK;
    }
    return give(decoder, &(struct gw_event){
                             .type = GW_EVENT_USAGE,
                             .usage = {.input_tokens = gw_json_get_u64(tokens, "input_tokens", 0),
                                       .cached_tokens = gw_json_get_u64(usage, "cached_tokens", 0),
                                       .output_tokens = gw_json_get_u64(tokens, "output_tokens", 0),
                                       .is_known = true}});
}

/* |end| has "finish_reason", "usage", and "error" where it went wrong. */
static enum gw_err give_end(struct gw_decoder *decoder, yyjson_val *end)
{
    struct gw_str reason = gw_json_get_text(end, "finish_reason");
    struct gw_str message = gw_json_get_text(end, "error");
    enum gw_finish finish = finish_of(reason);
    enum gw_err err = end_tool(decoder);
    if (err != GW_OK) {
        return err;
    }
    /* With ERROR, TIMEOUT and what is not known yet, what there is is the answer. */
    if (message.len > 0 || (finish == GW_FINISH_UNKNOWN && !decoder->has_output)) {
        return give_error(decoder, gw_str_eq(reason, GW_STR("TIMEOUT")) ? 504 : 502, message);
    }
    decoder->is_finished = true;
    err = give(decoder,
               &(struct gw_event){
                   .type = GW_EVENT_FINISH,
                   .finish = {.reason = finish != GW_FINISH_UNKNOWN ? finish : GW_FINISH_STOP}});
    return err == GW_OK ? give_usage(decoder, gw_json_get(end, "usage")) : err;
}

/* ---- stream ---- */

static enum gw_err on_message_start(struct gw_decoder *decoder, yyjson_val *event,
                                    yyjson_val *message)
{
    (void)message;
    return give_start(decoder, gw_json_get_text(event, "id"));
}

static enum gw_err on_tool_plan(struct gw_decoder *decoder, yyjson_val *event, yyjson_val *message)
{
    (void)event;
    return give_text(decoder, GW_EVENT_TEXT, gw_json_get_text(message, "tool_plan"));
}

static enum gw_err on_content(struct gw_decoder *decoder, yyjson_val *event, yyjson_val *message)
{
    yyjson_val *content = gw_json_get(message, "content");
    (void)event;
    enum gw_err err = give_text(decoder, GW_EVENT_REASONING, gw_json_get_text(content, "thinking"));
    return err == GW_OK ? give_text(decoder, GW_EVENT_TEXT, gw_json_get_text(content, "text"))
                        : err;
}

static enum gw_err on_tool_start(struct gw_decoder *decoder, yyjson_val *event, yyjson_val *message)
{
    (void)event;
    return begin_tool(decoder, gw_json_get(message, "tool_calls"));
}

static enum gw_err on_tool_delta(struct gw_decoder *decoder, yyjson_val *event, yyjson_val *message)
{
    yyjson_val *call = gw_json_get(message, "tool_calls");
    (void)event;
    return add_arguments(decoder, gw_json_get_text(gw_json_get(call, "function"), "arguments"));
}

static enum gw_err on_tool_end(struct gw_decoder *decoder, yyjson_val *event, yyjson_val *message)
{
    (void)event;
    (void)message;
    return end_tool(decoder);
}

static enum gw_err on_citation(struct gw_decoder *decoder, yyjson_val *event, yyjson_val *message)
{
    (void)event;
    return give_citation(decoder, gw_json_get(message, "citations"));
}

static enum gw_err on_message_end(struct gw_decoder *decoder, yyjson_val *event,
                                  yyjson_val *message)
{
    (void)message;
    return give_end(decoder, gw_json_get(event, "delta"));
}

static enum gw_err read_event(struct gw_decoder *decoder, yyjson_val *event)
{
    static const struct {
        struct gw_str type;
        enum gw_err (*read)(struct gw_decoder *decoder, yyjson_val *event, yyjson_val *message);
    } readers[] = {
        {GW_STR_INIT("content-delta"), on_content},
        {GW_STR_INIT("content-start"), on_content},
        {GW_STR_INIT("tool-call-delta"), on_tool_delta},
        {GW_STR_INIT("tool-call-start"), on_tool_start},
        {GW_STR_INIT("tool-call-end"), on_tool_end},
        {GW_STR_INIT("tool-plan-delta"), on_tool_plan},
        {GW_STR_INIT("citation-start"), on_citation},
        {GW_STR_INIT("message-start"), on_message_start},
        {GW_STR_INIT("message-end"), on_message_end},
    };
    struct gw_str type = gw_json_get_text(event, "type");
    yyjson_val *message = gw_json_get(gw_json_get(event, "delta"), "message");
    /* An error object may stand where an event should. */
    if (type.ptr == NULL && gw_json_get_text(event, "message").ptr != NULL) {
        return give_error(decoder, 502, gw_json_get_text(event, "message"));
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(readers); i++) {
        if (gw_str_eq(type, readers[i].type)) {
            enum gw_err err =
                readers[i].read == on_message_start ? GW_OK : give_start(decoder, gw_str(NULL, 0));
            return err == GW_OK ? readers[i].read(decoder, event, message) : err;
        }
    }
    return GW_OK; /* content-end, citation-end, debug, and events of tomorrow */
}

static gw_sse_on_event_fn on_sse_event;
static enum gw_err on_sse_event(void *user, const struct gw_sse_event *event)
{
    struct gw_decoder *decoder = user;
    struct gw_str text = event->data.ptr != NULL ? event->data : event->other;
    yyjson_val *root = NULL;
    if (text.len == 0 || decoder->has_failed || decoder->is_finished ||
        gw_str_eq(text, GW_STR("[DONE]"))) {
        return GW_OK;
    }
    enum gw_err err = gw_json_read(&decoder->reader, text, &root);
    if (err != GW_OK) {
        return err == GW_ERR_INVALID ? GW_ERR_PROTOCOL : err;
    }
    return read_event(decoder, root);
}

/* ---- plain ---- */

static enum gw_err give_message(struct gw_decoder *decoder, yyjson_val *message)
{
    size_t i;
    size_t count;
    yyjson_val *item;
    enum gw_err err = give_text(decoder, GW_EVENT_TEXT, gw_json_get_text(message, "tool_plan"));
    yyjson_arr_foreach(gw_json_get(message, "content"), i, count, item)
    {
        if (err == GW_OK) {
            err = give_text(decoder, GW_EVENT_REASONING, gw_json_get_text(item, "thinking"));
        }
        if (err == GW_OK) {
            err = give_text(decoder, GW_EVENT_TEXT, gw_json_get_text(item, "text"));
        }
    }
    yyjson_arr_foreach(gw_json_get(message, "citations"), i, count, item)
    {
        err = err == GW_OK ? give_citation(decoder, item) : err;
    }
    yyjson_arr_foreach(gw_json_get(message, "tool_calls"), i, count, item)
    {
        err = err == GW_OK ? begin_tool(decoder, item) : err;
    }
    return err;
}

static enum gw_err read_plain(struct gw_decoder *decoder)
{
    yyjson_val *root = NULL;
    enum gw_err err = gw_json_read(&decoder->reader, gw_buf_str(&decoder->body), &root);
    yyjson_val *message = gw_json_get(root, "message");
    if (err != GW_OK || !yyjson_is_obj(message)) {
        return err == GW_ERR_NOMEM || err == GW_ERR_TOO_LARGE ? err : GW_ERR_PROTOCOL;
    }
    err = give_start(decoder, gw_json_get_text(root, "id"));
    if (err == GW_OK) {
        err = give_message(decoder, message);
    }
    return err == GW_OK ? give_end(decoder, root) : err;
}

/* ---- the interface ---- */

struct gw_decoder *gw_cohere_decoder_create(const struct gw_decoder_opts *opts)
{
    struct gw_decoder *decoder = gw_try_alloc(sizeof(*decoder));
    if (decoder == NULL) {
        return NULL;
    }
    *decoder = (struct gw_decoder){.opts = *opts, .names = opts->memory};
    bool is_stream = opts->mode == GW_DECODE_STREAM;
    gw_sse_init(&decoder->sse, GW_PROVIDER_MAX_EVENT_BYTES);
    gw_buf_init(&decoder->body, GW_PROVIDER_MAX_ANSWER_BYTES);
    gw_buf_init(&decoder->held, GW_PROVIDER_MAX_EVENT_BYTES);
    gw_json_reader_init(&decoder->reader,
                        is_stream ? GW_PROVIDER_MAX_EVENT_BYTES : GW_PROVIDER_MAX_ANSWER_BYTES);
    gw_json_reader_init(&decoder->input_reader, GW_PROVIDER_MAX_EVENT_BYTES);
    return decoder;
}

enum gw_err gw_cohere_feed(struct gw_decoder *decoder, struct gw_str bytes)
{
    if (decoder->err == GW_OK) {
        decoder->err = decoder->opts.mode == GW_DECODE_STREAM
                           ? gw_sse_feed(&decoder->sse, bytes, on_sse_event, decoder)
                           : gw_buf_append(&decoder->body, bytes);
    }
    return decoder->err;
}

enum gw_err gw_cohere_end(struct gw_decoder *decoder)
{
    if (decoder->err != GW_OK || decoder->is_ended) {
        return decoder->err;
    }
    decoder->err = decoder->opts.mode == GW_DECODE_STREAM
                       ? gw_sse_finish(&decoder->sse, on_sse_event, decoder)
                       : read_plain(decoder);
    /* A stream that is cut ends in half an event. */
    if (decoder->err == GW_ERR_PROTOCOL && decoder->opts.mode == GW_DECODE_STREAM) {
        decoder->err = GW_ERR_EOF;
    }
    if (decoder->err == GW_OK && !decoder->is_finished && !decoder->has_failed) {
        decoder->err = GW_ERR_EOF;
    }
    if (decoder->err == GW_OK) {
        decoder->is_ended = true;
        decoder->err = give(decoder, &(struct gw_event){.type = GW_EVENT_END});
    }
    return decoder->err;
}

void gw_cohere_decoder_destroy(struct gw_decoder *decoder)
{
    if (decoder == NULL) {
        return;
    }
    gw_sse_fini(&decoder->sse);
    gw_buf_fini(&decoder->body);
    gw_buf_fini(&decoder->held);
    gw_json_reader_fini(&decoder->reader);
    gw_json_reader_fini(&decoder->input_reader);
    gw_free(decoder);
}
