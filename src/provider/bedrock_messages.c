/* SPDX-License-Identifier: MIT */
/*
 * provider/bedrock_messages - the conversation: turns of user and assistant that alternate.
 * Messages of one side that follow each other become one; what is empty is left out. The system
 * prompt stands behind the messages in the body, so that the body of a longer conversation begins
 * with that of the shorter one whatever else changes.
 */
#include <inttypes.h>

#include "provider/bedrock_int.h"
#include "json/scan.h"
#include "json/value.h"
#include "json/write.h"

/* Bedrock wants some text where there is none. */
static const struct gw_str placeholder = GW_STR_INIT("{\"text\":\".\"}");

#define MAX_TOOL_ID_BYTES 64

/* ---- turns ---- */

static void close_turn(struct gw_bedrock_encoder *encoder)
{
    struct gw_buf *out = encoder->out;
    if (encoder->open_role == GW_ROLE_OTHER) {
        return;
    }
    if (encoder->open_has_document && !encoder->open_has_text) {
        gw_bedrock_note(encoder, GW_NOTE_CHANGED, GW_STR("messages[].content"),
                        GW_STR("A text '.' was added to a message that has a document only."));
        gw_json_write_next(out);
        (void)gw_buf_append(out, placeholder);
    }
    (void)gw_buf_append(out, GW_STR("]}"));
    encoder->open_role = GW_ROLE_OTHER;
}

static void begin_turn(struct gw_bedrock_encoder *encoder, enum gw_role role)
{
    struct gw_buf *out = encoder->out;
    gw_json_write_next(out);
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_member(GW_STR("role"),
                         role == GW_ROLE_ASSISTANT ? GW_STR("assistant") : GW_STR("user"), out);
    gw_json_write_raw(GW_STR("content"), GW_STR("["), out);
    encoder->open_role = role;
    encoder->open_has_text = false;
    encoder->open_has_document = false;
}

/* Makes sure that a turn of |role| is open. */
static void open_turn(struct gw_bedrock_encoder *encoder, enum gw_role role)
{
    struct gw_buf *out = encoder->out;
    bool is_first = out->err == GW_OK && out->len > 0 && out->ptr[out->len - 1] == '[' &&
                    encoder->open_role == GW_ROLE_OTHER;
    if (encoder->open_role == role) {
        return;
    }
    close_turn(encoder);
    if (is_first && role == GW_ROLE_ASSISTANT) {
        gw_bedrock_note(encoder, GW_NOTE_CHANGED, GW_STR("messages"),
                        GW_STR("A user message '.' was put in front: Bedrock's conversations begin "
                               "with the user."));
        begin_turn(encoder, GW_ROLE_USER);
        (void)gw_buf_append(out, placeholder);
        close_turn(encoder);
    }
    begin_turn(encoder, role);
}

/* Where the output stood before a turn was opened for something that may come to nothing. */
struct mark {
    size_t len;
    enum gw_role role;
    bool has_text;
    bool has_document;
};

static struct mark mark_of(const struct gw_bedrock_encoder *encoder)
{
    return (struct mark){.len = encoder->out->len,
                         .role = encoder->open_role,
                         .has_text = encoder->open_has_text,
                         .has_document = encoder->open_has_document};
}

/* Takes back everything since |mark|. */
static void take_back(struct gw_bedrock_encoder *encoder, const struct mark *mark)
{
    encoder->out->len = mark->len;
    encoder->open_role = mark->role;
    encoder->open_has_text = mark->has_text;
    encoder->open_has_document = mark->has_document;
}

/* Errors: GW_ERR_INVALID. */
static enum gw_err write_content(struct gw_bedrock_encoder *encoder, yyjson_val *message,
                                 enum gw_role role)
{
    struct gw_chat_parts parts = gw_chat_parts_of(gw_json_get(message, "content"));
    struct gw_chat_part part;
    while (gw_chat_parts_next(&parts, &part)) {
        struct mark mark = mark_of(encoder);
        bool is_written = false;
        open_turn(encoder, role);
        enum gw_err err = gw_bedrock_write_part(encoder, &part, false, &is_written);
        if (err != GW_OK) {
            return err;
        }
        if (is_written) {
            gw_bedrock_write_cache_point(encoder, part.value, false);
        } else {
            take_back(encoder, &mark);
        }
    }
    return GW_OK;
}

/* ---- the assistant's ---- */

/* The reasoning that the model can read again. */
static void write_reasoning(struct gw_bedrock_encoder *encoder, yyjson_val *message)
{
    struct gw_buf *out = encoder->out;
    yyjson_val *blocks = gw_json_get(message, "thinking_blocks");
    bool is_claude = encoder->model.family == GW_BEDROCK_CLAUDE;
    bool is_lost = gw_json_get(message, "reasoning_content") != NULL && blocks == NULL;
    size_t i;
    size_t count;
    yyjson_val *block;
    yyjson_arr_foreach(blocks, i, count, block)
    {
        struct gw_str signature = gw_json_get_text(block, "signature");
        struct gw_str redacted = gw_json_get_text(block, "data");
        if (!is_claude || (signature.len == 0 && redacted.len == 0)) {
            is_lost = true;
            continue;
        }
        open_turn(encoder, GW_ROLE_ASSISTANT);
        gw_json_write_next(out);
        if (redacted.len > 0) {
            (void)gw_buf_append(out, GW_STR("{\"reasoningContent\":{"));
            gw_json_write_member(GW_STR("redactedContent"), redacted, out);
            (void)gw_buf_append(out, GW_STR("}}"));
            continue;
        }
        struct gw_str text = gw_json_get_text(block, "thinking");
        (void)gw_buf_append(out, GW_STR("{\"reasoningContent\":{\"reasoningText\":{"));
        gw_json_write_member(GW_STR("text"), text.ptr != NULL ? text : GW_STR(""), out);
        gw_json_write_member(GW_STR("signature"), signature, out);
        (void)gw_buf_append(out, GW_STR("}}}"));
    }
    if (is_lost) {
        gw_bedrock_note(encoder, GW_NOTE_DROPPED, GW_STR("messages[].reasoning_content"),
                        GW_STR("Earlier reasoning goes back to Claude only, with its signature."));
    }
}

/* FNV-1a: the same in every process, and 64 bits tell the ids of a conversation apart. */
static uint64_t fingerprint(struct gw_str text)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < text.len; i++) {
        hash = (hash ^ (unsigned char)text.ptr[i]) * 0x100000001b3;
    }
    return hash;
}

struct gw_str gw_bedrock_tool_id(struct gw_str id, struct gw_arena *arena)
{
    static const char others[] = "_.:-";
    bool is_fit = id.len > 0 && id.len <= MAX_TOOL_ID_BYTES;
    for (size_t i = 0; i < id.len && is_fit; i++) {
        char byte = id.ptr[i];
        is_fit = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                 (byte >= '0' && byte <= '9') || (byte != '\0' && strchr(others, byte) != NULL);
    }
    return is_fit ? id : gw_arena_printf(arena, "call_%016" PRIx64, fingerprint(id));
}

static bool is_json_object(struct gw_str text)
{
    enum gw_json_type type = GW_JSON_NULL;
    return gw_json_scan(text, NULL, NULL, &type, NULL) == GW_OK && type == GW_JSON_OBJECT;
}

static void write_input(struct gw_bedrock_encoder *encoder, yyjson_val *function, bool is_custom)
{
    struct gw_buf *out = encoder->out;
    if (is_custom) {
        struct gw_str input = gw_json_get_text(function, "input");
        gw_json_write_raw(GW_STR("input"), GW_STR("{"), out);
        gw_json_write_member(GW_STR("input"), input.ptr != NULL ? input : GW_STR(""), out);
        (void)gw_buf_append_byte(out, '}');
        return;
    }
    yyjson_val *arguments = gw_json_get(function, "arguments");
    struct gw_str text = gw_json_text(arguments);
    bool is_object = text.ptr != NULL && is_json_object(text);
    if (!is_object && gw_bedrock_has_text(text)) {
        gw_bedrock_note(encoder, GW_NOTE_CHANGED, GW_STR("messages[].tool_calls[].arguments"),
                        GW_STR("Arguments that are no JSON object were replaced by an empty one."));
    }
    gw_json_write_raw(GW_STR("input"), is_object ? gw_str_trim(text) : GW_STR("{}"), out);
}

static void write_calls(struct gw_bedrock_encoder *encoder, yyjson_val *message)
{
    struct gw_buf *out = encoder->out;
    size_t i;
    size_t count;
    yyjson_val *call;
    yyjson_arr_foreach(gw_json_get(message, "tool_calls"), i, count, call)
    {
        bool is_custom = false;
        yyjson_val *function = gw_tool_function(call, &is_custom);
        struct gw_str name = gw_json_get_text(function, "name");
        if (name.ptr == NULL) {
            continue;
        }
        open_turn(encoder, GW_ROLE_ASSISTANT);
        gw_json_write_next(out);
        (void)gw_buf_append(out, GW_STR("{\"toolUse\":{"));
        gw_json_write_member(GW_STR("toolUseId"),
                             gw_bedrock_tool_id(gw_json_get_text(call, "id"), encoder->in->arena),
                             out);
        gw_json_write_member(GW_STR("name"), gw_tool_names_sent(&encoder->names, name), out);
        write_input(encoder, function, is_custom);
        (void)gw_buf_append(out, GW_STR("}}"));
        gw_bedrock_write_cache_point(encoder, call, false);
    }
}

/* Errors: GW_ERR_INVALID. */
static enum gw_err write_assistant(struct gw_bedrock_encoder *encoder, yyjson_val *message)
{
    struct mark mark = mark_of(encoder);
    write_reasoning(encoder, message);
    size_t reasoned = encoder->out->len;
    enum gw_err err = write_content(encoder, message, GW_ROLE_ASSISTANT);
    struct gw_str refusal = gw_json_get_text(message, "refusal");
    if (err == GW_OK && gw_bedrock_has_text(refusal)) {
        const struct gw_chat_part part = {.type = GW_STR("text"), .text = refusal};
        bool is_written = false;
        open_turn(encoder, GW_ROLE_ASSISTANT);
        err = gw_bedrock_write_part(encoder, &part, false, &is_written);
    }
    write_calls(encoder, message);
    if (gw_json_get(message, "function_call") != NULL) {
        gw_bedrock_note(encoder, GW_NOTE_DROPPED, GW_STR("messages[].function_call"),
                        GW_STR("Calls without an id (before tool_calls) cannot be sent."));
    }
    /* Reasoning alone is no turn. */
    if (encoder->out->len == reasoned && reasoned > mark.len) {
        take_back(encoder, &mark);
    }
    return err;
}

/* ---- tool results ---- */

/* Errors: GW_ERR_INVALID. */
static enum gw_err write_result(struct gw_bedrock_encoder *encoder, yyjson_val *message)
{
    struct gw_buf *out = encoder->out;
    struct gw_str id = gw_json_get_text(message, "tool_call_id");
    open_turn(encoder, GW_ROLE_USER);
    gw_json_write_next(out);
    (void)gw_buf_append(out, GW_STR("{\"toolResult\":{"));
    gw_json_write_member(GW_STR("toolUseId"), gw_bedrock_tool_id(id, encoder->in->arena), out);
    gw_json_write_raw(GW_STR("content"), GW_STR("["), out);
    struct gw_chat_parts parts = gw_chat_parts_of(gw_json_get(message, "content"));
    struct gw_chat_part part;
    yyjson_val *cached = message;
    bool is_empty = true;
    while (gw_chat_parts_next(&parts, &part)) {
        bool is_written = false;
        bool has_document = encoder->open_has_document;
        enum gw_err err = gw_bedrock_write_part(encoder, &part, true, &is_written);
        encoder->open_has_document = has_document;
        if (err != GW_OK) {
            return err;
        }
        is_empty = is_empty && !is_written;
        cached = gw_json_get(part.value, "cache_control") != NULL ? part.value : cached;
    }
    (void)gw_buf_append(out, is_empty ? GW_STR("{\"text\":\"(empty)\"}]") : GW_STR("]"));
    if (gw_json_get_true(message, "is_error") && encoder->model.has_result_status) {
        gw_json_write_member(GW_STR("status"), GW_STR("error"), out);
    }
    (void)gw_buf_append(out, GW_STR("}}"));
    gw_bedrock_write_cache_point(encoder, cached, false);
    return GW_OK;
}

/* ---- system ---- */

/* Errors: GW_ERR_INVALID. */
static enum gw_err write_system(struct gw_bedrock_encoder *encoder, yyjson_val *messages)
{
    struct gw_buf *out = encoder->out;
    size_t begin = out->len;
    gw_json_write_raw(GW_STR("system"), GW_STR("["), out);
    size_t empty_len = out->len;
    size_t i;
    size_t count;
    yyjson_val *message;
    yyjson_arr_foreach(messages, i, count, message)
    {
        struct gw_chat_parts parts = gw_chat_parts_of(gw_json_get(message, "content"));
        struct gw_chat_part part;
        bool is_system = gw_chat_role(message) == GW_ROLE_SYSTEM;
        while (is_system && gw_chat_parts_next(&parts, &part)) {
            bool is_written = false;
            if (part.text.ptr == NULL) {
                return gw_notes_invalid(encoder->in->notes, GW_STR("messages[].content"),
                                        GW_STR("A system message holds text only."));
            }
            enum gw_err err = gw_bedrock_write_part(encoder, &part, true, &is_written);
            if (err != GW_OK) {
                return err;
            }
            gw_bedrock_write_cache_point(encoder, is_written ? part.value : NULL, false);
        }
        if (is_system && out->len > empty_len) {
            gw_bedrock_write_cache_point(encoder, message, false);
        }
    }
    if (encoder->hint.len > 0) {
        gw_json_write_next(out);
        (void)gw_buf_append_byte(out, '{');
        gw_json_write_member(GW_STR("text"), encoder->hint, out);
        (void)gw_buf_append_byte(out, '}');
    }
    if (out->len == empty_len) {
        out->len = begin;
        return GW_OK;
    }
    (void)gw_buf_append_byte(out, ']');
    return GW_OK;
}

/* ---- all of it ---- */

/* Errors: GW_ERR_INVALID. */
static enum gw_err write_message(struct gw_bedrock_encoder *encoder, yyjson_val *message,
                                 bool *is_begun)
{
    enum gw_role role = gw_chat_role(message);
    enum gw_err err = GW_OK;
    switch (role) {
    case GW_ROLE_SYSTEM:
        if (*is_begun) {
            gw_bedrock_note(encoder, GW_NOTE_CHANGED, GW_STR("messages[].role"),
                            GW_STR("System messages between others were moved to the system "
                                   "prompt."));
        }
        return GW_OK;
    case GW_ROLE_USER:
        err = write_content(encoder, message, GW_ROLE_USER);
        break;
    case GW_ROLE_ASSISTANT:
        err = write_assistant(encoder, message);
        break;
    case GW_ROLE_TOOL:
        err = write_result(encoder, message);
        break;
    case GW_ROLE_OTHER:
        return gw_notes_invalid(encoder->in->notes, GW_STR("messages[].role"),
                                GW_STR("A message's role is system, developer, user, assistant or "
                                       "tool."));
    }
    *is_begun = true;
    /* A mark on the message stands behind its last block. */
    if (err == GW_OK && role != GW_ROLE_TOOL && encoder->open_role == role) {
        gw_bedrock_write_cache_point(encoder, message, false);
    }
    return err;
}

enum gw_err gw_bedrock_write_messages(struct gw_bedrock_encoder *encoder)
{
    struct gw_buf *out = encoder->out;
    yyjson_val *messages = gw_json_get(encoder->chat, "messages");
    bool is_begun = false;
    gw_json_write_raw(GW_STR("messages"), GW_STR("["), out);
    size_t empty_len = out->len;
    size_t i;
    size_t count;
    yyjson_val *message;
    yyjson_arr_foreach(messages, i, count, message)
    {
        enum gw_err err = write_message(encoder, message, &is_begun);
        if (err != GW_OK) {
            return err;
        }
    }
    close_turn(encoder);
    if (out->err == GW_OK && out->len == empty_len) {
        return gw_notes_invalid(encoder->in->notes, GW_STR("messages"),
                                GW_STR("There is no message with content from the user or the "
                                       "assistant."));
    }
    (void)gw_buf_append_byte(out, ']');
    return write_system(encoder, messages);
}
