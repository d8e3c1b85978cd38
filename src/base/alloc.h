/* SPDX-License-Identifier: MIT */
/*
 * base/alloc - the one door to the heap.
 *
 * Source:   none
 * Shape:    gw_alloc() and friends abort when memory is gone (our own small blocks); gw_try_alloc()
 *           and friends return NULL (blocks whose size a peer influences).
 * Units:    bytes
 * Limits:   none of its own
 * Memory:   the caller owns what it gets and gives it back with gw_free().
 * Threads:  any
 * Errors:   see above. gw_alloc_fail_at() makes a chosen allocation fail, for tests.
 */
#ifndef GW_BASE_ALLOC_H
#define GW_BASE_ALLOC_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* A block of |size| bytes, not cleared; aborts when there is none. */
GW_MUST_USE void *gw_alloc(size_t size);

/* A cleared block of |size| bytes; aborts when there is none. */
GW_MUST_USE void *gw_zalloc(size_t size);

/* A copy of |len| bytes with a NUL behind them; aborts when there is no memory. |ptr| may be NULL
 * when |len| is 0. */
GW_MUST_USE char *gw_strndup(const char *ptr, size_t len);

/* Resizes |block| (NULL allows) to |size| bytes; aborts when there is no memory. */
GW_MUST_USE void *gw_realloc(void *block, size_t size);

/* A block of |size| bytes, not cleared, or NULL. */
GW_MUST_USE void *gw_try_alloc(size_t size);

/* Resizes |block| (NULL allows) to |size| bytes; NULL when there is no memory, |block| is then
 * still valid. */
GW_MUST_USE void *gw_try_realloc(void *block, size_t size);

/* Gives a block back; NULL is allowed. */
void gw_free(void *block);

/*
 * Makes the |nth| following gw_try_*() call of this process return NULL (1 is the next one; 0
 * switches this off). For the allocation-failure tests.
 */
void gw_alloc_fail_at(uint64_t nth);

#endif
