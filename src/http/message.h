/* SPDX-License-Identifier: MIT */
/*
 * http/message - the head of a request or a response, the same for HTTP/1.1 and HTTP/2.
 *
 * Source:   RFC 9110
 * Shape:    plain values, views into the buffers of whoever parsed the message.
 * Units:    bytes
 * Limits:   see the parsers
 * Memory:   valid as long as the parser says
 * Threads:  its loop's thread only
 * Errors:   none
 */
#ifndef GW_HTTP_MESSAGE_H
#define GW_HTTP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "http/header.h"

enum gw_http_version {
    GW_HTTP_1_0,
    GW_HTTP_1_1,
    GW_HTTP_2,
};

enum gw_http_method {
    GW_METHOD_OTHER,
    GW_METHOD_GET,
    GW_METHOD_HEAD,
    GW_METHOD_POST,
    GW_METHOD_PUT,
    GW_METHOD_DELETE,
    GW_METHOD_PATCH,
    GW_METHOD_OPTIONS,
    GW_METHOD_CONNECT,
    GW_METHOD_TRACE,
};

#define GW_LENGTH_UNKNOWN UINT64_MAX

struct gw_request_head {
    enum gw_http_version version;
    enum gw_http_method method;
    struct gw_str method_text;
    struct gw_str target;            /* as sent: "/v1/models?limit=1" */
    struct gw_str authority;         /* Host or :authority */
    const struct gw_header *headers; /* without pseudo-header fields */
    size_t header_count;
    bool has_body; /* a body follows (Content-Length > 0, chunked, or an HTTP/2 stream that is not
                      ended) */
    uint64_t content_length; /* GW_LENGTH_UNKNOWN when the body's length is not announced; 0 without
                                a body */
    bool expects_continue;   /* "Expect: 100-continue" */
    bool keep_alive;         /* HTTP/1.x: the connection may serve another request */
};

struct gw_response_head {
    enum gw_http_version version;
    unsigned status;                 /* 200..599; interim responses are not reported */
    const struct gw_header *headers; /* without pseudo-header fields */
    size_t header_count;
    uint64_t content_length; /* as announced, also where no body follows (HEAD, 304);
                                GW_LENGTH_UNKNOWN when not announced */
    bool keep_alive;
};

/* The method of that name (case matters, RFC 9110 section 9.1), or GW_METHOD_OTHER. */
enum gw_http_method gw_method_from_text(struct gw_str text);

/* The name of a method; "" for GW_METHOD_OTHER. */
struct gw_str gw_method_text(enum gw_http_method method);

/* The reason phrase of a status; "Unknown" for one we do not know. */
struct gw_str gw_status_reason(unsigned status);

#endif
