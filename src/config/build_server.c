/* SPDX-License-Identifier: MIT */
/* config/build_server - listeners, clients' limits, TLS and logging. */
#include <arpa/inet.h>
#include <sched.h>
#include <stdio.h>

#include "base/assert.h"
#include "config/build_int.h"

#define MAX_WORKERS 256 /* the largest machines; each has its own pools */

static bool is_address(struct gw_str text)
{
    char host[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (text.len == 0 || text.len >= sizeof(host)) {
        return false;
    }
    memcpy(host, text.ptr, text.len);
    host[text.len] = '\0';
    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

/* Names that stand for addresses in everybody's head. */
static struct gw_str address_of(struct gw_str text)
{
    static const struct {
        struct gw_str name;
        struct gw_str address;
    } names[] = {
        {GW_STR_INIT("localhost"), GW_STR_INIT("127.0.0.1")},
        {GW_STR_INIT("*"), GW_STR_INIT("0.0.0.0")},
        {GW_STR_INIT("[::]"), GW_STR_INIT("::")},
        {GW_STR_INIT("[::1]"), GW_STR_INIT("::1")},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(names); i++) {
        if (gw_str_eq(names[i].name, text)) {
            return names[i].address;
        }
    }
    return text;
}

/* Some shells export HOST with the machine's name; that is no wish to listen somewhere. */
static void drop_foreign_host(struct gw_config_build *build, struct gw_setting_value *host)
{
    bool is_foreign =
        gw_str_eq(host->source, GW_STR("HOST")) && !is_address(address_of(host->text));
    if (!is_foreign) {
        return;
    }
    gw_config_complain_env(&build->context, false, host->source,
                           "not an address to listen on, so it is ignored; SERVER_HOST is ours");
    yyjson_val *value = gw_config_get(build->context.document, "server.host");
    *host = (struct gw_setting_value){
        .is_set = yyjson_is_str(value), .value = value, .text = gw_config_text(value)};
}

static bool is_loopback(struct gw_str address)
{
    return gw_str_has_prefix(address, GW_STR("127.")) || gw_str_eq(address, GW_STR("::1"));
}

static enum gw_err build_host(struct gw_config_build *build)
{
    struct gw_listen_settings *listen = &build->snapshot->listen;
    bool is_open = build->snapshot->access.is_open;
    struct gw_setting_value host = *gw_build_setting(build, GW_SETTING_HOST);
    drop_foreign_host(build, &host);
    listen->host_is_default = !host.is_set;
    struct gw_str address = address_of(host.text);
    if (!host.is_set) {
        listen->host = is_open ? GW_STR("127.0.0.1") : GW_STR("0.0.0.0");
        return GW_OK;
    }
    if (!is_address(address)) {
        gw_config_complain_setting(&build->context, true, &host,
                                   "expected an IP address such as 127.0.0.1, 0.0.0.0 or ::");
        return GW_OK;
    }
    if (is_open && !is_loopback(address)) {
        gw_config_complain_setting(
            &build->context, false, &host,
            "the gateway listens on the network and no key is set: everybody "
            "who reaches it can spend your money. Set API_KEY");
    }
    listen->host = gw_arena_try_dup(gw_snapshot_arena(build->snapshot), address);
    return listen->host.ptr == NULL ? GW_ERR_NOMEM : GW_OK;
}

/* CPUs that this process may use: its affinity, and the quota of its container. */
static unsigned usable_cpus(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    unsigned cpus = count > 0 ? (unsigned)count : 1;
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "re");
    char line[64];
    if (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        struct gw_str rest = gw_str_trim(gw_str_from_c(line));
        struct gw_str quota = {0};
        uint64_t quota_us = 0;
        uint64_t period_us = 0;
        if (gw_str_split(&rest, ' ', &quota) && gw_parse_u64(quota, &quota_us) == GW_OK &&
            gw_parse_u64(rest, &period_us) == GW_OK && period_us > 0) {
            uint64_t allowed = (quota_us + period_us - 1) / period_us;
            cpus = allowed > 0 && allowed < cpus ? (unsigned)allowed : cpus;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return cpus < MAX_WORKERS ? cpus : MAX_WORKERS;
}

static uint16_t port_of(const struct gw_config_build *build, enum gw_setting_id id)
{
    return (uint16_t)gw_build_setting(build, id)->number;
}

/* Two listeners on one port would fail when they start; told here, with the names. */
static void check_ports(struct gw_config_build *build)
{
    static const enum gw_setting_id ids[] = {GW_SETTING_PORT, GW_SETTING_ADMIN_PORT,
                                             GW_SETTING_METRICS_PORT, GW_SETTING_GRPC_PORT};
    for (size_t i = 0; i < GW_ARRAY_LEN(ids); i++) {
        for (size_t j = 0; j < i; j++) {
            const struct gw_setting_value *a = gw_build_setting(build, ids[i]);
            const struct gw_setting_value *b = gw_build_setting(build, ids[j]);
            bool is_clash = a->number == b->number && a->number != 0 && !a->is_off && !b->is_off;
            if (is_clash) {
                gw_config_complain_setting(&build->context, true, a->is_set ? a : b,
                                           "port %llu is wanted for two listeners; set one of them "
                                           "to another port, or to off",
                                           (unsigned long long)a->number);
            }
        }
    }
}

static void build_ports(struct gw_config_build *build)
{
    struct gw_listen_settings *listen = &build->snapshot->listen;
    uint64_t workers = gw_build_setting(build, GW_SETTING_WORKERS)->number;
    listen->workers = workers > 0 ? (unsigned)workers : usable_cpus();
    listen->api_port = port_of(build, GW_SETTING_PORT);
    listen->admin_port = port_of(build, GW_SETTING_ADMIN_PORT);
    listen->metrics_port = port_of(build, GW_SETTING_METRICS_PORT);
    listen->grpc_port = port_of(build, GW_SETTING_GRPC_PORT);
    listen->admin_enabled = !gw_build_setting(build, GW_SETTING_ADMIN_PORT)->is_off;
    listen->metrics_enabled = !gw_build_setting(build, GW_SETTING_METRICS_PORT)->is_off;
    check_ports(build);
}

static enum gw_err build_cors(struct gw_config_build *build)
{
    const struct gw_setting_value *cors = gw_build_setting(build, GW_SETTING_CORS_ORIGINS);
    struct gw_str origins = cors->text;
    if (!cors->is_set) {
        /* With keys a foreign page can do nothing; in open mode it would spend the user's money, as
         * its requests come from his own machine. */
        origins = build->snapshot->access.is_open ? GW_STR("") : GW_STR("*");
    }
    build->snapshot->downstream.cors_allowed_origins =
        gw_arena_try_dup(gw_snapshot_arena(build->snapshot), gw_str_trim(origins));
    return build->snapshot->downstream.cors_allowed_origins.ptr == NULL ? GW_ERR_NOMEM : GW_OK;
}

/* Host compares with names only, so an address of a page would never match. */
static bool is_host_name(struct gw_str text)
{
    return text.len > 0 && gw_str_find_byte(text, '/') == text.len &&
           gw_str_find_byte(text, ':') == text.len;
}

static enum gw_err build_allowed_hosts(struct gw_config_build *build)
{
    const struct gw_setting_value *hosts = gw_build_setting(build, GW_SETTING_ALLOWED_HOSTS);
    struct gw_str list = gw_str_trim(hosts->text);
    struct gw_str rest = list;
    struct gw_str name;
    while (list.len > 0 && gw_str_split(&rest, ',', &name)) {
        if (!is_host_name(gw_str_trim(name))) {
            gw_config_complain_setting(&build->context, true, hosts,
                                       "expected host names such as gateway.example.com, without "
                                       "scheme and port, or \"*\"");
            break;
        }
    }
    struct gw_str *kept = &build->snapshot->access.allowed_hosts;
    *kept = gw_arena_try_dup(gw_snapshot_arena(build->snapshot), list);
    return kept->ptr == NULL ? GW_ERR_NOMEM : GW_OK;
}

static void build_limits(struct gw_config_build *build)
{
    struct gw_downstream_settings *downstream = &build->snapshot->downstream;
    const struct {
        uint64_t *member;
        enum gw_setting_id id;
    } members[] = {
        {&downstream->max_header_bytes, GW_SETTING_MAX_HEADER},
        {&downstream->max_body_bytes, GW_SETTING_MAX_BODY},
        {&downstream->max_connections_per_worker, GW_SETTING_MAX_CONNECTIONS},
        {&downstream->header_timeout_ms, GW_SETTING_HEADER_TIMEOUT},
        {&downstream->body_timeout_ms, GW_SETTING_BODY_TIMEOUT},
        {&downstream->write_timeout_ms, GW_SETTING_WRITE_TIMEOUT},
        {&downstream->idle_timeout_ms, GW_SETTING_IDLE_TIMEOUT},
        {&downstream->drain_grace_ms, GW_SETTING_DRAIN_GRACE},
        {&build->snapshot->upstream.max_idle_per_origin, GW_SETTING_POOL_SIZE},
        {&build->snapshot->upstream.idle_timeout_ms, GW_SETTING_POOL_IDLE},
        {&build->snapshot->upstream.dns_refresh_ms, GW_SETTING_DNS_REFRESH},
    };
    for (size_t i = 0; i < GW_ARRAY_LEN(members); i++) {
        *members[i].member = gw_build_setting(build, members[i].id)->number;
    }
}

static enum gw_err build_tls(struct gw_config_build *build)
{
    const struct gw_setting_value *cert = gw_build_setting(build, GW_SETTING_TLS_CERT);
    const struct gw_setting_value *key = gw_build_setting(build, GW_SETTING_TLS_KEY);
    if (!cert->is_set && !key->is_set) {
        return GW_OK;
    }
    if (!cert->is_set || !key->is_set) {
        gw_config_complain_setting(&build->context, true, cert->is_set ? cert : key,
                                   "TLS needs both cert_file and key_file; %s is missing",
                                   cert->is_set ? "key_file" : "cert_file");
        return GW_OK;
    }
    struct gw_arena *scratch = build->context.scratch;
    struct gw_str cert_file = gw_arena_try_dup(scratch, cert->text);
    struct gw_str key_file = gw_arena_try_dup(scratch, key->text);
    if (cert_file.ptr == NULL || key_file.ptr == NULL) {
        return GW_ERR_NOMEM;
    }
    const struct gw_tls_server_opts opts = {.cert_file = cert_file.ptr, .key_file = key_file.ptr};
    struct gw_str message = {0};
    enum gw_err err = gw_tls_server_create(&opts, scratch, &build->snapshot->tls, &message);
    if (err != GW_OK && err != GW_ERR_NOMEM) {
        gw_config_complain_setting(&build->context, true, cert, GW_STR_FMT, GW_STR_ARG(message));
        return GW_OK;
    }
    return err;
}

static enum gw_err build_log(struct gw_config_build *build)
{
    struct gw_log_settings *log = &build->snapshot->log;
    const struct gw_setting_value *level = gw_build_setting(build, GW_SETTING_LOG_LEVEL);
    const struct gw_setting_value *access = gw_build_setting(build, GW_SETTING_ACCESS_LOG);
    log->level = GW_LOG_INFO;
    if (level->is_set && gw_log_level_parse(level->text, &log->level) != GW_OK) {
        /* LOG_LEVEL belongs to many programs; theirs must not stop ours. */
        gw_config_complain_setting(&build->context, level->value != NULL, level,
                                   "expected error, warn, info or debug%s",
                                   level->value == NULL ? "; info is used" : "");
    }
    struct gw_str path = access->text.len > 0 ? access->text : GW_STR("-");
    path = access->is_off ? GW_STR("") : path;
    log->access_log = gw_arena_try_dup(gw_snapshot_arena(build->snapshot), path);
    return log->access_log.ptr == NULL ? GW_ERR_NOMEM : GW_OK;
}

enum gw_err gw_build_server(struct gw_config_build *build)
{
    build_ports(build);
    build_limits(build);
    enum gw_err err = build_host(build);
    err = err == GW_OK ? build_cors(build) : err;
    err = err == GW_OK ? build_allowed_hosts(build) : err;
    err = err == GW_OK ? build_tls(build) : err;
    return err == GW_OK ? build_log(build) : err;
}
