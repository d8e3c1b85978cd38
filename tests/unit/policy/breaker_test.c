/* SPDX-License-Identifier: MIT */
/* policy/breaker - transitions, every order of several workers, and threads. */
#include "policy/breaker.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START 1000000u

static struct gw_breaker_options options_of(struct gw_breaker_options options)
{
    gw_breaker_options_bound(&options);
    return options;
}

static bool call(struct gw_breaker *breaker, const struct gw_breaker_options *options,
                 enum gw_breaker_outcome outcome, uint64_t now_ms)
{
    struct gw_breaker_ticket ticket;
    if (!gw_breaker_begin(breaker, options, now_ms, &ticket)) {
        return false;
    }
    gw_breaker_end(breaker, options, ticket, outcome, 1, now_ms);
    return true;
}

static void fail_times(struct gw_breaker *breaker, const struct gw_breaker_options *options,
                       unsigned count, uint64_t now_ms)
{
    for (unsigned i = 0; i < count; i++) {
        assert_true(call(breaker, options, GW_BREAKER_FAILURE, now_ms));
    }
}

static void test_defaults_and_bounds(void **state)
{
    (void)state;
    struct gw_breaker_options options = options_of((struct gw_breaker_options){0});
    assert_int_equal(options.failure_threshold, 5);
    assert_int_equal(options.cooldown_ms, 30000);
    assert_int_equal(options.probes, 3);
    assert_int_equal(options.successes, 2);
    options = options_of((struct gw_breaker_options){.failure_threshold = 1u << 30,
                                                     .probes = 1,
                                                     .successes = 99,
                                                     .cooldown_ms = UINT64_MAX,
                                                     .cooldown_max_ms = 1});
    assert_int_equal(options.failure_threshold, 255);
    assert_int_equal(options.successes, 1);
    assert_int_equal(options.cooldown_ms, 24 * 3600 * 1000);
    assert_int_equal(options.cooldown_max_ms, options.cooldown_ms);
}

static void test_failures_in_a_row_open_it(void **state)
{
    (void)state;
    struct gw_breaker breaker = {0};
    struct gw_breaker_options options = options_of((struct gw_breaker_options){0});
    fail_times(&breaker, &options, 4, START);
    assert_true(call(&breaker, &options, GW_BREAKER_SUCCESS, START));
    fail_times(&breaker, &options, 4, START);
    assert_true(call(&breaker, &options, GW_BREAKER_NOTHING, START));
    assert_int_equal(gw_breaker_phase(&breaker, &options, START), GW_BREAKER_CLOSED);
    fail_times(&breaker, &options, 1, START);
    assert_int_equal(gw_breaker_phase(&breaker, &options, START), GW_BREAKER_OPEN);
    assert_false(gw_breaker_can_begin(&breaker, &options, START + 29999));
    assert_int_equal(gw_breaker_wait_ms(&breaker, &options, START + 10000), 20000);
    assert_false(call(&breaker, &options, GW_BREAKER_SUCCESS, START + 29999));
    assert_int_equal(gw_breaker_phase(&breaker, &options, START + 30000), GW_BREAKER_HALF_OPEN);
    assert_int_equal(breaker.openings_total, 1);
}

static void test_half_open_lets_a_set_number_through(void **state)
{
    (void)state;
    struct gw_breaker breaker = {0};
    struct gw_breaker_options options = options_of((struct gw_breaker_options){0});
    struct gw_breaker_ticket tickets[4];
    fail_times(&breaker, &options, 5, START);
    for (int i = 0; i < 3; i++) {
        assert_true(gw_breaker_begin(&breaker, &options, START + 30000, &tickets[i]));
    }
    assert_false(gw_breaker_begin(&breaker, &options, START + 30000, &tickets[3]));
    /* A cancelled probe gives its place back. */
    gw_breaker_end(&breaker, &options, tickets[0], GW_BREAKER_NOTHING, 1, START + 30001);
    assert_true(gw_breaker_begin(&breaker, &options, START + 30001, &tickets[0]));
    gw_breaker_end(&breaker, &options, tickets[0], GW_BREAKER_SUCCESS, 1, START + 30002);
    assert_int_equal(gw_breaker_phase(&breaker, &options, START + 30002), GW_BREAKER_HALF_OPEN);
    gw_breaker_end(&breaker, &options, tickets[1], GW_BREAKER_SUCCESS, 1, START + 30002);
    assert_int_equal(gw_breaker_phase(&breaker, &options, START + 30002), GW_BREAKER_CLOSED);
    /* The third probe ends in an older generation: its failure does not count. */
    gw_breaker_end(&breaker, &options, tickets[2], GW_BREAKER_FAILURE, 1, START + 30003);
    assert_int_equal(gw_breaker_word_view(breaker.word).failures, 0);
}

static void test_cooldown_grows_and_is_forgotten(void **state)
{
    (void)state;
    struct gw_breaker breaker = {0};
    struct gw_breaker_options options =
        options_of((struct gw_breaker_options){.cooldown_max_ms = 100000});
    static const uint64_t waits[] = {30000, 60000, 100000, 100000};
    uint64_t now_ms = START;
    fail_times(&breaker, &options, 5, now_ms);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(gw_breaker_wait_ms(&breaker, &options, now_ms), waits[i]);
        now_ms += waits[i];
        assert_true(call(&breaker, &options, GW_BREAKER_FAILURE, now_ms));
    }
    now_ms += 100000;
    assert_true(call(&breaker, &options, GW_BREAKER_SUCCESS, now_ms));
    assert_true(call(&breaker, &options, GW_BREAKER_SUCCESS, now_ms));
    fail_times(&breaker, &options, 5, now_ms + 1000); /* it did not last */
    assert_int_equal(gw_breaker_wait_ms(&breaker, &options, now_ms + 1000), 100000);
    now_ms += 101000;
    assert_true(call(&breaker, &options, GW_BREAKER_SUCCESS, now_ms));
    assert_true(call(&breaker, &options, GW_BREAKER_SUCCESS, now_ms));
    fail_times(&breaker, &options, 5, now_ms + 200000); /* it did */
    assert_int_equal(gw_breaker_wait_ms(&breaker, &options, now_ms + 200000), 30000);
}

static void test_lost_probes_are_given_up(void **state)
{
    (void)state;
    struct gw_breaker breaker = {0};
    struct gw_breaker_options options = options_of((struct gw_breaker_options){.probes = 1});
    struct gw_breaker_ticket lost;
    struct gw_breaker_ticket ticket;
    fail_times(&breaker, &options, 5, START);
    assert_true(gw_breaker_begin(&breaker, &options, START + 30000, &lost));
    assert_false(gw_breaker_begin(&breaker, &options, START + 30001, &ticket));
    assert_true(gw_breaker_begin(&breaker, &options, START + 330000, &ticket));
    gw_breaker_end(&breaker, &options, lost, GW_BREAKER_FAILURE, 1, START + 330001);
    assert_int_equal(gw_breaker_phase(&breaker, &options, START + 330001), GW_BREAKER_HALF_OPEN);
}

static void test_failure_rate_opens_it(void **state)
{
    (void)state;
    struct gw_breaker breaker = {0};
    struct gw_breaker_options options =
        options_of((struct gw_breaker_options){.failure_rate_pct = 50, .rate_min_calls = 10});
    for (unsigned i = 0; i < 9; i++) {
        assert_true(
            call(&breaker, &options, i % 2 == 0 ? GW_BREAKER_FAILURE : GW_BREAKER_SUCCESS, START));
    }
    assert_int_equal(gw_breaker_phase(&breaker, &options, START), GW_BREAKER_CLOSED);
    assert_true(call(&breaker, &options, GW_BREAKER_FAILURE, START));
    assert_int_equal(gw_breaker_phase(&breaker, &options, START), GW_BREAKER_OPEN);
    /* Old failures do not count, neither before nor after the recovery. */
    uint64_t now_ms = START + 30000;
    assert_true(call(&breaker, &options, GW_BREAKER_SUCCESS, now_ms));
    assert_true(call(&breaker, &options, GW_BREAKER_SUCCESS, now_ms));
    fail_times(&breaker, &options, 4, now_ms);
    assert_int_equal(gw_breaker_phase(&breaker, &options, now_ms), GW_BREAKER_CLOSED);
    for (unsigned i = 0; i < 20; i++) {
        assert_true(call(&breaker, &options, i % 4 == 1 ? GW_BREAKER_FAILURE : GW_BREAKER_SUCCESS,
                         now_ms + 60000));
    }
    assert_int_equal(gw_breaker_phase(&breaker, &options, now_ms + 60000), GW_BREAKER_CLOSED);
}

static void test_slow_calls_open_it(void **state)
{
    (void)state;
    struct gw_breaker breaker = {0};
    struct gw_breaker_options options = options_of((struct gw_breaker_options){.slow_ms = 2000});
    struct gw_breaker_ticket ticket;
    for (unsigned i = 0; i < 8; i++) {
        assert_true(gw_breaker_begin(&breaker, &options, START, &ticket));
        gw_breaker_end(&breaker, &options, ticket, GW_BREAKER_SUCCESS, i == 2 ? 2000 : 2001, START);
        bool is_open = gw_breaker_phase(&breaker, &options, START) == GW_BREAKER_OPEN;
        assert_int_equal(is_open, i >= 5);
        if (is_open) {
            break;
        }
    }
    assert_true(gw_breaker_begin(&breaker, &options, START + 30000, &ticket));
    gw_breaker_end(&breaker, &options, ticket, GW_BREAKER_SUCCESS, 5000, START + 35000);
    assert_int_equal(gw_breaker_phase(&breaker, &options, START + 35000), GW_BREAKER_OPEN);
}

static void test_off_and_reset(void **state)
{
    (void)state;
    struct gw_breaker breaker = {0};
    struct gw_breaker_options off = options_of((struct gw_breaker_options){.is_off = true});
    struct gw_breaker_options on = options_of((struct gw_breaker_options){0});
    fail_times(&breaker, &off, 50, START);
    assert_int_equal(gw_breaker_phase(&breaker, &on, START), GW_BREAKER_CLOSED);
    fail_times(&breaker, &on, 5, START);
    gw_breaker_reset(&breaker);
    assert_int_equal(gw_breaker_phase(&breaker, &on, START), GW_BREAKER_CLOSED);
    assert_true(gw_breaker_can_begin(&breaker, &on, START));
    assert_string_equal(gw_breaker_phase_name(GW_BREAKER_HALF_OPEN), "half_open");
}

/* Any time may follow any other: nothing keeps a breaker shut for longer than its cooldown. */
static void test_clock_jumps(void **state)
{
    (void)state;
    static const uint64_t times[] = {
        0, 1, START, UINT64_C(1) << 35, (UINT64_C(1) << 36) - 1, UINT64_C(1) << 36, UINT64_MAX - 5};
    struct gw_breaker_options options = options_of((struct gw_breaker_options){0});
    for (size_t i = 0; i < 7; i++) {
        for (size_t j = 0; j < 7; j++) {
            struct gw_breaker breaker = {0};
            fail_times(&breaker, &options, 5, times[i]);
            assert_true(gw_breaker_wait_ms(&breaker, &options, times[j]) <=
                        options.cooldown_max_ms);
            assert_true(
                gw_breaker_can_begin(&breaker, &options, times[j] + options.cooldown_max_ms));
        }
    }
}

/* ---- every order of several workers ---- */

enum { WORKERS = 3, CALLS = 2, TICKS = 3, TICK_MS = 10 };

enum step { LOAD_BEGIN, SWAP_BEGIN, LOAD_END, SWAP_END, DONE };

struct worker {
    uint64_t loaded;
    uint16_t generation;
    uint8_t step;
    uint8_t calls_left;
    uint8_t outcome;
    uint8_t unused[3];
};

struct world {
    uint64_t word;
    uint64_t ticks;
    struct worker workers[WORKERS];
};

struct seen_set {
    struct world *slots; /* ticks is UINT64_MAX in free ones */
    size_t size;
    size_t count;
};

static const struct gw_breaker_options model_options = {
    .failure_threshold = 2,
    .rate_min_calls = 1,
    .window_ms = 1,
    .cooldown_ms = TICK_MS,
    .cooldown_max_ms = 2 * TICK_MS,
    .probes = 2,
    .successes = 2,
};

static uint64_t hash_of(const struct world *world)
{
    const unsigned char *at = (const unsigned char *)world;
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < sizeof(*world); i++) {
        hash = (hash ^ at[i]) * UINT64_C(1099511628211);
    }
    return hash ^ (hash >> 29);
}

static bool seen_add(struct seen_set *set, const struct world *world);

static void seen_grow(struct seen_set *set)
{
    struct seen_set larger = {.size = set->size == 0 ? 1u << 14 : set->size * 2};
    larger.slots = malloc(larger.size * sizeof(*larger.slots));
    assert_non_null(larger.slots);
    memset(larger.slots, 0xff, larger.size * sizeof(*larger.slots));
    for (size_t i = 0; i < set->size; i++) {
        if (set->slots[i].ticks != UINT64_MAX) {
            (void)seen_add(&larger, &set->slots[i]);
        }
    }
    free(set->slots);
    *set = larger;
}

/* False when |world| was there already. */
static bool seen_add(struct seen_set *set, const struct world *world)
{
    if (set->count * 2 >= set->size) {
        seen_grow(set);
    }
    size_t at = hash_of(world) & (set->size - 1);
    while (set->slots[at].ticks != UINT64_MAX) {
        if (memcmp(&set->slots[at], world, sizeof(*world)) == 0) {
            return false;
        }
        at = (at + 1) & (set->size - 1);
    }
    set->slots[at] = *world;
    set->count++;
    return true;
}

static bool holds_ticket(const struct worker *worker, unsigned generation)
{
    return (worker->step == LOAD_END || worker->step == SWAP_END) &&
           worker->generation == generation;
}

static void check_world(const struct world *world)
{
    struct gw_breaker_view view = gw_breaker_word_view(world->word);
    unsigned holders = 0;
    bool all_done = true;
    for (int i = 0; i < WORKERS; i++) {
        holders += holds_ticket(&world->workers[i], view.generation);
        all_done = all_done && world->workers[i].step == DONE;
    }
    if (view.phase == GW_BREAKER_HALF_OPEN) {
        assert_int_equal(view.running, holders); /* no probe is lost or counted twice */
        assert_true(view.running + view.succeeded <= model_options.probes);
        assert_true(view.succeeded < model_options.successes);
    } else if (view.phase == GW_BREAKER_OPEN) {
        assert_int_equal(holders, 0);
    } else {
        assert_true(view.failures < model_options.failure_threshold);
    }
    if (all_done) { /* nothing stays shut for ever */
        uint64_t later_ms = (world->ticks + 2) * TICK_MS;
        assert_int_equal(gw_breaker_word_wait_ms(world->word, &model_options, later_ms), 0);
    }
}

static void worker_after_call(struct worker *worker)
{
    worker->calls_left--;
    worker->step = worker->calls_left > 0 ? LOAD_BEGIN : DONE;
    worker->loaded = 0;
    worker->generation = 0;
    worker->outcome = 0;
}

/* One atomic step of worker |index|; a swap that meets another word loads it, as the machine does.
 */
static void worker_step(struct world *world, int index)
{
    struct worker *worker = &world->workers[index];
    uint64_t now_ms = world->ticks * TICK_MS;
    uint64_t next = 0;
    struct gw_breaker_ticket ticket = {.generation = worker->generation};
    if (worker->step == LOAD_BEGIN || worker->step == LOAD_END) {
        worker->loaded = world->word;
        worker->step++;
        return;
    }
    if (worker->step == SWAP_BEGIN) {
        if (!gw_breaker_word_begin(worker->loaded, &model_options, now_ms, &next, &ticket)) {
            worker_after_call(worker);
            return;
        }
    } else {
        next = gw_breaker_word_end(worker->loaded, &model_options, ticket,
                                   (enum gw_breaker_outcome)worker->outcome, now_ms);
    }
    if (next != worker->loaded && worker->loaded != world->word) {
        worker->loaded = world->word;
        return;
    }
    if (next != worker->loaded) {
        world->word = next;
    }
    if (worker->step == SWAP_BEGIN) {
        worker->generation = (uint16_t)ticket.generation;
        worker->loaded = 0;
        worker->step = LOAD_END;
    } else {
        worker_after_call(worker);
    }
}

static void explore(struct seen_set *set, const struct world *world)
{
    if (!seen_add(set, world)) {
        return;
    }
    check_world(world);
    if (world->ticks < TICKS) {
        struct world next = *world;
        next.ticks++;
        explore(set, &next);
    }
    for (int i = 0; i < WORKERS; i++) {
        const struct worker *worker = &world->workers[i];
        bool ends = worker->step == LOAD_END;
        for (uint8_t outcome = 0; worker->step != DONE && outcome < (ends ? 3 : 1); outcome++) {
            struct world next = *world;
            if (ends) {
                next.workers[i].outcome = outcome;
            }
            worker_step(&next, i);
            explore(set, &next);
        }
    }
}

static void explore_from(uint64_t word)
{
    struct seen_set set = {0};
    struct world world;
    memset(&world, 0, sizeof(world));
    world.word = word;
    for (int i = 0; i < WORKERS; i++) {
        world.workers[i].calls_left = CALLS;
    }
    seen_grow(&set);
    explore(&set, &world);
    print_message("%zu states\n", set.count);
    assert_true(set.count > 10000);
    free(set.slots);
}

static void test_every_order_from_closed(void **state)
{
    (void)state;
    explore_from(0);
}

static void test_every_order_from_open(void **state)
{
    (void)state;
    explore_from(gw_breaker_word_trip(0, &model_options, 0));
}

/* ---- threads: for ThreadSanitizer, and against lost places ---- */

struct thread_share {
    struct gw_breaker breaker;
    struct gw_breaker_options options;
    _Atomic uint64_t now_ms;
    _Atomic unsigned probes_now;
};

static void *thread_run(void *user)
{
    struct thread_share *share = user;
    struct gw_breaker_ticket ticket;
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t now_ms = atomic_fetch_add(&share->now_ms, 1);
        if (gw_breaker_begin(&share->breaker, &share->options, now_ms, &ticket)) {
            enum gw_breaker_outcome outcome = (enum gw_breaker_outcome)(i * 2654435761u >> 8) % 3;
            gw_breaker_end(&share->breaker, &share->options, ticket, outcome, i % 7, now_ms);
        }
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    struct thread_share share = {
        .options = options_of((struct gw_breaker_options){.failure_threshold = 2,
                                                          .failure_rate_pct = 90,
                                                          .cooldown_ms = 5,
                                                          .cooldown_max_ms = 20,
                                                          .slow_ms = 5}),
    };
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, thread_run, &share), 0);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    struct gw_breaker_view view = gw_breaker_word_view(share.breaker.word);
    assert_true(view.phase != GW_BREAKER_HALF_OPEN || view.running == 0);
    assert_true(share.breaker.openings_total > 10);
    assert_true(gw_breaker_can_begin(&share.breaker, &share.options, share.now_ms + 20));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults_and_bounds),
        cmocka_unit_test(test_failures_in_a_row_open_it),
        cmocka_unit_test(test_half_open_lets_a_set_number_through),
        cmocka_unit_test(test_cooldown_grows_and_is_forgotten),
        cmocka_unit_test(test_lost_probes_are_given_up),
        cmocka_unit_test(test_failure_rate_opens_it),
        cmocka_unit_test(test_slow_calls_open_it),
        cmocka_unit_test(test_off_and_reset),
        cmocka_unit_test(test_clock_jumps),
        cmocka_unit_test(test_every_order_from_closed),
        cmocka_unit_test(test_every_order_from_open),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
