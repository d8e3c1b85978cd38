/* SPDX-License-Identifier: MIT */
/* What all answers of Google's APIs share: headers, errors, credentials; and the models. */
#include "mockllm/gemini.h"

#include <ctype.h>
#include <string.h>

#include "mockllm/answer.h"
#include "mockllm/anthropic.h"
#include "mockllm/exchange.h"
#include "mockllm/tokens.h"
#include "mockllm/worker.h"

static const struct error_kind {
    unsigned status;
    const char *name;
    const char *message;
} ERRORS[] = {
    {400, "INVALID_ARGUMENT", "Request contains an invalid argument."},
    {401, "UNAUTHENTICATED", "Request had invalid authentication credentials."},
    {402, "RESOURCE_EXHAUSTED", "Your prepaid credit is used up."},
    {403, "PERMISSION_DENIED", "The caller does not have permission."},
    {404, "NOT_FOUND", "The model is not found for API version v1beta."},
    {405, "INVALID_ARGUMENT", "The method is not allowed here."},
    {409, "ABORTED", "The operation was aborted."},
    {429, "RESOURCE_EXHAUSTED", "You exceeded your current quota. Please retry in 1s."},
    {499, "CANCELLED", "The operation was cancelled."},
    {500, "INTERNAL", "An internal error has occurred."},
    {503, "UNAVAILABLE", "The model is overloaded. Please try again later."},
    {504, "DEADLINE_EXCEEDED", "The request timed out."},
};

void mock_gemini_headers(struct mock_exchange *exchange)
{
    mock_answer_header(exchange, BENCH_STR("vary"), BENCH_STR("Origin, X-Origin, Referer"));
    mock_answer_header(exchange, BENCH_STR("server-timing"), BENCH_STR("gfet4t7; dur=1"));
}

/* Writes the object; |retry_after| 0: without the detail about it. */
static void write_error(struct bench_buf *out, const struct error_kind *kind,
                        struct bench_str message, uint64_t retry_after)
{
    bench_buf_printf(out, "{\n  \"error\": {\n    \"code\": %u,\n    \"message\": ", kind->status);
    bench_buf_json(out, message);
    bench_buf_printf(out, ",\n    \"status\": \"%s\"", kind->name);
    if (retry_after > 0) {
        bench_buf_printf(out,
                         ",\n    \"details\": [\n      {\n        \"@type\": "
                         "\"type.googleapis.com/google.rpc.RetryInfo\",\n        "
                         "\"retryDelay\": \"%llus\"\n      }\n    ]",
                         (unsigned long long)retry_after);
    }
    BENCH_LIT(out, "\n  }\n}\n");
}

static struct error_kind kind_of(unsigned status)
{
    for (size_t i = 0; i < sizeof(ERRORS) / sizeof(ERRORS[0]); i++) {
        if (ERRORS[i].status == status) {
            return ERRORS[i];
        }
    }
    return (struct error_kind){status, status < 500 ? "FAILED_PRECONDITION" : "UNKNOWN",
                               "An error ordered from the mock."};
}

struct bench_str mock_gemini_mode(yyjson_val *config)
{
    static const char *const by_number[] = {"MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"};
    yyjson_val *mode = yyjson_obj_get(config, "mode");
    if (yyjson_is_uint(mode) && yyjson_get_uint(mode) < sizeof(by_number) / sizeof(*by_number)) {
        return bench_str_from(by_number[yyjson_get_uint(mode)]);
    }
    return mock_json_text(mode);
}

bool mock_gemini_wants_numbers(const struct mock_exchange *exchange)
{
    /* "$alt=json;enum-encoding=int"; clients send the first byte escaped. */
    return mock_vendor_query(exchange, "$alt").ptr != NULL ||
           mock_vendor_query(exchange, "%24alt").ptr != NULL;
}

/* Nothing may follow the bracket that ends the array: Google's own clients (google-api-core) fail
 * on a line end there. */
bool mock_gemini_is_array(const struct mock_exchange *exchange)
{
    return bench_str_eq(exchange->path, BENCH_STR(":streamGenerateContent")) &&
           !bench_str_eq(mock_vendor_query(exchange, "alt"), BENCH_STR("sse"));
}

void mock_gemini_fail(struct mock_exchange *exchange, const struct mock_failure *failure)
{
    const struct error_kind kind = kind_of(failure->status);
    bool is_array = mock_gemini_is_array(exchange);
    uint64_t retry_after = failure->retry_after;
    if (failure->status == 429 && retry_after == 0) {
        retry_after = 1;
    }
    mock_answer_clear(&exchange->answer);
    struct bench_buf *out =
        mock_answer_begin(exchange, failure->status, BENCH_STR("application/json; charset=UTF-8"));
    bench_buf_str(out, is_array ? BENCH_STR("[") : BENCH_STR(""));
    write_error(out, &kind,
                failure->message.len > 0 ? failure->message : bench_str_from(kind.message),
                retry_after);
    bench_buf_str(out, is_array ? BENCH_STR("]") : BENCH_STR(""));
    mock_answer_end(exchange);
}

void mock_vertex_claude_fail(struct mock_exchange *exchange, const struct mock_failure *failure)
{
    switch (failure->status) {
    case 401:
    case 403:
    case 404:
    case 429:
        mock_gemini_fail(exchange, failure);
        return;
    default:
        mock_anthropic_fail(exchange, failure);
        return;
    }
}

void mock_gemini_mid_error(const struct mock_exchange *exchange, struct bench_buf *out)
{
    const struct error_kind kind = kind_of(503);
    write_error(out, &kind, bench_str_from(kind.message), 0); /* bare, also among events */
    bench_buf_str(out, mock_gemini_is_array(exchange) ? BENCH_STR("]") : BENCH_STR(""));
}

bool mock_gemini_authorize(struct mock_exchange *exchange)
{
    struct bench_str key = mock_vendor_header(exchange, "x-goog-api-key");
    key = key.ptr != NULL ? key : mock_vendor_query(exchange, "key");
    key = key.ptr != NULL ? key : mock_vendor_bearer(exchange);
    if (key.ptr == NULL) {
        mock_vendor_fail(exchange, 403,
                         "Method doesn't allow unregistered callers (callers without established "
                         "identity). Please use API Key or other form of API consumer identity to "
                         "call this API.");
        return false;
    }
    if (!mock_vendor_key_fits(exchange, key)) {
        mock_vendor_fail(exchange, 400, "API key not valid. Please pass a valid API key.");
        return false;
    }
    return true;
}

bool mock_vertex_authorize(struct mock_exchange *exchange)
{
    const struct mock_failure failure = {
        .status = 401,
        .message = BENCH_STR("Request had invalid authentication credentials. Expected OAuth 2 "
                             "access token, login cookie or other valid authentication "
                             "credential."),
    };
    struct bench_str token = mock_vendor_bearer(exchange);
    if (mock_vendor_key_fits(exchange, token) && mock_tokens_check(exchange, "google", token)) {
        return true;
    }
    mock_gemini_fail(exchange, &failure);
    return false;
}

yyjson_val *mock_gemini_get(yyjson_val *object, const char *name)
{
    char snake[64];
    size_t len = 0;
    yyjson_val *member = yyjson_obj_get(object, name);
    for (const char *c = name; member == NULL && *c != '\0' && len + 2 < sizeof(snake); c++) {
        if (isupper((unsigned char)*c)) {
            snake[len++] = '_';
        }
        snake[len++] = (char)tolower((unsigned char)*c);
    }
    snake[len] = '\0';
    return member != NULL ? member : yyjson_obj_get(object, snake);
}

bool mock_gemini_is(const struct mock_exchange *exchange, unsigned least)
{
    static const char mark[] = "gemini-";
    struct bench_str model = bench_buf_view(&exchange->model);
    const char *found = memmem(model.ptr, model.len, mark, sizeof(mark) - 1);
    if (found == NULL || found + sizeof(mark) - 1 == model.ptr + model.len) {
        return false;
    }
    char generation = found[sizeof(mark) - 1];
    return generation >= '0' && generation <= '9' && (unsigned)(generation - '0') >= least;
}

static void write_model(struct bench_buf *out, const char *name)
{
    bench_buf_printf(out,
                     "{\"name\":\"models/%s\",\"version\":\"001\",\"displayName\":\"%s\","
                     "\"description\":\"A mock.\",\"inputTokenLimit\":1048576,"
                     "\"outputTokenLimit\":65536,\"supportedGenerationMethods\":["
                     "\"generateContent\",\"countTokens\",\"embedContent\"]}",
                     name, name);
}

void mock_gemini_models(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    const struct mock_config *config = exchange->worker->config;
    uint64_t first = 0;
    uint64_t count = 50;
    (void)bench_str_u64(mock_vendor_query(exchange, "pageToken"), &first);
    (void)bench_str_u64(mock_vendor_query(exchange, "pageSize"), &count);
    first = first < config->model_count ? first : config->model_count;
    count = count < config->model_count - first ? count : config->model_count - first;
    struct bench_buf *out = mock_answer_json(exchange);
    BENCH_LIT(out, "{\"models\":[");
    for (size_t i = first; i < first + count; i++) {
        bench_buf_str(out, i == first ? BENCH_STR("") : BENCH_STR(","));
        write_model(out, config->models[i]);
    }
    BENCH_LIT(out, "]");
    if (first + count < config->model_count) {
        bench_buf_printf(out, ",\"nextPageToken\":\"%llu\"", (unsigned long long)(first + count));
    }
    BENCH_LIT(out, "}");
    mock_answer_end(exchange);
}

void mock_gemini_model(struct mock_exchange *exchange, const struct bench_str *ids)
{
    const struct mock_config *config = exchange->worker->config;
    for (size_t i = 0; i < config->model_count; i++) {
        if (bench_str_eq(ids[0], bench_str_from(config->models[i]))) {
            write_model(mock_answer_json(exchange), config->models[i]);
            mock_answer_end(exchange);
            return;
        }
    }
    mock_vendor_fail(exchange, 404, "");
}

void mock_vertex_claude(struct mock_exchange *exchange, const struct bench_str *ids)
{
    yyjson_val *root = mock_answer_root(exchange);
    struct bench_str version = mock_json_str(root, "anthropic_version");
    struct bench_str model = mock_json_str(root, "model");
    bool counting = bench_str_eq(bench_buf_view(&exchange->model), BENCH_STR("count-tokens"));
    bool streamed = mock_json_true(root, "stream");
    if (!counting && model.ptr != NULL) {
        mock_vendor_fail(exchange, 400, "model: Extra inputs are not permitted");
    } else if (counting) {
        mock_anthropic_count(exchange, ids);
    } else if (!bench_str_eq(version, BENCH_STR("vertex-2023-10-16")) &&
               !bench_str_eq(version, BENCH_STR("2026-10-21"))) {
        mock_vendor_fail(exchange, 400, "anthropic_version: Field required");
    } else if (mock_anthropic_check(exchange, root, false)) {
        mock_anthropic_answer(exchange, root, streamed);
    }
}
