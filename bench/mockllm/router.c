/* SPDX-License-Identifier: MIT */
/* The table of paths, the checks all requests go through, and the mock's own endpoints. */
#include "mockllm/router.h"

#include <string.h>

#include "mockllm/answer.h"
#include "mockllm/exchange.h"
#include "mockllm/faults.h"
#include "mockllm/openai.h"
#include "mockllm/stats.h"
#include "mockllm/worker.h"

/* Open parts in one pattern: /vector_stores/{}/files/{} has the most. */
#define MAX_IDS 2

struct route {
    const char *method;
    const char *path; /* after /v1; {} matches one part */
    mock_handler_fn *handler;
};

/* The most used first: the search is linear. */
static const struct route ROUTES[] = {
    {"POST", "/chat/completions", mock_openai_chat},
    {"POST", "/embeddings", mock_openai_embeddings},
    {"POST", "/responses", mock_openai_responses},
    {"POST", "/completions", mock_openai_completions},
    {"GET", "/models", mock_openai_models},
    {"POST", "/moderations", mock_openai_moderations},
    {"POST", "/audio/speech", mock_openai_speech},
    {"POST", "/audio/transcriptions", mock_openai_transcription},
    {"POST", "/audio/translations", mock_openai_transcription},
    {"POST", "/images/generations", mock_openai_images},
    {"POST", "/images/edits", mock_openai_image_edits},
    {"POST", "/images/variations", mock_openai_image_edits},
    {"POST", "/responses/input_tokens", mock_openai_response_tokens},
    {"POST", "/responses/{}/cancel", mock_openai_response_cancel},
    {"GET", "/responses/{}/input_items", mock_openai_response_items},
    {"GET", "/responses/{}", mock_openai_response_get},
    {"DELETE", "/responses/{}", mock_openai_response_delete},
    {"POST", "/files", mock_openai_file_create},
    {"GET", "/files", mock_openai_file_list},
    {"GET", "/files/{}/content", mock_openai_file_content},
    {"GET", "/files/{}", mock_openai_file_get},
    {"DELETE", "/files/{}", mock_openai_file_delete},
    {"POST", "/uploads", mock_openai_upload_create},
    {"POST", "/uploads/{}/parts", mock_openai_upload_part},
    {"POST", "/uploads/{}/complete", mock_openai_upload_complete},
    {"POST", "/uploads/{}/cancel", mock_openai_upload_cancel},
    {"POST", "/batches", mock_openai_batch_create},
    {"GET", "/batches", mock_openai_batch_list},
    {"POST", "/batches/{}/cancel", mock_openai_batch_cancel},
    {"GET", "/batches/{}", mock_openai_batch_get},
    {"POST", "/fine_tuning/jobs", mock_openai_tuning_create},
    {"GET", "/fine_tuning/jobs", mock_openai_tuning_list},
    {"POST", "/fine_tuning/jobs/{}/cancel", mock_openai_tuning_cancel},
    {"GET", "/fine_tuning/jobs/{}/events", mock_openai_tuning_events},
    {"GET", "/fine_tuning/jobs/{}", mock_openai_tuning_get},
    {"POST", "/vector_stores", mock_openai_vector_create},
    {"GET", "/vector_stores", mock_openai_vector_list},
    {"POST", "/vector_stores/{}/search", mock_openai_vector_search},
    {"POST", "/vector_stores/{}/files", mock_openai_vector_file_create},
    {"GET", "/vector_stores/{}/files", mock_openai_vector_file_list},
    {"GET", "/vector_stores/{}/files/{}", mock_openai_vector_file_get},
    {"DELETE", "/vector_stores/{}/files/{}", mock_openai_vector_file_delete},
    {"GET", "/vector_stores/{}", mock_openai_vector_get},
    {"POST", "/vector_stores/{}", mock_openai_vector_modify},
    {"DELETE", "/vector_stores/{}", mock_openai_vector_delete},
    {"POST", "/assistants", mock_openai_assistant_create},
    {"GET", "/assistants", mock_openai_assistant_list},
    {"GET", "/assistants/{}", mock_openai_assistant_get},
    {"POST", "/assistants/{}", mock_openai_assistant_modify},
    {"DELETE", "/assistants/{}", mock_openai_assistant_delete},
    {"POST", "/threads/{}/messages", mock_openai_message_create},
    {"GET", "/threads/{}/messages", mock_openai_message_list},
    {"GET", "/threads/{}/messages/{}", mock_openai_message_get},
    {"POST", "/threads/{}/runs", mock_openai_run_create},
    {"GET", "/threads/{}/runs", mock_openai_run_list},
    {"GET", "/threads/{}/runs/{}", mock_openai_run_get},
    {"POST", "/threads", mock_openai_thread_create},
    {"GET", "/threads/{}", mock_openai_thread_get},
    {"POST", "/threads/{}", mock_openai_thread_modify},
    {"DELETE", "/threads/{}", mock_openai_thread_delete},
    {"GET", "/models/{}", mock_openai_model},
};

#define ROUTE_COUNT   (sizeof(ROUTES) / sizeof(ROUTES[0]))
#define ROUTE_UNKNOWN ROUTE_COUNT

const char *mock_router_label(size_t index)
{
    return index < ROUTE_COUNT ? ROUTES[index].path : "unknown";
}

static bool match(struct bench_str path, const char *pattern, struct bench_str *ids)
{
    size_t found = 0;
    size_t at = 0;
    for (const char *p = pattern; *p != '\0'; p++) {
        if (*p != '{') {
            if (at >= path.len || path.ptr[at] != *p) {
                return false;
            }
            at++;
            continue;
        }
        struct bench_str rest = bench_str_cut(path, at, path.len);
        /* Model names may hold slashes, so an id at the end takes all that is left. */
        size_t len = p[2] == '\0' ? rest.len : bench_str_find(rest, '/');
        if (len == 0 || found == MAX_IDS) {
            return false;
        }
        ids[found++] = bench_str_cut(rest, 0, len);
        at += len;
        p++; /* the closing brace */
    }
    return at == path.len;
}

/* Removes what the dialects of one API put before the path. */
static struct bench_str strip_prefix(struct bench_str path)
{
    static const struct bench_str prefixes[] = {{"/openai", 7}, {"/v1", 3}};
    const struct bench_str deployments = BENCH_STR("/deployments/");
    for (size_t i = 0; i < 2; i++) {
        if (bench_str_starts(path, prefixes[i]) && path.len > prefixes[i].len &&
            path.ptr[prefixes[i].len] == '/') {
            path = bench_str_cut(path, prefixes[i].len, path.len);
        }
    }
    if (bench_str_starts(path, deployments)) {
        struct bench_str rest = bench_str_cut(path, deployments.len, path.len);
        path = bench_str_cut(rest, bench_str_find(rest, '/'), rest.len);
    }
    return path;
}

/* Finds the route; *allowed is set when only the method does not fit. */
static size_t find_route(const char *method, struct bench_str path, struct bench_str *ids,
                         bool *other_method)
{
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (!match(path, ROUTES[i].path, ids)) {
            continue;
        }
        bool is_head = strcmp(method, "HEAD") == 0 && strcmp(ROUTES[i].method, "GET") == 0;
        if (is_head || strcmp(method, ROUTES[i].method) == 0) {
            return i;
        }
        *other_method = true;
    }
    return ROUTE_UNKNOWN;
}

static bool key_fits(const struct mock_exchange *exchange)
{
    struct bench_str wanted = exchange->worker->config->api_key;
    if (wanted.len == 0) {
        return true;
    }
    const struct mock_headers *headers = &exchange->request.headers;
    struct bench_str bearer = mock_headers_find(headers, BENCH_STR("authorization"));
    struct bench_str api_key = mock_headers_find(headers, BENCH_STR("api-key"));
    if (bearer.len > 7 && bench_str_ieq(bench_str_cut(bearer, 0, 7), BENCH_STR("bearer "))) {
        return bench_str_eq(bench_str_cut(bearer, 7, bearer.len), wanted);
    }
    return bench_str_eq(api_key, wanted);
}

/* Serves /mock/...; these requests are not counted. Returns false for other paths. */
static bool serve_own(struct mock_exchange *exchange, struct bench_str path)
{
    if (!bench_str_starts(path, BENCH_STR("/mock/"))) {
        return false;
    }
    exchange->knobs = mock_knobs_default();
    if (bench_str_eq(path, BENCH_STR("/mock/reset"))) {
        mock_stats_reset();
        mock_faults_reset();
        BENCH_LIT(mock_answer_json(exchange), "{}\n");
    } else if (bench_str_eq(path, BENCH_STR("/mock/stats"))) {
        mock_stats_write(mock_answer_json(exchange));
    } else if (bench_str_eq(path, BENCH_STR("/mock/last"))) {
        mock_stats_write_last(mock_answer_json(exchange));
    } else if (bench_str_eq(path, BENCH_STR("/mock/requests"))) {
        mock_stats_write_requests(mock_answer_json(exchange), MOCK_KEPT_REQUESTS);
    } else if (bench_str_eq(path, BENCH_STR("/mock/last/body"))) {
        mock_stats_write_last_body(
            mock_answer_begin(exchange, 200, BENCH_STR("application/octet-stream")));
    } else {
        BENCH_LIT(mock_answer_begin(exchange, 404, BENCH_STR("application/json")), "{}\n");
    }
    mock_answer_end(exchange);
    return true;
}

static void answer_unknown(struct mock_exchange *exchange, bool other_method)
{
    struct bench_buf text = {0};
    BENCH_LIT(&text, "Invalid URL (");
    bench_buf_str(&text, bench_str_from(exchange->request.method));
    BENCH_LIT(&text, " ");
    bench_buf_str(&text, mock_request_path(&exchange->request));
    BENCH_LIT(&text, ")");
    mock_answer_error(exchange, other_method ? 405 : 404, BENCH_STR("invalid_request_error"),
                      (struct bench_str){0}, (struct bench_str){0}, bench_buf_view(&text));
    bench_buf_fini(&text);
}

void mock_router_route(struct mock_exchange *exchange, bool knobs_known)
{
    struct bench_str path = mock_request_path(&exchange->request);
    struct bench_str ids[MAX_IDS] = {{0}};
    bool other_method = false;
    if (serve_own(exchange, path)) {
        return;
    }
    size_t route = find_route(exchange->request.method, strip_prefix(path), ids, &other_method);
    mock_stats_request(exchange->worker->stats, exchange, route);
    if (!knobs_known) {
        mock_answer_invalid(exchange, "model", "This mock- model name holds an unknown key.");
    } else if (exchange->knobs.status > 0) {
        mock_answer_status(exchange);
    } else if (!key_fits(exchange)) {
        mock_answer_error(exchange, 401, BENCH_STR("invalid_request_error"),
                          BENCH_STR("invalid_api_key"), (struct bench_str){0},
                          BENCH_STR("Incorrect API key provided."));
    } else if (route == ROUTE_UNKNOWN) {
        answer_unknown(exchange, other_method);
    } else {
        ROUTES[route].handler(exchange, ids);
    }
}
