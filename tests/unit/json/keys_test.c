/* SPDX-License-Identifier: MIT */
/* json/keys - which members are reported, and that nothing outside the text is touched. */
#include "json/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"

/* Writes "key=first bytes of the value;" for each member. */
static void on_key(void *user, struct gw_str key, struct gw_str value)
{
    bool is_string = value.ptr[0] == '"';
    (void)gw_buf_append(user, key);
    (void)gw_buf_append(user, GW_STR("="));
    (void)gw_buf_append(user, is_string ? value : gw_str(value.ptr, 1));
    (void)gw_buf_append(user, GW_STR(";"));
}

static void assert_keys(const char *text, const char *expected)
{
    struct gw_buf found;
    gw_buf_init(&found, 4096);
    /* A copy of exactly that size, so that AddressSanitizer sees a read behind it. */
    size_t len = strlen(text);
    char *copy = gw_alloc(len);
    memcpy(copy, text, len);
    gw_json_keys(gw_str(copy, len), on_key, &found);
    assert_int_equal(found.len, strlen(expected));
    assert_memory_equal(found.ptr, expected, found.len);
    gw_free(copy);
    gw_buf_fini(&found);
}

static void test_members(void **state)
{
    (void)state;
    assert_keys("{\"a\":1,\"b\":\"x\",\"c\":{\"d\":[\"e\",{\"f\":null}]}}",
                "a=1;b=\"x\";c={;d=[;f=n;");
    assert_keys(" { \"a\" \t:\n \"b\" } ", "a=\"b\";");
    assert_keys("[\"a\",\"b\"]", "");
    assert_keys("\"a\":1", "a=1;");
}

static void test_escapes(void **state)
{
    (void)state;
    assert_keys("{\"a\":\"x\\\"y\\\":\\\\\",\"b\":2}", "a=\"x\\\"y\\\":\\\\\";b=2;");
    assert_keys("{\"text\":\"say \\\"usage\\\":{}\",\"k\":true}",
                "text=\"say \\\"usage\\\":{}\";k=t;");
    assert_keys("{\"a\\\\\":1}", "a\\\\=1;");
}

static void test_what_is_no_json(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",       "x",       "\"",        "\"a",           "\"a\"",    "\"a\" ",
        "\"a\":", "\"a\": ", "\"a\":\"b", "\"a\":\"b\\\"", "\\\\\\\"", "{\"a\"::::\"b"};
    for (size_t i = 0; i < GW_ARRAY_LEN(texts); i++) {
        struct gw_buf found;
        gw_buf_init(&found, 4096);
        size_t len = strlen(texts[i]);
        char *copy = gw_alloc(len);
        memcpy(copy, texts[i], len);
        gw_json_keys(gw_str(copy, len), on_key, &found);
        gw_free(copy);
        gw_buf_fini(&found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members),
        cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_what_is_no_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
