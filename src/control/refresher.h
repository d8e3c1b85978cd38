/* SPDX-License-Identifier: MIT */
/*
 * control/refresher - the thread that fetches tokens: the first at once, the next ahead of the
 * expiry of the last, and soon after a provider refused one.
 *
 * Source:   DESIGN section 4
 * Shape:    walks over a token book; one fetch per source at a time. Failures back off; each change
 *           of what is wrong is logged once.
 * Units:    milliseconds
 * Limits:   GW_TOKEN_BOOK_MAX sources, each with one fetch
 * Memory:   the thread owns its fetches; wiped at their end.
 * Threads:  create, wake and destroy from one thread; counters from any.
 * Errors:   see the functions.
 */
#ifndef GW_CONTROL_REFRESHER_H
#define GW_CONTROL_REFRESHER_H

#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "control/token_book.h"

struct gw_refresher;

struct gw_refresher_counts {
    uint64_t refreshes_total; /* tokens that were fetched */
    uint64_t failures_total;  /* fetches that gave none */
};

/* Starts the thread for |book|, which must outlive it. Errors: GW_ERR_IO (no thread or descriptor).
 */
GW_MUST_USE enum gw_err gw_refresher_create(struct gw_token_book *book, struct gw_refresher **out);

/* Makes the thread look at the book now: after a configuration was taken over. */
void gw_refresher_wake(struct gw_refresher *refresher);

/* Ends the thread and what it has under way; NULL-safe, clears the pointer. */
void gw_refresher_destroy(struct gw_refresher **refresher);

/* What was done so far. */
struct gw_refresher_counts gw_refresher_counts(const struct gw_refresher *refresher);

/* ---- when to fetch; for tests ---- */

/* A token of |life_ms| is replaced that long after it was fetched: with five minutes left, a minute
 * of them by chance, or after half of a short life. |random| is any number. */
uint64_t gw_refresher_delay_ms(uint64_t life_ms, uint64_t random);

/* How long to wait after failure number |failures| (from 1) in a row. */
uint64_t gw_refresher_backoff_ms(unsigned failures, uint64_t random);

#endif
