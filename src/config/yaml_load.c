/* SPDX-License-Identifier: MIT */
/*
 * config/yaml_load - libyaml's events become a tree. An anchor is known once its node is complete,
 * so an alias inside its own node is an unknown one and the tree has no circles. Duplicate keys are
 * errors; merge keys are resolved when their map ends.
 */
#include "config/yaml_int.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#include "base/alloc.h"

#define MAX_ANCHORS 1000 /* each is looked up by name in turn */

struct anchor {
    struct gw_str name;
    const struct gw_yaml_node *node;
};

/* A list or map that is not finished. */
struct frame {
    struct gw_yaml_node *node;
    struct gw_yaml_entry *last;
    const struct gw_yaml_node *key; /* of a map, while its value is awaited */
    struct gw_str anchor;
};

struct loader {
    yaml_parser_t parser;
    struct gw_str input;
    struct gw_str file_name;
    unsigned file;
    struct gw_arena *arena;
    struct gw_config_report *report;
    struct frame frames[GW_YAML_MAX_DEPTH];
    size_t depth;
    struct anchor anchors[MAX_ANCHORS];
    size_t anchor_count;
    size_t node_count;
    unsigned last_line;
    const struct gw_yaml_node *root;
    bool is_done;
};

/* One entry of a map while its keys are compared. */
struct ranked {
    struct gw_yaml_entry *entry;
    size_t rank; /* order in the file; merged entries come behind the map's own */
    bool is_merged;
    bool is_dropped;
};

GW_PRINTF(3, 4)
static enum gw_err fail(struct loader *loader, unsigned line, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    gw_report_add(loader->report, true,
                  &(struct gw_config_place){.file = loader->file_name, .line = line}, "%s", text);
    return GW_ERR_INVALID;
}

static enum gw_err no_memory(struct loader *loader)
{
    fail(loader, 0, "no memory for the configuration");
    return GW_ERR_NOMEM;
}

static unsigned line_of(const yaml_mark_t *mark)
{
    return (unsigned)mark->line + 1;
}

static unsigned line_of_offset(struct gw_str text, size_t offset)
{
    unsigned line = 1;
    for (size_t i = 0; i < offset && i < text.len; i++) {
        bool is_lone_cr = text.ptr[i] == '\r' && (i + 1 == text.len || text.ptr[i + 1] != '\n');
        line += text.ptr[i] == '\n' || is_lone_cr ? 1 : 0;
    }
    return line;
}

static struct gw_yaml_node *new_node(struct loader *loader, enum gw_yaml_kind kind,
                                     const yaml_event_t *event)
{
    struct gw_yaml_node *node = gw_arena_try_alloc(loader->arena, sizeof(*node));
    if (node != NULL) {
        /* The empty value of a last key is marked behind the end of the file. */
        unsigned line = line_of(&event->start_mark);
        line = line < loader->last_line ? line : loader->last_line;
        *node = (struct gw_yaml_node){.kind = kind, .line = line, .file = loader->file};
    }
    return node;
}

/* Puts a finished node where it belongs: under the open list or map, or at the top. */
static enum gw_err attach(struct loader *loader, const struct gw_yaml_node *node)
{
    loader->node_count++;
    if (loader->node_count > GW_YAML_MAX_NODES) {
        return fail(loader, node->line, "more than %u values", GW_YAML_MAX_NODES);
    }
    if (loader->depth == 0) {
        loader->root = node;
        return GW_OK;
    }
    struct frame *frame = &loader->frames[loader->depth - 1];
    if (frame->node->kind == GW_YAML_MAP && frame->key == NULL) {
        frame->key = node;
        return node->kind == GW_YAML_SCALAR
                   ? GW_OK
                   : fail(loader, node->line, "a key must be a word, not a list or map");
    }
    struct gw_yaml_entry *entry = gw_arena_try_alloc(loader->arena, sizeof(*entry));
    if (entry == NULL) {
        return no_memory(loader);
    }
    *entry = (struct gw_yaml_entry){.key = frame->key, .value = node};
    frame->key = NULL;
    *(frame->last == NULL ? &frame->node->first : &frame->last->next) = entry;
    frame->last = entry;
    frame->node->count++;
    return GW_OK;
}

static enum gw_err remember_anchor(struct loader *loader, struct gw_str name,
                                   const struct gw_yaml_node *node)
{
    if (name.len == 0) {
        return GW_OK;
    }
    if (loader->anchor_count == MAX_ANCHORS) {
        return fail(loader, node->line, "more than %d anchors", MAX_ANCHORS);
    }
    struct gw_str own = gw_arena_try_dup(loader->arena, name);
    if (own.ptr == NULL) {
        return no_memory(loader);
    }
    loader->anchors[loader->anchor_count] = (struct anchor){.name = own, .node = node};
    loader->anchor_count++;
    return GW_OK;
}

static enum gw_err on_alias(struct loader *loader, const yaml_event_t *event)
{
    struct gw_str name = gw_str_from_c((const char *)event->data.alias.anchor);
    /* The latest definition counts, as in YAML. */
    for (size_t i = loader->anchor_count; i > 0; i--) {
        if (gw_str_eq(loader->anchors[i - 1].name, name)) {
            return attach(loader, loader->anchors[i - 1].node);
        }
    }
    return fail(loader, line_of(&event->start_mark),
                "alias *" GW_STR_FMT " has no anchor before it (or stands inside of it)",
                GW_STR_ARG(name));
}

static const struct {
    const char *tag;
    enum gw_yaml_type type;
} tags[] = {
    {"!", GW_YAML_TYPE_TEXT},           {YAML_STR_TAG, GW_YAML_TYPE_TEXT},
    {YAML_INT_TAG, GW_YAML_TYPE_AUTO},  {YAML_FLOAT_TAG, GW_YAML_TYPE_AUTO},
    {YAML_BOOL_TAG, GW_YAML_TYPE_AUTO}, {YAML_NULL_TAG, GW_YAML_TYPE_AUTO},
    {YAML_SEQ_TAG, GW_YAML_TYPE_AUTO},  {YAML_MAP_TAG, GW_YAML_TYPE_AUTO},
};

static enum gw_err find_tag(struct loader *loader, const yaml_event_t *event,
                            const yaml_char_t *tag, enum gw_yaml_type *type)
{
    if (tag == NULL) {
        return GW_OK;
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(tags); i++) {
        if (strcmp((const char *)tag, tags[i].tag) == 0) {
            *type = tags[i].type;
            return GW_OK;
        }
    }
    return fail(loader, line_of(&event->start_mark), "the tag %.64s means nothing here", tag);
}

static enum gw_err on_scalar(struct loader *loader, const yaml_event_t *event)
{
    struct gw_str text = gw_str((const char *)event->data.scalar.value, event->data.scalar.length);
    if (gw_str_find_byte(text, '\0') != text.len) {
        return fail(loader, line_of(&event->start_mark), "a NUL character in a value");
    }
    struct gw_yaml_node *node = new_node(loader, GW_YAML_SCALAR, event);
    struct gw_str own = gw_arena_try_dup(loader->arena, text);
    if (node == NULL || own.ptr == NULL) {
        return no_memory(loader);
    }
    node->text = own;
    node->type =
        event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE ? GW_YAML_TYPE_AUTO : GW_YAML_TYPE_TEXT;
    enum gw_err err = find_tag(loader, event, event->data.scalar.tag, &node->type);
    if (err == GW_OK) {
        err = remember_anchor(loader, gw_str_from_c((const char *)event->data.scalar.anchor), node);
    }
    return err == GW_OK ? attach(loader, node) : err;
}

static enum gw_err open_frame(struct loader *loader, const yaml_event_t *event,
                              enum gw_yaml_kind kind, const yaml_char_t *anchor,
                              const yaml_char_t *tag)
{
    unsigned line = line_of(&event->start_mark);
    if (loader->depth == GW_YAML_MAX_DEPTH) {
        return fail(loader, line, "nested deeper than %d levels", GW_YAML_MAX_DEPTH);
    }
    enum gw_yaml_type ignored = GW_YAML_TYPE_AUTO;
    enum gw_err err = find_tag(loader, event, tag, &ignored);
    struct gw_yaml_node *node = new_node(loader, kind, event);
    if (node == NULL) {
        return no_memory(loader);
    }
    struct gw_str own_anchor = gw_arena_try_dup(loader->arena, gw_str_from_c((const char *)anchor));
    if (own_anchor.ptr == NULL) {
        return no_memory(loader);
    }
    loader->frames[loader->depth] = (struct frame){.node = node, .anchor = own_anchor};
    loader->depth++;
    return err;
}

static int by_key(const void *left, const void *right)
{
    const struct ranked *a = left;
    const struct ranked *b = right;
    struct gw_str key_a = a->entry->key->text;
    struct gw_str key_b = b->entry->key->text;
    size_t common = key_a.len < key_b.len ? key_a.len : key_b.len;
    int order = common == 0 ? 0 : memcmp(key_a.ptr, key_b.ptr, common);
    if (order == 0 && key_a.len != key_b.len) {
        order = key_a.len < key_b.len ? -1 : 1;
    }
    if (order == 0) {
        order = a->rank < b->rank ? -1 : 1;
    }
    return order;
}

static int by_rank(const void *left, const void *right)
{
    const struct ranked *a = left;
    const struct ranked *b = right;
    return a->rank < b->rank ? -1 : 1;
}

static bool is_merge_key(const struct gw_yaml_entry *entry)
{
    return entry->key->type == GW_YAML_TYPE_AUTO && gw_str_eq(entry->key->text, GW_STR("<<"));
}

struct ranking {
    struct ranked *items;
    size_t count;
    size_t capacity;
};

static enum gw_err rank(struct loader *loader, struct ranking *ranking, struct gw_yaml_entry *entry,
                        bool is_merged)
{
    if (ranking->count == ranking->capacity) {
        size_t capacity = ranking->capacity == 0 ? 32 : ranking->capacity * 2;
        struct ranked *items = gw_try_realloc(ranking->items, capacity * sizeof(*items));
        if (items == NULL) {
            return no_memory(loader);
        }
        ranking->items = items;
        ranking->capacity = capacity;
    }
    ranking->items[ranking->count] =
        (struct ranked){.entry = entry, .rank = ranking->count, .is_merged = is_merged};
    ranking->count++;
    return GW_OK;
}

/* Copies the entries of a merged map: the originals stay linked where they are. */
static enum gw_err rank_merged_map(struct loader *loader, struct ranking *ranking,
                                   const struct gw_yaml_node *map, unsigned line)
{
    if (map->kind != GW_YAML_MAP) {
        return fail(loader, line, "<< takes a map or a list of maps");
    }
    for (const struct gw_yaml_entry *entry = map->first; entry != NULL; entry = entry->next) {
        loader->node_count++;
        if (loader->node_count > GW_YAML_MAX_NODES) {
            return fail(loader, line, "more than %u values after merging", GW_YAML_MAX_NODES);
        }
        struct gw_yaml_entry *copy = gw_arena_try_alloc(loader->arena, sizeof(*copy));
        if (copy == NULL) {
            return no_memory(loader);
        }
        *copy = (struct gw_yaml_entry){.key = entry->key, .value = entry->value};
        enum gw_err err = rank(loader, ranking, copy, true);
        if (err != GW_OK) {
            return err;
        }
    }
    return GW_OK;
}

static enum gw_err rank_merged(struct loader *loader, struct ranking *ranking,
                               const struct gw_yaml_entry *merge)
{
    const struct gw_yaml_node *value = merge->value;
    if (value->kind != GW_YAML_LIST) {
        return rank_merged_map(loader, ranking, value, merge->key->line);
    }
    enum gw_err err = GW_OK;
    for (const struct gw_yaml_entry *item = value->first; item != NULL && err == GW_OK;
         item = item->next) {
        err = rank_merged_map(loader, ranking, item->value, merge->key->line);
    }
    return err;
}

static enum gw_err rank_all(struct loader *loader, struct gw_yaml_node *map,
                            struct ranking *ranking)
{
    enum gw_err err = GW_OK;
    for (struct gw_yaml_entry *entry = map->first; entry != NULL && err == GW_OK;
         entry = entry->next) {
        err = is_merge_key(entry) ? GW_OK : rank(loader, ranking, entry, false);
    }
    for (struct gw_yaml_entry *entry = map->first; entry != NULL && err == GW_OK;
         entry = entry->next) {
        err = is_merge_key(entry) ? rank_merged(loader, ranking, entry) : GW_OK;
    }
    return err;
}

/* Of equal keys the first in rank stays; a second one that somebody wrote is a mistake. */
static void drop_doubles(struct loader *loader, struct ranking *ranking)
{
    for (size_t i = 1; i < ranking->count; i++) {
        struct ranked *item = &ranking->items[i];
        const struct ranked *before = &ranking->items[i - 1];
        struct gw_str key = item->entry->key->text;
        if (!gw_str_eq(before->entry->key->text, key)) {
            continue;
        }
        item->is_dropped = true;
        if (!item->is_merged) {
            fail(loader, item->entry->key->line,
                 "the key \"%.*s\" is here a second time; the first is in line %u",
                 (int)(key.len < 64 ? key.len : 64), key.ptr, before->entry->key->line);
        }
    }
}

static void relink(struct gw_yaml_node *map, const struct ranking *ranking)
{
    struct gw_yaml_entry **next = &map->first;
    map->count = 0;
    for (size_t i = 0; i < ranking->count; i++) {
        if (!ranking->items[i].is_dropped) {
            *next = ranking->items[i].entry;
            next = &ranking->items[i].entry->next;
            map->count++;
        }
    }
    *next = NULL;
}

static enum gw_err finish_map(struct loader *loader, struct gw_yaml_node *map)
{
    struct ranking ranking = {0};
    enum gw_err err = map->count == 0 ? GW_OK : rank_all(loader, map, &ranking);
    if (err == GW_OK && ranking.count > 0) {
        qsort(ranking.items, ranking.count, sizeof(*ranking.items), by_key);
        drop_doubles(loader, &ranking);
        qsort(ranking.items, ranking.count, sizeof(*ranking.items), by_rank);
    }
    if (err == GW_OK) {
        relink(map, &ranking);
    }
    gw_free(ranking.items);
    return err;
}

static enum gw_err close_frame(struct loader *loader)
{
    loader->depth--;
    struct frame *frame = &loader->frames[loader->depth];
    enum gw_err err = frame->node->kind == GW_YAML_MAP ? finish_map(loader, frame->node) : GW_OK;
    if (err == GW_OK) {
        err = remember_anchor(loader, frame->anchor, frame->node);
    }
    return err == GW_OK ? attach(loader, frame->node) : err;
}

static enum gw_err on_document_start(struct loader *loader, const yaml_event_t *event)
{
    return loader->root == NULL ? GW_OK
                                : fail(loader, line_of(&event->start_mark),
                                       "a second document begins here (\"---\"); only one is read");
}

static enum gw_err on_event(struct loader *loader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return on_alias(loader, event);
    case YAML_SCALAR_EVENT:
        return on_scalar(loader, event);
    case YAML_SEQUENCE_START_EVENT:
        return open_frame(loader, event, GW_YAML_LIST, event->data.sequence_start.anchor,
                          event->data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
        return open_frame(loader, event, GW_YAML_MAP, event->data.mapping_start.anchor,
                          event->data.mapping_start.tag);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        return close_frame(loader);
    case YAML_DOCUMENT_START_EVENT:
        return on_document_start(loader, event);
    case YAML_STREAM_END_EVENT:
        loader->is_done = true;
        return GW_OK;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return GW_OK;
    }
    return GW_OK;
}

static struct gw_str text_of_line(struct gw_str text, unsigned line)
{
    struct gw_str part = {0};
    for (unsigned i = 0; i < line; i++) {
        if (!gw_str_split(&text, '\n', &part)) {
            return gw_str(NULL, 0);
        }
    }
    return part;
}

static bool begins_with_tab(struct gw_str line)
{
    size_t at = 0;
    while (at < line.len && line.ptr[at] == ' ') {
        at++;
    }
    return at < line.len && line.ptr[at] == '\t';
}

/* What is behind most of the messages that libyaml has no better words for. */
static const char *advice(struct gw_str line)
{
    if (begins_with_tab(line)) {
        return "; a tab indents this line, YAML wants spaces";
    }
    return gw_str_find(line, GW_STR("${")) < line.len
               ? "; inside of [ ] and { } a reference needs quotes: \"${NAME}\""
               : "";
}

static enum gw_err syntax_error(struct loader *loader)
{
    const yaml_parser_t *parser = &loader->parser;
    if (parser->error == YAML_MEMORY_ERROR) {
        return no_memory(loader);
    }
    const char *problem = parser->problem == NULL ? "not YAML" : parser->problem;
    if (parser->error == YAML_READER_ERROR) {
        return fail(loader, line_of_offset(loader->input, parser->problem_offset),
                    "not a text file: %s", problem);
    }
    unsigned line = line_of(&parser->problem_mark);
    const char *context = parser->context == NULL ? "" : parser->context;
    bool is_elsewhere = parser->context != NULL && parser->context_mark.line + 1 != line;
    char begun[48] = "";
    if (is_elsewhere) {
        (void)snprintf(begun, sizeof(begun), " begun in line %u", line_of(&parser->context_mark));
    }
    return fail(loader, line, "not YAML: %s%s%s%s%s", problem, context[0] == '\0' ? "" : " ",
                context, begun, advice(text_of_line(loader->input, line)));
}

static enum gw_err run(struct loader *loader)
{
    enum gw_err err = GW_OK;
    while (err == GW_OK && !loader->is_done) {
        yaml_event_t event;
        if (yaml_parser_parse(&loader->parser, &event) == 0) {
            return syntax_error(loader);
        }
        err = on_event(loader, &event);
        yaml_event_delete(&event);
    }
    return err;
}

static enum gw_err finish_root(struct loader *loader, const struct gw_yaml_node **root)
{
    static const struct gw_yaml_node nothing = {.kind = GW_YAML_MAP, .line = 1};
    const struct gw_yaml_node *node = loader->root;
    bool is_empty =
        node == NULL || (node->kind == GW_YAML_SCALAR && node->type == GW_YAML_TYPE_AUTO &&
                         gw_yaml_resolve(node->text).kind == GW_YAML_IS_NULL);
    if (is_empty) {
        *root = &nothing;
        return GW_OK;
    }
    if (node->kind != GW_YAML_MAP) {
        return fail(loader, node->line, "the file must consist of \"key: value\" lines");
    }
    *root = node;
    return GW_OK;
}

enum gw_err gw_yaml_parse(struct gw_str text, struct gw_str file_name, unsigned file,
                          struct gw_arena *arena, struct gw_config_report *report,
                          const struct gw_yaml_node **root)
{
    struct loader *loader = gw_try_alloc(sizeof(*loader));
    if (loader == NULL) {
        return GW_ERR_NOMEM;
    }
    memset(loader, 0, sizeof(*loader));
    loader->input = text;
    loader->file_name = file_name;
    loader->file = file;
    loader->arena = arena;
    loader->report = report;
    loader->last_line = line_of_offset(text, text.len);
    size_t errors_before = report->error_count;
    enum gw_err err = GW_OK;
    if (text.len > GW_YAML_MAX_BYTES) {
        fail(loader, 0, "larger than %u MiB", GW_YAML_MAX_BYTES >> 20);
        err = GW_ERR_TOO_LARGE;
    } else if (yaml_parser_initialize(&loader->parser) == 0) {
        err = no_memory(loader);
    } else {
        const char *input = text.ptr == NULL ? "" : text.ptr; /* libyaml asserts that it is there */
        yaml_parser_set_input_string(&loader->parser, (const unsigned char *)input, text.len);
        err = run(loader);
        yaml_parser_delete(&loader->parser);
    }
    if (err == GW_OK) {
        err = report->error_count > errors_before ? GW_ERR_INVALID : finish_root(loader, root);
    }
    gw_free(loader);
    return err;
}

const struct gw_yaml_node *gw_yaml_get(const struct gw_yaml_node *map, struct gw_str key)
{
    for (const struct gw_yaml_entry *entry = map->first; entry != NULL; entry = entry->next) {
        if (entry->key != NULL && gw_str_eq(entry->key->text, key)) {
            return entry->value;
        }
    }
    return NULL;
}
