/* SPDX-License-Identifier: MIT */
/*
 * control/token_book - the token sources in use, each once, however many deployments and snapshots
 * have it.
 *
 * Source:   DESIGN section 4
 * Shape:    snapshots acquire an entry per source and release it when they end; the control thread
 *           walks over what is wanted. A source that a reload keeps, keeps its slot and with it the
 *           token. Without a book (gatewire check, tests) an entry stands alone and nobody
 *           refreshes it.
 * Units:    milliseconds since 1970
 * Limits:   GW_TOKEN_BOOK_MAX sources
 * Memory:   an entry owns copies of the spec's texts and the slot; wiped and freed with the last
 *           reference. A book lives as long as its creator and its entries.
 * Threads:  any; a lock is held for the length of a call.
 * Errors:   see the functions.
 */
#ifndef GW_CONTROL_TOKEN_BOOK_H
#define GW_CONTROL_TOKEN_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "control/token_spec.h"
#include "llm/token_slot.h"

/* Each costs a request some minutes; nobody has more accounts in one file. */
#define GW_TOKEN_BOOK_MAX 1024

struct gw_token_book;
struct gw_token_entry;

/* An empty book. */
struct gw_token_book *gw_token_book_create(void);

/* The creator's part ends; NULL-safe, clears the pointer. */
void gw_token_book_release(struct gw_token_book **book);

/*
 * The entry with the texts of |spec|: an existing one, or a new one. |book| may be NULL. A static
 * source has its token at once.
 *
 * Errors: GW_ERR_TOO_LARGE (the texts, or too many sources), GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_token_book_acquire(struct gw_token_book *book,
                                              const struct gw_token_spec *spec, uint64_t now_ms,
                                              struct gw_token_entry **out);

/* A snapshot's part in the entry ends; NULL-safe, clears the pointer. */
void gw_token_entry_release(struct gw_token_entry **entry);

/* The entry's slot; lives as long as the entry. */
struct gw_token_slot *gw_token_entry_slot(struct gw_token_entry *entry);

/* The entry's spec; immutable. */
const struct gw_token_spec *gw_token_entry_spec(const struct gw_token_entry *entry);

/* ---- for the control thread ---- */

/*
 * The next entry behind |last| (NULL: the first) that some snapshot wants and that is not static;
 * NULL behind the last one. The caller holds it until gw_token_entry_let_go(). An entry that
 * nobody wants any more may be given as |last| too: the walk begins anew then.
 */
struct gw_token_entry *gw_token_book_next(struct gw_token_book *book, struct gw_token_entry *last);

/* One more holder: beside a snapshot's wish. */
struct gw_token_entry *gw_token_entry_hold(struct gw_token_entry *entry);

/* Ends a hold; NULL-safe, clears the pointer. */
void gw_token_entry_let_go(struct gw_token_entry **entry);

/* Does a snapshot still want it? */
bool gw_token_entry_is_wanted(struct gw_token_entry *entry);

#endif
