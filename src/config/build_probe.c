/* SPDX-License-Identifier: MIT */
/*
 * config/build_probe - which deployments are probed, and how. For all it stands under router,
 * LiteLLM's names under general_settings; for one deployment also in its model_info, as LiteLLM has
 * it.
 */
#include "config/routing_int.h"

/* |row|'s kind of value in model_info; not set when it is not there, or wrong: reported. */
static struct gw_setting_value read_own(struct gw_routing_scope *scope,
                                        const struct gw_model_entry *entry, const char *name,
                                        const struct gw_setting_row *row)
{
    yyjson_val *info = entry == NULL ? NULL : gw_config_member(entry->value, "model_info");
    return gw_routing_read(scope, gw_config_member(info, name), row);
}

static bool is_wanted(struct gw_routing_scope *scope, const struct gw_model_entry *entry)
{
    static const struct gw_setting_row flag = {.kind = GW_SETTING_KIND_BOOL, .max = 1};
    struct gw_setting_value is_off =
        read_own(scope, entry, "disable_background_health_check", &flag);
    return is_off.number == 0 && gw_routing_is_on(scope, "health_check", GW_SETTING_PROBE);
}

/* Two probes must not run at once, so one takes half of the interval at most. */
static void read_times(struct gw_routing_scope *scope, const struct gw_model_entry *entry,
                       struct gw_probe_options *options)
{
    static const struct gw_setting_row duration = {
        .kind = GW_SETTING_KIND_DURATION, .min = 1, .max = GW_DAY_MS};
    struct gw_setting_value timeout = gw_routing_value(scope, GW_SETTING_PROBE_TIMEOUT);
    struct gw_setting_value own = read_own(scope, entry, "health_check_timeout", &duration);
    timeout = own.is_set ? own : timeout;
    options->interval_ms = gw_routing_number(scope, GW_SETTING_PROBE_INTERVAL);
    options->timeout_ms = timeout.number;
    gw_probe_options_bound(options);
    if (options->is_on && timeout.is_set && options->timeout_ms < timeout.number &&
        gw_routing_tells(scope, GW_SETTING_PROBE_TIMEOUT, &timeout)) {
        gw_config_complain_setting(&scope->build->context, false, &timeout,
                                   "longer than half of the interval: %llums are used",
                                   (unsigned long long)options->timeout_ms);
    }
}

/* "openai/gpt-4o-mini" as the vendor calls it; what looks like another vendor's name in front
 * belongs to the model's ("openrouter" has "anthropic/..."). */
static struct gw_str without_provider(struct gw_str model, const struct gw_deployment *deployment)
{
    size_t slash = gw_str_find_byte(model, '/');
    return slash < model.len && gw_provider_find(gw_str(model.ptr, slash)) == deployment->provider
               ? gw_str_skip(model, slash + 1)
               : model;
}

static void read_model(struct gw_routing_scope *scope, const struct gw_model_entry *entry,
                       const struct gw_deployment *deployment,
                       struct gw_deployment_routing *routing)
{
    static const struct gw_setting_row text = {.kind = GW_SETTING_KIND_TEXT};
    struct gw_setting_value value = read_own(scope, entry, "health_check_model", &text);
    struct gw_str model = without_provider(gw_str_trim(value.text), deployment);
    if (!value.is_set || model.len == 0) {
        return;
    }
    if (model.len > GW_MODEL_NAME_MAX || gw_str_find_byte(model, '*') < model.len) {
        gw_config_complain_setting(&scope->build->context, true, &value,
                                   "expected the name of a model, without '*'");
        return;
    }
    routing->probe_model = gw_arena_try_dup(gw_snapshot_arena(scope->build->snapshot), model);
    scope->err = routing->probe_model.ptr == NULL ? GW_ERR_NOMEM : scope->err;
}

void gw_build_probe(struct gw_routing_scope *scope, struct gw_str group,
                    const struct gw_model_entry *entry, const struct gw_deployment *deployment,
                    struct gw_deployment_routing *routing)
{
    struct gw_probe_options *options = &routing->probe;
    *options = (struct gw_probe_options){
        .is_on = is_wanted(scope, entry),
        .failures = (unsigned)gw_routing_number(scope, GW_SETTING_PROBE_FAILURES),
        .successes = (unsigned)gw_routing_number(scope, GW_SETTING_PROBE_SUCCESSES),
    };
    read_times(scope, entry, options);
    read_model(scope, entry, deployment, routing);
    scope->build->has_probes = scope->build->has_probes || options->is_on;
    struct gw_str model = deployment->upstream_model.len > 0 ? deployment->upstream_model : group;
    if (options->is_on && entry != NULL && routing->probe_model.len == 0 &&
        gw_str_find_byte(model, '*') < model.len) {
        gw_config_complain(&scope->build->context, false, entry->value,
                           "model \"" GW_STR_FMT "\" stands for many and is not probed; name one "
                           "of them in model_info.health_check_model",
                           GW_STR_ARG(group));
    }
}

void gw_check_probes(const struct gw_config_build *build)
{
    const struct gw_setting_value *interval = gw_build_setting(build, GW_SETTING_PROBE_INTERVAL);
    if (interval->is_set && !build->has_probes &&
        !gw_build_setting(build, GW_SETTING_PROBE)->is_set) {
        gw_config_complain_setting(&build->context, false, interval,
                                   "nothing is probed: router.health_check.enabled (LiteLLM: "
                                   "general_settings.background_health_checks) turns probes on");
    }
}
