/* SPDX-License-Identifier: MIT */
/*
 * bench/common/loop - a small epoll loop with a timer heap.
 *
 * Source:   epoll(7), CLOCK_MONOTONIC.
 * Shape:    one loop per thread; watches and timers are embedded in the objects they serve.
 * Units:    microseconds, absolute on the monotonic clock.
 * Limits:   none.
 * Memory:   the loop owns its heap array only; watches and timers belong to the caller.
 * Threads:  a loop and everything in it belongs to one thread; bench_loop_stop() is for any thread.
 * Errors:   system calls that cannot fail in a sane process end the program with their message.
 */
#ifndef BENCH_COMMON_LOOP_H
#define BENCH_COMMON_LOOP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench_watch;
struct bench_timer;
struct bench_deferred;

/* Called with the EPOLL* bits that are ready. May close the watch, and any other one. */
typedef void bench_on_ready_fn(struct bench_watch *watch, uint32_t events);

/* Called once when the timer is due; the timer is disarmed then. */
typedef void bench_on_timer_fn(struct bench_timer *timer);

/* Called at the end of the loop turn. */
typedef void bench_on_deferred_fn(struct bench_deferred *deferred);

/* A file descriptor in the loop. Ready events of a closed watch are never delivered. */
struct bench_watch {
    int fd; /* -1 when not in a loop */
    uint32_t events;
    bench_on_ready_fn *on_ready;
};

/* A one-shot timer. |slot| is its place in the heap plus one, 0 when disarmed. */
struct bench_timer {
    uint64_t at_us;
    size_t slot;
    bench_on_timer_fn *on_timer;
};

/* Work put off to the end of the turn: objects are freed there, never inside their own callback. */
struct bench_deferred {
    struct bench_deferred *next;
    bench_on_deferred_fn *run;
    bool queued;
};

struct bench_loop {
    int epoll_fd;
    uint64_t now_us; /* read once per turn */
    struct bench_timer **heap;
    size_t heap_len;
    size_t heap_cap;
    struct bench_deferred *deferred;
    atomic_bool stop;
};

/* Returns the monotonic clock. */
uint64_t bench_now_us(void);

/* Prepares |loop|. */
void bench_loop_init(struct bench_loop *loop);

/* Frees what the loop owns. Watches and timers must be gone. */
void bench_loop_fini(struct bench_loop *loop);

/* Runs until bench_loop_stop(), or until |until_us| when that is not 0. */
void bench_loop_run(struct bench_loop *loop, uint64_t until_us);

/* Makes bench_loop_run() return within one turn. From another thread it shows within 100 ms. */
void bench_loop_stop(struct bench_loop *loop);

/* Adds |watch| for |events|; fd and on_ready must be set. The loop does not own the descriptor. */
void bench_loop_watch(struct bench_loop *loop, struct bench_watch *watch, uint32_t events);

/* Changes what |watch| waits for; no system call when nothing changes. */
void bench_loop_rewatch(struct bench_loop *loop, struct bench_watch *watch, uint32_t events);

/* Takes |watch| out and closes its descriptor. Safe to call twice. */
void bench_loop_close(struct bench_loop *loop, struct bench_watch *watch);

/* Arms |timer| for |at_us|, moving it when it is armed already; on_timer must be set. */
void bench_timer_arm(struct bench_loop *loop, struct bench_timer *timer, uint64_t at_us);

/* Disarms |timer|; nothing happens when it is not armed. */
void bench_timer_disarm(struct bench_loop *loop, struct bench_timer *timer);

/* Runs |deferred| once at the end of this turn; queueing it again changes nothing. */
void bench_loop_defer(struct bench_loop *loop, struct bench_deferred *deferred);

#endif
