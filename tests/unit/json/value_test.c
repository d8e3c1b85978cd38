/* SPDX-License-Identifier: MIT */
/* json/value: reading again and again, typed members, verbatim objects, and no memory. */
#include "json/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "json/scan.h"

static struct gw_json_reader reader;

static int setup(void **state)
{
    (void)state;
    gw_json_reader_init(&reader, 1u << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    gw_json_reader_fini(&reader);
    return 0;
}

static enum gw_err read_text(struct gw_str text, yyjson_val **root)
{
    return gw_json_read(&reader, text, root);
}

static void test_members(void **state)
{
    (void)state;
    yyjson_val *root = NULL;
    assert_int_equal(read_text(GW_STR("{\"s\":\"x\\u0000y\",\"n\":null,\"t\":true,\"u\":7,"
                                      "\"i\":-1,\"r\":3.0,\"h\":3.5}"),
                               &root),
                     GW_OK);
    assert_int_equal(gw_json_get_text(root, "s").len, 3);
    assert_null(gw_json_get(root, "n"));
    assert_null(gw_json_get_text(root, "t").ptr);
    assert_true(gw_json_get_true(root, "t"));
    assert_false(gw_json_get_true(root, "u"));
    assert_int_equal(gw_json_get_u64(root, "u", 9), 7);
    assert_int_equal(gw_json_get_u64(root, "i", 9), 9);
    assert_int_equal(gw_json_get_u64(root, "r", 9), 3);
    assert_int_equal(gw_json_get_u64(root, "h", 9), 9);
    assert_int_equal(gw_json_get_u64(NULL, "h", 9), 9);
    assert_null(gw_json_get(NULL, "s"));
}

static void test_a_reader_reads_again(void **state)
{
    (void)state;
    static char big[200000];
    yyjson_val *root = NULL;
    memset(big, 'x', sizeof(big));
    big[0] = '"';
    big[sizeof(big) - 1] = '"';
    for (int i = 0; i < 100; i++) {
        assert_int_equal(read_text(GW_STR("[1,2,3]"), &root), GW_OK);
        assert_int_equal(yyjson_arr_size(root), 3);
        assert_int_equal(read_text(gw_str(big, sizeof(big)), &root), GW_OK);
        assert_int_equal(gw_json_text(root).len, sizeof(big) - 2);
        assert_int_equal(read_text(GW_STR("[1,"), &root), GW_ERR_INVALID);
        assert_null(root);
    }
}

/* The most values per byte of text that there can be: the kept memory must do. */
static void test_dense_documents_fit(void **state)
{
    (void)state;
    static char dense[8192];
    yyjson_val *root = NULL;
    for (size_t i = 0; i + 1 < sizeof(dense); i++) {
        dense[i] = i % 2 == 0 ? '[' : '1';
    }
    for (size_t i = 1; i + 1 < sizeof(dense); i++) {
        dense[i] = i % 2 == 1 ? '1' : ',';
    }
    dense[sizeof(dense) - 1] = ']';
    dense[sizeof(dense) - 2] = '1';
    dense[sizeof(dense) - 3] = '1';
    assert_int_equal(read_text(gw_str(dense, sizeof(dense)), &root), GW_OK);
    assert_true(yyjson_arr_size(root) > 4000);
}

static void test_limits(void **state)
{
    (void)state;
    char deep[2 * (GW_JSON_MAX_DEPTH + 2)];
    yyjson_val *root = NULL;
    for (size_t depth = GW_JSON_MAX_DEPTH; depth <= GW_JSON_MAX_DEPTH + 2; depth++) {
        memset(deep, '[', depth);
        memset(deep + depth, ']', depth);
        enum gw_err err = read_text(gw_str(deep, 2 * depth), &root);
        assert_int_equal(err, depth <= GW_JSON_MAX_DEPTH + 1 ? GW_OK : GW_ERR_INVALID);
    }
    reader.max_bytes = 4;
    assert_int_equal(read_text(GW_STR("[1,2]"), &root), GW_ERR_TOO_LARGE);
    reader.max_bytes = 5;
    assert_int_equal(read_text(GW_STR("[1,2]"), &root), GW_OK);
}

static void test_no_memory(void **state)
{
    (void)state;
    yyjson_val *root = NULL;
    gw_alloc_fail_at(1);
    assert_int_equal(read_text(GW_STR("[1]"), &root), GW_ERR_NOMEM);
    gw_alloc_fail_at(0);
    assert_int_equal(read_text(GW_STR("[1]"), &root), GW_OK);
}

static void test_writing(void **state)
{
    (void)state;
    yyjson_val *root = NULL;
    struct gw_buf out;
    gw_buf_init(&out, 1000);
    assert_int_equal(read_text(GW_STR("{ \"b\" : [1.50, 1e2, \"\\u00e9\\n\"], \"a\":{} }"), &root),
                     GW_OK);
    gw_json_write(root, &out);
    gw_json_write_text(GW_STR("q\"\n"), &out);
    assert_int_equal(out.err, GW_OK);
    assert_true(gw_str_eq(gw_buf_str(&out),
                          GW_STR("{\"b\":[1.5,100.0,\"\xc3\xa9\\n\"],\"a\":{}}\"q\\\"\\n\"")));
    gw_alloc_fail_at(1);
    gw_json_write(root, &out);
    gw_alloc_fail_at(0);
    assert_int_equal(out.err, GW_ERR_NOMEM);
    gw_buf_fini(&out);
}

static void assert_object(const char *text, const char *expected, bool expected_valid)
{
    bool is_valid = !expected_valid;
    struct gw_buf out;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(&gw_json_allocator);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    gw_buf_init(&out, 1000);
    assert_true(gw_json_add_object_text(doc, root, "o", gw_str_from_c(text), &is_valid));
    gw_json_write_mut(doc, &out);
    assert_true(gw_str_eq(gw_buf_str(&out), gw_str_from_c(expected)));
    assert_int_equal(is_valid, expected_valid);
    gw_buf_fini(&out);
    yyjson_mut_doc_free(doc);
}

static void test_objects_are_put_in_verbatim(void **state)
{
    (void)state;
    assert_object("{\"x\": 1.50}", "{\"o\":{\"x\": 1.50}}", true);
    assert_object("  {}\n", "{\"o\":{}}", true);
    assert_object("", "{\"o\":{}}", false);
    assert_object("[1]", "{\"o\":{}}", false);
    assert_object("{\"x\":1},\"y\":{}", "{\"o\":{}}", false);
    assert_object("{\"x\":", "{\"o\":{}}", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_members, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_reader_reads_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dense_documents_fit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_writing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_objects_are_put_in_verbatim, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
