/* SPDX-License-Identifier: MIT */
/* The operator's line, and a sink whose reader is slow: lines stay whole and in order, those
 * dropped are counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"

#define NUMBERED_LINE_BYTES 100

struct fixture {
    char dir[64];
    char path[96];
    struct gw_buf got;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    memcpy(fixture->dir, "/tmp/gw-log-test-XXXXXX", sizeof("/tmp/gw-log-test-XXXXXX"));
    assert_non_null(mkdtemp(fixture->dir));
    snprintf(fixture->path, sizeof(fixture->path), "%s/log", fixture->dir);
    gw_buf_init(&fixture->got, 64u << 20);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    unlink(fixture->path);
    rmdir(fixture->dir);
    gw_buf_fini(&fixture->got);
    free(fixture);
    return 0;
}

/* Reads what is there, without waiting. */
static void drain(struct fixture *fixture, int fd)
{
    for (;;) {
        assert_int_equal(gw_buf_reserve(&fixture->got, 65536), GW_OK);
        ssize_t n = read(fd, gw_buf_tail(&fixture->got), 65536);
        if (n <= 0) {
            return;
        }
        gw_buf_commit(&fixture->got, (size_t)n);
    }
}

static void make_line(char line[NUMBERED_LINE_BYTES], unsigned number)
{
    memset(line, '.', NUMBERED_LINE_BYTES);
    char digits[16];
    int len = snprintf(digits, sizeof(digits), "%08u", number);
    memcpy(line, digits, (size_t)len);
    line[NUMBERED_LINE_BYTES - 1] = '\n';
}

/* Checks that |got| is whole numbered lines in rising order; returns how many. */
static uint64_t count_whole_lines(struct gw_str got)
{
    uint64_t count = 0;
    long last = -1;
    while (got.len > 0) {
        assert_true(got.len >= NUMBERED_LINE_BYTES);
        char expected[NUMBERED_LINE_BYTES];
        uint64_t number = 0;
        assert_int_equal(gw_parse_u64(gw_str(got.ptr, 8), &number), GW_OK);
        assert_true((long)number > last);
        last = (long)number;
        make_line(expected, (unsigned)number);
        assert_memory_equal(got.ptr, expected, NUMBERED_LINE_BYTES);
        got = gw_str_skip(got, NUMBERED_LINE_BYTES);
        count++;
    }
    return count;
}

static int open_fifo(struct fixture *fixture)
{
    assert_int_equal(mkfifo(fixture->path, 0600), 0);
    int fd = open(fixture->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(fd != -1);
    return fd;
}

static void test_slow_reader_gets_whole_lines(void **state)
{
    struct fixture *fixture = *state;
    int reader = open_fifo(fixture);
    struct gw_log_sink *sink = NULL;
    assert_int_equal(gw_log_sink_create(fixture->path, &sink), GW_OK);
    char line[NUMBERED_LINE_BYTES];
    unsigned written = 0;
    /* Nobody reads: the pipe fills, then the sink, then lines are dropped. */
    while (gw_log_sink_dropped(sink) < 1000) {
        make_line(line, written++);
        gw_log_sink_write(sink, gw_str(line, sizeof(line)));
        assert_true(written < 1000000);
    }
    assert_true(written > GW_LOG_SINK_MAX_BYTES / NUMBERED_LINE_BYTES);
    /* The reader comes back; each call pushes some of what was kept. */
    size_t before = 0;
    do {
        before = fixture->got.len;
        drain(fixture, reader);
        gw_log_sink_write(sink, GW_STR(""));
    } while (fixture->got.len > before);
    /* Lines are taken again, behind the gap. */
    make_line(line, written++);
    gw_log_sink_write(sink, gw_str(line, sizeof(line)));
    drain(fixture, reader);
    uint64_t lines = count_whole_lines(gw_buf_str(&fixture->got));
    assert_int_equal(lines + gw_log_sink_dropped(sink), written);
    gw_log_sink_destroy(&sink);
    assert_null(sink);
    close(reader);
}

static void test_reader_slower_than_the_writer(void **state)
{
    struct fixture *fixture = *state;
    int reader = open_fifo(fixture);
    struct gw_log_sink *sink = NULL;
    assert_int_equal(gw_log_sink_create(fixture->path, &sink), GW_OK);
    char lines[7 * NUMBERED_LINE_BYTES];
    unsigned written = 0;
    while (written < 200000) {
        for (size_t i = 0; i < 7; i++) {
            make_line(lines + i * NUMBERED_LINE_BYTES, written++);
        }
        gw_log_sink_write(sink, gw_str(lines, sizeof(lines)));
        /* Reads about half of what is written, in odd pieces. */
        assert_int_equal(gw_buf_reserve(&fixture->got, 331), GW_OK);
        ssize_t n = read(reader, gw_buf_tail(&fixture->got), 331);
        assert_true(n > 0);
        gw_buf_commit(&fixture->got, (size_t)n);
    }
    size_t before = 0;
    do {
        before = fixture->got.len;
        drain(fixture, reader);
        gw_log_sink_write(sink, GW_STR(""));
    } while (fixture->got.len > before);
    uint64_t count = count_whole_lines(gw_buf_str(&fixture->got));
    assert_int_equal(count + gw_log_sink_dropped(sink), written);
    assert_true(gw_log_sink_dropped(sink) > 0);
    gw_log_sink_destroy(&sink);
    close(reader);
}

/* A batch larger than everything the sink keeps: its front goes out, perhaps with half a line,
 * which is ended before the next. */
static void test_half_a_line_is_ended(void **state)
{
    struct fixture *fixture = *state;
    int reader = open_fifo(fixture);
    struct gw_log_sink *sink = NULL;
    assert_int_equal(gw_log_sink_create(fixture->path, &sink), GW_OK);
    size_t count = (GW_LOG_SINK_MAX_BYTES + (4u << 20)) / NUMBERED_LINE_BYTES;
    char *batch = malloc(count * NUMBERED_LINE_BYTES);
    assert_non_null(batch);
    for (size_t i = 0; i < count; i++) {
        make_line(batch + i * NUMBERED_LINE_BYTES, (unsigned)i);
    }
    gw_log_sink_write(sink, gw_str(batch, count * NUMBERED_LINE_BYTES));
    uint64_t dropped = gw_log_sink_dropped(sink);
    assert_true(dropped > 0);
    drain(fixture, reader);
    size_t cut = fixture->got.len;
    assert_int_equal(count_whole_lines(gw_str(fixture->got.ptr, cut - cut % NUMBERED_LINE_BYTES)) +
                         dropped,
                     count);
    gw_log_sink_write(sink, gw_str(batch, NUMBERED_LINE_BYTES));
    drain(fixture, reader);
    struct gw_str rest = gw_str_skip(gw_buf_str(&fixture->got), cut);
    if (cut % NUMBERED_LINE_BYTES != 0) {
        assert_int_equal(rest.ptr[0], '\n');
        rest = gw_str_skip(rest, 1);
    }
    assert_true(gw_str_eq(rest, gw_str(batch, NUMBERED_LINE_BYTES)));
    free(batch);
    gw_log_sink_destroy(&sink);
    close(reader);
}

static void test_destroy_writes_what_is_left(void **state)
{
    struct fixture *fixture = *state;
    int reader = open_fifo(fixture);
    struct gw_log_sink *sink = NULL;
    assert_int_equal(gw_log_sink_create(fixture->path, &sink), GW_OK);
    char line[NUMBERED_LINE_BYTES];
    int capacity = fcntl(reader, F_GETPIPE_SZ);
    assert_true(capacity > 0);
    unsigned total = (unsigned)capacity / NUMBERED_LINE_BYTES + 50;
    for (unsigned i = 0; i < total; i++) {
        make_line(line, i);
        gw_log_sink_write(sink, gw_str(line, sizeof(line)));
    }
    drain(fixture, reader);
    gw_log_sink_destroy(&sink);
    drain(fixture, reader);
    assert_int_equal(count_whole_lines(gw_buf_str(&fixture->got)), total);
    close(reader);
}

static void test_reader_that_goes_away(void **state)
{
    struct fixture *fixture = *state;
    int reader = open_fifo(fixture);
    struct gw_log_sink *sink = NULL;
    assert_int_equal(gw_log_sink_create(fixture->path, &sink), GW_OK);
    close(reader);
    gw_log_sink_write(sink, GW_STR("nobody reads this\n"));
    gw_log_sink_destroy(&sink);
}

static void read_file(struct fixture *fixture, const char *path)
{
    gw_buf_reset(&fixture->got);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd != -1);
    drain(fixture, fd);
    close(fd);
}

static void test_file_and_rotation(void **state)
{
    struct fixture *fixture = *state;
    char rotated[128];
    snprintf(rotated, sizeof(rotated), "%s.1", fixture->path);
    struct gw_log_sink *sink = NULL;
    assert_int_equal(gw_log_sink_create(fixture->path, &sink), GW_OK);
    struct stat info;
    assert_int_equal(stat(fixture->path, &info), 0);
    assert_int_equal(info.st_mode & 0137, 0);
    gw_log_sink_write(sink, GW_STR("one\n"));
    assert_int_equal(rename(fixture->path, rotated), 0);
    gw_log_sink_write(sink, GW_STR("two\n"));
    gw_log_sink_reopen(sink);
    gw_log_sink_write(sink, GW_STR("three\n"));
    gw_log_sink_destroy(&sink);
    read_file(fixture, rotated);
    assert_true(gw_str_eq(gw_buf_str(&fixture->got), GW_STR("one\ntwo\n")));
    read_file(fixture, fixture->path);
    assert_true(gw_str_eq(gw_buf_str(&fixture->got), GW_STR("three\n")));
    /* Appended to, not truncated. */
    assert_int_equal(gw_log_sink_create(fixture->path, &sink), GW_OK);
    gw_log_sink_write(sink, GW_STR("four\n"));
    gw_log_sink_destroy(&sink);
    read_file(fixture, fixture->path);
    assert_true(gw_str_eq(gw_buf_str(&fixture->got), GW_STR("three\nfour\n")));
    unlink(rotated);
}

static void test_paths_that_cannot_be_opened(void **state)
{
    struct fixture *fixture = *state;
    struct gw_log_sink *sink = NULL;
    char path[128];
    snprintf(path, sizeof(path), "%s/no/such/dir", fixture->dir);
    assert_int_equal(gw_log_sink_create(path, &sink), GW_ERR_NOT_FOUND);
    assert_int_equal(gw_log_sink_create(fixture->dir, &sink), GW_ERR_IO);
    assert_null(sink);
    gw_log_sink_destroy(&sink);
}

/* Puts |fd| in the place of |target| for the time of one call of |run|. */
static void with_replaced(int target, int fd, void (*run)(void))
{
    fflush(stdout);
    fflush(stderr);
    int saved = dup(target);
    assert_true(saved != -1);
    assert_true(dup2(fd, target) != -1);
    run();
    assert_true(dup2(saved, target) != -1);
    close(saved);
}

static void write_to_stdout_sink(void)
{
    struct gw_log_sink *sink = NULL;
    assert_int_equal(gw_log_sink_create("-", &sink), GW_OK);
    gw_log_sink_reopen(sink);
    gw_log_sink_write(sink, GW_STR("to standard output\n"));
    gw_log_sink_destroy(&sink);
}

static void test_standard_output_stays_blocking(void **state)
{
    struct fixture *fixture = *state;
    for (int kind = 0; kind < 2; kind++) {
        int ends[2];
        assert_int_equal(kind == 0 ? pipe(ends) : socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        gw_buf_reset(&fixture->got);
        with_replaced(STDOUT_FILENO, ends[1], write_to_stdout_sink);
        assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0);
        close(ends[1]);
        drain(fixture, ends[0]);
        close(ends[0]);
        assert_true(gw_str_eq(gw_buf_str(&fixture->got), GW_STR("to standard output\n")));
    }
}

static void log_some_lines(void)
{
    gw_log_info("test", "number %d", 7);
    gw_log_debug("test", "not shown");
    gw_log_warn("test", "line\nfeed \x1b[31m and \x7f");
    char longer[6000];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    gw_log_error("test", "%s", longer);
    gw_log_set_level(GW_LOG_ERROR);
    gw_log_warn("test", "not shown");
    gw_log_set_level(GW_LOG_INFO);
}

static struct gw_str next_line(struct gw_str *rest)
{
    struct gw_str line = {0};
    assert_true(gw_str_split(rest, '\n', &line));
    return line;
}

static void test_operator_lines(void **state)
{
    struct fixture *fixture = *state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    with_replaced(STDERR_FILENO, ends[1], log_some_lines);
    close(ends[1]);
    drain(fixture, ends[0]);
    close(ends[0]);
    struct gw_str rest = gw_buf_str(&fixture->got);
    struct gw_str line = next_line(&rest);
    /* Behind the time "2026-11-21T05:30:00.123Z". */
    assert_true(gw_str_eq(gw_str_skip(line, 24), GW_STR(" info test: number 7")));
    line = next_line(&rest);
    assert_true(gw_str_eq(gw_str_skip(line, 24), GW_STR(" warn test: line?feed ?[31m and ?")));
    line = next_line(&rest);
    assert_int_equal(
        line.len, 4095 - 1); /* with the LF one less than PIPE_BUF, as vsnprintf() wants its NUL */
    assert_true(gw_str_has_suffix(line, GW_STR("xxxx")));
    assert_int_equal(next_line(&rest).len, 0);
    assert_null(rest.ptr);
}

static void test_level_names(void **state)
{
    (void)state;
    enum gw_log_level level = GW_LOG_ERROR;
    assert_int_equal(gw_log_level_parse(GW_STR("DEBUG"), &level), GW_OK);
    assert_int_equal(level, GW_LOG_DEBUG);
    assert_int_equal(gw_log_level_parse(GW_STR("warning"), &level), GW_OK);
    assert_int_equal(level, GW_LOG_WARN);
    assert_int_equal(gw_log_level_parse(GW_STR("verbose"), &level), GW_ERR_INVALID);
    assert_int_equal(level, GW_LOG_WARN);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN); /* as the gateway does */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_slow_reader_gets_whole_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reader_slower_than_the_writer, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_half_a_line_is_ended, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_destroy_writes_what_is_left, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reader_that_goes_away, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_file_and_rotation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_paths_that_cannot_be_opened, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_standard_output_stays_blocking, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_operator_lines, set_up, tear_down),
        cmocka_unit_test(test_level_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
