/* SPDX-License-Identifier: MIT */
/* base/heap - sift up, sift down. */
#include "base/heap.h"

#include "base/alloc.h"
#include "base/assert.h"

#define FIRST_CAPACITY 64 /* the timers of some twenty connections */

void gw_heap_init(struct gw_heap *heap)
{
    *heap = (struct gw_heap){0};
}

void gw_heap_fini(struct gw_heap *heap)
{
    gw_free(heap->nodes);
    gw_heap_init(heap);
}

static void place(struct gw_heap *heap, struct gw_heap_node *node, size_t at)
{
    heap->nodes[at] = node;
    node->index = at + 1;
}

static void sift_up(struct gw_heap *heap, struct gw_heap_node *node, size_t at)
{
    while (at > 0 && heap->nodes[(at - 1) / 2]->key > node->key) {
        place(heap, heap->nodes[(at - 1) / 2], at);
        at = (at - 1) / 2;
    }
    place(heap, node, at);
}

static void sift_down(struct gw_heap *heap, struct gw_heap_node *node, size_t at)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= heap->count) {
            break;
        }
        if (child + 1 < heap->count && heap->nodes[child + 1]->key < heap->nodes[child]->key) {
            child++;
        }
        if (heap->nodes[child]->key >= node->key) {
            break;
        }
        place(heap, heap->nodes[child], at);
        at = child;
    }
    place(heap, node, at);
}

void gw_heap_insert(struct gw_heap *heap, struct gw_heap_node *node, uint64_t key)
{
    GW_ASSERT(node->index == 0);
    if (heap->count == heap->capacity) {
        size_t capacity = heap->capacity > 0 ? heap->capacity * 2 : FIRST_CAPACITY;
        heap->nodes = gw_realloc(heap->nodes, capacity * sizeof(struct gw_heap_node *));
        heap->capacity = capacity;
    }
    node->key = key;
    heap->count++;
    sift_up(heap, node, heap->count - 1);
}

void gw_heap_remove(struct gw_heap *heap, struct gw_heap_node *node)
{
    if (node->index == 0) {
        return;
    }
    size_t at = node->index - 1;
    GW_ASSERT(at < heap->count && heap->nodes[at] == node);
    struct gw_heap_node *last = heap->nodes[heap->count - 1];
    heap->count--;
    node->index = 0;
    if (last != node) {
        if (at > 0 && heap->nodes[(at - 1) / 2]->key > last->key) {
            sift_up(heap, last, at);
        } else {
            sift_down(heap, last, at);
        }
    }
}

struct gw_heap_node *gw_heap_min(const struct gw_heap *heap)
{
    return heap->count > 0 ? heap->nodes[0] : NULL;
}
