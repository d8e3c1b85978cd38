/* SPDX-License-Identifier: MIT */
/* core/inspect_router - statistics, configuration and strategy of the router. */
#include "core/inspect_int.h"

#define RELAXED   memory_order_relaxed
#define NS_PER_MS UINT64_C(1000000)

/* ---- statistics ---- */

struct totals {
    uint64_t requests[GW_STRATEGY_COUNT];
    uint64_t retries;
    uint64_t fallbacks;
    uint64_t hedges;
    uint64_t failures;
    uint64_t picks_timed;
    uint64_t pick_ns;
    uint64_t openings;
};

/* What was counted since the reset. A request that is counted while this runs may be missing. */
static uint64_t since(const _Atomic uint64_t *now, const _Atomic uint64_t *before)
{
    uint64_t value = atomic_load_explicit(now, RELAXED);
    uint64_t base = atomic_load_explicit(before, RELAXED);
    return value > base ? value - base : 0;
}

static uint64_t openings_of(const struct gw_conf *conf, const struct gw_model_group *group)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < group->deployment_count; i++) {
        const struct gw_deployment_state *state = conf->members[group->index][i];
        sum += atomic_load_explicit(&state->breaker.openings_total, RELAXED);
    }
    return sum;
}

/* Adds what is counted for |group|; how many requests those were. */
static uint64_t add_group(struct totals *totals, const struct gw_conf *conf,
                          const struct gw_model_group *group)
{
    const struct gw_group_state *state = conf->groups[group->index];
    uint64_t openings = openings_of(conf, group);
    uint64_t openings_before = atomic_load_explicit(&state->at_reset.openings, RELAXED);
    uint64_t sum = 0;
    for (size_t i = 0; i < GW_STRATEGY_COUNT; i++) {
        uint64_t requests = since(&state->requests_total[i], &state->at_reset.requests[i]);
        totals->requests[i] += requests;
        sum += requests;
    }
    totals->retries += since(&state->retries_total, &state->at_reset.retries);
    totals->fallbacks += since(&state->fallbacks_total, &state->at_reset.fallbacks);
    totals->hedges += since(&state->hedges_total, &state->at_reset.hedges);
    totals->failures += since(&state->failures_total, &state->at_reset.failures);
    totals->picks_timed += since(&state->picks_timed, &state->at_reset.picks_timed);
    totals->pick_ns += since(&state->pick_ns_total, &state->at_reset.pick_ns);
    totals->openings += openings > openings_before ? openings - openings_before : 0;
    return sum;
}

static void write_by_strategy(const struct totals *totals, struct gw_buf *out)
{
    gw_json_write_key(GW_STR("requests_by_strategy"), out);
    (void)gw_buf_append(out, GW_STR("{"));
    for (unsigned i = 0; i < GW_STRATEGY_COUNT; i++) {
        if (totals->requests[i] > 0) {
            gw_json_write_count(gw_strategy_name((enum gw_strategy)i), totals->requests[i], out);
        }
    }
    (void)gw_buf_append(out, GW_STR("}"));
}

enum gw_err gw_inspect_stats(struct gw_inspection *inspection, struct gw_buf *out)
{
    const struct gw_catalog *catalog = inspection->conf->snapshot->catalog;
    struct totals totals = {0};
    uint64_t sum = 0;
    (void)gw_buf_append(out, GW_STR("{\"requests_by_model\":{"));
    for (size_t i = 0; i < gw_catalog_group_count(catalog); i++) {
        const struct gw_model_group *group = gw_catalog_group(catalog, i);
        uint64_t requests = add_group(&totals, inspection->conf, group);
        sum += requests;
        if (requests > 0) {
            gw_json_write_next(out);
            gw_json_write_text(group->name, out);
            (void)gw_buf_appendf(out, ":%llu", (unsigned long long)requests);
        }
    }
    (void)gw_buf_append(out, GW_STR("}"));
    write_by_strategy(&totals, out);
    gw_json_write_count(GW_STR("total_requests"), sum, out);
    gw_json_write_count(GW_STR("failed_requests"), totals.failures, out);
    gw_json_write_count(GW_STR("fallback_used"), totals.fallbacks, out);
    gw_json_write_count(GW_STR("retries"), totals.retries, out);
    gw_json_write_count(GW_STR("hedges"), totals.hedges, out);
    gw_json_write_count(GW_STR("circuit_breaker_trips"), totals.openings, out);
    gw_json_write_count(GW_STR("avg_routing_time"),
                        totals.picks_timed > 0 ? totals.pick_ns / totals.picks_timed : 0, out);
    (void)gw_buf_append(out, GW_STR("}"));
    return GW_OK;
}

static void keep(_Atomic uint64_t *before, const _Atomic uint64_t *now)
{
    atomic_store_explicit(before, atomic_load_explicit(now, RELAXED), RELAXED);
}

static void reset_group(const struct gw_conf *conf, const struct gw_model_group *group)
{
    struct gw_group_state *state = conf->groups[group->index];
    for (size_t i = 0; i < GW_STRATEGY_COUNT; i++) {
        keep(&state->at_reset.requests[i], &state->requests_total[i]);
    }
    keep(&state->at_reset.retries, &state->retries_total);
    keep(&state->at_reset.fallbacks, &state->fallbacks_total);
    keep(&state->at_reset.hedges, &state->hedges_total);
    keep(&state->at_reset.failures, &state->failures_total);
    keep(&state->at_reset.picks_timed, &state->picks_timed);
    keep(&state->at_reset.pick_ns, &state->pick_ns_total);
    atomic_store_explicit(&state->at_reset.openings, openings_of(conf, group), RELAXED);
}

enum gw_err gw_inspect_stats_reset(struct gw_inspection *inspection, struct gw_buf *out)
{
    const struct gw_catalog *catalog = inspection->conf->snapshot->catalog;
    for (size_t i = 0; i < gw_catalog_group_count(catalog); i++) {
        reset_group(inspection->conf, gw_catalog_group(catalog, i));
    }
    (void)gw_buf_append(out, GW_STR("{}"));
    return GW_OK;
}

/* ---- configuration ---- */

static bool has_fallbacks(const struct gw_group_routing *routing)
{
    return routing->retry.max_fallbacks > 0 &&
           (routing->fallbacks.count > 0 || routing->uses_presets);
}

static void write_names(struct gw_str key, const struct gw_name_list *list, struct gw_buf *out)
{
    if (list->count == 0) {
        return;
    }
    gw_json_write_key(key, out);
    (void)gw_buf_append(out, GW_STR("["));
    for (size_t i = 0; i < list->count; i++) {
        gw_json_write_next(out);
        gw_json_write_text(list->names[i], out);
    }
    (void)gw_buf_append(out, GW_STR("]"));
}

static void write_group(const struct gw_conf *conf, const struct gw_model_group *group,
                        struct gw_buf *out)
{
    const struct gw_group_routing *routing = group->routing;
    (void)gw_buf_append(out, GW_STR("{"));
    gw_json_write_member(GW_STR("model"), group->name, out);
    gw_json_write_member(GW_STR("strategy"), gw_strategy_name(gw_conf_strategy(conf, group)), out);
    gw_json_write_member(GW_STR("configured_strategy"), gw_strategy_name(routing->strategy), out);
    gw_json_write_count(GW_STR("deployments"), group->deployment_count, out);
    gw_json_write_count(GW_STR("max_retries"), routing->retry.max_retries, out);
    gw_json_write_count(GW_STR("retry_delay_ms"), routing->retry.base_ms, out);
    gw_json_write_count(GW_STR("retry_budget_percent"), routing->retry.budget_pct, out);
    write_names(GW_STR("fallbacks"), &routing->fallbacks, out);
    write_names(GW_STR("context_window_fallbacks"), &routing->context_window_fallbacks, out);
    write_names(GW_STR("content_policy_fallbacks"), &routing->content_policy_fallbacks, out);
    gw_inspect_write_bool(GW_STR("preset_fallbacks"), routing->uses_presets, out);
    (void)gw_buf_append(out, GW_STR("}"));
}

/* VelocityLLM has one of each for all; where ours differ the first group's stand there. */
static void write_common(const struct gw_conf *conf, struct gw_buf *out)
{
    const struct gw_catalog *catalog = conf->snapshot->catalog;
    const struct gw_model_group *first = gw_catalog_group(catalog, 0);
    enum gw_strategy strategy = gw_conf_strategy(conf, first);
    bool is_same = true;
    bool has_fallback = false;
    bool has_breaker = false;
    for (size_t i = 0; i < gw_catalog_group_count(catalog); i++) {
        const struct gw_model_group *group = gw_catalog_group(catalog, i);
        is_same = is_same && gw_conf_strategy(conf, group) == strategy;
        has_fallback = has_fallback || has_fallbacks(group->routing);
        for (size_t j = 0; j < group->deployment_count; j++) {
            has_breaker = has_breaker || !group->deployments[j]->routing->breaker.is_off;
        }
    }
    gw_json_write_member(GW_STR("strategy"), is_same ? gw_strategy_name(strategy) : GW_STR("mixed"),
                         out);
    gw_inspect_write_bool(GW_STR("enable_fallback"), has_fallback, out);
    gw_inspect_write_bool(GW_STR("enable_circuit_break"), has_breaker, out);
    gw_json_write_count(GW_STR("max_retries"), first->routing->retry.max_retries, out);
    gw_json_write_count(GW_STR("retry_delay"), first->routing->retry.base_ms * NS_PER_MS, out);
}

static void write_tiers(const struct gw_routing *routing, struct gw_buf *out)
{
    if (routing->tiers[GW_COMPLEXITY_LOW].len == 0) {
        return;
    }
    gw_json_write_key(GW_STR("tiers"), out);
    (void)gw_buf_append(out, GW_STR("{"));
    for (unsigned i = GW_COMPLEXITY_LOW; i <= GW_COMPLEXITY_HIGH; i++) {
        gw_json_write_member(gw_str_from_c(gw_complexity_name((enum gw_complexity)i)),
                             routing->tiers[i], out);
    }
    (void)gw_buf_append(out, GW_STR("}"));
}

/* The shortest interval, where deployments have several. */
static void write_probes(const struct gw_conf *conf, struct gw_buf *out)
{
    uint64_t interval_ms = 0;
    for (size_t i = 0; i < conf->probed_count; i++) {
        uint64_t own_ms = conf->probed[i].deployment->routing->probe.interval_ms;
        interval_ms = interval_ms == 0 || own_ms < interval_ms ? own_ms : interval_ms;
    }
    gw_inspect_write_bool(GW_STR("health_check_enabled"), conf->probed_count > 0, out);
    gw_json_write_count(GW_STR("health_check_interval"), interval_ms * NS_PER_MS, out);
}

enum gw_err gw_inspect_config(struct gw_inspection *inspection, struct gw_buf *out)
{
    const struct gw_conf *conf = inspection->conf;
    const struct gw_catalog *catalog = conf->snapshot->catalog;
    (void)gw_buf_append(out, GW_STR("{"));
    if (gw_catalog_group_count(catalog) > 0) {
        write_common(conf, out);
    }
    write_probes(conf, out);
    write_tiers(conf->snapshot->routing, out);
    gw_json_write_key(GW_STR("models"), out);
    (void)gw_buf_append(out, GW_STR("["));
    for (size_t i = 0; i < gw_catalog_group_count(catalog); i++) {
        gw_json_write_next(out);
        write_group(conf, gw_catalog_group(catalog, i), out);
    }
    (void)gw_buf_append(out, GW_STR("]}"));
    return GW_OK;
}

/* ---- the strategy ---- */

/* What a group's word becomes: the configuration's own strategy is 0. */
static enum gw_err read_strategy(struct gw_inspection *inspection, uint32_t *word)
{
    struct gw_str name = gw_json_get_text(inspection->body, "strategy");
    enum gw_strategy strategy = GW_STRATEGY_PRIORITY;
    *word = 0;
    if (name.ptr == NULL) {
        return gw_inspect_refuse(inspection, 400, GW_STR("strategy"),
                                 GW_STR("The body must name a \"strategy\"."));
    }
    if (gw_str_eq(name, GW_STR("default"))) {
        return GW_OK;
    }
    if (gw_strategy_parse(name, &strategy) != GW_OK) {
        return gw_inspect_refuse(
            inspection, 400, GW_STR("strategy"),
            gw_arena_printf(&inspection->request->arena,
                            "There is no strategy '" GW_STR_FMT
                            "'. There are priority, round_robin, least_busy, weighted, "
                            "latency_based, usage_based, random, least_cost, best_quality, smart, "
                            "and default for the configuration's.",
                            GW_STR_ARG(gw_quoted(name))));
    }
    *word = (uint32_t)strategy + 1;
    return GW_OK;
}

/* The group that is meant, or NULL for all. */
static enum gw_err read_group(struct gw_inspection *inspection, const struct gw_model_group **group)
{
    yyjson_val *value = gw_json_get(inspection->body, "model");
    struct gw_str name = gw_json_text(value);
    struct gw_str suffix;
    *group = NULL;
    if (value == NULL) {
        return GW_OK;
    }
    if (name.ptr != NULL) {
        *group = gw_catalog_find(inspection->conf->snapshot->catalog, name, &suffix);
    }
    return *group != NULL
               ? GW_OK
               : gw_inspect_refuse(inspection, 404, GW_STR("model"),
                                   gw_arena_printf(&inspection->request->arena,
                                                   "The model '" GW_STR_FMT "' does not exist.",
                                                   GW_STR_ARG(gw_quoted(name))));
}

enum gw_err gw_inspect_strategy(struct gw_inspection *inspection, struct gw_buf *out)
{
    const struct gw_conf *conf = inspection->conf;
    const struct gw_catalog *catalog = conf->snapshot->catalog;
    const struct gw_model_group *one = NULL;
    uint32_t word = 0;
    enum gw_err err = read_strategy(inspection, &word);
    err = err == GW_OK ? read_group(inspection, &one) : err;
    if (err != GW_OK) {
        return err;
    }
    (void)gw_buf_append(out, GW_STR("{"));
    gw_json_write_member(
        GW_STR("strategy"),
        word > 0 ? gw_strategy_name((enum gw_strategy)(word - 1)) : GW_STR("default"), out);
    gw_json_write_key(GW_STR("models"), out);
    (void)gw_buf_append(out, GW_STR("{"));
    for (size_t i = 0; i < gw_catalog_group_count(catalog); i++) {
        const struct gw_model_group *group = gw_catalog_group(catalog, i);
        if (one == NULL || one == group) {
            atomic_store_explicit(&conf->groups[i]->strategy, word, RELAXED);
            gw_json_write_next(out);
            gw_json_write_text(group->name, out);
            (void)gw_buf_append(out, GW_STR(":"));
            gw_json_write_text(gw_strategy_name(gw_conf_strategy(conf, group)), out);
        }
    }
    (void)gw_buf_append(out, GW_STR("}}"));
    return GW_OK;
}
