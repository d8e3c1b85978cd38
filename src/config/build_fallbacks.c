/* SPDX-License-Identifier: MIT */
/*
 * config/build_fallbacks - which models follow when a group fails. LiteLLM writes a list of maps
 * ({model: [models]}), PLLM one map; both are read, wherever either has them. The first place that
 * names a group counts.
 */
#include "base/buf.h"
#include "config/routing_int.h"

enum kind {
    GENERAL,
    CONTEXT_WINDOW,
    CONTENT_POLICY,
    KINDS,
};

/* Where rules of each kind stand, and the key of a group's own map. */
static const struct {
    const char *own;
    const char *places[5];
} kinds[KINDS] = {
    [GENERAL] = {"fallbacks",
                 {"router.fallbacks", "router.model_fallbacks", "router_settings.fallbacks",
                  "litellm_settings.fallbacks"}},
    [CONTEXT_WINDOW] = {"context_window_fallbacks",
                        {"router.context_window_fallbacks",
                         "router_settings.context_window_fallbacks",
                         "litellm_settings.context_window_fallbacks"}},
    [CONTENT_POLICY] = {"content_policy_fallbacks",
                        {"router.content_policy_fallbacks",
                         "router_settings.content_policy_fallbacks",
                         "litellm_settings.content_policy_fallbacks"}},
};

static const char *const default_places[] = {"router.default_fallbacks",
                                             "router_settings.default_fallbacks",
                                             "litellm_settings.default_fallbacks"};

struct fallbacks {
    struct gw_config_build *build;
    struct gw_group_routing **routings;
    yyjson_val **values[KINDS];       /* per group: its list, or NULL */
    yyjson_val *defaults[KINDS];      /* for groups without one: "*" and default_fallbacks */
    struct gw_name_list names[KINDS]; /* in defaults */
};

static struct gw_name_list *list_of(struct gw_group_routing *routing, enum kind kind)
{
    return kind == CONTEXT_WINDOW   ? &routing->context_window_fallbacks
           : kind == CONTENT_POLICY ? &routing->content_policy_fallbacks
                                    : &routing->fallbacks;
}

/* ---- which list is whose ---- */

static void set_list(struct fallbacks *fallbacks, enum kind kind, struct gw_str model,
                     yyjson_val *list)
{
    struct gw_config_build *build = fallbacks->build;
    struct gw_str suffix = {0};
    yyjson_val **slot = &fallbacks->defaults[kind];
    if (!gw_str_eq(model, GW_STR("*"))) {
        const struct gw_model_group *group =
            gw_catalog_find(build->snapshot->catalog, model, &suffix);
        if (group == NULL) {
            gw_config_complain(&build->context, false, list,
                               "no model \"" GW_STR_FMT
                               "\" is configured: these fallbacks are for nobody",
                               GW_STR_ARG(model));
            return;
        }
        slot = &fallbacks->values[kind][group->index];
    }
    if (*slot != NULL) {
        struct gw_config_place place =
            gw_config_place_of(build->context.document, *slot, build->context.scratch);
        gw_config_complain(&build->context, false, list,
                           "\"" GW_STR_FMT "\" has a list in line %u already, which counts",
                           GW_STR_ARG(model), place.line);
        return;
    }
    *slot = list;
}

static void read_rules(struct fallbacks *fallbacks, enum kind kind, yyjson_val *rules)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    if (yyjson_is_obj(rules)) {
        yyjson_obj_foreach(rules, index, max, key, value)
        {
            set_list(fallbacks, kind, gw_config_text(key), value);
        }
        return;
    }
    yyjson_arr_foreach(rules, index, max, value)
    {
        if (yyjson_is_obj(value)) {
            read_rules(fallbacks, kind, value);
        } else {
            gw_config_complain(&fallbacks->build->context, true, value,
                               "expected \"model: [models]\"");
        }
    }
    if (rules != NULL && !yyjson_is_arr(rules)) {
        gw_config_complain(&fallbacks->build->context, true, rules,
                           "expected a map or a list of \"model: [models]\"");
    }
}

static void read_kind(struct fallbacks *fallbacks, enum kind kind)
{
    struct gw_config_build *build = fallbacks->build;
    const struct gw_config_document *document = build->context.document;
    for (size_t i = 0; i < gw_catalog_group_count(build->snapshot->catalog); i++) {
        const struct gw_model_group *group = gw_catalog_group(build->snapshot->catalog, i);
        struct gw_routing_scope scope = gw_routing_group_scope(build, group->name);
        fallbacks->values[kind][i] = gw_config_member(scope.maps[0], kinds[kind].own);
    }
    for (size_t i = 0; kinds[kind].places[i] != NULL; i++) {
        read_rules(fallbacks, kind, gw_config_get(document, kinds[kind].places[i]));
    }
    for (size_t i = 0; kind == GENERAL && i < GW_ARRAY_LEN(default_places); i++) {
        yyjson_val *list = gw_config_get(document, default_places[i]);
        if (list != NULL) {
            set_list(fallbacks, kind, GW_STR("*"), list);
        }
    }
}

/* ---- names ---- */

/* LiteLLM also writes {"model": name, ...}. */
static struct gw_str name_of(yyjson_val *item)
{
    return gw_str_trim(
        gw_config_text(yyjson_is_obj(item) ? gw_config_member(item, "model") : item));
}

static bool has_name(const struct gw_name_list *list, struct gw_str name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (gw_str_eq(list->names[i], name)) {
            return true;
        }
    }
    return false;
}

/* |group| is NULL for lists of all. */
static enum gw_err add_name(struct gw_config_build *build, const struct gw_model_group *group,
                            yyjson_val *item, struct gw_str *names, struct gw_name_list *list)
{
    const struct gw_setting_value place = {.value = item};
    struct gw_str suffix = {0};
    struct gw_str name = name_of(item);
    if (name.len == 0) {
        gw_config_complain(&build->context, true, item, "expected the name of a model");
        return GW_OK;
    }
    const struct gw_model_group *target = gw_catalog_find(build->snapshot->catalog, name, &suffix);
    if (target == NULL) {
        gw_routing_complain_model(build, &place, name);
    } else if (target == group) {
        gw_config_complain(&build->context, true, item, "a model cannot be its own fallback");
    } else if (list->count == GW_ROUTING_NAMES_MAX) {
        gw_config_complain(&build->context, true, item, "more than %d fallbacks of one model",
                           GW_ROUTING_NAMES_MAX);
    } else if (!has_name(list, name)) {
        names[list->count] = gw_arena_try_dup(gw_snapshot_arena(build->snapshot), name);
        list->count++;
        return names[list->count - 1].ptr == NULL ? GW_ERR_NOMEM : GW_OK;
    }
    return GW_OK;
}

/* |value| is a name or a list of names. */
static enum gw_err read_names(struct gw_config_build *build, const struct gw_model_group *group,
                              yyjson_val *value, struct gw_name_list *list)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *item = NULL;
    size_t count = yyjson_is_arr(value) ? yyjson_arr_size(value) : 1;
    count = count < GW_ROUTING_NAMES_MAX ? count : GW_ROUTING_NAMES_MAX;
    struct gw_str *names =
        gw_arena_try_alloc(gw_snapshot_arena(build->snapshot), (count + 1) * sizeof(*names));
    enum gw_err err = names == NULL ? GW_ERR_NOMEM : GW_OK;
    *list = (struct gw_name_list){.names = names};
    if (err == GW_OK && !yyjson_is_arr(value)) {
        return add_name(build, group, value, names, list);
    }
    yyjson_arr_foreach(value, index, max, item)
    {
        err = err == GW_OK ? add_name(build, group, item, names, list) : err;
    }
    return err;
}

/* The list of all for |group|: without itself. */
static enum gw_err use_default(struct gw_config_build *build, const struct gw_model_group *group,
                               const struct gw_name_list *all, struct gw_name_list *list)
{
    const struct gw_catalog *catalog = build->snapshot->catalog;
    struct gw_str *names = NULL;
    struct gw_str suffix = {0};
    bool has_itself = false;
    for (size_t i = 0; i < all->count; i++) {
        has_itself = has_itself || gw_catalog_find(catalog, all->names[i], &suffix) == group;
    }
    *list = *all;
    if (!has_itself) {
        return GW_OK;
    }
    names = gw_arena_try_alloc(gw_snapshot_arena(build->snapshot), all->count * sizeof(*names));
    *list = (struct gw_name_list){.names = names};
    for (size_t i = 0; names != NULL && i < all->count; i++) {
        if (gw_catalog_find(catalog, all->names[i], &suffix) != group) {
            names[list->count++] = all->names[i];
        }
    }
    return names == NULL ? GW_ERR_NOMEM : GW_OK;
}

static enum gw_err fill_group(struct fallbacks *fallbacks, size_t index)
{
    struct gw_config_build *build = fallbacks->build;
    const struct gw_model_group *group = gw_catalog_group(build->snapshot->catalog, index);
    struct gw_group_routing *routing = fallbacks->routings[index];
    struct gw_routing_scope scope = gw_routing_group_scope(build, group->name);
    bool is_on = gw_routing_number(&scope, GW_SETTING_FAILOVER) == 1;
    bool is_written =
        fallbacks->values[GENERAL][index] != NULL || fallbacks->defaults[GENERAL] != NULL;
    enum gw_err err = scope.err;
    for (enum kind kind = GENERAL; kind < KINDS && err == GW_OK; kind++) {
        yyjson_val *own = fallbacks->values[kind][index];
        struct gw_name_list list = {0};
        err = own != NULL ? read_names(build, group, own, &list)
                          : use_default(build, group, &fallbacks->names[kind], &list);
        *list_of(routing, kind) = is_on ? list : (struct gw_name_list){0};
    }
    routing->uses_presets =
        is_on && !is_written && gw_routing_number(&scope, GW_SETTING_PRESET_FALLBACKS) == 1;
    return err != GW_OK ? err : scope.err;
}

enum gw_err gw_build_fallbacks(struct gw_config_build *build, struct gw_group_routing **routings)
{
    size_t count = gw_catalog_group_count(build->snapshot->catalog);
    struct fallbacks fallbacks = {.build = build, .routings = routings};
    enum gw_err err = GW_OK;
    for (enum kind kind = GENERAL; kind < KINDS; kind++) {
        fallbacks.values[kind] =
            gw_arena_try_alloc(build->context.scratch, (count + 1) * sizeof(yyjson_val *));
        if (fallbacks.values[kind] == NULL) {
            return GW_ERR_NOMEM;
        }
        read_kind(&fallbacks, kind);
        if (fallbacks.defaults[kind] != NULL) {
            err = read_names(build, NULL, fallbacks.defaults[kind], &fallbacks.names[kind]);
        }
        if (err != GW_OK) {
            return err;
        }
    }
    for (size_t i = 0; i < count && err == GW_OK; i++) {
        err = fill_group(&fallbacks, i);
    }
    return err == GW_OK ? gw_check_circles(build, routings, fallbacks.values[GENERAL]) : err;
}

/* ---- models by name ---- */

/* Does model_list have |model|, though nobody serves it? */
static bool is_left_out(const struct gw_config_build *build, struct gw_str model)
{
    yyjson_val *list = gw_config_get(build->context.document, "model_list");
    size_t index = 0;
    size_t max = 0;
    yyjson_val *entry = NULL;
    if (yyjson_arr_size(list) == 0) {
        return true; /* what the environment has no key for */
    }
    yyjson_arr_foreach(list, index, max, entry)
    {
        struct gw_str name = gw_str_trim(gw_config_text(gw_config_member(entry, "model_name")));
        bool is_pattern = name.len > 0 && name.ptr[name.len - 1] == '*';
        if (gw_str_eq(name, model) ||
            (is_pattern && gw_str_has_prefix(model, gw_str(name.ptr, name.len - 1)))) {
            return true;
        }
    }
    return false;
}

void gw_routing_complain_model(struct gw_config_build *build,
                               const struct gw_setting_value *setting, struct gw_str model)
{
    struct gw_str names[GW_CATALOG_CLOSE_NAMES];
    size_t close = gw_catalog_close_names(build->snapshot->catalog, model, names);
    gw_config_complain_setting(&build->context, !is_left_out(build, model), setting,
                               "no model \"" GW_STR_FMT "\" is configured%s" GW_STR_FMT "%s",
                               GW_STR_ARG(model), close > 0 ? "; did you mean \"" : "",
                               GW_STR_ARG(close > 0 ? names[0] : gw_str("", 0)),
                               close > 0 ? "\"?" : "");
}
