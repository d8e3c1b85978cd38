/* SPDX-License-Identifier: MIT */
/* llm/notes: once per member, refusals, and the header field. */
#include "llm/notes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct gw_arena arena;
static struct gw_error error;
static struct gw_notes notes;

static int setup(void **state)
{
    (void)state;
    gw_arena_init(&arena, NULL, 0, 4096, 1u << 20);
    error = (struct gw_error){0};
    gw_notes_init(&notes, &arena, false, &error);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    gw_arena_fini(&arena);
    return 0;
}

static void test_a_member_is_noted_once(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        gw_notes_add(&notes, GW_NOTE_DROPPED, GW_STR("seed"), GW_STR("The vendor has none."));
    }
    gw_notes_add(&notes, GW_NOTE_CHANGED, GW_STR("seed"), GW_STR("Another thing."));
    assert_int_equal(notes.count, 2);
}

static void test_warnings_are_changes_and_drops(void **state)
{
    (void)state;
    assert_int_equal(gw_notes_warning(&notes).len, 0);
    gw_notes_add(&notes, GW_NOTE_MAPPED, GW_STR("a"), GW_STR("quiet"));
    assert_int_equal(gw_notes_warning(&notes).len, 0);
    gw_notes_add(&notes, GW_NOTE_DROPPED, GW_STR("seed"), GW_STR("none here."));
    gw_notes_add(&notes, GW_NOTE_CHANGED, GW_STR("n"), GW_STR("a\r\nb \xc3\xa9."));
    struct gw_str warning = gw_notes_warning(&notes);
    assert_true(gw_str_eq(warning, GW_STR("seed: dropped, none here.; n: changed, a\?\?b \?\?.")));
}

static void test_more_notes_than_fit_are_counted(void **state)
{
    (void)state;
    static char names[GW_NOTES_MAX + 5][8];
    for (size_t i = 0; i < GW_NOTES_MAX + 5; i++) {
        int len = snprintf(names[i], sizeof(names[i]), "m%zu", i);
        gw_notes_add(&notes, GW_NOTE_DROPPED, gw_str(names[i], (size_t)len), GW_STR("x"));
    }
    assert_int_equal(notes.count, GW_NOTES_MAX);
    assert_int_equal(notes.left_out, 5);
}

static void test_a_refusal_is_a_client_error(void **state)
{
    (void)state;
    assert_int_equal(gw_notes_refuse(&notes, GW_STR("n"), GW_STR("One answer only.")),
                     GW_ERR_INVALID);
    assert_int_equal(error.class, GW_ERROR_CLIENT);
    assert_int_equal(error.status, 400);
    assert_true(gw_str_eq(error.param, GW_STR("n")));
    assert_true(gw_str_eq(error.code, GW_STR("unsupported_parameter")));
    assert_true(gw_str_find(error.message, GW_STR("drop_params")) < error.message.len);
}

static void test_drop_params_turns_refusals_into_drops(void **state)
{
    (void)state;
    gw_notes_init(&notes, &arena, true, &error);
    assert_int_equal(gw_notes_refuse(&notes, GW_STR("n"), GW_STR("One answer only.")), GW_OK);
    assert_int_equal(error.class, GW_ERROR_NONE);
    assert_int_equal(notes.entries[0].kind, GW_NOTE_DROPPED);
    assert_int_equal(gw_notes_invalid(&notes, GW_STR("messages"), GW_STR("Wrong.")),
                     GW_ERR_INVALID);
    assert_int_equal(error.status, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_member_is_noted_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_warnings_are_changes_and_drops, setup, teardown),
        cmocka_unit_test_setup_teardown(test_more_notes_than_fit_are_counted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_refusal_is_a_client_error, setup, teardown),
        cmocka_unit_test_setup_teardown(test_drop_params_turns_refusals_into_drops, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
