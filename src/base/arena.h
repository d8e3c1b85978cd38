/* SPDX-License-Identifier: MIT */
/*
 * base/arena - memory that lives as long as one request, exchange or snapshot, released in one
 * step.
 *
 * Source:   none
 * Shape:    bump allocation in blocks; no single piece is given back.
 * Units:    bytes
 * Limits:   max_bytes over all blocks, so that no request can grow without end.
 * Memory:   the first block may be the caller's (gw_arena_init); others come from the heap.
 * Threads:  not shared
 * Errors:   gw_arena_try_*() return NULL when the limit or memory is reached.
 *
 * Built with AddressSanitizer every piece is a block of its own, so that overflows between pieces
 * are found.
 */
#ifndef GW_BASE_ARENA_H
#define GW_BASE_ARENA_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/str.h"

struct gw_arena_block;

struct gw_arena {
    char *at;                      /* next free byte */
    char *end;                     /* end of the current block */
    struct gw_arena_block *blocks; /* newest first */
    size_t used_bytes;             /* of all heap blocks */
    size_t max_bytes;
    size_t block_bytes; /* of an ordinary block */
};

/*
 * Makes an empty arena. |first| (may be NULL) is |first_size| bytes of the caller's that are used
 * before the heap is; it must outlive the arena. |block_bytes| is the size of heap blocks,
 * |max_bytes| bounds their sum.
 */
void gw_arena_init(struct gw_arena *arena, void *first, size_t first_size, size_t block_bytes,
                   size_t max_bytes);

/* Frees all blocks. Everything allocated from the arena ends here. */
void gw_arena_fini(struct gw_arena *arena);

/* |size| bytes aligned for any type, not cleared; NULL when the limit or memory is reached. */
GW_MUST_USE void *gw_arena_try_alloc(struct gw_arena *arena, size_t size);

/* A copy of |text| in the arena, with a NUL behind it that is not counted; ptr is NULL when there
 * is no room. */
GW_MUST_USE struct gw_str gw_arena_try_dup(struct gw_arena *arena, struct gw_str text);

/* Printf-formatted text in the arena, NUL behind it; when there is no room the text "(no memory for
 * the message)". */
GW_PRINTF(2, 3) struct gw_str gw_arena_printf(struct gw_arena *arena, const char *format, ...);

#endif
