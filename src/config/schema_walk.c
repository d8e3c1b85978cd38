/* SPDX-License-Identifier: MIT */
/*
 * config/schema_walk - finds the schema of each value. Our schema uses few of the ways in which one
 * can say that: properties, additionalProperties, items, $ref into $defs, allOf and anyOf. A key is
 * known when any branch knows it; the validator decides whether the value fits.
 */
#include "config/schema_check_int.h"

#define MAX_BRANCHES 16 /* of one schema, through $ref, allOf and anyOf; ours has 5 at most */

/* All the schemas that one stands for. */
struct branches {
    yyjson_val *items[MAX_BRANCHES];
    size_t count;
};

static yyjson_val *deref(const struct gw_config_walk *walk, yyjson_val *schema)
{
    struct gw_str ref = gw_config_text(yyjson_obj_get(schema, "$ref"));
    struct gw_str prefix = GW_STR("#/$defs/");
    if (!gw_str_has_prefix(ref, prefix)) {
        return NULL;
    }
    struct gw_str name = gw_str_skip(ref, prefix.len);
    return yyjson_obj_getn(yyjson_obj_get(walk->schema, "$defs"), name.ptr, name.len);
}

static void add_list(struct branches *branches, yyjson_val *list)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *item = NULL;
    yyjson_arr_foreach(list, index, max, item)
    {
        if (branches->count < MAX_BRANCHES) {
            branches->items[branches->count] = item;
            branches->count++;
        }
    }
}

static void collect(const struct gw_config_walk *walk, yyjson_val *schema,
                    struct branches *branches)
{
    branches->items[0] = schema;
    branches->count = schema == NULL ? 0 : 1;
    for (size_t i = 0; i < branches->count; i++) {
        yyjson_val *branch = branches->items[i];
        yyjson_val *target = deref(walk, branch);
        if (target != NULL && branches->count < MAX_BRANCHES) {
            branches->items[branches->count] = target;
            branches->count++;
        }
        add_list(branches, yyjson_obj_get(branch, "allOf"));
        add_list(branches, yyjson_obj_get(branch, "anyOf"));
    }
}

/* The first value of |keyword| among the branches. */
static yyjson_val *first_of(const struct branches *branches, const char *keyword)
{
    yyjson_val *value = NULL;
    for (size_t i = 0; i < branches->count && value == NULL; i++) {
        value = yyjson_obj_get(branches->items[i], keyword);
    }
    return value;
}

static bool is_later(const struct gw_config_walk *walk, yyjson_val *schema)
{
    struct branches branches;
    collect(walk, schema, &branches);
    return yyjson_equals_str(first_of(&branches, "x-gatewire"), "later");
}

static yyjson_val *find_property(const struct branches *branches, struct gw_str key)
{
    yyjson_val *found = NULL;
    for (size_t i = 0; i < branches->count && found == NULL; i++) {
        yyjson_val *properties = yyjson_obj_get(branches->items[i], "properties");
        found = yyjson_obj_getn(properties, key.ptr, key.len);
    }
    for (size_t i = 0; i < branches->count && found == NULL; i++) {
        yyjson_val *others = yyjson_obj_get(branches->items[i], "additionalProperties");
        found = yyjson_is_obj(others) ? others : NULL;
    }
    return found;
}

static enum gw_err walk_value(const struct gw_config_walk *walk, yyjson_val *schema,
                              yyjson_val *value);

static enum gw_err walk_member(const struct gw_config_walk *walk, const struct branches *branches,
                               yyjson_val *key, yyjson_val *value)
{
    if (yyjson_is_null(value)) {
        return GW_OK; /* "key:" says nothing */
    }
    yyjson_val *schema = find_property(branches, gw_config_text(key));
    if (schema == NULL) {
        /* Where no names are listed any will do. */
        bool is_listed = first_of(branches, "properties") != NULL;
        bool is_strict = yyjson_equals_str(first_of(branches, "x-gatewire"), "strict");
        enum gw_config_use use = is_strict ? GW_CONFIG_REFUSED : GW_CONFIG_UNKNOWN;
        return is_listed ? walk->visit(walk->user, use, key, value, branches->items[0]) : GW_OK;
    }
    bool is_used = !is_later(walk, schema);
    enum gw_err err =
        walk->visit(walk->user, is_used ? GW_CONFIG_USED : GW_CONFIG_LATER, key, value, schema);
    return err == GW_OK && is_used ? walk_value(walk, schema, value) : err;
}

/* Recursion: as deep as the document, which is bounded. */
static enum gw_err walk_value(const struct gw_config_walk *walk, yyjson_val *schema,
                              yyjson_val *value)
{
    struct branches branches;
    collect(walk, schema, &branches);
    if (walk->described_by != NULL) {
        walk->described_by[gw_config_index(walk->document, value)] = schema;
    }
    enum gw_err err = GW_OK;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *member = NULL;
    yyjson_obj_foreach(value, index, max, key, member)
    {
        err = err == GW_OK ? walk_member(walk, &branches, key, member) : err;
    }
    yyjson_val *items = first_of(&branches, "items");
    yyjson_arr_foreach(value, index, max, member)
    {
        err = err == GW_OK && items != NULL ? walk_value(walk, items, member) : err;
    }
    return err;
}

enum gw_err gw_config_walk(const struct gw_config_walk *walk)
{
    return walk_value(walk, walk->schema, yyjson_doc_get_root(walk->document->json));
}

struct gw_str gw_config_expected(const struct gw_config_walk *walk, yyjson_val *schema)
{
    static const struct {
        const char *type;
        struct gw_str words;
    } types[] = {
        {"object", GW_STR_INIT("a map of \"key: value\"")},
        {"array", GW_STR_INIT("a list")},
        {"string", GW_STR_INIT("a text")},
    };
    struct branches branches;
    collect(walk, schema, &branches);
    yyjson_val *words = first_of(&branches, "x-expected");
    if (words != NULL) {
        return gw_config_text(words);
    }
    yyjson_val *type = first_of(&branches, "type");
    for (size_t i = 0; i < GW_ARRAY_LEN(types); i++) {
        if (yyjson_equals_str(type, types[i].type)) {
            return types[i].words;
        }
    }
    return gw_str(NULL, 0);
}

struct gw_str gw_config_nearest_key(const struct gw_config_walk *walk, yyjson_val *schema,
                                    struct gw_str key)
{
    struct branches branches;
    struct gw_str nearest = gw_str(NULL, 0);
    unsigned best = key.len < 6 ? 2 : 3; /* one worse than what is still close */
    collect(walk, schema, &branches);
    for (size_t i = 0; i < branches.count; i++) {
        yyjson_val *properties = yyjson_obj_get(branches.items[i], "properties");
        if (properties == NULL) {
            continue;
        }
        size_t index = 0;
        size_t max = 0;
        yyjson_val *name = NULL;
        yyjson_val *ignored = NULL;
        yyjson_obj_foreach(properties, index, max, name, ignored)
        {
            unsigned distance = gw_str_distance(key, gw_config_text(name), best);
            if (distance < best) {
                best = distance;
                nearest = gw_config_text(name);
            }
        }
    }
    return nearest;
}
