/* SPDX-License-Identifier: MIT */
/* net/address - literals in and out, and what the kernel fills in. */
#include "net/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void formats_what_it_parsed(void **state)
{
    (void)state;
    static const struct {
        const char *literal;
        uint16_t port;
        const char *whole;
        const char *host;
        bool is_loopback;
    } cases[] = {
        {"1.2.3.4", 80, "1.2.3.4:80", "1.2.3.4", false},
        {"127.0.0.1", 8080, "127.0.0.1:8080", "127.0.0.1", true},
        {"127.255.0.9", 0, "127.255.0.9:0", "127.255.0.9", true},
        {"128.0.0.1", 65535, "128.0.0.1:65535", "128.0.0.1", false},
        {"0.0.0.0", 1, "0.0.0.0:1", "0.0.0.0", false},
        {"::1", 443, "[::1]:443", "::1", true},
        {"::", 443, "[::]:443", "::", false},
        {"2001:DB8::0:1", 1, "[2001:db8::1]:1", "2001:db8::1", false},
        {"::ffff:127.0.0.1", 1, "[::ffff:127.0.0.1]:1", "::ffff:127.0.0.1", true},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535,
         "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_address address;
        char text[GW_ADDRESS_TEXT_BYTES];
        assert_int_equal(
            gw_address_from_literal(gw_str_from_c(cases[i].literal), cases[i].port, &address),
            GW_OK);
        gw_address_format(&address, text);
        assert_string_equal(text, cases[i].whole);
        gw_address_format_host(&address, text);
        assert_string_equal(text, cases[i].host);
        assert_int_equal(gw_address_port(&address), cases[i].port);
        assert_int_equal(gw_address_is_loopback(&address), cases[i].is_loopback);
        gw_address_set_port(&address, 4711);
        assert_int_equal(gw_address_port(&address), 4711);
    }
}

static void refuses_what_is_no_literal(void **state)
{
    (void)state;
    static const struct gw_str cases[] = {
        GW_STR_INIT(""),
        GW_STR_INIT("localhost"),
        GW_STR_INIT("1.2.3"),
        GW_STR_INIT("1.2.3.4.5"),
        GW_STR_INIT("256.1.1.1"),
        GW_STR_INIT("01.2.3.4"),
        GW_STR_INIT("1.2.3.4 "),
        GW_STR_INIT("1.2.3.4\0"),
        GW_STR_INIT("1.2.3.4\0x"),
        GW_STR_INIT("[::1]"),
        GW_STR_INIT(":::"),
        GW_STR_INIT("fe80::1%eth0"),
        GW_STR_INIT("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555"),
        GW_STR_INIT("0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"),
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_address address;
        assert_int_equal(gw_address_from_literal(cases[i], 1, &address), GW_ERR_INVALID);
    }
}

static void takes_unix_paths_up_to_the_limit(void **state)
{
    (void)state;
    char path[108];
    char expected[GW_ADDRESS_TEXT_BYTES];
    char text[GW_ADDRESS_TEXT_BYTES];
    struct gw_address address;
    memset(path, 'p', sizeof(path));
    assert_int_equal(gw_address_from_unix(gw_str(path, 107), &address), GW_OK);
    gw_address_format(&address, text);
    (void)snprintf(expected, sizeof(expected), "unix:%.107s", path);
    assert_string_equal(text, expected);
    gw_address_format_host(&address, text);
    assert_string_equal(text, expected);
    assert_true(gw_address_is_loopback(&address));
    assert_int_equal(gw_address_port(&address), 0);
    gw_address_set_port(&address, 1); /* means nothing, and changes nothing */
    gw_address_format(&address, text);
    assert_string_equal(text, expected);

    assert_int_equal(gw_address_from_unix(gw_str(path, 108), &address), GW_ERR_TOO_LARGE);
    assert_int_equal(gw_address_from_unix(gw_str(path, 0), &address), GW_ERR_INVALID);
    assert_int_equal(gw_address_from_unix(GW_STR("a\0b"), &address), GW_ERR_INVALID);
}

static void formats_what_the_kernel_leaves_open(void **state)
{
    (void)state;
    char text[GW_ADDRESS_TEXT_BYTES];
    /* The peer of an accepted Unix socket has a family and nothing else. */
    struct gw_address address = {.len = sizeof(sa_family_t)};
    address.u.any.sa_family = AF_UNIX;
    gw_address_format(&address, text);
    assert_string_equal(text, "unix:");
    /* A path that fills sun_path has no NUL. */
    address.len = sizeof(struct sockaddr_un);
    memset(address.u.path.sun_path, 'x', sizeof(address.u.path.sun_path));
    gw_address_format(&address, text);
    assert_int_equal(strlen(text), 5 + sizeof(address.u.path.sun_path));
    /* A family we know nothing of. */
    address.u.any.sa_family = AF_NETLINK;
    gw_address_format(&address, text);
    assert_string_equal(text, "unknown");
    assert_false(gw_address_is_loopback(&address));
    assert_int_equal(gw_address_port(&address), 0);
}

static void unmaps_only_mapped_addresses(void **state)
{
    (void)state;
    static const struct {
        const char *literal;
        const char *text;
    } cases[] = {
        {"::ffff:10.1.2.3", "10.1.2.3:99"},
        {"::1", "[::1]:99"},
        {"10.1.2.3", "10.1.2.3:99"},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(cases); i++) {
        struct gw_address address;
        char text[GW_ADDRESS_TEXT_BYTES];
        assert_int_equal(gw_address_from_literal(gw_str_from_c(cases[i].literal), 99, &address),
                         GW_OK);
        gw_address_unmap(&address);
        gw_address_format(&address, text);
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_what_it_parsed),
        cmocka_unit_test(refuses_what_is_no_literal),
        cmocka_unit_test(takes_unix_paths_up_to_the_limit),
        cmocka_unit_test(formats_what_the_kernel_leaves_open),
        cmocka_unit_test(unmaps_only_mapped_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
