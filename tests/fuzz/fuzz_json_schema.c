/* SPDX-License-Identifier: MIT */
/*
 * fuzz/fuzz_json_schema - a schema and an instance, a NUL byte between them. Whatever they are:
 * compile and check end, the verdict is the same with and without a report, and each error names a
 * place that exists.
 */
#include <string.h>
#include <yyjson.h>

#include "base/arena.h"
#include "fuzz_target.h"
#include "json/schema.h"

static void check_error(yyjson_val *instance, const struct gw_schema_error *error)
{
    FUZZ_CHECK(error->message.len > 0);
    FUZZ_CHECK(error->instance != NULL);
    yyjson_val *found =
        yyjson_ptr_getn(instance, error->instance_path.ptr, error->instance_path.len);
    FUZZ_CHECK(found != NULL);
    /* Where a name stands twice the pointer leads to the first; where a name is wrong the instance
     * is the name. */
    if (found != error->instance) {
        FUZZ_CHECK(error->instance_path.len > 0);
    }
}

static void check_instance(const struct gw_schema *schema, yyjson_val *instance)
{
    static struct gw_schema_report report;
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 4096, 1 << 20);
    bool verdict = gw_schema_check(schema, instance, NULL, NULL);
    bool reported = gw_schema_check(schema, instance, &arena, &report);
    /* A report needs more work than a verdict, so only that may end early. */
    FUZZ_CHECK(verdict == reported || (verdict && report.total_count > 0));
    FUZZ_CHECK(reported == (report.total_count == 0));
    FUZZ_CHECK(report.count <= report.total_count && report.count <= GW_SCHEMA_MAX_ERRORS);
    for (size_t i = 0; i < report.count; i++) {
        check_error(instance, &report.errors[i]);
    }
    gw_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const uint8_t *cut = size > 0 ? memchr(bytes, '\0', size) : NULL;
    size_t schema_size = cut != NULL ? (size_t)(cut - bytes) : size;
    yyjson_doc *schema_doc = yyjson_read((const char *)bytes, schema_size, 0);
    if (schema_doc == NULL) {
        return 0;
    }
    yyjson_doc *doc =
        cut != NULL ? yyjson_read((const char *)cut + 1, size - schema_size - 1, 0) : NULL;
    struct gw_schema_opts opts = {.assert_format = true};
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 4096, 1 << 20);
    struct gw_schema *schema = NULL;
    struct gw_str message = gw_str(NULL, 0);
    enum gw_err err =
        gw_schema_create(yyjson_doc_get_root(schema_doc), &opts, &arena, &schema, &message);
    FUZZ_CHECK((err == GW_OK) == (schema != NULL));
    FUZZ_CHECK(err == GW_OK || message.len > 0);
    if (err == GW_OK) {
        /* The schema itself is an instance too, and often a fitting one. */
        check_instance(schema, yyjson_doc_get_root(doc != NULL ? doc : schema_doc));
    }
    gw_schema_destroy(&schema);
    gw_arena_fini(&arena);
    yyjson_doc_free(doc);
    yyjson_doc_free(schema_doc);
    return 0;
}
