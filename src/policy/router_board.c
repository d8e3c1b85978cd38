/* SPDX-License-Identifier: MIT */
/* policy/router_board - who could serve, as of some milliseconds ago. */
#include "base/alloc.h"
#include "policy/affinity.h"
#include "policy/router_int.h"

#define RELAXED       memory_order_relaxed
#define PUSD_PER_NUSD 1000u

static uint16_t add_price(struct gw_router_board *board, const struct gw_router_member *member)
{
    struct gw_router_price price = {.input_pusd = member->input_pusd,
                                    .output_pusd = member->output_pusd};
    size_t at = 0;
    while (at < board->price_count && (board->prices[at].input_pusd != price.input_pusd ||
                                       board->prices[at].output_pusd != price.output_pusd)) {
        at++;
    }
    board->prices[at] = price;
    board->price_count += at == board->price_count;
    return (uint16_t)at;
}

void gw_router_board_init(struct gw_router_team *team)
{
    struct gw_router_board *board = &team->board;
    size_t room = team->count + 1; /* a group may be empty, an allocation not */
    *board = (struct gw_router_board){
        .candidates = gw_zalloc(sizeof(*board->candidates) * room),
        .prices = gw_zalloc(sizeof(*board->prices) * room),
        .price_of = gw_zalloc(sizeof(*board->price_of) * room),
        .marks = gw_zalloc(sizeof(*board->marks) * room),
        .room = gw_zalloc(gw_least_bytes(room)),
    };
    gw_least_init(&board->table, team->count, board->room);
    team->common_tags = UINT64_MAX;
    team->input_tokens_max = UINT64_MAX;
    team->is_even = true;
    for (size_t i = 0; i < team->count; i++) {
        const struct gw_router_member *member = &team->members[i];
        board->price_of[i] = add_price(board, member);
        board->candidates[i] = (struct gw_candidate){.index = (uint32_t)i,
                                                     .weight = member->weight,
                                                     .priority = member->priority,
                                                     .quality = member->quality};
        board->marks[i] = gw_affinity_mark(i);
        team->common_tags &= member->tags;
        team->is_even = team->is_even && member->weight == team->members[0].weight;
        if (member->max_input_tokens > 0 && member->max_input_tokens < team->input_tokens_max) {
            team->input_tokens_max = member->max_input_tokens;
        }
    }
}

void gw_router_board_fini(struct gw_router_team *team)
{
    gw_free(team->board.candidates);
    gw_free(team->board.price_of);
    gw_free(team->board.marks);
    gw_free(team->board.room);
    gw_free(team->board.prices);
}

/* ---- what candidates are compared by ---- */

/* Only what the strategy reads. */
static void fill_moving(const struct gw_router_team *team, const struct gw_router_member *member,
                        uint64_t now_ms, struct gw_candidate *candidate)
{
    const struct gw_deployment_state *state = member->state;
    candidate->in_flight = atomic_load_explicit(&state->limits.in_flight, RELAXED);
    if (team->strategy == GW_STRATEGY_USAGE_BASED) {
        candidate->room_permille = gw_limits_room_permille(&state->limits, &member->limits, now_ms);
    } else if (team->strategy == GW_STRATEGY_LATENCY_BASED || team->strategy == GW_STRATEGY_SMART) {
        candidate->latency_us = gw_health_latency_us(&state->health, now_ms);
        candidate->health = gw_health_points(&state->health) / (GW_HEALTH_FULL / 1000);
    }
}

void gw_router_board_fill(struct gw_router_team *team, size_t index, uint64_t now_ms,
                          struct gw_least *table)
{
    fill_moving(team, &team->members[index], now_ms, &team->board.candidates[index]);
    gw_strategy_set_key(team->strategy, &team->board.candidates[index], index, table);
}

static uint64_t cost_nusd(struct gw_router_price price, const struct gw_router_ask *ask)
{
    uint64_t input = 0;
    uint64_t output = 0;
    uint64_t sum = 0;
    if (__builtin_mul_overflow(price.input_pusd, ask->input_tokens, &input) ||
        __builtin_mul_overflow(price.output_pusd, ask->output_tokens, &output) ||
        __builtin_add_overflow(input, output, &sum)) {
        return UINT64_MAX / PUSD_PER_NUSD;
    }
    return sum / PUSD_PER_NUSD;
}

void gw_router_board_fill_costs(struct gw_router_team *team, const struct gw_router_ask *ask,
                                struct gw_least *table)
{
    uint64_t nusd[GW_ROUTER_MAX];
    const struct gw_router_board *board = &team->board;
    if (!gw_strategy_asks(team->strategy)) {
        return;
    }
    for (size_t i = 0; i < board->price_count; i++) {
        nusd[i] = cost_nusd(board->prices[i], ask);
    }
    struct gw_strategy_costs costs = {
        .nusd = nusd, .count = board->price_count, .of = board->price_of};
    gw_strategy_write_keys(team->strategy, ask->complexity, board->candidates, team->count, &costs,
                           table);
}

/* ---- who is on the board ---- */

/* Could |member| serve the smallest request? Who is down by its probes is left to those who find
 * nobody on the board. */
static bool can_serve(const struct gw_router_member *member, size_t index, uint64_t now_ms)
{
    struct gw_router_ask ask = {.now_ms = now_ms, .input_tokens = 1};
    return !gw_router_is_down(member) &&
           gw_router_check(member, index, &ask).skip == GW_ROUTER_SKIP_NONE;
}

static void look_at(struct gw_router_team *team, size_t index, uint64_t now_ms)
{
    struct gw_least *table = &team->board.table;
    if (can_serve(&team->members[index], index, now_ms)) {
        gw_router_board_fill(team, index, now_ms, table);
    } else if (table->keys[index] != GW_LEAST_ABSENT) {
        gw_least_set(table, index, GW_LEAST_ABSENT, 0);
    }
}

void gw_router_board_look_at(struct gw_router_team *team, size_t index, uint64_t now_ms)
{
    if (team->board.is_known) { /* else all of it is looked at before it is used */
        look_at(team, index, now_ms);
    }
}

void gw_router_board_look(struct gw_router_team *team, uint64_t now_ms)
{
    struct gw_router_board *board = &team->board;
    if (board->is_known && now_ms - board->looked_at_ms < GW_ROUTER_LOOK_MS) {
        return; /* a clock that jumped back makes a large difference */
    }
    for (size_t i = 0; i < team->count; i++) {
        look_at(team, i, now_ms);
    }
    board->looked_at_ms = now_ms;
    board->is_known = true;
}

void gw_router_board_move(struct gw_router_team *team, size_t index, uint64_t now_ms)
{
    struct gw_router_board *board = &team->board;
    if (board->is_known && board->table.keys[index] != GW_LEAST_ABSENT) {
        gw_router_board_fill(team, index, now_ms, &board->table);
    } else {
        gw_router_board_look_at(team, index, now_ms);
    }
}
