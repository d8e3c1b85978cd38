/* SPDX-License-Identifier: MIT */
/* main/notify - see the header. */
#include "main/notify.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/address.h"

void gw_notify(const char *state)
{
    struct gw_str path = gw_str_from_c(getenv("NOTIFY_SOCKET"));
    struct gw_address address;
    if (path.len < 2 || gw_address_from_unix(path, &address) != GW_OK) {
        return;
    }
    if (path.ptr[0] == '@') { /* abstract: the name begins with a NUL and has none at its end */
        address.u.path.sun_path[0] = '\0';
        address.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path.len);
    }
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd != -1) {
        (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, &address.u.any, address.len);
        close(fd);
    }
}
