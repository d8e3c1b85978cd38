/* SPDX-License-Identifier: MIT */
/* policy/response_store - chains, tenants, limits, and several threads at once. */
#include "policy/response_store.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"

static struct gw_response_store *create(struct gw_response_store_opts opts)
{
    struct gw_response_store *store = gw_response_store_create(&opts);
    assert_non_null(store);
    return store;
}

static enum gw_err put(struct gw_response_store *store, const char *tenant, const char *id,
                       const char *previous, const char *input, const char *output, uint64_t now_ms)
{
    char response[512];
    (void)snprintf(response, sizeof(response), "{\"id\":\"%s\",\"output\":[%s],\"x\":1}", id,
                   output);
    struct gw_stored_response stored = {.id = gw_str_from_c(id),
                                        .previous_id = gw_str_from_c(previous),
                                        .input = gw_str_from_c(input),
                                        .response = gw_str_from_c(response)};
    return gw_response_store_put(store, gw_str_from_c(tenant), &stored, now_ms);
}

typedef enum gw_err read_fn(struct gw_response_store *store, struct gw_str tenant, struct gw_str id,
                            uint64_t now_ms, struct gw_buf *out);

static void assert_read(read_fn *read, struct gw_response_store *store, const char *tenant,
                        const char *id, uint64_t now_ms, const char *expected)
{
    struct gw_buf out;
    gw_buf_init(&out, 4096);
    enum gw_err err = read(store, gw_str_from_c(tenant), gw_str_from_c(id), now_ms, &out);
    (void)gw_buf_append_byte(&out, '\0');
    if (expected == NULL) {
        assert_int_equal(err, GW_ERR_NOT_FOUND);
        assert_string_equal(out.ptr, "");
    } else {
        assert_int_equal(err, GW_OK);
        assert_string_equal(out.ptr, expected);
    }
    gw_buf_fini(&out);
}

static void test_chain(void **state)
{
    struct gw_response_store *store = create((struct gw_response_store_opts){0});
    (void)state;
    assert_int_equal(put(store, "t", "r1", "", "1", "2,3", 0), GW_OK);
    assert_int_equal(put(store, "t", "r2", "r1", " 4 ", "", 0), GW_OK);
    assert_int_equal(put(store, "t", "r3", "r2", "", " 5 ", 0), GW_OK);
    assert_read(gw_response_store_history, store, "t", "r3", 0, "1,2,3,4,5");
    assert_read(gw_response_store_history, store, "t", "r1", 0, "1,2,3");
    assert_read(gw_response_store_inputs, store, "t", "r3", 0, "1,2,3,4");
    assert_read(gw_response_store_inputs, store, "t", "r1", 0, "1");
    assert_read(gw_response_store_get, store, "t", "r1", 0,
                "{\"id\":\"r1\",\"output\":[2,3],\"x\":1}");
    assert_read(gw_response_store_history, store, "t", "", 0, NULL);
    assert_read(gw_response_store_history, store, "t", "r4", 0, NULL);
    gw_response_store_destroy(&store);
    assert_null(store);
    gw_response_store_destroy(&store);
}

static void test_tenants(void **state)
{
    struct gw_response_store *store = create((struct gw_response_store_opts){0});
    (void)state;
    assert_int_equal(put(store, "a", "r1", "", "1", "2", 0), GW_OK);
    assert_int_equal(put(store, "b", "r2", "r1", "3", "4", 0), GW_OK);
    assert_read(gw_response_store_get, store, "b", "r1", 0, NULL);
    assert_read(gw_response_store_get, store, "", "r1", 0, NULL);
    assert_read(gw_response_store_history, store, "b", "r1", 0, NULL);
    assert_read(gw_response_store_inputs, store, "b", "r1", 0, NULL);
    /* A chain that leads into another tenant's is broken there. */
    assert_read(gw_response_store_history, store, "b", "r2", 0, NULL);
    assert_int_equal(gw_response_store_delete(store, GW_STR("b"), GW_STR("r1")), GW_ERR_NOT_FOUND);
    assert_read(gw_response_store_history, store, "a", "r1", 0, "1,2");
    /* The same id is another response for another tenant. */
    assert_int_equal(put(store, "b", "r1", "", "9", "8", 0), GW_OK);
    assert_read(gw_response_store_history, store, "a", "r1", 0, "1,2");
    assert_read(gw_response_store_history, store, "b", "r2", 0, "9,8,3,4");
    gw_response_store_destroy(&store);
}

static void test_delete_and_replace(void **state)
{
    struct gw_response_store *store = create((struct gw_response_store_opts){0});
    size_t entries = 0;
    size_t bytes = 0;
    (void)state;
    assert_int_equal(put(store, "t", "r1", "", "1", "2", 0), GW_OK);
    assert_int_equal(put(store, "t", "r1", "", "3", "4", 0), GW_OK);
    assert_read(gw_response_store_history, store, "t", "r1", 0, "3,4");
    assert_int_equal(put(store, "t", "r2", "r1", "5", "6", 0), GW_OK);
    gw_response_store_size(store, &entries, &bytes);
    assert_int_equal(entries, 2);
    assert_int_equal(gw_response_store_delete(store, GW_STR("t"), GW_STR("r1")), GW_OK);
    assert_int_equal(gw_response_store_delete(store, GW_STR("t"), GW_STR("r1")), GW_ERR_NOT_FOUND);
    assert_read(gw_response_store_history, store, "t", "r2", 0, NULL);
    assert_read(gw_response_store_get, store, "t", "r2", 0,
                "{\"id\":\"r2\",\"output\":[6],\"x\":1}");
    assert_int_equal(gw_response_store_delete(store, GW_STR("t"), GW_STR("r2")), GW_OK);
    gw_response_store_size(store, &entries, &bytes);
    assert_int_equal(entries, 0);
    assert_int_equal(bytes, 0);
    gw_response_store_destroy(&store);
}

static void test_entries_and_use(void **state)
{
    struct gw_response_store *store = create((struct gw_response_store_opts){.max_entries = 2});
    (void)state;
    assert_int_equal(put(store, "t", "r1", "", "1", "", 0), GW_OK);
    assert_int_equal(put(store, "t", "r2", "", "2", "", 0), GW_OK);
    assert_read(gw_response_store_history, store, "t", "r1", 0, "1"); /* used again */
    assert_int_equal(put(store, "t", "r3", "", "3", "", 0), GW_OK);
    assert_read(gw_response_store_history, store, "t", "r2", 0, NULL);
    assert_read(gw_response_store_history, store, "t", "r1", 0, "1");
    assert_read(gw_response_store_history, store, "t", "r3", 0, "3");
    gw_response_store_destroy(&store);
}

static void test_bytes(void **state)
{
    struct gw_response_store *store =
        create((struct gw_response_store_opts){.max_bytes = 2000, .max_entry_bytes = 600});
    char large[601];
    size_t entries = 0;
    size_t bytes = 0;
    (void)state;
    memset(large, '1', 600);
    large[600] = '\0';
    assert_int_equal(put(store, "t", "r0", "", large, "", 0), GW_ERR_TOO_LARGE);
    for (unsigned i = 0; i < 50; i++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "r%u", i);
        large[100] = '\0';
        assert_int_equal(put(store, "t", id, "", large, "", 0), GW_OK);
        gw_response_store_size(store, &entries, &bytes);
        assert_true(bytes <= 2000);
    }
    assert_true(entries > 1 && entries < 50);
    assert_read(gw_response_store_history, store, "t", "r0", 0, NULL);
    assert_read(gw_response_store_history, store, "t", "r49", 0, large);
    gw_response_store_destroy(&store);
}

static void test_age(void **state)
{
    struct gw_response_store *store = create((struct gw_response_store_opts){.max_age_ms = 100});
    (void)state;
    assert_int_equal(put(store, "t", "r1", "", "1", "", 1000), GW_OK);
    assert_int_equal(put(store, "t", "r2", "r1", "2", "", 1050), GW_OK);
    assert_read(gw_response_store_history, store, "t", "r2", 1100, "1,2");
    assert_read(gw_response_store_history, store, "t", "r2", 1101, NULL);
    assert_read(gw_response_store_get, store, "t", "r2", 1101,
                "{\"id\":\"r2\",\"output\":[],\"x\":1}");
    /* A clock that goes back makes nothing old. */
    assert_read(gw_response_store_get, store, "t", "r2", 900,
                "{\"id\":\"r2\",\"output\":[],\"x\":1}");
    gw_response_store_destroy(&store);
}

/* A chain that bites its tail ends with an error. */
static void test_circle(void **state)
{
    struct gw_response_store *store = create((struct gw_response_store_opts){0});
    struct gw_buf out;
    (void)state;
    gw_buf_init(&out, 1 << 20);
    assert_int_equal(put(store, "t", "r1", "r2", "1", "", 0), GW_OK);
    assert_int_equal(put(store, "t", "r2", "r1", "2", "", 0), GW_OK);
    assert_int_equal(gw_response_store_history(store, GW_STR("t"), GW_STR("r1"), 0, &out),
                     GW_ERR_TOO_LARGE);
    assert_int_equal(out.len, 0);
    gw_buf_fini(&out);
    gw_buf_init(&out, 2);
    assert_int_equal(put(store, "t", "r3", "", "123456", "", 0), GW_OK);
    assert_int_equal(gw_response_store_history(store, GW_STR("t"), GW_STR("r3"), 0, &out),
                     GW_ERR_TOO_LARGE);
    gw_buf_fini(&out);
    gw_response_store_destroy(&store);
}

static void test_no_memory(void **state)
{
    struct gw_response_store_opts opts = {.max_entries = 10};
    (void)state;
    for (uint64_t nth = 1; nth < 6; nth++) {
        struct gw_buf out;
        gw_buf_init(&out, 1024);
        gw_alloc_fail_at(nth);
        struct gw_response_store *store = gw_response_store_create(&opts);
        if (store != NULL && put(store, "t", "r1", "", "1", "2", 0) == GW_OK) {
            enum gw_err err = gw_response_store_history(store, GW_STR("t"), GW_STR("r1"), 0, &out);
            assert_true(err == GW_OK || err == GW_ERR_NOMEM);
        }
        gw_alloc_fail_at(0);
        gw_response_store_destroy(&store);
        gw_buf_fini(&out);
    }
}

/* ---- threads ---- */

#define THREADS 4
#define ROUNDS  2000

struct worker {
    struct gw_response_store *store;
    char tenant[8];
    unsigned wrong;
};

/* Each tenant only ever sees its own items, whatever the others do. */
static void *work(void *user)
{
    struct worker *worker = user;
    char item[16];
    char id[16];
    struct gw_buf out;
    gw_buf_init(&out, 4096);
    (void)snprintf(item, sizeof(item), "\"%s\"", worker->tenant);
    for (unsigned i = 0; i < ROUNDS; i++) {
        (void)snprintf(id, sizeof(id), "r%u", i % 7);
        if (put(worker->store, worker->tenant, id, "", item, item, i) != GW_OK) {
            worker->wrong++;
        }
        gw_buf_reset(&out);
        enum gw_err err = gw_response_store_history(worker->store, gw_str_from_c(worker->tenant),
                                                    gw_str_from_c(id), i, &out);
        bool is_own = out.len == 2 * strlen(item) + 1 && memcmp(out.ptr, item, strlen(item)) == 0;
        worker->wrong += err == GW_OK ? !is_own : err != GW_ERR_NOT_FOUND;
        if (i % 5 == 0) {
            enum gw_err gone = gw_response_store_delete(
                worker->store, gw_str_from_c(worker->tenant), gw_str_from_c(id));
            worker->wrong += gone != GW_OK && gone != GW_ERR_NOT_FOUND;
        }
    }
    gw_buf_fini(&out);
    return NULL;
}

static void test_threads(void **state)
{
    struct gw_response_store *store = create((struct gw_response_store_opts){.max_entries = 9});
    pthread_t threads[THREADS];
    struct worker workers[THREADS];
    (void)state;
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.store = store};
        (void)snprintf(workers[i].tenant, sizeof(workers[i].tenant), "t%u", i);
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(workers[i].wrong, 0);
    }
    gw_response_store_destroy(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chain),
        cmocka_unit_test(test_tenants),
        cmocka_unit_test(test_delete_and_replace),
        cmocka_unit_test(test_entries_and_use),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_age),
        cmocka_unit_test(test_circle),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
