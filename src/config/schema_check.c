/* SPDX-License-Identifier: MIT */
/* config/schema_check - see the header. */
#include "config/schema_check_int.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "config/config.h"
#include "json/schema.h"

extern const char gw_config_schema_json[];
extern const size_t gw_config_schema_json_len;

#define SCHEMA_ARENA_BYTES (4u << 20)

/* A key that this version does not use; told once, however often it is there. */
struct later_key {
    yyjson_val *known; /* its schema: tells it from others of the same name */
    yyjson_val *key;   /* where it was first */
    size_t count;
    struct later_key *next;
};

/* Values that nothing depends on. */
struct unused_range {
    size_t begin;
    size_t end;
    struct unused_range *next;
};

struct check {
    const struct gw_config_context *context;
    struct gw_config_walk walk;
    struct later_key *later;
    struct unused_range *unused;
};

struct gw_str gw_config_schema_text(void)
{
    return gw_str(gw_config_schema_json, gw_config_schema_json_len);
}

yyjson_doc *gw_config_schema_document(void)
{
    union {
        const char *from;
        char *to;
    } text = {.from = gw_config_schema_json}; /* only read: no in-situ flag */
    return yyjson_read_opts(text.to, gw_config_schema_json_len, 0, &gw_config_json_allocator, NULL);
}

static enum gw_err note_later(struct check *check, yyjson_val *key, yyjson_val *known)
{
    struct later_key **at = &check->later;
    while (*at != NULL && (*at)->known != known) {
        at = &(*at)->next;
    }
    if (*at != NULL) {
        (*at)->count++;
        return GW_OK;
    }
    *at = gw_arena_try_alloc(check->context->scratch, sizeof(**at));
    if (*at == NULL) {
        return GW_ERR_NOMEM;
    }
    **at = (struct later_key){.known = known, .key = key, .count = 1};
    return GW_OK;
}

static enum gw_err note_unused(struct check *check, yyjson_val *value)
{
    struct unused_range *range = gw_arena_try_alloc(check->context->scratch, sizeof(*range));
    if (range == NULL) {
        return GW_ERR_NOMEM;
    }
    *range = (struct unused_range){
        .begin = gw_config_index(check->context->document, value),
        .end = gw_config_index_end(check->context->document, value),
        .next = check->unused,
    };
    check->unused = range;
    return GW_OK;
}

static enum gw_err on_key(void *user, enum gw_config_use use, yyjson_val *key, yyjson_val *value,
                          yyjson_val *known)
{
    struct check *check = user;
    if (use == GW_CONFIG_USED) {
        return GW_OK;
    }
    enum gw_err err = note_unused(check, value);
    if (use == GW_CONFIG_LATER) {
        return err == GW_OK ? note_later(check, key, known) : err;
    }
    if (gw_report_is_full(check->context->report)) {
        return err;
    }
    struct gw_str nearest = gw_config_nearest_key(&check->walk, known, gw_config_text(key));
    bool is_error = use == GW_CONFIG_REFUSED;
    const char *text = is_error ? "unknown key" : "unknown key, ignored";
    if (nearest.len > 0) {
        gw_config_complain(check->context, is_error, key, "%s; did you mean \"" GW_STR_FMT "\"?",
                           text, GW_STR_ARG(nearest));
    } else {
        gw_config_complain(check->context, is_error, key, "%s", text);
    }
    return err;
}

static void report_later(const struct check *check)
{
    for (const struct later_key *later = check->later; later != NULL; later = later->next) {
        if (later->count == 1) {
            gw_config_complain(check->context, false, later->key, "not used by this version");
        } else {
            gw_config_complain(check->context, false, later->key,
                               "not used by this version (here and in %zu other places)",
                               later->count - 1);
        }
    }
}

static bool is_below(const struct gw_config_context *context, const char *path, size_t index)
{
    yyjson_val *value = gw_config_get(context->document, path);
    return value != NULL && index >= gw_config_index(context->document, value) &&
           index < gw_config_index_end(context->document, value);
}

/* What depends on the variable has said so already, or nothing does. */
static bool is_settled(const struct check *check, size_t index)
{
    static const char *const lists[] = {"model_list", "deployments", "credential_list"};
    for (size_t i = 0; i < GW_ARRAY_LEN(lists); i++) {
        if (is_below(check->context, lists[i], index)) {
            return true;
        }
    }
    for (const struct unused_range *range = check->unused; range != NULL; range = range->next) {
        if (index >= range->begin && index < range->end) {
            return true;
        }
    }
    return false;
}

static void report_unresolved(const struct check *check)
{
    const struct gw_config_document *document = check->context->document;
    for (size_t i = 0; i < document->unresolved_count; i++) {
        const struct gw_config_unresolved *item = &document->unresolved[i];
        if (is_settled(check, item->index)) {
            continue;
        }
        yyjson_val *value = yyjson_doc_get_root(document->json) + item->index;
        gw_config_complain_unresolved(check->context, value, item);
    }
}

/* "model_name, litellm_params": what a map lacks. */
static struct gw_str missing_keys(const struct check *check, yyjson_val *schema, yyjson_val *value)
{
    struct gw_buf names;
    gw_buf_init(&names, 1024);
    size_t index = 0;
    size_t max = 0;
    yyjson_val *name = NULL;
    yyjson_val *target = yyjson_obj_get(schema, "required");
    if (target == NULL) {
        struct gw_str ref = gw_config_text(yyjson_obj_get(schema, "$ref"));
        struct gw_str def = gw_str_skip(ref, sizeof("#/$defs/") - 1);
        yyjson_val *defs = yyjson_obj_get(check->walk.schema, "$defs");
        target = yyjson_obj_get(yyjson_obj_getn(defs, def.ptr == NULL ? "" : def.ptr, def.len),
                                "required");
    }
    yyjson_arr_foreach(target, index, max, name)
    {
        if (yyjson_obj_getn(value, yyjson_get_str(name), yyjson_get_len(name)) == NULL) {
            (void)gw_buf_appendf(&names, "%s%s", names.len > 0 ? ", " : "", yyjson_get_str(name));
        }
    }
    struct gw_str text = gw_arena_try_dup(check->context->scratch, gw_buf_str(&names));
    gw_buf_fini(&names);
    return text;
}

static void report_violation(const struct check *check, const struct gw_schema_error *error)
{
    const struct gw_config_document *document = check->context->document;
    yyjson_val *root = yyjson_doc_get_root(document->json);
    size_t index = (size_t)(error->instance - root);
    yyjson_val *value = root + index;
    yyjson_val *schema = check->walk.described_by[index];
    /* Unknown keys are warnings, and "key:" means that the key is not there. */
    if (yyjson_is_null(value) || gw_config_find_unresolved(document, value) != NULL ||
        schema == NULL || gw_str_eq(error->keyword, GW_STR("additionalProperties"))) {
        return;
    }
    if (gw_str_eq(error->keyword, GW_STR("required"))) {
        struct gw_str names = missing_keys(check, schema, value);
        gw_config_complain(check->context, true, value, "needs " GW_STR_FMT, GW_STR_ARG(names));
        return;
    }
    struct gw_str expected = gw_config_expected(&check->walk, schema);
    struct gw_str found = gw_config_describe(check->context, value);
    gw_config_complain(check->context, true, value, "expected " GW_STR_FMT ", found " GW_STR_FMT,
                       GW_STR_ARG(expected.len > 0 ? expected : GW_STR("something else")),
                       GW_STR_ARG(found));
}

static enum gw_err validate(const struct check *check)
{
    struct gw_schema_report *report = gw_try_alloc(sizeof(*report));
    struct gw_schema *schema = NULL;
    struct gw_str message = {0};
    struct gw_arena arena;
    gw_arena_init(&arena, NULL, 0, 64u << 10, SCHEMA_ARENA_BYTES);
    const struct gw_schema_opts opts = {.base_uri = gw_str("", 0)};
    enum gw_err err = report == NULL
                          ? GW_ERR_NOMEM
                          : gw_schema_create(check->walk.schema, &opts, &arena, &schema, &message);
    yyjson_val *root = yyjson_doc_get_root(check->context->document->json);
    if (err == GW_OK && !gw_schema_check(schema, root, &arena, report)) {
        for (size_t i = 0; i < report->count; i++) {
            report_violation(check, &report->errors[i]);
        }
    }
    gw_schema_destroy(&schema);
    gw_arena_fini(&arena);
    gw_free(report);
    return err;
}

enum gw_err gw_config_check(const struct gw_config_context *context)
{
    size_t bytes = context->document->count * sizeof(yyjson_val *);
    yyjson_doc *schema = gw_config_schema_document();
    struct check check = {.context = context};
    check.walk = (struct gw_config_walk){
        .schema = yyjson_doc_get_root(schema),
        .visit = on_key,
        .user = &check,
        .described_by = gw_try_alloc(bytes),
        .document = context->document,
    };
    enum gw_err err = schema == NULL || check.walk.described_by == NULL ? GW_ERR_NOMEM : GW_OK;
    if (err == GW_OK) {
        memset(check.walk.described_by, 0, bytes);
        err = gw_config_walk(&check.walk);
    }
    if (err == GW_OK) {
        report_later(&check);
        report_unresolved(&check);
        err = validate(&check);
    }
    gw_free(check.walk.described_by);
    yyjson_doc_free(schema);
    return err;
}
