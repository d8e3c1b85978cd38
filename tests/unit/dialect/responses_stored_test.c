/* SPDX-License-Identifier: MIT */
/* dialect/responses_stored - joining conversations, listing items. */
#include "dialect/responses.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_out(struct gw_buf *out, const char *expected)
{
    (void)gw_buf_append_byte(out, '\0');
    assert_int_equal(out->err, GW_OK);
    assert_string_equal(out->ptr, expected);
    gw_buf_fini(out);
}

static void test_input(void **state)
{
    static const struct {
        const char *body;
        const char *items;
    } cases[] = {
        {"{\"input\":\"H\\u0069\"}", "{\"role\":\"user\",\"content\":\"H\\u0069\"}"},
        {"{\"input\": [ {\"a\": 1}, 2 ] }", "{\"a\": 1}, 2"},
        {"{\"input\":[ ]}", ""},
    };
    (void)state;
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_buf out;
        gw_buf_init(&out, 1024);
        assert_int_equal(gw_responses_input(gw_str_from_c(cases[i].body), &out), GW_OK);
        assert_out(&out, cases[i].items);
    }
    struct gw_buf out;
    gw_buf_init(&out, 1024);
    assert_int_equal(gw_responses_input(GW_STR("{\"model\":\"m\"}"), &out), GW_ERR_INVALID);
    assert_int_equal(gw_responses_input(GW_STR("{\"input\":5}"), &out), GW_ERR_INVALID);
    gw_buf_fini(&out);
}

static void test_join(void **state)
{
    static const struct {
        const char *body;
        const char *items;
        const char *joined;
    } cases[] = {
        {"{\"model\":\"m\", \"previous_response_id\":\"r\",\"input\":\"x\",\"temperature\": 1.0}",
         "{\"a\":1},{\"b\":2}",
         "{\"model\":\"m\",\"input\":[{\"a\":1},{\"b\":2},{\"role\":\"user\",\"content\":\"x\"}],"
         "\"temperature\":1.0}"},
        {"{\"previous_response_id\":\"r\",\"input\":[{\"c\":3}]}", "", "{\"input\":[{\"c\":3}]}"},
        {"{\"input\":[],\"x\":{}}", "{\"a\":1}", "{\"input\":[{\"a\":1}],\"x\":{}}"},
        {"{\"model\":\"m\"}", "{\"a\":1}", "{\"model\":\"m\",\"input\":[{\"a\":1}]}"},
    };
    (void)state;
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_buf out;
        gw_buf_init(&out, 1024);
        assert_int_equal(
            gw_responses_join(gw_str_from_c(cases[i].body), gw_str_from_c(cases[i].items), &out),
            GW_OK);
        assert_out(&out, cases[i].joined);
    }
}

#define ITEMS                                                                                      \
    "{\"role\":\"user\",\"content\":\"A\"},{\"type\":\"x\",\"id\":\"i1\",\"n\":null},{\"type\":"   \
    "\"y\"}"

static void test_pages(void **state)
{
    static const struct {
        const char *query;
        const char *page;
    } cases[] = {
        {"order=asc",
         "{\"object\":\"list\",\"data\":[{\"id\":\"item_9_0\",\"type\":\"message\",\"status\":"
         "\"completed\",\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"A\"}]},{"
         "\"id\":\"i1\",\"status\":\"completed\",\"type\":\"x\"},{\"id\":\"item_9_2\",\"status\":"
         "\"completed\",\"type\":\"y\"}],\"first_id\":\"item_9_0\",\"last_id\":\"item_9_2\","
         "\"has_more\":false}"},
        {"limit=1",
         "{\"object\":\"list\",\"data\":[{\"id\":\"item_9_2\",\"status\":\"completed\",\"type\":"
         "\"y\"}],\"first_id\":\"item_9_2\",\"last_id\":\"item_9_2\",\"has_more\":true}"},
        {"limit=1&after=item_9_2&order=desc",
         "{\"object\":\"list\",\"data\":[{\"id\":\"i1\",\"status\":\"completed\",\"type\":\"x\"}],"
         "\"first_id\":\"i1\",\"last_id\":\"i1\",\"has_more\":true}"},
        {"after=item_9_0", "{\"object\":\"list\",\"data\":[],\"first_id\":\"\",\"last_id\":\"\","
                           "\"has_more\":false}"},
    };
    (void)state;
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_buf out;
        gw_buf_init(&out, 4096);
        assert_int_equal(gw_responses_write_items(GW_STR(ITEMS), GW_STR("resp_9"),
                                                  gw_str_from_c(cases[i].query), &out),
                         GW_OK);
        assert_out(&out, cases[i].page);
    }
}

static void test_bad_queries(void **state)
{
    static const char *const queries[] = {"limit=0", "limit=101", "limit=x", "order=up"};
    (void)state;
    for (size_t i = 0; i < GW_ARRAY_LEN(queries); i++) {
        struct gw_buf out;
        gw_buf_init(&out, 4096);
        assert_int_equal(gw_responses_write_items(GW_STR(ITEMS), GW_STR("resp_9"),
                                                  gw_str_from_c(queries[i]), &out),
                         GW_ERR_INVALID);
        assert_int_equal(out.len, 0);
        gw_buf_fini(&out);
    }
}

static void test_deleted(void **state)
{
    struct gw_buf out;
    (void)state;
    gw_buf_init(&out, 256);
    gw_responses_write_deleted(GW_STR("resp_1"), &out);
    assert_out(&out, "{\"id\":\"resp_1\",\"object\":\"response\",\"deleted\":true}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_input),   cmocka_unit_test(test_join),
        cmocka_unit_test(test_pages),   cmocka_unit_test(test_bad_queries),
        cmocka_unit_test(test_deleted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
