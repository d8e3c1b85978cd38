/* SPDX-License-Identifier: MIT */
/*
 * provider/bedrock_tools - the tools, which of them must be called, and the schema of the answer,
 * which older models get as a tool. Bedrock wants the tools whenever the history holds calls; where
 * the client sends none any more they are made of the history.
 */
#include "provider/bedrock_int.h"
#include "json/value.h"
#include "json/write.h"

static const struct gw_str any_object = GW_STR_INIT("{\"type\":\"object\",\"properties\":{}}");
static const struct gw_str text_object =
    GW_STR_INIT("{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\"}},"
                "\"required\":[\"input\"]}");

struct gw_str gw_bedrock_schema_tool(void)
{
    return GW_STR("structured_answer");
}

yyjson_val *gw_bedrock_json_schema(yyjson_val *chat)
{
    yyjson_val *format = gw_json_get(chat, "response_format");
    bool is_schema = gw_json_is(gw_json_get(format, "type"), GW_STR("json_schema"));
    return is_schema ? gw_json_get(format, "json_schema") : NULL;
}

/* ---- the plan ---- */

static bool has_tool_blocks(yyjson_val *chat)
{
    size_t i;
    size_t count;
    yyjson_val *message;
    yyjson_arr_foreach(gw_json_get(chat, "messages"), i, count, message)
    {
        if (gw_chat_role(message) == GW_ROLE_TOOL ||
            yyjson_arr_size(gw_json_get(message, "tool_calls")) > 0) {
            return true;
        }
    }
    return false;
}

/* The tool's name, or ptr NULL for tools that are no functions. */
static struct gw_str tool_name(yyjson_val *tool, bool *is_custom)
{
    return gw_json_get_text(gw_tool_function(tool, is_custom), "name");
}

static bool has_function(yyjson_val *chat)
{
    size_t i;
    size_t count;
    yyjson_val *tool;
    bool is_custom;
    yyjson_arr_foreach(gw_json_get(chat, "tools"), i, count, tool)
    {
        if (tool_name(tool, &is_custom).ptr != NULL) {
            return true;
        }
    }
    return false;
}

static enum gw_bedrock_choice choice_of(struct gw_str mode)
{
    if (gw_str_eq(mode, GW_STR("required")) || gw_str_eq(mode, GW_STR("any"))) {
        return GW_BEDROCK_CHOICE_ANY;
    }
    return gw_str_eq(mode, GW_STR("auto")) ? GW_BEDROCK_CHOICE_AUTO : GW_BEDROCK_CHOICE_UNSET;
}

/* "none": the tools are left out, unless the history needs them. */
static void forbid_tools(struct gw_bedrock_encoder *encoder)
{
    if (!encoder->has_tool_blocks) {
        encoder->sends_tools = false;
        gw_bedrock_note(encoder, GW_NOTE_MAPPED, GW_STR("tool_choice"),
                        GW_STR("The tools are not sent, because none may be called."));
        return;
    }
    encoder->hint = GW_STR("Answer without calling a tool.");
    gw_bedrock_note(encoder, GW_NOTE_CHANGED, GW_STR("tool_choice"),
                    GW_STR("'none' became an instruction in the system prompt: the conversation "
                           "holds tool calls, so Bedrock wants the tools."));
}

static void plan_choice(struct gw_bedrock_encoder *encoder)
{
    yyjson_val *choice = gw_json_get(encoder->chat, "tool_choice");
    struct gw_str mode = gw_json_text(choice);
    bool is_custom = false;
    if (mode.ptr == NULL && choice != NULL) {
        yyjson_val *allowed = gw_json_get(choice, "allowed_tools");
        encoder->chosen = tool_name(choice, &is_custom);
        encoder->allowed = gw_json_get(allowed, "tools");
        mode = gw_json_get_text(allowed, "mode");
    }
    encoder->choice = encoder->chosen.ptr != NULL ? GW_BEDROCK_CHOICE_ONE : choice_of(mode);
    if (gw_str_eq(mode, GW_STR("none")) && encoder->sends_tools) {
        forbid_tools(encoder);
    }
}

static void plan_schema(struct gw_bedrock_encoder *encoder)
{
    yyjson_val *format = gw_json_get(encoder->chat, "response_format");
    encoder->schema = gw_json_get(gw_bedrock_json_schema(encoder->chat), "schema");
    if (gw_json_is(gw_json_get(format, "type"), GW_STR("json_object"))) {
        encoder->hint = GW_STR("Answer with one JSON object and nothing else.");
        gw_bedrock_note(encoder, GW_NOTE_CHANGED, GW_STR("response_format"),
                        GW_STR("'json_object' became an instruction in the system prompt."));
    }
    if (encoder->schema == NULL || encoder->model.schema == GW_BEDROCK_SCHEMA_NATIVE) {
        return;
    }
    bool can_force = encoder->model.schema == GW_BEDROCK_SCHEMA_TOOL && !encoder->is_thinking;
    if (can_force) {
        encoder->uses_schema_tool = true;
        encoder->choice = has_function(encoder->chat) && encoder->sends_tools
                              ? GW_BEDROCK_CHOICE_ANY
                              : GW_BEDROCK_CHOICE_ONE;
        encoder->chosen = gw_bedrock_schema_tool();
        encoder->sends_tools = true;
        gw_bedrock_note(encoder, GW_NOTE_MAPPED, GW_STR("response_format"),
                        GW_STR("The schema is sent as a tool whose arguments are the answer."));
        return;
    }
    struct gw_buf schema;
    gw_buf_init(&schema, 1u << 20);
    gw_json_write(encoder->schema, &schema);
    encoder->hint = gw_arena_printf(
        encoder->in->arena,
        "Answer with one JSON value that follows this JSON schema, and nothing else: " GW_STR_FMT,
        GW_STR_ARG(gw_buf_str(&schema)));
    gw_buf_fini(&schema);
    gw_bedrock_note(encoder, GW_NOTE_CHANGED, GW_STR("response_format"),
                    GW_STR("The schema became an instruction in the system prompt; the model does "
                           "not guarantee it."));
}

enum gw_err gw_bedrock_plan_tools(struct gw_bedrock_encoder *encoder)
{
    static const struct gw_tool_rule rule = {
        .takes_dash = true, .takes_digit_first = true, .max_bytes = 64};
    enum gw_err err = gw_tool_names_read(&encoder->names, encoder->chat, &rule, encoder->in->notes);
    if (err != GW_OK) {
        return err;
    }
    encoder->has_tool_blocks = has_tool_blocks(encoder->chat);
    encoder->sends_tools = has_function(encoder->chat) || encoder->has_tool_blocks;
    plan_choice(encoder);
    plan_schema(encoder);
    bool is_forced = encoder->sends_tools && (encoder->choice == GW_BEDROCK_CHOICE_ANY ||
                                              encoder->choice == GW_BEDROCK_CHOICE_ONE);
    if (is_forced && (encoder->model.refuses_forced || encoder->is_thinking)) {
        encoder->choice = GW_BEDROCK_CHOICE_AUTO;
        gw_bedrock_note(encoder, GW_NOTE_CHANGED, GW_STR("tool_choice"),
                        GW_STR("Became 'auto': the model cannot be made to call a tool while it "
                               "thinks."));
    }
    return GW_OK;
}

/* ---- writing ---- */

/* {"toolSpec":{"name","description","inputSchema":{"json":...},"strict"}} */
static void write_spec(struct gw_buf *out, struct gw_str name, struct gw_str description,
                       yyjson_val *schema, struct gw_str otherwise)
{
    gw_json_write_next(out);
    (void)gw_buf_append(out, GW_STR("{\"toolSpec\":{"));
    gw_json_write_member(GW_STR("name"), name, out);
    if (gw_bedrock_has_text(description)) {
        gw_json_write_member(GW_STR("description"), description, out);
    }
    gw_json_write_raw(GW_STR("inputSchema"), GW_STR("{"), out);
    gw_json_write_key(GW_STR("json"), out);
    if (yyjson_is_obj(schema)) {
        gw_json_write(schema, out);
    } else {
        (void)gw_buf_append(out, otherwise);
    }
    (void)gw_buf_append_byte(out, '}');
}

static bool is_allowed(const struct gw_bedrock_encoder *encoder, struct gw_str name)
{
    bool is_custom;
    size_t i;
    size_t count;
    yyjson_val *tool;
    if (encoder->allowed == NULL) {
        return true;
    }
    yyjson_arr_foreach(encoder->allowed, i, count, tool)
    {
        if (gw_str_eq(tool_name(tool, &is_custom), name)) {
            return true;
        }
    }
    return false;
}

static void write_tool(struct gw_bedrock_encoder *encoder, yyjson_val *tool)
{
    bool is_custom = false;
    struct gw_buf *out = encoder->out;
    yyjson_val *function = gw_tool_function(tool, &is_custom);
    struct gw_str name = gw_json_get_text(function, "name");
    if (name.ptr == NULL) {
        gw_bedrock_note(encoder, GW_NOTE_DROPPED, GW_STR("tools[].type"),
                        GW_STR("Tools that run at their vendor are not on Bedrock."));
        return;
    }
    if (!is_allowed(encoder, name)) {
        gw_bedrock_note(encoder, GW_NOTE_MAPPED, GW_STR("tool_choice.allowed_tools"),
                        GW_STR("Only the tools that may be called are sent."));
        return;
    }
    if (is_custom) {
        gw_bedrock_note(encoder, GW_NOTE_MAPPED, GW_STR("tools[].custom"),
                        GW_STR("Custom tools are sent as functions of one text, 'input'."));
        gw_bedrock_note(encoder,
                        gw_json_get(function, "format") != NULL ? GW_NOTE_CHANGED : GW_NOTE_MAPPED,
                        GW_STR("tools[].custom.format"),
                        GW_STR("Bedrock does not hold the model to a format."));
    }
    write_spec(out, gw_tool_names_sent(&encoder->names, name),
               gw_json_get_text(function, "description"),
               is_custom ? NULL : gw_json_get(function, "parameters"),
               is_custom ? text_object : any_object);
    if (gw_json_get_true(function, "strict") && encoder->model.schema == GW_BEDROCK_SCHEMA_NATIVE) {
        gw_json_write_raw(GW_STR("strict"), GW_STR("true"), out);
    }
    (void)gw_buf_append(out, GW_STR("}}"));
    gw_bedrock_write_cache_point(encoder, tool, true);
}

/* Tools for what the history calls, where the client sends none. */
static void write_history_tools(struct gw_bedrock_encoder *encoder)
{
    const struct gw_tool_names *names = &encoder->names;
    gw_bedrock_note(encoder, GW_NOTE_MAPPED, GW_STR("tools"),
                    GW_STR("Made of the conversation's calls: Bedrock wants the tools of every "
                           "call it is shown."));
    for (size_t i = 0; i < names->count; i++) {
        write_spec(encoder->out, names->entries[i].sent, gw_str(NULL, 0), NULL,
                   names->entries[i].is_custom ? text_object : any_object);
        (void)gw_buf_append(encoder->out, GW_STR("}}"));
    }
    if (names->count == 0) {
        write_spec(encoder->out, GW_STR("tool"), gw_str(NULL, 0), NULL, any_object);
        (void)gw_buf_append(encoder->out, GW_STR("}}"));
    }
}

static void write_choice(const struct gw_bedrock_encoder *encoder)
{
    struct gw_buf *out = encoder->out;
    switch (encoder->choice) {
    case GW_BEDROCK_CHOICE_UNSET:
        break;
    case GW_BEDROCK_CHOICE_AUTO:
        gw_json_write_raw(GW_STR("toolChoice"), GW_STR("{\"auto\":{}}"), out);
        break;
    case GW_BEDROCK_CHOICE_ANY:
        gw_json_write_raw(GW_STR("toolChoice"), GW_STR("{\"any\":{}}"), out);
        break;
    case GW_BEDROCK_CHOICE_ONE:
        gw_json_write_raw(GW_STR("toolChoice"), GW_STR("{\"tool\":{"), out);
        gw_json_write_member(GW_STR("name"), gw_tool_names_sent(&encoder->names, encoder->chosen),
                             out);
        (void)gw_buf_append(out, GW_STR("}}"));
        break;
    }
}

void gw_bedrock_write_tools(struct gw_bedrock_encoder *encoder)
{
    struct gw_buf *out = encoder->out;
    if (!encoder->sends_tools) {
        return;
    }
    gw_json_write_raw(GW_STR("toolConfig"), GW_STR("{"), out);
    gw_json_write_raw(GW_STR("tools"), GW_STR("["), out);
    size_t i;
    size_t count;
    yyjson_val *tool;
    yyjson_arr_foreach(gw_json_get(encoder->chat, "tools"), i, count, tool)
    {
        write_tool(encoder, tool);
    }
    if (!has_function(encoder->chat) && encoder->has_tool_blocks) {
        write_history_tools(encoder);
    }
    if (encoder->uses_schema_tool) {
        yyjson_val *format = gw_bedrock_json_schema(encoder->chat);
        struct gw_str description = gw_json_get_text(format, "description");
        write_spec(out, gw_bedrock_schema_tool(),
                   description.len > 0 ? description : GW_STR("Gives the answer."), encoder->schema,
                   any_object);
        (void)gw_buf_append(out, GW_STR("}}"));
    }
    (void)gw_buf_append_byte(out, ']');
    write_choice(encoder);
    (void)gw_buf_append_byte(out, '}');
}
