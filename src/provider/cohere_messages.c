/* SPDX-License-Identifier: MIT */
/* provider/cohere_messages - the conversation, message by message: the roles are OpenAI's. What an
 * assistant says beside its calls is its tool_plan. */
#include "provider/cohere_int.h"
#include "json/value.h"
#include "json/write.h"

/* ---- texts ---- */

static bool is_plain_text(yyjson_val *content)
{
    struct gw_chat_parts parts = gw_chat_parts_of(content);
    struct gw_chat_part part;
    while (gw_chat_parts_next(&parts, &part)) {
        if (part.text.ptr == NULL && !gw_str_eq(part.type, GW_STR("refusal"))) {
            return false;
        }
    }
    return true;
}

/* Appends all text of |content| as one JSON string; parts are parted by line ends. */
static void write_joined(yyjson_val *content, struct gw_buf *out)
{
    struct gw_chat_parts parts = gw_chat_parts_of(content);
    struct gw_chat_part part;
    bool is_begun = false;
    (void)gw_buf_append_byte(out, '"');
    while (gw_chat_parts_next(&parts, &part)) {
        struct gw_str text =
            part.text.ptr != NULL ? part.text : gw_json_get_text(part.value, "refusal");
        if (text.len > 0) {
            (void)gw_buf_append(out, is_begun ? GW_STR("\\n") : GW_STR(""));
            (void)gw_buf_append_json(out, text);
            is_begun = true;
        }
    }
    (void)gw_buf_append_byte(out, '"');
}

static bool has_text(yyjson_val *content)
{
    struct gw_chat_parts parts = gw_chat_parts_of(content);
    struct gw_chat_part part;
    while (gw_chat_parts_next(&parts, &part)) {
        if (part.text.len > 0 || gw_json_get_text(part.value, "refusal").len > 0) {
            return true;
        }
    }
    return false;
}

static void note_cache(struct gw_cohere_encoder *encoder, yyjson_val *owner)
{
    if (gw_json_get(owner, "cache_control") != NULL) {
        gw_cohere_note(encoder, GW_NOTE_DROPPED, GW_STR("cache_control"),
                       GW_STR("Cohere caches by itself."));
    }
}

/* ---- the user's ---- */

/* Errors: GW_ERR_INVALID. */
static enum gw_err write_user_part(struct gw_cohere_encoder *encoder,
                                   const struct gw_chat_part *part)
{
    struct gw_buf *out = encoder->out;
    note_cache(encoder, part->value);
    if (part->text.ptr != NULL) {
        gw_json_write_next(out);
        (void)gw_buf_append(out, GW_STR("{\"type\":\"text\""));
        gw_json_write_member(GW_STR("text"), part->text, out);
        (void)gw_buf_append_byte(out, '}');
        return GW_OK;
    }
    struct gw_str url = gw_chat_image_url(part->value);
    if (!gw_str_eq(part->type, GW_STR("image_url")) || url.ptr == NULL) {
        return gw_notes_refuse(encoder->in->notes, GW_STR("messages[].content[].type"),
                               GW_STR("Cohere takes text and images."));
    }
    gw_json_write_next(out);
    (void)gw_buf_append(out, GW_STR("{\"type\":\"image_url\",\"image_url\":{"));
    gw_json_write_member(GW_STR("url"), url, out);
    gw_json_write_optional(GW_STR("detail"),
                           gw_json_get_text(gw_json_get(part->value, "image_url"), "detail"), out);
    (void)gw_buf_append(out, GW_STR("}}"));
    return GW_OK;
}

/* Errors: GW_ERR_INVALID. */
static enum gw_err write_user(struct gw_cohere_encoder *encoder, yyjson_val *content)
{
    struct gw_buf *out = encoder->out;
    if (yyjson_is_str(content)) {
        gw_json_write_member(GW_STR("content"), gw_json_text(content), out);
        return GW_OK;
    }
    struct gw_chat_parts parts = gw_chat_parts_of(content);
    struct gw_chat_part part;
    enum gw_err err = GW_OK;
    gw_json_write_raw(GW_STR("content"), GW_STR("["), out);
    while (err == GW_OK && gw_chat_parts_next(&parts, &part)) {
        err = write_user_part(encoder, &part);
    }
    (void)gw_buf_append_byte(out, ']');
    return err;
}

/* ---- the assistant's ---- */

/* The call's arguments as a string: Cohere wants an object in it. */
static void write_arguments(yyjson_val *function, bool is_custom, struct gw_buf *out)
{
    struct gw_str text = gw_json_get_text(function, "arguments");
    gw_json_write_key(GW_STR("arguments"), out);
    if (!is_custom) {
        gw_json_write_text(gw_str_trim(text).len > 0 ? text : GW_STR("{}"), out);
        return;
    }
    struct gw_buf wrapped;
    gw_buf_init(&wrapped, out->max_bytes);
    (void)gw_buf_append_byte(&wrapped, '{');
    gw_json_write_member(GW_STR("input"), gw_json_get_text(function, "input"), &wrapped);
    (void)gw_buf_append_byte(&wrapped, '}');
    gw_json_write_text(gw_buf_str(&wrapped), out);
    out->err = out->err != GW_OK ? out->err : wrapped.err;
    gw_buf_fini(&wrapped);
}

static void write_calls(struct gw_cohere_encoder *encoder, yyjson_val *calls)
{
    struct gw_buf *out = encoder->out;
    size_t i;
    size_t count;
    yyjson_val *call;
    gw_json_write_raw(GW_STR("tool_calls"), GW_STR("["), out);
    yyjson_arr_foreach(calls, i, count, call)
    {
        bool is_custom = false;
        yyjson_val *function = gw_tool_function(call, &is_custom);
        struct gw_str name = gw_json_get_text(function, "name");
        if (name.ptr == NULL) {
            continue;
        }
        gw_json_write_next(out);
        (void)gw_buf_append_byte(out, '{');
        gw_json_write_optional(GW_STR("id"), gw_json_get_text(call, "id"), out);
        gw_json_write_member(GW_STR("type"), GW_STR("function"), out);
        gw_json_write_raw(GW_STR("function"), GW_STR("{"), out);
        gw_json_write_member(GW_STR("name"), gw_tool_names_sent(&encoder->names, name), out);
        write_arguments(function, is_custom, out);
        (void)gw_buf_append(out, GW_STR("}}"));
    }
    (void)gw_buf_append_byte(out, ']');
}

/* The reasoning of the message, where the model takes it back; ptr is NULL otherwise. */
static struct gw_str find_reasoning(struct gw_cohere_encoder *encoder, yyjson_val *message)
{
    struct gw_str reasoning = gw_json_get_text(message, "reasoning_content");
    if (reasoning.len > 0 && !encoder->can_reason) {
        gw_cohere_note(encoder, GW_NOTE_DROPPED, GW_STR("messages[].reasoning_content"),
                       GW_STR("The model does not reason."));
        return gw_str(NULL, 0);
    }
    return reasoning;
}

/* Content with reasoning in front: an array; the text alone: a string. */
static void write_said(struct gw_cohere_encoder *encoder, yyjson_val *content,
                       struct gw_str reasoning, bool is_text_elsewhere)
{
    struct gw_buf *out = encoder->out;
    bool says = !is_text_elsewhere && has_text(content);
    if (reasoning.len == 0) {
        if (says) {
            gw_json_write_key(GW_STR("content"), out);
            write_joined(content, out);
        }
        return;
    }
    gw_json_write_raw(GW_STR("content"), GW_STR("[{\"type\":\"thinking\""), out);
    gw_json_write_member(GW_STR("thinking"), reasoning, out);
    (void)gw_buf_append_byte(out, '}');
    if (says) {
        (void)gw_buf_append(out, GW_STR(",{\"type\":\"text\",\"text\":"));
        write_joined(content, out);
        (void)gw_buf_append_byte(out, '}');
    }
    (void)gw_buf_append_byte(out, ']');
}

/* Errors: GW_ERR_INVALID. */
static enum gw_err write_assistant(struct gw_cohere_encoder *encoder, yyjson_val *message)
{
    yyjson_val *content = gw_json_get(message, "content");
    yyjson_val *calls = gw_json_get(message, "tool_calls");
    bool has_calls = yyjson_arr_size(calls) > 0;
    if (!is_plain_text(content)) {
        enum gw_err err = gw_notes_refuse(encoder->in->notes, GW_STR("messages[].content[].type"),
                                          GW_STR("Cohere's assistant messages hold text only."));
        if (err != GW_OK) {
            return err;
        }
    }
    write_said(encoder, content, find_reasoning(encoder, message), has_calls);
    if (has_calls) {
        if (has_text(content)) {
            gw_json_write_key(GW_STR("tool_plan"), encoder->out);
            write_joined(content, encoder->out);
        }
        write_calls(encoder, calls);
    }
    return GW_OK;
}

/* ---- all of it ---- */

/* Errors: GW_ERR_INVALID. */
static enum gw_err write_result(struct gw_cohere_encoder *encoder, yyjson_val *message)
{
    yyjson_val *content = gw_json_get(message, "content");
    if (!is_plain_text(content)) {
        enum gw_err err = gw_notes_refuse(encoder->in->notes, GW_STR("messages[].content[].type"),
                                          GW_STR("Cohere's tool results hold text only."));
        if (err != GW_OK) {
            return err;
        }
    }
    if (gw_json_get_true(message, "is_error")) {
        gw_cohere_note(encoder, GW_NOTE_DROPPED, GW_STR("messages[].is_error"),
                       GW_STR("Cohere has no mark for a tool that failed; its text must say it."));
    }
    gw_json_write_member(GW_STR("tool_call_id"), gw_json_get_text(message, "tool_call_id"),
                         encoder->out);
    gw_json_write_key(GW_STR("content"), encoder->out);
    write_joined(content, encoder->out);
    return GW_OK;
}

/* Errors: GW_ERR_INVALID. */
static enum gw_err write_message(struct gw_cohere_encoder *encoder, yyjson_val *message)
{
    struct gw_buf *out = encoder->out;
    yyjson_val *content = gw_json_get(message, "content");
    note_cache(encoder, message);
    switch (gw_chat_role(message)) {
    case GW_ROLE_SYSTEM:
        gw_json_write_member(GW_STR("role"), GW_STR("system"), out);
        gw_json_write_key(GW_STR("content"), out);
        write_joined(content, out);
        return GW_OK;
    case GW_ROLE_USER:
        gw_json_write_member(GW_STR("role"), GW_STR("user"), out);
        return write_user(encoder, content);
    case GW_ROLE_ASSISTANT:
        gw_json_write_member(GW_STR("role"), GW_STR("assistant"), out);
        return write_assistant(encoder, message);
    case GW_ROLE_TOOL:
        gw_json_write_member(GW_STR("role"), GW_STR("tool"), out);
        return write_result(encoder, message);
    case GW_ROLE_OTHER:
        break;
    }
    return gw_notes_invalid(encoder->in->notes, GW_STR("messages[].role"),
                            GW_STR("A message's role is system, developer, user, assistant or "
                                   "tool."));
}

/* An assistant message with nothing in it is refused by Cohere; it says nothing, so it is left out.
 */
static bool is_empty(yyjson_val *message)
{
    return gw_chat_role(message) == GW_ROLE_ASSISTANT &&
           yyjson_arr_size(gw_json_get(message, "tool_calls")) == 0 &&
           !has_text(gw_json_get(message, "content"));
}

enum gw_err gw_cohere_write_messages(struct gw_cohere_encoder *encoder)
{
    struct gw_buf *out = encoder->out;
    yyjson_val *messages = gw_json_get(encoder->chat, "messages");
    size_t written = 0;
    size_t i;
    size_t count;
    yyjson_val *message;
    gw_json_write_raw(GW_STR("messages"), GW_STR("["), out);
    yyjson_arr_foreach(messages, i, count, message)
    {
        if (is_empty(message)) {
            continue;
        }
        gw_json_write_next(out);
        (void)gw_buf_append_byte(out, '{');
        enum gw_err err = write_message(encoder, message);
        if (err != GW_OK) {
            return err;
        }
        (void)gw_buf_append_byte(out, '}');
        written++;
    }
    (void)gw_buf_append_byte(out, ']');
    return written > 0 ? GW_OK
                       : gw_notes_invalid(encoder->in->notes, GW_STR("messages"),
                                          GW_STR("There is no message."));
}
