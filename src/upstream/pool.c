/* SPDX-License-Identifier: MIT */
/*
 * upstream/pool - the connections to one origin and which of them an exchange gets.
 *
 * In this order: an HTTP/2 connection that has room (so that streams gather on few connections),
 * the connection that became idle last (the others may then time out), one that connects and is
 * expected to speak HTTP/2, a new one.
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "upstream/upstream_int.h"

/* ---- the copy of the origin ---- */

/* The views of an origin that are copied. */
#define ORIGIN_STRINGS 6

static void origin_strings(struct gw_origin *origin, struct gw_str *views[ORIGIN_STRINGS])
{
    views[0] = &origin->key;
    views[1] = &origin->host;
    views[2] = &origin->unix_path;
    views[3] = &origin->host_header;
    views[4] = &origin->proxy_host;
    views[5] = &origin->proxy_authorization;
}

/* Copies |origin| with all its texts in one block. */
static void copy_origin(struct gw_pool *pool, const struct gw_origin *origin)
{
    pool->origin = *origin;
    struct gw_str *views[ORIGIN_STRINGS];
    origin_strings(&pool->origin, views);
    size_t total = 0;
    for (size_t i = 0; i < ORIGIN_STRINGS; i++) {
        total += views[i]->len;
    }
    char *at = gw_alloc(total);
    pool->strings = at;
    for (size_t i = 0; i < ORIGIN_STRINGS; i++) {
        if (views[i]->len > 0) {
            memcpy(at, views[i]->ptr, views[i]->len);
        }
        views[i]->ptr = at;
        at += views[i]->len;
    }
}

/* ---- life ---- */

static struct gw_pool *find_pool(struct gw_upstream *upstream, struct gw_str key, uint64_t hash)
{
    GW_LIST_FOREACH(&upstream->pools, node)
    {
        struct gw_pool *pool = GW_CONTAINER_OF(node, struct gw_pool, node);
        if (pool->key_hash == hash && gw_str_eq(pool->origin.key, key)) {
            return pool;
        }
    }
    return NULL;
}

struct gw_pool *gw_upstream_pool(struct gw_upstream *upstream, const struct gw_origin *origin)
{
    uint64_t hash = gw_str_hash(origin->key);
    struct gw_pool *pool = find_pool(upstream, origin->key, hash);
    if (pool != NULL) {
        pool->owner_count++;
        /* The same settings, read again (a renewed CA file, say): new connections use the newest.
         */
        if (origin->tls != pool->origin.tls) {
            struct gw_tls_client *newest = gw_tls_client_acquire(origin->tls);
            gw_tls_client_release(&pool->origin.tls);
            pool->origin.tls = newest;
        }
        return pool;
    }
    pool = gw_zalloc(sizeof(*pool));
    pool->upstream = upstream;
    pool->key_hash = hash;
    pool->owner_count = 1;
    copy_origin(pool, origin);
    if (origin->is_tls) {
        GW_ASSERT(origin->tls != NULL);
        (void)gw_tls_client_acquire(origin->tls);
        pool->sessions = gw_tls_session_store_create();
    }
    pool->h2_max_streams = GW_H2_MAX_STREAMS;
    pool->expects_h2 = origin->http2 == GW_HTTP2_PRIOR;
    gw_list_init(&pool->connecting);
    gw_list_init(&pool->shared);
    gw_list_init(&pool->idle);
    gw_list_init(&pool->busy);
    gw_list_init(&pool->closed);
    gw_list_append(&upstream->pools, &pool->node);
    return pool;
}

static void free_pool(struct gw_pool *pool)
{
    gw_list_unlink(&pool->node);
    gw_tls_session_store_destroy(&pool->sessions);
    if (pool->origin.is_tls) {
        gw_tls_client_release(&pool->origin.tls);
    }
    gw_free(pool->strings);
    gw_free(pool);
}

void gw_pool_free_if_unused(struct gw_pool *pool)
{
    if (pool->owner_count == 0 && pool->conn_count == 0) {
        free_pool(pool);
    }
}

static void close_all(struct gw_list *list)
{
    struct gw_upconn *conn = NULL;
    while ((conn = GW_LIST_FIRST(list, struct gw_upconn, node)) != NULL) {
        GW_ASSERT(gw_list_is_empty(&conn->exchanges));
        gw_upconn_close(conn);
    }
}

void gw_pool_release(struct gw_pool **pool)
{
    struct gw_pool *old = *pool;
    if (old == NULL) {
        return;
    }
    *pool = NULL;
    GW_ASSERT(old->owner_count > 0);
    old->owner_count--;
    if (old->owner_count == 0) {
        close_all(&old->idle);
        gw_pool_free_if_unused(old);
    }
}

void gw_pool_destroy(struct gw_pool *pool)
{
    pool->owner_count = 1; /* nothing below frees it under our feet */
    close_all(&pool->connecting);
    close_all(&pool->shared);
    close_all(&pool->idle);
    close_all(&pool->busy);
    struct gw_upconn *conn = NULL;
    while ((conn = GW_LIST_FIRST(&pool->closed, struct gw_upconn, node)) != NULL) {
        gw_deferred_cancel(&conn->after);
        conn->after.run(&conn->after);
    }
    GW_ASSERT(pool->conn_count == 0);
    free_pool(pool);
}

void gw_pool_trim(struct gw_pool *pool)
{
    while (pool->idle_count > pool->upstream->max_idle_per_origin) {
        gw_upconn_close(GW_LIST_LAST(&pool->idle, struct gw_upconn, node));
    }
}

/* ---- choosing ---- */

/* The newest connection that connects, if it will take one more. */
static struct gw_upconn *find_connecting(struct gw_pool *pool)
{
    if (!pool->expects_h2) {
        return NULL;
    }
    struct gw_upconn *conn = GW_LIST_FIRST(&pool->connecting, struct gw_upconn, node);
    return conn != NULL && conn->exchange_count < pool->h2_max_streams ? conn : NULL;
}

enum gw_err gw_pool_dispatch(struct gw_pool *pool, struct gw_exchange *exchange, bool fresh)
{
    while (!fresh) {
        struct gw_upconn *conn = GW_LIST_FIRST(&pool->shared, struct gw_upconn, node);
        if (conn == NULL) {
            conn = GW_LIST_FIRST(&pool->idle, struct gw_upconn, node);
        }
        if (conn == NULL) {
            break;
        }
        gw_upconn_attach(conn, exchange);
        enum gw_err err = gw_upconn_begin(conn, exchange);
        if (err != GW_ERR_AGAIN) {
            return err;
        }
    }
    struct gw_upconn *conn = find_connecting(pool);
    if (conn == NULL) {
        conn = gw_upconn_try_create(pool, exchange);
        if (conn == NULL) {
            return GW_ERR_NOMEM;
        }
    }
    gw_upconn_attach(conn, exchange);
    return GW_OK;
}
