/* SPDX-License-Identifier: MIT */
/* config/zero_config and probe: what a gateway serves that nobody configured. */
#include "config/build_int.h"
#include "llm/token_slot.h"

#include "load_fixture.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_found(const char *words)
{
    for (size_t i = 0; i < snapshot->found_count; i++) {
        if (gw_str_find(snapshot->found[i], gw_str_from_c(words)) < snapshot->found[i].len) {
            return true;
        }
    }
    return false;
}

static void nothing_gives_the_demo(void **state)
{
    (void)state;
    assert_good("", NULL, 0);
    assert_int_equal(gw_catalog_group_count(snapshot->catalog), 1);
    assert_int_equal(snapshot->origin_count, 0);
    assert_int_equal(snapshot->found_count, 0);
    assert_upstream("gatewire/demo", "gatewire", "demo");
}

static void keys_turn_providers_on(void **state)
{
    (void)state;
    static const char *const environment[] = {"OPENAI_API_KEY=a",
                                              "OPENAI_API_KEY_2=b",
                                              "OPENAI_ORG_ID=org",
                                              "GROQ_API_KEY=g",
                                              "TOGETHERAI_API_KEY=t",
                                              "OPENAI_API_KEY_FOREIGN=b",
                                              NULL};
    assert_good("", environment, 0);
    assert_int_equal(deployments_of("openai/gpt-4o"), 1);
    assert_upstream("openai/gpt-4o", "openai", "gpt-4o");
    assert_upstream("gpt-4o", "openai", "gpt-4o");
    assert_upstream("o3-mini", "openai", "o3-mini");
    assert_upstream("text-embedding-3-small", "openai", "text-embedding-3-small");
    assert_upstream("groq/llama-3.3", "groq", "llama-3.3");
    assert_upstream("groq/compound-mini", "groq", "groq/compound-mini");
    assert_upstream("together/meta/x", "together", "meta/x");
    assert_int_equal(deployments_of("mistral/x"), 0);
    assert_int_equal(deployments_of("unknown"), 0);
    assert_text(deployment_of("gpt-4o", 0)->organization, "org");
    assert_int_equal(deployment_of("groq/x", 0)->organization.len, 0);
    assert_true(gw_secret_eq(gw_deployment_secret(deployment_of("gpt-4o", 0), 1), GW_STR("b")));
    assert_int_equal(snapshot->origin_count, 3);
    assert_true(is_found("openai/* (2 keys: OPENAI_API_KEY, OPENAI_API_KEY_2)"));
    assert_true(is_found("groq/* (GROQ_API_KEY)"));
    assert_false(is_found("org"));
}

static void addresses_come_from_the_environment(void **state)
{
    (void)state;
    static const char *const environment[] = {"OPENAI_API_KEY=a",
                                              "OPENAI_API_BASE=http://mock:9/v1",
                                              "OLLAMA_BASE_URL=http://gpu:11434",
                                              "OPENAI_LIKE_BASE_URL=http://mine:1/v1",
                                              "VLLM_API_KEY=unused",
                                              NULL};
    assert_good("", environment, 0);
    assert_text(deployment_of("openai/x", 0)->origin->host, "mock");
    assert_text(deployment_of("ollama/x", 0)->origin->host, "gpu");
    assert_text(deployment_of("ollama/x", 0)->base_path, "/v1");
    assert_text(deployment_of("openai_like/x", 0)->origin->host, "mine");
    assert_int_equal(deployments_of("vllm/x"), 0);
    static const char *const wrong[] = {"OPENAI_API_KEY=a", "OPENAI_BASE_URL=mock", NULL};
    assert_bad("", wrong, 0, "OPENAI_BASE_URL", "expected an address");
}

static void vendors_with_their_own_api_are_turned_on(void **state)
{
    (void)state;
    static const char *const environment[] = {"ANTHROPIC_API_KEY=a", "GOOGLE_API_KEY=g",
                                              "CO_API_KEY=c", NULL};
    assert_good("", environment, 0);
    assert_upstream("anthropic/claude-opus-4-5", "anthropic", "claude-opus-4-5");
    assert_upstream("claude-opus-4-5", "anthropic", "claude-opus-4-5");
    assert_upstream("gemini-3-pro", "gemini", "gemini-3-pro");
    assert_upstream("gemini/gemini-3-pro", "gemini", "gemini-3-pro");
    assert_upstream("command-a-03-2025", "cohere", "command-a-03-2025");
    assert_text(deployment_of("claude-x", 0)->origin->host, "api.anthropic.com");
    assert_text(deployment_of("claude-x", 0)->base_path, "");
    assert_int_equal(deployments_of("bedrock/x"), 0);
    assert_int_equal(deployments_of("azure/x"), 0);
    assert_int_equal(snapshot->found_count, 3);
    assert_true(is_found("gemini/* (GOOGLE_API_KEY)"));
}

static void clouds_are_turned_on(void **state)
{
    (void)state;
    static const char *const environment[] = {
        "AZURE_OPENAI_API_KEY=a",       "AZURE_OPENAI_ENDPOINT=https://r.openai.azure.com/",
        "AZURE_API_VERSION=2024-10-21", "AWS_ACCESS_KEY_ID=i",
        "AWS_SECRET_ACCESS_KEY=s",      "AWS_DEFAULT_REGION=eu-west-1",
        "VERTEXAI_PROJECT=proj",        NULL};
    struct gw_token token = {0};
    assert_good("", environment, 0);
    assert_upstream("azure/my-deployment", "azure", "my-deployment");
    assert_text(deployment_of("azure/x", 0)->origin->host, "r.openai.azure.com");
    assert_text(deployment_of("azure/x", 0)->api_version, "2024-10-21");
    assert_upstream("bedrock/amazon.nova-pro-v1:0", "bedrock", "amazon.nova-pro-v1:0");
    assert_upstream("us.anthropic.claude-x", "bedrock", "us.anthropic.claude-x");
    assert_text(deployment_of("bedrock/x", 0)->region, "eu-west-1");
    assert_true(gw_token_slot_get(deployment_of("bedrock/x", 0)->token, &token));
    assert_text(token.access, "i");
    assert_upstream("vertex_ai/claude-x", "vertex_ai", "claude-x");
    assert_upstream("gemini-3-pro", "vertex_ai", "gemini-3-pro"); /* nobody else has a key */
    assert_non_null(deployment_of("gemini-3-pro", 0)->token);
    assert_true(is_found("azure/* (AZURE_OPENAI_API_KEY)"));
    assert_true(is_found("bedrock/* (eu-west-1)"));
    assert_true(is_found("vertex_ai/* (proj)"));
    static const char *const both[] = {"GEMINI_API_KEY=g", "VERTEXAI_PROJECT=proj", NULL};
    assert_good("", both, 0);
    assert_upstream("gemini-3-pro", "gemini", "gemini-3-pro");
    assert_int_equal(deployments_of("gemini-3-pro"), 1);
    assert_int_equal(deployments_of("vertex_ai/x"), 1);
    /* A machine with an account is no wish for its models. */
    static const char *const account[] = {"AWS_ACCESS_KEY_ID=i", "GOOGLE_CLOUD_PROJECT=p",
                                          "AWS_SECRET_ACCESS_KEY=s", NULL};
    assert_good("", account, 0);
    assert_int_equal(snapshot->found_count, 0);
}

static void keys_that_are_of_no_use_are_explained(void **state)
{
    (void)state;
    static const char *const environment[] = {"AZURE_API_KEY=a", "GEMINI_API_KEY=", NULL};
    assert_good("", environment, 0);
    assert_int_equal(snapshot->found_count, 1);
    assert_true(is_found("azure: not used, AZURE_API_KEY is set"));
    static const char *const broken[] = {"OPENAI_API_KEY=a b", NULL};
    assert_good("", broken, 1);
    assert_int_equal(deployments_of("gpt-4o"), 0);
}

static void a_model_list_is_all_there_is(void **state)
{
    (void)state;
    static const char *const environment[] = {"OPENAI_API_KEY=a", NULL};
    assert_good("model_list:\n- {model_name: m, litellm_params: {model: openai/x}}\n", environment,
                0);
    assert_int_equal(deployments_of("openai/x"), 0);
    assert_int_equal(gw_catalog_group_count(snapshot->catalog), 2);
    assert_good("model_list: []\n", environment, 0);
    assert_int_equal(deployments_of("openai/x"), 1);
}

static int listen_somewhere(uint16_t *port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

static void open_ports_are_told_from_closed_ones(void **state)
{
    (void)state;
    uint16_t ports[3];
    bool is_open[3];
    int first = listen_somewhere(&ports[0]);
    int second = listen_somewhere(&ports[1]);
    int third = listen_somewhere(&ports[2]);
    (void)close(second);
    gw_probe_local_ports(ports, is_open, 3, 1000);
    assert_true(is_open[0]);
    assert_false(is_open[1]);
    assert_true(is_open[2]);
    gw_probe_local_ports(ports, is_open, 0, 1000);
    (void)close(first);
    (void)close(third);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(nothing_gives_the_demo, fixture_teardown),
        cmocka_unit_test_teardown(keys_turn_providers_on, fixture_teardown),
        cmocka_unit_test_teardown(addresses_come_from_the_environment, fixture_teardown),
        cmocka_unit_test_teardown(vendors_with_their_own_api_are_turned_on, fixture_teardown),
        cmocka_unit_test_teardown(clouds_are_turned_on, fixture_teardown),
        cmocka_unit_test_teardown(keys_that_are_of_no_use_are_explained, fixture_teardown),
        cmocka_unit_test_teardown(a_model_list_is_all_there_is, fixture_teardown),
        cmocka_unit_test_teardown(open_ports_are_told_from_closed_ones, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
