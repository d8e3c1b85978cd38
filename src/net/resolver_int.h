/* SPDX-License-Identifier: MIT */
/*
 * net/resolver_int - the system calls of the resolver, so that tests can answer in their place.
 *
 * Source:   uv_getaddrinfo
 * Shape:    one table; the default is libuv's.
 * Units:    none
 * Limits:   none
 * Memory:   none
 * Threads:  the loop's thread only
 * Errors:   those of libuv
 */
#ifndef GW_NET_RESOLVER_INT_H
#define GW_NET_RESOLVER_INT_H

#include <uv.h>

#include "net/resolver.h"

struct gw_resolver_system {
    /* As uv_getaddrinfo(). */
    int (*start)(uv_loop_t *loop, uv_getaddrinfo_t *request, uv_getaddrinfo_cb on_done,
                 const char *host, const char *service, const struct addrinfo *hints);
    /* As uv_freeaddrinfo(). */
    void (*free_answer)(struct addrinfo *answer);
};

/* Look-ups that begin from now on go through |system|, which must outlive the resolver. */
void gw_resolver_set_system(struct gw_resolver *resolver, const struct gw_resolver_system *system);

#endif
