/* SPDX-License-Identifier: MIT */
/* base/rng - xoshiro256++ seeded by getrandom(2). */
#include "base/rng.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/random.h>

#include "base/assert.h"

static uint64_t rotate_left(uint64_t value, unsigned bits)
{
    return (value << bits) | (value >> (64 - bits));
}

void gw_rng_fill(void *out, size_t size)
{
    unsigned char *at = out;
    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);
        if (got == -1 && errno == EINTR) {
            continue;
        }
        GW_ASSERT(got > 0);
        at += got;
        size -= (size_t)got;
    }
}

void gw_rng_init(struct gw_rng *rng)
{
    gw_rng_fill(rng->state, sizeof(rng->state));
}

void gw_rng_init_fixed(struct gw_rng *rng, uint64_t seed)
{
    /* splitmix64 spreads one word over the state, as the authors of xoshiro advise. */
    for (unsigned i = 0; i < 4; i++) {
        seed += 0x9e3779b97f4a7c15u;
        uint64_t z = seed;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        rng->state[i] = z ^ (z >> 31);
    }
}

uint64_t gw_rng_next(struct gw_rng *rng)
{
    uint64_t *s = rng->state;
    uint64_t result = rotate_left(s[0] + s[3], 23) + s[0];
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t gw_rng_below(struct gw_rng *rng, uint64_t bound)
{
    GW_ASSERT(bound > 0);
    /* The bias of the modulo is below bound / 2^64: nothing for jitter and picks. */
    return gw_rng_next(rng) % bound;
}

uint64_t gw_rng_process_seed(void)
{
    static _Atomic uint64_t seed;
    uint64_t current = atomic_load_explicit(&seed, memory_order_relaxed);
    if (current == 0) {
        uint64_t fresh = 0;
        gw_rng_fill(&fresh, sizeof(fresh));
        fresh |= 1; /* 0 means "not drawn yet" */
        if (atomic_compare_exchange_strong(&seed, &current, fresh)) {
            current = fresh;
        }
    }
    return current;
}
