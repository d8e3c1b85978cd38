/* SPDX-License-Identifier: MIT */
/*
 * config/model_list - walks over model_list and what entries refer to (credential_list,
 * deployments), and adds what is always there. What one entry becomes is in build_models.
 */
#include "config/routing_int.h"

#define WEIGHT_SCALE 1000 /* as in build_models */

/* Counts how often names come up; a catalog is a good table of names. */
struct name_counter {
    struct gw_catalog *catalog;
};

struct model_list {
    struct gw_config_build *build;
    struct gw_made_deployments made;
    struct name_counter groups;
    struct name_counter ids;
};

static enum gw_err count_name(struct name_counter *counter, struct gw_arena *arena,
                              struct gw_str name, size_t *count)
{
    static const struct gw_deployment nobody;
    if (counter->catalog == NULL) {
        counter->catalog = gw_catalog_create(arena);
    }
    /* With something in front the name is no pattern that other names would match. */
    struct gw_str own = gw_arena_try_printf(arena, "*" GW_STR_FMT "=", GW_STR_ARG(name));
    if (counter->catalog == NULL || own.ptr == NULL ||
        gw_catalog_add(counter->catalog, own, &nobody) != GW_OK) {
        return GW_ERR_NOMEM;
    }
    struct gw_str suffix = {0};
    const struct gw_model_group *group = gw_catalog_find(counter->catalog, own, &suffix);
    *count = group == NULL ? 1 : group->deployment_count;
    return GW_OK;
}

yyjson_val *gw_model_entry_find(const struct gw_model_entry *entry, const char *names)
{
    for (size_t i = 0; i < GW_MODEL_ENTRY_MAPS; i++) {
        struct gw_str rest = gw_str_from_c(names);
        struct gw_str name = {0};
        while (entry->maps[i] != NULL && gw_str_split(&rest, ' ', &name)) {
            yyjson_val *value = yyjson_obj_getn(entry->maps[i], name.ptr, name.len);
            if (value != NULL && !yyjson_is_null(value)) {
                return value;
            }
        }
    }
    return NULL;
}

enum gw_err gw_model_entry_read(const struct gw_model_entry *entry, const char *names,
                                const struct gw_setting_row *row, struct gw_setting_value *value)
{
    *value = (struct gw_setting_value){0};
    yyjson_val *found = gw_model_entry_find(entry, names);
    return found == NULL ? GW_OK : gw_setting_read_value(&entry->build->context, found, row, value);
}

enum gw_err gw_model_entry_text(const struct gw_model_entry *entry, const char *names,
                                struct gw_str *text)
{
    static const struct gw_setting_row row = {.kind = GW_SETTING_KIND_TEXT};
    struct gw_setting_value value = {0};
    yyjson_val *found = gw_model_entry_find(entry, names);
    *text = gw_str(NULL, 0);
    if (found == NULL || yyjson_is_obj(found)) {
        return GW_OK;
    }
    enum gw_err err = gw_setting_read_value(&entry->build->context, found, &row, &value);
    *text = value.text;
    return err;
}

enum gw_err gw_model_entry_add(const struct gw_model_entry *entry, struct gw_deployment *deployment)
{
    struct gw_made_deployments *made = entry->made;
    struct gw_deployment **items = gw_arena_grow(entry->build->context.scratch, made->items,
                                                 made->count, &made->capacity, sizeof(*items));
    if (items == NULL) {
        return GW_ERR_NOMEM;
    }
    items[made->count] = deployment;
    made->items = items;
    made->count++;
    return gw_catalog_add(entry->build->snapshot->catalog, entry->group, deployment);
}

/* The map in credential_list that |name| stands for, with the entry that holds it. */
static yyjson_val *find_credential(const struct gw_config_build *build, struct gw_str name,
                                   yyjson_val **holder)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *item = NULL;
    yyjson_arr_foreach(gw_config_get(build->context.document, "credential_list"), index, max, item)
    {
        if (gw_str_eq(gw_config_text(gw_config_member(item, "credential_name")), name)) {
            *holder = item;
            return gw_config_member(item, "credential_values");
        }
    }
    return NULL;
}

static yyjson_val *map_member(yyjson_val *object, const char *name)
{
    yyjson_val *member = gw_config_member(object, name);
    return yyjson_is_obj(member) ? member : NULL;
}

/* False when an entry (or what it refers to) lacks a variable: warned about. */
static bool is_resolved(const struct gw_model_entry *entry, yyjson_val *value)
{
    const struct gw_config_document *document = entry->build->context.document;
    const struct gw_config_unresolved *missing = gw_config_find_unresolved(document, value);
    if (missing == NULL) {
        return true;
    }
    yyjson_val *place = yyjson_doc_get_root(document->json) + missing->index;
    if (missing->name.len > 0) {
        gw_config_complain(&entry->build->context, false, place,
                           "model \"" GW_STR_FMT
                           "\" is left out: the environment variable " GW_STR_FMT " is not set",
                           GW_STR_ARG(entry->group), GW_STR_ARG(missing->name));
    } else {
        gw_config_complain(&entry->build->context, false, place,
                           "model \"" GW_STR_FMT "\" is left out: %s", GW_STR_ARG(entry->group),
                           missing->problem);
    }
    return false;
}

/* Finds the maps of the entry's settings. False when the entry cannot be used: reported. */
static bool find_maps(struct gw_model_entry *entry)
{
    struct gw_config_build *build = entry->build;
    size_t count = 0;
    static const char *const names[] = {"litellm_params", "params", "provider"};
    for (size_t i = 0; i < GW_ARRAY_LEN(names); i++) {
        yyjson_val *map = map_member(entry->value, names[i]);
        if (map != NULL) {
            entry->maps[count] = map;
            count++;
        }
    }
    struct gw_str credential = {0};
    if (gw_model_entry_text(entry, "litellm_credential_name", &credential) != GW_OK) {
        return false;
    }
    if (credential.len > 0) {
        yyjson_val *holder = NULL;
        yyjson_val *values = find_credential(build, credential, &holder);
        if (!yyjson_is_obj(values)) {
            gw_config_complain(&build->context, true,
                               gw_model_entry_find(entry, "litellm_credential_name"),
                               "credential_list has no \"" GW_STR_FMT "\"", GW_STR_ARG(credential));
            return false;
        }
        if (!is_resolved(entry, holder)) {
            return false;
        }
        entry->maps[count] = values;
        count++;
    }
    entry->maps[count] = entry->value;
    return true;
}

static bool is_enabled(const struct gw_model_entry *entry)
{
    yyjson_val *enabled = gw_config_member(entry->value, "enabled");
    return !yyjson_is_false(enabled);
}

/* Reads model_name and counts the entry. False when the entry has none: reported. */
static enum gw_err name_entry(struct model_list *list, struct gw_model_entry *entry, bool *is_named)
{
    struct gw_config_build *build = list->build;
    yyjson_val *name = gw_config_member(entry->value, "model_name");
    entry->group = gw_str_trim(gw_config_text(name));
    /* The name is part of ids, which are sent in header fields. */
    *is_named = entry->group.len > 0 && entry->group.len <= GW_MODEL_NAME_MAX &&
                gw_is_header_value(entry->group);
    if (!*is_named) {
        gw_config_complain(
            &build->context, true, name == NULL ? entry->value : name,
            "expected model_name: the name that clients ask for, of at most %d bytes "
            "and without control characters",
            GW_MODEL_NAME_MAX);
        return GW_OK;
    }
    return count_name(&list->groups, build->context.scratch, entry->group, &entry->ordinal);
}

/* model_info.id, when the entry makes one deployment and nobody else has that id. */
static enum gw_err take_own_id(struct model_list *list, const struct gw_model_entry *entry,
                               size_t made_before)
{
    yyjson_val *info = map_member(entry->value, "model_info");
    yyjson_val *value = gw_config_member(info, "id");
    if (!yyjson_is_str(value) || list->made.count != made_before + 1) {
        return GW_OK;
    }
    size_t count = 0;
    enum gw_err err =
        count_name(&list->ids, list->build->context.scratch, gw_config_text(value), &count);
    if (err != GW_OK) {
        return err;
    }
    if (count > 1 || !gw_is_header_value(gw_config_text(value))) {
        gw_config_complain(&list->build->context, true, value,
                           count > 1 ? "another model has this id already"
                                     : "has a control character inside");
        return GW_OK;
    }
    struct gw_str id =
        gw_arena_try_dup(gw_snapshot_arena(list->build->snapshot), gw_config_text(value));
    list->made.items[made_before]->id = id;
    return id.ptr == NULL ? GW_ERR_NOMEM : GW_OK;
}

static enum gw_err build_entry(struct model_list *list, yyjson_val *value, struct gw_str group)
{
    struct gw_model_entry entry = {
        .build = list->build, .made = &list->made, .value = value, .group = group};
    size_t made_before = list->made.count;
    bool is_named = true;
    if (!yyjson_is_obj(value)) {
        gw_config_complain(&list->build->context, true, value,
                           "expected a map with model_name and litellm_params");
        return GW_OK;
    }
    enum gw_err err = group.len > 0 ? count_name(&list->groups, list->build->context.scratch, group,
                                                 &entry.ordinal)
                                    : name_entry(list, &entry, &is_named);
    if (err != GW_OK || !is_named || !is_enabled(&entry) || !is_resolved(&entry, value) ||
        !find_maps(&entry)) {
        return err;
    }
    /* Entries that only refer to deployments elsewhere get theirs when all others are there. */
    bool refers = gw_config_member(value, "deployments") != NULL && entry.maps[0] == value;
    err = refers ? GW_OK : gw_build_model(&entry);
    return err == GW_OK ? take_own_id(list, &entry, made_before) : err;
}

/* One name in an entry's "deployments": of the map at the top, or of another model. */
static enum gw_err add_reference(struct model_list *list, struct gw_str group, yyjson_val *item)
{
    struct gw_config_build *build = list->build;
    if (yyjson_is_obj(item)) {
        return build_entry(list, item, group); /* written on the spot */
    }
    struct gw_str name = gw_config_text(item);
    yyjson_val *map = gw_config_get(build->context.document, "deployments");
    yyjson_val *deployment = yyjson_obj_getn(map, name.ptr == NULL ? "" : name.ptr, name.len);
    if (yyjson_is_obj(deployment)) {
        return build_entry(list, deployment, group);
    }
    return gw_build_copies(build, name, group, item);
}

static enum gw_err add_references(struct model_list *list, yyjson_val *entry)
{
    yyjson_val *references = gw_config_member(entry, "deployments");
    struct gw_str group = gw_str_trim(gw_config_text(gw_config_member(entry, "model_name")));
    if (references == NULL || group.len == 0 ||
        yyjson_is_false(gw_config_member(entry, "enabled"))) {
        return GW_OK;
    }
    if (!yyjson_is_arr(references)) {
        gw_config_complain(&list->build->context, true, references,
                           "expected a list of names of deployments or models");
        return GW_OK;
    }
    enum gw_err err = GW_OK;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *item = NULL;
    yyjson_arr_foreach(references, index, max, item)
    {
        err = err == GW_OK ? add_reference(list, group, item) : err;
    }
    return err;
}

static void normalize_weights(const struct gw_made_deployments *made)
{
    bool are_whole = true;
    for (size_t i = 0; i < made->count; i++) {
        are_whole = are_whole && made->items[i]->weight % WEIGHT_SCALE == 0;
    }
    for (size_t i = 0; i < made->count && are_whole; i++) {
        made->items[i]->weight /= WEIGHT_SCALE;
    }
}

static enum gw_err build_list(struct gw_config_build *build, yyjson_val *model_list)
{
    struct model_list list = {.build = build};
    enum gw_err err = GW_OK;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *entry = NULL;
    yyjson_arr_foreach(model_list, index, max, entry)
    {
        err = err == GW_OK ? build_entry(&list, entry, gw_str(NULL, 0)) : err;
    }
    yyjson_arr_foreach(model_list, index, max, entry)
    {
        err = err == GW_OK && yyjson_is_obj(entry) ? add_references(&list, entry) : err;
    }
    normalize_weights(&list.made);
    return err;
}

/* gatewire/demo answers in the process, so that the first curl works with no account anywhere. */
static enum gw_err add_demo(struct gw_config_build *build)
{
    struct gw_str group = GW_STR("gatewire/demo");
    for (size_t i = 0; i < gw_catalog_group_count(build->snapshot->catalog); i++) {
        if (gw_str_eq(gw_catalog_group(build->snapshot->catalog, i)->name, group)) {
            return GW_OK; /* somebody's own */
        }
    }
    struct gw_deployment *deployment = gw_build_deployment(build, group, 1);
    if (deployment == NULL) {
        return GW_ERR_NOMEM;
    }
    deployment->provider = gw_provider_find(GW_STR("gatewire"));
    deployment->provider_name = deployment->provider->name;
    deployment->upstream_model = GW_STR("demo");
    enum gw_err err = gw_build_deployment_routing(build, group, NULL, deployment);
    return err != GW_OK ? err : gw_catalog_add(build->snapshot->catalog, group, deployment);
}

enum gw_err gw_build_models(struct gw_config_build *build)
{
    build->snapshot->catalog = gw_catalog_create(gw_snapshot_arena(build->snapshot));
    if (build->snapshot->catalog == NULL) {
        return GW_ERR_NOMEM;
    }
    yyjson_val *model_list = gw_config_get(build->context.document, "model_list");
    enum gw_err err = GW_OK;
    if (model_list != NULL && !yyjson_is_arr(model_list)) {
        gw_config_complain(&build->context, true, model_list, "expected a list of models");
    } else if (yyjson_arr_size(model_list) > 0) {
        err = build_list(build, model_list);
    } else {
        err = gw_build_zero_config(build);
    }
    err = err == GW_OK ? add_demo(build) : err;
    err = err == GW_OK ? gw_build_aliases(build) : err;
    err = err == GW_OK ? gw_build_routing(build) : err;
    gw_catalog_set_created_at(build->snapshot->catalog, build->created_at_s);
    return err;
}
