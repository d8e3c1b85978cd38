/* SPDX-License-Identifier: MIT */
/* URLs of the configuration and request targets, good and bad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/url.h"

/* A URL as one line, to compare it by. */
static const char *describe(const char *text)
{
    static char line[512];
    struct gw_url url;
    const char *why = NULL;
    if (gw_url_parse(gw_str_from_c(text), &url, &why) != GW_OK) {
        assert_non_null(why);
        return "refused";
    }
    assert_null(why);
    if (url.is_unix) {
        assert_int_equal(url.host.len, 0);
        assert_int_equal(url.port, 0);
        snprintf(line, sizeof(line), "unix " GW_STR_FMT, GW_STR_ARG(url.unix_path));
    } else {
        snprintf(line, sizeof(line), "%s " GW_STR_FMT "%s" GW_STR_FMT " %u",
                 url.is_tls ? "tls" : "tcp", GW_STR_ARG(url.user_info),
                 url.user_info.ptr != NULL ? "@" : "", GW_STR_ARG(url.host), url.port);
    }
    size_t len = strlen(line);
    snprintf(line + len, sizeof(line) - len, " " GW_STR_FMT "%s" GW_STR_FMT, GW_STR_ARG(url.path),
             url.query.ptr != NULL ? "?" : "", GW_STR_ARG(url.query));
    return line;
}

static const struct {
    const char *text;
    const char *want;
} urls[] = {
    {"https://api.openai.com/v1", "tls api.openai.com 443 /v1"},
    {"https://api.openai.com", "tls api.openai.com 443 "},
    {"HTTPS://Api.OpenAI.com/", "tls Api.OpenAI.com 443 /"},
    {"http://localhost:11434", "tcp localhost 11434 "},
    {"http://127.0.0.1:65535/a/b?c=d&e", "tcp 127.0.0.1 65535 /a/b?c=d&e"},
    {"http://a?b", "tcp a 80 ?b"},
    {"http://a/?", "tcp a 80 /?"},
    {"http://[::1]:8080/x", "tcp ::1 8080 /x"},
    {"https://[2001:db8::1.2.3.4]", "tls 2001:db8::1.2.3.4 443 "},
    {"http://user:pass%40word@proxy:3128", "tcp user:pass%40word@proxy 3128 "},
    {"http://user@proxy", "tcp user@proxy 80 "},
    {"http://@proxy", "tcp @proxy 80 "},
    {"http://a/b@c:d", "tcp a 80 /b@c:d"},
    {"http://a/b//c/../d", "tcp a 80 /b//c/../d"},
    {"http://my_host-1.example:80/", "tcp my_host-1.example 80 /"},
    {"http://a/x?y?z", "tcp a 80 /x?y?z"},
    {"unix:/run/x.sock", "unix /run/x.sock "},
    {"unix:/run/x.sock:/v1", "unix /run/x.sock /v1"},
    {"unix:/run/x.sock:/v1?a=b", "unix /run/x.sock /v1?a=b"},
    {"unix:/run/x.sock:", "unix /run/x.sock "},
    {"", "refused"},
    {"api.openai.com", "refused"},
    {"ftp://a", "refused"},
    {"http:/a", "refused"},
    {"http//a", "refused"},
    {"http:a", "refused"},
    {"//a", "refused"},
    {"http://", "refused"},
    {"http:///x", "refused"},
    {"http://:80", "refused"},
    {"http://u@", "refused"},
    {"http://u@:80", "refused"},
    {"http://a:", "refused"},
    {"http://a:0", "refused"},
    {"http://a:65536", "refused"},
    {"http://a:8x", "refused"},
    {"http://a:-1", "refused"},
    {"http://a:+1", "refused"},
    {"http://a:18446744073709551696", "refused"},
    {"http://a:80:80", "refused"},
    {"http://a b", "refused"},
    {"http://a/b c", "refused"},
    {" http://a", "refused"},
    {"http://a ", "refused"},
    {"http://a/\t", "refused"},
    {"http://a/\r\nX: y", "refused"},
    {"http://a\nb", "refused"},
    {"http://a/#b", "refused"},
    {"http://a#b", "refused"},
    {"http://a\\b", "refused"},
    {"http://a/\xc3\xa4", "refused"},
    {"http://\xc3\xa4/", "refused"},
    {"http://a%20b/", "refused"},
    {"http://[::1", "refused"},
    {"http://[::1]x", "refused"},
    {"http://[::1]x:80", "refused"},
    {"http://[]", "refused"},
    {"http://[1234]", "refused"},
    {"http://[::g]", "refused"},
    {"http://::1/", "refused"},
    {"http://a]/", "refused"},
    {"http://u:p@ss[@a", "refused"},
    {"unix:", "refused"},
    {"unix:/", "refused"},
    {"unix:run/x.sock", "refused"},
    {"unix:/run/x.sock:v1", "refused"},
    {"unix:/run/a b", "refused"},
};

static void test_urls(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_ARRAY_LEN(urls); i++) {
        const char *got = describe(urls[i].text);
        if (strcmp(got, urls[i].want) != 0) {
            fail_msg("\"%s\": got \"%s\", want \"%s\"", urls[i].text, got, urls[i].want);
        }
    }
}

static void test_a_refused_url_leaves_the_result(void **state)
{
    (void)state;
    struct gw_url url = {.port = 7};
    const char *why = NULL;
    assert_int_equal(gw_url_parse(GW_STR("http://a:x"), &url, &why), GW_ERR_INVALID);
    assert_int_equal(url.port, 7);
    assert_int_equal(gw_url_parse(gw_str(NULL, 0), &url, &why), GW_ERR_INVALID);
    assert_int_equal(gw_url_parse(GW_STR("http://a\0b"), &url, &why), GW_ERR_INVALID);
}

static const struct {
    const char *text;
    const char *path; /* NULL: refused */
    const char *query;
} targets[] = {
    {"/", "/", NULL},
    {"/v1/models", "/v1/models", NULL},
    {"/v1/models?limit=1", "/v1/models", "limit=1"},
    {"/a?", "/a", ""},
    {"/a?b?c", "/a", "b?c"},
    {"/a%2Fb%2f?%zz", "/a%2Fb%2f", "%zz"},
    {"//a", "//a", NULL},
    {"/a/../b", "/a/../b", NULL},
    {"/[a]{b}|^`:@!$&'()*+,;=~", "/[a]{b}|^`:@!$&'()*+,;=~", NULL},
    {"*", "*", NULL},
    {"http://a/b?c", "/b", "c"},
    {"HTTPS://a:1/b", "/b", NULL},
    {"http://a", "/", NULL},
    {"http://a?b", "/", "b"},
    {"http://[::1]:80/b", "/b", NULL},
    {"", NULL, NULL},
    {"a", NULL, NULL},
    {"?a", NULL, NULL},
    {"**", NULL, NULL},
    {"a:80", NULL, NULL},
    {"/a b", NULL, NULL},
    {"/a#b", NULL, NULL},
    {"/a\"b", NULL, NULL},
    {"/a\\b", NULL, NULL},
    {"/a<b", NULL, NULL},
    {"/a\x7f", NULL, NULL},
    {"/a\xc3\xa4", NULL, NULL},
    {"/a%", NULL, NULL},
    {"/a%2", NULL, NULL},
    {"/a%2g", NULL, NULL},
    {"/%41%", NULL, NULL},
    {"/a?b c", NULL, NULL},
    {"http:///b", NULL, NULL},
    {"http://u@a/b", NULL, NULL},
    {"http://a:x/b", NULL, NULL},
    {"ftp://a/b", NULL, NULL},
    {"http:/a", NULL, NULL},
};

static void test_targets(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_ARRAY_LEN(targets); i++) {
        struct gw_str path = GW_STR("untouched");
        struct gw_str query = GW_STR("untouched");
        enum gw_err err = gw_url_split_target(gw_str_from_c(targets[i].text), &path, &query);
        if (targets[i].path == NULL) {
            if (err != GW_ERR_INVALID) {
                fail_msg("\"%s\" was let through", targets[i].text);
            }
            assert_true(gw_str_eq(path, GW_STR("untouched")));
            assert_true(gw_str_eq(query, GW_STR("untouched")));
            continue;
        }
        if (err != GW_OK || !gw_str_eq(path, gw_str_from_c(targets[i].path)) ||
            !gw_str_eq(query, gw_str_from_c(targets[i].query)) ||
            (query.ptr == NULL) != (targets[i].query == NULL)) {
            fail_msg("\"%s\": got \"" GW_STR_FMT "\" \"" GW_STR_FMT "\"", targets[i].text,
                     GW_STR_ARG(path), GW_STR_ARG(query));
        }
    }
}

static void test_authorities(void **state)
{
    (void)state;
    const char *const good[] = {"a", "a:80", "a:", "1.2.3.4:5", "[::1]", "[::1]:8", "a_b-c.d"};
    const char *const bad[] = {"",    ":",     ":80",    "a:b",  "a b",  "a,b",  "a/b",
                               "u@a", "a:80:", "[::1",   "::1",  "a::",  "[]",   "a:65536",
                               "a?b", "a#b",   "[::1]a", "a%41", "a\\b", "a\xff"};
    for (size_t i = 0; i < GW_ARRAY_LEN(good); i++) {
        if (!gw_url_authority_is_valid(gw_str_from_c(good[i]))) {
            fail_msg("\"%s\" was refused", good[i]);
        }
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(bad); i++) {
        if (gw_url_authority_is_valid(gw_str_from_c(bad[i]))) {
            fail_msg("\"%s\" was let through", bad[i]);
        }
    }
    assert_true(gw_str_eq(gw_url_target_authority(GW_STR("http://a:1/b")), GW_STR("a:1")));
    assert_null(gw_url_target_authority(GW_STR("/http://a")).ptr);
}

static void test_query_get(void **state)
{
    (void)state;
    struct gw_str query = GW_STR("a=1&bb=&c&a=2&=x&d=e=f&&api-version=2024-02-01");
    struct gw_str value;
    assert_true(gw_url_query_get(query, GW_STR("a"), &value));
    assert_true(gw_str_eq(value, GW_STR("1")));
    assert_true(gw_url_query_get(query, GW_STR("bb"), &value));
    assert_int_equal(value.len, 0);
    assert_true(gw_url_query_get(query, GW_STR("c"), &value));
    assert_int_equal(value.len, 0);
    assert_true(gw_url_query_get(query, GW_STR("d"), &value));
    assert_true(gw_str_eq(value, GW_STR("e=f")));
    assert_true(gw_url_query_get(query, GW_STR("api-version"), &value));
    assert_true(gw_str_eq(value, GW_STR("2024-02-01")));
    assert_false(gw_url_query_get(query, GW_STR("b"), &value));
    assert_false(gw_url_query_get(query, GW_STR("api-versio"), &value));
    assert_false(gw_url_query_get(gw_str(NULL, 0), GW_STR("a"), &value));
}

static void test_decode(void **state)
{
    (void)state;
    char out[8];
    size_t len = 99;
    assert_int_equal(gw_url_decode(GW_STR("a%2Fb%2f+%41"), out, sizeof(out), &len), GW_OK);
    assert_int_equal(len, 6);
    assert_memory_equal(out, "a/b/+A", 6);
    assert_int_equal(gw_url_decode(GW_STR(""), out, 0, &len), GW_OK);
    assert_int_equal(len, 0);
    assert_int_equal(gw_url_decode(GW_STR("12345678"), out, sizeof(out), &len), GW_OK);
    len = 99;
    assert_int_equal(gw_url_decode(GW_STR("123456789"), out, sizeof(out), &len), GW_ERR_TOO_LARGE);
    assert_int_equal(len, 99);
    const char *const bad[] = {"%", "%4", "a%", "%g0", "%0g", "%00", "%-1", "%%41"};
    for (size_t i = 0; i < GW_ARRAY_LEN(bad); i++) {
        assert_int_equal(gw_url_decode(gw_str_from_c(bad[i]), out, sizeof(out), &len),
                         GW_ERR_INVALID);
    }
    assert_int_equal(gw_url_decode(GW_STR("\0"), out, sizeof(out), &len), GW_ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),      cmocka_unit_test(test_a_refused_url_leaves_the_result),
        cmocka_unit_test(test_targets),   cmocka_unit_test(test_authorities),
        cmocka_unit_test(test_query_get), cmocka_unit_test(test_decode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
