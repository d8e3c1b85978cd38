/* SPDX-License-Identifier: MIT */
/* A list of objects in memory, oldest first. */
#include "mockllm/openai_store.h"

#include <pthread.h>
#include <string.h>

struct item {
    struct item *next;
    enum mock_store_kind kind;
    struct bench_buf id;
    struct bench_buf parent;
    struct bench_buf json;
    struct bench_buf content;
};

static pthread_mutex_t store_lock = PTHREAD_MUTEX_INITIALIZER;
static struct item *oldest; /* the list's head */
static struct item **list_end = &oldest;
static size_t item_count;
static size_t byte_count;

static size_t item_bytes(const struct item *item)
{
    return sizeof(*item) + item->id.len + item->parent.len + item->json.len + item->content.len;
}

/* Takes *at out of the list and frees it. */
static void remove_locked(struct item **at)
{
    struct item *item = *at;
    *at = item->next;
    if (list_end == &item->next) {
        list_end = at;
    }
    item_count--;
    byte_count -= item_bytes(item);
    bench_buf_fini(&item->id);
    bench_buf_fini(&item->parent);
    bench_buf_fini(&item->json);
    bench_buf_fini(&item->content);
    bench_free(item);
}

static struct item **find_locked(enum mock_store_kind kind, struct bench_str id)
{
    struct item **at = &oldest;
    while (*at != NULL && ((*at)->kind != kind || !bench_str_eq(bench_buf_view(&(*at)->id), id))) {
        at = &(*at)->next;
    }
    return at;
}

bool mock_store_put(enum mock_store_kind kind, struct bench_str id, struct bench_str parent,
                    struct bench_str json, struct bench_str content)
{
    struct item *item = bench_alloc(sizeof(*item));
    item->kind = kind;
    bench_buf_str(&item->id, id);
    bench_buf_str(&item->parent, parent);
    bench_buf_str(&item->json, json);
    bench_buf_str(&item->content, content);
    pthread_mutex_lock(&store_lock);
    *list_end = item;
    list_end = &item->next;
    item_count++;
    byte_count += item_bytes(item);
    while (item_count > MOCK_STORE_MAX_ITEMS || byte_count > MOCK_STORE_MAX_BYTES) {
        remove_locked(&oldest);
    }
    bool kept = *find_locked(kind, id) != NULL;
    pthread_mutex_unlock(&store_lock);
    return kept;
}

static bool copy_out(enum mock_store_kind kind, struct bench_str id, struct bench_buf *out,
                     bool content)
{
    pthread_mutex_lock(&store_lock);
    const struct item *item = *find_locked(kind, id);
    if (item != NULL) {
        bench_buf_str(out, bench_buf_view(content ? &item->content : &item->json));
    }
    pthread_mutex_unlock(&store_lock);
    return item != NULL;
}

bool mock_store_get(enum mock_store_kind kind, struct bench_str id, struct bench_buf *out)
{
    return copy_out(kind, id, out, false);
}

bool mock_store_content(enum mock_store_kind kind, struct bench_str id, struct bench_buf *out)
{
    return copy_out(kind, id, out, true);
}

bool mock_store_delete(enum mock_store_kind kind, struct bench_str id)
{
    pthread_mutex_lock(&store_lock);
    struct item **at = find_locked(kind, id);
    bool found = *at != NULL;
    if (found) {
        remove_locked(at);
    }
    pthread_mutex_unlock(&store_lock);
    return found;
}

static void replace_json_locked(struct item *item, struct bench_str json)
{
    byte_count -= item->json.len;
    bench_buf_clear(&item->json, 0);
    bench_buf_str(&item->json, json);
    byte_count += item->json.len;
}

bool mock_store_set_status(enum mock_store_kind kind, struct bench_str id, struct bench_str status)
{
    const struct bench_str mark = BENCH_STR("\"status\":\"");
    struct bench_buf json = {0};
    pthread_mutex_lock(&store_lock);
    struct item *item = *find_locked(kind, id);
    if (item != NULL) {
        struct bench_str old = bench_buf_view(&item->json);
        const char *hit = memmem(old.ptr, old.len, mark.ptr, mark.len);
        size_t at = hit == NULL ? old.len : (size_t)(hit - old.ptr) + mark.len;
        struct bench_str rest = bench_str_cut(old, at, old.len);
        bench_buf_str(&json, bench_str_cut(old, 0, at));
        bench_buf_str(&json, hit == NULL ? BENCH_STR("") : status);
        bench_buf_str(&json, bench_str_cut(rest, bench_str_find(rest, '"'), rest.len));
        replace_json_locked(item, bench_buf_view(&json));
    }
    pthread_mutex_unlock(&store_lock);
    bench_buf_fini(&json);
    return item != NULL;
}

static void merge_locked(struct item *item, yyjson_val *changes)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *name = NULL;
    yyjson_val *value = NULL;
    struct bench_str old = bench_buf_view(&item->json);
    yyjson_doc *doc = yyjson_read(old.ptr, old.len, 0);
    yyjson_mut_doc *merged = yyjson_doc_mut_copy(doc, NULL);
    yyjson_mut_val *root = yyjson_mut_doc_get_root(merged);
    yyjson_obj_foreach(changes, i, count, name, value)
    {
        if (yyjson_mut_obj_get(root, yyjson_get_str(name)) != NULL) {
            yyjson_mut_obj_replace(root, yyjson_val_mut_copy(merged, name),
                                   yyjson_val_mut_copy(merged, value));
        }
    }
    size_t len = 0;
    char *text = yyjson_mut_write(merged, YYJSON_WRITE_NOFLAG, &len);
    if (text != NULL) {
        replace_json_locked(item, (struct bench_str){.ptr = text, .len = len});
    }
    bench_free(text);
    yyjson_mut_doc_free(merged);
    yyjson_doc_free(doc);
}

bool mock_store_merge(enum mock_store_kind kind, struct bench_str id, yyjson_val *changes)
{
    pthread_mutex_lock(&store_lock);
    struct item *item = *find_locked(kind, id);
    if (item != NULL && changes != NULL) {
        merge_locked(item, changes);
    }
    pthread_mutex_unlock(&store_lock);
    return item != NULL;
}

static bool belongs(const struct item *item, enum mock_store_kind kind, struct bench_str parent)
{
    return item->kind == kind && bench_str_eq(bench_buf_view(&item->parent), parent);
}

/* Writes the list newest first: SDKs read pages in that order by default. */
static void list_locked(enum mock_store_kind kind, struct bench_str parent, struct bench_buf *out)
{
    const struct item **found = bench_alloc((item_count + 1) * sizeof(*found));
    size_t count = 0;
    for (const struct item *item = oldest; item != NULL; item = item->next) {
        if (belongs(item, kind, parent)) {
            found[count++] = item;
        }
    }
    for (size_t i = count; i > 0; i--) {
        bench_buf_str(out, i == count ? BENCH_STR("") : BENCH_STR(","));
        bench_buf_str(out, bench_buf_view(&found[i - 1]->json));
    }
    BENCH_LIT(out, "],\"first_id\":\"");
    bench_buf_str(out, count == 0 ? BENCH_STR("") : bench_buf_view(&found[count - 1]->id));
    BENCH_LIT(out, "\",\"last_id\":\"");
    bench_buf_str(out, count == 0 ? BENCH_STR("") : bench_buf_view(&found[0]->id));
    BENCH_LIT(out, "\",\"has_more\":false}\n");
    bench_free(found);
}

void mock_store_list(enum mock_store_kind kind, struct bench_str parent, struct bench_buf *out)
{
    BENCH_LIT(out, "{\"object\":\"list\",\"data\":[");
    pthread_mutex_lock(&store_lock);
    list_locked(kind, parent, out);
    pthread_mutex_unlock(&store_lock);
}
