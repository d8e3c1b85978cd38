/* SPDX-License-Identifier: MIT */
/* provider/anthropic_blocks - content blocks as events; kinds that we do not know are passed over
 * (anthropic.md sections 4 and 5). */
#include "provider/anthropic_decode_int.h"
#include "json/write.h"

enum gw_err gw_anthropic_give(struct gw_decoder *decoder, const struct gw_event *event)
{
    return decoder->opts.on_event(decoder->opts.user, event);
}

static enum gw_err give_text(struct gw_decoder *decoder, enum gw_event_type type,
                             struct gw_str text)
{
    if (text.len == 0) {
        return GW_OK;
    }
    return gw_anthropic_give(decoder, &(struct gw_event){.type = type, .text = text});
}

/* ---- citations ---- */

/* As OpenAI's url_citation; citations of documents have no URL and no such shape. */
static enum gw_err give_citation(struct gw_decoder *decoder, yyjson_val *citation)
{
    struct gw_buf *out = &decoder->scratch;
    struct gw_str url = gw_json_get_text(citation, "url");
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
    return gw_anthropic_give(
        decoder, &(struct gw_event){.type = GW_EVENT_ANNOTATION, .annotation = gw_buf_str(out)});
}

static enum gw_err give_citations(struct gw_decoder *decoder, yyjson_val *list)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *citation = NULL;
    enum gw_err err = GW_OK;
    yyjson_arr_foreach(list, index, max, citation)
    {
        err = err == GW_OK ? give_citation(decoder, citation) : err;
    }
    return err;
}

/* ---- thinking ---- */

static enum gw_err give_signature(struct gw_decoder *decoder, enum gw_event_type type,
                                  struct gw_str value)
{
    struct gw_event event = {.type = type,
                             .signature = {.value = value, .signer = GW_SIGNER_ANTHROPIC}};
    return value.len > 0 ? gw_anthropic_give(decoder, &event) : GW_OK;
}

static enum gw_err take_thinking(struct gw_decoder *decoder, yyjson_val *from)
{
    enum gw_err err = give_text(decoder, GW_EVENT_REASONING, gw_json_get_text(from, "thinking"));
    return err != GW_OK ? err
                        : gw_buf_append(&decoder->signature, gw_json_get_text(from, "signature"));
}

/* ---- tools ---- */

/* The tool that was sent changed, or NULL. */
static const struct gw_anthropic_tool *find_changed(const struct gw_decoder *decoder,
                                                    struct gw_str sent)
{
    const struct gw_anthropic_memory *memory = decoder->opts.memory;
    for (size_t i = 0; memory != NULL && i < memory->tool_count; i++) {
        if (gw_str_eq(memory->tools[i].sent, sent)) {
            return &memory->tools[i];
        }
    }
    return NULL;
}

static enum gw_err give_arguments(struct gw_decoder *decoder, struct gw_str text)
{
    struct gw_event event = {.type = GW_EVENT_TOOL_ARGUMENTS,
                             .arguments = {.index = decoder->tool_count - 1, .text = text}};
    return gw_anthropic_give(decoder, &event);
}

static enum gw_err take_input(struct gw_decoder *decoder, struct gw_str json)
{
    if (json.len == 0) {
        return GW_OK;
    }
    decoder->has_input = true;
    return decoder->is_custom ? gw_buf_append(&decoder->input, json)
                              : give_arguments(decoder, json);
}

static enum gw_err begin_tool(struct gw_decoder *decoder, yyjson_val *block)
{
    struct gw_str name = gw_json_get_text(block, "name");
    const struct gw_anthropic_tool *changed = find_changed(decoder, name);
    yyjson_val *input = gw_json_get(block, "input");
    decoder->is_custom = changed != NULL && changed->is_custom;
    decoder->has_input = false;
    gw_buf_reset(&decoder->input);
    struct gw_event event = {.type = GW_EVENT_TOOL_BEGIN,
                             .tool = {.index = decoder->tool_count++,
                                      .id = gw_json_get_text(block, "id"),
                                      .name = changed != NULL ? changed->name : name,
                                      .is_custom = decoder->is_custom}};
    enum gw_err err = gw_anthropic_give(decoder, &event);
    /* A stream begins each with {} and brings the input in pieces. */
    if (err != GW_OK || !yyjson_is_obj(input) || yyjson_obj_size(input) == 0) {
        return err;
    }
    gw_buf_reset(&decoder->scratch);
    gw_json_write(input, &decoder->scratch);
    return decoder->scratch.err != GW_OK ? decoder->scratch.err
                                         : take_input(decoder, gw_buf_str(&decoder->scratch));
}

/* The text out of {"input":text}; what is no such object is the text itself. */
static enum gw_err give_custom_input(struct gw_decoder *decoder)
{
    yyjson_val *root = NULL;
    struct gw_str whole = gw_buf_str(&decoder->input);
    enum gw_err err = gw_json_read(&decoder->input_reader, whole, &root);
    if (err != GW_OK && err != GW_ERR_INVALID) {
        return err;
    }
    yyjson_val *text = err == GW_OK ? gw_json_get(root, "input") : NULL;
    struct gw_str input = yyjson_is_str(text) ? gw_json_text(text) : whole;
    return input.len > 0 ? give_arguments(decoder, input) : GW_OK;
}

static enum gw_err end_tool(struct gw_decoder *decoder)
{
    enum gw_err err = GW_OK;
    if (decoder->is_custom) {
        err = give_custom_input(decoder);
    } else if (!decoder->has_input) {
        err = give_arguments(decoder, GW_STR("{}"));
    }
    struct gw_event event = {.type = GW_EVENT_TOOL_END, .index = decoder->tool_count - 1};
    return err == GW_OK ? gw_anthropic_give(decoder, &event) : err;
}

/* ---- blocks ---- */

enum gw_err gw_anthropic_begin_block(struct gw_decoder *decoder, uint64_t index, yyjson_val *block)
{
    struct gw_str type = gw_json_get_text(block, "type");
    enum gw_err err = gw_anthropic_end_block(decoder); /* one whose stop was lost */
    if (err != GW_OK) {
        return err;
    }
    decoder->block_index = index;
    if (gw_str_eq(type, GW_STR("text"))) {
        decoder->block = GW_ANTHROPIC_BLOCK_TEXT;
        err = give_text(decoder, GW_EVENT_TEXT, gw_json_get_text(block, "text"));
        return err == GW_OK ? give_citations(decoder, gw_json_get(block, "citations")) : err;
    }
    if (gw_str_eq(type, GW_STR("thinking"))) {
        decoder->block = GW_ANTHROPIC_BLOCK_THINKING;
        gw_buf_reset(&decoder->signature);
        return take_thinking(decoder, block);
    }
    if (gw_str_eq(type, GW_STR("tool_use"))) {
        decoder->block = GW_ANTHROPIC_BLOCK_TOOL;
        return begin_tool(decoder, block);
    }
    if (gw_str_eq(type, GW_STR("redacted_thinking"))) {
        return give_signature(decoder, GW_EVENT_REASONING_REDACTED,
                              gw_json_get_text(block, "data"));
    }
    return GW_OK;
}

enum gw_err gw_anthropic_take_delta(struct gw_decoder *decoder, yyjson_val *delta)
{
    struct gw_str type = gw_json_get_text(delta, "type");
    switch (decoder->block) {
    case GW_ANTHROPIC_BLOCK_NONE:
        return GW_OK;
    case GW_ANTHROPIC_BLOCK_TEXT:
        if (gw_str_eq(type, GW_STR("citations_delta"))) {
            return give_citation(decoder, gw_json_get(delta, "citation"));
        }
        return gw_str_eq(type, GW_STR("text_delta"))
                   ? give_text(decoder, GW_EVENT_TEXT, gw_json_get_text(delta, "text"))
                   : GW_OK;
    case GW_ANTHROPIC_BLOCK_THINKING:
        return gw_str_eq(type, GW_STR("thinking_delta")) ||
                       gw_str_eq(type, GW_STR("signature_delta"))
                   ? take_thinking(decoder, delta)
                   : GW_OK;
    case GW_ANTHROPIC_BLOCK_TOOL:
        return gw_str_eq(type, GW_STR("input_json_delta"))
                   ? take_input(decoder, gw_json_get_text(delta, "partial_json"))
                   : GW_OK;
    }
    return GW_OK;
}

enum gw_err gw_anthropic_end_block(struct gw_decoder *decoder)
{
    enum gw_anthropic_block block = decoder->block;
    decoder->block = GW_ANTHROPIC_BLOCK_NONE;
    if (block == GW_ANTHROPIC_BLOCK_THINKING) {
        return give_signature(decoder, GW_EVENT_REASONING_SIGNATURE,
                              gw_buf_str(&decoder->signature));
    }
    return block == GW_ANTHROPIC_BLOCK_TOOL ? end_tool(decoder) : GW_OK;
}
