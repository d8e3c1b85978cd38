/* SPDX-License-Identifier: MIT */
/* HTTP/1.1 client: one call at a time, the request prepared once. */
#include <llhttp.h>

#include "loadgen/conn.h"

struct h1 {
    struct load_conn *conn;
    llhttp_t parser;
    struct load_call call;
    bool last; /* no call follows the running one */
};

static struct h1 *of(llhttp_t *parser)
{
    return BENCH_CONTAINER_OF(parser, struct h1, parser);
}

static void make_call(struct h1 *h1)
{
    const struct load_config *config = &h1->conn->run->config;
    struct bench_buf *out = &h1->conn->out;
    if (!load_conn_take_call(h1->conn)) {
        h1->last = true;
        load_conn_finish(h1->conn);
        return;
    }
    load_call_begin(&h1->call, h1->conn->run);
    BENCH_LIT(out, "POST ");
    bench_buf_str(out, config->path);
    BENCH_LIT(out, " HTTP/1.1\r\nhost: ");
    bench_buf_str(out, config->authority);
    BENCH_LIT(out, "\r\ncontent-type: application/json\r\ncontent-length: ");
    bench_buf_u64(out, config->body.len);
    BENCH_LIT(out, "\r\n");
    bench_buf_str(out, bench_buf_view(&config->headers));
    BENCH_LIT(out, "\r\n");
    bench_buf_str(out, config->body);
}

static int on_headers(llhttp_t *parser)
{
    of(parser)->call.status = (unsigned)llhttp_get_status_code(parser);
    return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
    load_call_body(&of(parser)->call, (struct bench_str){.ptr = at, .len = len});
    return 0;
}

static int on_message(llhttp_t *parser)
{
    struct h1 *h1 = of(parser);
    if (h1->call.status < 200) {
        return 0; /* an interim answer */
    }
    load_call_end(&h1->call);
    if (llhttp_should_keep_alive(parser) == 0) {
        return HPE_PAUSED; /* announced: the next call takes a fresh connection */
    }
    make_call(h1);
    return 0;
}

static void start(struct load_conn *conn)
{
    static llhttp_settings_t settings;
    llhttp_settings_init(&settings);
    settings.on_headers_complete = on_headers;
    settings.on_body = on_body;
    settings.on_message_complete = on_message;
    struct h1 *h1 = bench_alloc(sizeof(*h1));
    h1->conn = conn;
    conn->session = h1;
    llhttp_init(&h1->parser, HTTP_RESPONSE, &settings);
    make_call(h1);
}

static bool on_bytes(struct load_conn *conn, struct bench_str bytes)
{
    struct h1 *h1 = conn->session;
    llhttp_errno_t result = llhttp_execute(&h1->parser, bytes.ptr, bytes.len);
    if (result == HPE_OK) {
        load_conn_flush(conn);
        return true;
    }
    if (result == HPE_PAUSED && conn->calls_left == 0 && conn->run->config.streamed) {
        load_conn_finish(conn);
        return true;
    }
    return false;
}

static void stop(struct load_conn *conn, enum load_error error)
{
    struct h1 *h1 = conn->session;
    if (error == LOAD_ERROR_CLOSED && h1->call.open) {
        (void)llhttp_finish(&h1->parser); /* an answer that ends with the connection is complete */
    }
    load_call_fail(&h1->call, error);
    bench_buf_fini(&h1->call.event);
    bench_free(h1);
}

static uint64_t oldest_us(struct load_conn *conn)
{
    const struct h1 *h1 = conn->session;
    return h1->call.open ? h1->call.began_us : 0;
}

const struct load_proto load_h1 = {
    .start = start,
    .on_bytes = on_bytes,
    .stop = stop,
    .oldest_us = oldest_us,
};
