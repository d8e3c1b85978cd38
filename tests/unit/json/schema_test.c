/* SPDX-License-Identifier: MIT */
/* What a person reads: places, words and known names. What is refused, and what no schema and no
 * instance can do to us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <yyjson.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "json/scan.h"
#include "json/schema.h"

static struct gw_schema_report report;

static yyjson_doc *read_text(struct gw_str text)
{
    yyjson_doc *doc = yyjson_read(text.ptr, text.len, 0);
    if (doc == NULL) {
        fail_msg("not JSON: %.*s", (int)text.len, text.ptr);
    }
    return doc;
}

static enum gw_err create(struct gw_str text, struct gw_arena *arena, struct gw_schema **schema,
                          struct gw_str *message)
{
    struct gw_schema_opts opts = {.assert_format = true};
    yyjson_doc *doc = read_text(text);
    enum gw_err err = gw_schema_create(yyjson_doc_get_root(doc), &opts, arena, schema, message);
    yyjson_doc_free(doc); /* the schema must not need it any more */
    return err;
}

static struct gw_schema *must_create(struct gw_str text, struct gw_arena *arena)
{
    struct gw_schema *schema = NULL;
    struct gw_str message = GW_STR("");
    if (create(text, arena, &schema, &message) != GW_OK) {
        fail_msg("%.*s", (int)message.len, message.ptr);
    }
    return schema;
}

static void assert_text(struct gw_str actual, const char *expected)
{
    if (!gw_str_eq(actual, gw_str_from_c(expected))) {
        fail_msg("\"%.*s\"\nis not \"%s\"", (int)actual.len, actual.ptr, expected);
    }
}

struct message_case {
    const char *schema;
    const char *instance;
    const char *path;
    const char *keyword;
    const char *message;
    const char *expected;
};

static void assert_messages(const struct message_case *cases, size_t count)
{
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 4096, 1 << 20);
    for (size_t i = 0; i < count; i++) {
        struct gw_schema *schema = must_create(gw_str_from_c(cases[i].schema), &arena);
        yyjson_doc *doc = read_text(gw_str_from_c(cases[i].instance));
        assert_false(gw_schema_check(schema, yyjson_doc_get_root(doc), NULL, NULL));
        assert_false(gw_schema_check(schema, yyjson_doc_get_root(doc), &arena, &report));
        assert_text(report.errors[0].message, cases[i].message);
        assert_text(report.errors[0].instance_path, cases[i].path);
        assert_text(report.errors[0].keyword, cases[i].keyword);
        assert_text(report.errors[0].expected, cases[i].expected);
        assert_int_equal(report.count, 1);
        assert_int_equal(report.total_count, 1);
        yyjson_doc_free(doc);
        gw_schema_destroy(&schema);
        gw_arena_fini(&arena);
    }
}

static void test_messages_about_values(void **state)
{
    (void)state;
    static const struct message_case cases[] = {
        {"{\"properties\":{\"port\":{\"type\":\"number\",\"minimum\":1,\"maximum\":65535}}}",
         "{\"port\":\"abc\"}", "/port", "type",
         "expected a number between 1 and 65535, found \"abc\"", ""},
        {"{\"type\":\"integer\",\"minimum\":1,\"maximum\":65535}", "70000", "", "maximum",
         "expected a whole number between 1 and 65535, found 70000", ""},
        {"{\"type\":\"integer\"}", "1.5", "", "type", "expected a whole number, found 1.5", ""},
        {"{\"minimum\":0}", "-1", "", "minimum", "expected a number of at least 0, found -1", ""},
        {"{\"type\":\"number\",\"maximum\":2.5}", "3", "", "maximum",
         "expected a number of at most 2.5, found 3", ""},
        {"{\"exclusiveMinimum\":0,\"exclusiveMaximum\":1}", "1", "", "exclusiveMaximum",
         "expected a number above 0 and below 1, found 1", ""},
        {"{\"exclusiveMinimum\":0}", "0", "", "exclusiveMinimum",
         "expected a number above 0, found 0", ""},
        {"{\"multipleOf\":0.01}", "1.005", "", "multipleOf",
         "expected a number that is a multiple of 0.01, found 1.005", ""},
        {"{\"type\":[\"string\",\"null\"]}", "true", "", "type",
         "expected a string or null, found true", ""},
        {"{\"type\":[\"integer\",\"number\"]}", "[]", "", "type",
         "expected a number, found an empty list", ""},
        {"{\"type\":\"boolean\"}", "\"yes\"", "", "type", "expected true or false, found \"yes\"",
         ""},
        {"{\"type\":\"array\"}", "{\"a\":1}", "", "type", "expected a list, found an object", ""},
        {"{\"type\":\"object\"}", "[1]", "", "type", "expected an object, found a list", ""},
        {"{\"type\":\"object\"}", "null", "", "type", "expected an object, found null", ""},
        {"{\"enum\":[\"debug\",\"info\",3,null]}", "\"inof\"", "", "enum",
         "expected one of \"debug\", \"info\", 3, null, found \"inof\"", "debug, info"},
        {"{\"enum\":[\"one\"]}", "\"two\"", "", "enum", "expected \"one\", found \"two\"", "one"},
        {"{\"const\":[1]}", "2", "", "const", "expected a list, found 2", ""},
        {"{\"type\":\"string\",\"pattern\":\"^sk-\"}", "\"key\"", "", "pattern",
         "expected a string that matches ^sk-, found \"key\"", ""},
        {"{\"format\":\"ipv4\"}", "\"1.2.3\"", "", "format",
         "expected an IPv4 address, found \"1.2.3\"", ""},
        {"{\"type\":\"string\",\"format\":\"uri\"}", "12", "", "type",
         "expected a URI like https://example.com/path, found 12", ""},
        {"{\"minLength\":1}", "\"\"", "", "minLength", "must not be empty", ""},
        {"{\"minLength\":3}", "\"\xc3\xa9\xe2\x82\xac\"", "", "minLength",
         "expected at least 3 characters, found 2", ""},
        {"{\"maxLength\":1}", "\"ab\"", "", "maxLength", "expected at most 1 character, found 2",
         ""},
        {"{\"type\":\"string\"}", "12345678901234567890", "", "type",
         "expected a string, found 12345678901234567890", ""},
        {"{\"type\":\"integer\"}", "\"a text that is much longer than anybody wants to read here\"",
         "", "type",
         "expected a whole number, found \"a text that is much longer than anybody ...\"", ""},
    };
    assert_messages(cases, GW_ARRAY_LEN(cases));
}

static void test_messages_about_lists_and_objects(void **state)
{
    (void)state;
    static const struct message_case cases[] = {
        {"{\"properties\":{\"model\":{},\"stream\":{}},\"additionalProperties\":false}",
         "{\"modle\":\"x\"}", "/modle", "additionalProperties", "unknown key \"modle\"",
         "model, stream"},
        {"{\"$ref\":\"#/$defs/a\",\"properties\":{\"z\":{}},\"unevaluatedProperties\":false,"
         "\"$defs\":{\"a\":{\"properties\":{\"alpha\":{},\"z\":{}},\"allOf\":[{\"properties\":{"
         "\"beta\":{}}}]}}}",
         "{\"alhpa\":1}", "/alhpa", "unevaluatedProperties", "unknown key \"alhpa\"",
         "alpha, beta, z"},
        {"{\"items\":{\"required\":[\"model_name\"]}}", "[{\"model_name\":1},{\"a/b~\":2}]", "/1",
         "required", "\"model_name\" is missing", ""},
        {"{\"dependentRequired\":{\"cert\":[\"key\"]}}", "{\"cert\":1}", "", "dependentRequired",
         "\"key\" is missing, \"cert\" needs it", ""},
        {"{\"additionalProperties\":{\"type\":\"string\"}}", "{\"a/b~c\":1}", "/a~1b~0c", "type",
         "expected a string, found 1", ""},
        {"{\"properties\":{\"old\":false}}", "{\"old\":1}", "/old", "false", "is not allowed here",
         ""},
        {"{\"minItems\":1}", "[]", "", "minItems", "must not be empty", ""},
        {"{\"minItems\":2}", "[1]", "", "minItems", "expected at least 2 elements, found 1", ""},
        {"{\"maxItems\":1}", "[1,2]", "", "maxItems", "expected at most 1 element, found 2", ""},
        {"{\"minProperties\":2}", "{\"a\":1}", "", "minProperties",
         "expected at least 2 members, found 1", ""},
        {"{\"maxProperties\":0}", "{\"a\":1}", "", "maxProperties",
         "expected at most 0 members, found 1", ""},
        {"{\"uniqueItems\":true}", "[1,{\"a\":1,\"b\":2},3,{\"b\":2.0,\"a\":1}]", "", "uniqueItems",
         "the elements at positions 2 and 4 are equal", ""},
        {"{\"contains\":{\"type\":\"string\"}}", "[1]", "", "contains",
         "expected at least 1 elements of a certain kind, found 0", ""},
        {"{\"contains\":{\"type\":\"string\"},\"maxContains\":1}", "[\"a\",\"b\"]", "",
         "maxContains", "expected at most 1 elements of a certain kind, found 2", ""},
        {"{\"propertyNames\":{\"pattern\":\"^[a-z]+$\"}}", "{\"A\":1}", "/A", "propertyNames",
         "the name \"A\" is not allowed here, expected a string that matches ^[a-z]+$", ""},
        {"{\"prefixItems\":[{\"type\":\"string\"}],\"items\":{\"type\":\"number\"}}",
         "[\"a\",\"b\"]", "/1", "type", "expected a number, found \"b\"", ""},
        {"{\"prefixItems\":[true],\"unevaluatedItems\":false}", "[1,2]", "/1", "false",
         "is not allowed here", ""},
    };
    assert_messages(cases, GW_ARRAY_LEN(cases));
}

/* Of several forms, the one that the author most likely meant is explained. */
static void test_messages_about_forms(void **state)
{
    (void)state;
    static const struct message_case cases[] = {
        {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"integer\",\"minimum\":1}]}", "[]", "",
         "anyOf", "expected a string or a whole number of at least 1, found an empty list", ""},
        {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"integer\",\"minimum\":1}]}", "0", "",
         "minimum", "expected a whole number of at least 1, found 0", ""},
        {"{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"object\",\"required\":[\"name\"]}]}", "{}",
         "", "required", "\"name\" is missing", ""},
        {"{\"oneOf\":[{\"properties\":{\"kind\":{\"const\":\"tcp\"},\"port\":{\"type\":\"integer\"}"
         "}},"
         "{\"properties\":{\"kind\":{\"const\":\"unix\"},\"path\":{\"type\":\"string\"}}}]}",
         "{\"kind\":\"unix\",\"path\":7}", "/path", "type", "expected a string, found 7", ""},
        {"{\"oneOf\":[{\"type\":\"number\"},{\"minimum\":0}]}", "3", "", "oneOf",
         "fits 2 of the allowed forms, must fit exactly one", ""},
        {"{\"anyOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}", "{}", "", "anyOf",
         "expected one of 2 forms, found an empty object", ""},
        {"{\"$ref\":\"#/$defs/"
         "d\",\"$defs\":{\"d\":{\"anyOf\":[{\"const\":\"a\"},{\"const\":\"b\"}]}}}",
         "\"c\"", "", "anyOf", "expected \"a\" or \"b\", found \"c\"", ""},
        {"{\"not\":{\"type\":\"string\"}}", "\"a\"", "", "not",
         "has a form that is not allowed here", ""},
        {"{\"if\":{\"required\":[\"tls\"]},\"then\":{\"required\":[\"cert\"]}}", "{\"tls\":1}", "",
         "required", "\"cert\" is missing", ""},
        {"{\"dependentSchemas\":{\"a\":{\"required\":[\"b\"]}}}", "{\"a\":1}", "", "required",
         "\"b\" is missing", ""},
    };
    assert_messages(cases, GW_ARRAY_LEN(cases));
}

/* What is marked as a secret is never shown, also not below. */
static void test_write_only_values_are_not_shown(void **state)
{
    (void)state;
    static const struct message_case cases[] = {
        {"{\"properties\":{\"api_key\":{\"type\":\"string\",\"pattern\":\"^sk-\",\"writeOnly\":"
         "true}}}",
         "{\"api_key\":\"hunter2\"}", "/api_key", "pattern",
         "expected a string that matches ^sk-, found a string", ""},
        {"{\"writeOnly\":true,\"additionalProperties\":{\"type\":\"string\"}}", "{\"a\":12345}",
         "/a", "type", "expected a string, found a number", ""},
        {"{\"writeOnly\":true,\"anyOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", "12345", "",
         "anyOf", "expected a string or null, found a number", ""},
    };
    assert_messages(cases, GW_ARRAY_LEN(cases));
}

/* The author's own words win, those of the outermost schema first. */
static void test_expectations_in_the_authors_words(void **state)
{
    (void)state;
    static const struct message_case cases[] = {
        {"{\"type\":\"integer\",\"maximum\":9,\"x-expected\":\"a digit\"}", "10", "", "maximum",
         "expected a digit, found 10", ""},
        {"{\"$ref\":\"#/$defs/count\",\"maximum\":65535,\"x-expected\":\"a port number\",\"$defs\":"
         "{\"count\":{\"anyOf\":[{\"type\":\"integer\"},{\"pattern\":\"^[0-9]+$\",\"type\":"
         "\"string\"}],"
         "\"x-expected\":\"a number\"}}}",
         "true", "", "anyOf", "expected a port number, found true", ""},
        {"{\"items\":{\"anyOf\":[{\"x-expected\":\"a "
         "size\",\"type\":\"integer\"},{\"const\":\"off\"}]},"
         "\"x-expected\":\"sizes\"}",
         "[\"on\"]", "/0", "anyOf", "expected a size or \"off\", found \"on\"", ""},
        {"{\"type\":\"null\",\"x-expected\":7}", "1", "", "type", "expected null, found 1", ""},
    };
    assert_messages(cases, GW_ARRAY_LEN(cases));
}

static void test_all_errors_at_once(void **state)
{
    (void)state;
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 4096, 1 << 20);
    struct gw_schema *schema =
        must_create(GW_STR("{\"required\":[\"x\",\"y\"],\"properties\":{\"a\":{\"type\":\"string\"}"
                           ",\"b\":{\"items\":"
                           "{\"minimum\":3}}},\"additionalProperties\":false}"),
                    &arena);
    yyjson_doc *doc = read_text(GW_STR("{\"a\":1,\"b\":[1,5,2],\"c\":0,\"d\":0}"));
    assert_false(gw_schema_check(schema, yyjson_doc_get_root(doc), &arena, &report));
    static const char *const paths[] = {"", "", "/a", "/b/0", "/b/2", "/c", "/d"};
    assert_int_equal(report.count, GW_ARRAY_LEN(paths));
    for (size_t i = 0; i < report.count; i++) {
        assert_text(report.errors[i].instance_path, paths[i]);
    }
    assert_ptr_equal(report.errors[2].instance, yyjson_obj_get(yyjson_doc_get_root(doc), "a"));
    yyjson_doc_free(doc);
    gw_schema_destroy(&schema);
    gw_arena_fini(&arena);
}

static void test_more_errors_than_fit(void **state)
{
    (void)state;
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 4096, 1 << 20);
    struct gw_schema *schema = must_create(GW_STR("{\"items\":{\"type\":\"string\"}}"), &arena);
    struct gw_buf text;
    gw_buf_init(&text, 10000);
    for (int i = 0; i < 250; i++) {
        gw_buf_append(&text, i == 0 ? GW_STR("[1") : GW_STR(",1"));
    }
    gw_buf_append(&text, GW_STR("]"));
    yyjson_doc *doc = read_text(gw_buf_str(&text));
    assert_false(gw_schema_check(schema, yyjson_doc_get_root(doc), &arena, &report));
    assert_int_equal(report.count, GW_SCHEMA_MAX_ERRORS);
    assert_int_equal(report.total_count, 250);
    /* An arena without room gives short texts, not a crash. */
    struct gw_arena full;
    gw_arena_init(&full, NULL, 0, 64, 64);
    assert_false(gw_schema_check(schema, yyjson_doc_get_root(doc), &full, &report));
    assert_int_equal(report.total_count, 250);
    gw_arena_fini(&full);
    yyjson_doc_free(doc);
    gw_buf_fini(&text);
    gw_schema_destroy(&schema);
    gw_arena_fini(&arena);
}

static void test_schemas_that_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *schema;
        const char *message;
    } cases[] = {
        {"12", "#: a schema must be an object, true or false"},
        {"{\"properties\":{\"a\":[]}}",
         "#/properties/a: a schema must be an object, true or false"},
        {"{\"properties\":[]}", "#/properties: must be an object of schemas"},
        {"{\"allOf\":[]}", "#/allOf: must be a list of schemas with at least one"},
        {"{\"anyOf\":{}}", "#/anyOf: must be a list of schemas with at least one"},
        {"{\"anyOf\":[true,1]}", "#/anyOf/1: a schema must be an object, true or false"},
        {"{\"type\":\"strnig\"}",
         "#/type: must be one or several of null, boolean, integer, number, "
         "string, array, object"},
        {"{\"type\":[]}",
         "#/type: must be one or several of null, boolean, integer, number, string, "
         "array, object"},
        {"{\"minimum\":\"1\"}", "#/minimum: must be a number"},
        {"{\"multipleOf\":0}", "#/multipleOf: must be a number above 0"},
        {"{\"multipleOf\":-1}", "#/multipleOf: must be a number above 0"},
        {"{\"maxLength\":-1}", "#/maxLength: must be a whole number from 0 on"},
        {"{\"maxLength\":1.5}", "#/maxLength: must be a whole number from 0 on"},
        {"{\"required\":\"a\"}", "#/required: must be a list of names"},
        {"{\"required\":[1]}", "#/required: must be a list of names"},
        {"{\"dependentRequired\":[]}", "#/dependentRequired: must be an object of lists of names"},
        {"{\"enum\":\"a\"}", "#/enum: must be a list of values"},
        {"{\"uniqueItems\":1}", "#/uniqueItems: must be true or false"},
        {"{\"pattern\":1}", "#/pattern: must be a string"},
        {"{\"pattern\":\"a(b\"}", "#/pattern: is no regular expression: not understood"},
        {"{\"pattern\":\"[a\"}", "#/pattern: is no regular expression: a '[' is not closed"},
        {"{\"patternProperties\":{\"(?i)a\":true}}",
         "#/patternProperties/(?i)a: is no regular expression: it has a kind of group that does "
         "not exist"},
        {"{\"format\":1}", "#/format: must be a string"},
        {"{\"$ref\":1}", "#/$ref: must be a string"},
        {"{\"$ref\":\"#/$defs/x\"}", "#: the reference #/$defs/x leads nowhere"},
        {"{\"items\":{\"$ref\":\"#x\"}}", "#/items: the reference #x leads nowhere"},
        {"{\"$ref\":\"other.json\"}", "#: leads to the document other.json, which is not known"},
        {"{\"$ref\":\"#/enum\",\"enum\":[]}", "#/enum: a schema must be an object, true or false"},
        {"{\"$id\":1}", "#: \"$id\" must be a string"},
        {"{\"$id\":\"#a\"}", "#: \"$id\" must not have a fragment"},
        {"{\"$anchor\":\"\"}", "#/$anchor: must be a name"},
        {"{\"$defs\":{\"a\":{\"$anchor\":\"x\"},\"b\":{\"$anchor\":\"x\"}}}",
         "#/$defs/b: an anchor is defined twice: x"},
        {"{\"$schema\":\"http://json-schema.org/draft-07/schema#\"}",
         "#: \"$schema\" must be https://json-schema.org/draft/2020-12/schema, not "
         "http://json-schema.org/draft-07/schema"},
    };
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 4096, 1 << 20);
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_schema *schema = NULL;
        struct gw_str message = GW_STR("");
        assert_int_equal(create(gw_str_from_c(cases[i].schema), &arena, &schema, &message),
                         GW_ERR_INVALID);
        assert_null(schema);
        assert_text(message, cases[i].message);
    }
    gw_arena_fini(&arena);
}

/* |count| times |open|, |middle|, |count| times |close|. */
static struct gw_str nested(struct gw_buf *out, size_t count, const char *open, const char *middle,
                            const char *close)
{
    gw_buf_reset(out);
    for (size_t i = 0; i < count; i++) {
        gw_buf_append(out, gw_str_from_c(open));
    }
    gw_buf_append(out, gw_str_from_c(middle));
    for (size_t i = 0; i < count; i++) {
        gw_buf_append(out, gw_str_from_c(close));
    }
    assert_int_equal(out->err, GW_OK);
    return gw_buf_str(out);
}

static void test_depth_limits(void **state)
{
    (void)state;
    struct gw_arena arena;
    struct gw_buf text;
    gw_arena_init(&arena, NULL, 0, 4096, 1 << 20);
    gw_buf_init(&text, 64u << 20);
    struct gw_schema *schema = NULL;
    struct gw_str message = GW_STR("");
    assert_int_equal(create(nested(&text, GW_JSON_MAX_DEPTH + 1, "{\"not\":", "true", "}"), &arena,
                            &schema, &message),
                     GW_ERR_TOO_DEEP);
    assert_text(message, "the schema is nested too deeply");
    assert_int_equal(
        create(nested(&text, 1000000, "{\"not\":", "true", "}"), &arena, &schema, &message),
        GW_ERR_TOO_DEEP);
    schema = must_create(nested(&text, GW_JSON_MAX_DEPTH, "{\"items\":", "true", "}"), &arena);
    gw_schema_destroy(&schema);

    schema = must_create(GW_STR("{\"items\":{\"$ref\":\"#\"},\"uniqueItems\":true}"), &arena);
    yyjson_doc *doc = read_text(nested(&text, GW_JSON_MAX_DEPTH, "[", "", "]"));
    assert_true(gw_schema_check(schema, yyjson_doc_get_root(doc), &arena, &report));
    yyjson_doc_free(doc);
    doc = read_text(nested(&text, 1000000, "[", "", "]"));
    assert_false(gw_schema_check(schema, yyjson_doc_get_root(doc), &arena, &report));
    assert_text(report.errors[0].message, "is nested too deeply");
    assert_false(gw_schema_check(schema, yyjson_doc_get_root(doc), NULL, NULL));
    yyjson_doc_free(doc);
    gw_schema_destroy(&schema);
    gw_buf_fini(&text);
    gw_arena_fini(&arena);
}

/* Nothing that a schema or an instance says makes the check run on: it ends, as failed, and says
 * why. */
static void test_bounded_work(void **state)
{
    (void)state;
    static const struct {
        const char *schema;
        const char *message;
    } cases[] = {
        {"{\"$ref\":\"#\"}", "cannot be checked: the schema refers to itself"},
        {"{\"allOf\":[{\"$ref\":\"#\"},{\"$ref\":\"#\"}]}",
         "cannot be checked: the schema refers to itself"},
        {"{\"not\":{\"$ref\":\"#\"}}", "cannot be checked: the schema refers to itself"},
        {"{\"anyOf\":[{\"$ref\":\"#/$defs/a\"},{\"$ref\":\"#/$defs/a\"}],\"$defs\":{\"a\":{\"if\":"
         "{\"$ref\":\"#\"},\"then\":{\"$ref\":\"#\"}}}}",
         "cannot be checked: the schema refers to itself"},
    };
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 4096, 1 << 20);
    yyjson_doc *doc = read_text(GW_STR("1"));
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_schema *schema = must_create(gw_str_from_c(cases[i].schema), &arena);
        assert_false(gw_schema_check(schema, yyjson_doc_get_root(doc), &arena, &report));
        assert_text(report.errors[0].message, cases[i].message);
        assert_int_equal(report.count, 1);
        assert_false(gw_schema_check(schema, yyjson_doc_get_root(doc), NULL, NULL));
        gw_schema_destroy(&schema);
    }
    yyjson_doc_free(doc);
    /* Thirty definitions, each of which applies the next one twice: 2^30 applications were they all
     * made. */
    struct gw_buf text;
    gw_buf_init(&text, 1 << 20);
    gw_buf_append(&text, GW_STR("{\"$ref\":\"#/$defs/d0\",\"$defs\":{"));
    for (int i = 0; i < 30; i++) {
        gw_buf_appendf(
            &text, "\"d%d\":{\"oneOf\":[{\"$ref\":\"#/$defs/d%d\"},{\"$ref\":\"#/$defs/d%d\"}]},",
            i, i + 1, i + 1);
    }
    gw_buf_append(&text, GW_STR("\"d30\":{\"type\":\"string\"}}}"));
    struct gw_schema *schema = must_create(gw_buf_str(&text), &arena);
    doc = read_text(GW_STR("1"));
    uint64_t before = gw_clock_mono_ns();
    assert_false(gw_schema_check(schema, yyjson_doc_get_root(doc), &arena, &report));
    assert_text(report.errors[0].message, "takes too much work to check");
    assert_true(gw_clock_mono_ns() - before <
                100000000000u); /* sanitizers are slow; without a bound it would be hours */
    yyjson_doc_free(doc);
    gw_schema_destroy(&schema);
    gw_buf_fini(&text);
    gw_arena_fini(&arena);
}

/* Each of many texts is just within the limit of one match: together they are not. */
static void test_many_hard_patterns(void **state)
{
    (void)state;
    struct gw_arena arena;
    struct gw_buf text;
    gw_arena_init(&arena, NULL, 0, 4096, 1 << 20);
    gw_buf_init(&text, 1 << 20);
    struct gw_schema *schema = must_create(GW_STR("{\"items\":{\"pattern\":\"^(a+)+$\"}}"), &arena);
    for (int i = 0; i < 5000; i++) {
        gw_buf_append(&text, i == 0 ? GW_STR("[") : GW_STR(","));
        gw_buf_append(&text, GW_STR("\"aaaaaaaaaaaab\""));
    }
    gw_buf_append(&text, GW_STR("]"));
    yyjson_doc *doc = read_text(gw_buf_str(&text));
    assert_false(gw_schema_check(schema, yyjson_doc_get_root(doc), &arena, &report));
    assert_true(report.total_count < 1000);
    assert_text(report.errors[0].keyword, "pattern");
    yyjson_doc_free(doc);
    gw_schema_destroy(&schema);
    gw_buf_fini(&text);
    gw_arena_fini(&arena);
}

static void test_pattern_that_explodes(void **state)
{
    (void)state;
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 4096, 1 << 20);
    struct gw_schema *schema = must_create(GW_STR("{\"pattern\":\"^(a+)+$\"}"), &arena);
    yyjson_doc *doc =
        read_text(GW_STR("\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\""));
    assert_false(gw_schema_check(schema, yyjson_doc_get_root(doc), &arena, &report));
    assert_text(report.errors[0].message, "takes too long to compare with a pattern of the schema");
    yyjson_doc_free(doc);
    gw_schema_destroy(&schema);
    gw_arena_fini(&arena);
}

/* 100,000 different elements, and the same with one pair: the time is that of a table, not of all
 * pairs. */
static void test_unique_items_of_a_long_list(void **state)
{
    (void)state;
    struct gw_arena arena;
    struct gw_buf text;
    gw_arena_init(&arena, NULL, 0, 4096, 1 << 20);
    gw_buf_init(&text, 64u << 20);
    struct gw_schema *schema = must_create(GW_STR("{\"uniqueItems\":true}"), &arena);
    for (int with_pair = 0; with_pair < 2; with_pair++) {
        gw_buf_reset(&text);
        for (int i = 0; i < 100000; i++) {
            gw_buf_appendf(&text, "%s{\"n\":%d}", i == 0 ? "[" : ",", i);
        }
        gw_buf_append(&text, with_pair != 0 ? GW_STR(",{\"n\":777.0}]") : GW_STR("]"));
        yyjson_doc *doc = read_text(gw_buf_str(&text));
        assert_int_equal(gw_schema_check(schema, yyjson_doc_get_root(doc), &arena, &report),
                         with_pair == 0);
        if (with_pair != 0) {
            assert_text(report.errors[0].message,
                        "the elements at positions 778 and 100001 are equal");
        }
        yyjson_doc_free(doc);
    }
    gw_schema_destroy(&schema);
    gw_buf_fini(&text);
    gw_arena_fini(&arena);
}

static void test_documents_given_and_built_in(void **state)
{
    (void)state;
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 4096, 1 << 20);
    yyjson_doc *other = read_text(GW_STR("{\"$defs\":{\"port\":{\"type\":\"integer\"}}}"));
    struct gw_schema_document documents[] = {
        {.uri = GW_STR("https://example.com/schemas/common.json"),
         .root = yyjson_doc_get_root(other)}};
    struct gw_schema_opts opts = {.base_uri = GW_STR("https://example.com/schemas/main.json"),
                                  .documents = documents,
                                  .document_count = 1};
    yyjson_doc *main_doc = read_text(
        GW_STR("{\"properties\":{\"port\":{\"$ref\":\"common.json#/$defs/port\"},\"schema\":"
               "{\"$ref\":\"https://json-schema.org/draft/2020-12/schema\"}}}"));
    struct gw_schema *schema = NULL;
    struct gw_str message = GW_STR("");
    assert_int_equal(
        gw_schema_create(yyjson_doc_get_root(main_doc), &opts, &arena, &schema, &message), GW_OK);
    yyjson_doc_free(main_doc);
    yyjson_doc_free(other);
    static const struct {
        const char *instance;
        bool is_valid;
    } cases[] = {
        {"{\"port\":1,\"schema\":{\"type\":\"object\",\"properties\":{\"a\":{\"minLength\":1}}}}",
         true},
        {"{\"port\":\"1\"}", false},
        {"{\"schema\":{\"properties\":{\"a\":{\"minLength\":-1}}}}", false},
        {"{\"schema\":{\"properties\":{\"a\":{\"type\":\"strnig\"}}}}", false},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        yyjson_doc *doc = read_text(gw_str_from_c(cases[i].instance));
        assert_int_equal(gw_schema_check(schema, yyjson_doc_get_root(doc), &arena, &report),
                         cases[i].is_valid);
        yyjson_doc_free(doc);
    }
    gw_schema_destroy(&schema);
    gw_schema_destroy(&schema);
    gw_arena_fini(&arena);
}

/* Each allocation of compile and check fails once; whatever happens, nothing leaks and nothing
 * crashes. */
static void test_every_allocation_failing(void **state)
{
    (void)state;
    struct gw_str text = GW_STR(
        "{\"$id\":\"https://example.com/a\",\"properties\":{\"a\":{\"pattern\":\"^\\\\w+$\"},\"b\":"
        "{\"$ref\":\"#/$defs/"
        "x\"}},\"patternProperties\":{\"^x-\":true},\"unevaluatedProperties\":false,"
        "\"$defs\":{\"x\":{\"$anchor\":\"y\",\"uniqueItems\":true,\"items\":{\"enum\":[1,2]}}}}");
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 4096, 1 << 20);
    yyjson_doc *schema_doc = read_text(text);
    yyjson_doc *doc = read_text(GW_STR("{\"a\":\"b\",\"b\":[1,2],\"x-y\":1}"));
    bool succeeded = false;
    for (uint64_t nth = 1; nth < 500 && !succeeded; nth++) {
        struct gw_schema *schema = NULL;
        struct gw_str message = GW_STR("");
        gw_alloc_fail_at(nth);
        enum gw_err err =
            gw_schema_create(yyjson_doc_get_root(schema_doc), NULL, &arena, &schema, &message);
        gw_alloc_fail_at(0);
        if (err != GW_OK) {
            assert_true(message.len > 0);
            assert_null(schema);
            continue;
        }
        bool is_valid = false;
        for (uint64_t check_nth = 1; check_nth < 50 && !is_valid; check_nth++) {
            gw_alloc_fail_at(check_nth);
            is_valid = gw_schema_check(schema, yyjson_doc_get_root(doc), NULL, NULL);
            gw_alloc_fail_at(0);
        }
        assert_true(is_valid);
        succeeded = true;
        gw_schema_destroy(&schema);
    }
    assert_true(succeeded);
    yyjson_doc_free(doc);
    yyjson_doc_free(schema_doc);
    gw_arena_fini(&arena);
}

struct shared_check {
    const struct gw_schema *schema;
    yyjson_val *good;
    yyjson_val *bad;
    bool is_right;
};

static void *check_many_times(void *user)
{
    struct shared_check *shared = user;
    struct gw_schema_report *own = calloc(1, sizeof(*own));
    bool is_right = own != NULL;
    for (int i = 0; i < 200 && is_right; i++) {
        struct gw_arena arena;
        gw_arena_init(&arena, NULL, 0, 4096, 1 << 20);
        is_right = gw_schema_check(shared->schema, shared->good, &arena, own) &&
                   !gw_schema_check(shared->schema, shared->bad, &arena, own) && own->count == 2;
        gw_arena_fini(&arena);
    }
    free(own);
    return is_right ? shared : NULL;
}

static void test_threads_share_a_schema(void **state)
{
    (void)state;
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 4096, 1 << 20);
    struct gw_schema *schema =
        must_create(GW_STR("{\"additionalProperties\":{\"pattern\":\"^[a-z]+$\",\"minLength\":2},"
                           "\"unevaluatedProperties\":false}"),
                    &arena);
    yyjson_doc *good = read_text(GW_STR("{\"a\":\"bc\",\"d\":\"ef\"}"));
    yyjson_doc *bad = read_text(GW_STR("{\"a\":\"b\",\"d\":\"E1\"}"));
    struct shared_check shared = {
        .schema = schema, .good = yyjson_doc_get_root(good), .bad = yyjson_doc_get_root(bad)};
    pthread_t threads[4];
    for (size_t i = 0; i < GW_ARRAY_LEN(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, check_many_times, &shared), 0);
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(threads); i++) {
        void *result = NULL;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_non_null(result);
    }
    yyjson_doc_free(good);
    yyjson_doc_free(bad);
    gw_schema_destroy(&schema);
    gw_arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_about_values),
        cmocka_unit_test(test_messages_about_lists_and_objects),
        cmocka_unit_test(test_messages_about_forms),
        cmocka_unit_test(test_write_only_values_are_not_shown),
        cmocka_unit_test(test_expectations_in_the_authors_words),
        cmocka_unit_test(test_all_errors_at_once),
        cmocka_unit_test(test_more_errors_than_fit),
        cmocka_unit_test(test_schemas_that_are_refused),
        cmocka_unit_test(test_depth_limits),
        cmocka_unit_test(test_bounded_work),
        cmocka_unit_test(test_pattern_that_explodes),
        cmocka_unit_test(test_many_hard_patterns),
        cmocka_unit_test(test_unique_items_of_a_long_list),
        cmocka_unit_test(test_documents_given_and_built_in),
        cmocka_unit_test(test_every_allocation_failing),
        cmocka_unit_test(test_threads_share_a_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
