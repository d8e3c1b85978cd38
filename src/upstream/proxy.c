/* SPDX-License-Identifier: MIT */
/*
 * upstream/proxy - asks an HTTP proxy for a tunnel to the origin (CONNECT).
 *
 * The proxy's answer may not carry a byte behind its head: the origin speaks only when spoken to,
 * so such bytes would be the proxy's, injected before TLS or before our first request.
 */
#include "base/alloc.h"
#include "upstream/upstream_int.h"

/* Host, authorization and the fixed parts; an authorization is bounded by the configuration. */
#define MAX_REQUEST_BYTES 8192
/* Proxies answer with a few hundred bytes. */
#define MAX_ANSWER_BYTES 16384
#define DETAIL_BYTES     160

static enum gw_err on_response(void *user, const struct gw_response_head *head)
{
    struct gw_proxy *proxy = user;
    proxy->status = head->status;
    return GW_OK;
}

static enum gw_err on_body(void *user, struct gw_str bytes)
{
    (void)user;
    (void)bytes;
    return GW_OK;
}

static enum gw_err on_complete(void *user)
{
    (void)user;
    return GW_OK;
}

static const struct gw_h1_events events = {
    .on_response = on_response,
    .on_body = on_body,
    .on_complete = on_complete,
};

/* "name:443", "1.2.3.4:443", "[::1]:443": what CONNECT asks for. */
static void append_authority(struct gw_buf *out, const struct gw_origin *origin)
{
    bool is_v6 = gw_str_find_byte(origin->host, ':') < origin->host.len;
    (void)gw_buf_appendf(out, is_v6 ? "[" GW_STR_FMT "]:%u" : GW_STR_FMT ":%u",
                         GW_STR_ARG(origin->host), (unsigned)origin->port);
}

static enum gw_err write_request(struct gw_buf *out, const struct gw_origin *origin)
{
    if (!gw_header_value_is_valid(origin->host) ||
        !gw_header_value_is_valid(origin->proxy_authorization)) {
        return GW_ERR_INVALID;
    }
    (void)gw_buf_append(out, GW_STR("CONNECT "));
    append_authority(out, origin);
    (void)gw_buf_append(out, GW_STR(" HTTP/1.1\r\nhost: "));
    append_authority(out, origin);
    (void)gw_buf_append(out, GW_STR("\r\n"));
    if (origin->proxy_authorization.len > 0) {
        gw_h1_write_field(out, GW_STR("proxy-authorization"), origin->proxy_authorization);
    }
    gw_h1_write_end_of_head(out);
    return out->err;
}

void gw_proxy_start(struct gw_upconn *conn)
{
    struct gw_proxy *proxy = gw_connecting_proxy(conn);
    gw_buf_init(&proxy->out, MAX_REQUEST_BYTES);
    enum gw_err err = write_request(&proxy->out, &conn->pool->origin);
    if (err != GW_OK) {
        gw_upconn_fail(conn, err, GW_STR("the CONNECT request could not be built"), 0);
        return;
    }
    const struct gw_h1_opts opts = {
        .kind = GW_H1_RESPONSES,
        .max_header_bytes = MAX_ANSWER_BYTES,
        .events = &events,
        .user = proxy,
    };
    proxy->parser = gw_h1_parser_create(&opts);
    gw_h1_parser_expect_no_body(proxy->parser);
    gw_stream_set_reading(conn->stream, true);
    gw_proxy_on_writable(conn);
}

void gw_proxy_on_writable(struct gw_upconn *conn)
{
    struct gw_proxy *proxy = gw_connecting_proxy(conn);
    if (proxy->sent == proxy->out.len) {
        return;
    }
    const struct iovec iov = {
        .iov_base = proxy->out.ptr + proxy->sent,
        .iov_len = proxy->out.len - proxy->sent,
    };
    size_t sent = 0;
    enum gw_err err = gw_stream_writev(conn->stream, &iov, 1, &sent);
    proxy->sent += sent;
    if (err != GW_OK && err != GW_ERR_AGAIN) {
        gw_upconn_fail(conn, err, GW_STR("the proxy closed the connection"), 0);
    }
}

static void refuse(struct gw_upconn *conn, unsigned status)
{
    char detail[DETAIL_BYTES];
    struct gw_str reason = gw_status_reason(status);
    int len =
        snprintf(detail, sizeof(detail), "the proxy answered CONNECT with %u " GW_STR_FMT "%s",
                 status, GW_STR_ARG(reason),
                 status == 407 ? "; check the user and password in the proxy's URL" : "");
    gw_upconn_fail(conn, GW_ERR_REFUSED, gw_str(detail, (size_t)len), 0);
}

void gw_proxy_on_read(struct gw_upconn *conn, struct gw_str bytes)
{
    struct gw_proxy *proxy = gw_connecting_proxy(conn);
    size_t used = 0;
    enum gw_err err = gw_h1_parser_feed(proxy->parser, bytes, &used);
    if (err != GW_OK) {
        const char *what = gw_h1_parser_failure(proxy->parser).what;
        gw_upconn_fail(conn, err, gw_str_from_c(what), 0);
    } else if (proxy->status == 0) {
        return; /* the head is not complete */
    } else if (proxy->status < 200 || proxy->status > 299) {
        refuse(conn, proxy->status);
    } else if (used < bytes.len || proxy->sent < proxy->out.len) {
        gw_upconn_fail(conn, GW_ERR_PROTOCOL, GW_STR("the proxy sent more than its answer"), 0);
    } else {
        gw_stream_set_reading(conn->stream, false);
        gw_connect_on_tunnel(conn);
    }
}

void gw_proxy_fini(struct gw_proxy *proxy)
{
    gw_buf_fini(&proxy->out);
    gw_h1_parser_destroy(&proxy->parser);
}
