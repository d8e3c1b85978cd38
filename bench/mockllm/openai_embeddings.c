/* SPDX-License-Identifier: MIT */
/* POST /v1/embeddings: unit vectors that depend on nothing but the input. */
#include "mockllm/answer.h"
#include "mockllm/embedding.h"
#include "mockllm/exchange.h"
#include "mockllm/openai.h"

/* OpenAI's limits of one request. */
#define MAX_INPUTS     2048u
#define MAX_DIMENSIONS MOCK_MAX_DIMENSIONS

#define DEFAULT_DIMENSIONS 1536u

static void write_embedding(struct bench_buf *out, size_t index, yyjson_val *input, size_t count,
                            bool base64)
{
    static _Thread_local float vector[MAX_DIMENSIONS];
    mock_embedding_make(input, vector, count);
    BENCH_LIT(out, "{\"object\":\"embedding\",\"index\":");
    bench_buf_u64(out, index);
    if (base64) { /* little-endian float32, as this machine has them */
        BENCH_LIT(out, ",\"embedding\":\"");
        bench_buf_base64(out, vector, count * sizeof(vector[0]));
        BENCH_LIT(out, "\"}");
        return;
    }
    BENCH_LIT(out, ",\"embedding\":");
    mock_embedding_write(out, input, count);
    BENCH_LIT(out, "}");
}

/* A list of strings or of token lists holds several inputs; a list of numbers is one. */
static bool is_many(yyjson_val *input)
{
    yyjson_val *first = yyjson_arr_get_first(input);
    return yyjson_is_str(first) || yyjson_is_arr(first);
}

static bool is_valid(struct mock_exchange *exchange, yyjson_val *root)
{
    yyjson_val *input = yyjson_obj_get(root, "input");
    if (root == NULL) {
        mock_answer_invalid(exchange, NULL, "We could not parse the JSON body of your request.");
    } else if (exchange->model.len == 0) {
        mock_answer_invalid(exchange, "model", "you must provide a model parameter");
    } else if (!yyjson_is_str(input) && yyjson_arr_size(input) == 0) {
        mock_answer_invalid(exchange, "input", "'$.input' is invalid.");
    } else if (is_many(input) && yyjson_arr_size(input) > MAX_INPUTS) {
        mock_answer_invalid(exchange, "input", "'$.input' holds more than 2048 inputs.");
    } else if (mock_json_u64(root, "dimensions", 1) > MAX_DIMENSIONS ||
               mock_json_u64(root, "dimensions", 1) == 0) {
        mock_answer_invalid(exchange, "dimensions", "Invalid value for 'dimensions'.");
    } else {
        return true;
    }
    return false;
}

void mock_openai_embeddings(struct mock_exchange *exchange, const struct bench_str *ids)
{
    (void)ids;
    yyjson_val *root = mock_answer_root(exchange);
    if (!is_valid(exchange, root)) {
        return;
    }
    yyjson_val *input = yyjson_obj_get(root, "input");
    size_t count = mock_json_u64(root, "dimensions", DEFAULT_DIMENSIONS);
    bool base64 = bench_str_eq(mock_json_str(root, "encoding_format"), BENCH_STR("base64"));
    struct mock_usage usage = mock_answer_usage(exchange, 0);
    struct bench_buf *out = mock_answer_json(exchange);
    BENCH_LIT(out, "{\"object\":\"list\",\"data\":[");
    if (is_many(input)) {
        size_t i = 0;
        size_t inputs = 0;
        yyjson_val *one = NULL;
        yyjson_arr_foreach(input, i, inputs, one)
        {
            bench_buf_str(out, i == 0 ? BENCH_STR("") : BENCH_STR(","));
            write_embedding(out, i, one, count, base64);
        }
    } else {
        write_embedding(out, 0, input, count, base64);
    }
    BENCH_LIT(out, "],\"model\":");
    bench_buf_json(out, bench_buf_view(&exchange->model));
    bench_buf_printf(out, ",\"usage\":{\"prompt_tokens\":%llu,\"total_tokens\":%llu}}\n",
                     (unsigned long long)usage.prompt, (unsigned long long)usage.prompt);
    mock_answer_end(exchange);
}
