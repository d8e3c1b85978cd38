/* SPDX-License-Identifier: MIT */
/*
 * policy/strategy - the ten ways to choose one of several deployments that could all serve.
 *
 * Source:   reference/compat.md 1.2 "Routing algorithm facts" (smart), 2.2, 6.12.
 * Shape:    candidates are plain values; a pick gives each a key and takes the least. Equal ones
 *           share by weight, smoothly, but for the strategies that do so by nature.
 * Units:    microseconds, nano-USD, thousandths
 * Limits:   none of its own
 * Memory:   gw_strategy_memory is one group's on one worker; the caller's.
 * Threads:  a memory is not shared: no lock, no atomic.
 * Errors:   GW_ERR_NOT_FOUND for an unknown name
 */
#ifndef GW_POLICY_STRATEGY_H
#define GW_POLICY_STRATEGY_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/rng.h"
#include "base/str.h"

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
    uint64_t key; /* private: written by the pick */
    uint64_t cost_nusd;
    uint32_t index; /* in the group */
    uint32_t weight;
    int32_t priority;
    uint32_t in_flight;
    uint32_t latency_us;    /* to the first byte; 0: unknown */
    uint32_t room_permille; /* of its limits */
    uint32_t quality;       /* 0..1000; 0: unknown */
    uint32_t health;        /* 0..1000 */
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

/* Position in |candidates| of the one to take; |count| is at least 1. */
size_t gw_strategy_pick(enum gw_strategy strategy, struct gw_strategy_memory *memory,
                        enum gw_complexity complexity, struct gw_candidate *candidates,
                        size_t count);

/* The score of |candidate| under "smart", 0..1000000; for those who explain. */
uint64_t gw_strategy_smart_score(const struct gw_candidate *candidate,
                                 enum gw_complexity complexity);

#endif
