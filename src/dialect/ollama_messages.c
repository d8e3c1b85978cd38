/* SPDX-License-Identifier: MIT */
/*
 * dialect/ollama_messages - Ollama's messages as OpenAI's. Ollama names tools where OpenAI numbers
 * calls: calls without an id get one by their place in the conversation, which stays the same when
 * it goes on, and a result belongs to the first open call of its tool.
 */
#include "dialect/ollama_int.h"
#include "json/value.h"

/* A call that has no result yet. */
struct open_call {
    struct gw_str id; /* in the document that is being read, or in the arena */
    struct gw_str name;
    bool is_answered;
};

struct reading {
    yyjson_mut_doc *doc;
    yyjson_mut_val *messages;
    struct gw_notes *notes;
    struct open_call *calls;
    size_t call_count;
};

/* ---- content ---- */

/* Ollama sends base64 without a type; the first bytes tell it. */
static struct gw_str image_type(struct gw_str base64)
{
    static const struct {
        struct gw_str begin;
        struct gw_str type;
    } known[] = {
        {GW_STR_INIT("iVBORw0KGgo"), GW_STR_INIT("image/png")},
        {GW_STR_INIT("/9j/"), GW_STR_INIT("image/jpeg")},
        {GW_STR_INIT("R0lGOD"), GW_STR_INIT("image/gif")},
        {GW_STR_INIT("UklGR"), GW_STR_INIT("image/webp")},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(known); i++) {
        if (gw_str_has_prefix(base64, known[i].begin)) {
            return known[i].type;
        }
    }
    return GW_STR("image/jpeg");
}

static bool add_text_part(yyjson_mut_doc *doc, yyjson_mut_val *parts, struct gw_str text)
{
    yyjson_mut_val *part = yyjson_mut_arr_add_obj(doc, parts);
    return yyjson_mut_obj_add_str(doc, part, "type", "text") &&
           gw_json_add_text(doc, part, "text", text);
}

static bool add_image_part(yyjson_mut_doc *doc, yyjson_mut_val *parts, struct gw_str image)
{
    struct gw_buf url;
    gw_buf_init(&url, image.len + 64);
    if (!gw_str_has_prefix(image, GW_STR("data:"))) {
        (void)gw_buf_append(&url, GW_STR("data:"));
        (void)gw_buf_append(&url, image_type(image));
        (void)gw_buf_append(&url, GW_STR(";base64,"));
    }
    (void)gw_buf_append(&url, image);
    yyjson_mut_val *part = yyjson_mut_arr_add_obj(doc, parts);
    yyjson_mut_val *inner = yyjson_mut_obj(doc);
    bool is_made = url.err == GW_OK && yyjson_mut_obj_add_str(doc, part, "type", "image_url") &&
                   yyjson_mut_obj_add_val(doc, part, "image_url", inner) &&
                   gw_json_add_text(doc, inner, "url", gw_buf_str(&url));
    gw_buf_fini(&url);
    return is_made;
}

enum gw_err gw_ollama_set_content(yyjson_mut_doc *doc, yyjson_mut_val *message, struct gw_str text,
                                  yyjson_val *images)
{
    if (yyjson_arr_size(images) == 0) {
        return gw_json_add_text(doc, message, "content", text) ? GW_OK : GW_ERR_NOMEM;
    }
    yyjson_mut_val *parts = yyjson_mut_arr(doc);
    bool is_made = yyjson_mut_obj_add_val(doc, message, "content", parts) &&
                   (text.len == 0 || add_text_part(doc, parts, text));
    size_t index = 0;
    size_t max = 0;
    yyjson_val *image = NULL;
    yyjson_arr_foreach(images, index, max, image)
    {
        is_made = is_made && add_image_part(doc, parts, gw_json_text(image));
    }
    return is_made ? GW_OK : GW_ERR_NOMEM;
}

/* ---- tool calls ---- */

static bool add_arguments(yyjson_mut_doc *doc, yyjson_mut_val *function, yyjson_val *arguments)
{
    if (yyjson_is_str(arguments)) {
        return gw_json_add_text(doc, function, "arguments", gw_json_text(arguments));
    }
    struct gw_buf json;
    gw_buf_init(&json, SIZE_MAX / 2); /* the body's size bounds it */
    if (yyjson_is_obj(arguments)) {
        gw_json_write(arguments, &json);
    } else {
        (void)gw_buf_append(&json, GW_STR("{}"));
    }
    bool is_made =
        json.err == GW_OK && gw_json_add_text(doc, function, "arguments", gw_buf_str(&json));
    gw_buf_fini(&json);
    return is_made;
}

static enum gw_err add_call(struct reading *reading, yyjson_mut_val *calls, yyjson_val *call)
{
    yyjson_mut_doc *doc = reading->doc;
    yyjson_val *function = gw_json_get(call, "function");
    struct gw_str id = gw_json_get_text(call, "id");
    if (id.len == 0) {
        id = gw_arena_printf(reading->notes->arena, "call_%zu", reading->call_count);
    }
    reading->calls[reading->call_count++] =
        (struct open_call){.id = id, .name = gw_json_get_text(function, "name")};
    yyjson_mut_val *made = yyjson_mut_arr_add_obj(doc, calls);
    yyjson_mut_val *inner = yyjson_mut_obj(doc);
    bool is_made = gw_json_add_text(doc, made, "id", id) &&
                   yyjson_mut_obj_add_str(doc, made, "type", "function") &&
                   yyjson_mut_obj_add_val(doc, made, "function", inner) &&
                   gw_json_add_text(doc, inner, "name", gw_json_get_text(function, "name")) &&
                   add_arguments(doc, inner, gw_json_get(function, "arguments"));
    return is_made ? GW_OK : GW_ERR_NOMEM;
}

static enum gw_err add_calls(struct reading *reading, yyjson_mut_val *message, yyjson_val *list)
{
    if (yyjson_arr_size(list) == 0) {
        return GW_OK;
    }
    yyjson_mut_val *calls = yyjson_mut_arr(reading->doc);
    enum gw_err err =
        yyjson_mut_obj_add_val(reading->doc, message, "tool_calls", calls) ? GW_OK : GW_ERR_NOMEM;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *call = NULL;
    yyjson_arr_foreach(list, index, max, call)
    {
        err = err == GW_OK ? add_call(reading, calls, call) : err;
    }
    return err;
}

/* The first open call of that tool; without a name the first open one. */
static struct open_call *find_call(struct reading *reading, struct gw_str name)
{
    for (size_t i = 0; i < reading->call_count; i++) {
        struct open_call *call = &reading->calls[i];
        if (!call->is_answered && (name.len == 0 || gw_str_eq(call->name, name))) {
            return call;
        }
    }
    return NULL;
}

static enum gw_err add_result(struct reading *reading, yyjson_mut_val *message, yyjson_val *given)
{
    struct gw_str id = gw_json_get_text(given, "tool_call_id");
    struct gw_str name = gw_json_get_text(given, "tool_name");
    if (name.len == 0) {
        name = gw_json_get_text(given, "name");
    }
    if (id.len == 0) {
        struct open_call *call = find_call(reading, name);
        if (call == NULL) {
            return gw_notes_invalid(reading->notes, GW_STR("messages"),
                                    GW_STR("A tool's message answers no call of the assistant's "
                                           "before it."));
        }
        call->is_answered = true;
        id = call->id;
        name = call->name;
    }
    bool is_made = gw_json_add_text(reading->doc, message, "tool_call_id", id) &&
                   (name.len == 0 || gw_json_add_text(reading->doc, message, "name", name));
    return is_made ? GW_OK : GW_ERR_NOMEM;
}

/* ---- messages ---- */

static enum gw_err add_message(struct reading *reading, yyjson_val *given)
{
    yyjson_mut_doc *doc = reading->doc;
    struct gw_str role = gw_json_get_text(given, "role");
    struct gw_str thinking = gw_json_get_text(given, "thinking");
    yyjson_mut_val *message = yyjson_mut_arr_add_obj(doc, reading->messages);
    if (!gw_json_add_text(doc, message, "role", role)) {
        return GW_ERR_NOMEM;
    }
    enum gw_err err = gw_ollama_set_content(doc, message, gw_json_get_text(given, "content"),
                                            gw_json_get(given, "images"));
    if (err == GW_OK && thinking.len > 0 &&
        !gw_json_add_text(doc, message, "reasoning_content", thinking)) {
        err = GW_ERR_NOMEM;
    }
    if (err == GW_OK && gw_str_eq(role, GW_STR("tool"))) {
        err = add_result(reading, message, given);
    }
    return err == GW_OK ? add_calls(reading, message, gw_json_get(given, "tool_calls")) : err;
}

static size_t count_calls(yyjson_val *messages)
{
    size_t count = 0;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *message = NULL;
    yyjson_arr_foreach(messages, index, max, message)
    {
        count += yyjson_arr_size(gw_json_get(message, "tool_calls"));
    }
    return count;
}

enum gw_err gw_ollama_add_messages(yyjson_mut_doc *doc, yyjson_mut_val *messages, yyjson_val *root,
                                   struct gw_notes *notes)
{
    yyjson_val *given = gw_json_get(root, "messages");
    struct reading reading = {.doc = doc, .messages = messages, .notes = notes};
    if (yyjson_arr_size(given) == 0) {
        return gw_notes_invalid(notes, GW_STR("messages"),
                                GW_STR("'messages' must be an array with at least one message."));
    }
    reading.calls =
        gw_arena_try_alloc(notes->arena, (count_calls(given) + 1) * sizeof(*reading.calls));
    if (reading.calls == NULL) {
        return GW_ERR_NOMEM;
    }
    size_t index = 0;
    size_t max = 0;
    yyjson_val *message = NULL;
    enum gw_err err = GW_OK;
    yyjson_arr_foreach(given, index, max, message)
    {
        err = err == GW_OK ? add_message(&reading, message) : err;
    }
    return err;
}
