/* SPDX-License-Identifier: MIT */
/* provider/anthropic_tools - "tools" and "tool_choice", and which of them the decoder must turn
 * back (anthropic.md section 2). */
#include <stdio.h>

#include "base/crc32.h"
#include "provider/anthropic_int.h"
#include "json/value.h"
#include "json/write.h"

#define NAME_BYTES 64 /* is safe; 128 are accepted as it seems */

/* ---- names and ids ---- */

static bool is_id_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte == '-';
}

static bool is_plain(struct gw_str id)
{
    for (size_t i = 0; i < id.len; i++) {
        if (!is_id_byte(id.ptr[i])) {
            return false;
        }
    }
    return id.len > 0;
}

/* At most |max| bytes: replaced ones, then a sum over what it was. */
static void append_replaced(struct gw_str id, size_t max, struct gw_buf *out)
{
    char sum[10];
    int len = snprintf(sum, sizeof(sum), "_%08x", (unsigned)gw_crc32(0, id));
    size_t most = max - (size_t)len;
    for (size_t i = 0; i < id.len && i < most; i++) {
        (void)gw_buf_append_byte(out, is_id_byte(id.ptr[i]) ? id.ptr[i] : '_');
    }
    (void)gw_buf_append(out, gw_str(sum, (size_t)len));
}

void gw_anthropic_append_id(struct gw_str id, struct gw_buf *out)
{
    if (is_plain(id)) {
        (void)gw_buf_append(out, id);
    } else {
        append_replaced(id, 256, out); /* vendors' own ids have some 50 bytes */
    }
}

bool gw_anthropic_is_name(struct gw_str name)
{
    return is_plain(name) && name.len <= NAME_BYTES;
}

void gw_anthropic_append_name(struct gw_str name, struct gw_buf *out)
{
    if (gw_anthropic_is_name(name)) {
        (void)gw_buf_append(out, name);
    } else {
        append_replaced(name, NAME_BYTES, out);
    }
}

static void write_name(struct gw_str name, struct gw_buf *out)
{
    gw_json_write_key(GW_STR("name"), out);
    (void)gw_buf_append_byte(out, '"');
    gw_anthropic_append_name(name, out);
    (void)gw_buf_append_byte(out, '"');
}

/* ---- what the decoder must know ---- */

static bool is_custom(yyjson_val *tool)
{
    return gw_json_is(gw_json_get(tool, "type"), GW_STR("custom"));
}

static struct gw_str tool_name(yyjson_val *tool)
{
    return gw_json_get_text(gw_json_get(tool, is_custom(tool) ? "custom" : "function"), "name");
}

static enum gw_err remember_tool(struct gw_anthropic_encoding *e, yyjson_val *tool,
                                 struct gw_anthropic_memory *memory)
{
    struct gw_str name = tool_name(tool);
    if (name.len == 0 || (!is_custom(tool) && gw_anthropic_is_name(name))) {
        return GW_OK;
    }
    struct gw_buf sent;
    gw_buf_init(&sent, NAME_BYTES);
    gw_anthropic_append_name(name, &sent);
    struct gw_anthropic_tool *entry = &memory->tools[memory->tool_count++];
    *entry = (struct gw_anthropic_tool){.name = gw_arena_try_dup(e->in->arena, name),
                                        .sent = gw_arena_try_dup(e->in->arena, gw_buf_str(&sent)),
                                        .is_custom = is_custom(tool)};
    enum gw_err err = sent.err;
    gw_buf_fini(&sent);
    return entry->name.ptr == NULL || entry->sent.ptr == NULL ? GW_ERR_NOMEM : err;
}

enum gw_err gw_anthropic_remember(struct gw_anthropic_encoding *e,
                                  struct gw_anthropic_memory **memory)
{
    yyjson_val *tools = gw_json_get(e->chat, "tools");
    size_t count = yyjson_is_arr(tools) ? yyjson_arr_size(tools) : 0;
    *memory = NULL;
    if (count == 0) {
        return GW_OK;
    }
    struct gw_anthropic_memory *made = gw_arena_try_alloc(e->in->arena, sizeof(*made));
    struct gw_anthropic_tool *list = gw_arena_try_alloc(e->in->arena, count * sizeof(*list));
    if (made == NULL || list == NULL) {
        return GW_ERR_NOMEM;
    }
    *made = (struct gw_anthropic_memory){.tools = list};
    yyjson_arr_iter iter = yyjson_arr_iter_with(tools);
    enum gw_err err = GW_OK;
    for (yyjson_val *tool = yyjson_arr_iter_next(&iter); tool != NULL && err == GW_OK;
         tool = yyjson_arr_iter_next(&iter)) {
        err = remember_tool(e, tool, made);
    }
    *memory = made->tool_count > 0 ? made : NULL;
    return err;
}

/* ---- tools ---- */

static void write_parameters(struct gw_anthropic_encoding *e, yyjson_val *function)
{
    yyjson_val *parameters = gw_json_get(function, "parameters");
    gw_json_write_key(GW_STR("input_schema"), e->out);
    if (!yyjson_is_obj(parameters)) {
        (void)gw_buf_append(e->out, GW_STR("{\"type\":\"object\",\"properties\":{}}"));
    } else if (gw_json_get_true(function, "strict") && e->model->has_schemas) {
        gw_anthropic_write_schema(e, parameters);
    } else if (gw_json_get(parameters, "type") == NULL) {
        (void)gw_buf_append(e->out, GW_STR("{\"type\":\"object\""));
        struct gw_buf rest;
        gw_buf_init(&rest, e->out->max_bytes);
        gw_json_write(parameters, &rest);
        if (rest.len > 2) {
            (void)gw_buf_append_byte(e->out, ',');
            (void)gw_buf_append(e->out, gw_str_skip(gw_buf_str(&rest), 1));
        } else {
            (void)gw_buf_append_byte(e->out, '}');
        }
        e->out->err = e->out->err != GW_OK ? e->out->err : rest.err;
        gw_buf_fini(&rest);
    } else {
        gw_json_write(parameters, e->out);
    }
}

static void write_function(struct gw_anthropic_encoding *e, yyjson_val *function)
{
    write_name(gw_json_get_text(function, "name"), e->out);
    gw_json_write_optional(GW_STR("description"), gw_json_get_text(function, "description"),
                           e->out);
    write_parameters(e, function);
    if (gw_json_get_true(function, "strict")) {
        if (e->model->has_schemas) {
            gw_json_write_raw(GW_STR("strict"), GW_STR("true"), e->out);
        } else {
            gw_notes_add(e->notes, GW_NOTE_DROPPED, GW_STR("tools[].function.strict"),
                         GW_STR("this model has no strict tools"));
        }
    }
}

/* Free text becomes an object with one text; the decoder takes it out again. */
static void write_custom(struct gw_anthropic_encoding *e, yyjson_val *custom)
{
    yyjson_val *grammar = gw_json_get(gw_json_get(custom, "format"), "grammar");
    struct gw_str definition =
        gw_json_get_text(grammar != NULL ? grammar : gw_json_get(custom, "format"), "definition");
    write_name(gw_json_get_text(custom, "name"), e->out);
    gw_json_write_optional(GW_STR("description"), gw_json_get_text(custom, "description"), e->out);
    gw_json_write_raw(GW_STR("input_schema"),
                      GW_STR("{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\""),
                      e->out);
    if (definition.len > 0) {
        gw_json_write_key(GW_STR("description"), e->out);
        (void)gw_buf_append(e->out, GW_STR("\"Text of this grammar:\\n"));
        (void)gw_buf_append_json(e->out, definition);
        (void)gw_buf_append_byte(e->out, '"');
        gw_notes_add(e->notes, GW_NOTE_CHANGED, GW_STR("tools[].custom.format"),
                     GW_STR("the grammar is told to the model but not enforced"));
    }
    (void)gw_buf_append(e->out, GW_STR("}},\"required\":[\"input\"]}"));
}

/* "web_search_20250305": the API's own tools carry a date, all but this one. */
static bool is_own_tool(struct gw_str type)
{
    if (gw_str_eq(type, GW_STR("mcp_toolset"))) {
        return true;
    }
    size_t digits = 0;
    while (digits < type.len && type.ptr[type.len - 1 - digits] >= '0' &&
           type.ptr[type.len - 1 - digits] <= '9') {
        digits++;
    }
    return digits == 8 && type.len > 9 && type.ptr[type.len - 9] == '_';
}

/* Is the tool among those of an allowed_tools choice? Without such a choice all are. */
static bool is_allowed(struct gw_anthropic_encoding *e, yyjson_val *tool)
{
    yyjson_val *allowed = gw_json_get(gw_json_get(e->chat, "tool_choice"), "allowed_tools");
    if (allowed == NULL) {
        return true;
    }
    yyjson_arr_iter iter;
    yyjson_arr_iter_init(gw_json_get(allowed, "tools"), &iter);
    for (yyjson_val *entry = yyjson_arr_iter_next(&iter); entry != NULL;
         entry = yyjson_arr_iter_next(&iter)) {
        if (gw_str_eq(tool_name(entry), tool_name(tool))) {
            return true;
        }
    }
    return false;
}

static enum gw_err write_tool(struct gw_anthropic_encoding *e, yyjson_val *tool)
{
    struct gw_str type = gw_json_get_text(tool, "type");
    yyjson_val *function = gw_json_get(tool, "function");
    if (!is_custom(tool) && function == NULL && !is_own_tool(type)) {
        return gw_notes_refuse(e->notes, GW_STR("tools[].type"),
                               GW_STR("only functions, custom tools and Anthropic's own tools can "
                                      "be sent."));
    }
    if (!is_allowed(e, tool)) {
        return GW_OK;
    }
    gw_json_write_next(e->out);
    if (function == NULL && !is_custom(tool)) {
        gw_json_write(tool, e->out);
        return GW_OK;
    }
    (void)gw_buf_append_byte(e->out, '{');
    if (is_custom(tool)) {
        write_custom(e, gw_json_get(tool, "custom"));
    } else {
        write_function(e, function);
    }
    yyjson_val *cache = gw_json_get(tool, "cache_control");
    if (cache != NULL) {
        gw_json_write_key(GW_STR("cache_control"), e->out);
        gw_json_write(cache, e->out);
    }
    (void)gw_buf_append_byte(e->out, '}');
    return GW_OK;
}

/* ---- choice ---- */

struct choice {
    struct gw_str type; /* empty: not told */
    struct gw_str name;
};

static struct choice read_choice(yyjson_val *value)
{
    struct gw_str text = gw_json_text(value);
    if (yyjson_is_obj(value)) {
        yyjson_val *allowed = gw_json_get(value, "allowed_tools");
        struct gw_str name = tool_name(value);
        if (allowed == NULL && name.len > 0) {
            return (struct choice){.type = GW_STR("tool"), .name = name};
        }
        text = gw_json_get_text(allowed, "mode");
    }
    if (gw_str_eq(text, GW_STR("required")) || gw_str_eq(text, GW_STR("any"))) {
        return (struct choice){.type = GW_STR("any")};
    }
    if (gw_str_eq(text, GW_STR("none")) || gw_str_eq(text, GW_STR("auto"))) {
        return (struct choice){.type = text};
    }
    return (struct choice){.type = GW_STR("")};
}

static void weaken(struct gw_anthropic_encoding *e, struct choice *choice)
{
    bool is_forced =
        gw_str_eq(choice->type, GW_STR("any")) || gw_str_eq(choice->type, GW_STR("tool"));
    bool can_force = e->model->forcing == GW_ANTHROPIC_FORCES_ALWAYS ||
                     (e->model->forcing == GW_ANTHROPIC_FORCES_UNTHINKING && !e->is_thinking);
    if (is_forced && !can_force) {
        *choice = (struct choice){.type = GW_STR("auto")};
        gw_notes_add(e->notes, GW_NOTE_CHANGED, GW_STR("tool_choice"),
                     GW_STR("this model cannot be forced to call a tool while it thinks, so it "
                            "was left to choose"));
    }
}

static void write_choice(struct gw_anthropic_encoding *e)
{
    struct choice choice = read_choice(gw_json_get(e->chat, "tool_choice"));
    bool is_serial = yyjson_is_false(gw_json_get(e->chat, "parallel_tool_calls"));
    weaken(e, &choice);
    if (choice.type.len == 0 && !is_serial) {
        return;
    }
    choice.type = choice.type.len == 0 ? GW_STR("auto") : choice.type;
    gw_json_write_raw(GW_STR("tool_choice"), GW_STR("{"), e->out);
    gw_json_write_member(GW_STR("type"), choice.type, e->out);
    if (choice.name.len > 0) {
        write_name(choice.name, e->out);
    }
    if (is_serial && !gw_str_eq(choice.type, GW_STR("none"))) {
        gw_json_write_raw(GW_STR("disable_parallel_tool_use"), GW_STR("true"), e->out);
    }
    (void)gw_buf_append_byte(e->out, '}');
}

enum gw_err gw_anthropic_write_tools(struct gw_anthropic_encoding *e)
{
    yyjson_val *tools = gw_json_get(e->chat, "tools");
    if (!yyjson_is_arr(tools) || yyjson_arr_size(tools) == 0) {
        return GW_OK;
    }
    size_t before = e->out->len;
    gw_json_write_raw(GW_STR("tools"), GW_STR("["), e->out);
    size_t empty = e->out->len;
    yyjson_arr_iter iter = yyjson_arr_iter_with(tools);
    for (yyjson_val *tool = yyjson_arr_iter_next(&iter); tool != NULL;
         tool = yyjson_arr_iter_next(&iter)) {
        enum gw_err err = write_tool(e, tool);
        if (err != GW_OK) {
            return err;
        }
    }
    if (e->out->err == GW_OK && e->out->len == empty) {
        e->out->len = before; /* all were dropped */
        return GW_OK;
    }
    (void)gw_buf_append_byte(e->out, ']');
    write_choice(e);
    return GW_OK;
}
