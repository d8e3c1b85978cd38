/* SPDX-License-Identifier: MIT */
/*
 * config/fallback_circles - finds groups that are their own fallbacks over other groups. No request
 * goes round: each group is visited once; but whoever wrote it may have meant something else.
 */
#include "base/buf.h"
#include "config/routing_int.h"

#define MAX_WARNINGS 20 /* who has more reads these first */
#define TEXT_BYTES   400

struct graph {
    struct gw_config_build *build;
    size_t count;
    uint32_t **lists;
    size_t *counts;
    uint32_t *before; /* on the way found by the search; UINT32_MAX: not reached */
    uint32_t *queue;
};

static enum gw_err make_graph(struct graph *graph, struct gw_group_routing *const *routings,
                              yyjson_val *const *own)
{
    struct gw_arena *scratch = graph->build->context.scratch;
    const struct gw_catalog *catalog = graph->build->snapshot->catalog;
    graph->lists = gw_arena_try_alloc(scratch, (graph->count + 1) * sizeof(uint32_t *));
    graph->counts = gw_arena_try_alloc(scratch, (graph->count + 1) * sizeof(size_t));
    graph->before = gw_arena_try_alloc(scratch, (graph->count + 1) * sizeof(uint32_t));
    graph->queue = gw_arena_try_alloc(scratch, (graph->count + 1) * sizeof(uint32_t));
    if (graph->lists == NULL || graph->counts == NULL || graph->before == NULL ||
        graph->queue == NULL) {
        return GW_ERR_NOMEM;
    }
    for (size_t i = 0; i < graph->count; i++) {
        /* The default ones lead everywhere; nobody wrote a circle there. */
        const struct gw_name_list *list = &routings[i]->fallbacks;
        size_t count = own[i] == NULL ? 0 : list->count;
        graph->counts[i] = count;
        graph->lists[i] = gw_arena_try_alloc(scratch, (count + 1) * sizeof(uint32_t));
        if (graph->lists[i] == NULL) {
            return GW_ERR_NOMEM;
        }
        for (size_t j = 0; j < count; j++) {
            struct gw_str suffix = {0};
            graph->lists[i][j] = (uint32_t)gw_catalog_find(catalog, list->names[j], &suffix)->index;
        }
    }
    return GW_OK;
}

/* The way from |start| back to itself, breadth first; returns the group before |start|. */
static uint32_t find_way(struct graph *graph, uint32_t start)
{
    size_t head = 0;
    size_t tail = 0;
    memset(graph->before, 0xff, graph->count * sizeof(uint32_t));
    graph->queue[tail++] = start;
    while (head < tail) {
        uint32_t group = graph->queue[head++];
        for (size_t i = 0; i < graph->counts[group]; i++) {
            uint32_t next = graph->lists[group][i];
            if (next == start) {
                return group;
            }
            if (graph->before[next] == UINT32_MAX) {
                graph->before[next] = group;
                graph->queue[tail++] = next;
            }
        }
    }
    return start; /* not reached: |start| is on a circle */
}

/* " -> b -> a", from the group behind |start| to |start|; the way is known backwards. */
static void write_way(const struct graph *graph, uint32_t start, uint32_t last, struct gw_buf *text)
{
    const struct gw_catalog *catalog = graph->build->snapshot->catalog;
    size_t len = 0;
    graph->queue[len++] = start;
    for (uint32_t at = last; at != start; at = graph->before[at]) {
        graph->queue[len++] = at;
    }
    graph->queue[len++] = start;
    for (size_t i = len; i > 0; i--) {
        (void)gw_buf_appendf(text, "%s" GW_STR_FMT, i == len ? "" : " -> ",
                             GW_STR_ARG(gw_catalog_group(catalog, graph->queue[i - 1])->name));
    }
}

/* Leaves |to| out of the list of |from|, so that the next circle can be found. */
static void cut(struct graph *graph, uint32_t from, uint32_t to)
{
    size_t kept = 0;
    for (size_t i = 0; i < graph->counts[from]; i++) {
        if (graph->lists[from][i] != to) {
            graph->lists[from][kept++] = graph->lists[from][i];
        }
    }
    graph->counts[from] = kept;
}

enum gw_err gw_check_circles(struct gw_config_build *build,
                             struct gw_group_routing *const *routings, yyjson_val *const *blamed)
{
    struct graph graph = {.build = build,
                          .count = gw_catalog_group_count(build->snapshot->catalog)};
    enum gw_err err = make_graph(&graph, routings, blamed);
    uint32_t start = 0;
    for (unsigned i = 0; err == GW_OK && i < MAX_WARNINGS &&
                         gw_fallback_has_circle((const uint32_t *const *)graph.lists, graph.counts,
                                                graph.count, &start);
         i++) {
        struct gw_buf text;
        gw_buf_init(&text, TEXT_BYTES);
        uint32_t last = find_way(&graph, start);
        write_way(&graph, start, last, &text);
        gw_config_complain(&build->context, false, blamed[start],
                           "these fallbacks go round in a circle: " GW_STR_FMT
                           "%s; each model is tried once",
                           GW_STR_ARG(gw_buf_str(&text)), text.err == GW_OK ? "" : " -> ...");
        gw_buf_fini(&text);
        cut(&graph, last, start);
    }
    return err;
}
