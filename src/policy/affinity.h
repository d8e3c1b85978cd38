/* SPDX-License-Identifier: MIT */
/*
 * policy/affinity - choices that stay: the same user, key or conversation gets the same one.
 *
 * Source:   Thaler and Ravishankar, "A name-based mapping scheme for rendezvous" (highest random
 *           weight), with weights by the logarithmic method.
 * Shape:    keys are hashes; whoever has the highest score for a key is its owner. When one leaves,
 *           only its own keys move.
 * Units:    bytes; thousandths
 * Limits:   a prefix is at most GW_AFFINITY_PREFIX_BYTES of the conversation's first messages.
 * Memory:   none
 * Threads:  any: no state
 * Errors:   none
 */
#ifndef GW_POLICY_AFFINITY_H
#define GW_POLICY_AFFINITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/str.h"

#define GW_AFFINITY_PREFIX_BYTES 4096 /* vendors cache prefixes from 1,024 tokens on */

/* A key of |text| (a user, a virtual key's id, a session); 0 for the empty one. The same in every
 * process, so that replicas agree. */
uint64_t gw_affinity_key(struct gw_str text);

/* A key of the beginning of a conversation that later turns have, too: the system messages and the
 * first message of another role. 0 when |chat| has no messages. */
uint64_t gw_affinity_chat_key(yyjson_val *chat);

/* The finisher of SplitMix64: every bit of the input moves every bit of the result. */
static inline uint64_t gw_affinity_mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

/* What gw_affinity_hash() needs of number |index|; the same each time. */
static inline uint64_t gw_affinity_mark(uint64_t index)
{
    return gw_affinity_mix(index + UINT64_C(0x9e3779b97f4a7c15));
}

/* A hash of both. Of several numbers with the same weight the one with the highest hash owns |key|:
 * their scores have the same order. */
static inline uint64_t gw_affinity_hash(uint64_t key, uint64_t mark)
{
    return gw_affinity_mix(key ^ mark);
}

/* The score of number |index| with |weight| for |key|; the highest one owns the key. */
uint64_t gw_affinity_score(uint64_t key, uint64_t index, uint32_t weight);

/* Which of |count| variants with |weights| (canary, A/B) the owner of |key| sees; |salt| tells
 * experiments apart. |count| is at least 1, the sum of weights above 0. */
size_t gw_affinity_split(uint64_t key, uint64_t salt, const uint32_t *weights, size_t count);

/* Is the request with |key| among the |permille| that are mirrored? */
static inline bool gw_affinity_is_mirrored(uint64_t key, uint32_t permille)
{
    return key % 1000 < permille;
}

#endif
