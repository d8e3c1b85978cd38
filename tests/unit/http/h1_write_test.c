/* SPDX-License-Identifier: MIT */
/* Heads and chunks as they are written, and that our own parser reads them back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "h1_trace.h"

static void expect_text(const struct gw_buf *buf, const char *want)
{
    if (!gw_str_eq(gw_buf_str(buf), gw_str_from_c(want))) {
        fail_msg("got \"" GW_STR_FMT "\", want \"%s\"", GW_STR_ARG(gw_buf_str(buf)), want);
    }
}

static void test_response(void **state)
{
    (void)state;
    struct gw_buf buf;
    gw_buf_init(&buf, 1000);
    gw_h1_write_status(&buf, 200);
    gw_h1_write_field(&buf, GW_STR("content-length"), GW_STR("0"));
    gw_h1_write_field(&buf, GW_STR("x"), gw_str(NULL, 0));
    gw_h1_write_end_of_head(&buf);
    expect_text(&buf, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx: \r\n\r\n");
    gw_buf_reset(&buf);
    gw_h1_write_status(&buf, 599);
    expect_text(&buf, "HTTP/1.1 599 Unknown\r\n");
    gw_buf_reset(&buf);
    gw_h1_write_status(&buf, 100);
    expect_text(&buf, "HTTP/1.1 100 Continue\r\n");
    gw_buf_fini(&buf);
}

static void test_request(void **state)
{
    (void)state;
    struct gw_buf buf;
    gw_buf_init(&buf, 1000);
    gw_h1_write_request(&buf, GW_STR("POST"), GW_STR("/v1/chat/completions"));
    gw_h1_write_field(&buf, GW_STR("host"), GW_STR("a"));
    gw_h1_write_end_of_head(&buf);
    expect_text(&buf, "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\n\r\n");
    gw_buf_fini(&buf);
}

static void test_failures_stick_in_the_buffer(void **state)
{
    (void)state;
    struct gw_buf buf;
    gw_buf_init(&buf, 20);
    gw_h1_write_status(&buf, 200);
    gw_h1_write_field(&buf, GW_STR("content-length"), GW_STR("0"));
    gw_h1_write_end_of_head(&buf);
    assert_int_equal(buf.err, GW_ERR_TOO_LARGE);
    gw_buf_fini(&buf);
}

static void test_chunk_heads(void **state)
{
    (void)state;
    const struct {
        uint64_t size;
        const char *text;
    } rows[] = {
        {1, "1\r\n"},           {9, "9\r\n"},
        {10, "a\r\n"},          {15, "f\r\n"},
        {16, "10\r\n"},         {255, "ff\r\n"},
        {256, "100\r\n"},       {4096, "1000\r\n"},
        {0xabcde, "abcde\r\n"}, {UINT64_MAX, "ffffffffffffffff\r\n"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(rows); i++) {
        char text[GW_H1_CHUNK_HEAD_BYTES];
        size_t len = gw_h1_format_chunk_head(rows[i].size, text);
        assert_int_equal(len, strlen(rows[i].text));
        assert_memory_equal(text, rows[i].text, len);
    }
}

static void test_what_is_written_is_read_back(void **state)
{
    (void)state;
    struct gw_buf buf;
    struct h1_trace trace;
    gw_buf_init(&buf, 100000);
    h1_trace_init(&trace);
    for (size_t size = 1; size < 70000; size = size * 3 + 1) {
        gw_buf_reset(&buf);
        gw_h1_write_status(&buf, 200);
        gw_h1_write_field(&buf, GW_STR("transfer-encoding"), GW_STR("chunked"));
        gw_h1_write_end_of_head(&buf);
        char head[GW_H1_CHUNK_HEAD_BYTES];
        (void)gw_buf_append(&buf, gw_str(head, gw_h1_format_chunk_head(size, head)));
        for (size_t i = 0; i < size; i++) {
            (void)gw_buf_append_byte(&buf, 'x');
        }
        (void)gw_buf_append(&buf, GW_STR("\r\n0\r\n\r\n"));
        assert_int_equal(buf.err, GW_OK);
        h1_trace_run(&trace, &(struct h1_trace_opts){.kind = GW_H1_RESPONSES}, gw_buf_str(&buf), 0,
                     1000);
        assert_true(gw_str_has_suffix(gw_buf_str(&trace.text), GW_STR("x]\nend\neof")));
        assert_int_equal(
            trace.text.len,
            sizeof(" 200 1.1 length ? keep\ntransfer-encoding=chunked;\n[]\nend\neof") - 1 + size);
    }
    gw_buf_fini(&buf);
    h1_trace_fini(&trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_response),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_failures_stick_in_the_buffer),
        cmocka_unit_test(test_chunk_heads),
        cmocka_unit_test(test_what_is_written_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
