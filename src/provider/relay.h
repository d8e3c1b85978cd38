/* SPDX-License-Identifier: MIT */
/*
 * provider/relay - forwards an answer's bytes unchanged while its API's decoder reads along: the
 * verbatim way of every dialect that has no tee of its own.
 *
 * Source:   DESIGN section 5 (fast path)
 * Shape:    in: the answer's body, any split. out: the same bytes; of a stream of server-sent
 *           events whole events only, so that one that breaks off leaves no half event with the
 *           client.
 * Units:    bytes
 * Limits:   GW_PROVIDER_MAX_EVENT_BYTES per event
 * Memory:   owns its decoder.
 * Threads:  its exchange's thread only
 * Errors:   GW_ERR_TOO_LARGE, GW_ERR_NOMEM, or what forward returned. What the decoder cannot read
 *           still passes: reading along is advisory.
 */
#ifndef GW_PROVIDER_RELAY_H
#define GW_PROVIDER_RELAY_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "http/sse.h"
#include "llm/facts.h"
#include "provider/api.h"

/* Returns GW_OK to go on; any other value is what the feed returns. */
typedef enum gw_err gw_relay_forward_fn(void *user, struct gw_str bytes);

struct gw_relay {
    const struct gw_provider_api *api;
    struct gw_decoder *decoder; /* NULL: not read (any more) */
    bool is_events;             /* server-sent events: forwarded one by one */
    bool is_stream;
    bool is_at_end;
    struct gw_sse sse;
    struct gw_answer_facts *facts;
    gw_relay_forward_fn *forward;
    void *user;
};

struct gw_relay_opts {
    const struct gw_provider_api *api;
    enum gw_decoder_mode mode;
    struct gw_str content_type;
    struct gw_str upstream_model;
    struct gw_answer_facts *facts; /* borrowed */
    gw_relay_forward_fn *forward;
    void *user;
};

/* Makes ready; end with gw_relay_fini(). */
void gw_relay_init(struct gw_relay *relay, const struct gw_relay_opts *opts);

/* Frees the decoder and the buffers. */
void gw_relay_fini(struct gw_relay *relay);

/* Takes the next bytes of the answer. */
GW_MUST_USE enum gw_err gw_relay_feed(struct gw_relay *relay, struct gw_str bytes);

/* The answer is complete. Errors: GW_ERR_EOF (a stream that ended before its end). */
GW_MUST_USE enum gw_err gw_relay_end(struct gw_relay *relay);

#endif
