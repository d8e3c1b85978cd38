/* SPDX-License-Identifier: MIT */
/* llm/token_slot: publishing, limits, and readers beside a writer (for ThreadSanitizer). */
#include "llm/token_slot.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/alloc.h"

static void test_a_slot_is_empty_at_first(void **state)
{
    (void)state;
    struct gw_token token;
    struct gw_token_slot *slot = gw_token_slot_create();
    assert_false(gw_token_slot_get(slot, &token));
    gw_token_slot_destroy(&slot);
    assert_null(slot);
    gw_token_slot_destroy(&slot);
}

static void test_the_newest_token_is_given(void **state)
{
    (void)state;
    struct gw_token_slot *slot = gw_token_slot_create();
    struct gw_token token = {.access = GW_STR("a"), .secret = GW_STR("s"), .expires_at_ms = 5};
    struct gw_token seen;
    assert_int_equal(gw_token_slot_set(slot, &token, 1000), GW_OK);
    gw_token_slot_mark_refused(slot);
    assert_true(gw_token_slot_is_refused(slot));
    token.access = GW_STR("bb");
    token.session = GW_STR("session");
    assert_int_equal(gw_token_slot_set(slot, &token, 2000), GW_OK);
    assert_false(gw_token_slot_is_refused(slot));
    assert_true(gw_token_slot_get(slot, &seen));
    assert_true(gw_str_eq(seen.access, GW_STR("bb")));
    assert_true(gw_str_eq(seen.secret, GW_STR("s")));
    assert_true(gw_str_eq(seen.session, GW_STR("session")));
    assert_int_equal(seen.expires_at_ms, 5);
    gw_token_slot_destroy(&slot);
}

static void test_limits(void **state)
{
    (void)state;
    static char huge[GW_TOKEN_MAX_BYTES + 1];
    struct gw_token_slot *slot = gw_token_slot_create();
    struct gw_token token = {.access = gw_str(huge, sizeof(huge))};
    assert_int_equal(gw_token_slot_set(slot, &token, 0), GW_ERR_TOO_LARGE);
    token.access.len--;
    gw_alloc_fail_at(1);
    assert_int_equal(gw_token_slot_set(slot, &token, 0), GW_ERR_NOMEM);
    gw_alloc_fail_at(0);
    assert_int_equal(gw_token_slot_set(slot, &token, 0), GW_OK);
    gw_token_slot_destroy(&slot);
}

static _Atomic bool is_over;

/* All bytes of a token are the same, so that a torn or freed one shows. */
static void *read_tokens(void *user)
{
    const struct gw_token_slot *slot = user;
    uintptr_t bad = 0;
    while (!atomic_load(&is_over)) {
        struct gw_token token;
        if (!gw_token_slot_get(slot, &token)) {
            continue;
        }
        for (size_t i = 0; i < token.access.len; i++) {
            bad += token.access.ptr[i] != token.access.ptr[0];
        }
    }
    return (void *)bad; /* NOLINT(performance-no-int-to-ptr): a count */
}

static void test_readers_beside_a_writer(void **state)
{
    (void)state;
    struct gw_token_slot *slot = gw_token_slot_create();
    pthread_t threads[2];
    atomic_store(&is_over, false);
    for (size_t i = 0; i < GW_ARRAY_LEN(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, read_tokens, slot), 0);
    }
    for (uint64_t i = 0; i < 2000; i++) {
        char text[64];
        memset(text, 'a' + (int)(i % 26), sizeof(text));
        struct gw_token token = {.access = gw_str(text, sizeof(text))};
        /* The clock stands still: nothing may be freed while readers run. */
        assert_int_equal(gw_token_slot_set(slot, &token, 1), GW_OK);
    }
    atomic_store(&is_over, true);
    for (size_t i = 0; i < GW_ARRAY_LEN(threads); i++) {
        void *bad = NULL;
        assert_int_equal(pthread_join(threads[i], &bad), 0);
        assert_null(bad);
    }
    gw_token_slot_destroy(&slot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_slot_is_empty_at_first),
        cmocka_unit_test(test_the_newest_token_is_given),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_readers_beside_a_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
