/* SPDX-License-Identifier: MIT */
/*
 * provider/forward - the header fields of a request to a provider.
 *
 * Source:   RFC 9110 section 7.6.1 (fields that stay on their connection)
 * Shape:    a pure function over the request's arena
 * Units:    none
 * Limits:   the client's head, the call's fields and the deployment's are bounded already.
 * Memory:   the list is in the arena; its texts are views into the client's head, the call and the
 *           deployment.
 * Threads:  any
 * Errors:   GW_ERR_NOMEM
 */
#ifndef GW_PROVIDER_FORWARD_H
#define GW_PROVIDER_FORWARD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "http/message.h"
#include "llm/catalog.h"
#include "provider/api.h"

struct gw_forward_opts {
    const struct gw_request_head *client; /* NULL: nothing of the client's travels on */
    const struct gw_deployment *deployment;
    const struct gw_provider_call *call; /* the API's own fields, credential included */
    struct gw_str request_id;
    bool wants_identity; /* the answer will be read on its way: ask for no content coding */
};

/*
 * The fields to send: the client's, without those that belong to its connection, its credentials,
 * its cookies and where it came from, and without what the call or the deployment sets; then the
 * call's, the request's id, and the deployment's own.
 *
 * Errors: GW_ERR_NOMEM.
 */
GW_MUST_USE enum gw_err gw_forward_fields(const struct gw_forward_opts *opts,
                                          struct gw_arena *arena, const struct gw_header **headers,
                                          size_t *count);

#endif
