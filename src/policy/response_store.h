/* SPDX-License-Identifier: MIT */
/*
 * policy/response_store - responses that clients may ask for again ("store", "previous_response_id"
 * of OpenAI's Responses API) where the provider keeps none.
 *
 * Source:   shared/providers/inbound.md section C1; how the core uses it: dialect/responses.h
 * Shape:    per response id: the items that were its own input, the final response object (whose
 *           "output" holds the items that came back), and the id of the response it follows. A
 *           conversation is the chain of these, put together when it goes on. JSON comes and goes
 *           as text; lists of items are an array's elements without its brackets.
 * Units:    bytes, milliseconds of the monotonic clock
 * Limits:   see struct gw_response_store_opts; what is used least recently goes first.
 * Memory:   the store owns copies; results are appended to the caller's buffers.
 * Threads:  any. One mutex guards the table; texts are copied outside of it. Only requests that
 *           store or continue something come here.
 * Errors:   see the functions
 *
 * A response belongs to a tenant: the caller's name for whoever may read it (the virtual key's id;
 * empty in open mode). Others do not find it, whatever they know of its id.
 */
#ifndef GW_POLICY_RESPONSE_STORE_H
#define GW_POLICY_RESPONSE_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

/* An agent's turn has some 20 KB of input, so this keeps ten thousand turns, and no more than a
 * small machine can spare. */
#define GW_RESPONSE_STORE_MAX_BYTES (256u * 1024 * 1024)
/* Each entry costs some 300 bytes beside its texts. */
#define GW_RESPONSE_STORE_MAX_ENTRIES 100000
/* One client must not drive out all others with one request; images in base64 fit. */
#define GW_RESPONSE_STORE_MAX_ENTRY_BYTES (32u * 1024 * 1024)
/* OpenAI keeps 30 days, in a database. Memory is for conversations that go on. */
#define GW_RESPONSE_STORE_MAX_AGE_MS (24u * 3600 * 1000)
/* A chain is walked under the lock. Agents stay below some hundred turns. */
#define GW_RESPONSE_STORE_MAX_CHAIN 4096

/* Zero means the default above. */
struct gw_response_store_opts {
    size_t max_bytes;
    size_t max_entries;
    size_t max_entry_bytes;
    uint64_t max_age_ms;
};

struct gw_response_store;

/* What is kept of one response. */
struct gw_stored_response {
    struct gw_str id;
    struct gw_str previous_id; /* or empty */
    struct gw_str input;       /* its own items */
    struct gw_str response;    /* the final object */
};

/* An empty store; NULL when there is no memory. */
GW_MUST_USE struct gw_response_store *
gw_response_store_create(const struct gw_response_store_opts *opts);

/* Frees; nobody may use it any more. NULL-safe, clears the pointer. */
void gw_response_store_destroy(struct gw_response_store **store);

/*
 * Keeps a copy; a response of that id is replaced. Errors: GW_ERR_TOO_LARGE (more than an entry may
 * have; nothing is kept), GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_response_store_put(struct gw_response_store *store, struct gw_str tenant,
                                              const struct gw_stored_response *response,
                                              uint64_t now_ms);

/* Appends the final response object to |out|. Errors: GW_ERR_NOT_FOUND, GW_ERR_NOMEM,
 * GW_ERR_TOO_LARGE (of |out|). */
GW_MUST_USE enum gw_err gw_response_store_get(struct gw_response_store *store, struct gw_str tenant,
                                              struct gw_str id, uint64_t now_ms,
                                              struct gw_buf *out);

/*
 * Appends all items that a conversation goes on from when |id| is its previous response: inputs and
 * outputs of the chain, oldest first. Errors: GW_ERR_NOT_FOUND (this one or one before it is
 * gone), GW_ERR_TOO_LARGE (of |out|, or the chain is too long), GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_response_store_history(struct gw_response_store *store,
                                                  struct gw_str tenant, struct gw_str id,
                                                  uint64_t now_ms, struct gw_buf *out);

/* The same without the output of |id| itself: the items that it answered. Errors: as
 * gw_response_store_history(). */
GW_MUST_USE enum gw_err gw_response_store_inputs(struct gw_response_store *store,
                                                 struct gw_str tenant, struct gw_str id,
                                                 uint64_t now_ms, struct gw_buf *out);

/* Forgets a response. What follows it can be read, but not gone on from. Errors:
 * GW_ERR_NOT_FOUND. */
GW_MUST_USE enum gw_err gw_response_store_delete(struct gw_response_store *store,
                                                 struct gw_str tenant, struct gw_str id);

/* How many are kept, and how many bytes they take; for metrics. */
void gw_response_store_size(struct gw_response_store *store, size_t *entries, size_t *bytes);

#endif
