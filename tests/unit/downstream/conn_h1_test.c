/* SPDX-License-Identifier: MIT */
/*
 * What a client gets for what it sends, byte for byte: each flow whole, split at every position,
 * and one byte at a time.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "harness.h"

#define PLAIN_HEAD(more)                                                                           \
    "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ndate: X\r\nserver: gatewire\r\n" more "\r\n"
#define PLAIN        PLAIN_HEAD("content-length: 5\r\n") "hello"
#define PLAIN_CLOSE  PLAIN_HEAD("content-length: 5\r\nconnection: close\r\n") "hello"
#define CHUNKED_HEAD PLAIN_HEAD("transfer-encoding: chunked\r\n")
#define CHUNKED      CHUNKED_HEAD "3\r\none\r\n14\r\nand twenty-two bytes\r\n1\r\n!\r\n0\r\n\r\n"
#define REFUSED(line, code)                                                                        \
    "HTTP/1.1 " line "\r\ncontent-type: application/json\r\ndate: X\r\nserver: gatewire\r\n"       \
    "content-length: 13\r\nconnection: close\r\n\r\n{\"error\":" code "}"
#define ECHOED(length, text) PLAIN_HEAD("content-length: " length "\r\n") text

struct flow {
    const char *name;
    const char *sent;
    const char *received;
    bool stays_open;
};

static const struct flow flows[] = {
    {"get", "GET /plain HTTP/1.1\r\nHost: a\r\n\r\n", PLAIN, true},
    {"get, empty line before", "\r\nGET /plain HTTP/1.1\r\nHost: a\r\n\r\n", PLAIN, true},
    {"get of unknown length", "GET /chunked HTTP/1.1\r\nHost: a\r\n\r\n", CHUNKED, true},
    {"three in a row",
     "GET /plain HTTP/1.1\r\nHost: a\r\n\r\nGET /chunked HTTP/1.1\r\nHost: a\r\n\r\n"
     "GET /plain HTTP/1.1\r\nHost: a\r\n\r\n",
     PLAIN CHUNKED PLAIN, true},
    {"close asked for", "GET /plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", PLAIN_CLOSE,
     false},
    {"close by the handler", "GET /close HTTP/1.1\r\nHost: a\r\n\r\n", PLAIN_CLOSE, false},
    {"close, then more that is not served",
     "GET /plain HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /plain HTTP/1.1\r\nHost: "
     "a\r\n\r\n",
     PLAIN_CLOSE, false},
    {"HTTP/1.0", "GET /plain HTTP/1.0\r\n\r\n", PLAIN_CLOSE, false},
    {"HTTP/1.0 keep-alive", "GET /plain HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
     PLAIN_HEAD("content-length: 5\r\nconnection: keep-alive\r\n") "hello", true},
    {"HTTP/1.0, unknown length", "GET /chunked HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
     PLAIN_HEAD("connection: close\r\n") "oneand twenty-two bytes!", false},
    {"head", "HEAD /plain HTTP/1.1\r\nHost: a\r\n\r\nGET /plain HTTP/1.1\r\nHost: a\r\n\r\n",
     PLAIN_HEAD("content-length: 5\r\n") PLAIN, true},
    {"head of unknown length",
     "HEAD /chunked HTTP/1.1\r\nHost: a\r\n\r\nGET /plain HTTP/1.1\r\nHost: a\r\n\r\n",
     CHUNKED_HEAD PLAIN, true},
    {"204", "GET /empty HTTP/1.1\r\nHost: a\r\n\r\nGET /plain HTTP/1.1\r\nHost: a\r\n\r\n",
     "HTTP/1.1 204 No Content\r\ncontent-type: text/plain\r\ndate: X\r\nserver: "
     "gatewire\r\n\r\n" PLAIN,
     true},
    {"304", "GET /not HTTP/1.1\r\nHost: a\r\n\r\nGET /plain HTTP/1.1\r\nHost: a\r\n\r\n",
     "HTTP/1.1 304 Not Modified\r\ncontent-type: text/plain\r\ndate: X\r\nserver: "
     "gatewire\r\n\r\n" PLAIN,
     true},
    {"no bytes", "GET /none HTTP/1.1\r\nHost: a\r\n\r\n", ECHOED("0", ""), true},
    {"echo", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nsome body",
     ECHOED("9", "some body"), true},
    {"echo of nothing", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
     ECHOED("0", ""), true},
    {"echo without a body", "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n", ECHOED("0", ""), true},
    {"echo, chunked",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
     "4\r\nsome\r\n5;x=y\r\n body\r\n0\r\nX-Sum: t\r\n\r\n",
     ECHOED("9", "some body"), true},
    {"echo twice",
     "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n",
     ECHOED("3", "abc") ECHOED("2", "de"), true},
    {"a body nobody reads",
     "POST /ignore HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nsome body"
     "GET /plain HTTP/1.1\r\nHost: a\r\n\r\n",
     PLAIN PLAIN, true},
    {"a chunked body nobody reads",
     "POST /ignore HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nsome\r\n0\r\n\r\n"
     "GET /plain HTTP/1.1\r\nHost: a\r\n\r\n",
     PLAIN PLAIN, true},
    {"an answer in the middle of the body",
     "POST /answer-in-body HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nsome body"
     "GET /plain HTTP/1.1\r\nHost: a\r\n\r\n",
     PLAIN PLAIN, true},
    {"continue",
     "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
     ECHOED("0", ""), true},
    {"another expectation",
     "POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\nContent-Length: 3\r\n\r\nabc",
     REFUSED("417 Expectation Failed", "417"), false},
    {"evil response fields", "GET /evil HTTP/1.1\r\nHost: a\r\n\r\n",
     "HTTP/1.1 200 OK\r\nx-good: yes\r\nserver: other\r\ndate: X\r\ncontent-length: 2\r\n\r\nok",
     true},
    {"aborted before the answer", "GET /abort HTTP/1.1\r\nHost: a\r\n\r\n", "", false},
    {"aborted in the answer", "GET /cut HTTP/1.1\r\nHost: a\r\n\r\n", CHUNKED_HEAD "4\r\npart\r\n",
     false},
    {"less than announced", "GET /cut-fixed HTTP/1.1\r\nHost: a\r\n\r\n",
     PLAIN_HEAD("content-length: 10\r\n") "12345", false},
    {"aborted while reading", "POST /full HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", "",
     false},
    {"no HTTP", "hello there\r\n\r\n", REFUSED("400 Bad Request", "400"), false},
    {"nearly HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\rX",
     REFUSED("505 HTTP Version Not Supported", "505"), false},
    {"another version", "GET / HTTP/3.0\r\n\r\n", REFUSED("505 HTTP Version Not Supported", "505"),
     false},
    {"no host", "GET / HTTP/1.1\r\n\r\n", REFUSED("400 Bad Request", "400"), false},
    {"smuggling",
     "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: "
     "chunked\r\n\r\n0\r\n\r\n",
     REFUSED("400 Bad Request", "400"), false},
    {"a good one, then a bad one", "GET /plain HTTP/1.1\r\nHost: a\r\n\r\nbad\r\n\r\n",
     PLAIN REFUSED("400 Bad Request", "400"), false},
    {"a bad chunk", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
     REFUSED("400 Bad Request", "400"), false},
    {"a bad chunk of a body nobody reads",
     "POST /ignore HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", PLAIN, false},
};

/* Bodies of HTTP/1.0 answers that end by closing are cut with an RST only when they are incomplete.
 */
static void check_end(struct gw_test *test, const struct flow *flow)
{
    if (flow->stays_open) {
        gw_test_settle(test);
        if (gw_server_connection_count(test->server) != 1 || test->client.saw_eof) {
            fail_msg("flow \"%s\" did not stay open", flow->name);
        }
        gw_test_hang_up(&test->client);
    } else {
        gw_test_wait_end(&test->client);
        if (!test->client.saw_eof) {
            fail_msg("flow \"%s\" ended with a reset", flow->name);
        }
        gw_test_hang_up(&test->client);
    }
    gw_test_wait_closed(test);
}

/* Sends the flow in pieces that end at |cut| and then every |step| bytes. */
static void run_flow(const struct flow *flow, size_t cut, size_t step)
{
    struct gw_test *test = gw_alloc(sizeof(*test));
    struct gw_server_limits limits = gw_test_limits();
    gw_test_init(test, &limits);
    gw_test_connect(test);
    struct gw_str rest = gw_str_from_c(flow->sent);
    size_t piece = cut;
    while (rest.len > 0) {
        size_t len = piece < rest.len ? piece : rest.len;
        gw_test_send(&test->client, gw_str(rest.ptr, len));
        gw_test_wait_received(test);
        rest = gw_str_skip(rest, len);
        piece = step;
    }
    struct gw_str expected = gw_str_from_c(flow->received);
    /* Dates are longer on the wire than here. */
    size_t dates = 0;
    for (const char *at = flow->received; (at = strstr(at, "date: X")) != NULL; at++) {
        dates++;
    }
    gw_test_wait_bytes(&test->client, expected.len + dates * 28);
    check_end(test, flow);
    struct gw_str received = gw_test_received(&test->client);
    if (!gw_str_eq(received, expected)) {
        (void)fprintf(stderr, "flow \"%s\", cut %zu, step %zu\n", flow->name, cut, step);
        assert_string_equal(received.ptr, expected.ptr);
    }
    gw_test_fini(test);
    gw_free(test);
}

static void test_flows_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_ARRAY_LEN(flows); i++) {
        run_flow(&flows[i], SIZE_MAX, SIZE_MAX);
    }
}

static void test_flows_byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_ARRAY_LEN(flows); i++) {
        run_flow(&flows[i], 1, 1);
    }
}

static void test_flows_at_every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_ARRAY_LEN(flows); i++) {
        size_t len = strlen(flows[i].sent);
        for (size_t cut = 1; cut < len; cut++) {
            run_flow(&flows[i], cut, SIZE_MAX);
        }
    }
}

/* Each allocation fails once: every pair ends, nothing crashes, nothing leaks. */
static void test_flows_without_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_ARRAY_LEN(flows); i++) {
        for (uint64_t nth = 1; nth <= 12; nth++) {
            struct gw_test *test = gw_alloc(sizeof(*test));
            struct gw_server_limits limits = gw_test_limits();
            gw_test_init(test, &limits);
            test->may_lack_memory = true;
            gw_test_connect(test);
            gw_test_settle(test);
            gw_alloc_fail_at(nth);
            gw_test_send(&test->client, gw_str_from_c(flows[i].sent));
            gw_test_settle(test);
            gw_alloc_fail_at(0);
            gw_test_hang_up(&test->client);
            gw_test_wait_closed(test);
            gw_test_fini(test);
            gw_free(test);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flows_whole),
        cmocka_unit_test(test_flows_byte_by_byte),
        cmocka_unit_test(test_flows_at_every_split),
        cmocka_unit_test(test_flows_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
