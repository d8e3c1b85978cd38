/* SPDX-License-Identifier: MIT */
/* What all answers of Anthropic's API share: headers, errors, credentials; and the models. */
#include "mockllm/anthropic.h"

#include "mockllm/exchange.h"
#include "mockllm/sign.h"
#include "mockllm/worker.h"

static const struct error_kind {
    unsigned status;
    const char *type;
    const char *message;
} ERRORS[] = {
    {400, "invalid_request_error", "Invalid request (ordered from the mock)."},
    {401, "authentication_error", "invalid x-api-key"},
    {402, "billing_error", "Your credit balance is too low to access the Anthropic API."},
    {403, "permission_error", "Your API key does not have permission to use this resource."},
    {404, "not_found_error", "model: not found"},
    {405, "invalid_request_error", "Method Not Allowed"},
    {409, "conflict_error", "The resource was changed by another request."},
    {413, "request_too_large", "Request exceeds the maximum size"},
    {429, "rate_limit_error", "This request would exceed your account's rate limit."},
    {500, "api_error", "Internal server error"},
    {504, "timeout_error", "The request timed out."},
    {529, "overloaded_error", "Overloaded"},
};

void mock_anthropic_headers(struct mock_exchange *exchange)
{
    mock_answer_id_header(exchange, BENCH_STR("request-id"));
    mock_answer_header(exchange, BENCH_STR("anthropic-organization-id"),
                       BENCH_STR("6f1d1b9e-8c3a-4e2b-9d57-0a1b2c3d4e5f"));
    mock_answer_header(exchange, BENCH_STR("anthropic-ratelimit-requests-limit"),
                       BENCH_STR("4000"));
    mock_answer_header(exchange, BENCH_STR("anthropic-ratelimit-requests-remaining"),
                       BENCH_STR("3999"));
    mock_answer_header(exchange, BENCH_STR("anthropic-ratelimit-requests-reset"),
                       BENCH_STR("2026-11-21T05:30:00Z"));
}

void mock_anthropic_fail(struct mock_exchange *exchange, const struct mock_failure *failure)
{
    struct error_kind kind = {failure->status,
                              failure->status < 500 ? "invalid_request_error" : "api_error",
                              "An error ordered from the mock."};
    for (size_t i = 0; i < sizeof(ERRORS) / sizeof(ERRORS[0]); i++) {
        if (ERRORS[i].status == failure->status) {
            kind = ERRORS[i];
        }
    }
    mock_answer_clear(&exchange->answer);
    struct bench_buf *out =
        mock_answer_begin(exchange, failure->status, BENCH_STR("application/json"));
    BENCH_LIT(out, "{\"type\":\"error\",\"error\":{\"type\":");
    bench_buf_json(out, failure->type.len > 0 ? failure->type : bench_str_from(kind.type));
    BENCH_LIT(out, ",\"message\":");
    bench_buf_json(out, failure->message.len > 0 ? failure->message : bench_str_from(kind.message));
    BENCH_LIT(out, "},\"request_id\":");
    bench_buf_json(out, mock_headers_find(&exchange->answer.headers, BENCH_STR("request-id")));
    BENCH_LIT(out, "}");
    mock_answer_end(exchange);
    if (failure->retry_after > 0 || failure->status == 429) {
        mock_answer_number_header(exchange, BENCH_STR("retry-after"),
                                  failure->retry_after > 0 ? failure->retry_after : 1);
    }
}

void mock_anthropic_mid_error(const struct mock_exchange *exchange, struct bench_buf *out)
{
    (void)exchange;
    BENCH_LIT(out,
              "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\","
              "\"message\":\"Overloaded\"}}\n\n");
}

bool mock_anthropic_authorize(struct mock_exchange *exchange)
{
    struct bench_str key = mock_vendor_header(exchange, "x-api-key");
    struct bench_str version = mock_vendor_header(exchange, "anthropic-version");
    key = key.ptr == NULL ? mock_vendor_bearer(exchange) : key;
    if (key.ptr == NULL) {
        mock_vendor_fail(exchange, 401, "x-api-key header is required");
    } else if (!mock_vendor_key_fits(exchange, key)) {
        mock_vendor_fail(exchange, 401, "invalid x-api-key");
    } else if (version.ptr == NULL) {
        mock_vendor_fail(exchange, 400, "anthropic-version: header is required");
    } else if (!bench_str_eq(version, BENCH_STR("2023-06-01")) &&
               !bench_str_eq(version, BENCH_STR("2026-10-21"))) {
        mock_vendor_fail(exchange, 400, "anthropic-version: not a valid version");
    } else {
        return true;
    }
    return false;
}

/* From this generation on thinking is bound to the model it came from. */
static bool binds_model(struct bench_str model)
{
    static const char *const bound[] = {"opus-5-5", "sonnet-5-5", "fable-5-1", "mythos-5-1"};
    for (size_t i = 0; i < sizeof(bound) / sizeof(bound[0]); i++) {
        struct bench_str name = bench_str_from(bound[i]);
        for (size_t at = 0; at + name.len <= model.len; at++) {
            if (bench_str_starts(bench_str_cut(model, at, model.len), name)) {
                return true;
            }
        }
    }
    return false;
}

static void write_realm(const struct mock_exchange *exchange, struct bench_buf *out,
                        struct bench_str kind)
{
    struct bench_str model = bench_buf_view(&exchange->model);
    BENCH_LIT(out, "claude ");
    bench_buf_str(out, kind);
    if (binds_model(model)) {
        BENCH_LIT(out, " ");
        bench_buf_str(out, model);
    }
}

void mock_anthropic_sign(const struct mock_exchange *exchange, struct bench_buf *out,
                         struct bench_str kind, struct bench_str text)
{
    struct bench_buf realm = {0};
    write_realm(exchange, &realm, kind);
    mock_sign(out, bench_buf_view(&realm), text);
    bench_buf_fini(&realm);
}

bool mock_anthropic_signed(const struct mock_exchange *exchange, struct bench_str signature,
                           struct bench_str kind, struct bench_str text)
{
    struct bench_buf realm = {0};
    write_realm(exchange, &realm, kind);
    bool good = mock_sign_check(signature, bench_buf_view(&realm), text);
    bench_buf_fini(&realm);
    return good;
}

static void write_model(struct bench_buf *out, struct bench_str id)
{
    BENCH_LIT(out, "{\"type\":\"model\",\"id\":");
    bench_buf_json(out, id);
    BENCH_LIT(out, ",\"display_name\":");
    bench_buf_json(out, id);
    BENCH_LIT(out, ",\"created_at\":\"2026-02-04T00:00:00Z\"}");
}

/* The place of |id| in the list of models, or its length. */
static size_t find_model(const struct mock_config *config, struct bench_str id)
{
    for (size_t i = 0; i < config->model_count; i++) {
        if (bench_str_eq(id, bench_str_from(config->models[i]))) {
            return i;
        }
    }
    return config->model_count;
}

void mock_anthropic_models(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    const struct mock_config *config = exchange->worker->config;
    struct bench_str after = mock_vendor_query(exchange, "after_id");
    uint64_t limit = 20;
    (void)bench_str_u64(mock_vendor_query(exchange, "limit"), &limit);
    size_t first = after.ptr == NULL ? 0 : find_model(config, after) + 1;
    first = first < config->model_count ? first : config->model_count;
    size_t end = config->model_count - first > limit ? first + limit : config->model_count;
    struct bench_buf *out = mock_answer_json(exchange);
    BENCH_LIT(out, "{\"data\":[");
    for (size_t i = first; i < end; i++) {
        bench_buf_str(out, i == first ? BENCH_STR("") : BENCH_STR(","));
        write_model(out, bench_str_from(config->models[i]));
    }
    bench_buf_str(out, end < config->model_count ? BENCH_STR("],\"has_more\":true")
                                                 : BENCH_STR("],\"has_more\":false"));
    if (first < end) {
        BENCH_LIT(out, ",\"first_id\":");
        bench_buf_json(out, bench_str_from(config->models[first]));
        BENCH_LIT(out, ",\"last_id\":");
        bench_buf_json(out, bench_str_from(config->models[end - 1]));
        BENCH_LIT(out, "}");
    } else {
        BENCH_LIT(out, ",\"first_id\":null,\"last_id\":null}");
    }
    mock_answer_end(exchange);
}

void mock_anthropic_model(struct mock_exchange *exchange, const struct bench_str *ids)
{
    const struct mock_config *config = exchange->worker->config;
    if (find_model(config, ids[0]) == config->model_count) {
        mock_vendor_failf(exchange, 404, "model: " BENCH_STR_FMT, BENCH_STR_ARG(ids[0]));
        return;
    }
    write_model(mock_answer_json(exchange), ids[0]);
    mock_answer_end(exchange);
}
