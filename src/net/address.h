/* SPDX-License-Identifier: MIT */
/*
 * net/address - socket addresses: literals in and out.
 *
 * Source:   inet_pton(3), unix(7)
 * Shape:    plain values
 * Units:    none
 * Limits:   a Unix socket path of at most 107 bytes (sun_path)
 * Memory:   allocates nothing
 * Threads:  any
 * Errors:   GW_ERR_INVALID, GW_ERR_TOO_LARGE
 */
#ifndef GW_NET_ADDRESS_H
#define GW_NET_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

struct gw_address {
    socklen_t len;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un path;
    } u;
};

#define GW_ADDRESS_TEXT_BYTES 120 /* "unix:" and a full sun_path, and the NUL */

/* An IPv4 or IPv6 literal (without brackets) and a port. Errors: GW_ERR_INVALID (no literal). */
GW_MUST_USE enum gw_err gw_address_from_literal(struct gw_str host, uint16_t port,
                                                struct gw_address *address);

/* A Unix socket. Errors: GW_ERR_TOO_LARGE, GW_ERR_INVALID (empty, or with a NUL inside). */
GW_MUST_USE enum gw_err gw_address_from_unix(struct gw_str path, struct gw_address *address);

/* Turns ::ffff:1.2.3.4, as a socket for both families reports IPv4 peers, into 1.2.3.4. */
void gw_address_unmap(struct gw_address *address);

/* Port of an IP address in host order; 0 for a Unix socket. */
uint16_t gw_address_port(const struct gw_address *address);

/* Sets the port of an IP address. */
void gw_address_set_port(struct gw_address *address, uint16_t port);

/* Is it 127.0.0.0/8, ::1 or a Unix socket? */
bool gw_address_is_loopback(const struct gw_address *address);

/* Writes "1.2.3.4:80", "[::1]:80" or "unix:/path", NUL-terminated. */
void gw_address_format(const struct gw_address *address, char out[GW_ADDRESS_TEXT_BYTES]);

/* The address without its port ("1.2.3.4", "::1"), NUL-terminated; for access logs. */
void gw_address_format_host(const struct gw_address *address, char out[GW_ADDRESS_TEXT_BYTES]);

#endif
