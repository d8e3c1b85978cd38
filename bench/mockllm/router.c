/* SPDX-License-Identifier: MIT */
/* The table of paths, the checks all requests go through, and the mock's own endpoints. */
#include "mockllm/router.h"

#include <string.h>

#include "mockllm/answer.h"
#include "mockllm/anthropic.h"
#include "mockllm/bedrock.h"
#include "mockllm/cohere.h"
#include "mockllm/control.h"
#include "mockllm/exchange.h"
#include "mockllm/faults.h"
#include "mockllm/gemini.h"
#include "mockllm/openai.h"
#include "mockllm/stats.h"
#include "mockllm/tokens.h"
#include "mockllm/worker.h"

/* Open parts in one pattern: /vector_stores/{}/files/{} has the most. */
#define MAX_IDS 2

struct route {
    const char *method;
    const char *path; /* after /v1; {} matches one part */
    mock_handler_fn *handler;
    enum mock_vendor vendor;
};

/* The most used first: the search is linear. */
static const struct route ROUTES[] = {
    {"POST", "/chat/completions", mock_openai_chat, MOCK_VENDOR_OPENAI},
    {"POST", "/embeddings", mock_openai_embeddings, MOCK_VENDOR_OPENAI},
    {"POST", "/responses", mock_openai_responses, MOCK_VENDOR_OPENAI},
    {"POST", "/completions", mock_openai_completions, MOCK_VENDOR_OPENAI},
    {"GET", "/models", mock_openai_models, MOCK_VENDOR_OPENAI},
    {"POST", "/moderations", mock_openai_moderations, MOCK_VENDOR_OPENAI},
    {"POST", "/audio/speech", mock_openai_speech, MOCK_VENDOR_OPENAI},
    {"POST", "/audio/transcriptions", mock_openai_transcription, MOCK_VENDOR_OPENAI},
    {"POST", "/audio/translations", mock_openai_transcription, MOCK_VENDOR_OPENAI},
    {"POST", "/images/generations", mock_openai_images, MOCK_VENDOR_OPENAI},
    {"POST", "/images/edits", mock_openai_image_edits, MOCK_VENDOR_OPENAI},
    {"POST", "/images/variations", mock_openai_image_edits, MOCK_VENDOR_OPENAI},
    {"POST", "/responses/input_tokens", mock_openai_response_tokens, MOCK_VENDOR_OPENAI},
    {"POST", "/responses/{}/cancel", mock_openai_response_cancel, MOCK_VENDOR_OPENAI},
    {"GET", "/responses/{}/input_items", mock_openai_response_items, MOCK_VENDOR_OPENAI},
    {"GET", "/responses/{}", mock_openai_response_get, MOCK_VENDOR_OPENAI},
    {"DELETE", "/responses/{}", mock_openai_response_delete, MOCK_VENDOR_OPENAI},
    {"POST", "/files", mock_openai_file_create, MOCK_VENDOR_OPENAI},
    {"GET", "/files", mock_openai_file_list, MOCK_VENDOR_OPENAI},
    {"GET", "/files/{}/content", mock_openai_file_content, MOCK_VENDOR_OPENAI},
    {"GET", "/files/{}", mock_openai_file_get, MOCK_VENDOR_OPENAI},
    {"DELETE", "/files/{}", mock_openai_file_delete, MOCK_VENDOR_OPENAI},
    {"POST", "/uploads", mock_openai_upload_create, MOCK_VENDOR_OPENAI},
    {"POST", "/uploads/{}/parts", mock_openai_upload_part, MOCK_VENDOR_OPENAI},
    {"POST", "/uploads/{}/complete", mock_openai_upload_complete, MOCK_VENDOR_OPENAI},
    {"POST", "/uploads/{}/cancel", mock_openai_upload_cancel, MOCK_VENDOR_OPENAI},
    {"POST", "/batches", mock_openai_batch_create, MOCK_VENDOR_OPENAI},
    {"GET", "/batches", mock_openai_batch_list, MOCK_VENDOR_OPENAI},
    {"POST", "/batches/{}/cancel", mock_openai_batch_cancel, MOCK_VENDOR_OPENAI},
    {"GET", "/batches/{}", mock_openai_batch_get, MOCK_VENDOR_OPENAI},
    {"POST", "/fine_tuning/jobs", mock_openai_tuning_create, MOCK_VENDOR_OPENAI},
    {"GET", "/fine_tuning/jobs", mock_openai_tuning_list, MOCK_VENDOR_OPENAI},
    {"POST", "/fine_tuning/jobs/{}/cancel", mock_openai_tuning_cancel, MOCK_VENDOR_OPENAI},
    {"GET", "/fine_tuning/jobs/{}/events", mock_openai_tuning_events, MOCK_VENDOR_OPENAI},
    {"GET", "/fine_tuning/jobs/{}", mock_openai_tuning_get, MOCK_VENDOR_OPENAI},
    {"POST", "/vector_stores", mock_openai_vector_create, MOCK_VENDOR_OPENAI},
    {"GET", "/vector_stores", mock_openai_vector_list, MOCK_VENDOR_OPENAI},
    {"POST", "/vector_stores/{}/search", mock_openai_vector_search, MOCK_VENDOR_OPENAI},
    {"POST", "/vector_stores/{}/files", mock_openai_vector_file_create, MOCK_VENDOR_OPENAI},
    {"GET", "/vector_stores/{}/files", mock_openai_vector_file_list, MOCK_VENDOR_OPENAI},
    {"GET", "/vector_stores/{}/files/{}", mock_openai_vector_file_get, MOCK_VENDOR_OPENAI},
    {"DELETE", "/vector_stores/{}/files/{}", mock_openai_vector_file_delete, MOCK_VENDOR_OPENAI},
    {"GET", "/vector_stores/{}", mock_openai_vector_get, MOCK_VENDOR_OPENAI},
    {"POST", "/vector_stores/{}", mock_openai_vector_modify, MOCK_VENDOR_OPENAI},
    {"DELETE", "/vector_stores/{}", mock_openai_vector_delete, MOCK_VENDOR_OPENAI},
    {"POST", "/assistants", mock_openai_assistant_create, MOCK_VENDOR_OPENAI},
    {"GET", "/assistants", mock_openai_assistant_list, MOCK_VENDOR_OPENAI},
    {"GET", "/assistants/{}", mock_openai_assistant_get, MOCK_VENDOR_OPENAI},
    {"POST", "/assistants/{}", mock_openai_assistant_modify, MOCK_VENDOR_OPENAI},
    {"DELETE", "/assistants/{}", mock_openai_assistant_delete, MOCK_VENDOR_OPENAI},
    {"POST", "/threads/{}/messages", mock_openai_message_create, MOCK_VENDOR_OPENAI},
    {"GET", "/threads/{}/messages", mock_openai_message_list, MOCK_VENDOR_OPENAI},
    {"GET", "/threads/{}/messages/{}", mock_openai_message_get, MOCK_VENDOR_OPENAI},
    {"POST", "/threads/{}/runs", mock_openai_run_create, MOCK_VENDOR_OPENAI},
    {"GET", "/threads/{}/runs", mock_openai_run_list, MOCK_VENDOR_OPENAI},
    {"GET", "/threads/{}/runs/{}", mock_openai_run_get, MOCK_VENDOR_OPENAI},
    {"POST", "/threads", mock_openai_thread_create, MOCK_VENDOR_OPENAI},
    {"GET", "/threads/{}", mock_openai_thread_get, MOCK_VENDOR_OPENAI},
    {"POST", "/threads/{}", mock_openai_thread_modify, MOCK_VENDOR_OPENAI},
    {"DELETE", "/threads/{}", mock_openai_thread_delete, MOCK_VENDOR_OPENAI},
    {"GET", "/models/{}", mock_openai_model, MOCK_VENDOR_OPENAI},
    {"POST", "/messages", mock_anthropic_messages, MOCK_VENDOR_ANTHROPIC},
    {"POST", "/messages/count_tokens", mock_anthropic_count, MOCK_VENDOR_ANTHROPIC},
    {"GET", "/models", mock_anthropic_models, MOCK_VENDOR_ANTHROPIC},
    {"GET", "/models/{}", mock_anthropic_model, MOCK_VENDOR_ANTHROPIC},
    {"POST", "/token", mock_tokens_google, MOCK_VENDOR_TOKENS},
    {"GET", "/computeMetadata/v1/{}", mock_tokens_google_metadata, MOCK_VENDOR_TOKENS},
    {"POST", "/{}/oauth2/v2.0/token", mock_tokens_entra, MOCK_VENDOR_TOKENS},
    {"GET", "/metadata/identity/oauth2/token", mock_tokens_azure_metadata, MOCK_VENDOR_TOKENS},
    {"POST", "/", mock_tokens_sts, MOCK_VENDOR_TOKENS},
    {"PUT", "/latest/api/token", mock_tokens_imds_session, MOCK_VENDOR_TOKENS},
    {"GET", "/latest/meta-data/iam/security-credentials/", mock_tokens_imds_role,
     MOCK_VENDOR_TOKENS},
    {"GET", "/latest/meta-data/iam/security-credentials", mock_tokens_imds_role,
     MOCK_VENDOR_TOKENS},
    {"GET", "/latest/meta-data/iam/security-credentials/{}", mock_tokens_imds, MOCK_VENDOR_TOKENS},
    {"GET", "/v2/credentials/{}", mock_tokens_container, MOCK_VENDOR_TOKENS},
    {"POST", "/v2/chat", mock_cohere_chat, MOCK_VENDOR_COHERE},
    {"POST", "/v2/embed", mock_cohere_embed, MOCK_VENDOR_COHERE},
    {"POST", "/v2/rerank", mock_cohere_rerank, MOCK_VENDOR_COHERE},
    {"GET", "/v1/models", mock_cohere_models, MOCK_VENDOR_COHERE},
    {"POST", "/converse", mock_bedrock_converse, MOCK_VENDOR_BEDROCK},
    {"POST", "/converse-stream", mock_bedrock_converse, MOCK_VENDOR_BEDROCK},
    {"POST", "/invoke", mock_bedrock_invoke, MOCK_VENDOR_BEDROCK},
    {"POST", "/invoke-with-response-stream", mock_bedrock_invoke, MOCK_VENDOR_BEDROCK},
    {"POST", "/count-tokens", mock_bedrock_count, MOCK_VENDOR_BEDROCK},
    {"POST", ":rawPredict", mock_vertex_claude, MOCK_VENDOR_VERTEX_CLAUDE},
    {"POST", ":streamRawPredict", mock_vertex_claude, MOCK_VENDOR_VERTEX_CLAUDE},
    {"POST", ":generateContent", mock_gemini_generate, MOCK_VENDOR_GEMINI},
    {"POST", ":streamGenerateContent", mock_gemini_stream, MOCK_VENDOR_GEMINI},
    {"POST", ":countTokens", mock_gemini_count, MOCK_VENDOR_GEMINI},
    {"POST", ":embedContent", mock_gemini_embed, MOCK_VENDOR_GEMINI},
    {"POST", ":batchEmbedContents", mock_gemini_embed_batch, MOCK_VENDOR_GEMINI},
    {"POST", ":predict", mock_vertex_predict, MOCK_VENDOR_GEMINI},
    {"GET", "/models", mock_gemini_models, MOCK_VENDOR_GEMINI},
    {"GET", "/models/{}", mock_gemini_model, MOCK_VENDOR_GEMINI},
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

/* Finds the route; *other_method is set when only the method does not fit. */
static size_t find_route(const struct mock_exchange *exchange, struct bench_str *ids,
                         bool *other_method)
{
    const char *method = exchange->request.method;
    enum mock_vendor vendor = mock_vendor_of(exchange)->routes;
    bool is_openai = vendor == MOCK_VENDOR_OPENAI;
    struct bench_str path = is_openai ? strip_prefix(exchange->path) : exchange->path;
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (ROUTES[i].vendor != vendor || !match(path, ROUTES[i].path, ids)) {
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

bool mock_openai_authorize(struct mock_exchange *exchange)
{
    struct bench_str key = mock_vendor_bearer(exchange);
    if (key.ptr == NULL) {
        key = mock_vendor_header(exchange, "api-key");
    }
    if (exchange->worker->config->api_key.len == 0 || mock_vendor_key_fits(exchange, key)) {
        return true;
    }
    mock_answer_error(exchange, 401, BENCH_STR("invalid_request_error"),
                      BENCH_STR("invalid_api_key"), (struct bench_str){0},
                      BENCH_STR("Incorrect API key provided."));
    return false;
}

/* POST /mock/knobs?... */
static void change_knobs(struct mock_exchange *exchange)
{
    struct bench_str query = bench_buf_view(&exchange->request.target);
    query = bench_str_cut(query, exchange->request.path_len + 1, query.len);
    if (mock_control_change(&exchange->worker->config->knobs, query)) {
        BENCH_LIT(mock_answer_json(exchange), "{}\n");
    } else {
        BENCH_LIT(mock_answer_begin(exchange, 400, BENCH_STR("application/json")), "{}\n");
    }
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
    } else if (bench_str_eq(path, BENCH_STR("/mock/knobs"))) {
        change_knobs(exchange);
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
    struct bench_str path = mock_request_path(&exchange->request);
    struct bench_buf text = {0};
    bench_buf_printf(&text, "Invalid URL (%s ", exchange->request.method);
    bench_buf_str(&text, path);
    BENCH_LIT(&text, ")");
    const struct mock_failure failure = {
        .status = other_method ? 405 : 404,
        .code = BENCH_STR("unknown_url"),
        .message = bench_buf_view(&text),
    };
    mock_vendor_of(exchange)->fail(exchange, &failure);
    bench_buf_fini(&text);
}

static void answer_bad_model(struct mock_exchange *exchange)
{
    static const char message[] = "This mock- model name holds an unknown key.";
    if (exchange->vendor == MOCK_VENDOR_OPENAI) {
        mock_answer_invalid(exchange, "model", message);
    } else {
        mock_vendor_fail(exchange, 400, message);
    }
}

void mock_router_route(struct mock_exchange *exchange, bool knobs_known)
{
    struct bench_str ids[MAX_IDS] = {{0}};
    bool other_method = false;
    if (serve_own(exchange, mock_request_path(&exchange->request))) {
        return;
    }
    size_t route = find_route(exchange, ids, &other_method);
    mock_stats_request(exchange->worker->stats, exchange, route);
    if (!knobs_known) {
        answer_bad_model(exchange);
    } else if (exchange->knobs.status > 0) {
        mock_answer_status(exchange);
    } else if (!mock_vendor_of(exchange)->authorize(exchange)) {
        return;
    } else if (route == ROUTE_UNKNOWN) {
        answer_unknown(exchange, other_method);
    } else {
        ROUTES[route].handler(exchange, ids);
    }
}
