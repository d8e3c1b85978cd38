/* SPDX-License-Identifier: MIT */
/* control/token_book - a list under a lock: some entries at most, touched at reloads. */
#include "control/token_book.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/list.h"

struct gw_token_book {
    pthread_mutex_t lock;
    struct {
        /* any thread, lock held */
        struct gw_list entries; /* those that snapshots want */
        size_t entry_count;
        size_t references; /* the creator's and one per entry that lives */
    } shared;
};

struct gw_token_entry {
    /* immutable after create: any thread */
    struct gw_token_book *book; /* NULL: stands alone, one owner */
    struct gw_token_spec spec;
    struct gw_token_slot *slot;
    size_t size; /* of |bytes| */
    struct {
        /* any thread, the book's lock held */
        struct gw_list node;
        size_t users;   /* snapshots */
        size_t holders; /* the control thread's, and one for all users together */
    } shared;
    char bytes[];
};

struct gw_token_book *gw_token_book_create(void)
{
    struct gw_token_book *book = gw_zalloc(sizeof(*book));
    int failed = pthread_mutex_init(&book->lock, NULL);
    GW_ASSERT(failed == 0);
    gw_list_init(&book->shared.entries);
    book->shared.references = 1;
    return book;
}

static void lock(struct gw_token_book *book)
{
    if (book != NULL) {
        (void)pthread_mutex_lock(&book->lock);
    }
}

static void unlock(struct gw_token_book *book)
{
    if (book != NULL) {
        (void)pthread_mutex_unlock(&book->lock);
    }
}

/* Ends one reference; the lock is held before and is not after. */
static void drop_book_locked(struct gw_token_book *book)
{
    book->shared.references--;
    bool is_last = book->shared.references == 0;
    unlock(book);
    if (is_last) {
        (void)pthread_mutex_destroy(&book->lock);
        gw_free(book);
    }
}

void gw_token_book_release(struct gw_token_book **book)
{
    struct gw_token_book *old = *book;
    *book = NULL;
    if (old != NULL) {
        lock(old);
        drop_book_locked(old);
    }
}

static bool is_same(const struct gw_token_spec *a, const struct gw_token_spec *b)
{
    bool same = a->kind == b->kind && a->is_insecure == b->is_insecure;
    for (size_t i = 0; i < GW_TOKEN_FIELD_COUNT && same; i++) {
        same = gw_str_eq(a->fields[i], b->fields[i]);
    }
    return same;
}

static struct gw_token_entry *find_locked(struct gw_token_book *book,
                                          const struct gw_token_spec *spec)
{
    for (struct gw_list *at = book->shared.entries.next; at != &book->shared.entries;
         at = at->next) {
        struct gw_token_entry *entry = GW_CONTAINER_OF(at, struct gw_token_entry, shared.node);
        if (is_same(&entry->spec, spec)) {
            return entry;
        }
    }
    return NULL;
}

static size_t size_of(const struct gw_token_spec *spec)
{
    size_t size = spec->label.len + 1;
    for (size_t i = 0; i < GW_TOKEN_FIELD_COUNT; i++) {
        size += spec->fields[i].len + 1;
    }
    return size;
}

/* With a NUL behind: paths and addresses go to libc and libcurl. */
static struct gw_str put(char **at, struct gw_str text)
{
    char *begin = *at;
    if (text.len > 0) {
        memcpy(begin, text.ptr, text.len);
    }
    begin[text.len] = '\0';
    *at += text.len + 1;
    return gw_str(begin, text.len);
}

static void destroy(struct gw_token_entry *entry)
{
    gw_token_slot_destroy(&entry->slot);
    explicit_bzero(entry->bytes, entry->size);
    gw_free(entry);
}

static enum gw_err set_static(struct gw_token_entry *entry, uint64_t now_ms)
{
    const struct gw_token token = {
        .access = entry->spec.fields[GW_TOKEN_FIELD_ACCESS],
        .secret = entry->spec.fields[GW_TOKEN_FIELD_SECRET],
        .session = entry->spec.fields[GW_TOKEN_FIELD_SESSION],
    };
    return entry->spec.kind == GW_TOKEN_STATIC ? gw_token_slot_set(entry->slot, &token, now_ms)
                                               : GW_OK;
}

static enum gw_err create(struct gw_token_book *book, const struct gw_token_spec *spec,
                          uint64_t now_ms, struct gw_token_entry **out)
{
    size_t size = size_of(spec);
    if (size > GW_TOKEN_SPEC_MAX_BYTES) {
        return GW_ERR_TOO_LARGE;
    }
    struct gw_token_entry *entry = gw_try_alloc(sizeof(*entry) + size);
    if (entry == NULL) {
        return GW_ERR_NOMEM;
    }
    *entry = (struct gw_token_entry){.book = book, .size = size, .spec = *spec};
    char *at = entry->bytes;
    entry->spec.label = put(&at, spec->label);
    for (size_t i = 0; i < GW_TOKEN_FIELD_COUNT; i++) {
        entry->spec.fields[i] = put(&at, spec->fields[i]);
    }
    entry->slot = gw_token_slot_create();
    gw_list_init(&entry->shared.node);
    entry->shared.users = 1;
    entry->shared.holders = 1;
    enum gw_err err = set_static(entry, now_ms);
    if (err != GW_OK) {
        destroy(entry);
        return err;
    }
    *out = entry;
    return GW_OK;
}

static enum gw_err add_locked(struct gw_token_book *book, const struct gw_token_spec *spec,
                              uint64_t now_ms, struct gw_token_entry **out)
{
    if (book->shared.entry_count == GW_TOKEN_BOOK_MAX) {
        return GW_ERR_TOO_LARGE;
    }
    enum gw_err err = create(book, spec, now_ms, out);
    if (err == GW_OK) {
        gw_list_append(&book->shared.entries, &(*out)->shared.node);
        book->shared.entry_count++;
        book->shared.references++;
    }
    return err;
}

enum gw_err gw_token_book_acquire(struct gw_token_book *book, const struct gw_token_spec *spec,
                                  uint64_t now_ms, struct gw_token_entry **out)
{
    if (book == NULL) {
        return create(NULL, spec, now_ms, out);
    }
    enum gw_err err = GW_OK;
    lock(book);
    struct gw_token_entry *entry = find_locked(book, spec);
    if (entry != NULL) {
        entry->shared.users++;
        *out = entry;
    } else {
        err = add_locked(book, spec, now_ms, out);
    }
    unlock(book);
    return err;
}

/* Ends a hold; the lock is held before and is not after. */
static void let_go_locked(struct gw_token_entry *entry)
{
    struct gw_token_book *book = entry->book;
    GW_ASSERT(entry->shared.holders > 0);
    entry->shared.holders--;
    if (entry->shared.holders > 0) {
        unlock(book);
        return;
    }
    destroy(entry);
    if (book != NULL) {
        drop_book_locked(book);
    }
}

void gw_token_entry_release(struct gw_token_entry **entry)
{
    struct gw_token_entry *old = *entry;
    *entry = NULL;
    if (old == NULL) {
        return;
    }
    lock(old->book);
    GW_ASSERT(old->shared.users > 0);
    old->shared.users--;
    if (old->shared.users > 0) {
        unlock(old->book);
        return;
    }
    if (old->book != NULL) {
        gw_list_unlink(&old->shared.node);
        old->book->shared.entry_count--;
    }
    let_go_locked(old);
}

struct gw_token_slot *gw_token_entry_slot(struct gw_token_entry *entry)
{
    return entry->slot;
}

const struct gw_token_spec *gw_token_entry_spec(const struct gw_token_entry *entry)
{
    return &entry->spec;
}

struct gw_token_entry *gw_token_book_next(struct gw_token_book *book, struct gw_token_entry *last)
{
    struct gw_token_entry *found = NULL;
    lock(book);
    bool is_listed = last != NULL && last->shared.users > 0;
    struct gw_list *at = is_listed ? last->shared.node.next : book->shared.entries.next;
    for (; at != &book->shared.entries && found == NULL; at = at->next) {
        struct gw_token_entry *entry = GW_CONTAINER_OF(at, struct gw_token_entry, shared.node);
        found = entry->spec.kind == GW_TOKEN_STATIC ? NULL : entry;
    }
    if (found != NULL) {
        found->shared.holders++;
    }
    unlock(book);
    return found;
}

struct gw_token_entry *gw_token_entry_hold(struct gw_token_entry *entry)
{
    lock(entry->book);
    entry->shared.holders++;
    unlock(entry->book);
    return entry;
}

void gw_token_entry_let_go(struct gw_token_entry **entry)
{
    struct gw_token_entry *old = *entry;
    *entry = NULL;
    if (old != NULL) {
        lock(old->book);
        let_go_locked(old);
    }
}

bool gw_token_entry_is_wanted(struct gw_token_entry *entry)
{
    lock(entry->book);
    bool is_wanted = entry->shared.users > 0;
    unlock(entry->book);
    return is_wanted;
}
