/* SPDX-License-Identifier: MIT */
/* config/build_aliases - other names for groups, and groups made of other groups' deployments. */
#include "base/buf.h"
#include "config/model_entry_int.h"

/* "; did you mean a, b?" or nothing. */
static struct gw_str suggest(struct gw_config_build *build, struct gw_str model)
{
    struct gw_str names[GW_CATALOG_CLOSE_NAMES];
    size_t count = gw_catalog_close_names(build->snapshot->catalog, model, names);
    if (count == 0) {
        return gw_str("", 0);
    }
    return gw_arena_printf(build->context.scratch, "; did you mean \"" GW_STR_FMT "\"?",
                           GW_STR_ARG(names[0]));
}

static enum gw_err complain_unknown(struct gw_config_build *build, yyjson_val *value,
                                    struct gw_str model)
{
    struct gw_str advice = suggest(build, model);
    /* A warning: the model may have been left out for a variable that is not set. */
    gw_config_complain(&build->context, false, value,
                       "no model \"" GW_STR_FMT "\" is configured" GW_STR_FMT, GW_STR_ARG(model),
                       GW_STR_ARG(advice));
    return GW_OK;
}

/* A copy whose upstream model does not depend on what a pattern matched. */
static struct gw_deployment *copy_deployment(struct gw_config_build *build,
                                             const struct gw_deployment *original,
                                             struct gw_str suffix, struct gw_str group)
{
    struct gw_arena *arena = gw_snapshot_arena(build->snapshot);
    char buf[2 * GW_MODEL_NAME_MAX];
    struct gw_str model = {0};
    struct gw_deployment *copy = gw_arena_try_alloc(arena, sizeof(*copy));
    struct gw_str id = gw_arena_try_printf(arena, GW_STR_FMT "#" GW_STR_FMT, GW_STR_ARG(group),
                                           GW_STR_ARG(original->id));
    if (copy == NULL || id.ptr == NULL ||
        gw_deployment_model(original, suffix, buf, sizeof(buf), &model) != GW_OK) {
        return NULL;
    }
    *copy = *original;
    copy->id = id;
    copy->upstream_model = gw_arena_try_dup(arena, model);
    return copy->upstream_model.ptr == NULL ? NULL : copy;
}

enum gw_err gw_build_copies(struct gw_config_build *build, struct gw_str model, struct gw_str group,
                            yyjson_val *value)
{
    struct gw_str suffix = {0};
    const struct gw_model_group *source = gw_catalog_find(build->snapshot->catalog, model, &suffix);
    if (source == NULL) {
        return complain_unknown(build, value, model);
    }
    /* The group may be among those that it is made of. */
    size_t count = gw_str_eq(source->name, group) ? 0 : source->deployment_count;
    enum gw_err err = GW_OK;
    for (size_t i = 0; i < count && err == GW_OK; i++) {
        struct gw_deployment *copy = copy_deployment(build, source->deployments[i], suffix, group);
        err = copy == NULL ? GW_ERR_NOMEM : gw_catalog_add(build->snapshot->catalog, group, copy);
    }
    return err;
}

static enum gw_err add_alias(struct gw_config_build *build, struct gw_str alias, yyjson_val *target)
{
    struct gw_str model = gw_config_text(target);
    enum gw_err err = gw_catalog_add_alias(build->snapshot->catalog, alias, model);
    if (err == GW_ERR_EXISTS) {
        gw_config_complain(&build->context, true, target,
                           "\"" GW_STR_FMT "\" is the name of a model already", GW_STR_ARG(alias));
        return GW_OK;
    }
    return err == GW_ERR_NOT_FOUND ? complain_unknown(build, target, model) : err;
}

/* An alias of several models is a group of all their deployments. */
static enum gw_err add_targets(struct gw_config_build *build, struct gw_str alias,
                               yyjson_val *targets)
{
    if (yyjson_arr_size(targets) == 1 && yyjson_is_str(yyjson_arr_get_first(targets))) {
        return add_alias(build, alias, yyjson_arr_get_first(targets));
    }
    enum gw_err err = GW_OK;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *target = NULL;
    yyjson_arr_foreach(targets, index, max, target)
    {
        if (err == GW_OK && yyjson_is_str(target)) {
            err = gw_build_copies(build, gw_config_text(target), alias, target);
        } else if (err == GW_OK) {
            gw_config_complain(&build->context, true, target, "expected the name of a model");
        }
    }
    return err;
}

/* LiteLLM also writes {"alias": {"model": "name", "hidden": true}}. */
static enum gw_err add_any(struct gw_config_build *build, struct gw_str alias, yyjson_val *target)
{
    if (alias.len == 0 || alias.len > GW_MODEL_NAME_MAX || !gw_is_header_value(alias)) {
        gw_config_complain(&build->context, true, target,
                           "an alias has 1 to %d bytes and no control characters",
                           GW_MODEL_NAME_MAX);
        return GW_OK;
    }
    if (yyjson_is_obj(target)) {
        target = gw_config_member(target, "model");
    }
    if (yyjson_is_arr(target)) {
        return add_targets(build, alias, target);
    }
    return yyjson_is_str(target) ? add_alias(build, alias, target) : GW_ERR_INVALID;
}

static enum gw_err add_map(struct gw_config_build *build, const char *path)
{
    yyjson_val *map = gw_config_get(build->context.document, path);
    enum gw_err err = GW_OK;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *target = NULL;
    if (map == NULL) {
        return GW_OK;
    }
    if (!yyjson_is_obj(map)) {
        gw_config_complain(&build->context, true, map, "expected a map of \"alias: model\"");
        return GW_OK;
    }
    yyjson_obj_foreach(map, index, max, key, target)
    {
        err = err == GW_OK ? add_any(build, gw_config_text(key), target) : err;
        if (err == GW_ERR_INVALID) {
            gw_config_complain(&build->context, true, target,
                               "expected the name of a model, or a list of names");
            err = GW_OK;
        }
    }
    return err;
}

enum gw_err gw_build_aliases(struct gw_config_build *build)
{
    static const char *const paths[] = {"model_group_alias", "model_aliases",
                                        "router_settings.model_group_alias"};
    enum gw_err err = GW_OK;
    for (size_t i = 0; i < GW_ARRAY_LEN(paths) && err == GW_OK; i++) {
        err = add_map(build, paths[i]);
    }
    return err;
}
