/* SPDX-License-Identifier: MIT */
/* The smallest key comes first through any mix of insertions and removals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/heap.h"
#include "base/rng.h"

#define NODES 1000

static void assert_heap_order(const struct gw_heap *heap)
{
    for (size_t i = 0; i < heap->count; i++) {
        assert_int_equal(heap->nodes[i]->index, i + 1);
        if (i > 0) {
            assert_true(heap->nodes[(i - 1) / 2]->key <= heap->nodes[i]->key);
        }
    }
}

static void test_random_operations(void **state)
{
    (void)state;
    static struct gw_heap_node nodes[NODES];
    struct gw_rng rng;
    gw_rng_init_fixed(&rng, 11);
    struct gw_heap heap;
    gw_heap_init(&heap);
    size_t inside = 0;
    for (int round = 0; round < 20000; round++) {
        struct gw_heap_node *node = &nodes[gw_rng_below(&rng, NODES)];
        if (node->index == 0) {
            gw_heap_insert(&heap, node, gw_rng_below(&rng, 500));
            inside++;
        } else {
            gw_heap_remove(&heap, node);
            assert_int_equal(node->index, 0);
            inside--;
        }
        assert_int_equal(heap.count, inside);
        if (round % 500 == 0) {
            assert_heap_order(&heap);
        }
    }
    uint64_t last = 0;
    while (gw_heap_min(&heap) != NULL) {
        struct gw_heap_node *min = gw_heap_min(&heap);
        assert_true(min->key >= last);
        last = min->key;
        gw_heap_remove(&heap, min);
        inside--;
    }
    assert_int_equal(inside, 0);
    gw_heap_fini(&heap);
}

static void test_edges(void **state)
{
    (void)state;
    struct gw_heap heap;
    gw_heap_init(&heap);
    assert_null(gw_heap_min(&heap));
    struct gw_heap_node a = {0};
    struct gw_heap_node b = {0};
    gw_heap_remove(&heap, &a); /* is in no heap */
    gw_heap_insert(&heap, &a, UINT64_MAX);
    assert_ptr_equal(gw_heap_min(&heap), &a);
    gw_heap_insert(&heap, &b, 0);
    assert_ptr_equal(gw_heap_min(&heap), &b);
    gw_heap_remove(&heap, &b);
    gw_heap_remove(&heap, &b);
    assert_ptr_equal(gw_heap_min(&heap), &a);
    gw_heap_fini(&heap);
    assert_null(gw_heap_min(&heap));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_operations),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
