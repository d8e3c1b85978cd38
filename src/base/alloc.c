/* SPDX-License-Identifier: MIT */
/* base/alloc - malloc with a policy for exhaustion and a switch for failure tests. */
#include "base/alloc.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Atomic uint64_t fail_countdown;

GW_NORETURN GW_COLD static void die(size_t size)
{
    fprintf(stderr, "gatewire: out of memory (%zu bytes wanted)\n", size);
    abort();
}

static int must_fail(void)
{
    if (GW_LIKELY(atomic_load_explicit(&fail_countdown, memory_order_relaxed) == 0)) {
        return 0;
    }
    return atomic_fetch_sub_explicit(&fail_countdown, 1, memory_order_relaxed) == 1;
}

void *gw_alloc(size_t size)
{
    void *block = malloc(size > 0 ? size : 1);
    if (block == NULL) {
        die(size);
    }
    return block;
}

void *gw_zalloc(size_t size)
{
    void *block = calloc(1, size > 0 ? size : 1);
    if (block == NULL) {
        die(size);
    }
    return block;
}

void *gw_realloc(void *block, size_t size)
{
    void *moved = realloc(block, size > 0 ? size : 1);
    if (moved == NULL) {
        die(size);
    }
    return moved;
}

char *gw_strndup(const char *ptr, size_t len)
{
    char *copy = gw_alloc(len + 1);
    if (len > 0) {
        memcpy(copy, ptr, len);
    }
    copy[len] = '\0';
    return copy;
}

void *gw_try_alloc(size_t size)
{
    return must_fail() ? NULL : malloc(size > 0 ? size : 1);
}

void *gw_try_realloc(void *block, size_t size)
{
    return must_fail() ? NULL : realloc(block, size > 0 ? size : 1);
}

void gw_free(void *block)
{
    free(block);
}

void gw_alloc_fail_at(uint64_t nth)
{
    atomic_store_explicit(&fail_countdown, nth, memory_order_relaxed);
}
