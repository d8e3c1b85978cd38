/* SPDX-License-Identifier: MIT */
/* config/build_origin: sharing, proxies, trust and HTTP/2 of endpoints. */
#include "config/build_int.h"

#include "load_fixture.h"

/* The origin of the only model, which is configured with |params|. */
static const struct gw_origin *origin_of(const char *params, const char *top,
                                         const char *const *environment)
{
    char yaml[512];
    (void)snprintf(
        yaml, sizeof(yaml),
        "model_list:\n- {model_name: m, litellm_params: {model: openai_like/x, %s}}\n%s\n", params,
        top);
    assert_good(yaml, environment, 0);
    return deployment_of("m", 0)->origin;
}

static void addresses_are_split(void **state)
{
    (void)state;
    const struct gw_origin *origin = origin_of("api_base: 'https://API.Example.com/v1/'", "", NULL);
    assert_text(origin->host, "api.example.com");
    assert_text(origin->host_header, "api.example.com");
    assert_int_equal(origin->port, 443);
    assert_true(origin->is_tls);
    assert_text(deployment_of("m", 0)->base_path, "/v1");

    origin = origin_of("api_base: 'http://h:8000'", "", NULL);
    assert_text(origin->host_header, "h:8000");
    assert_false(origin->is_tls);
    assert_null(origin->tls);
    assert_text(deployment_of("m", 0)->base_path, "");

    origin = origin_of("api_base: 'http://[::1]:80/v1'", "", NULL);
    assert_text(origin->host, "::1");
    assert_text(origin->host_header, "[::1]");

    origin = origin_of("api_base: 'unix:/run/x.sock:/v1'", "", NULL);
    assert_text(origin->unix_path, "/run/x.sock");
    assert_text(origin->host_header, "localhost");
    assert_text(deployment_of("m", 0)->base_path, "/v1");
}

static void local_servers_get_their_usual_path(void **state)
{
    (void)state;
    assert_good(
        "model_list:\n"
        "- {model_name: m, litellm_params: {model: ollama/x, api_base: 'http://h:11434'}}\n"
        "- {model_name: n, litellm_params: {model: vllm/x, api_base: 'http://h:1/other/'}}\n",
        NULL, 0);
    assert_text(deployment_of("m", 0)->base_path, "/v1");
    assert_text(deployment_of("n", 0)->base_path, "/other");
}

static void equal_places_are_one_origin(void **state)
{
    (void)state;
    assert_good(
        "model_list:\n"
        "- {model_name: a, litellm_params: {model: openai_like/x, api_base: 'https://h/v1'}}\n"
        "- {model_name: b, litellm_params: {model: openai_like/y, api_base: 'https://H:443/v2'}}\n"
        "- {model_name: c, litellm_params: {model: openai_like/y, api_base: 'https://h:444/v1'}}\n"
        "- {model_name: d, litellm_params: {model: openai_like/y, api_base: 'http://h:443/v1'}}\n"
        "- {model_name: e, litellm_params: {model: openai_like/y, api_base: 'https://h', insecure: "
        "true}}\n"
        "- {model_name: f, litellm_params: {model: openai_like/y, api_base: 'https://h', http2: "
        "off}}\n"
        "- {model_name: g, litellm_params: {model: openai_like/y, api_base: 'https://h', "
        "ssl_verify: "
        "false}}\n",
        NULL, 0);
    assert_int_equal(snapshot->origin_count, 5);
    assert_ptr_equal(deployment_of("a", 0)->origin, deployment_of("b", 0)->origin);
    assert_ptr_equal(deployment_of("e", 0)->origin, deployment_of("g", 0)->origin);
    assert_ptr_equal(deployment_of("a", 0)->origin->tls, deployment_of("c", 0)->origin->tls);
    assert_ptr_not_equal(deployment_of("a", 0)->origin->tls, deployment_of("e", 0)->origin->tls);
    assert_int_equal(deployment_of("f", 0)->origin->http2, GW_HTTP2_OFF);
    for (size_t i = 0; i < snapshot->origin_count; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_false(gw_str_eq(snapshot->origins[i]->key, snapshot->origins[j]->key));
        }
    }
}

static void keys_stay_the_same_over_a_reload(void **state)
{
    (void)state;
    static const char *const environment[] = {"HTTPS_PROXY=http://u:p@proxy:3128", NULL};
    const struct gw_origin *origin = origin_of("api_base: 'https://h/v1'", "", environment);
    char key[512];
    (void)snprintf(key, sizeof(key), GW_STR_FMT, GW_STR_ARG(origin->key));
    assert_true(gw_str_find(origin->key, GW_STR("u:p")) == origin->key.len);
    origin = origin_of("api_base: 'https://h/v1', timeout: 5", "", environment);
    assert_text(origin->key, key);
    static const char *const other[] = {"HTTPS_PROXY=http://u:q@proxy:3128", NULL};
    origin = origin_of("api_base: 'https://h/v1'", "", other);
    assert_false(gw_str_eq(origin->key, gw_str_from_c(key)));
}

static void proxies_come_from_the_environment_or_the_file(void **state)
{
    (void)state;
    static const char *const environment[] = {"https_proxy=http://us%65r:p%40ss@proxy.local:3128",
                                              "HTTP_PROXY=plain:3129",
                                              "NO_PROXY=.internal, exact.com,10.0.0.1:99", NULL};
    const struct gw_origin *origin = origin_of("api_base: 'https://h/v1'", "", environment);
    assert_text(origin->proxy_host, "proxy.local");
    assert_int_equal(origin->proxy_port, 3128);
    assert_text(origin->proxy_authorization, "Basic dXNlcjpwQHNz"); /* user:p@ss */
    origin = origin_of("api_base: 'http://h/v1'", "", environment);
    assert_text(origin->proxy_host, "plain");
    assert_int_equal(origin->proxy_port, 3129);
    assert_int_equal(origin->proxy_authorization.len, 0);
    origin = origin_of("api_base: 'http://10.0.0.1:99/v1'", "", environment);
    assert_int_equal(origin->proxy_host.len, 0);
    origin = origin_of("api_base: 'https://h', proxy: 'http://own:1'", "", environment);
    assert_text(origin->proxy_host, "own");
    origin = origin_of("api_base: 'https://h', proxy: off", "", environment);
    assert_int_equal(origin->proxy_host.len, 0);
    origin = origin_of("api_base: 'https://h'", "upstream: {proxy: 'http://all:2'}", environment);
    assert_text(origin->proxy_host, "all");
    origin = origin_of("api_base: 'http://127.0.0.1:8000'", "upstream: {proxy: 'http://all:2'}",
                       environment);
    assert_int_equal(origin->proxy_host.len, 0);
    origin = origin_of("api_base: 'unix:/x'", "upstream: {proxy: 'http://all:2'}", environment);
    assert_int_equal(origin->proxy_host.len, 0);
}

static void unusable_proxies_are_refused(void **state)
{
    (void)state;
    static const char yaml[] = "model_list:\n- {model_name: m, litellm_params: {model: "
                               "openai_like/x, api_base: 'https://h'}}\n";
    static const char *const socks[] = {"HTTPS_PROXY=socks5://h:1", NULL};
    static const char *const tls[] = {"HTTPS_PROXY=https://h:1", NULL};
    static const char *const escape[] = {"HTTPS_PROXY=http://a%zz:b@h:1", NULL};
    assert_bad(yaml, socks, 0, "HTTPS_PROXY", "the proxy is not usable");
    assert_bad(yaml, tls, 0, "HTTPS_PROXY", "only http:// proxies");
    assert_bad(yaml, escape, 0, "HTTPS_PROXY", "user and password");
}

static void no_proxy_is_read_as_curl_reads_it(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        const char *host;
        bool is_bypassed;
    } cases[] = {
        {"", "example.com", false},
        {"*", "example.com", true},
        {"example.com", "example.com", true},
        {"example.com", "api.example.com", true},
        {"example.com", "notexample.com", false},
        {".example.com", "api.example.com", true},
        {".example.com", "example.com", true},
        {"*.example.com", "api.example.com", true},
        {"EXAMPLE.com", "Api.Example.COM", true},
        {"a.com , b.com", "b.com", true},
        {",,", "b.com", false},
        {"example.com:443", "example.com", true},
        {"example.com:444", "example.com", false},
        {"", "localhost", true},
        {"", "127.8.8.8", true},
        {"", "::1", true},
        {"", "x.localhost", true},
        {"", "128.0.0.1", false},
        {"", "::2", false},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        if (gw_proxy_is_bypassed(gw_str_from_c(cases[i].list), gw_str_from_c(cases[i].host), 443) !=
            cases[i].is_bypassed) {
            fail_msg("NO_PROXY=%s, host %s", cases[i].list, cases[i].host);
        }
    }
}

static void trust_can_be_set_for_all(void **state)
{
    (void)state;
    assert_good("litellm_settings: {ssl_verify: false}\n"
                "upstream: {http2: prior}\n"
                "model_list:\n"
                "- {model_name: a, litellm_params: {model: openai_like/x, api_base: 'https://h'}}\n"
                "- {model_name: b, litellm_params: {model: openai_like/x, api_base: 'https://h', "
                "ssl_verify: true}}\n",
                NULL, 0);
    assert_int_equal(snapshot->origin_count, 2);
    assert_int_equal(deployment_of("a", 0)->origin->http2, GW_HTTP2_PRIOR);
    static const char *const environment[] = {"SSL_VERIFY=False", NULL};
    const struct gw_origin *origin = origin_of("api_base: 'https://h'", "", environment);
    assert_true(gw_str_find(origin->key, GW_STR("insecure=1")) < origin->key.len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(addresses_are_split, fixture_teardown),
        cmocka_unit_test_teardown(local_servers_get_their_usual_path, fixture_teardown),
        cmocka_unit_test_teardown(equal_places_are_one_origin, fixture_teardown),
        cmocka_unit_test_teardown(keys_stay_the_same_over_a_reload, fixture_teardown),
        cmocka_unit_test_teardown(proxies_come_from_the_environment_or_the_file, fixture_teardown),
        cmocka_unit_test_teardown(unusable_proxies_are_refused, fixture_teardown),
        cmocka_unit_test_teardown(no_proxy_is_read_as_curl_reads_it, fixture_teardown),
        cmocka_unit_test_teardown(trust_can_be_set_for_all, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
