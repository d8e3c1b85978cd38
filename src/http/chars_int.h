/* SPDX-License-Identifier: MIT */
/*
 * http/chars_int - classes of bytes in fields and URLs, one table look-up each.
 *
 * Source:   RFC 9110 sections 5.5 and 5.6.2; RFC 3986 appendix A.
 * Shape:    gw_http_chars[byte] is a set of GW_CHAR_* bits.
 * Units:    none
 * Limits:   none
 * Memory:   static
 * Threads:  any (immutable)
 * Errors:   none
 */
#ifndef GW_HTTP_CHARS_INT_H
#define GW_HTTP_CHARS_INT_H

#include <stdbool.h>

#include "base/str.h"

#define GW_CHAR_TOKEN 1u /* tchar */
#define GW_CHAR_VALUE 2u /* in a field's value: all but controls; tab is fine */
/* Host, port and the brackets of IPv6; no comma: it would join two hosts. */
#define GW_CHAR_HOST 4u
/* Visible ASCII but '"', '#', '<', '>' and '\'; browsers and curl send the rest of what RFC 3986
 * wants escaped ("[", "]", "{", "|", "}", "^", "`") as it is. */
#define GW_CHAR_QUERY 8u
#define GW_CHAR_HEX   16u
#define GW_CHAR_USER  32u /* userinfo of a URL */

/* The classes of each byte. */
extern const unsigned char gw_http_chars[256];

/* Is |byte| in one of the |classes|? */
static inline bool gw_char_is(char byte, unsigned classes)
{
    return (gw_http_chars[(unsigned char)byte] & classes) != 0;
}

/* Are all bytes of |text| of |kind|? True for the empty text. Nearly always they are, so each is
 * looked at without asking: half the instructions of leaving early. */
static inline bool gw_chars_are(struct gw_str text, unsigned kind)
{
    unsigned common = kind;
    for (size_t i = 0; i < text.len; i++) {
        common &= gw_http_chars[(unsigned char)text.ptr[i]];
    }
    return common != 0;
}

#endif
