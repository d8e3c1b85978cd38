/* SPDX-License-Identifier: MIT */
/* What Cohere's answers share, and its smaller endpoints. */
#include "mockllm/cohere.h"

#include "mockllm/answer.h"
#include "mockllm/embedding.h"
#include "mockllm/exchange.h"
#include "mockllm/worker.h"

/* Of embed-v4.0. */
#define DEFAULT_DIMENSIONS 1536u

void mock_cohere_headers(struct mock_exchange *exchange)
{
    mock_answer_id_header(exchange, BENCH_STR("x-debug-trace-id"));
    mock_answer_header(exchange, BENCH_STR("num_tokens"), BENCH_STR("8"));
}

static const char *message_of(unsigned status)
{
    switch (status) {
    case 401:
        return "invalid api token";
    case 402:
        return "Please add or update your payment method at https://dashboard.cohere.com/billing";
    case 404:
        return "model not found, make sure the correct model ID was used and that you have access "
               "to the model.";
    case 429:
        return "You are using a Trial key, which is limited to 20 API calls / minute.";
    case 498:
        return "invalid request: blocked input";
    case 500:
        return "internal server error";
    default:
        return "An error ordered from the mock.";
    }
}

void mock_cohere_fail(struct mock_exchange *exchange, const struct mock_failure *failure)
{
    mock_answer_clear(&exchange->answer);
    struct bench_buf *out =
        mock_answer_begin(exchange, failure->status, BENCH_STR("application/json"));
    BENCH_LIT(out, "{\"id\":\"");
    mock_answer_id(out, exchange, BENCH_STR(""), 0);
    BENCH_LIT(out, "\",\"message\":");
    bench_buf_json(out, failure->message.len > 0 ? failure->message
                                                 : bench_str_from(message_of(failure->status)));
    BENCH_LIT(out, "}");
    mock_answer_end(exchange);
    if (failure->retry_after > 0) {
        mock_answer_number_header(exchange, BENCH_STR("retry-after"), failure->retry_after);
    }
}

void mock_cohere_mid_error(const struct mock_exchange *exchange, struct bench_buf *out)
{
    (void)exchange;
    BENCH_LIT(out, "event: message-end\ndata: {\"type\":\"message-end\",\"delta\":{\"error\":"
                   "\"internal server error\",\"finish_reason\":\"ERROR\"}}\n\n");
}

bool mock_cohere_authorize(struct mock_exchange *exchange)
{
    struct bench_str key = mock_vendor_bearer(exchange);
    if (mock_vendor_key_fits(exchange, key)) {
        return true;
    }
    mock_vendor_fail(exchange, 401, key.ptr == NULL ? "no api key supplied" : "invalid api token");
    return false;
}

static bool check_embed(struct mock_exchange *exchange, yyjson_val *root)
{
    yyjson_val *texts = yyjson_obj_get(root, "texts");
    bool images = yyjson_obj_get(root, "images") != NULL || yyjson_obj_get(root, "inputs") != NULL;
    if (exchange->model.len == 0) {
        mock_vendor_fail(exchange, 400, "invalid request: model is required");
    } else if (mock_json_str(root, "input_type").len == 0) {
        mock_vendor_fail(exchange, 400,
                         "invalid request: valid input_type must be provided with "
                         "the provided model");
    } else if (yyjson_arr_size(texts) == 0 && !images) {
        mock_vendor_fail(exchange, 400,
                         "invalid request: must supply exactly one of texts, images "
                         "or inputs");
    } else if (yyjson_arr_size(texts) > COHERE_MAX_TEXTS) {
        mock_vendor_fail(exchange, 400,
                         "invalid request: too many texts provided, the maximum is "
                         "96");
    } else if (yyjson_obj_get(root, "input") != NULL) {
        mock_vendor_fail(exchange, 400, "unknown field: parameter 'input' is not a valid field");
    } else {
        return true;
    }
    return false;
}

static void write_vectors(struct bench_buf *out, yyjson_val *texts, uint64_t dimensions)
{
    size_t i = 0;
    size_t count = 0;
    yyjson_val *text = NULL;
    BENCH_LIT(out, "[");
    yyjson_arr_foreach(texts, i, count, text)
    {
        bench_buf_str(out, i == 0 ? BENCH_STR("") : BENCH_STR(","));
        mock_embedding_write(out, text, dimensions);
    }
    BENCH_LIT(out, "]");
}

static void write_base64(struct bench_buf *out, yyjson_val *texts, uint64_t dimensions)
{
    static _Thread_local float vector[MOCK_MAX_DIMENSIONS];
    size_t i = 0;
    size_t count = 0;
    yyjson_val *text = NULL;
    BENCH_LIT(out, "[");
    yyjson_arr_foreach(texts, i, count, text)
    {
        mock_embedding_make(text, vector, dimensions);
        bench_buf_str(out, i == 0 ? BENCH_STR("\"") : BENCH_STR(",\""));
        bench_buf_base64(out, vector, dimensions * sizeof(vector[0]));
        BENCH_LIT(out, "\"");
    }
    BENCH_LIT(out, "]");
}

void mock_cohere_embed(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    yyjson_val *root = mock_answer_root(exchange);
    yyjson_val *texts = yyjson_obj_get(root, "texts");
    yyjson_val *type = yyjson_arr_get_first(yyjson_obj_get(root, "embedding_types"));
    uint64_t dimensions = mock_json_u64(root, "output_dimension", DEFAULT_DIMENSIONS);
    if (!check_embed(exchange, root)) {
        return;
    }
    dimensions = dimensions < MOCK_MAX_DIMENSIONS ? dimensions : MOCK_MAX_DIMENSIONS;
    struct bench_buf *out = mock_answer_json(exchange);
    BENCH_LIT(out, "{\"id\":\"");
    mock_answer_id(out, exchange, BENCH_STR(""), 0);
    if (yyjson_equals_str(type, "base64")) {
        BENCH_LIT(out, "\",\"embeddings\":{\"base64\":");
        write_base64(out, texts, dimensions);
    } else {
        BENCH_LIT(out, "\",\"embeddings\":{\"float\":");
        write_vectors(out, texts, dimensions);
    }
    BENCH_LIT(out, "},\"texts\":");
    size_t len = 0;
    char *echo = yyjson_val_write(texts, YYJSON_WRITE_NOFLAG, &len);
    bench_buf_add(out, echo == NULL ? "[]" : echo, echo == NULL ? 2 : len);
    bench_free(echo);
    bench_buf_printf(out,
                     ",\"meta\":{\"api_version\":{\"version\":\"2\"},\"billed_units\":{"
                     "\"input_tokens\":%llu}},\"response_type\":\"embeddings_by_type\"}",
                     (unsigned long long)mock_answer_usage(exchange, 0).prompt);
    mock_answer_end(exchange);
}

void mock_cohere_rerank(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    yyjson_val *root = mock_answer_root(exchange);
    size_t documents = yyjson_arr_size(yyjson_obj_get(root, "documents"));
    if (exchange->model.len == 0 || mock_json_str(root, "query").len == 0 || documents == 0) {
        mock_vendor_fail(exchange, 400, "invalid request: model, query and documents are required");
        return;
    }
    uint64_t top = mock_json_u64(root, "top_n", documents);
    struct bench_buf *out = mock_answer_json(exchange);
    BENCH_LIT(out, "{\"results\":[");
    for (size_t i = 0; i < documents && i < top; i++) {
        bench_buf_printf(out, "%s{\"index\":%zu,\"relevance_score\":%.3f}", i == 0 ? "" : ",", i,
                         1.0 / (double)(i + 1));
    }
    BENCH_LIT(out, "],\"id\":\"");
    mock_answer_id(out, exchange, BENCH_STR(""), 0);
    BENCH_LIT(out, "\",\"meta\":{\"billed_units\":{\"search_units\":1}}}");
    mock_answer_end(exchange);
}

void mock_cohere_models(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    const struct mock_config *config = exchange->worker->config;
    struct bench_buf *out = mock_answer_json(exchange);
    BENCH_LIT(out, "{\"models\":[");
    for (size_t i = 0; i < config->model_count; i++) {
        bench_buf_printf(out,
                         "%s{\"name\":\"%s\",\"endpoints\":[\"chat\",\"embed\"],"
                         "\"context_length\":256000,\"features\":[\"tools\"]}",
                         i == 0 ? "" : ",", config->models[i]);
    }
    BENCH_LIT(out, "]}");
    mock_answer_end(exchange);
}
