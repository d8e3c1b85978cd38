/* SPDX-License-Identifier: MIT */
/*
 * policy/response_store - a hash table and a list in order of use, under one mutex.
 *
 * An entry is immutable but for its places in table and list, and counted: who reads takes
 * references under the lock and copies the texts outside of it, so a conversation of megabytes
 * holds nobody up.
 */
#include "policy/response_store.h"

#include <pthread.h>
#include <stdatomic.h>

#include "base/alloc.h"
#include "base/list.h"
#include "json/scan.h"

/* Chains of one or two entries with as many buckets as entries; 800 KB at the default. */
#define BUCKET_BITS_MIN 4
#define BUCKET_BITS_MAX 17

struct entry {
    struct entry *next;  /* in its bucket */
    struct gw_list node; /* in order of use, least recent first */
    atomic_uint references;
    uint64_t hash;
    uint64_t stored_at_ms;
    size_t bytes;
    struct gw_str tenant; /* these are views of the bytes behind the entry */
    struct gw_stored_response stored;
    struct gw_str output; /* items inside stored.response */
};

struct gw_response_store {
    struct gw_response_store_opts opts;
    unsigned bucket_bits;
    struct {
        pthread_mutex_t lock;
        struct entry **buckets;
        struct gw_list used;
        size_t count;
        size_t bytes;
    } shared;
};

static unsigned bits_for(size_t entries)
{
    unsigned bits = BUCKET_BITS_MIN;
    while (bits < BUCKET_BITS_MAX && ((size_t)1 << bits) < entries) {
        bits++;
    }
    return bits;
}

static size_t or_default(size_t value, size_t otherwise)
{
    return value != 0 ? value : otherwise;
}

struct gw_response_store *gw_response_store_create(const struct gw_response_store_opts *opts)
{
    struct gw_response_store *store = gw_try_alloc(sizeof(*store));
    if (store == NULL) {
        return NULL;
    }
    *store = (struct gw_response_store){
        .opts = {
            .max_bytes = or_default(opts->max_bytes, GW_RESPONSE_STORE_MAX_BYTES),
            .max_entries = or_default(opts->max_entries, GW_RESPONSE_STORE_MAX_ENTRIES),
            .max_entry_bytes = or_default(opts->max_entry_bytes, GW_RESPONSE_STORE_MAX_ENTRY_BYTES),
            .max_age_ms = opts->max_age_ms != 0 ? opts->max_age_ms : GW_RESPONSE_STORE_MAX_AGE_MS}};
    store->bucket_bits = bits_for(store->opts.max_entries);
    size_t size = sizeof(struct entry *) << store->bucket_bits;
    store->shared.buckets = gw_try_alloc(size);
    if (store->shared.buckets == NULL) {
        gw_free(store);
        return NULL;
    }
    memset(store->shared.buckets, 0, size);
    gw_list_init(&store->shared.used);
    (void)pthread_mutex_init(&store->shared.lock, NULL);
    return store;
}

/* ---- entries ---- */

static void release(struct entry *entry)
{
    if (entry != NULL && atomic_fetch_sub(&entry->references, 1) == 1) {
        gw_free(entry);
    }
}

static struct gw_str put_text(char **at, struct gw_str text)
{
    struct gw_str copy = gw_str(*at, text.len);
    if (text.len > 0) {
        memcpy(*at, text.ptr, text.len);
        *at += text.len;
    }
    return copy;
}

static uint64_t hash_of(struct gw_str tenant, struct gw_str id)
{
    return gw_str_hash(id) ^ (gw_str_hash(tenant) * UINT64_C(0x9E3779B97F4A7C15));
}

/* The items inside the response's "output". */
static struct gw_str output_of(struct gw_str response)
{
    struct gw_json_member output;
    if (!gw_json_find(response, GW_STR("output"), &output) || output.type != GW_JSON_ARRAY) {
        return gw_str(NULL, 0);
    }
    return gw_str_trim(gw_str(output.value.ptr + 1, output.value.len - 2));
}

static struct entry *make_entry(struct gw_str tenant, const struct gw_stored_response *response,
                                size_t bytes, uint64_t now_ms)
{
    struct entry *entry = gw_try_alloc(bytes);
    if (entry == NULL) {
        return NULL;
    }
    char *at = (char *)(entry + 1);
    *entry = (struct entry){
        .hash = hash_of(tenant, response->id), .stored_at_ms = now_ms, .bytes = bytes};
    atomic_init(&entry->references, 1);
    gw_list_init(&entry->node);
    entry->tenant = put_text(&at, tenant);
    entry->stored.id = put_text(&at, response->id);
    entry->stored.previous_id = put_text(&at, response->previous_id);
    entry->stored.input = put_text(&at, gw_str_trim(response->input));
    entry->stored.response = put_text(&at, response->response);
    entry->output = output_of(entry->stored.response);
    return entry;
}

/* ---- table ---- */

static struct entry **bucket_of_locked(struct gw_response_store *store, uint64_t hash)
{
    return &store->shared.buckets[hash >> (64 - store->bucket_bits)];
}

static void remove_locked(struct gw_response_store *store, struct entry *entry)
{
    struct entry **link = bucket_of_locked(store, entry->hash);
    while (*link != entry) {
        link = &(*link)->next;
    }
    *link = entry->next;
    gw_list_unlink(&entry->node);
    store->shared.count--;
    store->shared.bytes -= entry->bytes;
    release(entry);
}

static struct entry *find_locked(struct gw_response_store *store, struct gw_str tenant,
                                 struct gw_str id)
{
    uint64_t hash = hash_of(tenant, id);
    for (struct entry *entry = *bucket_of_locked(store, hash); entry != NULL; entry = entry->next) {
        if (entry->hash == hash && gw_str_eq(entry->stored.id, id) &&
            gw_str_eq(entry->tenant, tenant)) {
            return entry;
        }
    }
    return NULL;
}

/* The entry with a reference for the caller, used now; NULL when it is not there or too old. */
static struct entry *take_locked(struct gw_response_store *store, struct gw_str tenant,
                                 struct gw_str id, uint64_t now_ms)
{
    struct entry *entry = find_locked(store, tenant, id);
    if (entry == NULL) {
        return NULL;
    }
    if (now_ms > entry->stored_at_ms && now_ms - entry->stored_at_ms > store->opts.max_age_ms) {
        remove_locked(store, entry);
        return NULL;
    }
    gw_list_unlink(&entry->node);
    gw_list_append(&store->shared.used, &entry->node);
    (void)atomic_fetch_add(&entry->references, 1);
    return entry;
}

static void make_room_locked(struct gw_response_store *store)
{
    while (store->shared.count > 0 && (store->shared.count > store->opts.max_entries ||
                                       store->shared.bytes > store->opts.max_bytes)) {
        remove_locked(store, GW_LIST_FIRST(&store->shared.used, struct entry, node));
    }
}

void gw_response_store_destroy(struct gw_response_store **store)
{
    struct gw_response_store *old = *store;
    if (old == NULL) {
        return;
    }
    while (!gw_list_is_empty(&old->shared.used)) {
        remove_locked(old, GW_LIST_FIRST(&old->shared.used, struct entry, node));
    }
    (void)pthread_mutex_destroy(&old->shared.lock);
    gw_free(old->shared.buckets);
    gw_free(old);
    *store = NULL;
}

enum gw_err gw_response_store_put(struct gw_response_store *store, struct gw_str tenant,
                                  const struct gw_stored_response *response, uint64_t now_ms)
{
    size_t bytes = sizeof(struct entry) + tenant.len + response->id.len +
                   response->previous_id.len + response->input.len + response->response.len;
    size_t most = store->opts.max_entry_bytes < store->opts.max_bytes ? store->opts.max_entry_bytes
                                                                      : store->opts.max_bytes;
    if (bytes > most) {
        return GW_ERR_TOO_LARGE;
    }
    struct entry *entry = make_entry(tenant, response, bytes, now_ms);
    if (entry == NULL) {
        return GW_ERR_NOMEM;
    }
    (void)pthread_mutex_lock(&store->shared.lock);
    struct entry *old = find_locked(store, tenant, response->id);
    if (old != NULL) {
        remove_locked(store, old);
    }
    struct entry **bucket = bucket_of_locked(store, entry->hash);
    entry->next = *bucket;
    *bucket = entry;
    gw_list_append(&store->shared.used, &entry->node);
    store->shared.count++;
    store->shared.bytes += bytes;
    make_room_locked(store);
    (void)pthread_mutex_unlock(&store->shared.lock);
    return GW_OK;
}

/* ---- reading ---- */

enum gw_err gw_response_store_get(struct gw_response_store *store, struct gw_str tenant,
                                  struct gw_str id, uint64_t now_ms, struct gw_buf *out)
{
    (void)pthread_mutex_lock(&store->shared.lock);
    struct entry *entry = take_locked(store, tenant, id, now_ms);
    (void)pthread_mutex_unlock(&store->shared.lock);
    if (entry == NULL) {
        return GW_ERR_NOT_FOUND;
    }
    enum gw_err err = gw_buf_append(out, entry->stored.response);
    release(entry);
    return err;
}

/* The entries of a conversation, newest first. */
struct chain {
    struct entry *entries[GW_RESPONSE_STORE_MAX_CHAIN];
    size_t count;
};

/* Newest last in order of use would let the oldest go first and break the chain at its root; so
 * the root is used last. */
static enum gw_err walk_locked(struct gw_response_store *store, struct gw_str tenant,
                               struct gw_str id, uint64_t now_ms, struct chain *chain)
{
    while (id.len > 0) {
        if (chain->count == GW_RESPONSE_STORE_MAX_CHAIN) {
            return GW_ERR_TOO_LARGE;
        }
        struct entry *entry = take_locked(store, tenant, id, now_ms);
        if (entry == NULL) {
            return GW_ERR_NOT_FOUND;
        }
        chain->entries[chain->count++] = entry;
        id = entry->stored.previous_id;
    }
    return GW_OK;
}

static void append_items(struct gw_buf *out, bool *has_any, struct gw_str items)
{
    if (items.len > 0) {
        (void)gw_buf_append(out, *has_any ? GW_STR(",") : GW_STR(""));
        (void)gw_buf_append(out, items);
        *has_any = true;
    }
}

static enum gw_err read_chain(struct gw_response_store *store, struct gw_str tenant,
                              struct gw_str id, uint64_t now_ms, bool with_last_output,
                              struct gw_buf *out)
{
    bool has_any = false;
    struct chain *chain = gw_try_alloc(sizeof(*chain));
    if (chain == NULL) {
        return GW_ERR_NOMEM;
    }
    chain->count = 0;
    (void)pthread_mutex_lock(&store->shared.lock);
    enum gw_err err = id.len > 0 ? walk_locked(store, tenant, id, now_ms, chain) : GW_ERR_NOT_FOUND;
    (void)pthread_mutex_unlock(&store->shared.lock);
    for (size_t i = chain->count; i > 0 && err == GW_OK; i--) {
        const struct entry *entry = chain->entries[i - 1];
        append_items(out, &has_any, entry->stored.input);
        if (i > 1 || with_last_output) {
            append_items(out, &has_any, entry->output);
        }
        err = out->err;
    }
    for (size_t i = 0; i < chain->count; i++) {
        release(chain->entries[i]);
    }
    gw_free(chain);
    return err;
}

enum gw_err gw_response_store_history(struct gw_response_store *store, struct gw_str tenant,
                                      struct gw_str id, uint64_t now_ms, struct gw_buf *out)
{
    return read_chain(store, tenant, id, now_ms, true, out);
}

enum gw_err gw_response_store_inputs(struct gw_response_store *store, struct gw_str tenant,
                                     struct gw_str id, uint64_t now_ms, struct gw_buf *out)
{
    return read_chain(store, tenant, id, now_ms, false, out);
}

enum gw_err gw_response_store_delete(struct gw_response_store *store, struct gw_str tenant,
                                     struct gw_str id)
{
    (void)pthread_mutex_lock(&store->shared.lock);
    struct entry *entry = find_locked(store, tenant, id);
    if (entry != NULL) {
        remove_locked(store, entry);
    }
    (void)pthread_mutex_unlock(&store->shared.lock);
    return entry != NULL ? GW_OK : GW_ERR_NOT_FOUND;
}

void gw_response_store_size(struct gw_response_store *store, size_t *entries, size_t *bytes)
{
    (void)pthread_mutex_lock(&store->shared.lock);
    *entries = store->shared.count;
    *bytes = store->shared.bytes;
    (void)pthread_mutex_unlock(&store->shared.lock);
}
