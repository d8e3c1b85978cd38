/* SPDX-License-Identifier: MIT */
/* obs/prometheus - the page is well-formed, sums over workers, and histograms are cumulative. */
#include "obs/prometheus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "config/config.h"
#include "loop/loop.h"

#define CORES 2

struct fixture {
    struct gw_loop *loops[CORES];
    struct gw_core *cores[CORES];
    struct gw_token_estimates *estimates;
    struct gw_deployment_registry *deployments;
    struct gw_buf page;
};

static void on_settled(void *user, const struct gw_request_record *record)
{
    (void)user;
    (void)record;
}

static int setup(void **state)
{
    static struct fixture fixture;
    struct gw_config_source source = {0};
    struct gw_config_report report = {0};
    struct gw_snapshot *snapshot = NULL;
    assert_int_equal(gw_config_load(&source, &snapshot, &report), GW_OK);
    gw_config_report_fini(&report);
    fixture.estimates = gw_token_estimates_create();
    fixture.deployments = gw_deployment_registry_create();
    for (size_t i = 0; i < CORES; i++) {
        assert_int_equal(gw_loop_create(&fixture.loops[i]), GW_OK);
        struct gw_core_opts opts = {.loop = fixture.loops[i],
                                    .snapshot = gw_snapshot_acquire(snapshot),
                                    .estimates = fixture.estimates,
                                    .deployments = fixture.deployments,
                                    .on_settled = on_settled};
        fixture.cores[i] = gw_core_create(&opts);
    }
    gw_snapshot_release(&snapshot);
    gw_buf_init(&fixture.page, 1u << 20);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    for (size_t i = 0; i < CORES; i++) {
        gw_core_destroy(&fixture->cores[i]);
        gw_loop_destroy(&fixture->loops[i]);
    }
    gw_deployment_registry_destroy(&fixture->deployments);
    gw_token_estimates_destroy(&fixture->estimates);
    gw_buf_fini(&fixture->page);
    return 0;
}

/* What a core counts is its own to write; a test may. */
static struct gw_counters *counters_of(struct fixture *fixture, size_t index)
{
    return (struct gw_counters *)(uintptr_t)gw_core_counters(fixture->cores[index]);
}

static void write_page(struct fixture *fixture)
{
    const struct gw_core *cores[CORES] = {fixture->cores[0], fixture->cores[1]};
    struct gw_process_metrics process = {
        .started_wall_ms = 1700000000042, .reloads_total = 3, .is_open_mode = true};
    gw_buf_reset(&fixture->page);
    gw_prometheus_write(cores, CORES, &process, &fixture->page);
    assert_int_equal(fixture->page.err, GW_OK);
}

/* Is |line| on the page, whole? */
static bool has_line(const struct fixture *fixture, const char *line)
{
    struct gw_str rest = gw_buf_str(&fixture->page);
    struct gw_str found;
    while (gw_str_split(&rest, '\n', &found)) {
        if (gw_str_eq(found, gw_str_from_c(line))) {
            return true;
        }
    }
    return false;
}

static void test_sums_over_workers(void **state)
{
    struct fixture *fixture = *state;
    gw_counter_add(&counters_of(fixture, 0)->in_flight, 3);
    gw_counter_add(&counters_of(fixture, 1)->in_flight, 4);
    gw_counter_sub(&counters_of(fixture, 1)->in_flight, 1);
    gw_counter_add(&counters_of(fixture, 0)->requests_total[GW_TASK_CHAT][2], 10);
    gw_counter_add(&counters_of(fixture, 1)->requests_total[GW_TASK_CHAT][2], 5);
    gw_counter_add(&counters_of(fixture, 1)->requests_total[GW_TASK_LOCAL][0], 1);
    gw_counter_add(&counters_of(fixture, 1)->errors_total[GW_ERROR_UPSTREAM], 2);
    gw_counter_add(&counters_of(fixture, 0)->upstream_failures_total[GW_PHASE_BODY], 6);
    gw_counter_add(&counters_of(fixture, 0)->upstream_statuses_total[5], 7);
    write_page(fixture);
    assert_true(has_line(fixture, "gatewire_requests_in_flight 6"));
    assert_true(has_line(fixture, "gatewire_requests_total{task=\"chat\",status=\"2xx\"} 15"));
    assert_true(has_line(fixture, "gatewire_requests_total{task=\"local\",status=\"0xx\"} 1"));
    assert_true(has_line(fixture, "gatewire_errors_total{class=\"upstream\"} 2"));
    assert_true(has_line(fixture, "gatewire_upstream_failures_total{phase=\"response body\"} 6"));
    assert_true(has_line(fixture, "gatewire_upstream_responses_total{status=\"5xx\"} 7"));
    assert_true(has_line(fixture, "gatewire_start_time_seconds 1700000000.042"));
    assert_true(has_line(fixture, "gatewire_open_mode 1"));
    assert_true(has_line(fixture, "gatewire_reloads_total 3"));
}

#define BUCKET(bound) "gatewire_request_duration_seconds_bucket{task=\"chat\",le=\"" bound "\"} "

static void test_histograms_are_cumulative(void **state)
{
    struct fixture *fixture = *state;
    gw_histogram_add(&counters_of(fixture, 0)->duration[GW_TASK_CHAT], 0);
    gw_histogram_add(&counters_of(fixture, 0)->duration[GW_TASK_CHAT], 1000);
    gw_histogram_add(&counters_of(fixture, 1)->duration[GW_TASK_CHAT], 1001);
    gw_histogram_add(&counters_of(fixture, 1)->duration[GW_TASK_CHAT], 2500000);
    gw_histogram_add(&counters_of(fixture, 1)->duration[GW_TASK_CHAT], 999000000);
    write_page(fixture);
    assert_true(has_line(fixture, BUCKET("0.001") "2"));
    assert_true(has_line(fixture, BUCKET("0.002") "3"));
    assert_true(has_line(fixture, BUCKET("1.000") "3"));
    assert_true(has_line(fixture, BUCKET("2.500") "4"));
    assert_true(has_line(fixture, BUCKET("300.000") "4"));
    assert_true(has_line(fixture, BUCKET("+Inf") "5"));
    assert_true(
        has_line(fixture, "gatewire_request_duration_seconds_sum{task=\"chat\"} 1001.502001"));
    assert_true(has_line(fixture, "gatewire_request_duration_seconds_count{task=\"chat\"} 5"));
    assert_int_equal(gw_str_find(gw_buf_str(&fixture->page), GW_STR("_bucket{task=\"image\"")),
                     fixture->page.len);
}

/* Each sample behind the TYPE of its family, each family once: scrapers refuse the page else. */
static void test_page_is_well_formed(void **state)
{
    struct fixture *fixture = *state;
    write_page(fixture);
    assert_true(fixture->page.ptr[fixture->page.len - 1] == '\n');
    struct gw_str rest = gw_buf_str(&fixture->page);
    struct gw_str line;
    struct gw_str family = {0};
    unsigned families = 0;
    while (gw_str_split(&rest, '\n', &line) && line.ptr != NULL) {
        if (gw_str_has_prefix(line, GW_STR("# TYPE "))) {
            struct gw_str all = gw_buf_str(&fixture->page);
            struct gw_str words = gw_str_skip(line, sizeof("# TYPE ") - 1);
            size_t first = gw_str_find(all, line);
            assert_true(gw_str_split(&words, ' ', &family));
            struct gw_str behind = gw_str_skip(all, first + line.len);
            assert_int_equal(gw_str_find(behind, gw_str(line.ptr, line.len - words.len)),
                             behind.len);
            families++;
        } else if (line.len > 0 && line.ptr[0] != '#') {
            assert_true(gw_str_has_prefix(line, family));
            assert_true(gw_str_find_byte(line, ' ') < line.len);
        }
    }
    assert_true(families > 30);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_sums_over_workers),
        TEST(test_histograms_are_cumulative),
        TEST(test_page_is_well_formed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
