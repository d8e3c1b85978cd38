/* SPDX-License-Identifier: MIT */
/* What a parser of HTTP/1 reports of well-formed messages, its limits, and how it goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "h1_trace.h"

struct row {
    const char *name;
    struct gw_str input;
    const char *trace;
};

#define ROW(label, text, expected)                                                                 \
    {                                                                                              \
        .name = (label), .input = {.ptr = (text), .len = sizeof(text) - 1}, .trace = (expected)    \
    }
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define OK   "HTTP/1.1 200 OK\r\n"

static const struct row requests[] = {
    ROW("nothing", "", "eof"),
    ROW("get", "GET /v1/models?limit=1 HTTP/1.1\r\nHost: a:80\r\n\r\n",
        "GET /v1/models?limit=1 at a:80 1.1 none 0 keep\nhost=a:80;\nend\neof"),
    ROW("names lower and values trimmed",
        "GET / HTTP/1.1\r\nHOST:a\r\nX-ABCDEFGHIJKLMNOPQRSTUVWXYZ_^~|`: \t b c \t \r\n"
        "Zz:\r\nE: \t \r\nU: \xc3\xa4\r\n\r\n",
        "GET / at a 1.1 none 0 keep\nhost=a;\nx-abcdefghijklmnopqrstuvwxyz_^~|`=b c;\nzz=;\ne=;\n"
        "u=\xc3\xa4;\nend\neof"),
    ROW("length", POST "Content-Length: 5\r\n\r\nhello",
        "POST / at a 1.1 body 5 keep\nhost=a;\ncontent-length=5;\n[hello]\nend\neof"),
    ROW("length zero", POST "Content-Length: 0\r\n\r\n",
        "POST / at a 1.1 none 0 keep\nhost=a;\ncontent-length=0;\nend\neof"),
    ROW("leading zeros", POST "Content-Length: 005 \r\n\r\nhello",
        "POST / at a 1.1 body 5 keep\nhost=a;\ncontent-length=005;\n[hello]\nend\neof"),
    ROW("no length is no body", POST "\r\n", "POST / at a 1.1 none 0 keep\nhost=a;\nend\neof"),
    ROW("body of a GET", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
        "GET / at a 1.1 body 2 keep\nhost=a;\ncontent-length=2;\n[hi]\nend\neof"),
    ROW("chunked",
        POST "Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n00006;a=\"b\"\r\n world\r\n0\r\n\r\n",
        "POST / at a 1.1 body ? keep\nhost=a;\ntransfer-encoding=Chunked;\n[hello "
        "world]\nend\neof"),
    ROW("chunks of capital digits",
        POST "Transfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\n0\r\n\r\n",
        "POST / at a 1.1 body ? keep\nhost=a;\ntransfer-encoding=chunked;\n[0123456789]\nend\neof"),
    ROW("no chunk but the last", POST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / at a 1.1 body ? keep\nhost=a;\ntransfer-encoding=chunked;\nend\neof"),
    ROW("trailers are dropped",
        POST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\nContent-MD5: z\r\n\r\n",
        "POST / at a 1.1 body ? keep\nhost=a;\ntransfer-encoding=chunked;\n[a]\nend\neof"),
    ROW("pipelined",
        POST
        "Content-Length: 2\r\n\r\nhiGET /2 HTTP/1.1\r\nHost: b\r\n\r\n" POST
        "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\nGET /4 HTTP/1.1\r\nHost: c\r\n\r\n",
        "POST / at a 1.1 body 2 keep\nhost=a;\ncontent-length=2;\n[hi]\nend\n"
        "GET /2 at b 1.1 none 0 keep\nhost=b;\nend\n"
        "POST / at a 1.1 body ? keep\nhost=a;\ntransfer-encoding=chunked;\n[a]\nend\n"
        "GET /4 at c 1.1 none 0 keep\nhost=c;\nend\neof"),
    ROW("empty lines before and between",
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n\r\n",
        "GET / at a 1.1 none 0 keep\nhost=a;\nend\nGET / at a 1.1 none 0 keep\nhost=a;\nend\neof"),
    ROW("close", "GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n",
        "GET / at a 1.1 none 0 close\nhost=a;\nconnection=Close;\nend\neof"),
    ROW("close in a list", "GET / HTTP/1.1\r\nHost: a\r\nConnection: te , close\r\n\r\n",
        "GET / at a 1.1 none 0 close\nhost=a;\nconnection=te , close;\nend\neof"),
    ROW("close in a second field",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n",
        "GET / at a 1.1 none 0 "
        "close\nhost=a;\nconnection=keep-alive;\nconnection=close;\nend\neof"),
    ROW("HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", "GET / at  1.0 none 0 close\nend\neof"),
    ROW("HTTP/1.0 kept", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
        "GET / at  1.0 none 0 keep\nconnection=Keep-Alive;\nend\neof"),
    ROW("HTTP/1.0 undecided", "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
        "GET / at  1.0 none 0 close\nconnection=keep-alive, close;\nend\neof"),
    ROW("expect", POST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\na",
        "POST / at a 1.1 body 1 expect keep\nhost=a;\nexpect=100-Continue;\ncontent-length=1;\n"
        "[a]\nend\neof"),
    ROW("expect without body", POST "Expect: 100-continue\r\n\r\n",
        "POST / at a 1.1 none 0 keep\nhost=a;\nexpect=100-continue;\nend\neof"),
    ROW("expect in HTTP/1.0",
        "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\na",
        "POST / at  1.0 body 1 close\nexpect=100-continue;\ncontent-length=1;\n[a]\nend\neof"),
    ROW("upgrade is a field like others",
        POST "Upgrade: h2c\r\nConnection: upgrade\r\nContent-Length: 2\r\n\r\nhi" POST "\r\n",
        "POST / at a 1.1 body 2 keep\nhost=a;\nupgrade=h2c;\nconnection=upgrade;\n"
        "content-length=2;\n[hi]\nend\nPOST / at a 1.1 none 0 keep\nhost=a;\nend\neof"),
    ROW("upgrade without body",
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n" POST
        "\r\n",
        "GET / at a 1.1 none 0 keep\nhost=a;\nupgrade=websocket;\nconnection=upgrade;\nend\n"
        "POST / at a 1.1 none 0 keep\nhost=a;\nend\neof"),
    ROW("upgrade with chunks",
        POST "Upgrade: h2c\r\nConnection: upgrade\r\nTransfer-Encoding: chunked\r\n\r\n"
             "1\r\na\r\n0\r\n\r\n" POST "\r\n",
        "POST / at a 1.1 body ? keep\nhost=a;\nupgrade=h2c;\nconnection=upgrade;\n"
        "transfer-encoding=chunked;\n[a]\nend\nPOST / at a 1.1 none 0 keep\nhost=a;\nend\neof"),
    ROW("connect", "CONNECT b:443 HTTP/1.1\r\nHost: a\r\n\r\n",
        "CONNECT b:443 at b:443 1.1 none 0 close\nhost=a;\nend\neof"),
    ROW("absolute target", "GET http://b:81/c?d HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://b:81/c?d at b:81 1.1 none 0 keep\nhost=a;\nend\neof"),
    ROW("absolute target without path", "GET HTTPS://b?d HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET HTTPS://b?d at b 1.1 none 0 keep\nhost=a;\nend\neof"),
    ROW("asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "OPTIONS * at a 1.1 none 0 keep\nhost=a;\nend\neof"),
    ROW("Host may be empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n",
        "GET / at  1.1 none 0 keep\nhost=;\nend\neof"),
    ROW("Host of an address", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
        "GET / at [::1]:8080 1.1 none 0 keep\nhost=[::1]:8080;\nend\neof"),
    ROW("Host with an empty port", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n",
        "GET / at a: 1.1 none 0 keep\nhost=a:;\nend\neof"),
    ROW("what browsers leave unescaped", "GET /[a]{b}|^`?c[]={d}|^` HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /[a]{b}|^`?c[]={d}|^` at a 1.1 none 0 keep\nhost=a;\nend\neof"),
    ROW("two slashes", "GET //b/c HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET //b/c at a 1.1 none 0 keep\nhost=a;\nend\neof"),
    ROW("a method we do not name", "PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n",
        "PROPFIND / at a 1.1 none 0 keep\nhost=a;\nend\neof"),
};

static const struct row responses[] = {
    ROW("length", OK "Content-Length: 2\r\nX: y\r\n\r\nok",
        " 200 1.1 length 2 keep\ncontent-length=2;\nx=y;\n[ok]\nend\neof"),
    ROW("length zero", OK "Content-Length: 0\r\n\r\n",
        " 200 1.1 length 0 keep\ncontent-length=0;\nend\neof"),
    ROW("chunked",
        OK "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" OK "Content-Length: 0\r\n\r\n",
        " 200 1.1 length ? keep\ntransfer-encoding=chunked;\n[ok]\nend\n"
        " 200 1.1 length 0 keep\ncontent-length=0;\nend\neof"),
    ROW("until the end", OK "X: y\r\n\r\nok then",
        " 200 1.1 length ? close\nx=y;\n[ok then]\nend\neof"),
    ROW("until the end, empty", OK "\r\n", " 200 1.1 length ? close\nend\neof"),
    ROW("until the end, kept", OK "Connection: keep-alive\r\n\r\n" OK "\r\n",
        " 200 1.1 length ? close\nconnection=keep-alive;\n[" OK "\r\n]\nend\neof"),
    ROW("no reason", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
        " 200 1.1 length 2 keep\ncontent-length=2;\n[ok]\nend\neof"),
    ROW("empty reason", "HTTP/1.1 429 \r\nContent-Length: 0\r\n\r\n",
        " 429 1.1 length 0 keep\ncontent-length=0;\nend\neof"),
    ROW("reason beyond ASCII", "HTTP/1.1 200 \xc3\xa4 \t\r\nContent-Length: 0\r\n\r\n",
        " 200 1.1 length 0 keep\ncontent-length=0;\nend\neof"),
    ROW("no fields", "HTTP/1.1 204 No Content\r\n\r\n" OK "Content-Length: 0\r\n\r\n",
        " 204 1.1 length ? keep\nend\n 200 1.1 length 0 keep\ncontent-length=0;\nend\neof"),
    ROW("204 never has a body", "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n",
        " 204 1.1 length 2 close\ncontent-length=2;\nend\neof"),
    ROW("304 never has a body",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n" OK "Content-Length: 0\r\n\r\n",
        " 304 1.1 length 2 keep\ncontent-length=2;\nend\n"
        " 200 1.1 length 0 keep\ncontent-length=0;\nend\neof"),
    ROW("interim ones are swallowed",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
        "HTTP/1.1 102\r\n\r\n" OK "Content-Length: 2\r\n\r\nok",
        " 200 1.1 length 2 keep\ncontent-length=2;\n[ok]\nend\neof"),
    ROW("close", OK "Connection: close\r\nContent-Length: 2\r\n\r\nok",
        " 200 1.1 length 2 close\nconnection=close;\ncontent-length=2;\n[ok]\nend\neof"),
    ROW("HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
        " 200 1.0 length 2 close\ncontent-length=2;\n[ok]\nend\neof"),
    ROW("HTTP/1.0 kept", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok",
        " 200 1.0 length 2 keep\nconnection=keep-alive;\ncontent-length=2;\n[ok]\nend\neof"),
    ROW("upgrade offered",
        OK "Upgrade: h2,h2c\r\nConnection: Upgrade\r\nTransfer-Encoding: "
           "chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        " 200 1.1 length ? keep\nupgrade=h2,h2c;\nconnection=Upgrade;\n"
        "transfer-encoding=chunked;\n[ok]\nend\neof"),
    ROW("two Hosts are not our affair", OK "Host: a\r\nHost: b/c\r\nContent-Length: 0\r\n\r\n",
        " 200 1.1 length 0 keep\nhost=a;\nhost=b/c;\ncontent-length=0;\nend\neof"),
};

static const struct row bodiless[] = {
    ROW("announced",
        OK "Content-Length: 2\r\n\r\n" OK "Transfer-Encoding: chunked\r\n\r\n" OK "\r\n",
        " 200 1.1 length 2 keep\ncontent-length=2;\nend\n"
        " 200 1.1 length ? keep\ntransfer-encoding=chunked;\nend\n"
        " 200 1.1 length ? keep\nend\neof"),
    ROW("behind an interim one", "HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 2\r\n\r\n",
        " 200 1.1 length 2 keep\ncontent-length=2;\nend\neof"),
};

static void expect_trace(const char *name, const char *how, const struct h1_trace *trace,
                         const char *want)
{
    struct gw_str got = gw_buf_str(&trace->text);
    if (!gw_str_eq(got, gw_str_from_c(want))) {
        fail_msg("%s, %s: got\n" GW_STR_FMT "\nwant\n%s", name, how, GW_STR_ARG(got), want);
    }
}

static void check_rows(const struct row *rows, size_t count, const struct h1_trace_opts *opts)
{
    struct h1_trace trace;
    h1_trace_init(&trace);
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        h1_trace_run(&trace, opts, row->input, 0, row->input.len);
        expect_trace(row->name, "whole", &trace, row->trace);
        h1_trace_run(&trace, opts, row->input, 0, 1);
        expect_trace(row->name, "byte by byte", &trace, row->trace);
        for (size_t at = 1; at < row->input.len; at++) {
            h1_trace_run(&trace, opts, row->input, at, row->input.len);
            expect_trace(row->name, "in two parts", &trace, row->trace);
        }
    }
    h1_trace_fini(&trace);
}

static void test_requests(void **state)
{
    (void)state;
    check_rows(requests, GW_ARRAY_LEN(requests), &(struct h1_trace_opts){.kind = GW_H1_REQUESTS});
}

static void test_responses(void **state)
{
    (void)state;
    check_rows(responses, GW_ARRAY_LEN(responses),
               &(struct h1_trace_opts){.kind = GW_H1_RESPONSES});
}

static void test_responses_without_body(void **state)
{
    (void)state;
    check_rows(bodiless, GW_ARRAY_LEN(bodiless),
               &(struct h1_trace_opts){.kind = GW_H1_RESPONSES, .expects_no_body = true});
}

/* ---- limits ---- */

static void expect_end(struct gw_str input, const struct h1_trace_opts *opts, const char *want)
{
    struct h1_trace trace;
    h1_trace_init(&trace);
    const size_t steps[] = {input.len, 1, 7, 100, 4096};
    for (size_t i = 0; i < GW_ARRAY_LEN(steps); i++) {
        h1_trace_run(&trace, opts, input, 0, steps[i]);
        if (!gw_str_has_suffix(gw_buf_str(&trace.text), gw_str_from_c(want))) {
            fail_msg("steps of %zu: got \"" GW_STR_FMT "\", want \"%s\"", steps[i],
                     GW_STR_ARG(gw_str_skip(gw_buf_str(&trace.text),
                                            trace.text.len > 60 ? trace.text.len - 60 : 0)),
                     want);
        }
    }
    h1_trace_fini(&trace);
}

/* A request whose head is exactly |size| bytes long. */
static void make_head(struct gw_buf *buf, size_t size)
{
    struct gw_str front = GW_STR("GET / HTTP/1.1\r\nHost: a\r\nX: ");
    struct gw_str back = GW_STR("\r\n\r\n");
    gw_buf_reset(buf);
    (void)gw_buf_append(buf, front);
    for (size_t i = front.len + back.len; i < size; i++) {
        (void)gw_buf_append_byte(buf, 'x');
    }
    (void)gw_buf_append(buf, back);
    assert_int_equal(buf->len, size);
}

static void test_header_bytes_are_limited(void **state)
{
    (void)state;
    struct gw_buf buf;
    gw_buf_init(&buf, 1u << 20);
    const struct h1_trace_opts opts = {.kind = GW_H1_REQUESTS, .max_header_bytes = 5000};
    make_head(&buf, 5000);
    expect_end(gw_buf_str(&buf), &opts, "end\neof");
    make_head(&buf, 5001);
    expect_end(gw_buf_str(&buf), &opts, "large 431");
    /* No line end is in sight, and the sender has not finished: told as soon as it is known. */
    make_head(&buf, 6000);
    expect_end(gw_str(buf.ptr, 5001), &opts, "large 431");
    expect_end(gw_str(buf.ptr, 5000), &opts, "cut");
    /* A request line alone. */
    memset(buf.ptr, 'A', buf.len);
    expect_end(gw_buf_str(&buf), &opts, "large 431");
    gw_buf_fini(&buf);
}

static void test_field_count_is_limited(void **state)
{
    (void)state;
    struct gw_buf buf;
    gw_buf_init(&buf, 1u << 20);
    const struct h1_trace_opts opts = {.kind = GW_H1_REQUESTS};
    (void)gw_buf_append(&buf, GW_STR("GET / HTTP/1.1\r\nHost: a\r\n"));
    for (size_t i = 1; i < GW_H1_MAX_HEADERS; i++) {
        (void)gw_buf_append(&buf, GW_STR("a:\r\n"));
    }
    size_t len = buf.len;
    (void)gw_buf_append(&buf, GW_STR("\r\n"));
    expect_end(gw_buf_str(&buf), &opts, "a=;\nend\neof");
    buf.len = len;
    (void)gw_buf_append(&buf, GW_STR("a:\r\n"));
    expect_end(gw_buf_str(&buf), &opts, "large 431");
    gw_buf_fini(&buf);
}

static void append_times(struct gw_buf *buf, char byte, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)gw_buf_append_byte(buf, byte);
    }
}

static void test_framing_bytes_are_limited(void **state)
{
    (void)state;
    struct gw_buf buf;
    gw_buf_init(&buf, 1u << 20);
    const struct h1_trace_opts opts = {.kind = GW_H1_REQUESTS};
    const struct gw_str head = GW_STR(POST "Transfer-Encoding: chunked\r\n\r\n");
    /* CRLF of the chunk before, size, extension, CRLF: exactly the limit, and one byte more. */
    for (size_t extra = 0; extra < 2; extra++) {
        gw_buf_reset(&buf);
        (void)gw_buf_append(&buf, head);
        (void)gw_buf_append(&buf, GW_STR("1\r\na\r\n1;"));
        append_times(&buf, 'x', GW_H1_MAX_FRAMING_BYTES - 6 + extra);
        (void)gw_buf_append(&buf, GW_STR("\r\nb\r\n0\r\n\r\n"));
        expect_end(gw_buf_str(&buf), &opts, extra == 0 ? "[ab]\nend\neof" : "[a]\nerror 400");
    }
    for (size_t extra = 0; extra < 2; extra++) { /* zeros before a size */
        gw_buf_reset(&buf);
        (void)gw_buf_append(&buf, head);
        append_times(&buf, '0', GW_H1_MAX_FRAMING_BYTES - 3 + extra);
        (void)gw_buf_append(&buf, GW_STR("1\r\nb\r\n0\r\n\r\n"));
        expect_end(gw_buf_str(&buf), &opts, extra == 0 ? "[b]\nend\neof" : "error 400");
    }
    for (size_t extra = 0; extra < 2; extra++) { /* trailers */
        gw_buf_reset(&buf);
        (void)gw_buf_append(&buf, head);
        (void)gw_buf_append(&buf, GW_STR("0\r\nx:"));
        append_times(&buf, 'x', GW_H1_MAX_FRAMING_BYTES - 9 + extra);
        (void)gw_buf_append(&buf, GW_STR("\r\n\r\n"));
        expect_end(gw_buf_str(&buf), &opts, extra == 0 ? "end\neof" : "error 400");
    }
    gw_buf_fini(&buf);
}

static void test_interim_responses_are_limited(void **state)
{
    (void)state;
    struct gw_buf buf;
    gw_buf_init(&buf, 1u << 20);
    const struct h1_trace_opts opts = {.kind = GW_H1_RESPONSES};
    for (size_t i = 0; i < GW_H1_MAX_INTERIM; i++) {
        (void)gw_buf_append(&buf, GW_STR("HTTP/1.1 102 Processing\r\n\r\n"));
    }
    size_t len = buf.len;
    (void)gw_buf_append(&buf, GW_STR(OK "Content-Length: 0\r\n\r\n"));
    expect_end(gw_buf_str(&buf), &opts, "end\neof");
    buf.len = len;
    (void)gw_buf_append(&buf, GW_STR("HTTP/1.1 102 Processing\r\n\r\n"));
    expect_end(gw_buf_str(&buf), &opts, "error 502");
    gw_buf_fini(&buf);
}

/* ---- life ---- */

struct probe {
    enum gw_err answer;      /* what the events return */
    struct gw_h1_parser *at; /* whose head is given back in on_request */
    const struct gw_request_head *head;
    unsigned calls;
};

static enum gw_err probe_request(void *user, const struct gw_request_head *head)
{
    struct probe *probe = user;
    probe->calls++;
    probe->head = head;
    if (probe->at != NULL) {
        gw_h1_parser_release_head(probe->at);
    }
    return probe->answer;
}

static enum gw_err probe_body(void *user, struct gw_str bytes)
{
    (void)bytes;
    return probe_request(user, ((struct probe *)user)->head);
}

static enum gw_err probe_complete(void *user)
{
    return probe_request(user, ((struct probe *)user)->head);
}

static const struct gw_h1_events probe_events = {
    .on_request = probe_request,
    .on_body = probe_body,
    .on_complete = probe_complete,
};

static struct gw_h1_parser *make_probed(struct probe *probe)
{
    return gw_h1_parser_create(&(struct gw_h1_opts){
        .kind = GW_H1_REQUESTS,
        .max_header_bytes = 1000,
        .events = &probe_events,
        .user = probe,
    });
}

static void test_used_ends_with_the_message(void **state)
{
    (void)state;
    struct probe probe = {0};
    struct gw_h1_parser *parser = make_probed(&probe);
    struct gw_str one = GW_STR("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    struct gw_str two = GW_STR("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HT");
    size_t used = 0;
    assert_false(gw_h1_parser_is_mid_message(parser));
    assert_int_equal(gw_h1_parser_feed(parser, two, &used), GW_OK);
    assert_int_equal(used, one.len);
    assert_int_equal(probe.calls, 2);
    assert_false(gw_h1_parser_is_mid_message(parser));
    /* The head stays as it is until next(); bytes fed before that are not taken. */
    assert_true(gw_str_eq(probe.head->target, GW_STR("/")));
    assert_int_equal(gw_h1_parser_feed(parser, gw_str_skip(two, used), &used), GW_OK);
    assert_int_equal(used, 0);
    gw_h1_parser_next(parser);
    assert_int_equal(gw_h1_parser_feed(parser, gw_str_skip(two, one.len), &used), GW_OK);
    assert_int_equal(used, two.len - one.len);
    assert_true(gw_h1_parser_is_mid_message(parser));
    assert_int_equal(gw_h1_parser_finish(parser), GW_ERR_EOF);
    assert_int_equal(gw_h1_parser_feed(parser, one, &used), GW_ERR_EOF);
    gw_h1_parser_destroy(&parser);
    assert_null(parser);
    gw_h1_parser_destroy(&parser);
}

static void test_the_answer_of_an_event_sticks(void **state)
{
    (void)state;
    const struct gw_str inputs[] = {
        GW_STR(POST "Content-Length: 2\r\n\r\nhi"),
        GW_STR(POST "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"),
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(inputs); i++) {
        struct probe probe = {.answer = GW_ERR_CANCELLED};
        struct gw_h1_parser *parser = make_probed(&probe);
        size_t used = 0;
        assert_int_equal(gw_h1_parser_feed(parser, inputs[i], &used), GW_ERR_CANCELLED);
        assert_int_equal(probe.calls, 1);
        assert_int_equal(gw_h1_parser_feed(parser, inputs[i], &used), GW_ERR_CANCELLED);
        assert_int_equal(used, 0);
        assert_int_equal(probe.calls, 1);
        gw_h1_parser_destroy(&parser);
        /* The same, from on_body. */
        probe = (struct probe){0};
        parser = make_probed(&probe);
        size_t head = gw_str_find(inputs[i], GW_STR("\r\n\r\n")) + 4;
        assert_int_equal(gw_h1_parser_feed(parser, gw_str(inputs[i].ptr, head), &used), GW_OK);
        probe.answer = GW_ERR_CANCELLED;
        assert_int_equal(gw_h1_parser_feed(parser, gw_str_skip(inputs[i], head), &used),
                         GW_ERR_CANCELLED);
        assert_int_equal(probe.calls, 2);
        gw_h1_parser_destroy(&parser);
    }
}

static void test_the_head_may_be_given_back_early(void **state)
{
    (void)state;
    struct probe probe = {0};
    struct gw_h1_parser *parser = make_probed(&probe);
    probe.at = parser;
    struct gw_str input =
        GW_STR(POST "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: y\r\n\r\n");
    size_t used = 0;
    assert_int_equal(gw_h1_parser_feed(parser, input, &used), GW_OK);
    assert_int_equal(used, input.len);
    assert_int_equal(probe.calls, 3);
    gw_h1_parser_next(parser);
    assert_int_equal(gw_h1_parser_feed(parser, input, &used), GW_OK);
    assert_int_equal(probe.calls, 6);
    gw_h1_parser_destroy(&parser);
}

static void test_no_memory_is_told(void **state)
{
    (void)state;
    struct gw_str input = GW_STR("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    for (size_t first = 1; first <= input.len; first++) {
        for (uint64_t nth = 1; nth <= (first < input.len ? 2 : 1); nth++) {
            struct probe probe = {0};
            struct gw_h1_parser *parser = make_probed(&probe);
            size_t used = 0;
            gw_alloc_fail_at(nth);
            enum gw_err err = gw_h1_parser_feed(parser, gw_str(input.ptr, first), &used);
            if (err == GW_OK) {
                err = gw_h1_parser_feed(parser, gw_str_skip(input, first), &used);
            }
            gw_alloc_fail_at(0);
            assert_int_equal(err, GW_ERR_NOMEM);
            assert_int_equal(probe.calls, 0);
            gw_h1_parser_destroy(&parser);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_responses),
        cmocka_unit_test(test_responses_without_body),
        cmocka_unit_test(test_header_bytes_are_limited),
        cmocka_unit_test(test_field_count_is_limited),
        cmocka_unit_test(test_framing_bytes_are_limited),
        cmocka_unit_test(test_interim_responses_are_limited),
        cmocka_unit_test(test_used_ends_with_the_message),
        cmocka_unit_test(test_the_answer_of_an_event_sticks),
        cmocka_unit_test(test_the_head_may_be_given_back_early),
        cmocka_unit_test(test_no_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
