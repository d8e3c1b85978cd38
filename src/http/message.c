/* SPDX-License-Identifier: MIT */
/* http/message - names of methods and statuses. */
#include "http/message.h"

#include "base/assert.h"

#define METHOD_MAP(XX)                                                                             \
    XX(GET)                                                                                        \
    XX(HEAD)                                                                                       \
    XX(POST)                                                                                       \
    XX(PUT)                                                                                        \
    XX(DELETE)                                                                                     \
    XX(PATCH)                                                                                      \
    XX(OPTIONS)                                                                                    \
    XX(CONNECT)                                                                                    \
    XX(TRACE)

/* RFC 9110 section 15 and the IANA registry; 529 is Anthropic's and others' "overloaded". */
#define STATUS_MAP(XX)                                                                             \
    XX(100, "Continue")                                                                            \
    XX(101, "Switching Protocols")                                                                 \
    XX(102, "Processing")                                                                          \
    XX(103, "Early Hints")                                                                         \
    XX(200, "OK")                                                                                  \
    XX(201, "Created")                                                                             \
    XX(202, "Accepted")                                                                            \
    XX(203, "Non-Authoritative Information")                                                       \
    XX(204, "No Content")                                                                          \
    XX(205, "Reset Content")                                                                       \
    XX(206, "Partial Content")                                                                     \
    XX(207, "Multi-Status")                                                                        \
    XX(208, "Already Reported")                                                                    \
    XX(226, "IM Used")                                                                             \
    XX(300, "Multiple Choices")                                                                    \
    XX(301, "Moved Permanently")                                                                   \
    XX(302, "Found")                                                                               \
    XX(303, "See Other")                                                                           \
    XX(304, "Not Modified")                                                                        \
    XX(305, "Use Proxy")                                                                           \
    XX(307, "Temporary Redirect")                                                                  \
    XX(308, "Permanent Redirect")                                                                  \
    XX(400, "Bad Request")                                                                         \
    XX(401, "Unauthorized")                                                                        \
    XX(402, "Payment Required")                                                                    \
    XX(403, "Forbidden")                                                                           \
    XX(404, "Not Found")                                                                           \
    XX(405, "Method Not Allowed")                                                                  \
    XX(406, "Not Acceptable")                                                                      \
    XX(407, "Proxy Authentication Required")                                                       \
    XX(408, "Request Timeout")                                                                     \
    XX(409, "Conflict")                                                                            \
    XX(410, "Gone")                                                                                \
    XX(411, "Length Required")                                                                     \
    XX(412, "Precondition Failed")                                                                 \
    XX(413, "Content Too Large")                                                                   \
    XX(414, "URI Too Long")                                                                        \
    XX(415, "Unsupported Media Type")                                                              \
    XX(416, "Range Not Satisfiable")                                                               \
    XX(417, "Expectation Failed")                                                                  \
    XX(421, "Misdirected Request")                                                                 \
    XX(422, "Unprocessable Content")                                                               \
    XX(423, "Locked")                                                                              \
    XX(424, "Failed Dependency")                                                                   \
    XX(425, "Too Early")                                                                           \
    XX(426, "Upgrade Required")                                                                    \
    XX(428, "Precondition Required")                                                               \
    XX(429, "Too Many Requests")                                                                   \
    XX(431, "Request Header Fields Too Large")                                                     \
    XX(451, "Unavailable For Legal Reasons")                                                       \
    XX(499, "Client Closed Request")                                                               \
    XX(500, "Internal Server Error")                                                               \
    XX(501, "Not Implemented")                                                                     \
    XX(502, "Bad Gateway")                                                                         \
    XX(503, "Service Unavailable")                                                                 \
    XX(504, "Gateway Timeout")                                                                     \
    XX(505, "HTTP Version Not Supported")                                                          \
    XX(506, "Variant Also Negotiates")                                                             \
    XX(507, "Insufficient Storage")                                                                \
    XX(508, "Loop Detected")                                                                       \
    XX(511, "Network Authentication Required")                                                     \
    XX(529, "Overloaded")

enum gw_http_method gw_method_from_text(struct gw_str text)
{
#define XX(name)                                                                                   \
    if (text.len == sizeof(#name) - 1 && memcmp(text.ptr, #name, sizeof(#name) - 1) == 0) {        \
        return GW_METHOD_##name;                                                                   \
    }
    METHOD_MAP(XX)
#undef XX
    return GW_METHOD_OTHER;
}

struct gw_str gw_method_text(enum gw_http_method method)
{
    switch (method) {
#define XX(name)                                                                                   \
    case GW_METHOD_##name:                                                                         \
        return GW_STR(#name);
        METHOD_MAP(XX)
#undef XX
    case GW_METHOD_OTHER:
        return GW_STR("");
    }
    GW_UNREACHABLE("a method that is not in the list");
}

struct gw_str gw_status_reason(unsigned status)
{
    switch (status) {
#define XX(code, text)                                                                             \
    case code:                                                                                     \
        return GW_STR(text);
        STATUS_MAP(XX)
#undef XX
    default:
        return GW_STR("Unknown");
    }
}
