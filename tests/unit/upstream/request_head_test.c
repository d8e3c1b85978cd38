/* SPDX-License-Identifier: MIT */
/* The head of a request in both forms, and what is not let into it. */
#include "upstream_fixture.h"

#include "upstream/h2_int.h"

static struct gw_pool pool;
static struct gw_buf out;

static void begin(void)
{
    pool = (struct gw_pool){.origin = {.host_header = GW_STR("api.test")}};
    gw_buf_init(&out, GW_UPSTREAM_MAX_REQUEST_HEAD_BYTES);
}

static void check(const struct gw_exchange_request *request, const char *want)
{
    assert_int_equal(gw_request_head_write(&out, request), GW_OK);
    assert_int_equal(out.len, strlen(want));
    assert_memory_equal(out.ptr, want, out.len);
}

static void test_framing(void **state)
{
    (void)state;
    begin();
    const struct gw_str runs[] = {GW_STR("abc"), GW_STR("de")};
    const struct {
        const char *method;
        bool has_runs;
        bool is_streamed;
        uint64_t length;
        const char *framing;
    } rows[] = {
        {"GET", false, false, 0, ""},
        {"HEAD", false, false, 0, ""},
        {"DELETE", false, false, 0, ""},
        {"OPTIONS", false, false, 0, ""},
        {"POST", false, false, 0, "content-length: 0\r\n"},
        {"PUT", false, false, 0, "content-length: 0\r\n"},
        {"PATCH", false, false, 0, "content-length: 0\r\n"},
        {"POST", true, false, 0, "content-length: 5\r\n"},
        {"GET", true, false, 0, "content-length: 5\r\n"},
        {"DELETE", true, false, 77, "content-length: 5\r\n"},
        {"POST", false, true, 0, "content-length: 0\r\n"},
        {"POST", false, true, 123456789012, "content-length: 123456789012\r\n"},
        {"POST", false, true, GW_LENGTH_UNKNOWN, "transfer-encoding: chunked\r\n"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(rows); i++) {
        const struct gw_exchange_request request = {
            .pool = &pool,
            .method = gw_str_from_c(rows[i].method),
            .target = GW_STR("/v1/models?limit=1"),
            .body_runs = runs,
            .body_run_count = rows[i].has_runs ? 2 : 0,
            .is_streamed = rows[i].is_streamed,
            .content_length = rows[i].length,
        };
        char want[256];
        (void)snprintf(want, sizeof(want),
                       "%s /v1/models?limit=1 HTTP/1.1\r\nhost: api.test\r\n%s\r\n", rows[i].method,
                       rows[i].framing);
        check(&request, want);
    }
    gw_buf_fini(&out);
}

static struct gw_header field(const char *name, const char *value)
{
    struct gw_str key = gw_str_from_c(name);
    return (struct gw_header){
        .name = key, .value = gw_str_from_c(value), .id = gw_header_lookup(key)};
}

/* What belongs to the client's own connection ends here, whoever passes it. */
static void test_fields_that_are_ours(void **state)
{
    (void)state;
    begin();
    const struct gw_header headers[] = {
        field("accept", "*/*"),
        field("host", "evil.test"),
        field("content-length", "99"),
        field("transfer-encoding", "chunked"),
        field("connection", "x-hop"),
        field("expect", "100-continue"),
        field("te", "trailers"),
        field("upgrade", "h2c"),
        field("keep-alive", "1"),
        field("proxy-authorization", "Basic eA=="),
        field("authorization", "Bearer k"),
        field("x-empty", ""),
    };
    const struct gw_exchange_request request = {
        .pool = &pool,
        .method = GW_STR("GET"),
        .target = GW_STR("/"),
        .headers = headers,
        .header_count = GW_ARRAY_LEN(headers),
    };
    check(&request, "GET / HTTP/1.1\r\nhost: api.test\r\naccept: */*\r\nauthorization: Bearer k\r\n"
                    "x-empty: \r\n\r\n");
    gw_buf_fini(&out);
}

static void test_injection(void **state)
{
    (void)state;
    begin();
    const struct gw_str bad[] = {
        GW_STR("a\r\nx-evil: 1"), GW_STR("a\nx-evil: 1"),  GW_STR("a\rx"),
        GW_STR("a\0b"),           GW_STR("\r\n\r\nGET /"),
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(bad); i++) {
        for (int where = 0; where < 4; where++) {
            struct gw_header header = field("x-name", "value");
            struct gw_exchange_request request = {
                .pool = &pool,
                .method = GW_STR("GET"),
                .target = GW_STR("/"),
                .headers = &header,
                .header_count = 1,
            };
            if (where == 0) {
                header.value = bad[i];
            } else if (where == 1) {
                header.name = bad[i];
            } else if (where == 2) {
                request.target = bad[i];
            } else {
                request.method = bad[i];
            }
            assert_int_equal(gw_request_head_write(&out, &request), GW_ERR_INVALID);
        }
    }
    gw_buf_fini(&out);
}

static void test_too_large(void **state)
{
    (void)state;
    begin();
    char *big = malloc(GW_UPSTREAM_MAX_REQUEST_HEAD_BYTES);
    memset(big, 'b', GW_UPSTREAM_MAX_REQUEST_HEAD_BYTES);
    const struct gw_header header = {.name = GW_STR("x"),
                                     .value = gw_str(big, GW_UPSTREAM_MAX_REQUEST_HEAD_BYTES)};
    struct gw_exchange_request request = {
        .pool = &pool,
        .method = GW_STR("GET"),
        .target = GW_STR("/"),
        .headers = &header,
        .header_count = 1,
    };
    assert_int_equal(gw_request_head_write(&out, &request), GW_ERR_TOO_LARGE);
    /* The buffer is good for the next one. */
    request.header_count = 0;
    assert_int_equal(gw_request_head_write(&out, &request), GW_OK);
    struct gw_header many[GW_REQUEST_MAX_LINES + 1];
    for (size_t i = 0; i < GW_ARRAY_LEN(many); i++) {
        many[i] = field("a", "b");
    }
    request.headers = many;
    request.header_count = GW_ARRAY_LEN(many);
    assert_int_equal(gw_request_head_write(&out, &request), GW_ERR_TOO_LARGE);
    request.header_count = GW_H1_MAX_HEADERS;
    assert_int_equal(gw_request_head_write(&out, &request), GW_OK);
    free(big);
    gw_buf_fini(&out);
}

static void check_field(const nghttp2_nv *nv, const char *name, const char *value)
{
    assert_int_equal(nv->namelen, strlen(name));
    assert_memory_equal(nv->name, name, nv->namelen);
    assert_int_equal(nv->valuelen, strlen(value));
    if (nv->valuelen > 0) {
        assert_memory_equal(nv->value, value, nv->valuelen);
    }
}

static void test_http2_form(void **state)
{
    (void)state;
    begin();
    const struct gw_header headers[] = {
        field("authorization", "Bearer k"),
        field("x-colon", "a: b: c"),
        field("x-empty", ""),
    };
    const struct gw_exchange_request request = {
        .pool = &pool,
        .method = GW_STR("POST"),
        .target = GW_STR("/a?b=c:d"),
        .headers = headers,
        .header_count = GW_ARRAY_LEN(headers),
        .is_streamed = true,
        .content_length = GW_LENGTH_UNKNOWN,
    };
    assert_int_equal(gw_request_head_write(&out, &request), GW_OK);
    nghttp2_nv fields[GW_H2_MAX_REQUEST_FIELDS];
    size_t count = gw_uph2_request_fields(gw_buf_str(&out), true, fields);
    assert_int_equal(count, 7);
    check_field(&fields[0], ":method", "POST");
    check_field(&fields[1], ":scheme", "https");
    check_field(&fields[2], ":authority", "api.test");
    check_field(&fields[3], ":path", "/a?b=c:d");
    check_field(&fields[4], "authorization", "Bearer k");
    check_field(&fields[5], "x-colon", "a: b: c");
    check_field(&fields[6], "x-empty", "");
    assert_int_equal(fields[4].flags, NGHTTP2_NV_FLAG_NO_INDEX);
    assert_int_equal(fields[5].flags, NGHTTP2_NV_FLAG_NONE);
    gw_buf_fini(&out);
}

/* As many fields as ever pass the first door pass the second. */
static void test_http2_form_of_the_largest(void **state)
{
    (void)state;
    begin();
    struct gw_header many[GW_REQUEST_MAX_LINES];
    for (size_t i = 0; i < GW_ARRAY_LEN(many); i++) {
        many[i] = field("a", "b");
    }
    struct gw_exchange_request request = {
        .pool = &pool,
        .method = GW_STR("GET"),
        .target = GW_STR("/"),
        .headers = many,
        .header_count = GW_REQUEST_MAX_LINES - 3,
    };
    assert_int_equal(gw_request_head_write(&out, &request), GW_OK);
    nghttp2_nv fields[GW_H2_MAX_REQUEST_FIELDS];
    assert_int_equal(gw_uph2_request_fields(gw_buf_str(&out), false, fields),
                     GW_REQUEST_MAX_LINES - 3 + 4);
    request.header_count++;
    assert_int_equal(gw_request_head_write(&out, &request), GW_ERR_TOO_LARGE);
    gw_buf_fini(&out);
}

static void test_http2_response_head(void **state)
{
    (void)state;
    struct gw_uph2_head head;
    gw_uph2_head_init(&head);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(gw_uph2_head_add(&head, GW_STR(":status"), GW_STR("404")), GW_OK);
        assert_int_equal(gw_uph2_head_add(&head, GW_STR("content-length"), GW_STR("12")), GW_OK);
        for (int k = 0; k < 100; k++) {
            assert_int_equal(gw_uph2_head_add(&head, GW_STR("x"), GW_STR("y")), GW_OK);
        }
        struct gw_response_head response = gw_uph2_head_response(&head);
        assert_int_equal(response.version, GW_HTTP_2);
        assert_int_equal(response.status, 404);
        assert_int_equal(response.content_length, 12);
        assert_int_equal(response.header_count, 101);
        assert_int_equal(response.headers[0].id, GW_HEADER_CONTENT_LENGTH);
        assert_true(gw_str_eq(response.headers[100].value, GW_STR("y")));
        gw_uph2_head_fini(&head);
        assert_int_equal(gw_uph2_head_response(&head).header_count, 0);
        assert_int_equal(gw_uph2_head_response(&head).content_length, GW_LENGTH_UNKNOWN);
    }
    assert_int_equal(gw_uph2_head_add(&head, GW_STR("content-length"), GW_STR("x")), GW_OK);
    assert_int_equal(gw_uph2_head_response(&head).content_length, GW_LENGTH_UNKNOWN);
    gw_uph2_head_fini(&head);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_framing),
        cmocka_unit_test(test_fields_that_are_ours),
        cmocka_unit_test(test_injection),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_http2_form),
        cmocka_unit_test(test_http2_form_of_the_largest),
        cmocka_unit_test(test_http2_response_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
