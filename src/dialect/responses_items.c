/* SPDX-License-Identifier: MIT */
/*
 * dialect/responses_items - input items to messages, in order.
 *
 * What one turn of the assistant is stands in several items (reasoning, text, calls) and becomes
 * one message. It ends where something else comes. Text after text is another message, unless calls
 * are open: those must stand directly before their outputs.
 */
#include "dialect/openai_int.h"
#include "dialect/responses_int.h"

#include "llm/chat.h"
#include "json/value.h"
#include "json/write.h"

/* ---- what we seal ---- */

static const struct gw_str seals[] = {
    [GW_SEAL_NONE] = GW_STR_INIT(""),
    [GW_SEAL_THINKING] = GW_STR_INIT("gatewire.thinking."),
    [GW_SEAL_REDACTED] = GW_STR_INIT("gatewire.redacted."),
    [GW_SEAL_GOOGLE] = GW_STR_INIT("gatewire.google."),
};

struct gw_str gw_responses_seal_prefix(enum gw_responses_seal seal)
{
    return seals[seal];
}

enum gw_responses_seal gw_responses_unseal(struct gw_str encrypted, struct gw_str *value)
{
    for (unsigned i = GW_SEAL_THINKING; i < GW_ARRAY_LEN(seals); i++) {
        if (gw_str_has_prefix(encrypted, seals[i])) {
            *value = gw_str_skip(encrypted, seals[i].len);
            return (enum gw_responses_seal)i;
        }
    }
    *value = encrypted;
    return GW_SEAL_NONE;
}

/* ---- the assistant's message ---- */

struct gw_responses_assistant *gw_responses_assistant(struct gw_responses_chat *chat)
{
    chat->assistant.is_open = true;
    return &chat->assistant;
}

static void write_list(struct gw_str key, const struct gw_buf *elements, struct gw_buf *out)
{
    if (elements->len > 0) {
        gw_json_write_key(key, out);
        (void)gw_buf_append_byte(out, '[');
        (void)gw_buf_append(out, gw_buf_str(elements));
        (void)gw_buf_append_byte(out, ']');
    }
}

static void write_assistant_content(const struct gw_responses_assistant *assistant,
                                    struct gw_buf *out)
{
    if (assistant->part_count > 1) {
        write_list(GW_STR("content"), &assistant->parts, out);
    } else {
        gw_json_write_raw(
            GW_STR("content"),
            assistant->part_count == 1 ? gw_buf_str(&assistant->text) : GW_STR("null"), out);
    }
}

void gw_responses_flush(struct gw_responses_chat *chat)
{
    struct gw_responses_assistant *assistant = &chat->assistant;
    struct gw_buf *out = &chat->messages;
    if (!assistant->is_open) {
        return;
    }
    struct gw_buf *bufs[] = {&assistant->parts,  &assistant->text,     &assistant->refusal,
                             &assistant->items,  &assistant->calls,    &assistant->reasoning,
                             &assistant->blocks, &assistant->signature};
    gw_json_write_next(out);
    (void)gw_buf_append(out, GW_STR("{\"role\":\"assistant\""));
    write_assistant_content(assistant, out);
    if (assistant->refusal.len > 0) {
        gw_json_write_raw(GW_STR("refusal"), gw_buf_str(&assistant->refusal), out);
    }
    gw_json_write_optional(GW_STR("reasoning_content"), gw_buf_str(&assistant->reasoning), out);
    write_list(GW_STR("thinking_blocks"), &assistant->blocks, out);
    write_list(GW_STR("reasoning_items"), &assistant->items, out);
    write_list(GW_STR("tool_calls"), &assistant->calls, out);
    (void)gw_buf_append_byte(out, '}');
    for (size_t i = 0; i < GW_ARRAY_LEN(bufs); i++) {
        bufs[i]->len = 0; /* not reset: a failure must stay */
    }
    assistant->part_count = 0;
    assistant->is_open = false;
}

static void add_assistant_text(struct gw_responses_assistant *assistant, struct gw_str text)
{
    assistant->text.len = 0;
    gw_json_write_text(text, &assistant->text);
    gw_json_write_next(&assistant->parts);
    (void)gw_buf_append(&assistant->parts, GW_STR("{\"type\":\"text\",\"text\":"));
    (void)gw_buf_append(&assistant->parts, gw_buf_str(&assistant->text));
    (void)gw_buf_append_byte(&assistant->parts, '}');
    assistant->part_count++;
}

static void add_assistant_part(struct gw_responses_chat *chat, yyjson_val *part)
{
    struct gw_responses_assistant *assistant = &chat->assistant;
    struct gw_str type = gw_json_get_text(part, "type");
    struct gw_str text = gw_json_get_text(part, "text");
    if (gw_str_eq(type, GW_STR("refusal"))) {
        assistant->refusal.len = 0;
        gw_json_write_text(gw_json_get_text(part, "refusal"), &assistant->refusal);
    } else if (text.ptr != NULL) {
        add_assistant_text(assistant, text);
    } else {
        gw_notes_add(chat->notes, GW_NOTE_DROPPED, GW_STR("input[].content[]"),
                     GW_STR("an assistant's message holds text only."));
    }
}

static void write_assistant_message(struct gw_responses_chat *chat, yyjson_val *content)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *part = NULL;
    bool has_content = chat->assistant.part_count > 0 || chat->assistant.refusal.len > 0;
    if (has_content && chat->assistant.calls.len == 0) {
        gw_responses_flush(chat);
    }
    struct gw_responses_assistant *assistant = gw_responses_assistant(chat);
    if (yyjson_is_str(content)) {
        add_assistant_text(assistant, gw_json_text(content));
    }
    yyjson_arr_foreach(content, index, max, part)
    {
        add_assistant_part(chat, part);
    }
}

/* ---- other messages ---- */

static void write_breakpoint(yyjson_val *part, struct gw_buf *out)
{
    if (gw_json_get(part, "prompt_cache_breakpoint") != NULL) {
        gw_json_write_raw(GW_STR("cache_control"), GW_STR("{\"type\":\"ephemeral\"}"), out);
    }
}

static void write_image(yyjson_val *part, struct gw_buf *out)
{
    struct gw_str url = gw_chat_image_url(part);
    struct gw_str file = gw_json_get_text(part, "file_id");
    if (url.len == 0 && file.len > 0) {
        (void)gw_buf_append(out, GW_STR("{\"type\":\"file\",\"file\":{"));
        gw_json_write_member(GW_STR("file_id"), file, out);
    } else {
        (void)gw_buf_append(out, GW_STR("{\"type\":\"image_url\",\"image_url\":{"));
        gw_json_write_member(GW_STR("url"), url, out);
        gw_json_write_optional(GW_STR("detail"), gw_json_get_text(part, "detail"), out);
    }
    (void)gw_buf_append_byte(out, '}');
}

static void write_file(yyjson_val *part, struct gw_buf *out)
{
    static const char *const members[] = {"file_id", "filename", "file_data", "file_url"};
    (void)gw_buf_append(out, GW_STR("{\"type\":\"file\",\"file\":{"));
    for (size_t i = 0; i < GW_ARRAY_LEN(members); i++) {
        gw_json_write_optional(gw_str_from_c(members[i]), gw_json_get_text(part, members[i]), out);
    }
    (void)gw_buf_append_byte(out, '}');
}

static void write_part(yyjson_val *part, struct gw_buf *out)
{
    struct gw_str type = gw_json_get_text(part, "type");
    struct gw_str text = gw_json_get_text(part, "text");
    gw_json_write_next(out);
    if (gw_str_eq(type, GW_STR("input_image"))) {
        write_image(part, out);
    } else if (gw_str_eq(type, GW_STR("input_file"))) {
        write_file(part, out);
    } else if (text.ptr != NULL || yyjson_is_str(part)) {
        (void)gw_buf_append(out, GW_STR("{\"type\":\"text\""));
        gw_json_write_member(GW_STR("text"), text.ptr != NULL ? text : gw_json_text(part), out);
    } else { /* sound, and what is newer than this: as it came */
        gw_json_write(part, out);
        return;
    }
    write_breakpoint(part, out);
    (void)gw_buf_append_byte(out, '}');
}

/* A lone text without anything more is a string in both worlds. */
static bool is_plain_text(yyjson_val *content)
{
    yyjson_val *only = yyjson_arr_get_first(content);
    return yyjson_arr_size(content) == 1 && gw_json_get_text(only, "text").ptr != NULL &&
           gw_json_get(only, "prompt_cache_breakpoint") == NULL;
}

void gw_responses_write_content(yyjson_val *content, struct gw_buf *out)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *part = NULL;
    if (!yyjson_is_arr(content)) {
        gw_json_write_text(gw_json_text(content), out);
        return;
    }
    if (is_plain_text(content)) {
        gw_json_write_text(gw_json_get_text(yyjson_arr_get_first(content), "text"), out);
        return;
    }
    (void)gw_buf_append_byte(out, '[');
    yyjson_arr_foreach(content, index, max, part)
    {
        write_part(part, out);
    }
    (void)gw_buf_append_byte(out, ']');
}

static void write_message(struct gw_responses_chat *chat, struct gw_str role, yyjson_val *content)
{
    struct gw_buf *out = &chat->messages;
    gw_responses_flush(chat);
    gw_json_write_next(out);
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_member(GW_STR("role"), role, out);
    gw_json_write_key(GW_STR("content"), out);
    gw_responses_write_content(content, out);
    (void)gw_buf_append_byte(out, '}');
}

static enum gw_err write_message_item(struct gw_responses_chat *chat, yyjson_val *item)
{
    yyjson_val *content = gw_json_get(item, "content");
    if (content == NULL) {
        return gw_notes_invalid(chat->notes, GW_STR("input[].content"),
                                GW_STR("A message has no 'content'."));
    }
    switch (gw_chat_role(item)) {
    case GW_ROLE_ASSISTANT:
        write_assistant_message(chat, content);
        return GW_OK;
    case GW_ROLE_SYSTEM:
        write_message(chat, GW_STR("system"), content);
        return GW_OK;
    case GW_ROLE_USER:
        write_message(chat, GW_STR("user"), content);
        return GW_OK;
    case GW_ROLE_TOOL:
    case GW_ROLE_OTHER:
        break;
    }
    return gw_notes_invalid(
        chat->notes, GW_STR("input[].role"),
        GW_STR("A message's 'role' must be user, assistant, system or developer."));
}

/* ---- reasoning ---- */

/* The texts of a summary, or of the reasoning itself. */
static void write_reasoning_text(yyjson_val *item, struct gw_buf *out)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *part = NULL;
    yyjson_val *list = gw_json_get(item, "content");
    list = yyjson_arr_size(list) > 0 ? list : gw_json_get(item, "summary");
    yyjson_arr_foreach(list, index, max, part)
    {
        (void)gw_buf_append(out, index > 0 ? GW_STR("\n\n") : GW_STR(""));
        (void)gw_buf_append(out, gw_json_get_text(part, "text"));
    }
}

/* Behind what other items of the turn said; returns this item's own. */
static struct gw_str add_reasoning_text(struct gw_buf *out, yyjson_val *item)
{
    size_t before = out->len;
    (void)gw_buf_append(out, before > 0 ? GW_STR("\n\n") : GW_STR(""));
    size_t at = out->len;
    write_reasoning_text(item, out);
    if (out->len == at) {
        out->len = before;
        return gw_str(NULL, 0);
    }
    return gw_str_skip(gw_buf_str(out), at);
}

static void write_thinking(struct gw_responses_assistant *assistant, struct gw_str text,
                           struct gw_str signature)
{
    gw_json_write_next(&assistant->blocks);
    gw_openai_write_thinking(text, signature, &assistant->blocks);
}

static void write_reasoning_item(struct gw_responses_chat *chat, yyjson_val *item)
{
    struct gw_str value;
    enum gw_responses_seal seal =
        gw_responses_unseal(gw_json_get_text(item, "encrypted_content"), &value);
    if (chat->assistant.calls.len == 0 && chat->assistant.part_count > 0 &&
        seal != GW_SEAL_GOOGLE) {
        gw_responses_flush(chat);
    }
    struct gw_responses_assistant *assistant = gw_responses_assistant(chat);
    struct gw_str text = add_reasoning_text(&assistant->reasoning, item);
    switch (seal) {
    case GW_SEAL_THINKING:
        write_thinking(assistant, text, value);
        break;
    case GW_SEAL_REDACTED:
        gw_json_write_next(&assistant->blocks);
        gw_openai_write_redacted(value, &assistant->blocks);
        break;
    case GW_SEAL_GOOGLE:
        assistant->signature.len = 0;
        (void)gw_buf_append(&assistant->signature, value);
        break;
    case GW_SEAL_NONE:
        gw_json_write_next(&assistant->items);
        gw_json_write(item, &assistant->items);
        break;
    }
}

/* ---- the walk ---- */

static enum gw_err refuse_item(struct gw_responses_chat *chat, struct gw_str type)
{
    if (gw_str_eq(type, GW_STR("compaction"))) {
        return gw_notes_refuse(chat->notes, GW_STR("input[].type=compaction"),
                               GW_STR("only OpenAI can read what it compacted."));
    }
    if (gw_str_eq(type, GW_STR("item_reference"))) {
        return gw_notes_refuse(chat->notes, GW_STR("input[].type=item_reference"),
                               GW_STR("the item is not stored here; send it whole."));
    }
    gw_notes_add(chat->notes, GW_NOTE_DROPPED,
                 gw_arena_printf(chat->notes->arena, "input[].type=" GW_STR_FMT,
                                 GW_STR_ARG(type.len <= 64 ? type : GW_STR("?"))),
                 GW_STR("the model's provider has no such item."));
    return GW_OK;
}

static enum gw_err write_item(struct gw_responses_chat *chat, yyjson_val *item)
{
    struct gw_str type = gw_json_get_text(item, "type");
    if (type.ptr == NULL) { /* easy messages and references may leave it out */
        type = gw_json_get(item, "role") != NULL ? GW_STR("message") : GW_STR("item_reference");
    }
    if (gw_str_eq(type, GW_STR("message"))) {
        return write_message_item(chat, item);
    }
    if (gw_str_eq(type, GW_STR("reasoning"))) {
        write_reasoning_item(chat, item);
        return GW_OK;
    }
    if (gw_str_eq(type, GW_STR("additional_tools"))) {
        return gw_responses_add_tools(chat, gw_json_get(item, "tools"));
    }
    return gw_responses_write_call(chat, item, type) ? GW_OK : refuse_item(chat, type);
}

enum gw_err gw_responses_write_messages(struct gw_responses_chat *chat, yyjson_val *root)
{
    yyjson_val *input = gw_json_get(root, "input");
    yyjson_val *instructions = gw_json_get(root, "instructions");
    enum gw_err err = GW_OK;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *item = NULL;
    if (yyjson_is_str(instructions) && yyjson_get_len(instructions) > 0) {
        write_message(chat, GW_STR("system"), instructions);
    }
    if (yyjson_is_str(input)) {
        write_message(chat, GW_STR("user"), input);
    } else if (!yyjson_is_arr(input)) {
        return gw_notes_invalid(chat->notes, GW_STR("input"),
                                GW_STR("'input' must be a string or an array of items."));
    }
    yyjson_arr_foreach(input, index, max, item)
    {
        err = err == GW_OK ? write_item(chat, item) : err;
    }
    gw_responses_flush(chat);
    if (err == GW_OK && chat->messages.len == 0) {
        err = gw_notes_invalid(chat->notes, GW_STR("input"),
                               GW_STR("'input' holds nothing that the model could answer."));
    }
    return err;
}
