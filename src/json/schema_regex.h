/* SPDX-License-Identifier: MIT */
/*
 * json/schema_regex - regular expressions as JSON Schema means them (ECMA-262, Unicode mode), run
 * by PCRE2. Only json/ includes this.
 *
 * Source:   ECMA-262 22.2.1 "Patterns"; pcre2pattern(3).
 * Shape:    a pattern is translated once to PCRE2's syntax, with everything refused that only PCRE2
 *           knows.
 * Units:    bytes
 * Limits:   patterns of GW_SCHEMA_PATTERN_MAX_BYTES; matching stops at PCRE2's match, depth and
 *           heap limits.
 * Memory:   a compiled pattern owns its code; a matcher owns the working memory of one check.
 * Threads:  a compiled pattern is immutable: any; a matcher is not shared.
 * Errors:   GW_ERR_INVALID with a text, GW_ERR_NOMEM.
 *
 * Known differences: \S, \P{..} of a negated class work as in PCRE2 inside brackets; case folding
 * flags do not exist.
 */
#ifndef GW_JSON_SCHEMA_REGEX_H
#define GW_JSON_SCHEMA_REGEX_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

/* Longer than any pattern a person writes; keeps PCRE2's compiled form small. */
#define GW_SCHEMA_PATTERN_MAX_BYTES 4096

struct gw_schema_regex;   /* one compiled pattern */
struct gw_schema_matcher; /* working memory */

/*
 * Compiles |pattern| into *out; *why gets a static or pattern-independent text when it is no
 * regular expression.
 *
 * Errors: GW_ERR_INVALID, GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_schema_regex_create(struct gw_str pattern, struct gw_schema_regex **out,
                                               const char **why);

/* Frees; NULL-safe, clears the pointer. */
void gw_schema_regex_destroy(struct gw_schema_regex **regex);

/* Is |pattern| a regular expression? Only its form is looked at; nothing is kept. */
bool gw_schema_regex_is_valid(struct gw_str pattern);

enum gw_schema_match {
    GW_SCHEMA_MATCH_YES,
    GW_SCHEMA_MATCH_NO,
    GW_SCHEMA_MATCH_TOO_HARD, /* a limit was reached, or memory ran out */
};

/* How hard to try. Most matches are easy; a check can afford some hundred hard ones. */
enum gw_schema_effort {
    GW_SCHEMA_EASY,
    GW_SCHEMA_HARD,
};

/*
 * Does the pattern match somewhere in |text|? *matcher is created at the first call and reused; end
 * it with the function below.
 */
enum gw_schema_match gw_schema_regex_match(const struct gw_schema_regex *regex, struct gw_str text,
                                           enum gw_schema_effort effort,
                                           struct gw_schema_matcher **matcher);

/* Frees; NULL-safe, clears the pointer. */
void gw_schema_matcher_destroy(struct gw_schema_matcher **matcher);

#endif
