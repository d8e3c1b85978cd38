/* SPDX-License-Identifier: MIT */
/* provider/openai_encode_messages - one message after the other, in a fixed order of members. */
#include "llm/chat.h"
#include "provider/openai_encode.h"
#include "provider/openai_parts_int.h"
#include "json/value.h"
#include "json/write.h"

#define MISTRAL_ID_LEN 9

static void text(struct gw_openai_encoding *encoding, struct gw_str piece)
{
    (void)gw_buf_append(encoding->out, piece);
}

/* ---- ids ---- */

static bool is_mistral_id(struct gw_str id)
{
    for (size_t i = 0; i < id.len; i++) {
        char c = id.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) {
            return false;
        }
    }
    return id.len == MISTRAL_ID_LEN;
}

/* The same nine characters for the same id in every process and every turn: FNV-1a in base 62. */
static void write_mistral_id(struct gw_openai_encoding *encoding, struct gw_str id)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    char out[MISTRAL_ID_LEN];
    for (size_t i = 0; i < id.len; i++) {
        hash = (hash ^ (unsigned char)id.ptr[i]) * UINT64_C(0x100000001b3);
    }
    for (size_t i = 0; i < MISTRAL_ID_LEN; i++) {
        out[i] = digits[hash % 62];
        hash /= 62;
    }
    gw_json_write_text(gw_str(out, MISTRAL_ID_LEN), encoding->out);
    gw_notes_add(encoding->in->notes, GW_NOTE_MAPPED, GW_STR("messages[].tool_calls[].id"),
                 GW_STR("shortened to the nine characters that this provider takes."));
}

static void write_id(struct gw_openai_encoding *encoding, struct gw_str id)
{
    if (encoding->quirks->is_mistral && !is_mistral_id(id)) {
        write_mistral_id(encoding, id);
    } else {
        gw_json_write_text(id, encoding->out);
    }
}

/* ---- assistant ---- */

/* Arguments are text; what is no text was an object of a careless client. */
static void write_arguments(struct gw_openai_encoding *encoding, yyjson_val *arguments)
{
    if (yyjson_is_str(arguments)) {
        struct gw_str written = gw_json_text(arguments);
        gw_json_write_text(written.len > 0 ? written : GW_STR("{}"), encoding->out);
        return;
    }
    struct gw_buf json;
    gw_buf_init(&json, encoding->out->max_bytes);
    if (arguments != NULL) {
        gw_json_write(arguments, &json);
    } else {
        (void)gw_buf_append(&json, GW_STR("{}"));
    }
    gw_json_write_text(gw_buf_str(&json), encoding->out);
    if (json.err != GW_OK && encoding->out->err == GW_OK) {
        encoding->out->err = json.err;
    }
    gw_buf_fini(&json);
}

static void write_custom_call(struct gw_openai_encoding *encoding, yyjson_val *custom)
{
    bool is_native = encoding->quirks->has_custom_tools;
    text(encoding, is_native ? GW_STR(",\"type\":\"custom\",\"custom\":{\"name\":")
                             : GW_STR(",\"type\":\"function\",\"function\":{\"name\":"));
    gw_json_write_text(gw_json_get_text(custom, "name"), encoding->out);
    struct gw_str input = gw_json_get_text(custom, "input");
    if (is_native) {
        text(encoding, GW_STR(",\"input\":"));
        gw_json_write_text(input, encoding->out);
        return;
    }
    struct gw_buf json;
    gw_buf_init(&json, encoding->out->max_bytes);
    (void)gw_buf_append(&json, GW_STR("{\"input\":"));
    gw_json_write_text(input, &json);
    (void)gw_buf_append(&json, GW_STR("}"));
    text(encoding, GW_STR(",\"arguments\":"));
    gw_json_write_text(gw_buf_str(&json), encoding->out);
    if (json.err != GW_OK && encoding->out->err == GW_OK) {
        encoding->out->err = json.err;
    }
    gw_buf_fini(&json);
}

static void write_calls(struct gw_openai_encoding *encoding, yyjson_val *calls)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *call = NULL;
    if (yyjson_arr_size(calls) == 0) {
        return;
    }
    text(encoding, GW_STR(",\"tool_calls\":["));
    yyjson_arr_foreach(calls, index, max, call)
    {
        yyjson_val *custom = gw_json_get(call, "custom");
        yyjson_val *function = gw_json_get(call, "function");
        text(encoding, index > 0 ? GW_STR(",{\"id\":") : GW_STR("{\"id\":"));
        write_id(encoding, gw_json_get_text(call, "id"));
        if (custom != NULL) {
            write_custom_call(encoding, custom);
        } else {
            text(encoding, GW_STR(",\"type\":\"function\",\"function\":{\"name\":"));
            gw_json_write_text(gw_json_get_text(function, "name"), encoding->out);
            text(encoding, GW_STR(",\"arguments\":"));
            write_arguments(encoding, gw_json_get(function, "arguments"));
        }
        text(encoding, GW_STR("}}"));
    }
    text(encoding, GW_STR("]"));
}

/* The text of the blocks, where a client sends those alone. */
static void write_block_texts(struct gw_openai_encoding *encoding, yyjson_val *blocks)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *block = NULL;
    text(encoding, GW_STR("\""));
    yyjson_arr_foreach(blocks, index, max, block)
    {
        (void)gw_buf_append_json(encoding->out, gw_json_get_text(block, "thinking"));
    }
    text(encoding, GW_STR("\""));
}

static void write_reasoning(struct gw_openai_encoding *encoding, yyjson_val *message)
{
    yyjson_val *plain = gw_json_get(message, "reasoning_content");
    yyjson_val *blocks = gw_json_get(message, "thinking_blocks");
    bool has_any = yyjson_get_len(plain) > 0 || yyjson_arr_size(blocks) > 0;
    if (!has_any) {
        /* Not all clients keep it; an empty one is better than a refusal. */
        bool has_calls = yyjson_arr_size(gw_json_get(message, "tool_calls")) > 0;
        if (encoding->quirks->wants_reasoning && has_calls) {
            gw_json_write_member(encoding->quirks->reasoning, GW_STR(""), encoding->out);
        }
        return;
    }
    if (encoding->quirks->reasoning.len == 0) {
        gw_notes_add(encoding->in->notes, GW_NOTE_MAPPED, GW_STR("messages[].reasoning_content"),
                     GW_STR("earlier reasoning was not sent: this provider takes none back."));
        return;
    }
    text(encoding, GW_STR(",\""));
    text(encoding, encoding->quirks->reasoning);
    text(encoding, GW_STR("\":"));
    if (yyjson_is_str(plain)) {
        gw_json_write(plain, encoding->out);
    } else {
        write_block_texts(encoding, blocks);
    }
}

/* Only the last message can be gone on with. */
static void write_prefix(struct gw_openai_encoding *encoding, yyjson_val *message)
{
    yyjson_val *messages = gw_json_get(encoding->chat, "messages");
    if (!gw_json_get_true(message, "prefix") || message != yyjson_arr_get_last(messages)) {
        return;
    }
    if (encoding->quirks->prefix == GW_PREFIX_MARK) {
        text(encoding, GW_STR(",\"prefix\":true"));
    } else if (encoding->quirks->prefix == GW_PREFIX_NONE) {
        gw_notes_add(encoding->in->notes, GW_NOTE_DROPPED, GW_STR("messages[].prefix"),
                     GW_STR("not sent: this provider does not go on with a message."));
    }
}

static enum gw_err write_assistant(struct gw_openai_encoding *encoding, yyjson_val *message)
{
    yyjson_val *content = gw_json_get(message, "content");
    yyjson_val *calls = gw_json_get(message, "tool_calls");
    yyjson_val *refusal = gw_json_get(message, "refusal");
    enum gw_err err = GW_OK;
    text(encoding, GW_STR("{\"role\":\"assistant\",\"content\":"));
    bool is_empty = content == NULL || yyjson_get_len(content) == 0;
    if (is_empty && (yyjson_arr_size(calls) > 0 || refusal != NULL)) {
        text(encoding, GW_STR("null"));
    } else {
        err = gw_openai_write_content(encoding, content, GW_ROLE_ASSISTANT);
    }
    if (refusal != NULL && encoding->quirks->has_developer) {
        text(encoding, GW_STR(",\"refusal\":"));
        gw_json_write(refusal, encoding->out);
    }
    write_reasoning(encoding, message);
    write_calls(encoding, calls);
    write_prefix(encoding, message);
    text(encoding, GW_STR("}"));
    return err;
}

/* ---- tool results ---- */

static enum gw_err write_tool(struct gw_openai_encoding *encoding, yyjson_val *message)
{
    struct gw_str name = gw_json_get_text(message, "name");
    text(encoding, GW_STR("{\"role\":\"tool\",\"tool_call_id\":"));
    write_id(encoding, gw_json_get_text(message, "tool_call_id"));
    if (encoding->quirks->is_mistral && name.len > 0) {
        text(encoding, GW_STR(",\"name\":"));
        gw_json_write_text(name, encoding->out);
    }
    text(encoding, GW_STR(",\"content\":"));
    gw_openai_write_result(encoding, gw_json_get(message, "content"),
                           gw_json_get_true(message, "is_error"));
    text(encoding, GW_STR("}"));
    return GW_OK;
}

/* Tools answer in text only: the images of one turn's results follow as a message of the user. */
static enum gw_err write_result_images(struct gw_openai_encoding *encoding, yyjson_val *messages,
                                       size_t begin, size_t end)
{
    unsigned count = 0;
    for (size_t i = begin; i < end; i++) {
        yyjson_val *content = gw_json_get(yyjson_arr_get(messages, i), "content");
        enum gw_err err = gw_openai_write_result_images(encoding, content, &count);
        if (err != GW_OK) {
            return err;
        }
    }
    if (count > 0) {
        text(encoding, GW_STR("]}"));
    }
    return GW_OK;
}

/* ---- all ---- */

static enum gw_err write_plain(struct gw_openai_encoding *encoding, yyjson_val *message,
                               struct gw_str role, enum gw_role kind)
{
    text(encoding, GW_STR("{\"role\":"));
    gw_json_write_text(role, encoding->out);
    text(encoding, GW_STR(",\"content\":"));
    enum gw_err err = gw_openai_write_content(encoding, gw_json_get(message, "content"), kind);
    struct gw_str name = gw_json_get_text(message, "name");
    if (name.len > 0 && encoding->quirks->has_developer) {
        text(encoding, GW_STR(",\"name\":"));
        gw_json_write_text(name, encoding->out);
    }
    text(encoding, GW_STR("}"));
    return err;
}

static enum gw_err write_message(struct gw_openai_encoding *encoding, yyjson_val *message)
{
    enum gw_role role = gw_chat_role(message);
    struct gw_str name = gw_json_get_text(message, "role");
    switch (role) {
    case GW_ROLE_ASSISTANT:
        return write_assistant(encoding, message);
    case GW_ROLE_TOOL:
        return write_tool(encoding, message);
    case GW_ROLE_SYSTEM:
        return write_plain(encoding, message,
                           encoding->quirks->has_developer ? name : GW_STR("system"), role);
    case GW_ROLE_USER:
        return write_plain(encoding, message, GW_STR("user"), role);
    case GW_ROLE_OTHER:
        break;
    }
    return gw_notes_invalid(encoding->in->notes, GW_STR("messages[].role"),
                            GW_STR("A message has a role that is not known here."));
}

/* Mistral: behind a tool's result only the assistant may speak. */
static void separate(struct gw_openai_encoding *encoding)
{
    text(encoding, GW_STR(",{\"role\":\"assistant\",\"content\":\"OK\"}"));
    gw_notes_add(encoding->in->notes, GW_NOTE_CHANGED, GW_STR("messages"),
                 GW_STR("this provider wants an assistant's message behind a tool's result; \"OK\" "
                        "was put there."));
}

/* Where a schema cannot be enforced the model is asked to keep to it, in the first message. */
static void write_schema_message(struct gw_openai_encoding *encoding)
{
    yyjson_val *format = gw_json_get(encoding->chat, "response_format");
    yyjson_val *schema = gw_json_get(gw_json_get(format, "json_schema"), "schema");
    if (schema == NULL || !encoding->quirks->has_no_schema) {
        return;
    }
    struct gw_buf json;
    gw_buf_init(&json, encoding->out->max_bytes);
    (void)gw_buf_append(&json, GW_STR("Answer with one JSON object that is valid against this "
                                      "JSON Schema: "));
    gw_json_write(schema, &json);
    text(encoding, GW_STR("{\"role\":\"system\",\"content\":"));
    gw_json_write_text(gw_buf_str(&json), encoding->out);
    text(encoding, GW_STR("},"));
    if (json.err != GW_OK && encoding->out->err == GW_OK) {
        encoding->out->err = json.err;
    }
    gw_buf_fini(&json);
    gw_notes_add(encoding->in->notes, GW_NOTE_CHANGED, GW_STR("response_format"),
                 GW_STR("this provider cannot enforce a schema; the model is asked to keep to "
                        "it."));
}

enum gw_err gw_openai_encode_messages(struct gw_openai_encoding *encoding)
{
    yyjson_val *messages = gw_json_get(encoding->chat, "messages");
    size_t count = yyjson_arr_size(messages);
    size_t first_result = 0;
    bool was_tool = false;
    text(encoding, GW_STR("\"messages\":["));
    write_schema_message(encoding);
    for (size_t i = 0; i <= count; i++) {
        yyjson_val *message = yyjson_arr_get(messages, i);
        bool is_tool = message != NULL && gw_chat_role(message) == GW_ROLE_TOOL;
        enum gw_err err = GW_OK;
        if (is_tool && !was_tool) {
            first_result = i;
        } else if (was_tool && !is_tool) {
            err = write_result_images(encoding, messages, first_result, i);
        }
        if (err != GW_OK) {
            return err;
        }
        if (message == NULL) {
            break;
        }
        if (was_tool && encoding->quirks->is_mistral && gw_chat_role(message) == GW_ROLE_USER) {
            separate(encoding);
        }
        text(encoding, i > 0 ? GW_STR(",") : GW_STR(""));
        err = write_message(encoding, message);
        if (err != GW_OK) {
            return err;
        }
        was_tool = is_tool;
    }
    text(encoding, GW_STR("]"));
    return encoding->out->err;
}
