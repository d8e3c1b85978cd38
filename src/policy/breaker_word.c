/* SPDX-License-Identifier: MIT */
/*
 * policy/breaker_word - the transitions.
 *
 *   bits  0..35  until_ms      36..43  failures, or running (4) and succeeded (4)
 *        44..48  repeats       49..61  generation       62..63  phase
 */
#include "policy/breaker_word.h"

#define UNTIL_BITS       36
#define UNTIL_MASK       ((UINT64_C(1) << UNTIL_BITS) - 1)
#define COUNT_AT         36
#define COUNT_MASK       0xffu
#define HALF_MASK        0xfu
#define REPEATS_AT       44
#define REPEATS_MASK     0x1fu
#define GENERATION_AT    49
#define GENERATION_MASK  0x1fffu
#define PHASE_AT         62
#define COOLDOWN_LIMIT   (24u * 3600 * 1000)
#define DEFAULT_COOLDOWN 30000u
/* A deployment that stayed closed for this many of its longest cooldowns has recovered. */
#define FORGET_COOLDOWNS 2u

static unsigned bounded(unsigned value, unsigned otherwise, unsigned max)
{
    value = value == 0 ? otherwise : value;
    return value < max ? value : max;
}

static uint64_t bounded_ms(uint64_t value, uint64_t otherwise)
{
    value = value == 0 ? otherwise : value;
    return value < COOLDOWN_LIMIT ? value : COOLDOWN_LIMIT;
}

void gw_breaker_options_bound(struct gw_breaker_options *options)
{
    options->failure_threshold = bounded(options->failure_threshold, 5, COUNT_MASK);
    options->failure_rate_pct = options->failure_rate_pct < 100 ? options->failure_rate_pct : 100;
    options->rate_min_calls = bounded(options->rate_min_calls, 20, 1u << 16);
    options->window_ms = bounded_ms(options->window_ms, 30000);
    options->cooldown_ms = bounded_ms(options->cooldown_ms, DEFAULT_COOLDOWN);
    options->cooldown_max_ms = bounded_ms(options->cooldown_max_ms, 300000);
    if (options->cooldown_max_ms < options->cooldown_ms) {
        options->cooldown_max_ms = options->cooldown_ms;
    }
    options->probes = bounded(options->probes, 3, HALF_MASK);
    options->successes = bounded(options->successes, 2, options->probes);
    options->slow_threshold = bounded(options->slow_threshold, 3, 1u << 16);
    options->threshold_of[GW_FAILURE_OTHER] = 0;
}

struct gw_breaker_view gw_breaker_word_view(uint64_t word)
{
    unsigned count = (unsigned)(word >> COUNT_AT) & COUNT_MASK;
    return (struct gw_breaker_view){
        .phase = (enum gw_breaker_phase)(word >> PHASE_AT),
        .failures = count,
        .running = count & HALF_MASK,
        .succeeded = count >> 4,
        .repeats = (unsigned)(word >> REPEATS_AT) & REPEATS_MASK,
        .generation = (unsigned)(word >> GENERATION_AT) & GENERATION_MASK,
        .until_ms = word & UNTIL_MASK,
    };
}

static uint64_t pack(const struct gw_breaker_view *view)
{
    unsigned count = view->phase == GW_BREAKER_HALF_OPEN ? view->running | (view->succeeded << 4)
                                                         : view->failures;
    return (view->until_ms & UNTIL_MASK) | ((uint64_t)(count & COUNT_MASK) << COUNT_AT) |
           ((uint64_t)(view->repeats & REPEATS_MASK) << REPEATS_AT) |
           ((uint64_t)(view->generation & GENERATION_MASK) << GENERATION_AT) |
           ((uint64_t)view->phase << PHASE_AT);
}

/* Milliseconds from |now_ms| to |until_ms| on the circle; 0 when it has come. */
static uint64_t left_ms(uint64_t until_ms, uint64_t now_ms)
{
    uint64_t left = (until_ms - now_ms) & UNTIL_MASK;
    return left <= UNTIL_MASK / 2 ? left : 0;
}

/* A clock that jumped back must not keep a breaker open for longer than its cooldown. */
static uint64_t cooldown_left_ms(const struct gw_breaker_view *view,
                                 const struct gw_breaker_options *options, uint64_t now_ms)
{
    uint64_t left = left_ms(view->until_ms, now_ms);
    return left <= options->cooldown_max_ms ? left : 0;
}

static uint64_t enter(struct gw_breaker_view *view, enum gw_breaker_phase phase, uint64_t until_ms)
{
    view->phase = phase;
    view->generation++;
    view->failures = 0;
    view->succeeded = 0;
    view->running = phase == GW_BREAKER_HALF_OPEN ? 1 : 0;
    view->until_ms = until_ms;
    return pack(view);
}

static uint64_t open_up(struct gw_breaker_view *view, const struct gw_breaker_options *options,
                        uint64_t now_ms)
{
    if (view->phase == GW_BREAKER_CLOSED && left_ms(view->until_ms, now_ms) == 0) {
        view->repeats = 0;
    }
    uint64_t cooldown_ms = options->cooldown_ms;
    for (unsigned i = 0; i < view->repeats && cooldown_ms < options->cooldown_max_ms; i++) {
        cooldown_ms *= 2;
    }
    cooldown_ms = cooldown_ms < options->cooldown_max_ms ? cooldown_ms : options->cooldown_max_ms;
    view->repeats = view->repeats < REPEATS_MASK ? view->repeats + 1 : REPEATS_MASK;
    return enter(view, GW_BREAKER_OPEN, now_ms + cooldown_ms);
}

static uint64_t close_down(struct gw_breaker_view *view, const struct gw_breaker_options *options,
                           uint64_t now_ms)
{
    return enter(view, GW_BREAKER_CLOSED, now_ms + FORGET_COOLDOWNS * options->cooldown_max_ms);
}

/* Probes that nobody ended within a cooldown are lost, and must not keep the breaker half open for
 * ever. */
static uint64_t begin_probing(struct gw_breaker_view *view,
                              const struct gw_breaker_options *options, uint64_t now_ms)
{
    return enter(view, GW_BREAKER_HALF_OPEN, now_ms + options->cooldown_max_ms);
}

bool gw_breaker_word_begin(uint64_t word, const struct gw_breaker_options *options, uint64_t now_ms,
                           uint64_t *next, struct gw_breaker_ticket *ticket)
{
    *next = word;
    if (word >> PHASE_AT == GW_BREAKER_CLOSED) { /* most calls: not taken apart */
        ticket->generation = (uint32_t)(word >> GENERATION_AT) & GENERATION_MASK;
        return true;
    }
    struct gw_breaker_view view = gw_breaker_word_view(word);
    if (view.phase == GW_BREAKER_OPEN) {
        if (cooldown_left_ms(&view, options, now_ms) > 0) {
            return false;
        }
        *next = begin_probing(&view, options, now_ms);
    } else if (cooldown_left_ms(&view, options, now_ms) == 0) {
        *next = begin_probing(&view, options, now_ms);
    } else if (view.running + view.succeeded < options->probes) {
        view.running++;
        *next = pack(&view);
    } else {
        return false;
    }
    ticket->generation = view.generation & GENERATION_MASK;
    return true;
}

static uint64_t end_closed(struct gw_breaker_view *view, const struct gw_breaker_options *options,
                           enum gw_breaker_outcome outcome, uint64_t now_ms)
{
    if (outcome == GW_BREAKER_SUCCESS) {
        view->failures = 0;
    } else if (outcome == GW_BREAKER_FAILURE) {
        view->failures += view->failures < COUNT_MASK;
        if (view->failures >= options->failure_threshold) {
            return open_up(view, options, now_ms);
        }
    }
    return pack(view);
}

static uint64_t end_probe(struct gw_breaker_view *view, const struct gw_breaker_options *options,
                          enum gw_breaker_outcome outcome, uint64_t now_ms)
{
    view->running -= view->running > 0;
    if (outcome == GW_BREAKER_FAILURE) {
        return open_up(view, options, now_ms);
    }
    if (outcome == GW_BREAKER_SUCCESS) {
        view->succeeded++;
        if (view->succeeded >= options->successes) {
            return close_down(view, options, now_ms);
        }
    }
    return pack(view);
}

uint64_t gw_breaker_word_end(uint64_t word, const struct gw_breaker_options *options,
                             struct gw_breaker_ticket ticket, enum gw_breaker_outcome outcome,
                             uint64_t now_ms)
{
    struct gw_breaker_view view = gw_breaker_word_view(word);
    if (ticket.generation != view.generation) {
        return word;
    }
    switch (view.phase) {
    case GW_BREAKER_CLOSED:
        return end_closed(&view, options, outcome, now_ms);
    case GW_BREAKER_HALF_OPEN:
        return end_probe(&view, options, outcome, now_ms);
    case GW_BREAKER_OPEN:
        break; /* nobody has a ticket of an open generation */
    }
    return word;
}

uint64_t gw_breaker_word_trip(uint64_t word, const struct gw_breaker_options *options,
                              uint64_t now_ms)
{
    struct gw_breaker_view view = gw_breaker_word_view(word);
    return view.phase == GW_BREAKER_OPEN ? word : open_up(&view, options, now_ms);
}

uint64_t gw_breaker_word_reset(uint64_t word)
{
    struct gw_breaker_view view = gw_breaker_word_view(word);
    view.repeats = 0;
    return enter(&view, GW_BREAKER_CLOSED, 0);
}

uint64_t gw_breaker_word_wait_ms(uint64_t word, const struct gw_breaker_options *options,
                                 uint64_t now_ms)
{
    struct gw_breaker_view view = gw_breaker_word_view(word);
    if (view.phase == GW_BREAKER_CLOSED ||
        (view.phase == GW_BREAKER_HALF_OPEN && view.running + view.succeeded < options->probes)) {
        return 0;
    }
    return cooldown_left_ms(&view, options, now_ms);
}
