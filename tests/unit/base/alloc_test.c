/* SPDX-License-Identifier: MIT */
/* Blocks, copies, and the switch that makes a chosen allocation fail. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

static void test_blocks(void **state)
{
    (void)state;
    char *block = gw_zalloc(100);
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(block[i], 0);
    }
    memset(block, 'a', 100);
    block = gw_realloc(block, 1000);
    assert_int_equal(block[99], 'a');
    gw_free(block);
    /* Size 0 gives a block too, so that NULL always means failure. */
    void *empty = gw_try_alloc(0);
    assert_non_null(empty);
    empty = gw_try_realloc(empty, 0);
    assert_non_null(empty);
    gw_free(empty);
    empty = gw_alloc(0);
    assert_non_null(empty);
    gw_free(empty);
    gw_free(NULL);
}

static void test_strndup(void **state)
{
    (void)state;
    char *copy = gw_strndup("abcdef", 3);
    assert_string_equal(copy, "abc");
    gw_free(copy);
    copy = gw_strndup(NULL, 0);
    assert_string_equal(copy, "");
    gw_free(copy);
}

static void test_chosen_failure(void **state)
{
    (void)state;
    gw_alloc_fail_at(3);
    void *first = gw_try_alloc(1);
    void *second = gw_try_realloc(NULL, 1);
    assert_non_null(first);
    assert_non_null(second);
    void *own = gw_alloc(1); /* our own small blocks are not counted and never fail */
    assert_null(gw_try_realloc(second, 100));
    second = gw_try_realloc(second, 100); /* still valid, and only one call failed */
    assert_non_null(second);
    gw_free(first);
    gw_free(second);
    gw_free(own);
    gw_alloc_fail_at(1);
    gw_alloc_fail_at(0);
    first = gw_try_alloc(1);
    assert_non_null(first);
    gw_free(first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_strndup),
        cmocka_unit_test(test_chosen_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
