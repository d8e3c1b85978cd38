/* SPDX-License-Identifier: MIT */
/*
 * net/tls_int - what contexts (tls.c), sessions (tls_session.c), texts (tls_text.c) and streams
 * (stream_tls.c) share of OpenSSL.
 *
 * Source:   OpenSSL 3 manual pages
 * Shape:    a client stream's struct gw_tls_peer is its SSL's app data, so that the callbacks that
 *           are set on the shared SSL_CTX find what belongs to the connection.
 * Units:    none
 * Limits:   texts of at most GW_TLS_TEXT_BYTES
 * Memory:   see the functions
 * Threads:  contexts any, all else the stream's loop
 * Errors:   none
 */
#ifndef GW_NET_TLS_INT_H
#define GW_NET_TLS_INT_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "net/tls.h"
#include "net/tls_session.h"

#define GW_TLS_TEXT_BYTES 512 /* a line of a log; names in certificates are cut to fit */

/* What the callbacks of a client's connection need. */
struct gw_tls_peer {
    struct gw_tls_session_store *sessions; /* may be NULL */
    uint64_t trust_id;                     /* of the context: sessions are not shared across them */
    char *verify_text; /* why verification failed, GW_TLS_TEXT_BYTES long; else NULL */
};

/* The context; valid as long as |tls|. */
SSL_CTX *gw_tls_server_ctx(struct gw_tls_server *tls);

/* The context, ready to be used (that is when the system's authorities are read); valid as long as
 * |tls|. */
SSL_CTX *gw_tls_client_ctx(struct gw_tls_client *tls);

/* A number that no other client context of this process has or had. */
uint64_t gw_tls_client_trust_id(const struct gw_tls_client *tls);

/* The system's authorities, with a reference for the caller; NULL without memory. Any thread. */
X509_STORE *gw_tls_system_store(void);

/* Is nothing verified? */
bool gw_tls_client_is_insecure(const struct gw_tls_client *tls);

/* Callback of SSL_CTX_sess_set_new_cb(): puts |session| into the peer's store. */
int gw_tls_on_new_session(SSL *ssl, SSL_SESSION *session);

/* A session to resume, with a reference for the caller, or NULL. */
SSL_SESSION *gw_tls_session_store_take(struct gw_tls_session_store *store, uint64_t trust_id);

/* Callback of SSL_CTX_set_verify(): notes in the peer why verification failed. */
int gw_tls_on_verify(int is_ok, X509_STORE_CTX *verification);

struct gw_stream;

/* The connection inside a TLS stream, for tests. */
SSL *gw_stream_tls_ssl(const struct gw_stream *stream);

/* Writes for people what the calling thread's OpenSSL error queue says, and empties the queue. */
void gw_tls_error_text(char out[GW_TLS_TEXT_BYTES]);

#endif
