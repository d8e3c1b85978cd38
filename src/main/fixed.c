/* SPDX-License-Identifier: MIT */
/* main/fixed - see the header. */
#include "main/fixed.h"

enum gw_err gw_fixed_remember(const struct gw_snapshot *snapshot, struct gw_arena *arena,
                              struct gw_fixed_settings *out)
{
    *out = (struct gw_fixed_settings){.listen = snapshot->listen, .upstream = snapshot->upstream};
    out->listen.host = gw_arena_try_dup(arena, snapshot->listen.host);
    out->access_log = gw_arena_try_dup(arena, snapshot->log.access_log);
    return out->listen.host.ptr == NULL || out->access_log.ptr == NULL ? GW_ERR_NOMEM : GW_OK;
}

/* The first key moves the default address from 127.0.0.1 to all: that too waits for a new process,
 * but nobody asked for it. */
static bool wants_other_host(const struct gw_listen_settings *a, const struct gw_listen_settings *b)
{
    return !gw_str_eq(a->host, b->host) && !(a->host_is_default && b->host_is_default);
}

static bool wants_other_port(uint16_t a, bool a_is_enabled, uint16_t b, bool b_is_enabled)
{
    return a_is_enabled != b_is_enabled || (a_is_enabled && a != b);
}

bool gw_fixed_write_changes(const struct gw_fixed_settings *running,
                            const struct gw_snapshot *fresh, struct gw_buf *names)
{
    const struct gw_listen_settings *a = &running->listen;
    const struct gw_listen_settings *b = &fresh->listen;
    const struct gw_upstream_settings *from = &running->upstream;
    const struct gw_upstream_settings *to = &fresh->upstream;
    const struct {
        const char *name;
        bool is_changed;
    } settings[] = {
        {"server.workers", a->workers != b->workers},
        {"server.host", wants_other_host(a, b)},
        {"server.port", a->api_port != b->api_port},
        {"server.admin_port",
         wants_other_port(a->admin_port, a->admin_enabled, b->admin_port, b->admin_enabled)},
        {"server.metrics_port", wants_other_port(a->metrics_port, a->metrics_enabled,
                                                 b->metrics_port, b->metrics_enabled)},
        {"upstream.max_idle_connections", from->max_idle_per_origin != to->max_idle_per_origin},
        {"upstream.keepalive_idle", from->idle_timeout_ms != to->idle_timeout_ms},
        {"upstream.dns_refresh", from->dns_refresh_ms != to->dns_refresh_ms},
        {"logging.access_log", !gw_str_eq(running->access_log, fresh->log.access_log)},
    };
    bool has_changes = false;
    for (size_t i = 0; i < GW_ARRAY_LEN(settings); i++) {
        if (settings[i].is_changed) {
            (void)gw_buf_appendf(names, "%s%s", has_changes ? ", " : "", settings[i].name);
            has_changes = true;
        }
    }
    return has_changes;
}
