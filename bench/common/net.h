/* SPDX-License-Identifier: MIT */
/*
 * bench/common/net - sockets: listening, connecting, descriptor limits.
 *
 * Source:   socket(7), tcp(7), unix(7).
 * Shape:    every descriptor is non-blocking, close-on-exec and, for TCP, without Nagle's delay.
 * Units:    none.
 * Limits:   IPv4 only: these tools meet the tested program on the loopback.
 * Memory:   none.
 * Threads:  no state.
 * Errors:   -1 with errno, as the system calls.
 */
#ifndef BENCH_COMMON_NET_H
#define BENCH_COMMON_NET_H

#include <stdbool.h>
#include <stdint.h>

/* Listens on |host|:|port| (0: any free port) with SO_REUSEPORT. Returns the descriptor or -1. */
int bench_net_listen(const char *host, uint16_t port);

/* Listens on the Unix socket |path|, replacing a stale one. Returns the descriptor or -1. */
int bench_net_listen_unix(const char *path);

/* Returns the local port of a bound TCP socket, 0 when there is none. */
uint16_t bench_net_port(int fd);

/* Accepts one connection from |listen_fd|. Returns the descriptor or -1 (EAGAIN: none waits). */
int bench_net_accept(int listen_fd);

/*
 * Starts connecting to |host|:|port|. |source_host| (NULL: the system chooses) is the local
 * address; its port is chosen at connect time, so one address serves about 28,000 connections
 * per destination. Returns the descriptor or -1; the connection may still be in progress.
 */
int bench_net_connect(const char *host, uint16_t port, const char *source_host);

/* Starts connecting to the Unix socket |path|. Returns the descriptor or -1. */
int bench_net_connect_unix(const char *path);

/* Returns the error of a connection attempt on |fd| that became writable: 0 when it stands. */
int bench_net_connect_error(int fd);

/* Makes the next close() of |fd| send a reset instead of a normal end. */
void bench_net_reset_on_close(int fd);

/* Raises the limit of open files as far as the machine allows. Returns what it is then. */
uint64_t bench_net_raise_files(void);

#endif
