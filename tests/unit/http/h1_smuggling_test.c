/* SPDX-License-Identifier: MIT */
/*
 * What request smuggling and its kin are made of, and that none of it passes: each row is fed
 * whole, byte by byte and at every two-part split, and must end the same way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "h1_trace.h"

struct row {
    const char *name;
    struct gw_str input;
    const char *end; /* last line of the trace */
};

#define ROW(label, text, last)                                                                     \
    {                                                                                              \
        .name = (label), .input = {.ptr = (text), .len = sizeof(text) - 1}, .end = (last)          \
    }
#define GET     "GET / HTTP/1.1\r\nHost: a\r\n"
#define POST    "POST / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define NEXT    "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
#define OK      "HTTP/1.1 200 OK\r\n"

static const struct row requests[] = {
    /* ---- Content-Length ---- */
    ROW("same length twice", POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "error 400"),
    ROW("different lengths", POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!" NEXT,
        "error 400"),
    ROW("list of equal lengths", POST "Content-Length: 5, 5\r\n\r\nhello", "error 400"),
    ROW("list without blank", POST "Content-Length: 5,5\r\n\r\nhello", "error 400"),
    ROW("signed length", POST "Content-Length: +5\r\n\r\nhello", "error 400"),
    ROW("negative length", POST "Content-Length: -5\r\n\r\nhello", "error 400"),
    ROW("hexadecimal length", POST "Content-Length: 0x5\r\n\r\nhello", "error 400"),
    ROW("fraction", POST "Content-Length: 5.0\r\n\r\nhello", "error 400"),
    ROW("exponent", POST "Content-Length: 5e0\r\n\r\nhello", "error 400"),
    ROW("underscore", POST "Content-Length: 1_0\r\n\r\n0123456789", "error 400"),
    ROW("blank inside a length", POST "Content-Length: 1 0\r\n\r\n0123456789", "error 400"),
    ROW("empty length", POST "Content-Length:\r\n\r\nhello", "error 400"),
    ROW("length of a blank", POST "Content-Length:  \r\n\r\nhello", "error 400"),
    ROW("length beyond 64 bits", POST "Content-Length: 18446744073709551617\r\n\r\nh", "error 400"),
    ROW("length that means unknown", POST "Content-Length: 18446744073709551615\r\n\r\nh",
        "error 400"),
    ROW("length beyond 63 bits", POST "Content-Length: 9223372036854775808\r\n\r\nh", "error 400"),
    ROW("quoted length", POST "Content-Length: \"5\"\r\n\r\nhello", "error 400"),
    ROW("vertical tab before length",
        POST "Content-Length: \x0b"
             "5\r\n\r\nhello",
        "error 400"),
    ROW("Arabic digit", POST "Content-Length: \xd9\xa5\r\n\r\nhello", "error 400"),
    /* ---- Transfer-Encoding ---- */
    ROW("length, then coding",
        POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT, "error 400"),
    ROW("coding, then length",
        POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" NEXT, "error 400"),
    ROW("coding twice",
        POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "error 501"),
    ROW("chunked twice in a list", POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
        "error 501"),
    ROW("chunked not last", POST "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        "error 501"),
    ROW("chunked, then another field",
        POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        "error 501"),
    ROW("identity", POST "Transfer-Encoding: identity\r\n\r\n" NEXT, "error 501"),
    ROW("identity with a length",
        POST "Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello", "error 400"),
    ROW("compressed", POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "error 501"),
    ROW("only compressed", POST "Transfer-Encoding: gzip\r\n\r\nhello", "error 501"),
    ROW("prefix", POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "error 501"),
    ROW("suffix", POST "Transfer-Encoding: chunkedx\r\n\r\n0\r\n\r\n", "error 501"),
    ROW("quoted coding", POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", "error 501"),
    ROW("coding with parameter", POST "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n",
        "error 501"),
    ROW("empty coding", POST "Transfer-Encoding:\r\n\r\n0\r\n\r\n", "error 501"),
    ROW("leading comma", POST "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n", "error 501"),
    ROW("trailing comma", POST "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n", "error 501"),
    ROW("blank before colon", POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", "error 400"),
    ROW("tab before colon", POST "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n", "error 400"),
    ROW("vertical tab before coding",
        POST "Transfer-Encoding: \x0b"
             "chunked\r\n\r\n0\r\n\r\n",
        "error 400"),
    ROW("NUL before coding", POST "Transfer-Encoding: \0chunked\r\n\r\n0\r\n\r\n", "error 400"),
    ROW("folded coding", POST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", "error 400"),
    ROW("coding behind a fold", POST "X: y\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "error 400"),
    ROW("coding behind a bare LF", POST "X: y\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "error 400"),
    ROW("coding behind a bare CR", POST "X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "error 400"),
    ROW("coding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" NEXT,
        "error 400"),
    /* ---- line ends, names and values ---- */
    ROW("LF only", "GET / HTTP/1.1\nHost: a\n\n", "error 400"),
    ROW("LF after the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", "error 400"),
    ROW("LF after a field", "GET / HTTP/1.1\r\nHost: a\n\r\n", "error 400"),
    ROW("LF for the blank line", GET "\n", "error 400"),
    ROW("CR only", "GET / HTTP/1.1\rHost: a\r\r\n\r\n", "error 400"),
    ROW("CR in a value", GET "X: a\rb\r\n\r\n", "error 400"),
    ROW("CR before CRLF", GET "X: a\r\r\n\r\n", "error 400"),
    ROW("CR in a name", GET "X\rY: a\r\n\r\n", "error 400"),
    ROW("NUL in a value", GET "X: a\0b\r\n\r\n", "error 400"),
    ROW("NUL in a name", GET "X\0: a\r\n\r\n", "error 400"),
    ROW("escape in a value", GET "X: \x1b[0m\r\n\r\n", "error 400"),
    ROW("delete in a value", GET "X: \x7f\r\n\r\n", "error 400"),
    ROW("folded field", GET "X: a\r\n b\r\n\r\n", "error 400"),
    ROW("folded by tab", GET "X: a\r\n\tb\r\n\r\n", "error 400"),
    ROW("blank before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", "error 400"),
    ROW("blank before a name", GET " X: a\r\n\r\n", "error 400"),
    ROW("blank in a name", GET "X Y: a\r\n\r\n", "error 400"),
    ROW("blank before colon of Host", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", "error 400"),
    ROW("no colon", GET "X\r\n\r\n", "error 400"),
    ROW("no name", GET ": a\r\n\r\n", "error 400"),
    ROW("bracket in a name", GET "X[]: a\r\n\r\n", "error 400"),
    ROW("name beyond ASCII", GET "X\xc3\xa4: a\r\n\r\n", "error 400"),
    ROW("line of blanks", GET "  \r\n\r\n", "error 400"),
    /* ---- Host ---- */
    ROW("no Host", "GET / HTTP/1.1\r\nX: a\r\n\r\n", "error 400"),
    ROW("no field at all", "GET / HTTP/1.1\r\n\r\n", "error 400"),
    ROW("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "error 400"),
    ROW("same Host twice", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", "error 400"),
    ROW("two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", "error 400"),
    ROW("Host with a blank", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "error 400"),
    ROW("Host with a list", "GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", "error 400"),
    ROW("Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "error 400"),
    ROW("Host with a user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "error 400"),
    ROW("Host with a bad port", "GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n", "error 400"),
    ROW("Host with two ports", "GET / HTTP/1.1\r\nHost: a:80:81\r\n\r\n", "error 400"),
    ROW("Host that is a port", "GET / HTTP/1.1\r\nHost: :80\r\n\r\n", "error 400"),
    ROW("two Hosts, absolute target", "GET http://a/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        "error 400"),
    ROW("no Host, absolute target", "GET http://a/ HTTP/1.1\r\n\r\n", "error 400"),
    /* ---- request line ---- */
    ROW("two blanks", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "error 400"),
    ROW("two blanks before the version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", "error 400"),
    ROW("blank in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "error 400"),
    ROW("tab in the target", "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n", "error 400"),
    ROW("tab for a blank", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "error 400"),
    ROW("blank behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "error 400"),
    ROW("blank before the method", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", "error 400"),
    ROW("a second request line inside", "GET /a HTTP/1.1 /b HTTP/1.1\r\nHost: a\r\n\r\n",
        "error 400"),
    ROW("NUL in the target", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", "error 400"),
    ROW("byte beyond ASCII", "GET /\xc3\xa4 HTTP/1.1\r\nHost: a\r\n\r\n", "error 400"),
    ROW("fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", "error 400"),
    ROW("backslash", "GET /a\\b HTTP/1.1\r\nHost: a\r\n\r\n", "error 400"),
    ROW("escape that is cut", "GET /a%2 HTTP/1.1\r\nHost: a\r\n\r\n", "error 400"),
    ROW("escape that is none", "GET /a%zz HTTP/1.1\r\nHost: a\r\n\r\n", "error 400"),
    ROW("relative target", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", "error 400"),
    ROW("asterisk for GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", "error 400"),
    ROW("authority for GET", "GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n", "error 400"),
    ROW("path for CONNECT", "CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n", "error 400"),
    ROW("CONNECT with a body", "CONNECT a:80 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
        "error 400"),
    ROW("absolute target with a user", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", "error 400"),
    ROW("absolute target without a host", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", "error 400"),
    ROW("another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "error 400"),
    ROW("no version", "GET /\r\nHost: a\r\n\r\n", "error 400"),
    ROW("no target", "GET HTTP/1.1\r\nHost: a\r\n\r\n", "error 400"),
    ROW("only a method", "GET\r\n\r\n", "error 400"),
    ROW("lower-case version", "GET / http/1.1\r\nHost: a\r\n\r\n", "error 400"),
    ROW("RTSP", "GET / RTSP/1.0\r\nHost: a\r\n\r\n", "error 400"),
    ROW("ICE", "SOURCE / ICE/1.0\r\nHost: a\r\n\r\n", "error 400"),
    ROW("version of one digit", "GET / HTTP/1\r\nHost: a\r\n\r\n", "error 400"),
    ROW("version of three digits", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", "error 400"),
    ROW("HTTP/0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", "error 505"),
    ROW("HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", "error 505"),
    ROW("HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "error 505"),
    ROW("the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "error 505"),
    ROW("unknown method", "FOO / HTTP/1.1\r\nHost: a\r\n\r\n", "error 501"),
    ROW("lower-case method", "get / HTTP/1.1\r\nHost: a\r\n\r\n", "error 501"),
    ROW("method of RTSP", "DESCRIBE / HTTP/1.1\r\nHost: a\r\n\r\n", "error 400"),
    ROW("quoted method", "\"GET\" / HTTP/1.1\r\nHost: a\r\n\r\n", "error 400"),
    ROW("TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "error 400"),
    ROW("nothing but NUL", "\0\0\0\0", "error 400"),
    ROW("LF before the request", "\n" GET "\r\n", "error 400"),
    ROW("CR before the request", "\r" GET "\r\n", "error 400"),
    ROW("too many empty lines", "\r\n\r\n\r\n" GET "\r\n", "error 400"),
    /* ---- chunks ---- */
    ROW("no size", CHUNKED "\r\nhello\r\n0\r\n\r\n", "error 400"),
    ROW("size that is none", CHUNKED "g\r\nhello\r\n0\r\n\r\n", "error 400"),
    ROW("size with 0x", CHUNKED "0x5\r\nhello\r\n0\r\n\r\n", "error 400"),
    ROW("signed size", CHUNKED "+5\r\nhello\r\n0\r\n\r\n", "error 400"),
    ROW("negative size", CHUNKED "-5\r\nhello\r\n0\r\n\r\n", "error 400"),
    ROW("blank before a size", CHUNKED " 5\r\nhello\r\n0\r\n\r\n", "error 400"),
    ROW("blank behind a size", CHUNKED "5 \r\nhello\r\n0\r\n\r\n", "error 400"),
    ROW("tab behind a size", CHUNKED "5\t\r\nhello\r\n0\r\n\r\n", "error 400"),
    ROW("blank before an extension", CHUNKED "5 ;a=b\r\nhello\r\n0\r\n\r\n", "error 400"),
    ROW("size beyond 64 bits", CHUNKED "10000000000000000\r\nhello", "error 400"),
    ROW("size of 17 digits", CHUNKED "fffffffffffffffff\r\nhello", "error 400"),
    ROW("LF behind a size", CHUNKED "5\nhello\r\n0\r\n\r\n", "error 400"),
    ROW("CR behind a size", CHUNKED "5\rhello\r\n0\r\n\r\n", "error 400"),
    ROW("LF behind a chunk", CHUNKED "5\r\nhello\n0\r\n\r\n", "error 400"),
    ROW("CR behind a chunk", CHUNKED "5\r\nhello\r0\r\n\r\n", "error 400"),
    ROW("nothing behind a chunk", CHUNKED "5\r\nhello0\r\n\r\n", "error 400"),
    ROW("chunk longer than its size", CHUNKED "4\r\nhello\r\n0\r\n\r\n", "error 400"),
    ROW("chunk shorter than its size", CHUNKED "6\r\nhello\r\n0\r\n\r\n", "error 400"),
    ROW("LF behind the last size", CHUNKED "0\n\r\n", "error 400"),
    ROW("LF for the last line", CHUNKED "0\r\n\n", "error 400"),
    ROW("LF in an extension", CHUNKED "5;a\nb\r\nhello\r\n0\r\n\r\n", "error 400"),
    ROW("LF ends an extension", CHUNKED "5;a=b\nhello\r\n0\r\n\r\n", "error 400"),
    ROW("LF in a quoted extension", CHUNKED "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n", "error 400"),
    ROW("CR in an extension", CHUNKED "5;a\rb\r\nhello\r\n0\r\n\r\n", "error 400"),
    ROW("NUL in an extension", CHUNKED "5;a=\0\r\nhello\r\n0\r\n\r\n", "error 400"),
    ROW("control in an extension", CHUNKED "5;\x01\r\nhello\r\n0\r\n\r\n", "error 400"),
    ROW("control in a quoted extension", CHUNKED "5;a=\"\x01\"\r\nhello\r\n0\r\n\r\n", "error 400"),
    ROW("cut in a chunk", CHUNKED "5\r\nhel", "cut"),
    ROW("cut behind a size", CHUNKED "5", "cut"),
    ROW("cut before the last line", CHUNKED "5\r\nhello\r\n0\r\n", "cut"),
    /* ---- trailers ---- */
    ROW("length as trailer", CHUNKED "0\r\nContent-Length: 5\r\n\r\nhello", "error 400"),
    ROW("coding as trailer", CHUNKED "0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "error 400"),
    ROW("Host as trailer", CHUNKED "0\r\nHost: b\r\n\r\n", "error 400"),
    ROW("connection as trailer", CHUNKED "0\r\nConnection: close\r\n\r\n", "error 400"),
    ROW("credential as trailer", CHUNKED "0\r\nAuthorization: x\r\n\r\n", "error 400"),
    ROW("LF behind a trailer", CHUNKED "0\r\nX: y\n\r\n", "error 400"),
    ROW("folded trailer", CHUNKED "0\r\nX: y\r\n z\r\n\r\n", "error 400"),
    ROW("blank in a trailer's name", CHUNKED "0\r\nX : y\r\n\r\n", "error 400"),
    ROW("trailer without name", CHUNKED "0\r\n: y\r\n\r\n", "error 400"),
    ROW("trailer without colon", CHUNKED "0\r\nX\r\n\r\n", "error 400"),
    ROW("control in a trailer", CHUNKED "0\r\nX: \x01\r\n\r\n", "error 400"),
    ROW("NUL in a trailer", CHUNKED "0\r\nX: a\0\r\n\r\n", "error 400"),
    /* ---- cut short ---- */
    ROW("cut in the request line", "GET / HT", "cut"),
    ROW("cut in the header", GET, "cut"),
    ROW("cut in the body", POST "Content-Length: 5\r\n\r\nhel", "cut"),
};

static const struct row responses[] = {
    ROW("same length twice", OK "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok", "error 502"),
    ROW("different lengths", OK "Content-Length: 2\r\nContent-Length: 3\r\n\r\nok", "error 502"),
    ROW("list of lengths", OK "Content-Length: 2, 2\r\n\r\nok", "error 502"),
    ROW("negative length", OK "Content-Length: -1\r\n\r\nok", "error 502"),
    ROW("length and coding", OK "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "error 502"),
    ROW("coding and length", OK "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n",
        "error 502"),
    ROW("unknown coding", OK "Transfer-Encoding: gzip\r\n\r\nok", "error 502"),
    ROW("identity", OK "Transfer-Encoding: identity\r\n\r\nok", "error 502"),
    ROW("two codings", OK "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "error 502"),
    ROW("coding in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "error 502"),
    ROW("LF only", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", "error 502"),
    ROW("folded field", OK "X: a\r\n b\r\nContent-Length: 0\r\n\r\n", "error 502"),
    ROW("blank before colon", OK "Content-Length : 0\r\n\r\n", "error 502"),
    ROW("NUL in a value", OK "X: a\0\r\nContent-Length: 0\r\n\r\n", "error 502"),
    ROW("CR in a value", OK "X: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n", "error 502"),
    ROW("empty line before", "\r\n" OK "Content-Length: 0\r\n\r\n", "error 502"),
    ROW("status of two digits", "HTTP/1.1 20 OK\r\n\r\n", "error 502"),
    ROW("status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", "error 502"),
    ROW("status that is none", "HTTP/1.1 2x0 OK\r\n\r\n", "error 502"),
    ROW("status 099", "HTTP/1.1 099 OK\r\n\r\n", "error 502"),
    ROW("status 600", "HTTP/1.1 600 OK\r\n\r\n", "error 502"),
    ROW("no status", "HTTP/1.1\r\n\r\n", "error 502"),
    ROW("no blank behind the status", "HTTP/1.1 200OK\r\n\r\n", "error 502"),
    ROW("two blanks", "HTTP/1.1  200 OK\r\n\r\n", "error 502"),
    ROW("control in the reason", "HTTP/1.1 200 O\x01K\r\n\r\n", "error 502"),
    ROW("CR in the reason", "HTTP/1.1 200 O\rK\r\n\r\n", "error 502"),
    ROW("HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", "error 502"),
    ROW("ICY", "ICY 200 OK\r\n\r\n", "error 502"),
    ROW("HTTP/0.9", "<html>hello</html>", "error 502"),
    ROW("a request", GET "\r\n", "error 502"),
    ROW("switching protocols",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        "error 502"),
    ROW("interim with a length",
        "HTTP/1.1 100 Continue\r\nContent-Length: 38\r\n\r\n" OK "Content-Length: 0\r\n\r\n",
        "error 502"),
    ROW("interim with chunks",
        "HTTP/1.1 103 E\r\nTransfer-Encoding: chunked\r\n\r\n" OK "Content-Length: 0\r\n\r\n",
        "error 502"),
    ROW("bad chunk", OK "Transfer-Encoding: chunked\r\n\r\n2\nok\r\n0\r\n\r\n", "error 502"),
    ROW("cut in the header", OK "Content-Le", "cut"),
    ROW("cut behind an interim response", "HTTP/1.1 100 Continue\r\n\r\nH", "cut"),
    ROW("cut in the body", OK "Content-Length: 5\r\n\r\nok", "cut"),
    ROW("cut in a chunk", OK "Transfer-Encoding: chunked\r\n\r\n5\r\nok", "cut"),
};

static struct gw_str last_line(struct gw_str text)
{
    const char *newline = memrchr(text.ptr, '\n', text.len);
    return newline == NULL ? text : gw_str_skip(text, (size_t)(newline + 1 - text.ptr));
}

static void fail_row(const struct row *row, const char *how, struct gw_str got)
{
    fail_msg("%s, %s: got \"" GW_STR_FMT "\", want \"%s\"", row->name, how, GW_STR_ARG(got),
             row->end);
}

static void check_row(const struct row *row, enum gw_h1_kind kind)
{
    const struct h1_trace_opts opts = {.kind = kind};
    struct h1_trace whole;
    struct h1_trace split;
    h1_trace_init(&whole);
    h1_trace_init(&split);
    h1_trace_run(&whole, &opts, row->input, 0, row->input.len);
    struct gw_str expected = gw_buf_str(&whole.text);
    if (!gw_str_eq(last_line(expected), gw_str_from_c(row->end))) {
        fail_row(row, "whole", expected);
    }
    if (gw_str_find(expected, GW_STR("smuggled")) < expected.len) {
        fail_row(row, "smuggled", expected);
    }
    h1_trace_run(&split, &opts, row->input, 0, 1);
    if (!gw_str_eq(gw_buf_str(&split.text), expected)) {
        fail_row(row, "byte by byte", gw_buf_str(&split.text));
    }
    for (size_t at = 1; at < row->input.len; at++) {
        h1_trace_run(&split, &opts, row->input, at, row->input.len);
        if (!gw_str_eq(gw_buf_str(&split.text), expected)) {
            fail_row(row, "in two parts", gw_buf_str(&split.text));
        }
    }
    h1_trace_fini(&whole);
    h1_trace_fini(&split);
}

static void test_requests(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_ARRAY_LEN(requests); i++) {
        check_row(&requests[i], GW_H1_REQUESTS);
    }
}

static void test_responses(void **state)
{
    (void)state;
    for (size_t i = 0; i < GW_ARRAY_LEN(responses); i++) {
        check_row(&responses[i], GW_H1_RESPONSES);
    }
}

/* The rows above must fail for their own reason: what they are built from is fine. */
static void test_the_parts_are_sound(void **state)
{
    (void)state;
    const struct row sound[] = {
        ROW("get", GET "\r\n", "eof"),
        ROW("post", POST "Content-Length: 5\r\n\r\nhello", "eof"),
        ROW("chunked", CHUNKED "5;a=\"b\\\"\";c=d;e\r\nhello\r\n0\r\nX: y\r\n\r\n", "eof"),
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(sound); i++) {
        check_row(&sound[i], GW_H1_REQUESTS);
    }
    const struct row answer = ROW("ok", OK "Content-Length: 2\r\n\r\nok", "eof");
    check_row(&answer, GW_H1_RESPONSES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_responses),
        cmocka_unit_test(test_the_parts_are_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
