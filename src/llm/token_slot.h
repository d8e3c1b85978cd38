/* SPDX-License-Identifier: MIT */
/*
 * llm/token_slot - a credential that changes while the gateway runs: an OAuth access token or a set
 * of temporary AWS keys. The control thread writes it ahead of its expiry, workers read it.
 *
 * Source:   DESIGN section 4 (between threads: immutable data and atomics)
 * Shape:    the writer publishes a new immutable value; a reader borrows the current one. A value
 *           that was replaced is freed when the one after it is replaced too, and no earlier than
 *           GW_TOKEN_GRACE_MS after its replacement: readers hold it for one call only.
 * Units:    milliseconds since 1970 (wall clock)
 * Limits:   GW_TOKEN_MAX_BYTES per text
 * Memory:   the slot owns its values; wiped when freed.
 * Threads:  one writer at a time; any number of readers.
 * Errors:   GW_ERR_NOMEM, GW_ERR_TOO_LARGE
 */
#ifndef GW_LLM_TOKEN_SLOT_H
#define GW_LLM_TOKEN_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

#define GW_TOKEN_MAX_BYTES (16u * 1024) /* Entra tokens with many groups have some 8 KiB */
#define GW_TOKEN_GRACE_MS  10000

struct gw_token_slot;

/* Borrowed by a reader until it returns to its loop. */
struct gw_token {
    struct gw_str access;   /* bearer token, or AWS access key id */
    struct gw_str secret;   /* AWS secret access key; else empty */
    struct gw_str session;  /* AWS session token; else empty */
    uint64_t expires_at_ms; /* 0: never */
};

/* An empty slot. */
struct gw_token_slot *gw_token_slot_create(void);

/* Wipes and frees; nobody may read any more; NULL-safe, clears the pointer. */
void gw_token_slot_destroy(struct gw_token_slot **slot);

/* The current token; false when there is none yet. An expired one is given too: the provider's
 * answer decides. */
bool gw_token_slot_get(const struct gw_token_slot *slot, struct gw_token *token);

/* Publishes a copy of |token|. */
GW_MUST_USE enum gw_err gw_token_slot_set(struct gw_token_slot *slot, const struct gw_token *token,
                                          uint64_t now_ms);

/* Any thread: the provider refused the token; the writer should get a new one soon. */
void gw_token_slot_mark_refused(struct gw_token_slot *slot);

/* Writer: was it refused since the last set? */
bool gw_token_slot_is_refused(const struct gw_token_slot *slot);

#endif
