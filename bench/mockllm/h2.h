/* SPDX-License-Identifier: MIT */
/*
 * bench/mockllm/h2 - HTTP/2 server side of a connection.
 *
 * Source:   RFC 9113, nghttp2.
 * Shape:    one exchange per stream; body bytes are handed to nghttp2 as its windows allow.
 * Units:    none.
 * Limits:   concurrent streams as configured; a stream holds at most MOCK_OUT_HIGH unsent bytes.
 * Memory:   streams are freed when nghttp2 closes them, the session with the connection.
 * Threads:  belongs to the connection's worker.
 * Errors:   a protocol error ends the connection with nghttp2's GOAWAY.
 */
#ifndef MOCKLLM_H2_H
#define MOCKLLM_H2_H

struct mock_conn;

/* Makes HTTP/2 the protocol of |conn| and queues the SETTINGS. */
void mock_h2_start(struct mock_conn *conn);

#endif
