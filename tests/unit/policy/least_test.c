/* SPDX-License-Identifier: MIT */
/* policy/least - against a plain walk over all keys. */
#include "policy/least.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"

struct plain {
    uint64_t keys[GW_LEAST_MAX];
    uint32_t weights[GW_LEAST_MAX];
};

static uint64_t plain_weight(const struct plain *plain, size_t count, uint64_t key_max)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += plain->keys[i] <= key_max ? plain->weights[i] : 0;
    }
    return sum;
}

static void check_bound(struct gw_least *least, const struct plain *plain, size_t count,
                        uint64_t key_max)
{
    uint64_t weight = gw_least_weight(least, key_max);
    assert_int_equal(weight, plain_weight(plain, count, key_max));
    uint64_t at = 0;
    for (size_t i = 0; i < count; i++) { /* each place of the circle belongs to whom it should */
        for (uint32_t n = 0; plain->keys[i] <= key_max && n < plain->weights[i]; n++) {
            assert_int_equal(gw_least_at(least, key_max, at), i);
            at++;
        }
    }
    assert_int_equal(at, weight);
}

static void test_like_a_plain_walk(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 2, 7, 8, 9, 100, GW_LEAST_MAX};
    _Alignas(8) char room[GW_LEAST_BYTES_MAX];
    struct gw_rng rng;
    gw_rng_init_fixed(&rng, 3);
    for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
        struct gw_least least;
        struct plain plain;
        gw_least_init(&least, counts[c], room);
        for (size_t i = 0; i < GW_LEAST_MAX; i++) {
            plain.keys[i] = GW_LEAST_ABSENT;
            plain.weights[i] = 0;
        }
        assert_int_equal(gw_least_key(&least), GW_LEAST_ABSENT);
        for (int step = 0; step < 300; step++) {
            size_t index = (size_t)gw_rng_below(&rng, counts[c]);
            bool leaves = gw_rng_below(&rng, 4) == 0;
            plain.keys[index] = leaves ? GW_LEAST_ABSENT : gw_rng_below(&rng, 6);
            plain.weights[index] = leaves ? 0 : (uint32_t)gw_rng_below(&rng, 3) + 1;
            gw_least_set(&least, index, plain.keys[index], plain.weights[index]);
            uint64_t expected = GW_LEAST_ABSENT;
            for (size_t i = 0; i < counts[c]; i++) {
                expected = plain.keys[i] < expected ? plain.keys[i] : expected;
            }
            uint64_t key = gw_least_key(&least);
            assert_int_equal(key, expected);
            if (key != GW_LEAST_ABSENT) {
                check_bound(&least, &plain, counts[c], key);
                check_bound(&least, &plain, counts[c], key + 2);
                check_bound(&least, &plain, counts[c], GW_LEAST_ABSENT - 1);
            }
        }
    }
}

static void test_copies_are_their_own(void **state)
{
    (void)state;
    _Alignas(8) char room[2][GW_LEAST_BYTES_MAX];
    struct gw_least one;
    struct gw_least two;
    gw_least_init(&one, 20, room[0]);
    gw_least_init(&two, GW_LEAST_MAX, room[1]);
    gw_least_set(&one, 3, 5, 1);
    gw_least_set(&one, 17, 4, 2);
    gw_least_copy(&two, &one);
    gw_least_set(&one, 17, GW_LEAST_ABSENT, 0);
    assert_int_equal(gw_least_key(&one), 5);
    assert_int_equal(gw_least_key(&two), 4);
    assert_int_equal(gw_least_weight(&two, 4), 2);
    assert_int_equal(gw_least_at(&two, 5, 0), 3);
    assert_int_equal(gw_least_at(&two, 5, 2), 17);
    one.keys[3] = 9;
    gw_least_touch(&one);
    assert_int_equal(gw_least_key(&one), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_like_a_plain_walk),
        cmocka_unit_test(test_copies_are_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
