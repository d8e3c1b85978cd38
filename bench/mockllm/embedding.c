/* SPDX-License-Identifier: MIT */
/* Made up vectors of length one. */
#include "mockllm/embedding.h"

#include <math.h>

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

void mock_embedding_make(yyjson_val *input, float *vector, size_t count)
{
    uint64_t seed = hash_value(input);
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

void mock_embedding_write(struct bench_buf *out, yyjson_val *input, size_t count)
{
    static _Thread_local float vector[MOCK_MAX_DIMENSIONS];
    count = count < MOCK_MAX_DIMENSIONS ? count : MOCK_MAX_DIMENSIONS;
    mock_embedding_make(input, vector, count);
    BENCH_LIT(out, "[");
    for (size_t i = 0; i < count; i++) {
        bench_buf_printf(out, "%s%.9g", i == 0 ? "" : ",", (double)vector[i]);
    }
    BENCH_LIT(out, "]");
}
