/* SPDX-License-Identifier: MIT */
/* obs/prometheus_routing - a row for each deployment and group, a family for each figure. */
#include "obs/prometheus_routing.h"

#include "base/alloc.h"
#include "llm/catalog.h"
#include "policy/routing.h"

#define RELAXED         memory_order_relaxed
#define POINTS_PER_UNIT (GW_HEALTH_FULL / 100)
#define PHASES          3

struct deployment_row {
    const struct gw_deployment *deployment;
    const struct gw_model_group *group;
    struct gw_deployment_state *state;
    enum gw_breaker_phase phase;
};

struct group_row {
    const struct gw_model_group *group;
    struct gw_group_state *state;
};

struct table {
    struct gw_deployment_registry *registry;
    struct deployment_row *deployments;
    size_t deployment_count;
    struct group_row *groups;
    size_t group_count;
    uint64_t now_ms;
    struct gw_buf *out;
};

/* ---- rows ---- */

static void collect(struct table *table, const struct gw_catalog *catalog)
{
    size_t count = 0;
    table->group_count = gw_catalog_group_count(catalog);
    for (size_t i = 0; i < table->group_count; i++) {
        count += gw_catalog_group(catalog, i)->deployment_count;
    }
    table->groups = gw_zalloc((table->group_count + 1) * sizeof(*table->groups));
    table->deployments = gw_zalloc((count + 1) * sizeof(*table->deployments));
    for (size_t i = 0; i < table->group_count; i++) {
        const struct gw_model_group *group = gw_catalog_group(catalog, i);
        table->groups[i] = (struct group_row){
            .group = group, .state = gw_group_state_acquire(table->registry, group->name)};
        for (size_t j = 0; j < group->deployment_count; j++) {
            const struct gw_deployment *deployment = group->deployments[j];
            struct gw_deployment_state *state =
                gw_deployment_state_acquire(table->registry, deployment->id);
            table->deployments[table->deployment_count++] = (struct deployment_row){
                .deployment = deployment,
                .group = group,
                .state = state,
                .phase = gw_breaker_phase(&state->breaker, &deployment->routing->breaker,
                                          table->now_ms)};
        }
    }
}

static void release(struct table *table)
{
    for (size_t i = 0; i < table->deployment_count; i++) {
        gw_deployment_state_release(table->registry, &table->deployments[i].state);
    }
    for (size_t i = 0; i < table->group_count; i++) {
        gw_group_state_release(table->registry, &table->groups[i].state);
    }
    gw_free(table->deployments);
    gw_free(table->groups);
}

/* ---- text ---- */

static void head(struct gw_buf *out, const char *name, const char *type, const char *help)
{
    (void)gw_buf_appendf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label's value: names of the configuration may hold anything. */
static void write_label(struct gw_buf *out, const char *before, struct gw_str value)
{
    (void)gw_buf_appendf(out, "%s=\"", before);
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        if (c == '\\' || c == '"') {
            (void)gw_buf_append_byte(out, '\\');
        }
        (void)gw_buf_append(out, c == '\n' ? GW_STR("\\n") : gw_str(value.ptr + i, 1));
    }
    (void)gw_buf_append_byte(out, '"');
}

/* ---- of deployments ---- */

static uint64_t breaker_state(const struct deployment_row *row, uint64_t now_ms)
{
    (void)now_ms;
    return (uint64_t)row->phase;
}

static uint64_t health(const struct deployment_row *row, uint64_t now_ms)
{
    (void)now_ms;
    return gw_health_points(&row->state->health) / POINTS_PER_UNIT;
}

static uint64_t in_flight(const struct deployment_row *row, uint64_t now_ms)
{
    (void)now_ms;
    return atomic_load_explicit(&row->state->limits.in_flight, RELAXED);
}

static uint64_t exchanges(const struct deployment_row *row, uint64_t now_ms)
{
    (void)now_ms;
    return atomic_load_explicit(&row->state->exchanges_total, RELAXED);
}

static uint64_t failures(const struct deployment_row *row, uint64_t now_ms)
{
    (void)now_ms;
    return atomic_load_explicit(&row->state->failures_total, RELAXED);
}

static uint64_t timeouts(const struct deployment_row *row, uint64_t now_ms)
{
    (void)now_ms;
    return atomic_load_explicit(&row->state->timeouts_total, RELAXED);
}

static uint64_t openings(const struct deployment_row *row, uint64_t now_ms)
{
    (void)now_ms;
    return atomic_load_explicit(&row->state->breaker.openings_total, RELAXED);
}

static uint64_t latency_us(const struct deployment_row *row, uint64_t now_ms)
{
    return gw_health_latency_us(&row->state->health, now_ms);
}

static const struct {
    const char *name;
    const char *type;
    const char *help;
    uint64_t (*read)(const struct deployment_row *row, uint64_t now_ms);
    bool is_us; /* written in seconds, and left out when it is not known */
} deployment_metrics[] = {
    {"gatewire_deployment_breaker_state", "gauge",
     "Circuit breaker: 0 closed, 1 open, 2 half open.", breaker_state, false},
    {"gatewire_deployment_breaker_openings_total", "counter", "How often the breaker opened.",
     openings, false},
    {"gatewire_deployment_health", "gauge", "Health, 0 to 100.", health, false},
    {"gatewire_deployment_in_flight", "gauge", "Exchanges under way.", in_flight, false},
    {"gatewire_deployment_exchanges_total", "counter", "Exchanges that ended.", exchanges, false},
    {"gatewire_deployment_failures_total", "counter",
     "Exchanges that failed through the provider's fault.", failures, false},
    {"gatewire_deployment_timeouts_total", "counter", "Exchanges that took too long.", timeouts,
     false},
    {"gatewire_deployment_latency_seconds", "gauge",
     "Average time to the first byte, of the last minute.", latency_us, true},
};

/* The metric's name and whose it is, but for the closing brace. */
static void write_names(struct gw_buf *out, const char *name, const struct deployment_row *row)
{
    (void)gw_buf_appendf(out, "%s", name);
    write_label(out, "{deployment", row->deployment->id);
    write_label(out, ",group", row->group->name);
    write_label(out, ",provider", row->deployment->provider_name);
}

static void write_deployments(const struct table *table)
{
    for (size_t m = 0; m < GW_ARRAY_LEN(deployment_metrics); m++) {
        head(table->out, deployment_metrics[m].name, deployment_metrics[m].type,
             deployment_metrics[m].help);
        for (size_t i = 0; i < table->deployment_count; i++) {
            const struct deployment_row *row = &table->deployments[i];
            unsigned long long value = deployment_metrics[m].read(row, table->now_ms);
            if (deployment_metrics[m].is_us && value == 0) {
                continue;
            }
            write_names(table->out, deployment_metrics[m].name, row);
            if (deployment_metrics[m].is_us) {
                (void)gw_buf_appendf(table->out, "} %llu.%06u\n", value / 1000000,
                                     (unsigned)(value % 1000000));
            } else {
                (void)gw_buf_appendf(table->out, "} %llu\n", value);
            }
        }
    }
}

/* Only of those that are probed, and outcomes that came. */
static void write_probes(const struct table *table)
{
    static const char total[] = "gatewire_deployment_probes_total";
    head(table->out, total, "counter", "Probes that ended, by outcome; they are no requests.");
    for (size_t i = 0; i < table->deployment_count; i++) {
        const struct deployment_row *row = &table->deployments[i];
        for (unsigned j = GW_PROBE_NONE + 1; j < GW_PROBE_OUTCOME_COUNT; j++) {
            unsigned long long value =
                atomic_load_explicit(&row->state->probe.outcomes_total[j], RELAXED);
            if (value == 0) {
                continue;
            }
            write_names(table->out, total, row);
            write_label(table->out, ",outcome", gw_probe_outcome_name((enum gw_probe_outcome)j));
            (void)gw_buf_appendf(table->out, "} %llu\n", value);
        }
    }
    static const char down[] = "gatewire_deployment_probe_down";
    head(table->out, down, "gauge", "1: its probes fail, so it is asked only as the last.");
    for (size_t i = 0; i < table->deployment_count; i++) {
        const struct deployment_row *row = &table->deployments[i];
        if (gw_routing_probe_model(row->group, row->deployment).len > 0) {
            bool is_down = gw_probe_is_down(&row->state->probe, &row->deployment->routing->probe);
            write_names(table->out, down, row);
            (void)gw_buf_appendf(table->out, "} %d\n", is_down);
        }
    }
}

/* 1: every deployment of the provider is open; 2: one is tried and none is closed; else 0. */
static unsigned provider_state(const struct table *table, struct gw_str provider)
{
    size_t counts[PHASES] = {0};
    for (size_t i = 0; i < table->deployment_count; i++) {
        const struct deployment_row *row = &table->deployments[i];
        counts[row->phase] += gw_str_eq(row->deployment->provider_name, provider);
    }
    if (counts[GW_BREAKER_CLOSED] > 0) {
        return GW_BREAKER_CLOSED;
    }
    return counts[GW_BREAKER_HALF_OPEN] > 0 ? GW_BREAKER_HALF_OPEN : GW_BREAKER_OPEN;
}

static bool is_first_of(const struct table *table, size_t index)
{
    struct gw_str provider = table->deployments[index].deployment->provider_name;
    for (size_t i = 0; i < index; i++) {
        if (gw_str_eq(table->deployments[i].deployment->provider_name, provider)) {
            return false;
        }
    }
    return true;
}

static void write_providers(const struct table *table)
{
    head(table->out, "circuit_breaker_state", "gauge",
         "By provider: 0 closed, 1 all of its deployments are open, 2 half open.");
    for (size_t i = 0; i < table->deployment_count; i++) {
        struct gw_str provider = table->deployments[i].deployment->provider_name;
        if (is_first_of(table, i)) {
            write_label(table->out, "circuit_breaker_state{provider", provider);
            (void)gw_buf_appendf(table->out, "} %u\n", provider_state(table, provider));
        }
    }
}

/* ---- of groups ---- */

static const struct {
    const char *name;
    const char *help;
    size_t offset;
} group_metrics[] = {
    {"gatewire_group_retries_total", "Exchanges after a failed one, in the same group.",
     offsetof(struct gw_group_state, retries_total)},
    {"gatewire_group_fallbacks_total", "Requests that went on to another group.",
     offsetof(struct gw_group_state, fallbacks_total)},
    {"gatewire_group_hedges_total", "Second exchanges beside a slow one.",
     offsetof(struct gw_group_state, hedges_total)},
    {"gatewire_group_failures_total", "Requests that nobody could answer.",
     offsetof(struct gw_group_state, failures_total)},
};

static void write_group(const struct table *table, const char *name,
                        const struct gw_model_group *group, uint64_t value)
{
    (void)gw_buf_appendf(table->out, "%s", name);
    write_label(table->out, "{group", group->name);
    (void)gw_buf_appendf(table->out, "} %llu\n", (unsigned long long)value);
}

static uint64_t requests_of(const struct gw_group_state *state)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < GW_STRATEGY_COUNT; i++) {
        sum += atomic_load_explicit(&state->requests_total[i], RELAXED);
    }
    return sum;
}

static void write_groups(const struct table *table)
{
    static const char requests[] = "gatewire_group_requests_total";
    head(table->out, requests, "counter", "Requests for the model.");
    for (size_t i = 0; i < table->group_count; i++) {
        write_group(table, requests, table->groups[i].group, requests_of(table->groups[i].state));
    }
    for (size_t m = 0; m < GW_ARRAY_LEN(group_metrics); m++) {
        head(table->out, group_metrics[m].name, "counter", group_metrics[m].help);
        for (size_t i = 0; i < table->group_count; i++) {
            const char *base = (const char *)table->groups[i].state;
            const _Atomic uint64_t *counter =
                (const _Atomic uint64_t *)(const void *)(base + group_metrics[m].offset);
            write_group(table, group_metrics[m].name, table->groups[i].group,
                        atomic_load_explicit(counter, RELAXED));
        }
    }
}

void gw_prometheus_write_routing(const struct gw_catalog *catalog,
                                 struct gw_deployment_registry *registry, uint64_t now_ms,
                                 struct gw_buf *out)
{
    struct table table = {.registry = registry, .now_ms = now_ms, .out = out};
    collect(&table, catalog);
    write_deployments(&table);
    write_probes(&table);
    write_providers(&table);
    write_groups(&table);
    release(&table);
}
