/* SPDX-License-Identifier: MIT */
/* llm/custom_tools - functions in place of custom tools, and the input they stand for. */
#include "llm/custom_tools.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "json/value.h"

static const char chat[] =
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"},{\"role\":\"assistant\","
    "\"content\":null,\"tool_calls\":[{\"id\":\"c1\",\"type\":\"custom\",\"custom\":{\"name\":"
    "\"p\","
    "\"input\":\"a\\n\\\"b\\\"\"}},{\"id\":\"c2\",\"type\":\"function\",\"function\":{\"name\":"
    "\"f\","
    "\"arguments\":\"{}\"}}]}],\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}},{"
    "\"type\":\"custom\",\"custom\":{\"name\":\"p\",\"description\":\"Patch.\",\"format\":{"
    "\"type\":"
    "\"grammar\",\"grammar\":{\"syntax\":\"lark\",\"definition\":\"start: "
    "x\"}}}}],\"tool_choice\":{"
    "\"type\":\"custom\",\"custom\":{\"name\":\"p\"}},\"temperature\":1}";

static const char lowered_chat[] =
    "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"},{\"role\":\"assistant\","
    "\"content\":null,\"tool_calls\":[{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":"
    "\"p\",\"arguments\":\"{\\\"input\\\":\\\"a\\\\n\\\\\\\"b\\\\\\\"\\\"}\"}},{\"id\":\"c2\","
    "\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]}],\"tools\":[{"
    "\"type\":\"function\",\"function\":{\"name\":\"f\"}},{\"type\":\"function\",\"function\":{"
    "\"name\":\"p\",\"description\":\"Patch.\\n\\nThe input must follow this lark "
    "grammar:\\nstart: "
    "x\",\"parameters\":{\"type\":\"object\",\"properties\":{\"input\":{\"type\":\"string\","
    "\"description\":\"The whole input of the tool as plain text.\"}},\"required\":[\"input\"],"
    "\"additionalProperties\":false}}}],\"tool_choice\":{\"type\":\"function\",\"function\":{"
    "\"name\":\"p\"}},\"temperature\":1}";

static yyjson_doc *read(const char *text)
{
    yyjson_doc *doc = yyjson_read(text, strlen(text), 0);
    assert_non_null(doc);
    return doc;
}

static void assert_lowered(const char *given, const char *expected)
{
    struct gw_buf text;
    yyjson_doc *doc = read(given);
    yyjson_doc *lowered = NULL;
    gw_buf_init(&text, 1 << 16);
    assert_int_equal(gw_custom_tools_lower(yyjson_doc_get_root(doc), &lowered), GW_OK);
    gw_json_write(yyjson_doc_get_root(lowered), &text);
    (void)gw_buf_append_byte(&text, '\0');
    assert_string_equal(text.ptr, expected);
    gw_buf_fini(&text);
    yyjson_doc_free(lowered);
    yyjson_doc_free(doc);
}

static void test_lower(void **state)
{
    (void)state;
    assert_lowered(chat, lowered_chat);
    assert_lowered(lowered_chat, lowered_chat);
    assert_lowered("{\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":"
                   "\"auto\",\"tools\":[{\"type\":\"custom\",\"custom\":{\"name\":\"p\"}}]}}}",
                   "{\"tool_choice\":{\"type\":\"allowed_tools\",\"allowed_tools\":{\"mode\":"
                   "\"auto\",\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"p\"}}]}}}");
    assert_lowered("{\"tool_choice\":\"auto\",\"tools\":7,\"messages\":{}}",
                   "{\"tool_choice\":\"auto\",\"tools\":[],\"messages\":[]}");
}

static void test_questions(void **state)
{
    yyjson_doc *doc = read(chat);
    yyjson_doc *other = read(lowered_chat);
    yyjson_val *root = yyjson_doc_get_root(doc);
    (void)state;
    assert_true(gw_is_custom_tool(root, GW_STR("p")));
    assert_false(gw_is_custom_tool(root, GW_STR("f")));
    assert_false(gw_is_custom_tool(root, GW_STR("")));
    assert_false(gw_is_custom_tool(NULL, GW_STR("p")));
    assert_true(gw_has_custom_tools(root));
    assert_false(gw_has_custom_tools(yyjson_doc_get_root(other)));
    yyjson_doc_free(doc);
    yyjson_doc_free(other);
}

static void test_input(void **state)
{
    static const struct {
        struct gw_str arguments;
        struct gw_str input;
    } cases[] = {
        {GW_STR_INIT("{\"input\":\"a\\n\"}"), GW_STR_INIT("a\n")},
        {GW_STR_INIT("{\"input\":\"\"}"), GW_STR_INIT("")},
        {GW_STR_INIT("*** Begin Patch"), GW_STR_INIT("*** Begin Patch")},
        {GW_STR_INIT("{\"patch\":\"a\"}"), GW_STR_INIT("{\"patch\":\"a\"}")},
        {GW_STR_INIT(""), GW_STR_INIT("")},
    };
    (void)state;
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_buf out;
        gw_buf_init(&out, 1024);
        gw_custom_tool_input(cases[i].arguments, &out);
        assert_int_equal(out.err, GW_OK);
        assert_true(gw_str_eq(gw_buf_str(&out), cases[i].input));
        gw_buf_fini(&out);
    }
}

static void test_no_memory(void **state)
{
    yyjson_doc *doc = read(chat);
    (void)state;
    for (uint64_t nth = 1; nth < 30; nth++) {
        yyjson_doc *lowered = NULL;
        gw_alloc_fail_at(nth);
        enum gw_err err = gw_custom_tools_lower(yyjson_doc_get_root(doc), &lowered);
        gw_alloc_fail_at(0);
        assert_true(err == GW_ERR_NOMEM || (err == GW_OK && lowered != NULL));
        yyjson_doc_free(lowered);
    }
    yyjson_doc_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lower),
        cmocka_unit_test(test_questions),
        cmocka_unit_test(test_input),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
