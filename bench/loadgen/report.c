/* SPDX-License-Identifier: MIT */
/* The result of a run as one JSON object. */
#include <stdio.h>

#include "loadgen/load.h"

static void write_hist(struct bench_buf *out, const char *name, const struct load_hist *hist)
{
    bench_buf_printf(out,
                     ",\n \"%s\":{\"count\":%llu,\"mean\":%llu,\"p50\":%llu,\"p90\":%llu,"
                     "\"p99\":%llu,\"p999\":%llu,\"max\":%llu}",
                     name, (unsigned long long)hist->count,
                     (unsigned long long)(hist->count > 0 ? hist->sum / hist->count : 0),
                     (unsigned long long)load_hist_quantile(hist, 500),
                     (unsigned long long)load_hist_quantile(hist, 900),
                     (unsigned long long)load_hist_quantile(hist, 990),
                     (unsigned long long)load_hist_quantile(hist, 999),
                     (unsigned long long)hist->max);
}

static void write_errors(struct bench_buf *out, const struct load_totals *totals)
{
    static const char *const names[] = {
#define F(id, name) name,
        LOAD_ERRORS(F)
#undef F
    };
    uint64_t sum = 0;
    for (size_t i = 0; i < LOAD_ERROR_COUNT; i++) {
        sum += totals->errors[i];
    }
    bench_buf_printf(out, ",\n \"errors\":%llu,\"errors_by_kind\":{", (unsigned long long)sum);
    for (size_t i = 0; i < LOAD_ERROR_COUNT; i++) {
        bench_buf_printf(out, "%s\"%s\":%llu", i == 0 ? "" : ",", names[i],
                         (unsigned long long)totals->errors[i]);
    }
    BENCH_LIT(out, "}");
}

/* Between two moments: time, chunks, and CPU time of the watched processes. */
static void write_span(struct bench_buf *out, const char *name, const struct load_mark *from,
                       const struct load_mark *to)
{
    if (to->at_us == 0) {
        bench_buf_printf(out, ",\n \"%s\":null", name);
        return;
    }
    /* A process that ended took its time with it. */
    bool gone = to->usage.cpu_ns < from->usage.cpu_ns;
    uint64_t cpu_ns = gone ? 0 : to->usage.cpu_ns - from->usage.cpu_ns;
    bench_buf_printf(out,
                     ",\n \"%s\":{\"us\":%llu,\"chunks\":%llu,\"cpu_ns\":%llu,"
                     "\"rss_bytes\":%llu}",
                     name, (unsigned long long)(to->at_us - from->at_us),
                     (unsigned long long)(to->chunks - from->chunks), (unsigned long long)cpu_ns,
                     (unsigned long long)from->usage.rss_bytes);
}

void load_report(const struct load_run *run)
{
    const struct load_totals *totals = &run->totals;
    const uint64_t us = run->to.at_us > run->from.at_us ? run->to.at_us - run->from.at_us : 1;
    struct bench_buf out = {0};
    bench_buf_printf(
        &out,
        "{\"mode\":\"%s\",\"http2\":%s,\"tls\":%s,\"connections\":%llu,"
        "\"calls_per_connection\":%llu,\n \"calls\":%llu,\"all_calls\":%llu,"
        "\"rps\":%.1f,\"chunks\":%llu,\"bytes\":%llu,\"connects\":%llu,"
        "\"most_open\":%llu",
        run->config.streamed ? "stream" : "plain", run->config.http2 ? "true" : "false",
        run->config.tls ? "true" : "false", (unsigned long long)run->config.connections,
        (unsigned long long)run->config.calls_per_connection, (unsigned long long)totals->calls,
        (unsigned long long)totals->all_calls, (double)totals->calls * 1e6 / (double)us,
        (unsigned long long)totals->chunks, (unsigned long long)totals->bytes,
        (unsigned long long)totals->connects, (unsigned long long)run->most_open);
    write_errors(&out, totals);
    write_hist(&out, "latency_us", &totals->latency);
    write_hist(&out, "first_chunk_us", &totals->first);
    write_hist(&out, "chunk_transit_us", &totals->transit);
    write_hist(&out, "chunk_gap_us", &totals->gap);
    write_span(&out, "measured", &run->from, &run->to);
    write_span(&out, "steady", &run->held, &run->steady);
    BENCH_LIT(&out, "}\n");
    fwrite(out.ptr, 1, out.len, stdout);
    bench_buf_fini(&out);
}
