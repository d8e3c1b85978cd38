/* SPDX-License-Identifier: MIT */
/*
 * policy/probe - the schedule and the row of results in one word.
 *
 *   bits  0..47  when the next probe is due      48..53  results in a row against the state
 *        62      down                            63      the schedule has begun
 *
 * and the last result in another:
 *
 *   bits  0..47  when it came                      48..55  its outcome
 */
#include "policy/probe.h"

#include "base/assert.h"

#define RELAXED         memory_order_relaxed
#define DUE_MASK        ((UINT64_C(1) << 48) - 1)
#define ROW_AT          48
#define OUTCOME_AT      48
#define ROW_MASK        UINT64_C(63)
#define DOWN            (UINT64_C(1) << 62)
#define BEGUN           (UINT64_C(1) << 63)
#define INTERVAL_MAX    (24u * 3600 * 1000)
#define INTERVAL_MIN    1000u /* more often is load, not a look */
#define JITTER_PERMILLE 200u  /* from a tenth less to a tenth more */
/* Traffic puts the next probe off when that is worth a write: all workers read this word. */
#define TRAFFIC_SHIFT 3u

static uint64_t bounded(uint64_t value, uint64_t otherwise, uint64_t min, uint64_t max)
{
    value = value == 0 ? otherwise : value;
    return value < min ? min : value > max ? max : value;
}

void gw_probe_options_bound(struct gw_probe_options *options)
{
    options->interval_ms = bounded(options->interval_ms, 30000, INTERVAL_MIN, INTERVAL_MAX);
    options->timeout_ms = bounded(options->timeout_ms, 5000, 1, options->interval_ms / 2);
    options->failures = (unsigned)bounded(options->failures, 3, 1, ROW_MASK);
    options->successes = (unsigned)bounded(options->successes, 2, 1, ROW_MASK);
}

/* The interval with its jitter: many deployments must not be asked in the same moment. */
static uint64_t next_due(const struct gw_probe_options *options, uint64_t now_ms, uint64_t random)
{
    uint64_t permille = 1000 - JITTER_PERMILLE / 2 + random % (JITTER_PERMILLE + 1);
    return (now_ms + options->interval_ms * permille / 1000) & DUE_MASK;
}

static uint64_t left_ms(uint64_t word, const struct gw_probe_options *options, uint64_t now_ms)
{
    uint64_t left = ((word & DUE_MASK) - now_ms) & DUE_MASK;
    /* Further away than an interval can be is a time that has come, or a clock that jumped back. */
    return left <= 2 * options->interval_ms ? left : 0;
}

uint64_t gw_probe_due_in_ms(const struct gw_probe *probe, const struct gw_probe_options *options,
                            uint64_t now_ms)
{
    uint64_t word = atomic_load_explicit(&probe->word, RELAXED);
    if (!options->is_on) {
        return UINT64_MAX;
    }
    return (word & BEGUN) != 0 ? left_ms(word, options, now_ms) : 0;
}

static bool swap(struct gw_probe *probe, uint64_t *word, uint64_t next)
{
    return atomic_compare_exchange_weak_explicit(&probe->word, word, next, RELAXED, RELAXED);
}

bool gw_probe_try_begin(struct gw_probe *probe, const struct gw_probe_options *options,
                        uint64_t now_ms, uint64_t random)
{
    uint64_t word = atomic_load_explicit(&probe->word, RELAXED);
    uint64_t next = 0;
    bool is_first = false;
    if (!options->is_on) {
        return false;
    }
    do {
        is_first = (word & BEGUN) == 0;
        if (!is_first && left_ms(word, options, now_ms) > 0) {
            return false;
        }
        /* The first one of each comes somewhere in the first interval. */
        uint64_t due = is_first ? (now_ms + random % options->interval_ms) & DUE_MASK
                                : next_due(options, now_ms, random);
        next = (word & ~DUE_MASK) | BEGUN | due;
    } while (!swap(probe, &word, next));
    return !is_first;
}

/* The word after one more result; *news says what changed. */
static uint64_t after(uint64_t word, const struct gw_probe_options *options, bool is_alive,
                      enum gw_probe_news *news)
{
    bool is_down = (word & DOWN) != 0;
    uint64_t row = (word >> ROW_AT) & ROW_MASK;
    *news = GW_PROBE_NO_NEWS;
    row = is_alive == is_down ? row + 1 : 0; /* in a row against the state, or none */
    if (row >= (is_down ? options->successes : options->failures)) {
        *news = is_down ? GW_PROBE_CAME_UP : GW_PROBE_WENT_DOWN;
        word ^= DOWN;
        row = 0;
    }
    return (word & ~(ROW_MASK << ROW_AT)) | (row << ROW_AT);
}

enum gw_probe_news gw_probe_end(struct gw_probe *probe, const struct gw_probe_options *options,
                                enum gw_probe_outcome outcome, uint64_t now_ms)
{
    atomic_fetch_add_explicit(&probe->outcomes_total[outcome], 1, RELAXED);
    atomic_store_explicit(&probe->last, (now_ms & DUE_MASK) | (uint64_t)outcome << OUTCOME_AT,
                          RELAXED);
    uint64_t word = atomic_load_explicit(&probe->word, RELAXED);
    enum gw_probe_news news = GW_PROBE_NO_NEWS;
    uint64_t next = 0;
    do {
        next = after(word, options, gw_probe_is_alive(outcome), &news);
    } while (next != word && !swap(probe, &word, next));
    return news;
}

enum gw_probe_news gw_probe_note_traffic(struct gw_probe *probe,
                                         const struct gw_probe_options *options, uint64_t now_ms,
                                         uint64_t random)
{
    uint64_t word = atomic_load_explicit(&probe->word, RELAXED);
    enum gw_probe_news news = GW_PROBE_NO_NEWS;
    uint64_t next = 0;
    if (!options->is_on) {
        return news;
    }
    do {
        uint64_t left = (word & BEGUN) != 0 ? left_ms(word, options, now_ms) : 0;
        next = after(word, options, true, &news);
        if (left < options->interval_ms - (options->interval_ms >> TRAFFIC_SHIFT)) {
            next = (next & ~DUE_MASK) | BEGUN | next_due(options, now_ms, random);
        }
    } while (next != word && !swap(probe, &word, next));
    return news;
}

bool gw_probe_is_down(const struct gw_probe *probe, const struct gw_probe_options *options)
{
    return options->is_on && (atomic_load_explicit(&probe->word, RELAXED) & DOWN) != 0;
}

enum gw_probe_outcome gw_probe_last(const struct gw_probe *probe, uint64_t now_ms, uint64_t *ago_ms)
{
    uint64_t last = atomic_load_explicit(&probe->last, RELAXED);
    uint64_t at_ms = last & DUE_MASK;
    *ago_ms = now_ms > at_ms ? now_ms - at_ms : 0;
    return (enum gw_probe_outcome)(last >> OUTCOME_AT);
}

enum gw_probe_outcome gw_probe_outcome_of(unsigned status)
{
    if (status >= 500) {
        return GW_PROBE_FAILED;
    }
    switch (status) {
    case 401:
    case 403:
        return GW_PROBE_REFUSED;
    case 429:
        return GW_PROBE_LIMITED;
    default:
        return status >= 200 && status < 300 ? GW_PROBE_OK : GW_PROBE_REJECTED;
    }
}

bool gw_probe_is_alive(enum gw_probe_outcome outcome)
{
    return outcome < GW_PROBE_FAILED;
}

struct gw_str gw_probe_outcome_name(enum gw_probe_outcome outcome)
{
    static const struct gw_str names[] = {
#define XX(id, name) [GW_PROBE_##id] = GW_STR_INIT(name),
        GW_PROBE_OUTCOME_MAP(XX)
#undef XX
    };
    GW_ASSERT((unsigned)outcome < GW_PROBE_OUTCOME_COUNT);
    return names[outcome];
}
