/* SPDX-License-Identifier: MIT */
/*
 * base/heap - intrusive binary min-heap of 64-bit keys, for timers.
 *
 * Source:   none
 * Shape:    objects hold a struct gw_heap_node; the heap holds pointers to them.
 * Units:    none; the caller's key (deadlines in milliseconds).
 * Limits:   as many nodes as memory holds; growth aborts on exhaustion (nodes are our own objects,
 *           bounded by their limits).
 * Memory:   the heap owns its pointer array; nodes are the caller's.
 * Threads:  not shared
 * Errors:   none
 */
#ifndef GW_BASE_HEAP_H
#define GW_BASE_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct gw_heap_node {
    uint64_t key;
    size_t index; /* position in the heap plus one; 0 when not in a heap */
};

struct gw_heap {
    struct gw_heap_node **nodes;
    size_t count;
    size_t capacity;
};

/* Makes an empty heap. */
void gw_heap_init(struct gw_heap *heap);

/* Frees the array; nodes still inside are only forgotten. */
void gw_heap_fini(struct gw_heap *heap);

/* Puts |node|, which is in no heap, in under |key|. */
void gw_heap_insert(struct gw_heap *heap, struct gw_heap_node *node, uint64_t key);

/* Takes |node| out; a node that is in no heap is left as it is. */
void gw_heap_remove(struct gw_heap *heap, struct gw_heap_node *node);

/* The node with the smallest key, or NULL. */
struct gw_heap_node *gw_heap_min(const struct gw_heap *heap);

#endif
