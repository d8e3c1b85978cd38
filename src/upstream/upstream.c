/* SPDX-License-Identifier: MIT */
/*
 * upstream/upstream - one loop's client: its pools, the objects it keeps for reuse, its counters.
 *
 * Pools are looked up by key only when a snapshot comes into force, so a list is enough.
 */
#include "upstream/upstream.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "upstream/upstream_int.h"

/* Go's documentation of http2.Transport suggests these for connections over unknown networks. */
#define DEFAULT_PING_AFTER_MS   30000
#define DEFAULT_PING_TIMEOUT_MS 15000

/* With a sanitizer every object is a block of its own, so that touching a freed one is found. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#    define KEEP_OBJECTS 0
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#        define KEEP_OBJECTS 0
#    endif
#endif
#ifndef KEEP_OBJECTS
#    define KEEP_OBJECTS GW_UPSTREAM_KEEP_OBJECTS
#endif

void *gw_free_list_try_take(struct gw_free_list *list, size_t size)
{
    void *object = list->first;
    if (object != NULL) {
        memcpy(&list->first, object, sizeof(list->first));
        list->count--;
    } else {
        object = gw_try_alloc(size);
        if (object == NULL) {
            return NULL;
        }
    }
    memset(object, 0, size);
    return object;
}

void gw_free_list_give(struct gw_free_list *list, void *object)
{
    if (list->count + 1 > KEEP_OBJECTS) {
        gw_free(object);
        return;
    }
    memcpy(object, &list->first, sizeof(list->first));
    list->first = object;
    list->count++;
}

static void free_list_fini(struct gw_free_list *list)
{
    while (list->first != NULL) {
        void *object = list->first;
        memcpy(&list->first, object, sizeof(list->first));
        gw_free(object);
    }
    list->count = 0;
}

struct gw_upstream *gw_upstream_create(const struct gw_upstream_opts *opts)
{
    struct gw_upstream *upstream = gw_zalloc(sizeof(*upstream));
    upstream->loop = opts->loop;
    upstream->resolver = gw_resolver_create(opts->loop, opts->dns_refresh_ms);
    upstream->max_idle_per_origin = opts->max_idle_per_origin;
    upstream->idle_timeout_ms = opts->idle_timeout_ms;
    upstream->ping_after_ms = opts->ping_after_ms > 0 ? opts->ping_after_ms : DEFAULT_PING_AFTER_MS;
    upstream->ping_timeout_ms =
        opts->ping_timeout_ms > 0 ? opts->ping_timeout_ms : DEFAULT_PING_TIMEOUT_MS;
    gw_list_init(&upstream->pools);
    gw_list_init(&upstream->ended);
    gw_buf_init(&upstream->head, GW_UPSTREAM_MAX_REQUEST_HEAD_BYTES);
    return upstream;
}

/* Exchanges that ended in the callback that destroys the client. */
static void free_ended(struct gw_upstream *upstream)
{
    struct gw_exchange *exchange = NULL;
    while ((exchange = GW_LIST_FIRST(&upstream->ended, struct gw_exchange, node)) != NULL) {
        gw_deferred_cancel(&exchange->after);
        exchange->after.run(&exchange->after);
    }
}

void gw_upstream_destroy(struct gw_upstream **upstream)
{
    struct gw_upstream *old = *upstream;
    if (old == NULL) {
        return;
    }
    struct gw_pool *pool = NULL;
    while ((pool = GW_LIST_FIRST(&old->pools, struct gw_pool, node)) != NULL) {
        gw_pool_destroy(pool);
    }
    free_ended(old);
    gw_resolver_destroy(&old->resolver);
    free_list_fini(&old->free_conns);
    free_list_fini(&old->free_exchanges);
    gw_buf_fini(&old->head);
    gw_free(old);
    *upstream = NULL;
}

const struct gw_upstream_counters *gw_upstream_counters(const struct gw_upstream *upstream)
{
    return &upstream->counters;
}
