/* SPDX-License-Identifier: MIT */
/*
 * policy/queue - the waiting line of a model group on one worker, for when every deployment is at a
 * limit.
 *
 * Source:   reference/compat.md 1.2 "Backpressure" (X-Request-Priority; who may still come in).
 * Shape:    an entry is part of the request that waits. Higher classes go first, within a class who
 *           came first. Whoever is called looks whether it can be served; if not it goes back to
 *           its place, or the next one is tried.
 * Units:    milliseconds of a monotonic clock
 * Limits:   gw_queue_policy.max_waiting entries
 * Memory:   none of its own
 * Threads:  one worker's
 * Errors:   GW_ERR_NOT_FOUND for an unknown priority
 */
#ifndef GW_POLICY_QUEUE_H
#define GW_POLICY_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/list.h"
#include "base/str.h"
#include "policy/routing.h"

/* While this share of the line is taken a class is turned away: room is kept for the others. */
#define GW_QUEUE_LOW_PCT    90u
#define GW_QUEUE_NORMAL_PCT 95u

/* What a client may be told to wait. */
#define GW_QUEUE_RETRY_MIN_MS 1000u
#define GW_QUEUE_RETRY_MAX_MS 60000u

/* First ones first. XX(identifier, name) */
#define GW_PRIORITY_MAP(XX)                                                                        \
    XX(HIGH, "high")                                                                               \
    XX(NORMAL, "normal")                                                                           \
    XX(LOW, "low")

enum gw_priority {
#define XX(id, name) GW_PRIORITY_##id,
    GW_PRIORITY_MAP(XX)
#undef XX
        GW_PRIORITY_COUNT
};

/*
 * The priority called |name|, capitals do not matter.
 *
 * Errors: GW_ERR_NOT_FOUND.
 */
GW_MUST_USE enum gw_err gw_priority_parse(struct gw_str name, enum gw_priority *priority);

/* Its name; static. */
struct gw_str gw_priority_name(enum gw_priority priority);

/* A request that waits; zeroed it does not. Read the first three members; the others are private.
 */
struct gw_queue_entry {
    enum gw_priority priority;
    uint64_t deadline_ms; /* the end of its wait */
    uint64_t since_ms;
    bool is_waiting;
    struct gw_list turn;     /* of its class, by arrival */
    struct gw_list deadline; /* of all, by deadline */
};

struct gw_queue {
    struct gw_queue_policy policy;
    struct gw_list turns[GW_PRIORITY_COUNT];
    size_t counts[GW_PRIORITY_COUNT];
    struct gw_list deadlines;
    size_t count;
    /* How fast it moves, while somebody waits. */
    uint64_t moved_at_ms; /* when the last one was served, or the first one came */
    uint64_t pace_us;     /* average time between two that were served; 0: unknown */
    /* For metrics. */
    uint64_t entered_total;
    uint64_t refused_total;
    uint64_t expired_total;
};

/* An empty line. */
void gw_queue_init(struct gw_queue *queue, const struct gw_queue_policy *policy);

/*
 * |entry| waits from now on, for the policy's time or until |deadline_ms| (0: none of its own).
 * False when it may not: the line is full, as good as full for its class, switched off, or its
 * deadline has come.
 */
bool gw_queue_put(struct gw_queue *queue, struct gw_queue_entry *entry, enum gw_priority priority,
                  uint64_t deadline_ms, uint64_t now_ms);

/* Who is next; NULL when nobody waits. It stays in the line until gw_queue_serve() or
 * gw_queue_remove(). */
struct gw_queue_entry *gw_queue_first(struct gw_queue *queue);

/* Who comes behind |entry|: when that one cannot be served (tags, a region), perhaps this one. */
struct gw_queue_entry *gw_queue_next(struct gw_queue *queue, struct gw_queue_entry *entry);

/* |entry| has got a deployment and waits no longer. */
void gw_queue_serve(struct gw_queue *queue, struct gw_queue_entry *entry, uint64_t now_ms);

/* |entry| gives up (its client left); nothing when it does not wait. */
void gw_queue_remove(struct gw_queue *queue, struct gw_queue_entry *entry);

/* When the next wait ends; UINT64_MAX when nobody waits. */
uint64_t gw_queue_next_deadline_ms(const struct gw_queue *queue);

/* Takes out one whose wait is over; NULL when there is none. */
struct gw_queue_entry *gw_queue_expire(struct gw_queue *queue, uint64_t now_ms);

/*
 * How long somebody with |priority| who is turned away now should stay away: until those before it
 * are through at the pace of late, and no less than |wait_ms|, what the router says (0: nothing).
 * Where the pace is unknown, the policy's time; where nobody may wait, what the router says.
 * Bounded by GW_QUEUE_RETRY_MIN_MS and _MAX_MS.
 */
uint64_t gw_queue_retry_after_ms(const struct gw_queue *queue, enum gw_priority priority,
                                 uint64_t wait_ms, uint64_t now_ms);

#endif
