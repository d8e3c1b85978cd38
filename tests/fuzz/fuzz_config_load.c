/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_config_load - a whole configuration from a text: all or nothing, what comes out is
 * complete, no message shows a secret, and what loads still loads when it was imported.
 */
#include <string.h>

#include "config/load_int.h"
#include "fuzz_target.h"
#include "provider/provider.h"

#define SECRET "fuzz-s3cret"

static const char *const environment[] = {"OPENAI_API_KEY=" SECRET, "GROQ_API_KEY=g",
                                          "HTTPS_PROXY=http://u:" SECRET "@p:1", "SET=value", NULL};

static bool contains(struct gw_str text, struct gw_str part)
{
    return gw_str_find(text, part) < text.len;
}

static void check_group(const struct gw_snapshot *snapshot, const struct gw_model_group *group)
{
    FUZZ_CHECK(group->name.len > 0 && group->deployment_count > 0);
    for (size_t i = 0; i < group->deployment_count; i++) {
        const struct gw_deployment *deployment = group->deployments[i];
        FUZZ_CHECK(deployment->id.len > 0 && deployment->provider != NULL &&
                   deployment->weight > 0);
        FUZZ_CHECK(gw_str_eq(deployment->provider->name, deployment->provider_name));
        bool is_builtin = deployment->provider->kind == GW_PROVIDER_BUILTIN;
        FUZZ_CHECK((deployment->origin == NULL) == is_builtin);
        if (!is_builtin) {
            FUZZ_CHECK(deployment->origin_index < snapshot->origin_count);
            FUZZ_CHECK(snapshot->origins[deployment->origin_index] == deployment->origin);
            FUZZ_CHECK(deployment->origin->is_tls == (deployment->origin->tls != NULL));
        }
        FUZZ_CHECK(deployment->timeouts.connect_ms > 0 && deployment->timeouts.idle_ms > 0);
        char buf[2 * GW_MODEL_NAME_MAX];
        struct gw_str model = {0};
        FUZZ_CHECK(gw_deployment_model(deployment, GW_STR("suffix"), buf, sizeof(buf), &model) ==
                   GW_OK);
    }
}

static void check_snapshot(const struct gw_snapshot *snapshot)
{
    FUZZ_CHECK(snapshot->listen.workers >= 1 && snapshot->listen.host.len > 0);
    FUZZ_CHECK(snapshot->access.is_open == (snapshot->access.key_count == 0));
    FUZZ_CHECK(gw_catalog_group_count(snapshot->catalog) > 0);
    for (size_t i = 0; i < gw_catalog_group_count(snapshot->catalog); i++) {
        check_group(snapshot, gw_catalog_group(snapshot->catalog, i));
    }
}

/* *is_whole: no model was left out. What is left out may have mistakes that nobody looked at. */
static enum gw_err load(struct gw_str text, bool *is_whole)
{
    *is_whole = true;
    const struct gw_config_input input = {
        .text = text, .path = GW_STR("f.yaml"), .environment = environment};
    struct gw_snapshot *snapshot = NULL;
    struct gw_config_report report;
    enum gw_err err = gw_config_load_text(&input, &snapshot, &report);
    FUZZ_CHECK((err == GW_OK) == (snapshot != NULL));
    FUZZ_CHECK((err == GW_OK) == (report.error_count == 0));
    for (size_t i = 0; i < report.count; i++) {
        FUZZ_CHECK(!contains(report.issues[i].message, GW_STR(SECRET)) ||
                   contains(text, GW_STR("s3cret")));
        *is_whole = *is_whole && !contains(report.issues[i].message, GW_STR("is left out"));
    }
    if (err == GW_OK) {
        check_snapshot(snapshot);
    }
    gw_snapshot_release(&snapshot);
    gw_config_report_fini(&report);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct gw_str text = gw_str((const char *)bytes, size);
    struct gw_buf out;
    struct gw_buf findings;
    if (contains(text, GW_STR("/dev/"))) {
        return 0; /* a certificate file that never ends */
    }
    gw_buf_init(&out, 64u << 20);
    gw_buf_init(&findings, 64u << 20);
    bool is_whole = false;
    enum gw_err err = load(text, &is_whole);
    if (gw_config_import_text(text, GW_STR("f.yaml"), &out, &findings) == GW_OK && err == GW_OK &&
        is_whole) {
        FUZZ_CHECK(load(gw_buf_str(&out), &is_whole) == GW_OK);
    }
    gw_buf_fini(&out);
    gw_buf_fini(&findings);
    return 0;
}
