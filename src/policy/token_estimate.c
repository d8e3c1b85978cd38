/* SPDX-License-Identifier: MIT */
/* policy/token_estimate - an open-addressed table of moving averages. */
#include "policy/token_estimate.h"

#include <stdatomic.h>

#include "base/alloc.h"

#define RATIO_ONE 1024u /* one byte per token */
#define RATIO_DEFAULT                                                                              \
    (4u * RATIO_ONE)   /* English prose over today's tokenizers is 3.5 to 4.5 bytes a token */
#define SAMPLE_MIN 16u /* below that, framing outweighs text */
#define MOVE_SHIFT 4u  /* a sample moves the average by 1/16 */
#define RATIO_MAX  (64u * RATIO_ONE)
#define PROBES     8u

struct slot {
    _Atomic uint64_t key; /* hash of the model's name; 0: free */
    _Atomic uint64_t ratio;
};

struct gw_token_estimates {
    struct slot slots[GW_TOKEN_ESTIMATE_MODELS];
};

struct gw_token_estimates *gw_token_estimates_create(void)
{
    return gw_zalloc(sizeof(struct gw_token_estimates));
}

void gw_token_estimates_destroy(struct gw_token_estimates **estimates)
{
    gw_free(*estimates);
    *estimates = NULL;
}

static uint64_t key_of(struct gw_str model)
{
    return gw_str_hash(model) | 1; /* 0 marks a free slot */
}

/* The ratio of |model|, or 0 when nothing was learned. */
static uint64_t find_ratio(const struct gw_token_estimates *estimates, uint64_t key)
{
    for (unsigned i = 0; i < PROBES; i++) {
        const struct slot *slot = &estimates->slots[((key >> 1) + i) % GW_TOKEN_ESTIMATE_MODELS];
        uint64_t found = atomic_load_explicit(&slot->key, memory_order_acquire);
        if (found == key) {
            return atomic_load_explicit(&slot->ratio, memory_order_relaxed);
        }
        if (found == 0) {
            break;
        }
    }
    return 0;
}

/* The slot of |key|, taken if there is a free one; NULL when its neighbourhood is full. */
static struct slot *take_slot(struct gw_token_estimates *estimates, uint64_t key)
{
    for (unsigned i = 0; i < PROBES; i++) {
        struct slot *slot = &estimates->slots[((key >> 1) + i) % GW_TOKEN_ESTIMATE_MODELS];
        uint64_t found = 0;
        if (atomic_compare_exchange_strong_explicit(&slot->key, &found, key, memory_order_acq_rel,
                                                    memory_order_acquire) ||
            found == key) {
            return slot;
        }
    }
    return NULL;
}

void gw_token_estimates_learn(struct gw_token_estimates *estimates, struct gw_str model,
                              uint64_t bytes, uint64_t tokens)
{
    uint64_t scaled = 0;
    if (tokens < SAMPLE_MIN || __builtin_mul_overflow(bytes, RATIO_ONE, &scaled)) {
        return;
    }
    uint64_t sample = scaled / tokens;
    sample = sample < RATIO_MAX ? sample : RATIO_MAX;
    struct slot *slot = take_slot(estimates, key_of(model));
    if (slot == NULL) {
        return;
    }
    uint64_t old = atomic_load_explicit(&slot->ratio, memory_order_relaxed);
    uint64_t moved = old == 0 ? sample : old - (old >> MOVE_SHIFT) + (sample >> MOVE_SHIFT);
    atomic_store_explicit(&slot->ratio, moved, memory_order_relaxed);
}

uint64_t gw_token_estimates_guess(const struct gw_token_estimates *estimates, struct gw_str model,
                                  uint64_t bytes)
{
    uint64_t ratio = find_ratio(estimates, key_of(model));
    uint64_t scaled = 0;
    if (bytes == 0 || __builtin_mul_overflow(bytes, RATIO_ONE, &scaled)) {
        return bytes / 4;
    }
    ratio = ratio == 0 ? RATIO_DEFAULT : ratio;
    uint64_t tokens = scaled / ratio;
    return tokens > 0 ? tokens : 1;
}
