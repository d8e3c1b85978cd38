/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/downstream/harness - a server on a real loop, a handler that the request's path
 * directs, and a client at the other end of a socket pair.
 *
 * Source:   none
 * Shape:    nothing sleeps: gw_test_wait() turns the loop until a condition holds, and fails the
 *           test when it does not within ten seconds.
 * Units:    in the names
 * Limits:   none
 * Memory:   gw_test_fini() frees all
 * Threads:  one
 * Errors:   cmocka's
 */
#ifndef GW_TESTS_DOWNSTREAM_HARNESS_H
#define GW_TESTS_DOWNSTREAM_HARNESS_H

/* cmocka wants these before itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "downstream/server.h"

#define GW_TEST_MAX_PAIRS 2000

/* What the handler does with a request. Those named "held" are left to the test. */
/*
 *   /plain     200, Content-Length, "hello", at once
 *   /chunked   200, three writes of unknown length, at once
 *   /empty     204
 *   /none      200, Content-Length 0
 *   /not       304
 *   /echo      reads the body, answers with it when it is complete
 *   /late      as /echo, but reading is switched on by the test
 *   /twoway    answers with each piece of the body as it comes
 *   /ignore    answers at once, never reads the body
 *   /abort     aborts at once
 *   /cut       200 chunked, one write, aborts
 *   /cut-fixed 200, Content-Length 10, 5 bytes, end
 *   /evil      response fields that would split the head
 *   /big       200, 1 MB in pieces, as can_write allows
 *   /close     200 with response.close
 *   /full      reads; aborts from inside on_body
 *   /answer-in-body  reads; answers and ends from inside the first on_body
 *   /held      nothing
 */
struct gw_test_pair {
    struct gw_test *test;
    struct gw_downstream *pair; /* NULL when ended */
    char path[64];
    char method[16];
    char cookie[64];
    char authority[64];
    struct gw_buf body;
    unsigned body_calls;
    unsigned body_ends;
    unsigned writable_calls;
    unsigned aborts;
    enum gw_err abort_err;
    size_t left_bytes; /* of /big */
    uint64_t content_length;
    bool has_body;
    bool expects_continue;
    bool is_tls;
};

struct gw_test_client {
    struct gw_test *test;
    int fd;
    uv_poll_t poll;
    bool is_polling;
    bool is_closed;
    bool saw_eof;
    bool saw_reset;
    struct gw_buf received;
    void (*on_bytes)(struct gw_test_client *client, struct gw_str bytes);
    void *user;
};

struct gw_test {
    struct gw_loop *loop;
    struct gw_server *server;
    struct gw_test_pair *pairs; /* GW_TEST_MAX_PAIRS */
    size_t pair_count;
    uint64_t sent_bytes; /* by clients */
    unsigned closed_calls;
    struct gw_test_client client;
    bool may_lack_memory; /* the handler aborts where a call fails, instead of failing the test */
    bool expired;
    uv_timer_t bound;
};

/* Generous limits; tests that want small ones set them. */
struct gw_server_limits gw_test_limits(void);

void gw_test_init(struct gw_test *test, const struct gw_server_limits *limits);
void gw_test_fini(struct gw_test *test);

/* Connects test->client by a socket pair; |tls| NULL: plain. */
void gw_test_connect(struct gw_test *test);

/* Connects another client. */
void gw_test_connect_client(struct gw_test *test, struct gw_test_client *client);

/* Closes a client's end. */
void gw_test_hang_up(struct gw_test_client *client);

/* Stops or goes on to read at the client's end. */
void gw_test_client_set_reading(struct gw_test_client *client, bool on);

/* Sends, turning the loop while the socket is full. */
void gw_test_send(struct gw_test_client *client, struct gw_str bytes);

/* Turns the loop until |is_true|. */
typedef bool gw_test_condition_fn(void *user);
void gw_test_wait(struct gw_test *test, gw_test_condition_fn *is_true, void *user);

/* Turns the loop as long as that costs no waiting. */
void gw_test_settle(struct gw_test *test);

/* Until all that was sent is received, or the connection is gone. */
void gw_test_wait_received(struct gw_test *test);

/* Until the client has |count| bytes, or the end. */
void gw_test_wait_bytes(struct gw_test_client *client, size_t count);

/* Until the client sees the end. */
void gw_test_wait_end(struct gw_test_client *client);

/* Until |count| requests were begun. */
void gw_test_wait_pairs(struct gw_test *test, size_t count);

/* Until no connection is left. */
void gw_test_wait_closed(struct gw_test *test);

/* Until the pair was aborted. */
void gw_test_wait_abort(struct gw_test *test, size_t index);

/* The answer of /plain, to be given by the test to a held pair. */
void gw_test_answer_plain(struct gw_test_pair *pair);

/* Begins a response of unknown length. */
void gw_test_begin(struct gw_test_pair *pair);

/* Writes without looking at the result. */
void gw_test_write(struct gw_test_pair *pair, struct gw_str bytes);

/* Ends it. */
void gw_test_end(struct gw_test_pair *pair);

/* What the client has received, with the dates made equal; valid until the next call. */
struct gw_str gw_test_received(struct gw_test_client *client);

#endif
