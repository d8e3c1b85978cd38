/* SPDX-License-Identifier: MIT */
/* POST /v1/embeddings: unit vectors that depend on nothing but the input. */
#include <math.h>

#include "mockllm/answer.h"
#include "mockllm/exchange.h"
#include "mockllm/openai.h"

/* OpenAI's limits of one request. */
#define MAX_INPUTS     2048u
#define MAX_DIMENSIONS 4096u

#define DEFAULT_DIMENSIONS 1536u

static uint64_t hash_value(yyjson_val *value)
{
    uint64_t hash = 0xcbf29ce484222325u;
    size_t len = 0;
    char *text = yyjson_val_write(value, YYJSON_WRITE_NOFLAG, &len);
    for (size_t i = 0; i < len; i++) { /* FNV-1a */
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3u;
    }
    bench_free(text);
    return hash;
}

static void make_vector(uint64_t seed, float *vector, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        double x = (double)(seed >> 40) / (double)(1u << 23) - 1.0;
        vector[i] = (float)x;
        sum += x * x;
    }
    double scale = sum > 0 ? 1.0 / sqrt(sum) : 0;
    for (size_t i = 0; i < count; i++) {
        vector[i] = (float)((double)vector[i] * scale);
    }
}

static void write_embedding(struct bench_buf *out, size_t index, yyjson_val *input, size_t count,
                            bool base64)
{
    static _Thread_local float vector[MAX_DIMENSIONS];
    make_vector(hash_value(input), vector, count);
    BENCH_LIT(out, "{\"object\":\"embedding\",\"index\":");
    bench_buf_u64(out, index);
    if (base64) { /* little-endian float32, as this machine has them */
        BENCH_LIT(out, ",\"embedding\":\"");
        bench_buf_base64(out, vector, count * sizeof(vector[0]));
        BENCH_LIT(out, "\"}");
        return;
    }
    BENCH_LIT(out, ",\"embedding\":[");
    for (size_t i = 0; i < count; i++) {
        bench_buf_printf(out, "%s%.9g", i == 0 ? "" : ",", (double)vector[i]);
    }
    BENCH_LIT(out, "]}");
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
