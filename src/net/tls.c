/* SPDX-License-Identifier: MIT */
/* net/tls - SSL_CTX of servers and clients. */
#include "net/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>
#include <uv.h>

#include "base/alloc.h"
#include "net/tls_int.h"

/*
 * Mozilla "intermediate" without its DHE suites: they cost a server several times what ECDHE does,
 * and who cannot do ECDHE cannot do the rest of the list either. The three suites of TLS 1.3 are
 * OpenSSL's own default.
 */
static const char server_ciphers[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                                     "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                     "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

/*
 * Sessions of TLS 1.2 clients that take no tickets are kept in memory, for all clients together: a
 * client that opens connections without end must not fill it.
 */
#define SERVER_CACHE_SESSIONS 1024

struct gw_tls_server {
    atomic_uint owners;
    SSL_CTX *ctx;
};

struct gw_tls_client {
    atomic_uint owners;
    bool insecure;
    uint64_t trust_id;
    pthread_mutex_t store_lock;
    atomic_bool needs_store; /* the system's authorities are to be attached before first use */
    SSL_CTX *ctx;
};

/* ---- both ---- */

/* What servers and clients have in common; NULL without memory. */
static SSL_CTX *create_ctx(const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new(method);
    if (ctx == NULL) {
        return NULL;
    }
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    /* Partial writes and moving buffers: see gw_stream_tls_writev(). */
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* One read(2) fetches head and body of a record, and the next records if they are there. */
    SSL_CTX_set_read_ahead(ctx, 1);
    return ctx;
}

/* Tells a missing file from a bad one before OpenSSL mixes the two up. */
static enum gw_err check_file(const char *what, const char *path, struct gw_arena *arena,
                              struct gw_str *message)
{
    if (access(path, R_OK) == 0) {
        return GW_OK;
    }
    *message = gw_arena_printf(arena, "cannot read %s %s: %s", what, path,
                               uv_strerror(uv_translate_sys_error(errno)));
    return GW_ERR_NOT_FOUND;
}

/* |message| "what path: hint (what OpenSSL says)". */
static enum gw_err refuse_file(const char *what, const char *path, const char *hint,
                               struct gw_arena *arena, struct gw_str *message)
{
    char text[GW_TLS_TEXT_BYTES];
    gw_tls_error_text(text);
    *message = gw_arena_printf(arena, "%s %s: %s (%s)", what, path, hint, text);
    return GW_ERR_INVALID;
}

/* ---- server ---- */

/* ALPN: h2 before http/1.1. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *offered, unsigned int offered_len, void *user)
{
    (void)ssl;
    (void)user;
    static const unsigned char ours[] = "\x02h2\x08http/1.1";
    unsigned char *chosen = NULL;
    if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1, offered, offered_len) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL; /* RFC 7301 section 3.2 */
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* A server has no terminal to ask at. */
static int refuse_passphrase(char *buffer, int size, int is_writing, void *user)
{
    (void)buffer;
    (void)size;
    (void)is_writing;
    (void)user;
    return -1;
}

static enum gw_err load_identity(SSL_CTX *ctx, const struct gw_tls_server_opts *opts,
                                 struct gw_arena *arena, struct gw_str *message)
{
    enum gw_err err = check_file("the certificate", opts->cert_file, arena, message);
    if (err == GW_OK) {
        err = check_file("the key", opts->key_file, arena, message);
    }
    if (err != GW_OK) {
        return err;
    }
    SSL_CTX_set_default_passwd_cb(ctx, refuse_passphrase);
    if (SSL_CTX_use_certificate_chain_file(ctx, opts->cert_file) != 1) {
        return refuse_file("the certificate", opts->cert_file,
                           "not a PEM certificate that can be used", arena, message);
    }
    if (SSL_CTX_use_PrivateKey_file(ctx, opts->key_file, SSL_FILETYPE_PEM) != 1) {
        return refuse_file("the key", opts->key_file,
                           "not an unencrypted PEM key that belongs to the certificate", arena,
                           message);
    }
    if (SSL_CTX_check_private_key(ctx) != 1) {
        return refuse_file("the key", opts->key_file, "does not belong to the certificate", arena,
                           message);
    }
    return GW_OK;
}

static enum gw_err set_up_server(SSL_CTX *ctx)
{
    static const unsigned char session_context[] = "gatewire";
    char groups[] = "X25519:P-256:P-384"; /* not const: OpenSSL's macro casts that away */
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
    SSL_CTX_sess_set_cache_size(ctx, SERVER_CACHE_SESSIONS);
    SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
    if (SSL_CTX_set_cipher_list(ctx, server_ciphers) != 1 ||
        SSL_CTX_set1_groups_list(ctx, groups) != 1 ||
        SSL_CTX_set_session_id_context(ctx, session_context, sizeof(session_context) - 1) != 1) {
        return GW_ERR_INVALID;
    }
    return GW_OK;
}

enum gw_err gw_tls_server_create(const struct gw_tls_server_opts *opts, struct gw_arena *arena,
                                 struct gw_tls_server **out, struct gw_str *message)
{
    ERR_clear_error();
    SSL_CTX *ctx = create_ctx(TLS_server_method());
    enum gw_err err = ctx == NULL ? GW_ERR_INVALID : set_up_server(ctx);
    if (err != GW_OK) {
        char text[GW_TLS_TEXT_BYTES];
        gw_tls_error_text(text);
        *message = gw_arena_printf(arena, "cannot set up TLS: %s", text);
    } else {
        err = load_identity(ctx, opts, arena, message);
    }
    if (err != GW_OK) {
        SSL_CTX_free(ctx);
        return err;
    }
    struct gw_tls_server *tls = gw_zalloc(sizeof(*tls));
    atomic_init(&tls->owners, 1);
    tls->ctx = ctx;
    *out = tls;
    return GW_OK;
}

struct gw_tls_server *gw_tls_server_acquire(struct gw_tls_server *tls)
{
    atomic_fetch_add_explicit(&tls->owners, 1, memory_order_relaxed);
    return tls;
}

void gw_tls_server_release(struct gw_tls_server **tls)
{
    struct gw_tls_server *old = *tls;
    if (old == NULL) {
        return;
    }
    *tls = NULL;
    if (atomic_fetch_sub_explicit(&old->owners, 1, memory_order_acq_rel) == 1) {
        SSL_CTX_free(old->ctx); /* streams hold references of their own to it */
        gw_free(old);
    }
}

SSL_CTX *gw_tls_server_ctx(struct gw_tls_server *tls)
{
    return tls->ctx;
}

/* ---- client ---- */

static enum gw_err set_up_client(SSL_CTX *ctx, const struct gw_tls_client_opts *opts,
                                 struct gw_arena *arena, struct gw_str *message)
{
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ctx, gw_tls_on_new_session);
    if (opts->insecure) {
        SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
        return GW_OK;
    }
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, gw_tls_on_verify);
    if (opts->ca_file == NULL) {
        return GW_OK; /* see gw_tls_client_ctx() */
    }
    enum gw_err err = check_file("the CA file", opts->ca_file, arena, message);
    if (err == GW_OK && SSL_CTX_load_verify_file(ctx, opts->ca_file) != 1) {
        err = refuse_file("the CA file", opts->ca_file, "no PEM certificate in it", arena, message);
    }
    return err;
}

enum gw_err gw_tls_client_create(const struct gw_tls_client_opts *opts, struct gw_arena *arena,
                                 struct gw_tls_client **out, struct gw_str *message)
{
    static atomic_uint_fast64_t last_trust_id;
    ERR_clear_error();
    /* Ciphers stay OpenSSL's default: the peer is verified and chooses, and some on-premise servers
     * speak nothing of the stricter list. */
    SSL_CTX *ctx = create_ctx(TLS_client_method());
    if (ctx == NULL) {
        char text[GW_TLS_TEXT_BYTES];
        gw_tls_error_text(text);
        *message = gw_arena_printf(arena, "cannot set up TLS: %s", text);
        return GW_ERR_INVALID;
    }
    enum gw_err err = set_up_client(ctx, opts, arena, message);
    if (err != GW_OK) {
        SSL_CTX_free(ctx);
        return err;
    }
    struct gw_tls_client *tls = gw_zalloc(sizeof(*tls));
    atomic_init(&tls->owners, 1);
    tls->insecure = opts->insecure;
    (void)pthread_mutex_init(&tls->store_lock, NULL);
    atomic_init(&tls->needs_store, !opts->insecure && opts->ca_file == NULL);
    tls->trust_id = atomic_fetch_add_explicit(&last_trust_id, 1, memory_order_relaxed) + 1;
    tls->ctx = ctx;
    *out = tls;
    return GW_OK;
}

struct gw_tls_client *gw_tls_client_acquire(struct gw_tls_client *tls)
{
    atomic_fetch_add_explicit(&tls->owners, 1, memory_order_relaxed);
    return tls;
}

void gw_tls_client_release(struct gw_tls_client **tls)
{
    struct gw_tls_client *old = *tls;
    if (old == NULL) {
        return;
    }
    *tls = NULL;
    if (atomic_fetch_sub_explicit(&old->owners, 1, memory_order_acq_rel) == 1) {
        SSL_CTX_free(old->ctx);
        (void)pthread_mutex_destroy(&old->store_lock);
        gw_free(old);
    }
}

static void attach_system_store(struct gw_tls_client *tls)
{
    (void)pthread_mutex_lock(&tls->store_lock);
    if (atomic_load_explicit(&tls->needs_store, memory_order_relaxed)) {
        X509_STORE *store = gw_tls_system_store();
        if (store != NULL) {
            SSL_CTX_set_cert_store(tls->ctx, store); /* takes the reference */
        }
        atomic_store_explicit(&tls->needs_store, false, memory_order_release);
    }
    (void)pthread_mutex_unlock(&tls->store_lock);
}

SSL_CTX *gw_tls_client_ctx(struct gw_tls_client *tls)
{
    if (atomic_load_explicit(&tls->needs_store, memory_order_acquire)) {
        attach_system_store(tls);
    }
    return tls->ctx;
}

uint64_t gw_tls_client_trust_id(const struct gw_tls_client *tls)
{
    return tls->trust_id;
}

bool gw_tls_client_is_insecure(const struct gw_tls_client *tls)
{
    return tls->insecure;
}
