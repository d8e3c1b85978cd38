/* SPDX-License-Identifier: MIT */
/* policy/fallback - a table of families. */
#include "policy/fallback.h"

#include "base/alloc.h"

enum gw_err gw_failover_mode_parse(struct gw_str text, enum gw_failover_mode *mode)
{
    static const struct {
        struct gw_str dashed;
        struct gw_str plain;
    } names[] = {
        [GW_FAILOVER_CLOUD_FIRST] = {GW_STR_INIT("cloud-first"), GW_STR_INIT("cloud_first")},
        [GW_FAILOVER_LOCAL_FIRST] = {GW_STR_INIT("local-first"), GW_STR_INIT("local_first")},
        [GW_FAILOVER_LOCAL_ONLY] = {GW_STR_INIT("local-only"), GW_STR_INIT("local_only")},
        [GW_FAILOVER_CLOUD_ONLY] = {GW_STR_INIT("cloud-only"), GW_STR_INIT("cloud_only")},
    };
    text = gw_str_trim(text);
    for (size_t i = 0; i < GW_ARRAY_LEN(names); i++) {
        if (gw_str_eq_nocase(text, names[i].dashed) || gw_str_eq_nocase(text, names[i].plain)) {
            *mode = (enum gw_failover_mode)i;
            return GW_OK;
        }
    }
    return GW_ERR_NOT_FOUND;
}

bool gw_failover_mode_allows(enum gw_failover_mode mode, bool is_local)
{
    return mode == GW_FAILOVER_LOCAL_ONLY   ? is_local
           : mode == GW_FAILOVER_CLOUD_ONLY ? !is_local
                                            : true;
}

bool gw_failover_mode_prefers(enum gw_failover_mode mode, bool a_is_local, bool b_is_local)
{
    if (a_is_local == b_is_local) {
        return false;
    }
    return mode == GW_FAILOVER_LOCAL_FIRST || mode == GW_FAILOVER_LOCAL_ONLY ? a_is_local
                                                                             : b_is_local;
}

/* Longer families stand before those they begin with. */
static const struct {
    struct gw_str family;
    struct gw_str chain[3];
} presets[] = {
    {GW_STR_INIT("gpt-4o-mini"),
     {GW_STR_INIT("claude-haiku-4-5"), GW_STR_INIT("gemini-2.5-flash")}},
    {GW_STR_INIT("gpt-4o"), {GW_STR_INIT("claude-sonnet-4-5"), GW_STR_INIT("gemini-2.5-pro")}},
    {GW_STR_INIT("gpt-4"), {GW_STR_INIT("claude-opus-4-5"), GW_STR_INIT("gemini-2.5-pro")}},
    {GW_STR_INIT("claude-opus-4-5"), {GW_STR_INIT("gpt-4o"), GW_STR_INIT("gemini-2.5-pro")}},
    {GW_STR_INIT("claude-sonnet-4-5"), {GW_STR_INIT("gpt-4o"), GW_STR_INIT("gemini-2.5-pro")}},
    {GW_STR_INIT("claude-haiku-4-5"),
     {GW_STR_INIT("gpt-4o-mini"), GW_STR_INIT("gemini-2.5-flash")}},
    {GW_STR_INIT("gemini-2.5-flash"),
     {GW_STR_INIT("gpt-4o-mini"), GW_STR_INIT("claude-haiku-4-5")}},
    {GW_STR_INIT("gemini-2.5-pro"), {GW_STR_INIT("gpt-4o"), GW_STR_INIT("claude-sonnet-4-5")}},
};

size_t gw_fallback_preset(struct gw_str model, struct gw_str chain[GW_FALLBACK_CHAIN_MAX])
{
    size_t slash = gw_str_find_byte(model, '/');
    struct gw_str name = slash < model.len ? gw_str_skip(model, slash + 1) : model;
    for (size_t i = 0; i < GW_ARRAY_LEN(presets); i++) {
        struct gw_str rest = gw_str_skip(name, presets[i].family.len);
        if (!gw_str_has_prefix(name, presets[i].family) ||
            (rest.len > 0 && rest.ptr[0] != '-' && rest.ptr[0] != '@')) {
            continue;
        }
        size_t count = 0;
        while (count < GW_ARRAY_LEN(presets[i].chain) && presets[i].chain[count].len > 0) {
            chain[count] = presets[i].chain[count];
            count++;
        }
        return count;
    }
    return 0;
}

/* Depth first with an explicit stack: |next| is how far each open group's list was walked. */
static bool walk_from(uint32_t start, const uint32_t *const *lists, const size_t *counts,
                      size_t *next, uint32_t *stack, char *colour, uint32_t *back_to)
{
    size_t depth = 1;
    stack[0] = start;
    colour[start] = 1;
    while (depth > 0) {
        uint32_t group = stack[depth - 1];
        if (next[group] == counts[group]) {
            colour[group] = 2;
            depth--;
            continue;
        }
        uint32_t follower = lists[group][next[group]++];
        if (colour[follower] == 1) {
            *back_to = follower;
            return true;
        }
        if (colour[follower] == 0) {
            colour[follower] = 1;
            stack[depth++] = follower;
        }
    }
    return false;
}

bool gw_fallback_has_circle(const uint32_t *const *lists, const size_t *counts, size_t group_count,
                            uint32_t *back_to)
{
    size_t *next = gw_zalloc(sizeof(*next) * (group_count + 1));
    uint32_t *stack = gw_zalloc(sizeof(*stack) * (group_count + 1));
    char *colour = gw_zalloc(group_count + 1);
    bool found = false;
    for (uint32_t i = 0; i < group_count && !found; i++) {
        found = colour[i] == 0 && walk_from(i, lists, counts, next, stack, colour, back_to);
    }
    gw_free(next);
    gw_free(stack);
    gw_free(colour);
    return found;
}
