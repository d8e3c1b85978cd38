/* SPDX-License-Identifier: MIT */
/* config/environment - see the header. */
#include "config/environment_int.h"

#include <stdlib.h>

void gw_environment_init(struct gw_environment *env, struct gw_arena *arena,
                         const char *const *process)
{
    *env = (struct gw_environment){.arena = arena, .process = process};
}

enum gw_err gw_environment_override(struct gw_environment *env, struct gw_str name,
                                    struct gw_str value)
{
    struct gw_variable *variable = gw_arena_try_alloc(env->arena, sizeof(*variable));
    if (variable == NULL) {
        return GW_ERR_NOMEM;
    }
    *variable = (struct gw_variable){
        .name = gw_arena_try_dup(env->arena, name),
        .value = gw_arena_try_dup(env->arena, value),
        .next = env->overriding,
    };
    if (variable->name.ptr == NULL || variable->value.ptr == NULL) {
        return GW_ERR_NOMEM;
    }
    env->overriding = variable;
    return GW_OK;
}

static bool find_in_list(const struct gw_variable *list, struct gw_str name, struct gw_str *value)
{
    for (; list != NULL; list = list->next) {
        if (gw_str_eq(list->name, name)) {
            *value = list->value;
            return true;
        }
    }
    return false;
}

static bool find_in_process(const struct gw_environment *env, struct gw_str name,
                            struct gw_str *value)
{
    for (const char *const *entry = env->process; entry != NULL && *entry != NULL; entry++) {
        if (strncmp(*entry, name.ptr, name.len) == 0 && (*entry)[name.len] == '=') {
            *value = gw_str_from_c(*entry + name.len + 1);
            return true;
        }
    }
    return false;
}

bool gw_environment_get(const struct gw_environment *env, struct gw_str name, struct gw_str *value)
{
    return name.len > 0 &&
           (find_in_list(env->overriding, name, value) || find_in_process(env, name, value) ||
            find_in_list(env->additional, name, value));
}

bool gw_environment_lookup(void *user, struct gw_str name, struct gw_str *value)
{
    const struct gw_environment *env = user;
    return gw_environment_get(env, name, value);
}

bool gw_environment_get_first(const struct gw_environment *env, const char *names,
                              struct gw_str *name, struct gw_str *value)
{
    struct gw_str rest = gw_str_from_c(names);
    struct gw_str candidate = {0};
    while (gw_str_split(&rest, ' ', &candidate)) {
        struct gw_str found = {0};
        if (gw_environment_get(env, candidate, &found) && found.len > 0) {
            *name = candidate;
            *value = found;
            return true;
        }
    }
    return false;
}

struct collector {
    struct gw_arena *arena;
    struct gw_str prefix;
    struct gw_variable *items;
    size_t count;
    size_t capacity;
};

static bool is_collected(const struct collector *collector, struct gw_str name)
{
    for (size_t i = 0; i < collector->count; i++) {
        if (gw_str_eq(collector->items[i].name, name)) {
            return true;
        }
    }
    return false;
}

static enum gw_err collect(struct collector *collector, struct gw_str name, struct gw_str value)
{
    if (name.len <= collector->prefix.len || !gw_str_has_prefix(name, collector->prefix) ||
        is_collected(collector, name)) {
        return GW_OK;
    }
    if (collector->count == collector->capacity) {
        size_t capacity = collector->capacity == 0 ? 8 : collector->capacity * 2;
        struct gw_variable *items = gw_arena_try_alloc(collector->arena, capacity * sizeof(*items));
        if (items == NULL) {
            return GW_ERR_NOMEM;
        }
        if (collector->count > 0) {
            memcpy(items, collector->items, collector->count * sizeof(*items));
        }
        collector->items = items;
        collector->capacity = capacity;
    }
    collector->items[collector->count] = (struct gw_variable){.name = name, .value = value};
    collector->count++;
    return GW_OK;
}

static enum gw_err collect_list(struct collector *collector, const struct gw_variable *list)
{
    enum gw_err err = GW_OK;
    for (; list != NULL && err == GW_OK; list = list->next) {
        err = collect(collector, list->name, list->value);
    }
    return err;
}

static enum gw_err collect_process(struct collector *collector, const char *const *process)
{
    enum gw_err err = GW_OK;
    for (const char *const *entry = process; entry != NULL && *entry != NULL && err == GW_OK;
         entry++) {
        struct gw_str text = gw_str_from_c(*entry);
        size_t equals = gw_str_find_byte(text, '=');
        err = collect(collector, gw_str(text.ptr, equals), gw_str_skip(text, equals + 1));
    }
    return err;
}

/* Names with numbers in them in the order that people count. */
static int by_name(const void *left, const void *right)
{
    const struct gw_variable *a = left;
    const struct gw_variable *b = right;
    size_t common = a->name.len < b->name.len ? a->name.len : b->name.len;
    size_t same = 0;
    while (same < common && a->name.ptr[same] == b->name.ptr[same]) {
        same++;
    }
    uint64_t number_a = 0;
    uint64_t number_b = 0;
    if (gw_parse_u64(gw_str_skip(a->name, same), &number_a) == GW_OK &&
        gw_parse_u64(gw_str_skip(b->name, same), &number_b) == GW_OK && number_a != number_b) {
        return number_a < number_b ? -1 : 1;
    }
    if (same == common) {
        return a->name.len < b->name.len ? -1 : 1;
    }
    return (unsigned char)a->name.ptr[same] < (unsigned char)b->name.ptr[same] ? -1 : 1;
}

enum gw_err gw_environment_with_prefix(const struct gw_environment *env, struct gw_str prefix,
                                       struct gw_arena *arena, struct gw_variable_list *list)
{
    struct collector collector = {.arena = arena, .prefix = prefix};
    enum gw_err err = collect_list(&collector, env->overriding);
    if (err == GW_OK) {
        err = collect_process(&collector, env->process);
    }
    if (err == GW_OK) {
        err = collect_list(&collector, env->additional);
    }
    if (collector.count > 1) {
        qsort(collector.items, collector.count, sizeof(*collector.items), by_name);
    }
    *list = (struct gw_variable_list){.items = collector.items, .count = collector.count};
    return err;
}
