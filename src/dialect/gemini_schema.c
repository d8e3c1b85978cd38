/* SPDX-License-Identifier: MIT */
/*
 * dialect/gemini_schema - schemas in Google's OpenAPI subset as JSON Schema (inbound.md B2).
 *
 * Types come in capitals, "nullable" stands beside them, counts may be strings (proto3's int64);
 * all else is JSON Schema's already.
 */
#include "dialect/gemini_int.h"
#include "json/value.h"
#include "json/write.h"

enum form {
    FORM_VALUE,
    FORM_TYPE,
    FORM_COUNT,
    FORM_SCHEMA,
    FORM_LIST,
    FORM_BY_NAME,
    FORM_ENUM,
    FORM_NONE, /* says nothing to others */
};

static const struct {
    const char *key;
    const char *snake; /* NULL: the same */
    enum form form;
} keywords[] = {
    {"type", NULL, FORM_TYPE},
    {"nullable", NULL, FORM_NONE},
    {"enum", NULL, FORM_ENUM},
    {"items", NULL, FORM_SCHEMA},
    {"properties", NULL, FORM_BY_NAME},
    {"anyOf", "any_of", FORM_LIST},
    {"additionalProperties", "additional_properties", FORM_SCHEMA},
    {"minItems", "min_items", FORM_COUNT},
    {"maxItems", "max_items", FORM_COUNT},
    {"minLength", "min_length", FORM_COUNT},
    {"maxLength", "max_length", FORM_COUNT},
    {"minProperties", "min_properties", FORM_COUNT},
    {"maxProperties", "max_properties", FORM_COUNT},
    {"propertyOrdering", "property_ordering", FORM_NONE},
    {"example", NULL, FORM_NONE},
};

/* By Google's numbers. */
static const struct gw_str type_names[] = {GW_STR_INIT("TYPE_UNSPECIFIED"), GW_STR_INIT("STRING"),
                                           GW_STR_INIT("NUMBER"),           GW_STR_INIT("INTEGER"),
                                           GW_STR_INIT("BOOLEAN"),          GW_STR_INIT("ARRAY"),
                                           GW_STR_INIT("OBJECT"),           GW_STR_INIT("NULL")};

static bool is_nullable(yyjson_val *schema)
{
    return gw_json_get_true(schema, "nullable");
}

static void write_lower(struct gw_str text, struct gw_buf *out)
{
    (void)gw_buf_append_byte(out, '"');
    for (size_t i = 0; i < text.len; i++) {
        char byte = text.ptr[i];
        char lower = byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
        (void)gw_buf_append_json(out, gw_str(&lower, 1));
    }
    (void)gw_buf_append_byte(out, '"');
}

static void write_type(yyjson_val *schema, yyjson_val *type, struct gw_buf *out)
{
    struct gw_str name = gw_from_gemini_enum(type, type_names, GW_ARRAY_LEN(type_names));
    if (name.ptr == NULL) { /* JSON Schema's list of types */
        gw_json_write_key(GW_STR("type"), out);
        gw_json_write(type, out);
        return;
    }
    if (gw_str_eq_nocase(name, type_names[0])) {
        return;
    }
    gw_json_write_key(GW_STR("type"), out);
    (void)gw_buf_append(out, is_nullable(schema) ? GW_STR("[") : GW_STR(""));
    write_lower(name, out);
    (void)gw_buf_append(out, is_nullable(schema) ? GW_STR(",\"null\"]") : GW_STR(""));
}

static void write_list(yyjson_val *list, struct gw_str last, struct gw_buf *out)
{
    (void)gw_buf_append_byte(out, '[');
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    for (yyjson_val *item = yyjson_arr_iter_next(&iter); item != NULL;
         item = yyjson_arr_iter_next(&iter)) {
        gw_json_write_next(out);
        gw_from_gemini_schema(item, out);
    }
    if (last.len > 0) {
        gw_json_write_next(out);
        (void)gw_buf_append(out, last);
    }
    (void)gw_buf_append_byte(out, ']');
}

static void write_enum(yyjson_val *schema, yyjson_val *values, struct gw_buf *out)
{
    (void)gw_buf_append_byte(out, '[');
    yyjson_arr_iter iter = yyjson_arr_iter_with(values);
    for (yyjson_val *item = yyjson_arr_iter_next(&iter); item != NULL;
         item = yyjson_arr_iter_next(&iter)) {
        gw_json_write_next(out);
        gw_json_write(item, out);
    }
    if (is_nullable(schema)) {
        gw_json_write_next(out);
        (void)gw_buf_append(out, GW_STR("null"));
    }
    (void)gw_buf_append_byte(out, ']');
}

static void write_by_name(yyjson_val *object, struct gw_buf *out)
{
    (void)gw_buf_append_byte(out, '{');
    yyjson_obj_iter iter = yyjson_obj_iter_with(object);
    for (yyjson_val *key = yyjson_obj_iter_next(&iter); key != NULL;
         key = yyjson_obj_iter_next(&iter)) {
        gw_json_write_next(out);
        gw_json_write(key, out);
        (void)gw_buf_append_byte(out, ':');
        gw_from_gemini_schema(yyjson_obj_iter_get_val(key), out);
    }
    (void)gw_buf_append_byte(out, '}');
}

static void write_count(yyjson_val *value, struct gw_buf *out)
{
    uint64_t count = 0;
    if (gw_parse_u64(gw_json_text(value), &count) == GW_OK) {
        (void)gw_buf_append_u64(out, count);
    } else {
        gw_json_write(value, out);
    }
}

static void write_known(yyjson_val *schema, size_t index, yyjson_val *value, struct gw_buf *out)
{
    enum form form = keywords[index].form;
    if (form == FORM_NONE) {
        return;
    }
    if (form == FORM_TYPE) {
        write_type(schema, value, out);
        return;
    }
    gw_json_write_key(gw_str_from_c(keywords[index].key), out);
    if (form == FORM_COUNT) {
        write_count(value, out);
    } else if (form == FORM_SCHEMA) {
        gw_from_gemini_schema(value, out);
    } else if (form == FORM_BY_NAME && yyjson_is_obj(value)) {
        write_by_name(value, out);
    } else if (form == FORM_ENUM && yyjson_is_arr(value)) {
        write_enum(schema, value, out);
    } else if (form == FORM_LIST && yyjson_is_arr(value)) {
        bool adds_null = is_nullable(schema) && gw_json_get(schema, "type") == NULL;
        write_list(value, adds_null ? GW_STR("{\"type\":\"null\"}") : GW_STR(""), out);
    } else {
        gw_json_write(value, out);
    }
}

static void write_member(yyjson_val *schema, yyjson_val *key, struct gw_buf *out)
{
    yyjson_val *value = yyjson_obj_iter_get_val(key);
    for (size_t i = 0; i < GW_ARRAY_LEN(keywords); i++) {
        if (gw_json_is(key, gw_str_from_c(keywords[i].key)) ||
            (keywords[i].snake != NULL && gw_json_is(key, gw_str_from_c(keywords[i].snake)))) {
            write_known(schema, i, value, out);
            return;
        }
    }
    gw_json_write_next(out);
    gw_json_write(key, out);
    (void)gw_buf_append_byte(out, ':');
    gw_json_write(value, out);
}

void gw_from_gemini_schema(yyjson_val *schema, struct gw_buf *out)
{
    if (!yyjson_is_obj(schema)) {
        gw_json_write(schema, out);
        return;
    }
    (void)gw_buf_append_byte(out, '{');
    yyjson_obj_iter iter = yyjson_obj_iter_with(schema);
    for (yyjson_val *key = yyjson_obj_iter_next(&iter); key != NULL;
         key = yyjson_obj_iter_next(&iter)) {
        write_member(schema, key, out);
    }
    (void)gw_buf_append_byte(out, '}');
}
