/* SPDX-License-Identifier: MIT */
/* loop/loop - timers, deferred work, messages from other threads. */
#include "loop/loop.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"

#define BOUND_MS 10000 /* ends a test that hangs */

struct probe {
    struct gw_timer timer;
    struct gw_deferred deferred;
    struct gw_loop *loop;
    unsigned fired;
    unsigned ran;
    uint64_t fired_at_ms;
    bool done;
};

static void on_expire(struct gw_timer *timer)
{
    struct probe *probe = GW_CONTAINER_OF(timer, struct probe, timer);
    probe->fired++;
    probe->fired_at_ms = gw_loop_now_ms(probe->loop);
    probe->done = true;
}

static void on_deferred(struct gw_deferred *deferred)
{
    struct probe *probe = GW_CONTAINER_OF(deferred, struct probe, deferred);
    probe->ran++;
}

static struct gw_loop *make_loop(void)
{
    struct gw_loop *loop = NULL;
    assert_int_equal(gw_loop_create(&loop), GW_OK);
    return loop;
}

static void init_probe(struct probe *probe, struct gw_loop *loop)
{
    *probe = (struct probe){.loop = loop};
    gw_timer_init(&probe->timer, loop, on_expire);
    gw_deferred_init(&probe->deferred, on_deferred);
}

static void test_timers_fire_in_order(void **state)
{
    (void)state;
    struct gw_loop *loop = make_loop();
    struct probe late;
    struct probe early;
    init_probe(&late, loop);
    init_probe(&early, loop);
    uint64_t now_ms = gw_loop_now_ms(loop);
    gw_timer_set_at(&late.timer, now_ms + 30);
    gw_timer_set_at(&early.timer, now_ms + 5);
    gw_loop_run_until(loop, &late.done, BOUND_MS);
    assert_int_equal(early.fired, 1);
    assert_int_equal(late.fired, 1);
    assert_true(early.fired_at_ms >= now_ms + 5);
    assert_true(late.fired_at_ms >= now_ms + 30);
    assert_true(early.fired_at_ms <= late.fired_at_ms);
    gw_loop_destroy(&loop);
}

static void test_a_timer_moved_later_fires_later_and_once(void **state)
{
    (void)state;
    struct gw_loop *loop = make_loop();
    struct probe probe;
    init_probe(&probe, loop);
    uint64_t now_ms = gw_loop_now_ms(loop);
    gw_timer_set_at(&probe.timer, now_ms + 5);
    gw_timer_set_at(&probe.timer, now_ms + 40);
    gw_loop_run_until(loop, &probe.done, BOUND_MS);
    assert_int_equal(probe.fired, 1);
    assert_true(probe.fired_at_ms >= now_ms + 40);
    assert_false(gw_timer_is_set(&probe.timer));
    gw_loop_destroy(&loop);
}

static void test_a_timer_moved_earlier_fires_earlier(void **state)
{
    (void)state;
    struct gw_loop *loop = make_loop();
    struct probe probe;
    init_probe(&probe, loop);
    uint64_t now_ms = gw_loop_now_ms(loop);
    gw_timer_set_at(&probe.timer, now_ms + 3600000);
    gw_timer_set_at(&probe.timer, now_ms + 5);
    gw_loop_run_until(loop, &probe.done, BOUND_MS);
    assert_int_equal(probe.fired, 1);
    gw_loop_destroy(&loop);
}

static void test_a_cleared_timer_does_not_fire(void **state)
{
    (void)state;
    struct gw_loop *loop = make_loop();
    struct probe cleared;
    struct probe other;
    init_probe(&cleared, loop);
    init_probe(&other, loop);
    gw_timer_set_at(&cleared.timer, gw_loop_now_ms(loop) + 1);
    gw_timer_set_at(&other.timer, gw_loop_now_ms(loop) + 20);
    gw_timer_clear(&cleared.timer);
    gw_timer_clear(&cleared.timer);
    gw_loop_run_until(loop, &other.done, BOUND_MS);
    assert_int_equal(cleared.fired, 0);
    gw_loop_destroy(&loop);
}

static void test_deferred_work_runs_once_and_can_be_cancelled(void **state)
{
    (void)state;
    struct gw_loop *loop = make_loop();
    struct probe kept;
    struct probe cancelled;
    init_probe(&kept, loop);
    init_probe(&cancelled, loop);
    gw_loop_defer(loop, &kept.deferred);
    gw_loop_defer(loop, &kept.deferred);
    gw_loop_defer(loop, &cancelled.deferred);
    gw_deferred_cancel(&cancelled.deferred);
    gw_loop_run_deferred(loop);
    assert_int_equal(kept.ran, 1);
    assert_int_equal(cancelled.ran, 0);
    gw_loop_defer(loop, &kept.deferred);
    gw_loop_run_deferred(loop);
    assert_int_equal(kept.ran, 2);
    gw_loop_destroy(&loop);
}

/* ---- messages ---- */

#define SENDERS        4
#define EACH_SENDS     1000
#define ALL_SENT_COUNT (SENDERS * EACH_SENDS)

struct inbox {
    struct gw_loop *loop;
    unsigned last_of[SENDERS]; /* each sender's messages come in order */
    unsigned count;
    bool in_order;
    bool done;
};

struct numbered {
    struct gw_message super;
    struct inbox *inbox;
    unsigned sender;
    unsigned number;
};

static void receive(struct gw_message *message)
{
    struct numbered *numbered = GW_CONTAINER_OF(message, struct numbered, super);
    struct inbox *inbox = numbered->inbox;
    inbox->in_order = inbox->in_order && numbered->number == inbox->last_of[numbered->sender] + 1;
    inbox->last_of[numbered->sender] = numbered->number;
    inbox->count++;
    inbox->done = inbox->count == ALL_SENT_COUNT;
    gw_free(numbered);
}

struct sender {
    struct inbox *inbox;
    unsigned number;
};

static void *send_all(void *arg)
{
    const struct sender *sender = arg;
    for (unsigned i = 1; i <= EACH_SENDS; i++) {
        struct numbered *numbered = gw_zalloc(sizeof(*numbered));
        numbered->super.receive = receive;
        numbered->inbox = sender->inbox;
        numbered->sender = sender->number;
        numbered->number = i;
        gw_loop_post(sender->inbox->loop, &numbered->super);
    }
    return NULL;
}

static void test_messages_of_many_threads_arrive_in_order(void **state)
{
    (void)state;
    struct gw_loop *loop = make_loop();
    struct inbox inbox = {.loop = loop, .in_order = true};
    struct sender senders[SENDERS];
    pthread_t threads[SENDERS];
    for (unsigned i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.inbox = &inbox, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, send_all, &senders[i]), 0);
    }
    gw_loop_run_until(loop, &inbox.done, BOUND_MS);
    for (unsigned i = 0; i < SENDERS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(inbox.count, ALL_SENT_COUNT);
    assert_true(inbox.in_order);
    gw_loop_destroy(&loop);
}

static void *stop_loop(void *arg)
{
    gw_loop_stop(arg);
    return NULL;
}

static void test_stop_from_another_thread(void **state)
{
    (void)state;
    struct gw_loop *loop = make_loop();
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, stop_loop, loop), 0);
    gw_loop_run(loop);
    pthread_join(thread, NULL);
    gw_loop_destroy(&loop);
    assert_null(loop);
}

struct late_message {
    struct gw_message super;
    unsigned *count;
};

static void receive_late(struct gw_message *message)
{
    struct late_message *late = GW_CONTAINER_OF(message, struct late_message, super);
    (*late->count)++;
    test_free(late);
}

/* Behind the stop: the memory of a message is its receiver's, so it is received all the same. */
static void test_messages_that_nobody_waited_for(void **state)
{
    (void)state;
    struct gw_loop *loop = make_loop();
    unsigned count = 0;
    for (unsigned i = 0; i < 3; i++) {
        struct late_message *late = test_malloc(sizeof(*late));
        late->super.receive = receive_late;
        late->count = &count;
        gw_loop_post(loop, &late->super);
    }
    assert_int_equal(count, 0);
    gw_loop_destroy(&loop);
    assert_int_equal(count, 3);
}

/* libuv's clock stands while the loop does not turn, so the bound is over before the first wait. */
static void test_a_bound_that_is_over_already(void **state)
{
    (void)state;
    struct gw_loop *loop = NULL;
    bool never = false;
    assert_int_equal(gw_loop_create(&loop), GW_OK);
    for (unsigned i = 0; i < 3; i++) {
        uint64_t until_ns = uv_hrtime() + 5000000;
        while (uv_hrtime() < until_ns) {
        }
        gw_loop_run_until(loop, &never, 1);
    }
    gw_loop_destroy(&loop);
    assert_null(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timers_fire_in_order),
        cmocka_unit_test(test_a_timer_moved_later_fires_later_and_once),
        cmocka_unit_test(test_a_timer_moved_earlier_fires_earlier),
        cmocka_unit_test(test_a_cleared_timer_does_not_fire),
        cmocka_unit_test(test_deferred_work_runs_once_and_can_be_cancelled),
        cmocka_unit_test(test_messages_of_many_threads_arrive_in_order),
        cmocka_unit_test(test_stop_from_another_thread),
        cmocka_unit_test(test_messages_that_nobody_waited_for),
        cmocka_unit_test(test_a_bound_that_is_over_already),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
