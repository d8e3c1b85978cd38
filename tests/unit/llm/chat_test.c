/* SPDX-License-Identifier: MIT */
/* llm/chat: roles, parts in all shapes clients send, data URLs. */
#include "llm/chat.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "json/value.h"

static struct gw_json_reader reader;

static yyjson_val *read_json(const char *text)
{
    yyjson_val *root = NULL;
    assert_int_equal(gw_json_read(&reader, gw_str_from_c(text), &root), GW_OK);
    return root;
}

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

static void test_roles(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        enum gw_role role;
    } cases[] = {
        {"{\"role\":\"user\"}", GW_ROLE_USER},
        {"{\"role\":\"assistant\"}", GW_ROLE_ASSISTANT},
        {"{\"role\":\"system\"}", GW_ROLE_SYSTEM},
        {"{\"role\":\"developer\"}", GW_ROLE_SYSTEM},
        {"{\"role\":\"tool\"}", GW_ROLE_TOOL},
        {"{\"role\":\"function\"}", GW_ROLE_TOOL},
        {"{\"role\":\"critic\"}", GW_ROLE_OTHER},
        {"{\"role\":7}", GW_ROLE_OTHER},
        {"[]", GW_ROLE_OTHER},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        assert_int_equal(gw_chat_role(read_json(cases[i].json)), cases[i].role);
    }
}

static void test_max_tokens(void **state)
{
    (void)state;
    assert_int_equal(gw_chat_max_tokens(read_json("{\"max_tokens\":5}")), 5);
    assert_int_equal(
        gw_chat_max_tokens(read_json("{\"max_tokens\":5,\"max_completion_tokens\":9}")), 9);
    assert_int_equal(
        gw_chat_max_tokens(read_json("{\"max_tokens\":5,\"max_completion_tokens\":null}")), 5);
    assert_int_equal(gw_chat_max_tokens(read_json("{\"max_tokens\":-5}")), 0);
    assert_int_equal(gw_chat_max_tokens(read_json("{\"max_tokens\":16.0}")), 16);
    assert_int_equal(gw_chat_max_tokens(read_json("{\"max_tokens\":1e300}")), 0);
}

/* Types and texts of all parts, as "type=text;". */
static void assert_parts(const char *content, const char *expected)
{
    char seen[200] = "";
    size_t len = 0;
    struct gw_chat_parts parts = gw_chat_parts_of(content != NULL ? read_json(content) : NULL);
    struct gw_chat_part part;
    while (gw_chat_parts_next(&parts, &part)) {
        len += (size_t)snprintf(seen + len, sizeof(seen) - len, GW_STR_FMT "=" GW_STR_FMT ";",
                                GW_STR_ARG(part.type), GW_STR_ARG(part.text));
    }
    assert_string_equal(seen, expected);
}

static void test_parts(void **state)
{
    (void)state;
    assert_parts(NULL, "");
    assert_parts("null", "");
    assert_parts("7", "");
    assert_parts("\"\"", "text=;");
    assert_parts("\"hi\"", "text=hi;");
    assert_parts("[]", "");
    assert_parts("[{\"type\":\"text\",\"text\":\"a\"},\"b\",{\"type\":\"image_url\"},{}]",
                 "text=a;text=b;image_url=;=;");
    assert_parts("[{\"type\":\"text\"}]", "text=;");
}

static void test_data_urls(void **state)
{
    (void)state;
    struct gw_data_url url;
    assert_true(gw_data_url_split(GW_STR("data:image/png;base64,AA=="), &url));
    assert_true(gw_str_eq(url.mime_type, GW_STR("image/png")));
    assert_true(gw_str_eq(url.base64, GW_STR("AA==")));
    assert_true(gw_data_url_split(GW_STR("DATA:text/plain;charset=utf-8;BASE64,"), &url));
    assert_true(gw_str_eq(url.mime_type, GW_STR("text/plain")));
    assert_int_equal(url.base64.len, 0);
    assert_false(gw_data_url_split(GW_STR("data:text/plain,hello;base64,AA"), &url));
    assert_false(gw_data_url_split(GW_STR("data:,"), &url));
    assert_false(gw_data_url_split(GW_STR("data:image/png"), &url));
    assert_false(gw_data_url_split(GW_STR("https://a.example/b.png"), &url));
    assert_false(gw_data_url_split(GW_STR(""), &url));
}

static void test_image_urls(void **state)
{
    (void)state;
    assert_true(gw_str_eq(gw_chat_image_url(read_json("{\"image_url\":\"u\"}")), GW_STR("u")));
    assert_true(
        gw_str_eq(gw_chat_image_url(read_json("{\"image_url\":{\"url\":\"u\"}}")), GW_STR("u")));
    assert_null(gw_chat_image_url(read_json("{\"image_url\":{}}")).ptr);
    assert_null(gw_chat_image_url(read_json("{}")).ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_roles, setup, teardown),
        cmocka_unit_test_setup_teardown(test_max_tokens, setup, teardown),
        cmocka_unit_test_setup_teardown(test_parts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_data_urls, setup, teardown),
        cmocka_unit_test_setup_teardown(test_image_urls, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
