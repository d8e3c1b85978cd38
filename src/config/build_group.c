/* SPDX-License-Identifier: MIT */
/*
 * config/build_group - how one model group is routed: strategy, retries, hedging, affinity, queue,
 * mirror, slow and broken streams. The lists of fallbacks are in build_fallbacks.
 */
#include "config/routing_int.h"

#define NAME_BYTES 40 /* longer than any of the words */

/* "Least-Busy" as "least_busy", for comparing; empty when it is longer than any name. */
static struct gw_str plain_name(struct gw_str name, char plain[NAME_BYTES])
{
    name = gw_str_trim(name);
    if (name.len > NAME_BYTES) {
        return gw_str("", 0);
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        plain[i] = c == '-' ? '_' : c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    return gw_str(plain, name.len);
}

static void complain_strategy(struct gw_routing_scope *scope, const struct gw_setting_value *value,
                              struct gw_str plain)
{
    unsigned best = plain.len < 6 ? 3 : 5; /* one worse than what is still close */
    struct gw_str nearest = gw_str(NULL, 0);
    for (int i = 0; i < GW_STRATEGY_COUNT; i++) {
        struct gw_str name = gw_strategy_name((enum gw_strategy)i);
        unsigned distance = gw_str_distance(plain, name, best);
        if (distance < best) {
            best = distance;
            nearest = name;
        }
    }
    gw_config_complain_setting(
        &scope->build->context, true, value,
        "unknown strategy \"" GW_STR_FMT "\"%s" GW_STR_FMT "%s", GW_STR_ARG(value->text),
        nearest.len > 0 ? "; did you mean \"" : "", GW_STR_ARG(nearest),
        nearest.len > 0 ? "\"?"
                        : "; there are priority, round_robin, least_busy, weighted, latency_based, "
                          "usage_based, random, least_cost, best_quality and smart");
}

/* Does any deployment of |group| come before or behind others? */
static bool has_order(const struct gw_model_group *group)
{
    for (size_t i = 1; i < group->deployment_count; i++) {
        if (group->deployments[i]->routing->priority != group->deployments[0]->routing->priority) {
            return true;
        }
    }
    return false;
}

static enum gw_strategy read_strategy(struct gw_routing_scope *scope,
                                      const struct gw_model_group *group)
{
    char buf[NAME_BYTES];
    enum gw_strategy strategy = GW_STRATEGY_PRIORITY;
    struct gw_setting_value value = gw_routing_value(scope, GW_SETTING_STRATEGY);
    struct gw_str plain = plain_name(value.text, buf);
    if (!value.is_set || gw_str_trim(value.text).len == 0) {
        return strategy;
    }
    if (gw_strategy_parse(value.text, &strategy) != GW_OK) {
        if (gw_routing_tells(scope, GW_SETTING_STRATEGY, &value)) {
            complain_strategy(scope, &value, plain);
        }
        return GW_STRATEGY_PRIORITY;
    }
    if (strategy == GW_STRATEGY_PRIORITY || !has_order(group)) {
        return strategy;
    }
    /* LiteLLM shuffles only among those of the first order. */
    if (gw_str_eq(plain, GW_STR("simple_shuffle"))) {
        return GW_STRATEGY_PRIORITY;
    }
    gw_config_complain_setting(&scope->build->context, false, &value,
                               "strategy " GW_STR_FMT
                               " does not look at the priority (or order) of "
                               "model \"" GW_STR_FMT "\"'s deployments",
                               GW_STR_ARG(gw_strategy_name(strategy)), GW_STR_ARG(group->name));
    return strategy;
}

static struct gw_retry_policy read_retry(struct gw_routing_scope *scope)
{
    uint64_t delay_ms = gw_routing_number(scope, GW_SETTING_RETRY_DELAY);
    struct gw_retry_policy retry = {
        .max_retries = (unsigned)gw_routing_number(scope, GW_SETTING_MAX_RETRIES),
        .max_retries_is_set = true,
        .max_fallbacks = (unsigned)gw_routing_number(scope, GW_SETTING_MAX_FALLBACKS),
        .base_ms = delay_ms > 0 ? delay_ms : 1, /* 0: no pause worth the name */
        .cap_ms = gw_routing_number(scope, GW_SETTING_RETRY_MAX_DELAY),
        .factor_pct = (unsigned)gw_routing_number(scope, GW_SETTING_RETRY_FACTOR),
        .deadline_ms = gw_routing_number(scope, GW_SETTING_RETRY_DEADLINE),
        .budget_pct = (unsigned)gw_routing_number(scope, GW_SETTING_RETRY_BUDGET),
        .patience_ms = gw_routing_number(scope, GW_SETTING_RETRY_PATIENCE),
    };
    gw_retry_policy_bound(&retry);
    return retry;
}

static struct gw_hedge_policy read_hedge(struct gw_routing_scope *scope)
{
    struct gw_setting_value delay = gw_routing_value(scope, GW_SETTING_HEDGE_DELAY);
    struct gw_setting_value max_delay = gw_routing_value(scope, GW_SETTING_HEDGE_MAX_DELAY);
    if (max_delay.number > 0 && delay.number > max_delay.number &&
        gw_routing_tells(scope, GW_SETTING_HEDGE_DELAY, &delay)) {
        gw_config_complain_setting(&scope->build->context, true, &delay,
                                   "longer than hedge.max_delay (%llums)",
                                   (unsigned long long)max_delay.number);
    }
    return (struct gw_hedge_policy){
        .is_on = gw_routing_is_on(scope, "hedge", GW_SETTING_HEDGE),
        .budget_pct = (unsigned)gw_routing_number(scope, GW_SETTING_HEDGE_BUDGET),
        .delay_ms = delay.number,
        .max_delay_ms = max_delay.number,
    };
}

/* LiteLLM's checks before a call that keep requests at a deployment. */
static enum gw_affinity_by litellms_affinity(const struct gw_config_build *build)
{
    static const struct {
        struct gw_str check;
        enum gw_affinity_by by;
    } checks[] = {
        {GW_STR_INIT("prompt_caching"), GW_AFFINITY_PREFIX},
        {GW_STR_INIT("deployment_affinity"), GW_AFFINITY_KEY},
    };
    yyjson_val *list =
        gw_config_get(build->context.document, "router_settings.optional_pre_call_checks");
    size_t index = 0;
    size_t max = 0;
    yyjson_val *item = NULL;
    yyjson_arr_foreach(list, index, max, item)
    {
        for (size_t i = 0; i < GW_ARRAY_LEN(checks); i++) {
            if (gw_str_eq(gw_config_text(item), checks[i].check)) {
                return checks[i].by;
            }
        }
    }
    return GW_AFFINITY_NONE;
}

static enum gw_affinity_by read_affinity(struct gw_routing_scope *scope)
{
    static const struct {
        struct gw_str word;
        enum gw_affinity_by by;
    } words[] = {
        {GW_STR_INIT("none"), GW_AFFINITY_NONE},
        {GW_STR_INIT("user"), GW_AFFINITY_USER},
        {GW_STR_INIT("key"), GW_AFFINITY_KEY},
        {GW_STR_INIT("prefix"), GW_AFFINITY_PREFIX},
    };
    struct gw_setting_value value = gw_routing_value(scope, GW_SETTING_AFFINITY);
    if (!value.is_set || value.is_off) {
        return value.is_set ? GW_AFFINITY_NONE : litellms_affinity(scope->build);
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(words); i++) {
        if (gw_str_eq_nocase(gw_str_trim(value.text), words[i].word)) {
            return words[i].by;
        }
    }
    if (gw_routing_tells(scope, GW_SETTING_AFFINITY, &value)) {
        gw_config_complain_setting(&scope->build->context, true, &value,
                                   "expected user, key, prefix or none");
    }
    return GW_AFFINITY_NONE;
}

/* The shadow of LiteLLM's silent_model gets a copy of every request. */
static struct gw_mirror_policy read_mirror(struct gw_routing_scope *scope,
                                           const struct gw_model_group *group,
                                           const struct gw_group_wish *wish)
{
    const struct gw_config_build *build = scope->build;
    const struct gw_setting_value *all = gw_build_setting(build, GW_SETTING_MIRROR_MODEL);
    struct gw_setting_value model = gw_routing_value(scope, GW_SETTING_MIRROR_MODEL);
    bool is_own = model.value != all->value;
    model = !is_own && wish->mirror.is_set ? wish->mirror : model;
    is_own = is_own || wish->mirror.is_set;
    model.text = gw_str_trim(model.text);
    if (model.text.len == 0) {
        return (struct gw_mirror_policy){0};
    }
    struct gw_str suffix = {0};
    const struct gw_model_group *target =
        gw_catalog_find(build->snapshot->catalog, model.text, &suffix);
    if (target == NULL && (is_own || scope->tells_all)) {
        gw_routing_complain_model(scope->build, &model, model.text);
    } else if (target == group && is_own) {
        gw_config_complain_setting(&build->context, true, &model,
                                   "a model cannot be its own mirror");
    }
    if (target == NULL || target == group) { /* the mirror of all others has none */
        return (struct gw_mirror_policy){0};
    }
    struct gw_mirror_policy mirror = {
        .model = gw_arena_try_dup(gw_snapshot_arena(build->snapshot), model.text),
        .permille = (uint32_t)gw_routing_number(scope, GW_SETTING_MIRROR_PERCENT)};
    scope->err = mirror.model.ptr == NULL ? GW_ERR_NOMEM : scope->err;
    return mirror;
}

static struct gw_slow_stream_policy read_slow_stream(struct gw_routing_scope *scope)
{
    return (struct gw_slow_stream_policy){
        .floor_tokens_per_s = (uint32_t)gw_routing_number(scope, GW_SETTING_SLOW_FLOOR),
        .grace_ms = gw_routing_number(scope, GW_SETTING_SLOW_GRACE),
        .max_delivered_tokens = gw_routing_number(scope, GW_SETTING_SLOW_MAX_DELIVERED),
    };
}

/* The entries' own number of retries counts unless model_groups has one. */
static void use_entry_retries(struct gw_routing_scope *scope, const struct gw_group_wish *wish,
                              struct gw_retry_policy *retry)
{
    struct gw_setting_value own = gw_routing_value(scope, GW_SETTING_MAX_RETRIES);
    const struct gw_setting_value *all = gw_build_setting(scope->build, GW_SETTING_MAX_RETRIES);
    if (wish->retries.is_set && own.value == all->value) {
        retry->max_retries = (unsigned)wish->retries.number;
    }
}

enum gw_err gw_build_group_routing(struct gw_config_build *build,
                                   const struct gw_model_group *group,
                                   const struct gw_group_wish *wish,
                                   struct gw_group_routing *routing)
{
    struct gw_routing_scope scope = gw_routing_group_scope(build, group->name);
    scope.tells_all = group->index == 0;
    *routing = (struct gw_group_routing){
        .strategy = read_strategy(&scope, group),
        .retry = read_retry(&scope),
        .hedge = read_hedge(&scope),
        .affinity = read_affinity(&scope),
        .queue = {.max_waiting = (uint32_t)gw_routing_number(&scope, GW_SETTING_QUEUE_MAX),
                  .timeout_ms = gw_routing_number(&scope, GW_SETTING_QUEUE_TIMEOUT)},
        .mirror = read_mirror(&scope, group, wish),
        .slow_stream = read_slow_stream(&scope),
        .recovers_streams = gw_routing_number(&scope, GW_SETTING_RECOVER_STREAMS) == 1,
    };
    use_entry_retries(&scope, wish, &routing->retry);
    gw_build_retries_by_error(&scope, group->name, &routing->retry);
    return scope.err;
}

enum gw_err gw_routing_note_entry(const struct gw_model_entry *entry)
{
    static const struct gw_setting_row retries = {
        .kind = GW_SETTING_KIND_COUNT, .min = 0, .max = 100};
    static const struct gw_setting_row text = {.kind = GW_SETTING_KIND_TEXT};
    struct gw_config_build *build = entry->build;
    struct gw_group_wish wish = {.group = entry->group};
    enum gw_err err =
        gw_model_entry_read(entry, "max_retries num_retries", &retries, &wish.retries);
    if (err == GW_OK) {
        err = gw_model_entry_read(entry, "silent_model", &text, &wish.mirror);
    }
    if (err != GW_OK || (!wish.retries.is_set && !wish.mirror.is_set)) {
        return err == GW_ERR_NOMEM ? err : GW_OK;
    }
    struct gw_group_wish *wishes =
        gw_arena_grow(build->context.scratch, build->wishes, build->wish_count,
                      &build->wish_capacity, sizeof(*wishes));
    if (wishes == NULL) {
        return GW_ERR_NOMEM;
    }
    wishes[build->wish_count] = wish;
    build->wishes = wishes;
    build->wish_count++;
    return GW_OK;
}
