/* SPDX-License-Identifier: MIT */
/*
 * config/interpolate_int - ${VAR}, ${VAR:-default} and os.environ/VAR in the values of the file.
 *
 * Source:   POSIX shell for ":-" (the default also stands in for an empty variable); Docker Compose
 *           for "$${" (a literal "${"); LiteLLM for os.environ/VAR, which is the whole value.
 * Shape:    text in, text out. What is no reference ("$5", "${a b}") stays as it is.
 * Units:    bytes
 * Limits:   GW_INTERPOLATE_MAX_BYTES of result, GW_INTERPOLATE_MAX_DEPTH defaults in defaults.
 * Memory:   the result is in the caller's arena, or the input itself when nothing changed.
 * Threads:  any
 * Errors:   see the function.
 */
#ifndef GW_CONFIG_INTERPOLATE_INT_H
#define GW_CONFIG_INTERPOLATE_INT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

#define GW_INTERPOLATE_MAX_BYTES                                                                   \
    (1u << 20) /* a certificate chain in a variable fits many times                                \
                */
#define GW_INTERPOLATE_MAX_DEPTH 4

/* Gives the value of the variable |name|; false when it is not set. */
typedef bool gw_lookup_fn(void *user, struct gw_str name, struct gw_str *value);

struct gw_interpolation {
    struct gw_str text;    /* NUL behind it when |changed| */
    bool changed;          /* something was put in */
    struct gw_str missing; /* with GW_ERR_NOT_FOUND: the first variable that is not set */
};

/*
 * Resolves the references in |text|.
 *
 * Errors: GW_ERR_NOT_FOUND (a variable without default is not set), GW_ERR_TOO_LARGE,
 * GW_ERR_TOO_DEEP, GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_interpolate(struct gw_str text, gw_lookup_fn *lookup, void *user,
                                       struct gw_arena *arena, struct gw_interpolation *result);

#endif
