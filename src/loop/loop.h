/* SPDX-License-Identifier: MIT */
/*
 * loop/loop - one event loop per thread: libuv for readiness, our own timers, messages from other
 * threads, and work deferred to the end of the current callback.
 *
 * Source:   libuv 1.44 design page (docs.libuv.org).
 * Shape:    everything but gw_loop_post() and gw_loop_stop() is called on the loop's own thread.
 * Units:    milliseconds of the monotonic clock; deadlines are absolute (_at_ms).
 * Limits:   none
 * Memory:   timers, deferred works and messages are embedded in their owners; the loop allocates
 *           nothing for them.
 * Threads:  see Shape.
 * Errors:   none but at create, where the system may refuse descriptors.
 */
#ifndef GW_LOOP_LOOP_H
#define GW_LOOP_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/chunkq.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/rng.h"
#include "base/str.h"

/* One read takes at most this much; four TLS records, and what a loopback socket holds at once. One
 * buffer per loop. */
#define GW_LOOP_READ_BYTES 65536

struct gw_loop;

/* Makes a loop. Errors: GW_ERR_IO (no descriptors left). */
GW_MUST_USE enum gw_err gw_loop_create(struct gw_loop **out);

/* Frees a loop that does not run and on which every handle is closed; messages that were posted to
 * it are received before. NULL-safe, clears the pointer. */
void gw_loop_destroy(struct gw_loop **loop);

/* Runs until gw_loop_stop(). */
void gw_loop_run(struct gw_loop *loop);

/* Runs what is pending for at most |max_ms| and until |*done| is true; for shutdown and tests. */
void gw_loop_run_until(struct gw_loop *loop, const bool *done, uint64_t max_ms);

/* Makes gw_loop_run() return after the current turn. Any thread. */
void gw_loop_stop(struct gw_loop *loop);

/* Time of the current turn; a cached value, costs nothing. */
uint64_t gw_loop_now_ms(const struct gw_loop *loop);

/* The libuv loop inside, for polls and DNS. */
uv_loop_t *gw_loop_uv(struct gw_loop *loop);

/* The loop's read buffer of GW_LOOP_READ_BYTES; its content ends with the callback that received
 * it. */
char *gw_loop_read_buffer(struct gw_loop *loop);

/* The loop's pool of queue chunks. */
struct gw_chunk_pool *gw_loop_chunks(struct gw_loop *loop);

/* The loop's random numbers. */
struct gw_rng *gw_loop_rng(struct gw_loop *loop);

/* ---- timers ---- */

struct gw_timer;
/* The deadline has come; the timer is not set any more, and may be set again. */
typedef void gw_timer_fn(struct gw_timer *timer);

/* Embedded in its owner (GW_CONTAINER_OF in the callback). Members are private to the loop. */
struct gw_timer {
    struct gw_heap_node node;
    uint64_t at_ms; /* wanted deadline; may be later than the node's key, see gw_timer_set_at() */
    struct gw_loop *loop;
    gw_timer_fn *on_expire;
};

/* Makes a timer that is not set. */
void gw_timer_init(struct gw_timer *timer, struct gw_loop *loop, gw_timer_fn *on_expire);

/*
 * Sets or moves the deadline. Moving it later only stores a number: the heap is corrected when the
 * old deadline comes up. So a timeout that is pushed back with every chunk costs one store a chunk.
 */
void gw_timer_set_at(struct gw_timer *timer, uint64_t at_ms);

/* Takes the timer out; its callback will not run. Must be done before the owner is freed. */
void gw_timer_clear(struct gw_timer *timer);

/* Is it set? */
static inline bool gw_timer_is_set(const struct gw_timer *timer)
{
    return timer->node.index != 0;
}

/* ---- work at the end of the current callback ---- */

struct gw_deferred;
/* The work; may queue itself and others again. */
typedef void gw_deferred_fn(struct gw_deferred *deferred);

struct gw_deferred {
    struct gw_list node;
    gw_deferred_fn *run;
};

/* Makes a deferred work that is not queued. */
void gw_deferred_init(struct gw_deferred *deferred, gw_deferred_fn *run);

/* Queues it, once: queueing a queued one changes nothing. It runs when the current socket, timer or
 * message callback has returned. */
void gw_loop_defer(struct gw_loop *loop, struct gw_deferred *deferred);

/* Takes it out of the queue, if it is there. */
void gw_deferred_cancel(struct gw_deferred *deferred);

/* Runs the queue; called by whoever got control from libuv (net/stream, net/listener), at the end
 * of his callback. */
void gw_loop_run_deferred(struct gw_loop *loop);

/*
 * Sets the function that runs once per loop turn, just before the loop waits (one log write for all
 * requests of the turn). NULL for none.
 */
void gw_loop_set_turn_end(struct gw_loop *loop, void (*on_turn_end)(void *user), void *user);

/* ---- messages between threads ---- */

struct gw_message;
/* Receives the message on the loop it was sent to. */
typedef void gw_message_fn(struct gw_message *message);

struct gw_message {
    struct gw_message *next;
    gw_message_fn *receive; /* runs on the receiving loop, which owns the message from then on */
};

/* Sends |message| to |loop| in order. Any thread. The sender must not touch it afterwards. */
void gw_loop_post(struct gw_loop *loop, struct gw_message *message);

#endif
