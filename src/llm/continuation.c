/* SPDX-License-Identifier: MIT */
/* llm/continuation - who can, and the messages with one more. */
#include "llm/continuation.h"

#include <stddef.h>
#include <string.h>

#include "llm/chat.h"
#include "json/value.h"

/* ---- who can ---- */

/* The number at the front of *text, cut off; 0 when there is none or when it is a date. */
static unsigned cut_number(struct gw_str *text)
{
    unsigned number = 0;
    size_t len = 0;
    while (len < text->len && text->ptr[len] >= '0' && text->ptr[len] <= '9') {
        number = len < 2 ? number * 10 + (unsigned)(text->ptr[len] - '0') : number;
        len++;
    }
    *text = gw_str_skip(*text, len);
    return len <= 2 ? number : 0;
}

/* "-4-5-20251101" and "-4.5": 405. */
static unsigned version_of(struct gw_str text)
{
    if (text.len == 0 || text.ptr[0] != '-') {
        return 0;
    }
    text = gw_str_skip(text, 1);
    unsigned major = cut_number(&text);
    bool has_minor = text.len > 1 && (text.ptr[0] == '-' || text.ptr[0] == '.');
    text = gw_str_skip(text, has_minor ? 1 : 0);
    return major * 100 + (has_minor ? cut_number(&text) : 0);
}

/* Claude takes a prefill up to Opus 4.5, Sonnet 4.5 and Haiku 4.5; whose version the name does not
 * tell may be a newer one. */
static bool is_prefillable_claude(struct gw_str model)
{
    static const struct {
        struct gw_str family;
        unsigned refused_from;
    } families[] = {
        {GW_STR_INIT("-opus"), 406},
        {GW_STR_INIT("-sonnet"), 406},
        {GW_STR_INIT("-haiku"), 500},
    };
    static const struct gw_str claude = GW_STR_INIT("claude");
    size_t at = gw_str_find(model, claude);
    if (at == model.len) {
        return false;
    }
    struct gw_str rest = gw_str_skip(model, at + claude.len);
    if (rest.len > 1 && rest.ptr[0] == '-' && (rest.ptr[1] == '2' || rest.ptr[1] == '3')) {
        return true; /* the old names: "claude-3-5-sonnet-20241022" */
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(families); i++) {
        if (gw_str_has_prefix(rest, families[i].family)) {
            unsigned version = version_of(gw_str_skip(rest, families[i].family.len));
            return version > 0 && version < families[i].refused_from;
        }
    }
    return false;
}

/* Amazon's guide says it for the first generation only. */
static bool is_first_nova(struct gw_str model)
{
    static const struct gw_str names[] = {GW_STR_INIT("nova-micro-v1"), GW_STR_INIT("nova-lite-v1"),
                                          GW_STR_INIT("nova-pro-v1"),
                                          GW_STR_INIT("nova-premier-v1")};
    for (size_t i = 0; i < GW_ARRAY_LEN(names); i++) {
        if (gw_str_find(model, names[i]) < model.len) {
            return true;
        }
    }
    return false;
}

static bool is_provider(const struct gw_continuation_target *target, const char *name)
{
    return gw_str_eq(target->provider, gw_str_from_c(name));
}

/* What |chat| says of reasoning: 1 it is wanted, 0 it is switched off, -1 nothing. */
static int wanted_thinking(yyjson_val *chat)
{
    yyjson_val *type = gw_json_get(gw_json_get(chat, "thinking"), "type");
    struct gw_str effort = gw_json_get_text(chat, "reasoning_effort");
    if (type != NULL) {
        return gw_json_is(type, GW_STR("disabled")) ? 0 : 1;
    }
    if (effort.ptr != NULL) {
        return gw_str_eq(effort, GW_STR("none")) ? 0 : 1;
    }
    return -1;
}

/* A form of the whole answer that is not checked across a seam, or refused with a prefix. */
static bool has_format(yyjson_val *chat)
{
    yyjson_val *type = gw_json_get(gw_json_get(chat, "response_format"), "type");
    return type != NULL && !gw_json_is(type, GW_STR("text"));
}

static yyjson_val *last_message(yyjson_val *chat)
{
    return yyjson_arr_get_last(gw_json_get(chat, "messages"));
}

/* The client may have begun the answer itself; then its text and ours are one. */
static bool can_end(yyjson_val *chat)
{
    yyjson_val *last = last_message(chat);
    if (gw_chat_role(last) != GW_ROLE_ASSISTANT) {
        return last != NULL;
    }
    return yyjson_is_str(gw_json_get(last, "content")) && gw_json_get(last, "tool_calls") == NULL;
}

static bool takes_prefix(const struct gw_continuation_target *target, int thinking)
{
    if (is_provider(target, "anthropic") || is_provider(target, "vertex_ai")) {
        return thinking != 1 && is_prefillable_claude(target->model);
    }
    if (is_provider(target, "bedrock")) {
        return thinking != 1 &&
               (is_prefillable_claude(target->model) || is_first_nova(target->model));
    }
    if (is_provider(target, "mistral")) {
        return thinking != 1 && !gw_str_has_prefix(target->model, GW_STR("magistral"));
    }
    if (is_provider(target, "deepseek")) { /* thinks unless told not to */
        return thinking == 0 && gw_str_has_suffix(target->base_path, GW_STR("/beta"));
    }
    /* llama.cpp refuses a prefix for a model that thinks. */
    return thinking != 1 && (is_provider(target, "vllm") || is_provider(target, "llamacpp"));
}

bool gw_continuation_is_possible(const struct gw_continuation_target *target, yyjson_val *chat)
{
    return can_end(chat) && !has_format(chat) && gw_json_get_u64(chat, "n", 1) == 1 &&
           takes_prefix(target, wanted_thinking(chat));
}

bool gw_continuation_repeats(const struct gw_continuation_target *target)
{
    return is_provider(target, "mistral");
}

/* ---- the request ---- */

struct gw_str gw_continuation_prefix(struct gw_str delivered)
{
    while (delivered.len > 0 &&
           memchr(" \t\r\n\f\v", delivered.ptr[delivered.len - 1], 6) != NULL) {
        delivered.len--;
    }
    return delivered;
}

static bool add_prefix(yyjson_mut_doc *doc, yyjson_mut_val *messages, struct gw_str prefix)
{
    yyjson_mut_val *message = yyjson_mut_obj(doc);
    return yyjson_mut_obj_add_str(doc, message, "role", "assistant") &&
           gw_json_add_text(doc, message, "content", prefix) &&
           yyjson_mut_obj_add_bool(doc, message, "prefix", true) &&
           yyjson_mut_arr_append(messages, message);
}

/* The client's own beginning of the answer and what followed, as one message. */
static bool add_joined(yyjson_mut_doc *doc, yyjson_mut_val *messages, struct gw_str own,
                       struct gw_str delivered)
{
    struct gw_buf joined;
    gw_buf_init(&joined, own.len + delivered.len);
    (void)gw_buf_append(&joined, own);
    (void)gw_buf_append(&joined, delivered);
    bool ok = joined.err == GW_OK &&
              add_prefix(doc, messages, gw_continuation_prefix(gw_buf_str(&joined)));
    gw_buf_fini(&joined);
    return ok;
}

static yyjson_mut_val *make_messages(yyjson_mut_doc *doc, yyjson_val *messages,
                                     struct gw_str delivered)
{
    yyjson_mut_val *made = yyjson_mut_arr(doc);
    yyjson_val *message = NULL;
    size_t index = 0;
    size_t count = 0;
    bool ok = made != NULL;
    yyjson_arr_foreach(messages, index, count, message)
    {
        bool is_own = index + 1 == count && gw_chat_role(message) == GW_ROLE_ASSISTANT;
        if (is_own) {
            ok = ok && add_joined(doc, made, gw_json_get_text(message, "content"), delivered);
            delivered = gw_str(NULL, 0);
        } else {
            ok = ok && yyjson_mut_arr_append(made, yyjson_val_mut_copy(doc, message));
        }
    }
    struct gw_str prefix = gw_continuation_prefix(delivered);
    ok = ok && (prefix.len == 0 || add_prefix(doc, made, prefix));
    return ok ? made : NULL;
}

static yyjson_mut_val *make_limit(yyjson_mut_doc *doc, yyjson_val *limit, uint64_t delivered_tokens)
{
    uint64_t tokens = yyjson_get_uint(limit);
    if (!yyjson_is_uint(limit)) {
        return yyjson_val_mut_copy(doc, limit);
    }
    return yyjson_mut_uint(doc, tokens > delivered_tokens ? tokens - delivered_tokens : 1);
}

enum gw_err gw_continuation_make(yyjson_val *chat, struct gw_str delivered,
                                 uint64_t delivered_tokens, yyjson_doc **continued)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(&gw_json_allocator);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    size_t index = 0;
    size_t max = 0;
    bool ok = root != NULL;
    yyjson_obj_foreach(chat, index, max, key, value)
    {
        yyjson_mut_val *made = NULL;
        if (yyjson_equals_str(key, "messages")) {
            made = make_messages(doc, value, delivered);
        } else if (yyjson_equals_str(key, "max_tokens") ||
                   yyjson_equals_str(key, "max_completion_tokens")) {
            made = make_limit(doc, value, delivered_tokens);
        } else {
            made = yyjson_val_mut_copy(doc, value);
        }
        ok = ok && yyjson_mut_obj_add(root, yyjson_val_mut_copy(doc, key), made);
    }
    yyjson_mut_doc_set_root(doc, root);
    yyjson_doc *made = ok ? yyjson_mut_doc_imut_copy(doc, &gw_json_allocator) : NULL;
    yyjson_mut_doc_free(doc);
    if (made == NULL) {
        return GW_ERR_NOMEM;
    }
    *continued = made;
    return GW_OK;
}
