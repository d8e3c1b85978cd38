/* SPDX-License-Identifier: MIT */
/* policy/queue - order, deadlines, shedding and honesty, with a clock that is a number. */
#include "policy/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"

#define MANY 200

static struct gw_queue queue;
static struct gw_queue_entry entries[MANY];

static int setup(void **state)
{
    struct gw_queue_policy policy = {.max_waiting = 100, .timeout_ms = 5000};
    (void)state;
    gw_queue_init(&queue, &policy);
    for (size_t i = 0; i < MANY; i++) {
        entries[i] = (struct gw_queue_entry){0};
    }
    return 0;
}

static bool put(size_t index, enum gw_priority priority, uint64_t now_ms)
{
    return gw_queue_put(&queue, &entries[index], priority, 0, now_ms);
}

static long serve(uint64_t now_ms)
{
    struct gw_queue_entry *entry = gw_queue_first(&queue);
    if (entry == NULL) {
        return -1;
    }
    gw_queue_serve(&queue, entry, now_ms);
    return entry - entries;
}

static void test_names(void **state)
{
    enum gw_priority priority = GW_PRIORITY_LOW;
    (void)state;
    assert_int_equal(gw_priority_parse(GW_STR(" High "), &priority), GW_OK);
    assert_int_equal(priority, GW_PRIORITY_HIGH);
    assert_int_equal(gw_priority_parse(GW_STR("urgent"), &priority), GW_ERR_NOT_FOUND);
    for (unsigned i = 0; i < GW_PRIORITY_COUNT; i++) {
        struct gw_str name = gw_priority_name((enum gw_priority)i);
        assert_int_equal(gw_priority_parse(name, &priority), GW_OK);
        assert_int_equal(priority, i);
    }
}

static void test_by_class_then_by_arrival(void **state)
{
    (void)state;
    assert_null(gw_queue_first(&queue));
    assert_true(put(0, GW_PRIORITY_LOW, 1));
    assert_true(put(1, GW_PRIORITY_NORMAL, 2));
    assert_true(put(2, GW_PRIORITY_NORMAL, 3));
    assert_true(put(3, GW_PRIORITY_HIGH, 4));
    /* Those who cannot be served are passed over and keep their place. */
    struct gw_queue_entry *entry = gw_queue_first(&queue);
    assert_ptr_equal(entry, &entries[3]);
    entry = gw_queue_next(&queue, entry);
    assert_ptr_equal(entry, &entries[1]);
    entry = gw_queue_next(&queue, entry);
    assert_ptr_equal(entry, &entries[2]);
    gw_queue_serve(&queue, entry, 10);
    assert_ptr_equal(gw_queue_next(&queue, &entries[1]), &entries[0]);
    assert_null(gw_queue_next(&queue, &entries[0]));
    assert_int_equal(serve(11), 3);
    gw_queue_remove(&queue, &entries[1]); /* its client left */
    gw_queue_remove(&queue, &entries[1]); /* again does nothing */
    assert_int_equal(serve(12), 0);
    assert_int_equal(serve(13), -1);
    assert_int_equal(queue.count, 0);
}

static void test_room_is_kept_for_the_higher_ones(void **state)
{
    (void)state;
    for (size_t i = 0; i < 90; i++) {
        assert_true(put(i, GW_PRIORITY_LOW, 1));
    }
    assert_false(put(90, GW_PRIORITY_LOW, 1));
    for (size_t i = 90; i < 95; i++) {
        assert_true(put(i, GW_PRIORITY_NORMAL, 1));
    }
    assert_false(put(95, GW_PRIORITY_NORMAL, 1));
    for (size_t i = 95; i < 100; i++) {
        assert_true(put(i, GW_PRIORITY_HIGH, 1));
    }
    assert_false(put(100, GW_PRIORITY_HIGH, 1));
    assert_false(entries[100].is_waiting);
    assert_int_equal(queue.refused_total, 3);
    assert_int_equal(serve(2), 95);
    assert_true(put(100, GW_PRIORITY_HIGH, 2));
    /* A line for nobody, and one for one. */
    struct gw_queue_policy policy = {.max_waiting = 0, .timeout_ms = 5000};
    gw_queue_init(&queue, &policy);
    assert_false(put(150, GW_PRIORITY_HIGH, 1));
    policy.max_waiting = 1;
    gw_queue_init(&queue, &policy);
    assert_true(put(150, GW_PRIORITY_LOW, 1));
    assert_false(put(151, GW_PRIORITY_HIGH, 1));
    policy = (struct gw_queue_policy){.max_waiting = UINT32_MAX, .timeout_ms = 0};
    gw_queue_init(&queue, &policy);
    assert_false(put(152, GW_PRIORITY_HIGH, 1)); /* no time to wait is no line */
}

static void test_deadlines(void **state)
{
    (void)state;
    assert_int_equal(gw_queue_next_deadline_ms(&queue), UINT64_MAX);
    assert_true(put(0, GW_PRIORITY_LOW, 1000));
    assert_true(put(1, GW_PRIORITY_HIGH, 2000));
    assert_true(gw_queue_put(&queue, &entries[2], GW_PRIORITY_NORMAL, 2500, 2000)); /* its own */
    assert_true(gw_queue_put(&queue, &entries[3], GW_PRIORITY_NORMAL, 99999, 2000));
    assert_false(gw_queue_put(&queue, &entries[4], GW_PRIORITY_NORMAL, 1500, 2000)); /* over */
    assert_int_equal(gw_queue_next_deadline_ms(&queue), 2500);
    assert_null(gw_queue_expire(&queue, 2499));
    assert_ptr_equal(gw_queue_expire(&queue, 2500), &entries[2]);
    assert_null(gw_queue_expire(&queue, 2500));
    assert_int_equal(gw_queue_next_deadline_ms(&queue), 6000);
    assert_ptr_equal(gw_queue_expire(&queue, 7000), &entries[0]);
    assert_ptr_equal(gw_queue_expire(&queue, 7000), &entries[1]);
    assert_ptr_equal(gw_queue_expire(&queue, 7000), &entries[3]);
    assert_null(gw_queue_expire(&queue, 7000));
    assert_int_equal(queue.expired_total, 4);
    assert_null(gw_queue_first(&queue));
    /* At the end of time. */
    assert_true(put(5, GW_PRIORITY_LOW, UINT64_MAX - 10));
    assert_ptr_equal(gw_queue_expire(&queue, UINT64_MAX), &entries[5]);
}

/* One place frees each 100 ms: within a class everyone waits the same, and nobody longer than
 * promised. */
static void test_fair_within_a_class(void **state)
{
    uint64_t now_ms = 1000;
    size_t next = 0;
    size_t served = 0;
    (void)state;
    for (int round = 0; round < 500; round++) {
        now_ms += 100;
        for (int i = 0; i < 2; i++) { /* twice as many come as can be served */
            if (!entries[next].is_waiting) {
                (void)put(next, GW_PRIORITY_NORMAL, now_ms);
            }
            next = (next + 1) % MANY;
        }
        struct gw_queue_entry *first = gw_queue_first(&queue);
        assert_non_null(first);
        for (struct gw_queue_entry *e = gw_queue_next(&queue, first); e != NULL;
             e = gw_queue_next(&queue, e)) {
            assert_true(e->since_ms >= first->since_ms);
        }
        assert_true(now_ms - first->since_ms <= 5000);
        gw_queue_serve(&queue, first, now_ms);
        served++;
        while (gw_queue_expire(&queue, now_ms) != NULL) {
        }
    }
    assert_int_equal(served, 500);
    assert_int_equal(queue.pace_us / 1000, 100);
    assert_int_equal(queue.entered_total, 500 + queue.expired_total + queue.count);
    /* Higher ones pass them by. */
    assert_true(gw_queue_put(&queue, &(struct gw_queue_entry){0}, GW_PRIORITY_HIGH, 0, now_ms));
    assert_int_equal(gw_queue_first(&queue)->priority, GW_PRIORITY_HIGH);
}

static void test_retry_after_is_honest(void **state)
{
    (void)state;
    assert_int_equal(gw_queue_retry_after_ms(&queue, GW_PRIORITY_NORMAL, 0, 1), 5000);
    assert_int_equal(gw_queue_retry_after_ms(&queue, GW_PRIORITY_NORMAL, 7000, 1), 7000);
    assert_int_equal(gw_queue_retry_after_ms(&queue, GW_PRIORITY_NORMAL, UINT64_MAX, 1), 60000);
    uint32_t max_waiting = queue.policy.max_waiting;
    queue.policy.max_waiting = 0; /* no line: what the router knows is all there is */
    assert_int_equal(gw_queue_retry_after_ms(&queue, GW_PRIORITY_NORMAL, 3000, 1), 3000);
    assert_int_equal(gw_queue_retry_after_ms(&queue, GW_PRIORITY_NORMAL, 0, 1), 5000);
    queue.policy.max_waiting = max_waiting;
    uint64_t now_ms = 1000;
    for (size_t i = 0; i < 60; i++) {
        assert_true(put(i, i < 10 ? GW_PRIORITY_HIGH : GW_PRIORITY_NORMAL, now_ms));
    }
    for (int i = 0; i < 20; i++) {
        now_ms += 200;
        (void)serve(now_ms);
    }
    /* Forty wait; the 41st is through after 41 times 200 ms. */
    assert_int_equal(gw_queue_retry_after_ms(&queue, GW_PRIORITY_NORMAL, 0, now_ms), 8200);
    assert_int_equal(gw_queue_retry_after_ms(&queue, GW_PRIORITY_HIGH, 0, now_ms), 1000);
    /* It stands still: the longer the worse. A clock that jumps back changes nothing. */
    assert_int_equal(gw_queue_retry_after_ms(&queue, GW_PRIORITY_NORMAL, 0, now_ms + 1000), 41000);
    assert_int_equal(gw_queue_retry_after_ms(&queue, GW_PRIORITY_NORMAL, 0, UINT64_MAX), 60000);
    assert_int_equal(gw_queue_retry_after_ms(&queue, GW_PRIORITY_NORMAL, 0, 0), 8200);
    (void)serve(0);
    assert_true(queue.pace_us < 200000);
    /* An empty line forgets its standstill, not its pace. */
    while (serve(now_ms) >= 0) {
    }
    assert_int_equal(gw_queue_retry_after_ms(&queue, GW_PRIORITY_NORMAL, 0, now_ms + 90000), 1000);
}

/* Whatever is done in whatever order, the lists and counts agree. */
static void test_random_walk(void **state)
{
    struct gw_rng rng;
    uint64_t now_ms = 0;
    (void)state;
    gw_rng_init_fixed(&rng, 17);
    for (int step = 0; step < 20000; step++) {
        struct gw_queue_entry *entry = &entries[gw_rng_below(&rng, MANY)];
        now_ms += gw_rng_below(&rng, 100);
        if (!entry->is_waiting) {
            uint64_t own_ms = gw_rng_below(&rng, 3) == 0 ? now_ms + gw_rng_below(&rng, 9000) : 0;
            (void)gw_queue_put(&queue, entry, (enum gw_priority)gw_rng_below(&rng, 3), own_ms,
                               now_ms);
        } else if (gw_rng_below(&rng, 2) == 0) {
            gw_queue_remove(&queue, entry);
        } else {
            gw_queue_serve(&queue, entry, now_ms);
        }
        for (struct gw_queue_entry *gone = gw_queue_expire(&queue, now_ms); gone != NULL;
             gone = gw_queue_expire(&queue, now_ms)) {
            assert_true(gone->deadline_ms <= now_ms);
        }
        size_t waiting = 0;
        uint64_t soonest_ms = UINT64_MAX;
        for (size_t i = 0; i < MANY; i++) {
            waiting += entries[i].is_waiting;
            if (entries[i].is_waiting && entries[i].deadline_ms < soonest_ms) {
                soonest_ms = entries[i].deadline_ms;
            }
        }
        assert_int_equal(queue.count, waiting);
        assert_int_equal(gw_queue_next_deadline_ms(&queue), soonest_ms);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_names),
        TEST(test_by_class_then_by_arrival),
        TEST(test_room_is_kept_for_the_higher_ones),
        TEST(test_deadlines),
        TEST(test_fair_within_a_class),
        TEST(test_retry_after_is_honest),
        TEST(test_random_walk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
