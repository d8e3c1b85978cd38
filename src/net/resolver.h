/* SPDX-License-Identifier: MIT */
/*
 * net/resolver - names to addresses without blocking the loop.
 *
 * Source:   getaddrinfo(3) in libuv's thread pool; RFC 6724 order as the system gives it.
 * Shape:    literals answer at once. Names are cached: getaddrinfo() tells no TTL, so an answer is
 *           fresh for refresh_ms; after that the old one is still given at once while a new look-up
 *           runs behind it. A failed refresh keeps the old answer and is logged; a failed first
 *           look-up is kept for a second. Look-ups of one name at one time are one.
 * Units:    milliseconds
 * Limits:   GW_RESOLVER_MAX_ADDRESSES per name, GW_RESOLVER_MAX_NAMES names (unused ones go first).
 * Memory:   answers are copied into the callback's view.
 * Threads:  its loop's thread only
 * Errors:   GW_ERR_DNS, with the system's text.
 */
#ifndef GW_NET_RESOLVER_H
#define GW_NET_RESOLVER_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "loop/loop.h"
#include "net/address.h"

#define GW_RESOLVER_MAX_ADDRESSES 16  /* more than a vendor publishes in one answer */
#define GW_RESOLVER_MAX_NAMES     256 /* names come from the configuration, not from clients */

struct gw_resolver;
struct gw_resolver_query;

/* |count| is 0 with an error. Views are valid until return. */
typedef void gw_resolver_on_answer_fn(void *user, enum gw_err err,
                                      const struct gw_address *addresses, size_t count,
                                      struct gw_str detail);

/* Makes a resolver. */
struct gw_resolver *gw_resolver_create(struct gw_loop *loop, uint64_t refresh_ms);

/* Frees (running look-ups end in the background); NULL-safe, clears the pointer. */
void gw_resolver_destroy(struct gw_resolver **resolver);

/*
 * Resolves |host|. The answer may come before this returns (literal or cached: *query is NULL then)
 * or later; *query is over when it came.
 *
 * Errors: GW_ERR_TOO_LARGE (a name longer than 253 bytes), GW_ERR_INVALID (an empty one, or with a
 * NUL inside), GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_resolver_lookup(struct gw_resolver *resolver, struct gw_str host,
                                           uint16_t port, gw_resolver_on_answer_fn *on_answer,
                                           void *user, struct gw_resolver_query **query);

/* The callback will not be called; NULL-safe, clears the pointer. */
void gw_resolver_cancel(struct gw_resolver_query **query);

#endif
