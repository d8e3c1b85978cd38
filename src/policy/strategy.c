/* SPDX-License-Identifier: MIT */
/* policy/strategy - keys, and who is chosen among those with the least one. */
#include "policy/strategy.h"

#include <stdbool.h>

#include "base/assert.h"

#define NAME_BYTES 40 /* longer than any name or alias */
/* One pick in 50 tries any of them: the others' latencies must not stay unknown for ever. */
#define EXPLORE_ONE_IN 50u
/* Latencies within an eighth of the best are the same: all traffic on the best one of the last
 * minute makes it the worst of the next. */
#define LATENCY_NEAR_SHIFT 3u
#define UNKNOWN_SCORE      500u
#define SMART_MAX          1000000000u
#define KEY_MAX            (GW_LEAST_ABSENT - 1)

/* ---- names ---- */

static const struct {
    struct gw_str name;
    enum gw_strategy strategy;
} names[] = {
#define XX(id, name) {GW_STR_INIT(name), GW_STRATEGY_##id},
    GW_STRATEGY_MAP(XX)
#undef XX
        {GW_STR_INIT("least_latency"), GW_STRATEGY_LATENCY_BASED},
    {GW_STR_INIT("lowest_latency"), GW_STRATEGY_LATENCY_BASED},
    {GW_STR_INIT("latency_based_routing"), GW_STRATEGY_LATENCY_BASED},
    {GW_STR_INIT("weighted_round_robin"), GW_STRATEGY_WEIGHTED},
    {GW_STR_INIT("simple_shuffle"), GW_STRATEGY_RANDOM},
    {GW_STR_INIT("least_connections"), GW_STRATEGY_LEAST_BUSY},
    {GW_STR_INIT("usage_based_routing"), GW_STRATEGY_USAGE_BASED},
    {GW_STR_INIT("usage_based_routing_v2"), GW_STRATEGY_USAGE_BASED},
    {GW_STR_INIT("cost_based"), GW_STRATEGY_LEAST_COST},
    {GW_STR_INIT("cost_based_routing"), GW_STRATEGY_LEAST_COST},
    {GW_STR_INIT("lowest_cost"), GW_STRATEGY_LEAST_COST},
};

enum gw_err gw_strategy_parse(struct gw_str name, enum gw_strategy *strategy)
{
    char plain[NAME_BYTES];
    name = gw_str_trim(name);
    if (name.len > sizeof(plain)) {
        return GW_ERR_NOT_FOUND;
    }
    for (size_t i = 0; i < name.len; i++) {
        plain[i] = name.ptr[i] == '-' ? '_' : name.ptr[i];
    }
    for (size_t i = 0; i < GW_ARRAY_LEN(names); i++) {
        if (gw_str_eq_nocase(gw_str(plain, name.len), names[i].name)) {
            *strategy = names[i].strategy;
            return GW_OK;
        }
    }
    return GW_ERR_NOT_FOUND;
}

struct gw_str gw_strategy_name(enum gw_strategy strategy)
{
    GW_ASSERT((unsigned)strategy < GW_STRATEGY_COUNT);
    return names[strategy].name;
}

/* ---- smart: linear scores, weighed by how hard the request is ---- */

/* 1000 at |best| or below, 0 at |worst| or above. */
static inline uint64_t falling_score(uint64_t value, uint64_t best, uint64_t worst)
{
    if (value <= best) {
        return 1000;
    }
    return value >= worst ? 0 : (worst - value) * 1000 / (worst - best);
}

static const struct {
    uint32_t cost;
    uint32_t latency;
    uint32_t quality;
} smart_weights[] = {
    [GW_COMPLEXITY_LOW] = {700, 150, 150},
    [GW_COMPLEXITY_MEDIUM] = {330, 330, 340},
    [GW_COMPLEXITY_HIGH] = {150, 150, 700},
};

/* All but the cost, latencies from 200 ms to 2 s: changes when an exchange ends, not from request
 * to request. */
static uint32_t standing(const struct gw_candidate *candidate, enum gw_complexity complexity)
{
    uint32_t latency = candidate->latency_us == 0
                           ? UNKNOWN_SCORE
                           : (uint32_t)falling_score(candidate->latency_us, 200000, 2000000);
    uint32_t quality = candidate->quality == 0 ? UNKNOWN_SCORE : candidate->quality;
    return latency * smart_weights[complexity].latency +
           quality * smart_weights[complexity].quality;
}

/* From $0.0001 to $0.01 a request. */
static uint32_t cost_score(uint64_t nusd)
{
    return (uint32_t)falling_score(nusd, 100000, 10000000);
}

uint64_t gw_strategy_smart_score(const struct gw_candidate *candidate,
                                 enum gw_complexity complexity)
{
    uint64_t cost = (uint64_t)cost_score(candidate->cost_nusd) * smart_weights[complexity].cost;
    return (cost + standing(candidate, complexity)) * candidate->health / 1000;
}

/* ---- keys: the least is the best ---- */

static uint64_t latency_key(const struct gw_candidate *candidate)
{
    if (candidate->latency_us > 0) {
        return candidate->latency_us;
    }
    /* Unknown ones are tried, one request at a time. */
    return candidate->in_flight == 0 ? 0 : KEY_MAX;
}

static uint64_t key_of(enum gw_strategy strategy, const struct gw_candidate *candidate)
{
    switch (strategy) {
    case GW_STRATEGY_PRIORITY:
        return (uint64_t)((int64_t)INT32_MAX - candidate->priority);
    case GW_STRATEGY_LEAST_BUSY: /* by weight: twice the weight may have twice the requests */
        return candidate->weight == 1 ? (uint64_t)candidate->in_flight << 20
                                      : ((uint64_t)candidate->in_flight << 20) / candidate->weight;
    case GW_STRATEGY_LATENCY_BASED:
        return latency_key(candidate);
    case GW_STRATEGY_USAGE_BASED:
        return 1000u - (candidate->room_permille < 1000 ? candidate->room_permille : 1000);
    case GW_STRATEGY_BEST_QUALITY:
        return UINT32_MAX - candidate->quality;
    case GW_STRATEGY_ROUND_ROBIN:
    case GW_STRATEGY_WEIGHTED:
    case GW_STRATEGY_RANDOM:
    case GW_STRATEGY_LEAST_COST: /* by the request: gw_strategy_write_keys() */
    case GW_STRATEGY_SMART:
    case GW_STRATEGY_COUNT:
        break;
    }
    return 0;
}

/* The score without its division, turned round: the better, the less. */
static void prepare_smart(struct gw_candidate *candidate)
{
    for (unsigned i = 0; i < GW_ARRAY_LEN(smart_weights); i++) {
        uint32_t rest = standing(candidate, (enum gw_complexity)i);
        candidate->smart_base[i] = SMART_MAX - rest * candidate->health;
        candidate->smart_slope[i] = smart_weights[i].cost * candidate->health;
    }
}

static void write_smart_keys(enum gw_complexity complexity, const struct gw_candidate *candidates,
                             size_t count, const struct gw_strategy_costs *costs, uint64_t *keys)
{
    uint32_t scores[GW_LEAST_MAX];
    const uint16_t *of = costs->of;
    for (size_t i = 0; i < costs->count; i++) {
        scores[i] = cost_score(costs->nusd[i]);
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t gain = scores[of[i]] * candidates[i].smart_slope[complexity];
        uint64_t key = candidates[i].smart_base[complexity] - gain;
        keys[i] = keys[i] == GW_LEAST_ABSENT ? GW_LEAST_ABSENT : key;
    }
}

static void write_cost_keys(size_t count, const struct gw_strategy_costs *costs, uint64_t *keys)
{
    const uint64_t *nusd = costs->nusd;
    const uint16_t *of = costs->of;
    for (size_t i = 0; i < count; i++) {
        keys[i] = keys[i] == GW_LEAST_ABSENT ? GW_LEAST_ABSENT : nusd[of[i]];
    }
}

void gw_strategy_write_keys(enum gw_strategy strategy, enum gw_complexity complexity,
                            const struct gw_candidate *candidates, size_t count,
                            const struct gw_strategy_costs *costs, struct gw_least *table)
{
    if (strategy == GW_STRATEGY_SMART) {
        write_smart_keys(complexity, candidates, count, costs, table->keys);
        gw_least_touch(table);
    } else if (strategy == GW_STRATEGY_LEAST_COST) {
        write_cost_keys(count, costs, table->keys);
        gw_least_touch(table);
    }
}

void gw_strategy_set_key(enum gw_strategy strategy, struct gw_candidate *candidate, size_t index,
                         struct gw_least *table)
{
    uint32_t weight = strategy == GW_STRATEGY_ROUND_ROBIN ? 1 : candidate->weight;
    uint64_t key = key_of(strategy, candidate);
    if (strategy == GW_STRATEGY_SMART) {
        prepare_smart(candidate);
    }
    if (table->keys[index] != key || table->weights[index] != weight) {
        gw_least_set(table, index, key, weight);
    }
}

/* ---- choosing among equals ---- */

/*
 * Multiples of the golden ratio fill the circle more evenly than any other sequence: each candidate
 * gets its share of every stretch of picks, and not in a row. Unlike a smooth weighted round robin
 * it remembers nothing of the candidates, so one that comes back from a cooldown finds no debt and
 * is owed none, and it does not write to each of them.
 */
static uint64_t smooth_place(uint64_t turn, uint64_t weight)
{
    uint64_t angle = turn * UINT64_C(0x9e3779b97f4a7c15);
    __extension__ unsigned __int128 wide = (unsigned __int128)angle * weight;
    return (uint64_t)(wide >> 64);
}

size_t gw_strategy_choose(enum gw_strategy strategy, struct gw_strategy_memory *memory,
                          struct gw_least *table)
{
    uint64_t key_max = gw_least_key(table);
    GW_ASSERT(key_max != GW_LEAST_ABSENT);
    uint64_t turn = memory->turn++;
    if (strategy == GW_STRATEGY_LATENCY_BASED && gw_rng_below(memory->rng, EXPLORE_ONE_IN) == 0) {
        strategy = GW_STRATEGY_RANDOM;
        key_max = KEY_MAX;
    } else if (strategy == GW_STRATEGY_LATENCY_BASED && key_max < KEY_MAX) {
        key_max += key_max >> LATENCY_NEAR_SHIFT; /* those that are nearly as fast, too */
    }
    uint64_t weight = gw_least_weight(table, key_max);
    uint64_t at = strategy == GW_STRATEGY_RANDOM        ? gw_rng_below(memory->rng, weight)
                  : strategy == GW_STRATEGY_ROUND_ROBIN ? turn % weight
                                                        : smooth_place(turn + 1, weight);
    return gw_least_at(table, key_max, at);
}

size_t gw_strategy_pick(enum gw_strategy strategy, struct gw_strategy_memory *memory,
                        enum gw_complexity complexity, struct gw_candidate *candidates,
                        size_t count)
{
    _Alignas(8) char room[GW_LEAST_BYTES_MAX];
    uint64_t nusd[GW_LEAST_MAX];
    uint16_t of[GW_LEAST_MAX];
    struct gw_strategy_costs costs = {.nusd = nusd, .count = count, .of = of};
    struct gw_least table;
    GW_ASSERT(count > 0);
    gw_least_init(&table, count, room);
    for (size_t i = 0; i < count; i++) {
        nusd[i] = candidates[i].cost_nusd;
        of[i] = (uint16_t)i;
        gw_strategy_set_key(strategy, &candidates[i], i, &table);
    }
    gw_strategy_write_keys(strategy, complexity, candidates, count, &costs, &table);
    return gw_strategy_choose(strategy, memory, &table);
}
