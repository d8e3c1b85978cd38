/* SPDX-License-Identifier: MIT */
/*
 * config/own_groups - a model that a pattern serves ("gpt-4o" by "gpt-*") and that has settings or
 * fallbacks of its own, or is a fallback, becomes a group: routing is a matter of groups, and a
 * request visits each once.
 */
#include "config/routing_int.h"

static bool is_pattern(struct gw_str name)
{
    return name.len > 0 && name.ptr[name.len - 1] == '*';
}

static enum gw_err add_group(struct gw_config_build *build, struct gw_str name, yyjson_val *value)
{
    struct gw_str suffix = {0};
    const struct gw_model_group *group = gw_catalog_find(build->snapshot->catalog, name, &suffix);
    if (group == NULL || !is_pattern(group->name) || is_pattern(name)) {
        return GW_OK; /* has one, or is nobody: told where it is used */
    }
    struct gw_str prefix = gw_str(group->name.ptr, group->name.len - 1);
    bool is_alias =
        !gw_str_has_prefix(name, prefix) || !gw_str_eq(gw_str_skip(name, prefix.len), suffix);
    if (is_alias) {
        gw_config_complain(&build->context, false, value,
                           "\"" GW_STR_FMT
                           "\" is an alias of a model that the pattern \"" GW_STR_FMT
                           "\" serves: use that model's name here",
                           GW_STR_ARG(name), GW_STR_ARG(group->name));
        return GW_OK;
    }
    return gw_build_copies(build, name, name, value);
}

/* A name, or a list of names. */
static enum gw_err add_names(struct gw_config_build *build, yyjson_val *value)
{
    enum gw_err err = GW_OK;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *item = NULL;
    if (yyjson_is_str(value)) {
        return add_group(build, gw_str_trim(gw_config_text(value)), value);
    }
    yyjson_arr_foreach(value, index, max, item)
    {
        yyjson_val *name = yyjson_is_obj(item) ? gw_config_member(item, "model") : item;
        err = err == GW_OK && yyjson_is_str(name)
                  ? add_group(build, gw_str_trim(gw_config_text(name)), name)
                  : err;
    }
    return err;
}

static enum gw_err add_rule(struct gw_config_build *build, yyjson_val *map)
{
    enum gw_err err = GW_OK;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    if (!yyjson_is_obj(map)) {
        return GW_OK;
    }
    yyjson_obj_foreach(map, index, max, key, value)
    {
        err = err == GW_OK ? add_group(build, gw_config_text(key), value) : err;
        err = err == GW_OK ? add_names(build, value) : err;
    }
    return err;
}

static const char *const lists[] = {"fallbacks", "model_fallbacks", "context_window_fallbacks",
                                    "content_policy_fallbacks"};

static enum gw_err add_section(struct gw_config_build *build, const char *section)
{
    yyjson_val *map = gw_config_get(build->context.document, section);
    enum gw_err err = add_names(build, gw_config_member(map, "default_fallbacks"));
    for (size_t i = 0; i < GW_ARRAY_LEN(lists) && err == GW_OK; i++) {
        yyjson_val *rules = gw_config_member(map, lists[i]);
        size_t index = 0;
        size_t max = 0;
        yyjson_val *rule = NULL;
        err = add_rule(build, rules);
        yyjson_arr_foreach(rules, index, max, rule)
        {
            err = err == GW_OK ? add_rule(build, rule) : err;
        }
    }
    return err;
}

static enum gw_err add_model_group(struct gw_config_build *build, yyjson_val *key, yyjson_val *own)
{
    struct gw_str name = gw_config_text(key);
    struct gw_str suffix = {0};
    const struct gw_setting_value place = {.value = key};
    enum gw_err err = add_group(build, name, key);
    if (err == GW_OK && gw_catalog_find(build->snapshot->catalog, name, &suffix) == NULL) {
        gw_routing_complain_model(build, &place, name);
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(lists) && err == GW_OK; i++) {
        err = add_names(build, gw_config_member(own, lists[i]));
    }
    return err;
}

/* Models that LiteLLM has numbers of retries for. */
static enum gw_err add_retried(struct gw_config_build *build)
{
    yyjson_val *map =
        gw_config_get(build->context.document, "router_settings.model_group_retry_policy");
    enum gw_err err = GW_OK;
    struct gw_str suffix = {0};
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *policy = NULL;
    if (!yyjson_is_obj(map)) {
        return GW_OK;
    }
    yyjson_obj_foreach(map, index, max, key, policy)
    {
        struct gw_str name = gw_config_text(key);
        err = err == GW_OK ? add_group(build, name, key) : err;
        if (err == GW_OK && gw_catalog_find(build->snapshot->catalog, name, &suffix) == NULL) {
            gw_config_complain(&build->context, false, key,
                               "no model \"" GW_STR_FMT "\" is configured: these retries are for "
                               "nobody",
                               GW_STR_ARG(name));
        }
    }
    return err;
}

enum gw_err gw_build_own_groups(struct gw_config_build *build)
{
    static const char *const sections[] = {"router", "router_settings", "litellm_settings"};
    yyjson_val *groups = gw_config_get(build->context.document, "model_groups");
    enum gw_err err = add_retried(build);
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *own = NULL;
    for (size_t i = 0; i < GW_ARRAY_LEN(sections) && err == GW_OK; i++) {
        err = add_section(build, sections[i]);
    }
    if (!yyjson_is_obj(groups)) {
        return err; /* the schema says what it should be */
    }
    yyjson_obj_foreach(groups, index, max, key, own)
    {
        err = err == GW_OK ? add_model_group(build, key, own) : err;
    }
    return err;
}
