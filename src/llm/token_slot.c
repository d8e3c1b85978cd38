/* SPDX-License-Identifier: MIT */
/* llm/token_slot - one published value, and those that readers may still hold. */
#include "llm/token_slot.h"

#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"

struct value {
    struct gw_token token; /* views into |bytes| */
    uint64_t replaced_at_ms;
    struct value *older;
    size_t size;
    char bytes[];
};

struct gw_token_slot {
    _Atomic(struct value *) current;
    struct value *replaced; /* newest first; the writer's */
    _Atomic bool is_refused;
};

struct gw_token_slot *gw_token_slot_create(void)
{
    return gw_zalloc(sizeof(struct gw_token_slot));
}

static void free_values(struct value *value)
{
    while (value != NULL) {
        struct value *older = value->older;
        explicit_bzero(value->bytes, value->size);
        gw_free(value);
        value = older;
    }
}

void gw_token_slot_destroy(struct gw_token_slot **slot)
{
    if (*slot == NULL) {
        return;
    }
    free_values(atomic_load_explicit(&(*slot)->current, memory_order_relaxed));
    free_values((*slot)->replaced);
    gw_free(*slot);
    *slot = NULL;
}

bool gw_token_slot_get(const struct gw_token_slot *slot, struct gw_token *token)
{
    const struct value *value = atomic_load_explicit(&slot->current, memory_order_acquire);
    if (value == NULL) {
        return false;
    }
    *token = value->token;
    return true;
}

static struct gw_str put(char **at, struct gw_str text)
{
    char *begin = *at;
    if (text.len > 0) {
        memcpy(begin, text.ptr, text.len);
    }
    *at += text.len;
    return gw_str(begin, text.len);
}

/* Frees all but the newest of the replaced ones, once that one is old enough that no reader can
 * hold those before it. */
static void free_old(struct gw_token_slot *slot, uint64_t now_ms)
{
    struct value *newest = slot->replaced;
    if (newest != NULL && now_ms >= newest->replaced_at_ms + GW_TOKEN_GRACE_MS) {
        free_values(newest->older);
        newest->older = NULL;
    }
}

enum gw_err gw_token_slot_set(struct gw_token_slot *slot, const struct gw_token *token,
                              uint64_t now_ms)
{
    if (token->access.len > GW_TOKEN_MAX_BYTES || token->secret.len > GW_TOKEN_MAX_BYTES ||
        token->session.len > GW_TOKEN_MAX_BYTES) {
        return GW_ERR_TOO_LARGE;
    }
    size_t size = token->access.len + token->secret.len + token->session.len;
    struct value *value = gw_try_alloc(sizeof(*value) + size);
    if (value == NULL) {
        return GW_ERR_NOMEM;
    }
    char *at = value->bytes;
    *value = (struct value){.size = size};
    value->token.access = put(&at, token->access);
    value->token.secret = put(&at, token->secret);
    value->token.session = put(&at, token->session);
    value->token.expires_at_ms = token->expires_at_ms;
    free_old(slot, now_ms);
    struct value *old = atomic_exchange_explicit(&slot->current, value, memory_order_acq_rel);
    atomic_store_explicit(&slot->is_refused, false, memory_order_relaxed);
    if (old != NULL) {
        old->replaced_at_ms = now_ms;
        old->older = slot->replaced;
        slot->replaced = old;
    }
    return GW_OK;
}

void gw_token_slot_mark_refused(struct gw_token_slot *slot)
{
    atomic_store_explicit(&slot->is_refused, true, memory_order_relaxed);
}

bool gw_token_slot_is_refused(const struct gw_token_slot *slot)
{
    return atomic_load_explicit(&slot->is_refused, memory_order_relaxed);
}
