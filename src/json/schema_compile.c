/* SPDX-License-Identifier: MIT */
/* json/schema_compile - copies documents and walks their subschemas. */
#include "json/schema_compile.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "json/scan.h"
#include "json/schema_uri.h"

void *gw_schema_refuse(struct gw_schema_compiler *compiler, struct gw_str where, const char *format,
                       ...)
{
    if (compiler->err == GW_OK) {
        char text[300];
        va_list args;
        va_start(args, format);
        vsnprintf(text, sizeof(text), format, args);
        va_end(args);
        compiler->err = GW_ERR_INVALID;
        compiler->message =
            gw_arena_printf(compiler->message_arena, GW_STR_FMT ": %s", GW_STR_ARG(where), text);
    }
    return NULL;
}

static void *no_memory(struct gw_schema_compiler *compiler)
{
    if (compiler->err == GW_OK) {
        compiler->err = GW_ERR_NOMEM;
        compiler->message = GW_STR("not enough memory for the schema");
    }
    return NULL;
}

void *gw_schema_new(struct gw_schema_compiler *compiler, size_t size)
{
    void *block = gw_arena_try_alloc(&compiler->schema->arena, size);
    return block != NULL ? memset(block, 0, size) : no_memory(compiler);
}

struct gw_str gw_schema_step(struct gw_schema_compiler *compiler, struct gw_str where,
                             struct gw_str name)
{
    /* Each byte of the name may become two. */
    char *text = gw_schema_new(compiler, where.len + 1 + 2 * name.len);
    if (text == NULL) {
        return where;
    }
    memcpy(text, where.ptr, where.len);
    size_t len = where.len;
    text[len++] = '/';
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (c == '~' || c == '/') {
            text[len++] = '~';
            c = c == '~' ? '0' : '1';
        }
        text[len++] = c;
    }
    return gw_str(text, len);
}

struct gw_str gw_schema_step_index(struct gw_schema_compiler *compiler, struct gw_str where,
                                   size_t index)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%zu", index);
    return gw_schema_step(compiler, where, gw_str(digits, (size_t)len));
}

/* Gives the resource the URI of "$id", if it has one. */
static bool read_id(struct gw_schema_compiler *compiler, struct gw_schema_resource *resource,
                    yyjson_val *value, struct gw_str where)
{
    yyjson_val *id = yyjson_obj_get(value, "$id");
    if (id == NULL) {
        return true;
    }
    if (!yyjson_is_str(id)) {
        gw_schema_refuse(compiler, where, "\"$id\" must be a string");
        return false;
    }
    struct gw_schema_uri parts = gw_schema_uri_split(gw_schema_text(id));
    if (parts.fragment.len > 0) {
        gw_schema_refuse(compiler, where, "\"$id\" must not have a fragment");
        return false;
    }
    struct gw_str uri =
        gw_schema_uri_resolve(&compiler->schema->arena, resource->uri, gw_schema_text(id));
    if (uri.ptr == NULL) {
        no_memory(compiler);
        return false;
    }
    resource->uri = uri;
    return true;
}

/* Learns from "$schema" which keywords mean something. */
static bool read_dialect(struct gw_schema_compiler *compiler, struct gw_schema_resource *resource,
                         yyjson_val *value, struct gw_str where)
{
    yyjson_val *dialect = yyjson_obj_get(value, "$schema");
    if (dialect == NULL) {
        return true;
    }
    if (!yyjson_is_str(dialect)) {
        gw_schema_refuse(compiler, where, "\"$schema\" must be a string");
        return false;
    }
    resource->vocabularies = gw_schema_vocabularies_of(compiler, gw_schema_text(dialect), where);
    return resource->vocabularies != 0;
}

/* A resource that begins at |value|, seen from the resource around it (which may be NULL, then
 * |uri| is its place). */
static struct gw_schema_resource *begin_resource(struct gw_schema_compiler *compiler,
                                                 const struct gw_schema_resource *around,
                                                 struct gw_str uri, yyjson_val *value,
                                                 struct gw_str where)
{
    struct gw_schema_resource *resource = gw_schema_new(compiler, sizeof(*resource));
    if (resource == NULL) {
        return NULL;
    }
    resource->uri = around != NULL ? around->uri : uri;
    resource->vocabularies = GW_SCHEMA_CORE | GW_SCHEMA_APPLICATOR | GW_SCHEMA_UNEVALUATED |
                             GW_SCHEMA_VALIDATION | GW_SCHEMA_ANNOTATION;
    if (around != NULL) {
        resource->vocabularies = around->vocabularies;
    }
    if (yyjson_is_obj(value) && (!read_id(compiler, resource, value, where) ||
                                 !read_dialect(compiler, resource, value, where))) {
        return NULL;
    }
    return resource;
}

static void read_keywords(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                          yyjson_val *value)
{
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *member = NULL;
    node->kind = GW_SCHEMA_KEYWORDS;
    yyjson_obj_foreach(value, index, max, key, member)
    {
        gw_schema_read_keyword(compiler, node, gw_schema_text(key), member);
    }
}

/* Fills |node| from |value|, the current resource being the one it belongs to. */
static void fill_node(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                      yyjson_val *value)
{
    struct gw_schema_copy *copy = compiler->copy;
    copy->nodes[value - yyjson_doc_get_root(copy->doc)] = node;
    if (yyjson_is_bool(value)) {
        node->kind = yyjson_get_bool(value) ? GW_SCHEMA_ANYTHING : GW_SCHEMA_NOTHING;
    } else if (yyjson_is_obj(value)) {
        read_keywords(compiler, node, value);
    } else {
        gw_schema_refuse(compiler, node->where, "a schema must be an object, true or false");
    }
}

static struct gw_schema_node *compile_resource(struct gw_schema_compiler *compiler,
                                               struct gw_schema_resource *resource,
                                               yyjson_val *value, struct gw_str where)
{
    struct gw_schema_resource *around = compiler->resource;
    struct gw_schema_node *node = gw_schema_new(compiler, sizeof(*node));
    if (node != NULL) {
        compiler->resource = resource;
        node->resource = resource;
        node->where = where;
        resource->root = node;
        resource->copy = compiler->copy;
        resource->value = value;
        gw_schema_add_target(compiler, resource, resource->uri, GW_STR(""), node, false);
        fill_node(compiler, node, value);
        compiler->resource = around;
    }
    return node;
}

struct gw_schema_node *gw_schema_compile_value(struct gw_schema_compiler *compiler,
                                               yyjson_val *value, struct gw_str where)
{
    struct gw_schema_node *node = NULL;
    if (compiler->err != GW_OK) {
        return NULL;
    }
    if (compiler->depth >= GW_JSON_MAX_DEPTH) {
        compiler->err = GW_ERR_TOO_DEEP;
        compiler->message = GW_STR("the schema is nested too deeply");
        return NULL;
    }
    compiler->depth++;
    if (yyjson_is_obj(value) && yyjson_obj_get(value, "$id") != NULL) {
        struct gw_schema_resource *resource =
            begin_resource(compiler, compiler->resource, GW_STR(""), value, where);
        if (resource != NULL) {
            node = compile_resource(compiler, resource, value, where);
        }
    } else {
        node = gw_schema_new(compiler, sizeof(*node));
        if (node != NULL) {
            node->resource = compiler->resource;
            node->where = where;
            fill_node(compiler, node, value);
        }
    }
    compiler->depth--;
    return compiler->err == GW_OK ? node : NULL;
}

static void *yy_alloc(void *user, size_t size)
{
    (void)user;
    return gw_try_alloc(size);
}

static void *yy_realloc(void *user, void *block, size_t old_size, size_t size)
{
    (void)user;
    (void)old_size;
    return gw_try_realloc(block, size);
}

static void yy_free(void *user, void *block)
{
    (void)user;
    gw_free(block);
}

/* A copy of our own: through the text, because that needs no recursion. */
static yyjson_doc *copy_document(struct gw_schema_compiler *compiler, yyjson_val *root)
{
    const yyjson_alc memory = {
        .malloc = yy_alloc, .realloc = yy_realloc, .free = yy_free, .ctx = NULL};
    size_t len = 0;
    yyjson_write_err write_error = {0};
    char *text = yyjson_val_write_opts(root, 0, &memory, &len, &write_error);
    if (text == NULL) {
        if (write_error.code == YYJSON_WRITE_ERROR_MEMORY_ALLOCATION) {
            return no_memory(compiler);
        }
        return gw_schema_refuse(compiler, GW_STR("#"), "the schema is not JSON");
    }
    yyjson_read_err read_error = {0};
    yyjson_doc *doc = yyjson_read_opts(text, len, 0, &memory, &read_error);
    gw_free(text);
    return doc != NULL ? doc : no_memory(compiler);
}

static struct gw_schema_copy *add_copy(struct gw_schema_compiler *compiler, yyjson_val *root)
{
    if (gw_schema_is_too_deep(root, GW_JSON_MAX_DEPTH)) {
        compiler->err = GW_ERR_TOO_DEEP;
        compiler->message = GW_STR("the schema is nested too deeply");
        return NULL;
    }
    struct gw_schema_copy *copy = gw_schema_new(compiler, sizeof(*copy));
    if (copy == NULL) {
        return NULL;
    }
    copy->doc = copy_document(compiler, root);
    if (copy->doc == NULL) {
        return NULL;
    }
    copy->next = compiler->schema->copies;
    compiler->schema->copies = copy; /* from here on it is freed with the schema */
    copy->value_count = yyjson_doc_get_val_count(copy->doc);
    copy->nodes = gw_schema_new(compiler, copy->value_count * sizeof(copy->nodes[0]));
    return copy->nodes != NULL ? copy : NULL;
}

struct gw_schema_resource *gw_schema_add_document(struct gw_schema_compiler *compiler,
                                                  struct gw_str uri, yyjson_val *root)
{
    struct gw_schema_copy *copy = add_copy(compiler, root);
    if (copy == NULL) {
        return NULL;
    }
    struct gw_schema_copy *around = compiler->copy;
    yyjson_val *value = yyjson_doc_get_root(copy->doc);
    compiler->copy = copy;
    struct gw_schema_resource *resource = begin_resource(compiler, NULL, uri, value, GW_STR("#"));
    if (resource != NULL) {
        struct gw_schema_node *node = compile_resource(compiler, resource, value, GW_STR("#"));
        if (node != NULL && !gw_str_eq(uri, resource->uri)) {
            gw_schema_add_target(compiler, resource, uri, GW_STR(""), node, false);
        }
    }
    compiler->copy = around;
    return compiler->err == GW_OK ? resource : NULL;
}
