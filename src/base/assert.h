/* SPDX-License-Identifier: MIT */
/*
 * base/assert - assertions about our own logic, on in release builds too.
 *
 * Source:   none
 * Shape:    GW_ASSERT(condition), GW_DEBUG_ASSERT(condition), GW_UNREACHABLE("reason").
 * Units:    none
 * Limits:   none
 * Memory:   none
 * Threads:  any
 * Errors:   a false condition prints file, line and condition and aborts the process.
 *
 * A proxy that runs on with broken state leaks one client's bytes to another, so the cheap checks
 * stay. Never assert on what a peer sends, on the result of an allocation that a peer sizes, or
 * with a side effect in the condition.
 */
#ifndef GW_BASE_ASSERT_H
#define GW_BASE_ASSERT_H

#include "base/compiler.h"

#define GW_ASSERT(condition)                                                                       \
    do {                                                                                           \
        if (GW_UNLIKELY(!(condition))) {                                                           \
            gw_assert_fail(#condition, __FILE__, __LINE__);                                        \
        }                                                                                          \
    } while (0)

#ifdef GW_DEBUG
#    define GW_DEBUG_ASSERT(condition) GW_ASSERT(condition)
#else
#    define GW_DEBUG_ASSERT(condition) ((void)sizeof(!(condition)))
#endif

#define GW_UNREACHABLE(reason) gw_assert_fail("unreachable: " reason, __FILE__, __LINE__)

/* Prints what failed and where to standard error, with a backtrace, and aborts. */
GW_NORETURN GW_COLD void gw_assert_fail(const char *what, const char *file, int line);

#endif
