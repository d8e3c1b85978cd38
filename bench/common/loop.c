/* SPDX-License-Identifier: MIT */
/* epoll and a 4-ary heap of timers: at 10,000 streams a re-armed timer costs 7 comparisons. */
#include "common/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "common/mem.h"

/* Events taken per turn: enough for a whole burst, small enough that timers stay punctual. */
#define EVENTS_PER_TURN 256

/* Longest sleep: how long a stop from another thread may stay unseen. */
#define LONGEST_SLEEP_US 100000u

/* Timers due this close together are served by one wake-up. Small enough that 1,000 streams still
 * come one by one, as from a network; without it 10,000 streams cost a wake-up per chunk. */
#define TIMER_SLACK_US 100u

/* Children per heap node; four keep a node's children in one cache line. */
#define HEAP_ARITY 4u

static void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    abort();
}

uint64_t bench_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

void bench_loop_init(struct bench_loop *loop)
{
    *loop = (struct bench_loop){.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
    if (loop->epoll_fd == -1) {
        die("epoll_create1");
    }
    loop->now_us = bench_now_us();
}

void bench_loop_fini(struct bench_loop *loop)
{
    close(loop->epoll_fd);
    bench_free(loop->heap);
}

static void heap_put(struct bench_loop *loop, size_t at, struct bench_timer *timer)
{
    loop->heap[at] = timer;
    timer->slot = at + 1;
}

static void heap_up(struct bench_loop *loop, size_t at, struct bench_timer *timer)
{
    while (at > 0) {
        size_t parent = (at - 1) / HEAP_ARITY;
        if (loop->heap[parent]->at_us <= timer->at_us) {
            break;
        }
        heap_put(loop, at, loop->heap[parent]);
        at = parent;
    }
    heap_put(loop, at, timer);
}

static void heap_down(struct bench_loop *loop, size_t at, struct bench_timer *timer)
{
    for (;;) {
        size_t best = at * HEAP_ARITY + 1;
        if (best >= loop->heap_len) {
            break;
        }
        size_t end = best + HEAP_ARITY < loop->heap_len ? best + HEAP_ARITY : loop->heap_len;
        for (size_t child = best + 1; child < end; child++) {
            if (loop->heap[child]->at_us < loop->heap[best]->at_us) {
                best = child;
            }
        }
        if (timer->at_us <= loop->heap[best]->at_us) {
            break;
        }
        heap_put(loop, at, loop->heap[best]);
        at = best;
    }
    heap_put(loop, at, timer);
}

static void heap_move(struct bench_loop *loop, size_t at, struct bench_timer *timer)
{
    if (at > 0 && timer->at_us < loop->heap[(at - 1) / HEAP_ARITY]->at_us) {
        heap_up(loop, at, timer);
    } else {
        heap_down(loop, at, timer);
    }
}

void bench_timer_arm(struct bench_loop *loop, struct bench_timer *timer, uint64_t at_us)
{
    timer->at_us = at_us;
    if (timer->slot > 0) {
        heap_move(loop, timer->slot - 1, timer);
        return;
    }
    if (loop->heap_len == loop->heap_cap) {
        loop->heap_cap = loop->heap_cap == 0 ? 64 : loop->heap_cap * 2;
        loop->heap = bench_realloc(loop->heap, loop->heap_cap * sizeof(*loop->heap));
    }
    heap_up(loop, loop->heap_len++, timer);
}

void bench_timer_disarm(struct bench_loop *loop, struct bench_timer *timer)
{
    if (timer->slot == 0) {
        return;
    }
    size_t at = timer->slot - 1;
    timer->slot = 0;
    struct bench_timer *last = loop->heap[--loop->heap_len];
    if (last != timer) {
        heap_move(loop, at, last);
    }
}

void bench_loop_watch(struct bench_loop *loop, struct bench_watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};
    watch->events = events;
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) == -1) {
        die("epoll_ctl add");
    }
}

void bench_loop_rewatch(struct bench_loop *loop, struct bench_watch *watch, uint32_t events)
{
    if (watch->fd == -1 || watch->events == events) {
        return;
    }
    struct epoll_event event = {.events = events, .data.ptr = watch};
    watch->events = events;
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event) == -1) {
        die("epoll_ctl mod");
    }
}

void bench_loop_close(struct bench_loop *loop, struct bench_watch *watch)
{
    (void)loop;
    if (watch->fd == -1) {
        return;
    }
    close(watch->fd); /* closing the only reference takes it out of epoll as well */
    watch->fd = -1;
}

void bench_loop_defer(struct bench_loop *loop, struct bench_deferred *deferred)
{
    if (!deferred->queued) {
        deferred->queued = true;
        deferred->next = loop->deferred;
        loop->deferred = deferred;
    }
}

void bench_loop_stop(struct bench_loop *loop)
{
    atomic_store_explicit(&loop->stop, true, memory_order_relaxed);
}

static void run_deferred(struct bench_loop *loop)
{
    while (loop->deferred != NULL) {
        struct bench_deferred *deferred = loop->deferred;
        loop->deferred = deferred->next;
        deferred->queued = false;
        deferred->run(deferred);
    }
}

static void run_timers(struct bench_loop *loop)
{
    /* Timers armed by these callbacks for "now" wait for the next turn, so that I/O gets its share.
     */
    uint64_t due_us = loop->now_us;
    while (loop->heap_len > 0 && loop->heap[0]->at_us <= due_us) {
        struct bench_timer *timer = loop->heap[0];
        bench_timer_disarm(loop, timer);
        timer->on_timer(timer);
    }
}

static struct timespec sleep_time(const struct bench_loop *loop, uint64_t until_us)
{
    uint64_t now_us = bench_now_us();
    uint64_t wake_us = now_us + LONGEST_SLEEP_US;
    if (loop->heap_len > 0 && loop->heap[0]->at_us < wake_us) {
        wake_us = loop->heap[0]->at_us;
    }
    if (until_us != 0 && until_us < wake_us) {
        wake_us = until_us;
    }
    uint64_t sleep_us = wake_us > now_us ? wake_us - now_us + TIMER_SLACK_US : 0;
    return (struct timespec){.tv_sec = (time_t)(sleep_us / 1000000u),
                             .tv_nsec = (long)(sleep_us % 1000000u) * 1000};
}

void bench_loop_run(struct bench_loop *loop, uint64_t until_us)
{
    struct epoll_event events[EVENTS_PER_TURN];
    while (!atomic_load_explicit(&loop->stop, memory_order_relaxed)) {
        struct timespec timeout = sleep_time(loop, until_us);
        int n = epoll_pwait2(loop->epoll_fd, events, EVENTS_PER_TURN, &timeout, NULL);
        if (n == -1 && errno != EINTR) {
            die("epoll_pwait2");
        }
        loop->now_us = bench_now_us();
        for (int i = 0; i < n; i++) {
            struct bench_watch *watch = events[i].data.ptr;
            if (watch->fd != -1) {
                watch->on_ready(watch, events[i].events);
            }
        }
        run_timers(loop);
        run_deferred(loop);
        if (until_us != 0 && loop->now_us >= until_us) {
            return;
        }
    }
}
