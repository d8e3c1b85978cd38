/* SPDX-License-Identifier: MIT */
/*
 * core/dry_run - a request that goes the way of all requests as far as the choice of its
 * deployment, without being counted, taking anything, or reaching anybody.
 *
 * Source:   none
 * Shape:    the states themselves run over a request that has no client: what they would answer is
 *           thrown away, and request->error tells it.
 * Units:    none
 * Limits:   GW_DRY_RUN_FIELDS header fields; the body is bounded by the listener.
 * Memory:   one on the heap; texts of the ask outlive it.
 * Threads:  its worker's thread
 * Errors:   see the functions.
 */
#ifndef GW_CORE_DRY_RUN_H
#define GW_CORE_DRY_RUN_H

#include "core/core_int.h"

#define GW_DRY_RUN_FIELDS 64 /* clients send some ten */

struct gw_dry_run; /* opaque */

/* The request to run. */
struct gw_dry_ask {
    struct gw_str target; /* "/v1/chat/completions" */
    struct gw_str body;
    const struct gw_header *fields;
    size_t field_count;
};

/* Makes one for |asker|, whose key and host count where |ask| has none, and runs it. NULL: there is
 * no memory. */
struct gw_dry_run *gw_dry_run_create(const struct gw_request *asker, const struct gw_dry_ask *ask);

/* Frees; NULL-safe, clears the pointer. */
void gw_dry_run_destroy(struct gw_dry_run **run);

/* The request as it stands: its state is ROUTE when a group was found for it, else it was refused
 * and its error says why; |group| NULL. */
struct gw_request *gw_dry_run_request(struct gw_dry_run *run);

#endif
