/* SPDX-License-Identifier: MIT */
/*
 * loop/loop - libuv with an intrusive timer heap, deferred work and an inbox.
 *
 * One turn:   timers due -> run deferred -> (libuv) wait for sockets -> each socket callback,
 * deferred work behind it -> turn end
 */
#include "loop/loop.h"

#include <stdatomic.h>

#include "base/alloc.h"
#include "base/assert.h"

struct gw_loop {
    uv_loop_t uv;
    /* this loop's thread only */
    uv_timer_t wake_timer; /* armed for the earliest deadline of the heap */
    uint64_t wake_at_ms;   /* what it is armed for; 0: not armed */
    struct gw_heap timers;
    struct gw_list deferred;
    uv_prepare_t turn_end;
    void (*on_turn_end)(void *user);
    void *turn_end_user;
    struct gw_chunk_pool chunks;
    struct gw_rng rng;
    /* any thread */
    uv_async_t inbox_wake;
    _Atomic(struct gw_message *) inbox; /* newest first */
    atomic_bool stop_wanted;
    char read_buffer[GW_LOOP_READ_BYTES];
};

/* ---- timers ---- */

static void on_wake(uv_timer_t *wake);

/* Arms libuv's one timer for the earliest deadline. */
static void arm_wake(struct gw_loop *loop)
{
    const struct gw_heap_node *min = gw_heap_min(&loop->timers);
    if (min == NULL) {
        if (loop->wake_at_ms != 0) {
            uv_timer_stop(&loop->wake_timer);
            loop->wake_at_ms = 0;
        }
        return;
    }
    if (loop->wake_at_ms != 0 && loop->wake_at_ms <= min->key) {
        return; /* it wakes early enough, and looks again then */
    }
    uint64_t now_ms = uv_now(&loop->uv);
    loop->wake_at_ms = min->key;
    uv_timer_start(&loop->wake_timer, on_wake, min->key > now_ms ? min->key - now_ms : 0, 0);
}

static void on_wake(uv_timer_t *wake)
{
    struct gw_loop *loop = wake->data;
    loop->wake_at_ms = 0;
    uint64_t now_ms = uv_now(&loop->uv);
    for (;;) {
        struct gw_heap_node *min = gw_heap_min(&loop->timers);
        if (min == NULL || min->key > now_ms) {
            break;
        }
        struct gw_timer *timer = GW_CONTAINER_OF(min, struct gw_timer, node);
        gw_heap_remove(&loop->timers, min);
        if (timer->at_ms > now_ms) { /* was moved later since */
            gw_heap_insert(&loop->timers, min, timer->at_ms);
            continue;
        }
        timer->on_expire(timer);
        gw_loop_run_deferred(loop);
    }
    arm_wake(loop);
}

void gw_timer_init(struct gw_timer *timer, struct gw_loop *loop, gw_timer_fn *on_expire)
{
    *timer = (struct gw_timer){.loop = loop, .on_expire = on_expire};
}

void gw_timer_set_at(struct gw_timer *timer, uint64_t at_ms)
{
    timer->at_ms = at_ms;
    if (gw_timer_is_set(timer)) {
        if (at_ms >= timer->node.key) {
            return;
        }
        gw_heap_remove(&timer->loop->timers, &timer->node);
    }
    gw_heap_insert(&timer->loop->timers, &timer->node, at_ms);
    arm_wake(timer->loop);
}

void gw_timer_clear(struct gw_timer *timer)
{
    if (gw_timer_is_set(timer)) {
        gw_heap_remove(&timer->loop->timers, &timer->node);
    }
}

/* ---- deferred work ---- */

void gw_deferred_init(struct gw_deferred *deferred, gw_deferred_fn *run)
{
    gw_list_init(&deferred->node);
    deferred->run = run;
}

void gw_loop_defer(struct gw_loop *loop, struct gw_deferred *deferred)
{
    if (gw_list_is_empty(&deferred->node)) {
        gw_list_append(&loop->deferred, &deferred->node);
    }
}

void gw_deferred_cancel(struct gw_deferred *deferred)
{
    gw_list_unlink(&deferred->node);
}

void gw_loop_run_deferred(struct gw_loop *loop)
{
    struct gw_deferred *next = NULL;
    while ((next = GW_LIST_FIRST(&loop->deferred, struct gw_deferred, node)) != NULL) {
        gw_list_unlink(&next->node);
        next->run(next);
    }
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct gw_loop *loop = prepare->data;
    gw_loop_run_deferred(loop);
    if (loop->on_turn_end != NULL) {
        loop->on_turn_end(loop->turn_end_user);
    }
}

void gw_loop_set_turn_end(struct gw_loop *loop, void (*on_turn_end)(void *user), void *user)
{
    loop->on_turn_end = on_turn_end;
    loop->turn_end_user = user;
}

/* ---- messages ---- */

static void receive_all(struct gw_loop *loop)
{
    struct gw_message *newest = atomic_exchange_explicit(&loop->inbox, NULL, memory_order_acquire);
    struct gw_message *oldest = NULL;
    while (newest != NULL) {
        struct gw_message *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    while (oldest != NULL) {
        struct gw_message *next = oldest->next; /* the receiver may free the message */
        oldest->receive(oldest);
        gw_loop_run_deferred(loop);
        oldest = next;
    }
}

static void on_inbox(uv_async_t *async)
{
    struct gw_loop *loop = async->data;
    receive_all(loop);
    if (atomic_load_explicit(&loop->stop_wanted, memory_order_acquire)) {
        atomic_store_explicit(&loop->stop_wanted, false, memory_order_relaxed);
        uv_stop(&loop->uv);
    }
}

void gw_loop_post(struct gw_loop *loop, struct gw_message *message)
{
    struct gw_message *head = atomic_load_explicit(&loop->inbox, memory_order_relaxed);
    do {
        message->next = head;
    } while (!atomic_compare_exchange_weak_explicit(&loop->inbox, &head, message,
                                                    memory_order_release, memory_order_relaxed));
    uv_async_send(&loop->inbox_wake);
}

void gw_loop_stop(struct gw_loop *loop)
{
    atomic_store_explicit(&loop->stop_wanted, true, memory_order_release);
    uv_async_send(&loop->inbox_wake);
}

/* ---- life ---- */

enum gw_err gw_loop_create(struct gw_loop **out)
{
    struct gw_loop *loop = gw_zalloc(sizeof(*loop));
    if (uv_loop_init(&loop->uv) != 0) {
        gw_free(loop);
        return GW_ERR_IO;
    }
    if (uv_async_init(&loop->uv, &loop->inbox_wake, on_inbox) != 0) {
        (void)uv_loop_close(&loop->uv);
        gw_free(loop);
        return GW_ERR_IO;
    }
    uv_timer_init(&loop->uv, &loop->wake_timer);
    uv_prepare_init(&loop->uv, &loop->turn_end);
    uv_prepare_start(&loop->turn_end, on_prepare);
    /* These two serve the others; alone they are no reason to go on. */
    uv_unref((uv_handle_t *)&loop->turn_end);
    loop->inbox_wake.data = loop;
    loop->wake_timer.data = loop;
    loop->turn_end.data = loop;
    gw_list_init(&loop->deferred);
    gw_heap_init(&loop->timers);
    gw_chunk_pool_init(&loop->chunks);
    gw_rng_init(&loop->rng);
    *out = loop;
    return GW_OK;
}

void gw_loop_destroy(struct gw_loop **loop)
{
    struct gw_loop *old = *loop;
    if (old == NULL) {
        return;
    }
    /* A message owns memory and references: what came behind the stop is received all the same. */
    receive_all(old);
    uv_close((uv_handle_t *)&old->inbox_wake, NULL);
    uv_close((uv_handle_t *)&old->wake_timer, NULL);
    uv_close((uv_handle_t *)&old->turn_end, NULL);
    uv_run(&old->uv, UV_RUN_DEFAULT);
    gw_loop_run_deferred(old);
    uv_run(&old->uv, UV_RUN_DEFAULT);
    GW_ASSERT(atomic_load_explicit(&old->inbox, memory_order_relaxed) == NULL);
    GW_ASSERT(gw_heap_min(&old->timers) == NULL);
    int busy = uv_loop_close(&old->uv);
    GW_ASSERT(busy == 0);
    gw_heap_fini(&old->timers);
    gw_chunk_pool_fini(&old->chunks);
    gw_free(old);
    *loop = NULL;
}

void gw_loop_run(struct gw_loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

static void on_bound_expired(uv_timer_t *bound)
{
    bool *expired = bound->data;
    *expired = true;
}

static void on_bound_closed(uv_handle_t *bound)
{
    bool *closed = bound->data;
    *closed = true;
}

void gw_loop_run_until(struct gw_loop *loop, const bool *done, uint64_t max_ms)
{
    bool expired = false;
    uv_timer_t bound;
    uv_timer_init(&loop->uv, &bound);
    bound.data = &expired;
    /* It repeats because libuv may run it and then wait in the same turn, for nothing. */
    uv_timer_start(&bound, on_bound_expired, max_ms, 1);
    /* Deferred work may be what sets |*done|; run by uv_run() it would be seen only after a wait.
     */
    gw_loop_run_deferred(loop);
    while (!*done && !expired) {
        uv_run(&loop->uv, UV_RUN_ONCE);
        gw_loop_run_deferred(loop);
    }
    /* |bound| stands on this stack: turn until libuv has let go of it. */
    bool closed = false;
    bound.data = &closed;
    uv_close((uv_handle_t *)&bound, on_bound_closed);
    while (!closed) {
        uv_run(&loop->uv, UV_RUN_NOWAIT);
    }
}

uint64_t gw_loop_now_ms(const struct gw_loop *loop)
{
    return uv_now(&loop->uv);
}

uv_loop_t *gw_loop_uv(struct gw_loop *loop)
{
    return &loop->uv;
}

char *gw_loop_read_buffer(struct gw_loop *loop)
{
    return loop->read_buffer;
}

struct gw_chunk_pool *gw_loop_chunks(struct gw_loop *loop)
{
    return &loop->chunks;
}

struct gw_rng *gw_loop_rng(struct gw_loop *loop)
{
    return &loop->rng;
}
