/* SPDX-License-Identifier: MIT */
/*
 * policy/least - the least of many keys, shared by weight among equal ones, where few keys change
 * from one question to the next.
 *
 * Source:   square root decomposition: blocks of eight remember their least key and the weight of
 *           those that have it, so that a question looks at the blocks and into one or two of them.
 * Shape:    set keys; ask for the least, for the weight of those near it, and for who stands where.
 * Units:    any
 * Limits:   GW_LEAST_MAX keys
 * Memory:   the caller's, by gw_least_init(); gw_least_bytes() says how much.
 * Threads:  one
 * Errors:   none
 */
#ifndef GW_POLICY_LEAST_H
#define GW_POLICY_LEAST_H

#include <stddef.h>
#include <stdint.h>

#define GW_LEAST_MAX    256
#define GW_LEAST_ABSENT UINT64_MAX /* the key of a number that is not there */
#define GW_LEAST_BLOCK  8u

/* Private. */
struct gw_least_block {
    uint64_t key;    /* the least one */
    uint64_t weight; /* of all that have it; 0: not counted yet */
};

struct gw_least {
    uint64_t *keys; /* whole blocks; after writing here gw_least_touch() */
    uint32_t *weights;
    struct gw_least_block *blocks;
    uint32_t block_count;
    uint32_t stale; /* a bit per block */
};

/* Bytes that the largest table needs. */
#define GW_LEAST_BYTES_MAX                                                                         \
    (GW_LEAST_MAX / GW_LEAST_BLOCK * sizeof(struct gw_least_block) +                               \
     GW_LEAST_MAX * (sizeof(uint64_t) + sizeof(uint32_t)))

/* Bytes that a table of |count| keys needs. */
static inline size_t gw_least_bytes(size_t count)
{
    size_t blocks = (count + GW_LEAST_BLOCK - 1) / GW_LEAST_BLOCK;
    return blocks *
           (sizeof(struct gw_least_block) + GW_LEAST_BLOCK * (sizeof(uint64_t) + sizeof(uint32_t)));
}

/* A table of |count| keys, all absent, in |room| of gw_least_bytes(count), aligned for uint64_t. */
void gw_least_init(struct gw_least *least, size_t count, void *room);

/* |least|, which has room for as many, becomes a copy of |source|. */
void gw_least_copy(struct gw_least *least, const struct gw_least *source);

/* Number |index| has |key| and |weight|. */
static inline void gw_least_set(struct gw_least *least, size_t index, uint64_t key, uint32_t weight)
{
    least->keys[index] = key;
    least->weights[index] = weight;
    least->stale |= UINT32_C(1) << index / GW_LEAST_BLOCK;
}

/* Any of the keys may have been written. */
static inline void gw_least_touch(struct gw_least *least)
{
    least->stale = (uint32_t)((UINT64_C(1) << least->block_count) - 1);
}

/* The least key; GW_LEAST_ABSENT when nobody is there. */
uint64_t gw_least_key(struct gw_least *least);

/* The weight of all with a key up to |key_max|, which is below GW_LEAST_ABSENT. After
 * gw_least_key(), as is the next one. */
uint64_t gw_least_weight(struct gw_least *least, uint64_t key_max);

/* Who stands at |at|, below that weight, when each takes as much room as it weighs. */
size_t gw_least_at(struct gw_least *least, uint64_t key_max, uint64_t at);

#endif
