/* SPDX-License-Identifier: MIT */
/*
 * upstream/h2_int - what conn_h2.c and h2_head.c share.
 *
 * Source:   RFC 9113; nghttp2 1.52
 * Shape:    heads only: from our HTTP/1 text to nghttp2's fields, and from its callbacks to a
 *           struct gw_response_head.
 * Units:    bytes
 * Limits:   GW_UPSTREAM_MAX_HEADER_BYTES and GW_H1_MAX_HEADERS for a response's head
 * Memory:   a head that is being received is in an arena, which is empty in between. HEADERS and
 *           CONTINUATION of two streams never mix, so a connection needs one.
 * Threads:  the loop's thread only
 * Errors:   see the functions
 */
#ifndef GW_UPSTREAM_H2_INT_H
#define GW_UPSTREAM_H2_INT_H

#include <nghttp2/nghttp2.h>

#include "base/arena.h"
#include "upstream/upstream_int.h"

/* Fields of a request: what gw_request_head_write() allows, and the four pseudo-header fields. */
#define GW_H2_MAX_REQUEST_FIELDS (GW_REQUEST_MAX_LINES + 4)

/* The head of a response while it is received. */
struct gw_uph2_head {
    struct gw_arena arena;
    struct gw_header *headers; /* in the arena */
    size_t count;
    size_t capacity;
    size_t bytes; /* names and values, and 32 for each field as RFC 9113 section 6.5.2 counts */
    uint64_t content_length;
    unsigned status; /* 0 until :status came */
};

/* Makes ready for a head. */
void gw_uph2_head_init(struct gw_uph2_head *head);

/* Frees it. */
void gw_uph2_head_fini(struct gw_uph2_head *head);

/* Adds a field; pseudo-header fields too. Errors: GW_ERR_TOO_LARGE, GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_uph2_head_add(struct gw_uph2_head *head, struct gw_str name,
                                         struct gw_str value);

/* The views in it end with gw_uph2_head_fini(). */
struct gw_response_head gw_uph2_head_response(const struct gw_uph2_head *head);

/* Translates a head in HTTP/1 form, as gw_request_head_write() made it. Returns the number of
 * fields.
 */
size_t gw_uph2_request_fields(struct gw_str text, bool is_tls,
                              nghttp2_nv fields[GW_H2_MAX_REQUEST_FIELDS]);

#endif
