/* SPDX-License-Identifier: MIT */
/* What happens to an HTTP/1 connection in time: slow and vanishing clients, back-pressure, limits,
 * drain. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "harness.h"

#define KEPT      65536 /* max_header_bytes of the tests */
#define ONE_READ  65536
#define PIPELINED 600
#define FEW_MS    40

static struct gw_test *test;

static void setup_with(struct gw_server_limits limits)
{
    test = gw_alloc(sizeof(*test));
    gw_test_init(test, &limits);
    gw_test_connect(test);
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
    if (test != NULL) {
        gw_test_fini(test);
        gw_free(test);
        test = NULL;
    }
    return 0;
}

static void restart(struct gw_server_limits limits)
{
    (void)teardown(NULL);
    setup_with(limits);
}

static void send_text(const char *text)
{
    gw_test_send(&test->client, gw_str_from_c(text));
}

static bool has_received(const char *text)
{
    struct gw_str all = gw_test_received(&test->client);
    return gw_str_find(all, gw_str_from_c(text)) < all.len;
}

static uint64_t counter(_Atomic uint64_t const *value)
{
    return atomic_load(value);
}

static bool is_sent(void *user)
{
    struct gw_str *wanted = user;
    struct gw_str all = gw_buf_str(&test->client.received);
    return gw_str_find(all, *wanted) < all.len || test->client.saw_eof;
}

static void wait_text(const char *text)
{
    struct gw_str wanted = gw_str_from_c(text);
    gw_test_wait(test, is_sent, &wanted);
    assert_true(has_received(text));
}

/* ---- the request's body ---- */

/* Sends zeros until the socket takes no more: the server does not read. Returns how many. */
static size_t send_until_stopped(void)
{
    static const char zeros[4096];
    size_t total = 0;
    for (bool is_moving = true; is_moving;) {
        is_moving = false;
        ssize_t n = 0;
        while ((n = send(test->client.fd, zeros, sizeof(zeros), MSG_NOSIGNAL | MSG_DONTWAIT)) > 0) {
            total += (size_t)n;
            is_moving = true;
        }
        gw_test_settle(test);
    }
    test->sent_bytes += total;
    return total;
}

static void test_body_waits_for_reading(void **state)
{
    (void)state;
    send_text("POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 4000000\r\n\r\n");
    gw_test_wait_pairs(test, 1);
    struct gw_test_pair *pair = &test->pairs[0];
    uint64_t head_bytes = test->sent_bytes;
    (void)send_until_stopped();
    const struct gw_server_counters *counters = gw_server_counters(test->server);
    assert_true(counter(&counters->received_bytes_total) <= head_bytes + 2 * ONE_READ);
    assert_int_equal(pair->body_calls, 0);

    gw_downstream_read_body(pair->pair, true);
    assert_int_equal(pair->body_calls, 0); /* never from inside the call */
    size_t left = 4000000 - (size_t)(test->sent_bytes - head_bytes);
    char *rest = gw_zalloc(left);
    gw_test_send(&test->client, gw_str(rest, left));
    gw_free(rest);
    wait_text("HTTP/1.1 200 OK\r\n");
    assert_int_equal(pair->body.len, 4000000);
    assert_int_equal(pair->body_ends, 1);
    gw_test_wait_bytes(&test->client, 4000000);
}

static void test_reading_stopped_by_the_callback(void **state)
{
    (void)state;
    send_text("POST /stop HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
              "3\r\nabc\r\n3\r\ndef\r\n3\r\nghi\r\n0\r\n\r\n");
    gw_test_wait_pairs(test, 1);
    gw_test_settle(test);
    struct gw_test_pair *pair = &test->pairs[0];
    assert_int_equal(pair->body.len, 3);
    gw_downstream_read_body(pair->pair, true);
    gw_test_settle(test);
    assert_true(gw_str_eq(gw_buf_str(&pair->body), GW_STR("abcdefghi")));
    assert_int_equal(pair->body_ends, 0); /* the second piece switched it off again */
    gw_downstream_read_body(pair->pair, true);
    gw_test_settle(test);
    assert_int_equal(pair->body_ends, 1);
    gw_test_answer_plain(pair);
    wait_text("hello");
}

static void test_continue_is_sent_when_the_body_is_wanted(void **state)
{
    (void)state;
    send_text(
        "POST /late HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    gw_test_wait_pairs(test, 1);
    gw_test_settle(test);
    assert_int_equal(test->client.received.len, 0);
    gw_downstream_read_body(test->pairs[0].pair, true);
    wait_text("HTTP/1.1 100 Continue\r\n\r\n");
    gw_downstream_read_body(test->pairs[0].pair, false);
    gw_downstream_read_body(test->pairs[0].pair, true);
    send_text("abc");
    wait_text("abc");
    assert_true(gw_str_has_prefix(gw_test_received(&test->client),
                                  GW_STR("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")));
    send_text("GET /plain HTTP/1.1\r\nHost: a\r\n\r\n");
    wait_text("hello");
}

static void test_no_continue_behind_the_answer(void **state)
{
    (void)state;
    send_text(
        "POST /ignore HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    gw_test_wait_end(&test->client);
    assert_false(has_received("100 Continue"));
    assert_true(has_received("connection: close\r\n"));
    assert_true(test->client.saw_eof);
}

static void test_a_large_body_nobody_reads(void **state)
{
    (void)state;
    /* The answer arrives, without a reset, though the client goes on sending. */
    send_text("POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n");
    char *body = gw_zalloc(900000);
    gw_test_send(&test->client, gw_str(body, 900000));
    gw_free(body);
    gw_test_wait_end(&test->client);
    assert_true(test->client.saw_eof);
    assert_true(has_received("connection: close\r\n"));
    assert_true(has_received("hello"));
}

static void test_a_large_chunked_body_nobody_reads(void **state)
{
    (void)state;
    send_text("POST /ignore HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nf0000\r\n");
    char *body = gw_zalloc(0xf0000);
    gw_test_send(&test->client, gw_str(body, 0xf0000));
    gw_free(body);
    gw_test_wait_end(&test->client);
    assert_true(test->client.saw_eof);
    assert_true(has_received("hello"));
}

/* ---- time ---- */

static void test_slow_head(void **state)
{
    (void)state;
    send_text("GET /plain HTTP/1.1\r\nHo");
    gw_test_wait_received(test);
    /* Only now, or a slow machine might not get this far in time. */
    struct gw_server_limits limits = gw_test_limits();
    limits.header_timeout_ms = FEW_MS;
    gw_server_set_limits(test->server, &limits);
    send_text("s");
    gw_test_wait_end(&test->client);
    assert_true(has_received("HTTP/1.1 408 Request Timeout\r\n"));
    assert_true(has_received("{\"error\":408}"));
    assert_int_equal(counter(&gw_server_counters(test->server)->timeouts_total), 1);
}

static void test_silent_connection(void **state)
{
    (void)state;
    struct gw_server_limits limits = gw_test_limits();
    limits.header_timeout_ms = FEW_MS;
    restart(limits);
    gw_test_wait_end(&test->client);
    assert_int_equal(test->client.received.len, 0);
    gw_test_wait_closed(test);
    assert_int_equal(test->closed_calls, 1);
}

static void test_slow_body(void **state)
{
    (void)state;
    struct gw_server_limits limits = gw_test_limits();
    limits.body_timeout_ms = FEW_MS;
    restart(limits);
    send_text("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nsome");
    gw_test_wait_abort(test, 0);
    assert_int_equal(test->pairs[0].abort_err, GW_ERR_TIMEOUT);
    gw_test_wait_end(&test->client);
    assert_true(has_received("HTTP/1.1 408 Request Timeout\r\n"));
}

static void test_slow_body_behind_the_answer(void **state)
{
    (void)state;
    struct gw_server_limits limits = gw_test_limits();
    limits.body_timeout_ms = FEW_MS;
    restart(limits);
    send_text("POST /twoway HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nsome");
    gw_test_wait_abort(test, 0);
    assert_int_equal(test->pairs[0].abort_err, GW_ERR_TIMEOUT);
    gw_test_wait_end(&test->client);
    assert_true(has_received("4\r\nsome\r\n"));
    assert_false(has_received("408"));
    assert_false(has_received("0\r\n\r\n"));
}

static void test_a_body_that_is_not_wanted_has_time(void **state)
{
    (void)state;
    struct gw_server_limits limits = gw_test_limits();
    limits.body_timeout_ms = FEW_MS / 2;
    limits.idle_timeout_ms = FEW_MS;
    restart(limits);
    send_text("POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n");
    gw_test_wait_pairs(test, 1);
    /* A second connection runs into its idle timeout: time has passed. */
    struct gw_test_client other;
    gw_test_connect_client(test, &other);
    gw_test_send(&other, GW_STR("GET /plain HTTP/1.1\r\nHost: a\r\n\r\n"));
    gw_test_wait_end(&other);
    gw_test_hang_up(&other);
    gw_buf_fini(&other.received);
    assert_int_equal(test->pairs[0].aborts, 0);
    limits.body_timeout_ms = 60000;
    gw_server_set_limits(test->server, &limits);
    send_text("abc");
    gw_downstream_read_body(test->pairs[0].pair, true);
    wait_text("abc");
}

static void test_idle(void **state)
{
    (void)state;
    struct gw_server_limits limits = gw_test_limits();
    limits.idle_timeout_ms = FEW_MS;
    restart(limits);
    send_text("GET /plain HTTP/1.1\r\nHost: a\r\n\r\n");
    gw_test_wait_end(&test->client);
    assert_true(test->client.saw_eof);
    assert_true(has_received("hello"));
    assert_false(has_received("408"));
    assert_int_equal(counter(&gw_server_counters(test->server)->timeouts_total), 0);
}

static void test_a_reader_that_does_not_read(void **state)
{
    (void)state;
    struct gw_server_limits limits = gw_test_limits();
    limits.write_timeout_ms = FEW_MS;
    restart(limits);
    gw_test_client_set_reading(&test->client, false);
    send_text("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    gw_test_wait_abort(test, 0);
    assert_int_equal(test->pairs[0].abort_err, GW_ERR_TIMEOUT);
    assert_true(test->pairs[0].left_bytes > 0);
    gw_test_wait_closed(test);
    assert_int_equal(counter(&gw_server_counters(test->server)->timeouts_total), 1);
}

static void test_back_pressure(void **state)
{
    (void)state;
    gw_test_client_set_reading(&test->client, false);
    send_text("GET /big HTTP/1.1\r\nHost: a\r\n\r\nGET /plain HTTP/1.1\r\nHost: a\r\n\r\n");
    gw_test_wait_pairs(test, 1);
    gw_test_settle(test);
    struct gw_test_pair *pair = &test->pairs[0];
    assert_true(pair->left_bytes > 0);
    assert_false(gw_downstream_can_write(pair->pair));
    gw_test_client_set_reading(&test->client, true);
    wait_text("hello");
    assert_true(pair->writable_calls > 0);
    struct gw_str all = gw_test_received(&test->client);
    size_t at = gw_str_find(all, GW_STR("\r\n\r\n")) + 4;
    for (size_t i = 0; i < 1000000; i++) {
        assert_true(all.ptr[at + i] == (char)('a' + (1000000 - i) % 26));
    }
}

/* ---- pipelining ---- */

static void test_many_pipelined_requests(void **state)
{
    (void)state;
    gw_test_client_set_reading(&test->client, false);
    struct gw_buf all;
    gw_buf_init(&all, 1024 * 1024);
    for (int i = 0; i < PIPELINED; i++) {
        (void)gw_buf_append(&all, GW_STR("GET /chunked HTTP/1.1\r\nHost: a\r\n\r\n"));
    }
    gw_test_send(&test->client, gw_buf_str(&all));
    gw_buf_fini(&all);
    gw_test_settle(test);
    gw_test_client_set_reading(&test->client, true);
    gw_test_wait_pairs(test, PIPELINED);
    gw_test_settle(test);
    size_t ends = 0;
    struct gw_str rest = gw_test_received(&test->client);
    for (;;) {
        size_t at = gw_str_find(rest, GW_STR("!\r\n0\r\n\r\n"));
        if (at == rest.len) {
            break;
        }
        ends++;
        rest = gw_str_skip(rest, at + 8);
    }
    assert_int_equal(ends, PIPELINED);
}

static void test_pipelined_bytes_are_bounded(void **state)
{
    (void)state;
    send_text("GET /held HTTP/1.1\r\nHost: a\r\n\r\n");
    gw_test_wait_pairs(test, 1);
    (void)send_until_stopped();
    const struct gw_server_counters *counters = gw_server_counters(test->server);
    assert_true(counter(&counters->received_bytes_total) <= KEPT + 2 * ONE_READ);
    gw_test_answer_plain(&test->pairs[0]);
    wait_text("HTTP/1.1 400 Bad Request"); /* zeros are no request */
}

/* ---- clients that go ---- */

static void test_gone_in_the_head(void **state)
{
    (void)state;
    send_text("GET /plain HT");
    gw_test_wait_received(test);
    gw_test_hang_up(&test->client);
    gw_test_wait_closed(test);
    assert_int_equal(test->pair_count, 0);
}

static void test_gone_in_the_body(void **state)
{
    (void)state;
    send_text("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nsome");
    gw_test_wait_pairs(test, 1);
    gw_test_hang_up(&test->client);
    gw_test_wait_abort(test, 0);
    assert_int_equal(test->pairs[0].abort_err, GW_ERR_EOF);
    gw_test_wait_closed(test);
}

static void test_gone_before_the_body_is_wanted(void **state)
{
    (void)state;
    send_text("POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n");
    gw_test_wait_pairs(test, 1);
    gw_test_hang_up(&test->client);
    gw_test_wait_abort(test, 0);
    assert_int_equal(test->pairs[0].abort_err, GW_ERR_EOF);
}

static void test_gone_while_the_handler_works(void **state)
{
    (void)state;
    send_text("GET /held HTTP/1.1\r\nHost: a\r\n\r\n");
    gw_test_wait_pairs(test, 1);
    gw_test_hang_up(&test->client);
    gw_test_wait_abort(test, 0);
    gw_test_wait_closed(test);
}

static void test_gone_with_pipelined_bytes(void **state)
{
    (void)state;
    send_text("GET /held HTTP/1.1\r\nHost: a\r\n\r\nGET /held HTTP/1.1\r\nHost: a\r\n\r\nGET /h");
    gw_test_wait_pairs(test, 1);
    gw_test_hang_up(&test->client);
    gw_test_wait_abort(test, 0);
    gw_test_wait_closed(test);
    assert_int_equal(test->pair_count, 1);
}

static void test_half_closed_counts_as_gone(void **state)
{
    (void)state;
    send_text("GET /held HTTP/1.1\r\nHost: a\r\n\r\n");
    gw_test_wait_pairs(test, 1);
    assert_int_equal(shutdown(test->client.fd, SHUT_WR), 0);
    gw_test_wait_abort(test, 0);
}

static void test_gone_in_a_stream(void **state)
{
    (void)state;
    send_text("GET /held HTTP/1.1\r\nHost: a\r\n\r\n");
    gw_test_wait_pairs(test, 1);
    gw_test_begin(&test->pairs[0]);
    gw_test_write(&test->pairs[0], GW_STR("first"));
    wait_text("5\r\nfirst\r\n");
    gw_test_hang_up(&test->client);
    gw_test_wait_abort(test, 0);
    gw_test_wait_closed(test);
}

static void test_gone_with_a_full_queue(void **state)
{
    (void)state;
    gw_test_client_set_reading(&test->client, false);
    send_text("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    gw_test_wait_pairs(test, 1);
    gw_test_settle(test);
    gw_test_hang_up(&test->client);
    gw_test_wait_abort(test, 0);
    gw_test_wait_closed(test);
}

/* ---- streams ---- */

/* The rest of a body does not come: GW_CONN_REST_MS later the connection is shut, and
 * GW_CONN_LINGER_MS later gone, whatever the client does. */
static void test_the_rest_of_a_body_is_not_waited_for_long(void **state)
{
    (void)state;
    send_text("POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nsome");
    wait_text("hello");
    assert_false(has_received("connection: close"));
    gw_test_wait_end(&test->client);
    assert_true(test->client.saw_eof);
    assert_int_equal(gw_server_connection_count(test->server), 1);
    gw_test_wait_closed(test);
}

static void test_each_chunk_leaves_at_once(void **state)
{
    (void)state;
    send_text("GET /held HTTP/1.1\r\nHost: a\r\n\r\n");
    gw_test_wait_pairs(test, 1);
    gw_test_begin(&test->pairs[0]);
    wait_text("transfer-encoding: chunked\r\n\r\n");
    gw_test_write(&test->pairs[0], GW_STR("first"));
    wait_text("5\r\nfirst\r\n");
    char *large = gw_zalloc(300000);
    gw_test_write(&test->pairs[0], gw_str(large, 300000)); /* not copied where it goes at once */
    gw_free(large);
    gw_test_write(&test->pairs[0], GW_STR("last"));
    gw_test_end(&test->pairs[0]);
    wait_text("4\r\nlast\r\n0\r\n\r\n");
    assert_true(has_received("493e0\r\n"));
    assert_true(test->client.received.len > 300000);
}

/* ---- limits, drain, end ---- */

static void test_header_too_large(void **state)
{
    (void)state;
    struct gw_server_limits limits = gw_test_limits();
    limits.max_header_bytes = 1000;
    restart(limits);
    send_text("GET /plain HTTP/1.1\r\nHost: a\r\nX: ");
    char value[2000];
    memset(value, 'v', sizeof(value));
    gw_test_send(&test->client, gw_str(value, sizeof(value)));
    gw_test_wait_end(&test->client);
    assert_true(has_received("HTTP/1.1 431 Request Header Fields Too Large\r\n"));
    assert_int_equal(counter(&gw_server_counters(test->server)->protocol_errors_total), 1);
}

static void test_drain_lets_requests_finish(void **state)
{
    (void)state;
    send_text("GET /held HTTP/1.1\r\nHost: a\r\n\r\nGET /plain HTTP/1.1\r\nHost: a\r\n\r\n");
    gw_test_wait_pairs(test, 1);
    gw_server_drain(test->server);
    gw_test_settle(test);
    gw_test_answer_plain(&test->pairs[0]);
    gw_test_wait_end(&test->client);
    assert_true(test->client.saw_eof);
    assert_true(has_received("connection: close\r\n\r\nhello"));
    gw_test_hang_up(&test->client);
    gw_test_wait_closed(test);
    assert_int_equal(test->pair_count, 1);
}

static void test_drain_ends_idle_connections(void **state)
{
    (void)state;
    send_text("GET /plain HTTP/1.1\r\nHost: a\r\n\r\n");
    wait_text("hello");
    gw_server_drain(test->server);
    gw_test_wait_closed(test);
}

static void test_drain_serves_what_was_accepted(void **state)
{
    (void)state;
    gw_test_settle(test);
    gw_server_drain(test->server);
    send_text("GET /plain HTTP/1.1\r\nHost: a\r\n\r\n");
    gw_test_wait_end(&test->client);
    assert_true(has_received("connection: close\r\n\r\nhello"));
}

static void test_destroy_tells_open_pairs(void **state)
{
    (void)state;
    send_text("GET /held HTTP/1.1\r\nHost: a\r\n\r\n");
    gw_test_wait_pairs(test, 1);
    gw_server_destroy(&test->server);
    assert_int_equal(test->pairs[0].abort_err, GW_ERR_CANCELLED);
}

static void test_full_server_refuses(void **state)
{
    (void)state;
    struct gw_server_limits limits = gw_test_limits();
    limits.max_connections = 1;
    restart(limits);
    struct gw_test_client other;
    gw_test_connect_client(test, &other);
    gw_test_wait_end(&other);
    gw_test_hang_up(&other);
    const struct gw_server_counters *counters = gw_server_counters(test->server);
    assert_int_equal(counter(&counters->refused_total), 1);
    assert_int_equal(counter(&counters->accepted_total), 1);
    assert_int_equal(counter(&counters->open), 1);
    gw_test_hang_up(&test->client);
    gw_test_wait_closed(test);
    assert_int_equal(test->closed_calls, 1);
    assert_int_equal(counter(&counters->open), 0);
}

/* Without memory for the queue an answer cannot go on; nothing leaks and nothing crashes. */
static void test_no_memory(void **state)
{
    (void)state;
    for (uint64_t nth = 1; nth < 12; nth++) {
        restart(gw_test_limits());
        send_text("POST /twoway HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nso");
        gw_test_wait_received(test);
        gw_alloc_fail_at(0);
        if (test->pair_count == 1 && test->pairs[0].pair != NULL) {
            char *large = gw_zalloc(100000);
            gw_test_client_set_reading(&test->client, false);
            gw_test_write(&test->pairs[0], gw_str(large, 100000));
            gw_test_write(&test->pairs[0], gw_str(large, 100000));
            gw_test_settle(test);
            gw_alloc_fail_at(nth);
            enum gw_err err = GW_OK;
            for (int i = 0; i < 12 && err == GW_OK; i++) {
                err = gw_downstream_write(test->pairs[0].pair, gw_str(large, 9000));
            }
            gw_alloc_fail_at(0);
            assert_int_equal(err, GW_ERR_NOMEM);
            gw_free(large);
            struct gw_downstream *pair = test->pairs[0].pair;
            test->pairs[0].pair = NULL;
            gw_downstream_abort(pair);
            gw_test_client_set_reading(&test->client, true);
            gw_test_wait_end(&test->client);
            assert_false(has_received("0\r\n\r\n"));
        }
    }
}

#define LIFE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIFE(test_body_waits_for_reading),
        LIFE(test_reading_stopped_by_the_callback),
        LIFE(test_continue_is_sent_when_the_body_is_wanted),
        LIFE(test_no_continue_behind_the_answer),
        LIFE(test_a_large_body_nobody_reads),
        LIFE(test_a_large_chunked_body_nobody_reads),
        LIFE(test_slow_head),
        LIFE(test_silent_connection),
        LIFE(test_slow_body),
        LIFE(test_slow_body_behind_the_answer),
        LIFE(test_a_body_that_is_not_wanted_has_time),
        LIFE(test_idle),
        LIFE(test_a_reader_that_does_not_read),
        LIFE(test_back_pressure),
        LIFE(test_many_pipelined_requests),
        LIFE(test_pipelined_bytes_are_bounded),
        LIFE(test_gone_in_the_head),
        LIFE(test_gone_in_the_body),
        LIFE(test_gone_before_the_body_is_wanted),
        LIFE(test_gone_while_the_handler_works),
        LIFE(test_gone_with_pipelined_bytes),
        LIFE(test_half_closed_counts_as_gone),
        LIFE(test_gone_in_a_stream),
        LIFE(test_gone_with_a_full_queue),
        LIFE(test_the_rest_of_a_body_is_not_waited_for_long),
        LIFE(test_each_chunk_leaves_at_once),
        LIFE(test_header_too_large),
        LIFE(test_drain_lets_requests_finish),
        LIFE(test_drain_ends_idle_connections),
        LIFE(test_drain_serves_what_was_accepted),
        LIFE(test_destroy_tells_open_pairs),
        LIFE(test_full_server_refuses),
        LIFE(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
