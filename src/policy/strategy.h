/* SPDX-License-Identifier: MIT */
/*
 * policy/strategy - the ten ways to choose one of several deployments that could all serve.
 *
 * Source:   reference/compat.md 1.2 "Routing algorithm facts" (smart), 2.2, 6.12.
 * Shape:    candidates are plain values; each has a key and the least is taken. Equal ones share by
 *           weight, smoothly, but for the strategies that do so by nature.
 * Units:    microseconds, nano-USD, thousandths
 * Limits:   GW_LEAST_MAX candidates
 * Memory:   gw_strategy_memory is one group's on one worker; the caller's.
 * Threads:  a memory is not shared: no lock, no atomic.
 * Errors:   GW_ERR_NOT_FOUND for an unknown name
 */
#ifndef GW_POLICY_STRATEGY_H
#define GW_POLICY_STRATEGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/rng.h"
#include "base/str.h"
#include "policy/least.h"

/* XX(IDENTIFIER, name) */
#define GW_STRATEGY_MAP(XX)                                                                        \
    XX(PRIORITY, "priority")                                                                       \
    XX(ROUND_ROBIN, "round_robin")                                                                 \
    XX(LEAST_BUSY, "least_busy")                                                                   \
    XX(WEIGHTED, "weighted")                                                                       \
    XX(LATENCY_BASED, "latency_based")                                                             \
    XX(USAGE_BASED, "usage_based")                                                                 \
    XX(RANDOM, "random")                                                                           \
    XX(LEAST_COST, "least_cost")                                                                   \
    XX(BEST_QUALITY, "best_quality")                                                               \
    XX(SMART, "smart")

/* Zero is the default. */
enum gw_strategy {
#define XX(id, name) GW_STRATEGY_##id,
    GW_STRATEGY_MAP(XX)
#undef XX
        GW_STRATEGY_COUNT
};

/* How hard a request is; policy/complexity finds out. */
enum gw_complexity {
    GW_COMPLEXITY_LOW,
    GW_COMPLEXITY_MEDIUM,
    GW_COMPLEXITY_HIGH,
};

/* One that could serve. */
struct gw_candidate {
    uint64_t cost_nusd;
    uint32_t index; /* in the group */
    uint32_t weight;
    int32_t priority;
    uint32_t in_flight;
    uint32_t latency_us;    /* to the first byte; 0: unknown */
    uint32_t room_permille; /* of its limits */
    uint32_t quality;       /* 0..1000; 0: unknown */
    uint32_t health;        /* 0..1000 */
    /* Private, by complexity: smart's key is base - slope times the score of the cost. */
    uint32_t smart_base[3];
    uint32_t smart_slope[3];
};

/* What a strategy remembers from pick to pick. */
struct gw_strategy_memory {
    struct gw_rng *rng;
    uint64_t turn;
};

/*
 * The strategy called |name|; '-' and '_', capitals and aliases of other gateways are accepted.
 *
 * Errors: GW_ERR_NOT_FOUND.
 */
GW_MUST_USE enum gw_err gw_strategy_parse(struct gw_str name, enum gw_strategy *strategy);

/* The strategy's own name; static. */
struct gw_str gw_strategy_name(enum gw_strategy strategy);

/* Do the keys depend on the request, by its cost? */
static inline bool gw_strategy_asks(enum gw_strategy strategy)
{
    return strategy == GW_STRATEGY_LEAST_COST || strategy == GW_STRATEGY_SMART;
}

/* Sets the key of |candidate| at |index| of |table|, where it now is present. */
void gw_strategy_set_key(enum gw_strategy strategy, struct gw_candidate *candidate, size_t index,
                         struct gw_least *table);

/* What the request would cost at each of some prices, and whose price is which: deployments of a
 * group mostly have one of a few. */
struct gw_strategy_costs {
    const uint64_t *nusd;
    size_t count;
    const uint16_t *of; /* by candidate: position in |nusd| */
};

/* Sets the keys that depend on the request, of all of |candidates| that are present in |table|;
 * nothing to do for the other strategies. */
void gw_strategy_write_keys(enum gw_strategy strategy, enum gw_complexity complexity,
                            const struct gw_candidate *candidates, size_t count,
                            const struct gw_strategy_costs *costs, struct gw_least *table);

/* The one of |table| to take; at least one is present. */
size_t gw_strategy_choose(enum gw_strategy strategy, struct gw_strategy_memory *memory,
                          struct gw_least *table);

/* All of these at once, for those who do not keep a table: position in |candidates| of the one to
 * take; |count| is at least 1. */
size_t gw_strategy_pick(enum gw_strategy strategy, struct gw_strategy_memory *memory,
                        enum gw_complexity complexity, struct gw_candidate *candidates,
                        size_t count);

/* The score of |candidate| under "smart", 0..1000000; for those who explain. */
uint64_t gw_strategy_smart_score(const struct gw_candidate *candidate,
                                 enum gw_complexity complexity);

#endif
