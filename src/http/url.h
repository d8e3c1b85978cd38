/* SPDX-License-Identifier: MIT */
/*
 * http/url - splits absolute URLs (api_base, proxies) and request targets. No I/O.
 *
 * Source:   RFC 3986; RFC 9112 section 3.2 for request targets.
 * Shape:    views into the parsed text; nothing is decoded unless asked.
 * Units:    none
 * Limits:   the text is the caller's, already bounded.
 * Memory:   allocates nothing.
 * Threads:  any
 * Errors:   GW_ERR_INVALID.
 */
#ifndef GW_HTTP_URL_H
#define GW_HTTP_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

struct gw_url {
    bool is_tls;             /* https */
    bool is_unix;            /* unix:/path/to.sock[:/base/path]; host and port are empty then */
    struct gw_str host;      /* without the brackets of an IPv6 literal */
    uint16_t port;           /* 443 or 80 when the text names none */
    struct gw_str unix_path; /* of the socket */
    struct gw_str user_info; /* "user:password" before '@', as written; for proxies */
    struct gw_str path;      /* from the first '/', or empty; without query and fragment */
    struct gw_str query;     /* behind '?', without it; ptr is NULL when there is none */
};

/*
 * Splits an absolute URL: http://, https:// or unix:. Control characters, spaces, an empty host, a
 * port outside 1..65535 and a fragment are refused.
 *
 * Errors: GW_ERR_INVALID (*why, static text, says what is wrong).
 */
GW_MUST_USE enum gw_err gw_url_parse(struct gw_str text, struct gw_url *url, const char **why);

/*
 * Splits a request target into path and query. Origin form ("/v1/models?limit=1") and absolute form
 * ("http://host/v1/models") are understood; "*" gives the path "*". Without '?' the query's ptr is
 * NULL.
 *
 * Errors: GW_ERR_INVALID (another form, a bad escape in the path, or a byte that must be escaped;
 * of those that RFC 3986 wants escaped, "[]{}|^`" pass, as browsers and curl send them).
 */
GW_MUST_USE enum gw_err gw_url_split_target(struct gw_str target, struct gw_str *path,
                                            struct gw_str *query);

/* "host:port" of a request target in absolute form, not checked; ptr is NULL for the other forms.
 */
struct gw_str gw_url_target_authority(struct gw_str target);

/* Is |authority| a host with an optional port, as a Host field may carry it? Neither empty nor with
 * user information. */
bool gw_url_authority_is_valid(struct gw_str authority);

/* Value of |name| in a query string, still percent-encoded; false when it is not there. */
bool gw_url_query_get(struct gw_str query, struct gw_str name, struct gw_str *value);

/*
 * Decodes percent-escapes into |out|.
 *
 * Errors: GW_ERR_INVALID (a bad escape, or a NUL), GW_ERR_TOO_LARGE.
 */
GW_MUST_USE enum gw_err gw_url_decode(struct gw_str text, char *out, size_t size, size_t *len);

#endif
