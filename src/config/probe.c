/* SPDX-License-Identifier: MIT */
/* config/probe - is somebody listening on these ports of this machine? All are asked at once. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/clock.h"
#include "config/build_int.h"

#define MAX_PORTS 16
#define NS_PER_MS 1000000u

/* -1 when nobody is there; else a socket that is connected or about to be. */
static int begin_connect(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    if (fd != -1 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == -1 &&
        errno != EINPROGRESS) {
        (void)close(fd);
        fd = -1;
    }
    return fd;
}

static bool is_connected(int fd)
{
    int error = 0;
    socklen_t size = sizeof(error);
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

void gw_probe_local_ports(const uint16_t *ports, bool *is_open, size_t count, int timeout_ms)
{
    struct pollfd polls[MAX_PORTS];
    GW_ASSERT(count <= MAX_PORTS);
    size_t waiting = 0;
    for (size_t i = 0; i < count; i++) {
        polls[i] = (struct pollfd){.fd = begin_connect(ports[i]), .events = POLLOUT};
        is_open[i] = false;
        waiting += polls[i].fd == -1 ? 0 : 1;
    }
    uint64_t end_at_ns = gw_clock_mono_ns() + (uint64_t)timeout_ms * NS_PER_MS;
    while (waiting > 0) {
        uint64_t now_ns = gw_clock_mono_ns();
        int left_ms = now_ns < end_at_ns ? (int)((end_at_ns - now_ns) / NS_PER_MS) : 0;
        int ready = poll(polls, (nfds_t)count, left_ms);
        for (size_t i = 0; i < count && ready > 0; i++) {
            if (polls[i].fd != -1 && polls[i].revents != 0) {
                is_open[i] = is_connected(polls[i].fd);
                (void)close(polls[i].fd);
                polls[i].fd = -1;
                waiting--;
            }
        }
        if (left_ms == 0) {
            break;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (polls[i].fd != -1) {
            (void)close(polls[i].fd);
        }
    }
}
