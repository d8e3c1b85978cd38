/* SPDX-License-Identifier: MIT */
/*
 * policy/router_int - what the files of the router share.
 *
 * Source:   none
 * Shape:    router_filter says whether a deployment could serve; router_board remembers for whom
 *           that was so; router chooses and takes.
 * Units:    milliseconds of a monotonic clock
 * Limits:   as in policy/router
 * Memory:   a group's arrays belong to its board.
 * Threads:  one worker's
 * Errors:   none
 */
#ifndef GW_POLICY_ROUTER_INT_H
#define GW_POLICY_ROUTER_INT_H

#include "policy/router.h"

/* One that some deployments have. */
struct gw_router_price {
    uint64_t input_pusd;
    uint64_t output_pusd;
};

/*
 * The deployments that could serve a request when this worker last looked: every GW_ROUTER_LOOK_MS
 * at all of them, and at one when it did not get it or it failed. Taking checks everything again,
 * so what has changed meanwhile, here or at another worker, costs a second look, no mistake.
 */
struct gw_router_board {
    struct gw_candidate *candidates; /* by member */
    struct gw_router_price *prices;  /* different ones */
    size_t price_count;
    uint16_t *price_of;    /* by member: position in |prices| */
    uint64_t *marks;       /* by member: policy/affinity's */
    struct gw_least table; /* present: those that could serve */
    void *room;            /* of the table */
    uint64_t looked_at_ms;
    bool is_known;
};

struct gw_router_team {
    struct gw_router_member *members;
    size_t count;
    enum gw_strategy strategy;
    struct gw_strategy_memory memory;
    struct gw_router_board board;
    uint64_t common_tags;      /* every member has them */
    uint64_t input_tokens_max; /* that fit every member */
    bool is_even;              /* all weigh the same */
};

/* What does not change while the request waits: may |member|, number |index|, serve it at all? */
enum gw_router_skip gw_router_check_fit(const struct gw_router_member *member, size_t index,
                                        const struct gw_router_ask *ask);

/* Could it serve now? */
struct gw_router_reason gw_router_check(const struct gw_router_member *member, size_t index,
                                        const struct gw_router_ask *ask);

/* Is it down by its probes? */
bool gw_router_is_down(const struct gw_router_member *member);

/* Has it as many exchanges as its adaptive limit allows? */
bool gw_router_is_loaded(const struct gw_router_member *member);

/* Input and output tokens together. */
uint64_t gw_router_tokens_of(const struct gw_router_ask *ask);

/* The keys of |member| that the request has tried, a bit each. */
uint64_t gw_router_tried_keys(const struct gw_router_ask *ask, size_t member);

/* An empty board for the members of |team|; weights are set. */
void gw_router_board_init(struct gw_router_team *team);

/* Frees the arrays. */
void gw_router_board_fini(struct gw_router_team *team);

/* Looks at all members if the last look is too long ago. */
void gw_router_board_look(struct gw_router_team *team, uint64_t now_ms);

/* Looks at |member| again. */
void gw_router_board_look_at(struct gw_router_team *team, size_t member, uint64_t now_ms);

/* |member| was taken, or ended well: what it is compared by has moved, and little else. */
void gw_router_board_move(struct gw_router_team *team, size_t member, uint64_t now_ms);

/* Writes what |member| is compared by into its candidate, and its key into |table|. */
void gw_router_board_fill(struct gw_router_team *team, size_t member, uint64_t now_ms,
                          struct gw_least *table);

/* Writes the keys that depend on what the request would cost. */
void gw_router_board_fill_costs(struct gw_router_team *team, const struct gw_router_ask *ask,
                                struct gw_least *table);

#endif
