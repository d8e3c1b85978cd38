/* SPDX-License-Identifier: MIT */
/* What happens to HTTP/2 streams in time: windows, resets, slow and vanishing clients, drain. */
#include "h2_client.h"

#define FEW_MS 40

/* ---- bodies and windows ---- */

static void test_upload_waits_for_reading(void **state)
{
    (void)state;
    size_t size = 2000000;
    char *body = gw_alloc(size);
    for (size_t i = 0; i < size; i++) {
        body[i] = (char)(i * 7 / 3);
    }
    int32_t id = post("/late", gw_str(body, size));
    gw_test_wait_pairs(test, 1);
    gw_test_settle(test);
    /* The window is what was announced: 256 KB (or the old 64 KB before SETTINGS came). */
    assert_true(stream_at(id)->upload.len >= size - 256 * 1024);
    gw_downstream_read_body(test->pairs[0].pair, true);
    struct client_stream *stream = wait_stream(id);
    assert_int_equal(stream->status, 200);
    assert_int_equal(stream->body.len, size);
    assert_memory_equal(stream->body.ptr, body, size);
    gw_free(body);
}

/* Held bodies of other streams do not take the connection's window for good. */
static void test_forgotten_bodies_give_the_window_back(void **state)
{
    (void)state;
    char *body = gw_zalloc(200000);
    for (int i = 0; i < 20; i++) {
        (void)submit("POST", "/held", NULL, gw_str(body, 200000), false);
        flush();
        gw_test_wait_pairs(test, (size_t)i + 1);
        gw_test_settle(test);
        gw_test_answer_plain(&test->pairs[i]);
        gw_test_settle(test);
    }
    int32_t id = post("/echo", gw_str(body, 200000));
    struct client_stream *stream = wait_stream(id);
    assert_int_equal(stream->body.len, 200000);
    gw_free(body);
}

static void test_reading_stopped_by_the_callback(void **state)
{
    (void)state;
    int32_t id = submit("POST", "/stop", NULL, GW_STR("abc"), true);
    flush();
    gw_test_wait_pairs(test, 1);
    gw_test_wait_received(test);
    assert_int_equal(test->pairs[0].body.len, 3);
    stream_at(id)->upload = GW_STR("def");
    stream_at(id)->is_upload_open = false;
    assert_int_equal(nghttp2_session_resume_data(client->session, id), 0);
    flush();
    gw_test_wait_received(test);
    assert_int_equal(test->pairs[0].body.len, 3);
    gw_downstream_read_body(test->pairs[0].pair, true);
    gw_test_settle(test);
    assert_int_equal(test->pairs[0].body.len, 6);
    gw_downstream_read_body(test->pairs[0].pair, true);
    gw_test_settle(test);
    assert_int_equal(test->pairs[0].body_ends, 1);
    gw_test_answer_plain(&test->pairs[0]);
    assert_body(wait_stream(id), "hello");
}

static void test_download_with_back_pressure(void **state)
{
    (void)state;
    gw_test_client_set_reading(&test->client, false);
    int32_t id = get("/big");
    gw_test_wait_pairs(test, 1);
    gw_test_settle(test);
    assert_true(test->pairs[0].left_bytes > 0);
    assert_false(gw_downstream_can_write(test->pairs[0].pair));
    gw_test_client_set_reading(&test->client, true);
    struct client_stream *stream = wait_stream(id);
    assert_true(test->pairs[0].writable_calls > 0);
    assert_int_equal(stream->body.len, 1000000);
    for (size_t i = 0; i < 1000000; i++) {
        assert_true(stream->body.ptr[i] == (char)('a' + (1000000 - i) % 26));
    }
}

/* Windows larger than what is made ahead of the socket. */
static void test_download_with_large_windows(void **state)
{
    (void)state;
    const nghttp2_settings_entry large = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 24};
    assert_int_equal(nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, &large, 1), 0);
    assert_int_equal(
        nghttp2_session_set_local_window_size(client->session, NGHTTP2_FLAG_NONE, 0, 1 << 24), 0);
    gw_test_client_set_reading(&test->client, false);
    int32_t first = get("/big");
    int32_t second = get("/big");
    gw_test_wait_pairs(test, 2);
    gw_test_settle(test);
    gw_test_client_set_reading(&test->client, true);
    assert_int_equal(wait_stream(first)->body.len, 1000000);
    assert_int_equal(wait_stream(second)->body.len, 1000000);
}

static void test_trailers_are_dropped(void **state)
{
    (void)state;
    int32_t id = submit("POST", "/echo", NULL, GW_STR("abc"), true);
    flush();
    gw_test_wait_pairs(test, 1);
    const nghttp2_nv trailer = nv("x-sum", "1");
    assert_int_equal(nghttp2_submit_headers(client->session, NGHTTP2_FLAG_END_STREAM, id, NULL,
                                            &trailer, 1, NULL),
                     0);
    flush();
    assert_body(wait_stream(id), "abc");
    assert_int_equal(test->pairs[0].body_ends, 1);
}

static void test_many_downloads_at_once(void **state)
{
    (void)state;
    int32_t ids[20];
    for (size_t i = 0; i < GW_ARRAY_LEN(ids); i++) {
        ids[i] = get(i % 2 == 0 ? "/big" : "/plain");
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(ids); i++) {
        struct client_stream *stream = wait_stream(ids[i]);
        assert_int_equal(stream->body.len, i % 2 == 0 ? 1000000 : 5);
    }
}

static void test_each_chunk_leaves_at_once(void **state)
{
    (void)state;
    int32_t id = get("/held");
    gw_test_wait_pairs(test, 1);
    gw_test_begin(&test->pairs[0]);
    gw_test_write(&test->pairs[0], GW_STR("first"));
    gw_test_wait(test, has_body_bytes, stream_at(id));
    assert_body(stream_at(id), "first");
    gw_test_write(&test->pairs[0], GW_STR("last"));
    gw_test_end(&test->pairs[0]);
    assert_body(wait_stream(id), "firstlast");
}

static void test_continue(void **state)
{
    (void)state;
    static const char *const expect[] = {"expect", "100-continue", NULL};
    int32_t id = submit("POST", "/late", expect, GW_STR(""), true);
    flush();
    gw_test_wait_pairs(test, 1);
    assert_true(test->pairs[0].expects_continue);
    gw_test_settle(test);
    assert_int_equal(stream_at(id)->interim, 0);
    gw_downstream_read_body(test->pairs[0].pair, true);
    gw_test_settle(test);
    assert_int_equal(stream_at(id)->interim, 1);
    stream_at(id)->upload = GW_STR("abc");
    stream_at(id)->is_upload_open = false;
    assert_int_equal(nghttp2_session_resume_data(client->session, id), 0);
    flush();
    assert_body(wait_stream(id), "abc");
}

static void test_a_body_nobody_reads_is_cut(void **state)
{
    (void)state;
    int32_t id = submit("POST", "/ignore", NULL, GW_STR("abc"), true);
    flush();
    struct client_stream *stream = wait_stream(id); /* takes GW_CONN_REST_MS */
    assert_body(stream, "hello");
    assert_int_equal(stream->error_code, NGHTTP2_NO_ERROR);
}

/* ---- ends ---- */

static void test_reset_by_the_client(void **state)
{
    (void)state;
    int32_t id = get("/held");
    gw_test_wait_pairs(test, 1);
    assert_int_equal(
        nghttp2_submit_rst_stream(client->session, NGHTTP2_FLAG_NONE, id, NGHTTP2_CANCEL), 0);
    flush();
    gw_test_wait_abort(test, 0);
    assert_int_equal(test->pairs[0].abort_err, GW_ERR_RESET);
    assert_body(wait_stream(get("/plain")), "hello");
}

static void test_abort_and_cut(void **state)
{
    (void)state;
    struct client_stream *aborted = wait_stream(get("/abort"));
    assert_int_equal(aborted->error_code, NGHTTP2_INTERNAL_ERROR);
    struct client_stream *cut = wait_stream(get("/cut"));
    assert_body(cut, "part"); /* what was written still goes out */
    assert_int_equal(cut->error_code, NGHTTP2_INTERNAL_ERROR);
    struct client_stream *is_short = wait_stream(get("/cut-fixed"));
    assert_body(is_short, "12345");
    assert_int_equal(is_short->error_code, NGHTTP2_INTERNAL_ERROR);
    struct client_stream *in_body = wait_stream(post("/full", GW_STR("abc")));
    assert_int_equal(in_body->error_code, NGHTTP2_INTERNAL_ERROR);
    assert_body(wait_stream(post("/answer-in-body", GW_STR("abc"))), "hello");
    assert_body(wait_stream(get("/plain")), "hello");
}

static void test_the_end_comes_after_the_stream(void **state)
{
    (void)state;
    int32_t id = submit("HEAD", "/held", NULL, gw_str(NULL, 0), false);
    flush();
    gw_test_wait_pairs(test, 1);
    gw_test_begin(&test->pairs[0]);
    assert_int_equal(wait_stream(id)->status, 200);
    gw_test_settle(test);
    assert_int_equal(test->pairs[0].aborts, 0);
    gw_test_write(&test->pairs[0], GW_STR("dropped"));
    gw_test_end(&test->pairs[0]);
    assert_body(wait_stream(get("/plain")), "hello");
}

static void test_client_gone(void **state)
{
    (void)state;
    (void)get("/held");
    (void)get("/held");
    (void)submit("POST", "/echo", NULL, GW_STR("abc"), true);
    flush();
    gw_test_wait_pairs(test, 3);
    gw_test_hang_up(&test->client);
    gw_test_wait_closed(test);
    for (size_t i = 0; i < 3; i++) {
        /* A Unix socket tells the end as a reset when bytes were not read. */
        assert_true(test->pairs[i].abort_err == GW_ERR_EOF ||
                    test->pairs[i].abort_err == GW_ERR_RESET);
    }
}

static void test_destroy_tells_open_pairs(void **state)
{
    (void)state;
    (void)get("/held");
    gw_test_wait_pairs(test, 1);
    gw_server_destroy(&test->server);
    assert_int_equal(test->pairs[0].abort_err, GW_ERR_CANCELLED);
}

/* ---- time ---- */

static void test_slow_body(void **state)
{
    (void)state;
    struct gw_server_limits limits = gw_test_limits();
    limits.body_timeout_ms = FEW_MS;
    restart(limits);
    int32_t id = submit("POST", "/echo", NULL, GW_STR("abc"), true);
    int32_t held = submit("GET", "/held", NULL, gw_str(NULL, 0), false);
    flush();
    gw_test_wait_abort(test, 0);
    assert_int_equal(test->pairs[0].abort_err, GW_ERR_TIMEOUT);
    gw_test_settle(test);
    assert_int_equal(stream_at(id)->status, 408);
    assert_body(stream_at(id), "{\"error\":408}");
    gw_test_answer_plain(&test->pairs[1]); /* the others go on */
    assert_body(wait_stream(held), "hello");
}

static void test_a_reader_that_does_not_read(void **state)
{
    (void)state;
    struct gw_server_limits limits = gw_test_limits();
    limits.write_timeout_ms = FEW_MS;
    restart(limits);
    gw_test_client_set_reading(&test->client, false);
    (void)get("/big");
    gw_test_wait_abort(test, 0);
    assert_int_equal(test->pairs[0].abort_err, GW_ERR_TIMEOUT);
    assert_true(atomic_load(&gw_server_counters(test->server)->timeouts_total) > 0);
}

static void test_a_stream_without_window(void **state)
{
    (void)state;
    struct gw_server_limits limits = gw_test_limits();
    limits.write_timeout_ms = FEW_MS;
    restart(limits);
    const nghttp2_settings_entry no_window = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0};
    assert_int_equal(nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, &no_window, 1), 0);
    int32_t id = get("/held");
    gw_test_wait_pairs(test, 1);
    gw_test_begin(&test->pairs[0]);
    gw_test_write(&test->pairs[0], GW_STR("nobody takes this"));
    gw_test_wait_abort(test, 0);
    assert_int_equal(test->pairs[0].abort_err, GW_ERR_TIMEOUT);
    assert_int_equal(wait_stream(id)->error_code, NGHTTP2_CANCEL);
    assert_int_equal(gw_server_connection_count(test->server), 1);
}

static void test_idle(void **state)
{
    (void)state;
    struct gw_server_limits limits = gw_test_limits();
    limits.idle_timeout_ms = FEW_MS;
    restart(limits);
    assert_body(wait_stream(get("/plain")), "hello");
    gw_test_wait_end(&test->client);
    assert_int_equal(count_goaways(), 2);
    assert_int_equal(client->goaway_error, NGHTTP2_NO_ERROR);
}

/* ---- drain ---- */

static void test_drain(void **state)
{
    (void)state;
    int32_t held = get("/held");
    gw_test_wait_pairs(test, 1);
    client->keeps_unsent = true; /* the answer to PING is on its way */
    gw_server_drain(test->server);
    gw_test_settle(test);
    assert_int_equal(client->goaways, 1);
    assert_int_equal(client->goaway_last, INT32_MAX);
    client->keeps_unsent = false;
    /* Sent before the client saw the first GOAWAY: still served. nghttp2 would refuse to open a
     * stream now, so the frame is our own. */
    static const char late[] = {0,      0,      9,      1,      5,   0, 0,      0,   3,
                                '\x82', '\x86', '\x41', '\x01', 'a', 4, '\x02', '/', 'x'};
    gw_test_send(&test->client, gw_str(late, sizeof(late)));
    gw_test_wait_pairs(test, 2);
    gw_test_send(&test->client, gw_buf_str(&client->unsent));
    flush();
    gw_test_settle(test);
    assert_int_equal(client->goaways, 2);
    assert_int_equal(client->goaway_last, 3);
    assert_int_equal(client->goaway_error, NGHTTP2_NO_ERROR);
    gw_test_answer_plain(&test->pairs[0]);
    assert_body(wait_stream(held), "hello");
    struct gw_downstream *pair = test->pairs[1].pair;
    test->pairs[1].pair = NULL;
    gw_downstream_abort(pair);
    gw_test_wait_end(&test->client);
    assert_true(test->client.saw_eof);
}

static void test_drain_of_an_idle_connection(void **state)
{
    (void)state;
    assert_body(wait_stream(get("/plain")), "hello");
    gw_server_drain(test->server);
    gw_test_wait_end(&test->client);
    assert_int_equal(count_goaways(), 2);
    assert_true(test->client.saw_eof);
}

#define LIVE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(test_upload_waits_for_reading),
        LIVE(test_forgotten_bodies_give_the_window_back),
        LIVE(test_reading_stopped_by_the_callback),
        LIVE(test_download_with_back_pressure),
        LIVE(test_download_with_large_windows),
        LIVE(test_trailers_are_dropped),
        LIVE(test_many_downloads_at_once),
        LIVE(test_each_chunk_leaves_at_once),
        LIVE(test_continue),
        LIVE(test_a_body_nobody_reads_is_cut),
        LIVE(test_reset_by_the_client),
        LIVE(test_abort_and_cut),
        LIVE(test_the_end_comes_after_the_stream),
        LIVE(test_client_gone),
        LIVE(test_destroy_tells_open_pairs),
        LIVE(test_slow_body),
        LIVE(test_a_reader_that_does_not_read),
        LIVE(test_a_stream_without_window),
        LIVE(test_idle),
        LIVE(test_drain),
        LIVE(test_drain_of_an_idle_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
