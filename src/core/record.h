/* SPDX-License-Identifier: MIT */
/*
 * core/record - everything that is known of a finished request, for the access log and later the
 * journal.
 *
 * Source:   DESIGN section 5 ("settle")
 * Shape:    filled in once, when the request ends; views are valid during the callback that
 *           receives it.
 * Units:    in the names
 * Limits:   none
 * Memory:   views
 * Threads:  its worker's thread
 * Errors:   none
 */
#ifndef GW_CORE_RECORD_H
#define GW_CORE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "http/message.h"
#include "llm/error.h"
#include "llm/request.h"
#include "llm/usage.h"

struct gw_request_record {
    struct gw_str request_id;
    struct gw_str client; /* address without port */
    enum gw_http_version version;
    bool is_tls;
    struct gw_str method;
    struct gw_str path; /* without the query, which may hold a key */
    struct gw_str user_agent;
    enum gw_task task;
    unsigned status; /* sent to the client; 0: it left before */
    struct gw_str model;
    struct gw_str model_group;
    struct gw_str deployment;
    struct gw_str provider;
    bool is_stream;
    unsigned exchanges;  /* attempts made */
    unsigned recoveries; /* of them, to continue a stream that broke off */
    unsigned upstream_status;
    struct gw_usage usage;
    struct gw_str finish_reason;
    struct gw_error error;  /* class NONE: none */
    uint64_t request_bytes; /* of the bodies */
    uint64_t response_bytes;
    uint64_t started_wall_ms;
    uint64_t duration_us;
    uint64_t upstream_connect_us;     /* 0: a pooled connection */
    uint64_t upstream_first_chunk_us; /* from sending the request upstream; 0: nothing came */
};

/* Receives a record; must not keep views. */
typedef void gw_on_settled_fn(void *user, const struct gw_request_record *record);

#endif
