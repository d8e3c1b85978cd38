/* SPDX-License-Identifier: MIT */
/*
 * net/stream - one byte stream, plain TCP (or Unix socket) or TLS, behind one interface; never
 * blocks.
 *
 * Source:   libuv uv_poll; OpenSSL SSL_read/SSL_write with non-blocking descriptors.
 * Shape:    bytes are pushed to on_read from the loop's read buffer (borrowed until it returns);
 *           writes are attempted at once and say how much went. Readiness is level-triggered: one
 *           read per wake-up, no read that only tells "would block".
 * Units:    bytes
 * Limits:   none of its own: timeouts and queues are the owner's.
 * Memory:   the stream owns descriptor and TLS state. An idle TLS stream holds no record buffers
 *           (SSL_MODE_RELEASE_BUFFERS).
 * Threads:  its loop's thread only
 * Errors:   after on_end nothing more is called; the owner then closes.
 *
 * Inside any callback the owner may close the stream; nothing is called after gw_stream_close().
 */
#ifndef GW_NET_STREAM_H
#define GW_NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "loop/loop.h"
#include "net/address.h"
#include "net/tls.h"

struct gw_stream;

struct gw_stream_events {
    /* Connected and, with TLS, handshaken and verified: writing may begin. Reading is still off.
     * Streams from accept call it too. */
    void (*on_open)(void *user);
    /* Bytes arrived; called only while reading is on. */
    void (*on_read)(void *user, struct gw_str bytes);
    /* A write that ended with GW_ERR_AGAIN may be tried again. */
    void (*on_writable)(void *user);
    /*
     * The end: GW_ERR_EOF (the peer finished; with TLS only after close_notify), GW_ERR_RESET,
     * GW_ERR_REFUSED, GW_ERR_TIMEOUT, GW_ERR_UNREACHABLE, GW_ERR_TLS, GW_ERR_IO. A TLS stream cut
     * without close_notify ends with GW_ERR_RESET. |detail| is text for people, valid until return,
     * never empty for GW_ERR_TLS. Also called while reading is off, when the peer's disappearance
     * is noticed: a regular end only when all that came before it was read, a reset at once on an
     * accepted stream (there is nobody left to answer), and behind what was sent before it on one
     * that we connected (the answer may be complete).
     */
    void (*on_end)(void *user, enum gw_err err, struct gw_str detail);
};

/*
 * Takes over an accepted descriptor. |tls| NULL: plain. on_open is called later, from the loop. The
 * descriptor is closed with the stream, and at once when this fails.
 *
 * Errors: GW_ERR_NOMEM, GW_ERR_IO.
 */
GW_MUST_USE enum gw_err gw_stream_accept(struct gw_loop *loop, int fd, struct gw_tls_server *tls,
                                         const struct gw_stream_events *events, void *user,
                                         struct gw_stream **out);

struct gw_stream_connect_opts {
    const struct gw_address *address; /* copied */
    /* For TLS see gw_stream_start_tls(); connect alone makes a plain stream. */
};

/*
 * Begins to connect a plain stream. on_open or on_end is called later, never before this returns.
 *
 * Errors: GW_ERR_NOMEM, GW_ERR_IO (no descriptor), or what connect(2) said at once.
 */
GW_MUST_USE enum gw_err gw_stream_connect(struct gw_loop *loop,
                                          const struct gw_stream_connect_opts *opts,
                                          const struct gw_stream_events *events, void *user,
                                          struct gw_stream **out);

struct gw_tls_session_store; /* net/tls_session.h: one origin's sessions, for resumption */

struct gw_stream_tls_opts {
    struct gw_tls_client *tls; /* required */
    struct gw_str
        server_name; /* SNI and the name (or address literal) that the certificate must carry */
    bool offer_h2;   /* ALPN: h2 and http/1.1, else http/1.1 alone */
    struct gw_tls_session_store *sessions; /* may be NULL */
};

/*
 * Turns an open plain stream, on which nothing unread waits, into a TLS client; on_open is called a
 * second time when the handshake is done, or on_end with GW_ERR_TLS and the reason.
 *
 * Errors: GW_ERR_NOMEM, GW_ERR_INVALID (server_name holds a NUL or is too long).
 */
GW_MUST_USE enum gw_err gw_stream_start_tls(struct gw_stream *stream,
                                            const struct gw_stream_tls_opts *opts);

/* Did ALPN choose h2? */
bool gw_stream_is_h2(const struct gw_stream *stream);

/* Is the stream encrypted? */
bool gw_stream_is_tls(const struct gw_stream *stream);

/* Was an earlier TLS session resumed, so that the certificate was neither sent nor verified anew?
 */
bool gw_stream_is_resumed(const struct gw_stream *stream);

/*
 * Switches reading on or off. While off, only the disappearance of the peer is noticed. Bytes that
 * TLS has decrypted already are delivered from the loop after switching on, not from inside this
 * call.
 */
void gw_stream_set_reading(struct gw_stream *stream, bool on);

/*
 * Writes as much as goes now. *sent tells how much, also with GW_ERR_AGAIN; on GW_ERR_AGAIN
 * on_writable will be called. With TLS the bytes not yet sent must be offered again unchanged (more
 * may follow them).
 *
 * Errors: GW_ERR_AGAIN, GW_ERR_RESET, GW_ERR_TLS, GW_ERR_IO. After any but AGAIN the owner closes.
 */
GW_MUST_USE enum gw_err gw_stream_writev(struct gw_stream *stream, const struct iovec *iov,
                                         int count, size_t *sent);

/* Sends close_notify (TLS) and FIN: we will write no more; reading goes on. */
void gw_stream_shutdown_write(struct gw_stream *stream);

/* Closes and frees (the memory at the end of the loop turn); NULL-safe, clears the pointer. No
 * callback follows. */
void gw_stream_close(struct gw_stream **stream);

/* Closes by RST instead of FIN, so that a peer sees a cut and not a regular end; NULL-safe, clears
 * the pointer. */
void gw_stream_reset(struct gw_stream **stream);

#endif
