/* SPDX-License-Identifier: MIT */
/* llm/model_facts - finding a row by a name that is rarely written like the row's. */
#include "llm/model_facts.h"

#include "llm/catalog.h"
#include "llm/model_facts_int.h"

#define PREMIUM_DIVISOR 10 /* a tenth more */

static const struct gw_model_prices no_prices = {
    .input = GW_PRICE_UNKNOWN,
    .output = GW_PRICE_UNKNOWN,
    .cached_input = GW_PRICE_UNKNOWN,
    .cache_write = GW_PRICE_UNKNOWN,
    .cache_write_1h = GW_PRICE_UNKNOWN,
};

void gw_model_facts_clear(struct gw_model_facts *facts)
{
    *facts = (struct gw_model_facts){
        .prices = no_prices, .long_prices = no_prices, .next_prices = no_prices};
}

/* "-2024-08-06", "@20250929", "-2603", "-20251001-v1:0", "-v1:0", ":0", "-latest": the same model.
 * "-5" is another one: a date has at least four digits. */
static bool is_version(struct gw_str rest)
{
    if (rest.len == 0 || gw_str_eq(rest, GW_STR("-latest"))) {
        return true;
    }
    size_t digits = 0;
    bool has_mark = rest.ptr[0] == ':' || gw_str_has_prefix(rest, GW_STR("-v"));
    for (size_t i = 0; i < rest.len; i++) {
        char c = rest.ptr[i];
        bool is_digit = c >= '0' && c <= '9';
        if (!is_digit && (c == '\0' || strchr("-@:v", c) == NULL)) {
            return false;
        }
        digits += is_digit ? 1 : 0;
    }
    bool is_separated = rest.ptr[0] == '-' || rest.ptr[0] == '@' || rest.ptr[0] == ':';
    return is_separated && (digits >= 4 || (has_mark && digits > 0));
}

static const struct gw_model_row *find_row(struct gw_str provider, struct gw_str model)
{
    const struct gw_model_row *best = NULL;
    for (size_t i = 0; i < gw_model_row_count; i++) {
        const struct gw_model_row *row = &gw_model_rows[i];
        if (gw_str_eq(row->provider, provider) && gw_str_has_prefix(model, row->model) &&
            is_version(gw_str_skip(model, row->model.len)) &&
            (best == NULL || row->model.len > best->model.len)) {
            best = row;
        }
    }
    return best;
}

static void add_premium_to(struct gw_model_prices *prices)
{
    int64_t *const all[] = {&prices->input, &prices->output, &prices->cached_input,
                            &prices->cache_write, &prices->cache_write_1h};
    for (size_t i = 0; i < GW_ARRAY_LEN(all); i++) {
        *all[i] += *all[i] > 0 ? *all[i] / PREMIUM_DIVISOR : 0;
    }
}

static void add_premium(struct gw_model_facts *facts)
{
    add_premium_to(&facts->prices);
    add_premium_to(&facts->long_prices);
    add_premium_to(&facts->next_prices);
}

static bool find_by_rule(struct gw_str provider, struct gw_str region, struct gw_str model,
                         struct gw_model_facts *facts)
{
    for (size_t i = 0; i < gw_model_rule_count; i++) {
        const struct gw_model_rule *rule = &gw_model_rules[i];
        if (!gw_str_eq(rule->provider, provider) || !gw_str_has_prefix(model, rule->strip)) {
            continue;
        }
        const struct gw_model_row *row = find_row(rule->use, gw_str_skip(model, rule->strip.len));
        if (row == NULL) {
            continue;
        }
        bool is_global = region.len == 0 || gw_str_eq(region, GW_STR("global"));
        *facts = row->facts;
        if (row->has_premium && (rule->premium == GW_PREMIUM_ALWAYS ||
                                 (rule->premium == GW_PREMIUM_REGIONAL && !is_global))) {
            add_premium(facts);
        }
        return true;
    }
    return false;
}

bool gw_model_facts_find(struct gw_str provider, struct gw_str region, struct gw_str model,
                         struct gw_model_facts *facts)
{
    gw_model_facts_clear(facts);
    const struct gw_model_row *row = find_row(provider, model);
    if (row == NULL) {
        return find_by_rule(provider, region, model, facts);
    }
    *facts = row->facts;
    return true;
}

bool gw_model_facts_at(size_t index, struct gw_str *provider, struct gw_str *model)
{
    if (index >= gw_model_row_count) {
        return false;
    }
    *provider = gw_model_rows[index].provider;
    *model = gw_model_rows[index].model;
    return true;
}

static bool is_known(const struct gw_model_facts *facts)
{
    return facts->context_tokens > 0 || facts->max_output_tokens > 0 || facts->abilities != 0 ||
           facts->prices.input != GW_PRICE_UNKNOWN || facts->prices.output != GW_PRICE_UNKNOWN;
}

/* Prices that the configuration names count always: no tier, no later change. */
static void apply_prices(const struct gw_model_prices *own, struct gw_model_facts *facts)
{
    if (own->input == GW_PRICE_UNKNOWN && own->output == GW_PRICE_UNKNOWN) {
        return;
    }
    facts->prices = *own;
    facts->long_input_tokens = 0;
    facts->long_prices = no_prices;
    facts->next_from_s = 0;
    facts->next_prices = no_prices;
}

bool gw_model_facts_of(const struct gw_deployment *deployment, struct gw_str model,
                       struct gw_model_facts *facts)
{
    const struct gw_model_info *info = deployment->model_info;
    bool has_base = info != NULL && info->base_model.len > 0;
    (void)gw_model_facts_find(deployment->provider_name, deployment->region,
                              has_base ? info->base_model : model, facts);
    if (info != NULL) {
        facts->context_tokens =
            info->context_tokens > 0 ? info->context_tokens : facts->context_tokens;
        facts->max_output_tokens =
            info->max_output_tokens > 0 ? info->max_output_tokens : facts->max_output_tokens;
        facts->abilities = (facts->abilities | info->abilities) & ~info->inabilities;
        apply_prices(&info->prices, facts);
    }
    return is_known(facts);
}

const struct gw_model_prices *gw_model_facts_prices(const struct gw_model_facts *facts,
                                                    uint64_t input_tokens, uint64_t now_s)
{
    if (facts->next_from_s > 0 && now_s >= facts->next_from_s) {
        return &facts->next_prices;
    }
    bool is_long = facts->long_input_tokens > 0 && input_tokens > facts->long_input_tokens;
    return is_long ? &facts->long_prices : &facts->prices;
}

const char *gw_ability_name(enum gw_ability ability)
{
    static const char *const names[] = {
#define XX(id, name) [GW_ABILITY_##id] = #name,
        GW_ABILITY_MAP(XX)
#undef XX
    };
    return (size_t)ability < GW_ARRAY_LEN(names) ? names[ability] : NULL;
}
