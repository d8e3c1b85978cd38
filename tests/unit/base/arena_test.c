/* SPDX-License-Identifier: MIT */
/* Pieces do not overlap, are aligned, and never exceed the limit together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/rng.h"

#define PIECES 400

static void fill_and_check(struct gw_arena *arena)
{
    struct gw_rng rng;
    gw_rng_init_fixed(&rng, 5);
    unsigned char *pieces[PIECES];
    size_t sizes[PIECES];
    for (size_t i = 0; i < PIECES; i++) {
        sizes[i] = gw_rng_below(&rng, i % 10 == 0 ? 5000 : 100);
        pieces[i] = gw_arena_try_alloc(arena, sizes[i]);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        memset(pieces[i], (int)(i % 251), sizes[i]);
    }
    for (size_t i = 0; i < PIECES; i++) {
        for (size_t k = 0; k < sizes[i]; k++) {
            assert_int_equal(pieces[i][k], i % 251);
        }
    }
}

static void test_pieces_do_not_overlap(void **state)
{
    (void)state;
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 4096, 10 << 20);
    fill_and_check(&arena);
    gw_arena_fini(&arena);
    fill_and_check(&arena); /* usable again */
    gw_arena_fini(&arena);
}

static void test_first_block_of_the_caller(void **state)
{
    (void)state;
    for (size_t size = 0; size < 80; size++) {
        for (size_t shift = 0; shift < 16; shift++) {
            char *first = malloc(size + shift + 1);
            assert_non_null(first);
            struct gw_arena arena;
            gw_arena_init(&arena, first + shift, size, 4096, 1 << 20);
            for (int i = 0; i < 10; i++) {
                void *piece = gw_arena_try_alloc(&arena, 9);
                assert_non_null(piece);
                memset(piece, 0xff, 9);
            }
            gw_arena_fini(&arena);
            free(first);
        }
    }
}

static void test_limit(void **state)
{
    (void)state;
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 4096, 10000);
    assert_null(gw_arena_try_alloc(&arena, 10001));
    assert_null(gw_arena_try_alloc(&arena, SIZE_MAX));
    assert_null(gw_arena_try_alloc(&arena, SIZE_MAX - 20));
    size_t got = 0;
    while (gw_arena_try_alloc(&arena, 16) != NULL) {
        got += 16;
    }
    /* All of it can be used, though the block size does not divide it. */
    assert_int_equal(got, 10000);
    assert_true(arena.used_bytes <= 10000);
    assert_null(gw_arena_try_dup(&arena, GW_STR("x")).ptr);
    struct gw_str text = gw_arena_printf(&arena, "%s", "x");
    assert_true(gw_str_eq(text, GW_STR("(no memory for the message)")));
    gw_arena_fini(&arena);
    gw_arena_init(&arena, NULL, 0, 4096, SIZE_MAX);
    assert_null(gw_arena_try_alloc(&arena, SIZE_MAX - 15));
    gw_arena_fini(&arena);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 4096, 1 << 20);
    gw_alloc_fail_at(1);
    assert_null(gw_arena_try_alloc(&arena, 16));
    gw_alloc_fail_at(0);
    assert_non_null(gw_arena_try_alloc(&arena, 16));
    gw_arena_fini(&arena);
}

static void test_texts(void **state)
{
    (void)state;
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 256, 1 << 20);
    struct gw_str copy = gw_arena_try_dup(&arena, GW_STR("a\0b"));
    assert_int_equal(copy.len, 3);
    assert_memory_equal(copy.ptr, "a\0b", 4);
    copy = gw_arena_try_dup(&arena, gw_str(NULL, 0));
    assert_int_equal(copy.len, 0);
    assert_int_equal(copy.ptr[0], '\0');
    struct gw_str text = gw_arena_printf(&arena, "%d-%s", 12, "ab");
    assert_string_equal(text.ptr, "12-ab");
    assert_int_equal(text.len, 5);
    gw_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pieces_do_not_overlap),
        cmocka_unit_test(test_first_block_of_the_caller),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_out_of_memory),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
