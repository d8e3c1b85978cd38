/* SPDX-License-Identifier: MIT */
/* The known sequence of xoshiro256++, bounds, and independent seeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

static void test_known_sequence(void **state)
{
    (void)state;
    /* First outputs of the authors' reference code from the state 1, 2, 3, 4. */
    static const uint64_t expected[] = {41943041u, 58720359u, 3588806011781223u, 3591011842654386u,
                                        9228616714210784205u};
    struct gw_rng rng = {{1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_true(gw_rng_next(&rng) == expected[i]);
    }
}

static void test_fixed_seed_repeats(void **state)
{
    (void)state;
    struct gw_rng a;
    struct gw_rng b;
    struct gw_rng c;
    gw_rng_init_fixed(&a, 42);
    gw_rng_init_fixed(&b, 42);
    gw_rng_init_fixed(&c, 43);
    bool differs = false;
    for (int i = 0; i < 100; i++) {
        uint64_t value = gw_rng_next(&a);
        assert_true(value == gw_rng_next(&b));
        differs = differs || value != gw_rng_next(&c);
    }
    assert_true(differs);
}

static void test_below(void **state)
{
    (void)state;
    struct gw_rng rng;
    gw_rng_init(&rng);
    bool seen[7] = {false};
    for (int i = 0; i < 1000; i++) {
        assert_true(gw_rng_below(&rng, 1) == 0);
        uint64_t value = gw_rng_below(&rng, 7);
        assert_true(value < 7);
        seen[value] = true;
    }
    for (int i = 0; i < 7; i++) {
        assert_true(seen[i]);
    }
}

static void test_system_randomness(void **state)
{
    (void)state;
    unsigned char a[300] = {0};
    unsigned char b[300] = {0};
    gw_rng_fill(a, sizeof(a));
    gw_rng_fill(b, sizeof(b));
    assert_true(memcmp(a, b, sizeof(a)) != 0);
    gw_rng_fill(a, 0);
    struct gw_rng x;
    struct gw_rng y;
    gw_rng_init(&x);
    gw_rng_init(&y);
    assert_true(memcmp(&x, &y, sizeof(x)) != 0);
    assert_true(gw_rng_process_seed() != 0);
    assert_true(gw_rng_process_seed() == gw_rng_process_seed());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_sequence),
        cmocka_unit_test(test_fixed_seed_repeats),
        cmocka_unit_test(test_below),
        cmocka_unit_test(test_system_randomness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
