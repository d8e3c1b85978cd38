/* SPDX-License-Identifier: MIT */
/* provider/openai_encode_tools - tools and the choice among them. */
#include "provider/openai_encode.h"
#include "json/value.h"
#include "json/write.h"

static void note(struct gw_openai_encoding *encoding, enum gw_note_kind kind, struct gw_str param,
                 struct gw_str text)
{
    gw_notes_add(encoding->in->notes, kind, param, text);
}

/* ,"key":value when it is there. */
static void copy_member(struct gw_buf *out, yyjson_val *object, const char *key)
{
    yyjson_val *value = gw_json_get(object, key);
    if (value != NULL) {
        (void)gw_buf_append(out, GW_STR(",\""));
        (void)gw_buf_append(out, gw_str_from_c(key));
        (void)gw_buf_append(out, GW_STR("\":"));
        gw_json_write(value, out);
    }
}

/* ---- schemas ---- */

static void write_open(yyjson_val *schema, bool is_names, bool *is_changed, struct gw_buf *out);

/* Under these stand a client's own values, which may look like a schema. */
static bool holds_values(yyjson_val *key)
{
    return gw_json_is(key, GW_STR("default")) || gw_json_is(key, GW_STR("const")) ||
           gw_json_is(key, GW_STR("enum")) || gw_json_is(key, GW_STR("examples"));
}

static void write_open_list(yyjson_val *list, bool *is_changed, struct gw_buf *out)
{
    (void)gw_buf_append_byte(out, '[');
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    for (yyjson_val *item = yyjson_arr_iter_next(&iter); item != NULL;
         item = yyjson_arr_iter_next(&iter)) {
        gw_json_write_next(out);
        write_open(item, false, is_changed, out);
    }
    (void)gw_buf_append_byte(out, ']');
}

/* Under these, members are names of the client's choice. */
static bool holds_names(yyjson_val *key)
{
    return gw_json_is(key, GW_STR("properties")) || gw_json_is(key, GW_STR("patternProperties")) ||
           gw_json_is(key, GW_STR("$defs")) || gw_json_is(key, GW_STR("definitions"));
}

/* A schema without "additionalProperties":false at any depth; a request's depth is bounded. */
static void write_open(yyjson_val *schema, bool is_names, bool *is_changed, struct gw_buf *out)
{
    if (yyjson_is_arr(schema)) {
        write_open_list(schema, is_changed, out);
        return;
    }
    if (!yyjson_is_obj(schema)) {
        gw_json_write(schema, out);
        return;
    }
    (void)gw_buf_append_byte(out, '{');
    yyjson_obj_iter iter = yyjson_obj_iter_with(schema);
    for (yyjson_val *key = yyjson_obj_iter_next(&iter); key != NULL;
         key = yyjson_obj_iter_next(&iter)) {
        yyjson_val *value = yyjson_obj_iter_get_val(key);
        bool is_closing = gw_json_is(key, GW_STR("additionalProperties")) && !is_names;
        if (is_closing && yyjson_is_false(value)) {
            *is_changed = true;
            continue;
        }
        gw_json_write_next(out);
        gw_json_write(key, out);
        (void)gw_buf_append_byte(out, ':');
        if (!is_names && holds_values(key)) {
            gw_json_write(value, out);
        } else {
            write_open(value, !is_names && holds_names(key), is_changed, out);
        }
    }
    (void)gw_buf_append_byte(out, '}');
}

static void write_parameters(struct gw_openai_encoding *encoding, yyjson_val *function)
{
    yyjson_val *parameters = gw_json_get(function, "parameters");
    bool is_changed = false;
    if (!encoding->quirks->wants_open_schemas || parameters == NULL) {
        copy_member(encoding->out, function, "parameters");
        return;
    }
    (void)gw_buf_append(encoding->out, GW_STR(",\"parameters\":"));
    write_open(parameters, false, &is_changed, encoding->out);
    if (is_changed) {
        note(encoding, GW_NOTE_CHANGED, GW_STR("tools[].function.parameters"),
             GW_STR("additionalProperties:false was left out, which this provider does not take."));
    }
}

static void write_function(struct gw_openai_encoding *encoding, yyjson_val *function)
{
    struct gw_buf *out = encoding->out;
    (void)gw_buf_append(out, GW_STR("{\"type\":\"function\",\"function\":{\"name\":"));
    gw_json_write_text(gw_json_get_text(function, "name"), out);
    copy_member(out, function, "description");
    write_parameters(encoding, function);
    copy_member(out, function, "strict");
    (void)gw_buf_append(out, GW_STR("}}"));
}

/* A custom tool's free text becomes the one member of a function; the decoder takes it out again.
 */
static enum gw_err write_wrapped(struct gw_openai_encoding *encoding, yyjson_val *custom)
{
    struct gw_buf *out = encoding->out;
    struct gw_str name = gw_arena_try_dup(encoding->in->arena, gw_json_get_text(custom, "name"));
    if (name.ptr == NULL) {
        return GW_ERR_NOMEM;
    }
    encoding->custom_tools[encoding->custom_tool_count++] = name;
    (void)gw_buf_append(out, GW_STR("{\"type\":\"function\",\"function\":{\"name\":"));
    gw_json_write_text(name, out);
    copy_member(out, custom, "description");
    (void)gw_buf_append(out, GW_STR(",\"parameters\":{\"type\":\"object\",\"properties\":{"
                                    "\"input\":{\"type\":\"string\"}},\"required\":[\"input\"]"));
    (void)gw_buf_append(out, encoding->quirks->wants_open_schemas
                                 ? GW_STR("}}}")
                                 : GW_STR(",\"additionalProperties\":false}}}"));
    note(encoding, GW_NOTE_MAPPED, GW_STR("tools[].custom"),
         GW_STR("sent as a function with one text argument."));
    return GW_OK;
}

static void write_custom(struct gw_buf *out, yyjson_val *custom)
{
    (void)gw_buf_append(out, GW_STR("{\"type\":\"custom\",\"custom\":"));
    gw_json_write(custom, out);
    (void)gw_buf_append(out, GW_STR("}"));
}

static enum gw_err write_tool(struct gw_openai_encoding *encoding, yyjson_val *tool)
{
    struct gw_buf *out = encoding->out;
    yyjson_val *function = gw_json_get(tool, "function");
    yyjson_val *custom = gw_json_get(tool, "custom");
    if (function == NULL && custom == NULL) {
        note(encoding, GW_NOTE_DROPPED, GW_STR("tools[]"),
             GW_STR("a server-side tool of another vendor was not sent."));
        return GW_OK;
    }
    (void)gw_buf_append(out, encoding->has_tools ? GW_STR(",") : GW_STR(",\"tools\":["));
    encoding->has_tools = true;
    if (function != NULL) {
        write_function(encoding, function);
        return GW_OK;
    }
    if (encoding->quirks->has_custom_tools) {
        write_custom(out, custom);
        return GW_OK;
    }
    return write_wrapped(encoding, custom);
}

static enum gw_err write_tools(struct gw_openai_encoding *encoding, yyjson_val *tools)
{
    size_t count = yyjson_arr_size(tools);
    size_t index = 0;
    size_t max = 0;
    yyjson_val *tool = NULL;
    encoding->custom_tools =
        gw_arena_try_alloc(encoding->in->arena, (count + 1) * sizeof(*encoding->custom_tools));
    if (encoding->custom_tools == NULL) {
        return GW_ERR_NOMEM;
    }
    yyjson_arr_foreach(tools, index, max, tool)
    {
        enum gw_err err = write_tool(encoding, tool);
        if (err != GW_OK) {
            return err;
        }
    }
    if (encoding->has_tools) {
        (void)gw_buf_append(encoding->out, GW_STR("]"));
    }
    return GW_OK;
}

/* allowed_tools, where the vendor knows no such choice: its mode alone. */
static struct gw_str weaken(struct gw_openai_encoding *encoding, yyjson_val *allowed)
{
    note(encoding, GW_NOTE_CHANGED, GW_STR("tool_choice"),
         GW_STR("this provider cannot limit the choice to some tools; all may be called."));
    return gw_json_is(gw_json_get(allowed, "mode"), GW_STR("required")) ? GW_STR("required")
                                                                        : GW_STR("auto");
}

static void write_choice(struct gw_openai_encoding *encoding, yyjson_val *choice)
{
    struct gw_buf *out = encoding->out;
    yyjson_val *custom = gw_json_get(choice, "custom");
    yyjson_val *allowed = gw_json_get(choice, "allowed_tools");
    (void)gw_buf_append(out, GW_STR(",\"tool_choice\":"));
    if (encoding->quirks->has_custom_tools || (custom == NULL && allowed == NULL)) {
        gw_json_write(choice, out);
    } else if (custom != NULL) {
        (void)gw_buf_append(out, GW_STR("{\"type\":\"function\",\"function\":{\"name\":"));
        gw_json_write_text(gw_json_get_text(custom, "name"), out);
        (void)gw_buf_append(out, GW_STR("}}"));
    } else {
        gw_json_write_text(weaken(encoding, allowed), out);
    }
}

/* Ollama takes no choice: "none" is to send no tools, others are only hoped for. */
static bool is_choice_none(yyjson_val *choice)
{
    return gw_json_is(choice, GW_STR("none"));
}

enum gw_err gw_openai_encode_tools(struct gw_openai_encoding *encoding)
{
    const struct gw_openai_quirks *quirks = encoding->quirks;
    yyjson_val *tools = gw_json_get(encoding->chat, "tools");
    yyjson_val *choice = gw_json_get(encoding->chat, "tool_choice");
    if (yyjson_arr_size(tools) == 0 || (quirks->has_no_tool_choice && is_choice_none(choice))) {
        return GW_OK;
    }
    if (quirks->has_no_tools) {
        return gw_notes_refuse(encoding->in->notes, GW_STR("tools"),
                               GW_STR("This provider has no tool calls."));
    }
    enum gw_err err = write_tools(encoding, tools);
    if (err != GW_OK || !encoding->has_tools) {
        return err;
    }
    if (choice != NULL && !quirks->has_no_tool_choice) {
        write_choice(encoding, choice);
    } else if (choice != NULL && !gw_json_is(choice, GW_STR("auto"))) {
        note(encoding, GW_NOTE_CHANGED, GW_STR("tool_choice"),
             GW_STR("this provider lets the model choose; a call cannot be forced."));
    }
    bool is_ignored = gw_str_eq(quirks->provider, GW_STR("deepseek")) || quirks->has_no_tool_choice;
    if (!is_ignored) {
        copy_member(encoding->out, encoding->chat, "parallel_tool_calls");
    } else if (yyjson_is_false(gw_json_get(encoding->chat, "parallel_tool_calls"))) {
        note(encoding, GW_NOTE_DROPPED, GW_STR("parallel_tool_calls"),
             GW_STR("not sent: this provider has no such switch."));
    }
    return GW_OK;
}
