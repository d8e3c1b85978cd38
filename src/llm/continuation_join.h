/* SPDX-License-Identifier: MIT */
/*
 * llm/continuation_join - joins an answer that broke and its continuation: what the second model
 * says again is not delivered again.
 *
 * Source:   none
 * Shape:    fed with the continuation's text as it comes. Some servers give the prefix back before
 *           they go on, some models repeat the last words. Text is held back only as long as it
 *           looks like one of these, then all passes untouched.
 * Units:    bytes
 * Limits:   a repetition at the end is looked for over GW_CONTINUATION_OVERLAP_MAX bytes, and
 *           counts from GW_CONTINUATION_OVERLAP_MIN on: a shorter one may well be meant.
 * Memory:   none of its own; |delivered| outlives the joiner. What is held back is part of it.
 * Threads:  its stream's
 * Errors:   GW_ERR_NOMEM, GW_ERR_TOO_LARGE of the buffer written to
 */
#ifndef GW_LLM_CONTINUATION_JOIN_H
#define GW_LLM_CONTINUATION_JOIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

#define GW_CONTINUATION_OVERLAP_MAX 256u
#define GW_CONTINUATION_OVERLAP_MIN 12u

/* Private. */
struct gw_continuation_join {
    struct gw_str delivered;
    size_t prefix_len; /* of it, without the white space at its end */
    size_t matched;    /* bytes of the continuation that are held back */
    bool is_echo;      /* they are |delivered|'s first ones */
    bool repeats;      /* an echo is expected, however short */
    size_t overlap;    /* the longest complete repetition of |delivered|'s end; 0: none */
    uint64_t overlaps[GW_CONTINUATION_OVERLAP_MAX / 64]; /* lengths - 1 of those still possible */
    size_t space;  /* white space behind the prefix that may come again */
    bool is_space; /* only that is looked for any more */
    bool passes;   /* nothing is */
};

/* A joiner behind |delivered|, all that the client has of the answer; |repeats| as
 * gw_continuation_repeats() says. */
void gw_continuation_join_init(struct gw_continuation_join *join, struct gw_str delivered,
                               bool repeats);

/*
 * Appends to |out| what of |text| and of what was held back is to be delivered.
 *
 * Errors: GW_ERR_NOMEM, GW_ERR_TOO_LARGE.
 */
GW_MUST_USE enum gw_err gw_continuation_join_feed(struct gw_continuation_join *join,
                                                  struct gw_str text, struct gw_buf *out);

/*
 * The continuation is over: appends what is held back, as far as it is no repetition.
 *
 * Errors: GW_ERR_NOMEM, GW_ERR_TOO_LARGE.
 */
GW_MUST_USE enum gw_err gw_continuation_join_end(struct gw_continuation_join *join,
                                                 struct gw_buf *out);

#endif
