/* SPDX-License-Identifier: MIT */
/* Members and their places, proven against yyjson on random documents; places and words of errors;
 * the decoders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <yyjson.h>

#include "base/buf.h"
#include "base/rng.h"
#include "json/scan.h"

#define MAX_MEMBERS 64

struct seen {
    struct gw_json_member members[MAX_MEMBERS];
    size_t count;
    size_t stop_at; /* ends the scan at this member; 0 never */
};

static gw_json_on_member_fn see;
static enum gw_err see(void *user, const struct gw_json_member *member)
{
    struct seen *seen = user;
    assert_true(seen->count < MAX_MEMBERS);
    seen->members[seen->count++] = *member;
    return seen->count == seen->stop_at ? GW_ERR_CANCELLED : GW_OK;
}

static void assert_text(struct gw_str actual, const char *expected)
{
    if (!gw_str_eq(actual, gw_str_from_c(expected))) {
        fail_msg("\"%.*s\" is not \"%s\"", (int)actual.len, actual.ptr, expected);
    }
}

static void test_members_in_order(void **state)
{
    (void)state;
    struct gw_str text =
        GW_STR(" { \"model\" : \"gpt-4o\" ,\n\t\"n\":-1.5e3,\"messages\":[ {\"a\":1} , 2 ],"
               "\"x\":{ \"y\" : {} } ,\"t\":true,\"f\":false,\"z\":null,\"\\u0065\": \"\" } ");
    struct seen seen = {0};
    enum gw_json_type type = GW_JSON_NULL;
    assert_int_equal(gw_json_scan(text, see, &seen, &type, NULL), GW_OK);
    assert_int_equal(type, GW_JSON_OBJECT);
    static const struct {
        const char *key;
        const char *value;
        enum gw_json_type type;
    } expected[] = {
        {"model", "\"gpt-4o\"", GW_JSON_STRING},
        {"n", "-1.5e3", GW_JSON_NUMBER},
        {"messages", "[ {\"a\":1} , 2 ]", GW_JSON_ARRAY},
        {"x", "{ \"y\" : {} }", GW_JSON_OBJECT},
        {"t", "true", GW_JSON_BOOL},
        {"f", "false", GW_JSON_BOOL},
        {"z", "null", GW_JSON_NULL},
        {"\\u0065", "\"\"", GW_JSON_STRING},
    };
    assert_int_equal(seen.count, GW_ARRAY_LEN(expected));
    for (size_t i = 0; i < GW_ARRAY_LEN(expected); i++) {
        assert_text(seen.members[i].key, expected[i].key);
        assert_text(seen.members[i].value, expected[i].value);
        assert_int_equal(seen.members[i].type, expected[i].type);
        assert_true(seen.members[i].value.ptr > text.ptr);
        assert_int_equal(seen.members[i].key_has_escapes, i == 7);
    }
}

static void test_other_top_levels_report_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum gw_json_type type;
    } cases[] = {
        {"[{\"a\":1}]", GW_JSON_ARRAY}, {" \"a\"", GW_JSON_STRING}, {"-1 ", GW_JSON_NUMBER},
        {"true", GW_JSON_BOOL},         {"null", GW_JSON_NULL},     {"{}", GW_JSON_OBJECT},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct seen seen = {0};
        enum gw_json_type type = GW_JSON_NULL;
        assert_int_equal(gw_json_scan(gw_str_from_c(cases[i].text), see, &seen, &type, NULL),
                         GW_OK);
        assert_int_equal(type, cases[i].type);
        assert_int_equal(seen.count, 0);
    }
}

static void test_callback_ends_the_scan(void **state)
{
    (void)state;
    struct seen seen = {.stop_at = 2};
    struct gw_json_error error = {.offset = 99};
    assert_int_equal(gw_json_scan(GW_STR("{\"a\":1,\"b\":2,\"c\":3,!"), see, &seen, NULL, &error),
                     GW_ERR_CANCELLED);
    assert_int_equal(seen.count, 2);
    assert_int_equal(error.offset, 99);
}

static void test_error_places_and_words(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t offset;
        unsigned line;
        unsigned column;
        const char *what;
    } cases[] = {
        {"", 0, 1, 1, "the text is empty"},
        {"\n\n ", 3, 3, 2, "the text is empty"},
        {"{\"a\":1 \"b\":2}", 7, 1, 8, "expected ',' or '}'"},
        {"{\n  \"a\": 1,\n  \"b\" 2\n}", 18, 3, 7, "expected ':'"},
        {"[1\n2]", 3, 2, 1, "expected ',' or ']'"},
        {"[1,]", 3, 1, 4, "expected a value, a comma must not stand before ']' or '}'"},
        {"[1, \n ]", 6, 2, 2, "expected a value, a comma must not stand before ']' or '}'"},
        {"{\"a\":1, }", 8, 1, 9, "expected a member name, a comma must not stand before '}'"},
        {"{a:1}", 1, 1, 2, "expected a member name in double quotes"},
        {"{\"a\":}", 5, 1, 6, "expected a value"},
        {"{\"a\":'b'}", 5, 1, 6, "expected a value, strings need double quotes"},
        {"{\"a\":NaN}", 5, 1, 6, "expected a value, JSON has no NaN and no Infinity"},
        {"{\"a\":None}", 5, 1, 6, "expected a value, JSON writes true, false and null"},
        {"{\"a\":True}", 5, 1, 6, "expected a value, JSON writes true, false and null"},
        {"// x\n{}", 0, 1, 1, "expected a value, JSON has no comments"},
        {"{\"a\":tru}", 8, 1, 9, "expected true, false or null"},
        {"{\"a\":tr", 7, 1, 8, "the text ends inside true, false or null"},
        {"{\"a\":01}", 5, 1, 6, "a number must not begin with 0"},
        {"{\"a\":1.}", 7, 1, 8, "expected a digit"},
        {"-", 1, 1, 2, "the text ends where a digit is expected"},
        {"{\"a\":\"b\nc\"}", 7, 1, 8,
         "control character in a string, it must be escaped (\\n, \\t, \\u0000)"},
        {"\"\\q\"", 2, 1, 3, "unknown escape, known are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX"},
        {"\"\\u12x4\"", 5, 1, 6, "expected a hexadecimal digit of a \\u escape"},
        {"\"abc\xff\"", 4, 1, 5, "not UTF-8"},
        {"\"\xe2\x82", 3, 1, 4, "the text ends inside a character"},
        {"\"abc", 4, 1, 5, "the text ends inside a string"},
        {"\"abc\\", 5, 1, 6, "the text ends inside an escape"},
        {"{\"a\":1", 6, 1, 7, "the text ends inside an object, ',' or '}' is expected"},
        {"[1", 2, 1, 3, "the text ends inside an array, ',' or ']' is expected"},
        {"{\"a\"", 4, 1, 5, "the text ends where ':' is expected"},
        {"{\"a\":", 5, 1, 6, "the text ends where a value is expected"},
        {"{\"a\":1,", 7, 1, 8, "the text ends where a member name is expected"},
        {"{} {}", 3, 1, 4, "expected the end of the text, something stands behind the value"},
        {"\xef\xbb\xbf{}", 0, 1, 1, "a byte order mark must not stand before the text"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_json_error error = {0};
        assert_int_equal(gw_json_scan(gw_str_from_c(cases[i].text), NULL, NULL, NULL, &error),
                         GW_ERR_INVALID);
        assert_string_equal(error.what, cases[i].what);
        assert_int_equal(error.offset, cases[i].offset);
        assert_int_equal(error.line, cases[i].line);
        assert_int_equal(error.column, cases[i].column);
    }
}

static void test_depth_limit(void **state)
{
    (void)state;
    static const char *const opening[] = {"[", "{\"a\":"};
    static const char *const closing[] = {"]", "}"};
    struct gw_buf text;
    gw_buf_init(&text, 1 << 20);
    for (unsigned kind = 0; kind < 4; kind++) {
        for (unsigned depth = GW_JSON_MAX_DEPTH - 1; depth <= GW_JSON_MAX_DEPTH + 1; depth++) {
            gw_buf_reset(&text);
            /* kinds: arrays, objects, and both mixtures of them */
            for (unsigned i = 0; i < depth; i++) {
                gw_buf_append(&text, gw_str_from_c(opening[kind < 2 ? kind : (i + kind) % 2]));
            }
            gw_buf_append(&text, GW_STR("1"));
            for (unsigned i = depth; i-- > 0;) {
                gw_buf_append(&text, gw_str_from_c(closing[kind < 2 ? kind : (i + kind) % 2]));
            }
            struct seen seen = {0};
            struct gw_json_error error = {0};
            enum gw_err expected = depth <= GW_JSON_MAX_DEPTH ? GW_OK : GW_ERR_TOO_DEEP;
            assert_int_equal(gw_json_scan(gw_buf_str(&text), NULL, NULL, NULL, &error), expected);
            assert_int_equal(gw_json_scan(gw_buf_str(&text), see, &seen, NULL, &error), expected);
            if (expected != GW_OK) {
                assert_string_equal(error.what, "nested too deeply");
            }
        }
    }
    /* Siblings at the deepest level stand beside each other, not below. */
    gw_buf_reset(&text);
    for (unsigned i = 0; i < GW_JSON_MAX_DEPTH - 1; i++) {
        gw_buf_append(&text, GW_STR("["));
    }
    gw_buf_append(&text, GW_STR("[],{},[1],{\"a\":2}"));
    for (unsigned i = 0; i < GW_JSON_MAX_DEPTH - 1; i++) {
        gw_buf_append(&text, GW_STR("]"));
    }
    assert_int_equal(gw_json_scan(gw_buf_str(&text), NULL, NULL, NULL, NULL), GW_OK);
    gw_buf_fini(&text);
}

/* A writer of random documents with every kind of value, escape and spacing. */
static void write_blanks(struct gw_rng *rng, struct gw_buf *out)
{
    static const char blanks[] = " \t\n\r";
    uint64_t count = gw_rng_below(rng, 4) == 0 ? gw_rng_below(rng, 20) : 0;
    for (uint64_t i = 0; i < count; i++) {
        gw_buf_append_byte(out, blanks[gw_rng_below(rng, 3) == 0 ? gw_rng_below(rng, 4) : 0]);
    }
}

static void write_string(struct gw_rng *rng, struct gw_buf *out)
{
    static const char *const pieces[] = {"a",
                                         "model",
                                         "plain text that is longer than a word",
                                         "\\n",
                                         "\\\"",
                                         "\\\\",
                                         "\\/",
                                         "\\u0041",
                                         "\\u00e9",
                                         "\\ud83d\\ude00",
                                         "\xc3\xa9",
                                         "\xe2\x82\xac",
                                         "\xf0\x9f\x98\x80",
                                         "{",
                                         "]",
                                         ",",
                                         ":",
                                         "'",
                                         "\\u0000",
                                         "\xe5\xa4\xa9\xe6\xb0\x94\xef\xbc\x8c",
                                         "\x7f"};
    gw_buf_append_byte(out, '"');
    for (uint64_t n = gw_rng_below(rng, 6); n > 0; n--) {
        gw_buf_append(out, gw_str_from_c(pieces[gw_rng_below(rng, GW_ARRAY_LEN(pieces))]));
    }
    gw_buf_append_byte(out, '"');
}

static void write_value(struct gw_rng *rng, struct gw_buf *out, unsigned depth);

static void write_container(struct gw_rng *rng, struct gw_buf *out, unsigned depth, bool is_object)
{
    gw_buf_append_byte(out, is_object ? '{' : '[');
    write_blanks(rng, out);
    uint64_t count = gw_rng_below(rng, 6);
    for (uint64_t i = 0; i < count; i++) {
        if (i > 0) {
            gw_buf_append_byte(out, ',');
            write_blanks(rng, out);
        }
        if (is_object) {
            write_string(rng, out);
            write_blanks(rng, out);
            gw_buf_append_byte(out, ':');
            write_blanks(rng, out);
        }
        write_value(rng, out, depth + 1);
        write_blanks(rng, out);
    }
    gw_buf_append_byte(out, is_object ? '}' : ']');
}

static void write_value(struct gw_rng *rng, struct gw_buf *out, unsigned depth)
{
    static const char *const scalars[] = {"0",    "-0",    "1",    "-12",
                                          "3.25", "1e5",   "2E-3", "-7.5e+2",
                                          "true", "false", "null", "18446744073709551615"};
    uint64_t kind = gw_rng_below(rng, depth < 6 ? 6 : 3);
    if (kind < 2) {
        gw_buf_append(out, gw_str_from_c(scalars[gw_rng_below(rng, GW_ARRAY_LEN(scalars))]));
    } else if (kind == 2) {
        write_string(rng, out);
    } else {
        write_container(rng, out, depth, kind != 3);
    }
}

static void assert_same_value(yyjson_val *expected, struct gw_str span)
{
    yyjson_doc *doc = yyjson_read(span.ptr, span.len, 0);
    assert_non_null(doc);
    assert_true(yyjson_equals(expected, yyjson_doc_get_root(doc)));
    yyjson_doc_free(doc);
    /* The span has no blanks around it. */
    assert_true(strchr(" \t\r\n", span.ptr[0]) == NULL);
    assert_true(strchr(" \t\r\n", span.ptr[span.len - 1]) == NULL);
}

static void assert_same_members(struct gw_str text, yyjson_val *root)
{
    struct seen seen = {0};
    assert_int_equal(gw_json_scan(text, see, &seen, NULL, NULL), GW_OK);
    assert_int_equal(seen.count, yyjson_obj_size(root));
    size_t i = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *value = NULL;
    yyjson_obj_foreach(root, i, max, key, value)
    {
        struct gw_str name = gw_str(yyjson_get_str(key), yyjson_get_len(key));
        assert_true(gw_json_key_is(&seen.members[i], name));
        assert_same_value(value, seen.members[i].value);
    }
}

static void assert_same_elements(struct gw_str text, yyjson_val *root)
{
    struct seen seen = {0};
    assert_int_equal(gw_json_each(text, see, &seen), GW_OK);
    assert_int_equal(seen.count, yyjson_arr_size(root));
    size_t i = 0;
    size_t max = 0;
    yyjson_val *value = NULL;
    yyjson_arr_foreach(root, i, max, value)
    {
        assert_same_value(value, seen.members[i].value);
        assert_int_equal(seen.members[i].key.len, 0);
    }
}

static void test_random_documents_agree_with_yyjson(void **state)
{
    (void)state;
    struct gw_rng rng;
    gw_rng_init_fixed(&rng, 20261121);
    struct gw_buf text;
    gw_buf_init(&text, 1 << 20);
    for (int round = 0; round < 3000; round++) {
        gw_buf_reset(&text);
        write_blanks(&rng, &text);
        write_container(&rng, &text, 0, round % 3 != 0);
        write_blanks(&rng, &text);
        assert_int_equal(text.err, GW_OK);
        yyjson_doc *doc = yyjson_read(text.ptr, text.len, 0);
        assert_non_null(doc);
        yyjson_val *root = yyjson_doc_get_root(doc);
        if (yyjson_is_obj(root)) {
            assert_same_members(gw_buf_str(&text), root);
        } else {
            assert_same_elements(gw_buf_str(&text), root);
        }
        yyjson_doc_free(doc);
    }
    gw_buf_fini(&text);
}

/* One byte of a random document changed: both must say the same of the result. */
static void test_damaged_documents_agree_with_yyjson(void **state)
{
    (void)state;
    struct gw_rng rng;
    gw_rng_init_fixed(&rng, 7);
    struct gw_buf text;
    gw_buf_init(&text, 1 << 20);
    int valid_count = 0;
    for (int round = 0; round < 20000; round++) {
        gw_buf_reset(&text);
        write_container(&rng, &text, 2, true);
        static const char bytes[] = "\"\\{}[]:,0e.-+tfnu \n\x80\xc3\xe2\xed\xf0\xff";
        text.ptr[gw_rng_below(&rng, text.len)] = bytes[gw_rng_below(&rng, sizeof(bytes))];
        yyjson_doc *doc = yyjson_read(text.ptr, text.len, YYJSON_READ_NUMBER_AS_RAW);
        enum gw_err err = gw_json_scan(gw_buf_str(&text), NULL, NULL, NULL, NULL);
        bool has_surrogate = gw_str_find(gw_buf_str(&text), GW_STR("\\ud")) < text.len;
        if ((doc != NULL) != (err == GW_OK) && !has_surrogate) {
            fail_msg("we say %s of %.*s", gw_err_name(err), (int)text.len, text.ptr);
        }
        valid_count += doc != NULL;
        yyjson_doc_free(doc);
    }
    assert_true(valid_count > 1000 && valid_count < 19000);
    gw_buf_fini(&text);
}

static void test_find(void **state)
{
    (void)state;
    struct gw_str text =
        GW_STR(" {\"a\":1,\"stream_options\" : { \"x\":[], \"include_usage\" : true },"
               "\"us\\u0061ge\":{\"a\":2},\"a\":3,\"\":4,\"arr\":[{\"b\":1}]}");
    struct gw_json_member member;
    assert_true(gw_json_find(text, GW_STR("a"), &member));
    assert_text(member.value, "1");
    assert_true(gw_json_find(text, GW_STR("stream_options.include_usage"), &member));
    assert_text(member.value, "true");
    assert_text(member.key, "include_usage");
    assert_int_equal(member.type, GW_JSON_BOOL);
    assert_true(gw_json_find(text, GW_STR("usage.a"), &member));
    assert_text(member.value, "2");
    assert_true(gw_json_find(text, GW_STR("usage"), &member));
    assert_true(member.key_has_escapes);
    assert_true(gw_json_find(text, GW_STR(""), &member));
    assert_text(member.value, "4");
    assert_false(gw_json_find(text, GW_STR("b"), &member));
    assert_false(gw_json_find(text, GW_STR("a.b"), &member));
    assert_false(gw_json_find(text, GW_STR("arr.b"), &member));
    assert_false(gw_json_find(text, GW_STR("usage."), &member));
    assert_false(gw_json_find(text, GW_STR("stream_options.include_usage.x"), &member));
    assert_false(gw_json_find(text, gw_str(NULL, 0), &member));
    assert_false(gw_json_find(gw_str(NULL, 0), GW_STR("a"), &member));
    assert_false(gw_json_find(GW_STR("[]"), GW_STR("a"), &member));
    assert_false(gw_json_find(GW_STR("{\"b\":"), GW_STR("a"), &member));
}

static void test_key_is(void **state)
{
    (void)state;
    struct gw_json_member member = {.key = GW_STR("mod\\u0065l\\n\\ud83d\\ude00"),
                                    .key_has_escapes = true};
    assert_true(gw_json_key_is(&member, GW_STR("model\n\xf0\x9f\x98\x80")));
    assert_false(gw_json_key_is(&member, GW_STR("model")));
    assert_false(gw_json_key_is(&member, GW_STR("model\n\xf0\x9f\x98\x80.")));
    assert_false(gw_json_key_is(&member, member.key));
    member.key = GW_STR("\\ud83d");
    assert_false(gw_json_key_is(&member, GW_STR("")));
    assert_false(gw_json_key_is(&member, GW_STR("\\ud83d")));
    member = (struct gw_json_member){.key = GW_STR("model")};
    assert_true(gw_json_key_is(&member, GW_STR("model")));
    assert_false(gw_json_key_is(&member, GW_STR("mode")));
}

static void test_each(void **state)
{
    (void)state;
    struct seen seen = {0};
    assert_int_equal(gw_json_each(GW_STR(" [ 1 , \"a\",{\"b\":[]},[ ] ] "), see, &seen), GW_OK);
    assert_int_equal(seen.count, 4);
    assert_text(seen.members[2].value, "{\"b\":[]}");
    assert_int_equal(seen.members[2].type, GW_JSON_OBJECT);
    assert_text(seen.members[3].value, "[ ]");
    seen = (struct seen){.stop_at = 1};
    assert_int_equal(gw_json_each(GW_STR("[1,2]"), see, &seen), GW_ERR_CANCELLED);
    assert_int_equal(gw_json_each(GW_STR("{}"), see, &seen), GW_ERR_INVALID);
    assert_int_equal(gw_json_each(GW_STR(""), see, &seen), GW_ERR_INVALID);
    seen = (struct seen){0};
    assert_int_equal(gw_json_each(GW_STR("[1,"), see, &seen), GW_ERR_INVALID);
}

static void test_decode_string(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        const char *text;
        size_t len;
    } cases[] = {
        {"\"\"", "", 0},
        {"\"plain\"", "plain", 5},
        {"\"a\\\"b\\\\c\\/d\\be\\ff\\ng\\rh\\ti\"", "a\"b\\c/d\be\ff\ng\rh\ti", 17},
        {"\"\\u0000\\u0041\\u007f\"", "\0A\x7f", 3},
        {"\"\\u0080\\u07ff\\u0800\\uffff\"", "\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf", 10},
        {"\"\\ud800\\udc00\\uDBFF\\uDFFF\"", "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8},
        {"\"x\\ud83d\\ude00y\"", "x\xf0\x9f\x98\x80y", 6},
        {"\"\xe5\xa4\xa9\\n\"", "\xe5\xa4\xa9\n", 4},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_str value = gw_str_from_c(cases[i].value);
        for (size_t size = 0; size <= cases[i].len + 1; size++) {
            char *out = malloc(size + 1);
            assert_non_null(out);
            out[size] = '#';
            size_t len = 12345;
            enum gw_err err = gw_json_decode_string(value, out, size, &len);
            assert_int_equal(err, size >= cases[i].len ? GW_OK : GW_ERR_TOO_LARGE);
            assert_int_equal(len, err == GW_OK ? cases[i].len : 12345);
            if (err == GW_OK) {
                assert_memory_equal(out, cases[i].text, len);
            }
            assert_int_equal(out[size], '#');
            free(out);
        }
    }
    static const char *const wrong[] = {"",
                                        "\"",
                                        "a",
                                        "1",
                                        "\"a",
                                        "\"a\"b",
                                        "\"a\" ",
                                        " \"a\"",
                                        "\"\\ud800\"",
                                        "\"\\udc00\"",
                                        "\"\\ud800\\u0041\"",
                                        "\"\\ud800\\ud800\"",
                                        "\"\\ud800x\"",
                                        "\"\\q\"",
                                        "\"\\\"",
                                        "\"\\u12\"",
                                        "[\"a\"]",
                                        "\"\n\""};
    for (size_t i = 0; i < GW_ARRAY_LEN(wrong); i++) {
        char out[32];
        size_t len = 0;
        assert_int_equal(gw_json_decode_string(gw_str_from_c(wrong[i]), out, sizeof(out), &len),
                         GW_ERR_INVALID);
    }
}

static void test_decode_u64(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        enum gw_err err;
        uint64_t number;
    } cases[] = {
        {"0", GW_OK, 0},
        {"-0", GW_OK, 0},
        {"-0.000e5", GW_OK, 0},
        {"0e999999999999999999999", GW_OK, 0},
        {"12", GW_OK, 12},
        {"12.0", GW_OK, 12},
        {"12.000000000000000000000000000000", GW_OK, 12},
        {"1e3", GW_OK, 1000},
        {"1E+3", GW_OK, 1000},
        {"1.5e1", GW_OK, 15},
        {"1200e-2", GW_OK, 12},
        {"0.00012e5", GW_OK, 12},
        {"100200300", GW_OK, 100200300},
        {"1002003.0040e6", GW_OK, 1002003004000},
        {"18446744073709551615", GW_OK, UINT64_MAX},
        {"18446744073709551615.0", GW_OK, UINT64_MAX},
        {"1844674407370955161500e-2", GW_OK, UINT64_MAX},
        {"9007199254740993", GW_OK, 9007199254740993u},
        {"1e19", GW_OK, 10000000000000000000u},
        {"18446744073709551616", GW_ERR_OVERFLOW, 0},
        {"1e20", GW_ERR_OVERFLOW, 0},
        {"99999999999999999999999999", GW_ERR_OVERFLOW, 0},
        {"36893488147419103232", GW_ERR_OVERFLOW, 0},
        {"1e99999999999999999999", GW_ERR_OVERFLOW, 0},
        {"1.5", GW_ERR_INVALID, 0},
        {"1e-1", GW_ERR_INVALID, 0},
        {"1e-99999999999999999999", GW_ERR_INVALID, 0},
        {"0.5", GW_ERR_INVALID, 0},
        {"-1", GW_ERR_INVALID, 0},
        {"-18446744073709551616", GW_ERR_INVALID, 0},
        {"", GW_ERR_INVALID, 0},
        {"-", GW_ERR_INVALID, 0},
        {"01", GW_ERR_INVALID, 0},
        {"1x", GW_ERR_INVALID, 0},
        {"1 ", GW_ERR_INVALID, 0},
        {"\"1\"", GW_ERR_INVALID, 0},
        {"true", GW_ERR_INVALID, 0},
        {"+1", GW_ERR_INVALID, 0},
        {".5", GW_ERR_INVALID, 0},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        uint64_t number = 77;
        enum gw_err err = gw_json_decode_u64(gw_str_from_c(cases[i].value), &number);
        if (err != cases[i].err) {
            fail_msg("%s: %s", cases[i].value, gw_err_name(err));
        }
        assert_true(number == (err == GW_OK ? cases[i].number : 77));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_in_order),
        cmocka_unit_test(test_other_top_levels_report_nothing),
        cmocka_unit_test(test_callback_ends_the_scan),
        cmocka_unit_test(test_error_places_and_words),
        cmocka_unit_test(test_depth_limit),
        cmocka_unit_test(test_random_documents_agree_with_yyjson),
        cmocka_unit_test(test_damaged_documents_agree_with_yyjson),
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_key_is),
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_decode_string),
        cmocka_unit_test(test_decode_u64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
