/* SPDX-License-Identifier: MIT */
/*
 * net/tls_session - the TLS sessions of one origin on one loop, kept for resumption.
 *
 * Source:   RFC 8446 section 2.2, appendix C.4 (a TLS 1.3 ticket is used once); OpenSSL
 *           SSL_CTX_sess_set_new_cb.
 * Shape:    connections put sessions in, new connections take the newest out. A resumed session is
 *           not verified again, so one is offered only under the client context it was made with.
 * Units:    none
 * Limits:   GW_TLS_SESSIONS_MAX sessions; the oldest goes.
 * Memory:   owns references to the sessions.
 * Threads:  its loop's thread only
 * Errors:   none
 */
#ifndef GW_NET_TLS_SESSION_H
#define GW_NET_TLS_SESSION_H

#define GW_TLS_SESSIONS_MAX                                                                        \
    8 /* servers send two tickets a connection; more than a burst of reconnects uses */

struct gw_tls_session_store;

/* An empty store. */
struct gw_tls_session_store *gw_tls_session_store_create(void);

/* Frees; streams that use it must be closed first; NULL-safe, clears the pointer. */
void gw_tls_session_store_destroy(struct gw_tls_session_store **store);

#endif
