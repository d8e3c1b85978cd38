/* SPDX-License-Identifier: MIT */
/* tests/unit/downstream/harness - see the header. */
#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"

/* ---- the loop ---- */

static void on_bound(uv_timer_t *timer)
{
    struct gw_test *test = timer->data;
    test->expired = true;
}

void gw_test_wait(struct gw_test *test, gw_test_condition_fn *is_true, void *user)
{
    test->expired = false;
    uv_update_time(gw_loop_uv(test->loop));
    uv_timer_start(&test->bound, on_bound, 10000, 0);
    while (!is_true(user) && !test->expired) {
        uv_run(gw_loop_uv(test->loop), UV_RUN_ONCE);
        gw_loop_run_deferred(test->loop);
    }
    uv_timer_stop(&test->bound);
    if (test->expired) {
        fail_msg("the condition did not come true within ten seconds");
    }
}

void gw_test_settle(struct gw_test *test)
{
    for (int i = 0; i < 4; i++) {
        uv_run(gw_loop_uv(test->loop), UV_RUN_NOWAIT);
        gw_loop_run_deferred(test->loop);
    }
}

/* ---- the handler ---- */

static struct gw_downstream_response make_response(unsigned status, uint64_t length)
{
    static const struct gw_header type = {.name = GW_STR_INIT("content-type"),
                                          .value = GW_STR_INIT("text/plain"),
                                          .id = GW_HEADER_CONTENT_TYPE};
    return (struct gw_downstream_response){
        .status = status,
        .headers = &type,
        .header_count = 1,
        .content_length = length,
    };
}

static void abort_pair(struct gw_test_pair *pair)
{
    struct gw_downstream *ended = pair->pair;
    pair->pair = NULL;
    gw_downstream_abort(ended);
}

/* A call of the handler's has returned |err|. */
static void check(struct gw_test_pair *pair, enum gw_err err)
{
    if (err == GW_ERR_NOMEM && pair->test->may_lack_memory) {
        abort_pair(pair);
        return;
    }
    assert_int_equal(err, GW_OK);
}

static void begin(struct gw_test_pair *pair, const struct gw_downstream_response *response)
{
    if (pair->pair != NULL) {
        check(pair, gw_downstream_begin(pair->pair, response));
    }
}

static void answer(struct gw_test_pair *pair, unsigned status, struct gw_str body)
{
    struct gw_downstream_response response = make_response(status, body.len);
    begin(pair, &response);
    gw_test_write(pair, body);
    gw_test_end(pair);
}

void gw_test_answer_plain(struct gw_test_pair *pair)
{
    answer(pair, 200, GW_STR("hello"));
}

void gw_test_begin(struct gw_test_pair *pair)
{
    struct gw_downstream_response response = make_response(200, GW_LENGTH_UNKNOWN);
    begin(pair, &response);
}

void gw_test_write(struct gw_test_pair *pair, struct gw_str bytes)
{
    if (pair->pair != NULL) {
        check(pair, gw_downstream_write(pair->pair, bytes));
    }
}

void gw_test_end(struct gw_test_pair *pair)
{
    struct gw_downstream *ended = pair->pair;
    pair->pair = NULL;
    if (ended != NULL) {
        gw_downstream_end(ended);
    }
}

static void answer_chunked(struct gw_test_pair *pair)
{
    gw_test_begin(pair);
    gw_test_write(pair, GW_STR("one"));
    gw_test_write(pair, GW_STR(""));
    gw_test_write(pair, GW_STR("and twenty-two bytes"));
    gw_test_write(pair, GW_STR("!"));
    gw_test_end(pair);
}

static void answer_evil(struct gw_test_pair *pair)
{
    const struct gw_header fields[] = {
        {.name = GW_STR("x-good"), .value = GW_STR("yes")},
        {.name = GW_STR("x-split"), .value = GW_STR("a\r\nx-injected: 1")},
        {.name = GW_STR("x-nul"), .value = gw_str("a\0b", 3)},
        {.name = GW_STR("x name"), .value = GW_STR("v")},
        {.name = GW_STR("content-length"), .value = GW_STR("999"), .id = GW_HEADER_CONTENT_LENGTH},
        {.name = GW_STR("transfer-encoding"),
         .value = GW_STR("gzip"),
         .id = GW_HEADER_TRANSFER_ENCODING},
        {.name = GW_STR("connection"), .value = GW_STR("upgrade"), .id = GW_HEADER_CONNECTION},
        {.name = GW_STR("server"), .value = GW_STR("other"), .id = GW_HEADER_SERVER},
    };
    struct gw_downstream_response response = {
        .status = 200,
        .headers = fields,
        .header_count = GW_ARRAY_LEN(fields),
        .content_length = 2,
    };
    begin(pair, &response);
    gw_test_write(pair, GW_STR("ok"));
    gw_test_end(pair);
}

static void go_on_big(struct gw_test_pair *pair)
{
    char piece[10000];
    while (pair->left_bytes > 0 && pair->pair != NULL && gw_downstream_can_write(pair->pair)) {
        size_t part = pair->left_bytes < sizeof(piece) ? pair->left_bytes : sizeof(piece);
        for (size_t i = 0; i < part; i++) {
            piece[i] = (char)('a' + (pair->left_bytes - i) % 26);
        }
        gw_test_write(pair, gw_str(piece, part));
        pair->left_bytes -= part;
    }
    if (pair->left_bytes == 0) {
        gw_test_end(pair);
    }
}

static bool is_path(const struct gw_test_pair *pair, const char *path)
{
    return strcmp(pair->path, path) == 0;
}

static void on_body(void *user, struct gw_str bytes)
{
    struct gw_test_pair *pair = user;
    assert_non_null(pair->pair);
    assert_true(bytes.len > 0);
    pair->body_calls++;
    (void)gw_buf_append(&pair->body, bytes);
    if (is_path(pair, "/twoway")) {
        gw_test_write(pair, bytes);
    } else if (is_path(pair, "/full")) {
        abort_pair(pair);
    } else if (is_path(pair, "/answer-in-body")) {
        gw_test_answer_plain(pair);
    } else if (is_path(pair, "/stop")) {
        gw_downstream_read_body(pair->pair, false);
    }
}

static void on_body_end(void *user)
{
    struct gw_test_pair *pair = user;
    assert_non_null(pair->pair);
    pair->body_ends++;
    if (is_path(pair, "/echo") || is_path(pair, "/late")) {
        answer(pair, 200, gw_buf_str(&pair->body));
    } else if (is_path(pair, "/twoway")) {
        gw_test_end(pair);
    }
}

static void on_writable(void *user)
{
    struct gw_test_pair *pair = user;
    assert_non_null(pair->pair);
    pair->writable_calls++;
    if (is_path(pair, "/big")) {
        go_on_big(pair);
    }
}

static void on_abort(void *user, enum gw_err err)
{
    struct gw_test_pair *pair = user;
    assert_non_null(pair->pair);
    pair->pair = NULL;
    pair->aborts++;
    pair->abort_err = err;
}

static const struct gw_downstream_events events = {
    .on_body = on_body,
    .on_body_end = on_body_end,
    .on_writable = on_writable,
    .on_abort = on_abort,
};

static void act_at_once(struct gw_test_pair *pair)
{
    if (is_path(pair, "/plain") || is_path(pair, "/ignore")) {
        gw_test_answer_plain(pair);
    } else if (is_path(pair, "/chunked")) {
        answer_chunked(pair);
    } else if (is_path(pair, "/empty") || is_path(pair, "/not")) {
        struct gw_downstream_response response =
            make_response(is_path(pair, "/empty") ? 204 : 304, GW_LENGTH_UNKNOWN);
        begin(pair, &response);
        gw_test_write(pair, GW_STR("dropped"));
        gw_test_end(pair);
    } else if (is_path(pair, "/none")) {
        answer(pair, 200, GW_STR(""));
    } else if (is_path(pair, "/abort")) {
        abort_pair(pair);
    } else if (is_path(pair, "/cut")) {
        gw_test_begin(pair);
        gw_test_write(pair, GW_STR("part"));
        if (pair->pair != NULL) {
            abort_pair(pair);
        }
    } else if (is_path(pair, "/cut-fixed")) {
        struct gw_downstream_response response = make_response(200, 10);
        begin(pair, &response);
        gw_test_write(pair, GW_STR("12345"));
        gw_test_end(pair);
    } else if (is_path(pair, "/evil")) {
        answer_evil(pair);
    } else if (is_path(pair, "/close")) {
        struct gw_downstream_response response = make_response(200, 5);
        response.close = true;
        begin(pair, &response);
        gw_test_write(pair, GW_STR("hello"));
        gw_test_end(pair);
    }
}

static void act(struct gw_test_pair *pair)
{
    if (is_path(pair, "/twoway")) {
        gw_test_begin(pair);
        if (pair->pair == NULL) {
            return;
        }
    }
    if (is_path(pair, "/echo") || is_path(pair, "/twoway") || is_path(pair, "/full") ||
        is_path(pair, "/answer-in-body") || is_path(pair, "/stop") || is_path(pair, "/read")) {
        gw_downstream_read_body(pair->pair, true);
    } else if (is_path(pair, "/big")) {
        pair->left_bytes = 1000000;
        struct gw_downstream_response response = make_response(200, pair->left_bytes);
        begin(pair, &response);
        go_on_big(pair);
    } else {
        act_at_once(pair);
    }
}

static void on_request(void *user, struct gw_downstream *downstream)
{
    struct gw_test *test = user;
    assert_true(test->pair_count < GW_TEST_MAX_PAIRS);
    struct gw_test_pair *pair = &test->pairs[test->pair_count++];
    const struct gw_request_head *head = downstream->head;
    *pair = (struct gw_test_pair){
        .test = test,
        .pair = downstream,
        .content_length = head->content_length,
        .has_body = head->has_body,
        .expects_continue = head->expects_continue,
        .is_tls = downstream->is_tls,
    };
    gw_buf_init(&pair->body, 4 * 1024 * 1024);
    (void)snprintf(pair->path, sizeof(pair->path), GW_STR_FMT, GW_STR_ARG(head->target));
    (void)snprintf(pair->method, sizeof(pair->method), GW_STR_FMT, GW_STR_ARG(head->method_text));
    struct gw_str cookie = gw_headers_get(head->headers, head->header_count, GW_HEADER_COOKIE);
    (void)snprintf(pair->cookie, sizeof(pair->cookie), GW_STR_FMT, GW_STR_ARG(cookie));
    (void)snprintf(pair->authority, sizeof(pair->authority), GW_STR_FMT,
                   GW_STR_ARG(head->authority));
    assert_true(downstream->begun_at_ns > 0);
    downstream->events = &events;
    downstream->user = pair;
    act(pair);
}

static void on_error_body(void *user, unsigned status, const char *what, struct gw_buf *body)
{
    (void)user;
    assert_non_null(what);
    (void)gw_buf_appendf(body, "{\"error\":%u}", status);
}

static void on_connection_closed(void *user)
{
    struct gw_test *test = user;
    test->closed_calls++;
}

/* ---- life ---- */

struct gw_server_limits gw_test_limits(void)
{
    return (struct gw_server_limits){
        .max_header_bytes = 65536,
        .max_connections = 1000,
        .header_timeout_ms = 60000,
        .body_timeout_ms = 60000,
        .write_timeout_ms = 60000,
        .idle_timeout_ms = 60000,
    };
}

void gw_test_init(struct gw_test *test, const struct gw_server_limits *limits)
{
    memset(test, 0, sizeof(*test));
    gw_log_set_level(GW_LOG_ERROR);
    test->pairs = gw_zalloc(GW_TEST_MAX_PAIRS * sizeof(*test->pairs));
    test->client.fd = -1;
    test->client.is_closed = true;
    assert_int_equal(gw_loop_create(&test->loop), GW_OK);
    uv_timer_init(gw_loop_uv(test->loop), &test->bound);
    test->bound.data = test;
    test->server = gw_server_create(&(struct gw_server_opts){
        .loop = test->loop,
        .limits = *limits,
        .on_request = on_request,
        .on_error_body = on_error_body,
        .on_connection_closed = on_connection_closed,
        .user = test,
    });
}

void gw_test_fini(struct gw_test *test)
{
    gw_server_destroy(&test->server);
    if (!test->client.is_closed) {
        gw_test_hang_up(&test->client);
    }
    gw_buf_fini(&test->client.received);
    for (size_t i = 0; i < test->pair_count; i++) {
        assert_null(test->pairs[i].pair); /* each pair has ended, one way or the other */
        gw_buf_fini(&test->pairs[i].body);
    }
    gw_free(test->pairs);
    uv_close((uv_handle_t *)&test->bound, NULL);
    gw_loop_destroy(&test->loop);
}

/* ---- the client ---- */

static void on_client_poll(uv_poll_t *poll, int status, int poll_events)
{
    struct gw_test_client *client = poll->data;
    (void)status; /* recv() tells */
    (void)poll_events;
    char bytes[65536];
    ssize_t n = recv(client->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) {
        return;
    }
    if (n <= 0) {
        client->saw_eof = n == 0;
        client->saw_reset = n < 0;
        (void)uv_poll_stop(&client->poll);
        return;
    }
    (void)gw_buf_append(&client->received, gw_str(bytes, (size_t)n));
    if (client->on_bytes != NULL) {
        client->on_bytes(client, gw_str(bytes, (size_t)n));
    }
}

void gw_test_client_set_reading(struct gw_test_client *client, bool on)
{
    if (on) {
        assert_int_equal(uv_poll_start(&client->poll, UV_READABLE, on_client_poll), 0);
    } else {
        (void)uv_poll_stop(&client->poll);
    }
}

void gw_test_connect_client(struct gw_test *test, struct gw_test_client *client)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    *client = (struct gw_test_client){.test = test, .fd = fds[0]};
    gw_buf_init(&client->received, 16 * 1024 * 1024);
    assert_int_equal(uv_poll_init(gw_loop_uv(test->loop), &client->poll, client->fd), 0);
    client->poll.data = client;
    gw_test_client_set_reading(client, true);
    const struct gw_address peer = {.len = sizeof(sa_family_t), .u.any.sa_family = AF_UNIX};
    gw_server_accept(test->server, fds[1], &peer, NULL);
}

void gw_test_connect(struct gw_test *test)
{
    gw_buf_fini(&test->client.received);
    gw_test_connect_client(test, &test->client);
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct gw_test_client *client = handle->data;
    client->is_closed = true;
}

static bool is_client_closed(void *user)
{
    struct gw_test_client *client = user;
    return client->is_closed;
}

void gw_test_hang_up(struct gw_test_client *client)
{
    uv_close((uv_handle_t *)&client->poll, on_poll_closed);
    (void)close(client->fd);
    gw_test_wait(client->test, is_client_closed, client);
}

void gw_test_send(struct gw_test_client *client, struct gw_str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(client->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN) {
            return; /* the server has closed; the test looks at what came back */
        }
        if (n > 0) {
            client->test->sent_bytes += (uint64_t)n;
            bytes = gw_str_skip(bytes, (size_t)n);
        } else {
            uv_run(gw_loop_uv(client->test->loop), UV_RUN_NOWAIT);
        }
    }
}

/* ---- conditions ---- */

static bool is_received(void *user)
{
    struct gw_test *test = user;
    const struct gw_server_counters *counters = gw_server_counters(test->server);
    return atomic_load(&counters->received_bytes_total) == test->sent_bytes ||
           gw_server_connection_count(test->server) == 0 || test->client.saw_eof ||
           test->client.saw_reset;
}

void gw_test_wait_received(struct gw_test *test)
{
    gw_test_wait(test, is_received, test);
}

struct byte_count {
    struct gw_test_client *client;
    size_t count;
};

static bool has_bytes(void *user)
{
    struct byte_count *wanted = user;
    return wanted->client->received.len >= wanted->count || wanted->client->saw_eof ||
           wanted->client->saw_reset;
}

void gw_test_wait_bytes(struct gw_test_client *client, size_t count)
{
    struct byte_count wanted = {.client = client, .count = count};
    gw_test_wait(client->test, has_bytes, &wanted);
}

static bool has_ended(void *user)
{
    struct gw_test_client *client = user;
    return client->saw_eof || client->saw_reset;
}

void gw_test_wait_end(struct gw_test_client *client)
{
    gw_test_wait(client->test, has_ended, client);
}

struct pair_count {
    struct gw_test *test;
    size_t count;
};

static bool has_pairs(void *user)
{
    struct pair_count *wanted = user;
    return wanted->test->pair_count >= wanted->count;
}

void gw_test_wait_pairs(struct gw_test *test, size_t count)
{
    struct pair_count wanted = {.test = test, .count = count};
    gw_test_wait(test, has_pairs, &wanted);
}

static bool has_no_connection(void *user)
{
    struct gw_test *test = user;
    return gw_server_connection_count(test->server) == 0;
}

void gw_test_wait_closed(struct gw_test *test)
{
    gw_test_wait(test, has_no_connection, test);
}

static bool is_aborted(void *user)
{
    struct gw_test_pair *pair = user;
    return pair->aborts > 0;
}

void gw_test_wait_abort(struct gw_test *test, size_t index)
{
    gw_test_wait(test, is_aborted, &test->pairs[index]);
}

/* Replaces each date by "X". */
struct gw_str gw_test_received(struct gw_test_client *client)
{
    static struct gw_buf plain;
    gw_buf_fini(&plain);
    gw_buf_init(&plain, 16 * 1024 * 1024);
    struct gw_str rest = gw_buf_str(&client->received);
    for (;;) {
        size_t at = gw_str_find(rest, GW_STR("\r\ndate: "));
        if (at == rest.len) {
            break;
        }
        at += 8;
        (void)gw_buf_append(&plain, gw_str(rest.ptr, at));
        (void)gw_buf_append_byte(&plain, 'X');
        rest = gw_str_skip(rest, at);
        rest = gw_str_skip(rest, gw_str_find_byte(rest, '\r'));
    }
    (void)gw_buf_append(&plain, rest);
    (void)gw_buf_append_byte(&plain, '\0');
    return gw_str(plain.ptr, plain.len - 1);
}
