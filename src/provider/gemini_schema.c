/* SPDX-License-Identifier: MIT */
/* provider/gemini_schema - an answer's JSON Schema with the keywords that Gemini knows
 * (gemini.md section 2, json_schema). */
#include "provider/gemini_int.h"
#include "json/value.h"
#include "json/write.h"

enum form {
    FORM_VALUE,   /* copied as it is */
    FORM_SCHEMA,  /* a schema, or true and false */
    FORM_LIST,    /* of schemas */
    FORM_BY_NAME, /* schemas by name */
};

static const struct {
    struct gw_str name;
    enum form form;
} keywords[] = {
    {GW_STR_INIT("$id"), FORM_VALUE},
    {GW_STR_INIT("$defs"), FORM_BY_NAME},
    {GW_STR_INIT("$ref"), FORM_VALUE},
    {GW_STR_INIT("$anchor"), FORM_VALUE},
    {GW_STR_INIT("type"), FORM_VALUE},
    {GW_STR_INIT("format"), FORM_VALUE},
    {GW_STR_INIT("title"), FORM_VALUE},
    {GW_STR_INIT("description"), FORM_VALUE},
    {GW_STR_INIT("enum"), FORM_VALUE},
    {GW_STR_INIT("items"), FORM_SCHEMA},
    {GW_STR_INIT("prefixItems"), FORM_LIST},
    {GW_STR_INIT("minItems"), FORM_VALUE},
    {GW_STR_INIT("maxItems"), FORM_VALUE},
    {GW_STR_INIT("minimum"), FORM_VALUE},
    {GW_STR_INIT("maximum"), FORM_VALUE},
    {GW_STR_INIT("anyOf"), FORM_LIST},
    {GW_STR_INIT("oneOf"), FORM_LIST},
    {GW_STR_INIT("properties"), FORM_BY_NAME},
    {GW_STR_INIT("additionalProperties"), FORM_SCHEMA},
    {GW_STR_INIT("required"), FORM_VALUE},
    {GW_STR_INIT("propertyOrdering"), FORM_VALUE},
};

static void write_list(struct gw_gemini_encoding *e, yyjson_val *list)
{
    (void)gw_buf_append_byte(e->out, '[');
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    for (yyjson_val *item = yyjson_arr_iter_next(&iter); item != NULL;
         item = yyjson_arr_iter_next(&iter)) {
        gw_json_write_next(e->out);
        gw_gemini_write_schema(e, item);
    }
    (void)gw_buf_append_byte(e->out, ']');
}

static void write_name(struct gw_str name, struct gw_buf *out)
{
    gw_json_write_next(out);
    gw_json_write_text(name, out);
    (void)gw_buf_append_byte(out, ':');
}

static void write_by_name(struct gw_gemini_encoding *e, yyjson_val *object)
{
    (void)gw_buf_append_byte(e->out, '{');
    yyjson_obj_iter iter = yyjson_obj_iter_with(object);
    for (yyjson_val *key = yyjson_obj_iter_next(&iter); key != NULL;
         key = yyjson_obj_iter_next(&iter)) {
        write_name(gw_json_text(key), e->out);
        gw_gemini_write_schema(e, yyjson_obj_iter_get_val(key));
    }
    (void)gw_buf_append_byte(e->out, '}');
}

static void write_keyword(struct gw_gemini_encoding *e, struct gw_str name, yyjson_val *value,
                          enum form form)
{
    write_name(name, e->out);
    if (form == FORM_LIST && yyjson_is_arr(value)) {
        write_list(e, value);
    } else if (form == FORM_BY_NAME && yyjson_is_obj(value)) {
        write_by_name(e, value);
    } else if (form == FORM_SCHEMA) {
        gw_gemini_write_schema(e, value);
    } else {
        gw_json_write(value, e->out);
    }
}

/* "const" is an enumeration of one value; "$schema" says nothing about the answer. */
static void write_other(struct gw_gemini_encoding *e, struct gw_str name, yyjson_val *value)
{
    if (gw_str_eq(name, GW_STR("const"))) {
        gw_json_write_raw(GW_STR("enum"), GW_STR("["), e->out);
        gw_json_write(value, e->out);
        (void)gw_buf_append_byte(e->out, ']');
    } else if (!gw_str_eq(name, GW_STR("$schema"))) {
        gw_notes_add(e->notes, GW_NOTE_DROPPED, GW_STR("response_format.json_schema.schema"),
                     GW_STR("Keywords that Gemini does not know were left out."));
    }
}

static void write_member(struct gw_gemini_encoding *e, struct gw_str name, yyjson_val *value)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(keywords); i++) {
        if (gw_str_eq(name, keywords[i].name)) {
            write_keyword(e, name, value, keywords[i].form);
            return;
        }
    }
    write_other(e, name, value);
}

void gw_gemini_write_schema(struct gw_gemini_encoding *e, yyjson_val *schema)
{
    if (!yyjson_is_obj(schema)) { /* true and false */
        gw_json_write(schema, e->out);
        return;
    }
    (void)gw_buf_append_byte(e->out, '{');
    yyjson_obj_iter iter = yyjson_obj_iter_with(schema);
    for (yyjson_val *key = yyjson_obj_iter_next(&iter); key != NULL;
         key = yyjson_obj_iter_next(&iter)) {
        write_member(e, gw_json_text(key), yyjson_obj_iter_get_val(key));
    }
    (void)gw_buf_append_byte(e->out, '}');
}
