/* SPDX-License-Identifier: MIT */
/* What an HTTP/2 client may not do: malformed requests, limits, floods. */
#include "h2_client.h"

#include <sys/socket.h>

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

static void test_host_instead_of_authority(void **state)
{
    (void)state;
    const nghttp2_nv fields[] = {nv(":method", "GET"), nv(":scheme", "http"), nv(":path", "/plain"),
                                 nv("host", "b")};
    int32_t id =
        nghttp2_submit_request(client->session, NULL, fields, GW_ARRAY_LEN(fields), NULL, NULL);
    flush();
    assert_body(wait_stream(id), "hello");
    assert_string_equal(test->pairs[0].authority, "b");
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

static void test_priority_flood(void **state)
{
    (void)state;
    flush();
    static const char priority[] = {0, 0, 5, 2, 0, 0, 0, 0, 1, 0, 0, 0, 3, 16};
    for (int i = 0; i < 5000 && !test->client.saw_eof; i++) {
        gw_test_send(&test->client, gw_str(priority, sizeof(priority)));
    }
    expect_calm();
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

#define LIVE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE(test_malformed_heads),
        LIVE(test_host_instead_of_authority),
        LIVE(test_length_that_does_not_match),
        LIVE(test_expectation_that_is_not_known),
        LIVE(test_header_too_large),
        LIVE(test_too_many_fields),
        LIVE(test_an_identifier_that_was_jumped_over),
        LIVE(test_rapid_reset),
        LIVE(test_settings_flood),
        LIVE(test_empty_data_flood),
        LIVE(test_priority_flood),
        LIVE(test_ping_flood_of_a_client_that_does_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
