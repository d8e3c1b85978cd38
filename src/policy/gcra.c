/* SPDX-License-Identifier: MIT */
/* policy/gcra - virtual scheduling with every sum bounded. */
#include "policy/gcra.h"

#define RELAXED memory_order_relaxed

/* a * b / c with the product in full; the result fits because a <= c. Most products fit in 64 bits,
 * whose division costs a tenth. */
static uint64_t scale(uint64_t a, uint64_t b, uint64_t c)
{
    uint64_t small = 0;
    if (!__builtin_mul_overflow(a, b, &small)) {
        return small / c;
    }
    __extension__ unsigned __int128 product = (unsigned __int128)a * b;
    return (uint64_t)(product / c);
}

/* What |amount| costs in time: at least 1 ns, so that a million small ones are not free. */
static uint64_t cost_ns(struct gw_gcra_rate rate, uint64_t amount)
{
    if (amount == 0) {
        return 0;
    }
    if (amount >= rate.limit) {
        return rate.period_ns;
    }
    uint64_t cost = scale(amount, rate.period_ns, rate.limit);
    return cost > 0 ? cost : 1;
}

static uint64_t add(uint64_t a, uint64_t b)
{
    return a <= UINT64_MAX - b ? a + b : UINT64_MAX;
}

/* How far the bucket is from full: up to |limit_periods| periods. Anything above comes from a clock
 * that jumped back. */
static uint64_t lacking_ns(uint64_t full_at_ns, struct gw_gcra_rate rate, uint64_t now_ns)
{
    uint64_t lacking = full_at_ns > now_ns ? full_at_ns - now_ns : 0;
    uint64_t max = add(rate.period_ns, rate.period_ns);
    return lacking <= max ? lacking : rate.period_ns;
}

static uint64_t wait_of(uint64_t full_at_ns, struct gw_gcra_rate rate, uint64_t cost,
                        uint64_t now_ns)
{
    uint64_t needed = add(lacking_ns(full_at_ns, rate, now_ns), cost);
    return needed > rate.period_ns ? needed - rate.period_ns : 0;
}

uint64_t gw_gcra_wait_ns(const struct gw_gcra *gcra, struct gw_gcra_rate rate, uint64_t amount,
                         uint64_t now_ns)
{
    return rate.limit == 0 ? 0
                           : wait_of(atomic_load_explicit(&gcra->full_at_ns, RELAXED), rate,
                                     cost_ns(rate, amount), now_ns);
}

bool gw_gcra_try_take(struct gw_gcra *gcra, struct gw_gcra_rate rate, uint64_t amount,
                      uint64_t now_ns)
{
    uint64_t full_at_ns = atomic_load_explicit(&gcra->full_at_ns, RELAXED);
    uint64_t next = 0;
    if (rate.limit == 0) {
        return true;
    }
    uint64_t cost = cost_ns(rate, amount);
    do {
        if (wait_of(full_at_ns, rate, cost, now_ns) > 0) {
            return false;
        }
        next = add(now_ns, lacking_ns(full_at_ns, rate, now_ns) + cost);
    } while (!atomic_compare_exchange_weak_explicit(&gcra->full_at_ns, &full_at_ns, next, RELAXED,
                                                    RELAXED));
    return true;
}

void gw_gcra_charge(struct gw_gcra *gcra, struct gw_gcra_rate rate, uint64_t amount,
                    uint64_t now_ns)
{
    uint64_t full_at_ns = atomic_load_explicit(&gcra->full_at_ns, RELAXED);
    uint64_t next = 0;
    if (rate.limit == 0) {
        return;
    }
    do {
        uint64_t lacking = add(lacking_ns(full_at_ns, rate, now_ns), cost_ns(rate, amount));
        uint64_t max = add(rate.period_ns, rate.period_ns);
        next = add(now_ns, lacking < max ? lacking : max);
    } while (!atomic_compare_exchange_weak_explicit(&gcra->full_at_ns, &full_at_ns, next, RELAXED,
                                                    RELAXED));
}

void gw_gcra_give_back(struct gw_gcra *gcra, struct gw_gcra_rate rate, uint64_t amount,
                       uint64_t now_ns)
{
    uint64_t full_at_ns = atomic_load_explicit(&gcra->full_at_ns, RELAXED);
    uint64_t next = 0;
    if (rate.limit == 0) {
        return;
    }
    do {
        uint64_t lacking = lacking_ns(full_at_ns, rate, now_ns);
        uint64_t back = cost_ns(rate, amount);
        next = add(now_ns, lacking > back ? lacking - back : 0);
    } while (!atomic_compare_exchange_weak_explicit(&gcra->full_at_ns, &full_at_ns, next, RELAXED,
                                                    RELAXED));
}

uint64_t gw_gcra_remaining(const struct gw_gcra *gcra, struct gw_gcra_rate rate, uint64_t now_ns)
{
    if (rate.limit == 0) {
        return UINT64_MAX;
    }
    uint64_t lacking = lacking_ns(atomic_load_explicit(&gcra->full_at_ns, RELAXED), rate, now_ns);
    return lacking >= rate.period_ns ? 0
                                     : scale(rate.period_ns - lacking, rate.limit, rate.period_ns);
}
