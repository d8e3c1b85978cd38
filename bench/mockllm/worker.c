/* SPDX-License-Identifier: MIT */
/* A thread of the mock: accepts and serves. */
#include "mockllm/worker.h"

#include <errno.h>
#include <sys/epoll.h>

#include "common/net.h"
#include "mockllm/conn.h"

/* Connections accepted per wake-up, so that a ramp does not starve running streams. */
#define ACCEPTS_PER_TURN 64

void mock_worker_init(struct mock_worker *worker, unsigned index, const struct mock_config *config,
                      struct mock_stats *stats)
{
    *worker = (struct mock_worker){.index = index, .config = config, .stats = stats};
    bench_loop_init(&worker->loop);
    worker->read_buf = bench_alloc(MOCK_READ_BYTES);
    worker->json_pool = bench_alloc(MOCK_JSON_POOL_BYTES);
}

static void on_accept(struct bench_watch *watch, uint32_t events)
{
    (void)events;
    struct mock_listener *listener = BENCH_CONTAINER_OF(watch, struct mock_listener, watch);
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        int fd = bench_net_accept(watch->fd);
        if (fd == -1) {
            /* Out of descriptors: the peer waits in the backlog until one is closed. */
            return;
        }
        mock_conn_open(listener->worker, fd, listener->tls);
    }
}

void mock_worker_listen(struct mock_worker *worker, int fd, SSL_CTX *tls)
{
    struct mock_listener *listener = &worker->listeners[worker->listener_count++];
    *listener = (struct mock_listener){
        .watch = {.fd = fd, .on_ready = on_accept}, .worker = worker, .tls = tls};
    bench_loop_watch(&worker->loop, &listener->watch, EPOLLIN | EPOLLEXCLUSIVE);
}

void mock_worker_run(struct mock_worker *worker)
{
    bench_loop_run(&worker->loop, 0);
}

uint64_t mock_worker_id(struct mock_worker *worker)
{
    return ((uint64_t)worker->index << 48) | ++worker->next_id;
}
