/* SPDX-License-Identifier: MIT */
/* HTTP/2 requests and their answers: the client's bytes whole, at every split and one by one. */
#include "h2_client.h"

/* ---- requests and answers, at every split ---- */

static void check_scenario(void)
{
    static const struct {
        int32_t id;
        int status;
        const char *body;
    } expected[] = {
        {1, 200, "hello"},     {3, 200, "oneand twenty-two bytes!"},
        {5, 200, ""},          {7, 204, ""},
        {9, 200, "some body"}, {11, 200, ""},
        {13, 200, "hello"},    {15, 200, ""},
        {17, 200, "two way"},  {19, 304, ""},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(expected); i++) {
        struct client_stream *stream = wait_stream(expected[i].id);
        assert_int_equal(stream->status, expected[i].status);
        assert_int_equal(stream->error_code, NGHTTP2_NO_ERROR);
        assert_body(stream, expected[i].body);
        assert_true(has_field(stream, "server: gatewire\n"));
        assert_true(has_field(stream, "date: "));
        assert_false(has_field(stream, "connection"));
    }
    assert_true(has_field(stream_at(1), "content-length: 5\n"));
    assert_false(has_field(stream_at(3), "content-length"));
    assert_true(has_field(stream_at(5), "content-length: 5\n"));
    assert_string_equal(test->pairs[0].cookie, "a=1; b=2; c=3");
    assert_string_equal(test->pairs[0].authority, "a");
    assert_false(test->pairs[0].has_body);
    assert_int_equal(test->pairs[4].content_length, 9);
    assert_int_equal(test->pairs[8].content_length, GW_LENGTH_UNKNOWN);
    assert_int_equal(gw_server_connection_count(test->server), 1);
}

static void submit_scenario(void)
{
    static const char *const cookies[] = {"cookie", "a=1",    "x-y", "z", "cookie",
                                          "b=2",    "cookie", "c=3", NULL};
    static const char *const nine[] = {"content-length", "9", NULL};
    const struct gw_str none = {0};
    client->keeps_unsent = true;
    (void)submit("GET", "/plain", cookies, none, false);
    (void)submit("GET", "/chunked", NULL, none, false);
    (void)submit("HEAD", "/plain", NULL, none, false);
    (void)submit("GET", "/empty", NULL, none, false);
    (void)submit("POST", "/echo", nine, GW_STR("some body"), false);
    (void)submit("GET", "/echo", NULL, none, false);
    (void)submit("POST", "/ignore", NULL, GW_STR("ignored"), false);
    (void)submit("GET", "/none", NULL, none, false);
    (void)submit("POST", "/twoway", NULL, GW_STR("two way"), false);
    (void)submit("GET", "/not", NULL, none, false);
    flush();
}

static void run_scenario(size_t cut, size_t step)
{
    (void)setup(NULL);
    submit_scenario();
    struct gw_str rest = gw_buf_str(&client->unsent);
    size_t piece = cut;
    while (rest.len > 0) {
        size_t len = piece < rest.len ? piece : rest.len;
        gw_test_send(&test->client, gw_str(rest.ptr, len));
        gw_test_wait_received(test);
        rest = gw_str_skip(rest, len);
        piece = step;
    }
    client->keeps_unsent = false;
    flush();
    check_scenario();
    (void)teardown(NULL);
}

static void test_whole(void **state)
{
    (void)state;
    run_scenario(SIZE_MAX, SIZE_MAX);
}

static void test_byte_by_byte(void **state)
{
    (void)state;
    run_scenario(1, 1);
}

static void test_every_split(void **state)
{
    (void)state;
    for (size_t cut = 1; cut < 420; cut++) {
        run_scenario(cut, SIZE_MAX);
    }
}

/* Each allocation of ours fails once: every pair ends, nothing crashes, nothing leaks. */
static void test_without_memory(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth <= 60; nth++) {
        (void)setup(NULL);
        test->may_lack_memory = true;
        submit_scenario();
        gw_test_settle(test);
        gw_alloc_fail_at(nth);
        gw_test_send(&test->client, gw_buf_str(&client->unsent));
        gw_test_settle(test);
        gw_alloc_fail_at(0);
        gw_test_hang_up(&test->client);
        gw_test_wait_closed(test);
        (void)teardown(NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_every_split),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
