/* SPDX-License-Identifier: MIT */
/* config/build_auto - the models behind model "auto": one for each complexity, and rules. */
#include "config/routing_int.h"

#define MAX_RULES      1000 /* each is looked for in every prompt */
#define MAX_RULE_BYTES 256

static bool parse_tier(yyjson_val *value, enum gw_complexity *tier)
{
    struct gw_str text = gw_str_trim(gw_config_text(value));
    for (int i = GW_COMPLEXITY_LOW; i <= GW_COMPLEXITY_HIGH; i++) {
        if (gw_str_eq_nocase(text, gw_str_from_c(gw_complexity_name((enum gw_complexity)i)))) {
            *tier = (enum gw_complexity)i;
            return true;
        }
    }
    return false;
}

static enum gw_err read_tier(struct gw_config_build *build, yyjson_val *map,
                             enum gw_complexity tier, struct gw_str *out)
{
    const char *name = gw_complexity_name(tier);
    yyjson_val *value = gw_config_member(map, name);
    const struct gw_setting_value place = {.value = value};
    struct gw_str model = gw_str_trim(gw_config_text(value));
    struct gw_str suffix = {0};
    if (model.len == 0) {
        gw_config_complain(&build->context, true, value == NULL ? map : value,
                           "auto needs a model for %s requests: %s", name, name);
        return GW_OK;
    }
    if (gw_catalog_find(build->snapshot->catalog, model, &suffix) == NULL) {
        gw_routing_complain_model(build, &place, model);
        return GW_OK;
    }
    *out = gw_arena_try_dup(gw_snapshot_arena(build->snapshot), model);
    return out->ptr == NULL ? GW_ERR_NOMEM : GW_OK;
}

static enum gw_err read_rule(struct gw_config_build *build, yyjson_val *rule,
                             struct gw_complexity_override *out, size_t *count)
{
    yyjson_val *contains = gw_config_member(rule, "contains");
    yyjson_val *tier = gw_config_member(rule, "tier");
    struct gw_str text = gw_config_text(contains);
    if (text.len == 0 || text.len > MAX_RULE_BYTES) {
        gw_config_complain(&build->context, true, contains == NULL ? rule : contains,
                           "a rule needs contains: a text of 1 to %d bytes", MAX_RULE_BYTES);
        return GW_OK;
    }
    if (!parse_tier(tier, &out->complexity)) {
        gw_config_complain(&build->context, true, tier == NULL ? rule : tier,
                           "a rule needs tier: low, medium or high");
        return GW_OK;
    }
    char *lower = gw_arena_try_alloc(gw_snapshot_arena(build->snapshot), text.len);
    if (lower == NULL) {
        return GW_ERR_NOMEM;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    out->contains = gw_str(lower, text.len);
    (*count)++;
    return GW_OK;
}

static enum gw_err read_rules(struct gw_config_build *build, yyjson_val *rules,
                              struct gw_routing *routing)
{
    size_t size = yyjson_arr_size(rules);
    size_t index = 0;
    size_t max = 0;
    yyjson_val *rule = NULL;
    if (size > MAX_RULES) {
        gw_config_complain(&build->context, true, rules, "more than %d rules", MAX_RULES);
        return GW_OK;
    }
    struct gw_complexity_override *overrides =
        gw_arena_try_alloc(gw_snapshot_arena(build->snapshot), (size + 1) * sizeof(*overrides));
    enum gw_err err = overrides == NULL ? GW_ERR_NOMEM : GW_OK;
    yyjson_arr_foreach(rules, index, max, rule)
    {
        err = err == GW_OK ? read_rule(build, rule, &overrides[routing->override_count],
                                       &routing->override_count)
                           : err;
    }
    routing->overrides = overrides;
    return err;
}

enum gw_err gw_build_auto(struct gw_config_build *build, struct gw_routing *routing)
{
    yyjson_val *map = gw_config_get(build->context.document, "router.auto");
    enum gw_err err = GW_OK;
    if (!yyjson_is_obj(map)) {
        return GW_OK; /* the schema says what it should be */
    }
    for (int i = GW_COMPLEXITY_LOW; i <= GW_COMPLEXITY_HIGH && err == GW_OK; i++) {
        err = read_tier(build, map, (enum gw_complexity)i, &routing->tiers[i]);
    }
    return err == GW_OK ? read_rules(build, gw_config_member(map, "rules"), routing) : err;
}
