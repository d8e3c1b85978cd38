/* SPDX-License-Identifier: MIT */
/* dialect/responses_tools - tools and the choice among them. */
#include "dialect/responses_int.h"

#include "json/value.h"
#include "json/write.h"

#define PREFIX_BYTES 55 /* of a flat name that is cut: "_" and 8 digits follow */

/* FNV-1a: the same in every process and for ever, as prompt caches want it. */
static uint32_t checksum(struct gw_str a, struct gw_str b)
{
    uint32_t sum = 2166136261u;
    for (size_t i = 0; i < a.len + b.len; i++) {
        unsigned char byte = (unsigned char)(i < a.len ? a.ptr[i] : b.ptr[i - a.len]);
        sum = (sum ^ byte) * 16777619u;
    }
    return sum;
}

struct gw_str gw_responses_flat_name(struct gw_str name_space, struct gw_str name,
                                     char text[GW_RESPONSES_FLAT_NAME + 1])
{
    static const char digits[] = "0123456789abcdef";
    if (name_space.len == 0) {
        return name;
    }
    size_t len = 0;
    size_t whole = name_space.len + 2 + name.len;
    size_t room = whole <= GW_RESPONSES_FLAT_NAME ? whole : PREFIX_BYTES;
    for (size_t i = 0; i < whole && len < room; i++) {
        text[len++] = i < name_space.len       ? name_space.ptr[i]
                      : i < name_space.len + 2 ? '_'
                                               : name.ptr[i - name_space.len - 2];
    }
    if (whole > GW_RESPONSES_FLAT_NAME) {
        uint32_t sum = checksum(name_space, name);
        text[len++] = '_';
        for (int shift = 28; shift >= 0; shift -= 4) {
            text[len++] = digits[(sum >> shift) & 15];
        }
    }
    return gw_str(text, len);
}

/* ---- the list ---- */

/* Is there a tool of that name already? Else it is remembered. */
static bool is_repeated(struct gw_responses_chat *chat, struct gw_str name)
{
    uint64_t hash = gw_str_hash(name);
    for (size_t at = 0; at < chat->seen.len; at += sizeof(hash)) {
        if (memcmp(chat->seen.ptr + at, &hash, sizeof(hash)) == 0) {
            return true;
        }
    }
    (void)gw_buf_append(&chat->seen, gw_str((const char *)&hash, sizeof(hash)));
    return false;
}

static void write_members(yyjson_val *tool, const char *const *members, size_t count,
                          struct gw_buf *out)
{
    for (size_t i = 0; i < count; i++) {
        yyjson_val *value = gw_json_get(tool, members[i]);
        if (value != NULL) {
            gw_json_write_key(gw_str_from_c(members[i]), out);
            gw_json_write(value, out);
        }
    }
}

/* |lead| is what describes the namespace, before its first tool; or empty. */
static void write_description(yyjson_val *tool, struct gw_str lead, struct gw_buf *out)
{
    struct gw_str own = gw_json_get_text(tool, "description");
    if (lead.len == 0) {
        gw_json_write_optional(GW_STR("description"), own, out);
        return;
    }
    gw_json_write_key(GW_STR("description"), out);
    (void)gw_buf_append_byte(out, '"');
    (void)gw_buf_append_json(out, lead);
    (void)gw_buf_append(out, own.len > 0 ? GW_STR("\\n\\n") : GW_STR(""));
    (void)gw_buf_append_json(out, own);
    (void)gw_buf_append_byte(out, '"');
}

static void write_function(yyjson_val *tool, struct gw_str name, struct gw_str lead,
                           struct gw_buf *out)
{
    static const char *const members[] = {"parameters", "strict"};
    (void)gw_buf_append(out, GW_STR("{\"type\":\"function\",\"function\":{"));
    gw_json_write_member(GW_STR("name"), name, out);
    write_description(tool, lead, out);
    write_members(tool, members, GW_ARRAY_LEN(members), out);
    (void)gw_buf_append(out, GW_STR("}}"));
}

/* Responses has a grammar's members beside its type, chat completions one level deeper. */
static void write_custom_format(yyjson_val *format, struct gw_buf *out)
{
    static const char *const members[] = {"syntax", "definition"};
    if (format == NULL) {
        return;
    }
    gw_json_write_key(GW_STR("format"), out);
    if (!gw_json_is(gw_json_get(format, "type"), GW_STR("grammar")) ||
        gw_json_get(format, "grammar") != NULL) {
        gw_json_write(format, out);
        return;
    }
    (void)gw_buf_append(out, GW_STR("{\"type\":\"grammar\",\"grammar\":{"));
    write_members(format, members, GW_ARRAY_LEN(members), out);
    (void)gw_buf_append(out, GW_STR("}}"));
}

static void write_custom(yyjson_val *tool, struct gw_str name, struct gw_str lead,
                         struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("{\"type\":\"custom\",\"custom\":{"));
    gw_json_write_member(GW_STR("name"), name, out);
    write_description(tool, lead, out);
    write_custom_format(gw_json_get(tool, "format"), out);
    (void)gw_buf_append(out, GW_STR("}}"));
}

static void note_namespace(struct gw_responses_chat *chat, struct gw_str flat,
                           struct gw_str name_space, struct gw_str name)
{
    struct gw_buf *out = &chat->namespaces;
    gw_json_write_next(out);
    gw_json_write_text(flat, out);
    (void)gw_buf_append(out, GW_STR(":{"));
    gw_json_write_member(GW_STR("namespace"), name_space, out);
    gw_json_write_member(GW_STR("name"), name, out);
    (void)gw_buf_append_byte(out, '}');
}

static void note_loading(struct gw_responses_chat *chat, yyjson_val *tool)
{
    if (gw_json_get_true(tool, "defer_loading")) {
        gw_notes_add(chat->notes, GW_NOTE_MAPPED, GW_STR("tools[].defer_loading"),
                     GW_STR("the tool is shown to the model at once."));
    }
}

/* Tools in a namespace become tools with its name in theirs; what describes it goes with the first.
 */
struct name_space {
    struct gw_str name; /* empty: none */
    struct gw_str description;
};

static void add_own(struct gw_responses_chat *chat, yyjson_val *tool, struct name_space *space,
                    bool is_custom)
{
    char text[GW_RESPONSES_FLAT_NAME + 1];
    struct gw_str name = gw_json_get_text(tool, "name");
    struct gw_str flat = gw_responses_flat_name(space->name, name, text);
    if (is_repeated(chat, flat)) {
        return;
    }
    if (space->name.len > 0) {
        note_namespace(chat, flat, space->name, name);
    }
    note_loading(chat, tool);
    gw_json_write_next(&chat->tools);
    if (is_custom) {
        write_custom(tool, flat, space->description, &chat->tools);
    } else {
        write_function(tool, flat, space->description, &chat->tools);
    }
    space->description = gw_str(NULL, 0);
}

static void drop_tool(struct gw_responses_chat *chat, struct gw_str type)
{
    gw_notes_add(chat->notes, GW_NOTE_DROPPED,
                 gw_arena_printf(chat->notes->arena, "tools[].type=" GW_STR_FMT,
                                 GW_STR_ARG(type.len <= 64 ? type : GW_STR("?"))),
                 GW_STR("the model's provider has no such tool of its own."));
}

/* A tool of the list, or one inside a namespace. */
static enum gw_err add_tool(struct gw_responses_chat *chat, yyjson_val *tool,
                            struct name_space *space)
{
    struct gw_str type = gw_json_get_text(tool, "type");
    if (chat->seen.len >= GW_RESPONSES_MAX_TOOLS * sizeof(uint64_t)) {
        return gw_notes_invalid(chat->notes, GW_STR("tools"),
                                GW_STR("There are more than 2048 tools; send fewer."));
    }
    if (gw_str_eq(type, GW_STR("function")) || gw_str_eq(type, GW_STR("custom"))) {
        add_own(chat, tool, space, gw_str_eq(type, GW_STR("custom")));
    } else {
        drop_tool(chat, type);
    }
    return GW_OK;
}

enum gw_err gw_responses_add_tools(struct gw_responses_chat *chat, yyjson_val *tools)
{
    enum gw_err err = GW_OK;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *tool = NULL;
    yyjson_arr_foreach(tools, index, max, tool)
    {
        struct name_space space = {.name = gw_str(NULL, 0)};
        if (!gw_json_is(gw_json_get(tool, "type"), GW_STR("namespace"))) {
            err = err == GW_OK ? add_tool(chat, tool, &space) : err;
            continue;
        }
        space.name = gw_json_get_text(tool, "name");
        space.description = gw_json_get_text(tool, "description");
        size_t inner_index = 0;
        size_t inner_max = 0;
        yyjson_val *inner = NULL;
        yyjson_arr_foreach(gw_json_get(tool, "tools"), inner_index, inner_max, inner)
        {
            err = err == GW_OK ? add_tool(chat, inner, &space) : err;
        }
    }
    return err;
}

/* ---- the choice ---- */

/* {"type":"function","name"} becomes {"type":"function","function":{"name"}}; false when it names
 * no tool that was kept. */
static bool write_named(yyjson_val *choice, struct gw_buf *out)
{
    char text[GW_RESPONSES_FLAT_NAME + 1];
    struct gw_str type = gw_json_get_text(choice, "type");
    struct gw_str name = gw_responses_flat_name(gw_json_get_text(choice, "namespace"),
                                                gw_json_get_text(choice, "name"), text);
    if (name.len == 0 ||
        !(gw_str_eq(type, GW_STR("function")) || gw_str_eq(type, GW_STR("custom")))) {
        return false;
    }
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_member(GW_STR("type"), type, out);
    gw_json_write_key(type, out);
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_member(GW_STR("name"), name, out);
    (void)gw_buf_append(out, GW_STR("}}"));
    return true;
}

static void write_allowed(struct gw_responses_chat *chat, yyjson_val *choice, struct gw_buf *out)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *tool = NULL;
    (void)gw_buf_append(out, GW_STR("{\"type\":\"allowed_tools\",\"allowed_tools\":{"));
    gw_json_write_optional(GW_STR("mode"), gw_json_get_text(choice, "mode"), out);
    gw_json_write_key(GW_STR("tools"), out);
    (void)gw_buf_append_byte(out, '[');
    yyjson_arr_foreach(gw_json_get(choice, "tools"), index, max, tool)
    {
        size_t before = out->len;
        gw_json_write_next(out);
        if (!write_named(tool, out)) {
            out->len = before < out->len ? before : out->len;
            gw_notes_add(chat->notes, GW_NOTE_DROPPED, GW_STR("tool_choice.tools[]"),
                         GW_STR("the model's provider has no such tool of its own."));
        }
    }
    (void)gw_buf_append(out, GW_STR("]}}"));
}

static void write_choice(struct gw_responses_chat *chat, yyjson_val *choice, struct gw_buf *out)
{
    gw_json_write_key(GW_STR("tool_choice"), out);
    if (yyjson_is_str(choice)) {
        gw_json_write(choice, out);
    } else if (gw_json_is(gw_json_get(choice, "type"), GW_STR("allowed_tools"))) {
        write_allowed(chat, choice, out);
    } else if (!write_named(choice, out)) {
        gw_notes_add(chat->notes, GW_NOTE_CHANGED, GW_STR("tool_choice"),
                     GW_STR("the model's provider has no such tool; the model chooses."));
        (void)gw_buf_append(out, GW_STR("\"auto\""));
    }
}

void gw_responses_write_tools(struct gw_responses_chat *chat, yyjson_val *root, struct gw_buf *out)
{
    yyjson_val *choice = gw_json_get(root, "tool_choice");
    yyjson_val *parallel = gw_json_get(root, "parallel_tool_calls");
    if (chat->tools.len == 0) { /* OpenAI refuses the others without tools */
        return;
    }
    (void)gw_buf_append(out, GW_STR(",\"tools\":["));
    (void)gw_buf_append(out, gw_buf_str(&chat->tools));
    (void)gw_buf_append_byte(out, ']');
    if (choice != NULL) {
        write_choice(chat, choice, out);
    }
    if (parallel != NULL) {
        gw_json_write_key(GW_STR("parallel_tool_calls"), out);
        gw_json_write(parallel, out);
    }
}
