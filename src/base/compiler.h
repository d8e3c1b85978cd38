/* SPDX-License-Identifier: MIT */
/*
 * base/compiler - the few compiler attributes we use, each under one name.
 *
 * Source:   GCC and Clang manuals, "Function Attributes".
 * Shape:    macros only.
 * Units:    none
 * Limits:   none
 * Memory:   none
 * Threads:  any
 * Errors:   none
 */
#ifndef GW_BASE_COMPILER_H
#define GW_BASE_COMPILER_H

#include <stddef.h>

#define GW_MUST_USE        __attribute__((warn_unused_result))
#define GW_PRINTF(fmt, va) __attribute__((format(printf, fmt, va)))
#define GW_NORETURN        __attribute__((noreturn))
#define GW_COLD            __attribute__((cold))
#define GW_UNUSED          __attribute__((unused))
#define GW_LIKELY(x)       __builtin_expect(!!(x), 1)
#define GW_UNLIKELY(x)     __builtin_expect(!!(x), 0)

/* From a pointer to an embedded member back to the object that holds it. */
#define GW_CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define GW_ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

#endif
