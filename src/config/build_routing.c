/* SPDX-License-Identifier: MIT */
/*
 * config/build_routing - how model groups are routed, when the catalog is complete: what is for all
 * of them, and each group in turn.
 */
#include "config/routing_int.h"
#include "policy/router.h"

uint64_t gw_routing_tag(struct gw_config_build *build, yyjson_val *value, struct gw_str name,
                        enum gw_err *err)
{
    if (name.len == 0) {
        return 0;
    }
    for (size_t i = 0; i < build->tag_count; i++) {
        if (gw_str_eq(build->tags[i], name)) {
            return UINT64_C(1) << i;
        }
    }
    if (build->tag_count == GW_ROUTING_TAGS_MAX) {
        gw_config_complain(&build->context, true, value, "more than %d different tags",
                           GW_ROUTING_TAGS_MAX);
        return 0;
    }
    if (build->tags == NULL) {
        build->tags = gw_arena_try_alloc(gw_snapshot_arena(build->snapshot),
                                         GW_ROUTING_TAGS_MAX * sizeof(*build->tags));
    }
    struct gw_str own = gw_arena_try_dup(gw_snapshot_arena(build->snapshot), name);
    if (build->tags == NULL || own.ptr == NULL) {
        *err = GW_ERR_NOMEM;
        return 0;
    }
    build->tags[build->tag_count] = own;
    build->tag_count++;
    return UINT64_C(1) << (build->tag_count - 1);
}

/* ---- for all ---- */

static bool has_allowed(const struct gw_catalog *catalog, enum gw_failover_mode mode)
{
    for (size_t i = 0; i < gw_catalog_group_count(catalog); i++) {
        const struct gw_model_group *group = gw_catalog_group(catalog, i);
        for (size_t j = 0; j < group->deployment_count; j++) {
            /* gatewire/demo is no model to fall back to */
            if (group->deployments[j]->origin != NULL &&
                gw_failover_mode_allows(mode, group->deployments[j]->routing->is_local)) {
                return true;
            }
        }
    }
    return false;
}

static enum gw_failover_mode read_mode(struct gw_config_build *build)
{
    const struct gw_setting_value *value = gw_build_setting(build, GW_SETTING_FAILOVER_MODE);
    enum gw_failover_mode mode = GW_FAILOVER_CLOUD_FIRST;
    if (!value->is_set || value->text.len == 0) {
        return mode;
    }
    if (gw_failover_mode_parse(value->text, &mode) != GW_OK) {
        gw_config_complain_setting(&build->context, true, value,
                                   "expected cloud_first, local_first, local_only or cloud_only");
        return GW_FAILOVER_CLOUD_FIRST;
    }
    bool is_only = mode == GW_FAILOVER_LOCAL_ONLY || mode == GW_FAILOVER_CLOUD_ONLY;
    if (is_only && !has_allowed(build->snapshot->catalog, mode)) {
        gw_config_complain_setting(
            &build->context, false, value, "no model that is configured runs %s",
            mode == GW_FAILOVER_LOCAL_ONLY ? "on machines of your own" : "in a cloud");
    }
    return mode;
}

static enum gw_err build_common(struct gw_config_build *build)
{
    struct gw_routing *routing =
        gw_arena_try_alloc(gw_snapshot_arena(build->snapshot), sizeof(*routing));
    if (routing == NULL) {
        return GW_ERR_NOMEM;
    }
    bool is_filtering = gw_build_setting(build, GW_SETTING_TAG_FILTERING)->number == 1;
    *routing = (struct gw_routing){
        .failover_mode = read_mode(build),
        .checks_context = gw_build_setting(build, GW_SETTING_PRE_CALL_CHECKS)->number == 1,
        .tags = {.names = build->tags, .count = is_filtering ? build->tag_count : 0},
        .filters_tags = is_filtering,
    };
    build->snapshot->routing = routing;
    gw_check_probes(build);
    return gw_build_auto(build, routing);
}

/* ---- limits of the router ---- */

/* The entry that is one too many, or what else may be blamed. */
static yyjson_val *find_surplus(const struct gw_config_build *build, struct gw_str group)
{
    yyjson_val *list = gw_config_get(build->context.document, "model_list");
    yyjson_val *last = yyjson_doc_get_root(build->context.document->json);
    size_t seen = 0;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *entry = NULL;
    yyjson_arr_foreach(list, index, max, entry)
    {
        struct gw_str name = gw_str_trim(gw_config_text(gw_config_member(entry, "model_name")));
        if (seen <= GW_ROUTER_MAX && gw_str_eq(name, group)) {
            last = entry;
            seen++;
        }
    }
    return last;
}

/* The router has 32 bits for a weight; those of a group keep their proportions. */
static enum gw_err bound_weights(struct gw_config_build *build, const struct gw_model_group *group)
{
    uint64_t max = 0;
    for (size_t i = 0; i < group->deployment_count; i++) {
        uint64_t weight = group->deployments[i]->weight;
        max = weight > max ? weight : max;
    }
    for (size_t i = 0; i < group->deployment_count && max > UINT32_MAX; i++) {
        struct gw_deployment *copy =
            gw_arena_try_alloc(gw_snapshot_arena(build->snapshot), sizeof(*copy));
        if (copy == NULL) {
            return GW_ERR_NOMEM;
        }
        *copy = *group->deployments[i];
        uint64_t scaled = copy->weight / (max / UINT32_MAX + 1);
        copy->weight = scaled > 0 ? scaled : 1;
        group->deployments[i] = copy;
    }
    return GW_OK;
}

static enum gw_err bound_group(struct gw_config_build *build, const struct gw_model_group *group)
{
    if (group->deployment_count > GW_ROUTER_MAX) {
        gw_config_complain(&build->context, true, find_surplus(build, group->name),
                           "model \"" GW_STR_FMT "\" has more than %d deployments",
                           GW_STR_ARG(group->name), GW_ROUTER_MAX);
    }
    return bound_weights(build, group);
}

/* ---- each group ---- */

/* What its entries say about each group: the largest number of retries, the first mirror. */
static void gather_wishes(struct gw_config_build *build, struct gw_group_wish *by_group)
{
    size_t count = gw_catalog_group_count(build->snapshot->catalog);
    for (size_t i = 0; i < count; i++) {
        by_group[i] = (struct gw_group_wish){0};
    }
    for (size_t i = 0; i < build->wish_count; i++) {
        const struct gw_group_wish *wish = &build->wishes[i];
        struct gw_str suffix = {0};
        const struct gw_model_group *group =
            gw_catalog_find(build->snapshot->catalog, wish->group, &suffix);
        if (group == NULL) {
            continue; /* the entry was left out: reported */
        }
        struct gw_group_wish *sum = &by_group[group->index];
        if (wish->retries.is_set &&
            (!sum->retries.is_set || wish->retries.number > sum->retries.number)) {
            sum->retries = wish->retries;
        }
        sum->mirror = sum->mirror.is_set ? sum->mirror : wish->mirror;
    }
}

static enum gw_err build_groups(struct gw_config_build *build)
{
    struct gw_catalog *catalog = build->snapshot->catalog;
    size_t count = gw_catalog_group_count(catalog);
    struct gw_arena *scratch = build->context.scratch;
    struct gw_group_routing **routings =
        gw_arena_try_alloc(scratch, (count + 1) * sizeof(struct gw_group_routing *));
    struct gw_group_wish *wishes = gw_arena_try_alloc(scratch, (count + 1) * sizeof(*wishes));
    enum gw_err err = routings == NULL || wishes == NULL ? GW_ERR_NOMEM : GW_OK;
    if (err == GW_OK) {
        gather_wishes(build, wishes);
    }
    for (size_t i = 0; i < count && err == GW_OK; i++) {
        const struct gw_model_group *group = gw_catalog_group(catalog, i);
        routings[i] = gw_arena_try_alloc(gw_snapshot_arena(build->snapshot), sizeof(**routings));
        if (routings[i] == NULL) {
            return GW_ERR_NOMEM;
        }
        err = bound_group(build, group);
        err = err == GW_OK ? gw_build_group_routing(build, group, &wishes[i], routings[i]) : err;
    }
    err = err == GW_OK ? gw_build_fallbacks(build, routings) : err;
    for (size_t i = 0; i < count && err == GW_OK; i++) {
        gw_catalog_set_routing(catalog, i, routings[i]);
    }
    return err;
}

enum gw_err gw_build_routing(struct gw_config_build *build)
{
    enum gw_err err = gw_build_own_groups(build);
    err = err == GW_OK ? build_common(build) : err;
    return err == GW_OK ? build_groups(build) : err;
}
