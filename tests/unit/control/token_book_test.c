/* SPDX-License-Identifier: MIT */
/* control/token_book: one entry per source, as long as somebody wants or holds it. */
#include "control/token_book.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct gw_token_spec entra(const char *client)
{
    return (struct gw_token_spec){.kind = GW_TOKEN_ENTRA,
                                  .label = GW_STR("test"),
                                  .fields = {[GW_TOKEN_FIELD_CLIENT_ID] = gw_str_from_c(client)}};
}

static struct gw_token_entry *acquire(struct gw_token_book *book, const char *client)
{
    struct gw_token_spec spec = entra(client);
    struct gw_token_entry *entry = NULL;
    assert_int_equal(gw_token_book_acquire(book, &spec, 1, &entry), GW_OK);
    return entry;
}

static void the_same_source_is_one_entry(void **state)
{
    (void)state;
    struct gw_token_book *book = gw_token_book_create();
    struct gw_token_entry *a = acquire(book, "a");
    struct gw_token_entry *again = acquire(book, "a");
    struct gw_token_entry *b = acquire(book, "b");
    assert_ptr_equal(a, again);
    assert_ptr_not_equal(a, b);
    assert_ptr_equal(gw_token_entry_slot(a), gw_token_entry_slot(again));
    gw_token_entry_release(&again);
    assert_true(gw_token_entry_is_wanted(a));
    /* A holder keeps it, but it is not wanted; who wants it then gets a new one. */
    struct gw_token_entry *held = gw_token_entry_hold(a);
    gw_token_entry_release(&a);
    assert_false(gw_token_entry_is_wanted(held));
    struct gw_token_entry *fresh = acquire(book, "a");
    assert_ptr_not_equal(fresh, held);
    gw_token_entry_let_go(&held);
    gw_token_book_release(&book); /* the entries keep it */
    gw_token_entry_release(&b);
    gw_token_entry_release(&fresh);
}

static void a_walk_sees_what_is_to_be_fetched(void **state)
{
    (void)state;
    struct gw_token_book *book = gw_token_book_create();
    struct gw_token_entry *a = acquire(book, "a");
    const struct gw_token_spec keys = {
        .kind = GW_TOKEN_STATIC,
        .fields = {[GW_TOKEN_FIELD_ACCESS] = GW_STR("id"), [GW_TOKEN_FIELD_SECRET] = GW_STR("s")}};
    struct gw_token_entry *fixed = NULL;
    struct gw_token token = {0};
    assert_int_equal(gw_token_book_acquire(book, &keys, 1, &fixed), GW_OK);
    assert_true(gw_token_slot_get(gw_token_entry_slot(fixed), &token));
    assert_true(gw_str_eq(token.secret, GW_STR("s")));
    struct gw_token_entry *b = acquire(book, "b");
    struct gw_token_entry *first = gw_token_book_next(book, NULL);
    struct gw_token_entry *second = gw_token_book_next(book, first);
    assert_ptr_equal(first, a);
    assert_ptr_equal(second, b);
    assert_null(gw_token_book_next(book, second));
    gw_token_entry_release(&b);
    /* One that is not listed any more begins the walk anew. */
    struct gw_token_entry *anew = gw_token_book_next(book, second);
    assert_ptr_equal(anew, a);
    gw_token_entry_let_go(&anew);
    gw_token_entry_let_go(&first);
    gw_token_entry_let_go(&second);
    gw_token_entry_release(&a);
    gw_token_entry_release(&fixed);
    gw_token_book_release(&book);
}

static void there_are_limits(void **state)
{
    (void)state;
    static struct gw_token_entry *entries[GW_TOKEN_BOOK_MAX];
    static char text[GW_TOKEN_SPEC_MAX_BYTES];
    struct gw_token_book *book = gw_token_book_create();
    struct gw_token_entry *one_more = NULL;
    memset(text, 'x', sizeof(text));
    struct gw_token_spec large = entra("a");
    large.fields[GW_TOKEN_FIELD_CLIENT_SECRET] = gw_str(text, sizeof(text));
    assert_int_equal(gw_token_book_acquire(book, &large, 1, &one_more), GW_ERR_TOO_LARGE);
    for (size_t i = 0; i < GW_TOKEN_BOOK_MAX; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "%zu", i);
        entries[i] = acquire(book, name);
    }
    struct gw_token_spec spec = entra("more");
    assert_int_equal(gw_token_book_acquire(book, &spec, 1, &one_more), GW_ERR_TOO_LARGE);
    for (size_t i = 0; i < GW_TOKEN_BOOK_MAX; i++) {
        gw_token_entry_release(&entries[i]);
    }
    assert_int_equal(gw_token_book_acquire(NULL, &spec, 1, &one_more), GW_OK);
    gw_token_entry_release(&one_more);
    gw_token_book_release(&book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_source_is_one_entry),
        cmocka_unit_test(a_walk_sees_what_is_to_be_fetched),
        cmocka_unit_test(there_are_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
