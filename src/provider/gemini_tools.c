/* SPDX-License-Identifier: MIT */
/* provider/gemini_tools - "tools" and "toolConfig" (gemini.md section 2). */
#include "provider/gemini_int.h"
#include "json/value.h"
#include "json/write.h"

/* A custom tool's input is free text; here it is a function with that text as its argument. */
#define CUSTOM_SCHEMA                                                                              \
    "{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\"}},"                       \
    "\"required\":[\"input\"]}"

/* Google's own tools, by the member that holds their settings. */
static const char *const google_tools[] = {
    "googleSearch",
    "google_search",
    "googleSearchRetrieval",
    "google_search_retrieval",
    "urlContext",
    "url_context",
    "codeExecution",
    "code_execution",
    "googleMaps",
    "google_maps",
    "fileSearch",
    "file_search",
    "computerUse",
    "computer_use",
    "enterpriseWebSearch",
    "enterprise_web_search",
};

static const char *google_tool_of(yyjson_val *tool)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(google_tools); i++) {
        if (yyjson_is_obj(gw_json_get(tool, google_tools[i]))) {
            return google_tools[i];
        }
    }
    return NULL;
}

/* No arguments at all: the API wants no schema then. */
static bool is_empty_schema(yyjson_val *schema)
{
    if (!yyjson_is_obj(schema) || yyjson_obj_size(schema) == 0) {
        return true;
    }
    return gw_json_is(gw_json_get(schema, "type"), GW_STR("object")) &&
           yyjson_obj_size(gw_json_get(schema, "properties")) == 0 &&
           gw_json_get(schema, "$ref") == NULL && gw_json_get(schema, "anyOf") == NULL &&
           gw_json_get(schema, "oneOf") == NULL && gw_json_get(schema, "allOf") == NULL &&
           !yyjson_is_obj(gw_json_get(schema, "additionalProperties"));
}

static void write_function(struct gw_gemini_encoding *e, yyjson_val *function)
{
    yyjson_val *parameters = gw_json_get(function, "parameters");
    gw_json_write_next(e->out);
    (void)gw_buf_append_byte(e->out, '{');
    gw_json_write_member(GW_STR("name"), gw_json_get_text(function, "name"), e->out);
    gw_json_write_optional(GW_STR("description"), gw_json_get_text(function, "description"),
                           e->out);
    if (!is_empty_schema(parameters)) {
        gw_json_write_key(GW_STR("parametersJsonSchema"), e->out);
        gw_json_write(parameters, e->out);
    }
    (void)gw_buf_append_byte(e->out, '}');
}

static void write_custom(struct gw_gemini_encoding *e, yyjson_val *custom)
{
    gw_json_write_next(e->out);
    (void)gw_buf_append_byte(e->out, '{');
    gw_json_write_member(GW_STR("name"), gw_json_get_text(custom, "name"), e->out);
    gw_json_write_optional(GW_STR("description"), gw_json_get_text(custom, "description"), e->out);
    gw_json_write_raw(GW_STR("parametersJsonSchema"), GW_STR(CUSTOM_SCHEMA), e->out);
    (void)gw_buf_append_byte(e->out, '}');
    gw_notes_add(e->notes, GW_NOTE_MAPPED, GW_STR("tools[].custom"),
                 GW_STR("Sent as a function with one text argument."));
    if (gw_json_get(custom, "format") != NULL &&
        !gw_json_is(gw_json_get(gw_json_get(custom, "format"), "type"), GW_STR("text"))) {
        gw_notes_add(e->notes, GW_NOTE_DROPPED, GW_STR("tools[].custom.format"),
                     GW_STR("Gemini cannot hold a tool's input to a grammar."));
    }
}

/* The functions go into one list. */
static void write_declarations(struct gw_gemini_encoding *e, yyjson_val *tools)
{
    size_t begin = e->out->len;
    gw_json_write_next(e->out);
    (void)gw_buf_append(e->out, GW_STR("{\"functionDeclarations\":["));
    size_t empty = e->out->len;
    yyjson_arr_iter iter = yyjson_arr_iter_with(tools);
    for (yyjson_val *tool = yyjson_arr_iter_next(&iter); tool != NULL;
         tool = yyjson_arr_iter_next(&iter)) {
        yyjson_val *function = gw_json_get(tool, "function");
        yyjson_val *custom = gw_json_get(tool, "custom");
        if (yyjson_is_obj(function)) {
            write_function(e, function);
        } else if (yyjson_is_obj(custom)) {
            write_custom(e, custom);
        }
    }
    if (e->out->err == GW_OK && e->out->len == empty) {
        e->out->len = begin;
        return;
    }
    (void)gw_buf_append(e->out, GW_STR("]}"));
}

static void write_search(struct gw_gemini_encoding *e, struct gw_str param)
{
    gw_json_write_next(e->out);
    (void)gw_buf_append(e->out, GW_STR("{\"googleSearch\":{}}"));
    gw_notes_add(e->notes, GW_NOTE_MAPPED, param, GW_STR("Sent as Google's own search."));
}

static enum gw_err write_server_tool(struct gw_gemini_encoding *e, yyjson_val *tool)
{
    const char *google = google_tool_of(tool);
    if (google != NULL) {
        gw_json_write_next(e->out);
        (void)gw_buf_append_byte(e->out, '{');
        gw_json_write_key(gw_str_from_c(google), e->out);
        gw_json_write(gw_json_get(tool, google), e->out);
        (void)gw_buf_append_byte(e->out, '}');
        return GW_OK;
    }
    if (gw_str_has_prefix(gw_json_get_text(tool, "type"), GW_STR("web_search"))) {
        write_search(e, GW_STR("tools[]"));
        return GW_OK;
    }
    return gw_notes_refuse(e->notes, GW_STR("tools[].type"),
                           GW_STR("Gemini has no such built-in tool."));
}

/* ---- toolConfig ---- */

static bool has_strict(yyjson_val *tools)
{
    yyjson_arr_iter iter = yyjson_arr_iter_with(tools);
    for (yyjson_val *tool = yyjson_arr_iter_next(&iter); tool != NULL;
         tool = yyjson_arr_iter_next(&iter)) {
        if (gw_json_get_true(gw_json_get(tool, "function"), "strict")) {
            return true;
        }
    }
    return false;
}

static struct gw_str name_of(yyjson_val *tool)
{
    struct gw_str name = gw_json_get_text(gw_json_get(tool, "function"), "name");
    return name.ptr != NULL ? name : gw_json_get_text(gw_json_get(tool, "custom"), "name");
}

static void write_config(struct gw_gemini_encoding *e, struct gw_str mode, yyjson_val *one,
                         yyjson_val *several)
{
    gw_json_write_raw(GW_STR("toolConfig"), GW_STR("{\"functionCallingConfig\":{"), e->out);
    gw_json_write_member(GW_STR("mode"), mode, e->out);
    if (one != NULL || several != NULL) {
        gw_json_write_raw(GW_STR("allowedFunctionNames"), GW_STR("["), e->out);
        if (one != NULL) {
            gw_json_write_text(name_of(one), e->out);
        }
        yyjson_arr_iter iter = yyjson_arr_iter_with(several);
        for (yyjson_val *tool = yyjson_arr_iter_next(&iter); tool != NULL;
             tool = yyjson_arr_iter_next(&iter)) {
            gw_json_write_next(e->out);
            gw_json_write_text(name_of(tool), e->out);
        }
        (void)gw_buf_append_byte(e->out, ']');
    }
    (void)gw_buf_append(e->out, GW_STR("}}"));
}

static enum gw_err write_choice(struct gw_gemini_encoding *e, yyjson_val *tools)
{
    yyjson_val *choice = gw_json_get(e->chat, "tool_choice");
    struct gw_str type =
        yyjson_is_obj(choice) ? gw_json_get_text(choice, "type") : gw_json_text(choice);
    bool is_strict = has_strict(tools);
    if (type.ptr == NULL || gw_str_eq(type, GW_STR("auto"))) {
        if (is_strict || type.ptr != NULL) {
            write_config(e, is_strict ? GW_STR("VALIDATED") : GW_STR("AUTO"), NULL, NULL);
        }
        return GW_OK;
    }
    if (gw_str_eq(type, GW_STR("none"))) {
        write_config(e, GW_STR("NONE"), NULL, NULL);
    } else if (gw_str_eq(type, GW_STR("required"))) {
        write_config(e, GW_STR("ANY"), NULL, NULL);
    } else if (gw_str_eq(type, GW_STR("allowed_tools"))) {
        yyjson_val *allowed = gw_json_get(choice, "allowed_tools");
        bool is_required = gw_json_is(gw_json_get(allowed, "mode"), GW_STR("required"));
        write_config(e, is_required ? GW_STR("ANY") : GW_STR("VALIDATED"), NULL,
                     gw_json_get(allowed, "tools"));
    } else if (name_of(choice).len > 0) {
        write_config(e, GW_STR("ANY"), choice, NULL);
    } else {
        return gw_notes_refuse(e->notes, GW_STR("tool_choice"),
                               GW_STR("Gemini cannot be held to this choice."));
    }
    return GW_OK;
}

/* ---- all ---- */

enum gw_err gw_gemini_write_tools(struct gw_gemini_encoding *e)
{
    yyjson_val *tools = gw_json_get(e->chat, "tools");
    bool wants_search = yyjson_is_obj(gw_json_get(e->chat, "web_search_options"));
    enum gw_err err = GW_OK;
    if (yyjson_arr_size(tools) == 0 && !wants_search) {
        return GW_OK;
    }
    gw_json_write_raw(GW_STR("tools"), GW_STR("["), e->out);
    write_declarations(e, tools);
    yyjson_arr_iter iter = yyjson_arr_iter_with(tools);
    for (yyjson_val *tool = yyjson_arr_iter_next(&iter); tool != NULL && err == GW_OK;
         tool = yyjson_arr_iter_next(&iter)) {
        if (!yyjson_is_obj(gw_json_get(tool, "function")) &&
            !yyjson_is_obj(gw_json_get(tool, "custom"))) {
            err = write_server_tool(e, tool);
        }
    }
    if (wants_search) {
        write_search(e, GW_STR("web_search_options"));
    }
    (void)gw_buf_append_byte(e->out, ']');
    if (gw_json_get(e->chat, "parallel_tool_calls") != NULL &&
        !gw_json_get_true(e->chat, "parallel_tool_calls")) {
        gw_notes_add(e->notes, GW_NOTE_DROPPED, GW_STR("parallel_tool_calls"),
                     GW_STR("Gemini decides itself how many tools it calls."));
    }
    return err == GW_OK ? write_choice(e, tools) : err;
}

struct gw_gemini_memory *gw_gemini_remember(struct gw_gemini_encoding *e)
{
    yyjson_val *tools = gw_json_get(e->chat, "tools");
    struct gw_gemini_memory *memory = gw_arena_try_alloc(e->in->arena, sizeof(*memory));
    struct gw_str *names =
        gw_arena_try_alloc(e->in->arena, (yyjson_arr_size(tools) + 1) * sizeof(*names));
    if (memory == NULL || names == NULL) {
        return NULL;
    }
    *memory = (struct gw_gemini_memory){.custom_tools = names};
    yyjson_arr_iter iter = yyjson_arr_iter_with(tools);
    for (yyjson_val *tool = yyjson_arr_iter_next(&iter); tool != NULL;
         tool = yyjson_arr_iter_next(&iter)) {
        struct gw_str name = gw_json_get_text(gw_json_get(tool, "custom"), "name");
        if (name.ptr == NULL) {
            continue;
        }
        struct gw_str copy = gw_arena_try_dup(e->in->arena, name);
        if (copy.ptr == NULL) {
            return NULL;
        }
        names[memory->custom_tool_count++] = copy;
    }
    return memory;
}
