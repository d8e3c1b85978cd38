/* SPDX-License-Identifier: MIT */
/* loadgen: reads the flags and does one run. Exits with 1 when there was any error. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/net.h"
#include "common/tls.h"
#include "loadgen/load.h"

#define US_PER_MS 1000u

struct options {
    struct load_config config;
    const char *mode;
    const char *model;
    bool tls;
    bool http2;
    uint64_t port;
    uint64_t body_bytes;
    uint64_t duration_ms, warmup_ms, ramp_ms, settle_ms, steady_ms, timeout_ms, deadline_ms;
    struct bench_buf body;
};

static void print_help(void)
{
    printf("loadgen: measures an OpenAI-compatible chat endpoint; prints one JSON object.\n"
           "\n"
           "usage: loadgen --port N [options]\n"
           "  --host ADDRESS      IPv4 address [127.0.0.1]\n"
           "  --port N            TCP port\n"
           "  --unix PATH         Unix socket instead\n"
           "  --path PATH         [/v1/chat/completions]\n"
           "  --header 'N: V'     extra request header; may be repeated\n"
           "  --tls               TLS; the peer is not verified\n"
           "  --http2             HTTP/2, by prior knowledge or with --tls by ALPN\n"
           "  --mode plain        closed loop for a fixed time [default]\n"
           "  --mode stream       every slot reads --repeat streams, then the run ends\n"
           "  --model NAME        model in the request [gpt-4.1-nano]\n"
           "  --body-bytes N      size of the request body [1300]\n"
           "  --connections N     [64]\n"
           "  --streams N         concurrent calls on each HTTP/2 connection [1]\n"
           "  --repeat N          streams each slot reads one after the other [1]\n"
           "  --warmup-ms N       plain: time before measuring [500]\n"
           "  --duration-ms N     plain: measured time [3000]\n"
           "  --ramp-ms N         time in which the connections are opened [0]\n"
           "  --settle-ms N       stream: from the end of the ramp to the steady part [1000]\n"
           "  --steady-ms N       stream: length of the steady part [3000]\n"
           "  --timeout-ms N      a call that takes longer has failed [30000]\n"
           "  --deadline-ms N     the run ends then, open calls have failed [120000]\n"
           "  --expect-bytes N    plain: size of a response body [that of the first]\n"
           "  --expect-chunks N   stream: content chunks of each stream\n"
           "  --watch-pid PID     measure this process's CPU time and memory; may be repeated\n");
}

static bool read_text(struct options *options, const char *name, const char *value)
{
    struct load_config *config = &options->config;
    if (strcmp(name, "host") == 0) {
        config->host = value;
    } else if (strcmp(name, "unix") == 0) {
        config->unix_path = value;
    } else if (strcmp(name, "path") == 0) {
        config->path = bench_str_from(value);
    } else if (strcmp(name, "mode") == 0) {
        options->mode = value;
        return strcmp(value, "plain") == 0 || strcmp(value, "stream") == 0;
    } else if (strcmp(name, "model") == 0) {
        options->model = value;
    } else if (strcmp(name, "header") == 0) {
        bench_buf_str(&config->headers, bench_str_from(value));
        BENCH_LIT(&config->headers, "\r\n");
    } else {
        return false;
    }
    return true;
}

static bool read_number(struct options *options, const char *name, const char *value)
{
    struct load_config *config = &options->config;
    const struct {
        const char *name;
        uint64_t *to;
    } numbers[] = {
        {"port", &options->port},
        {"body-bytes", &options->body_bytes},
        {"connections", &config->connections},
        {"streams", &config->calls_per_connection},
        {"repeat", &config->repeat},
        {"warmup-ms", &options->warmup_ms},
        {"duration-ms", &options->duration_ms},
        {"ramp-ms", &options->ramp_ms},
        {"settle-ms", &options->settle_ms},
        {"steady-ms", &options->steady_ms},
        {"timeout-ms", &options->timeout_ms},
        {"deadline-ms", &options->deadline_ms},
        {"expect-bytes", &config->expect_bytes},
        {"expect-chunks", &config->expect_chunks},
    };
    uint64_t number = 0;
    if (!bench_str_u64(bench_str_from(value), &number) || number > 1000000000u) {
        return false;
    }
    if (strcmp(name, "watch-pid") == 0 && config->watched_count < LOAD_MAX_WATCHED) {
        config->watched[config->watched_count++] = (int)number;
        return true;
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (strcmp(name, numbers[i].name) == 0) {
            *numbers[i].to = number;
            return true;
        }
    }
    return false;
}

static void read_options(struct options *options, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            print_help();
            exit(0);
        }
        if (strcmp(argv[i], "--tls") == 0) {
            options->tls = true;
        } else if (strcmp(argv[i], "--http2") == 0) {
            options->http2 = true;
        } else if (strncmp(argv[i], "--", 2) == 0 && i + 1 < argc &&
                   (read_text(options, argv[i] + 2, argv[i + 1]) ||
                    read_number(options, argv[i] + 2, argv[i + 1]))) {
            i++;
        } else {
            fprintf(stderr, "loadgen: cannot use %s; see loadgen --help\n", argv[i]);
            exit(2);
        }
    }
    if ((options->port == 0 || options->port > 65535) && options->config.unix_path == NULL) {
        fprintf(stderr, "loadgen: --port or --unix is needed\n");
        exit(2);
    }
    if (options->config.connections == 0 || options->config.calls_per_connection == 0 ||
        (options->config.calls_per_connection > 1 && !options->http2)) {
        fprintf(stderr, "loadgen: --connections and --streams must be positive, --streams above 1 "
                        "needs --http2\n");
        exit(2);
    }
}

/* Makes a chat request of the wanted size: what is missing goes into the user's message. */
static void make_body(struct options *options)
{
    struct bench_buf *body = &options->body;
    BENCH_LIT(body, "{\"model\":");
    bench_buf_json(body, bench_str_from(options->model));
    if (options->config.streamed) {
        BENCH_LIT(body, ",\"stream\":true");
    }
    BENCH_LIT(body,
              ",\"temperature\":0.7,\"max_tokens\":100000,\"messages\":[{\"role\":\"system\","
              "\"content\":\"You are a helpful assistant.\"},{\"role\":\"user\",\"content\":\"");
    while (body->len + 4 < options->body_bytes) {
        size_t left = options->body_bytes - 4 - body->len;
        bench_buf_str(body,
                      bench_str_cut(BENCH_STR("Tell me more about rivers and bridges. "), 0, left));
    }
    BENCH_LIT(body, "\"}]}");
    options->config.body = bench_buf_view(body);
}

static void finish_config(struct options *options)
{
    struct load_config *config = &options->config;
    config->port = (uint16_t)options->port;
    config->authority = BENCH_STR("bench.local");
    config->http2 = options->http2;
    config->streamed = strcmp(options->mode, "stream") == 0;
    config->duration_us = options->duration_ms * US_PER_MS;
    config->warmup_us = options->warmup_ms * US_PER_MS;
    config->ramp_us = options->ramp_ms * US_PER_MS;
    config->settle_us = options->settle_ms * US_PER_MS;
    config->steady_us = options->steady_ms * US_PER_MS;
    config->timeout_us = options->timeout_ms * US_PER_MS;
    config->deadline_us = options->deadline_ms * US_PER_MS;
    if (options->tls) {
        config->tls = bench_tls_client(options->http2);
        if (config->tls == NULL) {
            exit(1);
        }
    }
}

static bool has_errors(const struct load_run *run)
{
    for (size_t i = 0; i < LOAD_ERROR_COUNT; i++) {
        if (run->totals.errors[i] > 0) {
            return true;
        }
    }
    return run->totals.all_calls == 0;
}

int main(int argc, char **argv)
{
    struct options options = {
        .config = {.host = "127.0.0.1",
                   .path = BENCH_STR("/v1/chat/completions"),
                   .connections = 64,
                   .calls_per_connection = 1,
                   .repeat = 1},
        .mode = "plain",
        .model = "gpt-4.1-nano",
        .body_bytes = 1300,
        .duration_ms = 3000,
        .warmup_ms = 500,
        .settle_ms = 1000,
        .steady_ms = 3000,
        .timeout_ms = 30000,
        .deadline_ms = 120000,
    };
    read_options(&options, argc, argv);
    finish_config(&options);
    make_body(&options);
    signal(SIGPIPE, SIG_IGN);
    (void)bench_net_raise_files();
    struct load_run *run = bench_alloc(sizeof(*run));
    run->config = options.config;
    load_run(run);
    load_report(run);
    bool failed = has_errors(run);
    SSL_CTX_free(run->config.tls);
    bench_buf_fini(&run->config.headers);
    bench_buf_fini(&options.body);
    bench_free(run);
    return failed ? 1 : 0;
}
