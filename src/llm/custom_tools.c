/* SPDX-License-Identifier: MIT */
/* llm/custom_tools - functions in place of custom tools, and back. */
#include "llm/custom_tools.h"

#include "json/value.h"

#define INPUT "input"

static bool is_custom(yyjson_val *value)
{
    return gw_json_is(gw_json_get(value, "type"), GW_STR("custom"));
}

bool gw_is_custom_tool(yyjson_val *chat, struct gw_str name)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *tool = NULL;
    if (name.len == 0) {
        return false;
    }
    yyjson_arr_foreach(gw_json_get(chat, "tools"), index, max, tool)
    {
        if (is_custom(tool) && gw_json_is(gw_json_get(gw_json_get(tool, "custom"), "name"), name)) {
            return true;
        }
    }
    return false;
}

static bool has_custom(yyjson_val *list)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *element = NULL;
    yyjson_arr_foreach(list, index, max, element)
    {
        if (is_custom(element)) {
            return true;
        }
    }
    return false;
}

bool gw_has_custom_tools(yyjson_val *chat)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *message = NULL;
    yyjson_arr_foreach(gw_json_get(chat, "messages"), index, max, message)
    {
        if (has_custom(gw_json_get(message, "tool_calls"))) {
            return true;
        }
    }
    return has_custom(gw_json_get(chat, "tools"));
}

/* ---- lowering: what fails is memory, and yyjson passes NULL on ---- */

static bool describe(yyjson_mut_doc *doc, yyjson_mut_val *function, yyjson_val *custom)
{
    yyjson_val *format = gw_json_get(custom, "format");
    yyjson_val *grammar = gw_json_get(format, "grammar");
    grammar = grammar != NULL ? grammar : format;
    struct gw_str text = gw_json_get_text(custom, "description");
    struct gw_str rules = gw_json_get_text(grammar, "definition");
    struct gw_str syntax = gw_json_get_text(grammar, "syntax");
    if (rules.len == 0) {
        return text.ptr == NULL || gw_json_add_text(doc, function, "description", text);
    }
    struct gw_buf joined;
    gw_buf_init(&joined, text.len + rules.len + syntax.len + 128);
    (void)gw_buf_append(&joined, text);
    (void)gw_buf_append(&joined, text.len > 0 ? GW_STR("\n\n") : GW_STR(""));
    (void)gw_buf_append(&joined, GW_STR("The input must follow this "));
    (void)gw_buf_append(&joined, syntax);
    (void)gw_buf_append(&joined, syntax.len > 0 ? GW_STR(" grammar:\n") : GW_STR("grammar:\n"));
    (void)gw_buf_append(&joined, rules);
    bool ok =
        joined.err == GW_OK && gw_json_add_text(doc, function, "description", gw_buf_str(&joined));
    gw_buf_fini(&joined);
    return ok;
}

static yyjson_mut_val *make_parameters(yyjson_mut_doc *doc)
{
    yyjson_mut_val *parameters = yyjson_mut_obj(doc);
    yyjson_mut_val *properties = yyjson_mut_obj(doc);
    yyjson_mut_val *input = yyjson_mut_obj(doc);
    yyjson_mut_val *required = yyjson_mut_arr(doc);
    bool ok = yyjson_mut_obj_add_str(doc, parameters, "type", "object") &&
              yyjson_mut_obj_add_str(doc, input, "type", "string") &&
              yyjson_mut_obj_add_str(doc, input, "description",
                                     "The whole input of the tool as plain text.") &&
              yyjson_mut_obj_add_val(doc, properties, INPUT, input) &&
              yyjson_mut_obj_add_val(doc, parameters, "properties", properties) &&
              yyjson_mut_arr_add_str(doc, required, INPUT) &&
              yyjson_mut_obj_add_val(doc, parameters, "required", required) &&
              yyjson_mut_obj_add_bool(doc, parameters, "additionalProperties", false);
    return ok ? parameters : NULL;
}

static yyjson_mut_val *lower_tool(yyjson_mut_doc *doc, yyjson_val *tool)
{
    yyjson_val *custom = gw_json_get(tool, "custom");
    yyjson_mut_val *lowered = yyjson_mut_obj(doc);
    yyjson_mut_val *function = yyjson_mut_obj(doc);
    bool ok = yyjson_mut_obj_add_str(doc, lowered, "type", "function") &&
              gw_json_add_text(doc, function, "name", gw_json_get_text(custom, "name")) &&
              describe(doc, function, custom) &&
              yyjson_mut_obj_add_val(doc, function, "parameters", make_parameters(doc)) &&
              yyjson_mut_obj_add_val(doc, lowered, "function", function) &&
              gw_json_add_copy(doc, lowered, "cache_control", gw_json_get(tool, "cache_control"));
    return ok ? lowered : NULL;
}

static bool add_arguments(yyjson_mut_doc *doc, yyjson_mut_val *function, struct gw_str input)
{
    struct gw_buf text;
    gw_buf_init(&text, 6 * input.len + 64);
    (void)gw_buf_append(&text, GW_STR("{\"" INPUT "\":"));
    gw_json_write_text(input, &text);
    (void)gw_buf_append_byte(&text, '}');
    bool ok = text.err == GW_OK && gw_json_add_text(doc, function, "arguments", gw_buf_str(&text));
    gw_buf_fini(&text);
    return ok;
}

static yyjson_mut_val *lower_call(yyjson_mut_doc *doc, yyjson_val *call)
{
    yyjson_val *custom = gw_json_get(call, "custom");
    yyjson_mut_val *lowered = yyjson_mut_obj(doc);
    yyjson_mut_val *function = yyjson_mut_obj(doc);
    bool ok = gw_json_add_copy(doc, lowered, "id", gw_json_get(call, "id")) &&
              yyjson_mut_obj_add_str(doc, lowered, "type", "function") &&
              gw_json_add_text(doc, function, "name", gw_json_get_text(custom, "name")) &&
              add_arguments(doc, function, gw_json_get_text(custom, INPUT)) &&
              yyjson_mut_obj_add_val(doc, lowered, "function", function) &&
              gw_json_add_copy(doc, lowered, "extra_content", gw_json_get(call, "extra_content"));
    return ok ? lowered : NULL;
}

/* {"type":"custom","custom":{...}} of a choice, or of a list of those allowed. */
static yyjson_mut_val *lower_named(yyjson_mut_doc *doc, yyjson_val *named)
{
    yyjson_mut_val *lowered = yyjson_mut_obj(doc);
    bool ok = yyjson_mut_obj_add_str(doc, lowered, "type", "function") &&
              gw_json_add_copy(doc, lowered, "function", gw_json_get(named, "custom"));
    return ok ? lowered : NULL;
}

typedef yyjson_mut_val *lower_fn(yyjson_mut_doc *doc, yyjson_val *value);

static yyjson_mut_val *lower_list(yyjson_mut_doc *doc, yyjson_val *list, lower_fn *lower)
{
    yyjson_mut_val *lowered = yyjson_mut_arr(doc);
    size_t index = 0;
    size_t max = 0;
    yyjson_val *element = NULL;
    bool ok = lowered != NULL;
    yyjson_arr_foreach(list, index, max, element)
    {
        ok = ok &&
             yyjson_mut_arr_append(lowered, is_custom(element) ? lower(doc, element)
                                                               : yyjson_val_mut_copy(doc, element));
    }
    return ok ? lowered : NULL;
}

/* |object| with member |key| made by |make|; the others copied. */
static yyjson_mut_val *replace(yyjson_mut_doc *doc, yyjson_val *object, struct gw_str key,
                               lower_fn *make)
{
    yyjson_mut_val *copy = yyjson_mut_obj(doc);
    size_t index = 0;
    size_t max = 0;
    yyjson_val *name = NULL;
    yyjson_val *value = NULL;
    bool ok = copy != NULL;
    yyjson_obj_foreach(object, index, max, name, value)
    {
        ok = ok && yyjson_mut_obj_add(copy, yyjson_val_mut_copy(doc, name),
                                      gw_json_is(name, key) ? make(doc, value)
                                                            : yyjson_val_mut_copy(doc, value));
    }
    return ok ? copy : NULL;
}

static yyjson_mut_val *lower_calls(yyjson_mut_doc *doc, yyjson_val *calls)
{
    return lower_list(doc, calls, lower_call);
}

static yyjson_mut_val *lower_messages(yyjson_mut_doc *doc, yyjson_val *messages)
{
    yyjson_mut_val *lowered = yyjson_mut_arr(doc);
    size_t index = 0;
    size_t max = 0;
    yyjson_val *message = NULL;
    bool ok = lowered != NULL;
    yyjson_arr_foreach(messages, index, max, message)
    {
        bool has = has_custom(gw_json_get(message, "tool_calls"));
        ok = ok && yyjson_mut_arr_append(
                       lowered, has ? replace(doc, message, GW_STR("tool_calls"), lower_calls)
                                    : yyjson_val_mut_copy(doc, message));
    }
    return ok ? lowered : NULL;
}

static yyjson_mut_val *lower_names(yyjson_mut_doc *doc, yyjson_val *names)
{
    return lower_list(doc, names, lower_named);
}

static yyjson_mut_val *lower_allowed(yyjson_mut_doc *doc, yyjson_val *allowed)
{
    return replace(doc, allowed, GW_STR("tools"), lower_names);
}

static yyjson_mut_val *lower_choice(yyjson_mut_doc *doc, yyjson_val *choice)
{
    return is_custom(choice) ? lower_named(doc, choice)
                             : replace(doc, choice, GW_STR("allowed_tools"), lower_allowed);
}

static yyjson_mut_val *lower_member(yyjson_mut_doc *doc, yyjson_val *key, yyjson_val *value)
{
    if (gw_json_is(key, GW_STR("messages"))) {
        return lower_messages(doc, value);
    }
    if (gw_json_is(key, GW_STR("tools"))) {
        return lower_list(doc, value, lower_tool);
    }
    return gw_json_is(key, GW_STR("tool_choice")) && yyjson_is_obj(value)
               ? lower_choice(doc, value)
               : yyjson_val_mut_copy(doc, value);
}

enum gw_err gw_custom_tools_lower(yyjson_val *chat, yyjson_doc **lowered)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(&gw_json_allocator);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    bool ok = root != NULL;
    yyjson_obj_foreach(chat, index, max, key, value)
    {
        ok = ok &&
             yyjson_mut_obj_add(root, yyjson_val_mut_copy(doc, key), lower_member(doc, key, value));
    }
    yyjson_mut_doc_set_root(doc, root);
    yyjson_doc *made = ok ? yyjson_mut_doc_imut_copy(doc, &gw_json_allocator) : NULL;
    yyjson_mut_doc_free(doc);
    if (made == NULL) {
        return GW_ERR_NOMEM;
    }
    *lowered = made;
    return GW_OK;
}

void gw_custom_tool_input(struct gw_str arguments, struct gw_buf *out)
{
    struct gw_json_reader reader;
    yyjson_val *root = NULL;
    gw_json_reader_init(&reader, arguments.len);
    enum gw_err err = gw_json_read(&reader, arguments, &root);
    struct gw_str input = gw_json_get_text(root, INPUT);
    if (err == GW_ERR_NOMEM) {
        out->err = out->err != GW_OK ? out->err : err;
    } else {
        (void)gw_buf_append(out, err == GW_OK && input.ptr != NULL ? input : arguments);
    }
    gw_json_reader_fini(&reader);
}
