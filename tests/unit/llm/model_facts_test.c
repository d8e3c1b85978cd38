/* SPDX-License-Identifier: MIT */
/* llm/model_facts and price: names lead to rows, rows have exact prices. */
#include "llm/model_facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "llm/catalog.h"
#include "llm/model_facts_int.h"

#define NANO INT64_C(1000000000)

/* The input price, in nano-USD per million tokens; -2 when the model is not known. */
static int64_t input_of(const char *provider, const char *region, const char *model)
{
    struct gw_model_facts facts;
    bool is_known = gw_model_facts_find(gw_str_from_c(provider), gw_str_from_c(region),
                                        gw_str_from_c(model), &facts);
    return is_known ? facts.prices.input : -2;
}

static void names_lead_to_rows(void **state)
{
    (void)state;
    static const struct {
        const char *provider;
        const char *region;
        const char *model;
        int64_t price;
    } cases[] = {
        {"openai", "", "gpt-4o", 2500000000},
        {"openai", "", "gpt-4o-2024-08-06", 2500000000},
        {"openai", "", "gpt-4o-mini", 150000000},
        {"openai", "", "gpt-4o-mini-2024-07-18", 150000000},
        {"openai", "", "gpt-4o-audio-preview", -2},
        {"openai", "", "gpt-4", -2},
        {"openai", "", "gpt-5.4-nano", 200000000},
        {"groq", "", "gpt-4o", -2},
        {"anthropic", "", "claude-opus-5", 5 * NANO},
        {"anthropic", "", "claude-opus-5-5", 4 * NANO},
        {"anthropic", "", "claude-opus-5-7", -2},
        {"anthropic", "", "claude-sonnet-4-5", 3 * NANO},
        {"anthropic", "", "claude-sonnet-4-5-20250929", 3 * NANO},
        {"anthropic", "", "claude-sonnet-4-5-latest", 3 * NANO},
        {"vertex_ai", "global", "claude-haiku-4-5@20251001", NANO},
        {"vertex_ai", "us-east5", "claude-haiku-4-5@20251001", 1100000000},
        {"vertex_ai", "us-east5", "claude-opus-4-1@20250805", 15 * NANO},
        {"vertex_ai", "us-east5", "gemini-2.5-pro", 1250000000},
        {"azure", "", "gpt-5.6-sol", 5 * NANO},
        {"azure", "", "gpt-4o", 2500000000},
        {"azure", "", "my-deployment", -2},
        {"bedrock", "us-east-1", "us.anthropic.claude-opus-5", 5500000000},
        {"bedrock", "us-east-1", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0", 3300000000},
        {"bedrock", "us-east-1", "global.anthropic.claude-sonnet-4-5-20250929-v1:0", 3 * NANO},
        {"bedrock", "us-east-1", "amazon.nova-micro-v1:0", 35000000},
        {"bedrock", "us-east-1", "us.amazon.nova-micro-v1:0", 35000000},
        {"cohere", "", "command-r7b-12-2024", 37500000},
        {"", "", "", -2},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        int64_t price = input_of(cases[i].provider, cases[i].region, cases[i].model);
        if (price != cases[i].price) {
            fail_msg("%s/%s: %lld, not %lld", cases[i].provider, cases[i].model, (long long)price,
                     (long long)cases[i].price);
        }
    }
}

static void every_row_makes_sense(void **state)
{
    (void)state;
    assert_true(gw_model_row_count > 100);
    for (size_t i = 0; i < gw_model_row_count; i++) {
        const struct gw_model_facts *facts = &gw_model_rows[i].facts;
        assert_true(facts->prices.input >= 0 && facts->prices.input < 1000 * NANO);
        assert_true(facts->prices.output >= 0);
        assert_true(facts->prices.cached_input <= facts->prices.input);
        assert_true(facts->max_output_tokens <= facts->context_tokens);
        if (facts->long_input_tokens > 0) {
            assert_true(facts->long_prices.input >= facts->prices.input);
            assert_true(facts->long_prices.output > facts->prices.output);
        }
        assert_int_equal(facts->next_from_s > 0, facts->next_prices.input > 0);
        bool gives_text = (facts->abilities & (1u << GW_ABILITY_EMBEDDING)) == 0;
        assert_int_equal(gives_text, facts->prices.output > 0);
    }
    for (size_t i = 0; i < gw_model_rule_count; i++) {
        assert_true(gw_model_rules[i].provider.len > 0 && gw_model_rules[i].use.len > 0);
    }
    assert_string_equal(gw_ability_name(GW_ABILITY_IMAGE), "image");
    assert_string_equal(gw_ability_name(GW_ABILITY_CACHE), "cache");
    assert_null(gw_ability_name(GW_ABILITY_COUNT));
}

static void prices_depend_on_length_and_day(void **state)
{
    (void)state;
    struct gw_model_facts facts;
    assert_true(gw_model_facts_find(GW_STR("openai"), GW_STR(""), GW_STR("gpt-6-luna"), &facts));
    assert_int_equal(facts.context_tokens, 1050000);
    assert_int_equal(facts.max_output_tokens, 128000);
    assert_int_equal(gw_model_facts_prices(&facts, 272000, 0)->input, 100000000);
    assert_int_equal(gw_model_facts_prices(&facts, 272001, 0)->input, 200000000);
    assert_int_equal(gw_model_facts_prices(&facts, 272001, 0)->output, 750000000);
    assert_int_equal(facts.prices.cache_write_1h, GW_PRICE_UNKNOWN);
    assert_true(
        gw_model_facts_find(GW_STR("gemini"), GW_STR(""), GW_STR("gemini-4-argon"), &facts));
    const uint64_t day = 1796083200; /* 2026-12-01 */
    assert_int_equal(gw_model_facts_prices(&facts, 1, day - 1)->output, 10 * NANO);
    assert_int_equal(gw_model_facts_prices(&facts, 1, day)->output, 20 * NANO);
}

static void the_configuration_goes_before(void **state)
{
    (void)state;
    struct gw_model_info info = {
        .base_model = GW_STR("gpt-6-luna"),
        .prices = {.input = 7, .output = 8, .cached_input = GW_PRICE_UNKNOWN},
        .context_tokens = 5,
        .abilities = 1u << GW_ABILITY_AUDIO,
        .inabilities = 1u << GW_ABILITY_IMAGE};
    struct gw_deployment deployment = {.provider_name = GW_STR("azure")};
    struct gw_model_facts facts;
    assert_false(gw_model_facts_of(&deployment, GW_STR("mine"), &facts));
    assert_int_equal(facts.prices.input, GW_PRICE_UNKNOWN);
    deployment.model_info = &info;
    assert_true(gw_model_facts_of(&deployment, GW_STR("mine"), &facts));
    assert_int_equal(facts.context_tokens, 5);
    assert_int_equal(facts.max_output_tokens, 128000);
    assert_int_equal(gw_model_facts_prices(&facts, 1000000, 0)->input, 7);
    assert_true((facts.abilities & (1u << GW_ABILITY_AUDIO)) != 0);
    assert_true((facts.abilities & (1u << GW_ABILITY_IMAGE)) == 0);
    assert_true((facts.abilities & (1u << GW_ABILITY_TOOLS)) != 0);
    info.prices.input = GW_PRICE_UNKNOWN;
    info.prices.output = GW_PRICE_UNKNOWN;
    assert_true(gw_model_facts_of(&deployment, GW_STR("mine"), &facts));
    assert_int_equal(gw_model_facts_prices(&facts, 1, 0)->input, 100000000);
}

static void prices_are_read_exactly(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t price; /* -1: invalid, -2: too large */
    } cases[] = {
        {"0.000003", 3 * NANO},
        {"3e-06", 3 * NANO},
        {"3E-6", 3 * NANO},
        {"0.0000000875", 87500000},
        {"1.25e-08", 12500000},
        {"0", 0},
        {"0.0", 0},
        {".5e-6", 500000000},
        {"1e-15", 1},
        {"1.4e-15", 1},
        {"1.5e-15", 2},
        {"9e-17", 0},
        {"1e-400", 0},
        {"0.999999999999999", 999999999999999},
        {"0.99999999999999949", 999999999999999},
        {"1", -2},
        {"0.9999999999999999", -2},
        {"1e5", -2},
        {"1e400", -2},
        {"99999999999999999999999999", -2},
        {"0.00000000000000000000000000000001", 0},
        {"", -1},
        {".", -1},
        {"-1e-6", -1},
        {"1e", -1},
        {"1e-", -1},
        {"1e2000", -1},
        {"0.1.2", -1},
        {"0x1", -1},
        {"1 ", -1},
        {"nan", -1},
        {"11111111111111111111111111111111111111111111111111111111111111111", -1},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        int64_t price = 0;
        enum gw_err err = gw_price_parse_per_token(gw_str_from_c(cases[i].text), &price);
        int64_t result = err == GW_OK ? price : err == GW_ERR_INVALID ? -1 : -2;
        if (result != cases[i].price) {
            fail_msg("%s: %lld, not %lld", cases[i].text, (long long)result,
                     (long long)cases[i].price);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_lead_to_rows),
        cmocka_unit_test(every_row_makes_sense),
        cmocka_unit_test(prices_depend_on_length_and_day),
        cmocka_unit_test(the_configuration_goes_before),
        cmocka_unit_test(prices_are_read_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
