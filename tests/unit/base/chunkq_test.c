/* SPDX-License-Identifier: MIT */
/* Bytes come out as they went in at every split of writing and reading; chunks go back to the pool.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/chunkq.h"
#include "base/rng.h"

#define TOTAL (2 * GW_CHUNK_BYTES + 100)

static char source[TOTAL];
static char sink[TOTAL];

static void fill_source(void)
{
    struct gw_rng rng;
    gw_rng_init_fixed(&rng, 1);
    for (size_t i = 0; i < TOTAL; i++) {
        source[i] = (char)gw_rng_next(&rng);
    }
}

static size_t queued_bytes(const struct gw_chunkq *queue)
{
    struct iovec iov[16];
    size_t sum = 0;
    int count = gw_chunkq_peek(queue, iov, 16);
    for (int i = 0; i < count; i++) {
        assert_true(iov[i].iov_len > 0);
        sum += iov[i].iov_len;
    }
    return sum;
}

/* Written in two parts, read in two parts. */
static void round_trip(struct gw_chunk_pool *pool, size_t write_split, size_t read_split)
{
    struct gw_chunkq queue;
    gw_chunkq_init(&queue, pool);
    assert_int_equal(gw_chunkq_append(&queue, gw_str(source, write_split)), GW_OK);
    assert_int_equal(gw_chunkq_append(&queue, gw_str(source + write_split, TOTAL - write_split)),
                     GW_OK);
    assert_int_equal(gw_chunkq_len(&queue), TOTAL);
    assert_int_equal(queued_bytes(&queue), TOTAL);
    memset(sink, 0, TOTAL);
    assert_int_equal(gw_chunkq_read(&queue, sink, read_split), read_split);
    assert_int_equal(queued_bytes(&queue), TOTAL - read_split);
    assert_int_equal(gw_chunkq_read(&queue, sink + read_split, TOTAL), TOTAL - read_split);
    assert_memory_equal(sink, source, TOTAL);
    assert_int_equal(gw_chunkq_len(&queue), 0);
    assert_null(queue.first);
    assert_null(queue.last);
}

static void test_every_split(void **state)
{
    (void)state;
    fill_source();
    struct gw_chunk_pool pool;
    gw_chunk_pool_init(&pool);
    for (size_t split = 0; split <= TOTAL; split++) {
        round_trip(&pool, split, TOTAL / 3);
        round_trip(&pool, TOTAL / 3, split);
    }
    /* Three chunks served all of it. */
    assert_int_equal(pool.free_count, 3);
    gw_chunk_pool_fini(&pool);
    assert_int_equal(pool.free_count, 0);
}

static void test_one_byte_at_a_time(void **state)
{
    (void)state;
    fill_source();
    struct gw_chunk_pool pool;
    gw_chunk_pool_init(&pool);
    struct gw_chunkq queue;
    gw_chunkq_init(&queue, &pool);
    for (size_t i = 0; i < TOTAL; i++) {
        assert_int_equal(gw_chunkq_append(&queue, gw_str(source + i, 1)), GW_OK);
    }
    for (size_t i = 0; i < TOTAL; i++) {
        struct iovec head;
        assert_int_equal(gw_chunkq_peek(&queue, &head, 1), 1);
        assert_int_equal(*(char *)head.iov_base, source[i]);
        gw_chunkq_consume(&queue, 1);
        assert_int_equal(gw_chunkq_len(&queue), TOTAL - i - 1);
    }
    assert_null(queue.first);
    gw_chunk_pool_fini(&pool);
}

/* A queue that is written and read in turn, many times its size, against a plain model of
 * positions. */
static void test_random_flow(void **state)
{
    (void)state;
    fill_source();
    struct gw_rng rng;
    gw_rng_init_fixed(&rng, 2);
    struct gw_chunk_pool pool;
    gw_chunk_pool_init(&pool);
    struct gw_chunkq queue;
    gw_chunkq_init(&queue, &pool);
    size_t written = 0;
    size_t taken = 0;
    for (int round = 0; round < 5000; round++) {
        size_t len = gw_rng_below(&rng, 3000);
        size_t from = written % TOTAL;
        len = len < TOTAL - from ? len : TOTAL - from;
        assert_int_equal(gw_chunkq_append(&queue, gw_str(source + from, len)), GW_OK);
        written += len;
        size_t want = gw_rng_below(&rng, 3000);
        from = taken % TOTAL;
        want = want < TOTAL - from ? want : TOTAL - from;
        size_t got = gw_chunkq_read(&queue, sink, want);
        assert_int_equal(got, want < written - taken ? want : written - taken);
        assert_memory_equal(sink, source + from, got);
        taken += got;
        assert_int_equal(gw_chunkq_len(&queue), written - taken);
    }
    gw_chunkq_clear(&queue);
    assert_int_equal(gw_chunkq_len(&queue), 0);
    gw_chunkq_clear(&queue);
    gw_chunk_pool_fini(&pool);
}

static void test_peek_is_bounded(void **state)
{
    (void)state;
    fill_source();
    struct gw_chunk_pool pool;
    gw_chunk_pool_init(&pool);
    struct gw_chunkq queue;
    gw_chunkq_init(&queue, &pool);
    struct iovec iov[4];
    assert_int_equal(gw_chunkq_peek(&queue, iov, 4), 0);
    assert_int_equal(gw_chunkq_append(&queue, gw_str(NULL, 0)), GW_OK);
    assert_int_equal(gw_chunkq_peek(&queue, iov, 4), 0);
    assert_int_equal(gw_chunkq_append(&queue, gw_str(source, TOTAL)), GW_OK);
    assert_int_equal(gw_chunkq_peek(&queue, iov, 0), 0);
    assert_int_equal(gw_chunkq_peek(&queue, iov, 2), 2);
    assert_int_equal(gw_chunkq_peek(&queue, iov, 4), 3);
    gw_chunkq_consume(&queue, 0);
    gw_chunkq_consume(&queue, GW_CHUNK_BYTES);
    assert_int_equal(gw_chunkq_peek(&queue, iov, 4), 2);
    assert_memory_equal(iov[0].iov_base, source + GW_CHUNK_BYTES, 100);
    gw_chunkq_clear(&queue);
    gw_chunk_pool_fini(&pool);
}

static void test_out_of_memory_appends_nothing(void **state)
{
    (void)state;
    fill_source();
    struct gw_chunk_pool pool;
    gw_chunk_pool_init(&pool);
    struct gw_chunkq queue;
    gw_chunkq_init(&queue, &pool);
    assert_int_equal(gw_chunkq_append(&queue, gw_str(source, 10)), GW_OK);
    for (uint64_t nth = 1; nth <= 2; nth++) {
        gw_chunk_pool_fini(&pool);
        gw_alloc_fail_at(nth);
        assert_int_equal(gw_chunkq_append(&queue, gw_str(source + 10, TOTAL - 10)), GW_ERR_NOMEM);
        gw_alloc_fail_at(0);
        assert_int_equal(gw_chunkq_len(&queue), 10);
        assert_int_equal(queued_bytes(&queue), 10);
    }
    assert_int_equal(gw_chunkq_append(&queue, gw_str(source + 10, TOTAL - 10)), GW_OK);
    assert_int_equal(gw_chunkq_read(&queue, sink, TOTAL), TOTAL);
    assert_memory_equal(sink, source, TOTAL);
    gw_chunk_pool_fini(&pool);
}

static void test_pool_keeps_no_more_than_its_limit(void **state)
{
    (void)state;
    struct gw_chunk_pool pool;
    gw_chunk_pool_init(&pool);
    struct gw_chunkq queue;
    gw_chunkq_init(&queue, &pool);
    fill_source();
    while (gw_chunkq_len(&queue) < (GW_CHUNK_POOL_KEEP + 10) * (size_t)GW_CHUNK_BYTES) {
        assert_int_equal(gw_chunkq_append(&queue, gw_str(source, TOTAL)), GW_OK);
    }
    gw_chunkq_clear(&queue);
    assert_int_equal(pool.free_count, GW_CHUNK_POOL_KEEP);
    gw_chunk_pool_fini(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_split),
        cmocka_unit_test(test_one_byte_at_a_time),
        cmocka_unit_test(test_random_flow),
        cmocka_unit_test(test_peek_is_bounded),
        cmocka_unit_test(test_out_of_memory_appends_nothing),
        cmocka_unit_test(test_pool_keeps_no_more_than_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
