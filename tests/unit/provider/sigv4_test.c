/* SPDX-License-Identifier: MIT */
/* The page's example to the byte, and what a signature covers. tests/tools/test_sigv4.py compares
 * many random requests with botocore's signer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "provider/sigv4.h"

#define NOW_MS 1795255872123u /* 2026-11-21T10:11:12Z */

static const struct gw_header json_type = {.name = GW_STR_INIT("content-type"),
                                           .value = GW_STR_INIT("application/json")};
static const struct gw_str body =
    GW_STR_INIT("{\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"Hi\"}]}]}");

/* shared/providers/bedrock.md section 6. */
static struct gw_sigv4_request example(void)
{
    return (struct gw_sigv4_request){
        .access_key = GW_STR("AKIDEXAMPLE"),
        .secret_key = GW_STR("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        .session_token = GW_STR("FwoGEXAMPLETOKEN"),
        .region = GW_STR("us-east-1"),
        .service = GW_STR("bedrock"),
        .method = GW_STR("POST"),
        .target = GW_STR("/model/anthropic.claude-haiku-4-5-20251001-v1%3A0/converse-stream"),
        .host = GW_STR("bedrock-runtime.us-east-1.amazonaws.com"),
        .fields = &json_type,
        .field_count = 1,
        .body_runs = &body,
        .body_run_count = 1,
        .now_ms = NOW_MS,
    };
}

static const char expected[] =
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/bedrock/aws4_request, "
    "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, "
    "Signature=c137bc3863bf42025950df602a8a98d508787b4cb0d5520b255528df3fd158c7";

/* Signs; the text is valid until the next call. */
static const char *sign(const struct gw_sigv4_request *request)
{
    static char text[4096];
    struct gw_arena arena;
    struct gw_sigv4_fields fields;
    gw_arena_init(&arena, NULL, 0, 4096, 65536);
    assert_int_equal(gw_sigv4_sign(request, &arena, &fields), GW_OK);
    assert_true(fields.authorization.len < sizeof(text));
    memcpy(text, fields.authorization.ptr, fields.authorization.len);
    text[fields.authorization.len] = '\0';
    if (request->now_ms == NOW_MS) {
        assert_true(gw_str_eq(fields.date, GW_STR("20261121T101112Z")));
    }
    gw_arena_fini(&arena);
    return text;
}

static void test_the_page_s_example(void **state)
{
    (void)state;
    struct gw_sigv4_request request = example();
    assert_string_equal(sign(&request), expected);
}

static void test_the_body_may_come_in_runs(void **state)
{
    (void)state;
    struct gw_sigv4_request request = example();
    for (size_t at = 0; at <= body.len; at++) {
        const struct gw_str runs[] = {gw_str(body.ptr, at), gw_str(NULL, 0), gw_str_skip(body, at)};
        request.body_runs = runs;
        request.body_run_count = 3;
        assert_string_equal(sign(&request), expected);
    }
}

static void test_fields_that_do_not_count(void **state)
{
    (void)state;
    const struct gw_header fields[] = {
        {.name = GW_STR_INIT("user-agent"), .value = GW_STR_INIT("x")},
        {.name = GW_STR_INIT("x-amzn-trace-id"), .value = GW_STR_INIT("x")},
        {.name = GW_STR_INIT("accept"), .value = GW_STR_INIT("x")},
        {.name = GW_STR_INIT("content-type"), .value = GW_STR_INIT("  application/json\t")},
        {.name = GW_STR_INIT("connection"), .value = GW_STR_INIT("close")},
    };
    struct gw_sigv4_request request = example();
    request.fields = fields;
    request.field_count = GW_ARRAY_LEN(fields);
    assert_string_equal(sign(&request), expected);
}

static void test_everything_else_counts(void **state)
{
    (void)state;
    const struct gw_str other = GW_STR("other");
    const struct gw_header amz[] = {json_type,
                                    {.name = GW_STR_INIT("x-amz-a"), .value = GW_STR_INIT("b")}};
    for (unsigned i = 0; i < 11; i++) {
        struct gw_sigv4_request request = example();
        struct gw_str *texts[] = {&request.access_key, &request.secret_key, &request.session_token,
                                  &request.region,     &request.service,    &request.method,
                                  &request.target,     &request.host};
        if (i < GW_ARRAY_LEN(texts)) {
            *texts[i] = other;
        }
        request.body_runs = i == 8 ? &other : request.body_runs;
        request.now_ms += i == 9 ? 1000 : 0;
        if (i == 10) {
            request.fields = amz;
            request.field_count = 2;
        }
        assert_string_not_equal(sign(&request), expected);
    }
}

/* Paths and queries that mean the same sign the same. */
static void test_targets(void **state)
{
    (void)state;
    static const char *const same[][2] = {
        {"/a/b", "/a//b"},     {"/a/b", "/a/./b"},
        {"/a/b", "/x/../a/b"}, {"/", ""},
        {"/", "/.."},          {"/a/", "/a/b/../"},
        {"/a/", "/a/b/..//"},  {"/?a=1&b=2", "/?b=2&a=1"},
        {"/?a=", "/?a"},       {"/?a=1&a=2", "/?a=2&a=1"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(same); i++) {
        struct gw_sigv4_request request = example();
        char first[1024];
        request.target = gw_str_from_c(same[i][0]);
        snprintf(first, sizeof(first), "%s", sign(&request));
        request.target = gw_str_from_c(same[i][1]);
        assert_string_equal(sign(&request), first);
    }
}

static void test_limits(void **state)
{
    (void)state;
    struct gw_arena arena;
    struct gw_sigv4_fields fields;
    static char large[GW_SIGV4_MAX_BYTES];
    memset(large, 'a', sizeof(large));
    gw_arena_init(&arena, NULL, 0, 4096, 65536);
    struct gw_sigv4_request request = example();
    request.target = gw_str(large, sizeof(large));
    assert_int_equal(gw_sigv4_sign(&request, &arena, &fields), GW_ERR_TOO_LARGE);
    request = example();
    request.secret_key = gw_str(large, 513);
    assert_int_equal(gw_sigv4_sign(&request, &arena, &fields), GW_ERR_TOO_LARGE);
    request = example();
    request.target = GW_STR("/?1&2&3&4&5&6&7&8&9&0&1&2&3&4&5&6&7&8&9&0&1&2&3&4&5&6&7&8&9&0&1&2&3");
    assert_int_equal(gw_sigv4_sign(&request, &arena, &fields), GW_ERR_TOO_LARGE);
    struct gw_header many[GW_SIGV4_MAX_FIELDS];
    for (size_t i = 0; i < GW_ARRAY_LEN(many); i++) {
        many[i] = (struct gw_header){.name = GW_STR("x-amz-a"), .value = GW_STR("b")};
    }
    request = example();
    request.fields = many;
    request.field_count = GW_ARRAY_LEN(many);
    assert_int_equal(gw_sigv4_sign(&request, &arena, &fields), GW_ERR_TOO_LARGE);
    request = example();
    request.now_ms = UINT64_MAX;
    assert_int_equal(gw_sigv4_sign(&request, &arena, &fields), GW_ERR_TOO_LARGE);
    gw_arena_fini(&arena);
    gw_arena_init(&arena, NULL, 0, 64, 64);
    request = example();
    assert_int_equal(gw_sigv4_sign(&request, &arena, &fields), GW_ERR_NOMEM);
    gw_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_page_s_example),
        cmocka_unit_test(test_the_body_may_come_in_runs),
        cmocka_unit_test(test_fields_that_do_not_count),
        cmocka_unit_test(test_everything_else_counts),
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
