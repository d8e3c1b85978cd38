/* SPDX-License-Identifier: MIT */
/* net/address - inet_pton(3) and its way back, with the port. */
#include "net/address.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* inet_pton() wants a NUL behind the text; false when there is none to be had. */
static bool literal_to_c(struct gw_str host, char out[INET6_ADDRSTRLEN])
{
    if (host.len == 0 || host.len >= INET6_ADDRSTRLEN || memchr(host.ptr, '\0', host.len) != NULL) {
        return false;
    }
    memcpy(out, host.ptr, host.len);
    out[host.len] = '\0';
    return true;
}

enum gw_err gw_address_from_literal(struct gw_str host, uint16_t port, struct gw_address *address)
{
    char text[INET6_ADDRSTRLEN];
    if (!literal_to_c(host, text)) {
        return GW_ERR_INVALID;
    }
    struct in_addr v4;
    if (inet_pton(AF_INET, text, &v4) == 1) {
        *address = (struct gw_address){.len = sizeof(address->u.v4)};
        address->u.v4.sin_family = AF_INET;
        address->u.v4.sin_addr = v4;
        address->u.v4.sin_port = htons(port);
        return GW_OK;
    }
    struct in6_addr v6;
    if (inet_pton(AF_INET6, text, &v6) == 1) {
        *address = (struct gw_address){.len = sizeof(address->u.v6)};
        address->u.v6.sin6_family = AF_INET6;
        address->u.v6.sin6_addr = v6;
        address->u.v6.sin6_port = htons(port);
        return GW_OK;
    }
    return GW_ERR_INVALID;
}

enum gw_err gw_address_from_unix(struct gw_str path, struct gw_address *address)
{
    if (path.len == 0 || memchr(path.ptr, '\0', path.len) != NULL) {
        return GW_ERR_INVALID;
    }
    if (path.len >= sizeof(address->u.path.sun_path)) {
        return GW_ERR_TOO_LARGE;
    }
    *address = (struct gw_address){0};
    address->u.path.sun_family = AF_UNIX;
    memcpy(address->u.path.sun_path, path.ptr, path.len);
    address->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len + 1);
    return GW_OK;
}

void gw_address_unmap(struct gw_address *address)
{
    if (address->u.any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&address->u.v6.sin6_addr)) {
        return;
    }
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = address->u.v6.sin6_port};
    memcpy(&v4.sin_addr, &address->u.v6.sin6_addr.s6_addr[12], sizeof(v4.sin_addr));
    *address = (struct gw_address){.len = sizeof(v4)};
    address->u.v4 = v4;
}

uint16_t gw_address_port(const struct gw_address *address)
{
    switch (address->u.any.sa_family) {
    case AF_INET:
        return ntohs(address->u.v4.sin_port);
    case AF_INET6:
        return ntohs(address->u.v6.sin6_port);
    default:
        return 0;
    }
}

void gw_address_set_port(struct gw_address *address, uint16_t port)
{
    switch (address->u.any.sa_family) {
    case AF_INET:
        address->u.v4.sin_port = htons(port);
        break;
    case AF_INET6:
        address->u.v6.sin6_port = htons(port);
        break;
    default:
        break;
    }
}

bool gw_address_is_loopback(const struct gw_address *address)
{
    switch (address->u.any.sa_family) {
    case AF_INET:
        return ntohl(address->u.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    case AF_INET6: {
        const struct in6_addr *v6 = &address->u.v6.sin6_addr;
        return IN6_IS_ADDR_LOOPBACK(v6) ||
               (IN6_IS_ADDR_V4MAPPED(v6) && v6->s6_addr[12] == IN_LOOPBACKNET);
    }
    case AF_UNIX:
        return true;
    default:
        return false;
    }
}

/* Length of a Unix socket's path: what the kernel fills in need not end with a NUL, and a client's
 * socket has none. */
static size_t path_len(const struct gw_address *address)
{
    size_t head = offsetof(struct sockaddr_un, sun_path);
    if (address->len <= head) {
        return 0;
    }
    size_t room = sizeof(address->u.path.sun_path);
    size_t used = address->len - head;
    return strnlen(address->u.path.sun_path, used < room ? used : room);
}

/* inet_ntop() prints through snprintf(), 1,400 instructions; each request's record has the client's
 * address. */
static void format_v4(const struct in_addr *v4, char *out)
{
    uint32_t bits = ntohl(v4->s_addr);
    for (unsigned shift = 32; shift > 0; shift -= 8) {
        unsigned octet = bits >> (shift - 8) & 0xff;
        if (octet >= 100) {
            *out++ = (char)('0' + octet / 100);
        }
        if (octet >= 10) {
            *out++ = (char)('0' + octet / 10 % 10);
        }
        *out++ = (char)('0' + octet % 10);
        *out++ = shift > 8 ? '.' : '\0';
    }
}

void gw_address_format_host(const struct gw_address *address, char out[GW_ADDRESS_TEXT_BYTES])
{
    switch (address->u.any.sa_family) {
    case AF_INET:
        format_v4(&address->u.v4.sin_addr, out);
        return;
    case AF_INET6:
        (void)inet_ntop(AF_INET6, &address->u.v6.sin6_addr, out, GW_ADDRESS_TEXT_BYTES);
        return;
    case AF_UNIX:
        (void)snprintf(out, GW_ADDRESS_TEXT_BYTES, "unix:%.*s", (int)path_len(address),
                       address->u.path.sun_path);
        return;
    default:
        (void)snprintf(out, GW_ADDRESS_TEXT_BYTES, "unknown");
        return;
    }
}

void gw_address_format(const struct gw_address *address, char out[GW_ADDRESS_TEXT_BYTES])
{
    char host[GW_ADDRESS_TEXT_BYTES];
    gw_address_format_host(address, host);
    switch (address->u.any.sa_family) {
    case AF_INET:
        (void)snprintf(out, GW_ADDRESS_TEXT_BYTES, "%.*s:%u", INET_ADDRSTRLEN, host,
                       (unsigned)gw_address_port(address));
        return;
    case AF_INET6:
        (void)snprintf(out, GW_ADDRESS_TEXT_BYTES, "[%.*s]:%u", INET6_ADDRSTRLEN, host,
                       (unsigned)gw_address_port(address));
        return;
    default:
        (void)snprintf(out, GW_ADDRESS_TEXT_BYTES, "%s", host);
        return;
    }
}
