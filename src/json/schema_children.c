/* SPDX-License-Identifier: MIT */
/* json/schema_children - the keywords that apply schemas to the members and elements of a value. */
#include "json/schema_check.h"
#include "json/schema_message.h"

/* Is it "additionalProperties": false, or "unevaluatedProperties": false? Then the names known say
 * more than the keyword. */
static bool forbids(const struct gw_schema_node *node)
{
    return node != NULL && node->kind == GW_SCHEMA_NOTHING;
}

/* One member against each keyword that looks at it. */
static bool check_member(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                         const struct gw_schema_place *place, size_t index, yyjson_val *value)
{
    const struct gw_schema_node *node = frame->node;
    bool is_valid = true;
    bool is_known = false;
    const struct gw_schema_node *property = gw_schema_map_find(&node->properties, place->name);
    if (property != NULL) {
        is_known = true;
        is_valid = gw_schema_apply(check, frame, property, value, place, NULL);
    }
    for (size_t i = 0; i < node->pattern_properties.count; i++) {
        const struct gw_schema_pattern *pattern = node->pattern_properties.items[i];
        if (gw_schema_matches(check, frame, pattern, place->name)) {
            is_known = true;
            is_valid &= gw_schema_apply(check, frame, pattern->node, value, place, NULL);
        }
        if (!is_valid && gw_schema_stops(check)) {
            return false;
        }
    }
    if (!is_known && node->additional_properties != NULL) {
        is_known = true;
        is_valid =
            forbids(node->additional_properties)
                ? gw_schema_tell_unknown(check, frame, "additionalProperties", place, value)
                : gw_schema_apply(check, frame, node->additional_properties, value, place, NULL);
    }
    if (is_known) {
        gw_schema_mark(check, frame->marks, index);
    }
    return is_valid;
}

static bool check_members(struct gw_schema_checking *check, const struct gw_schema_frame *frame)
{
    const struct gw_schema_node *node = frame->node;
    bool is_valid = true;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    yyjson_obj_foreach(frame->value, index, max, key, value)
    {
        struct gw_schema_place place = {.up = frame->place, .name = gw_schema_text(key)};
        if (!gw_schema_work(check, frame, 1)) {
            return false;
        }
        is_valid &= check_member(check, frame, &place, index, value);
        if (node->property_names != NULL) {
            bool fits = gw_schema_agrees(check, frame, node->property_names, key, &place, NULL);
            is_valid &= fits || gw_schema_tell_name(check, frame, &place, key);
        }
        if (!is_valid && gw_schema_stops(check)) {
            return false;
        }
    }
    return is_valid;
}

static bool check_dependent_schemas(struct gw_schema_checking *check,
                                    const struct gw_schema_frame *frame)
{
    const struct gw_schema_map *schemas = &frame->node->dependent_schemas;
    bool is_valid = true;
    for (size_t i = 0; i < schemas->count; i++) {
        struct gw_str name = schemas->items[i].name;
        if (!gw_schema_work(check, frame, 1 + yyjson_obj_size(frame->value) / 8)) {
            return false;
        }
        if (yyjson_obj_getn(frame->value, name.ptr, name.len) != NULL &&
            !gw_schema_apply_here(check, frame, schemas->items[i].node, frame->marks)) {
            is_valid = false;
            if (gw_schema_stops(check)) {
                break;
            }
        }
    }
    return is_valid;
}

bool gw_schema_check_object(struct gw_schema_checking *check, const struct gw_schema_frame *frame)
{
    const struct gw_schema_node *node = frame->node;
    if (!yyjson_is_obj(frame->value)) {
        return true;
    }
    bool is_valid = gw_schema_check_object_size(check, frame);
    if (!is_valid && gw_schema_stops(check)) {
        return false;
    }
    bool looks_at_members = node->properties.count > 0 || node->pattern_properties.count > 0 ||
                            node->additional_properties != NULL || node->property_names != NULL;
    if (looks_at_members) {
        is_valid &= check_members(check, frame);
        if (!is_valid && gw_schema_stops(check)) {
            return false;
        }
    }
    return check_dependent_schemas(check, frame) && is_valid;
}

static bool check_elements(struct gw_schema_checking *check, const struct gw_schema_frame *frame)
{
    const struct gw_schema_node *node = frame->node;
    bool is_valid = true;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *value = NULL;
    yyjson_arr_foreach(frame->value, index, max, value)
    {
        const struct gw_schema_node *schema =
            index < node->prefix_items.count ? node->prefix_items.items[index] : node->items;
        if (schema == NULL) {
            break;
        }
        struct gw_schema_place place = {.up = frame->place, .index = index};
        is_valid &= gw_schema_apply(check, frame, schema, value, &place, NULL);
        if (!is_valid && gw_schema_stops(check)) {
            return false;
        }
        gw_schema_mark(check, frame->marks, index);
    }
    return is_valid;
}

static bool check_contains(struct gw_schema_checking *check, const struct gw_schema_frame *frame)
{
    const struct gw_schema_node *node = frame->node;
    size_t least = node->min_contains.is_set ? node->min_contains.value : 1;
    size_t found = 0;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *value = NULL;
    yyjson_arr_foreach(frame->value, index, max, value)
    {
        struct gw_schema_place place = {.up = frame->place, .index = index};
        if (gw_schema_agrees(check, frame, node->contains, value, &place, NULL)) {
            gw_schema_mark(check, frame->marks, index);
            found++;
        }
        if (check->is_aborted) {
            return false;
        }
    }
    if (found < least) {
        return gw_schema_tell(check, frame, node->min_contains.is_set ? "minContains" : "contains",
                              "expected at least %zu elements of a certain kind, found %zu", least,
                              found);
    }
    if (node->max_contains.is_set && found > node->max_contains.value) {
        return gw_schema_tell(check, frame, "maxContains",
                              "expected at most %zu elements of a certain kind, found %zu",
                              node->max_contains.value, found);
    }
    return true;
}

bool gw_schema_check_array(struct gw_schema_checking *check, const struct gw_schema_frame *frame)
{
    const struct gw_schema_node *node = frame->node;
    if (!yyjson_is_arr(frame->value)) {
        return true;
    }
    bool is_valid = gw_schema_check_array_size(check, frame);
    if (!is_valid && gw_schema_stops(check)) {
        return false;
    }
    if (node->prefix_items.count > 0 || node->items != NULL) {
        is_valid &= check_elements(check, frame);
        if (!is_valid && gw_schema_stops(check)) {
            return false;
        }
    }
    return (node->contains == NULL || check_contains(check, frame)) && is_valid;
}

static bool check_unevaluated_members(struct gw_schema_checking *check,
                                      const struct gw_schema_frame *frame)
{
    const struct gw_schema_node *schema = frame->node->unevaluated_properties;
    bool is_valid = true;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    yyjson_obj_foreach(frame->value, index, max, key, value)
    {
        if (gw_schema_is_marked(check, frame->marks, index)) {
            continue;
        }
        struct gw_schema_place place = {.up = frame->place, .name = gw_schema_text(key)};
        is_valid &= forbids(schema) ? gw_schema_tell_unknown(check, frame, "unevaluatedProperties",
                                                             &place, value)
                                    : gw_schema_apply(check, frame, schema, value, &place, NULL);
        if (!is_valid && gw_schema_stops(check)) {
            return false;
        }
        gw_schema_mark(check, frame->marks, index);
    }
    return is_valid;
}

static bool check_unevaluated_elements(struct gw_schema_checking *check,
                                       const struct gw_schema_frame *frame)
{
    const struct gw_schema_node *schema = frame->node->unevaluated_items;
    bool is_valid = true;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *value = NULL;
    yyjson_arr_foreach(frame->value, index, max, value)
    {
        if (gw_schema_is_marked(check, frame->marks, index)) {
            continue;
        }
        struct gw_schema_place place = {.up = frame->place, .index = index};
        is_valid &= gw_schema_apply(check, frame, schema, value, &place, NULL);
        if (!is_valid && gw_schema_stops(check)) {
            return false;
        }
        gw_schema_mark(check, frame->marks, index);
    }
    return is_valid;
}

bool gw_schema_check_unevaluated(struct gw_schema_checking *check,
                                 const struct gw_schema_frame *frame)
{
    const struct gw_schema_node *node = frame->node;
    if (node->unevaluated_properties != NULL && yyjson_is_obj(frame->value)) {
        return check_unevaluated_members(check, frame);
    }
    if (node->unevaluated_items != NULL && yyjson_is_arr(frame->value)) {
        return check_unevaluated_elements(check, frame);
    }
    return true;
}
