/* SPDX-License-Identifier: MIT */
/* config/document - see the header. */
#include "config/document_int.h"

#include <stddef.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "config/interpolate_int.h"

/* In front of each block of the allocator: how much is to be zeroed when it is freed. */
#define PREFIX_BYTES 16 /* keeps the alignment that malloc gives */

static void *zeroing_alloc(void *user, size_t size)
{
    (void)user;
    size_t bytes = 0;
    if (__builtin_add_overflow(size, (size_t)PREFIX_BYTES, &bytes)) {
        return NULL;
    }
    char *block = gw_try_alloc(bytes);
    if (block == NULL) {
        return NULL;
    }
    memcpy(block, &bytes, sizeof(bytes));
    return block + PREFIX_BYTES;
}

static void zeroing_free(void *user, void *ptr)
{
    (void)user;
    if (ptr == NULL) {
        return;
    }
    char *block = (char *)ptr - PREFIX_BYTES;
    size_t bytes = 0;
    memcpy(&bytes, block, sizeof(bytes));
    explicit_bzero(block, bytes);
    gw_free(block);
}

static void *zeroing_realloc(void *user, void *ptr, size_t old_size, size_t size)
{
    void *grown = zeroing_alloc(user, size);
    if (grown != NULL && ptr != NULL) {
        memcpy(grown, ptr, old_size < size ? old_size : size);
        zeroing_free(user, ptr);
    }
    return grown;
}

const yyjson_alc gw_config_json_allocator = {
    .malloc = zeroing_alloc, .realloc = zeroing_realloc, .free = zeroing_free};

struct builder {
    struct gw_config_document *document;
    yyjson_mut_doc *json;
    struct gw_environment *env;
    struct gw_arena *arena;
    size_t capacity;
    size_t unresolved_capacity;
    size_t depth;
};

static enum gw_err add_position(struct builder *builder, const struct gw_yaml_node *node)
{
    struct gw_config_document *document = builder->document;
    if (document->count == GW_YAML_MAX_NODES) {
        return GW_ERR_TOO_LARGE;
    }
    if (document->count == builder->capacity) {
        size_t capacity = builder->capacity == 0 ? 256 : builder->capacity * 2;
        struct gw_config_position *positions =
            gw_try_realloc(document->positions, capacity * sizeof(*positions));
        if (positions == NULL) {
            return GW_ERR_NOMEM;
        }
        document->positions = positions;
        builder->capacity = capacity;
    }
    document->positions[document->count] =
        (struct gw_config_position){.line = node->line, .file = (uint16_t)node->file};
    document->count++;
    return GW_OK;
}

/* Called for the value whose position was added last. */
static enum gw_err add_unresolved(struct builder *builder, struct gw_str name, const char *problem)
{
    struct gw_config_document *document = builder->document;
    if (document->unresolved_count == builder->unresolved_capacity) {
        size_t capacity = builder->unresolved_capacity == 0 ? 8 : builder->unresolved_capacity * 2;
        struct gw_config_unresolved *items =
            gw_try_realloc(document->unresolved, capacity * sizeof(*items));
        if (items == NULL) {
            return GW_ERR_NOMEM;
        }
        document->unresolved = items;
        builder->unresolved_capacity = capacity;
    }
    document->unresolved[document->unresolved_count] = (struct gw_config_unresolved){
        .index = document->count - 1, .name = name, .problem = problem};
    document->unresolved_count++;
    return GW_OK;
}

/* Resolves references in *text. *is_changed: it now holds what came from variables. */
static enum gw_err resolve_references(struct builder *builder, struct gw_str *text,
                                      bool *is_changed)
{
    *is_changed = false;
    if (builder->env == NULL) {
        return GW_OK;
    }
    struct gw_interpolation result;
    enum gw_err err =
        gw_interpolate(*text, gw_environment_lookup, builder->env, builder->arena, &result);
    *is_changed = result.changed;
    if (err == GW_ERR_NOT_FOUND) {
        return add_unresolved(builder, result.missing, NULL);
    }
    if (err == GW_ERR_TOO_DEEP || err == GW_ERR_TOO_LARGE) {
        return add_unresolved(builder, gw_str(NULL, 0),
                              err == GW_ERR_TOO_DEEP ? "defaults nest too deeply"
                                                     : "the value becomes too large");
    }
    *text = result.text;
    return err;
}

static yyjson_mut_val *typed_scalar(struct builder *builder, struct gw_str text)
{
    struct gw_yaml_scalar scalar = gw_yaml_resolve(text);
    switch (scalar.kind) {
    case GW_YAML_IS_NULL:
        return yyjson_mut_null(builder->json);
    case GW_YAML_IS_BOOL:
        return yyjson_mut_bool(builder->json, scalar.boolean);
    case GW_YAML_IS_UINT:
        return yyjson_mut_uint(builder->json, scalar.uint);
    case GW_YAML_IS_SINT:
        return yyjson_mut_sint(builder->json, scalar.sint);
    case GW_YAML_IS_REAL:
        return yyjson_mut_real(builder->json, scalar.real);
    case GW_YAML_IS_TEXT:
        break;
    }
    return yyjson_mut_strn(builder->json, text.ptr, text.len);
}

/* What came from a variable stays text whatever it looks like: a key of digits is no number.
 * Readers of numbers accept them as text. */
static enum gw_err build_scalar(struct builder *builder, const struct gw_yaml_node *node,
                                yyjson_mut_val **out)
{
    struct gw_str text = node->text;
    bool is_interpolated = false;
    enum gw_err err = resolve_references(builder, &text, &is_interpolated);
    if (err != GW_OK) {
        return err;
    }
    builder->document->positions[builder->document->count - 1].is_interpolated = is_interpolated;
    *out = node->type == GW_YAML_TYPE_TEXT || is_interpolated
               ? yyjson_mut_strn(builder->json, text.ptr, text.len)
               : typed_scalar(builder, text);
    return *out == NULL ? GW_ERR_NOMEM : GW_OK;
}

static enum gw_err build(struct builder *builder, const struct gw_yaml_node *node,
                         yyjson_mut_val **out);

static enum gw_err build_map(struct builder *builder, const struct gw_yaml_node *node,
                             yyjson_mut_val *map)
{
    enum gw_err err = GW_OK;
    for (const struct gw_yaml_entry *entry = node->first; entry != NULL && err == GW_OK;
         entry = entry->next) {
        err = add_position(builder, entry->key);
        yyjson_mut_val *key =
            yyjson_mut_strn(builder->json, entry->key->text.ptr, entry->key->text.len);
        yyjson_mut_val *value = NULL;
        if (err == GW_OK) {
            err = build(builder, entry->value, &value);
        }
        if (err == GW_OK && !yyjson_mut_obj_add(map, key, value)) {
            err = GW_ERR_NOMEM;
        }
    }
    return err;
}

static enum gw_err build_list(struct builder *builder, const struct gw_yaml_node *node,
                              yyjson_mut_val *list)
{
    enum gw_err err = GW_OK;
    for (const struct gw_yaml_entry *entry = node->first; entry != NULL && err == GW_OK;
         entry = entry->next) {
        yyjson_mut_val *value = NULL;
        err = build(builder, entry->value, &value);
        if (err == GW_OK && !yyjson_mut_arr_append(list, value)) {
            err = GW_ERR_NOMEM;
        }
    }
    return err;
}

/* Recursion: the parser bounds the depth of what is written, aliases can put that below each other,
 * so it is bounded here again. */
static enum gw_err build(struct builder *builder, const struct gw_yaml_node *node,
                         yyjson_mut_val **out)
{
    enum gw_err err =
        builder->depth > GW_YAML_MAX_DEPTH ? GW_ERR_TOO_DEEP : add_position(builder, node);
    if (err != GW_OK) {
        return err;
    }
    if (node->kind == GW_YAML_SCALAR) {
        return build_scalar(builder, node, out);
    }
    bool is_map = node->kind == GW_YAML_MAP;
    *out = is_map ? yyjson_mut_obj(builder->json) : yyjson_mut_arr(builder->json);
    if (*out == NULL) {
        return GW_ERR_NOMEM;
    }
    builder->depth++;
    err = is_map ? build_map(builder, node, *out) : build_list(builder, node, *out);
    builder->depth--;
    return err;
}

enum gw_err gw_config_document_init(struct gw_config_document *document,
                                    const struct gw_yaml_node *root, struct gw_environment *env,
                                    struct gw_arena *arena)
{
    struct builder builder = {
        .document = document,
        .json = yyjson_mut_doc_new(&gw_config_json_allocator),
        .env = env,
        .arena = arena,
    };
    yyjson_mut_val *value = NULL;
    enum gw_err err = builder.json == NULL ? GW_ERR_NOMEM : build(&builder, root, &value);
    if (err == GW_OK) {
        yyjson_mut_doc_set_root(builder.json, value);
        document->json = yyjson_mut_doc_imut_copy(builder.json, &gw_config_json_allocator);
        err = document->json == NULL ? GW_ERR_NOMEM : GW_OK;
    }
    yyjson_mut_doc_free(builder.json);
    GW_ASSERT(err != GW_OK || yyjson_doc_get_val_count(document->json) == document->count);
    return err;
}

void gw_config_document_fini(struct gw_config_document *document)
{
    yyjson_doc_free(document->json);
    gw_free(document->positions);
    gw_free(document->unresolved);
    document->json = NULL;
    document->positions = NULL;
    document->unresolved = NULL;
    document->count = 0;
    document->unresolved_count = 0;
}

size_t gw_config_index(const struct gw_config_document *document, yyjson_val *value)
{
    ptrdiff_t index = value - yyjson_doc_get_root(document->json);
    GW_ASSERT(index >= 0 && (size_t)index < document->count);
    return (size_t)index;
}

size_t gw_config_index_end(const struct gw_config_document *document, yyjson_val *value)
{
    size_t index = gw_config_index(document, value);
    if (!yyjson_is_ctn(value)) {
        return index + 1;
    }
    return index + value->uni.ofs / sizeof(yyjson_val);
}

/* The child of |parent| that holds value number |index|, with its name put behind |path|. */
static yyjson_val *step(const struct gw_config_document *document, yyjson_val *parent, size_t index,
                        struct gw_buf *path)
{
    size_t position = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *child = NULL;
    if (yyjson_is_obj(parent)) {
        yyjson_obj_foreach(parent, position, max, key, child)
        {
            if (index < gw_config_index_end(document, child)) {
                (void)gw_buf_appendf(path, "%s%s", path->len > 0 ? "." : "", yyjson_get_str(key));
                return index == gw_config_index(document, key) ? key : child;
            }
        }
        return NULL;
    }
    yyjson_arr_foreach(parent, position, max, child)
    {
        if (index < gw_config_index_end(document, child)) {
            (void)gw_buf_appendf(path, "[%zu]", position);
            return child;
        }
    }
    return NULL;
}

struct gw_config_place gw_config_place_of(const struct gw_config_document *document,
                                          yyjson_val *value, struct gw_arena *arena)
{
    size_t index = gw_config_index(document, value);
    const struct gw_config_position *position = &document->positions[index];
    struct gw_buf path;
    gw_buf_init(&path, 4096); /* keys are the user's own; a path longer than that helps nobody */
    yyjson_val *at = yyjson_doc_get_root(document->json);
    while (at != NULL && gw_config_index(document, at) != index) {
        at = step(document, at, index, &path);
    }
    struct gw_config_place place = {
        .file = document->files[position->file],
        .line = position->line,
        .key_path = gw_arena_try_dup(arena, gw_buf_str(&path)),
    };
    gw_buf_fini(&path);
    return place;
}

const struct gw_config_unresolved *
gw_config_find_unresolved(const struct gw_config_document *document, yyjson_val *value)
{
    size_t begin = gw_config_index(document, value);
    size_t end = gw_config_index_end(document, value);
    for (size_t i = 0; i < document->unresolved_count; i++) {
        if (document->unresolved[i].index >= begin && document->unresolved[i].index < end) {
            return &document->unresolved[i];
        }
    }
    return NULL;
}

yyjson_val *gw_config_member(yyjson_val *object, const char *name)
{
    yyjson_val *value = yyjson_obj_get(object, name);
    return yyjson_is_null(value) ? NULL : value;
}

yyjson_val *gw_config_get(const struct gw_config_document *document, const char *path)
{
    yyjson_val *at = yyjson_doc_get_root(document->json);
    struct gw_str rest = gw_str_from_c(path);
    struct gw_str name = {0};
    while (at != NULL && gw_str_split(&rest, '.', &name)) {
        at = yyjson_obj_getn(at, name.ptr, name.len);
    }
    return yyjson_is_null(at) ? NULL : at;
}
