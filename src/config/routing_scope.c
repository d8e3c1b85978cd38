/* SPDX-License-Identifier: MIT */
/* config/routing_scope - where a setting of the router may stand, and what it says. */
#include "config/routing_int.h"

/* The own name in a group or an entry of what is called "router.<name>" for all. */
static yyjson_val *find_own(yyjson_val *map, const char *names)
{
    static const struct gw_str prefix = GW_STR_INIT("router.");
    struct gw_str rest = gw_str_from_c(names);
    struct gw_str name = {0};
    while (gw_str_split(&rest, ' ', &name)) {
        yyjson_val *value = gw_str_has_prefix(name, prefix)
                                ? gw_setting_at(map, gw_str_skip(name, prefix.len))
                                : NULL;
        if (value != NULL) {
            return value;
        }
    }
    return NULL;
}

struct gw_routing_scope gw_routing_group_scope(struct gw_config_build *build, struct gw_str name)
{
    yyjson_val *groups = gw_config_get(build->context.document, "model_groups");
    yyjson_val *own = yyjson_obj_getn(groups, name.ptr == NULL ? "" : name.ptr, name.len);
    return (struct gw_routing_scope){.build = build, .maps = {yyjson_is_obj(own) ? own : NULL}};
}

struct gw_setting_value gw_routing_read(struct gw_routing_scope *scope, yyjson_val *found,
                                        const struct gw_setting_row *row)
{
    struct gw_setting_value value = {0};
    if (found == NULL) {
        return value;
    }
    enum gw_err err = gw_setting_read_value(&scope->build->context, found, row, &value);
    scope->err = err == GW_ERR_NOMEM ? err : scope->err;
    return value;
}

struct gw_setting_value gw_routing_value(struct gw_routing_scope *scope, enum gw_setting_id id)
{
    const struct gw_setting_row *row = gw_setting_row_at(id);
    yyjson_val *found = NULL;
    for (size_t i = 0; i < GW_ROUTING_SCOPE_MAPS && found == NULL; i++) {
        found = find_own(scope->maps[i], row->names);
    }
    struct gw_setting_value value = gw_routing_read(scope, found, row);
    return value.is_set ? value : *gw_build_setting(scope->build, id);
}

uint64_t gw_routing_number(struct gw_routing_scope *scope, enum gw_setting_id id)
{
    return gw_routing_value(scope, id).number;
}

bool gw_routing_tells(const struct gw_routing_scope *scope, enum gw_setting_id id,
                      const struct gw_setting_value *value)
{
    return scope->tells_all || value->value != gw_build_setting(scope->build, id)->value;
}

bool gw_routing_is_on(struct gw_routing_scope *scope, const char *name, enum gw_setting_id id)
{
    struct gw_setting_value enabled = gw_routing_value(scope, id);
    yyjson_val *router = gw_config_get(scope->build->context.document, "router");
    bool is_written = yyjson_is_obj(gw_config_member(router, name));
    for (size_t i = 0; i < GW_ROUTING_SCOPE_MAPS; i++) {
        is_written = is_written || yyjson_is_obj(gw_config_member(scope->maps[i], name));
    }
    return enabled.is_set ? enabled.number == 1 : is_written;
}
