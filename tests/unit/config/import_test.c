/* SPDX-License-Identifier: MIT */
/* config/import_litellm: every field is reported, and the result means what the input meant. */
#include "base/alloc.h"
#include "config/schema_check_int.h"
#include "policy/routing.h"

#include "load_fixture.h"

static struct gw_buf out;
static struct gw_buf findings;

static int setup(void **state)
{
    (void)state;
    gw_buf_init(&out, 16u << 20);
    gw_buf_init(&findings, 16u << 20);
    return 0;
}

static int teardown(void **state)
{
    gw_buf_fini(&out);
    gw_buf_fini(&findings);
    return fixture_teardown(state);
}

static enum gw_err import(const char *yaml)
{
    gw_buf_reset(&out);
    gw_buf_reset(&findings);
    return gw_config_import_text(gw_str_from_c(yaml), GW_STR("litellm.yaml"), &out, &findings);
}

static void assert_has(const struct gw_buf *buf, const char *words)
{
    if (gw_str_find(gw_buf_str(buf), gw_str_from_c(words)) == buf->len) {
        fail_msg("\"%s\" is not in:\n%.*s", words, (int)buf->len, buf->ptr);
    }
}

static void assert_has_not(const struct gw_buf *buf, const char *words)
{
    if (gw_str_find(gw_buf_str(buf), gw_str_from_c(words)) < buf->len) {
        fail_msg("\"%s\" is in:\n%.*s", words, (int)buf->len, buf->ptr);
    }
}

static const char *const keys[] = {"OPENAI_API_KEY=sk-env", "MASTER=sk-master", NULL};

static const char litellm[] = "model_list:\n"
                              "  - model_name: gpt-4o\n"
                              "    litellm_params:\n"
                              "      model: openai/gpt-4o\n"
                              "      api_key: os.environ/OPENAI_API_KEY\n"
                              "      rpm: 60\n"
                              "      temperature: 0.1\n"
                              "  - model_name: 'openai/*'\n"
                              "    litellm_params: {model: 'openai/*', api_key: 'a: \"b\" #c'}\n"
                              "  - model_name: claude\n"
                              "    litellm_params: {model: replicate/claude}\n"
                              "litellm_settings:\n"
                              "  request_timeout: 600\n"
                              "  ssl_verify: false\n"
                              "  drop_params: true\n"
                              "router_settings:\n"
                              "  timeout: 30\n"
                              "  model_group_alias: {gpt-4: gpt-4o, '5': gpt-4o}\n"
                              "  num_retries: 2\n"
                              "general_settings:\n"
                              "  master_key: os.environ/MASTER\n"
                              "environment_variables: {X: '1', Y: 2}\n"
                              "unheard_of: {a: b}\n";

static void every_field_is_reported(void **state)
{
    (void)state;
    assert_int_equal(import(litellm), GW_OK);
    assert_has(&findings, "exact         line 2     model_list[0].model_name\n");
    assert_has(&findings,
               "changed       line 5     model_list[0].litellm_params.api_key: os.environ");
    assert_has(&findings, "not supported line 7     model_list[0].litellm_params.temperature");
    assert_has(&findings,
               "not supported line 11    model_list[2].litellm_params.model: the provider");
    assert_has(&findings, "changed       line 13    litellm_settings.request_timeout: another key");
    assert_has(&findings, "changed       line 14    litellm_settings.ssl_verify");
    assert_has(&findings, "changed       line 17    router_settings.timeout: is written upstream");
    assert_has(&findings, "exact         line 18    router_settings.model_group_alias.gpt-4\n");
    assert_has(&findings,
               "changed       line 19    router_settings.num_retries: is written router");
    assert_has(&findings, "changed       line 6     model_list[0].litellm_params.rpm: is a limit");
    assert_has(&findings,
               "changed       line 21    general_settings.master_key: is written auth.master");
    assert_has(&findings, "not supported line 23    unheard_of: unknown key");
    assert_has(&findings, "11 exact, 8 changed, 3 not supported\n");
    assert_has(&out,
               "# line 7: model_list[0].litellm_params.temperature - not used by this version");
    assert_has(&findings, "exact         line 15    litellm_settings.drop_params\n");
    assert_has(&out, "drop_params: true");
    assert_has(&out, "api_key: ${OPENAI_API_KEY}");
    assert_has(&out, "provider replicate: the model is left out");
    assert_has_not(&findings, "\"b\"");
}

/* The catalog as a text: groups, and what their deployments ask for. */
static void describe(struct gw_buf *text)
{
    gw_buf_reset(text);
    for (size_t i = 0; i < gw_catalog_group_count(snapshot->catalog); i++) {
        const struct gw_model_group *group = gw_catalog_group(snapshot->catalog, i);
        for (size_t j = 0; j < group->deployment_count; j++) {
            const struct gw_deployment *deployment = group->deployments[j];
            (void)gw_buf_appendf(
                text, GW_STR_FMT " " GW_STR_FMT " " GW_STR_FMT " " GW_STR_FMT " %llu %llu\n",
                GW_STR_ARG(deployment->id), GW_STR_ARG(deployment->upstream_model),
                GW_STR_ARG(gw_secret_reveal(gw_deployment_secret(deployment, 0))),
                GW_STR_ARG(deployment->origin == NULL ? GW_STR("") : deployment->origin->key),
                (unsigned long long)deployment->weight,
                (unsigned long long)deployment->timeouts.total_ms);
        }
    }
    (void)gw_buf_appendf(text, "keys %zu\n", snapshot->access.key_count);
}

static void the_result_means_the_same(void **state)
{
    (void)state;
    struct gw_buf before;
    struct gw_buf after;
    gw_buf_init(&before, 1u << 20);
    gw_buf_init(&after, 1u << 20);
    assert_int_equal(load(litellm, keys), GW_OK);
    describe(&before);
    assert_int_equal(import(litellm), GW_OK);
    assert_int_equal(gw_buf_append_byte(&out, '\0'), GW_OK);
    if (load(out.ptr, keys) != GW_OK) {
        print_report();
        fail_msg("the result does not load:\n%s", out.ptr);
    }
    describe(&after);
    if (!gw_str_eq(gw_buf_str(&before), gw_buf_str(&after))) {
        fail_msg("before:\n%.*s\nafter:\n%.*s\n%s", (int)before.len, before.ptr, (int)after.len,
                 after.ptr, out.ptr);
    }
    assert_int_equal(deployments_of("5"), 1);
    assert_int_equal(deployments_of("gpt-4"), 1);
    gw_buf_fini(&before);
    gw_buf_fini(&after);
}

static const char router[] =
    "router_settings:\n"
    "  routing_strategy: least-busy\n"
    "  num_retries: 2\n"
    "  allowed_fails: 3\n"
    "  cooldown_time: 60\n"
    "  retry_after: 4\n"
    "  enable_tag_filtering: true\n"
    "  enforce_model_rate_limits: true\n"
    "  fallbacks: [{a: [b, c]}]\n"
    "  context_window_fallbacks: [{a: [c]}]\n"
    "  default_fallbacks: [c]\n"
    "  optional_pre_call_checks: [x, prompt_caching]\n"
    "  retry_policy: {TimeoutErrorRetries: 3}\n"
    "  allowed_fails_policy: {TimeoutErrorAllowedFails: 6}\n"
    "  model_group_retry_policy: {b: {RateLimitErrorRetries: 1}}\n"
    "litellm_settings:\n"
    "  num_retries: 3\n"
    "  fallbacks: [{b: [c]}]\n"
    "model_list:\n"
    "- {model_name: a, litellm_params: {model: gatewire/demo, rpm: 6, order: 1}}\n"
    "- {model_name: b, litellm_params: {model: gatewire/demo, tags: [x]}}\n"
    "- {model_name: c, litellm_params: {model: gatewire/demo, cooldown_time: 5}}\n";

/* What two configurations must have in common. */
static void describe_routing(struct gw_buf *text)
{
    gw_buf_reset(text);
    for (size_t i = 0; i < gw_catalog_group_count(snapshot->catalog); i++) {
        const struct gw_model_group *group = gw_catalog_group(snapshot->catalog, i);
        const struct gw_group_routing *routing = group->routing;
        const struct gw_deployment_routing *first = group->deployments[0]->routing;
        const struct gw_name_list *lists[] = {&routing->fallbacks,
                                              &routing->context_window_fallbacks};
        (void)gw_buf_appendf(
            text, GW_STR_FMT " %d %u,%u,%u %llu %u,%u %llu %llu %d %llx:", GW_STR_ARG(group->name),
            (int)routing->strategy, routing->retry.max_retries,
            routing->retry.retries_of[GW_FAILURE_TIMEOUT],
            routing->retry.retries_of[GW_FAILURE_RATE_LIMIT],
            (unsigned long long)routing->retry.base_ms, first->breaker.failure_threshold,
            first->breaker.threshold_of[GW_FAILURE_TIMEOUT],
            (unsigned long long)first->breaker.cooldown_ms, (unsigned long long)first->limits.rpm,
            first->priority, (unsigned long long)first->tags);
        for (size_t j = 0; j < GW_ARRAY_LEN(lists); j++) {
            for (size_t k = 0; k < lists[j]->count; k++) {
                (void)gw_buf_appendf(text, " %zu=" GW_STR_FMT, j, GW_STR_ARG(lists[j]->names[k]));
            }
        }
        (void)gw_buf_append_byte(text, '\n');
    }
    (void)gw_buf_appendf(text, "tags %zu\n", snapshot->routing->tags.count);
}

static void the_router_means_the_same(void **state)
{
    (void)state;
    struct gw_buf before;
    struct gw_buf after;
    gw_buf_init(&before, 1u << 20);
    gw_buf_init(&after, 1u << 20);
    assert_int_equal(load(router, NULL), GW_OK);
    describe_routing(&before);
    assert_has(&before, "a 2 2,4,0 4000 4,7 60000 6 999999 0: 0=b 0=c 1=c\n");
    assert_has(&before, "b 2 2,0,2 4000 4,7 60000 0 0 1: 0=c\n");
    assert_int_equal(import(router), GW_OK);
    assert_int_equal(gw_buf_append_byte(&out, '\0'), GW_OK);
    if (load(out.ptr, NULL) != GW_OK) {
        print_report();
        fail_msg("the result does not load:\n%s", out.ptr);
    }
    describe_routing(&after);
    if (!gw_str_eq(gw_buf_str(&before), gw_buf_str(&after))) {
        fail_msg("before:\n%.*s\nafter:\n%.*s\n%s", (int)before.len, before.ptr, (int)after.len,
                 after.ptr, out.ptr);
    }
    gw_buf_fini(&before);
    gw_buf_fini(&after);
}

static void what_the_router_does_otherwise_is_told(void **state)
{
    (void)state;
    assert_int_equal(import(router), GW_OK);
    assert_has(&findings, "changed       line 2     router_settings.routing_strategy: is written "
                          "router.strategy\n");
    assert_has(&findings, "router_settings.allowed_fails: is written router.allowed_fails; counts");
    assert_has(&findings,
               "router_settings.cooldown_time: is written router.cooldown_time; doubles");
    assert_has(&findings,
               "changed       line 6     router_settings.retry_after: the longest first");
    assert_has(&findings, "router.enable_tag_filtering; a deployment needs all tags");
    assert_has(&findings, "exact         line 9     router_settings.fallbacks[0].a[1]\n");
    assert_has(&findings, "exact         line 13    "
                          "router_settings.retry_policy.TimeoutErrorRetries\n");
    assert_has(&findings, "changed       line 14    "
                          "router_settings.allowed_fails_policy.TimeoutErrorAllowedFails: counts");
    assert_has(&findings, "exact         line 15    "
                          "router_settings.model_group_retry_policy.b.RateLimitErrorRetries\n");
    assert_has(&findings,
               "optional_pre_call_checks[1]: prompt_caching and deployment_affinity set");
    assert_has(&findings, "litellm_settings.num_retries: another key sets router.max_retries");
    assert_has(&findings, "exact         line 18    litellm_settings.fallbacks[0].b[0]\n");
    assert_has(&findings, "exact         line 20    model_list[0].litellm_params.order\n");
    assert_has(&findings, "exact         line 20    model_list[0].litellm_params.rpm\n");
    assert_has(&findings, "model_list[2].litellm_params.cooldown_time: doubles");
    assert_has(&out, "router:\n  strategy: least-busy\n  max_retries: 2\n");
}

static void unknown_kinds_of_errors_are_told(void **state)
{
    (void)state;
    assert_int_equal(import("router_settings:\n"
                            "  retry_policy: {AuthenticationErrorRetries: 1, TimeoutRetries: 2}\n"),
                     GW_OK);
    assert_has(&findings, "not supported line 2     "
                          "router_settings.retry_policy.TimeoutRetries: unknown key\n");
    assert_has(&findings, "retry_policy.AuthenticationErrorRetries: other keys and deployments");
    assert_has(&out, "# line 2: router_settings.retry_policy.TimeoutRetries - unknown key\n");
}

static void keys_of_ours_are_not_doubled(void **state)
{
    (void)state;
    assert_int_equal(import("auth: {master_key: a}\n"
                            "general_settings: {master_key: b}\n"
                            "model_aliases: {x: gatewire/demo}\n"
                            "router_settings: {model_group_alias: {y: gatewire/demo}, timeout: 2}\n"
                            "upstream: {request_timeout: 1, insecure: false}\n"
                            "litellm_settings: {ssl_verify: true}\n"),
                     GW_OK);
    assert_int_equal(gw_buf_append_byte(&out, '\0'), GW_OK);
    assert_good(out.ptr, NULL, 0);
    assert_int_equal(snapshot->access.key_count, 2);
    assert_int_equal(deployments_of("x") + deployments_of("y"), 2);
    assert_int_equal(deployment_of("x", 0)->timeouts.total_ms, 1000);
}

/* What is ours already comes out unchanged, and a second time the same. */
static void our_own_files_stay(void **state)
{
    (void)state;
    static const char yaml[] = "auth:\n"
                               "  master_key: ${MASTER}\n"
                               "upstream:\n"
                               "  request_timeout: 30s\n"
                               "  ca_file: \"a b\"\n"
                               "server:\n"
                               "  port: 80\n"
                               "  tls:\n"
                               "    cert_file: x.pem\n"
                               "cors:\n"
                               "  allowed_origins:\n"
                               "    - https://a\n"
                               "    - \"*\"\n"
                               "model_list:\n"
                               "  - model_name: m\n"
                               "    litellm_params:\n"
                               "      model: openai/x\n"
                               "      insecure: true\n"
                               "      weight: 0.5\n"
                               "      api_key: \"\"\n"
                               "      organization: \"007\"\n";
    assert_int_equal(import(yaml), GW_OK);
    assert_has(&findings, " 0 changed, 0 not supported");
    struct gw_str written = gw_buf_str(&out);
    size_t begin = gw_str_find(written, GW_STR("auth:"));
    assert_text(gw_str_skip(written, begin), yaml);
}

static void odd_characters_survive(void **state)
{
    (void)state;
    assert_int_equal(
        import("model_list:\n"
               "- model_name: m\n"
               "  litellm_params:\n"
               "    model: \"gatewire/a\\x7fb\\x85c\\u2028d\\ufeffe\\n\\t\\u00e9\\U0001F600 \"\n"),
        GW_OK);
    assert_int_equal(gw_buf_append_byte(&out, '\0'), GW_OK);
    assert_good(out.ptr, NULL, 0);
    assert_text(deployment_of("m", 0)->upstream_model, "a\x7f"
                                                       "b\xc2\x85"
                                                       "c\xe2\x80\xa8"
                                                       "d\xef\xbb\xbf"
                                                       "e\n\t\xc3\xa9\xf0\x9f\x98\x80 ");
}

static void what_is_no_configuration_is_refused(void **state)
{
    (void)state;
    assert_int_equal(import(""), GW_ERR_INVALID);
    assert_has(&findings, "nothing in it");
    assert_int_equal(import("a: [\n"), GW_ERR_INVALID);
    assert_has(&findings, "litellm.yaml:2: not YAML");
    assert_int_equal(import("a: 1\na: 2\n"), GW_ERR_INVALID);
    assert_has(&findings, "litellm.yaml:2: the key \"a\"");
    assert_int_equal(gw_config_import("/no/such/file", &out, &findings), GW_ERR_NOT_FOUND);
    assert_int_equal(gw_config_import("/", &out, &findings), GW_ERR_INVALID);
}

static void no_memory_is_reported(void **state)
{
    (void)state;
    enum gw_err err = GW_ERR_NOMEM;
    for (uint64_t nth = 1; err != GW_OK; nth++) {
        gw_buf_fini(&out);
        gw_buf_fini(&findings);
        gw_alloc_fail_at(nth);
        err = gw_config_import_text(GW_STR(litellm), GW_STR("f"), &out, &findings);
        gw_alloc_fail_at(0);
        assert_true(err == GW_OK || err == GW_ERR_NOMEM);
        assert_true(nth < 10000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_field_is_reported, setup, teardown),
        cmocka_unit_test_setup_teardown(the_result_means_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(our_own_files_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(the_router_means_the_same, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_router_does_otherwise_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_kinds_of_errors_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(keys_of_ours_are_not_doubled, setup, teardown),
        cmocka_unit_test_setup_teardown(odd_characters_survive, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_configuration_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(no_memory_is_reported, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
