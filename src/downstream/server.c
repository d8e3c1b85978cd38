/* SPDX-License-Identifier: MIT */
/* downstream/server - the list of connections, their limits and counters, and the drain. */
#include "downstream/server.h"

#include <unistd.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "base/log.h"
#include "downstream/conn_int.h"

struct gw_server *gw_server_create(const struct gw_server_opts *opts)
{
    GW_ASSERT(opts->loop != NULL && opts->on_request != NULL && opts->on_error_body != NULL);
    struct gw_server *server = gw_zalloc(sizeof(*server));
    server->opts = *opts;
    server->limits = opts->limits;
    gw_list_init(&server->conns);
    gw_buf_init(&server->scratch, GW_SERVER_HEAD_MAX_BYTES);
    return server;
}

void gw_server_accept(struct gw_server *server, int fd, const struct gw_address *peer,
                      struct gw_tls_server *tls)
{
    if (server->conn_count >= server->limits.max_connections) {
        gw_counter_add(&server->counters.refused_total, 1);
        (void)close(fd);
        return;
    }
    if (gw_conn_create(server, fd, peer, tls) == NULL) {
        gw_counter_add(&server->counters.refused_total, 1);
        return;
    }
    gw_counter_add(&server->counters.accepted_total, 1);
}

void gw_server_set_limits(struct gw_server *server, const struct gw_server_limits *limits)
{
    server->limits = *limits;
}

void gw_server_drain(struct gw_server *server)
{
    server->is_draining = true;
    /* Nothing is freed in here: a connection that ends now is freed from its deferred work. */
    GW_LIST_FOREACH(&server->conns, node)
    {
        struct gw_conn *conn = GW_CONTAINER_OF(node, struct gw_conn, node);
        if (conn->proto != NULL && conn->state < GW_CONN_CLOSING) {
            conn->proto->drain(conn);
            gw_conn_wake(conn);
        }
    }
}

size_t gw_server_connection_count(const struct gw_server *server)
{
    return server->conn_count;
}

const struct gw_server_counters *gw_server_counters(const struct gw_server *server)
{
    return &server->counters;
}

void gw_server_destroy(struct gw_server **server)
{
    struct gw_server *old = *server;
    if (old == NULL) {
        return;
    }
    struct gw_conn *conn = NULL;
    while ((conn = GW_LIST_FIRST(&old->conns, struct gw_conn, node)) != NULL) {
        gw_conn_cut(conn, GW_ERR_CANCELLED);
        gw_conn_free(conn);
    }
    gw_h2_fini_server(old);
    gw_buf_fini(&old->scratch);
    gw_free(old);
    *server = NULL;
}

struct gw_str gw_server_date(struct gw_server *server)
{
    uint64_t now_ms = gw_loop_now_ms(server->opts.loop);
    if (now_ms >= server->date_until_ms) {
        uint64_t wall_ms = gw_clock_wall_ms();
        gw_clock_format_http_date(wall_ms, server->date);
        server->date_until_ms = now_ms + (1000 - wall_ms % 1000);
    }
    return gw_str(server->date, GW_CLOCK_HTTP_DATE_BYTES - 1);
}

void gw_server_reset_scratch(struct gw_server *server)
{
    if (server->scratch.capacity > GW_SERVER_HEAD_KEEP_BYTES) {
        gw_buf_fini(&server->scratch);
    } else {
        gw_buf_reset(&server->scratch);
    }
}

/* An upstream that sends bad fields does so in each answer: one line a minute tells it. */
static void warn_of_field(struct gw_server *server, struct gw_str name)
{
    uint64_t now_ms = gw_loop_now_ms(server->opts.loop);
    if (now_ms >= server->warn_again_ms) {
        server->warn_again_ms = now_ms + 60000;
        gw_log_warn("downstream", "a response field that is not valid was left out: " GW_STR_FMT,
                    GW_STR_ARG(name));
    }
}

bool gw_server_field_is_sendable(struct gw_server *server, const struct gw_header *field)
{
    if (field->id == GW_HEADER_CONTENT_LENGTH || gw_header_is_hop_by_hop(field->id)) {
        return false; /* framing is the connection's own affair */
    }
    bool has_name = field->id != GW_HEADER_OTHER || gw_header_name_is_valid(field->name);
    if (!has_name || !gw_header_value_is_valid(field->value)) {
        warn_of_field(server, field->name);
        return false;
    }
    return true;
}
