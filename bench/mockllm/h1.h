/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/h1 - HTTP/1.x server side of a connection.
 *
 * Source:   RFC 9112, llhttp 9.
 * Shape:    one exchange at a time; pipelined requests wait, unparsed, for their turn.
 * Units:    none.
 * Limits:   bytes waiting behind a running answer: MOCK_H1_MAX_WAITING, then reading stops.
 * Memory:   the session is freed when the connection closes.
 * Threads:  belongs to the connection's worker.
 * Errors:   a request llhttp refuses is answered 400 and the connection closed.
 */
#ifndef MOCKLLM_H1_H
#define MOCKLLM_H1_H

struct mock_conn;

/* Makes HTTP/1 the protocol of |conn|. */
void mock_h1_start(struct mock_conn *conn);

#endif
