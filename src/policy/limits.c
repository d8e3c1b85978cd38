/* SPDX-License-Identifier: MIT */
/* policy/limits - two buckets, a count, and two words of hearsay. */
#include "policy/limits.h"

#include "base/assert.h"

#define RELAXED       memory_order_relaxed
#define NS_PER_MS     UINT64_C(1000000)
#define REMAINING_MAX UINT64_C(0xffffff) /* that much or more: not worth counting down */
#define UNTIL_BITS    40                 /* of milliseconds: 34 years of uptime */
#define UNTIL_MASK    ((UINT64_C(1) << UNTIL_BITS) - 1)

const char *gw_limit_text(enum gw_limit limit)
{
    static const char *const texts[] = {
#define XX(id, text) [GW_LIMIT_##id] = text,
        GW_LIMIT_MAP(XX)
#undef XX
    };
    GW_ASSERT((unsigned)limit < GW_LIMIT_COUNT);
    return texts[limit];
}

static uint64_t ns_of(uint64_t ms)
{
    return ms <= UINT64_MAX / NS_PER_MS ? ms * NS_PER_MS : UINT64_MAX;
}

static uint64_t ms_of(uint64_t ns)
{
    return ns / NS_PER_MS + (ns % NS_PER_MS > 0);
}

/* ---- what the provider said ---- */

/* Milliseconds for which |word| forbids |amount|. */
static uint64_t learned_wait_ms(uint64_t word, uint64_t amount, uint64_t now_ms)
{
    uint64_t remaining = word >> UNTIL_BITS;
    uint64_t left = ((word & UNTIL_MASK) - now_ms) & UNTIL_MASK;
    if (word == 0 || remaining >= amount || remaining == REMAINING_MAX) {
        return 0;
    }
    return left <= GW_LIMITS_LEARNED_MAX_MS ? left : 0; /* more is a time that has passed */
}

static void learned_take(_Atomic uint64_t *learned, uint64_t amount)
{
    uint64_t word = atomic_load_explicit(learned, RELAXED);
    uint64_t next = 0;
    do {
        uint64_t remaining = word >> UNTIL_BITS;
        if (word == 0 || remaining == REMAINING_MAX) {
            return;
        }
        remaining -= amount < remaining ? amount : remaining;
        next = (remaining << UNTIL_BITS) | (word & UNTIL_MASK);
    } while (!atomic_compare_exchange_weak_explicit(learned, &word, next, RELAXED, RELAXED));
}

static void learn_one(_Atomic uint64_t *learned, const struct gw_rate_report *report,
                      uint64_t now_ms)
{
    if (!report->has_remaining || report->reset_ms == 0) {
        return; /* what is left without until when would rest for ever */
    }
    uint64_t remaining = report->remaining < REMAINING_MAX ? report->remaining : REMAINING_MAX;
    uint64_t reset_ms =
        report->reset_ms < GW_LIMITS_LEARNED_MAX_MS ? report->reset_ms : GW_LIMITS_LEARNED_MAX_MS;
    uint64_t word = (remaining << UNTIL_BITS) | ((now_ms + reset_ms) & UNTIL_MASK);
    atomic_store_explicit(learned, word, RELAXED);
}

void gw_limits_learn(struct gw_limits *limits, const struct gw_rate_headers *headers,
                     uint64_t now_ms)
{
    learn_one(&limits->learned_requests, &headers->requests, now_ms);
    learn_one(&limits->learned_tokens, &headers->tokens, now_ms);
}

/* ---- looking and taking ---- */

static enum gw_limit check_learned(const struct gw_limits *limits, uint64_t tokens, uint64_t now_ms,
                                   uint64_t *wait_ms)
{
    uint64_t word = atomic_load_explicit(&limits->learned_requests, RELAXED);
    *wait_ms = word == 0 ? 0 : learned_wait_ms(word, 1, now_ms);
    if (*wait_ms > 0) {
        return GW_LIMIT_LEARNED_REQUESTS;
    }
    word = atomic_load_explicit(&limits->learned_tokens, RELAXED);
    *wait_ms = word == 0 ? 0 : learned_wait_ms(word, tokens, now_ms);
    return *wait_ms > 0 ? GW_LIMIT_LEARNED_TOKENS : GW_LIMIT_NONE;
}

enum gw_limit gw_limits_check(const struct gw_limits *limits,
                              const struct gw_limit_options *options, uint64_t tokens,
                              uint64_t now_ms, uint64_t *wait_ms)
{
    uint64_t wait = 0;
    enum gw_limit found = GW_LIMIT_NONE;
    if (options->max_parallel > 0 &&
        atomic_load_explicit(&limits->in_flight, RELAXED) >= options->max_parallel) {
        found = GW_LIMIT_PARALLEL;
    } else {
        found = check_learned(limits, tokens, now_ms, &wait);
    }
    if (found == GW_LIMIT_NONE && options->rpm > 0) {
        wait = ms_of(
            gw_gcra_wait_ns(&limits->requests, gw_gcra_per_minute(options->rpm), 1, ns_of(now_ms)));
        found = wait > 0 ? GW_LIMIT_REQUESTS : found;
    }
    if (found == GW_LIMIT_NONE && options->tpm > 0) {
        wait = ms_of(gw_gcra_wait_ns(&limits->tokens, gw_gcra_per_minute(options->tpm), tokens,
                                     ns_of(now_ms)));
        found = wait > 0 ? GW_LIMIT_TOKENS : found;
    }
    if (wait_ms != NULL) {
        *wait_ms = wait;
    }
    return found;
}

static bool take_place(struct gw_limits *limits, uint32_t max_parallel)
{
    uint32_t before = atomic_fetch_add_explicit(&limits->in_flight, 1, RELAXED);
    if (max_parallel > 0 && before >= max_parallel) {
        atomic_fetch_sub_explicit(&limits->in_flight, 1, RELAXED);
        return false;
    }
    return true;
}

enum gw_limit gw_limits_begin(struct gw_limits *limits, const struct gw_limit_options *options,
                              uint64_t tokens, uint64_t now_ms)
{
    enum gw_limit found = check_learned(limits, tokens, now_ms, &(uint64_t){0});
    if (found != GW_LIMIT_NONE) {
        return found;
    }
    if (!take_place(limits, options->max_parallel)) {
        return GW_LIMIT_PARALLEL;
    }
    struct gw_gcra_rate rpm = gw_gcra_per_minute(options->rpm);
    if (options->rpm > 0 && !gw_gcra_try_take(&limits->requests, rpm, 1, ns_of(now_ms))) {
        atomic_fetch_sub_explicit(&limits->in_flight, 1, RELAXED);
        return GW_LIMIT_REQUESTS;
    }
    struct gw_gcra_rate tpm = gw_gcra_per_minute(options->tpm);
    if (options->tpm > 0 && !gw_gcra_try_take(&limits->tokens, tpm, tokens, ns_of(now_ms))) {
        gw_gcra_give_back(&limits->requests, rpm, 1, ns_of(now_ms));
        atomic_fetch_sub_explicit(&limits->in_flight, 1, RELAXED);
        return GW_LIMIT_TOKENS;
    }
    learned_take(&limits->learned_requests, 1);
    learned_take(&limits->learned_tokens, tokens);
    return GW_LIMIT_NONE;
}

void gw_limits_end(struct gw_limits *limits, const struct gw_limit_options *options,
                   uint64_t estimated, uint64_t used, bool was_sent, uint64_t now_ms)
{
    struct gw_gcra_rate tpm = gw_gcra_per_minute(options->tpm);
    atomic_fetch_sub_explicit(&limits->in_flight, 1, RELAXED);
    if (!was_sent) {
        used = 0;
        gw_gcra_give_back(&limits->requests, gw_gcra_per_minute(options->rpm), 1, ns_of(now_ms));
    }
    if (options->tpm == 0) {
        return;
    }
    if (used > estimated) {
        gw_gcra_charge(&limits->tokens, tpm, used - estimated, ns_of(now_ms));
    } else if (used < estimated) {
        gw_gcra_give_back(&limits->tokens, tpm, estimated - used, ns_of(now_ms));
    }
}

static uint32_t bucket_permille(const struct gw_gcra *gcra, uint64_t limit, uint64_t now_ms)
{
    uint64_t remaining = gw_gcra_remaining(gcra, gw_gcra_per_minute(limit), ns_of(now_ms));
    return limit <= UINT64_MAX / 1000 ? (uint32_t)(remaining * 1000 / limit)
                                      : (uint32_t)(remaining / (limit / 1000));
}

uint32_t gw_limits_room_permille(const struct gw_limits *limits,
                                 const struct gw_limit_options *options, uint64_t now_ms)
{
    uint32_t room = 1000;
    if (options->rpm > 0) {
        uint32_t requests = bucket_permille(&limits->requests, options->rpm, now_ms);
        room = requests < room ? requests : room;
    }
    if (options->tpm > 0) {
        uint32_t tokens = bucket_permille(&limits->tokens, options->tpm, now_ms);
        room = tokens < room ? tokens : room;
    }
    return room;
}

/* ---- for those who explain ---- */

static uint64_t learned_left(const _Atomic uint64_t *learned, uint64_t now_ms)
{
    uint64_t word = atomic_load_explicit(learned, RELAXED);
    uint64_t remaining = word >> UNTIL_BITS;
    bool is_over = (((word & UNTIL_MASK) - now_ms) & UNTIL_MASK) > GW_LIMITS_LEARNED_MAX_MS;
    return word == 0 || remaining == REMAINING_MAX || is_over ? UINT64_MAX : remaining;
}

struct gw_limits_left gw_limits_left(const struct gw_limits *limits,
                                     const struct gw_limit_options *options, uint64_t now_ms)
{
    uint32_t in_flight = atomic_load_explicit(&limits->in_flight, RELAXED);
    uint64_t parallel = options->max_parallel > in_flight ? options->max_parallel - in_flight : 0;
    uint64_t now_ns = ns_of(now_ms);
    return (struct gw_limits_left){
        .requests = options->rpm > 0 ? gw_gcra_remaining(&limits->requests,
                                                         gw_gcra_per_minute(options->rpm), now_ns)
                                     : UINT64_MAX,
        .tokens = options->tpm > 0
                      ? gw_gcra_remaining(&limits->tokens, gw_gcra_per_minute(options->tpm), now_ns)
                      : UINT64_MAX,
        .parallel = options->max_parallel > 0 ? parallel : UINT64_MAX,
        .learned_requests = learned_left(&limits->learned_requests, now_ms),
        .learned_tokens = learned_left(&limits->learned_tokens, now_ms),
    };
}
