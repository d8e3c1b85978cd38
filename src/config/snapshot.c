/* SPDX-License-Identifier: MIT */
/* config/snapshot - see the header. */
#include "config/snapshot_int.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/assert.h"

#define BLOCK_BYTES (16u << 10) /* a small configuration fits in one */

void *gw_arena_grow(struct gw_arena *arena, const void *array, size_t count, size_t *capacity,
                    size_t item_size)
{
    if (count < *capacity) {
        union {
            const void *from;
            void *to;
        } same = {.from = array};
        return same.to;
    }
    size_t next = *capacity == 0 ? 8 : *capacity * 2;
    size_t bytes = 0;
    void *grown =
        __builtin_mul_overflow(next, item_size, &bytes) ? NULL : gw_arena_try_alloc(arena, bytes);
    if (grown == NULL) {
        return NULL;
    }
    if (count > 0) {
        memcpy(grown, array, count * item_size);
    }
    *capacity = next;
    return grown;
}

struct gw_str gw_arena_try_printf(struct gw_arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int need = vsnprintf(NULL, 0, format, args);
    va_end(args);
    GW_ASSERT(need >= 0);
    size_t len = (size_t)need;
    char *text = gw_arena_try_alloc(arena, len + 1);
    if (text == NULL) {
        return gw_str(NULL, 0);
    }
    va_start(args, format);
    (void)vsnprintf(text, len + 1, format, args);
    va_end(args);
    return gw_str(text, len);
}

struct gw_snapshot *gw_snapshot_create(void)
{
    struct gw_snapshot *snapshot = gw_try_alloc(sizeof(*snapshot));
    struct gw_snapshot_private *priv = gw_try_alloc(sizeof(*priv));
    if (snapshot == NULL || priv == NULL) {
        gw_free(snapshot);
        gw_free(priv);
        return NULL;
    }
    memset(snapshot, 0, sizeof(*snapshot));
    memset(priv, 0, sizeof(*priv));
    atomic_init(&priv->references, 1);
    gw_arena_init(&priv->arena, NULL, 0, BLOCK_BYTES, GW_SNAPSHOT_MAX_BYTES);
    snapshot->priv = priv;
    return snapshot;
}

struct gw_snapshot *gw_snapshot_acquire(struct gw_snapshot *snapshot)
{
    unsigned before =
        atomic_fetch_add_explicit(&snapshot->priv->references, 1, memory_order_relaxed);
    GW_ASSERT(before > 0);
    return snapshot;
}

static void destroy(struct gw_snapshot *snapshot)
{
    struct gw_snapshot_private *priv = snapshot->priv;
    gw_tls_server_release(&snapshot->tls);
    for (size_t i = 0; i < priv->trust_count; i++) {
        gw_tls_client_release(&priv->trusts[i].tls);
    }
    for (size_t i = 0; i < snapshot->origin_count; i++) {
        struct gw_str authorization = snapshot->origins[i]->proxy_authorization;
        union {
            const char *from;
            char *to;
        } bytes = {.from = authorization.ptr}; /* ours, though the view says const */
        if (authorization.len > 0) {
            explicit_bzero(bytes.to, authorization.len);
        }
    }
    for (size_t i = 0; i < priv->secret_count; i++) {
        gw_secret_destroy(&priv->secrets[i]);
    }
    for (size_t i = 0; i < priv->token_count; i++) {
        gw_token_entry_release(&priv->tokens[i]);
    }
    gw_free(priv->tokens);
    gw_free(priv->secrets);
    gw_free(priv->trusts);
    gw_arena_fini(&priv->arena);
    gw_free(priv);
    gw_free(snapshot);
}

void gw_snapshot_release(struct gw_snapshot **snapshot)
{
    struct gw_snapshot *old = *snapshot;
    *snapshot = NULL;
    if (old == NULL) {
        return;
    }
    unsigned before = atomic_fetch_sub_explicit(&old->priv->references, 1, memory_order_acq_rel);
    GW_ASSERT(before > 0);
    if (before == 1) {
        destroy(old);
    }
}

const struct gw_secret *gw_snapshot_add_secret(struct gw_snapshot *snapshot, struct gw_str bytes)
{
    struct gw_snapshot_private *priv = snapshot->priv;
    if (priv->secret_count == priv->secret_capacity) {
        size_t capacity = priv->secret_capacity == 0 ? 8 : priv->secret_capacity * 2;
        struct gw_secret **secrets =
            gw_try_realloc(priv->secrets, capacity * sizeof(struct gw_secret *));
        if (secrets == NULL) {
            return NULL;
        }
        priv->secrets = secrets;
        priv->secret_capacity = capacity;
    }
    struct gw_secret *secret = gw_secret_create(bytes);
    priv->secrets[priv->secret_count] = secret;
    priv->secret_count++;
    return secret;
}

enum gw_err gw_snapshot_add_token(struct gw_snapshot *snapshot, struct gw_token_entry *entry)
{
    struct gw_snapshot_private *priv = snapshot->priv;
    if (priv->token_count == priv->token_capacity) {
        size_t capacity = priv->token_capacity == 0 ? 8 : priv->token_capacity * 2;
        struct gw_token_entry **tokens =
            gw_try_realloc(priv->tokens, capacity * sizeof(struct gw_token_entry *));
        if (tokens == NULL) {
            gw_token_entry_release(&entry);
            return GW_ERR_NOMEM;
        }
        priv->tokens = tokens;
        priv->token_capacity = capacity;
    }
    priv->tokens[priv->token_count] = entry;
    priv->token_count++;
    return GW_OK;
}

enum gw_err gw_snapshot_trust(struct gw_snapshot *snapshot, struct gw_str ca_file, bool insecure,
                              struct gw_tls_client **tls, struct gw_str *message)
{
    struct gw_snapshot_private *priv = snapshot->priv;
    for (size_t i = 0; i < priv->trust_count; i++) {
        if (priv->trusts[i].insecure == insecure && gw_str_eq(priv->trusts[i].ca_file, ca_file)) {
            *tls = priv->trusts[i].tls;
            return GW_OK;
        }
    }
    struct gw_snapshot_trust *trusts =
        gw_try_realloc(priv->trusts, (priv->trust_count + 1) * sizeof(*trusts));
    if (trusts == NULL) {
        return GW_ERR_NOMEM;
    }
    priv->trusts = trusts;
    struct gw_snapshot_trust trust = {.ca_file = gw_arena_try_dup(&priv->arena, ca_file),
                                      .insecure = insecure};
    if (trust.ca_file.ptr == NULL) {
        return GW_ERR_NOMEM;
    }
    const struct gw_tls_client_opts opts = {.ca_file = ca_file.len > 0 ? trust.ca_file.ptr : NULL,
                                            .insecure = insecure};
    enum gw_err err = gw_tls_client_create(&opts, &priv->arena, &trust.tls, message);
    if (err == GW_OK) {
        priv->trusts[priv->trust_count] = trust;
        priv->trust_count++;
        *tls = trust.tls;
    }
    return err;
}

enum gw_err gw_snapshot_add_found(struct gw_snapshot *snapshot, struct gw_str line)
{
    struct gw_arena *arena = gw_snapshot_arena(snapshot);
    struct gw_str *found = gw_arena_grow(arena, snapshot->found, snapshot->found_count,
                                         &snapshot->priv->found_capacity, sizeof(*found));
    struct gw_str own = gw_arena_try_dup(arena, line);
    if (found == NULL || own.ptr == NULL) {
        return GW_ERR_NOMEM;
    }
    found[snapshot->found_count] = own;
    snapshot->found = found;
    snapshot->found_count++;
    return GW_OK;
}
