/* SPDX-License-Identifier: MIT */
/*
 * downstream/server_int - what the connections need of their server. Private to this folder.
 *
 * Source:   none
 * Shape:    one server per loop; its connections hang in one list.
 * Units:    in the names
 * Limits:   see downstream/server.h
 * Memory:   one scratch buffer serves all heads that are written on this loop.
 * Threads:  its loop's thread only, but for the counters
 * Errors:   none
 */
#ifndef GW_DOWNSTREAM_SERVER_INT_H
#define GW_DOWNSTREAM_SERVER_INT_H

#include <nghttp2/nghttp2.h>

#include "base/clock.h"
#include "base/list.h"
#include "downstream/server.h"

/*
 * A connection that served a moment ago is likely to be about to send again; a drain lets it, and
 * answers with "connection: close", instead of closing into a request that is already on its way.
 */
#define GW_SERVER_DRAIN_IDLE_MS 500

/* The head of a response, with fields of an upstream that may itself send 64 KB of them. */
#define GW_SERVER_HEAD_MAX_BYTES  (256u * 1024)
#define GW_SERVER_HEAD_KEEP_BYTES 16384

struct gw_h2_head;

struct gw_server {
    struct gw_server_opts opts;
    struct gw_server_limits limits;
    struct gw_server_counters counters;
    struct gw_list conns;
    size_t conn_count;
    bool is_draining;
    uint64_t warn_again_ms; /* when the next bad field of a response may be logged */
    uint64_t date_until_ms; /* loop time until which |date| is right */
    char date[GW_CLOCK_HTTP_DATE_BYTES];
    struct gw_buf scratch; /* a head being written; empty between calls */
    /* HTTP/2: the same for all sessions, made with the first one. */
    nghttp2_session_callbacks *h2_callbacks;
    nghttp2_option *h2_option;
    struct gw_h2_head *h2_spare_head; /* kept for the next header block, NULL while in use */
};

/* Adds to a counter that only this thread writes: no locked instruction. */
static inline void gw_counter_add(_Atomic uint64_t *counter, uint64_t count)
{
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, value + count, memory_order_relaxed);
}

/* The value of a "date" field for now; valid until the next call. */
struct gw_str gw_server_date(struct gw_server *server);

/* Empties the scratch buffer, and gives its block back when one response made it large. */
void gw_server_reset_scratch(struct gw_server *server);

/* May this field of a response go out (and is none that the connection writes itself)? Logs and
 * refuses what would split the head. */
bool gw_server_field_is_sendable(struct gw_server *server, const struct gw_header *field);

#endif
