/* SPDX-License-Identifier: MIT */
/*
 * llm/catalog - names to groups. Exact names and aliases stand in one hash table; patterns in a
 * list ordered by the length of what stands before their '*', so that the first match is the best
 * one.
 */
#include "llm/catalog.h"

#include "base/assert.h"

/* More names than this are not searched for close ones: a wrong name must stay cheap to answer. */
#define CLOSE_NAMES_SEARCHED 1000

struct group {
    struct gw_model_group public_group;
    size_t capacity;
};

struct entry {
    struct gw_str name;
    uint64_t hash;
    struct group *group;
    struct gw_str suffix; /* for aliases of a name that a pattern matches */
    bool is_alias;
};

struct gw_catalog {
    struct gw_arena *arena;
    struct group **groups;
    size_t group_count;
    size_t group_capacity;
    struct group **patterns; /* longest prefix first */
    size_t pattern_count;
    size_t pattern_capacity;
    struct entry *entries; /* in order of the configuration */
    size_t entry_count;
    size_t entry_capacity;
    uint32_t *slots; /* open addressing; index into entries + 1, or 0 */
    size_t slot_count;
};

/* The grown copy of an array in the arena; the old one stays until the arena goes. */
static void *grow(struct gw_arena *arena, const void *array, size_t count, size_t *capacity,
                  size_t item_size)
{
    size_t next = *capacity == 0 ? 4 : *capacity * 2;
    size_t bytes = 0;
    if (__builtin_mul_overflow(next, item_size, &bytes)) {
        return NULL;
    }
    void *copy = gw_arena_try_alloc(arena, bytes);
    if (copy == NULL) {
        return NULL;
    }
    if (count > 0) {
        memcpy(copy, array, count * item_size);
    }
    *capacity = next;
    return copy;
}

static bool is_pattern(struct gw_str name)
{
    return name.len > 0 && name.ptr[name.len - 1] == '*';
}

struct gw_catalog *gw_catalog_create(struct gw_arena *arena)
{
    struct gw_catalog *catalog = gw_arena_try_alloc(arena, sizeof(*catalog));
    if (catalog != NULL) {
        *catalog = (struct gw_catalog){.arena = arena};
    }
    return catalog;
}

static const struct entry *find_entry(const struct gw_catalog *catalog, struct gw_str name)
{
    if (catalog->slot_count == 0) {
        return NULL;
    }
    uint64_t hash = gw_str_hash(name);
    size_t mask = catalog->slot_count - 1;
    for (size_t at = (size_t)hash & mask; catalog->slots[at] != 0; at = (at + 1) & mask) {
        const struct entry *entry = &catalog->entries[catalog->slots[at] - 1];
        if (entry->hash == hash && gw_str_eq(entry->name, name)) {
            return entry;
        }
    }
    return NULL;
}

static void put_slot(struct gw_catalog *catalog, size_t index)
{
    size_t mask = catalog->slot_count - 1;
    size_t at = (size_t)catalog->entries[index].hash & mask;
    while (catalog->slots[at] != 0) {
        at = (at + 1) & mask;
    }
    catalog->slots[at] = (uint32_t)(index + 1);
}

/* Keeps the table at most half full. */
static enum gw_err grow_slots(struct gw_catalog *catalog)
{
    if ((catalog->entry_count + 1) * 2 <= catalog->slot_count) {
        return GW_OK;
    }
    size_t count = catalog->slot_count == 0 ? 16 : catalog->slot_count * 2;
    uint32_t *slots = gw_arena_try_alloc(catalog->arena, count * sizeof(*slots));
    if (slots == NULL) {
        return GW_ERR_NOMEM;
    }
    memset(slots, 0, count * sizeof(*slots));
    catalog->slots = slots;
    catalog->slot_count = count;
    for (size_t i = 0; i < catalog->entry_count; i++) {
        put_slot(catalog, i);
    }
    return GW_OK;
}

static enum gw_err add_entry(struct gw_catalog *catalog, const struct entry *wanted)
{
    if (grow_slots(catalog) != GW_OK) {
        return GW_ERR_NOMEM;
    }
    if (catalog->entry_count == catalog->entry_capacity) {
        struct entry *entries = grow(catalog->arena, catalog->entries, catalog->entry_count,
                                     &catalog->entry_capacity, sizeof(*entries));
        if (entries == NULL) {
            return GW_ERR_NOMEM;
        }
        catalog->entries = entries;
    }
    catalog->entries[catalog->entry_count] = *wanted;
    catalog->entries[catalog->entry_count].hash = gw_str_hash(wanted->name);
    put_slot(catalog, catalog->entry_count);
    catalog->entry_count++;
    return GW_OK;
}

static enum gw_err add_pattern(struct gw_catalog *catalog, struct group *group)
{
    if (catalog->pattern_count == catalog->pattern_capacity) {
        struct group **patterns = grow(catalog->arena, catalog->patterns, catalog->pattern_count,
                                       &catalog->pattern_capacity, sizeof(struct group *));
        if (patterns == NULL) {
            return GW_ERR_NOMEM;
        }
        catalog->patterns = patterns;
    }
    size_t at = catalog->pattern_count;
    while (at > 0 &&
           catalog->patterns[at - 1]->public_group.name.len < group->public_group.name.len) {
        catalog->patterns[at] = catalog->patterns[at - 1];
        at--;
    }
    catalog->patterns[at] = group;
    catalog->pattern_count++;
    return GW_OK;
}

static struct group *add_group(struct gw_catalog *catalog, struct gw_str name)
{
    struct group *group = gw_arena_try_alloc(catalog->arena, sizeof(*group));
    struct gw_str own_name = gw_arena_try_dup(catalog->arena, name);
    if (group == NULL || own_name.ptr == NULL) {
        return NULL;
    }
    *group = (struct group){.public_group = {.name = own_name, .index = catalog->group_count}};
    if (catalog->group_count == catalog->group_capacity) {
        struct group **groups = grow(catalog->arena, catalog->groups, catalog->group_count,
                                     &catalog->group_capacity, sizeof(struct group *));
        if (groups == NULL) {
            return NULL;
        }
        catalog->groups = groups;
    }
    const struct entry entry = {.name = own_name, .group = group};
    if (add_entry(catalog, &entry) != GW_OK ||
        (is_pattern(own_name) && add_pattern(catalog, group) != GW_OK)) {
        return NULL;
    }
    catalog->groups[catalog->group_count] = group;
    catalog->group_count++;
    return group;
}

static struct group *find_group(const struct gw_catalog *catalog, struct gw_str name)
{
    const struct entry *entry = find_entry(catalog, name);
    return entry == NULL || entry->is_alias ? NULL : entry->group;
}

enum gw_err gw_catalog_add(struct gw_catalog *catalog, struct gw_str group_name,
                           const struct gw_deployment *deployment)
{
    struct group *group = find_group(catalog, group_name);
    if (group == NULL) {
        group = add_group(catalog, group_name);
    }
    if (group == NULL) {
        return GW_ERR_NOMEM;
    }
    struct gw_model_group *public_group = &group->public_group;
    if (public_group->deployment_count == group->capacity) {
        const struct gw_deployment **deployments =
            grow(catalog->arena, public_group->deployments, public_group->deployment_count,
                 &group->capacity, sizeof(struct gw_deployment *));
        if (deployments == NULL) {
            return GW_ERR_NOMEM;
        }
        public_group->deployments = deployments;
    }
    public_group->deployments[public_group->deployment_count] = deployment;
    public_group->deployment_count++;
    return GW_OK;
}

static struct group *resolve(const struct gw_catalog *catalog, struct gw_str model,
                             struct gw_str *suffix)
{
    if (model.len > GW_MODEL_NAME_MAX) {
        return NULL;
    }
    const struct entry *entry = find_entry(catalog, model);
    if (entry != NULL && (entry->is_alias || !is_pattern(entry->name))) {
        *suffix = entry->is_alias ? entry->suffix : model;
        return entry->group;
    }
    for (size_t i = 0; i < catalog->pattern_count; i++) {
        struct group *group = catalog->patterns[i];
        struct gw_str name = group->public_group.name;
        struct gw_str prefix = gw_str(name.ptr, name.len - 1);
        /* Nothing left for the '*' is no model name: "openai/" is a mistake, not a model. */
        if (model.len > prefix.len && gw_str_has_prefix(model, prefix)) {
            *suffix = gw_str_skip(model, prefix.len);
            return group;
        }
    }
    return NULL;
}

enum gw_err gw_catalog_add_alias(struct gw_catalog *catalog, struct gw_str alias,
                                 struct gw_str group_name)
{
    if (find_entry(catalog, alias) != NULL) {
        return GW_ERR_EXISTS;
    }
    struct gw_str suffix = {0};
    struct group *group = resolve(catalog, group_name, &suffix);
    if (group == NULL || is_pattern(group_name)) {
        return GW_ERR_NOT_FOUND;
    }
    const struct entry entry = {
        .name = gw_arena_try_dup(catalog->arena, alias),
        .group = group,
        .suffix = gw_arena_try_dup(catalog->arena, suffix),
        .is_alias = true,
    };
    if (entry.name.ptr == NULL || entry.suffix.ptr == NULL) {
        return GW_ERR_NOMEM;
    }
    return add_entry(catalog, &entry);
}

void gw_catalog_set_routing(struct gw_catalog *catalog, size_t index,
                            const struct gw_group_routing *routing)
{
    GW_ASSERT(index < catalog->group_count);
    catalog->groups[index]->public_group.routing = routing;
}

void gw_catalog_set_created_at(struct gw_catalog *catalog, uint64_t created_at_s)
{
    for (size_t i = 0; i < catalog->group_count; i++) {
        catalog->groups[i]->public_group.created_at_s = created_at_s;
    }
}

const struct gw_model_group *gw_catalog_find(const struct gw_catalog *catalog, struct gw_str model,
                                             struct gw_str *suffix)
{
    const struct group *group = resolve(catalog, model, suffix);
    return group == NULL ? NULL : &group->public_group;
}

enum gw_err gw_deployment_model(const struct gw_deployment *deployment, struct gw_str suffix,
                                char *buf, size_t size, struct gw_str *model)
{
    struct gw_str upstream = deployment->upstream_model;
    size_t star = gw_str_find_byte(upstream, '*');
    if (upstream.len == 0) {
        *model = suffix;
        return GW_OK;
    }
    if (star == upstream.len) {
        *model = upstream;
        return GW_OK;
    }
    size_t len = upstream.len - 1 + suffix.len;
    if (len > size) {
        return GW_ERR_TOO_LARGE;
    }
    struct gw_str behind = gw_str_skip(upstream, star + 1);
    memcpy(buf, upstream.ptr, star);
    if (suffix.len > 0) {
        memcpy(buf + star, suffix.ptr, suffix.len);
    }
    memcpy(buf + star + suffix.len, behind.ptr, behind.len);
    *model = gw_str(buf, len);
    return GW_OK;
}

size_t gw_catalog_group_count(const struct gw_catalog *catalog)
{
    return catalog->group_count;
}

const struct gw_model_group *gw_catalog_group(const struct gw_catalog *catalog, size_t index)
{
    GW_ASSERT(index < catalog->group_count);
    return &catalog->groups[index]->public_group;
}

/* How far |name| is from |model|; more than |limit| is not close. A name that continues the other
 * one ("gpt-4o" and "gpt-4o-mini") is as close as one typing mistake. */
static unsigned closeness(struct gw_str model, struct gw_str name, unsigned limit)
{
    struct gw_str shorter = model.len < name.len ? model : name;
    struct gw_str longer = model.len < name.len ? name : model;
    if (shorter.len >= 3 && gw_str_has_prefix(longer, shorter)) {
        return 1;
    }
    return longer.len - shorter.len > limit ? limit + 1 : gw_str_distance(model, name, limit);
}

size_t gw_catalog_close_names(const struct gw_catalog *catalog, struct gw_str model,
                              struct gw_str names[GW_CATALOG_CLOSE_NAMES])
{
    unsigned scores[GW_CATALOG_CLOSE_NAMES];
    size_t count = 0;
    unsigned limit = model.len < 9 ? 2 : (unsigned)(model.len < 24 ? model.len : 24) / 3;
    size_t searched =
        catalog->entry_count < CLOSE_NAMES_SEARCHED ? catalog->entry_count : CLOSE_NAMES_SEARCHED;
    for (size_t i = 0; i < searched; i++) {
        unsigned score = closeness(model, catalog->entries[i].name, limit);
        if (score > limit ||
            (count == GW_CATALOG_CLOSE_NAMES && score >= scores[GW_CATALOG_CLOSE_NAMES - 1])) {
            continue;
        }
        size_t at = count < GW_CATALOG_CLOSE_NAMES ? count++ : GW_CATALOG_CLOSE_NAMES - 1;
        while (at > 0 && scores[at - 1] > score) {
            scores[at] = scores[at - 1];
            names[at] = names[at - 1];
            at--;
        }
        scores[at] = score;
        names[at] = catalog->entries[i].name;
    }
    return count;
}

const struct gw_model_group *gw_catalog_first_of(const struct gw_catalog *catalog,
                                                 struct gw_str provider_name)
{
    for (size_t i = 0; i < catalog->group_count; i++) {
        const struct gw_model_group *group = &catalog->groups[i]->public_group;
        for (size_t j = 0; j < group->deployment_count; j++) {
            if (gw_str_eq(group->deployments[j]->provider_name, provider_name)) {
                return group;
            }
        }
    }
    return NULL;
}
