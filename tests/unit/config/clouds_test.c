/* SPDX-License-Identifier: MIT */
/* config/login: where the clouds are, who we are there, and what stays away from strangers. */
#include "load_fixture.h"

#include "control/token_book.h"
#include "llm/model_facts.h"

#define ENTRY(params) "model_list:\n- model_name: m\n  litellm_params: {" params "}\n"

static const struct gw_deployment *only(void)
{
    assert_int_equal(deployments_of("m"), 1);
    return deployment_of("m", 0);
}

static void assert_token(const char *access, const char *secret, const char *session)
{
    struct gw_token token = {0};
    assert_non_null(only()->token);
    assert_null(gw_deployment_secret(only(), 0));
    assert_true(gw_token_slot_get(only()->token, &token));
    assert_text(token.access, access);
    assert_text(token.secret, secret);
    assert_text(token.session, session);
    assert_int_equal(token.expires_at_ms, 0);
}

/* A login that the control thread would have to fetch. */
static void assert_fetched(void)
{
    struct gw_token token = {0};
    assert_non_null(only()->token);
    assert_null(gw_deployment_secret(only(), 0));
    assert_false(gw_token_slot_get(only()->token, &token));
}

static void hosts_follow_from_regions(void **state)
{
    (void)state;
    static const struct {
        const char *params;
        const char *host;
        const char *region;
        const char *model;
    } cases[] = {
        {"model: bedrock/amazon.nova-pro-v1:0, api_key: k, aws_region_name: eu-west-1",
         "bedrock-runtime.eu-west-1.amazonaws.com", "eu-west-1", "amazon.nova-pro-v1:0"},
        {"model: bedrock/converse/us.meta.llama3, api_key: k, region_name: cn-north-1",
         "bedrock-runtime.cn-north-1.amazonaws.com.cn", "cn-north-1", "us.meta.llama3"},
        {"model: bedrock/us-gov-west-1/anthropic.claude-x, api_key: k",
         "bedrock-runtime.us-gov-west-1.amazonaws.com", "us-gov-west-1", "anthropic.claude-x"},
        {"model: 'bedrock/arn:aws:bedrock:us-east-2:1:inference-profile/x', api_key: k",
         "bedrock-runtime.us-east-2.amazonaws.com", "us-east-2",
         "arn:aws:bedrock:us-east-2:1:inference-profile/x"},
        {"model: vertex_ai/gemini-3-pro, vertex_project: p-1, vertex_credentials: '{}'",
         "aiplatform.googleapis.com", "global", "gemini-3-pro"},
        {"model: vertex_ai/claude-x@1, vertex_project: p, vertex_location: us-east5, "
         "vertex_credentials: {type: service_account}",
         "us-east5-aiplatform.googleapis.com", "us-east5", "claude-x@1"},
        {"model: vertex_ai/gemini-x, vertex_project: p, vertex_location: eu, "
         "vertex_credentials: '{}'",
         "aiplatform.eu.rep.googleapis.com", "eu", "gemini-x"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        char yaml[512];
        (void)snprintf(yaml, sizeof(yaml), ENTRY("%s"), cases[i].params);
        assert_good(yaml, NULL, 0);
        assert_text(only()->origin->host, cases[i].host);
        assert_true(only()->origin->is_tls);
        assert_text(only()->region, cases[i].region);
        assert_text(only()->upstream_model, cases[i].model);
    }
    assert_good(ENTRY("model: bedrock/x, api_key: k"), NULL, 1);
    assert_finding(false, 2, "model_list[0]", "us-west-2");
    assert_text(only()->origin->host, "bedrock-runtime.us-west-2.amazonaws.com");
}

static void names_that_are_no_regions_are_refused(void **state)
{
    (void)state;
    assert_bad(ENTRY("model: bedrock/x, api_key: k, aws_region_name: 'evil.example/'"), NULL, 3,
               "model_list[0].litellm_params.aws_region_name", "name of a region");
    assert_bad(ENTRY("model: vertex_ai/x, vertex_project: 'a/b', vertex_credentials: '{}'"), NULL,
               3, "model_list[0].litellm_params.vertex_project", "id of a Google Cloud project");
    assert_bad(ENTRY("model: azure/x, api_key: k, api_base: 'https://a.openai.azure.com', "
                     "api_version: '1&x=2'"),
               NULL, 3, "model_list[0].litellm_params.api_version", "expected a version");
    assert_bad(ENTRY("model: vertex_ai/x, vertex_project: p, vertex_credentials: /nowhere.json"),
               NULL, 3, "model_list[0].litellm_params.vertex_credentials", "credentials file");
}

static void azure_addresses_are_brought_into_one_form(void **state)
{
    (void)state;
    static const struct {
        const char *base;
        const char *path;
        const char *version;
    } cases[] = {
        {"https://a.openai.azure.com", "", "2024-10-21"},
        {"https://a.openai.azure.com/openai/", "", "2024-10-21"},
        {"https://a.openai.azure.com/openai/v1/", "", "v1"},
        {"https://proxy.example/team/openai", "/team", "2024-10-21"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        char yaml[512];
        (void)snprintf(yaml, sizeof(yaml),
                       ENTRY("model: azure/gpt5_series/my-dep, api_key: k, api_base: '%s', "
                             "api_version: '2024-10-21'"),
                       cases[i].base);
        assert_good(yaml, NULL, 0);
        assert_text(only()->base_path, cases[i].path);
        assert_text(only()->api_version, cases[i].version);
        assert_text(only()->upstream_model, "my-dep");
        assert_true(gw_secret_eq(gw_deployment_secret(only(), 0), GW_STR("k")));
    }
    assert_good("model_list:\n- model_name: m\n"
                "  provider: {type: azure, azure_deployment: d, azure_endpoint: 'https://h', "
                "api_key: k}\n",
                NULL, 0);
    assert_text(only()->upstream_model, "d");
    assert_text(only()->origin->host, "h");
    assert_bad(ENTRY("model: azure/d, api_key: k"), NULL, 2, "model_list[0]", "needs api_base");
}

static void keys_and_tokens_that_do_not_change_are_there_at_once(void **state)
{
    (void)state;
    assert_good(ENTRY("model: bedrock/x, aws_region_name: us-east-1, aws_access_key_id: AKID, "
                      "aws_secret_access_key: s3, aws_session_token: t"),
                NULL, 0);
    assert_token("AKID", "s3", "t");
    static const char *const aws[] = {"AWS_ACCESS_KEY_ID=E", "AWS_SECRET_ACCESS_KEY=F",
                                      "AWS_REGION=eu-west-3", NULL};
    assert_good(ENTRY("model: bedrock/x"), aws, 0);
    assert_token("E", "F", "");
    assert_text(only()->region, "eu-west-3");
    assert_good(ENTRY("model: azure/d, api_base: 'https://a.openai.azure.com', "
                      "azure_ad_token: ey"),
                NULL, 0);
    assert_token("ey", "", "");
    static const char *const bearer[] = {"AWS_BEARER_TOKEN_BEDROCK=b", "AWS_ACCESS_KEY_ID=E",
                                         "AWS_SECRET_ACCESS_KEY=F", "AWS_REGION=eu-west-3", NULL};
    assert_good(ENTRY("model: bedrock/x"), bearer, 0);
    assert_null(only()->token);
    assert_true(gw_secret_eq(gw_deployment_secret(only(), 0), GW_STR("b")));
    assert_bad(ENTRY("model: bedrock/x, aws_region_name: us-east-1, aws_access_key_id: AKID"), NULL,
               2, "model_list[0]", "belong together");
}

static void other_logins_are_fetched(void **state)
{
    (void)state;
    assert_good(ENTRY("model: azure/d, api_base: 'https://a.openai.azure.com', tenant_id: t, "
                      "client_id: c, client_secret: s"),
                NULL, 0);
    assert_fetched();
    assert_good(ENTRY("model: bedrock/x, aws_region_name: us-east-1, aws_role_name: "
                      "'arn:aws:iam::1:role/r', aws_session_name: n"),
                NULL, 0);
    assert_fetched();
    assert_good(ENTRY("model: vertex_ai/gemini-x, vertex_credentials: "
                      "'{\"project_id\": \"of-file\"}'"),
                NULL, 0);
    assert_fetched();
    assert_text(only()->cloud_project, "of-file");
    static const char *const google[] = {"VERTEXAI_PROJECT=envp", "VERTEXAI_LOCATION=us-east4",
                                         NULL};
    assert_good(ENTRY("model: vertex_ai/gemini-x"), google, 0);
    assert_fetched();
    assert_text(only()->cloud_project, "envp");
    assert_text(only()->origin->host, "us-east4-aiplatform.googleapis.com");
    assert_good(ENTRY("model: vertex_ai/gemini-x"), NULL, 1);
    assert_finding(false, 2, "model_list[0]", "VERTEXAI_PROJECT");
    assert_int_equal(deployments_of("m"), 0);
    assert_good(ENTRY("model: vertex_ai/gemini-x, api_key: express"), NULL, 0);
    assert_true(gw_secret_eq(gw_deployment_secret(only(), 0), GW_STR("express")));
    assert_int_equal(only()->cloud_project.len, 0);
}

static void managed_identities_are_asked_only_when_wanted(void **state)
{
    (void)state;
    static const char entry[] = ENTRY("model: azure/d, api_base: 'https://a.openai.azure.com'");
    assert_good(entry, NULL, 1);
    assert_int_equal(deployments_of("m"), 0);
    char yaml[512];
    (void)snprintf(yaml, sizeof(yaml),
                   "%slitellm_settings: {enable_azure_ad_token_refresh: true}\n", entry);
    assert_good(yaml, NULL, 0);
    assert_fetched();
    static const char *const federated[] = {"AZURE_TENANT_ID=t", "AZURE_CLIENT_ID=c",
                                            "AZURE_FEDERATED_TOKEN_FILE=/t", NULL};
    assert_good(entry, federated, 0);
    assert_fetched();
}

/* A file that sends a model elsewhere must not take the environment's account with it. */
static void accounts_of_the_environment_stay_with_their_vendor(void **state)
{
    (void)state;
    static const char *const environment[] = {"AZURE_API_KEY=k",         "AZURE_TENANT_ID=t",
                                              "AZURE_CLIENT_ID=c",       "AZURE_CLIENT_SECRET=s",
                                              "VERTEXAI_PROJECT=p",      "AWS_ACCESS_KEY_ID=a",
                                              "AWS_REGION=us-east-1",    "ANTHROPIC_API_KEY=an",
                                              "AWS_SECRET_ACCESS_KEY=s", NULL};
    static const char *const strangers[] = {
        "model: azure/d, api_base: 'https://azure.example'",
        "model: azure/d, api_base: 'https://openai.azure.com.example'",
        "model: azure/d, api_base: 'http://a.openai.azure.com'",
        "model: vertex_ai/g, api_base: 'https://googleapis.com.example'",
        "model: bedrock/x, api_base: 'https://amazonaws.com.example'",
        "model: anthropic/x, api_base: 'https://api.anthropic.com.example'",
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(strangers); i++) {
        char yaml[512];
        (void)snprintf(yaml, sizeof(yaml), ENTRY("%s"), strangers[i]);
        assert_int_equal(load(yaml, environment), GW_OK);
        assert_null(gw_deployment_secret(only(), 0));
        assert_null(only()->token);
    }
    assert_good(ENTRY("model: azure/d, api_base: 'https://a.openai.azure.com'"), environment, 0);
    assert_true(gw_secret_eq(gw_deployment_secret(only(), 0), GW_STR("k")));
    assert_good(ENTRY("model: bedrock/x, api_base: 'https://vpce.bedrock-runtime.us-east-1.vpce."
                      "amazonaws.com'"),
                environment, 0);
    assert_non_null(only()->token);
    static const char *const own[] = {"AZURE_API_KEY=k", "AZURE_API_BASE=https://gw.corp.example",
                                      NULL};
    assert_good(ENTRY("model: azure/d, api_base: 'https://gw.corp.example'"), own, 0);
    assert_true(gw_secret_eq(gw_deployment_secret(only(), 0), GW_STR("k")));
}

static void sources_are_kept_over_reloads(void **state)
{
    (void)state;
    struct gw_token_book *book = gw_token_book_create();
    const struct gw_config_input input = {
        .text = GW_STR(ENTRY("model: azure/d, api_base: 'https://a.openai.azure.com', "
                             "tenant_id: t, client_id: c, client_secret: s")),
        .path = GW_STR("t.yaml"),
        .tokens = book};
    struct gw_snapshot *first = NULL;
    fixture_reset();
    has_report = true;
    assert_int_equal(gw_config_load_text(&input, &first, &report), GW_OK);
    gw_config_report_fini(&report);
    assert_int_equal(gw_config_load_text(&input, &snapshot, &report), GW_OK);
    struct gw_str suffix = {0};
    const struct gw_model_group *group = gw_catalog_find(first->catalog, GW_STR("m"), &suffix);
    assert_ptr_equal(group->deployments[0]->token, only()->token);
    gw_snapshot_release(&first);
    gw_token_book_release(&book);
    assert_fetched();
}

static void limits_and_bodies_are_read(void **state)
{
    (void)state;
    assert_good("litellm_settings: {drop_params: true}\n" ENTRY(
                    "model: anthropic/x, api_key: k, max_tokens: 4096, max_tokens_limit: '8192', "
                    "extra_body: {top_k: 5, nested: {a: [1, null]}}"),
                NULL, 0);
    assert_int_equal(only()->default_max_tokens, 4096);
    assert_int_equal(only()->limit_max_tokens, 8192);
    assert_true(only()->drops_params);
    assert_text(only()->extra_body, "\"top_k\":5,\"nested\":{\"a\":[1,null]}");
    assert_good("litellm_settings: {drop_params: true}\n" ENTRY(
                    "model: anthropic/x, api_key: k, drop_params: false, extra_body: {}"),
                NULL, 0);
    assert_false(only()->drops_params);
    assert_int_equal(only()->extra_body.len, 0);
    assert_bad(ENTRY("model: anthropic/x, api_key: k, extra_body: {stream: true}"), NULL, 3,
               "model_list[0].litellm_params.extra_body.stream", "writes this member itself");
    assert_bad(ENTRY("model: anthropic/x, api_key: k, max_tokens: 0"), NULL, 3,
               "model_list[0].litellm_params.max_tokens", "from 1");
    assert_int_equal(load(ENTRY("model: anthropic/x, api_key: k, extra_body: text"), NULL),
                     GW_ERR_INVALID);
    assert_finding(true, 3, "model_list[0].litellm_params.extra_body", "a map");
}

static void facts_of_models_are_read(void **state)
{
    (void)state;
    struct gw_model_facts facts;
    assert_good("model_list:\n- model_name: m\n"
                "  litellm_params: {model: azure/dep, api_key: k, api_base: 'https://h', "
                "output_cost_per_token: '0.00001'}\n"
                "  model_info: {base_model: azure/gpt-4o, max_input_tokens: 1000, "
                "input_cost_per_token: 3e-06, supports_vision: false}\n",
                NULL, 0);
    assert_true(gw_model_facts_of(only(), GW_STR("dep"), &facts));
    assert_int_equal(facts.context_tokens, 1000);
    assert_int_equal(facts.max_output_tokens, 16384);
    assert_int_equal(facts.prices.input, 3000000000);
    assert_int_equal(facts.prices.output, 10000000000);
    assert_int_equal(facts.prices.cached_input, GW_PRICE_UNKNOWN);
    assert_true((facts.abilities & (1u << GW_ABILITY_IMAGE)) == 0);
    assert_good(ENTRY("model: openai/gpt-4o, api_key: k"), NULL, 0);
    assert_null(only()->model_info);
    assert_true(gw_model_facts_of(only(), GW_STR("gpt-4o"), &facts));
    assert_bad("model_list:\n- model_name: m\n"
               "  litellm_params: {model: openai/x, api_key: k}\n"
               "  model_info: {input_cost_per_token: 3}\n",
               NULL, 4, "model_list[0].model_info.input_cost_per_token", "USD per token");
}

static void addresses_may_have_the_version_or_not(void **state)
{
    (void)state;
    static const struct {
        const char *params;
        const char *path;
    } cases[] = {
        {"model: anthropic/x, api_key: k", ""},
        {"model: anthropic/x, api_key: k, api_base: 'https://api.anthropic.com/v1/'", ""},
        {"model: anthropic/x, api_key: k, api_base: 'http://h:1/anthropic'", "/anthropic"},
        {"model: gemini/x, api_key: k", "/v1beta"},
        {"model: gemini/x, api_key: k, api_base: 'http://h:1'", "/v1beta"},
        {"model: gemini/x, api_key: k, api_base: 'http://h:1/v1'", "/v1"},
        {"model: cohere/x, api_key: k, api_base: 'https://api.cohere.com/v2'", ""},
        {"model: vertex_ai/x, api_key: k", ""},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        char yaml[512];
        (void)snprintf(yaml, sizeof(yaml), ENTRY("%s"), cases[i].params);
        assert_good(yaml, NULL, 0);
        assert_text(only()->base_path, cases[i].path);
    }
}

int main(void)
{

    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(hosts_follow_from_regions, fixture_teardown),
        cmocka_unit_test_teardown(names_that_are_no_regions_are_refused, fixture_teardown),
        cmocka_unit_test_teardown(azure_addresses_are_brought_into_one_form, fixture_teardown),
        cmocka_unit_test_teardown(keys_and_tokens_that_do_not_change_are_there_at_once,
                                  fixture_teardown),
        cmocka_unit_test_teardown(other_logins_are_fetched, fixture_teardown),
        cmocka_unit_test_teardown(managed_identities_are_asked_only_when_wanted, fixture_teardown),
        cmocka_unit_test_teardown(accounts_of_the_environment_stay_with_their_vendor,
                                  fixture_teardown),
        cmocka_unit_test_teardown(sources_are_kept_over_reloads, fixture_teardown),
        cmocka_unit_test_teardown(limits_and_bodies_are_read, fixture_teardown),
        cmocka_unit_test_teardown(facts_of_models_are_read, fixture_teardown),
        cmocka_unit_test_teardown(addresses_may_have_the_version_or_not, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
