/* SPDX-License-Identifier: MIT */
/* policy/breaker - compare and swap around the transitions; the window of the failure rate. */
#include "policy/breaker.h"

#include "base/assert.h"

#define RELAXED       memory_order_relaxed
#define COUNT_BITS    20
#define COUNT_MASK    ((UINT64_C(1) << COUNT_BITS) - 1)
#define NUMBER_MASK   UINT64_C(0xffffff)
#define NUMBER_AT     (2 * COUNT_BITS)
#define WINDOW_HALVES 2

bool gw_breaker_can_begin(const struct gw_breaker *breaker,
                          const struct gw_breaker_options *options, uint64_t now_ms)
{
    uint64_t word = atomic_load_explicit(&breaker->word, RELAXED);
    uint64_t next = 0;
    struct gw_breaker_ticket ticket;
    return options->is_off || gw_breaker_word_begin(word, options, now_ms, &next, &ticket);
}

bool gw_breaker_begin(struct gw_breaker *breaker, const struct gw_breaker_options *options,
                      uint64_t now_ms, struct gw_breaker_ticket *ticket)
{
    uint64_t word = atomic_load_explicit(&breaker->word, RELAXED);
    uint64_t next = 0;
    if (options->is_off) {
        *ticket = (struct gw_breaker_ticket){0};
        return true;
    }
    for (;;) {
        if (!gw_breaker_word_begin(word, options, now_ms, &next, ticket)) {
            return false;
        }
        if (next == word ||
            atomic_compare_exchange_weak_explicit(&breaker->word, &word, next, RELAXED, RELAXED)) {
            return true;
        }
    }
}

/* ---- the window: two halves, so that its edge does not hide half of a burst ---- */

static uint64_t half_number(const struct gw_breaker_options *options, uint64_t now_ms)
{
    return (now_ms / (options->window_ms / WINDOW_HALVES + 1)) & NUMBER_MASK;
}

static void count_call(struct gw_breaker *breaker, const struct gw_breaker_options *options,
                       bool is_failure, uint64_t now_ms)
{
    uint64_t number = half_number(options, now_ms);
    uint64_t seen = atomic_load_explicit(&breaker->window, RELAXED);
    uint64_t next = 0;
    do {
        uint64_t calls = (seen >> COUNT_BITS) & COUNT_MASK;
        uint64_t failures = seen & COUNT_MASK;
        if (seen >> NUMBER_AT != number) {
            calls = 0;
            failures = 0;
        }
        if (calls == COUNT_MASK) { /* a million calls: the rate stays, the room doubles */
            calls /= 2;
            failures /= 2;
        }
        next = (number << NUMBER_AT) | ((calls + 1) << COUNT_BITS) | (failures + is_failure);
    } while (
        !atomic_compare_exchange_weak_explicit(&breaker->window, &seen, next, RELAXED, RELAXED));
    if (seen >> NUMBER_AT != number) {
        atomic_store_explicit(&breaker->window_before, seen, RELAXED);
    }
}

static bool is_rate_bad(const struct gw_breaker *breaker, const struct gw_breaker_options *options,
                        uint64_t now_ms)
{
    uint64_t number = half_number(options, now_ms);
    uint64_t current = atomic_load_explicit(&breaker->window, RELAXED);
    uint64_t before = atomic_load_explicit(&breaker->window_before, RELAXED);
    uint64_t calls = (current >> COUNT_BITS) & COUNT_MASK;
    uint64_t failures = current & COUNT_MASK;
    if (before >> NUMBER_AT == ((number - 1) & NUMBER_MASK)) {
        calls += (before >> COUNT_BITS) & COUNT_MASK;
        failures += before & COUNT_MASK;
    }
    return calls >= options->rate_min_calls && failures * 100 >= calls * options->failure_rate_pct;
}

static void clear_counts(struct gw_breaker *breaker)
{
    atomic_store_explicit(&breaker->window, 0, RELAXED);
    atomic_store_explicit(&breaker->window_before, 0, RELAXED);
    atomic_store_explicit(&breaker->slow_run, 0, RELAXED);
}

/* ---- the end of a call ---- */

static bool is_slow(const struct gw_breaker_options *options, uint64_t duration_ms)
{
    return options->slow_ms > 0 && duration_ms > options->slow_ms;
}

/* What counts besides failures in a row: does it open the breaker? */
static bool count_rest(struct gw_breaker *breaker, const struct gw_breaker_options *options,
                       bool is_failure, bool was_slow, uint64_t now_ms)
{
    bool trips = false;
    if (options->slow_ms > 0 && was_slow) {
        trips = atomic_fetch_add_explicit(&breaker->slow_run, 1, RELAXED) + 1 >=
                options->slow_threshold;
    } else if (options->slow_ms > 0 && !is_failure) {
        atomic_store_explicit(&breaker->slow_run, 0, RELAXED);
    }
    if (options->failure_rate_pct > 0) {
        count_call(breaker, options, is_failure || was_slow, now_ms);
        trips = trips || is_rate_bad(breaker, options, now_ms);
    }
    return trips;
}

static uint64_t next_word(uint64_t word, const struct gw_breaker_options *options,
                          struct gw_breaker_ticket ticket, enum gw_breaker_outcome outcome,
                          bool trips, uint64_t now_ms)
{
    uint64_t next = gw_breaker_word_end(word, options, ticket, outcome, now_ms);
    struct gw_breaker_view view = gw_breaker_word_view(next);
    bool is_current = view.generation == ticket.generation && view.phase == GW_BREAKER_CLOSED;
    return trips && is_current ? gw_breaker_word_trip(next, options, now_ms) : next;
}

/* A success where nothing has failed and nothing else is counted: most calls. */
static bool is_routine(const struct gw_breaker_view *view, const struct gw_breaker_options *options,
                       enum gw_breaker_outcome outcome)
{
    return outcome == GW_BREAKER_SUCCESS && view->phase == GW_BREAKER_CLOSED &&
           view->failures == 0 && options->failure_rate_pct == 0 && options->slow_ms == 0;
}

void gw_breaker_end(struct gw_breaker *breaker, const struct gw_breaker_options *options,
                    struct gw_breaker_ticket ticket, enum gw_breaker_outcome outcome,
                    uint64_t duration_ms, uint64_t now_ms)
{
    uint64_t word = atomic_load_explicit(&breaker->word, RELAXED);
    struct gw_breaker_view view = gw_breaker_word_view(word);
    uint64_t next = 0;
    bool trips = false;
    if (options->is_off || is_routine(&view, options, outcome)) {
        return;
    }
    bool was_slow = outcome == GW_BREAKER_SUCCESS && is_slow(options, duration_ms);
    if (was_slow && view.phase == GW_BREAKER_HALF_OPEN) {
        outcome = GW_BREAKER_FAILURE; /* what opened it for slowness must be fast again */
    }
    if (outcome != GW_BREAKER_NOTHING && view.phase == GW_BREAKER_CLOSED &&
        view.generation == ticket.generation) {
        trips = count_rest(breaker, options, outcome == GW_BREAKER_FAILURE, was_slow, now_ms);
    }
    do {
        next = next_word(word, options, ticket, outcome, trips, now_ms);
    } while (next != word &&
             !atomic_compare_exchange_weak_explicit(&breaker->word, &word, next, RELAXED, RELAXED));
    struct gw_breaker_view after = gw_breaker_word_view(next);
    if (after.generation != gw_breaker_word_view(word).generation) {
        clear_counts(breaker);
        atomic_fetch_add_explicit(&breaker->openings_total, after.phase == GW_BREAKER_OPEN,
                                  RELAXED);
    }
}

/* ---- looking ---- */

enum gw_breaker_phase gw_breaker_phase(const struct gw_breaker *breaker,
                                       const struct gw_breaker_options *options, uint64_t now_ms)
{
    uint64_t word = atomic_load_explicit(&breaker->word, RELAXED);
    struct gw_breaker_view view = gw_breaker_word_view(word);
    if (options->is_off) {
        return GW_BREAKER_CLOSED;
    }
    if (view.phase == GW_BREAKER_OPEN && gw_breaker_word_wait_ms(word, options, now_ms) == 0) {
        return GW_BREAKER_HALF_OPEN;
    }
    return view.phase;
}

uint64_t gw_breaker_wait_ms(const struct gw_breaker *breaker,
                            const struct gw_breaker_options *options, uint64_t now_ms)
{
    uint64_t word = atomic_load_explicit(&breaker->word, RELAXED);
    return options->is_off ? 0 : gw_breaker_word_wait_ms(word, options, now_ms);
}

void gw_breaker_reset(struct gw_breaker *breaker)
{
    uint64_t word = atomic_load_explicit(&breaker->word, RELAXED);
    while (!atomic_compare_exchange_weak_explicit(&breaker->word, &word,
                                                  gw_breaker_word_reset(word), RELAXED, RELAXED)) {
    }
    clear_counts(breaker);
}

const char *gw_breaker_phase_name(enum gw_breaker_phase phase)
{
    switch (phase) {
    case GW_BREAKER_CLOSED:
        return "closed";
    case GW_BREAKER_OPEN:
        return "open";
    case GW_BREAKER_HALF_OPEN:
        return "half_open";
    }
    GW_UNREACHABLE("breaker phase");
}
