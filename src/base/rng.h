/* SPDX-License-Identifier: MIT */
/*
 * base/rng - random numbers: a fast one for jitter and picks, a strong one for identifiers.
 *
 * Source:   xoshiro256++ by Blackman and Vigna (public domain description); getrandom(2).
 * Shape:    struct gw_rng is one generator, owned by one thread.
 * Units:    none
 * Limits:   none
 * Memory:   caller's storage.
 * Threads:  a generator is not shared; gw_rng_fill() and gw_rng_process_seed() from any thread.
 * Errors:   none; without getrandom(2) the process aborts, because identifiers would be guessable.
 */
#ifndef GW_BASE_RNG_H
#define GW_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

struct gw_rng {
    uint64_t state[4];
};

/* Seeds |rng| from the system. */
void gw_rng_init(struct gw_rng *rng);

/* Seeds |rng| from a number, for tests that need the same sequence again. */
void gw_rng_init_fixed(struct gw_rng *rng, uint64_t seed);

/* The next 64 bits; fast, not for secrets. */
uint64_t gw_rng_next(struct gw_rng *rng);

/* A number in [0, bound); |bound| > 0. */
uint64_t gw_rng_below(struct gw_rng *rng, uint64_t bound);

/* Fills |size| bytes with strong randomness. */
void gw_rng_fill(void *out, size_t size);

/* One random number per process, drawn at the first call; seeds hashes against chosen collisions.
 */
uint64_t gw_rng_process_seed(void);

#endif
