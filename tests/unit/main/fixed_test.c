/* SPDX-License-Identifier: MIT */
/* main/fixed - which settings a reload cannot bring into force, by name. */
#include "main/fixed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct gw_snapshot started(void)
{
    return (struct gw_snapshot){
        .listen = {.workers = 2,
                   .host = GW_STR("127.0.0.1"),
                   .host_is_default = true,
                   .api_port = 8080,
                   .admin_port = 8081,
                   .metrics_port = 9090,
                   .grpc_port = 50051,
                   .admin_enabled = true,
                   .metrics_enabled = true},
        .upstream = {.max_idle_per_origin = 512, .idle_timeout_ms = 60000, .dns_refresh_ms = 30000},
        .log = {.access_log = GW_STR("-")},
    };
}

/* |fresh| after the start with started(): the names that are told must be |expected|. */
static void assert_changes(const struct gw_snapshot *fresh, const char *expected)
{
    struct gw_snapshot start = started();
    struct gw_fixed_settings fixed;
    struct gw_arena arena;
    struct gw_buf names;
    gw_arena_init(&arena, NULL, 0, 256, 4096);
    gw_buf_init(&names, 4096);
    assert_int_equal(gw_fixed_remember(&start, &arena, &fixed), GW_OK);
    memset(&start, 0, sizeof(start)); /* the first configuration goes with the first reload */
    assert_int_equal(gw_fixed_write_changes(&fixed, fresh, &names), strlen(expected) > 0);
    assert_int_equal(gw_buf_str(&names).len, strlen(expected));
    assert_memory_equal(gw_buf_str(&names).ptr == NULL ? "" : gw_buf_str(&names).ptr, expected,
                        strlen(expected));
    gw_buf_fini(&names);
    gw_arena_fini(&arena);
}

static void test_nothing_changed(void **state)
{
    (void)state;
    struct gw_snapshot fresh = started();
    assert_changes(&fresh, "");
    fresh.log.level = GW_LOG_DEBUG; /* taken over */
    fresh.downstream.idle_timeout_ms = 1;
    assert_changes(&fresh, "");
}

static void test_each_has_a_name(void **state)
{
    (void)state;
    struct gw_snapshot fresh = started();
    fresh.listen.workers = 3;
    assert_changes(&fresh, "server.workers");
    fresh = started();
    fresh.listen.api_port = 1;
    assert_changes(&fresh, "server.port");
    fresh = started();
    fresh.upstream.max_idle_per_origin = 1;
    assert_changes(&fresh, "upstream.max_idle_connections");
    fresh = started();
    fresh.upstream.idle_timeout_ms = 1;
    assert_changes(&fresh, "upstream.keepalive_idle");
    fresh = started();
    fresh.upstream.dns_refresh_ms = 1;
    assert_changes(&fresh, "upstream.dns_refresh");
    fresh = started();
    fresh.log.access_log = GW_STR("/var/log/gatewire.log");
    assert_changes(&fresh, "logging.access_log");
    fresh.log.access_log = GW_STR("");
    assert_changes(&fresh, "logging.access_log");
}

static void test_several_are_told_at_once(void **state)
{
    (void)state;
    struct gw_snapshot fresh = started();
    fresh.listen.metrics_port = 1;
    fresh.upstream.dns_refresh_ms = 1;
    fresh.log.access_log = GW_STR("x");
    assert_changes(&fresh, "server.metrics_port, upstream.dns_refresh, logging.access_log");
}

static void test_hosts(void **state)
{
    (void)state;
    struct gw_snapshot fresh = started();
    fresh.listen.host = GW_STR("0.0.0.0"); /* by the first key */
    assert_changes(&fresh, "");
    fresh.listen.host_is_default = false;
    assert_changes(&fresh, "server.host");
    fresh.listen.host = GW_STR("127.0.0.1");
    assert_changes(&fresh, "");
}

static void test_listeners_that_are_off(void **state)
{
    (void)state;
    struct gw_snapshot fresh = started();
    fresh.listen.admin_enabled = false;
    assert_changes(&fresh, "server.admin_port");
    fresh = started();
    fresh.listen.metrics_enabled = false;
    fresh.listen.metrics_port = 0;
    assert_changes(&fresh, "server.metrics_port");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_changed),          cmocka_unit_test(test_each_has_a_name),
        cmocka_unit_test(test_several_are_told_at_once), cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_listeners_that_are_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
