/* SPDX-License-Identifier: MIT */
/* core/model_names - see the header. */
#include "core/model_names.h"

#include "llm/model_facts.h"
#include "provider/provider.h"

void gw_model_names_init(struct gw_model_names *names, const struct gw_catalog *catalog)
{
    names->catalog = catalog;
    names->group = 0;
    names->row = 0;
    names->has_any = false;
}

/* What a pattern's '*' must match so that |upstream| becomes |model|. */
static bool find_suffix(struct gw_str upstream, struct gw_str model, struct gw_str *suffix)
{
    size_t star = gw_str_find_byte(upstream, '*');
    *suffix = model;
    if (upstream.len == 0) {
        return true;
    }
    if (star == upstream.len) {
        return false; /* one model under many names */
    }
    struct gw_str before = gw_str(upstream.ptr, star);
    struct gw_str behind = gw_str_skip(upstream, star + 1);
    if (model.len < before.len + behind.len || !gw_str_has_prefix(model, before) ||
        !gw_str_has_suffix(model, behind)) {
        return false;
    }
    *suffix = gw_str(model.ptr + before.len, model.len - before.len - behind.len);
    return true;
}

/* The name under which |group|, a pattern, gives |model|; false when it does not, or when another
 * group has that name. */
static bool make_name(struct gw_model_names *names, const struct gw_model_group *group,
                      struct gw_str model, struct gw_str *name)
{
    struct gw_str front = gw_str(group->name.ptr, group->name.len - 1);
    struct gw_str suffix;
    struct gw_str ignored;
    if (!find_suffix(group->deployments[0]->upstream_model, model, &suffix) ||
        front.len + suffix.len > sizeof(names->room)) {
        return false;
    }
    if (front.len > 0) {
        memcpy(names->room, front.ptr, front.len);
    }
    if (suffix.len > 0) {
        memcpy(names->room + front.len, suffix.ptr, suffix.len);
    }
    *name = gw_str(names->room, front.len + suffix.len);
    return gw_catalog_find(names->catalog, *name, &ignored) == group;
}

static bool is_replaced(const struct gw_model_group *group)
{
    return gw_str_has_suffix(group->name, GW_STR("*")) && group->deployment_count > 0 &&
           group->deployments[0]->provider != NULL &&
           group->deployments[0]->provider->kind != GW_PROVIDER_AZURE;
}

/* The next known model of |group|. */
static bool next_known(struct gw_model_names *names, const struct gw_model_group *group,
                       struct gw_str *name)
{
    struct gw_str provider;
    struct gw_str model;
    while (gw_model_facts_at(names->row, &provider, &model)) {
        names->row++;
        if (gw_str_eq(provider, group->deployments[0]->provider_name) &&
            make_name(names, group, model, name)) {
            names->has_any = true;
            return true;
        }
    }
    return false;
}

bool gw_model_names_next(struct gw_model_names *names, struct gw_str *name,
                         const struct gw_model_group **group)
{
    while (names->group < gw_catalog_group_count(names->catalog)) {
        *group = gw_catalog_group(names->catalog, names->group);
        if (is_replaced(*group) && next_known(names, *group, name)) {
            return true;
        }
        bool is_done = names->has_any;
        names->group++;
        names->row = 0;
        names->has_any = false;
        if (!is_done) {
            *name = (*group)->name;
            return true;
        }
    }
    return false;
}
