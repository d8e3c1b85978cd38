/* SPDX-License-Identifier: MIT */
/* policy/least - blocks of eight. */
#include "policy/least.h"

#include <stdbool.h>
#include <string.h>

#include "base/assert.h"

void gw_least_init(struct gw_least *least, size_t count, void *room)
{
    size_t blocks = (count + GW_LEAST_BLOCK - 1) / GW_LEAST_BLOCK;
    char *at = room;
    GW_ASSERT(count <= GW_LEAST_MAX);
    memset(room, 0, gw_least_bytes(count)); /* weights of the last block's unused places, too */
    *least = (struct gw_least){.block_count = (uint32_t)blocks};
    least->blocks = (struct gw_least_block *)(void *)at;
    at += blocks * sizeof(*least->blocks);
    least->keys = (uint64_t *)(void *)at;
    at += blocks * GW_LEAST_BLOCK * sizeof(*least->keys);
    least->weights = (uint32_t *)(void *)at;
    memset(least->keys, 0xff, blocks * GW_LEAST_BLOCK * sizeof(*least->keys));
    gw_least_touch(least);
}

void gw_least_copy(struct gw_least *least, const struct gw_least *source)
{
    size_t count = (size_t)source->block_count * GW_LEAST_BLOCK;
    void *room = least->blocks;
    gw_least_init(least, count, room);
    memcpy(room, source->blocks, gw_least_bytes(count));
    least->stale = source->stale;
}

/* Without a branch: which keys are least nobody can foresee. An absent key has no weight. */
static uint64_t weigh(const struct gw_least *least, size_t block, uint64_t key_max)
{
    const uint64_t *keys = &least->keys[block * GW_LEAST_BLOCK];
    const uint32_t *weights = &least->weights[block * GW_LEAST_BLOCK];
    uint64_t sum = 0;
#pragma GCC unroll 8
    for (size_t i = 0; i < GW_LEAST_BLOCK; i++) {
        sum += weights[i] & -(uint64_t)(keys[i] <= key_max);
    }
    return sum;
}

static void refresh(struct gw_least *least, size_t block)
{
    const uint64_t *keys = &least->keys[block * GW_LEAST_BLOCK];
    uint64_t key = GW_LEAST_ABSENT;
#pragma GCC unroll 8
    for (size_t i = 0; i < GW_LEAST_BLOCK; i++) {
        key = keys[i] < key ? keys[i] : key;
    }
    least->blocks[block] = (struct gw_least_block){.key = key};
}

uint64_t gw_least_key(struct gw_least *least)
{
    uint64_t key = GW_LEAST_ABSENT;
    while (least->stale != 0) {
        refresh(least, (size_t)__builtin_ctz(least->stale));
        least->stale &= least->stale - 1;
    }
    for (size_t i = 0; i < least->block_count; i++) {
        key = least->blocks[i].key < key ? least->blocks[i].key : key;
    }
    return key;
}

/* A block whose least key is the bound itself has no others below it, and its weight is kept: the
 * weight of most blocks is never asked for. */
static uint64_t block_weight(struct gw_least *least, size_t block, uint64_t key_max)
{
    struct gw_least_block *known = &least->blocks[block];
    if (known->key > key_max) {
        return 0;
    }
    if (known->key < key_max) {
        return weigh(least, block, key_max);
    }
    if (known->weight == 0) {
        known->weight = weigh(least, block, key_max);
    }
    return known->weight;
}

uint64_t gw_least_weight(struct gw_least *least, uint64_t key_max)
{
    uint64_t sum = 0;
    GW_ASSERT(least->stale == 0 && key_max < GW_LEAST_ABSENT);
    for (size_t i = 0; i < least->block_count; i++) {
        sum += block_weight(least, i, key_max);
    }
    return sum;
}

size_t gw_least_at(struct gw_least *least, uint64_t key_max, uint64_t at)
{
    size_t block = 0;
    uint64_t weight = block_weight(least, 0, key_max);
    while (at >= weight) {
        at -= weight;
        block++;
        GW_ASSERT(block < least->block_count);
        weight = block_weight(least, block, key_max);
    }
    for (size_t i = block * GW_LEAST_BLOCK;; i++) {
        weight = least->keys[i] <= key_max ? least->weights[i] : 0;
        if (at < weight) {
            return i;
        }
        at -= weight;
    }
}
