/* SPDX-License-Identifier: MIT */
/* :countTokens, :embedContent, :batchEmbedContents and Vertex' :predict. */
#include "mockllm/answer.h"
#include "mockllm/embedding.h"
#include "mockllm/exchange.h"
#include "mockllm/gemini.h"

/* Google's limit of one batch, and the dimensions of gemini-embedding-001. */
#define MAX_BATCH          100
#define DEFAULT_DIMENSIONS 3072u

void mock_gemini_count(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    yyjson_val *root = mock_answer_root(exchange);
    yyjson_val *request = mock_gemini_get(root, "generateContentRequest");
    request = request != NULL ? request : root;
    if (yyjson_arr_size(yyjson_obj_get(request, "contents")) == 0) {
        mock_vendor_fail(exchange, 400, "* CountTokensRequest.contents: contents is not specified");
        return;
    }
    uint64_t tokens = mock_answer_usage(exchange, 0).prompt;
    bench_buf_printf(mock_answer_json(exchange),
                     "{\"totalTokens\":%llu,\"promptTokensDetails\":[{\"modality\":\"TEXT\","
                     "\"tokenCount\":%llu}]}",
                     (unsigned long long)tokens, (unsigned long long)tokens);
    mock_answer_end(exchange);
}

/* Returns the text to embed, NULL after answering when there is none. */
static yyjson_val *read_text(struct mock_exchange *exchange, yyjson_val *request)
{
    yyjson_val *parts = yyjson_obj_get(yyjson_obj_get(request, "content"), "parts");
    yyjson_val *text = yyjson_obj_get(yyjson_arr_get_first(parts), "text");
    uint64_t dimensions = yyjson_get_uint(mock_gemini_get(request, "outputDimensionality"));
    if (mock_json_text(text).len == 0) {
        mock_vendor_fail(exchange, 400, "* EmbedContentRequest.content: content is empty");
        return NULL;
    }
    if (dimensions > DEFAULT_DIMENSIONS) {
        mock_vendor_fail(exchange, 400, "* EmbedContentRequest.output_dimensionality: too large");
        return NULL;
    }
    return text;
}

static void write_values(struct bench_buf *out, yyjson_val *request, yyjson_val *text)
{
    uint64_t wanted = yyjson_get_uint(mock_gemini_get(request, "outputDimensionality"));
    BENCH_LIT(out, "{\"values\":");
    mock_embedding_write(out, text, wanted > 0 ? wanted : DEFAULT_DIMENSIONS);
    BENCH_LIT(out, "}");
}

void mock_gemini_embed(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    yyjson_val *root = mock_answer_root(exchange);
    yyjson_val *text = read_text(exchange, root);
    if (text == NULL) {
        return;
    }
    struct bench_buf *out = mock_answer_json(exchange);
    BENCH_LIT(out, "{\"embedding\":");
    write_values(out, root, text);
    BENCH_LIT(out, "}");
    mock_answer_end(exchange);
}

/* Every request of a batch names the model of the path. */
static bool names_model(const struct mock_exchange *exchange, yyjson_val *request)
{
    struct bench_str name = mock_json_str(request, "model");
    struct bench_str prefix = BENCH_STR("models/");
    return bench_str_starts(name, prefix) && bench_str_eq(bench_str_cut(name, prefix.len, name.len),
                                                          bench_buf_view(&exchange->model));
}

void mock_gemini_embed_batch(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    yyjson_val *requests = yyjson_obj_get(mock_answer_root(exchange), "requests");
    size_t i = 0;
    size_t count = 0;
    yyjson_val *request = NULL;
    if (yyjson_arr_size(requests) == 0 || yyjson_arr_size(requests) > MAX_BATCH) {
        mock_vendor_fail(exchange, 400,
                         "* BatchEmbedContentsRequest.requests: from 1 to 100 requests");
        return;
    }
    yyjson_arr_foreach(requests, i, count, request)
    {
        if (!names_model(exchange, request)) {
            mock_vendor_fail(
                exchange, 400,
                "* BatchEmbedContentsRequest.requests[0].model: unexpected model name");
            return;
        }
        if (read_text(exchange, request) == NULL) {
            return;
        }
    }
    struct bench_buf *out = mock_answer_json(exchange);
    BENCH_LIT(out, "{\"embeddings\":[");
    yyjson_arr_foreach(requests, i, count, request)
    {
        yyjson_val *parts = yyjson_obj_get(yyjson_obj_get(request, "content"), "parts");
        bench_buf_str(out, i == 0 ? BENCH_STR("") : BENCH_STR(","));
        write_values(out, request, yyjson_obj_get(yyjson_arr_get_first(parts), "text"));
    }
    BENCH_LIT(out, "]}");
    mock_answer_end(exchange);
}

void mock_vertex_predict(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    yyjson_val *root = mock_answer_root(exchange);
    yyjson_val *instances = yyjson_obj_get(root, "instances");
    uint64_t wanted =
        mock_json_u64(yyjson_obj_get(root, "parameters"), "outputDimensionality", 768);
    size_t i = 0;
    size_t count = 0;
    yyjson_val *instance = NULL;
    if (yyjson_arr_size(instances) == 0 || wanted > DEFAULT_DIMENSIONS) {
        mock_vendor_fail(exchange, 400, "Invalid instances or parameters.");
        return;
    }
    struct bench_buf *out = mock_answer_json(exchange);
    BENCH_LIT(out, "{\"predictions\":[");
    yyjson_arr_foreach(instances, i, count, instance)
    {
        bench_buf_str(out, i == 0 ? BENCH_STR("") : BENCH_STR(","));
        BENCH_LIT(out, "{\"embeddings\":{\"values\":");
        mock_embedding_write(out, yyjson_obj_get(instance, "content"), wanted);
        BENCH_LIT(out, ",\"statistics\":{\"token_count\":4,\"truncated\":false}}}");
    }
    BENCH_LIT(out, "]}");
    mock_answer_end(exchange);
}
