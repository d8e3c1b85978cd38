/* SPDX-License-Identifier: MIT */
/* dialect/anthropic_chat - a Messages request as the neutral one: all but the conversation
 * (inbound.md A3, A4). */
#include "dialect/anthropic_int.h"
#include "json/value.h"
#include "json/write.h"

/* Texts stand twice at most (thinking), quotes in arguments double, each block gains some words. */
#define GROWTH      8
#define SPARE_BYTES (64u * 1024)

#define NOTED_NAME_BYTES 64 /* longer names are noise, and notes go into a field */

#define USER_BYTES 64 /* longer names of users are refused by OpenAI */

static void note(struct gw_messages_chat *chat, enum gw_note_kind kind, struct gw_str param,
                 struct gw_str text)
{
    gw_notes_add(chat->notes, kind, param, text);
}

static void copy(yyjson_val *root, const char *from, const char *to, struct gw_buf *out)
{
    yyjson_val *value = gw_json_get(root, from);
    if (value != NULL) {
        gw_json_write_key(gw_str_from_c(to), out);
        gw_json_write(value, out);
    }
}

/* ---- tools ---- */

static bool is_function(yyjson_val *tool)
{
    struct gw_str type = gw_json_get_text(tool, "type");
    return type.len == 0 || gw_str_eq(type, GW_STR("custom"));
}

static void write_tool(yyjson_val *tool, struct gw_buf *out)
{
    gw_json_write_next(out);
    if (!is_function(tool)) {
        gw_json_write(tool, out);
        return;
    }
    (void)gw_buf_append(out, GW_STR("{\"type\":\"function\",\"function\":{"));
    gw_json_write_member(GW_STR("name"), gw_json_get_text(tool, "name"), out);
    copy(tool, "description", "description", out);
    copy(tool, "input_schema", "parameters", out);
    copy(tool, "strict", "strict", out);
    (void)gw_buf_append_byte(out, '}');
    copy(tool, "cache_control", "cache_control", out);
    (void)gw_buf_append_byte(out, '}');
}

static void write_choice(yyjson_val *choice, struct gw_buf *out)
{
    struct gw_str type = gw_json_get_text(choice, "type");
    if (gw_str_eq(type, GW_STR("tool"))) {
        gw_json_write_raw(GW_STR("tool_choice"), GW_STR("{\"type\":\"function\",\"function\":{"),
                          out);
        gw_json_write_member(GW_STR("name"), gw_json_get_text(choice, "name"), out);
        (void)gw_buf_append(out, GW_STR("}}"));
    } else if (gw_str_eq(type, GW_STR("any"))) {
        gw_json_write_member(GW_STR("tool_choice"), GW_STR("required"), out);
    } else {
        gw_json_write_optional(GW_STR("tool_choice"), type, out);
    }
    if (gw_json_get_true(choice, "disable_parallel_tool_use")) {
        gw_json_write_raw(GW_STR("parallel_tool_calls"), GW_STR("false"), out);
    }
}

void gw_messages_write_tools(struct gw_messages_chat *chat, yyjson_val *root)
{
    yyjson_val *tools = gw_json_get(root, "tools");
    yyjson_val *tool = NULL;
    size_t index = 0;
    size_t max = 0;
    if (!yyjson_is_arr(tools) || yyjson_arr_size(tools) == 0) {
        return;
    }
    gw_json_write_raw(GW_STR("tools"), GW_STR("["), chat->out);
    yyjson_arr_foreach(tools, index, max, tool)
    {
        write_tool(tool, chat->out);
    }
    (void)gw_buf_append_byte(chat->out, ']');
    write_choice(gw_json_get(root, "tool_choice"), chat->out);
}

/* ---- thinking and the answer's form ---- */

static struct gw_str effort_of(yyjson_val *root)
{
    yyjson_val *thinking = gw_json_get(root, "thinking");
    struct gw_str type = gw_json_get_text(thinking, "type");
    struct gw_str effort = gw_json_get_text(gw_json_get(root, "output_config"), "effort");
    uint64_t budget = gw_json_get_u64(thinking, "budget_tokens", 0);
    if (gw_str_eq(type, GW_STR("disabled"))) {
        return GW_STR("none");
    }
    if (effort.len > 0 || !gw_str_eq(type, GW_STR("enabled"))) {
        return effort;
    }
    return budget < 2048 ? GW_STR("low") : budget < 8192 ? GW_STR("medium") : GW_STR("high");
}

static void write_format(yyjson_val *root, struct gw_buf *out)
{
    yyjson_val *format = gw_json_get(gw_json_get(root, "output_config"), "format");
    format = format != NULL ? format : gw_json_get(root, "output_format"); /* its older name */
    yyjson_val *schema = gw_json_get(format, "schema");
    if (schema != NULL) {
        gw_json_write_raw(GW_STR("response_format"),
                          GW_STR("{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"output\","
                                 "\"schema\":"),
                          out);
        gw_json_write(schema, out);
        (void)gw_buf_append(out, GW_STR(",\"strict\":true}}"));
    }
}

/* ---- the rest ---- */

/* FNV-1a: the same name always gives the same sum, in every process. */
static uint64_t sum_of(struct gw_str text)
{
    uint64_t sum = 0xcbf29ce484222325u;
    for (size_t i = 0; i < text.len; i++) {
        sum = (sum ^ (unsigned char)text.ptr[i]) * 0x100000001b3u;
    }
    return sum;
}

/* Coding agents send a whole JSON text as the user's name. */
static void write_user(yyjson_val *root, struct gw_buf *out)
{
    struct gw_str user = gw_json_get_text(gw_json_get(root, "metadata"), "user_id");
    if (user.len > USER_BYTES) {
        gw_json_write_key(GW_STR("user"), out);
        (void)gw_buf_appendf(out, "\"user-%016llx\"", (unsigned long long)sum_of(user));
    } else {
        gw_json_write_optional(GW_STR("user"), user, out);
    }
}

static void write_service_tier(yyjson_val *root, struct gw_buf *out)
{
    struct gw_str tier = gw_json_get_text(root, "service_tier");
    bool is_standard = gw_str_eq(tier, GW_STR("standard_only"));
    gw_json_write_optional(GW_STR("service_tier"), is_standard ? GW_STR("default") : tier, out);
}

static void write_betas(const struct gw_inbound *in, struct gw_buf *out)
{
    bool is_open = false;
    for (size_t i = 0; i < in->header_count; i++) {
        struct gw_str rest = in->headers[i].value;
        struct gw_str beta;
        if (!gw_str_eq(in->headers[i].name, GW_STR("anthropic-beta"))) {
            continue;
        }
        while (gw_str_split(&rest, ',', &beta)) {
            beta = gw_str_trim(beta);
            if (beta.len == 0) {
                continue;
            }
            if (!is_open) {
                gw_json_write_raw(GW_STR("anthropic_beta"), GW_STR("["), out);
                is_open = true;
            }
            gw_json_write_next(out);
            gw_json_write_text(beta, out);
        }
    }
    if (is_open) {
        (void)gw_buf_append_byte(out, ']');
    }
}

static bool is_one_of(yyjson_val *key, const char *const names[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (yyjson_equals_str(key, names[i])) {
            return true;
        }
    }
    return false;
}

/* Notes the members of |object| that are not |known|; |prefix| stands before their names. */
static void note_others(struct gw_messages_chat *chat, yyjson_val *object, const char *prefix,
                        const char *const known[], size_t count)
{
    yyjson_obj_iter iter = yyjson_obj_iter_with(object);
    for (yyjson_val *key = yyjson_obj_iter_next(&iter); key != NULL;
         key = yyjson_obj_iter_next(&iter)) {
        yyjson_val *value = yyjson_obj_iter_get_val(key);
        struct gw_str name = gw_json_text(key);
        bool is_nothing = yyjson_is_null(value) || yyjson_is_false(value);
        if (!is_nothing && name.len <= NOTED_NAME_BYTES && !is_one_of(key, known, count)) {
            note(chat, GW_NOTE_DROPPED,
                 gw_arena_printf(chat->notes->arena, "%s" GW_STR_FMT, prefix, GW_STR_ARG(name)),
                 GW_STR("only Anthropic's own API knows it"));
        }
    }
}

static void note_dropped(struct gw_messages_chat *chat, yyjson_val *root)
{
    /* cache_control is for Anthropic's cache alone, and changes no answer. */
    static const char *const known[] = {
        "model",        "messages",       "system",        "max_tokens",     "temperature",
        "top_p",        "top_k",          "stream",        "stop_sequences", "thinking",
        "metadata",     "output_config",  "output_format", "service_tier",   "tools",
        "tool_choice",  "anthropic_beta", "betas",         "mcp_servers",    "anthropic_version",
        "cache_control"};
    static const char *const tool_known[] = {"name", "description", "input_schema",
                                             "type", "strict",      "cache_control"};
    yyjson_val *tool = NULL;
    size_t index = 0;
    size_t max = 0;
    note_others(chat, root, "", known, GW_ARRAY_LEN(known));
    yyjson_arr_foreach(gw_json_get(root, "tools"), index, max, tool)
    {
        if (is_function(tool)) {
            note_others(chat, tool, "tools[].", tool_known, GW_ARRAY_LEN(tool_known));
        }
    }
}

static enum gw_err write_chat(struct gw_messages_chat *chat, const struct gw_inbound *in,
                              yyjson_val *root)
{
    struct gw_buf *out = chat->out;
    yyjson_val *servers = gw_json_get(root, "mcp_servers");
    if (yyjson_arr_size(servers) > 0) {
        enum gw_err err = gw_notes_refuse(chat->notes, GW_STR("mcp_servers"),
                                          GW_STR("only Anthropic's own API calls MCP servers."));
        if (err != GW_OK) {
            return err;
        }
    }
    /* The rest of the conversation is with Anthropic: without it the question is another one. */
    if (gw_json_is(gw_json_get(gw_json_get(root, "thread"), "type"), GW_STR("continue"))) {
        enum gw_err err = gw_notes_refuse(chat->notes, GW_STR("thread"),
                                          GW_STR("only Anthropic's own API keeps threads. Send the "
                                                 "whole conversation."));
        if (err != GW_OK) {
            return err;
        }
    }
    (void)gw_buf_append_byte(out, '{');
    copy(root, "model", "model", out);
    copy(root, "max_tokens", "max_completion_tokens", out);
    copy(root, "temperature", "temperature", out);
    copy(root, "top_p", "top_p", out);
    copy(root, "top_k", "top_k", out);
    copy(root, "stop_sequences", "stop", out);
    gw_json_write_optional(GW_STR("reasoning_effort"), effort_of(root), out);
    copy(root, "thinking", "thinking", out);
    write_format(root, out);
    write_user(root, out);
    write_service_tier(root, out);
    write_betas(in, out);
    copy(root, "stream", "stream", out);
    gw_messages_write_tools(chat, root);
    note_dropped(chat, root);
    enum gw_err err = gw_messages_write_turns(chat, root);
    (void)gw_buf_append_byte(out, '}');
    return err != GW_OK ? err : out->err;
}

static enum gw_err parse(struct gw_str text, yyjson_doc **chat)
{
    yyjson_read_err why = {0};
    /* yyjson wants a mutable pointer but does not write without YYJSON_READ_INSITU. */
    yyjson_doc *doc =
        yyjson_read_opts((char *)(uintptr_t)text.ptr, text.len, 0, &gw_json_allocator, &why);
    if (doc == NULL) {
        return why.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION ? GW_ERR_NOMEM : GW_ERR_INVALID;
    }
    *chat = doc;
    return GW_OK;
}

enum gw_err gw_messages_to_chat(const struct gw_inbound *in, const struct gw_llm_request *request,
                                struct gw_notes *notes, yyjson_doc **chat)
{
    (void)request;
    yyjson_doc *body = NULL;
    struct gw_buf text;
    struct gw_messages_chat writing = {.notes = notes, .out = &text};
    enum gw_err err = parse(in->body, &body);
    if (err == GW_ERR_INVALID) {
        return gw_notes_invalid(notes, GW_STR(""),
                                GW_STR("The request body cannot be translated: it is not valid "
                                       "JSON, or a text in it has half a surrogate pair."));
    }
    if (err != GW_OK) {
        return err;
    }
    gw_buf_init(&text, in->body.len * GROWTH + SPARE_BYTES);
    err = write_chat(&writing, in, yyjson_doc_get_root(body));
    yyjson_doc_free(body);
    if (err == GW_OK) {
        err = parse(gw_buf_str(&text), chat);
        /* Our own text; only memory can fail it. */
        err = err == GW_ERR_INVALID ? GW_ERR_NOMEM : err;
    }
    gw_buf_fini(&text);
    return err;
}
