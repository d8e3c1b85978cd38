/* SPDX-License-Identifier: MIT */
/*
 * core/recovery - what the client has of a stream, so that another deployment can go on with it
 * when its provider dies in the middle, and how the next answer's events join it.
 *
 * Source:   DESIGN section 5; docs/internals/recovery.md
 * Shape:    every event on its way to the client goes through gw_recovery_pass(). While the first
 *           answer comes, it only takes notes. While another exchange continues the answer, it also
 *           drops what the client has already: the beginning, reasoning, text that is repeated.
 * Units:    bytes, tokens
 * Limits:   GW_RECOVERY_TEXT_BYTES of delivered text; an answer beyond that is not continued.
 *           GW_RECOVERY_MAX exchanges continue an answer.
 * Memory:   the delivered text, after a break twice, and the names of the first answer
 * Threads:  its request's thread only
 * Errors:   none: what cannot be kept cannot be continued, and the answer goes on without.
 */
#ifndef GW_CORE_RECOVERY_H
#define GW_CORE_RECOVERY_H

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/str.h"
#include "llm/continuation_join.h"
#include "llm/event.h"
#include "llm/usage.h"
#include "loop/loop.h"
#include "policy/slow_stream.h"
#include "provider/api.h"

/* Some 60,000 tokens, more than answers of one piece have; and it is kept for each stream of a
 * group that wants it. */
#define GW_RECOVERY_TEXT_BYTES (256u * 1024)
/* A client whose answer broke off three times is better told so. */
#define GW_RECOVERY_MAX 2
/* Of the names in a provider's first event: no vendor's are longer. */
#define GW_RECOVERY_NAME_BYTES 512

struct gw_request;

struct gw_recovery {
    bool is_wanted;        /* by the group: answers with text are continued, too */
    bool is_off;           /* something came that nobody can continue, or nobody could */
    bool has_start;        /* the answer's beginning came */
    bool is_reasoning;     /* the last thing that came is reasoning, which nobody can continue */
    bool has_output;       /* something of the answer came */
    bool is_continuing;    /* the current exchange is not the first of this answer */
    unsigned count;        /* exchanges that were to continue it */
    struct gw_buf text;    /* of the answer, with the client or on its way there */
    struct gw_usage spent; /* by the exchanges before the current one */
    struct gw_buf id;      /* of the first answer, as are the next two */
    struct gw_buf model;
    uint64_t created_s;
    struct gw_buf before; /* while continuing: the text as it was at the seam */
    struct gw_continuation_join join;
    struct gw_buf joined; /* what came out of |join| last */
    /* A verbatim answer is read along. */
    const struct gw_provider_api *api;
    struct gw_decoder *decoder;
    /* The guard against slow streams, of a group that has one. */
    struct gw_request *request;
    struct gw_slow_stream slow;
    struct gw_timer slow_timer;
    bool is_guarded;
    bool was_paused; /* reading rested since the last look: the client was the slow one */
    bool is_moved;   /* nothing broke: the stream leaves a deployment that is slow */
};

/* One that has seen nothing; NULL when there is no memory. */
struct gw_recovery *gw_recovery_create(bool is_wanted);

/* Frees; NULL-safe, clears the pointer. */
void gw_recovery_destroy(struct gw_recovery **recovery);

/* The answer has come to nothing, and the client has seen nothing of it. */
void gw_recovery_forget(struct gw_recovery *recovery);

/* Gives |emit| what of |event| goes on to the client: nothing, the event, or more than it. Returns
 * what |emit| returned. */
GW_MUST_USE enum gw_err gw_recovery_pass(struct gw_recovery *recovery, const struct gw_event *event,
                                         gw_on_event_fn *emit, void *user);

/* A verbatim answer begins: its events are read along, as |opts| says (its callback is set here).
 */
void gw_recovery_read_along(struct gw_recovery *recovery, const struct gw_provider_api *api,
                            const struct gw_decoder_opts *opts);

/* The next whole events of it. */
void gw_recovery_read(struct gw_recovery *recovery, struct gw_str bytes);

/* Can the answer be continued, by what has come of it? */
bool gw_recovery_is_possible(const struct gw_recovery *recovery);

/* Does the request allow it? Neither several answers nor probabilities, sound or a form that only a
 * whole answer has. */
bool gw_recovery_allows(yyjson_val *chat);

/* The next exchange continues the answer; |usage| is what the one before it used. |repeats|: the
 * model will begin with the text that it is to go on with. */
void gw_recovery_continue(struct gw_recovery *recovery, const struct gw_usage *usage, bool repeats);

/* |a| and |b| together. */
struct gw_usage gw_recovery_sum(const struct gw_usage *a, const struct gw_usage *b);

#endif
