/* SPDX-License-Identifier: MIT */
/*
 * dialect/anthropic_turns - the conversation of a Messages request as neutral messages (inbound.md
 * A4).
 *
 * One turn of the user's becomes a tool message per result and then a message with the rest. Blocks
 * of thinking are kept as they are for who can read them, and their text for all others.
 */
#include "dialect/anthropic_int.h"
#include "json/value.h"
#include "json/write.h"

#define BILLING "x-anthropic-billing-header:"

static void note(struct gw_messages_chat *chat, enum gw_note_kind kind, struct gw_str param,
                 struct gw_str text)
{
    gw_notes_add(chat->notes, kind, param, text);
}

static bool is_type(yyjson_val *block, const char *type)
{
    return yyjson_equals_str(gw_json_get(block, "type"), type);
}

static void write_cache(yyjson_val *block, struct gw_buf *out)
{
    yyjson_val *cache = gw_json_get(block, "cache_control");
    if (cache != NULL) {
        gw_json_write_key(GW_STR("cache_control"), out);
        gw_json_write(cache, out);
    }
}

/* ---- parts ---- */

static void write_text_part(struct gw_str text, yyjson_val *block, struct gw_buf *out)
{
    gw_json_write_next(out);
    (void)gw_buf_append(out, GW_STR("{\"type\":\"text\""));
    gw_json_write_member(GW_STR("text"), text, out);
    write_cache(block, out);
    (void)gw_buf_append_byte(out, '}');
}

static void write_data_url(yyjson_val *source, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("\"data:"));
    (void)gw_buf_append_json(out, gw_json_get_text(source, "media_type"));
    (void)gw_buf_append(out, GW_STR(";base64,"));
    (void)gw_buf_append_json(out, gw_json_get_text(source, "data"));
    (void)gw_buf_append_byte(out, '"');
}

static void write_image(yyjson_val *block, struct gw_buf *out)
{
    yyjson_val *source = gw_json_get(block, "source");
    struct gw_str file = gw_json_get_text(source, "file_id");
    gw_json_write_next(out);
    if (file.len > 0) {
        (void)gw_buf_append(out, GW_STR("{\"type\":\"file\",\"file\":{"));
        gw_json_write_member(GW_STR("file_id"), file, out);
    } else {
        (void)gw_buf_append(out, GW_STR("{\"type\":\"image_url\",\"image_url\":{\"url\":"));
        if (is_type(source, "base64")) {
            write_data_url(source, out);
        } else {
            gw_json_write_text(gw_json_get_text(source, "url"), out);
        }
    }
    (void)gw_buf_append_byte(out, '}');
    write_cache(block, out);
    (void)gw_buf_append_byte(out, '}');
}

/* All texts of |content|, a string or blocks, one below the other; escaped, without quotes. */
static void write_texts(yyjson_val *content, struct gw_buf *out)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *block = NULL;
    (void)gw_buf_append_json(out, gw_json_text(content));
    yyjson_arr_foreach(content, index, max, block)
    {
        struct gw_str text = gw_json_get_text(block, "text");
        if (text.len > 0) {
            (void)gw_buf_append(out, index > 0 ? GW_STR("\\n") : GW_STR(""));
            (void)gw_buf_append_json(out, text);
        }
    }
}

/* A document that is text already: title and text. */
static void write_document_text(struct gw_messages_chat *chat, yyjson_val *block)
{
    struct gw_buf *out = chat->out;
    struct gw_str title = gw_json_get_text(block, "title");
    yyjson_val *source = gw_json_get(block, "source");
    gw_json_write_next(out);
    (void)gw_buf_append(out, GW_STR("{\"type\":\"text\",\"text\":\""));
    if (title.len > 0) {
        (void)gw_buf_append_json(out, title);
        (void)gw_buf_append(out, GW_STR("\\n"));
    }
    if (yyjson_is_str(source)) { /* a search result's is its address */
        (void)gw_buf_append_json(out, gw_json_text(source));
        (void)gw_buf_append(out, GW_STR("\\n"));
    }
    (void)gw_buf_append_json(out, gw_json_get_text(source, "data"));
    write_texts(gw_json_get(source, "content"), out);
    write_texts(gw_json_get(block, "content"), out);
    (void)gw_buf_append_byte(out, '"');
    write_cache(block, out);
    (void)gw_buf_append_byte(out, '}');
    note(chat, GW_NOTE_MAPPED, GW_STR("messages[].content[]"),
         GW_STR("a document of text became text"));
}

static void write_document(struct gw_messages_chat *chat, yyjson_val *block)
{
    struct gw_buf *out = chat->out;
    yyjson_val *source = gw_json_get(block, "source");
    struct gw_str title = gw_json_get_text(block, "title");
    bool is_base64 = is_type(source, "base64");
    bool is_url = is_type(source, "url");
    if (!is_base64 && !is_url && !is_type(source, "file")) {
        write_document_text(chat, block);
        return;
    }
    gw_json_write_next(out);
    (void)gw_buf_append(out, GW_STR("{\"type\":\"file\",\"file\":{"));
    if (is_base64) { /* OpenAI wants a name with the data */
        gw_json_write_member(GW_STR("filename"), title.len > 0 ? title : GW_STR("document.pdf"),
                             out);
        gw_json_write_key(GW_STR("file_data"), out);
        write_data_url(source, out);
    } else {
        gw_json_write_optional(GW_STR("filename"), title, out);
        gw_json_write_member(is_url ? GW_STR("file_url") : GW_STR("file_id"),
                             gw_json_get_text(source, is_url ? "url" : "file_id"), out);
    }
    (void)gw_buf_append_byte(out, '}');
    write_cache(block, out);
    (void)gw_buf_append_byte(out, '}');
}

/* One block of a user's turn, a result or the system's. */
static void write_part(struct gw_messages_chat *chat, yyjson_val *block)
{
    if (yyjson_is_str(block)) {
        write_text_part(gw_json_text(block), NULL, chat->out);
    } else if (is_type(block, "text")) {
        write_text_part(gw_json_get_text(block, "text"), block, chat->out);
    } else if (is_type(block, "image")) {
        write_image(block, chat->out);
    } else if (is_type(block, "document")) {
        write_document(chat, block);
    } else if (is_type(block, "search_result")) {
        write_document_text(chat, block);
    } else {
        note(chat, GW_NOTE_DROPPED, GW_STR("messages[].content[].type"),
             GW_STR("only Anthropic's own models know such blocks"));
    }
}

/* The text, when |content| is a string or one block of text with nothing else to it. */
static bool is_plain_text(yyjson_val *content, struct gw_str *text)
{
    yyjson_val *only = content;
    if (yyjson_is_arr(content) && yyjson_arr_size(content) == 1) {
        only = yyjson_arr_get_first(content);
        bool is_simple = is_type(only, "text") && gw_json_get(only, "cache_control") == NULL;
        only = is_simple ? gw_json_get(only, "text") : NULL;
    }
    *text = gw_json_text(only);
    return yyjson_is_str(only);
}

/* The member "content" out of |content|. */
static void write_content(struct gw_messages_chat *chat, yyjson_val *content)
{
    struct gw_str text;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *block = NULL;
    if (is_plain_text(content, &text)) {
        gw_json_write_member(GW_STR("content"), text, chat->out);
        return;
    }
    gw_json_write_raw(GW_STR("content"), GW_STR("["), chat->out);
    yyjson_arr_foreach(content, index, max, block)
    {
        if (!is_type(block, "tool_result")) {
            write_part(chat, block);
        }
    }
    (void)gw_buf_append_byte(chat->out, ']');
}

/* ---- system ---- */

/* Changes with every request and would spoil other vendors' caches. */
static bool is_billing(yyjson_val *block)
{
    return gw_str_has_prefix(gw_json_get_text(block, "text"), GW_STR(BILLING));
}

static void write_system(struct gw_messages_chat *chat, yyjson_val *system)
{
    struct gw_str text;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *block = NULL;
    bool has_billing = is_billing(yyjson_arr_get_first(system));
    if (is_plain_text(system, &text) && !has_billing) {
        if (text.len > 0) {
            gw_json_write_next(chat->out);
            (void)gw_buf_append(chat->out, GW_STR("{\"role\":\"system\""));
            gw_json_write_member(GW_STR("content"), text, chat->out);
            (void)gw_buf_append_byte(chat->out, '}');
        }
        return;
    }
    if (!yyjson_is_arr(system) || yyjson_arr_size(system) <= (has_billing ? 1 : 0)) {
        return;
    }
    gw_json_write_next(chat->out);
    (void)gw_buf_append(chat->out, GW_STR("{\"role\":\"system\",\"content\":["));
    yyjson_arr_foreach(system, index, max, block)
    {
        if (index > 0 || !has_billing) {
            write_part(chat, block);
        }
    }
    (void)gw_buf_append(chat->out, GW_STR("]}"));
}

/* ---- the user ---- */

static void write_result(struct gw_messages_chat *chat, yyjson_val *block)
{
    struct gw_buf *out = chat->out;
    yyjson_val *content = gw_json_get(block, "content");
    gw_json_write_next(out);
    (void)gw_buf_append(out, GW_STR("{\"role\":\"tool\""));
    gw_json_write_member(GW_STR("tool_call_id"), gw_json_get_text(block, "tool_use_id"), out);
    if (content == NULL) {
        gw_json_write_member(GW_STR("content"), GW_STR(""), out);
    } else {
        write_content(chat, content);
    }
    if (gw_json_get_true(block, "is_error")) {
        gw_json_write_raw(GW_STR("is_error"), GW_STR("true"), out);
    }
    write_cache(block, out);
    (void)gw_buf_append_byte(out, '}');
}

static void write_user(struct gw_messages_chat *chat, yyjson_val *content)
{
    size_t index = 0;
    size_t max = 0;
    size_t results = 0;
    yyjson_val *block = NULL;
    yyjson_arr_foreach(content, index, max, block)
    {
        if (is_type(block, "tool_result")) {
            write_result(chat, block);
            results++;
        }
    }
    if (results > 0 && results == yyjson_arr_size(content)) {
        return;
    }
    gw_json_write_next(chat->out);
    (void)gw_buf_append(chat->out, GW_STR("{\"role\":\"user\""));
    write_content(chat, content);
    (void)gw_buf_append_byte(chat->out, '}');
}

/* ---- the assistant ---- */

static bool is_thinking(yyjson_val *block)
{
    return is_type(block, "thinking") || is_type(block, "redacted_thinking");
}

static struct gw_messages_seal seal_of(yyjson_val *block)
{
    return gw_messages_open_seal(
        gw_json_get_text(block, is_type(block, "thinking") ? "signature" : "data"));
}

static bool has_block(yyjson_val *content, const char *type)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *block = NULL;
    yyjson_arr_foreach(content, index, max, block)
    {
        if (is_type(block, type)) {
            return true;
        }
    }
    return false;
}

/* Blocks that are neither thinking nor calls, where there is no content to hold them. */
static void note_others(struct gw_messages_chat *chat, yyjson_val *content)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *block = NULL;
    yyjson_arr_foreach(content, index, max, block)
    {
        if (!is_thinking(block) && !is_type(block, "tool_use")) {
            note(chat, GW_NOTE_DROPPED, GW_STR("messages[].content[].type"),
                 GW_STR("only Anthropic's own models know such blocks"));
        }
    }
}

static void write_said(struct gw_messages_chat *chat, yyjson_val *content)
{
    struct gw_str text;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *block = NULL;
    if (is_plain_text(content, &text)) {
        gw_json_write_member(GW_STR("content"), text, chat->out);
        return;
    }
    if (!has_block(content, "text")) {
        gw_json_write_raw(GW_STR("content"), GW_STR("null"), chat->out);
        note_others(chat, content);
        return;
    }
    gw_json_write_raw(GW_STR("content"), GW_STR("["), chat->out);
    yyjson_arr_foreach(content, index, max, block)
    {
        if (!is_thinking(block) && !is_type(block, "tool_use")) {
            write_part(chat, block);
        }
    }
    (void)gw_buf_append_byte(chat->out, ']');
}

static void write_reasoning(yyjson_val *content, struct gw_buf *out)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *block = NULL;
    bool is_open = false;
    yyjson_arr_foreach(content, index, max, block)
    {
        struct gw_str text = gw_json_get_text(block, "thinking");
        if (!is_type(block, "thinking") || text.len == 0) {
            continue;
        }
        if (is_open) {
            (void)gw_buf_append(out, GW_STR("\\n\\n"));
        } else {
            gw_json_write_key(GW_STR("reasoning_content"), out);
            (void)gw_buf_append_byte(out, '"');
            is_open = true;
        }
        (void)gw_buf_append_json(out, text);
    }
    if (is_open) {
        (void)gw_buf_append_byte(out, '"');
    }
}

static void write_item(yyjson_val *block, const struct gw_messages_seal *seal, struct gw_buf *out)
{
    struct gw_str text = gw_json_get_text(block, "thinking");
    (void)gw_buf_append(out, GW_STR("{\"type\":\"reasoning\""));
    gw_json_write_optional(GW_STR("id"), seal->id, out);
    gw_json_write_raw(GW_STR("summary"), GW_STR("["), out);
    if (text.len > 0) {
        (void)gw_buf_append(out, GW_STR("{\"type\":\"summary_text\""));
        gw_json_write_member(GW_STR("text"), text, out);
        (void)gw_buf_append_byte(out, '}');
    }
    (void)gw_buf_append_byte(out, ']');
    gw_json_write_member(GW_STR("encrypted_content"), seal->value, out);
    (void)gw_buf_append_byte(out, '}');
}

/* The list |name| of the blocks that |signer| can read again. */
static void write_signed(yyjson_val *content, enum gw_signer signer, struct gw_str name,
                         struct gw_buf *out)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *block = NULL;
    bool is_open = false;
    yyjson_arr_foreach(content, index, max, block)
    {
        struct gw_messages_seal seal = seal_of(block);
        if (!is_thinking(block) || seal.signer != signer) {
            continue;
        }
        if (!is_open) {
            gw_json_write_raw(name, GW_STR("["), out);
            is_open = true;
        }
        gw_json_write_next(out);
        if (signer == GW_SIGNER_OPENAI) {
            write_item(block, &seal, out);
        } else {
            gw_json_write(block, out);
        }
    }
    if (is_open) {
        (void)gw_buf_append_byte(out, ']');
    }
}

static void write_arguments(yyjson_val *input, struct gw_buf *out)
{
    struct gw_buf text;
    gw_buf_init(&text, out->max_bytes);
    if (input == NULL) {
        (void)gw_buf_append(&text, GW_STR("{}"));
    } else {
        gw_json_write(input, &text);
    }
    gw_json_write_member(GW_STR("arguments"), gw_buf_str(&text), out);
    out->err = out->err != GW_OK ? out->err : text.err;
    gw_buf_fini(&text);
}

/* |signature| is Google's for this call, or empty. */
static void write_call(struct gw_messages_chat *chat, yyjson_val *block, struct gw_str signature)
{
    struct gw_buf *out = chat->out;
    gw_json_write_next(out);
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_member(GW_STR("id"), gw_json_get_text(block, "id"), out);
    gw_json_write_raw(GW_STR("type"), GW_STR("\"function\",\"function\":{"), out);
    gw_json_write_member(GW_STR("name"), gw_json_get_text(block, "name"), out);
    write_arguments(gw_json_get(block, "input"), out);
    (void)gw_buf_append_byte(out, '}');
    if (signature.len > 0) {
        gw_json_write_raw(GW_STR("extra_content"), GW_STR("{\"google\":{"), out);
        gw_json_write_member(GW_STR("thought_signature"), signature, out);
        (void)gw_buf_append(out, GW_STR("}}"));
    }
    write_cache(block, out);
    (void)gw_buf_append_byte(out, '}');
}

static void write_calls(struct gw_messages_chat *chat, yyjson_val *content)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *block = NULL;
    struct gw_str signature = gw_str(NULL, 0);
    if (!has_block(content, "tool_use")) {
        return;
    }
    gw_json_write_raw(GW_STR("tool_calls"), GW_STR("["), chat->out);
    yyjson_arr_foreach(content, index, max, block)
    {
        struct gw_messages_seal seal = seal_of(block);
        if (is_thinking(block) && seal.signer == GW_SIGNER_GOOGLE) {
            signature = seal.value;
        } else if (is_type(block, "tool_use")) {
            write_call(chat, block, signature);
            signature = gw_str(NULL, 0);
        }
    }
    (void)gw_buf_append_byte(chat->out, ']');
}

static void write_assistant(struct gw_messages_chat *chat, yyjson_val *content)
{
    gw_json_write_next(chat->out);
    (void)gw_buf_append(chat->out, GW_STR("{\"role\":\"assistant\""));
    write_said(chat, content);
    write_reasoning(content, chat->out);
    write_signed(content, GW_SIGNER_ANTHROPIC, GW_STR("thinking_blocks"), chat->out);
    write_signed(content, GW_SIGNER_OPENAI, GW_STR("reasoning_items"), chat->out);
    write_calls(chat, content);
    (void)gw_buf_append_byte(chat->out, '}');
}

/* ---- the conversation ---- */

static enum gw_err write_turn(struct gw_messages_chat *chat, yyjson_val *message)
{
    yyjson_val *content = gw_json_get(message, "content");
    struct gw_str role = gw_json_get_text(message, "role");
    if (!yyjson_is_str(content) && !yyjson_is_arr(content)) {
        return gw_notes_invalid(chat->notes, GW_STR("messages"),
                                GW_STR("messages: each needs content, a string or an array of "
                                       "blocks"));
    }
    if (gw_str_eq(role, GW_STR("user"))) {
        write_user(chat, content);
    } else if (gw_str_eq(role, GW_STR("assistant"))) {
        write_assistant(chat, content);
    } else if (gw_str_eq(role, GW_STR("system"))) {
        write_system(chat, content);
    } else {
        return gw_notes_invalid(chat->notes, GW_STR("messages"),
                                GW_STR("messages: roles are user, assistant and system"));
    }
    return GW_OK;
}

enum gw_err gw_messages_write_turns(struct gw_messages_chat *chat, yyjson_val *root)
{
    yyjson_val *messages = gw_json_get(root, "messages");
    size_t index = 0;
    size_t max = 0;
    yyjson_val *message = NULL;
    enum gw_err err = GW_OK;
    if (!yyjson_is_arr(messages) || yyjson_arr_size(messages) == 0) {
        return gw_notes_invalid(chat->notes, GW_STR("messages"),
                                GW_STR("messages: at least one message is required"));
    }
    gw_json_write_raw(GW_STR("messages"), GW_STR("["), chat->out);
    write_system(chat, gw_json_get(root, "system"));
    yyjson_arr_foreach(messages, index, max, message)
    {
        err = err == GW_OK ? write_turn(chat, message) : err;
    }
    (void)gw_buf_append_byte(chat->out, ']');
    return err;
}
