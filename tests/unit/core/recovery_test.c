/* SPDX-License-Identifier: MIT */
/* core/recovery - notes of an answer, and how another one joins it. */
#include "core/recovery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "json/value.h"

/* ---- what goes on to the client, as text: "start text:ab usage:3/4 finish end" ---- */

static struct gw_recovery *recovery;
static struct gw_buf given;

static enum gw_err on_given(void *user, const struct gw_event *event)
{
    (void)user;
    static const char *const names[] = {
#define XX(id, name) name,
        GW_EVENT_MAP(XX)
#undef XX
    };
    (void)gw_buf_appendf(&given, "%s%s", given.len > 0 ? " " : "", names[event->type]);
    if (event->type == GW_EVENT_TEXT) {
        (void)gw_buf_appendf(&given, ":" GW_STR_FMT, GW_STR_ARG(event->text));
    } else if (event->type == GW_EVENT_USAGE) {
        (void)gw_buf_appendf(&given, ":%u/%u", (unsigned)event->usage.input_tokens,
                             (unsigned)event->usage.output_tokens);
    }
    return given.err;
}

static void give(struct gw_event event)
{
    assert_int_equal(gw_recovery_pass(recovery, &event, on_given, NULL), GW_OK);
}

static void give_text(const char *text)
{
    give((struct gw_event){.type = GW_EVENT_TEXT, .text = gw_str_from_c(text)});
}

static void give_type(enum gw_event_type type)
{
    give((struct gw_event){.type = type});
}

static void assert_given(const char *expected)
{
    assert_int_equal(given.len, strlen(expected));
    assert_true(gw_str_eq(gw_buf_str(&given), gw_str_from_c(expected)));
    gw_buf_reset(&given);
}

static int setup(void **state)
{
    (void)state;
    recovery = gw_recovery_create(true);
    gw_buf_init(&given, 1024 * 1024);
    return recovery != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    gw_recovery_destroy(&recovery);
    assert_null(recovery);
    gw_recovery_destroy(&recovery);
    gw_buf_fini(&given);
    return 0;
}

static void go_on(bool repeats)
{
    struct gw_usage usage = {.input_tokens = 10, .output_tokens = 5, .is_known = true};
    assert_true(gw_recovery_is_possible(recovery));
    gw_recovery_continue(recovery, &usage, repeats);
}

/* ---- notes ---- */

static void test_notes(void **state)
{
    (void)state;
    assert_true(gw_recovery_is_possible(recovery)); /* nothing came: it can begin anew */
    give((struct gw_event){
        .type = GW_EVENT_START,
        .start = {.id = GW_STR("chatcmpl-1"), .model = GW_STR("m"), .created_s = 7}});
    give_type(GW_EVENT_PING);
    assert_true(gw_recovery_is_possible(recovery));
    give_text("One, ");
    give_text("two");
    assert_true(gw_recovery_is_possible(recovery));
    assert_true(gw_str_eq(gw_buf_str(&recovery->text), GW_STR("One, two")));
    assert_true(gw_str_eq(gw_buf_str(&recovery->id), GW_STR("chatcmpl-1")));
    assert_true(gw_str_eq(gw_buf_str(&recovery->model), GW_STR("m")));
    assert_int_equal(recovery->created_s, 7);
    gw_recovery_forget(recovery);
    assert_int_equal(recovery->text.len, 0);
    assert_false(recovery->has_start);
    assert_false(recovery->has_output);
}

static void test_what_nobody_can_continue(void **state)
{
    static const enum gw_event_type others[] = {
        GW_EVENT_REFUSAL,    GW_EVENT_MEDIA,          GW_EVENT_ANNOTATION,
        GW_EVENT_TOOL_BEGIN, GW_EVENT_TOOL_ARGUMENTS, GW_EVENT_FINISH,
    };
    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        gw_recovery_forget(recovery);
        give_text("text");
        give_type(others[i]);
        assert_false(gw_recovery_is_possible(recovery));
    }
    gw_recovery_forget(recovery);
    give((struct gw_event){.type = GW_EVENT_TEXT, .text = GW_STR("a"), .logprobs = GW_STR("[{}]")});
    assert_false(gw_recovery_is_possible(recovery));
}

static void test_reasoning(void **state)
{
    (void)state;
    give((struct gw_event){.type = GW_EVENT_REASONING, .text = GW_STR("hm")});
    assert_false(gw_recovery_is_possible(recovery));
    give_text("");
    assert_false(gw_recovery_is_possible(recovery));
    give_text("so");
    assert_true(gw_recovery_is_possible(recovery)); /* it has come to its end */
    give_type(GW_EVENT_REASONING_SIGNATURE);
    assert_false(gw_recovery_is_possible(recovery));
}

static void test_bounds(void **state)
{
    static char text[1024 + 1];
    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    for (unsigned i = 0; i < GW_RECOVERY_TEXT_BYTES / 1024; i++) {
        give_text(text);
        gw_buf_reset(&given);
    }
    assert_true(gw_recovery_is_possible(recovery));
    give_text("y"); /* the client gets it, and nobody could go on behind it */
    assert_given("text:y");
    assert_false(gw_recovery_is_possible(recovery));
    gw_recovery_forget(recovery);
    give_text("y");
    assert_true(gw_recovery_is_possible(recovery));
}

/* Of a group that does not want it, only what has no output begins anew. */
static void test_without_text(void **state)
{
    (void)state;
    recovery->is_wanted = false;
    give_type(GW_EVENT_START);
    assert_true(gw_recovery_is_possible(recovery));
    give_text("a");
    assert_false(gw_recovery_is_possible(recovery));
    assert_int_equal(recovery->text.len, 0);
}

/* ---- going on ---- */

static void test_rest_joins(void **state)
{
    (void)state;
    give_type(GW_EVENT_START);
    give_text("One, two, ");
    assert_given("start text:One, two, ");
    go_on(false);
    give_type(GW_EVENT_START);
    give(
        (struct gw_event){.type = GW_EVENT_USAGE, .usage = {.input_tokens = 12, .is_known = true}});
    give((struct gw_event){.type = GW_EVENT_REASONING, .text = GW_STR("hm")});
    give_type(GW_EVENT_REASONING_SIGNATURE);
    assert_given("usage:22/5");
    give_text(" three");
    give_text(", four");
    give_type(GW_EVENT_PING);
    give_type(GW_EVENT_FINISH);
    give((struct gw_event){.type = GW_EVENT_USAGE,
                           .usage = {.input_tokens = 12, .output_tokens = 8, .is_known = true}});
    give_type(GW_EVENT_END);
    assert_given("text:three text:, four ping finish usage:22/13 end");
    assert_true(gw_str_eq(gw_buf_str(&recovery->text), GW_STR("One, two, three, four")));
}

/* What may be a repetition waits, but not behind something else. */
static void test_held_text_comes_first(void **state)
{
    (void)state;
    give_text("The quick brown fox jumps");
    gw_buf_reset(&given);
    go_on(false);
    give_text("brown fox");
    give_type(GW_EVENT_PING);
    assert_given("ping");
    give_type(GW_EVENT_TOOL_BEGIN);
    assert_given("text:brown fox tool_begin");
    assert_false(gw_recovery_is_possible(recovery));
}

static void test_begins_anew(void **state)
{
    (void)state;
    give_type(GW_EVENT_START);
    assert_given("start");
    go_on(false);
    give_type(GW_EVENT_START);
    give((struct gw_event){.type = GW_EVENT_REASONING, .text = GW_STR("hm")});
    give_text("One");
    assert_given("reasoning text:One");
}

static void test_twice(void **state)
{
    (void)state;
    give_text("The");
    go_on(true);
    give_text("The end");
    go_on(true);
    give_text("The end of it");
    give((struct gw_event){.type = GW_EVENT_USAGE, .usage = {.input_tokens = 1, .is_known = true}});
    assert_given("text:The text: end text: of it usage:21/10");
    assert_false(gw_recovery_is_possible(recovery)); /* not a third time */
}

/* ---- what the request allows ---- */

static bool allows(const char *text)
{
    struct gw_json_reader reader;
    yyjson_val *root = NULL;
    gw_json_reader_init(&reader, 4096);
    assert_int_equal(gw_json_read(&reader, gw_str_from_c(text), &root), GW_OK);
    bool is_allowed = gw_recovery_allows(root);
    gw_json_reader_fini(&reader);
    return is_allowed;
}

static void test_requests(void **state)
{
    (void)state;
    assert_true(allows("{}"));
    assert_true(allows("{\"n\":1,\"logprobs\":false,\"response_format\":{\"type\":\"text\"}}"));
    assert_false(allows("{\"n\":2}"));
    assert_false(allows("{\"logprobs\":true}"));
    assert_false(allows("{\"audio\":{\"voice\":\"x\"}}"));
    assert_false(allows("{\"response_format\":{\"type\":\"json_object\"}}"));
    assert_false(allows("{\"response_format\":5}"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_notes),
        TEST(test_what_nobody_can_continue),
        TEST(test_reasoning),
        TEST(test_bounds),
        TEST(test_without_text),
        TEST(test_rest_joins),
        TEST(test_held_text_comes_first),
        TEST(test_begins_anew),
        TEST(test_twice),
        TEST(test_requests),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
