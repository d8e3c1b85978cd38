/* SPDX-License-Identifier: MIT */
/*
 * HTTP/2 against an nghttp2 client: requests whole, at every split and byte by byte; windows,
 * resets, floods, time, drain.
 */
#include <stdio.h>
#include <stdlib.h>

#include <nghttp2/nghttp2.h>

#include "base/alloc.h"
#include "harness.h"

#define FEW_MS      40
#define MAX_STREAMS 300

struct client_stream {
    int status;
    int interim; /* 1xx answers */
    struct gw_buf body;
    struct gw_buf fields; /* "name: value\n" */
    bool is_closed;
    uint32_t error_code;
    /* What is uploaded. */
    struct gw_str upload;
    bool is_upload_open; /* more may come: no END_STREAM yet */
};

struct h2_client {
    struct gw_test_client *link;
    nghttp2_session *session;
    struct client_stream streams[2 * MAX_STREAMS + 2]; /* by stream id */
    int goaways;
    uint32_t goaway_error;
    int32_t goaway_last;
    bool is_manual; /* no automatic window updates */
    struct gw_buf unsent;
    bool keeps_unsent; /* the test sends by itself */
};

static struct gw_test *test;
static struct h2_client *client;

/* ---- the client's session ---- */

static struct client_stream *stream_at(int32_t id)
{
    assert_true(id >= 0 && (size_t)id < GW_ARRAY_LEN(client->streams));
    return &client->streams[id];
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    (void)session;
    (void)flags;
    (void)user;
    struct client_stream *stream = stream_at(frame->hd.stream_id);
    if (name_len == 7 && memcmp(name, ":status", 7) == 0) {
        int status = atoi((const char *)value);
        if (status < 200) {
            stream->interim++;
        } else {
            stream->status = status;
        }
        return 0;
    }
    (void)gw_buf_appendf(&stream->fields, "%.*s: %.*s\n", (int)name_len, (const char *)name,
                         (int)value_len, (const char *)value);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                   size_t len, void *user)
{
    (void)session;
    (void)flags;
    (void)user;
    (void)gw_buf_append(&stream_at(id)->body, gw_str((const char *)bytes, len));
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t error_code, void *user)
{
    (void)session;
    (void)user;
    stream_at(id)->is_closed = true;
    stream_at(id)->error_code = error_code;
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)session;
    (void)user;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        client->goaways++;
        client->goaway_error = frame->goaway.error_code;
        client->goaway_last = frame->goaway.last_stream_id;
    }
    return 0;
}

static void flush(void)
{
    for (;;) {
        const uint8_t *bytes = NULL;
        ssize_t n = nghttp2_session_mem_send(client->session, &bytes);
        assert_true(n >= 0);
        if (n == 0) {
            return;
        }
        if (client->keeps_unsent) {
            (void)gw_buf_append(&client->unsent, gw_str((const char *)bytes, (size_t)n));
        } else {
            gw_test_send(client->link, gw_str((const char *)bytes, (size_t)n));
        }
    }
}

static void on_bytes(struct gw_test_client *link, struct gw_str bytes)
{
    (void)link;
    ssize_t n = nghttp2_session_mem_recv(client->session, (const uint8_t *)bytes.ptr, bytes.len);
    assert_true(n >= 0);
    if (!client->keeps_unsent) {
        flush();
    }
}

static ssize_t on_upload(nghttp2_session *session, int32_t id, uint8_t *buffer, size_t length,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    (void)session;
    (void)source;
    (void)user;
    struct client_stream *stream = stream_at(id);
    size_t part = stream->upload.len < length ? stream->upload.len : length;
    if (part == 0 && stream->is_upload_open) {
        return NGHTTP2_ERR_DEFERRED;
    }
    memcpy(buffer, stream->upload.ptr, part);
    stream->upload = gw_str_skip(stream->upload, part);
    if (stream->upload.len == 0 && !stream->is_upload_open) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return (ssize_t)part;
}

static nghttp2_nv nv(const char *name, const char *value)
{
    return (nghttp2_nv){
        .name = (uint8_t *)(uintptr_t)name,
        .value = (uint8_t *)(uintptr_t)value,
        .namelen = strlen(name),
        .valuelen = strlen(value),
    };
}

/* Submits a request; |more| fields end with a NULL name. */
static int32_t submit(const char *method, const char *path, const char *const more[],
                      struct gw_str upload, bool is_open)
{
    nghttp2_nv fields[16] = {nv(":method", method), nv(":scheme", "http"), nv(":path", path),
                             nv(":authority", "a")};
    size_t count = 4;
    for (size_t i = 0; more != NULL && more[i] != NULL; i += 2) {
        fields[count++] = nv(more[i], more[i + 1]);
    }
    const nghttp2_data_provider provider = {.read_callback = on_upload};
    bool has_body = upload.ptr != NULL || is_open;
    int32_t id = nghttp2_submit_request(client->session, NULL, fields, count,
                                        has_body ? &provider : NULL, NULL);
    assert_true(id > 0);
    struct client_stream *stream = stream_at(id);
    stream->upload = upload;
    stream->is_upload_open = is_open;
    return id;
}

static int32_t get(const char *path)
{
    int32_t id = submit("GET", path, NULL, gw_str(NULL, 0), false);
    flush();
    return id;
}

static int32_t post(const char *path, struct gw_str upload)
{
    int32_t id = submit("POST", path, NULL, upload, false);
    flush();
    return id;
}

static bool is_stream_closed(void *user)
{
    struct client_stream *stream = user;
    return stream->is_closed || test->client.saw_eof || test->client.saw_reset;
}

static struct client_stream *wait_stream(int32_t id)
{
    gw_test_wait(test, is_stream_closed, stream_at(id));
    return stream_at(id);
}

/* GOAWAY frames in all that came, also those that nghttp2 no longer looks at. */
static int count_goaways(void)
{
    int count = 0;
    struct gw_str rest = gw_buf_str(&test->client.received);
    while (rest.len >= 9) {
        const uint8_t *head = (const uint8_t *)rest.ptr;
        size_t len = ((size_t)head[0] << 16) + ((size_t)head[1] << 8) + head[2];
        count += head[3] == NGHTTP2_GOAWAY ? 1 : 0;
        rest = gw_str_skip(rest, 9 + len);
    }
    return count;
}

static bool has_body_bytes(void *user)
{
    struct client_stream *stream = user;
    return stream->body.len > 0;
}

static void assert_body(const struct client_stream *stream, const char *text)
{
    assert_true(gw_str_eq(gw_buf_str(&stream->body), gw_str_from_c(text)));
}

static bool has_field(const struct client_stream *stream, const char *line)
{
    struct gw_str all = gw_buf_str(&stream->fields);
    return all.len > 0 && gw_str_find(all, gw_str_from_c(line)) < all.len;
}

/* ---- set-up ---- */

static void open_client(void)
{
    client = gw_zalloc(sizeof(*client));
    client->link = &test->client;
    for (size_t i = 0; i < GW_ARRAY_LEN(client->streams); i++) {
        gw_buf_init(&client->streams[i].body, 8 * 1024 * 1024);
        gw_buf_init(&client->streams[i].fields, 65536);
    }
    gw_buf_init(&client->unsent, 1024 * 1024);
    test->client.on_bytes = on_bytes;
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    assert_int_equal(nghttp2_option_new(&option), 0);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_option_set_no_http_messaging(option, 1); /* lets us send what is wrong */
    assert_int_equal(nghttp2_session_client_new2(&client->session, callbacks, client, option), 0);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
    assert_int_equal(nghttp2_submit_settings(client->session, NGHTTP2_FLAG_NONE, NULL, 0), 0);
}

static void close_client(void)
{
    nghttp2_session_del(client->session);
    for (size_t i = 0; i < GW_ARRAY_LEN(client->streams); i++) {
        gw_buf_fini(&client->streams[i].body);
        gw_buf_fini(&client->streams[i].fields);
    }
    gw_buf_fini(&client->unsent);
    gw_free(client);
    client = NULL;
}

static void setup_with(struct gw_server_limits limits)
{
    test = gw_alloc(sizeof(*test));
    gw_test_init(test, &limits);
    gw_test_connect(test);
    open_client();
}

static int setup(void **state)
{
    (void)state;
    setup_with(gw_test_limits());
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    close_client();
    gw_test_fini(test);
    gw_free(test);
    test = NULL;
    return 0;
}

static void restart(struct gw_server_limits limits)
{
    (void)teardown(NULL);
    setup_with(limits);
}

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

static void run_scenario(size_t cut, size_t step)
{
    (void)setup(NULL);
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

/* ---- what is refused ---- */

static void expect_protocol_error(const char *method, const char *const more[])
{
    int32_t id = submit(method, "/plain", more, gw_str(NULL, 0), false);
    flush();
    assert_int_equal(wait_stream(id)->error_code, NGHTTP2_PROTOCOL_ERROR);
}

static void test_malformed_heads(void **state)
{
    (void)state;
    static const char *const host[] = {"host", "other", NULL};
    static const char *const te[] = {"te", "gzip", NULL};
    static const char *const connection[] = {"connection", "close", NULL};
    static const char *const encoding[] = {"transfer-encoding", "chunked", NULL};
    static const char *const pseudo[] = {":status", "200", NULL};
    static const char *const twice[] = {":path", "/other", NULL};
    static const char *const length[] = {"content-length", "x", NULL};
    static const char *const value[] = {"x-bad", "a\x01", NULL};
    expect_protocol_error("GET", host);
    expect_protocol_error("GET", te);
    expect_protocol_error("GET", connection);
    expect_protocol_error("GET", encoding);
    expect_protocol_error("GET", pseudo);
    expect_protocol_error("GET", twice);
    expect_protocol_error("GET", length);
    int32_t id = submit("GET", "/plain", value, gw_str(NULL, 0), false);
    flush();
    assert_true(wait_stream(id)->error_code != NGHTTP2_NO_ERROR);
    static const char *const same[] = {"host", "A", "te", "trailers", NULL};
    id = submit("GET", "/plain", same, gw_str(NULL, 0), false);
    flush();
    assert_body(wait_stream(id), "hello");
    assert_int_equal(test->pair_count, 1);
}

static void test_length_that_does_not_match(void **state)
{
    (void)state;
    static const char *const four[] = {"content-length", "4", NULL};
    int32_t id = submit("POST", "/echo", four, GW_STR("abc"), false);
    flush();
    assert_int_equal(wait_stream(id)->error_code, NGHTTP2_PROTOCOL_ERROR);
    gw_test_wait_abort(test, 0);
}

static void test_expectation_that_is_not_known(void **state)
{
    (void)state;
    static const char *const expect[] = {"expect", "coffee", NULL};
    int32_t id = submit("POST", "/echo", expect, GW_STR("abc"), false);
    flush();
    assert_int_equal(wait_stream(id)->status, 417);
    assert_body(stream_at(id), "{\"error\":417}");
}

static void test_header_too_large(void **state)
{
    (void)state;
    struct gw_server_limits limits = gw_test_limits();
    limits.max_header_bytes = 1000;
    restart(limits);
    char value[1000];
    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    const char *const more[] = {"x-large", value, NULL};
    int32_t id = submit("GET", "/plain", more, gw_str(NULL, 0), false);
    flush();
    assert_int_equal(wait_stream(id)->status, 431);
    assert_body(stream_at(id), "{\"error\":431}");
    assert_body(wait_stream(get("/plain")), "hello");
    assert_int_equal(test->pair_count, 1);
}

static void test_too_many_fields(void **state)
{
    (void)state;
    nghttp2_nv fields[260] = {nv(":method", "GET"), nv(":scheme", "http"), nv(":path", "/plain"),
                              nv(":authority", "a")};
    for (size_t i = 4; i < GW_ARRAY_LEN(fields); i++) {
        fields[i] = nv("x", "y");
    }
    int32_t id =
        nghttp2_submit_request(client->session, NULL, fields, GW_ARRAY_LEN(fields), NULL, NULL);
    flush();
    assert_int_equal(wait_stream(id)->status, 431);
}

static void test_an_identifier_that_was_jumped_over(void **state)
{
    (void)state;
    assert_int_equal(nghttp2_session_set_next_stream_id(client->session, 5), 0);
    assert_body(wait_stream(get("/plain")), "hello");
    static const char head[] = {0, 0, 4, 1, 5, 0, 0, 0, 3, '\x82', '\x84', '\x86', '\x01'};
    gw_test_send(&test->client, gw_str(head, sizeof(head)));
    gw_test_wait_end(&test->client);
    assert_int_equal(client->goaways, 1);
    assert_int_equal(client->goaway_error, NGHTTP2_PROTOCOL_ERROR);
}

/* ---- floods ---- */

static void expect_calm(void)
{
    gw_test_wait_end(&test->client);
    assert_true(atomic_load(&gw_server_counters(test->server)->protocol_errors_total) > 0);
    gw_test_hang_up(&test->client);
    gw_test_wait_closed(test);
}

static void test_rapid_reset(void **state)
{
    (void)state;
    flush();
    client->keeps_unsent = true;
    for (int i = 0; i < 1500 && !test->client.saw_eof && !test->client.saw_reset; i++) {
        char high = (char)((1 + 2 * i) >> 8);
        char low = (char)(1 + 2 * i);
        /* GET, http, authority "a", path "/held", by HPACK's static table. */
        const char bytes[] = {0, 0,   12, 1, 5,    0,   0,   high, low, '\x82', '\x86', 1,
                              1, 'a', 4,  5, '/',  'h', 'e', 'l',  'd', 0,      0,      4,
                              3, 0,   0,  0, high, low, 0,   0,    0,   8};
        gw_test_send(&test->client, gw_str(bytes, sizeof(bytes)));
        gw_test_settle(test);
    }
    expect_calm();
    assert_true(test->pair_count >= 1000 && test->pair_count < 1400);
    for (size_t i = 0; i < test->pair_count; i++) {
        assert_int_equal(test->pairs[i].aborts, 1);
    }
}

static void test_settings_flood(void **state)
{
    (void)state;
    flush();
    client->keeps_unsent = true; /* it would complain of so many answers */
    static const char settings[] = {0, 0, 0, 4, 0, 0, 0, 0, 0};
    for (int i = 0; i < 5000 && !test->client.saw_eof; i++) {
        gw_test_send(&test->client, gw_str(settings, sizeof(settings)));
    }
    expect_calm();
}

static void test_empty_data_flood(void **state)
{
    (void)state;
    int32_t id = submit("POST", "/read", NULL, GW_STR(""), true);
    flush();
    gw_test_wait_pairs(test, 1);
    char data[] = {0, 0, 0, 0, 0, 0, 0, 0, (char)id};
    for (int i = 0; i < 5000 && !test->client.saw_eof; i++) {
        gw_test_send(&test->client, gw_str(data, sizeof(data)));
    }
    expect_calm();
    assert_int_equal(test->pairs[0].aborts, 1);
}

static void test_ping_flood_of_a_client_that_does_not_read(void **state)
{
    (void)state;
    flush();
    gw_test_settle(test);
    gw_test_client_set_reading(&test->client, false);
    static const char ping[17] = {0, 0, 8, 6};
    uint64_t sent_before = test->sent_bytes;
    for (int i = 0; i < 200000; i++) {
        ssize_t n = send(test->client.fd, ping, sizeof(ping), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0) {
            gw_test_settle(test);
            n = send(test->client.fd, ping, sizeof(ping), MSG_NOSIGNAL | MSG_DONTWAIT);
        }
        if (n != sizeof(ping)) {
            break;
        }
        test->sent_bytes += (uint64_t)n;
    }
    /* Either the server stopped reading or it closed; it did not take all. */
    assert_true(test->sent_bytes - sent_before < 200000 * sizeof(ping));
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
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_every_split),
        LIVE(test_upload_waits_for_reading),
        LIVE(test_forgotten_bodies_give_the_window_back),
        LIVE(test_reading_stopped_by_the_callback),
        LIVE(test_download_with_back_pressure),
        LIVE(test_many_downloads_at_once),
        LIVE(test_each_chunk_leaves_at_once),
        LIVE(test_continue),
        LIVE(test_a_body_nobody_reads_is_cut),
        LIVE(test_reset_by_the_client),
        LIVE(test_abort_and_cut),
        LIVE(test_the_end_comes_after_the_stream),
        LIVE(test_client_gone),
        LIVE(test_destroy_tells_open_pairs),
        LIVE(test_malformed_heads),
        LIVE(test_length_that_does_not_match),
        LIVE(test_expectation_that_is_not_known),
        LIVE(test_header_too_large),
        LIVE(test_too_many_fields),
        LIVE(test_an_identifier_that_was_jumped_over),
        LIVE(test_rapid_reset),
        LIVE(test_settings_flood),
        LIVE(test_empty_data_flood),
        LIVE(test_ping_flood_of_a_client_that_does_not_read),
        LIVE(test_slow_body),
        LIVE(test_a_reader_that_does_not_read),
        LIVE(test_a_stream_without_window),
        LIVE(test_idle),
        LIVE(test_drain),
        LIVE(test_drain_of_an_idle_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
