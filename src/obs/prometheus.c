/* SPDX-License-Identifier: MIT */
/* obs/prometheus - declared counters as rows of tables, histograms by one loop. */
#include "obs/prometheus.h"

#include <stdio.h>

#include "gw_version.h"
#include "upstream/upstream.h"

/* A plain counter or gauge: where it lies in one of the three structs. */
enum source {
    FROM_CORE,
    FROM_SERVER,
    FROM_UPSTREAM,
};

struct metric {
    const char *name;
    const char *type;
    const char *help;
    enum source source;
    size_t offset;
};

#define CORE(member)     FROM_CORE, offsetof(struct gw_counters, member)
#define SERVER(member)   FROM_SERVER, offsetof(struct gw_server_counters, member)
#define UPSTREAM(member) FROM_UPSTREAM, offsetof(struct gw_upstream_counters, member)

static const struct metric metrics[] = {
    {"gatewire_requests_in_flight", "gauge", "Requests under way.", CORE(in_flight)},
    {"gatewire_input_tokens_total", "counter", "Tokens sent to models.", CORE(input_tokens_total)},
    {"gatewire_cached_tokens_total", "counter", "Input tokens the provider read from its cache.",
     CORE(cached_tokens_total)},
    {"gatewire_output_tokens_total", "counter", "Tokens received from models.",
     CORE(output_tokens_total)},
    {"gatewire_estimated_usages_total", "counter", "Requests whose tokens were estimated.",
     CORE(estimated_usages_total)},
    {"gatewire_request_body_bytes_total", "counter", "Bytes of request bodies received.",
     CORE(request_bytes_total)},
    {"gatewire_response_body_bytes_total", "counter", "Bytes of response bodies sent.",
     CORE(response_bytes_total)},
    {"gatewire_stale_retries_total", "counter",
     "Requests sent again because a pooled connection was dead.", CORE(stale_retries_total)},
    {"gatewire_slow_streams_total", "counter",
     "Streams that were too slow and left their deployment.", CORE(slow_streams_total)},
    {"gatewire_stream_recoveries_total", "counter",
     "Streams that broke off and went on from another deployment.", CORE(stream_recoveries_total)},
    {"gatewire_downstream_connections", "gauge", "Client connections open.", SERVER(open)},
    {"gatewire_downstream_connections_total", "counter", "Client connections accepted.",
     SERVER(accepted_total)},
    {"gatewire_downstream_refused_total", "counter", "Client connections refused over the limit.",
     SERVER(refused_total)},
    {"gatewire_downstream_protocol_errors_total", "counter", "Malformed requests answered or cut.",
     SERVER(protocol_errors_total)},
    {"gatewire_downstream_timeouts_total", "counter", "Clients too slow to send or to read.",
     SERVER(timeouts_total)},
    {"gatewire_downstream_tls_errors_total", "counter", "TLS handshakes with clients that failed.",
     SERVER(tls_errors_total)},
    {"gatewire_downstream_received_bytes_total", "counter", "Bytes read from clients.",
     SERVER(received_bytes_total)},
    {"gatewire_downstream_sent_bytes_total", "counter", "Bytes written to clients.",
     SERVER(sent_bytes_total)},
    {"gatewire_upstream_connections", "gauge", "Connections to providers open.", UPSTREAM(open)},
    {"gatewire_upstream_connections_idle", "gauge", "Connections to providers waiting in pools.",
     UPSTREAM(idle)},
    {"gatewire_upstream_connects_total", "counter", "Connections to providers begun.",
     UPSTREAM(connects_total)},
    {"gatewire_upstream_connect_failures_total", "counter", "Connections to providers that failed.",
     UPSTREAM(connect_failures_total)},
    {"gatewire_upstream_reused_total", "counter", "Exchanges that found an idle connection.",
     UPSTREAM(reused_total)},
    {"gatewire_upstream_received_bytes_total", "counter", "Bytes read from providers.",
     UPSTREAM(received_bytes_total)},
    {"gatewire_upstream_sent_bytes_total", "counter", "Bytes written to providers.",
     UPSTREAM(sent_bytes_total)},
};

struct page {
    const struct gw_core *const *cores;
    size_t count;
    struct gw_buf *out;
};

static const void *base_of(const struct gw_core *core, enum source source)
{
    switch (source) {
    case FROM_CORE:
        return gw_core_counters(core);
    case FROM_SERVER:
        return gw_core_server_counters(core);
    case FROM_UPSTREAM:
        return gw_core_upstream_counters(core);
    }
    return NULL;
}

static uint64_t sum(const struct page *page, enum source source, size_t offset)
{
    uint64_t total = 0;
    for (size_t i = 0; i < page->count; i++) {
        const char *base = base_of(page->cores[i], source);
        total += gw_counter_get((const _Atomic uint64_t *)(const void *)(base + offset));
    }
    return total;
}

static void head(const struct page *page, const char *name, const char *type, const char *help)
{
    (void)gw_buf_appendf(page->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_plain(const struct page *page)
{
    for (size_t i = 0; i < GW_ARRAY_LEN(metrics); i++) {
        head(page, metrics[i].name, metrics[i].type, metrics[i].help);
        (void)gw_buf_appendf(page->out, "%s %llu\n", metrics[i].name,
                             (unsigned long long)sum(page, metrics[i].source, metrics[i].offset));
    }
}

static void write_requests(const struct page *page)
{
    static const char name[] = "gatewire_requests_total";
    head(page, name, "counter",
         "Finished requests by task and status class; 0xx: the client left before.");
    for (unsigned task = 0; task < GW_TASK_COUNT; task++) {
        for (unsigned kind = 0; kind < GW_STATUS_CLASSES; kind++) {
            size_t offset = offsetof(struct gw_counters, requests_total) +
                            (task * GW_STATUS_CLASSES + kind) * sizeof(_Atomic uint64_t);
            uint64_t value = sum(page, FROM_CORE, offset);
            if (value > 0) {
                (void)gw_buf_appendf(
                    page->out, "%s{task=\"" GW_STR_FMT "\",status=\"%uxx\"} %llu\n", name,
                    GW_STR_ARG(gw_task_name((enum gw_task)task)), kind, (unsigned long long)value);
            }
        }
    }
}

static void write_errors(const struct page *page)
{
    head(page, "gatewire_errors_total", "counter", "Requests that failed, by class of the error.");
    for (unsigned kind = GW_ERROR_CLIENT; kind < GW_ERROR_CLASS_COUNT; kind++) {
        size_t offset =
            offsetof(struct gw_counters, errors_total) + kind * sizeof(_Atomic uint64_t);
        (void)gw_buf_appendf(page->out, "gatewire_errors_total{class=\"" GW_STR_FMT "\"} %llu\n",
                             GW_STR_ARG(gw_error_class_name((enum gw_error_class)kind)),
                             (unsigned long long)sum(page, FROM_CORE, offset));
    }
    head(page, "gatewire_upstream_failures_total", "counter", "Exchanges that broke, by phase.");
    for (unsigned phase = 0; phase <= GW_PHASE_BODY; phase++) {
        size_t offset = offsetof(struct gw_counters, upstream_failures_total) +
                        phase * sizeof(_Atomic uint64_t);
        (void)gw_buf_appendf(page->out, "gatewire_upstream_failures_total{phase=\"%s\"} %llu\n",
                             gw_exchange_phase_text((enum gw_exchange_phase)phase),
                             (unsigned long long)sum(page, FROM_CORE, offset));
    }
    head(page, "gatewire_upstream_responses_total", "counter",
         "Responses of providers by status class.");
    for (unsigned kind = 2; kind < GW_STATUS_CLASSES; kind++) {
        size_t offset =
            offsetof(struct gw_counters, upstream_statuses_total) + kind * sizeof(_Atomic uint64_t);
        (void)gw_buf_appendf(page->out, "gatewire_upstream_responses_total{status=\"%uxx\"} %llu\n",
                             kind, (unsigned long long)sum(page, FROM_CORE, offset));
    }
}

static void write_histogram(const struct page *page, const char *name, unsigned task, size_t offset)
{
    struct gw_str label = gw_task_name((enum gw_task)task);
    uint64_t running = 0;
    for (unsigned i = 0; i < GW_LATENCY_BUCKETS; i++) {
        running +=
            sum(page, FROM_CORE,
                offset + offsetof(struct gw_histogram, buckets) + i * sizeof(_Atomic uint64_t));
    }
    if (running == 0) {
        return; /* a task nobody asked for would only be lines of zeros */
    }
    running = 0;
    for (unsigned i = 0; i < GW_LATENCY_BUCKETS; i++) {
        char bound[24] = "+Inf";
        uint64_t bound_ms = gw_histogram_bound_ms(i);
        if (bound_ms > 0) {
            snprintf(bound, sizeof(bound), "%llu.%03u", (unsigned long long)(bound_ms / 1000),
                     (unsigned)(bound_ms % 1000));
        }
        running +=
            sum(page, FROM_CORE,
                offset + offsetof(struct gw_histogram, buckets) + i * sizeof(_Atomic uint64_t));
        (void)gw_buf_appendf(page->out, "%s_bucket{task=\"" GW_STR_FMT "\",le=\"%s\"} %llu\n", name,
                             GW_STR_ARG(label), bound, (unsigned long long)running);
    }
    uint64_t sum_us = sum(page, FROM_CORE, offset + offsetof(struct gw_histogram, sum_us));
    (void)gw_buf_appendf(page->out, "%s_sum{task=\"" GW_STR_FMT "\"} %llu.%06u\n", name,
                         GW_STR_ARG(label), (unsigned long long)(sum_us / 1000000),
                         (unsigned)(sum_us % 1000000));
    (void)gw_buf_appendf(page->out, "%s_count{task=\"" GW_STR_FMT "\"} %llu\n", name,
                         GW_STR_ARG(label), (unsigned long long)running);
}

static void write_histograms(const struct page *page)
{
    static const char duration[] = "gatewire_request_duration_seconds";
    static const char first_chunk[] = "gatewire_time_to_first_chunk_seconds";
    head(page, duration, "histogram", "From a request's first byte to the end of its answer.");
    for (unsigned task = 0; task < GW_TASK_COUNT; task++) {
        write_histogram(page, duration, task,
                        offsetof(struct gw_counters, duration) +
                            task * sizeof(struct gw_histogram));
    }
    head(page, first_chunk, "histogram",
         "From beginning an exchange to the first byte of the provider's answer.");
    for (unsigned task = 0; task < GW_TASK_COUNT; task++) {
        write_histogram(page, first_chunk, task,
                        offsetof(struct gw_counters, first_chunk) +
                            task * sizeof(struct gw_histogram));
    }
}

static void write_process(const struct page *page, const struct gw_process_metrics *process)
{
    head(page, "gatewire_build_info", "gauge", "The running version.");
    (void)gw_buf_append(page->out, GW_STR("gatewire_build_info{version=\"" GW_VERSION "\"} 1\n"));
    head(page, "gatewire_start_time_seconds", "gauge",
         "When the process started, in seconds since 1970.");
    (void)gw_buf_appendf(page->out, "gatewire_start_time_seconds %llu.%03u\n",
                         (unsigned long long)(process->started_wall_ms / 1000),
                         (unsigned)(process->started_wall_ms % 1000));
    head(page, "gatewire_open_mode", "gauge", "1 while no key is required.");
    (void)gw_buf_appendf(page->out, "gatewire_open_mode %d\n", process->is_open_mode ? 1 : 0);
    head(page, "gatewire_reloads_total", "counter", "Configurations taken over.");
    (void)gw_buf_appendf(page->out, "gatewire_reloads_total %llu\n",
                         (unsigned long long)process->reloads_total);
    head(page, "gatewire_reload_failures_total", "counter",
         "Configurations refused; the old one stayed.");
    (void)gw_buf_appendf(page->out, "gatewire_reload_failures_total %llu\n",
                         (unsigned long long)process->reload_failures_total);
    head(page, "gatewire_log_lines_dropped_total", "counter",
         "Access-log lines a slow reader did not take.");
    (void)gw_buf_appendf(page->out, "gatewire_log_lines_dropped_total %llu\n",
                         (unsigned long long)process->log_lines_dropped_total);
    head(page, "gatewire_token_refreshes_total", "counter",
         "Access tokens and temporary keys fetched from clouds.");
    (void)gw_buf_appendf(page->out, "gatewire_token_refreshes_total %llu\n",
                         (unsigned long long)process->token_refreshes_total);
    head(page, "gatewire_token_refresh_failures_total", "counter",
         "Fetches of access tokens and temporary keys that gave none.");
    (void)gw_buf_appendf(page->out, "gatewire_token_refresh_failures_total %llu\n",
                         (unsigned long long)process->token_refresh_failures_total);
}

void gw_prometheus_write(const struct gw_core *const *cores, size_t count,
                         const struct gw_process_metrics *process, struct gw_buf *out)
{
    struct page page = {.cores = cores, .count = count, .out = out};
    write_process(&page, process);
    write_requests(&page);
    write_plain(&page);
    write_errors(&page);
    write_histograms(&page);
}
