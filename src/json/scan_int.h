/* SPDX-License-Identifier: MIT */
/*
 * json/scan_int - the pieces of the scanner that its files share; only json/ includes this.
 *
 * Source:   RFC 8259; RFC 3629.
 * Shape:    a skip function takes the first byte of something and returns the byte behind it, or
 *           NULL.
 * Units:    none
 * Limits:   as json/scan.h
 * Memory:   allocates nothing.
 * Threads:  any
 * Errors:   NULL, with place and reason in the scanner.
 */
#ifndef GW_JSON_SCAN_INT_H
#define GW_JSON_SCAN_INT_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

/* What is wrong with a byte, or with the end of the text standing at its place. */
struct gw_json_reason {
    const char *here;
    const char *at_end;
};

struct gw_json_scanner {
    const unsigned char *begin;
    const unsigned char *end;
    /* set by the skip function that returned NULL */
    const unsigned char *wrong;
    const struct gw_json_reason *reason;
    enum gw_err err;
};

/* A scanner over |text|. */
struct gw_json_scanner gw_json_scanner_of(struct gw_str text);

/* Notes the failure; returns NULL for the caller to pass on. */
const unsigned char *gw_json_fail(struct gw_json_scanner *scanner, const unsigned char *wrong,
                                  const struct gw_json_reason *reason);

/* Skips the inside and the closing quote of a string; |at| is behind the opening one. |has_escapes|
 * may be NULL. */
const unsigned char *gw_json_skip_string(struct gw_json_scanner *scanner, const unsigned char *at,
                                         bool *has_escapes);

/* Skips a number; |at| is '-' or a digit. */
const unsigned char *gw_json_skip_number(struct gw_json_scanner *scanner, const unsigned char *at);

/* Skips what stands for one value, with everything inside it, |depth| being how many levels are
 * open around it. */
const unsigned char *gw_json_skip_value(struct gw_json_scanner *scanner, const unsigned char *at,
                                        unsigned depth);

/*
 * Enters the object or array that begins at |at|, |depth| levels being open around it: goes to its
 * first member or element, or behind it when it is empty (*closed).
 */
const unsigned char *gw_json_enter(struct gw_json_scanner *scanner, const unsigned char *at,
                                   unsigned depth, bool *closed);

/* Skips a member's name and the colon, to where its value begins. |key| and |has_escapes| may be
 * NULL. */
const unsigned char *gw_json_skip_key(struct gw_json_scanner *scanner, const unsigned char *at,
                                      struct gw_str *key, bool *has_escapes);

/* Behind a value: skips a comma to the next member or element, or the end of the object or array
 * (*closed). */
const unsigned char *gw_json_skip_separator(struct gw_json_scanner *scanner,
                                            const unsigned char *at, bool is_object, bool *closed);

/* Value of a hexadecimal digit, or -1. */
int gw_json_hex_digit(unsigned char byte);

/* Skips spaces, tabs, LF and CR, of which there is at least one. */
const unsigned char *gw_json_skip_blank_run(const struct gw_json_scanner *scanner,
                                            const unsigned char *at);

/* Skips spaces, tabs, LF and CR; never fails. */
static inline const unsigned char *gw_json_skip_blanks(const struct gw_json_scanner *scanner,
                                                       const unsigned char *at)
{
    if (at == scanner->end || *at > ' ') {
        return at;
    }
    return gw_json_skip_blank_run(scanner, at);
}

#endif
