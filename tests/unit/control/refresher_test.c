/* SPDX-License-Identifier: MIT */
/* control/refresher: when tokens are fetched again; and a thread that is ended at any time. */
#include "control/refresher.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void tokens_are_replaced_ahead_of_their_end(void **state)
{
    (void)state;
    const uint64_t hour = 3600000;
    for (uint64_t random = 0; random < 1000000; random += 999) {
        uint64_t delay = gw_refresher_delay_ms(hour, random);
        assert_true(delay > hour - 360001 && delay <= hour - 300000);
        assert_int_equal(gw_refresher_delay_ms(600000, random), 300000);
        assert_int_equal(gw_refresher_delay_ms(60000, random), 30000);
        assert_int_equal(gw_refresher_delay_ms(3000, random), 5000); /* not all the time */
        assert_int_equal(gw_refresher_delay_ms(0, random), 5000);
    }
    assert_int_not_equal(gw_refresher_delay_ms(hour, 1), gw_refresher_delay_ms(hour, 2));
}

static void failures_back_off(void **state)
{
    (void)state;
    static const uint64_t usual[] = {1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000};
    for (unsigned i = 0; i < GW_ARRAY_LEN(usual); i++) {
        for (uint64_t random = 0; random < 100000; random += 97) {
            uint64_t delay = gw_refresher_backoff_ms(i + 1, random);
            assert_true(delay >= usual[i] * 3 / 4 && delay <= usual[i] * 5 / 4);
        }
    }
    assert_true(gw_refresher_backoff_ms(4000000000u, 0) <= 75000);
}

static void it_ends_whatever_it_does(void **state)
{
    (void)state;
    struct gw_token_book *book = gw_token_book_create();
    struct gw_refresher *refresher = NULL;
    struct gw_token_entry *entry = NULL;
    const struct gw_token_spec spec = {
        .kind = GW_TOKEN_GOOGLE,
        .label = GW_STR("test"),
        .fields = {[GW_TOKEN_FIELD_METADATA_URL] = GW_STR("http://127.0.0.1:9")}};
    gw_refresher_destroy(&refresher);
    assert_int_equal(gw_refresher_create(book, &refresher), GW_OK);
    assert_int_equal(gw_token_book_acquire(book, &spec, 1, &entry), GW_OK);
    gw_refresher_wake(refresher);
    gw_refresher_wake(refresher);
    gw_refresher_destroy(&refresher);
    assert_null(refresher);
    /* One that has nothing to do. */
    gw_token_entry_release(&entry);
    assert_int_equal(gw_refresher_create(book, &refresher), GW_OK);
    assert_int_equal(gw_refresher_counts(refresher).refreshes_total, 0);
    gw_refresher_destroy(&refresher);
    gw_token_book_release(&book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_replaced_ahead_of_their_end),
        cmocka_unit_test(failures_back_off),
        cmocka_unit_test(it_ends_whatever_it_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
