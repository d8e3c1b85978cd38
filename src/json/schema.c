/* SPDX-License-Identifier: MIT */
/* json/schema - the two doors: compiling a schema, checking an instance. */
#include "json/schema.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "json/scan.h"
#include "json/schema_check.h"
#include "json/schema_compile.h"

#define ARENA_BLOCK_BYTES 16384 /* some 25 nodes */

enum gw_err gw_schema_create(yyjson_val *root, const struct gw_schema_opts *opts,
                             struct gw_arena *arena, struct gw_schema **out, struct gw_str *message)
{
    static const struct gw_schema_opts defaults = {.assert_format = false};
    struct gw_schema *schema = gw_zalloc(sizeof(*schema));
    struct gw_schema_compiler *compiler = gw_zalloc(sizeof(*compiler));
    gw_arena_init(&schema->arena, NULL, 0, ARENA_BLOCK_BYTES, GW_SCHEMA_MAX_BYTES);
    *compiler = (struct gw_schema_compiler){
        .schema = schema, .opts = opts != NULL ? opts : &defaults, .message_arena = arena};
    struct gw_str base_uri = compiler->opts->base_uri;
    if (base_uri.ptr == NULL) {
        base_uri = GW_STR("");
    }
    struct gw_schema_resource *resource = gw_schema_add_document(compiler, base_uri, root);
    if (resource != NULL) {
        schema->root = resource->root;
        gw_schema_resolve_pending(compiler);
    }
    enum gw_err err = compiler->err;
    if (err == GW_OK) {
        *out = schema;
    } else {
        *message = compiler->message;
        gw_schema_destroy(&schema);
    }
    gw_free(compiler);
    return err;
}

void gw_schema_destroy(struct gw_schema **schema)
{
    if (*schema == NULL) {
        return;
    }
    for (struct gw_schema_pattern *pattern = (*schema)->patterns; pattern != NULL;
         pattern = pattern->next) {
        gw_schema_regex_destroy(&pattern->regex);
    }
    for (struct gw_schema_copy *copy = (*schema)->copies; copy != NULL; copy = copy->next) {
        yyjson_doc_free(copy->doc);
    }
    gw_arena_fini(&(*schema)->arena);
    gw_free(*schema);
    *schema = NULL;
}

bool gw_schema_check(const struct gw_schema *schema, yyjson_val *instance, struct gw_arena *arena,
                     struct gw_schema_report *report)
{
    GW_ASSERT(report == NULL || arena != NULL);
    if (report != NULL) {
        report->count = 0;
        report->total_count = 0;
    }
    struct gw_schema_checking check = {
        .report = report,
        .arena = arena,
        .mode = report != NULL ? GW_SCHEMA_REPORT : GW_SCHEMA_VERDICT,
        .allowance = {.steps = GW_SCHEMA_MAX_STEPS},
    };
    struct gw_schema_frame outermost = {.node = schema->root, .value = instance};
    bool is_valid = false;
    if (gw_schema_is_too_deep(instance, GW_JSON_MAX_DEPTH)) {
        (void)gw_schema_abort(&check, &outermost, "is nested too deeply");
    } else {
        is_valid = gw_schema_apply(&check, NULL, schema->root, instance, NULL, NULL);
    }
    gw_schema_matcher_destroy(&check.matcher);
    gw_free(check.words);
    return is_valid && !check.is_aborted;
}
