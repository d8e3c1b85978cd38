/* SPDX-License-Identifier: MIT */
/*
 * base/err - the one list of error codes that functions return.
 *
 * Source:   none
 * Shape:    GW_ERR_MAP(XX) lists every code once; enum, names and texts are made from it.
 * Units:    none
 * Limits:   none
 * Memory:   texts are static.
 * Threads:  any
 * Errors:   none
 *
 * GW_OK is 0, every error is negative. What a client, an operator and the retry decision need to
 * know of a failure stands in struct gw_error (llm/error.h); this code only says what kind of thing
 * went wrong in one call.
 */
#ifndef GW_BASE_ERR_H
#define GW_BASE_ERR_H

#include "base/compiler.h"

#define GW_ERR_MAP(XX)                                                                             \
    XX(NOMEM, -1, "out of memory")                                                                 \
    XX(TOO_LARGE, -2, "larger than the limit")                                                     \
    XX(INVALID, -3, "not valid")                                                                   \
    XX(AGAIN, -4, "would block")                                                                   \
    XX(EOF, -5, "end of stream")                                                                   \
    XX(IO, -6, "input or output failed")                                                           \
    XX(TIMEOUT, -7, "timed out")                                                                   \
    XX(REFUSED, -8, "connection refused")                                                          \
    XX(RESET, -9, "connection reset by peer")                                                      \
    XX(NOT_FOUND, -10, "not found")                                                                \
    XX(TLS, -11, "TLS failed")                                                                     \
    XX(PROTOCOL, -12, "peer broke the protocol")                                                   \
    XX(CANCELLED, -13, "cancelled")                                                                \
    XX(OVERFLOW, -14, "number out of range")                                                       \
    XX(EXISTS, -15, "exists already")                                                              \
    XX(DNS, -16, "name not resolved")                                                              \
    XX(TOO_DEEP, -17, "nested too deeply")                                                         \
    XX(UNREACHABLE, -18, "host or network not reachable")                                          \
    XX(UNSUPPORTED, -19, "not supported")

enum gw_err {
    GW_OK = 0,
#define XX(name, value, text) GW_ERR_##name = (value),
    GW_ERR_MAP(XX)
#undef XX
};

/* The text of a code, for messages; static, never NULL. */
const char *gw_err_text(enum gw_err err);

/* The name of a code as it stands in the list ("TOO_LARGE"), for logs; static, never NULL. */
const char *gw_err_name(enum gw_err err);

/*
 * The code nearest to an errno value, as syscalls leave it: EAGAIN is GW_ERR_AGAIN, ECONNREFUSED is
 * GW_ERR_REFUSED, what has no code of its own is GW_ERR_IO.
 */
enum gw_err gw_err_from_errno(int errno_value);

/* Says that a failure is left alone on purpose; the caller's comment says why. */
static inline void gw_err_ignore(enum gw_err err)
{
    (void)err;
}

#endif
