/* SPDX-License-Identifier: MIT */
/*
 * base/secret - bytes that must not leak: zeroed when freed, compared in constant time, with no way
 * into a format string.
 *
 * Source:   none
 * Shape:    an opaque owner; gw_secret_reveal() is the only door and easy to grep for.
 * Units:    bytes
 * Limits:   none
 * Memory:   owns a copy on the heap.
 * Threads:  immutable after create: any thread.
 * Errors:   none
 */
#ifndef GW_BASE_SECRET_H
#define GW_BASE_SECRET_H

#include <stdbool.h>

#include "base/str.h"

struct gw_secret;

/* Copies |bytes|; end it with gw_secret_destroy(). */
struct gw_secret *gw_secret_create(struct gw_str bytes);

/* Zeroes and frees; NULL-safe, clears the pointer. */
void gw_secret_destroy(struct gw_secret **secret);

/* The bytes, valid as long as the secret; for building the header that carries it, nothing else.
 * NULL gives the empty view. */
struct gw_str gw_secret_reveal(const struct gw_secret *secret);

/* Is |candidate| this secret (never when |secret| is NULL)? Takes the same time wherever they
 * differ. */
bool gw_secret_eq(const struct gw_secret *secret, struct gw_str candidate);

#endif
