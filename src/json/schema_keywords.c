/* SPDX-License-Identifier: MIT */
/* json/schema_keywords - one row per keyword, one function per form of value. */
#include <stdlib.h>
#include <string.h>

#include "json/schema_compile.h"

struct keyword;

/* Reads |value| into |node|. Failures are noted in the compiler. */
typedef void read_fn(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                     const struct keyword *keyword, yyjson_val *value);

struct keyword {
    struct gw_str name;
    unsigned vocabulary;
    read_fn *read;
    size_t offset; /* of the node's member, where |read| serves several keywords */
};

static struct gw_str where_is(struct gw_schema_compiler *compiler,
                              const struct gw_schema_node *node, const struct keyword *keyword)
{
    return gw_schema_step(compiler, node->where, keyword->name);
}

static void refuse(struct gw_schema_compiler *compiler, const struct gw_schema_node *node,
                   const struct keyword *keyword, const char *what)
{
    if (compiler->err == GW_OK) {
        gw_schema_refuse(compiler, where_is(compiler, node, keyword), "%s", what);
    }
}

static void *member_of(struct gw_schema_node *node, const struct keyword *keyword)
{
    return (char *)node + keyword->offset;
}

static read_fn read_schema;
static void read_schema(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                        const struct keyword *keyword, yyjson_val *value)
{
    const struct gw_schema_node **slot = member_of(node, keyword);
    *slot = gw_schema_compile_value(compiler, value, where_is(compiler, node, keyword));
}

static read_fn read_unevaluated;
static void read_unevaluated(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                             const struct keyword *keyword, yyjson_val *value)
{
    read_schema(compiler, node, keyword, value);
    node->has_unevaluated = true;
}

static read_fn read_schemas;
static void read_schemas(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                         const struct keyword *keyword, yyjson_val *value)
{
    if (!yyjson_is_arr(value) || yyjson_arr_size(value) == 0) {
        refuse(compiler, node, keyword, "must be a list of schemas with at least one");
        return;
    }
    struct gw_schema_nodes *list = member_of(node, keyword);
    struct gw_str where = where_is(compiler, node, keyword);
    list->items = gw_schema_new(compiler, yyjson_arr_size(value) * sizeof(list->items[0]));
    list->count = 0;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *element = NULL;
    yyjson_arr_foreach(value, index, max, element)
    {
        if (compiler->err != GW_OK) {
            return;
        }
        list->items[list->count++] = gw_schema_compile_value(
            compiler, element, gw_schema_step_index(compiler, where, index));
    }
}

static int compare_text(struct gw_str a, struct gw_str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.ptr, b.ptr, len) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_named(const void *a, const void *b)
{
    const struct gw_schema_named *x = a;
    const struct gw_schema_named *y = b;
    return compare_text(x->name, y->name);
}

const struct gw_schema_node *gw_schema_map_find(const struct gw_schema_map *map, struct gw_str name)
{
    size_t low = 0;
    size_t high = map->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_text(name, map->items[middle].name);
        if (order == 0) {
            return map->items[middle].node;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

/* Compiles the values of an object of schemas; |take| gets each. */
static bool read_members(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                         const struct keyword *keyword, yyjson_val *value,
                         struct gw_schema_map *map)
{
    if (!yyjson_is_obj(value)) {
        refuse(compiler, node, keyword, "must be an object of schemas");
        return false;
    }
    struct gw_str where = where_is(compiler, node, keyword);
    map->items = gw_schema_new(compiler, yyjson_obj_size(value) * sizeof(map->items[0]));
    map->count = 0;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *member = NULL;
    yyjson_obj_foreach(value, index, max, key, member)
    {
        if (compiler->err != GW_OK) {
            return false;
        }
        struct gw_str name = gw_schema_text(key);
        map->items[map->count++] = (struct gw_schema_named){
            .name = name,
            .node =
                gw_schema_compile_value(compiler, member, gw_schema_step(compiler, where, name)),
        };
    }
    return compiler->err == GW_OK;
}

static read_fn read_map;
static void read_map(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                     const struct keyword *keyword, yyjson_val *value)
{
    struct gw_schema_map *map = member_of(node, keyword);
    if (read_members(compiler, node, keyword, value, map) && map->count > 1) {
        qsort(map->items, map->count, sizeof(map->items[0]), compare_named);
    }
}

static read_fn read_definitions;
static void read_definitions(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                             const struct keyword *keyword, yyjson_val *value)
{
    struct gw_schema_map ignored = {0}; /* references find them by their place */
    (void)read_members(compiler, node, keyword, value, &ignored);
}

static struct gw_schema_pattern *make_pattern(struct gw_schema_compiler *compiler,
                                              struct gw_str text, struct gw_str where)
{
    struct gw_schema_pattern *pattern = gw_schema_new(compiler, sizeof(*pattern));
    if (pattern == NULL) {
        return NULL;
    }
    const char *why = NULL;
    enum gw_err err = gw_schema_regex_create(text, &pattern->regex, &why);
    if (err == GW_ERR_INVALID) {
        return gw_schema_refuse(compiler, where, "is no regular expression: %s", why);
    }
    if (err != GW_OK) {
        compiler->err = err;
        compiler->message = GW_STR("not enough memory for a regular expression");
        return NULL;
    }
    pattern->text = text;
    pattern->next = compiler->schema->patterns;
    compiler->schema->patterns = pattern; /* from here on it is freed with the schema */
    return pattern;
}

static read_fn read_pattern;
static void read_pattern(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                         const struct keyword *keyword, yyjson_val *value)
{
    if (!yyjson_is_str(value)) {
        refuse(compiler, node, keyword, "must be a string");
        return;
    }
    node->pattern =
        make_pattern(compiler, gw_schema_text(value), where_is(compiler, node, keyword));
}

static read_fn read_pattern_properties;
static void read_pattern_properties(struct gw_schema_compiler *compiler,
                                    struct gw_schema_node *node, const struct keyword *keyword,
                                    yyjson_val *value)
{
    struct gw_schema_map map = {0};
    if (!read_members(compiler, node, keyword, value, &map)) {
        return;
    }
    struct gw_schema_patterns *list = &node->pattern_properties;
    list->items = gw_schema_new(compiler, map.count * sizeof(struct gw_schema_pattern *));
    list->count = 0;
    for (size_t i = 0; i < map.count && compiler->err == GW_OK; i++) {
        struct gw_schema_pattern *pattern =
            make_pattern(compiler, map.items[i].name, map.items[i].node->where);
        if (pattern != NULL) {
            pattern->node = map.items[i].node;
            list->items[list->count++] = pattern;
        }
    }
}

static read_fn read_limit;
static void read_limit(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                       const struct keyword *keyword, yyjson_val *value)
{
    struct gw_schema_limit *limit = member_of(node, keyword);
    limit->is_set = gw_schema_number_of(value, &limit->value);
    if (!limit->is_set) {
        refuse(compiler, node, keyword, "must be a number");
    }
}

static read_fn read_multiple;
static void read_multiple(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                          const struct keyword *keyword, yyjson_val *value)
{
    read_limit(compiler, node, keyword, value);
    if (node->multiple_of.value.digits == 0 || node->multiple_of.value.is_negative) {
        refuse(compiler, node, keyword, "must be a number above 0");
    }
}

static read_fn read_size;
static void read_size(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                      const struct keyword *keyword, yyjson_val *value)
{
    static const struct gw_schema_number largest = {.digits = 1, .exponent = 15};
    struct gw_schema_size *size = member_of(node, keyword);
    struct gw_schema_number number;
    if (!gw_schema_number_of(value, &number) || number.is_negative ||
        !gw_schema_number_is_whole(&number)) {
        refuse(compiler, node, keyword, "must be a whole number from 0 on");
        return;
    }
    /* Nothing is as long as that, so a larger one means the same. */
    if (gw_schema_number_compare(&number, &largest) > 0) {
        number = largest;
    }
    size->is_set = true;
    size->value = (size_t)number.digits;
    for (int i = 0; i < number.exponent; i++) {
        size->value *= 10;
    }
}

static read_fn read_flag;
static void read_flag(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                      const struct keyword *keyword, yyjson_val *value)
{
    bool *flag = member_of(node, keyword);
    if (!yyjson_is_bool(value)) {
        refuse(compiler, node, keyword, "must be true or false");
        return;
    }
    *flag = yyjson_get_bool(value);
}

static read_fn read_expected;
static void read_expected(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                          const struct keyword *keyword, yyjson_val *value)
{
    (void)compiler;
    (void)keyword;
    /* No keyword of the draft, so other people may use the name for something else. */
    if (yyjson_is_str(value) && yyjson_get_len(value) > 0) {
        node->expected = gw_schema_text(value);
    }
}

static unsigned type_bit(yyjson_val *name)
{
    static const struct {
        struct gw_str name;
        unsigned bit;
    } types[] = {
        {GW_STR_INIT("null"), GW_SCHEMA_NULL},       {GW_STR_INIT("boolean"), GW_SCHEMA_BOOLEAN},
        {GW_STR_INIT("integer"), GW_SCHEMA_INTEGER}, {GW_STR_INIT("number"), GW_SCHEMA_NUMBER},
        {GW_STR_INIT("string"), GW_SCHEMA_STRING},   {GW_STR_INIT("array"), GW_SCHEMA_ARRAY},
        {GW_STR_INIT("object"), GW_SCHEMA_OBJECT},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(types); i++) {
        if (yyjson_is_str(name) && gw_str_eq(gw_schema_text(name), types[i].name)) {
            return types[i].bit;
        }
    }
    return 0;
}

static read_fn read_type;
static void read_type(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                      const struct keyword *keyword, yyjson_val *value)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *element = NULL;
    bool is_known = true;
    node->types = yyjson_is_arr(value) ? 0 : type_bit(value);
    yyjson_arr_foreach(value, index, max, element)
    {
        unsigned bit = type_bit(element);
        is_known = is_known && bit != 0;
        node->types |= bit;
    }
    if (!is_known || node->types == 0) {
        refuse(compiler, node, keyword,
               "must be one or several of null, boolean, integer, number, string, array, object");
    }
}

static read_fn read_enum;
static void read_enum(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                      const struct keyword *keyword, yyjson_val *value)
{
    if (!yyjson_is_arr(value)) {
        refuse(compiler, node, keyword, "must be a list of values");
        return;
    }
    node->enum_values = value;
}

static read_fn read_const;
static void read_const(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                       const struct keyword *keyword, yyjson_val *value)
{
    (void)compiler;
    (void)keyword;
    node->const_value = value;
}

static void read_names(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                       const struct keyword *keyword, yyjson_val *value,
                       struct gw_schema_names *names)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *element = NULL;
    bool is_list = yyjson_is_arr(value);
    names->items = gw_schema_new(compiler, yyjson_arr_size(value) * sizeof(names->items[0]));
    names->count = 0;
    yyjson_arr_foreach(value, index, max, element)
    {
        is_list = is_list && yyjson_is_str(element);
        if (compiler->err == GW_OK && is_list) {
            names->items[names->count++] = gw_schema_text(element);
        }
    }
    if (!is_list) {
        refuse(compiler, node, keyword, "must be a list of names");
    }
}

static read_fn read_required;
static void read_required(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                          const struct keyword *keyword, yyjson_val *value)
{
    read_names(compiler, node, keyword, value, &node->required);
}

static read_fn read_dependencies;
static void read_dependencies(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                              const struct keyword *keyword, yyjson_val *value)
{
    struct gw_schema_dependencies *list = &node->dependent_required;
    if (!yyjson_is_obj(value)) {
        refuse(compiler, node, keyword, "must be an object of lists of names");
        return;
    }
    list->items = gw_schema_new(compiler, yyjson_obj_size(value) * sizeof(list->items[0]));
    list->count = 0;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *member = NULL;
    yyjson_obj_foreach(value, index, max, key, member)
    {
        if (compiler->err != GW_OK) {
            return;
        }
        struct gw_schema_dependency *dependency = &list->items[list->count++];
        dependency->name = gw_schema_text(key);
        read_names(compiler, node, keyword, member, &dependency->needed);
    }
}

static read_fn read_format;
static void read_format(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                        const struct keyword *keyword, yyjson_val *value)
{
    bool is_asserted = compiler->opts->assert_format ||
                       (compiler->resource->vocabularies & GW_SCHEMA_FORMAT_ASSERTION) != 0;
    if (!yyjson_is_str(value)) {
        refuse(compiler, node, keyword, "must be a string");
        return;
    }
    node->format = is_asserted ? gw_schema_format_find(gw_schema_text(value)) : NULL;
}

static read_fn read_anchor;
static void read_anchor(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                        const struct keyword *keyword, yyjson_val *value)
{
    if (!yyjson_is_str(value) || yyjson_get_len(value) == 0) {
        refuse(compiler, node, keyword, "must be a name");
        return;
    }
    bool is_dynamic = gw_str_eq(keyword->name, GW_STR("$dynamicAnchor"));
    struct gw_str name = gw_schema_text(value);
    struct gw_schema_resource *resource = compiler->resource;
    gw_schema_add_target(compiler, resource, resource->uri, name, node, is_dynamic);
    struct gw_schema_dynamic_anchor *anchor =
        is_dynamic ? gw_schema_new(compiler, sizeof(*anchor)) : NULL;
    if (anchor != NULL) {
        *anchor = (struct gw_schema_dynamic_anchor){
            .name = name, .node = node, .next = resource->dynamic_anchors};
        resource->dynamic_anchors = anchor;
    }
}

static read_fn read_reference;
static void read_reference(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                           const struct keyword *keyword, yyjson_val *value)
{
    if (!yyjson_is_str(value)) {
        refuse(compiler, node, keyword, "must be a string");
        return;
    }
    gw_schema_add_pending(compiler, node, gw_schema_text(value),
                          gw_str_eq(keyword->name, GW_STR("$dynamicRef")));
}

#define ROW(name, vocabulary, read, member)                                                        \
    {                                                                                              \
        GW_STR_INIT(name), vocabulary, read, offsetof(struct gw_schema_node, member)               \
    }

static const struct keyword keywords[] = {
    ROW("$anchor", GW_SCHEMA_CORE, read_anchor, kind),
    ROW("$defs", GW_SCHEMA_CORE, read_definitions, kind),
    ROW("$dynamicAnchor", GW_SCHEMA_CORE, read_anchor, kind),
    ROW("$dynamicRef", GW_SCHEMA_CORE, read_reference, dynamic_ref),
    ROW("$ref", GW_SCHEMA_CORE, read_reference, ref),
    ROW("additionalProperties", GW_SCHEMA_APPLICATOR, read_schema, additional_properties),
    ROW("allOf", GW_SCHEMA_APPLICATOR, read_schemas, all_of),
    ROW("anyOf", GW_SCHEMA_APPLICATOR, read_schemas, any_of),
    ROW("const", GW_SCHEMA_VALIDATION, read_const, const_value),
    ROW("contains", GW_SCHEMA_APPLICATOR, read_schema, contains),
    ROW("dependentRequired", GW_SCHEMA_VALIDATION, read_dependencies, dependent_required),
    ROW("dependentSchemas", GW_SCHEMA_APPLICATOR, read_map, dependent_schemas),
    ROW("else", GW_SCHEMA_APPLICATOR, read_schema, else_schema),
    ROW("enum", GW_SCHEMA_VALIDATION, read_enum, enum_values),
    ROW("exclusiveMaximum", GW_SCHEMA_VALIDATION, read_limit, exclusive_maximum),
    ROW("exclusiveMinimum", GW_SCHEMA_VALIDATION, read_limit, exclusive_minimum),
    ROW("format", GW_SCHEMA_ANNOTATION | GW_SCHEMA_FORMAT_ASSERTION, read_format, format),
    ROW("if", GW_SCHEMA_APPLICATOR, read_schema, if_schema),
    ROW("items", GW_SCHEMA_APPLICATOR, read_schema, items),
    ROW("maxContains", GW_SCHEMA_VALIDATION, read_size, max_contains),
    ROW("maxItems", GW_SCHEMA_VALIDATION, read_size, max_items),
    ROW("maxLength", GW_SCHEMA_VALIDATION, read_size, max_length),
    ROW("maxProperties", GW_SCHEMA_VALIDATION, read_size, max_properties),
    ROW("maximum", GW_SCHEMA_VALIDATION, read_limit, maximum),
    ROW("minContains", GW_SCHEMA_VALIDATION, read_size, min_contains),
    ROW("minItems", GW_SCHEMA_VALIDATION, read_size, min_items),
    ROW("minLength", GW_SCHEMA_VALIDATION, read_size, min_length),
    ROW("minProperties", GW_SCHEMA_VALIDATION, read_size, min_properties),
    ROW("minimum", GW_SCHEMA_VALIDATION, read_limit, minimum),
    ROW("multipleOf", GW_SCHEMA_VALIDATION, read_multiple, multiple_of),
    ROW("not", GW_SCHEMA_APPLICATOR, read_schema, not_schema),
    ROW("oneOf", GW_SCHEMA_APPLICATOR, read_schemas, one_of),
    ROW("pattern", GW_SCHEMA_VALIDATION, read_pattern, pattern),
    ROW("patternProperties", GW_SCHEMA_APPLICATOR, read_pattern_properties, pattern_properties),
    ROW("prefixItems", GW_SCHEMA_APPLICATOR, read_schemas, prefix_items),
    ROW("properties", GW_SCHEMA_APPLICATOR, read_map, properties),
    ROW("propertyNames", GW_SCHEMA_APPLICATOR, read_schema, property_names),
    ROW("required", GW_SCHEMA_VALIDATION, read_required, required),
    ROW("then", GW_SCHEMA_APPLICATOR, read_schema, then_schema),
    ROW("type", GW_SCHEMA_VALIDATION, read_type, types),
    ROW("unevaluatedItems", GW_SCHEMA_UNEVALUATED, read_unevaluated, unevaluated_items),
    ROW("unevaluatedProperties", GW_SCHEMA_UNEVALUATED, read_unevaluated, unevaluated_properties),
    ROW("uniqueItems", GW_SCHEMA_VALIDATION, read_flag, unique_items),
    ROW("writeOnly", GW_SCHEMA_ANNOTATION, read_flag, hides_value),
    ROW("x-expected", GW_SCHEMA_ANNOTATION, read_expected, expected),
};

void gw_schema_read_keyword(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                            struct gw_str name, yyjson_val *value)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(keywords) && compiler->err == GW_OK; i++) {
        if (gw_str_eq(keywords[i].name, name)) {
            if ((keywords[i].vocabulary & node->resource->vocabularies) != 0) {
                keywords[i].read(compiler, node, &keywords[i], value);
            }
            return;
        }
    }
}
