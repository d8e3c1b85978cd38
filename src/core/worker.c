/* SPDX-License-Identifier: MIT */
/* core/worker - thread, messages, listeners. */
#include "core/worker.h"

#include <pthread.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/assert.h"
#include "net/listener.h"

#define DRAIN_CHECK_MS                                                                             \
    20 /* how often a draining worker looks whether it is idle; ends a restart that much later at  \
          most */

struct gw_worker {
    struct gw_worker_opts opts;
    pthread_t thread;
    struct gw_loop *loop;
    struct gw_core *core;
    struct gw_listener **listeners;
    size_t listener_count;
    struct gw_timer drain_timer;
};

enum command {
    COMMAND_ADOPT,
    COMMAND_DRAIN,
    COMMAND_STOP,
};

struct command_message {
    struct gw_message super;
    struct gw_worker *worker;
    enum command command;
    struct gw_snapshot *snapshot; /* ADOPT: reference */
};

struct drained_message {
    struct gw_message super;
    void (*on_drained)(void *control_user);
    void *control_user;
};

static void on_accept(void *user, int fd, const struct gw_address *peer)
{
    struct gw_worker *worker = user;
    gw_core_accept(worker->core, fd, peer);
    if (!gw_core_has_room(worker->core)) {
        for (size_t i = 0; i < worker->listener_count; i++) {
            gw_listener_set_paused(worker->listeners[i], true);
        }
    }
}

static void on_connection_closed(void *user)
{
    struct gw_worker *worker = user;
    if (gw_core_has_room(worker->core)) {
        for (size_t i = 0; i < worker->listener_count; i++) {
            gw_listener_set_paused(worker->listeners[i], false);
        }
    }
}

static void on_settled(void *user, const struct gw_request_record *record)
{
    struct gw_worker *worker = user;
    worker->opts.on_settled(worker->opts.user, record);
}

static void close_listeners(struct gw_worker *worker)
{
    for (size_t i = 0; i < worker->listener_count; i++) {
        gw_listener_destroy(&worker->listeners[i]);
    }
    worker->listener_count = 0;
}

static void on_drained_message(struct gw_message *message)
{
    struct drained_message *drained = GW_CONTAINER_OF(message, struct drained_message, super);
    drained->on_drained(drained->control_user);
    gw_free(drained);
}

static void on_drain_check(struct gw_timer *timer)
{
    struct gw_worker *worker = GW_CONTAINER_OF(timer, struct gw_worker, drain_timer);
    if (!gw_core_is_idle(worker->core)) {
        gw_timer_set_at(timer, gw_loop_now_ms(worker->loop) + DRAIN_CHECK_MS);
        return;
    }
    struct drained_message *drained = gw_zalloc(sizeof(*drained));
    drained->super.receive = on_drained_message;
    drained->on_drained = worker->opts.on_drained;
    drained->control_user = worker->opts.control_user;
    gw_loop_post(worker->opts.control, &drained->super);
}

static void on_command(struct gw_message *message)
{
    struct command_message *command = GW_CONTAINER_OF(message, struct command_message, super);
    struct gw_worker *worker = command->worker;
    switch (command->command) {
    case COMMAND_ADOPT:
        gw_core_adopt(worker->core, command->snapshot);
        break;
    case COMMAND_DRAIN:
        close_listeners(worker);
        gw_core_drain(worker->core);
        gw_timer_set_at(&worker->drain_timer, gw_loop_now_ms(worker->loop));
        break;
    case COMMAND_STOP:
        gw_loop_stop(worker->loop);
        break;
    }
    gw_free(command);
}

static void send_command(struct gw_worker *worker, enum command what, struct gw_snapshot *snapshot)
{
    struct command_message *command = gw_zalloc(sizeof(*command));
    command->super.receive = on_command;
    command->worker = worker;
    command->command = what;
    command->snapshot = snapshot;
    gw_loop_post(worker->loop, &command->super);
}

static void *run(void *arg)
{
    struct gw_worker *worker = arg;
    gw_loop_run(worker->loop);
    gw_timer_clear(&worker->drain_timer);
    close_listeners(worker);
    gw_core_destroy(&worker->core);
    if (worker->opts.on_turn_end != NULL) {
        worker->opts.on_turn_end(worker->opts.user);
    }
    gw_loop_destroy(&worker->loop);
    return NULL;
}

static enum gw_err listen_all(struct gw_worker *worker)
{
    worker->listeners = gw_zalloc(worker->opts.listen_fd_count * sizeof(struct gw_listener *));
    for (size_t i = 0; i < worker->opts.listen_fd_count; i++) {
        enum gw_err err = gw_listener_create(worker->loop, worker->opts.listen_fds[i], on_accept,
                                             worker, &worker->listeners[worker->listener_count]);
        if (err != GW_OK) {
            return err;
        }
        worker->listener_count++;
    }
    return GW_OK;
}

static void free_worker(struct gw_worker *worker)
{
    gw_free(worker->listeners);
    gw_free(worker);
}

enum gw_err gw_worker_create(const struct gw_worker_opts *opts, struct gw_worker **out)
{
    struct gw_worker *worker = gw_zalloc(sizeof(*worker));
    worker->opts = *opts;
    enum gw_err err = gw_loop_create(&worker->loop);
    if (err != GW_OK) {
        gw_free(worker);
        return err;
    }
    struct gw_core_opts core = {
        .loop = worker->loop,
        .snapshot = gw_snapshot_acquire(opts->snapshot),
        .estimates = opts->estimates,
        .deployments = opts->deployments,
        .responses = opts->responses,
        .on_settled = on_settled,
        .on_connection_closed = on_connection_closed,
        .user = worker,
    };
    worker->core = gw_core_create(&core);
    gw_timer_init(&worker->drain_timer, worker->loop, on_drain_check);
    gw_loop_set_turn_end(worker->loop, opts->on_turn_end, opts->user);
    err = listen_all(worker);
    if (err == GW_OK && pthread_create(&worker->thread, NULL, run, worker) != 0) {
        err = GW_ERR_IO;
    }
    if (err != GW_OK) {
        close_listeners(worker);
        gw_core_destroy(&worker->core);
        gw_loop_destroy(&worker->loop);
        free_worker(worker);
        return err;
    }
    *out = worker;
    return GW_OK;
}

void gw_worker_adopt(struct gw_worker *worker, struct gw_snapshot *snapshot)
{
    send_command(worker, COMMAND_ADOPT, gw_snapshot_acquire(snapshot));
}

void gw_worker_drain(struct gw_worker *worker)
{
    send_command(worker, COMMAND_DRAIN, NULL);
}

void gw_worker_destroy(struct gw_worker **worker)
{
    struct gw_worker *old = *worker;
    if (old == NULL) {
        return;
    }
    send_command(old, COMMAND_STOP, NULL);
    pthread_join(old->thread, NULL);
    free_worker(old);
    *worker = NULL;
}

const struct gw_core *gw_worker_core(const struct gw_worker *worker)
{
    return worker->core;
}
