/* SPDX-License-Identifier: MIT */
/*
 * net/stream_int - what the plain half (stream.c) and the TLS half (stream_tls.c) of a stream
 * share.
 *
 * Source:   none
 * Shape:    stream.c owns state, descriptor and poll interest; stream_tls.c is called where bytes
 *           are encrypted. The owner may close inside every callback: whoever called one looks at
 *           stream->state before going on. The memory stays until the end of the loop turn.
 * Units:    none
 * Limits:   none
 * Memory:   see stream.h
 * Threads:  the loop's thread only
 * Errors:   none
 */
#ifndef GW_NET_STREAM_INT_H
#define GW_NET_STREAM_INT_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "net/stream.h"

enum gw_stream_state {
    GW_STREAM_CONNECTING,
    GW_STREAM_HANDSHAKING,
    GW_STREAM_OPEN,
    GW_STREAM_ENDED,  /* on_end was called; the owner has yet to close */
    GW_STREAM_CLOSED, /* by the owner; the memory goes with the loop turn */
};

struct gw_stream_tls; /* stream_tls.c */

struct gw_stream {
    uv_poll_t poll;
    struct gw_loop *loop;
    const struct gw_stream_events *events;
    void *user;
    struct gw_stream_tls *tls; /* NULL: plain */
    struct gw_deferred deferred;
    int fd;
    uint8_t state;      /* enum gw_stream_state */
    uint8_t interest;   /* UV_READABLE and so on, as libuv knows them now; 0: not polled */
    bool is_accepted;   /* the peer asks, we answer */
    bool is_h2;         /* ALPN chose it */
    bool reading;       /* the owner wants on_read */
    bool want_writable; /* the owner wants on_writable */
    bool want_flush;    /* TLS has bytes of its own to write, or a handshake waits for room */
    bool peer_finished; /* the peer's end waits behind bytes that nobody wants to read yet */
    bool open_due;      /* deferred: on_open */
    bool handshake_due; /* deferred: first step of a client's handshake */
    bool read_due;      /* deferred: bytes that TLS holds already */
};

/* Is the stream still the owner's open stream? To be asked after each callback. */
static inline bool gw_stream_is_open(const struct gw_stream *stream)
{
    return stream->state == GW_STREAM_OPEN;
}

/* Makes libuv watch what the stream's state asks for; costs nothing when that did not change. */
void gw_stream_update_interest(struct gw_stream *stream);

/* Stops everything and calls on_end. */
void gw_stream_end(struct gw_stream *stream, enum gw_err err, struct gw_str detail);

/* gw_stream_end() with what an errno value means. */
void gw_stream_end_errno(struct gw_stream *stream, int error);

/* ---- stream_tls.c ---- */

/* Makes the TLS state of an accepted stream, which begins to handshake. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_stream_tls_accept(struct gw_stream *stream, struct gw_tls_server *tls);

/* Frees the TLS state; |is_cut|: without close_notify. NULL-safe. */
void gw_stream_tls_free(struct gw_stream *stream, bool is_cut);

/* One step of the handshake; calls on_open or on_end when that was the last one. */
void gw_stream_tls_handshake(struct gw_stream *stream);

/* The descriptor is readable and reading is on. */
void gw_stream_tls_read(struct gw_stream *stream);

/* Delivers what TLS holds already, without a system call. */
void gw_stream_tls_read_held(struct gw_stream *stream);

/* Does TLS hold bytes that no readiness event will tell about? */
bool gw_stream_tls_holds_bytes(const struct gw_stream *stream);

/* Reading is off and the peer has finished: ends the stream unless bytes wait before the end. */
void gw_stream_tls_check_peer(struct gw_stream *stream);

/* The descriptor is writable and want_flush was set. */
void gw_stream_tls_flush(struct gw_stream *stream);

/* As gw_stream_writev(). */
GW_MUST_USE enum gw_err gw_stream_tls_writev(struct gw_stream *stream, const struct iovec *iov,
                                             int count, size_t *sent);

/* Sends close_notify, then FIN; later when there is no room now. */
void gw_stream_tls_shutdown_write(struct gw_stream *stream);

#endif
