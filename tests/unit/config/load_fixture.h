/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/config/load_fixture - loads configurations from texts and looks into the result.
 *
 * Source:   none
 * Shape:    one snapshot and one report per test; include after cmocka's needs.
 * Units:    none
 * Limits:   none
 * Memory:   fixture_reset() frees
 * Threads:  one
 * Errors:   fail the test
 */
#ifndef GW_TESTS_CONFIG_LOAD_FIXTURE_H
#define GW_TESTS_CONFIG_LOAD_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/compiler.h"
#include "config/load_int.h"
#include "provider/provider.h"

static struct gw_snapshot *snapshot;
static struct gw_config_report report;
static bool has_report;

static inline void fixture_reset(void)
{
    gw_snapshot_release(&snapshot);
    if (has_report) {
        gw_config_report_fini(&report);
    }
    has_report = false;
}

static int GW_UNUSED fixture_teardown(void **state)
{
    (void)state;
    fixture_reset();
    return 0;
}

/* |environment|: "NAME=value" strings, NULL behind the last, or NULL. */
static enum gw_err GW_UNUSED load(const char *yaml, const char *const *environment)
{
    fixture_reset();
    const struct gw_config_input input = {
        .text = gw_str_from_c(yaml), .path = GW_STR("t.yaml"), .environment = environment};
    enum gw_err err = gw_config_load_text(&input, &snapshot, &report);
    has_report = true;
    assert_int_equal(err == GW_OK, snapshot != NULL);
    assert_int_equal(err == GW_OK, report.error_count == 0);
    return err;
}

static inline void print_report(void)
{
    for (size_t i = 0; i < report.count; i++) {
        const struct gw_config_issue *issue = &report.issues[i];
        print_message("%s %.*s:%u %.*s: %.*s\n", issue->is_error ? "error" : "warning",
                      GW_STR_ARG(issue->file), issue->line, GW_STR_ARG(issue->key_path),
                      GW_STR_ARG(issue->message));
    }
}

/* The configuration must be good, with |warnings| warnings. */
static void GW_UNUSED assert_good(const char *yaml, const char *const *environment, size_t warnings)
{
    if (load(yaml, environment) != GW_OK || report.count != warnings) {
        print_report();
        fail_msg("expected no error and %zu warnings: %s", warnings, yaml);
    }
}

/* There must be a finding in |line| about |key_path| that contains |words|. */
static void GW_UNUSED assert_finding(bool is_error, unsigned line, const char *key_path,
                                     const char *words)
{
    for (size_t i = 0; i < report.count; i++) {
        const struct gw_config_issue *issue = &report.issues[i];
        if (issue->is_error == is_error && issue->line == line &&
            gw_str_eq(issue->key_path, gw_str_from_c(key_path)) &&
            gw_str_find(issue->message, gw_str_from_c(words)) < issue->message.len) {
            return;
        }
    }
    print_report();
    fail_msg("expected a%s in line %u about %s: %s", is_error ? "n error" : " warning", line,
             key_path, words);
}

/* One error and nothing else. */
static void GW_UNUSED assert_bad(const char *yaml, const char *const *environment, unsigned line,
                                 const char *key_path, const char *words)
{
    assert_int_equal(load(yaml, environment), GW_ERR_INVALID);
    assert_finding(true, line, key_path, words);
    if (report.error_count != 1) {
        print_report();
        fail_msg("expected one error, got %zu", report.error_count);
    }
}

static void GW_UNUSED assert_text(struct gw_str actual, const char *expected)
{
    if (!gw_str_eq(actual, gw_str_from_c(expected))) {
        fail_msg("\"%.*s\" is not \"%s\"", GW_STR_ARG(actual), expected);
    }
}

/* Deployment number |index| that serves |model|. */
static GW_UNUSED const struct gw_deployment *deployment_of(const char *model, size_t index)
{
    struct gw_str suffix = {0};
    const struct gw_model_group *group =
        gw_catalog_find(snapshot->catalog, gw_str_from_c(model), &suffix);
    if (group == NULL || index >= group->deployment_count) {
        fail_msg("no deployment %zu of %s", index, model);
    }
    return group->deployments[index];
}

/* How many deployments serve |model|; 0 when nobody knows it. */
static size_t GW_UNUSED deployments_of(const char *model)
{
    struct gw_str suffix = {0};
    const struct gw_model_group *group =
        gw_catalog_find(snapshot->catalog, gw_str_from_c(model), &suffix);
    return group == NULL ? 0 : group->deployment_count;
}

/* What the vendor is asked for when a client asks for |model|. */
static void GW_UNUSED assert_upstream(const char *model, const char *provider, const char *upstream)
{
    struct gw_str suffix = {0};
    const struct gw_model_group *group =
        gw_catalog_find(snapshot->catalog, gw_str_from_c(model), &suffix);
    assert_non_null(group);
    char buf[2 * GW_MODEL_NAME_MAX];
    struct gw_str name = {0};
    assert_int_equal(gw_deployment_model(group->deployments[0], suffix, buf, sizeof(buf), &name),
                     GW_OK);
    assert_text(name, upstream);
    assert_text(group->deployments[0]->provider->name, provider);
    assert_text(group->deployments[0]->provider_name, provider);
}

#endif
