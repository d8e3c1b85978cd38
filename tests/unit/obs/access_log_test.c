/* SPDX-License-Identifier: MIT */
/* obs/access_log - one valid JSON line per record, in order, none lost. */
#include "obs/access_log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yyjson.h>

#include <cmocka.h>

#include "base/buf.h"

struct fixture {
    char path[64];
    struct gw_log_sink *sink;
    struct gw_access_log *log;
};

static int setup(void **state)
{
    static struct fixture fixture;
    snprintf(fixture.path, sizeof(fixture.path), "/tmp/gw-access-log-XXXXXX");
    int fd = mkstemp(fixture.path);
    assert_true(fd != -1);
    close(fd);
    assert_int_equal(gw_log_sink_create(fixture.path, &fixture.sink), GW_OK);
    fixture.log = gw_access_log_create(fixture.sink, NULL);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    gw_access_log_destroy(&fixture->log);
    assert_null(fixture->log);
    gw_log_sink_destroy(&fixture->sink);
    unlink(fixture->path);
    return 0;
}

static void read_file(const struct fixture *fixture, struct gw_buf *out)
{
    gw_buf_init(out, 1u << 26);
    char part[65536];
    ssize_t n = 0;
    int fd = open(fixture->path, O_RDONLY);
    assert_true(fd != -1);
    while ((n = read(fd, part, sizeof(part))) > 0) {
        assert_int_equal(gw_buf_append(out, gw_str(part, (size_t)n)), GW_OK);
    }
    close(fd);
}

/* The only line as a document. */
static yyjson_doc *read_line(const struct fixture *fixture)
{
    struct gw_buf text;
    gw_access_log_flush(fixture->log);
    read_file(fixture, &text);
    assert_true(text.len > 0 && text.ptr[text.len - 1] == '\n');
    assert_ptr_equal(memchr(text.ptr, '\n', text.len), text.ptr + text.len - 1);
    yyjson_doc *doc = yyjson_read(text.ptr, text.len, 0);
    assert_non_null(doc);
    gw_buf_fini(&text);
    return doc;
}

static void assert_text(yyjson_doc *doc, const char *name, const char *expected)
{
    assert_string_equal(yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(doc), name)), expected);
}

static void assert_number(yyjson_doc *doc, const char *name, uint64_t expected)
{
    yyjson_val *value = yyjson_obj_get(yyjson_doc_get_root(doc), name);
    assert_true(yyjson_is_uint(value));
    assert_int_equal(yyjson_get_uint(value), expected);
}

static void test_everything_known(void **state)
{
    const struct fixture *fixture = *state;
    struct gw_request_record record = {
        .request_id = GW_STR("req_1"),
        .client = GW_STR("127.0.0.1"),
        .version = GW_HTTP_2,
        .method = GW_STR("POST"),
        .path = GW_STR("/v1/chat/completions"),
        .user_agent = GW_STR("OpenAI/Python"),
        .task = GW_TASK_CHAT,
        .status = 200,
        .model = GW_STR("small"),
        .model_group = GW_STR("small"),
        .deployment = GW_STR("small#1"),
        .provider = GW_STR("openai"),
        .is_stream = true,
        .exchanges = 2,
        .upstream_status = 200,
        .usage = {.is_known = true,
                  .is_estimated = true,
                  .input_tokens = UINT64_MAX,
                  .output_tokens = 7,
                  .cached_tokens = 5,
                  .reasoning_tokens = 3},
        .finish_reason = GW_STR("stop"),
        .request_bytes = 100,
        .response_bytes = 200,
        .started_wall_ms = 1700000000123,
        .duration_us = 1500,
        .upstream_connect_us = 10,
        .upstream_first_chunk_us = 20,
    };
    gw_access_log_add(fixture->log, &record);
    yyjson_doc *doc = read_line(fixture);
    assert_text(doc, "time", "2023-11-14T22:13:20.123Z");
    assert_text(doc, "request_id", "req_1");
    assert_text(doc, "protocol", "HTTP/2");
    assert_text(doc, "task", "chat");
    assert_text(doc, "deployment", "small#1");
    assert_text(doc, "finish_reason", "stop");
    assert_number(doc, "status", 200);
    assert_number(doc, "duration_us", 1500);
    assert_number(doc, "exchanges", 2);
    assert_number(doc, "input_tokens", UINT64_MAX);
    assert_number(doc, "cached_tokens", 5);
    assert_number(doc, "reasoning_tokens", 3);
    assert_true(yyjson_get_bool(yyjson_obj_get(yyjson_doc_get_root(doc), "stream")));
    assert_true(yyjson_get_bool(yyjson_obj_get(yyjson_doc_get_root(doc), "usage_estimated")));
    assert_null(yyjson_obj_get(yyjson_doc_get_root(doc), "error"));
    yyjson_doc_free(doc);
}

static void test_what_is_not_known_is_left_out(void **state)
{
    const struct fixture *fixture = *state;
    struct gw_request_record record = {.task = GW_TASK_LOCAL};
    gw_access_log_add(fixture->log, &record);
    yyjson_doc *doc = read_line(fixture);
    static const char *const absent[] = {
        "request_id",      "model", "stream",      "exchanges",    "input_tokens",
        "usage_estimated", "error", "error_class", "error_detail",
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(absent); i++) {
        assert_null(yyjson_obj_get(yyjson_doc_get_root(doc), absent[i]));
    }
    assert_number(doc, "status", 0);
    yyjson_doc_free(doc);
}

/* What a peer chose stays one line of valid UTF-8, whatever it is. */
static void test_hostile_texts(void **state)
{
    const struct fixture *fixture = *state;
    struct gw_request_record record = {
        .path = GW_STR("/a\"b\\c\n{\"time\":\"forged\"}\r\x01\x7f\xff\xc3\xa4"),
        .model = GW_STR("\0\n"),
        .error = {.class = GW_ERROR_UPSTREAM,
                  .message = GW_STR("line\nline"),
                  .detail = GW_STR("said\"so\n")},
    };
    gw_access_log_add(fixture->log, &record);
    yyjson_doc *doc = read_line(fixture);
    assert_text(doc, "path", "/a\"b\\c\n{\"time\":\"forged\"}\r\x01\x7f\xef\xbf\xbd\xc3\xa4");
    assert_text(doc, "error_class", "upstream");
    assert_text(doc, "error", "line\nline");
    assert_text(doc, "error_detail", "said\"so\n");
    yyjson_doc_free(doc);
}

static void test_a_long_error_is_cut(void **state)
{
    const struct fixture *fixture = *state;
    static char message[4096];
    memset(message, 'x', sizeof(message));
    struct gw_request_record record = {
        .error = {.class = GW_ERROR_CLIENT, .message = gw_str(message, sizeof(message))}};
    gw_access_log_add(fixture->log, &record);
    yyjson_doc *doc = read_line(fixture);
    assert_int_equal(yyjson_get_len(yyjson_obj_get(yyjson_doc_get_root(doc), "error")), 512);
    yyjson_doc_free(doc);
}

/* More lines in one turn than the buffer holds. */
static void test_no_line_is_lost(void **state)
{
    const struct fixture *fixture = *state;
    static char path[65536];
    const unsigned count = 50;
    memset(path, '"', sizeof(path)); /* twice as long when escaped */
    for (unsigned i = 0; i < count; i++) {
        struct gw_request_record record = {.path = gw_str(path, sizeof(path)), .status = 100 + i};
        gw_access_log_add(fixture->log, &record);
    }
    gw_access_log_flush(fixture->log);
    struct gw_buf text;
    read_file(fixture, &text);
    struct gw_str rest = gw_buf_str(&text);
    struct gw_str line;
    unsigned seen = 0;
    while (gw_str_split(&rest, '\n', &line) && line.len > 0) {
        yyjson_doc *doc = yyjson_read(line.ptr, line.len, 0);
        assert_non_null(doc);
        assert_number(doc, "status", 100 + seen);
        yyjson_doc_free(doc);
        seen++;
    }
    assert_int_equal(seen, count);
    gw_buf_fini(&text);
}

static void test_without_a_sink(void **state)
{
    (void)state;
    struct gw_access_log *log = gw_access_log_create(NULL, NULL);
    struct gw_request_record record = {.status = 200};
    gw_access_log_add(log, &record);
    gw_access_log_flush(log);
    gw_access_log_destroy(&log);
    gw_access_log_destroy(&log);
}

/* Takes what is in the pipe; returns the number of lines. */
static size_t take_lines(int fd)
{
    static char part[65536];
    size_t lines = 0;
    ssize_t n = 0;
    while ((n = read(fd, part, sizeof(part))) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            lines += part[i] == '\n';
        }
    }
    return lines;
}

#define MOST_LINES 5000 /* 100 bytes each: a pipe has 64 KiB */

/* The reader was slow, and no request comes any more: the rest comes without one. */
static void test_the_rest_comes_without_traffic(void **state)
{
    struct fixture *fixture = *state;
    struct gw_loop *loop = NULL;
    struct gw_access_log_rest rest;
    struct gw_log_sink *sink = NULL;
    const struct gw_request_record record = {.path = GW_STR("/v1/models"), .status = 200};
    unlink(fixture->path);
    assert_int_equal(mkfifo(fixture->path, 0600), 0);
    int fd = open(fixture->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(fd != -1);
    assert_int_equal(gw_loop_create(&loop), GW_OK);
    assert_int_equal(gw_log_sink_create(fixture->path, &sink), GW_OK);
    gw_access_log_rest_init(&rest, loop, sink);
    struct gw_access_log *log = gw_access_log_create(sink, &rest);
    gw_access_log_add(log, &record);
    gw_access_log_flush(log);
    bool done = false;
    gw_loop_run_until(loop, &done, 1);
    assert_false(gw_timer_is_set(&rest.timer)); /* all was written: nothing to do */

    size_t written = 1;
    for (; written < MOST_LINES; written++) {
        gw_access_log_add(log, &record);
        gw_access_log_flush(log);
    }
    assert_true(gw_log_sink_is_behind(sink));
    gw_loop_run_until(loop, &done, 1);
    assert_true(gw_timer_is_set(&rest.timer));
    size_t lines = 0;
    for (unsigned i = 0; i < 1000 && lines < written; i++) {
        lines += take_lines(fd);
        gw_loop_run_until(loop, &done, 20);
    }
    assert_int_equal(lines, written);
    assert_false(gw_log_sink_is_behind(sink));
    gw_loop_run_until(loop, &done, 1);
    assert_false(gw_timer_is_set(&rest.timer));
    gw_access_log_destroy(&log);
    gw_access_log_rest_fini(&rest);
    gw_loop_destroy(&loop);
    gw_log_sink_destroy(&sink);
    close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_everything_known),
        TEST(test_what_is_not_known_is_left_out),
        TEST(test_hostile_texts),
        TEST(test_a_long_error_is_cut),
        TEST(test_no_line_is_lost),
        cmocka_unit_test(test_without_a_sink),
        TEST(test_the_rest_comes_without_traffic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
