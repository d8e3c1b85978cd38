/* SPDX-License-Identifier: MIT */
/* config/build_models, model_list, build_aliases: LiteLLM's model_list and its relatives. */
#include "load_fixture.h"

static const char *const keys[] = {"OPENAI_API_KEY=sk-env", "GROQ_API_KEY=gsk", NULL};

static void a_litellm_file_is_served_as_it_is(void **state)
{
    (void)state;
    static const char yaml[] = "model_list:\n"
                               "  - model_name: gpt-4o\n"
                               "    litellm_params:\n"
                               "      model: openai/gpt-4o-2024-08-06\n"
                               "      api_key: os.environ/OPENAI_API_KEY\n"
                               "      organization: org-1\n"
                               "      timeout: 30\n"
                               "      stream_timeout: 2.5\n"
                               "      extra_headers: {X-Team: blue}\n"
                               "  - model_name: gpt-4o\n"
                               "    litellm_params:\n"
                               "      model: groq/openai/gpt-oss-120b\n"
                               "      api_key: literal-key\n"
                               "    model_info: {id: my-own-id}\n";
    assert_good(yaml, keys, 0);
    const struct gw_deployment *first = deployment_of("gpt-4o", 0);
    assert_text(first->id, "gpt-4o#1");
    assert_text(first->upstream_model, "gpt-4o-2024-08-06");
    assert_text(first->base_path, "/v1");
    assert_text(first->origin->host, "api.openai.com");
    assert_int_equal(first->origin->port, 443);
    assert_true(first->origin->is_tls);
    assert_non_null(first->origin->tls);
    assert_true(gw_secret_eq(gw_deployment_secret(first, 0), GW_STR("sk-env")));
    assert_text(first->organization, "org-1");
    assert_int_equal(first->timeouts.total_ms, 30000);
    assert_int_equal(first->timeouts.stream_first_byte_ms, 2500);
    assert_int_equal(first->timeouts.first_byte_ms, 600000);
    assert_int_equal(first->timeouts.stream_total_ms, 0);
    assert_int_equal(first->extra_header_count, 1);
    assert_text(first->extra_headers[0].name, "x-team");
    assert_text(first->extra_headers[0].value, "blue");
    assert_int_equal(first->weight, 1);
    const struct gw_deployment *second = deployment_of("gpt-4o", 1);
    assert_text(second->id, "my-own-id");
    assert_text(second->upstream_model, "openai/gpt-oss-120b");
    assert_text(second->base_path, "/openai/v1");
    assert_true(gw_secret_eq(gw_deployment_secret(second, 0), GW_STR("literal-key")));
    assert_ptr_equal(snapshot->origins[second->origin_index], second->origin);
    assert_int_equal(snapshot->origin_count, 2);
}

static void models_lead_to_their_providers(void **state)
{
    (void)state;
    static const struct {
        const char *params;
        const char *provider;
        const char *upstream;
    } cases[] = {
        {"model: openai/gpt-4o", "openai", "gpt-4o"},
        {"model: gpt-4o", "openai", "gpt-4o"},
        {"model: groq/compound", "groq", "compound"},
        {"model: hosted_vllm/meta/llama, api_base: 'http://h:1/v1'", "vllm", "meta/llama"},
        {"model: llama3, custom_llm_provider: ollama", "ollama", "llama3"},
        {"model: ollama/llama3, custom_llm_provider: ollama", "ollama", "llama3"},
        {"model: x, api_base: 'http://h:1'", "openai_like", "x"},
        {"model: custom_openai/a/b, api_base: 'http://h:1'", "openai_like", "a/b"},
        {"model: text-completion-openai/gpt-3.5-turbo-instruct", "openai",
         "gpt-3.5-turbo-instruct"},
        {"model: gatewire/demo", "gatewire", "demo"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        char yaml[256];
        (void)snprintf(yaml, sizeof(yaml), "model_list:\n- model_name: m\n  litellm_params: {%s}\n",
                       cases[i].params);
        assert_good(yaml, keys, 0);
        assert_upstream("m", cases[i].provider, cases[i].upstream);
    }
}

static void other_forms_of_entries_are_understood(void **state)
{
    (void)state;
    assert_good(
        "model_list:\n"
        "- model_name: gpt-4o\n" /* PLLM's README: no model at all */
        "  litellm_params: {api_key: k1}\n"
        "- model_name: a\n"
        "  params: {model: openai/gpt-4.1, api_key: k2, org_id: o, project_id: p}\n"
        "- model_name: b\n"
        "  provider: {type: openai, model: gpt-4.1, api_key: k3, base_url: 'http://h:8/x/'}\n"
        "  timeout: 60s\n"
        "- model_name: c\n"
        "  provider: groq\n"
        "  model: llama\n"
        "- model_name: d\n"
        "  enabled: false\n"
        "  params: {model: openai/gpt-4.1}\n",
        keys, 0);
    assert_upstream("gpt-4o", "openai", "gpt-4o");
    assert_text(deployment_of("a", 0)->organization, "o");
    assert_text(deployment_of("a", 0)->project, "p");
    assert_text(deployment_of("b", 0)->base_path, "/x");
    assert_int_equal(deployment_of("b", 0)->timeouts.total_ms, 60000);
    assert_upstream("c", "groq", "llama");
    assert_int_equal(deployments_of("d"), 0);
}

static void wildcards_hand_the_name_on(void **state)
{
    (void)state;
    assert_good("model_list:\n"
                "- {model_name: 'openai/*', litellm_params: {model: 'openai/*'}}\n"
                "- {model_name: 'my-*', litellm_params: {model: 'openai/gpt-*'}}\n"
                "- {model_name: '*', litellm_params: {model: 'groq/*'}}\n"
                "- {model_name: 'fix/*', litellm_params: {model: openai/gpt-4o}}\n",
                keys, 0);
    assert_upstream("openai/o3", "openai", "o3");
    assert_upstream("my-5", "openai", "gpt-5");
    assert_upstream("llama-3.3", "groq", "llama-3.3");
    assert_upstream("fix/anything", "openai", "gpt-4o");
    assert_bad("model_list:\n- {model_name: a, litellm_params: {model: 'openai/*'}}\n", keys, 2,
               "model_list[0]", "model_name has none");
    assert_bad("model_list:\n- {model_name: 'a*', litellm_params: {model: 'openai/*-*'}}\n", keys,
               2, "model_list[0]", "there can be one");
    assert_good("model_list:\n- {model_name: 'a*b', litellm_params: {model: openai/x}}\n", keys, 1);
    assert_finding(false, 2, "model_list[0]", "only at the end");
}

static void several_keys_take_turns(void **state)
{
    (void)state;
    static const char *const many[] = {"OPENAI_API_KEY=a",    "OPENAI_API_KEYS=b, a ,c",
                                       "OPENAI_API_KEY_2=d",  "OPENAI_API_KEY_EAST=e",
                                       "OPENAI_API_KEY_10=f", NULL};
    assert_good("model_list:\n- {model_name: m, litellm_params: {model: openai/x}}\n", many, 0);
    assert_int_equal(deployments_of("m"), 1);
    assert_int_equal(deployment_of("m", 0)->key_count, 6);
    static const char *const order[] = {"a", "b", "c", "d", "f", "e"};
    for (size_t i = 0; i < 6; i++) {
        assert_true(
            gw_secret_eq(gw_deployment_secret(deployment_of("m", 0), i), gw_str_from_c(order[i])));
    }
    assert_text(deployment_of("m", 0)->id, "m#1");
}

static void an_entry_that_cannot_be_served_is_left_out(void **state)
{
    (void)state;
    assert_good("model_list:\n"
                "- model_name: a\n"
                "  litellm_params:\n"
                "    model: openai/x\n"
                "    api_key: os.environ/NO_SUCH_KEY\n"
                "- {model_name: b, litellm_params: {model: replicate/x}}\n"
                "- {model_name: c, litellm_params: {model: mistral/x}}\n"
                "- {model_name: d, litellm_params: {model: unheard-of}}\n"
                "- {model_name: a, litellm_params: {model: openai/y}}\n",
                keys, 4);
    assert_finding(false, 5, "model_list[0].litellm_params.api_key", "NO_SUCH_KEY is not set");
    assert_finding(false, 6, "model_list[1]", "provider \"replicate\" is not served");
    assert_finding(false, 7, "model_list[2]", "environment has no MISTRAL_API_KEY");
    assert_finding(false, 8, "model_list[3]", "no provider is known");
    assert_int_equal(deployments_of("a"), 1);
    assert_text(deployment_of("a", 0)->id, "a#2"); /* the one left out keeps its number */
    assert_int_equal(deployments_of("b"), 0);
    assert_int_equal(deployments_of("gatewire/demo"), 1);
}

static void vendors_keys_go_to_the_vendor_only(void **state)
{
    (void)state;
    assert_good(
        "model_list:\n"
        "- model_name: eu\n"
        "  litellm_params: {model: openai/x, api_base: 'https://eu.api.openai.com/v1'}\n"
        "- model_name: evil\n"
        "  litellm_params: {model: openai/x, api_base: 'https://evilapi.openai.com/v1'}\n"
        "- model_name: plain\n"
        "  litellm_params: {model: openai/x, api_base: 'http://api.openai.com/v1'}\n"
        "- model_name: local\n"
        "  litellm_params: {model: groq/x, api_base: 'http://127.0.0.1:1/v1', api_key: k}\n",
        keys, 2);
    assert_non_null(gw_deployment_secret(deployment_of("eu", 0), 0));
    assert_null(gw_deployment_secret(deployment_of("evil", 0), 0));
    assert_null(gw_deployment_secret(deployment_of("plain", 0), 0));
    assert_true(gw_secret_eq(gw_deployment_secret(deployment_of("local", 0), 0), GW_STR("k")));
    assert_finding(false, 4, "model_list[1]", "OPENAI_API_KEY is not sent");
}

static void credentials_are_looked_up_by_name(void **state)
{
    (void)state;
    assert_good(
        "credential_list:\n"
        "- credential_name: east\n"
        "  credential_values: {api_key: k-east, api_base: 'http://east:1/v1'}\n"
        "- credential_name: broken\n"
        "  credential_values: {api_key: os.environ/NONE}\n"
        "model_list:\n"
        "- {model_name: a, litellm_params: {model: openai/x, litellm_credential_name: east}}\n"
        "- {model_name: b, litellm_params: {model: openai/x, litellm_credential_name: broken}}\n",
        NULL, 1);
    assert_true(gw_secret_eq(gw_deployment_secret(deployment_of("a", 0), 0), GW_STR("k-east")));
    assert_text(deployment_of("a", 0)->origin->host, "east");
    assert_finding(false, 5, "credential_list[1].credential_values.api_key",
                   "model \"b\" is left out");
    assert_bad(
        "model_list:\n"
        "- {model_name: a, litellm_params: {model: openai/x, litellm_credential_name: nope}}\n",
        NULL, 2, "model_list[0].litellm_params.litellm_credential_name",
        "credential_list has no \"nope\"");
}

static void aliases_are_other_names(void **state)
{
    (void)state;
    assert_good("model_list:\n"
                "- {model_name: gpt-4o, litellm_params: {model: openai/gpt-4o}}\n"
                "- {model_name: 'groq/*', litellm_params: {model: 'groq/*'}}\n"
                "router_settings:\n"
                "  model_group_alias: {gpt-4: gpt-4o, hid: {model: gpt-4o, hidden: true}}\n"
                "model_aliases:\n"
                "  fast: [groq/llama]\n"
                "  both: [gpt-4o, groq/llama]\n",
                keys, 1);
    assert_upstream("gpt-4", "openai", "gpt-4o");
    assert_upstream("hid", "openai", "gpt-4o");
    assert_upstream("fast", "groq", "llama");
    assert_int_equal(deployments_of("both"), 2);
    assert_text(deployment_of("both", 1)->upstream_model, "llama");
    assert_text(deployment_of("both", 0)->id, "both#gpt-4o#1");
    assert_good("model_list:\n- {model_name: gpt-4o, litellm_params: {model: openai/x}}\n"
                "model_aliases: {a: gpt-4p}\n",
                keys, 1);
    assert_finding(false, 3, "model_aliases.a", "did you mean \"gpt-4o\"");
    assert_bad("model_list:\n- {model_name: a, litellm_params: {model: openai/x}}\n"
               "- {model_name: b, litellm_params: {model: openai/x}}\n"
               "model_aliases: {a: b}\n",
               keys, 4, "model_aliases.a", "is the name of a model already");
}

static void deployments_can_be_named(void **state)
{
    (void)state;
    assert_good("deployments:\n"
                "  east: {model: openai/x, api_key: e, api_base: 'http://e:1/v1'}\n"
                "  west: {model: openai/x, api_key: w, api_base: 'http://w:1/v1'}\n"
                "  lost: {model: openai/x, api_key: os.environ/NONE}\n"
                "model_list:\n"
                "- {model_name: m, deployments: [east, west, lost, other]}\n"
                "- {model_name: other, litellm_params: {model: groq/y}}\n",
                keys, 1);
    assert_int_equal(deployments_of("m"), 3);
    assert_text(deployment_of("m", 1)->origin->host, "w");
    assert_text(deployment_of("m", 2)->upstream_model, "y");
    assert_finding(false, 4, "deployments.lost.api_key", "NONE is not set");
}

static void weights_come_from_three_places(void **state)
{
    (void)state;
    static const char *const forms[] = {"weight: 3, rpm: 100", "rpm: 10", "tpm: 1000", "order: 1"};
    static const uint64_t whole[] = {3, 10, 1000, 1};
    for (size_t i = 0; i < GW_ARRAY_LEN(forms); i++) {
        char yaml[256];
        (void)snprintf(yaml, sizeof(yaml),
                       "model_list:\n- {model_name: m, litellm_params: {model: openai/x, %s}}\n",
                       forms[i]);
        assert_int_equal(load(yaml, keys), GW_OK);
        assert_int_equal(deployment_of("m", 0)->weight, whole[i]);
    }
    assert_good("model_list:\n"
                "- {model_name: m, litellm_params: {model: openai/x, weight: 0.7}}\n"
                "- {model_name: m, litellm_params: {model: openai/y, weight: 0.3}}\n"
                "- {model_name: m, litellm_params: {model: openai/y, weight: 0.0001}}\n",
                keys, 0);
    assert_int_equal(deployment_of("m", 0)->weight, 700);
    assert_int_equal(deployment_of("m", 1)->weight, 300);
    assert_int_equal(deployment_of("m", 2)->weight, 1);
    assert_bad("model_list:\n- {model_name: m, litellm_params: {model: openai/x, weight: -1}}\n",
               keys, 2, "model_list[0].litellm_params.weight", "expected a number above 0");
}

static void mistakes_are_errors_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *entry;
        const char *path;
        const char *words;
    } cases[] = {
        {"{litellm_params: {model: openai/x}}", "model_list[0]", "expected model_name"},
        {"{model_name: '', litellm_params: {model: openai/x}}", "model_list[0].model_name",
         "expected model_name"},
        {"{model_name: 5, litellm_params: {model: openai/x}}", "model_list[0].model_name",
         "expected model_name"},
        {"{model_name: \"a\\nb\", litellm_params: {model: openai/x}}", "model_list[0].model_name",
         "without control characters"},
        {"gpt-4o", "model_list[0]", "expected a map"},
        {"{model_name: m, litellm_params: {model: openai/x, api_base: 'ftp://h'}}",
         "model_list[0].litellm_params.api_base", "https://host/v1"},
        {"{model_name: m, litellm_params: {model: openai/x, api_base: 'http://u:p@h'}}",
         "model_list[0].litellm_params.api_base", "use api_key"},
        {"{model_name: m, litellm_params: {model: openai/x, api_base: 'http://h?a=b'}}",
         "model_list[0].litellm_params.api_base", "query"},
        {"{model_name: m, litellm_params: {model: openai/x, api_key: 12}}",
         "model_list[0].litellm_params.api_key", "expected a text"},
        {"{model_name: m, litellm_params: {model: openai/x, timeout: soon}}",
         "model_list[0].litellm_params.timeout", "expected a duration"},
        {"{model_name: m, litellm_params: {model: openai/x, extra_headers: {a b: c}}}",
         "model_list[0].litellm_params.extra_headers.a b", "the name has"},
        {"{model_name: m, litellm_params: {model: openai/x, extra_headers: {Host: c}}}",
         "model_list[0].litellm_params.extra_headers.Host", "writes this field itself"},
        {"{model_name: m, litellm_params: {model: openai/x, extra_headers: {A: \"b\\nc\"}}}",
         "model_list[0].litellm_params.extra_headers.A", "control character"},
        {"{model_name: m, litellm_params: {model: openai/x, extra_headers: [a]}}",
         "model_list[0].litellm_params.extra_headers", "expected a map of header"},
        {"{model_name: m, litellm_params: {model: openai_like/x}}", "model_list[0]",
         "needs api_base"},
        {"{model_name: m, litellm_params: {model: openai/x, http2: maybe}}",
         "model_list[0].litellm_params.http2", "auto, off or prior"},
        {"{model_name: m, litellm_params: [1]}", "model_list[0].litellm_params", "expected a map"},
        {"{model_name: m, litellm_params: {model: openai/x, ca_file: /no/such/file}}",
         "model_list[0]", "/no/such/file"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        char yaml[256];
        (void)snprintf(yaml, sizeof(yaml), "model_list:\n- %s\n", cases[i].entry);
        assert_bad(yaml, keys, 2, cases[i].path, cases[i].words);
    }
    assert_bad("model_list: {a: b}\n", keys, 1, "model_list", "expected a list of models");
    assert_bad("model_list:\n"
               "- {model_name: a, litellm_params: {model: openai/x}, model_info: {id: i}}\n"
               "- {model_name: b, litellm_params: {model: openai/x}, model_info: {id: i}}\n",
               keys, 3, "model_list[1].model_info.id", "another model has this id");
}

static void no_message_shows_a_secret(void **state)
{
    (void)state;
    static const char *const secret[] = {"SECRET=topsecret", NULL};
    static const char yaml[] =
        "model_list:\n"
        "- {model_name: m, litellm_params: {model: \"openai/x\", api_key: [topsecret]}}\n"
        "- {model_name: m, litellm_params: {model: openai/x, timeout: \"${SECRET}\"}}\n"
        "- {model_name: m, litellm_params: {model: openai/x, api_base: \"${SECRET}\"}}\n"
        "- {model_name: m, litellm_params: {model: openai/x, extra_headers: {A: "
        "\"topsecret\\n\\x01\"}}}\n"
        "general_settings: {master_key: {topsecret: 1}}\n"
        "auth: {master_key: \"topsecret topsecret\"}\n"
        "upstream: {proxy: \"http://u:topsecret@h:x\"}\n"
        "server: {port: \"${SECRET}\", workers: \"${SECRET}\"}\n";
    assert_int_equal(load(yaml, secret), GW_ERR_INVALID);
    assert_true(report.error_count >= 8);
    for (size_t i = 0; i < report.count; i++) {
        struct gw_str message = report.issues[i].message;
        if (gw_str_find(message, GW_STR("topsecret")) < message.len) {
            print_report();
            fail_msg("a secret is shown");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_litellm_file_is_served_as_it_is, fixture_teardown),
        cmocka_unit_test_teardown(models_lead_to_their_providers, fixture_teardown),
        cmocka_unit_test_teardown(other_forms_of_entries_are_understood, fixture_teardown),
        cmocka_unit_test_teardown(wildcards_hand_the_name_on, fixture_teardown),
        cmocka_unit_test_teardown(several_keys_take_turns, fixture_teardown),
        cmocka_unit_test_teardown(an_entry_that_cannot_be_served_is_left_out, fixture_teardown),
        cmocka_unit_test_teardown(vendors_keys_go_to_the_vendor_only, fixture_teardown),
        cmocka_unit_test_teardown(credentials_are_looked_up_by_name, fixture_teardown),
        cmocka_unit_test_teardown(aliases_are_other_names, fixture_teardown),
        cmocka_unit_test_teardown(deployments_can_be_named, fixture_teardown),
        cmocka_unit_test_teardown(weights_come_from_three_places, fixture_teardown),
        cmocka_unit_test_teardown(mistakes_are_errors_with_their_place, fixture_teardown),
        cmocka_unit_test_teardown(no_message_shows_a_secret, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
