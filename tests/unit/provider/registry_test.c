/* SPDX-License-Identifier: MIT */
/* provider/registry: the rows are consistent, and aliases and prefixes lead to the right one. */
#include "provider/provider.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char *name_of(const struct gw_provider *row)
{
    return row == NULL ? "(none)" : row->name.ptr;
}

static void every_row_is_complete(void **state)
{
    (void)state;
    size_t count = 0;
    for (const struct gw_provider *row = gw_provider_at(0); row != NULL;
         row = gw_provider_at(count)) {
        count++;
        assert_true(row->name.len > 0);
        assert_ptr_equal(gw_provider_find(row->name), row);
        if (row->kind == GW_PROVIDER_BUILTIN) {
            assert_int_equal(row->default_base_url.len, 0);
            continue;
        }
        assert_true(gw_str_has_suffix(row->key_env, GW_STR("_API_KEY")) ||
                    gw_str_eq(row->key_env, GW_STR("AWS_BEARER_TOKEN_BEDROCK")));
        assert_true(gw_str_has_suffix(row->base_url_env, GW_STR("_BASE_URL")));
        assert_false(gw_str_has_suffix(row->default_base_url, GW_STR("/")));
        assert_false(gw_str_has_suffix(row->default_base_url, row->own_path) &&
                     row->own_path.len > 0);
        bool has_own_place = row->kind == GW_PROVIDER_AZURE || row->kind == GW_PROVIDER_BEDROCK ||
                             row->kind == GW_PROVIDER_VERTEX;
        assert_int_equal(row->needs_key, has_own_place || gw_str_has_prefix(row->default_base_url,
                                                                            GW_STR("https://")));
        if (row->local_port != 0) {
            assert_true(gw_str_has_prefix(row->default_base_url, GW_STR("http://127.0.0.1:")));
        }
    }
    assert_true(count >= 19);
    assert_null(gw_provider_at(count + 1000));
}

static void names_and_aliases_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; gw_provider_at(i) != NULL; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_false(gw_str_eq(gw_provider_at(i)->name, gw_provider_at(j)->name));
        }
    }
    assert_string_equal(name_of(gw_provider_find(GW_STR("together_ai"))), "together");
    assert_string_equal(name_of(gw_provider_find(GW_STR("fireworks_ai"))), "fireworks");
    assert_string_equal(name_of(gw_provider_find(GW_STR("hosted_vllm"))), "vllm");
    assert_string_equal(name_of(gw_provider_find(GW_STR("custom_openai"))), "openai_like");
    assert_string_equal(name_of(gw_provider_find(GW_STR("ollama_chat"))), "ollama");
    assert_null(gw_provider_find(GW_STR("")));
    assert_string_equal(name_of(gw_provider_find(GW_STR("google"))), "gemini");
    assert_string_equal(name_of(gw_provider_find(GW_STR("azure_ai"))), "azure");
    assert_string_equal(name_of(gw_provider_find(GW_STR("vertex_ai_beta"))), "vertex_ai");
    assert_string_equal(name_of(gw_provider_find(GW_STR("bedrock_converse"))), "bedrock");
    assert_string_equal(name_of(gw_provider_find(GW_STR("cohere_chat"))), "cohere");
    assert_null(gw_provider_find(GW_STR("openai ")));
}

static void bare_names_belong_to_their_vendor(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        const char *provider;
    } cases[] = {
        {"gpt-4o-mini", "openai"},
        {"o3-mini", "openai"},
        {"text-embedding-3-small", "openai"},
        {"whisper-1", "openai"},
        {"mistral-small-2603", "mistral"},
        {"codestral-latest", "mistral"},
        {"deepseek-flash", "deepseek"},
        {"grok-4.3", "xai"},
        {"sonar-pro", "perplexity"},
        {"groq/compound-mini", "groq"},
        {"openrouter/auto", "openrouter"},
        {"claude-opus-4-5", "anthropic"},
        {"gemini-3-pro", "gemini"},
        {"command-a-03-2025", "cohere"},
        {"us.anthropic.claude-haiku-4-5-20251001-v1:0", "bedrock"},
        {"amazon.nova-pro-v1:0", "bedrock"},
        {"arn:aws:bedrock:us-east-1:1:inference-profile/x", "bedrock"},
        {"mistral.mistral-large-2407-v1:0", "bedrock"},
        {"llama3", "(none)"},
        {"", "(none)"},
        {"xgpt-4", "(none)"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(name_of(gw_provider_of_model(gw_str_from_c(cases[i].model))),
                            cases[i].provider);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_complete),
        cmocka_unit_test(names_and_aliases_are_unique),
        cmocka_unit_test(bare_names_belong_to_their_vendor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
