/* SPDX-License-Identifier: MIT */
/*
 * upstream/origin - where an exchange goes and how a connection to it is made; plain values, built
 * by the configuration.
 *
 * Source:   none
 * Shape:    immutable after it is built. |key| spells out everything that makes two connections
 *           interchangeable, so that a reload keeps the pools of origins that did not change.
 * Units:    in the names
 * Limits:   none
 * Memory:   all views and the TLS context belong to the snapshot that holds the origin.
 * Threads:  any (immutable)
 * Errors:   none
 */
#ifndef GW_UPSTREAM_ORIGIN_H
#define GW_UPSTREAM_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "net/tls.h"

enum gw_http2_mode {
    GW_HTTP2_AUTO,  /* over TLS when ALPN chooses it, never without TLS */
    GW_HTTP2_OFF,   /* HTTP/1.1 only */
    GW_HTTP2_PRIOR, /* HTTP/2 from the first byte, also without TLS (h2c with prior knowledge) */
};

struct gw_origin {
    struct gw_str key;
    bool is_tls;
    struct gw_str host; /* name or address literal; also SNI and the name that is verified */
    uint16_t port;
    struct gw_str unix_path;   /* not empty: connect there instead of host:port */
    struct gw_str host_header; /* "host" or "host:port", as the Host / :authority field wants it */
    enum gw_http2_mode http2;
    struct gw_tls_client *tls; /* NULL without TLS */
    /* An HTTP proxy to CONNECT through; empty host: none. */
    struct gw_str proxy_host;
    uint16_t proxy_port;
    struct gw_str proxy_authorization; /* "Basic ..." or empty */
};

#endif
