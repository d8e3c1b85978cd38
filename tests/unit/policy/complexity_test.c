/* SPDX-License-Identifier: MIT */
/* policy/complexity - the documented rules, and the cost of 4 KB. */
#include "policy/complexity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "json/value.h"

static unsigned points(const char *text, enum gw_complexity_rule rule)
{
    return gw_complexity_of_text(gw_str_from_c(text)).points[rule];
}

static void test_each_rule(void **state)
{
    (void)state;
    assert_int_equal(points("Hi", GW_COMPLEXITY_LENGTH), 0);
    assert_int_equal(points("a database", GW_COMPLEXITY_TERMS), 1);
    assert_int_equal(points("a Database database DATABASE", GW_COMPLEXITY_TERMS), 1);
    assert_int_equal(points("cache, SQL and API", GW_COMPLEXITY_TERMS), 2);
    assert_int_equal(points("databases", GW_COMPLEXITY_TERMS), 0);
    assert_int_equal(points("```\nx\n```", GW_COMPLEXITY_CODE), 1);
    assert_int_equal(points("f(x) == y", GW_COMPLEXITY_CODE), 1);
    assert_int_equal(points("I (mostly) agree", GW_COMPLEXITY_CODE), 0);
    assert_int_equal(points("def f(x)", GW_COMPLEXITY_CODE), 1);
    assert_int_equal(points("Explain In Detail", GW_COMPLEXITY_DEPTH), 1);
    assert_int_equal(points("step-by-step", GW_COMPLEXITY_DEPTH), 1);
    assert_int_equal(points("in dept", GW_COMPLEXITY_DEPTH), 0);
    assert_int_equal(points("why? how?", GW_COMPLEXITY_QUESTIONS), 1);
    assert_int_equal(points("why?", GW_COMPLEXITY_QUESTIONS), 0);
    assert_int_equal(points("prove it", GW_COMPLEXITY_MATHS), 1);
    assert_int_equal(points("must, only, never", GW_COMPLEXITY_CONSTRAINTS), 1);
    assert_int_equal(points("must, only", GW_COMPLEXITY_CONSTRAINTS), 0);
    assert_int_equal(points("translate \xd0\xbf\xd1\x80", GW_COMPLEXITY_LANGUAGES), 1);
    assert_int_equal(points("caf\xc3\xa9", GW_COMPLEXITY_LANGUAGES), 0);
    assert_int_equal(points("", GW_COMPLEXITY_LENGTH), 0);
}

static void test_thresholds(void **state)
{
    (void)state;
    struct gw_complexity_score score =
        gw_complexity_of_text(GW_STR("What is the capital of Peru?"));
    assert_int_equal(score.complexity, GW_COMPLEXITY_LOW);
    score = gw_complexity_of_text(GW_STR("Compare a cache with a database and an API for this. "
                                         "Which is faster, and why? And when?"));
    assert_int_equal(score.total, 5); /* length 1, terms 2, depth 1, questions 1 */
    assert_int_equal(score.complexity, GW_COMPLEXITY_HIGH);
    score = gw_complexity_of_text(GW_STR(
        "Analyze which database fits here, and what it needs of us in the long run and why."));
    assert_int_equal(score.total, 3); /* length 0 or 1, terms 1, depth 1 */
    assert_int_equal(score.complexity, GW_COMPLEXITY_MEDIUM);
    assert_string_equal(gw_complexity_name(score.complexity), "medium");
    assert_string_equal(gw_complexity_rule_name(GW_COMPLEXITY_TURNS), "turns");
}

static void test_chats(void **state)
{
    (void)state;
    struct gw_json_reader reader;
    yyjson_val *root = NULL;
    gw_json_reader_init(&reader, 1u << 20);
    struct gw_str text = GW_STR("{\"messages\":[{\"role\":\"system\",\"content\":\"prove it\"},"
                                "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":"
                                "\"Legal advice on a database\"}]}],\"tools\":[{}]}");
    assert_int_equal(gw_json_read(&reader, text, &root), GW_OK);
    struct gw_complexity_score score = gw_complexity_of_chat(root, NULL, 0);
    assert_int_equal(score.points[GW_COMPLEXITY_MATHS], 0); /* the system's words are not asked */
    assert_int_equal(score.points[GW_COMPLEXITY_TERMS], 1);
    assert_int_equal(score.points[GW_COMPLEXITY_TOOLS], 1);
    assert_int_equal(score.complexity, GW_COMPLEXITY_LOW);
    static const struct gw_complexity_override overrides[] = {
        {GW_STR_INIT("medical"), GW_COMPLEXITY_MEDIUM}, {GW_STR_INIT("legal"), GW_COMPLEXITY_HIGH}};
    assert_int_equal(gw_complexity_of_chat(root, overrides, 2).complexity, GW_COMPLEXITY_HIGH);
    assert_int_equal(gw_json_read(&reader, GW_STR("{\"messages\":7}"), &root), GW_OK);
    assert_int_equal(gw_complexity_of_chat(root, overrides, 2).total, 0);
    gw_json_reader_fini(&reader);
}

static void test_what_it_costs(void **state)
{
    (void)state;
    static const char piece[] =
        "Explain how the scheduler distributes in-flight work (and why) to each worker; ";
    char text[4096];
    uint64_t best = UINT64_MAX;
    for (size_t i = 0; i < sizeof(text); i++) {
        text[i] = piece[i % (sizeof(piece) - 1)];
    }
    for (int i = 0; i < 200; i++) {
        uint64_t begun = gw_clock_mono_ns();
        struct gw_complexity_score score = gw_complexity_of_text(gw_str(text, sizeof(text)));
        uint64_t ns = gw_clock_mono_ns() - begun;
        assert_true(score.total > 0);
        best = ns < best ? ns : best;
    }
    print_message("%llu ns for 4 KB\n", (unsigned long long)best);
    for (int byte = 0; byte < 256; byte++) { /* any bytes at all */
        memset(text, byte, sizeof(text));
        (void)gw_complexity_of_text(gw_str(text, sizeof(text)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_rule),
        cmocka_unit_test(test_thresholds),
        cmocka_unit_test(test_chats),
        cmocka_unit_test(test_what_it_costs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
