/* SPDX-License-Identifier: MIT */
/* base/arena - bump allocation in blocks. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/assert.h"

#define ALIGNMENT 16 /* of max_align_t on every platform we build for */

struct gw_arena_block {
    struct gw_arena_block *next;
    size_t size;
};

#define HEADER_BYTES ((sizeof(struct gw_arena_block) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT)

#if defined(__SANITIZE_ADDRESS__)
#    define ONE_BLOCK_PER_PIECE 1
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer)
#        define ONE_BLOCK_PER_PIECE 1
#    endif
#endif
#ifndef ONE_BLOCK_PER_PIECE
#    define ONE_BLOCK_PER_PIECE 0
#endif

static char *align_up(char *ptr)
{
    uintptr_t misfit = (uintptr_t)ptr % ALIGNMENT;
    return misfit == 0 ? ptr : ptr + (ALIGNMENT - misfit);
}

void gw_arena_init(struct gw_arena *arena, void *first, size_t first_size, size_t block_bytes,
                   size_t max_bytes)
{
    *arena = (struct gw_arena){.max_bytes = max_bytes, .block_bytes = block_bytes};
    if (first != NULL && first_size >= ALIGNMENT && !ONE_BLOCK_PER_PIECE) {
        arena->at = align_up(first);
        arena->end = (char *)first + first_size;
    }
}

void gw_arena_fini(struct gw_arena *arena)
{
    struct gw_arena_block *block = arena->blocks;
    while (block != NULL) {
        struct gw_arena_block *next = block->next;
        gw_free(block);
        block = next;
    }
    *arena = (struct gw_arena){.max_bytes = arena->max_bytes, .block_bytes = arena->block_bytes};
}

static struct gw_arena_block *add_block(struct gw_arena *arena, size_t payload_bytes)
{
    if (payload_bytes > arena->max_bytes - arena->used_bytes ||
        payload_bytes > SIZE_MAX - HEADER_BYTES) {
        return NULL;
    }
    struct gw_arena_block *block = gw_try_alloc(HEADER_BYTES + payload_bytes);
    if (block == NULL) {
        return NULL;
    }
    block->size = payload_bytes;
    block->next = arena->blocks;
    arena->blocks = block;
    arena->used_bytes += payload_bytes;
    return block;
}

static void *alloc_slow(struct gw_arena *arena, size_t size)
{
    /* A large piece gets a block of its own, so that the rest of the current block stays usable; so
     * does each of the last pieces before the limit, where no ordinary block fits any more. */
    bool own_block = ONE_BLOCK_PER_PIECE || size > arena->block_bytes / 4 ||
                     arena->block_bytes > arena->max_bytes - arena->used_bytes;
    struct gw_arena_block *block = add_block(arena, own_block ? size : arena->block_bytes);
    if (block == NULL) {
        return NULL;
    }
    char *payload = (char *)block + HEADER_BYTES;
    if (!own_block) {
        arena->at = payload + size;
        arena->end = payload + block->size;
    }
    return payload;
}

void *gw_arena_try_alloc(struct gw_arena *arena, size_t size)
{
    size_t rounded = 0;
    if (__builtin_add_overflow(size, ALIGNMENT - 1, &rounded)) {
        return NULL;
    }
    rounded -= rounded % ALIGNMENT;
    if (!ONE_BLOCK_PER_PIECE && arena->at != NULL && rounded <= (size_t)(arena->end - arena->at)) {
        void *piece = arena->at;
        arena->at += rounded;
        return piece;
    }
    return alloc_slow(arena, ONE_BLOCK_PER_PIECE ? size : rounded);
}

struct gw_str gw_arena_try_dup(struct gw_arena *arena, struct gw_str text)
{
    char *copy = gw_arena_try_alloc(arena, text.len + 1);
    if (copy == NULL) {
        return gw_str(NULL, 0);
    }
    if (text.len > 0) {
        memcpy(copy, text.ptr, text.len);
    }
    copy[text.len] = '\0';
    return gw_str(copy, text.len);
}

struct gw_str gw_arena_printf(struct gw_arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int need = vsnprintf(NULL, 0, format, args);
    va_end(args);
    GW_ASSERT(need >= 0);
    size_t len = (size_t)need;
    char *text = gw_arena_try_alloc(arena, len + 1);
    if (text == NULL) {
        return GW_STR("(no memory for the message)");
    }
    va_start(args, format);
    vsnprintf(text, len + 1, format, args);
    va_end(args);
    return gw_str(text, len);
}
