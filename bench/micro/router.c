/* SPDX-License-Identifier: MIT */
/*
 * micro/router - what a pick and the end of its exchange cost, without the rest of the gateway.
 *
 *   micro_router [DEPLOYMENTS [STRATEGY [ROUNDS]]]
 *
 * Without a strategy: all of them. Each deployment has one key and one of ten prices; the clock
 * moves on by a millisecond each 20 requests, as it does for a worker with 20,000 requests a
 * second. Run it under `perf stat -e instructions` or callgrind with one strategy.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "policy/router.h"

#define BATCH          16  /* exchanges in flight; the clock is read once for so many */
#define WINDOW         500 /* batches: 400 ms of the simulated clock. The best window counts */
#define DEFAULT_ROUNDS 50  /* windows */
#define REQUESTS_A_MS  20

struct bench {
    struct gw_deployment_registry *registry;
    struct gw_breaker_options breaker;
    struct gw_router_member members[GW_ROUTER_MAX];
    struct gw_credential_state *keys[GW_ROUTER_MAX];
    size_t count;
};

static void setup(struct bench *bench, size_t count)
{
    *bench = (struct bench){.registry = gw_deployment_registry_create(), .count = count};
    gw_breaker_options_bound(&bench->breaker);
    for (size_t i = 0; i < count; i++) {
        char id[16];
        struct gw_str name = gw_str(id, (size_t)snprintf(id, sizeof(id), "d%zu", i));
        bench->keys[i] = gw_credential_state_acquire(bench->registry, name, 1);
        bench->members[i] = (struct gw_router_member){
            .state = gw_deployment_state_acquire(bench->registry, name),
            .pool = {.states = &bench->keys[i], .count = 1},
            .breaker = &bench->breaker,
            .input_pusd = 150000 + 10000 * (i % 10),
            .output_pusd = 600000,
            .quality = (uint32_t)(500 + i % 7),
        };
    }
}

static void teardown(struct bench *bench)
{
    for (size_t i = 0; i < bench->count; i++) {
        gw_credential_state_release(bench->registry, &bench->keys[i]);
        gw_deployment_state_release(bench->registry, &bench->members[i].state);
    }
    gw_deployment_registry_destroy(&bench->registry);
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* One batch: picks, then ends; adds the time of each. */
static void run_batch(struct gw_router *router, uint64_t affinity, uint64_t *requests,
                      uint64_t *pick_ns, uint64_t *end_ns)
{
    struct gw_router_choice choices[BATCH];
    uint64_t begun_ns = gw_clock_mono_ns();
    for (size_t i = 0; i < BATCH; i++) {
        struct gw_router_ask ask = {.now_ms = 1000000 + ++*requests / REQUESTS_A_MS,
                                    .input_tokens = 1000,
                                    .output_tokens = 200,
                                    .complexity = GW_COMPLEXITY_MEDIUM,
                                    .affinity = affinity == 0 ? 0 : affinity + *requests};
        if (!gw_router_pick(router, 0, &ask, &choices[i])) {
            abort(); /* everything is healthy */
        }
    }
    uint64_t picked_ns = gw_clock_mono_ns();
    for (size_t i = 0; i < BATCH; i++) {
        struct gw_router_report report = {.outcome = GW_ROUTER_SUCCEEDED,
                                          .first_byte_us = 100000 + 977 * choices[i].member,
                                          .tokens = 900,
                                          .was_sent = true};
        (void)gw_router_end(router, 0, &choices[i], &report, 1000000 + *requests / REQUESTS_A_MS);
    }
    *pick_ns += picked_ns - begun_ns;
    *end_ns += gw_clock_mono_ns() - picked_ns;
}

static void run(struct bench *bench, enum gw_strategy strategy, uint64_t affinity, uint64_t rounds)
{
    struct gw_router_group group = {
        .members = bench->members, .count = bench->count, .strategy = strategy};
    struct gw_router *router = gw_router_create(&group, 1, 7);
    uint64_t best_pick_ns = UINT64_MAX;
    uint64_t best_end_ns = UINT64_MAX;
    uint64_t requests = 0;
    for (uint64_t round = 0; round < rounds; round++) {
        uint64_t pick_ns = 0;
        uint64_t end_ns = 0;
        for (unsigned i = 0; i < WINDOW; i++) {
            run_batch(router, affinity, &requests, &pick_ns, &end_ns);
        }
        best_pick_ns = least(best_pick_ns, pick_ns / (WINDOW * BATCH));
        best_end_ns = least(best_end_ns, end_ns / (WINDOW * BATCH));
    }
    printf("%4zu deployments  %-14s%s  pick %5" PRIu64 " ns  end %4" PRIu64 " ns\n", bench->count,
           gw_strategy_name(strategy).ptr, affinity != 0 ? " sticky" : "", best_pick_ns,
           best_end_ns);
    gw_router_destroy(&router);
}

int main(int argc, char **argv)
{
    uint64_t count = 100;
    uint64_t rounds = DEFAULT_ROUNDS;
    bool is_bad = argc > 1 && gw_parse_u64(gw_str_from_c(argv[1]), &count) != GW_OK;
    is_bad = is_bad || (argc > 3 && gw_parse_u64(gw_str_from_c(argv[3]), &rounds) != GW_OK);
    static struct bench bench;
    if (is_bad || count == 0 || count > GW_ROUTER_MAX) {
        fprintf(stderr, "micro_router: 1 to %d deployments\n", GW_ROUTER_MAX);
        return 2;
    }
    setup(&bench, count);
    enum gw_strategy strategy = GW_STRATEGY_PRIORITY;
    if (argc > 2 && gw_strategy_parse(gw_str_from_c(argv[2]), &strategy) != GW_OK) {
        fprintf(stderr, "micro_router: no strategy \"%s\"\n", argv[2]);
        teardown(&bench);
        return 2;
    }
    if (argc > 2) {
        run(&bench, strategy, 0, rounds);
    } else {
        for (unsigned s = 0; s < GW_STRATEGY_COUNT; s++) {
            run(&bench, (enum gw_strategy)s, 0, rounds);
        }
        run(&bench, GW_STRATEGY_ROUND_ROBIN, 1, rounds);
    }
    teardown(&bench);
    return 0;
}
