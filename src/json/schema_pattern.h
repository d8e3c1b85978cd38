/* SPDX-License-Identifier: MIT */
/*
 * json/schema_pattern - translates an ECMA-262 pattern to PCRE2's syntax. Only json/ includes this.
 *
 * Source:   ECMA-262 22.2.1 "Patterns", annex B.1.2 for the laxness that patterns in the wild need;
 *           pcre2pattern(3).
 * Shape:    pattern in, pattern out; what ECMA-262 does not know is refused, so that nobody reaches
 *           PCRE2's verbs, recursion or possessive quantifiers.
 * Units:    bytes
 * Limits:   those of |out|.
 * Memory:   allocates only in |out|.
 * Threads:  any
 * Errors:   GW_ERR_INVALID with a static text; GW_ERR_TOO_LARGE, GW_ERR_NOMEM of |out|.
 */
#ifndef GW_JSON_SCHEMA_PATTERN_H
#define GW_JSON_SCHEMA_PATTERN_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

/*
 * Appends the translation of |pattern|, which must be UTF-8, to |out|. *why says what is wrong with
 * it.
 *
 * Errors: GW_ERR_INVALID, GW_ERR_TOO_LARGE, GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_schema_pattern_translate(struct gw_str pattern, struct gw_buf *out,
                                                    const char **why);

#endif
