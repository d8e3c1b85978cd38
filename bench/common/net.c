/* SPDX-License-Identifier: MIT */
/* Sockets on the loopback. */
#include "common/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Waiting connections: the kernel cuts it to net.core.somaxconn; a ramp of 5,000 streams needs it.
 */
#define BACKLOG 16384

static bool make_address(struct sockaddr_in *out, const char *host, uint16_t port)
{
    *out = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, host, &out->sin_addr) == 1) {
        return true;
    }
    if (strcmp(host, "localhost") == 0) {
        out->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return true;
    }
    errno = EADDRNOTAVAIL;
    return false;
}

static bool make_unix_address(struct sockaddr_un *out, const char *path)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (len >= sizeof(out->sun_path)) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(out->sun_path, path, len + 1);
    return true;
}

static int fail_close(int fd)
{
    int saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static void set_option(int fd, int level, int option, int value)
{
    /* Best effort: without them things are slower, not wrong. */
    (void)setsockopt(fd, level, option, &value, sizeof(value));
}

int bench_net_listen(const char *host, uint16_t port)
{
    struct sockaddr_in address;
    if (!make_address(&address, host, port)) {
        return -1;
    }
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1) {
        return -1;
    }
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1 || listen(fd, BACKLOG) == -1) {
        return fail_close(fd);
    }
    return fd;
}

int bench_net_listen_unix(const char *path)
{
    struct sockaddr_un address;
    if (!make_unix_address(&address, path)) {
        return -1;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1) {
        return -1;
    }
    unlink(path);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == -1 || listen(fd, BACKLOG) == -1) {
        return fail_close(fd);
    }
    return fd;
}

uint16_t bench_net_port(int fd)
{
    struct sockaddr_in address = {0};
    socklen_t len = sizeof(address);
    if (getsockname(fd, (struct sockaddr *)&address, &len) == -1) {
        return 0;
    }
    return ntohs(address.sin_port);
}

int bench_net_accept(int listen_fd)
{
    int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd != -1) {
        set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    }
    return fd;
}

int bench_net_connect(const char *host, uint16_t port, const char *source_host)
{
    struct sockaddr_in address;
    if (!make_address(&address, host, port)) {
        return -1;
    }
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1) {
        return -1;
    }
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (source_host != NULL) {
        struct sockaddr_in source;
        set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
        if (!make_address(&source, source_host, 0) ||
            bind(fd, (struct sockaddr *)&source, sizeof(source)) == -1) {
            return fail_close(fd);
        }
    }
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1 && errno != EINPROGRESS) {
        return fail_close(fd);
    }
    return fd;
}

int bench_net_connect_unix(const char *path)
{
    struct sockaddr_un address;
    if (!make_unix_address(&address, path)) {
        return -1;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd == -1) {
        return -1;
    }
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1) {
        return fail_close(fd);
    }
    return fd;
}

int bench_net_connect_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof(error);
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1) {
        return errno;
    }
    return error;
}

void bench_net_reset_on_close(int fd)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

uint64_t bench_net_raise_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == -1) {
        return 0;
    }
    struct rlimit wanted = {.rlim_cur = 1048576, .rlim_max = 1048576}; /* fs.nr_open's default */
    if (limit.rlim_max > wanted.rlim_max) {
        wanted = (struct rlimit){.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    }
    if (setrlimit(RLIMIT_NOFILE, &wanted) == 0) {
        return wanted.rlim_cur;
    }
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}
