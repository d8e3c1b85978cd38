/* SPDX-License-Identifier: MIT */
/* core/core - server, upstream client and configuration of one worker. */
#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "core/core_int.h"
#include "dialect/openai.h"
#include "downstream/server.h"

static struct gw_server_limits limits_of(const struct gw_snapshot *snapshot)
{
    const struct gw_downstream_settings *settings = &snapshot->downstream;
    return (struct gw_server_limits){
        .max_header_bytes = settings->max_header_bytes,
        .max_connections = settings->max_connections_per_worker,
        .header_timeout_ms = settings->header_timeout_ms,
        .body_timeout_ms = settings->body_timeout_ms,
        .write_timeout_ms = settings->write_timeout_ms,
        .idle_timeout_ms = settings->idle_timeout_ms,
    };
}

/* What the connection answers itself, for a message that never became a request. */
static void on_error_body(void *user, unsigned status, const char *what, struct gw_buf *body)
{
    (void)user;
    struct gw_error error = {
        .class = GW_ERROR_CLIENT, .status = status, .message = gw_str_from_c(what)};
    gw_openai_write_error(&error, body);
}

static void on_connection_closed(void *user)
{
    struct gw_core *core = user;
    if (core->on_connection_closed != NULL) {
        core->on_connection_closed(core->user);
    }
}

struct gw_core *gw_core_create(const struct gw_core_opts *opts)
{
    struct gw_core *core = gw_zalloc(sizeof(*core));
    const struct gw_upstream_settings *settings = &opts->snapshot->upstream;
    core->loop = opts->loop;
    core->estimates = opts->estimates;
    core->responses = opts->responses;
    core->deployments = opts->deployments;
    core->on_settled = opts->on_settled;
    core->on_connection_closed = opts->on_connection_closed;
    core->user = opts->user;
    core->counters = gw_zalloc(sizeof(*core->counters));
    core->started_wall_ms = gw_clock_wall_ms();
    gw_list_init(&core->requests);
    gw_list_init(&core->mirrors);
    gw_list_init(&core->probes);
    struct gw_upstream_opts upstream = {
        .loop = opts->loop,
        .max_idle_per_origin = settings->max_idle_per_origin,
        .idle_timeout_ms = settings->idle_timeout_ms,
        .dns_refresh_ms = settings->dns_refresh_ms,
    };
    core->upstream = gw_upstream_create(&upstream);
    struct gw_server_opts server = {
        .loop = opts->loop,
        .limits = limits_of(opts->snapshot),
        .on_request = gw_request_begin,
        .on_error_body = on_error_body,
        .on_connection_closed = on_connection_closed,
        .user = core,
    };
    core->server = gw_server_create(&server);
    core->conf = gw_conf_create(opts->snapshot, core->upstream, opts->deployments);
    gw_prober_follow(core);
    return core;
}

void gw_core_destroy(struct gw_core **core)
{
    struct gw_core *old = *core;
    if (old == NULL) {
        return;
    }
    GW_LIST_FOREACH(&old->requests, node)
    {
        gw_request_cancel(GW_CONTAINER_OF(node, struct gw_request, node));
    }
    gw_mirror_cancel_all(old);
    gw_prober_stop(old);
    gw_server_destroy(&old->server);
    gw_loop_run_deferred(old->loop); /* the requests let go of the configuration */
    gw_conf_release(&old->conf);
    gw_upstream_destroy(&old->upstream);
    gw_loop_run_deferred(old->loop);
    gw_free(old->counters);
    gw_free(old);
    *core = NULL;
}

void gw_core_accept(struct gw_core *core, int fd, const struct gw_address *peer)
{
    gw_server_accept(core->server, fd, peer, core->conf->snapshot->tls);
}

void gw_core_adopt(struct gw_core *core, struct gw_snapshot *snapshot)
{
    struct gw_server_limits limits = limits_of(snapshot);
    /* The new pools are taken before the old ones are given back, so that unchanged origins keep
     * their connections. */
    struct gw_conf *fresh = gw_conf_create(snapshot, core->upstream, core->deployments);
    gw_conf_release(&core->conf);
    core->conf = fresh;
    gw_prober_follow(core);
    gw_server_set_limits(core->server, &limits);
}

void gw_core_drain(struct gw_core *core)
{
    core->is_draining = true;
    gw_prober_stop(core);
    gw_server_drain(core->server);
}

bool gw_core_is_idle(const struct gw_core *core)
{
    return gw_list_is_empty(&core->requests) && gw_server_connection_count(core->server) == 0;
}

bool gw_core_has_room(const struct gw_core *core)
{
    return gw_server_connection_count(core->server) <
           core->conf->snapshot->downstream.max_connections_per_worker;
}

const struct gw_counters *gw_core_counters(const struct gw_core *core)
{
    return core->counters;
}

const struct gw_server_counters *gw_core_server_counters(const struct gw_core *core)
{
    return gw_server_counters(core->server);
}

const struct gw_upstream_counters *gw_core_upstream_counters(const struct gw_core *core)
{
    return gw_upstream_counters(core->upstream);
}
