/* SPDX-License-Identifier: MIT */
/* provider/anthropic_schema - a JSON schema with what structured outputs know of it (anthropic.md
 * section 7): objects are closed, bounds on values are left out. */
#include "provider/anthropic_int.h"
#include "json/value.h"
#include "json/write.h"

/* Where a keyword's value holds schemas itself. */
enum holds {
    HOLDS_NONE,
    HOLDS_SCHEMA,
    HOLDS_LIST, /* an array of schemas */
    HOLDS_MAP,  /* an object of schemas by name */
    HOLDS_BOUND /* not known to the API */
};

static const struct {
    struct gw_str key;
    enum holds holds;
} keywords[] = {
    {GW_STR_INIT("properties"), HOLDS_MAP},
    {GW_STR_INIT("$defs"), HOLDS_MAP},
    {GW_STR_INIT("definitions"), HOLDS_MAP},
    {GW_STR_INIT("items"), HOLDS_SCHEMA},
    {GW_STR_INIT("anyOf"), HOLDS_LIST},
    {GW_STR_INIT("allOf"), HOLDS_LIST},
    {GW_STR_INIT("oneOf"), HOLDS_LIST},
    {GW_STR_INIT("minimum"), HOLDS_BOUND},
    {GW_STR_INIT("maximum"), HOLDS_BOUND},
    {GW_STR_INIT("exclusiveMinimum"), HOLDS_BOUND},
    {GW_STR_INIT("exclusiveMaximum"), HOLDS_BOUND},
    {GW_STR_INIT("multipleOf"), HOLDS_BOUND},
    {GW_STR_INIT("minLength"), HOLDS_BOUND},
    {GW_STR_INIT("maxLength"), HOLDS_BOUND},
    {GW_STR_INIT("maxItems"), HOLDS_BOUND},
    {GW_STR_INIT("uniqueItems"), HOLDS_BOUND},
    {GW_STR_INIT("minProperties"), HOLDS_BOUND},
    {GW_STR_INIT("maxProperties"), HOLDS_BOUND},
};

static enum holds what_holds(yyjson_val *key, yyjson_val *value)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(keywords); i++) {
        if (gw_json_is(key, keywords[i].key)) {
            return keywords[i].holds;
        }
    }
    bool is_min_items = gw_json_is(key, GW_STR("minItems"));
    return is_min_items && yyjson_get_num(value) > 1 ? HOLDS_BOUND : HOLDS_NONE;
}

static void write_key(yyjson_val *key, struct gw_buf *out)
{
    gw_json_write_next(out);
    gw_json_write_text(gw_json_text(key), out);
    (void)gw_buf_append_byte(out, ':');
}

static void write_list(struct gw_anthropic_encoding *e, yyjson_val *list)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *schema = NULL;
    (void)gw_buf_append_byte(e->out, '[');
    yyjson_arr_foreach(list, index, max, schema)
    {
        gw_json_write_next(e->out);
        gw_anthropic_write_schema(e, schema);
    }
    (void)gw_buf_append_byte(e->out, ']');
}

static void write_map(struct gw_anthropic_encoding *e, yyjson_val *map)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *schema = NULL;
    (void)gw_buf_append_byte(e->out, '{');
    yyjson_obj_foreach(map, index, max, key, schema)
    {
        write_key(key, e->out);
        gw_anthropic_write_schema(e, schema);
    }
    (void)gw_buf_append_byte(e->out, '}');
}

static void write_keyword(struct gw_anthropic_encoding *e, yyjson_val *key, yyjson_val *value)
{
    enum holds holds = what_holds(key, value);
    if (holds == HOLDS_BOUND) {
        gw_notes_add(e->notes, GW_NOTE_CHANGED, GW_STR("response_format.json_schema"),
                     GW_STR("bounds on values were left out of the schema"));
        return;
    }
    write_key(key, e->out);
    if (holds == HOLDS_SCHEMA) {
        gw_anthropic_write_schema(e, value);
    } else if (holds == HOLDS_LIST && yyjson_is_arr(value)) {
        write_list(e, value);
    } else if (holds == HOLDS_MAP && yyjson_is_obj(value)) {
        write_map(e, value);
    } else {
        gw_json_write(value, e->out);
    }
}

void gw_anthropic_write_schema(struct gw_anthropic_encoding *e, yyjson_val *schema)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    if (!yyjson_is_obj(schema)) {
        gw_json_write(schema, e->out);
        return;
    }
    bool is_object = gw_json_get(schema, "properties") != NULL ||
                     gw_json_is(gw_json_get(schema, "type"), GW_STR("object"));
    (void)gw_buf_append_byte(e->out, '{');
    yyjson_obj_foreach(schema, index, max, key, value)
    {
        if (!is_object || !gw_json_is(key, GW_STR("additionalProperties"))) {
            write_keyword(e, key, value);
        }
    }
    if (is_object) {
        gw_json_write_raw(GW_STR("additionalProperties"), GW_STR("false"), e->out);
    }
    (void)gw_buf_append_byte(e->out, '}');
}
