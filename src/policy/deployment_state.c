/* SPDX-License-Identifier: MIT */
/* policy/deployment_state - entries in hashed lists under one lock. */
#include "policy/deployment_state.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/list.h"

#define BUCKETS    256u /* acquire and release run at load and reload only */
#define CACHE_LINE 64u

enum kind {
    KIND_DEPLOYMENT,
    KIND_CREDENTIAL,
    KIND_GROUP,
};

struct entry {
    struct gw_list node;
    char *id;
    size_t id_len;
    uint64_t fingerprint;
    enum kind kind;
    uint64_t references;
    union {
        struct gw_deployment_state deployment;
        struct gw_credential_state credential;
        struct gw_group_state group;
    } state;
};

struct gw_deployment_registry {
    pthread_mutex_t lock;
    struct gw_list buckets[BUCKETS];
};

struct gw_deployment_registry *gw_deployment_registry_create(void)
{
    struct gw_deployment_registry *registry = gw_zalloc(sizeof(*registry));
    GW_ASSERT(pthread_mutex_init(&registry->lock, NULL) == 0);
    for (size_t i = 0; i < BUCKETS; i++) {
        gw_list_init(&registry->buckets[i]);
    }
    return registry;
}

void gw_deployment_registry_destroy(struct gw_deployment_registry **registry)
{
    if (*registry == NULL) {
        return;
    }
    for (size_t i = 0; i < BUCKETS; i++) {
        GW_ASSERT(gw_list_is_empty(&(*registry)->buckets[i]));
    }
    (void)pthread_mutex_destroy(&(*registry)->lock);
    gw_free(*registry);
    *registry = NULL;
}

static bool is_entry(const struct entry *entry, const struct entry *wanted)
{
    return entry->kind == wanted->kind && entry->fingerprint == wanted->fingerprint &&
           entry->id_len == wanted->id_len && memcmp(entry->id, wanted->id, wanted->id_len) == 0;
}

/* A block of malloc(3) is aligned for any ordinary type, not for a cache line: room is left in
 * front, and the byte before the entry says how much. */
static struct entry *entry_alloc(void)
{
    char *block = gw_zalloc(sizeof(struct entry) + CACHE_LINE);
    size_t shift = CACHE_LINE - (uintptr_t)block % CACHE_LINE;
    block[shift - 1] = (char)shift;
    return (struct entry *)(void *)(block + shift);
}

static void entry_free(struct entry *entry)
{
    char *at = (char *)entry;
    gw_free(entry->id);
    gw_free(at - at[-1]);
}

static struct entry *acquire(struct gw_deployment_registry *registry, struct gw_str id,
                             uint64_t fingerprint, enum kind kind)
{
    struct gw_list *bucket = &registry->buckets[gw_str_hash(id) % BUCKETS];
    struct entry *made = entry_alloc();
    made->id = gw_strndup(id.ptr, id.len);
    made->id_len = id.len;
    made->fingerprint = fingerprint;
    made->kind = kind;
    if (kind == KIND_GROUP) {
        gw_allowance_init(&made->state.group.retries);
        gw_allowance_init(&made->state.group.hedges);
    }
    GW_ASSERT(pthread_mutex_lock(&registry->lock) == 0);
    struct entry *found = NULL;
    GW_LIST_FOREACH(bucket, node)
    {
        struct entry *entry = GW_CONTAINER_OF(node, struct entry, node);
        found = is_entry(entry, made) ? entry : found;
    }
    if (found == NULL) {
        gw_list_append(bucket, &made->node);
        found = made;
        made = NULL;
    }
    found->references++;
    GW_ASSERT(pthread_mutex_unlock(&registry->lock) == 0);
    if (made != NULL) {
        entry_free(made);
    }
    return found;
}

static void release(struct gw_deployment_registry *registry, struct entry *entry)
{
    GW_ASSERT(pthread_mutex_lock(&registry->lock) == 0);
    GW_ASSERT(entry->references > 0);
    bool is_last = --entry->references == 0;
    if (is_last) {
        gw_list_unlink(&entry->node);
    }
    GW_ASSERT(pthread_mutex_unlock(&registry->lock) == 0);
    if (is_last) {
        entry_free(entry);
    }
}

struct gw_deployment_state *gw_deployment_state_acquire(struct gw_deployment_registry *registry,
                                                        struct gw_str id)
{
    return &acquire(registry, id, 0, KIND_DEPLOYMENT)->state.deployment;
}

struct gw_credential_state *gw_credential_state_acquire(struct gw_deployment_registry *registry,
                                                        struct gw_str id, uint64_t fingerprint)
{
    return &acquire(registry, id, fingerprint, KIND_CREDENTIAL)->state.credential;
}

struct gw_group_state *gw_group_state_acquire(struct gw_deployment_registry *registry,
                                              struct gw_str name)
{
    return &acquire(registry, name, 0, KIND_GROUP)->state.group;
}

void gw_group_state_release(struct gw_deployment_registry *registry, struct gw_group_state **state)
{
    if (*state != NULL) {
        release(registry, GW_CONTAINER_OF(*state, struct entry, state.group));
        *state = NULL;
    }
}

void gw_deployment_state_release(struct gw_deployment_registry *registry,
                                 struct gw_deployment_state **state)
{
    if (*state != NULL) {
        release(registry, GW_CONTAINER_OF(*state, struct entry, state.deployment));
        *state = NULL;
    }
}

void gw_credential_state_release(struct gw_deployment_registry *registry,
                                 struct gw_credential_state **state)
{
    if (*state != NULL) {
        release(registry, GW_CONTAINER_OF(*state, struct entry, state.credential));
        *state = NULL;
    }
}
