/* SPDX-License-Identifier: MIT */
/* Comparison of every length and place, and the NULL secret. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/secret.h"

static void test_equality(void **state)
{
    (void)state;
    struct gw_secret *secret = gw_secret_create(GW_STR("sk-abc"));
    assert_true(gw_secret_eq(secret, GW_STR("sk-abc")));
    assert_false(gw_secret_eq(secret, GW_STR("sk-ab")));
    assert_false(gw_secret_eq(secret, GW_STR("sk-abcd")));
    assert_false(gw_secret_eq(
        secret, GW_STR("sk-abcsk-abc"))); /* the loop wraps around, the length decides */
    assert_false(gw_secret_eq(secret, GW_STR("")));
    assert_false(gw_secret_eq(secret, gw_str(NULL, 0)));
    char wrong[] = "sk-abc";
    for (size_t i = 0; i < 6; i++) {
        for (int bit = 0; bit < 8; bit++) {
            wrong[i] = (char)(wrong[i] ^ (1 << bit));
            assert_false(gw_secret_eq(secret, gw_str(wrong, 6)));
            wrong[i] = (char)(wrong[i] ^ (1 << bit));
        }
    }
    gw_secret_destroy(&secret);
    assert_null(secret);
    gw_secret_destroy(&secret);
}

static void test_empty_and_null(void **state)
{
    (void)state;
    struct gw_secret *empty = gw_secret_create(gw_str(NULL, 0));
    assert_true(gw_secret_eq(empty, GW_STR("")));
    assert_false(gw_secret_eq(empty, GW_STR("a")));
    gw_secret_destroy(&empty);
    assert_false(gw_secret_eq(NULL, GW_STR("")));
    assert_int_equal(gw_secret_reveal(NULL).len, 0);
}

static void test_owns_a_copy(void **state)
{
    (void)state;
    char bytes[] = "key";
    struct gw_secret *secret = gw_secret_create(gw_str(bytes, 3));
    memset(bytes, 'x', 3);
    assert_true(gw_str_eq(gw_secret_reveal(secret), GW_STR("key")));
    gw_secret_destroy(&secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equality),
        cmocka_unit_test(test_empty_and_null),
        cmocka_unit_test(test_owns_a_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
