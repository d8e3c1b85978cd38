/* SPDX-License-Identifier: MIT */
/* Counters and kept requests of all workers. */
#include "mockllm/stats.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include <openssl/sha.h>

#include "mockllm/exchange.h"
#include "mockllm/router.h"
#include "mockllm/worker.h"

struct kept_request {
    uint64_t seq; /* 0: empty */
    uint64_t at_ms;
    char method[24];
    unsigned version;
    struct bench_buf target;
    struct bench_buf headers; /* JSON array of pairs */
    struct bench_buf body;
    uint64_t body_bytes;
    bool body_is_whole;
    unsigned char hash[SHA256_DIGEST_LENGTH]; /* valid when the body is not whole */
};

struct kept_abort {
    uint64_t seq;
    uint64_t at_ms;
    uint64_t after_ms;
    uint64_t chunks;
    char stage[16];
    char path[96];
};

struct mock_stats {
    atomic_uint_fast64_t accepted, open, sent_bytes, received_bytes, aborted;
    atomic_uint_fast64_t by_route[MOCK_MAX_ROUTES];
    pthread_mutex_t lock; /* of what follows */
    size_t next_request, next_abort;
    struct kept_request requests[MOCK_KEPT_REQUESTS];
    struct kept_abort aborts[MOCK_KEPT_REQUESTS];
};

static struct mock_stats *all;
static unsigned all_count;
static atomic_uint_fast64_t next_seq;

void mock_stats_create(unsigned workers)
{
    all = bench_alloc(workers * sizeof(*all));
    all_count = workers;
    for (unsigned i = 0; i < workers; i++) {
        pthread_mutex_init(&all[i].lock, NULL);
    }
}

struct mock_stats *mock_stats_of(unsigned index)
{
    return &all[index];
}

static void count(atomic_uint_fast64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static uint64_t value(const atomic_uint_fast64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static uint64_t unix_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

void mock_stats_count_accept(struct mock_stats *stats)
{
    count(&stats->accepted, 1);
    count(&stats->open, 1);
}

void mock_stats_count_close(struct mock_stats *stats)
{
    atomic_fetch_sub_explicit(&stats->open, 1, memory_order_relaxed);
}

void mock_stats_count_sent(struct mock_stats *stats, size_t bytes)
{
    count(&stats->sent_bytes, bytes);
}

void mock_stats_count_received(struct mock_stats *stats, size_t bytes)
{
    count(&stats->received_bytes, bytes);
}

static void keep_headers(struct bench_buf *out, const struct mock_headers *headers)
{
    bench_buf_clear(out, SIZE_MAX);
    for (size_t i = 0; i < headers->count; i++) {
        struct bench_str name = mock_headers_name(headers, i);
        struct bench_str text = mock_headers_value(headers, i);
        bench_buf_str(out, name);
        BENCH_LIT(out, "\n"); /* never part of a name or a value */
        bench_buf_str(out, text);
        BENCH_LIT(out, "\n");
    }
}

static void keep_body(struct kept_request *kept, struct bench_str body)
{
    kept->body_bytes = body.len;
    kept->body_is_whole = body.len <= MOCK_KEPT_BODY_BYTES;
    bench_buf_clear(&kept->body, 64u * 1024u);
    if (kept->body_is_whole) {
        bench_buf_str(&kept->body, body);
    } else {
        SHA256((const unsigned char *)body.ptr, body.len, kept->hash);
    }
}

void mock_stats_request(struct mock_stats *stats, const struct mock_exchange *exchange,
                        size_t route)
{
    const struct mock_request *request = &exchange->request;
    count(&stats->by_route[route], 1);
    pthread_mutex_lock(&stats->lock);
    struct kept_request *kept = &stats->requests[stats->next_request++ % MOCK_KEPT_REQUESTS];
    kept->seq = atomic_fetch_add_explicit(&next_seq, 1, memory_order_relaxed) + 1;
    kept->at_ms = unix_ms();
    kept->version = request->version;
    memcpy(kept->method, request->method, sizeof(kept->method));
    bench_buf_clear(&kept->target, SIZE_MAX);
    bench_buf_str(&kept->target, bench_buf_view(&request->target));
    keep_headers(&kept->headers, &request->headers);
    keep_body(kept, bench_buf_view(&request->body));
    pthread_mutex_unlock(&stats->lock);
}

static const char *stage_name(enum mock_stage stage)
{
    switch (stage) {
    case MOCK_STAGE_IDLE:
        return "sending";
    case MOCK_STAGE_LATENCY:
        return "latency";
    case MOCK_STAGE_BODY:
        return "body";
    case MOCK_STAGE_ABORT:
        return "abort";
    case MOCK_STAGE_STALLED:
        return "stalled";
    }
    return "";
}

static void copy_text(char *to, size_t cap, struct bench_str from)
{
    size_t n = from.len < cap - 1 ? from.len : cap - 1;
    memcpy(to, from.ptr, n);
    to[n] = '\0';
}

void mock_stats_abort(struct mock_stats *stats, const struct mock_exchange *exchange)
{
    count(&stats->aborted, 1);
    pthread_mutex_lock(&stats->lock);
    struct kept_abort *kept = &stats->aborts[stats->next_abort++ % MOCK_KEPT_REQUESTS];
    kept->seq = atomic_fetch_add_explicit(&next_seq, 1, memory_order_relaxed) + 1;
    kept->at_ms = unix_ms();
    kept->after_ms = (bench_now_us() - exchange->began_us) / 1000u;
    kept->chunks = exchange->sent_chunks;
    copy_text(kept->stage, sizeof(kept->stage), bench_str_from(stage_name(exchange->stage)));
    copy_text(kept->path, sizeof(kept->path), mock_request_path(&exchange->request));
    pthread_mutex_unlock(&stats->lock);
}

void mock_stats_reset(void)
{
    for (unsigned i = 0; i < all_count; i++) {
        struct mock_stats *stats = &all[i];
        atomic_store(&stats->accepted, 0);
        atomic_store(&stats->sent_bytes, 0);
        atomic_store(&stats->received_bytes, 0);
        atomic_store(&stats->aborted, 0);
        for (size_t r = 0; r < MOCK_MAX_ROUTES; r++) {
            atomic_store(&stats->by_route[r], 0);
        }
        pthread_mutex_lock(&stats->lock);
        for (size_t k = 0; k < MOCK_KEPT_REQUESTS; k++) {
            stats->requests[k].seq = 0;
            stats->aborts[k].seq = 0;
        }
        pthread_mutex_unlock(&stats->lock);
    }
}

static void lock_all(void)
{
    for (unsigned i = 0; i < all_count; i++) {
        pthread_mutex_lock(&all[i].lock);
    }
}

static void unlock_all(void)
{
    for (unsigned i = all_count; i > 0; i--) {
        pthread_mutex_unlock(&all[i - 1].lock);
    }
}

/* Returns the newest kept request older than |before|, all locks held, or NULL. */
static struct kept_request *newest_locked(uint64_t before)
{
    struct kept_request *best = NULL;
    for (unsigned i = 0; i < all_count; i++) {
        for (size_t k = 0; k < MOCK_KEPT_REQUESTS; k++) {
            struct kept_request *kept = &all[i].requests[k];
            if (kept->seq != 0 && kept->seq < before && (best == NULL || kept->seq > best->seq)) {
                best = kept;
            }
        }
    }
    return best;
}

static void write_hex(struct bench_buf *out, const unsigned char *bytes, size_t n)
{
    BENCH_LIT(out, "\"");
    for (size_t i = 0; i < n; i++) {
        bench_buf_hex(out, bytes[i], 2);
    }
    BENCH_LIT(out, "\"");
}

/* Bytes of a peer need not be UTF-8, and JSON has to be: what is not ASCII becomes \u00xx. */
static void write_latin1(struct bench_buf *out, struct bench_str s)
{
    BENCH_LIT(out, "\"");
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < 0x20 || c > 0x7e || c == '"' || c == '\\') {
            BENCH_LIT(out, "\\u");
            bench_buf_hex(out, c, 4);
        } else {
            bench_buf_add(out, &s.ptr[i], 1);
        }
    }
    BENCH_LIT(out, "\"");
}

static void write_headers(struct bench_buf *out, struct bench_str lines)
{
    bool is_name = true;
    bool is_first = true;
    BENCH_LIT(out, "[");
    while (lines.len > 0) {
        size_t end = bench_str_find(lines, '\n');
        if (is_name) {
            bench_buf_str(out, is_first ? BENCH_STR("[") : BENCH_STR(",["));
            is_first = false;
        }
        write_latin1(out, bench_str_cut(lines, 0, end));
        bench_buf_str(out, is_name ? BENCH_STR(",") : BENCH_STR("]"));
        is_name = !is_name;
        lines = bench_str_cut(lines, end + 1, lines.len);
    }
    BENCH_LIT(out, "]");
}

static void write_request(struct bench_buf *out, const struct kept_request *kept)
{
    struct bench_str body = bench_buf_view(&kept->body);
    unsigned char hash[SHA256_DIGEST_LENGTH];
    memcpy(hash, kept->hash, sizeof(hash));
    if (kept->body_is_whole) {
        SHA256((const unsigned char *)body.ptr, body.len, hash);
    }
    bench_buf_printf(out, "{\"seq\":%llu,\"at_ms\":%llu,\"method\":\"%s\",\"version\":\"%u.%u\"",
                     (unsigned long long)kept->seq, (unsigned long long)kept->at_ms, kept->method,
                     kept->version / 10, kept->version % 10);
    BENCH_LIT(out, ",\"target\":");
    write_latin1(out, bench_buf_view(&kept->target));
    BENCH_LIT(out, ",\"headers\":");
    write_headers(out, bench_buf_view(&kept->headers));
    BENCH_LIT(out, ",\"body_bytes\":");
    bench_buf_u64(out, kept->body_bytes);
    BENCH_LIT(out, ",\"body_sha256\":");
    write_hex(out, hash, sizeof(hash));
    BENCH_LIT(out, ",\"body_base64\":");
    if (kept->body_is_whole) {
        BENCH_LIT(out, "\"");
        bench_buf_base64(out, body.ptr, body.len);
        BENCH_LIT(out, "\"}");
    } else {
        BENCH_LIT(out, "null}");
    }
}

void mock_stats_write_requests(struct bench_buf *out, size_t n)
{
    uint64_t before = UINT64_MAX;
    lock_all();
    BENCH_LIT(out, "[");
    for (size_t i = 0; i < n; i++) {
        struct kept_request *kept = newest_locked(before);
        if (kept == NULL) {
            break;
        }
        before = kept->seq;
        bench_buf_str(out, i == 0 ? BENCH_STR("") : BENCH_STR(","));
        write_request(out, kept);
    }
    BENCH_LIT(out, "]");
    unlock_all();
}

void mock_stats_write_last(struct bench_buf *out)
{
    lock_all();
    struct kept_request *kept = newest_locked(UINT64_MAX);
    if (kept != NULL) {
        write_request(out, kept);
    } else {
        BENCH_LIT(out, "null");
    }
    unlock_all();
}

void mock_stats_write_last_body(struct bench_buf *out)
{
    lock_all();
    struct kept_request *kept = newest_locked(UINT64_MAX);
    if (kept != NULL) {
        bench_buf_str(out, bench_buf_view(&kept->body));
    }
    unlock_all();
}

static void write_aborts(struct bench_buf *out)
{
    bool is_first = true;
    lock_all();
    for (unsigned i = 0; i < all_count; i++) {
        for (size_t k = 0; k < MOCK_KEPT_REQUESTS; k++) {
            const struct kept_abort *kept = &all[i].aborts[k];
            if (kept->seq == 0) {
                continue;
            }
            bench_buf_str(out, is_first ? BENCH_STR("{\"path\":") : BENCH_STR(",{\"path\":"));
            is_first = false;
            write_latin1(out, bench_str_from(kept->path));
            bench_buf_printf(out,
                             ",\"seq\":%llu,\"stage\":\"%s\",\"at_ms\":%llu,\"after_ms\":%llu,"
                             "\"chunks\":%llu}",
                             (unsigned long long)kept->seq, kept->stage,
                             (unsigned long long)kept->at_ms, (unsigned long long)kept->after_ms,
                             (unsigned long long)kept->chunks);
        }
    }
    unlock_all();
}

/* Several methods of one path are one line: their routes have the same label. */
static void write_by_path(struct bench_buf *out, uint64_t *by_route)
{
    bool is_first = true;
    for (size_t r = 0; r < MOCK_MAX_ROUTES; r++) {
        for (size_t other = r + 1; other < MOCK_MAX_ROUTES; other++) {
            if (strcmp(mock_router_label(r), mock_router_label(other)) == 0) {
                by_route[r] += by_route[other];
                by_route[other] = 0;
            }
        }
        if (by_route[r] > 0) {
            bench_buf_printf(out, "%s\"%s\":%llu", is_first ? "" : ",", mock_router_label(r),
                             (unsigned long long)by_route[r]);
            is_first = false;
        }
    }
}

void mock_stats_write(struct bench_buf *out)
{
    uint64_t accepted = 0;
    uint64_t open = 0;
    uint64_t sent = 0;
    uint64_t received = 0;
    uint64_t aborted = 0;
    uint64_t by_route[MOCK_MAX_ROUTES] = {0};
    uint64_t requests = 0;
    for (unsigned i = 0; i < all_count; i++) {
        accepted += value(&all[i].accepted);
        open += value(&all[i].open);
        sent += value(&all[i].sent_bytes);
        received += value(&all[i].received_bytes);
        aborted += value(&all[i].aborted);
        for (size_t r = 0; r < MOCK_MAX_ROUTES; r++) {
            by_route[r] += value(&all[i].by_route[r]);
            requests += value(&all[i].by_route[r]);
        }
    }
    bench_buf_printf(out,
                     "{\"requests\":%llu,\"connections_accepted\":%llu,\"connections_open\":%llu,"
                     "\"bytes_sent\":%llu,\"bytes_received\":%llu,\"aborted\":%llu,\"by_path\":{",
                     (unsigned long long)requests, (unsigned long long)accepted,
                     (unsigned long long)open, (unsigned long long)sent,
                     (unsigned long long)received, (unsigned long long)aborted);
    write_by_path(out, by_route);
    BENCH_LIT(out, "},\"aborts\":[");
    write_aborts(out);
    BENCH_LIT(out, "]}\n");
}
