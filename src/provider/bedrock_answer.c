/* SPDX-License-Identifier: MIT */
/*
 * provider/bedrock_answer - Converse's answer and ConverseStream's frames, as events.
 *
 *   messageStart -> START      contentBlockStart (tools only) -> TOOL_BEGIN
 *   contentBlockDelta -> TEXT, REASONING, TOOL_ARGUMENTS      contentBlockStop -> signature,
 * TOOL_END messageStop -> FINISH      metadata, which comes last -> USAGE      exception -> ERROR
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "http/event_stream.h"
#include "provider/bedrock_int.h"
#include "json/value.h"
#include "json/write.h"

/* Blocks come one after the other today; more at once than this is no answer of a model. */
#define MAX_OPEN_BLOCKS 16

/* A content block of a stream that has begun. */
struct block {
    uint64_t number; /* contentBlockIndex */
    bool is_open;
    bool is_tool;
    bool is_hidden; /* of a tool that ran on the server */
    bool is_answer; /* of the tool that stands for a schema: its input is the text */
    bool is_custom; /* its input is {"input":text}: held back until it is whole */
    bool has_input;
    unsigned tool_index;
    struct gw_buf held; /* a custom tool's input, or a signature */
    bool holds_redacted;
};

struct gw_decoder {
    struct gw_decoder_opts opts;
    const struct gw_bedrock_memory *memory; /* may be NULL */
    struct gw_event_stream stream;
    struct gw_buf body; /* plain */
    struct gw_json_reader reader;
    struct gw_json_reader input_reader; /* of a custom tool's input */
    struct gw_buf text;                 /* arguments written as JSON */
    struct block blocks[MAX_OPEN_BLOCKS];
    unsigned tool_count;
    unsigned answer_count; /* calls of the tool that stands for a schema */
    bool is_started;
    bool is_finished; /* messageStop was seen */
    bool has_failed;  /* ERROR was given */
    bool is_ended;
    enum gw_err err;
};

/* ---- giving events ---- */

static enum gw_err give(struct gw_decoder *decoder, const struct gw_event *event)
{
    return decoder->opts.on_event(decoder->opts.user, event);
}

static enum gw_err give_start(struct gw_decoder *decoder)
{
    if (decoder->is_started) {
        return GW_OK;
    }
    decoder->is_started = true;
    return give(decoder, &(struct gw_event){.type = GW_EVENT_START,
                                            .start = {.id = decoder->opts.upstream_request_id,
                                                      .model = decoder->opts.upstream_model}});
}

/* An event that is one text; nothing when it is empty. */
static enum gw_err give_text(struct gw_decoder *decoder, enum gw_event_type type,
                             struct gw_str text)
{
    return text.len > 0 ? give(decoder, &(struct gw_event){.type = type, .text = text}) : GW_OK;
}

static enum gw_err give_signature(struct gw_decoder *decoder, enum gw_event_type type,
                                  struct gw_str value)
{
    bool is_claude = decoder->memory != NULL && decoder->memory->is_claude;
    if (value.len == 0) {
        return GW_OK;
    }
    return give(decoder, &(struct gw_event){.type = type,
                                            .signature = {.value = value,
                                                          .signer = is_claude ? GW_SIGNER_ANTHROPIC
                                                                              : GW_SIGNER_NONE}});
}

static enum gw_err give_arguments(struct gw_decoder *decoder, const struct block *block,
                                  struct gw_str text)
{
    if (block->is_answer || text.len == 0) {
        return give_text(decoder, GW_EVENT_TEXT, text);
    }
    return give(decoder,
                &(struct gw_event){.type = GW_EVENT_TOOL_ARGUMENTS,
                                   .arguments = {.index = block->tool_index, .text = text}});
}

/* The JSON object {"input":text} of a custom tool; what is none is given as it is. */
static enum gw_err give_custom_input(struct gw_decoder *decoder, const struct block *block)
{
    yyjson_val *root = NULL;
    struct gw_str text = gw_buf_str(&block->held);
    enum gw_err err = gw_json_read(&decoder->input_reader, text, &root);
    if (err == GW_ERR_NOMEM) {
        return err;
    }
    struct gw_str input = gw_json_get_text(root, "input");
    return give_arguments(decoder, block, input.ptr != NULL ? input : text);
}

/* ---- blocks ---- */

/* The open block of that number, or one that begins; NULL when there are too many. */
static struct block *find_block(struct gw_decoder *decoder, uint64_t number)
{
    struct block *unused = NULL;
    for (size_t i = 0; i < MAX_OPEN_BLOCKS; i++) {
        struct block *block = &decoder->blocks[i];
        if (block->is_open && block->number == number) {
            return block;
        }
        unused = unused == NULL && !block->is_open ? block : unused;
    }
    if (unused != NULL) {
        *unused = (struct block){.number = number, .is_open = true};
        gw_buf_init(&unused->held, GW_PROVIDER_MAX_EVENT_BYTES);
    }
    return unused;
}

static void release_block(struct block *block)
{
    gw_buf_fini(&block->held);
    block->is_open = false;
}

static enum gw_err begin_tool(struct gw_decoder *decoder, struct block *block, yyjson_val *tool)
{
    struct gw_str sent = gw_json_get_text(tool, "name");
    struct gw_str id = gw_json_get_text(tool, "toolUseId");
    block->is_tool = true;
    if (gw_json_get(tool, "type") != NULL) {
        block->is_hidden = true; /* server_tool_use: not the client's to answer */
        return GW_OK;
    }
    if (decoder->memory != NULL && decoder->memory->schema_tool.len > 0 &&
        gw_str_eq(sent, decoder->memory->schema_tool)) {
        block->is_answer = true;
        decoder->answer_count++;
        return GW_OK;
    }
    const struct gw_tool_name *name =
        gw_tool_names_of(decoder->memory != NULL ? &decoder->memory->names : NULL, sent);
    block->tool_index = decoder->tool_count++;
    block->is_custom = name != NULL && name->is_custom;
    return give(decoder, &(struct gw_event){.type = GW_EVENT_TOOL_BEGIN,
                                            .tool = {.index = block->tool_index,
                                                     .id = id,
                                                     .name = name != NULL ? name->client : sent,
                                                     .is_custom = block->is_custom}});
}

static enum gw_err add_input(struct gw_decoder *decoder, struct block *block, struct gw_str input)
{
    if (input.len == 0 || block->is_hidden) {
        return GW_OK;
    }
    block->has_input = true;
    return block->is_custom ? gw_buf_append(&block->held, input)
                            : give_arguments(decoder, block, input);
}

static enum gw_err end_block(struct gw_decoder *decoder, struct block *block)
{
    enum gw_err err = GW_OK;
    if (!block->is_tool) {
        err = give_signature(decoder,
                             block->holds_redacted ? GW_EVENT_REASONING_REDACTED
                                                   : GW_EVENT_REASONING_SIGNATURE,
                             gw_buf_str(&block->held));
    } else if (!block->is_hidden && !block->is_answer) {
        if (block->is_custom) {
            err = give_custom_input(decoder, block);
        } else if (!block->has_input) {
            err = give_arguments(decoder, block, GW_STR("{}"));
        }
        if (err == GW_OK) {
            err = give(decoder,
                       &(struct gw_event){.type = GW_EVENT_TOOL_END, .index = block->tool_index});
        }
    }
    release_block(block);
    return err;
}

static enum gw_err end_blocks(struct gw_decoder *decoder)
{
    enum gw_err err = GW_OK;
    for (size_t i = 0; i < MAX_OPEN_BLOCKS && err == GW_OK; i++) {
        if (decoder->blocks[i].is_open) {
            err = end_block(decoder, &decoder->blocks[i]);
        }
    }
    return err;
}

/* ---- citations ---- */

/* A citation of a web page as OpenAI's annotation; other places have no equal there. */
static enum gw_err give_citation(struct gw_decoder *decoder, yyjson_val *citation)
{
    struct gw_str url =
        gw_json_get_text(gw_json_get(gw_json_get(citation, "location"), "web"), "url");
    struct gw_buf *out = &decoder->text;
    if (url.len == 0) {
        return GW_OK;
    }
    gw_buf_reset(out);
    (void)gw_buf_append(out, GW_STR("{\"type\":\"url_citation\",\"url_citation\":{"));
    gw_json_write_member(GW_STR("url"), url, out);
    gw_json_write_optional(GW_STR("title"), gw_json_get_text(citation, "title"), out);
    (void)gw_buf_append(out, GW_STR("}}"));
    if (out->err != GW_OK) {
        return out->err;
    }
    return give(decoder,
                &(struct gw_event){.type = GW_EVENT_ANNOTATION, .annotation = gw_buf_str(out)});
}

/* ---- the end of an answer ---- */

static enum gw_err give_finish(struct gw_decoder *decoder, struct gw_str reason)
{
    static const struct {
        struct gw_str name;
        enum gw_finish finish;
    } reasons[] = {
        {GW_STR_INIT("end_turn"), GW_FINISH_STOP},
        {GW_STR_INIT("stop_sequence"), GW_FINISH_STOP},
        {GW_STR_INIT("tool_use"), GW_FINISH_TOOL_CALLS},
        {GW_STR_INIT("max_tokens"), GW_FINISH_LENGTH},
        {GW_STR_INIT("model_context_window_exceeded"), GW_FINISH_LENGTH},
        {GW_STR_INIT("guardrail_intervened"), GW_FINISH_CONTENT_FILTER},
        {GW_STR_INIT("content_filtered"), GW_FINISH_CONTENT_FILTER},
    };
    enum gw_finish finish = GW_FINISH_STOP; /* malformed_..., and what is not known yet */
    for (size_t i = 0; i < GW_ARRAY_LEN(reasons); i++) {
        if (gw_str_eq(reason, reasons[i].name)) {
            finish = reasons[i].finish;
        }
    }
    if (finish == GW_FINISH_TOOL_CALLS && decoder->answer_count > 0 && decoder->tool_count == 0) {
        finish = GW_FINISH_STOP; /* the only call was the answer itself */
    }
    decoder->is_finished = true;
    return give(decoder, &(struct gw_event){.type = GW_EVENT_FINISH, .finish = {.reason = finish}});
}

static enum gw_err give_usage(struct gw_decoder *decoder, yyjson_val *usage)
{
    if (!yyjson_is_obj(usage)) {
        return GW_OK;
    }
    uint64_t cached = gw_json_get_u64(usage, "cacheReadInputTokens", 0);
    uint64_t written = gw_json_get_u64(usage, "cacheWriteInputTokens", 0);
    /* inputTokens leaves out what came from or went to the cache. Sums are bounded: tokens. */
    uint64_t input = gw_json_get_u64(usage, "inputTokens", 0);
    return give(decoder, &(struct gw_event){
                             .type = GW_EVENT_USAGE,
                             .usage = {.input_tokens = input + cached + written,
                                       .cached_tokens = cached,
                                       .cache_write_tokens = written,
                                       .output_tokens = gw_json_get_u64(usage, "outputTokens", 0),
                                       .is_known = true}});
}

/* ---- stream ---- */

static enum gw_err on_message_start(struct gw_decoder *decoder, yyjson_val *body)
{
    (void)body;
    return give_start(decoder);
}

static enum gw_err on_block_start(struct gw_decoder *decoder, yyjson_val *body)
{
    yyjson_val *start = gw_json_get(body, "start");
    yyjson_val *tool = gw_json_get(start, "toolUse");
    struct block *block = find_block(decoder, gw_json_get_u64(body, "contentBlockIndex", 0));
    if (block == NULL || block->is_tool) {
        return GW_ERR_PROTOCOL;
    }
    if (gw_json_get(start, "toolResult") != NULL) {
        block->is_tool = true;
        block->is_hidden = true;
    }
    return tool != NULL ? begin_tool(decoder, block, tool) : GW_OK;
}

static enum gw_err on_reasoning_delta(struct gw_decoder *decoder, struct block *block,
                                      yyjson_val *reasoning)
{
    struct gw_str signature = gw_json_get_text(reasoning, "signature");
    struct gw_str redacted = gw_json_get_text(reasoning, "redactedContent");
    if (block->is_tool) {
        return GW_ERR_PROTOCOL;
    }
    if (redacted.len > 0) {
        block->holds_redacted = true;
        return gw_buf_append(&block->held, redacted);
    }
    if (signature.len > 0) {
        return gw_buf_append(&block->held, signature);
    }
    return give_text(decoder, GW_EVENT_REASONING, gw_json_get_text(reasoning, "text"));
}

static enum gw_err on_block_delta(struct gw_decoder *decoder, yyjson_val *body)
{
    yyjson_val *delta = gw_json_get(body, "delta");
    yyjson_val *tool = gw_json_get(delta, "toolUse");
    yyjson_val *reasoning = gw_json_get(delta, "reasoningContent");
    yyjson_val *citation = gw_json_get(delta, "citation");
    struct block *block = find_block(decoder, gw_json_get_u64(body, "contentBlockIndex", 0));
    if (block == NULL) {
        return GW_ERR_PROTOCOL;
    }
    if (tool != NULL) {
        return block->is_tool ? add_input(decoder, block, gw_json_get_text(tool, "input"))
                              : GW_ERR_PROTOCOL;
    }
    if (reasoning != NULL) {
        return on_reasoning_delta(decoder, block, reasoning);
    }
    if (citation != NULL) {
        return give_citation(decoder, citation);
    }
    struct gw_str text = gw_json_get_text(delta, "text");
    return block->is_hidden ? GW_OK : give_text(decoder, GW_EVENT_TEXT, text);
}

static enum gw_err on_block_stop(struct gw_decoder *decoder, yyjson_val *body)
{
    struct block *block = find_block(decoder, gw_json_get_u64(body, "contentBlockIndex", 0));
    return block != NULL ? end_block(decoder, block) : GW_ERR_PROTOCOL;
}

static enum gw_err on_message_stop(struct gw_decoder *decoder, yyjson_val *body)
{
    enum gw_err err = end_blocks(decoder);
    return err == GW_OK ? give_finish(decoder, gw_json_get_text(body, "stopReason")) : err;
}

static enum gw_err on_metadata(struct gw_decoder *decoder, yyjson_val *body)
{
    return give_usage(decoder, gw_json_get(body, "usage"));
}

static enum gw_err give_exception(struct gw_decoder *decoder, struct gw_str type,
                                  struct gw_str message)
{
    struct gw_error error;
    gw_bedrock_explain_exception(type, message, &error);
    decoder->has_failed = true;
    return give(decoder, &(struct gw_event){.type = GW_EVENT_ERROR, .error = &error});
}

static enum gw_err on_event_frame(struct gw_decoder *decoder, struct gw_str type, yyjson_val *body)
{
    static const struct {
        struct gw_str type;
        enum gw_err (*read)(struct gw_decoder *decoder, yyjson_val *body);
    } readers[] = {
        {GW_STR_INIT("contentBlockDelta"), on_block_delta},
        {GW_STR_INIT("contentBlockStart"), on_block_start},
        {GW_STR_INIT("contentBlockStop"), on_block_stop},
        {GW_STR_INIT("messageStart"), on_message_start},
        {GW_STR_INIT("messageStop"), on_message_stop},
        {GW_STR_INIT("metadata"), on_metadata},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(readers); i++) {
        bool is_late = decoder->is_finished && readers[i].read != on_metadata;
        if (gw_str_eq(type, readers[i].type) && !is_late) {
            enum gw_err err = give_start(decoder);
            return err == GW_OK ? readers[i].read(decoder, body) : err;
        }
    }
    return GW_OK; /* an event of tomorrow, or one behind the end */
}

static gw_event_stream_on_message_fn on_message;
static enum gw_err on_message(void *user, const struct gw_event_stream_message *message)
{
    struct gw_decoder *decoder = user;
    yyjson_val *body = NULL;
    if (decoder->has_failed) {
        return GW_OK;
    }
    if (gw_str_eq(message->message_type, GW_STR("error"))) {
        return give_exception(decoder, message->error_code, message->error_message);
    }
    bool is_event = gw_str_eq(message->message_type, GW_STR("event"));
    enum gw_err err = gw_json_read(&decoder->reader, message->payload, &body);
    if (err == GW_OK && is_event) {
        return on_event_frame(decoder, message->event_type, body);
    }
    if (err == GW_ERR_NOMEM || is_event) {
        return err == GW_ERR_NOMEM || err == GW_ERR_TOO_LARGE ? err : GW_ERR_PROTOCOL;
    }
    struct gw_str text = gw_json_get_text(body, "message");
    return give_exception(decoder, message->exception_type,
                          text.ptr != NULL ? text : gw_json_get_text(body, "originalMessage"));
}

/* ---- plain ---- */

static enum gw_err give_plain_tool(struct gw_decoder *decoder, yyjson_val *tool)
{
    struct block block = {.is_open = true};
    gw_buf_init(&block.held, GW_PROVIDER_MAX_ANSWER_BYTES);
    enum gw_err err = begin_tool(decoder, &block, tool);
    gw_buf_reset(&decoder->text);
    yyjson_val *input = gw_json_get(tool, "input");
    if (yyjson_is_obj(input)) {
        gw_json_write(input, &decoder->text);
    }
    err = err == GW_OK ? decoder->text.err : err;
    if (err == GW_OK) {
        err = add_input(decoder, &block, gw_buf_str(&decoder->text));
    }
    if (err == GW_OK) {
        return end_block(decoder, &block);
    }
    release_block(&block);
    return err;
}

static enum gw_err give_plain_reasoning(struct gw_decoder *decoder, yyjson_val *reasoning)
{
    yyjson_val *text = gw_json_get(reasoning, "reasoningText");
    struct gw_str redacted = gw_json_get_text(reasoning, "redactedContent");
    enum gw_err err = give_text(decoder, GW_EVENT_REASONING, gw_json_get_text(text, "text"));
    if (err == GW_OK) {
        err = give_signature(decoder, GW_EVENT_REASONING_SIGNATURE,
                             gw_json_get_text(text, "signature"));
    }
    return err == GW_OK ? give_signature(decoder, GW_EVENT_REASONING_REDACTED, redacted) : err;
}

static enum gw_err give_plain_citations(struct gw_decoder *decoder, yyjson_val *cited)
{
    enum gw_err err = GW_OK;
    size_t i;
    size_t count;
    yyjson_val *item;
    yyjson_arr_foreach(gw_json_get(cited, "content"), i, count, item)
    {
        err =
            err == GW_OK ? give_text(decoder, GW_EVENT_TEXT, gw_json_get_text(item, "text")) : err;
    }
    yyjson_arr_foreach(gw_json_get(cited, "citations"), i, count, item)
    {
        err = err == GW_OK ? give_citation(decoder, item) : err;
    }
    return err;
}

static enum gw_err give_plain_image(struct gw_decoder *decoder, yyjson_val *image)
{
    struct gw_str base64 = gw_json_get_text(gw_json_get(image, "source"), "bytes");
    struct gw_str format = gw_json_get_text(image, "format");
    char type[32];
    if (base64.len == 0 || format.len == 0 || format.len > 16) {
        return GW_OK;
    }
    int len = snprintf(type, sizeof(type), "image/" GW_STR_FMT, GW_STR_ARG(format));
    return give(decoder, &(struct gw_event){
                             .type = GW_EVENT_MEDIA,
                             .media = {.mime_type = gw_str(type, (size_t)len), .base64 = base64}});
}

static enum gw_err give_plain_block(struct gw_decoder *decoder, yyjson_val *block)
{
    yyjson_val *value = gw_json_get(block, "toolUse");
    if (value != NULL) {
        return give_plain_tool(decoder, value);
    }
    value = gw_json_get(block, "reasoningContent");
    if (value != NULL) {
        return give_plain_reasoning(decoder, value);
    }
    value = gw_json_get(block, "citationsContent");
    if (value != NULL) {
        return give_plain_citations(decoder, value);
    }
    value = gw_json_get(block, "image");
    if (value != NULL) {
        return give_plain_image(decoder, value);
    }
    return give_text(decoder, GW_EVENT_TEXT, gw_json_get_text(block, "text"));
}

static enum gw_err read_plain(struct gw_decoder *decoder)
{
    yyjson_val *root = NULL;
    enum gw_err err = gw_json_read(&decoder->reader, gw_buf_str(&decoder->body), &root);
    yyjson_val *message = gw_json_get(gw_json_get(root, "output"), "message");
    if (err != GW_OK || message == NULL) {
        return err == GW_ERR_NOMEM || err == GW_ERR_TOO_LARGE ? err : GW_ERR_PROTOCOL;
    }
    err = give_start(decoder);
    size_t i;
    size_t count;
    yyjson_val *block;
    yyjson_arr_foreach(gw_json_get(message, "content"), i, count, block)
    {
        err = err == GW_OK ? give_plain_block(decoder, block) : err;
    }
    if (err == GW_OK) {
        err = give_finish(decoder, gw_json_get_text(root, "stopReason"));
    }
    return err == GW_OK ? give_usage(decoder, gw_json_get(root, "usage")) : err;
}

/* ---- the interface ---- */

struct gw_decoder *gw_bedrock_decoder_create(const struct gw_decoder_opts *opts)
{
    struct gw_decoder *decoder = gw_try_alloc(sizeof(*decoder));
    if (decoder == NULL) {
        return NULL;
    }
    *decoder = (struct gw_decoder){.opts = *opts, .memory = opts->memory};
    bool is_stream = opts->mode == GW_DECODE_STREAM;
    gw_event_stream_init(&decoder->stream, GW_PROVIDER_MAX_EVENT_BYTES);
    gw_buf_init(&decoder->body, GW_PROVIDER_MAX_ANSWER_BYTES);
    gw_buf_init(&decoder->text, GW_PROVIDER_MAX_ANSWER_BYTES);
    gw_json_reader_init(&decoder->reader,
                        is_stream ? GW_PROVIDER_MAX_EVENT_BYTES : GW_PROVIDER_MAX_ANSWER_BYTES);
    gw_json_reader_init(&decoder->input_reader, GW_PROVIDER_MAX_ANSWER_BYTES);
    return decoder;
}

enum gw_err gw_bedrock_feed(struct gw_decoder *decoder, struct gw_str bytes)
{
    if (decoder->err == GW_OK) {
        decoder->err = decoder->opts.mode == GW_DECODE_STREAM
                           ? gw_event_stream_feed(&decoder->stream, bytes, on_message, decoder)
                           : gw_buf_append(&decoder->body, bytes);
    }
    return decoder->err;
}

enum gw_err gw_bedrock_end(struct gw_decoder *decoder)
{
    if (decoder->err != GW_OK || decoder->is_ended) {
        return decoder->err;
    }
    bool is_stream = decoder->opts.mode == GW_DECODE_STREAM;
    if (!decoder->has_failed) {
        decoder->err = is_stream ? gw_event_stream_finish(&decoder->stream) : read_plain(decoder);
    }
    /* metadata may be missing, messageStop may not. */
    if (decoder->err == GW_OK && !decoder->is_finished && !decoder->has_failed) {
        decoder->err = GW_ERR_EOF;
    }
    if (decoder->err == GW_OK) {
        decoder->is_ended = true;
        decoder->err = give(decoder, &(struct gw_event){.type = GW_EVENT_END});
    }
    return decoder->err;
}

void gw_bedrock_decoder_destroy(struct gw_decoder *decoder)
{
    if (decoder == NULL) {
        return;
    }
    for (size_t i = 0; i < MAX_OPEN_BLOCKS; i++) {
        if (decoder->blocks[i].is_open) {
            release_block(&decoder->blocks[i]);
        }
    }
    gw_event_stream_fini(&decoder->stream);
    gw_buf_fini(&decoder->body);
    gw_buf_fini(&decoder->text);
    gw_json_reader_fini(&decoder->reader);
    gw_json_reader_fini(&decoder->input_reader);
    gw_free(decoder);
}
