/* SPDX-License-Identifier: MIT */
/* json/schema_validation - the keywords that look at one value and no schema below it. */
#include "json/schema_check.h"
#include "json/schema_message.h"

static unsigned types_of(yyjson_val *value)
{
    struct gw_schema_number number;
    switch (yyjson_get_type(value)) {
    case YYJSON_TYPE_NULL:
        return GW_SCHEMA_NULL;
    case YYJSON_TYPE_BOOL:
        return GW_SCHEMA_BOOLEAN;
    case YYJSON_TYPE_NUM:
        return gw_schema_number_of(value, &number) && gw_schema_number_is_whole(&number)
                   ? GW_SCHEMA_NUMBER | GW_SCHEMA_INTEGER
                   : GW_SCHEMA_NUMBER;
    case YYJSON_TYPE_STR:
        return GW_SCHEMA_STRING;
    case YYJSON_TYPE_ARR:
        return GW_SCHEMA_ARRAY;
    case YYJSON_TYPE_OBJ:
        return GW_SCHEMA_OBJECT;
    default:
        return 0; /* raw numbers are not read that way here */
    }
}

static bool is_one_of(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                      yyjson_val *values)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *candidate = NULL;
    yyjson_arr_foreach(values, index, max, candidate)
    {
        if (gw_schema_equal(candidate, frame->value, &check->allowance)) {
            return true;
        }
    }
    (void)gw_schema_work(check, frame, 0); /* the comparisons may have used it up */
    return false;
}

bool gw_schema_check_kind(struct gw_schema_checking *check, const struct gw_schema_frame *frame)
{
    const struct gw_schema_node *node = frame->node;
    if (node->types != 0 && (node->types & types_of(frame->value)) == 0) {
        return gw_schema_tell_expected(check, frame, "type");
    }
    if (node->enum_values != NULL && !is_one_of(check, frame, node->enum_values)) {
        return gw_schema_tell_expected(check, frame, "enum");
    }
    if (node->const_value != NULL &&
        !gw_schema_equal(node->const_value, frame->value, &check->allowance)) {
        return gw_schema_tell_expected(check, frame, "const");
    }
    return !check->is_aborted;
}

bool gw_schema_check_number(struct gw_schema_checking *check, const struct gw_schema_frame *frame)
{
    const struct gw_schema_node *node = frame->node;
    struct gw_schema_number number;
    if (!yyjson_is_num(frame->value) || !gw_schema_number_of(frame->value, &number)) {
        return true;
    }
    const struct {
        const char *keyword;
        const struct gw_schema_limit *limit;
        int low; /* the comparison with the limit must be from here */
        int high;
    } limits[] = {
        {"minimum", &node->minimum, 0, 1},
        {"exclusiveMinimum", &node->exclusive_minimum, 1, 1},
        {"maximum", &node->maximum, -1, 0},
        {"exclusiveMaximum", &node->exclusive_maximum, -1, -1},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(limits); i++) {
        if (!limits[i].limit->is_set) {
            continue;
        }
        int order = gw_schema_number_compare(&number, &limits[i].limit->value);
        if (order < limits[i].low || order > limits[i].high) {
            return gw_schema_tell_expected(check, frame, limits[i].keyword);
        }
    }
    if (node->multiple_of.is_set &&
        !gw_schema_number_is_multiple(&number, &node->multiple_of.value)) {
        return gw_schema_tell_expected(check, frame, "multipleOf");
    }
    return true;
}

/* Characters, not bytes. */
static size_t count_characters(struct gw_str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    }
    return count;
}

/* Tells that a size is out of its limits: "expected at least 2 elements, found 1". */
static bool check_size(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                       const struct gw_schema_size *limit, bool is_minimum, size_t found,
                       const char *const words[3])
{
    if (!limit->is_set || (is_minimum ? found >= limit->value : found <= limit->value)) {
        return true;
    }
    if (is_minimum && limit->value == 1) {
        return gw_schema_tell(check, frame, words[0], "must not be empty");
    }
    const char *unit = limit->value == 1 ? words[1] : words[2];
    return gw_schema_tell(check, frame, words[0], "expected at %s %zu %s, found %zu",
                          is_minimum ? "least" : "most", limit->value, unit, found);
}

bool gw_schema_check_string(struct gw_schema_checking *check, const struct gw_schema_frame *frame)
{
    static const char *const least[] = {"minLength", "character", "characters"};
    static const char *const most[] = {"maxLength", "character", "characters"};
    const struct gw_schema_node *node = frame->node;
    if (!yyjson_is_str(frame->value)) {
        return true;
    }
    struct gw_str text = gw_schema_text(frame->value);
    if (node->min_length.is_set || node->max_length.is_set) {
        size_t count = count_characters(text);
        if (!check_size(check, frame, &node->min_length, true, count, least) ||
            !check_size(check, frame, &node->max_length, false, count, most)) {
            return false;
        }
    }
    if (node->pattern != NULL && !gw_schema_matches(check, frame, node->pattern, text)) {
        return gw_schema_tell_expected(check, frame, "pattern");
    }
    if (node->format != NULL && !node->format->is_valid(text)) {
        return gw_schema_tell_expected(check, frame, "format");
    }
    return true;
}

/* Finds two equal elements through a table of hashes in the scratch stack: their positions plus
 * one, open addressing. */
static bool find_twins(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                       size_t twins[2])
{
    size_t slots = 1;
    size_t count = yyjson_arr_size(frame->value);
    while (slots < 2 * count) {
        slots *= 2;
    }
    struct gw_schema_marks
        table; /* two words per slot: the hash, and the element's offset in the document */
    if (!gw_schema_marks_begin(check, frame, 2 * slots * 64, &table)) {
        return false;
    }
    yyjson_val *first = yyjson_arr_get_first(frame->value);
    bool found = false;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *element = NULL;
    yyjson_arr_foreach(frame->value, index, max, element)
    {
        uint64_t hash = gw_schema_hash(element, &check->allowance);
        size_t slot = hash & (slots - 1);
        uint64_t *entry = check->words + table.from + 2 * slot;
        while (!found && entry[1] != 0) {
            yyjson_val *other = first + (entry[1] >> 32);
            if (entry[0] == hash && gw_schema_equal(element, other, &check->allowance)) {
                twins[0] = (uint32_t)entry[1] - 1;
                twins[1] = index;
                found = true;
            }
            slot = (slot + 1) & (slots - 1);
            entry = check->words + table.from + 2 * slot;
        }
        if (found || !gw_schema_work(check, frame, 0)) {
            break;
        }
        entry[0] = hash;
        entry[1] = (uint64_t)(element - first) << 32 | (index + 1);
    }
    gw_schema_marks_end(check, &table);
    return found;
}

static bool check_unique(struct gw_schema_checking *check, const struct gw_schema_frame *frame)
{
    size_t twins[2];
    if (!frame->node->unique_items || yyjson_arr_size(frame->value) < 2) {
        return true;
    }
    if (find_twins(check, frame, twins)) {
        return gw_schema_tell(check, frame, "uniqueItems",
                              "the elements at positions %zu and %zu are equal", twins[0] + 1,
                              twins[1] + 1);
    }
    return !check->is_aborted;
}

bool gw_schema_check_array_size(struct gw_schema_checking *check,
                                const struct gw_schema_frame *frame)
{
    static const char *const least[] = {"minItems", "element", "elements"};
    static const char *const most[] = {"maxItems", "element", "elements"};
    size_t count = yyjson_arr_size(frame->value);
    return check_size(check, frame, &frame->node->min_items, true, count, least) &&
           check_size(check, frame, &frame->node->max_items, false, count, most) &&
           check_unique(check, frame);
}

static bool check_required(struct gw_schema_checking *check, const struct gw_schema_frame *frame,
                           const struct gw_schema_names *names, const char *keyword,
                           struct gw_str because_of)
{
    bool is_valid = true;
    for (size_t i = 0; i < names->count; i++) {
        struct gw_str name = names->items[i];
        if (!gw_schema_work(check, frame, 1 + yyjson_obj_size(frame->value) / 8)) {
            return false;
        }
        if (yyjson_obj_getn(frame->value, name.ptr, name.len) != NULL) {
            continue;
        }
        is_valid = false;
        if (because_of.ptr == NULL) {
            gw_schema_tell(check, frame, keyword, "\"" GW_STR_FMT "\" is missing",
                           GW_STR_ARG(name));
        } else {
            gw_schema_tell(check, frame, keyword,
                           "\"" GW_STR_FMT "\" is missing, \"" GW_STR_FMT "\" needs it",
                           GW_STR_ARG(name), GW_STR_ARG(because_of));
        }
        if (gw_schema_stops(check)) {
            break;
        }
    }
    return is_valid;
}

static bool check_dependencies(struct gw_schema_checking *check,
                               const struct gw_schema_frame *frame)
{
    const struct gw_schema_dependencies *dependencies = &frame->node->dependent_required;
    bool is_valid = true;
    for (size_t i = 0; i < dependencies->count; i++) {
        const struct gw_schema_dependency *dependency = &dependencies->items[i];
        struct gw_str name = dependency->name;
        if (!gw_schema_work(check, frame, 1 + yyjson_obj_size(frame->value) / 8)) {
            return false;
        }
        if (yyjson_obj_getn(frame->value, name.ptr, name.len) != NULL &&
            !check_required(check, frame, &dependency->needed, "dependentRequired", name)) {
            is_valid = false;
            if (gw_schema_stops(check)) {
                break;
            }
        }
    }
    return is_valid;
}

bool gw_schema_check_object_size(struct gw_schema_checking *check,
                                 const struct gw_schema_frame *frame)
{
    static const char *const least[] = {"minProperties", "member", "members"};
    static const char *const most[] = {"maxProperties", "member", "members"};
    const struct gw_schema_node *node = frame->node;
    size_t count = yyjson_obj_size(frame->value);
    bool is_valid = check_size(check, frame, &node->min_properties, true, count, least) &&
                    check_size(check, frame, &node->max_properties, false, count, most);
    if (!is_valid && gw_schema_stops(check)) {
        return false;
    }
    is_valid &= check_required(check, frame, &node->required, "required", gw_str(NULL, 0));
    if (!is_valid && gw_schema_stops(check)) {
        return false;
    }
    return check_dependencies(check, frame) && is_valid;
}
