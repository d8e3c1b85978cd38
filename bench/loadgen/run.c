/* SPDX-License-Identifier: MIT */
/*
 * The phases of a run:
 *
 *   plain:     ramp and warm-up | measured time | the open calls end
 *   streamed:  | ramp | settle | steady part | the streams end |      all of it is measured
 */
#include "loadgen/load.h"

#include "loadgen/conn.h"

/* The ramp opens connections in steps this long. */
#define RAMP_STEP_US 2000u

/* How often the end of all calls is looked for. */
#define END_STEP_US 1000u

static struct load_mark mark(struct load_run *run)
{
    return (struct load_mark){
        .at_us = bench_now_us(),
        .chunks = run->totals.chunks,
        .usage = load_usage_read(run->config.watched, run->config.watched_count),
    };
}

static void on_ramp(struct bench_timer *timer)
{
    struct load_run *run = BENCH_CONTAINER_OF(timer, struct load_run, ramp_timer);
    const struct load_config *config = &run->config;
    uint64_t passed_us = run->loop.now_us - run->began_us + RAMP_STEP_US;
    uint64_t wanted = config->connections;
    if (passed_us < config->ramp_us) {
        wanted = config->connections * passed_us / config->ramp_us;
    }
    while (run->next_connection < wanted && !run->stopping) {
        run->conns[run->next_connection] = load_conn_create(run, run->next_connection);
        run->next_connection++;
    }
    if (run->next_connection < config->connections && !run->stopping) {
        bench_timer_arm(&run->loop, timer, run->loop.now_us + RAMP_STEP_US);
    }
}

static void on_phase_plain(struct load_run *run)
{
    if (run->from.at_us == 0) {
        run->from = mark(run);
        run->measuring = true;
        bench_timer_arm(&run->loop, &run->phase_timer, run->from.at_us + run->config.duration_us);
        return;
    }
    run->measuring = false;
    run->to = mark(run);
    run->stopping = true;
}

static void on_phase_streamed(struct load_run *run)
{
    if (run->held.at_us == 0) {
        run->held = mark(run);
        bench_timer_arm(&run->loop, &run->phase_timer, run->held.at_us + run->config.steady_us);
        return;
    }
    run->steady = mark(run);
}

static void on_phase(struct bench_timer *timer)
{
    struct load_run *run = BENCH_CONTAINER_OF(timer, struct load_run, phase_timer);
    if (run->config.streamed) {
        on_phase_streamed(run);
    } else {
        on_phase_plain(run);
    }
}

static void on_end(struct bench_timer *timer)
{
    struct load_run *run = BENCH_CONTAINER_OF(timer, struct load_run, end_timer);
    if (run->slots_left == 0 || (run->stopping && run->open_calls == 0)) {
        bench_loop_stop(&run->loop);
        return;
    }
    bench_timer_arm(&run->loop, timer, run->loop.now_us + END_STEP_US);
}

void load_run(struct load_run *run)
{
    const struct load_config *config = &run->config;
    bench_loop_init(&run->loop);
    run->ramp_timer.on_timer = on_ramp;
    run->phase_timer.on_timer = on_phase;
    run->end_timer.on_timer = on_end;
    run->conns = bench_alloc(config->connections * sizeof(*run->conns));
    run->slots_left = config->connections;
    run->began_us = bench_now_us();
    if (config->streamed) {
        run->from = mark(run);
        run->measuring = true;
    }
    uint64_t first_phase_us =
        config->streamed ? config->ramp_us + config->settle_us : config->warmup_us;
    bench_timer_arm(&run->loop, &run->ramp_timer, run->began_us);
    bench_timer_arm(&run->loop, &run->phase_timer, run->began_us + first_phase_us);
    bench_timer_arm(&run->loop, &run->end_timer, run->began_us + END_STEP_US);
    bench_loop_run(&run->loop, run->began_us + config->deadline_us);
    if (config->streamed || run->to.at_us == 0) {
        run->to = mark(run);
    }
    run->stopping = true;
    for (uint64_t i = 0; i < run->next_connection; i++) {
        load_conn_destroy(run->conns[i]); /* counts what the deadline left open */
    }
    bench_free(run->conns);
    bench_loop_fini(&run->loop);
}
