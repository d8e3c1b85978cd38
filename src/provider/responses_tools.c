/* SPDX-License-Identifier: MIT */
/* provider/responses_tools - tools flat, as Responses has them. */
#include "provider/responses_int.h"

#include "json/write.h"

static void write_members(yyjson_val *from, const char *const *members, size_t count,
                          struct gw_buf *out)
{
    for (size_t i = 0; i < count; i++) {
        yyjson_val *value = gw_json_get(from, members[i]);
        if (value != NULL) {
            gw_json_write_key(gw_str_from_c(members[i]), out);
            gw_json_write(value, out);
        }
    }
}

/* Without "strict" Responses would make the schema strict; chat completions do not. */
static void write_function(yyjson_val *tool, struct gw_buf *out)
{
    static const char *const members[] = {"name", "description"};
    yyjson_val *function = gw_json_get(tool, "function");
    yyjson_val *parameters = gw_json_get(function, "parameters");
    (void)gw_buf_append(out, GW_STR("{\"type\":\"function\""));
    write_members(function, members, GW_ARRAY_LEN(members), out);
    gw_json_write_key(GW_STR("parameters"), out);
    if (parameters != NULL) {
        gw_json_write(parameters, out);
    } else {
        (void)gw_buf_append(out, GW_STR("{\"type\":\"object\",\"properties\":{}}"));
    }
    gw_json_write_raw(GW_STR("strict"),
                      gw_json_get_true(function, "strict") ? GW_STR("true") : GW_STR("false"), out);
    (void)gw_buf_append_byte(out, '}');
}

static void write_custom(yyjson_val *tool, struct gw_buf *out)
{
    static const char *const members[] = {"name", "description"};
    static const char *const rules[] = {"syntax", "definition"};
    yyjson_val *custom = gw_json_get(tool, "custom");
    yyjson_val *format = gw_json_get(custom, "format");
    yyjson_val *grammar = gw_json_get(format, "grammar");
    (void)gw_buf_append(out, GW_STR("{\"type\":\"custom\""));
    write_members(custom, members, GW_ARRAY_LEN(members), out);
    if (grammar != NULL) {
        (void)gw_buf_append(out, GW_STR(",\"format\":{\"type\":\"grammar\""));
        write_members(grammar, rules, GW_ARRAY_LEN(rules), out);
        (void)gw_buf_append_byte(out, '}');
    } else if (format != NULL) {
        gw_json_write_key(GW_STR("format"), out);
        gw_json_write(format, out);
    }
    (void)gw_buf_append_byte(out, '}');
}

/* Another type is a tool that its vendor runs: OpenAI's own, where the client speaks OpenAI's
 * dialect; else another vendor's. */
static bool write_tool(struct gw_responses_encoding *encoding, yyjson_val *tool)
{
    struct gw_str type = gw_json_get_text(tool, "type");
    if (gw_str_eq(type, GW_STR("function")) || gw_str_eq(type, GW_STR("custom"))) {
        gw_json_write_next(encoding->out);
        if (gw_str_eq(type, GW_STR("custom"))) {
            write_custom(tool, encoding->out);
        } else {
            write_function(tool, encoding->out);
        }
        return true;
    }
    if (encoding->in->request->dialect == GW_DIALECT_OPENAI) {
        gw_json_write_next(encoding->out);
        gw_json_write(tool, encoding->out);
        return true;
    }
    gw_notes_add(encoding->notes, GW_NOTE_DROPPED, GW_STR("tools[]"),
                 GW_STR("OpenAI has no such tool of its own."));
    return false;
}

static bool write_list(struct gw_responses_encoding *encoding)
{
    struct gw_buf *out = encoding->out;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *tool = NULL;
    bool has_any = false;
    size_t before = out->len;
    gw_json_write_key(GW_STR("tools"), out);
    (void)gw_buf_append_byte(out, '[');
    yyjson_arr_foreach(gw_json_get(encoding->chat, "tools"), index, max, tool)
    {
        has_any = write_tool(encoding, tool) || has_any;
    }
    (void)gw_buf_append_byte(out, ']');
    out->len = has_any ? out->len : before;
    return has_any;
}

/* {"type":"function","function":{"name"}} becomes {"type":"function","name"}. */
static void write_named(yyjson_val *named, struct gw_buf *out)
{
    static const char *const members[] = {"name"};
    struct gw_str type = gw_json_get_text(named, "type");
    yyjson_val *inner =
        gw_json_get(named, gw_str_eq(type, GW_STR("custom")) ? "custom" : "function");
    if (inner == NULL) {
        gw_json_write(named, out);
        return;
    }
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_member(GW_STR("type"), type, out);
    write_members(inner, members, GW_ARRAY_LEN(members), out);
    (void)gw_buf_append_byte(out, '}');
}

static void write_choice(yyjson_val *choice, struct gw_buf *out)
{
    yyjson_val *allowed = gw_json_get(choice, "allowed_tools");
    static const char *const members[] = {"mode"};
    size_t index = 0;
    size_t max = 0;
    yyjson_val *tool = NULL;
    gw_json_write_key(GW_STR("tool_choice"), out);
    if (yyjson_is_str(choice)) {
        gw_json_write(choice, out);
        return;
    }
    if (allowed == NULL) {
        write_named(choice, out);
        return;
    }
    (void)gw_buf_append(out, GW_STR("{\"type\":\"allowed_tools\""));
    write_members(allowed, members, GW_ARRAY_LEN(members), out);
    (void)gw_buf_append(out, GW_STR(",\"tools\":["));
    yyjson_arr_foreach(gw_json_get(allowed, "tools"), index, max, tool)
    {
        gw_json_write_next(out);
        write_named(tool, out);
    }
    (void)gw_buf_append(out, GW_STR("]}"));
}

void gw_responses_encode_tools(struct gw_responses_encoding *encoding)
{
    static const char *const members[] = {"parallel_tool_calls"};
    yyjson_val *choice = gw_json_get(encoding->chat, "tool_choice");
    if (!write_list(encoding)) { /* OpenAI refuses the others without tools */
        return;
    }
    if (choice != NULL) {
        write_choice(choice, encoding->out);
    }
    write_members(encoding->chat, members, GW_ARRAY_LEN(members), encoding->out);
}
