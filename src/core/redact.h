/* SPDX-License-Identifier: MIT */
/*
 * core/redact - a provider's words without what may be a key in them.
 *
 * Source:   what vendors write about a wrong key: "Incorrect API key provided: sk-proj-****abcd."
 * Shape:    text in, text out; a word that may be a key becomes "***", all else stays.
 * Units:    bytes
 * Limits:   none: the texts are excerpts of some hundred bytes.
 * Memory:   the result is in the given arena, or static.
 * Threads:  any
 * Errors:   none: without memory the whole text is left out.
 */
#ifndef GW_CORE_REDACT_H
#define GW_CORE_REDACT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/secret.h"
#include "base/str.h"

/*
 * |text| without the words that hold a part of |secret| (NULL: none is known), that somebody has
 * masked already, or that look like a key or an id: long, with a digit. |is_cut|: the text ends
 * where there was no more room, so that its last word may be the beginning of a key.
 */
struct gw_str gw_redact(struct gw_arena *arena, struct gw_str text, bool is_cut,
                        const struct gw_secret *secret);

#endif
