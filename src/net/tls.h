/* SPDX-License-Identifier: MIT */
/*
 * net/tls - TLS contexts: what a listener presents, and what an upstream connection verifies.
 *
 * Source:   OpenSSL 3 manual pages; RFC 8446, RFC 5246, RFC 7301 (ALPN), RFC 9325
 *           (recommendations); Mozilla's "intermediate" list of ciphers, version 5.7.
 * Shape:    one immutable, ref-counted context per certificate (server) or per trust settings
 *           (client).
 * Units:    none
 * Limits:   TLS 1.2 and 1.3 only.
 * Memory:   ref-counted; the last release frees.
 * Threads:  any
 * Errors:   GW_ERR_NOT_FOUND, GW_ERR_INVALID with a text for people in the arena.
 */
#ifndef GW_NET_TLS_H
#define GW_NET_TLS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

struct gw_tls_server;
struct gw_tls_client;

struct gw_tls_server_opts {
    const char *cert_file; /* required: PEM, leaf first, then the chain */
    const char *key_file;  /* required: PEM */
};

/*
 * Reads certificate and key. ALPN offers h2 and http/1.1; session tickets are on.
 *
 * Errors: GW_ERR_NOT_FOUND, GW_ERR_INVALID; *message (in |arena|) names file and reason.
 */
GW_MUST_USE enum gw_err gw_tls_server_create(const struct gw_tls_server_opts *opts,
                                             struct gw_arena *arena, struct gw_tls_server **out,
                                             struct gw_str *message);

/* One more owner. */
struct gw_tls_server *gw_tls_server_acquire(struct gw_tls_server *tls);

/* One owner less; NULL-safe, clears the pointer. */
void gw_tls_server_release(struct gw_tls_server **tls);

struct gw_tls_client_opts {
    /* PEM; NULL: the system's store (SSL_CERT_FILE and SSL_CERT_DIR are honoured), which is read
     * when the first connection needs it, and then shared. */
    const char *ca_file;
    bool insecure; /* no verification at all; only when the operator asked for it */
};

/*
 * Makes a client context. Verification is on, name and address of the peer included, unless
 * |insecure|.
 *
 * Errors: GW_ERR_NOT_FOUND, GW_ERR_INVALID; *message (in |arena|) names file and reason.
 */
GW_MUST_USE enum gw_err gw_tls_client_create(const struct gw_tls_client_opts *opts,
                                             struct gw_arena *arena, struct gw_tls_client **out,
                                             struct gw_str *message);

/* One more owner. */
struct gw_tls_client *gw_tls_client_acquire(struct gw_tls_client *tls);

/* One owner less; NULL-safe, clears the pointer. */
void gw_tls_client_release(struct gw_tls_client **tls);

#endif
