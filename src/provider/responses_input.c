/* SPDX-License-Identifier: MIT */
/*
 * provider/responses_input - messages to items, in order. Reasoning items of earlier turns stand
 * directly before what they led to: OpenAI refuses them elsewhere.
 */
#include "llm/chat.h"
#include "provider/responses_int.h"

#include "json/write.h"

#define CALL_ID_MAX   64 /* OpenAI's */
#define CALL_ID_BYTES 55 /* of one that is cut: "_" and 8 digits follow */

/* Ids of other vendors may be longer than OpenAI takes; the same one is always cut the same way. */
static void write_call_id(struct gw_str id, struct gw_buf *out)
{
    gw_json_write_key(GW_STR("call_id"), out);
    if (id.len <= CALL_ID_MAX) {
        gw_json_write_text(id, out);
        return;
    }
    uint32_t sum = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < id.len; i++) {
        sum = (sum ^ (unsigned char)id.ptr[i]) * 16777619u;
    }
    (void)gw_buf_append_byte(out, '"');
    (void)gw_buf_append_json(out, gw_str(id.ptr, CALL_ID_BYTES));
    (void)gw_buf_appendf(out, "_%08x\"", (unsigned)sum);
}

/* ---- content ---- */

static void write_image(yyjson_val *part, struct gw_buf *out)
{
    yyjson_val *image = gw_json_get(part, "image_url");
    (void)gw_buf_append(out, GW_STR("{\"type\":\"input_image\""));
    gw_json_write_member(GW_STR("image_url"), gw_chat_image_url(part), out);
    gw_json_write_optional(GW_STR("detail"), gw_json_get_text(image, "detail"), out);
    (void)gw_buf_append_byte(out, '}');
}

static void write_file(yyjson_val *part, struct gw_buf *out)
{
    static const char *const members[] = {"file_id", "filename", "file_data", "file_url"};
    yyjson_val *file = gw_json_get(part, "file");
    (void)gw_buf_append(out, GW_STR("{\"type\":\"input_file\""));
    for (size_t i = 0; i < GW_ARRAY_LEN(members); i++) {
        gw_json_write_optional(gw_str_from_c(members[i]), gw_json_get_text(file, members[i]), out);
    }
    (void)gw_buf_append_byte(out, '}');
}

static enum gw_err write_part(struct gw_responses_encoding *encoding,
                              const struct gw_chat_part *part)
{
    struct gw_buf *out = encoding->out;
    if (part->text.ptr != NULL) {
        gw_json_write_next(out);
        (void)gw_buf_append(out, GW_STR("{\"type\":\"input_text\""));
        gw_json_write_member(GW_STR("text"), part->text, out);
        (void)gw_buf_append_byte(out, '}');
        return GW_OK;
    }
    if (gw_str_eq(part->type, GW_STR("image_url"))) {
        gw_json_write_next(out);
        write_image(part->value, out);
        return GW_OK;
    }
    if (gw_str_eq(part->type, GW_STR("file"))) {
        gw_json_write_next(out);
        write_file(part->value, out);
        return GW_OK;
    }
    return gw_notes_refuse(
        encoding->notes,
        gw_arena_printf(encoding->in->arena, "messages[].content[].type=" GW_STR_FMT,
                        GW_STR_ARG(part->type.len <= 64 ? part->type : GW_STR("?"))),
        GW_STR("OpenAI's Responses API takes text, images and files only."));
}

/* A text stays a text. */
static enum gw_err write_content(struct gw_responses_encoding *encoding, yyjson_val *content)
{
    struct gw_buf *out = encoding->out;
    struct gw_chat_parts parts = gw_chat_parts_of(content);
    struct gw_chat_part part;
    enum gw_err err = GW_OK;
    if (!yyjson_is_arr(content)) {
        gw_json_write_text(gw_json_text(content), out);
        return GW_OK;
    }
    (void)gw_buf_append_byte(out, '[');
    while (err == GW_OK && gw_chat_parts_next(&parts, &part)) {
        err = write_part(encoding, &part);
    }
    (void)gw_buf_append_byte(out, ']');
    return err;
}

static enum gw_err write_message(struct gw_responses_encoding *encoding, struct gw_str role,
                                 yyjson_val *content)
{
    struct gw_buf *out = encoding->out;
    gw_json_write_next(out);
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_member(GW_STR("role"), role, out);
    gw_json_write_key(GW_STR("content"), out);
    enum gw_err err = write_content(encoding, content);
    (void)gw_buf_append_byte(out, '}');
    return err;
}

/* ---- the assistant ---- */

static void write_reasoning(struct gw_responses_encoding *encoding, yyjson_val *message)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *item = NULL;
    yyjson_arr_foreach(gw_json_get(message, "reasoning_items"), index, max, item)
    {
        if (gw_json_is(gw_json_get(item, "type"), GW_STR("reasoning"))) {
            gw_json_write_next(encoding->out);
            gw_json_write(item, encoding->out);
        }
    }
    if (gw_json_get(message, "thinking_blocks") != NULL) {
        gw_notes_add(encoding->notes, GW_NOTE_MAPPED, GW_STR("messages[].thinking_blocks"),
                     GW_STR("left out: only their own vendor can read them."));
    }
}

/* Texts and refusals of the content, and the refusal beside it, are one message. */
static void write_said(struct gw_responses_encoding *encoding, yyjson_val *message)
{
    struct gw_buf *out = encoding->out;
    struct gw_chat_parts parts = gw_chat_parts_of(gw_json_get(message, "content"));
    struct gw_chat_part part;
    size_t before = out->len;
    bool has_any = false;
    gw_json_write_next(out);
    (void)gw_buf_append(out, GW_STR("{\"role\":\"assistant\",\"content\":["));
    while (gw_chat_parts_next(&parts, &part)) {
        struct gw_str refusal = gw_json_get_text(part.value, "refusal");
        if (part.text.len == 0 && refusal.ptr == NULL) {
            continue;
        }
        gw_json_write_next(out);
        (void)gw_buf_append(out, refusal.ptr != NULL ? GW_STR("{\"type\":\"refusal\"")
                                                     : GW_STR("{\"type\":\"output_text\""));
        gw_json_write_member(refusal.ptr != NULL ? GW_STR("refusal") : GW_STR("text"),
                             refusal.ptr != NULL ? refusal : part.text, out);
        (void)gw_buf_append_byte(out, '}');
        has_any = true;
    }
    struct gw_str refusal = gw_json_get_text(message, "refusal");
    if (refusal.len > 0) {
        gw_json_write_next(out);
        (void)gw_buf_append(out, GW_STR("{\"type\":\"refusal\""));
        gw_json_write_member(GW_STR("refusal"), refusal, out);
        (void)gw_buf_append_byte(out, '}');
        has_any = true;
    }
    (void)gw_buf_append(out, GW_STR("]}"));
    out->len = has_any || out->err != GW_OK ? out->len : before;
}

static void write_calls(struct gw_responses_encoding *encoding, yyjson_val *calls)
{
    struct gw_buf *out = encoding->out;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *call = NULL;
    yyjson_arr_foreach(calls, index, max, call)
    {
        yyjson_val *custom = gw_json_get(call, "custom");
        yyjson_val *function = custom != NULL ? custom : gw_json_get(call, "function");
        gw_json_write_next(out);
        (void)gw_buf_append(out, custom != NULL ? GW_STR("{\"type\":\"custom_tool_call\"")
                                                : GW_STR("{\"type\":\"function_call\""));
        write_call_id(gw_json_get_text(call, "id"), out);
        gw_json_write_member(GW_STR("name"), gw_json_get_text(function, "name"), out);
        struct gw_str text = gw_json_get_text(function, custom != NULL ? "input" : "arguments");
        gw_json_write_member(custom != NULL ? GW_STR("input") : GW_STR("arguments"),
                             text.len == 0 && custom == NULL ? GW_STR("{}") : text, out);
        (void)gw_buf_append_byte(out, '}');
    }
}

/* ---- results ---- */

static bool is_custom_call(yyjson_val *calls, struct gw_str id)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *call = NULL;
    yyjson_arr_foreach(calls, index, max, call)
    {
        if (gw_json_is(gw_json_get(call, "id"), id)) {
            return gw_json_get(call, "custom") != NULL;
        }
    }
    return false;
}

/* Responses has no flag for a failure: the text says it. */
static enum gw_err write_output(struct gw_responses_encoding *encoding, yyjson_val *message)
{
    yyjson_val *content = gw_json_get(message, "content");
    struct gw_buf *out = encoding->out;
    if (!gw_json_get_true(message, "is_error")) {
        return write_content(encoding, content);
    }
    if (yyjson_is_arr(content)) {
        size_t at = out->len;
        enum gw_err err = write_content(encoding, content);
        struct gw_str mark = GW_STR("[{\"type\":\"input_text\",\"text\":\"Error:\"},");
        struct gw_str parts =
            gw_arena_try_dup(encoding->in->arena, gw_str_skip(gw_buf_str(out), at + 1));
        if (parts.ptr == NULL || out->err != GW_OK) {
            return out->err != GW_OK ? out->err : GW_ERR_NOMEM;
        }
        out->len = at;
        (void)gw_buf_append(out, parts.len > 1 ? mark : gw_str(mark.ptr, mark.len - 1));
        (void)gw_buf_append(out, parts);
        return err;
    }
    (void)gw_buf_append(out, GW_STR("\"Error: "));
    (void)gw_buf_append_json(out, gw_json_text(content));
    (void)gw_buf_append_byte(out, '"');
    return GW_OK;
}

static enum gw_err write_result(struct gw_responses_encoding *encoding, yyjson_val *message,
                                yyjson_val *calls)
{
    struct gw_buf *out = encoding->out;
    struct gw_str id = gw_json_get_text(message, "tool_call_id");
    gw_json_write_next(out);
    (void)gw_buf_append(out, is_custom_call(calls, id)
                                 ? GW_STR("{\"type\":\"custom_tool_call_output\"")
                                 : GW_STR("{\"type\":\"function_call_output\""));
    write_call_id(id, out);
    gw_json_write_key(GW_STR("output"), out);
    enum gw_err err = write_output(encoding, message);
    (void)gw_buf_append_byte(out, '}');
    return err;
}

/* ---- the walk ---- */

enum gw_err gw_responses_encode_input(struct gw_responses_encoding *encoding)
{
    yyjson_val *calls = NULL; /* of the last turn of the assistant */
    enum gw_err err = GW_OK;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *message = NULL;
    yyjson_arr_foreach(gw_json_get(encoding->chat, "messages"), index, max, message)
    {
        yyjson_val *content = gw_json_get(message, "content");
        if (err != GW_OK) {
            break;
        }
        switch (gw_chat_role(message)) {
        case GW_ROLE_SYSTEM:
            err = write_message(encoding, GW_STR("developer"), content);
            break;
        case GW_ROLE_USER:
        case GW_ROLE_OTHER:
            err = write_message(encoding, GW_STR("user"), content);
            break;
        case GW_ROLE_ASSISTANT:
            calls = gw_json_get(message, "tool_calls");
            write_reasoning(encoding, message);
            write_said(encoding, message);
            write_calls(encoding, calls);
            break;
        case GW_ROLE_TOOL:
            err = write_result(encoding, message, calls);
            break;
        }
    }
    return err;
}
