/* SPDX-License-Identifier: MIT */
/* config/build_routing - how model groups are routed: the router's settings. */
#include "config/build_int.h"
#include "policy/routing.h"

static enum gw_err add_group(struct gw_config_build *build, size_t index)
{
    struct gw_group_routing *routing =
        gw_arena_try_alloc(gw_snapshot_arena(build->snapshot), sizeof(*routing));
    if (routing == NULL) {
        return GW_ERR_NOMEM;
    }
    *routing = (struct gw_group_routing){.uses_presets = true};
    gw_retry_policy_bound(&routing->retry);
    gw_catalog_set_routing(build->snapshot->catalog, index, routing);
    return GW_OK;
}

enum gw_err gw_build_routing(struct gw_config_build *build)
{
    struct gw_routing *routing =
        gw_arena_try_alloc(gw_snapshot_arena(build->snapshot), sizeof(*routing));
    if (routing == NULL) {
        return GW_ERR_NOMEM;
    }
    *routing = (struct gw_routing){0};
    build->snapshot->routing = routing;
    enum gw_err err = GW_OK;
    for (size_t i = 0; i < gw_catalog_group_count(build->snapshot->catalog) && err == GW_OK; i++) {
        err = add_group(build, i);
    }
    return err;
}
