/* SPDX-License-Identifier: MIT */
/*
 * bench/common/tls - a byte stream over a socket, plain or TLS.
 *
 * Source:   OpenSSL 3 SSL_read(3), SSL_write(3), SSL_CTX_set_alpn_select_cb(3).
 * Shape:    non-blocking; the handshake happens inside the first reads and writes.
 * Units:    bytes.
 * Limits:   TLS 1.2 and 1.3.
 * Memory:   a stream owns its SSL object, not its descriptor.
 * Threads:  a context may be shared; a stream belongs to one thread.
 * Errors:   enum bench_io; after ERROR the stream can only be ended.
 */
#ifndef BENCH_COMMON_TLS_H
#define BENCH_COMMON_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

enum bench_io {
    BENCH_IO_OK,
    BENCH_IO_AGAIN, /* nothing moved; wait for what wants_write says */
    BENCH_IO_END,   /* the peer ended the stream properly */
    BENCH_IO_ERROR, /* reset, or a TLS failure; errno when it came from the socket */
};

struct bench_stream {
    int fd;           /* borrowed */
    SSL *ssl;         /* NULL: plain */
    bool wants_write; /* TLS: the last AGAIN waits for the socket to become writable */
};

/*
 * Creates a server context from PEM files; ALPN offers h2 only when |http2|.
 * Returns NULL after printing OpenSSL's reason. Free with SSL_CTX_free().
 */
SSL_CTX *bench_tls_server(const char *cert_file, const char *key_file, bool http2);

/*
 * Creates a client context that does not verify the peer: it measures on the loopback.
 * ALPN asks for h2 when |http2|, for http/1.1 otherwise. NULL after printing the reason.
 */
SSL_CTX *bench_tls_client(bool http2);

/* Prepares |stream| over |fd|; |ctx| NULL makes it plain. false when OpenSSL has no memory. */
bool bench_stream_init(struct bench_stream *stream, int fd, SSL_CTX *ctx, bool is_server);

/* Frees the TLS state; says goodbye first when |notify|. The descriptor stays open. */
void bench_stream_fini(struct bench_stream *stream, bool notify);

/* Reads up to |cap| bytes; *got is set when BENCH_IO_OK. */
enum bench_io bench_stream_read(struct bench_stream *stream, void *to, size_t cap, size_t *got);

/* Writes up to |len| bytes; *sent is set when BENCH_IO_OK. */
enum bench_io bench_stream_write(struct bench_stream *stream, const void *from, size_t len,
                                 size_t *sent);

/* Tells whether the peer and we agreed on HTTP/2 by ALPN. false before the handshake's end. */
bool bench_stream_is_h2(const struct bench_stream *stream);

/* Tells whether decrypted bytes wait inside the TLS layer, which epoll cannot see. */
bool bench_stream_has_pending(const struct bench_stream *stream);

#endif
