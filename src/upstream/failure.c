/* SPDX-License-Identifier: MIT */
/* upstream/failure - what a failure is called: phase, peer, reason. */
#include <stdio.h>

#include "base/assert.h"
#include "upstream/upstream_int.h"

const char *gw_exchange_phase_text(enum gw_exchange_phase phase)
{
    switch (phase) {
    case GW_PHASE_RESOLVE:
        return "resolve";
    case GW_PHASE_CONNECT:
        return "connect";
    case GW_PHASE_PROXY:
        return "proxy";
    case GW_PHASE_TLS:
        return "TLS handshake";
    case GW_PHASE_SEND:
        return "send";
    case GW_PHASE_FIRST_BYTE:
        return "first byte";
    case GW_PHASE_HEAD:
        return "response head";
    case GW_PHASE_BODY:
        return "response body";
    }
    GW_UNREACHABLE("phase of an exchange");
}

static enum gw_exchange_phase phase_of_conn(const struct gw_upconn *conn)
{
    uint8_t state = conn->state == GW_UPCONN_CLOSED ? conn->closed_in : conn->state;
    switch ((enum gw_upconn_state)state) {
    case GW_UPCONN_NEW:
    case GW_UPCONN_RESOLVING:
        return GW_PHASE_RESOLVE;
    case GW_UPCONN_CONNECTING:
        return GW_PHASE_CONNECT;
    case GW_UPCONN_PROXYING:
        return GW_PHASE_PROXY;
    case GW_UPCONN_HANDSHAKING:
        return GW_PHASE_TLS;
    case GW_UPCONN_SHARED:
    case GW_UPCONN_BUSY:
    case GW_UPCONN_RETURNING:
    case GW_UPCONN_IDLE:
    case GW_UPCONN_CLOSED:
        break;
    }
    return GW_PHASE_SEND;
}

enum gw_exchange_phase gw_exchange_phase(const struct gw_exchange *exchange)
{
    switch ((enum gw_exchange_state)exchange->state) {
    case GW_EXCHANGE_CONNECTING:
        return exchange->conn == NULL ? GW_PHASE_CONNECT : phase_of_conn(exchange->conn);
    case GW_EXCHANGE_SENDING:
        return GW_PHASE_SEND;
    case GW_EXCHANGE_WAITING:
        return GW_PHASE_FIRST_BYTE;
    case GW_EXCHANGE_HEAD:
        return GW_PHASE_HEAD;
    case GW_EXCHANGE_BODY:
    case GW_EXCHANGE_OVER:
        break;
    }
    return GW_PHASE_BODY;
}

/* "1.2.3.4:443", or nothing before an address is known. */
static void format_address(const struct gw_upconn *conn, char out[GW_ADDRESS_TEXT_BYTES])
{
    struct gw_address address = {0};
    if (conn != NULL && conn->peer.any.sa_family == AF_INET) {
        address.u.v4 = conn->peer.v4;
        address.len = sizeof(address.u.v4);
    } else if (conn != NULL && conn->peer.any.sa_family == AF_INET6) {
        address.u.v6 = conn->peer.v6;
        address.len = sizeof(address.u.v6);
    } else {
        out[0] = '\0';
        return;
    }
    gw_address_format(&address, out);
}

/* Writes "host:port", and the address behind it unless that says the same. */
static size_t format_host(char *out, size_t size, struct gw_str host, uint16_t port,
                          const char *address)
{
    bool is_v6 = gw_str_find_byte(host, ':') < host.len;
    int len = snprintf(out, size, "%s" GW_STR_FMT "%s:%u", is_v6 ? "[" : "", GW_STR_ARG(host),
                       is_v6 ? "]" : "", (unsigned)port);
    if (len >= 0 && (size_t)len < size && address[0] != '\0' && strcmp(out, address) != 0) {
        len += snprintf(out + len, size - (size_t)len, " (%s)", address);
    }
    return (size_t)len < size ? (size_t)len : size - 1;
}

struct gw_str gw_exchange_format_peer(const struct gw_exchange *exchange,
                                      char out[GW_PEER_TEXT_BYTES])
{
    const struct gw_origin *origin = &exchange->pool->origin;
    char address[GW_ADDRESS_TEXT_BYTES];
    format_address(exchange->conn, address);
    if (origin->unix_path.len > 0) {
        int len =
            snprintf(out, GW_PEER_TEXT_BYTES, "unix:" GW_STR_FMT, GW_STR_ARG(origin->unix_path));
        return gw_str(out, len < GW_PEER_TEXT_BYTES ? (size_t)len : GW_PEER_TEXT_BYTES - 1);
    }
    /* One half for each: a name that is too long to be one is cut. */
    bool is_proxied = origin->proxy_host.len > 0;
    size_t len = format_host(out, GW_PEER_TEXT_BYTES / 2, origin->host, origin->port,
                             is_proxied ? "" : address);
    if (is_proxied) {
        const struct gw_str by = GW_STR(" by proxy ");
        memcpy(out + len, by.ptr, by.len);
        len += by.len;
        len += format_host(out + len, GW_PEER_TEXT_BYTES - len, origin->proxy_host,
                           origin->proxy_port, address);
    }
    return gw_str(out, len);
}

struct gw_str gw_failure_default_detail(enum gw_exchange_phase phase, enum gw_err err)
{
    if (err == GW_ERR_EOF && phase >= GW_PHASE_HEAD) {
        return GW_STR("the peer closed the connection in the middle of its response");
    }
    if (err == GW_ERR_EOF) {
        return GW_STR("the peer closed the connection");
    }
    if (err == GW_ERR_TIMEOUT) {
        switch (phase) {
        case GW_PHASE_RESOLVE:
            return GW_STR("the name was not resolved in time");
        case GW_PHASE_CONNECT:
            return GW_STR("the peer did not accept the connection in time");
        case GW_PHASE_PROXY:
            return GW_STR("the proxy did not answer in time");
        case GW_PHASE_TLS:
            return GW_STR("the TLS handshake did not end in time");
        case GW_PHASE_SEND:
            return GW_STR("the peer stopped taking the request");
        case GW_PHASE_FIRST_BYTE:
            return GW_STR("no answer in time");
        case GW_PHASE_HEAD:
            return GW_STR("the head of the response did not end in time");
        case GW_PHASE_BODY:
            return GW_STR("the response stalled");
        }
    }
    return gw_str_from_c(gw_err_text(err));
}
