/* SPDX-License-Identifier: MIT */
/* policy/allowance - one number between two bounds. */
#include "policy/allowance.h"

#define RELAXED memory_order_relaxed
#define ONE     1000
#define MAX     ((int64_t)GW_ALLOWANCE_MAX * ONE)

void gw_allowance_init(struct gw_allowance *allowance)
{
    atomic_store_explicit(&allowance->milli, (int64_t)GW_ALLOWANCE_START * ONE, RELAXED);
}

void gw_allowance_add(struct gw_allowance *allowance, unsigned pct)
{
    /* A full one is not written to: that is every request of a good day. */
    if (pct > 0 && atomic_load_explicit(&allowance->milli, RELAXED) < MAX) {
        atomic_fetch_add_explicit(&allowance->milli, (int64_t)(pct < 100 ? pct : 100) * ONE / 100,
                                  RELAXED);
    }
}

bool gw_allowance_try_take(struct gw_allowance *allowance)
{
    int64_t milli = atomic_load_explicit(&allowance->milli, RELAXED);
    do {
        if (milli < ONE) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&allowance->milli, &milli, milli - ONE, RELAXED,
                                                    RELAXED));
    return true;
}

void gw_allowance_take(struct gw_allowance *allowance)
{
    if (atomic_load_explicit(&allowance->milli, RELAXED) > -MAX) {
        atomic_fetch_sub_explicit(&allowance->milli, ONE, RELAXED);
    }
}
