/* SPDX-License-Identifier: MIT */
/* json/schema_refs - what $ref, $dynamicRef, $anchor and $schema name. */
#include "json/schema_compile.h"
#include "json/schema_uri.h"

#define DRAFT "https://json-schema.org/draft/2020-12/"

static uint64_t hash_of(struct gw_str uri, struct gw_str anchor)
{
    return gw_str_hash(uri) * 31 + gw_str_hash(anchor);
}

/* Is |key| the URI, or the URI with '#' and the anchor? */
static bool is_named(const struct gw_schema_target *target, struct gw_str uri, struct gw_str anchor)
{
    struct gw_str key = target->uri;
    if (anchor.len == 0) {
        return gw_str_eq(key, uri);
    }
    return key.len == uri.len + 1 + anchor.len && gw_str_has_prefix(key, uri) &&
           key.ptr[uri.len] == '#' && gw_str_eq(gw_str_skip(key, uri.len + 1), anchor);
}

struct gw_schema_target *gw_schema_find_target(const struct gw_schema_compiler *compiler,
                                               struct gw_str uri, struct gw_str anchor)
{
    uint64_t hash = hash_of(uri, anchor);
    struct gw_schema_target *target = compiler->targets[hash % GW_SCHEMA_TARGET_BUCKETS];
    while (target != NULL && (target->hash != hash || !is_named(target, uri, anchor))) {
        target = target->next;
    }
    return target;
}

void gw_schema_add_target(struct gw_schema_compiler *compiler, struct gw_schema_resource *resource,
                          struct gw_str uri, struct gw_str anchor, struct gw_schema_node *node,
                          bool is_dynamic)
{
    if (compiler->err != GW_OK) {
        return;
    }
    if (gw_schema_find_target(compiler, uri, anchor) != NULL) {
        gw_schema_refuse(compiler, node->where, "%s is defined twice: " GW_STR_FMT,
                         anchor.len > 0 ? "an anchor" : "an $id",
                         GW_STR_ARG(anchor.len > 0 ? anchor : uri));
        return;
    }
    struct gw_schema_target *target = gw_schema_new(compiler, sizeof(*target));
    if (target == NULL) {
        return;
    }
    target->uri = uri;
    if (anchor.len > 0) {
        target->uri = gw_arena_printf(&compiler->schema->arena, GW_STR_FMT "#" GW_STR_FMT,
                                      GW_STR_ARG(uri), GW_STR_ARG(anchor));
    }
    target->hash = hash_of(uri, anchor);
    target->resource = resource;
    target->node = node;
    target->is_dynamic = is_dynamic;
    struct gw_schema_target **bucket = &compiler->targets[target->hash % GW_SCHEMA_TARGET_BUCKETS];
    target->next = *bucket;
    *bucket = target;
}

void gw_schema_add_pending(struct gw_schema_compiler *compiler, struct gw_schema_node *node,
                           struct gw_str reference, bool is_dynamic)
{
    struct gw_schema_pending *pending = gw_schema_new(compiler, sizeof(*pending));
    if (pending != NULL) {
        *pending = (struct gw_schema_pending){.node = node,
                                              .reference = reference,
                                              .is_dynamic = is_dynamic,
                                              .next = compiler->pending};
        compiler->pending = pending;
    }
}

/* The document given for |uri|, or NULL. */
static yyjson_val *given_document(const struct gw_schema_compiler *compiler, struct gw_str uri)
{
    for (size_t i = 0; i < compiler->opts->document_count; i++) {
        const struct gw_schema_document *document = &compiler->opts->documents[i];
        if (gw_str_eq(document->uri, uri)) {
            return document->root;
        }
    }
    return NULL;
}

/* The resource at |uri|, loaded now if it is a document not yet met. NULL with the failure noted.
 */
static struct gw_schema_resource *find_resource(struct gw_schema_compiler *compiler,
                                                struct gw_str uri,
                                                const struct gw_schema_pending *pending)
{
    struct gw_schema_target *target = gw_schema_find_target(compiler, uri, GW_STR(""));
    if (target != NULL) {
        return target->resource;
    }
    yyjson_val *given = given_document(compiler, uri);
    if (given != NULL) {
        return gw_schema_add_document(compiler, uri, given);
    }
    struct gw_str meta = gw_schema_meta_text(uri);
    if (meta.len > 0) {
        yyjson_doc *doc = yyjson_read(meta.ptr, meta.len, 0);
        struct gw_schema_resource *resource =
            gw_schema_add_document(compiler, uri, yyjson_doc_get_root(doc));
        yyjson_doc_free(doc);
        return resource;
    }
    return gw_schema_refuse(compiler, pending->node->where,
                            "leads to the document " GW_STR_FMT ", which is not known",
                            GW_STR_ARG(uri));
}

/* One step of a JSON Pointer; |token| is not yet unescaped. */
static yyjson_val *step(struct gw_arena *arena, yyjson_val *value, struct gw_str token)
{
    char *name = gw_arena_try_alloc(arena, token.len + 1);
    size_t len = 0;
    if (name == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < token.len; i++) {
        bool is_escape = token.ptr[i] == '~' && i + 1 < token.len;
        if (is_escape) {
            i++;
        }
        name[len++] = is_escape && token.ptr[i] == '0'   ? '~'
                      : is_escape && token.ptr[i] == '1' ? '/'
                                                         : token.ptr[i];
    }
    if (yyjson_is_obj(value)) {
        return yyjson_obj_getn(value, name, len);
    }
    uint64_t index = 0;
    if (!yyjson_is_arr(value) || gw_parse_u64(gw_str(name, len), &index) != GW_OK) {
        return NULL;
    }
    return yyjson_arr_get(value, (size_t)index);
}

/* Follows a JSON Pointer from the root of |resource|; what it leads to becomes a schema if it was
 * none. */
static const struct gw_schema_node *follow_pointer(struct gw_schema_compiler *compiler,
                                                   struct gw_schema_resource *resource,
                                                   struct gw_str pointer)
{
    struct gw_schema_copy *copy = resource->copy;
    yyjson_val *value = resource->value;
    struct gw_str token;
    yyjson_val *doc_root = yyjson_doc_get_root(copy->doc);
    struct gw_str rest = gw_str_skip(pointer, 1);
    struct gw_schema_resource *around = resource;
    while (gw_str_split(&rest, '/', &token)) {
        value = step(&compiler->schema->arena, value, token);
        if (value == NULL) {
            return NULL;
        }
        const struct gw_schema_node *known = copy->nodes[value - doc_root];
        around = known != NULL ? known->resource : around;
    }
    if (copy->nodes[value - doc_root] == NULL) {
        compiler->copy = copy;
        compiler->resource = around;
        struct gw_str where =
            gw_arena_printf(&compiler->schema->arena, "#" GW_STR_FMT, GW_STR_ARG(pointer));
        (void)gw_schema_compile_value(compiler, value, where);
    }
    return copy->nodes[value - doc_root];
}

static void resolve(struct gw_schema_compiler *compiler, const struct gw_schema_pending *pending)
{
    struct gw_arena *arena = &compiler->schema->arena;
    struct gw_schema_node *node = pending->node;
    struct gw_str uri = gw_schema_uri_resolve(arena, node->resource->uri, pending->reference);
    struct gw_str fragment =
        gw_schema_uri_unescape(arena, gw_schema_uri_split(pending->reference).fragment);
    if (uri.ptr == NULL || fragment.ptr == NULL) {
        gw_schema_refuse(compiler, node->where, "the reference is too long");
        return;
    }
    struct gw_schema_resource *resource = find_resource(compiler, uri, pending);
    if (resource == NULL) {
        return;
    }
    const struct gw_schema_node *found = resource->root;
    bool is_dynamic = false;
    if (gw_str_has_prefix(fragment, GW_STR("/"))) {
        found = follow_pointer(compiler, resource, fragment);
    } else if (fragment.len > 0) {
        struct gw_schema_target *target = gw_schema_find_target(compiler, resource->uri, fragment);
        found = target != NULL ? target->node : NULL;
        is_dynamic = target != NULL && target->is_dynamic;
    }
    if (found == NULL) {
        gw_schema_refuse(compiler, node->where, "the reference " GW_STR_FMT " leads nowhere",
                         GW_STR_ARG(pending->reference));
        return;
    }
    if (pending->is_dynamic) {
        node->dynamic_ref = found;
        node->dynamic_name = is_dynamic ? fragment : gw_str(NULL, 0);
    } else {
        node->ref = found;
    }
}

void gw_schema_resolve_pending(struct gw_schema_compiler *compiler)
{
    while (compiler->pending != NULL && compiler->err == GW_OK) {
        struct gw_schema_pending *pending = compiler->pending;
        compiler->pending = pending->next;
        resolve(compiler, pending);
    }
}

static unsigned vocabulary_bit(struct gw_str uri)
{
    static const struct {
        struct gw_str uri;
        unsigned bit;
    } known[] = {
        {GW_STR_INIT(DRAFT "vocab/core"), GW_SCHEMA_CORE},
        {GW_STR_INIT(DRAFT "vocab/applicator"), GW_SCHEMA_APPLICATOR},
        {GW_STR_INIT(DRAFT "vocab/unevaluated"), GW_SCHEMA_UNEVALUATED},
        {GW_STR_INIT(DRAFT "vocab/validation"), GW_SCHEMA_VALIDATION},
        {GW_STR_INIT(DRAFT "vocab/meta-data"), GW_SCHEMA_ANNOTATION},
        {GW_STR_INIT(DRAFT "vocab/format-annotation"), GW_SCHEMA_ANNOTATION},
        {GW_STR_INIT(DRAFT "vocab/format-assertion"), GW_SCHEMA_FORMAT_ASSERTION},
        {GW_STR_INIT(DRAFT "vocab/content"), GW_SCHEMA_ANNOTATION},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(known); i++) {
        if (gw_str_eq(uri, known[i].uri)) {
            return known[i].bit;
        }
    }
    return 0;
}

/* The vocabularies that a "$vocabulary" names; 0 with the failure noted. */
static unsigned read_vocabularies(struct gw_schema_compiler *compiler, yyjson_val *vocabularies,
                                  struct gw_str where)
{
    unsigned bits = GW_SCHEMA_CORE;
    size_t index = 0;
    size_t max = 0;
    yyjson_val *key = NULL;
    yyjson_val *is_required = NULL;
    yyjson_obj_foreach(vocabularies, index, max, key, is_required)
    {
        unsigned bit = vocabulary_bit(gw_schema_text(key));
        if (bit == 0 && yyjson_is_true(is_required)) {
            gw_schema_refuse(compiler, where, "needs the vocabulary %s, which is not known",
                             yyjson_get_str(key));
            return 0;
        }
        bits |= bit;
    }
    return bits;
}

unsigned gw_schema_vocabularies_of(struct gw_schema_compiler *compiler, struct gw_str uri,
                                   struct gw_str where)
{
    const unsigned standard = GW_SCHEMA_CORE | GW_SCHEMA_APPLICATOR | GW_SCHEMA_UNEVALUATED |
                              GW_SCHEMA_VALIDATION | GW_SCHEMA_ANNOTATION;
    if (uri.len > 0 && uri.ptr[uri.len - 1] == '#') {
        uri.len--;
    }
    if (gw_str_eq(uri, GW_STR(DRAFT "schema"))) {
        return standard;
    }
    yyjson_val *meta = given_document(compiler, uri);
    if (meta == NULL) {
        gw_schema_refuse(compiler, where, "\"$schema\" must be " DRAFT "schema, not " GW_STR_FMT,
                         GW_STR_ARG(uri));
        return 0;
    }
    yyjson_val *vocabularies = yyjson_obj_get(meta, "$vocabulary");
    return vocabularies == NULL ? standard : read_vocabularies(compiler, vocabularies, where);
}
