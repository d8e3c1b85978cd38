/* SPDX-License-Identifier: MIT */
/*
 * provider/openai_tee - reads usage, finish reason and errors out of an OpenAI-shaped answer while
 * its bytes pass through unchanged.
 *
 * Source:   shared/providers/openai.md sections 5 to 8; local.md section 4 (quirks of local
 *           servers).
 * Shape:    in: the answer's body, any split. out: the same bytes to |forward|, but whole events
 *           only (a stream that breaks must not leave half an event with the client), an error
 * event in a run of its own, and without the usage event when it was asked for only by us.
 * Units:    bytes, tokens
 * Limits:   an event of at most GW_TEE_MAX_EVENT_BYTES; of a plain answer at most
 *           GW_TEE_MAX_BODY_BYTES are kept for reading (longer ones pass, unread).
 * Memory:   nothing is held while answers arrive in whole events or in one piece.
 * Threads:  its exchange's thread only
 * Errors:   GW_ERR_TOO_LARGE, GW_ERR_NOMEM, or what forward returned.
 */
#ifndef GW_PROVIDER_OPENAI_TEE_H
#define GW_PROVIDER_OPENAI_TEE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "http/sse.h"
#include "llm/facts.h"

#define GW_TEE_MAX_EVENT_BYTES                                                                     \
    (16u * 1024 * 1024) /* an event may carry an image of some megabytes in base64 */
#define GW_TEE_MAX_BODY_BYTES                                                                      \
    (16u * 1024 *                                                                                  \
     1024) /* 2,048 embeddings of 3,072 dimensions as text are larger; they pass unread */

enum gw_tee_mode {
    GW_TEE_RAW,    /* not read at all */
    GW_TEE_PLAIN,  /* one JSON document */
    GW_TEE_STREAM, /* server-sent events */
};

/* Returns GW_OK to go on; any other value is what the feed returns. */
typedef enum gw_err gw_tee_forward_fn(void *user, struct gw_str bytes);

struct gw_openai_tee {
    enum gw_tee_mode mode;
    bool hides_usage; /* drop the usage event: the client did not ask for it */
    gw_tee_forward_fn *forward;
    void *user;
    struct gw_sse sse;
    struct gw_buf body;            /* PLAIN: the answer so far, when it did not come in one piece */
    struct gw_str pending;         /* STREAM: adjacent events of this feed that go on together */
    struct gw_answer_facts *facts; /* what was read */
    bool is_at_end;                /* STREAM: gw_openai_tee_end() is at work */
};

/* Makes ready, with |facts| (borrowed, cleared by its owner) to fill in; end with
 * gw_openai_tee_fini(). */
void gw_openai_tee_init(struct gw_openai_tee *tee, enum gw_tee_mode mode, bool hides_usage,
                        struct gw_answer_facts *facts, gw_tee_forward_fn *forward, void *user);

/* Frees the buffers. */
void gw_openai_tee_fini(struct gw_openai_tee *tee);

/* Takes the next bytes of the answer. Errors: GW_ERR_TOO_LARGE, GW_ERR_NOMEM, or what forward
 * returned. */
GW_MUST_USE enum gw_err gw_openai_tee_feed(struct gw_openai_tee *tee, struct gw_str bytes);

/*
 * The answer is complete. For a stream: a last event without its blank line is forwarded as it is
 * when the stream has an end (now), and dropped when it has none.
 *
 * Errors: GW_ERR_EOF (a stream that ended without its end: no [DONE], no finish reason, no error),
 * or what forward returned.
 */
GW_MUST_USE enum gw_err gw_openai_tee_end(struct gw_openai_tee *tee);

#endif
