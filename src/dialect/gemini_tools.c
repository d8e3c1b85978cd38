/* SPDX-License-Identifier: MIT */
/* dialect/gemini_tools - "tools" and "toolConfig" in neutral words (inbound.md B2). */
#include "dialect/gemini_int.h"
#include "json/value.h"
#include "json/write.h"

static void write_function(struct gw_gemini_reading *r, yyjson_val *declaration)
{
    yyjson_val *schema = gw_from_gemini_get(declaration, "parametersJsonSchema");
    yyjson_val *open_api = gw_from_gemini_get(declaration, "parameters");
    gw_json_write_next(r->out);
    (void)gw_buf_append(r->out, GW_STR("{\"type\":\"function\",\"function\":{"));
    gw_json_write_member(GW_STR("name"), gw_json_get_text(declaration, "name"), r->out);
    gw_json_write_optional(GW_STR("description"), gw_json_get_text(declaration, "description"),
                           r->out);
    if (schema != NULL) {
        gw_json_write_key(GW_STR("parameters"), r->out);
        gw_json_write(schema, r->out);
    } else if (open_api != NULL) {
        gw_json_write_key(GW_STR("parameters"), r->out);
        gw_from_gemini_schema(open_api, r->out);
    }
    (void)gw_buf_append(r->out, GW_STR("}}"));
}

static bool is_declarations(yyjson_val *key)
{
    return gw_json_is(key, GW_STR("functionDeclarations")) ||
           gw_json_is(key, GW_STR("function_declarations"));
}

/* One of Google's own tools, as a server-side tool of its vendor: for other providers to refuse. */
static void write_server_tool(struct gw_gemini_reading *r, yyjson_val *key)
{
    gw_json_write_next(r->out);
    (void)gw_buf_append(r->out, GW_STR("{\"type\":"));
    gw_json_write(key, r->out);
    (void)gw_buf_append_byte(r->out, ',');
    gw_json_write(key, r->out);
    (void)gw_buf_append_byte(r->out, ':');
    gw_json_write(yyjson_obj_iter_get_val(key), r->out);
    (void)gw_buf_append_byte(r->out, '}');
}

/* A tool of Gemini's is a group: a list of functions, or members for Google's own. */
static void write_group(struct gw_gemini_reading *r, yyjson_val *group, bool *has_functions)
{
    yyjson_obj_iter members = yyjson_obj_iter_with(group);
    for (yyjson_val *key = yyjson_obj_iter_next(&members); key != NULL;
         key = yyjson_obj_iter_next(&members)) {
        yyjson_val *value = yyjson_obj_iter_get_val(key);
        if (yyjson_is_null(value)) {
            continue;
        }
        if (!is_declarations(key)) {
            write_server_tool(r, key);
            continue;
        }
        yyjson_arr_iter iter = yyjson_arr_iter_with(value);
        for (yyjson_val *declaration = yyjson_arr_iter_next(&iter); declaration != NULL;
             declaration = yyjson_arr_iter_next(&iter)) {
            write_function(r, declaration);
            *has_functions = true;
        }
    }
}

static void write_named(struct gw_str name, struct gw_buf *out)
{
    gw_json_write_next(out);
    (void)gw_buf_append(out, GW_STR("{\"type\":\"function\",\"function\":{"));
    gw_json_write_member(GW_STR("name"), name, out);
    (void)gw_buf_append(out, GW_STR("}}"));
}

static void write_allowed(yyjson_val *names, struct gw_str mode, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("{\"type\":\"allowed_tools\",\"allowed_tools\":{"));
    gw_json_write_member(GW_STR("mode"), mode, out);
    gw_json_write_raw(GW_STR("tools"), GW_STR("["), out);
    yyjson_arr_iter iter = yyjson_arr_iter_with(names);
    for (yyjson_val *name = yyjson_arr_iter_next(&iter); name != NULL;
         name = yyjson_arr_iter_next(&iter)) {
        write_named(gw_json_text(name), out);
    }
    (void)gw_buf_append(out, GW_STR("]}}"));
}

static void write_choice(struct gw_gemini_reading *r, yyjson_val *root)
{
    static const struct gw_str modes[] = {GW_STR_INIT("MODE_UNSPECIFIED"), GW_STR_INIT("AUTO"),
                                          GW_STR_INIT("ANY"), GW_STR_INIT("NONE"),
                                          GW_STR_INIT("VALIDATED")};
    yyjson_val *tool_config = gw_from_gemini_get(root, "toolConfig");
    yyjson_val *config = gw_from_gemini_get(tool_config, "functionCallingConfig");
    struct gw_str mode =
        gw_from_gemini_enum(gw_json_get(config, "mode"), modes, GW_ARRAY_LEN(modes));
    yyjson_val *names = gw_from_gemini_get(config, "allowedFunctionNames");
    size_t count = yyjson_arr_size(names);
    bool is_any = gw_str_eq_nocase(mode, GW_STR("ANY"));
    if (mode.len == 0 || gw_str_eq_nocase(mode, GW_STR("MODE_UNSPECIFIED"))) {
        return;
    }
    gw_json_write_key(GW_STR("tool_choice"), r->out);
    if (gw_str_eq_nocase(mode, GW_STR("NONE"))) {
        (void)gw_buf_append(r->out, GW_STR("\"none\""));
    } else if (count == 0) {
        (void)gw_buf_append(r->out, is_any ? GW_STR("\"required\"") : GW_STR("\"auto\""));
    } else if (is_any && count == 1) {
        (void)gw_buf_append(r->out, GW_STR("{\"type\":\"function\",\"function\":{"));
        gw_json_write_member(GW_STR("name"), gw_json_text(yyjson_arr_get_first(names)), r->out);
        (void)gw_buf_append(r->out, GW_STR("}}"));
    } else {
        write_allowed(names, is_any ? GW_STR("required") : GW_STR("auto"), r->out);
    }
}

void gw_from_gemini_tools(struct gw_gemini_reading *r, yyjson_val *root)
{
    yyjson_val *tools = gw_json_get(root, "tools");
    bool has_functions = false;
    if (yyjson_is_obj(tools)) { /* one group without the list */
        gw_json_write_raw(GW_STR("tools"), GW_STR("["), r->out);
        write_group(r, tools, &has_functions);
        (void)gw_buf_append_byte(r->out, ']');
    } else if (yyjson_arr_size(tools) > 0) {
        gw_json_write_raw(GW_STR("tools"), GW_STR("["), r->out);
        yyjson_arr_iter iter = yyjson_arr_iter_with(tools);
        for (yyjson_val *group = yyjson_arr_iter_next(&iter); group != NULL;
             group = yyjson_arr_iter_next(&iter)) {
            write_group(r, group, &has_functions);
        }
        (void)gw_buf_append_byte(r->out, ']');
    }
    if (has_functions) { /* others refuse a choice among nothing */
        write_choice(r, root);
    }
}
