/* SPDX-License-Identifier: MIT */
/* Plain and TLS streams behind one interface. */
#include "common/tls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

static const unsigned char ALPN_BOTH[] = "\x02h2\x08http/1.1";
static const unsigned char ALPN_H1[] = "\x08http/1.1";
static const unsigned char ALPN_H2[] = "\x02h2";

static int select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned int in_len, void *user)
{
    (void)ssl;
    bool http2 = user != NULL;
    const unsigned char *mine = http2 ? ALPN_BOTH : ALPN_H1;
    unsigned int mine_len = http2 ? sizeof(ALPN_BOTH) - 1 : sizeof(ALPN_H1) - 1;
    unsigned char *picked = NULL;
    if (SSL_select_next_proto(&picked, out_len, mine, mine_len, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *out = picked;
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *fail(SSL_CTX *ctx, const char *what)
{
    fprintf(stderr, "TLS: %s: ", what);
    ERR_print_errors_fp(stderr);
    SSL_CTX_free(ctx);
    return NULL;
}

static void set_common(SSL_CTX *ctx)
{
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
}

SSL_CTX *bench_tls_server(const char *cert_file, const char *key_file, bool http2)
{
    static int http2_wanted;
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    if (ctx == NULL) {
        return fail(ctx, "context");
    }
    set_common(ctx);
    if (SSL_CTX_use_certificate_chain_file(ctx, cert_file) != 1) {
        return fail(ctx, cert_file);
    }
    if (SSL_CTX_use_PrivateKey_file(ctx, key_file, SSL_FILETYPE_PEM) != 1) {
        return fail(ctx, key_file);
    }
    SSL_CTX_set_alpn_select_cb(ctx, select_alpn, http2 ? &http2_wanted : NULL);
    return ctx;
}

SSL_CTX *bench_tls_client(bool http2)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (ctx == NULL) {
        return fail(ctx, "context");
    }
    set_common(ctx);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    const unsigned char *alpn = http2 ? ALPN_H2 : ALPN_H1;
    unsigned int len = http2 ? sizeof(ALPN_H2) - 1 : sizeof(ALPN_H1) - 1;
    if (SSL_CTX_set_alpn_protos(ctx, alpn, len) != 0) {
        return fail(ctx, "ALPN");
    }
    return ctx;
}

bool bench_stream_init(struct bench_stream *stream, int fd, SSL_CTX *ctx, bool is_server)
{
    *stream = (struct bench_stream){.fd = fd};
    if (ctx == NULL) {
        return true;
    }
    stream->ssl = SSL_new(ctx);
    if (stream->ssl == NULL) {
        return false;
    }
    if (SSL_set_fd(stream->ssl, fd) != 1) {
        bench_stream_fini(stream, false);
        return false;
    }
    if (is_server) {
        SSL_set_accept_state(stream->ssl);
    } else {
        SSL_set_connect_state(stream->ssl);
    }
    return true;
}

void bench_stream_fini(struct bench_stream *stream, bool notify)
{
    if (stream->ssl == NULL) {
        return;
    }
    if (notify && SSL_is_init_finished(stream->ssl)) {
        ERR_clear_error();
        (void)SSL_shutdown(stream->ssl);
    }
    SSL_free(stream->ssl);
    stream->ssl = NULL;
}

static enum bench_io from_ssl(struct bench_stream *stream, int result)
{
    switch (SSL_get_error(stream->ssl, result)) {
    case SSL_ERROR_WANT_READ:
        stream->wants_write = false;
        return BENCH_IO_AGAIN;
    case SSL_ERROR_WANT_WRITE:
        stream->wants_write = true;
        return BENCH_IO_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        return BENCH_IO_END;
    default:
        return BENCH_IO_ERROR;
    }
}

static enum bench_io from_errno(struct bench_stream *stream, bool writing)
{
    if (errno == EAGAIN || errno == EINTR) {
        stream->wants_write = writing;
        return BENCH_IO_AGAIN;
    }
    return BENCH_IO_ERROR;
}

enum bench_io bench_stream_read(struct bench_stream *stream, void *to, size_t cap, size_t *got)
{
    if (stream->ssl != NULL) {
        ERR_clear_error();
        int result = SSL_read_ex(stream->ssl, to, cap, got);
        return result == 1 ? BENCH_IO_OK : from_ssl(stream, result);
    }
    ssize_t n = recv(stream->fd, to, cap, 0);
    if (n > 0) {
        *got = (size_t)n;
        return BENCH_IO_OK;
    }
    return n == 0 ? BENCH_IO_END : from_errno(stream, false);
}

enum bench_io bench_stream_write(struct bench_stream *stream, const void *from, size_t len,
                                 size_t *sent)
{
    if (stream->ssl != NULL) {
        ERR_clear_error();
        int result = SSL_write_ex(stream->ssl, from, len, sent);
        return result == 1 ? BENCH_IO_OK : from_ssl(stream, result);
    }
    ssize_t n = send(stream->fd, from, len, MSG_NOSIGNAL);
    if (n >= 0) {
        *sent = (size_t)n;
        return BENCH_IO_OK;
    }
    return from_errno(stream, true);
}

bool bench_stream_is_h2(const struct bench_stream *stream)
{
    if (stream->ssl == NULL) {
        return false;
    }
    const unsigned char *alpn = NULL;
    unsigned int len = 0;
    SSL_get0_alpn_selected(stream->ssl, &alpn, &len);
    return len == 2 && memcmp(alpn, "h2", 2) == 0;
}

bool bench_stream_has_pending(const struct bench_stream *stream)
{
    return stream->ssl != NULL && SSL_pending(stream->ssl) > 0;
}
