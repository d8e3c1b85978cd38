/* SPDX-License-Identifier: MIT */
/*
 * http/multipart - finds one short text field in a multipart/form-data body.
 *
 * Source:   RFC 7578, RFC 2046 section 5.1.1
 * Shape:    in: the Content-Type value and the whole body. out: a view of the field's value in the
 *           body.
 * Units:    bytes
 * Limits:   GW_MULTIPART_MAX_PARTS parts are looked at; a boundary of at most 70 bytes (RFC 2046).
 * Memory:   allocates nothing
 * Threads:  any
 * Errors:   GW_ERR_NOT_FOUND, GW_ERR_INVALID
 */
#ifndef GW_HTTP_MULTIPART_H
#define GW_HTTP_MULTIPART_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

#define GW_MULTIPART_MAX_PARTS 128 /* an image edit sends at most 16 images and some ten fields */

/*
 * The value of the only part named |name| that has no file name.
 *
 * Errors: GW_ERR_NOT_FOUND (no such part), GW_ERR_INVALID (no multipart/form-data, not well-formed,
 * too many parts, or two parts with that name: its next reader might take the other one).
 */
GW_MUST_USE enum gw_err gw_multipart_find(struct gw_str content_type, struct gw_str body,
                                          struct gw_str name, struct gw_str *value);

#endif
