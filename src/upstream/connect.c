/* SPDX-License-Identifier: MIT */
/*
 * upstream/connect - makes a connection usable: resolve, connect to the addresses in turn, have the
 * proxy open a tunnel, TLS, ALPN.
 *
 *   gw_connect_start -> on_answer -> connect_next -+-> gw_connect_on_tunnel -> gw_upconn_on_usable
 *                                       ^   |      +-> gw_proxy_start -^   |        ^
 *                                       +---+ refused, or its time is up   +-> TLS -+
 *
 * Whatever ends in gw_upconn_fail() has freed the struct gw_connecting: callers return at once.
 */
#include "base/alloc.h"
#include "base/assert.h"
#include "upstream/upstream_int.h"

struct gw_connecting {
    struct gw_resolver_query *query;
    struct gw_address *addresses;
    size_t count;
    size_t next;          /* the address to try next */
    uint64_t deadline_ms; /* of resolving and connecting */
    uint32_t connect_ms;
    uint32_t tls_ms;
    struct gw_proxy proxy;
};

struct gw_connecting *gw_connecting_try_create(const struct gw_exchange *exchange)
{
    struct gw_connecting *connecting = gw_try_alloc(sizeof(*connecting));
    if (connecting != NULL) {
        *connecting = (struct gw_connecting){
            .connect_ms = exchange->connect_ms,
            .tls_ms = exchange->tls_ms,
        };
    }
    return connecting;
}

void gw_connecting_destroy(struct gw_connecting **connecting)
{
    struct gw_connecting *old = *connecting;
    if (old == NULL) {
        return;
    }
    gw_resolver_cancel(&old->query);
    gw_proxy_fini(&old->proxy);
    gw_free(old->addresses);
    gw_free(old);
    *connecting = NULL;
}

struct gw_proxy *gw_connecting_proxy(struct gw_upconn *conn)
{
    return &conn->connecting->proxy;
}

static uint64_t now_ms(const struct gw_upconn *conn)
{
    return gw_loop_now_ms(conn->pool->upstream->loop);
}

/* Sets the timer |limit_ms| from now; 0: no limit. */
static void set_limit(struct gw_upconn *conn, uint64_t limit_ms)
{
    if (limit_ms == 0) {
        gw_timer_clear(&conn->timer);
    } else {
        gw_timer_set_at(&conn->timer, now_ms(conn) + limit_ms);
    }
}

/* ---- connecting ---- */

/* An address gets an equal share of the time that is left; the last one gets all of it. */
static void set_share(struct gw_upconn *conn)
{
    const struct gw_connecting *connecting = conn->connecting;
    if (connecting->connect_ms == 0) {
        gw_timer_clear(&conn->timer);
        return;
    }
    uint64_t now = now_ms(conn);
    uint64_t left = connecting->deadline_ms > now ? connecting->deadline_ms - now : 0;
    gw_timer_set_at(&conn->timer, now + left / (connecting->count - connecting->next));
}

static void note_peer(struct gw_upconn *conn, const struct gw_address *address)
{
    conn->peer.any.sa_family = AF_UNSPEC;
    if (address->u.any.sa_family == AF_INET) {
        conn->peer.v4 = address->u.v4;
    } else if (address->u.any.sa_family == AF_INET6) {
        conn->peer.v6 = address->u.v6;
    }
}

/* Tries the addresses that are left; |err| and |detail| say why the last one failed. */
static void connect_next(struct gw_upconn *conn, enum gw_err err, struct gw_str detail)
{
    struct gw_connecting *connecting = conn->connecting;
    gw_stream_close(&conn->stream);
    while (connecting->next < connecting->count) {
        const struct gw_address *address = &connecting->addresses[connecting->next];
        set_share(conn);
        connecting->next++;
        note_peer(conn, address);
        const struct gw_stream_connect_opts opts = {.address = address};
        err = gw_stream_connect(conn->pool->upstream->loop, &opts, &gw_upconn_stream_events, conn,
                                &conn->stream);
        if (err == GW_OK) {
            return;
        }
        detail = GW_STR("");
    }
    gw_upconn_fail(conn, err, detail, 0);
}

static void connect_to(struct gw_upconn *conn, const struct gw_address *addresses, size_t count)
{
    struct gw_connecting *connecting = conn->connecting;
    gw_upconn_set_state(conn, GW_UPCONN_CONNECTING);
    connecting->addresses = gw_try_alloc(count * sizeof(*addresses));
    if (connecting->addresses == NULL) {
        gw_upconn_fail(conn, GW_ERR_NOMEM, GW_STR(""), 0);
        return;
    }
    memcpy(connecting->addresses, addresses, count * sizeof(*addresses));
    connecting->count = count;
    connect_next(conn, GW_ERR_UNREACHABLE, GW_STR(""));
}

/* ---- resolving ---- */

static void on_answer(void *user, enum gw_err err, const struct gw_address *addresses, size_t count,
                      struct gw_str detail)
{
    struct gw_upconn *conn = user;
    conn->connecting->query = NULL;
    if (err != GW_OK || count == 0) {
        gw_upconn_fail(conn, err != GW_OK ? err : GW_ERR_DNS, detail, 0);
        return;
    }
    connect_to(conn, addresses, count);
}

static void resolve(struct gw_upconn *conn)
{
    const struct gw_origin *origin = &conn->pool->origin;
    bool is_proxied = origin->proxy_host.len > 0;
    struct gw_str host = is_proxied ? origin->proxy_host : origin->host;
    uint16_t port = is_proxied ? origin->proxy_port : origin->port;
    gw_upconn_set_state(conn, GW_UPCONN_RESOLVING);
    set_limit(conn, conn->connecting->connect_ms);
    struct gw_resolver_query *query = NULL;
    enum gw_err err =
        gw_resolver_lookup(conn->pool->upstream->resolver, host, port, on_answer, conn, &query);
    if (err != GW_OK) {
        gw_upconn_fail(conn, err, GW_STR(""), 0);
    } else if (conn->state == GW_UPCONN_RESOLVING) {
        conn->connecting->query = query;
    }
}

void gw_connect_start(struct gw_upconn *conn)
{
    conn->connecting->deadline_ms = now_ms(conn) + conn->connecting->connect_ms;
    struct gw_str path = conn->pool->origin.unix_path;
    if (path.len == 0) {
        resolve(conn);
        return;
    }
    struct gw_address address;
    enum gw_err err = gw_address_from_unix(path, &address);
    if (err != GW_OK) {
        gw_upconn_fail(conn, err, GW_STR("the path of the socket is too long"), 0);
        return;
    }
    connect_to(conn, &address, 1);
}

/* ---- tunnel and TLS ---- */

void gw_connect_on_tunnel(struct gw_upconn *conn)
{
    struct gw_pool *pool = conn->pool;
    const struct gw_origin *origin = &pool->origin;
    if (!origin->is_tls) {
        gw_upconn_on_usable(conn, origin->http2 == GW_HTTP2_PRIOR);
        return;
    }
    gw_upconn_set_state(conn, GW_UPCONN_HANDSHAKING);
    set_limit(conn, conn->connecting->tls_ms);
    const struct gw_stream_tls_opts opts = {
        .tls = origin->tls,
        .server_name = origin->host,
        .offer_h2 = origin->http2 != GW_HTTP2_OFF,
        .sessions = pool->sessions,
    };
    enum gw_err err = gw_stream_start_tls(conn->stream, &opts);
    if (err != GW_OK) {
        gw_upconn_fail(conn, err, GW_STR(""), 0);
    }
}

/* ---- events ---- */

void gw_connect_on_open(struct gw_upconn *conn)
{
    const struct gw_origin *origin = &conn->pool->origin;
    if (conn->state == GW_UPCONN_HANDSHAKING) {
        gw_upconn_on_usable(conn, gw_stream_is_h2(conn->stream) || origin->http2 == GW_HTTP2_PRIOR);
    } else if (origin->proxy_host.len > 0 && origin->unix_path.len == 0) {
        gw_upconn_set_state(conn, GW_UPCONN_PROXYING);
        set_limit(conn, conn->connecting->connect_ms);
        gw_proxy_start(conn);
    } else {
        gw_connect_on_tunnel(conn);
    }
}

void gw_connect_on_end(struct gw_upconn *conn, enum gw_err err, struct gw_str detail)
{
    if (conn->state == GW_UPCONN_CONNECTING) {
        connect_next(conn, err, detail);
    } else {
        gw_upconn_fail(conn, err, detail, 0);
    }
}

void gw_connect_on_timer(struct gw_upconn *conn)
{
    const struct gw_connecting *connecting = conn->connecting;
    if (conn->state == GW_UPCONN_CONNECTING && connecting->next < connecting->count) {
        connect_next(conn, GW_ERR_TIMEOUT, GW_STR(""));
        return;
    }
    gw_upconn_fail(conn, GW_ERR_TIMEOUT, GW_STR(""),
                   conn->state == GW_UPCONN_HANDSHAKING ? connecting->tls_ms
                                                        : connecting->connect_ms);
}
