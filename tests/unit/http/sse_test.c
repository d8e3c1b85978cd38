/* SPDX-License-Identifier: MIT */
/* Events of every shape, whole, byte by byte and at every two-part split, with the same outcome. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sse_trace.h"

#include "base/alloc.h"

#define LIMIT 100000

struct row {
    const char *name;
    struct gw_str input;
    const char *trace; /* see sse_trace.h */
};

#define ROW(label, text, expected)                                                                 \
    {                                                                                              \
        .name = (label), .input = {.ptr = (text), .len = sizeof(text) - 1}, .trace = (expected)    \
    }

static const struct row rows[] = {
    ROW("nothing", "", ""),
    ROW("one event", "data: a\n\n", "(9 data=a)"),
    ROW("CRLF", "data: a\r\n\r\n", "(11 data=a)"),
    ROW("CR", "data: a\r\rdata: b\r\r", "(9 data=a)(9 data=b)"),
    ROW("mixed 1", "data: a\r\n\ndata: b\n\r\n", "(10 data=a)(10 data=b)"),
    ROW("mixed 2", "data: a\n\rdata: b\r\r\n", "(9 data=a)(10 data=b)"),
    ROW("mixed 3", "data: a\r\n\rdata: b\n\n", "(10 data=a)(9 data=b)"),
    ROW("lines of each kind", "event: e\rdata: a\ndata: b\r\n\n", "(27 type=e data=a|b)"),
    ROW("two events", "data: a\n\ndata: b\n\n", "(9 data=a)(9 data=b)"),
    ROW("several data lines", "data: a\ndata: b\ndata: c\n\n", "(25 data=a|b|c)"),
    ROW("empty data lines", "data:\ndata\ndata: \n\n", "(19 data=||)"),
    ROW("empty first data line", "data:\ndata: b\n\n", "(15 data=|b)"),
    ROW("data is empty, not missing", "data:\n\n", "(7 data=)"),
    ROW("a data line without colon", "data\n\n", "(6 data=)"),
    ROW("no blank behind the colon", "data:a\n\n", "(8 data=a)"),
    ROW("two blanks behind the colon", "data:  a\n\n", "(10 data= a)"),
    ROW("tab behind the colon", "data:\ta\n\n", "(9 data=\ta)"),
    ROW("blank before the colon", "data : a\n\n", "(10 other=data : a)"),
    ROW("colons in the data", "data: a: b:c\n\n", "(14 data=a: b:c)"),
    ROW("type", "event: x\ndata: a\n\n", "(18 type=x data=a)"),
    ROW("the last type counts", "event: x\ndata: a\nevent:y\n\n", "(26 type=y data=a)"),
    ROW("type without data", "event: x\n\n", "(10 type=x)"),
    ROW("id and retry are known", "id: 7\nretry: 100\ndata: a\nid\n\n", "(29 data=a)"),
    ROW("comment", ": ping\n\n", "(8)"),
    ROW("comments around", ": a\ndata: b\n:c\n\n", "(16 data=b)"),
    ROW("comment of a colon", ":\n\n", "(3)"),
    ROW("blank lines only", "\n\r\n\n", "(1)(2)(1)"),
    ROW("unknown field", "foo: bar\ndata: a\n\n", "(18 data=a other=foo: bar)"),
    ROW("the first unknown line counts", "{\"a\":\n{\"b\":\n\n", "(13 other={\"a\":)"),
    ROW("bare JSON", "{\"error\":{\"message\":\"no\"}}\n\n",
        "(28 other={\"error\":{\"message\":\"no\"}})"),
    ROW("names that only begin alike", "dat: a\ndatax: b\nDATA: c\n\n", "(25 other=dat: a)"),
    ROW("byte order mark",
        "\xef\xbb\xbf"
        "data: a\n\n",
        "(12 data=a)"),
    ROW("byte order mark, once",
        "\xef\xbb\xbf"
        "data: a\n\n\xef\xbb\xbf"
        "data: b\n\n",
        "(12 data=a)(12 other=\xef\xbb\xbf"
        "data: b)"),
    ROW("byte order mark, alone", "\xef\xbb\xbf\n\n", "(5)"),
    ROW("half a byte order mark",
        "\xef\xbb"
        "data: a\n\n",
        "(11 other=\xef\xbb"
        "data: a)"),
    ROW("NUL in the data", "data: a\0b\n\n", "(11 data=a?b)"),
    ROW("OpenAI's end", "data: {\"a\":1}\n\ndata: [DONE]\n\n",
        "(15 data={\"a\":1})(14 data=[DONE])"),
    ROW("Anthropic's form", "event: ping\ndata: {\"type\": \"ping\"}\n\n",
        "(36 type=ping data={\"type\": \"ping\"})"),
    ROW("ends without blank line", "data: a\n\ndata: [DONE]\n", "(9 data=a){13 data=[DONE]}"),
    ROW("ends without line end", "data: a\n\ndata: [DONE]", "(9 data=a){12 data=[DONE]}"),
    ROW("ends in a name", "data: a\n\nda", "(9 data=a){2 other=da}"),
    ROW("ends with CR", "data: a\r\r", "(9 data=a)"),
    ROW("ends with CR of a line", "data: a\r", "{8 data=a}"),
    ROW("ends with CRLF and CR", "data: a\r\n\r", "(10 data=a)"),
};

static void expect(const struct row *row, const char *how, const struct sse_trace *trace)
{
    struct gw_str got = gw_buf_str(&trace->text);
    if (!gw_str_eq(got, gw_str_from_c(row->trace))) {
        fail_msg("%s, %s: got \"" GW_STR_FMT "\", want \"%s\"", row->name, how, GW_STR_ARG(got),
                 row->trace);
    }
    if (!gw_str_eq(gw_buf_str(&trace->raw), row->input)) {
        fail_msg("%s, %s: the raw bytes are not the input", row->name, how);
    }
}

static void test_table(void **state)
{
    (void)state;
    struct sse_trace trace;
    sse_trace_init(&trace);
    for (size_t i = 0; i < GW_ARRAY_LEN(rows); i++) {
        const struct row *row = &rows[i];
        assert_int_equal(sse_trace_run(&trace, LIMIT, row->input, 0, row->input.len), GW_OK);
        expect(row, "whole", &trace);
        assert_int_equal(sse_trace_run(&trace, LIMIT, row->input, 0, 1), GW_OK);
        expect(row, "byte by byte", &trace);
        for (size_t at = 1; at < row->input.len; at++) {
            assert_int_equal(sse_trace_run(&trace, LIMIT, row->input, at, row->input.len), GW_OK);
            expect(row, "in two parts", &trace);
        }
    }
    sse_trace_fini(&trace);
}

/* A stream of many events of growing size, so that their ends fall everywhere in the reads. */
static void test_a_long_stream(void **state)
{
    (void)state;
    struct gw_buf stream;
    struct sse_trace whole;
    struct sse_trace split;
    gw_buf_init(&stream, 1u << 24);
    sse_trace_init(&whole);
    sse_trace_init(&split);
    for (unsigned i = 0; i < 300; i++) {
        (void)gw_buf_appendf(&stream, "event: e%u\r\ndata: {\"n\": %u, \"pad\": \"", i, i);
        for (unsigned k = 0; k < i * 3; k++) {
            (void)gw_buf_append_byte(&stream, 'x');
        }
        (void)gw_buf_append(&stream, i % 3 == 0 ? GW_STR("\"}\n\n") : GW_STR("\"}\r\n\r\n"));
    }
    assert_int_equal(sse_trace_run(&whole, LIMIT, gw_buf_str(&stream), 0, stream.len), GW_OK);
    assert_int_equal(whole.count, 300);
    assert_true(gw_str_eq(gw_buf_str(&whole.raw), gw_buf_str(&stream)));
    for (size_t step = 1; step < 5000; step += step / 3 + 1) {
        assert_int_equal(sse_trace_run(&split, LIMIT, gw_buf_str(&stream), 0, step), GW_OK);
        assert_true(gw_str_eq(gw_buf_str(&whole.text), gw_buf_str(&split.text)));
        assert_true(gw_str_eq(gw_buf_str(&whole.raw), gw_buf_str(&split.raw)));
    }
    gw_buf_fini(&stream);
    sse_trace_fini(&whole);
    sse_trace_fini(&split);
}

static void test_the_limit_is_exact(void **state)
{
    (void)state;
    struct sse_trace trace;
    sse_trace_init(&trace);
    const struct gw_str inputs[] = {GW_STR("data: 1\n\ndata: 23456\n\n"),
                                    GW_STR("data: 1\n\ndata: 23456\r\r\n")};
    for (size_t i = 0; i < GW_ARRAY_LEN(inputs); i++) {
        size_t size = inputs[i].len - 9; /* of the second event */
        for (size_t step = 1; step <= inputs[i].len; step++) {
            assert_int_equal(sse_trace_run(&trace, size, inputs[i], 0, step), GW_OK);
            assert_int_equal(trace.count, 2);
            assert_int_equal(sse_trace_run(&trace, size - 1, inputs[i], 0, step), GW_ERR_TOO_LARGE);
            assert_int_equal(trace.count, 1);
        }
    }
    /* An event that never ends is refused when it has grown too large, not later. */
    struct gw_str endless = GW_STR("data: 0123456789");
    assert_int_equal(sse_trace_run(&trace, 15, endless, 0, 1), GW_ERR_TOO_LARGE);
    assert_int_equal(sse_trace_run(&trace, 16, endless, 0, 1), GW_OK);
    sse_trace_fini(&trace);
}

/* ---- life ---- */

struct probe {
    enum gw_err answer;
    unsigned count;
    const char *raw;
};

static gw_sse_on_event_fn probe_event;
static enum gw_err probe_event(void *user, const struct gw_sse_event *event)
{
    struct probe *probe = user;
    probe->count++;
    probe->raw = event->raw.ptr;
    return probe->answer;
}

static void test_a_whole_event_is_a_view_and_no_buffer_stays(void **state)
{
    (void)state;
    struct gw_sse sse;
    struct probe probe = {0};
    gw_sse_init(&sse, LIMIT);
    struct gw_str input = GW_STR("data: a\n\ndata: b\n\ndata: c\ndata: d\n\ndat");
    assert_int_equal(gw_sse_feed(&sse, gw_str(input.ptr, 18), probe_event, &probe), GW_OK);
    assert_int_equal(probe.count, 2);
    assert_ptr_equal(probe.raw, input.ptr + 9);
    assert_null(sse.tail.ptr);
    assert_int_equal(gw_sse_rest(&sse).len, 0);
    assert_int_equal(gw_sse_feed(&sse, gw_str_skip(input, 18), probe_event, &probe), GW_OK);
    assert_null(sse.joined.ptr);
    assert_true(gw_str_eq(gw_sse_rest(&sse), GW_STR("dat")));
    assert_int_equal(gw_sse_feed(&sse, GW_STR("a: d\n\n"), probe_event, &probe), GW_OK);
    assert_int_equal(probe.count, 4);
    assert_null(sse.tail.ptr);
    assert_int_equal(gw_sse_finish(&sse, probe_event, &probe), GW_OK);
    assert_int_equal(probe.count, 4);
    gw_sse_fini(&sse);
}

static void test_the_answer_of_the_callback_sticks(void **state)
{
    (void)state;
    struct gw_sse sse;
    struct probe probe = {.answer = GW_ERR_CANCELLED};
    gw_sse_init(&sse, LIMIT);
    assert_int_equal(gw_sse_feed(&sse, GW_STR("data: a\n\ndata: b\n\n"), probe_event, &probe),
                     GW_ERR_CANCELLED);
    assert_int_equal(probe.count, 1);
    probe.answer = GW_OK;
    assert_int_equal(gw_sse_feed(&sse, GW_STR("data: a\n\n"), probe_event, &probe),
                     GW_ERR_CANCELLED);
    assert_int_equal(gw_sse_finish(&sse, probe_event, &probe), GW_ERR_CANCELLED);
    assert_int_equal(probe.count, 1);
    gw_sse_fini(&sse);
}

static void test_no_memory_is_told(void **state)
{
    (void)state;
    const struct gw_str inputs[] = {GW_STR("data: a"), GW_STR("data: a\ndata: b\n\n")};
    for (size_t i = 0; i < GW_ARRAY_LEN(inputs); i++) {
        struct gw_sse sse;
        struct probe probe = {0};
        gw_sse_init(&sse, LIMIT);
        gw_alloc_fail_at(1);
        assert_int_equal(gw_sse_feed(&sse, inputs[i], probe_event, &probe), GW_ERR_NOMEM);
        gw_alloc_fail_at(0);
        assert_int_equal(probe.count, 0);
        assert_int_equal(gw_sse_feed(&sse, inputs[i], probe_event, &probe), GW_ERR_NOMEM);
        gw_sse_fini(&sse);
    }
}

/* Many CR-only lines in one read must not cost a search to the end of the read each. */
static void test_cr_lines_are_linear(void **state)
{
    (void)state;
    const size_t size = 4u << 20;
    char *text = gw_alloc(size);
    for (size_t i = 0; i < size; i += 2) {
        memcpy(text + i, "\r:", 2);
    }
    text[0] = ':';
    struct gw_sse sse;
    struct probe probe = {0};
    gw_sse_init(&sse, size);
    /* Quadratic, this is 2^40 steps: the test would run into its time limit. */
    assert_int_equal(gw_sse_feed(&sse, gw_str(text, size), probe_event, &probe), GW_OK);
    assert_int_equal(gw_sse_finish(&sse, probe_event, &probe), GW_OK);
    assert_int_equal(probe.count, 1);
    gw_sse_fini(&sse);
    gw_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_a_long_stream),
        cmocka_unit_test(test_the_limit_is_exact),
        cmocka_unit_test(test_a_whole_event_is_a_view_and_no_buffer_stays),
        cmocka_unit_test(test_the_answer_of_the_callback_sticks),
        cmocka_unit_test(test_no_memory_is_told),
        cmocka_unit_test(test_cr_lines_are_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
