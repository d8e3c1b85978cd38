/* SPDX-License-Identifier: MIT */
/*
 * tests/unit/downstream/h2_client - an nghttp2 client at the other end of the harness's socket
 * pair.
 *
 * Source:   RFC 9113
 * Shape:    one client a test: setup(), requests by get(), post() and submit(), wait_stream().
 * Units:    none
 * Limits:   MAX_STREAMS requests
 * Memory:   teardown() frees all
 * Threads:  one
 * Errors:   cmocka's
 */
#ifndef GW_TESTS_DOWNSTREAM_H2_CLIENT_H
#define GW_TESTS_DOWNSTREAM_H2_CLIENT_H

#include <nghttp2/nghttp2.h>

#include "base/alloc.h"
#include "harness.h"

#define MAX_STREAMS 300

struct client_stream {
    int status;
    int interim; /* 1xx answers */
    struct gw_buf body;
    struct gw_buf fields; /* "name: value\n" */
    bool is_closed;
    uint32_t error_code;
    /* What is uploaded. */
    struct gw_str upload;
    bool is_upload_open; /* more may come: no END_STREAM yet */
};

struct h2_client {
    struct gw_test_client *link;
    nghttp2_session *session;
    struct client_stream streams[2 * MAX_STREAMS + 2]; /* by stream id */
    int goaways;
    uint32_t goaway_error;
    int32_t goaway_last;
    bool is_manual; /* no automatic window updates */
    struct gw_buf unsent;
    bool keeps_unsent; /* the test sends by itself */
};

extern struct gw_test *test;
extern struct h2_client *client;

/* What the client knows of a stream. */
struct client_stream *stream_at(int32_t id);

/* Sends what the session has to say, or puts it into client->unsent. */
void flush(void);

/* Submits a request; |more| names and values end with a NULL name. |is_open|: the body does not end
 * with |upload|. */
int32_t submit(const char *method, const char *path, const char *const more[], struct gw_str upload,
               bool is_open);

/* A field for nghttp2. */
nghttp2_nv nv(const char *name, const char *value);

/* Sends a GET. */
int32_t get(const char *path);

/* Sends a POST. */
int32_t post(const char *path, struct gw_str upload);

/* Turns the loop until the stream is closed, or the connection. */
struct client_stream *wait_stream(int32_t id);

/* Has the body these bytes? */
void assert_body(const struct client_stream *stream, const char *text);

/* Is |line| ("name: value\n") among the answer's fields? */
bool has_field(const struct client_stream *stream, const char *line);

/* GOAWAY frames in all that came, also those that nghttp2 no longer looks at. */
int count_goaways(void);

/* Is a byte of the body here? |user| is a struct client_stream. */
bool has_body_bytes(void *user);

/* A server and a client; teardown() ends both. For cmocka. */
int setup(void **state);
int teardown(void **state);

/* Begins anew with other limits. */
void restart(struct gw_server_limits limits);

#endif
