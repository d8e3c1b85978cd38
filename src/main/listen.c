/* SPDX-License-Identifier: MIT */
/* main/listen - inherited sockets first, new ones where none fits. */
#include "main/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/listener.h"

static void clear(struct gw_listen_set *set)
{
    *set = (struct gw_listen_set){.admin = -1, .metrics = -1};
}

/* Reads "3,4" as descriptors, at most |max|; returns how many. */
static size_t parse_fds(struct gw_str list, int *fds, size_t max)
{
    size_t count = 0;
    struct gw_str item;
    while (count < max && gw_str_split(&list, ',', &item)) {
        uint64_t value = 0;
        if (gw_parse_u64(item, &value) == GW_OK && value > 2 && value < 65536) {
            fds[count++] = (int)value;
            (void)fcntl((int)value, F_SETFD, FD_CLOEXEC);
        }
    }
    return count;
}

static void parse_inherited(struct gw_listen_set *set)
{
    clear(set);
    struct gw_str text = gw_str_from_c(getenv(GW_LISTEN_ENV));
    struct gw_str part;
    while (gw_str_split(&text, ';', &part)) {
        size_t equals = gw_str_find_byte(part, '=');
        struct gw_str name = gw_str(part.ptr, equals);
        struct gw_str list = gw_str_skip(part, equals + 1);
        if (gw_str_eq(name, GW_STR("api"))) {
            set->api_count = parse_fds(list, set->api, GW_LISTEN_MAX_API);
        } else if (gw_str_eq(name, GW_STR("admin"))) {
            (void)parse_fds(list, &set->admin, 1);
        } else if (gw_str_eq(name, GW_STR("metrics"))) {
            (void)parse_fds(list, &set->metrics, 1);
        }
    }
    unsetenv(GW_LISTEN_ENV);
}

/* Is |fd| a socket bound to |wanted| (whose port may be 0)? */
static bool is_bound_to(int fd, const struct gw_address *wanted, struct gw_address *bound)
{
    memset(bound, 0, sizeof(*bound));
    bound->len = sizeof(bound->u);
    if (fd == -1 || getsockname(fd, &bound->u.any, &bound->len) == -1) {
        return false;
    }
    struct gw_address other = *wanted;
    if (gw_address_port(&other) == 0) {
        gw_address_set_port(&other, gw_address_port(bound));
    }
    char a[GW_ADDRESS_TEXT_BYTES];
    char b[GW_ADDRESS_TEXT_BYTES];
    gw_address_format(&other, a);
    gw_address_format(bound, b);
    return strcmp(a, b) == 0;
}

static void close_fd(int *fd)
{
    if (*fd != -1) {
        close(*fd);
        *fd = -1;
    }
}

static enum gw_err explain(struct gw_arena *arena, enum gw_err err,
                           const struct gw_address *address, const char *what,
                           struct gw_str *message)
{
    char text[GW_ADDRESS_TEXT_BYTES];
    gw_address_format(address, text);
    const char *advice = err == GW_ERR_EXISTS
                             ? "another process listens there; stop it, or set another port "
                               "(a running gatewire hands its ports over on SIGUSR2)"
                             : strerror(errno);
    *message = gw_arena_printf(arena, "cannot listen on %s for the %s: %s", text, what, advice);
    return err;
}

/*
 * SO_REUSEPORT would let a second gatewire share the port silently, taking half of the connections:
 * a plain bind tells whether anybody listens there.
 */
static enum gw_err check_free(const struct gw_address *address)
{
    if (gw_address_port(address) == 0) {
        return GW_OK;
    }
    int fd = socket(address->u.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd == -1) {
        return GW_ERR_IO;
    }
    int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    int bound = bind(fd, &address->u.any, address->len);
    enum gw_err err = bound == 0 ? GW_OK : gw_err_from_errno(errno);
    close(fd);
    return err;
}

static enum gw_err open_one(const struct gw_address *wanted, bool must_be_free, int *fd,
                            struct gw_address *bound)
{
    enum gw_err err = must_be_free ? check_free(wanted) : GW_OK;
    return err == GW_OK ? gw_listener_open_fd(wanted, fd, bound) : err;
}

/* What it takes or closes is no longer in |inherited|. */
static enum gw_err open_api(const struct gw_listen_settings *settings, struct gw_address wanted,
                            struct gw_listen_set *inherited, struct gw_listen_set *set)
{
    for (size_t i = 0; i < inherited->api_count; i++) {
        int fd = inherited->api[i];
        inherited->api[i] = -1;
        if (is_bound_to(fd, &wanted, &set->api_address)) {
            set->api[set->api_count++] = fd;
            wanted = set->api_address;
        } else {
            close_fd(&fd);
        }
    }
    while (set->api_count < settings->workers && set->api_count < GW_LISTEN_MAX_API) {
        bool is_first = set->api_count == 0;
        enum gw_err err = open_one(&wanted, is_first, &set->api[set->api_count], &set->api_address);
        if (err != GW_OK) {
            return err;
        }
        wanted = set->api_address; /* the next ones share a port that the system chose */
        set->api_count++;
    }
    return GW_OK;
}

static enum gw_err open_single(const struct gw_address *wanted, bool is_enabled, int *inherited,
                               int *fd, struct gw_address *bound)
{
    if (!is_enabled) {
        close_fd(inherited);
        return GW_OK;
    }
    if (is_bound_to(*inherited, wanted, bound)) {
        *fd = *inherited;
        *inherited = -1;
        return GW_OK;
    }
    close_fd(inherited);
    return open_one(wanted, true, fd, bound);
}

static enum gw_err address_of(const struct gw_listen_settings *settings, uint16_t port,
                              struct gw_arena *arena, struct gw_address *address,
                              struct gw_str *message)
{
    enum gw_err err = gw_address_from_literal(settings->host, port, address);
    if (err != GW_OK) {
        *message = gw_arena_printf(arena,
                                   "server.host '" GW_STR_FMT
                                   "' is no IP address; use one such as 127.0.0.1 or 0.0.0.0",
                                   GW_STR_ARG(settings->host));
    }
    return err;
}

enum gw_err gw_listen_open(const struct gw_listen_settings *settings, struct gw_arena *arena,
                           struct gw_listen_set *set, struct gw_str *message)
{
    struct gw_listen_set inherited;
    struct gw_address address;
    parse_inherited(&inherited);
    clear(set);
    enum gw_err err = address_of(settings, settings->api_port, arena, &address, message);
    if (err != GW_OK) {
        goto fail;
    }
    err = open_api(settings, address, &inherited, set);
    if (err != GW_OK) {
        (void)explain(arena, err, &address, "API", message);
        goto fail;
    }
    gw_address_set_port(&address, settings->admin_port);
    err = open_single(&address, settings->admin_enabled, &inherited.admin, &set->admin,
                      &set->admin_address);
    if (err != GW_OK) {
        (void)explain(arena, err, &address, "admin port", message);
        goto fail;
    }
    gw_address_set_port(&address, settings->metrics_port);
    err = open_single(&address, settings->metrics_enabled, &inherited.metrics, &set->metrics,
                      &set->metrics_address);
    if (err != GW_OK) {
        (void)explain(arena, err, &address, "metrics port", message);
        goto fail;
    }
    return GW_OK;
fail:
    gw_listen_close(&inherited);
    gw_listen_close(set);
    return err;
}

void gw_listen_close(struct gw_listen_set *set)
{
    for (size_t i = 0; i < set->api_count; i++) {
        close_fd(&set->api[i]);
    }
    close_fd(&set->admin);
    close_fd(&set->metrics);
    set->api_count = 0;
}
