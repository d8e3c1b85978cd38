/* SPDX-License-Identifier: MIT */
/*
 * config/snapshot_int - what a snapshot owns, for the files that build one.
 *
 * Source:   none
 * Shape:    a snapshot is created empty with one reference and filled; releasing it at any point of
 *           that frees all it got so far.
 * Units:    none
 * Limits:   GW_SNAPSHOT_MAX_BYTES of arena.
 * Memory:   see above; secrets are zeroed.
 * Threads:  one, until it is published
 * Errors:   see the functions.
 */
#ifndef GW_CONFIG_SNAPSHOT_INT_H
#define GW_CONFIG_SNAPSHOT_INT_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "config/snapshot.h"
#include "control/token_book.h"

/* A file of GW_YAML_MAX_BYTES full of models stays below this. */
#define GW_SNAPSHOT_MAX_BYTES (256u << 20)

/* A TLS client context, shared by all origins with the same trust. */
struct gw_snapshot_trust {
    struct gw_str ca_file; /* empty: the system's store */
    bool insecure;
    struct gw_tls_client *tls;
};

struct gw_snapshot_private {
    atomic_uint references;
    struct gw_arena arena;
    struct gw_secret **secrets;
    size_t secret_count;
    size_t secret_capacity;
    struct gw_snapshot_trust *trusts;
    size_t trust_count;
    struct gw_token_entry **tokens;
    size_t token_count;
    size_t token_capacity;
    size_t origin_capacity;
    size_t found_capacity;
};

/* An empty snapshot with one reference, or NULL without memory. */
GW_MUST_USE struct gw_snapshot *gw_snapshot_create(void);

/* The arena that lives as long as |snapshot|. */
static inline struct gw_arena *gw_snapshot_arena(struct gw_snapshot *snapshot)
{
    return &snapshot->priv->arena;
}

/* A secret with |bytes| that lives as long as |snapshot|. NULL without memory. */
GW_MUST_USE const struct gw_secret *gw_snapshot_add_secret(struct gw_snapshot *snapshot,
                                                           struct gw_str bytes);

/*
 * The TLS client context with this trust, made when there is none yet. *message says what is wrong.
 *
 * Errors: as gw_tls_client_create().
 */
GW_MUST_USE enum gw_err gw_snapshot_trust(struct gw_snapshot *snapshot, struct gw_str ca_file,
                                          bool insecure, struct gw_tls_client **tls,
                                          struct gw_str *message);

/* Takes |entry| over: it is released with the snapshot, or at once when the call fails. Errors:
 * GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_snapshot_add_token(struct gw_snapshot *snapshot,
                                              struct gw_token_entry *entry);

/* Adds a line for the banner. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_snapshot_add_found(struct gw_snapshot *snapshot, struct gw_str line);

/* Grows an array in |arena| to hold one item more; the old one stays until the arena goes. |array|
 * may be NULL. NULL without memory. */
GW_MUST_USE void *gw_arena_grow(struct gw_arena *arena, const void *array, size_t count,
                                size_t *capacity, size_t item_size);

/* Printf-formatted text in |arena|, NUL behind it; ptr is NULL without memory. */
GW_PRINTF(2, 3)
struct gw_str gw_arena_try_printf(struct gw_arena *arena, const char *format, ...);

#endif
