/* SPDX-License-Identifier: MIT */
/*
 * dialect/responses_calls - tool calls of earlier turns and what came of them.
 *
 * Calls of OpenAI's own tools that the client runs (a shell, a patch) are shown as calls of
 * functions of that name: what they did stays in the conversation, whatever the model.
 */
#include "dialect/responses_int.h"

#include "json/value.h"
#include "json/write.h"

/* Calls of tools that the client runs but did not declare as functions. */
static const struct {
    struct gw_str type;
    struct gw_str name;
    const char *arguments; /* the member that becomes the arguments */
} shown_calls[] = {
    {GW_STR_INIT("local_shell_call"), GW_STR_INIT("local_shell"), "action"},
    {GW_STR_INIT("shell_call"), GW_STR_INIT("shell"), "action"},
    {GW_STR_INIT("apply_patch_call"), GW_STR_INIT("apply_patch"), "operation"},
    {GW_STR_INIT("computer_call"), GW_STR_INIT("computer"), "action"},
    {GW_STR_INIT("tool_search_call"), GW_STR_INIT("tool_search"), "arguments"},
};

static const struct gw_str output_types[] = {
    GW_STR_INIT("function_call_output"),    GW_STR_INIT("custom_tool_call_output"),
    GW_STR_INIT("local_shell_call_output"), GW_STR_INIT("shell_call_output"),
    GW_STR_INIT("apply_patch_call_output"), GW_STR_INIT("computer_call_output"),
};

static struct gw_str call_id_of(yyjson_val *item)
{
    struct gw_str id = gw_json_get_text(item, "call_id");
    return id.len > 0 ? id : gw_json_get_text(item, "id");
}

static struct gw_buf *begin_call(struct gw_responses_chat *chat, yyjson_val *item,
                                 struct gw_str kind)
{
    struct gw_buf *out = &gw_responses_assistant(chat)->calls;
    gw_json_write_next(out);
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_member(GW_STR("id"), call_id_of(item), out);
    gw_json_write_member(GW_STR("type"), kind, out);
    gw_json_write_key(kind, out);
    (void)gw_buf_append_byte(out, '{');
    return out;
}

/* The signature that stood before the call goes with it. */
static void end_call(struct gw_responses_chat *chat, struct gw_buf *out)
{
    struct gw_buf *signature = &chat->assistant.signature;
    (void)gw_buf_append_byte(out, '}');
    if (signature->len > 0) {
        gw_json_write_key(GW_STR("extra_content"), out);
        (void)gw_buf_append(out, GW_STR("{\"google\":{"));
        gw_json_write_member(GW_STR("thought_signature"), gw_buf_str(signature), out);
        (void)gw_buf_append(out, GW_STR("}}"));
        signature->len = 0;
    }
    (void)gw_buf_append_byte(out, '}');
}

static void write_declared_call(struct gw_responses_chat *chat, yyjson_val *item, bool is_custom)
{
    char text[GW_RESPONSES_FLAT_NAME + 1];
    struct gw_str name = gw_responses_flat_name(gw_json_get_text(item, "namespace"),
                                                gw_json_get_text(item, "name"), text);
    struct gw_buf *out = begin_call(chat, item, is_custom ? GW_STR("custom") : GW_STR("function"));
    gw_json_write_member(GW_STR("name"), name, out);
    gw_json_write_member(is_custom ? GW_STR("input") : GW_STR("arguments"),
                         gw_json_get_text(item, is_custom ? "input" : "arguments"), out);
    end_call(chat, out);
}

static void write_shown_call(struct gw_responses_chat *chat, yyjson_val *item, struct gw_str name,
                             const char *member)
{
    yyjson_val *value = gw_json_get(item, member);
    struct gw_buf arguments;
    gw_buf_init(&arguments, chat->messages.max_bytes);
    if (value != NULL) {
        gw_json_write(value, &arguments);
    }
    struct gw_buf *out = begin_call(chat, item, GW_STR("function"));
    gw_json_write_member(GW_STR("name"), name, out);
    gw_json_write_member(GW_STR("arguments"),
                         arguments.len > 0 ? gw_buf_str(&arguments) : GW_STR("{}"), out);
    end_call(chat, out);
    out->err = out->err != GW_OK ? out->err : arguments.err;
    gw_buf_fini(&arguments);
}

/* ---- outputs ---- */

/* Texts and parts as they are; what else an output may be (an object, a list of a shell's results)
 * as its JSON. */
static void write_output(struct gw_responses_chat *chat, yyjson_val *output, struct gw_str type)
{
    struct gw_buf json;
    bool is_parts = yyjson_is_arr(output) && !gw_str_eq(type, GW_STR("shell_call_output"));
    if (yyjson_is_str(output) || is_parts || output == NULL) {
        gw_responses_write_content(output, &chat->messages);
        return;
    }
    gw_buf_init(&json, chat->messages.max_bytes);
    gw_json_write(output, &json);
    gw_json_write_text(gw_buf_str(&json), &chat->messages);
    chat->messages.err = chat->messages.err != GW_OK ? chat->messages.err : json.err;
    gw_buf_fini(&json);
}

static void write_tool_message(struct gw_responses_chat *chat, yyjson_val *item, struct gw_str type)
{
    struct gw_buf *out = &chat->messages;
    gw_responses_flush(chat);
    gw_json_write_next(out);
    (void)gw_buf_append(out, GW_STR("{\"role\":\"tool\""));
    gw_json_write_member(GW_STR("tool_call_id"), call_id_of(item), out);
    gw_json_write_key(GW_STR("content"), out);
    write_output(chat, gw_json_get(item, "output"), type);
    if (gw_json_is(gw_json_get(item, "status"), GW_STR("failed"))) {
        gw_json_write_raw(GW_STR("is_error"), GW_STR("true"), out);
    }
    (void)gw_buf_append_byte(out, '}');
}

bool gw_responses_write_call(struct gw_responses_chat *chat, yyjson_val *item, struct gw_str type)
{
    if (gw_str_eq(type, GW_STR("function_call")) || gw_str_eq(type, GW_STR("custom_tool_call"))) {
        write_declared_call(chat, item, gw_str_eq(type, GW_STR("custom_tool_call")));
        return true;
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(shown_calls); i++) {
        if (gw_str_eq(type, shown_calls[i].type)) {
            write_shown_call(chat, item, shown_calls[i].name, shown_calls[i].arguments);
            return true;
        }
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(output_types); i++) {
        if (gw_str_eq(type, output_types[i])) {
            write_tool_message(chat, item, type);
            return true;
        }
    }
    return false;
}
