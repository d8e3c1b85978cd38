/* SPDX-License-Identifier: MIT */
/*
 * main/gateway - the control thread.
 *
 * Stages of start-up, each undone in reverse order at the end:
 *   configuration -> log -> sockets -> control loop -> tokens -> workers -> admin -> signals and
 * file watch
 * -> ready
 */
#include "main/gateway.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "control/refresher.h"
#include "control/token_book.h"
#include "core/worker.h"
#include "gw_version.h"
#include "main/banner.h"
#include "main/fixed.h"
#include "main/handover.h"
#include "main/listen.h"
#include "main/notify.h"
#include "main/watch.h"
#include "obs/access_log.h"
#include "obs/prometheus.h"
#include "obs/prometheus_routing.h"

#define MESSAGE_MAX_BYTES (64u * 1024)
#define SIGNAL_COUNT      5

/* What one worker's thread writes to. */
struct worker_slot {
    struct gw_worker *worker;
    struct gw_access_log *access_log;
};

struct gateway {
    struct gw_gateway_opts opts;
    struct gw_arena arena; /* texts of start-up */
    struct gw_snapshot *snapshot;
    struct gw_fixed_settings fixed; /* as this process runs with them */
    struct gw_log_sink *sink;       /* NULL: no access log */
    struct gw_access_log_rest log_rest;
    struct gw_token_estimates *estimates;
    struct gw_deployment_registry *deployments;
    struct gw_token_book *tokens;
    struct gw_refresher *refresher;
    struct gw_response_store *responses;
    struct gw_listen_set sockets;
    struct gw_loop *loop;
    struct worker_slot *slots;
    size_t slot_count;
    struct gw_admin *admin;
    uv_signal_t signals[SIGNAL_COUNT];
    unsigned open_signals;
    struct gw_watch watch; /* of the configuration file */
    struct gw_handover *handover;
    struct gw_timer grace_timer;
    struct gw_process_metrics process;
    size_t drained_count;
    bool is_draining;
};

/* ---- configuration ---- */

static void print_report(const char *path, const struct gw_config_report *report)
{
    for (size_t i = 0; i < report->count; i++) {
        const struct gw_config_issue *issue = &report->issues[i];
        enum gw_log_level level = issue->is_error ? GW_LOG_ERROR : GW_LOG_WARN;
        struct gw_str file = issue->file.len > 0 ? issue->file : gw_str_from_c(path);
        char place[32] = "";
        if (issue->line > 0) {
            snprintf(place, sizeof(place), ":%u", issue->line);
        }
        GW_LOG_IF(level, "config", GW_STR_FMT "%s: " GW_STR_FMT "%s" GW_STR_FMT, GW_STR_ARG(file),
                  place, GW_STR_ARG(issue->key_path), issue->key_path.len > 0 ? ": " : "",
                  GW_STR_ARG(issue->message));
    }
}

static struct gw_config_source source_of(const struct gateway *gateway)
{
    return (struct gw_config_source){.path = gateway->opts.config_path,
                                     .tokens = gateway->tokens,
                                     .probe_local = true,
                                     .created_at_s = gateway->process.started_wall_ms / 1000};
}

static enum gw_err load_configuration(struct gateway *gateway)
{
    struct gw_config_source source = source_of(gateway);
    struct gw_config_report report = {0};
    if (source.path != NULL) {
        gw_watch_look(&gateway->watch, source.path);
    }
    enum gw_err err = gw_config_load(&source, &gateway->snapshot, &report);
    print_report(gateway->opts.config_path, &report);
    gw_config_report_fini(&report);
    return err;
}

static void write_report(const struct gw_config_report *report, struct gw_buf *out)
{
    (void)gw_buf_append(out, GW_STR("\"findings\":["));
    for (size_t i = 0; i < report->count; i++) {
        const struct gw_config_issue *issue = &report->issues[i];
        (void)gw_buf_appendf(out, "%s{\"level\":\"%s\",\"line\":%u,\"key\":\"", i > 0 ? "," : "",
                             issue->is_error ? "error" : "warning", issue->line);
        (void)gw_buf_append_json(out, issue->key_path);
        (void)gw_buf_append(out, GW_STR("\",\"message\":\""));
        (void)gw_buf_append_json(out, issue->message);
        (void)gw_buf_append(out, GW_STR("\"}"));
    }
    (void)gw_buf_append(out, GW_STR("]"));
}

static void warn_of_fixed(const struct gateway *gateway, const struct gw_snapshot *fresh)
{
    struct gw_buf names;
    gw_buf_init(&names, MESSAGE_MAX_BYTES);
    if (gw_fixed_write_changes(&gateway->fixed, fresh, &names)) {
        gw_log_warn("config",
                    "not in force yet: " GW_STR_FMT " changed and takes effect in a new process; "
                    "send SIGUSR2 to hand over to one without losing a connection",
                    GW_STR_ARG(gw_buf_str(&names)));
    }
    gw_buf_fini(&names);
}

static void adopt(struct gateway *gateway, struct gw_snapshot *fresh)
{
    warn_of_fixed(gateway, fresh);
    gw_log_set_level(fresh->log.level);
    for (size_t i = 0; i < gateway->slot_count; i++) {
        gw_worker_adopt(gateway->slots[i].worker, fresh);
    }
    gw_snapshot_release(&gateway->snapshot);
    gateway->snapshot = fresh;
    gw_refresher_wake(gateway->refresher);
    gateway->process.reloads_total++;
    gateway->process.is_open_mode = fresh->access.is_open;
    gw_log_info("config", "configuration taken over");
}

/* All or nothing: a file with an error changes nothing. |out| may be NULL. */
static bool reload(struct gateway *gateway, struct gw_buf *out)
{
    struct gw_config_source source = source_of(gateway);
    struct gw_config_report report = {0};
    struct gw_snapshot *fresh = NULL;
    source.probe_local = gateway->opts.config_path == NULL;
    gw_notify("RELOADING=1");
    bool is_good = gw_config_load(&source, &fresh, &report) == GW_OK;
    print_report(gateway->opts.config_path, &report);
    if (is_good) {
        adopt(gateway, fresh);
    } else {
        gateway->process.reload_failures_total++;
        gw_log_error("config", "the new configuration is not taken over; the running one stays");
    }
    if (out != NULL) {
        (void)gw_buf_appendf(out, "{\"taken_over\":%s,", is_good ? "true" : "false");
        write_report(&report, out);
        (void)gw_buf_append(out, GW_STR("}"));
    }
    gw_config_report_fini(&report);
    gw_notify("READY=1");
    return is_good;
}

/* ---- what the admin pages show ---- */

static const struct gw_snapshot *current_snapshot(void *user)
{
    const struct gateway *gateway = user;
    return gateway->snapshot;
}

static bool is_ready(void *user)
{
    const struct gateway *gateway = user;
    return !gateway->is_draining;
}

static void write_metrics(void *user, struct gw_buf *out)
{
    struct gateway *gateway = user;
    const struct gw_core **cores = gw_alloc(gateway->slot_count * sizeof(struct gw_core *));
    for (size_t i = 0; i < gateway->slot_count; i++) {
        cores[i] = gw_worker_core(gateway->slots[i].worker);
    }
    gateway->process.log_lines_dropped_total =
        gateway->sink != NULL ? gw_log_sink_dropped(gateway->sink) : 0;
    struct gw_refresher_counts counts = gw_refresher_counts(gateway->refresher);
    gateway->process.token_refreshes_total = counts.refreshes_total;
    gateway->process.token_refresh_failures_total = counts.failures_total;
    gw_prometheus_write(cores, gateway->slot_count, &gateway->process, out);
    gw_prometheus_write_routing(gateway->snapshot->catalog, gateway->deployments,
                                gw_loop_now_ms(gateway->loop), out);
    gw_free(cores);
}

static void write_status(void *user, struct gw_buf *out)
{
    struct gateway *gateway = user;
    uint64_t in_flight = 0;
    uint64_t connections = 0;
    for (size_t i = 0; i < gateway->slot_count; i++) {
        const struct gw_core *core = gw_worker_core(gateway->slots[i].worker);
        in_flight += gw_counter_get(&gw_core_counters(core)->in_flight);
        connections += gw_counter_get(&gw_core_server_counters(core)->open);
    }
    (void)gw_buf_appendf(
        out,
        "{\"name\":\"gatewire\",\"version\":\"" GW_VERSION
        "\",\"pid\":%d,\"uptime_seconds\":%llu,\"workers\":%zu,"
        "\"open_mode\":%s,\"draining\":%s,\"requests_in_flight\":%llu,\"downstream_connections\":%"
        "llu,"
        "\"reloads\":%llu,\"reload_failures\":%llu,\"config\":\"",
        (int)getpid(),
        (unsigned long long)((gw_clock_wall_ms() - gateway->process.started_wall_ms) / 1000),
        gateway->slot_count, gateway->snapshot->access.is_open ? "true" : "false",
        gateway->is_draining ? "true" : "false", (unsigned long long)in_flight,
        (unsigned long long)connections, (unsigned long long)gateway->process.reloads_total,
        (unsigned long long)gateway->process.reload_failures_total);
    (void)gw_buf_append_json(out, gateway->snapshot->source_path);
    (void)gw_buf_append(out, GW_STR("\"}"));
}

static bool reload_from_admin(void *user, struct gw_buf *out)
{
    return reload(user, out);
}

/* ---- the end ---- */

static void on_grace_over(struct gw_timer *timer)
{
    struct gateway *gateway = GW_CONTAINER_OF(timer, struct gateway, grace_timer);
    gw_log_warn("drain", "the grace time of %llu ms is over; what still runs is cut",
                (unsigned long long)gateway->snapshot->downstream.drain_grace_ms);
    gw_loop_stop(gateway->loop);
}

static void on_worker_drained(void *user)
{
    struct gateway *gateway = user;
    gateway->drained_count++;
    if (gateway->drained_count == gateway->slot_count) {
        gw_loop_stop(gateway->loop);
    }
}

static void drain(struct gateway *gateway)
{
    if (gateway->is_draining) {
        return;
    }
    gateway->is_draining = true;
    if (gateway->handover == NULL) { /* else the service goes on in the successor */
        gw_notify("STOPPING=1");
    }
    gw_log_info("drain", "no new connections; finishing what runs, at most %llu ms",
                (unsigned long long)gateway->snapshot->downstream.drain_grace_ms);
    for (size_t i = 0; i < gateway->slot_count; i++) {
        gw_worker_drain(gateway->slots[i].worker);
    }
    gw_timer_set_at(&gateway->grace_timer,
                    gw_loop_now_ms(gateway->loop) + gateway->snapshot->downstream.drain_grace_ms);
}

/* ---- hand-over ---- */

static void on_successor_ready(void *user, int pid)
{
    struct gateway *gateway = user;
    char state[64];
    gw_log_info("handover", "the new process %d serves; this one drains", pid);
    snprintf(state, sizeof(state), "MAINPID=%d", pid);
    gw_notify(state);
    /* The successor has its own admin and metrics listeners on the same sockets: leave them to it.
     */
    gw_admin_destroy(&gateway->admin);
    drain(gateway);
}

static void on_successor_failed(void *user)
{
    struct gateway *gateway = user;
    gw_log_error("handover", "the new process did not come up; this one goes on");
    gw_handover_close(&gateway->handover);
}

static void hand_over(struct gateway *gateway)
{
    if (gateway->handover != NULL || gateway->is_draining) {
        gw_log_warn("handover", "a hand-over or a drain is under way already");
        return;
    }
    int fds[GW_LISTEN_MAX_API + 2];
    size_t count = 0;
    struct gw_buf names;
    gw_buf_init(&names, MESSAGE_MAX_BYTES);
    (void)gw_buf_append(&names, GW_STR("api="));
    for (size_t i = 0; i < gateway->sockets.api_count; i++) {
        (void)gw_buf_appendf(&names, "%s%zu", i > 0 ? "," : "", count + 3);
        fds[count++] = gateway->sockets.api[i];
    }
    if (gateway->sockets.admin != -1) {
        (void)gw_buf_appendf(&names, ";admin=%zu", count + 3);
        fds[count++] = gateway->sockets.admin;
    }
    if (gateway->sockets.metrics != -1) {
        (void)gw_buf_appendf(&names, ";metrics=%zu", count + 3);
        fds[count++] = gateway->sockets.metrics;
    }
    (void)gw_buf_append_byte(&names, '\0');
    struct gw_handover_opts opts = {.loop = gateway->loop,
                                    .argv = gateway->opts.argv,
                                    .fds = fds,
                                    .fd_count = count,
                                    .sockets = names.ptr,
                                    .on_ready = on_successor_ready,
                                    .on_failed = on_successor_failed,
                                    .user = gateway};
    gw_log_info("handover", "starting %s to take over", gateway->opts.argv[0]);
    gw_err_ignore(
        gw_handover_start(&opts, &gateway->handover)); /* logged, and this process goes on */
    gw_buf_fini(&names);
}

/* ---- signals and the file ---- */

static void on_signal(uv_signal_t *handle, int number)
{
    struct gateway *gateway = handle->data;
    switch (number) {
    case SIGHUP:
        (void)reload(gateway, NULL);
        break;
    case SIGUSR1:
        if (gateway->sink != NULL) {
            gw_log_sink_reopen(gateway->sink);
        }
        break;
    case SIGUSR2:
        hand_over(gateway);
        break;
    default:
        if (gateway->is_draining) {
            gw_log_warn("drain", "told to stop again: what still runs is cut");
            gw_loop_stop(gateway->loop);
        }
        drain(gateway);
        break;
    }
    gw_loop_run_deferred(gateway->loop);
}

static void on_file_changed(void *user)
{
    struct gateway *gateway = user;
    if (!gateway->is_draining) {
        gw_log_info("config", "the file changed");
        (void)reload(gateway, NULL);
        gw_loop_run_deferred(gateway->loop);
    }
}

static void start_signals(struct gateway *gateway)
{
    static const int numbers[SIGNAL_COUNT] = {SIGHUP, SIGTERM, SIGINT, SIGUSR1, SIGUSR2};
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < SIGNAL_COUNT; i++) {
        uv_signal_init(gw_loop_uv(gateway->loop), &gateway->signals[i]);
        gateway->signals[i].data = gateway;
        uv_signal_start(&gateway->signals[i], on_signal, numbers[i]);
        gateway->open_signals++;
    }
    gw_watch_start(&gateway->watch, gateway->loop, on_file_changed, gateway);
}

static void stop_signals(struct gateway *gateway)
{
    for (size_t i = 0; i < gateway->open_signals; i++) {
        uv_close((uv_handle_t *)&gateway->signals[i], NULL);
    }
    gw_watch_stop(&gateway->watch);
}

/* ---- start ---- */

/* Each request holds two descriptors; the soft limit of 1024 that shells give would stop at 500. */
static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* A dump of this process would hold every key and prompt. Collectors that dumps are piped to
 * (systemd-coredump, apport) get this limit told and heed it. */
static void forbid_core_dumps(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_CORE, &limit) == 0) {
        limit.rlim_cur = 0;
        (void)setrlimit(RLIMIT_CORE, &limit);
    }
}

static enum gw_err remember_fixed(struct gateway *gateway)
{
    return gw_fixed_remember(gateway->snapshot, &gateway->arena, &gateway->fixed);
}

static enum gw_err open_access_log(struct gateway *gateway)
{
    struct gw_str path = gateway->snapshot->log.access_log;
    if (path.len == 0) {
        return GW_OK;
    }
    char name[4096];
    snprintf(name, sizeof(name), GW_STR_FMT, GW_STR_ARG(path));
    enum gw_err err = gw_log_sink_create(name, &gateway->sink);
    if (err != GW_OK) {
        gw_log_error("log", "cannot open the access log %s: %s", name, gw_err_text(err));
    }
    return err;
}

static void on_settled(void *user, const struct gw_request_record *record)
{
    struct worker_slot *slot = user;
    gw_access_log_add(slot->access_log, record);
}

static void on_turn_end(void *user)
{
    struct worker_slot *slot = user;
    gw_access_log_flush(slot->access_log);
}

/* The descriptors stay open here too, for a successor: each worker gets duplicates. */
static enum gw_err start_worker(struct gateway *gateway, size_t index)
{
    struct worker_slot *slot = &gateway->slots[index];
    int fds[GW_LISTEN_MAX_API];
    size_t count = 0;
    for (size_t i = index; i < gateway->sockets.api_count; i += gateway->snapshot->listen.workers) {
        fds[count++] = dup(gateway->sockets.api[i]);
    }
    slot->access_log = gw_access_log_create(gateway->sink, &gateway->log_rest);
    struct gw_worker_opts opts = {.snapshot = gateway->snapshot,
                                  .estimates = gateway->estimates,
                                  .responses = gateway->responses,
                                  .deployments = gateway->deployments,
                                  .listen_fds = fds,
                                  .listen_fd_count = count,
                                  .on_settled = on_settled,
                                  .on_turn_end = on_turn_end,
                                  .user = slot,
                                  .control = gateway->loop,
                                  .on_drained = on_worker_drained,
                                  .control_user = gateway};
    return gw_worker_create(&opts, &slot->worker);
}

static enum gw_err start_workers(struct gateway *gateway)
{
    size_t count = gateway->snapshot->listen.workers;
    gateway->slots = gw_zalloc(count * sizeof(*gateway->slots));
    for (size_t i = 0; i < count; i++) {
        enum gw_err err = start_worker(gateway, i);
        gateway->slot_count++;
        if (err != GW_OK) {
            gw_log_error("main", "cannot start worker %zu: %s", i, gw_err_text(err));
            return err;
        }
    }
    return GW_OK;
}

static enum gw_err start_admin(struct gateway *gateway)
{
    struct gw_admin_opts opts = {
        .loop = gateway->loop,
        .admin_fd = gateway->sockets.admin != -1 ? dup(gateway->sockets.admin) : -1,
        .metrics_fd = gateway->sockets.metrics != -1 ? dup(gateway->sockets.metrics) : -1,
        .snapshot = current_snapshot,
        .is_ready = is_ready,
        .write_metrics = write_metrics,
        .write_status = write_status,
        .reload = reload_from_admin,
        .user = gateway,
    };
    return gw_admin_create(&opts, &gateway->admin);
}

static enum gw_err open_sockets(struct gateway *gateway)
{
    struct gw_str message = {0};
    enum gw_err err =
        gw_listen_open(&gateway->snapshot->listen, &gateway->arena, &gateway->sockets, &message);
    if (err != GW_OK) {
        gw_log_error("main", GW_STR_FMT, GW_STR_ARG(message));
    }
    return err;
}

static enum gw_err make_loop(struct gateway *gateway)
{
    enum gw_err err = gw_loop_create(&gateway->loop);
    if (err == GW_OK) {
        gw_timer_init(&gateway->grace_timer, gateway->loop, on_grace_over);
        gw_access_log_rest_init(&gateway->log_rest, gateway->loop, gateway->sink);
    }
    return err;
}

static enum gw_err start_refresher(struct gateway *gateway)
{
    enum gw_err err = gw_refresher_create(gateway->tokens, &gateway->refresher);
    if (err != GW_OK) {
        gw_log_error("main", "cannot start the thread that fetches tokens: %s", gw_err_text(err));
    }
    return err;
}

static enum gw_err start(struct gateway *gateway)
{
    static enum gw_err (*const stages[])(struct gateway * gateway) = {
        load_configuration, remember_fixed,  open_access_log, open_sockets,
        make_loop,          start_refresher, start_workers,   start_admin};
    for (size_t i = 0; i < GW_ARRAY_LEN(stages); i++) {
        enum gw_err err = stages[i](gateway);
        if (err != GW_OK) {
            return err;
        }
    }
    gw_log_set_level(gateway->snapshot->log.level);
    gateway->process.is_open_mode = gateway->snapshot->access.is_open;
    start_signals(gateway);
    gw_banner_print(gateway->snapshot, &gateway->sockets);
    gw_handover_tell_ready();
    gw_notify("READY=1");
    return GW_OK;
}

static void stop(struct gateway *gateway)
{
    stop_signals(gateway);
    gw_handover_close(&gateway->handover);
    gw_admin_destroy(&gateway->admin);
    for (size_t i = 0; i < gateway->slot_count; i++) {
        gw_worker_destroy(&gateway->slots[i].worker);
        gw_access_log_destroy(&gateway->slots[i].access_log);
    }
    gw_free(gateway->slots);
    if (gateway->loop != NULL) {
        gw_timer_clear(&gateway->grace_timer);
        gw_access_log_rest_fini(&gateway->log_rest);
        gw_loop_destroy(&gateway->loop);
    }
    gw_listen_close(&gateway->sockets);
    gw_log_sink_destroy(&gateway->sink);
    gw_refresher_destroy(&gateway->refresher);
    gw_snapshot_release(&gateway->snapshot);
    gw_token_book_release(&gateway->tokens);
    gw_response_store_destroy(&gateway->responses);
    gw_deployment_registry_destroy(&gateway->deployments);
    gw_token_estimates_destroy(&gateway->estimates);
    gw_arena_fini(&gateway->arena);
}

int gw_gateway_run(const struct gw_gateway_opts *opts)
{
    const struct gw_response_store_opts responses = {0}; /* the defaults */
    struct gateway gateway = {.opts = *opts, .sockets = {.admin = -1, .metrics = -1}};
    gw_arena_init(&gateway.arena, NULL, 0, 4096, MESSAGE_MAX_BYTES);
    gateway.process.started_wall_ms = gw_clock_wall_ms();
    gateway.estimates = gw_token_estimates_create();
    gateway.deployments = gw_deployment_registry_create();
    gateway.tokens = gw_token_book_create();
    gateway.responses = gw_response_store_create(&responses);
    raise_file_limit();
    forbid_core_dumps();
    enum gw_err err = start(&gateway);
    if (err == GW_OK) {
        gw_loop_run(gateway.loop);
        gw_log_info("main", "stopped");
    }
    stop(&gateway);
    return err == GW_OK ? 0 : 1;
}
