/* SPDX-License-Identifier: MIT */
/* dialect/responses_stored - conversations that go on, and the pages of a stored response. */
#include "dialect/responses.h"

#include "json/scan.h"
#include "json/value.h"
#include "json/write.h"

/* OpenAI's bounds of a page. */
#define PAGE_DEFAULT 20
#define PAGE_MAX     100

/* ---- going on ---- */

static struct gw_str inside(struct gw_str array)
{
    return gw_str_trim(gw_str(array.ptr + 1, array.len - 2));
}

static enum gw_err append_input(const struct gw_json_member *input, struct gw_buf *out)
{
    struct gw_str items = input->type == GW_JSON_ARRAY ? inside(input->value) : gw_str(NULL, 0);
    if (input->type == GW_JSON_ARRAY) {
        if (items.len > 0) {
            gw_json_write_next(out);
            (void)gw_buf_append(out, items);
        }
        return out->err;
    }
    if (input->type != GW_JSON_STRING) {
        return GW_ERR_INVALID;
    }
    gw_json_write_next(out);
    (void)gw_buf_append(out, GW_STR("{\"role\":\"user\",\"content\":"));
    (void)gw_buf_append(out, input->value);
    (void)gw_buf_append_byte(out, '}');
    return out->err;
}

enum gw_err gw_responses_input(struct gw_str body, struct gw_buf *out)
{
    struct gw_json_member input;
    return gw_json_find(body, GW_STR("input"), &input) ? append_input(&input, out) : GW_ERR_INVALID;
}

struct joining {
    struct gw_str items;
    struct gw_buf *out;
    bool has_input;
};

static gw_json_on_member_fn join_member;
static enum gw_err join_member(void *user, const struct gw_json_member *member)
{
    struct joining *joining = user;
    struct gw_buf *out = joining->out;
    if (gw_json_key_is(member, GW_STR("previous_response_id"))) {
        return GW_OK;
    }
    gw_json_write_next(out);
    (void)gw_buf_append_byte(out, '"');
    (void)gw_buf_append(out, member->key);
    (void)gw_buf_append(out, GW_STR("\":"));
    if (!gw_json_key_is(member, GW_STR("input"))) {
        return gw_buf_append(out, member->value);
    }
    joining->has_input = true;
    (void)gw_buf_append_byte(out, '[');
    (void)gw_buf_append(out, joining->items);
    enum gw_err err = append_input(member, out);
    return err == GW_OK ? gw_buf_append_byte(out, ']') : err;
}

enum gw_err gw_responses_join(struct gw_str body, struct gw_str items, struct gw_buf *out)
{
    struct joining joining = {.items = items, .out = out};
    (void)gw_buf_append_byte(out, '{');
    enum gw_err err = gw_json_scan(body, join_member, &joining, NULL, NULL);
    if (err == GW_OK && !joining.has_input) { /* nothing new is said; the history alone */
        gw_json_write_key(GW_STR("input"), out);
        (void)gw_buf_append_byte(out, '[');
        (void)gw_buf_append(out, items);
        (void)gw_buf_append_byte(out, ']');
    }
    (void)gw_buf_append_byte(out, '}');
    return err == GW_OK ? out->err : err;
}

/* ---- pages ---- */

struct page {
    uint64_t limit;
    bool is_ascending;
    struct gw_str after;
};

static enum gw_err read_query(struct gw_str query, struct page *page)
{
    struct gw_str part;
    *page = (struct page){.limit = PAGE_DEFAULT};
    while (gw_str_split(&query, '&', &part)) {
        size_t at = gw_str_find_byte(part, '=');
        struct gw_str name = gw_str(part.ptr, at);
        struct gw_str value = gw_str_skip(part, at + 1);
        if (gw_str_eq(name, GW_STR("limit"))) {
            if (gw_parse_u64(value, &page->limit) != GW_OK || page->limit == 0 ||
                page->limit > PAGE_MAX) {
                return GW_ERR_INVALID;
            }
        } else if (gw_str_eq(name, GW_STR("order"))) {
            page->is_ascending = gw_str_eq(value, GW_STR("asc"));
            if (!page->is_ascending && !gw_str_eq(value, GW_STR("desc"))) {
                return GW_ERR_INVALID;
            }
        } else if (gw_str_eq(name, GW_STR("after"))) {
            page->after = value;
        }
    }
    return GW_OK;
}

/* The item's id, or one made of its place, in |scratch|. */
static struct gw_str id_of(yyjson_val *item, struct gw_str response_id, size_t index,
                           struct gw_buf *scratch)
{
    struct gw_str id = gw_json_get_text(item, "id");
    if (id.len > 0) {
        return id;
    }
    gw_buf_reset(scratch);
    (void)gw_buf_append(scratch, GW_STR("item_"));
    (void)gw_buf_append(scratch, gw_str_has_prefix(response_id, GW_STR("resp_"))
                                     ? gw_str_skip(response_id, 5)
                                     : response_id);
    (void)gw_buf_append_byte(scratch, '_');
    (void)gw_buf_append_u64(scratch, index);
    return gw_buf_str(scratch);
}

/* Messages come with a type and a list of parts, as OpenAI gives them back. */
static void write_content(yyjson_val *item, yyjson_val *content, struct gw_buf *out)
{
    bool is_assistant = gw_json_is(gw_json_get(item, "role"), GW_STR("assistant"));
    if (!yyjson_is_str(content)) {
        gw_json_write(content, out);
        return;
    }
    (void)gw_buf_append(out, is_assistant ? GW_STR("[{\"type\":\"output_text\"")
                                          : GW_STR("[{\"type\":\"input_text\""));
    gw_json_write_member(GW_STR("text"), gw_json_text(content), out);
    (void)gw_buf_append(out, is_assistant ? GW_STR(",\"annotations\":[],\"logprobs\":[]}]")
                                          : GW_STR("}]"));
}

static void write_item(yyjson_val *item, struct gw_str id, struct gw_buf *out)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    bool is_message = gw_json_get(item, "role") != NULL;
    gw_json_write_next(out);
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_member(GW_STR("id"), id, out);
    if (gw_json_get(item, "type") == NULL) {
        gw_json_write_member(GW_STR("type"), GW_STR("message"), out);
    }
    if (gw_json_get(item, "status") == NULL) {
        gw_json_write_member(GW_STR("status"), GW_STR("completed"), out);
    }
    yyjson_obj_foreach(item, index, max, key, value)
    {
        if (yyjson_is_null(value) || gw_json_is(key, GW_STR("id"))) {
            continue;
        }
        gw_json_write_next(out);
        gw_json_write_text(gw_json_text(key), out);
        (void)gw_buf_append_byte(out, ':');
        if (is_message && gw_json_is(key, GW_STR("content"))) {
            write_content(item, value, out);
        } else {
            gw_json_write(value, out);
        }
    }
    (void)gw_buf_append_byte(out, '}');
}

struct listing {
    struct page page;
    struct gw_str response_id;
    struct gw_buf first;
    struct gw_buf last;
    struct gw_buf scratch;
    bool has_more;
};

static void write_page(struct listing *listing, yyjson_val *items, struct gw_buf *out)
{
    size_t count = yyjson_arr_size(items);
    bool is_reached = listing->page.after.len == 0;
    uint64_t written = 0;
    for (size_t i = 0; i < count; i++) {
        size_t index = listing->page.is_ascending ? i : count - 1 - i;
        yyjson_val *item = yyjson_arr_get(items, index);
        struct gw_str id = id_of(item, listing->response_id, index, &listing->scratch);
        if (!is_reached) {
            is_reached = gw_str_eq(id, listing->page.after);
            continue;
        }
        if (written == listing->page.limit) {
            listing->has_more = true;
            return;
        }
        if (written++ == 0) {
            (void)gw_buf_append(&listing->first, id);
        }
        listing->last.len = 0;
        (void)gw_buf_append(&listing->last, id);
        write_item(item, id, out);
    }
}

enum gw_err gw_responses_write_items(struct gw_str items, struct gw_str response_id,
                                     struct gw_str query, struct gw_buf *out)
{
    struct listing listing = {.response_id = response_id};
    struct gw_json_reader reader;
    struct gw_buf array;
    yyjson_val *root = NULL;
    enum gw_err err = read_query(query, &listing.page);
    if (err != GW_OK) {
        return err;
    }
    gw_buf_init(&array, items.len + 2);
    gw_buf_init(&listing.first, items.len + response_id.len + 64);
    gw_buf_init(&listing.last, items.len + response_id.len + 64);
    gw_buf_init(&listing.scratch, response_id.len + 64);
    (void)gw_buf_append_byte(&array, '[');
    (void)gw_buf_append(&array, items);
    (void)gw_buf_append_byte(&array, ']');
    gw_json_reader_init(&reader, items.len + 2);
    err = array.err != GW_OK ? array.err : gw_json_read(&reader, gw_buf_str(&array), &root);
    if (err == GW_OK) {
        (void)gw_buf_append(out, GW_STR("{\"object\":\"list\",\"data\":["));
        write_page(&listing, root, out);
        (void)gw_buf_append_byte(out, ']');
        gw_json_write_member(GW_STR("first_id"), gw_buf_str(&listing.first), out);
        gw_json_write_member(GW_STR("last_id"), gw_buf_str(&listing.last), out);
        gw_json_write_raw(GW_STR("has_more"), listing.has_more ? GW_STR("true") : GW_STR("false"),
                          out);
        (void)gw_buf_append_byte(out, '}');
        err = out->err;
    }
    gw_json_reader_fini(&reader);
    gw_buf_fini(&array);
    gw_buf_fini(&listing.first);
    gw_buf_fini(&listing.last);
    gw_buf_fini(&listing.scratch);
    return err;
}

void gw_responses_write_deleted(struct gw_str response_id, struct gw_buf *out)
{
    (void)gw_buf_append_byte(out, '{');
    gw_json_write_member(GW_STR("id"), response_id, out);
    gw_json_write_member(GW_STR("object"), GW_STR("response"), out);
    gw_json_write_raw(GW_STR("deleted"), GW_STR("true"), out);
    (void)gw_buf_append_byte(out, '}');
}
