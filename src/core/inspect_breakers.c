/* SPDX-License-Identifier: MIT */
/* core/inspect_breakers - the circuit breakers, and PLLM's statistics of models with theirs. */
#include "core/inspect_int.h"

#define RELAXED   memory_order_relaxed
#define NS_PER_US 1000u

static struct gw_inspect_walk begin(const struct gw_inspection *inspection)
{
    return (struct gw_inspect_walk){.conf = inspection->conf, .now_ms = inspection->now_ms};
}

static void write_options(const struct gw_breaker_options *options, struct gw_buf *out)
{
    gw_inspect_write_bool(GW_STR("enabled"), !options->is_off, out);
    gw_json_write_count(GW_STR("failure_threshold"), options->failure_threshold, out);
    gw_json_write_count(GW_STR("success_threshold"), options->successes, out);
    gw_json_write_count(GW_STR("half_open_probes"), options->probes, out);
    gw_json_write_count(GW_STR("cooldown_ms"), options->cooldown_ms, out);
}

static void write_breaker(const struct gw_inspect_deployment *found, struct gw_buf *out)
{
    const struct gw_breaker *breaker = &found->state->breaker;
    struct gw_breaker_view view =
        gw_breaker_word_view(atomic_load_explicit(&breaker->word, RELAXED));
    /* The word counts probes where it counts failures otherwise. */
    bool is_probed = view.phase == GW_BREAKER_HALF_OPEN;
    (void)gw_buf_append(out, GW_STR("{"));
    gw_json_write_member(GW_STR("deployment"), found->deployment->id, out);
    gw_json_write_member(GW_STR("model"), found->group->name, out);
    gw_json_write_member(GW_STR("provider"), found->deployment->provider_name, out);
    gw_json_write_member(GW_STR("state"), gw_str_from_c(gw_breaker_phase_name(found->phase)), out);
    gw_json_write_count(GW_STR("failures"), is_probed ? 0 : view.failures, out);
    gw_json_write_count(GW_STR("successes"), is_probed ? view.succeeded : 0, out);
    gw_json_write_count(GW_STR("probes_running"), is_probed ? view.running : 0, out);
    gw_json_write_count(GW_STR("openings"), atomic_load_explicit(&breaker->openings_total, RELAXED),
                        out);
    gw_json_write_count(GW_STR("next_try_in_ms"), found->breaker_wait_ms, out);
    write_options(&found->deployment->routing->breaker, out);
    (void)gw_buf_append(out, GW_STR("}"));
}

enum gw_err gw_inspect_breakers(struct gw_inspection *inspection, struct gw_buf *out)
{
    struct gw_inspect_walk walk = begin(inspection);
    struct gw_inspect_deployment found;
    size_t counts[GW_BREAKER_HALF_OPEN + 1] = {0};
    (void)gw_buf_append(out, GW_STR("{\"circuit_breakers\":["));
    while (gw_inspect_next(&walk, &found)) {
        counts[found.phase]++;
        gw_json_write_next(out);
        write_breaker(&found, out);
    }
    (void)gw_buf_append(out, GW_STR("]"));
    gw_json_write_count(GW_STR("closed"), counts[GW_BREAKER_CLOSED], out);
    gw_json_write_count(GW_STR("open"), counts[GW_BREAKER_OPEN], out);
    gw_json_write_count(GW_STR("half_open"), counts[GW_BREAKER_HALF_OPEN], out);
    (void)gw_buf_append(out, GW_STR("}"));
    return GW_OK;
}

/* ---- PLLM's /v1/admin/models/stats ---- */

/* A model's deployments together. */
struct sums {
    uint64_t active;
    uint64_t total;
    uint64_t failed;
    uint64_t timeouts;
    uint64_t health;
    uint64_t latency_us; /* the sum of those that are known */
    size_t known;
    uint64_t p95_us; /* the worst */
    uint64_t p99_us;
    size_t open;
    size_t count;
};

static uint64_t worse(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void add(struct sums *sums, const struct gw_inspect_deployment *found)
{
    const struct gw_deployment_state *state = found->state;
    sums->active += found->in_flight;
    sums->total += atomic_load_explicit(&state->exchanges_total, RELAXED);
    sums->failed += atomic_load_explicit(&state->failures_total, RELAXED);
    sums->timeouts += atomic_load_explicit(&state->timeouts_total, RELAXED);
    sums->health += found->health;
    sums->latency_us += found->latency_us;
    sums->known += found->latency_us > 0;
    sums->p95_us = worse(sums->p95_us, gw_quantile_read(&state->first_byte, 95));
    sums->p99_us = worse(sums->p99_us, gw_quantile_read(&state->first_byte, 99));
    sums->open += found->phase == GW_BREAKER_OPEN;
    sums->count++;
}

static void write_sums(const struct sums *sums, struct gw_buf *out)
{
    uint64_t average_us = sums->known > 0 ? sums->latency_us / sums->known : 0;
    (void)gw_buf_append(out, GW_STR("{"));
    gw_json_write_count(GW_STR("health_score"), sums->count > 0 ? sums->health / sums->count : 0,
                        out);
    gw_json_write_count(GW_STR("active_requests"), sums->active, out);
    gw_json_write_count(GW_STR("total_requests"), sums->total, out);
    gw_json_write_count(GW_STR("failed_requests"), sums->failed, out);
    gw_json_write_count(GW_STR("timeout_requests"), sums->timeouts, out);
    gw_json_write_count(GW_STR("avg_latency"), average_us * NS_PER_US, out);
    gw_json_write_count(GW_STR("p95_latency"), sums->p95_us * NS_PER_US, out);
    gw_json_write_count(GW_STR("p99_latency"), sums->p99_us * NS_PER_US, out);
    gw_inspect_write_bool(GW_STR("circuit_open"), sums->count > 0 && sums->open == sums->count,
                          out);
    (void)gw_buf_append(out, GW_STR("}"));
}

/* Would a request for the model be turned away at once? */
static bool is_shed(const struct gw_inspection *inspection, const struct gw_model_group *group)
{
    struct gw_router_ask ask = {.now_ms = inspection->now_ms};
    for (size_t i = 0; i < group->deployment_count; i++) {
        struct gw_router_reason reason =
            gw_router_explain(inspection->conf->router, group->index, i, &ask);
        if (reason.skip == GW_ROUTER_SKIP_NONE) {
            return false;
        }
    }
    return true;
}

/* Per model; is there one whose requests are turned away? */
static bool write_load_balancer(const struct gw_inspection *inspection, struct gw_buf *out)
{
    struct gw_inspect_walk walk = begin(inspection);
    struct gw_inspect_deployment found;
    struct sums sums = {0};
    bool sheds = false;
    (void)gw_buf_append(out, GW_STR("{\"load_balancer\":{"));
    while (gw_inspect_next(&walk, &found)) {
        add(&sums, &found);
        if (walk.member == found.group->deployment_count) {
            gw_json_write_next(out);
            gw_json_write_text(found.group->name, out);
            (void)gw_buf_append(out, GW_STR(":"));
            write_sums(&sums, out);
            sheds = is_shed(inspection, found.group) || sheds;
            sums = (struct sums){0};
        }
    }
    (void)gw_buf_append(out, GW_STR("}"));
    return sheds;
}

enum gw_err gw_inspect_model_stats(struct gw_inspection *inspection, struct gw_buf *out)
{
    bool sheds = write_load_balancer(inspection, out);
    struct gw_inspect_walk walk = begin(inspection);
    struct gw_inspect_deployment found;
    gw_json_write_key(GW_STR("adaptive_breakers"), out);
    (void)gw_buf_append(out, GW_STR("{"));
    while (gw_inspect_next(&walk, &found)) {
        const struct gw_breaker *breaker = &found.state->breaker;
        struct gw_breaker_view view =
            gw_breaker_word_view(atomic_load_explicit(&breaker->word, RELAXED));
        gw_json_write_next(out);
        gw_json_write_text(found.deployment->id, out);
        (void)gw_buf_appendf(out, ":{\"state\":\"%s\",\"failures\":%u,\"slow_requests\":%u}",
                             gw_breaker_phase_name(found.phase), view.failures,
                             atomic_load_explicit(&breaker->slow_run, RELAXED));
    }
    (void)gw_buf_append(out, GW_STR("}"));
    gw_inspect_write_bool(GW_STR("should_shed_load"), sheds, out);
    (void)gw_buf_append(out, GW_STR("}"));
    return GW_OK;
}
