/* SPDX-License-Identifier: MIT */
/* llm/continuation_join - seams of all kinds: whole, byte by byte, and at every split in two. */
#include "llm/continuation_join.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"

static void feed(struct gw_continuation_join *join, struct gw_str text, struct gw_buf *out)
{
    assert_int_equal(gw_continuation_join_feed(join, text, out), GW_OK);
}

static void check_pieces(struct gw_str delivered, struct gw_str text, bool repeats, size_t split,
                         size_t step, struct gw_str expected)
{
    struct gw_continuation_join join;
    struct gw_buf out;
    gw_buf_init(&out, 1 << 20);
    gw_continuation_join_init(&join, delivered, repeats);
    feed(&join, gw_str(text.ptr, split), &out);
    for (size_t at = split; at < text.len; at += step) {
        feed(&join, gw_str(text.ptr + at, step < text.len - at ? step : text.len - at), &out);
    }
    assert_int_equal(gw_continuation_join_end(&join, &out), GW_OK);
    struct gw_str got = gw_buf_str(&out);
    if (!gw_str_eq(got, expected)) {
        print_message("\"%.*s\" + \"%.*s\" gave \"%.*s\"\n", (int)delivered.len, delivered.ptr,
                      (int)text.len, text.ptr, (int)got.len, got.ptr);
    }
    assert_true(gw_str_eq(got, expected));
    gw_buf_fini(&out);
}

static void check(const char *delivered, const char *text, bool repeats, const char *expected)
{
    struct gw_str whole = gw_str_from_c(text);
    for (size_t split = 0; split <= whole.len; split++) {
        check_pieces(gw_str_from_c(delivered), whole, repeats, split, whole.len + 1,
                     gw_str_from_c(expected));
    }
    check_pieces(gw_str_from_c(delivered), whole, repeats, 0, 1, gw_str_from_c(expected));
}

static void test_what_is_new_passes(void **state)
{
    (void)state;
    check("The sky is", " blue.", false, " blue.");
    check("The sky is blue.", "", false, "");
    check("", "Hello", false, "Hello");
    check("ha ha", " ha ha", false, " ha ha"); /* too short to be an accident */
    check("The sky is blue and", " The sky is high.", false, " The sky is high.");
    check("The sky is blue and the", "The sky is high.", false, "The sky is high.");
    /* Held back for a while, and no repetition. */
    check("one two three four five six", "four five seven", false, "four five seven");
    check("one two three four five six", "four five s", false, "four five s");
    check("one two three four five six", "one two th", false, "one two th");
    /* A line goes on. */
    check("--------------------", "------------ x", false, "------------ x");
    check("0101010101010101", "0101010101010101", false, "0101010101010101");
}

static void test_the_last_words_again(void **state)
{
    (void)state;
    check("It was a dark and stormy night", "dark and stormy night, and", false, ", and");
    check("It was a dark and stormy night", "stormy night, and", false, ", and");
    check("It was a dark and stormy night", "a dark and stormy night", false, "");
    /* The longest one counts. */
    check("say it again, say it again, ", "say it again, say it again, now", false, "now");
    check("say it again, say it again,", "say it again, now", false, " now");
    /* What looked like a longer one ends in the middle. */
    check("alpha beta gamma; alpha beta gamma", "alpha beta gamma and more", false, " and more");
    check("x alpha beta gamma alpha beta gamma", "alpha beta gamma alpha delta", false,
          " alpha delta");
}

static void test_all_of_it_again(void **state)
{
    (void)state;
    check("The sky is blue", "The sky is blue and high", false, " and high");
    check("Hi", "Hi there", true, " there");
    check("Hi", "Hi there", false, "Hi there");
    check("Hi", " there", true, " there");
    check("Hi", "Ho", true, "Ho");
    char longer[2000];
    char echoed[2010];
    struct gw_rng rng;
    gw_rng_init_fixed(&rng, 4);
    for (size_t i = 0; i < sizeof(longer) - 1; i++) {
        longer[i] = (char)('a' + gw_rng_below(&rng, 26));
    }
    longer[sizeof(longer) - 1] = '\0';
    (void)snprintf(echoed, sizeof(echoed), "%s and so", longer);
    check_pieces(gw_str_from_c(longer), gw_str_from_c(echoed), false, 0, 1, GW_STR(" and so"));
    check_pieces(gw_str_from_c(longer), gw_str_from_c(echoed), false, 700, 300, GW_STR(" and so"));
    echoed[1990] = '!'; /* nearly all of it */
    check_pieces(gw_str_from_c(longer), gw_str_from_c(echoed), false, 0, 7, gw_str_from_c(echoed));
}

/* The prefix is sent without the white space at its end: the model writes it again, or not. */
static void test_white_space_at_the_seam(void **state)
{
    (void)state;
    check("Hello ", " world", false, "world");
    check("Hello ", "world", false, "world");
    check("Hello \n\n", " \n\n* one", false, "* one");
    check("Hello\n\n", "\n* one", false, "* one");
    check("Hello\n", "\n\n* one", false, "\n* one");
    check("Hello", " world", false, " world");
    check("   ", "   x", false, "x");
    check("The sky is blue \n", "The sky is blue \nand high", false, "and high");
    check("It was a dark and stormy night ", "and stormy night and", false, "and");
}

static void test_other_scripts(void **state)
{
    (void)state;
    check("これは長い文章です", "長い文章です。次に", false, "。次に");
    check("これは長い文章です", "。次に", false, "。次に");
}

/* Whatever comes, nothing but a beginning of the continuation is ever left out. */
static void test_only_a_beginning_is_left_out(void **state)
{
    struct gw_rng rng;
    (void)state;
    gw_rng_init_fixed(&rng, 21);
    for (int round = 0; round < 20000; round++) {
        char delivered[64];
        char text[64];
        size_t delivered_len = (size_t)gw_rng_below(&rng, sizeof(delivered));
        size_t text_len = (size_t)gw_rng_below(&rng, sizeof(text));
        for (size_t i = 0; i < sizeof(text); i++) {
            delivered[i] = "ab \n"[gw_rng_below(&rng, 4)];
            text[i] = "ab \n"[gw_rng_below(&rng, 4)];
        }
        if (delivered_len > 20 && gw_rng_below(&rng, 2) == 0) { /* often a repetition */
            memcpy(text, delivered + delivered_len - 20, 20);
        }
        struct gw_continuation_join join;
        struct gw_buf out;
        gw_buf_init(&out, 1 << 10);
        gw_continuation_join_init(&join, gw_str(delivered, delivered_len),
                                  gw_rng_below(&rng, 2) == 0);
        for (size_t at = 0; at < text_len;) {
            size_t len = (size_t)gw_rng_below(&rng, text_len - at) + 1;
            feed(&join, gw_str(text + at, len), &out);
            at += len;
        }
        assert_int_equal(gw_continuation_join_end(&join, &out), GW_OK);
        assert_true(gw_str_has_suffix(gw_str(text, text_len), gw_buf_str(&out)));
        gw_buf_fini(&out);
    }
}

static void test_a_full_buffer_is_told(void **state)
{
    struct gw_continuation_join join;
    struct gw_buf out;
    (void)state;
    gw_buf_init(&out, 4);
    gw_continuation_join_init(&join, GW_STR("one two three four"), false);
    assert_int_equal(gw_continuation_join_feed(&join, GW_STR("two three fo"), &out), GW_OK);
    assert_int_equal(gw_continuation_join_feed(&join, GW_STR("x"), &out), GW_ERR_TOO_LARGE);
    gw_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_new_passes),
        cmocka_unit_test(test_the_last_words_again),
        cmocka_unit_test(test_all_of_it_again),
        cmocka_unit_test(test_white_space_at_the_seam),
        cmocka_unit_test(test_other_scripts),
        cmocka_unit_test(test_only_a_beginning_is_left_out),
        cmocka_unit_test(test_a_full_buffer_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
