/* SPDX-License-Identifier: MIT */
/* core/redact - keys go, the words about them stay. */
#include "core/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define KEY "sk-proj-Zq81xTTbUe2mAAkP"

static void assert_redacted(const char *text, bool is_cut, const char *key, const char *expected)
{
    struct gw_arena arena;
    struct gw_secret *secret = key == NULL ? NULL : gw_secret_create(gw_str_from_c(key));
    gw_arena_init(&arena, NULL, 0, 4096, 65536);
    struct gw_str result = gw_redact(&arena, gw_str_from_c(text), is_cut, secret);
    if (!gw_str_eq(result, gw_str_from_c(expected))) {
        fail_msg("expected \"%s\", got \"" GW_STR_FMT "\"", expected, GW_STR_ARG(result));
    }
    gw_arena_fini(&arena);
    gw_secret_destroy(&secret);
}

static void test_the_key_itself(void **state)
{
    (void)state;
    assert_redacted("Incorrect API key provided: " KEY ". See https://platform.openai.com/keys.",
                    false, KEY,
                    "Incorrect API key provided: *** See https://platform.openai.com/keys.");
    assert_redacted("\\\"" KEY "\\\"", false, KEY, "\\\"***\\\"");
    assert_redacted("(Bearer " KEY ")", false, KEY, "(Bearer ***)");
    assert_redacted(KEY, false, KEY, "***");
}

static void test_each_part_of_it(void **state)
{
    (void)state;
    char text[] = "got ...... here";
    for (size_t i = 0; i + 6 < sizeof(KEY); i++) {
        memcpy(text + 4, &KEY[i], 6);
        assert_redacted(text, false, KEY, "got *** here");
    }
    assert_redacted("keys begin with sk-pr", false, KEY, "keys begin with sk-pr");
}

static void test_a_short_key(void **state)
{
    (void)state;
    assert_redacted("key 'abc' is wrong", false, "abc", "key '***' is wrong");
    assert_redacted("key 'ab' is wrong", false, "abc", "key 'ab' is wrong");
    assert_redacted("key 'a' is wrong", false, "", "key 'a' is wrong");
}

static void test_what_others_masked(void **state)
{
    (void)state;
    assert_redacted("provided: sk-other*************abcd", false, KEY, "provided: ***");
}

static void test_what_looks_like_a_key(void **state)
{
    (void)state;
    assert_redacted("organization org-9xA0bcdefghijklmnopq is off", false, NULL,
                    "organization *** is off");
    assert_redacted("internationalisation-of-gateways 2026-11-21", false, NULL,
                    "internationalisation-of-gateways 2026-11-21");
}

static void test_a_cut_text(void **state)
{
    (void)state;
    assert_redacted("key provided: sk-p", true, KEY, "key provided: ***");
    assert_redacted("key provided: sk-p", false, KEY, "key provided: sk-p");
    assert_redacted("key provided: ", true, KEY, "key provided: ");
    assert_redacted("", true, KEY, "");
}

static void test_without_memory(void **state)
{
    (void)state;
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 16, 16);
    struct gw_str text = GW_STR("Incorrect API key provided: " KEY);
    assert_int_equal(gw_redact(&arena, text, false, NULL).len, 0);
    gw_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_key_itself),        cmocka_unit_test(test_each_part_of_it),
        cmocka_unit_test(test_a_short_key),           cmocka_unit_test(test_what_others_masked),
        cmocka_unit_test(test_what_looks_like_a_key), cmocka_unit_test(test_a_cut_text),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
