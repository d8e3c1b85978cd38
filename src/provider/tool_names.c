/* SPDX-License-Identifier: MIT */
/* provider/tool_names - a list with the tools' names in front, searched from the front. */
#include "provider/tool_names.h"

#include "base/crc32.h"
#include "json/value.h"

#define CHECKSUM_BYTES 9 /* "_" and eight digits */

static bool is_letter(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool fits_at(const struct gw_tool_rule *rule, struct gw_str name, size_t at)
{
    char byte = name.ptr[at];
    return is_letter(byte) || byte == '_' || (byte == '-' && rule->takes_dash) ||
           (is_digit(byte) && (at > 0 || rule->takes_digit_first));
}

static bool fits(const struct gw_tool_rule *rule, struct gw_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!fits_at(rule, name, i)) {
            return false;
        }
    }
    return name.len > 0 && name.len <= rule->max_bytes;
}

const struct gw_tool_name *gw_tool_names_of(const struct gw_tool_names *names, struct gw_str sent)
{
    for (size_t i = 0; names != NULL && i < names->count; i++) {
        if (gw_str_eq(names->entries[i].sent, sent)) {
            return &names->entries[i];
        }
    }
    return NULL;
}

static const struct gw_tool_name *find_client(const struct gw_tool_names *names,
                                              struct gw_str client)
{
    for (size_t i = 0; i < names->count; i++) {
        if (gw_str_eq(names->entries[i].client, client)) {
            return &names->entries[i];
        }
    }
    return NULL;
}

/* A name that fits, made of |client|; ptr is NULL when there is no memory. */
static struct gw_str make_fit(const struct gw_tool_names *names, const struct gw_tool_rule *rule,
                              struct gw_str client, struct gw_arena *arena)
{
    bool needs_letter = client.len == 0 || (is_digit(client.ptr[0]) && !rule->takes_digit_first);
    size_t begin = needs_letter ? 1 : 0;
    char *name = gw_arena_try_alloc(arena, rule->max_bytes + CHECKSUM_BYTES + 1);
    if (name == NULL) {
        return gw_str(NULL, 0);
    }
    size_t len = begin + client.len < rule->max_bytes ? begin + client.len : rule->max_bytes;
    name[0] = '_';
    for (size_t i = begin; i < len; i++) {
        name[i] = (fits_at(rule, client, i - begin) || (begin > 0 && i == begin))
                      ? client.ptr[i - begin]
                      : '_';
    }
    bool is_cut = begin + client.len > rule->max_bytes;
    if (is_cut || gw_tool_names_of(names, gw_str(name, len)) != NULL) {
        size_t room = rule->max_bytes - CHECKSUM_BYTES;
        len = len < room ? len : room;
        struct gw_str sum = gw_arena_printf(arena, "_%08x", (unsigned)gw_crc32(0, client));
        memcpy(name + len, sum.ptr, sum.len < CHECKSUM_BYTES ? sum.len : CHECKSUM_BYTES);
        len += CHECKSUM_BYTES;
    }
    return gw_str(name, len);
}

/* Errors: GW_ERR_NOMEM. */
static enum gw_err grow(struct gw_tool_names *names, struct gw_arena *arena)
{
    size_t capacity = names->capacity > 0 ? 2 * names->capacity : 16;
    struct gw_tool_name *entries = gw_arena_try_alloc(arena, capacity * sizeof(*entries));
    if (entries == NULL) {
        return GW_ERR_NOMEM;
    }
    if (names->count > 0) {
        memcpy(entries, names->entries, names->count * sizeof(*entries));
    }
    names->entries = entries;
    names->capacity = capacity;
    return GW_OK;
}

/* Errors: GW_ERR_NOMEM, GW_ERR_INVALID. */
static enum gw_err add(struct gw_tool_names *names, struct gw_str client, bool is_custom,
                       const struct gw_tool_rule *rule, struct gw_notes *notes)
{
    if (find_client(names, client) != NULL) {
        return GW_OK;
    }
    if (names->count == GW_TOOL_NAMES_MAX) {
        return gw_notes_invalid(notes, GW_STR("tools"),
                                GW_STR("The request names more than 1024 tools."));
    }
    struct gw_str sent = client;
    if (!fits(rule, client) || gw_tool_names_of(names, client) != NULL) {
        sent = make_fit(names, rule, client, notes->arena);
        gw_notes_add(notes, GW_NOTE_MAPPED, GW_STR("tools[].function.name"),
                     GW_STR("Names with characters that the vendor does not take are sent with '_' "
                            "in their place; answers carry the original."));
    }
    if (sent.ptr == NULL ||
        (names->count == names->capacity && grow(names, notes->arena) != GW_OK)) {
        return GW_ERR_NOMEM;
    }
    names->entries[names->count++] =
        (struct gw_tool_name){.client = client, .sent = sent, .is_custom = is_custom};
    return GW_OK;
}

yyjson_val *gw_tool_function(yyjson_val *tool, bool *is_custom)
{
    struct gw_str type = gw_json_get_text(tool, "type");
    *is_custom = gw_str_eq(type, GW_STR("custom"));
    if (*is_custom) {
        return gw_json_get(tool, "custom");
    }
    /* Some clients leave the type out. */
    return type.ptr == NULL || gw_str_eq(type, GW_STR("function")) ? gw_json_get(tool, "function")
                                                                   : NULL;
}

/* Adds the names of an array of tools, or of tool calls: those that fit, or those that do not.
 * Errors: as add(). */
static enum gw_err add_some(struct gw_tool_names *names, yyjson_val *tools, bool that_fit,
                            const struct gw_tool_rule *rule, struct gw_notes *notes)
{
    size_t i;
    size_t count;
    yyjson_val *tool;
    yyjson_arr_foreach(tools, i, count, tool)
    {
        bool is_custom;
        struct gw_str name = gw_json_get_text(gw_tool_function(tool, &is_custom), "name");
        bool is_asked = name.ptr != NULL && fits(rule, name) == that_fit;
        enum gw_err err = is_asked ? add(names, name, is_custom, rule, notes) : GW_OK;
        if (err != GW_OK) {
            return err;
        }
    }
    return GW_OK;
}

/* Adds all of them; names that fit come first and keep what is theirs. Errors: as add(). */
static enum gw_err add_all(struct gw_tool_names *names, yyjson_val *tools,
                           const struct gw_tool_rule *rule, struct gw_notes *notes)
{
    enum gw_err err = add_some(names, tools, true, rule, notes);
    return err == GW_OK ? add_some(names, tools, false, rule, notes) : err;
}

enum gw_err gw_tool_names_read(struct gw_tool_names *names, yyjson_val *chat,
                               const struct gw_tool_rule *rule, struct gw_notes *notes)
{
    *names = (struct gw_tool_names){0};
    enum gw_err err = add_all(names, gw_json_get(chat, "tools"), rule, notes);
    size_t i;
    size_t count;
    yyjson_val *message;
    yyjson_arr_foreach(gw_json_get(chat, "messages"), i, count, message)
    {
        if (err != GW_OK) {
            break;
        }
        err = add_all(names, gw_json_get(message, "tool_calls"), rule, notes);
    }
    return err;
}

enum gw_err gw_tool_names_keep(struct gw_tool_names *names, struct gw_arena *arena)
{
    for (size_t i = 0; i < names->count; i++) {
        struct gw_tool_name *entry = &names->entries[i];
        bool is_same = entry->client.ptr == entry->sent.ptr;
        entry->client = gw_arena_try_dup(arena, entry->client);
        entry->sent = is_same ? entry->client : entry->sent;
        if (entry->client.ptr == NULL) {
            return GW_ERR_NOMEM;
        }
    }
    return GW_OK;
}

struct gw_str gw_tool_names_sent(const struct gw_tool_names *names, struct gw_str client)
{
    const struct gw_tool_name *entry = find_client(names, client);
    return entry != NULL ? entry->sent : client;
}
