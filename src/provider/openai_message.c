/* SPDX-License-Identifier: MIT */
/* provider/openai_message - a message or a delta: reasoning first, then text, then the rest. */
#include "llm/chat.h"
#include "provider/openai_decoder_int.h"

/* The members that matter, found in one pass: a delta has one or two of them. */
enum member {
    MEMBER_REASONING_CONTENT,
    MEMBER_REASONING,
    MEMBER_THINKING_BLOCKS,
    MEMBER_REASONING_ITEMS,
    MEMBER_EXTRA_CONTENT,
    MEMBER_CONTENT,
    MEMBER_REFUSAL,
    MEMBER_IMAGES,
    MEMBER_AUDIO,
    MEMBER_ANNOTATIONS,
    MEMBER_TOOL_CALLS,
    MEMBER_FUNCTION_CALL,
    MEMBER_COUNT,
};

static const struct gw_str names[MEMBER_COUNT] = {
    [MEMBER_REASONING_CONTENT] = GW_STR_INIT("reasoning_content"),
    [MEMBER_REASONING] = GW_STR_INIT("reasoning"),
    [MEMBER_THINKING_BLOCKS] = GW_STR_INIT("thinking_blocks"),
    [MEMBER_REASONING_ITEMS] = GW_STR_INIT("reasoning_items"),
    [MEMBER_EXTRA_CONTENT] = GW_STR_INIT("extra_content"),
    [MEMBER_CONTENT] = GW_STR_INIT("content"),
    [MEMBER_REFUSAL] = GW_STR_INIT("refusal"),
    [MEMBER_IMAGES] = GW_STR_INIT("images"),
    [MEMBER_AUDIO] = GW_STR_INIT("audio"),
    [MEMBER_ANNOTATIONS] = GW_STR_INIT("annotations"),
    [MEMBER_TOOL_CALLS] = GW_STR_INIT("tool_calls"),
    [MEMBER_FUNCTION_CALL] = GW_STR_INIT("function_call"),
};

struct reading {
    struct gw_decoder *decoder;
    yyjson_val *members[MEMBER_COUNT]; /* NULL: absent or null */
    yyjson_val *logprobs;
    bool is_whole;
};

static void find_members(struct reading *reading, yyjson_val *message)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    yyjson_obj_foreach(message, index, max, key, value)
    {
        struct gw_str name = gw_json_text(key);
        for (unsigned i = 0; i < MEMBER_COUNT && !yyjson_is_null(value); i++) {
            if (name.len == names[i].len && gw_str_eq(name, names[i])) {
                reading->members[i] = value;
                break;
            }
        }
    }
}

static enum gw_err give_text(struct gw_decoder *decoder, enum gw_event_type type,
                             struct gw_str text)
{
    if (text.len == 0) {
        return GW_OK;
    }
    return gw_openai_give(decoder, &(struct gw_event){.type = type, .text = text});
}

/* ---- reasoning ---- */

static enum gw_err give_signature(struct gw_decoder *decoder, enum gw_event_type type,
                                  enum gw_signer signer, struct gw_str value, struct gw_str id)
{
    if (value.len == 0) {
        return GW_OK;
    }
    struct gw_event event = {.type = type,
                             .signature = {.value = value, .id = id, .signer = signer}};
    return gw_openai_give(decoder, &event);
}

/* Another gateway in front of Anthropic: blocks as in llm/chat.h. In a stream the text has come as
 * deltas already. */
static enum gw_err read_thinking_block(const struct reading *reading, yyjson_val *block)
{
    struct gw_decoder *decoder = reading->decoder;
    if (gw_json_is(gw_json_get(block, "type"), GW_STR("redacted_thinking"))) {
        return give_signature(decoder, GW_EVENT_REASONING_REDACTED, GW_SIGNER_ANTHROPIC,
                              gw_json_get_text(block, "data"), gw_str(NULL, 0));
    }
    enum gw_err err = reading->is_whole ? give_text(decoder, GW_EVENT_REASONING,
                                                    gw_json_get_text(block, "thinking"))
                                        : GW_OK;
    return err != GW_OK ? err
                        : give_signature(decoder, GW_EVENT_REASONING_SIGNATURE, GW_SIGNER_ANTHROPIC,
                                         gw_json_get_text(block, "signature"), gw_str(NULL, 0));
}

static enum gw_err read_reasoning_item(const struct reading *reading, yyjson_val *item)
{
    struct gw_decoder *decoder = reading->decoder;
    enum gw_err err = GW_OK;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *part = NULL;
    yyjson_arr_foreach(gw_json_get(item, "summary"), index, max, part)
    {
        if (reading->is_whole && err == GW_OK) {
            err = give_text(decoder, GW_EVENT_REASONING, gw_json_get_text(part, "text"));
        }
    }
    return err != GW_OK ? err
                        : give_signature(decoder, GW_EVENT_REASONING_SIGNATURE, GW_SIGNER_OPENAI,
                                         gw_json_get_text(item, "encrypted_content"),
                                         gw_json_get_text(item, "id"));
}

typedef enum gw_err read_element_fn(const struct reading *reading, yyjson_val *element);

static enum gw_err each(const struct reading *reading, yyjson_val *list, read_element_fn *read)
{
    enum gw_err err = GW_OK;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *element = NULL;
    yyjson_arr_foreach(list, index, max, element)
    {
        if (err == GW_OK) {
            err = read(reading, element);
        }
    }
    return err;
}

static enum gw_err read_reasoning(const struct reading *reading)
{
    yyjson_val *blocks = reading->members[MEMBER_THINKING_BLOCKS];
    yyjson_val *items = reading->members[MEMBER_REASONING_ITEMS];
    yyjson_val *text = reading->members[MEMBER_REASONING_CONTENT];
    enum gw_err err = GW_OK;
    if (text == NULL) {
        text = reading->members[MEMBER_REASONING];
    }
    /* A whole message tells the blocks' text twice. */
    bool is_repeated =
        reading->is_whole && (yyjson_arr_size(blocks) > 0 || yyjson_arr_size(items) > 0);
    if (!is_repeated) {
        err = give_text(reading->decoder, GW_EVENT_REASONING, gw_json_text(text));
    }
    err = err == GW_OK ? each(reading, blocks, read_thinking_block) : err;
    err = err == GW_OK ? each(reading, items, read_reasoning_item) : err;
    yyjson_val *extra = reading->members[MEMBER_EXTRA_CONTENT];
    if (err != GW_OK || extra == NULL) {
        return err;
    }
    yyjson_val *google = gw_json_get(extra, "google");
    return give_signature(reading->decoder, GW_EVENT_REASONING_SIGNATURE, GW_SIGNER_GOOGLE,
                          gw_json_get_text(google, "thought_signature"), gw_str(NULL, 0));
}

/* ---- content ---- */

/* Mistral's list: {"type":"thinking","thinking":[{"type":"text","text"}]} or text. */
static enum gw_err read_thinking_text(const struct reading *reading, yyjson_val *part)
{
    return give_text(reading->decoder, GW_EVENT_REASONING, gw_json_get_text(part, "text"));
}

static enum gw_err read_content_part(const struct reading *reading, yyjson_val *part)
{
    struct gw_str type = gw_json_get_text(part, "type");
    yyjson_val *thinking = gw_json_get(part, "thinking");
    if (gw_str_eq(type, GW_STR("thinking"))) {
        return yyjson_is_str(thinking)
                   ? give_text(reading->decoder, GW_EVENT_REASONING, gw_json_text(thinking))
                   : each(reading, thinking, read_thinking_text);
    }
    if (gw_str_eq(type, GW_STR("refusal"))) {
        return give_text(reading->decoder, GW_EVENT_REFUSAL, gw_json_get_text(part, "refusal"));
    }
    return give_text(reading->decoder, GW_EVENT_TEXT, gw_json_get_text(part, "text"));
}

static enum gw_err read_content(const struct reading *reading)
{
    struct gw_decoder *decoder = reading->decoder;
    yyjson_val *content = reading->members[MEMBER_CONTENT];
    if (yyjson_is_arr(content)) {
        return each(reading, content, read_content_part);
    }
    struct gw_event event = {.type = GW_EVENT_TEXT, .text = gw_json_text(content)};
    if (yyjson_arr_size(reading->logprobs) > 0) {
        gw_buf_reset(&decoder->scratch);
        gw_json_write(reading->logprobs, &decoder->scratch);
        if (decoder->scratch.err != GW_OK) {
            return decoder->scratch.err;
        }
        event.logprobs = gw_buf_str(&decoder->scratch);
    }
    return event.text.len > 0 || event.logprobs.len > 0 ? gw_openai_give(decoder, &event) : GW_OK;
}

/* ---- media and annotations ---- */

static enum gw_err read_image(const struct reading *reading, yyjson_val *image)
{
    struct gw_data_url url;
    if (!gw_data_url_split(gw_chat_image_url(image), &url)) {
        return GW_OK;
    }
    struct gw_event event = {.type = GW_EVENT_MEDIA,
                             .media = {.mime_type = url.mime_type, .base64 = url.base64}};
    return gw_openai_give(reading->decoder, &event);
}

static enum gw_err read_audio(const struct reading *reading)
{
    yyjson_val *audio = reading->members[MEMBER_AUDIO];
    const struct gw_openai_memory *memory = reading->decoder->opts.memory;
    struct gw_event event = {.type = GW_EVENT_MEDIA,
                             .media = {.mime_type = memory != NULL && memory->audio_type.len > 0
                                                        ? memory->audio_type
                                                        : GW_STR("audio/pcm"),
                                       .base64 = gw_json_get_text(audio, "data"),
                                       .transcript = gw_json_get_text(audio, "transcript")}};
    bool is_empty = event.media.base64.len == 0 && event.media.transcript.len == 0;
    return is_empty ? GW_OK : gw_openai_give(reading->decoder, &event);
}

static enum gw_err read_annotation(const struct reading *reading, yyjson_val *annotation)
{
    struct gw_decoder *decoder = reading->decoder;
    gw_buf_reset(&decoder->scratch);
    gw_json_write(annotation, &decoder->scratch);
    if (decoder->scratch.err != GW_OK || !yyjson_is_obj(annotation)) {
        return decoder->scratch.err;
    }
    return gw_openai_give(decoder, &(struct gw_event){.type = GW_EVENT_ANNOTATION,
                                                      .annotation = gw_buf_str(&decoder->scratch)});
}

enum gw_err gw_openai_read_message(struct gw_decoder *decoder, yyjson_val *message,
                                   yyjson_val *logprobs, bool is_whole)
{
    struct reading reading = {.decoder = decoder, .logprobs = logprobs, .is_whole = is_whole};
    find_members(&reading, message);
    enum gw_err err = read_reasoning(&reading);
    err = err == GW_OK ? read_content(&reading) : err;
    if (err == GW_OK && yyjson_is_str(reading.members[MEMBER_REFUSAL])) {
        err = give_text(decoder, GW_EVENT_REFUSAL, gw_json_text(reading.members[MEMBER_REFUSAL]));
    }
    err = err == GW_OK ? each(&reading, reading.members[MEMBER_IMAGES], read_image) : err;
    if (err == GW_OK && reading.members[MEMBER_AUDIO] != NULL) {
        err = read_audio(&reading);
    }
    err = err == GW_OK ? each(&reading, reading.members[MEMBER_ANNOTATIONS], read_annotation) : err;
    if (err == GW_OK && reading.members[MEMBER_TOOL_CALLS] != NULL) {
        err = gw_openai_read_calls(decoder, reading.members[MEMBER_TOOL_CALLS]);
    }
    if (err == GW_OK && yyjson_is_obj(reading.members[MEMBER_FUNCTION_CALL])) {
        err = gw_openai_read_function_call(decoder, reading.members[MEMBER_FUNCTION_CALL]);
    }
    return err;
}
