/* SPDX-License-Identifier: MIT */
/*
 * config/snapshot - the configuration in force: typed, immutable, ref-counted.
 *
 * Source:   DESIGN sections 7 and 8.
 * Shape:    made by config/config.h from file and environment; workers hold a reference each,
 *           requests finish on the one they began with.
 * Units:    in the names
 * Limits:   none
 * Memory:   one arena per snapshot; the last release frees it, zeroes the secrets and drops the TLS
 *           contexts.
 * Threads:  any: immutable but for the reference count.
 * Errors:   none
 */
#ifndef GW_CONFIG_SNAPSHOT_H
#define GW_CONFIG_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"
#include "base/secret.h"
#include "base/str.h"
#include "llm/catalog.h"
#include "net/tls.h"
#include "upstream/origin.h"

/* Listeners. A change needs a restart or a take-over; a reload that changes one warns and leaves it
 * as it is. */
struct gw_listen_settings {
    unsigned workers;     /* 1..256; 0 in the file means one per core and is resolved here */
    struct gw_str host;   /* address literal; "0.0.0.0" and "::" are all interfaces */
    bool host_is_default; /* nobody set it: 127.0.0.1 in open mode, else 0.0.0.0 */
    uint16_t api_port;    /* 0: any free port, printed in the banner (tests) */
    uint16_t admin_port;
    uint16_t metrics_port;
    uint16_t grpc_port; /* read and kept; nothing listens there yet */
    bool admin_enabled; /* false when the file says admin_port: off */
    bool metrics_enabled;
};

/* How downstream connections are treated; taken over by a reload for new connections. */
struct gw_downstream_settings {
    uint64_t max_header_bytes;
    uint64_t max_body_bytes;
    uint64_t max_connections_per_worker;
    uint64_t header_timeout_ms; /* from the first byte (or accept) to the end of the header */
    uint64_t body_timeout_ms;   /* between two reads of a body */
    uint64_t write_timeout_ms;  /* a client that takes no byte for that long is dropped */
    uint64_t idle_timeout_ms;   /* keep-alive without a request */
    uint64_t drain_grace_ms;
    struct gw_str
        cors_allowed_origins; /* "*", or a list "https://a, https://b", or empty: no CORS headers */
};

/* The upstream pool's knobs. */
struct gw_upstream_settings {
    uint64_t max_idle_per_origin; /* per worker */
    uint64_t idle_timeout_ms;
    uint64_t dns_refresh_ms;
};

struct gw_access_settings {
    bool is_open; /* no key exists: any or no key is accepted */
    const struct gw_secret **keys;
    size_t key_count;
    struct gw_str allowed_hosts; /* open mode: "*", or a list "a.example, b.example" */
};

struct gw_log_settings {
    enum gw_log_level level;
    struct gw_str access_log; /* path, "-" for standard output, empty: off */
};

struct gw_snapshot {
    struct gw_listen_settings listen;
    struct gw_downstream_settings downstream;
    struct gw_upstream_settings upstream;
    struct gw_access_settings access;
    struct gw_log_settings log;
    struct gw_catalog *catalog;
    const struct gw_routing *routing; /* policy/routing.h */
    const struct gw_origin **origins;
    size_t origin_count;
    struct gw_tls_server *tls; /* NULL: the API listener speaks plain HTTP */
    struct gw_str source_path; /* the file; empty without one */
    /* For the banner: one line per provider or local server that was found in the environment. */
    const struct gw_str *found;
    size_t found_count;
    /* private to config/ */
    struct gw_snapshot_private *priv;
};

/* One more owner. */
struct gw_snapshot *gw_snapshot_acquire(struct gw_snapshot *snapshot);

/* One owner less; NULL-safe, clears the pointer. */
void gw_snapshot_release(struct gw_snapshot **snapshot);

#endif
