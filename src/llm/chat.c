/* SPDX-License-Identifier: MIT */
/* llm/chat - reading the neutral request. */
#include "llm/chat.h"

#include "json/value.h"

enum gw_role gw_chat_role(yyjson_val *message)
{
    static const struct {
        struct gw_str name;
        enum gw_role role;
    } roles[] = {
        {GW_STR_INIT("user"), GW_ROLE_USER},     {GW_STR_INIT("assistant"), GW_ROLE_ASSISTANT},
        {GW_STR_INIT("tool"), GW_ROLE_TOOL},     {GW_STR_INIT("function"), GW_ROLE_TOOL},
        {GW_STR_INIT("system"), GW_ROLE_SYSTEM}, {GW_STR_INIT("developer"), GW_ROLE_SYSTEM},
    };
    struct gw_str name = gw_json_get_text(message, "role");
    for (size_t i = 0; i < GW_ARRAY_LEN(roles); i++) {
        if (gw_str_eq(name, roles[i].name)) {
            return roles[i].role;
        }
    }
    return GW_ROLE_OTHER;
}

uint64_t gw_chat_max_tokens(yyjson_val *chat)
{
    uint64_t most = gw_json_get_u64(chat, "max_completion_tokens", 0);
    return most > 0 ? most : gw_json_get_u64(chat, "max_tokens", 0);
}

struct gw_chat_parts gw_chat_parts_of(yyjson_val *content)
{
    struct gw_chat_parts parts = {.content = content, .is_text_pending = yyjson_is_str(content)};
    yyjson_arr_iter_init(content, &parts.iter);
    return parts;
}

bool gw_chat_parts_next(struct gw_chat_parts *parts, struct gw_chat_part *part)
{
    if (parts->is_text_pending) {
        parts->is_text_pending = false;
        *part = (struct gw_chat_part){.type = GW_STR("text"), .text = gw_json_text(parts->content)};
        return true;
    }
    if (!yyjson_is_arr(parts->content)) {
        return false;
    }
    yyjson_val *value = yyjson_arr_iter_next(&parts->iter);
    if (value == NULL) {
        return false;
    }
    *part = (struct gw_chat_part){.type = gw_json_get_text(value, "type"), .value = value};
    if (yyjson_is_str(value)) { /* some clients send bare strings among the parts */
        *part = (struct gw_chat_part){.type = GW_STR("text"), .text = gw_json_text(value)};
    } else if (gw_str_eq(part->type, GW_STR("text"))) {
        part->text = gw_json_get_text(value, "text");
        part->text.ptr = part->text.ptr != NULL ? part->text.ptr : "";
    }
    return true;
}

bool gw_data_url_split(struct gw_str url, struct gw_data_url *out)
{
    static const struct gw_str scheme = GW_STR_INIT("data:");
    static const struct gw_str marker = GW_STR_INIT(";base64,");
    if (!gw_str_has_prefix_nocase(url, scheme)) {
        return false;
    }
    struct gw_str rest = gw_str_skip(url, scheme.len);
    /* The head ends at the first comma; what is behind may be megabytes. */
    size_t comma = gw_str_find_byte(rest, ',');
    if (comma == rest.len || comma + 1 < marker.len) {
        return false;
    }
    size_t at = comma + 1 - marker.len;
    if (!gw_str_eq_nocase(gw_str(rest.ptr + at, marker.len), marker)) {
        return false;
    }
    struct gw_str type = gw_str(rest.ptr, at);
    out->mime_type = gw_str(type.ptr, gw_str_find_byte(type, ';'));
    out->base64 = gw_str_skip(rest, comma + 1);
    return true;
}

struct gw_str gw_chat_image_url(yyjson_val *part)
{
    yyjson_val *image = gw_json_get(part, "image_url");
    return yyjson_is_str(image) ? gw_json_text(image) : gw_json_get_text(image, "url");
}
