/* SPDX-License-Identifier: MIT */
/* provider/openai_request - fields that go upstream, targets, patches. */
#include "provider/openai_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dialect/openai.h"
#include "provider/forward.h"

static struct gw_arena arena;

static int setup(void **state)
{
    (void)state;
    gw_arena_init(&arena, NULL, 0, 4096, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    gw_arena_fini(&arena);
    return 0;
}

static struct gw_header field(const char *name, const char *value)
{
    struct gw_str text = gw_str_from_c(name);
    return (struct gw_header){
        .name = text, .value = gw_str_from_c(value), .id = gw_header_lookup(text)};
}

static const struct gw_header *find(const struct gw_header *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (gw_str_eq(fields[i].name, gw_str_from_c(name))) {
            return &fields[i];
        }
    }
    return NULL;
}

static void assert_str(struct gw_str actual, const char *expected)
{
    assert_int_equal(actual.len, strlen(expected));
    assert_memory_equal(actual.ptr, expected, actual.len);
}

/* A call with what the API puts on it. */
static struct gw_provider_call authorized(const struct gw_deployment *deployment,
                                          const struct gw_secret *key)
{
    struct gw_provider_call call = {.method = GW_STR("POST")};
    struct gw_authorize_input in = {.deployment = deployment, .credential = key, .arena = &arena};
    assert_int_equal(gw_api_openai.authorize(&in, &call), GW_OK);
    return call;
}

static void test_which_fields_go_upstream(void **state)
{
    (void)state;
    struct gw_header sent[] = {
        field("host", "gateway"),
        field("content-type", "application/json"),
        field("content-length", "12"),
        field("authorization", "Bearer client"),
        field("x-api-key", "client"),
        field("api-key", "client"),
        field("cookie", "a=b"),
        field("connection", "keep-alive, x-hop"),
        field("x-hop", "1"),
        field("connection", "X-Second"),
        field("x-second", "2"),
        field("te", "trailers"),
        field("accept-encoding", "gzip"),
        field("x-forwarded-for", "10.0.0.1"),
        field("openai-beta", "assistants"),
        field("openai-organization", "org-client"),
        field("x-custom", "kept"),
        field("x-gatewire-fallback", "off"),
        field("x-request-id", "client-id"),
        field("upgrade", "h2c"),
    };
    struct gw_request_head head = {.headers = sent, .header_count = GW_ARRAY_LEN(sent)};
    struct gw_extra_header extra[] = {{.name = GW_STR("x-extra"), .value = GW_STR("e")}};
    struct gw_secret *key = gw_secret_create(GW_STR("sk-ours"));
    struct gw_deployment deployment = {
        .project = GW_STR("proj"), .extra_headers = extra, .extra_header_count = 1};
    struct gw_provider_call call = authorized(&deployment, key);
    struct gw_forward_opts opts = {.client = &head,
                                   .deployment = &deployment,
                                   .call = &call,
                                   .request_id = GW_STR("req_1"),
                                   .wants_identity = true};
    const struct gw_header *fields = NULL;
    size_t count = 0;
    assert_int_equal(gw_forward_fields(&opts, &arena, &fields, &count), GW_OK);

    static const char *const gone[] = {
        "host",   "content-length",  "x-api-key",       "api-key",
        "cookie", "connection",      "x-hop",           "x-second",
        "te",     "accept-encoding", "x-forwarded-for", "x-gatewire-fallback",
        "upgrade"};
    for (size_t i = 0; i < GW_ARRAY_LEN(gone); i++) {
        assert_null(find(fields, count, gone[i]));
    }
    assert_str(find(fields, count, "authorization")->value, "Bearer sk-ours");
    assert_str(find(fields, count, "x-request-id")->value, "req_1");
    assert_str(find(fields, count, "openai-beta")->value, "assistants");
    assert_str(find(fields, count, "openai-organization")->value, "org-client");
    assert_str(find(fields, count, "openai-project")->value, "proj");
    assert_str(find(fields, count, "x-custom")->value, "kept");
    assert_str(find(fields, count, "x-extra")->value, "e");
    assert_int_equal(count, 8);
    gw_secret_destroy(&key);
}

static void test_configured_fields_win(void **state)
{
    (void)state;
    struct gw_header sent[] = {field("openai-organization", "org-client"),
                               field("x-extra", "client"), field("accept-encoding", "gzip")};
    struct gw_request_head head = {.headers = sent, .header_count = GW_ARRAY_LEN(sent)};
    struct gw_extra_header extra[] = {{.name = GW_STR("x-extra"), .value = GW_STR("ours")}};
    struct gw_deployment deployment = {
        .organization = GW_STR("org-ours"), .extra_headers = extra, .extra_header_count = 1};
    struct gw_provider_call call = authorized(&deployment, NULL);
    struct gw_forward_opts opts = {
        .client = &head, .deployment = &deployment, .call = &call, .request_id = GW_STR("r")};
    const struct gw_header *fields = NULL;
    size_t count = 0;
    assert_int_equal(gw_forward_fields(&opts, &arena, &fields, &count), GW_OK);
    assert_int_equal(count, 4);
    assert_str(find(fields, count, "openai-organization")->value, "org-ours");
    assert_str(find(fields, count, "x-extra")->value, "ours");
    assert_str(find(fields, count, "accept-encoding")->value, "gzip");
    assert_null(find(fields, count, "authorization"));
}

static void test_target(void **state)
{
    (void)state;
    static const struct {
        const char *base;
        const char *query;
        const char *expected;
    } cases[] = {
        {"/v1", "", "/v1/files"},
        {"", "", "/files"},
        {"/v1", "limit=1&after=x", "/v1/files?limit=1&after=x"},
        {"/v1", "api-version=2024-10-21", "/v1/files"},
        {"/v1", "api-version=2024-10-21&a=b&&c", "/v1/files?a=b&c"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_deployment deployment = {.base_path = gw_str_from_c(cases[i].base)};
        assert_str(
            gw_openai_target(&deployment, GW_STR("/files"), gw_str_from_c(cases[i].query), &arena),
            cases[i].expected);
    }
}

static void assert_dropped(const char *body, const char *expected)
{
    struct gw_llm_request request = {0};
    struct gw_error error = {0};
    struct gw_json_splice splice;
    struct gw_str runs[GW_JSON_MAX_RUNS];
    char sent[256];
    size_t len = 0;
    assert_int_equal(gw_openai_decode(gw_str_from_c(body), GW_TASK_CHAT, &arena, &request, &error),
                     GW_OK);
    gw_json_splice_init(&splice, gw_str_from_c(body));
    assert_int_equal(gw_openai_drop_member(request.fallbacks, &splice), GW_OK);
    assert_int_equal(gw_openai_drop_member(request.stream_options, &splice), GW_OK);
    size_t count = gw_json_splice_runs(&splice, runs);
    for (size_t i = 0; i < count; i++) {
        memcpy(sent + len, runs[i].ptr, runs[i].len);
        len += runs[i].len;
    }
    sent[len] = '\0';
    assert_string_equal(sent, expected);
}

static void test_stream_options_are_dropped(void **state)
{
    (void)state;
    assert_dropped("{\"model\":\"a\"}", "{\"model\":\"a\"}");
    assert_dropped("{\"model\":\"a\" ,\n \"stream_options\" : {\"include_usage\":true} }",
                   "{\"model\":\"a\"  }");
    assert_dropped("{\"stream_options\":{\"x\":1} , \"model\":\"a\"}", "{ \"model\":\"a\"}");
    assert_dropped("{\"model\":\"a\",\"stream_option\\u0073\":null,\"stream\":true}",
                   "{\"model\":\"a\",\"stream\":true}");
}

static void test_members_side_by_side_are_dropped(void **state)
{
    (void)state;
    assert_dropped("{\"fallbacks\":[\"b\"],\"stream_options\":{},\"model\":\"a\"}",
                   "{\"model\":\"a\"}");
    assert_dropped("{\"model\":\"a\",\"fallbacks\":[\"b\"],\"stream_options\":{}}",
                   "{\"model\":\"a\"}");
    assert_dropped("{\"fallbacks\":[\"b\"],\"stream_options\":{}}", "{}");
    assert_dropped("{\"fallbacks\":[\"b\"],\"model\":\"a\",\"stream_options\":{}}",
                   "{\"model\":\"a\"}");
}

static void assert_patched(const char *body, const char *model, const char *expected,
                           bool expect_injected)
{
    struct gw_llm_request request;
    struct gw_error error;
    struct gw_json_splice splice;
    bool injected = false;
    assert_int_equal(gw_openai_decode(gw_str_from_c(body), GW_TASK_CHAT, &arena, &request, &error),
                     GW_OK);
    /* As the path or the router names it. */
    request.model = request.model.len > 0 ? request.model : gw_str_from_c(model);
    assert_int_equal(gw_openai_patch(&request, gw_str_from_c(body), gw_str_from_c(model), &arena,
                                     &splice, &injected),
                     GW_OK);
    struct gw_str runs[GW_JSON_MAX_RUNS];
    size_t count = gw_json_splice_runs(&splice, runs);
    struct gw_buf result;
    gw_buf_init(&result, 4096);
    for (size_t i = 0; i < count; i++) {
        (void)gw_buf_append(&result, runs[i]);
    }
    assert_str(gw_buf_str(&result), expected);
    assert_int_equal(injected, expect_injected);
    gw_buf_fini(&result);
}

static void test_patches(void **state)
{
    (void)state;
    assert_patched("{\"model\":\"a\"}", "a", "{\"model\":\"a\"}", false);
    assert_patched(" {\"x\":1, \"model\" : \"a\" } ", "b\"c",
                   " {\"x\":1, \"model\" : \"b\\\"c\" } ", false);
    assert_patched("{\"model\":\"a\",\"stream\":true}", "a",
                   "{\"model\":\"a\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}",
                   true);
    assert_patched(
        "{\"stream\":true,\"stream_options\":{\"include_usage\":false},\"model\":\"a\"}", "bb",
        "{\"stream\":true,\"stream_options\":{\"include_usage\":true},\"model\":\"bb\"}", true);
    assert_patched(
        "{\"model\":\"a\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}", "a",
        "{\"model\":\"a\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}", false);
    assert_patched("{\"n\":1}", "a\"b", "{\"n\":1,\"model\":\"a\\\"b\"}", false);
    assert_patched("{}", "a", "{\"model\":\"a\"}", false);
    assert_patched("{\"model\":null,\"n\":1}", "ul", "{\"model\":\"ul\",\"n\":1}", false);
    assert_patched("{\"stream\":true}", "a",
                   "{\"stream\":true,\"model\":\"a\",\"stream_options\":{\"include_usage\":true}}",
                   true);
    assert_patched("{\"model\":\"a\",\"stream\":true,\"stream_options\":null}", "a",
                   "{\"model\":\"a\",\"stream\":true,\"stream_options\":{\"include_usage\":true}}",
                   true);
    assert_patched("{\"model\":\"a\",\"stream\":true,\"stream_options\":{ }}", "a",
                   "{\"model\":\"a\",\"stream\":true,\"stream_options\":{\"include_usage\":true }}",
                   true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_which_fields_go_upstream, setup, teardown),
        cmocka_unit_test_setup_teardown(test_configured_fields_win, setup, teardown),
        cmocka_unit_test_setup_teardown(test_target, setup, teardown),
        cmocka_unit_test_setup_teardown(test_patches, setup, teardown),
        cmocka_unit_test_setup_teardown(test_stream_options_are_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_members_side_by_side_are_dropped, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
