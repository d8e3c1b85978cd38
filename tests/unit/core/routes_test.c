/* SPDX-License-Identifier: MIT */
/* core/routes - paths, prefixes, methods. */
#include "core/routes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_str(struct gw_str actual, const char *expected)
{
    assert_int_equal(actual.len, strlen(expected));
    assert_memory_equal(actual.ptr, expected, actual.len);
}

static void test_known_paths(void **state)
{
    (void)state;
    static const struct {
        enum gw_http_method method;
        const char *path;
        enum gw_route_kind kind;
        enum gw_task task;
        const char *rest;
        const char *model;
    } cases[] = {
        {GW_METHOD_POST, "/v1/chat/completions", GW_ROUTE_JSON, GW_TASK_CHAT, "/chat/completions",
         ""},
        {GW_METHOD_POST, "/chat/completions", GW_ROUTE_JSON, GW_TASK_CHAT, "/chat/completions", ""},
        {GW_METHOD_POST, "/openai/v1/embeddings", GW_ROUTE_JSON, GW_TASK_EMBEDDING, "/embeddings",
         ""},
        {GW_METHOD_POST, "/openai/deployments/gpt%2D4/chat/completions", GW_ROUTE_JSON,
         GW_TASK_CHAT, "/chat/completions", "gpt%2D4"},
        {GW_METHOD_POST, "/v1/audio/transcriptions", GW_ROUTE_FORM, GW_TASK_TRANSCRIPTION,
         "/audio/transcriptions", ""},
        {GW_METHOD_GET, "/v1/files/file-1/content", GW_ROUTE_PASS, GW_TASK_PASS,
         "/files/file-1/content", ""},
        {GW_METHOD_DELETE, "/v1/models/ft:x", GW_ROUTE_PASS, GW_TASK_PASS, "/models/ft:x", ""},
        {GW_METHOD_GET, "/v1/models", GW_ROUTE_LOCAL, GW_TASK_LOCAL, "/models", ""},
        {GW_METHOD_GET, "/v1/models/openai/gpt-4o", GW_ROUTE_LOCAL, GW_TASK_LOCAL,
         "/models/openai/gpt-4o", "openai/gpt-4o"},
        {GW_METHOD_GET, "/v1/responses/resp_1", GW_ROUTE_PASS, GW_TASK_PASS, "/responses/resp_1",
         ""},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_route route = gw_route_find(cases[i].method, gw_str_from_c(cases[i].path));
        assert_int_equal(route.kind, cases[i].kind);
        assert_int_equal(route.task, cases[i].task);
        assert_str(route.path, cases[i].rest);
        assert_str(route.path_model, cases[i].model);
        assert_false(route.is_open);
    }
}

static void test_pages_without_a_key(void **state)
{
    (void)state;
    static const char *const paths[] = {"/", "/health", "/ready", "/live", "/healthz"};
    for (size_t i = 0; i < GW_ARRAY_LEN(paths); i++) {
        struct gw_route route = gw_route_find(GW_METHOD_GET, gw_str_from_c(paths[i]));
        assert_int_equal(route.kind, GW_ROUTE_LOCAL);
        assert_true(route.is_open);
    }
}

static void test_pages_about_routing(void **state)
{
    (void)state;
    static const struct {
        enum gw_http_method method;
        const char *path;
        enum gw_route_kind kind;
        enum gw_inspect inspect;
        bool is_enveloped;
    } cases[] = {
        {GW_METHOD_GET, "/api/v1/router/stats", GW_ROUTE_INSPECT, GW_INSPECT_STATS, true},
        {GW_METHOD_POST, "/api/v1/router/stats", GW_ROUTE_WRONG_METHOD, GW_INSPECT_NONE, true},
        {GW_METHOD_PUT, "/api/v1/router/strategy", GW_ROUTE_INSPECT, GW_INSPECT_STRATEGY, true},
        {GW_METHOD_DELETE, "/api/v1/router/strategy", GW_ROUTE_WRONG_METHOD, GW_INSPECT_NONE, true},
        {GW_METHOD_GET, "/health/deployments", GW_ROUTE_INSPECT, GW_INSPECT_DEPLOYMENTS, false},
        {GW_METHOD_GET, "/api/v1/router/", GW_ROUTE_UNKNOWN, GW_INSPECT_NONE, false},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_route route = gw_route_find(cases[i].method, gw_str_from_c(cases[i].path));
        assert_int_equal(route.kind, cases[i].kind);
        assert_int_equal(route.inspect, cases[i].inspect);
        assert_int_equal(route.is_enveloped, cases[i].is_enveloped);
        assert_int_equal(route.task, GW_TASK_LOCAL);
        assert_false(route.is_open);
    }
}

static void test_unknown_paths(void **state)
{
    (void)state;
    static const char *const paths[] = {"/v1",
                                        "/v1/",
                                        "/v2/chat/completions",
                                        "/v1/chat",
                                        "/v1/chat/completion",
                                        "/v1/fine_tuning/",
                                        "/openai/deployments/m",
                                        "",
                                        "*",
                                        "//"};
    for (size_t i = 0; i < GW_ARRAY_LEN(paths); i++) {
        assert_int_equal(gw_route_find(GW_METHOD_POST, gw_str_from_c(paths[i])).kind,
                         GW_ROUTE_UNKNOWN);
    }
}

static void test_wrong_methods_name_the_right_ones(void **state)
{
    (void)state;
    struct gw_route route = gw_route_find(GW_METHOD_GET, GW_STR("/v1/embeddings"));
    assert_int_equal(route.kind, GW_ROUTE_WRONG_METHOD);
    assert_str(route.allow, "POST, OPTIONS");
    route = gw_route_find(GW_METHOD_PUT, GW_STR("/v1/chat/completions"));
    assert_str(route.allow, "GET, HEAD, POST, OPTIONS");
    route = gw_route_find(GW_METHOD_POST, GW_STR("/health"));
    assert_int_equal(route.kind, GW_ROUTE_WRONG_METHOD);
    route = gw_route_find(GW_METHOD_OTHER, GW_STR("/v1/files"));
    assert_int_equal(route.kind, GW_ROUTE_WRONG_METHOD);
}

static void test_model_lists_of_other_dialects(void **state)
{
    (void)state;
    static const struct {
        enum gw_http_method method;
        const char *path;
        enum gw_route_kind kind;
        enum gw_route_local local;
        enum gw_dialect_id dialect;
        const char *model;
    } cases[] = {
        {GW_METHOD_GET, "/anthropic/v1/models", GW_ROUTE_LOCAL, GW_LOCAL_MODELS,
         GW_DIALECT_ANTHROPIC, ""},
        {GW_METHOD_GET, "/anthropic/v1/models/openai/o3", GW_ROUTE_LOCAL, GW_LOCAL_MODEL,
         GW_DIALECT_ANTHROPIC, "openai/o3"},
        {GW_METHOD_GET, "/v1beta/models", GW_ROUTE_LOCAL, GW_LOCAL_MODELS, GW_DIALECT_GEMINI, ""},
        {GW_METHOD_GET, "/v1beta/models/m", GW_ROUTE_LOCAL, GW_LOCAL_MODEL, GW_DIALECT_GEMINI, "m"},
        {GW_METHOD_GET, "/api/tags", GW_ROUTE_LOCAL, GW_LOCAL_MODELS, GW_DIALECT_OLLAMA, ""},
        {GW_METHOD_POST, "/api/show", GW_ROUTE_JSON, GW_LOCAL_SHOW, GW_DIALECT_OLLAMA, ""},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_route route = gw_route_find(cases[i].method, gw_str_from_c(cases[i].path));
        assert_int_equal(route.kind, cases[i].kind);
        assert_int_equal(route.local, cases[i].local);
        assert_int_equal(route.dialect, cases[i].dialect);
        assert_str(route.path_model, cases[i].model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_paths),
        cmocka_unit_test(test_pages_without_a_key),
        cmocka_unit_test(test_pages_about_routing),
        cmocka_unit_test(test_unknown_paths),
        cmocka_unit_test(test_model_lists_of_other_dialects),
        cmocka_unit_test(test_wrong_methods_name_the_right_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
