/* SPDX-License-Identifier: MIT */
/* mockllm: reads the flags, opens the sockets, starts the threads, waits for a signal. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/pem.h>

#include "common/net.h"
#include "common/tls.h"
#include "mockllm/knobs.h"
#include "mockllm/stats.h"
#include "mockllm/worker.h"

/* More threads than a machine that runs benchmarks has. */
#define MAX_THREADS 256u

/* The models of /v1/models when none are given. */
static const char *const DEFAULT_MODELS[] = {
    "mock-small", "mock-large", "gpt-4.1-nano", "gpt-4.1", "gpt-5.6-sol", "text-embedding-3-small",
    "whisper-1",  "tts-1",
};

struct options {
    struct mock_config config;
    const char *host;
    uint64_t port;
    bool has_tls_port;
    uint64_t tls_port;
    const char *unix_path;
    const char *tls_cert;
    const char *tls_key;
    bool no_http2;
    uint64_t threads;
    const char *models[64]; /* more than anybody types */
};

static void print_help(FILE *to)
{
    fprintf(
        to,
        "mockllm: a mock LLM provider for tests, benchmarks and development.\n"
        "\n"
        "usage: mockllm [--port N] [options]\n"
        "  --host ADDRESS      IPv4 address to listen on [127.0.0.1]\n"
        "  --port N            TCP port, 0: any free one [8000]; prints \"listening on "
        "HOST:PORT\"\n"
        "  --unix PATH         listen on a Unix socket as well\n"
        "  --tls-cert FILE     certificate chain (PEM); without --tls-port the main port is TLS\n"
        "  --tls-key FILE      its key (PEM)\n"
        "  --tls-port N        a second port for TLS; prints \"listening with TLS on "
        "HOST:PORT\"\n"
        "  --no-http2          offer HTTP/1.1 only by ALPN\n"
        "  --threads N         serving threads [1]\n"
        "  --models A,B,C      names of GET /v1/models\n"
        "  --api-key KEY       refuse other keys with 401\n"
        "  --aws-secret KEY    secret access key that signs requests to Bedrock; default\n"
        "                      $AWS_SECRET_ACCESS_KEY; without one only the form is checked\n"
        "  --jwt-public-key FILE  checks the signatures of JWTs at /token; without one any will "
        "do\n"
        "  --max-body BYTES    largest request body [268435456]\n"
        "  --h2-max-streams N  concurrent streams of an HTTP/2 connection [10000]\n"
        "  --help\n"
        "\n"
        "Endpoints of its own: GET /mock/stats, GET /mock/last (last request), "
        "GET /mock/last/body (its raw bytes),\nGET /mock/requests (last 16), POST /mock/reset,\n"
        "POST /mock/knobs?key=value&... (keys over the flags from now on; none: the flags "
        "alone).\n"
        "\n");
    mock_knobs_help(to);
}

static bool read_number(const char *text, uint64_t *out)
{
    return bench_str_u64(bench_str_from(text), out);
}

static void read_models(struct options *options, char *list)
{
    char *next = list;
    options->config.model_count = 0;
    while (next != NULL && options->config.model_count < 64) {
        options->models[options->config.model_count++] = strsep(&next, ",");
    }
    options->config.models = options->models;
}

static EVP_PKEY *read_public_key(const char *path)
{
    FILE *file = fopen(path, "r");
    EVP_PKEY *key = file == NULL ? NULL : PEM_read_PUBKEY(file, NULL, NULL, NULL);
    if (file != NULL) {
        fclose(file);
    }
    return key;
}

static bool read_text_option(struct options *options, const char *name, char *value)
{
    const struct {
        const char *name;
        const char **to;
    } texts[] = {
        {"host", &options->host},
        {"unix", &options->unix_path},
        {"tls-cert", &options->tls_cert},
        {"tls-key", &options->tls_key},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(name, texts[i].name) == 0) {
            *texts[i].to = value;
            return true;
        }
    }
    if (strcmp(name, "models") == 0) {
        read_models(options, value);
        return true;
    }
    if (strcmp(name, "jwt-public-key") == 0) {
        options->config.jwt_key = read_public_key(value);
        return options->config.jwt_key != NULL;
    }
    if (strcmp(name, "aws-secret") == 0) {
        options->config.aws_secret = bench_str_from(value);
        return true;
    }
    if (strcmp(name, "api-key") == 0) {
        options->config.api_key = bench_str_from(value);
        return true;
    }
    return false;
}

static bool read_option(struct options *options, const char *name, char *value)
{
    uint64_t number = 0;
    if (read_text_option(options, name, value)) {
        return true;
    }
    if (strcmp(name, "port") == 0) {
        return read_number(value, &options->port) && options->port <= 65535;
    }
    if (strcmp(name, "tls-port") == 0) {
        options->has_tls_port = true;
        return read_number(value, &options->tls_port) && options->tls_port <= 65535;
    }
    if (strcmp(name, "threads") == 0) {
        return read_number(value, &options->threads) && options->threads >= 1 &&
               options->threads <= MAX_THREADS;
    }
    if (strcmp(name, "max-body") == 0) {
        return read_number(value, &options->config.max_body_bytes);
    }
    if (strcmp(name, "h2-max-streams") == 0) {
        bool ok = read_number(value, &number) && number <= INT32_MAX;
        options->config.h2_max_streams = (uint32_t)number;
        return ok;
    }
    return mock_knobs_set(&options->config.knobs, bench_str_from(name), bench_str_from(value));
}

/* Reads the command line; ends the program on --help and on mistakes. */
static void read_options(struct options *options, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            print_help(stdout);
            exit(0);
        }
        if (strcmp(argv[i], "--no-http2") == 0) {
            options->no_http2 = true;
            continue;
        }
        if (strncmp(argv[i], "--", 2) != 0 || i + 1 == argc ||
            !read_option(options, argv[i] + 2, argv[i + 1])) {
            fprintf(stderr, "mockllm: cannot use %s %s; see mockllm --help\n", argv[i],
                    i + 1 == argc ? "(value missing)" : argv[i + 1]);
            exit(2);
        }
        i++;
    }
    if ((options->tls_cert == NULL) != (options->tls_key == NULL) ||
        (options->has_tls_port && options->tls_cert == NULL)) {
        fprintf(stderr, "mockllm: TLS needs both --tls-cert and --tls-key\n");
        exit(2);
    }
}

static void die(const char *what, const char *where)
{
    fprintf(stderr, "mockllm: %s %s: %s\n", what, where, strerror(errno));
    exit(1);
}

/* Gives every worker its own socket on |port|; returns the port in use. */
static uint16_t listen_all(struct mock_worker *workers, const struct options *options,
                           uint64_t port, SSL_CTX *tls)
{
    for (uint64_t i = 0; i < options->threads; i++) {
        int fd = bench_net_listen(options->host, (uint16_t)port);
        if (fd == -1) {
            die("cannot listen on", options->host);
        }
        port = bench_net_port(fd);
        mock_worker_listen(&workers[i], fd, tls);
    }
    return (uint16_t)port;
}

static void open_listeners(struct mock_worker *workers, const struct options *options)
{
    SSL_CTX *tls = NULL;
    if (options->tls_cert != NULL) {
        tls = bench_tls_server(options->tls_cert, options->tls_key, !options->no_http2);
        if (tls == NULL) {
            exit(1);
        }
    }
    SSL_CTX *main_tls = options->has_tls_port ? NULL : tls;
    uint16_t port = listen_all(workers, options, options->port, main_tls);
    printf("listening on %s:%u\n", options->host, port);
    if (options->has_tls_port) {
        port = listen_all(workers, options, options->tls_port, tls);
        printf("listening with TLS on %s:%u\n", options->host, port);
    }
    if (options->unix_path != NULL) {
        int fd = bench_net_listen_unix(options->unix_path);
        if (fd == -1) {
            die("cannot listen on", options->unix_path);
        }
        for (uint64_t i = 0; i < options->threads; i++) {
            mock_worker_listen(&workers[i], fd, NULL);
        }
        printf("listening on unix:%s\n", options->unix_path);
    }
    fflush(stdout);
}

static void *worker_main(void *worker)
{
    mock_worker_run(worker);
    return NULL;
}

/* Signals go to sigwait() below, in whatever thread they arrive. */
static void block_signals(sigset_t *signals)
{
    sigemptyset(signals);
    sigaddset(signals, SIGTERM);
    sigaddset(signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

int main(int argc, char **argv)
{
    struct options options = {
        .config = {.knobs = mock_knobs_default(),
                   .models = DEFAULT_MODELS,
                   .model_count = sizeof(DEFAULT_MODELS) / sizeof(DEFAULT_MODELS[0]),
                   .max_body_bytes = 268435456,
                   .h2_max_streams = 10000},
        .host = "127.0.0.1",
        .port = 8000,
        .threads = 1,
    };
    const char *secret = getenv("AWS_SECRET_ACCESS_KEY");
    options.config.aws_secret = bench_str_from(secret == NULL ? "" : secret);
    read_options(&options, argc, argv);
    sigset_t signals;
    block_signals(&signals);
    (void)bench_net_raise_files();
    mock_stats_create((unsigned)options.threads);
    struct mock_worker *workers = bench_alloc(options.threads * sizeof(*workers));
    for (unsigned i = 0; i < options.threads; i++) {
        mock_worker_init(&workers[i], i, &options.config, mock_stats_of(i));
    }
    open_listeners(workers, &options);
    for (uint64_t i = 0; i < options.threads; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, worker_main, &workers[i]) != 0) {
            die("cannot start a", "thread");
        }
    }
    int caught = 0;
    sigwait(&signals, &caught);
    if (options.unix_path != NULL) {
        unlink(options.unix_path);
    }
    _exit(0); /* at once: what is under way breaks off, as with a provider that crashes */
}
