/* SPDX-License-Identifier: MIT */
/*
 * provider/demo - the built-in model gatewire/demo: answers chat completions inside the process,
 * streamed too, with no account anywhere.
 *
 * Source:   shared/providers/openai.md sections 5 and 6 (shapes)
 * Shape:    behaves towards its user as an exchange does: on_response, on_body, on_end from the
 *           loop, never from inside start.
 * Units:    milliseconds
 * Limits:   GW_DEMO_ECHO_BYTES of the last user message are repeated.
 * Memory:   owns its text until it ends.
 * Threads:  its loop's thread
 * Errors:   GW_ERR_INVALID at start
 */
#ifndef GW_PROVIDER_DEMO_H
#define GW_PROVIDER_DEMO_H

#include <stdbool.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "llm/request.h"
#include "loop/loop.h"
#include "upstream/upstream.h"

#define GW_DEMO_ECHO_BYTES 200

struct gw_demo;

/*
 * Starts an answer to |body|. Events are those of an exchange; on_error is never called.
 *
 * Errors: GW_ERR_INVALID (|request| is no chat completion).
 */
GW_MUST_USE enum gw_err gw_demo_start(struct gw_loop *loop, const struct gw_llm_request *request,
                                      struct gw_str body, const struct gw_exchange_events *events,
                                      void *user, struct gw_demo **out);

/* Stops (true) or resumes a streamed answer. */
void gw_demo_pause(struct gw_demo *demo, bool paused);

/* Ends it without an event; NULL-safe, clears the pointer. */
void gw_demo_cancel(struct gw_demo **demo);

#endif
