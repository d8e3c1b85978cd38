/* SPDX-License-Identifier: MIT */
/* provider/responses_events - the events of a stream, and a whole response object. */
#include "base/alloc.h"
#include "provider/openai_error.h"
#include "provider/responses_int.h"

#include "json/write.h"

static enum gw_err give_text(struct gw_decoder *decoder, enum gw_event_type type,
                             struct gw_str text)
{
    if (text.len == 0) {
        return GW_OK;
    }
    return gw_responses_give(decoder, &(struct gw_event){.type = type, .text = text});
}

/* ---- the beginning ---- */

static enum gw_err start(struct gw_decoder *decoder, yyjson_val *response)
{
    if (decoder->is_started) {
        return GW_OK;
    }
    decoder->is_started = true;
    struct gw_event event = {.type = GW_EVENT_START,
                             .start = {.id = gw_json_get_text(response, "id"),
                                       .model = gw_json_get_text(response, "model"),
                                       .created_s = gw_json_get_u64(response, "created_at", 0)}};
    return gw_responses_give(decoder, &event);
}

/* ---- text ---- */

static enum gw_err give_output_text(struct gw_decoder *decoder, struct gw_str text,
                                    yyjson_val *logprobs)
{
    struct gw_event event = {.type = GW_EVENT_TEXT, .text = text};
    if (yyjson_arr_size(logprobs) > 0) {
        gw_buf_reset(&decoder->scratch);
        gw_json_write(logprobs, &decoder->scratch);
        if (decoder->scratch.err != GW_OK) {
            return decoder->scratch.err;
        }
        event.logprobs = gw_buf_str(&decoder->scratch);
    }
    return text.len > 0 || event.logprobs.len > 0 ? gw_responses_give(decoder, &event) : GW_OK;
}

/* Chat completions have an annotation's members in an object named after its type. */
static enum gw_err give_annotation(struct gw_decoder *decoder, yyjson_val *annotation)
{
    struct gw_buf *out = &decoder->scratch;
    struct gw_str type = gw_json_get_text(annotation, "type");
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    if (type.len == 0) {
        return GW_OK;
    }
    gw_buf_reset(out);
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_member(GW_STR("type"), type, out);
    (void)gw_buf_append_byte(out, ',');
    gw_json_write_text(type, out);
    (void)gw_buf_append(out, GW_STR(":{"));
    yyjson_obj_foreach(annotation, index, max, key, value)
    {
        if (!gw_json_is(key, GW_STR("type"))) {
            gw_json_write_next(out);
            gw_json_write_text(gw_json_text(key), out);
            (void)gw_buf_append_byte(out, ':');
            gw_json_write(value, out);
        }
    }
    (void)gw_buf_append(out, GW_STR("}}"));
    return out->err != GW_OK
               ? out->err
               : gw_responses_give(decoder, &(struct gw_event){.type = GW_EVENT_ANNOTATION,
                                                               .annotation = gw_buf_str(out)});
}

static enum gw_err give_message(struct gw_decoder *decoder, yyjson_val *item)
{
    enum gw_err err = GW_OK;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *part = NULL;
    yyjson_arr_foreach(gw_json_get(item, "content"), index, max, part)
    {
        size_t note_index = 0;
        size_t note_max = 0;
        yyjson_val *note = NULL;
        if (err == GW_OK) {
            err = give_output_text(decoder, gw_json_get_text(part, "text"),
                                   gw_json_get(part, "logprobs"));
        }
        if (err == GW_OK) {
            err = give_text(decoder, GW_EVENT_REFUSAL, gw_json_get_text(part, "refusal"));
        }
        yyjson_arr_foreach(gw_json_get(part, "annotations"), note_index, note_max, note)
        {
            err = err == GW_OK ? give_annotation(decoder, note) : err;
        }
    }
    return err;
}

/* ---- reasoning ---- */

static enum gw_err give_reasoning_text(struct gw_decoder *decoder, struct gw_str text)
{
    decoder->has_reasoning = decoder->has_reasoning || text.len > 0;
    return give_text(decoder, GW_EVENT_REASONING, text);
}

/* Parts of a summary are paragraphs. */
static enum gw_err begin_summary(struct gw_decoder *decoder)
{
    return decoder->has_reasoning ? give_reasoning_text(decoder, GW_STR("\n\n")) : GW_OK;
}

static enum gw_err end_reasoning(struct gw_decoder *decoder, yyjson_val *item)
{
    struct gw_event event = {.type = GW_EVENT_REASONING_SIGNATURE,
                             .signature = {.value = gw_json_get_text(item, "encrypted_content"),
                                           .id = gw_json_get_text(item, "id"),
                                           .signer = GW_SIGNER_OPENAI}};
    decoder->has_reasoning = false;
    return event.signature.value.len > 0 ? gw_responses_give(decoder, &event) : GW_OK;
}

static enum gw_err give_reasoning(struct gw_decoder *decoder, yyjson_val *item)
{
    static const char *const lists[] = {"summary", "content"};
    enum gw_err err = GW_OK;
    for (size_t i = 0; i < GW_ARRAY_LEN(lists); i++) {
        size_t index = 0;
        size_t max = 0;
        yyjson_val *part = NULL;
        yyjson_arr_foreach(gw_json_get(item, lists[i]), index, max, part)
        {
            err = err == GW_OK ? begin_summary(decoder) : err;
            if (err == GW_OK) {
                err = give_reasoning_text(decoder, gw_json_get_text(part, "text"));
            }
        }
    }
    return err == GW_OK ? end_reasoning(decoder, item) : err;
}

/* ---- calls ---- */

static bool is_call(yyjson_val *item)
{
    yyjson_val *type = gw_json_get(item, "type");
    return gw_json_is(type, GW_STR("function_call")) ||
           gw_json_is(type, GW_STR("custom_tool_call"));
}

static bool find_call(const struct gw_decoder *decoder, uint64_t output_index, size_t *found)
{
    for (size_t i = decoder->call_count; i > 0; i--) {
        if (decoder->calls[i - 1].output_index == output_index) {
            *found = i - 1;
            return true;
        }
    }
    return false;
}

static enum gw_err add_call(struct gw_decoder *decoder, uint64_t output_index)
{
    if (decoder->call_count == decoder->call_capacity) {
        size_t capacity = decoder->call_capacity == 0 ? 4 : decoder->call_capacity * 2;
        if (capacity > GW_RESPONSES_MAX_CALLS) {
            return GW_ERR_TOO_LARGE;
        }
        struct gw_responses_call *calls = gw_try_realloc(decoder->calls, capacity * sizeof(*calls));
        if (calls == NULL) {
            return GW_ERR_NOMEM;
        }
        decoder->calls = calls;
        decoder->call_capacity = capacity;
    }
    decoder->calls[decoder->call_count++] =
        (struct gw_responses_call){.output_index = output_index};
    return GW_OK;
}

static enum gw_err begin_call(struct gw_decoder *decoder, uint64_t output_index, yyjson_val *item)
{
    struct gw_str id = gw_json_get_text(item, "call_id");
    size_t known = 0;
    if (find_call(decoder, output_index, &known)) {
        return GW_OK;
    }
    struct gw_event event = {
        .type = GW_EVENT_TOOL_BEGIN,
        .tool = {.index = (unsigned)decoder->call_count,
                 .id = id.len > 0 ? id : gw_json_get_text(item, "id"),
                 .name = gw_json_get_text(item, "name"),
                 .is_custom = gw_json_is(gw_json_get(item, "type"), GW_STR("custom_tool_call"))}};
    enum gw_err err = add_call(decoder, output_index);
    return err == GW_OK ? gw_responses_give(decoder, &event) : err;
}

static enum gw_err give_arguments(struct gw_decoder *decoder, uint64_t output_index,
                                  struct gw_str text)
{
    size_t index = 0;
    if (text.len == 0 || !find_call(decoder, output_index, &index) ||
        decoder->calls[index].is_ended) {
        return GW_OK;
    }
    struct gw_event event = {.type = GW_EVENT_TOOL_ARGUMENTS,
                             .arguments = {.index = (unsigned)index, .text = text}};
    decoder->calls[index].has_arguments = true;
    return gw_responses_give(decoder, &event);
}

/* Some servers give a call whole, without its pieces. */
static enum gw_err end_call(struct gw_decoder *decoder, uint64_t output_index, yyjson_val *item)
{
    size_t index = 0;
    enum gw_err err = begin_call(decoder, output_index, item);
    if (err != GW_OK || !find_call(decoder, output_index, &index) ||
        decoder->calls[index].is_ended) {
        return err;
    }
    if (!decoder->calls[index].has_arguments) {
        struct gw_str text = gw_json_get_text(item, "arguments");
        err = give_arguments(decoder, output_index,
                             text.ptr != NULL ? text : gw_json_get_text(item, "input"));
    }
    decoder->calls[index].is_ended = true;
    struct gw_event event = {.type = GW_EVENT_TOOL_END, .index = (unsigned)index};
    return err == GW_OK ? gw_responses_give(decoder, &event) : err;
}

/* ---- items ---- */

static enum gw_err give_image(struct gw_decoder *decoder, yyjson_val *item)
{
    struct gw_str format = gw_json_get_text(item, "output_format");
    struct gw_event event = {
        .type = GW_EVENT_MEDIA,
        .media = {.mime_type = GW_STR("image/png"), .base64 = gw_json_get_text(item, "result")}};
    if (gw_str_eq(format, GW_STR("jpeg"))) {
        event.media.mime_type = GW_STR("image/jpeg");
    } else if (gw_str_eq(format, GW_STR("webp"))) {
        event.media.mime_type = GW_STR("image/webp");
    }
    return event.media.base64.len > 0 ? gw_responses_give(decoder, &event) : GW_OK;
}

/* An item at its end, whose pieces have come: what is left of it. */
static enum gw_err end_item(struct gw_decoder *decoder, uint64_t output_index, yyjson_val *item)
{
    yyjson_val *type = gw_json_get(item, "type");
    if (is_call(item)) {
        return end_call(decoder, output_index, item);
    }
    if (gw_json_is(type, GW_STR("reasoning"))) {
        return decoder->has_reasoning ? end_reasoning(decoder, item)
                                      : give_reasoning(decoder, item);
    }
    return gw_json_is(type, GW_STR("image_generation_call")) ? give_image(decoder, item) : GW_OK;
}

static enum gw_err give_output(struct gw_decoder *decoder, yyjson_val *response)
{
    enum gw_err err = GW_OK;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *item = NULL;
    yyjson_arr_foreach(gw_json_get(response, "output"), index, max, item)
    {
        if (err == GW_OK) {
            err = gw_json_is(gw_json_get(item, "type"), GW_STR("message"))
                      ? give_message(decoder, item)
                      : end_item(decoder, index, item);
        }
    }
    return err;
}

/* ---- the end ---- */

static enum gw_err give_end(struct gw_decoder *decoder)
{
    decoder->is_ended = true;
    return gw_responses_give(decoder, &(struct gw_event){.type = GW_EVENT_END});
}

static enum gw_err give_error(struct gw_decoder *decoder, yyjson_val *holder)
{
    struct gw_error error = {0};
    gw_openai_explain_event(holder, &error);
    decoder->is_ended = true;
    enum gw_err err =
        gw_responses_give(decoder, &(struct gw_event){.type = GW_EVENT_ERROR, .error = &error});
    return err == GW_OK ? give_end(decoder) : err;
}

static enum gw_finish finish_of(const struct gw_decoder *decoder, yyjson_val *response)
{
    yyjson_val *details = gw_json_get(response, "incomplete_details");
    yyjson_val *reason = gw_json_get(details, "reason");
    if (gw_json_is(reason, GW_STR("content_filter"))) {
        return GW_FINISH_CONTENT_FILTER;
    }
    if (reason != NULL || gw_json_is(gw_json_get(response, "status"), GW_STR("incomplete"))) {
        return GW_FINISH_LENGTH;
    }
    return decoder->call_count > 0 ? GW_FINISH_TOOL_CALLS : GW_FINISH_STOP;
}

static struct gw_usage read_usage(yyjson_val *object)
{
    yyjson_val *input = gw_json_get(object, "input_tokens_details");
    yyjson_val *output = gw_json_get(object, "output_tokens_details");
    return (struct gw_usage){.input_tokens = gw_json_get_u64(object, "input_tokens", 0),
                             .cached_tokens = gw_json_get_u64(input, "cached_tokens", 0),
                             .cache_write_tokens = gw_json_get_u64(input, "cache_write_tokens", 0),
                             .output_tokens = gw_json_get_u64(object, "output_tokens", 0),
                             .reasoning_tokens = gw_json_get_u64(output, "reasoning_tokens", 0),
                             .is_known = gw_json_get(object, "input_tokens") != NULL};
}

static enum gw_err give_finish(struct gw_decoder *decoder, yyjson_val *response)
{
    struct gw_event event = {.type = GW_EVENT_FINISH,
                             .finish = {.reason = finish_of(decoder, response)}};
    enum gw_err err = gw_responses_give(decoder, &event);
    event = (struct gw_event){.type = GW_EVENT_USAGE,
                              .usage = read_usage(gw_json_get(response, "usage"))};
    if (err == GW_OK && event.usage.is_known) {
        err = gw_responses_give(decoder, &event);
    }
    return err == GW_OK ? give_end(decoder) : err;
}

enum gw_err gw_responses_read_response(struct gw_decoder *decoder, yyjson_val *response)
{
    bool has_failed = gw_json_get(response, "error") != NULL ||
                      gw_json_is(gw_json_get(response, "status"), GW_STR("failed"));
    if (has_failed) {
        return give_error(decoder, response);
    }
    if (!yyjson_is_arr(gw_json_get(response, "output"))) {
        return GW_ERR_PROTOCOL;
    }
    enum gw_err err = start(decoder, response);
    if (err == GW_OK && !decoder->has_output) {
        err = give_output(decoder, response);
    }
    return err == GW_OK ? give_finish(decoder, response) : err;
}

/* ---- the table of events ---- */

typedef enum gw_err read_fn(struct gw_decoder *decoder, yyjson_val *root);

static uint64_t index_of(yyjson_val *root)
{
    return gw_json_get_u64(root, "output_index", 0);
}

static enum gw_err on_created(struct gw_decoder *decoder, yyjson_val *root)
{
    return start(decoder, gw_json_get(root, "response"));
}

static enum gw_err on_item_added(struct gw_decoder *decoder, yyjson_val *root)
{
    yyjson_val *item = gw_json_get(root, "item");
    return is_call(item) ? begin_call(decoder, index_of(root), item) : GW_OK;
}

static enum gw_err on_item_done(struct gw_decoder *decoder, yyjson_val *root)
{
    return end_item(decoder, index_of(root), gw_json_get(root, "item"));
}

static enum gw_err on_text(struct gw_decoder *decoder, yyjson_val *root)
{
    return give_output_text(decoder, gw_json_get_text(root, "delta"),
                            gw_json_get(root, "logprobs"));
}

static enum gw_err on_refusal(struct gw_decoder *decoder, yyjson_val *root)
{
    return give_text(decoder, GW_EVENT_REFUSAL, gw_json_get_text(root, "delta"));
}

static enum gw_err on_summary_part(struct gw_decoder *decoder, yyjson_val *root)
{
    (void)root;
    return begin_summary(decoder);
}

static enum gw_err on_reasoning(struct gw_decoder *decoder, yyjson_val *root)
{
    return give_reasoning_text(decoder, gw_json_get_text(root, "delta"));
}

static enum gw_err on_arguments(struct gw_decoder *decoder, yyjson_val *root)
{
    return give_arguments(decoder, index_of(root), gw_json_get_text(root, "delta"));
}

static enum gw_err on_annotation(struct gw_decoder *decoder, yyjson_val *root)
{
    return give_annotation(decoder, gw_json_get(root, "annotation"));
}

static enum gw_err on_end(struct gw_decoder *decoder, yyjson_val *root)
{
    return gw_responses_read_response(decoder, gw_json_get(root, "response"));
}

static enum gw_err on_failed(struct gw_decoder *decoder, yyjson_val *root)
{
    return give_error(decoder, gw_json_get(root, "response"));
}

static const struct {
    struct gw_str type;
    read_fn *read;
    bool is_output;
} events[] = {
    {GW_STR_INIT("response.output_text.delta"), on_text, true},
    {GW_STR_INIT("response.function_call_arguments.delta"), on_arguments, true},
    {GW_STR_INIT("response.custom_tool_call_input.delta"), on_arguments, true},
    {GW_STR_INIT("response.reasoning_summary_text.delta"), on_reasoning, true},
    {GW_STR_INIT("response.reasoning_text.delta"), on_reasoning, true},
    {GW_STR_INIT("response.reasoning_summary_part.added"), on_summary_part, true},
    {GW_STR_INIT("response.refusal.delta"), on_refusal, true},
    {GW_STR_INIT("response.output_text.annotation.added"), on_annotation, true},
    {GW_STR_INIT("response.output_item.added"), on_item_added, true},
    {GW_STR_INIT("response.output_item.done"), on_item_done, true},
    {GW_STR_INIT("response.created"), on_created, false},
    {GW_STR_INIT("response.completed"), on_end, false},
    {GW_STR_INIT("response.incomplete"), on_end, false},
    {GW_STR_INIT("response.failed"), on_failed, false},
    {GW_STR_INIT("error"), give_error, false},
};

enum gw_err gw_responses_read_event(struct gw_decoder *decoder, yyjson_val *root)
{
    yyjson_val *type = gw_json_get(root, "type");
    for (size_t i = 0; i < GW_ARRAY_LEN(events); i++) {
        if (gw_json_is(type, events[i].type)) {
            enum gw_err err = events[i].is_output ? start(decoder, NULL) : GW_OK;
            decoder->has_output = decoder->has_output || events[i].is_output;
            return err == GW_OK ? events[i].read(decoder, root) : err;
        }
    }
    /* An error without a type; what is newer than this is not for chat clients. */
    return type == NULL && gw_json_get(root, "error") != NULL ? give_error(decoder, root) : GW_OK;
}
