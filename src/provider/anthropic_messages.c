/* SPDX-License-Identifier: MIT */
/*
 * provider/anthropic_messages - the conversation as "system" and "messages" (anthropic.md section
 * 2).
 *
 * Messages become turns of two sides; neighbours of one side are one turn, whose content is always
 * a list of blocks. A turn is opened by its first block and a block is closed by the next one, so
 * that empty messages leave nothing behind and a message's cache_control goes on its last block.
 */
#include "provider/anthropic_int.h"
#include "json/scan.h"
#include "json/value.h"
#include "json/write.h"

#define SCHEMA_HINT                                                                                \
    "Answer with one JSON object and nothing else, without a code fence. It must follow this "     \
    "JSON "                                                                                        \
    "schema:\n"
#define JSON_HINT "Answer with one valid JSON object and nothing else, without a code fence."

enum side {
    SIDE_NONE,
    SIDE_USER,
    SIDE_ASSISTANT,
    SIDE_SYSTEM,
};

struct walk {
    struct gw_anthropic_encoding *e;
    enum side open;
    bool is_block_open;
    bool is_cached; /* the open block has its cache_control */
    bool can_cache; /* the open block may have one */
};

/* ---- blocks ---- */

static void write_cache(struct walk *walk, yyjson_val *owner)
{
    yyjson_val *cache = gw_json_get(owner, "cache_control");
    if (cache != NULL && walk->is_block_open && walk->can_cache && !walk->is_cached) {
        gw_json_write_key(GW_STR("cache_control"), walk->e->out);
        gw_json_write(cache, walk->e->out);
        walk->is_cached = true;
    }
}

static void close_block(struct walk *walk)
{
    if (walk->is_block_open) {
        (void)gw_buf_append_byte(walk->e->out, '}');
        walk->is_block_open = false;
    }
}

static void close_turn(struct walk *walk)
{
    close_block(walk);
    if (walk->open != SIDE_NONE) {
        (void)gw_buf_append(walk->e->out, GW_STR("]}"));
        walk->open = SIDE_NONE;
    }
}

/* Begins a block; the caller writes its object without the last brace. */
static struct gw_buf *begin_block(struct walk *walk, enum side side)
{
    static const struct gw_str heads[] = {
        [SIDE_USER] = GW_STR_INIT("{\"role\":\"user\",\"content\":["),
        [SIDE_ASSISTANT] = GW_STR_INIT("{\"role\":\"assistant\",\"content\":["),
        [SIDE_SYSTEM] = GW_STR_INIT("{\"role\":\"system\",\"content\":["),
    };
    if (walk->open != side) {
        close_turn(walk);
        gw_json_write_next(walk->e->out);
        (void)gw_buf_append(walk->e->out, heads[side]);
        walk->open = side;
    }
    close_block(walk);
    gw_json_write_next(walk->e->out);
    walk->is_block_open = true;
    walk->is_cached = false;
    walk->can_cache = true;
    return walk->e->out;
}

static void open_text(struct gw_str text, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("{\"type\":\"text\""));
    gw_json_write_member(GW_STR("text"), text, out);
}

/* One part of a message; nothing for an empty text, which the API refuses. */
static enum gw_err write_part(struct walk *walk, enum side side, const struct gw_chat_part *part)
{
    struct gw_str refusal = gw_json_get_text(part->value, "refusal"); /* the assistant's own */
    struct gw_str text = part->text.ptr != NULL ? part->text : refusal;
    if (text.ptr != NULL) {
        if (text.len > 0) {
            open_text(text, begin_block(walk, side));
            write_cache(walk, part->value);
        }
        return GW_OK;
    }
    enum gw_anthropic_media media = GW_ANTHROPIC_MEDIA_NONE;
    enum gw_err err = gw_anthropic_check_media(walk->e, part, &media);
    if (err == GW_OK && media != GW_ANTHROPIC_MEDIA_NONE) {
        (void)begin_block(walk, side);
        gw_anthropic_write_media(walk->e, part, media);
        write_cache(walk, part->value);
    }
    return err;
}

static enum gw_err write_content(struct walk *walk, enum side side, yyjson_val *message)
{
    struct gw_chat_parts parts = gw_chat_parts_of(gw_json_get(message, "content"));
    struct gw_chat_part part;
    enum gw_err err = GW_OK;
    while (err == GW_OK && gw_chat_parts_next(&parts, &part)) {
        err = write_part(walk, side, &part);
    }
    if (walk->open == side) {
        write_cache(walk, message);
    }
    return err;
}

/* ---- system ---- */

static bool is_system(yyjson_val *message)
{
    return gw_chat_role(message) == GW_ROLE_SYSTEM;
}

/* Are there other messages than system's? A call without messages is refused. */
static bool has_conversation(yyjson_val *messages)
{
    yyjson_arr_iter iter;
    yyjson_arr_iter_init(messages, &iter);
    for (yyjson_val *message = yyjson_arr_iter_next(&iter); message != NULL;
         message = yyjson_arr_iter_next(&iter)) {
        if (!is_system(message)) {
            return true;
        }
    }
    return false;
}

static void begin_system_block(struct walk *walk, bool *is_open)
{
    if (!*is_open) {
        gw_json_write_raw(GW_STR("system"), GW_STR("["), walk->e->out);
        *is_open = true;
    }
    close_block(walk);
    gw_json_write_next(walk->e->out);
    walk->is_block_open = true;
    walk->is_cached = false;
    walk->can_cache = true;
}

static void write_system_message(struct walk *walk, yyjson_val *message, bool *is_open)
{
    struct gw_chat_parts parts = gw_chat_parts_of(gw_json_get(message, "content"));
    struct gw_chat_part part;
    bool has_block = false;
    while (gw_chat_parts_next(&parts, &part)) {
        if (part.text.len == 0) {
            continue;
        }
        begin_system_block(walk, is_open);
        open_text(part.text, walk->e->out);
        write_cache(walk, part.value);
        has_block = true;
    }
    if (has_block) {
        write_cache(walk, message);
    }
}

/* The answer's form in words, where the model cannot be told otherwise. */
static void write_format_hint(struct walk *walk, bool *is_open)
{
    yyjson_val *format = gw_json_get(walk->e->chat, "response_format");
    yyjson_val *schema = gw_json_get(gw_json_get(format, "json_schema"), "schema");
    struct gw_str type = gw_json_get_text(format, "type");
    struct gw_buf *out = walk->e->out;
    bool is_schema = gw_str_eq(type, GW_STR("json_schema")) && yyjson_is_obj(schema);
    if (is_schema ? walk->e->model->has_schemas : !gw_str_eq(type, GW_STR("json_object"))) {
        return;
    }
    begin_system_block(walk, is_open);
    if (is_schema) {
        struct gw_buf text;
        gw_buf_init(&text, out->max_bytes);
        (void)gw_buf_append(&text, GW_STR(SCHEMA_HINT));
        gw_json_write(schema, &text);
        open_text(gw_buf_str(&text), out);
        out->err = out->err != GW_OK ? out->err : text.err;
        gw_buf_fini(&text);
    } else {
        open_text(GW_STR(JSON_HINT), out);
    }
    gw_notes_add(walk->e->notes, GW_NOTE_CHANGED, GW_STR("response_format"),
                 GW_STR("the model is told to answer so but not forced"));
}

void gw_anthropic_write_system(struct gw_anthropic_encoding *e)
{
    struct walk walk = {.e = e};
    yyjson_val *messages = gw_json_get(e->chat, "messages");
    bool is_open = false;
    yyjson_arr_iter iter;
    yyjson_arr_iter_init(messages, &iter);
    yyjson_val *message = has_conversation(messages) ? yyjson_arr_iter_next(&iter) : NULL;
    for (; message != NULL && is_system(message); message = yyjson_arr_iter_next(&iter)) {
        write_system_message(&walk, message, &is_open);
    }
    write_format_hint(&walk, &is_open);
    close_block(&walk);
    if (is_open) {
        (void)gw_buf_append_byte(e->out, ']');
    }
}

/* A system message behind the first turn: in its place where the model takes it there, else as the
 * user's, which keeps the bytes before it as they were. */
static enum gw_err write_late_system(struct walk *walk, yyjson_val *message, yyjson_val *next)
{
    bool fits = walk->e->model->takes_system_messages && walk->open == SIDE_USER &&
                (next == NULL || gw_chat_role(next) == GW_ROLE_ASSISTANT);
    if (fits) {
        return write_content(walk, SIDE_SYSTEM, message);
    }
    gw_notes_add(walk->e->notes, GW_NOTE_CHANGED, GW_STR("messages[].role"),
                 GW_STR("a system message in the conversation was sent as the user's"));
    return write_content(walk, SIDE_USER, message);
}

/* ---- the assistant ---- */

/* Only blocks with a signature can be read again; ours of other vendors' reasoning have none. */
static void write_thinking(struct walk *walk, yyjson_val *message)
{
    yyjson_arr_iter iter;
    yyjson_arr_iter_init(gw_json_get(message, "thinking_blocks"), &iter);
    for (yyjson_val *block = yyjson_arr_iter_next(&iter); block != NULL;
         block = yyjson_arr_iter_next(&iter)) {
        bool is_thinking = gw_json_is(gw_json_get(block, "type"), GW_STR("thinking"));
        struct gw_str proof = gw_json_get_text(block, is_thinking ? "signature" : "data");
        if (proof.len == 0) {
            continue;
        }
        struct gw_buf *out = begin_block(walk, SIDE_ASSISTANT);
        size_t before = out->len;
        gw_json_write(block, out);
        if (out->err == GW_OK && out->len > before) {
            out->len--; /* its last brace: see close_block() */
        }
        walk->can_cache = false;
    }
}

/* Arguments that are no object are kept as the API's own pages advise. */
static void write_input(struct gw_str arguments, struct gw_buf *out)
{
    enum gw_json_type type = GW_JSON_NULL;
    arguments = gw_str_trim(arguments);
    gw_json_write_key(GW_STR("input"), out);
    if (arguments.len == 0) {
        (void)gw_buf_append(out, GW_STR("{}"));
    } else if (gw_json_scan(arguments, NULL, NULL, &type, NULL) == GW_OK &&
               type == GW_JSON_OBJECT) {
        (void)gw_buf_append(out, arguments);
    } else {
        (void)gw_buf_append_byte(out, '{');
        gw_json_write_member(GW_STR("INVALID_JSON"), arguments, out);
        (void)gw_buf_append_byte(out, '}');
    }
}

/* Calls of clients from before tools have no id: one made of the name joins call and result. */
static void write_id(struct gw_str key, struct gw_str id, struct gw_str name, struct gw_buf *out)
{
    gw_json_write_key(key, out);
    (void)gw_buf_append_byte(out, '"');
    if (id.len > 0) {
        gw_anthropic_append_id(id, out);
    } else {
        (void)gw_buf_append(out, GW_STR("call_"));
        gw_anthropic_append_name(name.len > 0 ? name : GW_STR("tool"), out);
    }
    (void)gw_buf_append_byte(out, '"');
}

static void write_call(struct walk *walk, struct gw_str id, yyjson_val *function,
                       yyjson_val *custom)
{
    struct gw_buf *out = begin_block(walk, SIDE_ASSISTANT);
    struct gw_str name = gw_json_get_text(custom != NULL ? custom : function, "name");
    (void)gw_buf_append(out, GW_STR("{\"type\":\"tool_use\""));
    write_id(GW_STR("id"), id, name, out);
    gw_json_write_key(GW_STR("name"), out);
    (void)gw_buf_append_byte(out, '"');
    gw_anthropic_append_name(name, out);
    (void)gw_buf_append_byte(out, '"');
    if (custom != NULL) {
        gw_json_write_raw(GW_STR("input"), GW_STR("{"), out);
        gw_json_write_member(GW_STR("input"), gw_json_get_text(custom, "input"), out);
        (void)gw_buf_append_byte(out, '}');
    } else {
        write_input(gw_json_get_text(function, "arguments"), out);
    }
}

static enum gw_err write_assistant(struct walk *walk, yyjson_val *message)
{
    yyjson_val *refusal = gw_json_get(message, "refusal");
    yyjson_val *legacy = gw_json_get(message, "function_call");
    write_thinking(walk, message);
    enum gw_err err = write_content(walk, SIDE_ASSISTANT, message);
    if (gw_json_text(refusal).len > 0) {
        open_text(gw_json_text(refusal), begin_block(walk, SIDE_ASSISTANT));
    }
    yyjson_arr_iter iter;
    yyjson_arr_iter_init(gw_json_get(message, "tool_calls"), &iter);
    for (yyjson_val *call = yyjson_arr_iter_next(&iter); call != NULL;
         call = yyjson_arr_iter_next(&iter)) {
        write_call(walk, gw_json_get_text(call, "id"), gw_json_get(call, "function"),
                   gw_json_get(call, "custom"));
        write_cache(walk, call);
    }
    if (yyjson_is_obj(legacy)) {
        write_call(walk, gw_str(NULL, 0), legacy, NULL);
    }
    return err;
}

/* The API refuses blanks at the end of the text that the model is to go on with. */
static void write_prefill(struct walk *walk, yyjson_val *message)
{
    struct gw_str text = gw_json_text(gw_json_get(message, "content"));
    while (text.len > 0 && gw_str_trim(gw_str(text.ptr + text.len - 1, 1)).len == 0) {
        text.len--;
    }
    if (text.len > 0) {
        open_text(text, begin_block(walk, SIDE_ASSISTANT));
        write_cache(walk, message);
    }
}

static bool is_prefill(yyjson_val *message, yyjson_val *next)
{
    return next == NULL && yyjson_is_str(gw_json_get(message, "content")) &&
           gw_json_get(message, "tool_calls") == NULL &&
           gw_json_get(message, "thinking_blocks") == NULL;
}

/* ---- results of tools ---- */

static enum gw_err write_result_part(struct gw_anthropic_encoding *e,
                                     const struct gw_chat_part *part)
{
    enum gw_anthropic_media media = GW_ANTHROPIC_MEDIA_NONE;
    struct walk inner = {.e = e, .is_block_open = true, .can_cache = true};
    if (part->text.ptr != NULL) {
        if (part->text.len == 0) {
            return GW_OK;
        }
        gw_json_write_next(e->out);
        open_text(part->text, e->out);
    } else {
        enum gw_err err = gw_anthropic_check_media(e, part, &media);
        if (err != GW_OK || media == GW_ANTHROPIC_MEDIA_NONE) {
            return err;
        }
        gw_json_write_next(e->out);
        gw_anthropic_write_media(e, part, media);
    }
    write_cache(&inner, part->value);
    close_block(&inner);
    return GW_OK;
}

static enum gw_err write_result(struct walk *walk, yyjson_val *message)
{
    struct gw_buf *out = begin_block(walk, SIDE_USER);
    struct gw_chat_parts parts = gw_chat_parts_of(gw_json_get(message, "content"));
    struct gw_chat_part part;
    enum gw_err err = GW_OK;
    (void)gw_buf_append(out, GW_STR("{\"type\":\"tool_result\""));
    write_id(GW_STR("tool_use_id"), gw_json_get_text(message, "tool_call_id"),
             gw_json_get_text(message, "name"), out);
    gw_json_write_raw(GW_STR("content"), GW_STR("["), out);
    while (err == GW_OK && gw_chat_parts_next(&parts, &part)) {
        err = write_result_part(walk->e, &part);
    }
    (void)gw_buf_append_byte(out, ']');
    if (gw_json_get_true(message, "is_error")) {
        gw_json_write_raw(GW_STR("is_error"), GW_STR("true"), out);
    }
    write_cache(walk, message);
    return err;
}

/* ---- the conversation ---- */

static enum gw_err write_message(struct walk *walk, yyjson_val *message, yyjson_val *next)
{
    switch (gw_chat_role(message)) {
    case GW_ROLE_SYSTEM:
        return write_late_system(walk, message, next);
    case GW_ROLE_USER:
        return write_content(walk, SIDE_USER, message);
    case GW_ROLE_ASSISTANT:
        if (is_prefill(message, next)) {
            write_prefill(walk, message);
            return GW_OK;
        }
        return write_assistant(walk, message);
    case GW_ROLE_TOOL:
        return write_result(walk, message);
    case GW_ROLE_OTHER:
        break;
    }
    return gw_notes_invalid(walk->e->notes, GW_STR("messages[].role"),
                            GW_STR("A message's role must be system, developer, user, assistant "
                                   "or tool."));
}

enum gw_err gw_anthropic_write_messages(struct gw_anthropic_encoding *e)
{
    struct walk walk = {.e = e};
    yyjson_val *messages = gw_json_get(e->chat, "messages");
    bool is_leading = has_conversation(messages); /* else system's are all there is */
    enum gw_err err = GW_OK;
    yyjson_arr_iter iter;
    yyjson_arr_iter_init(messages, &iter);
    gw_json_write_raw(GW_STR("messages"), GW_STR("["), e->out);
    yyjson_val *message = yyjson_arr_iter_next(&iter);
    while (message != NULL && err == GW_OK) {
        yyjson_val *next = yyjson_arr_iter_next(&iter);
        is_leading = is_leading && is_system(message);
        if (!is_leading) {
            err = write_message(&walk, message, next);
        }
        message = next;
    }
    close_turn(&walk);
    (void)gw_buf_append_byte(e->out, ']');
    return err;
}
