/* SPDX-License-Identifier: MIT */
/* policy/affinity - hashes and the logarithm of one. */
#include "policy/affinity.h"

#include "base/assert.h"
#include "llm/chat.h"
#include "json/value.h"

#define FNV_BASIS UINT64_C(14695981039346656037)
#define FNV_PRIME UINT64_C(1099511628211)

/* gw_str_hash() is keyed per process; replicas must agree. A chosen collision only sends two users
 * to the same deployment. */
static uint64_t add_bytes(uint64_t hash, struct gw_str text, size_t *room)
{
    size_t len = text.len < *room ? text.len : *room;
    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char)text.ptr[i]) * FNV_PRIME;
    }
    *room -= len;
    return hash;
}

static uint64_t finish(uint64_t hash)
{
    hash = gw_affinity_mix(hash);
    return hash != 0 ? hash : 1;
}

uint64_t gw_affinity_key(struct gw_str text)
{
    size_t room = SIZE_MAX;
    return text.len == 0 ? 0 : finish(add_bytes(FNV_BASIS, text, &room));
}

uint64_t gw_affinity_chat_key(yyjson_val *chat)
{
    yyjson_val *message = NULL;
    yyjson_arr_iter iter;
    uint64_t hash = FNV_BASIS;
    size_t room = GW_AFFINITY_PREFIX_BYTES;
    if (!yyjson_arr_iter_init(gw_json_get(chat, "messages"), &iter)) {
        return 0;
    }
    for (message = yyjson_arr_iter_next(&iter); message != NULL;
         message = yyjson_arr_iter_next(&iter)) {
        struct gw_chat_parts parts = gw_chat_parts_of(gw_json_get(message, "content"));
        struct gw_chat_part part;
        while (room > 0 && gw_chat_parts_next(&parts, &part)) {
            if (part.text.ptr != NULL) {
                hash = add_bytes(hash, part.text, &room);
            }
        }
        if (room == 0 || gw_chat_role(message) != GW_ROLE_SYSTEM) {
            break;
        }
    }
    return finish(hash);
}

/* -log2(x / 2^64) in 1/2^32 for a hash x: the whole octaves, and a parabola between them that is
 * off by less than 1 %. */
static uint64_t minus_log2(uint64_t x)
{
    unsigned zeros = x == 0 ? 63u : (unsigned)__builtin_clzll(x);
    uint64_t fraction = (x << zeros << 1) >> 32;                         /* 0..1 in 2^32 */
    uint64_t bend = (fraction * ((UINT64_C(1) << 32) - fraction)) >> 32; /* f (1 - f) */
    uint64_t log = fraction + ((bend * 88) >> 8);                        /* log2(1 + f) */
    return ((uint64_t)(zeros + 1) << 32) - log;
}

uint64_t gw_affinity_score(uint64_t key, uint64_t index, uint32_t weight)
{
    uint64_t log = minus_log2(gw_affinity_hash(
        key, gw_affinity_mark(index))); /* exponentially distributed: the highest w/log wins */
    __extension__ unsigned __int128 score = ((unsigned __int128)weight << 64) / (log + 1);
    return score > UINT64_MAX ? UINT64_MAX : (uint64_t)score;
}

size_t gw_affinity_split(uint64_t key, uint64_t salt, const uint32_t *weights, size_t count)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        total += weights[i];
    }
    GW_ASSERT(total > 0);
    uint64_t at = gw_affinity_mix(key ^ gw_affinity_mix(salt)) % total;
    size_t chosen = 0;
    while (at >= weights[chosen]) {
        at -= weights[chosen];
        chosen++;
    }
    return chosen;
}
