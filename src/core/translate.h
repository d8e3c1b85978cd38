/* SPDX-License-Identifier: MIT */
/*
 * core/translate - requests whose client speaks another dialect than the provider: through the
 * neutral model there and back.
 *
 * Source:   DESIGN sections 5 and 6
 * Shape:    gw_translation_encode() before an exchange; then head, bytes and end of its answer;
 *           what the client gets comes out through gw_translation_sink.
 * Units:    bytes
 * Limits:   the client's body is bounded by its listener; answers by llm/answer.h and
 *           provider/api.h
 * Memory:   one per request, on the heap; freed with it.
 * Threads:  its worker's thread
 * Errors:   see the functions.
 */
#ifndef GW_CORE_TRANSLATE_H
#define GW_CORE_TRANSLATE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "dialect/dialect.h"
#include "llm/facts.h"
#include "provider/api.h"

struct gw_recovery;
struct gw_translation;

struct gw_translation_opts {
    const struct gw_dialect *dialect;
    const struct gw_llm_request *request; /* borrowed, like all views */
    struct gw_encoder_opts encoder;       /* its |request| and |chat| are filled in here */
    struct gw_arena *arena;
    struct gw_answer_facts *facts;
    /* Where the notes of the answer are, for another exchange that continues it; *recovery may be
     * NULL. */
    struct gw_recovery *const *recovery;
};

/* Makes one; NULL when there is no memory. */
struct gw_translation *gw_translation_create(const struct gw_translation_opts *opts);

/* Frees; NULL-safe, clears the pointer. */
void gw_translation_destroy(struct gw_translation **translation);

/*
 * Makes what is sent to |deployment| through |api|; may be called again for another attempt. The
 * result is gw_translation_call(). |in| is read by the first call only.
 *
 * Errors: GW_ERR_INVALID (*error says why), GW_ERR_NOMEM, GW_ERR_TOO_LARGE.
 */
GW_MUST_USE enum gw_err gw_translation_encode(struct gw_translation *translation,
                                              const struct gw_provider_api *api,
                                              const struct gw_deployment *deployment,
                                              struct gw_str upstream_model,
                                              const struct gw_inbound *in, struct gw_error *error);

/* The neutral request, made of |in| by whoever needs it first. Errors: as encode(). */
GW_MUST_USE enum gw_err gw_translation_chat(struct gw_translation *translation,
                                            const struct gw_inbound *in, yyjson_val **chat,
                                            struct gw_error *error);

/* The client has had a verbatim answer so far, as the recovery's notes tell: the dialect's stream
 * goes on behind it. Errors: GW_ERR_NOMEM, GW_ERR_TOO_LARGE. */
GW_MUST_USE enum gw_err gw_translation_resume(struct gw_translation *translation);

/* Has the provider's answer begun, though perhaps without any output? */
bool gw_translation_has_start(const struct gw_translation *translation);

/* Is there a stream for the client, which another exchange could continue? */
bool gw_translation_has_stream(const struct gw_translation *translation);

/* What is to be sent: target, fields, body. Valid until the next encode. */
struct gw_provider_call *gw_translation_call(struct gw_translation *translation);

/* What was changed and dropped so far, as a header field's value; empty when nothing was. */
struct gw_str gw_translation_warning(const struct gw_translation *translation);

/* The notes themselves, for explain. */
const struct gw_notes *gw_translation_notes(const struct gw_translation *translation);

/* Does the client get a stream? Else one JSON document, complete at the end. */
bool gw_translation_is_stream(const struct gw_translation *translation);

/* A 2xx answer begins; one that continues an answer goes into that one's stream. Errors:
 * GW_ERR_NOMEM. */
GW_MUST_USE enum gw_err gw_translation_begin(struct gw_translation *translation,
                                             struct gw_str content_type,
                                             struct gw_str upstream_request_id);

/*
 * The next bytes of the answer. Errors: GW_ERR_CANCELLED (the provider reported an error in its
 * stream: gw_translation_error()), GW_ERR_PROTOCOL, GW_ERR_TOO_LARGE, GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_translation_feed(struct gw_translation *translation,
                                            struct gw_str bytes);

/* The answer is complete. Errors: as feed, GW_ERR_EOF (it broke off). */
GW_MUST_USE enum gw_err gw_translation_end(struct gw_translation *translation);

/* What the client should get now: bytes not taken yet. Empty while nothing with output came, so
 * that another deployment may still answer. */
struct gw_str gw_translation_output(const struct gw_translation *translation);

/* Adds a sign of life to the output, if the dialect has one and the stream has not ended; a message
 * that was not begun begins with it. */
void gw_translation_ping(struct gw_translation *translation);

/* The output was written. */
void gw_translation_taken(struct gw_translation *translation);

/* The complete response object of a client of Responses, for the store; false before it is there.
 */
bool gw_translation_response(const struct gw_translation *translation, struct gw_str *response);

/* The error that the provider reported inside its answer; after GW_ERR_CANCELLED. */
const struct gw_error *gw_translation_error(const struct gw_translation *translation);

/* Ends a begun stream with the dialect's error event: appended to the output. */
void gw_translation_fail(struct gw_translation *translation, const struct gw_error *error);

#endif
