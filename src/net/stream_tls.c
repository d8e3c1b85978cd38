/* SPDX-License-Identifier: MIT */
/*
 * net/stream_tls - the encrypted half of a stream.
 *
 * OpenSSL reads and writes the descriptor through a BIO of ours, which makes one read(2) per
 * wake-up: a read that returned less than was asked for has emptied the socket, and OpenSSL's next
 * attempt is told "would block" without a system call. What OpenSSL fetched beyond the record it
 * delivers stays in its buffer, where epoll does not see it; so reading goes on until that is empty
 * too, or is taken up from deferred work when the owner switched reading off in between.
 */
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "net/stream_int.h"
#include "net/tls_int.h"

#define RECORD_BYTES   16384 /* the most one record carries */
#define MAX_NAME_BYTES 253   /* of a DNS name (RFC 1035 section 2.3.4) */

struct gw_stream_tls {
    SSL *ssl;
    struct gw_tls_peer peer;
    int fd;
    int io_error;      /* errno of the last failed system call; 0: none */
    bool may_read;     /* the socket was not emptied yet in this wake-up */
    bool is_dead;      /* OpenSSL forbids to go on after a fatal error */
    bool cannot_write; /* a write failed, or close_notify went out */
    bool is_server;
    bool has_received;  /* anything at all: it is no mere check of the port */
    bool shutdown_sent; /* close_notify went out */
    bool shutdown_due;  /* close_notify waits for room */
};

/* ---- the BIO ---- */

static int bio_read(BIO *bio, char *out, int size)
{
    struct gw_stream_tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (!tls->may_read) {
        BIO_set_retry_read(bio);
        return -1;
    }
    ssize_t n = recv(tls->fd, out, (size_t)size, 0);
    if (n < 0) {
        if (errno == EAGAIN || errno == EINTR) {
            BIO_set_retry_read(bio);
        } else {
            tls->io_error = errno;
        }
        tls->may_read = false;
        return -1;
    }
    if (n == 0) {
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
        return 0;
    }
    tls->may_read = n == size;
    tls->has_received = true;
    return (int)n;
}

static int bio_write(BIO *bio, const char *bytes, int size)
{
    struct gw_stream_tls *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    ssize_t n = send(tls->fd, bytes, (size_t)size, MSG_NOSIGNAL);
    if (n < 0) {
        if (errno == EAGAIN || errno == EINTR) {
            BIO_set_retry_write(bio);
        } else {
            tls->io_error = errno;
        }
        return -1;
    }
    return (int)n;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)number;
    (void)pointer;
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1; /* nothing is held back */
    case BIO_CTRL_EOF:
        return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    default:
        return 0;
    }
}

static BIO_METHOD *bio_method;
static pthread_once_t bio_method_once = PTHREAD_ONCE_INIT;

static void make_bio_method(void)
{
    bio_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "gatewire stream");
    if (bio_method != NULL) {
        BIO_meth_set_read(bio_method, bio_read);
        BIO_meth_set_write(bio_method, bio_write);
        BIO_meth_set_ctrl(bio_method, bio_ctrl);
    }
}

/* ---- life ---- */

/* The queue of errors is per thread, and others of this thread use OpenSSL too. */
static void clear_errors(void)
{
    if (ERR_peek_error() != 0) {
        ERR_clear_error();
    }
}

static void free_tls(struct gw_stream_tls *tls)
{
    SSL_free(tls->ssl); /* and its BIO */
    gw_free(tls->peer.verify_text);
    gw_free(tls);
}

/* NULL without memory. */
static struct gw_stream_tls *create_tls(SSL_CTX *ctx, int fd)
{
    (void)pthread_once(&bio_method_once, make_bio_method);
    struct gw_stream_tls *tls = gw_try_alloc(sizeof(*tls));
    if (tls == NULL) {
        return NULL;
    }
    *tls = (struct gw_stream_tls){.fd = fd, .ssl = SSL_new(ctx)};
    BIO *bio = tls->ssl == NULL || bio_method == NULL ? NULL : BIO_new(bio_method);
    if (bio == NULL) {
        clear_errors();
        free_tls(tls);
        return NULL;
    }
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    SSL_set_bio(tls->ssl, bio, bio);
    SSL_set_app_data(tls->ssl, &tls->peer);
    return tls;
}

enum gw_err gw_stream_tls_accept(struct gw_stream *stream, struct gw_tls_server *tls)
{
    stream->tls = create_tls(gw_tls_server_ctx(tls), stream->fd);
    if (stream->tls == NULL) {
        return GW_ERR_NOMEM;
    }
    stream->tls->is_server = true;
    SSL_set_accept_state(stream->tls->ssl);
    return GW_OK;
}

void gw_stream_tls_free(struct gw_stream *stream, bool is_cut)
{
    struct gw_stream_tls *tls = stream->tls;
    if (tls == NULL) {
        return;
    }
    stream->tls = NULL;
    if (!tls->is_dead) {
        if (!is_cut && !tls->cannot_write && stream->state != GW_STREAM_HANDSHAKING) {
            clear_errors();
            (void)SSL_shutdown(tls->ssl);
            clear_errors();
        }
        /* Else OpenSSL takes the session for broken, and it could not be resumed. */
        SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
    free_tls(tls);
}

/* ---- failures ---- */

/*
 * What a call of OpenSSL that did not succeed means. With GW_ERR_AGAIN *wants_write tells for what
 * it waits; with all else |text| says for people what happened.
 */
static enum gw_err classify(struct gw_stream_tls *tls, int ret, bool *wants_write,
                            char text[GW_TLS_TEXT_BYTES])
{
    int error = tls->io_error;
    switch (SSL_get_error(tls->ssl, ret)) {
    case SSL_ERROR_WANT_READ:
        *wants_write = false;
        return GW_ERR_AGAIN;
    case SSL_ERROR_WANT_WRITE:
        *wants_write = true;
        return GW_ERR_AGAIN;
    case SSL_ERROR_ZERO_RETURN:
        (void)snprintf(text, GW_TLS_TEXT_BYTES, "the peer closed the connection");
        return GW_ERR_EOF;
    case SSL_ERROR_SSL:
        tls->is_dead = true;
        if (ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
            (void)snprintf(text, GW_TLS_TEXT_BYTES, "the peer cut the connection");
            ERR_clear_error();
            return GW_ERR_RESET;
        }
        if (tls->peer.verify_text != NULL) {
            (void)snprintf(text, GW_TLS_TEXT_BYTES, "%s", tls->peer.verify_text);
            ERR_clear_error();
        } else {
            gw_tls_error_text(text);
        }
        return GW_ERR_TLS;
    default:
        (void)snprintf(text, GW_TLS_TEXT_BYTES, "%s",
                       error == 0 ? "the peer cut the connection"
                                  : uv_strerror(uv_translate_sys_error(error)));
        clear_errors();
        return error == 0 ? GW_ERR_RESET : gw_err_from_errno(error);
    }
}

/* ---- handshake ---- */

static void end_handshake(struct gw_stream *stream, enum gw_err err, char *text)
{
    const struct gw_stream_tls *tls = stream->tls;
    if (err == GW_ERR_RESET && tls->is_server && !tls->has_received) {
        gw_stream_end(stream, GW_ERR_EOF, GW_STR("closed before the TLS handshake began"));
        return;
    }
    if (err != GW_ERR_TLS) {
        size_t len = strlen(text);
        (void)snprintf(text + len, GW_TLS_TEXT_BYTES - len, " during the TLS handshake");
    }
    gw_stream_end(stream, err, gw_str_from_c(text));
}

void gw_stream_tls_handshake(struct gw_stream *stream)
{
    struct gw_stream_tls *tls = stream->tls;
    tls->may_read = true;
    clear_errors();
    int ret = SSL_do_handshake(tls->ssl);
    if (ret != 1) {
        char text[GW_TLS_TEXT_BYTES];
        enum gw_err err = classify(tls, ret, &stream->want_flush, text);
        if (err != GW_ERR_AGAIN) {
            tls->is_dead = true;
            end_handshake(stream, err, text);
        }
        return;
    }
    const unsigned char *alpn = NULL;
    unsigned int alpn_len = 0;
    SSL_get0_alpn_selected(tls->ssl, &alpn, &alpn_len);
    stream->is_h2 = alpn_len == 2 && memcmp(alpn, "h2", 2) == 0;
    stream->want_flush = false;
    stream->state = GW_STREAM_OPEN;
    stream->events->on_open(stream->user);
}

/* Sets SNI and the name, or the address, that the certificate must carry. */
static enum gw_err set_server_name(SSL *ssl, struct gw_str server_name, bool is_verified)
{
    char name[MAX_NAME_BYTES + 1];
    struct gw_address literal;
    bool is_literal = gw_address_from_literal(server_name, 0, &literal) == GW_OK;
    if (server_name.len > 0 && server_name.ptr[server_name.len - 1] == '.') {
        server_name.len--; /* "host." is the same host, but no certificate says so */
    }
    if (server_name.len > MAX_NAME_BYTES || (server_name.len == 0 && is_verified) ||
        (server_name.len > 0 && memchr(server_name.ptr, '\0', server_name.len) != NULL)) {
        return GW_ERR_INVALID;
    }
    if (server_name.len == 0) {
        return GW_OK;
    }
    memcpy(name, server_name.ptr, server_name.len);
    name[server_name.len] = '\0';
    int ok = 1;
    if (!is_literal) { /* RFC 6066 section 3: no literals in SNI */
        ok = (int)SSL_set_tlsext_host_name(ssl, name);
    }
    if (ok == 1 && is_verified && is_literal) {
        ok = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name);
    } else if (ok == 1 && is_verified) {
        SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        ok = SSL_set1_host(ssl, name);
    }
    return ok == 1 ? GW_OK : GW_ERR_NOMEM;
}

static enum gw_err set_up_client(struct gw_stream_tls *tls, const struct gw_stream_tls_opts *opts)
{
    static const unsigned char alpn[] = "\x02h2\x08http/1.1";
    const size_t skip = opts->offer_h2 ? 0 : 3;
    SSL_set_connect_state(tls->ssl);
    tls->peer.sessions = opts->sessions;
    tls->peer.trust_id = gw_tls_client_trust_id(opts->tls);
    enum gw_err err =
        set_server_name(tls->ssl, opts->server_name, !gw_tls_client_is_insecure(opts->tls));
    if (err == GW_OK &&
        SSL_set_alpn_protos(tls->ssl, alpn + skip, (unsigned)(sizeof(alpn) - 1 - skip)) != 0) {
        err = GW_ERR_NOMEM;
    }
    if (err == GW_OK && opts->sessions != NULL) {
        SSL_SESSION *session = gw_tls_session_store_take(opts->sessions, tls->peer.trust_id);
        if (session != NULL) {
            (void)SSL_set_session(tls->ssl, session); /* else a full handshake follows */
            SSL_SESSION_free(session);
        }
    }
    return err;
}

enum gw_err gw_stream_start_tls(struct gw_stream *stream, const struct gw_stream_tls_opts *opts)
{
    GW_ASSERT(gw_stream_is_open(stream) && stream->tls == NULL);
    struct gw_stream_tls *tls = create_tls(gw_tls_client_ctx(opts->tls), stream->fd);
    if (tls == NULL) {
        return GW_ERR_NOMEM;
    }
    enum gw_err err = set_up_client(tls, opts);
    clear_errors();
    if (err != GW_OK) {
        free_tls(tls);
        return err;
    }
    stream->tls = tls;
    stream->state = GW_STREAM_HANDSHAKING;
    stream->reading = false;
    stream->handshake_due = true;
    gw_loop_defer(stream->loop, &stream->deferred);
    return GW_OK;
}

SSL *gw_stream_tls_ssl(const struct gw_stream *stream)
{
    return stream->tls->ssl;
}

bool gw_stream_is_resumed(const struct gw_stream *stream)
{
    return stream->tls != NULL && SSL_session_reused(stream->tls->ssl) == 1;
}

/* ---- reading ---- */

/* Fills |buffer| with as many records as are there; *filled counts also when it returns an error.
 */
static enum gw_err read_records(struct gw_stream *stream, char *buffer, size_t *filled,
                                char text[GW_TLS_TEXT_BYTES])
{
    struct gw_stream_tls *tls = stream->tls;
    *filled = 0;
    while (*filled + RECORD_BYTES <= GW_LOOP_READ_BYTES) {
        size_t got = 0;
        int ret = SSL_read_ex(tls->ssl, buffer + *filled, GW_LOOP_READ_BYTES - *filled, &got);
        if (ret != 1) {
            return classify(tls, ret, &stream->want_flush, text);
        }
        *filled += got;
        /* Asking OpenSSL once more would only make it allocate and free a buffer. */
        if (!tls->may_read && SSL_has_pending(tls->ssl) == 0) {
            return GW_ERR_AGAIN;
        }
    }
    return GW_OK;
}

static void read_rounds(struct gw_stream *stream)
{
    char *buffer = gw_loop_read_buffer(stream->loop);
    enum gw_err err = GW_OK;
    while (err == GW_OK) {
        char text[GW_TLS_TEXT_BYTES];
        size_t filled = 0;
        clear_errors();
        err = read_records(stream, buffer, &filled, text);
        if (filled > 0) {
            stream->events->on_read(stream->user, gw_str(buffer, filled));
            if (!gw_stream_is_open(stream)) {
                return;
            }
        }
        if (err != GW_OK && err != GW_ERR_AGAIN) {
            gw_stream_end(stream, err, gw_str_from_c(text));
            return;
        }
        if (!stream->reading) {
            return; /* what OpenSSL holds is taken up in gw_stream_set_reading() */
        }
        /* The rest of the socket is for the next wake-up: others have their turn first. */
        stream->tls->may_read = false;
    }
}

void gw_stream_tls_read(struct gw_stream *stream)
{
    stream->tls->may_read = true;
    read_rounds(stream);
}

void gw_stream_tls_read_held(struct gw_stream *stream)
{
    stream->tls->may_read = false;
    read_rounds(stream);
}

bool gw_stream_tls_holds_bytes(const struct gw_stream *stream)
{
    return SSL_has_pending(stream->tls->ssl) == 1;
}

void gw_stream_tls_check_peer(struct gw_stream *stream)
{
    struct gw_stream_tls *tls = stream->tls;
    char byte = 0;
    size_t got = 0;
    tls->may_read = true;
    clear_errors();
    /* The end may be a record of its own (close_notify), so the descriptor cannot tell. */
    int ret = SSL_peek_ex(tls->ssl, &byte, 1, &got);
    if (ret == 1) {
        stream->peer_finished = true;
        return;
    }
    char text[GW_TLS_TEXT_BYTES];
    enum gw_err err = classify(tls, ret, &stream->want_flush, text);
    if (err != GW_ERR_AGAIN) {
        gw_stream_end(stream, err, gw_str_from_c(text));
    }
}

/* ---- writing ---- */

/* Where a run of iovecs has been sent up to. */
struct cursor {
    const struct iovec *iov;
    int count;
    size_t offset; /* in iov[0] */
};

static void advance(struct cursor *cursor, size_t size)
{
    while (cursor->count > 0) {
        size_t left = cursor->iov->iov_len - cursor->offset;
        if (size < left) {
            cursor->offset += size;
            return;
        }
        size -= left;
        cursor->iov++;
        cursor->count--;
        cursor->offset = 0;
    }
}

/*
 * The next bytes for one record: straight from the caller's memory when one iovec fills it or is
 * the last, else collected in |scratch|. After GW_ERR_AGAIN the same bytes come first again and at
 * least as many, which is what OpenSSL asks of a retry.
 */
static struct gw_str next_piece(struct cursor cursor, char scratch[RECORD_BYTES])
{
    size_t filled = 0;
    while (cursor.count > 0 && filled < RECORD_BYTES) {
        size_t left = cursor.iov->iov_len - cursor.offset;
        size_t room = RECORD_BYTES - filled;
        size_t take = left < room ? left : room;
        if (take > 0) { /* an empty iovec may have no address */
            const char *from = (const char *)cursor.iov->iov_base + cursor.offset;
            if (filled == 0 && (take == RECORD_BYTES || cursor.count == 1)) {
                return gw_str(from, take);
            }
            memcpy(scratch + filled, from, take);
            filled += take;
        }
        advance(&cursor, take);
    }
    return gw_str(scratch, filled);
}

enum gw_err gw_stream_tls_writev(struct gw_stream *stream, const struct iovec *iov, int count,
                                 size_t *sent)
{
    struct gw_stream_tls *tls = stream->tls;
    char scratch[RECORD_BYTES];
    struct cursor cursor = {.iov = iov, .count = count};
    *sent = 0;
    if (tls->is_dead || tls->cannot_write) {
        return GW_ERR_RESET;
    }
    clear_errors();
    for (;;) {
        struct gw_str piece = next_piece(cursor, scratch);
        if (piece.len == 0) {
            return GW_OK;
        }
        size_t n = 0; /* less than the piece when an older, shorter record was finished */
        int ret = SSL_write_ex(tls->ssl, piece.ptr, piece.len, &n);
        if (ret != 1) {
            char text[GW_TLS_TEXT_BYTES];
            bool wants_write = false;
            enum gw_err err = classify(tls, ret, &wants_write, text);
            tls->cannot_write = err != GW_ERR_AGAIN;
            return err;
        }
        *sent += n;
        advance(&cursor, n);
    }
}

static void try_shutdown(struct gw_stream *stream)
{
    struct gw_stream_tls *tls = stream->tls;
    clear_errors();
    int ret = SSL_shutdown(tls->ssl);
    if (ret < 0 && SSL_get_error(tls->ssl, ret) == SSL_ERROR_WANT_WRITE) {
        tls->shutdown_due = true;
        stream->want_flush = true;
        return;
    }
    clear_errors();
    tls->shutdown_due = false;
    tls->shutdown_sent = true;
    tls->cannot_write = true;
    (void)shutdown(tls->fd, SHUT_WR);
}

void gw_stream_tls_shutdown_write(struct gw_stream *stream)
{
    const struct gw_stream_tls *tls = stream->tls;
    if (!tls->is_dead && !tls->cannot_write && !tls->shutdown_due) {
        try_shutdown(stream);
    }
}

void gw_stream_tls_flush(struct gw_stream *stream)
{
    struct gw_stream_tls *tls = stream->tls;
    stream->want_flush = false;
    if (tls->shutdown_due) {
        try_shutdown(stream);
    } else if (stream->reading) {
        gw_stream_tls_read(stream); /* an answer of OpenSSL's own was in the way */
    }
}
