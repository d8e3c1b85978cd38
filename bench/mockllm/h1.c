/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1:  bytes -> llhttp -> exchange.request -> (message complete: pause) -> exchange
 *          exchange -> framing -> conn.out
 */
#include "mockllm/h1.h"

#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <llhttp.h>

#include "mockllm/conn.h"
#include "mockllm/exchange.h"
#include "mockllm/faults.h"
#include "mockllm/stats.h"
#include "mockllm/worker.h"

/* Pipelined requests waiting behind an answer; what does not fit stays in the socket. */
#define MOCK_H1_MAX_WAITING (1024u * 1024u)

struct h1 {
    struct mock_conn *conn;
    llhttp_t parser;
    struct mock_exchange exchange;
    struct bench_buf waiting; /* received, not parsed yet */
    struct bench_buf name;    /* header field under construction */
    struct bench_buf value;
    enum mock_framing framing;
    bool answering;  /* a request is complete and its answer is not */
    bool draining;   /* the answer is written but not all of it has left */
    bool parsing;    /* inside parse(): an answer that ends there does not start it again */
    bool keep_alive; /* after the running answer */
    bool no_body;    /* of the answer: HEAD, 204, 304 */
    bool too_large;  /* the request: answered 413 */
};

static struct h1 *of_parser(llhttp_t *parser)
{
    return BENCH_CONTAINER_OF(parser, struct h1, parser);
}

static struct h1 *of_exchange(struct mock_exchange *exchange)
{
    return BENCH_CONTAINER_OF(exchange, struct h1, exchange);
}

/* ---- request ---- */

static int on_url(llhttp_t *parser, const char *at, size_t len)
{
    struct h1 *h1 = of_parser(parser);
    bench_buf_add(&h1->exchange.request.target, at, len);
    return h1->exchange.request.target.len > MOCK_MAX_HEAD_BYTES ? -1 : 0;
}

static int on_header_field(llhttp_t *parser, const char *at, size_t len)
{
    bench_buf_add(&of_parser(parser)->name, at, len);
    return of_parser(parser)->name.len > MOCK_MAX_HEAD_BYTES ? -1 : 0;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t len)
{
    bench_buf_add(&of_parser(parser)->value, at, len);
    return of_parser(parser)->value.len > MOCK_MAX_HEAD_BYTES ? -1 : 0;
}

static int on_header_complete(llhttp_t *parser)
{
    struct h1 *h1 = of_parser(parser);
    struct bench_str value = bench_buf_view(&h1->value);
    while (value.len > 0 && (value.ptr[value.len - 1] == ' ' || value.ptr[value.len - 1] == '\t')) {
        value
            .len--; /* RFC 9112 section 5: not part of the value; llhttp removes it in front only */
    }
    bool fits = mock_headers_add(&h1->exchange.request.headers, bench_buf_view(&h1->name), value);
    bench_buf_clear(&h1->name, 4096);
    bench_buf_clear(&h1->value, 4096);
    return fits ? 0 : -1;
}

static void fill_request_line(struct h1 *h1)
{
    struct mock_request *request = &h1->exchange.request;
    const char *method = llhttp_method_name((llhttp_method_t)llhttp_get_method(&h1->parser));
    size_t len = strlen(method);
    memcpy(request->method, method, len + 1); /* the longest is "UNSUBSCRIBE" */
    request->path_len = bench_str_find(bench_buf_view(&request->target), '?');
    request->version =
        (unsigned)(llhttp_get_http_major(&h1->parser) * 10 + llhttp_get_http_minor(&h1->parser));
}

static int on_headers_complete(llhttp_t *parser)
{
    struct h1 *h1 = of_parser(parser);
    fill_request_line(h1);
    struct bench_str expect = mock_headers_find(&h1->exchange.request.headers, BENCH_STR("expect"));
    struct mock_knobs early = mock_exchange_early_knobs(&h1->exchange);
    if (early.fault == MOCK_FAULT_NO_READ) {
        mock_conn_pause_read(h1->conn, true);
        return 0;
    }
    if (bench_str_ieq(expect, BENCH_STR("100-continue"))) {
        BENCH_LIT(&h1->conn->out, "HTTP/1.1 100 Continue\r\n\r\n");
        mock_conn_flush(h1->conn);
    }
    return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
    struct h1 *h1 = of_parser(parser);
    struct bench_buf *body = &h1->exchange.request.body;
    if (body->len + len > h1->conn->worker->config->max_body_bytes) {
        h1->too_large = true;
        return -1;
    }
    bench_buf_add(body, at, len);
    return 0;
}

static int on_message_complete(llhttp_t *parser)
{
    struct h1 *h1 = of_parser(parser);
    h1->answering = true;
    h1->keep_alive = llhttp_should_keep_alive(parser) != 0;
    return HPE_PAUSED;
}

static llhttp_settings_t make_settings(void)
{
    llhttp_settings_t settings;
    llhttp_settings_init(&settings);
    settings.on_url = on_url;
    settings.on_header_field = on_header_field;
    settings.on_header_value = on_header_value;
    settings.on_header_value_complete = on_header_complete;
    settings.on_headers_complete = on_headers_complete;
    settings.on_body = on_body;
    settings.on_message_complete = on_message_complete;
    return settings;
}

static void refuse(struct h1 *h1)
{
    struct bench_buf *out = &h1->conn->out;
    bool too_large = h1->too_large;
    const char *reason = llhttp_get_error_reason(&h1->parser);
    struct bench_buf body = {0};
    BENCH_LIT(&body, "{\"error\":{\"message\":\"mockllm cannot read this request: ");
    bench_buf_str(&body, bench_str_from(too_large        ? "body too large"
                                        : reason != NULL ? reason
                                                         : "not HTTP"));
    BENCH_LIT(&body, "\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":null}}");
    bench_buf_printf(out,
                     "HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n"
                     "connection: close\r\n\r\n",
                     too_large ? "413 Content Too Large" : "400 Bad Request", body.len);
    bench_buf_str(out, bench_buf_view(&body));
    bench_buf_fini(&body);
    mock_conn_pause_read(h1->conn, true);
    mock_conn_close_when_sent(h1->conn);
}

/* Parses |bytes| and what waits behind them, one request after the other. */
static void parse(struct h1 *h1, struct bench_str bytes)
{
    h1->parsing = true;
    while (bytes.len > 0 && !h1->answering && !mock_conn_is_closed(h1->conn)) {
        llhttp_errno_t result = llhttp_execute(&h1->parser, bytes.ptr, bytes.len);
        if (result == HPE_OK) {
            bytes.len = 0;
            break;
        }
        if (result != HPE_PAUSED && result != HPE_PAUSED_UPGRADE) {
            refuse(h1);
            bytes.len = 0;
            break;
        }
        size_t used = (size_t)(llhttp_get_error_pos(&h1->parser) - bytes.ptr);
        bytes = bench_str_cut(bytes, used, bytes.len);
        mock_exchange_begin(&h1->exchange);
    }
    h1->parsing = false;
    if (bytes.len == 0) {
        bench_buf_clear(&h1->waiting, 0);
    } else if (h1->waiting.len > 0) {
        bench_buf_drop(&h1->waiting, h1->waiting.len - bytes.len);
    } else {
        bench_buf_str(&h1->waiting, bytes);
    }
}

static void on_bytes(struct mock_conn *conn, struct bench_str bytes)
{
    struct h1 *h1 = conn->session;
    if (!h1->answering && h1->waiting.len == 0) {
        parse(h1, bytes);
        return;
    }
    bench_buf_str(&h1->waiting, bytes);
    if (h1->waiting.len > MOCK_H1_MAX_WAITING) {
        mock_conn_pause_read(conn, true);
    }
}

/* ---- answer ---- */

static const char *reason_of(unsigned status)
{
    static const struct {
        unsigned status;
        const char *reason;
    } reasons[] = {
        {200, "OK"},
        {100, "Continue"},
        {103, "Early Hints"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (reasons[i].status == status) {
            return reasons[i].reason;
        }
    }
    return "Mock"; /* RFC 9112 section 4: clients ignore it */
}

static void write_status_line(struct bench_buf *out, unsigned status)
{
    BENCH_LIT(out, "HTTP/1.1 ");
    bench_buf_u64(out, status);
    BENCH_LIT(out, " ");
    bench_buf_str(out, bench_str_from(reason_of(status)));
    BENCH_LIT(out, "\r\n");
}

static void write_date(struct bench_buf *out)
{
    static _Thread_local time_t written_s;
    static _Thread_local char text[64];
    static _Thread_local size_t len;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec != written_s) {
        struct tm parts;
        gmtime_r(&now.tv_sec, &parts);
        written_s = now.tv_sec;
        len = strftime(text, sizeof(text), "date: %a, %d %b %Y %H:%M:%S GMT\r\n", &parts);
    }
    bench_buf_add(out, text, len);
}

static void sink_interim(struct mock_exchange *exchange, unsigned status)
{
    struct bench_buf *out = &of_exchange(exchange)->conn->out;
    write_status_line(out, status);
    if (status == 103) {
        BENCH_LIT(out, "link: </style.css>; rel=preload; as=style\r\n");
    }
    BENCH_LIT(out, "\r\n");
}

static void write_framing(struct bench_buf *out, const struct mock_head *head)
{
    if (head->framing == MOCK_FRAMING_LENGTH || head->framing == MOCK_FRAMING_BOTH) {
        BENCH_LIT(out, "content-length: ");
        bench_buf_u64(out, head->length);
        BENCH_LIT(out, "\r\n");
    }
    if (head->framing == MOCK_FRAMING_CHUNKED || head->framing == MOCK_FRAMING_BOTH) {
        BENCH_LIT(out, "transfer-encoding: chunked\r\n");
    }
}

static void sink_head(struct mock_exchange *exchange, const struct mock_head *head)
{
    struct h1 *h1 = of_exchange(exchange);
    struct bench_buf *out = &h1->conn->out;
    const struct mock_headers *headers = &exchange->answer.headers;
    struct mock_head mine = *head;
    unsigned status = exchange->answer.status;
    if (exchange->request.version < 11 && mine.framing == MOCK_FRAMING_CHUNKED) {
        mine.framing = MOCK_FRAMING_NONE; /* RFC 9112 6.1: no chunks to an HTTP/1.0 client */
    }
    if (mine.close || mine.framing == MOCK_FRAMING_NONE) {
        h1->keep_alive = false;
    }
    h1->no_body = strcmp(exchange->request.method, "HEAD") == 0 || status == 204 || status == 304;
    h1->framing = mine.framing;
    write_status_line(out, status);
    write_date(out);
    for (size_t i = 0; i < headers->count; i++) {
        bench_buf_str(out, mock_headers_name(headers, i));
        BENCH_LIT(out, ": ");
        bench_buf_str(out, mock_headers_value(headers, i));
        BENCH_LIT(out, "\r\n");
    }
    if (status != 204) {
        write_framing(out, &mine);
    }
    if (!h1->keep_alive) {
        BENCH_LIT(out, "connection: close\r\n");
    } else if (exchange->request.version < 11) {
        BENCH_LIT(out, "connection: keep-alive\r\n");
    }
    BENCH_LIT(out, "\r\n");
    mock_conn_trickle(h1->conn, exchange->knobs.trickle);
}

static bool is_chunked(const struct h1 *h1)
{
    return h1->framing == MOCK_FRAMING_CHUNKED || h1->framing == MOCK_FRAMING_BOTH;
}

static void sink_torn(struct mock_exchange *exchange, struct bench_str bytes, uint64_t announced)
{
    struct h1 *h1 = of_exchange(exchange);
    struct bench_buf *out = &h1->conn->out;
    if (h1->no_body) {
        return;
    }
    if (is_chunked(h1)) {
        bench_buf_hex(out, announced, 1);
        BENCH_LIT(out, "\r\n");
    }
    bench_buf_str(out, bytes);
}

static void sink_body(struct mock_exchange *exchange, struct bench_str bytes)
{
    struct h1 *h1 = of_exchange(exchange);
    if (bytes.len == 0 || h1->no_body) {
        return;
    }
    sink_torn(exchange, bytes, bytes.len);
    if (is_chunked(h1)) {
        BENCH_LIT(&h1->conn->out, "\r\n");
    }
}

static void sink_raw(struct mock_exchange *exchange, struct bench_str bytes)
{
    bench_buf_str(&of_exchange(exchange)->conn->out, bytes);
}

static void sink_flush(struct mock_exchange *exchange)
{
    mock_conn_flush(of_exchange(exchange)->conn);
}

static void sink_abort(struct mock_exchange *exchange, bool reset)
{
    mock_conn_close(of_exchange(exchange)->conn, reset);
}

static bool sink_is_full(struct mock_exchange *exchange)
{
    return mock_conn_is_full(of_exchange(exchange)->conn);
}

/* The answer has left: on to the next request. */
static void answer_done(struct h1 *h1)
{
    uint64_t stale_ms = h1->exchange.knobs.stale;
    h1->answering = false;
    h1->draining = false;
    mock_exchange_clear(&h1->exchange);
    if (!h1->keep_alive) {
        mock_conn_close_when_sent(h1->conn);
        return;
    }
    if (stale_ms > 0) {
        mock_conn_close_later(h1->conn, stale_ms * 1000u);
    }
    llhttp_resume(&h1->parser);
    mock_conn_pause_read(h1->conn, false);
    if (!h1->parsing) {
        parse(h1, bench_buf_view(&h1->waiting));
    }
}

static void sink_end(struct mock_exchange *exchange)
{
    struct h1 *h1 = of_exchange(exchange);
    if (is_chunked(h1) && !h1->no_body) {
        BENCH_LIT(&h1->conn->out, "0\r\n\r\n");
    }
    h1->draining = true;
    mock_conn_flush(h1->conn);
    if (h1->draining && h1->conn->out.len == 0 && !mock_conn_is_closed(h1->conn)) {
        answer_done(h1); /* all had left before; otherwise on_drained() goes on */
    }
}

static void on_drained(struct mock_conn *conn)
{
    struct h1 *h1 = conn->session;
    if (h1->draining) {
        answer_done(h1);
    } else if (h1->answering) {
        mock_exchange_resume(&h1->exchange);
    }
}

static void on_closed(struct mock_conn *conn, bool by_peer)
{
    struct h1 *h1 = conn->session;
    if (h1->draining && by_peer) {
        mock_stats_abort(conn->worker->stats, &h1->exchange);
    }
    mock_exchange_gone(&h1->exchange);
}

static void on_release(struct mock_conn *conn)
{
    struct h1 *h1 = conn->session;
    mock_exchange_fini(&h1->exchange);
    bench_buf_fini(&h1->waiting);
    bench_buf_fini(&h1->name);
    bench_buf_fini(&h1->value);
    bench_free(h1);
}

void mock_h1_start(struct mock_conn *conn)
{
    static const struct mock_proto proto = {
        .name = "h1",
        .on_bytes = on_bytes,
        .on_drained = on_drained,
        .on_closed = on_closed,
        .on_release = on_release,
    };
    static const struct mock_sink sink = {
        .interim = sink_interim,
        .head = sink_head,
        .body = sink_body,
        .raw = sink_raw,
        .torn = sink_torn,
        .flush = sink_flush,
        .end = sink_end,
        .abort = sink_abort,
        .is_full = sink_is_full,
    };
    static _Thread_local llhttp_settings_t settings;
    settings = make_settings();
    struct h1 *h1 = bench_alloc(sizeof(*h1));
    h1->conn = conn;
    mock_exchange_init(&h1->exchange, conn->worker, &sink);
    llhttp_init(&h1->parser, HTTP_REQUEST, &settings);
    conn->session = h1;
    conn->proto = &proto;
}
