/* SPDX-License-Identifier: MIT */
/*
 * provider/anthropic_foreign - leaves out of a verbatim body the thinking that Anthropic cannot
 * read again: what this gateway made of another vendor's reasoning has a seal of ours or no
 * signature at all, and the API refuses the whole request for it.
 *
 * All other bytes stay, so that turns before and behind keep their place in the prompt cache. A
 * message that held nothing else goes with its blocks: the API takes no empty ones.
 */
#include "provider/anthropic_int.h"
#include "json/scan.h"

#define SEAL "\"gatewire." /* dialect/anthropic_write.c */

/* The members of one array, while some of them are cut out. */
struct list {
    const char *begin;    /* behind its bracket */
    const char *kept_end; /* NULL: none was kept so far */
    bool has_cut;
};

struct sifting {
    struct gw_buf out;
    const char *copied_to; /* in the body */
    struct list messages;
    struct list blocks;
    size_t block_count;
    size_t foreign_count;
    bool has_cut;
    /* Of the message at hand, and so of the last one in the end. */
    bool has_thinking;
    bool has_call;
    bool is_lost; /* its calls have lost their thinking */
};

/* ---- which blocks ---- */

static bool is_empty(struct gw_str object, struct gw_str key)
{
    struct gw_json_member found = {0};
    return !gw_json_find(object, key, &found) || found.type != GW_JSON_STRING ||
           found.value.len <= 2 || gw_str_has_prefix(found.value, GW_STR(SEAL));
}

static bool is_type(struct gw_str block, struct gw_str quoted)
{
    struct gw_json_member type = {0};
    return gw_json_find(block, GW_STR("type"), &type) && gw_str_eq(type.value, quoted);
}

static bool is_foreign(const struct gw_json_member *block)
{
    if (block->type != GW_JSON_OBJECT) {
        return false;
    }
    return is_type(block->value, GW_STR("\"thinking\""))
               ? is_empty(block->value, GW_STR("signature"))
               : is_type(block->value, GW_STR("\"redacted_thinking\"")) &&
                     is_empty(block->value, GW_STR("data"));
}

static size_t count_of(struct gw_str text, struct gw_str needle)
{
    size_t count = 0;
    size_t at = gw_str_find(text, needle);
    while (at < text.len) {
        count++;
        text = gw_str_skip(text, at + needle.len);
        at = gw_str_find(text, needle);
    }
    return count;
}

/* Can there be any? A body is searched for words before it is walked: agents send megabytes, with
 * thinking that is Anthropic's own nearly always. */
static bool may_hold_foreign(struct gw_str body)
{
    size_t thinking = count_of(body, GW_STR("\"type\":\"thinking\"")) +
                      count_of(body, GW_STR("\"type\": \"thinking\""));
    return gw_str_find(body, GW_STR(SEAL)) < body.len ||
           gw_str_find(body, GW_STR("\"signature\":\"\"")) < body.len ||
           gw_str_find(body, GW_STR("\"signature\": \"\"")) < body.len ||
           thinking > count_of(body, GW_STR("\"signature\""));
}

/* ---- cutting ---- */

static void cut(struct sifting *s, const char *from, const char *to)
{
    (void)gw_buf_append(&s->out, gw_str(s->copied_to, (size_t)(from - s->copied_to)));
    s->copied_to = to;
    s->has_cut = true;
}

static void begin_list(struct list *list, struct gw_str array)
{
    *list = (struct list){.begin = array.ptr + 1};
}

static void keep(struct sifting *s, struct list *list, struct gw_str element)
{
    if (list->has_cut && list->kept_end == NULL) {
        cut(s, list->begin, element.ptr);
    }
    list->kept_end = element.ptr + element.len;
}

/* With the comma before it; those at the front go when the first that stays is known. */
static void drop(struct sifting *s, struct list *list, struct gw_str element)
{
    list->has_cut = true;
    if (list->kept_end != NULL) {
        cut(s, list->kept_end, element.ptr + element.len);
        list->kept_end = element.ptr + element.len;
    }
}

/* ---- the walk ---- */

static enum gw_err count_block(void *user, const struct gw_json_member *block)
{
    struct sifting *s = user;
    s->block_count++;
    s->foreign_count += is_foreign(block);
    return GW_OK;
}

static enum gw_err sift_block(void *user, const struct gw_json_member *block)
{
    struct sifting *s = user;
    if (is_foreign(block)) {
        drop(s, &s->blocks, block->value);
        return GW_OK;
    }
    keep(s, &s->blocks, block->value);
    s->has_call = s->has_call || is_type(block->value, GW_STR("\"tool_use\""));
    s->has_thinking = s->has_thinking || is_type(block->value, GW_STR("\"thinking\"")) ||
                      is_type(block->value, GW_STR("\"redacted_thinking\""));
    return GW_OK;
}

static bool is_assistant(const struct gw_json_member *message)
{
    struct gw_json_member role = {0};
    return message->type == GW_JSON_OBJECT && gw_json_find(message->value, GW_STR("role"), &role) &&
           gw_str_eq(role.value, GW_STR("\"assistant\""));
}

static enum gw_err sift_message(void *user, const struct gw_json_member *message)
{
    struct sifting *s = user;
    struct gw_json_member content = {0};
    enum gw_err err = GW_OK;
    s->block_count = 0;
    s->foreign_count = 0;
    if (message->type == GW_JSON_OBJECT &&
        gw_json_find(message->value, GW_STR("content"), &content) &&
        content.type == GW_JSON_ARRAY) {
        err = gw_json_each(content.value, count_block, s);
    }
    if (err == GW_OK && s->foreign_count > 0 && s->foreign_count == s->block_count) {
        drop(s, &s->messages, message->value);
        return GW_OK;
    }
    keep(s, &s->messages, message->value);
    if (err == GW_OK && s->foreign_count > 0) {
        s->has_call = false;
        s->has_thinking = false;
        begin_list(&s->blocks, content.value);
        err = gw_json_each(content.value, sift_block, s);
        s->is_lost = s->has_call && !s->has_thinking;
    } else if (is_assistant(message)) {
        s->is_lost = false;
    }
    return err;
}

/* Models that think by budget want their own thinking before calls whose results come now, or none
 * at all. */
static enum gw_err stop_thinking(const struct gw_provider_input *in, struct gw_str body,
                                 struct gw_json_splice *splice)
{
    struct gw_json_member thinking = {0};
    if (!gw_json_find(body, GW_STR("thinking"), &thinking) || thinking.type != GW_JSON_OBJECT ||
        !is_type(thinking.value, GW_STR("\"enabled\""))) {
        return GW_OK;
    }
    gw_notes_add(in->notes, GW_NOTE_CHANGED, GW_STR("thinking"),
                 GW_STR("off, because the turn before was another vendor's"));
    return gw_json_splice_replace(splice, thinking.value, GW_STR("{\"type\":\"disabled\"}"));
}

static enum gw_err put(const struct gw_provider_input *in, struct sifting *s, struct gw_str array,
                       struct gw_json_splice *splice)
{
    const char *end = array.ptr + array.len;
    (void)gw_buf_append(&s->out, gw_str(s->copied_to, (size_t)(end - s->copied_to)));
    struct gw_str kept = gw_arena_try_dup(in->arena, gw_buf_str(&s->out));
    if (kept.ptr == NULL || s->out.err != GW_OK) {
        return GW_ERR_NOMEM;
    }
    gw_notes_add(in->notes, GW_NOTE_DROPPED, GW_STR("messages[].content[].thinking"),
                 GW_STR("only the vendor that made it can read it"));
    return gw_json_splice_replace(splice, array, kept);
}

enum gw_err gw_anthropic_drop_foreign(const struct gw_provider_input *in, struct gw_str body,
                                      struct gw_json_splice *splice)
{
    struct gw_json_member messages = {0};
    if (!may_hold_foreign(body) || !gw_json_find(body, GW_STR("messages"), &messages) ||
        messages.type != GW_JSON_ARRAY) {
        return GW_OK;
    }
    struct sifting s = {.copied_to = messages.value.ptr};
    gw_buf_init(&s.out, messages.value.len + 1);
    begin_list(&s.messages, messages.value);
    enum gw_err err = gw_json_each(messages.value, sift_message, &s);
    /* Nothing but foreign thinking is left to the API to refuse. */
    if (err == GW_OK && s.has_cut && s.messages.kept_end != NULL) {
        err = put(in, &s, messages.value, splice);
        if (err == GW_OK && s.is_lost) {
            err = stop_thinking(in, body, splice);
        }
    }
    gw_buf_fini(&s.out);
    return err;
}
