/* SPDX-License-Identifier: MIT */
/*
 * http/header - header fields and the names gatewire has business with.
 *
 * Source:   RFC 9110 (fields), RFC 9112, RFC 9113.
 * Shape:    a field carries its name in lower case, its value without blanks around it, and the id
 *           of the name when it is a known one, so that the request path compares numbers.
 * Units:    none
 * Limits:   see http/h1.h and the HTTP/2 connections.
 * Memory:   views; the message's buffers own the bytes.
 * Threads:  any
 * Errors:   none
 */
#ifndef GW_HTTP_HEADER_H
#define GW_HTTP_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* Known names: XX(identifier, "name", flags). HOP: belongs to one connection, never forwarded (RFC
 * 9110 section 7.6.1). */
#define GW_HEADER_NONE 0u
#define GW_HEADER_HOP  1u
/* CRED: carries a client's credential, never forwarded, never logged. */
#define GW_HEADER_CRED 2u
#define GW_HEADER_MAP(XX)                                                                          \
    XX(ACCEPT, "accept", GW_HEADER_NONE)                                                           \
    XX(ACCEPT_ENCODING, "accept-encoding", GW_HEADER_NONE)                                         \
    XX(ACCESS_CONTROL_REQUEST_HEADERS, "access-control-request-headers", GW_HEADER_NONE)           \
    XX(ACCESS_CONTROL_REQUEST_METHOD, "access-control-request-method", GW_HEADER_NONE)             \
    XX(API_KEY, "api-key", GW_HEADER_CRED)                                                         \
    XX(AUTHORIZATION, "authorization", GW_HEADER_CRED)                                             \
    XX(CONNECTION, "connection", GW_HEADER_HOP)                                                    \
    XX(CONTENT_ENCODING, "content-encoding", GW_HEADER_NONE)                                       \
    XX(CONTENT_LENGTH, "content-length", GW_HEADER_NONE)                                           \
    XX(CONTENT_TYPE, "content-type", GW_HEADER_NONE)                                               \
    XX(COOKIE, "cookie", GW_HEADER_CRED)                                                           \
    XX(DATE, "date", GW_HEADER_NONE)                                                               \
    XX(EXPECT, "expect", GW_HEADER_NONE)                                                           \
    XX(FORWARDED, "forwarded", GW_HEADER_NONE)                                                     \
    XX(HOST, "host", GW_HEADER_NONE)                                                               \
    XX(HTTP2_SETTINGS, "http2-settings", GW_HEADER_HOP)                                            \
    XX(KEEP_ALIVE, "keep-alive", GW_HEADER_HOP)                                                    \
    XX(OPENAI_ORGANIZATION, "openai-organization", GW_HEADER_NONE)                                 \
    XX(OPENAI_PROJECT, "openai-project", GW_HEADER_NONE)                                           \
    XX(ORIGIN, "origin", GW_HEADER_NONE)                                                           \
    XX(PROXY_AUTHENTICATE, "proxy-authenticate", GW_HEADER_HOP)                                    \
    XX(PROXY_AUTHORIZATION, "proxy-authorization", GW_HEADER_HOP)                                  \
    XX(PROXY_CONNECTION, "proxy-connection", GW_HEADER_HOP)                                        \
    XX(RETRY_AFTER, "retry-after", GW_HEADER_NONE)                                                 \
    XX(SERVER, "server", GW_HEADER_NONE)                                                           \
    XX(SET_COOKIE, "set-cookie", GW_HEADER_CRED)                                                   \
    XX(TE, "te", GW_HEADER_HOP)                                                                    \
    XX(TRAILER, "trailer", GW_HEADER_HOP)                                                          \
    XX(TRANSFER_ENCODING, "transfer-encoding", GW_HEADER_HOP)                                      \
    XX(UPGRADE, "upgrade", GW_HEADER_HOP)                                                          \
    XX(USER_AGENT, "user-agent", GW_HEADER_NONE)                                                   \
    XX(VARY, "vary", GW_HEADER_NONE)                                                               \
    XX(VIA, "via", GW_HEADER_NONE)                                                                 \
    XX(X_API_KEY, "x-api-key", GW_HEADER_CRED)                                                     \
    XX(X_FORWARDED_FOR, "x-forwarded-for", GW_HEADER_NONE)                                         \
    XX(X_FORWARDED_HOST, "x-forwarded-host", GW_HEADER_NONE)                                       \
    XX(X_FORWARDED_PROTO, "x-forwarded-proto", GW_HEADER_NONE)                                     \
    XX(X_GOOG_API_KEY, "x-goog-api-key", GW_HEADER_CRED)                                           \
    XX(X_REQUEST_ID, "x-request-id", GW_HEADER_NONE)

enum gw_header_id {
    GW_HEADER_OTHER,
#define XX(id, name, flags) GW_HEADER_##id,
    GW_HEADER_MAP(XX)
#undef XX
        GW_HEADER_COUNT
};

struct gw_header {
    struct gw_str name; /* lower case */
    struct gw_str value;
    enum gw_header_id id;
};

/* The id of a lower-case name, or GW_HEADER_OTHER. */
enum gw_header_id gw_header_lookup(struct gw_str lower_name);

/* The name of a known id. */
struct gw_str gw_header_name(enum gw_header_id id);

/* Must this field stay on its connection? */
bool gw_header_is_hop_by_hop(enum gw_header_id id);

/* Does this field carry a credential? */
bool gw_header_is_credential(enum gw_header_id id);

/* Value of the first field with |id|, or the empty view with ptr NULL. */
struct gw_str gw_headers_get(const struct gw_header *headers, size_t count, enum gw_header_id id);

/* Is |token| one of the comma-separated tokens of |list| (any case)? For Connection and the like.
 */
bool gw_header_has_token(struct gw_str list, struct gw_str token);

/*
 * Connection options (RFC 9110 section 7.6.1): a field that any Connection field names belongs to
 * that connection and must not be forwarded. The first function says whether there is any option
 * but "close" and "keep-alive", which is rare and asked once per message; only then the second need
 * be asked for each field.
 */
bool gw_headers_have_options(const struct gw_header *headers, size_t count);
bool gw_headers_is_option(const struct gw_header *headers, size_t count, struct gw_str name);

/* May |value| stand in a field (no CR, LF, NUL or other control but tab)? RFC 9110 section 5.5. */
bool gw_header_value_is_valid(struct gw_str value);

/* Is |name| a token (RFC 9110 section 5.6.2)? */
bool gw_header_name_is_valid(struct gw_str name);

#endif
