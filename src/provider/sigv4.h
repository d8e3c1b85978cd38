/* SPDX-License-Identifier: MIT */
/*
 * provider/sigv4 - signs a request as AWS wants it: Signature Version 4.
 *
 * Source:   shared/providers/bedrock.md section 6; AWS "Create a signed AWS API request".
 * Shape:    a pure function over what will be sent. Signed are Host, X-Amz-Date,
 *           X-Amz-Security-Token, Content-Type and every other X-Amz-* field given (but
 *           X-Amzn-Trace-Id): proxies change the rest. The path is normalised and escaped once
 *           more than on the wire, as all services but S3 want it.
 * Units:    milliseconds since 1970
 * Limits:   GW_SIGV4_MAX_FIELDS fields are signed, GW_SIGV4_MAX_QUERY_PARTS parts of a query; the
 *           canonical request has at most GW_SIGV4_MAX_BYTES.
 * Memory:   results live in |arena|; working memory is freed, keys in it are wiped.
 * Threads:  any
 * Errors:   GW_ERR_TOO_LARGE, GW_ERR_NOMEM
 */
#ifndef GW_PROVIDER_SIGV4_H
#define GW_PROVIDER_SIGV4_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "http/header.h"

#define GW_SIGV4_MAX_FIELDS      16
#define GW_SIGV4_MAX_QUERY_PARTS 32
#define GW_SIGV4_MAX_BYTES       (128u * 1024) /* a session token has some KiB, a path 1 or 2 */

struct gw_sigv4_request {
    struct gw_str access_key;
    struct gw_str secret_key;
    struct gw_str session_token; /* or empty */
    struct gw_str region;
    struct gw_str service; /* "bedrock", "sts" */
    struct gw_str method;
    struct gw_str target; /* path and query as they will be sent, escaped */
    struct gw_str host;   /* as the Host field will be sent */
    const struct gw_header *fields;
    size_t field_count;
    const struct gw_str *body_runs;
    size_t body_run_count;
    uint64_t now_ms;
};

struct gw_sigv4_fields {
    struct gw_str date;          /* of X-Amz-Date: "20261121T101112Z" */
    struct gw_str authorization; /* of Authorization */
};

/*
 * Signs |request|. The caller adds the two fields of *fields, and X-Amz-Security-Token when there
 * is a session token, which is signed but not among |request|'s own fields.
 *
 * Errors: GW_ERR_TOO_LARGE (a limit above), GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_sigv4_sign(const struct gw_sigv4_request *request,
                                      struct gw_arena *arena, struct gw_sigv4_fields *fields);

#endif
