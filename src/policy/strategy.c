/* SPDX-License-Identifier: MIT */
/* policy/strategy - keys, and who is chosen among those with the least one. */
#include "policy/strategy.h"

#include "base/assert.h"

#define NAME_BYTES 40 /* longer than any name or alias */
/* One pick in 50 tries any of them: the others' latencies must not stay unknown for ever. */
#define EXPLORE_ONE_IN 50u
/* Latencies within an eighth of the best are the same: all traffic on the best one of the last
 * minute makes it the worst of the next. */
#define LATENCY_NEAR_SHIFT 3u
#define UNKNOWN_SCORE      500u

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
static uint64_t falling_score(uint64_t value, uint64_t best, uint64_t worst)
{
    if (value <= best) {
        return 1000;
    }
    return value >= worst ? 0 : (worst - value) * 1000 / (worst - best);
}

uint64_t gw_strategy_smart_score(const struct gw_candidate *candidate,
                                 enum gw_complexity complexity)
{
    static const struct {
        uint64_t cost;
        uint64_t latency;
        uint64_t quality;
    } weights[] = {
        [GW_COMPLEXITY_LOW] = {700, 150, 150},
        [GW_COMPLEXITY_MEDIUM] = {330, 330, 340},
        [GW_COMPLEXITY_HIGH] = {150, 150, 700},
    };
    /* $0.0001 to $0.01 a request, 200 ms to 2 s. */
    uint64_t cost = falling_score(candidate->cost_nusd, 100000, 10000000);
    uint64_t latency = candidate->latency_us == 0
                           ? UNKNOWN_SCORE
                           : falling_score(candidate->latency_us, 200000, 2000000);
    uint64_t quality = candidate->quality == 0 ? UNKNOWN_SCORE : candidate->quality;
    uint64_t score = cost * weights[complexity].cost + latency * weights[complexity].latency +
                     quality * weights[complexity].quality;
    return score * candidate->health / 1000;
}

/* ---- keys: the least is the best ---- */

static uint64_t latency_key(const struct gw_candidate *candidate)
{
    if (candidate->latency_us > 0) {
        return candidate->latency_us;
    }
    /* Unknown ones are tried, one request at a time. */
    return candidate->in_flight == 0 ? 0 : UINT64_MAX;
}

static uint64_t key_of(enum gw_strategy strategy, enum gw_complexity complexity,
                       const struct gw_candidate *candidate)
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
    case GW_STRATEGY_LEAST_COST:
        return candidate->cost_nusd;
    case GW_STRATEGY_BEST_QUALITY:
        return UINT32_MAX - candidate->quality;
    case GW_STRATEGY_SMART:
        return 1000000 - gw_strategy_smart_score(candidate, complexity);
    case GW_STRATEGY_ROUND_ROBIN:
    case GW_STRATEGY_WEIGHTED:
    case GW_STRATEGY_RANDOM:
    case GW_STRATEGY_COUNT:
        break;
    }
    return 0;
}

/* Those with the least key. */
struct equals {
    uint64_t key_max;
    uint64_t weight; /* of all of them */
};

static struct equals write_keys(enum gw_strategy strategy, enum gw_complexity complexity,
                                struct gw_candidate *candidates, size_t count)
{
    struct equals equals = {.key_max = UINT64_MAX};
    for (size_t i = 0; i < count; i++) {
        uint64_t key = key_of(strategy, complexity, &candidates[i]);
        candidates[i].key = key;
        if (key < equals.key_max) {
            equals = (struct equals){.key_max = key};
        }
        equals.weight += key == equals.key_max ? candidates[i].weight : 0;
    }
    return equals;
}

/* Widens the circle to those that are nearly as fast. */
static struct equals add_near(struct equals equals, const struct gw_candidate *candidates,
                              size_t count)
{
    if (equals.key_max == 0 || equals.key_max == UINT64_MAX) {
        return equals;
    }
    equals.key_max += equals.key_max >> LATENCY_NEAR_SHIFT;
    equals.weight = 0;
    for (size_t i = 0; i < count; i++) {
        equals.weight += candidates[i].key <= equals.key_max ? candidates[i].weight : 0;
    }
    return equals;
}

/* ---- choosing among equals ---- */

/* The candidate that stands at |at| when each takes as much room as it weighs. */
static size_t find_at(uint64_t at, const struct gw_candidate *candidates, uint64_t key_max)
{
    for (size_t i = 0;; i++) {
        uint64_t weight = candidates[i].key <= key_max ? candidates[i].weight : 0;
        if (at < weight) {
            return i;
        }
        at -= weight;
    }
}

/*
 * Multiples of the golden ratio fill the circle more evenly than any other sequence: each candidate
 * gets its share of every stretch of picks, and not in a row. Unlike a smooth weighted round robin
 * it remembers nothing of the candidates, so one that comes back from a cooldown finds no debt and
 * is owed none, and it does not write to each of them.
 */
static size_t pick_smoothly(const struct gw_strategy_memory *memory, struct equals equals,
                            const struct gw_candidate *candidates)
{
    uint64_t angle = memory->turn * UINT64_C(0x9e3779b97f4a7c15);
    __extension__ unsigned __int128 wide = (unsigned __int128)angle * equals.weight;
    return find_at((uint64_t)(wide >> 64), candidates, equals.key_max);
}

static size_t pick_random(struct gw_strategy_memory *memory, struct gw_candidate *candidates,
                          size_t count)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        candidates[i].key = 0;
        total += candidates[i].weight;
    }
    return find_at(gw_rng_below(memory->rng, total), candidates, 0);
}

size_t gw_strategy_pick(enum gw_strategy strategy, struct gw_strategy_memory *memory,
                        enum gw_complexity complexity, struct gw_candidate *candidates,
                        size_t count)
{
    GW_ASSERT(count > 0);
    memory->turn++;
    if (count == 1) {
        return 0;
    }
    if (strategy == GW_STRATEGY_ROUND_ROBIN) {
        return (size_t)((memory->turn - 1) % count);
    }
    if (strategy == GW_STRATEGY_RANDOM ||
        (strategy == GW_STRATEGY_LATENCY_BASED && gw_rng_below(memory->rng, EXPLORE_ONE_IN) == 0)) {
        return pick_random(memory, candidates, count);
    }
    struct equals equals = write_keys(strategy, complexity, candidates, count);
    if (strategy == GW_STRATEGY_LATENCY_BASED) {
        equals = add_near(equals, candidates, count);
    }
    return pick_smoothly(memory, equals, candidates);
}
