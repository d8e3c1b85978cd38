/* SPDX-License-Identifier: MIT */
/*
 * base/digest - names for secrets that may be kept where the secret may not.
 *
 * Source:   FIPS 180-4 (SHA-256), by OpenSSL
 * Shape:    bytes in, digest out
 * Units:    bytes
 * Limits:   none
 * Memory:   the caller's
 * Threads:  any
 * Errors:   see the function
 */
#ifndef GW_BASE_DIGEST_H
#define GW_BASE_DIGEST_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

#define GW_DIGEST_BYTES 32

/* The SHA-256 of |text|, GW_DIGEST_BYTES at |out|. Errors: GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_digest(struct gw_str text, char *out);

#endif
