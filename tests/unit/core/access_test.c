/* SPDX-License-Identifier: MIT */
/* core/access - where keys stand, and which hosts an open gateway answers for. */
#include "core/access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/compiler.h"

static void assert_key(const struct gw_header *fields, size_t count, const char *expected)
{
    struct gw_request_head head = {.headers = fields, .header_count = count};
    struct gw_str key = gw_access_key(&head);
    assert_int_equal(key.len, strlen(expected));
    assert_memory_equal(key.ptr == NULL ? "" : key.ptr, expected, key.len);
}

static struct gw_header field(enum gw_header_id id, const char *value)
{
    return (struct gw_header){.name = gw_header_name(id), .value = gw_str_from_c(value), .id = id};
}

static void test_fields_that_carry_keys(void **state)
{
    (void)state;
    const struct gw_header bearer = field(GW_HEADER_AUTHORIZATION, "Bearer k1");
    const struct gw_header lower = field(GW_HEADER_AUTHORIZATION, "bearer  k2");
    const struct gw_header upper = field(GW_HEADER_AUTHORIZATION, "BEARER k3");
    const struct gw_header x_api_key = field(GW_HEADER_X_API_KEY, "k4");
    const struct gw_header api_key = field(GW_HEADER_API_KEY, "k5");
    assert_key(&bearer, 1, "k1");
    assert_key(&lower, 1, "k2");
    assert_key(&upper, 1, "k3");
    assert_key(&x_api_key, 1, "k4");
    assert_key(&api_key, 1, "k5");
}

static void test_order_of_fields(void **state)
{
    (void)state;
    const struct gw_header fields[] = {
        field(GW_HEADER_API_KEY, "azure"),
        field(GW_HEADER_X_API_KEY, "anthropic"),
        field(GW_HEADER_AUTHORIZATION, "Basic dTpw"),
    };
    assert_key(fields, 3, "anthropic");
    assert_key(fields, 1, "azure");
    assert_key(fields + 2, 1, "");
    assert_key(fields, 0, "");
    const struct gw_header empty = field(GW_HEADER_AUTHORIZATION, "Bearer");
    assert_key(&empty, 1, "");
}

static void test_keys(void **state)
{
    (void)state;
    struct gw_secret *old = gw_secret_create(GW_STR("old"));
    struct gw_secret *fresh = gw_secret_create(GW_STR("new"));
    const struct gw_secret *keys[] = {old, fresh};
    struct gw_access_settings access = {.keys = keys, .key_count = 2};
    assert_true(gw_access_is_granted(&access, GW_STR("old")));
    assert_true(gw_access_is_granted(&access, GW_STR("new")));
    assert_false(gw_access_is_granted(&access, GW_STR("newer")));
    assert_false(gw_access_is_granted(&access, GW_STR("")));
    access = (struct gw_access_settings){.is_open = true};
    assert_true(gw_access_is_granted(&access, GW_STR("any")));
    assert_true(gw_access_is_granted(&access, GW_STR("")));
    gw_secret_destroy(&old);
    gw_secret_destroy(&fresh);
}

static const char *const nobodys[] = {
    "",
    "127.0.0.1",
    "127.0.0.1:8080",
    "192.168.1.20:8080",
    "[::1]",
    "[::1]:8080",
    "[fd00::12]:8080",
    "localhost",
    "LOCALHOST:8080",
    "localhost.:8080",
    "gw.localhost:8080",
    "gatewire",
    "gatewire:8080",
    "my_service-1:8080",
    "host.docker.internal:8080",
    "HOST.Docker.Internal.:8080",
};

static const char *const sites[] = {
    "evil.example",
    "evil.example:8080",
    "evil.example.",
    "127.0.0.1.evil.example:8080",
    "localhost.evil.example:8080",
    "gatewire.evil.example",
    "evillocalhost.example",
    "evil.internal.example",
    "x.notlocalhost",
    "127.0.0.1.nip.io",
    "127.1",
    ".localhost.example",
    "mymac.local:8080",
    "gatewire.default.svc.cluster.local",
    "[evil.example]",
    "[evil.example",
};

static void test_hosts_in_open_mode(void **state)
{
    (void)state;
    struct gw_access_settings access = {.is_open = true};
    for (size_t i = 0; i < GW_ARRAY_LEN(nobodys); i++) {
        if (!gw_access_serves_host(&access, gw_str_from_c(nobodys[i]))) {
            fail_msg("'%s' can belong to no site", nobodys[i]);
        }
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(sites); i++) {
        if (gw_access_serves_host(&access, gw_str_from_c(sites[i]))) {
            fail_msg("'%s' can belong to a site", sites[i]);
        }
    }
}

static void test_named_hosts(void **state)
{
    (void)state;
    struct gw_access_settings access = {.is_open = true,
                                        .allowed_hosts = GW_STR("gw.example.com, mymac.local")};
    assert_true(gw_access_serves_host(&access, GW_STR("gw.example.com")));
    assert_true(gw_access_serves_host(&access, GW_STR("GW.example.com:443")));
    assert_true(gw_access_serves_host(&access, GW_STR("mymac.local.:8080")));
    assert_false(gw_access_serves_host(&access, GW_STR("x.gw.example.com")));
    assert_false(gw_access_serves_host(&access, GW_STR("example.com")));
    access.allowed_hosts = GW_STR("*");
    assert_true(gw_access_serves_host(&access, GW_STR("evil.example")));
}

static void test_a_key_makes_hosts_unimportant(void **state)
{
    (void)state;
    struct gw_access_settings access = {.is_open = false};
    for (size_t i = 0; i < GW_ARRAY_LEN(sites); i++) {
        assert_true(gw_access_serves_host(&access, gw_str_from_c(sites[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_that_carry_keys),
        cmocka_unit_test(test_order_of_fields),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_hosts_in_open_mode),
        cmocka_unit_test(test_named_hosts),
        cmocka_unit_test(test_a_key_makes_hosts_unimportant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
