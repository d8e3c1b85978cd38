/* SPDX-License-Identifier: MIT */
/* Frames of every shape, whole, byte by byte and at every two-part split; and frames that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "event_stream_frame.h"

#include "base/crc32.h"

#define LIMIT 100000

/* shared/providers/bedrock.md section 4, example A. */
static const unsigned char example_a[157] = {
    0x00, 0x00, 0x00, 0x9d, 0x00, 0x00, 0x00, 0x57, 0xb9, 0xbb, 0xf8, 0x9f, 0x0b, 0x3a, 0x65, 0x76,
    0x65, 0x6e, 0x74, 0x2d, 0x74, 0x79, 0x70, 0x65, 0x07, 0x00, 0x11, 0x63, 0x6f, 0x6e, 0x74, 0x65,
    0x6e, 0x74, 0x42, 0x6c, 0x6f, 0x63, 0x6b, 0x44, 0x65, 0x6c, 0x74, 0x61, 0x0d, 0x3a, 0x63, 0x6f,
    0x6e, 0x74, 0x65, 0x6e, 0x74, 0x2d, 0x74, 0x79, 0x70, 0x65, 0x07, 0x00, 0x10, 0x61, 0x70, 0x70,
    0x6c, 0x69, 0x63, 0x61, 0x74, 0x69, 0x6f, 0x6e, 0x2f, 0x6a, 0x73, 0x6f, 0x6e, 0x0d, 0x3a, 0x6d,
    0x65, 0x73, 0x73, 0x61, 0x67, 0x65, 0x2d, 0x74, 0x79, 0x70, 0x65, 0x07, 0x00, 0x05, 0x65, 0x76,
    0x65, 0x6e, 0x74, 0x7b, 0x22, 0x63, 0x6f, 0x6e, 0x74, 0x65, 0x6e, 0x74, 0x42, 0x6c, 0x6f, 0x63,
    0x6b, 0x49, 0x6e, 0x64, 0x65, 0x78, 0x22, 0x3a, 0x30, 0x2c, 0x22, 0x64, 0x65, 0x6c, 0x74, 0x61,
    0x22, 0x3a, 0x7b, 0x22, 0x74, 0x65, 0x78, 0x74, 0x22, 0x3a, 0x22, 0x48, 0x69, 0x22, 0x7d, 0x2c,
    0x22, 0x70, 0x22, 0x3a, 0x22, 0x61, 0x62, 0x22, 0x7d, 0x8b, 0x38, 0xb2, 0x68,
};
#define EXAMPLE_A gw_str((const char *)example_a, sizeof(example_a))
#define TRACE_A                                                                                    \
    "[contentBlockDelta|{\"contentBlockIndex\":0,\"delta\":{\"text\":\"Hi\"},\"p\":\"ab\"}]"

static const unsigned char empty_frame[16] = {0x00, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00,
                                              0x05, 0xc2, 0x48, 0xeb, 0x7d, 0x98, 0xc8, 0xff};

/* Runs the input whole, byte by byte and at every two-part split: always the same. */
static void expect(struct gw_str input, size_t limit, enum gw_err err, const char *text)
{
    struct frame_trace trace;
    frame_trace_init(&trace);
    for (size_t at = 0; at <= input.len; at++) {
        size_t step = at == 0 ? 1 : input.len;
        assert_int_equal(frame_trace_run(&trace, limit, input, at, step), err);
        struct gw_str got = gw_buf_str(&trace.text);
        if (!gw_str_eq(got, gw_str_from_c(text))) {
            fail_msg("at %zu: got \"" GW_STR_FMT "\", want \"%s\"", at, GW_STR_ARG(got), text);
        }
    }
    gw_buf_fini(&trace.text);
}

static void test_the_page_s_examples(void **state)
{
    (void)state;
    expect(EXAMPLE_A, LIMIT, GW_OK, TRACE_A);
    expect(gw_str((const char *)empty_frame, sizeof(empty_frame)), LIMIT, GW_OK, "![|]");
    struct gw_buf made;
    gw_buf_init(&made, LIMIT);
    frame_add(&made, GW_STR(":exception-type"), GW_STR("throttlingException"),
              GW_STR("{\"message\":\"Too many requests\"}"));
    assert_int_equal(made.len, 144);
    assert_memory_equal(made.ptr + 8, "\x8e\x91\xa9\xb7", 4);
    assert_memory_equal(made.ptr + 140, "\xe6\x7f\x80\x05", 4);
    (void)gw_buf_append(&made, EXAMPLE_A);
    expect(gw_buf_str(&made), LIMIT, GW_OK,
           "![throttlingException|{\"message\":\"Too many requests\"}]" TRACE_A);
    gw_buf_fini(&made);
}

static void test_the_checksum(void **state)
{
    (void)state;
    assert_int_equal(gw_crc32(0, GW_STR("123456789")), 0xcbf43926);
    assert_int_equal(gw_crc32(0, GW_STR("")), 0);
    assert_int_equal(gw_crc32(gw_crc32(0, GW_STR("1234")), GW_STR("56789")), 0xcbf43926);
    char all[256];
    for (size_t i = 0; i < sizeof(all); i++) {
        all[i] = (char)i;
    }
    assert_int_equal(gw_crc32(0, gw_str(all, 256)), frame_crc(gw_str(all, 256)));
}

/* Every bit of a frame is under a checksum: with any of them turned no message comes out. */
static void test_a_flipped_bit_ends_the_stream(void **state)
{
    (void)state;
    struct frame_trace trace;
    frame_trace_init(&trace);
    for (size_t bit = 0; bit < sizeof(example_a) * 8; bit++) {
        char bytes[2 * sizeof(example_a)];
        memcpy(bytes, example_a, sizeof(example_a));
        memcpy(bytes + sizeof(example_a), example_a, sizeof(example_a));
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
        struct gw_str input = gw_str(bytes, sizeof(bytes));
        for (size_t step = 1; step <= input.len; step += 156) {
            assert_int_equal(frame_trace_run(&trace, LIMIT, input, 0, step), GW_ERR_PROTOCOL);
            assert_int_equal(trace.text.len, 0);
        }
    }
    gw_buf_fini(&trace.text);
}

static void test_a_wrong_prelude_is_refused_at_once(void **state)
{
    (void)state;
    struct gw_event_stream stream;
    struct frame_trace trace;
    frame_trace_init(&trace);
    gw_event_stream_init(&stream, LIMIT);
    char prelude[12];
    memcpy(prelude, example_a, sizeof(prelude));
    prelude[11] ^= 1;
    for (size_t i = 0; i < 11; i++) {
        assert_int_equal(
            gw_event_stream_feed(&stream, gw_str(prelude + i, 1), frame_trace_message, &trace),
            GW_OK);
    }
    for (unsigned again = 0; again < 2; again++) {
        assert_int_equal(
            gw_event_stream_feed(&stream, gw_str(prelude + 11, 1), frame_trace_message, &trace),
            GW_ERR_PROTOCOL);
    }
    assert_int_equal(gw_event_stream_finish(&stream), GW_ERR_PROTOCOL);
    gw_event_stream_fini(&stream);
    gw_buf_fini(&trace.text);
}

/* A prelude alone, with right checksum. */
static void expect_prelude(size_t total, size_t headers, enum gw_err err)
{
    struct gw_buf made;
    gw_buf_init(&made, LIMIT);
    frame_u32(&made, total);
    frame_u32(&made, headers);
    frame_u32(&made, frame_crc(gw_buf_str(&made)));
    expect(gw_buf_str(&made), 1000, err, "");
    gw_buf_fini(&made);
}

static void test_lengths_that_cannot_be(void **state)
{
    (void)state;
    expect_prelude(0, 0, GW_ERR_PROTOCOL);
    expect_prelude(15, 0, GW_ERR_PROTOCOL);
    expect_prelude(16, 1, GW_ERR_PROTOCOL);
    expect_prelude(16, 0xffffffff, GW_ERR_PROTOCOL);
    expect_prelude(0xffffffff, 0, GW_ERR_TOO_LARGE);
    expect_prelude(1016, 0, GW_ERR_EOF);
    expect_prelude(1017, 0, GW_ERR_TOO_LARGE);
    expect_prelude(1017, 1, GW_ERR_EOF);
    size_t headers = GW_EVENT_STREAM_MAX_HEADERS;
    expect_prelude(16 + headers, headers, GW_ERR_EOF);
    expect_prelude(17 + headers, headers + 1, GW_ERR_TOO_LARGE);
}

static void expect_headers(struct gw_str headers, enum gw_err err, const char *text)
{
    struct gw_buf made;
    gw_buf_init(&made, LIMIT);
    frame_raw(&made, headers, GW_STR("p"));
    expect(gw_buf_str(&made), LIMIT, err, text);
    gw_buf_fini(&made);
}

#define BYTES(literal) gw_str(literal, sizeof(literal) - 1)

static void test_headers(void **state)
{
    (void)state;
    /* One of each type, with one that counts behind them. */
    expect_headers(BYTES("\1a\0\1b\1\1c\2x\1d\3xx\1e\4xxxx\1f\5xxxxxxxx\1g\6\0\3xyz\1h\7\0\0"
                         "\1i\10xxxxxxxx\1j\11xxxxxxxxxxxxxxxx\13:event-type\7\0\2hi"),
                   GW_OK, "![hi|p]");
    /* The name counts only with the type string. */
    expect_headers(BYTES("\13:event-type\6\0\2hi"), GW_OK, "![|p]");
    expect_headers(
        BYTES("\15:message-type\7\0\5error\13:error-code\7\0\1c\16:error-message\7\0\1m"), GW_OK,
        "![cm|p]");
    const struct gw_str wrong[] = {
        BYTES("\0\0"),         BYTES("\2a"),           BYTES("\1a"),
        BYTES("\1a\12"),       BYTES("\1a\377"),       BYTES("\1a\2"),
        BYTES("\1a\5xxxxxxx"), BYTES("\1a\7"),         BYTES("\1a\7\0"),
        BYTES("\1a\7\0\1"),    BYTES("\1a\7\377\377"), BYTES("\1a\11xxxxxxxxxxxxxxx"),
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(wrong); i++) {
        expect_headers(wrong[i], GW_ERR_PROTOCOL, "");
    }
}

static void test_a_stream_that_is_cut(void **state)
{
    (void)state;
    struct frame_trace trace;
    frame_trace_init(&trace);
    for (size_t len = 1; len < sizeof(example_a); len++) {
        struct gw_str input = gw_str((const char *)example_a, len);
        assert_int_equal(frame_trace_run(&trace, LIMIT, input, 0, len), GW_ERR_EOF);
        assert_int_equal(trace.text.len, 0);
    }
    gw_buf_fini(&trace.text);
}

/* Frames of growing size, so that their ends fall everywhere in the reads. */
static void test_a_long_stream(void **state)
{
    (void)state;
    struct gw_buf made;
    struct gw_buf payload;
    struct frame_trace whole;
    struct frame_trace split;
    gw_buf_init(&made, 1u << 24);
    gw_buf_init(&payload, LIMIT);
    frame_trace_init(&whole);
    frame_trace_init(&split);
    for (unsigned i = 0; i < 300; i++) {
        (void)gw_buf_appendf(&payload, "{\"n\":%u}", i);
        frame_add(&made, GW_STR(":event-type"), GW_STR("contentBlockDelta"), gw_buf_str(&payload));
    }
    assert_int_equal(frame_trace_run(&whole, LIMIT, gw_buf_str(&made), 0, made.len), GW_OK);
    for (size_t step = 1; step < 8000; step += step / 3 + 1) {
        assert_int_equal(frame_trace_run(&split, LIMIT, gw_buf_str(&made), 0, step), GW_OK);
        assert_true(gw_str_eq(gw_buf_str(&whole.text), gw_buf_str(&split.text)));
    }
    gw_buf_fini(&made);
    gw_buf_fini(&payload);
    gw_buf_fini(&whole.text);
    gw_buf_fini(&split.text);
}

static void test_a_whole_frame_is_a_view_and_no_buffer_stays(void **state)
{
    (void)state;
    struct gw_event_stream stream;
    struct frame_trace trace;
    frame_trace_init(&trace);
    gw_event_stream_init(&stream, LIMIT);
    assert_int_equal(gw_event_stream_feed(&stream, EXAMPLE_A, frame_trace_message, &trace), GW_OK);
    assert_ptr_equal(trace.payload, (const char *)example_a + 12 + 0x57);
    assert_null(stream.frame.ptr);
    struct gw_str a = EXAMPLE_A;
    assert_int_equal(gw_event_stream_feed(&stream, gw_str(a.ptr, 100), frame_trace_message, &trace),
                     GW_OK);
    assert_non_null(stream.frame.ptr);
    assert_int_equal(
        gw_event_stream_feed(&stream, gw_str_skip(a, 100), frame_trace_message, &trace), GW_OK);
    assert_null(stream.frame.ptr);
    assert_int_equal(gw_event_stream_finish(&stream), GW_OK);
    gw_event_stream_fini(&stream);
    gw_buf_fini(&trace.text);
}

static void test_the_answer_of_the_callback_sticks(void **state)
{
    (void)state;
    struct gw_event_stream stream;
    struct frame_trace trace;
    frame_trace_init(&trace);
    trace.answer = GW_ERR_CANCELLED;
    gw_event_stream_init(&stream, LIMIT);
    for (unsigned again = 0; again < 2; again++) {
        assert_int_equal(gw_event_stream_feed(&stream, EXAMPLE_A, frame_trace_message, &trace),
                         GW_ERR_CANCELLED);
        assert_int_equal(trace.text.len, strlen(TRACE_A));
    }
    gw_event_stream_fini(&stream);
    gw_buf_fini(&trace.text);
}

static void test_no_memory_is_told(void **state)
{
    (void)state;
    struct gw_event_stream stream;
    struct frame_trace trace;
    frame_trace_init(&trace);
    gw_event_stream_init(&stream, LIMIT);
    gw_alloc_fail_at(1);
    assert_int_equal(gw_event_stream_feed(&stream, gw_str((const char *)example_a, 20),
                                          frame_trace_message, &trace),
                     GW_ERR_NOMEM);
    gw_alloc_fail_at(0);
    assert_int_equal(gw_event_stream_feed(&stream, EXAMPLE_A, frame_trace_message, &trace),
                     GW_ERR_NOMEM);
    gw_event_stream_fini(&stream);
    gw_buf_fini(&trace.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_page_s_examples),
        cmocka_unit_test(test_the_checksum),
        cmocka_unit_test(test_a_flipped_bit_ends_the_stream),
        cmocka_unit_test(test_a_wrong_prelude_is_refused_at_once),
        cmocka_unit_test(test_lengths_that_cannot_be),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_a_stream_that_is_cut),
        cmocka_unit_test(test_a_long_stream),
        cmocka_unit_test(test_a_whole_frame_is_a_view_and_no_buffer_stays),
        cmocka_unit_test(test_the_answer_of_the_callback_sticks),
        cmocka_unit_test(test_no_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
